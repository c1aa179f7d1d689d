//! A Supervisor that keeps state: a local store read from a folder, apps that are built from it, and what is wrong with
//! it today. The same one answers the stand-in `ha` and the stand-in Core.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};

/// A line of a Dockerfile that a build ends at.
pub const BREAKS: &str = "RUN false";
/// The file of an app that says what its program does.
pub const PROGRAM: &str = "program.txt";

/// What is out of order.
#[derive(Debug, Clone, Default)]
pub struct Quirks {
    /// Told before every JSON of `ha`.
    pub banner: bool,
    /// `ha` prints its help and succeeds, whatever it is asked.
    pub help: bool,
    /// The store does not see new versions.
    pub blind: bool,
    /// Builds take so long.
    pub build_takes: Duration,
    /// Whatever is called restarts nothing and answers this status.
    pub core_answers: Option<u16>,
    /// Core is from before apps were called apps.
    pub old_core: bool,
    /// Requests for the state are left without an answer.
    pub silent: bool,
    /// `ha` gives up waiting for builds, which go on.
    pub impatient: bool,
    /// The user of the token is no administrator.
    pub no_admin: bool,
}

#[derive(Debug, Clone)]
pub struct Offered {
    pub name: String,
    pub version: String,
    pub folder: PathBuf,
    pub image: bool,
}

#[derive(Debug, Clone)]
pub struct Installed {
    pub version: String,
    pub state: String,
    /// What was built: the text of the app's program. None: the image is gone.
    pub image: Option<String>,
    pub log: Vec<String>,
    pub starts: u32,
    /// How often its state was asked for since it was started.
    pub age: u32,
}

#[derive(Debug, Default)]
pub struct State {
    pub quirks: Quirks,
    pub store: BTreeMap<String, Vec<Offered>>,
    pub installed: BTreeMap<String, Installed>,
    pub log: Vec<String>,
    /// Every request that changes something, as METHOD PATH.
    pub done: Vec<String>,
    pub builds: u32,
    /// How often an app's state was asked for.
    pub looks: u32,
    /// How often its jobs are still to be shown as running.
    pub busy: u32,
}

/// A refusal: status and words.
pub type Refused = (u16, String);

#[derive(Clone)]
pub struct Supervisor {
    state: Arc<Mutex<State>>,
    /// What the SSH app mounts as `/addons`.
    pub addons: PathBuf,
}

impl Supervisor {
    pub fn new(addons: &Path) -> Supervisor {
        fs::create_dir_all(addons).unwrap();
        Supervisor { state: Arc::default(), addons: addons.to_path_buf() }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Requests that changed something, the reloads left out.
    pub fn done(&self) -> Vec<String> {
        self.state().done.iter().filter(|line| !line.contains("/store/reload")).cloned().collect()
    }

    /// Puts an app into the local folder, as `version`, and installs and starts it, as if by hand.
    pub fn has_running(&self, folder: &str, slug: &str, version: &str) {
        let dir = self.addons.join(folder);
        fs::create_dir_all(&dir).unwrap();
        let config = format!("name: Demo\nversion: \"{version}\"\nslug: {slug}\narch: [amd64]\ndescription: A demo\n");
        fs::write(dir.join("config.yaml"), config).unwrap();
        fs::write(dir.join("Dockerfile"), "FROM ghcr.io/home-assistant/base:3.23\n").unwrap();
        fs::write(dir.join(PROGRAM), "runs\n").unwrap();
        self.reload();
        self.call("POST", &format!("/store/addons/local_{slug}/install"), &Value::Null).unwrap();
        self.call("POST", &format!("/addons/local_{slug}/start"), &Value::Null).unwrap();
        let mut state = self.state();
        state.done.clear();
        state.builds = 0;
    }

    /// What the Supervisor answers: its `data`, or a refusal.
    pub fn call(&self, method: &str, path: &str, data: &Value) -> Result<Value, Refused> {
        if method == "POST" {
            self.state().done.push(format!("POST {path}"));
        }
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method, parts.as_slice()) {
            ("POST", ["store", "reload"]) => {
                self.reload();
                Ok(json!({}))
            }
            ("GET", ["store", "addons"]) => Ok(self.list()),
            ("GET", ["store", "addons", slug]) => self.offer(slug).map(|offered| self.told(slug, &offered, true)),
            ("GET", ["addons", slug, "info"]) => self.info(slug),
            ("POST", ["store", "addons", slug, "install"] | ["addons", slug, "install"]) => self.install(slug),
            ("POST", ["store", "addons", slug, "update"] | ["addons", slug, "update"]) => self.update(slug),
            ("POST", ["addons", slug, "rebuild"]) => self.rebuild(slug, data.get("force") == Some(&Value::Bool(true))),
            ("POST", ["addons", slug, "start"]) => self.start(slug),
            ("POST", ["addons", slug, "restart"]) => self.restart(slug),
            ("GET", ["jobs", "info"]) => Ok(self.jobs()),
            ("GET", ["supervisor", "info"]) => Ok(json!({"version": "2026.08.1", "healthy": true})),
            ("POST", ["ingress", "session"]) => Ok(json!({"session": "session-of-the-test"})),
            _ => Err((404, format!("404: Not Found ({method} {path})"))),
        }
    }

    /// The text that logs are.
    pub fn logs(&self, path: &str) -> Option<String> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let state = self.state();
        match parts.as_slice() {
            ["supervisor", "logs"] => Some(state.log.join("\n") + "\n"),
            ["addons", slug, "logs"] => state.installed.get(*slug).map(|app| app.log.join("\n") + "\n"),
            _ => None,
        }
    }

    /// Reads the local folder as the Supervisor does: every `config.*`, but below dot folders and `rootfs`.
    pub fn reload(&self) {
        let mut found: BTreeMap<String, Vec<Offered>> = BTreeMap::new();
        if !self.state().quirks.blind {
            scan(&self.addons, &mut found);
            self.state().store = found;
        }
    }

    /// Under the slugs that they are about.
    fn jobs(&self) -> Value {
        let mut state = self.state();
        let done = state.busy == 0;
        state.busy = state.busy.saturating_sub(1);
        let slugs = state.store.keys();
        let all = slugs.map(|slug| json!({"name": "app_manager_rebuild", "reference": slug, "done": done}));
        json!({"jobs": all.collect::<Vec<_>>()})
    }

    fn offer(&self, slug: &str) -> Result<Offered, Refused> {
        let state = self.state();
        let offered = state.store.get(slug).and_then(|all| all.first()).cloned();
        offered.ok_or_else(|| (404, format!("App {slug} does not exist in the store")))
    }

    fn list(&self) -> Value {
        let store = self.state().store.clone();
        let all = store.iter().flat_map(|(slug, offers)| offers.iter().map(|one| self.told(slug, one, true)));
        json!({"addons": all.collect::<Vec<_>>()})
    }

    fn told(&self, slug: &str, offered: &Offered, in_store: bool) -> Value {
        let state = self.state();
        let app = state.installed.get(slug);
        let version = app.map(|app| app.version.clone());
        let mut told = json!({
            "name": offered.name, "slug": slug, "repository": "local", "build": !offered.image, "available": true,
            "version": version, "version_latest": offered.version,
            "update_available": version.is_some_and(|version| version != offered.version),
        });
        match app {
            Some(app) if !in_store => {
                told["state"] = json!(app.state);
                told["detached"] = json!(false);
                told["ingress_entry"] = json!("/api/hassio_ingress/token-of-the-test");
                told["ingress_url"] = json!("/api/hassio_ingress/token-of-the-test/");
            }
            _ => told["installed"] = json!(app.is_some()),
        }
        told
    }

    /// Of an app that is not installed this is what the store says.
    fn info(&self, slug: &str) -> Result<Value, Refused> {
        self.state().looks += 1;
        let offered = match self.offer(slug) {
            Ok(offered) => offered,
            Err(_) if self.state().installed.contains_key(slug) => Offered {
                name: "Demo".into(),
                version: self.state().installed[slug].version.clone(),
                folder: PathBuf::new(),
                image: false,
            },
            Err(refused) => return Err((refused.0, format!("App {slug} does not exist"))),
        };
        let installed = self.state().installed.contains_key(slug);
        self.advance(slug);
        Ok(self.told(slug, &offered, !installed))
    }

    /// An app that starts is started a look later; one that crashes is not for long.
    fn advance(&self, slug: &str) {
        let mut state = self.state();
        let Some(app) = state.installed.get_mut(slug) else { return };
        app.age += 1;
        let program = app.image.clone().unwrap_or_default();
        app.state = match app.state.as_str() {
            "startup" => "started".into(),
            "started" if program.contains("crashes") && app.age == 3 => "error".into(),
            "error" if program.contains("comes back") => {
                app.starts += 1;
                "started".into()
            }
            other => other.into(),
        };
    }

    fn install(&self, slug: &str) -> Result<Value, Refused> {
        let offered = self.offer(slug)?;
        if self.state().installed.contains_key(slug) {
            return Err((400, format!("App {slug} is already installed")));
        }
        let image = self.build(slug, &offered)?;
        let app = Installed {
            version: offered.version,
            state: "stopped".into(),
            image: Some(image),
            log: Vec::new(),
            starts: 0,
            age: 0,
        };
        self.state().installed.insert(slug.into(), app);
        Ok(json!({}))
    }

    fn update(&self, slug: &str) -> Result<Value, Refused> {
        let offered = self.offer(slug)?;
        let old = self.get(slug)?;
        if old.version == offered.version {
            return Err((400, format!("No update available for app {slug}")));
        }
        let image = self.build(slug, &offered)?;
        self.change(slug, |app| {
            app.version = offered.version;
            app.image = Some(image);
        });
        self.restore(slug, &old.state)
    }

    /// The image goes first.
    fn rebuild(&self, slug: &str, force: bool) -> Result<Value, Refused> {
        let old = self.get(slug)?;
        let offered = self.offer(slug)?;
        if old.version != offered.version {
            let words = format!("Local and store versions of app {slug} differ, use Update instead of Rebuild");
            return Err((400, words));
        }
        if offered.image && !force {
            return Err((400, format!("Cannot rebuild app {slug}, it is image-based")));
        }
        self.change(slug, |app| {
            app.image = None;
            app.state = "stopped".into();
        });
        let image = self.build(slug, &offered)?;
        self.change(slug, |app| app.image = Some(image));
        self.restore(slug, &old.state)
    }

    fn restore(&self, slug: &str, state: &str) -> Result<Value, Refused> {
        if state == "started" { self.start(slug) } else { Ok(json!({})) }
    }

    fn build(&self, slug: &str, offered: &Offered) -> Result<String, Refused> {
        let wait = self.state().quirks.build_takes;
        std::thread::sleep(wait);
        let mut state = self.state();
        state.builds += 1;
        if offered.image {
            let words = format!("Can't pull image for app {slug}: manifest unknown");
            state.log.push(words.clone());
            return Err((400, words));
        }
        let docker = fs::read_to_string(offered.folder.join("Dockerfile")).unwrap_or_default();
        if docker.contains(BREAKS) || docker.is_empty() {
            state.log.push(format!("Docker build failed for local/{slug} (exit code 1). Build output:"));
            state.log.extend((1..=60).map(|n| format!("#{n} step {n}")));
            state.log.push("ERROR: process \"/bin/sh -c false\" did not complete successfully: exit code: 1".into());
            let words = format!("An unknown error occurred while trying to build the image for app {slug}");
            return Err((500, words));
        }
        state.log.push(format!("App '{slug}' successfully rebuilt"));
        Ok(fs::read_to_string(offered.folder.join(PROGRAM)).unwrap_or_default())
    }

    fn start(&self, slug: &str) -> Result<Value, Refused> {
        let app = self.get(slug)?;
        let Some(image) = app.image else {
            return Err((400, format!("App {slug} has no image")));
        };
        self.change(slug, |app| {
            app.state = if image.contains("never starts") { "error".into() } else { "startup".into() };
            app.starts += 1;
            app.log.push(format!("Demo {} is up", app.version));
            app.log.extend(image.lines().filter_map(|line| line.strip_prefix("says ")).map(str::to_string));
        });
        Ok(json!({}))
    }

    fn restart(&self, slug: &str) -> Result<Value, Refused> {
        self.start(slug)
    }

    fn get(&self, slug: &str) -> Result<Installed, Refused> {
        let state = self.state();
        state.installed.get(slug).cloned().ok_or_else(|| (400, format!("App {slug} is not installed")))
    }

    pub fn change(&self, slug: &str, how: impl FnOnce(&mut Installed)) {
        how(self.state().installed.get_mut(slug).expect("an installed app"));
    }
}

fn scan(dir: &Path, found: &mut BTreeMap<String, Vec<Offered>>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(dir).into_iter().flatten().flatten().map(|one| one.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "rootfs" {
            scan(&path, found);
        } else if name == "config.yaml" {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let value = |key: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
                Some(line.trim().trim_matches('"').to_string())
            };
            let (Some(slug), Some(version)) = (value("slug"), value("version")) else { continue };
            let folder = dir.to_path_buf();
            let name = value("name").unwrap_or_default();
            let offered = Offered { name, version, folder, image: value("image").is_some() };
            found.entry(format!("local_{slug}")).or_default().push(offered);
        }
    }
}
