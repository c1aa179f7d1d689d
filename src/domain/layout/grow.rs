//! The table of an image, grown to a card (WR-4): what `sfdisk --relocate gpt-bak-std` and then `, +` on the data
//! partition write, as Home Assistant OS itself does at its first boot. `tests/layout.rs` compares byte by byte.

use super::bytes::put;
use super::{
    DataError, GPT_TAIL, HEAD_MIN, Layout, Partition, SECTOR_LEN, TableKind, data_partition, gpt, mbr,
    overlay_partition, usable_end,
};
use crate::domain::size::{Bytes, SECTOR};

/// The one shape that images have, and that 33 sectors at the end of a card hold.
const ENTRIES: (u32, u64) = (128, 2);
/// What tools write for a place that heads and cylinders cannot say.
const CHS_MAX: [u8; 3] = [0xfe, 0xff, 0xff];

/// Everything that changes on a card when its data partition grows; nothing else may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrowPlan {
    /// The data partition as the image has it.
    pub data_before: Partition,
    /// The same with another length.
    pub data_after: Partition,
    /// Where name and network settings go; `None`: the image has no such partition.
    pub overlay: Option<Partition>,
    /// The beginning of the card: as much as was given of the image's, with the grown table.
    pub head: Vec<u8>,
    /// Where the card's last 33 sectors begin and what they hold: the backup GPT. `None` with an MBR.
    pub tail: Option<(u64, Vec<u8>)>,
}

/// Why a table cannot be grown to a card.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrowError {
    #[error("finding the data partition")]
    Data(#[from] DataError),
    #[error("the image needs {need}, the card has {has}")]
    CardTooSmall { need: Bytes, has: Bytes },
    #[error("a table of {count} entries at sector {at} cannot be grown, only one of 128 at sector 2")]
    Shape { count: u32, at: u64 },
    #[error("{0} bytes of the image's beginning are too few, {HEAD_MIN} are needed")]
    HeadTooShort(usize),
}

impl GrowPlan {
    /// Plans for a card of `card_sectors`. `head` is what `layout` was read from, at least [`HEAD_MIN`] bytes; the plan's
    /// head has its length.
    pub fn new(layout: &Layout, head: &[u8], card_sectors: u64) -> Result<GrowPlan, GrowError> {
        let before = data_partition(layout)?;
        if head.len() < HEAD_MIN {
            return Err(GrowError::HeadTooShort(head.len()));
        }
        let end = usable_end(layout.kind, card_sectors);
        // An MBR's data partition may be cut to a card that holds all of the image: its file system ends there too.
        let keeps = layout.kind == TableKind::Mbr || end >= before.end();
        if card_sectors < layout.end || end <= before.start || !keeps {
            return Err(too_small(layout, card_sectors));
        }
        let after = Partition { sectors: end - before.start, ..before.clone() };
        let overlay = overlay_partition(layout).ok().cloned();
        let data_before = before.clone();
        let mut plan = GrowPlan { data_before, data_after: after, overlay, head: head.to_vec(), tail: None };
        match layout.kind {
            TableKind::Mbr => plan.grow_mbr(),
            kind => plan.grow_gpt(layout, kind, card_sectors)?,
        }
        Ok(plan)
    }

    /// Entry 4: the count, and the end in cylinders as far as those reach.
    fn grow_mbr(&mut self) {
        let at = mbr::ENTRIES + ((self.data_after.number as usize).saturating_sub(1)) * mbr::ENTRY;
        // `usable_end` keeps the end within 32 bits: it fits.
        let count = u32::try_from(self.data_after.sectors).unwrap_or(u32::MAX);
        put(&mut self.head, at + 5, &chs(self.data_after.end() - 1));
        put(&mut self.head, at + 12, &count.to_le_bytes());
    }

    fn grow_gpt(&mut self, layout: &Layout, kind: TableKind, card_sectors: u64) -> Result<(), GrowError> {
        let shape = layout.gpt.as_ref().map(|header| (header.entry_count, header.entries_lba));
        if shape != Some(ENTRIES) {
            let (count, at) = shape.unwrap_or_default();
            return Err(GrowError::Shape { count, at });
        }
        if kind == TableKind::Gpt {
            protect(&mut self.head, card_sectors);
        }
        let entry = 2 * SECTOR_LEN + ((self.data_after.number as usize).saturating_sub(1)) * gpt::ENTRY;
        put(&mut self.head, entry + gpt::LAST_LBA, &(self.data_after.end() - 1).to_le_bytes());
        self.place_tables(card_sectors);
        Ok(())
    }

    /// Signs the header at the beginning, and makes the table at the end from it.
    fn place_tables(&mut self, card_sectors: u64) {
        let (front, entries) = self.head.split_at_mut(2 * SECTOR_LEN);
        let header = front.split_at_mut(SECTOR_LEN).1;
        let entries = entries.split_at(HEAD_MIN - 2 * SECTOR_LEN).0;
        gpt::place_header(header, false, card_sectors, entries);
        let mut backup = header.to_vec();
        gpt::place_header(&mut backup, true, card_sectors, entries);
        self.tail = Some((card_sectors - GPT_TAIL, [entries, &backup].concat()));
    }
}

fn too_small(layout: &Layout, card_sectors: u64) -> GrowError {
    let need = Bytes(layout.end.saturating_mul(SECTOR));
    GrowError::CardTooSmall { need, has: Bytes(card_sectors.saturating_mul(SECTOR)) }
}

/// One protective entry over the whole card, or as much of it as 32 bits can say. The code before it stays, and so does
/// the signature behind it.
fn protect(head: &mut [u8], card_sectors: u64) {
    let size = u32::try_from(card_sectors.saturating_sub(1)).unwrap_or(u32::MAX);
    let mut entries = [0; 4 * mbr::ENTRY];
    put(&mut entries, 0, &[0x00, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff, 0x01, 0x00, 0x00, 0x00]);
    put(&mut entries, 12, &size.to_le_bytes());
    put(head, mbr::ENTRIES, &entries);
}

/// A sector as cylinder, head and sector on a disk of 255 heads and 63 sectors; the last place there is where that is
/// not enough (8 GB), as sfdisk does.
fn chs(sector: u64) -> [u8; 3] {
    let (cylinder, rest) = (sector / (255 * 63), sector % (255 * 63));
    match u16::try_from(cylinder) {
        Ok(cylinder @ 0..=1023) => {
            [(rest / 63) as u8, (rest % 63 + 1) as u8 | (cylinder >> 2) as u8 & 0xc0, cylinder as u8]
        }
        _ => CHS_MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_said_in_cylinders_as_sfdisk_does() {
        // Read from tables that sfdisk 2.38 wrote.
        let cases = [
            (16384, [0x05, 0x05, 0x01]),
            (65535, [0x14, 0x10, 0x04]),
            (1_239_040, [0x20, 0x14, 0x4d]),
            (1_535_647, [0x96, 0x17, 0x5f]),
            (255 * 63 * 1024 - 1, [0xfe, 0xff, 0xff]),
            (255 * 63 * 1024, CHS_MAX),
            (u64::MAX, CHS_MAX),
        ];
        for (sector, expected) in cases {
            assert_eq!(chs(sector), expected, "{sector}");
        }
    }
}
