use super::*;
use crate::domain::disk::Access;
use crate::domain::disk::Refusal;
use crate::domain::job::JobState;
use crate::web::trial::*;

async fn home(trial: &Trial) -> Answer {
    let answer = trial.ask(trial.get("/")).await;
    assert_eq!(answer.status, 200);
    answer.has_sound_links();
    answer
}

#[actix_web::test]
async fn a_usual_home_offers_the_disk() {
    let answer = home(&Trial::new()).await;
    answer.has("Raspberry Pi 4");
    answer.has("Home Assistant OS 18.2 (newest 18.2)");
    answer.has("12.3 GB · Backup about 2.3 GB (expected)");
    answer.has("16 GB or more");
    answer.has("SanDisk Ultra, 64 GB");
    answer.has("plugged in 2 minutes ago");
    answer.has("href=\"card?disk=sdb\"");
    answer.has("<noscript><meta http-equiv=\"refresh\"");
    answer.has("Demo &#60;b&#62;");
    answer.has("href=\"demo\"");
    let details = answer.text.split_once("Technical details").unwrap();
    assert!(!details.0.contains("/dev/") && details.1.contains("/dev/sdb"));
}

#[actix_web::test]
async fn what_is_not_known_is_called_so() {
    let trial = Trial::new();
    trial.system.send_replace(Default::default());
    trial.disks.send_replace(Default::default());
    let answer = home(&trial).await;
    answer.has("Asking Home Assistant about this system…");
    answer.has("Looking for disks…");
    answer.has_not("No card reader found");
}

#[actix_web::test]
async fn without_a_reader_it_says_what_to_plug_in() {
    let trial = Trial::new();
    trial.plug(vec![listed(internal(), &[Refusal::RunsSystem, Refusal::BuiltIn])]);
    let answer = home(&trial).await;
    answer.has("No card reader found");
    answer.has("a card of 16 GB or more");
    answer.has("This Home Assistant runs from it.");
    answer.has("It is built in.");
    answer.has_not("card?disk=");

    let mut reader = disk("sdb");
    (reader.medium, reader.model) = (false, "Reader".into());
    trial.plug(vec![listed(reader.clone(), &[Refusal::NoMedium]), listed(reader, &[Refusal::NoMedium])]);
    let answer = home(&trial).await;
    answer.has("SanDisk Reader: no card in it. Put the new card in.");
    assert_eq!(answer.text.matches("no card in it").count(), 1, "one line for all slots of a reader");
    answer.has_not("No card reader found");
}

#[actix_web::test]
async fn a_refused_disk_shows_every_reason_and_the_way_out() {
    let trial = Trial::new();
    let mut denied = disk("sdc");
    denied.access = Access::Denied;
    let reasons = [Refusal::Twin, Refusal::WriteProtected, Refusal::MayNotOpen];
    trial.plug(vec![listed(disk("sdb"), &[]), listed(denied, &reasons)]);
    let answer = home(&trial).await;
    for reason in &reasons {
        answer.has(&reason.to_string().replace('\'', "&#39;"));
    }
    answer.has("This disk may not be opened yet");
    answer.has("Pull it out and put it back. Still refused");
    answer.has_not("card?disk=sdc");
}

#[actix_web::test]
async fn there_is_at_most_one_notice_and_the_right_one() {
    let trial = Trial::new();
    let problem = Problem::NoInternet;
    trial.change_system(|s| s.problems = vec![problem.clone(), Problem::BackupRunning]);
    let answer = home(&trial).await;
    answer.has("No internet");
    answer.has("Another backup is running");
    answer.has("card?disk=sdb");

    trial.show(vec![ended(3, JobState::Done)]);
    let answer = home(&trial).await;
    answer.has("Your new card is ready");
    answer.has("href=\"jobs/3/swap\" target=\"_top\">Swap it now</a>");
    answer.has("href=\"jobs/3\"");
    answer.has_not("No internet");

    answer.has("Take it out of the reader now.");
    trial.plug(vec![]);
    let answer = home(&trial).await;
    answer.has("Your new card is ready");
    answer.has_not("Take it out of the reader now.");
    trial.plug(vec![listed(disk("sdb"), &[])]);

    trial.change_system(|_| {});
    trial.show(vec![ended(4, JobState::Interrupted), ended(3, JobState::Done)]);
    let answer = home(&trial).await;
    answer.has("The app was restarted");
    answer.has("The card is empty now and can be used again.");
    answer.has("Earlier cards (2)");

    trial.change_system(|s| s.problems = vec![problem.clone()]);
    trial.show(vec![job(5)]);
    let answer = home(&trial).await;
    answer.has("A card is being made: 42 %");
    answer.has("About 6 minutes left");
    answer.has("href=\"jobs/5\"");
    answer.has_not("card?disk=");
    answer.has_not("No internet");
}

#[actix_web::test]
async fn a_card_in_work_and_a_finished_one_are_told_apart() {
    let trial = Trial::new();
    trial.plug(vec![listed(disk("sdb"), &[Refusal::JobUsesIt])]);
    trial.show(vec![job(7), ended(6, JobState::Done)]);
    let answer = home(&trial).await;
    answer.has("A job is using it.");
    answer.has("One card at a time");

    trial.show(vec![ended(7, JobState::Done)]);
    let answer = home(&trial).await;
    answer.has("It is your new card, finished. Take it out of the reader.");
    answer.has("Plug in a USB reader with the new card.");
    answer.has_not("A job is using it.");

    trial.show(vec![ended(8, JobState::Failed), ended(7, JobState::Done)]);
    home(&trial).await.has("A job is using it.");
}

#[actix_web::test]
async fn what_no_choice_can_help_takes_the_buttons_away() {
    let trial = Trial::new();
    for problem in [Problem::NotHaos, Problem::StillStarting, Problem::NoImageForBoard { board: "ova".into() }] {
        trial.change_system(|s| s.problems = vec![problem.clone()]);
        let answer = home(&trial).await;
        answer.has(&problem.words().title);
        answer.has_not("card?disk=");
    }
}

#[actix_web::test]
async fn a_failed_listing_is_told() {
    let trial = Trial::new();
    trial.disks.send_replace(std::sync::Arc::new(DiskList {
        known: true,
        disks: vec![],
        failed: Some("reading <sysfs>".into()),
    }));
    let answer = home(&trial).await;
    answer.has("The disks could not be listed");
    answer.has("reading &#60;sysfs&#62;");
}

#[actix_web::test]
async fn names_of_disks_are_text_never_markup() {
    let trial = Trial::new();
    let mut evil = disk("sdb");
    evil.vendor = "<script>alert(1)</script>".into();
    evil.model = "\" onload=\"x' שלום".into();
    evil.serial = "</dl><img src=x>".into();
    evil.contents = camera();
    evil.contents.partitions[0].label = "<b>&".into();
    trial.plug(vec![listed(evil.clone(), &[]), listed(evil, &[Refusal::InUse { what: "<i>dm</i>".into() }])]);
    trial.show(vec![]);
    for path in ["/", "/live", "/card?disk=sdb"] {
        let answer = trial.ask(trial.get(path)).await;
        for bad in ["<script>alert", "<img src=x", "<b>&\"", "<i>dm", "\" onload"] {
            answer.has_not(bad);
        }
        answer.has("dir=\"auto\"");
        answer.has_sound_links();
    }
}

/// Every state of the pages, in every language: nothing but links that hold, and names of devices only where they belong.
#[actix_web::test]
async fn every_state_keeps_the_rules() {
    let trial = Trial::new();
    for (name, set) in STATES {
        usual(&trial);
        set(&trial);
        for t in Language::ALL {
            let ask = |path: &str| trial.ask(trial.get(path).insert_header(("accept-language", t.code())));
            let answer = ask("/").await;
            assert_eq!(answer.status, 200, "{name}");
            answer.has_sound_links();
            answer.has(&format!("<html lang=\"{t}\">"));
            for key in ["home-heading", "home-system", "home-usable", "home-technical", "home-cache", "home-about"] {
                answer.has(&t.say(key));
            }
            let (shown, folded) = answer.text.split_once("<details").unwrap();
            assert!(!shown.contains("/dev/"), "{name}: {shown}");
            assert!(folded.contains("id=\"technical\""));
            let top = shown.split_once("id=\"this-system\"").unwrap().0;
            assert!(top.matches("class=\"notice").count() <= 1, "{name}: {top}");
            let card = ask("/card?disk=sdb").await;
            card.has_sound_links();
            card.has_not("/dev/");
            card.has(&t.say("frame-back"));
            for page in [&answer.text, &card.text] {
                let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
                let unique: std::collections::BTreeSet<_> = ids.iter().collect();
                assert_eq!(unique.len(), ids.len(), "{name}: {ids:?}");
            }
        }
    }
}

#[actix_web::test]
async fn a_reader_with_several_slots_speaks_once() {
    let trial = Trial::new();
    let (_, slots) = STATES.iter().find(|(name, _)| *name == "slots").unwrap();
    slots(&trial);
    let answer = home(&trial).await;
    answer.has("Generic USB SD Reader, 64 GB");
    answer.has("USB card reader, slot 3");
    // The reader with the card in its third slot needs no word about the others; another reader is empty.
    assert_eq!(answer.text.matches("no card in it").count(), 1);
}

#[actix_web::test]
async fn of_two_that_look_the_same_the_page_says_which_is_which() {
    let trial = Trial::new();
    let at = |seconds: u64| disk("sdb").plugged_at.map(|at| at - seconds);
    let cases = [
        (at(0), at(60), "This is the one plugged in last.", true),
        (at(60), at(0), "This is the one plugged in earlier.", true),
        (at(0), None, "This is the one plugged in last.", true),
        (at(0), at(0), "looks the same", false),
    ];
    for (one, other, want, told) in cases {
        let other = crate::domain::disk::Disk { plugged_at: other, ..disk("sdc") };
        let one = crate::domain::disk::Disk { plugged_at: one, ..disk("sdb") };
        trial.plug(vec![listed(one, &[]), listed(other, &[Refusal::Mounted])]);
        for path in ["/", "/card?disk=sdb"] {
            assert_eq!(trial.ask(trial.get(path)).await.text.contains(want), told, "{want} {path}");
        }
    }
}

#[actix_web::test]
async fn a_plug_is_announced_once_to_a_page_that_asks() {
    let trial = Trial::new();
    trial.plug(vec![]);
    let pulse = |text: &str| {
        let link = text.split_once("hx-get=\"").unwrap().1.split('"').next().unwrap();
        format!("/{}", link.replace("&amp;", "&").replace("&#38;", "&"))
    };
    let page = home(&trial).await;
    page.has("<div id=\"say\" class=\"away\" role=\"status\" sse-swap=\"say\"></div>");
    let asked = pulse(&page.text);
    assert_eq!(trial.ask(trial.get(&asked)).await.status, 204);

    trial.plug(vec![listed(disk("sdb"), &[])]);
    let news = trial.ask(trial.get(&asked)).await;
    let (_, said) = news.text.split_once("innerHTML:#say\"").unwrap();
    let (_, said) = said.split_once('>').unwrap();
    assert!(said.starts_with("SanDisk Ultra, 64 GB, plugged in. 1 disk can be used.</div>"), "{said}");
    news.has("innerHTML:#disks");
    // Another page that asks hears the same, and nobody hears it twice.
    trial.ask(trial.get(&asked)).await.has("SanDisk Ultra, 64 GB, plugged in.");
    assert_eq!(trial.ask(trial.get(&pulse(&news.text))).await.status, 204);

    // The next one waits until the first was heard; what is seen does not.
    trial.plug(vec![]);
    let gone = trial.ask(trial.get(&pulse(&news.text))).await;
    gone.has("No card reader found");
    gone.has_not("innerHTML:#say");
}

#[actix_web::test]
async fn a_finished_card_and_a_lasting_problem_are_both_told() {
    let trial = Trial::new();
    trial.show(vec![ended(3, JobState::Done)]);
    trial.change_system(|s| s.problems = vec![Problem::NotHaos]);
    let answer = home(&trial).await;
    answer.has("Your new card is ready");
    answer.has("None now: This is not Home Assistant OS.");
    answer.has_not("card?disk=");
    for link in ["history", "cache", "about"] {
        answer.has(&format!("href=\"{link}\""));
    }
    answer.has("Earlier cards (1)");
}
