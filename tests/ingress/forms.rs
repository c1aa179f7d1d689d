//! A POST has to come from our own page: its token, `Origin` and `Sec-Fetch-Site` (PK-4).

use crate::house::Busy;
use crate::program::{Program, until};
use crate::wire::{FORM, JSON, Reply, get, post};

/// The value of a hidden field.
fn field(page: &str, name: &str) -> String {
    let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1);
    rest.and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("no {name} in {page}")).to_string()
}

/// Headers, and whether they may come with a POST of ours. Every request says `Host: ha.local:8123`.
const SENDERS: [(&str, bool); 16] = [
    ("", true),
    ("Origin: http://ha.local:8123\r\nSec-Fetch-Site: same-origin\r\n", true),
    ("Origin: https://my.example\r\nX-Forwarded-Host: my.example\r\n", true),
    ("Sec-Fetch-Site: none\r\n", true),
    ("Origin: https://evil.example\r\n", false),
    ("Origin: http://ha.local\r\n", false),
    ("Origin: http://ha.local:8124\r\n", false),
    ("Origin: http://ha.local:8123.evil.example\r\n", false),
    ("Origin: http://evil.example/?ha.local:8123\r\n", false),
    ("Origin: null\r\n", false),
    ("Origin: \r\n", false),
    ("Origin: file://\r\n", false),
    ("Sec-Fetch-Site: cross-site\r\n", false),
    ("Sec-Fetch-Site: same-site\r\n", false),
    ("Origin: http://ha.local:8123\r\nSec-Fetch-Site: cross-site\r\n", false),
    (
        "Origin: https://evil.example\r\nX-Forwarded-For: 172.30.32.2\r\nX-Ingress-Path: /api/hassio_ingress/T\r\n",
        false,
    ),
];

#[test]
fn only_our_own_page_starts_stops_and_removes() {
    let busy = Busy::new();
    let program = busy.program(",write=4");
    program.card();
    let known = until(|| {
        let page = get(program.port, "/card?disk=scratch1").text;
        page.contains("name=\"token\"").then_some(page)
    });
    let page = known.expect("the form");
    let names = ["disk", "seen", "plug", "once", "token"];
    let fields = names.map(|name| format!("{name}={}", field(&page, name))).join("&")
        + "&agree=yes&size=7.2&backup=new&version=running";
    let token = field(&page, "token");
    assert_eq!(token.len(), 32);
    let post_card = |sender: &str, body: &str| post(program.port, "/card", &format!("{FORM}{sender}"), body);

    for (sender, own) in SENDERS.iter().filter(|(_, own)| !own) {
        for (target, kind, body) in [
            ("/card", FORM, fields.as_str()),
            ("/cache", FORM, &format!("token={token}")),
            ("/api/start-clone", JSON, r#"{"device":"scratch1"}"#),
            ("/api/jobs/1/cancel", JSON, "{}"),
        ] {
            let reply = post(program.port, target, &format!("{kind}{sender}"), body);
            assert_eq!((reply.status(), *own), (403, false), "{target} {sender}: {}", reply.text);
            assert!(reply.header("access-control-allow-origin").is_none());
        }
        let delete = format!("DELETE /api/image-cache HTTP/1.1\r\nHost: ha.local:8123\r\n{sender}\r\n");
        assert_eq!(crate::wire::send(crate::wire::here(program.port), delete).status(), 403, "{sender}");
    }
    // The token of another start, a piece of ours, ours with something behind it, none at all, one too many.
    let other = "0".repeat(32);
    for wrong in
        [other.as_str(), &token[..31], &format!("{token}0"), "", &token.to_uppercase().replace(char::is_numeric, "A")]
    {
        let reply = post_card("", &fields.replace(&token, wrong));
        assert_eq!(reply.status(), 409, "{wrong}: {}", reply.head());
        assert_eq!(post(program.port, "/cache", FORM, &format!("token={wrong}")).status(), 409, "{wrong}");
    }
    // Where a browser looks before it sends: nobody is allowed anything.
    let ask = "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n";
    let before = format!("OPTIONS /api/start-clone HTTP/1.1\r\nHost: ha.local:8123\r\n{ask}\r\n");
    let reply = crate::wire::send(crate::wire::here(program.port), before);
    assert!(reply.status() == 405 && !reply.text.to_lowercase().contains("access-control-"), "{}", reply.text);
    // A form cannot pretend to be JSON.
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", ""]
    {
        let line = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        assert_eq!(post(program.port, "/api/start-clone", &line, r#"{"device":"scratch1"}"#).status(), 415, "{kind}");
    }
    assert_eq!(program.ask("GET", "/api/jobs", "").1["jobs"].as_array().map(Vec::len), Some(0));
    ours_works(&program, &fields, &token, post_card);
}

/// All of the above was refused for its sender alone.
fn ours_works(program: &Program, fields: &str, token: &str, post_card: impl Fn(&str, &str) -> Reply) {
    let mut first = None;
    for (sender, _) in SENDERS.iter().filter(|(_, own)| *own) {
        // The same form again leads to the same job.
        let reply = post_card(sender, fields);
        assert_eq!((reply.status(), reply.header("location")), (303, Some("jobs/1")), "{sender}: {}", reply.text);
        first = first.or(Some(reply));
    }
    let evil = "Origin: https://evil.example\r\n";
    assert_eq!(post(program.port, "/jobs/1/stop", &format!("{FORM}{evil}"), &format!("token={token}")).status(), 403);
    assert_eq!(post(program.port, "/jobs/1/stop", FORM, "token=x").status(), 409);
    assert_eq!(program.state("1"), "running");
    let reply = post(program.port, "/jobs/1/stop", FORM, &format!("token={token}"));
    assert_eq!((reply.status(), reply.header("location")), (303, Some("../../jobs/1")));
    until(|| (program.state("1") == "cancelled").then_some(())).expect("it was stopped");
}
