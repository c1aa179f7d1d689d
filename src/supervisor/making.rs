//! A new full backup: started once, followed by its job's uuid, done only when it is listed and its file is there
//! (BK-1, BK-2, BK-3, BK-5; how the Supervisor behaves: HA §1.4, §1.7).

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;

use super::backups::find_tar;
use super::client::Supervisor;
use super::error::SupervisorError;
use super::facts::warnings;
use super::model::{JobList, RawJob, Started, SupervisorInfo};
use super::words::{AppNames, child_warnings, running_child, stage_words};
use crate::domain::backup::{BackupSlug, ListedBackup};
use crate::domain::job::Warning;
use crate::domain::problem::Problem;
use crate::domain::progress::StopFlag;
use crate::domain::size::Bytes;

/// Between two looks at the stop flag while something else is waited for.
const STOP_LOOK: Duration = Duration::from_millis(100);

/// Where a running backup stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupProgress {
    /// "Home Assistant", "apps", "folders", …
    pub stage: String,
    /// What is being saved just now: "Mosquitto broker", "share".
    pub child: Option<String>,
    /// Size of the growing tar.
    pub bytes: Bytes,
    /// What it may become; never a promise.
    pub expected: Option<Bytes>,
    pub slug: Option<BackupSlug>,
    /// Since the last change of stage, child or size.
    pub quiet: Duration,
}

impl BackupProgress {
    /// "Backing up Mosquitto broker"
    pub fn sentence(&self) -> String {
        format!("Backing up: {}", self.child.as_ref().unwrap_or(&self.stage))
    }
}

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
        let failed = |said: &str| Problem::BackupFailed { said: said.into() };
        match self {
            BackupError::Start(error) | BackupError::Follow(error) => error.problem(),
            BackupError::Failed { said } => failed(said),
            BackupError::Hung { quiet, doing } => {
                let minutes = quiet.as_secs().div_ceil(60);
                failed(&format!("nothing for {minutes} minutes while saving {doing}. Restarting Core may help."))
            }
            BackupError::Gone => failed("nothing: the Supervisor was restarted in the middle."),
            other => failed(&other.to_string()),
        }
    }
}

/// How a followed job ended.
enum End {
    Done(Box<RawJob>),
    /// No job of that uuid any more; the slug if it was seen before.
    Gone(Option<BackupSlug>),
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

    async fn follow(&self, watch: &Watch<'_>, report: &mut impl FnMut(BackupProgress)) -> Result<End, BackupError> {
        let mut seen = Seen::new();
        loop {
            let slug = seen.slug.clone();
            match unless_stopped(watch.stop, slug.as_ref(), self.get_once::<JobList>("/jobs/info")).await? {
                Ok(jobs) => {
                    seen.failures = 0;
                    let Some(job) = find(&jobs.jobs, watch.uuid) else {
                        return Ok(End::Gone(seen.slug));
                    };
                    seen.take(&job, watch);
                    report(seen.progress(&job, watch));
                    if job.done == Some(true) {
                        return Ok(End::Done(Box::new(job)));
                    }
                    seen.hung(&job, watch, self.pace.backup_silence)?;
                }
                Err(error) => seen.bear(error, self.pace.tries, self.pace.backup_silence)?,
            }
            let wait = if seen.failures > 0 { self.pace.backoff(seen.failures - 1) } else { self.pace.poll };
            unless_stopped(watch.stop, seen.slug.as_ref(), tokio::time::sleep(wait)).await?;
        }
    }
}

/// What is followed.
struct Watch<'a> {
    uuid: &'a str,
    dir: &'a Path,
    names: &'a AppNames,
    expected: Option<Bytes>,
    stop: &'a StopFlag,
}

/// What was seen last, and when it last changed.
struct Seen {
    slug: Option<BackupSlug>,
    job: Option<RawJob>,
    bytes: u64,
    changed: Instant,
    failures: u32,
}

impl Seen {
    fn new() -> Seen {
        Seen { slug: None, job: None, bytes: 0, changed: Instant::now(), failures: 0 }
    }

    fn take(&mut self, job: &RawJob, watch: &Watch<'_>) {
        if let Some(slug) = job.reference.as_deref().and_then(|r| r.parse().ok()) {
            self.slug = Some(slug);
        }
        let file = self.slug.as_ref().map(|slug| watch.dir.join(slug.file_name()));
        let bytes = file.and_then(|path| fs::metadata(path).ok()).map_or(0, |meta| meta.len());
        if self.bytes != bytes || self.job.as_ref() != Some(job) {
            self.changed = Instant::now();
            self.bytes = bytes;
            self.job = Some(job.clone());
        }
    }

    fn progress(&self, job: &RawJob, watch: &Watch<'_>) -> BackupProgress {
        BackupProgress {
            stage: stage_words(job.stage.as_deref()),
            child: running_child(job, watch.names),
            bytes: Bytes(self.bytes),
            expected: watch.expected,
            slug: self.slug.clone(),
            quiet: self.changed.elapsed(),
        }
    }

    /// Core may take the prepare command and never answer; the Supervisor waits for ever.
    fn hung(&self, job: &RawJob, watch: &Watch<'_>, limit: Duration) -> Result<(), BackupError> {
        let quiet = self.changed.elapsed();
        if quiet < limit {
            return Ok(());
        }
        let doing = running_child(job, watch.names).unwrap_or_else(|| stage_words(job.stage.as_deref()));
        Err(BackupError::Hung { quiet, doing })
    }

    /// The Supervisor may be restarting: what passes is borne as long as silence is, all else for a few tries (while it
    /// comes back it may not know our token yet).
    fn bear(&mut self, error: SupervisorError, tries: u32, limit: Duration) -> Result<(), BackupError> {
        self.failures = self.failures.saturating_add(1);
        let passing = error.is_passing() || matches!(error, SupervisorError::NotReady { .. });
        let enough = if passing { self.changed.elapsed() >= limit } else { self.failures >= tries };
        if enough {
            return Err(BackupError::Follow(error));
        }
        log::debug!("{error}; looking again");
        Ok(())
    }
}

/// By uuid, wherever it stands in the tree: other backups' jobs stay in the list.
fn find(jobs: &[RawJob], uuid: &str) -> Option<RawJob> {
    jobs.iter().find_map(|job| if job.uuid == uuid { Some(job.clone()) } else { find(&job.child_jobs, uuid) })
}

fn top_errors(job: &RawJob) -> Option<String> {
    let said: Vec<String> = job.errors.iter().map(|e| e.said()).collect();
    (!said.is_empty()).then(|| super::client::short(&said.join(" ")))
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

/// Waits for `work`, but not past a stop.
async fn unless_stopped<T>(
    stop: &StopFlag,
    slug: Option<&BackupSlug>,
    work: impl Future<Output = T>,
) -> Result<T, BackupError> {
    let stopped = async {
        while !stop.is_set() {
            tokio::time::sleep(STOP_LOOK).await;
        }
    };
    tokio::select! {
        biased;
        () = stopped => Err(BackupError::Stopped { slug: slug.cloned() }),
        result = work => Ok(result),
    }
}
