//! Putting the backup into the grown file system, without mounting, and proving that it is there (WR-6, WR-7). The settings
//! of the old system go into the overlay partition in the same stage ([`super::overlay`]).

use std::path::PathBuf;
use std::sync::Arc;

use ext4_view::{Ext4, Ext4Error};
use sha2::{Digest as _, Sha256};

use crate::domain::backup::BackupSlug;
use crate::domain::carry::SettingsFile;
use crate::domain::image::Digest;
use crate::domain::layout::{GrowPlan, Partition};
use crate::domain::size::{Bytes, MIB, SECTOR};
use crate::host::{Claim, ToolCall};

use super::Work;
use super::error::CardError;
use super::grow::{superblock, tool};
use super::overlay::Overlay;
use super::reader::FileSystem;

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
    let offset = plan.data_after.start * SECTOR;
    let missing = match backup {
        Some(backup) => prepare(claim, &plan.data_after, backup, work)?,
        None => Vec::new(),
    };
    let overlay = Overlay::prepare(claim, plan.overlay.as_ref(), settings)?;
    claim.admit_tools().map_err(CardError::Flush)?;
    if let Some(backup) = backup {
        place(claim.as_ref(), offset, &missing, backup, work)?;
    }
    check(claim.as_ref(), offset, work)?;
    if let Some(overlay) = &overlay {
        overlay.place(claim.as_ref(), work)?;
        check(claim.as_ref(), overlay.offset(), work)?;
    }
    claim.shut_out().map_err(CardError::Flush)?;
    if !superblock(claim.as_ref(), &plan.data_after)?.is_clean {
        return Err(CardError::LastCheck("the data partition is not clean".into()));
    }
    if let Some(overlay) = &overlay {
        overlay.read_back(claim)?;
    }
    match backup {
        Some(backup) => read_back(claim, &plan.data_after, backup, work),
        None => Ok(()),
    }
}

/// Whether there is room, and which folders are missing.
fn prepare(
    claim: &Arc<dyn Claim>,
    data: &Partition,
    backup: &BackupFile,
    work: &Work,
) -> Result<Vec<&'static str>, CardError> {
    // Twice: once into the file system, once back out of it.
    work.meter.set_total(backup.size.0);
    refuse_too_large(claim.as_ref(), data, backup)?;
    missing_folders(claim, data)
}

/// Room for the tar itself, the blocks that map it, and its folders.
fn refuse_too_large(claim: &dyn Claim, data: &Partition, backup: &BackupFile) -> Result<(), CardError> {
    let fs = superblock(claim, data)?;
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

fn unreadable(error: Ext4Error) -> CardError {
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

/// No name but our own reaches `debugfs`: eight hex digits and `.tar`. It exits 0 even after a failed command, so what
/// it did is read back.
fn place(claim: &dyn Claim, offset: u64, missing: &[&str], backup: &BackupFile, work: &Work) -> Result<(), CardError> {
    let name = backup.slug.file_name();
    let mut commands: Vec<String> = missing.iter().map(|folder| format!("mkdir {folder}")).collect();
    commands.push("cd /supervisor/backup".into());
    commands.push(format!("write {{file}} {name}"));
    for (field, value) in [("mode", FILE_MODE), ("uid", "0"), ("gid", "0")] {
        commands.push(format!("set_inode_field {name} {field} {value}"));
    }
    let (file, meter) = (Some(backup.path.as_path()), Some(&work.meter));
    let answer = tool(claim, &ToolCall::Edit { offset, commands, file, meter }, work)?;
    match answer.code {
        0 => Ok(()),
        code => Err(CardError::tool_said("debugfs", code, &answer.output)),
    }
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
    match digest_of(&fs, &path, work)? == backup.digest {
        true => Ok(()),
        false => wrong("differs from the one that was made"),
    }
}

fn digest_of(fs: &Ext4, path: &str, work: &Work) -> Result<Digest, CardError> {
    let mut file = fs.open(path).map_err(unreadable)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; MIB as usize]);
    loop {
        work.go_on()?;
        match file.read_bytes(&mut buffer).map_err(unreadable)? {
            0 => return Ok(Digest(hash.finalize().into())),
            count => hash.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}
