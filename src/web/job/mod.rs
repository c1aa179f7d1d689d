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

/// The job that the path names, known or not.
fn named(req: &HttpRequest) -> Option<JobId> {
    req.match_info().get("id")?.parse().ok().map(JobId)
}

fn find(req: &HttpRequest, site: &Site) -> Option<Arc<JobView>> {
    site.jobs.job(named(req)?)
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
    let Some(id) = named(&req) else { return error::not_found(&req) };
    let asked = Asked::of(&req);
    let quiet = asked.is_quiet();
    let look = || Some(look(&site, language(&req), site.jobs.job(id)?.as_ref(), quiet));
    events::live(&site.pages, &asked, &source(id, quiet), look)
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
