//! What to do next, and why.

use std::time::Duration;

use super::{Listed, Situation};

/// From one answer to the next question.
pub(super) const ASK: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long to wait for the new system, and then anew for a restore. A restore that hangs looks like one that runs.
    pub give_up: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { give_up: Duration::from_secs(6 * 3600) }
    }
}

/// A restore request: where to send it, and of what. Its body is [`Listed::request`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub port: u16,
    pub backup: Listed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Look again after this.
    Ask(Duration),
    /// Send the request, leave it open as long as it takes, and look again meanwhile.
    Post(Order),
    /// Ask the user for the backup's key ([`Finish::key_given`]).
    NeedKey,
    /// Ask the user whether this backup is meant ([`Finish::agree`]).
    Confirm(Listed),
    /// Ask the user whether to try again ([`Finish::again`]); without one this is the end.
    Offer,
    End(End),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Done,
    /// The system is set up; nothing may be done to it.
    SetUp,
    /// The backup is not listed, or cannot be restored here.
    NotListed,
    /// Several backups, and none was named.
    Several,
    Failed,
    TimedOut,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub situation: Situation,
    pub next: Next,
}

pub(super) fn ask(situation: Situation) -> Step {
    after(situation, ASK)
}

pub(super) fn after(situation: Situation, wait: Duration) -> Step {
    Step { situation, next: Next::Ask(wait) }
}

pub(super) fn offer(situation: Situation) -> Step {
    Step { situation, next: Next::Offer }
}

pub(super) fn end(situation: Situation, end: End) -> Step {
    Step { situation, next: Next::End(end) }
}
