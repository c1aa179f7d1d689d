//! A download that is under way or was interrupted: the bytes so far, and beside them what is needed to go on (IM-3).
//!
//! The names end in `.img.xz` as the kept image's do, so that the app's `backup_exclude` covers them: the backup is made
//! while the download runs.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ImageError;
use super::fetch::Source;
use crate::domain::image::Digest;
use crate::domain::size::Bytes;

pub(super) const PART: &str = "unfinished-";
/// Of a note; it is written under this name first.
pub(super) const FRESH: &str = ".new";
/// Our notes have a few hundred bytes.
const NOTE_MOST: u64 = 64 << 10;

/// The two files of one download.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub bytes: PathBuf,
    pub note: PathBuf,
}

/// What the server said when the first byte came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartNote {
    pub url: String,
    /// What the finished file must be, if it was known.
    pub digest: Option<Digest>,
    pub total: u64,
    pub etag: Option<String>,
    pub modified: Option<String>,
}

impl Part {
    pub fn of(dir: &Path, name: &str) -> Part {
        Part { bytes: dir.join(format!("{PART}{name}")), note: dir.join(format!("{PART}{name}.json")) }
    }

    /// How far an earlier run came with this very source. Anything doubtful: nothing.
    pub fn left_over(&self, source: &Source) -> Option<(PartNote, u64)> {
        let note: PartNote = read_note(&self.note)?;
        let length = std::fs::symlink_metadata(&self.bytes).ok().filter(|meta| meta.is_file())?.len();
        let fits = note.url == source.url.as_str()
            && note.digest == source.digest
            && source.size.is_none_or(|size| size.0 == note.total)
            && (1..=note.total).contains(&length);
        fits.then_some((note, length))
    }

    pub fn remove(&self) {
        remove_file(&self.bytes);
        remove_file(&self.note);
    }
}

impl PartNote {
    /// For `If-Range`, which takes no weak validator (RFC 9110, 13.1.5).
    pub fn validator(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|etag| etag.starts_with('"'));
        strong.or(self.modified.as_deref())
    }
}

/// A note of ours, if it is there, of a sane length and readable.
pub(super) fn read_note<T: for<'a> Deserialize<'a>>(path: &Path) -> Option<T> {
    let file = std::fs::File::open(path).ok().filter(|file| file.metadata().is_ok_and(|meta| meta.is_file()))?;
    let mut text = Vec::new();
    file.take(NOTE_MOST).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Atomic: the old note or the new one, whole.
pub(super) fn write_note<T: Serialize>(path: &Path, note: &T) -> Result<(), ImageError> {
    let failed = |error| ImageError::storing(path, Bytes::ZERO, error);
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(FRESH);
    let write = || -> io::Result<()> {
        let mut file = std::fs::File::create(&fresh)?;
        file.write_all(&serde_json::to_vec(note)?)?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)
    };
    write().inspect_err(|_| remove_file(Path::new(&fresh))).map_err(failed)
}

/// What cannot be removed is found and tried again by the next tidying.
pub(super) fn remove_file(path: &Path) {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => log::warn!("removing {}: {error}", path.display()),
        _ => {}
    }
}
