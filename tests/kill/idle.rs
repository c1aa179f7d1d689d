//! SIGTERM while nothing is made, with everything open that a browser, or somebody worse, can leave open.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::Bench;
use crate::program::{Program, lonely};
use crate::support::{fresh_card, scratch_dir};

/// The server gives answers that are on their way two seconds.
const SECONDS: Duration = Duration::from_secs(8);

fn opened(program: &Program, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", program.port)).expect("connecting");
    stream.write_all(request.as_bytes()).expect("asking");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
    stream
}

fn read_until(stream: &mut TcpStream, words: &str) {
    let mut text = String::new();
    while !text.contains(words) {
        let mut some = [0; 4096];
        let read = stream.read(&mut some).expect("reading");
        assert!(read > 0, "it ended before {words:?} came: {text}");
        text.push_str(&String::from_utf8_lossy(&some[..read]));
    }
}

#[test]
fn open_streams_and_half_requests_do_not_hold_it_up() {
    let dir = scratch_dir();
    let mut program = Program::start(&mut lonely(dir.path()));
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut pages: Vec<TcpStream> = (0..5).map(|_| opened(&program, &get("/events"))).collect();
    pages.iter_mut().for_each(|page| read_until(page, "event: disks"));
    let mut api = opened(&program, &get("/api/events"));
    read_until(&mut api, "200 OK");
    let form = "POST /cache HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let halves = [
        String::new(),
        "GET / HT".into(),
        "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ".into(),
        format!("{form}Content-Length: 100\r\n\r\ntoken="),
        format!("{form}Transfer-Encoding: chunked\r\n\r\n5\r\ntok"),
    ];
    let _halves: Vec<TcpStream> = halves.iter().map(|half| opened(&program, half)).collect();
    let begun = Instant::now();
    program.signal(Signal::SIGTERM);
    assert_eq!(program.ends_within(SECONDS).code(), Some(0), "{}", program.log.all());
    println!("it took {:?}", begun.elapsed());
    // Streams end by themselves; nothing is cut off.
    for mut page in pages {
        let mut rest = String::new();
        page.read_to_string(&mut rest).expect("the rest of the stream");
        assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
    }
}

#[test]
fn a_websocket_and_a_running_job_end_together() {
    let bench = Bench::new();
    fresh_card(&bench.card, crate::CARD);
    let mut program = bench.program_with(",write=4");
    let id = program.start_job();
    program.log.says(&format!("job {id}: write: begins"));
    let upgrade = format!(
        "GET /ws/progress/{id} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let mut socket = opened(&program, &upgrade);
    read_until(&mut socket, "\"stage\":\"inject\"");
    let begun = Instant::now();
    program.signal(Signal::SIGTERM);
    assert_eq!(program.ends_within(2 * SECONDS).code(), Some(0), "{}", program.log.all());
    println!("it took {:?}", begun.elapsed());
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).expect("the rest");
    // A close frame, with "going away" or, if the job was quicker, with its end before.
    let close = |code: u16| rest.windows(4).any(|frame| frame[..2] == [0x88, 2] && frame[2..] == code.to_be_bytes());
    assert!(close(1001) || close(1000), "{rest:x?}");
}
