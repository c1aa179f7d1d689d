//! `POST api/start-clone`: a disk named by its path and its fingerprint becomes a job (DV-5).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::failure::{Failure, closing, is_json, running};
use crate::domain::backup::BackupSlug;
use crate::domain::carry::Carry;
use crate::domain::disk::{Fingerprint, Refusal};
use crate::domain::job::{BackupChoice, CardRequest, ImageChoice, JobId, JobView};
use crate::domain::network::Network;
use crate::domain::problem::Problem;
use crate::domain::secret::Secret;
use crate::jobs::disk_json::ReasonJson;
use crate::jobs::{ListedDisk, StartError};
use crate::texts::Phrase;
use crate::web::Site;
use crate::web::body;

const LONGEST_BODY: usize = 16 * 1024;
/// It is kept with the job.
const LONGEST_ONCE: usize = 200;

/// `device` is a path or a kernel name; the rest may be left out. A name that is none of these is refused: it may be a mistyped one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    device: String,
    #[serde(default)]
    fingerprint: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    plug: Option<u64>,
    /// `new` or the slug of a backup.
    #[serde(default)]
    backup: Option<String>,
    /// The user has the key of a protected backup.
    #[serde(default)]
    have_key: bool,
    /// `running` or `latest`.
    #[serde(default)]
    version: Option<String>,
    /// Name and network settings of the system go along.
    #[serde(default)]
    network: Option<bool>,
    /// Of the system's Wi-Fi; the Supervisor does not tell it.
    #[serde(default)]
    wifi_password: Option<String>,
    /// A second start with the same one leads to the same job.
    #[serde(default)]
    once: Option<String>,
}

/// JSON knows numbers only: 3.0 is 3.
fn whole<'de, D: Deserializer<'de>>(source: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(source)? else { return Ok(None) };
    let rounded = || number.as_f64().filter(|n| n.fract() == 0.0 && (0.0..1.8e19).contains(n)).map(|n| n as u64);
    let whole = number.as_u64().or_else(rounded);
    whole.map(Some).ok_or_else(|| D::Error::custom(format!("{number} is no whole number")))
}

pub async fn post(req: HttpRequest, site: web::Data<Site>, payload: web::Payload) -> HttpResponse {
    let started = async {
        let start = read(&req, payload).await?;
        let request = request(&site, start)?;
        site.jobs.start(request).await.map_err(|error| not_started(&error))
    };
    match started.await {
        Ok(id) => accepted(id),
        Err(failure) => failure.answer(),
    }
}

fn accepted(id: JobId) -> HttpResponse {
    HttpResponse::Accepted().json(json!({ "job_id": id.to_string() }))
}

fn unread(status: StatusCode) -> Failure {
    let (code, error, hint) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            ("too_long", "The body is too long.", "A start needs no more than a few lines.")
        }
        StatusCode::REQUEST_TIMEOUT => {
            ("too_slow", "The body did not come in time.", "Send the body together with the request.")
        }
        _ => return bad_body("The body could not be read.".into()),
    };
    Failure::new(status, code, error, hint)
}

async fn read(req: &HttpRequest, payload: web::Payload) -> Result<Start, Failure> {
    is_json(req, true)?;
    let bytes = body::read(req, payload, LONGEST_BODY).await.map_err(unread)?;
    serde_json::from_slice(&bytes).map_err(|error| bad_body(format!("The body cannot be used: {error}.")))
}

fn bad_body(error: String) -> Failure {
    let hint = "Send for example {\"device\": \"/dev/sda\", \"fingerprint\": \"v1-…\"}.";
    Failure::new(StatusCode::BAD_REQUEST, "bad_request", error, hint)
}

fn request(site: &Site, start: Start) -> Result<CardRequest, Failure> {
    // What is wrong in itself is said before what is wrong just now.
    let (backup, image, carry) = (backup(&start)?, image(&start)?, carry(site, &start)?);
    if start.once.as_deref().is_some_and(|once| once.chars().count() > LONGEST_ONCE) {
        return Err(bad_body(format!("The field once is longer than {LONGEST_ONCE} characters.")));
    }
    if let Some(job) = same_start(site, start.once.as_deref()) {
        return Ok(job.request.clone());
    }
    let disks = site.jobs.disks();
    let named = |d: &&ListedDisk| d.disk.path.to_string_lossy() == start.device || d.disk.id.0 == start.device;
    let Some(listed) = disks.disks.iter().find(named) else { return Err(not_started(&StartError::NoDisk)) };
    if let Some(job) = site.jobs.current() {
        return Err(not_started(&StartError::Running(job.id)));
    }
    if !listed.refusals.is_empty() {
        return Err(refused(&listed.refusals, &[]));
    }
    let seen = confirmed(listed, &start)?;
    Ok(CardRequest {
        disk: listed.disk.id.clone(),
        seen,
        plug: start.plug,
        backup,
        image,
        board: None,
        carry,
        once: start.once.filter(|once| !once.is_empty()),
    })
}

/// The conductor answers the same request with the same job.
fn same_start(site: &Site, once: Option<&str>) -> Option<std::sync::Arc<JobView>> {
    let once = once.filter(|once| !once.is_empty())?;
    site.jobs.all().iter().find(|job| job.request.once.as_deref() == Some(once)).cloned()
}

/// DV-5: what the caller saw is what is plugged in.
fn confirmed(listed: &ListedDisk, start: &Start) -> Result<Fingerprint, Failure> {
    let now = listed.disk.fingerprint.clone();
    let Some(seen) = start.fingerprint.clone().filter(|seen| !seen.is_empty()) else {
        let error = "Say which disk you mean by its fingerprint, too.";
        let hint = "Look at the disk; if it is the right one, send this fingerprint.";
        let failure = Failure::new(StatusCode::PRECONDITION_REQUIRED, "fingerprint_required", error, hint);
        return Err(failure.with("fingerprint", now.map(|f| f.0)).with("device", listed.disk.name()));
    };
    let plug_fits = start.plug.is_none_or(|plug| plug == listed.disk.plug);
    match now {
        Some(now) if now.0 == seen && plug_fits => Ok(now),
        _ => Err(not_started(&StartError::Changed)),
    }
}

fn backup(start: &Start) -> Result<BackupChoice, Failure> {
    match start.backup.as_deref() {
        None | Some("new") => Ok(BackupChoice::New),
        Some(slug) => match slug.parse::<BackupSlug>() {
            Ok(slug) => Ok(BackupChoice::Existing { slug, have_key: start.have_key }),
            Err(why) => Err(refused(&[], &[Problem::BackupUnusable { why: Phrase::foreign(why) }])),
        },
    }
}

fn image(start: &Start) -> Result<ImageChoice, Failure> {
    match start.version.as_deref() {
        None | Some("running") => Ok(ImageChoice::Running),
        Some("latest") => Ok(ImageChoice::Latest),
        Some(_) => Err(bad_body("The version is neither \"running\" nor \"latest\".".into())),
    }
}

/// A password that cannot be that of the system's Wi-Fi is a mistyped one.
fn carry(site: &Site, start: &Start) -> Result<Carry, Failure> {
    if start.network == Some(false) {
        return Ok(Carry::nothing());
    }
    let password = Secret::new(start.wifi_password.as_deref().unwrap_or_default());
    let system = site.jobs.system();
    match system.facts.network.as_ref().and_then(Network::wifi_with_key) {
        Some((_, wifi)) if !password.is_empty() && !wifi.auth.takes(&password) => {
            Err(bad_body("The wifi_password cannot be that of the system's Wi-Fi.".into()))
        }
        _ => Ok(Carry::of_system(password)),
    }
}

fn refused(disk: &[Refusal], problems: &[Problem]) -> Failure {
    let mut all: Vec<ReasonJson> = disk.iter().map(ReasonJson::from).collect();
    all.extend(problems.iter().map(|p| ReasonJson { code: p.code(), text: p.to_string() }));
    let error = all.iter().map(|reason| reason.text.as_str()).collect::<Vec<_>>().join(" ");
    let hint = match problems.first() {
        Some(problem) if disk.is_empty() => problem.words().todo,
        _ => "Choose another disk; api/devices lists those that can be used.".into(),
    };
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", error, &hint).with("reasons", json!(all))
}

fn not_started(error: &StartError) -> Failure {
    match error {
        StartError::Running(id) => running(*id),
        StartError::NoDisk => {
            let hint = "api/devices lists the disks.";
            Failure::new(StatusCode::NOT_FOUND, "no_such_disk", "There is no such disk.", hint)
        }
        StartError::Changed => Failure::of(StatusCode::CONFLICT, &Problem::DiskChanged),
        StartError::Refused { disk, problems } => refused(disk, problems),
        StartError::Closing => closing(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::api::trial::is_error;
    use crate::web::trial::*;

    const GOOD: &str = r#"{"device":"/dev/sdb","fingerprint":"v1-of-sdb"}"#;

    #[actix_web::test]
    async fn a_start_answers_as_promised() {
        let trial = Trial::new();
        let answer = trial.ask(trial.post_json("/api/start-clone", GOOD)).await;
        assert_eq!((answer.status, answer.json()), (202, json!({ "job_id": "7" })));
        let wanted = r#"{"device":"sdb","fingerprint":"v1-of-sdb","plug":3.0,"backup":"0a1b2c3d","have_key":true,
            "version":"latest","once":"x"}"#;
        assert_eq!(trial.ask(trial.post_json("/api/start-clone", wanted)).await.status, 202);
        let Some(Heard::Start(request)) = trial.asked().pop() else { panic!("no start") };
        assert_eq!(request.image, ImageChoice::Latest);
        assert_eq!(request.backup, BackupChoice::Existing { slug: "0a1b2c3d".parse().unwrap(), have_key: true });
        assert_eq!((request.plug, request.once.as_deref()), (Some(3), Some("x")));
    }

    #[actix_web::test]
    async fn the_network_goes_along_unless_told_otherwise() {
        let trial = Trial::new();
        trial.change_system(|system| system.facts.network = Some(with_wifi(b"Our Home", true)));
        let cases = [
            ("", Carry::usual()),
            (r#","network":true"#, Carry::usual()),
            (r#","network":null,"wifi_password":null"#, Carry::usual()),
            (r#","network":false,"wifi_password":"x""#, Carry::nothing()),
            (r#","wifi_password":"correct horse""#, Carry::of_system(Secret::new("correct horse"))),
        ];
        for (more, want) in cases {
            let body = format!(r#"{{"device":"sdb","fingerprint":"v1-of-sdb"{more}}}"#);
            assert_eq!(trial.ask(trial.post_json("/api/start-clone", &body)).await.status, 202, "{body}");
            let Some(Heard::Start(request)) = trial.asked().pop() else { panic!("no start") };
            assert_eq!(request.carry, want, "{body}");
        }
        for odd in [r#""wifi_password":"short""#, r#""wifi_password":7"#, r#""network":"yes""#] {
            let body = format!(r#"{{"device":"sdb","fingerprint":"v1-of-sdb",{odd}}}"#);
            let answer = trial.ask(trial.post_json("/api/start-clone", &body)).await;
            is_error(&answer, 400, "bad_request");
            answer.has_not("short");
        }
    }

    #[actix_web::test]
    async fn what_cannot_be_started_says_why() {
        let trial = Trial::new();
        let bodies = [
            ("", 400, "bad_request"),
            ("{", 400, "bad_request"),
            ("[]", 400, "bad_request"),
            ("{}", 400, "bad_request"),
            (r#"{"device":7}"#, 400, "bad_request"),
            (r#"{"device":"/dev/sdb","plug":1.5}"#, 400, "bad_request"),
            (r#"{"device":"/dev/sdb","plug":-1}"#, 400, "bad_request"),
            (r#"{"device":"/dev/sdb","plug":1e40}"#, 400, "bad_request"),
            (r#"{"device":"/dev/sdb","plug":"3"}"#, 400, "bad_request"),
            (r#"{"device":"/dev/sdb","fingerprnt":"v1-of-sdb"}"#, 400, "bad_request"),
            (r#"{"device":"/dev/sdz","fingerprint":"v1-of-sdb"}"#, 404, "no_such_disk"),
            (r#"{"device":"/dev/sdb"}"#, 428, "fingerprint_required"),
            (r#"{"device":"/dev/sdb","fingerprint":""}"#, 428, "fingerprint_required"),
            (r#"{"device":"/dev/sdb","fingerprint":"v1-other"}"#, 409, "disk_changed"),
            (r#"{"device":"/dev/sdb","fingerprint":"v1-of-sdb","plug":2}"#, 409, "disk_changed"),
            (r#"{"device":"/dev/sdb","fingerprint":"v1-of-sdb","backup":"../x"}"#, 422, "refused"),
            (r#"{"device":"/dev/sdb","fingerprint":"v1-of-sdb","version":"9"}"#, 400, "bad_request"),
        ];
        for (body, status, code) in bodies {
            is_error(&trial.ask(trial.post_json("/api/start-clone", body)).await, status, code);
        }
        let asked = trial.ask(trial.post_json("/api/start-clone", r#"{"device":"sdb"}"#)).await;
        assert_eq!(asked.json()["fingerprint"], "v1-of-sdb");

        let form = trial.ask(trial.post("/api/start-clone", &[("device", "/dev/sdb")])).await;
        is_error(&form, 415, "not_json");
        let long = format!(r#"{{"device":"{}"}}"#, "x".repeat(LONGEST_BODY));
        is_error(&trial.ask(trial.post_json("/api/start-clone", &long)).await, 413, "too_long");
        let once = format!(r#"{{"device":"/dev/sdb","fingerprint":"v1-of-sdb","once":"{}"}}"#, "ü".repeat(201));
        is_error(&trial.ask(trial.post_json("/api/start-clone", &once)).await, 400, "bad_request");

        trial.plug(vec![listed(disk("sdb"), &[Refusal::BuiltIn, Refusal::Mounted])]);
        let refused = is_error(&trial.ask(trial.post_json("/api/start-clone", GOOD)).await, 422, "refused");
        assert_eq!(refused["reasons"][1]["code"], "mounted");
        trial.show(vec![job(9)]);
        let running = is_error(&trial.ask(trial.post_json("/api/start-clone", GOOD)).await, 409, "already_running");
        assert_eq!(running["job_id"], "9");
        assert!(trial.asked().is_empty());
    }

    #[actix_web::test]
    async fn each_answer_of_the_conductor_has_its_status() {
        let trial = Trial::new();
        let refused = StartError::Refused { disk: vec![Refusal::Twin], problems: vec![Problem::NoInternet] };
        let cases = [
            (StartError::Running(JobId(3)), 409, "already_running"),
            (StartError::NoDisk, 404, "no_such_disk"),
            (StartError::Changed, 409, "disk_changed"),
            (refused, 422, "refused"),
            (StartError::Closing, 503, "closing"),
        ];
        for (error, status, code) in cases {
            trial.script.lock().unwrap().start = Err(error);
            is_error(&trial.ask(trial.post_json("/api/start-clone", GOOD)).await, status, code);
        }
        // The same start again is let through to the conductor, which knows the job.
        trial.show(vec![job(9)]);
        trial.script.lock().unwrap().start = Ok(JobId(9));
        let again = r#"{"device":"sdb","once":"once-9"}"#;
        assert_eq!(trial.ask(trial.post_json("/api/start-clone", again)).await.json()["job_id"], "9");
    }
}
