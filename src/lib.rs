//! sd-swap: move a Home Assistant to another disk, and finish the move.
//!
//! The building, floor by floor; a floor looks down, never up (`tests/floors.rs` holds it):
//!
//! ```text
//! 4  web   cli   demo          faces: pages, commands, the stand-ins
//! 3  jobs   ops                work in progress: conductor, run, ledger, the recipe; a developer's lanes to a host
//! 2  host · disk · image · supervisor · finish   the machine, cards, image bytes, the Supervisor's API, the new system
//! 1  domain   config           data and rules
//! 0  texts                     every word a person reads, one folder per language
//! ```
//!
//! On floor 2 only `disk → host` is a sideways step.

pub mod texts;

pub mod domain;

pub mod disk;
pub mod finish;
pub mod host;
pub mod image;
pub mod supervisor;

pub mod jobs;
#[cfg(feature = "ops")]
pub mod ops;

pub mod cli;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
pub mod web;
