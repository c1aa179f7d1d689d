//! One house with an app to bring there: a Supervisor, `ha` behind a real sshd, Core, an app's folder, its settings; and
//! the program that is run on it.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::core::{Core, PAGE, TOKEN};
use super::ha;
use super::schema;
use super::sshd::{NAME, Sshd};
use super::supervisor::{PROGRAM, Supervisor};

pub const SLUG: &str = "demo_app";
pub const FULL: &str = "local_demo_app";
pub const VERSION: &str = "1.2.0";
/// Longer than any lane takes here.
const PATIENCE: Duration = Duration::from_secs(180);

pub struct Bench {
    pub supervisor: Supervisor,
    pub core: Core,
    /// None where nothing is sent by SSH.
    pub sshd: Option<Sshd>,
    /// The app's folder and what belongs to it.
    pub app: PathBuf,
    /// The folder of local apps, as seen by whoever copies into it.
    pub addons: PathBuf,
    settings: Vec<(String, String)>,
    /// Commands before the program, in a mount namespace of its own.
    pub mounts: Option<String>,
    dir: TempDir,
    /// Shares lie on another file system than everything else.
    share: Option<TempDir>,
}

/// How a run of the program ended, and what it left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
    /// As they were printed.
    pub tokens: Vec<String>,
    /// Of this run, by lane.
    pub receipts: Vec<(String, Value)>,
}

impl Bench {
    /// Everything goes by SSH.
    pub fn ssh() -> Bench {
        Bench::with_mounts(None)
    }

    /// By SSH, to a host whose folders were mounted so; `$ADDONS` is the folder of local apps.
    pub fn with_mounts(mounts: Option<&str>) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let addons = dir.path().join("host/addons");
        let mut bench = Bench::around(dir, addons, None);
        let bin = bench.dir.path().join("host/bin");
        ha::install(&bin, &bench.supervisor);
        let mounts = mounts.map(|text| text.replace("$ADDONS", bench.addons.to_str().unwrap()));
        let sshd = Sshd::start(&bench.dir.path().join("ssh"), &bin, mounts.as_deref());
        bench.set("OPS_VIA", "ssh");
        bench.set("OPS_HOST", NAME);
        bench.set("OPS_SSH_CONFIG", sshd.config.to_str().unwrap());
        let folder = bench.addons.join(SLUG);
        bench.set("OPS_PATH", folder.to_str().unwrap());
        bench.sshd = Some(sshd);
        bench
    }

    /// Files go into a mounted share, commands through Core: `ws` or `restart`.
    pub fn share(via: &str) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        // A file system of its own, as a share is.
        let share = tempfile::tempdir_in("/dev/shm").unwrap();
        let addons = share.path().join("addons");
        let mut bench = Bench::around(dir, addons, Some(share));
        bench.set("OPS_VIA", via);
        bench.knows_core();
        let folder = bench.addons.join(SLUG);
        bench.set("OPS_PATH", folder.to_str().unwrap());
        bench
    }

    /// Core's address, and a token for it.
    pub fn knows_core(&mut self) {
        let token = self.dir.path().join("token");
        fs::write(&token, format!("{TOKEN}\n")).unwrap();
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
        self.set("OPS_URL", &self.core.url());
        self.set("OPS_TOKEN_FILE", token.to_str().unwrap());
    }

    fn around(dir: TempDir, addons: PathBuf, share: Option<TempDir>) -> Bench {
        let supervisor = Supervisor::new(&addons);
        let core = Core::start(&supervisor);
        let app = dir.path().join("work/demo app");
        let bench = Bench { supervisor, core, sshd: None, app, addons, settings: vec![], mounts: None, dir, share };
        bench.write_app(VERSION);
        bench
    }

    /// The tree of a small app that passes `check`.
    pub fn write_app(&self, version: &str) {
        let config = format!(
            "name: Demo\nversion: \"{version}\"\nslug: {SLUG}\ndescription: A demo\narch:\n  - aarch64\n  - amd64\n\
             startup: application\nboot: manual\ninit: false\n"
        );
        self.write("config.yaml", &config);
        self.write("Dockerfile", "FROM ghcr.io/home-assistant/base:3.23\nCOPY program.txt /\nCMD [\"/bin/true\"]\n");
        self.write(PROGRAM, &format!("runs {version}\n"));
        self.write("CHANGELOG.md", &format!("# Changes\n\n## {version}\n\n- All of it.\n"));
        self.write("README.md", "# Demo\n");
        self.write("translations/en.yaml", "configuration: {}\n");
        self.ops_toml("");
    }

    /// `ops.toml` with the page that tells what runs, and more.
    pub fn ops_toml(&self, more: &str) {
        let page = format!("{}{PAGE}", self.core.url());
        let text = format!(
            "[check]\nrun = [\"true\"]\n\n[verify]\nurl = \"{page}\"\ncontains = '\"version\":\"{{version}}\"'\n\
             log_contains = [\"is up\"]\nlog_lacks = [\"panicked\"]\nsteady = 1\n{more}"
        );
        self.write("ops.toml", &text);
    }

    /// A file of the app.
    pub fn write(&self, path: &str, text: &str) {
        let file = self.app.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The app's folder on the host.
    pub fn there(&self) -> PathBuf {
        self.addons.join(SLUG)
    }

    pub fn share_root(&self) -> &Path {
        self.share.as_ref().expect("a share").path()
    }

    /// A line of `ops.env`.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.into(), value.into()));
    }

    /// `sd-swap ops …`, to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        let before = self.runs();
        let running = self.start(args);
        let ran = running.wait();
        self.finish(ran, &before)
    }

    /// Starts it, and interrupts it as soon as `when` says so.
    pub fn interrupted(&self, args: &[&str], when: impl Fn() -> bool) -> Ran {
        let before = self.runs();
        let running = self.start(args);
        let begun = Instant::now();
        while !when() {
            assert!(begun.elapsed() < PATIENCE, "{args:?}: it never came so far");
            thread::sleep(Duration::from_millis(2));
        }
        running.interrupt();
        let ran = running.wait();
        self.finish(ran, &before)
    }

    fn start(&self, args: &[&str]) -> Running {
        let lines: String = self.settings.iter().map(|(key, value)| format!("{key}='{value}'\n")).collect();
        fs::write(self.app.join("ops.env"), lines).unwrap();
        let program = env!("CARGO_BIN_EXE_sd-swap");
        let mut command = match &self.mounts {
            None => Command::new(program),
            Some(mounts) => {
                let mut command = Command::new("unshare");
                let script = format!("{mounts}\nexec {program} \"$@\"");
                command.args(["--mount", "--", "sh", "-ec", &script, "sh"]);
                command
            }
        };
        command.arg("ops").args(args).arg("--app").arg(&self.app);
        command.env("HOME", self.dir.path().join("home")).env_remove("OPS_TOKEN").env("LC_ALL", "C");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Running::of(command)
    }

    fn runs(&self) -> Vec<PathBuf> {
        let folder = self.app.join("reports/ops");
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut all: Vec<PathBuf> = entries.filter(|path| path.is_dir() && !path.is_symlink()).collect();
        all.sort();
        all
    }

    /// Reads what the run left, and holds it to what holds for all of them.
    fn finish(&self, mut ran: Ran, before: &[PathBuf]) -> Ran {
        let new: Vec<PathBuf> = self.runs().into_iter().filter(|run| !before.contains(run)).collect();
        for run in new {
            for entry in fs::read_dir(&run).unwrap().flatten() {
                let text = fs::read_to_string(entry.path()).unwrap();
                assert!(!text.contains(TOKEN), "the token stands in {}", entry.path().display());
                let name = entry.file_name().to_string_lossy().into_owned();
                if let Some(lane) = name.strip_suffix(".json") {
                    let receipt: Value = serde_json::from_str(&text).unwrap();
                    schema::holds(&receipt);
                    ran.receipts.push((lane.into(), receipt));
                }
            }
            if let Ok(kept) = fs::read_to_string(run.join("tokens.txt")) {
                let kept: Vec<&str> = kept.lines().filter_map(|line| line.strip_prefix("TOKEN: ")).collect();
                assert_eq!(kept, ran.tokens, "tokens.txt");
            }
        }
        let log = fs::read_to_string(self.dir.path().join("ssh/sshd.log")).unwrap_or_default();
        for text in [&ran.out, &ran.err, &log] {
            assert!(!text.contains(TOKEN), "the token was told: {text}");
        }
        ran
    }
}

impl Ran {
    pub fn receipt(&self, lane: &str) -> &Value {
        let found = self.receipts.iter().find(|(name, _)| name == lane);
        &found.unwrap_or_else(|| panic!("no receipt of {lane}: {}\n{}", self.out, self.err)).1
    }

    /// Ended so, with these tokens.
    #[track_caller]
    pub fn was(&self, code: i32, tokens: &[&str]) {
        assert_eq!((self.code, self.tokens.as_slice()), (code, own(tokens).as_slice()), "{}\n{}", self.out, self.err);
    }

    /// Failed so, and said these words.
    #[track_caller]
    pub fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        for word in words {
            assert!(self.err.contains(word), "{word:?} is missing:\n{}\n{}", self.out, self.err);
        }
        assert!(self.receipts.iter().any(|(_, receipt)| receipt["result"] == "failed"), "no receipt says so");
    }
}

fn own(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| word.to_string()).collect()
}

/// The program at work. What all processes are called with is read over and over, for as long as it runs.
struct Running {
    child: Child,
    over: Arc<AtomicBool>,
    seen: thread::JoinHandle<Vec<String>>,
    out: thread::JoinHandle<String>,
    err: thread::JoinHandle<String>,
}

impl Running {
    fn of(mut command: Command) -> Running {
        let mut child = command.spawn().expect("starting the program");
        let over = Arc::new(AtomicBool::new(false));
        let (out, err) = (gather(child.stdout.take().unwrap()), gather(child.stderr.take().unwrap()));
        let stop = over.clone();
        let seen = thread::spawn(move || {
            let mut seen = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                seen.extend(arguments_of_all().into_iter().filter(|line| line.contains(TOKEN)));
                thread::sleep(Duration::from_millis(100));
            }
            seen
        });
        Running { child, over, seen, out, err }
    }

    /// As Ctrl-C on a terminal, but for the children: they have to be ended by the program.
    fn interrupt(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }

    fn wait(mut self) -> Ran {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("it does not end:\n{}\n{}", self.out.join().unwrap(), self.err.join().unwrap());
            }
            thread::sleep(Duration::from_millis(5));
        };
        self.over.store(true, Ordering::Relaxed);
        assert_eq!(self.seen.join().unwrap(), Vec::<String>::new(), "the token stands in arguments");
        let (out, err) = (self.out.join().unwrap(), self.err.join().unwrap());
        // With --json standard output is the receipt's.
        let said = if out.starts_with('{') { &err } else { &out };
        let tokens = said.lines().filter_map(|line| line.strip_prefix("TOKEN: ")).map(str::to_string).collect();
        Ran { code: status.code().unwrap_or(-1), out, err, tokens, receipts: Vec::new() }
    }
}

fn gather(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn arguments_of_all() -> Vec<String> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect()
}
