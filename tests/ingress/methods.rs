//! Methods: `HEAD` is `GET` without its body; the rest gets 405, and no header makes another one of it.

use crate::house::Alone;
use crate::wire::{Reply, get, get_with, here, post, send};

fn ask(house: &Alone, line: &str) -> Reply {
    send(here(house.port()), format!("{line}\r\nHost: x\r\nX-Mark: zq7x\r\n\r\n"))
}

#[test]
fn head_is_answered_like_get_and_has_no_body() {
    let house = Alone::new();
    let targets = ["/", "/about", "/history", "/cache", "/jobs/1", "/jobs/1/log.txt", "/jobs/1/certificate.json"];
    let api = ["/nothing", "/jobs/99", "/card?disk=no", "/api/devices", "/api/jobs/1", "/api/openapi.json", "/api/no"];
    for target in targets.iter().chain(&api) {
        for more in ["", "Accept-Encoding: gzip\r\n"] {
            let lines = format!("{target} HTTP/1.1\r\nHost: ha.local:8123\r\n{more}\r\n");
            let head = send(here(house.port()), format!("HEAD {lines}"));
            let full = send(here(house.port()), format!("GET {lines}"));
            assert_eq!((head.status(), head.body()), (full.status(), ""), "{target}: {}", head.text);
            for name in ["content-type", "content-encoding", "content-security-policy", "cache-control"] {
                assert_eq!(head.header(name), full.header(name), "{target} {name}");
            }
            // Pages that tell what goes on may have changed in between.
            let same = send(here(house.port()), format!("GET {lines}")).text.len() == full.text.len();
            let length = |reply: &Reply| reply.header("content-length").map(String::from);
            assert!(!same || length(&head) == length(&full), "{target}: {:?} {:?}", length(&head), length(&full));
        }
    }
    // Streams end where they would begin.
    for target in ["/events", "/jobs/1/events", "/api/events"] {
        let head = ask(&house, &format!("HEAD {target} HTTP/1.1"));
        assert_eq!((head.status(), head.header("content-type")), (200, Some("text/event-stream")), "{target}");
        assert!(head.body().is_empty() && head.took.as_secs() < 3, "{target}: {head:?}");
    }
}

#[test]
fn what_a_url_does_not_take_it_refuses() {
    let house = Alone::new();
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "BREW", "get", "GETT"] {
        for target in ["/", "/about", "/events", "/jobs/1", "/api/devices", "/api/events", "/api/jobs"] {
            let reply = ask(&house, &format!("{method} {target} HTTP/1.1"));
            assert_eq!(reply.status(), 405, "{method} {target}: {}", reply.text);
            assert!(!reply.text.contains("zq7x"), "{method} {target} echoes: {}", reply.text);
        }
    }
    for (method, target) in
        [("GET", "/api/start-clone"), ("PUT", "/card"), ("DELETE", "/cache"), ("HEAD", "/api/jobs/1/cancel")]
    {
        assert_eq!(ask(&house, &format!("{method} {target} HTTP/1.1")).status(), 405, "{method} {target}");
    }
    for line in ["CONNECT evil.example:443 HTTP/1.1", "CONNECT / HTTP/1.1", "CONNECT 127.0.0.1:22 HTTP/1.1"] {
        let reply = ask(&house, line);
        assert!(matches!(reply.status(), 400 | 404 | 405 | 501), "{line}: {}", reply.text);
    }
    for line in [
        "GET /",
        "GET / HTTP/0.9",
        "GET / HTTP/1.2",
        "GET / HTTP/3",
        "PRI * HTTP/2.0",
        "GET  / HTTP/1.1",
        "\0\0\0",
        "{}",
    ] {
        let reply = ask(&house, line);
        assert!(matches!(reply.status(), 0 | 400 | 404 | 505), "{line}: {}", reply.text);
    }
    // The beginning of TLS.
    let reply = send(here(house.port()), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    assert!(matches!(reply.status(), 0 | 400), "{}", reply.text);
}

#[test]
fn no_header_makes_another_method() {
    let house = Alone::new();
    for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"] {
        let reply = get_with(house.port(), "/api/image-cache", &format!("{name}: DELETE\r\n"));
        assert_eq!(reply.status(), 200, "{name}: {}", reply.text);
        assert_eq!(get_with(house.port(), "/api/start-clone", &format!("{name}: POST\r\n")).status(), 405, "{name}");
        assert_eq!(post(house.port(), "/about", &format!("{name}: GET\r\n"), "").status(), 405, "{name}");
    }
    assert_eq!(get(house.port(), "/api/jobs/1/cancel?_method=POST").status(), 405);
}
