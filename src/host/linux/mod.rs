//! The real machine. The only home of `nix`, `unsafe` and child processes.

mod bell;
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

use nix::sys::resource::{Resource, getrlimit, setrlimit};
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

/// How many descriptors this process may have open, once it took as many as it may have without asking anybody. Docker
/// starts with few where the system's own default is low, and allows more. 0: the system does not say.
pub fn descriptors() -> usize {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 0 };
    let raised = setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok();
    usize::try_from(if raised { hard } else { soft }).unwrap_or(usize::MAX)
}
