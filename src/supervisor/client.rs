//! One exchange with the Supervisor: address, token, limits, and every way in which it can fail told apart.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use actix_web::error::ParseError;
use awc::error::{ConnectError, PayloadError, SendRequestError};
use awc::http::header;
use awc::{Client, ClientRequest, Connector};
use bytes::Bytes as Body;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::error::SupervisorError;
use super::line::{self, Line};
use crate::domain::backoff::Backoff;
use crate::domain::backup::{BackupSlug, ListedBackup};
use crate::domain::pace::Pace;
use crate::domain::secret::Secret;
use crate::domain::size::Bytes;

/// Lists of hundreds of backups stay far below it.
const ANSWER_MOST: usize = 8 << 20;
/// As much of a text of the Supervisor is kept.
const SAID_MOST: usize = 500;

/// The Supervisor, as an app with role `backup` sees it. Not `Send`: belongs to the thread that made it, which must run
/// an actix system.
pub struct Supervisor {
    http: Client,
    base: String,
    token: Secret,
    pub(super) pace: Pace,
    pub(super) line: Line,
    /// A backup's details never change: asked once for each.
    pub(super) known: RefCell<HashMap<BackupSlug, ListedBackup>>,
}

/// `{"result": "ok", "data": …}` or `{"result": "error", "message": …, "job_id": …}`.
#[derive(Deserialize)]
struct Envelope {
    result: String,
    #[serde(default)]
    data: serde_json::Value,
    message: Option<String>,
    job_id: Option<String>,
}

impl Supervisor {
    /// `base` as in `http://supervisor`; a path in it is kept.
    pub fn new(base: &Url, token: Secret, pace: Pace) -> Supervisor {
        let base = base.as_str().trim_end_matches('/').to_string();
        Supervisor { http: client(pace.answer), base, token, line: Line::new(&pace), pace, known: RefCell::default() }
    }

    /// The data of a GET. Asks until it answers, at most `tries` times; only what may pass is asked again, silence only
    /// once. `path` is never made of a user's text.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, tries: u32) -> Result<T, SupervisorError> {
        let mut silences = 0;
        let mut n = 0;
        let (mut backoff, begun) = (Backoff::new(&self.pace), Instant::now());
        loop {
            let error = match self.get_once(path).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            n += 1;
            silences += u32::from(matches!(error, SupervisorError::Silent { .. }));
            if !error.is_passing() || n >= tries || silences > 1 {
                return Err(error);
            }
            log::debug!("{error}; trying again");
            tokio::time::sleep(line::rest(&mut backoff, begun)).await;
        }
    }

    pub(super) async fn get_once<T: DeserializeOwned>(&self, path: &str) -> Result<T, SupervisorError> {
        let at = format!("GET {path}");
        let request = self.http.get(format!("{}{path}", self.base));
        self.exchange(request, Body::new(), at).await
    }

    /// Sent once, whatever happens. On a connection of its own: one kept from before may be dead without our knowing,
    /// and then nobody could tell whether the Supervisor got it.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<T, SupervisorError> {
        let at = format!("POST {path}");
        let request = client(self.pace.answer).post(format!("{}{path}", self.base));
        let request = request.insert_header((header::CONTENT_TYPE, "application/json"));
        self.exchange(request, Body::from(body.to_string()), at).await
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        request: ClientRequest,
        body: Body,
        at: String,
    ) -> Result<T, SupervisorError> {
        if self.token.is_empty() {
            return Err(SupervisorError::NoToken { at });
        }
        let limit = self.pace.answer;
        let request = request.insert_header((header::AUTHORIZATION, format!("Bearer {}", self.token.reveal())));
        let answer = tokio::time::timeout(limit, whole_answer(request, body, &at)).await;
        let (status, body) = answer.unwrap_or_else(|_| Err(SupervisorError::Silent { at: at.clone(), limit }))?;
        read_answer(status, &body, at)
    }
}

fn client(limit: Duration) -> Client {
    // The limit of the whole exchange comes first; this one only ends what nobody waits for any more.
    let later = limit + Duration::from_secs(5);
    Client::builder().connector(Connector::new().timeout(later)).timeout(later).disable_redirects().finish()
}

async fn whole_answer(request: ClientRequest, body: Body, at: &str) -> Result<(u16, Body), SupervisorError> {
    let mut response = request.send_body(body).await.map_err(|e| send_error(e, at))?;
    let status = response.status().as_u16();
    let told = response.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    let body = response.body().limit(ANSWER_MOST).await.map_err(|e| payload_error(e, at))?;
    // awc takes the end of the connection for the end of the answer.
    match told.filter(|told: &usize| *told != body.len()) {
        Some(told) => {
            let said = format!("{} of {told} bytes came", body.len());
            Err(SupervisorError::Lost { at: at.into(), said })
        }
        None => Ok((status, body)),
    }
}

fn send_error(error: SendRequestError, at: &str) -> SupervisorError {
    let (at, said) = (at.to_string(), short(&error.to_string()));
    match error {
        SendRequestError::Connect(ConnectError::Disconnected) => SupervisorError::Lost { at, said },
        SendRequestError::Connect(_) | SendRequestError::Url(_) => SupervisorError::Unreachable { at, said },
        SendRequestError::Response(ParseError::Incomplete | ParseError::Timeout | ParseError::Io(_)) => {
            SupervisorError::Lost { at, said }
        }
        SendRequestError::Response(_) => SupervisorError::NotJson { at, said },
        _ => SupervisorError::Lost { at, said },
    }
}

fn payload_error(error: PayloadError, at: &str) -> SupervisorError {
    let (at, said) = (at.to_string(), short(&error.to_string()));
    match error {
        PayloadError::Overflow => SupervisorError::TooLarge { at, limit: Bytes(ANSWER_MOST as u64) },
        _ => SupervisorError::Lost { at, said },
    }
}

/// Status and envelope → data or error. Answers of the token check are plain text (HA §1.1).
fn read_answer<T: DeserializeOwned>(status: u16, body: &[u8], at: String) -> Result<T, SupervisorError> {
    let envelope: Result<Envelope, _> = serde_json::from_slice(body);
    let text = || short(&String::from_utf8_lossy(body));
    match (status, envelope) {
        (200..=299, Ok(e)) if e.result == "ok" => serde_json::from_value(e.data)
            .map_err(|e| SupervisorError::NotJson { at, said: format!("it has another form than expected: {e}") }),
        (200..=299, Ok(e)) => Err(refusal(400, e.message.unwrap_or_default(), e.job_id, at)),
        (200..=299, Err(e)) => Err(SupervisorError::NotJson { at, said: short(&e.to_string()) }),
        (_, Ok(e)) => Err(refusal(status, e.message.unwrap_or_else(text), e.job_id, at)),
        (_, Err(_)) => Err(refusal(status, text(), None, at)),
    }
}

fn refusal(status: u16, said: String, job: Option<String>, at: String) -> SupervisorError {
    let said = short(&said);
    match status {
        401 => SupervisorError::Unauthorized { at },
        403 => SupervisorError::Forbidden { at, said },
        404 => SupervisorError::NotFound { at, said },
        400 if said.contains("System is not ready") => SupervisorError::NotReady { at, said },
        429 | 500.. => SupervisorError::Trouble { at, status, said },
        _ => SupervisorError::Refused { at, said, job },
    }
}

/// One line, without control characters, of bounded length.
pub(super) fn short(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SAID_MOST).collect();
    line.trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, body: &str) -> String {
        match read_answer::<HashMap<String, u32>>(status, body.as_bytes(), "GET /x".into()) {
            Ok(data) => format!("ok {data:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_kind_of_answer_is_told_apart() {
        let asking = "asking the Supervisor (GET /x): ";
        let cases = [
            (200, r#"{"result":"ok","data":{"a":1},"new":2}"#, "ok {\"a\": 1}".to_string()),
            (401, "401: Unauthorized", format!("{asking}401, it does not accept the token")),
            (403, "403: Forbidden", format!("{asking}403, 403: Forbidden")),
            (
                404,
                r#"{"result":"error","message":"Backup does not exist"}"#,
                format!("{asking}404, Backup does not exist"),
            ),
            (
                400,
                r#"{"result":"error","message":"System is not ready with state: setup"}"#,
                format!("{asking}it is not ready, System is not ready with state: setup"),
            ),
            (400, r#"{"result":"error","message":"no"}"#, format!("{asking}refused, no")),
            (400, "400: Bad Request", format!("{asking}refused, 400: Bad Request")),
            (200, r#"{"result":"error","message":"no"}"#, format!("{asking}refused, no")),
            (502, "<html>\nBad Gateway</html>", format!("{asking}status 502, <html> Bad Gateway</html>")),
            (429, "", format!("{asking}status 429, ")),
        ];
        for (status, body, want) in cases {
            assert_eq!(outcome(status, body), want);
        }
        for (status, body) in [(200, "<html>"), (200, ""), (200, r#"{"result":"ok","data":[]}"#), (200, "{}")] {
            assert!(outcome(status, body).starts_with("reading the Supervisor's answer (GET /x)"), "{body}");
        }
    }

    #[test]
    fn texts_are_kept_short_and_on_one_line() {
        assert_eq!(short("a\r\nb\u{7}"), "a  b");
        assert_eq!(short(&"x".repeat(9999)).len(), SAID_MOST);
    }
}
