//! `finish` against a stand-in for Home Assistant Core over real HTTP: everything that was recorded, and everything that
//! goes wrong (FN-2).

#![cfg(feature = "demo")]

#[path = "finish/bench.rs"]
mod bench;
#[path = "finish/cases.rs"]
mod cases;
#[path = "finish/command.rs"]
mod command;
#[path = "finish/deviations.rs"]
mod deviations;
#[path = "finish/property.rs"]
mod property;
#[path = "finish/recorded.rs"]
mod recorded;
