//! Home: this system, the disks, what is being made.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::events::{self, Asked, Look, Part, Seen, Source, Watched};
use super::links::Links;
use super::words;
use super::{Shell, Site, error, now};
use crate::domain::disk::{Disk, DiskId, Refusal, SMALLEST, Transport};
use crate::domain::image::Board;
use crate::domain::job::{JobState, JobView};
use crate::domain::problem::{Problem, Words};
use crate::domain::size::Bytes;
use crate::domain::system::SystemView;
use crate::jobs::{AllJobs, DiskList, ListedDisk};

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
    outcome: &'static str,
    when: String,
}

/// How many earlier cards home lists.
const EARLIER: usize = 10;

impl HomePage {
    fn new(site: &Site) -> HomePage {
        let (disks, system, jobs) = (site.jobs.disks(), site.jobs.system(), site.jobs.all());
        let shell = site.shell(Links::TOP, true);
        let running = jobs.iter().find(|j| !j.state.is_over()).map(|j| Running::new(j, &shell.links));
        let offered = running.is_none() && !system.problems.iter().any(is_lasting);
        let (usable, refused): (Vec<_>, Vec<_>) = disks.disks.iter().partition(|d| d.refusals.is_empty());
        let empty = |d: &&ListedDisk| d.refusals == [Refusal::NoMedium] && usable.is_empty();
        let mut empty_readers: Vec<String> = refused.iter().copied().filter(empty).map(|d| name(&d.disk)).collect();
        empty_readers.dedup();
        let row = |d: &ListedDisk| DiskRow::new(d, offered);
        HomePage {
            connect: String::new(),
            pulse: String::new(),
            notice: if running.is_some() { None } else { notice(&system, &jobs, &shell.links) },
            running,
            system: SystemBox::new(&system),
            no_reader: no_reader(&disks, &system).map(|p| p.words()),
            looking: !disks.known,
            failed: disks.failed.clone(),
            earlier: earlier(&jobs, &shell.links),
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

fn name(disk: &Disk) -> String {
    if disk.medium {
        return disk.name();
    }
    let maker = [disk.vendor.trim(), disk.model.trim()].join(" ");
    if maker.trim().is_empty() { "Card reader".into() } else { maker.trim().into() }
}

impl DiskRow {
    pub fn new(listed: &ListedDisk, offered: bool) -> DiskRow {
        let disk = &listed.disk;
        let help = listed.refusals.contains(&Refusal::MayNotOpen).then(|| Problem::DiskMayNotOpen.words());
        DiskRow {
            id: disk.id.clone(),
            anchor: format!("disk-{}", hex::encode(&disk.id.0)),
            name: name(disk),
            place: words::place(disk),
            plugged: words::plugged(disk, now()),
            contents: words::contents(&disk.contents),
            reasons: listed.refusals.iter().map(Refusal::to_string).collect(),
            help,
            offered: offered && listed.refusals.is_empty(),
            path: disk.path.display().to_string(),
            bus_path: disk.bus_path.clone(),
            serial: disk.serial.clone(),
            fingerprint: disk.fingerprint.as_ref().map_or_else(|| "none".into(), |f| f.0.clone()),
        }
    }
}

impl Running {
    fn new(job: &JobView, links: &Links) -> Running {
        Running {
            link: links.job(job.id),
            name: job.card.name.clone(),
            percent: job.percent,
            left: words::time_left(job.remaining, None),
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
fn notice(system: &SystemView, jobs: &AllJobs, links: &Links) -> Option<Notice> {
    let newest = jobs.first();
    if let Some(job) = newest.filter(|job| job.state == JobState::Done) {
        let words = Words {
            title: "Your new card is ready".into(),
            happened: format!("{} was made, read back and compared.", job.card.name),
            todo: "Take it out of the reader now.".into(),
        };
        let link = Some((links.job(job.id), "What happens next"));
        return Some(Notice { tone: "ok", icon: "check", words: vec![words], link });
    }
    if !system.problems.is_empty() {
        let words = system.problems.iter().map(Problem::words).collect();
        return Some(Notice { tone: "warn", icon: "warning", words, link: None });
    }
    let job = newest.filter(|job| job.state == JobState::Interrupted)?;
    let problem = job.problem.clone().unwrap_or(Problem::Restarted { stage: job.last_stage() });
    let mut words = problem.words();
    words.happened = format!("{} {}", words.happened, job.card_now.sentence());
    let link = Some((links.job(job.id), "See what was done"));
    Some(Notice { tone: "warn", icon: "warning", words: vec![words], link })
}

fn earlier(jobs: &AllJobs, links: &Links) -> Vec<Earlier> {
    let over = jobs.iter().filter(|job| job.state.is_over()).take(EARLIER);
    over.map(|job| Earlier {
        link: links.job(job.id),
        name: job.card.name.clone(),
        outcome: words::outcome(job.state),
        when: words::ago(now().saturating_sub(job.ended.unwrap_or(job.started))),
    })
    .collect()
}

fn source() -> Source {
    Source { events: Links::TOP.home_events(), live: Links::TOP.home_live(), quiet: false }
}

/// Which disks there are, for what was heard last.
type Heard = Vec<(DiskId, u64, bool, String)>;

fn heard(disks: &DiskList) -> Heard {
    disks.disks.iter().map(|d| (d.disk.id.clone(), d.disk.plug, d.disk.medium, name(&d.disk))).collect()
}

/// The announcement of a plug or a pull; `before` is `None` where nobody remembers.
fn say(before: Option<&Heard>, disks: &DiskList) -> Part {
    let after = heard(disks);
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

pub async fn get(site: web::Data<Site>) -> HttpResponse {
    let mut page = HomePage::new(&site);
    let seen = Seen::of(&page.parts(say(None, &site.jobs.disks())));
    (page.connect, page.pulse) = (source().connect(&seen), source().pulse(&seen));
    error::html(StatusCode::OK, &page)
}

pub async fn live(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let parts = HomePage::new(&site).parts(say(None, &site.jobs.disks()));
    events::live(&Asked::of(&req), &source(), Look { parts, over: false })
}

pub async fn events(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let watched = site.clone();
    let (mut before, mut now) = (None, heard(&site.jobs.disks()));
    let look = move || {
        let disks = watched.jobs.disks();
        let after = heard(&disks);
        if after != now {
            before = Some(std::mem::replace(&mut now, after));
        }
        Look { parts: HomePage::new(&watched).parts(say(before.as_ref(), &disks)), over: false }
    };
    events::stream(&req, &site, Watched::Everything, source(), look)
}
