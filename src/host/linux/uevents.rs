//! The kernel's announcements of disks that come, go and change their medium (DV-4), heard on a netlink socket.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recvfrom, socket};

use crate::domain::backoff::{Backoff, Failure, Say};
use crate::domain::pace::Pace;

use super::bell::{Bell, Heard};

/// The kernel's own group; in group 2 udev speaks, in a format of its own.
const KERNEL: u32 = 1;
/// Without a socket, "look again" is said this often: a card has to be on the page within two seconds.
const BLIND: Duration = Duration::from_millis(1500);
/// Longer messages than the kernel makes (2 KiB of variables and the path).
const LONGEST: usize = 8192;

/// One announcement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uevent {
    pub action: String,
    pub subsystem: String,
    /// `disk` or `partition`, for block devices.
    pub devtype: String,
    /// Name of the node below `/dev`.
    pub devname: String,
    /// Asked for by a process, not by the device: udev does so whenever a writer closed a disk.
    pub synthetic: bool,
}

impl Uevent {
    /// Reads `ACTION@DEVPATH` and the variables behind it, each ended by a zero byte. `None` for anything else.
    pub fn parse(message: &[u8]) -> Option<Uevent> {
        let mut fields = message.split(|byte| *byte == 0);
        let (announced, _) = std::str::from_utf8(fields.next()?).ok()?.split_once('@')?;
        let mut event = Uevent::default();
        for (key, value) in fields.filter_map(|f| std::str::from_utf8(f).ok()).filter_map(|f| f.split_once('=')) {
            match key {
                "ACTION" => event.action = value.to_owned(),
                "SUBSYSTEM" => event.subsystem = value.to_owned(),
                "DEVTYPE" => event.devtype = value.to_owned(),
                "DEVNAME" => event.devname = value.to_owned(),
                "SYNTH_UUID" => event.synthetic = true,
                _ => {}
            }
        }
        (event.action == announced).then_some(event)
    }

    /// Whether the list of disks may look different now. Synthetic events do not count: each look at a disk, when it
    /// closes what it opened for writing, makes udev send one, and we would look again for ever.
    pub fn concerns_disks(&self) -> bool {
        let known = ["add", "remove", "change", "move", "online", "offline"].contains(&self.action.as_str());
        self.subsystem == "block" && self.devtype == "disk" && known && !self.synthetic
    }
}

/// Listens from when it was made: what happens between two waits is not lost.
#[derive(Debug)]
pub struct Uevents {
    ear: Mutex<Ear>,
    bell: Bell,
}

/// The socket, or when to try for one again.
#[derive(Debug)]
struct Ear {
    socket: Option<OwnedFd>,
    backoff: Backoff,
    begun: Instant,
}

impl Ear {
    fn deaf() -> Ear {
        Ear { socket: None, backoff: Backoff::new(&Pace::real()), begun: Instant::now() }
    }

    /// Where it cannot hear, it tries again, more and more seldom.
    fn open(&mut self) {
        if self.socket.is_some() || !self.backoff.is_due(self.begun.elapsed()) {
            return;
        }
        match listen() {
            Ok(socket) => {
                self.socket = Some(socket);
                if let Some(Say::Back { tries }) = self.backoff.worked(self.begun.elapsed()) {
                    log::info!("hearing the kernel's device events again, after {tries} tries");
                }
            }
            Err(error) => self.lost(&error),
        }
    }

    fn lost(&mut self, error: &io::Error) {
        self.socket = None;
        if self.backoff.failed(self.begun.elapsed(), Failure::Passing).say.is_some() {
            log::warn!("not hearing the kernel's device events: {error}; looking again every moment");
        }
    }
}

impl Uevents {
    /// A machine that does not let us listen is watched by looking again in short intervals.
    pub fn new() -> Uevents {
        let mut ear = Ear::deaf();
        ear.open();
        Uevents { ear: Mutex::new(ear), bell: Bell::new() }
    }

    /// Ends a wait at once, or the next one if there is none.
    pub fn nudge(&self) {
        self.bell.ring();
    }

    /// Returns at an announcement that concerns disks (true), at a nudge, or after `timeout` (false). Without a socket true
    /// comes after at most a second and a half: somebody has to look.
    pub fn wait(&self, timeout: Duration) -> bool {
        let mut ear = self.ear.lock().unwrap_or_else(PoisonError::into_inner);
        ear.open();
        match self.wait_on(&ear, timeout) {
            Ok(heard) => heard,
            Err(error) => {
                ear.lost(&error);
                drop(ear);
                self.wait_blind(timeout.min(BLIND))
            }
        }
    }

    /// Sleeps until something comes: what does not concern disks is all that makes it turn.
    fn wait_on(&self, ear: &Ear, timeout: Duration) -> io::Result<bool> {
        let Some(socket) = &ear.socket else { return Ok(self.wait_blind(timeout.min(BLIND))) };
        let end = Instant::now() + timeout;
        loop {
            match self.bell.wait(Some(socket), end.saturating_duration_since(Instant::now()))? {
                Heard::Other if heard(socket) => return Ok(true),
                Heard::Other => {}
                Heard::Bell | Heard::Nothing => return Ok(false),
            }
        }
    }

    fn wait_blind(&self, time: Duration) -> bool {
        // The bell alone cannot be lost as a socket can; if it were, looking again would be right.
        !matches!(self.bell.wait(None, time), Ok(Heard::Bell))
    }
}

impl Default for Uevents {
    fn default() -> Uevents {
        Uevents::new()
    }
}

fn listen() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let kind = SockProtocol::NetlinkKObjectUEvent;
    // The kernel takes raw and datagram for the same; AppArmor does not, and the profile allows raw.
    let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, kind)?;
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, KERNEL))?;
    Ok(socket)
}

/// Takes everything that has arrived, so that a burst is one change; true if any of it concerns disks.
fn heard(socket: &OwnedFd) -> bool {
    let mut buffer = [0; LONGEST];
    let mut concerned = false;
    // A storm that never ends must not keep us here.
    for _ in 0..4096 {
        match recvfrom::<NetlinkAddr>(socket.as_raw_fd(), &mut buffer) {
            // Port 0 is the kernel; others may send to the group as well.
            Ok((length, Some(sender))) if sender.pid() == 0 => {
                let message = buffer.get(..length).unwrap_or_default();
                concerned |= Uevent::parse(message).is_some_and(|event| event.concerns_disks());
            }
            Ok(_) | Err(Errno::EINTR) => {}
            // Something was lost for want of room: it may have been a disk.
            Err(Errno::ENOBUFS) => concerned = true,
            Err(_) => break,
        }
    }
    concerned
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &[u8] = b"add@/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0/block/sdb\0\
        ACTION=add\0DEVPATH=/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0/block/sdb\0\
        SUBSYSTEM=block\0MAJOR=8\0MINOR=16\0DEVNAME=sdb\0DEVTYPE=disk\0DISKSEQ=14\0SEQNUM=4711\0";

    fn with(from: &str, to: &str) -> Vec<u8> {
        String::from_utf8(CARD.to_vec()).unwrap().replace(from, to).into_bytes()
    }

    #[test]
    fn disks_are_told_from_the_rest() {
        let cases: Vec<(Vec<u8>, Option<bool>)> = vec![
            (CARD.to_vec(), Some(true)),
            (with("add", "remove"), Some(true)),
            (with("add", "bind"), Some(false)),
            (with("DEVTYPE=disk", "DEVTYPE=partition"), Some(false)),
            (with("SUBSYSTEM=block", "SUBSYSTEM=usb"), Some(false)),
            (with("add", "change"), Some(true)),
            (with("DISKSEQ=14", "DISK_MEDIA_CHANGE=1"), Some(true)),
            (with("SEQNUM", "SYNTH_UUID=0\0SEQNUM"), Some(false)),
            (with("ACTION=add", "ACTION=remove"), None),
            (with("@", " "), None),
            (b"libudev\0\xfe\xed\xca\xfe\0\0\0\x28".to_vec(), None),
            (b"".to_vec(), None),
            (b"\xff\xff@\0".to_vec(), None),
            (b"add@/devices/x".to_vec(), None),
        ];
        for (message, want) in cases {
            let got = Uevent::parse(&message).map(|event| event.concerns_disks());
            assert_eq!(got, want, "{}", String::from_utf8_lossy(&message));
        }
        let card = Uevent::parse(CARD).unwrap();
        assert_eq!((card.action.as_str(), card.devname.as_str(), card.synthetic), ("add", "sdb", false));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(at in 0..CARD.len(), bytes: Vec<u8>) {
            let mut message = CARD[..at].to_vec();
            message.extend(bytes);
            let _ = Uevent::parse(&message);
        }
    }

    #[test]
    fn a_nudge_ends_the_wait_that_runs_or_else_the_next_one() {
        for socket in [None, listen().ok()] {
            let blind = socket.is_none();
            let uevents = with_ear(Ear { socket, ..Ear::deaf() });
            uevents.nudge();
            uevents.nudge();
            let begin = Instant::now();
            assert!(!uevents.wait(Duration::from_secs(600)));
            std::thread::scope(|scope| {
                let waiting = scope.spawn(|| uevents.wait(Duration::from_secs(600)));
                uevents.nudge();
                assert!(!waiting.join().unwrap());
            });
            assert!(begin.elapsed() < Duration::from_secs(60), "blind: {blind}");
        }
    }

    #[test]
    fn without_a_socket_it_says_look_again() {
        let mut ear = Ear::deaf();
        ear.lost(&io::ErrorKind::PermissionDenied.into());
        assert!(with_ear(ear).wait(Duration::from_millis(1)));
    }

    /// Nothing makes it turn but what comes: no end of its own sleep is nearer than what it was told.
    #[test]
    fn it_sleeps_until_something_comes() {
        let (ours, theirs) = std::os::unix::net::UnixDatagram::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let uevents = with_ear(Ear { socket: Some(ours.into()), ..Ear::deaf() });
        let sleeps = || uevents.bell.sleeps.lock().unwrap().clone();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| uevents.wait(Duration::from_secs(600)));
            for event in 1..=3 {
                while sleeps().len() < event {
                    std::thread::yield_now();
                }
                theirs.send(b"of no concern").unwrap();
            }
            while sleeps().len() < 4 {
                std::thread::yield_now();
            }
            uevents.nudge();
            assert!(!waiting.join().unwrap());
        });
        assert!(sleeps().len() == 4 && sleeps().iter().all(|time| time.as_secs() > 300), "{:?}", sleeps());
    }

    fn with_ear(ear: Ear) -> Uevents {
        Uevents { ear: Mutex::new(ear), bell: Bell::new() }
    }

    #[test]
    fn a_socket_that_cannot_be_waited_on_is_replaced() {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        drop(theirs);
        let mut ear = Ear { socket: Some(ours.into()), ..Ear::deaf() };
        ear.lost(&io::ErrorKind::BrokenPipe.into());
        assert!(ear.socket.is_none());
        ear.open();
        assert!(ear.socket.is_none(), "not before its wait is over");
        ear.begun = Instant::now().checked_sub(Duration::from_secs(40)).unwrap();
        ear.open();
        assert_eq!(ear.socket.is_some(), listen().is_ok());
    }
}
