//! Bytes on a line, and what comes back.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Longer than anything is allowed to take.
pub const LONG: Duration = Duration::from_secs(45);

/// Everything that came back until the other side closed the line.
#[derive(Debug, Clone)]
pub struct Reply {
    pub text: String,
    /// From connecting to the end.
    pub took: Duration,
}

impl Reply {
    /// 0: closed without a word.
    pub fn status(&self) -> u16 {
        self.text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// How many answers came.
    pub fn answers(&self) -> usize {
        self.text.matches("HTTP/1.1 ").count()
    }

    pub fn head(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or(&self.text, |(head, _)| head)
    }

    pub fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let line = self.head().lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}: ")))?;
        line.split_once(": ").map(|(_, value)| value)
    }
}

pub fn line(to: impl Into<SocketAddr>) -> TcpStream {
    let stream = TcpStream::connect_timeout(&to.into(), LONG).expect("connecting");
    stream.set_read_timeout(Some(LONG)).expect("a time limit");
    stream.set_write_timeout(Some(LONG)).expect("a time limit");
    stream
}

pub fn here(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

/// Reads until the other side closes, however it does. That it is silent for [`LONG`], or sends on and on, is a failure.
pub fn rest(stream: &mut TcpStream, begun: Instant) -> Reply {
    let (mut bytes, mut some) = (Vec::new(), [0; 65_536]);
    loop {
        match stream.read(&mut some) {
            Ok(0) => break,
            Ok(read) => bytes.extend_from_slice(&some[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                let waited = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                assert!(!waited, "the line stays open; so far: {}", String::from_utf8_lossy(&bytes));
                break;
            }
        }
        assert!(begun.elapsed() < 2 * LONG, "it does not end; so far: {}", String::from_utf8_lossy(&bytes));
    }
    Reply { text: String::from_utf8_lossy(&bytes).into_owned(), took: begun.elapsed() }
}

/// Sends these bytes and reads to the end; does not close its own side before.
pub fn send(to: SocketAddr, bytes: impl AsRef<[u8]>) -> Reply {
    let begun = Instant::now();
    let mut stream = line(to);
    // It may be refused in the middle.
    let _ = stream.write_all(bytes.as_ref());
    let reply = rest(&mut stream, begun);
    let _ = stream.shutdown(Shutdown::Both);
    reply
}

pub fn get(port: u16, target: &str) -> Reply {
    get_with(port, target, "")
}

/// `headers`: lines that end in CR LF.
pub fn get_with(port: u16, target: &str, headers: &str) -> Reply {
    send(here(port), format!("GET {target} HTTP/1.1\r\nHost: ha.local:8123\r\n{headers}\r\n"))
}

pub fn post(port: u16, target: &str, headers: &str, body: &str) -> Reply {
    let length = body.len();
    let head = format!("POST {target} HTTP/1.1\r\nHost: ha.local:8123\r\n{headers}Content-Length: {length}\r\n\r\n");
    send(here(port), head + body)
}

/// Tries all cases at once: most of them wait for each other's second of good-bye.
pub fn each<T: Send>(cases: impl IntoIterator<Item = T>, attempt: impl Fn(T) + Sync) {
    std::thread::scope(|scope| {
        let attempt = &attempt;
        let all: Vec<_> = cases.into_iter().map(|case| scope.spawn(move || attempt(case))).collect();
        let failed = all.into_iter().filter_map(|one| one.join().err()).count();
        assert_eq!(failed, 0, "cases failed; each has said how");
    });
}

pub const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
pub const JSON: &str = "Content-Type: application/json\r\n";
