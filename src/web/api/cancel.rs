//! `POST api/jobs/{id}/cancel`: asks a job to stop (JB-3). It may be asked again and again.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::failure::{Failure, closing, is_json, no_job};
use super::jobs::named;
use super::view::job_json;
use crate::domain::job::{JobId, JobState, JobView};
use crate::jobs::StopError;
use crate::web::Site;

/// 202 while it is stopping, 200 once it is cancelled; both with the body of `GET api/jobs/{id}`.
pub async fn post(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let asked = async {
        is_json(&req, false)?;
        let id = named(&req).ok_or_else(no_job)?;
        stop(&site, id).await
    };
    asked.await.unwrap_or_else(Failure::answer)
}

async fn stop(site: &Site, id: JobId) -> Result<HttpResponse, Failure> {
    let stopped = site.jobs.stop(id).await;
    let job = site.jobs.job(id).ok_or_else(no_job)?;
    match stopped {
        Ok(()) => Ok(HttpResponse::Accepted().json(job_json(&job))),
        Err(StopError::Over) if job.state == JobState::Cancelled => Ok(HttpResponse::Ok().json(job_json(&job))),
        Err(StopError::Over) => Err(over(&job)),
        Err(StopError::Committing) => Err(committing()),
        Err(StopError::NoJob) => Err(no_job()),
        Err(StopError::Closing) => Err(closing()),
    }
}

fn over(job: &JobView) -> Failure {
    let error = format!("The job is over: it is {}. {}", job.state.word(), job.card_now.sentence());
    let hint = "There is nothing to stop. POST api/start-clone makes another card.";
    Failure::new(StatusCode::CONFLICT, "over", error, hint).with("state", job.state.word())
}

fn committing() -> Failure {
    let error = "The card is being made startable: that takes seconds and is not stopped.";
    let hint = "Wait for the end; GET api/jobs/ID says how it is.";
    Failure::new(StatusCode::CONFLICT, "committing", error, hint)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::web::api::trial::is_error;
    use crate::web::trial::*;

    fn cancel(id: &str) -> TestRequest {
        let path = format!("/api/jobs/{id}/cancel");
        TestRequest::post().uri(&path).peer_addr("127.0.0.1:5000".parse().unwrap())
    }

    #[actix_web::test]
    async fn a_job_is_asked_to_stop_as_often_as_one_likes() {
        let trial = Trial::new();
        trial.show(vec![JobView { state: JobState::Stopping, ..job(7) }]);
        for _ in 0..2 {
            let answer = trial.ask(cancel("7")).await;
            assert_eq!((answer.status, &answer.json()["state"]), (202, &"stopping".into()));
        }
        trial.show(vec![ended(7, JobState::Cancelled)]);
        trial.script.lock().unwrap().stop = Err(StopError::Over);
        let answer = trial.ask(cancel("7")).await;
        assert_eq!((answer.status, &answer.json()["state"]), (200, &"cancelled".into()));
        assert_eq!(trial.asked(), vec![Heard::Stop(JobId(7)); 3]);
    }

    #[actix_web::test]
    async fn what_cannot_be_stopped_says_why() {
        let trial = Trial::new();
        trial.show(vec![ended(7, JobState::Done)]);
        let cases = [
            (StopError::Over, 409, "over"),
            (StopError::Committing, 409, "committing"),
            (StopError::NoJob, 404, "no_job"),
            (StopError::Closing, 503, "closing"),
        ];
        for (error, status, code) in cases {
            trial.script.lock().unwrap().stop = Err(error);
            is_error(&trial.ask(cancel("7")).await, status, code);
        }
        is_error(&trial.ask(cancel("8")).await, 404, "no_job");
        is_error(&trial.ask(cancel("x")).await, 404, "no_job");
    }

    #[actix_web::test]
    async fn no_page_of_another_site_stops_a_job() {
        let trial = Trial::new();
        trial.show(vec![job(7)]);
        let form = trial.post("/api/jobs/7/cancel", &[]);
        is_error(&trial.ask(form).await, 415, "not_json");
        let foreign = cancel("7").insert_header(("origin", "https://evil.example"));
        is_error(&trial.ask(foreign).await, 403, "foreign_origin");
        assert!(trial.asked().is_empty());
        assert_eq!(trial.ask(trial.post_json("/api/jobs/7/cancel", "{}")).await.status, 202);
    }
}
