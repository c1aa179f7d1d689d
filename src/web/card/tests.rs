use super::form::LONGEST_FORM;
use super::page::place_of;
use super::*;
use crate::domain::disk::Refusal;
use crate::domain::job::JobState;
use crate::domain::job::{BackupChoice, ImageChoice};
use crate::domain::size::Bytes;
use crate::web::now;
use crate::web::trial::*;

/// The fields of a good form, as a browser would send them from the page.
fn good() -> Vec<(&'static str, &'static str)> {
    vec![
        ("disk", "sdb"),
        ("seen", "v1-of-sdb"),
        ("plug", "3"),
        ("once", "abc"),
        ("token", TOKEN),
        ("agree", "yes"),
        ("backup", "new"),
        ("version", "running"),
    ]
}

fn with(changes: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let mut fields = good();
    fields.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    fields.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    fields
}

/// A card with pictures on it, so that the size is asked.
fn ask_size(trial: &Trial) {
    let mut full = disk("sdb");
    full.contents = camera();
    trial.plug(vec![listed(full, &[])]);
}

#[actix_web::test]
async fn the_page_names_the_disk_and_ticks_nothing() {
    let trial = Trial::new();
    let answer = trial.ask(trial.get("/card?disk=sdb")).await;
    assert_eq!(answer.status, 200);
    answer.has_sound_links();
    answer.has("<title>Erase this card and make it the new system?</title>");
    answer.has("SanDisk Ultra, 64 GB");
    answer.has("USB card reader, slot 1");
    answer.has("name=\"agree\" value=\"yes\">");
    answer.has_not("name=\"size\"");
    answer.has_not("There is a problem");
    answer.has("value=\"new\" checked");
    answer.has("value=\"0a1b2c3d\">");
    answer.has("value=\"22222222\" disabled");
    let fields = ["disk", "seen", "plug", "token"].map(|name| answer.field(name));
    assert_eq!(fields, ["sdb", "v1-of-sdb", "3", TOKEN]);
    let again = trial.ask(trial.get("/card?disk=sdb&agree=yes&size=64")).await;
    again.has("name=\"agree\" value=\"yes\">");
    assert_ne!(answer.field("once"), again.field("once"));
    assert_eq!(answer.field("once").len(), 32);
}

#[actix_web::test]
async fn forms_alone_start_a_job() {
    let trial = Trial::new();
    let page = trial.ask(trial.get("/card?disk=sdb")).await;
    let names = ["disk", "seen", "plug", "once", "token"];
    let values: Vec<String> = names.iter().map(|name| page.field(name)).collect();
    let mut fields: Vec<(&str, &str)> = names.into_iter().zip(values.iter().map(String::as_str)).collect();
    fields.extend([("agree", "yes"), ("backup", "0a1b2c3d"), ("version", "latest")]);
    let answer = trial.ask(trial.post("/card", &fields)).await;
    assert_eq!((answer.status, answer.header("location").as_str()), (303, "jobs/7"));
    let slug = "0a1b2c3d".parse().unwrap();
    let want = CardRequest {
        disk: DiskId("sdb".into()),
        seen: Fingerprint("v1-of-sdb".into()),
        plug: Some(3),
        backup: BackupChoice::Existing { slug, have_key: false },
        image: ImageChoice::Latest,
        board: None,
        once: Some(page.field("once")),
    };
    assert_eq!(trial.asked(), [Heard::Start(want)]);
}

#[actix_web::test]
async fn every_mistake_is_said_at_its_field_and_values_are_kept() {
    let trial = Trial::new();
    ask_size(&trial);
    type Case<'a> = (&'a [(&'static str, &'static str)], &'a str, &'a str);
    let cases: [Case<'_>; 10] = [
        (&[("agree", ""), ("size", "64")], "agree", "Tick the box to say that everything on this disk may be erased"),
        (&[("agree", "no"), ("size", "64")], "agree", "Tick the box to say"),
        (&[("size", "")], "size", "Type the size printed on the card, for example 64"),
        (&[("size", "big")], "size", "Type the size printed on the card, for example 64"),
        (&[("size", "32")], "size", "32 GB does not fit this disk. Check that it is the right one"),
        (&[("size", "1 TB")], "size", "1 TB does not fit this disk."),
        (&[("size", "64"), ("backup", "99999999")], "backup", "Choose a backup from the list"),
        (&[("size", "64"), ("backup", "22222222")], "backup", "Choose a backup from the list"),
        (&[("size", "64"), ("backup", "11111111")], "have_key", "Tick the box to say that you have the key"),
        (&[("size", "64"), ("version", "<b>")], "version", "Choose a version from the list"),
    ];
    for (changes, field, text) in cases {
        let answer = trial.ask(trial.post("/card", &with(changes))).await;
        assert_eq!(answer.status, 422, "{changes:?}");
        answer.has("<title>Error: ");
        answer.has(&format!("<li><a href=\"#{field}\" dir=\"auto\">{text}"));
        answer.has(&format!("id=\"{field}-error\""));
        answer.has(&format!(" id=\"{field}\""));
        answer.has_sound_links();
        for (name, value) in changes.iter().filter(|(name, value)| *name == "size" && !value.is_empty()) {
            answer.has(&format!("name=\"{name}\" value=\"{value}\""));
        }
        let kept = !changes.iter().any(|(name, _)| *name == "agree");
        assert_eq!(answer.text.contains("name=\"agree\" value=\"yes\" checked"), kept);
    }
    let all = with(&[("agree", ""), ("size", ""), ("backup", "x")]);
    let answer = trial.ask(trial.post("/card", &all)).await;
    assert_eq!(answer.text.matches("<li><a href=\"#").count(), 3);
    answer.has("<details class=\"fold\" open>");
    assert!(trial.asked().is_empty());

    let answer = trial.ask(trial.post("/card", &with(&[("size", "64 GB")]))).await;
    assert_eq!(answer.status, 303);
    let protected = with(&[("size", "64"), ("backup", "11111111"), ("have_key", "yes")]);
    assert_eq!(trial.ask(trial.post("/card", &protected)).await.status, 303);
}

#[actix_web::test]
async fn the_size_is_asked_exactly_where_the_risk_is_higher() {
    let trial = Trial::new();
    let asks = |disks: Vec<ListedDisk>| {
        trial.plug(disks);
        async { trial.ask(trial.get("/card?disk=sdb")).await.text.contains("name=\"size\"") }
    };
    let changed = |change: fn(&mut crate::domain::disk::Disk)| {
        let mut disk = disk("sdb");
        change(&mut disk);
        vec![listed(disk, &[])]
    };
    assert!(!asks(changed(|_| {})).await);
    assert!(asks(changed(|d| d.contents = camera())).await);
    assert!(asks(changed(|d| d.contents.blank = false)).await);
    assert!(asks(changed(|d| d.size = Bytes(256_060_514_304))).await);
    assert!(asks(changed(|d| d.plugged_at = None)).await);
    assert!(asks(changed(|d| d.plugged_at = Some(now() - 4000))).await);
    assert!(asks(vec![listed(disk("sdb"), &[]), listed(disk("sdc"), &[])]).await);
    assert!(!asks(vec![listed(disk("sdb"), &[]), listed(disk("sdc"), &[Refusal::Mounted])]).await);
}

#[actix_web::test]
async fn another_disk_than_was_seen_is_never_erased() {
    let trial = Trial::new();
    let cases: [&[(&str, &str)]; 6] = [
        &[("token", "of-an-older-start-xxxxx")],
        &[("token", "")],
        &[("seen", "v1-other")],
        &[("seen", "")],
        &[("plug", "2")],
        &[("plug", "")],
    ];
    for changes in cases {
        let answer = trial.ask(trial.post("/card", &with(changes))).await;
        assert_eq!(answer.status, 409, "{changes:?}");
        answer.has("The disk has changed");
        answer.has("name=\"agree\" value=\"yes\">");
        assert_eq!(answer.field("token"), TOKEN);
        assert_eq!(answer.field("seen"), "v1-of-sdb");
    }
    trial.plug(vec![]);
    let answer = trial.ask(trial.post("/card", &good())).await;
    assert_eq!(answer.status, 409);
    answer.has("The disk has changed");
    assert_eq!(trial.ask(trial.get("/card?disk=sdb")).await.status, 404);
    assert!(trial.asked().is_empty());
}

#[actix_web::test]
async fn every_refusal_stands_beside_its_field() {
    let trial = Trial::new();
    let problems = vec![
        Problem::BackupDoesNotFit { need: Bytes(9), free: Bytes(1) },
        Problem::BackupRunning,
        Problem::NoInternet,
        Problem::CannotSave { why: Phrase::foreign("The disk is full") },
    ];
    trial.script.lock().unwrap().start =
        Err(StartError::Refused { disk: vec![Refusal::Mounted, Refusal::BuiltIn], problems: problems.clone() });
    let answer = trial.ask(trial.post("/card", &good())).await;
    assert_eq!(answer.status, 409);
    for problem in &problems {
        let words = problem.words();
        answer.has(&format!("<li><a href=\"#{}\" dir=\"auto\">{}", place_of(problem), words.title));
        answer.has(&words.todo);
    }
    answer.has("It is mounted or used on this machine. It is built in.");
    answer.has_sound_links();

    // Where other answers could help, the form stays.
    trial.script.lock().unwrap().start =
        Err(StartError::Refused { disk: vec![], problems: vec![Problem::BackupRunning] });
    let answer = trial.ask(trial.post("/card", &good())).await;
    answer.has("Erase this card and begin");
    answer.has("<details class=\"fold\" open>");
}

#[actix_web::test]
async fn each_reason_of_the_conductor_is_told() {
    let trial = Trial::new();
    let cases = [
        (StartError::Running(JobId(5)), 409, "A card is already being made"),
        (StartError::NoDisk, 409, "The disk has changed"),
        (StartError::Changed, 409, "The disk has changed"),
        (StartError::Closing, 503, "The app is ending"),
    ];
    for (error, status, text) in cases {
        trial.script.lock().unwrap().start = Err(error);
        let answer = trial.ask(trial.post("/card", &good())).await;
        assert_eq!(answer.status, status, "{text}");
        answer.has(text);
        answer.has_sound_links();
    }
    trial.script.lock().unwrap().start = Err(StartError::Running(JobId(5)));
    trial.ask(trial.post("/card", &good())).await.has("href=\"jobs/5\"");
}

#[actix_web::test]
async fn a_second_click_leads_to_the_same_job() {
    let trial = Trial::new();
    trial.show(vec![job(9)]);
    let answer = trial.ask(trial.post("/card", &with(&[("once", "once-9")]))).await;
    assert_eq!((answer.status, answer.header("location").as_str()), (303, "jobs/9"));
    let other = trial.ask(trial.post("/card", &good())).await;
    assert_eq!(other.status, 409);
    other.has("href=\"jobs/9\"");
    assert!(trial.asked().is_empty());
    trial.show(vec![ended(9, JobState::Failed)]);
    let late = trial.ask(trial.post("/card", &with(&[("once", "once-9")]))).await;
    assert_eq!(late.header("location"), "jobs/9");
}

#[actix_web::test]
async fn refused_disks_show_why_and_have_no_button() {
    let trial = Trial::new();
    trial.plug(vec![listed(disk("sdb"), &[Refusal::RunsSystem, Refusal::Twin])]);
    for request in [trial.get("/card?disk=sdb"), trial.post("/card", &good())] {
        let answer = trial.ask(request).await;
        answer.has("This Home Assistant runs from it. It looks the same as another disk.");
        answer.has_not("Erase this card and begin");
    }
    trial.plug(vec![listed(disk("sdb"), &[Refusal::MayNotOpen])]);
    trial.ask(trial.get("/card?disk=sdb")).await.has("This disk may not be opened yet");
    trial.plug(vec![listed(disk("sdb"), &[])]);
    trial.change_system(|s| s.problems = vec![Problem::NotHaos]);
    trial.ask(trial.get("/card?disk=sdb")).await.has_not("Erase this card and begin");
    assert!(trial.asked().is_empty());
}

#[actix_web::test]
async fn what_is_no_form_is_refused() {
    let trial = Trial::new();
    let long = "x".repeat(LONGEST_FORM);
    let too_long = trial.post("/card", &with(&[("size", "1")])).set_form([("disk", long.as_str())]);
    assert_eq!(trial.ask(too_long).await.status, 413);
    assert_eq!(trial.ask(trial.post_json("/card", "{}")).await.status, 415);
    let nothing = trial.ask(trial.post("/card", &[])).await;
    assert_eq!(nothing.status, 409);
    let odd = trial.post("/card", &[]).set_payload(&b"%ff=%fe&\xff\xfe=1&disk=%00"[..]);
    assert_eq!(trial.ask(odd).await.status, 409);
    assert!(trial.asked().is_empty());
}
