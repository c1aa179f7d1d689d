//! What stays at home: `.opsignore`, and what nobody wants on the host.

use std::path::Path;

/// Never sent: repositories, caches, builds, and where the host is.
const ALWAYS: [&str; 14] = [
    ".git*", "__pycache__", "*.pyc", ".*_cache", ".coverage", "htmlcov", "node_modules", "target", ".DS_Store",
    ".opsignore", "ops.toml", "ops.env", "ops.*.env", "/reports/ops",
];

/// Patterns, one a line: `name` anywhere, `/path` from the app's folder, `folder/` only folders; `*` and `?` within a
/// name; `#` begins a comment.
#[derive(Debug, Clone)]
pub struct Ignore(Vec<Pattern>);

#[derive(Debug, Clone)]
struct Pattern {
    parts: Vec<String>,
    anchored: bool,
    only_folders: bool,
}

impl Ignore {
    /// An error names the line.
    pub fn read(text: &str) -> Result<Ignore, String> {
        let mut all: Vec<Pattern> = ALWAYS.iter().map(|line| Pattern::of(line)).collect();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.starts_with('!') || line.contains("**") || line.contains('[') {
                return Err(format!("line {}: {line} is not understood; there are only * and ?", number + 1));
            }
            all.push(Pattern::of(line));
        }
        Ok(Ignore(all))
    }

    /// Whether what lies at `path` below the app's folder stays at home, and all that is in it.
    pub fn keeps_home(&self, path: &Path, is_folder: bool) -> bool {
        let parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        self.0.iter().any(|pattern| (is_folder || !pattern.only_folders) && pattern.fits(&parts))
    }
}

impl Pattern {
    fn of(line: &str) -> Pattern {
        let inner = line.trim_matches('/');
        let parts: Vec<String> = inner.split('/').map(str::to_string).collect();
        // As everywhere: a slash within ties it to the top.
        let anchored = line.starts_with('/') || parts.len() > 1;
        Pattern { parts, anchored, only_folders: line.ends_with('/') }
    }

    fn fits(&self, parts: &[String]) -> bool {
        if self.anchored {
            return parts.len() == self.parts.len() && self.parts.iter().zip(parts).all(|(glob, name)| matches(glob, name));
        }
        parts.last().zip(self.parts.first()).is_some_and(|(name, glob)| matches(glob, name))
    }
}

/// `*` is any number of characters, `?` one.
fn matches(glob: &str, name: &str) -> bool {
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    // `ends`: how much of the name the pattern so far can have eaten.
    let mut ends = vec![false; name.len() + 1];
    if let Some(first) = ends.first_mut() {
        *first = true;
    }
    for c in glob {
        let mut next = vec![false; ends.len()];
        let mut open = false;
        for (at, slot) in next.iter_mut().enumerate() {
            let here = ends.get(at).copied().unwrap_or(false);
            let before = at.checked_sub(1).and_then(|at| Some((*ends.get(at)?, *name.get(at)?)));
            open |= here;
            *slot = if c == '*' { open } else { before.is_some_and(|(was, letter)| was && (c == '?' || c == letter)) };
        }
        ends = next;
    }
    ends.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(text: &str, path: &str, is_folder: bool) -> bool {
        Ignore::read(text).unwrap().keeps_home(Path::new(path), is_folder)
    }

    #[test]
    fn nobody_wants_these_there() {
        for path in [".git", ".github", "a/.gitignore", "a/__pycache__", "x.pyc", ".mypy_cache", "target", "b/.DS_Store"] {
            assert!(home("", path, false), "{path}");
        }
        for path in ["ops.env", "ops.kitchen.env", "ops.toml", ".opsignore", "reports/ops"] {
            assert!(home("", path, true), "{path}");
        }
        for path in ["config.yaml", "rootfs/etc/git", "my.git", "targets", "reports", "x/reports/ops", "ops"] {
            assert!(!home("", path, true), "{path}");
        }
    }

    #[test]
    fn patterns() {
        let text = "# source\n/src\ntests/\n*.md\na/b?.txt\n";
        for (path, folder) in [("src", true), ("x/tests", true), ("README.md", false), ("x/y.md", false), ("a/b1.txt", false)] {
            assert!(home(text, path, folder), "{path}");
        }
        for (path, folder) in [("x/src", true), ("tests", false), ("md", false), ("a/b.txt", false), ("x/a/b1.txt", false)] {
            assert!(!home(text, path, folder), "{path}");
        }
        assert!(Ignore::read("a\n!b").unwrap_err().starts_with("line 2"));
        assert!(Ignore::read("a/**/b").is_err());
    }

    #[test]
    fn stars_are_not_slow() {
        assert!(!matches(&"*a".repeat(60), &"b".repeat(200)));
        assert!(matches("*.*_*", "x.y_z") && matches("*", "") && !matches("?", ""));
    }
}
