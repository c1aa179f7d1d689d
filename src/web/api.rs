//! The JSON API (AP-1): the fields and statuses of the first plan, and more beside them. Errors are JSON, always (AP-3).

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Site;
use crate::domain::backup::BackupSlug;
use crate::domain::disk::{Disk, Fingerprint, Refusal};
use crate::domain::job::{BackupChoice, CardRequest, ImageChoice, JobId, JobState, JobView, StageState, StageView};
use crate::domain::problem::Problem;
use crate::domain::stage::Stage;
use crate::jobs::{ListedDisk, StartError};
use crate::texts::Phrase;

const LONGEST_BODY: usize = 16 * 1024;

/// An error as every answer of the API tells it.
struct Failure {
    status: StatusCode,
    code: &'static str,
    error: String,
    hint: String,
    /// Fields beside the three.
    more: Map<String, Value>,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, error: impl Into<String>, hint: &str) -> Failure {
        Failure { status, code, error: error.into(), hint: hint.into(), more: Map::new() }
    }

    fn of(status: StatusCode, problem: &Problem) -> Failure {
        let words = problem.words();
        Failure::new(status, problem.code(), format!("{}. {}", words.title, words.happened), &words.todo)
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Failure {
        self.more.insert(name.into(), value.into());
        self
    }

    fn answer(self) -> HttpResponse {
        let mut body = self.more;
        body.insert("error".into(), self.error.into());
        body.insert("code".into(), self.code.into());
        body.insert("hint".into(), self.hint.into());
        HttpResponse::build(self.status).json(body)
    }
}

pub async fn no_such_url() -> HttpResponse {
    let hint = "GET api/devices, api/system-info, api/jobs/current, api/jobs/ID; POST api/start-clone.";
    Failure::new(StatusCode::NOT_FOUND, "no_such_url", "There is no such URL in this API.", hint).answer()
}

pub fn wrong_method(allowed: &'static str) -> HttpResponse {
    let hint = format!("Use {allowed}.");
    let failure = Failure::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", "This URL takes another method.", &hint);
    let mut answer = failure.answer();
    answer.headers_mut().insert(ALLOW, actix_web::http::header::HeaderValue::from_static(allowed));
    answer
}

pub fn foreign_origin() -> HttpResponse {
    let error = "This was sent by a page of another site. Nothing was done.";
    let hint = "Send it from a page of this app, or without an Origin header.";
    Failure::new(StatusCode::FORBIDDEN, "foreign_origin", error, hint).answer()
}

#[derive(Serialize)]
struct Device {
    name: String,
    path: String,
    size: u64,
    size_human: String,
    vendor: String,
    model: String,
    tran: &'static str,
    serial: String,
    id: String,
    title: String,
    fingerprint: Option<String>,
    plug: u64,
    plugged_at: Option<u64>,
    slot: Option<u32>,
    removable: bool,
    read_only: bool,
    medium: bool,
    scratch: bool,
    contents: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasons: Option<Vec<Reason>>,
}

#[derive(Serialize)]
struct Reason {
    code: &'static str,
    text: String,
}

fn reasons(refusals: &[Refusal]) -> Vec<Reason> {
    refusals.iter().map(|r| Reason { code: r.code(), text: r.to_string() }).collect()
}

impl Device {
    fn new(listed: &ListedDisk) -> Device {
        let disk: &Disk = &listed.disk;
        Device {
            name: disk.id.0.clone(),
            path: disk.path.to_string_lossy().into_owned(),
            size: disk.size.0,
            size_human: disk.size.as_sold(),
            vendor: disk.vendor.clone(),
            model: disk.model.clone(),
            tran: if disk.scratch { "usb" } else { disk.transport.word() },
            serial: disk.serial.clone(),
            id: disk.id.0.clone(),
            title: disk.name(),
            fingerprint: disk.fingerprint.as_ref().map(|f| f.0.clone()),
            plug: disk.plug,
            plugged_at: disk.plugged_at,
            slot: disk.slot,
            removable: disk.removable,
            read_only: disk.read_only,
            medium: disk.medium,
            scratch: disk.scratch,
            contents: json!(disk.contents),
            reasons: (!listed.refusals.is_empty()).then(|| reasons(&listed.refusals)),
        }
    }
}

pub async fn devices(site: web::Data<Site>) -> HttpResponse {
    let list = site.jobs.disks();
    let (usable, refused): (Vec<_>, Vec<_>) = list.disks.iter().partition(|d| d.refusals.is_empty());
    let devices = |disks: Vec<&ListedDisk>| disks.into_iter().map(Device::new).collect::<Vec<_>>();
    HttpResponse::Ok().json(json!({
        "devices": devices(usable),
        "refused": devices(refused),
        "known": list.known,
        "failed": list.failed,
    }))
}

fn problem_json(problem: &Problem) -> Value {
    let words = problem.words();
    json!({ "code": problem.code(), "title": words.title, "happened": words.happened, "todo": words.todo })
}

pub async fn system_info(site: web::Data<Site>) -> HttpResponse {
    let view = site.jobs.system();
    let facts = &view.facts;
    HttpResponse::Ok().json(json!({
        "machine": facts.machine,
        "board_slug": facts.board,
        "os_version": facts.os_version,
        "os_version_latest": facts.os_latest,
        "ip_address": facts.addresses.first(),
        "free_space_bytes": facts.disk_free,
        "free_space_human": facts.disk_free.map(|free| free.to_string()),
        "known": view.known,
        "addresses": facts.addresses,
        "hostname": facts.hostname,
        "os_version_pending": facts.os_pending,
        "supervisor_version": facts.supervisor_version,
        "core_version": facts.core_version,
        "supervisor_state": facts.state,
        "expected_backup_bytes": facts.expected_backup(),
        "needed_card_bytes": view.need,
        "runs_from": view.runs_from,
        "problems": view.problems.iter().map(problem_json).collect::<Vec<_>>(),
        "warnings": view.warnings,
    }))
}

/// The four words of the first plan.
const fn status(job: &JobView, begun: bool) -> &'static str {
    match job.state {
        JobState::Running | JobState::Stopping if !begun => "pending",
        JobState::Running | JobState::Stopping => "in_progress",
        JobState::Done => "completed",
        JobState::Cancelled | JobState::Failed | JobState::Interrupted => "failed",
    }
}

/// One of the four stages of the first plan, made of ours.
fn stage_json(job: &JobView, ours: &[Stage]) -> Value {
    let views: Vec<&StageView> = ours.iter().filter_map(|stage| job.stage(*stage)).collect();
    let is = |state: StageState| views.iter().any(|v| v.state == state);
    let finished = |v: &StageView| matches!(v.state, StageState::Done | StageState::Skipped);
    let begun = views.iter().any(|v| v.state != StageState::Waiting);
    let status = if is(StageState::Failed) || is(StageState::Stopped) {
        "failed"
    } else if !views.is_empty() && views.iter().all(|v| finished(v)) {
        "completed"
    } else if !begun {
        "pending"
    } else if job.state.is_over() {
        "failed"
    } else {
        "in_progress"
    };
    let sum: u32 = views.iter().map(|v| if finished(v) { 100 } else { stage_percent(v) }).sum();
    let mean = sum / u32::try_from(views.len()).unwrap_or(1).max(1);
    let progress = if status == "completed" { 100 } else { mean.min(99) };
    json!({ "status": status, "progress": progress })
}

fn stage_percent(view: &StageView) -> u32 {
    if view.state == StageState::Waiting { 0 } else { view.amount.percent().unwrap_or(0).into() }
}

fn own_stage_json(view: &StageView) -> Value {
    json!({
        "id": view.stage.id(),
        "state": view.state,
        "bytes_done": view.amount.done,
        "bytes_total": view.amount.total,
        "bytes_per_second": view.rate,
        "milliseconds": view.millis,
        "note": view.note.as_ref().map(Phrase::text),
    })
}

/// What ended it, in one sentence; `None` while it runs and when all is well.
fn error_of(job: &JobView) -> Option<String> {
    let card = job.card_now.sentence();
    match job.state {
        JobState::Running | JobState::Stopping | JobState::Done => None,
        JobState::Cancelled => Some(format!("It was stopped. {card}")),
        JobState::Failed | JobState::Interrupted => Some(match job_problem(job) {
            Some(problem) => problem.to_string(),
            None => format!("It ended without saying why. {card}"),
        }),
    }
}

fn job_problem(job: &JobView) -> Option<Problem> {
    let restarted = || (job.state == JobState::Interrupted).then(|| Problem::Restarted { stage: job.last_stage() });
    job.problem.clone().or_else(restarted)
}

/// The body of `GET /api/jobs/{id}`.
pub fn job_json(job: &JobView) -> Value {
    let begun = job.stages.iter().any(|s| s.state != StageState::Waiting);
    json!({
        "job_id": job.id.to_string(),
        "status": status(job, begun),
        "device": job.card.path.to_string_lossy(),
        "stages": {
            "backup": stage_json(job, &[Stage::Backup]),
            "download": stage_json(job, &[Stage::Download]),
            "flash": stage_json(job, &[Stage::Write, Stage::Verify]),
            "inject": stage_json(job, &[Stage::Grow, Stage::Inject, Stage::Commit]),
        },
        "error": error_of(job),
        "state": job.state,
        "progress": job.percent,
        "remaining_seconds": job.remaining,
        "steps": job.stages.iter().map(own_stage_json).collect::<Vec<_>>(),
        "problem": job_problem(job).as_ref().map(problem_json),
        "detail": job.detail,
        "card": job.card,
        "card_now": job.card_now,
        "warnings": job.warnings,
        "started": job.started,
        "ended": job.ended,
        "made": job.made,
    })
}

fn no_job() -> HttpResponse {
    let hint = "POST api/start-clone starts one.";
    Failure::new(StatusCode::NOT_FOUND, "no_job", "There is no such job.", hint).answer()
}

pub async fn current_job(site: web::Data<Site>) -> HttpResponse {
    site.jobs.current().map_or_else(no_job, |job| HttpResponse::Ok().json(job_json(&job)))
}

pub async fn one_job(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let id = req.match_info().get("id").and_then(|id| id.parse().ok());
    let job = id.and_then(|id| site.jobs.job(JobId(id)));
    job.map_or_else(no_job, |job| HttpResponse::Ok().json(job_json(&job)))
}

/// `device` is a path or a kernel name; the rest may be left out.
#[derive(Deserialize)]
struct Start {
    device: String,
    #[serde(default)]
    fingerprint: Option<String>,
    #[serde(default)]
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
    /// A second start with the same one leads to the same job.
    #[serde(default)]
    once: Option<String>,
}

pub async fn start_clone(req: HttpRequest, site: web::Data<Site>, payload: web::Payload) -> HttpResponse {
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

async fn read(req: &HttpRequest, payload: web::Payload) -> Result<Start, Failure> {
    let kind = req.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let error = "The content type must be application/json.";
        let hint = "Send the header Content-Type: application/json.";
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", error, hint));
    }
    let bytes = match payload.to_bytes_limited(LONGEST_BODY).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => return Err(bad_body("The body could not be read.".into())),
        Err(_) => {
            let hint = "A start needs no more than a few lines.";
            return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too_long", "The body is too long.", hint));
        }
    };
    serde_json::from_slice(&bytes).map_err(|error| bad_body(format!("The body cannot be used: {error}.")))
}

fn bad_body(error: String) -> Failure {
    let hint = "Send for example {\"device\": \"/dev/sda\", \"fingerprint\": \"v1-…\"}.";
    Failure::new(StatusCode::BAD_REQUEST, "bad_request", error, hint)
}

fn request(site: &Site, start: Start) -> Result<CardRequest, Failure> {
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
        backup: backup(&start)?,
        image: image(&start)?,
        board: None,
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

fn refused(disk: &[Refusal], problems: &[Problem]) -> Failure {
    let mut all = reasons(disk);
    all.extend(problems.iter().map(|p| Reason { code: p.code(), text: p.to_string() }));
    let error = all.iter().map(|reason| reason.text.as_str()).collect::<Vec<_>>().join(" ");
    let hint = match problems.first() {
        Some(problem) if disk.is_empty() => problem.words().todo,
        _ => "Choose another disk; api/devices lists those that can be used.".into(),
    };
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", error, &hint).with("reasons", json!(all))
}

fn not_started(error: &StartError) -> Failure {
    match error {
        StartError::Running(id) => {
            Failure::of(StatusCode::CONFLICT, &Problem::AlreadyRunning).with("job_id", id.to_string())
        }
        StartError::NoDisk => {
            let hint = "api/devices lists the disks.";
            Failure::new(StatusCode::NOT_FOUND, "no_such_disk", "There is no such disk.", hint)
        }
        StartError::Changed => Failure::of(StatusCode::CONFLICT, &Problem::DiskChanged),
        StartError::Refused { disk, problems } => refused(disk, problems),
        StartError::Closing => {
            let hint = "Try again in a minute.";
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, "closing", "The app is ending.", hint)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::trial::*;

    fn keys(value: &Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    fn is_error(answer: &Answer, status: u16, code: &str) -> Value {
        let body = answer.json();
        assert_eq!((answer.status, body["code"].as_str()), (status, Some(code)), "{}", answer.text);
        assert!(body["error"].as_str().unwrap().ends_with('.'), "{}", answer.text);
        assert!(!body["hint"].as_str().unwrap().is_empty());
        body
    }

    #[actix_web::test]
    async fn devices_have_the_first_plans_fields_and_more() {
        let trial = Trial::new();
        let scratch = Disk { scratch: true, path: "/tmp/card.img".into(), ..disk("scratch0") };
        let mut denied = disk("sdc");
        denied.fingerprint = None;
        trial.plug(vec![
            listed(disk("sdb"), &[]),
            listed(scratch, &[]),
            listed(denied, &[Refusal::MayNotOpen, Refusal::Twin]),
        ]);
        let body = trial.ask(trial.get("/api/devices")).await.json();
        let first = &body["devices"][0];
        for key in ["name", "path", "size", "size_human", "vendor", "model", "tran", "serial", "id", "fingerprint"] {
            assert!(keys(first).contains(&key), "{key}");
        }
        assert_eq!(first["name"], "sdb");
        assert_eq!(first["path"], "/dev/sdb");
        assert_eq!(first["size"], 63_864_569_856_u64);
        assert_eq!(first["size_human"], "64 GB");
        assert_eq!(first["tran"], "usb");
        assert!(!keys(first).contains(&"reasons"));
        assert_eq!(body["devices"][1]["path"], "/tmp/card.img");
        assert_eq!(body["devices"][1]["tran"], "usb");
        assert_eq!(body["refused"][0]["fingerprint"], Value::Null);
        assert_eq!(body["refused"][0]["reasons"][1]["code"], "twin");
        assert_eq!(body["refused"][0]["reasons"][0]["text"], "This app may not open it yet.");
        assert_eq!(body["devices"].as_array().unwrap().len(), 2);
    }

    #[actix_web::test]
    async fn system_info_has_the_first_plans_fields() {
        let trial = Trial::new();
        let body = trial.ask(trial.get("/api/system-info")).await.json();
        assert_eq!(body["machine"], "raspberrypi4-64");
        assert_eq!(body["board_slug"], "rpi4-64");
        assert_eq!(body["os_version"], "18.2");
        assert_eq!(body["os_version_latest"], "18.2");
        assert_eq!(body["ip_address"], "192.168.1.42");
        assert_eq!(body["free_space_bytes"], 12_300_000_000_u64);
        assert_eq!(body["free_space_human"], "12.3 GB");
        trial.change_system(|s| {
            *s = Default::default();
            s.problems = vec![Problem::NotHaos];
        });
        let body = trial.ask(trial.get("/api/system-info")).await.json();
        assert_eq!((&body["machine"], &body["ip_address"]), (&Value::Null, &Value::Null));
        assert_eq!(body["problems"][0]["code"], "not_haos");
    }

    #[actix_web::test]
    async fn a_job_has_the_first_plans_words() {
        let trial = Trial::new();
        is_error(&trial.ask(trial.get("/api/jobs/current")).await, 404, "no_job");
        trial.show(vec![job(7)]);
        let body = trial.ask(trial.get("/api/jobs/7")).await.json();
        assert_eq!(body, trial.ask(trial.get("/api/jobs/current")).await.json());
        assert_eq!((&body["job_id"], &body["device"]), (&json!("7"), &json!("/dev/sdb")));
        assert_eq!((&body["status"], &body["state"]), (&json!("in_progress"), &json!("running")));
        assert_eq!(body["error"], Value::Null);
        assert_eq!(body["progress"], 42);
        let want = json!({
            "backup": { "status": "in_progress", "progress": 0 },
            "download": { "status": "completed", "progress": 100 },
            "flash": { "status": "in_progress", "progress": 20 },
            "inject": { "status": "pending", "progress": 0 },
        });
        assert_eq!(body["stages"], want);

        let mut waiting = job(7);
        waiting.stages.iter_mut().for_each(|view| view.state = StageState::Waiting);
        trial.show(vec![waiting]);
        assert_eq!(trial.ask(trial.get("/api/jobs/current")).await.json()["status"], "pending");

        let cases = [
            (JobState::Stopping, "in_progress", true),
            (JobState::Done, "completed", true),
            (JobState::Cancelled, "failed", false),
            (JobState::Failed, "failed", false),
            (JobState::Interrupted, "failed", false),
        ];
        for (state, status, well) in cases {
            trial.show(vec![JobView { state, ..ended(7, state) }]);
            let body = trial.ask(trial.get("/api/jobs/7")).await.json();
            assert_eq!((&body["status"], &body["state"]), (&json!(status), &json!(state.word())));
            assert_eq!(body["error"].is_null(), well, "{state:?}");
            let flash = &body["stages"]["flash"];
            let want = if state == JobState::Done { "completed" } else { status };
            assert_eq!(flash["status"], want, "{state:?}");
            assert_eq!(flash["progress"] == 100, state == JobState::Done);
            let current = trial.ask(trial.get("/api/jobs/current")).await.status;
            assert_eq!(current == 200, state == JobState::Stopping);
        }
        for path in ["/api/jobs/8", "/api/jobs/x", "/api/jobs/-1", "/api/jobs/99999999999999999999"] {
            is_error(&trial.ask(trial.get(path)).await, 404, "no_job");
        }
    }

    const GOOD: &str = r#"{"device":"/dev/sdb","fingerprint":"v1-of-sdb"}"#;

    #[actix_web::test]
    async fn a_start_answers_as_promised() {
        let trial = Trial::new();
        let answer = trial.ask(trial.post_json("/api/start-clone", GOOD)).await;
        assert_eq!((answer.status, answer.json()), (202, json!({ "job_id": "7" })));
        let wanted = r#"{"device":"sdb","fingerprint":"v1-of-sdb","plug":3,"backup":"0a1b2c3d","have_key":true,
            "version":"latest","once":"x"}"#;
        assert_eq!(trial.ask(trial.post_json("/api/start-clone", wanted)).await.status, 202);
        let Some(Heard::Start(request)) = trial.asked().pop() else { panic!("no start") };
        assert_eq!(request.image, ImageChoice::Latest);
        assert_eq!(request.backup, BackupChoice::Existing { slug: "0a1b2c3d".parse().unwrap(), have_key: true });
        assert_eq!((request.plug, request.once.as_deref()), (Some(3), Some("x")));
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

    #[actix_web::test]
    async fn nothing_under_api_is_ever_html() {
        let trial = Trial::new();
        for path in ["/api/", "/api/nothing", "/api/jobs", "/api/jobs/7/x", "//api/nothing"] {
            is_error(&trial.ask(trial.get(path)).await, 404, "no_such_url");
        }
        for path in ["/api/devices", "/api/system-info", "/api/jobs/current", "/api/jobs/7"] {
            let answer = trial.ask(trial.post_json(path, "{}")).await;
            is_error(&answer, 405, "wrong_method");
            assert_eq!(answer.header("allow"), "GET");
        }
        let answer = trial.ask(trial.get("/api/start-clone")).await;
        is_error(&answer, 405, "wrong_method");
        assert_eq!(answer.header("allow"), "POST");
    }
}
