//! The ends of the real program on real descriptors. SIGKILL at random moments of a job, SIGTERM in each of its stages:
//! the card is finished or blank (or untouched, before anything was written), the ledger says *interrupted*, no child tool
//! goes on alone, and the next start works. And what it finds in its data folder when it starts again.
//!
//! `make test` kills 16 times, `make torture` 200 times.

#![expect(clippy::disallowed_types, reason = "the program itself is started, and judged by other tools")]

#[path = "support/program.rs"]
mod program;
#[path = "support/small.rs"]
mod small;
#[path = "support/torture.rs"]
mod support;

#[path = "kill/data.rs"]
mod data;
#[path = "kill/idle.rs"]
mod idle;
#[path = "kill/stages.rs"]
mod stages;

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use program::{Program, between, until};
use sd_swap::demo::stage::{Stage, StageSpec};
use sd_swap::domain::image::Board;
use sd_swap::domain::size::Bytes;
use support::{Verdict, fresh_card, is_long, make_image, scratch_dir, verdict};

/// The smallest that the rules allow; it takes no room until it is written.
const CARD: u64 = 7_200_002_048;

impl Program {
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).expect("sending a signal");
    }

    /// Waits for its end, no longer than this.
    pub fn ends_within(&mut self, most: Duration) -> ExitStatus {
        let end = Instant::now() + most;
        loop {
            if let Some(status) = self.child.try_wait().expect("waiting for it") {
                return status;
            }
            assert!(Instant::now() < end, "it does not end within {most:?}:\n{}", self.log.all());
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Kills it, as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().expect("killing it");
        self.child.wait().expect("waiting for it");
    }
}

/// A card, a data folder and stand-ins.
struct Bench {
    dir: tempfile::TempDir,
    stage: Stage,
    card: PathBuf,
    data: PathBuf,
}

impl Bench {
    fn new() -> Bench {
        Bench::with(|_| ())
    }

    fn with(change: impl FnOnce(&mut StageSpec)) -> Bench {
        let dir = scratch_dir();
        let image = make_image(dir.path(), Board::Rpi4_64);
        let version = "18.2".parse().expect("a version");
        let tiny = StageSpec::tiny(Board::Rpi4_64, version);
        let mut spec = StageSpec { card_size: Bytes(CARD), backup_size: Bytes(500_000), ..tiny };
        change(&mut spec);
        let stage = Stage::with_image(dir.path(), spec, image).expect("putting up the stand-ins");
        let (card, data) = (dir.path().join("card-to-kill.img"), dir.path().join("data"));
        Bench { dir, stage, card, data }
    }

    fn program(&self) -> Program {
        self.program_with("")
    }

    /// `speeds`: of the card, as `,write=5`.
    fn program_with(&self, speeds: &str) -> Program {
        Program::start(&mut between(&self.stage, &format!("{}{speeds}", self.card.display()), &self.data))
    }

    /// How long a job takes here when nobody kills it.
    fn whole_job(&self) -> Duration {
        fresh_card(&self.card, CARD);
        let program = self.program();
        let begun = Instant::now();
        let id = program.start_job();
        let done = until(|| (program.state(&id) == "done").then_some(()));
        done.unwrap_or_else(|| panic!("the job ended {:?}", program.ask("GET", &format!("/api/jobs/{id}"), "")));
        let took = begun.elapsed();
        program.kill();
        assert_eq!(verdict(&self.card, None), Ok(Verdict::Finished));
        took
    }
}

#[test]
fn killed_at_random_moments_the_card_is_finished_or_blank() {
    let bench = Bench::new();
    let whole = bench.whole_job();
    let kills = if is_long() { 200 } else { 16 };
    let mut tally = [0; 3];
    let mut random: u64 = 0x5eed;
    for kill in 0..kills {
        fresh_card(&bench.card, CARD);
        let program = bench.program();
        let id = program.start_job();
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The moment is what is random here; nothing is waited for.
        std::thread::park_timeout(whole.mul_f64(1.3 * (random >> 40) as f64 / (1u64 << 24) as f64));
        let state = program.state(&id);
        program.kill();
        let what = format!("kill {kill}, job {id} {state}");
        let found = verdict(&bench.card, None).unwrap_or_else(|why| panic!("{what}: in between: {why}"));
        tally[found as usize] += 1;
        let again = bench.program();
        let after = again.state(&id);
        match state.as_str() {
            "done" | "failed" => assert_eq!(after, state, "{what}"),
            // The end may have come between the look and the kill.
            _ if after == "done" => assert_eq!(found, Verdict::Finished, "{what}"),
            _ => assert_eq!(after, "interrupted", "{what}"),
        }
        // No child went on alone: it would hold the card, and the claim of the next round would find it busy.
        again.card();
        again.kill();
    }
    let last = bench.whole_job();
    println!(
        "{kills} kills over {:.1} s each: {} untouched, {} blank, {} finished, 0 in between; the next job took {:.1} s",
        whole.as_secs_f64(),
        tally[0],
        tally[1],
        tally[2],
        last.as_secs_f64()
    );
    drop(bench.dir);
}
