//! A stand-in for Home Assistant Core: its service call, its WebSocket with `supervisor/api`, the logs that it passes on,
//! the page of an app, plain and through ingress.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use actix_web::web::{self, Data, Json, Path, Payload};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use actix_ws::{AggregatedMessage, Session};
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::supervisor::Supervisor;

/// Of an administrator; nothing that the program shows may hold it.
pub const TOKEN: &str = "eyJ0aGUtdG9rZW4tb2YtdGhlLXRlc3RzIjoxfQ.never-shown.x9";
/// The apps' own port answers here, as long as there is one app.
pub const PAGE: &str = "/page-of-the-app";

pub struct Core {
    pub port: u16,
}

impl Core {
    /// Serves until the tests end.
    pub fn start(supervisor: &Supervisor) -> Core {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let supervisor = supervisor.clone();
        thread::spawn(move || actix_web::rt::System::new().block_on(serve(listener, supervisor)));
        Core { port }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

async fn serve(listener: TcpListener, supervisor: Supervisor) {
    let app = move || {
        App::new()
            .app_data(Data::new(supervisor.clone()))
            .route("/api/", web::get().to(api))
            .route("/api/services/hassio/{service}", web::post().to(service))
            .route("/api/websocket", web::get().to(socket))
            .route("/api/hassio/{path:.*}", web::get().to(logs))
            .route("/api/hassio_ingress/{token}/{path:.*}", web::get().to(ingress))
            .route(PAGE, web::get().to(page))
    };
    let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap();
    server.run().await.unwrap();
}

fn knows(request: &HttpRequest) -> bool {
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    header == Some(&format!("Bearer {TOKEN}"))
}

fn unauthorized() -> HttpResponse {
    HttpResponse::Unauthorized().body("401: Unauthorized")
}

async fn api(request: HttpRequest) -> HttpResponse {
    if knows(&request) { HttpResponse::Ok().json(json!({"message": "API running."})) } else { unauthorized() }
}

async fn service(request: HttpRequest, name: Path<String>, body: Json<Value>, all: Data<Supervisor>) -> HttpResponse {
    if !knows(&request) {
        return unauthorized();
    }
    let quirks = all.state().quirks.clone();
    if quirks.silent {
        actix_web::rt::time::sleep(Duration::from_secs(120)).await;
    }
    if let Some(status) = quirks.core_answers {
        let status = actix_web::http::StatusCode::from_u16(status).unwrap();
        return HttpResponse::build(status).body("500 Internal Server Error");
    }
    let (service, key) = if quirks.old_core { ("addon_restart", "addon") } else { ("app_restart", "app") };
    let slug = body.get(key).and_then(Value::as_str);
    let (true, Some(slug)) = (*name == service, slug) else {
        return HttpResponse::BadRequest().body("400: Bad Request");
    };
    match all.call("POST", &format!("/addons/{slug}/restart"), &Value::Null) {
        // Nothing changed state before it answered.
        Ok(_) => HttpResponse::Ok().json(json!([])),
        Err((_, words)) => HttpResponse::InternalServerError().body(words),
    }
}

async fn logs(request: HttpRequest, path: Path<String>, all: Data<Supervisor>) -> HttpResponse {
    if !knows(&request) {
        return unauthorized();
    }
    match all.logs(&path) {
        Some(text) => HttpResponse::Ok().content_type("text/plain").body(text),
        None => HttpResponse::NotFound().body("404: Not Found"),
    }
}

async fn ingress(request: HttpRequest, all: Data<Supervisor>) -> HttpResponse {
    let cookie = request.headers().get("cookie").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if cookie.contains("ingress_session=session-of-the-test") { page(all).await } else { unauthorized() }
}

/// What runs tells which version it is, and what it was built from.
async fn page(all: Data<Supervisor>) -> HttpResponse {
    let state = all.state();
    match state.installed.values().find(|app| app.state == "started") {
        Some(app) => HttpResponse::Ok().json(json!({"version": app.version, "built_from": app.image})),
        None => HttpResponse::BadGateway().body("502: Bad Gateway"),
    }
}

async fn socket(request: HttpRequest, body: Payload, all: Data<Supervisor>) -> actix_web::Result<HttpResponse> {
    let (response, session, messages) = actix_ws::handle(&request, body)?;
    let mut messages = messages.aggregate_continuations();
    actix_web::rt::spawn(async move {
        let mut session = session;
        let mut known = false;
        // However it ends, it ends.
        let _ = session.text(json!({"type": "auth_required", "ha_version": "2026.8.1"}).to_string()).await;
        while let Some(Ok(message)) = messages.next().await {
            let AggregatedMessage::Text(text) = message else { continue };
            let Ok(asked) = serde_json::from_str::<Value>(&text) else { break };
            if !known {
                known = asked["access_token"] == TOKEN;
                let told = if known { json!({"type": "auth_ok"}) } else { json!({"type": "auth_invalid"}) };
                let _ = session.text(told.to_string()).await;
                if !known {
                    break;
                }
                continue;
            }
            tell(&mut session, &asked, &all).await;
        }
        let _ = session.close(None).await;
    });
    Ok(response)
}

async fn tell(session: &mut Session, asked: &Value, all: &Supervisor) {
    let quirks = all.state().quirks.clone();
    if quirks.silent {
        return;
    }
    let failed = |code: &str, message: &str| json!({"id": asked["id"], "type": "result", "success": false, "error": {"code": code, "message": message}});
    let told = if asked["type"] != "supervisor/api" {
        failed("unknown_command", "Unknown command.")
    } else if quirks.no_admin {
        failed("unauthorized", "Unauthorized")
    } else {
        let (supervisor, asked) = (all.clone(), asked.clone());
        let method = asked["method"].as_str().unwrap_or_default().to_uppercase();
        let path = asked["endpoint"].as_str().unwrap_or_default().to_string();
        let data = asked["data"].clone();
        match web::block(move || supervisor.call(&method, &path, &data)).await.unwrap() {
            Ok(data) => json!({"id": asked["id"], "type": "result", "success": true, "result": data}),
            Err((_, words)) => failed("unknown_error", &words),
        }
    };
    let _ = session.text(told.to_string()).await;
}
