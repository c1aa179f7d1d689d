//! The command line (AP-4): one file per subcommand.
//!
//! Exit codes: 0 done · 1 it failed · 2 refused, or called wrongly · 130 stopped by the user · `check`, `finish` and `ops`
//! have more of their own.

pub mod ask;
pub mod check;
#[cfg(feature = "demo")]
pub mod demo;
#[cfg(feature = "demo")]
mod demo_finish;
pub mod devices;
pub mod finish;
mod finish_face;
pub mod make_card;
#[cfg(feature = "ops")]
pub mod ops;
pub mod serve;
pub mod show;
pub mod target;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Move a Home Assistant to another disk, and finish the move.
#[derive(Debug, Parser)]
#[command(
    name = "sd-swap",
    version,
    about,
    after_help = "\
Exit codes: 0 done, 1 it failed, 2 refused or called wrongly, 130 stopped by you.
`check`: 0 finished, 3 blank, 4 damaged, 5 something else.
`finish`: 3 set up already, 4 backup not listed, 5 key missing or wrong, 6 given up."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the app's pages (what Home Assistant starts).
    Serve(serve::ServeArgs),
    /// List the disks of this machine, with every reason against writing each.
    Devices(devices::DevicesArgs),
    /// Make a finished card: image, grown to the whole card, with a backup in it.
    MakeCard(make_card::MakeCardArgs),
    /// Write an image as it is and read it back.
    Flash(make_card::FlashArgs),
    /// Say what is on a card and whether it is whole.
    Check(check::CheckArgs),
    /// Wait for the new system, restore the backup that lies on its card, and follow it until the home is back.
    Finish(finish::FinishArgs),
    /// Try everything with make-believe cards; nothing of this machine is touched.
    #[cfg(feature = "demo")]
    Demo(demo::DemoArgs),
    /// For developers: bring an app from its tree to a Home Assistant, and publish it.
    #[cfg(feature = "ops")]
    Ops(ops::OpsArgs),
}

/// How a subcommand ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done,
    Failed,
    Refused,
    Stopped,
    /// Of `check`, `finish` and `ops`: see there.
    Found(u8),
}

impl Exit {
    pub const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Refused => 2,
            Exit::Stopped => 130,
            Exit::Found(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Runs what the arguments of the process say.
pub fn main() -> ExitCode {
    let exit = match Cli::parse().command {
        Command::Serve(args) => serve::run(args),
        Command::Devices(args) => devices::run(args),
        Command::MakeCard(args) => make_card::run(args),
        Command::Flash(args) => make_card::run_flash(args),
        Command::Check(args) => check::run(args),
        Command::Finish(args) => finish::run(args),
        #[cfg(feature = "demo")]
        Command::Demo(args) => demo::run(args),
        #[cfg(feature = "ops")]
        Command::Ops(args) => ops::run(args),
    };
    exit.into()
}

/// What `SD_SWAP_LOG` says, else warnings.
fn log_level() -> String {
    std::env::var("SD_SWAP_LOG").unwrap_or_else(|_| "warn".into())
}

/// Logs to stderr at `level` (or as a filter says) with times.
fn log_to_stderr(level: &str) {
    let mut logger = env_logger::Builder::new();
    // How many workers the server starts is no news to the owner of a home.
    logger.filter_module("actix_server", log::LevelFilter::Warn).parse_filters(level);
    // Somebody else's logger is as good; there is none but in tests.
    let _ = logger.try_init();
}

/// Resolves at Ctrl-C or SIGTERM.
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
