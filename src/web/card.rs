//! The confirm page: which disk, really that one, and begin.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::home::{DiskRow, is_lasting};
use super::links::Links;
use super::{Shell, Site, error, language, now, random, words};
use crate::domain::backup::{BackupKind, BackupSlug, ListedBackup};
use crate::domain::confirm::{Printed, asks_size, printed_size};
use crate::domain::disk::{DiskId, Fingerprint, Refusal};
use crate::domain::job::{BackupChoice, CardRequest, ImageChoice, JobId};
use crate::domain::problem::{Problem, Words};
use crate::domain::system::SystemView;
use crate::jobs::{DiskList, ListedDisk, StartError};
use crate::texts::Language;
use crate::texts::Phrase;

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
    fn new(site: &Site, t: Language, listed: &ListedDisk, disks: &DiskList, filled: Filled) -> Option<CardPage> {
        let system = site.jobs.system();
        let shell = site.shell(t, Links::TOP, false);
        let running = site.jobs.current().map(|job| job.id);
        let mut page = CardPage {
            disk: Confirmed::new(t, listed),
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
            warnings: system.warnings.iter().map(|w| w.text.said_in(t)).collect(),
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
            Problem::DiskRefused { reasons: refusals.to_vec() }
        };
        self.trouble(&problem);
    }

    /// Shows a problem beside the field that it belongs to (PF-7), and in the summary.
    fn trouble(&mut self, problem: &Problem) {
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
    fn new(t: Language, listed: &ListedDisk) -> Confirmed {
        let row = DiskRow::new(t, listed, true);
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
    let mut page = CardPage::new(&site, language(&req), listed, &disks, filled);
    if let Some(page) = &mut page {
        // Nothing was sent yet, so nothing is an error: what stands in the way is said in its place.
        page.summary.clear();
    }
    show(&req, page, StatusCode::OK)
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
    let Some(mut page) = CardPage::new(&site, language(&req), listed, &disks, sent.filled()) else {
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
            let short = Problem::Unexpected { short: Phrase::of("why-app-ending") };
            return error::problem(req, StatusCode::SERVICE_UNAVAILABLE, &short);
        }
    }
    show(req, Some(page), StatusCode::CONFLICT)
}

/// P7: the form comes back with what is plugged in now, and nothing confirmed.
fn changed(req: &HttpRequest, site: &Site, listed: &ListedDisk, disks: &Arc<DiskList>, sent: &Sent) -> HttpResponse {
    let filled = Filled { agree: false, size: String::new(), ..sent.filled() };
    let mut page = CardPage::new(site, language(req), listed, disks, filled);
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
            let short = Problem::Unexpected { short: Phrase::of("why-no-random") };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::JobState;
    use crate::domain::size::Bytes;
    use crate::web::trial::*;

    /// The fields of a good form, as a browser would send them from the page.
    fn good() -> Vec<(&'static str, &'static str)> {
        vec![
            ("disk", "sdb"),
            ("seen", "v1-of-sdb"),
            ("plug", "3"),
            ("once", "abc"),
            ("token", TOKEN),
            ("agree", "yes"),
            ("backup", "new"),
            ("version", "running"),
        ]
    }

    fn with(changes: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
        let mut fields = good();
        fields.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        fields.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        fields
    }

    /// A card with pictures on it, so that the size is asked.
    fn ask_size(trial: &Trial) {
        let mut full = disk("sdb");
        full.contents = camera();
        trial.plug(vec![listed(full, &[])]);
    }

    #[actix_web::test]
    async fn the_page_names_the_disk_and_ticks_nothing() {
        let trial = Trial::new();
        let answer = trial.ask(trial.get("/card?disk=sdb")).await;
        assert_eq!(answer.status, 200);
        answer.has_sound_links();
        answer.has("<title>Erase this card and make it the new system?</title>");
        answer.has("SanDisk Ultra, 64 GB");
        answer.has("USB, slot 1");
        answer.has("name=\"agree\" value=\"yes\">");
        answer.has_not("name=\"size\"");
        answer.has_not("There is a problem");
        answer.has("value=\"new\" checked");
        answer.has("value=\"0a1b2c3d\">");
        answer.has("value=\"22222222\" disabled");
        let fields = ["disk", "seen", "plug", "token"].map(|name| answer.field(name));
        assert_eq!(fields, ["sdb", "v1-of-sdb", "3", TOKEN]);
        let again = trial.ask(trial.get("/card?disk=sdb&agree=yes&size=64")).await;
        again.has("name=\"agree\" value=\"yes\">");
        assert_ne!(answer.field("once"), again.field("once"));
        assert_eq!(answer.field("once").len(), 32);
    }

    #[actix_web::test]
    async fn forms_alone_start_a_job() {
        let trial = Trial::new();
        let page = trial.ask(trial.get("/card?disk=sdb")).await;
        let names = ["disk", "seen", "plug", "once", "token"];
        let values: Vec<String> = names.iter().map(|name| page.field(name)).collect();
        let mut fields: Vec<(&str, &str)> = names.into_iter().zip(values.iter().map(String::as_str)).collect();
        fields.extend([("agree", "yes"), ("backup", "0a1b2c3d"), ("version", "latest")]);
        let answer = trial.ask(trial.post("/card", &fields)).await;
        assert_eq!((answer.status, answer.header("location").as_str()), (303, "jobs/7"));
        let slug = "0a1b2c3d".parse().unwrap();
        let want = CardRequest {
            disk: DiskId("sdb".into()),
            seen: Fingerprint("v1-of-sdb".into()),
            plug: Some(3),
            backup: BackupChoice::Existing { slug, have_key: false },
            image: ImageChoice::Latest,
            board: None,
            once: Some(page.field("once")),
        };
        assert_eq!(trial.asked(), [Heard::Start(want)]);
    }

    #[actix_web::test]
    async fn every_mistake_is_said_at_its_field_and_values_are_kept() {
        let trial = Trial::new();
        ask_size(&trial);
        type Case<'a> = (&'a [(&'static str, &'static str)], &'a str, &'a str);
        let cases: [Case<'_>; 10] = [
            (
                &[("agree", ""), ("size", "64")],
                "agree",
                "Tick the box to say that everything on this disk may be erased",
            ),
            (&[("agree", "no"), ("size", "64")], "agree", "Tick the box to say"),
            (&[("size", "")], "size", "Type the size printed on the card, for example 64"),
            (&[("size", "big")], "size", "Type the size printed on the card, for example 64"),
            (&[("size", "32")], "size", "32 GB does not fit this disk. Check that it is the right one"),
            (&[("size", "1 TB")], "size", "1 TB does not fit this disk."),
            (&[("size", "64"), ("backup", "99999999")], "backup", "Choose a backup from the list"),
            (&[("size", "64"), ("backup", "22222222")], "backup", "Choose a backup from the list"),
            (&[("size", "64"), ("backup", "11111111")], "have_key", "Tick the box to say that you have the key"),
            (&[("size", "64"), ("version", "<b>")], "version", "Choose a version from the list"),
        ];
        for (changes, field, text) in cases {
            let answer = trial.ask(trial.post("/card", &with(changes))).await;
            assert_eq!(answer.status, 422, "{changes:?}");
            answer.has("<title>Error: ");
            answer.has(&format!("<li><a href=\"#{field}\" dir=\"auto\">{text}"));
            answer.has(&format!("id=\"{field}-error\""));
            answer.has(&format!(" id=\"{field}\""));
            answer.has_sound_links();
            for (name, value) in changes.iter().filter(|(name, value)| *name == "size" && !value.is_empty()) {
                answer.has(&format!("name=\"{name}\" value=\"{value}\""));
            }
            let kept = !changes.iter().any(|(name, _)| *name == "agree");
            assert_eq!(answer.text.contains("name=\"agree\" value=\"yes\" checked"), kept);
        }
        let all = with(&[("agree", ""), ("size", ""), ("backup", "x")]);
        let answer = trial.ask(trial.post("/card", &all)).await;
        assert_eq!(answer.text.matches("<li><a href=\"#").count(), 3);
        answer.has("<details class=\"fold\" open>");
        assert!(trial.asked().is_empty());

        let answer = trial.ask(trial.post("/card", &with(&[("size", "64 GB")]))).await;
        assert_eq!(answer.status, 303);
        let protected = with(&[("size", "64"), ("backup", "11111111"), ("have_key", "yes")]);
        assert_eq!(trial.ask(trial.post("/card", &protected)).await.status, 303);
    }

    #[actix_web::test]
    async fn the_size_is_asked_exactly_where_the_risk_is_higher() {
        let trial = Trial::new();
        let asks = |disks: Vec<ListedDisk>| {
            trial.plug(disks);
            async { trial.ask(trial.get("/card?disk=sdb")).await.text.contains("name=\"size\"") }
        };
        let changed = |change: fn(&mut crate::domain::disk::Disk)| {
            let mut disk = disk("sdb");
            change(&mut disk);
            vec![listed(disk, &[])]
        };
        assert!(!asks(changed(|_| {})).await);
        assert!(asks(changed(|d| d.contents = camera())).await);
        assert!(asks(changed(|d| d.contents.blank = false)).await);
        assert!(asks(changed(|d| d.size = Bytes(256_060_514_304))).await);
        assert!(asks(changed(|d| d.plugged_at = None)).await);
        assert!(asks(changed(|d| d.plugged_at = Some(now() - 4000))).await);
        assert!(asks(vec![listed(disk("sdb"), &[]), listed(disk("sdc"), &[])]).await);
        assert!(!asks(vec![listed(disk("sdb"), &[]), listed(disk("sdc"), &[Refusal::Mounted])]).await);
    }

    #[actix_web::test]
    async fn another_disk_than_was_seen_is_never_erased() {
        let trial = Trial::new();
        let cases: [&[(&str, &str)]; 6] = [
            &[("token", "of-an-older-start-xxxxx")],
            &[("token", "")],
            &[("seen", "v1-other")],
            &[("seen", "")],
            &[("plug", "2")],
            &[("plug", "")],
        ];
        for changes in cases {
            let answer = trial.ask(trial.post("/card", &with(changes))).await;
            assert_eq!(answer.status, 409, "{changes:?}");
            answer.has("The disk has changed");
            answer.has("name=\"agree\" value=\"yes\">");
            assert_eq!(answer.field("token"), TOKEN);
            assert_eq!(answer.field("seen"), "v1-of-sdb");
        }
        trial.plug(vec![]);
        let answer = trial.ask(trial.post("/card", &good())).await;
        assert_eq!(answer.status, 409);
        answer.has("The disk has changed");
        assert_eq!(trial.ask(trial.get("/card?disk=sdb")).await.status, 404);
        assert!(trial.asked().is_empty());
    }

    #[actix_web::test]
    async fn every_refusal_stands_beside_its_field() {
        let trial = Trial::new();
        let problems = vec![
            Problem::BackupDoesNotFit { need: Bytes(9), free: Bytes(1) },
            Problem::BackupRunning,
            Problem::NoInternet,
            Problem::CannotSave { why: Phrase::foreign("The disk is full") },
        ];
        trial.script.lock().unwrap().start =
            Err(StartError::Refused { disk: vec![Refusal::Mounted, Refusal::BuiltIn], problems: problems.clone() });
        let answer = trial.ask(trial.post("/card", &good())).await;
        assert_eq!(answer.status, 409);
        for problem in &problems {
            let words = problem.words();
            answer.has(&format!("<li><a href=\"#{}\" dir=\"auto\">{}", place_of(problem), words.title));
            answer.has(&words.todo);
        }
        answer.has("It is mounted or used on this machine. It is built in.");
        answer.has_sound_links();

        // Where other answers could help, the form stays.
        trial.script.lock().unwrap().start =
            Err(StartError::Refused { disk: vec![], problems: vec![Problem::BackupRunning] });
        let answer = trial.ask(trial.post("/card", &good())).await;
        answer.has("Erase this card and begin");
        answer.has("<details class=\"fold\" open>");
    }

    #[actix_web::test]
    async fn each_reason_of_the_conductor_is_told() {
        let trial = Trial::new();
        let cases = [
            (StartError::Running(JobId(5)), 409, "A card is already being made"),
            (StartError::NoDisk, 409, "The disk has changed"),
            (StartError::Changed, 409, "The disk has changed"),
            (StartError::Closing, 503, "The app is ending"),
        ];
        for (error, status, text) in cases {
            trial.script.lock().unwrap().start = Err(error);
            let answer = trial.ask(trial.post("/card", &good())).await;
            assert_eq!(answer.status, status, "{text}");
            answer.has(text);
            answer.has_sound_links();
        }
        trial.script.lock().unwrap().start = Err(StartError::Running(JobId(5)));
        trial.ask(trial.post("/card", &good())).await.has("href=\"jobs/5\"");
    }

    #[actix_web::test]
    async fn a_second_click_leads_to_the_same_job() {
        let trial = Trial::new();
        trial.show(vec![job(9)]);
        let answer = trial.ask(trial.post("/card", &with(&[("once", "once-9")]))).await;
        assert_eq!((answer.status, answer.header("location").as_str()), (303, "jobs/9"));
        let other = trial.ask(trial.post("/card", &good())).await;
        assert_eq!(other.status, 409);
        other.has("href=\"jobs/9\"");
        assert!(trial.asked().is_empty());
        trial.show(vec![ended(9, JobState::Failed)]);
        let late = trial.ask(trial.post("/card", &with(&[("once", "once-9")]))).await;
        assert_eq!(late.header("location"), "jobs/9");
    }

    #[actix_web::test]
    async fn refused_disks_show_why_and_have_no_button() {
        let trial = Trial::new();
        trial.plug(vec![listed(disk("sdb"), &[Refusal::RunsSystem, Refusal::Twin])]);
        for request in [trial.get("/card?disk=sdb"), trial.post("/card", &good())] {
            let answer = trial.ask(request).await;
            answer.has("This Home Assistant runs from it. It looks the same as another disk.");
            answer.has_not("Erase this card and begin");
        }
        trial.plug(vec![listed(disk("sdb"), &[Refusal::MayNotOpen])]);
        trial.ask(trial.get("/card?disk=sdb")).await.has("This disk may not be opened yet");
        trial.plug(vec![listed(disk("sdb"), &[])]);
        trial.change_system(|s| s.problems = vec![Problem::NotHaos]);
        trial.ask(trial.get("/card?disk=sdb")).await.has_not("Erase this card and begin");
        assert!(trial.asked().is_empty());
    }

    #[actix_web::test]
    async fn what_is_no_form_is_refused() {
        let trial = Trial::new();
        let long = "x".repeat(LONGEST_FORM);
        let too_long = trial.post("/card", &with(&[("size", "1")])).set_form([("disk", long.as_str())]);
        assert_eq!(trial.ask(too_long).await.status, 413);
        assert_eq!(trial.ask(trial.post_json("/card", "{}")).await.status, 415);
        let nothing = trial.ask(trial.post("/card", &[])).await;
        assert_eq!(nothing.status, 409);
        let odd = trial.post("/card", &[]).set_payload(&b"%ff=%fe&\xff\xfe=1&disk=%00"[..]);
        assert_eq!(trial.ask(odd).await.status, 409);
        assert!(trial.asked().is_empty());
    }
}
