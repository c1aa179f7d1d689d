//! How far the whole job is and when it will end: the sum along the critical path (JB-2, face §8).

use super::job::{StageState, StageView};
use super::stage::Stage;

/// Bytes in a second, as far as they were measured here; else what is usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    pub card_write: u64,
    pub card_read: u64,
    pub network: u64,
    pub backup: u64,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates { card_write: 15_000_000, card_read: 15_000_000, network: 5_000_000, backup: 10_000_000 }
    }
}

/// What is expected of stages that have not begun; 0 where a stage has nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expected {
    pub download: u64,
    pub image: u64,
    pub backup: u64,
    /// The card is written while the image is downloaded.
    pub streams: bool,
}

/// Seconds of stages that have no bytes.
const CHECKS: f64 = 2.0;
const GROW: f64 = 10.0;
const COMMIT: f64 = 3.0;
/// A measured rate counts from here on.
const MEASURED_AFTER_MS: u64 = 3_000;
const MEASURED_AFTER_BYTES: u64 = 32_000_000;

/// Of a backup that grew past what was expected so much more is counted: a tenth of what there is.
const OVERDUE: u64 = 10;

/// Whether the time left can be said: nobody knows the end of a new backup that is past what was expected.
pub fn is_known(stages: &[StageView], expected: Expected) -> bool {
    !stages.iter().any(|view| is_overdue(view, expected.backup))
}

fn is_overdue(view: &StageView, expected: u64) -> bool {
    let running = view.stage == Stage::Backup && view.state == StageState::Running;
    running && view.amount.total.is_none() && view.amount.done >= expected
}

/// Seconds left along the critical path: the backup runs beside download, write, verify and grow.
pub fn seconds_left(stages: &[StageView], expected: Expected, rates: Rates) -> f64 {
    let left = |stage| stage_left(stages, stage, expected, rates);
    let (download, write) = (left(Stage::Download), left(Stage::Write));
    let written = if expected.streams { download.max(write) } else { download + write };
    let card = written + left(Stage::Verify) + left(Stage::Grow);
    left(Stage::Preflight) + card.max(left(Stage::Backup)) + left(Stage::Inject) + left(Stage::Commit)
}

fn stage_left(stages: &[StageView], stage: Stage, expected: Expected, rates: Rates) -> f64 {
    let Some(view) = stages.iter().find(|view| view.stage == stage) else { return 0.0 };
    if !matches!(view.state, StageState::Waiting | StageState::Running) {
        return 0.0;
    }
    let bytes_at = |bytes: u64, usual: u64| {
        let more = if is_overdue(view, bytes) { view.amount.done / OVERDUE } else { 0 };
        let total = view.amount.total.unwrap_or(bytes).max(view.amount.done) + more;
        (total - view.amount.done) as f64 / rate_of(view, usual) as f64
    };
    match stage {
        Stage::Preflight => CHECKS,
        Stage::Backup => bytes_at(expected.backup, rates.backup),
        Stage::Download => bytes_at(expected.download, rates.network),
        Stage::Write => bytes_at(expected.image, rates.card_write),
        Stage::Verify => bytes_at(expected.image, rates.card_read),
        Stage::Grow => GROW,
        Stage::Inject => bytes_at(expected.backup, rates.card_write) + expected.backup as f64 / rates.card_read as f64,
        Stage::Commit => COMMIT,
    }
}

fn rate_of(view: &StageView, usual: u64) -> u64 {
    let measured = view.millis >= MEASURED_AFTER_MS && view.amount.done >= MEASURED_AFTER_BYTES;
    view.rate.filter(|rate| measured && *rate > 0).unwrap_or(usual).max(1)
}

/// Percent of the whole job: never below what was shown, at most 99 before it is done.
pub fn percent(shown: u8, elapsed: f64, left: f64) -> u8 {
    let all = elapsed + left;
    let computed = if all > 0.0 { (elapsed / all * 100.0) as u8 } else { 0 };
    shown.max(computed).min(99)
}

/// What is said of the time left: nothing before 10 s and 2 %, nor while it is not known; else the old figure counts
/// down, and a new one comes only if the old one is off by over 10 %.
pub fn shown_left(shown: Option<u64>, since: f64, elapsed: f64, percent: u8, left: Option<f64>) -> Option<u64> {
    let left = left.filter(|_| elapsed >= 10.0 && percent >= 2)?;
    let Some(old) = shown else { return Some(left as u64) };
    let now = (old as f64 - since).max(0.0);
    let off = (left - now).abs() > now * 0.1;
    Some(if off { left as u64 } else { now as u64 })
}

/// Minutes that a job of so many seconds may take, in fives: cards and networks are not the same every day.
pub fn minutes_around(seconds: f64) -> (u64, u64) {
    let minutes = (seconds / 60.0).clamp(0.0, 100_000.0);
    let from = ((minutes * 0.8) as u64 / 5 * 5).max(5);
    let to = ((minutes * 1.4).ceil() as u64).next_multiple_of(5);
    (from, to.max(from + 5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::progress::Amount;

    fn view(stage: Stage, state: StageState, done: u64, total: Option<u64>) -> StageView {
        StageView { stage, state, amount: Amount { done, total }, rate: None, millis: 0, note: None }
    }

    fn all(state: StageState) -> Vec<StageView> {
        Stage::ALL.map(|stage| view(stage, state, 0, None)).to_vec()
    }

    const EXPECTED: Expected =
        Expected { download: 350_000_000, image: 1_500_000_000, backup: 3_000_000_000, streams: false };

    #[test]
    fn the_longer_of_two_stages_side_by_side_counts() {
        let rates = Rates::default();
        let left = seconds_left(&all(StageState::Waiting), EXPECTED, rates);
        // 2 + max(70 + 100 + 100 + 10, 300) + 200 + 200 + 3
        assert_eq!(left, 705.0);
        let quick = Rates { backup: 100_000_000, ..rates };
        assert_eq!(seconds_left(&all(StageState::Waiting), EXPECTED, quick), 685.0);
        // The same without the 70 s of the download, beside which the card is written.
        let streams = Expected { streams: true, ..EXPECTED };
        assert_eq!(seconds_left(&all(StageState::Waiting), streams, quick), 615.0);
        assert_eq!(seconds_left(&all(StageState::Done), EXPECTED, rates), 0.0);
    }

    #[test]
    fn a_rate_counts_only_once_it_is_measured() {
        let mut write = view(Stage::Write, StageState::Running, 40_000_000, Some(1_540_000_000));
        write.rate = Some(75_000_000);
        assert_eq!(stage_left(&[write.clone()], Stage::Write, EXPECTED, Rates::default()), 100.0);
        write.millis = 3_000;
        assert_eq!(stage_left(&[write], Stage::Write, EXPECTED, Rates::default()), 20.0);
    }

    #[test]
    fn percent_never_falls_and_waits_with_100() {
        let cases =
            [(0, 0.0, 100.0, 0), (0, 50.0, 50.0, 50), (60, 50.0, 50.0, 60), (0, 100.0, 0.0, 99), (0, 0.0, 0.0, 0)];
        for (shown, elapsed, left, want) in cases {
            assert_eq!(percent(shown, elapsed, left), want);
        }
    }

    #[test]
    fn time_left_is_silent_at_first_and_then_steady() {
        let cases = [
            (None, 9.9, 50, Some(100.0), None),
            (None, 10.0, 1, Some(100.0), None),
            (None, 10.0, 2, Some(100.0), Some(100)),
            (Some(100), 10.0, 2, Some(104.0), Some(95)),
            (Some(100), 10.0, 2, Some(86.0), Some(95)),
            (Some(100), 10.0, 2, Some(105.0), Some(105)),
            (Some(100), 10.0, 2, Some(120.0), Some(120)),
            (Some(3), 60.0, 90, Some(0.0), Some(0)),
            (Some(100), 60.0, 50, None, None),
        ];
        for (shown, elapsed, percent, left, want) in cases {
            assert_eq!(shown_left(shown, 5.0, elapsed, percent, left), want);
        }
    }

    #[test]
    fn nobody_knows_the_end_of_a_backup_that_is_past_what_was_expected() {
        let backup = |state, done, total| [view(Stage::Backup, state, done, total)];
        use StageState::{Done, Running, Waiting};
        let cases = [
            (Waiting, 0, None, true),
            (Running, 0, None, true),
            (Running, 2_999_999_999, None, true),
            (Running, 3_000_000_000, None, false),
            (Running, 4_000_000_000, None, false),
            // It is made, and read to its end now.
            (Running, 4_000_000_000, Some(4_500_000_000), true),
            (Done, 4_000_000_000, None, true),
        ];
        for (state, done, total, known) in cases {
            assert_eq!(is_known(&backup(state, done, total), EXPECTED), known, "{state:?} {done}");
        }
        assert!(!is_known(&backup(Running, 0, None), Expected::default()), "nothing is known of the size");
        // The bar does not run ahead meanwhile.
        let overdue = seconds_left(&backup(Running, 4_000_000_000, None), EXPECTED, Rates::default());
        assert_eq!(overdue, 40.0);
    }

    #[test]
    fn a_range_is_wide_and_round() {
        let cases =
            [(0.0, (5, 10)), (705.0, (5, 20)), (1500.0, (20, 35)), (7200.0, (95, 170)), (f64::MAX, (80_000, 140_000))];
        for (seconds, want) in cases {
            assert_eq!(minutes_around(seconds), want, "{seconds}");
        }
    }
}
