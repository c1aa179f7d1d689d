//! The address under which somebody's phone finds the swap page, out of headers that anybody may have written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::domain::job::JobId;
use crate::domain::system::SystemFacts;

/// An address for another device, and the text that says what to do there.
#[derive(Debug, PartialEq, Eq)]
pub struct Phone {
    pub address: String,
    pub how: &'static str,
}

/// Home Assistant's ingress names the prefix that it serves us below.
pub fn behind_ingress(req: &HttpRequest) -> bool {
    req.headers().contains_key("x-ingress-path")
}

/// Behind ingress this page's own address needs a session that only a panel makes, so the way leads through ours: with
/// a login first, and our first page offers the swap. `None`: no address is known that another device could open.
pub fn phone(req: &HttpRequest, facts: &SystemFacts, id: JobId) -> Option<Phone> {
    let ingress = behind_ingress(req);
    let mut host = Host::of(req, ingress)?;
    if host.is_here() {
        // Somebody sits at the machine itself, or came through a tunnel.
        host.name = Name::Ip(facts.addresses.first()?.parse().ok()?);
    }
    let scheme = if ingress && header(req, "x-forwarded-proto") == Some("https") { "https" } else { "http" };
    let (path, how) = match (ingress, &facts.app) {
        (true, Some(app)) => (format!("_my_redirect/supervisor_ingress?addon={app}"), "swap-take-panel"),
        (true, None) => (String::new(), "swap-take-root"),
        (false, _) => (format!("jobs/{id}/swap"), "swap-take-own"),
    };
    Some(Phone { address: format!("{scheme}://{}/{path}", host.text()), how })
}

/// Where the new system answers, if the browser came to the old one by port 8123: on port 80 of the same host, which is
/// another origin. A fresh Core sends whoever asks 8123 there.
pub fn new_system(req: &HttpRequest) -> Option<String> {
    let host = Host::of(req, behind_ingress(req))?;
    (host.port == Some(8123)).then(|| format!("http://{}", Host { port: None, ..host }.text()))
}

/// The first value of a header: the one that is nearest to the browser.
fn header<'a>(req: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let text = req.headers().get(name)?.to_str().ok()?;
    text.split(',').next().map(str::trim)
}

/// What a browser calls a host, checked to be nothing else than that.
struct Host {
    name: Name,
    port: Option<u16>,
}

enum Name {
    Ip(IpAddr),
    Dns(String),
}

impl Host {
    fn of(req: &HttpRequest, ingress: bool) -> Option<Host> {
        let forwarded = header(req, "x-forwarded-host").filter(|_| ingress);
        Host::parse(forwarded.or_else(|| header(req, header::HOST.as_str()))?)
    }

    fn parse(text: &str) -> Option<Host> {
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (name, port) = rest.split_once(']')?;
                (Name::Ip(name.parse::<Ipv6Addr>().ok()?.into()), port)
            }
            None => {
                let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
                (Name::parse(name)?, port)
            }
        };
        let port = match port.strip_prefix(':') {
            Some(digits) if digits.chars().all(|c| c.is_ascii_digit()) => Some(digits.parse().ok().filter(|p| *p > 0)?),
            None if port.is_empty() => None,
            _ => return None,
        };
        Some(Host { name, port })
    }

    /// The name of this very machine, which means another one elsewhere.
    fn is_here(&self) -> bool {
        match &self.name {
            Name::Ip(ip) => ip.to_canonical().is_loopback() || ip.is_unspecified(),
            Name::Dns(name) => name == "localhost" || name.ends_with(".localhost"),
        }
    }

    fn text(&self) -> String {
        let name = match &self.name {
            Name::Ip(IpAddr::V6(ip)) => format!("[{ip}]"),
            Name::Ip(ip) => ip.to_string(),
            Name::Dns(name) => name.clone(),
        };
        self.port.map_or(name.clone(), |port| format!("{name}:{port}"))
    }
}

impl Name {
    fn parse(text: &str) -> Option<Name> {
        if let Ok(ip) = text.parse::<Ipv4Addr>() {
            return Some(Name::Ip(ip.into()));
        }
        let sound = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let named = text.rsplit('.').next().is_some_and(|last| last.contains(|c: char| c.is_ascii_alphabetic()));
        (text.len() <= 253 && named && text.split('.').all(sound)).then(|| Name::Dns(text.to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn asked(headers: &[(&'static str, &'static str)], facts: &SystemFacts) -> Option<Phone> {
        let request = headers.iter().fold(TestRequest::get(), |request, header| request.insert_header(*header));
        phone(&request.to_http_request(), facts, JobId(7))
    }

    fn facts() -> SystemFacts {
        let addresses = vec!["192.168.1.42".into(), "10.0.0.2".into()];
        SystemFacts { app: Some("0123abcd_sd_swap".into()), addresses, ..SystemFacts::default() }
    }

    #[test]
    fn a_phone_is_led_through_our_panel() {
        const PANEL: &str = "/_my_redirect/supervisor_ingress?addon=0123abcd_sd_swap";
        let cases = [
            ("homeassistant.local:8123", "http", Some("http://homeassistant.local:8123")),
            ("HA.example.org", "https", Some("https://ha.example.org")),
            ("192.168.1.42:8123, inner:80", "http, https", Some("http://192.168.1.42:8123")),
            ("[fd00::1]:8123", "http", Some("http://[fd00::1]:8123")),
            ("ha.example", "gopher", Some("http://ha.example")),
            ("localhost:8123", "http", Some("http://192.168.1.42:8123")),
            ("127.0.0.1", "http", Some("http://192.168.1.42")),
            ("[::ffff:127.0.0.1]", "http", Some("http://192.168.1.42")),
            ("evil.example/path", "http", None),
            ("evil.example?x", "http", None),
            ("user@evil.example", "http", None),
            ("<b>.example", "http", None),
            ("a b", "http", None),
            ("", "http", None),
            ("ha.example:", "http", None),
            ("ha.example:99999", "http", None),
            ("ha.example:0", "http", None),
            ("ha.example:+80", "http", None),
            ("ha.example:80:80", "http", None),
            ("-ha.example", "http", None),
            ("1.2.3.4.5", "http", None),
            ("ha..example", "http", None),
            ("[::1", "http", None),
        ];
        for (host, proto, want) in cases {
            let headers = [("x-ingress-path", "/api/hassio_ingress/T"), ("x-forwarded-host", host)];
            let headers = [headers.as_slice(), &[("x-forwarded-proto", proto)]].concat();
            let got = asked(&headers, &facts());
            let want = want.map(|origin| Phone { address: format!("{origin}{PANEL}"), how: "swap-take-panel" });
            assert_eq!(got, want, "{host}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_made_up() {
        let ingress = ("x-ingress-path", "/api/hassio_ingress/T");
        let host = ("host", "ha.example:8123");
        let address = |headers: &[(&'static str, &'static str)], facts: &SystemFacts| {
            asked(headers, facts).map(|phone| (phone.address, phone.how))
        };
        let nothing = SystemFacts::default();
        let root = ("http://ha.example:8123/".to_string(), "swap-take-root");
        assert_eq!(address(&[ingress, host], &nothing), Some(root));
        assert_eq!(address(&[ingress, ("host", "localhost:8123")], &nothing), None);
        // Not behind ingress: our own address; and headers of a proxy are nobody's.
        let own = ("http://ha.example:8123/jobs/7/swap".to_string(), "swap-take-own");
        assert_eq!(address(&[host, ("x-forwarded-host", "evil.example")], &facts()), Some(own));
        let here = ("http://192.168.1.42:8099/jobs/7/swap".to_string(), "swap-take-own");
        assert_eq!(address(&[("host", "localhost:8099")], &facts()), Some(here));
        assert_eq!(address(&[("host", "localhost:8099")], &nothing), None);
    }
}
