//! The demo's own page: plugging and pulling the scratch cards.

use std::sync::Arc;

use actix_web::http::header::{CONTENT_TYPE, LOCATION};
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::domain::disk::DiskId;
use crate::host::Host;
use crate::host::scratch::ScratchHost;
use crate::web::MoreRoutes;

/// The cards that the page plugs and pulls.
#[derive(Clone)]
struct Table {
    host: ScratchHost,
    cards: Vec<(DiskId, String)>,
}

#[derive(Deserialize)]
struct Act {
    card: String,
}

/// Routes below `demo`. The forms only touch make-believe cards, so they need no token.
pub fn routes(host: ScratchHost, cards: Vec<(DiskId, String)>) -> MoreRoutes {
    let table = Table { host, cards };
    Arc::new(move |config: &mut web::ServiceConfig| {
        config
            .app_data(web::Data::new(table.clone()))
            .route("/demo", web::get().to(page))
            .route("/demo/plug", web::post().to(plug))
            .route("/demo/pull", web::post().to(pull));
    })
}

async fn page(table: web::Data<Table>) -> HttpResponse {
    let there = table.host.disks().unwrap_or_default();
    let row = |(id, name): &(DiskId, String)| {
        let is_in = there.iter().any(|disk| disk.id == *id);
        let (word, act, button) =
            if is_in { ("plugged in", "pull", "Pull it out") } else { ("out", "plug", "Plug it in") };
        format!(
            "<section class=\"card\"><h2>{name}</h2><p>It is {word}.</p>\
             <form method=\"post\" action=\"demo/{act}\"><input type=\"hidden\" name=\"card\" value=\"{id}\">\
             <button>{button}</button></form></section>"
        )
    };
    let rows: String = table.cards.iter().map(row).collect();
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Make-believe cards</title>\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"></head><body><main>\
         <h1>Make-believe cards</h1><p>Nothing of this machine is touched here: the cards are files.</p>{rows}\
         <p><a href=\"./\">Back to the app</a></p></main></body></html>"
    );
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/html; charset=utf-8")).body(html)
}

async fn plug(table: web::Data<Table>, act: web::Form<Act>) -> HttpResponse {
    table.host.plug(&DiskId(act.card.clone()), None);
    back()
}

async fn pull(table: web::Data<Table>, act: web::Form<Act>) -> HttpResponse {
    table.host.pull(&DiskId(act.card.clone()));
    back()
}

fn back() -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, "../demo")).finish()
}
