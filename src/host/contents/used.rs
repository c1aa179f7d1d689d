//! How much of a file system is in use, by the counts that it keeps itself. They may be of its last good day: "about".

use super::volume::{Bits, Volume};
use crate::domain::size::Bytes;

/// Bytes in use by files in a file system of this kind; `None` where it keeps no count that is near.
pub fn used(volume: Volume<'_>, kind: &str) -> Option<Bytes> {
    let head = volume.head(4096);
    let used = match kind {
        "FAT" => fat(volume, &head),
        "exFAT" => exfat(&head),
        "ext2" | "ext3" | "ext4" => ext(&head),
        _ => None,
    };
    used.map(Bytes)
}

fn fat(volume: Volume<'_>, head: &Bits) -> Option<u64> {
    let (sector, per_cluster) = (u64::from(head.u16(11)?), u64::from(head.u8(13)?));
    let (reserved, copies) = (u64::from(head.u16(14)?), u64::from(head.u8(16)?));
    let either = |short: u16, long: u32| if short != 0 { u64::from(short) } else { u64::from(long) };
    let (all, table) = (either(head.u16(19)?, head.u32(32)?), either(head.u16(22)?, head.u32(36)?));
    let root = (u64::from(head.u16(17)?) * 32).checked_div(sector)?;
    let clusters = all.checked_sub(reserved + copies * table + root)?.checked_div(per_cluster)?;
    let in_use = match clusters {
        0..4085 => return None,
        4085..65_525 => fat16_clusters(volume, reserved * sector, clusters)?,
        _ => fat32_clusters(volume, u64::from(head.u16(48)?) * sector, clusters)?,
    };
    in_use.checked_mul(sector * per_cluster)
}

/// Its table is short enough to be counted.
fn fat16_clusters(volume: Volume<'_>, table: u64, clusters: u64) -> Option<u64> {
    let table = volume.at(table, (clusters + 2) * 2);
    let entries = table.get(4, usize::try_from(clusters * 2).ok()?)?;
    Some(entries.chunks_exact(2).filter(|entry| *entry != [0, 0]).count() as u64)
}

/// FAT32 notes the number of free clusters in a sector of its own.
fn fat32_clusters(volume: Volume<'_>, note: u64, clusters: u64) -> Option<u64> {
    let note = volume.at(note, 512);
    let noted = note.is(0, b"RRaA") && note.is(484, b"rrAa");
    clusters.checked_sub(u64::from(note.u32(488).filter(|_| noted)?))
}

/// Whole percent of the clusters: too coarse to say anything below one.
fn exfat(head: &Bits) -> Option<u64> {
    let percent = u64::from(head.u8(112)?);
    let shift = u32::from(head.u8(108)?) + u32::from(head.u8(109)?);
    let all = u64::from(head.u32(92)?).checked_mul(1u64.checked_shl(shift)?)?;
    (1..=100).contains(&percent).then_some(all / 100 * percent)
}

/// Without the file system's own tables and journal, where their size is noted.
fn ext(head: &Bits) -> Option<u64> {
    const IS_64_BIT: u32 = 0x80;
    let at = |offset: usize| head.u32(1024 + offset).map(u64::from);
    let wide = head.u32(1024 + 0x60)? & IS_64_BIT != 0;
    let high = |offset: usize| if wide { at(offset) } else { Some(0) };
    let blocks = at(4)? | high(0x150)? << 32;
    let free = at(12)? | high(0x158)? << 32;
    let overhead = at(0x248).filter(|overhead| *overhead > 0)?;
    let block = 1024u64.checked_shl(head.u32(1024 + 24)?)?;
    blocks.checked_sub(free)?.checked_sub(overhead)?.checked_mul(block)
}
