//! SIGTERM in every stage of a job, and twice.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use sd_swap::demo::releases::Fault;
use serde_json::Value;

use crate::support::{Verdict, fresh_card, verdict};
use crate::{Bench, CARD};

/// `config.yaml` gives five minutes. Longest here is a write that the slow card still takes, and the blanking after it.
const SOON: Duration = Duration::from_secs(20);

/// A stage, and what makes it last long enough to be met.
struct Case {
    stage: &'static str,
    /// Of the card.
    speeds: &'static str,
    slow_download: bool,
    slow_backup: bool,
    /// The step that says that it was stopped: this one, or the next where this one is too short to be stopped.
    stopped: &'static str,
    /// What the job is then, and what may be on its card.
    state: &'static str,
    cards: &'static [Verdict],
}

const fn case(stage: &'static str, speeds: &'static str, cards: &'static [Verdict]) -> Case {
    Case { stage, speeds, slow_download: false, slow_backup: false, stopped: stage, state: "interrupted", cards }
}

const CASES: [Case; 8] = [
    Case { stopped: "download", ..case("preflight", ",read=2", &[Verdict::Untouched]) },
    Case { slow_backup: true, ..case("backup", "", &[Verdict::Untouched, Verdict::Blank]) },
    Case { slow_download: true, ..case("download", "", &[Verdict::Untouched]) },
    case("write", ",write=4", &[Verdict::Untouched, Verdict::Blank]),
    case("verify", ",read=8", &[Verdict::Blank]),
    case("grow", "", &[Verdict::Blank]),
    case("inject", ",read=10", &[Verdict::Blank]),
    // It takes seconds, and is finished.
    Case { state: "done", ..case("commit", ",write=4", &[Verdict::Finished]) },
];

fn step<'a>(job: &'a Value, stage: &str) -> &'a Value {
    let steps = job["steps"].as_array().expect("steps");
    steps.iter().find(|step| step["id"] == stage).expect("the step")
}

#[test]
fn sigterm_in_every_stage_leaves_a_card_that_is_finished_or_blank() {
    let bench = Bench::with(|spec| spec.backup_size = sd_swap::domain::size::Bytes(4_000_000));
    for case in CASES {
        // A stage that takes a few milliseconds may be over before the signal arrives.
        let begun = Instant::now();
        let tries = (1..=10).find(|_| is_met(&bench, &case));
        assert!(tries.is_some(), "SIGTERM never came in {}", case.stage);
        println!("{}: {:.1} s, try {}", case.stage, begun.elapsed().as_secs_f64(), tries.unwrap_or_default());
    }
}

/// Whether the signal came while the stage ran.
fn is_met(bench: &Bench, case: &Case) -> bool {
    let (what, releases, supervisor) = (case.stage, &bench.stage.releases, &bench.stage.supervisor);
    releases.clear_faults();
    if case.slow_download {
        let _ = std::fs::remove_dir_all(bench.data.join("images"));
        releases.set_fault(Fault::Slow { per_second: 20_000 });
    }
    supervisor.configure(|config| config.backup_speed = case.slow_backup.then_some(2_000_000));
    fresh_card(&bench.card, CARD);
    let mut program = bench.program_with(case.speeds);
    let id = program.start_job();
    program.log.says(&format!("job {id}: {what}: begins"));
    program.signal(Signal::SIGTERM);
    let status = program.ends_within(SOON);
    assert_eq!(status.code(), Some(0), "{what}: {}", program.log.all());
    let found = verdict(&bench.card, None).unwrap_or_else(|why| panic!("{what}: in between: {why}"));
    // Shown so at the next start, which runs nothing, and can use the card.
    let again = bench.program();
    let job = again.job(&id);
    assert_eq!(again.ask("GET", "/api/jobs/current", "").0, 404, "{what}: {job}");
    again.card();
    let met = match case.state {
        "done" => step(&job, what)["state"] == "done",
        _ => step(&job, case.stopped)["state"] == "stopped",
    };
    assert!(met || job["state"] == "interrupted" || job["state"] == "done", "{what}: {job}");
    let card = job["card_now"].as_str().unwrap_or_default();
    let said = [("untouched", Verdict::Untouched), ("blank", Verdict::Blank), ("finished", Verdict::Finished)];
    // A card of which nothing was changed yet may be told to be blank, never the other way.
    assert!(
        said.contains(&(card, found)) || (card, found) == ("blank", Verdict::Untouched),
        "{what}: {card} {found:?}"
    );
    if met {
        assert_eq!(job["state"], case.state, "{what}: {job}");
        assert!(case.cards.contains(&found), "{what}: {found:?} {job}");
    }
    if job["state"] == "interrupted" {
        let title = &job["problem"]["title"];
        assert_eq!((&job["problem"]["code"], title), (&"restarted".into(), &"The app was restarted".into()), "{job}");
    }
    again.kill();
    met
}

#[test]
fn a_second_sigterm_changes_nothing() {
    let bench = Bench::new();
    for stage in ["write", "commit"] {
        fresh_card(&bench.card, CARD);
        let mut program = bench.program_with(",write=4");
        let id = program.start_job();
        program.log.says(&format!("job {id}: {stage}: begins"));
        program.signal(Signal::SIGTERM);
        program.log.says("asked to stop");
        program.signal(Signal::SIGTERM);
        program.signal(Signal::SIGINT);
        assert_eq!(program.ends_within(SOON).code(), Some(0), "{}", program.log.all());
        let found = verdict(&bench.card, None).unwrap_or_else(|why| panic!("{stage}: in between: {why}"));
        let state = bench.program().state(&id);
        match stage {
            "commit" => assert_eq!((found, state.as_str()), (Verdict::Finished, "done")),
            _ => assert!(found != Verdict::Finished && state == "interrupted", "{found:?} {state}"),
        }
    }
}
