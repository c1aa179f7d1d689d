//! The page that asks before stopping, and stopping.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::find;
use super::words::is_untouched;
use crate::domain::job::{BackupChoice, JobState, JobView, StageState};
use crate::domain::problem::Problem;
use crate::domain::stage::Stage;
use crate::jobs::StopError;
use crate::texts::{Language, Phrase};
use crate::web::card::token_of;
use crate::web::links::Links;
use crate::web::{Shell, Site, error, language, words};

#[derive(Template)]
#[template(path = "stop.html")]
struct StopPage {
    shell: Shell,
    token: String,
    card: String,
    sentence: String,
    /// What becomes of the backup.
    backup: Option<String>,
    can: bool,
    back: String,
    action: String,
    /// The form was from before a restart.
    stale: bool,
}

impl StopPage {
    fn new(site: &Site, t: Language, job: &JobView, stale: bool) -> StopPage {
        let shell = site.shell(t, Links::STOP, false);
        let stage = job.main_stage().map(|s| s.stage);
        let can = stage.is_none_or(Stage::can_be_stopped);
        StopPage {
            token: site.token.clone(),
            card: job.card.name.clone(),
            sentence: words::if_stopped(t, stage, is_untouched(job)),
            backup: backup(job).filter(|_| can).map(|key| t.say(key)),
            can,
            back: shell.links.job(job.id),
            action: shell.links.stop(job.id),
            stale,
            shell,
        }
    }
}

/// A new backup outlives the job: one that is being made goes on, one that is made is kept (JB-3, JB-4).
fn backup(job: &JobView) -> Option<&'static str> {
    let view = job.stage(Stage::Backup).filter(|_| job.request.backup == BackupChoice::New)?;
    let checking = view.note == Some(Phrase::of("note-checking-new-backup"));
    match view.state {
        StageState::Running if !checking => Some("stop-backup-goes-on"),
        StageState::Running | StageState::Done => Some("stop-backup-kept"),
        _ => None,
    }
}

pub async fn stop_page(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let Some(job) = find(&req, &site) else { return error::not_found(&req) };
    if job.state != JobState::Running {
        return error::see_other(Links::STOP.job(job.id));
    }
    error::html(StatusCode::OK, &StopPage::new(&site, language(&req), &job, false))
}

pub async fn stop(req: HttpRequest, site: web::Data<Site>, payload: web::Payload) -> HttpResponse {
    let Some(job) = find(&req, &site) else { return error::not_found(&req) };
    let token = match token_of(&req, payload).await {
        Ok(token) => token,
        Err(status) => return error::bad_form(&req, status),
    };
    if job.state != JobState::Running {
        return error::see_other(Links::STOP.job(job.id));
    }
    if !site.token_fits(&token) {
        return error::html(StatusCode::CONFLICT, &StopPage::new(&site, language(&req), &job, true));
    }
    match site.jobs.stop(job.id).await {
        Ok(()) | Err(StopError::Over | StopError::Committing) => error::see_other(Links::STOP.job(job.id)),
        Err(StopError::NoJob) => error::not_found(&req),
        Err(StopError::Closing) => {
            let short = Problem::Unexpected { short: Phrase::of("why-app-ending") };
            error::problem(&req, StatusCode::SERVICE_UNAVAILABLE, &short)
        }
    }
}
