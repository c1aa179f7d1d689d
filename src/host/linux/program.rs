//! A program of the developer's own machine, run to its end: ssh, rsync, git, a project's tests (`sd-swap ops`).
//!
//! No shell: a name, a list of arguments. It gets a process group of its own, so that Ctrl-C and a time limit end all of
//! what it started; and it is told to end should this program be killed.

#![expect(clippy::disallowed_types, reason = "this is one of the two places that start child programs")]

use std::ffi::OsString;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::tools::code_of;
use crate::domain::progress::StopFlag;

/// How often stop and time are looked at while it is silent.
const LOOK: Duration = Duration::from_millis(50);
const MOMENT: Duration = Duration::from_millis(2);
/// After its end, its output may be held open by what it left behind (a shared SSH connection).
const AFTERWARDS: Duration = Duration::from_millis(300);
/// Between being asked to end and being ended.
const MERCY: Duration = Duration::from_secs(3);

/// What to run and how.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Looked up on the `PATH`, or a path.
    pub name: OsString,
    pub arguments: Vec<OsString>,
    /// Sent to its standard input; without it there is none.
    pub input: Option<Vec<u8>>,
    /// Added to the environment of this process.
    pub set: Vec<(OsString, OsString)>,
    /// Taken out of the environment.
    pub unset: Vec<OsString>,
    /// Where it runs; else where this process does.
    pub folder: Option<PathBuf>,
    /// It is ended when it takes longer; zero: it may take as long as it wants.
    pub limit: Duration,
}

/// Which of its two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Output,
    Errors,
}

/// Why it has no exit status.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    #[error("{0} is not installed, or not on the PATH")]
    Missing(String),
    #[error("running {name}")]
    Running { name: String, source: io::Error },
    #[error("{name} did not end within {limit:?}")]
    TooLong { name: String, limit: Duration },
    #[error("{0} was stopped")]
    Stopped(String),
}

/// Runs it; everything it prints goes to `heard` as it comes. Returns its exit status, 128 + signal where it was killed.
pub fn run(program: &Program, stop: &StopFlag, heard: &mut dyn FnMut(Channel, &[u8])) -> Result<i32, ProgramError> {
    let mut running = Running::start(program)?;
    let ended = running.attend(stop, heard);
    if ended.is_err() {
        running.end();
    }
    ended
}

struct Running<'a> {
    program: &'a Program,
    child: Child,
    pipes: [Option<PipeReader>; 2],
    begun: Instant,
}

impl<'a> Running<'a> {
    fn start(program: &'a Program) -> Result<Running<'a>, ProgramError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => ProgramError::Missing(name(program)),
            _ => ProgramError::Running { name: name(program), source },
        };
        let (output, into_output) = io::pipe().map_err(failed)?;
        let (errors, into_errors) = io::pipe().map_err(failed)?;
        let mut command = Command::new(&program.name);
        command.args(&program.arguments).envs(program.set.iter().map(|(key, value)| (key, value)));
        program.unset.iter().for_each(|key| {
            command.env_remove(key);
        });
        if let Some(folder) = &program.folder {
            command.current_dir(folder);
        }
        command.stdin(if program.input.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(into_output).stderr(into_errors).process_group(0);
        // SAFETY: between fork and exec only prctl is called, which is async-signal-safe; nothing is allocated.
        unsafe { command.pre_exec(|| Ok(set_pdeathsig(Signal::SIGTERM)?)) };
        let mut child = command.spawn().map_err(failed)?;
        if let (Some(mut input), Some(bytes)) = (child.stdin.take(), program.input.clone()) {
            // On a thread: a program may print before it reads. One that ended before it read all says so by its status.
            thread::spawn(move || drop(input.write_all(&bytes)));
        }
        Ok(Running { program, child, pipes: [Some(output), Some(errors)], begun: Instant::now() })
    }

    /// Until it ended and both outputs are closed.
    fn attend(&mut self, stop: &StopFlag, heard: &mut dyn FnMut(Channel, &[u8])) -> Result<i32, ProgramError> {
        let failed = |source| ProgramError::Running { name: name(self.program), source };
        let (mut ended, mut last) = (None, Instant::now());
        loop {
            if stop.is_set() {
                return Err(ProgramError::Stopped(name(self.program)));
            }
            let limit = self.program.limit;
            if !limit.is_zero() && self.begun.elapsed() > limit {
                return Err(ProgramError::TooLong { name: name(self.program), limit });
            }
            if self.listen(heard).map_err(failed)? {
                last = Instant::now();
            }
            if ended.is_none() {
                ended = self.child.try_wait().map_err(failed)?;
            }
            let silent = self.pipes.iter().all(Option::is_none) || last.elapsed() > AFTERWARDS;
            if let Some(status) = ended.filter(|_| silent) {
                return Ok(code_of(status));
            }
        }
    }

    /// What came, within a moment. True: something did.
    fn listen(&mut self, heard: &mut dyn FnMut(Channel, &[u8])) -> io::Result<bool> {
        // With both outputs closed its end is a matter of moments.
        let look = if self.pipes.iter().any(Option::is_some) { LOOK } else { MOMENT };
        let look = PollTimeout::try_from(look).unwrap_or(PollTimeout::ZERO);
        let open: Vec<usize> = (0..2).filter(|n| self.pipes.get(*n).is_some_and(Option::is_some)).collect();
        let mut ready: Vec<PollFd<'_>> =
            self.pipes.iter().flatten().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)).collect();
        match poll(&mut ready, look) {
            Ok(0) | Err(Errno::EINTR) => return Ok(false),
            Ok(_) => {}
            Err(errno) => return Err(errno.into()),
        }
        let ready: Vec<bool> = ready.iter().map(|one| one.any().unwrap_or(false)).collect();
        let mut chunk = [0; 16 * 1024];
        for (n, _) in open.into_iter().zip(ready).filter(|(_, ready)| *ready) {
            let Some(slot) = self.pipes.get_mut(n) else { continue };
            let Some(pipe) = slot else { continue };
            match pipe.read(&mut chunk)? {
                0 => *slot = None,
                read => {
                    heard(if n == 0 { Channel::Output } else { Channel::Errors }, chunk.get(..read).unwrap_or_default())
                }
            }
        }
        Ok(true)
    }

    /// Its whole group: asked first, then ended. Leaves no zombie.
    fn end(&mut self) {
        let group = Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX));
        let _ = killpg(group, Signal::SIGTERM);
        let asked = Instant::now();
        while asked.elapsed() < MERCY && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(LOOK);
        }
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

fn name(program: &Program) -> String {
    program.name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Program {
        let arguments = vec!["-c".into(), script.into()];
        Program { name: "sh".into(), arguments, limit: Duration::from_secs(20), ..Program::default() }
    }

    fn run_it(program: &Program, stop: &StopFlag) -> (Result<i32, ProgramError>, String, String) {
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let ended = run(program, stop, &mut |channel, bytes| match channel {
            Channel::Output => output.extend_from_slice(bytes),
            Channel::Errors => errors.extend_from_slice(bytes),
        });
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (ended, text(output), text(errors))
    }

    #[test]
    fn what_it_prints_and_its_status_come_back() {
        let program = Program { input: Some(b"hello".to_vec()), ..shell("cat; echo wrong >&2; exit 7") };
        let (ended, output, errors) = run_it(&program, &StopFlag::new());
        assert_eq!((ended.unwrap(), output.as_str(), errors.as_str()), (7, "hello", "wrong\n"));
    }

    #[test]
    fn much_goes_in_and_out_at_once() {
        let bytes = vec![b'x'; 3 << 20];
        let (ended, output, _) = run_it(&Program { input: Some(bytes), ..shell("cat") }, &StopFlag::new());
        assert_eq!((ended.unwrap(), output.len()), (0, 3 << 20));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let program = Program { name: "no-such-program".into(), ..Program::default() };
        let (ended, ..) = run_it(&program, &StopFlag::new());
        assert!(matches!(ended, Err(ProgramError::Missing(name)) if name == "no-such-program"));
    }

    /// The number of the process that `script` printed is gone soon.
    fn gone(pid: &str) -> bool {
        let begun = Instant::now();
        let path = format!("/proc/{}/status", pid.trim());
        let alive = || std::fs::read_to_string(&path).is_ok_and(|text| !text.contains("State:\tZ"));
        while begun.elapsed() < Duration::from_secs(5) {
            if !alive() {
                return true;
            }
            thread::sleep(LOOK);
        }
        false
    }

    #[test]
    fn a_stop_and_a_limit_end_its_children_too() {
        let script = "sleep 1000 & echo $!; wait";
        let (ended, pid, _) = run_it(&Program { limit: Duration::from_millis(300), ..shell(script) }, &StopFlag::new());
        assert!(matches!(ended, Err(ProgramError::TooLong { .. })) && gone(&pid), "{pid}");
        let stop = StopFlag::new();
        let mut pid = String::new();
        let ended = run(&shell(script), &stop, &mut |_, bytes| {
            pid.push_str(&String::from_utf8_lossy(bytes));
            stop.set();
        });
        assert!(matches!(ended, Err(ProgramError::Stopped(_))) && gone(&pid), "{pid}");
    }

    #[test]
    fn who_keeps_its_output_open_is_not_waited_for() {
        let begun = Instant::now();
        let (ended, output, _) = run_it(&shell("sleep 15 & echo done"), &StopFlag::new());
        assert_eq!((ended.unwrap(), output.as_str()), (0, "done\n"));
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn the_environment_is_as_asked() {
        let set = vec![("OPS_ONE".into(), "1".into())];
        let program = Program { set, unset: vec!["HOME".into()], ..shell("echo \"$OPS_ONE${HOME-none}\"") };
        assert_eq!(run_it(&program, &StopFlag::new()).1, "1none\n");
    }
}
