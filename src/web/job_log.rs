//! `jobs/7/log` and `jobs/7/log.txt`: what a job wrote down, to read and to send (JB-7).
//!
//! A page with text to select, because an app on a phone may open no download; and the download.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::links::Links;
use super::{REPORT, Shell, Site, error, language};
use crate::jobs::logs;

#[derive(Template)]
#[template(path = "log.html")]
struct LogPage {
    shell: Shell,
    id: u64,
    card: String,
    job: String,
    /// `None`: nothing was written down, or it was lost.
    log: Option<String>,
    text: String,
    text_name: String,
    /// Where people report what went wrong.
    report: Option<&'static str>,
}

pub async fn get(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let Some(job) = site.job_of(&req) else { return error::not_found(&req) };
    let shell = site.shell(language(&req), Links::STOP, false);
    let page = LogPage {
        id: job.id.0,
        card: job.card.name.clone(),
        job: shell.links.job(job.id),
        log: site.jobs.log(job.id).await.filter(|log| !log.is_empty()),
        text: shell.links.log_text(job.id),
        text_name: logs::name(job.id),
        report: REPORT,
        shell,
    };
    error::html(StatusCode::OK, &page)
}

pub async fn text(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let Some(job) = site.job_of(&req) else { return error::not_found(&req) };
    let Some(log) = site.jobs.log(job.id).await else { return error::no_log(&req, job.id) };
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", logs::name(job.id))))
        .body(log)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::domain::job::{JobId, JobState};
    use crate::web::trial::*;

    /// A job with this log; the folder must outlive the questions.
    fn logged(text: &str) -> (Trial, tempfile::TempDir) {
        let (mut trial, dir) = (Trial::new(), tempfile::tempdir().unwrap());
        fs::create_dir(dir.path().join("logs")).unwrap();
        fs::write(logs::path(dir.path(), JobId(7)), text).unwrap();
        trial.keep_logs(dir.path());
        trial.show(vec![ended(7, JobState::Failed), ended(6, JobState::Done)]);
        (trial, dir)
    }

    #[actix_web::test]
    async fn a_log_is_shown_and_sent_as_it_is() {
        let line = "2026-11-21 14:05:09Z write: failed <b> & more";
        let (trial, _dir) = logged(&format!("{line}\n"));
        let page = trial.ask(trial.get("/jobs/7/log")).await;
        assert_eq!(page.status, 200);
        page.has("<pre class=\"log\" tabindex=\"0\"");
        page.has("write: failed &#60;b&#62; &#38; more");
        page.has("Names and passwords are left out");
        page.has("<a class=\"button main\" download=\"sd-swap-job-7.txt\" href=\"../../jobs/7/log.txt\">");
        page.has("href=\"../../jobs/7\"");
        page.has_sound_links();

        let text = trial.ask(trial.get("/jobs/7/log.txt")).await;
        assert_eq!((text.status, text.text), (200, format!("{line}\n")));
    }

    #[actix_web::test]
    async fn a_download_is_plain_text_with_its_name() {
        let (trial, _dir) = logged("x\n");
        let text = trial.ask(trial.get("/jobs/7/log.txt")).await;
        assert_eq!(text.kind, "text/plain; charset=utf-8");
        assert_eq!(text.header("content-disposition"), "attachment; filename=\"sd-swap-job-7.txt\"");
        assert_eq!(text.header("x-content-type-options"), "nosniff");
    }

    #[actix_web::test]
    async fn what_leaves_the_house_is_ascii_without_secrets() {
        let (trial, _dir) = logged(
            "backup: Küche – „Bad“ token=abc123 Authorization: Bearer abc123\n\
             writing etc/NetworkManager: ssid=OurHome psk=\"hunter2 hunter2\" password: abc123\n",
        );
        for path in ["/jobs/7/log", "/jobs/7/log.txt"] {
            let answer = trial.ask(trial.get(path)).await;
            for secret in ["abc123", "OurHome", "hunter2", "Küche"] {
                answer.has_not(secret);
            }
            answer.has("[hidden]");
        }
        assert!(trial.ask(trial.get("/jobs/7/log.txt")).await.text.is_ascii());
    }

    #[actix_web::test]
    async fn no_log_is_said_and_leads_back() {
        let (trial, _dir) = logged("");
        for job in ["6", "7"] {
            let page = trial.ask(trial.get(&format!("/jobs/{job}/log"))).await;
            assert_eq!(page.status, 200);
            page.has("There is no log of this job.");
            page.has_not("log.txt");
        }
        let text = trial.ask(trial.get("/jobs/6/log.txt")).await;
        assert_eq!(text.status, 404);
        text.has("There is no log of this job");
        text.has("href=\"../../jobs/6\"");
        for path in ["/jobs/99/log", "/jobs/99/log.txt", "/jobs/x/log"] {
            assert_eq!(trial.ask(trial.get(path)).await.status, 404);
        }
    }

    #[test]
    fn the_address_to_report_to_is_text_and_link() {
        let shell =
            Shell { links: Links::STOP, marks: vec![], live: false, quiet: false, t: crate::texts::Language::English };
        let page = LogPage {
            shell,
            id: 7,
            card: String::new(),
            job: String::new(),
            log: Some("x".into()),
            text: String::new(),
            text_name: String::new(),
            report: Some("https://forge.example/sd-swap/issues"),
        };
        let link = "<a href=\"https://forge.example/sd-swap/issues\">https://forge.example/sd-swap/issues</a>";
        assert!(page.render().unwrap().contains(link));
        let page = LogPage { report: None, ..page };
        assert!(page.render().unwrap().contains("where this app came from"));
    }
}
