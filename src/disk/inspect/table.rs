//! The table at both ends: whose disk it is, and whether the ends say the same.

use std::io;
use std::sync::Arc;

use crate::domain::ext4::{DATA_LABEL, Ext4, SUPERBLOCK_LEN, SUPERBLOCK_OFFSET};
use crate::domain::layout::bytes::le32;
use crate::domain::layout::{
    BackupError, GPT_TAIL, Guid, Layout, TableError, TableKind, check_backup, data_partition, read as read_table,
};
use crate::domain::size::{Bytes, MIB, SECTOR};

use super::{Card, Damage, Findings, View};

/// UUID of the data partition on every GPT disk of Home Assistant OS.
const DATA: Guid = Guid::from_u128(0xa52a4597_fa3a_4851_aefd_2fbe9f849079);
/// Disk signature of every MBR disk of Home Assistant OS.
const SIGNATURE: u32 = 0x4861_7373;
const SECTOR_LEN: usize = SECTOR as usize;

pub(super) enum Found<'a> {
    Nothing(String),
    Other(String),
    Damaged(Damage),
    Card(Box<Card<'a>>),
}

pub(super) fn read(view: &Arc<dyn View>, size: Bytes) -> Found<'_> {
    let sectors = size.sectors();
    if sectors == 0 {
        let what = if size == Bytes::ZERO { "nothing: it has no bytes" } else { "too small to be a disk" };
        return Found::Other(what.into());
    }
    let mut head = vec![0; (sectors * SECTOR).min(MIB) as usize];
    if let Err(error) = view.read_at(0, &mut head) {
        return Found::Damaged(Damage { what: format!("its beginning cannot be read ({error})"), offset: Some(0) });
    }
    if head.iter().take(SECTOR_LEN).all(|byte| *byte == 0) {
        // ext4 leaves sector 0 free: a disk that is one file system is mounted all the same.
        let superblock = head.get(SUPERBLOCK_OFFSET as usize..).unwrap_or_default();
        if Ext4::parse(superblock).is_some() {
            return Found::Other("not Home Assistant OS: a file system without a partition table (ext4)".into());
        }
        return Found::Nothing("a blank card: it has no partition table".into());
    }
    let sector = &mut |lba: u64| {
        let mut bytes = [0; SECTOR_LEN];
        view.read_at(lba.saturating_mul(SECTOR), &mut bytes)?;
        Ok(bytes)
    };
    let layout = match read_table(&head, sectors, sector) {
        Ok(layout) => layout,
        Err(error) => return unreadable(view, sectors, &head, &error),
    };
    match data_partition(&layout).cloned() {
        Ok(data) => Found::Card(Box::new(Card { view, sectors, head, layout, data })),
        Err(error) if was_ours(view, sectors, &head) || holds_data(view, &layout) => {
            Found::Damaged(Damage { what: format!("the partition table is damaged: {error}"), offset: Some(0) })
        }
        Err(_) => {
            let count = match layout.partitions.len() {
                1 => "one partition".into(),
                count => format!("{count} partitions"),
            };
            Found::Other(format!("not Home Assistant OS: a disk with {count} ({})", layout.kind))
        }
    }
}

fn unreadable<'a>(view: &Arc<dyn View>, sectors: u64, head: &[u8], error: &TableError) -> Found<'a> {
    if was_ours(view, sectors, head) {
        return Found::Damaged(Damage { what: error.to_string(), offset: Some(place(error)) });
    }
    let what = match error {
        TableError::None if looks_like_fat(head) => "a file system without a partition table (FAT or NTFS)".into(),
        TableError::None | TableError::HeadTooShort(_) => "data without a partition table".into(),
        damaged => format!("a disk whose partition table cannot be read: {damaged}"),
    };
    Found::Other(format!("not Home Assistant OS: {what}"))
}

/// Where on the disk the fault lies, as exactly as the error says.
fn place(error: &TableError) -> u64 {
    match error {
        TableError::Header(_) | TableError::Shape { .. } => SECTOR,
        TableError::Entries => 2 * SECTOR,
        TableError::Chain { at } | TableError::Loop { at } | TableError::Reading { at, .. } => {
            at.saturating_mul(SECTOR)
        }
        TableError::PastEnd { end, .. } => end.saturating_mul(SECTOR),
        _ => 0,
    }
}

/// Whether a disk that cannot be understood bears the marks of Home Assistant OS at one of its ends.
fn was_ours(view: &Arc<dyn View>, sectors: u64, head: &[u8]) -> bool {
    let count = sectors.min(GPT_TAIL);
    let mut tail = vec![0; (count * SECTOR) as usize];
    let tail_is_read = view.read_at((sectors - count) * SECTOR, &mut tail).is_ok();
    let has_data = |bytes: &[u8]| bytes.chunks_exact(16).any(|sixteen| *sixteen == DATA.0);
    let entries = head.get(2 * SECTOR_LEN..(2 + 32) * SECTOR_LEN).unwrap_or_default();
    le32(head, 440) == SIGNATURE || has_data(entries) || (tail_is_read && has_data(&tail))
}

/// An MBR has no names: partition 4 with the label of a data partition is one. A GPT disk with such a label may be an
/// external data disk.
fn holds_data(view: &Arc<dyn View>, layout: &Layout) -> bool {
    let Some(data) = layout.partition(4).filter(|_| layout.kind == TableKind::Mbr) else { return false };
    let mut superblock = [0; SUPERBLOCK_LEN];
    let at = data.offset().0.saturating_add(SUPERBLOCK_OFFSET);
    let is_read = view.read_at(at, &mut superblock).is_ok();
    is_read && Ext4::parse(&superblock).is_some_and(|ext4| ext4.label == DATA_LABEL)
}

fn looks_like_fat(head: &[u8]) -> bool {
    matches!(head.first(), Some(0xeb | 0xe9)) && head.get(510..512) == Some(&[0x55, 0xaa])
}

/// The table at the end says what the one at the beginning does; in an image as published, where that one says.
pub(super) fn check(card: &Card<'_>, findings: &mut Findings) {
    if let Err((error, sectors)) = ends_agree(card) {
        let (what, offset) = describe(&error, card.sectors, sectors);
        findings.damage(what, offset);
    }
}

fn ends_agree(card: &Card<'_>) -> Result<(), (BackupError, u64)> {
    match check_at(card, card.sectors) {
        Err(BackupError::Elsewhere { says, last }) if says < last => {
            check_at(card, says + 1).map_err(|error| (error, says + 1))
        }
        other => other.map_err(|error| (error, card.sectors)),
    }
}

fn check_at(card: &Card<'_>, sectors: u64) -> Result<(), BackupError> {
    let count = sectors.min(GPT_TAIL);
    let tail = card.read((sectors - count) * SECTOR, (count * SECTOR) as usize);
    check_backup(&card.layout, &tail.map_err(unread).unwrap_or_default(), sectors)
}

/// A tail of no bytes is what an unreadable one counts as.
fn unread(error: io::Error) {
    log::warn!("reading the table at the end: {error}");
}

fn describe(error: &BackupError, has: u64, sectors: u64) -> (String, u64) {
    let end = sectors.saturating_mul(SECTOR);
    match error {
        BackupError::Elsewhere { says, .. } if *says >= has => {
            let (says, has) = (Bytes((says + 1).saturating_mul(SECTOR)), Bytes(has.saturating_mul(SECTOR)));
            (format!("the card is cut off: its table is for {} bytes, it has {}", says.0, has.0), has.0)
        }
        BackupError::Damaged(TableError::Entries) => {
            (format!("{error}: its entries have a wrong checksum"), end.saturating_sub(GPT_TAIL * SECTOR))
        }
        BackupError::Damaged(why) => (format!("{error}: {why}"), end.saturating_sub(SECTOR)),
        BackupError::TooShort(_) => {
            ("the backup table at the end cannot be read".into(), end.saturating_sub(GPT_TAIL * SECTOR))
        }
        other => (other.to_string(), end.saturating_sub(SECTOR)),
    }
}
