//! What cannot be answered, as a page: title, what happened, what you can do. And the way a page leaves the house.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{Shell, language};
use crate::domain::problem::{Problem, Words};

const HTML: &str = "text/html; charset=utf-8";

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    shell: Shell,
    words: Words,
}

/// A rendered page.
pub fn html(status: StatusCode, page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(text) => HttpResponse::build(status).insert_header((CONTENT_TYPE, HTML)).body(text),
        Err(error) => {
            log::error!("rendering a page: {error}");
            HttpResponse::InternalServerError().content_type("text/plain").body("The page could not be made.\n")
        }
    }
}

/// 303 to a page; `link` is relative, so that it holds behind ingress.
pub fn see_other(link: String) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, link)).finish()
}

/// A problem as a page of its own, with the way back to the disks.
pub fn problem(req: &HttpRequest, status: StatusCode, problem: &Problem) -> HttpResponse {
    page(req, status, problem.words_in(language(req)))
}

pub fn not_found(req: &HttpRequest) -> HttpResponse {
    page(req, StatusCode::NOT_FOUND, words(req, "not-found"))
}

pub fn wrong_method(req: &HttpRequest) -> HttpResponse {
    page(req, StatusCode::METHOD_NOT_ALLOWED, words(req, "wrong-method"))
}

/// A form that is too long, or no form at all.
pub fn bad_form(req: &HttpRequest, status: StatusCode) -> HttpResponse {
    page(req, status, words(req, "bad-form"))
}

fn words(req: &HttpRequest, name: &str) -> Words {
    let t = language(req);
    let part = |part| t.say(&format!("error-{name}-{part}"));
    Words { title: part("title"), happened: part("happened"), todo: part("todo") }
}

fn page(req: &HttpRequest, status: StatusCode, words: Words) -> HttpResponse {
    html(status, &ErrorPage { shell: Shell::at(req), words })
}

#[cfg(test)]
mod tests {
    use crate::web::trial::Trial;

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
}
