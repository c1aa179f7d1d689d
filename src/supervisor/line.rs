//! The line to the Supervisor: whether it is up, when to try it again, and what the log says of it.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use super::error::SupervisorError;
use crate::domain::backoff::{Backoff, Failure, Say, Setback};
use crate::domain::pace::Pace;

/// One for each client: all that asks regularly goes by it.
pub struct Line {
    backoff: RefCell<Backoff>,
    begun: Instant,
}

impl Line {
    pub fn new(pace: &Pace) -> Line {
        Line { backoff: RefCell::new(Backoff::new(pace)), begun: Instant::now() }
    }

    /// Nothing was asked in vain lately, or the wait after that is over.
    pub fn is_due(&self) -> bool {
        self.backoff.borrow().is_due(self.begun.elapsed())
    }

    pub fn failed(&self, error: &SupervisorError) -> Setback {
        let setback = self.backoff.borrow_mut().failed(self.begun.elapsed(), failure(error));
        if let Some(line) = setback.say.map(|say| words(say, Some(error))) {
            log::warn!("{line}");
        }
        setback
    }

    pub fn worked(&self) {
        if let Some(say) = self.backoff.borrow_mut().worked(self.begun.elapsed()) {
            log::info!("{}", words(say, None));
        }
    }
}

/// Who is not let in does not ask again soon.
fn failure(error: &SupervisorError) -> Failure {
    use SupervisorError as E;
    match error {
        E::Unauthorized { .. } | E::Forbidden { .. } => Failure::Denied,
        _ => Failure::Passing,
    }
}

fn words(say: Say, error: Option<&SupervisorError>) -> String {
    let error = error.map(ToString::to_string).unwrap_or_default();
    match say {
        Say::First => format!("the Supervisor cannot be asked: {error}"),
        Say::Still { tries, since } => {
            format!("the Supervisor cannot be asked for {} s, tried {tries} times: {error}", since.as_secs())
        }
        Say::Back { tries } => format!("the Supervisor answers again, after {tries} tries"),
    }
}

/// The wait before one question of a few tries is asked again. What looks like a refusal may pass there: a Supervisor that
/// comes back may not know our token yet.
pub fn rest(backoff: &mut Backoff, begun: Instant) -> Duration {
    backoff.failed(begun.elapsed(), Failure::Passing).wait
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_names_the_error_and_the_end() {
        let error = SupervisorError::Unreachable { at: "GET /info".into(), said: "refused".into() };
        let still = Say::Still { tries: 9, since: Duration::from_secs(61) };
        assert!(words(Say::First, Some(&error)).contains("GET /info"));
        assert!(words(still, Some(&error)).contains("for 61 s, tried 9 times"));
        assert!(words(Say::Back { tries: 12 }, None).ends_with("after 12 tries"));
    }

    #[test]
    fn a_refusal_is_no_passing_failure() {
        let denied = SupervisorError::Forbidden { at: "GET /info".into(), said: String::new() };
        assert_eq!((failure(&denied), failure(&SupervisorError::Stopped)), (Failure::Denied, Failure::Passing));
    }
}
