//! The stream of a page: its parts as they change.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, Responder, web};
use actix_web_lab::sse::{Data, Event, Sse};
use futures_util::stream;
use tokio::sync::mpsc;

use super::part::clock;
use super::{Asked, Look, SLOW, Seen, Source};
use crate::web::{Site, error};

/// Numbers move at most this often.
const BREATH: Duration = Duration::from_secs(1);
/// Without any change, what says "2 minutes ago" is looked at again.
const MINUTE: Duration = Duration::from_secs(60);

/// Until somebody who takes no events is left alone. Some fit into the channel and into the buffers on the way.
pub const STUCK: Duration = Duration::from_secs(10);

/// What makes a page look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    Everything,
    JobsOnly,
}

/// The stream: parts as they change, until the page is over, left, or the server ends.
pub fn stream(
    req: &HttpRequest,
    site: &web::Data<Site>,
    watched: Watched,
    source: Source,
    look: impl FnMut() -> Look + 'static,
) -> HttpResponse {
    let Some(stay) = site.door.stream(req) else { return error::too_many(req) };
    let (events, receiver) = mpsc::channel(16);
    let teller = Teller { events, seen: seen(req), source };
    let site = site.clone();
    actix_web::rt::spawn(async move {
        tell(teller, &site, watched, look).await;
        drop(stay);
    });
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

/// A browser whose stream broke says what it got last; its link says what the page had when it was loaded.
fn seen(req: &HttpRequest) -> Seen {
    let last = req.headers().get("last-event-id").and_then(|id| id.to_str().ok());
    Seen::parse(last.filter(|id| !id.is_empty()).unwrap_or(&Asked::of(req).seen))
}

/// The browser has left; there is nobody to tell.
struct Left;

struct Teller {
    events: mpsc::Sender<Event>,
    seen: Seen,
    source: Source,
}

impl Teller {
    /// Who takes nothing for so long has left, too.
    async fn send(&self, event: Event) -> Result<(), Left> {
        tokio::time::timeout(STUCK, self.events.send(event)).await.map_err(|_| Left)?.map_err(|_| Left)
    }

    /// The safety net knows what the page has now.
    async fn send_pulse(&self) -> Result<(), Left> {
        let pulse = Data::new(self.source.pulse_every(SLOW, &self.seen));
        self.send(pulse.event("pulse").id(self.seen.to_string()).into()).await
    }

    /// Sends what changed; says whether an announcement is held back, and until when.
    async fn send_changed(&mut self, now: u64, look: &Look) -> Result<Option<Duration>, Left> {
        let before = self.seen.clone();
        let (news, held) = self.seen.catch_up(&look.parts, now);
        // Only the last one vouches for all: a stream that breaks in the middle is told again.
        let until = news.len().saturating_sub(1);
        let before = Seen { at: now, ..before };
        for (n, part) in news.iter().enumerate() {
            self.send(part.event(if n == until { &self.seen } else { &before })).await?;
        }
        if !look.over && news.iter().any(|part| part.name != "tick") {
            self.send_pulse().await?;
        }
        Ok(held)
    }

    async fn say_bye(&self) -> Result<(), Left> {
        let last = |name| Data::new("").event(name).id(self.seen.to_string()).into();
        self.send(last("pulse")).await?;
        self.send(last("bye")).await
    }
}

async fn tell(mut teller: Teller, site: &Site, watched: Watched, mut look: impl FnMut() -> Look) {
    let (gone, mut closing) = (teller.events.clone(), site.closing.clone());
    let page = site.pages.open(teller.seen.page);
    let telling = async {
        // The first event: from now on the page need not ask so often.
        teller.seen.at = clock();
        teller.send_pulse().await?;
        let (mut disks, mut system, mut all) =
            (site.jobs.watch_disks(), site.jobs.watch_system(), site.jobs.watch_jobs());
        loop {
            let (at, now) = (clock(), look());
            page.answered.put_right(&mut teller.seen, &now.parts);
            let held = teller.send_changed(at, &now).await?;
            if now.over && held.is_none() {
                return teller.say_bye().await;
            }
            tokio::time::sleep(BREATH).await;
            let changed = async {
                if watched == Watched::JobsOnly {
                    return all.changed().await;
                }
                tokio::select! { c = disks.changed() => c, c = system.changed() => c, c = all.changed() => c }
            };
            let changed = async {
                tokio::select! { c = changed => c, () = page.answered.came.notified() => Ok(()) }
            };
            // A sender is gone only when the program ends.
            if let Ok(Err(_)) = tokio::time::timeout(held.unwrap_or(MINUTE), changed).await {
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
