//! SIGKILL at random moments of a job, to the real program on real descriptors: the card is finished or blank (or
//! untouched, before anything was written), the ledger says *interrupted*, no child tool goes on alone, and the next start
//! works.
//!
//! `make test` kills 16 times, `make torture` 200 times.

#![expect(clippy::disallowed_types, reason = "the program itself is started, and judged by other tools")]

#[path = "support/torture.rs"]
mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sd_swap::demo::stage::{Stage, StageSpec};
use sd_swap::domain::image::Board;
use sd_swap::domain::size::Bytes;
use serde_json::{Value, json};
use support::{Verdict, fresh_card, is_long, make_image, scratch_dir, verdict};

/// The smallest that the rules allow; it takes no room until it is written.
const CARD: u64 = 7_200_002_048;
const PATIENCE: Duration = Duration::from_secs(60);

/// The program, serving.
struct Program {
    child: Child,
    port: u16,
}

impl Program {
    fn start(stage: &Stage, card: &Path, data: &Path) -> Program {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sd-swap"))
            .arg("serve")
            .arg("--scratch-card")
            .arg(card)
            .env("SUPERVISOR_API", stage.supervisor.url().as_str())
            .env("SUPERVISOR_TOKEN", stage.supervisor.token().reveal())
            .env("SD_SWAP_RELEASES", stage.releases.site().as_str())
            .env("SD_SWAP_RELEASES_API", stage.releases.api().as_str())
            .env("SD_SWAP_LISTEN", "127.0.0.1:0")
            .env("SD_SWAP_DATA", data)
            .env("SD_SWAP_BACKUP", stage.supervisor.backup_dir())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starting the program");
        let mut log = BufReader::new(child.stderr.take().expect("its log"));
        let port = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).expect("reading its log") > 0, "it ended before it served");
            if let Some(address) = line.trim().split("served on 127.0.0.1:").nth(1) {
                break address.parse().expect("a port");
            }
        };
        // What it logs from now on must not stop it.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Program { child, port }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connecting");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("asking");
        let mut answer = String::new();
        // It may be killed while it answers.
        let _ = stream.read_to_string(&mut answer);
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn fingerprint(&self) -> Value {
        until(|| {
            let (_, answer) = self.ask("GET", "/api/devices", "");
            answer["devices"].as_array()?.first().cloned()
        })
        .expect("the card is listed")
    }

    /// The id of the job.
    fn start_job(&self) -> String {
        let disk = self.fingerprint();
        let body = json!({ "device": disk["path"], "fingerprint": disk["fingerprint"] }).to_string();
        // A backup that the Supervisor still makes for a killed job is waited for, as a user would.
        let id = until(|| match self.ask("POST", "/api/start-clone", &body) {
            (202, answer) => Some(answer["job_id"].as_str()?.to_string()),
            (422, _) => None,
            (status, answer) => panic!("starting: {status} {answer}"),
        });
        id.expect("the job starts")
    }

    fn state(&self, id: &str) -> String {
        let (_, answer) = self.ask("GET", &format!("/api/jobs/{id}"), "");
        answer["state"].as_str().unwrap_or_default().to_string()
    }

    fn kill(mut self) {
        self.child.kill().expect("killing it");
        self.child.wait().expect("waiting for it");
    }
}

fn until<T>(look: impl Fn() -> Option<T>) -> Option<T> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(found) = look() {
            return Some(found);
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    None
}

struct Bench {
    dir: tempfile::TempDir,
    stage: Stage,
    card: PathBuf,
    data: PathBuf,
}

impl Bench {
    fn new() -> Bench {
        let dir = scratch_dir();
        let image = make_image(dir.path(), Board::Rpi4_64);
        let version = "18.2".parse().expect("a version");
        let tiny = StageSpec::tiny(Board::Rpi4_64, version);
        let spec = StageSpec { card_size: Bytes(CARD), backup_size: Bytes(500_000), ..tiny };
        let stage = Stage::with_image(dir.path(), spec, image).expect("putting up the stand-ins");
        let (card, data) = (dir.path().join("card-to-kill.img"), dir.path().join("data"));
        Bench { dir, stage, card, data }
    }

    fn program(&self) -> Program {
        Program::start(&self.stage, &self.card, &self.data)
    }

    /// How long a job takes here when nobody kills it.
    fn whole_job(&self) -> Duration {
        fresh_card(&self.card, CARD);
        let program = self.program();
        let begun = Instant::now();
        let id = program.start_job();
        let done = until(|| (program.state(&id) == "done").then_some(()));
        done.unwrap_or_else(|| panic!("the job ended {:?}", program.ask("GET", &format!("/api/jobs/{id}"), "")));
        let took = begun.elapsed();
        program.kill();
        assert_eq!(verdict(&self.card, None), Ok(Verdict::Finished));
        took
    }
}

#[test]
fn killed_at_random_moments_the_card_is_finished_or_blank() {
    let bench = Bench::new();
    let whole = bench.whole_job();
    let kills = if is_long() { 200 } else { 16 };
    let mut tally = [0; 3];
    let mut random: u64 = 0x5eed;
    for kill in 0..kills {
        fresh_card(&bench.card, CARD);
        let program = bench.program();
        let id = program.start_job();
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The moment is what is random here; nothing is waited for.
        std::thread::park_timeout(whole.mul_f64(1.3 * (random >> 40) as f64 / (1u64 << 24) as f64));
        let state = program.state(&id);
        program.kill();
        let what = format!("kill {kill}, job {id} {state}");
        let found = verdict(&bench.card, None).unwrap_or_else(|why| panic!("{what}: in between: {why}"));
        tally[found as usize] += 1;
        let again = bench.program();
        let after = again.state(&id);
        match state.as_str() {
            "done" | "failed" => assert_eq!(after, state, "{what}"),
            // The end may have come between the look and the kill.
            _ if after == "done" => assert_eq!(found, Verdict::Finished, "{what}"),
            _ => assert_eq!(after, "interrupted", "{what}"),
        }
        // No child went on alone: it would hold the card, and the claim of the next round would find it busy.
        again.fingerprint();
        again.kill();
    }
    let last = bench.whole_job();
    println!(
        "{kills} kills over {:.1} s each: {} untouched, {} blank, {} finished, 0 in between; the next job took {:.1} s",
        whole.as_secs_f64(),
        tally[0],
        tally[1],
        tally[2],
        last.as_secs_f64()
    );
    drop(bench.dir);
}
