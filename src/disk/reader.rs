//! Reading files out of an ext4 on a claimed card, past the page cache, by another implementation than the one that
//! wrote them.

use std::error::Error;
use std::sync::Arc;

use ext4_view::{Ext4, Ext4Error, Ext4Read};

use crate::domain::size::{MIB, SECTOR};
use crate::host::Claim;
use crate::host::buffer::Aligned;

/// How much is read from the card at once: files lie in long stretches, and cards are slow at small reads.
const WINDOW: u64 = MIB;

/// An ext4 that begins `offset` bytes into the card.
pub struct FileSystem {
    claim: Arc<dyn Claim>,
    offset: u64,
    end: u64,
    at: Option<u64>,
    window: Aligned,
}

impl FileSystem {
    /// `length` in bytes: reading beyond it is an error, whatever the file system's own numbers say.
    pub fn open(claim: &Arc<dyn Claim>, offset: u64, length: u64) -> Result<Ext4, Ext4Error> {
        let end = (offset + length) / SECTOR * SECTOR;
        let window = Aligned::new(WINDOW as usize);
        Ext4::load(Box::new(FileSystem { claim: claim.clone(), offset, end, at: None, window }))
    }

    /// Makes the window hold the byte at `position` of the card.
    fn load(&mut self, position: u64) -> Result<(u64, u64), Box<dyn Error + Send + Sync>> {
        let from = position / WINDOW * WINDOW;
        let length = self.end.saturating_sub(from).min(WINDOW);
        if position >= from + length {
            return Err("the file system points past its end".into());
        }
        if self.at != Some(from) {
            self.at = None;
            let part = self.window.get_mut(..length as usize).ok_or("no window")?;
            self.claim.read_at(from, part)?;
            self.at = Some(from);
        }
        Ok((from, length))
    }
}

impl Ext4Read for FileSystem {
    fn read(&mut self, start: u64, target: &mut [u8]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut position = self.offset.checked_add(start).ok_or("the file system points past its end")?;
        let mut target = target;
        while !target.is_empty() {
            let (from, length) = self.load(position)?;
            let within = (position - from) as usize;
            let count = target.len().min(length as usize - within);
            let (now, later) = target.split_at_mut(count);
            now.copy_from_slice(self.window.get(within..within + count).ok_or("no window")?);
            (position, target) = (position + count as u64, later);
        }
        Ok(())
    }
}
