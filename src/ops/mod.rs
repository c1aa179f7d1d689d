//! Floor 3: from a developer's tree to a running app, and to its publication (`sd-swap ops`, docs/deploy.md).
//!
//! Lanes: [`check`] → [`sync`] → [`rebuild`] → [`verify`] are a [`deploy`]; [`bump`] → deploy → [`publish`] a
//! [`release`]. Each works on a [`Bench`](bench::Bench), which keeps its receipt and prints its tokens. For any app's
//! folder, not only ours. Knows `domain`, `config` and, to start programs, `host`; nothing of cards, jobs and pages.

pub mod app;
pub mod bench;
pub mod bump;
pub mod check;
pub mod config;
pub mod deploy;
pub mod diagnose;
pub mod git;
pub mod outcome;
pub mod program;
pub mod publish;
pub mod rebuild;
pub mod receipt;
pub mod release;
pub mod remote;
pub mod sync;
pub mod token;
pub mod tree;
pub mod verify;
pub mod version;
pub mod whole;
pub mod yaml;

use bench::Bench;
use outcome::Ended;
use remote::Remote;

/// For whom `check` looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The Supervisor builds it from the folder: no `image:`.
    Local,
    /// The Supervisor pulls it: `image:`, and the version is the tag.
    Publish,
}

/// What the user wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// `tests`: also the project's own.
    Check {
        mode: Mode,
        tests: bool,
    },
    Sync {
        remote_receipt: bool,
    },
    Rebuild,
    Verify,
    Publish,
    Deploy {
        remote_receipt: bool,
    },
    Bump {
        to: String,
        commit: bool,
    },
    Release {
        to: String,
        remote_receipt: bool,
    },
    Diagnose,
}

/// Does it.
pub fn run(bench: &mut Bench<'_>, task: &Task) -> Ended {
    match task {
        Task::Check { mode, tests } => check::run(bench, *mode, *tests),
        Task::Bump { to, commit } => bump::run(bench, to, *commit),
        Task::Publish => publish::run(bench),
        Task::Release { to, remote_receipt } => release::run(bench, to, *remote_receipt),
        Task::Sync { remote_receipt } => on_host(bench, "sync", |bench, remote| {
            let ended = sync::sync(bench, remote);
            deploy::leave_receipt(bench, remote, "sync", *remote_receipt, ended)
        }),
        Task::Rebuild => on_host(bench, "rebuild", rebuild::rebuild),
        Task::Verify => on_host(bench, "verify", verify::verify),
        Task::Diagnose => on_host(bench, "diagnose", diagnose::diagnose),
        Task::Deploy { remote_receipt } => {
            deploy::deploy(bench, *remote_receipt, |bench| check::run(bench, Mode::Local, true))
        }
    }
}

/// Where the settings lead to no host, the lane says so in its receipt.
fn on_host(bench: &mut Bench<'_>, name: &str, lane: impl FnOnce(&mut Bench<'_>, &mut Remote) -> Ended) -> Ended {
    match Remote::of(bench) {
        Ok(mut remote) => {
            let ended = lane(bench, &mut remote);
            remote.close(bench);
            ended
        }
        Err(problem) => bench.lane(name, bench::Reach::Host, |_| Err(problem)),
    }
}
