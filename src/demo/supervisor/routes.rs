//! Token, role and path → answer, in the order in which the Supervisor looks at them (HA §1.1, §1.2).

use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::SizedStream;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde_json::{Value, json};

use super::config::Role;
use super::fault::{AnswerFault, BackupFault};
use super::state::{Request, Shared, State, Stored, random_hex};
use super::{answers, making};

const LOOK: Duration = Duration::from_millis(5);
const BLOCKED: &str = "'BackupManager.do_backup_full' blocked from execution, ";

pub async fn handle(request: HttpRequest, body: Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let shared = shared.into_inner();
    let (method, path) = (request.method().as_str().to_string(), request.path().to_string());
    let raw = request.uri().path().to_ascii_lowercase();
    let known = has_token(&request, &shared.config().token);
    let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
    shared.state().requests.push(Request {
        method: method.clone(),
        path: path.clone(),
        known: known == Some(true),
        body: json,
    });
    if let Some(fault) = shared.answer_fault(&path) {
        return faulty(&shared, fault).await;
    }
    if raw.contains("..%2f") || raw.contains("../") || raw.contains("<script") {
        return text(400, "400: Bad Request");
    }
    if (method.as_str(), path.as_str()) == ("GET", "/supervisor/ping") {
        return ok(json!({}));
    }
    let refused = refused(&shared.state(), known, &method, &path);
    match refused {
        Some(answer) => answer,
        None => route(&shared, &method, &path, &body).await,
    }
}

/// `None`: no token at all.
fn has_token(request: &HttpRequest, token: &str) -> Option<bool> {
    let get = |name: &str| request.headers().get(name)?.to_str().ok().map(String::from);
    let bearer = get("authorization").map(|v| v.strip_prefix("Bearer ").unwrap_or_default().to_string());
    let sent = bearer.or_else(|| get("x-supervisor-token")).or_else(|| get("x-hassio-key"))?;
    Some(sent == token)
}

fn refused(state: &State, known: Option<bool>, method: &str, path: &str) -> Option<HttpResponse> {
    let config = &state.config;
    if !matches!(config.state.as_str(), "running" | "startup" | "freeze") {
        return Some(error(400, &format!("System is not ready with state: {}", config.state)));
    }
    match known {
        None => Some(text(401, "401: Unauthorized")),
        Some(true) if allowed(config.role, method, path) => None,
        Some(_) => Some(text(403, "403: Forbidden")),
    }
}

fn allowed(role: Role, _method: &str, path: &str) -> bool {
    let bypass = path == "/info" || path.starts_with("/addons/self/");
    let reads = path.ends_with("/info");
    match role {
        Role::None => bypass,
        Role::Default => bypass || reads,
        Role::Backup => bypass || reads || path.starts_with("/backups"),
        Role::Manager => true,
    }
}

async fn faulty(shared: &Shared, fault: AnswerFault) -> HttpResponse {
    match fault {
        AnswerFault::Silence => {
            while shared.still(&fault) && !shared.is_closing() {
                tokio::time::sleep(LOOK).await;
            }
            text(503, "503: Service Unavailable")
        }
        AnswerFault::Drop => {
            shared.cut();
            std::future::pending().await
        }
        AnswerFault::Garbage => {
            HttpResponse::Ok().content_type("application/json").body("{\"result\": \"ok\", \"da\u{1}")
        }
        AnswerFault::Huge => {
            let body = format!("{{\"result\":\"ok\",\"data\":\"{}\"}}", "x".repeat(10 << 20));
            HttpResponse::Ok().content_type("application/json").body(body)
        }
        AnswerFault::Status(status) => text(status, &format!("{status}: trouble")),
        AnswerFault::Forbidden => text(403, "403: Forbidden"),
        AnswerFault::NotReady => error(400, "System is not ready with state: setup"),
    }
}

async fn route(shared: &Arc<Shared>, method: &str, path: &str, body: &[u8]) -> HttpResponse {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (method, parts.as_slice()) {
        ("POST", ["backups", "new", "full"]) => new_backup(shared, body).await,
        ("POST", ["backups", "reload"]) => {
            shared.reload();
            ok(json!({}))
        }
        ("GET", ["backups", slug, "download"]) => with_backup(shared, slug, download),
        ("DELETE", ["backups", slug]) => delete(shared, slug),
        ("GET", ["backups", slug, "info"]) => with_backup(shared, slug, |b| ok(answers::backup_details(b))),
        ("GET", parts) => info(&shared.state(), parts).map_or_else(|| text(404, "404: Not Found"), ok),
        _ => text(404, "404: Not Found"),
    }
}

fn info(state: &State, parts: &[&str]) -> Option<Value> {
    let config = &state.config;
    let list = || state.backups.iter().map(answers::backup_in_list).collect::<Vec<_>>();
    Some(match parts {
        ["info"] => answers::info(state),
        ["os", "info"] => answers::os_info(config),
        ["host", "info"] => answers::host_info(config),
        ["network", "info"] => answers::network_info(config),
        ["hardware", "info"] => answers::hardware_info(config),
        ["resolution", "info"] => answers::resolution_info(config),
        ["supervisor", "info"] => answers::supervisor_info(config),
        ["core", "info"] => answers::core_info(config),
        ["addons", "self", "info"] => answers::self_info(),
        ["jobs", "info"] => json!({"ignore_conditions": [], "jobs": state.jobs}),
        ["backups"] => json!({"backups": list()}),
        ["backups", "info"] => json!({"backups": list(), "days_until_stale": 30}),
        _ => return None,
    })
}

async fn new_backup(shared: &Arc<Shared>, body: &[u8]) -> HttpResponse {
    let Ok(wish) = serde_json::from_slice::<Value>(body) else { return error(400, "Invalid json") };
    if let Some(refusal) = wrong_wish(&wish).or_else(|| not_now(shared)) {
        return refusal;
    }
    let name = wish["name"].as_str().unwrap_or_default();
    let without_database = wish["homeassistant_exclude_database"] == true;
    let uuid = match making::begin(shared, name, without_database) {
        Ok(uuid) => uuid,
        Err(e) => return text(500, &e.to_string()),
    };
    match wish["background"] == true {
        true => ok(json!({"job_id": uuid})),
        false => when_done(shared, &uuid).await,
    }
}

fn wrong_wish(wish: &Value) -> Option<HttpResponse> {
    let keys = [
        "name",
        "filename",
        "password",
        "compressed",
        "location",
        "homeassistant_exclude_database",
        "background",
        "extra",
    ];
    let unknown = wish.as_object()?.iter().find(|(key, _)| !keys.contains(&key.as_str()));
    if let Some((key, value)) = unknown {
        return Some(error(400, &format!("extra keys not allowed @ data['{key}']. Got {value}")));
    }
    match wish["location"].as_str() {
        None | Some("" | ".local") => None,
        Some(".cloud_backup") => Some(error(403, "Location .cloud_backup is only available for Home Assistant")),
        Some(other) => Some(error(404, &format!("No mount exists with name '{other}'"))),
    }
}

fn not_now(shared: &Shared) -> Option<HttpResponse> {
    let state = answers::running_state(&shared.state()).to_string();
    if state != "running" {
        return Some(error(400, &format!("{BLOCKED}system is not running - {state}")));
    }
    let full = shared.backup_faults().contains(&BackupFault::NoSpace) || shared.config().disk_free_gib < 2.0;
    full.then(|| {
        making::leave_empty_job(shared, &random_hex(16));
        let free = shared.config().disk_free_gib.min(1.4);
        error(400, &format!("{BLOCKED}not enough free space ({free}GB) left on the device"))
    })
}

/// The answer of a request that is not in the background.
async fn when_done(shared: &Shared, uuid: &str) -> HttpResponse {
    loop {
        let job = shared.state().jobs.iter().find(|job| job.uuid == uuid).cloned();
        match job {
            None => return text(500, "500: Internal Server Error"),
            Some(job) if job.done == Some(true) && job.errors.is_empty() => {
                return ok(json!({"job_id": uuid, "slug": job.reference}));
            }
            Some(job) if job.done == Some(true) => {
                let message =
                    format!("An error occurred while making backup, check job '{uuid}' or supervisor logs for details");
                let body = json!({"result": "error", "message": message, "job_id": uuid});
                return HttpResponse::BadRequest().json(body);
            }
            Some(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

fn with_backup(shared: &Shared, slug: &str, answer: impl FnOnce(&Stored) -> HttpResponse) -> HttpResponse {
    let state = shared.state();
    match state.backups.iter().find(|b| b.slug() == slug) {
        Some(stored) => answer(stored),
        None => error(404, "Backup does not exist"),
    }
}

fn delete(shared: &Shared, slug: &str) -> HttpResponse {
    let mut state = shared.state();
    let Some(place) = state.backups.iter().position(|b| b.slug() == slug) else {
        return error(404, "Backup does not exist");
    };
    let stored = state.backups.remove(place);
    match std::fs::remove_file(&stored.path) {
        Ok(()) => ok(json!({})),
        Err(_) => error(404, &format!("Cannot delete backup at {}, file does not exist!", stored.path.display())),
    }
}

fn download(stored: &Stored) -> HttpResponse {
    let Ok(file) = File::open(&stored.path) else { return error(404, "Backup does not exist") };
    let chunks = futures_util::stream::unfold(file, |mut file| async move {
        let mut chunk = vec![0; 64 << 10];
        match file.read(&mut chunk) {
            Ok(0) => None,
            Ok(length) => {
                chunk.truncate(length);
                Some((Ok(Bytes::from(chunk)), file))
            }
            Err(e) => Some((Err(e), file)),
        }
    });
    let body = SizedStream::new(stored.size, Box::pin(chunks));
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "application/tar")).body(body)
}

fn ok(data: Value) -> HttpResponse {
    HttpResponse::Ok().json(json!({"result": "ok", "data": data}))
}

fn error(status: u16, message: &str) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status).json(json!({"result": "error", "message": message}))
}

fn text(status: u16, said: &str) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status).content_type("text/plain; charset=utf-8").body(said.to_string())
}
