//! The background actor on the thread "jobs": owns the HTTP client, admits or refuses, runs recipes, keeps finished cards.

use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::task::JoinHandle;
use tokio::sync::{mpsc, oneshot, watch};

use crate::disk::{Card, Finished};
use crate::domain::causes::chain;
use crate::domain::disk::{Disk, DiskId, Rules, SystemDisks, may_overwrite};
use crate::domain::estimate::{Expected, Rates};
use crate::domain::job::{
    BackupChoice, CardBrief, CardNow, CardRequest, DiskMarks, JobId, JobState, JobView, Made, StageState, StageView,
    Warning,
};
use crate::domain::problem::Problem;
use crate::domain::progress::Amount;
use crate::domain::stage::Stage;
use crate::domain::system::SystemView;
use crate::supervisor::Supervisor;
use crate::texts::Phrase;

use super::admit::{Admitted, admit};
use super::board::Board;
use super::make_card::make_card;
use super::rates::measured;
use super::run::Run;
use super::scan::Scans;
use super::world::World;
use super::{Command, DiskList, ListedDisk, StartError, StopError, clock, survey};

/// The Supervisor is asked so often while nobody asks for more.
const ASK_EVERY: Duration = Duration::from_secs(60);
/// And so often while something stands in the way that passes by itself (P30).
const ASK_SOON: Duration = Duration::from_secs(5);

/// The channels that the handle reads from.
pub struct Outlets {
    pub commands: mpsc::Receiver<Command>,
    pub disks: watch::Sender<Arc<DiskList>>,
    pub system: watch::Sender<Arc<SystemView>>,
    pub scans: Scans,
}

struct Running {
    id: JobId,
    disk: DiskId,
    run: Rc<Run>,
    task: JoinHandle<Option<Card<Finished>>>,
}

type Answer = oneshot::Sender<Result<JobId, StartError>>;

/// A start on its way: the Supervisor is asked first, then everything that speaks against it is collected. Both wait for
/// others, so they are tasks of their own: a stop, a pulled card and the end of a job are not held up by them.
struct Starting {
    request: CardRequest,
    answer: Answer,
    /// `None` while the Supervisor is asked.
    admitting: Option<JoinHandle<Result<Admitted, StartError>>>,
}

pub struct Conductor {
    world: Rc<World>,
    board: Rc<Board>,
    out: Outlets,
    /// Where the rules differ from those of the app: scratch cards of any size (tests).
    any_size: bool,
    under: Result<Vec<DiskId>, String>,
    system: Arc<SystemView>,
    /// The Supervisor is being asked.
    asking: Option<JoinHandle<SystemView>>,
    starting: Option<Starting>,
    /// Starts that came meanwhile; each is judged once the one before it is.
    waiting: VecDeque<(CardRequest, Answer)>,
    running: Option<Running>,
    /// Finished cards that are still in their readers (WR-10).
    finished: Vec<(DiskId, Card<Finished>)>,
    notices: Vec<Warning>,
}

impl Conductor {
    pub fn new(world: World, board: Board, out: Outlets, any_size: bool, notices: Vec<Warning>) -> Conductor {
        let under = survey::under_folders(world.host.as_ref(), &[&world.data, &world.backup_dir]);
        // What is known at the start is not kept back until the Supervisor has answered.
        let system = Arc::new(SystemView { warnings: notices.clone(), ..SystemView::default() });
        out.system.send_replace(system.clone());
        Conductor {
            world: Rc::new(world),
            board: Rc::new(board),
            out,
            any_size,
            under,
            system,
            asking: None,
            starting: None,
            waiting: VecDeque::new(),
            running: None,
            finished: Vec::new(),
            notices,
        }
    }

    /// Until `ending` resolves or nobody holds a handle any more; then the running job is stopped and waited for.
    pub async fn run(mut self, mut ending: oneshot::Receiver<()>) {
        let mut asks = tokio::time::interval(ASK_EVERY);
        let mut soon = tokio::time::interval(ASK_SOON);
        asks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        soon.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = &mut ending => break,
                command = self.out.commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => break,
                },
                changed = self.out.scans.seen.changed() => {
                    if changed.is_err() { break }
                    self.list_disks();
                }
                _ = asks.tick() => self.ask_if_due(),
                _ = soon.tick(), if !self.system.problems.is_empty() => self.ask_if_due(),
                system = asked(&mut self.asking) => self.heard(system),
                admitted = admitted(&mut self.starting) => self.judged(admitted),
                card = finish(&mut self.running) => self.ended(card),
            }
        }
        self.close().await;
    }

    async fn close(&mut self) {
        if let Some(starting) = self.starting.take() {
            starting.admitting.iter().for_each(JoinHandle::abort);
            self.waiting.push_back((starting.request, starting.answer));
        }
        for (_, answer) in self.waiting.drain(..) {
            // Whoever asked may be gone.
            let _ = answer.send(Err(StartError::Closing));
        }
        if let Some(running) = self.running.take() {
            running.run.leave();
            // Its own waits are bounded; commit takes seconds.
            let _ = running.task.await;
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Start(request, answer) => {
                self.waiting.push_back((*request, answer));
                self.start_next();
            }
            Command::Stop(id, answer) => {
                let _ = answer.send(self.stop(id));
            }
            Command::Refresh => self.ask(),
            Command::RemoveKeptImage(answer) => {
                let _ = answer.send(self.remove_kept_image());
            }
        }
    }

    /// Takes the starts that wait, until one is on its way.
    fn start_next(&mut self) {
        while self.starting.is_none()
            && let Some((request, answer)) = self.waiting.pop_front()
        {
            if let Some(result) = self.known_answer(&request) {
                let _ = answer.send(result);
                continue;
            }
            self.starting = Some(Starting { request, answer, admitting: None });
            // What is asked for is judged by what is true now, not by what was a minute ago.
            if let Some(asking) = self.asking.take() {
                asking.abort();
            }
            self.ask();
            if self.asking.is_none() {
                self.admit_starting();
            }
        }
    }

    fn known_answer(&self, request: &CardRequest) -> Option<Result<JobId, StartError>> {
        if let Some(id) = request.once.as_ref().and_then(|once| self.started_by(once)) {
            return Some(Ok(id));
        }
        self.running.as_ref().map(|running| Err(StartError::Running(running.id)))
    }

    fn admit_starting(&mut self) {
        let disks = self.out.disks.borrow().clone();
        let raw: Vec<Disk> = disks.disks.iter().map(|listed| listed.disk.clone()).collect();
        let (world, system, rules) = (self.world.clone(), self.system.clone(), self.rules(&raw));
        if let Some(starting) = &mut self.starting {
            let request = starting.request.clone();
            let admit = async move { admit(&world, &system, &disks, &rules, &request).await };
            starting.admitting = Some(actix_web::rt::spawn(admit));
        }
    }

    fn judged(&mut self, admitted: Result<Admitted, StartError>) {
        if let Some(Starting { request, answer, .. }) = self.starting.take() {
            let result = admitted.and_then(|admitted| self.launch_if_still(request, admitted));
            let _ = answer.send(result);
        }
        self.start_next();
    }

    /// Seconds went by since it was admitted: the disk is judged again as it is now.
    fn launch_if_still(&mut self, request: CardRequest, admitted: Admitted) -> Result<JobId, StartError> {
        let disks = self.out.disks.borrow().clone();
        let listed = disks.find(&request.disk).ok_or(StartError::NoDisk)?;
        let raw: Vec<Disk> = disks.disks.iter().map(|listed| listed.disk.clone()).collect();
        // What has to fit onto it was compared by admission, with the backup that was chosen.
        let refused = may_overwrite(&listed.disk, &raw, &Rules { need: None, ..self.rules(&raw) });
        if !refused.is_empty() {
            return Err(StartError::Refused { disk: refused, problems: Vec::new() });
        }
        if listed.disk.fingerprint.as_ref() != Some(&request.seen)
            || request.plug.is_some_and(|plug| plug != listed.disk.plug)
        {
            return Err(StartError::Changed);
        }
        Ok(self.launch(request, &listed.disk, admitted))
    }

    fn started_by(&self, once: &str) -> Option<JobId> {
        self.board.all().iter().find(|job| job.request.once.as_deref() == Some(once)).map(|job| job.id)
    }

    fn launch(&mut self, request: CardRequest, disk: &Disk, admitted: Admitted) -> JobId {
        let id = self.board.next_id();
        let rates = self.board.all().iter().find_map(|job| measured(job)).unwrap_or_default();
        let run = Rc::new(new_run(&self.board, id, &request, disk, &admitted, rates, &Stage::ALL));
        let (world, plan, luggage, ours) = (self.world.clone(), admitted.image, admitted.luggage, run.clone());
        let task = actix_web::rt::spawn(async move {
            let result = make_card(&ours, &world, &request, plan, luggage).await;
            ours.end(result.as_ref().map(|_| ()).map_err(|ended| *ended));
            result.ok()
        });
        self.running = Some(Running { id, disk: disk.id.clone(), run, task });
        self.list_disks();
        id
    }

    fn stop(&self, id: JobId) -> Result<(), StopError> {
        let Some(running) = self.running.as_ref().filter(|running| running.id == id) else {
            return Err(self.board.job(id).map_or(StopError::NoJob, |_| StopError::Over));
        };
        let view = running.run.view();
        // Its end is published before the conductor hears of it.
        if view.state.is_over() {
            return Err(StopError::Over);
        }
        let at = |stage| view.stage(stage).is_some_and(|view| view.state == StageState::Running);
        if at(Stage::Commit) {
            return Err(StopError::Committing);
        }
        running.run.ask_to_stop();
        Ok(())
    }

    fn ended(&mut self, card: Option<Card<Finished>>) {
        if let Some(running) = self.running.take()
            && let Some(card) = card
        {
            self.finished.push((running.disk, card));
        }
        self.out.scans.look_again();
        // What is kept, what is free and which backups there are has changed.
        self.ask();
        self.list_disks();
    }

    fn remove_kept_image(&mut self) -> Result<(), Problem> {
        // A start that is being admitted may count on it.
        if self.running.is_some() || self.starting.is_some() {
            return Err(Problem::AlreadyRunning);
        }
        let removed = self.world.cache.remove();
        removed.map_err(|error| Problem::CannotSave { why: Phrase::foreign(chain(&error)) })?;
        let mut system = (*self.system).clone();
        system.kept_image = None;
        self.show_system(system);
        Ok(())
    }

    /// Asks the Supervisor, if it is not being asked; without one there is nothing to know.
    fn ask(&mut self) {
        if self.asking.is_some() || self.world.supervisor.is_none() {
            return;
        }
        let world = self.world.clone();
        self.asking = Some(actix_web::rt::spawn(async move { look_at_system(&world).await }));
    }

    /// One that was away is not asked more often than the wait after each try in vain allows.
    fn ask_if_due(&mut self) {
        if self.world.supervisor.as_ref().is_some_and(Supervisor::is_due) {
            self.ask();
        }
    }

    fn heard(&mut self, mut system: SystemView) {
        // Our own backup puts the Supervisor into "freeze": that is no news.
        if self.running.is_some() {
            system.problems.retain(|problem| *problem != Problem::BackupRunning);
        }
        system.warnings.extend(self.notices.iter().cloned());
        self.show_system(system);
        if self.starting.as_ref().is_some_and(|starting| starting.admitting.is_none()) {
            self.admit_starting();
        }
    }

    fn show_system(&mut self, system: SystemView) {
        self.system = Arc::new(system);
        self.out.system.send_replace(self.system.clone());
        self.list_disks();
    }

    fn rules(&self, disks: &[Disk]) -> Rules {
        let system = match self.system.known {
            true => survey::system_disks(&self.system.facts, self.under.clone(), disks),
            false => SystemDisks::Unknown("the Supervisor".into()),
        };
        let running = self.running.iter().map(|running| running.disk.clone());
        let claimed: BTreeSet<DiskId> = running.chain(self.finished.iter().map(|(id, _)| id.clone())).collect();
        let need = self.system.need.filter(|_| !self.any_size);
        Rules { system, need, claimed, allow_internal: false, as_file: self.any_size }
    }

    /// Publishes the disks with every reason against each, if anything about them changed.
    fn list_disks(&mut self) {
        self.finished.retain(|(_, card)| !card.is_gone());
        let Some(scan) = self.out.scans.seen.borrow_and_update().clone() else { return };
        let list = match scan.as_ref() {
            Err(why) => DiskList { known: true, disks: Vec::new(), failed: Some(why.clone()) },
            Ok(disks) => {
                let rules = self.rules(disks);
                let judge = |disk: &Disk| {
                    let refusals = may_overwrite(disk, disks, &rules);
                    ListedDisk { disk: disk.clone(), refusals }
                };
                DiskList { known: true, disks: disks.iter().map(judge).collect(), failed: None }
            }
        };
        self.out.disks.send_if_modified(|old| {
            let changed = **old != list;
            if changed {
                *old = Arc::new(list);
            }
            changed
        });
    }
}

async fn look_at_system(world: &World) -> SystemView {
    let kept = world.cache.kept().map(|kept| (kept.about.name.clone(), kept.about.size));
    let Some(supervisor) = &world.supervisor else { return SystemView::default() };
    match supervisor.system().await {
        Ok(reading) => survey::judge(reading.facts, kept),
        Err(error) => survey::silent(Phrase::foreign(chain(&error)), kept),
    }
}

/// Never, while the Supervisor is not asked.
async fn asked(asking: &mut Option<JoinHandle<SystemView>>) -> SystemView {
    let Some(task) = asking else { return std::future::pending().await };
    let heard = task.await;
    *asking = None;
    heard.unwrap_or_else(|_| survey::silent(Phrase::of("why-asking-broke"), None))
}

/// Never, while nothing is being admitted.
async fn admitted(starting: &mut Option<Starting>) -> Result<Admitted, StartError> {
    let Some(task) = starting.as_mut().and_then(|starting| starting.admitting.as_mut()) else {
        return std::future::pending().await;
    };
    task.await.unwrap_or_else(|_| {
        let short = Phrase::of("why-judging-broke");
        Err(StartError::Refused { disk: Vec::new(), problems: vec![Problem::Unexpected { short }] })
    })
}

/// Never, while nothing runs.
async fn finish(running: &mut Option<Running>) -> Option<Card<Finished>> {
    match running {
        // A recipe that panicked left its view as it was; the claim is released and the card blank.
        Some(running) => match (&mut running.task).await {
            Ok(card) => card,
            Err(_) => {
                running.run.end_unexpectedly();
                None
            }
        },
        None => std::future::pending().await,
    }
}

/// A run with all its stages waiting.
pub fn new_run(
    board: &Rc<Board>,
    id: JobId,
    request: &CardRequest,
    disk: &Disk,
    admitted: &Admitted,
    rates: Rates,
    stages: &[Stage],
) -> Run {
    let waiting = |stage: &Stage| StageView {
        stage: *stage,
        state: StageState::Waiting,
        amount: Amount::default(),
        rate: None,
        millis: 0,
        note: None,
    };
    let made = Made {
        app: Some(env!("CARGO_PKG_VERSION").into()),
        marks: DiskMarks { vendor: disk.vendor.clone(), model: disk.model.clone(), serial: disk.serial.clone() },
        board: admitted.board,
        version: admitted.version.clone(),
        ..Made::default()
    };
    let view = JobView {
        id,
        generation: 0,
        state: JobState::Running,
        card: CardBrief {
            id: disk.id.clone(),
            path: disk.path.clone(),
            name: disk.name(),
            size: disk.size,
            fingerprint: request.seen.clone(),
        },
        request: request.to_keep(),
        stages: stages.iter().map(waiting).collect(),
        percent: 0,
        remaining: None,
        warnings: admitted.warnings.clone(),
        problem: None,
        detail: None,
        card_now: CardNow::Untouched,
        started: clock::now(),
        ended: None,
        quiet: 0,
        made,
    };
    let run = Run::new(board.clone(), view, rates);
    let backup = if request.backup == BackupChoice::None { 0 } else { admitted.backup.0 };
    let (download, image) = (admitted.download.0, survey::IMAGE_GUESS.0);
    run.expect(|expected| *expected = Expected { download, image, backup, streams: admitted.image.streams() });
    run
}
