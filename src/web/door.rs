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
/// Of the guests', so many may be event streams and WebSockets. A page that gets none asks now and then instead.
const STREAMS: usize = 64;
/// What a worker of the server takes at once: those that are turned away are still to be closed.
pub const AT_ONCE: usize = 2 * (GUESTS + STRANGERS);

/// Counts who is in.
pub struct Door {
    allow_from: Vec<IpNet>,
    guests: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

impl Door {
    pub fn new(allow_from: Vec<IpNet>) -> Door {
        let places = |most| Arc::new(Semaphore::new(most));
        Door { allow_from, guests: places(GUESTS), strangers: places(STRANGERS), streams: places(STREAMS) }
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

    /// `None`: too many are open. What is returned is kept for as long as the stream lasts.
    pub fn stream(&self, req: &HttpRequest) -> Option<Stay> {
        let place = self.streams.clone().try_acquire_owned().ok()?;
        let visit = req.conn_data::<Rc<Visit>>().map(Rc::downgrade).unwrap_or_default();
        visit.upgrade().iter().for_each(|visit| visit.stays.set(true));
        Some(Stay { visit, _place: place })
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
    _place: OwnedSemaphorePermit,
}

impl Visit {
    fn new(line: Line, place: OwnedSemaphorePermit) -> Visit {
        Visit { line, timer: RefCell::default(), stays: Cell::new(false), _place: place }
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

/// An open stream's place. Once it is given back, the rest of the stream has to be taken like any answer.
pub struct Stay {
    visit: Weak<Visit>,
    _place: OwnedSemaphorePermit,
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
        let door = Door::new(vec!["172.30.32.2/32".parse().unwrap()]);
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
        let wide = Door::new(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        for (peer, want) in [("10.1.2.3", true), ("::ffff:10.1.2.3", true), ("fd12::1", true), ("172.30.32.2", false)] {
            assert_eq!(wide.lets_in(peer.parse().unwrap()), want, "{peer}");
        }
        assert!(!Door::new(Vec::new()).lets_in("172.30.32.2".parse().unwrap()));
    }
}
