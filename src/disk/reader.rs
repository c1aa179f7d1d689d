//! Reading files out of an ext4 on a disk, past the page cache, by another implementation than the one that wrote them.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use ext4_view::{Ext4, Ext4Error, Ext4Read};

use crate::domain::size::{MIB, SECTOR};
use crate::host::Claim;
use crate::host::buffer::Aligned;

/// How much is read from the card at once: files lie in long stretches, and cards are slow at small reads.
const WINDOW: u64 = MIB;
/// One stretch of a file is read after the other.
const FOR_ONE_FILE: usize = 1;
/// Inodes, folders and data of many small files lie in different places.
const FOR_MANY_FILES: usize = 16;

/// Bytes that can be read from anywhere. Offsets and lengths are multiples of 512.
pub trait ReadAt: Send + Sync {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

struct OfClaim(Arc<dyn Claim>);

impl ReadAt for OfClaim {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, buffer)
    }
}

/// Where the last read of a file system began on the disk, and how many bytes it was.
pub type LastRead = Arc<Mutex<(u64, usize)>>;

/// An ext4 that begins `offset` bytes into the card.
pub struct FileSystem {
    source: Arc<dyn ReadAt>,
    offset: u64,
    end: u64,
    /// Where each begins on the disk, the one used last in front.
    windows: Vec<(u64, Aligned)>,
    most: usize,
    last: LastRead,
}

impl FileSystem {
    /// `length` in bytes: reading beyond it is an error, whatever the file system's own numbers say.
    pub fn open(claim: &Arc<dyn Claim>, offset: u64, length: u64) -> Result<Ext4, Ext4Error> {
        let file_system = FileSystem::new(Arc::new(OfClaim(claim.clone())), offset, length, FOR_ONE_FILE);
        Ext4::load(Box::new(file_system))
    }

    /// The same where nothing is claimed, for reading many files; tells where it reads.
    pub fn look(source: Arc<dyn ReadAt>, offset: u64, length: u64) -> Result<(Ext4, LastRead), Ext4Error> {
        let file_system = FileSystem::new(source, offset, length, FOR_MANY_FILES);
        let last = file_system.last.clone();
        Ok((Ext4::load(Box::new(file_system))?, last))
    }

    fn new(source: Arc<dyn ReadAt>, offset: u64, length: u64, most: usize) -> FileSystem {
        let end = offset.saturating_add(length) / SECTOR * SECTOR;
        FileSystem { source, offset, end, windows: Vec::new(), most, last: LastRead::default() }
    }

    /// Brings the window that holds the byte at `position` of the disk to the front. Returns where it begins and ends.
    fn load(&mut self, position: u64) -> Result<(u64, u64), Box<dyn Error + Send + Sync>> {
        let from = position / WINDOW * WINDOW;
        let length = self.end.saturating_sub(from).min(WINDOW);
        if position >= from + length {
            return Err("the file system points past its end".into());
        }
        if let Some(found) = self.windows.iter().position(|(at, _)| *at == from) {
            self.windows.get_mut(..=found).unwrap_or_default().rotate_right(1);
            return Ok((from, length));
        }
        let free = if self.windows.len() < self.most { None } else { self.windows.pop() };
        let mut window = free.map_or_else(|| Aligned::new(WINDOW as usize), |(_, window)| window);
        self.source.read_at(from, window.get_mut(..length as usize).ok_or("no window")?)?;
        self.windows.insert(0, (from, window));
        Ok((from, length))
    }
}

impl Ext4Read for FileSystem {
    fn read(&mut self, start: u64, target: &mut [u8]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut position = self.offset.checked_add(start).ok_or("the file system points past its end")?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = (position, target.len());
        let mut target = target;
        while !target.is_empty() {
            let (from, length) = self.load(position)?;
            let (_, window) = self.windows.first().ok_or("no window")?;
            let within = (position - from) as usize;
            let count = target.len().min(length as usize - within);
            let (now, later) = target.split_at_mut(count);
            now.copy_from_slice(window.get(within..within + count).ok_or("no window")?);
            (position, target) = (position + count as u64, later);
        }
        Ok(())
    }
}
