//! Recorded cases → scripts of the stand-in.

use std::path::PathBuf;

use sd_swap::demo::core::{Gate, Post, Reply, Script, info, usual};
use serde_json::Value;

pub const ONBOARDING: &str = "/api/onboarding";
pub const INFO: &str = "/api/onboarding/backup/info";
const RESTORE: &str = "/api/onboarding/backup/restore";

pub fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/core"))
}

pub fn read(case: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder().join(format!("{case}.json"))).unwrap()).unwrap()
}

/// All cases by name.
pub fn all() -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let mut names: Vec<String> = files
        .filter(|file| file.extension().is_some_and(|end| end == "json"))
        .map(|file| file.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Every exchange in a case, wherever it stands.
pub fn exchanges(case: &Value) -> Vec<&Value> {
    match case {
        Value::Object(object) if object.contains_key("request") && object["request"].is_object() => {
            let inner = object.iter().filter(|(name, _)| *name != "request" && *name != "response");
            std::iter::once(case).chain(inner.flat_map(|(_, value)| exchanges(value))).collect()
        }
        Value::Object(object) => object.values().flat_map(exchanges).collect(),
        Value::Array(list) => list.iter().flat_map(exchanges).collect(),
        _ => Vec::new(),
    }
}

/// What was answered, or why not.
pub fn reply(exchange: &Value) -> Reply {
    if let Some(error) = exchange["error"].as_str() {
        return match error {
            "connection refused" => Reply::Refused,
            "connection closed without an answer" => Reply::Close,
            hang => {
                assert!(hang.starts_with("no answer within"), "{hang}");
                Reply::Hang
            }
        };
    }
    let response = &exchange["response"];
    let headers = response["headers"].as_object().map(|headers| {
        headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_string())).collect()
    });
    let body = match &response["body"] {
        Value::String(text) => text.clone().into_bytes(),
        json => json.to_string().into_bytes(),
    };
    let status = response["status"].as_u64().unwrap() as u16;
    let delay = exchange["seconds"].as_f64().unwrap_or(0.0);
    Reply::Http { status, headers: headers.unwrap_or_default(), body, delay }
}

fn gate(exchange: &Value) -> Gate {
    if exchange["request"]["port"] == 8123 { Gate::Old } else { Gate::Main }
}

fn path(exchange: &Value) -> &str {
    let path = exchange["request"]["path"].as_str().unwrap();
    path.split('?').next().unwrap()
}

fn method(exchange: &Value) -> &str {
    exchange["request"]["method"].as_str().unwrap()
}

pub fn is_restore(exchange: &Value) -> bool {
    method(exchange) == "POST" && path(exchange) == RESTORE
}

/// A time line as it was recorded.
pub fn time_line(case: &Value) -> Script {
    let mut script = Script::default();
    for seen in case["watched"].as_array().unwrap() {
        let t = seen["t"].as_f64().unwrap();
        let track = script.track(gate(seen), method(seen), path(seen));
        track.push(sd_swap::demo::core::At { t, reply: reply(seen) });
    }
    let restore = &case["restore"];
    if restore.is_object() {
        let t = restore["t"].as_f64().unwrap();
        // What was seen at the instant of the request was seen after it.
        script.hold = Some(t - 0.05);
        script.posts = vec![Post::runs(reply(restore), t, restore["ended_at"].as_f64().unwrap())];
    }
    script
}

/// A Core that starts as recorded, and then lets itself be restored as usual.
pub fn then_usual(mut first: Script, after: f64) -> Script {
    let rest = usual(&sd_swap::demo::core::backups("5e1f2a90"), Gate::Main).later(after);
    // From here on the usual course alone: what it said before its own beginning was said already.
    for (key, track) in rest.tracks {
        first.tracks.entry(key).or_default().extend(track.into_iter().filter(|at| at.t > after));
    }
    (first.hold, first.posts) = (rest.hold, rest.posts);
    first
}

/// The usual move with recorded answers laid over it, for as long as nothing was restored.
pub fn usual_with(case: &Value) -> Script {
    let mut script = usual(&listed(case), Gate::Main);
    let mut posts = Vec::new();
    for exchange in exchanges(case) {
        if is_restore(exchange) && gate(exchange) == Gate::Main {
            posts.push(Post { info: after(case), ..Post::refused(reply(exchange)) });
            continue;
        }
        if path(exchange) == INFO && case["after"] == *exchange {
            continue;
        }
        let track = script.track(gate(exchange), method(exchange), path(exchange));
        track.retain(|at| at.t > 0.0);
        track.insert(0, sd_swap::demo::core::At { t: 0.0, reply: reply(exchange) });
    }
    posts.append(&mut script.posts);
    script.posts = posts;
    script
}

/// The state right after a refused request, with the list that the recording left out.
fn after(case: &Value) -> Option<Reply> {
    let seen = &case["after"]["response"]["body"];
    let mut body = info(&listed(case), "idle", None);
    body["state"] = seen.get("state")?.clone();
    body["last_action_event"] = seen["last_action_event"].clone();
    Some(Reply::json(200, &body))
}

/// The backups that the case is about: those of its own list, else the usual one; encrypted where a key was refused.
fn listed(case: &Value) -> Value {
    let lists = exchanges(case).into_iter().map(|exchange| exchange["response"]["body"]["backups"].clone());
    if let Some(list) = lists.into_iter().find(|list| list.as_array().is_some_and(|list| !list.is_empty())) {
        return list;
    }
    let about_keys = case["case"].as_str().is_some_and(|name| name.starts_with("restore-password"));
    let source = if about_keys { read("info-protected") } else { read("info-one") };
    source["response"]["body"]["backups"].clone()
}
