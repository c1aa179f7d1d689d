//! A page with an open stream may ask as well, as when a laptop wakes. Then its stream is told, for it knows only what it
//! sent itself: content that the answer changed, and that changed back before the stream looked again, would stay.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::part::{Part, Seen};

/// The open streams by their page.
#[derive(Default)]
pub struct Pages {
    open: Mutex<HashMap<u64, Arc<Answered>>>,
}

/// What a page got by asking since its stream looked last.
#[derive(Default)]
pub(super) struct Answered {
    news: Mutex<Option<Seen>>,
    pub(super) came: Notify,
}

/// A stream's place among the open ones.
pub(super) struct Open<'a> {
    pages: &'a Pages,
    page: u64,
    pub(super) answered: Arc<Answered>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pages {
    /// A browser that connects again has a new stream; the old one, which nobody hears, hears nothing either.
    pub(super) fn open(&self, page: u64) -> Open<'_> {
        let answered = Arc::<Answered>::default();
        locked(&self.open).insert(page, answered.clone());
        Open { pages: self, page, answered }
    }

    /// `seen`: what the page has once it got `news`, which may be lost on the way.
    pub(super) fn answer(&self, seen: &Seen, parts: &[Part], news: &[&Part]) {
        let Some(of) = locked(&self.open).get(&seen.page).cloned() else { return };
        let mut seen = seen.clone();
        for (part, key) in parts.iter().zip(&mut seen.keys) {
            // Nobody wants to hear a thing twice.
            if !part.is_spoken() && news.iter().any(|one| one.is(part)) {
                *key = 0;
            }
        }
        of.note(seen);
    }
}

impl Answered {
    fn note(&self, mut newer: Seen) {
        let mut news = locked(&self.news);
        for (place, _) in news.iter().flat_map(|older| older.keys.iter().enumerate()).filter(|(_, key)| **key == 0) {
            newer.keys.get_mut(place).into_iter().for_each(|key| *key = 0);
        }
        *news = Some(newer);
        self.came.notify_one();
    }

    /// What the stream believes of its page, put right: where the two differ, the part is sent again.
    pub(super) fn put_right(&self, seen: &mut Seen, parts: &[Part]) {
        let Some(page) = locked(&self.news).take() else { return };
        seen.said = seen.said.max(page.said);
        for ((part, has), sent) in parts.iter().zip(page.keys).zip(&mut seen.keys) {
            if has != *sent {
                *sent = if part.is_spoken() { has } else { 0 };
            }
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let mut open = locked(&self.pages.open);
        if open.get(&self.page).is_some_and(|of| Arc::ptr_eq(of, &self.answered)) {
            open.remove(&self.page);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(words: &str) -> Vec<Part> {
        vec![Part::plain("job", "a job"), Part::plain("disks", words), Part::said("say", words, words)]
    }

    /// What a stream sends that sent `sent`, whose page then asked and was answered with `answers`, and looks at `now`.
    fn sends(sent: &str, answers: &[&str], now: &str) -> Vec<&'static str> {
        let pages = Pages::default();
        let mut seen = Seen::of(&shows(sent));
        let open = pages.open(seen.page);
        let mut link = seen.clone();
        for (n, answer) in answers.iter().enumerate() {
            let parts = shows(answer);
            let (news, _) = link.catch_up(&parts, 1_000_000 * (n as u64 + 1));
            pages.answer(&link, &parts, &news);
        }
        let parts = shows(now);
        open.answered.put_right(&mut seen, &parts);
        let (news, _) = seen.catch_up(&parts, 90_000_000);
        news.iter().map(|part| part.name).collect()
    }

    #[test]
    fn what_an_answer_changed_is_sent_again() {
        let cases: [(&str, &[&str], &str, &[&str]); 7] = [
            ("one", &[], "one", &[]),
            ("one", &[], "two", &["disks", "say"]),
            ("one", &["one"], "one", &[]),
            // Changed, and changed back before the stream looked.
            ("one", &["two"], "one", &["disks", "say"]),
            // It may have been lost on the way; but what was said is not said again.
            ("one", &["two"], "two", &["disks"]),
            ("one", &["two", "one"], "one", &["disks"]),
            ("one", &["two", "two"], "one", &["disks", "say"]),
        ];
        for (sent, answers, now, want) in cases {
            assert_eq!(sends(sent, answers, now), want, "{sent} {answers:?} {now}");
        }
    }

    #[test]
    fn an_older_link_shows_that_an_event_came_too_late() {
        // The stream sent "two"; meanwhile it was "one" again, as the page had it, whose question overtook the event.
        let pages = Pages::default();
        let (mut seen, link) = (Seen::of(&shows("one")), Seen::of(&shows("one")));
        let (open, link) = (pages.open(seen.page), Seen { page: seen.page, ..link });
        seen.catch_up(&shows("two"), 90_000_000);
        pages.answer(&link, &shows("one"), &[]);
        open.answered.put_right(&mut seen, &shows("two"));
        let parts = shows("two");
        let (news, _) = seen.catch_up(&parts, 120_000_000);
        assert_eq!(news.iter().map(|part| part.name).collect::<Vec<_>>(), ["disks", "say"]);
    }

    #[test]
    fn a_page_that_connects_again_keeps_its_new_place() {
        let pages = Pages::default();
        let old = pages.open(7);
        let new = pages.open(7);
        drop(old);
        assert!(locked(&pages.open).get(&7).is_some_and(|of| Arc::ptr_eq(of, &new.answered)));
        drop(new);
        assert!(locked(&pages.open).is_empty());
    }
}
