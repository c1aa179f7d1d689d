//! What it finds in its data folder: ledgers of earlier and later forms, damaged ones, and folders that cannot be used.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::{Value, json};

use crate::program::{Program, lonely};
use crate::small::Small;
use crate::support::{fresh_card, scratch_dir};
use crate::{Bench, CARD};

const FIRST: &str = include_str!("../fixtures/ledgers/1-first.ledger");
const PHRASES: &str = include_str!("../fixtures/ledgers/1-phrases.ledger");

fn ledger_of(data: &Path) -> Value {
    serde_json::from_slice(&fs::read(data.join("ledger.json")).expect("a ledger")).expect("a readable ledger")
}

/// What it tells of its list of cards: codes and texts.
fn warnings(program: &Program) -> Vec<(String, String)> {
    let (status, system) = program.ask("GET", "/api/system-info", "");
    assert_eq!(status, 200);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let all = system["warnings"].as_array().expect("warnings");
    all.iter().map(|warning| (text(&warning["code"]), text(&warning["text"]))).collect()
}

fn codes(program: &Program) -> Vec<String> {
    warnings(program).into_iter().map(|(code, _)| code).collect()
}

#[test]
fn a_ledger_of_every_earlier_form_is_read_whole_and_shown() {
    for (name, old) in [("1-first", FIRST), ("1-phrases", PHRASES)] {
        let dir = scratch_dir();
        fs::write(dir.path().join("ledger.json"), old).unwrap();
        let program = Program::start(&mut lonely(dir.path()));
        assert_eq!(codes(&program), Vec::<String>::new(), "{name}");
        let before: Value = serde_json::from_str(old).unwrap();
        let jobs = before["jobs"].as_array().unwrap();
        assert!(jobs.len() >= 2, "{name}");
        for job in jobs {
            let id = job["id"].as_u64().unwrap().to_string();
            let now = program.job(&id);
            let ran = job["state"] == "running";
            let state = if ran { json!("interrupted") } else { job["state"].clone() };
            assert_eq!(now["state"], state, "{name} {id}");
            for same in ["card", "card_now", "started", "detail"] {
                assert_eq!(now[same], job[same], "{name} {id} {same}");
            }
            if !ran {
                assert_eq!(
                    now["problem"]["kind"].is_null(),
                    job["problem"].is_null() || now["problem"]["kind"].is_null()
                );
                assert_eq!(now["problem"].is_null(), job["problem"].is_null(), "{name} {id}");
            }
            for (key, value) in job["made"].as_object().unwrap() {
                assert_eq!(now["made"][key], *value, "{name} {id} {key}");
            }
            for path in ["", "/log", "/certificate", "/swap"] {
                let (status, _, page) = program.ask_with("GET", &format!("/jobs/{id}{path}"), "", "");
                let finished = job["state"] == "done";
                assert!(matches!(status, 200 | 303 | 404 | 409) && (status == 200 || !finished || path == "/log"));
                assert!(!page.contains("could not be made"), "{name} {id}{path}: {page}");
            }
        }
        let (_, _, history) = program.ask_with("GET", "/history", "", "");
        assert!(history.contains("SanDisk Ultra") && !history.contains("notice warn"), "{name}: {history}");
        drop(program);
        // Saved in today's form, with nothing lost, and read again.
        let saved = ledger_of(dir.path());
        assert_eq!((&saved["schema"], &saved["next"]), (&json!(1), &before["next"]), "{name}");
        assert_eq!(saved["jobs"].as_array().unwrap().len(), jobs.len(), "{name}");
        let again = Program::start(&mut lonely(dir.path()));
        assert_eq!(codes(&again), Vec::<String>::new(), "{name}");
        drop(again);
        assert_eq!(ledger_of(dir.path()), saved, "{name}");
    }
}

#[test]
fn the_forms_are_really_those_that_they_are_said_to_be() {
    let first: Value = serde_json::from_str(FIRST).unwrap();
    assert!(first["jobs"][3]["stages"][1]["note"].is_string() && first["jobs"][3]["made"]["app"].is_null());
    assert!(first["jobs"].as_array().unwrap().iter().any(|job| job["state"] == "running"));
    let phrases: Value = serde_json::from_str(PHRASES).unwrap();
    let of = |key: &str| phrases["jobs"].as_array().unwrap().iter().any(|job| job["made"][key].is_string());
    assert!(of("app") && of("image_digest") && of("backup_digest"));
    assert!(PHRASES.contains("\"key\":\"") && PHRASES.contains("\"problem\":{\"kind\""));
}

/// Puts something in the ledger's place.
type Put = fn(&Path);

const NO_LEDGERS: [(&str, Put); 17] = [
    ("empty", |at| fs::write(at, "").unwrap()),
    ("cut off", |at| fs::write(at, &FIRST[..FIRST.len() / 2]).unwrap()),
    ("one byte short", |at| fs::write(at, &FIRST[..FIRST.len() - 1]).unwrap()),
    ("zeros", |at| fs::write(at, [0; 4096]).unwrap()),
    ("noise", |at| fs::write(at, [0xff, 0xfe, 0x80, b'{']).unwrap()),
    ("no object", |at| fs::write(at, "[]").unwrap()),
    ("a number", |at| fs::write(at, "7").unwrap()),
    ("other types", |at| fs::write(at, r#"{"schema":"1","next":[],"jobs":{}}"#).unwrap()),
    ("jobs of another type", |at| fs::write(at, r#"{"schema":1,"next":1,"jobs":7}"#).unwrap()),
    ("without a schema", |at| fs::write(at, FIRST.replace("\"schema\":1,", "")).unwrap()),
    ("schema zero", |at| fs::write(at, FIRST.replace("\"schema\":1", "\"schema\":0")).unwrap()),
    ("a negative schema", |at| fs::write(at, FIRST.replace("\"schema\":1", "\"schema\":-1")).unwrap()),
    ("deep", |at| fs::write(at, "[".repeat(200_000)).unwrap()),
    ("huge", |at| fs::File::create(at).unwrap().set_len(1 << 40).unwrap()),
    ("a folder", |at| fs::create_dir(at).unwrap()),
    ("a pipe", |at| mkfifo(at, Mode::S_IRWXU).unwrap()),
    ("a link in a circle", |at| symlink(at, at).unwrap()),
];

#[test]
fn what_is_no_ledger_never_keeps_it_from_starting_and_is_kept_aside() {
    for (what, put) in NO_LEDGERS {
        let dir = scratch_dir();
        let (at, aside) = (dir.path().join("ledger.json"), dir.path().join("ledger.set-aside-1.json"));
        put(&at);
        let before = look(&at);
        let program = Program::start(&mut lonely(dir.path()));
        let told = warnings(&program);
        let said = told.iter().find(|(code, _)| code == "ledger_set_aside");
        let (_, text) = said.unwrap_or_else(|| panic!("{what}: {told:?}"));
        assert!(text.contains("ledger.set-aside-1.json"), "{what}: {text}");
        program.log.says("could not be read");
        let (_, _, history) = program.ask_with("GET", "/history", "", "");
        assert!(history.contains("ledger.set-aside-1.json"), "{what}: {history}");
        assert_eq!(look(&aside), before, "{what}");
        assert_eq!(ledger_of(dir.path()), json!({ "schema": 1, "next": 1, "jobs": [] }), "{what}");
        assert!(program.most_memory() < 96 << 20, "{what}: {}", program.most_memory());
        // The next one gets a name of its own.
        drop(program);
        fs::remove_file(&at).unwrap();
        put(&at);
        let program = Program::start(&mut lonely(dir.path()));
        assert_eq!(codes(&program), ["ledger_set_aside"], "{what}");
        assert_eq!(
            (look(&aside), look(&dir.path().join("ledger.set-aside-2.json"))),
            (before.clone(), before),
            "{what}"
        );
    }
}

/// Kind, length and the first bytes of something.
fn look(at: &Path) -> (String, u64, Vec<u8>) {
    let meta = fs::symlink_metadata(at).unwrap_or_else(|error| panic!("{}: {error}", at.display()));
    let small = meta.is_file() && meta.len() < 1 << 20;
    let bytes = if small { fs::read(at).unwrap() } else { Vec::new() };
    let length = if meta.is_file() { meta.len() } else { 0 };
    (format!("{:?}", meta.file_type()), length, bytes)
}

#[test]
fn a_ledger_of_a_newer_version_is_kept_unchanged() {
    let newer = r#"{"schema":2,"next":{"id":9},"cards":[{"job":{"number":8}}]}"#;
    let dir = scratch_dir();
    fs::write(dir.path().join("ledger.json"), newer).unwrap();
    fs::create_dir(dir.path().join("logs")).unwrap();
    let log = dir.path().join("logs/sd-swap-job-8.txt");
    fs::write(&log, "what happened then\n").unwrap();
    let program = Program::start(&mut lonely(dir.path()));
    let told = warnings(&program);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, "ledger_newer");
    assert!(told[0].1.contains("newer version") && told[0].1.contains("ledger.set-aside-1.json"), "{told:?}");
    program.log.says("newer version");
    assert_eq!(fs::read_to_string(dir.path().join("ledger.set-aside-1.json")).unwrap(), newer);
    // A log of a job that this version knows nothing of is not continued by a job of the same number.
    assert_eq!(ledger_of(dir.path())["next"], 9);
    assert_eq!(fs::read_to_string(log).unwrap(), "what happened then\n");
}

#[test]
fn a_job_that_is_not_understood_does_not_take_the_others_with_it() {
    let mut ledger: Value = serde_json::from_str(FIRST).unwrap();
    ledger["jobs"][1]["problem"]["kind"] = json!("of_a_later_version");
    ledger["jobs"][2]["state"] = json!("paused");
    let text = ledger.to_string();
    let dir = scratch_dir();
    fs::write(dir.path().join("ledger.json"), &text).unwrap();
    let program = Program::start(&mut lonely(dir.path()));
    let told = warnings(&program);
    assert!(told.len() == 1 && told[0].0 == "ledger_partly" && told[0].1.starts_with("2 entries"), "{told:?}");
    assert_eq!((program.state("1"), program.state("4")), ("done".into(), "interrupted".into()));
    assert_eq!((program.state("2"), program.state("3")), (String::new(), String::new()));
    assert_eq!(fs::read_to_string(dir.path().join("ledger.set-aside-1.json")).unwrap(), text);
    assert_eq!(ledger_of(dir.path())["next"], 5);
}

#[test]
fn a_folder_in_the_way_of_the_next_ledger_is_put_aside() {
    let dir = scratch_dir();
    fs::write(dir.path().join("ledger.json"), FIRST).unwrap();
    let inside = dir.path().join("ledger.json.new/mine");
    fs::create_dir_all(&inside).unwrap();
    let program = Program::start(&mut lonely(dir.path()));
    assert_eq!(codes(&program), Vec::<String>::new());
    assert_eq!(program.state("4"), "interrupted");
    assert_eq!(ledger_of(dir.path())["jobs"][0]["state"], "interrupted");
    assert!(dir.path().join("ledger.set-aside-1.json/mine").is_dir());
}

#[test]
fn a_missing_data_folder_is_made() {
    let dir = scratch_dir();
    let data = dir.path().join("not/there/yet");
    let program = Program::start(&mut lonely(&data));
    assert_eq!(codes(&program), Vec::<String>::new());
    assert_eq!(ledger_of(&data)["jobs"], json!([]));
}

#[test]
fn a_data_folder_that_cannot_be_written_is_told_on_a_page() {
    let dir = scratch_dir();
    // In place of the folder lies a file.
    let file = dir.path().join("file");
    fs::write(&file, "mine").unwrap();
    let said = Program::begin(&mut lonely(&file)).err().expect("it does not serve");
    assert!(said.contains("Not a directory") && said.contains("options.json"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");

    // Read-only, with a damaged ledger in it that cannot be moved.
    let data = dir.path().join("data");
    let Some(small) = Small::at(&data, "size=1m") else { return };
    fs::write(data.join("ledger.json"), "{").unwrap();
    small.remount("ro");
    let program = Program::start(&mut lonely(&data));
    assert_eq!(codes(&program), ["ledger_in_the_way", "cannot_save"]);
    drop(program);
    assert_eq!(fs::read_to_string(data.join("ledger.json")).unwrap(), "{");
    small.remount("rw");
    let program = Program::start(&mut lonely(&data));
    assert_eq!(codes(&program), ["ledger_set_aside"]);
    drop(program);

    // Full, to the last byte and the last file.
    fs::remove_file(data.join("ledger.json")).unwrap();
    let _ = fs::remove_dir_all(data.join("images"));
    let full = (0..).map(|n| fs::write(data.join(format!("filler-{n}")), vec![1; 4096])).find_map(Result::err);
    assert!(full.is_some());
    let program = Program::start(&mut lonely(&data));
    assert_eq!(codes(&program), ["cannot_save"]);
    let (status, _, history) = program.ask_with("GET", "/history", "", "");
    assert!(status == 200 && history.contains("notice warn"), "{history}");
}

#[test]
fn a_second_program_on_the_same_data_gives_up_and_harms_nothing() {
    let bench = Bench::new();
    fresh_card(&bench.card, CARD);
    let first = bench.program_with(",write=4");
    let id = first.start_job();
    first.log.says(&format!("job {id}: write: begins"));
    let said = Program::begin(&mut lonely(&bench.data)).err().expect("it does not serve");
    assert!(said.contains("another sd-swap works in"), "{said}");
    assert_eq!(first.state(&id), "running");
    assert_eq!(ledger_of(&bench.data)["jobs"][0]["state"], "running");
    // The first one's end, whatever it is, gives the folder back.
    first.kill();
    let mut next = Program::start(&mut lonely(&bench.data));
    assert_eq!(next.state(&id), "interrupted");
    next.signal(Signal::SIGTERM);
    assert_eq!(next.ends_within(Duration::from_secs(8)).code(), Some(0));
}
