//! Keeps open pages fresh: parts of a page as server-sent events, and the same parts for pages that ask (face §3).
//!
//! A page is right without any of this. A part is a block of the page's own template; what a browser has of it is known
//! by a checksum, so that nothing is sent that is there already.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, Responder, web};
use actix_web_lab::sse::{Data, Event, Sse};
use askama::Template;
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Site;
use crate::jobs::Jobs;

/// Numbers move at most this often.
const BREATH: Duration = Duration::from_secs(1);
/// Without any change, what says "2 minutes ago" is looked at again.
const MINUTE: Duration = Duration::from_secs(60);
/// Screen readers are spoken to at most this often.
const SAY_EVERY: Duration = Duration::from_secs(20);
/// Between two questions of a page that gets no events, and of one that does, in seconds.
const FAST: u32 = 3;
const SLOW: u32 = 20;

/// One fixed element of a page and what is in it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Id of the element and name of the event.
    name: &'static str,
    /// Tells this content from another.
    key: u32,
    html: String,
    /// The page's new title, if it has one.
    title: Option<String>,
}

impl Part {
    pub fn new(name: &'static str, block: &impl Template) -> Part {
        let html = block.render().unwrap_or_default();
        Part { name, key: crc32fast::hash(html.as_bytes()), html, title: None }
    }

    /// An announcement: it is news only if `about` changed, however its words vary.
    pub fn said(name: &'static str, about: &str, text: &str) -> Part {
        Part { name, key: crc32fast::hash(about.as_bytes()), html: escaped(text), title: None }
    }

    pub fn with_title(mut self, title: &str) -> Part {
        self.key ^= crc32fast::hash(title.as_bytes());
        self.title = Some(format!("<title>{}</title>", escaped(title)));
        self
    }

    fn event(&self) -> Event {
        let title = self.title.as_deref().unwrap_or_default();
        Data::new(format!("{title}{}", self.html)).event(self.name).into()
    }

    fn out_of_band(&self) -> String {
        let title = self.title.as_deref().unwrap_or_default();
        format!("{title}<div hx-swap-oob=\"innerHTML:#{}\">{}</div>", self.name, self.html)
    }
}

fn escaped(text: &str) -> String {
    askama::filters::escape(text, askama::filters::Html).map(|safe| safe.to_string()).unwrap_or_default()
}

/// What a browser has: the keys of a page's parts, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen(Vec<u32>);

impl Seen {
    pub fn of(parts: &[Part]) -> Seen {
        Seen(parts.iter().map(|part| part.key).collect())
    }

    fn parse(text: &str) -> Seen {
        Seen(text.split('.').take(16).map(|key| u32::from_str_radix(key, 16).unwrap_or(0)).collect())
    }

    fn has(&self, place: usize, part: &Part) -> bool {
        self.0.get(place) == Some(&part.key)
    }

    fn note(&mut self, place: usize, part: &Part) {
        if self.0.len() <= place {
            self.0.resize(place + 1, 0);
        }
        if let Some(key) = self.0.get_mut(place) {
            *key = part.key;
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.0.iter().map(|key| format!("{key:x}")).collect();
        f.write_str(&keys.join("."))
    }
}

/// A look at what a page shows.
pub struct Look {
    pub parts: Vec<Part>,
    /// Nothing will change any more: the stream ends.
    pub over: bool,
}

/// What a live page asks with.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    seen: String,
    #[serde(default)]
    every: Option<u32>,
    #[serde(default)]
    pub quiet: Option<String>,
}

impl Asked {
    pub fn of(req: &HttpRequest) -> Asked {
        web::Query::<Asked>::from_query(req.query_string()).map(web::Query::into_inner).unwrap_or_default()
    }

    pub fn is_quiet(&self) -> bool {
        self.quiet.as_deref() == Some("1")
    }
}

/// Where the parts of a page are asked for: relative links from the page.
#[derive(Debug, Clone)]
pub struct Source {
    pub events: String,
    pub live: String,
    pub quiet: bool,
}

impl Source {
    fn query(&self, seen: &Seen) -> String {
        let quiet = if self.quiet { "&quiet=1" } else { "" };
        format!("seen={seen}{quiet}")
    }

    /// For `sse-connect`.
    pub fn connect(&self, seen: &Seen) -> String {
        format!("{}?{}", self.events, self.query(seen))
    }

    /// The pulse of a page that has got no event yet.
    pub fn pulse(&self, seen: &Seen) -> String {
        self.pulse_every(FAST, seen)
    }

    fn pulse_every(&self, every: u32, seen: &Seen) -> String {
        let url = escaped(&format!("{}?{}&every={every}", self.live, self.query(seen)));
        format!("<div hx-get=\"{url}\" hx-trigger=\"every {every}s\" hx-swap=\"none\"></div>")
    }
}

/// The polling twin: the parts that the page has not seen, and the next question; 286 ends the asking.
pub fn live(asked: &Asked, source: &Source, look: Look) -> HttpResponse {
    let before = Seen::parse(&asked.seen);
    let mut body: String = look
        .parts
        .iter()
        .enumerate()
        .filter(|(place, part)| !before.has(*place, part))
        .map(|(_, part)| part.out_of_band())
        .collect();
    if body.is_empty() && !look.over {
        return HttpResponse::NoContent().finish();
    }
    let every = if asked.every == Some(SLOW) { SLOW } else { FAST };
    let pulse = if look.over { String::new() } else { source.pulse_every(every, &Seen::of(&look.parts)) };
    body.push_str(&format!("<div hx-swap-oob=\"innerHTML:#pulse\">{pulse}</div>"));
    let status = if look.over { StatusCode::from_u16(286).unwrap_or(StatusCode::OK) } else { StatusCode::OK };
    HttpResponse::build(status).content_type("text/html; charset=utf-8").body(body)
}

/// What makes a page look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    Everything,
    JobsOnly,
}

/// The stream: parts as they change, until the page is over, left, or the server ends.
pub fn stream(
    req: &HttpRequest,
    site: &Site,
    watched: Watched,
    source: Source,
    look: impl FnMut() -> Look + 'static,
) -> HttpResponse {
    let asked = Asked::of(req);
    let (events, receiver) = mpsc::channel(16);
    let teller = Teller { events, seen: Seen::parse(&asked.seen), said: None };
    actix_web::rt::spawn(tell(teller, site.jobs.clone(), site.closing.clone(), watched, source, look));
    sse(req, receiver)
}

/// The answer that sends what comes through `events` until its sender is gone.
pub fn sse(req: &HttpRequest, events: mpsc::Receiver<Event>) -> HttpResponse {
    let events = stream::unfold(events, |mut events| async {
        events.recv().await.map(|event| (Ok::<_, Infallible>(event), events))
    });
    Sse::from_stream(events)
        .with_retry_duration(Duration::from_secs(2))
        .with_keep_alive(Duration::from_secs(15))
        .respond_to(req)
}

/// The browser has left; there is nobody to tell.
struct Left;

struct Teller {
    events: mpsc::Sender<Event>,
    seen: Seen,
    said: Option<Instant>,
}

impl Teller {
    async fn send(&self, event: Event) -> Result<(), Left> {
        self.events.send(event).await.map_err(|_| Left)
    }

    /// Sends what changed; an announcement that comes too early is kept back, and the next look is due when it is not.
    async fn send_changed(&mut self, look: &Look) -> Result<Duration, Left> {
        let mut due = MINUTE;
        for (place, part) in look.parts.iter().enumerate() {
            if self.seen.has(place, part) {
                continue;
            }
            if part.name == "say" && !look.over {
                let left = self.said.map_or(Duration::ZERO, |at| SAY_EVERY.saturating_sub(at.elapsed()));
                if !left.is_zero() {
                    due = due.min(left);
                    continue;
                }
                self.said = Some(Instant::now());
            }
            self.send(part.event()).await?;
            self.seen.note(place, part);
        }
        Ok(due)
    }
}

async fn tell(
    mut teller: Teller,
    jobs: Jobs,
    mut closing: tokio::sync::watch::Receiver<bool>,
    watched: Watched,
    source: Source,
    mut look: impl FnMut() -> Look,
) {
    let gone = teller.events.clone();
    let telling = async {
        let first = source.pulse_every(SLOW, &teller.seen);
        teller.send(Data::new(first).event("pulse").into()).await?;
        let (mut disks, mut system, mut all) = (jobs.watch_disks(), jobs.watch_system(), jobs.watch_jobs());
        loop {
            let now = look();
            let due = teller.send_changed(&now).await?;
            if now.over {
                teller.send(Data::new("").event("pulse").into()).await?;
                return teller.send(Data::new("").event("bye").into()).await;
            }
            tokio::time::sleep(BREATH).await;
            let changed = async {
                if watched == Watched::JobsOnly {
                    return all.changed().await;
                }
                tokio::select! { c = disks.changed() => c, c = system.changed() => c, c = all.changed() => c }
            };
            // A sender is gone only when the program ends.
            if let Ok(Err(_)) = tokio::time::timeout(due, changed).await {
                return Ok(());
            }
        }
    };
    tokio::select! {
        _ = telling => {}
        () = gone.closed() => {}
        _ = closing.wait_for(|closing| *closing) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &'static str, html: &str) -> Part {
        Part { name, key: crc32fast::hash(html.as_bytes()), html: html.into(), title: None }
    }

    fn source() -> Source {
        Source { events: "../jobs/7/events".into(), live: "../jobs/7/live".into(), quiet: false }
    }

    async fn answer(asked: &str, parts: Vec<Part>, over: bool) -> (u16, String) {
        let asked = web::Query::<Asked>::from_query(asked).unwrap().into_inner();
        let response = live(&asked, &source(), Look { parts, over });
        let status = response.status().as_u16();
        let body = actix_web::body::to_bytes(response.into_body()).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[actix_web::test]
    async fn the_twin_sends_only_what_is_new() {
        let parts = || vec![part("tick", "1"), part("state", "writing").with_title("42 %")];
        let seen = Seen::of(&parts()).to_string();
        assert_eq!(answer(&format!("seen={seen}"), parts(), false).await, (204, String::new()));

        let (status, text) = answer("seen=", parts(), false).await;
        assert_eq!(status, 200);
        assert!(text.contains("<div hx-swap-oob=\"innerHTML:#tick\">1</div>"), "{text}");
        assert!(text.contains("<title>42 %</title>"));
        assert!(text.contains("every 3s") && text.contains(&seen));

        let old = Seen::of(&[part("tick", "0"), part("state", "writing").with_title("42 %")]);
        let (_, text) = answer(&format!("seen={old}&every=20"), parts(), false).await;
        assert!(text.contains("#tick") && !text.contains("#state") && text.contains("every 20s"), "{text}");

        let (status, text) = answer(&format!("seen={seen}"), parts(), true).await;
        assert_eq!((status, text.as_str()), (286, "<div hx-swap-oob=\"innerHTML:#pulse\"></div>"));
    }

    #[test]
    fn what_was_seen_survives_its_way_through_a_link() {
        let seen = Seen(vec![0, 1, u32::MAX]);
        assert_eq!(Seen::parse(&seen.to_string()), seen);
        for bad in ["", "zz", "....", "-1.ffffffffff", &"1.".repeat(1000)] {
            assert!(Seen::parse(bad).0.len() <= 16, "{bad}");
        }
    }

    #[test]
    fn announcements_are_escaped_and_news_only_once() {
        let one = Part::said("say", "plug", "<b>SanDisk</b> & plugged in");
        let two = Part::said("say", "plug", "other words");
        assert!(!one.html.contains('<') && one.html.contains("SanDisk"));
        assert_eq!(one.key, two.key);
    }
}
