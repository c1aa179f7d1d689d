//! `docs/apparmor.md`: each line of the profile with what it allows and why.

use std::collections::BTreeSet;

use super::tree::Tree;

/// Lines that allow something, as they stand there but for the comma; includes are such lines although they begin with #.
fn lines(profile: &str) -> BTreeSet<&str> {
    let lines = profile.lines().map(str::trim).filter(|line| !line.starts_with('#') || line.starts_with("#include"));
    lines.map(|line| line.trim_end_matches(',')).filter(|line| !line.is_empty() && *line != "}").collect()
}

/// Rows of its tables: the line, and whether the two cells beside it say something.
fn rows(text: &str) -> Vec<(&str, bool)> {
    let rows = text.lines().filter_map(|row| row.strip_prefix("| `")).filter_map(|row| row.split_once("` | "));
    let told = |cells: &str| {
        let cells: Vec<&str> = cells.trim_end_matches('|').split(" | ").map(str::trim).collect();
        cells.len() == 2 && cells.iter().all(|cell| !cell.is_empty())
    };
    rows.map(|(line, cells)| (line, told(cells))).collect()
}

pub fn explained(tree: &Tree) -> Vec<String> {
    let (profile, text) = (tree.text("apparmor.txt"), tree.text("docs/apparmor.md"));
    let (lines, rows) = (lines(&profile), rows(&text));
    let known: BTreeSet<&str> = rows.iter().map(|(line, _)| *line).collect();
    let mut wrong: Vec<String> = lines.difference(&known).map(|line| format!("not explained: {line}")).collect();
    wrong.extend(known.difference(&lines).map(|line| format!("explained, but not in the profile: {line}")));
    wrong.extend(
        rows.iter().filter(|(_, told)| !told).map(|(line, _)| format!("what it allows, or why, is missing: {line}")),
    );
    wrong
}
