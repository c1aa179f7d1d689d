//! A bell that whoever sleeps on a descriptor hears as well, so that nobody has to look now and then whether it rang.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
#[cfg(test)]
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{pipe2, read, write};

/// Without a pipe nobody can be woken: so long a wait is at most.
const SLICE: Duration = Duration::from_millis(200);

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    Bell,
    /// There is something to read where else one listened.
    Other,
    Nothing,
}

/// It rings until it is heard. A pipe and no pair of sockets: the app's profile has no sockets without an address.
#[derive(Debug)]
pub struct Bell {
    pipe: Option<Pipe>,
    /// For how long at most somebody went to sleep here, each time.
    #[cfg(test)]
    pub sleeps: Mutex<Vec<Duration>>,
}

#[derive(Debug)]
struct Pipe {
    reads: OwnedFd,
    writes: OwnedFd,
}

impl Bell {
    pub fn new() -> Bell {
        let pipe = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).map(|(reads, writes)| Pipe { reads, writes });
        if let Err(errno) = &pipe {
            log::warn!("no pipe to be woken by: {}; looking now and then", errno.desc());
        }
        Bell {
            pipe: pipe.ok(),
            #[cfg(test)]
            sleeps: Mutex::default(),
        }
    }

    pub fn ring(&self) {
        // A full pipe rings already.
        let _ = self.pipe.as_ref().map(|pipe| write(&pipe.writes, &[1]));
    }

    /// Sleeps until it rings, `other` has something to read, or `time` is over. The bell comes first, and is quiet then.
    pub fn wait(&self, other: Option<&OwnedFd>, time: Duration) -> io::Result<Heard> {
        let end = Instant::now() + if self.pipe.is_some() { time } else { time.min(SLICE) };
        loop {
            match self.sleep(other, end.saturating_duration_since(Instant::now())) {
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
                Ok(heard) => return Ok(heard),
            }
        }
    }

    fn sleep(&self, other: Option<&OwnedFd>, time: Duration) -> Result<Heard, Errno> {
        #[cfg(test)]
        self.sleeps.lock().unwrap().push(time);
        let ours = self.pipe.iter().map(|pipe| &pipe.reads);
        let mut ears: Vec<PollFd<'_>> =
            ours.chain(other).map(|ear| PollFd::new(ear.as_fd(), PollFlags::POLLIN)).collect();
        // Rounded up: a rest of less than a millisecond must not become a busy loop.
        let time = PollTimeout::try_from(time + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX);
        if poll(&mut ears, time)? == 0 {
            return Ok(Heard::Nothing);
        }
        if self.pipe.is_some() && ears.first().is_some_and(|ear| ear.any() == Some(true)) {
            self.quieten();
            return Ok(Heard::Bell);
        }
        // One that is closed would be ready again and again, with nothing to read.
        let closed = PollFlags::POLLHUP | PollFlags::POLLNVAL;
        match ears.last().and_then(PollFd::revents).is_some_and(|ready| ready.intersects(closed)) {
            true => Err(Errno::EPIPE),
            false => Ok(Heard::Other),
        }
    }

    fn quieten(&self) {
        let mut rung = [0; 64];
        if let Some(pipe) = &self.pipe {
            while read(&pipe.reads, &mut rung).is_ok_and(|length| length == rung.len()) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn each_is_told_from_the_other_and_the_bell_comes_first() {
        let (reads, writes) = pipe2(OFlag::O_CLOEXEC).unwrap();
        let bell = Bell::new();
        assert_eq!(bell.wait(Some(&reads), Duration::ZERO).unwrap(), Heard::Nothing);
        write(&writes, b"news").unwrap();
        assert_eq!(bell.wait(Some(&reads), LONG).unwrap(), Heard::Other);
        (0..100_000).for_each(|_| bell.ring());
        assert_eq!(bell.wait(Some(&reads), LONG).unwrap(), Heard::Bell);
        assert_eq!(bell.wait(Some(&reads), LONG).unwrap(), Heard::Other, "rung often, heard once");
        assert_eq!(bell.wait(None, Duration::ZERO).unwrap(), Heard::Nothing);
    }

    #[test]
    fn whoever_sleeps_is_woken() {
        let bell = Bell::new();
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| bell.wait(None, LONG).unwrap());
            bell.ring();
            assert_eq!(sleeper.join().unwrap(), Heard::Bell);
        });
        let slept = bell.sleeps.into_inner().unwrap();
        assert!(matches!(slept[..], [once] if once > LONG / 2), "{slept:?}");
    }

    #[test]
    fn one_that_is_closed_is_an_error_and_no_news() {
        let (reads, writes) = pipe2(OFlag::O_CLOEXEC).unwrap();
        drop(writes);
        assert!(Bell::new().wait(Some(&reads), LONG).is_err());
    }

    #[test]
    fn without_a_pipe_a_wait_is_short() {
        let bell = Bell { pipe: None, ..Bell::new() };
        bell.ring();
        assert_eq!(bell.wait(None, LONG).unwrap(), Heard::Nothing);
    }
}
