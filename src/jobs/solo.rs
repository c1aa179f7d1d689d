//! One job without a conductor: what the command line runs, on the calling thread.

use std::collections::BTreeSet;
use std::future::Future;
use std::rc::Rc;

use tokio::sync::watch;

use crate::domain::causes::chain;
use crate::domain::disk::{Refusal, Rules, SystemDisks, may_overwrite};
use crate::domain::estimate::Rates;
use crate::domain::job::{CardRequest, JobView};
use crate::domain::stage::Stage;
use crate::domain::system::SystemView;

use super::admit::admit;
use super::board::Board;
use super::conductor::new_run;
use super::make_card::{flash, make_card};
use super::run::Run;
use super::start::Plan;
use super::thread::on_thread;
use super::{AllJobs, DiskList, ListedDisk, StartError};

/// What is to be done with the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipe {
    MakeCard,
    /// The image as it is; read back or not.
    Flash {
        verify: bool,
    },
}

impl Recipe {
    fn stages(self) -> &'static [Stage] {
        match self {
            Recipe::MakeCard => &Stage::ALL,
            Recipe::Flash { .. } => &[Stage::Preflight, Stage::Download, Stage::Write, Stage::Verify, Stage::Commit],
        }
    }
}

/// The rules of a PC: what is mounted, swapped to or started from is never touched (DV-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PcRules {
    pub allow_internal: bool,
    /// The card is a file or a loop device.
    pub as_file: bool,
}

/// Runs one job to its end. `watching` gets every state of it; `stop` resolves when the user wants it stopped.
pub async fn solo(
    plan: &Plan,
    rules: PcRules,
    recipe: Recipe,
    request: CardRequest,
    watching: impl FnOnce(watch::Receiver<AllJobs>),
    stop: impl Future<Output = ()>,
) -> Result<JobView, StartError> {
    let world = plan.world();
    let disks = list(plan, rules).await?;
    let pc = pc_rules(plan, rules)?;
    let admitted = admit(&world, &SystemView::default(), &disks, &pc, &request).await?;
    let board = Rc::new(Board::nowhere());
    let disk = &disks.find(&request.disk).ok_or(StartError::NoDisk)?.disk;
    let id = board.next_id();
    let run = new_run(&board, id, &request, disk, &admitted, Rates::default(), recipe.stages());
    watching(board.watch());
    let work = async {
        let result = match recipe {
            Recipe::MakeCard => make_card(&run, &world, &request, admitted.image, admitted.luggage).await,
            Recipe::Flash { verify } => flash(&run, &world, &request, admitted.image, verify).await,
        };
        run.end(result.as_ref().map(|_| ()).map_err(|ended| *ended));
        drop(result);
    };
    until_done(&run, work, stop).await;
    Ok(run.view())
}

/// Asked to stop, the work is still waited for: its workers leave the card blank.
async fn until_done(run: &Run, work: impl Future<Output = ()>, stop: impl Future<Output = ()>) {
    let (mut work, mut stop) = (std::pin::pin!(work), std::pin::pin!(stop));
    tokio::select! {
        () = &mut work => return,
        () = &mut stop => run.ask_to_stop(),
    }
    work.await;
}

fn unexpected(short: String) -> StartError {
    let problem = crate::domain::problem::Problem::Unexpected { short: crate::texts::Phrase::foreign(short) };
    StartError::Refused { disk: Vec::new(), problems: vec![problem] }
}

fn pc_rules(plan: &Plan, rules: PcRules) -> Result<Rules, StartError> {
    let system = match plan.host.disks_in_use() {
        Ok(ids) => SystemDisks::Known { runs_from: ids.into_iter().collect(), holds_data: BTreeSet::new() },
        Err(error) => SystemDisks::Unknown(chain(&error)),
    };
    let (allow_internal, as_file) = (rules.allow_internal, rules.as_file);
    Ok(Rules { system, need: None, claimed: BTreeSet::new(), allow_internal, as_file })
}

/// Every disk with every reason against it, by the rules of a PC.
pub async fn list(plan: &Plan, rules: PcRules) -> Result<DiskList, StartError> {
    let host = plan.host.clone();
    let scan = on_thread("scan", move || host.disks()).await.map_err(|trouble| unexpected(trouble.detail))?;
    let disks = scan.map_err(|error| unexpected(chain(&error)))?;
    let rules = pc_rules(plan, rules)?;
    let judge = |disk: &crate::domain::disk::Disk| {
        let refusals: Vec<Refusal> = may_overwrite(disk, &disks, &rules);
        ListedDisk { disk: disk.clone(), refusals }
    };
    Ok(DiskList { known: true, disks: disks.iter().map(judge).collect(), failed: None })
}
