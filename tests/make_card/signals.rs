//! SIGTERM and Ctrl-C in the middle of a job: the card is blank, the ledger says so, the program ends in seconds.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sd_swap::demo::stage::{Stage, StageSpec};
use sd_swap::domain::image::Board;
use serde_json::{Value, json};

use crate::shop::*;

/// Ends when it is dropped, whatever happens to the test.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Running {
        Running(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Reads what it says on standard error up to a line with `words`.
    fn says(&mut self, words: &str) -> String {
        let mut lines = BufReader::with_capacity(1, self.0.stderr.as_mut().unwrap());
        let mut all = String::new();
        loop {
            let before = all.len();
            assert!(lines.read_line(&mut all).unwrap() > 0, "it ended before it said {words:?}: {all}");
            if all[before..].contains(words) {
                return all[before..].to_owned();
            }
        }
    }

    fn signal(&self, name: &str) {
        run("kill", &["-s", name, &self.0.id().to_string()]);
    }

    /// Its exit code, which it has to give within 20 seconds, and what else it said.
    fn ends(&mut self) -> Ran {
        let until = Instant::now() + Duration::from_secs(20);
        let status = loop {
            match self.0.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(Instant::now() < until, "it does not end"),
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let (mut out, mut err) = (String::new(), String::new());
        self.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        self.0.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        Ran { code: status.code().unwrap_or(-1), out, err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An image that takes a while: much room behind its table.
fn long_image(dir: &Path) -> PathBuf {
    let raw = unpack(&tiny(dir, Board::OdroidC4));
    fs::OpenOptions::new().write(true).open(&raw).unwrap().set_len(1 << 30).unwrap();
    raw
}

/// A stage begins with looking, and what is stopped there has changed nothing. The card's file is sparse until it is
/// written to.
fn wait_for_first_write(card: &Path) {
    let until = Instant::now() + Duration::from_secs(20);
    while fs::metadata(card).unwrap().blocks() == 0 {
        assert!(Instant::now() < until, "nothing is written");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_signal_ends_make_card_with_130_and_a_blank_card() {
    let dir = folder();
    let image = long_image(dir.path());
    for (signal, stage) in [("TERM", "write"), ("INT", "write"), ("TERM", "verify")] {
        let card = dir.path().join("card.img");
        let arguments = ["make-card", "--image", text(&image), "--backup", BACKUP, "--to", text(&card), "--size", "2G"];
        let mut job = Running::start(program().args(arguments).arg("--yes"));
        job.says(&format!("{stage}: begins"));
        wait_for_first_write(&card);
        job.signal(signal);
        let ended = job.ends();
        assert_eq!(ended.code, 130, "{signal} in {stage}: {}", ended.err);
        for says in [&format!("{stage}: stopped"), "The card is empty now and can be used again."] {
            assert!(ended.err.contains(says), "{signal} in {stage}: {}", ended.err);
        }
        assert_eq!(state(&card), "blank");
        fs::remove_file(card).unwrap();
    }
}

/// The app with a card that takes its time, between stand-ins.
struct App {
    stage: Stage,
    card: PathBuf,
    dir: tempfile::TempDir,
}

impl App {
    fn new() -> App {
        let dir = folder();
        let spec = StageSpec::tiny(Board::Rpi4_64, "18.2".parse().unwrap());
        let image = pi(dir.path());
        let stage = Stage::with_image(dir.path(), spec, image).unwrap();
        let card = dir.path().join("slow.img");
        fs::File::create(&card).unwrap().set_len(16_000_000_000).unwrap();
        App { stage, card, dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts it and finds out where it listens.
    fn serve(&self, speed: u32) -> (Running, String) {
        let mut command = program();
        command.args(["serve", "--scratch-card", &format!("{},write={speed},read=40", text(&self.card))]);
        command.env("SUPERVISOR_API", self.stage.supervisor.url().as_str());
        command.env("SUPERVISOR_TOKEN", self.stage.supervisor.token().reveal());
        command.env("SD_SWAP_LISTEN", "127.0.0.1:0").env("SD_SWAP_LOG", "info");
        command.env("SD_SWAP_DATA", self.path("data")).env("SD_SWAP_BACKUP", self.path("backup"));
        command.env("SD_SWAP_RELEASES", self.stage.releases.site().as_str());
        command.env("SD_SWAP_RELEASES_API", self.stage.releases.api().as_str());
        let mut app = Running::start(&mut command);
        let line = app.says("the page is served on ");
        let address = line.rsplit(' ').next().unwrap().trim().to_owned();
        (app, format!("http://{address}"))
    }
}

async fn ask(method: &str, url: &str, body: &Value) -> (u16, Value) {
    let client = awc::Client::default();
    let answer = match method {
        "GET" => client.get(url).send().await,
        _ => client.post(url).send_json(body).await,
    };
    let mut answer = answer.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Asks until the answer is as wanted, at most 30 seconds.
async fn until(url: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = ask("GET", url, &Value::Null).await.1;
        if wanted(&answer) {
            return answer;
        }
        assert!(Instant::now() < end, "{url}: {answer}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn own_card(devices: &Value) -> Option<&Value> {
    devices["devices"].as_array()?.iter().find(|device| device["name"] == "scratch1")
}

#[actix_web::test]
async fn sigterm_ends_the_app_in_seconds_and_its_ledger_knows_of_the_stopped_job() {
    let app = App::new();
    let (mut serving, url) = app.serve(1);
    let devices = until(&format!("{url}/api/devices"), |devices| own_card(devices).is_some()).await;
    let seen = own_card(&devices).unwrap()["fingerprint"].clone();
    let start = json!({ "device": "scratch1", "fingerprint": seen, "once": "first" });
    let (status, answer) = ask("POST", &format!("{url}/api/start-clone"), &start).await;
    assert_eq!((status, &answer["job_id"]), (202, &json!("1")), "{answer}");
    let writes = |job: &Value| {
        let steps = job["steps"].as_array().unwrap();
        steps.iter().any(|step| step["id"] == "write" && step["bytes_done"].as_u64() > Some(0))
    };
    until(&format!("{url}/api/jobs/1"), writes).await;
    serving.signal("TERM");
    let ended = serving.ends();
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(state(&app.card), "blank");
    let ledger: Value = serde_json::from_slice(&fs::read(app.path("data/ledger.json")).unwrap()).unwrap();
    assert_eq!((&ledger["jobs"][0]["state"], &ledger["jobs"][0]["card_now"]), (&json!("interrupted"), &json!("blank")));
    // The next start knows it, runs nothing, and would make the card.
    let (mut serving, url) = app.serve(1000);
    let (status, current) = ask("GET", &format!("{url}/api/jobs/current"), &Value::Null).await;
    assert_eq!(status, 404, "{current}");
    let job = ask("GET", &format!("{url}/api/jobs/1"), &Value::Null).await.1;
    assert_eq!((&job["state"], &job["card_now"]), (&json!("interrupted"), &json!("blank")), "{job}");
    until(&format!("{url}/api/devices"), |devices| own_card(devices).is_some()).await;
    serving.signal("INT");
    assert_eq!(serving.ends().code, 0);
}
