//! The stage *download*: from a plan to an image file on this machine whose digest is known.

use std::path::PathBuf;

use crate::disk::Work;
use crate::image::ImageError;
use crate::image::cache::{self, Kept};
use crate::image::fetch::{Source, fetch};
use crate::image::file::ImageFile;

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

pub async fn get_image(run: &Run, world: &World, plan: &ImagePlan, work: &Work) -> Result<LocalImage, Trouble> {
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
            let kept = fetch(&world.client, &world.pace, source, &world.cache, &work.meter, &work.stop).await;
            let kept = kept.map_err(image_trouble)?;
            inspect(kept.path, Some(&kept.about), work).await
        }
        ImagePlan::File(path) => inspect(path.clone(), None, work).await,
    }
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
