//! `cache`: the image that is kept for the next card, and its removal (IM-4).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::card::token_of;
use super::links::Links;
use super::{Shell, Site, error, language};
use crate::domain::image::parse_asset_name;
use crate::domain::problem::{Problem, Words};
use crate::domain::size::Bytes;
use crate::texts::Language;

#[derive(Template)]
#[template(path = "cache.html")]
struct CachePage {
    shell: Shell,
    /// What is wrong with the last press of the button.
    refused: Option<Words>,
    /// Home Assistant was not asked yet.
    unknown: bool,
    kept: Option<Image>,
    /// Why it cannot be removed now, and the link to the job that needs it.
    busy: Option<(Words, String)>,
    token: String,
    action: String,
}

struct Image {
    rows: Vec<(String, String)>,
    size: String,
}

impl Image {
    fn new(t: Language, name: &str, size: Bytes) -> Image {
        let size = size.said_in(t);
        let mut rows = vec![(t.say("cache-file"), name.to_string())];
        if let Some((board, version)) = parse_asset_name(name) {
            rows.push((t.say("cache-version"), t.with("history-os", "version", version.as_str())));
            rows.push((t.say("cache-board"), board.name().into()));
        }
        rows.push((t.say("cache-size"), size.clone()));
        Image { rows, size }
    }
}

impl CachePage {
    fn new(site: &Site, t: Language) -> CachePage {
        let (shell, system) = (site.shell(t, Links::TOP, false), site.jobs.system());
        let kept = system.kept_image.as_ref().map(|(name, size)| Image::new(t, name, *size));
        let busy = |link| (Problem::AlreadyRunning.words_in(t), link);
        CachePage {
            refused: None,
            unknown: kept.is_none() && !system.known,
            kept,
            busy: site.jobs.current().map(|job| busy(shell.links.job(job.id))),
            token: site.token.clone(),
            action: shell.links.cache(),
            shell,
        }
    }

    fn but(self, words: Words) -> CachePage {
        CachePage { refused: Some(words), ..self }
    }
}

pub async fn get(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    error::html(StatusCode::OK, &CachePage::new(&site, language(&req)))
}

/// Removes the image. Once it is gone, a second press finds nothing to do and is answered the same.
pub async fn post(req: HttpRequest, site: web::Data<Site>, payload: web::Payload) -> HttpResponse {
    let t = language(&req);
    let token = match token_of(&req, payload).await {
        Ok(token) => token,
        Err(status) => return error::bad_form(&req, status),
    };
    if !site.token_fits(&token) {
        let part = |part| t.say(&format!("error-stale-form-{part}"));
        let words = Words { title: part("title"), happened: part("happened"), todo: part("todo") };
        return error::html(StatusCode::CONFLICT, &CachePage::new(&site, t).but(words));
    }
    match site.jobs.remove_kept_image().await {
        Ok(()) => error::see_other(Links::TOP.cache()),
        Err(problem) => {
            let page = CachePage::new(&site, t);
            // A job that runs says so on the page anyway; one that only begins is not seen there yet.
            let page = if page.busy.is_some() { page } else { page.but(problem.words_in(t)) };
            error::html(status(&problem), &page)
        }
    }
}

fn status(problem: &Problem) -> StatusCode {
    match problem {
        Problem::AlreadyRunning => StatusCode::CONFLICT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Phrase;
    use crate::web::trial::*;

    const NAME: &str = "haos_rpi4-64-18.2.img.xz";

    fn keeping(name: &str) -> Trial {
        let trial = Trial::new();
        trial.change_system(|system| system.kept_image = Some((name.into(), Bytes(350_000_000))));
        trial
    }

    async fn page(trial: &Trial) -> Answer {
        let answer = trial.ask(trial.get("/cache")).await;
        assert_eq!(answer.status, 200);
        answer.has_sound_links();
        answer
    }

    #[actix_web::test]
    async fn the_kept_image_says_what_it_is_and_what_removing_means() {
        let answer = page(&keeping(NAME)).await;
        for text in
            [NAME, "Home Assistant OS 18.2", "Raspberry Pi 4", "350 MB", "until another one is", "has to be downloaded"]
        {
            answer.has(text);
        }
        assert_eq!(answer.field("token"), TOKEN);
        let answer = page(&keeping("my <own>.img.xz")).await;
        answer.has("my &#60;own&#62;.img.xz");
        answer.has_not("Raspberry");
    }

    #[actix_web::test]
    async fn nothing_kept_and_nothing_known_are_told_apart() {
        let trial = Trial::new();
        let answer = page(&trial).await;
        answer.has("No image is kept.");
        answer.has_not("<button");
        trial.system.send_replace(Default::default());
        let answer = page(&trial).await;
        answer.has("not known yet");
        answer.has_not("No image is kept.");
    }

    #[actix_web::test]
    async fn the_button_removes_it_and_leads_back() {
        let trial = keeping(NAME);
        let answer = trial.ask(trial.post("/cache", &[("token", TOKEN)])).await;
        assert_eq!((answer.status, answer.header("location").as_str()), (303, "cache"));
        assert_eq!(trial.asked(), [Heard::RemoveImage]);
    }

    #[actix_web::test]
    async fn a_form_of_another_start_removes_nothing() {
        let trial = keeping(NAME);
        for fields in [vec![("token", "old")], vec![]] {
            let answer = trial.ask(trial.post("/cache", &fields)).await;
            assert_eq!(answer.status, 409);
            answer.has("This page was out of date");
            answer.has("Error: ");
            assert_eq!(answer.field("token"), TOKEN);
        }
        let json = trial.ask(trial.post_json("/cache", "{}")).await;
        assert_eq!(json.status, 415);
        assert!(trial.asked().is_empty());
    }

    #[actix_web::test]
    async fn while_a_job_runs_it_stays() {
        let trial = keeping(NAME);
        trial.show(vec![job(7)]);
        let answer = page(&trial).await;
        answer.has("A card is already being made");
        answer.has("href=\"jobs/7\"");
        answer.has_not("<button");
        trial.script.lock().unwrap().remove = Err(Problem::AlreadyRunning);
        let answer = trial.ask(trial.post("/cache", &[("token", TOKEN)])).await;
        assert_eq!(answer.status, 409);
        assert_eq!(answer.text.matches("A card is already being made").count(), 1);
        // It is being begun, and no page knows of it yet.
        trial.show(vec![]);
        let answer = trial.ask(trial.post("/cache", &[("token", TOKEN)])).await;
        assert_eq!(answer.status, 409);
        answer.has("A card is already being made");
    }

    #[actix_web::test]
    async fn a_disk_that_does_not_let_go_of_it_is_told() {
        let trial = keeping(NAME);
        trial.script.lock().unwrap().remove =
            Err(Problem::CannotSave { why: Phrase::foreign("read-only file system") });
        let answer = trial.ask(trial.post("/cache", &[("token", TOKEN)])).await;
        assert_eq!(answer.status, 500);
        answer.has("Read-only file system.");
        answer.has(NAME);
    }
}
