//! The kept image: no second request, and a card without the internet.

use sd_swap::domain::problem::Problem;
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
