//! `jobs/7/certificate` and `.json`: what was made and compared (JB-7), on one sheet.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::links::Links;
use super::moment::date_time;
use super::{Shell, Site, error, language, words};
use crate::domain::carry::Carried;
use crate::domain::certificate::{Backup, Certificate, Compared, Image, Step};
use crate::domain::job::{JobView, StageState};
use crate::domain::size::Bytes;
use crate::texts::Language;

#[derive(Template)]
#[template(path = "certificate.html")]
struct CertificatePage {
    shell: Shell,
    card: String,
    groups: Vec<Group>,
    /// Said in place of the backup's facts.
    no_backup: bool,
    compared: Vec<String>,
    steps: Vec<Measured>,
    warnings: Vec<String>,
    rewritten: Option<String>,
    made_by: String,
    job: String,
    history: String,
    json: String,
    json_name: String,
}

/// A heading with its facts.
struct Group {
    title: String,
    rows: Vec<(String, String)>,
}

struct Measured {
    name: String,
    took: String,
    amount: String,
    rate: String,
}

/// Facts of a heading; what is not known is left out.
struct Rows(Language, Vec<(String, String)>);

impl Rows {
    fn put(&mut self, key: &str, value: Option<String>) {
        self.1.extend(value.map(|value| (self.0.say(key), value)));
    }

    fn under(self, title: &str) -> Group {
        Group { title: self.0.say(title), rows: self.1 }
    }
}

impl CertificatePage {
    fn new(site: &Site, t: Language, job: &JobView, facts: &Certificate) -> CertificatePage {
        let shell = site.shell(t, Links::STOP, false);
        let mut groups = vec![card(t, facts), system(t, facts)];
        groups.extend(facts.backup.as_ref().map(|facts| backup(t, facts)));
        groups.extend(facts.carried.as_ref().map(|facts| carried(t, facts)));
        groups.push(times(t, job));
        groups.retain(|group| !group.rows.is_empty());
        let places: Vec<String> = facts.rewritten_blocks.iter().map(ToString::to_string).collect();
        CertificatePage {
            card: facts.card.name.clone(),
            groups,
            no_backup: facts.backup.is_none(),
            compared: facts.compared.iter().map(|what| compared(t, *what)).collect(),
            steps: facts.stages.iter().filter_map(|step| Measured::of(t, step)).collect(),
            warnings: facts.warnings.iter().map(|warning| warning.text.said_in(t)).collect(),
            rewritten: (!places.is_empty()).then(|| t.with("certificate-rewritten", "blocks", places.join(", "))),
            made_by: made_by(t, facts),
            job: shell.links.job(job.id),
            history: shell.links.history(),
            json: shell.links.certificate_json(job.id),
            json_name: file_name(job),
            shell,
        }
    }
}

fn file_name(job: &JobView) -> String {
    format!("sd-swap-certificate-{}.json", job.id)
}

fn made_by(t: Language, facts: &Certificate) -> String {
    match &facts.app.version {
        Some(version) => t.tell("certificate-by", &[("version", version), ("job", &facts.job.to_string())]),
        None => t.with("certificate-by-earlier", "job", facts.job.to_string()),
    }
}

/// "64 GB (63864569856 bytes)"
fn size(t: Language, bytes: Bytes) -> String {
    format!("{} ({})", bytes.said_in(t), t.with("bytes", "n", bytes.0.to_string()))
}

fn card(t: Language, facts: &Certificate) -> Group {
    let (card, mut rows) = (&facts.card, Rows(t, Vec::new()));
    rows.put("certificate-maker", card.vendor.clone());
    rows.put("certificate-model", card.model.clone());
    rows.put("certificate-serial", card.serial.clone());
    rows.put("certificate-size", Some(size(t, card.bytes)));
    rows.put("certificate-fingerprint", Some(card.fingerprint.to_string()));
    rows.under("certificate-card")
}

fn system(t: Language, facts: &Certificate) -> Group {
    let (image, mut rows) = (&facts.image, Rows(t, Vec::new()));
    rows.put("certificate-board", facts.system.board.map(|board| board.name().into()));
    rows.put("certificate-version", facts.system.version.as_ref().map(|v| t.with("history-os", "version", v.as_str())));
    rows.put("certificate-image", image.name.clone());
    rows.put("certificate-size", image.bytes.map(|bytes| size(t, bytes)));
    rows.put("certificate-unpacked", image.bytes_on_card.map(|bytes| size(t, bytes)));
    rows.put("certificate-sha256", image.sha256.map(|digest| digest_line(t, &digest.to_string(), image)));
    rows.under("certificate-system")
}

fn digest_line(t: Language, digest: &str, image: &Image) -> String {
    match image.as_published {
        true => digest.into(),
        false => t.with("certificate-own-digest", "digest", digest),
    }
}

fn backup(t: Language, backup: &Backup) -> Group {
    let mut rows = Rows(t, Vec::new());
    rows.put("certificate-name", backup.name.clone());
    rows.put("certificate-slug", Some(backup.slug.to_string()));
    rows.put("certificate-date", backup.date.as_deref().map(words::backup_date));
    rows.put("certificate-core", backup.core.clone());
    rows.put("certificate-key", backup.protected.then(|| t.say("certificate-key-needed")));
    rows.put("certificate-size", backup.bytes.map(|bytes| size(t, bytes)));
    rows.put("certificate-sha256", backup.sha256.map(|digest| digest.to_string()));
    rows.under("certificate-backup")
}

fn carried(t: Language, carried: &Carried) -> Group {
    let mut rows = Rows(t, Vec::new());
    rows.put("certificate-hostname", carried.hostname.clone());
    rows.put("certificate-interfaces", (!carried.interfaces.is_empty()).then(|| carried.interfaces.join(", ")));
    rows.under("certificate-carried")
}

fn times(t: Language, job: &JobView) -> Group {
    let mut rows = Rows(t, Vec::new());
    let took = |ended: u64| words::took(t, ended.saturating_sub(job.started).saturating_mul(1000));
    rows.put("certificate-started", Some(date_time(t, job.started)));
    rows.put("certificate-ended", job.ended.map(|ended| date_time(t, ended)));
    rows.put("certificate-took", job.ended.map(took));
    rows.under("certificate-times")
}

fn compared(t: Language, what: Compared) -> String {
    t.say(match what {
        Compared::Fingerprint => "compared-fingerprint",
        Compared::Image => "compared-image",
        Compared::BackupParts => "compared-backup-parts",
        Compared::Capacity => "compared-capacity",
        Compared::Content => "compared-content",
        Compared::FileSystem => "compared-file-system",
        Compared::BackupOnCard => "compared-backup-on-card",
        Compared::Settings => "compared-settings",
        Compared::Tables => "compared-tables",
    })
}

impl Measured {
    /// Only of what was done.
    fn of(t: Language, step: &Step) -> Option<Measured> {
        (step.state == StageState::Done).then(|| Measured {
            name: step.id.sentence_in(t, None),
            took: words::took(t, (step.seconds * 1000.0) as u64),
            amount: if step.bytes > 0 { Bytes(step.bytes).said_in(t) } else { "–".into() },
            rate: words::rate(t, step.bytes_per_second).unwrap_or_else(|| "–".into()),
        })
    }
}

pub async fn get(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let Some(job) = site.job_of(&req) else { return error::not_found(&req) };
    match Certificate::of(&job) {
        Some(facts) => error::html(StatusCode::OK, &CertificatePage::new(&site, language(&req), &job, &facts)),
        None => error::no_certificate(&req, job.id),
    }
}

pub async fn json(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let Some(job) = site.job_of(&req) else { return error::not_found(&req) };
    match Certificate::of(&job) {
        Some(facts) => HttpResponse::Ok()
            .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file_name(&job))))
            .json(facts),
        None => error::no_certificate(&req, job.id),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;
    use crate::domain::job::JobState;
    use crate::web::trial::*;
    use crate::web::trial_jobs::{SHA, long, old, rich};

    async fn page(job: JobView) -> Answer {
        let trial = Trial::new();
        trial.show(vec![job]);
        let answer = trial.ask(trial.get("/jobs/7/certificate")).await;
        assert_eq!(answer.status, 200);
        answer.has_sound_links();
        answer
    }

    async fn facts(job: JobView) -> Value {
        let trial = Trial::new();
        trial.show(vec![job]);
        let answer = trial.ask(trial.get("/jobs/7/certificate.json")).await;
        let name = answer.header("content-disposition");
        assert_eq!((answer.status, &*name), (200, "attachment; filename=\"sd-swap-certificate-7.json\""));
        answer.json()
    }

    #[actix_web::test]
    async fn it_says_all_that_was_made_and_compared() {
        let answer = page(rich(7)).await;
        for fact in [
            "SanDisk Ultra, 64 GB",
            "4C530001",
            "v1-0123456789abcdef0123456789abcdef",
            "Raspberry Pi 4",
            "Home Assistant OS 18.2",
            "haos_rpi4-64-18.2.img.xz",
            SHA,
            "6.2 GB (6200000000 bytes)",
            "sd-swap 2026-11-21 „Küche“",
            "0a1b2c3d",
            "2026-11-21 12:05",
            "2026.11.1",
            "Its key is asked for",
            "27 min",
            "15 MB/s",
            "read back past the cache",
            "Mosquitto &#60;broker&#62; is not in the backup: timeout",
            "1201, 5003",
            "by sd-swap 0.1.0 as job 7",
            "was written last",
            "download=\"sd-swap-certificate-7.json\"",
        ] {
            answer.has(fact);
        }
    }

    #[actix_web::test]
    async fn what_is_not_known_is_not_claimed() {
        let answer = page(JobView { id: crate::domain::job::JobId(7), ..old(3) }).await;
        answer.has("No backup was put on this card.");
        answer.has("by an earlier version of sd-swap as job 7");
        answer.has_not("is the one that its release names");
        answer.has_not("The backup on the card");
        answer.has_not("SHA-256");
        answer.has_not("<h2>System</h2>");
        answer.has_not("Finished");
        let mut own = rich(7);
        own.made.image_as_published = false;
        let answer = page(own).await;
        answer.has("taken of the file itself");
        answer.has_not("is the one that its release names");
    }

    #[actix_web::test]
    async fn only_a_finished_card_has_one() {
        let trial = Trial::new();
        for state in JobState::ALL.into_iter().filter(|state| *state != JobState::Done) {
            trial.show(vec![ended(7, state)]);
            for path in ["/jobs/7/certificate", "/jobs/7/certificate.json"] {
                let answer = trial.ask(trial.get(path)).await;
                assert_eq!(answer.status, 409, "{state:?}");
                answer.has("There is no certificate");
                answer.has("href=\"../../jobs/7\"");
                answer.has_sound_links();
            }
        }
        for path in ["/jobs/8/certificate", "/jobs/8/certificate.json"] {
            let answer = trial.ask(trial.get(path)).await;
            assert_eq!(answer.status, 404);
            answer.has("href=\"../../history\"");
        }
    }

    /// `a.b[].c` → the kind of JSON there.
    fn paths(at: &str, value: &Value, found: &mut BTreeMap<String, &'static str>) {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(items) => {
                items.iter().for_each(|item| paths(&format!("{at}[]"), item, found));
                "array"
            }
            Value::Object(fields) => {
                let dot = if at.is_empty() { "" } else { "." };
                fields.iter().for_each(|(name, field)| paths(&format!("{at}{dot}{name}"), field, found));
                "object"
            }
        };
        if !at.is_empty() {
            found.insert(at.into(), kind);
        }
    }

    /// The table of `docs/certificate.md`: path → its kinds.
    fn documented() -> BTreeMap<String, Vec<String>> {
        let rows = include_str!("../../docs/certificate.md").lines().filter(|line| line.starts_with("| `"));
        let cells = rows.map(|row| row.split('|').map(|cell| cell.trim().to_string()).collect::<Vec<_>>());
        let kinds = |cell: &str| cell.split(" or ").map(String::from).collect();
        cells.map(|cells| (cells[1].trim_matches('`').to_string(), kinds(&cells[2]))).collect()
    }

    #[actix_web::test]
    async fn the_json_is_what_its_document_says() {
        let documented = documented();
        let mut seen = BTreeMap::new();
        for job in [rich(7), long(7), JobView { id: crate::domain::job::JobId(7), ..old(3) }] {
            let json = facts(job).await;
            let mut found = BTreeMap::new();
            paths("", &json, &mut found);
            for (path, kind) in &found {
                // Values of a warning are named by its kind.
                let path = if path.starts_with("warnings[].values.") { "warnings[].values.*" } else { path };
                let kinds = documented.get(path).unwrap_or_else(|| panic!("{path} is not in docs/certificate.md"));
                assert!(kinds.iter().any(|known| known == kind), "{path} is {kind}");
                seen.insert(path.to_string(), ());
            }
            for (path, kinds) in documented.iter().filter(|(path, _)| !path.contains(['.', '['])) {
                assert!(found.contains_key(path), "{path} ({kinds:?}) is missing");
            }
        }
        let never: Vec<_> = documented.keys().filter(|path| !seen.contains_key(*path)).collect();
        assert!(never.is_empty(), "nobody has {never:?}");
        assert_eq!(facts(rich(7)).await["schema"], 1);
    }
}
