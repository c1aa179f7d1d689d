//! Lane 1: rules that the tree keeps, then the project's own tests. What the Supervisor would refuse, ignore or stumble
//! over is said here, before anything on the host is touched.

pub mod config;
mod docker;
mod gate;
mod layout;
mod options;
mod papers;
mod scripts;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use serde_json::Value;

use super::Mode;
use super::bench::{Bench, Reach};
use super::config::Invariant;
use super::outcome::{Ended, Finish, Kind, Problem};
use super::token::Token;
use super::tree::Tree;

/// What the rules look at.
pub struct Seen<'a> {
    pub tree: &'a Tree,
    pub config: &'a Value,
    /// The name of the configuration's file.
    pub file: &'a str,
    pub mode: Mode,
    pub version: &'a str,
    /// What the published version is tagged with, where a tag stands on this commit already.
    pub tag: Option<&'a str>,
    pub invariants: &'a [Invariant],
    /// Repositories below the app's folder.
    pub nested: &'a [PathBuf],
}

/// What a rule finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    Wrong(String),
    /// Worth knowing, no reason to stop.
    Note(String),
}

impl Finding {
    fn wrong(what: impl Into<String>) -> Finding {
        Finding::Wrong(what.into())
    }

    fn note(what: impl Into<String>) -> Finding {
        Finding::Note(what.into())
    }
}

/// Complaints where the rules do not hold.
fn wrongs<T: Into<String>>(rules: impl IntoIterator<Item = (bool, T)>) -> Vec<Finding> {
    rules.into_iter().filter(|(fine, _)| !fine).map(|(_, what)| Finding::wrong(what)).collect()
}

type Rule = fn(&Seen<'_>) -> Vec<Finding>;

const RULES: [(&str, Rule); 17] = [
    ("configuration", config::keys),
    ("values", config::values),
    ("mode", config::mode),
    ("options", options::options),
    ("translations", options::translations),
    ("Dockerfile", docker::dockerfile),
    ("copied files", docker::copies),
    ("packages", docker::packages),
    ("build file", docker::build_file),
    ("scripts", scripts::services),
    ("line ends", scripts::line_ends),
    ("one app", layout::one_app),
    ("no repository inside", layout::nested),
    ("files", layout::sendable),
    ("pictures", papers::pictures),
    ("changelog", papers::changelog),
    ("AppArmor", papers::profile),
];

/// `tests`: also the commands of `[check] run`.
pub fn run(bench: &mut Bench<'_>, mode: Mode, tests: bool) -> Ended {
    bench.lane("check", Reach::Here, |bench| {
        let tree = match mode {
            Mode::Publish if bench.project.publish.is_set() => super::publish::tree(bench)?,
            _ => Tree::sent(&bench.app.folder)?,
        };
        rules(bench, &tree, mode)?;
        bench.token(Token::StructureOk)?;
        if tests {
            gate::tests(bench)?;
        }
        Ok(Finish::Done)
    })
}

/// The rules alone, on `tree`.
pub fn rules(bench: &mut Bench<'_>, tree: &Tree, mode: Mode) -> Result<(), Problem> {
    bench.tree(&tree.digest()?);
    let file = bench.app.file;
    let text =
        tree.text(file).ok_or_else(|| Problem::usage(format!("{file} is not sent"), "a pattern leaves it out", ""))?;
    let config =
        super::yaml::read(&text).map_err(|why| Problem::new(Kind::SaidNo, format!("{file} is no YAML"), why, ""))?;
    let tag = if mode == Mode::Publish { super::publish::tag_here(bench)? } else { None };
    let nested = layout::repositories(&bench.app.folder, &bench.app.project);
    let seen = Seen {
        tree,
        config: &config,
        file,
        mode,
        version: &bench.app.version,
        tag: tag.as_deref(),
        invariants: &bench.project.invariant,
        nested: &nested,
    };
    let found = look(&seen);
    let mut wrong = Vec::new();
    for (rule, finding) in found {
        match finding {
            Finding::Wrong(what) => {
                bench.note(rule, format!("wrong: {what}"));
                wrong.push(format!("{rule}: {what}"));
            }
            Finding::Note(what) => bench.note(rule, what),
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let what = format!("{} of the app's rules do not hold", wrong.len());
    Err(Problem::new(Kind::SaidNo, what, wrong.join("\n"), "Mend these; docs/deploy.md says why each is there."))
}

/// Every rule, and the invariants of `ops.toml`.
fn look(seen: &Seen<'_>) -> Vec<(&'static str, Finding)> {
    let all = RULES.into_iter().chain([("invariants", papers::invariants as Rule)]);
    all.flat_map(|(name, rule)| rule(seen).into_iter().map(move |finding| (name, finding))).collect()
}
