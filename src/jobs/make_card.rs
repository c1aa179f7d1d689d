//! The recipe: from "this disk, this backup, this image" to a finished card, one stage a line.

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::disk::inject::BackupFile;
use crate::disk::pieces::one_piece;
use crate::disk::{self, Card, CardError, Claimed, Finished, Grown, ImageBytes, PieceReader, Pieces};
use crate::domain::backup::CheckedBackup;
use crate::domain::carry::{Luggage, SettingsFile};
use crate::domain::image::Digest;
use crate::domain::job::Warning;
use crate::domain::job::{BackupChoice, CardNow, CardRequest};
use crate::domain::problem::Problem;
use crate::domain::size::{Bytes, MIB};
use crate::domain::stage::Stage;
use crate::host::power;
use crate::image::blocks::{BlockReader, Blocks};
use crate::image::file::{ImageFile, Packed};
use crate::supervisor;
use crate::texts::Phrase;

use super::claim::claim;
use super::get_backup::get_backup;
use super::get_image::{ImagePlan, get_image};
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
    let (backup, card) = if request.backup == BackupChoice::New {
        // Side by side: the Supervisor packs while we fetch and write.
        let fill = async { fill(run, request, card, get_image_stage(run, world, &plan).await?).await };
        beside(run, backup_stage(run, world, request), fill).await?
    } else {
        // A backup that exists is known to restore before the card is touched (BK-7).
        let (backup, image) =
            beside(run, backup_stage(run, world, request), get_image_stage(run, world, &plan)).await?;
        (backup, fill(run, request, card, image).await?)
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
    let image = get_image_stage(run, world, &plan).await?;
    let content = if verify { Content::Anything } else { Content::Unread };
    let card = write(run, request, card, &image, content).await?;
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

async fn get_image_stage(run: &Run, world: &World, plan: &ImagePlan) -> Result<LocalImage, Ended> {
    let image = run.stage(Stage::Download, async |work| get_image(run, world, plan, &work).await).await?;
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

/// Write, verify, grow: what happens to the card while the backup is made.
async fn fill(run: &Run, request: &CardRequest, card: Card<Claimed>, image: LocalImage) -> Result<Card<Grown>, Ended> {
    let card = write(run, request, card, &image, Content::HomeAssistant).await?;
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
    image: &LocalImage,
    content: Content,
) -> Result<Card<disk::Written>, Ended> {
    let (image, seen) = (image.clone(), request.seen.clone());
    run.stage(Stage::Write, async |work| {
        let source = Source::new(image.file.clone());
        let compared = on_thread("compare", move || match content {
            Content::HomeAssistant => card.still(&seen)?.refuse_foreign(&source),
            Content::Anything | Content::Unread => card.still(&seen),
        });
        let card = compared.await?.map_err(|failed| trouble::card(Stage::Write, failed))?;
        // From here on a crash may find it blank: the ledger says so before it is.
        run.card_is(CardNow::Blank);
        let written = on_thread("write", move || {
            let source = Source::new(image.file);
            let written = match content {
                Content::Unread => card.write_whole(&source, &work),
                Content::HomeAssistant | Content::Anything => card.write(&source, &work),
            };
            let card = written.map_err(|failed| trouble::card(Stage::Write, failed))?;
            match source.was(image.digest) {
                true => Ok(card),
                false => Err(changed(card)),
            }
        });
        written.await?
    })
    .await
}

/// The image is not the one that was verified: what was written of it does not stay.
fn changed(card: Card<disk::Written>) -> Trouble {
    let error = CardError::Image(std::io::Error::other("it changed while it was used"));
    Trouble { problem: Some(Problem::DownloadDamaged), ..trouble::card(Stage::Write, card.abandon(error)) }
}

async fn verify_card(
    card: Card<disk::Written>,
    image: LocalImage,
    work: disk::Work,
) -> Result<Card<disk::Verified>, Trouble> {
    let verified = on_thread("verify", move || card.verify(&Source::new(image.file), &work)).await?;
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

/// An image file as the disk floor wants it, and what was read of it.
struct Source {
    file: ImageFile,
    seen: Mutex<Option<Packed>>,
}

impl Source {
    fn new(file: ImageFile) -> Source {
        Source { file, seen: Mutex::default() }
    }

    /// Whether what was read to its end just now is the file that was verified before (IM-2).
    fn was(&self, digest: Digest) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.as_ref().and_then(Packed::digest) == Some(digest)
    }

    fn note(&self, packed: Packed) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(packed);
    }
}

impl ImageBytes for Source {
    fn size(&self) -> u64 {
        self.file.size.0
    }

    fn open(&self) -> std::io::Result<Box<dyn std::io::Read + Send>> {
        let (bytes, packed) = self.file.open_watched(None).map_err(std::io::Error::other)?;
        self.note(packed);
        Ok(bytes)
    }

    fn share(&self) -> std::io::Result<Box<dyn Pieces + '_>> {
        // Where nobody says how much memory there is, one stream takes least.
        let memory = power::spare_memory().unwrap_or_default();
        let plan = self.file.block_plan().map(|plan| (plan.workers(power::cores(), memory), plan));
        match plan {
            Some((workers, plan)) if workers > 1 => {
                let (blocks, packed) = self.file.open_blocks(plan).map_err(std::io::Error::other)?;
                self.note(packed);
                Ok(Box::new(Shared { blocks, workers }))
            }
            _ => Ok(one_piece(self.open()?, self.size())),
        }
    }
}

/// An image whose blocks are unpacked side by side.
struct Shared {
    blocks: Blocks,
    workers: usize,
}

impl Pieces for Shared {
    fn workers(&self) -> usize {
        self.workers
    }

    fn longest(&self) -> u64 {
        self.blocks.longest()
    }

    fn reader(&self) -> Box<dyn PieceReader + '_> {
        Box::new(SharedReader(BlockReader::new(&self.blocks)))
    }
}

struct SharedReader<'a>(BlockReader<'a>);

impl std::io::Read for SharedReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl PieceReader for SharedReader<'_> {
    fn next_piece(&mut self) -> std::io::Result<Option<(u64, u64)>> {
        self.0.next_block()
    }
}
