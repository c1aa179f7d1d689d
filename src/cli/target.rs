//! What `--to` names: a regular file, a loop device, or a disk of this machine.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::linux::fs::MetadataExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::disk::DiskId;
use crate::domain::size::Bytes;
use crate::host::Host;
use crate::host::linux::machine::LinuxHost;
use crate::host::linux::sysfs::{self, Node};
use crate::host::linux::under::mounts::DevNumber;
use crate::host::scratch::{ScratchHost, ScratchSpec};

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
        // Before anything about it is changed.
        (true, size) => {
            refuse_same(to, to, not)?;
            refuse_in_use(to)?;
            size.map_or(Ok(Before::AsItIs), |size| set_size(to, size))?
        }
    };
    let kind = fs::metadata(to).map_err(|error| format!("{}: {error}", to.display()))?;
    if kind.is_file() {
        return Ok(file_target(to, before));
    }
    if !kind.file_type().is_block_device() {
        return Err(format!("{} is neither a file nor a disk.", to.display()));
    }
    let (shown, root) = (to.display(), Path::new("/"));
    match sysfs::node(root, DevNumber::of_node(kind.st_rdev())) {
        Node::Disk(disk) => {
            let host = Arc::new(LinuxHost::new());
            Ok(Target { host, disk, as_file: false, before })
        }
        Node::Partition(disk) => {
            Err(format!("{shown} is a partition. Name the whole disk, /dev/{disk}: everything on it will be erased."))
        }
        Node::Loop(file) if fs::metadata(&file).is_ok_and(|below| below.file_type().is_block_device()) => {
            Err(format!("{shown} stands upon {}. Name that disk itself.", file.display()))
        }
        Node::Loop(file) => refuse_same(to, &file, not).map(|()| file_target(to, before)),
        Node::Other => Err(format!("{shown} is no disk that a card can be made on. `sd-swap devices` lists those.")),
    }
}

/// By inode: a link to the image is the image. `file` is what is written when `to` is: the same, or what lies under it.
fn refuse_same(to: &Path, file: &Path, not: &[&Path]) -> Result<(), String> {
    match not.iter().find(|other| is_same(file, other)) {
        Some(same) => Err(format!("{} is {}: the card must be another file.", to.display(), same.display())),
        None => Ok(()),
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| fs::metadata(path).map(|data| (data.st_dev(), data.st_ino())).ok();
    place(one).is_some_and(|one| place(other) == Some(one))
}

/// A file under a loop device may be mounted through it.
fn refuse_in_use(to: &Path) -> Result<(), String> {
    match sysfs::loop_files(Path::new("/")).iter().find(|(_, file)| is_same(to, file)) {
        Some((name, _)) => Err(format!("{} is used by /dev/{name}. Detach it first (losetup -d).", to.display())),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_and_backup_stay_as_they_are_whatever_is_asked() {
        let dir = tempfile::tempdir().unwrap();
        let (backup, link) = (dir.path().join("backup.tar"), dir.path().join("link"));
        fs::write(&backup, "tar").unwrap();
        std::os::unix::fs::symlink(&backup, &link).unwrap();
        for to in [&backup, &link] {
            assert!(find(to, Some(Bytes(4096)), &[&backup]).is_err());
            assert_eq!(fs::read(&backup).unwrap(), b"tar");
        }
        assert!(find(&dir.path().join("card.img"), Some(Bytes(4096)), &[&backup]).is_ok());
    }

    #[test]
    fn what_is_no_disk_is_refused_with_a_sentence() {
        let refused = find(Path::new("/dev/null"), None, &[]).err().unwrap();
        assert_eq!(refused, "/dev/null is neither a file nor a disk.");
    }
}
