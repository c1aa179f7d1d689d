//! From what a floor below says went wrong to what the user is told: one place for all of it.

use std::error::Error;

use crate::disk::{CardError, Failed};
use crate::domain::causes::chain;
use crate::domain::disk::Refusal;
use crate::domain::job::CardNow;
use crate::domain::problem::Problem;
use crate::domain::stage::Stage;
use crate::host::HostError;
use crate::texts::Phrase;

/// A stage that ended badly. No problem: it was stopped.
#[derive(Debug)]
pub struct Trouble {
    pub problem: Option<Problem>,
    /// The chain of causes, for the folded part of the page and the log.
    pub detail: String,
    /// What is on the card, where the stage knows it.
    pub now: Option<CardNow>,
}

impl Trouble {
    pub fn stopped() -> Trouble {
        Trouble { problem: None, detail: "stopped".into(), now: None }
    }

    pub fn new(problem: Problem, error: &(dyn Error + 'static)) -> Trouble {
        Trouble { problem: Some(problem), detail: chain(error), now: None }
    }

    pub fn plain(problem: Problem) -> Trouble {
        let detail = problem.to_string();
        Trouble { problem: Some(problem), detail, now: None }
    }
}

/// A step of the card failed in `stage`.
pub fn card(stage: Stage, failed: Failed) -> Trouble {
    let detail = chain(&failed.error);
    Trouble { problem: card_problem(stage, failed.error), detail, now: Some(failed.now) }
}

/// `None`: it was stopped.
pub fn card_problem(stage: Stage, error: CardError) -> Option<Problem> {
    let detail = chain(&error);
    Some(match error {
        CardError::Stopped => return None,
        CardError::Gone => Problem::CardPulled { stage },
        CardError::Claim(error) => host_problem(&error),
        CardError::Changed => Problem::DiskChanged,
        CardError::Write { at, .. } => Problem::WriteFailed { at: Some(at) },
        CardError::Counterfeit { after } => Problem::CardCounterfeit { after },
        CardError::Unreliable { places, first, looks_like } => {
            Problem::CardUnreliable { places, first, looks_like: Phrase::foreign(looks_like) }
        }
        CardError::Read { at, .. } => {
            Problem::CardUnreliable { places: 1, first: at, looks_like: Phrase::of("why-unreadable-place") }
        }
        CardError::Flush(_) => Problem::WriteFailed { at: None },
        CardError::Image(_) | CardError::Table(_) | CardError::Data(_) | CardError::Overlay(_) => {
            Problem::ImageUnusable { why: Phrase::foreign(detail) }
        }
        CardError::TooSmall { image, card } => Problem::CardTooSmall { has: card, need: image },
        CardError::NoRoom { need, free } => Problem::BackupDoesNotFit { need, free },
        CardError::Plan(_) => Problem::GrowFailed { what: Phrase::foreign(detail) },
        CardError::Tool(_) | CardError::ToolSaid { .. } if stage == Stage::Grow => {
            Problem::GrowFailed { what: Phrase::foreign(detail) }
        }
        CardError::Tool(_) | CardError::ToolSaid { .. } => Problem::LastCheckFailed { what: Phrase::foreign(detail) },
        CardError::Backup(_) => Problem::BackupUnusable { why: Phrase::foreign(detail) },
        CardError::LastCheck(what) => Problem::LastCheckFailed { what: Phrase::foreign(what) },
    })
}

/// The door did not open.
pub fn host_problem(error: &HostError) -> Problem {
    match error {
        HostError::NoDisk(_) => Problem::DiskChanged,
        HostError::Denied(_) => Problem::DiskMayNotOpen,
        HostError::ReadOnly(_) => Problem::CardProtected,
        HostError::Busy(_) => Problem::DiskRefused { reasons: vec![Refusal::Mounted] },
        other => Problem::Unexpected { short: Phrase::foreign(chain(other)) },
    }
}
