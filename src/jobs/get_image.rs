//! The stage *download*: from a plan to an image file on this machine whose digest is known.

use std::path::PathBuf;

use tokio::sync::oneshot;

use crate::disk::Work;
use crate::image::ImageError;
use crate::image::cache::{self, Kept};
use crate::image::fetch::{Source, fetch};
use crate::image::file::ImageFile;
use crate::image::growing::Growing;
use crate::image::stream::ImageStream;

use super::make_card::LocalImage;
use super::run::Run;
use super::thread::on_thread;
use super::trouble::Trouble;
use super::world::World;
use crate::domain::stage::Stage;
use crate::texts::Phrase;

/// What admission found to be the way to the image.
#[derive(Debug, Clone)]
pub enum ImagePlan {
    /// Verified earlier; hashed again now (IM-4).
    Kept(Kept),
    Download(Source),
    /// A file of the command line; its hash goes into the certificate.
    File(PathBuf),
}

impl ImagePlan {
    /// It can be used while it is downloaded, as far as is known before.
    pub fn streams(&self) -> bool {
        matches!(self, ImagePlan::Download(source) if source.size.is_some() && source.digest.is_some())
    }
}

/// `early` gets an image that can be used while it is downloaded; of any other it is dropped at once.
pub async fn get_image(
    run: &Run,
    world: &World,
    plan: &ImagePlan,
    work: &Work,
    early: oneshot::Sender<ImageStream>,
) -> Result<LocalImage, Trouble> {
    let early = Some(early).filter(|_| matches!(plan, ImagePlan::Download(_)));
    match plan {
        ImagePlan::Kept(kept) => {
            run.note(Stage::Download, Phrase::of("note-image-kept"));
            let (cache, kept, again) = (world.cache.clone(), kept.clone(), work.clone());
            let confirmed =
                on_thread("confirm", move || cache.confirm(&kept, &again.meter, &again.stop).map(|()| kept));
            let kept = confirmed.await?.map_err(image_trouble)?;
            inspect(kept.path, Some(&kept.about), work).await
        }
        ImagePlan::Download(source) => {
            let dir = world.cache.dir().to_path_buf();
            on_thread("open-cache", move || cache::Cache::open(dir)).await?.map_err(image_trouble)?;
            let kept = download(world, source, work, early).await.map_err(image_trouble)?;
            inspect(kept.path, Some(&kept.about), work).await
        }
        ImagePlan::File(path) => inspect(path.clone(), None, work).await,
    }
}

async fn download(
    world: &World,
    source: &Source,
    work: &Work,
    early: Option<oneshot::Sender<ImageStream>>,
) -> Result<Kept, ImageError> {
    let (client, pace, growing) = (&world.client, &world.pace, Growing::default());
    let stream = ImageStream::of(client, pace, source, &growing, &work.stop).await;
    if let (Some(stream), Some(early)) = (stream, early) {
        // Nobody waits for it any more where the job has ended beside us.
        let _ = early.send(stream);
    }
    fetch(client, pace, source, &world.cache, (&work.meter, &work.stop), &growing).await
}

/// Reads what the image says of itself; hashes it if nobody did yet.
async fn inspect(path: PathBuf, about: Option<&cache::About>, work: &Work) -> Result<LocalImage, Trouble> {
    let (work, digest) = (work.clone(), about.map(|about| about.digest));
    let as_published = about.is_some_and(|about| about.verified);
    let inspected = on_thread("inspect", move || {
        let file = ImageFile::inspect(&path)?;
        let digest = match digest {
            Some(digest) => digest,
            None => {
                work.meter.set_total(file.file_size.0);
                cache::rehash(&path, &work.meter, &work.stop)?
            }
        };
        Ok(LocalImage { file, digest, as_published })
    });
    inspected.await?.map_err(image_trouble)
}

pub fn image_trouble(error: ImageError) -> Trouble {
    match error.problem() {
        None => Trouble::stopped(),
        Some(problem) => Trouble::new(problem, &error),
    }
}
