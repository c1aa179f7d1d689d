//! The page of a job's whole life, and the parts of it that change.

use askama::Template;

use super::announce;
use super::steps::{self, Step};
use super::words;
use crate::domain::job::{JobState, JobView, Warning};
use crate::domain::problem::{Problem, Words};
use crate::domain::stage::Stage;
use crate::texts::Language;
use crate::web::events::Part;
use crate::web::links::Links;
use crate::web::{Shell, Site, now, words as facts};

#[derive(Template)]
#[template(path = "job.html", blocks = ["state", "tick", "acts", "steps", "technical"])]
pub struct JobPage {
    pub shell: Shell,
    pub connect: String,
    pub pulse: String,
    pub quiet: bool,
    pub title: String,
    card: String,
    place: String,
    // state
    pub state: JobState,
    heading: String,
    /// What is on the card now, or what must not be done to it.
    sentence: Option<String>,
    problem: Option<Words>,
    silent: Option<Words>,
    gaps: Vec<String>,
    warnings: Vec<String>,
    // tick
    pub over: bool,
    percent: u8,
    left: String,
    amount: Option<String>,
    in_step: bool,
    /// As shown, and as a screen reader should say it.
    rate: Option<(String, String)>,
    waiting: Option<String>,
    // acts
    /// How far it was when a page without moving numbers was loaded.
    pub stood_at: Option<u8>,
    stop: Option<String>,
    again: Option<String>,
    swap: Option<String>,
    log: String,
    certificate: Option<String>,
    toggle: String,
    // steps
    steps: Vec<Step>,
    technical: Vec<(String, String)>,
}

impl JobPage {
    pub fn new(site: &Site, t: Language, job: &JobView, quiet: bool) -> JobPage {
        let over = job.state.is_over();
        let shell = Shell { live: !over, quiet, ..site.shell(t, Links::JOB, true) };
        let (links, main, done) = (shell.links, job.main_stage(), job.state == JobState::Done);
        let alone = main.filter(|s| s.stage == Stage::Backup);
        let (gaps, warnings): (Vec<_>, Vec<_>) = job.warnings.iter().partition(|w| done && w.is_gap());
        let said = |warnings: Vec<&Warning>| warnings.into_iter().map(|w| w.text.said_in(t)).collect();
        JobPage {
            connect: String::new(),
            pulse: String::new(),
            quiet,
            title: words::title(t, job, quiet),
            card: job.card.name.clone(),
            place: place(site, t, job),
            state: job.state,
            heading: words::heading(t, job),
            sentence: words::sentence(t, job),
            problem: words::problem(t, job),
            silent: words::silent(t, job),
            gaps: said(gaps),
            warnings: said(warnings),
            over,
            percent: job.percent,
            left: facts::time_left(t, job.remaining, alone),
            amount: main.and_then(|s| facts::amount(t, s.amount)),
            in_step: main.is_some_and(|s| s.amount.total.is_some()),
            rate: main.and_then(|s| facts::rate(t, s.rate)).map(|rate| (rate.clone(), facts::rate_aloud(t, &rate))),
            waiting: words::waiting(t, job),
            stood_at: None,
            stop: stop_link(job, &links),
            again: again_link(site, job, &links),
            swap: done.then(|| links.swap(job.id)),
            log: links.log(job.id),
            certificate: done.then(|| links.certificate(job.id)),
            toggle: links.quiet(job.id, !quiet),
            steps: job.stages.iter().map(|stage| Step::new(t, job, stage, quiet)).collect(),
            technical: technical(t, job),
            shell,
        }
    }

    /// What changes, and whether a page that is loaded now is still to hear what was said last.
    pub fn parts(&self, site: &Site, job: &JobView) -> (Vec<Part>, bool) {
        let t = self.shell.t;
        let (say, fresh) = site.announcer.say(t, job, now());
        let state = Part::new("state", &self.as_state());
        let mut parts = vec![
            if self.quiet { state.with_title(&self.title) } else { state },
            Part::new("acts", &self.as_acts()),
            Part::new("steps", &self.as_steps()).about(&steps::about(t, job, self.quiet)),
            say,
            announce::shout(t, job),
        ];
        // Nothing moves on a quiet page but what is told above.
        if !self.quiet {
            parts.push(Part::new("tick", &self.as_tick()).with_title(&self.title));
            parts.push(Part::new("technical", &self.as_technical()));
        }
        (parts, fresh)
    }
}

fn stop_link(job: &JobView, links: &Links) -> Option<String> {
    let committing = job.main_stage().is_some_and(|s| !s.stage.can_be_stopped());
    (job.state == JobState::Running && !committing).then(|| links.stop(job.id))
}

/// The same disk again, with the backup that was made and as it was asked for; home, if it is not plugged in or should not be used.
fn again_link(site: &Site, job: &JobView, links: &Links) -> Option<String> {
    let bad = matches!(job.problem, Some(Problem::CardCounterfeit { .. } | Problem::CardUnreliable { .. }));
    if !job.state.is_over() || job.state == JobState::Done || bad {
        return None;
    }
    let there = site.jobs.disks().find(&job.card.id).is_some();
    there.then(|| links.use_card_again(&job.card.id, job.made.backup.as_ref(), job.request.carry.system))
}

fn place(site: &Site, t: Language, job: &JobView) -> String {
    site.jobs.disks().find(&job.card.id).map(|d| facts::place(t, &d.disk)).unwrap_or_default()
}

fn technical(t: Language, job: &JobView) -> Vec<(String, String)> {
    let mut rows = vec![
        (t.say("technical-job"), job.id.to_string()),
        (t.say("technical-device"), job.card.path.display().to_string()),
        (t.say("technical-fingerprint"), job.card.fingerprint.to_string()),
    ];
    let mut row = |name: &str, value: Option<String>| rows.extend(value.map(|value| (t.say(name), value)));
    row("technical-board", job.made.board.map(|board| board.slug().into()));
    row("technical-image", job.made.image_name.clone());
    row("technical-backup", job.made.backup.as_ref().map(ToString::to_string));
    row("technical-cause", job.detail.clone());
    rows
}
