//! `devices`: every disk, and every reason against it.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::domain::pace::Pace;
use crate::host::linux::machine::LinuxHost;
use crate::jobs::ListedDisk;
use crate::jobs::disk_json::disks_json;
use crate::jobs::solo::{PcRules, list};
use crate::jobs::start::Plan;

use super::{Exit, log_to_stderr, show};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sd-swap devices\n  sd-swap devices --json")]
pub struct DevicesArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Count built-in card readers as usable.
    #[arg(long)]
    allow_internal: bool,
}

pub fn run(args: DevicesArgs) -> Exit {
    log_to_stderr("warn");
    let plan = Plan { data: PathBuf::new(), ..Plan::pc(Arc::new(LinuxHost::new()), Pace::real()) };
    let rules = PcRules { allow_internal: args.allow_internal, as_file: false };
    match actix_web::rt::System::new().block_on(list(&plan, rules)) {
        Err(error) => show::refused(&error, args.json),
        Ok(disks) if args.json => {
            println!("{}", disks_json(&disks));
            Exit::Done
        }
        Ok(disks) => {
            disks.disks.iter().for_each(print);
            Exit::Done
        }
    }
}

fn print(listed: &ListedDisk) {
    let disk = &listed.disk;
    println!("{}  {}", disk.path.display(), disk.name());
    match &disk.fingerprint {
        Some(fingerprint) => println!("  fingerprint {fingerprint}"),
        None => println!("  no fingerprint: it could not be read"),
    }
    match listed.refusals.as_slice() {
        [] => println!("  can be used"),
        reasons => reasons.iter().for_each(|reason| println!("  - {reason}")),
    }
}
