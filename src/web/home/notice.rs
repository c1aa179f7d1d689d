//! What home says on top: how far the running job is, or at most one notice.

use crate::domain::job::{JobState, JobView};
use crate::domain::problem::{Problem, Words};
use crate::domain::system::SystemView;
use crate::jobs::{AllJobs, DiskList};
use crate::web::{Shell, words};

pub struct Running {
    pub link: String,
    pub name: String,
    pub percent: u8,
    pub left: String,
    pub stopping: bool,
}

impl Running {
    pub fn new(job: &JobView, shell: &Shell) -> Running {
        Running {
            link: shell.links.job(job.id),
            name: job.card.name.clone(),
            percent: job.percent,
            left: words::time_left(shell.t, job.remaining, None),
            stopping: job.state == JobState::Stopping,
        }
    }
}

pub struct Notice {
    pub tone: &'static str,
    pub icon: &'static str,
    pub words: Vec<Words>,
    /// What to press, and where it leads.
    pub link: Option<Way>,
    pub more: Option<Way>,
}

pub struct Way {
    pub link: String,
    pub words: String,
    /// Leads into the whole window.
    pub top: bool,
}

/// No choice on the confirm page makes these go away.
pub fn is_lasting(problem: &Problem) -> bool {
    use Problem as P;
    matches!(problem, P::NotHaos | P::NoImageForBoard { .. } | P::SupervisorSilent { .. } | P::StillStarting)
}

impl Notice {
    /// What came of the last card if it waits to be used, before what keeps another one from being made.
    pub fn of(system: &SystemView, jobs: &AllJobs, disks: &DiskList, shell: &Shell) -> Option<Notice> {
        let newest = jobs.first();
        if let Some(job) = newest.filter(|job| job.state == JobState::Done) {
            return Some(ready(job, disks, shell));
        }
        if !system.problems.is_empty() {
            let words = system.problems.iter().map(|problem| problem.words_in(shell.t)).collect();
            return Some(Notice { tone: "warn", icon: "warning", words, link: None, more: None });
        }
        newest.filter(|job| job.state == JobState::Interrupted).map(|job| interrupted(job, shell))
    }
}

fn ready(job: &JobView, disks: &DiskList, shell: &Shell) -> Notice {
    let t = shell.t;
    // Letters are given anew after a restart: what has the card's name now may be another disk.
    let inside = disks.find(&job.card.id).is_some_and(|d| d.disk.size == job.card.size);
    let words = Words {
        title: t.say("home-ready"),
        happened: t.with("home-ready-made", "name", &job.card.name),
        todo: t.say(if inside { "home-ready-take-out" } else { "home-ready-swap" }),
    };
    let swap = Way { link: shell.links.swap(job.id), words: t.say("home-swap-now"), top: true };
    let more = Way { link: shell.links.job(job.id), words: t.say("home-see-done"), top: false };
    Notice { tone: "ok", icon: "check", words: vec![words], link: Some(swap), more: Some(more) }
}

fn interrupted(job: &JobView, shell: &Shell) -> Notice {
    let problem = job.problem.clone().unwrap_or(Problem::Restarted { stage: job.last_stage() });
    let mut words = problem.words_in(shell.t);
    words.happened = format!("{} {}", words.happened, job.card_now.said_in(shell.t));
    let link = Way { link: shell.links.job(job.id), words: shell.t.say("home-see-done"), top: false };
    Notice { tone: "warn", icon: "warning", words: vec![words], link: Some(link), more: None }
}
