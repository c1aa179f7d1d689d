//! The certificate of a finished card: what was made, of what, and what was compared (JB-7).
//!
//! Its JSON is a promise to others: fields are added, never renamed or removed within one [`SCHEMA`]. `docs/certificate.md`
//! says what each means; a test holds the two together.

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::backup::BackupSlug;
use super::carry::Carried;
use super::disk::Fingerprint;
use super::image::{Board, Digest, OsVersion};
use super::job::{JobId, JobState, JobView, Made, StageState, StageView, Warning};
use super::size::Bytes;
use super::stage::Stage;

pub const SCHEMA: u32 = 1;

/// A fact that is not known is `None`: the card was made by an earlier version, or from a file that does not say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Certificate {
    pub schema: u32,
    pub app: App,
    pub job: JobId,
    /// UTC, RFC 3339.
    pub started: String,
    pub ended: Option<String>,
    pub seconds: Option<u64>,
    pub card: Card,
    pub system: System,
    pub image: Image,
    /// `None`: no backup was put on the card.
    pub backup: Option<Backup>,
    /// Name and network settings of the old system that were put on the card; `None`: none were.
    pub carried: Option<Carried>,
    pub stages: Vec<Step>,
    /// What was compared, and found the same.
    pub compared: Vec<Compared>,
    /// Blocks of 1 MiB that read right only after they were written again.
    pub rewritten_blocks: Vec<u64>,
    pub warnings: Vec<Warning>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct App {
    pub name: &'static str,
    pub version: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Card {
    /// "SanDisk Ultra, 64 GB"
    pub name: String,
    pub vendor: Option<String>,
    pub model: Option<String>,
    /// Of the reader, where the card does not tell its own.
    pub serial: Option<String>,
    pub bytes: Bytes,
    /// What was confirmed, and what was written to (DV-5).
    pub fingerprint: Fingerprint,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct System {
    pub board: Option<Board>,
    pub version: Option<OsVersion>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Image {
    pub name: Option<String>,
    /// Of the file, packed as it was published.
    pub sha256: Option<Digest>,
    /// `sha256` was compared with the one that its release names.
    pub as_published: bool,
    pub bytes: Option<Bytes>,
    /// Unpacked.
    pub bytes_on_card: Option<Bytes>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Backup {
    pub slug: BackupSlug,
    pub name: Option<String>,
    /// ISO 8601, as the Supervisor wrote it.
    pub date: Option<String>,
    pub core: Option<String>,
    pub protected: bool,
    pub sha256: Option<Digest>,
    pub bytes: Option<Bytes>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    pub id: Stage,
    pub state: StageState,
    pub seconds: f64,
    pub bytes: u64,
    /// Over the whole step; `None` where nothing was counted.
    pub bytes_per_second: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Compared {
    /// The disk with what was confirmed, at the beginning and again before the first write.
    Fingerprint,
    /// The image file with the digest that its release names.
    Image,
    /// The backup, read to its end, with what it promises to hold.
    BackupParts,
    /// Marks at places up to the end of the card, written before the image: it holds as much as it says (DV-6).
    Capacity,
    /// Every MiB of the image with what the card gives back.
    Content,
    /// The file system for the data, by `e2fsck`.
    FileSystem,
    /// The backup on the card with the one that was put there, by its digest.
    BackupOnCard,
    /// Name and network settings on the card with those that were put there, and the file system that they are in.
    Settings,
    /// The partition tables at both ends, after each was written.
    Tables,
}

impl Certificate {
    /// Of a finished card only.
    pub fn of(job: &JobView) -> Option<Certificate> {
        if job.state != JobState::Done {
            return None;
        }
        let (made, marks) = (&job.made, &job.made.marks);
        let told = |text: &str| Some(text.trim().to_string()).filter(|text| !text.is_empty());
        Some(Certificate {
            schema: SCHEMA,
            app: App { name: "sd-swap", version: made.app.clone() },
            job: job.id,
            started: timestamp(job.started),
            ended: job.ended.map(timestamp),
            seconds: job.ended.map(|ended| ended.saturating_sub(job.started)),
            card: Card {
                name: job.card.name.clone(),
                vendor: told(&marks.vendor),
                model: told(&marks.model),
                serial: told(&marks.serial),
                bytes: job.card.size,
                fingerprint: job.card.fingerprint.clone(),
            },
            system: System { board: made.board, version: made.version.clone() },
            image: Image {
                name: made.image_name.clone(),
                sha256: made.image_digest,
                as_published: made.image_as_published,
                bytes: made.image_file_bytes,
                bytes_on_card: made.image_bytes,
            },
            backup: backup(made),
            carried: made.carried.clone(),
            stages: job.stages.iter().map(step).collect(),
            compared: compared(job),
            rewritten_blocks: made.rewritten_blocks.clone(),
            warnings: job.warnings.clone(),
        })
    }
}

fn backup(made: &Made) -> Option<Backup> {
    Some(Backup {
        slug: made.backup.clone()?,
        name: made.backup_name.clone(),
        date: made.backup_date.clone(),
        core: made.backup_core.clone(),
        protected: made.backup_protected,
        sha256: made.backup_digest,
        bytes: made.backup_bytes,
    })
}

fn step(view: &StageView) -> Step {
    let bytes = view.amount.done;
    let rate = bytes.saturating_mul(1000).checked_div(view.millis);
    Step {
        id: view.stage,
        state: view.state,
        seconds: view.millis as f64 / 1000.0,
        bytes,
        bytes_per_second: rate.filter(|rate| *rate > 0),
    }
}

/// Follows from the steps that were done: a recipe may lack some.
fn compared(job: &JobView) -> Vec<Compared> {
    let done = |stage| job.stage(stage).is_some_and(|view| view.state == StageState::Done);
    let backup = job.made.backup_digest.is_some();
    [
        (Compared::Fingerprint, done(Stage::Preflight) && done(Stage::Write)),
        (Compared::Image, job.made.image_as_published),
        (Compared::BackupParts, backup && done(Stage::Backup)),
        (Compared::Capacity, done(Stage::Write) && done(Stage::Verify)),
        (Compared::Content, done(Stage::Verify)),
        (Compared::FileSystem, done(Stage::Inject)),
        (Compared::BackupOnCard, backup && done(Stage::Inject)),
        (Compared::Settings, job.made.carried.is_some() && done(Stage::Inject)),
        (Compared::Tables, done(Stage::Commit)),
    ]
    .into_iter()
    .filter_map(|(what, was)| was.then_some(what))
    .collect()
}

/// `2026-11-21T14:05:09Z`; empty for a time that no calendar has.
pub fn timestamp(seconds: u64) -> String {
    let moment = i64::try_from(seconds).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    moment.and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_and_never_a_panic() {
        assert_eq!(timestamp(1_763_733_909), "2025-11-21T14:05:09Z");
        assert_eq!(timestamp(u64::MAX), "");
        assert_eq!(timestamp(i64::MAX as u64), "");
    }
}
