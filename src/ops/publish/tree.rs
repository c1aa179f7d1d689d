//! What is published: the app's files as git has them, those that `[publish] files` names, with `image:` in the
//! configuration.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::Way;
use crate::ops::bench::Bench;
use crate::ops::git::{Git, tag_name};
use crate::ops::outcome::Problem;
use crate::ops::tree::{Patterns, Tree};

/// As a tree that can be checked. Without git: the files of the folder.
pub fn tree(bench: &mut Bench<'_>) -> Result<Tree, Problem> {
    let publish = bench.project.publish.clone();
    let wrong = |why: String| Problem::usage("[publish] files cannot be used", why, "");
    let only = Patterns::only(&publish.files).map_err(wrong)?;
    let mut tree = Tree::list(&bench.app.folder, &Patterns::none())?;
    let known = tracked(bench)?;
    tree.entries.retain(|path, _| known.as_ref().is_none_or(|known| known.contains_key(path)) && only.names(path));
    if let Some(image) = &publish.image {
        let file = bench.app.file;
        let text = tree.text(file).unwrap_or_default();
        tree.instead.insert(file.into(), with_image(file, &text, image)?.into_bytes());
    }
    Ok(tree)
}

/// Mode and object of each file that git has in its index, by its path below the app's folder.
type Tracked = BTreeMap<PathBuf, (String, String)>;

/// None without a repository.
fn tracked(bench: &mut Bench<'_>) -> Result<Option<Tracked>, Problem> {
    let Some(git) = Git::of(&bench.app.folder) else { return Ok(None) };
    let call = git.look("which files does git have", ["ls-files", "--stage", "-z"]).within(&bench.app.folder);
    let ran = git.must(bench, &call)?;
    let entry = |line: &str| {
        let (about, path) = line.split_once('\t')?;
        let mut about = about.split(' ');
        Some((PathBuf::from(path), (about.next()?.to_owned(), about.next()?.to_owned())))
    };
    Ok(Some(ran.output.split('\0').filter_map(entry).collect()))
}

/// The line put in the place of the old one, or at the end.
fn with_image(file: &str, text: &str, image: &str) -> Result<String, Problem> {
    if file == "config.json" {
        let todo = "Turn it into a YAML file, or write image: into it yourself.";
        return Err(Problem::usage("image: cannot be added", "the configuration is JSON", todo));
    }
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let line = format!("image: {image}{end}");
    if text.lines().any(|line| line.starts_with("image:")) {
        let swap = |old: &str| if old.starts_with("image:") { line.clone() } else { old.to_owned() };
        return Ok(text.split_inclusive('\n').map(swap).collect());
    }
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { end };
    Ok(format!("{text}{gap}{line}"))
}

/// Puts it into git's store, through an index of its own, and returns its name; nothing in a dry run.
pub fn write(bench: &mut Bench<'_>, way: &Way, tree: &Tree) -> Result<Option<String>, Problem> {
    let mut known = tracked(bench)?.unwrap_or_default();
    known.retain(|path, _| tree.has(path));
    for (path, bytes) in &tree.instead {
        let call = way.git.write("keep the configuration with its image", ["hash-object", "-w", "--stdin"]);
        let object = way.git.must(bench, &call.input(bytes.clone()))?.output.trim().to_owned();
        known.entry(path.clone()).and_modify(|entry| entry.1 = object);
    }
    let mut lines = String::new();
    for (path, (mode, object)) in &known {
        // Writing to a text does not fail.
        let _ = write!(lines, "{mode} {object}\t{}\0", path.display());
    }
    let index = index(bench, &way.git)?;
    let fill = way.git.write("list what is published", ["update-index", "-z", "--index-info"]);
    way.git.must(bench, &fill.set("GIT_INDEX_FILE", &index).input(lines))?;
    let keep = way.git.write("keep what is published", ["write-tree"]).set("GIT_INDEX_FILE", &index);
    let kept = way.git.must(bench, &keep);
    if !bench.asked.dry_run {
        let _ = std::fs::remove_file(&index);
    }
    let kept = kept?.output.trim().to_owned();
    Ok((!bench.asked.dry_run).then_some(kept))
}

/// A file that does not exist, beside the repository's own index.
fn index(bench: &mut Bench<'_>, git: &Git) -> Result<PathBuf, Problem> {
    let name = format!("ops-index-{}", std::process::id());
    let ran = git.must(bench, &git.look("where does git keep its things", ["rev-parse", "--git-path", &name]))?;
    let path = bench.app.project.join(Path::new(ran.output.trim_end_matches('\n')));
    let _ = std::fs::remove_file(&path);
    Ok(path)
}

/// The version of a tag that stands on this commit, if there is one.
pub fn tag_here(bench: &mut Bench<'_>) -> Result<Option<String>, Problem> {
    let Some(git) = Git::of(&bench.app.folder) else { return Ok(None) };
    let ran = bench.run(&git.look("which tags stand here", ["tag", "--points-at", "HEAD"]))?;
    let prefix = tag_name(bench, "");
    let versions: Vec<&str> = ran.output.lines().filter_map(|tag| tag.strip_prefix(prefix.as_str())).collect();
    let versions: Vec<&&str> = versions.iter().filter(|text| text.starts_with(|c: char| c.is_ascii_digit())).collect();
    let ours = versions.iter().find(|version| ***version == bench.app.version);
    Ok(ours.or(versions.first()).map(|version| version.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_is_added_or_replaced_and_nothing_else_changes() {
        let with = |text: &str| with_image("config.yaml", text, "ghcr.io/me/x").unwrap();
        assert_eq!(with("a: 1\n"), "a: 1\nimage: ghcr.io/me/x\n");
        assert_eq!(with("a: 1"), "a: 1\nimage: ghcr.io/me/x\n");
        assert_eq!(with("a: 1\r\nimage: old\r\nb: 2\r\n"), "a: 1\r\nimage: ghcr.io/me/x\r\nb: 2\r\n");
        assert!(with_image("config.json", "{}", "x").is_err());
    }
}
