//! A project with an app and a remote, and the program run on it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::schema;

pub const BRANCH: &str = "refs/heads/release";
/// Longer than any lane takes here.
const PATIENCE: Duration = Duration::from_secs(60);

const CONFIG: &str = "# Keep this line\nname: Small\nversion: \"1.2.3\"  # and this one\nslug: small\ndescription: Small\narch: [aarch64, amd64]\n";

pub struct House {
    dir: TempDir,
    pub project: PathBuf,
    pub remote: PathBuf,
    /// Variables besides the few that every program needs.
    pub environment: BTreeMap<String, String>,
}

pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
    pub tokens: Vec<String>,
}

impl Ran {
    /// Ended so, with these tokens.
    #[track_caller]
    pub fn was(&self, code: i32, tokens: &[&str]) {
        let own: Vec<&str> = self.tokens.iter().map(String::as_str).collect();
        assert_eq!((self.code, own.as_slice()), (code, tokens), "{}{}", self.out, self.err);
    }
}

impl House {
    /// Version 1.2.3, committed, nothing published.
    pub fn new() -> House {
        let dir = tempfile::tempdir().unwrap();
        let (project, remote) = (dir.path().join("my project"), dir.path().join("remote.git"));
        let house = House { project, remote, environment: BTreeMap::new(), dir };
        fs::create_dir_all(house.project.join("app")).unwrap();
        house.git(&["init", "--quiet", "--bare", house.remote.to_str().unwrap()]);
        house.git(&["init", "--quiet", "--initial-branch=main", "."]);
        house.git(&["remote", "add", "origin", house.remote.to_str().unwrap()]);
        house.file("ops.toml", "[publish]\nremote = 'origin'\nbranch = 'release'\nimage = 'ghcr.io/me/small'\n");
        house.file(".gitignore", "/reports/\n");
        house.file("README.md", "Of the project, not of the app\n");
        house.file("app/config.yaml", CONFIG);
        house.file(
            "app/Dockerfile",
            "FROM ghcr.io/home-assistant/base:3.23\nLABEL io.hass.version=\"1.2.3\"\nCOPY run.sh /\n",
        );
        house.file("app/run.sh", "#!/bin/sh\nexec true\n");
        fs::set_permissions(house.project.join("app/run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        house.file("app/CHANGELOG.md", "# News\n\n## 1.2.3\n\n- All\n");
        // No image is looked for where no Docker answers.
        house.program("docker", "#!/bin/sh\necho 'no docker here' >&2\nexit 1\n");
        house.commit("Begin");
        house
    }

    pub fn file(&self, path: &str, text: &str) {
        let path = self.project.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.project.join(path)).unwrap()
    }

    /// A program that comes before all others on the PATH.
    pub fn program(&self, name: &str, script: &str) {
        let path = self.bin().join(name);
        fs::create_dir_all(self.bin()).unwrap();
        fs::write(&path, script).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn bin(&self) -> PathBuf {
        self.dir.path().join("bin")
    }

    pub fn outside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
        let mut command = Command::new(program);
        let path = format!("{}:{}", self.bin().display(), std::env::var("PATH").unwrap());
        command.env_clear().env("PATH", path).env("HOME", self.dir.path()).env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Me").env(format!("GIT_{who}_EMAIL"), "me@example.org");
        }
        command.envs(&self.environment).current_dir(folder).stdin(Stdio::null());
        command
    }

    /// Runs git in the project; it has to succeed.
    pub fn git(&self, words: &[&str]) -> String {
        self.git_at(&self.project, words)
    }

    pub fn git_at(&self, folder: &Path, words: &[&str]) -> String {
        let output = self.command("git", folder).args(words).output().unwrap();
        assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    pub fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "-m", message]);
    }

    /// What a name of the remote stands for.
    pub fn published(&self, name: &str) -> Option<String> {
        let output =
            self.command("git", &self.remote).args(["rev-parse", "--quiet", "--verify", name]).output().unwrap();
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Somebody else's commit on the published branch.
    pub fn foreign_commit(&self) -> String {
        let clone = self.outside("clone");
        self.git(&["clone", "--quiet", "--branch", "release", self.remote.to_str().unwrap(), clone.to_str().unwrap()]);
        fs::write(clone.join("theirs"), "x").unwrap();
        self.git_at(&clone, &["add", "theirs"]);
        self.git_at(&clone, &["commit", "--quiet", "-m", "Theirs"]);
        self.git_at(&clone, &["push", "--quiet", "origin", "release"]);
        self.published(BRANCH).unwrap()
    }

    pub fn start(&self, words: &[&str]) -> Child {
        let mut command = self.command(env!("CARGO_BIN_EXE_sd-swap"), &self.project);
        command.arg("ops").args(words).args(["--app", "app"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub fn ops(&self, words: &[&str]) -> Ran {
        self.ended(self.start(words))
    }

    /// Its end, and every receipt held to the schema.
    pub fn ended(&self, child: Child) -> Ran {
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (out, err) = (text(stdout), text(stderr));
        self.receipts().values().for_each(schema::holds);
        let tokens = out.lines().filter_map(|line| line.strip_prefix("TOKEN: ")).map(str::to_owned).collect();
        Ran { code: status.code().unwrap_or(-1), out, err, tokens }
    }

    /// Of the last run, by their lanes.
    pub fn receipts(&self) -> BTreeMap<String, Value> {
        let folder = self.project.join("reports/ops/latest");
        let files = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
        let receipts = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
        let read = |path: &PathBuf| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        receipts.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), read(&path))).collect()
    }

    /// Waits until `what` holds.
    pub fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < PATIENCE, "{what} did not come");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ctrl-C.
    pub fn interrupt(&self, child: &Child) {
        let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Every path of project and remote with its size and content.
    pub fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let (mut all, mut open) = (BTreeMap::new(), vec![self.project.clone(), self.remote.clone()]);
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                match entry.file_type().unwrap().is_dir() {
                    true => open.push(entry.path()),
                    false => drop(all.insert(entry.path(), fs::read(entry.path()).unwrap_or_default())),
                }
            }
        }
        all
    }
}
