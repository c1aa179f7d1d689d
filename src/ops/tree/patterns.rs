//! What is left out: patterns as rsync takes them, so that the list made here and what rsync sends are the same. What
//! would need more of rsync's grammar is refused, not guessed.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::ops::outcome::Problem;

/// Left out of every app: version control, caches, build results, and what tells of the developer's own machine.
pub const BUILT_IN: [&str; 13] = [
    ".git*",
    "__pycache__",
    "*.pyc",
    ".*_cache",
    ".coverage",
    "htmlcov",
    "node_modules",
    "target",
    ".DS_Store",
    "/ops.env",
    "/ops.*.env",
    "/reports/ops",
    "/.ops",
];

/// In the order of their lines; the first that fits leaves out.
#[derive(Debug, Clone)]
pub struct Patterns(Vec<Pattern>);

#[derive(Debug, Clone)]
struct Pattern {
    line: String,
    /// Without the slashes at its ends.
    glob: Vec<u8>,
    anchored: bool,
    folders_only: bool,
}

impl Patterns {
    /// The built-in ones and those of `.opsignore` in `root`.
    pub fn of(root: &Path) -> Result<Patterns, Problem> {
        let file = root.join(".opsignore");
        let wrong = |why: String| Problem::usage(format!("{} cannot be used", file.display()), why, FORM);
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(wrong(error.to_string())),
        };
        Patterns::parse(&text).map_err(wrong)
    }

    /// The built-in ones and those of `text`, one a line.
    pub fn parse(text: &str) -> Result<Patterns, String> {
        let own = text.lines().map(str::trim_end).enumerate().filter(|(_, line)| !line.is_empty() && !comment(line));
        let own = own.map(|(n, line)| Pattern::parse(line).map_err(|why| format!("line {}: {why}", n + 1)));
        BUILT_IN.into_iter().map(Pattern::parse).chain(own).collect::<Result<_, _>>().map(Patterns)
    }

    /// Whether `path`, relative to the app's folder, is left out. What is below a folder that is left out is, too.
    pub fn leave_out(&self, path: &[u8], is_folder: bool) -> bool {
        self.0.iter().any(|pattern| (is_folder || !pattern.folders_only) && pattern.fits(path))
    }

    /// Nothing but git's own folder is left out.
    pub fn none() -> Patterns {
        Patterns(Pattern::parse(".git").into_iter().collect())
    }

    /// Patterns of what is taken, from the folder itself on; of nothing: everything is.
    pub fn only<T: AsRef<str>>(lines: &[T]) -> Result<Patterns, String> {
        let anchored = |line: &T| Pattern::parse(&format!("/{}", line.as_ref().trim_start_matches('/')));
        lines.iter().map(anchored).collect::<Result<_, _>>().map(Patterns)
    }

    /// Whether `path` or a folder above it is named; see [`Patterns::only`].
    pub fn names(&self, path: &Path) -> bool {
        let named = |path: &Path| self.0.iter().any(|pattern| pattern.fits(path.as_os_str().as_bytes()));
        self.0.is_empty() || path.ancestors().filter(|path| !path.as_os_str().is_empty()).any(named)
    }

    /// One after the other, as `--exclude` of rsync takes them.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|pattern| pattern.line.as_str())
    }
}

const FORM: &str = "One pattern a line, as after rsync's --exclude: names, *, ** and ?, a / in front for the app's own folder, \
                    a / at the end for folders only.";

fn comment(line: &str) -> bool {
    line.starts_with('#') || line.starts_with(';')
}

impl Pattern {
    fn parse(line: &str) -> Result<Pattern, String> {
        let hard = ["[", "\\", "***"].into_iter().find(|what| line.contains(what));
        if let Some(hard) = hard {
            return Err(format!("{line:?}: {hard} is not understood"));
        }
        if line.starts_with(['!', '+', '-', ':', '.']) && line.get(1..2) == Some(" ") || line.starts_with('!') {
            return Err(format!("{line:?}: everything is left out by a pattern of its own; nothing is taken in again"));
        }
        let (rest, anchored) = line.strip_prefix('/').map_or((line, false), |rest| (rest, true));
        let (glob, folders_only) = rest.strip_suffix('/').map_or((rest, false), |rest| (rest, true));
        if glob.is_empty() || glob.starts_with('/') || glob.ends_with('/') {
            return Err(format!("{line:?} names nothing"));
        }
        Ok(Pattern { line: line.into(), glob: glob.into(), anchored, folders_only })
    }

    /// rsync's rules of what a pattern is held against (its manual, "pattern matching rules").
    fn fits(&self, path: &[u8]) -> bool {
        let glob = self.glob.as_slice();
        let slashes = glob.iter().filter(|byte| **byte == b'/').count();
        let deep = glob.windows(2).any(|two| two == b"**");
        let starts = || (0..path.len()).filter(|at| *at == 0 || path.get(at - 1) == Some(&b'/'));
        let rest = |at: usize| path.get(at..).unwrap_or_default();
        if self.anchored {
            matches(glob, path)
        } else if glob.starts_with(b"**") {
            matches(glob, &[b"/", path].concat())
        } else if deep {
            starts().any(|at| matches(glob, rest(at)))
        } else {
            // As many parts as the pattern has, from the end.
            let tail = |at: &usize| rest(*at).iter().filter(|byte| **byte == b'/').count() == slashes;
            starts().find(tail).is_some_and(|at| matches(glob, rest(at)))
        }
    }
}

/// `*` stands for anything but a slash, `?` for one such byte, `**` for anything.
fn matches(glob: &[u8], text: &[u8]) -> bool {
    match glob {
        [] => text.is_empty(),
        [b'*', b'*', rest @ ..] => (0..=text.len()).any(|at| matches(rest, text.get(at..).unwrap_or_default())),
        [b'*', rest @ ..] => {
            let most = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
            (0..=most).any(|at| matches(rest, text.get(at..).unwrap_or_default()))
        }
        [b'?', rest @ ..] => text.split_first().is_some_and(|(first, more)| *first != b'/' && matches(rest, more)),
        [one, rest @ ..] => text.split_first().is_some_and(|(first, more)| first == one && matches(rest, more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, path: &str) -> bool {
        Pattern::parse(pattern).unwrap().fits(path.as_bytes())
    }

    #[test]
    fn patterns_fit_as_rsync_s_do() {
        let cases = [
            ("target", "target", true),
            ("target", "a/b/target", true),
            ("target", "targets", false),
            ("/target", "a/target", false),
            ("*.pyc", "a/x.pyc", true),
            ("a/*.py", "a/x.py", true),
            ("a/*.py", "z/a/x.py", true),
            ("/a/*.py", "z/a/x.py", false),
            ("a/*.py", "a/b/x.py", false),
            ("a/**.py", "z/a/b/x.py", true),
            ("**/x", "x", true),
            ("**/x", "a/b/x", true),
            ("a/**", "a/b/c", true),
            ("a/**", "a", false),
            (".*_cache", ".ruff_cache", true),
            ("?.txt", "a.txt", true),
            ("?.txt", "ab.txt", false),
            ("*", "a b\nc", true),
        ];
        for (pattern, path, want) in cases {
            assert_eq!(fits(pattern, path), want, "{pattern} {path}");
        }
    }

    #[test]
    fn a_slash_at_the_end_means_folders() {
        let patterns = Patterns::parse("docs/\n\n# no\n;no\n").unwrap();
        assert!(patterns.leave_out(b"a/docs", true) && !patterns.leave_out(b"a/docs", false));
        assert_eq!(patterns.lines().count(), BUILT_IN.len() + 1);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for bad in ["!x", "+ x", "- x", "[ab]", "a\\*", "/", "a/***", "//"] {
            assert!(Patterns::parse(&format!("ok\n{bad}")).unwrap_err().starts_with("line 2: "), "{bad}");
        }
    }
}
