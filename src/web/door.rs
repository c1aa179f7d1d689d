//! Who may hold how many connections for how long, so that nobody can use up the machine or keep others out (PK-4).
//!
//! The server in use cuts a slow beginning of a request; the rest is here. A connection carries one request (there is no
//! keep-alive, see `bind`) and passes through three times:
//!
//! ```text
//! its head: `HEAD`        answering: no limit here, the        the answer is taken: `TAKEN`
//! (the server's timer)    handlers' own waits are bounded      (streams: as long as they like, but few)
//! ```

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, Shutdown, TcpStream as Line};
use std::os::fd::AsFd;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use actix_web::rt::task::JoinHandle;
use actix_web::{HttpRequest, rt};
use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Until the head of a request has to be there.
pub const HEAD: Duration = Duration::from_secs(5);
/// Until its body has to be there: forms and starts are a few lines.
pub const BODY: Duration = Duration::from_secs(10);
/// Until an answer has to be taken off the line; what is longest is a log of 256 kB.
const TAKEN: Duration = Duration::from_secs(12);
/// The same where the rest of a request is on its way at the same time.
const LEFT_OVER: Duration = Duration::from_secs(3);
/// Connections at once of those that are let in. Each may cost some 200 kB (buffers of the server).
const GUESTS: usize = 128;
/// Of all others together: enough to be told that they are not let in.
const STRANGERS: usize = 16;
/// Event streams and WebSockets, once they are known as such. A page that gets none asks now and then instead. One that
/// does what it is for takes some 35 kB.
const STREAMS: usize = 512;
/// Where descriptors are few, this many of them are left to the job, to files, and to Home Assistant's answers.
const KEPT: usize = 200;
/// Those that are turned away are taken first, and still to be closed: so many at once.
const LEAVING: usize = 144;

/// A connection that has a place has two descriptors.
fn streams(descriptors: usize) -> usize {
    let left = descriptors.saturating_sub(LEAVING + KEPT) / 2;
    left.saturating_sub(GUESTS + STRANGERS).clamp(GUESTS / 2, STREAMS)
}

/// What each of `workers` of the server takes at once.
pub fn at_once(descriptors: usize, workers: usize) -> usize {
    (streams(descriptors) + GUESTS + STRANGERS + LEAVING).div_ceil(workers.max(1))
}

/// Counts who is in.
pub struct Door {
    allow_from: Vec<IpNet>,
    guests: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

impl Door {
    /// `descriptors`: how many this process may have open.
    pub fn new(allow_from: Vec<IpNet>, descriptors: usize) -> Door {
        let places = |most| Arc::new(Semaphore::new(most));
        let streams = places(streams(descriptors));
        Door { allow_from, guests: places(GUESTS), strangers: places(STRANGERS), streams }
    }

    /// Loopback and the allowed peers, by the address of their socket, never by a header.
    pub fn lets_in(&self, peer: IpAddr) -> bool {
        // A dual-stack socket shows IPv4 peers as ::ffff:a.b.c.d.
        let peer = peer.to_canonical();
        peer.is_loopback() || self.allow_from.iter().any(|net| net.contains(&peer))
    }

    /// Called for each connection before anything is read of it. Without a place it is closed at once: waiting in line
    /// behind idle ones, nobody would be served.
    pub fn enter(&self, stream: &TcpStream, connection: &mut Extensions) {
        // Both fail only where the other side is gone already, or for want of descriptors.
        let Ok(line) = stream.as_fd().try_clone_to_owned().map(Line::from) else { return };
        let guest = stream.peer_addr().is_ok_and(|peer| self.lets_in(peer.ip()));
        let places = if guest { &self.guests } else { &self.strangers };
        match places.clone().try_acquire_owned() {
            Ok(place) => drop(connection.insert(Rc::new(Visit::new(line, place)))),
            Err(_) => hang_up(&line),
        }
    }

    /// `None`: too many are open. What is returned is kept for as long as the stream lasts. The place that the
    /// connection came in with is free again: streams keep no page out.
    pub fn stream(&self, req: &HttpRequest) -> Option<Stay> {
        let place = self.streams.clone().try_acquire_owned().ok()?;
        let Some(visit) = req.conn_data::<Rc<Visit>>() else {
            return Some(Stay { visit: Weak::new(), _place: Some(place) });
        };
        visit.stays.set(true);
        visit.place.replace(Some(place));
        Some(Stay { visit: Rc::downgrade(visit), _place: None })
    }
}

fn hang_up(line: &Line) {
    // An error says that it is closed already.
    let _ = line.shutdown(Shutdown::Both);
}

/// A connection that has a place, while it lasts.
pub struct Visit {
    /// A second descriptor of it: the server has no way to end one that it waits for.
    line: Line,
    timer: RefCell<Option<JoinHandle<()>>>,
    /// Its answer is a stream: the end is not waited for.
    stays: Cell<bool>,
    /// Among the guests, strangers or streams; kept to the end of the connection.
    place: RefCell<Option<OwnedSemaphorePermit>>,
}

impl Visit {
    fn new(line: Line, place: OwnedSemaphorePermit) -> Visit {
        Visit { line, timer: RefCell::default(), stays: Cell::new(false), place: RefCell::new(Some(place)) }
    }

    /// A request came: it takes the time that it takes.
    pub fn asked(&self) {
        if let Some(timer) = self.timer.take() {
            timer.abort();
        }
    }

    /// The answer is on its way; who does not take it is cut off.
    pub fn answered(self: &Rc<Visit>) {
        self.answered_with(TAKEN);
    }

    /// The same where the request may go on without end: of a body in chunks that nobody reads any more, the server
    /// reads the rest.
    pub fn answered_in_the_middle(self: &Rc<Visit>) {
        self.answered_with(LEFT_OVER);
    }

    fn answered_with(self: &Rc<Visit>, time: Duration) {
        self.asked();
        if self.stays.get() {
            return;
        }
        let visit = Rc::downgrade(self);
        let cut = async move {
            tokio::time::sleep(time).await;
            visit.upgrade().iter().for_each(|visit| hang_up(&visit.line));
        };
        *self.timer.borrow_mut() = Some(rt::spawn(cut));
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.asked();
    }
}

/// An open stream. Once it is over, the rest of it has to be taken like any answer.
pub struct Stay {
    visit: Weak<Visit>,
    /// Of a connection that is not counted.
    _place: Option<OwnedSemaphorePermit>,
}

impl Drop for Stay {
    fn drop(&mut self) {
        if let Some(visit) = self.visit.upgrade() {
            visit.stays.set(false);
            visit.answered();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_let_in() {
        let door = Door::new(vec!["172.30.32.2/32".parse().unwrap()], 1024);
        let cases = [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("172.30.32.2", true),
            ("::ffff:172.30.32.2", true),
            // The same bits where they mean something else.
            ("::172.30.32.2", false),
            ("64:ff9b::172.30.32.2", false),
            ("2002:ac1e:2002::", false),
            ("2.32.30.172", false),
            ("::ffff:172.30.32.3", false),
            ("172.30.32.1", false),
            ("172.30.32.3", false),
            ("172.30.32.20", false),
            ("172.30.33.2", false),
            ("192.168.1.5", false),
            ("0.0.0.0", false),
            ("::", false),
            ("255.255.255.255", false),
            ("126.255.255.255", false),
            ("128.0.0.1", false),
            ("fe80::1", false),
            ("::ffff:0.0.0.1", false),
        ];
        for (peer, want) in cases {
            assert_eq!(door.lets_in(peer.parse().unwrap()), want, "{peer}");
        }
        let wide = Door::new(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()], 1024);
        for (peer, want) in [("10.1.2.3", true), ("::ffff:10.1.2.3", true), ("fd12::1", true), ("172.30.32.2", false)] {
            assert_eq!(wide.lets_in(peer.parse().unwrap()), want, "{peer}");
        }
        assert!(!Door::new(Vec::new(), 1024).lets_in("172.30.32.2".parse().unwrap()));
    }

    #[test]
    fn streams_by_descriptors() {
        let cases = [(0, 64), (256, 64), (760, 64), (1024, 196), (1656, 512), (1 << 20, 512), (usize::MAX, 512)];
        for (descriptors, want) in cases {
            assert_eq!(streams(descriptors), want, "{descriptors}");
        }
    }
}
