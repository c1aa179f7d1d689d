//! A seeded simulator: the whole machine (conductor, recipe, scratch card, stand-ins over real HTTP) under random faults,
//! pulls, power cuts, kills, cancels and clicks. What happens is bound to the count of operations on the card, not to time,
//! so a failing seed happens again: `SD_SWAP_SEED=1234 cargo test --test simulate`.
//!
//! `make test` runs 150 seeds, `make torture` 10,000.

#![expect(clippy::disallowed_types, reason = "what was made is judged by other tools")]

#[path = "support/torture.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sd_swap::demo::releases::Fault as ReleaseFault;
use sd_swap::demo::stage::{Stage, StageSpec};
use sd_swap::demo::supervisor::{AnswerFault, BackupFault, Fault as SupervisorFault};
use sd_swap::domain::carry::Carry;
use sd_swap::domain::chance::SplitMix64;
use sd_swap::domain::disk::DiskId;
use sd_swap::domain::image::Board;
use sd_swap::domain::job::{BackupChoice, CardNow, CardRequest, ImageChoice, JobId, JobState, JobView};
use sd_swap::domain::pace::Pace;
use sd_swap::domain::size::Bytes;
use sd_swap::host::scratch::fault::{Damage, Fault, Gate};
use sd_swap::host::scratch::{ScratchHost, ScratchSpec};
use sd_swap::jobs::start::{JobsThread, Plan, start};
use sd_swap::jobs::{Jobs, StartError, StopError};
use support::{Verdict, fresh_card, is_long, make_image, scratch_dir, verdict};

const CARD: u64 = 40 << 20;
/// Far more than any job takes, also on a machine with much else to do; what is not over by then hangs.
const PATIENCE: Duration = Duration::from_secs(240);
const BOARDS: [Board; 4] = [Board::Rpi4_64, Board::GenericX86_64, Board::OdroidN2, Board::OdroidM1];

/// Its numbers depend on its seed alone.
struct Dice(SplitMix64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0.draw() % sides
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.roll(100) < chance
    }
}

/// Something a user, or fate, does while an operation on the card waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Click {
    Stop,
    StartAgain,
    StartSameForm,
    Refresh,
    RemoveImage,
    Pull,
    /// SIGTERM: the program ends in the middle.
    End,
}

/// Everything that is to happen in one run.
#[derive(Debug)]
struct Script {
    board: Board,
    card: Vec<(u64, Fault)>,
    damage: Vec<(u64, Damage)>,
    supervisor: Option<SupervisorFault>,
    releases: Option<ReleaseFault>,
    click: Option<(u64, Click)>,
    existing_backup: bool,
}

impl Script {
    /// The program is told to end in the middle.
    fn ends(&self) -> bool {
        matches!(self.click, Some((_, Click::End)))
    }

    fn of(seed: u64) -> Script {
        let mut dice = Dice(SplitMix64(seed));
        let board = BOARDS[dice.roll(BOARDS.len() as u64) as usize];
        let faults = if dice.percent(60) { 1 + dice.roll(2) } else { 0 };
        let card = (0..faults).map(|_| (dice.roll(90), card_fault(&mut dice))).collect();
        let damage = if dice.percent(15) { vec![(dice.roll(30) << 20, damage(&mut dice))] } else { Vec::new() };
        let supervisor = dice.percent(25).then(|| supervisor_fault(&mut dice));
        let releases = dice.percent(25).then(|| release_fault(&mut dice));
        let click = dice.percent(50).then(|| (dice.roll(80), click(&mut dice)));
        Script { board, card, damage, supervisor, releases, click, existing_backup: dice.percent(20) }
    }
}

fn card_fault(dice: &mut Dice) -> Fault {
    match dice.roll(7) {
        0 | 1 => Fault::Fails,
        2 => Fault::Pulled,
        3 | 4 => Fault::PowerCut { seed: dice.roll(u64::MAX) },
        5 => Fault::Killed,
        _ => Fault::ToolDies,
    }
}

fn damage(dice: &mut Dice) -> Damage {
    match dice.roll(5) {
        0 => Damage::BitFlips { heals_after_writes: 1 + dice.roll(2) as u32 },
        1 => Damage::BitFlips { heals_after_writes: u32::MAX },
        2 => Damage::Zeros { heals_after_writes: 1 + dice.roll(2) as u32 },
        3 => Damage::Unsteady,
        _ => Damage::Unreadable,
    }
}

fn supervisor_fault(dice: &mut Dice) -> SupervisorFault {
    let down = Duration::from_millis(20);
    match dice.roll(14) {
        0 => SupervisorFault::Backup(BackupFault::CoreRefuses),
        1 => SupervisorFault::Backup(BackupFault::AppFails("core_mosquitto".into())),
        2 => SupervisorFault::Backup(BackupFault::NoSpace),
        3 => SupervisorFault::Backup(BackupFault::NotBegun),
        4 => SupervisorFault::Backup(BackupFault::Killed { down }),
        5 => SupervisorFault::Backup(BackupFault::RestartedAtEnd { down }),
        6 => SupervisorFault::Backup(BackupFault::FileLost),
        7 => SupervisorFault::Backup(BackupFault::NotListed),
        8 => SupervisorFault::times(1 + dice.roll(3) as u32, "/jobs/info", AnswerFault::Drop),
        9 => SupervisorFault::times(1, "/jobs/info", AnswerFault::Garbage),
        10 => SupervisorFault::times(2, "/os/info", AnswerFault::Status(502)),
        11 => SupervisorFault::at("/hardware/info", AnswerFault::Huge),
        12 => SupervisorFault::every(AnswerFault::NotReady),
        _ => SupervisorFault::every(AnswerFault::Forbidden),
    }
}

fn release_fault(dice: &mut Dice) -> ReleaseFault {
    match dice.roll(9) {
        0 | 1 => ReleaseFault::DropAfter { bytes: dice.roll(200_000), times: 1 + dice.roll(3) as u32 },
        2 => ReleaseFault::IgnoreRange,
        3 => ReleaseFault::WrongDigest,
        4 => ReleaseFault::MissingDigest,
        5 => ReleaseFault::NoRelease,
        6 => ReleaseFault::RateLimited,
        7 => ReleaseFault::Garbage,
        _ => ReleaseFault::RedirectLoop,
    }
}

fn click(dice: &mut Dice) -> Click {
    use Click as C;
    let clicks = [C::Stop, C::Stop, C::StartAgain, C::StartSameForm, C::Refresh, C::RemoveImage, C::Pull, C::End];
    clicks[dice.roll(clicks.len() as u64) as usize]
}

/// The image of each board, made once: packing takes longer than a seed.
struct Images(tempfile::TempDir);

impl Images {
    fn make() -> Images {
        let dir = scratch_dir();
        for board in BOARDS {
            let of_board = dir.path().join(board.slug());
            std::fs::create_dir(&of_board).expect("making a folder");
            make_image(&of_board, board);
        }
        Images(dir)
    }

    fn of(&self, board: Board) -> PathBuf {
        self.0.path().join(board.slug()).join("image.img.xz")
    }
}

/// One worker's stand-ins, used for seed after seed.
struct Lab<'a> {
    images: &'a Images,
    dir: tempfile::TempDir,
    stages: Vec<(Board, Stage)>,
    seeds: u64,
}

/// Each seed leaves a backup; a list of thousands would only make the later seeds slow.
const SEEDS_OF_A_STAGE: u64 = 60;

impl<'a> Lab<'a> {
    fn new(images: &'a Images) -> Lab<'a> {
        Lab { images, dir: scratch_dir(), stages: Vec::new(), seeds: 0 }
    }

    fn stage(&mut self, board: Board) -> &Stage {
        self.seeds += 1;
        if self.seeds.is_multiple_of(SEEDS_OF_A_STAGE) {
            self.stages.clear();
        }
        if let Some(at) = self.stages.iter().position(|(known, _)| *known == board) {
            return &self.stages[at].1;
        }
        let dir = self.dir.path().join(board.slug());
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("making a folder");
        let image = self.images.of(board);
        let tiny = StageSpec::tiny(board, "18.2".parse().expect("a version"));
        let spec = StageSpec { card_size: Bytes(CARD), backup_size: Bytes(60_000), ..tiny };
        let stage = Stage::with_image(&dir, spec, image).expect("putting up the stand-ins");
        stage.supervisor.configure(|config| config.step = Duration::from_millis(1));
        self.stages.push((board, stage));
        &self.stages[self.stages.len() - 1].1
    }
}

/// A program's life over one card file.
struct World<'a> {
    stage: &'a Stage,
    card: PathBuf,
    host: ScratchHost,
    id: DiskId,
    jobs: Jobs,
    thread: Option<JobsThread>,
}

impl<'a> World<'a> {
    fn begin(stage: &'a Stage, card: &Path, data: &Path) -> World<'a> {
        let host = ScratchHost::new();
        let id = host.add("sda", ScratchSpec::new(card));
        // Nobody is silent here, so a machine that is busy with other seeds must not look as if somebody were.
        let long = Duration::from_secs(20);
        let pace =
            Pace { answer: Duration::from_secs(5), backup_silence: long, download_silence: long, ..Pace::brisk() };
        let plan = Plan { host: Arc::new(host.clone()), data: data.into(), pace, ..stage.plan() };
        let (jobs, thread) = start(plan).expect("starting the jobs thread");
        World { stage, card: card.into(), host, id, jobs, thread: Some(thread) }
    }

    fn request(&self, backup: BackupChoice, once: &str) -> Option<CardRequest> {
        let seen = until(|| {
            let list = self.jobs.disks();
            let disk = &list.find(&self.id)?.disk;
            disk.fingerprint.clone()
        })?;
        Some(CardRequest {
            disk: self.id.clone(),
            seen,
            plug: None,
            backup,
            image: ImageChoice::Running,
            board: None,
            carry: Carry::usual(),
            once: Some(once.into()),
        })
    }

    fn start(&self, request: CardRequest) -> Result<JobId, StartError> {
        block(self.jobs.start(request))
    }

    fn view(&self, id: JobId) -> JobView {
        (*self.jobs.job(id).expect("a started job is known")).clone()
    }

    fn end(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.end();
        }
    }
}

fn block<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await.expect("an answer in time") })
}

/// Looks until there is something, or patience ends.
fn until<T>(look: impl Fn() -> Option<T>) -> Option<T> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(found) = look() {
            return Some(found);
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
    None
}

fn simulate(lab: &mut Lab<'_>, seed: u64) {
    let script = Script::of(seed);
    let what = format!("seed {seed}: {script:?}");
    let (card, data) = (lab.dir.path().join("card.img"), lab.dir.path().join("data"));
    let _ = std::fs::remove_dir_all(&data);
    std::fs::create_dir_all(&data).expect("making a folder");
    fresh_card(&card, CARD);
    let stage = lab.stage(script.board);
    stage.supervisor.clear_faults();
    stage.releases.clear_faults();
    let mut world = World::begin(stage, &card, &data);
    let backup = if script.existing_backup { existing_backup(&world) } else { BackupChoice::New };
    if let Some(view) = disturbed(&mut world, &script, backup, &what) {
        judge(&world, &view, script.ends(), &what);
    }
    stage.supervisor.clear_faults();
    stage.releases.clear_faults();
    world.end();
    nothing_left(&data, &what);
    // Each promise of a next job costs as much as all the rest: the exhaustive run (`tests/torture.rs`) makes every one.
    if seed.is_multiple_of(5) {
        undisturbed(stage, &card, &data, &what);
    }
}

/// One that the Supervisor has; the first run of a worker makes it.
fn existing_backup(world: &World<'_>) -> BackupChoice {
    let listed = || world.jobs.system().known.then(|| world.jobs.system().facts.backups.clone()).flatten();
    let newest = until(listed).and_then(|backups| backups.into_iter().next());
    newest.map_or(BackupChoice::New, |backup| BackupChoice::Existing { slug: backup.facts.slug, have_key: false })
}

/// The run in which things go wrong. `None`: nothing was started.
fn disturbed(world: &mut World<'_>, script: &Script, backup: BackupChoice, what: &str) -> Option<JobView> {
    let request = world.request(backup, "form 1").unwrap_or_else(|| panic!("{what}: the card is not listed"));
    let faults = world.host.faults(&world.id);
    let gate = Gate::default();
    for (n, fault) in &script.card {
        faults.at(*n, fault.clone());
    }
    for (from, damage) in &script.damage {
        faults.damage(*from..*from + 4096, damage.clone());
    }
    if let Some((n, _)) = script.click {
        faults.at(n, Fault::Waits(gate.clone()));
    }
    script.supervisor.iter().for_each(|fault| world.stage.supervisor.set_fault(fault.clone()));
    script.releases.iter().for_each(|fault| world.stage.releases.set_fault(fault.clone()));
    let id = match world.start(request.clone()) {
        Ok(id) => id,
        Err(error) => {
            refused_rightly(&error, what);
            gate.open();
            assert_eq!(verdict(&world.card, None), Ok(Verdict::Untouched), "{what}");
            return None;
        }
    };
    let over = || world.view(id).state.is_over();
    until(|| (gate.is_reached() || over()).then_some(())).unwrap_or_else(|| panic!("{what}: hangs"));
    if let (Some((_, click)), false) = (script.click, over()) {
        act(world, click, id, &request, &gate, what);
    }
    gate.open();
    until(|| world.view(id).state.is_over().then_some(())).unwrap_or_else(|| panic!("{what}: hangs"));
    Some(world.view(id))
}

fn refused_rightly(error: &StartError, what: &str) {
    match error {
        StartError::Refused { disk, problems } => assert!(!disk.is_empty() || !problems.is_empty(), "{what}"),
        other => panic!("{what}: {other:?}"),
    }
}

fn act(world: &mut World<'_>, click: Click, id: JobId, request: &CardRequest, gate: &Gate, what: &str) {
    match click {
        Click::Stop => {
            let stopped = block(world.jobs.stop(id));
            assert!(matches!(stopped, Ok(()) | Err(StopError::Committing | StopError::Over)), "{what}: {stopped:?}");
        }
        Click::StartAgain => {
            let other = CardRequest { once: Some("form 2".into()), ..request.clone() };
            assert_eq!(world.start(other), Err(StartError::Running(id)), "{what}");
        }
        Click::StartSameForm => assert_eq!(world.start(request.clone()), Ok(id), "{what}"),
        Click::Refresh => block(world.jobs.refresh()),
        Click::RemoveImage => {
            let removed = block(world.jobs.remove_kept_image());
            assert!(removed.is_err(), "{what}: removed under a running job");
        }
        Click::Pull => world.host.pull(&world.id),
        Click::End => {
            // The end waits for the worker, which waits at the gate.
            let thread = world.thread.take().expect("it runs");
            let ending = std::thread::spawn(move || thread.end());
            gate.open();
            until(|| ending.is_finished().then_some(())).unwrap_or_else(|| panic!("{what}: the end hangs"));
        }
    }
}

/// The promise: blank or finished (or untouched, where nothing had been written), and the view says which.
/// Only the program's own end interrupts a job.
fn judge(world: &World<'_>, view: &JobView, ended: bool, what: &str) {
    let backup = view.made.backup.as_ref().map(|slug| world.stage.supervisor.backup_dir().join(slug.file_name()));
    let backup = backup.filter(|path| path.is_file());
    let found = verdict(&world.card, backup.as_deref()).unwrap_or_else(|why| panic!("{what}: in between: {why}"));
    let said = match view.card_now {
        CardNow::Untouched => Some(Verdict::Untouched),
        CardNow::Blank => Some(Verdict::Blank),
        CardNow::Finished => Some(Verdict::Finished),
        CardNow::Unknown => None,
    };
    assert!(said.is_none_or(|said| said == found), "{what}: said {said:?}, is {found:?} ({:?})", view.detail);
    match view.state {
        JobState::Done => assert_eq!(found, Verdict::Finished, "{what}"),
        JobState::Failed => assert!(view.problem.is_some(), "{what}"),
        JobState::Cancelled => assert!(view.problem.is_none(), "{what}"),
        JobState::Interrupted => assert!(ended, "{what}: nobody ended the program"),
        state => panic!("{what}: ended {state:?}"),
    }
}

/// Once a program has ended nothing half-written is left of it.
fn nothing_left(data: &Path, what: &str) {
    let names = std::fs::read_dir(data).expect("reading the data folder");
    let names = names.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
    let unfinished: Vec<_> = names.filter(|name| name.ends_with(".new") || name.ends_with(".tmp")).collect();
    assert_eq!(unfinished, Vec::<String>::new(), "{what}");
}

/// After all of it: a new program on the same data and the same card makes it.
fn undisturbed(stage: &Stage, card: &Path, data: &Path, what: &str) {
    let mut world = World::begin(stage, card, data);
    let refused = std::cell::RefCell::new(None);
    // A backup that an earlier run left the Supervisor with goes on; it is waited for as a user would.
    let id = until(|| {
        let request = world.request(BackupChoice::New, "next")?;
        match world.start(request) {
            Ok(id) => Some(id),
            Err(error @ StartError::Refused { .. }) => {
                refused.replace(Some(error));
                None
            }
            Err(error) => panic!("after {what}: {error:?}"),
        }
    });
    let id = id.unwrap_or_else(|| panic!("after {what}: the next job does not start: {:?}", refused.take()));
    until(|| world.view(id).state.is_over().then_some(())).unwrap_or_else(|| panic!("after {what}: hangs"));
    let view = world.view(id);
    assert_eq!(view.state, JobState::Done, "after {what}: {:?} {:?}", view.problem, view.detail);
    judge(&world, &view, false, what);
    world.end();
}

const LONG: u64 = 10_000;
/// Seeds of one process of the long form.
const BLOCK: u64 = 250;

#[test]
fn whatever_happens_the_card_is_finished_or_blank() {
    let number = |name| std::env::var(name).ok().map(|n| n.parse::<u64>().expect("a number"));
    if let Some(seed) = number("SD_SWAP_SEED") {
        return simulate(&mut Lab::new(&Images::make()), seed);
    }
    let first = number("SD_SWAP_FIRST_SEED").unwrap_or(0);
    match number("SD_SWAP_SEEDS") {
        Some(seeds) => run_seeds(first, seeds, 1),
        None if is_long() => run_in_processes(first),
        None => run_seeds(first, 150, 3),
    }
}

/// A seed mostly waits for child tools and short time-outs, so there are a few workers.
fn run_seeds(first: u64, seeds: u64, workers: usize) {
    let (images, next) = (Images::make(), AtomicU64::new(first));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let mut lab = Lab::new(&images);
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds {
                        break;
                    }
                    simulate(&mut lab, seed);
                }
            });
        }
    });
    println!("{seeds} seeds from {first} on");
}

/// Thousands in processes of their own: starting a tool copies the tables of all memory, which grows with the workers, and
/// each thread that ends interrupts every core that runs another of its process.
fn run_in_processes(first: u64) {
    let (next, begun) = (AtomicU64::new(first), Instant::now());
    let one = |from: u64| {
        let mut command = std::process::Command::new(std::env::current_exe().expect("our own path"));
        command.args(["--exact", "whatever_happens_the_card_is_finished_or_blank", "--nocapture"]);
        command.env("SD_SWAP_FIRST_SEED", from.to_string()).env("SD_SWAP_SEEDS", BLOCK.to_string());
        let ended = command.status().expect("starting ourselves");
        if !ended.success() {
            next.store(u64::MAX / 2, Ordering::Relaxed);
            panic!("a seed from {from} to {} failed", from + BLOCK - 1);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(3, |cores| cores.get() + 1) {
            scope.spawn(|| {
                loop {
                    let from = next.fetch_add(BLOCK, Ordering::Relaxed);
                    if from >= first + LONG {
                        break;
                    }
                    one(from);
                    println!("seeds {from} to {}: {:.0} s", from + BLOCK - 1, begun.elapsed().as_secs_f64());
                }
            });
        }
    });
    println!("{LONG} seeds from {first} on");
}
