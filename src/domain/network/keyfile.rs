//! A profile of NetworkManager as a file: what Home Assistant's Supervisor sets through D-Bus, written down (its
//! `dbus/network/setting/generate.py`, NetworkManager's `nm-settings-keyfile`). The grammar is that of GLib's key files.
//!
//! Other than the Supervisor, which matches by the device's path, these match by the interface's name: nobody tells the
//! path, and on the same board the names stay. It knows both.

use std::fmt::{Display, Write};
use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

use super::{AddressMode, Auth, Interface, Ip, Kind, Method, Multicast, Privacy, Ssid, Wifi};
use crate::domain::secret::Secret;

/// One interface's settings that go along, with the key of its Wi-Fi.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub interface: Interface,
    /// Empty where none is wanted.
    pub key: Secret,
}

impl Profile {
    /// `eth0.nmconnection`
    pub fn file_name(&self) -> String {
        format!("{}.nmconnection", self.interface.name)
    }

    /// The file. It may hold a key.
    pub fn keyfile(&self) -> Secret {
        let of = &self.interface;
        let mut file = Keyfile::default();
        self.connection(&mut file);
        match &of.kind {
            Kind::Ethernet => {
                file.group("ethernet");
                file.put("cloned-mac-address", "preserve");
            }
            Kind::Vlan { id, parent } => {
                file.group("vlan");
                file.put("id", id);
                file.put_text("parent", parent.as_str());
            }
            Kind::Wireless(wifi) => put_wifi(&mut file, wifi, &self.key),
        }
        file.group("ipv4");
        put_ip(&mut file, &of.ipv4, "disabled");
        file.group("ipv6");
        // As the Supervisor does: a link-local address stays, which mDNS needs.
        put_ip(&mut file, &of.ipv6, "link-local");
        put_address_mode(&mut file, of);
        Secret::new(file.0)
    }

    fn connection(&self, file: &mut Keyfile) {
        let of = &self.interface;
        file.group("connection");
        // The Supervisor takes what begins with its name for its own.
        file.put_text("id", &format!("Supervisor {}", of.name));
        file.put("uuid", self.uuid());
        file.put("type", of.kind.word());
        // A VLAN's is made of its parent's and its number, by NetworkManager itself.
        if !matches!(of.kind, Kind::Vlan { .. }) {
            file.put_text("interface-name", of.name.as_str());
        }
        for (name, mode) in [("llmnr", of.llmnr), ("mdns", of.mdns)] {
            if let Some(number) = mode.number() {
                file.put(name, number);
            }
        }
    }

    /// The same for the same interface each time; other systems' connections never meet it.
    fn uuid(&self) -> String {
        let hash = Sha256::digest(format!("sd-swap {}", self.interface.name));
        let mut hex = hex::encode(hash);
        hex.truncate(32);
        // Version 8 (made by its own rule), the usual variant.
        hex.replace_range(12..13, "8");
        hex.replace_range(16..17, "8");
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default());
        parts.join("-")
    }
}

impl Kind {
    const fn word(&self) -> &'static str {
        match self {
            Kind::Ethernet => "ethernet",
            Kind::Wireless(_) => "wifi",
            Kind::Vlan { .. } => "vlan",
        }
    }
}

impl Multicast {
    /// `None`: nothing is said.
    const fn number(self) -> Option<u8> {
        match self {
            Multicast::Default => None,
            Multicast::Off => Some(0),
            Multicast::Resolve => Some(1),
            Multicast::Announce => Some(2),
        }
    }
}

fn put_wifi(file: &mut Keyfile, wifi: &Wifi, key: &Secret) {
    file.group("wifi");
    file.put("cloned-mac-address", "preserve");
    file.put("mode", "infrastructure");
    file.put_ssid(&wifi.ssid);
    if !wifi.auth.has_key() {
        return;
    }
    file.group("wifi-security");
    match wifi.auth {
        Auth::Open => {}
        Auth::WpaPsk => {
            file.put("auth-alg", "open");
            file.put("key-mgmt", "wpa-psk");
            file.put_text("psk", key.reveal());
        }
        Auth::Wep => {
            file.put("auth-alg", "open");
            file.put("key-mgmt", "none");
            file.put_text("wep-key0", key.reveal());
            // A key as it is, not words that one is made of.
            file.put("wep-key-type", 1);
        }
    }
}

fn put_ip<A: Copy + Display + Into<IpAddr>>(file: &mut Keyfile, ip: &Ip<A>, disabled: &str) {
    match &ip.method {
        Method::Auto => file.put("method", "auto"),
        Method::Disabled => file.put("method", disabled),
        Method::Static { addresses, gateway, nameservers } => {
            for (number, (address, prefix)) in (1..).zip(addresses) {
                file.put(&format!("address{number}"), format_args!("{address}/{prefix}"));
            }
            if !nameservers.is_empty() {
                file.put("dns", nameservers.iter().map(|server| format!("{server};")).collect::<String>());
            }
            if let Some(gateway) = gateway {
                file.put("gateway", gateway);
            }
            file.put("method", "manual");
        }
    }
    if let Some(metric) = ip.route_metric {
        file.put("route-metric", metric);
    }
}

/// What is left out in a key file does not mean "default", but what it meant years ago: so it is said.
fn put_address_mode(file: &mut Keyfile, of: &Interface) {
    if of.ipv6.method != Method::Auto {
        return;
    }
    file.put(
        "addr-gen-mode",
        match of.address_mode {
            AddressMode::Default => "default",
            AddressMode::Eui64 => "eui64",
            AddressMode::StablePrivacy => "stable-privacy",
            AddressMode::DefaultOrEui64 => "default-or-eui64",
        },
    );
    match of.privacy {
        Privacy::Default => {}
        Privacy::Disabled => file.put("ip6-privacy", 0),
        Privacy::PreferPublic => file.put("ip6-privacy", 1),
        Privacy::Enabled => file.put("ip6-privacy", 2),
    }
}

/// A key file in the making.
#[derive(Default)]
struct Keyfile(String);

impl Keyfile {
    fn group(&mut self, name: &str) {
        let between = if self.0.is_empty() { "" } else { "\n" };
        // Writing into a text does not fail.
        let _ = writeln!(self.0, "{between}[{name}]");
    }

    /// A value of ours, which has nothing in it that would have to be escaped.
    fn put(&mut self, key: &str, value: impl Display) {
        let _ = writeln!(self.0, "{key}={value}");
    }

    /// Anything. Blanks at both ends are escaped: readers cut them off.
    fn put_text(&mut self, key: &str, value: &str) {
        let from = value.len() - value.trim_start_matches([' ', '\t']).len();
        let to = value.trim_end_matches([' ', '\t']).len();
        let escaped = value.char_indices().fold(String::new(), |mut text, (at, c)| {
            let at_an_end = at < from || at >= to;
            match c {
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                ' ' if at_an_end => text.push_str("\\s"),
                '\t' if at_an_end => text.push_str("\\t"),
                other => text.push(other),
            }
            text
        });
        self.put(key, escaped);
    }

    /// As text where that leaves no doubt, else as a list of its bytes: a text of digits and semicolons would be taken for
    /// such a list, and a key file holds no bytes that are no UTF-8.
    fn put_ssid(&mut self, ssid: &Ssid) {
        let bytes = ssid.bytes();
        let is_plain = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b" -_.".contains(byte));
        let is_blank_at_an_end = bytes.first() == Some(&b' ') || bytes.last() == Some(&b' ');
        match std::str::from_utf8(bytes) {
            Ok(text) if is_plain && !is_blank_at_an_end => self.put("ssid", text),
            _ => self.put("ssid", bytes.iter().map(|byte| format!("{byte};")).collect::<String>()),
        }
    }
}
