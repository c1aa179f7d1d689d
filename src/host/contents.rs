//! What is on a disk now, read through the disk itself: no udev database, no mount (DV-1).
//!
//! It is shown to a person before the disk is erased and decides nothing, so what cannot be read or is damaged is "unknown"
//! here. Only the two ends of the disk must be readable.

mod fat;
mod superblock;
mod used;
mod volume;

use std::io;

use crate::domain::disk::{Contents, FoundPartition};
use crate::domain::size::{Bytes, MIB};

use super::buffer::{Aligned, is_zero};
pub use volume::ReadAt;
use volume::Volume;

/// More file systems than these are not looked at: a hostile table may list a thousand.
const MOST: usize = 64;

/// A file system, or what else fills a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filesystem {
    /// `ext4`, `FAT`, `exFAT`, `NTFS`, `LUKS`, `swap`, …
    pub kind: &'static str,
    /// Empty where it has none.
    pub label: String,
}

/// A partition table as its parser found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// `gpt`, `hybrid` or `mbr`.
    pub kind: String,
    pub slices: Vec<Slice>,
}

/// A partition; start and length in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    pub number: u32,
    /// Its name in the table (GPT), else empty.
    pub name: String,
    pub start: u64,
    pub length: u64,
}

/// The first and the last MiB of a disk; of a smaller one, all of it twice.
#[derive(Debug)]
pub struct Ends {
    pub first: Aligned,
    pub last: Aligned,
}

impl Ends {
    /// `size` in bytes; what does not fill a whole sector at the end is left out.
    pub fn read(reader: &dyn ReadAt, size: u64) -> io::Result<Ends> {
        let size = size / 512 * 512;
        let length = size.min(MIB);
        let mut ends = Ends { first: Aligned::new(length as usize), last: Aligned::new(length as usize) };
        reader.read_at(0, &mut ends.first)?;
        reader.read_at(size - length, &mut ends.last)?;
        Ok(ends)
    }

    pub fn are_zero(&self) -> bool {
        is_zero(&self.first) && is_zero(&self.last)
    }
}

/// What is on the disk: its partitions, or the one file system that fills it (then as partition number 0).
pub fn contents(reader: &dyn ReadAt, size: u64, ends: &Ends, table: Option<&Table>) -> Contents {
    let whole = probe_filesystem(reader, 0, size);
    match (table, whole) {
        (Some(table), None) => listed(reader, size, table),
        (Some(table), Some(found)) if !hides(&found, table) => listed(reader, size, table),
        (_, Some(found)) => {
            let used = used::used(Volume::new(reader, 0, size), found.kind);
            Contents { table: None, partitions: vec![described(0, "", size, Some(found), used)], blank: false }
        }
        (None, None) => Contents { blank: ends.are_zero(), ..Contents::default() },
    }
}

/// Whether a file system that fills the disk is what is really there. A FAT's first sector ends like a table's, and what
/// lies in front of that end can be taken for one; an optical disc's image may have both.
fn hides(found: &Filesystem, table: &Table) -> bool {
    table.slices.is_empty() || (fat::fills_first_sector(found) && table.kind == "mbr")
}

fn listed(reader: &dyn ReadAt, size: u64, table: &Table) -> Contents {
    let describe = |(n, slice): (usize, &Slice)| {
        let room = size.saturating_sub(slice.start).min(slice.length);
        let found = if n < MOST { probe_filesystem(reader, slice.start, room) } else { None };
        let used = found.as_ref().and_then(|found| used::used(Volume::new(reader, slice.start, room), found.kind));
        described(slice.number, &slice.name, slice.length, found, used)
    };
    let partitions = table.slices.iter().enumerate().map(describe).collect();
    Contents { table: Some(table.kind.clone()), partitions, blank: false }
}

fn described(number: u32, name: &str, size: u64, found: Option<Filesystem>, used: Option<Bytes>) -> FoundPartition {
    let (filesystem, label) = found.map(|found| (found.kind.to_owned(), found.label)).unwrap_or_default();
    FoundPartition { number, name: name.to_owned(), label, filesystem, size: Bytes(size), used }
}

/// The file system in the `length` bytes from `offset` on; `None` where there is none that is known, or none to be read.
pub fn probe_filesystem(reader: &dyn ReadAt, offset: u64, length: u64) -> Option<Filesystem> {
    let volume = Volume::new(reader, offset, length);
    let head = volume.head(superblock::REACH);
    fat::probe(volume, &head).or_else(|| superblock::probe(&head))
}

#[cfg(test)]
mod tests;
