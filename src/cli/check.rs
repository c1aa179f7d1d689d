//! `check`: what is on a card.

use clap::Args;

use super::Exit;

#[derive(Debug, Args)]
pub struct CheckArgs {}

pub fn run(_args: CheckArgs) -> Exit {
    Exit::Done
}
