//! A job's whole life: progress, its end, and the page that asks before stopping.

mod announce;
mod page;
mod steps;
mod stop;
#[cfg(test)]
mod tests;
mod words;

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

pub use announce::Announcer;
pub use stop::{stop, stop_page};

use super::events::{self, Asked, Look, Seen, Source, Watched};
use super::links::Links;
use super::{Site, error, language};
use crate::domain::job::{JobId, JobView};
use crate::texts::Language;
use page::JobPage;

fn source(id: JobId, quiet: bool) -> Source {
    Source { events: Links::JOB.job_events(id), live: Links::JOB.job_live(id), quiet }
}

/// The job that the path names.
fn find(req: &HttpRequest, site: &Site) -> Option<Arc<JobView>> {
    let id: u64 = req.match_info().get("id")?.parse().ok()?;
    site.jobs.job(JobId(id))
}

pub async fn get(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let Some(job) = find(&req, &site) else { return error::not_found(&req) };
    let quiet = Asked::of(&req).is_quiet();
    let mut page = JobPage::new(&site, language(&req), &job, quiet);
    if !page.over {
        let (parts, fresh) = page.parts(&site, &job);
        let seen = if fresh { Seen::all_but(&parts, "say") } else { Seen::of(&parts) };
        let source = source(job.id, quiet);
        (page.connect, page.pulse) = (source.connect(&seen), source.pulse(&seen));
        page.stood_at = quiet.then_some(job.percent);
    }
    error::html(StatusCode::OK, &page)
}

fn look(site: &Site, t: Language, job: &JobView, quiet: bool) -> Look {
    Look { parts: JobPage::new(site, t, job, quiet).parts(site, job).0, over: job.state.is_over() }
}

pub async fn live(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let Some(job) = find(&req, &site) else { return events::gone() };
    let asked = Asked::of(&req);
    events::live(&asked, &source(job.id, asked.is_quiet()), look(&site, language(&req), &job, asked.is_quiet()))
}

pub async fn events(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let Some(job) = find(&req, &site) else { return error::not_found(&req) };
    let quiet = Asked::of(&req).is_quiet();
    let (watched, t, id, mut last) = (site.clone(), language(&req), job.id, job);
    let again = move || {
        if let Some(newer) = watched.jobs.job(id) {
            last = newer;
        }
        look(&watched, t, &last, quiet)
    };
    events::stream(&req, &site, Watched::JobsOnly, source(id, quiet), again)
}
