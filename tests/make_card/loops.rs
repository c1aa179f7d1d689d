//! A loop device as the card: a real block device, with the kernel's own word on who uses it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::readback::assert_card;
use crate::shop::*;

/// A file as a block device, until it is dropped.
struct Loop {
    device: PathBuf,
    mounted: Option<PathBuf>,
}

impl Loop {
    /// `None`, with the reason printed: this machine has none for us.
    fn of(file: &Path) -> Option<Loop> {
        let output = Command::new("losetup").env("PATH", "/usr/sbin:/sbin").args(["-f", "--show", text(file)]).output();
        let said = match output {
            Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            Ok(output) => return skip(&String::from_utf8_lossy(&output.stderr)),
            Err(error) => return skip(&error.to_string()),
        };
        Some(Loop { device: said.into(), mounted: None })
    }

    fn mount(&mut self, at: &Path) -> Option<()> {
        let output = Command::new("mount").args([&self.device, at]).output().unwrap();
        if !output.status.success() {
            return skip(&String::from_utf8_lossy(&output.stderr));
        }
        self.mounted = Some(at.into());
        Some(())
    }

    fn unmount(&mut self) {
        if let Some(at) = self.mounted.take() {
            run("umount", &[text(&at)]);
        }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        if let Some(at) = self.mounted.take() {
            let _ = Command::new("umount").arg(at).status();
        }
        let _ = Command::new("losetup").env("PATH", "/usr/sbin:/sbin").arg("-d").arg(&self.device).status();
    }
}

fn skip<T>(why: &str) -> Option<T> {
    eprintln!("skipped, no loop device can be used here: {}", why.trim());
    None
}

#[test]
fn a_mounted_disk_is_refused_and_the_same_one_becomes_a_card_when_it_is_free() {
    let dir = folder();
    let (image, card, at) = (pi(dir.path()), dir.path().join("card.img"), dir.path().join("mnt"));
    fs::create_dir(&at).unwrap();
    fs::File::create(&card).unwrap().set_len(96 << 20).unwrap();
    run("mke2fs", &["-q", "-t", "ext4", text(&card)]);
    let Some(mut device) = Loop::of(&card) else { return };
    if device.mount(&at).is_none() {
        return;
    }
    fs::write(at.join("photo"), "holiday").unwrap();
    let to = device.device.clone();
    let to = ["--backup", BACKUP, "--to", text(&to), "--yes"];
    for more in [&[][..], &["--json"]] {
        let refused = make_card(&image, &[&to[..], more].concat());
        refused.refused("It is mounted or used on this machine.");
        assert!(!refused.out.contains("no card") && !refused.err.contains("no card"), "{}{}", refused.out, refused.err);
    }
    assert_eq!(fs::read_to_string(at.join("photo")).unwrap(), "holiday");
    device.unmount();
    run("e2fsck", &["-fn", text(&device.device)]);
    let made = make_card(&image, &to);
    assert_eq!(made.code, 0, "{}", made.err);
    let checked = sd_swap(&["check", text(&device.device), "--json", "--image", text(&image), "--backup", BACKUP]);
    assert_eq!(checked.code, 0, "{}{}", checked.out, checked.err);
    drop(device);
    assert_eq!(assert_card(&card, &unpack(&image), Some(Path::new(BACKUP)), "rpi4-64"), Ok(()));
}
