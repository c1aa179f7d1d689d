//! The families whose first sector is a PC's boot sector: FAT, exFAT and NTFS. Their labels lie in the file system itself.

use super::Filesystem;
use super::volume::{Bits, Volume};
use crate::host::readable::{readable, until_nul, until_nul_utf16};

/// How much of a root directory is searched for the label: it is among the first entries.
const ROOT: u64 = 16 << 10;

pub fn probe(volume: Volume<'_>, head: &Bits) -> Option<Filesystem> {
    if !head.is(510, &[0x55, 0xaa]) {
        return None;
    }
    if head.is(3, b"EXFAT   ") {
        return Some(Filesystem { kind: "exFAT", label: exfat_label(volume, head).unwrap_or_default() });
    }
    if head.is(3, b"NTFS    ") {
        return Some(Filesystem { kind: "NTFS", label: ntfs_label(volume, head).unwrap_or_default() });
    }
    let fat = Fat::read(head)?;
    Some(Filesystem { kind: "FAT", label: fat.label(volume, head) })
}

/// Where the parts of a FAT lie, in bytes.
struct Fat {
    root: u64,
    /// Length of the root directory of FAT12 and FAT16; FAT32's is a chain of clusters.
    root_length: Option<u64>,
    cluster: u64,
}

impl Fat {
    /// A partition table's sector ends in the same two bytes: the numbers must make sense before it is called a FAT.
    fn read(head: &Bits) -> Option<Fat> {
        let sector = u64::from(head.u16(11)?);
        let (per_cluster, reserved, copies) = (head.u8(13)?, u64::from(head.u16(14)?), u64::from(head.u8(16)?));
        let jump = head.is(0, &[0xe9]) || (head.is(0, &[0xeb]) && head.is(2, &[0x90]));
        let sane = jump
            && [512, 1024, 2048, 4096].contains(&sector)
            && per_cluster.is_power_of_two()
            && reserved > 0
            && (1..=2).contains(&copies)
            && head.u8(21)? >= 0xf0;
        let (short, long) = (u64::from(head.u16(22)?), u64::from(head.u32(36)?));
        let table = if short != 0 { short } else { long };
        if !sane || table == 0 {
            return None;
        }
        let cluster = sector * u64::from(per_cluster);
        let behind_tables = sector * (reserved + copies * table);
        let entries = u64::from(head.u16(17)?);
        if entries != 0 {
            return Some(Fat { root: behind_tables, root_length: Some(entries * 32), cluster });
        }
        let first = u64::from(head.u32(44)?).checked_sub(2)?;
        Some(Fat { root: behind_tables.checked_add(first.checked_mul(cluster)?)?, root_length: None, cluster })
    }

    /// The root directory's entry counts; the boot sector's copy is often left as "NO NAME".
    fn label(&self, volume: Volume<'_>, head: &Bits) -> String {
        let length = self.root_length.unwrap_or(self.cluster).min(ROOT);
        let root = volume.at(self.root, length);
        let entries = root.0.chunks_exact(32).take_while(|entry| entry[0] != 0);
        // The entry with attribute "volume label" alone; long names have more bits set, 0xe5 marks an erased one.
        let mut labels = entries.filter(|entry| entry[11] & 0x3f == 0x08 && entry[0] != 0xe5);
        if let Some(entry) = labels.next() {
            return readable(&entry[..11]);
        }
        let at = if self.root_length.is_some() { 43 } else { 71 };
        let label = readable(head.field(at, 11));
        // The extended fields are there only behind their own mark.
        if label == "NO NAME" || !head.is(at - 5, &[0x29]) { String::new() } else { label }
    }
}

fn exfat_label(volume: Volume<'_>, head: &Bits) -> Option<String> {
    let sector = 1u64.checked_shl(u32::from(head.u8(108)?)).filter(|size| (512..=4096).contains(size))?;
    let cluster = sector.checked_shl(u32::from(head.u8(109)?)).filter(|size| (512..=32 << 20).contains(size))?;
    let heap = u64::from(head.u32(88)?) * sector;
    let root = u64::from(head.u32(96)?.checked_sub(2)?).checked_mul(cluster)?.checked_add(heap)?;
    let root = volume.at(root, cluster.min(ROOT));
    let mut entries = root.0.chunks_exact(32).take_while(|entry| entry[0] != 0);
    let entry = entries.find(|entry| entry[0] == 0x83)?;
    Some(until_nul_utf16(entry.get(2..2 + 2 * usize::from(entry[1].min(11)))?))
}

/// The name in the record of the file `$Volume`, which is always number 3.
fn ntfs_label(volume: Volume<'_>, head: &Bits) -> Option<String> {
    const VOLUME: u64 = 3;
    let cluster = u64::from(head.u16(11)?) * u64::from(head.u8(13)?);
    let record = match head.u8(64)? as i8 {
        // Small records are given as a power of two, large ones in clusters.
        small @ -16..=-9 => 1 << small.unsigned_abs(),
        clusters => cluster.checked_mul(u64::try_from(clusters).ok()?)?,
    };
    let table = head.u64(48)?.checked_mul(cluster)?;
    let record = volume.at(table.checked_add(VOLUME * record)?, record.min(4096));
    record.is(0, b"FILE").then(|| volume_name(&record))?
}

fn volume_name(record: &Bits) -> Option<String> {
    const NAME: u32 = 0x60;
    const END: u32 = 0xffff_ffff;
    let mut at = usize::from(record.u16(20)?);
    loop {
        let (kind, length) = (record.u32(at)?, usize::try_from(record.u32(at + 4)?).ok()?);
        if kind == NAME {
            let (size, from) = (record.u32(at + 16)?.min(256) as usize, usize::from(record.u16(at + 20)?));
            return Some(until_nul_utf16(record.field(at + from, size)));
        }
        if kind == END || length < 16 {
            return None;
        }
        at = at.checked_add(length)?;
    }
}

/// Whether the first sector is a boot sector of one of these: then what looks like a table in it is none.
pub fn fills_first_sector(found: &Filesystem) -> bool {
    ["FAT", "exFAT", "NTFS"].contains(&found.kind)
}

/// A label field of plain bytes, for the other families.
pub fn plain(head: &Bits, offset: usize, length: usize) -> String {
    until_nul(head.field(offset, length))
}
