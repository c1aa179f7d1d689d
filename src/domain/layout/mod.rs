//! Partition tables of Home Assistant OS images and cards: reading them, and growing the data partition to the end of a
//! card (WR-4). Arithmetic on bytes that the caller has read; nothing here does I/O or trusts a byte.
//!
//! Three shapes occur: plain GPT (PCs, Raspberry Pi 5), a hybrid of GPT and a real MBR (Raspberry Pi 3 and 4, Yellow,
//! Green, ODROID-M1 and M1S), and MBR with logical partitions (the other ODROIDs, Khadas VIM3).

pub(crate) mod bytes;
mod data;
mod gpt;
mod grow;
mod guid;
mod mbr;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;

pub use data::{DataError, data_partition, overlay_partition};
pub use gpt::{BackupError, check_backup};
pub use grow::{GrowError, GrowPlan};
pub use guid::Guid;

use super::size::{Bytes, SECTOR};

/// Bytes of a sector, as a length.
pub(crate) const SECTOR_LEN: usize = SECTOR as usize;
/// The least that [`read`] needs of a disk's beginning: both sectors of the headers and 128 GPT entries.
pub const HEAD_MIN: usize = 34 * SECTOR_LEN;
/// Sectors behind the last usable one of a GPT: 32 of entries and the backup header.
pub const GPT_TAIL: u64 = 33;
/// How far an MBR image may end before its own data partition does: the file system is cut to its blocks, the partition
/// rounded up to whole MiB (os `create-data-partition.sh`).
const CUT_TAIL: u64 = 2048;

/// Reads one sector of the disk by its number.
pub type Sectors<'a> = dyn FnMut(u64) -> io::Result<[u8; SECTOR_LEN]> + 'a;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableKind {
    /// GPT under a protective MBR.
    Gpt,
    /// GPT under a real MBR, which the Raspberry Pi's firmware boots by. Sector 0 must never change.
    HybridGpt,
    /// MBR, with or without an extended partition.
    Mbr,
}

impl fmt::Display for TableKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TableKind::Gpt => "GPT",
            TableKind::HybridGpt => "hybrid GPT",
            TableKind::Mbr => "MBR",
        })
    }
}

/// What tells one disk's table from another's. `Display` as sfdisk prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableId {
    /// The GPT's disk GUID.
    Guid(Guid),
    /// The MBR's disk signature.
    Signature(u32),
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TableId::Guid(guid) => guid.fmt(f),
            TableId::Signature(signature) => write!(f, "{signature:#010x}"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TypeId {
    Gpt(Guid),
    Mbr(u8),
}

impl fmt::Display for TypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TypeId::Gpt(guid) => guid.fmt(f),
            TypeId::Mbr(byte) => write!(f, "{byte:02x}"),
        }
    }
}

impl TypeId {
    /// A container of logical partitions, no partition of its own.
    pub fn is_extended(self) -> bool {
        matches!(self, TypeId::Mbr(0x05 | 0x0f | 0x85))
    }
}

/// One partition; positions in sectors of 512 bytes from the start of the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// As the kernel counts: a GPT's entry number, 1–4 primary, from 5 on logical.
    pub number: u32,
    pub start: u64,
    pub sectors: u64,
    pub type_id: TypeId,
    /// GPT only; an MBR has no names. What is not valid UTF-16 comes as U+FFFD.
    pub name: String,
    /// GPT only.
    pub uuid: Option<Guid>,
    /// GPT only, else 0.
    pub attributes: u64,
    /// MBR only: marked as the one to boot.
    pub active: bool,
}

impl Partition {
    /// The first sector behind it.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.sectors)
    }

    /// Where it begins, in bytes.
    pub fn offset(&self) -> Bytes {
        Bytes(self.start.saturating_mul(SECTOR))
    }

    pub fn size(&self) -> Bytes {
        Bytes(self.sectors.saturating_mul(SECTOR))
    }
}

/// A table that was read and found valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub kind: TableKind,
    pub id: TableId,
    /// By number. An extended partition is among them.
    pub partitions: Vec<Partition>,
    /// The first sector that partitions may use: as the GPT says, 1 in an MBR.
    pub first_usable: u64,
    /// The last sector that partitions may use: as the GPT says, the last of the disk in an MBR.
    pub last_usable: u64,
    /// Sectors of the disk or image that the table was read from.
    pub end: u64,
    /// The primary GPT header, where there is one.
    pub(crate) gpt: Option<gpt::Header>,
}

impl Layout {
    pub fn partition(&self, number: u32) -> Option<&Partition> {
        self.partitions.iter().find(|p| p.number == number)
    }

    /// What `root=PARTUUID=` and udev call a partition of this disk: a GUID, or `48617373-04`.
    pub fn partuuid(&self, partition: &Partition) -> String {
        match (self.id, partition.uuid) {
            (_, Some(uuid)) => uuid.to_string(),
            (TableId::Signature(signature), None) => format!("{signature:08x}-{:02x}", partition.number),
            (TableId::Guid(guid), None) => format!("{guid}-{}", partition.number),
        }
    }
}

/// The first sector behind the usable ones of a disk with so many sectors: where a data partition that fills the disk
/// ends. A GPT leaves 33 sectors to its backup; an MBR counts to 2³² − 1 sectors.
pub fn usable_end(kind: TableKind, disk_sectors: u64) -> u64 {
    match kind {
        TableKind::Gpt | TableKind::HybridGpt => disk_sectors.saturating_sub(GPT_TAIL),
        TableKind::Mbr => disk_sectors.min(u32::MAX.into()),
    }
}

/// Why a table is not taken. Partitions are named by number.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("there is no partition table")]
    None,
    #[error("only {0} bytes of the disk were read, {HEAD_MIN} are needed")]
    HeadTooShort(usize),
    #[error("the partition table's header is damaged ({0})")]
    Header(&'static str),
    #[error("the partition entries are damaged (checksum)")]
    Entries,
    #[error("a table of {count} entries of {size} bytes at sector {at} is not supported")]
    Shape { count: u32, size: u32, at: u64 },
    #[error("partition {number} ends before it starts (sectors {start} to {last})")]
    Backwards { number: u32, start: u64, last: u64 },
    #[error("partition {number} lies outside the usable sectors (sectors {start} to {last})")]
    OutsideUsable { number: u32, start: u64, last: u64 },
    #[error("partition {number} ends at sector {partition_end}, past the end of the disk at {end}")]
    PastEnd { number: u32, partition_end: u64, end: u64 },
    #[error("partitions {first} and {second} overlap")]
    Overlap { first: u32, second: u32 },
    #[error("the disk has more than one extended partition")]
    TwoExtended,
    #[error("logical partition {number} lies outside the extended partition")]
    OutsideExtended { number: u32 },
    #[error("the chain of logical partitions is broken at sector {at}")]
    Chain { at: u64 },
    #[error("the chain of logical partitions is a loop at sector {at}")]
    Loop { at: u64 },
    #[error("reading sector {at}")]
    Reading { at: u64, source: io::Error },
}

/// Reads and checks the table of a disk or image. `head` is its beginning (at least [`HEAD_MIN`] bytes), `end` its size
/// in sectors; `sectors` is asked for the link sectors of logical partitions only.
pub fn read(head: &[u8], end: u64, sectors: &mut Sectors<'_>) -> Result<Layout, TableError> {
    if head.len() < HEAD_MIN {
        return Err(TableError::HeadTooShort(head.len()));
    }
    let table = mbr::primaries(head)?;
    match table.kind() {
        TableKind::Mbr => mbr::read(&table, end, sectors),
        kind => gpt::read(head, kind, end),
    }
}

/// Refuses partitions that share a sector. `places` are (number, start, end).
fn no_overlap(mut places: Vec<(u32, u64, u64)>) -> Result<(), TableError> {
    places.sort_by_key(|(_, start, _)| *start);
    let clash = places.iter().zip(places.iter().skip(1)).find(|(before, after)| before.2 > after.1);
    match clash {
        Some((before, after)) => {
            Err(TableError::Overlap { first: before.0.min(after.0), second: before.0.max(after.0) })
        }
        None => Ok(()),
    }
}
