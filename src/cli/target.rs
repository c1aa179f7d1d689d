//! What `--to` names: a regular file, a loop device, or a disk of this machine.

use std::fs::{self, OpenOptions};
use std::os::linux::fs::MetadataExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::disk::DiskId;
use crate::domain::progress::StopFlag;
use crate::domain::size::Bytes;
use crate::host::Host;
use crate::host::linux::machine::LinuxHost;
use crate::host::scratch::{ScratchHost, ScratchSpec};

/// Major number of loop devices (linux/major.h).
const LOOP_MAJOR: u64 = 7;

/// A card and the host that opens it.
pub struct Target {
    pub host: Arc<dyn Host>,
    pub disk: DiskId,
    /// A file or loop device: no USB rule, no lower limit (AP-4).
    pub as_file: bool,
}

/// Finds the target; `--size` makes a file that is not there yet. `not` are files that it must not be.
pub fn find(to: &Path, size: Option<Bytes>, not: &[&Path]) -> Result<Target, String> {
    if !to.exists() {
        make_file(to, size)?;
    } else if let Some(size) = size {
        set_size(to, size)?;
    }
    let kind = fs::metadata(to).map_err(|error| format!("{}: {error}", to.display()))?;
    let same =
        |other: &&&Path| fs::metadata(other).is_ok_and(|o| (o.st_dev(), o.st_ino()) == (kind.st_dev(), kind.st_ino()));
    if let Some(same) = not.iter().find(same) {
        return Err(format!("{} is {}: the card must be another file.", to.display(), same.display()));
    }
    let is_loop = kind.file_type().is_block_device() && kind.st_rdev() >> 8 & 0xfff == LOOP_MAJOR;
    if kind.is_file() || is_loop {
        return Ok(file_target(to));
    }
    if !kind.file_type().is_block_device() {
        return Err(format!("{} is neither a file nor a disk.", to.display()));
    }
    disk_target(to)
}

fn file_target(path: &Path) -> Target {
    let host = ScratchHost::new();
    let spec = ScratchSpec {
        vendor: "File".into(),
        model: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        serial: String::new(),
        bus_path: fs::canonicalize(path).unwrap_or_else(|_| path.into()).display().to_string(),
        ..ScratchSpec::new(path)
    };
    let disk = host.add("file", spec);
    Target { host: Arc::new(host), disk, as_file: true }
}

fn disk_target(path: &Path) -> Result<Target, String> {
    let real: PathBuf = fs::canonicalize(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let name = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let host = LinuxHost::new(StopFlag::new());
    Ok(Target { host: Arc::new(host), disk: DiskId(name), as_file: false })
}

fn make_file(path: &Path, size: Option<Bytes>) -> Result<(), String> {
    let Some(size) = size else {
        return Err(format!("{} does not exist. Give --size (for example 8G) to make it.", path.display()));
    };
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|file| file.set_len(size.0)).map_err(|error| format!("making {}: {error}", path.display()))
}

/// A file that is there is never cut: it may be somebody's.
fn set_size(path: &Path, size: Bytes) -> Result<(), String> {
    let data = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if !data.is_file() {
        return Err(format!("--size is for files; {} is a disk.", path.display()));
    }
    if data.len() == size.0 {
        return Ok(());
    }
    if data.len() > size.0 {
        return Err(format!("{} has {} already, more than --size says.", path.display(), Bytes(data.len())));
    }
    let file = OpenOptions::new().write(true).open(path);
    file.and_then(|file| file.set_len(size.0)).map_err(|error| format!("enlarging {}: {error}", path.display()))
}
