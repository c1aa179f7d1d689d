//! `ops`: from the tree to a running app, and to its publication; for any app's folder.
//!
//! Exit codes: 0 ok · 1 a check said no · 2 called or set up wrongly · 3 the host was not reached · 4 it refused · 5 it
//! runs, but not as it should · 130 stopped by the user.

use std::io::{IsTerminal, Write, stderr, stdin};
use std::path::PathBuf;
use std::thread;

use clap::{Args, Subcommand, ValueEnum};

use crate::domain::progress::StopFlag;
use crate::ops::app::App;
use crate::ops::bench::{Asked, Bench, Voice};
use crate::ops::config::{Pairs, Project, Target};
use crate::ops::outcome::{Ended, Problem};
use crate::ops::receipt::Shelf;
use crate::ops::{Mode, Task, run as run_task};

use super::{Exit, asked_to_end};

#[derive(Debug, Args)]
#[command(after_help = "\
Where the host is stands in ops.env, what the project wants in ops.toml: docs/deploy.md.

Exit codes: 0 ok (or there already), 1 a check said no, 2 called or set up wrongly, 3 the host was not reached,
4 it refused, 5 it runs, but not as it should, 130 stopped by you.

Examples:
  sd-swap ops check
  sd-swap ops deploy --app addon --target kitchen
  sd-swap ops release patch --dry-run")]
pub struct OpsArgs {
    #[command(subcommand)]
    lane: Lane,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// The app's folder: the one with its config.yaml.
    #[arg(long, global = true, default_value = ".", value_name = "DIR")]
    app: PathBuf,
    /// Which host: NAME reads ops.NAME.env instead of ops.env.
    #[arg(long, global = true, value_name = "NAME")]
    target: Option<String>,
    /// Show every command and change, make none.
    #[arg(long, global = true)]
    dry_run: bool,
    /// Print the receipt as one JSON object, and all else to standard error.
    #[arg(long, global = true)]
    json: bool,
    /// Where receipts are kept; else reports/ops in the project's folder.
    #[arg(long, global = true, value_name = "DIR")]
    receipts: Option<PathBuf>,
    /// Ask nothing.
    #[arg(long, global = true)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ModeArg {
    Local,
    Publish,
}

#[derive(Debug, Subcommand)]
enum Lane {
    /// Structure, configuration and tests of the tree.
    Check {
        /// For a build on the host, or for a published image.
        #[arg(long, value_enum, default_value = "local")]
        mode: ModeArg,
        /// Leave the project's own tests out.
        #[arg(long)]
        no_tests: bool,
    },
    /// Bring the files to the host.
    Sync {
        /// Leave a receipt on the host, too.
        #[arg(long)]
        remote_receipt: bool,
    },
    /// Let the Supervisor reload, build and start it.
    Rebuild,
    /// See that it runs, in the right version, and is well.
    Verify,
    /// Push the app's folder to its published branch, and tag it.
    Publish,
    /// check, sync, rebuild, verify.
    Deploy {
        /// Leave a receipt on the host, too.
        #[arg(long)]
        remote_receipt: bool,
    },
    /// Raise the version wherever it stands.
    Bump {
        /// patch, minor, major, or the version itself.
        to: String,
        /// Commit it.
        #[arg(long)]
        commit: bool,
    },
    /// bump, deploy, publish.
    Release {
        /// patch, minor, major, or the version itself.
        to: String,
        /// Leave a receipt on the host, too.
        #[arg(long)]
        remote_receipt: bool,
    },
    /// Find out why it does not run.
    Diagnose,
}

impl From<Lane> for Task {
    fn from(lane: Lane) -> Task {
        match lane {
            Lane::Check { mode: ModeArg::Local, no_tests } => Task::Check { mode: Mode::Local, tests: !no_tests },
            Lane::Check { mode: ModeArg::Publish, no_tests } => Task::Check { mode: Mode::Publish, tests: !no_tests },
            Lane::Sync { remote_receipt } => Task::Sync { remote_receipt },
            Lane::Rebuild => Task::Rebuild,
            Lane::Verify => Task::Verify,
            Lane::Publish => Task::Publish,
            Lane::Deploy { remote_receipt } => Task::Deploy { remote_receipt },
            Lane::Bump { to, commit } => Task::Bump { to, commit },
            Lane::Release { to, remote_receipt } => Task::Release { to, remote_receipt },
            Lane::Diagnose => Task::Diagnose,
        }
    }
}

pub fn run(args: OpsArgs) -> Exit {
    let mut voice = Terminal;
    match work(args, &mut voice) {
        Ok(ended) => ended.map_or_else(|problem| exit_of(&problem), |_| Exit::Done),
        // No lane was begun: nobody has told it yet.
        Err(problem) => {
            voice.err(&problem.to_string());
            exit_of(&problem)
        }
    }
}

fn exit_of(problem: &Problem) -> Exit {
    Exit::Found(problem.kind.code())
}

fn work(args: OpsArgs, voice: &mut Terminal) -> Result<Ended, Problem> {
    let common = args.common;
    let app = App::read(&common.app)?;
    let project = Project::load(&app.project)?;
    let environment: Pairs = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let target = Target::load(&app.project, &app.folder, common.target.as_deref(), &environment)?;
    target.hints.iter().for_each(|hint| voice.err(hint));
    let receipts = common.receipts.unwrap_or_else(|| app.project.join("reports/ops"));
    let shelf = if common.dry_run { None } else { Some(open(&receipts)?) };
    let asked = Asked { dry_run: common.dry_run, json: common.json, yes: common.yes };
    let mut bench = Bench::new(app, project, target, asked, shelf, stop_at_ctrl_c(), voice);
    Ok(run_task(&mut bench, &args.lane.into()))
}

fn open(receipts: &std::path::Path) -> Result<Shelf, Problem> {
    let wrong = |error: std::io::Error| {
        let what = format!("{} cannot be made", receipts.display());
        Problem::usage(what, error.to_string(), "Name another folder with --receipts.")
    };
    Shelf::open(receipts).map_err(wrong)
}

/// A flag that Ctrl-C and SIGTERM set. Where no thread can be started, they end the program as ever.
fn stop_at_ctrl_c() -> StopFlag {
    let stop = StopFlag::new();
    let flag = stop.clone();
    let _ = thread::Builder::new().name("signals".into()).spawn(move || {
        actix_web::rt::System::new().block_on(asked_to_end());
        flag.set();
    });
    stop
}

struct Terminal;

impl Voice for Terminal {
    fn out(&mut self, line: &str) {
        let mut out = std::io::stdout().lock();
        // Nobody may be reading any more; the receipt says the same.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }

    fn err(&mut self, line: &str) {
        let _ = writeln!(stderr().lock(), "{line}");
    }

    fn ask(&mut self, question: &str) -> Option<bool> {
        if !stdin().is_terminal() || !stderr().is_terminal() {
            return None;
        }
        let _ = write!(stderr().lock(), "{question} Type yes to go on: ");
        let mut answer = String::new();
        stdin().read_line(&mut answer).ok()?;
        Some(answer.trim() == "yes")
    }
}
