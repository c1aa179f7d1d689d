//! What is said aloud about a job, decided once for every page that watches it (face §3): politely when it begins, at a
//! new stage, at each quarter, when the time left is known or moved, after silence, when it stalls and goes on, at its
//! end; at once when it failed or the card must not be pulled yet.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::words;
use crate::domain::job::{JobId, JobState, JobView};
use crate::domain::progress::remaining_in;
use crate::domain::stage::Stage;
use crate::texts::Language;
use crate::web::events::Part;

/// Between two announcements, in seconds.
const APART: u64 = 20;
/// After so long without any, where things stand is said again.
const SILENCE: u64 = 300;
/// The time left has moved if it is off by so many seconds and by half of what was said.
const MOVED: u64 = 120;
/// The beginning is news for pages that are loaded within this time.
const FRESH: u64 = 10;
/// Jobs that are remembered; one runs at a time.
const MOST: usize = 4;

/// Where a running job stands, as far as it is spoken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Facts {
    stage: Option<Stage>,
    quarter: u8,
    left: Option<u64>,
    /// Nothing has moved for long, and this is waited for.
    stalled: Option<Stage>,
}

impl Facts {
    fn of(job: &JobView) -> Facts {
        Facts {
            stage: job.main_stage().map(|view| view.stage),
            quarter: (job.percent / 25).min(3),
            left: job.remaining,
            stalled: job.waits_for().map(|view| view.stage).filter(|_| words::is_silent(job)),
        }
    }
}

/// The last announcement of a running job: when, where things stood then and what was new.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    /// In seconds since 1970.
    at: u64,
    facts: Facts,
    begins: bool,
    /// A quarter was reached.
    reached: bool,
    goes_on: bool,
    /// Nothing is new: how far it is, in percent.
    still: Option<u8>,
}

impl Said {
    fn first(job: &JobView, facts: Facts, now: u64) -> Said {
        let begins = now.saturating_sub(job.started) < FRESH;
        Said { at: now, facts, begins, reached: false, goes_on: false, still: None }
    }

    /// What has to be said now; nothing, if it would come too early or is no news. The newest wins, as each
    /// announcement says where things stand when it is made.
    fn next(&self, facts: Facts, percent: u8, now: u64) -> Option<Said> {
        // A clock that was set back holds nobody's tongue.
        let since = now.checked_sub(self.at).unwrap_or(SILENCE);
        let before = self.facts;
        let news = before.stage != facts.stage
            || before.quarter < facts.quarter
            || before.stalled != facts.stalled
            || moved(before.left, facts.left);
        (since >= SILENCE || news && since >= APART).then(|| Said {
            at: now,
            facts: Facts { left: facts.left.or(before.left), ..facts },
            begins: false,
            reached: before.quarter < facts.quarter,
            goes_on: before.stalled.is_some() && facts.stalled.is_none(),
            still: (!news).then_some(percent),
        })
    }

    fn words(&self, t: Language) -> String {
        let mut text = Vec::new();
        text.extend(self.begins.then(|| t.say("say-begins")));
        text.extend(self.still.map(|percent| t.with("say-still", "percent", percent)));
        text.extend(self.goes_on.then(|| t.say("say-goes-on")));
        text.extend(self.reached.then(|| t.say(quarter(self.facts.quarter))));
        let silent = self.facts.stalled.map(|stage| match stage {
            Stage::Backup => "silent-backup-title",
            Stage::Download => "silent-download-title",
            _ => "problem-card-silent-title",
        });
        text.extend(silent.map(|key| t.say(key) + "."));
        text.extend(self.facts.stage.map(|stage| words::capital(&stage.doing_in(t)) + "."));
        let left = self.facts.left.map(std::time::Duration::from_secs);
        text.extend(left.map(|left| remaining_in(t, Some(left)) + "."));
        text.join(" ")
    }
}

fn quarter(number: u8) -> &'static str {
    match number {
        1 => "say-quarter",
        2 => "say-half",
        _ => "say-three-quarters",
    }
}

fn moved(before: Option<u64>, now: Option<u64>) -> bool {
    match (before, now) {
        (None, Some(_)) => true,
        (Some(before), Some(now)) => {
            let by = before.abs_diff(now);
            by >= MOVED && by >= before / 2
        }
        (_, None) => false,
    }
}

/// What was said last of each running job.
#[derive(Debug, Default)]
pub struct Announcer(Mutex<BTreeMap<JobId, Said>>);

impl Announcer {
    /// What is said politely now, and whether a page that is loaded now is still to hear it.
    pub fn say(&self, t: Language, job: &JobView, now: u64) -> (Part, bool) {
        if job.state != JobState::Running {
            let text = end(t, job).unwrap_or_default();
            return (Part::said("say", &format!("{:?}", job.state), &text), false);
        }
        let said = self.last(job, now);
        let fresh = said.begins && now.saturating_sub(said.at) < FRESH;
        (Part::said("say", &format!("{said:?}"), &said.words(t)), fresh)
    }

    fn last(&self, job: &JobView, now: u64) -> Said {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let facts = Facts::of(job);
        let said = match all.get(&job.id) {
            Some(last) => last.next(facts, job.percent, now).unwrap_or_else(|| last.clone()),
            None => Said::first(job, facts, now),
        };
        all.insert(job.id, said.clone());
        while all.len() > MOST {
            all.pop_first();
        }
        said
    }
}

/// The end, if it is not shouted.
fn end(t: Language, job: &JobView) -> Option<String> {
    let heading = words::heading(t, job);
    match job.state {
        JobState::Done => Some(format!("{heading}. {} {}", t.say("job-done-compared"), t.say("job-done-take-out"))),
        JobState::Cancelled => Some(format!("{heading} {}", job.card_now.said_in(t))),
        JobState::Interrupted => Some(format!("{heading}. {}", job.card_now.said_in(t))),
        JobState::Running | JobState::Stopping | JobState::Failed => None,
    }
}

/// What cannot wait: a failure (so a pulled card), and that the card must stay where it is.
pub fn shout(t: Language, job: &JobView) -> Part {
    let text = match job.state {
        JobState::Stopping => words::heading(t, job),
        JobState::Failed => {
            let why = words::problem(t, job).map(|words| format!("{}. {}", words.title, words.todo));
            format!("{}. {}", words::heading(t, job), why.unwrap_or_default())
        }
        _ => String::new(),
    };
    Part::said("shout", &format!("{:?}", job.state), &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::problem::Problem;
    use crate::texts::Phrase;
    use crate::web::events::Seen;
    use crate::web::trial::{ended, job, job_at};

    const EN: Language = Language::English;

    /// Running `stage`, with everything before it done.
    fn at(stage: Stage, percent: u8, left: Option<u64>) -> JobView {
        JobView { percent, remaining: left, started: 0, ..job_at(stage) }
    }

    #[test]
    fn what_is_news_and_what_is_not() {
        let facts = |percent, left| Facts::of(&at(Stage::Write, percent, left));
        let said = |facts| Said { at: 1000, facts, begins: false, reached: false, goes_on: false, still: None };
        let cases = [
            ("nothing changed", facts(30, Some(600)), facts(49, Some(500)), 100, false),
            ("a quarter", facts(24, None), facts(25, None), 20, true),
            ("a half", facts(49, None), facts(50, None), 20, true),
            ("three quarters", facts(74, None), facts(75, None), 20, true),
            ("99 % is no quarter", facts(75, None), facts(99, None), 299, false),
            ("too early", facts(24, None), facts(25, None), 19, false),
            ("a stage", facts(30, None), Facts::of(&at(Stage::Verify, 30, None)), 20, true),
            ("time left is known", facts(30, None), facts(30, Some(600)), 20, true),
            ("time left is lost", facts(30, Some(600)), facts(30, None), 299, false),
            ("moved by half and 2 minutes", facts(30, Some(600)), facts(30, Some(300)), 20, true),
            ("moved up by half", facts(30, Some(600)), facts(30, Some(900)), 20, true),
            ("moved by half, but a minute", facts(30, Some(120)), facts(30, Some(60)), 20, false),
            ("moved by 2 minutes of an hour", facts(30, Some(3600)), facts(30, Some(3300)), 20, false),
            ("after 5 minutes", facts(30, None), facts(30, None), 300, true),
            ("before 5 minutes", facts(30, None), facts(30, None), 299, false),
        ];
        for (what, before, now, since, news) in cases {
            assert_eq!(said(before).next(now, 30, 1000 + since).is_some(), news, "{what}");
        }
        let still = said(facts(30, None)).next(facts(30, None), 42, 1300).unwrap();
        assert_eq!(still.words(EN), "Still at work, 42 %. Writing the system to the card.");
        let silent = |quiet| Facts::of(&JobView { quiet, ..at(Stage::Write, 30, None) });
        let stalled = said(silent(0)).next(silent(120), 30, 1020).unwrap();
        assert_eq!(stalled.words(EN), "The card does not answer. Writing the system to the card.");
        assert_eq!(stalled.next(silent(200), 30, 1100), None);
        let again = stalled.next(silent(0), 30, 1100).unwrap();
        assert_eq!(again.words(EN), "It goes on. Writing the system to the card.");
        assert!(said(facts(24, None)).next(facts(25, None), 25, 5).is_some(), "the clock was set back");
    }

    #[test]
    fn an_announcement_says_where_things_stand() {
        let announcer = Announcer::default();
        let say = |job: &JobView, now| announcer.say(EN, job, now).0;
        let text = |job: &JobView, now| say(job, now).text().to_string();
        assert_eq!(
            text(&at(Stage::Preflight, 0, None), 5),
            "Making the new card has begun. Checking the card and this system."
        );
        let half = at(Stage::Write, 50, Some(360));
        assert_eq!(text(&half, 100), "Half done. Writing the system to the card. About 6 minutes left.");
        let german = announcer.say(Language::German, &half, 101).0;
        assert_eq!(
            german.text(),
            "Die Hälfte ist geschafft. Das System wird auf die Karte geschrieben. Noch etwa 6 Minuten."
        );
        let (_, fresh) = Announcer::default().say(EN, &JobView { started: 95, ..half.clone() }, 100);
        assert!(fresh, "a page that is loaded at the beginning hears of it");
        let (_, fresh) = Announcer::default().say(EN, &half, 100);
        assert!(!fresh, "a page that is loaded later is silent");
    }

    #[test]
    fn ends_are_said_and_failures_shouted() {
        let say = |job: &JobView| Announcer::default().say(EN, job, 100).0.text().to_string();
        let shouts = |job: &JobView| shout(EN, job).text().to_string();
        let state = |state| ended(7, state);
        let cases = [
            (
                state(JobState::Done),
                "The new card is ready. It was read back and compared. Take it out of the reader now.",
            ),
            (state(JobState::Cancelled), "Stopped. The card is empty now and can be used again."),
            (state(JobState::Interrupted), "The app was restarted. The card is empty now and can be used again."),
        ];
        for (job, want) in cases {
            assert_eq!((say(&job).as_str(), shouts(&job).as_str()), (want, ""));
        }
        let stopping = JobView { state: JobState::Stopping, ..job(7) };
        assert_eq!((say(&stopping).as_str(), shouts(&stopping).as_str()), ("", "Stopping. Do not pull the card yet."));
        let why = Problem::CardPulled { stage: Stage::Write };
        let pulled = JobView { problem: Some(why), ..state(JobState::Failed) };
        assert_eq!(say(&pulled), "");
        assert!(
            shouts(&pulled).contains("The card was pulled out. Put it back and start again."),
            "{}",
            shouts(&pulled)
        );
        let short = Phrase::foreign("x");
        let broken = JobView { problem: Some(Problem::Unexpected { short }), ..state(JobState::Failed) };
        assert!(shouts(&broken).starts_with("Stopped at: Write the system to the card. Something went wrong."));
        assert_eq!(shouts(&job(7)), "");
    }

    #[test]
    fn memory_is_bounded() {
        let announcer = Announcer::default();
        for id in 1..100 {
            announcer.say(EN, &job(id), 100);
        }
        assert_eq!(announcer.0.lock().unwrap().len(), MOST);
    }

    /// A job of ten minutes as it looks at each second: stages of uneven length, a time left that wavers, a card that
    /// pauses once.
    fn ten_minutes(second: u64) -> JobView {
        let ends = [4, 30, 60, 300, 450, 456, 590, 600];
        let stages = [
            Stage::Preflight,
            Stage::Download,
            Stage::Backup,
            Stage::Write,
            Stage::Verify,
            Stage::Grow,
            Stage::Inject,
            Stage::Commit,
        ];
        let stage = ends.iter().position(|end| second < *end).map_or(Stage::Commit, |n| stages[n]);
        let left = (600 - second) * if (second / 7u64).is_multiple_of(2) { 11 } else { 9 } / 10;
        let quiet = if (150..290).contains(&second) { second - 150 } else { 0 };
        JobView { quiet, ..at(stage, (second / 6).min(99) as u8, (second >= 12).then_some(left)) }
    }

    /// Seconds at which a page that looks every `step` seconds hears something, and what.
    fn heard(announcer: &Announcer, step: u64) -> Vec<(u64, String)> {
        let mut heard = Vec::new();
        let mut seen = Seen::default();
        for second in (0..640).step_by(step as usize) {
            let job = if second < 600 { ten_minutes(second) } else { ended(7, JobState::Done) };
            let parts = [announcer.say(EN, &job, 1_000_000 + second).0];
            let (news, _) = seen.catch_up(&parts, (1_000_000 + second) * 1000);
            heard.extend(news.first().map(|part| (second, part.text().to_string())));
        }
        heard
    }

    #[test]
    fn a_job_of_ten_minutes_speaks_seldom_and_at_the_quarters() {
        for step in [1, 3, 20] {
            let heard = heard(&Announcer::default(), step);
            assert!((8..=30).contains(&heard.len()), "every {step} s: {heard:#?}");
            for pair in heard.windows(2) {
                assert!(pair[1].0 - pair[0].0 >= 20, "every {step} s: {pair:?}");
            }
            for (words, due) in [("A quarter done.", 150), ("Half done.", 300), ("Three quarters done.", 450)] {
                let at: Vec<u64> = heard.iter().filter(|(_, said)| said.contains(words)).map(|(at, _)| *at).collect();
                assert_eq!(at.len(), 1, "every {step} s, {words}: {heard:#?}");
                assert!((due..=due + 20).contains(&at[0]), "every {step} s, {words} at {at:?}");
            }
            for words in ["The card does not answer.", "It goes on.", "The new card is ready."] {
                assert!(heard.iter().any(|(_, said)| said.contains(words)), "every {step} s, {words}: {heard:#?}");
            }
        }
    }

    #[test]
    fn several_pages_hear_the_same() {
        let announcer = Announcer::default();
        let mut pages = [(1, Seen::default(), Vec::new()), (3, Seen::default(), Vec::new())];
        for second in 0..640u64 {
            let job = if second < 600 { ten_minutes(second) } else { ended(7, JobState::Done) };
            for (_, seen, heard) in pages.iter_mut().filter(|(step, ..)| second % step == 0) {
                let parts = [announcer.say(EN, &job, 1_000_000 + second).0];
                let (news, _) = seen.catch_up(&parts, (1_000_000 + second) * 1000);
                heard.extend(news.first().map(|part| part.text().to_string()));
            }
        }
        assert_eq!(pages[0].2, pages[1].2);
    }
}
