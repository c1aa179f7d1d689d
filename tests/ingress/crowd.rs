//! Thousands of connections at once, while a card is made.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sd_swap::demo::stage::Stage;

use crate::house::{Alone, Busy};
use crate::program::{Program, around, serving, until, within};
use crate::support::{Verdict, is_long, verdict};
use crate::wire::{get, here, line};

/// As many as the app gets from Docker where nobody changed anything; the crowd may not use them up.
const DESCRIPTORS: usize = 1024;

/// So many may be streams then.
const STREAMS: usize = 196;

/// What each of the crowd does, one after another.
const WAYS: [&str; 6] = [
    // Nothing at all.
    "",
    "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "GET /events HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST /cache HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\n",
    "GET /jobs/1/log.txt HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n",
];

fn crowd(port: u16, size: usize) -> Vec<TcpStream> {
    let all = Mutex::new(Vec::with_capacity(size));
    std::thread::scope(|scope| {
        for part in 0..8 {
            let all = &all;
            scope.spawn(move || {
                for n in (part..size).step_by(8) {
                    // One that does not get in is one of those that are too many.
                    let Ok(mut stream) = TcpStream::connect_timeout(&here(port), Duration::from_secs(20)) else {
                        continue;
                    };
                    let _ = stream.write_all(WAYS[n % WAYS.len()].as_bytes());
                    all.lock().unwrap().push(stream);
                }
            });
        }
    });
    all.into_inner().unwrap()
}

/// Whether the other side has closed it; what it sent before is read.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let mut some = [0; 65_536];
    loop {
        match stream.read(&mut some) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}

fn with_few_descriptors(busy: &Busy) -> Program {
    let stage: &Stage = &busy.stage;
    let mut command = Command::new("prlimit");
    command.arg(format!("--nofile={DESCRIPTORS}")).arg(env!("CARGO_BIN_EXE_sd-swap"));
    serving(&mut command, &busy.data);
    around(&mut command, stage);
    command.arg("--scratch-card").arg(format!("{},write=5,read=20", busy.card.display()));
    Program::start(&mut command)
}

/// Connections that this process may open.
fn most_lines() -> usize {
    let own = std::process::id().to_string();
    let most = || -> Option<usize> {
        let limits = fs::read_to_string("/proc/self/limits").ok()?;
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        line.split_whitespace().next()?.parse().ok()
    };
    // More, where that may be had.
    for wanted in ["20000:", "20000"] {
        if most().is_none_or(|most| most < 11_000) {
            let _ = Command::new("prlimit").args(["--pid", &own, &format!("--nofile={wanted}")]).output();
        }
    }
    most().unwrap_or(1024).saturating_sub(500)
}

/// How long a page took, tried again and again as a browser's user would.
fn page(program: &Program, most: Duration) -> Option<Duration> {
    let begun = Instant::now();
    let got = within(most, || {
        let (status, _, page) = program.ask_with("GET", "/", "", "");
        (status == 200 && page.contains("</html>")).then_some(())
    });
    got.map(|()| begun.elapsed())
}

#[test]
fn a_stream_too_many_is_told_so_and_pages_are_still_served() {
    let house = Alone::new();
    let open = |target: &str| {
        let mut stream = line(here(house.port()));
        stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        (String::from_utf8_lossy(&first).into_owned(), stream)
    };
    let (mut streams, mut opened) = (Vec::new(), 0);
    loop {
        let (status, stream) = open(["/events", "/jobs/1/events", "/api/events"][opened % 3]);
        if status != "HTTP/1.1 200" {
            break;
        }
        streams.push(stream);
        opened += 1;
        assert!(opened < 2000, "nobody counts");
    }
    // Of a job that is over, the stream ends by itself.
    streams.retain_mut(|stream| !is_closed(stream));
    assert!((196..=512).contains(&streams.len()), "{} streams", streams.len());
    let page = get(house.port(), "/events");
    assert_eq!((page.status(), page.header("retry-after")), (503, Some("60")), "{}", page.text);
    assert!(page.body().contains("Too many pages are open"), "{}", page.text);
    let api = get(house.port(), "/api/events");
    assert!(api.status() == 503 && api.body().contains("\"too_many_streams\""), "{}", api.text);
    assert!(matches!(get(house.port(), "/live?seen=").status(), 200 | 204));
    assert_eq!(get(house.port(), "/about").status(), 200);
    drop(streams);
    until(|| (open("/events").0 == "HTTP/1.1 200").then_some(())).expect("a place is given back");
}

#[test]
fn a_crowd_is_turned_away_and_the_job_goes_on() {
    let wanted = 10_000.min(most_lines());
    assert!(wanted == 10_000 || !is_long(), "this machine allows {wanted} connections only");
    let busy = Busy::new();
    let program = with_few_descriptors(&busy);
    let id = program.start_job();
    program.log.says(&format!("job {id}: write: begins"));

    let begun = Instant::now();
    let mut crowd = crowd(program.port, wanted);
    let opened = begun.elapsed();
    assert!(crowd.len() > wanted * 9 / 10, "only {} came through", crowd.len());
    // While they are there.
    let among = page(&program, Duration::from_secs(20)).expect("a page while the crowd is there");
    let held = within(Duration::from_secs(30), || {
        crowd.retain_mut(|stream| !is_closed(stream));
        (crowd.len() <= STREAMS + 16).then_some(())
    });
    assert!(held.is_some(), "{} of them are still held", crowd.len());
    let left = crowd.len();
    assert!(page(&program, Duration::from_secs(3)).is_some(), "a page while their streams are open");
    let state = until(|| Some(program.state(&id)).filter(|state| state != "running"));
    assert_eq!(state.as_deref(), Some("done"), "{}", program.job(&id));
    drop(crowd);
    let after = page(&program, Duration::from_secs(3)).expect("a page once they are gone");
    assert_eq!(verdict(&busy.card, None), Ok(Verdict::Finished));
    let memory = program.most_memory();
    println!(
        "{wanted} came in {opened:?}; a page among them {among:?}, after them {after:?}; {left} streams held; {} MiB",
        memory >> 20
    );
    assert!(memory < 96 << 20, "{memory} bytes");
    assert!(!program.log.all().contains("panicked"), "{}", program.log.all());
}
