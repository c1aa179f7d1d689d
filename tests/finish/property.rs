//! A restore is requested only when the onboarding is not done, our backup is in the newest list on the system's own
//! disk, no request is open, and the last one was refused in a way that allows another. Held over recorded and mutated
//! answers in any order, by a watchman who reads the raw answers himself.

use std::time::Duration;

use proptest::prelude::*;
use sd_swap::domain::finish::{
    Answer, Door, Finish, Info, Limits, Listed, Look, Met, Next, Onboarding, Order, Posted, Situation, Step,
};
use serde_json::{Value, json};

use super::recorded::{INFO, ONBOARDING, all, exchanges, is_restore, read};

const OURS: &str = "5e1f2a90";

/// A recorded answer; `None`: there was none.
type Body = Option<(u16, Option<String>, Vec<u8>)>;

/// Everything that was ever answered at one address.
fn pool(wanted: impl Fn(&Value) -> bool) -> Vec<Body> {
    let mut pool: Vec<Body> = vec![None];
    for name in all() {
        for exchange in exchanges(&read(&name)).into_iter().filter(|exchange| wanted(exchange)) {
            let response = &exchange["response"];
            let Some(status) = response["status"].as_u64() else { continue };
            let body = match &response["body"] {
                Value::String(text) => text.clone().into_bytes(),
                json => json.to_string().into_bytes(),
            };
            let location = response["headers"]["location"].as_str().map(String::from);
            pool.push(Some((status as u16, location, body)));
        }
    }
    pool.sort();
    pool.dedup();
    pool
}

fn at(path: &'static str) -> impl Fn(&Value) -> bool {
    move |exchange| exchange["request"]["path"] == path
}

fn met(body: &Body) -> Met {
    match body {
        None => Met::Silent,
        Some((status, location, body)) => {
            Met::Answer(Answer { status: *status, location: location.clone(), body: body.clone() })
        }
    }
}

/// What happens.
#[derive(Debug, Clone)]
enum Event {
    /// A look at two ports: onboarding and list of each.
    Look([(Body, Body); 2]),
    /// The open request ends so; `None`: it is cut.
    Ended(Body),
    /// The user enters a key, or wants to try again, where he is asked.
    Agrees,
}

/// A value somewhere in a JSON text becomes another one, or the text is cut.
fn mutate(body: &Body, place: usize, how: usize) -> Body {
    let (status, location, text) = body.clone()?;
    let Ok(mut json) = serde_json::from_slice::<Value>(&text) else { return Some((status, location, text)) };
    if how == 0 {
        return Some((status, location, text[..place % text.len().max(1)].to_vec()));
    }
    let others = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(""),
        json!("idle"),
        json!("restore_backup"),
        json!([]),
        json!({}),
        json!("5e1f2a90"),
        json!("77aa01ce"),
        json!("failed"),
        json!("in_progress"),
        json!("completed"),
    ];
    let mut at = place % count(&json);
    replace(&mut json, &mut at, &others[how % others.len()]);
    Some((status, location, json.to_string().into_bytes()))
}

fn count(json: &Value) -> usize {
    1 + match json {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(object) => object.values().map(count).sum(),
        _ => 0,
    }
}

fn replace(json: &mut Value, at: &mut usize, with: &Value) {
    if *at == 0 {
        *json = with.clone();
        *at = usize::MAX;
        return;
    }
    *at -= 1;
    let inner: Vec<&mut Value> = match json {
        Value::Array(list) => list.iter_mut().collect(),
        Value::Object(object) => object.values_mut().collect(),
        _ => Vec::new(),
    };
    for value in inner {
        if *at == usize::MAX {
            return;
        }
        replace(value, at, with);
    }
}

fn bodies(pool: Vec<Body>) -> impl Strategy<Value = Body> + Clone {
    let plain = prop::sample::select(pool.clone());
    let mutated = (prop::sample::select(pool), any::<usize>(), any::<usize>());
    prop_oneof![2 => plain, 1 => mutated.prop_map(|(body, place, how)| mutate(&body, place, how))]
}

/// Looks that are near to what lets a restore begin come more often, so that many do.
fn events() -> impl Strategy<Value = Vec<(u64, Event)>> {
    let (onboarding, info) = (pool(at(ONBOARDING)), pool(at(INFO)));
    let posts = pool(is_restore);
    let fresh = read("onboarding-fresh")["response"]["body"].to_string().into_bytes();
    let fresh: Body = Some((200, None, fresh));
    let any_door = (bodies(onboarding), bodies(info.clone()));
    let open_door = (Just(fresh), bodies(info));
    let quiet = Just((None, None));
    let event = prop_oneof![
        4 => (open_door, quiet).prop_map(|(one, two)| Event::Look([one, two])),
        3 => (any_door.clone(), any_door).prop_map(|(one, two)| Event::Look([one, two])),
        2 => bodies(posts).prop_map(Event::Ended),
        1 => Just(Event::Agrees),
    ];
    prop::collection::vec((prop_oneof![0..20u64, 20..4000u64], event), 1..40)
}

/// Reads raw answers, and knows nothing of the rules but what the sentence at the top says.
#[derive(Default)]
struct Watchman {
    now: u64,
    open: bool,
    /// Core was silent (or fresh without any word of a restore after silence) since the request left.
    silent: bool,
    /// Since when another request is not allowed, and why.
    barred: Option<(String, u64)>,
    requests: usize,
}

impl Watchman {
    fn looked(&mut self, doors: &[(Body, Body); 2], step: &Step) -> Result<(), String> {
        if doors.iter().all(|(onboarding, _)| onboarding.is_none()) {
            self.silent = true;
        }
        let Next::Post(order) = &step.next else { return Ok(()) };
        self.requests += 1;
        let place = if order.port == 80 { 0 } else { 1 };
        let (onboarding, info) = &doors[place];
        self.is_fresh(onboarding)?;
        if self.is_set_up(&doors[1 - place].0) {
            return Err("another port shows a home that is set up".into());
        }
        self.is_listed(info)?;
        if self.open {
            return Err("a request is open".into());
        }
        self.may_again(info)?;
        (self.open, self.silent, self.barred) = (true, false, None);
        Ok(())
    }

    fn is_fresh(&self, body: &Body) -> Result<(), String> {
        let Some((200, _, text)) = body else { return Err("the onboarding did not answer".into()) };
        let steps: Value = serde_json::from_slice(text).map_err(|_| "the onboarding is no JSON")?;
        let steps = steps.as_array().filter(|steps| !steps.is_empty()).ok_or("the onboarding is no list")?;
        match steps.iter().all(|step| step["done"] == json!(false)) {
            true => Ok(()),
            false => Err("the onboarding has begun".into()),
        }
    }

    fn is_set_up(&self, body: &Body) -> bool {
        #[derive(serde::Deserialize)]
        struct Step {
            #[serde(rename = "step")]
            _step: String,
            done: bool,
        }
        match body {
            Some((404, _, text)) => text == b"404: Not Found",
            Some((200, _, text)) => {
                serde_json::from_slice::<Vec<Step>>(text).is_ok_and(|all| all.iter().any(|one| one.done))
            }
            _ => false,
        }
    }

    fn is_listed(&self, body: &Body) -> Result<(), String> {
        let Some((200, _, text)) = body else { return Err("there was no list".into()) };
        let list: Value = serde_json::from_slice(text).map_err(|_| "the list is no JSON")?;
        if list["state"] != "idle" {
            return Err(format!("Core is {}", list["state"]));
        }
        let entries = list["backups"].as_array().ok_or("the list is none")?;
        let ours =
            entries.iter().any(|entry| entry["backup_id"] == OURS && entry["agents"]["hassio.local"].is_object());
        if ours { Ok(()) } else { Err("our backup is not listed".into()) }
    }

    fn may_again(&self, info: &Body) -> Result<(), String> {
        let Some((why, since)) = &self.barred else { return Ok(()) };
        let passed = self.now - since;
        let null = info.as_ref().is_some_and(|(_, _, text)| {
            serde_json::from_slice::<Value>(text).is_ok_and(|list| {
                // What became of something else than a restore is no word of one.
                list["last_action_event"].is_null() || list["last_action_event"]["manager_state"] != "restore_backup"
            })
        });
        let least = [
            ("Must update supervisor first", 60),
            ("no host internet connection", 30),
            ("no supervisor internet connection", 30),
            ("system is not running", 10),
            ("not found in agent", 10),
            ("500 Internal", 30),
        ];
        if let Some((_, least)) = least.iter().find(|(words, _)| why.contains(words)) {
            return if passed >= *least { Ok(()) } else { Err(format!("only {passed} s after {why}")) };
        }
        // Turned off and on again: this Core was never asked.
        if ["not healthy", "401", "404"].iter().any(|words| why.contains(words)) && self.silent && null {
            return Ok(());
        }
        Err(format!("not after {why}"))
    }

    fn ended(&mut self, body: &Body) {
        self.open = false;
        self.silent = false;
        self.barred = Some(match body {
            None => ("a cut".into(), self.now),
            Some((status, _, text)) if *status >= 500 => (format!("500 Internal {}", text.len()), self.now),
            Some((status, _, text)) => (format!("{status} {}", String::from_utf8_lossy(text)), self.now),
        });
    }
}

/// Something that follows the rules, or breaks one.
trait Rules {
    fn looked(&mut self, now: Duration, look: &Look) -> Step;
    fn posted(&mut self, now: Duration, posted: &Posted) -> Step;
    fn agrees(&mut self, now: Duration, asked: &Next) -> bool;
}

struct Sound(Finish);

impl Rules for Sound {
    fn looked(&mut self, now: Duration, look: &Look) -> Step {
        self.0.looked(now, look)
    }

    fn posted(&mut self, now: Duration, posted: &Posted) -> Step {
        self.0.posted(now, posted)
    }

    fn agrees(&mut self, now: Duration, asked: &Next) -> bool {
        match asked {
            Next::NeedKey => self.0.key_given(),
            Next::Offer => self.0.again(now),
            _ => return false,
        }
        true
    }
}

fn finish() -> Finish {
    let limits = Limits { give_up: Duration::from_secs(1_000_000) };
    Finish::new(OURS.parse().ok(), true, false, limits)
}

/// Plays until an end is reached; the number of requests.
fn play(mut rules: impl Rules, events: &[(u64, Event)]) -> Result<usize, String> {
    let mut watchman = Watchman::default();
    let mut asked = Next::Ask(Duration::ZERO);
    for (pause, event) in events {
        watchman.now += pause;
        let now = Duration::from_secs(watchman.now);
        match event {
            Event::Look(doors) => {
                let step = rules.looked(now, &look(doors));
                watchman.looked(doors, &step)?;
                asked = step.next;
            }
            Event::Ended(body) if watchman.open => {
                watchman.ended(body);
                let posted = match met(body) {
                    Met::Answer(answer) => Posted::Answered(answer),
                    _ => Posted::Cut,
                };
                let step = rules.posted(now, &posted);
                if matches!(step.next, Next::Post(_)) {
                    return Err("a request at once after one that ended".into());
                }
                asked = step.next;
            }
            Event::Agrees if rules.agrees(now, &asked) => {
                // Asked for it, so that he may; a request that is lost for good is closed by the one who tries again.
                (watchman.barred, watchman.open) = (None, watchman.open && asked != Next::Offer);
                asked = Next::Ask(Duration::ZERO);
            }
            Event::Ended(_) | Event::Agrees => {}
        }
        if matches!(asked, Next::End(_)) {
            break;
        }
    }
    Ok(watchman.requests)
}

fn look(doors: &[(Body, Body); 2]) -> Look {
    let door = |port: u16, (onboarding, info): &(Body, Body)| {
        let onboarding = Onboarding::read(&met(onboarding));
        let info = (onboarding == Onboarding::Fresh).then(|| Info::read(&met(info)));
        Door { port, onboarding, info }
    };
    Look { doors: vec![door(80, &doors[0]), door(8123, &doors[1])] }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 700, ..ProptestConfig::default() })]

    #[test]
    fn a_restore_is_requested_only_where_it_may_be(events in events()) {
        if let Err(why) = play(Sound(finish()), &events) {
            prop_assert!(false, "{why}");
        }
    }
}

/// Where a broken rule requests a restore although it may not.
type Break = fn(&Look, &Step) -> bool;

/// Rules with one of them broken.
struct Careless(Finish, Break);

impl Rules for Careless {
    fn looked(&mut self, now: Duration, look: &Look) -> Step {
        let step = self.0.looked(now, look);
        let broken = self.1;
        if matches!(step.next, Next::Post(_)) || !broken(look, &step) {
            return step;
        }
        let entry = read("info-one")["response"]["body"]["backups"][0].clone();
        let order = Order { port: 80, backup: Listed::read(&entry).unwrap() };
        Step { next: Next::Post(order), ..step }
    }

    fn posted(&mut self, now: Duration, posted: &Posted) -> Step {
        self.0.posted(now, posted)
    }

    fn agrees(&mut self, _: Duration, _: &Next) -> bool {
        false
    }
}

/// Each broken rule is found within the events that the sound rules pass.
#[test]
fn the_watchman_finds_each_broken_rule() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let broken: [Break; 5] = [
        |_, step| matches!(step.situation, Situation::SetUpAnew | Situation::OldHome { .. }),
        |_, step| step.situation == Situation::Looking,
        |_, step| matches!(step.situation, Situation::Restoring { stage: None }),
        |_, step| matches!(step.situation, Situation::Restoring { stage: Some(_) }),
        |_, step| matches!(step.situation, Situation::NoSpace { .. } | Situation::Busy),
    ];
    let mut runner = TestRunner::deterministic();
    let mut found: Vec<String> = Vec::new();
    let mut requests = 0;
    for _ in 0..300 {
        let events = events_once(&mut runner).new_tree(&mut runner).unwrap().current();
        requests += play(Sound(finish()), &events).unwrap_or_default();
        for rule in broken {
            found.extend(play(Careless(finish(), rule), &events).err());
        }
    }
    // The property says nothing where nothing is requested.
    assert!(requests > 60, "only {requests} requests");
    for why in ["did not answer", "has begun", "is not listed", "is open", "Core is", "not after"] {
        assert!(found.iter().any(|found| found.contains(why)), "nobody noticed: {why}");
    }
}

/// Reading all recordings anew for each would take its time.
fn events_once(_: &mut proptest::test_runner::TestRunner) -> BoxedStrategy<Vec<(u64, Event)>> {
    thread_local! {
        static EVENTS: BoxedStrategy<Vec<(u64, Event)>> = events().boxed();
    }
    EVENTS.with(Clone::clone)
}
