//! Clients that take their time: cut after a while, whatever they wait for, and whoever comes meanwhile is served.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::house::{Alone, fill};
use crate::program::{Program, lonely, within};
use crate::support::scratch_dir;
use crate::wire::{FORM, JSON, Reply, get, here, line, rest};

/// Sends a byte every now and then until the line is cut.
fn drip(port: u16, first: &str, drop: &'static [u8]) -> Reply {
    let begun = Instant::now();
    let mut stream = line(here(port));
    stream.write_all(first.as_bytes()).unwrap();
    let mut dripping = stream.try_clone().unwrap();
    let (cut, is_cut) = mpsc::channel::<()>();
    let dripper = thread::spawn(move || {
        let wait = Duration::from_millis(300);
        while is_cut.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) && dripping.write_all(drop).is_ok() {}
    });
    let reply = rest(&mut stream, begun);
    std::mem::drop(cut);
    dripper.join().unwrap();
    reply
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
        (post("/card", FORM, "Transfer-Encoding: chunked\r\n"), b"1\r\nx\r\n", &[408], 16),
        (post("/jobs/1/stop", FORM, "Transfer-Encoding: chunked\r\n"), b"", &[408], 16),
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
    let made = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    made.set_recv_buffer_size(2048).unwrap();
    made.set_tcp_mss(500).unwrap();
    made.connect(&here(port).into()).unwrap();
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
    // Without what was just asked.
    let looks = (0..30).map(|_| {
        thread::park_timeout(Duration::from_millis(50));
        program.sockets()
    });
    let idle = looks.min().unwrap_or_default();
    let ask = |target: &str| {
        let mut stream = narrow(program.port);
        stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
        stream
    };
    let all = |targets: &[&str]| -> Vec<TcpStream> {
        targets.iter().flat_map(|target| (0..8).map(|_| ask(target)).collect::<Vec<_>>()).collect()
    };
    let answers = all(&["/jobs/1/log.txt", "/jobs/1/log"]);
    let streams = all(&["/events", "/api/events"]);
    // The program knows each of them twice: to serve it, and to cut it.
    let held = within(Duration::from_secs(10), || {
        (program.sockets() >= idle + 2 * (answers.len() + streams.len())).then_some(())
    });
    held.unwrap_or_else(|| panic!("{} sockets, {idle} before: the answers fit into the lines", program.sockets()));
    // Meanwhile.
    assert_eq!(get(program.port, "/about").status(), 200);
    // Streams may be quiet for as long as they like: there are few of them.
    let cut = within(Duration::from_secs(30), || (program.sockets() <= idle + 2 * streams.len()).then_some(()));
    assert!(cut.is_some(), "{} sockets, {idle} before", program.sockets());
    drop(streams);
    let gone = within(Duration::from_secs(30), || (program.sockets() <= idle).then_some(()));
    assert!(gone.is_some(), "{} sockets, {idle} before", program.sockets());
    assert!(program.most_memory() < 96 << 20, "{}", program.most_memory());
    // The answers were really longer than what the lines take.
    for mut stream in answers {
        let mut some = Vec::new();
        let _ = stream.read_to_end(&mut some);
        let length =
            String::from_utf8_lossy(&some).lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        assert!(length.is_none_or(|length: usize| some.len() < length), "{} of {length:?} bytes", some.len());
    }
}
