//! Too much: bodies, headers, fields. Each is told, none is kept in memory.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::house::Alone;
use crate::wire::{FORM, JSON, Reply, each, here, line, post, rest, send};

fn endless(house: &Alone, head: &str, piece: &[u8]) -> Reply {
    let begun = Instant::now();
    let mut stream = line(here(house.port()));
    stream.write_all(head.as_bytes()).unwrap();
    // 64 MiB, or until it has had enough.
    for _ in 0..(64 << 20) / piece.len() {
        if stream.write_all(piece).is_err() {
            break;
        }
    }
    rest(&mut stream, begun)
}

#[test]
fn a_long_body_is_refused_with_words() {
    let house = Alone::new();
    for target in ["/card", "/cache", "/jobs/1/stop"] {
        let reply = post(house.port(), target, FORM, &"x".repeat(16 * 1024 + 1));
        assert_eq!(reply.status(), 413, "{target}: {}", reply.text);
        assert!(reply.body().contains("The form is too long") && reply.body().contains("</html>"), "{}", reply.text);
    }
    let reply = post(house.port(), "/api/start-clone", JSON, &format!("{{\"device\":\"{}\"}}", "x".repeat(17_000)));
    assert_eq!(reply.status(), 413);
    assert!(reply.body().contains("\"too_long\""), "{}", reply.text);
    // What is announced to be too long is not waited for.
    each(["1000000000000", "18446744073709551615", "16385"], |length| {
        let head = format!("POST /cache HTTP/1.1\r\nHost: x\r\n{FORM}Content-Length: {length}\r\n\r\n");
        let reply = send(here(house.port()), head);
        assert_eq!(reply.status(), 413, "{length}: {}", reply.text);
        assert!(reply.took < Duration::from_secs(5), "{length}: {:?}", reply.took);
    });
    // What announces nothing is cut when it is too long.
    let chunk = [b"1000\r\n".as_slice(), &[b'x'; 4096], b"\r\n"].concat();
    each([("/cache", FORM), ("/api/start-clone", JSON), ("/about", FORM), ("/nothing", FORM)], |(target, kind)| {
        let head = format!("POST {target} HTTP/1.1\r\nHost: x\r\n{kind}Transfer-Encoding: chunked\r\n\r\n");
        let reply = endless(&house, &head, &chunk);
        // The line may be cut before the answer is read.
        assert!(matches!(reply.status(), 413 | 405 | 404 | 0), "{target}: {}", reply.text);
        assert!(reply.took < Duration::from_secs(10), "{target}: {:?}", reply.took);
    });
    assert!(house.program.most_memory() < 64 << 20, "{}", house.program.most_memory());
}

#[test]
fn heads_that_are_too_long_are_refused() {
    let house = Alone::new();
    let get = |headers: &str| send(here(house.port()), format!("GET /about HTTP/1.1\r\nHost: x\r\n{headers}\r\n"));
    assert_eq!(get(&format!("X-Long: {}\r\n", "x".repeat(100_000))).status(), 200);
    assert!(matches!(get(&format!("X-Long: {}\r\n", "x".repeat(300_000))).status(), 431 | 0));
    assert_eq!(get(&(0..90).map(|n| format!("X-{n}: y\r\n")).collect::<String>()).status(), 200);
    for many in [100, 1_000, 5_000] {
        let reply = get(&(0..many).map(|n| format!("X-{n}: y\r\n")).collect::<String>());
        assert!(matches!(reply.status(), 431 | 400), "{many}: {}", reply.text);
    }
    for (head, piece) in [
        ("GET /about HTTP/1.1\r\nX: ", "xxxxxxxxxxxxxxxx"),
        ("GET /", "a/b/"),
        ("", "GET"),
        ("GET / HTTP/1.1\r\n", "A: b\r\n"),
    ] {
        let reply = endless(&house, head, piece.repeat(1000).as_bytes());
        assert!(matches!(reply.status(), 400 | 431 | 0), "{head:?}: {}", reply.text);
        assert!(reply.took < Duration::from_secs(10), "{head:?}: {:?}", reply.took);
    }
    assert!(house.program.most_memory() < 64 << 20, "{}", house.program.most_memory());
}

#[test]
fn many_fields_are_only_fields() {
    let house = Alone::new();
    for body in
        ["a=b&".repeat(4_000), "&".repeat(16_000), "token=x&".repeat(2_000), "%".repeat(16_000), "=".repeat(16_000)]
    {
        assert_eq!(post(house.port(), "/cache", FORM, &body).status(), 409, "{}", &body[..20]);
    }
    for body in ["[".repeat(16_000), format!("{{\"device\":{}", "[".repeat(15_000)), "{\"a\":".repeat(3_000)] {
        assert_eq!(post(house.port(), "/api/start-clone", JSON, &body).status(), 400, "{}", &body[..20]);
    }
    // A bomb: what is packed is taken as it is, never unpacked.
    let packed = post(house.port(), "/api/start-clone", &format!("{JSON}Content-Encoding: gzip\r\n"), "\u{1f}\u{8b}");
    assert!(matches!(packed.status(), 400 | 415), "{}", packed.text);
    for long in ["de,".repeat(20_000), "*;q=0.1,".repeat(9_000), "x".repeat(90_000)] {
        let begun = Instant::now();
        let reply = crate::wire::get_with(
            house.port(),
            "/",
            &format!("Accept-Language: {long}\r\nAccept-Encoding: {long}\r\n"),
        );
        assert!(matches!(reply.status(), 200 | 400 | 406 | 431), "{}", reply.head());
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}
