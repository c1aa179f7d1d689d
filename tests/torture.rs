//! Every operation of a whole job fails once, one run for each: reads, writes, flushes, child tools, claims. And at each of
//! them the power goes, the card is pulled, the process is killed. After each the card is finished or blank (or untouched,
//! where nothing had been written), there is one clear error, the claim is released, and the next job runs.
//!
//! `make test` runs a share, `make torture` all of it.

#![expect(clippy::disallowed_types, reason = "what was made is judged by other tools")]

#[path = "support/torture.rs"]
mod support;

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sd_swap::demo::image::{ImageSpec, Shape, make_raw};
use sd_swap::demo::supervisor::{PackPlan, StandinConfig, write_backup};
use sd_swap::domain::carry::{Carry, Given};
use sd_swap::domain::disk::DiskId;
use sd_swap::domain::image::Board;
use sd_swap::domain::job::{BackupChoice, CardNow, CardRequest, ImageChoice, JobState, JobView};
use sd_swap::domain::pace::Pace;
use sd_swap::domain::problem::Problem;
use sd_swap::host::Host;
use sd_swap::host::scratch::fault::{Fault, Gate, Op};
use sd_swap::host::scratch::{ScratchHost, ScratchSpec};
use sd_swap::jobs::solo::{PcRules, Recipe, solo};
use sd_swap::jobs::start::Plan;
use support::{Verdict, fresh_card, is_long, make_image, scratch_dir, verdict};

const CARD: u64 = 48 << 20;

fn make_backup(dir: &Path) -> PathBuf {
    let config = StandinConfig::new(dir);
    let plan = PackPlan { size: 60_000, ..PackPlan::of(&config, "0a1b2c3d", "a backup") };
    let path = dir.join("backup.tar");
    write_backup(&path, &plan).expect("writing the backup");
    path
}

struct Bench {
    dir: tempfile::TempDir,
    image: PathBuf,
    backup: PathBuf,
    card: PathBuf,
}

impl Bench {
    fn new(board: Board) -> Bench {
        let dir = scratch_dir();
        let (image, backup) = (make_image(dir.path(), board), make_backup(dir.path()));
        let card = dir.path().join("card.img");
        Bench { dir, image, backup, card }
    }

    fn host(&self) -> (ScratchHost, DiskId) {
        let host = ScratchHost::new();
        let id = host.add("sda", ScratchSpec::new(&self.card));
        (host, id)
    }

    fn job(&self, host: &ScratchHost, id: &DiskId) -> JobView {
        let disks = host.disks().expect("listing the disks");
        let disk = disks.iter().find(|disk| disk.id == *id).expect("the card is there");
        let request = CardRequest {
            disk: id.clone(),
            seen: disk.fingerprint.clone().expect("the card can be read"),
            plug: None,
            backup: BackupChoice::File(self.backup.clone()),
            image: ImageChoice::File(self.image.clone()),
            board: None,
            carry: Carry::of(Given { hostname: "villa".parse().ok(), network: None }),
            once: None,
        };
        let plan = Plan { data: self.dir.path().join("data"), ..Plan::pc(Arc::new(host.clone()), Pace::brisk()) };
        let rules = PcRules { allow_internal: false, as_file: true };
        let work = solo(&plan, rules, Recipe::MakeCard, request, |_| (), std::future::pending());
        actix_web::rt::System::new().block_on(work).expect("the job starts")
    }

    /// Files besides those that belong here.
    fn left_over(&self) -> Vec<String> {
        let known = ["image.img.xz", "backup.tar", "card.img"];
        let names = std::fs::read_dir(self.dir.path()).expect("reading the folder");
        let names = names.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        names.filter(|name| !known.contains(&name.as_str())).collect()
    }
}

/// The promise after any fault, and that the next job runs.
fn judge(bench: &Bench, view: &JobView, what: &str) {
    let found = verdict(&bench.card, Some(&bench.backup)).unwrap_or_else(|why| panic!("{what}: in between: {why}"));
    let claimed = match view.card_now {
        CardNow::Untouched => Some(Verdict::Untouched),
        CardNow::Blank => Some(Verdict::Blank),
        CardNow::Finished => Some(Verdict::Finished),
        CardNow::Unknown => None,
    };
    // What cannot be reached any more cannot be known; what is said to be known has to be true.
    assert!(claimed.is_none_or(|claimed| claimed == found), "{what}: said {claimed:?}, is {found:?}");
    match view.state {
        JobState::Done => assert_eq!(found, Verdict::Finished, "{what}"),
        JobState::Failed => {
            let words = view.problem.as_ref().unwrap_or_else(|| panic!("{what}: failed without a problem")).words();
            let said = [&words.title, &words.happened, &words.todo];
            assert!(said.iter().all(|text| !text.trim().is_empty()), "{what}: {words:?}");
        }
        state => panic!("{what}: ended {state:?}"),
    }
    assert_eq!(bench.left_over(), Vec::<String>::new(), "{what}");
}

fn next_job_runs(bench: &Bench, what: &str) {
    let (host, id) = bench.host();
    let view = bench.job(&host, &id);
    assert_eq!(view.state, JobState::Done, "after {what}: {:?} {:?}", view.problem, view.detail);
    assert_eq!(verdict(&bench.card, Some(&bench.backup)), Ok(Verdict::Finished), "after {what}");
}

/// The operations of a job in which nothing fails.
fn clean_run(bench: &Bench) -> Vec<Op> {
    fresh_card(&bench.card, CARD);
    let (host, id) = bench.host();
    let view = bench.job(&host, &id);
    assert_eq!(view.state, JobState::Done, "{:?} {:?}", view.problem, view.detail);
    assert_eq!(verdict(&bench.card, Some(&bench.backup)), Ok(Verdict::Finished));
    host.faults(&id).log()
}

/// One run for each operation that `picked` takes.
fn each(board: Board, fault: fn(u64) -> Fault, picked: fn(usize, &Op) -> bool) -> usize {
    let bench = Bench::new(board);
    let operations = clean_run(&bench);
    let mut runs = 0;
    for (number, operation) in operations.iter().enumerate().filter(|(number, op)| picked(*number, op)) {
        let fault = fault(number as u64);
        let what = format!("{}: {fault:?} at operation {number}, {operation:?}", board.slug());
        fresh_card(&bench.card, CARD);
        let (host, id) = bench.host();
        host.faults(&id).at(number as u64, fault);
        let view = bench.job(&host, &id);
        judge(&bench, &view, &what);
        // A claim that somebody still held would make this one busy.
        if is_long() || number.is_multiple_of(4) {
            next_job_runs(&bench, &what);
        }
        runs += 1;
    }
    println!("{}: {runs} runs of {} operations", board.slug(), operations.len());
    runs
}

/// In the short form the first, every fifth, and all of blanking and commit (which are the first and last 15).
fn share(number: usize, _: &Op) -> bool {
    is_long() || number < 8 || number.is_multiple_of(5)
}

#[test]
fn every_operation_fails_once() {
    let all = |_: usize, _: &Op| true;
    assert!(each(Board::Rpi4_64, |_| Fault::Fails, all) > 80);
}

#[test]
fn every_operation_fails_once_with_an_mbr() {
    assert!(each(Board::OdroidN2, |_| Fault::Fails, share) > 15);
}

#[test]
fn the_power_goes_at_every_operation() {
    let writes = |_: usize, op: &Op| is_long() || matches!(op, Op::Write { .. } | Op::Flush);
    assert!(each(Board::GenericX86_64, |n| Fault::PowerCut { seed: n.wrapping_mul(0x9e37_79b9) }, writes) > 25);
}

#[test]
fn the_card_is_pulled_at_every_operation() {
    assert!(each(Board::OdroidM1, |_| Fault::Pulled, share) > 15);
}

#[test]
fn the_process_dies_at_every_operation() {
    let writes = |_: usize, op: &Op| is_long() || matches!(op, Op::Write { .. } | Op::Tool(_));
    assert!(each(Board::Green, |_| Fault::Killed, writes) > 20);
}

/// The image lies where others can write: what is written has to be the file that was verified (IM-2).
#[test]
fn an_image_that_changes_while_it_is_written_does_not_stay() {
    let bench = Bench::new(Board::Rpi4_64);
    let raw = bench.dir.path().join("image.img.xz");
    let spec = ImageSpec { version: "18.2".parse().expect("a version"), shape: Shape::Tiny, seed: 7 };
    make_raw(Board::Rpi4_64, &spec, &raw).expect("making the image");
    let operations = clean_run(&bench);
    let image_begins =
        operations.iter().rposition(|op| matches!(op, Op::Write { length: 4096, .. })).expect("probing") + 8;
    fresh_card(&bench.card, CARD);
    let (host, id) = bench.host();
    let gate = Gate::default();
    host.faults(&id).at(image_begins as u64, Fault::Waits(gate.clone()));
    let view = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !gate.is_reached() {
                std::thread::yield_now();
            }
            let image = std::fs::OpenOptions::new().write(true).open(&raw).expect("opening the image");
            let end = image.metadata().expect("its length").len();
            image.write_all_at(b"X", end - (1 << 20)).expect("changing the image");
            gate.open();
        });
        bench.job(&host, &id)
    });
    judge(&bench, &view, "a changed image");
    assert_eq!((view.state, view.card_now), (JobState::Failed, CardNow::Blank));
    assert_eq!(view.problem, Some(Problem::DownloadDamaged), "{:?}", view.detail);
}
