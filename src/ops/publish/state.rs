//! What is published now, and whether ours may follow it.

use super::{TRAILER, Way};
use crate::ops::bench::Bench;
use crate::ops::outcome::{Kind, Problem};
use crate::ops::version::Version;
use crate::ops::yaml;

#[derive(Debug, Clone)]
pub struct State {
    /// The commit of the branch; none where there is no branch.
    pub tip: Option<String>,
    /// What the tag of our version stands on.
    pub tag: Option<String>,
    /// The tree of `tip`.
    tree: Option<String>,
}

impl State {
    /// Asks the remote. The commit is brought here, to be compared with; not in a dry run.
    pub fn look(bench: &mut Bench<'_>, way: &Way) -> Result<State, Problem> {
        let peeled = format!("{}^{{}}", way.tag);
        let names = way.git.remote(bench, &way.remote, &[&way.full, &way.tag, &peeled])?;
        let find = |wanted: &str| names.iter().find(|(_, name)| name == wanted).map(|(object, _)| object.clone());
        // A tag with a message is an object of its own; what it stands on is what counts.
        let (tip, tag) = (find(&way.full), find(&peeled).or_else(|| find(&way.tag)));
        let mut tree = None;
        if let Some(tip) = tip.as_ref().filter(|_| !bench.asked.dry_run) {
            if way.git.object(bench, tip)?.is_none() {
                let words = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", &way.remote, &way.full];
                way.git.must(bench, &way.git.write("fetch what is published", words))?;
            }
            let words = ["rev-parse", "--verify", "--end-of-options", &format!("{tip}^{{tree}}")];
            tree = Some(way.git.must(bench, &way.git.look("what does it hold", words))?.output.trim().to_owned());
        }
        Ok(State { tip, tag, tree })
    }

    pub fn has_tree(&self, wanted: &str) -> bool {
        self.tree.as_deref() == Some(wanted)
    }

    /// Ours is published already, and tagged.
    pub fn is_there(&self, bench: &mut Bench<'_>, way: &Way, wanted: &str) -> Result<bool, Problem> {
        if !self.has_tree(wanted) || self.tag.is_none() {
            return Ok(false);
        }
        if !bench.project.publish.tag_source {
            return Ok(self.tag == self.tip);
        }
        let (Some(tag), Some(tip)) = (&self.tag, &self.tip) else { return Ok(false) };
        Ok(self.source(bench, way, tip)?.as_ref() == Some(tag))
    }

    /// Refused: somebody else's branch, a version that is not higher, a tag that exists.
    pub fn may_follow(&self, bench: &mut Bench<'_>, way: &Way, wanted: &str) -> Result<(), Problem> {
        let head = way.git.object(bench, "HEAD")?;
        // A CI that the tag has started publishes what the tag stands on.
        let on_head = |tag: &Option<String>| bench.project.publish.tag_source && *tag == head;
        if let Some(tag) = self.tag.as_ref().filter(|_| !on_head(&self.tag)) {
            let why = format!("{} stands on {tag} at {}, and what we have is something else", way.tag, way.remote);
            let todo = "Raise the version (ops bump): what was published under a tag stays what it is.";
            return Err(Problem::new(Kind::Refused, format!("{} was published before", bench.app.version), why, todo));
        }
        let here = way.git.object(bench, &way.tag)?;
        if here.is_some() && !(bench.project.publish.tag_source && here == head) {
            let why = format!("{} exists here and not at {}", way.tag, way.remote);
            return Err(Problem::new(Kind::Refused, "the tag is taken", why, "Remove it, or raise the version."));
        }
        let Some(tip) = &self.tip else { return Ok(()) };
        self.is_ours(bench, way, tip)?;
        if self.has_tree(wanted) { Ok(()) } else { self.is_higher(bench, way, tip) }
    }

    /// The commit that a published one was made of.
    fn source(&self, bench: &mut Bench<'_>, way: &Way, tip: &str) -> Result<Option<String>, Problem> {
        let format = format!("--format=%(trailers:key={TRAILER},valueonly)");
        let words = ["log", "-1", &format, "--end-of-options", tip];
        let ran = way.git.must(bench, &way.git.look("what was it published from", words))?;
        let source = ran.output.trim().to_owned();
        let is_hash = source.len() >= 40 && source.chars().all(|c| c.is_ascii_hexdigit());
        Ok(is_hash.then_some(source))
    }

    /// What we published last, or what was published from a commit that is in our history (from another clone, by CI).
    fn is_ours(&self, bench: &mut Bench<'_>, way: &Way, tip: &str) -> Result<(), Problem> {
        if way.git.object(bench, &way.note)?.as_deref() == Some(tip) {
            return Ok(());
        }
        if let Some(source) = self.source(bench, way, tip)? {
            let words = ["merge-base", "--is-ancestor", &source, "HEAD"];
            if bench.run(&way.git.look("is it of our history", words))?.ok() {
                return Ok(());
            }
        }
        let what = format!("{} of {} moved on", way.branch, way.remote);
        let why = format!("its newest commit, {tip}, was not published from here");
        let todo = format!(
            "Look at it: git log {tip}. If it may be built upon, say so: git update-ref {} {tip}, and publish again.",
            way.note
        );
        Err(Problem::new(Kind::Refused, what, why, todo))
    }

    /// Home Assistant offers an update only to a higher version.
    fn is_higher(&self, bench: &mut Bench<'_>, way: &Way, tip: &str) -> Result<(), Problem> {
        let file = bench.app.file;
        let ran = bench.run(&way.git.look("which version is published", ["show", &format!("{tip}:{file}")]))?;
        let config = yaml::read(&ran.output).ok();
        let there = config.and_then(|config| config.get("version")?.as_str()?.parse::<Version>().ok());
        let ours: Option<Version> = bench.app.version.parse().ok();
        let (Some(there), Some(ours)) = (there, ours) else { return Ok(()) };
        if ours > there {
            return Ok(());
        }
        let why = if ours == there {
            format!("{there} is published, with other content")
        } else {
            format!("{there} is published, which is higher than {ours}")
        };
        Err(Problem::new(Kind::Refused, "nobody would get it", why, "Raise the version: ops bump."))
    }
}
