//! The confirm page: the disk, what will happen, what to answer, and what speaks against it, each at its place.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::backups::{self, BackupRow};
use super::check::{Field, Mistakes};
use super::form::Filled;
use super::network::WifiRow;
use super::outlook::{self, Outlook};
use crate::domain::confirm::asks_size;
use crate::domain::disk::{DiskId, Refusal};
use crate::domain::job::JobId;
use crate::domain::problem::{Problem, Words};
use crate::jobs::{AllJobs, DiskList, ListedDisk};
use crate::texts::{Language, Phrase};
use crate::web::home::{DiskRow, is_lasting, reasons};
use crate::web::links::Links;
use crate::web::{Shell, Site, error, now, random};

#[derive(Template)]
#[template(path = "card.html")]
pub struct CardPage {
    pub shell: Shell,
    disk: Confirmed,
    pub filled: Filled,
    once: String,
    token: String,
    pub asks_size: bool,
    /// Every error and refusal: the field to go to, and the words.
    pub summary: Vec<(&'static str, String)>,
    mistakes: Mistakes,
    refused: Option<Refused>,
    at_disk: Vec<Words>,
    at_backup: Vec<Words>,
    at_version: Vec<Words>,
    general: Vec<Words>,
    /// A card is being made already: where to watch it.
    running: Option<String>,
    outlook: Outlook,
    backups: Vec<BackupRow>,
    asks_key: bool,
    wifi: Option<WifiRow>,
    version: Option<String>,
    latest: Option<String>,
    options_open: bool,
    /// False where no answer could make it work.
    pub form_shown: bool,
}

/// Why this disk cannot be used.
struct Refused {
    words: Words,
    reasons: Vec<String>,
}

/// The disk as the user confirms it.
struct Confirmed {
    id: DiskId,
    name: String,
    place: String,
    plugged: String,
    contents: String,
    twin: Option<String>,
    empty: bool,
    fingerprint: String,
    plug: u64,
}

impl Confirmed {
    fn new(t: Language, listed: &ListedDisk, disks: &DiskList, jobs: &AllJobs) -> Confirmed {
        let row = DiskRow::new(t, listed, disks, jobs, true);
        Confirmed {
            id: row.id,
            name: row.name,
            place: row.place,
            plugged: row.plugged,
            contents: row.contents,
            twin: row.twin,
            empty: listed.disk.contents.blank,
            fingerprint: row.fingerprint.unwrap_or_default(),
            plug: listed.disk.plug,
        }
    }
}

/// Part of the page that a problem is shown at.
pub fn place_of(problem: &Problem) -> &'static str {
    use Problem as P;
    match problem {
        P::DiskMayNotOpen
        | P::NoReader { .. }
        | P::CardTooSmall { .. }
        | P::CardProtected
        | P::DiskChanged
        | P::DiskRefused { .. }
        | P::BackupDoesNotFit { .. } => "disk",
        P::NoRoomForBackup { .. } | P::BackupFailed { .. } | P::BackupRunning | P::BackupUnusable { .. } => "backup",
        P::NoRoomForDownload { .. } | P::NoInternet | P::NoDigest | P::ImageUnusable { .. } => "version",
        _ => "main-problem",
    }
}

impl CardPage {
    /// What the page is about; where nothing can be answered, it asks nothing.
    fn heading(&self) -> String {
        self.shell.t.say(if self.form_shown { "card-title" } else { "card-not-now" })
    }

    /// With what speaks against any job and against this disk. `None`: the random number of the form could not be made.
    pub fn new(site: &Site, t: Language, listed: &ListedDisk, disks: &DiskList, filled: Filled) -> Option<CardPage> {
        let (system, jobs) = (site.jobs.system(), site.jobs.all());
        let usable = disks.disks.iter().filter(|d| d.refusals.is_empty()).count();
        let version = |version: &Option<_>| version.as_ref().map(|v: &crate::domain::image::OsVersion| v.to_string());
        let mut page = CardPage {
            disk: Confirmed::new(t, listed, disks, &jobs),
            once: random().ok()?,
            token: site.token.clone(),
            asks_size: asks_size(&listed.disk, usable, now()),
            summary: Vec::new(),
            mistakes: Mistakes::default(),
            refused: None,
            at_disk: Vec::new(),
            at_backup: Vec::new(),
            at_version: Vec::new(),
            general: Vec::new(),
            running: None,
            outlook: outlook::of(t, &system, &jobs, &filled, listed.disk.size),
            backups: backups::rows(t, &system, &filled.backup),
            asks_key: backups::all(&system).any(|b| b.facts.protected),
            wifi: WifiRow::of(&system.facts),
            version: version(&system.facts.os_version),
            latest: version(&system.facts.os_latest),
            options_open: filled.has_options(),
            form_shown: true,
            filled,
            shell: site.shell(t, Links::TOP, false),
        };
        if let Some(job) = site.jobs.current() {
            page.is_running(job.id);
        }
        page.refuse(site, &listed.refusals);
        for problem in system.problems.iter().filter(|problem| is_lasting(problem)) {
            page.form_shown = false;
            page.trouble(problem);
        }
        Some(page)
    }

    /// Nothing was sent yet, so nothing is an error: what stands in the way is said in its place.
    pub fn before_anything_is_sent(&mut self, site: &Site) {
        for problem in site.jobs.system().problems.iter().filter(|problem| !is_lasting(problem)) {
            self.trouble(problem);
        }
        self.summary.clear();
    }

    pub fn is_running(&mut self, id: JobId) {
        if self.running.is_none() {
            self.running = Some(self.shell.links.job(id));
            self.form_shown = false;
            self.trouble(&Problem::AlreadyRunning);
        }
    }

    /// Every reason against the disk; for one that may not be opened yet, what can be done about it, too.
    pub fn refuse(&mut self, site: &Site, refusals: &[Refusal]) {
        // While a card is made, that it is in use needs no second word.
        let told = |refusal: &&Refusal| self.running.is_none() || **refusal != Refusal::JobUsesIt;
        let told: Vec<Refusal> = refusals.iter().filter(told).cloned().collect();
        self.form_shown &= told.is_empty();
        let (may_not_open, others) = (told.contains(&Refusal::MayNotOpen), told.len() > 1);
        if !told.is_empty() && (others || !may_not_open) {
            let reasons = reasons(self.shell.t, &self.disk.id, &told, &site.jobs.all());
            let words = Problem::DiskRefused { reasons: told }.words_in(self.shell.t);
            self.summary.push(("disk", words.title.clone()));
            self.refused = Some(Refused { words, reasons });
        }
        if may_not_open {
            self.trouble(&Problem::DiskMayNotOpen);
        }
    }

    /// Shows a problem beside the field that it belongs to (PF-7), and in the summary.
    pub fn trouble(&mut self, problem: &Problem) {
        let place = place_of(problem);
        let words = problem.words_in(self.shell.t);
        self.summary.push((place, words.title.clone()));
        self.options_open |= matches!(place, "backup" | "version");
        match place {
            "disk" => self.at_disk.push(words),
            "backup" => self.at_backup.push(words),
            "version" => self.at_version.push(words),
            _ => self.general.push(words),
        }
    }

    pub fn mistake(&mut self, field: Field, text: String) {
        self.summary.push((field.id(), text.clone()));
        self.options_open |= field.is_option();
        self.mistakes.note(field, text);
    }
}

pub fn show(req: &HttpRequest, page: Option<CardPage>, status: StatusCode) -> HttpResponse {
    match page {
        Some(page) => error::html(status, &page),
        None => {
            let short = Problem::Unexpected { short: Phrase::of("why-no-random") };
            error::problem(req, StatusCode::INTERNAL_SERVER_ERROR, &short)
        }
    }
}
