//! The three addresses: list of a release, download, object.

use actix_web::body::{BodyStream, SizedStream};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use bytes::Bytes as Chunk;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::body::{Body, Ending};
use super::{Asked, Content, Fault, Shared, State, Stored};
use crate::domain::image::Digest;

/// Of every object; older than a minute, so that it may stand for the bytes (RFC 9110, 8.8.2.2).
const MODIFIED: &str = "Thu, 30 Jul 2026 12:00:00 GMT";

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/repos/home-assistant/operating-system/releases/tags/{version}", web::get().to(list))
        .route("/home-assistant/operating-system/releases/download/{version}/{name}", web::get().to(download))
        .route("/objects/{version}/{name}", web::get().to(object));
}

impl State {
    /// The first fault that fits, used once.
    fn fault<T>(&mut self, fits: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        for fault in &mut self.faults {
            let Some(found) = fits(fault) else { continue };
            match fault.times() {
                None => return Some(found),
                Some(0) => {}
                Some(left) => {
                    *left -= 1;
                    return Some(found);
                }
            }
        }
        None
    }

    fn has(&mut self, wanted: &Fault) -> bool {
        self.fault(|fault| (fault == wanted).then_some(())).is_some()
    }

    fn find(&self, version: &str, name: &str) -> Option<Stored> {
        self.assets.iter().find(|asset| asset.version == version && asset.name == name).cloned()
    }

    fn note(&mut self, request: &HttpRequest, response: &HttpResponse) {
        self.remember(request, response.status().as_u16());
    }

    fn remember(&mut self, request: &HttpRequest, status: u16) {
        let header = |name: HeaderName| Some(request.headers().get(name)?.to_str().ok()?.to_string());
        self.requests.push(Asked {
            path: request.path().to_string(),
            range: header(header::RANGE),
            if_range: header(header::IF_RANGE),
            status,
        });
    }
}

/// Faults that every address has; silence is waited out here.
async fn whatever_is_asked(shared: &Shared, request: &HttpRequest) -> Option<HttpResponse> {
    let silent = {
        let mut state = shared.lock();
        let silent = state.fault(|fault| matches!(fault, Fault::Silent { .. }).then_some(())).is_some();
        if silent {
            state.remember(request, 0);
        }
        silent
    };
    if silent {
        std::future::pending::<()>().await;
    }
    let status = shared.lock().fault(|fault| match fault {
        Fault::Status { status, .. } => Some(*status),
        _ => None,
    })?;
    Some(HttpResponse::build(StatusCode::from_u16(status).ok()?).body("something is wrong"))
}

async fn list(shared: web::Data<Shared>, request: HttpRequest, version: web::Path<String>) -> HttpResponse {
    let broken = whatever_is_asked(&shared, &request).await;
    let mut state = shared.lock();
    let response = broken.unwrap_or_else(|| list_answer(&mut state, &version));
    state.note(&request, &response);
    response
}

fn list_answer(state: &mut State, version: &str) -> HttpResponse {
    if state.has(&Fault::RateLimited) {
        return HttpResponse::Forbidden()
            .insert_header(("x-ratelimit-limit", "60"))
            .insert_header(("x-ratelimit-remaining", "0"))
            .insert_header(("x-ratelimit-reset", "1790000000"))
            .json(json!({"message": "API rate limit exceeded for 127.0.0.1."}));
    }
    if state.has(&Fault::Garbage) {
        return HttpResponse::Ok().content_type("application/json").body("<html>{\"assets\":[");
    }
    if let Some(bytes) = state.fault(|fault| if let Fault::Huge { bytes } = fault { Some(*bytes) } else { None }) {
        return HttpResponse::Ok().json(json!({"assets": [], "body": "x".repeat(bytes)}));
    }
    let assets: Vec<Stored> = state.assets.iter().filter(|asset| asset.version == version).cloned().collect();
    if assets.is_empty() || state.has(&Fault::NoRelease) {
        return HttpResponse::NotFound().json(json!({"message": "Not Found", "status": "404"}));
    }
    let listed: Vec<Value> = assets.iter().map(|asset| listed(state, asset)).collect();
    HttpResponse::Ok().json(json!({"tag_name": version, "name": version, "draft": false, "assets": listed}))
}

fn listed(state: &mut State, asset: &Stored) -> Value {
    let site = &state.site;
    let url = format!("{site}/home-assistant/operating-system/releases/download/{}/{}", asset.version, asset.name);
    let mut value = json!({
        "name": asset.name, "size": asset.size, "state": "uploaded", "content_type": "application/x-xz",
        "browser_download_url": url, "digest": format!("sha256:{}", asset.digest),
    });
    let odd = state.fault(|fault| match fault {
        Fault::WrongDigest => Some(json!(format!("sha256:{}", "0".repeat(64)))),
        Fault::NullDigest => Some(Value::Null),
        Fault::OddDigest(text) => Some(json!(text)),
        _ => None,
    });
    if let (Some(odd), Some(digest)) = (odd, value.get_mut("digest")) {
        *digest = odd;
    }
    if let (true, Some(fields)) = (state.has(&Fault::MissingDigest), value.as_object_mut()) {
        fields.remove("digest");
    }
    value
}

type Named = web::Path<(String, String)>;

async fn download(shared: web::Data<Shared>, request: HttpRequest, named: Named) -> HttpResponse {
    let broken = whatever_is_asked(&shared, &request).await;
    let mut state = shared.lock();
    let (version, name) = named.into_inner();
    let response = broken.unwrap_or_else(|| match state.find(&version, &name) {
        None => HttpResponse::NotFound().body("Not Found"),
        Some(_) => {
            let elsewhere = state.fault(|fault| match fault {
                Fault::RedirectTo(url) => Some(url.clone()),
                _ => None,
            });
            let object = format!("{}/objects/{version}/{name}?sig=1", state.objects);
            found(elsewhere.unwrap_or(object))
        }
    });
    state.note(&request, &response);
    response
}

fn found(location: String) -> HttpResponse {
    HttpResponse::Found().insert_header((header::LOCATION, location)).finish()
}

async fn object(shared: web::Data<Shared>, request: HttpRequest, named: Named) -> HttpResponse {
    let broken = whatever_is_asked(&shared, &request).await;
    let mut state = shared.lock();
    let (version, name) = named.into_inner();
    let response = broken.unwrap_or_else(|| {
        if state.has(&Fault::RedirectLoop) {
            let site = &state.site;
            return found(format!("{site}/home-assistant/operating-system/releases/download/{version}/{name}"));
        }
        match state.find(&version, &name) {
            None => HttpResponse::NotFound().body("Not Found"),
            Some(asset) => send(&mut state, &request, asset),
        }
    });
    state.note(&request, &response);
    response
}

/// The asset, or the part of it that was asked for.
fn send(state: &mut State, request: &HttpRequest, asset: Stored) -> HttpResponse {
    let part = match wanted(state, request, &asset) {
        Some(part) if part.first >= asset.size => {
            let whole = format!("bytes */{}", asset.size);
            return HttpResponse::RangeNotSatisfiable().insert_header((header::CONTENT_RANGE, whole)).finish();
        }
        part => part,
    };
    let mut response = HttpResponse::Ok();
    let last = asset.size.saturating_sub(1);
    let (from, to) = part.map_or((0, last), |part| (part.first, part.last.unwrap_or(last).min(last)));
    if part.is_some() {
        response.status(StatusCode::PARTIAL_CONTENT);
        let said =
            if state.fault(|f| matches!(f, Fault::OtherRange { .. }).then_some(())).is_some() { 0 } else { from };
        response.insert_header((header::CONTENT_RANGE, format!("bytes {said}-{to}/{}", asset.size)));
    }
    put_validators(state, &mut response, &asset);
    // What goes wrong on a long way is not for a look at one end.
    let (ending, speed) = match part.and_then(|part| part.last) {
        Some(_) => (Ending::Whole, None),
        None => (ending(state, &asset), speed(state)),
    };
    let length = (to + 1 - from).min(asset.size);
    let stream = Body { content: asset.content, from, length, ending, speed }.stream();
    match state.has(&Fault::NoLength) {
        true => response.body(BodyStream::new(Box::pin(stream))),
        false => response.body(SizedStream::new(length, Box::pin(stream))),
    }
}

/// A range that was asked for: to the end, or to a byte before.
#[derive(Clone, Copy)]
struct Part {
    first: u64,
    last: Option<u64>,
}

/// Which part is wanted, if one was asked for of what is still the same.
fn wanted(state: &mut State, request: &HttpRequest, asset: &Stored) -> Option<Part> {
    let header = |name: HeaderName| request.headers().get(name)?.to_str().ok();
    let (first, last) = header(header::RANGE)?.strip_prefix("bytes=")?.split_once('-')?;
    let first = first.parse().ok()?;
    let last = if last.is_empty() { None } else { Some(last.parse().ok().filter(|last| *last >= first)?) };
    let same = header(header::IF_RANGE).is_none_or(|then| then == asset.etag() || then == MODIFIED);
    (same && !state.has(&Fault::IgnoreRange)).then_some(Part { first, last })
}

fn put_validators(state: &mut State, response: &mut HttpResponseBuilder, asset: &Stored) {
    if state.has(&Fault::NoValidators) {
        return;
    }
    let weak = if state.has(&Fault::WeakEtag) { "W/" } else { "" };
    response.insert_header((header::ETAG, format!("{weak}{}", asset.etag())));
    response.insert_header((header::LAST_MODIFIED, MODIFIED));
}

fn ending(state: &mut State, asset: &Stored) -> Ending {
    let change = state.faults.iter().position(|fault| matches!(fault, Fault::ChangeAfter { .. }));
    if let Some(Fault::ChangeAfter { bytes, to }) = change.map(|at| state.faults.remove(at)) {
        let (size, digest) = (to.len() as u64, Digest(Sha256::digest(&to).into()));
        let changed = Stored { content: Content::Bytes(Chunk::from(to)), size, digest, ..asset.clone() };
        state.assets.retain(|old| old.name != changed.name);
        state.assets.push(changed);
        return Ending::Dropped(bytes);
    }
    let ending = state.fault(|fault| match fault {
        Fault::DropAfter { bytes, .. } => Some(Ending::Dropped(*bytes)),
        Fault::SilentAfter { bytes, .. } => Some(Ending::Silent(*bytes)),
        _ => None,
    });
    ending.unwrap_or(Ending::Whole)
}

fn speed(state: &mut State) -> Option<u64> {
    state.fault(|fault| match fault {
        Fault::Slow { per_second } => Some(*per_second),
        _ => None,
    })
}
