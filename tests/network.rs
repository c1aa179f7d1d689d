//! The network settings that a card gets, read by NetworkManager's own library: each value that went in comes out.

#![expect(clippy::disallowed_types, reason = "the key files are judged by NetworkManager")]

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::Command;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sd_swap::domain::network::{
    AddressMode, Auth, Interface, InterfaceName, Ip, Kind, Method, Multicast, Privacy, Profile, Ssid, Wifi,
};
use sd_swap::domain::secret::Secret;
use serde_json::{Value, json};

const READER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/keyfile.py");

/// What NetworkManager reads in each of these, in their order.
fn read(profiles: &[Profile]) -> Vec<Value> {
    let dir = tempfile::tempdir().unwrap();
    for (n, profile) in profiles.iter().enumerate() {
        fs::write(dir.path().join(format!("{n:05}")), profile.keyfile().reveal()).unwrap();
    }
    // The distribution's own Python: its library has no other.
    let said = Command::new("/usr/bin/python3").arg(READER).arg(dir.path()).output().expect("python3");
    let complaint = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "scripts/needs test installs what is missing: {complaint}");
    let found: BTreeMap<String, Value> = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(found.len(), profiles.len());
    found.into_values().collect()
}

/// What it should read there.
fn wanted(profile: &Profile, uuid: &Value) -> Value {
    let of = &profile.interface;
    let is_vlan = matches!(of.kind, Kind::Vlan { .. });
    let mut wanted = json!({
        "invalid": null, "remarks": [], "id": format!("Supervisor {}", of.name), "uuid": uuid, "autoconnect": true,
        "type": match of.kind {
            Kind::Ethernet => "802-3-ethernet",
            Kind::Wireless(_) => "802-11-wireless",
            Kind::Vlan { .. } => "vlan",
        },
        "interface": (!is_vlan).then(|| of.name.as_str()), "mdns": number(of.mdns), "llmnr": number(of.llmnr),
        "ipv4": family(&of.ipv4, "disabled"), "ipv6": family(&of.ipv6, "link-local"),
    });
    let by_itself = of.ipv6.method == Method::Auto;
    // NetworkManager's own word for "not said" where it does not matter.
    wanted["address_mode"] = match of.address_mode {
        _ if !by_itself => json!("default-or-eui64"),
        AddressMode::Default => json!("default"),
        AddressMode::Eui64 => json!("eui64"),
        AddressMode::StablePrivacy => json!("stable-privacy"),
        AddressMode::DefaultOrEui64 => json!("default-or-eui64"),
    };
    wanted["privacy"] = match of.privacy {
        Privacy::Default => json!(-1),
        _ if !by_itself => json!(-1),
        Privacy::Disabled => json!(0),
        Privacy::PreferPublic => json!(1),
        Privacy::Enabled => json!(2),
    };
    match &of.kind {
        Kind::Ethernet => wanted["cloned_mac"] = json!("preserve"),
        Kind::Vlan { id, parent } => wanted["vlan"] = json!({ "id": id, "parent": parent.as_str() }),
        Kind::Wireless(wifi) => wanted["wifi"] = wireless(wifi, &profile.key),
    }
    wanted
}

fn wireless(wifi: &Wifi, key: &Secret) -> Value {
    let mut wanted =
        json!({ "ssid": wifi.ssid.bytes(), "mode": "infrastructure", "cloned_mac": "preserve", "hidden": false });
    let (psk, wep) = match wifi.auth {
        Auth::Open => return wanted,
        Auth::WpaPsk => (Some(key.reveal()), None),
        Auth::Wep => (None, Some(key.reveal())),
    };
    let key_mgmt = if psk.is_some() { "wpa-psk" } else { "none" };
    let wep_type = u8::from(wep.is_some());
    wanted["security"] = json!({ "key_mgmt": key_mgmt, "psk": psk, "wep_key": wep, "wep_type": wep_type });
    wanted
}

fn number(mode: Multicast) -> i8 {
    match mode {
        Multicast::Default => -1,
        Multicast::Off => 0,
        Multicast::Resolve => 1,
        Multicast::Announce => 2,
    }
}

fn family<A: ToString + Copy>(ip: &Ip<A>, disabled: &str) -> Value {
    let metric = ip.route_metric.map_or(-1, i64::from);
    let (method, addresses, gateway, dns) = match &ip.method {
        Method::Auto => ("auto", Vec::new(), None, Vec::new()),
        Method::Disabled => (disabled, Vec::new(), None, Vec::new()),
        Method::Static { addresses, gateway, nameservers } => (
            "manual",
            addresses.iter().map(|(address, prefix)| format!("{}/{prefix}", address.to_string())).collect(),
            gateway.map(|gateway| gateway.to_string()),
            nameservers.iter().map(ToString::to_string).collect(),
        ),
    };
    json!({ "method": method, "addresses": addresses, "gateway": gateway, "dns": dns, "route_metric": metric })
}

fn assert_read(profiles: &[Profile]) {
    for (profile, found) in profiles.iter().zip(read(profiles)) {
        let uuid = found["uuid"].as_str().unwrap_or_default();
        assert_eq!(uuid.len(), 36, "{uuid}");
        assert_eq!(found, wanted(profile, &found["uuid"]), "{:?}\n{}", profile.interface, profile.keyfile().reveal());
    }
}

fn cable(name: &str) -> Interface {
    Interface {
        name: InterfaceName::new(name).unwrap(),
        kind: Kind::Ethernet,
        connected: true,
        primary: true,
        ipv4: Ip::AUTO,
        ipv6: Ip::AUTO,
        address_mode: AddressMode::Default,
        privacy: Privacy::Default,
        mdns: Multicast::Announce,
        llmnr: Multicast::Announce,
    }
}

fn wifi(ssid: &[u8], auth: Auth, key: &str) -> Profile {
    let wifi = Wifi { ssid: Ssid::new(ssid).unwrap(), auth, key: Secret::default() };
    Profile { interface: Interface { kind: Kind::Wireless(wifi), ..cable("wlan0") }, key: Secret::new(key) }
}

fn without_key(interface: Interface) -> Profile {
    Profile { interface, key: Secret::default() }
}

#[test]
fn networkmanager_reads_what_each_kind_of_interface_is_set_to() {
    let four = |text: &str| text.parse::<Ipv4Addr>().unwrap();
    let six = |text: &str| text.parse::<Ipv6Addr>().unwrap();
    let static_four = Method::Static {
        addresses: vec![(four("192.168.1.10"), 24), (four("10.0.0.2"), 8)],
        gateway: Some(four("192.168.1.1")),
        nameservers: vec![four("192.168.1.1"), four("1.1.1.1")],
    };
    let bare_four =
        Method::Static { addresses: vec![(four("172.16.0.2"), 32)], gateway: None, nameservers: Vec::new() };
    let static_six = Method::Static {
        addresses: vec![(six("fd00::10"), 64), (six("2001:db8::10"), 128)],
        gateway: Some(six("fe80::1")),
        nameservers: vec![six("fd00::1"), six("2001:4860:4860::8888")],
    };
    let parent = InterfaceName::new("eth0").unwrap();
    let mut profiles = vec![
        without_key(Interface {
            ipv4: Ip { method: static_four.clone(), route_metric: Some(100) },
            ipv6: Ip { method: static_six, route_metric: Some(0) },
            ..cable("end0")
        }),
        without_key(Interface { ipv4: Ip { method: bare_four, route_metric: None }, ..cable("eth0") }),
        without_key(Interface {
            ipv4: Ip { method: Method::Disabled, route_metric: None },
            ipv6: Ip { method: Method::Disabled, route_metric: None },
            ..cable("enx001122334455")
        }),
        without_key(Interface {
            ipv4: Ip { method: static_four, route_metric: None },
            kind: Kind::Vlan { id: 4094, parent },
            ..cable("eth0.4094")
        }),
        wifi(b"Home WLAN", Auth::WpaPsk, "correct horse battery staple"),
        wifi(b"hex key", Auth::WpaPsk, &"0123456789abcdef".repeat(4)),
        wifi(b"free", Auth::Open, ""),
        wifi(b"old", Auth::Wep, "abcde"),
        wifi(b"old too", Auth::Wep, "0123456789ABCDEF0123456789"),
    ];
    let modes = [AddressMode::Default, AddressMode::Eui64, AddressMode::StablePrivacy, AddressMode::DefaultOrEui64];
    let privacies = [Privacy::Default, Privacy::Disabled, Privacy::PreferPublic, Privacy::Enabled];
    let names = [Multicast::Default, Multicast::Off, Multicast::Resolve, Multicast::Announce];
    for ((address_mode, privacy), mdns) in modes.into_iter().zip(privacies).zip(names) {
        profiles.push(without_key(Interface { address_mode, privacy, mdns, llmnr: mdns, ..cable("eth0") }));
    }
    assert_read(&profiles);
}

#[test]
fn networkmanager_reads_hostile_names_and_passwords() {
    let names: [&[u8]; 20] = [
        b"1234",
        b"16;17;",
        b"16;17",
        b"1;",
        b";",
        b" leading",
        b"trailing ",
        b"\ttab\t",
        b"a=b",
        b"[wifi]",
        b"# not a comment",
        b"\"quoted\"",
        b"it's",
        b"back\\slash\\s",
        b"new\n[ipv4]\r\nmethod=disabled",
        "Küche ☕".as_bytes(),
        b"\xff\xfe\x00\x80",
        b"\x00",
        &[0xc3; 32],
        &[b' '; 32],
    ];
    let mut profiles: Vec<Profile> = names.iter().map(|name| wifi(name, Auth::WpaPsk, "correct horse")).collect();
    let keys = [
        " leading",
        "trailing ",
        "        ",
        "back\\slash\\s",
        "a=b;c=d;",
        "#12345678",
        "[section]",
        "\"quoted\"",
        "Größe und ☕",
        "%s%n%d%x",
        "{0}{file}",
        "'; rm -rf /",
        "12345678",
    ];
    profiles.extend(keys.iter().map(|key| wifi(b"Home WLAN", Auth::WpaPsk, key)));
    assert_read(&profiles);
}

/// Any settings at all.
fn any_profile() -> impl Strategy<Value = Profile> {
    let four = any::<[u8; 4]>().prop_map(|[_, b, c, d]| Ipv4Addr::new(10, b, c, d));
    let six = any::<u128>().prop_map(|n| Ipv6Addr::from(n >> 16 | 0xfd00 << 112));
    let multicast = prop_oneof![
        Just(Multicast::Default),
        Just(Multicast::Off),
        Just(Multicast::Resolve),
        Just(Multicast::Announce)
    ];
    let name = "[a-z][a-z0-9._-]{0,14}".prop_map(|name| InterfaceName::new(&name).unwrap());
    let kind = prop_oneof![
        Just(Kind::Ethernet),
        vec(any::<u8>(), 1..=32).prop_map(|ssid| wifi(&ssid, Auth::WpaPsk, "").interface.kind),
        "[ -~]{1,32}".prop_map(|ssid| wifi(ssid.as_bytes(), Auth::WpaPsk, "").interface.kind),
        (1u16..=4094).prop_map(|id| Kind::Vlan { id, parent: InterfaceName::new("eth0").unwrap() }),
    ];
    let rest = (multicast.clone(), multicast, "[ -~]{8,63}|[^\\x00-\\x1f\\x7f-\\x9f]{8,15}");
    (name, kind, any_ip(four, 1..=32), any_ip(six, 1..=128), rest).prop_map(
        |(name, kind, ipv4, ipv6, (mdns, llmnr, key))| {
            let key = if matches!(kind, Kind::Wireless(_)) { Secret::new(key) } else { Secret::default() };
            let interface = Interface { name, kind, ipv4, ipv6, mdns, llmnr, ..cable("eth0") };
            Profile { interface, key }
        },
    )
}

fn any_ip<A: Clone + std::fmt::Debug + PartialEq>(
    address: impl Strategy<Value = A> + Clone + 'static,
    prefix: std::ops::RangeInclusive<u8>,
) -> impl Strategy<Value = Ip<A>> {
    // NetworkManager keeps one of two that are the same.
    let distinct = |all: &Vec<A>| all.iter().enumerate().all(|(n, one)| !all[..n].contains(one));
    let addresses = vec(address.clone(), 1..4).prop_filter("twice the same", distinct);
    let servers = vec(address.clone(), 0..4).prop_filter("twice the same", distinct);
    let fixed = (addresses, prefix, proptest::option::of(address), servers).prop_map(
        |(addresses, prefix, gateway, nameservers)| Method::Static {
            addresses: addresses.into_iter().map(|address| (address, prefix)).collect(),
            gateway,
            nameservers,
        },
    );
    let method = prop_oneof![Just(Method::Auto), Just(Method::Disabled), fixed];
    (method, proptest::option::of(any::<u32>())).prop_map(|(method, route_metric)| Ip { method, route_metric })
}

#[test]
fn networkmanager_reads_whatever_went_in() {
    // One run of its library for all of them.
    let mut runner = TestRunner::default();
    let profiles: Vec<Profile> = (0..500).map(|_| any_profile().new_tree(&mut runner).unwrap().current()).collect();
    assert_read(&profiles);
}
