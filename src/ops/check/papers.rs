//! What lies beside the app: pictures, changelog, AppArmor profile; and what the project itself wants to hold.

use super::{Finding, Seen, wrongs};
use crate::ops::Mode;

/// A PNG's width and height stand at fixed places.
fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    bytes.starts_with(b"\x89PNG\r\n\x1a\n").then(|| Some((number(16)?, number(20)?)))?
}

pub fn pictures(seen: &Seen<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, width, height) in [("icon.png", 128, 128), ("logo.png", 250, 100)] {
        let Some(bytes) = seen.tree.bytes(file) else { continue };
        match size(&bytes) {
            None => found.push(Finding::wrong(format!("{file} is no PNG"))),
            Some((w, h)) if file == "icon.png" && w != h => {
                found.push(Finding::wrong(format!("{file} is {w} × {h}, and has to be a square")));
            }
            Some(size) if size != (width, height) => {
                found.push(Finding::note(format!("{file} is {} × {}; {width} × {height} fits best", size.0, size.1)));
            }
            Some(_) => {}
        }
    }
    found
}

/// A heading names the version: it is what people read before they update.
pub fn changelog(seen: &Seen<'_>) -> Vec<Finding> {
    let Some(text) = seen.tree.text("CHANGELOG.md") else {
        return vec![Finding::note("there is no CHANGELOG.md: nobody is told what is new")];
    };
    let edge = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '.' && c != '-');
    let names = |line: &str| {
        let hit = |(at, _): (usize, &str)| {
            let before = line.get(..at).and_then(|text| text.chars().next_back()).filter(|c| *c != 'v');
            edge(before) && edge(line.get(at + seen.version.len()..).and_then(|text| text.chars().next()))
        };
        line.match_indices(seen.version).any(hit)
    };
    let named = text.lines().filter(|line| line.starts_with('#')).any(names);
    wrongs([(named, format!("no heading of CHANGELOG.md names {}", seen.version))])
}

/// The Supervisor gives the profile the app's name, and refuses a file with none or several.
pub fn profile(seen: &Seen<'_>) -> Vec<Finding> {
    let Some(text) = seen.tree.text("apparmor.txt") else { return Vec::new() };
    let profiles = text.lines().filter(|line| line.starts_with("profile ")).count();
    wrongs([(profiles == 1, format!("apparmor.txt has {profiles} profiles at the beginning of a line, and needs one"))])
}

/// `[[invariant]]` of `ops.toml`: of what is built, not of what is published beside a built image.
pub fn invariants(seen: &Seen<'_>) -> Vec<Finding> {
    if seen.mode == Mode::Publish {
        return Vec::new();
    }
    let broken = seen.invariants.iter().filter_map(|wanted| {
        let path = &wanted.path;
        match (seen.tree.text(path), &wanted.contains) {
            (None, None) if seen.tree.covers(path) => None,
            (None, _) => Some(format!("{path} is not there")),
            (Some(text), Some(part)) if !text.contains(part.as_str()) => Some(format!("{path} does not hold {part:?}")),
            _ => None,
        }
    });
    broken.map(Finding::wrong).collect()
}
