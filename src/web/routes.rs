//! Every URL on one screen.

use actix_web::web::{self, ServiceConfig, delete, get, post};
use actix_web::{HttpRequest, HttpResponse, Resource};

use super::{about, api, assets, cache, card, certificate, error, history, home, job, job_log, swap};

pub fn all(cfg: &mut ServiceConfig) {
    cfg.service(page("/").route(get().to(home::get)))
        .service(page("/events").route(get().to(home::events)))
        .service(page("/live").route(get().to(home::live)))
        .service(page("/card").route(get().to(card::get)).route(post().to(card::post)))
        .service(page("/jobs/{id}").route(get().to(job::get)))
        .service(page("/jobs/{id}/events").route(get().to(job::events)))
        .service(page("/jobs/{id}/live").route(get().to(job::live)))
        .service(page("/jobs/{id}/stop").route(get().to(job::stop_page)).route(post().to(job::stop)))
        .service(page("/jobs/{id}/swap").route(get().to(swap::get)))
        .service(page("/jobs/{id}/log").route(get().to(job_log::get)))
        .service(page("/jobs/{id}/log.txt").route(get().to(job_log::text)))
        .service(page("/jobs/{id}/certificate").route(get().to(certificate::get)))
        .service(page("/jobs/{id}/certificate.json").route(get().to(certificate::json)))
        .service(page("/history").route(get().to(history::get)))
        .service(page("/cache").route(get().to(cache::get)).route(post().to(cache::post)))
        .service(page("/about").route(get().to(about::get)))
        .service(page("/assets/{name}").route(get().to(assets::get)))
        .service(
            web::scope("/api")
                .service(json("/devices", "GET").route(get().to(api::devices::get)))
                .service(json("/system-info", "GET").route(get().to(api::system::info)))
                .service(json("/backups", "GET").route(get().to(api::system::backups)))
                .service(
                    json("/image-cache", "GET, DELETE")
                        .route(get().to(api::image_cache::get))
                        .route(delete().to(api::image_cache::delete)),
                )
                .service(json("/start-clone", "POST").route(post().to(api::start::post)))
                .service(json("/jobs", "GET").route(get().to(api::jobs::all)))
                .service(json("/jobs/current", "GET").route(get().to(api::jobs::current)))
                .service(json("/jobs/{id}", "GET").route(get().to(api::jobs::one)))
                .service(json("/jobs/{id}/cancel", "POST").route(post().to(api::cancel::post)))
                .service(json("/jobs/{id}/log", "GET").route(get().to(api::jobs::log)))
                .service(json("/events", "GET").route(get().to(api::events::get)))
                .service(json("/openapi.json", "GET").route(get().to(api::openapi::get)))
                .default_service(web::to(api::failure::no_such_url)),
        )
        .service(
            web::scope("/ws")
                .service(json("/progress/{id}", "GET").route(get().to(api::progress::get)))
                .default_service(web::to(api::failure::no_such_url)),
        )
        .default_service(web::to(|req: HttpRequest| async move { error::not_found(&req) }));
}

/// A URL of the pages: a wrong method gets a page, too.
fn page(path: &str) -> Resource {
    web::resource(path).default_service(web::to(|req: HttpRequest| async move { error::wrong_method(&req) }))
}

/// A URL of the API: a wrong method gets JSON and the right one.
fn json(path: &str, method: &'static str) -> Resource {
    web::resource(path).default_service(web::to(move || async move { wrong_method(method) }))
}

fn wrong_method(allowed: &'static str) -> HttpResponse {
    api::failure::wrong_method(allowed)
}
