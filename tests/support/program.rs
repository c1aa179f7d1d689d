//! The program itself, serving, as its own process: asked over real sockets, and looked at from outside.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use sd_swap::demo::stage::Stage;
use serde_json::{Value, json};

pub const PATIENCE: Duration = Duration::from_secs(60);

/// Lines of its log, as they come.
#[derive(Clone, Default)]
pub struct Log(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Log {
    fn add(&self, line: &str) {
        self.0.0.lock().unwrap().push(line.trim_end().to_string());
        self.0.1.notify_all();
    }

    pub fn all(&self) -> String {
        self.0.0.lock().unwrap().join("\n")
    }

    /// Waits for a line with these words.
    pub fn says(&self, words: &str) {
        let (lines, came) = &*self.0;
        let missing = |lines: &mut Vec<String>| !lines.iter().any(|line| line.contains(words));
        let (lines, wait) = came.wait_timeout_while(lines.lock().unwrap(), PATIENCE, missing).unwrap();
        assert!(!wait.timed_out(), "it never said {words:?}:\n{}", lines.join("\n"));
    }
}

/// The program, serving; killed when it is dropped.
pub struct Program {
    pub child: Child,
    pub port: u16,
    pub log: Log,
}

/// `serve`, with a data folder of its own and nobody around it: no Supervisor, no releases.
pub fn lonely(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sd-swap"));
    serving(&mut command, data);
    let nowhere = "http://127.0.0.1:9";
    command.env("SUPERVISOR_API", nowhere).env("SD_SWAP_RELEASES", nowhere).env("SD_SWAP_RELEASES_API", nowhere);
    command
}

/// `serve` between stand-ins, with a scratch card: `FILE[,key=value…]`.
pub fn between(stage: &Stage, card: &str, data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sd-swap"));
    serving(&mut command, data);
    around(&mut command, stage);
    command.arg("--scratch-card").arg(card);
    command
}

pub fn around(command: &mut Command, stage: &Stage) {
    command.env("SUPERVISOR_API", stage.supervisor.url().as_str());
    command.env("SUPERVISOR_TOKEN", stage.supervisor.token().reveal());
    command.env("SD_SWAP_RELEASES", stage.releases.site().as_str());
    command.env("SD_SWAP_RELEASES_API", stage.releases.api().as_str());
    command.env("SD_SWAP_BACKUP", stage.supervisor.backup_dir());
}

pub fn serving(command: &mut Command, data: &Path) {
    command.arg("serve").env("SD_SWAP_LISTEN", "127.0.0.1:0").env("SD_SWAP_DATA", data).env("SD_SWAP_LOG", "info");
}

impl Program {
    pub fn start(command: &mut Command) -> Program {
        let program = Program::begin(command);
        program.unwrap_or_else(|log| panic!("it ended before it served:\n{log}"))
    }

    /// Or what it said before it gave up.
    pub fn begin(command: &mut Command) -> Result<Program, String> {
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starting the program");
        let mut lines = BufReader::new(child.stderr.take().expect("its log"));
        let log = Log::default();
        let port = loop {
            let mut line = String::new();
            if lines.read_line(&mut line).expect("reading its log") == 0 {
                child.wait().expect("waiting for it");
                return Err(log.all());
            }
            log.add(&line);
            if let Some(address) = line.trim().split("served on ").nth(1) {
                break address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
            }
        };
        // What it logs from now on must not stop it.
        let kept = log.clone();
        std::thread::spawn(move || lines.lines().map_while(Result::ok).for_each(|line| kept.add(&line)));
        Ok(Program { child, port, log })
    }

    pub fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let (status, _, body) = self.ask_with(method, path, "Content-Type: application/json\r\n", body);
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// Status, head and body. `headers`: lines that end in CR LF. Status 0: the line was cut.
    pub fn ask_with(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String, String) {
        let asked = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let length = body.len();
            let head = format!(
                "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
            );
            stream.write_all(format!("{head}{body}").as_bytes())?;
            let mut answer = Vec::new();
            // It may be killed while it answers.
            let _ = stream.read_to_end(&mut answer);
            Ok(String::from_utf8_lossy(&answer).into_owned())
        };
        let answer = asked().unwrap_or_default();
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        (status, head.into(), body.into())
    }

    pub fn card(&self) -> Value {
        let listed = || self.ask("GET", "/api/devices", "").1;
        until(|| listed()["devices"].as_array()?.first().cloned())
            .unwrap_or_else(|| panic!("the card is not listed: {}", listed()))
    }

    /// The id of the job.
    pub fn start_job(&self) -> String {
        let disk = self.card();
        let body = json!({ "device": disk["path"], "fingerprint": disk["fingerprint"] }).to_string();
        // A backup that the Supervisor still makes for a killed job is waited for, as a user would.
        let id = until(|| match self.ask("POST", "/api/start-clone", &body) {
            (202, answer) => Some(answer["job_id"].as_str()?.to_string()),
            (422, _) => None,
            (status, answer) => panic!("starting: {status} {answer}"),
        });
        id.expect("the job starts")
    }

    pub fn job(&self, id: &str) -> Value {
        self.ask("GET", &format!("/api/jobs/{id}"), "").1
    }

    pub fn state(&self, id: &str) -> String {
        self.job(id)["state"].as_str().unwrap_or_default().to_string()
    }

    pub fn proc(&self, name: &str) -> std::path::PathBuf {
        format!("/proc/{}/{name}", self.child.id()).into()
    }

    /// The most memory it ever had, in bytes.
    pub fn most_memory(&self) -> u64 {
        let status = fs::read_to_string(self.proc("status")).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
        line.split_whitespace().next().and_then(|kb| kb.parse::<u64>().ok()).expect("a number") * 1024
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks until there is something to be seen, for a minute at most.
pub fn until<T>(look: impl FnMut() -> Option<T>) -> Option<T> {
    within(PATIENCE, look)
}

pub fn within<T>(most: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + most;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() > end {
            return None;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
