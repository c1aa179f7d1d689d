//! What `--to` names: a regular file, a loop device, or a disk of this machine.

use std::fs::{self, OpenOptions};
use std::io;
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
    before: Before,
}

/// What `--size` changed.
enum Before {
    AsItIs,
    Missing(PathBuf),
    Shorter(PathBuf, u64),
}

impl Target {
    /// Nothing was written to it: a file that `--size` made goes, one that it enlarged gets its length back.
    pub fn put_back(&self) {
        let done = match &self.before {
            Before::AsItIs => Ok(()),
            Before::Missing(path) => fs::remove_file(path),
            Before::Shorter(path, length) => set_length(path, *length),
        };
        if let Err(error) = done {
            log::warn!("putting the card file back as it was: {error}");
        }
    }
}

/// Finds the target; `--size` makes a file that is not there yet. `not` are files that it must not be.
pub fn find(to: &Path, size: Option<Bytes>, not: &[&Path]) -> Result<Target, String> {
    let before = match (to.exists(), size) {
        (false, size) => make_file(to, size)?,
        (true, Some(size)) => {
            refuse_same(to, not)?;
            set_size(to, size)?
        }
        (true, None) => Before::AsItIs,
    };
    refuse_same(to, not)?;
    let kind = fs::metadata(to).map_err(|error| format!("{}: {error}", to.display()))?;
    let is_loop = kind.file_type().is_block_device() && kind.st_rdev() >> 8 & 0xfff == LOOP_MAJOR;
    if kind.is_file() || is_loop {
        return Ok(file_target(to, before));
    }
    if !kind.file_type().is_block_device() {
        return Err(format!("{} is neither a file nor a disk.", to.display()));
    }
    disk_target(to)
}

/// By inode: a link to the image is the image.
fn refuse_same(to: &Path, not: &[&Path]) -> Result<(), String> {
    let kind = fs::metadata(to).map_err(|error| format!("{}: {error}", to.display()))?;
    let same =
        |other: &&&Path| fs::metadata(other).is_ok_and(|o| (o.st_dev(), o.st_ino()) == (kind.st_dev(), kind.st_ino()));
    match not.iter().find(same) {
        Some(same) => Err(format!("{} is {}: the card must be another file.", to.display(), same.display())),
        None => Ok(()),
    }
}

fn file_target(path: &Path, before: Before) -> Target {
    let host = ScratchHost::new();
    let spec = ScratchSpec {
        vendor: "File".into(),
        model: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        serial: String::new(),
        bus_path: fs::canonicalize(path).unwrap_or_else(|_| path.into()).display().to_string(),
        ..ScratchSpec::new(path)
    };
    let disk = host.add("file", spec);
    Target { host: Arc::new(host), disk, as_file: true, before }
}

fn disk_target(path: &Path) -> Result<Target, String> {
    let real: PathBuf = fs::canonicalize(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let name = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let host = LinuxHost::new(StopFlag::new());
    Ok(Target { host: Arc::new(host), disk: DiskId(name), as_file: false, before: Before::AsItIs })
}

fn make_file(path: &Path, size: Option<Bytes>) -> Result<Before, String> {
    let Some(size) = size else {
        return Err(format!("{} does not exist. Give --size (for example 8G) to make it.", path.display()));
    };
    let made = |error: io::Error| format!("making {}: {error}", path.display());
    let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(made)?;
    let before = Before::Missing(path.into());
    file.set_len(size.0).map(|()| before).map_err(|error| {
        // It was made a moment ago and is empty.
        let _ = fs::remove_file(path);
        made(error)
    })
}

/// A file that is there is never cut: it may be somebody's.
fn set_size(path: &Path, size: Bytes) -> Result<Before, String> {
    let data = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if !data.is_file() {
        return Err(format!("--size is for files; {} is none.", path.display()));
    }
    if data.len() == size.0 {
        return Ok(Before::AsItIs);
    }
    if data.len() > size.0 {
        return Err(format!("{} has {} already, more than --size says.", path.display(), Bytes(data.len())));
    }
    let enlarged = set_length(path, size.0).map_err(|error| format!("enlarging {}: {error}", path.display()));
    enlarged.map(|()| Before::Shorter(path.into(), data.len()))
}

fn set_length(path: &Path, length: u64) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.set_len(length)
}
