//! A job's whole life: progress, its end, and the page that asks before stopping.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::card::token_of;
use super::events::{self, Asked, Look, Part, Seen, Source, Watched};
use super::links::Links;
use super::{Shell, Site, error, language, words};
use crate::domain::job::{JobId, JobState, JobView, StageState, StageView};
use crate::domain::problem::{Problem, Words};
use crate::domain::stage::Stage;
use crate::jobs::StopError;
use crate::texts::Language;
use crate::texts::Phrase;

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
    sentence: Option<String>,
    problem: Option<Words>,
    detail: Option<String>,
    warnings: Vec<String>,
    next_steps: Option<NextSteps>,
    // tick
    over: bool,
    percent: u8,
    left: String,
    amount: Option<String>,
    /// As shown, and as a screen reader should say it.
    rate: Option<(String, String)>,
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
    fn new(site: &Site, t: Language, job: &JobView, quiet: bool) -> JobPage {
        let over = job.state.is_over();
        let shell = Shell { live: !over && !quiet, ..site.shell(t, Links::JOB, true) };
        let main = job.main_stage();
        let alone = main.filter(|s| s.stage == Stage::Backup);
        let at_card = main.is_some_and(|s| is_at_card(s.stage));
        JobPage {
            connect: String::new(),
            pulse: String::new(),
            quiet,
            title: title(t, job),
            card: job.card.name.clone(),
            place: place(site, t, job),
            state: job.state,
            heading: heading(job),
            sentence: sentence(t, job),
            problem: problem(t, job),
            detail: job.detail.clone(),
            warnings: job.warnings.iter().map(|w| w.text.said_in(t)).collect(),
            next_steps: (job.state == JobState::Done).then(|| NextSteps::new(site, job)),
            over,
            percent: job.percent,
            left: words::time_left(t, job.remaining, alone),
            amount: main.and_then(|s| words::amount(t, s.amount)),
            rate: main.and_then(|s| words::rate(t, s.rate)).map(|rate| (rate.clone(), words::rate_aloud(t, &rate))),
            waiting: waiting(job, at_card),
            silent: (at_card && job.quiet >= VERY_SILENT)
                .then(|| Problem::CardSilent { minutes: job.quiet / 60 }.words_in(t)),
            stop: stop_link(job, &shell.links),
            again: again_link(site, job, &shell.links),
            toggle: shell.links.quiet(job.id, !quiet),
            steps: job.stages.iter().map(|stage| Step::new(t, job, stage)).collect(),
            technical: technical(job),
            shell,
        }
    }

    fn parts(&self, job: &JobView) -> Vec<Part> {
        let mut parts = vec![
            Part::new("state", &self.as_state()),
            Part::new("acts", &self.as_acts()),
            Part::new("steps", &self.as_steps()),
            said("say", say(self.shell.t, job)),
            said("shout", shout(self.shell.t, job)),
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

fn title(t: Language, job: &JobView) -> String {
    match job.state {
        JobState::Running => {
            let doing = job.main_stage().map_or("Beginning".into(), |s| capital(&s.stage.doing_in(t)));
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

fn sentence(t: Language, job: &JobView) -> Option<String> {
    match job.state {
        JobState::Running if job.is_untouched() => Some("Nothing on the card has been changed so far.".into()),
        JobState::Running => Some("Do not pull the card.".into()),
        JobState::Stopping | JobState::Done => None,
        JobState::Cancelled | JobState::Failed | JobState::Interrupted => Some(job.card_now.said_in(t)),
    }
}

fn problem(t: Language, job: &JobView) -> Option<Words> {
    match job.state {
        JobState::Failed => {
            let unknown = Problem::Unexpected { short: Phrase::of("why-said-nothing") };
            Some(job.problem.clone().unwrap_or(unknown).words_in(t))
        }
        JobState::Interrupted => {
            let restarted = Problem::Restarted { stage: job.last_stage() };
            Some(job.problem.clone().unwrap_or(restarted).words_in(t))
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

fn place(site: &Site, t: Language, job: &JobView) -> String {
    site.jobs.disks().find(&job.card.id).map(|d| words::place(t, &d.disk)).unwrap_or_default()
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
    fn new(t: Language, job: &JobView, view: &StageView) -> Step {
        let running = view.state == StageState::Running;
        let over = job.state.is_over();
        // A backup that the Supervisor makes beside a stage that failed goes on there; nobody waits for it here.
        let ended = |s: &StageView| matches!(s.state, StageState::Failed | StageState::Stopped);
        let left = over && running && job.stages.iter().any(ended);
        let aside = running && job.main_stage().is_some_and(|main| main.stage != view.stage);
        let (class, icon) = match view.state {
            StageState::Waiting => ("waiting", "circle"),
            StageState::Running if left => ("skipped", "dash"),
            StageState::Running if over => ("failed", "cross"),
            StageState::Running => ("now", "play"),
            StageState::Done => ("done", "check"),
            StageState::Skipped => ("skipped", "dash"),
            StageState::Failed => ("failed", "cross"),
            StageState::Stopped => ("failed", "pause"),
        };
        let state = match view.state {
            StageState::Running if left => "not waited for".into(),
            StageState::Running if over => "stopped here".into(),
            StageState::Waiting if over => "not begun".into(),
            _ => words::step(t, view, aside),
        };
        Step {
            name: view.stage.sentence_in(t, version(job).as_deref()),
            state,
            note: view.note.as_ref().filter(|_| running && !over).map(|note| note.said_in(t)),
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
        let slug = || job.made.backup.as_ref().map(ToString::to_string);
        NextSteps { addresses, backup: job.made.backup_name.clone().or_else(slug) }
    }
}

/// What is said aloud, politely: only when the stage or the quarter changes, never with each number.
fn say(t: Language, job: &JobView) -> (String, String) {
    if job.state.is_over() && job.state != JobState::Failed {
        let sentence =
            sentence(t, job).unwrap_or_else(|| "It was read back and compared. Take it out of the reader now.".into());
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
    let left = job.remaining.map(|_| words::time_left(t, job.remaining, None) + ".").unwrap_or_default();
    let stall = if stalled { " The card does not answer." } else { "" };
    let stage = job.main_stage().map(|s| s.stage);
    (format!("{stage:?} {quarter} {stalled}"), format!("{how_far}{doing}. {left}{stall}"))
}

/// What cannot wait.
fn shout(t: Language, job: &JobView) -> (String, String) {
    match job.state {
        JobState::Stopping => ("stopping".into(), heading(job)),
        JobState::Failed => {
            let words = problem(t, job).map(|w| format!("{}. {}", w.title, w.todo)).unwrap_or_default();
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
    let mut page = JobPage::new(&site, language(&req), &job, quiet);
    if !page.over {
        let (source, seen) = (source(job.id, quiet), Seen::of(&page.parts(&job)));
        (page.connect, page.pulse) = (source.connect(&seen), source.pulse(&seen));
    }
    error::html(StatusCode::OK, &page)
}

fn look(site: &Site, t: Language, job: &JobView, quiet: bool) -> Look {
    Look { parts: JobPage::new(site, t, job, quiet).parts(job), over: job.state.is_over() }
}

pub async fn live(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let Some(job) = find(&req, &site) else { return error::not_found(&req) };
    let asked = Asked::of(&req);
    events::live(&asked, &source(job.id, asked.is_quiet()), look(&site, language(&req), &job, asked.is_quiet()))
}

pub async fn events(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let Some(job) = find(&req, &site) else { return error::not_found(&req) };
    let quiet = Asked::of(&req).is_quiet();
    let (watched, t, id, mut last) = (site.clone(), language(&req), job.id, job);
    let again = move || {
        if let Some(newer) = watched.jobs.job(id) {
            last = newer;
        }
        look(&watched, t, &last, quiet)
    };
    events::stream(&req, &site, Watched::JobsOnly, source(id, quiet), again)
}

#[derive(Template)]
#[template(path = "stop.html")]
struct StopPage {
    shell: Shell,
    token: String,
    card: String,
    sentence: String,
    backup_goes_on: bool,
    can: bool,
    back: String,
    action: String,
    /// The form was from before a restart.
    stale: bool,
}

impl StopPage {
    fn new(site: &Site, t: Language, job: &JobView, stale: bool) -> StopPage {
        let shell = site.shell(t, Links::STOP, false);
        let stage = job.main_stage().map(|s| s.stage);
        StopPage {
            token: site.token.clone(),
            card: job.card.name.clone(),
            sentence: words::if_stopped(t, stage, job.is_untouched()),
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
    error::html(StatusCode::OK, &StopPage::new(&site, language(&req), &job, false))
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
        return error::html(StatusCode::CONFLICT, &StopPage::new(&site, language(&req), &job, true));
    }
    match site.jobs.stop(job.id).await {
        Ok(()) | Err(StopError::Over) => error::see_other(Links::STOP.job(job.id)),
        Err(StopError::Committing) => error::see_other(Links::STOP.job(job.id)),
        Err(StopError::NoJob) => error::not_found(&req),
        Err(StopError::Closing) => {
            let short = Problem::Unexpected { short: Phrase::of("why-app-ending") };
            error::problem(&req, StatusCode::SERVICE_UNAVAILABLE, &short)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::CardNow;
    use crate::web::trial::*;

    async fn page(trial: &Trial, job: JobView) -> Answer {
        trial.show(vec![job]);
        let answer = trial.ask(trial.get("/jobs/7")).await;
        assert_eq!(answer.status, 200);
        answer.has_sound_links();
        answer
    }

    #[actix_web::test]
    async fn a_running_job_tells_all_there_is_to_know() {
        let answer = page(&Trial::new(), job(7)).await;
        answer.has("<title>42 % · Writing the system to the card</title>");
        answer.has("Step 4 of 8: writing the system to the card");
        answer.has("<p class=\"big\">About 6 minutes left</p>");
        assert_eq!(answer.text.matches("<progress").count(), 1);
        answer.has("value=\"42\"");
        answer.has("42 % · 2.6 of 6.2 GB in this step");
        answer.has("21 megabytes per second");
        answer.has("Do not pull the card.");
        answer.has("You can close this page; the work goes on.");
        answer.has("3.1 GB so far, at the same time · <span dir=\"auto\">Backing up Mosquitto");
        assert_eq!(answer.text.matches("aria-current=\"step\"").count(), 1);
        answer.has("href=\"../jobs/7/stop\"");
        answer.has("href=\"../jobs/7?quiet=1\"");
        answer.has("sse-connect=\"../jobs/7/events?seen=");
        answer.has("hx-trigger=\"every 3s\"");
        answer.has("<noscript><meta http-equiv=\"refresh\" content=\"10\">");
    }

    #[actix_web::test]
    async fn nothing_is_promised_that_is_not_known() {
        let trial = Trial::new();
        let mut first = job(7);
        (first.remaining, first.card_now) = (None, CardNow::Untouched);
        let answer = page(&trial, first).await;
        answer.has("Time left is not known yet");
        answer.has("Nothing on the card has been changed so far.");
        answer.has_not("Do not pull the card.");

        let mut alone = job(7);
        (alone.stages[3].state, alone.remaining) = (StageState::Done, None);
        page(&trial, alone).await.has("How long the backup takes is not known. 3.1 GB so far.");

        let pausing = page(&trial, JobView { quiet: 30, ..job(7) }).await;
        pausing.has("Waiting for the card. Some cards pause for a while.");
        let silent = page(&trial, JobView { quiet: 180, ..job(7) }).await;
        silent.has("The card does not answer");
        silent.has("No data for 3 minutes.");
        let mut empty = job(7);
        empty.stages.clear();
        page(&trial, empty).await.has("Beginning");
    }

    #[actix_web::test]
    async fn every_end_says_what_the_card_is_now_and_what_to_do() {
        let trial = Trial::new();
        let failed = |problem| JobView { problem, detail: Some("EIO <x>".into()), ..ended(7, JobState::Failed) };
        type Case = (JobView, &'static [&'static str]);
        let cases: [Case; 6] = [
            (
                ended(7, JobState::Done),
                &[
                    "The new card is ready",
                    "It was read back and compared",
                    "do neither",
                    "Never restart",
                    "› <span dir=\"auto\">0a1b2c3d</span>:",
                ],
            ),
            (
                ended(7, JobState::Cancelled),
                &[
                    "<title>Stopped</title>",
                    "The card is empty now and can be used again.",
                    "Start again",
                    "stopped here",
                ],
            ),
            (
                failed(Some(Problem::CardPulled { stage: Stage::Write })),
                &[
                    "Stopped at: Write the system to the card",
                    "The card was pulled out",
                    "It vanished while writing the system to the card.",
                    "Try again with the same card",
                    "EIO &#60;x&#62;",
                    "not waited for",
                ],
            ),
            (failed(None), &["Something went wrong", "Try again"]),
            (
                ended(7, JobState::Interrupted),
                &["The app was restarted", "Work stopped while writing the system to the card.", "Start again"],
            ),
            (
                JobView { warnings: vec![warning("Not backed up: <a>.")], ..ended(7, JobState::Done) },
                &["Done, with gaps", "Not backed up: &#60;a&#62;."],
            ),
        ];
        for (job, wanted) in cases {
            let state = job.state;
            let answer = page(&trial, job).await;
            for text in wanted {
                answer.has(text);
            }
            for live in ["sse-connect", "hx-get", "<progress", "jobs/7/stop", "http-equiv", "htmx"] {
                answer.has_not(live);
            }
            let again = answer.text.contains("id=\"again\" href=\"../card?disk=sdb");
            assert_eq!(again, state != JobState::Done, "{state:?}");
        }
        let mut named = ended(7, JobState::Done);
        named.made.backup_name = Some("sd-swap-clone-2026-11-21 <b>".into());
        page(&trial, named)
            .await
            .has("› <span dir=\"auto\">sd-swap-clone-2026-11-21 &#60;b&#62;</span>: tick everything");
        trial.plug(vec![]);
        page(&trial, ended(7, JobState::Cancelled)).await.has_not("id=\"again\"");
    }

    #[actix_web::test]
    async fn stopping_asks_first_and_says_what_it_means() {
        let trial = Trial::new();
        trial.show(vec![job(7)]);
        let answer = trial.ask(trial.get("/jobs/7/stop")).await;
        assert_eq!(answer.status, 200);
        answer.has("Stop making this card?");
        answer.has("The card will be empty then and can be used again.");
        answer.has("cannot be stopped. It goes on by itself and is kept.");
        answer.has("href=\"../../jobs/7\"");
        answer.has_sound_links();

        let stale = trial.ask(trial.post("/jobs/7/stop", &[("token", "old")])).await;
        assert_eq!(stale.status, 409);
        stale.has("This page was out of date");
        assert!(trial.asked().is_empty());

        let token = answer.field("token");
        for result in [Ok(()), Err(StopError::Over), Err(StopError::Committing)] {
            trial.script.lock().unwrap().stop = result;
            let stopped = trial.ask(trial.post("/jobs/7/stop", &[("token", &token)])).await;
            assert_eq!((stopped.status, stopped.header("location").as_str()), (303, "../../jobs/7"));
        }
        for (result, status) in [(StopError::NoJob, 404), (StopError::Closing, 503)] {
            trial.script.lock().unwrap().stop = Err(result);
            assert_eq!(trial.ask(trial.post("/jobs/7/stop", &[("token", &token)])).await.status, status);
        }
        assert_eq!(trial.asked(), vec![Heard::Stop(JobId(7)); 5]);
    }

    #[actix_web::test]
    async fn what_cannot_be_stopped_has_no_button() {
        let trial = Trial::new();
        let mut committing = job(7);
        for view in &mut committing.stages {
            view.state = if view.stage == Stage::Commit { StageState::Running } else { StageState::Done };
        }
        page(&trial, committing).await.has_not("jobs/7/stop");
        let answer = trial.ask(trial.get("/jobs/7/stop")).await;
        answer.has("This takes a few seconds and cannot be stopped.");
        answer.has_not("type=\"submit\"");

        for state in [JobState::Stopping, JobState::Done] {
            let job = JobView { state, ..job(7) };
            let answer = page(&trial, job).await;
            answer.has_not("jobs/7/stop");
            assert_eq!(trial.ask(trial.get("/jobs/7/stop")).await.header("location"), "../../jobs/7");
            let sent = trial.ask(trial.post("/jobs/7/stop", &[("token", TOKEN)])).await;
            assert_eq!(sent.header("location"), "../../jobs/7");
        }
        let stopping = page(&trial, JobView { state: JobState::Stopping, ..job(7) }).await;
        stopping.has("Stopping. Do not pull the card yet.");
        assert!(trial.asked().is_empty());
    }

    #[actix_web::test]
    async fn a_quiet_page_has_no_numbers_that_move() {
        let trial = Trial::new();
        trial.show(vec![job(7)]);
        let answer = trial.ask(trial.get("/jobs/7?quiet=1")).await;
        answer.has("Show moving numbers");
        answer.has_not("http-equiv=\"refresh\"");
        let live = trial.ask(trial.get("/jobs/7/live?quiet=1")).await;
        live.has("#state");
        live.has_not("#tick");
    }

    #[actix_web::test]
    async fn the_twin_follows_a_job_to_its_end() {
        let trial = Trial::new();
        trial.show(vec![job(7)]);
        let first = trial.ask(trial.get("/jobs/7")).await;
        let (_, seen) = first.text.split_once("events?seen=").unwrap();
        let seen = seen.split(['"', '&']).next().unwrap().to_string();
        let ask = |seen: &str| trial.get(&format!("/jobs/7/live?seen={seen}&every=20"));
        assert_eq!(trial.ask(ask(&seen)).await.status, 204);
        trial.show(vec![JobView { percent: 43, ..job(7) }]);
        let second = trial.ask(ask(&seen)).await;
        assert_eq!(second.status, 200);
        second.has("innerHTML:#tick");
        second.has("<title>43 %");
        second.has_not("#state");
        trial.show(vec![ended(7, JobState::Failed)]);
        let last = trial.ask(ask(&seen)).await;
        assert_eq!(last.status, 286);
        for part in ["#state", "#acts", "#steps", "#tick", "#shout"] {
            last.has(&format!("innerHTML:{part}\""));
        }
        last.has("<div hx-swap-oob=\"innerHTML:#pulse\"></div>");
        last.has_sound_links();
    }

    #[actix_web::test]
    async fn a_stream_ends_with_the_job() {
        let trial = Trial::new();
        trial.show(vec![ended(7, JobState::Done)]);
        let answer = trial.ask(trial.get("/jobs/7/events")).await;
        assert_eq!(answer.kind, "text/event-stream");
        assert_eq!(answer.header("x-accel-buffering"), "no");
        let names: Vec<&str> = answer.text.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
        assert_eq!(names, ["pulse", "state", "acts", "steps", "say", "shout", "tick", "pulse", "bye"]);
        answer.has("retry: 2000");
        answer.has("The new card is ready");
    }

    #[test]
    fn announcements_change_with_stage_and_quarter_only() {
        const EN: Language = Language::English;
        let about = |percent, remaining| say(EN, &JobView { percent, remaining, ..job(7) }).0;
        assert_eq!(about(51, Some(300)), about(74, None));
        assert_ne!(about(49, None), about(50, None));
        assert_ne!(about(60, None), say(EN, &JobView { percent: 60, quiet: 200, ..job(7) }).0);
        let (_, text) = say(EN, &JobView { percent: 50, ..job(7) });
        assert_eq!(text, "Half done. Write the system to the card. About 6 minutes left.");
        assert_eq!(shout(EN, &job(7)).1, "");
        assert!(shout(EN, &ended(7, JobState::Failed)).1.contains("Something went wrong"));
    }
}
