//! Amounts of bytes and sectors, and how people read them.

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

use crate::texts::Language;

/// Bytes in a sector. Only disks with 512-byte logical sectors are written (DV-2).
pub const SECTOR: u64 = 512;
/// Bytes in a MiB: the unit of alignment of every Home Assistant OS layout.
pub const MIB: u64 = 1 << 20;

/// A number of bytes. `Display` gives "12.3 GB" (decimal units, as card makers print them).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    pub const ZERO: Bytes = Bytes(0);

    pub const fn mib(n: u64) -> Bytes {
        Bytes(n * MIB)
    }

    pub const fn gib(n: u64) -> Bytes {
        Bytes(n << 30)
    }

    /// Whole sectors, rounded down.
    pub const fn sectors(self) -> u64 {
        self.0 / SECTOR
    }

    pub fn saturating_sub(self, other: Bytes) -> Bytes {
        Bytes(self.0.saturating_sub(other.0))
    }

    /// As `Display`, with the decimal mark of a language: "12,3 GB".
    pub fn said_in(self, language: Language) -> String {
        match self.0 {
            0..=999 => language.with("bytes", "n", self.0),
            _ => self.to_string().replace('.', &language.say("decimal-mark")),
        }
    }

    /// As [`Bytes::as_sold`], with the decimal mark of a language.
    pub fn sold_in(self, language: Language) -> String {
        self.as_sold().replace('.', &language.say("decimal-mark"))
    }

    /// The size as printed on the card: whole GB ("64 GB"), TB with at most one decimal ("1 TB").
    pub fn as_sold(self) -> String {
        let gb = self.0 as f64 / 1e9;
        if gb >= 999.5 {
            let tb = format!("{:.1}", gb / 1000.0);
            format!("{} TB", tb.trim_end_matches(".0"))
        } else if gb >= 9.95 {
            format!("{gb:.0} GB")
        } else {
            self.to_string().replace(".0 ", " ")
        }
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0 as f64;
        match self.0 {
            0..=999 => write!(f, "{} bytes", self.0),
            1_000..=999_949 => write!(f, "{:.1} kB", n / 1e3),
            999_950..=999_949_999 => write!(f, "{:.0} MB", n / 1e6),
            999_950_000..=999_949_999_999 => write!(f, "{:.1} GB", n / 1e9),
            _ => write!(f, "{:.1} TB", n / 1e12),
        }
    }
}

impl Add for Bytes {
    type Output = Bytes;
    fn add(self, other: Bytes) -> Bytes {
        Bytes(self.0.saturating_add(other.0))
    }
}

impl Sub for Bytes {
    type Output = Bytes;
    fn sub(self, other: Bytes) -> Bytes {
        self.saturating_sub(other)
    }
}

/// Reads a size as people type it: `8G`, `512M`, `64K` (powers of two) or plain bytes.
pub fn parse_size(text: &str) -> Result<Bytes, String> {
    let bad = || format!("{text:?} is not a size; write for example 8G, 512M or 4096");
    let trimmed = text.trim();
    let (digits, shift) = match trimmed.chars().last() {
        Some('T' | 't') => (&trimmed[..trimmed.len() - 1], 40),
        Some('G' | 'g') => (&trimmed[..trimmed.len() - 1], 30),
        Some('M' | 'm') => (&trimmed[..trimmed.len() - 1], 20),
        Some('K' | 'k') => (&trimmed[..trimmed.len() - 1], 10),
        _ => (trimmed, 0),
    };
    let number: u64 = digits.parse().map_err(|_| bad())?;
    number.checked_mul(1 << shift).filter(|n| *n > 0).map(Bytes).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_write_them() {
        let cases: [(u64, &str, &str); 10] = [
            (0, "0 bytes", "0 bytes"),
            (999, "999 bytes", "999 bytes"),
            (2_300_000_000, "2.3 GB", "2.3 GB"),
            (8_000_000_000, "8.0 GB", "8 GB"),
            (12_300_000_000, "12.3 GB", "12 GB"),
            (31_914_983_424, "31.9 GB", "32 GB"),
            (63_864_569_856, "63.9 GB", "64 GB"),
            (350_000_000, "350 MB", "350 MB"),
            (1_000_204_886_016, "1.0 TB", "1 TB"),
            (1_500_000_000_000, "1.5 TB", "1.5 TB"),
        ];
        for (bytes, plain, sold) in cases {
            assert_eq!(Bytes(bytes).to_string(), plain);
            assert_eq!(Bytes(bytes).as_sold(), sold);
        }
    }

    #[test]
    fn typed_sizes_are_powers_of_two() {
        assert_eq!(parse_size("8G"), Ok(Bytes(8 << 30)));
        assert_eq!(parse_size("512m"), Ok(Bytes(512 << 20)));
        assert_eq!(parse_size("4096"), Ok(Bytes(4096)));
        for bad in ["", "G", "-1", "8GB", "1.5G", "0", "99999999999T"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
