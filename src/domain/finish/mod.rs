//! Finishing the move: what Home Assistant Core answers on the new card → what to say, and what to do next.
//!
//! ```text
//! observe    answers of Core's onboarding addresses → typed observations
//! listed     the backups in them
//! refusal    an answered restore request: why it was refused, and whether it may be sent again
//! machine    observation × what was seen before × time → situation and next step
//! step       what may be done next
//! situation  every situation: its name and its words
//! ```
//!
//! The table that all of it follows is in `docs/finish.md`; it was read off recorded traffic
//! (`tests/fixtures/core/README.md`).

mod listed;
mod machine;
mod observe;
mod refusal;
mod situation;
mod step;

#[cfg(test)]
mod tests;

pub use listed::{LOCAL, Listed};
pub use machine::Finish;
pub use observe::{Answer, Backups, Door, Info, Last, Look, Manager, Met, Onboarding, Posted, RestoreStage};
pub use refusal::{Kind, Refusal, Repeat};
pub use situation::{About, Situation, Words};
pub use step::{End, Limits, Next, Order, Step};
