//! A job: what was asked for, where it stands, what a page may see of it.
//!
//! ```text
//!             stop             worker returned
//!  Running ─────────► Stopping ────────────────► Cancelled
//!     │                  │  └──────────────────► Failed       (blanking or the work itself failed)
//!     │                  └─────────────────────► Done         (stop came too late: commit is finished, never stopped)
//!     ├──────────────────────────────────────►  Done
//!     ├──────────────────────────────────────►  Failed
//!     └───── the program goes, or went away ─►  Interrupted   (also seen at the next start; also from Stopping)
//! ```

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::backup::{BackupParts, BackupSlug};
use super::carry::{Carried, Carry};
use super::disk::{DiskId, Fingerprint};
use super::image::{Board, Digest, OsVersion};
use super::problem::Problem;
use super::progress::Amount;
use super::size::Bytes;
use super::stage::Stage;
use crate::texts::{Language, Phrase};

/// Counts up from 1 for the life of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub u64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Which backup goes onto the card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupChoice {
    /// A new full backup from the Supervisor (BK-1).
    New,
    /// One that the Supervisor has. `have_key`: the user confirmed to have the key of a protected one.
    Existing {
        slug: BackupSlug,
        have_key: bool,
    },
    /// A tar of the command line.
    File(PathBuf),
    None,
}

/// Which image the card gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageChoice {
    /// The running version.
    Running,
    /// The latest stable version.
    Latest,
    /// A file of the command line: `.img.xz` or `.img`.
    File(PathBuf),
    /// A URL of the command line; without a digest only if the user said so.
    Url { url: String, without_digest: bool },
}

/// What starts a job: parsed once from a form, JSON or the command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardRequest {
    pub disk: DiskId,
    /// What the user saw (DV-5); compared again on the descriptor that is written through.
    pub seen: Fingerprint,
    /// The plug number that the user saw; `None` where the app restarted since, or on the command line.
    pub plug: Option<u64>,
    pub backup: BackupChoice,
    pub image: ImageChoice,
    /// Given on the command line; else the running board.
    pub board: Option<Board>,
    /// What of the old system goes along beside the backup (FN-1).
    #[serde(default = "Carry::usual")]
    pub carry: Carry,
    /// Random per form: a second start with the same one leads to the same job.
    pub once: Option<String>,
}

impl CardRequest {
    /// Without what is needed while the job runs and never again.
    pub fn to_keep(&self) -> CardRequest {
        let carry = Carry { system: self.carry.system, ..Carry::nothing() };
        CardRequest { carry, ..self.clone() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    Running,
    Stopping,
    Cancelled,
    Failed,
    Interrupted,
    Done,
}

/// What happens to a job from outside its stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEvent {
    /// The user (or SIGTERM) asks to stop.
    Stop,
    /// The worker has returned: cancelled, with an error, or with a finished card.
    Stopped,
    Broke,
    Finished,
    /// The program ended under it: seen by the program itself, or at its next start, where the ledger says that it ran.
    Found,
}

/// The event does not fit the state; nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a job that is {state:?} takes no {event:?}")]
pub struct NotNow {
    pub state: JobState,
    pub event: JobEvent,
}

impl JobState {
    pub const ALL: [JobState; 6] = [
        JobState::Running,
        JobState::Stopping,
        JobState::Cancelled,
        JobState::Failed,
        JobState::Interrupted,
        JobState::Done,
    ];

    pub fn next(self, event: JobEvent) -> Result<JobState, NotNow> {
        use JobEvent as E;
        use JobState as S;
        Ok(match (self, event) {
            (S::Running | S::Stopping, E::Stop) => S::Stopping,
            (S::Running | S::Stopping, E::Stopped) => S::Cancelled,
            (S::Running | S::Stopping, E::Broke) => S::Failed,
            (S::Running | S::Stopping, E::Finished) => S::Done,
            (S::Running | S::Stopping, E::Found) => S::Interrupted,
            (state, event) => return Err(NotNow { state, event }),
        })
    }

    pub const fn is_over(self) -> bool {
        !matches!(self, JobState::Running | JobState::Stopping)
    }

    pub const fn word(self) -> &'static str {
        match self {
            JobState::Running => "running",
            JobState::Stopping => "stopping",
            JobState::Cancelled => "cancelled",
            JobState::Failed => "failed",
            JobState::Interrupted => "interrupted",
            JobState::Done => "done",
        }
    }
}

/// What is on the card now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CardNow {
    /// Nothing was written yet.
    Untouched,
    /// No table, no boot sector: it starts nowhere and can be used again.
    Blank,
    Finished,
    /// It went away before it could be read back. It starts nowhere if its first sector was reached.
    Unknown,
}

impl CardNow {
    pub fn said_in(self, language: Language) -> String {
        language.say(match self {
            CardNow::Untouched => "card-untouched",
            CardNow::Blank => "card-blank",
            CardNow::Finished => "card-finished",
            CardNow::Unknown => "card-unknown",
        })
    }

    /// [`CardNow::said_in`] English.
    pub fn sentence(self) -> String {
        self.said_in(Language::English)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StageState {
    Waiting,
    Running,
    Done,
    /// Nothing to do: a kept image, a chosen backup, no backup.
    Skipped,
    Failed,
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageView {
    pub stage: Stage,
    pub state: StageState,
    pub amount: Amount,
    /// Bytes in a second over the last seconds; while running only.
    pub rate: Option<u64>,
    /// Milliseconds it took, or has taken so far.
    pub millis: u64,
    /// What it does just now, where it says so: "Backing up Mosquitto".
    pub note: Option<Phrase>,
}

/// Something the user should know that did not stop the job; `code` is stable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    pub code: String,
    #[serde(flatten)]
    pub text: Phrase,
}

impl Warning {
    /// The text `warning-CODE` with values in it.
    pub fn new(code: &str, values: &[(&str, &str)]) -> Warning {
        let key = format!("warning-{}", code.replace('_', "-"));
        Warning { code: code.into(), text: Phrase::with(&key, values) }
    }

    /// Something of the old system is not on the new card (P20).
    pub fn is_gap(&self) -> bool {
        const GAPS: [&str; 9] = [
            "app_not_in_backup",
            "folder_not_in_backup",
            "core_not_in_backup",
            "settings_not_in_backup",
            "backup_part_failed",
            "backup_without_database",
            "without_database",
            "local_apps_missing",
            "local_apps",
        ];
        GAPS.contains(&self.code.as_str())
    }
}

/// The disk of a job, as people know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardBrief {
    pub id: DiskId,
    pub path: PathBuf,
    /// "SanDisk Ultra, 64 GB"
    pub name: String,
    pub size: Bytes,
    pub fingerprint: Fingerprint,
}

/// What a disk says of itself, word for word; each may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DiskMarks {
    pub vendor: String,
    pub model: String,
    pub serial: String,
}

/// What was made, of what, and what was compared: the certificate's facts (JB-7). Filled while the job runs. A ledger of
/// an earlier version lacks some of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Made {
    /// The version of the app that made it.
    pub app: Option<String>,
    pub marks: DiskMarks,
    pub board: Option<Board>,
    pub version: Option<OsVersion>,
    pub image_name: Option<String>,
    /// Of the file as it was published (packed).
    pub image_digest: Option<Digest>,
    /// The digest was compared with the one that the release (or the user) names, not only taken of what was there.
    pub image_as_published: bool,
    /// Of the file as it was published (packed).
    pub image_file_bytes: Option<Bytes>,
    /// Unpacked: what went onto the card.
    pub image_bytes: Option<Bytes>,
    pub backup: Option<BackupSlug>,
    /// As Home Assistant lists it; `None` if it has none.
    pub backup_name: Option<String>,
    pub backup_digest: Option<Digest>,
    pub backup_bytes: Option<Bytes>,
    /// ISO 8601, as the Supervisor wrote it.
    pub backup_date: Option<String>,
    /// The version of Home Assistant in it.
    pub backup_core: Option<String>,
    /// Encrypted: its key is asked for when it is restored.
    pub backup_protected: bool,
    pub backup_parts: Option<BackupParts>,
    /// Name and network settings that went along; `None`: none did.
    pub carried: Option<Carried>,
    /// Blocks of 1 MiB that read right only after they were written again.
    pub rewritten_blocks: Vec<u64>,
}

/// A job, complete: what a page, the API and the ledger know of it. Replaced as a whole at each change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobView {
    pub id: JobId,
    /// Grows with every publication, so that a reader can tell newer from older.
    pub generation: u64,
    pub state: JobState,
    pub card: CardBrief,
    pub request: CardRequest,
    pub stages: Vec<StageView>,
    /// Of the whole job: never falls, 100 only with `Done`.
    pub percent: u8,
    /// Seconds left along the critical path; `None`: not known yet.
    pub remaining: Option<u64>,
    pub warnings: Vec<Warning>,
    pub problem: Option<Problem>,
    /// The technical chain of causes, for the folded part and the log.
    pub detail: Option<String>,
    pub card_now: CardNow,
    /// Seconds since 1970.
    pub started: u64,
    pub ended: Option<u64>,
    /// Seconds since the last byte moved, while a stage that moves bytes runs.
    pub quiet: u64,
    pub made: Made,
}

impl JobView {
    pub fn stage(&self, stage: Stage) -> Option<&StageView> {
        self.stages.iter().find(|s| s.stage == stage)
    }

    /// The stage that the page speaks of: the last running one in order, but not the backup while another runs.
    pub fn main_stage(&self) -> Option<&StageView> {
        main_stage(&self.stages)
    }

    /// The stage that failed or was stopped, else the one that runs, else the one that was about to begin. `None`:
    /// nothing was done yet.
    pub fn last_stage(&self) -> Option<Stage> {
        last_stage(&self.stages)
    }

    /// Nothing on the card was written yet.
    pub fn is_untouched(&self) -> bool {
        self.card_now == CardNow::Untouched
    }
}

fn main_stage(stages: &[StageView]) -> Option<&StageView> {
    let running = || stages.iter().filter(|s| s.state == StageState::Running);
    running().rfind(|s| s.stage != Stage::Backup).or_else(|| running().next())
}

fn last_stage(stages: &[StageView]) -> Option<Stage> {
    let ended = |state| stages.iter().find(|s| s.state == state);
    let found = ended(StageState::Failed).or_else(|| ended(StageState::Stopped)).or_else(|| main_stage(stages));
    found.or_else(|| between(stages)).map(|s| s.stage)
}

/// Between two stages: the next one, or the last one where all are done.
fn between(stages: &[StageView]) -> Option<&StageView> {
    let waiting = |s: &&StageView| s.state == StageState::Waiting;
    if stages.iter().filter(waiting).count() == stages.len() {
        return None;
    }
    stages.iter().find(waiting).or_else(|| stages.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the first ledgers had.
    #[test]
    fn facts_of_an_earlier_version_are_still_read() {
        let old = r#"{"board": "rpi4-64", "version": "18.2", "image_name": null, "image_digest": null, "image_bytes": 5,
            "backup": "0a1b2c3d", "backup_name": null, "backup_digest": null, "backup_bytes": 7, "rewritten_blocks": [3]}"#;
        let made: Made = serde_json::from_str(old).unwrap();
        assert_eq!((made.image_bytes, made.backup_bytes), (Some(Bytes(5)), Some(Bytes(7))));
        assert_eq!((made.app.as_deref(), made.image_as_published), (None, false));
        assert_eq!((&made.marks, made.rewritten_blocks), (&DiskMarks::default(), vec![3]));
    }

    #[test]
    fn the_whole_table_of_states_and_events() {
        use JobEvent as E;
        use JobState as S;
        let events = [E::Stop, E::Stopped, E::Broke, E::Finished, E::Found];
        let next = [S::Stopping, S::Cancelled, S::Failed, S::Done, S::Interrupted];
        for state in S::ALL {
            for (event, want) in events.into_iter().zip(next) {
                let got = state.next(event);
                if state.is_over() {
                    assert_eq!(got, Err(NotNow { state, event }));
                } else {
                    assert_eq!(got, Ok(want));
                }
            }
        }
    }

    #[test]
    fn work_stopped_at_the_stage_that_was_next_if_none_ran() {
        use StageState::{Done, Failed, Running, Skipped, Stopped, Waiting};
        let cases: [(&[StageState], Option<Stage>); 9] = [
            (&[Waiting, Waiting, Waiting], None),
            (&[Running, Waiting, Waiting], Some(Stage::Preflight)),
            (&[Done, Waiting, Waiting], Some(Stage::Backup)),
            (&[Done, Skipped, Waiting], Some(Stage::Download)),
            (&[Done, Running, Running], Some(Stage::Download)),
            (&[Done, Running, Failed], Some(Stage::Download)),
            (&[Done, Stopped, Running], Some(Stage::Backup)),
            (&[Done, Stopped, Failed], Some(Stage::Download)),
            (&[Done, Done, Done], Some(Stage::Download)),
        ];
        for (states, want) in cases {
            let view = |(stage, state): (Stage, &StageState)| StageView {
                stage,
                state: *state,
                amount: Amount::default(),
                rate: None,
                millis: 0,
                note: None,
            };
            let stages = Stage::ALL.into_iter().zip(states).map(view).collect::<Vec<_>>();
            assert_eq!(last_stage(&stages), want, "{states:?}");
        }
    }
}
