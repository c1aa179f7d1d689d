//! The files that are sent, in a folder that holds them and nothing else: what rsync makes the host's folder equal to.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use crate::ops::bench::Bench;
use crate::ops::outcome::Problem;
use crate::ops::remote::files::Files;
use crate::ops::tree::{Entry, Tree};

use super::changes::Change;

/// Gone when it is dropped.
pub struct Parcel {
    /// `sha256:…` of what is in it.
    pub digest: String,
    pub count: usize,
    /// Of its files, by their paths.
    sizes: BTreeMap<String, u64>,
    _folder: tempfile::TempDir,
    stage: PathBuf,
}

impl Parcel {
    pub fn pack(bench: &Bench<'_>) -> Result<Parcel, Problem> {
        let tree = Tree::sent(&bench.app.folder)?;
        let wrong = |error: io::Error| Problem::usage("the app's files cannot be put together", error.to_string(), "");
        let folder = tempfile::Builder::new().prefix("sd-swap-ops-").tempdir().map_err(wrong)?;
        // The folder itself is for its owner alone; the host's would be so, too.
        let stage = folder.path().join(&bench.app.slug);
        fs::create_dir(&stage).map_err(wrong)?;
        fill(&tree, &stage)?;
        let size = |(path, entry): (&PathBuf, &Entry)| match entry {
            Entry::File { size, .. } => Some((path.to_string_lossy().into_owned(), *size)),
            _ => None,
        };
        let sizes = tree.entries.iter().filter_map(size).collect();
        Ok(Parcel { digest: tree.digest()?, count: tree.entries.len(), sizes, _folder: folder, stage })
    }

    /// What has to change on the host for it to have this tree.
    pub fn compare(&self, bench: &mut Bench<'_>, files: &Files) -> Result<Vec<Change>, Problem> {
        files.send(bench, &self.stage, true)
    }

    /// Bytes that have to fit beside what is there: new files take the places of old ones at the end.
    pub fn room(&self, changes: &[Change]) -> u64 {
        changes.iter().filter(|change| !change.deletes).filter_map(|change| self.sizes.get(&change.path)).sum()
    }

    pub fn send(&self, bench: &mut Bench<'_>, files: &Files) -> Result<Vec<Change>, Problem> {
        files.send(bench, &self.stage, false)
    }
}

/// As further names of the same files, where that is possible.
fn fill(tree: &Tree, stage: &Path) -> Result<(), Problem> {
    for (path, entry) in &tree.entries {
        let (from, to) = (tree.root.join(path), stage.join(path));
        let problem = |why: String| Problem::usage(format!("{} cannot be sent", path.display()), why, "");
        let put = |folder: Option<&Path>| -> io::Result<()> {
            fs::create_dir_all(folder.unwrap_or(stage))?;
            match entry {
                Entry::File { .. } => fs::hard_link(&from, &to).or_else(|_| copy(&from, &to)),
                Entry::Link { to: target } => symlink(target, &to),
                Entry::Other => Ok(()),
            }
        };
        match entry {
            Entry::Link { to: target } if leads_out(path, target) => {
                return Err(problem(format!("it is a link to {}, out of the app's folder", target.display())));
            }
            Entry::Other => return Err(problem("it is neither a file nor a link".into())),
            _ => put(to.parent()).map_err(|error| problem(error.to_string()))?,
        }
    }
    Ok(())
}

/// With its time, which rsync keeps.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    let time = fs::metadata(from)?.modified()?;
    File::options().write(true).open(to)?.set_modified(time)
}

/// On the host there is nothing at its end. Below `rootfs` an absolute one is of the image.
fn leads_out(path: &Path, target: &Path) -> bool {
    if path.starts_with("rootfs") {
        return false;
    }
    let mut depth = path.components().count().saturating_sub(1);
    for part in target.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            _ => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_staged_whole() {
        let (app, stage) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for name in ["config.yaml", "with space", "with\nnewline", "with'quote\"", "rootfs/run", ".git/HEAD"] {
            let file = app.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, name).unwrap();
        }
        symlink("config.yaml", app.path().join("link")).unwrap();
        symlink("/command/with-contenv", app.path().join("rootfs/link")).unwrap();
        let tree = Tree::sent(app.path()).unwrap();
        fill(&tree, stage.path()).unwrap();
        assert_eq!(fs::read_to_string(stage.path().join("with\nnewline")).unwrap(), "with\nnewline");
        assert!(!stage.path().join(".git").exists());
        assert_eq!(Tree::sent(stage.path()).unwrap().digest().unwrap(), tree.digest().unwrap());
    }

    #[test]
    fn links_stay_within() {
        let out = |path: &str, target: &str| leads_out(Path::new(path), Path::new(target));
        assert!(out("a", "/etc/passwd") && out("a", "../x") && out("a/b", "../../x") && out("a", "b/../../x"));
        assert!(!out("a", "b") && !out("a/b", "../c") && !out("a/b", "./c/../d") && !out("rootfs/a", "/command/x"));
    }
}
