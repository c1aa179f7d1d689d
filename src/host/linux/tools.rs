//! Child tools: absolute path, argument list, empty environment, bounded time, killed on stop, output kept (PK-5).

#![expect(clippy::disallowed_types, reason = "this is the place that starts child tools")]

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, PipeReader, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;

use super::descriptor::Descriptor;
use crate::domain::progress::StopFlag;
use crate::host::{HostError, ToolAnswer, ToolCall};

/// Where distributions keep file system tools.
const PLACES: [&str; 4] = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
/// Checking and growing a 2 TB card over USB 2 takes minutes; a tool that needs longer hangs.
const LIMIT: Duration = Duration::from_secs(30 * 60);
/// How often stop and time are looked at while a tool is silent.
const LOOK: Duration = Duration::from_millis(100);
const MOST_OUTPUT: usize = 64 * 1024;
/// `debugfs` lists where a file lies, and repeats each command: 60,000 parts of one.
const MOST_EDIT_OUTPUT: usize = 16 * 1024 * 1024;

/// Runs `call` on the card behind `card`. The tool sees it as its inherited descriptor, never by its name in `/dev`.
pub fn run(card: &Descriptor, call: &ToolCall<'_>, stop: &StopFlag) -> Result<ToolAnswer, HostError> {
    let plan = Plan::of(call, card.plain().as_raw_fd())?;
    if card.is_other_medium() {
        return Err(HostError::Tool { tool: plan.tool, source: nix::errno::Errno::ENOMEDIUM.into() });
    }
    let answer = plan.run(card.plain().as_raw_fd(), stop);
    // Also after a failure: what a tool cut off must not stay cut off.
    card.restore_length().map_err(|source| HostError::Tool { tool: plan.tool, source })?;
    answer
}

/// `e2fsck -fn` on the file system that begins `offset` bytes into a disk opened only for reading.
pub fn look(disk: BorrowedFd<'_>, offset: u64, stop: &StopFlag) -> Result<ToolAnswer, HostError> {
    Plan::of(&ToolCall::Check { offset }, disk.as_raw_fd())?.run(disk.as_raw_fd(), stop)
}

struct Plan {
    tool: &'static str,
    arguments: Vec<OsString>,
    /// Sent to its standard input.
    script: String,
    /// What it reads from, inherited.
    files: Vec<File>,
    most_output: usize,
}

impl Plan {
    fn of(call: &ToolCall<'_>, card: RawFd) -> Result<Plan, HostError> {
        let at = |offset: &u64| OsString::from(format!("/proc/self/fd/{card}?offset={offset}"));
        let tool = call.tool();
        let plan =
            |arguments| Plan { tool, arguments, script: String::new(), files: Vec::new(), most_output: MOST_OUTPUT };
        Ok(match call {
            ToolCall::Repair { offset } => plan(vec!["-fy".into(), at(offset)]),
            ToolCall::Check { offset } => plan(vec!["-fn".into(), at(offset)]),
            ToolCall::Resize { offset, blocks } => plan(vec![at(offset), blocks.to_string().into()]),
            ToolCall::Edit { offset, commands, texts } => {
                let files: io::Result<Vec<File>> = texts.iter().map(|text| in_memory(text.reveal())).collect();
                let files = files.map_err(|source| HostError::Tool { tool, source })?;
                let script = script(commands, &files);
                let arguments = vec!["-w".into(), "-f".into(), "-".into(), at(offset)];
                Plan { script, files, most_output: MOST_EDIT_OUTPUT, ..plan(arguments) }
            }
        })
    }

    fn run(&self, card: RawFd, stop: &StopFlag) -> Result<ToolAnswer, HostError> {
        let failed = |source| HostError::Tool { tool: self.tool, source };
        let program = find(self.tool).ok_or(HostError::ToolMissing { tool: self.tool })?;
        let (mut output, mut child) = self.spawn(&program, card).map_err(failed)?;
        let heard = self.attend(&mut output, stop);
        if heard.is_err() {
            // It may have ended by itself in the meantime; waiting tells, and leaves no zombie.
            let _ = child.kill();
        }
        let status = child.wait().map_err(failed)?;
        Ok(ToolAnswer { code: code_of(status), output: heard? })
    }

    fn spawn(&self, program: &Path, card: RawFd) -> io::Result<(PipeReader, Child)> {
        let (output, theirs) = io::pipe()?;
        let mut command = Command::new(program);
        command.args(&self.arguments).env_clear().env("LC_ALL", "C").current_dir("/");
        // Not a pipe: a tool that waits until somebody hears it reads no more commands.
        command.stdin(in_memory(&self.script)?).stdout(theirs.try_clone()?).stderr(theirs);
        let inherited: Vec<RawFd> = self.files.iter().map(|f| f.as_raw_fd()).chain([card]).collect();
        // SAFETY: between fork and exec only prctl and fcntl are called, which are async-signal-safe; nothing is allocated.
        unsafe { command.pre_exec(move || prepare(&inherited)) };
        // The ends of the pipe that `command` holds go with it at the end; else the output would never end.
        let child = command.spawn()?;
        Ok((output, child))
    }

    /// Reads what it prints until it closes its output; looks at stop and time meanwhile.
    fn attend(&self, output: &mut PipeReader, stop: &StopFlag) -> Result<String, HostError> {
        let failed = |source| HostError::Tool { tool: self.tool, source };
        let begun = Instant::now();
        let (mut heard, mut chunk) = (Vec::new(), [0; 4096]);
        let look = PollTimeout::try_from(LOOK).unwrap_or(PollTimeout::ZERO);
        loop {
            if stop.is_set() {
                return Err(HostError::Stopped);
            }
            if begun.elapsed() > LIMIT {
                return Err(HostError::ToolTimeout { tool: self.tool, limit: LIMIT });
            }
            let mut ready = [PollFd::new(output.as_fd(), PollFlags::POLLIN)];
            match poll(&mut ready, look) {
                Ok(0) | Err(nix::errno::Errno::EINTR) => continue,
                Ok(_) => {}
                Err(errno) => return Err(failed(errno.into())),
            }
            match output.read(&mut chunk).map_err(failed)? {
                0 => break,
                n if heard.len() < self.most_output => heard.extend_from_slice(chunk.get(..n).unwrap_or(&[])),
                _ => {}
            }
        }
        Ok(String::from_utf8_lossy(&heard).into_owned())
    }
}

/// The commands, one a line, with the names of inherited files in place of `{0}`, `{1}`, ….
fn script(commands: &[String], files: &[File]) -> String {
    let name = |file: &File| format!("/proc/self/fd/{}", file.as_raw_fd());
    let named = |line: &String| {
        let files = files.iter().enumerate();
        files.fold(line.clone(), |line, (n, file)| line.replace(&format!("{{{n}}}"), &name(file))) + "\n"
    };
    commands.iter().map(named).collect()
}

/// A file without a name and on no disk, to be read from its beginning: a password may be in it.
fn in_memory(text: &str) -> io::Result<File> {
    let mut file = File::from(memfd_create(c"sd-swap", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    Ok(file)
}

/// In the child: it dies with us (a tool that went on alone would keep our `flock` and go on writing), and it gets the
/// descriptors that it works on.
fn prepare(inherited: &[RawFd]) -> io::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    inherited.iter().try_for_each(|fd| keep_over_exec(*fd))
}

fn keep_over_exec(fd: RawFd) -> io::Result<()> {
    // SAFETY: the parent holds the descriptor open until after exec.
    let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(fd) };
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(())
}

fn find(tool: &str) -> Option<PathBuf> {
    PLACES.iter().map(|place| Path::new(place).join(tool)).find(|path| path.is_file())
}

pub(super) fn code_of(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}
