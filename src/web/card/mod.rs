//! Confirming: which disk, really that one, and begin.

mod backups;
mod check;
mod form;
mod network;
mod outlook;
mod page;

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::links::Links;
use super::{Site, error, language};
use crate::domain::disk::{DiskId, Fingerprint};
use crate::domain::job::{CardRequest, JobId};
use crate::domain::problem::Problem;
use crate::jobs::{DiskList, ListedDisk, StartError};
use crate::texts::Phrase;
use check::check;
pub use form::token_of;
use form::{Filled, Sent, read};
use page::{CardPage, show};

/// The job that this very form has started already.
fn started_by(site: &Site, once: &str) -> Option<JobId> {
    if once.is_empty() {
        return None;
    }
    site.jobs.all().iter().find(|job| job.request.once.as_deref() == Some(once)).map(|job| job.id)
}

pub async fn get(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let asked = Sent::parse(req.query_string().as_bytes());
    let disks = site.jobs.disks();
    let Some(listed) = disks.find(&DiskId(asked.get("disk").into())) else {
        return error::named(&req, StatusCode::NOT_FOUND, "disk-gone");
    };
    let mut filled = Filled { have_key: false, ..asked.filled().unconfirmed() };
    if backups::chosen(&Filled { have_key: true, ..filled.clone() }, &site.jobs.system()).is_err() {
        // A link to a backup that is gone.
        filled.backup = Filled::default().backup;
    }
    let mut page = CardPage::new(&site, language(&req), listed, &disks, filled);
    if let Some(page) = &mut page {
        page.before_anything_is_sent(&site);
    }
    show(&req, page, StatusCode::OK)
}

pub async fn post(req: HttpRequest, site: web::Data<Site>, payload: web::Payload) -> HttpResponse {
    let sent = match read(&req, payload).await {
        Ok(sent) => sent,
        Err(status) => return error::bad_form(&req, status),
    };
    if let Some(id) = started_by(&site, sent.get("once")) {
        return error::see_other(Links::TOP.job(id));
    }
    let disks = site.jobs.disks();
    let Some(listed) = disks.find(&DiskId(sent.get("disk").into())) else {
        return error::problem(&req, StatusCode::CONFLICT, &Problem::DiskChanged);
    };
    if !site.token_fits(sent.get("token")) || !is_as_seen(&sent, listed) {
        return changed(&req, &site, listed, &disks, &sent);
    }
    let Some(mut page) = CardPage::new(&site, language(&req), listed, &disks, sent.filled()) else {
        return show(&req, None, StatusCode::OK);
    };
    if !page.form_shown {
        return show(&req, Some(page), StatusCode::CONFLICT);
    }
    let Some((backup, image, carry)) = check(&mut page, listed.disk.size, &site.jobs.system()) else {
        return show(&req, Some(page), StatusCode::UNPROCESSABLE_ENTITY);
    };
    let once = Some(sent.get("once").to_string()).filter(|once| !once.is_empty());
    let request = CardRequest {
        disk: listed.disk.id.clone(),
        seen: Fingerprint(sent.get("seen").into()),
        plug: Some(listed.disk.plug),
        backup,
        image,
        board: None,
        carry,
        once,
    };
    start(&req, &site, page, &sent, request).await
}

async fn start(req: &HttpRequest, site: &Site, mut page: CardPage, sent: &Sent, request: CardRequest) -> HttpResponse {
    let disk = request.disk.clone();
    match site.jobs.start(request).await {
        Ok(id) => return error::see_other(Links::TOP.job(id)),
        Err(StartError::Running(id)) => {
            // The same form was sent twice, and both got here before the first had its job.
            if started_by(site, sent.get("once")) == Some(id) {
                return error::see_other(Links::TOP.job(id));
            }
            page.is_running(id);
        }
        Err(StartError::NoDisk | StartError::Changed) => {
            let disks = site.jobs.disks();
            return match disks.find(&disk) {
                Some(listed) => changed(req, site, listed, &disks, sent),
                None => error::problem(req, StatusCode::CONFLICT, &Problem::DiskChanged),
            };
        }
        Err(StartError::Refused { disk, problems }) => {
            page.refuse(site, &disk);
            problems.iter().for_each(|problem| page.trouble(problem));
        }
        Err(StartError::Closing) => {
            let short = Problem::Unexpected { short: Phrase::of("why-app-ending") };
            return error::problem(req, StatusCode::SERVICE_UNAVAILABLE, &short);
        }
    }
    show(req, Some(page), StatusCode::CONFLICT)
}

/// P7: the form comes back with what is plugged in now, and nothing confirmed.
fn changed(req: &HttpRequest, site: &Site, listed: &ListedDisk, disks: &Arc<DiskList>, sent: &Sent) -> HttpResponse {
    let mut page = CardPage::new(site, language(req), listed, disks, sent.filled().unconfirmed());
    if let Some(page) = &mut page {
        page.trouble(&Problem::DiskChanged);
    }
    show(req, page, StatusCode::CONFLICT)
}

fn is_as_seen(sent: &Sent, listed: &ListedDisk) -> bool {
    let seen = listed.disk.fingerprint.as_ref().is_some_and(|f| f.0 == sent.get("seen"));
    seen && sent.get("plug").parse() == Ok(listed.disk.plug)
}

#[cfg(test)]
mod tests;
