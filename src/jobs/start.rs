//! Putting the jobs thread up, and taking it down.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use url::Url;

use crate::config::Settings;
use crate::domain::causes::chain;
use crate::domain::job::Warning;
use crate::domain::pace::Pace;
use crate::domain::secret::Secret;
use crate::host::Host;
use crate::image::cache::Cache;
use crate::image::catalog::Catalog;
use crate::image::http_client;
use crate::supervisor::Supervisor;

use super::Jobs;
use super::board::Board;
use super::conductor::{Conductor, Outlets};
use super::ledger::SetAside;
use super::scan::watch_disks;
use super::world::World;

/// Commands that may wait for the conductor.
const WAITING: usize = 32;

/// What a world is made of; unlike the world itself it can be sent to the thread that will own it.
#[derive(Clone)]
pub struct Plan {
    pub host: Arc<dyn Host>,
    /// Base URL and token; `None` on a PC.
    pub supervisor: Option<(Url, Secret)>,
    /// Site and API of the releases; `None` on a PC.
    pub releases: Option<(Url, Url)>,
    pub data: PathBuf,
    pub backup: PathBuf,
    pub pace: Pace,
    /// Cards of any size are fine (tests and the simulator).
    pub any_size: bool,
}

impl Plan {
    pub fn of(settings: &Settings, host: Arc<dyn Host>) -> Plan {
        Plan {
            host,
            supervisor: Some((settings.supervisor.clone(), settings.token.clone())),
            releases: Some((settings.releases.clone(), settings.releases_api.clone())),
            data: settings.data.clone(),
            backup: settings.backup.clone(),
            pace: Pace::real(),
            any_size: false,
        }
    }

    /// A world without Supervisor and releases: what the command line works with.
    pub fn pc(host: Arc<dyn Host>, pace: Pace) -> Plan {
        Plan {
            host,
            supervisor: None,
            releases: None,
            data: PathBuf::new(),
            backup: PathBuf::new(),
            pace,
            any_size: false,
        }
    }

    /// To be called on the thread that will own it.
    pub fn world(&self) -> World {
        let folder = self.data.join("images");
        // On a PC the folder is made only when something is downloaded into it. Where it cannot be had, a full or
        // read-only disk say, the page can still tell so (JB-8); a download then says why it cannot be stored.
        let cache = match self.releases {
            Some(_) => Cache::open(&folder).unwrap_or_else(|error| {
                log::warn!("{}", chain(&error));
                Cache::unopened(&folder)
            }),
            None => Cache::unopened(&folder),
        };
        let supervisor = self.supervisor.as_ref().map(|(base, token)| Supervisor::new(base, token.clone(), self.pace));
        let catalog = self.releases.clone().map(|(site, api)| Catalog { site, api, pace: self.pace });
        World {
            host: self.host.clone(),
            supervisor,
            client: http_client(&self.pace),
            catalog,
            cache,
            data: self.data.clone(),
            backup_dir: self.backup.clone(),
            pace: self.pace,
        }
    }
}

/// The thread, and the way to end it.
pub struct JobsThread {
    ending: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl JobsThread {
    /// Asks the running job to stop, and does not wait for it.
    pub fn ask_to_end(&mut self) {
        if let Some(ending) = self.ending.take() {
            let _ = ending.send(());
        }
    }

    /// Stops the running job, waits until its workers have returned and the ledger is written (JB-6).
    pub fn end(mut self) {
        self.finish();
    }

    fn finish(&mut self) {
        self.ask_to_end();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for JobsThread {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Starts watching the disks and conducting jobs. An error says what the program cannot do without.
pub fn start(plan: Plan) -> io::Result<(Jobs, JobsThread)> {
    let scans = watch_disks(plan.host.clone())?;
    let (commands, obeyed) = mpsc::channel(WAITING);
    let (disks, disks_seen) = watch::channel(Arc::default());
    let (system, system_seen) = watch::channel(Arc::default());
    let (ending, ended) = oneshot::channel();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let data = plan.data.clone();
    let out = Outlets { commands: obeyed, disks, system, scans };
    let conduct = move || actix_web::rt::System::new().block_on(conduct(plan, out, ended, ready));
    let thread = thread::Builder::new().name("jobs".into()).spawn(conduct)?;
    let jobs_seen = is_ready.recv().map_err(|_| io::Error::other("the jobs thread ended at once"))?;
    let jobs_seen = jobs_seen.map_err(io::Error::other)?;
    let jobs = Jobs::new(commands, disks_seen, system_seen, jobs_seen).with_logs_below(data);
    Ok((jobs, JobsThread { ending: Some(ending), thread: Some(thread) }))
}

type Ready = std::sync::mpsc::Sender<Result<watch::Receiver<super::AllJobs>, String>>;

async fn conduct(plan: Plan, out: Outlets, ended: oneshot::Receiver<()>, ready: Ready) {
    let _held = match hold(&plan.data) {
        Ok(held) => held,
        Err(why) => {
            // Whoever started us is waiting for this.
            let _ = ready.send(Err(why));
            return;
        }
    };
    let (board, aside) = Board::open(&plan.data);
    let world = plan.world();
    let mut notices: Vec<Warning> = aside.iter().map(SetAside::warning).collect();
    if let Some(why) = board.save() {
        notices.push(Warning::new("cannot_save", &[("why", &why)]));
    }
    notices.iter().for_each(|notice| log::warn!("{}", notice.text));
    let jobs = board.watch();
    let conductor = Conductor::new(world, board, out, plan.any_size, notices);
    let _ = ready.send(Ok(jobs));
    conductor.run(ended).await;
}

/// A tool that a program was just starting when it was killed holds the program's locks for a moment longer.
const LET_GO: Duration = Duration::from_secs(1);

/// A lock on the data folder, for as long as this is kept: a second program would take the first one's job for one that
/// was cut short, and clear away what it is downloading. It goes with the process, however that ends. `None`: there is
/// no such folder and none can be made, or its file system knows no locks; nobody is kept from working for that.
fn hold(dir: &Path) -> Result<Option<File>, String> {
    let opened = fs::create_dir_all(dir).and_then(|()| File::open(dir));
    let folder = match opened {
        Ok(folder) => folder,
        Err(error) => {
            log::warn!("the data folder {}: {error}", dir.display());
            return Ok(None);
        }
    };
    let end = Instant::now() + LET_GO;
    loop {
        match folder.try_lock() {
            Ok(()) => return Ok(Some(folder)),
            Err(TryLockError::WouldBlock) if Instant::now() < end => thread::sleep(LET_GO / 20),
            Err(TryLockError::WouldBlock) => return Err(format!("another sd-swap works in {}", dir.display())),
            Err(TryLockError::Error(error)) => {
                log::warn!("locking the data folder {}: {error}", dir.display());
                return Ok(None);
            }
        }
    }
}
