//! What a network, a proxy or another machine may do instead: nothing is taken for a sign, and the move goes on when it
//! is over.

use std::io::Write;
use std::time::Duration;

use sd_swap::demo::core::{At, Gate, Post, Reply, Script, backups, fresh_steps, info, usual};
use serde_json::json;

use super::bench::{Bench, FOR_EVER, Played, beside_each_other};
use super::recorded::{INFO, ONBOARDING};

fn raw(parts: &[&[u8]], stays: bool) -> Reply {
    Reply::Raw { parts: parts.iter().map(|part| part.to_vec()).collect(), pause: 1.0, stays }
}

fn html() -> Reply {
    Reply::text(200, "<!doctype html><title>Router</title>")
}

fn huge() -> Reply {
    let steps = fresh_steps().to_string();
    Reply::text(200, &format!("{}{steps}", " ".repeat(9 << 20)))
}

fn redirect(status: u16, location: &str) -> Reply {
    let headers = vec![("location".to_string(), location.to_string())];
    Reply::Http { status, headers, body: Vec::new(), delay: 0.0 }
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

/// Everything that is not an answer.
fn wrong() -> Vec<(&'static str, Reply)> {
    vec![
        ("closed", Reply::Close),
        ("hangs", Reply::Hang),
        ("html", html()),
        ("not http", raw(&[b"\x15\x03\x03\x00\x02\x02\x46"], false)),
        ("half a head", raw(&[b"HTTP/1.1 200 OK\r\ncontent-ty"], false)),
        ("half a head that stays", raw(&[b"HTTP/1.1 200 OK\r\ncontent-ty"], true)),
        (
            "cut in the middle",
            raw(&[HEAD, b"content-length: 136\r\n\r\n", b"[{\"step\": \"user\", \"done\": fa"], false),
        ),
        (
            "cut where it still reads well",
            raw(&[HEAD, b"content-length: 99\r\n\r\n", fresh_steps().to_string().as_bytes()], false),
        ),
        ("byte by byte, and never whole", raw(&[HEAD, b"content-length: 40\r\n\r\n", b"[", b"{", b"\"", b"s"], true)),
        (
            "chunks without an end",
            raw(&[HEAD, b"transfer-encoding: chunked\r\n\r\n", b"1\r\n[\r\n", b"1\r\n \r\n", b"1\r\n \r\n"], true),
        ),
        ("huge", huge()),
        ("wrong types", Reply::json(200, &json!({"step": "user", "done": false}))),
        ("words for values", Reply::json(200, &json!([{"step": "user", "done": "false"}]))),
        ("nothing", Reply::json(200, &json!([]))),
        ("empty", Reply::text(200, "")),
        ("a redirect to itself", redirect(307, "http://127.0.0.1/api/onboarding")),
        ("a redirect elsewhere", redirect(302, "http://192.0.2.1/api/onboarding")),
        ("a redirect without a place", redirect(307, "")),
        ("500", Reply::text(500, "500 Internal Server Error")),
        ("502", Reply::text(502, "<html>Bad Gateway</html>")),
        ("another 404", Reply::text(404, "<h1>404</h1>")),
        (
            "gzip that is none",
            Reply::Http {
                status: 200,
                headers: vec![("content-encoding".into(), "gzip".into())],
                body: b"\x1f\x8b and no more".to_vec(),
                delay: 0.0,
            },
        ),
    ]
}

/// Seconds of the script.
const WRONG_FOR: f64 = 20.0;

/// The usual move, where one address says something wrong for a while.
fn wrong_at_first(path: &str, reply: Reply) -> Script {
    let mut script = usual(&backups("5e1f2a90"), Gate::Main).later(WRONG_FOR);
    let track = script.track(Gate::Main, "GET", path);
    track.insert(0, At { t: 0.0, reply });
    let other = if path == INFO { ONBOARDING } else { INFO };
    for (path, gate) in [(other, Gate::Main), (ONBOARDING, Gate::Old)] {
        if let Some(first) = script.track(gate, "GET", path).first_mut() {
            first.t = 0.0;
        }
    }
    script
}

fn bench() -> Bench {
    Bench { speed: 200.0, answer: Duration::from_millis(400), give_up: FOR_EVER, ..Bench::new() }
}

fn is_done(name: &str, played: &Played) {
    assert_eq!((played.end().as_str(), played.posts()), ("Done · done", 1), "{name}: {:?}", played.situations);
}

#[test]
fn a_wrong_answer_of_the_onboarding_is_no_sign() {
    beside_each_other(&wrong(), |(name, reply)| {
        let played = bench().run(wrong_at_first(ONBOARDING, reply.clone()));
        is_done(name, &played);
        assert!(played.core.restores()[0].at >= WRONG_FOR, "{name}");
    });
}

#[test]
fn a_wrong_list_is_no_list() {
    beside_each_other(&wrong(), |(name, reply)| {
        let played = bench().run(wrong_at_first(INFO, reply.clone()));
        is_done(name, &played);
        assert!(played.core.restores()[0].at >= WRONG_FOR, "{name}");
    });
}

#[test]
fn an_answer_may_be_packed_cut_up_and_slow() {
    let steps = fresh_steps().to_string();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(steps.as_bytes()).unwrap();
    let headers = vec![("content-encoding".to_string(), "gzip".to_string())];
    let packed = Reply::Http { status: 200, headers, body: packed.finish().unwrap(), delay: 0.0 };
    let (one, two) = steps.split_at(30);
    let chunks = format!("{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n", one.len(), two.len());
    let chunked = raw(&[HEAD, b"transfer-encoding: chunked\r\n\r\n", chunks.as_bytes()], false);
    let slowly: Vec<&[u8]> = steps.as_bytes().chunks(9).collect();
    let length = format!("content-length: {}\r\n\r\n", steps.len());
    let slow = raw(&[&[HEAD, length.as_bytes()], slowly.as_slice()].concat(), false);
    for (name, reply) in [("gzip", packed), ("chunked", chunked), ("slow", slow)] {
        let mut script = usual(&backups("5e1f2a90"), Gate::Main);
        script.track(Gate::Main, "GET", ONBOARDING)[0].reply = reply;
        is_done(name, &bench().run(script));
    }
}

#[test]
fn the_redirect_of_the_old_port_is_enough_to_find_the_new_one() {
    let played = Bench { old_only: true, ..bench() }.run(usual(&backups("5e1f2a90"), Gate::Old));
    is_done("from 8123", &played);
    assert!(played.core.restores().iter().all(|asked| asked.gate == Gate::Main));
}

#[test]
fn how_a_request_may_end() {
    let refusal: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 99\r\n\r\n{\"code\": \"restore_";
    let cases = [
        // Whatever is not an answer is a cut, and a cut is no failure.
        ("closed", Reply::Close, "Done · done"),
        ("not http", raw(&[b"\x15\x03\x03\x00\x02\x02\x46"], false), "Done · done"),
        ("half a head", raw(&[b"HTTP/1.1 2"], false), "Done · done"),
        ("never", Reply::Hang, "Done · done"),
        ("200 without an end", raw(&[HEAD, b"transfer-encoding: chunked\r\n\r\n"], true), "Done · done"),
        // Answered, but not in words that allow another one.
        ("a refusal cut in the middle", raw(&[refusal], false), "Failed · refused"),
        ("html", Reply::text(400, "<html>Bad Request</html>"), "Failed · refused"),
        (
            "words nobody knows",
            Reply::json(400, &json!({"code": "restore_failed", "message": "Dreaming"})),
            "Failed · refused",
        ),
        ("a redirect", redirect(307, "http://127.0.0.1:9/api/onboarding/backup/restore"), "Failed · refused"),
        ("something huge", Reply::text(400, &"x".repeat(9 << 20)), "Failed · refused"),
    ];
    beside_each_other(&cases, |(name, reply, end)| {
        let mut script = usual(&backups("5e1f2a90"), Gate::Main);
        script.posts = vec![Post::runs(reply.clone(), 0.4, 0.5)];
        let played = bench().run(script);
        assert_eq!((played.end().as_str(), played.posts()), (*end, 1), "{name}: {:?}", played.situations);
    });
}

#[test]
fn a_core_that_is_set_up_while_we_look_is_left_alone() {
    let mut script = usual(&backups("5e1f2a90"), Gate::Main);
    script.hold = None;
    let protected = json!({"hassio.local": {"protected": true, "size": 1}});
    let mut list = backups("5e1f2a90");
    list[0]["agents"] = protected;
    script.tracks.values_mut().for_each(|track| track.truncate(1));
    script.track(Gate::Main, "GET", INFO)[0].reply = Reply::json(200, &info(&list, "blocked", None));
    let mut begun = fresh_steps();
    begun[0]["done"] = json!(true);
    script.get(20.0, Gate::Main, ONBOARDING, Reply::json(200, &begun));
    let played = bench().run(script);
    assert_eq!((played.end().as_str(), played.posts()), ("SetUp · set-up-anew", 0));
}

#[test]
fn nobody_is_there() {
    let played = Bench { give_up: 60, ..bench() }.run({
        let mut script = Script::default();
        script.get(0.0, Gate::Main, ONBOARDING, Reply::Refused);
        script
    });
    assert_eq!((played.end().as_str(), played.posts()), ("TimedOut · gave-up", 0));
    assert_eq!(played.situations, ["booting"]);
}
