//! The ports, and HTTP by hand: a server of a library would never break its own rules.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::play::Play;
use super::script::{Gate, RECORDED_HOST, Reply};
use crate::demo::supervisor::gate::Port;

/// How often a port looks whether it should listen.
const LOOK: Duration = Duration::from_millis(3);
/// Longer than any request that comes here.
const REQUEST_MOST: usize = 256 << 10;

/// Plays one port for ever.
pub async fn port(play: &Arc<Play>, gate: Gate, port: Port) {
    let mut listener: Option<TcpListener> = None;
    loop {
        listener = match (play.listens(gate), listener) {
            (false, _) => None,
            (true, Some(open)) => Some(open),
            // A connection that is just ending may hold the port for a moment longer.
            (true, None) => port.listen().ok(),
        };
        match &listener {
            None => tokio::time::sleep(LOOK).await,
            Some(open) => {
                if let Ok(Ok((stream, _))) = tokio::time::timeout(LOOK, open.accept()).await {
                    let play = play.clone();
                    // However a connection ends, it ends.
                    actix_web::rt::spawn(async move { drop(connection(&play, gate, stream).await) });
                }
            }
        }
    }
}

async fn connection(play: &Play, gate: Gate, mut stream: TcpStream) -> io::Result<()> {
    let Some(request) = read(&mut stream).await? else { return Ok(()) };
    let answer = play.answer(gate, &request.method, &request.path, request.body);
    // Whoever asked may leave before.
    let mut rest = [0; 64];
    tokio::select! {
        () = tokio::time::sleep(answer.wait) => {}
        _ = stream.read(&mut rest) => return Ok(()),
    }
    match answer.reply {
        Reply::Refused | Reply::Close => Ok(()),
        Reply::Hang => left_open(stream).await,
        Reply::Raw { parts, pause, stays } => {
            for part in parts {
                tokio::time::sleep(play.clock(pause)).await;
                stream.write_all(&part).await?;
            }
            if stays { left_open(stream).await } else { stream.shutdown().await }
        }
        Reply::Http { status, headers, body, .. } => {
            let host = request.host.split(':').next().unwrap_or_default();
            let here = format!("http://{host}:{}", play.main);
            stream.write_all(&head(status, &headers, body.len(), &here)).await?;
            stream.write_all(&body).await?;
            stream.shutdown().await
        }
    }
}

async fn left_open(mut stream: TcpStream) -> io::Result<()> {
    let mut rest = [0; 64];
    stream.read(&mut rest).await.map(|_| ())
}

/// `here` takes the place of the host that was recorded.
fn head(status: u16, headers: &[(String, String)], length: usize, here: &str) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Recorded\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| name != "content-length") {
        let value = value.strip_prefix(RECORDED_HOST).map_or(value.clone(), |rest| format!("{here}{rest}"));
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {length}\r\nconnection: close\r\n\r\n"));
    head.into_bytes()
}

struct Request {
    method: String,
    path: String,
    host: String,
    body: Vec<u8>,
}

/// `None`: it ended before it was whole.
async fn read(stream: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(request) = whole(&bytes) {
            return Ok(Some(request));
        }
        let length = stream.read(&mut buffer).await?;
        if length == 0 || bytes.len() > REQUEST_MOST {
            return Ok(None);
        }
        bytes.extend_from_slice(buffer.get(..length).unwrap_or_default());
    }
}

fn whole(bytes: &[u8]) -> Option<Request> {
    let at = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = bytes.split_at(at + 4);
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let header = |wanted: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim().to_string())
    };
    let length = header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let body = body.get(..length)?.to_vec();
    let (method, path) = (first.next()?.to_string(), first.next()?.to_string());
    Some(Request { method, path, host: header("host").unwrap_or_default(), body })
}
