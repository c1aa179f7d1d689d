//! Where files lie, and which.

use std::path::{Path, PathBuf};

use super::{Finding, Seen};
use crate::ops::app::CONFIG_NAMES;
use crate::ops::tree::Entry;

/// The Supervisor takes every `config.yaml`, `.yml` and `.json` below the folder of local apps for an app, but for hidden
/// folders and `rootfs`.
pub fn one_app(seen: &Seen<'_>) -> Vec<Finding> {
    let found = |path: &&PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let skipped = path.components().any(|part| {
            let part = part.as_os_str().to_string_lossy();
            part.starts_with('.') || part == "rootfs"
        });
        CONFIG_NAMES.contains(&name) && !skipped && path.as_path() != Path::new(seen.file)
    };
    let stray = seen.tree.entries.keys().filter(found);
    stray.map(|path| Finding::wrong(format!("the Supervisor takes {} for another app", path.display()))).collect()
}

/// Repositories within the app's folder, but for the project's own.
pub fn repositories(app: &Path, project: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![app.to_owned()];
    while let Some(folder) = open.pop() {
        if folder != project && folder.join(".git").symlink_metadata().is_ok() {
            found.push(folder.strip_prefix(app).unwrap_or(&folder).to_owned());
            continue;
        }
        let below = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let folders = below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let skipped = |name: &str| ["target", "node_modules", ".git"].contains(&name);
        open.extend(folders.filter(|entry| !skipped(&entry.file_name().to_string_lossy())).map(|entry| entry.path()));
    }
    found.sort();
    found
}

pub fn nested(seen: &Seen<'_>) -> Vec<Finding> {
    let shown = |path: &PathBuf| {
        if path.as_os_str().is_empty() { "the app's folder".into() } else { path.display().to_string() }
    };
    seen.nested.iter().map(|path| Finding::wrong(format!("{} is a repository of its own", shown(path)))).collect()
}

/// Links lead nowhere on the host or out of the folder; sockets and pipes cannot be sent; names with control characters
/// cannot be read in any list.
pub fn sendable(seen: &Seen<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, entry) in &seen.tree.entries {
        let shown = format!("{:?}", path.to_string_lossy());
        match entry {
            Entry::Other => found.push(Finding::wrong(format!("{shown} is neither file nor link"))),
            Entry::Link { to } if !leads_within(seen, path, to) => {
                found.push(Finding::wrong(format!("{shown} is a link to {}, which is not sent", to.display())));
            }
            _ if path.to_string_lossy().chars().any(char::is_control) => {
                found.push(Finding::wrong(format!("{shown} has a control character in its name")));
            }
            _ if path.to_str().is_none() => found.push(Finding::wrong(format!("{shown} has a name that is no UTF-8"))),
            _ => {}
        }
    }
    found
}

/// In `rootfs` a link is one of the image's file system, and absolute paths are right there.
fn leads_within(seen: &Seen<'_>, link: &Path, to: &Path) -> bool {
    if link.starts_with("rootfs") {
        return true;
    }
    let mut place: Vec<_> = link.parent().into_iter().flat_map(Path::components).collect();
    for part in to.components() {
        match part {
            std::path::Component::ParentDir => {
                if place.pop().is_none() {
                    return false;
                }
            }
            std::path::Component::Normal(_) => place.push(part),
            std::path::Component::CurDir => {}
            _ => return false,
        }
    }
    seen.tree.covers(place.iter().collect::<PathBuf>())
}
