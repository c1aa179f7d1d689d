//! What survives a restart: all jobs, in one file, replaced atomically (JB-5).

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::job::{JobEvent, JobId, JobView, StageState};
use crate::domain::problem::Problem;

const NAME: &str = "ledger.json";
const NEXT: &str = "ledger.json.new";
const SCHEMA: u32 = 1;
/// Jobs that are remembered.
const MOST: usize = 100;
/// A ledger of a hundred jobs has some 500 kB; ten times that is no ledger of ours.
const MOST_BYTES: u64 = 5_000_000;

#[derive(Debug, Deserialize)]
struct Pages {
    schema: u32,
    next: u64,
    jobs: Vec<JobView>,
}

#[derive(Debug, Serialize)]
struct PagesOut<'a> {
    schema: u32,
    next: u64,
    jobs: Vec<&'a JobView>,
}

/// The file and what is in it. Only the conductor writes it.
#[derive(Debug)]
pub struct Ledger {
    dir: PathBuf,
    next: u64,
    jobs: Vec<Arc<JobView>>,
}

/// A ledger that could not be read, and where it was put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    pub why: String,
    pub to: Option<PathBuf>,
}

impl Ledger {
    /// Reads the ledger of `dir`. Jobs that ran when the program went away become *interrupted*. One that cannot be read
    /// is set aside under another name, never deleted.
    pub fn open(dir: &Path) -> (Ledger, Option<SetAside>) {
        let _ = fs::remove_file(dir.join(NEXT));
        let empty = |dir: &Path| Ledger { dir: dir.into(), ..Ledger::empty() };
        match read(&dir.join(NAME)) {
            Ok(pages) => {
                let jobs: Vec<_> = pages.jobs.into_iter().map(interrupted).collect();
                let highest = jobs.iter().map(|job| job.id.0).max().unwrap_or(0);
                (Ledger { dir: dir.into(), next: pages.next.max(highest.saturating_add(1)), jobs }, None)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => (empty(dir), None),
            Err(error) => (empty(dir), Some(set_aside(dir, &error))),
        }
    }

    /// One that is never saved.
    pub fn empty() -> Ledger {
        Ledger { dir: PathBuf::new(), next: 1, jobs: Vec::new() }
    }

    /// Newest first.
    pub fn jobs(&self) -> &[Arc<JobView>] {
        &self.jobs
    }

    pub fn next_id(&mut self) -> JobId {
        let id = JobId(self.next);
        self.next = self.next.saturating_add(1);
        id
    }

    /// Puts a job in, or replaces what is known of it.
    pub fn put(&mut self, view: Arc<JobView>) {
        match self.jobs.iter_mut().find(|job| job.id == view.id) {
            Some(job) => *job = view,
            None => self.jobs.insert(0, view),
        }
        self.jobs.truncate(MOST);
    }

    /// Temp file, fsync, rename, fsync of the directory: at any moment the old or the new ledger is there, whole.
    pub fn save(&self) -> io::Result<()> {
        let jobs = self.jobs.iter().map(Arc::as_ref).collect();
        let pages = PagesOut { schema: SCHEMA, next: self.next, jobs };
        let text = serde_json::to_vec(&pages)?;
        let next = self.dir.join(NEXT);
        let written = write_whole(&next, &text).and_then(|()| fs::rename(&next, self.dir.join(NAME)));
        if written.is_err() {
            // A half-written file helps nobody and may be what fills the disk.
            let _ = fs::remove_file(&next);
        }
        written?;
        File::open(&self.dir)?.sync_all()
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn read(path: &Path) -> io::Result<Pages> {
    let mut text = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("it is too large to be one of ours"));
    }
    let pages: Pages = serde_json::from_slice(&text)?;
    if pages.schema != SCHEMA {
        return Err(io::Error::other(format!("it is of another version ({})", pages.schema)));
    }
    Ok(pages)
}

fn set_aside(dir: &Path, error: &io::Error) -> SetAside {
    let free = |n: &u32| !dir.join(format!("ledger.set-aside-{n}.json")).exists();
    let number = (1..1000).find(free).unwrap_or(0);
    let to = dir.join(format!("ledger.set-aside-{number}.json"));
    let moved = fs::rename(dir.join(NAME), &to).is_ok();
    SetAside { why: error.to_string(), to: moved.then_some(to) }
}

fn interrupted(mut view: JobView) -> Arc<JobView> {
    let Ok(state) = view.state.next(JobEvent::Found) else { return Arc::new(view) };
    view.problem = Some(Problem::Restarted { stage: view.last_stage() });
    view.state = state;
    view.remaining = None;
    for stage in &mut view.stages {
        if stage.state == StageState::Running {
            (stage.state, stage.rate) = (StageState::Stopped, None);
        }
    }
    Arc::new(view)
}
