//! What a job's page says of it: heading, title, the card's sentence, what it waits for.

use crate::domain::job::{JobState, JobView, StageState};
use crate::domain::problem::{Problem, Words};
use crate::domain::stage::Stage;
use crate::texts::{Language, Phrase};

/// From here on a page says that it waits, and then that something does not answer; in seconds.
const WAITING: u64 = 30;
const SILENT: u64 = 120;

pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn doing(t: Language, job: &JobView) -> String {
    job.main_stage().map_or_else(|| t.say("job-beginning"), |view| capital(&view.stage.doing_in(t)))
}

/// The page's title; `still`: without numbers that move.
pub fn title(t: Language, job: &JobView, still: bool) -> String {
    match job.state {
        JobState::Running if still => doing(t, job),
        JobState::Running => format!("{} % · {}", job.percent, doing(t, job)),
        JobState::Stopping => t.say("job-title-stopping"),
        JobState::Cancelled => t.say("job-title-cancelled"),
        JobState::Failed => t.say("job-title-failed"),
        JobState::Interrupted => t.say("job-title-interrupted"),
        JobState::Done => t.say("job-title-done"),
    }
}

pub fn heading(t: Language, job: &JobView) -> String {
    match job.state {
        JobState::Running => step(t, job),
        JobState::Stopping => t.say("job-stopping"),
        JobState::Cancelled => t.say("job-cancelled"),
        JobState::Failed => match job.last_stage() {
            Some(stage) => t.with("job-failed-at", "stage", stage.sentence_in(t, version(job).as_deref())),
            None => t.say("job-failed"),
        },
        JobState::Interrupted => t.say("problem-restarted-title"),
        JobState::Done => t.say("job-done"),
    }
}

/// "Step 4 of 8: writing the system to the card"
fn step(t: Language, job: &JobView) -> String {
    let Some(main) = job.main_stage() else { return t.say("job-beginning") };
    let number = job.stages.iter().position(|view| view.stage == main.stage).map_or(1, |n| n + 1);
    t.tell("job-step", &[("n", &number), ("of", &job.stages.len()), ("doing", &main.stage.doing_in(t))])
}

pub fn version(job: &JobView) -> Option<String> {
    job.made.version.as_ref().map(ToString::to_string)
}

/// Writing has not begun.
pub fn is_untouched(job: &JobView) -> bool {
    let begun = job.stage(Stage::Write).is_some_and(|view| view.state != StageState::Waiting);
    job.is_untouched() && !begun
}

/// What is on the card, or what must not be done to it.
pub fn sentence(t: Language, job: &JobView) -> Option<String> {
    match job.state {
        JobState::Running if is_untouched(job) => Some(t.say("job-untouched")),
        JobState::Running => Some(t.say("job-do-not-pull")),
        JobState::Stopping | JobState::Done => None,
        JobState::Cancelled | JobState::Failed | JobState::Interrupted => Some(job.card_now.said_in(t)),
    }
}

pub fn problem(t: Language, job: &JobView) -> Option<Words> {
    match job.state {
        JobState::Failed => {
            let unknown = Problem::Unexpected { short: Phrase::of("why-said-nothing") };
            Some(job.problem.clone().unwrap_or(unknown).words_in(t))
        }
        JobState::Interrupted => {
            let restarted = Problem::Restarted { stage: job.last_stage() };
            Some(job.problem.clone().unwrap_or(restarted).words_in(t))
        }
        _ => None,
    }
}

/// No byte for a while: what is waited for.
pub fn waiting(t: Language, job: &JobView) -> Option<String> {
    let stage = waits_at(job).filter(|_| (WAITING..SILENT).contains(&job.quiet))?;
    Some(t.say(match stage {
        Stage::Backup => "waiting-backup",
        Stage::Download => "waiting-download",
        _ => "waiting-card",
    }))
}

/// No byte for so long that it is a problem; the work goes on (P12).
pub fn silent(t: Language, job: &JobView) -> Option<Words> {
    let stage = waits_at(job).filter(|_| is_silent(job))?;
    let minutes = job.quiet / 60;
    let words = |title, todo| Words {
        title: t.say(title),
        happened: t.with("silent-happened", "minutes", minutes),
        todo: t.say(todo),
    };
    Some(match stage {
        Stage::Backup => words("silent-backup-title", "silent-backup-todo"),
        Stage::Download => words("silent-download-title", "silent-download-todo"),
        _ => Problem::CardSilent { minutes }.words_in(t),
    })
}

pub fn is_silent(job: &JobView) -> bool {
    job.quiet >= SILENT && waits_at(job).is_some()
}

/// The stage that moves bytes now.
fn waits_at(job: &JobView) -> Option<Stage> {
    let stage = job.waits_for().filter(|_| job.state == JobState::Running)?.stage;
    stage.moves_bytes().then_some(stage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::{CardNow, StageState};
    use crate::web::trial::{job, job_at};

    const EN: Language = Language::English;

    #[test]
    fn silence_is_told_after_30_s_and_called_a_problem_after_2_minutes() {
        let cases = [
            (Stage::Preflight, None, None),
            (Stage::Backup, Some("Waiting for Home Assistant."), Some("The backup stands still")),
            (Stage::Download, Some("Waiting for the download."), Some("The download stands still")),
            (Stage::Write, Some("Waiting for the card. Some cards pause"), Some("The card does not answer")),
            (Stage::Verify, Some("Waiting for the card. Some cards pause"), Some("The card does not answer")),
            (Stage::Grow, None, None),
            (Stage::Inject, Some("Waiting for the card. Some cards pause"), Some("The card does not answer")),
            (Stage::Commit, None, None),
        ];
        for (stage, wait, problem) in cases {
            let quiet = |quiet| JobView { quiet, ..job_at(stage) };
            let waits = |seconds| waiting(EN, &quiet(seconds));
            assert_eq!((waits(29), waits(120)), (None, None), "{stage:?}");
            for seconds in [30, 119] {
                assert_eq!(waits(seconds).is_some(), wait.is_some(), "{stage:?}");
                assert!(waits(seconds).unwrap_or_default().starts_with(wait.unwrap_or_default()), "{stage:?}");
            }
            assert_eq!(silent(EN, &quiet(119)), None, "{stage:?}");
            let words = silent(EN, &quiet(185));
            assert_eq!(words.as_ref().map(|words| words.title.as_str()), problem, "{stage:?}");
            assert!(words.is_none_or(|words| words.happened == "No data for 3 minutes."), "{stage:?}");
        }
        assert!(!is_silent(&JobView { quiet: 500, state: JobState::Stopping, ..job_at(Stage::Write) }));
    }

    #[test]
    fn a_card_that_waits_for_its_image_is_not_called_silent() {
        let mut job = JobView { quiet: 185, ..job_at(Stage::Write) };
        job.stages[Stage::Download as usize].state = StageState::Running;
        assert_eq!(silent(EN, &job).unwrap().title, "The download stands still");
        job.quiet = 60;
        assert_eq!(waiting(EN, &job).unwrap(), "Waiting for the download.");
        // Beside anything else it is the card.
        job.stages[Stage::Backup as usize].state = StageState::Running;
        job.stages[Stage::Download as usize].state = StageState::Done;
        assert!(waiting(EN, &job).unwrap().starts_with("Waiting for the card."));
    }

    #[test]
    fn nothing_was_changed_is_said_exactly_until_writing_begins() {
        for stage in Stage::ALL {
            let card_now = if stage <= Stage::Write { CardNow::Untouched } else { CardNow::Blank };
            let said = sentence(EN, &JobView { card_now, ..job_at(stage) }).unwrap();
            assert_eq!(said.starts_with("Nothing on the card"), stage < Stage::Write, "{stage:?}: {said}");
        }
    }

    #[test]
    fn a_title_without_moving_numbers_names_the_step_alone() {
        assert_eq!(title(EN, &job(7), false), "42 % · Writing the system to the card");
        assert_eq!(title(EN, &job(7), true), "Writing the system to the card");
    }
}
