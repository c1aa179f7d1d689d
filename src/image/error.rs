//! What can go wrong with an image, each told apart, and which words people get for it.

use std::io;
use std::path::{Path, PathBuf};

use crate::domain::image::{Board, OsVersion};
use crate::domain::problem::Problem;
use crate::domain::size::Bytes;
use crate::texts::Phrase;

/// Hosts are named without port and path; `source()` carries the cause.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error("finding release {version} of Home Assistant OS: there is none")]
    NoRelease { version: OsVersion },
    #[error("finding {asset}: the release has no such image")]
    NoAsset { board: Board, asset: String },
    /// `reset`: seconds since 1970 at which the server answers again, if it said so.
    #[error("asking {host}: it was asked too often from here")]
    RateLimited { host: String, reset: Option<u64> },
    #[error("asking {host}: it answered {status}")]
    Answered { host: String, status: u16 },
    #[error("asking {host}: it did not answer in time")]
    Silent { host: String },
    #[error("talking to {host}")]
    Connection { host: String, source: io::Error },
    #[error("understanding the answer of {host}: {what}")]
    Garbage { host: String, what: String },
    #[error("reading the answer of {host}: it is longer than {limit}")]
    TooLong { host: String, limit: Bytes },
    #[error("following the redirects of {host}: {what}")]
    Redirect { host: String, what: &'static str },
    #[error("trusting {asset}: its checksum {found} is no SHA-256")]
    BadDigest { asset: String, found: String },
    #[error("downloading {name}: {host} does not say how long it is")]
    NoLength { name: String, host: String },
    #[error("downloading {name}: it should have {expected}, {found} are offered")]
    OtherSize { name: String, expected: Bytes, found: Bytes },
    #[error("downloading {name}: it had to be started over too often")]
    KeepsChanging { name: String },
    /// The bytes are not those that were published, or not those that were once verified. The file was deleted.
    #[error("comparing {name} with its checksum: they differ")]
    Damaged { name: String },
    /// What had been downloaded was deleted, because the running system needs the room too.
    #[error("storing {path}: no room left, {missing} are missing", path = path.display())]
    NoRoom { path: PathBuf, missing: Bytes, source: io::Error },
    #[error("storing {path}: it may not be written to", path = path.display())]
    ReadOnly { path: PathBuf, source: io::Error },
    #[error("storing {path}", path = path.display())]
    Storing { path: PathBuf, source: io::Error },
    #[error("reading {path}", path = path.display())]
    Reading { path: PathBuf, source: io::Error },
    #[error("reading {path} as an image: it is {found}", path = path.display())]
    NotAnImage { path: PathBuf, found: &'static str },
    #[error("reading {path} as an image: its end is missing", path = path.display())]
    Truncated { path: PathBuf },
    #[error("reading {path} as an image: {what}", path = path.display())]
    Broken { path: PathBuf, what: &'static str },
    #[error("unpacking {path}: it needs more memory than {limit}", path = path.display())]
    TooMuchMemory { path: PathBuf, limit: Bytes },
    #[error("stopped")]
    Stopped,
}

impl ImageError {
    /// An error of reading an opened image, in our words again where it is one of ours inside.
    pub fn from_read(path: &Path, error: io::Error) -> ImageError {
        match error.downcast::<ImageError>() {
            Ok(ours) => ours,
            Err(source) => ImageError::Reading { path: path.to_path_buf(), source },
        }
    }

    /// The way through a reader: `from_read` takes it out again.
    pub(super) fn into_io(self) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, self)
    }

    /// An error of writing `path`; `missing` is how much of it was still to come.
    pub(super) fn storing(path: &Path, missing: Bytes, source: io::Error) -> ImageError {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ImageError::NoRoom { path, missing, source },
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                ImageError::ReadOnly { path, source }
            }
            _ => ImageError::Storing { path, source },
        }
    }

    /// Waiting and asking again may help.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            ImageError::Silent { .. } | ImageError::Connection { .. } | ImageError::RateLimited { .. } => true,
            ImageError::Answered { status, .. } => matches!(status, 403 | 408 | 425 | 429 | 500..=599),
            _ => false,
        }
    }

    /// The image itself is wrong, not the way to it.
    pub fn is_damage(&self) -> bool {
        use ImageError as E;
        matches!(
            self,
            E::Damaged { .. }
                | E::NotAnImage { .. }
                | E::Truncated { .. }
                | E::Broken { .. }
                | E::TooMuchMemory { .. }
                | E::OtherSize { .. }
        )
    }

    /// What the user is told. `None`: the user stopped it and knows.
    pub fn problem(&self) -> Option<Problem> {
        use ImageError as E;
        Some(match self {
            E::Stopped => return None,
            E::NoAsset { board, .. } => Problem::NoImageForBoard { board: board.name().into() },
            E::RateLimited { .. } | E::BadDigest { .. } => Problem::NoDigest,
            E::Silent { host } | E::Connection { host, .. } => Problem::DownloadStopped { host: host.clone() },
            E::Damaged { .. } | E::OtherSize { .. } | E::KeepsChanging { .. } => Problem::DownloadDamaged,
            E::NoRoom { missing, .. } => Problem::NoRoomForDownload { free: Bytes::ZERO, need: *missing },
            E::ReadOnly { .. } | E::Storing { .. } => {
                Problem::CannotSave { why: Phrase::foreign(format!("{self} failed.")) }
            }
            E::NotAnImage { found, .. } => unusable(Phrase::with("why-image-is", &[("found", found)])),
            E::Truncated { .. } => unusable(Phrase::of("why-image-cut")),
            E::Broken { what, .. } => unusable(Phrase::with("why-image-damaged", &[("what", what)])),
            E::TooMuchMemory { .. } => unusable(Phrase::of("why-image-memory")),
            E::NoRelease { .. }
            | E::Answered { .. }
            | E::Garbage { .. }
            | E::TooLong { .. }
            | E::Redirect { .. }
            | E::NoLength { .. }
            | E::Reading { .. } => {
                Problem::Unexpected { short: Phrase::with("why-happened-while", &[("what", &self.to_string())]) }
            }
        })
    }
}

fn unusable(why: Phrase) -> Problem {
    Problem::ImageUnusable { why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_disk_are_told_apart() {
        let path = Path::new("/data/x");
        type Fits = fn(&ImageError) -> bool;
        let cases: [(io::ErrorKind, Fits); 5] = [
            (io::ErrorKind::StorageFull, |e| matches!(e, ImageError::NoRoom { missing: Bytes(7), .. })),
            (io::ErrorKind::QuotaExceeded, |e| matches!(e, ImageError::NoRoom { .. })),
            (io::ErrorKind::ReadOnlyFilesystem, |e| matches!(e, ImageError::ReadOnly { .. })),
            (io::ErrorKind::PermissionDenied, |e| matches!(e, ImageError::ReadOnly { .. })),
            (io::ErrorKind::Other, |e| matches!(e, ImageError::Storing { .. })),
        ];
        for (kind, fits) in cases {
            let error = ImageError::storing(path, Bytes(7), kind.into());
            assert!(fits(&error), "{kind:?}: {error:?}");
            assert!(error.problem().is_some());
        }
    }

    #[test]
    fn our_errors_come_through_a_reader_unharmed() {
        let path = Path::new("x");
        let ours = ImageError::Truncated { path: path.into() }.into_io();
        assert!(matches!(ImageError::from_read(path, ours), ImageError::Truncated { .. }));
        let theirs = io::Error::other("cable");
        assert!(matches!(ImageError::from_read(path, theirs), ImageError::Reading { .. }));
    }
}
