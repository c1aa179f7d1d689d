//! The files of the app that are sent to the host: all below its folder but what `.opsignore` and a built-in list leave
//! out. Their digest is the tree's name in receipts.

mod patterns;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::outcome::Problem;

pub use patterns::{BUILT_IN, Patterns};

/// What a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    File {
        executable: bool,
        size: u64,
    },
    Link {
        to: PathBuf,
    },
    /// A socket, a pipe, a device: nothing that can be sent.
    Other,
}

/// Paths below the app's folder, without folders of their own.
#[derive(Debug, Clone)]
pub struct Tree {
    pub root: PathBuf,
    pub entries: BTreeMap<PathBuf, Entry>,
    /// Files that hold something else than on the disk: what a lane would write.
    pub instead: BTreeMap<PathBuf, Vec<u8>>,
}

impl Tree {
    /// What `ops sync` sends of `root`.
    pub fn sent(root: &Path) -> Result<Tree, Problem> {
        Tree::list(root, &Patterns::of(root)?)
    }

    /// All below `root` that `patterns` do not leave out. Links are not followed.
    pub fn list(root: &Path, patterns: &Patterns) -> Result<Tree, Problem> {
        let mut entries = BTreeMap::new();
        walk(root, Path::new(""), patterns, &mut entries).map_err(|(path, error)| {
            Problem::usage(format!("{} cannot be read", root.join(path).display()), error.to_string(), "")
        })?;
        Ok(Tree { root: root.to_owned(), entries, instead: BTreeMap::new() })
    }

    pub fn has(&self, path: impl AsRef<Path>) -> bool {
        self.entries.contains_key(path.as_ref())
    }

    /// Whether something lies below the folder `path`, or it is itself a file.
    pub fn covers(&self, path: impl AsRef<Path>) -> bool {
        self.entries.keys().any(|entry| entry.starts_with(path.as_ref()))
    }

    /// Of a file of the tree; none where it is no file or cannot be read.
    pub fn bytes(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let path = path.as_ref();
        match self.instead.get(path) {
            Some(bytes) => Some(bytes.clone()),
            None if self.is_file(path) => fs::read(self.root.join(path)).ok(),
            None => None,
        }
    }

    /// The same as text; what is no UTF-8 is replaced.
    pub fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        self.bytes(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    pub fn is_file(&self, path: impl AsRef<Path>) -> bool {
        matches!(self.entries.get(path.as_ref()), Some(Entry::File { .. }))
    }

    pub fn is_executable(&self, path: impl AsRef<Path>) -> bool {
        matches!(self.entries.get(path.as_ref()), Some(Entry::File { executable: true, .. }))
    }

    /// The paths of its files.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.entries.iter().filter_map(|(path, entry)| match entry {
            Entry::File { .. } => Some(path.as_path()),
            _ => None,
        })
    }

    /// `sha256:…` over names, kinds and contents.
    pub fn digest(&self) -> Result<String, Problem> {
        let mut all = Sha256::new();
        for (path, entry) in &self.entries {
            all.update((path.as_os_str().len() as u64).to_le_bytes());
            all.update(path.as_os_str().as_bytes());
            let content = self.content(path, entry).map_err(|error| {
                Problem::usage(format!("{} cannot be read", self.root.join(path).display()), error.to_string(), "")
            })?;
            all.update(content);
        }
        Ok(format!("sha256:{}", hex::encode(all.finalize())))
    }

    fn content(&self, path: &Path, entry: &Entry) -> io::Result<[u8; 33]> {
        let (kind, hash) = match entry {
            Entry::File { executable, .. } if self.instead.contains_key(path) => {
                let bytes = self.instead.get(path).map(Vec::as_slice).unwrap_or_default();
                (1 + u8::from(*executable), Sha256::digest(bytes).into())
            }
            Entry::File { executable, .. } => (1 + u8::from(*executable), hash_file(&self.root.join(path))?),
            Entry::Link { to } => (3, Sha256::digest(to.as_os_str().as_bytes()).into()),
            Entry::Other => (4, [0; 32]),
        };
        let mut content = [kind; 33];
        if let Some(rest) = content.get_mut(1..) {
            rest.copy_from_slice(&hash);
        }
        Ok(content)
    }
}

fn hash_file(path: &Path) -> io::Result<[u8; 32]> {
    let (mut file, mut hash, mut chunk) = (File::open(path)?, Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hash.finalize().into()),
            read => hash.update(chunk.get(..read).unwrap_or_default()),
        }
    }
}

type Entries = BTreeMap<PathBuf, Entry>;

fn walk(root: &Path, below: &Path, patterns: &Patterns, entries: &mut Entries) -> Result<(), (PathBuf, io::Error)> {
    let failed = |error| (below.to_owned(), error);
    for found in fs::read_dir(root.join(below)).map_err(failed)? {
        let name: OsString = found.map_err(failed)?.file_name();
        let path = below.join(name);
        let failed = |error| (path.clone(), error);
        let about = fs::symlink_metadata(root.join(&path)).map_err(failed)?;
        if patterns.leave_out(path.as_os_str().as_bytes(), about.is_dir()) {
            continue;
        }
        let entry = match about.file_type() {
            kind if kind.is_dir() => {
                walk(root, &path, patterns, entries)?;
                continue;
            }
            kind if kind.is_symlink() => Entry::Link { to: fs::read_link(root.join(&path)).map_err(failed)? },
            kind if kind.is_file() => {
                Entry::File { executable: about.permissions().mode() & 0o111 != 0, size: about.len() }
            }
            _ => Entry::Other,
        };
        entries.insert(path, entry);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(tree: &Tree) -> Vec<String> {
        tree.entries.keys().map(|path| path.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn what_is_sent_and_what_is_not() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["src", "rootfs/target", ".git", "a b"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        for file in ["config.yaml", "src/x", "rootfs/run", "rootfs/target/x", ".git/HEAD", "a b/c\n'd\"", "x.pyc"] {
            fs::write(dir.path().join(file), file).unwrap();
        }
        fs::write(dir.path().join(".opsignore"), "# source\n/src/\n").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link")).unwrap();
        let tree = Tree::sent(dir.path()).unwrap();
        assert_eq!(paths(&tree), [".opsignore", "a b/c\n'd\"", "config.yaml", "link", "rootfs/run"]);
        assert_eq!(tree.entries[Path::new("link")], Entry::Link { to: "/etc/passwd".into() });
        assert!(tree.covers("rootfs") && tree.has("rootfs/run") && !tree.covers("root"));
    }

    #[test]
    fn the_digest_tells_names_contents_and_modes_apart() {
        let dir = tempfile::tempdir().unwrap();
        let digest = || Tree::sent(dir.path()).unwrap().digest().unwrap();
        let mut seen = vec![digest()];
        let file = dir.path().join("a");
        fs::write(&file, "1").unwrap();
        seen.push(digest());
        fs::write(&file, "2").unwrap();
        seen.push(digest());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        seen.push(digest());
        fs::rename(&file, dir.path().join("b")).unwrap();
        seen.push(digest());
        fs::remove_file(dir.path().join("b")).unwrap();
        std::os::unix::fs::symlink("2", dir.path().join("b")).unwrap();
        seen.push(digest());
        assert_eq!(seen.iter().collect::<std::collections::BTreeSet<_>>().len(), seen.len());
        assert_eq!(digest(), digest());
    }
}
