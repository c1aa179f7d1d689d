//! Serves one recorded transcript verbatim.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::Value;

pub fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/supervisor-transcripts"))
}

pub fn read(case: &str) -> Value {
    let path = folder().join(format!("{case}.json"));
    serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()
}

/// The exchanges of a case, one or many.
pub fn exchanges(case: &str) -> Vec<Value> {
    let file = read(case);
    match &file["exchanges"] {
        Value::Array(list) => list.clone(),
        _ => vec![file],
    }
}

/// Recorded answers in time order, and how far they were used.
pub struct Tape {
    exchanges: Vec<Value>,
    next: usize,
    /// What was asked, as "GET /info".
    asked: Vec<String>,
}

impl Tape {
    /// The next answer to this request from where the tape stands; else the last one before.
    fn answer(&mut self, method: &str, path: &str) -> Option<Value> {
        let fits = |e: &Value, path: &str| e["request"]["method"] == method && e["request"]["path"] == path;
        let place = |path: &str| {
            let ahead = self.exchanges[self.next..].iter().position(|e| fits(e, path)).map(|n| n + self.next);
            ahead.or_else(|| self.exchanges.iter().rposition(|e| fits(e, path)))
        };
        // The list is the same at both paths.
        let found = place(path).or_else(|| (path == "/backups/info").then(|| place("/backups")).flatten())?;
        self.next = found + 1;
        Some(self.exchanges[found]["response"].clone())
    }
}

pub struct Replay {
    pub address: SocketAddr,
    tape: web::Data<Mutex<Tape>>,
    handle: ServerHandle,
}

impl Replay {
    pub fn of(exchanges: Vec<Value>) -> Replay {
        let tape = web::Data::new(Mutex::new(Tape { exchanges, next: 0, asked: Vec::new() }));
        let here = tape.clone();
        let app = move || App::new().app_data(here.clone()).default_service(web::to(answer));
        let server = HttpServer::new(app).workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Replay { address, tape, handle }
    }

    pub fn asked(&self) -> Vec<String> {
        self.tape.lock().unwrap().asked.clone()
    }

    pub async fn end(self) {
        self.handle.stop(false).await;
    }
}

async fn answer(request: HttpRequest, tape: web::Data<Mutex<Tape>>) -> HttpResponse {
    let (method, path) = (request.method().as_str(), request.path());
    let mut tape = tape.lock().unwrap();
    tape.asked.push(format!("{method} {path}"));
    let Some(recorded) = tape.answer(method, path) else {
        return HttpResponse::Forbidden().content_type("text/plain; charset=utf-8").body("403: Forbidden");
    };
    let status = recorded["status"].as_u64().unwrap() as u16;
    let headers: HashMap<String, String> = serde_json::from_value(recorded["headers"].clone()).unwrap();
    let mut answer = HttpResponse::build(StatusCode::from_u16(status).unwrap());
    if let Some(kind) = headers.get("content-type") {
        answer.content_type(kind.as_str());
    }
    match &recorded["body"] {
        Value::String(text) => answer.body(text.clone()),
        json => answer.body(json.to_string()),
    }
}
