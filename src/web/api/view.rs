//! A job as JSON: the words and stages of the first plan, and all that we know beside them.

use serde_json::{Map, Value, json};

use crate::domain::job::{JobState, JobView, StageState, StageView, Warning};
use crate::domain::problem::Problem;
use crate::domain::stage::Stage;
use crate::texts::Phrase;

pub fn problem_json(problem: &Problem) -> Value {
    let words = problem.words();
    json!({ "code": problem.code(), "title": words.title, "happened": words.happened, "todo": words.todo })
}

pub fn warnings_json(warnings: &[Warning]) -> Vec<Value> {
    warnings.iter().map(|warning| json!({ "code": warning.code, "text": warning.text.text() })).collect()
}

/// A stage of the first plan: a view of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanStage {
    pub name: &'static str,
    ours: &'static [Stage],
}

pub const PLAN: [PlanStage; 4] = [
    PlanStage { name: "backup", ours: &[Stage::Backup] },
    PlanStage { name: "download", ours: &[Stage::Download] },
    PlanStage { name: "flash", ours: &[Stage::Write, Stage::Verify] },
    PlanStage { name: "inject", ours: &[Stage::Grow, Stage::Inject, Stage::Commit] },
];

/// Where a stage of the first plan stands: one of its four words, and whole percent; 100 only when it is completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub status: &'static str,
    pub progress: u32,
}

impl PlanStage {
    /// The name of the stage that one of ours belongs to; preflight was the first plan's "stage 0".
    pub fn name_of(stage: Option<Stage>) -> &'static str {
        let named = stage.and_then(|stage| PLAN.iter().find(|plan| plan.ours.contains(&stage)));
        named.map_or("preflight", |plan| plan.name)
    }

    pub fn of(&self, job: &JobView) -> Standing {
        let views: Vec<&StageView> = self.ours.iter().filter_map(|stage| job.stage(*stage)).collect();
        let status = stage_status(job, &views);
        let sum: u32 = views.iter().map(|v| if finished(v) { 100 } else { stage_percent(v) }).sum();
        let mean = sum / u32::try_from(views.len()).unwrap_or(1).max(1);
        let progress = if status == "completed" { 100 } else { mean.min(99) };
        Standing { status, progress }
    }
}

const fn finished(view: &StageView) -> bool {
    matches!(view.state, StageState::Done | StageState::Skipped)
}

fn stage_status(job: &JobView, views: &[&StageView]) -> &'static str {
    let is = |state: StageState| views.iter().any(|v| v.state == state);
    if is(StageState::Failed) || is(StageState::Stopped) {
        return "failed";
    }
    if !views.is_empty() && views.iter().all(|v| finished(v)) {
        return "completed";
    }
    match (views.iter().any(|v| v.state != StageState::Waiting), job.state.is_over()) {
        (false, _) => "pending",
        (true, false) => "in_progress",
        (true, true) => "failed",
    }
}

/// The four words of the first plan.
const fn status(job: &JobView, begun: bool) -> &'static str {
    match job.state {
        JobState::Running | JobState::Stopping if !begun => "pending",
        JobState::Running | JobState::Stopping => "in_progress",
        JobState::Done => "completed",
        JobState::Cancelled | JobState::Failed | JobState::Interrupted => "failed",
    }
}

fn stage_percent(view: &StageView) -> u32 {
    if view.state == StageState::Waiting { 0 } else { view.amount.percent().unwrap_or(0).into() }
}

fn stage_json(standing: Standing) -> Value {
    json!({ "status": standing.status, "progress": standing.progress })
}

fn own_stage_json(view: &StageView) -> Value {
    json!({
        "id": view.stage.id(),
        "state": view.state,
        "bytes_done": view.amount.done,
        "bytes_total": view.amount.total,
        "bytes_per_second": view.rate,
        "milliseconds": view.millis,
        "note": view.note.as_ref().map(Phrase::text),
    })
}

/// What ended it, in one sentence; `None` while it runs and when all is well.
pub fn error_of(job: &JobView) -> Option<String> {
    let card = job.card_now.sentence();
    match job.state {
        JobState::Running | JobState::Stopping | JobState::Done => None,
        JobState::Cancelled => Some(format!("It was stopped. {card}")),
        JobState::Failed | JobState::Interrupted => Some(match job_problem(job) {
            Some(problem) => problem.to_string(),
            None => format!("It ended without saying why. {card}"),
        }),
    }
}

fn job_problem(job: &JobView) -> Option<Problem> {
    let restarted = || (job.state == JobState::Interrupted).then(|| Problem::Restarted { stage: job.last_stage() });
    job.problem.clone().or_else(restarted)
}

/// The body of `GET /api/jobs/{id}`.
pub fn job_json(job: &JobView) -> Value {
    let begun = job.stages.iter().any(|s| s.state != StageState::Waiting);
    json!({
        "job_id": job.id.to_string(),
        "status": status(job, begun),
        "device": job.card.path.to_string_lossy(),
        "stages": PLAN.iter().map(|stage| (stage.name.into(), stage_json(stage.of(job)))).collect::<Map<_, _>>(),
        "error": error_of(job),
        "state": job.state,
        "progress": job.percent,
        "remaining_seconds": job.remaining,
        "steps": job.stages.iter().map(own_stage_json).collect::<Vec<_>>(),
        "problem": job_problem(job).as_ref().map(problem_json),
        "detail": job.detail,
        "card": job.card,
        "card_now": job.card_now,
        "warnings": warnings_json(&job.warnings),
        "started": job.started,
        "ended": job.ended,
        "made": job.made,
    })
}
