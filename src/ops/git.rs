//! What is asked of git. It never asks back: where it would want a password or a word about a host key, it fails.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::bench::Bench;
use super::outcome::{Kind, Problem};
use super::program::{Call, Ran};

/// Until a remote has answered.
const REMOTE: Duration = Duration::from_secs(120);

/// A repository.
#[derive(Debug, Clone)]
pub struct Git {
    /// A folder of its work tree.
    folder: PathBuf,
}

impl Git {
    /// None where no folder from `folder` upwards is a repository.
    pub fn of(folder: &Path) -> Option<Git> {
        let is = |folder: &&Path| folder.join(".git").symlink_metadata().is_ok();
        folder.ancestors().find(is).map(|_| Git { folder: folder.to_owned() })
    }

    pub fn look<A: Into<OsString>>(&self, what: &str, words: impl IntoIterator<Item = A>) -> Call {
        self.quiet(Call::look(what, "git", words))
    }

    pub fn write<A: Into<OsString>>(&self, what: &str, words: impl IntoIterator<Item = A>) -> Call {
        self.quiet(Call::write(what, "git", words))
    }

    fn quiet(&self, call: Call) -> Call {
        let call = call.within(&self.folder).limit(REMOTE).set("LC_ALL", "C").set("GIT_TERMINAL_PROMPT", "0");
        call.set("SSH_ASKPASS_REQUIRE", "force").set("SSH_ASKPASS", "false").set("GIT_OPTIONAL_LOCKS", "0")
    }

    /// Runs one that has to succeed.
    pub fn must(&self, bench: &mut Bench<'_>, call: &Call) -> Result<Ran, Problem> {
        let ran = bench.run(call)?;
        if ran.ok() {
            return Ok(ran);
        }
        Err(Problem::usage(format!("git failed: {}", call.what), ran.said(6), format!("It was: {}", call.shown())))
    }

    /// The object that a name stands for; tags are followed to their commits.
    pub fn object(&self, bench: &mut Bench<'_>, name: &str) -> Result<Option<String>, Problem> {
        let name = format!("{name}^{{commit}}");
        let ran =
            bench.run(&self.look("look up a name", ["rev-parse", "--quiet", "--verify", "--end-of-options", &name]))?;
        Ok(ran.ok().then(|| ran.output.trim().to_owned()))
    }

    /// What a remote's names stand for, as pairs of object and full name.
    pub fn remote(
        &self,
        bench: &mut Bench<'_>,
        remote: &str,
        names: &[&str],
    ) -> Result<Vec<(String, String)>, Problem> {
        let words = ["ls-remote", "--", remote].into_iter().chain(names.iter().copied());
        let ran = bench.run(&self.look("look at what is published", words))?;
        if !ran.ok() {
            let todo = "Try it yourself: git ls-remote, with the remote of [publish] in ops.toml.";
            return Err(Problem::new(Kind::Unreachable, format!("{remote} does not answer"), ran.said(6), todo));
        }
        let pair = |line: &str| line.split_once('\t').map(|(object, name)| (object.to_owned(), name.to_owned()));
        Ok(ran.output.lines().filter_map(pair).collect())
    }

    /// Changes that are not committed, but for the receipts' folder.
    pub fn changes(&self, bench: &mut Bench<'_>) -> Result<Vec<String>, Problem> {
        let words = ["status", "--porcelain", "-z", "--", ":/", ":(exclude,top)reports/ops", ":(exclude)reports/ops"];
        let ran = self.must(bench, &self.look("is everything committed", words))?;
        Ok(ran.output.split('\0').filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    /// Refused where anything is not committed.
    pub fn clean(&self, bench: &mut Bench<'_>) -> Result<(), Problem> {
        let changes = self.changes(bench)?;
        let shown: Vec<String> = changes.iter().take(8).map(|line| format!("{line:?}")).collect();
        match changes.len() {
            0 => Ok(()),
            n => {
                let why = format!("{n} changes are not committed: {}", shown.join(", "));
                let todo = "Commit them or put them away: what is published has to be a commit.";
                Err(Problem::new(Kind::SaidNo, "the tree is not clean", why, todo))
            }
        }
    }
}

/// The tag of a version: `v1.2.3`.
pub fn tag_name(bench: &Bench<'_>, version: &str) -> String {
    format!("{}{version}", bench.project.publish.tag.as_deref().unwrap_or("v"))
}
