//! The kept image (IM-4, IM-6): the last verified one stays until another is verified or the user removes it.
//!
//! In the directory lie `NAME.img.xz` and its note `NAME.img.xz.json`, and of a download that was interrupted
//! `unfinished-NAME.img.xz` and its note. The note of an image is written before the part gets its final name, so an image
//! without a note is nothing that was ever verified. Files with other names are never touched. Everything here blocks.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::ImageError;
use super::fetch::Source;
use super::part::{FRESH, PART, Part, read_note, remove_file, write_note};
use super::writer::hash_of;
use crate::domain::image::{Board, Digest, OsVersion};
use crate::domain::progress::{Meter, StopFlag};
use crate::domain::size::Bytes;

const IMAGE: &str = ".img.xz";
const NOTE: &str = ".json";

/// A directory for images.
#[derive(Debug, Clone)]
pub struct Cache {
    dir: PathBuf,
}

/// An image in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub path: PathBuf,
    pub about: About,
}

/// What is noted of a kept image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    pub name: String,
    /// `None`: from a URL of the command line.
    pub board: Option<Board>,
    pub version: Option<OsVersion>,
    pub size: Bytes,
    pub digest: Digest,
    /// The digest was compared with one from the release (or from the user), not only taken of what came.
    pub verified: bool,
}

impl Cache {
    /// Makes the directory if need be and clears away what cannot be used any more. Not while a download runs.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Cache, ImageError> {
        let cache = Cache { dir: dir.into() };
        fs::create_dir_all(&cache.dir).map_err(|error| ImageError::storing(&cache.dir, Bytes::ZERO, error))?;
        cache.tidy()?;
        Ok(cache)
    }

    /// One whose directory is made by whoever needs it first: see [`Cache::open`].
    pub fn unopened(dir: impl Into<PathBuf>) -> Cache {
        Cache { dir: dir.into() }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The kept image, the newest if a crash left two. Its bytes are not looked at: see [`Cache::confirm`].
    pub fn kept(&self) -> Option<Kept> {
        self.all().into_iter().next()
    }

    /// A kept image that was verified against its release: needs no request (IM-6).
    pub fn find(&self, board: Board, version: &OsVersion) -> Option<Kept> {
        let fits = |a: &About| a.verified && a.board == Some(board) && a.version.as_ref() == Some(version);
        self.all().into_iter().find(|kept| fits(&kept.about))
    }

    /// Hashes a kept image again (IM-2). One that changed is deleted and is [`ImageError::Damaged`].
    pub fn confirm(&self, kept: &Kept, meter: &Meter, stop: &StopFlag) -> Result<(), ImageError> {
        meter.set_total(kept.about.size.0);
        if rehash(&kept.path, meter, stop)? == kept.about.digest {
            return Ok(());
        }
        self.drop_image(&kept.about.name);
        Err(ImageError::Damaged { name: kept.about.name.clone() })
    }

    /// Removes the kept image and what was downloaded in part. Not while a download runs.
    pub fn remove(&self) -> Result<(), ImageError> {
        let ours: Vec<String> = self.names()?.into_iter().filter(|name| self.is_ours(name)).collect();
        for name in ours {
            self.delete(&name)?;
        }
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), ImageError> {
        let path = self.dir.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(ImageError::storing(&path, Bytes::ZERO, error))
            }
            _ => Ok(()),
        }
    }

    /// An earlier run has left some of it.
    pub fn has_part_of(&self, source: &Source) -> bool {
        Part::of(&self.dir, &source.name).left_over(source).is_some()
    }

    /// What a download of `source` goes into. Other begun downloads give way to it.
    pub(super) fn part_for(&self, source: &Source) -> Result<Part, ImageError> {
        fs::create_dir_all(&self.dir).map_err(|error| ImageError::storing(&self.dir, Bytes::ZERO, error))?;
        let part = Part::of(&self.dir, &source.name);
        for name in self.names()?.into_iter().filter(|name| name.starts_with(PART)) {
            let path = self.dir.join(name);
            if path != part.bytes && path != part.note {
                remove_file(&path);
            }
        }
        Ok(part)
    }

    /// A finished part becomes the kept image, and the others go.
    pub(super) fn admit(&self, source: &Source, part: &Part, digest: Digest) -> Result<Kept, ImageError> {
        let path = self.dir.join(&source.name);
        let failed = |error| ImageError::storing(&path, Bytes::ZERO, error);
        let size = Bytes(fs::metadata(&part.bytes).map_err(failed)?.len());
        let about = About {
            name: source.name.clone(),
            board: source.board,
            version: source.version.clone(),
            size,
            digest,
            verified: source.digest.is_some(),
        };
        // The old image of this name has another digest than its note says from here on: it must be gone first.
        remove_file(&path);
        write_note(&self.note_path(&source.name), &about)?;
        fs::rename(&part.bytes, &path).map_err(failed)?;
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
        part.remove();
        for other in self.all().into_iter().filter(|kept| kept.about.name != about.name) {
            self.drop_image(&other.about.name);
        }
        Ok(Kept { path, about })
    }

    fn drop_image(&self, name: &str) {
        remove_file(&self.dir.join(name));
        remove_file(&self.note_path(name));
    }

    /// Newest first.
    fn all(&self) -> Vec<Kept> {
        let names = self.names().unwrap_or_default();
        let mut found: Vec<(SystemTime, Kept)> = names.iter().filter_map(|name| self.image(name)).collect();
        found.sort_by_key(|(modified, _)| std::cmp::Reverse(*modified));
        found.into_iter().map(|(_, kept)| kept).collect()
    }

    /// The image `name`, if it is as long as its note says.
    fn image(&self, name: &str) -> Option<(SystemTime, Kept)> {
        let about = self.note_of(name)?;
        let path = self.dir.join(name);
        let meta = fs::symlink_metadata(&path).ok().filter(|meta| meta.is_file() && meta.len() == about.size.0)?;
        Some((meta.modified().unwrap_or(SystemTime::UNIX_EPOCH), Kept { path, about }))
    }

    fn note_of(&self, name: &str) -> Option<About> {
        if name.starts_with(PART) {
            return None;
        }
        read_note::<About>(&self.note_path(name)).filter(|about| about.name == name)
    }

    fn note_path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}{NOTE}"))
    }

    fn names(&self) -> Result<Vec<String>, ImageError> {
        let failed = |source| ImageError::Reading { path: self.dir.clone(), source };
        let entries = fs::read_dir(&self.dir).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        Ok(entries.iter().filter_map(|entry| entry.file_name().to_str().map(String::from)).collect())
    }

    /// Half-written images and notes of older runs, notes without image, parts without note, all but the newest image.
    fn tidy(&self) -> Result<(), ImageError> {
        let kept = self.kept().map(|kept| kept.about.name);
        for name in self.names()? {
            if self.is_left_over(&name, kept.as_deref()) {
                log::info!("removing {name}, which an older run left");
                remove_file(&self.dir.join(&name));
            }
        }
        Ok(())
    }

    fn is_left_over(&self, name: &str, kept: Option<&str>) -> bool {
        let exists = |other: &str| self.dir.join(other).exists();
        let image = image_of(name);
        if name.ends_with(FRESH) || !self.is_ours(name) {
            return self.is_ours(name);
        }
        match name.starts_with(PART) {
            true => !(exists(image) && exists(&format!("{image}{NOTE}"))),
            false => kept != Some(image),
        }
    }

    fn is_ours(&self, name: &str) -> bool {
        let image = image_of(name);
        image.starts_with(PART)
            || (image.starts_with("haos_") && image.ends_with(IMAGE))
            || self.note_of(image).is_some()
    }
}

/// The image that a file of the cache belongs to.
fn image_of(name: &str) -> &str {
    let name = name.strip_suffix(FRESH).unwrap_or(name);
    name.strip_suffix(NOTE).unwrap_or(name)
}

impl Kept {
    pub fn name(&self) -> &str {
        &self.about.name
    }
}

/// The digest of a file as it lies there. Blocks; the flag is looked at once a buffer.
pub fn rehash(path: &Path, meter: &Meter, stop: &StopFlag) -> Result<Digest, ImageError> {
    let mut file = File::open(path).map_err(|source| ImageError::Reading { path: path.to_path_buf(), source })?;
    hash_of(&mut file, path, meter, stop).map(|hash| Digest(hash.finalize().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    fn source(name: &str, version: &str, digest: Option<Digest>) -> Source {
        Source {
            url: Url::parse("http://localhost/x").unwrap(),
            name: name.into(),
            board: Some(Board::Green),
            version: version.parse().ok(),
            size: None,
            digest,
        }
    }

    fn digest(bytes: &[u8]) -> Digest {
        Digest(sha2::Sha256::digest(bytes).into())
    }

    fn admit(cache: &Cache, version: &str, bytes: &[u8]) -> Kept {
        let source = source(&format!("haos_green-{version}.img.xz"), version, Some(digest(bytes)));
        let part = cache.part_for(&source).unwrap();
        fs::write(&part.bytes, bytes).unwrap();
        cache.admit(&source, &part, digest(bytes)).unwrap()
    }

    #[test]
    fn the_last_verified_image_is_kept_and_found_without_a_request() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        assert_eq!(cache.kept(), None);
        admit(&cache, "17.1", b"old");
        let new = admit(&cache, "18.2", b"new image");
        assert_eq!(cache.kept(), Some(new.clone()));
        assert_eq!(cache.find(Board::Green, &"18.2".parse().unwrap()), Some(new.clone()));
        assert_eq!(cache.find(Board::Green, &"17.1".parse().unwrap()), None);
        assert_eq!(cache.find(Board::Yellow, &"18.2".parse().unwrap()), None);
        let mut left = cache.names().unwrap();
        left.sort();
        assert_eq!(left, ["haos_green-18.2.img.xz", "haos_green-18.2.img.xz.json"]);
        assert_eq!(Cache::open(dir.path()).unwrap().kept(), Some(new));
        cache.remove().unwrap();
        assert_eq!(cache.names().unwrap(), [""; 0]);
    }

    #[test]
    fn a_kept_image_that_changed_is_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        let kept = admit(&cache, "18.2", b"image");
        let meter = Meter::new();
        cache.confirm(&kept, &meter, &StopFlag::new()).unwrap();
        assert_eq!(meter.amount().percent(), Some(100));
        fs::write(&kept.path, b"imagE").unwrap();
        let again = cache.confirm(&kept, &Meter::new(), &StopFlag::new());
        assert!(matches!(again, Err(ImageError::Damaged { .. })));
        assert_eq!(cache.kept(), None);
        let stop = StopFlag::new();
        stop.set();
        let kept = admit(&cache, "18.2", b"image");
        assert!(matches!(cache.confirm(&kept, &Meter::new(), &stop), Err(ImageError::Stopped)));
        assert_eq!(cache.kept(), Some(kept), "a stop says nothing about the image");
    }

    #[test]
    fn an_image_of_which_bytes_are_missing_is_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        let kept = admit(&cache, "18.2", b"image");
        File::options().write(true).open(&kept.path).unwrap().set_len(3).unwrap();
        assert_eq!(cache.kept(), None);
        Cache::open(dir.path()).unwrap();
        assert_eq!(cache.names().unwrap(), [""; 0]);
    }

    #[test]
    fn an_image_without_digest_is_not_found_for_the_page() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        let source = source("haos_green-18.2.img.xz", "18.2", None);
        let part = cache.part_for(&source).unwrap();
        fs::write(&part.bytes, b"x").unwrap();
        cache.admit(&source, &part, digest(b"x")).unwrap();
        assert!(cache.kept().is_some());
        assert_eq!(cache.find(Board::Green, &"18.2".parse().unwrap()), None);
    }

    #[test]
    fn what_older_runs_left_is_cleared_away_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
        put("haos_green-18.2.img.xz", b"half written, without a note");
        put("haos_green-17.0.img.xz.json", b"{");
        put("unfinished-haos_green-18.1.img.xz", b"without note");
        put("unfinished-haos_green-18.2.img.xz.json", b"without part");
        put("haos_green-18.2.img.xz.json.new", b"");
        put("unfinished-haos_green-18.3.img.xz", b"may go on");
        put("unfinished-haos_green-18.3.img.xz.json", b"{}");
        let foreign = ["ledger.json", "mine.img.xz", "jobs.log", "ledger.json.new", "unfinish.txt"];
        foreign.iter().for_each(|name| put(name, b"not ours"));
        let cache = Cache::open(dir.path()).unwrap();
        let mut left = cache.names().unwrap();
        left.retain(|name| !foreign.contains(&name.as_str()));
        left.sort();
        assert_eq!(left, ["unfinished-haos_green-18.3.img.xz", "unfinished-haos_green-18.3.img.xz.json"]);
        assert!(foreign.iter().all(|name| dir.path().join(name).exists()));
    }

    #[test]
    fn a_directory_that_may_not_be_written_to_is_told() {
        let refused = Cache::open("/sys/sd-swap-images");
        assert!(matches!(refused, Err(ImageError::ReadOnly { .. })), "{refused:?}");
    }
}
