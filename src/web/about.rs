//! `about`: versions, where the data lies, whose work is in it, and what a report should have with it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::links::Links;
use super::{REPORT, Shell, Site, diagnostics, error, language};
use crate::domain::image::Board;
use crate::domain::system::SystemFacts;
use crate::texts::Language;

/// What is not ours: name, version and licence as `static/VENDORED.md` has them.
const VENDORED: [(&str, &str); 2] = [("htmx.org 2.0.4", "0BSD"), ("htmx-ext-sse 2.2.4", "0BSD")];

#[derive(Template)]
#[template(path = "about.html")]
struct AboutPage {
    shell: Shell,
    versions: Vec<(String, String)>,
    places: Vec<(String, String)>,
    licences: Vec<(String, String)>,
    diagnostics: String,
    report: Option<&'static str>,
}

fn versions(t: Language, facts: &SystemFacts) -> Vec<(String, String)> {
    let unknown = || t.say("about-unknown");
    let or_unknown = |value: &Option<String>| value.clone().unwrap_or_else(unknown);
    let board = facts.board.as_deref().map(board_name);
    vec![
        (t.say("about-app"), format!("sd-swap {}", env!("CARGO_PKG_VERSION"))),
        (t.say("about-os"), facts.os_version.as_ref().map_or_else(unknown, ToString::to_string)),
        (t.say("about-supervisor"), or_unknown(&facts.supervisor_version)),
        (t.say("about-core"), or_unknown(&facts.core_version)),
        (t.say("about-board"), board.unwrap_or_else(unknown)),
    ]
}

/// "Raspberry Pi 4 (rpi4-64)"
fn board_name(slug: &str) -> String {
    slug.parse::<Board>().map_or_else(|_| slug.into(), |board| format!("{} ({slug})", board.name()))
}

fn places(site: &Site, t: Language) -> Vec<(String, String)> {
    let data = site.jobs.data().map(|path| path.display().to_string());
    let ours = data.map(|path| t.with("about-data-in", "path", path)).unwrap_or_else(|| t.say("about-data-nowhere"));
    vec![(t.say("about-data"), ours), (t.say("about-backups"), t.say("about-backups-in"))]
}

fn licences() -> Vec<(String, String)> {
    let ours = ("sd-swap".to_string(), env!("CARGO_PKG_LICENSE").to_string());
    std::iter::once(ours).chain(VENDORED.map(|(name, licence)| (name.into(), licence.into()))).collect()
}

pub async fn get(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let t = language(&req);
    let system = site.jobs.system();
    let page = AboutPage {
        shell: site.shell(t, Links::TOP, false),
        versions: versions(t, &system.facts),
        places: places(&site, t),
        licences: licences(),
        diagnostics: diagnostics::text(&system, &site.jobs.disks(), &site.jobs.all()),
        report: REPORT,
    };
    error::html(StatusCode::OK, &page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::trial::*;

    #[actix_web::test]
    async fn it_names_versions_places_and_licences() {
        let (mut trial, dir) = (Trial::new(), tempfile::tempdir().unwrap());
        trial.keep_logs(dir.path());
        let answer = trial.ask(trial.get("/about")).await;
        assert_eq!(answer.status, 200);
        answer.has_sound_links();
        let data = dir.path().display().to_string();
        for text in [
            concat!("sd-swap ", env!("CARGO_PKG_VERSION")),
            "<dd dir=\"auto\">18.2</dd>",
            "2026.11.0",
            "2026.11.1",
            "Raspberry Pi 4 (rpi4-64)",
            &data,
            "MIT OR Apache-2.0",
            "0BSD",
            "<pre class=\"log\" tabindex=\"0\"",
            "href=\"history\"",
            "href=\"cache\"",
        ] {
            answer.has(text);
        }
    }

    #[actix_web::test]
    async fn what_is_not_known_is_called_so() {
        let trial = Trial::new();
        trial.system.send_replace(Default::default());
        let answer = trial.ask(trial.get("/about")).await;
        assert_eq!((answer.status, answer.text.matches("not known").count()), (200, 4));
    }

    #[test]
    fn the_licences_are_those_of_what_lies_here() {
        let note = include_str!("../../static/VENDORED.md");
        let rows = note.lines().filter(|line| line.starts_with("| `"));
        let noted: Vec<(String, String)> = rows
            .map(|row| row.split(" | ").map(String::from).collect::<Vec<_>>())
            .map(|row| (row[1].clone(), row[3].clone()))
            .collect();
        let ours: Vec<(String, String)> = VENDORED.map(|(name, licence)| (name.into(), licence.into())).to_vec();
        assert_eq!(noted, ours);
    }
}
