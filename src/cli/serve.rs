//! `serve`: the app.

use clap::Args;

use super::Exit;

#[derive(Debug, Args)]
pub struct ServeArgs {}

pub fn run(_args: ServeArgs) -> Exit {
    Exit::Done
}
