//! The parts of a page, and what a browser has of them.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web_lab::sse::{Data, Event};
use askama::Template;

/// Screen readers are spoken to at most this often.
const SAY_EVERY: u64 = 20_000;
/// The place of what is said politely, and so held back where it comes too early.
const SAY: &str = "say";

/// One fixed element of a page and what is in it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Id of the element and name of the event.
    pub(super) name: &'static str,
    /// Tells this content from another; 0: nothing to say, whatever was said before.
    key: u32,
    html: String,
    /// The page's new title, if it has one.
    title: Option<String>,
}

impl Part {
    pub fn new(name: &'static str, block: &impl Template) -> Part {
        let html = block.render().unwrap_or_default();
        Part { name, key: key_of(&html), html, title: None }
    }

    /// A block that is news only if `about` changed, however its words vary.
    pub fn about(self, about: &str) -> Part {
        Part { key: key_of(about), ..self }
    }

    /// An announcement: it is news only if `about` changed. Without words there is nothing to say.
    pub fn said(name: &'static str, about: &str, text: &str) -> Part {
        let key = if text.is_empty() { 0 } else { key_of(about) };
        Part { name, key, html: escaped(text), title: None }
    }

    pub fn with_title(mut self, title: &str) -> Part {
        self.key = key_of(&format!("{:x}{title}", self.key));
        self.title = Some(format!("<title>{}</title>", escaped(title)));
        self
    }

    /// Sent the moment that it changes, so that a page without it gets no events.
    pub(super) fn is_prompt(&self) -> bool {
        matches!(self.name, "state" | "acts")
    }

    /// For screen readers.
    pub(super) fn is_spoken(&self) -> bool {
        matches!(self.name, "say" | "shout")
    }

    pub(super) fn is(&self, other: &Part) -> bool {
        self.name == other.name
    }

    pub(super) fn event(&self, seen: &Seen) -> Event {
        let title = self.title.as_deref().unwrap_or_default();
        Data::new(format!("{title}{}", self.html)).event(self.name).id(seen.to_string()).into()
    }

    pub(super) fn out_of_band(&self, seen: &Seen) -> String {
        let title = self.title.as_deref().unwrap_or_default();
        format!("{title}{}", seen.out_of_band(self.name, &self.html))
    }
}

/// Never 0: a part that became empty is news, too.
fn key_of(text: &str) -> u32 {
    crc32fast::hash(text.as_bytes()).max(1)
}

pub(super) fn escaped(text: &str) -> String {
    askama::filters::escape(text, askama::filters::Html).map(|safe| safe.to_string()).unwrap_or_default()
}

/// Milliseconds since 1970, as a browser knows them.
pub(super) fn clock() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as u64
}

/// What a browser has: when it was brought up to date, which of all loaded pages it is, when it was spoken to last, the
/// keys of its parts in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    pub(super) at: u64,
    pub(super) page: u64,
    pub(super) said: u64,
    pub(super) keys: Vec<u32>,
}

/// Pages outlive a server; those that the next one hands out are others.
fn next_page() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let at_least = clock() << 8;
    let next = |last: u64| Some(at_least.max(last + 1));
    LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).map_or(at_least, |last| at_least.max(last + 1))
}

/// A browser sends back what it was given; who makes it up gets no more places than this.
const MOST: usize = 16;

impl Seen {
    /// Of a page that is loaded now: regions that speak are empty, and what was said before is no news.
    pub fn of(parts: &[Part]) -> Seen {
        Seen { at: clock(), page: next_page(), said: 0, keys: parts.iter().map(|part| part.key).collect() }
    }

    /// The same, but what is said in `name` is still to be heard.
    pub fn all_but(parts: &[Part], name: &str) -> Seen {
        let key = |part: &Part| if part.name == name { 0 } else { part.key };
        Seen { keys: parts.iter().map(key).collect(), ..Seen::of(&[]) }
    }

    pub(super) fn parse(text: &str) -> Seen {
        let mut fields = text.split('.').map(|field| u64::from_str_radix(field, 16).unwrap_or(0));
        let mut next = || fields.next().unwrap_or(0);
        let (at, page, said) = (next(), next(), next());
        Seen { at, page, said, keys: fields.take(MOST).map(|key| u32::try_from(key).unwrap_or(0)).collect() }
    }

    pub(super) fn has(&self, place: usize, part: &Part) -> bool {
        part.key == 0 || self.keys.get(place) == Some(&part.key)
    }

    /// What replaces the content of an element beside the one that asked, stamped like an event (`face.js` compares).
    pub(super) fn out_of_band(&self, id: &str, html: &str) -> String {
        format!("<div hx-swap-oob=\"innerHTML:#{id}\" data-at=\"{:x}\">{html}</div>", self.at)
    }

    fn note(&mut self, place: usize, part: &Part) {
        if self.keys.len() <= place {
            self.keys.resize(place + 1, 0);
        }
        if let Some(key) = self.keys.get_mut(place) {
            *key = part.key;
        }
    }

    /// Milliseconds until this page may be spoken to again. A clock that was set back holds nobody's tongue.
    fn silent_for(&self, now: u64) -> u64 {
        let since = now.checked_sub(self.said).unwrap_or(SAY_EVERY);
        SAY_EVERY.saturating_sub(since)
    }

    /// The parts that are news now, noted as seen; and when to look again for an announcement that came too early.
    pub fn catch_up<'a>(&mut self, parts: &'a [Part], now: u64) -> (Vec<&'a Part>, Option<Duration>) {
        let (mut news, mut held) = (Vec::new(), None);
        for (place, part) in parts.iter().enumerate() {
            if self.has(place, part) {
                continue;
            }
            if part.name == SAY {
                let left = self.silent_for(now);
                if left > 0 {
                    held = Some(Duration::from_millis(left));
                    continue;
                }
                self.said = now;
            }
            self.note(place, part);
            news.push(part);
        }
        self.at = now;
        (news, held)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{:x}.{:x}", self.at, self.page, self.said)?;
        self.keys.iter().try_for_each(|key| write!(f, ".{key:x}"))
    }
}

#[cfg(test)]
impl Part {
    /// A part of a test's own words.
    pub fn plain(name: &'static str, html: &str) -> Part {
        Part { name, key: key_of(html), html: html.into(), title: None }
    }

    pub fn text(&self) -> &str {
        &self.html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_survives_its_way_through_a_link() {
        let seen = Seen { at: u64::MAX, page: 3, said: 7, keys: vec![0, 1, u32::MAX] };
        assert_eq!(Seen::parse(&seen.to_string()), seen);
        for bad in ["", "41", "zz", "....", "-1.ffffffffff.fffffffffffffffff", &"1.".repeat(1000)] {
            assert!(Seen::parse(bad).keys.len() <= MOST, "{bad}");
        }
    }

    #[test]
    fn announcements_are_escaped_and_news_only_once() {
        let one = Part::said("say", "plug", "<b>SanDisk</b> & plugged in");
        let two = Part::said("say", "plug", "other words");
        assert!(!one.html.contains('<') && one.html.contains("SanDisk"));
        assert_eq!(one.key, two.key);
    }

    #[test]
    fn a_page_is_spoken_to_at_most_every_20_s_and_hears_the_newest() {
        let said = |about: &str| vec![Part::plain("state", "writing"), Part::said("say", about, about)];
        let mut seen = Seen::of(&said("begun"));
        let mut heard = |about: &str, now: u64| {
            let parts = said(about);
            let (news, held) = seen.catch_up(&parts, now);
            (news.iter().map(|part| part.html.clone()).collect::<Vec<_>>(), held.map(|held| held.as_secs()))
        };
        assert_eq!(heard("begun", 1_000_000), (vec![], None), "a page that is loaded is silent");
        assert_eq!(heard("one", 1_001_000), (vec!["one".into()], None));
        assert_eq!(heard("one", 1_002_000), (vec![], None));
        assert_eq!(heard("two", 1_003_000), (vec![], Some(18)));
        assert_eq!(heard("three", 1_020_000), (vec![], Some(1)));
        assert_eq!(heard("three", 1_021_000), (vec!["three".into()], None));
        assert_eq!(heard("", 1_022_000), (vec![], None), "nothing to say clears nothing");
        assert_eq!(heard("three", 1_023_000), (vec![], None));
        assert_eq!(heard("four", 500_000), (vec!["four".into()], None), "the clock was set back");
    }

    #[test]
    fn a_part_that_became_empty_is_news() {
        let mut seen = Seen::of(&[Part::plain("acts", "Stop…")]);
        let empty = [Part::plain("acts", "")];
        assert_eq!(seen.catch_up(&empty, 1_000_000).0.len(), 1);
        assert!(seen.catch_up(&empty, 1_000_000).0.is_empty());
    }

    #[test]
    fn shouts_and_all_else_wait_for_nobody() {
        let mut seen = Seen::default();
        for n in 0..3u64 {
            let parts = [Part::said("shout", &n.to_string(), "Failed"), Part::plain("tick", &n.to_string())];
            assert_eq!(seen.catch_up(&parts, 1_000_000 + n).0.len(), 2);
        }
    }
}
