//! The kept image: no second request, and a card without the internet.

use sd_swap::demo::releases::Fault;
use sd_swap::domain::job::{BackupChoice, CardNow, CardRequest, JobState, JobView};
use sd_swap::domain::problem::Problem;
use sd_swap::domain::stage::Stage;
use sd_swap::jobs::StartError;

use crate::house::*;

#[actix_web::test]
async fn a_kept_image_serves_the_second_card_without_a_request() {
    let world = World::new();
    let house = world.open().await;
    let first = house.done(house.request().await).await;
    assert!(!world.around.releases.requests().is_empty());
    world.around.releases.forget_requests();
    house.replug().await;
    let second = house.done(house.request().await).await;
    assert_eq!(world.around.releases.requests(), []);
    assert_eq!(second.made.image_digest, first.made.image_digest);
    assert_ne!(second.made.backup, first.made.backup);
    assert_eq!(house.jobs.all().iter().map(|job| job.id).collect::<Vec<_>>(), [second.id, first.id]);
    // Nor without the internet.
    world.around.supervisor.configure(|config| config.internet = false);
    house.replug().await;
    let third = house.done(house.request().await).await;
    assert!(third.warnings.iter().any(|warning| warning.code == "no_internet"), "{third:#?}");
    assert_eq!(world.around.releases.requests(), []);
}

#[actix_web::test]
async fn without_internet_and_without_a_kept_image_there_is_no_start() {
    let world = World::new();
    world.around.supervisor.configure(|config| config.internet = false);
    let house = world.open().await;
    let want = StartError::Refused { disk: Vec::new(), problems: vec![Problem::NoInternet] };
    assert_eq!(house.refused(house.request().await).await, want);
    assert_eq!(world.around.releases.requests(), []);
}

#[actix_web::test]
async fn a_kept_image_that_was_damaged_meanwhile_is_found_out() {
    let world = World::new();
    let house = world.open().await;
    house.done(house.request().await).await;
    let kept = std::fs::read_dir(world.path("data/images")).unwrap().map(|entry| entry.unwrap().path());
    let image = kept.into_iter().find(|path| path.to_string_lossy().ends_with(".xz")).expect("an image is kept");
    let mut bytes = std::fs::read(&image).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&image, bytes).unwrap();
    house.replug().await;
    let id = house.start().await;
    let view = house.until(id, |view| view.state.is_over()).await;
    assert_eq!(view.problem, Some(Problem::DownloadDamaged), "{view:#?}");
    assert!(view.is_untouched(), "{view:#?}");
    // It was thrown away: the next job fetches it anew.
    house.assert_usable().await;
}

fn moved(view: &JobView, stage: Stage) -> u64 {
    view.stage(stage).map_or(0, |view| view.amount.done)
}

/// Packed bytes after which the first of the image are on the card.
const SOME: u64 = 250_000;

#[actix_web::test]
async fn the_card_is_written_while_its_image_is_downloaded() {
    let world = World::new();
    world.around.releases.set_fault(Fault::Slow { per_second: 100_000 });
    let house = world.open().await;
    let id = house.start().await;
    let both = |view: &JobView| runs(view, Stage::Download) && moved(view, Stage::Write) > 0;
    let view = house.until(id, both).await;
    assert_eq!(view.card_now, CardNow::Blank);
    world.around.releases.clear_faults();
    let view = house.until(id, |view| view.state.is_over()).await;
    assert_eq!(view.state, JobState::Done, "{view:#?}");
    assert!(view.made.image_as_published);
    world.assert_card(&view);
}

#[actix_web::test]
async fn a_download_that_breaks_off_goes_on_and_so_does_the_card() {
    // With and without a way to ask for the rest only.
    for more in [None, Some(Fault::NoValidators)] {
        let world = World::new();
        let drop = Fault::DropAfter { bytes: SOME, times: 1 };
        world.around.releases.set_faults([Some(drop), more].into_iter().flatten().collect());
        let house = world.open().await;
        let view = house.done(house.request().await).await;
        world.assert_card(&view);
        assert!(moved(&view, Stage::Download) > SOME);
    }
}

#[actix_web::test]
async fn a_download_that_fails_in_the_middle_leaves_the_card_blank_and_is_what_failed() {
    let world = World::new();
    let drops = [(SOME, 1), (0, 99)].map(|(bytes, times)| Fault::DropAfter { bytes, times });
    world.around.releases.set_faults(drops.into());
    let house = world.open().await;
    let id = house.start().await;
    let view = house.until(id, |view| view.state.is_over()).await;
    assert!(matches!(view.problem, Some(Problem::DownloadStopped { .. })), "{view:#?}");
    assert_eq!(view.last_stage(), Some(Stage::Download));
    world.assert_card(&view);
    // What came is not fetched again.
    world.around.releases.clear_faults();
    world.around.releases.forget_requests();
    house.assert_usable().await;
    let asked = world.around.releases.requests().into_iter().filter_map(|asked| asked.range);
    assert!(asked.into_iter().any(|range| range == format!("bytes={SOME}-")));
}

#[actix_web::test]
async fn what_is_not_what_was_published_never_becomes_a_card() {
    // The digest of another image; the same where the image can only be used once it is whole.
    for (faults, now) in [
        (vec![Fault::WrongDigest, Fault::Slow { per_second: 100_000 }], CardNow::Blank),
        (vec![Fault::WrongDigest, Fault::IgnoreRange], CardNow::Untouched),
        (vec![Fault::WrongDigest, Fault::OtherRange { times: 1 }], CardNow::Untouched),
    ] {
        let world = World::new();
        world.around.releases.set_faults(faults.clone());
        let house = world.open().await;
        let id = house.start().await;
        if now == CardNow::Blank {
            house.until(id, |view| moved(view, Stage::Write) > 0).await;
        }
        let view = house.until(id, |view| view.state.is_over()).await;
        assert_eq!((&view.problem, view.card_now), (&Some(Problem::DownloadDamaged), now), "{faults:?}: {view:#?}");
        assert_eq!(view.last_stage(), Some(Stage::Download));
        assert_eq!(std::fs::read_dir(world.path("data/images")).unwrap().count(), 0, "{faults:?}");
        world.around.releases.clear_faults();
        house.assert_usable().await;
    }
}

#[actix_web::test]
async fn an_image_that_is_damaged_on_its_way_is_the_downloads_fault() {
    let world = World::new();
    // The middle of the file is another one than its end says.
    let mut other = std::fs::read(world.path("image.img.xz")).unwrap();
    let middle = other.len() / 2;
    other[middle] ^= 1;
    let change = Fault::ChangeAfter { bytes: SOME, to: other };
    world.around.releases.set_faults(vec![change, Fault::Slow { per_second: 100_000 }]);
    let house = world.open().await;
    let id = house.start().await;
    house.until(id, |view| moved(view, Stage::Write) > 0).await;
    world.around.releases.clear_faults();
    let view = house.until(id, |view| view.state.is_over()).await;
    assert_eq!(view.problem, Some(Problem::DownloadDamaged), "{view:#?}");
    assert_eq!((view.card_now, view.last_stage()), (CardNow::Blank, Some(Stage::Download)));
    world.assert_card(&view);
    assert_eq!(std::fs::read_dir(world.path("data/images")).unwrap().count(), 0);
}

#[actix_web::test]
async fn what_was_downloaded_for_a_card_that_is_pulled_meanwhile_is_kept() {
    let world = World::new();
    world.around.releases.set_fault(Fault::Slow { per_second: 100_000 });
    let house = world.open().await;
    let card = house.card().await.disk.id;
    let id = house.start().await;
    house.until(id, |view| runs(view, Stage::Download) && moved(view, Stage::Write) > 0).await;
    world.around.host.pull(&card);
    let view = house.until(id, |view| view.state.is_over()).await;
    assert_eq!(view.problem, Some(Problem::CardPulled { stage: Stage::Write }), "{view:#?}");
    assert_eq!(view.last_stage(), Some(Stage::Write));
    let names: Vec<_> = std::fs::read_dir(world.path("data/images")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!names.is_empty(), "what was downloaded so far");
}

#[actix_web::test]
async fn a_card_is_not_touched_before_its_backup_is_known_to_restore() {
    let world = World::new();
    let house = world.open().await;
    let first = house.done(house.request().await).await;
    let slug = first.made.backup.clone().expect("a backup");
    // It is listed, and what is handed out is cut.
    let tar = world.around.supervisor.backup_dir().join(slug.file_name());
    let length = std::fs::metadata(&tar).unwrap().len();
    std::fs::File::options().write(true).open(&tar).unwrap().set_len(length / 2).unwrap();
    house.replug().await;
    // So that the image has to be downloaded again, and could go onto the card at once.
    house.jobs.remove_kept_image().await.unwrap();
    let request =
        CardRequest { backup: BackupChoice::Existing { slug, have_key: false }, once: None, ..house.request().await };
    let id = house.jobs.start(request).await.unwrap();
    let view = house.until(id, |view| view.state.is_over()).await;
    assert!(matches!(view.problem, Some(Problem::BackupUnusable { .. })), "{view:#?}");
    assert!(view.is_untouched(), "{view:#?}");
}
