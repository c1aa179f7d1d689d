//! `api/jobs`: the running job, each remembered one, all of them, and their logs.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::failure::{Failure, no_job};
use super::view::job_json;
use crate::domain::job::JobId;
use crate::jobs::logs;
use crate::web::Site;

/// `404` unless one runs or is stopping.
pub async fn current(site: web::Data<Site>) -> HttpResponse {
    site.jobs.current().map_or_else(|| no_job().answer(), |job| HttpResponse::Ok().json(job_json(&job)))
}

/// The id in the path, as we write ids: no sign, no zeros before it.
pub fn named(req: &HttpRequest) -> Option<JobId> {
    let text = req.match_info().get("id")?;
    let id = JobId(text.parse().ok()?);
    (id.to_string() == text).then_some(id)
}

pub async fn one(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let job = named(&req).and_then(|id| site.jobs.job(id));
    job.map_or_else(|| no_job().answer(), |job| HttpResponse::Ok().json(job_json(&job)))
}

/// Every remembered job, newest first; there are a hundred at most.
pub async fn all(site: web::Data<Site>) -> HttpResponse {
    let jobs: Vec<_> = site.jobs.all().iter().map(|job| job_json(job)).collect();
    HttpResponse::Ok().json(json!({ "jobs": jobs }))
}

pub async fn log(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let Some(id) = named(&req).filter(|id| site.jobs.job(*id).is_some()) else { return no_job().answer() };
    let Some(log) = site.jobs.log(id).await else {
        let hint = "The job itself, GET api/jobs/ID, says how it ended.";
        return Failure::new(StatusCode::NOT_FOUND, "no_log", "There is no log of this job.", hint).answer();
    };
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", logs::name(id))))
        .body(log)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::domain::job::{JobState, JobView, StageState};
    use crate::web::api::trial::is_error;
    use crate::web::trial::*;

    #[actix_web::test]
    async fn a_job_has_the_first_plans_words() {
        let trial = Trial::new();
        is_error(&trial.ask(trial.get("/api/jobs/current")).await, 404, "no_job");
        trial.show(vec![job(7)]);
        let body = trial.ask(trial.get("/api/jobs/7")).await.json();
        assert_eq!(body, trial.ask(trial.get("/api/jobs/current")).await.json());
        assert_eq!((&body["job_id"], &body["device"]), (&json!("7"), &json!("/dev/sdb")));
        assert_eq!((&body["status"], &body["state"]), (&json!("in_progress"), &json!("running")));
        assert_eq!(body["error"], Value::Null);
        assert_eq!(body["progress"], 42);
        let want = json!({
            "backup": { "status": "in_progress", "progress": 0 },
            "download": { "status": "completed", "progress": 100 },
            "flash": { "status": "in_progress", "progress": 20 },
            "inject": { "status": "pending", "progress": 0 },
        });
        assert_eq!(body["stages"], want);

        let mut waiting = job(7);
        waiting.stages.iter_mut().for_each(|view| view.state = StageState::Waiting);
        trial.show(vec![waiting]);
        assert_eq!(trial.ask(trial.get("/api/jobs/current")).await.json()["status"], "pending");

        let cases = [
            (JobState::Stopping, "in_progress", true),
            (JobState::Done, "completed", true),
            (JobState::Cancelled, "failed", false),
            (JobState::Failed, "failed", false),
            (JobState::Interrupted, "failed", false),
        ];
        for (state, status, well) in cases {
            trial.show(vec![JobView { state, ..ended(7, state) }]);
            let body = trial.ask(trial.get("/api/jobs/7")).await.json();
            assert_eq!((&body["status"], &body["state"]), (&json!(status), &json!(state.word())));
            assert_eq!(body["error"].is_null(), well, "{state:?}");
            let flash = &body["stages"]["flash"];
            let want = if state == JobState::Done { "completed" } else { status };
            assert_eq!(flash["status"], want, "{state:?}");
            assert_eq!(flash["progress"] == 100, state == JobState::Done);
            let current = trial.ask(trial.get("/api/jobs/current")).await.status;
            assert_eq!(current == 200, state == JobState::Stopping);
        }
        for path in [
            "/api/jobs/8",
            "/api/jobs/x",
            "/api/jobs/-1",
            "/api/jobs/99999999999999999999",
            "/api/jobs/+7",
            "/api/jobs/07",
        ] {
            is_error(&trial.ask(trial.get(path)).await, 404, "no_job");
        }
    }

    #[actix_web::test]
    async fn the_history_is_every_job_newest_first() {
        let trial = Trial::new();
        assert_eq!(trial.ask(trial.get("/api/jobs")).await.json(), json!({ "jobs": [] }));
        trial.show(vec![job(7), ended(6, JobState::Done)]);
        let body = trial.ask(trial.get("/api/jobs")).await.json();
        let one = trial.ask(trial.get("/api/jobs/6")).await.json();
        assert_eq!((&body["jobs"][0]["job_id"], &body["jobs"][1]), (&json!("7"), &one));
    }

    #[actix_web::test]
    async fn a_log_is_a_file_to_keep() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("logs")).unwrap();
        std::fs::write(crate::jobs::logs::path(dir.path(), crate::domain::job::JobId(7)), "a line\n").unwrap();
        let mut trial = Trial::new();
        trial.keep_logs(dir.path());
        trial.show(vec![job(7), ended(6, JobState::Done)]);
        let answer = trial.ask(trial.get("/api/jobs/7/log")).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "a line\n"));
        assert_eq!(answer.kind, "text/plain; charset=utf-8");
        assert_eq!(answer.header("content-disposition"), "attachment; filename=\"sd-swap-job-7.txt\"");
        is_error(&trial.ask(trial.get("/api/jobs/6/log")).await, 404, "no_log");
        for id in ["5", "x", "..%2Fledger"] {
            is_error(&trial.ask(trial.get(&format!("/api/jobs/{id}/log"))).await, 404, "no_job");
        }
    }
}
