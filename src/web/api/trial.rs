//! What the tests of the API share.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::web::trial::{Answer, Trial};
use crate::web::{WebOptions, bind};

/// The answer is an error as AP-3 wants it; gives its body.
pub fn is_error(answer: &Answer, status: u16, code: &str) -> Value {
    let body = answer.json();
    assert_eq!((answer.status, body["code"].as_str()), (status, Some(code)), "{}", answer.text);
    assert!(body["error"].as_str().unwrap().ends_with(['.', '?']), "{}", answer.text);
    assert!(!body["hint"].as_str().unwrap().is_empty());
    body
}

/// Serves a trial on a real port while `visit` is there. The visit may end the server; else its own end does.
pub async fn serving(trial: &Trial, visit: impl AsyncFnOnce(String, oneshot::Sender<()>)) {
    let options = WebOptions { listen: Some("127.0.0.1:0".parse().unwrap()), ..WebOptions::default() };
    let server = bind(trial.jobs.clone(), options).unwrap();
    let base = format!("http://{}", server.address());
    let (stop, stopped) = oneshot::channel();
    let (done, over) = oneshot::channel::<()>();
    let run = server.run(async {
        tokio::select! { Ok(()) = stopped => {}, _ = over => {} }
    });
    let visiting = async {
        visit(base, stop).await;
        // The server may have been ended by the visit.
        let _ = done.send(());
    };
    let both = async { tokio::join!(run, visiting).0 };
    timeout(Duration::from_secs(60), both).await.unwrap().unwrap();
}

/// An open stream of events.
pub struct Stream {
    body: Pin<Box<dyn futures_util::Stream<Item = Result<Bytes, awc::error::PayloadError>>>>,
    text: String,
}

impl Stream {
    pub async fn open(url: &str) -> Stream {
        let response = awc::Client::default().get(url).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers().get("content-type").unwrap(), "text/event-stream");
        Stream { body: Box::pin(response), text: String::new() }
    }

    /// The next piece up to `end` that is `wanted`; those before it are passed over.
    pub async fn until(&mut self, end: &str, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            while let Some((piece, rest)) = self.text.split_once(end) {
                let (piece, rest) = (piece.to_string(), rest.to_string());
                self.text = rest;
                if wanted(&piece) {
                    return piece;
                }
            }
            let more = timeout(Duration::from_secs(10), self.body.next()).await;
            let more = more.unwrap_or_else(|_| panic!("nothing more came after {:?}", self.text));
            self.text.push_str(&String::from_utf8_lossy(&more.expect("the stream ended").unwrap()));
        }
    }

    pub async fn ends(&mut self) {
        let rest = async { while self.body.next().await.is_some_and(|chunk| chunk.is_ok()) {} };
        timeout(Duration::from_secs(10), rest).await.expect("the stream stays open");
    }
}
