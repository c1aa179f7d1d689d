//! Clients that take their time: cut after a while, whatever they wait for, and whoever comes meanwhile is served.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, connect, setsockopt, socket, sockopt};

use crate::house::{Alone, fill};
use crate::program::{Program, lonely, within};
use crate::support::scratch_dir;
use crate::wire::{FORM, JSON, Reply, get, here, line, rest};

/// Sends a byte every now and then until the line is cut, or for this long.
fn drip(port: u16, first: &str, drop: &'static [u8]) -> Reply {
    let begun = Instant::now();
    let mut stream = line(here(port));
    stream.write_all(first.as_bytes()).unwrap();
    let mut dripping = stream.try_clone().unwrap();
    let dripper = thread::spawn(move || {
        while begun.elapsed() < Duration::from_secs(40) && dripping.write_all(drop).is_ok() {
            thread::park_timeout(Duration::from_millis(300));
        }
    });
    let reply = rest(&mut stream, begun);
    drop_line(&stream);
    dripper.join().unwrap();
    reply
}

fn drop_line(stream: &TcpStream) {
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

#[test]
fn whoever_takes_too_long_to_ask_is_cut() {
    let house = Alone::new();
    let port = house.port();
    let post = |target: &str, kind: &str, more: &str| format!("POST {target} HTTP/1.1\r\nHost: x\r\n{kind}{more}\r\n");
    let after_one = "GET /about HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nX: ".to_string();
    // What is sent at first, what follows drop by drop, the answers that may come, the seconds that it may last.
    let cases: Vec<(String, &'static [u8], &'static [u16], u64)> = vec![
        (String::new(), b"", &[0, 408], 8),
        (String::new(), b"G", &[0, 400, 408], 8),
        ("GET / HTTP/1.1\r\nHost: x\r\n".into(), b"", &[0, 408], 8),
        ("GET / HTTP/1.1\r\nHost: x\r\nX: ".into(), b"y", &[0, 408], 8),
        ("GET / HTTP/1.1\r\nHost: x\r\n".into(), b"A: b\r\n", &[0, 408, 431], 8),
        ("GET /".into(), b"a", &[0, 408], 8),
        ("\r\n".into(), b"\r\n", &[0, 400, 408], 8),
        (after_one, b"y", &[200], 8),
        (post("/cache", FORM, "Content-Length: 1000\r\n"), b"", &[408], 14),
        (post("/cache", FORM, "Content-Length: 1000\r\n"), b"x", &[408], 14),
        (post("/card", FORM, "Transfer-Encoding: chunked\r\n"), b"1\r\nx\r\n", &[408], 14),
        (post("/jobs/1/stop", FORM, "Transfer-Encoding: chunked\r\n"), b"", &[408], 14),
        (post("/api/start-clone", JSON, "Content-Length: 1000\r\n"), b" ", &[408], 14),
        (post("/api/jobs/1/cancel", JSON, "Content-Length: 1000\r\n"), b" ", &[409], 8),
        ("GET /about HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n".into(), b"x", &[200], 8),
        (post("/about", FORM, "Expect: 100-continue\r\nContent-Length: 1000\r\n"), b"", &[100, 405], 14),
    ];
    let asked = |(first, drop, statuses, most): (String, &'static [u8], &'static [u16], u64)| {
        thread::spawn(move || {
            let reply = drip(port, &first, drop);
            assert!(statuses.contains(&reply.status()), "{first:?}: {}", reply.text);
            assert!(reply.took < Duration::from_secs(most), "{first:?}: {:?}", reply.took);
            reply
        })
    };
    let slow: Vec<_> = cases.into_iter().map(asked).collect();
    // Meanwhile.
    let begun = Instant::now();
    assert_eq!(get(port, "/about").status(), 200);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    for slow in slow {
        let reply = slow.join().expect("a slow client");
        if reply.status() == 408 && reply.text.contains("text/html") {
            assert!(reply.text.contains("did not arrive in time"), "{}", reply.text);
        }
    }
}

/// A line that takes next to nothing: small segments, hardly any buffer.
fn narrow(port: u16) -> TcpStream {
    let made: OwnedFd = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
    setsockopt(&made, sockopt::RcvBuf, &2048).unwrap();
    setsockopt(&made, sockopt::TcpMaxSeg, &500).unwrap();
    connect(made.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, port)).unwrap();
    made.into()
}

#[test]
fn whoever_does_not_take_the_answer_is_cut() {
    let dir = scratch_dir();
    fill(dir.path());
    // Many disks make long pages, and long streams.
    let mut command = lonely(dir.path());
    for n in 0..60 {
        let card = dir.path().join(format!("card-{n}.img"));
        File::create(&card).unwrap().set_len(8_000_000_000).unwrap();
        command.arg("--scratch-card").arg(&card);
    }
    let program = Program::start(&mut command);
    let listed = within(Duration::from_secs(30), || {
        let disks = program.ask("GET", "/api/devices", "").1;
        (disks["refused"].as_array()?.len() + disks["devices"].as_array()?.len() >= 60).then_some(())
    });
    listed.expect("the disks");
    let idle = program.sockets();
    let ask = |target: &str| {
        let mut stream = narrow(program.port);
        stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
        stream
    };
    let targets = ["/jobs/1/log.txt", "/events", "/api/events", "/api/devices", "/"];
    let lines: Vec<TcpStream> =
        targets.iter().flat_map(|target| (0..8).map(|_| ask(target)).collect::<Vec<_>>()).collect();
    let held = within(Duration::from_secs(10), || (program.sockets() >= idle + lines.len()).then_some(()));
    held.expect("they are held at first");
    // Meanwhile.
    assert_eq!(get(program.port, "/about").status(), 200);
    let cut = within(Duration::from_secs(40), || (program.sockets() <= idle).then_some(()));
    assert!(cut.is_some(), "{} of {} sockets are still held", program.sockets() - idle, lines.len());
    assert!(program.most_memory() < 96 << 20, "{}", program.most_memory());
    // The answers were really longer than what the lines take.
    for mut stream in lines {
        let mut some = Vec::new();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let _ = stream.read_to_end(&mut some);
        assert!(!some.ends_with(b"0\r\n\r\n") && some.len() < 200_000, "{} bytes", some.len());
    }
}
