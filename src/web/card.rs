//! The confirm page: which disk, really that one, and begin.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::home::{DiskRow, is_lasting};
use super::links::Links;
use super::{Shell, Site, error, now, random, words};
use crate::domain::backup::{BackupKind, BackupSlug, ListedBackup};
use crate::domain::confirm::{Printed, asks_size, printed_size};
use crate::domain::disk::{DiskId, Fingerprint, Refusal};
use crate::domain::job::{BackupChoice, CardRequest, ImageChoice, JobId};
use crate::domain::problem::{Problem, Words};
use crate::domain::system::SystemView;
use crate::jobs::{DiskList, ListedDisk, StartError};

/// A form has a dozen short fields.
const LONGEST_FORM: usize = 16 * 1024;

#[derive(Template)]
#[template(path = "card.html")]
struct CardPage {
    shell: Shell,
    disk: Confirmed,
    filled: Filled,
    once: String,
    token: String,
    asks_size: bool,
    /// Every error and refusal: the field to go to, and the words.
    summary: Vec<(&'static str, String)>,
    agree_error: Option<String>,
    size_error: Option<String>,
    backup_error: Option<String>,
    key_error: Option<String>,
    version_error: Option<String>,
    at_disk: Vec<Words>,
    at_backup: Vec<Words>,
    at_version: Vec<Words>,
    general: Vec<Words>,
    /// A card is being made already: where, and the words of the link.
    running: Option<(String, &'static str)>,
    warnings: Vec<String>,
    backups: Vec<BackupRow>,
    asks_key: bool,
    version: Option<String>,
    latest: Option<String>,
    options_open: bool,
    /// False where no answer could make it work.
    form_shown: bool,
}

/// The disk as the user confirms it.
struct Confirmed {
    id: DiskId,
    name: String,
    place: String,
    plugged: String,
    contents: String,
    empty: bool,
    fingerprint: String,
    plug: u64,
}

struct BackupRow {
    slug: String,
    name: String,
    about: String,
    chosen: bool,
    why_not: Option<&'static str>,
}

/// What the user chose; kept when the form comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Filled {
    agree: bool,
    size: String,
    backup: String,
    have_key: bool,
    version: String,
}

impl Default for Filled {
    fn default() -> Filled {
        Filled { agree: false, size: String::new(), backup: "new".into(), have_key: false, version: "running".into() }
    }
}

/// The fields as they came.
struct Sent(HashMap<String, String>);

impl Sent {
    /// Fields past the first sixty-four are nobody's.
    fn parse(text: &[u8]) -> Sent {
        let pairs = url::form_urlencoded::parse(text).take(64);
        Sent(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn filled(&self) -> Filled {
        let or = |name, usual: &str| match self.get(name) {
            "" => usual.to_string(),
            given => given.chars().take(40).collect(),
        };
        Filled {
            agree: self.get("agree") == "yes",
            size: self.get("size").chars().take(20).collect(),
            backup: or("backup", "new"),
            have_key: self.get("have_key") == "yes",
            version: or("version", "running"),
        }
    }
}

/// The field that an error belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Agree,
    Size,
    Backup,
    HaveKey,
    Version,
}

impl Field {
    const fn id(self) -> &'static str {
        match self {
            Field::Agree => "agree",
            Field::Size => "size",
            Field::Backup => "backup",
            Field::HaveKey => "have_key",
            Field::Version => "version",
        }
    }
}

/// Part of the page that a problem is shown at.
fn place_of(problem: &Problem) -> &'static str {
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
        _ => "main",
    }
}

impl CardPage {
    /// `None`: the random number of the form could not be made.
    fn new(site: &Site, listed: &ListedDisk, disks: &DiskList, filled: Filled) -> Option<CardPage> {
        let system = site.jobs.system();
        let shell = site.shell(Links::TOP, false);
        let running = site.jobs.current().map(|job| job.id);
        let mut page = CardPage {
            disk: Confirmed::new(listed),
            once: random().ok()?,
            token: site.token.clone(),
            asks_size: asks_size(&listed.disk, usable(disks), now()),
            summary: Vec::new(),
            agree_error: None,
            size_error: None,
            backup_error: None,
            key_error: None,
            version_error: None,
            at_disk: Vec::new(),
            at_backup: Vec::new(),
            at_version: Vec::new(),
            general: Vec::new(),
            running: None,
            warnings: system.warnings.iter().map(|w| w.text.clone()).collect(),
            backups: backup_rows(&system, &filled.backup),
            asks_key: all_backups(&system).any(|b| b.facts.protected),
            version: system.facts.os_version.as_ref().map(ToString::to_string),
            latest: system.facts.os_latest.as_ref().map(ToString::to_string),
            options_open: filled != Filled { agree: filled.agree, size: filled.size.clone(), ..Filled::default() },
            form_shown: !system.problems.iter().any(is_lasting),
            filled,
            shell,
        };
        if let Some(id) = running {
            page.is_running(id);
        }
        page.refuse(&listed.refusals);
        Some(page)
    }

    fn is_running(&mut self, id: JobId) {
        if self.running.is_none() {
            self.running = Some((self.shell.links.job(id), "Watch"));
            self.form_shown = false;
            self.trouble(&Problem::AlreadyRunning);
        }
    }

    fn refuse(&mut self, refusals: &[Refusal]) {
        if refusals.is_empty() {
            return;
        }
        self.form_shown = false;
        let problem = if refusals == [Refusal::MayNotOpen] {
            Problem::DiskMayNotOpen
        } else {
            Problem::DiskRefused { reasons: refusals.iter().map(Refusal::to_string).collect() }
        };
        self.trouble(&problem);
    }

    /// Shows a problem beside the field that it belongs to (PF-7), and in the summary.
    fn trouble(&mut self, problem: &Problem) {
        let place = place_of(problem);
        let words = problem.words();
        self.summary.push((place, words.title.clone()));
        self.options_open |= matches!(place, "backup" | "version");
        match place {
            "disk" => self.at_disk.push(words),
            "backup" => self.at_backup.push(words),
            "version" => self.at_version.push(words),
            _ => self.general.push(words),
        }
    }

    fn mistake(&mut self, field: Field, text: String) {
        self.summary.push((field.id(), text.clone()));
        self.options_open |= matches!(field, Field::Backup | Field::HaveKey | Field::Version);
        match field {
            Field::Agree => self.agree_error = Some(text),
            Field::Size => self.size_error = Some(text),
            Field::Backup => self.backup_error = Some(text),
            Field::HaveKey => self.key_error = Some(text),
            Field::Version => self.version_error = Some(text),
        }
    }

    /// What is wrong with the answers; in the order of the page.
    fn check(&mut self, listed: &ListedDisk, system: &SystemView) -> Option<(BackupChoice, ImageChoice)> {
        if !self.filled.agree {
            self.mistake(Field::Agree, "Tick the box to say that everything on this disk may be erased".into());
        }
        if self.asks_size {
            self.check_size(listed);
        }
        let backup = match chosen_backup(&self.filled, system) {
            Ok(backup) => Some(backup),
            Err((field, text)) => {
                self.mistake(field, text.into());
                None
            }
        };
        let image = match self.filled.version.as_str() {
            "running" => Some(ImageChoice::Running),
            "latest" => Some(ImageChoice::Latest),
            _ => {
                self.mistake(Field::Version, "Choose a version from the list".into());
                None
            }
        };
        if self.summary.is_empty() { backup.zip(image) } else { None }
    }

    fn check_size(&mut self, listed: &ListedDisk) {
        match printed_size(&self.filled.size, listed.disk.size) {
            Printed::Fits => {}
            Printed::NotANumber => {
                self.mistake(Field::Size, "Type the size printed on the card, for example 64".into());
            }
            Printed::Differs => {
                let typed = self.filled.size.trim();
                let unit = if typed.ends_with(|c: char| c.is_ascii_digit()) { " GB" } else { "" };
                let text = format!("{typed}{unit} does not fit this disk. Check that it is the right one");
                self.mistake(Field::Size, text);
            }
        }
    }
}

impl Confirmed {
    fn new(listed: &ListedDisk) -> Confirmed {
        let row = DiskRow::new(listed, true);
        Confirmed {
            id: row.id,
            name: row.name,
            place: row.place,
            plugged: row.plugged,
            contents: row.contents,
            empty: listed.disk.contents.blank,
            fingerprint: listed.disk.fingerprint.as_ref().map(|f| f.0.clone()).unwrap_or_default(),
            plug: listed.disk.plug,
        }
    }
}

fn usable(disks: &DiskList) -> usize {
    disks.disks.iter().filter(|d| d.refusals.is_empty()).count()
}

fn all_backups(system: &SystemView) -> impl Iterator<Item = &ListedBackup> {
    system.facts.backups.iter().flatten()
}

fn backup_rows(system: &SystemView, chosen: &str) -> Vec<BackupRow> {
    all_backups(system)
        .map(|backup| {
            let facts = &backup.facts;
            let key = if facts.protected { " · encrypted: needs its key at the restore" } else { "" };
            let database = if facts.without_database { " · without the history database" } else { "" };
            BackupRow {
                slug: facts.slug.to_string(),
                name: if facts.name.is_empty() { facts.slug.to_string() } else { facts.name.clone() },
                about: format!("{}, {}{key}{database}", words::backup_date(&facts.date), backup.size),
                chosen: facts.slug.as_str() == chosen,
                why_not: why_not(backup),
            }
        })
        .collect()
}

fn why_not(backup: &ListedBackup) -> Option<&'static str> {
    (backup.facts.kind == BackupKind::Partial).then_some("cannot be used: it holds only a part of the system")
}

/// What goes onto the card, as the form or the API says it.
fn chosen_backup(filled: &Filled, system: &SystemView) -> Result<BackupChoice, (Field, &'static str)> {
    if filled.backup == "new" {
        return Ok(BackupChoice::New);
    }
    let slug: Option<BackupSlug> = filled.backup.parse().ok();
    let found = slug.and_then(|slug| all_backups(system).find(|b| b.facts.slug == slug));
    let Some(backup) = found.filter(|b| why_not(b).is_none()) else {
        return Err((Field::Backup, "Choose a backup from the list"));
    };
    if backup.facts.protected && !filled.have_key {
        return Err((Field::HaveKey, "Tick the box to say that you have the key of this backup"));
    }
    Ok(BackupChoice::Existing { slug: backup.facts.slug.clone(), have_key: filled.have_key })
}

/// The job that this very form has started already.
fn started_by(site: &Site, once: &str) -> Option<JobId> {
    if once.is_empty() {
        return None;
    }
    site.jobs.all().iter().find(|job| job.request.once.as_deref() == Some(once)).map(|job| job.id)
}

pub async fn get(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let asked = Sent::parse(req.query_string().as_bytes());
    let disks = site.jobs.disks();
    let Some(listed) = disks.find(&DiskId(asked.get("disk").into())) else {
        return error::problem(&req, StatusCode::NOT_FOUND, &Problem::DiskChanged);
    };
    // Nothing that confirms is taken from a link.
    let filled = Filled { agree: false, size: String::new(), have_key: false, ..asked.filled() };
    show(&req, CardPage::new(&site, listed, &disks, filled), StatusCode::OK)
}

pub async fn post(req: HttpRequest, site: web::Data<Site>, payload: web::Payload) -> HttpResponse {
    let sent = match read(&req, payload).await {
        Ok(sent) => sent,
        Err(status) => return error::bad_form(&req, status),
    };
    if let Some(id) = started_by(&site, sent.get("once")) {
        return error::see_other(Links::TOP.job(id));
    }
    let disks = site.jobs.disks();
    let Some(listed) = disks.find(&DiskId(sent.get("disk").into())) else {
        return error::problem(&req, StatusCode::CONFLICT, &Problem::DiskChanged);
    };
    if !site.token_fits(sent.get("token")) || !is_as_seen(&sent, listed) {
        return changed(&req, &site, listed, &disks, &sent);
    }
    let Some(mut page) = CardPage::new(&site, listed, &disks, sent.filled()) else {
        return show(&req, None, StatusCode::OK);
    };
    if !page.form_shown {
        return show(&req, Some(page), StatusCode::CONFLICT);
    }
    let Some((backup, image)) = page.check(listed, &site.jobs.system()) else {
        return show(&req, Some(page), StatusCode::UNPROCESSABLE_ENTITY);
    };
    let once = Some(sent.get("once").to_string()).filter(|once| !once.is_empty());
    let request = CardRequest {
        disk: listed.disk.id.clone(),
        seen: Fingerprint(sent.get("seen").into()),
        plug: Some(listed.disk.plug),
        backup,
        image,
        board: None,
        once,
    };
    start(&req, &site, page, &sent, request).await
}

async fn start(req: &HttpRequest, site: &Site, mut page: CardPage, sent: &Sent, request: CardRequest) -> HttpResponse {
    let disk = request.disk.clone();
    match site.jobs.start(request).await {
        Ok(id) => return error::see_other(Links::TOP.job(id)),
        Err(StartError::Running(id)) => {
            // The same form was sent twice, and both got here before the first had its job.
            if started_by(site, sent.get("once")) == Some(id) {
                return error::see_other(Links::TOP.job(id));
            }
            page.is_running(id);
        }
        Err(StartError::NoDisk | StartError::Changed) => {
            let disks = site.jobs.disks();
            return match disks.find(&disk) {
                Some(listed) => changed(req, site, listed, &disks, sent),
                None => error::problem(req, StatusCode::CONFLICT, &Problem::DiskChanged),
            };
        }
        Err(StartError::Refused { disk, problems }) => {
            page.refuse(&disk);
            problems.iter().for_each(|problem| page.trouble(problem));
        }
        Err(StartError::Closing) => {
            let short = Problem::Unexpected { short: "The app is ending".into() };
            return error::problem(req, StatusCode::SERVICE_UNAVAILABLE, &short);
        }
    }
    show(req, Some(page), StatusCode::CONFLICT)
}

/// P7: the form comes back with what is plugged in now, and nothing confirmed.
fn changed(req: &HttpRequest, site: &Site, listed: &ListedDisk, disks: &Arc<DiskList>, sent: &Sent) -> HttpResponse {
    let filled = Filled { agree: false, size: String::new(), ..sent.filled() };
    let mut page = CardPage::new(site, listed, disks, filled);
    if let Some(page) = &mut page {
        page.trouble(&Problem::DiskChanged);
    }
    show(req, page, StatusCode::CONFLICT)
}

fn is_as_seen(sent: &Sent, listed: &ListedDisk) -> bool {
    let seen = listed.disk.fingerprint.as_ref().is_some_and(|f| f.0 == sent.get("seen"));
    seen && sent.get("plug").parse() == Ok(listed.disk.plug)
}

fn show(req: &HttpRequest, page: Option<CardPage>, status: StatusCode) -> HttpResponse {
    match page {
        Some(page) => error::html(status, &page),
        None => {
            let short = Problem::Unexpected { short: "The system gave no random numbers".into() };
            error::problem(req, StatusCode::INTERNAL_SERVER_ERROR, &short)
        }
    }
}

async fn read(req: &HttpRequest, payload: web::Payload) -> Result<Sent, StatusCode> {
    let kind = req.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.trim().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    match payload.to_bytes_limited(LONGEST_FORM).await {
        Ok(Ok(bytes)) => Ok(Sent::parse(&bytes)),
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::PAYLOAD_TOO_LARGE),
    }
}

/// The token of a form without other fields that matter, as the stop page's.
pub async fn token_of(req: &HttpRequest, payload: web::Payload) -> Result<String, StatusCode> {
    read(req, payload).await.map(|sent| sent.get("token").to_string())
}
