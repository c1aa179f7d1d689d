//! An error as every answer of the API tells it: a sentence, a stable code, and what to do (AP-3).

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value};

use crate::domain::job::JobId;
use crate::domain::problem::Problem;

pub struct Failure {
    status: StatusCode,
    /// `error`, `code`, `hint`, and what else helps.
    body: Map<String, Value>,
    /// Name and value.
    header: Option<(&'static str, &'static str)>,
}

impl Failure {
    pub fn new(status: StatusCode, code: &'static str, error: impl Into<String>, hint: &str) -> Failure {
        let failure = Failure { status, body: Map::new(), header: None };
        failure.with("error", error.into()).with("code", code).with("hint", hint)
    }

    pub fn of(status: StatusCode, problem: &Problem) -> Failure {
        let words = problem.words();
        Failure::new(status, problem.code(), format!("{}. {}", words.title, words.happened), &words.todo)
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Failure {
        self.body.insert(name.into(), value.into());
        self
    }

    pub fn with_header(self, name: &'static str, value: &'static str) -> Failure {
        Failure { header: Some((name, value)), ..self }
    }

    pub fn answer(self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status);
        if let Some(header) = self.header {
            answer.insert_header(header);
        }
        answer.json(self.body)
    }
}

/// Whether a path is one of the API's, so that even the gate refuses with JSON there.
pub fn is_ours(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next();
    matches!(first, Some("api" | "ws"))
}

pub async fn no_such_url() -> HttpResponse {
    let hint = "GET api/openapi.json describes all there are.";
    Failure::new(StatusCode::NOT_FOUND, "no_such_url", "There is no such URL in this API.", hint).answer()
}

pub fn wrong_method(allowed: &'static str) -> HttpResponse {
    let hint = format!("Use {allowed}.");
    let failure = Failure::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", "This URL takes another method.", &hint);
    failure.with_header("allow", allowed).answer()
}

pub fn foreign_origin() -> HttpResponse {
    let error = "This was sent by a page of another site. Nothing was done.";
    let hint = "Send it from a page of this app, or without an Origin header.";
    Failure::new(StatusCode::FORBIDDEN, "foreign_origin", error, hint).answer()
}

pub fn stranger() -> HttpResponse {
    let error = "Only Home Assistant may ask this app.";
    let hint = "Ask through Home Assistant, or from the machine itself.";
    Failure::new(StatusCode::FORBIDDEN, "stranger", error, hint).answer()
}

pub fn closing() -> Failure {
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, "closing", "The app is ending.", "Try again in a minute.")
        .with_header("retry-after", "60")
}

/// Of streams and WebSockets.
pub fn too_many() -> Failure {
    let hint = "Close one, or ask now and then: GET api/jobs/ID, GET api/devices.";
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_streams", "Too many streams are open.", hint)
        .with_header("retry-after", "60")
}

pub fn no_job() -> Failure {
    let hint = "GET api/jobs lists those there are; POST api/start-clone starts one.";
    Failure::new(StatusCode::NOT_FOUND, "no_job", "There is no such job.", hint)
}

pub fn running(id: JobId) -> Failure {
    Failure::of(StatusCode::CONFLICT, &Problem::AlreadyRunning).with("job_id", id.to_string())
}

/// The content type without its parameters; `None` where none was sent.
fn content_type(req: &HttpRequest) -> Option<&str> {
    let sent = req.headers().get(CONTENT_TYPE)?;
    Some(sent.to_str().unwrap_or("unreadable").split(';').next().unwrap_or_default().trim())
}

/// The body is JSON by its header. `required`: a request without the header is refused, too. A form of another site's
/// page cannot send this type without asking first.
pub fn is_json(req: &HttpRequest, required: bool) -> Result<(), Failure> {
    match content_type(req) {
        None if !required => Ok(()),
        Some(kind) if kind.eq_ignore_ascii_case("application/json") => Ok(()),
        _ => {
            let error = "The content type must be application/json.";
            let hint = "Send the header Content-Type: application/json.";
            Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", error, hint))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::web::api::trial::is_error;
    use crate::web::trial::*;

    #[actix_web::test]
    async fn nothing_under_api_is_ever_html() {
        let trial = Trial::new();
        let unknown =
            ["/api", "/api/", "/api/nothing", "/api/jobs/7/x", "//api/nothing", "/ws", "/ws/", "/ws/progress"];
        for path in unknown {
            is_error(&trial.ask(trial.get(path)).await, 404, "no_such_url");
            is_error(&trial.ask(trial.post_json(path, "{}")).await, 404, "no_such_url");
        }
        let reading = ["devices", "system-info", "jobs", "jobs/current", "jobs/7", "jobs/7/log", "backups", "events"];
        for path in reading.iter().chain(&["openapi.json"]) {
            let answer = trial.ask(trial.post_json(&format!("/api/{path}"), "{}")).await;
            is_error(&answer, 405, "wrong_method");
            assert_eq!(answer.header("allow"), "GET", "{path}");
        }
        for path in ["/api/start-clone", "/api/jobs/7/cancel"] {
            let answer = trial.ask(trial.get(path)).await;
            is_error(&answer, 405, "wrong_method");
            assert_eq!(answer.header("allow"), "POST", "{path}");
        }
        let answer = trial.ask(trial.post_json("/api/image-cache", "{}")).await;
        is_error(&answer, 405, "wrong_method");
        assert_eq!(answer.header("allow"), "GET, DELETE");
    }

    #[actix_web::test]
    async fn even_the_gate_refuses_with_json() {
        let trial = Trial::new();
        let stranger = "192.168.1.5:5".parse().unwrap();
        for path in ["/api/devices", "//api/nothing", "/ws/progress/7"] {
            is_error(&trial.ask(trial.get(path).peer_addr(stranger)).await, 403, "stranger");
        }
    }
}
