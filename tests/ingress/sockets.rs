//! WebSockets: what is no frame, too long a one, or too many, ends them; a decent client hears on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::house::Busy;
use crate::program::Program;
use crate::support::is_long;
use crate::wire::{each, here, line, send};

fn handshake(id: &str, headers: &str) -> String {
    format!("GET /ws/progress/{id} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{headers}\r\n")
}

const USUAL: &str = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// An open socket that has got its first four messages.
fn open(program: &Program, id: &str) -> TcpStream {
    let mut stream = line(here(program.port));
    stream.write_all(handshake(id, USUAL).as_bytes()).unwrap();
    heard(&mut stream, b"\"stage\":\"inject\"");
    stream
}

/// Reads until these bytes come.
fn heard(stream: &mut TcpStream, wanted: &[u8]) {
    let mut all = Vec::new();
    while !all.windows(wanted.len()).any(|some| some == wanted) {
        let mut some = [0; 1024];
        let read = stream.read(&mut some).expect("reading");
        assert!(read > 0, "it ended before {wanted:x?}: {}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&some[..read]);
    }
}

/// A frame of a client: first byte, payload, masked with zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = match payload.len() {
        short @ 0..=125 => vec![0x80 | short as u8],
        long @ 126..=65_535 => [vec![0x80 | 126], (long as u16).to_be_bytes().to_vec()].concat(),
        huge => [vec![0x80 | 127], (huge as u64).to_be_bytes().to_vec()].concat(),
    };
    [vec![first], length, vec![0; 4], payload.to_vec()].concat()
}

const TEXT: u8 = 0x81;
const PING: u8 = 0x89;

/// Reads to the end; the code of the close frame in it.
fn closed(stream: &mut TcpStream) -> Option<u16> {
    let mut all = Vec::new();
    let read = stream.read_to_end(&mut all);
    assert!(!read.is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock), "it stays open");
    let at = all.windows(2).position(|some| some == [0x88, 2])?;
    Some(u16::from_be_bytes(all.get(at + 2..at + 4)?.try_into().ok()?))
}

#[test]
fn bad_frames_end_a_socket_and_good_ones_do_not() {
    let busy = Busy::new();
    // Slow enough for all of this to happen in its time.
    let program = busy.program(",write=0.2");
    let id = program.start_job();
    program.log.says(&format!("job {id}: write: begins"));

    // What is not listened to.
    let mut decent = open(&program, &id);
    for _ in 0..5 {
        decent.write_all(&frame(TEXT, b"{\"garbage\": [}")).unwrap();
        decent.write_all(&frame(0x82, &[0xff; 100])).unwrap();
        decent.write_all(&frame(PING, b"are you there")).unwrap();
        heard(&mut decent, b"\x8a\x0dare you there");
    }

    let huge = |length: u64| [vec![TEXT, 0x80 | 127], length.to_be_bytes().to_vec(), vec![0; 4]].concat();
    let cases: Vec<(&str, Vec<u8>, &[u16])> = vec![
        ("unmasked", [&[TEXT, 5][..], b"hello"].concat(), &[1002]),
        ("unmasked, in pieces", vec![TEXT, 5], &[1002]),
        ("too long", frame(TEXT, &[b'x'; 1025]), &[1009]),
        ("a long ping", frame(PING, &[b'x'; 126]), &[1002, 1009]),
        ("reserved bits", frame(0xf1, b"x"), &[1002, 1008]),
        ("an unknown kind", frame(0x83, b"x"), &[1002]),
        ("a broken ping", frame(0x09, b"x"), &[1002]),
        ("nothing to continue", frame(0x80, b"x"), &[1002]),
        ("text that is none", frame(TEXT, b"\xff\xfe\xfd"), &[1002, 1007, 1008]),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), &[1002, 1008, 1009]),
        ("noise", vec![0xff; 64], &[1002, 1008, 1009]),
        ("2^63 bytes", huge(1 << 63), &[1002, 1009]),
        ("a flood of pings", frame(PING, &[b'x'; 125]).repeat(1_000), &[1001, 1008]),
        ("a flood of words", frame(TEXT, b"hello").repeat(10_000), &[1001, 1008]),
        ("a message without end", [frame(0x01, b"a"), frame(0x00, &[b'b'; 1000]).repeat(100)].concat(), &[1001, 1008]),
        ("a terabyte", [huge(1 << 40), vec![b'x'; 1 << 20]].concat(), &[1001, 1008]),
    ];
    each(cases, |(what, bytes, codes)| {
        let begun = Instant::now();
        let mut stream = open(&program, &id);
        // It may be cut in the middle.
        let cut = stream.write_all(&bytes).is_err();
        let code = closed(&mut stream);
        // A line that is cut while there is more to read loses what was said last.
        let lost = bytes.len() > 8 * 1024 && code.is_none();
        assert!(cut || lost || code.is_some_and(|code| codes.contains(&code)), "{what}: {code:?}");
        assert!(begun.elapsed() < Duration::from_secs(15), "{what}: {:?}", begun.elapsed());
    });
    assert!(program.most_memory() < 96 << 20, "{}", program.most_memory());
    decent.write_all(&frame(PING, b"still there")).unwrap();
    heard(&mut decent, b"\x8a\x0bstill there");
    // A good-bye is answered.
    decent.write_all(&frame(0x88, &1000u16.to_be_bytes())).unwrap();
    assert!(closed(&mut decent).is_some());
    assert_eq!(program.state(&id), "running");
}

#[test]
fn what_is_no_handshake_opens_nothing() {
    let house = crate::house::Alone::new();
    let version = "Sec-WebSocket-Version: 13\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let cases = [
        (version.to_string(), 400),
        (key.to_string(), 400),
        (format!("Sec-WebSocket-Version: 8\r\n{key}"), 400),
        (format!("{USUAL}Origin: https://evil.example\r\n"), 403),
        (format!("{USUAL}Origin: null\r\n"), 403),
        (format!("{USUAL}Sec-Fetch-Site: cross-site\r\n"), 403),
    ];
    each(cases, |(headers, status)| {
        let reply = send(here(house.port()), handshake("1", &headers));
        assert_eq!(reply.status(), status, "{headers}: {}", reply.text);
        assert!(reply.body().starts_with('{'), "{}", reply.text);
    });
    assert_eq!(send(here(house.port()), handshake("99", USUAL)).status(), 404);
    each(["POST", "HEAD", "DELETE"], |method| {
        let reply = send(here(house.port()), handshake("1", USUAL).replacen("GET", method, 1));
        assert!(matches!(reply.status(), 405 | 400), "{method}: {}", reply.text);
    });
    // A job that is over is told, and the line closed.
    let mut stream = line(here(house.port()));
    stream.write_all(handshake("1", USUAL).as_bytes()).unwrap();
    heard(&mut stream, b"{\"type\":\"done\"}");
    assert_eq!(closed(&mut stream), None, "the close frame came with the rest");
}

/// Nobody who answers three pings in a row with silence is kept.
#[test]
fn silence_ends_a_socket() {
    if !is_long() {
        return;
    }
    let busy = Busy::new();
    let program = busy.program(",write=0.1");
    let id = program.start_job();
    program.log.says(&format!("job {id}: write: begins"));
    let begun = Instant::now();
    let mut stream = open(&program, &id);
    stream.set_read_timeout(Some(Duration::from_secs(90))).unwrap();
    assert_eq!(closed(&mut stream), Some(1001));
    assert!((40..75).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}
