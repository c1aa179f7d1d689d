//! A floor looks down, never up; and only the privileged door touches the machine (docs/architecture.md).

use std::fs;
use std::path::{Path, PathBuf};

/// Floors by the first part of a path below `src`. `main.rs` and `lib.rs` see everything.
const FLOORS: [(&str, u8); 15] = [
    ("texts", 0),
    ("domain", 1),
    ("config", 1),
    ("host", 2),
    ("disk", 2),
    ("image", 2),
    ("supervisor", 2),
    ("finish", 2),
    ("jobs", 3),
    ("ops", 3),
    ("web", 4),
    ("demo", 5),
    ("cli", 6),
    ("lib", 7),
    ("main", 7),
];

fn floor(room: &str) -> u8 {
    let known = FLOORS.iter().find(|(name, _)| *name == room);
    known.unwrap_or_else(|| panic!("{room} has no floor: give it one in tests/floors.rs")).1
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("reading src") {
        let path = entry.expect("reading src").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The room of a file: the first part of its path below `src`.
fn room(path: &Path) -> String {
    let below = path.strip_prefix(src()).expect("below src");
    let first = below.components().next().expect("a file").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_string()
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Rooms that a line names by `crate::room` or `crate::{a, b}`.
fn named(line: &str) -> Vec<String> {
    let code = line.split("//").next().unwrap_or_default();
    let mut rooms = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let group = rest.strip_prefix('{').map(|inside| inside.split('}').next().unwrap_or(inside));
        let word = |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        match group {
            Some(inside) => rooms.extend(inside.split(',').map(word)),
            None => rooms.push(word(rest)),
        }
    }
    rooms.retain(|room: &String| !room.is_empty() && room.starts_with(|c: char| c.is_lowercase()));
    rooms
}

/// Every `crate::` path with file and line: (file, line number, from, to).
fn paths() -> Vec<(PathBuf, usize, String, String)> {
    let mut files = Vec::new();
    sources(&src(), &mut files);
    let mut all = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("reading a source file");
        for (number, line) in text.lines().enumerate() {
            all.extend(named(line).into_iter().map(|to| (file.clone(), number + 1, room(&file), to)));
        }
    }
    all
}

#[test]
fn no_path_leads_up() {
    let paths = paths();
    assert!(paths.len() > 300, "the search finds hardly anything: {}", paths.len());
    let upward: Vec<String> = paths
        .iter()
        .filter(|(_, _, from, to)| floor(from) < floor(to))
        .map(|(file, line, from, to)| format!("{}:{line}: {from} looks up to {to}", file.display()))
        .collect();
    assert!(upward.is_empty(), "{}", upward.join("\n"));
}

#[test]
fn on_floor_two_only_disk_asks_host() {
    let sideways: Vec<String> = paths()
        .iter()
        .filter(|(_, _, from, to)| {
            floor(from) == 2 && floor(to) == 2 && from != to && (from, to) != (&"disk".into(), &"host".into())
        })
        .map(|(file, line, from, to)| format!("{}:{line}: {from} → {to}", file.display()))
        .collect();
    assert!(sideways.is_empty(), "{}", sideways.join("\n"));
}

/// It brings any app to a host, and has nothing to do with cards.
#[test]
fn ops_knows_no_cards_and_no_jobs() {
    let rooms = ["ops", "domain", "config", "host"];
    let paths = paths();
    let of_ops = paths.iter().filter(|(_, _, from, _)| from == "ops");
    assert!(of_ops.clone().count() > 50, "ops is hardly there");
    let others: Vec<String> = of_ops
        .filter(|(_, _, _, to)| !rooms.contains(&to.as_str()))
        .map(|(file, line, _, to)| format!("{}:{line}: ops → {to}", file.display()))
        .collect();
    assert!(others.is_empty(), "{}", others.join("\n"));
}

/// Whether `word` stands in `code` as a word of its own: `unix::` is not `nix::`.
fn says(code: &str, word: &str) -> bool {
    let free = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    code.match_indices(word).any(|(at, _)| free(at))
}

/// Words, the rooms that may say them, and why.
#[test]
fn only_the_door_touches_the_machine() {
    let rules: [(&str, &[&str], &str); 5] = [
        ("unsafe", &["host/linux/"], "it is for what the kernel's calls need"),
        ("nix::", &["host/linux/"], "ask host"),
        (
            "process::Command",
            &["host/linux/tools.rs", "host/linux/program.rs", "demo/tools.rs"],
            "child tools are started at one place",
        ),
        (
            "tokio",
            &["image/", "supervisor/", "finish/", "jobs/", "ops/", "web/", "cli/", "demo/"],
            "domain, host and disk are blocking",
        ),
        ("Html", &["web/", "demo/"], "only the face knows pages"),
    ];
    let mut files = Vec::new();
    sources(&src(), &mut files);
    let mut wrong = Vec::new();
    for file in &files {
        let below = file.strip_prefix(src()).expect("below src").to_string_lossy().into_owned();
        let text = fs::read_to_string(file).expect("reading a source file");
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for (word, rooms, why) in rules {
                if says(code, word) && !rooms.iter().any(|room| below.starts_with(room)) {
                    wrong.push(format!("{below}:{}: {word}: {why}", number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_search_sees_what_it_should() {
    assert_eq!(named("use crate::jobs::Jobs;"), ["jobs"]);
    assert_eq!(named("    crate::disk::Card, crate::host::Claim"), ["disk", "host"]);
    assert_eq!(named("use crate::{web, jobs::Jobs};"), ["web", "jobs"]);
    assert!(named("// crate::web").is_empty());
    assert!(floor("domain") < floor("host") && floor("host") < floor("jobs") && floor("jobs") < floor("web"));
}
