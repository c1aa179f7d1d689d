//! What is remembered: a ledger that is damaged, half-written or cannot be written stops no job, and a job that was cut
//! short is known as such.

use std::fs;
use std::time::Duration;

use sd_swap::domain::job::{JobId, JobState, StageState};
use sd_swap::domain::problem::Problem;
use sd_swap::domain::size::Bytes;
use sd_swap::domain::stage::Stage;
use sd_swap::jobs::StartError;

use crate::house::*;
use crate::small::Small;
use crate::watched::Act;

#[actix_web::test]
async fn a_ledger_that_cannot_be_read_is_set_aside_and_told() {
    // More of them, and later forms, in tests/kill/data.rs.
    for damage in [&b"{\"schema\":1,\"next\":3,\"jobs\":[{\"id\":"[..], b"\0\0\0"] {
        let world = World::new();
        fs::write(world.path("data/ledger.json"), damage).unwrap();
        let house = world.open().await;
        assert!(house.warned("ledger_set_aside"));
        assert_eq!(fs::read(world.path("data/ledger.set-aside-1.json")).unwrap(), damage);
        house.done(house.request().await).await;
    }
}

#[actix_web::test]
async fn a_half_written_ledger_is_thrown_away_and_the_old_one_holds() {
    let world = World::new();
    let house = world.open().await;
    let made = house.done(house.request().await).await;
    drop(house);
    fs::write(world.path("data/ledger.json.new"), b"{\"schema\":1,\"ne").unwrap();
    let house = world.open().await;
    assert!(!world.path("data/ledger.json.new").exists() && !house.warned("ledger_set_aside"));
    assert_eq!(*house.jobs.job(made.id).unwrap(), *made);
}

#[actix_web::test]
async fn a_job_that_ran_when_the_program_went_away_is_interrupted() {
    let world = World::new();
    let (house, gate) = world.open_gated(|act, n| *act == Act::ShutOut && n == 0).await;
    let id = house.start().await;
    gate.reached().await;
    house.until(id, |view| runs(view, Stage::Verify)).await;
    let ledger = fs::read(world.path("data/ledger.json")).unwrap();
    gate.open();
    house.ended(id).await;
    drop(house);
    // As the power cut would have left it.
    fs::write(world.path("data/ledger.json"), ledger).unwrap();
    let house = world.open().await;
    let view = house.jobs.job(id).unwrap();
    assert_eq!(view.state, JobState::Interrupted);
    assert!(matches!(view.problem, Some(Problem::Restarted { stage: Some(_) })), "{view:#?}");
    assert!(view.stages.iter().all(|stage| stage.state != StageState::Running), "{view:#?}");
    assert!(house.jobs.current().is_none());
    let next = house.done(house.request().await).await;
    assert_eq!(next.id, JobId(id.0 + 1));
}

#[actix_web::test]
async fn a_full_disk_is_told_and_refuses_a_download_until_there_is_room() {
    let world = World::new();
    let data = world.path("data");
    let Some(_small) = Small::at(&data, "size=64m") else { return };
    // To the last byte.
    let filled = fs::write(data.join("filler"), vec![1; 80 << 20]);
    assert!(filled.is_err());
    let house = world.open().await;
    assert!(house.warned("cannot_save"), "{:?}", house.jobs.system().warnings);
    let error = house.refused(house.request().await).await;
    let StartError::Refused { problems, .. } = error else { panic!("{error:?}") };
    assert!(matches!(problems[..], [Problem::NoRoomForDownload { .. }]), "{problems:?}");
    fs::remove_file(data.join("filler")).unwrap();
    // Once the file system has given the room back.
    let host = world.around.plan().host;
    let is_free = async {
        while host.free_space(&data).unwrap() < Bytes(40_000_000) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within(is_free).await;
    let view = house.done(house.request().await).await;
    assert!(fs::read_to_string(data.join("ledger.json")).unwrap().contains("\"done\""), "{view:#?}");
}

#[actix_web::test]
async fn a_disk_that_becomes_read_only_stops_no_job() {
    let world = World::new();
    let data = world.path("data");
    let Some(small) = Small::at(&data, "size=64m") else { return };
    let (house, gate) = world.open_gated(|act, n| *act == Act::ShutOut && n == 0).await;
    let id = house.start().await;
    gate.reached().await;
    small.remount("ro");
    gate.open();
    let view = house.ended(id).await;
    assert_eq!(view.state, JobState::Done, "{view:#?}");
    assert!(view.warnings.iter().any(|warning| warning.code == "cannot_save"), "{view:#?}");
    drop(house);
    let house = world.open().await;
    assert!(house.warned("cannot_save"), "{:?}", house.jobs.system().warnings);
}
