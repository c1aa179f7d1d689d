//! Whole disks as `/sys/block` lists them (DV-1): everything that is known of a disk without opening it.
//!
//! Files of sysfs come and go while they are read. A missing one gives a default, a disk that vanished meanwhile is left
//! out.

pub mod attr;
pub mod place;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::domain::disk::{Access, Contents, Disk, DiskId};
use crate::domain::size::{Bytes, SECTOR};
use crate::host::HostError;
use crate::host::readable::readable;

use super::under::mounts::DevNumber;
use place::Place;

/// A disk of the list, and what only this floor needs of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Without what only opening tells: access, contents and fingerprint are empty, the plug number is 1.
    pub disk: Disk,
    /// The number of the card itself (CID), where the reader tells it.
    pub medium_id: String,
    /// Grows with each plug and each change of medium (Linux 5.15 and later).
    pub diskseq: Option<u64>,
    /// Path of the device below `/sys` with its SCSI host number, which is another one after each plug.
    pub device_path: String,
}

/// Every whole disk below `root` (`/` on the real machine), in the order of their names.
pub fn find(root: &Path) -> Result<Vec<Found>, HostError> {
    let sys = root.join("sys");
    let looking = |source| HostError::Looking { what: sys.join("block").display().to_string(), source };
    let sys = fs::canonicalize(&sys).map_err(looking)?;
    fs::read_dir(sys.join("block")).map_err(looking)?;
    let places: Vec<(String, PathBuf, Place)> =
        attr::names(&sys.join("block")).into_iter().filter_map(|name| located(&sys, name)).collect();
    let around = Around { slots: slots(places.iter().map(|(_, _, place)| place)), loops: loops(&sys) };
    Ok(places.iter().filter_map(|(name, dir, place)| describe(&sys, name, dir, place, &around)).collect())
}

/// Whether a device number is that of the disk: a node in `/dev` may be an old one, made before the numbers were given
/// anew, and what is opened by its name is then another disk.
pub fn is_device(root: &Path, id: &DiskId, device: Option<DevNumber>) -> bool {
    let number = attr::text(&root.join("sys/block").join(&id.0), "dev").parse();
    device.is_some_and(|device| number == Ok(device))
}

/// What the node of a block device stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    Disk(DiskId),
    /// A partition, and the disk that it is on.
    Partition(DiskId),
    /// A loop device, and the file that it stands upon; empty where it has none.
    Loop(PathBuf),
    /// The kernel has no such device, or none that leads to one disk.
    Other,
}

/// By the device's number: a node may have any name.
pub fn node(root: &Path, device: DevNumber) -> Node {
    let Ok(dir) = fs::canonicalize(root.join("sys/dev/block").join(device.to_string())) else { return Node::Other };
    let name = |dir: &Path| dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if dir.join("partition").exists() {
        return dir.parent().map_or(Node::Other, |disk| Node::Partition(DiskId(name(disk))));
    }
    match name(&dir) {
        name if name.starts_with("loop") => Node::Loop(attr::text(&dir.join("loop"), "backing_file").into()),
        name if is_whole_disk(&name, &dir) => Node::Disk(DiskId(name)),
        _ => Node::Other,
    }
}

/// The loop devices that stand upon something, by name, with its path.
pub fn loop_files(root: &Path) -> Vec<(String, PathBuf)> {
    let all = loops(&root.join("sys")).into_iter();
    all.filter(|(_, file)| !file.is_empty()).map(|(name, file)| (name, file.into())).collect()
}

fn located(sys: &Path, name: String) -> Option<(String, PathBuf, Place)> {
    let dir = fs::canonicalize(sys.join("block").join(&name)).ok()?;
    let place = Place::new(dir.strip_prefix(sys).ok()?);
    is_whole_disk(&name, &dir).then_some((name, dir, place))
}

/// Leaves out what is no disk to put a card's content on: memory, loops, optical drives, what is built upon other disks,
/// a chip's boot areas, and the paths of a multipath disk, which have no node of their own.
fn is_whole_disk(name: &str, dir: &Path) -> bool {
    const NEVER: [&str; 8] = ["loop", "ram", "zram", "dm-", "md", "sr", "fd", "mtdblock"];
    let numbered = |word: &str| name.strip_prefix(word).is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit()));
    // Named arrays are called md_name instead of md127.
    let never = NEVER.into_iter().any(numbered) || name.starts_with("md_");
    let chip_area =
        name.starts_with("mmcblk") && (name.contains("boot") || name.contains("rpmb") || name.contains("gp"));
    let unused = name.starts_with("nbd") && size(dir) == Bytes::ZERO;
    let built_upon_others = !attr::names(&dir.join("slaves")).is_empty();
    !(never || chip_area || unused || built_upon_others || attr::is_set(dir, "hidden"))
}

/// In sysfs a size is always in units of 512 bytes, whatever the disk's own sectors are.
fn size(dir: &Path) -> Bytes {
    Bytes(attr::number::<u64>(dir, "size").and_then(|sectors| sectors.checked_mul(SECTOR)).unwrap_or(0))
}

/// USB interfaces that lead to more than one logical unit: readers with several slots.
fn slots<'a>(places: impl Iterator<Item = &'a Place>) -> BTreeSet<PathBuf> {
    let mut units: BTreeMap<PathBuf, BTreeSet<u32>> = BTreeMap::new();
    for place in places {
        if let (Some(interface), Some(lun)) = (place.usb_interface(), place.lun()) {
            units.entry(interface).or_default().insert(lun);
        }
    }
    units.into_iter().filter(|(_, luns)| luns.len() > 1).map(|(interface, _)| interface).collect()
}

/// What one disk has to do with the others.
struct Around {
    /// USB interfaces of readers with several slots.
    slots: BTreeSet<PathBuf>,
    /// Loop devices by name and what they stand upon.
    loops: Vec<(String, String)>,
}

fn describe(sys: &Path, name: &str, dir: &Path, place: &Place, around: &Around) -> Option<Found> {
    let size = size(dir);
    let names = Names::read(sys, dir, place);
    let slot =
        place.usb_interface().filter(|i| around.slots.contains(i)).and(place.lun()).and_then(|lun| lun.checked_add(1));
    let disk = Disk {
        id: DiskId(name.to_owned()),
        // The kernel writes a slash in a device's name as an exclamation mark.
        path: Path::new("/dev").join(name.replace('!', "/")),
        size,
        vendor: names.vendor,
        model: names.model,
        serial: names.serial,
        transport: place.transport(),
        bus_path: place.bus_path(),
        slot,
        removable: attr::is_set(dir, "removable"),
        read_only: attr::is_set(dir, "ro"),
        medium: size > Bytes::ZERO,
        sector: attr::number(&dir.join("queue"), "logical_block_size").unwrap_or(SECTOR as u32),
        holders: holders(name, dir, &around.loops),
        access: Access::Free,
        contents: Contents::default(),
        fingerprint: None,
        plug: 1,
        plugged_at: None,
        scratch: false,
    };
    let medium_id = attr::text(&dir.join("device"), "cid");
    let found = Found { disk, medium_id, diskseq: attr::number(dir, "diskseq"), device_path: place.device_path() };
    dir.join("dev").exists().then_some(found)
}

/// Who holds the disk or one of its partitions: dm, md and loop devices built upon it.
fn holders(name: &str, dir: &Path, loops: &[(String, String)]) -> Vec<String> {
    let parts = attr::names(dir).into_iter().filter(|entry| entry.starts_with(name));
    let parts = parts.map(|entry| dir.join(entry)).filter(|part| part.join("partition").exists());
    let mut holders: BTreeSet<String> = attr::names(&dir.join("holders")).into_iter().collect();
    holders.extend(parts.flat_map(|part| attr::names(&part.join("holders"))));
    holders.extend(loops.iter().filter(|(_, file)| is_part_of(file, name)).map(|(name, _)| name.clone()));
    holders.into_iter().collect()
}

/// Loop devices and what they stand upon. The kernel neither lists them as holders nor keeps others off the disk below.
fn loops(sys: &Path) -> Vec<(String, String)> {
    let block = sys.join("block");
    let names = attr::names(&block).into_iter().filter(|name| name.starts_with("loop"));
    names
        .map(|name| {
            let file = attr::text(&block.join(&name).join("loop"), "backing_file");
            (name, file)
        })
        .collect()
}

/// Whether `/dev/sdb` or `/dev/sdb1` is the disk or a partition of it.
fn is_part_of(file: &str, disk: &str) -> bool {
    let Some(rest) = file.strip_prefix("/dev/").and_then(|node| node.strip_prefix(disk)) else { return false };
    let number = if disk.ends_with(|c: char| c.is_ascii_digit()) { rest.strip_prefix('p') } else { Some(rest) };
    rest.is_empty() || number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// How the disk calls itself.
struct Names {
    vendor: String,
    model: String,
    serial: String,
}

impl Names {
    /// From the device itself; what it leaves open, a USB disk's USB device tells.
    fn read(sys: &Path, dir: &Path, place: &Place) -> Names {
        let device = dir.join("device");
        let usb = place.usb_device().map(|path| sys.join(path));
        let usb = |attribute| usb.as_deref().map(|dir| attr::text(dir, attribute)).unwrap_or_default();
        let (name, here) = (attr::text(&device, "name"), attr::text(dir, "serial"));
        Names {
            vendor: first([maker(attr::text(&device, "vendor")), usb("manufacturer")]),
            model: first([attr::text(&device, "model"), name, usb("product")]),
            serial: first([attr::text(&device, "serial"), here, unit_serial(&device), usb("serial")]),
        }
    }
}

fn first<const N: usize>(choices: [String; N]) -> String {
    choices.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
}

/// "ATA" is said of every SATA disk, and virtio gives a number: neither is a maker.
fn maker(vendor: String) -> String {
    if vendor == "ATA" || vendor.starts_with("0x") { String::new() } else { vendor }
}

/// SCSI's page 0x80, "unit serial number": four bytes of header, of which two are the length, then the number.
fn unit_serial(device: &Path) -> String {
    let page = attr::bytes(device, "vpd_pg80").unwrap_or_default();
    match page.as_slice() {
        [_, 0x80, high, low, rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            readable(rest.get(..length).unwrap_or(rest))
        }
        _ => String::new(),
    }
}
