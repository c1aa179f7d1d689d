//! The network settings of a Home Assistant, typed: what its Supervisor tells of them and a new card can take over, because
//! no backup holds them (FN-1, HA §1.3, §1.5). Read at the edge by `supervisor::network`; nothing here trusts a text.
//!
//! ```text
//! names     host name, interface, Wi-Fi name: what each may be
//! mod       interfaces and their addresses
//! keyfile   one interface's settings as a file of NetworkManager
//! ```

mod keyfile;
#[cfg(test)]
mod keyfile_tests;
mod names;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use keyfile::Profile;
pub use names::{Hostname, InterfaceName, Ssid};

use super::secret::Secret;

/// Everything that `/network/info` says of the interfaces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Network {
    pub interfaces: Vec<Interface>,
    /// Interfaces in use whose settings are not understood. None of their settings is taken: half of them could lead
    /// nowhere.
    pub unread: Vec<Unread>,
}

/// A field that does not hold what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its name as far as it can be shown.
    pub interface: String,
    /// As in the Supervisor's answer: `ipv4.address`.
    pub field: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    pub name: InterfaceName,
    pub kind: Kind,
    pub connected: bool,
    pub primary: bool,
    pub ipv4: Ip<Ipv4Addr>,
    pub ipv6: Ip<Ipv6Addr>,
    pub address_mode: AddressMode,
    pub privacy: Privacy,
    pub mdns: Multicast,
    pub llmnr: Multicast,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Ethernet,
    Wireless(Wifi),
    /// `id` 1 to 4094.
    Vlan {
        id: u16,
        parent: InterfaceName,
    },
}

/// Of one family, IPv4 or IPv6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ip<A> {
    pub method: Method<A>,
    /// `None`: the usual one.
    pub route_metric: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method<A> {
    /// DHCP, or what the router announces. The addresses and name servers of the moment are no settings.
    Auto,
    /// Not used. The Supervisor tells "link-local", "shared" and "ignored" as this, too.
    Disabled,
    Static {
        /// At least one, each with the length of its network's prefix.
        addresses: Vec<(A, u8)>,
        gateway: Option<A>,
        nameservers: Vec<A>,
    },
}

impl<A> Ip<A> {
    pub const AUTO: Ip<A> = Ip { method: Method::Auto, route_metric: None };
}

impl<A: Copy + Into<IpAddr>> Ip<A> {
    /// The addresses that are settings.
    pub fn fixed(&self) -> Vec<IpAddr> {
        match &self.method {
            Method::Static { addresses, .. } => addresses.iter().map(|(address, _)| (*address).into()).collect(),
            Method::Auto | Method::Disabled => Vec::new(),
        }
    }
}

/// How an interface makes its own part of an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AddressMode {
    #[default]
    Default,
    Eui64,
    StablePrivacy,
    DefaultOrEui64,
}

/// Whether temporary IPv6 addresses are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Privacy {
    #[default]
    Default,
    Disabled,
    PreferPublic,
    Enabled,
}

/// Names asked for in the local network (mDNS, LLMNR). Home Assistant OS announces unless told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Multicast {
    #[default]
    Default,
    Off,
    Resolve,
    Announce,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wifi {
    pub ssid: Ssid,
    pub auth: Auth,
    /// The Supervisor never tells it; a file of the command line may.
    pub key: Secret,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    Open,
    Wep,
    WpaPsk,
}

impl Auth {
    pub const fn has_key(self) -> bool {
        !matches!(self, Auth::Open)
    }

    /// Whether a key can be one at all. WPA: 8 to 63 characters, or 64 hex digits; WEP: 5 or 13, or 10 or 26 hex digits.
    pub fn takes(self, key: &Secret) -> bool {
        let key = key.reveal();
        let (length, is_hex) = (key.len(), key.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let is_plain = !key.chars().any(char::is_control);
        match self {
            Auth::Open => false,
            Auth::WpaPsk => is_plain && (8..=63).contains(&length) || is_hex && length == 64,
            Auth::Wep => is_plain && matches!(length, 5 | 13) || is_hex && matches!(length, 10 | 26),
        }
    }
}

impl Interface {
    pub const fn wifi(&self) -> Option<&Wifi> {
        match &self.kind {
            Kind::Wireless(wifi) => Some(wifi),
            Kind::Ethernet | Kind::Vlan { .. } => None,
        }
    }

    /// Addresses that are settings, IPv4 first.
    pub fn fixed_addresses(&self) -> Vec<IpAddr> {
        let mut all = self.ipv4.fixed();
        all.extend(self.ipv6.fixed());
        all
    }

    /// What a new system does by itself with a cable that is plugged in: nothing has to be said.
    pub fn is_usual(&self) -> bool {
        let (announces, usual) = (|what| matches!(what, Multicast::Default | Multicast::Announce), self);
        let address_mode = matches!(self.address_mode, AddressMode::Default | AddressMode::StablePrivacy);
        self.kind == Kind::Ethernet
            && usual.ipv4 == Ip::AUTO
            && usual.ipv6 == Ip::AUTO
            && address_mode
            && self.privacy == Privacy::Default
            && announces(self.mdns)
            && announces(self.llmnr)
    }
}

#[cfg(test)]
impl Interface {
    /// A cable with all as usual.
    pub fn sample(name: &str) -> Interface {
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

    /// The same with 192.168.1.10.
    pub fn fixed_sample(name: &str) -> Interface {
        let router = Ipv4Addr::new(192, 168, 1, 1);
        let method = Method::Static {
            addresses: vec![(Ipv4Addr::new(192, 168, 1, 10), 24)],
            gateway: Some(router),
            nameservers: vec![router],
        };
        Interface { ipv4: Ip { method, route_metric: None }, ..Interface::sample(name) }
    }
}

impl Network {
    /// The Wi-Fi whose password has to be asked for: the one that is used most. `None`: there is none.
    pub fn wifi_with_key(&self) -> Option<(&Interface, &Wifi)> {
        let mut all: Vec<_> = self.interfaces.iter().filter_map(|of| Some((of, of.wifi()?))).collect();
        all.retain(|(_, wifi)| wifi.auth.has_key() && wifi.key.is_empty());
        all.sort_by_key(|(of, _)| (!of.primary, !of.connected));
        all.first().copied()
    }

    /// No cable is connected.
    pub fn is_wireless_only(&self) -> bool {
        !self.interfaces.iter().any(|of| of.connected && of.wifi().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_cannot_be_one_is_known() {
        let (w, e) = (Auth::WpaPsk, Auth::Wep);
        let long = |count| "a".repeat(count);
        let cases = [
            (w, "1234567".to_string(), false),
            (w, "12345678".to_string(), true),
            (w, " blanks ".to_string(), true),
            (w, "ünicöde".to_string(), true),
            (w, "new\nline".to_string(), false),
            (w, long(63), true),
            (w, long(64), true),
            (w, "x".repeat(64), false),
            (w, long(65), false),
            (e, "12345".to_string(), true),
            (e, "123456".to_string(), false),
            (e, "0123456789".to_string(), true),
            (e, "012345678x".to_string(), false),
            (e, long(26), true),
            (Auth::Open, "12345678".to_string(), false),
        ];
        for (auth, key, want) in cases {
            assert_eq!(auth.takes(&Secret::new(key.clone())), want, "{auth:?} {key:?}");
        }
    }

    #[test]
    fn the_password_of_the_wifi_in_use_is_asked_for() {
        let wifi = |name: &str, auth, primary| Interface {
            primary,
            kind: Kind::Wireless(Wifi { ssid: Ssid::new(name.as_bytes()).unwrap(), auth, key: Secret::default() }),
            ..Interface::sample(name)
        };
        let mut network = Network {
            interfaces: vec![
                wifi("wlan0", Auth::Open, true),
                wifi("wlan1", Auth::WpaPsk, false),
                wifi("wlan2", Auth::WpaPsk, true),
            ],
            unread: Vec::new(),
        };
        assert_eq!(network.wifi_with_key().map(|(of, _)| of.name.as_str()), Some("wlan2"));
        assert!(network.is_wireless_only());
        network.interfaces.push(Interface::sample("eth0"));
        assert!(!network.is_wireless_only());
        assert_eq!(Network::default().wifi_with_key(), None);
    }
}
