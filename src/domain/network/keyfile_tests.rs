//! What stands in a key file, read back by GLib's rules. `tests/network.rs` asks NetworkManager itself.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

/// Group and key → value, unescaped as GLib's `g_key_file_get_string` does. Panics where GLib would refuse.
fn read(text: &str) -> BTreeMap<(String, String), String> {
    let (mut found, mut group) = (BTreeMap::new(), String::new());
    for line in text.split('\n') {
        if let Some(name) = line.strip_prefix('[') {
            group = name.strip_suffix(']').expect("a group ends").to_string();
        } else if !line.trim().is_empty() && !line.starts_with('#') {
            let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("no key: {line:?}"));
            let value = unescape(value.trim_ascii_start());
            assert!(found.insert((group.clone(), key.to_string()), value).is_none(), "{key} twice");
        }
    }
    found
}

fn unescape(value: &str) -> String {
    let (mut text, mut rest) = (String::new(), value.chars());
    while let Some(c) = rest.next() {
        text.push(match c {
            '\\' => match rest.next() {
                Some('s') => ' ',
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some('\\') => '\\',
                other => panic!("GLib knows no \\{other:?}"),
            },
            other => other,
        });
    }
    text
}

fn get(file: &BTreeMap<(String, String), String>, group: &str, key: &str) -> Option<String> {
    file.get(&(group.into(), key.into())).cloned()
}

/// As NetworkManager reads it: digits, blanks and semicolons alone, ended by a semicolon, are a list of bytes.
fn ssid_of(value: &str) -> Vec<u8> {
    let is_list = value.ends_with(';') && value.bytes().all(|b| b.is_ascii_digit() || b == b';' || b == b' ');
    match is_list {
        true => value.split_terminator(';').map(|byte| byte.trim().parse().expect("a byte")).collect(),
        false => value.as_bytes().to_vec(),
    }
}

fn with_ssid(ssid: &[u8], key: &str) -> Profile {
    let wifi = Wifi { ssid: Ssid::new(ssid).unwrap(), auth: Auth::WpaPsk, key: Secret::default() };
    let interface = Interface { kind: Kind::Wireless(wifi), ..Interface::sample("wlan0") };
    Profile { interface, key: Secret::new(key) }
}

fn cable(change: impl FnOnce(&mut Interface)) -> Profile {
    let mut interface = Interface::sample("eth0");
    change(&mut interface);
    Profile { interface, key: Secret::default() }
}

#[test]
fn a_fixed_address_is_written_as_networkmanager_does() {
    let profile = Profile { interface: Interface::fixed_sample("end0"), key: Secret::default() };
    let want = "\
[connection]
id=Supervisor end0
uuid=2c0bf7b9-d4f9-8b0a-8000-000000000000
type=ethernet
interface-name=end0
llmnr=2
mdns=2

[ethernet]
cloned-mac-address=preserve

[ipv4]
address1=192.168.1.10/24
dns=192.168.1.1;
gateway=192.168.1.1
method=manual

[ipv6]
method=auto
addr-gen-mode=default
";
    let keyfile = profile.keyfile();
    let without_uuid =
        |text: &str| text.lines().filter(|line| !line.starts_with("uuid=")).collect::<Vec<_>>().join("\n");
    assert_eq!(without_uuid(keyfile.reveal()), without_uuid(want));
    let uuid = get(&read(keyfile.reveal()), "connection", "uuid").unwrap();
    let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
    assert!(lengths == [8, 4, 4, 4, 12] && &uuid[14..15] == "8" && &uuid[19..20] == "8", "{uuid}");
    assert_eq!(keyfile, profile.keyfile());
}

/// Group, key, value; `None`: it must not be there.
type Line = (&'static str, &'static str, Option<&'static str>);

#[test]
fn each_setting_has_its_line() {
    let six = |text: &str| text.parse::<Ipv6Addr>().unwrap();
    let static_six = Method::Static {
        addresses: vec![(six("fd00::10"), 64), (six("2001:db8::10"), 128)],
        gateway: Some(six("fe80::1")),
        nameservers: vec![six("fd00::1"), six("2001:db8::53")],
    };
    let bare = Method::Static {
        addresses: vec![(Ipv4Addr::new(10, 0, 0, 2), 8)],
        gateway: None,
        nameservers: vec![Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(1, 1, 1, 1)],
    };
    let parent = InterfaceName::new("eth0").unwrap();
    let wep = Wifi { ssid: Ssid::new(b"old").unwrap(), auth: Auth::Wep, key: Secret::default() };
    let open = Wifi { ssid: Ssid::new(b"free").unwrap(), auth: Auth::Open, key: Secret::default() };
    let keyed = |profile: Profile, key: &str| Profile { key: Secret::new(key), ..profile };
    let cases: Vec<(Profile, &[Line])> = vec![
        (
            cable(|of| of.ipv6 = Ip { method: static_six, route_metric: Some(50) }),
            &[
                ("ipv6", "method", Some("manual")),
                ("ipv6", "address1", Some("fd00::10/64")),
                ("ipv6", "address2", Some("2001:db8::10/128")),
                ("ipv6", "gateway", Some("fe80::1")),
                ("ipv6", "dns", Some("fd00::1;2001:db8::53;")),
                ("ipv6", "route-metric", Some("50")),
                ("ipv6", "addr-gen-mode", None),
            ],
        ),
        (
            cable(|of| of.ipv4 = Ip { method: bare, route_metric: Some(0) }),
            &[
                ("ipv4", "address1", Some("10.0.0.2/8")),
                ("ipv4", "gateway", None),
                ("ipv4", "dns", Some("10.0.0.1;1.1.1.1;")),
                ("ipv4", "route-metric", Some("0")),
            ],
        ),
        (
            cable(|of| {
                (of.ipv4.method, of.ipv6.method) = (Method::Disabled, Method::Disabled);
                (of.mdns, of.llmnr) = (Multicast::Off, Multicast::Default);
            }),
            &[
                ("ipv4", "method", Some("disabled")),
                ("ipv6", "method", Some("link-local")),
                ("ipv6", "addr-gen-mode", None),
                ("connection", "mdns", Some("0")),
                ("connection", "llmnr", None),
            ],
        ),
        (
            cable(|of| {
                (of.address_mode, of.privacy, of.mdns) =
                    (AddressMode::Eui64, Privacy::PreferPublic, Multicast::Resolve);
            }),
            &[
                ("ipv6", "addr-gen-mode", Some("eui64")),
                ("ipv6", "ip6-privacy", Some("1")),
                ("connection", "mdns", Some("1")),
            ],
        ),
        (
            cable(|of| {
                of.name = InterfaceName::new("eth0.100").unwrap();
                of.kind = Kind::Vlan { id: 100, parent };
            }),
            &[
                ("connection", "type", Some("vlan")),
                ("connection", "interface-name", None),
                ("vlan", "id", Some("100")),
                ("vlan", "parent", Some("eth0")),
                ("ethernet", "cloned-mac-address", None),
            ],
        ),
        (
            keyed(cable(|of| of.kind = Kind::Wireless(wep)), "abcde"),
            &[
                ("connection", "type", Some("wifi")),
                ("wifi-security", "key-mgmt", Some("none")),
                ("wifi-security", "wep-key0", Some("abcde")),
                ("wifi-security", "wep-key-type", Some("1")),
            ],
        ),
        (
            cable(|of| of.kind = Kind::Wireless(open)),
            &[
                ("wifi", "ssid", Some("free")),
                ("wifi", "mode", Some("infrastructure")),
                ("wifi-security", "key-mgmt", None),
            ],
        ),
        (
            with_ssid(b"Our Home", " a\\b=c;d# "),
            &[
                ("wifi", "ssid", Some("Our Home")),
                ("wifi-security", "key-mgmt", Some("wpa-psk")),
                ("wifi-security", "psk", Some(" a\\b=c;d# ")),
            ],
        ),
    ];
    for (profile, lines) in cases {
        let keyfile = profile.keyfile();
        let file = read(keyfile.reveal());
        for (group, key, want) in lines {
            assert_eq!(get(&file, group, key).as_deref(), *want, "{group}.{key} in {}", keyfile.reveal());
        }
    }
}

#[test]
fn hostile_names_of_a_wifi_stay_what_they_are() {
    let cases: [(&[u8], &str); 12] = [
        (b"Home WLAN", "Home WLAN"),
        (b"1234", "1234"),
        (b"16;17;", "49;54;59;49;55;59;"),
        (b" a", "32;97;"),
        (b"a ", "97;32;"),
        (b"a=b", "97;61;98;"),
        (b"a\nb", "97;10;98;"),
        (b"\"q\"", "34;113;34;"),
        (b"a\\s", "97;92;115;"),
        (b"[wifi]", "91;119;105;102;105;93;"),
        ("Küche".as_bytes(), "75;195;188;99;104;101;"),
        (b"\xff\x00", "255;0;"),
    ];
    for (ssid, want) in cases {
        let keyfile = with_ssid(ssid, "12345678").keyfile();
        let value = get(&read(keyfile.reveal()), "wifi", "ssid").unwrap();
        assert_eq!((value.as_str(), ssid_of(&value).as_slice()), (want, ssid), "{ssid:?}");
    }
}

proptest! {
    #[test]
    fn whatever_went_in_is_read_back(
        ssid in proptest::collection::vec(any::<u8>(), 1..=32),
        plain in "[ -~]{1,32}",
        key in "[^\\x00-\\x1f\\x7f-\\x9f]{2,15}|[ -~]{8,63}",
    ) {
        for ssid in [ssid, plain.into_bytes()] {
            let file = read(with_ssid(&ssid, &key).keyfile().reveal());
            prop_assert_eq!(ssid_of(&get(&file, "wifi", "ssid").unwrap()), ssid);
            prop_assert_eq!(get(&file, "wifi-security", "psk").unwrap(), key.clone());
        }
    }
}
