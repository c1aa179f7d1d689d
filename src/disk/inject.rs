//! Putting the backup into the grown file system, without mounting, and proving that it is there (WR-6, WR-7). The settings
//! of the old system go into the overlay partition in the same stage ([`super::overlay`]).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use ext4_view::{Ext4, Ext4Error};

use crate::domain::backup::BackupSlug;
use crate::domain::carry::SettingsFile;
use crate::domain::ext4::Ext4 as Superblock;
use crate::domain::image::Digest;
use crate::domain::layout::{GrowPlan, Partition};
use crate::domain::secret::Secret;
use crate::domain::size::{Bytes, MIB, SECTOR};
use crate::host::{Claim, ToolCall};

use super::error::CardError;
use super::extents::{self, Extent, Piece, Wrong};
use super::grow::{superblock, tool};
use super::overlay::Overlay;
use super::reader::FileSystem;
use super::{Work, copy};

/// A tar that was read to its end and found whole, and where it lies.
#[derive(Debug, Clone)]
pub struct BackupFile {
    pub path: PathBuf,
    pub slug: BackupSlug,
    pub size: Bytes,
    /// Taken while it was first read (BK-6).
    pub digest: Digest,
}

/// Where the Supervisor looks for backups, from the root of the data partition.
const FOLDERS: [&str; 2] = ["/supervisor", "/supervisor/backup"];
/// A regular file, 0600; a folder, 0755.
const FILE_MODE: &str = "0100600";

/// Places `backup` and `settings`, checks the whole file systems, reads both back from the medium and compares.
pub(super) fn load(
    claim: &Arc<dyn Claim>,
    plan: &GrowPlan,
    backup: Option<&BackupFile>,
    settings: &[SettingsFile],
    work: &Work,
) -> Result<(), CardError> {
    let data = &plan.data_after;
    let prepared = backup.map(|backup| prepare(claim, data, backup, work)).transpose()?;
    let overlay = Overlay::prepare(claim, plan.overlay.as_ref(), settings)?;
    claim.admit_tools().map_err(CardError::Flush)?;
    if let Some(overlay) = &overlay {
        overlay.place(claim.as_ref(), work)?;
    }
    if let Some(prepared) = &prepared {
        let pieces = prepared.reserve(claim.as_ref(), work)?;
        claim.shut_out().map_err(CardError::Flush)?;
        let begun = Instant::now();
        copy::write(claim.as_ref(), prepared.backup, &pieces, work)?;
        log_time("written", begun);
        claim.admit_tools().map_err(CardError::Flush)?;
    }
    check(claim.as_ref(), data.start * SECTOR, work)?;
    if let Some(overlay) = &overlay {
        check(claim.as_ref(), overlay.offset(), work)?;
    }
    claim.shut_out().map_err(CardError::Flush)?;
    if !superblock(claim.as_ref(), data)?.is_clean {
        return Err(CardError::LastCheck("the data partition is not clean".into()));
    }
    if let Some(overlay) = &overlay {
        overlay.read_back(claim)?;
    }
    match backup {
        Some(backup) => read_back(claim, data, backup, work),
        None => Ok(()),
    }
}

fn log_time(what: &str, begun: Instant) {
    log::info!("the backup was {what} in {:.1} s", begun.elapsed().as_secs_f64());
}

/// What is known of the file system before a tool touches it.
struct Prepared<'a> {
    backup: &'a BackupFile,
    data: &'a Partition,
    fs: Superblock,
    missing: Vec<&'static str>,
}

/// Whether there is room, and which folders are missing.
fn prepare<'a>(
    claim: &Arc<dyn Claim>,
    data: &'a Partition,
    backup: &'a BackupFile,
    work: &Work,
) -> Result<Prepared<'a>, CardError> {
    work.meter.set_total(backup.size.0);
    let fs = superblock(claim.as_ref(), data)?;
    refuse_too_large(&fs, backup)?;
    Ok(Prepared { backup, data, fs, missing: missing_folders(claim, data)? })
}

/// Room for the tar itself, the blocks that map it, and its folders.
fn refuse_too_large(fs: &Superblock, backup: &BackupFile) -> Result<(), CardError> {
    let free = fs.free();
    let need = Bytes(backup.size.0.next_multiple_of(fs.block_size)) + Bytes(backup.size.0 / 256) + Bytes(MIB / 4);
    match need <= free {
        true => Ok(()),
        false => Err(CardError::NoRoom { need, free }),
    }
}

fn open(claim: &Arc<dyn Claim>, data: &Partition) -> Result<Ext4, CardError> {
    FileSystem::open(claim, data.start * SECTOR, data.sectors * SECTOR).map_err(unreadable)
}

pub(super) fn unreadable(error: Ext4Error) -> CardError {
    CardError::LastCheck(format!("the data partition could not be read: {error}"))
}

fn missing_folders(claim: &Arc<dyn Claim>, data: &Partition) -> Result<Vec<&'static str>, CardError> {
    let fs = open(claim, data)?;
    let mut missing = Vec::new();
    for folder in FOLDERS {
        if !fs.exists(folder).map_err(unreadable)? {
            missing.push(folder);
        }
    }
    Ok(missing)
}

/// Prints the extents of the file that is open for that.
const LIST: &str = "print_all --leaf-only";

impl Prepared<'_> {
    /// Makes the backup's file with all its blocks, and says where they are: `debugfs` would copy through the page cache,
    /// and nobody could tell how far the card is, or stop it.
    fn reserve(&self, claim: &dyn Claim, work: &Work) -> Result<Vec<Piece>, CardError> {
        let reserved = self.edit(claim, self.make_file(), work)?;
        let marked = self.edit(claim, self.mark_written(&reserved), work)?;
        let is_same = |(new, old): (&Extent, &Extent)| *new == Extent { is_written: true, ..*old };
        if marked.len() != reserved.len() || !marked.iter().zip(&reserved).all(is_same) {
            return Err(CardError::LastCheck("the backup's blocks did not stay where they were".into()));
        }
        Ok(extents::pieces(&marked, self.data.offset().0, self.fs.block_size, self.backup.size.0))
    }

    /// Folders, an empty file, its rights, its length and its blocks, which `fallocate` only reserves.
    fn make_file(&self) -> Vec<String> {
        let (name, size) = (self.backup.slug.file_name(), self.backup.size.0.to_string());
        let mut commands: Vec<String> = self.missing.iter().map(|folder| format!("mkdir {folder}")).collect();
        commands.push(format!("cd {}", FOLDERS[1]));
        commands.push(format!("write {{0}} {name}"));
        for (field, value) in [("mode", FILE_MODE), ("uid", "0"), ("gid", "0"), ("size", &size)] {
            commands.push(format!("set_inode_field {name} {field} {value}"));
        }
        commands.push(format!("fallocate {name} 0 {}", self.blocks().saturating_sub(1)));
        commands.push(format!("extent_open {name}"));
        commands.push(LIST.into());
        commands
    }

    /// Blocks that are only reserved read as zeros: their extents are put anew without that mark.
    fn mark_written(&self, extents: &[Extent]) -> Vec<String> {
        let open = format!("extent_open {}/{}", FOLDERS[1], self.backup.slug.file_name());
        let replace = |e: &Extent| {
            let replace = format!("replace_node {} {} {}", e.logical, e.blocks, e.physical);
            [format!("goto_block {}", e.logical), replace]
        };
        [open].into_iter().chain(extents.iter().flat_map(replace)).chain([LIST.into()]).collect()
    }

    /// The extents that the last of `commands` lists. No name but our own reaches `debugfs`: eight hex digits and `.tar`.
    /// It exits 0 even after a failed command, so what it did is read back.
    fn edit(&self, claim: &dyn Claim, commands: Vec<String>, work: &Work) -> Result<Vec<Extent>, CardError> {
        let empty = Secret::default();
        let call = ToolCall::Edit { offset: self.data.offset().0, commands, texts: vec![&empty] };
        let answer = tool(claim, &call, work)?;
        if answer.code != 0 {
            return Err(CardError::tool_said("debugfs", answer.code, &answer.output));
        }
        let extents = extents::parse(&answer.output, LIST).map_err(misplaced)?;
        extents::check(&extents, self.blocks(), &self.fs, self.data.size()).map_err(misplaced)?;
        Ok(extents)
    }

    fn blocks(&self) -> u64 {
        self.backup.size.0.div_ceil(self.fs.block_size)
    }
}

fn misplaced(wrong: Wrong) -> CardError {
    CardError::LastCheck(wrong.to_string())
}

fn check(claim: &dyn Claim, offset: u64, work: &Work) -> Result<(), CardError> {
    let answer = tool(claim, &ToolCall::Check { offset }, work)?;
    match answer.code {
        0 => Ok(()),
        code => Err(CardError::tool_said("e2fsck", code, &answer.output)),
    }
}

fn read_back(claim: &Arc<dyn Claim>, data: &Partition, backup: &BackupFile, work: &Work) -> Result<(), CardError> {
    let fs = open(claim, data)?;
    let wrong = |what: &str| Err(CardError::LastCheck(format!("the backup on the card {what}")));
    let folder = fs.metadata(FOLDERS[1]).map_err(unreadable)?;
    let path = format!("{}/{}", FOLDERS[1], backup.slug.file_name());
    let file = fs.symlink_metadata(path.as_str()).map_err(unreadable)?;
    if !folder.is_dir() || !file.file_type().is_regular_file() {
        return wrong("is not a file in its folder");
    }
    if (file.mode() & 0o7777, file.uid(), file.gid()) != (0o600, 0, 0) {
        return wrong("has other rights than 0600 root");
    }
    if file.len() != backup.size.0 {
        return wrong("has another length");
    }
    let begun = Instant::now();
    let digest = copy::digest_of(&fs, &path, work)?;
    log_time("read back", begun);
    match digest == backup.digest {
        true => Ok(()),
        false => wrong("differs from the one that was made"),
    }
}
