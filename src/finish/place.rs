//! Where the new system is, as the user named it.

use std::net::IpAddr;
use std::str::FromStr;

use url::{Host, Url};

/// A fresh Core listens on the first, and redirects the second there; a restored home listens on either.
const PORTS: [u16; 2] = [80, 8123];

/// A host by name or address, and the ports to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Without brackets.
    pub host: String,
    pub ports: Vec<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no host; write for example homeassistant.local or 192.168.1.10")]
pub struct PlaceError(String);

impl FromStr for Place {
    type Err = PlaceError;

    /// A name, an address, or an address as a browser shows it (`http://homeassistant.local:8123/lovelace`).
    fn from_str(text: &str) -> Result<Place, PlaceError> {
        let wrong = || PlaceError(text.into());
        let bare = text.trim();
        let bare = match bare.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("http://[{address}]"),
            _ if bare.contains("://") => bare.to_string(),
            _ => format!("http://{bare}"),
        };
        let url = Url::parse(&bare).map_err(|_| wrong())?;
        let host = match url.host() {
            Some(Host::Domain(name)) if !name.is_empty() => name.to_string(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            _ => return Err(wrong()),
        };
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() {
            return Err(wrong());
        }
        let mut ports = PORTS.to_vec();
        if let Some(port) = url.port().filter(|port| !ports.contains(port)) {
            ports.push(port);
        }
        Ok(Place { host, ports })
    }
}

impl Place {
    /// As it stands in a URL.
    pub fn in_url(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }

    /// The port of this host to which a redirect leads. `None`: it leads elsewhere.
    pub fn port_of(&self, location: &str) -> Option<u16> {
        let url = Url::parse(location).ok()?;
        let same = url.host_str()?.trim_matches(['[', ']']).eq_ignore_ascii_case(&self.host);
        (url.scheme() == "http" && same).then(|| url.port_or_known_default()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_an_address_or_what_a_browser_shows() {
        let cases: [(&str, &str, &[u16]); 8] = [
            ("homeassistant.local", "homeassistant.local", &[80, 8123]),
            (" 192.168.1.10 ", "192.168.1.10", &[80, 8123]),
            ("192.168.1.10:8124", "192.168.1.10", &[80, 8123, 8124]),
            ("http://homeassistant.local:8123/lovelace/0?x=1", "homeassistant.local", &[80, 8123]),
            ("https://home.example/", "home.example", &[80, 8123]),
            ("fe80::1", "fe80::1", &[80, 8123]),
            ("[2001:db8::7]:80", "2001:db8::7", &[80, 8123]),
            ("HomeAssistant", "homeassistant", &[80, 8123]),
        ];
        for (text, host, ports) in cases {
            assert_eq!(text.parse(), Ok(Place { host: host.into(), ports: ports.into() }), "{text}");
        }
        for bad in ["", "  ", "http://", "ftp://host", "a b", "host:99999", "http://me@host", "file:///etc/passwd"] {
            assert!(bad.parse::<Place>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_redirect_is_followed_on_the_same_host_only() {
        let place: Place = "homeassistant.local".parse().unwrap();
        assert_eq!(place.port_of("http://homeassistant.local/api/onboarding"), Some(80));
        assert_eq!(place.port_of("http://HomeAssistant.local:81/api"), Some(81));
        for other in ["http://elsewhere/api", "https://homeassistant.local/", "/api/onboarding", "", "javascript:1"] {
            assert_eq!(place.port_of(other), None, "{other}");
        }
    }
}
