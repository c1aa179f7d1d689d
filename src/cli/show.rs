//! A job on a terminal: a progress bar; elsewhere plain lines; or its end as JSON.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tokio::sync::watch;

use crate::domain::job::{JobState, JobView, StageState};
use crate::domain::progress::remaining_words;
use crate::domain::size::Bytes;
use crate::jobs::{AllJobs, StartError};

use super::Exit;

/// Follows the newest job until it is over. To be spawned; ends by itself.
pub async fn follow(mut jobs: watch::Receiver<AllJobs>, quiet: bool) {
    let bar = (!quiet && stderr().is_terminal()).then(bar);
    let mut said = Vec::new();
    loop {
        let Some(view) = jobs.borrow_and_update().first().cloned() else { return };
        match &bar {
            Some(bar) => draw(bar, &view),
            None if !quiet => say_changes(&view, &mut said),
            None => {}
        }
        if view.state.is_over() || jobs.changed().await.is_err() {
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
            return;
        }
    }
}

fn bar() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:30} {pos:>3} %  {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(100).with_style(style)
}

fn draw(bar: &ProgressBar, view: &JobView) {
    bar.set_position(view.percent.into());
    let Some(stage) = view.main_stage() else { return };
    let rate = stage.rate.map(|rate| format!(", {}/s", Bytes(rate))).unwrap_or_default();
    let left = remaining_words(view.remaining.map(std::time::Duration::from_secs));
    bar.set_message(format!("{}{rate}. {left}", stage.stage.doing()));
}

/// A line for each stage that begins or ends.
fn say_changes(view: &JobView, said: &mut Vec<String>) {
    for stage in &view.stages {
        let line = match stage.state {
            StageState::Waiting => continue,
            StageState::Running => format!("{}: begins", stage.stage.id()),
            StageState::Done => {
                format!(
                    "{}: done, {:.1} s, {}",
                    stage.stage.id(),
                    stage.millis as f64 / 1000.0,
                    Bytes(stage.amount.done)
                )
            }
            StageState::Skipped => format!("{}: nothing to do", stage.stage.id()),
            StageState::Failed => format!("{}: failed", stage.stage.id()),
            StageState::Stopped => format!("{}: stopped", stage.stage.id()),
        };
        let line = line.replace(", 0 bytes", "");
        if !said.contains(&line) {
            eprintln!("{line}");
            said.push(line);
        }
    }
}

/// The last words, and the exit code.
pub fn end(view: &JobView, as_json: bool) -> Exit {
    if as_json {
        println!("{}", report(view));
    } else {
        for warning in &view.warnings {
            eprintln!("Note: {}", warning.text);
        }
        if let Some(carried) = &view.made.carried {
            eprintln!("Carried over: {carried}.");
        }
        match &view.problem {
            Some(problem) => {
                let words = problem.words();
                eprintln!("{}\n  {}\n  {}\n  {}", words.title, words.happened, view.card_now.sentence(), words.todo);
                if let Some(detail) = &view.detail {
                    eprintln!("  Technical detail: {detail}");
                }
            }
            None => eprintln!("{}: {}. {}", view.card.name, view.state.word(), view.card_now.sentence()),
        }
    }
    match view.state {
        JobState::Done => Exit::Done,
        JobState::Cancelled => Exit::Stopped,
        _ => Exit::Failed,
    }
}

/// `report.json` (AP-5).
pub fn report(view: &JobView) -> serde_json::Value {
    let stages: Vec<_> = view
        .stages
        .iter()
        .map(|stage| {
            json!({
                "id": stage.stage.id(), "state": stage.state, "seconds": stage.millis as f64 / 1000.0,
                "bytes": stage.amount.done,
            })
        })
        .collect();
    json!({
        "outcome": view.state.word(),
        "board": view.made.board.map(|board| board.slug()),
        "fingerprint": view.card.fingerprint,
        "card": view.card_now,
        "stages": stages,
        "sha256": { "image": view.made.image_digest, "backup": view.made.backup_digest },
        "backup": view.made.backup,
        "carried": view.made.carried,
        "rewritten_blocks": view.made.rewritten_blocks,
        "warnings": view.warnings,
        "problem": view.problem.as_ref().map(|problem| json!({
            "code": problem.code(), "title": problem.words().title, "happened": problem.words().happened,
            "todo": problem.words().todo, "detail": view.detail,
        })),
    })
}

/// Why nothing was started.
pub fn refused(error: &StartError, as_json: bool) -> Exit {
    let reasons: Vec<String> = match error {
        StartError::Running(id) => vec![format!("Job {id} runs already.")],
        StartError::NoDisk => vec!["There is no such disk. `sd-swap devices` lists them.".into()],
        StartError::Changed => {
            vec![
                "What is plugged in is not what you confirmed. Look again (`sd-swap devices`) and confirm again."
                    .into(),
            ]
        }
        StartError::Refused { disk, problems } => {
            disk.iter().map(ToString::to_string).chain(problems.iter().map(ToString::to_string)).collect()
        }
        StartError::Closing => vec!["The program is ending.".into()],
    };
    if as_json {
        println!("{}", json!({ "outcome": "refused", "reasons": reasons }));
    } else {
        eprintln!("Nothing was written:");
        reasons.iter().for_each(|reason| eprintln!("  {reason}"));
    }
    Exit::Refused
}
