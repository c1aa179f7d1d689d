//! What is there, seen through a share or told by the host.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::host::linux::{free_space, may_write};
use crate::ops::app::CONFIG_NAMES;
use crate::ops::outcome::{Kind, Problem};
use crate::ops::remote::script::Told;
use crate::ops::sync::guard::{self, Seen};
use crate::ops::yaml;

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

/// A share that is not mounted leaves an empty folder behind, into which everything would go.
pub(super) fn is_mounted(path: &Path, app: &Path) -> Result<(), Problem> {
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

pub(super) fn look_here(path: &Path, slug: &str) -> Look {
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

pub(super) fn look_told(told: &Told, path: &str, slug: &str) -> Look {
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
