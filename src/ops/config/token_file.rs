//! The file with the token: nobody else can read it, and it lies neither beside the app nor in a repository.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::domain::secret::Secret;
use crate::ops::outcome::Problem;

/// Its first line.
pub fn read_token(path: &Path, app: &Path, project: &Path) -> Result<Secret, Problem> {
    let wrong = |why: &str, todo: String| {
        Problem::usage(format!("the token file {} is not used (OPS_TOKEN_FILE)", path.display()), why, todo)
    };
    let about = fs::metadata(path).map_err(|error| {
        let todo = "Make a long-lived access token on your profile page in Home Assistant and put it there.";
        wrong(&error.to_string(), todo.into())
    })?;
    if !about.is_file() {
        return Err(wrong("it is no regular file", String::new()));
    }
    let real = fs::canonicalize(path).map_err(|error| wrong(&error.to_string(), String::new()))?;
    let within = |folder: &Path| fs::canonicalize(folder).is_ok_and(|folder| real.starts_with(folder));
    let elsewhere = "Move it, to ~/.config for example, and make a new token if this one was ever copied.";
    if within(app) || within(project) {
        return Err(wrong(
            "it lies inside the tree, whose files get into backups, builds and repositories",
            elsewhere.into(),
        ));
    }
    if real.ancestors().skip(1).any(|folder| folder.join(".git").symlink_metadata().is_ok()) {
        return Err(wrong("it lies in a git repository", elsewhere.into()));
    }
    if about.permissions().mode() & 0o077 != 0 {
        return Err(wrong("others can read it", format!("Run: chmod 600 {}", path.display())));
    }
    let text = fs::read_to_string(path).map_err(|error| wrong(&error.to_string(), String::new()))?;
    let token = text.lines().next().map(str::trim).unwrap_or_default();
    // It becomes a header: what is no visible character does not belong to it.
    match token {
        "" => Err(wrong("its first line is empty", String::new())),
        token if token.chars().all(|c| c.is_ascii_graphic()) => Ok(Secret::new(token)),
        _ => Err(wrong("its first line is no token: it has spaces or other characters in it", String::new())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &Path, text: &str, mode: u32) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn every_way_in_which_it_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let of = |name: &str| dir.path().join(name);
        for folder in ["app", "repository/.git", "outside"] {
            fs::create_dir_all(of(folder)).unwrap();
        }
        file(&of("app/token"), "hush", 0o600);
        file(&of("repository/token"), "hush", 0o600);
        file(&of("outside/open"), "hush", 0o640);
        file(&of("outside/empty"), "\nhush", 0o600);
        file(&of("outside/spaces"), "hush hush", 0o600);
        file(&of("outside/good"), " hush \r\nmore", 0o600);
        std::os::unix::fs::symlink(of("app/token"), of("outside/link")).unwrap();
        let read = |name: &str| read_token(&of(name), &of("app"), &of("app"));
        let cases = [
            ("app/token", "inside the tree"),
            ("outside/link", "inside the tree"),
            ("repository/token", "git repository"),
            ("outside/open", "others can read it"),
            ("outside/empty", "empty"),
            ("outside/spaces", "no token"),
            ("outside/none", "No such file"),
            ("outside", "no regular file"),
        ];
        for (name, why) in cases {
            let problem = read(name).unwrap_err();
            assert!(problem.why.contains(why) && problem.kind.code() == 2, "{name}: {problem}");
            assert!(!problem.to_string().contains("hush"));
        }
        assert_eq!(read("outside/good").unwrap().reveal(), "hush");
    }
}
