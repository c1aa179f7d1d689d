//! A new full backup: started once, followed by its job's uuid, done only when it is listed and its file is there
//! (BK-1, BK-2, BK-3, BK-5; how the Supervisor behaves: HA §1.4, §1.7).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::backups::find_tar;
use super::client::Supervisor;
use super::error::SupervisorError;
use super::facts::warnings;
use super::follow::{BackupProgress, End, Watch, find, top_errors, unless_stopped};
use super::model::{JobList, RawJob, Started, SupervisorInfo};
use super::words::{AppNames, child_warnings};
use crate::domain::backup::{BackupSlug, ListedBackup};
use crate::domain::job::Warning;
use crate::domain::problem::Problem;
use crate::domain::progress::StopFlag;
use crate::domain::size::Bytes;
use crate::texts::Phrase;

/// A backup that is done as far as the Supervisor can tell. Its tar still has to be read to its end
/// ([`check_file`](super::check_file) with this slug and size).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeBackup {
    pub listed: ListedBackup,
    pub path: PathBuf,
    /// Apps and folders that failed, and what follows from what is in it.
    pub warnings: Vec<Warning>,
    /// The Supervisor was restarted in the middle: what failed in the backup is not known.
    pub followed_to_end: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("starting the backup")]
    Start(#[source] SupervisorError),
    #[error("following the backup")]
    Follow(#[source] SupervisorError),
    /// Its job ended at once, without an error and without a backup.
    #[error("the Supervisor did not begin the backup")]
    NotBegun,
    #[error("the backup failed: {said}")]
    Failed { said: String },
    #[error("the backup hangs: no change for {quiet:?} while saving {doing}")]
    Hung { quiet: Duration, doing: String },
    /// Its job is gone and it is not listed.
    #[error("the Supervisor was restarted while it made the backup")]
    Gone,
    #[error("looking for the new backup {slug} in the Supervisor's list")]
    NotListed { slug: BackupSlug },
    #[error("looking for the file of the new backup {slug}")]
    NoFile { slug: BackupSlug },
    #[error("the file of the new backup {slug} has {found} bytes, not {wanted}")]
    OtherSize { slug: BackupSlug, found: u64, wanted: u64 },
    /// We look no longer; the Supervisor goes on making it.
    #[error("stopped")]
    Stopped { slug: Option<BackupSlug> },
}

impl BackupError {
    /// As a user meets it.
    pub fn problem(&self) -> Problem {
        let failed = |said: Phrase| Problem::BackupFailed { said };
        match self {
            BackupError::Start(error) | BackupError::Follow(error) => error.problem(),
            BackupError::Failed { said } => failed(Phrase::foreign(said)),
            BackupError::Hung { quiet, doing } => {
                let minutes = quiet.as_secs().div_ceil(60).to_string();
                failed(Phrase::with("why-backup-hung", &[("minutes", &minutes), ("doing", doing)]))
            }
            BackupError::Gone => failed(Phrase::of("why-supervisor-restarted")),
            other => failed(Phrase::foreign(other.to_string())),
        }
    }
}

impl Supervisor {
    /// Makes a full backup of today (`date`: `2026-11-21`) in the Supervisor's own folder, which we see as `dir`.
    ///
    /// The request is sent once. A backup that runs cannot be stopped: on `stop` we only look away.
    pub async fn full_backup(
        &self,
        date: &str,
        dir: &Path,
        expected: Option<Bytes>,
        stop: &StopFlag,
        mut report: impl FnMut(BackupProgress),
    ) -> Result<MadeBackup, BackupError> {
        let (names, local_apps) = unless_stopped(stop, None, self.apps()).await?;
        let uuid = self.start(date).await?;
        let watch = Watch { uuid: &uuid, dir, names: &names, expected, stop };
        let (slug, job) = match self.follow(&watch, &mut report).await? {
            End::Done(job) => (slug_of_done(&job)?, Some(job)),
            End::Gone(slug) => (slug.ok_or(BackupError::Gone)?, None),
        };
        let listed = unless_stopped(stop, Some(&slug), self.backup_info(&slug)).await?;
        let listed = listed.map_err(|e| not_listed(e, &slug, job.is_some()))?;
        let path = located(dir, &listed).await?;
        let mut all = job.as_ref().map(|job| child_warnings(job, &names)).unwrap_or_default();
        all.extend(warnings(&listed.facts, &local_apps));
        Ok(MadeBackup { listed, path, warnings: all, followed_to_end: job.is_some() })
    }

    /// Names of apps and slugs of local ones; only words depend on it, so an answer is not insisted on.
    async fn apps(&self) -> (AppNames, Vec<String>) {
        let info = self.get_once::<SupervisorInfo>("/supervisor/info").await.unwrap_or_default();
        let apps = info.addons.into_iter().filter_map(|app| Some((app.slug?, app.name.unwrap_or_default())));
        let names: AppNames = apps.collect();
        let local = names.keys().filter(|slug| slug.starts_with("local_")).cloned().collect();
        (names, local)
    }

    async fn start(&self, date: &str) -> Result<String, BackupError> {
        let body = json!({
            "name": format!("sd-swap-clone-{date}"),
            "location": ".local",
            "homeassistant_exclude_database": false,
            "background": true,
        });
        match self.post::<Started>("/backups/new/full", &body).await {
            Ok(started) => Ok(started.job_id),
            Err(SupervisorError::Refused { at, said, job: Some(uuid) }) => {
                let error = SupervisorError::Refused { at, said, job: Some(uuid.clone()) };
                Err(self.reason_of(&uuid).await.map_or(BackupError::Start(error), |said| BackupError::Failed { said }))
            }
            Err(error) => Err(BackupError::Start(error)),
        }
    }

    /// A refusal may only point to its job: the errors at the top of that.
    async fn reason_of(&self, uuid: &str) -> Option<String> {
        let jobs: JobList = self.get("/jobs/info", self.pace.tries).await.ok()?;
        top_errors(&find(&jobs.jobs, uuid)?)
    }
}

/// Done alone is no success: no errors at the top, and a reference.
fn slug_of_done(job: &RawJob) -> Result<BackupSlug, BackupError> {
    match (top_errors(job), &job.reference) {
        (Some(said), _) => Err(BackupError::Failed { said }),
        (None, Some(reference)) => reference.parse().map_err(|_| BackupError::NotBegun),
        (None, None) => Err(BackupError::NotBegun),
    }
}

fn not_listed(error: SupervisorError, slug: &BackupSlug, followed: bool) -> BackupError {
    match error {
        SupervisorError::NotFound { .. } if followed => BackupError::NotListed { slug: slug.clone() },
        SupervisorError::NotFound { .. } => BackupError::Gone,
        other => BackupError::Follow(other),
    }
}

/// The listed backup's file, with its outer tar complete and of the listed size.
async fn located(dir: &Path, listed: &ListedBackup) -> Result<PathBuf, BackupError> {
    let (dir, slug, wanted) = (dir.to_path_buf(), listed.facts.slug.clone(), listed.size.0);
    let look = move || {
        let path = find_tar(&dir, &slug).ok_or_else(|| BackupError::NoFile { slug: slug.clone() })?;
        match fs::metadata(&path).map(|meta| meta.len()) {
            Ok(found) if found == wanted => Ok(path),
            Ok(found) => Err(BackupError::OtherSize { slug, found, wanted }),
            Err(_) => Err(BackupError::NoFile { slug }),
        }
    };
    let slug = listed.facts.slug.clone();
    tokio::task::spawn_blocking(look).await.unwrap_or(Err(BackupError::NoFile { slug }))
}
