//! The recipe: from "this disk, this backup, this image" to a finished card, one stage a line.

use std::future::{Future, ready};
use std::path::PathBuf;

use tokio::sync::oneshot;

use crate::disk::inject::BackupFile;
use crate::disk::{self, Card, CardError, Claimed, Finished, Grown, Written};
use crate::domain::backup::CheckedBackup;
use crate::domain::carry::{Luggage, SettingsFile};
use crate::domain::image::Digest;
use crate::domain::job::Warning;
use crate::domain::job::{BackupChoice, CardNow, CardRequest};
use crate::domain::problem::Problem;
use crate::domain::size::{Bytes, MIB};
use crate::domain::stage::Stage;
use crate::image::file::ImageFile;
use crate::image::stream::ImageStream;
use crate::supervisor;
use crate::texts::Phrase;

use super::claim::claim;
use super::get_backup::get_backup;
use super::get_image::{ImagePlan, get_image};
use super::image_source::{Origin, Source};
use super::run::{Ended, Run};
use super::thread::on_thread;
use super::trouble::{self, Trouble};
use super::world::World;

/// An image that lies on this machine, whole and known by its digest.
#[derive(Debug, Clone)]
pub struct LocalImage {
    pub file: ImageFile,
    pub digest: Digest,
    /// The digest is the one that the release names.
    pub as_published: bool,
}

/// A backup that lies on this machine, read to its end.
#[derive(Debug, Clone)]
pub struct LocalBackup {
    pub path: PathBuf,
    pub checked: CheckedBackup,
}

/// Makes a card. What comes back still holds the claim: the host must not scan the card until it is pulled (WR-10).
pub async fn make_card(
    run: &Run,
    world: &World,
    request: &CardRequest,
    plan: ImagePlan,
    luggage: Luggage,
) -> Result<Card<Finished>, Ended> {
    let card = run.stage(Stage::Preflight, async |work| claim(world, request, work).await).await?;
    // On the heap, as below: one inside the other they are too large for a thread's stack.
    let backup = Box::pin(backup_stage(run, world, request));
    let (backup, card) = if request.backup == BackupChoice::New {
        // Side by side: the Supervisor packs while we fetch and write.
        beside(run, backup, Box::pin(fill(run, world, request, card, &plan, ready(true)))).await?
    } else {
        // A backup that exists is known to restore before the card is touched (BK-7).
        let (tell, told) = oneshot::channel();
        let backup = async {
            let backup = backup.await?;
            // Nobody waits for it where the other chain has failed.
            let _ = tell.send(());
            Ok(backup)
        };
        beside(run, backup, Box::pin(fill(run, world, request, card, &plan, async { told.await.is_ok() }))).await?
    };
    let card = run.stage(Stage::Inject, async |work| inject(card, backup, luggage.files(), work).await).await?;
    note_carried(run, &luggage);
    commit(run, card).await
}

/// By names only: a log is shown to others.
fn note_carried(run: &Run, luggage: &Luggage) {
    if !luggage.is_empty() {
        let carried = luggage.carried();
        run.log(&format!("carried over: {carried}"));
        run.made(|made| made.carried = Some(carried));
    }
}

/// Writes an image as it is and reads it back: the recipe of `flash`.
pub async fn flash(
    run: &Run,
    world: &World,
    request: &CardRequest,
    plan: ImagePlan,
    verify: bool,
) -> Result<Card<Finished>, Ended> {
    let card = run.stage(Stage::Preflight, async |work| claim(world, request, work).await).await?;
    let content = if verify { Content::Anything } else { Content::Unread };
    let (card, image) = bring(run, world, request, card, &plan, content, ready(true)).await?;
    let card = match verify {
        true => run.stage(Stage::Verify, async |work| verify_card(card, image, work).await).await?,
        false => {
            run.skip(Stage::Verify, Phrase::of("note-left-out"));
            run.warn(Warning::new("not_verified", &[]));
            card.trusted()
        }
    };
    commit(run, card.as_it_is()).await
}

/// Both, side by side. If one fails the other is stopped and waited for: no worker outlives its job.
async fn beside<A, B>(
    run: &Run,
    one: impl Future<Output = Result<A, Ended>>,
    other: impl Future<Output = Result<B, Ended>>,
) -> Result<(A, B), Ended> {
    let halt = |failed: bool| {
        if failed {
            run.stop_flag().set();
        }
    };
    let one = async { one.await.inspect_err(|_| halt(true)) };
    let other = async { other.await.inspect_err(|_| halt(true)) };
    match futures_util::future::join(one, other).await {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(Ended::Failed), _) | (_, Err(Ended::Failed)) => Err(Ended::Failed),
        _ => Err(Ended::Stopped),
    }
}

/// `early` gets the image before it is here, if it can be used so.
async fn get_image_stage(
    run: &Run,
    world: &World,
    plan: &ImagePlan,
    early: oneshot::Sender<ImageStream>,
) -> Result<LocalImage, Ended> {
    let image = run.stage(Stage::Download, async |work| get_image(run, world, plan, &work, early).await).await?;
    run.expect(|expected| expected.image = image.file.size.0);
    run.made(|made| {
        made.image_digest = Some(image.digest);
        made.image_as_published = image.as_published;
        made.image_file_bytes = Some(image.file.file_size);
        made.image_bytes = Some(image.file.size);
        made.image_name = image.file.path.file_name().map(|name| name.to_string_lossy().into_owned());
    });
    Ok(image)
}

async fn backup_stage(run: &Run, world: &World, request: &CardRequest) -> Result<Option<LocalBackup>, Ended> {
    if request.backup == BackupChoice::None {
        run.skip(Stage::Backup, Phrase::of("note-no-backup"));
        return Ok(None);
    }
    let backup = run.stage(Stage::Backup, async |work| get_backup(run, world, &request.backup, &work).await).await?;
    run.expect(|expected| expected.backup = backup.checked.size.0);
    if matches!(request.backup, BackupChoice::File(_)) {
        // Of all others admission or the Supervisor has said it.
        supervisor::warnings(&backup.checked.facts, &[]).iter().for_each(|warning| run.warn(warning.clone()));
    }
    run.made(|made| {
        made.backup = Some(backup.checked.facts.slug.clone());
        made.backup_name = Some(backup.checked.facts.name.clone()).filter(|name| !name.trim().is_empty());
        made.backup_digest = Some(backup.checked.digest);
        made.backup_bytes = Some(backup.checked.size);
        made.backup_date = Some(backup.checked.facts.date.clone()).filter(|date| !date.is_empty());
        made.backup_core = backup.checked.facts.homeassistant.clone();
        made.backup_protected = backup.checked.facts.protected;
        made.backup_parts = Some(backup.checked.facts.parts());
    });
    Ok(Some(backup))
}

/// Download, write, verify, grow: what happens while the backup is made. The card is not touched before `may_begin` says
/// so.
async fn fill(
    run: &Run,
    world: &World,
    request: &CardRequest,
    card: Card<Claimed>,
    plan: &ImagePlan,
    may_begin: impl Future<Output = bool>,
) -> Result<Card<Grown>, Ended> {
    let (card, image) = bring(run, world, request, card, plan, Content::HomeAssistant, may_begin).await?;
    let card = run.stage(Stage::Verify, async |work| verify_card(card, image, work).await).await?;
    let rewritten = card.rewritten().to_vec();
    if !rewritten.is_empty() {
        let places: Vec<String> = rewritten.iter().map(|block| Bytes(block * MIB).to_string()).collect();
        let values = [("count", &*places.len().to_string()), ("places", &*places.join(", "))];
        run.warn(Warning::new("blocks_rewritten", &values));
        run.made(|made| made.rewritten_blocks = rewritten);
    }
    run.stage(Stage::Grow, async |work| {
        on_thread("grow", move || card.grow(&work).map_err(|failed| trouble::card(Stage::Grow, failed))).await?
    })
    .await
}

/// Download and write: side by side where the image can be used before it is whole.
async fn bring(
    run: &Run,
    world: &World,
    request: &CardRequest,
    card: Card<Claimed>,
    plan: &ImagePlan,
    content: Content,
    may_begin: impl Future<Output = bool>,
) -> Result<(Card<Written>, LocalImage), Ended> {
    let (tell, told) = oneshot::channel::<ImageStream>();
    let early = async {
        let stream = told.await.ok();
        if !may_begin.await {
            return Err(Ended::Stopped);
        }
        let Some(stream) = stream else { return Ok(Early::Waiting(card)) };
        run.expect(|expected| expected.image = stream.size().0);
        let digest = stream.digest();
        write(run, request, card, Origin::Stream(stream), digest, content).await.map(Early::Written)
    };
    let download = Box::pin(get_image_stage(run, world, plan, tell));
    let (image, card) = beside(run, download, Box::pin(early)).await?;
    let card = match card {
        Early::Written(card) => card,
        Early::Waiting(card) => {
            write(run, request, card, Origin::File(image.file.clone()), image.digest, content).await?
        }
    };
    Ok((card, image))
}

/// A card once its image is here.
enum Early {
    Written(Card<Written>),
    Waiting(Card<Claimed>),
}

/// What an image has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    HomeAssistant,
    Anything,
    /// Anything, and it will not be read back.
    Unread,
}

async fn write(
    run: &Run,
    request: &CardRequest,
    card: Card<Claimed>,
    image: Origin,
    digest: Digest,
    content: Content,
) -> Result<Card<Written>, Ended> {
    let seen = request.seen.clone();
    run.stage(Stage::Write, async |work| {
        let origin = image.clone();
        let compared = on_thread("compare", move || match content {
            Content::HomeAssistant => {
                let card = card.still(&seen).map_err(|failed| trouble::card(Stage::Write, failed))?;
                card.refuse_foreign(&Source::new(origin.clone())).map_err(|failed| blame(&origin, failed))
            }
            Content::Anything | Content::Unread => {
                card.still(&seen).map_err(|failed| trouble::card(Stage::Write, failed))
            }
        });
        let card = compared.await??;
        // From here on a crash may find it blank: the ledger says so before it is.
        run.card_is(CardNow::Blank);
        let written = on_thread("write", move || {
            let source = Source::new(image.clone());
            let written = match content {
                Content::Unread => card.write_whole(&source, &work),
                Content::HomeAssistant | Content::Anything => card.write(&source, &work),
            };
            let card = written.map_err(|failed| blame(&image, failed))?;
            match source.was(digest) {
                true => Ok(card),
                false => Err(changed(card)),
            }
        });
        written.await?
    })
    .await
}

/// What is wrong with an image that is still being downloaded is judged once it is known whether that is the one that was
/// published. If it is not, the download says so, and the write only stopped.
fn blame(image: &Origin, failed: disk::Failed) -> Trouble {
    let of_image = matches!(failed.error, CardError::Image(_) | CardError::Table(_) | CardError::Data(_));
    let is_published = !of_image || image.is_whole();
    let trouble = trouble::card(Stage::Write, failed);
    Trouble { problem: trouble.problem.filter(|_| is_published), ..trouble }
}

/// The image is not the one that was verified: what was written of it does not stay.
fn changed(card: Card<Written>) -> Trouble {
    let error = CardError::Image(std::io::Error::other("it changed while it was used"));
    Trouble { problem: Some(Problem::DownloadDamaged), ..trouble::card(Stage::Write, card.abandon(error)) }
}

async fn verify_card(
    card: Card<Written>,
    image: LocalImage,
    work: disk::Work,
) -> Result<Card<disk::Verified>, Trouble> {
    let verified = on_thread("verify", move || card.verify(&Source::new(Origin::File(image.file)), &work)).await?;
    verified.map_err(|failed| trouble::card(Stage::Verify, failed))
}

async fn inject(
    card: Card<Grown>,
    backup: Option<LocalBackup>,
    settings: Vec<SettingsFile>,
    work: disk::Work,
) -> Result<Card<disk::Loaded>, Trouble> {
    let backup = backup.map(|backup| BackupFile {
        path: backup.path,
        slug: backup.checked.facts.slug,
        size: backup.checked.size,
        digest: backup.checked.digest,
    });
    let loaded = on_thread("inject", move || card.load(backup.as_ref(), &settings, &work)).await?;
    loaded.map_err(|failed| trouble::card(Stage::Inject, failed))
}

async fn commit(run: &Run, card: Card<disk::Loaded>) -> Result<Card<Finished>, Ended> {
    run.stage(Stage::Commit, async |_| {
        // One sector decides; whoever finds us dead here has to look at the card.
        run.card_is(CardNow::Unknown);
        let finished = on_thread("commit", move || card.commit()).await?;
        finished.map_err(|failed| trouble::card(Stage::Commit, failed))
    })
    .await
}
