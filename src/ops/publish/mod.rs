//! Lane 4: the app's folder as a commit on its published branch, with the version as its tag.
//!
//! The commit has the published one before it as its parent, and holds what [`tree`] says. It is pushed only onto what was
//! looked at (a lease), branch and tag together or neither; a branch that somebody else moved is left alone.

mod image;
mod state;
mod tree;

use super::Mode;
use super::bench::{Bench, Reach};
use super::check;
use super::git::{Git, tag_name};
use super::outcome::{Ended, Finish, Kind, Problem};
use super::program::Ran;
use super::token::Token;

pub use state::State;
pub use tree::{tag_here, tree};

/// Where to.
#[derive(Debug, Clone)]
pub struct Way {
    pub git: Git,
    pub remote: String,
    pub branch: String,
    /// `refs/heads/…`
    pub full: String,
    /// Full name of the tag of our version.
    pub tag: String,
    /// Our own note of what was published last.
    pub note: String,
}

/// The trailer that says which commit was published.
pub const TRAILER: &str = "Published-From";

pub fn run(bench: &mut Bench<'_>) -> Ended {
    bench.lane("publish", Reach::Here, |bench| {
        let way = Way::of(bench)?;
        way.git.clean(bench)?;
        let tree = tree(bench)?;
        check::rules(bench, &tree, Mode::Publish)?;
        let state = State::look(bench, &way)?;
        let Some(wanted) = tree::write(bench, &way, &tree)? else {
            bench.say(&format!("would push {} to {} of {}", bench.app.version, way.branch, way.remote));
            return Ok(Finish::Done);
        };
        if state.is_there(bench, &way, &wanted)? {
            bench.note("published", format!("{} is there already", bench.app.version));
            bench.token(Token::SubtreePublishOk)?;
            return Ok(Finish::Unchanged);
        }
        state.may_follow(bench, &way, &wanted)?;
        image::check(bench, &tree)?;
        let question = format!("Push version {} to {} of {}?", bench.app.version, way.branch, way.remote);
        bench.confirm(&question)?;
        push(bench, &way, &state, &wanted)?;
        bench.token(Token::SubtreePublishOk)?;
        Ok(Finish::Done)
    })
}

impl Way {
    pub fn of(bench: &mut Bench<'_>) -> Result<Way, Problem> {
        let publish = bench.project.publish.clone();
        let todo = "In ops.toml: [publish] remote = \"origin\", branch = \"release\".";
        let (Some(remote), Some(branch)) = (publish.remote, publish.branch) else {
            return Err(Problem::usage("nothing says where to publish", "[publish] names no remote and branch", todo));
        };
        let Some(git) = Git::of(&bench.app.project) else {
            return Err(Problem::usage("nothing can be published", "the project is in no git repository", ""));
        };
        if remote.starts_with('-') || remote.is_empty() {
            return Err(Problem::usage(format!("{remote:?} is no remote"), "[publish] in ops.toml", todo));
        }
        let full = format!("refs/heads/{branch}");
        let tag = format!("refs/tags/{}", tag_name(bench, &bench.app.version));
        let note = format!("refs/ops/{}/{branch}", bench.app.slug);
        for name in [&full, &tag, &note] {
            if !bench.run(&git.look("is it a name", ["check-ref-format", name]))?.ok() {
                return Err(Problem::usage(format!("{name:?} is no name of git's"), "[publish] in ops.toml", todo));
            }
        }
        let head = bench.run(&git.look("which branch is this", ["symbolic-ref", "--quiet", "HEAD"]))?;
        if head.output.trim() == full {
            let why = format!("{branch} is the branch of the sources; it would be replaced by the app alone");
            return Err(Problem::usage(format!("{branch} is not published to"), why, todo));
        }
        Ok(Way { git, remote, branch, full, tag, note })
    }
}

/// Branch and tag, or neither.
fn push(bench: &mut Bench<'_>, way: &Way, state: &State, wanted: &str) -> Result<(), Problem> {
    let head = way.git.object(bench, "HEAD")?.unwrap_or_default();
    let message = format!("Release {}\n\n{TRAILER}: {head}\n", bench.app.version);
    let parent = state.tip.iter().flat_map(|tip| ["-p", tip.as_str()]);
    let words = ["commit-tree", wanted].into_iter().chain(parent);
    let made = way.git.must(bench, &way.git.write("make the published commit", words).input(message))?;
    let commit =
        if state.has_tree(wanted) { state.tip.clone().unwrap_or_default() } else { made.output.trim().to_owned() };
    let tagged = if bench.project.publish.tag_source { &head } else { &commit };
    let lease = format!("--force-with-lease={}:{}", way.full, state.tip.as_deref().unwrap_or_default());
    let tag_lease = format!("--force-with-lease={}:{}", way.tag, state.tag.as_deref().unwrap_or_default());
    let (branch, tag) = (format!("{commit}:{}", way.full), format!("{tagged}:{}", way.tag));
    let words =
        ["push", "--atomic", "--porcelain", "--no-verify", &lease, &tag_lease, "--", &way.remote, &branch, &tag];
    let ran = bench.run(&way.git.write("push", words))?;
    if !ran.ok() {
        return Err(refusal(way, &ran));
    }
    let now = State::look(bench, way)?;
    if now.tip.as_deref() != Some(commit.as_str()) || now.tag.as_deref() != Some(tagged) {
        let why = "the push was accepted, and something else is there now";
        return Err(Problem::new(
            Kind::Wrong,
            format!("{} is not what was pushed", way.branch),
            why,
            "Look who else publishes.",
        ));
    }
    way.git.must(bench, &way.git.write("note what was published", ["update-ref", &way.note, &commit]))?;
    way.git.must(bench, &way.git.write("keep the tag here, too", ["update-ref", &way.tag, tagged]))?;
    Ok(())
}

fn refusal(way: &Way, ran: &Ran) -> Problem {
    let said = format!("{}\n{}", ran.output, ran.errors);
    let what = format!("{} did not take the push", way.remote);
    let unreachable =
        ["Could not read from remote", "unable to access", "Could not resolve", "does not appear to be a git"];
    if unreachable.iter().any(|text| said.contains(text)) {
        return Problem::new(Kind::Unreachable, what, ran.said(6), "");
    }
    if said.contains("stale info") {
        let why = "branch or tag was changed while we looked at it";
        return Problem::new(Kind::Refused, what, why, "Nothing was pushed. Look what is there, then publish again.");
    }
    let rejected: Vec<&str> = said.lines().filter(|line| line.starts_with('!')).collect();
    let why = if rejected.is_empty() { ran.said(6) } else { rejected.join("\n") };
    Problem::new(Kind::Refused, what, why, "Nothing was pushed.")
}
