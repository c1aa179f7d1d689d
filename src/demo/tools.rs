//! Child tools that make demonstration images: e2fsprogs, dosfstools, mtools. The only children outside `host/linux`:
//! they get regular files that the demo itself made, never a disk.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Why a tool did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    #[error("{0} is not installed")]
    Missing(&'static str),
    #[error("running {tool}")]
    Running { tool: &'static str, source: io::Error },
    #[error("{tool} failed with status {code}: {said}")]
    Failed { tool: &'static str, code: i32, said: String },
}

/// Where sbin is not on a user's path, the tools lie there all the same.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What the clock says in every file system that is made: the same seed makes the same bytes.
const FAKE_TIME: &str = "1780000000";

/// Runs a tool in `dir` and returns what it printed. `good` are the statuses that mean success.
pub(super) fn run<S: AsRef<OsStr>>(
    tool: &'static str,
    args: &[S],
    dir: &Path,
    good: &[i32],
) -> Result<String, ToolError> {
    let output = spawn(tool, args, dir)?;
    let code = output.status.code().unwrap_or(-1);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    if good.contains(&code) { Ok(said) } else { Err(ToolError::Failed { tool, code, said }) }
}

fn spawn<S: AsRef<OsStr>>(tool: &'static str, args: &[S], dir: &Path) -> Result<Output, ToolError> {
    let path = std::env::var("PATH").map_or(PATH.into(), |own| format!("{own}:{PATH}"));
    let mut command = Command::new(tool);
    command.args(args).current_dir(dir).stdin(Stdio::null());
    command.env("PATH", path).env("LC_ALL", "C").env("TZ", "UTC");
    command.env("E2FSPROGS_FAKE_TIME", FAKE_TIME).env("SOURCE_DATE_EPOCH", FAKE_TIME).env("MTOOLS_SKIP_CHECK", "1");
    command.output().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ToolError::Missing(tool),
        _ => ToolError::Running { tool, source },
    })
}
