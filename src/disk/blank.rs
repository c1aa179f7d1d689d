//! Making a card blank, keeping it so, and finding out whether it holds as much as it claims (WR-1, DV-6).

use sha2::{Digest, Sha256};

use crate::domain::job::CardNow;
use crate::domain::size::{Bytes, MIB, SECTOR};
use crate::host::Claim;
use crate::host::buffer::Aligned;

use super::error::CardError;
use super::{Work, is_zero};

/// Bytes of each place that a counterfeit card is tried at.
const PLACE: usize = 4096;

/// Sector 0 first and flushed: without it nothing sees a table. Then the first and the last MiB.
pub fn blank(claim: &dyn Claim, size: Bytes) -> Result<(), CardError> {
    let zeros = Aligned::new(MIB as usize);
    write(claim, 0, zeros.get(..SECTOR as usize).unwrap_or(&zeros))?;
    flush(claim)?;
    write(claim, SECTOR, zeros.get(SECTOR as usize..).unwrap_or(&zeros))?;
    write(claim, size.0 - MIB, &zeros)?;
    flush(claim)
}

/// Brings a card that was touched back to blank and proves it by reading; never errs, says what is there.
pub fn make_sure(claim: &dyn Claim, size: Bytes) -> CardNow {
    // Without the exclusive descriptor the plain one still writes; the card is given up either way.
    let _ = claim.shut_out();
    // A card that shrank meanwhile ends earlier; one that is gone says 0.
    let size = claim.size().ok().filter(|now| now.0 >= 2 * MIB).map_or(size, |now| now.min(size));
    // Twice: a fault that comes once must not leave anybody in doubt. Also over zeros: they may not be flushed yet, and
    // the end may hold a table's backup.
    for _ in 0..2 {
        if blank(claim, size).is_ok() && is_blank(claim) {
            return CardNow::Blank;
        }
    }
    // A worn card that takes no more writes may have been blank before.
    if is_blank(claim) { CardNow::Blank } else { CardNow::Unknown }
}

fn is_blank(claim: &dyn Claim) -> bool {
    let mut first = Aligned::new(MIB as usize);
    claim.read_at(0, &mut first).is_ok() && is_zero(&first)
}

/// Writes a pattern of its own to places at doubling offsets up to the end, then reads them all back. What was there is put
/// back, so that a card that holds the image already still does.
///
/// A card that keeps less than it claims loses the far ones or brings them back at the near ones.
pub fn find_counterfeit(claim: &dyn Claim, size: Bytes, work: &Work) -> Result<(), CardError> {
    let places = places(size);
    let before = what_was_there(claim, &places, work)?;
    for offset in &places {
        work.go_on()?;
        write(claim, *offset, &pattern(*offset, size))?;
    }
    flush(claim)?;
    let mut back = Aligned::new(PLACE);
    let mut good = MIB;
    for offset in &places {
        claim.read_at(*offset, &mut back).map_err(|source| CardError::Read { at: Bytes(*offset), source })?;
        if back[..] != pattern(*offset, size)[..] {
            return Err(CardError::Counterfeit { after: Bytes(good) });
        }
        good = offset + PLACE as u64;
    }
    refuse_wrapped(claim, &places, size)?;
    for (offset, page) in places.iter().zip(&before) {
        work.go_on()?;
        write(claim, *offset, page)?;
    }
    // The last place lies where the backup table goes: blank means blank there too.
    write(claim, size.0 - MIB, &Aligned::new(MIB as usize))?;
    flush(claim)
}

/// A place that cannot be read now may be written all the same: zeros are as good as anything there.
fn what_was_there(claim: &dyn Claim, places: &[u64], work: &Work) -> Result<Vec<Aligned>, CardError> {
    let mut pages = Vec::new();
    for offset in places {
        work.go_on()?;
        let mut page = Aligned::new(PLACE);
        if claim.read_at(*offset, &mut page).is_err() {
            page.fill(0);
        }
        pages.push(page);
    }
    Ok(pages)
}

/// A card with one address line too few claims twice what it has: the place at the true end is then sector 0, which was
/// blanked before, and no two places meet.
fn refuse_wrapped(claim: &dyn Claim, places: &[u64], size: Bytes) -> Result<(), CardError> {
    let mut first = Aligned::new(PLACE);
    read(claim, 0, &mut first)?;
    if is_zero(&first) {
        return Ok(());
    }
    let wrapped = places.iter().find(|offset| pattern(**offset, size)[..] == first[..]);
    Err(CardError::Counterfeit { after: Bytes(wrapped.copied().unwrap_or(MIB)) })
}

/// 1 MiB, 2 MiB, 4 MiB, … and the very end.
fn places(size: Bytes) -> Vec<u64> {
    let last = (size.0 - PLACE as u64) / PLACE as u64 * PLACE as u64;
    let doubling = std::iter::successors(Some(MIB), |offset| offset.checked_mul(2));
    doubling.take_while(|offset| offset + PLACE as u64 <= last).chain([last]).collect()
}

fn pattern(offset: u64, size: Bytes) -> Aligned {
    let mut bytes = Aligned::new(PLACE);
    for (n, part) in bytes.chunks_mut(32).enumerate() {
        let block = Sha256::new().chain_update(offset.to_le_bytes()).chain_update(size.0.to_le_bytes());
        part.copy_from_slice(&block.chain_update((n as u64).to_le_bytes()).finalize());
    }
    bytes
}

pub(super) fn write(claim: &dyn Claim, offset: u64, data: &[u8]) -> Result<(), CardError> {
    claim.write_at(offset, data).map_err(|source| CardError::Write { at: Bytes(offset), source })
}

pub(super) fn read(claim: &dyn Claim, offset: u64, buffer: &mut [u8]) -> Result<(), CardError> {
    claim.read_at(offset, buffer).map_err(|source| CardError::Read { at: Bytes(offset), source })
}

pub(super) fn flush(claim: &dyn Claim) -> Result<(), CardError> {
    claim.flush().map_err(CardError::Flush)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_reach_from_the_first_mib_to_the_very_end() {
        let card = Bytes(63_864_569_856);
        let places = places(card);
        assert_eq!(places.first(), Some(&MIB));
        assert!(places.is_sorted());
        assert!(places.iter().all(|p| p % 512 == 0 && p + PLACE as u64 <= card.0));
        assert!(card.0 - places.last().unwrap() < 2 * PLACE as u64);
        assert_eq!(places.len(), 17);
    }
}
