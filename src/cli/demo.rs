//! `demo`: everything make-believe.

use clap::Args;

use super::Exit;

#[derive(Debug, Args)]
pub struct DemoArgs {}

pub fn run(_args: DemoArgs) -> Exit {
    Exit::Done
}
