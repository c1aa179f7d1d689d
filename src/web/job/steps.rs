//! The list of steps: what each is, and where it stands.

use super::words::version;
use crate::domain::job::{JobView, StageState, StageView};
use crate::texts::Language;
use crate::web::words;

pub struct Step {
    pub name: String,
    pub state: String,
    pub note: Option<String>,
    pub class: &'static str,
    pub icon: &'static str,
    pub now: bool,
}

/// The amount of a step at the side is told anew in portions of this, so that the list does not move all the time.
const PORTION: u64 = 250_000_000;

/// What makes the list of steps news: states and, unless it is to stand still, notes and portions.
pub fn about(t: Language, job: &JobView, still: bool) -> String {
    let of = |view: &StageView| {
        let moving = (view.amount.done / PORTION, view.note.as_ref().map(|note| note.said_in(t)));
        format!("{:?}{:?}", view.state, Some(moving).filter(|_| !still && view.state == StageState::Running))
    };
    let steps: Vec<String> = job.stages.iter().map(of).collect();
    format!("{:?}{:?}{}", job.state, version(job), steps.concat())
}

impl Step {
    pub fn new(t: Language, job: &JobView, view: &StageView, still: bool) -> Step {
        let running = view.state == StageState::Running;
        let over = job.state.is_over();
        // A backup that the Supervisor makes beside a stage that failed goes on there; nobody waits for it here.
        let ended = |s: &StageView| matches!(s.state, StageState::Failed | StageState::Stopped);
        let left = over && running && job.stages.iter().any(ended);
        let aside = running && job.main_stage().is_some_and(|main| main.stage != view.stage);
        let (class, icon) = match view.state {
            StageState::Waiting => ("waiting", "circle"),
            StageState::Running if left => ("skipped", "dash"),
            StageState::Running if over => ("failed", "cross"),
            StageState::Running => ("now", "play"),
            StageState::Done => ("done", "check"),
            StageState::Skipped => ("skipped", "dash"),
            StageState::Failed => ("failed", "cross"),
            StageState::Stopped => ("failed", "pause"),
        };
        let state = match view.state {
            StageState::Running if left => t.say("step-left"),
            StageState::Running if over => t.say("step-stopped"),
            StageState::Waiting if over => t.say("step-not-begun"),
            StageState::Running if aside && still => t.say("step-aside"),
            _ => words::step(t, view, aside),
        };
        Step {
            name: view.stage.sentence_in(t, version(job).as_deref()),
            state,
            note: view.note.as_ref().filter(|_| shows_note(view, over, still)).map(|note| note.said_in(t)),
            class,
            icon,
            now: running && !aside && !over,
        }
    }
}

/// While a step runs its note says what it does; of one that was not needed it says why.
fn shows_note(view: &StageView, over: bool, still: bool) -> bool {
    match view.state {
        StageState::Running => !over && !still,
        StageState::Skipped => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::trial::job;

    #[test]
    fn the_list_moves_with_states_and_portions_not_with_every_byte() {
        const EN: Language = Language::English;
        let with = |bytes: u64| {
            let mut job = job(7);
            job.stages[1].amount.done = 3_100_000_000 + bytes;
            job
        };
        let news = |job: &JobView, still| about(EN, job, still);
        assert_eq!(news(&with(0), false), news(&with(1_000_000), false));
        assert_ne!(news(&with(0), false), news(&with(PORTION), false));
        assert_eq!(news(&with(0), true), news(&with(10 * PORTION), true));
        let mut done = job(7);
        done.stages[1].state = StageState::Done;
        assert_ne!(news(&with(0), true), news(&done, true));
    }
}
