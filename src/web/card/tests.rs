use super::form::LONGEST_FORM;
use super::page::place_of;
use super::*;
use crate::domain::carry::Carry;
use crate::domain::disk::Refusal;
use crate::domain::job::JobState;
use crate::domain::job::{BackupChoice, ImageChoice};
use crate::domain::secret::Secret;
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
        carry: Carry::usual(),
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
    answer.has("<li dir=\"auto\">It is mounted or used on this machine.</li>\n<li dir=\"auto\">It is built in.</li>");
    for (_, id) in answer.text.match_indices("<a href=\"#").map(|(at, found)| {
        let id = answer.text[at + found.len()..].split('"').next().unwrap_or_default();
        (at, id.to_string())
    }) {
        answer.has(&format!("id=\"{id}\" tabindex=\"-1\""));
    }
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
        answer.has("<li dir=\"auto\">This Home Assistant runs from it.</li>\n<li dir=\"auto\">It looks the same as");
        answer.has("This card cannot be made now</h1>");
        answer.has_not("Erase this card and begin");
    }
    trial.plug(vec![listed(disk("sdb"), &[Refusal::MayNotOpen])]);
    trial.ask(trial.get("/card?disk=sdb")).await.has("This disk may not be opened yet");
    trial.plug(vec![listed(disk("sdb"), &[])]);
    trial.change_system(|s| s.problems = vec![Problem::NotHaos]);
    let answer = trial.ask(trial.get("/card?disk=sdb")).await;
    answer.has_not("Erase this card and begin");
    answer.has("Cards can be made only for Home Assistant OS.");
    answer.has_not("There is a problem");
    let answer = trial.ask(trial.post("/card", &good())).await;
    assert_eq!(answer.status, 409);
    answer.has("<title>Error: This card cannot be made now");
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

/// Before anything is sent, what stands in the way is said at its place, and nothing is an error.
#[actix_web::test]
async fn what_stands_in_the_way_is_said_beforehand() {
    let trial = Trial::new();
    for problem in [Problem::NoInternet, Problem::BackupRunning] {
        trial.change_system(|s| s.problems = vec![problem.clone()]);
        let answer = trial.ask(trial.get("/card?disk=sdb")).await;
        assert_eq!(answer.status, 200);
        answer.has("<title>Erase this card");
        answer.has(&problem.words().todo);
        answer.has("<details class=\"fold\" open>");
        answer.has("Erase this card and begin");
        answer.has_not("There is a problem");
        // The conductor decides, and may know better by then.
        assert_eq!(trial.ask(trial.post("/card", &good())).await.status, 303);
    }
}

#[actix_web::test]
async fn a_disk_that_is_gone_has_a_page_with_a_way_out() {
    let trial = Trial::new();
    for path in ["/card?disk=sdz", "/card", "/card?disk=%00%ff"] {
        let answer = trial.ask(trial.get(path)).await;
        assert_eq!(answer.status, 404);
        answer.has("This disk is not plugged in any more");
        answer.has("Nothing was done.");
        answer.has("href=\"./\"");
    }
}

#[actix_web::test]
async fn a_link_to_a_backup_that_cannot_be_used_falls_back_to_a_new_one() {
    let trial = Trial::new();
    let cases = [("0a1b2c3d", true), ("11111111", true), ("22222222", false), ("99999999", false), ("nonsense", false)];
    for (slug, kept) in cases {
        let answer = trial.ask(trial.get(&format!("/card?disk=sdb&backup={slug}"))).await;
        assert_eq!(answer.text.contains(&format!("value=\"{slug}\" checked")), kept, "{slug}");
        assert_eq!(answer.text.contains("value=\"new\" checked"), !kept, "{slug}");
        answer.has(if kept { "uses the backup you have chosen" } else { "makes a full backup" });
    }
}

#[actix_web::test]
async fn what_will_happen_and_how_long_it_takes_is_said_as_far_as_it_is_known() {
    let trial = Trial::new();
    let page = async || trial.ask(trial.get("/card?disk=sdb")).await;
    let answer = page().await;
    answer.has("This makes a full backup, downloads Home Assistant OS 18.2, erases and writes this disk");
    answer.has("About 20 to 50 minutes.");

    // A failed job knows the size of the download, and nothing of the rates.
    trial.show(vec![ended(6, JobState::Failed)]);
    let answer = page().await;
    answer.has("downloads Home Assistant OS 18.2 (350 MB)");
    answer.has("About 20 to 50 minutes.");

    let mut made = ended(6, JobState::Done);
    for view in &mut made.stages {
        view.millis = 200_000;
    }
    made.stages[2].millis = 100_000;
    // 13 MB/s onto the card, 15 MB/s from it, the download beside it: 21 minutes for 6.2 GB of image and 2.3 GB of backup.
    trial.show(vec![ended(7, JobState::Cancelled), made.clone()]);
    page().await.has("About 15 to 30 minutes.");
    let answer = trial.ask(trial.get("/card?disk=sdb&version=latest&backup=0a1b2c3d")).await;
    answer.has("About 15 to 30 minutes.");

    trial.change_system(|s| s.kept_image = Some(("haos_rpi4-64-18.2.img.xz".into(), Bytes(350_000_000))));
    let answer = page().await;
    answer.has("uses the kept image of Home Assistant OS 18.2");
    answer.has("About 15 to 30 minutes.");
    trial.change_system(|s| s.kept_image = Some(("haos_rpi4-64-18.1.img.xz".into(), Bytes(350_000_000))));
    page().await.has("downloads Home Assistant OS 18.2 (350 MB)");

    // A slow card and a large backup.
    made.stages[6].millis = 5_000_000;
    made.stages[3].millis = 5_000_000;
    trial.show(vec![made]);
    trial.change_system(|s| s.facts.backups.iter_mut().flatten().for_each(|b| b.size = Bytes(9_000_000_000)));
    page().await.has(" hours.");

    trial.system.send_replace(Default::default());
    page().await.has("downloads Home Assistant OS, erases");
}

#[actix_web::test]
async fn warnings_stand_before_the_button() {
    let trial = Trial::new();
    trial.change_system(|s| s.facts.local_apps = vec!["local_x".into()]);
    trial.plug(vec![listed(crate::domain::disk::Disk { size: Bytes(15_931_539_456), ..disk("sdb") }, &[])]);
    let answer = trial.ask(trial.get("/card?disk=sdb")).await;
    let before = answer.text.split_once("Erase this card and begin").unwrap().0;
    assert!(before.contains("The folder of local apps is missing from full backups."));
    assert!(before.contains("Putting a backup of 2.3 GB back needs about 17 GB for a while."));
    trial.plug(vec![listed(disk("sdb"), &[])]);
    trial.change_system(|s| s.facts.backups.iter_mut().flatten().for_each(|b| b.facts.without_database = true));
    let answer = trial.ask(trial.get("/card?disk=sdb&backup=0a1b2c3d")).await;
    answer.has("This backup was made without the database");
    answer.has("without the history database");
    answer.has_not("local apps");
}

#[actix_web::test]
async fn a_finished_card_that_is_still_in_is_no_job_at_work() {
    let trial = Trial::new();
    trial.plug(vec![listed(disk("sdb"), &[Refusal::JobUsesIt])]);
    trial.show(vec![ended(7, JobState::Done)]);
    let answer = trial.ask(trial.get("/card?disk=sdb")).await;
    answer.has("It is your new card, finished.");
    answer.has_not("A job is using it.");
    trial.show(vec![job(8)]);
    let answer = trial.ask(trial.get("/card?disk=sdb")).await;
    answer.has("A card is already being made");
    answer.has("href=\"jobs/8\"");
    answer.has_not("A job is using it.");
}

/// What the conductor was asked to carry over.
fn asked_to_carry(trial: &Trial) -> Carry {
    match trial.asked().pop() {
        Some(Heard::Start(request)) => request.carry,
        other => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn what_the_new_card_keeps_is_said_beforehand_and_can_be_left_behind() {
    let trial = Trial::new();
    let keeps = "Your new card will keep the address 192.168.1.10 and the name homeassistant.";
    let page = trial.ask(trial.get("/card?disk=sdb")).await;
    page.has(keeps);
    page.has("<input type=\"hidden\" name=\"network\" value=\"no\">");
    page.has("name=\"network\" value=\"yes\" checked");
    page.has_not("type=\"password\"");
    let german = trial.get("/card?disk=sdb").insert_header(("accept-language", "de"));
    trial.ask(german).await.has("Die neue Karte behält die Adresse 192.168.1.10 und den Namen homeassistant.");

    // As a browser sends a box that is ticked, and one that is not.
    for (sent, want) in [(&["no", "yes"][..], Carry::usual()), (&["no"], Carry::nothing()), (&[], Carry::usual())] {
        let fields = good().into_iter().chain(sent.iter().map(|value| ("network", *value))).collect::<Vec<_>>();
        assert_eq!(trial.ask(trial.post("/card", &fields)).await.status, 303);
        assert_eq!(asked_to_carry(&trial), want, "{sent:?}");
    }
    let without = trial.ask(trial.get("/card?disk=sdb&network=no")).await;
    without.has("stay behind, as you have chosen");
    without.has("<details class=\"fold\" open>");
    without.has_not("value=\"yes\" checked");
    without.has_not(keeps);

    trial.change_system(|system| system.facts.network = Some(Default::default()));
    let page = trial.ask(trial.get("/card?disk=sdb")).await;
    page.has("will keep the name homeassistant; its address comes from your router");
    trial.change_system(|system| {
        let mut network = with_wifi(b"Our Home", true);
        network.interfaces.remove(0);
        network.interfaces[0].ipv4 = cable().interfaces[0].ipv4.clone();
        system.facts.network = Some(network);
    });
    let page = trial.ask(trial.get("/card?disk=sdb")).await;
    page.has("will keep the name homeassistant.</p>");
    page.has("It will join the Wi-Fi Our Home with the address 192.168.1.10 if its password is typed below.");
    trial.change_system(|system| {
        system.facts.network = Some(Default::default());
        let unread = crate::domain::network::Unread { interface: "eth9".into(), field: "ipv4.gateway" };
        system.facts.network.as_mut().unwrap().unread.push(unread);
        system.facts.hostname = Some("no name".into());
    });
    let page = trial.ask(trial.get("/card?disk=sdb")).await;
    page.has("The network settings of eth9 could not be understood (ipv4.gateway)");
    page.has("The name of this system could not be carried over");
    trial.change_system(|system| system.facts.network = None);
    trial.ask(trial.get("/card?disk=sdb")).await.has("The network settings of this system are not known");
}

#[actix_web::test]
async fn a_wifi_password_is_asked_for_and_never_shown_again() {
    let trial = Trial::new();
    trial.change_system(|system| system.facts.network = Some(with_wifi(b"Our <Home>", false)));
    let page = trial.ask(trial.get("/card?disk=sdb&wifi=correct+horse&cable=yes")).await;
    page.has("It will join the Wi-Fi Our &#60;Home&#62; if its password is typed below.");
    page.has("Wi-Fi password for <span dir=\"auto\">Our &#60;Home&#62;</span>");
    page.has("<input type=\"password\" id=\"wifi\" name=\"wifi\" autocomplete=\"off\"");
    page.has("Without it the Wi-Fi has to be set up anew");
    page.has_not("correct horse");
    // With a cable it is no matter.
    page.has_not("name=\"cable\"");
    assert_eq!(trial.ask(trial.post("/card", &good())).await.status, 303);
    assert_eq!(asked_to_carry(&trial), Carry::usual());
    let typed = " correct horse ";
    assert_eq!(trial.ask(trial.post("/card", &with(&[("wifi", typed)]))).await.status, 303);
    assert_eq!(asked_to_carry(&trial), Carry::of_system(Secret::new(typed)));

    let refused = trial.ask(trial.post("/card", &with(&[("wifi", "correct horse"), ("agree", "no")]))).await;
    assert_eq!(refused.status, 422);
    refused.has_not("correct horse");
    let short = trial.ask(trial.post("/card", &with(&[("wifi", "horse")]))).await;
    assert_eq!(short.status, 422);
    short.has("<li><a href=\"#wifi\" dir=\"auto\">This cannot be the password of this Wi-Fi.");
    short.has("aria-describedby=\"wifi-hint wifi-error\" aria-invalid=\"true\"");
    short.has_not("\"horse\"");
    // Not asked for what stays behind.
    let without = trial.ask(trial.post("/card", &with(&[("wifi", "horse"), ("network", "no")]))).await;
    assert_eq!((without.status, asked_to_carry(&trial)), (303, Carry::nothing()));
}

#[actix_web::test]
async fn a_system_without_a_cable_has_to_say_how_the_new_one_is_connected() {
    let trial = Trial::new();
    trial.change_system(|system| system.facts.network = Some(with_wifi(b"Our Home", true)));
    let page = trial.ask(trial.get("/card?disk=sdb")).await;
    page.has("id=\"cable\" name=\"cable\" value=\"yes\">");
    let neither = trial.ask(trial.post("/card", &good())).await;
    assert_eq!(neither.status, 422);
    neither.has("Type the Wi-Fi password, or tick that you will connect a cable");
    neither.has("id=\"wifi-error\"");
    assert!(trial.asked().is_empty());
    let kept = trial.ask(trial.post("/card", &with(&[("cable", "yes"), ("agree", "no")]))).await;
    kept.has("name=\"cable\" value=\"yes\" checked");
    for answer in [("cable", "yes"), ("wifi", "correct horse"), ("network", "no")] {
        assert_eq!(trial.ask(trial.post("/card", &with(&[answer]))).await.status, 303, "{answer:?}");
    }
}
