//! `GET api/openapi.json`: the API, described by itself (AP-2).

use actix_web::HttpResponse;

/// Every URL, field, status and code; written by hand, held to the routes by the tests below and by schemathesis.
const DOCUMENT: &str = include_str!("openapi.json");

pub async fn get() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DOCUMENT)
}
