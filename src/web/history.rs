//! `history`: every card that was made or begun, newest first (JB-7).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::links::Links;
use super::moment::date_time;
use super::{Shell, Site, error, language, now, words};
use crate::domain::certificate::timestamp;
use crate::domain::job::{JobState, JobView, Made, Warning};
use crate::texts::Language;

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    shell: Shell,
    /// Why earlier cards are missing here, or will not be remembered.
    gaps: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    id: u64,
    when: String,
    iso: String,
    ago: String,
    card: String,
    /// What went onto it.
    versions: String,
    tone: &'static str,
    icon: &'static str,
    result: String,
    /// Why it did not come to its good end.
    problem: Option<String>,
    warnings: Vec<String>,
    took: String,
    job: String,
    log: String,
    certificate: Option<String>,
}

impl Row {
    fn new(t: Language, job: &JobView) -> Row {
        let links = Links::TOP;
        let (tone, icon) = look(job.state);
        let now = now();
        Row {
            id: job.id.0,
            when: date_time(t, job.started),
            iso: timestamp(job.started),
            ago: words::ago(t, now.saturating_sub(job.started)),
            card: job.card.name.clone(),
            versions: versions(t, &job.made),
            tone,
            icon,
            result: words::outcome(t, job.state),
            problem: job.problem.as_ref().map(|problem| problem.words_in(t).title),
            warnings: job.warnings.iter().map(|warning| warning.text.said_in(t)).collect(),
            took: took(t, job, now),
            job: links.job(job.id),
            log: links.log(job.id),
            certificate: (job.state == JobState::Done).then(|| links.certificate(job.id)),
        }
    }
}

/// Nobody may have seen the end of a job that was interrupted.
fn took(t: Language, job: &JobView, now: u64) -> String {
    let until = job.ended.or((!job.state.is_over()).then_some(now));
    until.map_or("–".into(), |until| words::took(t, until.saturating_sub(job.started).saturating_mul(1000)))
}

fn look(state: JobState) -> (&'static str, &'static str) {
    match state {
        JobState::Running | JobState::Stopping => ("now", "play"),
        JobState::Cancelled => ("dim", "pause"),
        JobState::Failed => ("failed", "cross"),
        JobState::Interrupted => ("failed", "warning"),
        JobState::Done => ("done", "check"),
    }
}

fn versions(t: Language, made: &Made) -> String {
    let mut parts = Vec::new();
    let mut part = |key, version: Option<&str>| parts.extend(version.map(|v| t.with(key, "version", v)));
    part("history-os", made.version.as_ref().map(|version| version.as_str()));
    part("history-core", made.backup_core.as_deref());
    part("history-app", made.app.as_deref());
    parts.join(" · ")
}

pub async fn get(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let t = language(&req);
    let rows = site.jobs.all().iter().map(|job| Row::new(t, job)).collect();
    let system = site.jobs.system();
    let of_the_list = |warning: &&Warning| warning.code.starts_with("ledger_") || warning.code == "cannot_save";
    let gaps = system.warnings.iter().filter(of_the_list).map(|warning| warning.text.said_in(t)).collect();
    error::html(StatusCode::OK, &HistoryPage { shell: site.shell(t, Links::TOP, false), gaps, rows })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::trial::*;
    use crate::web::trial_jobs::{old, rich};

    async fn history(trial: &Trial) -> Answer {
        let answer = trial.ask(trial.get("/history")).await;
        assert_eq!(answer.status, 200);
        answer.has_sound_links();
        answer
    }

    #[actix_web::test]
    async fn without_jobs_it_says_so() {
        let answer = history(&Trial::new()).await;
        answer.has("No cards made yet.");
        answer.has_not("<table");
    }

    #[actix_web::test]
    async fn why_earlier_cards_are_missing_is_said_where_they_are_missed() {
        let trial = Trial::new();
        trial.change_system(|s| {
            s.warnings = vec![
                Warning::new("ledger_newer", &[("name", "ledger.set-aside-1.json")]),
                Warning::new("cannot_save", &[("why", "<disk full>")]),
                Warning::new("no_internet", &[]),
            ];
        });
        let answer = history(&trial).await;
        answer.has("is of a newer version of this app. It is kept unchanged as ledger.set-aside-1.json");
        answer.has("&#60;disk full&#62;");
        answer.has_not("internet");
    }

    #[actix_web::test]
    async fn every_outcome_has_its_word_and_only_a_finished_card_its_certificate() {
        let trial = Trial::new();
        let words = ["being made", "stopping", "stopped", "failed", "interrupted", "ready"];
        for (state, word) in JobState::ALL.into_iter().zip(words) {
            trial.show(vec![JobView { state, ..ended(7, state) }]);
            let answer = history(&trial).await;
            answer.has(&format!("</svg> {word}</span>"));
            answer.has("href=\"jobs/7\"");
            answer.has("href=\"jobs/7/log\"");
            assert_eq!(answer.text.contains("href=\"jobs/7/certificate\""), state == JobState::Done, "{state:?}");
        }
    }

    #[actix_web::test]
    async fn a_row_says_what_the_job_knows() {
        let trial = Trial::new();
        trial.show(vec![rich(7), old(3)]);
        let answer = history(&trial).await;
        answer.has("Home Assistant OS 18.2 · Core 2026.11.1 · sd-swap 0.1.0");
        answer.has("The folder of local apps (addons/local) is not in this backup");
        answer.has("<time datetime=\"");
        answer.has("<div class=\"brief\">27 min</div>");
        answer.has("<div class=\"brief\">–</div>");
        answer.has("SanDisk Ultra, 64 GB");
        let mut failed = ended(8, JobState::Failed);
        failed.problem =
            Some(crate::domain::problem::Problem::CardPulled { stage: crate::domain::stage::Stage::Write });
        failed.card.name = "<b>Evil & Co".into();
        trial.show(vec![failed]);
        let answer = history(&trial).await;
        answer.has("The card was pulled out");
        answer.has("&#60;b&#62;Evil");
        let request = trial.get("/history").insert_header(("Accept-Language", "de"));
        trial.ask(request).await.has("Die Karte wurde herausgezogen");
    }
}
