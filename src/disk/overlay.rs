//! Host name and network settings, put into the overlay partition without mounting it (WR-8). Home Assistant OS makes what
//! is missing there at its first start, and leaves alone what it finds (os `hassos-overlay`).

use std::collections::BTreeSet;
use std::sync::Arc;

use ext4_view::{Ext4, Ext4Error};

use crate::domain::carry::SettingsFile;
use crate::domain::ext4::OVERLAY_LABEL;
use crate::domain::layout::Partition;
use crate::domain::secret::Secret;
use crate::host::{Claim, ToolCall};

use super::Work;
use super::error::CardError;
use super::grow::{superblock, tool};
use super::reader::FileSystem;

/// What is to be done to the overlay partition, found out before a tool touches it.
pub(super) struct Overlay<'a> {
    partition: &'a Partition,
    settings: &'a [SettingsFile],
    /// From the root down.
    missing: Vec<String>,
    /// Files of the image that ours stand for.
    replaced: Vec<&'a str>,
}

/// A folder, 0755.
const FOLDER_MODE: u16 = 0o755;

impl<'a> Overlay<'a> {
    /// `None`: there is nothing to put there.
    pub(super) fn prepare(
        claim: &Arc<dyn Claim>,
        partition: Option<&'a Partition>,
        settings: &'a [SettingsFile],
    ) -> Result<Option<Overlay<'a>>, CardError> {
        if settings.is_empty() {
            return Ok(None);
        }
        let unfit = |what: &str| CardError::Overlay(what.into());
        let partition = partition.ok_or_else(|| unfit("is missing"))?;
        refuse_unfit(claim.as_ref(), partition)?;
        let fs = open(claim, partition)?;
        let mut missing = Vec::new();
        for folder in folders(settings) {
            match kind(&fs, &folder)? {
                None => missing.push(folder),
                Some(Kind::Folder) => {}
                Some(_) => return Err(unfit("has something else in place of a folder")),
            }
        }
        let mut replaced = Vec::new();
        for file in settings {
            match kind(&fs, &file.path)? {
                None => {}
                Some(Kind::File) => replaced.push(file.path.as_str()),
                Some(_) => return Err(unfit("has something else in place of a file")),
            }
        }
        Ok(Some(Overlay { partition, settings, missing, replaced }))
    }

    pub(super) fn offset(&self) -> u64 {
        self.partition.offset().0
    }

    /// Its names are made of our own and of an interface's, which has nothing that `debugfs` could take for something
    /// else. It exits 0 even after a failed command, so what it did is read back.
    pub(super) fn place(&self, claim: &dyn Claim, work: &Work) -> Result<(), CardError> {
        let mut commands: Vec<String> = self.missing.iter().map(|folder| format!("mkdir {folder}")).collect();
        commands.extend(self.replaced.iter().map(|path| format!("rm {path}")));
        for (number, file) in self.settings.iter().enumerate() {
            let (folder, name) = split(&file.path);
            commands.push(format!("cd {folder}"));
            commands.push(format!("write {{{number}}} {name}"));
            let mode = format!("0100{:o}", file.mode);
            for (field, value) in [("mode", mode.as_str()), ("uid", "0"), ("gid", "0")] {
                commands.push(format!("set_inode_field {name} {field} {value}"));
            }
        }
        let texts: Vec<&Secret> = self.settings.iter().map(|file| &file.content).collect();
        let answer = tool(claim, &ToolCall::Edit { offset: self.offset(), commands, texts }, work)?;
        match answer.code {
            0 => Ok(()),
            code => Err(CardError::tool_said("debugfs", code, &answer.output)),
        }
    }

    /// By the other implementation, from the medium.
    pub(super) fn read_back(&self, claim: &Arc<dyn Claim>) -> Result<(), CardError> {
        let wrong = |what: &str| Err(CardError::LastCheck(format!("the overlay partition {what}")));
        if !superblock(claim.as_ref(), self.partition)?.is_clean {
            return wrong("is not clean");
        }
        let fs = open(claim, self.partition)?;
        for folder in folders(self.settings) {
            let found = fs.symlink_metadata(folder.as_str()).map_err(unreadable)?;
            if !found.is_dir() || (found.mode() & 0o7777, found.uid(), found.gid()) != (FOLDER_MODE, 0, 0) {
                return wrong("has a folder with other rights than 0755 root");
            }
        }
        for file in self.settings {
            let found = fs.symlink_metadata(file.path.as_str()).map_err(unreadable)?;
            if !found.file_type().is_regular_file() {
                return wrong("has something else in place of a file");
            }
            if (found.mode() & 0o7777, found.uid(), found.gid()) != (file.mode, 0, 0) {
                return wrong("has a file with other rights than it should have");
            }
            if fs.read(file.path.as_str()).map_err(unreadable)? != file.content.reveal().as_bytes() {
                return wrong("has a file with another content than was put there");
            }
        }
        Ok(())
    }
}

/// An image whose overlay partition is not what Home Assistant OS ships is refused.
fn refuse_unfit(claim: &dyn Claim, partition: &Partition) -> Result<(), CardError> {
    let unfit = |what: &str| Err(CardError::Overlay(what.into()));
    let fs = match superblock(claim, partition) {
        Ok(fs) => fs,
        Err(CardError::Data(_)) => return unfit("holds no ext4 file system"),
        Err(error) => return Err(error),
    };
    match fs.label == OVERLAY_LABEL && fs.is_clean && fs.size() <= partition.size() {
        true => Ok(()),
        false => unfit("does not hold the file system that it should"),
    }
}

fn open(claim: &Arc<dyn Claim>, partition: &Partition) -> Result<Ext4, CardError> {
    FileSystem::open(claim, partition.offset().0, partition.size().0).map_err(unreadable)
}

fn unreadable(error: Ext4Error) -> CardError {
    CardError::LastCheck(format!("the overlay partition could not be read: {error}"))
}

enum Kind {
    Folder,
    File,
    Other,
}

/// `None`: there is nothing of that name.
fn kind(fs: &Ext4, path: &str) -> Result<Option<Kind>, CardError> {
    let found = match fs.symlink_metadata(path) {
        Err(Ext4Error::NotFound) => return Ok(None),
        found => found.map_err(unreadable)?,
    };
    Ok(Some(match found.is_dir() {
        true => Kind::Folder,
        false if found.file_type().is_regular_file() => Kind::File,
        false => Kind::Other,
    }))
}

/// `/etc`, `/etc/NetworkManager`, …: every folder above the files, once, from the root down.
fn folders(settings: &[SettingsFile]) -> BTreeSet<String> {
    let above = |file: &SettingsFile| {
        let places = file.path.match_indices('/').map(|(at, _)| at).filter(|at| *at > 0);
        places.filter_map(|at| file.path.get(..at).map(String::from)).collect::<Vec<_>>()
    };
    settings.iter().flat_map(above).collect()
}

/// Folder and name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("/", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_from_the_root_down() {
        let file = |path: &str| SettingsFile { path: path.into(), mode: 0o600, content: Secret::default() };
        let found = folders(&[file("/etc/NetworkManager/system-connections/a"), file("/etc/hostname")]);
        let want = ["/etc", "/etc/NetworkManager", "/etc/NetworkManager/system-connections"];
        assert_eq!(found.into_iter().collect::<Vec<_>>(), want);
        assert_eq!(split("/etc/hostname"), ("/etc", "hostname"));
    }
}
