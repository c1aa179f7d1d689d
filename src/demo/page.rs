//! The demo's own page: plugging, pulling and locking the scratch cards.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use crate::domain::disk::{Disk, DiskId};
use crate::host::Host;
use crate::host::scratch::ScratchHost;
use crate::web::links::Links;
use crate::web::{MoreRoutes, Shell, error};

/// The cards that the page plugs and pulls.
#[derive(Clone)]
struct Table {
    host: ScratchHost,
    cards: Vec<(DiskId, String)>,
}

#[derive(Template)]
#[template(path = "demo.html")]
struct DemoPage {
    shell: Shell,
    cards: Vec<CardRow>,
}

struct CardRow {
    id: DiskId,
    name: String,
    state: &'static str,
    /// Where the form goes, the word on the button, and whether it is the main one.
    acts: Vec<(&'static str, &'static str, bool)>,
}

impl CardRow {
    /// `there`: the card as the host lists it, if it is plugged in.
    fn new(id: &DiskId, name: &str, there: Option<&Disk>) -> CardRow {
        let (state, acts) = match there.map(|disk| disk.read_only) {
            None => ("It is out.", vec![("plug", "Plug it in", true)]),
            Some(false) => {
                ("It is plugged in.", vec![("pull", "Pull it out", true), ("lock", "Slide its lock on", false)])
            }
            Some(true) => (
                "It is plugged in and write-protected.",
                vec![("pull", "Pull it out", true), ("unlock", "Slide its lock off", false)],
            ),
        };
        CardRow { id: id.clone(), name: name.into(), state, acts }
    }
}

#[derive(Deserialize)]
struct Act {
    card: DiskId,
}

/// Routes below `demo`. The forms only touch make-believe cards, so they need no token.
pub fn routes(host: ScratchHost, cards: Vec<(DiskId, String)>) -> MoreRoutes {
    let table = Table { host, cards };
    Arc::new(move |config: &mut web::ServiceConfig| {
        config
            .app_data(web::Data::new(table.clone()))
            .route("/demo", web::get().to(page))
            .route("/demo/{act}", web::post().to(act));
    })
}

async fn page(req: HttpRequest, table: web::Data<Table>) -> HttpResponse {
    let there = table.host.disks().unwrap_or_default();
    let row = |(id, name): &(DiskId, String)| CardRow::new(id, name, there.iter().find(|disk| disk.id == *id));
    let cards = table.cards.iter().map(row).collect();
    error::html(StatusCode::OK, &DemoPage { shell: Shell::at(&req), cards })
}

async fn act(req: HttpRequest, table: web::Data<Table>, what: web::Path<String>, form: web::Form<Act>) -> HttpResponse {
    let (host, card) = (&table.host, &form.card);
    match what.as_str() {
        "plug" => host.plug(card, None),
        "pull" => host.pull(card),
        "lock" => host.set_read_only(card, true),
        "unlock" => host.set_read_only(card, false),
        _ => return error::not_found(&req),
    }
    error::see_other(Links::of_path(req.path()).other("demo"))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use actix_web::body::to_bytes;
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::{App, body::MessageBody};

    use super::*;
    use crate::host::scratch::ScratchSpec;

    struct Played {
        host: ScratchHost,
        card: DiskId,
        _dir: tempfile::TempDir,
    }

    fn played() -> Played {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("card.img");
        File::create(&file).unwrap().set_len(64 << 20).unwrap();
        let host = ScratchHost::new();
        let card = host.add("sda", ScratchSpec::new(file));
        Played { host, card, _dir: dir }
    }

    async fn ask(played: &Played, request: TestRequest) -> (u16, String, String) {
        let more = routes(played.host.clone(), vec![(played.card.clone(), "SanDisk <Ultra>".into())]);
        let service = init_service(App::new().configure(|config| more(config))).await;
        let response = call_service(&service, request.to_request()).await;
        let status = response.status().as_u16();
        let location = response.headers().get("location").map(|to| to.to_str().unwrap().to_string());
        let body = to_bytes(response.into_body().boxed()).await.unwrap();
        (status, location.unwrap_or_default(), String::from_utf8(body.to_vec()).unwrap())
    }

    async fn press(played: &Played, act: &str) -> (u16, String) {
        let form = TestRequest::post().uri(&format!("/demo/{act}")).set_form([("card", "sda")]);
        let (status, location, _) = ask(played, form).await;
        (status, location)
    }

    async fn shown(played: &Played) -> String {
        let (status, _, text) = ask(played, TestRequest::get().uri("/demo")).await;
        assert_eq!(status, 200);
        text
    }

    #[actix_web::test]
    async fn each_button_does_what_it_says_and_leads_back() {
        let played = played();
        let cases = [
            ("lock", "plugged in and write-protected", "demo/unlock"),
            ("unlock", "It is plugged in.", "demo/lock"),
            ("pull", "It is out.", "demo/plug"),
            ("plug", "It is plugged in.", "demo/pull"),
        ];
        for (act, state, next) in cases {
            assert_eq!(press(&played, act).await, (303, "../demo".into()), "{act}");
            let text = shown(&played).await;
            assert!(text.contains(state) && text.contains(&format!("action=\"{next}\"")), "{act}: {text}");
        }
        assert_eq!(press(&played, "burn").await.0, 404);
        assert_eq!(played.host.disks().unwrap().len(), 1);
    }

    #[actix_web::test]
    async fn it_is_a_page_like_the_others() {
        let text = shown(&played()).await;
        for part in ["href=\"assets/style.", "<main id=\"main\"", "<h1>Make-believe cards</h1>", "href=\"./\""] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
        assert!(text.contains("SanDisk &#60;Ultra&#62;") && !text.contains(" style="));
        assert!(!text.contains("action=\"/") && !text.contains("href=\"/"));
    }
}
