//! The last writes: backup table, rest of the first MiB, and sector 0 alone (WR-1, house "order of writes" 7).

use crate::domain::size::SECTOR;
use crate::host::Claim;
use crate::host::buffer::Aligned;

use super::blank::{flush, read, write};
use super::error::CardError;

/// `head` is the whole new first MiB; `tail` the backup table with its first sector.
pub(super) fn commit(claim: &dyn Claim, head: &[u8], tail: Option<(u64, &[u8])>) -> Result<(), CardError> {
    claim.shut_out().map_err(CardError::Flush)?;
    let (first, rest) = head.split_at(head.len().min(SECTOR as usize));
    if let Some((lba, table)) = tail {
        put(claim, lba * SECTOR, table)?;
    }
    put(claim, SECTOR, rest)?;
    // Decided by this one sector: before it the card is blank, after it finished.
    put(claim, 0, first)
}

/// Writes, flushes, and reads back: nothing later may reach the medium before this did.
fn put(claim: &dyn Claim, offset: u64, data: &[u8]) -> Result<(), CardError> {
    write(claim, offset, data)?;
    flush(claim)?;
    let mut back = Aligned::new(data.len());
    read(claim, offset, &mut back)?;
    match back[..] == *data {
        true => Ok(()),
        false => Err(CardError::LastCheck(format!("the table read back differently at byte {offset}"))),
    }
}
