//! Lays out the trees of `tests/fixtures/sysfs` in a temporary directory, with the links that the kernel would make.
//!
//! The descriptions are written by hand after what Linux 6.1 to 6.12 shows. They are read line by line:
//!
//! ```text
//! # a remark
//! [sys/devices/…/block/sda]     a directory; what follows lies in it
//! dev = 8:0                     a file and its content
//! wwid = hex:0080               the same, in hex digits
//! upon sdb1 sdc1                the block devices that this one is built upon
//! [proc/self/mountinfo]
//! | 22 27 0:21 / /proc …        a line of the file that the brackets name
//! ```
//!
//! A directory with `dev` and `size` is a block device: it gets its links in `sys/dev/block` and, if its parent is none,
//! in `sys/block`, and its `device`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use sd_swap::host::linux::under::mounts::{DevNumber, mount_of, mounts};
use tempfile::TempDir;

pub struct Machine {
    dir: TempDir,
    /// Devices of paths that the mounts do not tell (btrfs subvolumes).
    pub devs: BTreeMap<PathBuf, &'static str>,
}

impl Machine {
    pub fn load(name: &str) -> Machine {
        let machine = Machine { dir: tempfile::tempdir().unwrap(), devs: BTreeMap::new() };
        machine.load_again(name);
        machine
    }

    /// Puts everything back as the description has it.
    pub fn load_again(&self, name: &str) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sysfs").join(format!("{name}.txt"));
        for dir in ["sys", "proc"].map(|dir| self.root().join(dir)) {
            let _ = fs::remove_dir_all(dir);
        }
        fs::create_dir_all(self.root().join("sys/block")).unwrap();
        let mut stacks = Vec::new();
        self.files(&fs::read_to_string(&file).unwrap(), &mut stacks);
        let mut found = BTreeMap::new();
        self.link_devices(&self.root().join("sys/devices"), &mut found);
        for (upper, lower) in stacks {
            let lower_dir = &found[&lower];
            link(lower_dir, &upper.join("slaves").join(&lower));
            link(&upper, &lower_dir.join("holders").join(upper.file_name().unwrap()));
        }
    }

    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    /// Takes a disk away, as pulling it does.
    pub fn pull(&self, name: &str) {
        let link = self.root().join("sys/block").join(name);
        fs::remove_dir_all(fs::canonicalize(&link).unwrap()).unwrap();
        fs::remove_file(link).unwrap();
    }

    /// What `stat` would answer in this machine.
    pub fn stat(&self, path: &Path) -> io::Result<DevNumber> {
        if let Some(dev) = self.devs.get(path) {
            return Ok(dev.parse().unwrap());
        }
        let mounts = mounts(&fs::read_to_string(self.root().join("proc/self/mountinfo")).unwrap()).unwrap();
        mount_of(&mounts, path).map(|mount| mount.dev).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn files(&self, description: &str, stacks: &mut Vec<(PathBuf, String)>) {
        let mut here = self.root().to_path_buf();
        for line in description.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(path) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                here = self.root().join(path);
            } else if let Some(text) = line.strip_prefix("| ") {
                let old = fs::read_to_string(&here).unwrap_or_default();
                write(&here, format!("{old}{text}\n").as_bytes());
            } else if let Some(names) = line.strip_prefix("upon ") {
                stacks.extend(names.split(' ').map(|name| (here.clone(), name.to_owned())));
            } else {
                let (name, content) = line.split_once(" =").unwrap_or_else(|| panic!("{line}"));
                let content = content.strip_prefix(' ').unwrap_or(content);
                let content = match content.strip_prefix("hex:") {
                    Some(digits) => hex::decode(digits).unwrap(),
                    None => format!("{content}\n").into_bytes(),
                };
                write(&here.join(name), &content);
            }
        }
    }

    fn link_devices(&self, dir: &Path, found: &mut BTreeMap<String, PathBuf>) {
        for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_symlink() || !entry.is_dir() {
                continue;
            }
            if is_block(&entry) {
                let name = entry.file_name().unwrap().to_str().unwrap().to_owned();
                let number = fs::read_to_string(entry.join("dev")).unwrap();
                link(&entry, &self.root().join("sys/dev/block").join(number.trim()));
                if !is_block(dir) {
                    link(&entry, &self.root().join("sys/block").join(&name));
                    let device = if dir.ends_with("block") { dir.parent().unwrap() } else { dir };
                    if !device.ends_with("virtual") {
                        link(device, &entry.join("device"));
                    }
                }
                found.insert(name, entry.clone());
            }
            self.link_devices(&entry, found);
        }
    }
}

fn is_block(dir: &Path) -> bool {
    dir.join("dev").exists() && dir.join("size").exists()
}

fn write(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn link(target: &Path, at: &Path) {
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    symlink(target, at).unwrap();
}
