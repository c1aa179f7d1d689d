//! What cannot be answered, as a page: title, what happened, what you can do. And the way a page leaves the house.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::links::Links;
use super::{Shell, language};
use crate::domain::job::JobId;
use crate::domain::problem::{Problem, Words};
use crate::texts::Language;

const HTML: &str = "text/html; charset=utf-8";

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    shell: Shell,
    words: Words,
    /// A nearer way than home: link and words.
    nearer: Option<(String, String)>,
}

/// A rendered page.
pub fn html(status: StatusCode, page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(text) => HttpResponse::build(status).insert_header((CONTENT_TYPE, HTML)).body(text),
        Err(error) => {
            log::error!("rendering a page: {error}");
            not_rendered()
        }
    }
}

/// What is left where no page can be made; nobody knows here which language was asked for.
fn not_rendered() -> HttpResponse {
    let said = Language::ALL.map(|t| {
        let part = |part| t.say(&format!("error-not-rendered-{part}"));
        format!("{}. {} {}\n", part("title"), part("happened"), part("todo"))
    });
    HttpResponse::InternalServerError().content_type("text/plain; charset=utf-8").body(said.concat())
}

/// 303 to a page; `link` is relative, so that it holds behind ingress.
pub fn see_other(link: String) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, link)).finish()
}

/// A problem as a page of its own, with the way back to the disks.
pub fn problem(req: &HttpRequest, status: StatusCode, problem: &Problem) -> HttpResponse {
    page(req, status, problem.words_in(language(req)))
}

/// No such page; below `jobs/`, no such job.
pub fn not_found(req: &HttpRequest) -> HttpResponse {
    if req.match_info().get("id").is_none() {
        return page(req, StatusCode::NOT_FOUND, words(req, "not-found"));
    }
    let (links, t) = (Links::of_path(req.path()), language(req));
    let nearer = (links.history(), t.say("history-title"));
    page_with(req, StatusCode::NOT_FOUND, words(req, "no-job"), Some(nearer))
}

/// A job that made no card, or has not made it yet.
pub fn no_certificate(req: &HttpRequest, id: JobId) -> HttpResponse {
    page_with(req, StatusCode::CONFLICT, words(req, "no-certificate"), to_job(req, id))
}

pub fn no_log(req: &HttpRequest, id: JobId) -> HttpResponse {
    page_with(req, StatusCode::NOT_FOUND, words(req, "no-log"), to_job(req, id))
}

fn to_job(req: &HttpRequest, id: JobId) -> Option<(String, String)> {
    Some((Links::of_path(req.path()).job(id), language(req).say("log-back")))
}

pub fn wrong_method(req: &HttpRequest) -> HttpResponse {
    page(req, StatusCode::METHOD_NOT_ALLOWED, words(req, "wrong-method"))
}

/// Too many streams are open. Whoever asked for this one asks for the parts of its page instead.
pub fn too_many(req: &HttpRequest) -> HttpResponse {
    let mut answer = page(req, StatusCode::SERVICE_UNAVAILABLE, words(req, "too-many"));
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("60"));
    answer
}

/// A form that is too long, or no form at all.
pub fn bad_form(req: &HttpRequest, status: StatusCode) -> HttpResponse {
    let name = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "long-form",
        StatusCode::REQUEST_TIMEOUT => "slow-form",
        _ => "bad-form",
    };
    page(req, status, words(req, name))
}

/// The text `error-NAME` as a page.
pub fn named(req: &HttpRequest, status: StatusCode, name: &str) -> HttpResponse {
    page(req, status, words(req, name))
}

fn words(req: &HttpRequest, name: &str) -> Words {
    let t = language(req);
    let part = |part| t.say(&format!("error-{name}-{part}"));
    Words { title: part("title"), happened: part("happened"), todo: part("todo") }
}

fn page(req: &HttpRequest, status: StatusCode, words: Words) -> HttpResponse {
    page_with(req, status, words, None)
}

fn page_with(req: &HttpRequest, status: StatusCode, words: Words, nearer: Option<(String, String)>) -> HttpResponse {
    html(status, &ErrorPage { shell: Shell::at(req), words, nearer })
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use askama::Template;

    use super::html;
    use crate::web::trial::{TOKEN, Trial};

    #[actix_web::test]
    async fn errors_are_pages_with_a_way_home() {
        let trial = Trial::new();
        let cases = [
            (trial.get("/nothing"), 404, "href=\"./\""),
            (trial.get("/a/b/c"), 404, "href=\"../../\""),
            (trial.get("/jobs/99"), 404, "href=\"../\""),
            (trial.get("/jobs/x"), 404, "href=\"../\""),
            (trial.get("/jobs/99/stop"), 404, "href=\"../../\""),
            (trial.get("/assets/none.js"), 404, "href=\"../\""),
            (trial.post("/", &[]), 405, "href=\"./\""),
            (trial.post("/jobs/99", &[]), 405, "href=\"../\""),
        ];
        for (n, (request, status, home)) in cases.into_iter().enumerate() {
            let answer = trial.ask(request).await;
            assert_eq!(answer.status, status, "case {n}");
            assert!(answer.text.contains(home), "case {n}: {}", answer.text);
            assert!(answer.text.contains("<title>Error: "), "case {n}");
            answer.has_sound_links();
        }
    }

    #[actix_web::test]
    async fn a_job_that_is_not_there_leads_to_those_that_are() {
        let trial = Trial::new();
        for (path, up) in [("/jobs/99", "../"), ("/jobs/99/stop", "../../"), ("/jobs/99/log", "../../")] {
            let answer = trial.ask(trial.get(path)).await;
            assert_eq!(answer.status, 404, "{path}");
            answer.has("There is no such job");
            answer.has(&format!("href=\"{up}history\""));
            let german = trial.ask(trial.get(path).insert_header(("Accept-Language", "de"))).await;
            german.has("Diesen Auftrag gibt es nicht");
        }
        trial.ask(trial.get("/nothing")).await.has_not("history");
    }

    #[actix_web::test]
    async fn a_form_that_is_too_long_or_no_form_is_a_page_with_words() {
        let trial = Trial::new();
        let long = "x".repeat(1 << 20);
        for path in ["/card", "/cache"] {
            let answer = trial.ask(trial.post(path, &[("token", TOKEN), ("disk", &long)])).await;
            assert_eq!(answer.status, 413, "{path}");
            answer.has("The form is too long");
            let answer = trial.ask(trial.post_json(path, "{}")).await;
            assert_eq!(answer.status, 415, "{path}");
            answer.has("The form could not be read");
        }
    }

    /// Cannot be written.
    struct Broken;

    impl fmt::Display for Broken {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }

    #[derive(Template)]
    #[template(source = "{{ broken }}", ext = "html")]
    struct BrokenPage {
        broken: Broken,
    }

    #[actix_web::test]
    async fn a_page_that_cannot_be_made_still_says_so() {
        let answer = html(super::StatusCode::OK, &BrokenPage { broken: Broken });
        assert_eq!(answer.status(), 500);
        let body = actix_web::body::to_bytes(answer.into_body()).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains("This page could not be made.") && text.contains("Seite konnte nicht"), "{text}");
    }
}
