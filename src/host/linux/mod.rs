//! The real machine. The only home of `nix`, `unsafe` and child processes.

pub mod descriptor;
pub mod machine;
pub mod plug;
#[cfg(feature = "ops")]
pub mod program;
pub mod scan;
pub mod sysfs;
pub mod terminal;
pub mod tools;
pub mod uevents;
pub mod under;

use std::path::Path;

use nix::sys::statvfs::statvfs;

use super::HostError;
use crate::domain::size::Bytes;

pub use nix::errno::Errno;

/// Free bytes for an unprivileged writer in the file system of `dir`.
pub fn free_space(dir: &Path) -> Result<Bytes, HostError> {
    let answer = statvfs(dir).map_err(|errno| HostError::Looking {
        what: format!("the free space of {}", dir.display()),
        source: errno.into(),
    })?;
    Ok(Bytes(answer.blocks_available().saturating_mul(answer.fragment_size())))
}

/// Whether this user may write into `dir`; a file system mounted for reading only says no.
pub fn may_write(dir: &Path) -> bool {
    nix::unistd::access(dir, nix::unistd::AccessFlags::W_OK).is_ok()
}
