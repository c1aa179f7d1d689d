//! The script's clock, and the requests that came.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::moves;
use super::script::{Gate, Post, Reply, Script};

const RESTORE: &str = "/api/onboarding/backup/restore";
const ONBOARDING: &str = "/api/onboarding";
const INFO: &str = "/api/onboarding/backup/info";

/// A request that came.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// In seconds of the script, counted without its pauses.
    pub at: f64,
    pub gate: Gate,
    pub method: String,
    pub path: String,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn is_restore(&self) -> bool {
        self.method == "POST" && self.path == RESTORE
    }
}

/// Where the script's time was at an instant of the clock.
struct Clock {
    t: f64,
    since: Instant,
    held: bool,
}

struct State {
    clock: Clock,
    asked: Vec<Asked>,
    posts: usize,
    /// What the last restore request made of the list.
    info: Option<Reply>,
}

pub struct Play {
    script: Script,
    speed: f64,
    pub main: u16,
    began: Instant,
    state: Mutex<State>,
}

/// What to do with a request.
pub struct Answer {
    pub reply: Reply,
    pub wait: Duration,
}

impl Play {
    pub fn new(script: Script, speed: f64, main: u16) -> Play {
        let clock = Clock { t: 0.0, since: Instant::now(), held: true };
        let state = State { clock, asked: Vec::new(), posts: 0, info: None };
        Play { script, speed, main, began: Instant::now(), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    fn now(&self, clock: &Clock) -> f64 {
        let now = clock.t + clock.since.elapsed().as_secs_f64() * self.speed;
        match self.script.hold.filter(|_| clock.held) {
            Some(hold) => now.min(hold),
            None => now,
        }
    }

    pub fn listens(&self, gate: Gate) -> bool {
        let now = self.now(&self.state().clock);
        self.script.listens(gate, now)
    }

    /// So many seconds of the script, by the clock.
    pub fn clock(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64((seconds / self.speed).max(0.0))
    }

    pub fn answer(&self, gate: Gate, method: &str, path: &str, body: Vec<u8>) -> Answer {
        let path = path.split('?').next().unwrap_or_default();
        let mut state = self.state();
        let at = self.began.elapsed().as_secs_f64() * self.speed;
        let asked = Asked { at, gate, method: method.into(), path: path.into(), body };
        let is_restore = asked.is_restore();
        state.asked.push(asked);
        if let Some(post) = self.post(gate, state.posts).filter(|_| is_restore) {
            return self.restore(&mut state, post);
        }
        let now = self.now(&state.clock);
        let replaced = state.info.clone().filter(|_| gate == Gate::Main && method == "GET" && path == INFO);
        let key = (gate, method.to_string(), path.to_string());
        let reply = replaced.or_else(|| self.script.at(&key, now).cloned());
        let reply = reply.unwrap_or_else(|| self.usual(gate, method, path));
        let wait = if let Reply::Http { delay, .. } = &reply { self.clock(*delay) } else { Duration::ZERO };
        Answer { reply, wait }
    }

    fn post(&self, gate: Gate, n: usize) -> Option<&Post> {
        self.script.posts.get(n).or(self.script.posts.last()).filter(|_| gate == Gate::Main)
    }

    fn restore(&self, state: &mut State, post: &Post) -> Answer {
        state.posts += 1;
        state.info.clone_from(&post.info);
        let wait = match post.runs {
            None => Duration::ZERO,
            Some(run) => {
                state.clock = Clock { t: run.from, since: Instant::now(), held: false };
                self.clock(run.ends - run.from)
            }
        };
        Answer { reply: post.reply.clone(), wait }
    }

    /// What was not recorded: a fresh Core.
    fn usual(&self, gate: Gate, method: &str, path: &str) -> Reply {
        match (gate, method, path) {
            (Gate::Old, _, _) => Reply::redirect(path),
            (_, "GET", ONBOARDING) => Reply::json(200, &moves::fresh_steps()),
            (_, "GET", INFO) => Reply::json(200, &moves::info(&moves::backups("5e1f2a90"), "idle", None)),
            _ => Reply::missing(),
        }
    }
}
