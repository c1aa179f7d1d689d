//! The files that are sent, in a folder that holds them and nothing else: what rsync makes the host's folder equal to.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use super::ignore::Ignore;

/// One thing that is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sent {
    /// Below the app's folder.
    path: PathBuf,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Folder,
    File { executable: bool },
    Link(PathBuf),
}

/// All of it, sorted by path.
#[derive(Debug, Clone)]
pub struct Shipment {
    app: PathBuf,
    all: Vec<Sent>,
    /// `sha256:…` over paths, kinds and contents.
    pub tree: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ShipmentError {
    #[error("reading {0}: {1}")]
    Reading(PathBuf, io::Error),
    #[error("{0} is neither a file, a folder nor a link")]
    Strange(PathBuf),
    /// There is nothing at its end on the host.
    #[error("{0} is a link that leads out of the app's folder")]
    LinkOut(PathBuf),
    #[error("putting {0} aside: {1}")]
    Staging(PathBuf, io::Error),
}

impl Shipment {
    /// Looks through `app`, without what `ignore` keeps at home.
    pub fn pack(app: &Path, ignore: &Ignore) -> Result<Shipment, ShipmentError> {
        let mut all = Vec::new();
        walk(app, Path::new(""), ignore, &mut all)?;
        all.sort_by(|a, b| a.path.as_os_str().as_bytes().cmp(b.path.as_os_str().as_bytes()));
        let tree = digest(app, &all)?;
        Ok(Shipment { app: app.to_path_buf(), all, tree })
    }

    /// How many files and links.
    pub fn files(&self) -> usize {
        self.all.iter().filter(|one| one.what != What::Folder).count()
    }

    /// Puts all of it below `stage`, which is empty: as further names of the same files where that is possible.
    pub fn stage(&self, stage: &Path) -> Result<(), ShipmentError> {
        for Sent { path, what } in &self.all {
            let (from, to) = (self.app.join(path), stage.join(path));
            let put = match what {
                What::Folder => fs::create_dir(&to),
                What::Link(target) => symlink(target, &to),
                What::File { .. } => fs::hard_link(&from, &to).or_else(|_| copy(&from, &to)),
            };
            put.map_err(|error| ShipmentError::Staging(path.clone(), error))?;
        }
        Ok(())
    }
}

/// With its time, which rsync keeps.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    let time = fs::metadata(from)?.modified()?;
    File::options().write(true).open(to)?.set_modified(time)
}

fn walk(app: &Path, below: &Path, ignore: &Ignore, all: &mut Vec<Sent>) -> Result<(), ShipmentError> {
    let reading = |error| ShipmentError::Reading(below.to_path_buf(), error);
    for entry in fs::read_dir(app.join(below)).map_err(reading)? {
        let entry = entry.map_err(reading)?;
        let path = below.join(entry.file_name());
        let about = fs::symlink_metadata(entry.path()).map_err(|error| ShipmentError::Reading(path.clone(), error))?;
        if ignore.keeps_home(&path, about.is_dir()) {
            continue;
        }
        let what = if about.is_dir() {
            What::Folder
        } else if about.is_symlink() {
            What::Link(inner_link(&entry.path(), &path)?)
        } else if about.is_file() {
            What::File { executable: about.permissions().mode() & 0o100 != 0 }
        } else {
            return Err(ShipmentError::Strange(path));
        };
        let is_folder = what == What::Folder;
        all.push(Sent { path: path.clone(), what });
        if is_folder {
            walk(app, &path, ignore, all)?;
        }
    }
    Ok(())
}

/// Where it leads, if that is in the app's folder. Below `rootfs` an absolute one is of the image.
fn inner_link(file: &Path, path: &Path) -> Result<PathBuf, ShipmentError> {
    let target = fs::read_link(file).map_err(|error| ShipmentError::Reading(path.to_path_buf(), error))?;
    if path.starts_with("rootfs") {
        return Ok(target);
    }
    let mut depth = path.components().count() as i64 - 1;
    for part in target.components() {
        match part {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => depth = -1,
        }
        if depth < 0 {
            return Err(ShipmentError::LinkOut(path.to_path_buf()));
        }
    }
    Ok(target)
}

fn digest(app: &Path, all: &[Sent]) -> Result<String, ShipmentError> {
    let mut whole = Sha256::new();
    for Sent { path, what } in all {
        let (mark, inner) = match what {
            What::Folder => (b'd', [0; 32]),
            What::Link(target) => (b'l', Sha256::digest(target.as_os_str().as_bytes()).into()),
            What::File { executable } => {
                let inner = hash(&app.join(path)).map_err(|error| ShipmentError::Reading(path.clone(), error))?;
                (if *executable { b'x' } else { b'f' }, inner)
            }
        };
        let name = path.as_os_str().as_bytes();
        whole.update((name.len() as u64).to_be_bytes());
        whole.update(name);
        whole.update([mark]);
        whole.update(inner);
    }
    Ok(format!("sha256:{}", hex::encode(whole.finalize())))
}

fn hash(file: &Path) -> io::Result<[u8; 32]> {
    let (mut file, mut hasher, mut buffer) = (File::open(file)?, Sha256::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().into()),
            n => hasher.update(buffer.get(..n).unwrap_or(&[])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(app: &Path) -> Result<Shipment, ShipmentError> {
        Shipment::pack(app, &Ignore::read("/src\n").unwrap())
    }

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in ["config.yaml", "with space", "with\nnewline", "with'quote\"", "rootfs/run", "src/main.rs", ".git/HEAD"] {
            let file = dir.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, name).unwrap();
        }
        symlink("config.yaml", dir.path().join("link")).unwrap();
        symlink("/command/with-contenv", dir.path().join("rootfs/link")).unwrap();
        dir
    }

    #[test]
    fn what_is_sent_is_staged_whole() {
        let (dir, stage) = (tree(), tempfile::tempdir().unwrap());
        let shipment = pack(dir.path()).unwrap();
        assert_eq!(shipment.files(), 7);
        shipment.stage(stage.path()).unwrap();
        assert_eq!(fs::read_to_string(stage.path().join("with\nnewline")).unwrap(), "with\nnewline");
        assert_eq!(fs::read_link(stage.path().join("link")).unwrap(), Path::new("config.yaml"));
        assert!(!stage.path().join("src").exists() && !stage.path().join(".git").exists());
        // The stage has the same digest as what it was made from.
        assert_eq!(pack(stage.path()).unwrap().tree, shipment.tree);
    }

    #[test]
    fn the_digest_tells_content_name_kind_and_mode() {
        let dir = tree();
        let file = dir.path().join("config.yaml");
        let mut seen = vec![pack(dir.path()).unwrap().tree];
        fs::write(&file, "other bytes").unwrap();
        seen.push(pack(dir.path()).unwrap().tree);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        seen.push(pack(dir.path()).unwrap().tree);
        fs::rename(&file, dir.path().join("config.yml")).unwrap();
        seen.push(pack(dir.path()).unwrap().tree);
        fs::write(dir.path().join("src/more"), "stays at home").unwrap();
        seen.push(pack(dir.path()).unwrap().tree);
        assert_eq!(seen.pop(), seen.last().cloned());
        assert!(seen.iter().enumerate().all(|(n, one)| !seen[..n].contains(one)), "{seen:?}");
    }

    #[test]
    fn links_stay_within() {
        for target in ["/etc/passwd", "../x", "rootfs/../../x"] {
            let dir = tree();
            symlink(target, dir.path().join("bad")).unwrap();
            assert!(matches!(pack(dir.path()), Err(ShipmentError::LinkOut(_))), "{target}");
        }
        let dir = tree();
        symlink("rootfs/../config.yaml", dir.path().join("good")).unwrap();
        assert!(pack(dir.path()).is_ok());
    }
}
