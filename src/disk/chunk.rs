//! What 1 MiB of the image is: enough to know it again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;

use twox_hash::XxHash3_128;

use crate::domain::size::{Bytes, MIB};

use super::is_zero;

pub(super) const CHUNK: usize = MIB as usize;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    pub hash: u128,
    /// Bytes of it, a multiple of a sector; less than 1 MiB only at the image's end.
    pub length: u32,
    /// All zero.
    pub zero: bool,
    pub fate: Fate,
}

/// What became of a chunk when it was its turn to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Written,
    /// Zeros, and the card seems to have some there: not looked at. Reading back shows whether it has (WR-2).
    Left,
    /// The card held these very bytes, and nothing was written to it since they were read.
    Held,
}

impl Chunk {
    pub(super) fn of(bytes: &[u8]) -> Chunk {
        let zero = is_zero(bytes);
        Chunk { hash: hash_of(bytes), length: bytes.len() as u32, zero, fate: Fate::Written }
    }

    /// Whether `bytes`, read from the card, are this chunk.
    pub(super) fn is(&self, bytes: &[u8]) -> bool {
        bytes.len() == self.length as usize
            && match self.zero {
                true => is_zero(bytes),
                false => hash_of(bytes) == self.hash,
            }
    }
}

/// Known to nobody before this program ran: no card can be made to fit it.
fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| RandomState::new().build_hasher().finish())
}

/// To be compared with one taken by the same process only.
pub(super) fn hash_of(bytes: &[u8]) -> u128 {
    XxHash3_128::oneshot_with_seed(seed(), bytes)
}

/// Where chunk `number` begins on the card.
pub(super) fn place(number: u64) -> Bytes {
    Bytes(number * MIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_knows_its_bytes() {
        for bytes in [vec![0; 4096], vec![7; 4096], vec![0; CHUNK], (0..=255).cycle().take(CHUNK).collect()] {
            let chunk = Chunk::of(&bytes);
            assert!(chunk.is(&bytes));
            assert!(!chunk.is(&bytes[512..]));
            for place in [0, bytes.len() / 2, bytes.len() - 1] {
                let mut other = bytes.clone();
                other[place] ^= 0x10;
                assert!(!chunk.is(&other), "{place}");
            }
        }
    }
}
