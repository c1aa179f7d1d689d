//! Swap the card and finish the move: the page that people hold in their hands while everything is off.
//!
//! Once it is loaded it needs nobody: the app that served it runs on the system that is turned off at step 2.

mod address;
mod finish;
mod qr;
mod slot;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use time::OffsetDateTime;
use time::macros::format_description;

use super::links::Links;
use super::{Shell, Site, error, ingress, language};
use crate::domain::job::{JobId, JobState, JobView, Warning};
use crate::texts::Language;
use address::Phone;
use finish::Finish;
use qr::Qr;
use slot::OldDisk;

/// A system without a name of its own yet.
const FRESH_NAME: &str = "homeassistant.local";

/// What is not in the backup.
const GAPS: [&str; 9] = [
    "local_apps_missing",
    "local_apps",
    "backup_without_database",
    "without_database",
    "app_not_in_backup",
    "folder_not_in_backup",
    "core_not_in_backup",
    "settings_not_in_backup",
    "backup_part_failed",
];
/// What is worth knowing before the swap, and is no gap.
const NEWS: [&str; 4] = ["not_verified", "blocks_rewritten", "room_for_restore", "no_internet"];

#[derive(Template)]
#[template(path = "swap.html")]
struct SwapPage {
    shell: Shell,
    job: String,
    /// Home Assistant's root, where we are served below it.
    out: Option<String>,
    gaps: Vec<String>,
    news: Vec<String>,
    needs_key: bool,
    data_disk: bool,
    /// A card is in the reader still.
    plugged: bool,
    old: OldDisk,
    addresses: Vec<String>,
    backup: Option<String>,
    /// What the page needs to finish the move by itself; `None`: there is no backup on the card.
    finish: Option<Finish>,
    card: String,
    version: Option<String>,
    made: Option<String>,
    phone: Option<Phone>,
    qr: Option<Qr>,
}

impl SwapPage {
    fn new(req: &HttpRequest, site: &Site, t: Language, job: &JobView) -> SwapPage {
        let (system, disks) = (site.jobs.system(), site.jobs.disks());
        let shell = site.shell(t, Links::STOP, false);
        let warnings: Vec<&Warning> = job.warnings.iter().chain(&system.warnings).collect();
        let has = |code: &str| warnings.iter().any(|warning| warning.code == code);
        let phone = address::phone(req, &system.facts, job.id);
        let data_disk = has("external_data_disk");
        SwapPage {
            job: shell.links.job(job.id),
            out: address::behind_ingress(req).then(way_out),
            gaps: told(t, &warnings, &GAPS),
            news: told(t, &warnings, &NEWS),
            needs_key: has("backup_needs_key"),
            data_disk,
            plugged: disks.find(&job.card.id).is_some_and(|listed| listed.disk.medium),
            old: OldDisk::find(job, &system, &disks, data_disk),
            addresses: addresses(&system.facts.addresses),
            backup: backup(job),
            finish: Finish::of(t, job),
            card: job.card.name.clone(),
            version: job.made.version.as_ref().map(ToString::to_string),
            made: job.ended.and_then(day),
            qr: phone.as_ref().and_then(|phone| Qr::of(&phone.address)),
            phone,
            shell,
        }
    }
}

/// Ingress serves us at `/api/hassio_ingress/TOKEN/`, and a slash may be doubled before our part; a step too many
/// stays at the root.
fn way_out() -> String {
    "../".repeat("jobs/7/".matches('/').count() + "api/hassio_ingress/TOKEN/".matches('/').count() + 1)
}

/// What the warnings with these codes say, in the order of the codes; what a job says more exactly is said once.
fn told(t: Language, warnings: &[&Warning], codes: &[&str]) -> Vec<String> {
    let has = |code: &str| warnings.iter().any(|warning| warning.code == code);
    let doubled = |code: &str| match code {
        "local_apps" => has("local_apps_missing"),
        "without_database" => has("backup_without_database"),
        _ => false,
    };
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for code in codes.iter().filter(|code| !doubled(code)) {
        let texts = warnings.iter().filter(|warning| warning.code == *code).map(|warning| warning.text.said_in(t));
        all.extend(texts.filter(|text| seen.insert(text.clone())));
    }
    all
}

/// Where the new system answers: most routers give the same machine the same number again.
fn addresses(known: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let known = known.iter().filter_map(|address| address.parse::<Ipv4Addr>().ok()).map(|ip| ip.to_string());
    known.filter(|ip| seen.insert(ip.clone())).chain([FRESH_NAME.into()]).map(|host| format!("http://{host}")).collect()
}

/// The name that Home Assistant lists the backup by; `None`: there is none on the card.
fn backup(job: &JobView) -> Option<String> {
    let named = job.made.backup_name.clone().filter(|name| !name.trim().is_empty());
    named.or_else(|| job.made.backup.as_ref().map(ToString::to_string))
}

/// `2026-11-21`
fn day(seconds: u64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    time.format(format_description!("[year]-[month]-[day]")).ok()
}

pub async fn get(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let id = req.match_info().get("id").and_then(|id| id.parse().ok());
    let Some(job) = id.and_then(|id| site.jobs.job(JobId(id))) else { return error::not_found(&req) };
    // Its own page says how it stands, and whether there will be anything to swap.
    if job.state != JobState::Done {
        return error::see_other(Links::STOP.job(job.id));
    }
    let mut response = error::html(StatusCode::OK, &SwapPage::new(&req, &site, language(&req), &job));
    if let Some(new_system) = address::new_system(&req) {
        ingress::may_connect(response.headers_mut(), &new_system);
    }
    response
}

#[cfg(test)]
mod tests;
