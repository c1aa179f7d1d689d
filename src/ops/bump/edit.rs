//! Text in, text out: a version instead of another one, and nothing else. None: it does not stand there.

/// In the first line that is a version's: `version: 1.2.3`, `version = "1.2.3"`, `"version": "1.2.3",`.
pub fn first_version(text: &str, old: &str, new: &str) -> Option<String> {
    let mut done = false;
    let changed: String = text
        .split_inclusive('\n')
        .map(|line| match is_version(line, old) && !done {
            true => {
                done = true;
                line.replacen(old, new, 1)
            }
            false => line.to_owned(),
        })
        .collect();
    done.then_some(changed)
}

fn is_version(line: &str, old: &str) -> bool {
    let rest = line.trim_start().trim_start_matches(['"', '\'']);
    let Some(rest) = rest.strip_prefix("version") else { return false };
    let rest = rest.trim_start_matches(['"', '\'']).trim_start();
    let Some(value) = rest.strip_prefix([':', '=']) else { return false };
    let value = value.split(" #").next().unwrap_or_default();
    value.trim().trim_end_matches(',').trim_matches(['"', '\'']) == old
}

/// Whole versions in lines that speak of one: `ARG BUILD_VERSION=1.2.3`, `io.hass.version="1.2.3"`. A base image's tag that
/// happens to be the same is none.
pub fn dockerfile(text: &str, old: &str, new: &str) -> Option<String> {
    let speaks =
        |line: &str| line.to_lowercase().contains("version") && !line.trim_start().to_uppercase().starts_with("FROM");
    let line = |line: &str| if speaks(line) { whole(line, old, new) } else { line.to_owned() };
    Some(text.split_inclusive('\n').map(line).collect())
}

/// Each `old` that is not part of a longer version or word.
fn whole(line: &str, old: &str, new: &str) -> String {
    let inside = |c: char| c.is_ascii_alphanumeric() || ".-+_".contains(c);
    let (mut out, mut rest) = (String::new(), line);
    while let Some((before, after)) = rest.split_once(old) {
        // `v1.2.3` is a version as well; `rev1.2.3` is none.
        let before_it = before.strip_suffix('v').unwrap_or(before);
        let free = !before_it.ends_with(inside) && !after.starts_with(inside);
        out.push_str(before);
        out.push_str(if free { new } else { old });
        rest = after;
    }
    out + rest
}

/// A heading for the new version: what stands under "Unreleased" becomes its, else it stands before the newest one, in the
/// same form.
pub fn changelog(text: &str, old: &str, new: &str, today: &str) -> Option<String> {
    let heading = |line: &&str| line.starts_with('#');
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.iter().filter(|line| heading(line)).any(|line| whole(line, new, "") != **line) {
        return Some(text.into());
    }
    let of_old = lines.iter().position(|line| heading(line) && whole(line, old, new) != *line);
    let form = of_old.and_then(|at| lines.get(at)).map_or("## 0\n", |line| *line);
    let line = if of_old.is_some() { whole(form, old, new) } else { format!("## {new}\n") };
    let line = dated(line.trim_end(), today);
    let open = lines.iter().position(|line| heading(line) && line.to_lowercase().contains("unreleased"));
    let (at, new_lines) = match (open, of_old) {
        (Some(at), _) => (at + 1, format!("\n{line}\n")),
        (None, Some(at)) => (at, format!("{line}\n\n")),
        (None, None) => {
            let title = lines.iter().position(|line| line.starts_with("# ")).map_or(0, |at| at + 1);
            (title, format!("\n{line}\n\n"))
        }
    };
    let (before, after) = lines.split_at(at.min(lines.len()));
    Some(format!("{}{new_lines}{}", before.concat(), after.concat()))
}

/// With today's date, if the form has one.
fn dated(line: &str, today: &str) -> String {
    let date = |word: &str| {
        let word: Vec<&str> = word.split('-').collect();
        word.len() == 3
            && word
                .iter()
                .zip([4, 2, 2])
                .all(|(part, long)| part.len() == long && part.bytes().all(|b| b.is_ascii_digit()))
    };
    let word = |word: &str| {
        let bare = word.trim_matches(['(', ')', '[', ']']);
        if date(bare) { word.replace(bare, today) } else { word.to_owned() }
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// The name of the package of a `Cargo.toml`.
pub fn package(text: &str) -> Option<String> {
    let name = text.lines().find_map(|line| line.strip_prefix("name = "))?;
    Some(name.trim().trim_matches('"').to_owned())
}

/// `Cargo.lock`: the version of `package` alone.
pub fn lock(text: &str, package: &str, old: &str, new: &str) -> Option<String> {
    let entry = |version: &str| format!("name = \"{package}\"\nversion = \"{version}\"\n");
    text.contains(&entry(old)).then(|| text.replacen(&entry(old), &entry(new), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_version_changes() {
        let text = "# 1.2.3\r\nname: x\r\nversion: \"1.2.3\"  # keep 1.2.3\r\nurl: https://x/1.2.3\r\n";
        let want = "# 1.2.3\r\nname: x\r\nversion: \"1.3.0\"  # keep 1.2.3\r\nurl: https://x/1.2.3\r\n";
        assert_eq!(first_version(text, "1.2.3", "1.3.0").as_deref(), Some(want));
        for (line, want) in [
            ("version: 1.2.3\n", "version: 1.3.0\n"),
            ("version = '1.2.3'\n", "version = '1.3.0'\n"),
            ("  \"version\": \"1.2.3\",\n", "  \"version\": \"1.3.0\",\n"),
        ] {
            assert_eq!(first_version(line, "1.2.3", "1.3.0").as_deref(), Some(want));
        }
        for line in ["version: 11.2.3\n", "rust-version = \"1.2.3\"\n", "versions: 1.2.3\n", "version: 1.2.3-rc\n"] {
            assert_eq!(first_version(line, "1.2.3", "1.3.0"), None, "{line}");
        }
    }

    #[test]
    fn a_dockerfile_s_versions() {
        let text = "FROM base:1.2.3 AS version\nARG BUILD_VERSION=1.2.3\nLABEL io.hass.version=\"1.2.3\" x.version=\"1.2.34\"\nRUN fetch 1.2.3\n";
        let want = "FROM base:1.2.3 AS version\nARG BUILD_VERSION=1.3.0\nLABEL io.hass.version=\"1.3.0\" x.version=\"1.2.34\"\nRUN fetch 1.2.3\n";
        assert_eq!(dockerfile(text, "1.2.3", "1.3.0").as_deref(), Some(want));
    }

    #[test]
    fn a_changelog_keeps_its_form() {
        let log = |text: &str| changelog(text, "1.2.3", "1.3.0", "2026-09-01").unwrap();
        assert_eq!(
            log("# News\n\n## [1.2.3] - 2026-01-02\n\n- a\n"),
            "# News\n\n## [1.3.0] - 2026-09-01\n\n## [1.2.3] - 2026-01-02\n\n- a\n"
        );
        assert_eq!(
            log("# News\n\n## Unreleased\n\n- b\n\n## v1.2.3\n"),
            "# News\n\n## Unreleased\n\n## v1.3.0\n\n- b\n\n## v1.2.3\n"
        );
        assert_eq!(log("## 1.3.0\n\n- b\n"), "## 1.3.0\n\n- b\n");
        assert_eq!(log("# News\n"), "# News\n\n## 1.3.0\n\n");
        assert_eq!(log("## 1.2.3\n- a\n"), "## 1.3.0\n\n## 1.2.3\n- a\n");
    }

    #[test]
    fn a_lock_file_s_own_package() {
        let text = "name = \"a\"\nversion = \"1.2.3\"\n\nname = \"me\"\nversion = \"1.2.3\"\n";
        let want = "name = \"a\"\nversion = \"1.2.3\"\n\nname = \"me\"\nversion = \"1.3.0\"\n";
        assert_eq!(lock(text, "me", "1.2.3", "1.3.0").as_deref(), Some(want));
        assert_eq!(package("[package]\nname = \"me\"\n").as_deref(), Some("me"));
    }
}
