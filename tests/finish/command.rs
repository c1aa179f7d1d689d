//! `sd-swap finish` as a program: exit codes, lines, JSON, and leaving.

#![expect(clippy::disallowed_types, reason = "the program itself is started")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use sd_swap::demo::core::{CoreStandin, Gate, Post, Reply, Script, backups, info, usual};
use serde_json::{Value, json};

use super::bench::beside_each_other;
use super::recorded::{INFO, ONBOARDING};

/// Faster than the program looks: it sees only what lasts.
const SPEED: f64 = 80.0;

fn command(core: &CoreStandin, state: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sd-swap"));
    let ports = [core.main.to_string(), core.old.to_string()];
    command.args(["finish", "--host", "127.0.0.1", "--port", &ports[0], "--port", &ports[1]]).args(more);
    command.env("XDG_STATE_HOME", state).env_remove("SD_SWAP_LOG").stdin(Stdio::null());
    command
}

fn run(script: Script, more: &[&str]) -> (Output, CoreStandin) {
    let core = CoreStandin::start(script, SPEED).unwrap();
    let state = tempfile::tempdir().unwrap();
    let output = command(&core, state.path(), more).output().unwrap();
    (output, core)
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ready() -> Script {
    usual(&backups("5e1f2a90"), Gate::Main)
}

/// A Core that only ever says this.
fn always(onboarding: Reply, list: Option<Value>) -> Script {
    let mut script = Script::default();
    script.get(0.0, Gate::Main, ONBOARDING, onboarding);
    if let Some(list) = list {
        script.get(0.0, Gate::Main, INFO, Reply::json(200, &info(&list, "idle", None)));
    }
    script
}

fn fresh() -> Reply {
    Reply::json(200, &sd_swap::demo::core::fresh_steps())
}

/// The program looks by the clock: beside one another they take the time of one.
#[test]
fn whole_moves() {
    let moves = [
        the_usual_move_in_json_lines,
        the_key_comes_from_a_file_and_is_never_shown,
        leaving_says_that_the_restore_goes_on_and_the_next_one_only_watches,
    ];
    beside_each_other(&moves, |play| play());
}

fn the_usual_move_in_json_lines() {
    let (output, core) = run(ready(), &["--yes", "--json"]);
    let lines = lines(&output);
    assert_eq!(output.status.code(), Some(0), "{lines:?}");
    assert_eq!(core.restores().len(), 1);
    let ids: Vec<&str> = lines.iter().filter_map(|line| line["situation"].as_str()).collect();
    assert_eq!((ids.first(), ids.last()), (Some(&"restoring"), Some(&"done")));
    assert_eq!((&lines[0]["next"], &lines[0]["backup"]), (&json!("post"), &json!("5e1f2a90")));
    let link = format!("http://127.0.0.1:{}/", core.main);
    assert_eq!(lines.last(), Some(&json!({"end": "done", "exit": 0, "link": link, "words": []})));
    assert!(lines.iter().all(|line| line.get("end").is_some() || line["title"].is_string()));
}

#[test]
fn each_end_has_its_exit_code() {
    let mut begun = sd_swap::demo::core::fresh_steps();
    begun[0]["done"] = json!(true);
    let mut locked = backups("5e1f2a90");
    locked[0]["agents"] = json!({"hassio.local": {"protected": true, "size": 1}});
    let mut two = backups("5e1f2a90");
    two.as_array_mut().unwrap().extend(backups("77aa01ce").as_array().cloned().unwrap());
    let mut bare = backups("5e1f2a90");
    bare[0]["homeassistant_included"] = json!(false);
    let mut full = ready();
    let said =
        json!({"code": "restore_failed", "message": "blocked, not enough free space (1.2GB) left on the device"});
    full.posts = vec![Post::refused(Reply::json(400, &said))];
    let named = ["--slug", "5e1f2a90", "--json", "--timeout", "1s"];
    let yes = ["--yes", "--json", "--timeout", "1s"];
    let asks = ["--json", "--timeout", "1s"];
    let cases: [(&str, Script, &[&str], i32, &str); 8] = [
        ("it failed", full, &named, 1, "failed"),
        ("several", always(fresh(), Some(two)), &yes, 2, "several"),
        ("nobody can be asked", always(fresh(), Some(backups("5e1f2a90"))), &asks, 2, "declined"),
        ("set up anew", always(Reply::json(200, &begun), None), &named, 3, "set-up"),
        ("the old home", always(Reply::missing(), None), &named, 3, "set-up"),
        ("not restorable", always(fresh(), Some(bare)), &named, 4, "not-listed"),
        ("no key", always(fresh(), Some(locked)), &named, 5, "key-needed"),
        ("silence", always(Reply::Refused, None), &named, 6, "timed-out"),
    ];
    beside_each_other(&cases, |(name, script, more, exit, end)| {
        let (output, core) = run(script.clone(), more);
        let lines = lines(&output);
        assert_eq!(output.status.code(), Some(*exit), "{name}: {lines:?}");
        assert_eq!(lines.last().map(|line| &line["end"]), Some(&json!(end)), "{name}");
        assert_eq!(core.restores().len(), usize::from(*exit == 1), "{name}");
    });
}

#[test]
fn called_wrongly() {
    let core = CoreStandin::start(ready(), SPEED).unwrap();
    let state = tempfile::tempdir().unwrap();
    for more in [
        &["--slug", "../../etc"] as &[&str],
        &["--timeout", "soon"],
        &["--port", "99999"],
        &["--key-file", "/nowhere/key"],
        &["--key", "secret"],
    ] {
        let output = command(&core, state.path(), more).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{more:?}");
    }
    assert!(core.asked().is_empty());
}

fn the_key_comes_from_a_file_and_is_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("key");
    std::fs::write(&file, "Sesame-1234\n").unwrap();
    let mut locked = backups("77aa01ce");
    locked[0]["agents"] = json!({"hassio.local": {"protected": true, "size": 1}});
    let core = CoreStandin::start(usual(&locked, Gate::Main), SPEED).unwrap();
    let mut command = command(&core, dir.path(), &["--slug", "77aa01ce", "--key-file", file.to_str().unwrap()]);
    let output = command.env("SD_SWAP_LOG", "debug").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let body: Value = serde_json::from_slice(&core.restores()[0].body).unwrap();
    assert_eq!(body["password"], "Sesame-1234");
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("Restoring everything") && said.contains("Done."), "{said}");
    assert!(!said.contains("Sesame"), "{said}");
}

fn leaving_says_that_the_restore_goes_on_and_the_next_one_only_watches() {
    let core = CoreStandin::start(ready(), 15.0).unwrap();
    let state = tempfile::tempdir().unwrap();
    let mut left = command(&core, state.path(), &["--yes", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut read = BufReader::new(left.stdout.take().unwrap()).lines();
    let first: Value = serde_json::from_str(&read.next().unwrap().unwrap()).unwrap();
    assert_eq!(first["next"], "post");
    while core.restores().is_empty() {
        std::thread::yield_now();
    }
    assert!(Command::new("kill").args(["-INT", &left.id().to_string()]).status().unwrap().success());
    let last: Value = serde_json::from_str(&read.last().unwrap().unwrap()).unwrap();
    assert_eq!(left.wait().unwrap().code(), Some(130));
    assert_eq!((&last["end"], &last["exit"]), (&json!("stopped"), &json!(130)));
    let words = last["words"].to_string();
    assert!(words.contains("forgets") && words.contains("--slug 5e1f2a90"), "{words}");

    let output = command(&core, state.path(), &["--yes", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{:?}", lines(&output));
    assert_eq!(core.restores().len(), 1, "the second one only watched");
}
