//! GUID partition tables (UEFI specification 2.10, chapter 5).

use super::bytes::{array, le16, le32, le64, put};
use super::{GPT_TAIL, Guid, Layout, Partition, SECTOR_LEN, TableError, TableId, TableKind, TypeId, no_overlap};

const SIGNATURE: &[u8; 8] = b"EFI PART";
const REVISION: u32 = 0x0001_0000;
/// Bytes of a header that mean something; more than these may be there, and are kept.
const HEADER_MIN: u32 = 92;
/// Bytes of an entry: every tool writes 128.
pub(super) const ENTRY: usize = 128;
/// More entries than any tool writes by itself are refused: what is read stays small.
const ENTRIES_MAX: u32 = 1024;

// Offsets within a header.
const CRC: usize = 16;
const MY_LBA: usize = 24;
const ALTERNATE: usize = 32;
const LAST_USABLE: usize = 48;
const ENTRIES_LBA: usize = 72;
const ENTRIES_CRC: usize = 88;
/// Offset of the last sector within an entry.
pub(super) const LAST_LBA: usize = 40;

/// The fields of a header whose checksum was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub my_lba: u64,
    pub alternate: u64,
    pub first_usable: u64,
    pub last_usable: u64,
    pub disk: Guid,
    pub entries_lba: u64,
    pub entry_count: u32,
    pub entries_crc: u32,
}

impl Header {
    /// From a sector that should hold one.
    fn parse(sector: &[u8]) -> Result<Header, TableError> {
        if !sector.starts_with(SIGNATURE) {
            return Err(TableError::Header("no signature"));
        }
        if le32(sector, 8) != REVISION {
            return Err(TableError::Header("unknown revision"));
        }
        if header_crc(sector).is_none_or(|crc| crc != le32(sector, CRC)) {
            return Err(TableError::Header("checksum"));
        }
        let header = Header::fields(sector);
        let (count, size) = (header.entry_count, le32(sector, 84));
        if size as usize != ENTRY || !(1..=ENTRIES_MAX).contains(&count) {
            return Err(TableError::Shape { count, size, at: header.entries_lba });
        }
        Ok(header)
    }

    fn fields(sector: &[u8]) -> Header {
        Header {
            my_lba: le64(sector, MY_LBA),
            alternate: le64(sector, ALTERNATE),
            first_usable: le64(sector, 40),
            last_usable: le64(sector, LAST_USABLE),
            disk: Guid(array(sector, 56)),
            entries_lba: le64(sector, ENTRIES_LBA),
            entry_count: le32(sector, 80),
            entries_crc: le32(sector, ENTRIES_CRC),
        }
    }

    pub(super) fn entries_len(&self) -> usize {
        self.entry_count as usize * ENTRY
    }

    /// The partition entries within the beginning of the disk, checked by their checksum.
    fn entries<'a>(&self, head: &'a [u8]) -> Result<&'a [u8], TableError> {
        let shape = TableError::Shape { count: self.entry_count, size: ENTRY as u32, at: self.entries_lba };
        let from =
            usize::try_from(self.entries_lba).ok().filter(|lba| *lba >= 2).and_then(|l| l.checked_mul(SECTOR_LEN));
        let range = from.and_then(|from| Some(from..from.checked_add(self.entries_len())?));
        let entries = range.and_then(|range| head.get(range)).ok_or(shape)?;
        if crc32fast::hash(entries) != self.entries_crc {
            return Err(TableError::Entries);
        }
        Ok(entries)
    }

    fn check(&self, end: u64) -> Result<(), TableError> {
        if self.my_lba != 1 {
            return Err(TableError::Header("it says it belongs elsewhere"));
        }
        let entries_end = self.entries_lba.saturating_add(self.entries_len().div_ceil(SECTOR_LEN) as u64);
        if self.first_usable < entries_end || self.first_usable > self.last_usable || self.last_usable >= end {
            return Err(TableError::Header("usable sectors"));
        }
        Ok(())
    }
}

/// A header's checksum, taken with its own field as zero; `None`: it claims a length that cannot be.
fn header_crc(sector: &[u8]) -> Option<u32> {
    let length = le32(sector, 12);
    if length < HEADER_MIN || length as usize > SECTOR_LEN {
        return None;
    }
    let mut bytes = sector.get(..length as usize)?.to_vec();
    put(&mut bytes, CRC, &[0; 4]);
    Some(crc32fast::hash(&bytes))
}

pub(super) fn read(head: &[u8], kind: TableKind, end: u64) -> Result<Layout, TableError> {
    let header = Header::parse(head.get(SECTOR_LEN..2 * SECTOR_LEN).unwrap_or_default())?;
    header.check(end)?;
    let mut partitions = Vec::new();
    for (number, entry) in (1..).zip(header.entries(head)?.chunks_exact(ENTRY)) {
        if array(entry, 0) != [0; 16] {
            partitions.push(partition(number, entry, &header, end)?);
        }
    }
    no_overlap(partitions.iter().map(|p| (p.number, p.start, p.end())).collect())?;
    Ok(Layout {
        kind,
        id: TableId::Guid(header.disk),
        partitions,
        first_usable: header.first_usable,
        last_usable: header.last_usable,
        end,
        gpt: Some(header),
    })
}

fn partition(number: u32, entry: &[u8], header: &Header, end: u64) -> Result<Partition, TableError> {
    let (start, last) = (le64(entry, 32), le64(entry, LAST_LBA));
    if last < start {
        return Err(TableError::Backwards { number, start, last });
    }
    if last >= end {
        return Err(TableError::PastEnd { number, partition_end: last.saturating_add(1), end });
    }
    if start < header.first_usable || last > header.last_usable {
        return Err(TableError::OutsideUsable { number, start, last });
    }
    Ok(Partition {
        number,
        start,
        sectors: last - start + 1,
        type_id: TypeId::Gpt(Guid(array(entry, 0))),
        name: name(entry.get(56..ENTRY).unwrap_or_default()),
        uuid: Some(Guid(array(entry, 16))),
        attributes: le64(entry, 48),
        active: false,
    })
}

fn name(field: &[u8]) -> String {
    let units: Vec<u16> = field.chunks_exact(2).map(|pair| le16(pair, 0)).take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&units)
}

/// Gives a header (a whole sector) its place, the disk's end and the checksum of its entries, and signs it. All other
/// fields, and what follows them in the sector, stay.
pub(super) fn place_header(sector: &mut [u8], backup: bool, disk_sectors: u64, entries: &[u8]) {
    let last = disk_sectors.saturating_sub(1);
    let (here, there, at) = if backup { (last, 1, disk_sectors.saturating_sub(GPT_TAIL)) } else { (1, last, 2) };
    put(sector, MY_LBA, &here.to_le_bytes());
    put(sector, ALTERNATE, &there.to_le_bytes());
    put(sector, LAST_USABLE, &last.saturating_sub(GPT_TAIL).to_le_bytes());
    put(sector, ENTRIES_LBA, &at.to_le_bytes());
    put(sector, ENTRIES_CRC, &crc32fast::hash(entries).to_le_bytes());
    let crc = header_crc(sector).unwrap_or_default();
    put(sector, CRC, &crc.to_le_bytes());
}

/// How the table at the end of a disk differs from the one at its beginning.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("the beginning of the disk places the backup table at sector {says}, the disk ends with sector {last}")]
    Elsewhere { says: u64, last: u64 },
    #[error("{0} bytes of the disk's end were read, 33 sectors are needed")]
    TooShort(usize),
    #[error("the backup table at the end of the disk is damaged")]
    Damaged(#[source] TableError),
    #[error("the tables at the beginning and at the end of the disk differ in {0}")]
    Differs(&'static str),
}

/// Checks that a GPT's backup lies at the very end of the disk and says what the primary says. `tail` are the last
/// sectors of the disk, 33 or more. An MBR has no backup: nothing to find fault with.
pub fn check_backup(layout: &Layout, tail: &[u8], disk_sectors: u64) -> Result<(), BackupError> {
    let Some(primary) = &layout.gpt else { return Ok(()) };
    let last = disk_sectors.saturating_sub(1);
    if primary.alternate != last {
        return Err(BackupError::Elsewhere { says: primary.alternate, last });
    }
    let needed = GPT_TAIL as usize * SECTOR_LEN;
    let from = tail.len().checked_sub(needed).ok_or(BackupError::TooShort(tail.len()))?;
    let (entries, sector) = tail.split_at(from).1.split_at(needed - SECTOR_LEN);
    let backup = Header::parse(sector).map_err(BackupError::Damaged)?;
    if let Some(what) = difference(primary, &backup, last) {
        return Err(BackupError::Differs(what));
    }
    let used = entries.get(..backup.entries_len()).unwrap_or_default();
    if crc32fast::hash(used) != backup.entries_crc {
        return Err(BackupError::Damaged(TableError::Entries));
    }
    Ok(())
}

fn difference(primary: &Header, backup: &Header, last: u64) -> Option<&'static str> {
    let pairs = [
        ("where they lie", backup.my_lba == last && backup.alternate == primary.my_lba),
        ("where the entries lie", backup.entries_lba == last.saturating_sub(GPT_TAIL - 1)),
        ("the disk's GUID", backup.disk == primary.disk),
        (
            "the usable sectors",
            (backup.first_usable, backup.last_usable) == (primary.first_usable, primary.last_usable),
        ),
        ("the number of entries", backup.entry_count == primary.entry_count),
        ("the partitions", backup.entries_crc == primary.entries_crc),
    ];
    pairs.into_iter().find(|(_, same)| !same).map(|(what, _)| what)
}
