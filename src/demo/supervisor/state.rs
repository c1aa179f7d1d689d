//! What the parts of a stand-in share.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::config::StandinConfig;
use super::fault::{AnswerFault, BackupFault, Fault};
use super::gate::Order;
use crate::supervisor::read_backup_json;

/// A request as it came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// The token was the right one.
    pub known: bool,
    /// The JSON of its body, `Null` where there was none.
    pub body: Value,
}

/// A job as `/jobs/info` shows it (HA §1.7).
#[derive(Debug, Clone, Serialize)]
pub struct Job {
    pub name: String,
    pub reference: Option<String>,
    pub uuid: String,
    pub progress: f64,
    pub stage: Option<String>,
    pub done: Option<bool>,
    pub errors: Vec<Value>,
    pub created: String,
    pub extra: Value,
    pub child_jobs: Vec<Job>,
}

impl Job {
    pub fn new(name: &str, reference: Option<&str>) -> Job {
        Job {
            name: name.into(),
            reference: reference.map(String::from),
            uuid: random_hex(16),
            progress: 0.0,
            stage: None,
            done: Some(false),
            errors: Vec::new(),
            created: now(),
            extra: Value::Null,
            child_jobs: Vec::new(),
        }
    }

    /// Ended well, or with an error.
    pub fn end(&mut self, error: Option<Value>) {
        self.done = Some(true);
        self.progress = if error.is_some() { 0.0 } else { 100.0 };
        self.errors.extend(error);
    }
}

/// A backup in the list: its `backup.json` and its file.
#[derive(Debug, Clone)]
pub struct Stored {
    pub facts: Value,
    pub path: PathBuf,
    pub size: u64,
}

impl Stored {
    pub fn slug(&self) -> &str {
        self.facts["slug"].as_str().unwrap_or_default()
    }
}

pub struct State {
    pub config: StandinConfig,
    pub faults: Vec<Fault>,
    pub requests: Vec<Request>,
    /// Newest first.
    pub jobs: Vec<Job>,
    pub backups: Vec<Stored>,
    /// A backup runs: the state is `freeze`.
    pub frozen: bool,
    /// Grows when the Supervisor dies; what belongs to an older life ends.
    pub life: u64,
}

pub struct Shared {
    state: Mutex<State>,
    orders: watch::Sender<Order>,
}

impl Shared {
    pub fn new(config: StandinConfig) -> Shared {
        let state = State {
            config,
            faults: Vec::new(),
            requests: Vec::new(),
            jobs: Vec::new(),
            backups: Vec::new(),
            frozen: false,
            life: 0,
        };
        let shared = Shared { state: Mutex::new(state), orders: watch::Sender::new(Order::default()) };
        shared.reload();
        shared
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn config(&self) -> StandinConfig {
        self.state().config.clone()
    }

    pub fn orders(&self) -> watch::Receiver<Order> {
        self.orders.subscribe()
    }

    pub fn is_closing(&self) -> bool {
        self.orders.borrow().closing
    }

    /// Lists every `*.tar` with a `backup.json`; of two with the same slug one.
    pub fn reload(&self) {
        let dir = self.config().backup_dir;
        let paths = std::fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
        let mut backups: Vec<Stored> = Vec::new();
        for path in paths.filter(|path| path.extension().is_some_and(|end| end == "tar")) {
            let Some(stored) = stored(path) else { continue };
            if !backups.iter().any(|have| have.slug() == stored.slug()) {
                backups.push(stored);
            }
        }
        self.state().backups = backups;
    }

    pub fn kill(&self, down: Duration) {
        {
            let mut state = self.state();
            state.life += 1;
            state.jobs.clear();
            state.frozen = false;
        }
        self.orders.send_modify(|order| {
            order.cuts += 1;
            order.down_until = Some(Instant::now() + down);
        });
        self.reload();
    }

    pub fn cut(&self) {
        self.orders.send_modify(|order| order.cuts += 1);
    }

    pub fn close(&self) {
        self.state().life += 1;
        self.orders.send_modify(|order| order.closing = true);
    }

    /// Changes a job at the top, if it is still there.
    pub fn job(&self, uuid: &str, change: impl FnOnce(&mut Job)) {
        if let Some(job) = self.state().jobs.iter_mut().find(|job| job.uuid == uuid) {
            change(job);
        }
    }

    pub fn backup_faults(&self) -> Vec<BackupFault> {
        let pick = |fault: &Fault| if let Fault::Backup(fault) = fault { Some(fault.clone()) } else { None };
        self.state().faults.iter().filter_map(pick).collect()
    }

    /// The fault that this request meets; one that counts is used up.
    pub fn answer_fault(&self, path: &str) -> Option<AnswerFault> {
        for fault in &mut self.state().faults {
            let Fault::Answer { how, path: only, times } = fault else { continue };
            let meant = only.as_ref().is_none_or(|only| path.starts_with(only.as_str())) && *times != Some(0);
            if meant {
                *times = times.map(|n| n - 1);
                return Some(how.clone());
            }
        }
        None
    }

    /// Whether such a fault was not cleared yet, used up or not.
    pub fn still(&self, how: &AnswerFault) -> bool {
        self.state().faults.iter().any(|f| matches!(f, Fault::Answer { how: set, .. } if set == how))
    }
}

fn stored(path: PathBuf) -> Option<Stored> {
    let facts: Value = serde_json::from_slice(&read_backup_json(&path).ok()?).ok()?;
    let size = std::fs::metadata(&path).ok()?.len();
    Some(Stored { facts, path, size })
}

pub fn random_hex(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    if getrandom::fill(&mut random).is_err() {
        // Without a source of randomness a clock still tells two backups apart.
        let nanos = time::OffsetDateTime::now_utc().unix_timestamp_nanos().to_le_bytes();
        random.iter_mut().zip(nanos.iter().cycle()).for_each(|(r, n)| *r = *n);
    }
    hex::encode(random)
}

pub fn now() -> String {
    let form = &time::format_description::well_known::Rfc3339;
    time::OffsetDateTime::now_utc().format(form).unwrap_or_default()
}

/// One of a job's errors.
pub fn job_error(kind: &str, message: &str, stage: Option<&str>) -> Value {
    json!({"type": kind, "message": message, "stage": stage, "error_key": null, "extra_fields": null})
}
