//! What a start does, and everything that speaks against one.

use std::fs;
use std::sync::Arc;

use sd_swap::domain::disk::Refusal;
use sd_swap::domain::job::{BackupChoice, CardRequest, JobState, StageState};
use sd_swap::domain::problem::Problem;
use sd_swap::domain::stage::Stage;
use sd_swap::host::scratch::ScratchSpec;
use sd_swap::host::{Host, HostError};
use sd_swap::jobs::StartError;
use sd_swap::jobs::start::Plan;

use crate::house::*;
use crate::watched::{Act, Watched};

#[actix_web::test]
async fn a_new_backup_is_made_beside_the_writing_and_the_job_is_remembered() {
    let world = World::new();
    let (house, gate) = world.open_gated(|act, n| *act == Act::ShutOut && n == 0).await;
    let request = CardRequest { once: Some("a form".into()), ..house.request().await };
    let id = house.jobs.start(request.clone()).await.unwrap();
    // Verifying is held until the backup is there: neither waits for the other.
    let packed = |view: &sd_swap::domain::job::JobView| {
        view.stage(Stage::Backup).is_some_and(|backup| backup.state == StageState::Done)
    };
    let view = house.until(id, packed).await;
    gate.reached().await;
    assert!(!view.state.is_over());
    // The same form again is the same job; another one has to wait.
    assert_eq!(house.jobs.start(request.clone()).await, Ok(id));
    let other = CardRequest { once: Some("another form".into()), ..request.clone() };
    assert_eq!(house.jobs.start(other).await, Err(StartError::Running(id)));
    gate.open();
    let view = house.ended(id).await;
    let warned: Vec<_> = view.warnings.iter().map(|warning| warning.code.as_str()).collect();
    assert_eq!((view.state, &warned[..]), (JobState::Done, &["room_for_restore"][..]), "{view:#?}");
    let made = &view.made;
    assert!(made.image_digest.is_some() && made.backup_digest.is_some() && made.backup.is_some(), "{made:?}");
    assert!(view.stages.iter().all(|stage| stage.state == StageState::Done), "{view:#?}");
    let log = fs::read_to_string(world.path(&format!("data/logs/sd-swap-job-{id}.txt"))).unwrap();
    assert!(log.contains("commit: done") && log.contains("done. The card is finished."), "{log}");
    assert!(!log.contains(world.around.supervisor.token().reveal()), "{log}");
    // Next time the program starts it is still there, and its form still leads to it.
    drop(house);
    let house = world.open().await;
    assert_eq!(house.jobs.all().len(), 1);
    assert_eq!(*house.jobs.job(id).unwrap(), *view);
    assert_eq!(house.jobs.start(request).await, Ok(id));
    assert!(house.jobs.current().is_none());
    let ledger = fs::read_to_string(world.path("data/ledger.json")).unwrap();
    assert!(!ledger.contains(world.around.supervisor.token().reveal()));
}

#[actix_web::test]
async fn a_finished_card_is_kept_until_it_is_pulled() {
    let world = World::new();
    let house = world.open().await;
    house.done(house.request().await).await;
    let card = &world.around.card;
    let listed = house.disk(card, |listed| !listed.refusals.is_empty()).await;
    assert!(listed.refusals.contains(&Refusal::JobUsesIt), "{:?}", listed.refusals);
    assert!(matches!(world.around.host.claim(card), Err(HostError::Busy(_))));
    house.replug().await;
    let listed = house.card().await;
    assert_eq!(listed.refusals, []);
    drop(world.around.host.claim(card).unwrap());
}

#[actix_web::test]
async fn another_card_than_the_confirmed_one_is_not_touched() {
    let world = World::new();
    let house = world.open().await;
    let request = house.request().await;
    // Of the same make and size, with other bytes on it.
    let other = world.path("other.img");
    fs::write(&other, vec![7; 64 << 20]).unwrap();
    world.around.host.pull(&world.around.card);
    world.around.host.plug(&world.around.card, Some(other.clone()));
    house.disk(&world.around.card, |listed| listed.disk.plug > 1).await;
    assert_eq!(house.refused(request.clone()).await, StartError::Changed);
    // Its bytes confirmed, but as it was plugged in before.
    let now = house.request().await;
    assert_eq!(house.refused(CardRequest { plug: request.plug, ..now.clone() }).await, StartError::Changed);
    assert!(fs::read(&other).unwrap().iter().all(|byte| *byte == 7));
    let gone = CardRequest { disk: sd_swap::domain::disk::DiskId("sdz".into()), ..now };
    assert_eq!(house.refused(gone).await, StartError::NoDisk);
}

#[actix_web::test]
async fn a_card_changed_behind_the_back_of_the_list_is_seen_on_the_descriptor() {
    let world = World::new();
    let (house, gate) = world.open_gated(|act, n| *act == Act::Fingerprint && n == 0).await;
    let id = house.start().await;
    gate.reached().await;
    let mut bytes = world.first_bytes();
    bytes[77] = 1;
    use std::os::unix::fs::FileExt;
    fs::OpenOptions::new().write(true).open(world.path("card.img")).unwrap().write_all_at(&bytes, 0).unwrap();
    gate.open();
    let view = house.until(id, |view| view.state.is_over()).await;
    assert_eq!((view.state, &view.problem), (JobState::Failed, &Some(Problem::DiskChanged)), "{view:#?}");
    assert!(view.is_untouched());
    assert_eq!(world.first_bytes(), bytes);
}

#[actix_web::test]
async fn twins_are_refused_until_one_is_plugged_in_anew() {
    let world = World::new();
    let host = &world.around.host;
    fs::File::create(world.path("twin.img")).unwrap().set_len(64 << 20).unwrap();
    let twin = host.add(
        "sdc",
        ScratchSpec {
            vendor: "SanDisk".into(),
            model: "Ultra".into(),
            bus_path: "usb2/2-2/2-2:1.0".into(),
            ..ScratchSpec::new(world.path("twin.img"))
        },
    );
    let house = world.open().await;
    let request = house.request().await;
    let want = StartError::Refused { disk: vec![Refusal::Twin], problems: Vec::new() };
    assert_eq!(house.refused(request).await, want);
    host.pull(&twin);
    host.plug(&twin, None);
    house.disk(&twin, |listed| listed.refusals.is_empty()).await;
}

#[actix_web::test]
async fn every_reason_is_told_at_once() {
    let world = World::new();
    let house = world.open().await;
    let request = house.request().await;
    world.around.host.set_read_only(&world.around.card, true);
    house.disk(&world.around.card, |listed| listed.disk.read_only).await;
    world.around.supervisor.configure(|config| (config.state, config.internet) = ("startup".into(), false));
    let backup = BackupChoice::Existing { slug: "0badcafe".parse().unwrap(), have_key: false };
    let StartError::Refused { disk, problems } = house.refused(CardRequest { backup, ..request }).await else {
        panic!("it was not refused");
    };
    assert!(disk.contains(&Refusal::WriteProtected), "{disk:?}");
    let codes: Vec<_> = problems.iter().map(Problem::code).collect();
    assert_eq!(codes, ["still_starting", "no_internet", "backup_unusable"]);
}

#[actix_web::test]
async fn while_another_backup_runs_there_is_no_start() {
    let world = World::new();
    let house = world.open().await;
    let request = house.request().await;
    world.around.supervisor.configure(|config| config.state = "freeze".into());
    let want = StartError::Refused { disk: Vec::new(), problems: vec![Problem::BackupRunning] };
    assert_eq!(house.refused(request).await, want);
}

#[actix_web::test]
async fn no_name_of_others_reaches_debugfs() {
    let world = World::new();
    let host = Watched::new(&world.around.host, |_, _| ());
    let house = world.open_with(Plan { host: Arc::new(host.clone()), ..world.around.plan() }).await;
    let view = house.done(house.request().await).await;
    let calls = host.calls();
    let edits = calls.iter().filter(|call| call.tool == "debugfs");
    let slug = view.made.backup.as_ref().unwrap().as_str();
    let commands = edits.flat_map(|call| call.commands.clone()).collect::<Vec<_>>().join("\n");
    assert!(commands.contains(slug) && !commands.contains("/dev/shm") && !commands.contains("sd-swap"), "{commands}");
}

#[actix_web::test]
async fn a_counterfeit_card_is_found_out_before_the_image_is_on_it() {
    let world = World::new();
    let host = Watched::wrapping(&world.around.host, 32 << 20);
    let house = world.open_with(Plan { host: Arc::new(host), ..world.around.plan() }).await;
    let id = house.start().await;
    let view = house.ended(id).await;
    assert_eq!(view.problem.as_ref().map(Problem::code), Some("card_counterfeit"), "{view:#?}");
    assert!(view.stage(Stage::Write).is_some_and(|write| write.amount.done == 0), "{view:#?}");
}
