//! When to try again, and when to say so: one rule for every loop that loses what it is connected to.
//!
//! Waits double from `first` to `most`; each is drawn between its half and its whole, so that many who lost the same server
//! do not come back at once. Who was denied waits long: asking again does not change a refusal. After a time of health it
//! begins anew; until then a line that comes and goes waits on from where it was.
//! The log gets the first failure, one line a minute, and the end. A pure value: the clock is handed in.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::chance::SplitMix64;
use super::pace::Pace;

/// Between two lines of the log about the same trouble.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nobody there, no answer, a passing trouble.
    Passing,
    /// 401 or 403: who asks is not let in.
    Denied,
}

/// A line for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Say {
    /// It begins to fail.
    First,
    /// It has failed so often, for so long.
    Still { tries: u32, since: Duration },
    /// It works again, after so many tries.
    Back { tries: u32 },
}

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setback {
    pub wait: Duration,
    /// Failures since it last worked.
    pub tries: u32,
    /// `None`: nothing to be said just now.
    pub say: Option<Say>,
}

/// One thing that is connected to. Times are those of one clock that only goes forward.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    denied: Duration,
    health: Duration,
    /// How often the wait was doubled.
    steps: u32,
    /// Failures since it last worked, and when the first of them was.
    tries: u32,
    since: Option<Duration>,
    /// Since when it works.
    well: Option<Duration>,
    /// When something was last said; kept over short recoveries.
    said: Option<Duration>,
    /// Whether the log's last word is that it fails.
    told: bool,
    due: Duration,
    chance: SplitMix64,
}

impl Backoff {
    pub fn new(pace: &Pace) -> Backoff {
        // The hasher's keys differ in each process and are there without asking anybody.
        Backoff::seeded(pace, RandomState::new().hash_one(0))
    }

    /// The same waits for the same seed.
    pub fn seeded(pace: &Pace, seed: u64) -> Backoff {
        Backoff {
            first: pace.retry,
            most: pace.retry_most,
            denied: pace.denied,
            health: pace.health,
            steps: 0,
            tries: 0,
            since: None,
            well: None,
            said: None,
            told: false,
            due: Duration::ZERO,
            chance: SplitMix64(seed),
        }
    }

    /// It failed at `now`.
    pub fn failed(&mut self, now: Duration, how: Failure) -> Setback {
        if self.well.take().is_some_and(|well| now.saturating_sub(well) >= self.health) {
            self.steps = 0;
        }
        let since = *self.since.get_or_insert(now);
        self.tries = self.tries.saturating_add(1);
        let whole = match how {
            Failure::Denied => self.denied,
            Failure::Passing => self.first.saturating_mul(1 << self.steps.min(16)).min(self.most),
        };
        self.steps = self.steps.saturating_add(1);
        let wait = if how == Failure::Denied { whole } else { self.between(whole / 2, whole) };
        self.due = now.saturating_add(wait);
        Setback { wait, tries: self.tries, say: self.say(now, since) }
    }

    /// It worked at `now`. Called as often as one likes.
    pub fn worked(&mut self, now: Duration) -> Option<Say> {
        self.well.get_or_insert(now);
        self.due = now;
        self.since = None;
        let tries = std::mem::take(&mut self.tries);
        let told = std::mem::take(&mut self.told);
        told.then_some(Say::Back { tries })
    }

    /// The last word was that it fails.
    #[cfg(test)]
    fn is_down(&self) -> bool {
        self.tries > 0
    }

    /// Whether the wait after the last failure is over.
    pub fn is_due(&self, now: Duration) -> bool {
        now >= self.due
    }

    fn say(&mut self, now: Duration, since: Duration) -> Option<Say> {
        if self.said.is_some_and(|said| now.saturating_sub(said) < SAY_EVERY) {
            return None;
        }
        let first = !std::mem::replace(&mut self.told, true);
        self.said = Some(now);
        let since = now.saturating_sub(since);
        Some(if first { Say::First } else { Say::Still { tries: self.tries, since } })
    }

    fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let room = u64::try_from(most.saturating_sub(least).as_nanos()).unwrap_or(u64::MAX);
        least + Duration::from_nanos(self.chance.draw() % room.saturating_add(1).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(seed: u64) -> Backoff {
        Backoff::seeded(&Pace::real(), seed)
    }

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// A server that is away for `outage`, asked whenever a wait is over: times of the attempts, and what was said.
    fn outage(mut line: Backoff, outage: Duration) -> (Vec<Duration>, Vec<Say>) {
        let (mut now, mut attempts, mut said) = (seconds(1000), Vec::new(), Vec::new());
        let end = now + outage;
        while now < end {
            attempts.push(now);
            let setback = line.failed(now, Failure::Passing);
            said.extend(setback.say);
            now += setback.wait;
            assert!(line.is_due(now) && !line.is_due(now - Duration::from_nanos(1)));
        }
        said.extend(line.worked(now));
        assert!(line.worked(now).is_none(), "it is said once that it is back");
        (attempts, said)
    }

    #[test]
    fn five_minutes_away_are_few_attempts_and_fewer_lines() {
        for seed in 0..2000 {
            let (attempts, said) = outage(backoff(seed), seconds(300));
            assert!((12..=25).contains(&attempts.len()), "{seed}: {} attempts", attempts.len());
            assert!((3..=7).contains(&said.len()), "{seed}: {said:?}");
            assert_eq!(said.first(), Some(&Say::First));
            assert_eq!(said.last(), Some(&Say::Back { tries: attempts.len() as u32 }));
        }
    }

    #[test]
    fn waits_lie_between_half_and_whole_and_differ() {
        let wholes = [1, 2, 4, 8, 16, 30, 30];
        let waits = |seed| {
            let mut line = backoff(seed);
            wholes.map(|_| line.failed(seconds(0), Failure::Passing).wait)
        };
        for seed in 0..200 {
            for (wait, whole) in waits(seed).into_iter().zip(wholes) {
                assert!(wait >= seconds(whole) / 2 && wait <= seconds(whole), "{wait:?} of {whole} s");
            }
        }
        assert_ne!(waits(1), waits(2));
        assert_eq!(waits(1), waits(1));
    }

    #[test]
    fn a_minute_of_health_and_it_begins_anew() {
        let mut line = backoff(7);
        for n in 0..6 {
            line.failed(seconds(n), Failure::Passing);
        }
        line.worked(seconds(10));
        assert!(line.failed(seconds(69), Failure::Passing).wait >= seconds(15), "it was well for 59 seconds");
        line.worked(seconds(100));
        line.worked(seconds(159));
        assert!(line.failed(seconds(160), Failure::Passing).wait <= seconds(1), "and for 60");
    }

    #[test]
    fn who_is_denied_waits_long_and_says_so() {
        let mut line = backoff(7);
        let setback = line.failed(seconds(0), Failure::Denied);
        assert_eq!(setback.wait, seconds(300));
        assert_eq!(setback.say, Some(Say::First));
        assert!(line.is_down() && !line.is_due(seconds(299)));
        line.worked(seconds(300));
        assert!(!line.is_down() && line.is_due(seconds(300)));
    }

    #[test]
    fn one_that_comes_and_goes_does_not_fill_the_log() {
        let mut line = backoff(7);
        let mut said = Vec::new();
        for now in (0..600).map(seconds) {
            let say = if now.as_secs() % 2 == 0 { line.failed(now, Failure::Passing).say } else { line.worked(now) };
            said.extend(say);
        }
        assert!(said.len() <= 20, "ten minutes, {} lines", said.len());
    }

    #[test]
    fn it_does_not_grow() {
        assert!(!std::mem::needs_drop::<Backoff>(), "it holds nothing on the heap");
    }

    #[test]
    fn numbers_stay_numbers() {
        let mut line = backoff(7);
        line.steps = u32::MAX;
        line.tries = u32::MAX;
        let setback = line.failed(Duration::MAX, Failure::Passing);
        assert!(setback.wait <= seconds(30));
    }
}
