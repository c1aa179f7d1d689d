//! A data folder that is full or read-only.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

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

    /// Waits for a moment at which no file is open for writing: the kernel refuses until then.
    pub fn remount(&self, option: &str) {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let done = Command::new("mount").args(["-o", &format!("remount,{option}")]).arg(&self.0).status();
            if done.unwrap().success() {
                return;
            }
            assert!(Instant::now() < end, "it stays in use");
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
