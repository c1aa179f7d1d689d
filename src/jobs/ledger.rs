//! What survives a restart: all jobs, in one file, replaced atomically (JB-5).

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::job::{JobEvent, JobId, JobView, StageState, Warning};
use crate::domain::problem::Problem;

use super::logs;

const NAME: &str = "ledger.json";
const NEXT: &str = "ledger.json.new";
/// Grows when an older program would misread what is written. What only adds fields, or takes a new kind of an old field
/// beside the old one, leaves it: `tests/fixtures/ledgers` has a ledger of each form that was ever written.
const SCHEMA: u32 = 1;
/// Jobs that are remembered.
const MOST: usize = 100;
/// A ledger of a hundred jobs has some 500 kB; four times that is no ledger of ours. It is read as a whole.
const MOST_BYTES: usize = 2_000_000;

/// Told first: the rest may be in a form that is not known here.
#[derive(Debug, Deserialize)]
struct Head {
    schema: u32,
}

#[derive(Debug, Deserialize)]
struct Pages {
    next: u64,
    /// One that cannot be read does not take the others with it.
    jobs: Vec<Value>,
}

#[derive(Debug, Serialize)]
struct PagesOut<'a> {
    schema: u32,
    next: u64,
    jobs: &'a [&'a JobView],
}

/// The file and what is in it. Only the conductor writes it.
#[derive(Debug)]
pub struct Ledger {
    dir: PathBuf,
    next: u64,
    jobs: Vec<Arc<JobView>>,
    /// One that could not be read lies in its place still: nothing may be written over it.
    in_the_way: Cell<bool>,
}

/// What was wrong with a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// No ledger, or a damaged one.
    Unreadable(String),
    /// A later version of this program wrote it; its schema.
    Newer(u32),
    /// So many of its jobs are not readable; the others are.
    Partly(usize),
}

/// A ledger that could not be read, and where it was put aside, unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    pub wrong: Wrong,
    /// `None`: it could not be moved. It lies where it was, and nothing is saved.
    pub to: Option<PathBuf>,
}

impl SetAside {
    /// For the page and the log.
    pub fn warning(&self) -> Warning {
        let name = self.to.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let Some(name) = name else {
            return Warning::new("ledger_in_the_way", &[("why", &self.wrong.why())]);
        };
        match &self.wrong {
            Wrong::Unreadable(why) => Warning::new("ledger_set_aside", &[("why", why), ("name", &name)]),
            Wrong::Newer(_) => Warning::new("ledger_newer", &[("name", &name)]),
            Wrong::Partly(n) => Warning::new("ledger_partly", &[("n", &n.to_string()), ("name", &name)]),
        }
    }
}

impl Wrong {
    /// The words of the system and of the decoder, which are English.
    fn why(&self) -> String {
        match self {
            Wrong::Unreadable(why) => why.clone(),
            Wrong::Newer(schema) => format!("it is of a newer version ({schema})"),
            Wrong::Partly(n) => format!("{n} of its jobs are not known"),
        }
    }
}

impl Ledger {
    /// Reads the ledger of `dir`. Jobs that ran when the program went away become *interrupted*. One that cannot be read
    /// is set aside under another name, never deleted; what can be read of it is kept.
    pub fn open(dir: &Path) -> (Ledger, Option<SetAside>) {
        clear_way(dir);
        let (pages, wrong) = match read(&dir.join(NAME)) {
            Ok(pages) => pages,
            Err(wrong) => (Known::default(), Some(wrong)),
        };
        let aside = wrong.map(|wrong| SetAside { to: set_aside(dir, NAME), wrong });
        let jobs: Vec<_> = pages.jobs.into_iter().map(interrupted).collect();
        // A log of an earlier job is never continued by another one's.
        let used = jobs.iter().map(|job| job.id.0).max().unwrap_or(0).max(logs::highest(dir));
        let in_the_way = Cell::new(aside.as_ref().is_some_and(|aside| aside.to.is_none()));
        (Ledger { dir: dir.into(), next: pages.next.max(used.saturating_add(1)), jobs, in_the_way }, aside)
    }

    /// One that is never saved.
    pub fn empty() -> Ledger {
        Ledger { dir: PathBuf::new(), next: 1, jobs: Vec::new(), in_the_way: Cell::new(false) }
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
        if self.in_the_way.get() && set_aside(&self.dir, NAME).is_none() {
            return Err(io::Error::other("an older list lies there that can be neither read nor moved"));
        }
        self.in_the_way.set(false);
        let text = self.text()?;
        let next = self.dir.join(NEXT);
        let written = write_whole(&next, &text).and_then(|()| fs::rename(&next, self.dir.join(NAME)));
        if written.is_err() {
            // A half-written file helps nobody and may be what fills the disk.
            let _ = fs::remove_file(&next);
        }
        written?;
        File::open(&self.dir)?.sync_all()
    }

    /// Never longer than what is read again: the oldest jobs are left out.
    fn text(&self) -> io::Result<Vec<u8>> {
        let mut jobs: Vec<&JobView> = self.jobs.iter().map(Arc::as_ref).collect();
        loop {
            let text = serde_json::to_vec(&PagesOut { schema: SCHEMA, next: self.next, jobs: &jobs })?;
            if text.len() <= MOST_BYTES || jobs.pop().is_none() {
                return Ok(text);
            }
        }
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// What is known of a ledger.
struct Known {
    next: u64,
    jobs: Vec<JobView>,
}

impl Default for Known {
    fn default() -> Known {
        Known { next: 1, jobs: Vec::new() }
    }
}

/// What is known, and what was wrong with the rest.
fn read(path: &Path) -> Result<(Known, Option<Wrong>), Wrong> {
    let Some(text) = bytes(path).map_err(|error| Wrong::Unreadable(error.to_string()))? else {
        return Ok((Known::default(), None));
    };
    let unreadable = |error: serde_json::Error| Wrong::Unreadable(error.to_string());
    let head: Head = serde_json::from_slice(&text).map_err(unreadable)?;
    match head.schema {
        SCHEMA => {}
        newer if newer > SCHEMA => return Err(Wrong::Newer(newer)),
        other => return Err(Wrong::Unreadable(format!("there is no version {other} of it"))),
    }
    let pages: Pages = serde_json::from_slice(&text).map_err(unreadable)?;
    let all = pages.jobs.len();
    let read =
        |job| serde_json::from_value::<JobView>(job).inspect_err(|error| log::warn!("a job of the ledger: {error}"));
    let jobs: Vec<JobView> = pages.jobs.into_iter().filter_map(|job| read(job).ok()).collect();
    let lost = all - jobs.len();
    Ok((Known { next: pages.next, jobs }, (lost > 0).then_some(Wrong::Partly(lost))))
}

/// `None`: there is no such file.
fn bytes(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let meta = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    // A pipe would be waited for without end.
    if !meta.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = Vec::new();
    File::open(path)?.take(MOST_BYTES as u64 + 1).read_to_end(&mut text)?;
    if text.len() > MOST_BYTES {
        return Err(io::Error::other("it is too large to be one of ours"));
    }
    Ok(Some(text))
}

/// What a crash left half-written goes. A folder is not ours: it is put out of the way.
fn clear_way(dir: &Path) {
    let next = dir.join(NEXT);
    let is_folder = fs::symlink_metadata(&next).is_ok_and(|meta| meta.is_dir());
    if is_folder {
        set_aside(dir, NEXT);
    } else {
        let _ = fs::remove_file(next);
    }
}

/// Moves a file or folder of `dir` to the first free name, and says which; `None`: it could not be moved.
fn set_aside(dir: &Path, name: &str) -> Option<PathBuf> {
    let free = |to: &PathBuf| fs::symlink_metadata(to).is_err();
    let to = (1..10_000).map(|number| dir.join(format!("ledger.set-aside-{number}.json"))).find(free)?;
    fs::rename(dir.join(name), &to).is_ok().then_some(to)
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

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = include_str!("../../tests/fixtures/ledgers/1-first.ledger");

    fn opened(text: &str) -> (tempfile::TempDir, Ledger, Option<SetAside>) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(NAME), text).unwrap();
        let (ledger, aside) = Ledger::open(dir.path());
        (dir, ledger, aside)
    }

    #[test]
    fn what_is_saved_is_never_too_long_to_be_read() {
        let (dir, mut ledger, _) = opened(FIRST);
        let one = JobView::clone(&ledger.jobs()[0]);
        for id in 10..60 {
            let detail = Some("x".repeat(100_000));
            ledger.put(Arc::new(JobView { id: JobId(id), detail, ..one.clone() }));
        }
        ledger.save().unwrap();
        let (again, aside) = Ledger::open(dir.path());
        assert_eq!(aside, None);
        let ids: Vec<u64> = again.jobs().iter().map(|job| job.id.0).collect();
        // The newest ones, without a gap.
        assert!(ids.len() > 15 && ids.len() < 21, "{ids:?}");
        assert_eq!(ids, (60 - ids.len() as u64..60).rev().collect::<Vec<_>>());
    }

    #[test]
    fn numbers_of_jobs_go_on_whatever_was_lost() {
        let cases = [
            (FIRST.to_string(), 5),
            (FIRST.replace("\"next\":5", "\"next\":1"), 5),
            (FIRST.replace("\"next\":5", "\"next\":50"), 50),
            ("{".into(), 1),
        ];
        for (text, want) in cases {
            assert_eq!(opened(&text).1.next_id(), JobId(want), "{text:.60}");
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir(dir.path().join("logs")).unwrap();
            for name in ["sd-swap-job-70.txt", "sd-swap-job-9.txt", "sd-swap-job-x.txt", "sd-swap-job-99.txt.gz", "100"]
            {
                fs::write(dir.path().join("logs").join(name), "").unwrap();
            }
            fs::write(dir.path().join(NAME), text).unwrap();
            assert_eq!(Ledger::open(dir.path()).0.next_id(), JobId(71));
        }
    }

    #[test]
    fn one_that_lies_in_the_way_is_never_written_over() {
        let (dir, ledger, _) = opened("{");
        // As if it could not have been moved.
        fs::rename(dir.path().join("ledger.set-aside-1.json"), dir.path().join(NAME)).unwrap();
        ledger.in_the_way.set(true);
        ledger.save().unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("ledger.set-aside-1.json")).unwrap(), "{");
        let gone = Ledger { dir: "/sys/sd-swap".into(), in_the_way: Cell::new(true), ..Ledger::empty() };
        assert!(gone.save().unwrap_err().to_string().contains("neither read nor moved"));
    }
}
