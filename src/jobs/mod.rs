//! Floor 3: work in progress. [`Jobs`] is the handle that everybody above holds.

pub mod admit;
pub mod board;
pub mod claim;
pub mod clock;
pub mod conductor;
pub mod disk_json;
pub mod get_backup;
pub mod get_image;
pub mod image_source;
pub mod ledger;
pub mod logs;
pub mod make_card;
pub mod rates;
pub mod run;
pub mod scan;
pub mod solo;
pub mod start;
pub mod survey;
pub mod thread;
pub mod trouble;
pub mod world;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use crate::domain::disk::{Disk, DiskId, Refusal};
use crate::domain::job::{CardRequest, JobId, JobView};
use crate::domain::problem::Problem;
use crate::domain::system::SystemView;
use crate::texts::Phrase;

/// A disk with every reason against overwriting it; none: it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedDisk {
    pub disk: Disk,
    pub refusals: Vec<Refusal>,
}

/// All whole disks of one scan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DiskList {
    /// False until the first scan came back.
    pub known: bool,
    pub disks: Vec<ListedDisk>,
    /// Why the disks could not be listed.
    pub failed: Option<String>,
}

impl DiskList {
    pub fn find(&self, id: &DiskId) -> Option<&ListedDisk> {
        self.disks.iter().find(|d| d.disk.id == *id)
    }
}

/// Every job that is remembered, newest first; the running one too.
pub type AllJobs = Arc<Vec<Arc<JobView>>>;

/// Why no job was started. Nothing was written.
#[derive(Debug, Clone, PartialEq)]
pub enum StartError {
    /// Another job runs (PF-1).
    Running(JobId),
    NoDisk,
    /// What is plugged in is not what the user saw (DV-5).
    Changed,
    /// Every reason, disk and system together (PF-7).
    Refused {
        disk: Vec<Refusal>,
        problems: Vec<Problem>,
    },
    /// The program is ending.
    Closing,
}

/// Why a job was not stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopError {
    NoJob,
    /// It is over already.
    Over,
    /// Commit takes seconds and is finished.
    Committing,
    Closing,
}

/// What the handle sends to the conductor.
#[derive(Debug)]
pub enum Command {
    Start(Box<CardRequest>, oneshot::Sender<Result<JobId, StartError>>),
    Stop(JobId, oneshot::Sender<Result<(), StopError>>),
    /// Ask the Supervisor again now.
    Refresh,
    RemoveKeptImage(oneshot::Sender<Result<(), Problem>>),
}

/// The handle on all jobs: cheap to clone, safe on every thread.
#[derive(Debug, Clone)]
pub struct Jobs {
    commands: mpsc::Sender<Command>,
    disks: watch::Receiver<Arc<DiskList>>,
    system: watch::Receiver<Arc<SystemView>>,
    jobs: watch::Receiver<AllJobs>,
    /// Where the logs lie; `None`: there are none (tests).
    data: Option<PathBuf>,
}

impl Jobs {
    /// Public so that pages can be tested with a conductor of the test's own.
    pub fn new(
        commands: mpsc::Sender<Command>,
        disks: watch::Receiver<Arc<DiskList>>,
        system: watch::Receiver<Arc<SystemView>>,
        jobs: watch::Receiver<AllJobs>,
    ) -> Jobs {
        Jobs { commands, disks, system, jobs, data: None }
    }

    /// The same handle, which finds the logs below `data`.
    pub fn with_logs_below(self, data: PathBuf) -> Jobs {
        Jobs { data: Some(data), ..self }
    }

    pub async fn start(&self, request: CardRequest) -> Result<JobId, StartError> {
        let (answer, result) = oneshot::channel();
        let command = Command::Start(Box::new(request), answer);
        self.commands.send(command).await.map_err(|_| StartError::Closing)?;
        result.await.unwrap_or(Err(StartError::Closing))
    }

    pub async fn stop(&self, id: JobId) -> Result<(), StopError> {
        let (answer, result) = oneshot::channel();
        self.commands.send(Command::Stop(id, answer)).await.map_err(|_| StopError::Closing)?;
        result.await.unwrap_or(Err(StopError::Closing))
    }

    /// Resolves when nobody conducts jobs any more: at the end of the program, or when the conductor broke.
    pub async fn ended(&self) {
        self.commands.closed().await;
    }

    pub async fn refresh(&self) {
        // The conductor is gone only when the program ends; there is nobody left to tell.
        let _ = self.commands.send(Command::Refresh).await;
    }

    /// Removes the kept image; not while a job runs.
    pub async fn remove_kept_image(&self) -> Result<(), Problem> {
        let closing = || Problem::Unexpected { short: Phrase::of("why-app-ending") };
        let (answer, result) = oneshot::channel();
        self.commands.send(Command::RemoveKeptImage(answer)).await.map_err(|_| closing())?;
        result.await.unwrap_or_else(|_| Err(closing()))
    }

    pub fn disks(&self) -> Arc<DiskList> {
        self.disks.borrow().clone()
    }

    pub fn watch_disks(&self) -> watch::Receiver<Arc<DiskList>> {
        self.disks.clone()
    }

    pub fn system(&self) -> Arc<SystemView> {
        self.system.borrow().clone()
    }

    pub fn watch_system(&self) -> watch::Receiver<Arc<SystemView>> {
        self.system.clone()
    }

    /// Every remembered job, newest first.
    pub fn all(&self) -> AllJobs {
        self.jobs.borrow().clone()
    }

    pub fn watch_jobs(&self) -> watch::Receiver<AllJobs> {
        self.jobs.clone()
    }

    pub fn job(&self, id: JobId) -> Option<Arc<JobView>> {
        self.all().iter().find(|j| j.id == id).cloned()
    }

    /// The job that runs or is stopping.
    pub fn current(&self) -> Option<Arc<JobView>> {
        self.all().iter().find(|j| !j.state.is_over()).cloned()
    }

    /// Where ledger, logs and kept image lie; `None`: nothing is kept (tests).
    pub fn data(&self) -> Option<&std::path::Path> {
        self.data.as_deref()
    }

    /// The log of a job: plain ASCII, lines ended by `\n`, without secrets, of a huge one the end. `None`: there is none.
    pub async fn log(&self, id: JobId) -> Option<String> {
        let data = self.data.clone()?;
        let read = tokio::task::spawn_blocking(move || logs::read(&data, id)).await;
        let read = read.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        read.unwrap_or_else(|error| {
            log::warn!("reading the log of job {id}: {error}");
            None
        })
    }
}
