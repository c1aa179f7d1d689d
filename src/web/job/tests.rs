//! The job page and the stop page, as they are asked for.

use crate::domain::job::*;
use crate::domain::problem::Problem;
use crate::domain::size::Bytes;
use crate::domain::stage::Stage;
use crate::jobs::StopError;
use crate::texts::Phrase;
use crate::web::trial::*;

async fn page(trial: &Trial, job: JobView) -> Answer {
    trial.show(vec![job]);
    let answer = trial.ask(trial.get("/jobs/7")).await;
    assert_eq!(answer.status, 200);
    answer.has_sound_links();
    answer
}

#[actix_web::test]
async fn a_running_job_tells_all_there_is_to_know() {
    let answer = page(&Trial::new(), job(7)).await;
    answer.has("<title>42 % · Writing the system to the card</title>");
    answer.has("Step 4 of 8: writing the system to the card");
    answer.has("<p class=\"big\">About 6 minutes left</p>");
    assert_eq!(answer.text.matches("<progress").count(), 1);
    answer.has("value=\"42\"");
    answer.has("42 % · 2.6 of 6.2 GB in this step");
    answer.has("21 megabytes per second");
    answer.has("Do not pull the card.");
    answer.has("You can close this page; the work goes on.");
    answer.has("3.1 GB so far, at the same time · <span dir=\"auto\">Backing up Mosquitto");
    assert_eq!(answer.text.matches("aria-current=\"step\"").count(), 1);
    answer.has("href=\"../jobs/7/stop\"");
    answer.has("href=\"../jobs/7?quiet=1\"");
    answer.has("sse-connect=\"../jobs/7/events?seen=");
    answer.has("hx-trigger=\"every 3s, wake\"");
    answer.has("<div id=\"say\" class=\"away\" role=\"status\" sse-swap=\"say\"></div>");
    answer.has("<div id=\"shout\" class=\"away\" role=\"alert\" sse-swap=\"shout\"></div>");
    answer.has("href=\"../jobs/7/log\"");
    answer.has("<noscript><meta http-equiv=\"refresh\" content=\"10\">");
}

#[actix_web::test]
async fn nothing_is_promised_that_is_not_known() {
    let trial = Trial::new();
    let mut first = job(7);
    (first.remaining, first.card_now) = (None, CardNow::Untouched);
    (first.stages[2].state, first.stages[3].state) = (StageState::Running, StageState::Waiting);
    let answer = page(&trial, first).await;
    answer.has("Time left is not known yet");
    answer.has("Nothing on the card has been changed so far.");
    answer.has_not("Do not pull the card.");

    let mut alone = job(7);
    (alone.stages[3].state, alone.remaining) = (StageState::Done, None);
    page(&trial, alone).await.has("How long the backup takes is not known. 3.1 GB so far.");

    let pausing = page(&trial, JobView { quiet: 30, ..job(7) }).await;
    pausing.has("Waiting for the card. Some cards pause for a while.");
    let silent = page(&trial, JobView { quiet: 180, ..job(7) }).await;
    silent.has("The card does not answer");
    silent.has("No data for 3 minutes.");
    let mut empty = job(7);
    empty.stages.clear();
    page(&trial, empty).await.has("Beginning");
}

#[actix_web::test]
async fn every_end_says_what_the_card_is_now_and_what_to_do() {
    let trial = Trial::new();
    let failed = |problem| JobView { problem, detail: Some("EIO <x>".into()), ..ended(7, JobState::Failed) };
    type Case = (JobView, &'static [&'static str]);
    let cases: [Case; 6] = [
        (
            ended(7, JobState::Done),
            &[
                "The new card is ready",
                "It was read back and compared.",
                "Take it out of the reader now.",
                "If Home Assistant offers to rename or adopt a data disk, do neither.",
                "id=\"swap\" href=\"../jobs/7/swap\" target=\"_top\">Swap the card now",
                "href=\"../jobs/7/certificate\"",
                "href=\"../jobs/7/log\"",
            ],
        ),
        (
            ended(7, JobState::Cancelled),
            &["<title>Stopped</title>", "The card is empty now and can be used again.", "Start again", "stopped here"],
        ),
        (
            failed(Some(Problem::CardPulled { stage: Stage::Write })),
            &[
                "Stopped at: Write the system to the card",
                "The card was pulled out",
                "It vanished while writing the system to the card.",
                "Try again with the same card",
                "EIO &#60;x&#62;",
                "not waited for",
            ],
        ),
        (failed(None), &["Something went wrong", "Try again"]),
        (
            ended(7, JobState::Interrupted),
            &["The app was restarted", "Work stopped while writing the system to the card.", "Start again"],
        ),
        (
            JobView { warnings: vec![gap("Not backed up: <a>."), warning("No internet.")], ..ended(7, JobState::Done) },
            &["Done, with gaps", "Not backed up: &#60;a&#62;.", "Save these yourself before you swap.", "Good to know"],
        ),
    ];
    for (job, wanted) in cases {
        let state = job.state;
        let answer = page(&trial, job).await;
        for text in wanted {
            answer.has(text);
        }
        for live in ["sse-connect", "hx-get", "<progress", "jobs/7/stop", "http-equiv", "htmx"] {
            answer.has_not(live);
        }
        let again = answer.text.contains("id=\"again\" href=\"../card?disk=sdb");
        assert_eq!(again, state != JobState::Done, "{state:?}");
    }
    // A card that lies is not offered again.
    for bad in [
        Problem::CardCounterfeit { after: Bytes(8_000_000_000) },
        Problem::CardUnreliable { places: 4, first: Bytes(1), looks_like: Phrase::foreign("zeros") },
    ] {
        let answer = page(&trial, failed(Some(bad))).await;
        answer.has_not("id=\"again\"");
        answer.has("<a class=\"button main\" id=\"home\"");
    }
    trial.plug(vec![]);
    page(&trial, ended(7, JobState::Cancelled)).await.has_not("id=\"again\"");
}

#[actix_web::test]
async fn stopping_asks_first_and_says_what_it_means() {
    let trial = Trial::new();
    trial.show(vec![job(7)]);
    let answer = trial.ask(trial.get("/jobs/7/stop")).await;
    assert_eq!(answer.status, 200);
    answer.has("Stop making this card?");
    answer.has("The card will be empty then and can be used again.");
    answer.has("cannot be stopped. It goes on by itself and is kept.");
    let mut checking = job(7);
    checking.stages[1].note = Some(Phrase::of("note-checking-new-backup"));
    let mut chosen = job(7);
    chosen.request.backup = BackupChoice::Existing { slug: "0a1b2c3d".parse().unwrap(), have_key: false };
    for (job, says) in [(checking, true), (chosen, false)] {
        trial.show(vec![job]);
        let answer = trial.ask(trial.get("/jobs/7/stop")).await;
        answer.has_not("cannot be stopped");
        assert_eq!(answer.text.contains("The backup is kept and can be chosen next time."), says);
    }
    trial.show(vec![job(7)]);
    answer.has("href=\"../../jobs/7\"");
    answer.has_sound_links();

    let stale = trial.ask(trial.post("/jobs/7/stop", &[("token", "old")])).await;
    assert_eq!(stale.status, 409);
    stale.has("This page was out of date");
    assert!(trial.asked().is_empty());

    let token = answer.field("token");
    for result in [Ok(()), Err(StopError::Over), Err(StopError::Committing)] {
        trial.script.lock().unwrap().stop = result;
        let stopped = trial.ask(trial.post("/jobs/7/stop", &[("token", &token)])).await;
        assert_eq!((stopped.status, stopped.header("location").as_str()), (303, "../../jobs/7"));
    }
    for (result, status) in [(StopError::NoJob, 404), (StopError::Closing, 503)] {
        trial.script.lock().unwrap().stop = Err(result);
        assert_eq!(trial.ask(trial.post("/jobs/7/stop", &[("token", &token)])).await.status, status);
    }
    assert_eq!(trial.asked(), vec![Heard::Stop(JobId(7)); 5]);
}

#[actix_web::test]
async fn what_cannot_be_stopped_has_no_button() {
    let trial = Trial::new();
    let mut committing = job(7);
    for view in &mut committing.stages {
        view.state = if view.stage == Stage::Commit { StageState::Running } else { StageState::Done };
    }
    page(&trial, committing).await.has_not("jobs/7/stop");
    let answer = trial.ask(trial.get("/jobs/7/stop")).await;
    answer.has("This takes a few seconds and cannot be stopped.");
    answer.has_not("type=\"submit\"");

    for state in [JobState::Stopping, JobState::Done] {
        let job = JobView { state, ..job(7) };
        let answer = page(&trial, job).await;
        answer.has_not("jobs/7/stop");
        assert_eq!(trial.ask(trial.get("/jobs/7/stop")).await.header("location"), "../../jobs/7");
        let sent = trial.ask(trial.post("/jobs/7/stop", &[("token", TOKEN)])).await;
        assert_eq!(sent.header("location"), "../../jobs/7");
    }
    let stopping = page(&trial, JobView { state: JobState::Stopping, ..job(7) }).await;
    stopping.has("Stopping. Do not pull the card yet.");
    assert!(trial.asked().is_empty());
}

#[actix_web::test]
async fn the_numbers_reach_a_page_that_asks() {
    let trial = Trial::new();
    trial.show(vec![job(7)]);
    let answer = trial.ask(trial.get("/jobs/7/live?seen=")).await;
    let (_, tick) = answer.text.split_once("innerHTML:#tick").unwrap();
    assert!(tick.split("hx-swap-oob").next().unwrap().contains("<progress max=\"100\" value=\"42\""), "{tick}");
}

#[actix_web::test]
async fn a_quiet_page_has_no_numbers_that_move() {
    let trial = Trial::new();
    trial.show(vec![job(7)]);
    let answer = trial.ask(trial.get("/jobs/7?quiet=1")).await;
    answer.has("Show moving numbers");
    answer.has("The numbers stand still: 42 % when this page was opened.");
    answer.has("<title>Writing the system to the card</title>");
    // It is live, but never loaded anew by itself.
    answer.has("htmx");
    for moving in
        ["http-equiv=\"refresh\"", "data-live", "<progress", "sse-swap=\"tick\"", "3.1 GB", "Mosquitto", "MB/s"]
    {
        answer.has_not(moving);
    }
    let seen = seen_of(&answer);
    let ask = || trial.get(&format!("/jobs/7/live?seen={seen}&quiet=1&every=3"));
    let mut moved = job(7);
    (moved.percent, moved.remaining) = (49, Some(300));
    (moved.stages[1].amount.done, moved.stages[1].note) = (9_900_000_000, Some(Phrase::foreign("Backing up Core")));
    trial.show(vec![moved]);
    assert_eq!(trial.ask(ask()).await.status, 204, "nothing moves");
    let mut next = job(7);
    (next.stages[3].state, next.stages[4].state) = (StageState::Done, StageState::Running);
    trial.show(vec![next]);
    let news = trial.ask(ask()).await;
    for part in ["#state", "#steps", "<title>Reading it back and comparing</title>", "quiet=1"] {
        news.has(part);
    }
    trial.show(vec![ended(7, JobState::Cancelled)]);
    let end = trial.ask(ask()).await;
    assert_eq!(end.status, 286);
    for part in ["<title>Stopped</title>", "#state", "#steps", "#acts", "#say"] {
        end.has(part);
    }
    for part in ["#tick", "#technical", "stand still"] {
        end.has_not(part);
    }
}

/// What a loaded page asks with.
fn seen_of(page: &Answer) -> String {
    let (_, seen) = page.text.split_once("events?seen=").unwrap();
    seen.split(['"', '&']).next().unwrap().to_string()
}

#[actix_web::test]
async fn pages_in_german_have_no_english_words_left() {
    let trial = Trial::new();
    for job in [job(7), ended(7, JobState::Done), ended(7, JobState::Interrupted)] {
        trial.show(vec![job]);
        let answer = trial.ask(trial.get("/jobs/7").insert_header(("accept-language", "de"))).await;
        answer.has("<html lang=\"de\">");
        answer.has("Schritte");
        for word in [" the ", "Step ", "Stop", "ready", "card "] {
            let shown = answer.text.split_once("<main").unwrap().1;
            assert!(!shown.contains(&format!(">{word}")) && !shown.contains(" the "), "{word}: {shown}");
        }
    }
    trial.show(vec![job(7)]);
    let stop = trial.ask(trial.get("/jobs/7/stop").insert_header(("accept-language", "de"))).await;
    stop.has("Diese Karte nicht weiter erstellen?");
    stop.has("Die Karte ist dann leer und kann wieder verwendet werden.");
}

#[actix_web::test]
async fn a_page_whose_job_is_gone_is_loaded_anew() {
    let trial = Trial::new();
    let answer = trial.ask(trial.get("/jobs/9/live?seen=1.2.3")).await;
    assert_eq!((answer.status, answer.header("hx-refresh").as_str()), (200, "true"));
}

#[actix_web::test]
async fn the_twin_follows_a_job_to_its_end() {
    let trial = Trial::new();
    trial.show(vec![job(7)]);
    let first = trial.ask(trial.get("/jobs/7")).await;
    let seen = seen_of(&first);
    let ask = |seen: &str| trial.get(&format!("/jobs/7/live?seen={seen}&every=20"));
    assert_eq!(trial.ask(ask(&seen)).await.status, 204);
    trial.show(vec![JobView { percent: 43, ..job(7) }]);
    let second = trial.ask(ask(&seen)).await;
    assert_eq!(second.status, 200);
    second.has("innerHTML:#tick");
    second.has("<title>43 %");
    second.has_not("#state");
    trial.show(vec![ended(7, JobState::Failed)]);
    let last = trial.ask(ask(&seen)).await;
    assert_eq!(last.status, 286);
    for part in ["#state", "#acts", "#steps", "#tick", "#shout"] {
        last.has(&format!("innerHTML:{part}\""));
    }
    let (_, pulse) = last.text.split_once("<div hx-swap-oob=\"innerHTML:#pulse\"").unwrap();
    assert_eq!(pulse.split_once('>').unwrap().1, "</div>", "the asking ends");
    last.has_sound_links();
}

#[actix_web::test]
async fn a_stream_ends_with_the_job() {
    let trial = Trial::new();
    trial.show(vec![ended(7, JobState::Done)]);
    let answer = trial.ask(trial.get("/jobs/7/events")).await;
    assert_eq!(answer.kind, "text/event-stream");
    assert_eq!(answer.header("x-accel-buffering"), "no");
    let names: Vec<&str> = answer.text.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(names, ["pulse", "state", "acts", "steps", "say", "tick", "technical", "pulse", "bye"]);
    answer.has("retry: 2000");
    answer.has("The new card is ready");
}
