//! Scripts that s6 starts: executable, run by something that the base images have, with Unix' line ends. None of that is an
//! error at build time; the app just does not start.

use std::path::Path;

use super::{Finding, Seen};

/// Programs that may stand after `#!`, or after one of `THROUGH`.
const KNOWN: [&str; 10] = ["sh", "bash", "ash", "bashio", "python3", "python", "node", "perl", "execlineb", "lua"];
/// Programs that start another one.
const THROUGH: [&str; 3] = ["env", "with-contenv", "s6-envuidgid"];
const PLACES: [&str; 6] = ["/bin/", "/usr/bin/", "/usr/local/bin/", "/command/", "/sbin/", "/opt/venv/bin/"];

/// Whether s6 starts it: `run` and `finish` of a service, and what lies in `cont-init.d` and its like.
fn is_started(path: &Path) -> bool {
    let folder = |name: &str| path.parent().is_some_and(|dir| dir.components().any(|part| part.as_os_str() == name));
    let name = path.file_name().unwrap_or_default();
    let service = name == "run" || name == "finish";
    let dependency = folder("dependencies.d") || folder("contents.d");
    service && (folder("s6-rc.d") || folder("services.d")) && !dependency
        || folder("cont-init.d")
        || folder("cont-finish.d")
}

pub fn services(seen: &Seen<'_>) -> Vec<Finding> {
    let set_later = seen.tree.text("Dockerfile").is_some_and(|text| text.contains("chmod"));
    let mut found = Vec::new();
    for path in seen.tree.files().filter(|path| is_started(path)) {
        let shown = path.display();
        if !seen.tree.is_executable(path) {
            let what = format!("{shown} is not executable");
            found.push(if set_later { Finding::note(what) } else { Finding::wrong(what) });
        }
        let text = seen.tree.text(path).unwrap_or_default();
        if let Some(why) = bad_first_line(text.lines().next().unwrap_or_default()) {
            found.push(Finding::wrong(format!("{shown}: {why}")));
        }
    }
    found
}

fn bad_first_line(line: &str) -> Option<String> {
    let Some(rest) = line.trim_end().strip_prefix("#!") else { return Some("it does not begin with #!".into()) };
    let mut words = rest.split_whitespace();
    let first = words.next().unwrap_or_default();
    let Some(name) = PLACES.iter().find_map(|place| first.strip_prefix(place)) else {
        return Some(format!("{first} is not where the base images keep programs"));
    };
    let runs =
        if THROUGH.contains(&name) { words.find(|word| !word.starts_with('-')).unwrap_or_default() } else { name };
    let runs = runs.rsplit('/').next().unwrap_or_default();
    (!KNOWN.contains(&runs)).then(|| format!("{runs:?} is no interpreter of the base images"))
}

/// Configuration, Dockerfile and whatever is run.
pub fn line_ends(seen: &Seen<'_>) -> Vec<Finding> {
    let matters = |path: &Path, bytes: &[u8]| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name == seen.file || name.starts_with("Dockerfile") || name.ends_with(".sh") || bytes.starts_with(b"#!")
    };
    let wrong = seen.tree.files().filter_map(|path| {
        // Programs and pictures are long; a text that is read as one is not.
        let bytes = seen.tree.bytes(path).filter(|bytes| bytes.len() < 1 << 20)?;
        (matters(path, &bytes) && bytes.contains(&b'\r')).then_some(path)
    });
    wrong.map(|path| Finding::wrong(format!("{} has line ends of Windows", path.display()))).collect()
}
