//! `api/image-cache`: the verified image that is kept for the next card (IM-4, IM-6).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::json;

use super::failure::{Failure, closing, running};
use crate::domain::problem::Problem;
use crate::web::Site;

pub async fn get(site: web::Data<Site>) -> HttpResponse {
    let system = site.jobs.system();
    let image = system.kept_image.as_ref();
    let image = image.map(|(name, size)| json!({ "name": name, "size": size, "size_human": size.to_string() }));
    HttpResponse::Ok().json(json!({ "image": image }))
}

/// 204 whether or not there was one: afterwards there is none.
pub async fn delete(site: web::Data<Site>) -> HttpResponse {
    match site.jobs.remove_kept_image().await {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(problem) => kept(&site, &problem).answer(),
    }
}

fn kept(site: &Site, problem: &Problem) -> Failure {
    match problem {
        Problem::AlreadyRunning => site.jobs.current().map_or_else(
            // A start is being looked at: it may count on the image.
            || Failure::of(StatusCode::CONFLICT, problem),
            |job| running(job.id),
        ),
        Problem::Unexpected { .. } => closing(),
        other => Failure::of(StatusCode::INTERNAL_SERVER_ERROR, other),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::size::Bytes;
    use crate::texts::Phrase;
    use crate::web::api::trial::is_error;
    use crate::web::trial::*;

    fn remove() -> TestRequest {
        TestRequest::delete().uri("/api/image-cache").peer_addr("127.0.0.1:5000".parse().unwrap())
    }

    #[actix_web::test]
    async fn the_kept_image_is_told_and_removed() {
        let trial = Trial::new();
        assert_eq!(trial.ask(trial.get("/api/image-cache")).await.json(), json!({ "image": Value::Null }));
        trial.change_system(|s| s.kept_image = Some(("haos_rpi4-64-18.2.img.xz".into(), Bytes(350_000_000))));
        let body = trial.ask(trial.get("/api/image-cache")).await.json();
        let want = json!({ "name": "haos_rpi4-64-18.2.img.xz", "size": 350_000_000, "size_human": "350 MB" });
        assert_eq!(body["image"], want);
        for _ in 0..2 {
            let answer = trial.ask(remove()).await;
            assert_eq!((answer.status, answer.text.as_str()), (204, ""));
        }
        assert_eq!(trial.asked(), [Heard::RemoveImage, Heard::RemoveImage]);
    }

    #[actix_web::test]
    async fn what_keeps_it_is_said() {
        let trial = Trial::new();
        trial.show(vec![job(9)]);
        trial.script.lock().unwrap().remove = Err(Problem::AlreadyRunning);
        let body = is_error(&trial.ask(remove()).await, 409, "already_running");
        assert_eq!(body["job_id"], "9");
        trial.show(vec![]);
        is_error(&trial.ask(remove()).await, 409, "already_running");
        trial.script.lock().unwrap().remove = Err(Problem::CannotSave { why: Phrase::foreign("read-only") });
        is_error(&trial.ask(remove()).await, 500, "cannot_save");
        trial.script.lock().unwrap().remove = Err(Problem::Unexpected { short: Phrase::of("why-app-ending") });
        is_error(&trial.ask(remove()).await, 503, "closing");
        let foreign = remove().insert_header(("origin", "https://evil.example"));
        is_error(&trial.ask(foreign).await, 403, "foreign_origin");
        assert_eq!(trial.asked().len(), 4);
    }
}
