//! Home Assistant's own API: `supervisor/api` through its WebSocket, logs and service calls by HTTP.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::rt::time::sleep;
use actix_ws::{Item, ProtocolError};
use awc::Client;
use awc::ws::{Frame, Message};
use bytes::BytesMut;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use serde_json::{Value, json};
use url::Url;

use super::Said;
use super::request::Request;
use crate::domain::progress::StopFlag;
use crate::domain::secret::Secret;

const CONNECT: Duration = Duration::from_secs(10);
/// How often it is asked whether to stop.
const LOOK: Duration = Duration::from_millis(50);
/// The list of all apps is some hundred KB.
const MOST: usize = 32 << 20;

#[derive(Debug, thiserror::Error)]
pub enum CoreError {
    #[error("stopped")]
    Stopped,
    #[error("{0}")]
    Unreachable(String),
    #[error("no answer within {0:?}")]
    Silent(Duration),
    #[error("the token is not known there (401)")]
    Unauthorized,
    #[error("the token is not of an administrator")]
    NoAdmin,
    #[error("{0}")]
    Strange(String),
}

/// What was answered to an HTTP request.
#[derive(Debug, Clone)]
pub struct Page {
    pub status: u16,
    pub body: String,
}

#[derive(Debug, Clone)]
pub struct Core {
    pub url: Url,
    pub token: Secret,
}

/// Messages in both directions.
trait Socket: Stream<Item = Result<Frame, ProtocolError>> + Sink<Message, Error = ProtocolError> + Unpin {}
impl<T: Stream<Item = Result<Frame, ProtocolError>> + Sink<Message, Error = ProtocolError> + Unpin> Socket for T {}

impl Core {
    /// One command of the WebSocket API, on a connection of its own.
    pub fn ask(&self, request: Request<'_>, stop: &StopFlag) -> Result<Said, CoreError> {
        waited(stop, request.limit(), self.socket(request.message(1)))
    }

    async fn socket(&self, message: Value) -> Result<Said, CoreError> {
        let url = self.at("api/websocket");
        let client = Client::builder().timeout(CONNECT).finish();
        let connected = client.ws(url.as_str()).max_frame_size(MOST).connect().await;
        let (_, mut socket) = connected.map_err(|error| CoreError::Unreachable(error.to_string()))?;
        let greeting = soon(receive(&mut socket)).await?;
        if greeting["type"] != "auth_required" {
            return Err(CoreError::Strange("what answers there is no Home Assistant".into()));
        }
        send(&mut socket, &json!({"type": "auth", "access_token": self.token.reveal()})).await?;
        match soon(receive(&mut socket)).await?["type"].as_str() {
            Some("auth_ok") => {}
            Some("auth_invalid") => return Err(CoreError::Unauthorized),
            _ => return Err(CoreError::Strange("the login was not answered".into())),
        }
        send(&mut socket, &message).await?;
        loop {
            let told = receive(&mut socket).await?;
            if told["type"] == "result" && told["id"] == message["id"] {
                return said(&told);
            }
        }
    }

    /// A service of the integration `hassio`. What it answers tells little: 200 and a list, often empty.
    pub fn service(&self, name: &str, data: &Value, stop: &StopFlag) -> Result<Page, CoreError> {
        let url = self.at(&format!("api/services/hassio/{name}"));
        let request = async {
            let call = client().post(url.as_str()).bearer_auth(self.token.reveal());
            page(call.send_json(data).await).await
        };
        waited(stop, Duration::from_secs(120), request)
    }

    /// A text that Core passes on from the Supervisor.
    pub fn text(&self, path: &str, stop: &StopFlag) -> Result<Page, CoreError> {
        let url = self.at(&format!("api/hassio/{path}"));
        let request = async {
            let call = client().get(url.as_str()).bearer_auth(self.token.reveal());
            page(call.send().await).await
        };
        waited(stop, Duration::from_secs(60), request)
    }

    /// A page of an app, opened with a session as the sidebar does.
    pub fn ingress(&self, path: &str, session: &str, stop: &StopFlag) -> Result<Page, CoreError> {
        let url = self.at(path);
        let cookie = format!("ingress_session={session}");
        let request = async { page(client().get(url.as_str()).insert_header(("Cookie", cookie)).send().await).await };
        waited(stop, Duration::from_secs(30), request)
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_string();
        url.set_path(&format!("{base}/{}", path.trim_start_matches('/')));
        url
    }
}

/// Any page, without a token.
pub fn open(url: &Url, stop: &StopFlag) -> Result<Page, CoreError> {
    let request = async { page(client().get(url.as_str()).send().await).await };
    waited(stop, Duration::from_secs(30), request)
}

fn client() -> Client {
    Client::builder().timeout(Duration::from_secs(60)).disable_redirects().finish()
}

type Got<B> = Result<awc::ClientResponse<B>, awc::error::SendRequestError>;

async fn page<B>(got: Got<B>) -> Result<Page, CoreError>
where
    B: futures_util::Stream<Item = Result<bytes::Bytes, awc::error::PayloadError>>,
{
    let mut got = got.map_err(|error| CoreError::Unreachable(error.to_string()))?;
    let status = got.status();
    if status == StatusCode::UNAUTHORIZED {
        return Err(CoreError::Unauthorized);
    }
    let body = got.body().limit(MOST).await.map_err(|error| CoreError::Strange(error.to_string()))?;
    Ok(Page { status: status.as_u16(), body: String::from_utf8_lossy(&body).into_owned() })
}

fn said(told: &Value) -> Result<Said, CoreError> {
    if told["success"] == true {
        return Ok(Said::Ok(told["result"].clone()));
    }
    let error = &told["error"];
    match error["code"].as_str() {
        Some("unauthorized") => Err(CoreError::NoAdmin),
        _ => Ok(Said::No(error["message"].as_str().unwrap_or("no reason is given").to_string())),
    }
}

async fn send(socket: &mut impl Socket, message: &Value) -> Result<(), CoreError> {
    let sent = socket.send(Message::Text(message.to_string().into())).await;
    sent.map_err(|error| CoreError::Unreachable(error.to_string()))
}

async fn receive(socket: &mut impl Socket) -> Result<Value, CoreError> {
    let mut whole = BytesMut::new();
    loop {
        let frame = socket.next().await.ok_or_else(|| CoreError::Unreachable("the connection was closed".into()))?;
        let frame = frame.map_err(|error| CoreError::Unreachable(error.to_string()))?;
        let end = match frame {
            Frame::Text(text) => {
                whole.extend_from_slice(&text);
                true
            }
            Frame::Continuation(item) => {
                let (bytes, end) = match item {
                    Item::Last(bytes) => (bytes, true),
                    Item::FirstText(bytes) | Item::FirstBinary(bytes) | Item::Continue(bytes) => (bytes, false),
                };
                whole.extend_from_slice(&bytes);
                end
            }
            Frame::Ping(bytes) => {
                let _ = socket.send(Message::Pong(bytes)).await;
                false
            }
            Frame::Close(_) => return Err(CoreError::Unreachable("the connection was closed".into())),
            Frame::Pong(_) | Frame::Binary(_) => false,
        };
        if whole.len() > MOST {
            return Err(CoreError::Strange("the answer is far too long".into()));
        }
        if end {
            return serde_json::from_slice(&whole).map_err(|_| CoreError::Strange("the answer is no JSON".into()));
        }
    }
}

/// Who greets nobody is not there.
async fn soon<T>(work: impl Future<Output = Result<T, CoreError>>) -> Result<T, CoreError> {
    actix_web::rt::time::timeout(CONNECT, work).await.unwrap_or(Err(CoreError::Silent(CONNECT)))
}

/// Until it is there, `stop` is set or the time is over.
fn waited<T>(
    stop: &StopFlag,
    limit: Duration,
    work: impl Future<Output = Result<T, CoreError>>,
) -> Result<T, CoreError> {
    let stopped = async {
        while !stop.is_set() {
            sleep(LOOK).await;
        }
    };
    actix_web::rt::System::new().block_on(async {
        tokio::select! {
            done = work => done,
            () = stopped => Err(CoreError::Stopped),
            () = sleep(limit) => Err(CoreError::Silent(limit)),
        }
    })
}
