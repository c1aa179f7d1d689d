//! One exchange with the new system: every wait bounded, every end told apart. Redirects are not followed, connections
//! not kept.

use std::io::Read;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::error::ParseError;
use awc::error::{ConnectError, SendRequestError};
use awc::http::header;
use awc::{Client, ClientResponse, Connector};
use tokio::time::timeout;

use crate::domain::finish::{Answer, Met, Posted};

/// Lists of hundreds of backups stay far below it.
const ANSWER_MOST: usize = 8 << 20;

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// Until a connection is made.
    pub connect: Duration,
    /// Until an answer begins, and then until it ends. A slow Supervisor makes the list slow.
    pub answer: Duration,
}

/// Asks `url` at `address`, whatever the name in it says.
pub async fn get(url: &str, address: SocketAddr, waits: Waits) -> Met {
    let request = client(waits).get(url).address(address).force_close().no_decompress();
    let request = request.insert_header((header::ACCEPT_ENCODING, "identity"));
    match timeout(waits.answer, request.send()).await {
        Err(_) => Met::Silent,
        Ok(Err(error)) => ended(&error),
        Ok(Ok(mut response)) => {
            let whole = timeout(waits.answer, whole(&mut response)).await;
            whole.ok().flatten().map_or(Met::Broken, Met::Answer)
        }
    }
}

/// Sends the restore request once, and waits for its end without a limit: whoever waits here gives up by the clock.
pub async fn post(url: String, address: SocketAddr, body: String, waits: Waits) -> Posted {
    let request = client(waits).post(url).address(address).force_close().no_decompress();
    let request = request.insert_header((header::CONTENT_TYPE, "application/json"));
    match request.send_body(body).await {
        Err(error) if never_left(&error) => Posted::NeverSent,
        Err(error) => {
            log::debug!("the restore request was cut: {error}");
            Posted::Cut
        }
        Ok(mut response) => {
            let status = response.status().as_u16();
            let whole = timeout(waits.answer, whole(&mut response)).await.ok().flatten();
            // A refusal whose reason was lost is still one.
            Posted::Answered(whole.unwrap_or(Answer { status, ..Answer::default() }))
        }
    }
}

fn client(waits: Waits) -> Client {
    let connector = Connector::new().timeout(waits.connect);
    Client::builder().connector(connector).disable_timeout().disable_redirects().finish()
}

fn ended(error: &SendRequestError) -> Met {
    use SendRequestError as E;
    match error {
        E::Connect(ConnectError::Disconnected) | E::Send(_) => Met::Closed,
        E::Response(ParseError::Incomplete | ParseError::Io(_)) => Met::Closed,
        E::Connect(_) | E::Url(_) | E::Timeout => Met::Silent,
        _ => Met::Broken,
    }
}

/// No connection was made, so that nothing can have arrived.
fn never_left(error: &SendRequestError) -> bool {
    match error {
        SendRequestError::Connect(ConnectError::Disconnected) => false,
        SendRequestError::Connect(_) | SendRequestError::Url(_) => true,
        _ => false,
    }
}

/// `None`: it broke off, or is too long.
async fn whole<S>(response: &mut ClientResponse<S>) -> Option<Answer>
where
    S: futures_util::Stream<Item = Result<bytes::Bytes, awc::error::PayloadError>> + Unpin,
{
    let status = response.status().as_u16();
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(String::from);
    let location = text(header::LOCATION);
    let zipped = text(header::CONTENT_ENCODING).is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"));
    let told: Option<usize> = text(header::CONTENT_LENGTH).and_then(|told| told.trim().parse().ok());
    let body = response.body().limit(ANSWER_MOST).await.ok()?;
    // awc takes the end of the connection for the end of the answer.
    if told.is_some_and(|told| told != body.len()) {
        return None;
    }
    let body = if zipped { unzip(&body)? } else { body.to_vec() };
    Some(Answer { status, location, body })
}

/// Nobody asked for it; a proxy may do it all the same.
fn unzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let most = ANSWER_MOST as u64;
    flate2::read::GzDecoder::new(body).take(most + 1).read_to_end(&mut plain).ok()?;
    (plain.len() as u64 <= most).then_some(plain)
}
