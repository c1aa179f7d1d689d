//! Whole cards through the program itself, read back with other tools: every board's image, images and backups that the
//! program had no hand in, what it refuses, what it leaves when it is told to end.

#![expect(clippy::disallowed_types, reason = "the program is run, and judged by other tools")]

#[path = "support/foreign.rs"]
mod foreign;
#[path = "support/readback.rs"]
mod readback;

#[path = "make_card/boards.rs"]
mod boards;
#[path = "make_card/carry.rs"]
mod carry;
#[path = "make_card/flash.rs"]
mod flash;
#[path = "make_card/loops.rs"]
mod loops;
#[path = "make_card/refused.rs"]
mod refused;
#[path = "make_card/shop.rs"]
mod shop;
#[path = "make_card/signals.rs"]
mod signals;
