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

/// Where a value differs from a schema of the document; as much of JSON Schema as the document uses. `schema` may be an
/// answer with a body of JSON.
pub fn misfits(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    if let Some(to) = schema["$ref"].as_str() {
        let target = document.pointer(to.trim_start_matches('#')).unwrap();
        return misfits(document, target, value);
    }
    if let Some(body) = schema.pointer("/content/application~1json/schema") {
        return misfits(document, body, value);
    }
    if let Some(any) = schema["oneOf"].as_array() {
        let fitting = any.iter().filter(|schema| misfits(document, schema, value).is_empty()).count();
        return if fitting == 1 { Vec::new() } else { vec![format!("{value} fits {fitting} of {schema}")] };
    }
    let mut found = own_misfits(schema, value);
    if let Some(items) = value.as_array() {
        found.extend(items.iter().flat_map(|item| misfits(document, &schema["items"], item)));
    }
    let open = schema["additionalProperties"] != false;
    for (name, inner) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(name) {
            Some(schema) => found.extend(misfits(document, schema, inner)),
            None if open => {}
            None => found.push(format!("{name} is not described")),
        }
    }
    found
}

fn own_misfits(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut want = |fits: bool| {
        if !fits {
            found.push(format!("{value} does not fit {schema}"));
        }
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let (kinds, required) = (&schema["type"], schema["required"].as_array());
    want(kinds.is_null() || kinds == kind || kinds.as_array().is_some_and(|kinds| kinds.contains(&kind.into())));
    want(schema["enum"].as_array().is_none_or(|known| known.contains(value)));
    want(schema.get("const").is_none_or(|only| only == value));
    want(required.into_iter().flatten().all(|name| value.get(name.as_str().unwrap()).is_some()));
    want(value.as_u64().is_none_or(|number| schema["maximum"].as_u64().is_none_or(|most| number <= most)));
    want(value != "" || schema["minLength"].is_null());
    found
}
