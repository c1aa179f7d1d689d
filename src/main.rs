//! Composition only: the subcommands are in [`sd_swap::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    sd_swap::cli::main()
}
