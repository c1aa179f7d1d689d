//! `/network/info` → [`Network`]. Fields that are not known are left out; a field that holds nonsense costs its interface,
//! which is named: half of its settings could lead nowhere.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde_json::Value;

use crate::domain::network::{
    AddressMode, Auth, Interface, InterfaceName, Ip, Kind, Method, Multicast, Network, Privacy, Ssid, Unread, Wifi,
};
use crate::domain::secret::Secret;

/// Interfaces of one answer that are looked at; a board has two or three.
const MOST: usize = 32;

/// Why a file is no answer of `/network/info`.
#[derive(Debug, thiserror::Error)]
pub enum NetworkFileError {
    #[error("it is not JSON")]
    NotJson(#[from] serde_json::Error),
    #[error("it has no list of interfaces, as the answer of /network/info has")]
    NoInterfaces,
}

/// Reads the text of an answer of `/network/info`, with or without what the Supervisor wraps it in. A Wi-Fi may have a
/// `psk` here.
pub fn parse_network(json: &[u8]) -> Result<Network, NetworkFileError> {
    let answer: Value = serde_json::from_slice(json)?;
    let list = answer.pointer("/data/interfaces").or_else(|| answer.get("interfaces")).and_then(Value::as_array);
    list.map(|list| network(list)).ok_or(NetworkFileError::NoInterfaces)
}

/// The list `interfaces`.
pub(super) fn network(interfaces: &[Value]) -> Network {
    let names: Vec<&str> = interfaces.iter().filter_map(|of| of.get("interface")?.as_str()).collect();
    let mut network = Network::default();
    for of in interfaces.iter().take(MOST).filter(|of| of.get("enabled").and_then(Value::as_bool) != Some(false)) {
        match interface(of, &names) {
            Ok(interface) => network.interfaces.push(interface),
            Err(field) => network.unread.push(Unread { interface: shown(of.get("interface")), field }),
        }
    }
    network
}

/// A name as it may stand in a sentence.
fn shown(name: Option<&Value>) -> String {
    let text = name.and_then(Value::as_str).unwrap_or("?");
    text.chars().filter(|c| c.is_ascii_graphic()).take(15).collect()
}

/// Err: the field that holds nonsense.
fn interface(of: &Value, names: &[&str]) -> Result<Interface, &'static str> {
    let name = text(of, "interface").and_then(InterfaceName::new).ok_or("interface")?;
    let kind = match text(of, "type") {
        Some("ethernet") => Kind::Ethernet,
        Some("wireless") => Kind::Wireless(wifi(of.get("wifi").unwrap_or(&Value::Null))?),
        Some("vlan") => vlan(of.get("vlan").unwrap_or(&Value::Null), &name, names)?,
        _ => return Err("type"),
    };
    let (v4, v6) = (of.get("ipv4").unwrap_or(&Value::Null), of.get("ipv6").unwrap_or(&Value::Null));
    let flag = |key| of.get(key).and_then(Value::as_bool).unwrap_or(false);
    Ok(Interface {
        name,
        kind,
        connected: flag("connected"),
        primary: flag("primary"),
        ipv4: ip::<Ipv4Addr>(v4, &FIELDS_4)?,
        ipv6: ip::<Ipv6Addr>(v6, &FIELDS_6)?,
        address_mode: address_mode(v6)?,
        privacy: privacy(v6)?,
        mdns: multicast(of, "mdns")?,
        llmnr: multicast(of, "llmnr")?,
    })
}

fn text<'a>(of: &'a Value, key: &str) -> Option<&'a str> {
    of.get(key)?.as_str()
}

/// A word of a list, or nothing said.
fn word<T: Default + Copy>(of: &Value, key: &str, field: &'static str, known: &[(&str, T)]) -> Result<T, &'static str> {
    match of.get(key) {
        None | Some(Value::Null) => Ok(T::default()),
        Some(Value::String(said)) => known.iter().find(|(word, _)| word == said).map(|(_, value)| *value).ok_or(field),
        Some(_) => Err(field),
    }
}

fn multicast(of: &Value, field: &'static str) -> Result<Multicast, &'static str> {
    use Multicast::{Announce, Default, Off, Resolve};
    word(of, field, field, &[("default", Default), ("off", Off), ("resolve", Resolve), ("announce", Announce)])
}

fn address_mode(v6: &Value) -> Result<AddressMode, &'static str> {
    let known = [
        ("default", AddressMode::Default),
        ("eui64", AddressMode::Eui64),
        ("stable-privacy", AddressMode::StablePrivacy),
        ("default-or-eui64", AddressMode::DefaultOrEui64),
    ];
    word(v6, "addr_gen_mode", "ipv6.addr_gen_mode", &known)
}

fn privacy(v6: &Value) -> Result<Privacy, &'static str> {
    let known = [
        ("default", Privacy::Default),
        ("disabled", Privacy::Disabled),
        ("enabled-prefer-public", Privacy::PreferPublic),
        ("enabled", Privacy::Enabled),
    ];
    word(v6, "ip6_privacy", "ipv6.ip6_privacy", &known)
}

fn wifi(of: &Value) -> Result<Wifi, &'static str> {
    // The Supervisor tells none where it does not know the kind of password.
    if of.is_null() {
        return Err("wifi");
    }
    match text(of, "mode") {
        Some("infrastructure") | None => {}
        Some(_) => return Err("wifi.mode"),
    }
    let auth = match text(of, "auth") {
        Some("open") => Auth::Open,
        Some("wep") => Auth::Wep,
        Some("wpa-psk") => Auth::WpaPsk,
        _ => return Err("wifi.auth"),
    };
    // A name with U+FFFD in it was no text, and cannot be known from what is left of it.
    let ssid = text(of, "ssid").filter(|ssid| !ssid.contains('\u{fffd}'));
    let ssid = ssid.and_then(|ssid| Ssid::new(ssid.as_bytes())).ok_or("wifi.ssid")?;
    let key = match of.get("psk") {
        None | Some(Value::Null) => Secret::default(),
        Some(Value::String(key)) => Secret::new(key.as_str()),
        Some(_) => return Err("wifi.psk"),
    };
    Ok(Wifi { ssid, auth, key })
}

fn vlan(of: &Value, name: &InterfaceName, names: &[&str]) -> Result<Kind, &'static str> {
    let id = of.get("id").and_then(Value::as_u64).and_then(|id| u16::try_from(id).ok());
    let id = id.filter(|id| (1..=4094).contains(id)).ok_or("vlan.id")?;
    let parent = parent(text(of, "parent").unwrap_or_default(), id, name, names).ok_or("vlan.parent")?;
    Ok(Kind::Vlan { id, parent })
}

/// Mostly the Supervisor tells the UUID of the parent's connection, which nothing else in the answer names. But the VLAN's
/// own name begins with its parent's, cut off if the kernel's 15 bytes are too few for both.
fn parent(told: &str, id: u16, name: &InterfaceName, names: &[&str]) -> Option<InterfaceName> {
    if names.contains(&told) && told != name.as_str() {
        return InterfaceName::new(told);
    }
    let start = name.as_str().strip_suffix(&format!(".{id}"))?;
    let is_cut = name.as_str().len() == 15;
    let others = names.iter().filter(|other| **other != name.as_str());
    let mut fitting = others.filter(|parent| **parent == start || is_cut && parent.starts_with(start));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => InterfaceName::new(only),
        _ => None,
    }
}

/// Names of one family's fields: method, address, gateway, nameservers, route_metric.
type Fields = [&'static str; 5];
const FIELDS_4: Fields = ["ipv4.method", "ipv4.address", "ipv4.gateway", "ipv4.nameservers", "ipv4.route_metric"];
const FIELDS_6: Fields = ["ipv6.method", "ipv6.address", "ipv6.gateway", "ipv6.nameservers", "ipv6.route_metric"];

trait Address: FromStr + Display + Copy + Into<IpAddr> {
    const BITS: u8;
    /// Made anew at each start, so no setting.
    fn is_own_making(self) -> bool;
}

impl Address for Ipv4Addr {
    const BITS: u8 = 32;
    fn is_own_making(self) -> bool {
        false
    }
}

impl Address for Ipv6Addr {
    const BITS: u8 = 128;
    fn is_own_making(self) -> bool {
        self.is_unicast_link_local()
    }
}

/// Nothing said: by itself, as the Supervisor and NetworkManager take it.
fn ip<A: Address>(of: &Value, fields: &Fields) -> Result<Ip<A>, &'static str> {
    let [method, _, _, _, metric] = *fields;
    let method = match text(of, "method") {
        Some("auto") => Method::Auto,
        Some("disabled") => Method::Disabled,
        Some("static") => fixed(of, fields)?,
        None if of.get("method").is_none_or(Value::is_null) => Method::Auto,
        _ => return Err(method),
    };
    let route_metric = match of.get("route_metric") {
        None | Some(Value::Null) => None,
        // -1: the usual one.
        Some(said) if said.as_i64() == Some(-1) => None,
        Some(said) => Some(said.as_u64().and_then(|n| u32::try_from(n).ok()).ok_or(metric)?),
    };
    Ok(Ip { method, route_metric })
}

fn fixed<A: Address>(of: &Value, fields: &Fields) -> Result<Method<A>, &'static str> {
    let [_, address, gateway, nameservers, _] = *fields;
    let mut addresses = list(of, "address").ok_or(address)?;
    let mut fixed = Vec::new();
    for said in addresses.drain(..) {
        let (ip, prefix) = said.split_once('/').ok_or(address)?;
        let (ip, prefix): (A, u8) = (ip.parse().map_err(|_| address)?, prefix.parse().map_err(|_| address)?);
        if !(1..=A::BITS).contains(&prefix) || !is_of_one_machine(ip.into()) {
            return Err(address);
        }
        fixed.extend((!ip.is_own_making()).then_some((ip, prefix)));
    }
    // An interface without a connection: its address is not told.
    if fixed.is_empty() {
        return Err(address);
    }
    let gateway = match of.get("gateway") {
        None | Some(Value::Null) => None,
        Some(said) => Some(machine(said.as_str().unwrap_or_default()).ok_or(gateway)?),
    };
    let servers: Option<Vec<A>> =
        list(of, "nameservers").and_then(|list| list.into_iter().map(|server| server.parse().ok()).collect());
    Ok(Method::Static { addresses: fixed, gateway, nameservers: servers.ok_or(nameservers)? })
}

fn machine<A: Address>(said: &str) -> Option<A> {
    said.parse::<A>().ok().filter(|address| is_of_one_machine((*address).into()))
}

fn is_of_one_machine(address: IpAddr) -> bool {
    let is_broadcast = address == IpAddr::V4(Ipv4Addr::BROADCAST);
    !address.is_unspecified() && !address.is_multicast() && !address.is_loopback() && !is_broadcast
}

/// Texts of a list; one that is missing is empty. `None`: it is something else.
fn list<'a>(of: &'a Value, key: &str) -> Option<Vec<&'a str>> {
    match of.get(key) {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(Value::as_str).collect(),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cable() -> Value {
        json!({
            "interface": "eth0", "type": "ethernet", "enabled": true, "connected": true, "primary": true, "wifi": null,
            "ipv4": {"method": "static", "address": ["192.168.1.10/24"], "nameservers": ["192.168.1.1", "1.1.1.1"],
                     "gateway": "192.168.1.1", "route_metric": 100, "ready": true},
            "ipv6": {"method": "static", "address": ["fd00::10/64", "fe80::1/64"], "nameservers": [], "gateway": null,
                     "route_metric": null, "addr_gen_mode": "eui64", "ip6_privacy": "enabled"},
            "vlan": null, "mdns": "off", "llmnr": null, "new_in_2027": [1],
        })
    }

    fn one(of: Value) -> Result<Interface, &'static str> {
        let found = network(&[of]);
        match (found.interfaces.into_iter().next(), found.unread.first()) {
            (Some(interface), None) => Ok(interface),
            (None, Some(unread)) => Err(unread.field),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn settings_are_read_and_what_is_new_is_left_out() {
        let of = one(cable()).unwrap();
        let router = Ipv4Addr::new(192, 168, 1, 1);
        let method = Method::Static {
            addresses: vec![(Ipv4Addr::new(192, 168, 1, 10), 24)],
            gateway: Some(router),
            nameservers: vec![router, Ipv4Addr::new(1, 1, 1, 1)],
        };
        assert_eq!(of.ipv4, Ip { method, route_metric: Some(100) });
        assert_eq!(of.ipv6.fixed(), ["fd00::10".parse::<IpAddr>().unwrap()]);
        assert_eq!((of.address_mode, of.privacy), (AddressMode::Eui64, Privacy::Enabled));
        assert_eq!((of.mdns, of.llmnr), (Multicast::Off, Multicast::Default));
        let bare = one(json!({"interface": "eth0", "type": "ethernet"})).unwrap();
        assert!(bare.is_usual() && !bare.connected);
    }

    #[test]
    fn nonsense_in_a_field_costs_its_interface_and_is_named() {
        let set = |path: &str, value: Value| {
            let mut of = cable();
            *of.pointer_mut(path).unwrap() = value;
            of
        };
        let cases = [
            ("/interface", json!("a/b"), "interface"),
            ("/interface", json!(7), "interface"),
            ("/type", json!("bridge"), "type"),
            ("/ipv4/method", json!("shared"), "ipv4.method"),
            ("/ipv4/method", json!(1), "ipv4.method"),
            ("/ipv4/address", json!([]), "ipv4.address"),
            ("/ipv4/address", json!(["192.168.1.10"]), "ipv4.address"),
            ("/ipv4/address", json!(["192.168.1.10/33"]), "ipv4.address"),
            ("/ipv4/address", json!(["192.168.1.10/0"]), "ipv4.address"),
            ("/ipv4/address", json!(["127.0.0.1/8"]), "ipv4.address"),
            ("/ipv4/address", json!(["fd00::1/64"]), "ipv4.address"),
            ("/ipv4/address", json!([7]), "ipv4.address"),
            ("/ipv4/address", json!("192.168.1.10/24"), "ipv4.address"),
            ("/ipv4/gateway", json!("192.168.1"), "ipv4.gateway"),
            ("/ipv4/gateway", json!("0.0.0.0"), "ipv4.gateway"),
            ("/ipv4/gateway", json!({}), "ipv4.gateway"),
            ("/ipv4/nameservers", json!(["dns"]), "ipv4.nameservers"),
            ("/ipv4/route_metric", json!(-2), "ipv4.route_metric"),
            ("/ipv4/route_metric", json!("low"), "ipv4.route_metric"),
            ("/ipv6/address", json!(["fe80::1/64"]), "ipv6.address"),
            ("/ipv6/address", json!(["fd00::1/129"]), "ipv6.address"),
            ("/ipv6/addr_gen_mode", json!("random"), "ipv6.addr_gen_mode"),
            ("/ipv6/ip6_privacy", json!(2), "ipv6.ip6_privacy"),
            ("/mdns", json!("loud"), "mdns"),
        ];
        for (path, value, want) in cases {
            assert_eq!(one(set(path, value.clone())), Err(want), "{path}: {value}");
        }
        assert_eq!(one(set("/ipv4/route_metric", json!(-1))).unwrap().ipv4.route_metric, None);
        // The others go along all the same.
        let both = network(&[set("/mdns", json!(1)), json!({"interface": "eth1", "type": "ethernet"})]);
        assert_eq!((both.interfaces.len(), both.unread[0].interface.as_str()), (1, "eth0"));
        let off = network(&[json!({"interface": "x y", "enabled": false, "type": "?"})]);
        assert_eq!(off, Network::default());
        let hidden = network(&[json!({"interface": "a\n\u{202e}bcdefghijklmnopqrst", "type": "?"}), json!(7)]);
        assert_eq!(hidden.unread.iter().map(|u| u.interface.as_str()).collect::<Vec<_>>(), ["abcdefghijklmno", "?"]);
    }

    #[test]
    fn a_wifi_needs_a_name_and_a_known_kind_of_password() {
        let with = |wifi: Value| one(json!({"interface": "wlan0", "type": "wireless", "wifi": wifi}));
        let good = with(json!({"mode": "infrastructure", "auth": "wpa-psk", "ssid": " Our \"Home\"; ", "signal": 9}));
        let of = good.unwrap();
        let wifi = of.wifi().unwrap();
        assert_eq!((wifi.ssid.bytes(), wifi.auth, wifi.key.is_empty()), (&b" Our \"Home\"; "[..], Auth::WpaPsk, true));
        let told = with(json!({"auth": "wep", "ssid": "x", "psk": "abcde"})).unwrap();
        assert_eq!(told.wifi().unwrap().key.reveal(), "abcde");
        let cases = [
            (json!(null), "wifi"),
            (json!({"auth": "open"}), "wifi.ssid"),
            (json!({"auth": "open", "ssid": ""}), "wifi.ssid"),
            (json!({"auth": "open", "ssid": "a\u{fffd}"}), "wifi.ssid"),
            (json!({"auth": "open", "ssid": "x".repeat(33)}), "wifi.ssid"),
            (json!({"auth": "wpa-eap", "ssid": "x"}), "wifi.auth"),
            (json!({"ssid": "x"}), "wifi.auth"),
            (json!({"auth": "open", "ssid": "x", "mode": "ap"}), "wifi.mode"),
            (json!({"auth": "wpa-psk", "ssid": "x", "psk": 7}), "wifi.psk"),
        ];
        for (wifi, want) in cases {
            assert_eq!(with(wifi.clone()), Err(want), "{wifi}");
        }
    }

    #[test]
    fn the_parent_of_a_vlan_is_found_by_name_where_only_its_connection_is_told() {
        let uuid = "0b5d8a6e-9c4e-4f00-8a11-223344556677";
        let cases = [
            (&["eth0"][..], "eth0.100", json!({"id": 100, "parent": uuid}), Ok("eth0")),
            (&["eth0", "eth1"], "lan", json!({"id": 100, "parent": "eth1"}), Ok("eth1")),
            (&["enx001122334455"], "enx00112233.100", json!({"id": 100, "parent": uuid}), Ok("enx001122334455")),
            (&["enx001122334455", "enx001122334466"], "enx00112233.100", json!({"id": 100}), Err("vlan.parent")),
            (&["eth0"], "lan", json!({"id": 100, "parent": uuid}), Err("vlan.parent")),
            (&["eth0"], "eth0.100", json!({"id": 101, "parent": uuid}), Err("vlan.parent")),
            (&["eth0"], "eth0.0", json!({"id": 0, "parent": "eth0"}), Err("vlan.id")),
            (&["eth0"], "eth0.4095", json!({"id": 4095, "parent": "eth0"}), Err("vlan.id")),
            (&["eth0"], "eth0.1", json!(null), Err("vlan.id")),
        ];
        for (others, name, vlan, want) in cases {
            let mut all: Vec<Value> =
                others.iter().map(|name| json!({"interface": name, "type": "ethernet"})).collect();
            all.push(json!({"interface": name, "type": "vlan", "vlan": vlan}));
            let found = network(&all);
            let got = match (found.interfaces.last().map(|of| &of.kind), found.unread.first()) {
                (_, Some(unread)) => Err(unread.field),
                (Some(Kind::Vlan { parent, .. }), None) => Ok(parent.as_str()),
                other => panic!("{other:?}"),
            };
            assert_eq!(got, want, "{name} {vlan}");
        }
    }

    #[test]
    fn a_file_is_an_answer_with_or_without_its_wrapping() {
        let list = json!({"interfaces": [cable()], "docker": {}});
        let wrapped = json!({"result": "ok", "data": list});
        for answer in [list, wrapped] {
            assert_eq!(parse_network(answer.to_string().as_bytes()).unwrap().interfaces.len(), 1);
        }
        for (text, says) in [("", "not JSON"), ("[]", "no list"), ("{\"interfaces\": {}}", "no list")] {
            assert!(parse_network(text.as_bytes()).unwrap_err().to_string().contains(says), "{text}");
        }
    }
}
