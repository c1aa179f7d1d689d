//! Who may speak to us, and what every answer says to the browser (PK-4, face §10).

use std::net::IpAddr;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};
use ipnet::IpNet;

use super::Site;
use super::api::failure;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'self'";

/// On every answer that does not say otherwise itself.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    // A stream that a proxy holds back would come all at once, at its end.
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
];

/// Lets in loopback and the allowed peers by the address of their socket, never by a header; then looks where a POST
/// comes from; then sets the headers of the answer.
pub async fn gate(req: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Result<ServiceResponse, Error> {
    let mut response = match refusal(&req) {
        Some(refused) => req.into_response(refused),
        None => next.call(req).await?.map_into_boxed_body(),
    };
    dress(response.headers_mut());
    Ok(response)
}

/// Lets a page's script ask one more origin. `origin` is made of a checked host name.
pub fn may_connect(headers: &mut HeaderMap, origin: &str) {
    let policy = POLICY.replace("connect-src 'self'", &format!("connect-src 'self' {origin}"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

fn dress(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    }
}

fn refusal(req: &ServiceRequest) -> Option<HttpResponse<BoxBody>> {
    let allowed = req
        .app_data::<web::Data<Site>>()
        .is_some_and(|site| req.peer_addr().is_some_and(|peer| may_speak(peer.ip(), &site.allow_from)));
    let is_api = failure::is_ours(req.path());
    if !allowed && is_api {
        return Some(failure::stranger());
    }
    if !allowed {
        return Some(plain(
            StatusCode::FORBIDDEN,
            "Only Home Assistant may open this page. Open it from its side bar.\n",
        ));
    }
    let changes = !matches!(*req.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // A WebSocket may be opened, and read, by any site's page: no same-origin rule holds for it.
    let opens = req.headers().contains_key(header::UPGRADE);
    if (changes || opens) && !is_own_page(req.headers()) {
        if is_api {
            return Some(failure::foreign_origin());
        }
        return Some(plain(StatusCode::FORBIDDEN, "This was sent by a page of another site. Nothing was done.\n"));
    }
    None
}

fn plain(status: StatusCode, text: &'static str) -> HttpResponse<BoxBody> {
    HttpResponse::build(status).content_type("text/plain; charset=utf-8").body(text)
}

fn may_speak(peer: IpAddr, allow_from: &[IpNet]) -> bool {
    // A dual-stack socket shows IPv4 peers as ::ffff:a.b.c.d.
    let peer = peer.to_canonical();
    peer.is_loopback() || allow_from.iter().any(|net| net.contains(&peer))
}

/// `Origin`, if sent, must name the host that the browser asked: ours, as Home Assistant or the browser calls it. Old
/// browsers send none; for them the form's token has to do.
fn is_own_page(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Some(origin) = origin.to_str().ok().and_then(|text| url::Url::parse(text).ok()) else { return false };
    let Some(host) = origin.host_str() else { return false };
    let port = origin.port_or_known_default();
    [HeaderName::from_static("x-forwarded-host"), header::HOST]
        .iter()
        .flat_map(|name| headers.get_all(name))
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|named| url::Url::parse(&format!("{}://{}", origin.scheme(), named.trim())).ok())
        .any(|named| named.host_str() == Some(host) && named.port_or_known_default() == port)
}

/// `//jobs/7` → `/jobs/7`: ingress doubles the slash before our part where an entry path is set (UI-3).
pub fn without_doubled_slashes(mut req: ServiceRequest) -> ServiceRequest {
    let doubled = req.uri().path().starts_with("//");
    if let Some(uri) = doubled.then(|| single(req.uri())).flatten() {
        req.match_info_mut().get_mut().update(&uri);
        req.head_mut().uri = uri;
    }
    req
}

fn single(uri: &Uri) -> Option<Uri> {
    let path = uri.path().trim_start_matches('/');
    let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    format!("/{path}{query}").parse().ok()
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HOST, ORIGIN};

    use super::*;
    use crate::web::trial::Trial;

    #[test]
    fn who_may_speak() {
        let nets = ["172.30.32.2/32".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        let cases = [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("172.30.32.2", true),
            ("::ffff:172.30.32.2", true),
            ("172.30.32.3", false),
            ("172.30.33.1", false),
            ("10.1.2.3", true),
            ("192.168.1.5", false),
            ("fe80::1", false),
        ];
        for (peer, want) in cases {
            assert_eq!(may_speak(peer.parse().unwrap(), &nets), want, "{peer}");
        }
    }

    #[test]
    fn where_a_post_may_come_from() {
        let cases: [(Option<&str>, Option<&str>, &str, bool); 12] = [
            (None, None, "ha.local:8123", true),
            (Some("http://ha.local:8123"), None, "ha.local:8123", true),
            (Some("http://ha.local:8123"), Some("ha.local:8123"), "172.30.33.1:8099", true),
            (Some("https://ha.example"), Some("ha.example"), "172.30.33.1:8099", true),
            (Some("https://ha.example"), Some("ha.example:443"), "172.30.33.1:8099", true),
            (Some("https://ha.example"), Some("first.example, ha.example"), "x", true),
            (Some("https://HA.example"), Some("ha.EXAMPLE"), "x", true),
            (Some("https://evil.example"), Some("ha.example"), "172.30.33.1:8099", false),
            (Some("http://ha.local:9000"), None, "ha.local:8123", false),
            (Some("null"), None, "ha.local:8123", false),
            (Some(""), None, "ha.local:8123", false),
            (Some("http://ha.local.evil.example"), None, "ha.local", false),
        ];
        for (origin, forwarded, host, want) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_str(host).unwrap());
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
            }
            if let Some(forwarded) = forwarded {
                headers.insert(HeaderName::from_static("x-forwarded-host"), HeaderValue::from_str(forwarded).unwrap());
            }
            assert_eq!(is_own_page(&headers), want, "{origin:?} {forwarded:?} {host}");
        }
    }

    #[actix_web::test]
    async fn strangers_get_plain_words_and_no_page() {
        let trial = Trial::new();
        for (peer, want) in [("127.0.0.1:5", 200), ("172.30.32.2:5", 200), ("192.168.1.5:5", 403)] {
            let answer = trial.ask(trial.get("/").peer_addr(peer.parse().unwrap())).await;
            assert_eq!(answer.status, want, "{peer}");
            assert_eq!(answer.text.contains("<html"), want == 200);
        }
        // A header may say what it likes.
        let stranger = "192.168.1.5:5".parse().unwrap();
        let request = trial.get("/api/devices").peer_addr(stranger).insert_header(("X-Forwarded-For", "127.0.0.1"));
        assert_eq!(trial.ask(request).await.status, 403);
    }

    #[actix_web::test]
    async fn a_foreign_page_can_start_nothing() {
        let trial = Trial::new();
        for (path, json) in [("/card", false), ("/jobs/1/stop", false), ("/api/start-clone", true)] {
            let request = trial.post(path, &[]).insert_header((ORIGIN, "https://evil.example"));
            let answer = trial.ask(request).await;
            assert_eq!(answer.status, 403, "{path}");
            assert_eq!(answer.kind.starts_with("application/json"), json, "{path}");
        }
        assert!(trial.asked().is_empty());
    }

    #[actix_web::test]
    async fn every_answer_wears_the_headers() {
        let trial = Trial::new();
        for path in ["/", "/card?disk=nothing", "/nothing", "/api/devices", "/api/nothing"] {
            let answer = trial.ask(trial.get(path)).await;
            assert_eq!(answer.header("content-security-policy"), POLICY, "{path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("referrer-policy"), "same-origin");
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(answer.header("access-control-allow-origin"), "");
        }
    }

    #[actix_web::test]
    async fn doubled_slashes_lead_to_the_same_page() {
        let trial = Trial::new();
        for path in ["/", "//", "///", "//api/devices", "//card?disk=sdb"] {
            let single = format!("/{}", path.trim_start_matches('/'));
            let (one, two) = (trial.ask(trial.get(&single)).await, trial.ask(trial.get(path)).await);
            assert_eq!((one.status, one.text.len()), (200, two.text.len()), "{path}");
        }
    }
}
