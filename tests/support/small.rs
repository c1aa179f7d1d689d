//! A data folder that is full or read-only.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system of its own at a folder; `None`, with the reason printed, where it cannot be had.
pub struct Small(PathBuf);

impl Small {
    pub fn at(dir: &Path, options: &str) -> Option<Small> {
        fs::create_dir_all(dir).unwrap();
        let mut command = Command::new("mount");
        match command.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(dir).output() {
            Ok(output) if output.status.success() => return Some(Small(dir.into())),
            Ok(output) => eprintln!("skipped, nothing can be mounted: {}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => eprintln!("skipped, nothing can be mounted: {error}"),
        }
        None
    }

    pub fn remount(&self, option: &str) {
        let done = Command::new("mount").args(["-o", &format!("remount,{option}")]).arg(&self.0).status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
