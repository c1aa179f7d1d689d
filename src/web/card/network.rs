//! What of the old system's name and network goes along: said beforehand, asked for where it cannot be read (FN-1).

use std::net::IpAddr;

use super::check::Field;
use super::form::Filled;
use super::page::CardPage;
use crate::domain::carry::{Carry, Left, Luggage};
use crate::domain::job::Warning;
use crate::domain::network::{Hostname, Interface, Network};
use crate::domain::secret::Secret;
use crate::domain::system::{SystemFacts, SystemView};
use crate::texts::Language;

/// The Wi-Fi whose password is asked for.
pub struct WifiRow {
    pub name: String,
    /// Nothing else connects this system: somebody has to say how the new one will be.
    pub only: bool,
}

impl WifiRow {
    pub fn of(facts: &SystemFacts) -> Option<WifiRow> {
        let network = facts.network.as_ref()?;
        let (_, wifi) = network.wifi_with_key()?;
        Some(WifiRow { name: wifi.ssid.shown(), only: network.is_wireless_only() })
    }
}

/// "Your new card will keep the address 192.168.1.10 and the name homeassistant."
pub fn keeps(t: Language, facts: &SystemFacts, filled: &Filled) -> Vec<String> {
    if !filled.network {
        return vec![t.say("card-keeps-nothing")];
    }
    let name = facts.hostname.as_deref().and_then(|name| name.parse::<Hostname>().ok()).map(|name| name.to_string());
    let addresses = facts.network.as_ref().map(wired_addresses).unwrap_or_default();
    let mut lines: Vec<String> = match (addresses.as_str(), name) {
        ("", None) => Vec::new(),
        ("", Some(name)) if by_router(facts) => vec![t.with("card-keeps-name-by-router", "name", name)],
        ("", Some(name)) => vec![t.with("card-keeps-name", "name", name)],
        (addresses, None) => vec![t.with("card-keeps-address", "address", addresses)],
        (addresses, Some(name)) => vec![t.tell("card-keeps-both", &[("address", &addresses), ("name", &name)])],
    };
    lines.extend(facts.network.iter().flat_map(|network| wifis(t, network)));
    lines
}

/// Everything is known, and nothing has an address of its own.
fn by_router(facts: &SystemFacts) -> bool {
    let Some(network) = &facts.network else { return false };
    network.unread.is_empty() && network.interfaces.iter().all(|of| of.fixed_addresses().is_empty())
}

fn wired_addresses(network: &Network) -> String {
    let wired = network.interfaces.iter().filter(|of| of.wifi().is_none());
    joined(wired.flat_map(Interface::fixed_addresses))
}

fn joined(addresses: impl Iterator<Item = IpAddr>) -> String {
    addresses.map(|address| address.to_string()).collect::<Vec<_>>().join(", ")
}

fn wifis(t: Language, network: &Network) -> Vec<String> {
    let asked = network.wifi_with_key().map(|(of, _)| &of.name);
    let line = |of: &Interface| {
        let wifi = of.wifi()?;
        let (name, address) = (wifi.ssid.shown(), joined(of.fixed_addresses().into_iter()));
        let (key, with_address) = match () {
            () if asked == Some(&of.name) => ("card-keeps-wifi-asked", "card-keeps-wifi-asked-address"),
            () if !wifi.auth.has_key() => ("card-keeps-wifi-open", "card-keeps-wifi-open-address"),
            () => return None,
        };
        Some(match address.as_str() {
            "" => t.with(key, "wifi", name),
            address => t.tell(with_address, &[("wifi", &name), ("address", &address)]),
        })
    };
    network.interfaces.iter().filter_map(line).collect()
}

/// What stays behind whatever is answered.
pub fn left(facts: &SystemFacts, filled: &Filled) -> Vec<Warning> {
    if !filled.network {
        return Vec::new();
    }
    let luggage = Luggage::of_system(facts.hostname.as_deref(), facts.network.as_ref(), &Secret::default());
    let lasting = |left: &&Left| !matches!(left, Left::Password(_) | Left::WrongPassword(_));
    luggage.left.iter().filter(lasting).map(Left::warning).collect()
}

/// What goes along, or a mistake on the page.
pub fn chosen(page: &mut CardPage, system: &SystemView) -> Carry {
    if !page.filled.network {
        return Carry::nothing();
    }
    let password = page.filled.wifi.clone();
    let network = system.facts.network.as_ref();
    let Some((network, (_, wifi))) = network.and_then(|network| Some((network, network.wifi_with_key()?))) else {
        return Carry::usual();
    };
    let t = page.shell.t;
    if password.is_empty() && network.is_wireless_only() && !page.filled.cable {
        page.mistake(Field::Wifi, t.say("card-error-wifi"));
    } else if !password.is_empty() && !wifi.auth.takes(&password) {
        page.mistake(Field::Wifi, t.say("card-error-wifi-odd"));
    }
    Carry::of_system(password)
}
