use super::*;
use crate::domain::disk::Refusal;
use crate::domain::problem::Problem;
use crate::jobs::DiskList;
use crate::web::trial::*;

/// The page as Home Assistant asks for it.
async fn page(trial: &Trial, language: &str) -> Answer {
    let request = trial.get("/jobs/7/swap").insert_header(("x-ingress-path", "/api/hassio_ingress/T"));
    let request = request.insert_header(("x-forwarded-host", "ha.example:8123")).insert_header(("host", "x"));
    let answer = trial.ask(request.insert_header(("accept-language", language))).await;
    assert_eq!(answer.status, 200);
    inspected(answer)
}

/// Apart from the addresses of the new system, every link is relative.
fn inspected(mut answer: Answer) -> Answer {
    let whole = answer.text.clone();
    for way in whole.split("<a href=\"http://").skip(1) {
        let (host, rest) = way.split_once('"').unwrap();
        assert!(rest.starts_with(&format!(" target=\"_blank\" rel=\"noopener\">http://{host}</a>")), "{way}");
        answer.text = answer.text.replace(&format!(" href=\"http://{host}\""), "");
    }
    answer.has_sound_links();
    answer.text = whole;
    answer
}

fn known(trial: &Trial) {
    trial.change_system(|system| system.facts.app = Some("0123abcd_sd_swap".into()));
    trial.show(vec![JobView { ended: Some(1_795_270_000), ..ended(7, JobState::Done) }]);
}

#[actix_web::test]
async fn the_page_holds_all_that_is_needed_once_home_assistant_is_off() {
    let trial = Trial::new();
    known(&trial);
    let answer = page(&trial, "en").await;
    for text in [
        "Take the new card out of the reader now",
        "Shut down system. <strong>Never restart.</strong>",
        "When its light is still, pull the plug",
        "Keep it: it is your way back.",
        "It is: SanDisk Extreme, 32 GB.",
        "Leave the reader empty.",
        "do neither",
        "<div id=\"finish\" class=\"away-in-print\" data-backup=\"{&#34;apps&#34;:[&#34;core_mosquitto&#34;],&#34;core&#34;:true,&#34;database&#34;:true,",
        "<a href=\"swap\" target=\"_top\">",
        "Done. Your Home Assistant runs from the new card.",
        ">http://192.168.1.42</a>",
        ">http://homeassistant.local</a>",
        "Settings › System › Backups: <strong dir=\"auto\">0a1b2c3d</strong>",
        "Your own account returns.",
        "The old card still works",
        "Home Assistant OS 18.2",
        "<dd>2026-11-21</dd>",
        "<button type=\"button\" data-print hidden>",
    ] {
        answer.has(text);
    }
    assert_eq!(answer.text.matches("<h1").count(), 1);
    assert!(answer.text.find("192.168.1.42</a>") < answer.text.find("homeassistant.local</a>"));
    for live in ["htmx", "hx-", "sse-connect", "http-equiv", "data-live", "loading=\"lazy\"", "<img", TOKEN, "swap-"] {
        answer.has_not(live);
    }
    // Nothing is fetched later: what the page loads stands in its head.
    assert_eq!(answer.text.matches(" src=\"").count(), 3);

    let german = page(&trial, "de").await;
    german.has("<html lang=\"de\">");
    german.has("Auf keinen Fall neu starten.");
    german.has_not("Never restart");
    german.has_not("swap-");
}

#[actix_web::test]
async fn ways_into_home_assistant_lead_out_of_ingress() {
    let trial = Trial::new();
    known(&trial);
    let answer = page(&trial, "en").await;
    let (_, button) = answer.text.split_once("class=\"button\" href=\"").unwrap();
    let (out, rest) = button.split_once('"').unwrap();
    assert!(rest.starts_with(" target=\"_top\">Back to Home Assistant"));
    for prefix in ["/api/hassio_ingress/T/", "/api/hassio_ingress/T//"] {
        let base = url::Url::parse(&format!("http://h:8123{prefix}jobs/7/swap")).unwrap();
        assert_eq!(base.join(out).unwrap().as_str(), "http://h:8123/", "{prefix}");
    }
    answer.has(&format!("href=\"{out}_my_redirect/system_dashboard\" target=\"_blank\" rel=\"noopener\""));

    // Not below Home Assistant: there is nothing to lead back to.
    let own = inspected(trial.ask(trial.get("/jobs/7/swap").insert_header(("host", "ha.example"))).await);
    own.has_not("Back to Home Assistant");
    own.has_not("_my_redirect");
    own.has("<p class=\"address\">http://ha.example/jobs/7/swap</p>");
}

#[actix_web::test]
async fn the_code_and_the_text_beside_it_say_the_same() {
    let trial = Trial::new();
    known(&trial);
    let answer = page(&trial, "en").await;
    let address = "http://ha.example:8123/_my_redirect/supervisor_ingress?addon=0123abcd_sd_swap";
    answer.has(&format!("<p class=\"address\">{address}</p>"));
    answer.has(&format!("role=\"img\" aria-label=\"QR code: {address}\""));
    answer.has(&format!("d=\"{}\"", Qr::of(address).unwrap().path));
    answer.has("log in, choose “Swap it now”");
    // The address of ingress is of no use without a session, and stays out.
    answer.has_not("hassio_ingress");

    // A host that nobody else can open gets no code, and what is no host is never printed.
    trial.change_system(|system| system.facts.addresses.clear());
    for host in ["localhost", "evil.example/<b>", "a@b"] {
        let answer = inspected(trial.ask(trial.get("/jobs/7/swap").insert_header(("host", host))).await);
        assert_eq!(answer.status, 200);
        for text in ["class=\"qr\"", "class=\"address\"", "evil", "a@b"] {
            answer.has_not(text);
        }
        answer.has("Or print this page");
    }
}

#[actix_web::test]
async fn warnings_that_matter_now_stand_before_the_steps() {
    let trial = Trial::new();
    let mut job = ended(7, JobState::Done);
    job.warnings = vec![
        Warning::new("backup_needs_key", &[]),
        Warning::new("local_apps", &[]),
        Warning::new("local_apps_missing", &[]),
        Warning::new("app_not_in_backup", &[("part", "<b>"), ("said", "no")]),
        Warning::new("backup_unseen", &[]),
        Warning::new("room_for_restore", &[("backup", "9 GB"), ("room", "36 GB")]),
    ];
    trial.show(vec![job]);
    let usual = page(&trial, "en").await;
    usual.has("Done, with gaps");
    usual.has("Save these yourself before you swap.");
    usual.has("copy it by hand");
    usual.has("&#60;b&#62; is not in the backup: no");
    usual.has_not("The folder of local apps is missing from full backups");
    usual.has_not("The Supervisor was restarted");
    usual.has("Have the key of the backup at hand");
    usual.has("Type the key of the backup.");
    usual.has("A larger card is safer.");
    usual.has_not("external data disk");

    trial.change_system(|system| system.warnings = vec![Warning::new("external_data_disk", &[])]);
    let apart = page(&trial, "en").await;
    apart.has("Unplug it at step 3, decide later.");
    apart.has("Unplug the external data disk, too.");
    // The disk that is known to be in use is the data disk, not the one to take out.
    apart.has_not("It is: SanDisk Extreme");
    let (before, after) = apart.text.split_once("<ol class=\"todo\">").unwrap();
    let (after, _) = after.split_once("id=\"finish\"").unwrap();
    assert!(before.contains("Done, with gaps") && before.contains("decide later") && !after.contains("notice"));
}

#[actix_web::test]
async fn a_card_in_the_reader_is_spoken_of() {
    let trial = Trial::new();
    known(&trial);
    page(&trial, "en").await.has("A card is still in the reader.");
    let mut empty = disk("sdb");
    empty.medium = false;
    for disks in [vec![], vec![listed(empty, &[Refusal::NoMedium])]] {
        trial.plug(disks);
        page(&trial, "en").await.has_not("A card is still in the reader.");
    }
    trial.plug(vec![listed(internal(), &[Refusal::RunsSystem])]);
    page(&trial, "en").await.has("on the underside of the Raspberry Pi");
}

#[actix_web::test]
async fn what_is_not_known_is_left_out() {
    let trial = Trial::new();
    let mut job = ended(7, JobState::Done);
    (job.made.backup, job.made.version, job.made.backup_name, job.ended) = (None, None, Some(" ".into()), None);
    trial.show(vec![job]);
    trial.system.send_replace(Default::default());
    trial.disks.send_replace(std::sync::Arc::new(DiskList::default()));
    let answer = page(&trial, "en").await;
    answer.has("No backup is on this card");
    answer.has("It is the card or disk that your Home Assistant starts from now.");
    answer.has(">http://homeassistant.local</a>");
    assert_eq!(answer.text.matches("<a href=\"http://").count(), 1);
    answer.has_not("Home Assistant OS");
    answer.has_not("Settings › System › Backups");
    answer.has("open this app, choose “Swap it now”");
}

#[actix_web::test]
async fn only_a_finished_card_is_swapped() {
    let trial = Trial::new();
    let mut others = vec![job(7), ended(7, JobState::Failed), ended(7, JobState::Cancelled)];
    others.push(JobView { problem: Some(Problem::NoInternet), ..ended(7, JobState::Interrupted) });
    for job in others {
        trial.show(vec![job]);
        let answer = trial.ask(trial.get("/jobs/7/swap")).await;
        assert_eq!((answer.status, answer.header("location").as_str()), (303, "../../jobs/7"));
    }
    for path in ["/jobs/8/swap", "/jobs/x/swap", "/jobs/-7/swap"] {
        let answer = trial.ask(trial.get(path)).await;
        assert_eq!(answer.status, 404, "{path}");
        answer.has("href=\"../../\"");
    }
    assert_eq!(trial.ask(trial.post("/jobs/7/swap", &[])).await.status, 405);
}

#[test]
fn addresses_are_addresses_and_each_is_named_once() {
    let known = ["192.168.1.42", "not one", "192.168.1.42", "10.0.0.2", "evil/<b>"].map(String::from);
    assert_eq!(addresses(&known), ["http://192.168.1.42", "http://10.0.0.2", "http://homeassistant.local"]);
    assert_eq!(addresses(&[]), ["http://homeassistant.local"]);
    assert_eq!((day(0).as_deref(), day(u64::MAX)), (Some("1970-01-01"), None));
}
