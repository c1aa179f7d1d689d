//! A job's whole life: progress, its end, and the page that asks before stopping.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::card::token_of;
use super::events::{self, Asked, Look, Part, Seen, Source, Watched};
use super::links::Links;
use super::{Shell, Site, error, words};
use crate::domain::job::{JobId, JobState, JobView, StageState, StageView};
use crate::domain::problem::{Problem, Words};
use crate::domain::stage::Stage;
use crate::jobs::StopError;

/// From here on a silent card is spoken of, and then it is a problem; in seconds.
const SILENT: u64 = 30;
const VERY_SILENT: u64 = 120;

#[derive(Template)]
#[template(path = "job.html", blocks = ["state", "tick", "acts", "steps"])]
struct JobPage {
    shell: Shell,
    connect: String,
    pulse: String,
    quiet: bool,
    title: String,
    card: String,
    place: String,
    // state
    state: JobState,
    heading: String,
    /// What is on the card now, or what must not be done to it.
    sentence: Option<&'static str>,
    problem: Option<Words>,
    detail: Option<String>,
    warnings: Vec<String>,
    next_steps: Option<NextSteps>,
    // tick
    over: bool,
    percent: u8,
    left: String,
    amount: Option<String>,
    rate: Option<String>,
    waiting: Option<&'static str>,
    silent: Option<Words>,
    // acts
    stop: Option<String>,
    again: Option<String>,
    toggle: String,
    // steps
    steps: Vec<Step>,
    technical: Vec<(&'static str, String)>,
}

struct Step {
    name: String,
    state: String,
    note: Option<String>,
    class: &'static str,
    icon: &'static str,
    now: bool,
}

/// What to do with the finished card.
struct NextSteps {
    addresses: Vec<String>,
    backup: Option<String>,
}

impl JobPage {
    fn new(site: &Site, job: &JobView, quiet: bool) -> JobPage {
        let over = job.state.is_over();
        let shell = Shell { live: !over && !quiet, ..site.shell(Links::JOB, true) };
        let main = job.main_stage();
        let alone = main.filter(|s| s.stage == Stage::Backup);
        let at_card = main.is_some_and(|s| is_at_card(s.stage));
        JobPage {
            connect: String::new(),
            pulse: String::new(),
            quiet,
            title: title(job),
            card: job.card.name.clone(),
            place: place(site, job),
            state: job.state,
            heading: heading(job),
            sentence: sentence(job),
            problem: problem(job),
            detail: job.detail.clone(),
            warnings: job.warnings.iter().map(|w| w.text.clone()).collect(),
            next_steps: (job.state == JobState::Done).then(|| NextSteps::new(site, job)),
            over,
            percent: job.percent,
            left: words::time_left(job.remaining, alone),
            amount: main.and_then(|s| words::amount(s.amount)),
            rate: main.and_then(|s| words::rate(s.rate)),
            waiting: waiting(job, at_card),
            silent: (at_card && job.quiet >= VERY_SILENT)
                .then(|| Problem::CardSilent { minutes: job.quiet / 60 }.words()),
            stop: stop_link(job, &shell.links),
            again: again_link(site, job, &shell.links),
            toggle: shell.links.quiet(job.id, !quiet),
            steps: job.stages.iter().map(|stage| Step::new(job, stage)).collect(),
            technical: technical(job),
            shell,
        }
    }

    fn parts(&self, job: &JobView) -> Vec<Part> {
        let mut parts = vec![
            Part::new("state", &self.as_state()),
            Part::new("acts", &self.as_acts()),
            Part::new("steps", &self.as_steps()),
            said("say", say(job)),
            said("shout", shout(job)),
        ];
        if !self.quiet || self.over {
            parts.push(Part::new("tick", &self.as_tick()).with_title(&self.title));
        }
        parts
    }
}

fn said(name: &'static str, (about, text): (String, String)) -> Part {
    Part::said(name, &about, &text)
}

fn is_at_card(stage: Stage) -> bool {
    matches!(stage, Stage::Write | Stage::Verify | Stage::Grow | Stage::Inject | Stage::Commit)
}

fn title(job: &JobView) -> String {
    match job.state {
        JobState::Running => {
            let doing = job.main_stage().map_or("Beginning".into(), |s| capital(s.stage.doing()));
            format!("{} % · {doing}", job.percent)
        }
        JobState::Stopping => "Stopping".into(),
        JobState::Cancelled => "Stopped".into(),
        JobState::Failed => "Failed · Making the new card".into(),
        JobState::Interrupted => "Interrupted · Making the new card".into(),
        JobState::Done => "Ready · The new card".into(),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn heading(job: &JobView) -> String {
    match job.state {
        JobState::Running => match job.main_stage() {
            Some(view) => {
                let number = job.stages.iter().position(|s| s.stage == view.stage).map_or(1, |n| n + 1);
                format!("Step {number} of {}: {}", job.stages.len(), view.stage.doing())
            }
            None => "Beginning".into(),
        },
        JobState::Stopping => "Stopping. Do not pull the card yet.".into(),
        JobState::Cancelled => "Stopped.".into(),
        JobState::Failed => match job.last_stage() {
            Some(stage) => format!("Stopped at: {}", stage.sentence(version(job).as_deref())),
            None => "Stopped".into(),
        },
        JobState::Interrupted => "The app was restarted".into(),
        JobState::Done => "The new card is ready".into(),
    }
}

fn version(job: &JobView) -> Option<String> {
    job.made.version.as_ref().map(ToString::to_string)
}

fn sentence(job: &JobView) -> Option<&'static str> {
    match job.state {
        JobState::Running if job.is_untouched() => Some("Nothing on the card has been changed so far."),
        JobState::Running => Some("Do not pull the card."),
        JobState::Stopping | JobState::Done => None,
        JobState::Cancelled | JobState::Failed | JobState::Interrupted => Some(job.card_now.sentence()),
    }
}

fn problem(job: &JobView) -> Option<Words> {
    match job.state {
        JobState::Failed => {
            let unknown = Problem::Unexpected { short: "The job ended without saying why".into() };
            Some(job.problem.clone().unwrap_or(unknown).words())
        }
        JobState::Interrupted => {
            let restarted = Problem::Restarted { stage: job.last_stage() };
            Some(job.problem.clone().unwrap_or(restarted).words())
        }
        _ => None,
    }
}

fn waiting(job: &JobView, at_card: bool) -> Option<&'static str> {
    match job.quiet {
        0..SILENT => None,
        _ if at_card => Some("Waiting for the card. Some cards pause for a while."),
        _ if job.main_stage().is_some_and(|s| s.stage == Stage::Download) => Some("Waiting for the download."),
        _ => None,
    }
}

fn stop_link(job: &JobView, links: &Links) -> Option<String> {
    let committing = job.main_stage().is_some_and(|s| !s.stage.can_be_stopped());
    (job.state == JobState::Running && !committing).then(|| links.stop(job.id))
}

/// The same disk again, with the backup that was made; home, if it is not plugged in.
fn again_link(site: &Site, job: &JobView, links: &Links) -> Option<String> {
    if !job.state.is_over() || job.state == JobState::Done {
        return None;
    }
    let there = site.jobs.disks().find(&job.card.id).is_some();
    there.then(|| links.use_card_again(&job.card.id, job.made.backup.as_ref()))
}

fn place(site: &Site, job: &JobView) -> String {
    site.jobs.disks().find(&job.card.id).map(|d| words::place(&d.disk)).unwrap_or_default()
}

fn technical(job: &JobView) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("Job", job.id.to_string()),
        ("Device", job.card.path.display().to_string()),
        ("Fingerprint", job.card.fingerprint.to_string()),
    ];
    let mut row = |name, value: Option<String>| rows.extend(value.map(|value| (name, value)));
    row("Board", job.made.board.map(|board| board.slug().into()));
    row("Image", job.made.image_name.clone());
    row("Backup", job.made.backup.as_ref().map(ToString::to_string));
    rows
}

impl Step {
    fn new(job: &JobView, view: &StageView) -> Step {
        let running = view.state == StageState::Running;
        let over = job.state.is_over();
        let aside = running && job.main_stage().is_some_and(|main| main.stage != view.stage);
        let (class, icon) = match view.state {
            StageState::Waiting => ("waiting", "circle"),
            StageState::Running if over => ("failed", "cross"),
            StageState::Running => ("now", "play"),
            StageState::Done => ("done", "check"),
            StageState::Skipped => ("skipped", "dash"),
            StageState::Failed => ("failed", "cross"),
            StageState::Stopped => ("failed", "pause"),
        };
        let state = match view.state {
            StageState::Running if over => "stopped here".into(),
            StageState::Waiting if over => "not begun".into(),
            _ => words::step(view, aside),
        };
        Step {
            name: view.stage.sentence(version(job).as_deref()),
            state,
            note: view.note.clone().filter(|_| running && !over),
            class,
            icon,
            now: running && !aside && !over,
        }
    }
}

impl NextSteps {
    fn new(site: &Site, job: &JobView) -> NextSteps {
        let facts = &site.jobs.system().facts;
        let mut addresses: Vec<String> = facts.addresses.iter().take(1).map(|a| format!("http://{a}")).collect();
        addresses.push("http://homeassistant.local".into());
        NextSteps { addresses, backup: job.made.backup.as_ref().map(ToString::to_string) }
    }
}

/// What is said aloud, politely: only when the stage or the quarter changes, never with each number.
fn say(job: &JobView) -> (String, String) {
    if job.state.is_over() && job.state != JobState::Failed {
        let sentence = sentence(job).unwrap_or("It was read back and compared. Take it out of the reader now.");
        return (format!("{:?}", job.state), format!("{} {sentence}", heading(job)));
    }
    if job.state != JobState::Running {
        return (String::new(), String::new());
    }
    let (quarter, how_far) = match job.percent {
        0..25 => (0, ""),
        25..50 => (1, "A quarter done. "),
        50..75 => (2, "Half done. "),
        _ => (3, "Three quarters done. "),
    };
    let stalled = job.quiet >= VERY_SILENT;
    let doing = job.main_stage().map(|s| s.stage.sentence(version(job).as_deref())).unwrap_or_default();
    let left = job.remaining.map(|_| words::time_left(job.remaining, None) + ".").unwrap_or_default();
    let stall = if stalled { " The card does not answer." } else { "" };
    let stage = job.main_stage().map(|s| s.stage);
    (format!("{stage:?} {quarter} {stalled}"), format!("{how_far}{doing}. {left}{stall}"))
}

/// What cannot wait.
fn shout(job: &JobView) -> (String, String) {
    match job.state {
        JobState::Stopping => ("stopping".into(), heading(job)),
        JobState::Failed => {
            let words = problem(job).map(|w| format!("{}. {}", w.title, w.todo)).unwrap_or_default();
            ("failed".into(), format!("{}. {words}", heading(job)))
        }
        _ => (String::new(), String::new()),
    }
}

fn source(id: JobId, quiet: bool) -> Source {
    Source { events: Links::JOB.job_events(id), live: Links::JOB.job_live(id), quiet }
}

/// The job that the path names.
fn find(req: &HttpRequest, site: &Site) -> Option<Arc<JobView>> {
    let id: u64 = req.match_info().get("id")?.parse().ok()?;
    site.jobs.job(JobId(id))
}

pub async fn get(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let Some(job) = find(&req, &site) else { return error::not_found(&req) };
    let quiet = Asked::of(&req).is_quiet();
    let mut page = JobPage::new(&site, &job, quiet);
    if !page.over {
        let (source, seen) = (source(job.id, quiet), Seen::of(&page.parts(&job)));
        (page.connect, page.pulse) = (source.connect(&seen), source.pulse(&seen));
    }
    error::html(StatusCode::OK, &page)
}

fn look(site: &Site, job: &JobView, quiet: bool) -> Look {
    Look { parts: JobPage::new(site, job, quiet).parts(job), over: job.state.is_over() }
}

pub async fn live(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let Some(job) = find(&req, &site) else { return error::not_found(&req) };
    let asked = Asked::of(&req);
    events::live(&asked, &source(job.id, asked.is_quiet()), look(&site, &job, asked.is_quiet()))
}

pub async fn events(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let Some(job) = find(&req, &site) else { return error::not_found(&req) };
    let quiet = Asked::of(&req).is_quiet();
    let (watched, id, mut last) = (site.clone(), job.id, job);
    let again = move || {
        if let Some(newer) = watched.jobs.job(id) {
            last = newer;
        }
        look(&watched, &last, quiet)
    };
    events::stream(&req, &site, Watched::JobsOnly, source(id, quiet), again)
}

#[derive(Template)]
#[template(path = "stop.html")]
struct StopPage {
    shell: Shell,
    token: String,
    card: String,
    sentence: &'static str,
    backup_goes_on: bool,
    can: bool,
    back: String,
    action: String,
    /// The form was from before a restart.
    stale: bool,
}

impl StopPage {
    fn new(site: &Site, job: &JobView, stale: bool) -> StopPage {
        let shell = site.shell(Links::STOP, false);
        let stage = job.main_stage().map(|s| s.stage);
        StopPage {
            token: site.token.clone(),
            card: job.card.name.clone(),
            sentence: words::if_stopped(stage, job.is_untouched()),
            backup_goes_on: job.stage(Stage::Backup).is_some_and(|s| s.state == StageState::Running),
            can: stage.is_none_or(Stage::can_be_stopped),
            back: shell.links.job(job.id),
            action: shell.links.stop(job.id),
            stale,
            shell,
        }
    }
}

pub async fn stop_page(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let Some(job) = find(&req, &site) else { return error::not_found(&req) };
    if job.state != JobState::Running {
        return error::see_other(Links::STOP.job(job.id));
    }
    error::html(StatusCode::OK, &StopPage::new(&site, &job, false))
}

pub async fn stop(req: HttpRequest, site: web::Data<Site>, payload: web::Payload) -> HttpResponse {
    let Some(job) = find(&req, &site) else { return error::not_found(&req) };
    let token = match token_of(&req, payload).await {
        Ok(token) => token,
        Err(status) => return error::bad_form(&req, status),
    };
    if job.state != JobState::Running {
        return error::see_other(Links::STOP.job(job.id));
    }
    if !site.token_fits(&token) {
        return error::html(StatusCode::CONFLICT, &StopPage::new(&site, &job, true));
    }
    match site.jobs.stop(job.id).await {
        Ok(()) | Err(StopError::Over) => error::see_other(Links::STOP.job(job.id)),
        Err(StopError::Committing) => error::see_other(Links::STOP.job(job.id)),
        Err(StopError::NoJob) => error::not_found(&req),
        Err(StopError::Closing) => {
            let short = Problem::Unexpected { short: "The app is ending".into() };
            error::problem(&req, StatusCode::SERVICE_UNAVAILABLE, &short)
        }
    }
}
