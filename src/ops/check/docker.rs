//! The Dockerfile: there, and everything that it copies; and what is known not to be in a base image's packages.

use std::path::{Component, Path, PathBuf};

use super::{Finding, Seen, wrongs};
use crate::ops::Mode;
use crate::ops::tree::{Patterns, Tree};

/// Names that one distribution has and the other has not: tool, name, what to write instead.
const MISSING: [(&str, &str, &str); 12] = [
    ("apk", "py3-venv", "nothing: python3 holds it"),
    ("apk", "python3-venv", "nothing: python3 holds it"),
    ("apk", "python3-pip", "py3-pip"),
    ("apk", "python", "python3"),
    ("apk", "py-pip", "py3-pip"),
    ("apk", "build-essential", "build-base"),
    ("apk", "libssl-dev", "openssl-dev"),
    ("apk", "dnsutils", "bind-tools"),
    ("apk", "iputils-ping", "iputils"),
    ("apt-get", "build-base", "build-essential"),
    ("apt-get", "py3-pip", "python3-pip"),
    ("apt-get", "openssl-dev", "libssl-dev"),
];

/// Its files: `Dockerfile`, or one for each architecture.
fn files(tree: &Tree) -> Vec<(PathBuf, String)> {
    let is = |path: &&Path| {
        let name = path.to_string_lossy();
        name == "Dockerfile" || name.starts_with("Dockerfile.") && !name.contains('/')
    };
    tree.files().filter(is).filter_map(|path| Some((path.to_owned(), tree.text(path)?))).collect()
}

/// Instructions, their lines put together; no comments.
fn instructions(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (part, goes_on) = line.strip_suffix('\\').map_or((line, false), |part| (part, true));
        match all.last_mut().filter(|_| open) {
            Some(last) => last.push_str(&format!(" {}", part.trim())),
            None => all.push(part.trim().to_owned()),
        }
        open = goes_on;
    }
    all
}

/// Needed where the Supervisor builds.
pub fn dockerfile(seen: &Seen<'_>) -> Vec<Finding> {
    let files = files(seen.tree);
    let starts = |text: &str| instructions(text).iter().any(|line| line.to_uppercase().starts_with("FROM "));
    let empty = files.iter().filter(|(_, text)| !starts(text)).map(|(path, _)| path.display().to_string());
    let mut found: Vec<Finding> = empty.map(|path| Finding::wrong(format!("{path} has no FROM"))).collect();
    let plain = files.iter().any(|(path, _)| path == Path::new("Dockerfile"));
    let arches = seen.config.get("arch").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
    let each = !arches.is_empty()
        && arches.iter().filter_map(serde_json::Value::as_str).all(|arch| seen.tree.has(format!("Dockerfile.{arch}")));
    if seen.mode == Mode::Local && !plain && !each {
        found.push(Finding::wrong("there is none, and the Supervisor has to build"));
    }
    found
}

/// Sources of a COPY or ADD, as far as they are files of the tree.
fn sources(line: &str) -> Vec<String> {
    let Some((word, rest)) = line.split_once(char::is_whitespace) else { return Vec::new() };
    if !["COPY", "ADD"].contains(&word.to_uppercase().as_str()) || rest.contains("--from=") || rest.contains("<<") {
        return Vec::new();
    }
    let words: Vec<String> = match rest.trim().strip_prefix('[') {
        Some(list) => {
            list.trim_end_matches(']').split(',').map(|word| word.trim().trim_matches('"').to_owned()).collect()
        }
        None => rest.split_whitespace().filter(|word| !word.starts_with("--")).map(str::to_owned).collect(),
    };
    let known = |word: &&String| !word.contains('$') && !word.contains("://") && !word.starts_with("git@");
    words.split_last().map(|(_, sources)| sources.iter().filter(known).cloned().collect()).unwrap_or_default()
}

/// Every source is sent, and not hidden from the build.
pub fn copies(seen: &Seen<'_>) -> Vec<Finding> {
    let hidden: Vec<String> = seen.tree.text(".dockerignore").unwrap_or_default().lines().map(clean).collect();
    let mut found = Vec::new();
    for (path, text) in files(seen.tree) {
        for source in instructions(&text).iter().flat_map(|line| sources(line)).map(|source| clean(&source)) {
            let shown = path.display();
            if !there(seen.tree, &source) {
                found.push(Finding::wrong(format!("{shown} copies {source}, which is not sent")));
            } else if !source.is_empty() && hidden.contains(&source) {
                found.push(Finding::wrong(format!("{shown} copies {source}, which .dockerignore hides")));
            }
        }
    }
    found
}

/// `./a/`, `/a`, `a` → `a`; the context itself is empty.
fn clean(source: &str) -> String {
    let parts = Path::new(source.trim()).components().filter_map(|part| match part {
        Component::Normal(part) => part.to_str(),
        Component::ParentDir => Some(".."),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn there(tree: &Tree, source: &str) -> bool {
    if !source.contains(['*', '?', '[']) {
        return source.is_empty() || tree.covers(source);
    }
    // A pattern that only Docker understands is Docker's.
    Patterns::only(&[source]).is_ok_and(|only| tree.entries.keys().any(|path| only.names(path))) || source.contains('[')
}

/// Words of an installing command that are no package there.
pub fn packages(seen: &Seen<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in files(seen.tree) {
        for line in instructions(&text) {
            for command in line.split(['&', ';', '|']) {
                let words: Vec<&str> = command.split_whitespace().collect();
                let tool = ["apk", "apt-get"].into_iter().find(|tool| words.contains(tool));
                let known = MISSING.iter().filter(|(of, name, _)| Some(*of) == tool && words.contains(name));
                found.extend(known.map(|(tool, name, instead)| {
                    Finding::wrong(format!("{}: {tool} has no {name}; write {instead}", path.display()))
                }));
            }
        }
    }
    found
}

/// Still read, but it will not be.
pub fn build_file(seen: &Seen<'_>) -> Vec<Finding> {
    let file = ["build.yaml", "build.yml", "build.json"].into_iter().find(|name| seen.tree.has(name));
    let Some(file) = file else { return Vec::new() };
    let text = seen.tree.text(file).unwrap_or_default();
    let mut found = vec![Finding::note(format!(
        "{file} is deprecated: put the base image into the Dockerfile's FROM, or into an ARG with a default"
    ))];
    found.extend(wrongs([(
        crate::ops::yaml::read(&text).is_ok_and(|value| value.is_object()),
        format!("{file} is no map"),
    )]));
    found
}
