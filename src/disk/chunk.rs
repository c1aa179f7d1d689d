//! What 1 MiB of the image is: enough to know it again.

use sha2::{Digest, Sha256};

use crate::domain::size::{Bytes, MIB};

use super::is_zero;

pub(super) const CHUNK: usize = MIB as usize;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    pub hash: [u8; 32],
    /// Bytes of it, a multiple of a sector; less than 1 MiB only at the image's end.
    pub length: u32,
    /// All zero: not written; reading back shows whether the card has zeros there (WR-2).
    pub zero: bool,
}

impl Chunk {
    pub(super) fn of(bytes: &[u8]) -> Chunk {
        let zero = is_zero(bytes);
        Chunk { hash: Sha256::digest(bytes).into(), length: bytes.len() as u32, zero }
    }
}

/// Where chunk `number` begins on the card.
pub(super) fn place(number: u64) -> Bytes {
    Bytes(number * MIB)
}
