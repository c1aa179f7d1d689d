//! A backup's job, followed by its own uuid until it is done or gone (BK-2, BK-5).

use std::fs;
use std::future::Future;
use std::path::Path;
use std::time::{Duration, Instant};

use super::client::{Supervisor, short};
use super::error::SupervisorError;
use super::line;
use super::making::BackupError;
use super::model::{JobList, RawJob};
use super::words::{AppNames, running_child, stage_words};
use crate::domain::backoff::Backoff;
use crate::domain::backup::BackupSlug;
use crate::domain::progress::StopFlag;
use crate::domain::size::Bytes;
use crate::texts::Phrase;

/// Between two looks at the stop flag while something else is waited for.
const STOP_LOOK: Duration = Duration::from_millis(100);

/// Where a running backup stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupProgress {
    /// "Home Assistant", "Apps", "Folders", …
    pub stage: Phrase,
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
    /// "Backing up Mosquitto broker"; between two parts the stage: "Finishing the file".
    pub fn phrase(&self) -> Phrase {
        match &self.child {
            Some(child) => Phrase::with("note-backing-up", &[("part", child)]),
            None => self.stage.clone(),
        }
    }
}

/// How a followed job ended.
pub enum End {
    Done(Box<RawJob>),
    /// No job of that uuid any more; the slug if it was seen before.
    Gone(Option<BackupSlug>),
}

impl Supervisor {
    pub(super) async fn follow(
        &self,
        watch: &Watch<'_>,
        report: &mut impl FnMut(BackupProgress),
    ) -> Result<End, BackupError> {
        let mut seen = Seen::new();
        let (mut backoff, begun) = (Backoff::new(&self.pace), Instant::now());
        loop {
            let mut wait = self.pace.poll;
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
                    backoff.worked(begun.elapsed());
                }
                Err(error) => {
                    wait = line::rest(&mut backoff, begun);
                    seen.bear(error, self.pace.tries, self.pace.backup_silence)?;
                }
            }
            unless_stopped(watch.stop, seen.slug.as_ref(), tokio::time::sleep(wait)).await?;
        }
    }
}

/// What is followed.
pub struct Watch<'a> {
    pub uuid: &'a str,
    pub dir: &'a Path,
    pub names: &'a AppNames,
    pub expected: Option<Bytes>,
    pub stop: &'a StopFlag,
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
        let doing = running_child(job, watch.names).unwrap_or_else(|| stage_words(job.stage.as_deref()).to_string());
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
pub fn find(jobs: &[RawJob], uuid: &str) -> Option<RawJob> {
    jobs.iter().find_map(|job| if job.uuid == uuid { Some(job.clone()) } else { find(&job.child_jobs, uuid) })
}

pub fn top_errors(job: &RawJob) -> Option<String> {
    let said: Vec<String> = job.errors.iter().map(|e| e.said()).collect();
    (!said.is_empty()).then(|| short(&said.join(" ")))
}

/// Waits for `work`, but not past a stop.
pub async fn unless_stopped<T>(
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
