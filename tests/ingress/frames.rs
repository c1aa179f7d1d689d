//! Requests whose end can be read in two ways: with another reader in front of us, one of them would be somebody's to
//! choose. They are refused, and nothing behind them is answered.

use crate::house::Alone;
use crate::wire::{each, here, send};

/// What would be smuggled.
const SECOND: &str = "GET /api/jobs/1 HTTP/1.1\r\nHost: smuggled\r\n\r\n";

const HEADS: [&str; 24] = [
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
    "Content-Length: 5\r\nContent-Length: 5\r\n",
    "Content-Length: 5\r\nContent-Length: 6\r\n",
    "Content-Length: 0\r\nContent-Length: 50\r\n",
    "Content-Length: 5, 5\r\n",
    "Content-Length: +5\r\n",
    "Content-Length: -5\r\n",
    "Content-Length: 0x5\r\n",
    "Content-Length: 5 5\r\n",
    "Content-Length: five\r\n",
    "Content-Length: \r\n",
    "Content-Length: 99999999999999999999999\r\n",
    "Transfer-Encoding: xchunked\r\n",
    "Transfer-Encoding: chunked, identity\r\n",
    "Transfer-Encoding: identity\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "Transfer-Encoding : chunked\r\n",
    "Transfer-Encoding:\u{b}chunked\r\n",
    "Content-Length : 5\r\n",
    "Host: second\r\n",
];

#[test]
fn a_length_that_is_said_twice_is_refused_and_the_line_closed() {
    let house = Alone::new();
    each(HEADS, |head| {
        for target in ["/cache", "/api/start-clone"] {
            let bytes = format!(
                "POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n{head}\r\n0\r\n\r\n{SECOND}"
            );
            let reply = send(here(house.port()), bytes);
            assert_eq!((reply.status(), reply.answers()), (400, 1), "{head:?}: {}", reply.text);
            assert!(!reply.text.contains("job_id"), "{head:?}: {}", reply.text);
        }
    });
    // HTTP/1.0 has no chunks, and a request of today names its host.
    for bytes in [
        format!("POST /cache HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SECOND}"),
        format!("POST /cache HTTP/1.0\r\n\r\n{SECOND}"),
        format!("GET /about HTTP/1.1\r\n\r\n{SECOND}"),
        format!("GET /about HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n{SECOND}"),
    ] {
        let reply = send(here(house.port()), &bytes);
        assert_eq!((reply.status(), reply.answers()), (400, 1), "{bytes:?}: {}", reply.text);
    }
}

const CHUNKS: [&str; 12] = [
    "zz\r\n",
    "-1\r\n",
    "+5\r\ntoken\r\n0\r\n\r\n",
    "0x5\r\ntoken\r\n0\r\n\r\n",
    "\r\n",
    " 5\r\ntoken\r\n0\r\n\r\n",
    "fffffffffffffffff\r\n",
    "ffffffffffffffffffffffffffff\r\n",
    "5\r\ntokenX\r\n0\r\n\r\n",
    "5\ntoken\n0\n\n",
    "5\r\ntoken0\r\n\r\n",
    "5;a\nb\r\ntoken\r\n0\r\n\r\n",
];

#[test]
fn bad_chunks_are_refused_and_the_line_closed() {
    let house = Alone::new();
    each(CHUNKS, |chunks| {
        let bytes = format!(
            "POST /cache HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Transfer-Encoding: chunked\r\n\r\n{chunks}{SECOND}"
        );
        let reply = send(here(house.port()), bytes);
        assert_eq!(reply.status(), 400, "{chunks:?}: {}", reply.text);
        assert!(!reply.text.contains("job_id"), "{chunks:?}: {}", reply.text);
    });
    // Well-formed ones are read: the form is refused for its token alone.
    let good = "POST /cache HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                Transfer-Encoding: chunked\r\n\r\n5;x=y\r\ntoken\r\n2\r\n=x\r\n0\r\n\r\n";
    assert_eq!(send(here(house.port()), good).status(), 409);
}

#[test]
fn a_body_nobody_asked_for_is_never_read_as_a_request() {
    let house = Alone::new();
    let firsts = [("GET /about", 200), ("POST /about", 405), ("GET /nothing", 404), ("POST /jobs/9/stop", 404)];
    each(firsts, |(first, status)| {
        let bytes = format!("{first} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{SECOND}", SECOND.len());
        let reply = send(here(house.port()), bytes);
        assert_eq!((reply.status(), reply.answers()), (status, 1), "{first}: {}", reply.text);
        assert!(!reply.text.contains("job_id"), "{first}");
        // A body of which more was promised.
        let bytes = format!("{first} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n{SECOND}");
        let reply = send(here(house.port()), bytes);
        assert!(reply.answers() == 1 && !reply.text.contains("job_id"), "{first}: {}", reply.text);
    });
}
