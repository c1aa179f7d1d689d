//! How far something is, how fast it goes, when it will end; and the two small cells that byte loops share with whoever
//! watches them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::texts::Language;

/// Bytes done of bytes in all; `total` is `None` where nobody knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Amount {
    pub done: u64,
    pub total: Option<u64>,
}

impl Amount {
    /// Whole percent, `None` where the total is unknown. Never above 100.
    pub fn percent(self) -> Option<u8> {
        let total = self.total?;
        if total == 0 {
            return Some(100);
        }
        Some((self.done.min(total) as u128 * 100 / total as u128) as u8)
    }
}

/// A count that a byte loop adds to and a watcher samples. Counts never travel through channels.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<MeterCells>);

#[derive(Debug, Default)]
struct MeterCells {
    done: AtomicU64,
    /// `u64::MAX` stands for "not known".
    total: AtomicU64,
    known: AtomicBool,
    uncounted: AtomicU64,
}

impl Meter {
    pub fn new() -> Meter {
        Meter::default()
    }

    pub fn add(&self, bytes: u64) {
        self.0.done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes that are no part of the amount: what was counted when it was written is read back. They tell that it goes on.
    pub fn add_uncounted(&self, bytes: u64) {
        self.0.uncounted.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn uncounted(&self) -> u64 {
        self.0.uncounted.load(Ordering::Relaxed)
    }

    pub fn set_done(&self, bytes: u64) {
        self.0.done.store(bytes, Ordering::Relaxed);
    }

    pub fn set_total(&self, bytes: u64) {
        self.0.total.store(bytes, Ordering::Relaxed);
        self.0.known.store(true, Ordering::Release);
    }

    pub fn amount(&self) -> Amount {
        let known = self.0.known.load(Ordering::Acquire);
        Amount { done: self.0.done.load(Ordering::Relaxed), total: known.then(|| self.0.total.load(Ordering::Relaxed)) }
    }
}

/// Set once, looked at by blocking loops once a buffer. The async half is `jobs::cancel`.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    pub fn new() -> StopFlag {
        StopFlag::default()
    }

    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Bytes in a second, measured over the last seconds.
///
/// Samples are `(milliseconds since the stage began, bytes done)`; the window keeps those of the last five seconds.
#[derive(Debug, Clone, Default)]
pub struct Rate {
    samples: std::collections::VecDeque<(u64, u64)>,
}

const RATE_WINDOW_MS: u64 = 5_000;

impl Rate {
    pub fn sample(&mut self, at_ms: u64, done: u64) {
        self.samples.push_back((at_ms, done));
        while self.samples.len() > 2 && at_ms.saturating_sub(self.samples[1].0) >= RATE_WINDOW_MS {
            self.samples.pop_front();
        }
    }

    /// `None` until two samples lie apart.
    pub fn bytes_per_second(&self) -> Option<u64> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let ms = last.0.checked_sub(first.0).filter(|ms| *ms > 0)?;
        Some(last.1.saturating_sub(first.1).saturating_mul(1000) / ms)
    }
}

/// The remaining time in the words of face §8.
pub fn remaining_in(language: Language, left: Option<Duration>) -> String {
    let Some(left) = left else { return language.say("left-unknown") };
    let seconds = left.as_secs();
    let minutes = (seconds + 30) / 60;
    match (seconds, minutes) {
        (0..=20, _) => language.say("left-seconds"),
        (21..=90, _) => language.say("left-minute"),
        (_, 0..=10) => language.with("left-minutes", "n", minutes.max(2)),
        (_, 11..=90) => language.with("left-minutes", "n", (minutes + 2) / 5 * 5),
        _ => language.with("left-hours", "n", ((minutes + 30) / 60).max(2)),
    }
}

/// [`remaining_in`] English.
pub fn remaining_words(left: Option<Duration>) -> String {
    remaining_in(Language::English, left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_is_honest_at_its_edges() {
        let cases = [
            (0, Some(10), Some(0)),
            (10, Some(10), Some(100)),
            (11, Some(10), Some(100)),
            (5, None, None),
            (0, Some(0), Some(100)),
            (u64::MAX - 1, Some(u64::MAX), Some(99)),
        ];
        for (done, total, want) in cases {
            assert_eq!(Amount { done, total }.percent(), want);
        }
    }

    #[test]
    fn the_rate_forgets_what_is_older_than_its_window() {
        let mut rate = Rate::default();
        assert_eq!(rate.bytes_per_second(), None);
        for second in 0..20u64 {
            let done = if second < 10 { second * 1000 } else { 10_000 + (second - 10) * 100 };
            rate.sample(second * 1000, done);
        }
        assert_eq!(rate.bytes_per_second(), Some(100));
    }

    #[test]
    fn remaining_time_is_rounded_as_people_speak() {
        let cases = [
            (None, "Time left is not known yet"),
            (Some(3), "A few seconds left"),
            (Some(60), "About a minute left"),
            (Some(95), "About 2 minutes left"),
            (Some(360), "About 6 minutes left"),
            (Some(1500), "About 25 minutes left"),
            (Some(7300), "About 2 hours left"),
        ];
        for (seconds, words) in cases {
            assert_eq!(remaining_words(seconds.map(Duration::from_secs)), words);
        }
    }
}
