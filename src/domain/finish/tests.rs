//! The table: what is seen, after what was seen, at a time → what is said, and what is done.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::domain::secret::Secret;
use crate::texts::Language;

const SLUG: &str = "5e1f2a90";
const MINUTE: u64 = 60;

fn entry(slug: &str, name: &str) -> Value {
    json!({
        "addons": [{"name": "Mosquitto", "slug": "core_mosquitto", "version": "6"}, {"slug": "a0d7b954_nodered"}],
        "backup_id": slug, "date": "2026-11-20T18:04:11+00:00", "database_included": true, "extra_metadata": {},
        "folders": ["share", "homeassistant", "ssl"], "homeassistant_included": true, "name": name,
        "agents": {"hassio.local": {"protected": false, "size": 5}},
    })
}

fn with(mut entry: Value, name: &str, value: Value) -> Value {
    entry[name] = value;
    entry
}

fn protected(slug: &str) -> Value {
    with(entry(slug, "P"), "agents", json!({"hassio.local": {"protected": true, "size": 5}}))
}

fn answer(status: u16, body: &Value) -> Met {
    Met::Answer(Answer { status, location: None, body: body.to_string().into_bytes() })
}

fn text(status: u16, body: &str) -> Met {
    Met::Answer(Answer { status, location: None, body: body.into() })
}

fn info(state: &str, last: Value, backups: &[Value]) -> Info {
    Info::read(&answer(200, &json!({"state": state, "last_action_event": last, "backups": backups})))
}

fn event(state: &str, stage: Option<&str>) -> Value {
    json!({"manager_state": "restore_backup", "state": state, "reason": null, "stage": stage})
}

fn look(onboarding: Onboarding, info: Option<Info>) -> Look {
    let silent = Door { port: 8123, onboarding: Onboarding::Silent, info: None };
    Look { doors: vec![Door { port: 80, onboarding, info }, silent] }
}

fn fresh(info: Info) -> Look {
    look(Onboarding::Fresh, Some(info))
}

fn ready() -> Look {
    fresh(info("idle", Value::Null, &[entry(SLUG, "M")]))
}

fn failed() -> Look {
    fresh(info("idle", event("failed", None), &[entry(SLUG, "M")]))
}

fn plain(onboarding: Onboarding) -> Look {
    look(onboarding, None)
}

fn said(code: &str, message: &str) -> Posted {
    let body = json!({"code": code, "message": message}).to_string().into_bytes();
    Posted::Answered(Answer { status: 400, location: None, body })
}

/// What happens in a case.
enum Do {
    Look(Look),
    Posted(Posted),
    Key,
    Again,
}

use Do::{Again, Key, Look as See, Posted as Ended};

/// The name of the situation and of the next step.
fn names(step: &Step) -> String {
    let next = match &step.next {
        Next::Ask(wait) => format!("ask {}", wait.as_secs()),
        Next::Post(order) => format!("post {}:{}", order.port, order.backup.slug),
        Next::NeedKey => "key".into(),
        Next::Confirm(backup) => format!("confirm {}", backup.slug),
        Next::Offer => "offer".into(),
        Next::End(end) => format!("end {end:?}"),
    };
    format!("{} · {next}", step.situation.id())
}

fn play(mut finish: Finish, events: Vec<(u64, Do)>) -> Vec<String> {
    let mut steps = Vec::new();
    for (seconds, event) in events {
        let now = Duration::from_secs(seconds);
        steps.push(match event {
            See(look) => names(&finish.looked(now, &look)),
            Ended(posted) => names(&finish.posted(now, &posted)),
            Key => {
                finish.key_given();
                continue;
            }
            Again => {
                finish.again(now);
                continue;
            }
        });
    }
    steps
}

fn named() -> Finish {
    Finish::new(SLUG.parse().ok(), false, false, Limits::default())
}

fn unnamed() -> Finish {
    Finish::new(None, true, false, Limits::default())
}

fn check(name: &str, finish: Finish, events: Vec<(u64, Do)>, want: &[&str]) {
    assert_eq!(play(finish, events), want, "{name}");
}

#[test]
fn before_the_new_system_is_ready() {
    let late = 26 * MINUTE;
    let cases: Vec<(&str, Look, &str)> = vec![
        ("the old home", plain(Onboarding::Gone), "old-home · ask 5"),
        ("off or starting", plain(Onboarding::Silent), "booting · ask 5"),
        ("the landing page", plain(Onboarding::Landing), "landing · ask 5"),
        ("Core is stopping", plain(Onboarding::Stopping), "starting · ask 5"),
        ("only the redirect answers", plain(Onboarding::Elsewhere("http://h/".into())), "starting · ask 5"),
        ("no Core", plain(Onboarding::Other), "stranger · ask 5"),
        ("backup not loaded", fresh(Info::Missing), "starting · ask 5"),
        ("list unreadable", fresh(Info::Other), "starting · ask 5"),
        ("list locked", fresh(Info::Locked), "starting · ask 5"),
        ("blocked", fresh(info("blocked", Value::Null, &[entry(SLUG, "M")])), "starting · ask 5"),
        ("a later state", fresh(info("dreaming", Value::Null, &[entry(SLUG, "M")])), "starting · ask 5"),
        ("not listed yet", fresh(info("idle", Value::Null, &[])), "looking · ask 5"),
        ("set up anew", plain(Onboarding::Begun), "set-up-anew · end SetUp"),
    ];
    for (name, look, want) in cases {
        check(name, named(), vec![(1, See(look))], &[want]);
    }
    let quiet = vec![(0, See(plain(Onboarding::Silent))), (late, See(plain(Onboarding::Silent)))];
    check("silence for long", named(), quiet, &["booting · ask 5", "not-found · ask 5"]);
}

#[test]
fn a_core_that_is_fresh_and_one_that_is_set_up_on_the_same_host_are_two() {
    for other in [Onboarding::Gone, Onboarding::Begun] {
        let mut two = ready();
        two.doors[1].onboarding = other;
        check("two", named(), vec![(1, See(two))], &["stranger · ask 5"]);
    }
    let mut redirected = ready();
    redirected.doors[1].onboarding = Onboarding::Elsewhere("http://h/api/onboarding".into());
    check("one and its redirect", named(), vec![(1, See(redirected))], &["restoring · post 80:5e1f2a90"]);
}

#[test]
fn which_backup() {
    let list = |backups: &[Value]| fresh(info("idle", Value::Null, backups));
    let other = entry("77aa01ce", "sd-swap-clone-2026-11-20");
    let without = with(entry(SLUG, "M"), "homeassistant_included", json!(false));
    let away = with(entry(SLUG, "M"), "agents", json!({"hassio.nas": {"protected": false, "size": 5}}));
    let odd = with(entry(SLUG, "M"), "database_included", json!("yes"));
    let post = "restoring · post 80:5e1f2a90";
    let cases: Vec<(&str, Finish, Vec<Value>, &str)> = vec![
        ("the named one of two", named(), vec![other.clone(), entry(SLUG, "M")], post),
        ("the only one", unnamed(), vec![entry(SLUG, "M")], post),
        (
            "the only one with a configuration",
            unnamed(),
            vec![with(without.clone(), "backup_id", json!("11111111")), entry(SLUG, "M")],
            post,
        ),
        (
            "the only one made for a move",
            unnamed(),
            vec![entry(SLUG, "M"), other.clone()],
            "restoring · post 80:77aa01ce",
        ),
        ("several", unnamed(), vec![entry(SLUG, "M"), entry("11111111", "N")], "several · end Several"),
        (
            "one to be confirmed",
            Finish::new(None, false, false, Limits::default()),
            vec![entry(SLUG, "M")],
            "found · confirm 5e1f2a90",
        ),
        ("another one", named(), vec![other], "looking · ask 5"),
        ("on the network only", named(), vec![away], "looking · ask 5"),
        ("in a form that is not known", named(), vec![odd], "looking · ask 5"),
        ("without a configuration", named(), vec![without.clone()], "without-core · end NotListed"),
        ("without a configuration, not named", unnamed(), vec![without], "looking · ask 5"),
        ("with a key", named(), vec![protected(SLUG)], "key-needed · key"),
    ];
    for (name, finish, backups, want) in cases {
        check(name, finish, vec![(1, See(list(&backups)))], &[want]);
    }
}

#[test]
fn a_list_without_the_backup_is_asked_again_for_two_minutes() {
    let empty = || fresh(info("idle", Value::Null, &[]));
    let steps = vec![
        (0, See(empty())),
        (119, See(empty())),
        (120, See(fresh(Info::Missing))),
        (125, See(empty())),
        (244, See(empty())),
        (245, See(empty())),
    ];
    let (looking, starting) = ("looking · ask 5", "starting · ask 5");
    let want = [looking, looking, starting, looking, looking, "not-listed · end NotListed"];
    check("two minutes on end", named(), steps, &want);
}

#[test]
fn a_restore_from_its_request_to_its_end() {
    let post = "restoring · post 80:5e1f2a90";
    let running = || fresh(info("restore_backup", event("in_progress", Some("addons")), &[entry(SLUG, "M")]));
    let left = || fresh(info("idle", event("in_progress", None), &[entry(SLUG, "M")]));
    let (silent, gone) = (|| plain(Onboarding::Silent), || plain(Onboarding::Gone));
    let (again, away, soon) = ("restoring · ask 5", "restarting · ask 5", "restarting · ask 2");
    check(
        "the usual course",
        named(),
        vec![
            (1, See(ready())),
            (6, See(running())),
            (11, See(silent())),
            (30, Ended(Posted::Cut)),
            (35, See(plain(Onboarding::Stopping))),
            (90, See(gone())),
            (92, See(gone())),
        ],
        &[post, again, away, soon, away, soon, "done · end Done"],
    );
    check(
        "a 404 that passes",
        named(),
        vec![(1, See(ready())), (30, Ended(Posted::Cut)), (40, See(gone())), (42, See(running())), (50, See(gone()))],
        &[post, soon, soon, again, soon],
    );
    check(
        "cut, and then failed: the pair",
        named(),
        vec![
            (1, See(ready())),
            (9, Ended(Posted::Cut)),
            (20, See(fresh(Info::Missing))),
            (25, See(failed())),
            (26, Again),
            (27, See(failed())),
        ],
        &[post, soon, away, "failed-after · offer", post],
    );
    check(
        "cut while Core goes on, and seen to the end",
        named(),
        vec![
            (1, See(ready())),
            (9, Ended(Posted::Cut)),
            (10, See(left())),
            (20, See(silent())),
            (60, See(gone())),
            (62, See(gone())),
        ],
        &[post, soon, again, away, soon, "done · end Done"],
    );
    check(
        "a failure that another client's request left while ours went on",
        named(),
        vec![
            (1, See(running())),
            (5, See(failed())),
            (60, See(failed())),
            (65, See(silent())),
            (90, See(gone())),
            (92, See(gone())),
        ],
        &[again, away, away, away, soon, "done · end Done"],
    );
    check(
        "a failure without a silence, that stays",
        named(),
        vec![(1, See(running())), (5, See(failed())), (124, See(failed())), (125, See(failed()))],
        &[again, away, away, "failed-after · offer"],
    );
    check(
        "the home in the backup was never set up",
        named(),
        vec![(1, See(ready())), (9, Ended(Posted::Cut)), (40, See(fresh(info("idle", event("completed", None), &[]))))],
        &[post, soon, "done-not-set-up · end Done"],
    );
    check(
        "answered with success, Core never stopped",
        named(),
        vec![
            (1, See(ready())),
            (9, Ended(Posted::Answered(Answer { status: 200, ..Answer::default() }))),
            (11, See(ready())),
        ],
        &[post, "restarting · ask 2", "done-not-set-up · end Done"],
    );
    check(
        "no word of it any more",
        named(),
        vec![
            (1, See(ready())),
            (9, Ended(Posted::Cut)),
            (40, See(ready())),
            (159, See(ready())),
            (160, See(ready())),
            (161, Again),
            (162, See(ready())),
        ],
        &[post, soon, away, away, "interrupted · offer", post],
    );
    check(
        "a request that nobody will ever answer: the power was cut",
        named(),
        vec![(1, See(ready())), (9, See(silent())), (40, See(ready())), (160, See(ready()))],
        &[post, away, away, "interrupted · offer"],
    );
    check(
        "an open request that Core does not show yet, and what an earlier one left",
        named(),
        vec![(1, See(failed())), (2, See(failed())), (6, See(ready()))],
        &[post, again, again],
    );
    check(
        "never sent",
        named(),
        vec![(1, See(ready())), (2, Ended(Posted::NeverSent)), (7, See(ready()))],
        &[post, "starting · ask 5", post],
    );
    check(
        "a restore that was running when we came",
        named(),
        vec![(1, See(running())), (5, See(left())), (9, See(silent())), (60, See(gone())), (62, See(gone()))],
        &[again, again, away, "restarting · ask 2", "done · end Done"],
    );
    check(
        "https",
        named(),
        vec![
            (1, See(ready())),
            (9, Ended(Posted::Cut)),
            (20, See(plain(Onboarding::Closed))),
            (79, See(plain(Onboarding::Closed))),
            (80, See(plain(Onboarding::Closed))),
        ],
        &[post, soon, away, away, "done-https · end Done"],
    );
    check(
        "an old home with https",
        named(),
        vec![(0, See(plain(Onboarding::Closed))), (60, See(plain(Onboarding::Closed)))],
        &["starting · ask 5", "old-home · ask 5"],
    );
}

#[test]
fn what_an_earlier_run_of_us_sent_is_only_watched() {
    let resumed = || {
        let mut finish = named();
        finish.resume();
        finish
    };
    let gone = || See(plain(Onboarding::Gone));
    check("back already", resumed(), vec![(0, gone()), (2, gone())], &["restarting · ask 2", "done · end Done"]);
    check("failed meanwhile", resumed(), vec![(0, See(failed()))], &["failed-after · offer"]);
    check("silent", resumed(), vec![(0, See(plain(Onboarding::Silent)))], &["restarting · ask 5"]);
    check("no word of it", resumed(), vec![(0, See(ready()))], &["restarting · ask 5"]);
}

#[test]
fn refusals_and_when_the_request_is_sent_again() {
    let post = "restoring · post 80:5e1f2a90";
    let blocked = |why: &str| {
        said("restore_failed", &format!("'BackupManager.do_restore_partial' blocked from execution, {why}"))
    };
    let update =
        "Backup was made on supervisor version 2027.01.0, can't restore on 2026.11.0. Must update supervisor first.";
    let repeated: Vec<(&str, Posted, &str, u64)> = vec![
        ("update", said("restore_failed", update), "must-update", 60),
        ("internet", blocked("no host internet connection"), "no-internet", 30),
        ("the Supervisor's internet", blocked("no supervisor internet connection"), "no-internet", 30),
        ("starting", blocked("system is not running - startup"), "supervisor-starting", 10),
        (
            "gone from the list",
            said("restore_failed", "Backup 5e1f2a90 not found in agent hassio.local"),
            "looking",
            10,
        ),
        (
            "500",
            Posted::Answered(Answer { status: 500, location: None, body: b"500 Internal".to_vec() }),
            "trouble",
            30,
        ),
    ];
    for (name, posted, situation, interval) in repeated {
        let asks = format!("{situation} · ask 5");
        let last = format!("{situation} · ask 1");
        let events = vec![
            (0, See(ready())),
            (10, Ended(posted)),
            (11, See(failed())),
            (10 + interval - 1, See(failed())),
            (10 + interval, See(fresh(info("blocked", Value::Null, &[])))),
            (12 + interval, See(failed())),
        ];
        check(name, named(), events, &[post, &asks, &asks, &last, "starting · ask 5", post]);
    }
    let finals: Vec<(&str, Posted, &str)> = vec![
        ("space", blocked("not enough free space (1.2GB) left on the device"), "no-space · end Failed"),
        (
            "no Core",
            said("restore_failed", "No Home Assistant Core data inside the backup"),
            "without-core · end NotListed",
        ),
        ("failed", said("restore_failed", "Restore failed: [{'type': 'BackupError'}]"), "failed-before · offer"),
        ("flag", said("restore_failed", "Restore database must match backup"), "refused · offer"),
        (
            "our mistake",
            said("", "Message format incorrect: required key not provided at 'backup_id'"),
            "refused · offer",
        ),
        ("too large", Posted::Answered(Answer { status: 413, location: None, body: vec![] }), "refused · offer"),
        (
            "a redirect",
            Posted::Answered(Answer { status: 307, location: Some("http://x/".into()), body: vec![] }),
            "refused · offer",
        ),
    ];
    for (name, posted, want) in finals {
        let events =
            vec![(0, See(ready())), (10, Ended(posted)), (600, See(ready())), (601, Again), (602, See(ready()))];
        check(name, named(), events, &[post, want, want, post]);
    }
}

#[test]
fn refusals_that_wait_for_somebody() {
    let post = "restoring · post 80:5e1f2a90";
    let blocked = |why: &str| {
        said("restore_failed", &format!("'BackupManager.do_restore_partial' blocked from execution, {why}"))
    };
    for (why, situation) in [("duplicate_os_installation", "old-card-in · ask 5"), ("privileged", "unhealthy · ask 5")]
    {
        let unhealthy = blocked(&format!("system is not healthy - {why}"));
        let events = vec![
            (0, See(ready())),
            (1, Ended(unhealthy)),
            (500, See(failed())),
            (600, See(plain(Onboarding::Silent))),
            (700, See(failed())),
            (800, See(ready())),
        ];
        check(why, named(), events, &[post, situation, situation, "booting · ask 5", situation, post]);
    }
    for words in ["Another job is running for job group backup_manager", "Backup manager busy: restore_backup"] {
        let events = vec![
            (0, See(ready())),
            (1, Ended(said("restore_failed", words))),
            (5, See(failed())),
            (1000, See(failed())),
            (1805, See(failed())),
        ];
        let busy = "busy · ask 5";
        check(words, named(), events, &[post, busy, busy, busy, "interrupted · offer"]);
    }
    let wrong =
        || Posted::Answered(Answer { status: 400, location: None, body: br#"{"code":"incorrect_password"}"#.to_vec() });
    let locked = || See(fresh(info("idle", Value::Null, &[protected(SLUG)])));
    let events =
        vec![(0, locked()), (1, Key), (2, locked()), (3, Ended(wrong())), (4, locked()), (5, Key), (6, locked())];
    check("keys", named(), events, &["key-needed · key", post, "key-wrong · key", "key-wrong · key", post]);
}

#[test]
fn nothing_is_waited_for_without_an_end() {
    let (hours, post) = (6 * 3600, "restoring · post 80:5e1f2a90");
    let update = || said("restore_failed", "Must update supervisor first.");
    let mut events = vec![(0, See(ready()))];
    let mut want = vec![post.to_string()];
    for minute in 0..30 {
        events.push((minute * MINUTE + 1, Ended(update())));
        want.push("must-update · ask 5".into());
        events.push((minute * MINUTE + 62, See(failed())));
        want.push(post.into());
    }
    want.pop();
    want.push("still-refused · offer".into());
    assert_eq!(play(named(), events), want);

    let silent = || See(plain(Onboarding::Silent));
    check("waiting", named(), vec![(hours, silent())], &["gave-up · end TimedOut"]);
    check("the old home", named(), vec![(hours, See(plain(Onboarding::Gone)))], &["old-home · end SetUp"]);
    let hanging = vec![(hours - 1, See(ready())), (hours + 9, silent()), (2 * hours - 1, silent())];
    check("a restore has its own time", named(), hanging, &[post, "restarting · ask 5", "hanging · end TimedOut"]);
}

#[test]
fn what_is_not_exactly_known_is_no_sign() {
    let step = |name: &str, done: Value| json!({"step": name, "done": done});
    let cases: Vec<(Met, Onboarding)> = vec![
        (answer(200, &json!([step("user", json!(false)), step("core_config", json!(false))])), Onboarding::Fresh),
        (answer(200, &json!([step("user", json!(false)), step("core_config", json!(true))])), Onboarding::Begun),
        (answer(200, &json!([])), Onboarding::Other),
        (answer(200, &json!([step("core_config", json!(false))])), Onboarding::Other),
        (answer(200, &json!([step("user", json!("false"))])), Onboarding::Other),
        (answer(200, &json!({"user": false})), Onboarding::Other),
        (text(200, "<html>"), Onboarding::Other),
        (text(200, "[{\"step\": \"user\", \"done\": fal"), Onboarding::Other),
        (text(404, "404: Not Found"), Onboarding::Gone),
        (text(404, "<html><h1>404 Not Found</h1>"), Onboarding::Other),
        (text(404, ""), Onboarding::Other),
        (text(401, "401: Unauthorized"), Onboarding::Landing),
        (text(403, "403: Forbidden"), Onboarding::Landing),
        (text(503, ""), Onboarding::Stopping),
        (text(502, "<html>"), Onboarding::Other),
        (Met::Silent, Onboarding::Silent),
        (Met::Closed, Onboarding::Closed),
        (Met::Broken, Onboarding::Other),
    ];
    for (met, want) in cases {
        assert_eq!(Onboarding::read(&met), want, "{met:?}");
    }
    let to = |location: &str| Met::Answer(Answer { status: 307, location: Some(location.into()), body: vec![] });
    assert_eq!(Onboarding::read(&to("https://h/api/onboarding")), Onboarding::Closed);
    assert_eq!(Onboarding::read(&to("http://h/")), Onboarding::Elsewhere("http://h/".into()));
    for body in [
        "",
        "[]",
        "{}",
        "null",
        r#"{"state":"idle","backups":[]}"#,
        r#"{"state":1,"last_action_event":null,"backups":[]}"#,
        r#"{"state":"idle","last_action_event":{},"backups":[]}"#,
        r#"{"state":"idle","last_action_event":null,"backups":{}}"#,
    ] {
        assert_eq!(Info::read(&text(200, body)), Info::Other, "{body}");
    }
    let made = json!({"manager_state": "create_backup", "state": "failed", "reason": "x", "stage": null});
    let Info::List(list) = info("idle", made, &[]) else { panic!("a list") };
    assert_eq!(list.last, Last::None, "what became of another backup says nothing");
}

#[test]
fn the_request_carries_everything_and_the_key_only_where_it_is_needed() {
    let key = Secret::new("hush");
    let read = |entry: &Value| Listed::read(entry).unwrap();
    let open = read(&with(entry(SLUG, "M"), "database_included", json!(false)));
    let want = json!({
        "backup_id": SLUG, "agent_id": "hassio.local", "restore_database": false,
        "restore_addons": ["core_mosquitto", "a0d7b954_nodered"], "restore_folders": ["share", "ssl"],
    });
    assert_eq!(open.request(Some(&key)), want);
    assert_eq!(read(&protected(SLUG)).request(Some(&key))["password"], "hush");
    assert_eq!(read(&protected(SLUG)).request(None).get("password"), None);
    for bad in ["backup_id", "addons", "folders", "agents", "homeassistant_included"] {
        assert_eq!(Listed::read(&with(entry(SLUG, "M"), bad, json!(7))), None, "{bad}");
    }
    assert_eq!(Listed::read(&entry("../../etc", "M")), None);
}

/// One of each.
fn situations() -> Vec<Situation> {
    use Situation as S;
    let (said, name, list) = ("SAID".to_string(), "NAME".to_string(), "LIST".to_string());
    let minutes = 27;
    let mut all = vec![
        S::OldHome { port: 8123, https: false },
        S::Booting { minutes },
        S::NotFound { minutes },
        S::Landing,
        S::Starting,
        S::Stranger,
        S::Looking,
        S::Found { name: name.clone() },
        S::KeyNeeded { name: name.clone() },
        S::KeyWrong,
        S::MustUpdate,
        S::NoInternet,
        S::SupervisorStarting,
        S::OldCardIn,
        S::Unhealthy { said: said.clone() },
        S::Trouble,
        S::Restoring { stage: None },
        S::Restarting,
        S::Busy,
        S::Interrupted,
        S::FailedBefore { said: said.clone() },
        S::FailedAfter,
        S::StillRefused { said: said.clone() },
        S::Refused { said: said.clone() },
        S::NoSpace { said },
        S::WithoutCore { name },
        S::NotListed { list: list.clone() },
        S::Several { list },
        S::SetUpAnew,
        S::Hanging { minutes },
        S::GaveUp { minutes },
        S::Done { port: 80 },
        S::DoneHttps { port: 8123 },
        S::DoneNotSetUp { port: 80 },
    ];
    all.extend(RestoreStage::ALL.map(|stage| S::Restoring { stage: Some(stage) }));
    all
}

#[test]
fn every_situation_has_words_of_its_own_in_every_language_and_none_are_left_over() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/texts/en/finish.ftl");
    let file = std::fs::read_to_string(file).unwrap();
    let keys = file.lines().filter(|line| line.starts_with("finish-")).filter_map(|line| line.split_once(" ="));
    let keys: BTreeSet<String> = keys.map(|(key, _)| key.to_string()).collect();
    let mut used: BTreeSet<String> =
        ["finish-by-hand", "finish-leave-open", "finish-leave-running", "finish-leave-watch", "finish-doing-begin"]
            .map(String::from)
            .into();
    used.extend(RestoreStage::ALL.map(|stage| format!("finish-doing-{}", stage.id().replace('_', "-"))));
    for situation in situations() {
        used.extend(["title", "happened", "todo"].map(|part| format!("finish-{}-{part}", situation.id())));
    }
    assert_eq!(used, keys);

    let slug = SLUG.parse().unwrap();
    for language in Language::ALL {
        let mut happened = BTreeSet::new();
        for situation in situations() {
            let words = situation.words_in(language, About { host: "home.local", slug: Some(&slug) });
            for text in [&words.title, &words.happened, &words.todo] {
                assert!(
                    !text.is_empty() && !text.contains(['{', '}']) && !text.contains("finish-"),
                    "{situation:?}: {text}"
                );
            }
            assert!(
                happened.insert((words.title, words.happened)),
                "{language}: {situation:?} says what another one says"
            );
        }
    }
    let all: String =
        situations().iter().map(|s| format!("{:?}", s.words(About { host: "h", slug: Some(&slug) }))).collect();
    for value in [
        "SAID",
        "NAME",
        "LIST",
        "27 minutes",
        "http://h/",
        "http://h:8123/",
        "https://h:8123/",
        "ha backups restore 5e1f2a90",
    ] {
        assert!(all.contains(value), "nobody says {value}");
    }
}

#[test]
fn links_lead_to_the_port_that_answered() {
    let cases = [
        (Situation::Done { port: 80 }, "home.local", "http://home.local/"),
        (Situation::Done { port: 8123 }, "home.local", "http://home.local:8123/"),
        (Situation::DoneHttps { port: 8123 }, "home.local", "https://home.local:8123/"),
        (Situation::DoneHttps { port: 80 }, "home.local", "https://home.local/"),
        (Situation::OldHome { port: 8123, https: true }, "10.0.0.7", "https://10.0.0.7:8123/"),
        (Situation::DoneNotSetUp { port: 80 }, "fe80::1", "http://[fe80::1]/"),
    ];
    for (situation, host, link) in cases {
        assert_eq!(situation.link(host), link);
    }
}

#[test]
fn every_kind_of_refusal_has_its_situation_and_its_rule() {
    for kind in Kind::ALL {
        let situation = Situation::of_refusal(&Refusal { kind, said: "x".into() });
        let watched = matches!(kind.repeat(), Repeat::Watch);
        assert_eq!(watched, situation == Situation::Busy, "{kind:?}");
    }
    let long = "x".repeat(9999) + "\n\u{7}";
    let body = json!({"code": "restore_failed", "message": long}).to_string().into_bytes();
    let refusal = Refusal::of(&Answer { status: 400, location: None, body });
    assert_eq!((refusal.kind, refusal.said.len()), (Kind::Other, 300));
}
