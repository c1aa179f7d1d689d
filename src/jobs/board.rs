//! Where all jobs stand: the ledger on disk and the watch channel that pages read, changed together.

use std::cell::{Cell, RefCell};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use crate::domain::job::{JobId, JobView};

use super::ledger::{Ledger, SetAside};
use super::{AllJobs, logs};

/// The one place that a job's view passes on its way to everybody. Lives on the jobs thread.
#[derive(Debug)]
pub struct Board {
    ledger: RefCell<Ledger>,
    sender: watch::Sender<AllJobs>,
    /// Where ledger and logs go; `None`: nothing is kept (command line).
    dir: Option<PathBuf>,
    generation: Cell<u64>,
}

impl Board {
    pub fn open(dir: &Path) -> (Board, Option<SetAside>) {
        let (ledger, aside) = Ledger::open(dir);
        let (sender, _) = watch::channel(Arc::new(ledger.jobs().to_vec()));
        let generation = Cell::new(ledger.jobs().iter().map(|job| job.generation).max().unwrap_or(0));
        (Board { ledger: RefCell::new(ledger), sender, dir: Some(dir.into()), generation }, aside)
    }

    /// Remembers nothing beyond the program.
    pub fn nowhere() -> Board {
        let (sender, _) = watch::channel(AllJobs::default());
        Board { ledger: RefCell::new(Ledger::empty()), sender, dir: None, generation: Cell::new(0) }
    }

    pub fn watch(&self) -> watch::Receiver<AllJobs> {
        self.sender.subscribe()
    }

    pub fn next_id(&self) -> JobId {
        self.ledger.borrow_mut().next_id()
    }

    pub fn job(&self, id: JobId) -> Option<Arc<JobView>> {
        self.ledger.borrow().jobs().iter().find(|job| job.id == id).cloned()
    }

    pub fn all(&self) -> AllJobs {
        Arc::new(self.ledger.borrow().jobs().to_vec())
    }

    /// Shows a view to everybody. `keep` writes the ledger before that, so that what was seen is not forgotten by a power cut;
    /// what comes back then is why it could not be written.
    pub fn publish(&self, mut view: JobView, keep: bool) -> Option<String> {
        self.generation.set(self.generation.get() + 1);
        view.generation = self.generation.get();
        self.ledger.borrow_mut().put(Arc::new(view));
        let failed = if keep { self.save() } else { None };
        self.sender.send_replace(self.all());
        failed
    }

    /// Writes the ledger as it is; for the start of the program.
    pub fn save(&self) -> Option<String> {
        self.dir.as_ref()?;
        self.ledger.borrow().save().err().map(|error| error.to_string())
    }

    /// Adds a line to a job's own log. A log that cannot be written stops no job.
    pub fn log(&self, id: JobId, line: &str) {
        log::info!("job {id}: {line}");
        let Some(dir) = &self.dir else { return };
        let open = || OpenOptions::new().create(true).append(true).open(logs::path(dir, id));
        let written =
            fs::create_dir_all(dir.join("logs")).and_then(|()| writeln!(open()?, "{} {line}", super::clock::stamp()));
        if let Err(error) = written {
            log::warn!("writing the log of job {id}: {error}");
        }
    }
}
