//! Home: this system, the disks, what is being made.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::events::{self, Asked, Look, Part, Seen, Source, Watched};
use super::links::Links;
use super::words;
use super::{Shell, Site, error, language, now};
use crate::domain::disk::{Disk, DiskId, Refusal, SMALLEST, Transport};
use crate::domain::image::Board;
use crate::domain::job::{JobState, JobView};
use crate::domain::problem::{Problem, Words};
use crate::domain::size::Bytes;
use crate::domain::system::SystemView;
use crate::jobs::{AllJobs, DiskList, ListedDisk};
use crate::texts::Language;

#[derive(Template)]
#[template(path = "home.html", blocks = ["job", "system", "disks", "technical"])]
struct HomePage {
    shell: Shell,
    connect: String,
    pulse: String,
    running: Option<Running>,
    notice: Option<Notice>,
    system: SystemBox,
    usable: Vec<DiskRow>,
    refused: Vec<DiskRow>,
    /// Readers without a card, where no disk can be used yet.
    empty_readers: Vec<String>,
    /// What is said where no disk can be used.
    none_yet: &'static str,
    /// Why there is no list.
    looking: bool,
    failed: Option<String>,
    no_reader: Option<Words>,
    earlier: Vec<Earlier>,
}

/// A disk as home and the confirm page show it.
pub struct DiskRow {
    pub id: DiskId,
    /// Stays the same as long as the disk is plugged in, so that focus survives a swap.
    pub anchor: String,
    pub name: String,
    pub place: String,
    pub plugged: String,
    pub contents: String,
    pub reasons: Vec<String>,
    /// What can be done about a disk that we may not open.
    pub help: Option<Words>,
    pub offered: bool,
    pub path: String,
    pub bus_path: String,
    pub serial: String,
    pub fingerprint: String,
}

struct Running {
    link: String,
    name: String,
    percent: u8,
    left: String,
    stopping: bool,
}

struct Notice {
    tone: &'static str,
    icon: &'static str,
    words: Vec<Words>,
    link: Option<(String, &'static str)>,
}

struct SystemBox {
    known: bool,
    rows: Vec<(&'static str, String)>,
    technical: Vec<(&'static str, String)>,
}

struct Earlier {
    link: String,
    name: String,
    outcome: String,
    when: String,
}

/// How many earlier cards home lists.
const EARLIER: usize = 10;

impl HomePage {
    fn new(site: &Site, t: Language) -> HomePage {
        let (disks, system, jobs) = (site.jobs.disks(), site.jobs.system(), site.jobs.all());
        let shell = site.shell(t, Links::TOP, true);
        let running = jobs.iter().find(|j| !j.state.is_over()).map(|j| Running::new(j, &shell));
        let offered = running.is_none() && !system.problems.iter().any(is_lasting);
        let (usable, refused): (Vec<_>, Vec<_>) = disks.disks.iter().partition(|d| d.refusals.is_empty());
        let empty = |d: &&ListedDisk| d.refusals == [Refusal::NoMedium] && usable.is_empty();
        let mut empty_readers: Vec<String> = refused.iter().copied().filter(empty).map(|d| name(t, &d.disk)).collect();
        empty_readers.dedup();
        let row = |d: &ListedDisk| DiskRow::new(t, d, offered).told_from(t, &jobs);
        HomePage {
            connect: String::new(),
            pulse: String::new(),
            notice: if running.is_some() { None } else { notice(&system, &jobs, &disks, &shell) },
            none_yet: match running {
                Some(_) => "None now. One card at a time: the next one can be chosen when this one is done.",
                None => "None yet. Plug in a USB reader with the new card. This page notices by itself.",
            },
            running,
            system: SystemBox::new(&system),
            no_reader: no_reader(&disks, &system).map(|p| p.words_in(t)),
            looking: !disks.known,
            failed: disks.failed.clone(),
            earlier: earlier(&jobs, &shell),
            empty_readers,
            refused: refused.iter().copied().filter(|d| !empty(d)).map(row).collect(),
            usable: usable.iter().copied().map(row).collect(),
            shell,
        }
    }

    fn every(&self) -> impl Iterator<Item = &DiskRow> {
        self.usable.iter().chain(&self.refused)
    }

    fn parts(&self, say: Part) -> Vec<Part> {
        vec![
            Part::new("job", &self.as_job()),
            Part::new("system", &self.as_system()),
            Part::new("disks", &self.as_disks()),
            Part::new("technical", &self.as_technical()),
            say,
        ]
    }
}

/// No choice on the confirm page makes these go away.
pub fn is_lasting(problem: &Problem) -> bool {
    use Problem as P;
    matches!(problem, P::NotHaos | P::NoImageForBoard { .. } | P::SupervisorSilent { .. } | P::StillStarting)
}

fn name(t: Language, disk: &Disk) -> String {
    if disk.medium {
        return disk.name();
    }
    let maker = [disk.vendor.trim(), disk.model.trim()].join(" ");
    if maker.trim().is_empty() { t.say("card-reader") } else { maker.trim().into() }
}

impl DiskRow {
    pub fn new(t: Language, listed: &ListedDisk, offered: bool) -> DiskRow {
        let disk = &listed.disk;
        let help = listed.refusals.contains(&Refusal::MayNotOpen).then(|| Problem::DiskMayNotOpen.words_in(t));
        DiskRow {
            id: disk.id.clone(),
            anchor: format!("disk-{}", hex::encode(&disk.id.0)),
            name: name(t, disk),
            place: words::place(t, disk),
            plugged: words::plugged(t, disk, now()),
            contents: words::contents(t, &disk.contents),
            reasons: listed.refusals.iter().map(|refusal| refusal.said_in(t)).collect(),
            help,
            offered: offered && listed.refusals.is_empty(),
            path: disk.path.display().to_string(),
            bus_path: disk.bus_path.clone(),
            serial: disk.serial.clone(),
            fingerprint: disk.fingerprint.as_ref().map_or_else(|| "none".into(), |f| f.0.clone()),
        }
    }
}

impl DiskRow {
    /// A finished card that is still plugged in is held, so that this system does not meet it: that is no job at work.
    fn told_from(mut self, t: Language, jobs: &AllJobs) -> DiskRow {
        let held = Refusal::JobUsesIt.said_in(t);
        let made = |job: &Arc<JobView>| job.state == JobState::Done && job.card.id == self.id;
        if jobs.iter().all(|job| job.state.is_over()) && jobs.iter().find(|j| j.card.id == self.id).is_some_and(made) {
            let finished = |reason| if reason == held { t.say("refusal-finished") } else { reason };
            self.reasons = self.reasons.into_iter().map(finished).collect();
        }
        self
    }
}

impl Running {
    fn new(job: &JobView, shell: &Shell) -> Running {
        Running {
            link: shell.links.job(job.id),
            name: job.card.name.clone(),
            percent: job.percent,
            left: words::time_left(shell.t, job.remaining, None),
            stopping: job.state == JobState::Stopping,
        }
    }
}

impl SystemBox {
    fn new(view: &SystemView) -> SystemBox {
        let facts = &view.facts;
        let mut rows = Vec::new();
        let mut row = |name, value: Option<String>| rows.extend(value.map(|value| (name, value)));
        row("Board", facts.board.as_deref().map(board_name));
        row("System", system_line(view));
        row("Free", free_line(view));
        row("Runs from", view.runs_from.clone());
        row("New card", view.need.map(|need| format!("{} or more", card_for(need).as_sold())));
        let mut technical = Vec::new();
        let mut detail = |name, value: &Option<String>| technical.extend(value.clone().map(|value| (name, value)));
        detail("Machine", &facts.machine);
        detail("Board", &facts.board);
        detail("Supervisor", &facts.supervisor_version);
        detail("Core", &facts.core_version);
        detail("State", &facts.state);
        SystemBox { known: view.known, rows, technical }
    }
}

fn board_name(slug: &str) -> String {
    slug.parse::<Board>().map_or_else(|_| slug.into(), |board| board.name().into())
}

fn system_line(view: &SystemView) -> Option<String> {
    let version = view.facts.os_version.as_ref()?;
    Some(match &view.facts.os_latest {
        Some(latest) => format!("Home Assistant OS {version} (newest {latest})"),
        None => format!("Home Assistant OS {version}"),
    })
}

fn free_line(view: &SystemView) -> Option<String> {
    let free = view.facts.disk_free.map(|free| free.to_string());
    let backup = view.facts.expected_backup().map(|size| format!("backup about {size} (expected)"));
    match (free, backup) {
        (Some(free), Some(backup)) => Some(format!("{free} · {backup}")),
        (Some(free), None) => Some(free),
        (None, backup) => backup,
    }
}

/// The smallest card that is sold and holds `need`; makers deliver a little less than they print.
fn card_for(need: Bytes) -> Bytes {
    let sizes = [8, 16, 32, 64, 128, 256, 512, 1000, 2000].map(|gb: u64| gb * 1_000_000_000);
    sizes.into_iter().find(|size| size / 100 * 93 >= need.0).map_or(need, Bytes)
}

/// P2: nothing is plugged in that could take a card.
fn no_reader(disks: &DiskList, system: &SystemView) -> Option<Problem> {
    let found = disks.disks.iter().any(|d| d.disk.transport == Transport::Usb || d.disk.scratch);
    let need = card_for(system.need.unwrap_or(SMALLEST).max(SMALLEST));
    (disks.known && disks.failed.is_none() && !found).then_some(Problem::NoReader { need })
}

/// At most one: what keeps a card from being made, before what came of the last one.
fn notice(system: &SystemView, jobs: &AllJobs, disks: &DiskList, shell: &Shell) -> Option<Notice> {
    let newest = jobs.first();
    if let Some(job) = newest.filter(|job| job.state == JobState::Done) {
        let words = Words {
            title: "Your new card is ready".into(),
            happened: format!("{} was made, read back and compared.", job.card.name),
            todo: match disks.find(&job.card.id) {
                Some(_) => "Take it out of the reader now.".into(),
                None => "Now it takes the place of the old one.".into(),
            },
        };
        let link = Some((shell.links.job(job.id), "What happens next"));
        return Some(Notice { tone: "ok", icon: "check", words: vec![words], link });
    }
    if !system.problems.is_empty() {
        let words = system.problems.iter().map(|problem| problem.words_in(shell.t)).collect();
        return Some(Notice { tone: "warn", icon: "warning", words, link: None });
    }
    let job = newest.filter(|job| job.state == JobState::Interrupted)?;
    let problem = job.problem.clone().unwrap_or(Problem::Restarted { stage: job.last_stage() });
    let mut words = problem.words_in(shell.t);
    words.happened = format!("{} {}", words.happened, job.card_now.said_in(shell.t));
    let link = Some((shell.links.job(job.id), "See what was done"));
    Some(Notice { tone: "warn", icon: "warning", words: vec![words], link })
}

fn earlier(jobs: &AllJobs, shell: &Shell) -> Vec<Earlier> {
    let over = jobs.iter().filter(|job| job.state.is_over()).take(EARLIER);
    over.map(|job| Earlier {
        link: shell.links.job(job.id),
        name: job.card.name.clone(),
        outcome: words::outcome(shell.t, job.state),
        when: words::ago(shell.t, now().saturating_sub(job.ended.unwrap_or(job.started))),
    })
    .collect()
}

fn source() -> Source {
    Source { events: Links::TOP.home_events(), live: Links::TOP.home_live(), quiet: false }
}

/// Which disks there are, for what was heard last.
type Heard = Vec<(DiskId, u64, bool, String)>;

fn heard(t: Language, disks: &DiskList) -> Heard {
    disks.disks.iter().map(|d| (d.disk.id.clone(), d.disk.plug, d.disk.medium, name(t, &d.disk))).collect()
}

/// The announcement of a plug or a pull; `before` is `None` where nobody remembers.
fn say(t: Language, before: Option<&Heard>, disks: &DiskList) -> Part {
    let after = heard(t, disks);
    let about = format!("{after:?}");
    let usable = disks.disks.iter().filter(|d| d.refusals.is_empty()).count();
    let count = if usable == 1 { "1 disk can be used.".into() } else { format!("{usable} disks can be used.") };
    let mut news = Vec::new();
    if let Some(before) = before {
        news.extend(before.iter().filter(|d| !after.contains(d)).map(|d| format!("{}, pulled out.", d.3)));
        news.extend(after.iter().filter(|d| !before.contains(d)).map(|d| format!("{}, plugged in.", d.3)));
    }
    news.push(count);
    Part::said("say", &about, &news.join(" "))
}

pub async fn get(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let t = language(&req);
    let mut page = HomePage::new(&site, t);
    let seen = Seen::of(&page.parts(say(t, None, &site.jobs.disks())));
    (page.connect, page.pulse) = (source().connect(&seen), source().pulse(&seen));
    error::html(StatusCode::OK, &page)
}

pub async fn live(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let t = language(&req);
    let parts = HomePage::new(&site, t).parts(say(t, None, &site.jobs.disks()));
    events::live(&Asked::of(&req), &source(), Look { parts, over: false })
}

pub async fn events(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let (watched, t) = (site.clone(), language(&req));
    let (mut before, mut now) = (None, heard(t, &site.jobs.disks()));
    let look = move || {
        let disks = watched.jobs.disks();
        let after = heard(t, &disks);
        if after != now {
            before = Some(std::mem::replace(&mut now, after));
        }
        Look { parts: HomePage::new(&watched, t).parts(say(t, before.as_ref(), &disks)), over: false }
    };
    events::stream(&req, &site, Watched::Everything, source(), look)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::disk::Access;
    use crate::web::trial::*;

    async fn home(trial: &Trial) -> Answer {
        let answer = trial.ask(trial.get("/")).await;
        assert_eq!(answer.status, 200);
        answer.has_sound_links();
        answer
    }

    #[actix_web::test]
    async fn a_usual_home_offers_the_disk() {
        let answer = home(&Trial::new()).await;
        answer.has("Raspberry Pi 4");
        answer.has("Home Assistant OS 18.2 (newest 18.2)");
        answer.has("12.3 GB · backup about 2.3 GB (expected)");
        answer.has("16 GB or more");
        answer.has("SanDisk Ultra, 64 GB");
        answer.has("plugged in 2 minutes ago");
        answer.has("href=\"card?disk=sdb\"");
        answer.has("<noscript><meta http-equiv=\"refresh\"");
        answer.has("Demo &#60;b&#62;");
        answer.has("href=\"demo\"");
        let details = answer.text.split_once("Technical details").unwrap();
        assert!(!details.0.contains("/dev/") && details.1.contains("/dev/sdb"));
    }

    #[actix_web::test]
    async fn what_is_not_known_is_called_so() {
        let trial = Trial::new();
        trial.system.send_replace(Default::default());
        trial.disks.send_replace(Default::default());
        let answer = home(&trial).await;
        answer.has("Asking Home Assistant about this system…");
        answer.has("Looking for disks…");
        answer.has_not("No card reader found");
    }

    #[actix_web::test]
    async fn without_a_reader_it_says_what_to_plug_in() {
        let trial = Trial::new();
        trial.plug(vec![listed(internal(), &[Refusal::RunsSystem, Refusal::BuiltIn])]);
        let answer = home(&trial).await;
        answer.has("No card reader found");
        answer.has("a card of 16 GB or more");
        answer.has("This Home Assistant runs from it.");
        answer.has("It is built in.");
        answer.has_not("card?disk=");

        let mut reader = disk("sdb");
        (reader.medium, reader.model) = (false, "Reader".into());
        trial.plug(vec![listed(reader.clone(), &[Refusal::NoMedium]), listed(reader, &[Refusal::NoMedium])]);
        let answer = home(&trial).await;
        answer.has("SanDisk Reader</span>: no card in it");
        assert_eq!(answer.text.matches("no card in it").count(), 1, "one line for all slots of a reader");
        answer.has_not("No card reader found");
    }

    #[actix_web::test]
    async fn a_refused_disk_shows_every_reason_and_the_way_out() {
        let trial = Trial::new();
        let mut denied = disk("sdc");
        denied.access = Access::Denied;
        let reasons = [Refusal::Twin, Refusal::WriteProtected, Refusal::MayNotOpen];
        trial.plug(vec![listed(disk("sdb"), &[]), listed(denied, &reasons)]);
        let answer = home(&trial).await;
        for reason in &reasons {
            answer.has(&reason.to_string().replace('\'', "&#39;"));
        }
        answer.has("Pull it out and put it back. Still refused");
        answer.has_not("card?disk=sdc");
    }

    #[actix_web::test]
    async fn there_is_at_most_one_notice_and_the_right_one() {
        let trial = Trial::new();
        let problem = Problem::NoInternet;
        trial.change_system(|s| s.problems = vec![problem.clone(), Problem::BackupRunning]);
        let answer = home(&trial).await;
        answer.has("No internet");
        answer.has("Another backup is running");
        answer.has("card?disk=sdb");

        trial.show(vec![ended(3, JobState::Done)]);
        let answer = home(&trial).await;
        answer.has("Your new card is ready");
        answer.has("href=\"jobs/3\"");
        answer.has_not("No internet");

        answer.has("Take it out of the reader now.");
        trial.plug(vec![]);
        let answer = home(&trial).await;
        answer.has("Your new card is ready");
        answer.has_not("Take it out of the reader now.");
        trial.plug(vec![listed(disk("sdb"), &[])]);

        trial.change_system(|_| {});
        trial.show(vec![ended(4, JobState::Interrupted), ended(3, JobState::Done)]);
        let answer = home(&trial).await;
        answer.has("The app was restarted");
        answer.has("The card is empty now and can be used again.");
        answer.has("Earlier cards (2)");

        trial.change_system(|s| s.problems = vec![problem.clone()]);
        trial.show(vec![job(5)]);
        let answer = home(&trial).await;
        answer.has("A card is being made: 42 %");
        answer.has("About 6 minutes left");
        answer.has("href=\"jobs/5\"");
        answer.has_not("card?disk=");
        answer.has_not("No internet");
    }

    #[actix_web::test]
    async fn a_card_in_work_and_a_finished_one_are_told_apart() {
        let trial = Trial::new();
        trial.plug(vec![listed(disk("sdb"), &[Refusal::JobUsesIt])]);
        trial.show(vec![job(7), ended(6, JobState::Done)]);
        let answer = home(&trial).await;
        answer.has("A job is using it.");
        answer.has("One card at a time");

        trial.show(vec![ended(7, JobState::Done)]);
        let answer = home(&trial).await;
        answer.has("It is your new card, finished. Take it out of the reader.");
        answer.has("Plug in a USB reader with the new card.");
        answer.has_not("A job is using it.");

        trial.show(vec![ended(8, JobState::Failed), ended(7, JobState::Done)]);
        home(&trial).await.has("A job is using it.");
    }

    #[actix_web::test]
    async fn what_no_choice_can_help_takes_the_buttons_away() {
        let trial = Trial::new();
        for problem in [Problem::NotHaos, Problem::StillStarting, Problem::NoImageForBoard { board: "ova".into() }] {
            trial.change_system(|s| s.problems = vec![problem.clone()]);
            let answer = home(&trial).await;
            answer.has(&problem.words().title);
            answer.has_not("card?disk=");
        }
    }

    #[actix_web::test]
    async fn a_failed_listing_is_told() {
        let trial = Trial::new();
        trial.disks.send_replace(std::sync::Arc::new(DiskList {
            known: true,
            disks: vec![],
            failed: Some("reading <sysfs>".into()),
        }));
        let answer = home(&trial).await;
        answer.has("The disks could not be listed");
        answer.has("reading &#60;sysfs&#62;");
    }

    #[actix_web::test]
    async fn names_of_disks_are_text_never_markup() {
        let trial = Trial::new();
        let mut evil = disk("sdb");
        evil.vendor = "<script>alert(1)</script>".into();
        evil.model = "\" onload=\"x' שלום".into();
        evil.serial = "</dl><img src=x>".into();
        evil.contents = camera();
        evil.contents.partitions[0].label = "<b>&".into();
        trial.plug(vec![listed(evil.clone(), &[]), listed(evil, &[Refusal::InUse { what: "<i>dm</i>".into() }])]);
        trial.show(vec![]);
        for path in ["/", "/live", "/card?disk=sdb"] {
            let answer = trial.ask(trial.get(path)).await;
            for bad in ["<script>alert", "<img src=x", "<b>&\"", "<i>dm", "\" onload"] {
                answer.has_not(bad);
            }
            answer.has("dir=\"auto\"");
            answer.has_sound_links();
        }
    }

    #[test]
    fn a_card_is_named_by_the_size_that_is_sold() {
        let cases = [(1, "8 GB"), (7_440_000_000, "8 GB"), (7_440_000_001, "16 GB"), (59_000_000_000, "64 GB")];
        for (need, want) in cases {
            assert_eq!(card_for(Bytes(need)).as_sold(), want, "{need}");
        }
    }

    #[test]
    fn a_plug_and_a_pull_are_announced() {
        let list = |disks: Vec<ListedDisk>| DiskList { known: true, disks, failed: None };
        let (none, one) = (list(vec![]), list(vec![listed(disk("sdb"), &[])]));
        let text = |before: &DiskList, after: &DiskList| {
            format!("{:?}", say(Language::English, Some(&heard(Language::English, before)), after))
        };
        assert!(text(&none, &one).contains("SanDisk Ultra, 64 GB, plugged in. 1 disk can be used."));
        assert!(text(&one, &none).contains("SanDisk Ultra, 64 GB, pulled out. 0 disks can be used."));
    }
}
