//! Partition tables as genimage writes them for Home Assistant OS. Written apart from the code that grows tables, so that
//! a mistake in one shows in the other.

use super::geometry::{Geometry, MIB, Part, Slot};
use crate::domain::layout::{Guid, TableKind};

const SECTOR: usize = 512;
const ESP: &str = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
const LINUX: &str = "0fc63daf-8483-4772-8e79-3d69d8477de4";
const UBOOT: &str = "e3c9e316-0b5c-4db8-817d-f92df00215ae";
const EXTENDED: u8 = 0x0f;
/// "Hass".
const DISK_SIGNATURE: u32 = 0x4861_7373;

/// Name, type and UUID, the same on every disk; the UUID of `uboot` is new in each build.
fn gpt_words(part: Part) -> (&'static str, &'static str, Option<&'static str>) {
    match part {
        Part::Uboot => ("uboot", UBOOT, None),
        Part::Boot => ("hassos-boot", ESP, Some("b3dd0952-733c-4c88-8cba-cab9b8b4377f")),
        Part::Kernel0 => ("hassos-kernel0", LINUX, Some("26700fc6-b0bc-4ccf-9837-ea1a4cba3e65")),
        Part::System0 => ("hassos-system0", LINUX, Some("8d3d53e3-6d49-4c38-8349-aff6859e82fd")),
        Part::Kernel1 => ("hassos-kernel1", LINUX, Some("fc02a4f0-5350-406f-93a2-56cbed636b5f")),
        Part::System1 => ("hassos-system1", LINUX, Some("a3ec664e-32ce-4665-95ea-7ae90ce9aa20")),
        Part::Bootstate => ("hassos-bootstate", LINUX, Some("33236519-7f32-4dff-8002-3390b62c309d")),
        Part::Overlay => ("hassos-overlay", LINUX, Some("f1326040-5236-40eb-b683-aaa100a9afcf")),
        Part::Data => ("hassos-data", LINUX, Some("a52a4597-fa3a-4851-aefd-2fbe9f849079")),
    }
}

/// Bytes to put at byte offsets of the image.
pub(super) type Patches = Vec<(u64, Vec<u8>)>;

/// The whole table of an image of `sectors`. `disk` and `uboot` are what a build makes up.
pub(super) fn write(geometry: &Geometry, sectors: u64, disk: Guid, uboot: Guid) -> Patches {
    match geometry.kind {
        TableKind::Mbr => mbr(geometry),
        _ => gpt(geometry, sectors, disk, uboot),
    }
}

fn gpt(geometry: &Geometry, sectors: u64, disk: Guid, uboot: Guid) -> Patches {
    let mut entries = vec![0; 128 * 128];
    for slot in &geometry.slots {
        let at = (slot.number as usize - 1) * 128;
        entries[at..at + 128].copy_from_slice(&gpt_entry(slot, uboot));
    }
    let last = sectors - 1;
    let primary = gpt_header(geometry, [1, last, 2], last, disk, &entries);
    let backup = gpt_header(geometry, [last, 1, last - 32], last, disk, &entries);
    let boot = geometry.slot(Part::Boot).map(|slot| mbr_entry(0, 0x0c, slot.start, slot.sectors, 0));
    let mbr = match (geometry.kind, boot) {
        // The protective entry ends with the entries of the GPT: 33 sectors.
        (TableKind::HybridGpt, Some(boot)) => vec![boot, mbr_entry(0, 0xee, 1, 33, 0)],
        _ => vec![mbr_entry(0, 0xee, 1, last, 0)],
    };
    let mut backup_sector = backup;
    backup_sector.resize(SECTOR, 0);
    vec![
        (440, mbr_tail(0, &mbr)),
        (512, primary),
        (1024, entries.clone()),
        ((last - 32) * 512, [entries, backup_sector].concat()),
    ]
}

fn gpt_entry(slot: &Slot, uboot: Guid) -> Vec<u8> {
    let (name, kind, uuid) = gpt_words(slot.part);
    let guid = |text: &str| text.parse::<Guid>().unwrap_or_default().0;
    let mut entry = Vec::with_capacity(128);
    entry.extend(guid(kind));
    entry.extend(uuid.map_or(uboot.0, guid));
    entry.extend(slot.start.to_le_bytes());
    entry.extend((slot.end() - 1).to_le_bytes());
    entry.extend(0_u64.to_le_bytes());
    entry.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
    entry.resize(128, 0);
    entry
}

/// `place`: own sector, the other header's, the entries'.
fn gpt_header(geometry: &Geometry, place: [u64; 3], last: u64, disk: Guid, entries: &[u8]) -> Vec<u8> {
    let [own, other, table] = place;
    let with_crc = |crc: u32| {
        let mut header = b"EFI PART".to_vec();
        for word in [0x0001_0000, 92, crc, 0] {
            header.extend(u32::to_le_bytes(word));
        }
        for position in [own, other, geometry.first_usable, last - 33] {
            header.extend(position.to_le_bytes());
        }
        header.extend(disk.0);
        header.extend(table.to_le_bytes());
        for word in [128, 128, crc32fast::hash(entries)] {
            header.extend(u32::to_le_bytes(word));
        }
        header
    };
    with_crc(crc32fast::hash(&with_crc(0)))
}

fn mbr(geometry: &Geometry) -> Patches {
    let logical: Vec<&Slot> = geometry.slots.iter().filter(|slot| slot.number >= 5).collect();
    let inside = |slot: &&&Slot| slot.number < 5;
    let (first, last) = (logical.first().map_or(0, |s| s.start - MIB), logical.last().map_or(0, |s| s.end()));
    let mut entries = vec![Vec::new(); 4];
    entries[1] = mbr_entry(0, EXTENDED, first, last - first, 0);
    for slot in geometry.slots.iter().filter(|slot| inside(&slot)) {
        let (flag, kind) = if slot.part == Part::Boot { (0x80, 0x0c) } else { (0, 0x83) };
        entries[slot.number as usize - 1] = mbr_entry(flag, kind, slot.start, slot.sectors, 0);
    }
    let mut patches = vec![(440, mbr_tail(DISK_SIGNATURE, &entries))];
    for (place, slot) in logical.iter().enumerate() {
        let link = slot.start - MIB;
        let mut pair = vec![mbr_entry(0, 0x83, MIB, slot.sectors, link)];
        if let Some(next) = logical.get(place + 1) {
            pair.push(mbr_entry(0, EXTENDED, next.start - MIB - first, next.sectors + MIB, first));
        }
        patches.push((link * 512 + 440, mbr_tail(0, &pair)));
    }
    patches
}

/// An entry; `base` is what its start counts from, for the cylinders are absolute.
fn mbr_entry(flag: u8, kind: u8, start: u64, sectors: u64, base: u64) -> Vec<u8> {
    let mut entry = vec![flag];
    entry.extend(chs(base + start));
    entry.push(kind);
    entry.extend(chs(base + start + sectors - 1));
    entry.extend((start as u32).to_le_bytes());
    entry.extend((sectors as u32).to_le_bytes());
    entry
}

/// genimage lets cylinders run over; sfdisk stops at the last one.
fn chs(sector: u64) -> [u8; 3] {
    let (cylinder, head, number) = (sector / 63 / 255, sector / 63 % 255, sector % 63 + 1);
    [head as u8, ((cylinder & 0x300) >> 2) as u8 | number as u8, cylinder as u8]
}

/// Bytes 440–511 of a sector with a table.
fn mbr_tail(signature: u32, entries: &[Vec<u8>]) -> Vec<u8> {
    let mut tail = signature.to_le_bytes().to_vec();
    tail.extend([0, 0]);
    tail.extend(entries.iter().flatten());
    tail.resize(70, 0);
    tail.extend([0x55, 0xaa]);
    tail
}
