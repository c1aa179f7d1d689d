//! The app's folder where the Supervisor reads it: on a mounted share, or on the host by SSH and rsync.

mod aside;
mod look;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use look::{Built, Look};

use super::script::{self, Told};
use super::ssh::Ssh;
use crate::ops::bench::Bench;
use crate::ops::outcome::{Kind, Problem};
use crate::ops::program::{Call, Ran};
use crate::ops::sync::changes::{self, Change};

/// Where the SSH apps mount the folder of local apps, by the app's own `map`.
const BASES: [&str; 2] = ["/addons", "/local_apps"];
const COPY_LIMIT: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone)]
pub enum Files {
    Share(PathBuf),
    Host(Ssh, String),
}

/// The folder of the app on the host: the one that has its slug already, else one below the folder of local apps.
pub fn find(ssh: &Ssh, bench: &mut Bench<'_>) -> Result<String, Problem> {
    let ran = ssh.script(bench, "find the folder of local apps", false, &script::find(&BASES))?;
    chosen(&script::read(&ran.output), &bench.app.slug)
}

fn chosen(told: &Told, slug: &str) -> Result<String, Problem> {
    let Some(base) = told.values.get("base") else {
        let why = format!("neither {} nor {} is there", BASES[0], BASES[1]);
        let todo =
            "Is OPS_HOST the SSH app of Home Assistant? Its own configuration maps that folder; or say OPS_PATH.";
        return Err(Problem::new(Kind::Refused, "the host has no folder of local apps", why, todo));
    };
    let ours: Vec<&String> = told.apps.iter().filter(|(_, theirs)| theirs == slug).map(|(folder, _)| folder).collect();
    match ours.as_slice() {
        [] => Ok(format!("{base}/{slug}")),
        [one] => Ok((*one).clone()),
        several => {
            let why = several.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", ");
            let todo = "Remove all but one of them, or say which with OPS_PATH.";
            Err(Problem::new(Kind::Refused, format!("{slug} lies in several folders"), why, todo))
        }
    }
}

impl Files {
    pub fn shown(&self) -> String {
        match self {
            Files::Share(path) => path.display().to_string(),
            Files::Host(ssh, path) => format!("{}:{path}", ssh.host),
        }
    }

    pub fn path(&self) -> String {
        match self {
            Files::Share(path) => path.display().to_string(),
            Files::Host(_, path) => path.clone(),
        }
    }

    /// Looks, and changes nothing.
    pub fn look(&self, bench: &mut Bench<'_>) -> Result<Look, Problem> {
        let slug = bench.app.slug.clone();
        match self {
            Files::Share(path) => {
                look::is_mounted(path, &bench.app.folder)?;
                let look = look::look_here(path, &slug);
                bench.note("look at the share", format!("{}: {:?}", path.display(), look.seen.kind).to_lowercase());
                Ok(look)
            }
            Files::Host(ssh, path) => {
                let what = "look at the app's folder";
                let ran = ssh.script(bench, what, false, &script::look(path, &slug))?;
                if !ran.ok() {
                    return Err(Problem::new(Kind::Refused, format!("{what} failed"), ran.said(6), ""));
                }
                Ok(look::look_told(&script::read(&ran.output), path, &slug))
            }
        }
    }

    /// Makes it equal to `stage`, or says what that would change.
    pub fn send(&self, bench: &mut Bench<'_>, stage: &Path, dry: bool) -> Result<Vec<Change>, Problem> {
        let what = if dry { "compare with rsync" } else { "copy with rsync" };
        let mut words: Vec<String> = own(&[
            "-rlt",
            "--checksum",
            "--delete-delay",
            "--delay-updates",
            "--omit-dir-times",
            "--itemize-changes",
            "--timeout=60",
        ]);
        words.extend(dry.then(|| "--dry-run".to_string()));
        if let Files::Host(ssh, _) = self {
            // Shares have one mode for all files.
            words.extend(own(&["--executability", "--protect-args", "-e"]));
            words.push(ssh.as_transport());
        }
        words.extend([format!("{}/", stage.display()), format!("{}/", self.shown())]);
        let call = if dry { Call::look(what, "rsync", words) } else { Call::write(what, "rsync", words) };
        let ran = bench.run(&call.limit(COPY_LIMIT))?;
        if ran.ok() { Ok(changes::read(&ran.output)) } else { Err(self.not_sent(what, &ran)) }
    }

    /// Why rsync failed, in our words.
    fn not_sent(&self, what: &str, ran: &Ran) -> Problem {
        let said = ran.said(8);
        let problem = |kind, name: &str, todo: &str| Problem::new(kind, format!("{what}: {name}"), said.clone(), todo);
        let has = |words: &str| said.contains(words);
        if has("No space left") {
            return problem(
                Kind::Refused,
                "no room is left there",
                "Make room there; what was complete before still is.",
            );
        }
        if has("Read-only file system") || has("Permission denied (13)") {
            return problem(
                Kind::Refused,
                "it may not be written",
                "Mount it for writing, or as a user who may write.",
            );
        }
        if has("rsync: not found") || has("rsync: command not found") || ran.code == 127 {
            return problem(
                Kind::Refused,
                "the host has no rsync",
                "Install rsync in the SSH app (its option for packages).",
            );
        }
        let again = "The host's folder may be incomplete: files come to their places at the end. Run it again.";
        match self {
            Files::Host(ssh, _)
                if said.contains("Host key verification") || said.contains("Permission denied (publickey") =>
            {
                ssh.why_lost(what, ran)
            }
            _ if [10, 12, 20, 30, 35, 255].contains(&ran.code) => {
                problem(Kind::Unreachable, "the connection was lost", again)
            }
            _ => problem(Kind::Refused, &format!("rsync ended with {}", ran.code), again),
        }
    }
}

fn own(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Told {
        script::read(text)
    }

    #[test]
    fn the_folder_that_is_there_is_kept() {
        let path = |text: &str| chosen(&told(text), "x");
        assert_eq!(path("base=/addons\n").unwrap(), "/addons/x");
        assert_eq!(path("base=/local_apps\napp=/local_apps/local/mine\tslug: x\n").unwrap(), "/local_apps/local/mine");
        assert_eq!(path("base=/addons\napp=/addons/y\tslug: y\n").unwrap(), "/addons/x");
        let several = path("base=/addons\napp=/addons/a\tslug: x\napp=/addons/b\tslug: \"x\"\n");
        assert!(several.unwrap_err().why.contains("/addons/a, /addons/b"));
        assert!(path("").unwrap_err().why.contains("/local_apps"));
    }
}
