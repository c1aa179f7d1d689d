//! Reading back past the page cache and comparing; what a difference most likely means (WR-3).

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::host::Claim;
use crate::host::buffer::Aligned;

use super::blank::{flush, read, write as write_at};
use super::chunk::{CHUNK, Chunk, place};
use super::error::CardError;
use super::write::rewrite;
use super::{ImageBytes, Work, is_zero};

/// Blocks that may read right only after they were written again; one more, and the card is not reliable.
const MOST_REWRITTEN: usize = 3;

/// Compares every chunk but the first (which is not on the card yet). Returns the numbers of those that had to be
/// written again.
pub(super) fn verify(
    claim: &dyn Claim,
    chunks: &[Chunk],
    image: &dyn ImageBytes,
    work: &Work,
) -> Result<Vec<u64>, CardError> {
    claim.shut_out().map_err(CardError::Flush)?;
    let (bad, cleared) = first_pass(claim, chunks, work)?;
    let mut bad = bad;
    if !cleared.is_empty() {
        flush(claim)?;
        for number in cleared {
            work.go_on()?;
            if !same(claim, chunks, number) {
                bad.push(number);
            }
        }
    }
    if bad.is_empty() {
        return Ok(bad);
    }
    mend(claim, chunks, image, bad, work)
}

/// Numbers of chunks that differ, and of those that had to be cleared because the card had no zeros there.
fn first_pass(claim: &dyn Claim, chunks: &[Chunk], work: &Work) -> Result<(Vec<u64>, Vec<u64>), CardError> {
    let (mut bad, mut cleared) = (Vec::new(), Vec::new());
    let zeros = Aligned::new(CHUNK);
    let mut buffer = Aligned::new(CHUNK);
    work.meter.add(chunks.first().map_or(0, |chunk| chunk.length.into()));
    for (number, chunk) in (0u64..).zip(chunks).skip(1) {
        work.go_on()?;
        let length = chunk.length as usize;
        match read_chunk(claim, number, &mut buffer, length) {
            Ok(bytes) if chunk.zero && !is_zero(bytes) => {
                write_at(claim, place(number).0, zeros.get(..length).unwrap_or(&zeros))?;
                cleared.push(number);
            }
            Ok(bytes) if chunk.zero || Sha256::digest(bytes)[..] == chunk.hash => {}
            // Only a card that is still there can have a block that cannot be read: it is written anew like a wrong one.
            Err(error) if claim.is_gone() => return Err(error),
            Ok(_) | Err(_) => bad.push(number),
        }
        if bad.len() > MOST_REWRITTEN {
            return Err(unreliable(claim, chunks, &bad));
        }
        work.meter.add(chunk.length.into());
    }
    Ok((bad, cleared))
}

/// Writes the image's zeros wherever the card holds something else: for a card that will not be read back.
pub(super) fn clear(claim: &dyn Claim, chunks: &[Chunk], work: &Work) -> Result<(), CardError> {
    let (zeros, mut buffer) = (Aligned::new(CHUNK), Aligned::new(CHUNK));
    for (number, chunk) in (0u64..).zip(chunks).skip(1).filter(|(_, chunk)| chunk.zero) {
        work.go_on()?;
        let length = chunk.length as usize;
        let bytes = read_chunk(claim, number, &mut buffer, length)?;
        if !is_zero(bytes) {
            write_at(claim, place(number).0, zeros.get(..length).unwrap_or(&zeros))?;
        }
    }
    flush(claim)
}

fn read_chunk<'a>(claim: &dyn Claim, number: u64, buffer: &'a mut [u8], length: usize) -> Result<&'a [u8], CardError> {
    let part = buffer.get_mut(..length).unwrap_or_default();
    read(claim, place(number).0, part)?;
    Ok(part)
}

/// Reads right now; what cannot be read does not.
fn same(claim: &dyn Claim, chunks: &[Chunk], number: u64) -> bool {
    let Some(chunk) = chunks.get(number as usize) else { return false };
    let mut buffer = Aligned::new(CHUNK);
    let bytes = read_chunk(claim, number, &mut buffer, chunk.length as usize);
    bytes.is_ok_and(|bytes| Sha256::digest(bytes)[..] == chunk.hash)
}

/// One more write and one more look at each; the kind of damage is judged before, while it is there.
fn mend(
    claim: &dyn Claim,
    chunks: &[Chunk],
    image: &dyn ImageBytes,
    bad: Vec<u64>,
    work: &Work,
) -> Result<Vec<u64>, CardError> {
    let verdict = unreliable(claim, chunks, &bad);
    if bad.len() > MOST_REWRITTEN {
        return Err(verdict);
    }
    rewrite(claim, image, &bad, work)?;
    for number in &bad {
        if !same(claim, chunks, *number) {
            return Err(verdict);
        }
    }
    Ok(bad)
}

fn unreliable(claim: &dyn Claim, chunks: &[Chunk], bad: &[u64]) -> CardError {
    let first = bad.iter().min().copied().unwrap_or(0);
    let looks_like = judge(claim, chunks, first).unwrap_or("it could not be read again");
    CardError::Unreliable { places: bad.len() as u64, first: place(first), looks_like }
}

/// What the wrong bytes of a chunk look like.
fn judge(claim: &dyn Claim, chunks: &[Chunk], number: u64) -> Result<&'static str, CardError> {
    let length = chunks.get(number as usize).map_or(0, |chunk| chunk.length as usize);
    let (mut one, mut two) = (Aligned::new(CHUNK), Aligned::new(CHUNK));
    let once = Sha256::digest(read_chunk(claim, number, &mut one, length)?);
    let bytes = read_chunk(claim, number, &mut two, length)?;
    let again: [u8; 32] = Sha256::digest(bytes).into();
    if once[..] != again {
        return Ok("it reads differently each time, which points to the reader or its cable");
    }
    if is_zero(bytes) {
        return Ok("what was written there is lost");
    }
    let known: HashMap<[u8; 32], u64> = (0u64..).zip(chunks).map(|(n, chunk)| (chunk.hash, n)).collect();
    if known.contains_key(&again) {
        return Ok("data of another place comes back, as from a card that holds less than it says");
    }
    Ok("some bits are wrong, as on a worn card")
}
