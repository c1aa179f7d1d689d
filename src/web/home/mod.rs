//! Home: this system, the disks, what is being made.

mod disks;
mod notice;
mod say;
mod system;

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::events::{self, Asked, Look, Part, Seen, Source, Watched};
use super::links::Links;
use super::{Shell, Site, error, language};
use crate::domain::disk::{SMALLEST, Transport};
use crate::domain::problem::{Problem, Words};
use crate::domain::system::SystemView;
use crate::jobs::{DiskList, ListedDisk};
use crate::texts::Language;
pub use disks::{DiskRow, reasons};
pub use notice::is_lasting;
use notice::{Notice, Running};
pub use say::Plugs;
use say::say;
use system::{SystemBox, card_for};

#[derive(Template)]
#[template(path = "home.html", blocks = ["job", "system", "disks", "technical", "more"])]
struct HomePage {
    shell: Shell,
    connect: String,
    pulse: String,
    running: Option<Running>,
    notice: Option<Notice>,
    system: SystemBox,
    usable: Vec<DiskRow>,
    refused: Vec<DiskRow>,
    empty_readers: Vec<String>,
    /// What is said where no disk can be used, or none just now.
    not_now: Option<String>,
    /// Why there is no list.
    looking: bool,
    failed: Option<String>,
    no_reader: Option<Words>,
    /// How many jobs are over.
    earlier: usize,
}

impl HomePage {
    fn new(site: &Site, t: Language, disks: &DiskList) -> HomePage {
        let (system, jobs) = (site.jobs.system(), site.jobs.all());
        let shell = site.shell(t, Links::TOP, true);
        let running = jobs.iter().find(|j| !j.state.is_over()).map(|j| Running::new(j, &shell));
        let lasting = system.problems.iter().find(|problem| is_lasting(problem));
        let offered = running.is_none() && lasting.is_none();
        let with_medium = disks.disks.iter().filter(|d| !disks::is_empty_reader(d));
        let (usable, refused): (Vec<&ListedDisk>, Vec<_>) = with_medium.partition(|d| d.refusals.is_empty());
        let row = |d: &ListedDisk| DiskRow::new(t, d, disks, &jobs, offered);
        let empty_readers = disks::empty_readers(t, disks);
        let not_now = match (&running, lasting) {
            (Some(_), _) => Some(t.say("home-one-at-a-time")),
            (None, Some(problem)) => Some(t.with("home-not-now", "why", problem.words_in(t).title)),
            (None, None) if usable.is_empty() && empty_readers.is_empty() => Some(t.say("home-none-yet")),
            (None, None) => None,
        };
        HomePage {
            connect: String::new(),
            pulse: String::new(),
            notice: if running.is_some() { None } else { Notice::of(&system, &jobs, disks, &shell) },
            not_now,
            running,
            system: SystemBox::new(t, &system),
            no_reader: no_reader(disks, &system).map(|p| p.words_in(t)),
            looking: !disks.known,
            failed: disks.failed.clone(),
            earlier: jobs.iter().filter(|job| job.state.is_over()).count(),
            empty_readers,
            refused: refused.into_iter().map(row).collect(),
            usable: usable.into_iter().map(row).collect(),
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
            Part::new("more", &self.as_more()),
            say,
        ]
    }
}

/// P2: nothing is plugged in that could take a card.
fn no_reader(disks: &DiskList, system: &SystemView) -> Option<Problem> {
    let found = disks.disks.iter().any(|d| d.disk.transport == Transport::Usb || d.disk.scratch);
    let need = card_for(system.need.unwrap_or(SMALLEST).max(SMALLEST));
    (disks.known && disks.failed.is_none() && !found).then_some(Problem::NoReader { need })
}

fn source() -> Source {
    Source { events: Links::TOP.home_events(), live: Links::TOP.home_live(), quiet: false }
}

/// The page as it is now, and its parts.
fn look(site: &Site, t: Language) -> (HomePage, Vec<Part>) {
    let disks: Arc<DiskList> = site.jobs.disks();
    let page = HomePage::new(site, t, &disks);
    let offered = page.running.is_none() && disks.known;
    let said = say(t, &site.plugs.note(&disks), &disks, offered);
    let parts = page.parts(said);
    (page, parts)
}

pub async fn get(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let (mut page, parts) = look(&site, language(&req));
    let seen = Seen::of(&parts);
    (page.connect, page.pulse) = (source().connect(&seen), source().pulse(&seen));
    error::html(StatusCode::OK, &page)
}

pub async fn live(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let look = || Some(Look { parts: look(&site, language(&req)).1, over: false });
    events::live(&site.pages, &Asked::of(&req), &source(), look)
}

pub async fn events(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let (watched, t) = (site.clone(), language(&req));
    let look = move || Look { parts: look(&watched, t).1, over: false };
    events::stream(&req, &site, Watched::Everything, source(), look)
}

#[cfg(test)]
mod tests;
