//! The data partition's file system: whose it is, whether it is whole and fills its partition.

use std::sync::Arc;

use ext4_view::Ext4 as Content;

use crate::disk::grow::only_the_clock;
use crate::disk::reader::{FileSystem, LastRead};
use crate::domain::ext4::{DATA_LABEL, Ext4, SUPERBLOCK_LEN, SUPERBLOCK_OFFSET};
use crate::domain::layout::Partition;
use crate::domain::size::SECTOR;
use crate::host::HostError;

use super::{Card, Findings, View};

/// Where in a superblock its state and its label stand.
const STATE: u64 = 58;
const LABEL: u64 = 120;

/// The content of the data partition, where it can be read.
pub(super) fn check(card: &Card<'_>, findings: &mut Findings) -> Option<Content> {
    let superblock = superblock(card, &card.data, "data", findings)?;
    let at = card.data_offset() + SUPERBLOCK_OFFSET;
    if superblock.label != DATA_LABEL {
        findings.damage(format!("the data partition has the label {:?}", superblock.label), at + LABEL);
    }
    if !superblock.is_clean {
        findings.damage("the data partition was not closed cleanly", at + STATE);
    }
    let ends = card.data_offset().saturating_add(superblock.size().0);
    let disk = card.sectors.saturating_mul(SECTOR);
    if superblock.size() > card.data.size() || ends > disk {
        findings.damage("the data partition's file system goes on past its end", ends.min(disk));
    } else if card.is_grown() && !superblock.fills(card.data.size()) {
        findings.damage("the data partition's file system does not fill it", ends);
    }
    sound(card, &card.data, "data", findings);
    match open(card.view, &card.data) {
        Ok((content, _)) => Some(content),
        Err(error) => {
            findings.damage(format!("the data partition cannot be read: {error}"), card.data_offset());
            None
        }
    }
}

pub(super) fn superblock(card: &Card<'_>, partition: &Partition, name: &str, findings: &mut Findings) -> Option<Ext4> {
    let at = partition.offset().0.saturating_add(SUPERBLOCK_OFFSET);
    match card.read(at, SUPERBLOCK_LEN) {
        Ok(bytes) => {
            let found = Ext4::parse(&bytes);
            if found.is_none() {
                findings.damage(format!("the {name} partition holds no ext4 file system"), at);
            }
            found
        }
        Err(error) => {
            findings.damage(format!("the {name} partition cannot be read ({error})"), at);
            None
        }
    }
}

/// What e2fsck says, where it is installed.
pub(super) fn sound(card: &Card<'_>, partition: &Partition, name: &str, findings: &mut Findings) {
    match card.view.check_ext4(partition.offset().0) {
        Ok(answer) if answer.code == 0 || only_the_clock(&answer.output) => {}
        Ok(answer) => {
            let said = first_complaint(&answer.output);
            findings.damage(format!("the {name} partition's file system is damaged: {said}"), partition.offset().0);
        }
        Err(HostError::ToolMissing { tool }) => {
            findings.note(format!("{tool} is not installed: the {name} partition's file system was not checked by it"));
        }
        Err(error) => {
            log::warn!("checking the {name} partition: {error}");
            findings.note(format!("the {name} partition's file system could not be checked by e2fsck"));
        }
    }
}

fn first_complaint(output: &str) -> String {
    let talk = ["e2fsck ", "Pass ", "Warning! "];
    let is_talk = |line: &&str| line.is_empty() || talk.iter().any(|begin| line.starts_with(begin));
    let line = output.lines().map(str::trim).find(|line| !is_talk(line)).unwrap_or("e2fsck does not say how");
    line.chars().take(200).collect()
}

/// As far as the disk goes: an MBR image ends before its own data partition does.
pub(super) fn open(view: &Arc<dyn View>, partition: &Partition) -> Result<(Content, LastRead), ext4_view::Ext4Error> {
    let disk = view.size().map_err(|error| ext4_view::Ext4Error::Io(Box::new(error)))?;
    let length = partition.size().min(disk - partition.offset());
    FileSystem::look(view.clone(), partition.offset().0, length.0)
}

#[cfg(test)]
mod tests {
    use super::first_complaint;

    #[test]
    fn the_first_complaint_of_e2fsck_is_told() {
        let cases = [
            (
                "e2fsck 1.47.0 (5-Feb-2023)\nPass 1: Checking inodes\nFree blocks count wrong (3, counted=4).\nFix? no\n",
                "Free blocks count wrong (3, counted=4).",
            ),
            (
                "e2fsck 1.47.0\nSuperblock invalid, trying backup blocks...\n",
                "Superblock invalid, trying backup blocks...",
            ),
            ("", "e2fsck does not say how"),
        ];
        for (output, expected) in cases {
            assert_eq!(first_complaint(output), expected);
        }
    }
}
