//! Stopping in each stage: cancelled, with the right sentence about the card, and the next job runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sd_swap::demo::releases::Fault;
use sd_swap::domain::job::{CardNow, JobState, JobView};
use sd_swap::domain::size::Bytes;
use sd_swap::domain::stage::Stage;
use sd_swap::host::scratch::fault::Op;
use sd_swap::jobs::StopError;

use crate::house::*;
use crate::watched::Act;

const MIB: u64 = 1 << 20;

/// No place of the search for counterfeits, but one of the image.
fn is_image(offset: u64) -> bool {
    offset > MIB && offset < 40 * MIB && offset.is_multiple_of(MIB) && !(offset / MIB).is_power_of_two()
}

async fn stopped_at(now: CardNow, at: impl Fn(&Act, usize) -> bool + Send + Sync + 'static) {
    let world = World::new();
    let (house, gate) = world.open_gated(at).await;
    let id = house.start().await;
    gate.reached().await;
    assert_eq!(house.jobs.stop(id).await, Ok(()));
    house.until(id, |view| view.state == JobState::Stopping).await;
    // A second click changes nothing.
    assert_eq!(house.jobs.stop(id).await, Ok(()));
    gate.open();
    let view = house.ended(id).await;
    assert_eq!((view.state, view.card_now, &view.problem), (JobState::Cancelled, now, &None), "{view:#?}");
    assert_eq!(house.jobs.stop(id).await, Err(StopError::Over));
    house.assert_usable().await;
}

#[actix_web::test]
async fn in_preflight() {
    stopped_at(CardNow::Untouched, |act, n| *act == Act::Claim && n == 0).await;
}

#[actix_web::test]
async fn in_write() {
    stopped_at(CardNow::Blank, |act, _| matches!(act, Act::Write(at) if is_image(*at))).await;
    assert_eq!(CardNow::Blank.sentence(), "The card is empty now and can be used again.");
}

#[actix_web::test]
async fn in_verify_and_grow() {
    stopped_at(CardNow::Blank, |act, n| *act == Act::ShutOut && n == 0).await;
    stopped_at(CardNow::Blank, |act, n| *act == Act::Tool("e2fsck") && n == 0).await;
    stopped_at(CardNow::Blank, |act, _| *act == Act::Tool("resize2fs")).await;
}

#[actix_web::test]
async fn in_inject() {
    stopped_at(CardNow::Blank, |act, _| *act == Act::Tool("debugfs")).await;
}

/// The write that is under way is the last one of the backup.
#[actix_web::test]
async fn while_the_backup_is_written() {
    let world = World::with(|spec| spec.backup_size = Bytes(12_000_000));
    let writes = Arc::new(AtomicUsize::new(usize::MAX));
    let counted = writes.clone();
    let at = move |act: &Act, n: usize| match act {
        // Tools are shut out the fourth time before it begins.
        Act::ShutOut if n == 3 => {
            counted.store(0, Ordering::SeqCst);
            false
        }
        Act::Write(offset) if *offset > MIB && counted.load(Ordering::SeqCst) < usize::MAX / 2 => {
            counted.fetch_add(1, Ordering::SeqCst) == 2
        }
        _ => false,
    };
    let (house, gate) = world.open_gated(at).await;
    let id = house.start().await;
    gate.reached().await;
    let view = house.until(id, |view| view.stage(Stage::Inject).is_some_and(|inject| inject.amount.done > 0)).await;
    // What is shown is what the card has.
    assert!(view.stage(Stage::Inject).is_some_and(|inject| inject.amount.done <= 2 * MIB), "{view:#?}");
    assert_eq!(house.jobs.stop(id).await, Ok(()));
    house.until(id, |view| view.state == JobState::Stopping).await;
    gate.open();
    let view = house.ended(id).await;
    assert_eq!((view.state, view.card_now), (JobState::Cancelled, CardNow::Blank), "{view:#?}");
    let amount = view.stage(Stage::Inject).unwrap().amount;
    assert!(amount.done <= 3 * MIB && amount.total > Some(10_000_000), "{amount:?}");
    // Blanking writes the first and the last MiB.
    let log = world.around.host.faults(&world.around.card).log();
    let begun = log.iter().rposition(|op| matches!(op, Op::Tool(_))).unwrap();
    let middle = MIB..(64 << 20) - MIB;
    let of_backup = log[begun..].iter().filter(|op| matches!(op, Op::Write { offset, .. } if middle.contains(offset)));
    assert_eq!(of_backup.count(), 3);
    house.assert_usable().await;
}

#[actix_web::test]
async fn in_download() {
    let world = World::new();
    // Without parts it cannot be used before it is whole.
    world.around.releases.set_faults(vec![Fault::Slow { per_second: 20_000 }, Fault::IgnoreRange]);
    let house = world.open().await;
    let id = house.start().await;
    let view = house.until(id, |view| runs(view, Stage::Download) && view.stages[2].amount.done > 0).await;
    assert!(view.is_untouched());
    assert_eq!(house.jobs.stop(id).await, Ok(()));
    let view = house.ended(id).await;
    assert_eq!((view.state, view.card_now), (JobState::Cancelled, CardNow::Untouched), "{view:#?}");
    house.assert_usable().await;
}

#[actix_web::test]
async fn in_download_while_the_card_is_written() {
    let world = World::new();
    world.around.releases.set_fault(Fault::Slow { per_second: 50_000 });
    let house = world.open().await;
    let id = house.start().await;
    let both = |view: &JobView| runs(view, Stage::Download) && view.stages[3].amount.done > 0;
    house.until(id, both).await;
    assert_eq!(house.jobs.stop(id).await, Ok(()));
    let view = house.ended(id).await;
    assert_eq!((view.state, view.card_now), (JobState::Cancelled, CardNow::Blank), "{view:#?}");
    house.assert_usable().await;
}

#[actix_web::test]
async fn while_the_backup_alone_is_made() {
    let world = World::with(|spec| spec.backup_speed = Some(20_000));
    let house = world.open().await;
    let id = house.start().await;
    let grown = |view: &JobView| {
        view.stage(Stage::Grow).is_some_and(|grow| grow.state == sd_swap::domain::job::StageState::Done)
    };
    let view = house.until(id, grown).await;
    assert!(runs(&view, Stage::Backup), "{view:#?}");
    assert_eq!(house.jobs.stop(id).await, Ok(()));
    let view = house.ended(id).await;
    assert_eq!((view.state, view.card_now), (JobState::Cancelled, CardNow::Blank), "{view:#?}");
    // It cannot be stopped: it is told where it will be found.
    assert!(view.warnings.iter().any(|warning| warning.code == "backup_continues"), "{view:#?}");
}

#[actix_web::test]
async fn not_in_commit() {
    let world = World::new();
    let (house, gate) = world.open_gated(|act, n| *act == Act::ShutOut && n == 5).await;
    let id = house.start().await;
    gate.reached().await;
    house.until(id, |view| runs(view, Stage::Commit)).await;
    assert_eq!(house.jobs.stop(id).await, Err(StopError::Committing));
    gate.open();
    let view = house.ended(id).await;
    assert_eq!((view.state, view.card_now), (JobState::Done, CardNow::Finished), "{view:#?}");
    assert_eq!(house.jobs.stop(id).await, Err(StopError::Over));
    assert_eq!(house.jobs.stop(sd_swap::domain::job::JobId(77)).await, Err(StopError::NoJob));
}
