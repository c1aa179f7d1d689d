//! What goes along from the old system to the new card besides the backup: host name and network settings (FN-1, WR-8).
//! They lie in the overlay partition, where Home Assistant OS keeps what it leaves alone once it is there (HA §4.4).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::job::Warning;
use super::network::{Hostname, Interface, Network, Profile, Unread};
use super::secret::Secret;

/// Where NetworkManager keeps profiles, from the root of the overlay partition.
const PROFILES: &str = "/etc/NetworkManager/system-connections";

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carry {
    /// Name and network of the running system.
    pub system: bool,
    /// Told on the command line, in place of them. Never kept.
    #[serde(skip)]
    pub given: Option<Box<Given>>,
    /// Typed for this one job. Never kept.
    #[serde(skip)]
    pub wifi_password: Secret,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Given {
    pub hostname: Option<Hostname>,
    pub network: Option<Network>,
}

impl Carry {
    pub fn nothing() -> Carry {
        Carry { system: false, given: None, wifi_password: Secret::default() }
    }

    pub fn of_system(wifi_password: Secret) -> Carry {
        Carry { system: true, given: None, wifi_password }
    }

    pub fn of(given: Given) -> Carry {
        Carry { given: Some(Box::new(given)), ..Carry::nothing() }
    }

    /// What a job of an earlier version would be asked for today.
    pub fn usual() -> Carry {
        Carry::of_system(Secret::default())
    }
}

/// Something that stays behind, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// The host name is none that Linux takes, or was not told.
    Hostname,
    /// Nothing is known of the network.
    Network,
    Unread(Unread),
    /// The Wi-Fi of this interface has a password, which was not given.
    Password(String),
    /// What was given cannot be its password.
    WrongPassword(String),
}

impl Left {
    /// Names of Wi-Fi networks are not in it: warnings are written into logs.
    pub fn warning(&self) -> Warning {
        match self {
            Left::Hostname => Warning::new("hostname_left", &[]),
            Left::Network => Warning::new("network_left", &[]),
            Left::Unread(Unread { interface, field }) => {
                Warning::new("interface_left", &[("interface", interface), ("field", field)])
            }
            Left::Password(interface) => Warning::new("wifi_left", &[("interface", interface)]),
            Left::WrongPassword(interface) => Warning::new("wifi_password_left", &[("interface", interface)]),
        }
    }
}

/// What goes along, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Luggage {
    pub hostname: Option<Hostname>,
    pub profiles: Vec<Profile>,
    pub left: Vec<Left>,
}

/// A file of the overlay partition; owned by root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsFile {
    /// From the partition's root, with a slash before it. Nothing in it has a meaning for a tool.
    pub path: String,
    /// `0o644`
    pub mode: u16,
    pub content: Secret,
}

/// What went along, by names only (JB-7).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Carried {
    pub hostname: Option<String>,
    /// `eth0`
    pub interfaces: Vec<String>,
}

impl Luggage {
    /// Of the running system. A `hostname` or `network` of `None` was not told.
    pub fn of_system(hostname: Option<&str>, network: Option<&Network>, password: &Secret) -> Luggage {
        let mut luggage = Luggage { hostname: hostname.and_then(|name| name.parse().ok()), ..Luggage::default() };
        luggage.left.extend(luggage.hostname.is_none().then_some(Left::Hostname));
        match network {
            Some(network) => luggage.pack(network, password),
            None => luggage.left.push(Left::Network),
        }
        luggage
    }

    /// Of what was told on the command line, and nothing else.
    pub fn of_given(given: &Given) -> Luggage {
        let mut luggage = Luggage { hostname: given.hostname.clone(), ..Luggage::default() };
        if let Some(network) = &given.network {
            luggage.pack(network, &Secret::default());
        }
        luggage
    }

    fn pack(&mut self, network: &Network, password: &Secret) {
        self.left.extend(network.unread.iter().cloned().map(Left::Unread));
        let asked = network.wifi_with_key().map(|(of, _)| of.name.clone());
        for interface in network.interfaces.iter().filter(|interface| !interface.is_usual()) {
            let typed = if asked.as_ref() == Some(&interface.name) { password } else { &Secret::default() };
            match key_for(interface, typed) {
                Ok(key) => self.profiles.push(Profile { interface: interface.clone(), key }),
                Err(left) => self.left.push(left),
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.hostname.is_none() && self.profiles.is_empty()
    }

    pub fn warnings(&self) -> Vec<Warning> {
        self.left.iter().map(Left::warning).collect()
    }

    pub fn files(&self) -> Vec<SettingsFile> {
        let hostname = self.hostname.iter().map(|name| SettingsFile {
            path: "/etc/hostname".into(),
            mode: 0o644,
            content: Secret::new(format!("{name}\n")),
        });
        // It refuses profiles that others could read.
        let profiles = self.profiles.iter().map(|profile| SettingsFile {
            path: format!("{PROFILES}/{}", profile.file_name()),
            mode: 0o600,
            content: profile.keyfile(),
        });
        hostname.chain(profiles).collect()
    }

    pub fn carried(&self) -> Carried {
        Carried {
            hostname: self.hostname.as_ref().map(ToString::to_string),
            interfaces: self.profiles.iter().map(|profile| profile.interface.name.to_string()).collect(),
        }
    }
}

/// Empty where none is wanted. A profile without its key would try for ever, and in vain.
fn key_for(interface: &Interface, typed: &Secret) -> Result<Secret, Left> {
    let Some(wifi) = interface.wifi().filter(|wifi| wifi.auth.has_key()) else { return Ok(Secret::default()) };
    let key = if wifi.key.is_empty() { typed } else { &wifi.key };
    match key {
        key if key.is_empty() => Err(Left::Password(interface.name.to_string())),
        key if !wifi.auth.takes(key) => Err(Left::WrongPassword(interface.name.to_string())),
        key => Ok(key.clone()),
    }
}

impl fmt::Display for Carried {
    /// "the name homeassistant, the settings of eth0 and wlan0"
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.hostname.iter().map(|name| format!("the name {name}"));
        let interfaces =
            (!self.interfaces.is_empty()).then(|| format!("the settings of {}", self.interfaces.join(", ")));
        f.write_str(&name.chain(interfaces).collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::network::{Auth, InterfaceName, Kind, Ssid, Wifi};

    fn wifi(name: &str, auth: Auth, key: &str) -> Interface {
        let wifi = Wifi { ssid: Ssid::new(b"Our Home").unwrap(), auth, key: Secret::new(key) };
        Interface { kind: Kind::Wireless(wifi), ..Interface::sample(name) }
    }

    fn network(interfaces: Vec<Interface>) -> Network {
        Network { interfaces, unread: Vec::new() }
    }

    #[test]
    fn only_what_can_work_goes_along_and_the_rest_is_named() {
        let fixed = Interface::fixed_sample("eth1");
        let unread = Unread { interface: "eth9".into(), field: "ipv4.address" };
        let all = Network {
            interfaces: vec![
                Interface::sample("eth0"),
                fixed,
                wifi("wlan0", Auth::WpaPsk, ""),
                wifi("wlan1", Auth::Open, ""),
                wifi("wlan2", Auth::WpaPsk, "its own key"),
                wifi("wlan3", Auth::WpaPsk, "short"),
            ],
            unread: vec![unread.clone()],
        };
        let names = |luggage: &Luggage| luggage.carried().interfaces;
        let without = Luggage::of_system(Some("villa"), Some(&all), &Secret::default());
        assert_eq!(names(&without), ["eth1", "wlan1", "wlan2"], "the usual one needs no file");
        let left = [Left::Unread(unread.clone()), Left::Password("wlan0".into()), Left::WrongPassword("wlan3".into())];
        assert_eq!(without.left, left);
        let with = Luggage::of_system(Some("villa"), Some(&all), &Secret::new("correct horse"));
        assert_eq!(names(&with), ["eth1", "wlan0", "wlan1", "wlan2"]);
        let wrong = Luggage::of_system(Some("villa"), Some(&all), &Secret::new("short"));
        assert!(wrong.left.contains(&Left::WrongPassword("wlan0".into())), "{:?}", wrong.left);
        assert_eq!(with.carried().to_string(), "the name villa; the settings of eth1, wlan0, wlan1, wlan2");
        for left in without.left.iter().chain(&[Left::Hostname, Left::Network]) {
            let text = left.warning().text.text().to_string();
            assert!(text.ends_with('.') && !text.contains("Our Home") && !text.contains("warning-"), "{text}");
        }
    }

    #[test]
    fn what_is_not_told_stays_behind_and_what_was_not_asked_for_is_no_matter() {
        let nothing = Luggage::of_system(None, None, &Secret::default());
        assert_eq!((nothing.is_empty(), &*nothing.left), (true, &[Left::Hostname, Left::Network][..]));
        let odd = Luggage::of_system(Some("not a name"), Some(&network(vec![])), &Secret::default());
        assert_eq!((odd.hostname, &*odd.left), (None, &[Left::Hostname][..]));
        let given = Given { hostname: "villa".parse().ok(), network: None };
        let luggage = Luggage::of_given(&given);
        assert_eq!((luggage.left.len(), luggage.files().len()), (0, 1));
        assert_eq!(Luggage::of_given(&Given::default()), Luggage::default());
    }

    #[test]
    fn files_have_the_rights_that_their_readers_want() {
        let all = network(vec![Interface::fixed_sample("end0")]);
        let files = Luggage::of_system(Some("villa"), Some(&all), &Secret::default()).files();
        let [hostname, profile] = files.as_slice() else { panic!("{files:?}") };
        assert_eq!((&*hostname.path, hostname.mode, hostname.content.reveal()), ("/etc/hostname", 0o644, "villa\n"));
        assert_eq!(profile.path, "/etc/NetworkManager/system-connections/end0.nmconnection");
        assert_eq!(profile.mode, 0o600);
        assert!(InterfaceName::new("end0").is_some() && profile.content.reveal().contains("id=Supervisor end0\n"));
    }

    #[test]
    fn a_password_is_neither_shown_nor_kept() {
        let carry = Carry::of_system(Secret::new("correct horse"));
        let json = serde_json::to_string(&carry).unwrap();
        assert_eq!((json.as_str(), format!("{carry:?}").contains("horse")), (r#"{"system":true}"#, false));
        assert_eq!(serde_json::from_str::<Carry>(&json).unwrap(), Carry::usual());
        let all = network(vec![wifi("wlan0", Auth::WpaPsk, "another horse")]);
        let given = Carry::of(Given { hostname: None, network: Some(all.clone()) });
        assert_eq!(serde_json::to_string(&given).unwrap(), r#"{"system":false}"#);
        let luggage = Luggage::of_system(None, Some(&all), &Secret::new("correct horse"));
        let shown = format!("{given:?} {luggage:?} {:?}", luggage.files());
        assert!(!shown.contains("horse"), "{shown}");
    }
}
