//! Floor 2: the one privileged door. What the machine can do for us, in our words.
//!
//! [`linux`] is the real machine, [`scratch`] plays cards with files. Nothing outside `host/linux.rs` calls `nix`, starts
//! a child or has `unsafe` in it.

pub mod both;
pub mod buffer;
pub mod contents;
pub mod identity;
pub mod linux;
pub mod power;
pub mod probe;
pub mod readable;
pub mod scratch;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::disk::{Disk, DiskId, Fingerprint};
use crate::domain::progress::StopFlag;
use crate::domain::secret::Secret;
use crate::domain::size::Bytes;

/// The machine, or something that plays it.
pub trait Host: Send + Sync + 'static {
    /// Every whole disk, probed and read: what is on it, whether it could be opened. Blocks for as long as the slowest
    /// reader takes; to be called on a thread of its own.
    fn disks(&self) -> Result<Vec<Disk>, HostError>;

    /// Returns when a disk came, went or changed its medium, at a nudge, at the latest after `timeout`. True: something
    /// changed. Nothing is looked at meanwhile: whoever waits here sleeps. Only one may wait at a time.
    fn wait_change(&self, timeout: Duration) -> bool;

    /// Ends a wait for changes at once, or the next one if there is none.
    fn nudge(&self);

    /// Opens a disk for a job: exclusively first, then the plain descriptor with its `flock`.
    fn claim(&self, disk: &DiskId) -> Result<Arc<dyn Claim>, HostError>;

    /// The disks under the file system that `path` lies on, through dm, md and loop devices (DV-3).
    fn disks_under(&self, path: &Path) -> Result<Vec<DiskId>, HostError>;

    /// On a PC: the disks under every mount, every swap space and `/` (DV-3).
    fn disks_in_use(&self) -> Result<Vec<DiskId>, HostError>;

    /// Free bytes for us in the file system of `dir`.
    fn free_space(&self, dir: &Path) -> Result<Bytes, HostError>;
}

/// A claimed disk: the only thing that is ever written to. Released when dropped.
///
/// Offsets and lengths are multiples of 512. Reads and writes go past the page cache where the device allows it.
pub trait Claim: Send + Sync {
    /// As the descriptor says now; 0 once the disk is gone.
    fn size(&self) -> io::Result<Bytes>;

    /// Read from this very descriptor (DV-5).
    fn fingerprint(&self) -> Result<Fingerprint, HostError>;

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()>;

    /// Returns once everything written is on the medium.
    fn flush(&self) -> io::Result<()>;

    /// Closes the exclusive descriptor, so that child tools may open the disk; the plain one keeps its `flock`.
    fn admit_tools(&self) -> io::Result<()>;

    /// Takes the exclusive descriptor again and drops what the page cache holds of the disk.
    fn shut_out(&self) -> io::Result<()>;

    /// Runs a child tool on the card, inherited as a descriptor. A status of the tool other than success is an answer,
    /// not an error; `stop` kills it, the timeout too.
    fn tool(&self, call: &ToolCall<'_>, stop: &StopFlag) -> Result<ToolAnswer, HostError>;

    /// The disk was pulled: its descriptor says 0 bytes, or the kernel said so. Another medium in the same reader counts
    /// as well: the descriptor lives on, and what is written through it then would go onto somebody else's card.
    fn is_gone(&self) -> bool;
}

/// What a child tool is asked to do to the file system that begins `offset` bytes into the card.
#[derive(Debug, Clone)]
pub enum ToolCall<'a> {
    /// `e2fsck -fy`: repairs.
    Repair { offset: u64 },
    /// `e2fsck -fn`: only looks.
    Check { offset: u64 },
    /// `resize2fs` to so many blocks.
    Resize { offset: u64, blocks: u64 },
    /// `debugfs -w` with these commands, one a line; `{0}`, `{1}`, … in them stand for files that are nowhere but in
    /// memory.
    Edit { offset: u64, commands: Vec<String>, texts: Vec<&'a Secret> },
}

impl ToolCall<'_> {
    /// The name of the program.
    pub const fn tool(&self) -> &'static str {
        match self {
            ToolCall::Repair { .. } | ToolCall::Check { .. } => "e2fsck",
            ToolCall::Resize { .. } => "resize2fs",
            ToolCall::Edit { .. } => "debugfs",
        }
    }
}

#[derive(Debug, Clone)]
pub struct ToolAnswer {
    /// Exit status; 128 + signal where it was killed.
    pub code: i32,
    /// What it printed, both streams: at most the first 64 KiB, of `debugfs` 16 MiB.
    pub output: String,
}

/// What the machine answers when it cannot. The text names what was tried; `source()` carries the cause.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    #[error("looking at {what}")]
    Looking { what: String, source: io::Error },
    #[error("there is no disk {0}")]
    NoDisk(DiskId),
    #[error("{0} is mounted or used by somebody else")]
    Busy(DiskId),
    #[error("this app may not open {0}")]
    Denied(DiskId),
    #[error("{0} is write-protected")]
    ReadOnly(DiskId),
    #[error("opening {disk}")]
    Opening { disk: DiskId, source: io::Error },
    #[error("{tool} is not installed")]
    ToolMissing { tool: &'static str },
    #[error("running {tool}")]
    Tool { tool: &'static str, source: io::Error },
    #[error("{tool} did not end within {limit:?}")]
    ToolTimeout { tool: &'static str, limit: Duration },
    #[error("stopped")]
    Stopped,
    #[error("{0} is not a regular file")]
    NotAFile(PathBuf),
}
