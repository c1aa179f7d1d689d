//! Names that end up in files and in the names of files.

use std::fmt;
use std::str::FromStr;

/// A host name as Linux takes it: labels of letters, digits and hyphens, 64 characters at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hostname(String);

impl Hostname {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Hostname {
    type Err = String;

    fn from_str(text: &str) -> Result<Hostname, String> {
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        match text.len() <= 64 && text.split('.').all(is_label) {
            true => Ok(Hostname(text.into())),
            false => Err("a host name has letters, digits and hyphens, 64 at most; for example homeassistant".into()),
        }
    }
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a network interface: `eth0`, `end0`, `eth0.100`. The kernel allows 15 bytes of nearly anything; here only
/// what may be part of a file name and of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceName(String);

impl InterfaceName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `None`: it is none.
    pub fn new(text: &str) -> Option<InterfaceName> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let is_name = (1..=15).contains(&text.len()) && text.bytes().all(fits);
        (is_name && !text.starts_with(['.', '-'])).then(|| InterfaceName(text.into()))
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a Wi-Fi: 1 to 32 bytes, of whatever kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssid(Vec<u8>);

impl Ssid {
    /// `None`: it is none.
    pub fn new(bytes: &[u8]) -> Option<Ssid> {
        (1..=32).contains(&bytes.len()).then(|| Ssid(bytes.into()))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// For people; what is no text comes as U+FFFD.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.0).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_they_may_be() {
        let long = "a".repeat(64);
        let hosts = [
            ("homeassistant", true),
            ("Home-Assistant2", true),
            ("ha.example.org", true),
            (&"a".repeat(63), true),
            (&long, false),
            ("", false),
            ("-a", false),
            ("a-", false),
            ("a..b", false),
            ("a_b", false),
            ("a b", false),
            ("a\nb", false),
            ("küche", false),
        ];
        for (text, want) in hosts {
            assert_eq!(text.parse::<Hostname>().is_ok(), want, "{text:?}");
        }
        let interfaces = [
            ("eth0", true),
            ("enx001122334455", true),
            ("enx0011223344556", false),
            ("eth0.100", true),
            ("", false),
            ("..", false),
            ("-w", false),
            ("a b", false),
            ("a/b", false),
            ("a\"b", false),
        ];
        for (text, want) in interfaces {
            assert_eq!(InterfaceName::new(text).is_some(), want, "{text:?}");
        }
        assert!(Ssid::new(b"").is_none() && Ssid::new(&[7; 33]).is_none() && Ssid::new(&[0xff; 32]).is_some());
        assert_eq!(Ssid::new(b"a\n\xff").unwrap().shown(), "a\u{fffd}\u{fffd}");
    }
}
