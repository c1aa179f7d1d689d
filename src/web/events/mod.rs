//! Keeps open pages fresh: parts of a page as server-sent events, and the same parts for pages that ask (face §3).
//!
//! A page is right without any of this. A part is a block of the page's own template; what a browser has of it is known
//! by a checksum, so that nothing is sent that is there already. What a browser was told travels with it, in the links
//! that it asks with: a server that was restarted knows it, too.

mod pages;
mod part;
mod stream;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

pub use pages::Pages;
pub use part::{Part, Seen};
pub use stream::{STUCK, Watched, sse, stream};

use part::{clock, escaped};

/// Between two questions of a page that gets no events, and of one that does, in seconds.
const FAST: u32 = 3;
const SLOW: u32 = 20;

/// A look at what a page shows.
pub struct Look {
    pub parts: Vec<Part>,
    /// Nothing will change any more: once all is told, the stream and the asking end.
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

    /// `wake` is what `face.js` calls when a page may have slept.
    fn pulse_every(&self, every: u32, seen: &Seen) -> String {
        let url = escaped(&format!("{}?{}&every={every}", self.live, self.query(seen)));
        format!("<div hx-get=\"{url}\" hx-trigger=\"every {every}s, wake\" hx-swap=\"none\"></div>")
    }
}

/// Says when it was looked, so that an event which a proxy held back cannot put older things over newer ones.
const LOOKED_AT: &str = "x-looked-at";

/// The polling twin: the parts that the page has not seen, and the next question; 286 ends the asking. Without a look
/// there is nothing left to show.
pub fn live(pages: &Pages, asked: &Asked, source: &Source, look: impl FnOnce() -> Option<Look>) -> HttpResponse {
    // What is seen is at least as new as its stamp.
    let now = clock();
    let Some(look) = look() else { return gone() };
    let mut seen = Seen::parse(&asked.seen);
    let (news, held) = seen.catch_up(&look.parts, now);
    pages.answer(&seen, &look.parts, &news);
    let over = look.over && held.is_none();
    let looked_at = (LOOKED_AT, format!("{:x}", seen.at));
    if news.is_empty() && !over {
        return HttpResponse::NoContent().insert_header(looked_at).finish();
    }
    // With events at work this page would have known.
    let deaf = look.over || news.iter().any(|part| part.is_prompt());
    let every = if asked.every == Some(SLOW) && !deaf { SLOW } else { FAST };
    let mut body: String = news.iter().map(|part| part.out_of_band(&seen)).collect();
    let pulse = if over { String::new() } else { source.pulse_every(every, &seen) };
    body.push_str(&seen.out_of_band("pulse", &pulse));
    let status = if over { StatusCode::from_u16(286).unwrap_or(StatusCode::OK) } else { StatusCode::OK };
    HttpResponse::build(status).insert_header(looked_at).content_type("text/html; charset=utf-8").body(body)
}

/// What the page showed is gone: it is loaded anew, and says so itself.
fn gone() -> HttpResponse {
    HttpResponse::Ok().insert_header(("hx-refresh", "true")).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        Source { events: "../jobs/7/events".into(), live: "../jobs/7/live".into(), quiet: false }
    }

    async fn answer(asked: &str, parts: Vec<Part>, over: bool) -> (u16, String) {
        let asked = web::Query::<Asked>::from_query(asked).unwrap().into_inner();
        let response = live(&Pages::default(), &asked, &source(), || Some(Look { parts, over }));
        let status = response.status().as_u16();
        let looked_at = response.headers().get(LOOKED_AT).unwrap().to_str().unwrap().to_owned();
        let body = actix_web::body::to_bytes(response.into_body()).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        let stamp = format!(" data-at=\"{looked_at}\"");
        assert_eq!(body.matches(&stamp).count(), body.matches("hx-swap-oob").count(), "each part is stamped: {body}");
        (status, body.replace(&stamp, ""))
    }

    /// The `seen` of the next question.
    fn next(text: &str) -> &str {
        text.split_once("seen=").unwrap().1.split('&').next().unwrap()
    }

    #[actix_web::test]
    async fn the_twin_sends_only_what_is_new() {
        let parts = || vec![Part::plain("tick", "1"), Part::plain("state", "writing").with_title("42 %")];
        let seen = Seen::of(&parts()).to_string();
        assert_eq!(answer(&format!("seen={seen}"), parts(), false).await, (204, String::new()));

        let (status, text) = answer("seen=", parts(), false).await;
        assert_eq!(status, 200);
        assert!(text.contains("<div hx-swap-oob=\"innerHTML:#tick\">1</div>"), "{text}");
        assert!(text.contains("<title>42 %</title>"));
        assert!(text.contains("every 3s"));
        assert_eq!(answer(&format!("seen={}", next(&text)), parts(), false).await.0, 204);

        let old = Seen::of(&[Part::plain("tick", "0"), Part::plain("state", "writing").with_title("42 %")]);
        let (_, text) = answer(&format!("seen={old}&every=20"), parts(), false).await;
        assert!(text.contains("#tick") && !text.contains("#state") && text.contains("every 20s"), "{text}");

        let (status, text) = answer(&format!("seen={seen}"), parts(), true).await;
        assert_eq!((status, text.as_str()), (286, "<div hx-swap-oob=\"innerHTML:#pulse\"></div>"));
    }

    #[actix_web::test]
    async fn a_page_whose_events_do_not_arrive_asks_often_again() {
        let old = Seen::of(&[Part::plain("state", "writing")]);
        let (_, text) = answer(&format!("seen={old}&every=20"), vec![Part::plain("state", "reading")], false).await;
        assert!(text.contains("#state") && text.contains("every 3s, wake"), "{text}");
    }

    #[actix_web::test]
    async fn asking_goes_on_until_the_end_is_said() {
        let said = |about: &str| vec![Part::plain("state", about), Part::said("say", about, about)];
        let (_, text) = answer("seen=", said("half"), false).await;
        let (status, text) = answer(&format!("seen={}", next(&text)), said("stopped"), true).await;
        assert_eq!(status, 200, "the end shows at once, and is said once the page may be spoken to");
        assert!(text.contains("#state") && !text.contains("#say") && text.contains("every 3s"), "{text}");
        let mut later = Seen::parse(next(&text));
        let stopped = said("stopped");
        let (news, held) = later.catch_up(&stopped, clock() + 20_000);
        assert_eq!((news.len(), held), (1, None));
    }
}
