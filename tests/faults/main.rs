//! Bad input and faults, each through the real recipe on a scratch card: the card ends untouched, blank or finished, one
//! clear problem is told, and the next job runs.

#![expect(clippy::disallowed_types, reason = "images are made, and cards judged, by other tools")]

#[path = "../support/bench.rs"]
mod bench;
#[path = "../support/watched.rs"]
mod watched;

mod backup;
mod card;
mod image;
mod order;
mod place;
