//! Every recorded case through the driver, each with the outcome that it must have.

use sd_swap::demo::core::{Gate, Post, Reply, Script, info, usual};
use sd_swap::finish::Memory;
use serde_json::Value;

use super::bench::{Bench, FOR_EVER, Played, beside_each_other};
use super::recorded::{self, INFO, ONBOARDING, read, then_usual, time_line, usual_with};

/// What a case comes to.
struct Want {
    case: &'static str,
    /// How the program ends, and the last situation.
    end: &'static str,
    /// How many restores were requested.
    posts: usize,
    /// A situation that must have been shown on the way.
    shown: &'static str,
}

const fn want(case: &'static str, end: &'static str, posts: usize, shown: &'static str) -> Want {
    Want { case, end, posts, shown }
}

const DONE: &str = "Done · done";
const NOT_SET_UP: &str = "Done · done-not-set-up";
const REFUSED: &str = "Failed · refused";

/// All of them. Cases about one answer are played within an otherwise usual move.
const TABLE: [Want; 75] = [
    want("api-without-token-fresh", DONE, 1, "restoring"),
    want("auth-providers-fresh", DONE, 1, "restoring"),
    want("cors-get-allowed-origin", DONE, 1, "restoring"),
    want("cors-get-other-port", DONE, 1, "restoring"),
    want("cors-get-same-origin", DONE, 1, "restoring"),
    want("cors-info-other-port", DONE, 1, "restoring"),
    want("cors-post-text-plain-other-port", DONE, 2, "looking"),
    want("cors-preflight-allowed-origin", DONE, 1, "restoring"),
    want("cors-preflight-get-other-port", DONE, 1, "restoring"),
    want("cors-preflight-other-port", DONE, 1, "restoring"),
    want("info-elsewhere", "NotListed · not-listed", 0, "looking"),
    want("info-none", "NotListed · not-listed", 0, "looking"),
    want("info-older-without-database", DONE, 1, "restoring"),
    want("info-one", DONE, 1, "restoring"),
    want("info-protected", DONE, 1, "restoring"),
    want("info-slow-supervisor", DONE, 1, "restoring"),
    want("info-supervisor-list-fails", "NotListed · not-listed", 0, "looking"),
    want("info-two", DONE, 1, "restoring"),
    want("info-without-core", "NotListed · without-core", 0, ""),
    want("installation-type-fresh", DONE, 1, "restoring"),
    want("integration-wait-fresh", DONE, 1, "restoring"),
    want("manifest-fresh", DONE, 1, "restoring"),
    want("manifest-other-port", DONE, 1, "restoring"),
    want("onboarding-done-after-restart", "SetUp · old-home", 0, "old-home"),
    want("onboarding-fresh", DONE, 1, "restoring"),
    want("onboarding-page-fresh", DONE, 1, "restoring"),
    want("onboarding-user-created", "SetUp · set-up-anew", 0, ""),
    want("redirect-get", DONE, 1, "restoring"),
    want("redirect-info-with-origin", DONE, 1, "restoring"),
    want("redirect-post", DONE, 1, "restoring"),
    want("redirect-preflight", DONE, 1, "restoring"),
    want("redirect-root", DONE, 1, "restoring"),
    want("restore-backup-without-core", "NotListed · without-core", 1, "restoring"),
    want("restore-client-leaves", DONE, 0, "restoring"),
    want("restore-core-not-stopped", NOT_SET_UP, 1, "restoring"),
    want("restore-database-flag-missing-on-backup-without", REFUSED, 1, "refused"),
    want("restore-database-flag-wrong", REFUSED, 1, "refused"),
    want("restore-empty-body", REFUSED, 1, "refused"),
    want("restore-extra-field", REFUSED, 1, "refused"),
    want("restore-fails-after-core-stopped", "Failed · failed-after", 1, "failed-after"),
    want("restore-fails-before-core-stops", "Failed · failed-before", 1, "failed-before"),
    want("restore-folder-unknown", REFUSED, 1, "refused"),
    want("restore-get", DONE, 1, "restoring"),
    want("restore-missing-agent-id", REFUSED, 1, "refused"),
    want("restore-missing-backup-id", REFUSED, 1, "refused"),
    want("restore-no-internet", DONE, 2, "no-internet"),
    want("restore-no-space", "Failed · no-space", 1, "restoring"),
    want("restore-not-json", REFUSED, 1, "refused"),
    want("restore-ok", DONE, 1, "restarting"),
    want("restore-ok-home-not-set-up", NOT_SET_UP, 1, "restarting"),
    want("restore-ok-minimal", DONE, 1, "restarting"),
    want("restore-ok-protected", DONE, 1, "restarting"),
    want("restore-ok-to-8123", DONE, 1, "restarting"),
    want("restore-password-missing", "KeyNeeded", 0, "key-needed"),
    want("restore-password-wrong", DONE, 2, "key-wrong"),
    want("restore-supervisor-500", DONE, 2, "trouble"),
    want("restore-supervisor-busy", "Failed · interrupted", 1, "busy"),
    want("restore-supervisor-drops", DONE, 2, "trouble"),
    want("restore-supervisor-must-update", DONE, 2, "must-update"),
    want("restore-supervisor-never-answers", "TimedOut · hanging", 1, "restoring"),
    want("restore-supervisor-starting", DONE, 2, "supervisor-starting"),
    want("restore-text-plain", NOT_SET_UP, 1, "restarting"),
    want("restore-too-large", REFUSED, 1, "refused"),
    want("restore-twice", DONE, 1, "busy"),
    want("restore-unhealthy", "TimedOut · gave-up", 1, "old-card-in"),
    want("restore-without-job-events", "TimedOut · hanging", 1, "restoring"),
    want("restore-wrong-agent", DONE, 2, "trouble"),
    want("restore-wrong-backup-id", DONE, 2, "looking"),
    want("root-fresh", DONE, 1, "restoring"),
    want("starting-fresh", DONE, 1, "booting"),
    want("starting-fresh-slow-supervisor", DONE, 1, "starting"),
    want("starting-fresh-supervisor-updates", DONE, 1, "booting"),
    want("starting-restored", "SetUp · old-home", 0, "old-home"),
    want("starting-restored-8123", "SetUp · old-home", 0, "old-home"),
    want("starting-restored-https", "SetUp · old-home", 0, "old-home"),
];

/// The script of a case, and how it is played.
fn played(name: &str) -> (Script, Bench) {
    let case = read(name);
    let bench = Bench { slug: Some(slug_of(name)), key: key_of(name), ..Bench::new() };
    let quick = |bench: Bench| Bench { speed: 200.0, ..bench };
    match name {
        "restore-client-leaves" => (client_left(&case), bench),
        "restore-twice" => (twice(&case), bench),
        "restore-supervisor-never-answers" | "restore-without-job-events" => {
            (hanging(), Bench { give_up: 200, ..quick(bench) })
        }
        "restore-supervisor-busy" => {
            let mut script = usual_with(&case);
            script.posts.truncate(1);
            (script, Bench { speed: 1500.0, ..bench })
        }
        "restore-unhealthy" => {
            let mut script = usual_with(&case);
            script.posts.truncate(1);
            (script, Bench { give_up: 100, ..quick(bench) })
        }
        "restore-password-wrong" => (usual_with(&case), Bench { keys: vec!["Sesame-1234"], ..quick(bench) }),
        "onboarding-done-after-restart" => (usual_with(&case), Bench { give_up: 60, ..quick(bench) }),
        "starting-restored-https" => (time_line(&case), Bench { give_up: 90, ..bench }),
        _ if name.starts_with("starting-restored") => (time_line(&case), Bench { give_up: 40, ..bench }),
        _ if name.starts_with("starting") => (then_usual(time_line(&case), 25.0), bench),
        // The recorded request that is not answered for 20 seconds.
        "restore-ok-minimal" => (time_line(&case), Bench { answer: std::time::Duration::from_millis(700), ..bench }),
        _ if case["watched"].is_array() => (time_line(&case), bench),
        _ => (usual_with(&case), quick(bench)),
    }
}

fn slug_of(name: &str) -> &'static str {
    match name {
        "info-older-without-database" => "0b5c9d31",
        "info-without-core" => "c0ffee11",
        "info-protected" | "restore-ok-protected" | "restore-password-missing" | "restore-password-wrong" => "77aa01ce",
        _ => "5e1f2a90",
    }
}

fn key_of(name: &str) -> Option<&'static str> {
    match name {
        "info-protected" | "restore-ok-protected" => Some("Sesame-1234"),
        "restore-password-wrong" => Some("nope"),
        _ => None,
    }
}

/// The state that another client left behind; the restore goes on, and ends.
fn client_left(case: &Value) -> Script {
    let list = &case["during"]["response"]["body"]["backups"];
    let mut script = usual(list, Gate::Main);
    let info = script.track(Gate::Main, "GET", INFO);
    info.retain(|at| at.t > 10.0);
    info.insert(0, sd_swap::demo::core::At { t: 0.0, reply: recorded::reply(&case["after_the_client_left"]) });
    (script.hold, script.posts) = (None, vec![Post::refused(recorded::reply(&case["second_post"]))]);
    script
}

/// A restore that somebody else has just begun: ours is refused, theirs goes on.
fn twice(case: &Value) -> Script {
    let mut script = usual(&case["info"]["response"]["body"]["backups"], Gate::Main);
    script.posts = vec![Post::runs(recorded::reply(&case["second"]), 0.4, 0.4)];
    script
}

/// Accepted, and then nothing moves.
fn hanging() -> Script {
    let mut script = usual(&sd_swap::demo::core::backups("5e1f2a90"), Gate::Main);
    script.tracks.values_mut().for_each(|track| track.retain(|at| at.t < 1.0));
    script.posts = vec![Post::runs(Reply::Hang, 0.4, 0.4)];
    script
}

/// Nothing but these is ever asked, and a restore only where Core really listens.
fn asks_no_more_than_it_may(case: &str, played: &Played) {
    for asked in played.core.asked() {
        let what = (asked.method.as_str(), asked.path.as_str());
        let fine = matches!(what, ("GET", ONBOARDING | INFO)) || asked.is_restore() && asked.gate == Gate::Main;
        assert!(fine, "{case}: {what:?} on {:?}", asked.gate);
    }
}

fn check(want: &Want) -> Result<(), String> {
    let (script, bench) = played(want.case);
    let played = bench.run(script);
    asks_no_more_than_it_may(want.case, &played);
    let found = (played.end(), played.posts());
    let shown = want.shown.is_empty() || played.situations.contains(&want.shown);
    match found == (want.end.to_string(), want.posts) && shown {
        true => Ok(()),
        false => Err(format!("{}: {found:?}, {:?}", want.case, played.situations)),
    }
}

#[test]
fn every_recorded_case_comes_to_its_end() {
    let wrong: Vec<String> = beside_each_other(&TABLE, |want| check(want).err()).into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_every_recorded_case() {
    let names: Vec<String> = TABLE.iter().map(|want| want.case.to_string()).collect();
    assert_eq!(names, recorded::all());
}

#[test]
fn the_request_is_the_recorded_one() {
    for name in ["restore-ok", "restore-ok-protected"] {
        let (script, bench) = played(name);
        let played = bench.run(script);
        let sent: Value = serde_json::from_slice(&played.core.restores()[0].body).unwrap();
        assert_eq!(sent, read(name)["restore"]["request"]["body"], "{name}");
    }
    let (script, bench) = played("info-older-without-database");
    let sent: Value = serde_json::from_slice(&bench.run(script).core.restores()[0].body).unwrap();
    assert_eq!((&sent["restore_database"], &sent["restore_addons"]), (&Value::Bool(false), &serde_json::json!([])));
}

#[test]
fn between_two_requests_passes_what_the_refusal_asks_for() {
    for (name, least) in [("restore-supervisor-must-update", 60.0), ("restore-supervisor-starting", 10.0)] {
        let (script, bench) = played(name);
        let played = bench.run(script);
        let restores = played.core.restores();
        let pause = restores[1].at - restores[0].at;
        assert!(pause > least - 1.0, "{name}: {pause}");
    }
}

#[test]
fn started_again_while_a_restore_runs_it_knows_the_restored_home() {
    let dir = tempfile::tempdir().unwrap();
    let cases = [
        ("starting-restored", DONE),
        ("starting-restored-8123", DONE),
        ("starting-restored-https", "Done · done-https"),
    ];
    for (name, end) in cases {
        let memory = Memory::at(dir.path().join(name), "127.0.0.1");
        memory.keep(&"5e1f2a90".parse().unwrap());
        let (script, bench) = played(name);
        let played = Bench { memory: memory.clone(), give_up: FOR_EVER, ..bench }.run(script);
        assert_eq!((played.end(), played.posts()), (end.to_string(), 0), "{name}");
        assert_eq!(memory.sent(), None, "{name}: it is over");
    }
    // The failed one, which came back fresh: nothing is requested without a word of the user.
    let memory = Memory::at(dir.path().join("failed"), "127.0.0.1");
    memory.keep(&"5e1f2a90".parse().unwrap());
    let (mut script, bench) = played("restore-fails-after-core-stopped");
    script.hold = None;
    let played = Bench { memory, ..bench }.run(script);
    assert_eq!((played.end().as_str(), played.posts()), ("Failed · failed-after", 0));
}

#[test]
fn trying_again_is_up_to_the_user() {
    let (mut script, bench) = played("restore-fails-after-core-stopped");
    let listed = sd_swap::demo::core::backups("5e1f2a90");
    let done = info(&listed, "idle", Some(("completed", None)));
    script.posts.push(Post { info: Some(Reply::json(200, &done)), ..Post::refused(Reply::text(200, "")) });
    let played = Bench { again: 1, ..bench }.run(script);
    assert_eq!((played.end().as_str(), played.posts()), (NOT_SET_UP, 2));
}

#[test]
fn of_two_backups_one_must_be_named() {
    let (script, bench) = played("info-two");
    let played = Bench { slug: None, ..bench }.run(script);
    assert_eq!((played.end().as_str(), played.posts()), ("Several · several", 0));
}
