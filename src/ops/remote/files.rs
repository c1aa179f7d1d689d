//! The app's folder where the Supervisor reads it: on a mounted share, or on the host by SSH and rsync.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::script::{self, Told};
use super::ssh::Ssh;
use crate::host::linux::{free_space, may_write};
use crate::ops::app::CONFIG_NAMES;
use crate::ops::bench::Bench;
use crate::ops::outcome::{Kind, Problem};
use crate::ops::program::{Call, Ran};
use crate::ops::receipt::now;
use crate::ops::sync::changes::{self, Change};
use crate::ops::sync::guard::{self, Seen};
use crate::ops::yaml;

/// Where the SSH apps mount the folder of local apps, by the app's own `map`.
const BASES: [&str; 2] = ["/addons", "/local_apps"];
const COPY_LIMIT: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone)]
pub enum Files {
    Share(PathBuf),
    Host(Ssh, String),
}

/// What is there.
#[derive(Debug, Clone, Default)]
pub struct Look {
    pub seen: Seen,
    /// Who writes, and whose it is.
    pub user: String,
    pub owner: String,
    pub writable: bool,
    /// Bytes, where that is known.
    pub free: Option<u64>,
    pub files: u64,
    pub version: Option<String>,
    /// `image:` stands in its configuration.
    pub image: bool,
    pub git: bool,
    /// The last good tree is kept.
    pub kept: bool,
    pub built: Option<Built>,
    /// Every folder beside it that has the app's slug, its own one, too.
    pub twins: Vec<String>,
}

/// What the last good build was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Built {
    pub version: String,
    pub tree: String,
}

/// The folder of the app on the host: the one that has its slug already, else one below the folder of local apps.
pub fn find(ssh: &Ssh, bench: &mut Bench<'_>) -> Result<String, Problem> {
    let ran = ssh.script(bench, "find the folder of local apps", false, &script::find(&BASES))?;
    chosen(&script::read(&ran.output), &bench.app.slug)
}

fn chosen(told: &Told, slug: &str) -> Result<String, Problem> {
    let Some(base) = told.values.get("base") else {
        let why = format!("neither {} nor {} is there", BASES[0], BASES[1]);
        let todo =
            "Is OPS_HOST the SSH app of Home Assistant? Its own configuration maps that folder; or say OPS_PATH.";
        return Err(Problem::new(Kind::Refused, "the host has no folder of local apps", why, todo));
    };
    let ours: Vec<&String> = told.apps.iter().filter(|(_, theirs)| theirs == slug).map(|(folder, _)| folder).collect();
    match ours.as_slice() {
        [] => Ok(format!("{base}/{slug}")),
        [one] => Ok((*one).clone()),
        several => {
            let why = several.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", ");
            let todo = "Remove all but one of them, or say which with OPS_PATH.";
            Err(Problem::new(Kind::Refused, format!("{slug} lies in several folders"), why, todo))
        }
    }
}

impl Files {
    pub fn shown(&self) -> String {
        match self {
            Files::Share(path) => path.display().to_string(),
            Files::Host(ssh, path) => format!("{}:{path}", ssh.host),
        }
    }

    pub fn path(&self) -> String {
        match self {
            Files::Share(path) => path.display().to_string(),
            Files::Host(_, path) => path.clone(),
        }
    }

    /// Looks, and changes nothing.
    pub fn look(&self, bench: &mut Bench<'_>) -> Result<Look, Problem> {
        let slug = bench.app.slug.clone();
        match self {
            Files::Share(path) => {
                is_mounted(path, &bench.app.folder)?;
                let look = look_here(path, &slug);
                bench.note("look at the share", format!("{}: {:?}", path.display(), look.seen.kind).to_lowercase());
                Ok(look)
            }
            Files::Host(ssh, path) => {
                let what = "look at the app's folder";
                let ran = ssh.script(bench, what, false, &script::look(path, &slug))?;
                if !ran.ok() {
                    return Err(Problem::new(Kind::Refused, format!("{what} failed"), ran.said(6), ""));
                }
                Ok(look_told(&script::read(&ran.output), path, &slug))
            }
        }
    }

    /// Makes it equal to `stage`, or says what that would change.
    pub fn send(&self, bench: &mut Bench<'_>, stage: &Path, dry: bool) -> Result<Vec<Change>, Problem> {
        let what = if dry { "compare with rsync" } else { "copy with rsync" };
        let mut words: Vec<String> = own(&[
            "-rlt",
            "--checksum",
            "--delete-delay",
            "--delay-updates",
            "--omit-dir-times",
            "--itemize-changes",
            "--timeout=60",
        ]);
        words.extend(dry.then(|| "--dry-run".to_string()));
        if let Files::Host(ssh, _) = self {
            // Shares have one mode for all files.
            words.extend(own(&["--executability", "--protect-args", "-e"]));
            words.push(ssh.as_transport());
        }
        words.extend([format!("{}/", stage.display()), format!("{}/", self.shown())]);
        let call = if dry { Call::look(what, "rsync", words) } else { Call::write(what, "rsync", words) };
        let ran = bench.run(&call.limit(COPY_LIMIT))?;
        if ran.ok() { Ok(changes::read(&ran.output)) } else { Err(self.not_sent(what, &ran)) }
    }

    /// Why rsync failed, in our words.
    fn not_sent(&self, what: &str, ran: &Ran) -> Problem {
        let said = ran.said(8);
        let problem = |kind, name: &str, todo: &str| Problem::new(kind, format!("{what}: {name}"), said.clone(), todo);
        let has = |words: &str| said.contains(words);
        if has("No space left") {
            return problem(
                Kind::Refused,
                "no room is left there",
                "Make room there; what was complete before still is.",
            );
        }
        if has("Read-only file system") || has("Permission denied (13)") {
            return problem(
                Kind::Refused,
                "it may not be written",
                "Mount it for writing, or as a user who may write.",
            );
        }
        if has("rsync: not found") || has("rsync: command not found") || ran.code == 127 {
            return problem(
                Kind::Refused,
                "the host has no rsync",
                "Install rsync in the SSH app (its option for packages).",
            );
        }
        let again = "The host's folder may be incomplete: files come to their places at the end. Run it again.";
        match self {
            Files::Host(ssh, _)
                if said.contains("Host key verification") || said.contains("Permission denied (publickey") =>
            {
                ssh.why_lost(what, ran)
            }
            _ if [10, 12, 20, 30, 35, 255].contains(&ran.code) => {
                problem(Kind::Unreachable, "the connection was lost", again)
            }
            _ => problem(Kind::Refused, &format!("rsync ended with {}", ran.code), again),
        }
    }

    /// Beside it, where the Supervisor does not look.
    fn aside(&self, slug: &str) -> String {
        let path = self.path();
        let base = path.rsplit_once('/').map_or("", |(base, _)| base);
        format!("{base}/.ops/{slug}")
    }

    /// Keeps the tree that lies there now.
    pub fn keep(&self, bench: &mut Bench<'_>) -> Result<(), Problem> {
        let aside = self.aside(&bench.app.slug);
        self.copy(bench, "keep this tree as the last good one", &self.path(), &aside)
    }

    /// Brings the last good tree back.
    pub fn restore(&self, bench: &mut Bench<'_>) -> Result<(), Problem> {
        let aside = self.aside(&bench.app.slug);
        self.copy(bench, "bring the last good tree back", &aside, &self.path())
    }

    fn copy(&self, bench: &mut Bench<'_>, what: &str, from: &str, to: &str) -> Result<(), Problem> {
        let ran = match self {
            Files::Host(ssh, _) => ssh.script(bench, what, true, &script::copy(from, to))?,
            Files::Share(_) => {
                if !bench.asked.dry_run {
                    fs::create_dir_all(to).map_err(|error| unwritten(what, &error))?;
                }
                bench.run(&Call::write(what, "rsync", ["-rlt", "--delete", &format!("{from}/"), &format!("{to}/")]))?
            }
        };
        if ran.ok() { Ok(()) } else { Err(self.not_sent(what, &ran)) }
    }

    /// Notes what the tree that is kept was built from.
    pub fn mark(&self, bench: &mut Bench<'_>, built: &Built) -> Result<(), Problem> {
        let what = "note what was built";
        let file = format!("{}.json", self.aside(&bench.app.slug));
        let text = serde_json::to_string(built).unwrap_or_default();
        self.write(bench, what, &file, &text)
    }

    /// Notes that a first copy begins: whoever looks after it broke off finds files, but no configuration.
    pub fn begin(&self, bench: &mut Bench<'_>) -> Result<(), Problem> {
        let file = format!("{}.begun", self.aside(&bench.app.slug));
        self.write(bench, "note that a copy begins", &file, &now())
    }

    pub fn ended(&self, bench: &mut Bench<'_>) -> Result<(), Problem> {
        let (what, file) = ("note that the copy ended", format!("{}.begun", self.aside(&bench.app.slug)));
        match self {
            Files::Host(ssh, _) => {
                let ran = ssh.script(bench, what, true, &script::remove(&file))?;
                if ran.ok() { Ok(()) } else { Err(Problem::new(Kind::Refused, what, ran.said(4), "")) }
            }
            Files::Share(_) => fs::remove_file(file).map_err(|error| unwritten(what, &error)),
        }
    }

    /// A receipt on the host: `ops/SLUG/TIME-NAME.json` below its configuration.
    pub fn leave(&self, bench: &mut Bench<'_>, name: &str, text: &str) -> Result<(), Problem> {
        let what = "leave a receipt there";
        let path = self.path();
        let base = path.rfind("/addons/").or_else(|| path.rfind("/local_apps/")).and_then(|at| path.get(..at));
        let why = "neither a folder `addons` nor `local_apps` is in the path";
        let base = base.ok_or_else(|| Problem::usage(what, why, "Leave out --remote-receipt."))?;
        let folders = [format!("{base}/homeassistant"), format!("{base}/config")];
        let mut there = None;
        for folder in folders {
            if there.is_none() && self.has_folder(bench, &folder)? {
                there = Some(folder);
            }
        }
        let why = format!("there is neither {base}/homeassistant nor {base}/config");
        let folder = there.ok_or_else(|| Problem::new(Kind::Refused, what, why, "Leave out --remote-receipt."))?;
        let time = now().replace(':', "-");
        self.write(bench, what, &format!("{folder}/ops/{}/{time}-{name}.json", bench.app.slug.clone()), text)
    }

    fn has_folder(&self, bench: &mut Bench<'_>, folder: &str) -> Result<bool, Problem> {
        match self {
            Files::Share(_) => Ok(Path::new(folder).is_dir()),
            Files::Host(ssh, _) => Ok(ssh.script(bench, "look for a folder", false, &script::is_folder(folder))?.ok()),
        }
    }

    fn write(&self, bench: &mut Bench<'_>, what: &str, file: &str, text: &str) -> Result<(), Problem> {
        match self {
            Files::Host(ssh, _) => {
                let ran = ssh.script(bench, what, true, &script::write(file, text))?;
                if ran.ok() { Ok(()) } else { Err(Problem::new(Kind::Refused, what, ran.said(4), "")) }
            }
            Files::Share(_) if bench.asked.dry_run => Ok(()),
            Files::Share(_) => {
                let write = || -> io::Result<()> {
                    fs::create_dir_all(Path::new(file).parent().unwrap_or(Path::new("/")))?;
                    fs::write(format!("{file}.new"), format!("{text}\n"))?;
                    fs::rename(format!("{file}.new"), file)
                };
                write().map_err(|error| unwritten(what, &error))?;
                bench.note(what, file);
                Ok(())
            }
        }
    }
}

fn own(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

fn unwritten(what: &str, error: &io::Error) -> Problem {
    Problem::new(Kind::Refused, format!("{what}: the share cannot be written"), error.to_string(), "")
}

/// A share that is not mounted leaves an empty folder behind, into which everything would go.
fn is_mounted(path: &Path, app: &Path) -> Result<(), Problem> {
    let there = path.ancestors().find_map(|dir| Some((dir, fs::metadata(dir).ok()?.dev())));
    let here = [Path::new("/"), app].map(|dir| fs::metadata(dir).map(|about| about.dev()).unwrap_or_default());
    let home = std::env::var_os("HOME").and_then(|home| Some(fs::metadata(home).ok()?.dev()));
    let problem = |why: String| {
        let todo =
            "Mount Home Assistant's share `addons` (the Samba app offers it), or send the files by SSH: OPS_HOST.";
        Err(Problem::new(Kind::Unreachable, "the share is not mounted", why, todo))
    };
    match there {
        None => problem(format!("{} does not exist", path.display())),
        Some((dir, device)) if here.contains(&device) || home == Some(device) => {
            problem(format!("{} lies on a disk of this machine", dir.display()))
        }
        Some(_) => Ok(()),
    }
}

fn look_here(path: &Path, slug: &str) -> Look {
    let about = fs::symlink_metadata(path).ok();
    let kind = match &about {
        None => guard::Kind::Missing,
        Some(about) if about.is_symlink() => guard::Kind::Link,
        Some(about) if about.is_dir() => guard::Kind::Folder,
        Some(_) => guard::Kind::Other,
    };
    let base = path.parent().unwrap_or(Path::new("/"));
    let aside = base.join(".ops");
    let at = if kind == guard::Kind::Folder { path } else { base };
    let mut inside = Inside::default();
    if kind == guard::Kind::Folder {
        inside.count(path);
    }
    let mut twins = Vec::new();
    apps_below(base, &mut |folder, config| {
        if config.get("slug").and_then(Value::as_str) == Some(slug) {
            twins.push(folder.display().to_string());
        }
    });
    let config = config_in(path).unwrap_or_default();
    let text = |key: &str| config.get(key).and_then(Value::as_str).map(str::to_string);
    let entries = fs::read_dir(path).map(|all| all.count() as u64).unwrap_or(0);
    let owner = fs::metadata(at).map(|about| format!("user {}", about.uid())).unwrap_or_default();
    let built = fs::read_to_string(aside.join(format!("{slug}.json"))).unwrap_or_default();
    Look {
        seen: Seen {
            kind,
            parent: base.is_dir(),
            entries,
            slug: text("slug"),
            begun: aside.join(format!("{slug}.begun")).exists(),
        },
        user: std::env::var("USER").unwrap_or_else(|_| "this user".into()),
        owner,
        writable: may_write(at),
        free: free_space(at).ok().map(|free| free.0),
        files: inside.files,
        version: version_of(&config),
        image: !config.get("image").is_none_or(Value::is_null),
        git: inside.git,
        kept: aside.join(slug).is_dir(),
        built: serde_json::from_str(&built).ok(),
        twins,
    }
}

#[derive(Default)]
struct Inside {
    files: u64,
    git: bool,
}

impl Inside {
    fn count(&mut self, dir: &Path) {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            self.git |= entry.file_name() == ".git";
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.count(&entry.path()),
                _ => self.files += 1,
            }
        }
    }
}

/// As the Supervisor looks for them: not below names with a dot, nor in `rootfs`.
fn apps_below(dir: &Path, found: &mut dyn FnMut(&Path, &Value)) {
    if let Some(config) = config_in(dir) {
        found(dir, &config);
    }
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let skipped = name.to_string_lossy().starts_with('.') || name == "rootfs";
        if !skipped && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            apps_below(&entry.path(), found);
        }
    }
}

fn config_in(dir: &Path) -> Option<Value> {
    let text = CONFIG_NAMES.iter().find_map(|name| fs::read_to_string(dir.join(name)).ok())?;
    yaml::read(&text).ok()
}

fn version_of(config: &Value) -> Option<String> {
    match config.get("version")? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn look_told(told: &Told, path: &str, slug: &str) -> Look {
    let get = |key: &str| told.values.get(key).cloned().unwrap_or_default();
    let yes = |key: &str| get(key) == "yes";
    let kind = match get("kind").as_str() {
        "folder" => guard::Kind::Folder,
        "link" => guard::Kind::Link,
        "other" => guard::Kind::Other,
        _ => guard::Kind::Missing,
    };
    let config = told.config.as_deref().and_then(|text| yaml::read(text).ok()).unwrap_or_default();
    let theirs = config.get("slug").and_then(Value::as_str).map(str::to_string);
    let mut twins: Vec<String> =
        told.apps.iter().filter(|(_, theirs)| theirs == slug).map(|(folder, _)| folder.clone()).collect();
    if theirs.as_deref() == Some(slug) && !twins.iter().any(|twin| twin == path) {
        twins.push(path.into());
    }
    Look {
        seen: Seen {
            kind,
            parent: yes("parent"),
            entries: get("entries").parse().unwrap_or(u64::MAX),
            slug: theirs,
            begun: yes("begun"),
        },
        user: get("user"),
        owner: get("owner"),
        writable: yes("writable"),
        free: get("free").parse().ok().map(|blocks: u64| blocks.saturating_mul(1024)),
        files: get("files").parse().unwrap_or(0),
        version: version_of(&config),
        image: !config.get("image").is_none_or(Value::is_null),
        git: yes("git"),
        kept: yes("kept"),
        built: serde_json::from_str(&get("built")).ok(),
        twins,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Told {
        script::read(text)
    }

    #[test]
    fn the_folder_that_is_there_is_kept() {
        let path = |text: &str| chosen(&told(text), "x");
        assert_eq!(path("base=/addons\n").unwrap(), "/addons/x");
        assert_eq!(path("base=/local_apps\napp=/local_apps/local/mine\tslug: x\n").unwrap(), "/local_apps/local/mine");
        assert_eq!(path("base=/addons\napp=/addons/y\tslug: y\n").unwrap(), "/addons/x");
        let several = path("base=/addons\napp=/addons/a\tslug: x\napp=/addons/b\tslug: \"x\"\n");
        assert!(several.unwrap_err().why.contains("/addons/a, /addons/b"));
        assert!(path("").unwrap_err().why.contains("/local_apps"));
    }

    #[test]
    fn a_folder_of_this_machine_is_no_share() {
        let dir = tempfile::tempdir().unwrap();
        let problem = is_mounted(&dir.path().join("left/behind"), dir.path()).unwrap_err();
        assert_eq!(problem.kind, Kind::Unreachable);
    }

    #[test]
    fn a_share_is_looked_at_as_a_host_is() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("addons/x");
        for (file, text) in [
            ("x/config.yaml", "slug: x\nversion: \"1\"\nimage: y\n"),
            ("x/.git/HEAD", ""),
            ("y/rootfs/config.yaml", "slug: x"),
            ("z/config.json", "{\"slug\": \"x\"}"),
            (".ops/x/config.yaml", "slug: x"),
            (".ops/x.json", "{\"version\":\"1\",\"tree\":\"sha256:0\"}"),
        ] {
            let file = dir.path().join("addons").join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let look = look_here(&folder, "x");
        assert_eq!((look.seen.slug.as_deref(), look.version.as_deref(), look.image), (Some("x"), Some("1"), true));
        assert_eq!((look.files, look.git, look.kept, look.twins.len()), (2, true, true, 2));
        assert_eq!(look.built.unwrap().version, "1");
        assert_eq!(look_here(&dir.path().join("addons/none"), "x").seen.kind, guard::Kind::Missing);
    }
}
