//! One GET: every wait bounded and stoppable, redirects followed with all their headers.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::time::Duration;

use awc::error::PayloadError;
use awc::http::header::{self, HeaderMap, HeaderName};
use bytes::{Bytes as Chunk, BytesMut};
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, timeout};
use url::Url;

use super::ImageError;
use crate::domain::pace::Pace;
use crate::domain::progress::StopFlag;
use crate::domain::size::Bytes;

/// GitHub needs one; more than a few are a loop.
const REDIRECTS: usize = 10;
/// How late a stop may be noticed while nothing arrives.
const LOOK: Duration = Duration::from_millis(50);

/// What every request needs.
#[derive(Clone, Copy)]
pub(super) struct Getter<'a> {
    pub client: &'a awc::Client,
    pub pace: &'a Pace,
    pub stop: &'a StopFlag,
}

impl Getter<'_> {
    /// Follows redirects, also to other hosts, but never from HTTPS to HTTP.
    pub async fn get(&self, url: &Url, headers: &[(HeaderName, String)]) -> Result<Answer, ImageError> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTS {
            let answer = self.once(&url, headers).await?;
            match answer.leads_to(&url)? {
                None => return Ok(answer),
                Some(next) => url = next,
            }
        }
        Err(ImageError::Redirect { host: host_of(&url), what: "there is no end to them" })
    }

    async fn once(&self, url: &Url, headers: &[(HeaderName, String)]) -> Result<Answer, ImageError> {
        let host = host_of(url);
        let mut request = self.client.get(url.as_str()).no_decompress();
        for (name, value) in headers {
            request = request.insert_header((name.clone(), value.as_str()));
        }
        let response = match self.wait(self.pace.answer, request.send()).await? {
            None | Some(Err(awc::error::SendRequestError::Timeout)) => return Err(ImageError::Silent { host }),
            Some(Err(error)) => return Err(connection(host, error)),
            Some(Ok(response)) => response,
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { host, status, headers, body: Box::pin(response) })
    }

    /// `None`: the limit has passed.
    pub async fn wait<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Result<Option<T>, ImageError> {
        let mut work = pin!(work);
        let end = Instant::now() + limit;
        loop {
            if self.stop.is_set() {
                return Err(ImageError::Stopped);
            }
            let left = end.saturating_duration_since(Instant::now());
            match timeout(left.min(LOOK), &mut work).await {
                Ok(done) => return Ok(Some(done)),
                Err(_) if left.is_zero() => return Ok(None),
                Err(_) => {}
            }
        }
    }

    /// Waits before the next try.
    pub async fn rest(&self, time: Duration) -> Result<(), ImageError> {
        self.wait(time, std::future::pending::<()>()).await.map(|_| ())
    }
}

pub(super) struct Answer {
    pub host: String,
    pub status: u16,
    headers: HeaderMap,
    body: Pin<Box<dyn Stream<Item = Result<Chunk, PayloadError>>>>,
}

impl Answer {
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn number(&self, name: HeaderName) -> Option<u64> {
        self.header(name)?.trim().parse().ok()
    }

    /// The next bytes; `None` at the end, which may also be a connection that was dropped.
    pub async fn next(&mut self, getter: &Getter<'_>, silence: Duration) -> Result<Option<Chunk>, ImageError> {
        match getter.wait(silence, self.body.next()).await? {
            None => Err(ImageError::Silent { host: self.host.clone() }),
            Some(None) => Ok(None),
            Some(Some(Ok(chunk))) => Ok(Some(chunk)),
            Some(Some(Err(error))) => Err(connection(self.host.clone(), error)),
        }
    }

    /// The whole body, within `limit` and a few times the time of an answer.
    pub async fn whole(&mut self, getter: &Getter<'_>, limit: Bytes) -> Result<Chunk, ImageError> {
        let mut body = BytesMut::new();
        let end = Instant::now() + getter.pace.answer * 4;
        while let Some(chunk) = self.next(getter, getter.pace.answer).await? {
            if Instant::now() > end {
                return Err(ImageError::Silent { host: self.host.clone() });
            }
            if (body.len() + chunk.len()) as u64 > limit.0 {
                return Err(ImageError::TooLong { host: self.host.clone(), limit });
            }
            body.extend_from_slice(&chunk);
        }
        match self.number(header::CONTENT_LENGTH) {
            Some(length) if length > body.len() as u64 => {
                Err(connection(self.host.clone(), "the connection ended in the middle of the answer"))
            }
            _ => Ok(body.freeze()),
        }
    }

    /// What an answer other than the wanted one means.
    pub fn refusal(&self) -> ImageError {
        let host = self.host.clone();
        let used_up = self.header(HeaderName::from_static("x-ratelimit-remaining")) == Some("0");
        let wait = self.header(header::RETRY_AFTER).is_some();
        match self.status {
            429 => ImageError::RateLimited { host, reset: self.reset() },
            403 if used_up || wait => ImageError::RateLimited { host, reset: self.reset() },
            status => ImageError::Answered { host, status },
        }
    }

    fn reset(&self) -> Option<u64> {
        self.number(HeaderName::from_static("x-ratelimit-reset"))
    }

    fn leads_to(&self, from: &Url) -> Result<Option<Url>, ImageError> {
        if !matches!(self.status, 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let bad = |what| ImageError::Redirect { host: self.host.clone(), what };
        let location = self.header(header::LOCATION).ok_or_else(|| bad("one leads nowhere"))?;
        let next = from.join(location).map_err(|_| bad("one leads nowhere"))?;
        match (from.scheme(), next.scheme()) {
            (_, "https") | ("http", "http") => Ok(Some(next)),
            _ => Err(bad("one leaves HTTPS")),
        }
    }
}

/// As people know it, for messages.
pub(super) fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or("the release server").to_string()
}

/// The client's errors are not `Send`; their text is all that is kept of them.
fn connection(host: String, error: impl ToString) -> ImageError {
    ImageError::Connection { host, source: io::Error::other(error.to_string()) }
}
