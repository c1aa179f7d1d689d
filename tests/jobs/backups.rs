//! Backups that fail in every way, and backups that are there already.

use std::fs;
use std::time::Duration;

use sd_swap::demo::supervisor::{BackupFault, Fault};
use sd_swap::domain::job::{BackupChoice, CardNow, CardRequest, JobState};
use sd_swap::domain::problem::Problem;
use sd_swap::jobs::StartError;

use crate::house::*;

#[actix_web::test]
async fn a_backup_that_fails_fails_the_job_and_leaves_the_card_blank() {
    let cases = [
        (BackupFault::CoreRefuses, "backup_failed"),
        (BackupFault::CoreHangs, "backup_failed"),
        (BackupFault::NoSpace, "no_room_for_backup"),
        (BackupFault::NotBegun, "backup_failed"),
        (BackupFault::Killed { down: Duration::from_millis(20) }, "backup_failed"),
        (BackupFault::FileLost, "backup_failed"),
        (BackupFault::NotListed, "backup_failed"),
    ];
    for (fault, code) in cases {
        let world = World::new();
        let house = world.open().await;
        let request = house.request().await;
        world.around.supervisor.set_fault(Fault::Backup(fault.clone()));
        let id = house.jobs.start(request).await.unwrap();
        let view = house.ended(id).await;
        assert_eq!(view.state, JobState::Failed, "{fault:?}: {view:#?}");
        assert_eq!(view.problem.as_ref().map(Problem::code), Some(code), "{fault:?}: {view:#?}");
        // It failed before or while the card was written.
        assert!(matches!(view.card_now, CardNow::Untouched | CardNow::Blank), "{fault:?}: {view:#?}");
        house.assert_usable().await;
    }
}

#[actix_web::test]
async fn a_backup_with_small_losses_goes_onto_the_card_with_a_word() {
    let cases = [
        BackupFault::AppFails("core_mosquitto".into()),
        BackupFault::ImageExportFails("core_mosquitto".into()),
        BackupFault::RestartedAtEnd { down: Duration::from_millis(20) },
    ];
    for fault in cases {
        let world = World::new();
        let house = world.open().await;
        world.around.supervisor.set_fault(Fault::Backup(fault.clone()));
        let view = house.done(house.request().await).await;
        assert!(!view.warnings.is_empty(), "{fault:?}: {view:#?}");
    }
}

fn existing(slug: &str, have_key: bool) -> BackupChoice {
    BackupChoice::Existing { slug: slug.parse().unwrap(), have_key }
}

/// The recorded backups, by their slugs.
const WHOLE: &str = "01bcc3db";
const PROTECTED: &str = "76b48100";
const PARTIAL: &str = "57d45c58";

fn fixture(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/fixtures/backups/{name}.tar", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[actix_web::test]
async fn a_backup_that_is_there_goes_onto_the_card() {
    let world = World::new();
    let tar = fixture("full-unprotected");
    fs::write(world.path(&format!("backup/{WHOLE}.tar")), &tar).unwrap();
    world.around.supervisor.reload();
    let house = world.open().await;
    let request = CardRequest { backup: existing(WHOLE, false), ..house.request().await };
    let view = house.done(request).await;
    assert_eq!(view.made.backup.as_ref().map(|slug| slug.as_str()), Some(WHOLE));
    assert!(world.around.supervisor.requests().iter().all(|request| request.method == "GET"));
}

#[actix_web::test]
async fn a_protected_backup_needs_the_word_that_its_key_is_at_hand() {
    let world = World::new();
    let tar = fixture("full-protected");
    fs::write(world.path(&format!("backup/{PROTECTED}.tar")), &tar).unwrap();
    world.around.supervisor.reload();
    let house = world.open().await;
    let request = house.request().await;
    let error = house.refused(CardRequest { backup: existing(PROTECTED, false), ..request.clone() }).await;
    let StartError::Refused { problems, .. } = error else { panic!("{error:?}") };
    assert!(matches!(&problems[..], [Problem::BackupUnusable { why }] if why.text().contains("key")), "{problems:?}");
    house.done(CardRequest { backup: existing(PROTECTED, true), ..request }).await;
}

#[actix_web::test]
async fn partial_and_vanished_backups_are_refused_before_the_card_is_touched() {
    let world = World::new();
    let partial = fixture("partial-type");
    fs::write(world.path(&format!("backup/{PARTIAL}.tar")), &partial).unwrap();
    fs::write(world.path(&format!("backup/{WHOLE}.tar")), fixture("full-unprotected")).unwrap();
    world.around.supervisor.reload();
    let house = world.open().await;
    let request = house.request().await;
    let error = house.refused(CardRequest { backup: existing(PARTIAL, false), ..request.clone() }).await;
    let StartError::Refused { problems, .. } = error else { panic!("{error:?}") };
    assert!(
        matches!(&problems[..], [Problem::BackupUnusable { why }] if why.text().contains("partial")),
        "{problems:?}"
    );
    // Listed, but its file is gone; then there, but cut off.
    let file = world.path(&format!("backup/{WHOLE}.tar"));
    fs::remove_file(&file).unwrap();
    let whole = fixture("full-unprotected");
    for there in [None, Some(&whole[..whole.len() / 2])] {
        if let Some(bytes) = there {
            fs::write(&file, bytes).unwrap();
        }
        let id = house.jobs.start(CardRequest { backup: existing(WHOLE, false), ..request.clone() }).await.unwrap();
        let view = house.ended(id).await;
        assert_eq!(view.problem.as_ref().map(Problem::code), Some("backup_unusable"), "{view:#?}");
        assert_eq!((view.state, view.card_now), (JobState::Failed, CardNow::Untouched), "{view:#?}");
        house.card().await;
    }
}
