//! GUIDs as a GPT stores them: the first three groups little-endian, the rest in reading order.

use std::fmt;
use std::str::FromStr;

/// The 16 bytes as on disk. `Display` gives `a52a4597-fa3a-4851-aefd-2fbe9f849079`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Guid(pub [u8; 16]);

/// Which byte on disk stands at each place of the text.
const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

impl Guid {
    pub const ZERO: Guid = Guid([0; 16]);

    /// From the number that the text spells: `Guid::from_u128(0xa52a4597_fa3a_4851_aefd_2fbe9f849079)`.
    pub const fn from_u128(text: u128) -> Guid {
        let spelt = text.to_be_bytes();
        let mut bytes = [0; 16];
        let mut place = 0;
        while place < 16 {
            bytes[ORDER[place]] = spelt[place];
            place += 1;
        }
        Guid(bytes)
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, from) in ORDER.iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{:02x}", self.0[*from])?;
        }
        Ok(())
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Guid {
    type Err = String;

    /// Takes 32 hex digits in either case, in groups of 8-4-4-4-12.
    fn from_str(text: &str) -> Result<Guid, String> {
        let bad = || format!("{text:?} is not a GUID");
        let groups: Vec<usize> = text.split('-').map(str::len).collect();
        if groups != [8, 4, 4, 4, 12] {
            return Err(bad());
        }
        let digits = text.replace('-', "");
        u128::from_str_radix(&digits, 16).map(Guid::from_u128).map_err(|_| bad())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_lead_to_each_other() {
        let text = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
        let guid: Guid = text.to_uppercase().parse().unwrap();
        assert_eq!(guid.to_string(), text);
        // The bytes that every EFI system partition has on disk.
        assert_eq!(hex::encode(guid.0), "28732ac11ff8d211ba4b00a0c93ec93b");
        for bad in ["", "c12a7328", "c12a7328f81f11d2ba4b00a0c93ec93b", "g12a7328-f81f-11d2-ba4b-00a0c93ec93b"] {
            assert!(bad.parse::<Guid>().is_err(), "{bad}");
        }
    }
}
