//! Which disks lie under a path, and which are in use at all (DV-3).
//!
//! What cannot be followed down to a disk is an error, never "no disk": an answer from here keeps the running system from
//! being erased.

pub mod mounts;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::stat::{major, minor};

use crate::domain::disk::DiskId;
use crate::host::HostError;

use super::sysfs::attr;
use mounts::{DevNumber, Mount, Swap, mount_of};

/// Deeper stacks than LUKS on LVM on RAID in a loop on LUKS on LVM are not believed.
const DEEPEST: u32 = 16;

/// Asks for the device of the file system that a path lies on.
pub type StatDev<'a> = &'a dyn Fn(&Path) -> io::Result<DevNumber>;

/// `st_dev` of a path, as the kernel answers it.
pub fn stat_dev(path: &Path) -> io::Result<DevNumber> {
    let dev = fs::metadata(path)?.dev();
    Ok(DevNumber { major: major(dev), minor: minor(dev) })
}

/// The disks under the file system that `path` lies on, through dm, md and loop devices.
///
/// Empty only for file systems in memory or on the network.
pub fn disks_under(root: &Path, path: &Path, stat: StatDev<'_>) -> Result<Vec<DiskId>, HostError> {
    let tree = Tree::new(root, stat).map_err(|source| looking("the mounts".into(), source))?;
    let mut disks = BTreeSet::new();
    tree.under_path(path, 0, &mut disks)
        .map_err(|source| looking(format!("what {} lies on", path.display()), source))?;
    Ok(disks.into_iter().collect())
}

/// The disks under every mount, every swap space and `/`.
pub fn disks_in_use(root: &Path, stat: StatDev<'_>) -> Result<Vec<DiskId>, HostError> {
    let tree = Tree::new(root, stat).map_err(|source| looking("the mounts".into(), source))?;
    let mut disks = BTreeSet::new();
    for mount in &tree.mounts {
        let what = || format!("what {} lies on", mount.point.display());
        tree.under_listed(mount, &mut disks).map_err(|source| looking(what(), source))?;
    }
    tree.under_swaps(&mut disks).map_err(|source| looking("the swap spaces".into(), source))?;
    tree.under_path(Path::new("/"), 0, &mut disks).map_err(|source| looking("what / lies on".into(), source))?;
    Ok(disks.into_iter().collect())
}

fn looking(what: String, source: io::Error) -> HostError {
    HostError::Looking { what, source }
}

/// Where a file system with a device number of its own (major 0) keeps its bytes.
enum Beneath {
    /// In memory or on the network.
    NoDisk,
    /// In directories of other file systems.
    Layers,
    /// On the devices that its source names.
    Devices,
    Unknown,
}

fn beneath(mount: &Mount) -> Beneath {
    const NO_DISK: [&str; 17] = [
        "tmpfs", "ramfs", "rootfs", "devtmpfs", "proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue", "nsfs",
        "nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs",
    ];
    match mount.filesystem.as_str() {
        kind if NO_DISK.contains(&kind) => Beneath::NoDisk,
        "overlay" => Beneath::Layers,
        _ if mount.source.starts_with("/dev/") => Beneath::Devices,
        _ => Beneath::Unknown,
    }
}

/// `/sys` and `/proc` below a root, and how to ask for a path's device.
struct Tree<'a> {
    sys: PathBuf,
    proc: PathBuf,
    mounts: Vec<Mount>,
    stat: StatDev<'a>,
}

impl<'a> Tree<'a> {
    fn new(root: &Path, stat: StatDev<'a>) -> io::Result<Tree<'a>> {
        let (sys, proc) = (fs::canonicalize(root.join("sys"))?, root.join("proc"));
        let mountinfo = fs::read(proc.join("self/mountinfo"))?;
        let mounts = mounts::mounts(&String::from_utf8_lossy(&mountinfo)).map_err(|line| unknown(&line))?;
        Ok(Tree { sys, proc, mounts, stat })
    }

    fn under_path(&self, path: &Path, depth: u32, disks: &mut BTreeSet<DiskId>) -> io::Result<()> {
        let dev = (self.stat)(path)?;
        if dev.major != 0 {
            return self.under_number(dev, depth, disks);
        }
        let listed = self.mounts.iter().rfind(|mount| mount.dev == dev);
        let mount = listed.or_else(|| self.hidden(path)).ok_or_else(|| unknown(&dev.to_string()))?;
        self.under_anonymous(mount, depth, disks)
    }

    /// A btrfs subvolume, and a file in an overlay, have numbers that no line of mountinfo shows: then the path decides.
    fn hidden(&self, path: &Path) -> Option<&Mount> {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        mount_of(&self.mounts, &path).filter(|mount| ["btrfs", "overlay"].contains(&mount.filesystem.as_str()))
    }

    /// A line of mountinfo. What is stacked upon other file systems is passed over here, as those have lines themselves,
    /// and so is what the kernel knows to need no device.
    fn under_listed(&self, mount: &Mount, disks: &mut BTreeSet<DiskId>) -> io::Result<()> {
        if mount.dev.major != 0 {
            return self.under_number(mount.dev, 0, disks);
        }
        match beneath(mount) {
            Beneath::Layers => Ok(()),
            Beneath::Unknown if mount.filesystem != "zfs" && self.needs_no_device(&mount.filesystem) => Ok(()),
            _ => self.under_anonymous(mount, 0, disks),
        }
    }

    /// `/proc/filesystems` says "nodev" of kinds that lie on no device. ZFS is one of them, although it fills disks.
    fn needs_no_device(&self, filesystem: &str) -> bool {
        let kind = filesystem.split('.').next().unwrap_or(filesystem);
        let known = fs::read_to_string(self.proc.join("filesystems")).unwrap_or_default();
        known.lines().filter_map(|line| line.strip_prefix("nodev")).any(|name| name.trim() == kind)
    }

    fn under_anonymous(&self, mount: &Mount, depth: u32, disks: &mut BTreeSet<DiskId>) -> io::Result<()> {
        let deeper = next(depth)?;
        match beneath(mount) {
            Beneath::NoDisk => Ok(()),
            Beneath::Layers if mount.layers().is_empty() => Err(unknown(&mount.options)),
            Beneath::Layers => mount.layers().iter().try_for_each(|dir| self.under_path(dir, deeper, disks)),
            Beneath::Devices if mount.filesystem == "btrfs" => self.under_btrfs(&mount.source, deeper, disks),
            // Bcachefs names all its devices, with colons in between.
            Beneath::Devices => {
                let mut nodes = mount.source.split(':').map(Path::new);
                nodes.try_for_each(|node| self.under_node(node, deeper, disks))
            }
            Beneath::Unknown => Err(unknown(&format!("{} on {}", mount.filesystem, mount.source))),
        }
    }

    /// A btrfs may lie on several devices, of which its mount names one: sysfs has them all.
    fn under_btrfs(&self, source: &str, depth: u32, disks: &mut BTreeSet<DiskId>) -> io::Result<()> {
        let device = self.device_of(Path::new(source))?;
        let name = device.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let systems = attr::names(&self.sys.join("fs/btrfs")).into_iter();
        let members = systems.map(|id| self.sys.join("fs/btrfs").join(id).join("devices"));
        let dir = members.into_iter().find(|dir| attr::names(dir).contains(&name)).ok_or_else(|| unknown(source))?;
        attr::names(&dir).iter().try_for_each(|member| self.under_device(&self.by_name(member)?, depth, disks))
    }

    fn under_swaps(&self, disks: &mut BTreeSet<DiskId>) -> io::Result<()> {
        let table = match fs::read(self.proc.join("swaps")) {
            // A kernel built without swap has no such file.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            table => table?,
        };
        let swaps = mounts::swaps(&String::from_utf8_lossy(&table)).map_err(|line| unknown(&line))?;
        swaps.iter().try_for_each(|swap| match swap {
            Swap::Device(node) => self.under_node(node, 0, disks),
            Swap::File(path) => self.under_file(path, 0, disks),
        })
    }

    /// Under a loop lies a file, or a disk itself: its node must not be taken for a file of the memory that `/dev` is.
    fn under_backing(&self, path: &Path, depth: u32, disks: &mut BTreeSet<DiskId>) -> io::Result<()> {
        let is_node = path.starts_with("/dev") && !path.starts_with("/dev/shm");
        if is_node { self.under_node(path, depth, disks) } else { self.under_file(path, depth, disks) }
    }

    /// A file that is held open: once deleted, it still lies where its directory does.
    fn under_file(&self, path: &Path, depth: u32, disks: &mut BTreeSet<DiskId>) -> io::Result<()> {
        match path.to_string_lossy().strip_suffix(" (deleted)").map(Path::new).and_then(Path::parent) {
            Some(dir) => self.under_path(dir, depth, disks),
            None => self.under_path(path, depth, disks),
        }
    }

    fn under_node(&self, node: &Path, depth: u32, disks: &mut BTreeSet<DiskId>) -> io::Result<()> {
        self.under_device(&self.device_of(node)?, depth, disks)
    }

    fn under_number(&self, dev: DevNumber, depth: u32, disks: &mut BTreeSet<DiskId>) -> io::Result<()> {
        self.under_device(&fs::canonicalize(self.sys.join("dev/block").join(dev.to_string()))?, depth, disks)
    }

    /// The sysfs directory of a device node. Nodes of dm are links that a container may lack: sysfs knows their names too.
    fn device_of(&self, node: &Path) -> io::Result<PathBuf> {
        let name = node.strip_prefix("/dev").map_err(|_| unknown(&node.display().to_string()))?;
        let mapped = name.strip_prefix("mapper").ok().and_then(|name| self.mapped(name));
        match mapped {
            Some(device) => Ok(device),
            None => self.by_name(&name.to_string_lossy().replace('/', "!")),
        }
    }

    fn mapped(&self, name: &Path) -> Option<PathBuf> {
        let block = self.sys.join("block");
        let is_it = |dir: &PathBuf| Path::new(&attr::text(&dir.join("dm"), "name")) == name;
        attr::names(&block)
            .into_iter()
            .map(|dir| block.join(dir))
            .find(is_it)
            .and_then(|dir| fs::canonicalize(dir).ok())
    }

    fn by_name(&self, name: &str) -> io::Result<PathBuf> {
        let block = self.sys.join("block");
        let whole = fs::canonicalize(block.join(name)).ok().filter(|_| !name.is_empty());
        let partition = || {
            let disks = attr::names(&block).into_iter().filter(|disk| name.starts_with(disk.as_str()));
            disks.filter_map(|disk| fs::canonicalize(block.join(disk).join(name)).ok()).find(|dir| is_block(dir))
        };
        whole.or_else(partition).ok_or_else(|| unknown(name))
    }

    /// From a device's sysfs directory down to disks.
    fn under_device(&self, device: &Path, depth: u32, disks: &mut BTreeSet<DiskId>) -> io::Result<()> {
        let deeper = next(depth)?;
        let disk = whole(device);
        let name = disk.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let backing = attr::bytes(&disk.join("loop"), "backing_file");
        let slaves = attr::names(&disk.join("slaves"));
        if let Some(file) = backing {
            self.under_backing(&as_path(&file), deeper, disks)
        } else if !slaves.is_empty() {
            let slaves = slaves.iter().map(|slave| fs::canonicalize(disk.join("slaves").join(slave)));
            slaves.into_iter().try_for_each(|slave| self.under_device(&slave?, deeper, disks))
        } else if name.starts_with("zram") || name.starts_with("ram") {
            self.under_memory(disk, deeper, disks)
        } else if is_disk(disk, &name) {
            disks.insert(DiskId(name));
            Ok(())
        } else {
            Err(unknown(&name))
        }
    }

    /// A zram may put what does not fit onto a device.
    fn under_memory(&self, disk: &Path, depth: u32, disks: &mut BTreeSet<DiskId>) -> io::Result<()> {
        match attr::text(disk, "backing_dev").as_str() {
            "" | "none" => Ok(()),
            node => self.under_node(Path::new(node), depth, disks),
        }
    }
}

fn next(depth: u32) -> io::Result<u32> {
    if depth < DEEPEST { Ok(depth + 1) } else { Err(io::Error::other("devices are stacked too deep")) }
}

fn unknown(what: &str) -> io::Error {
    io::Error::other(format!("no disk is known under {what:?}"))
}

fn is_block(dir: &Path) -> bool {
    dir.join("dev").exists() && dir.join("size").exists()
}

/// The disk of a partition, or of a chip's boot area: their directories lie in that of the disk.
fn whole(device: &Path) -> &Path {
    match device.parent() {
        Some(parent) if is_block(parent) => parent,
        _ => device,
    }
}

/// Something that bytes end up on. Below `devices/virtual` those are only the disks of a network and of NVMe multipath;
/// the rest stands upon something, and if sysfs does not show it, we do not know it.
fn is_disk(dir: &Path, name: &str) -> bool {
    let path = dir.to_string_lossy();
    is_block(dir)
        && (!path.contains("/devices/virtual/") || path.contains("/nvme-subsystem/") || name.starts_with("nbd"))
}

fn as_path(attribute: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    let end = attribute.strip_suffix(b"\n").unwrap_or(attribute);
    PathBuf::from(std::ffi::OsStr::from_bytes(end))
}
