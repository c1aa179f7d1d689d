//! bump → deploy → publish: what is published was seen running.

use super::bench::{Bench, Reach};
use super::bump;
use super::git::{Git, tag_name};
use super::outcome::{Ended, Finish, Problem};
use super::publish::Way;
use super::{Task, run as run_task};

pub fn run(bench: &mut Bench<'_>, to: &str, remote_receipt: bool) -> Ended {
    bench.lane("release", Reach::Host, |bench| {
        let way = Way::of(bench)?;
        way.git.clean(bench)?;
        let bumped = if is_begun(bench, &way.git, to)? { Finish::Unchanged } else { bump::run(bench, to, true)? };
        let deployed = run_task(bench, &Task::Deploy { remote_receipt })?;
        let published = run_task(bench, &Task::Publish)?;
        Ok(bumped.and(deployed).and(published))
    })
}

/// `patch`, `minor` and `major` raise a version once: not where this very commit raised it, for a release that did not come
/// to its end or came to it already.
fn is_begun(bench: &mut Bench<'_>, git: &Git, to: &str) -> Result<bool, Problem> {
    if !["patch", "minor", "major"].contains(&to) {
        return Ok(false);
    }
    let version = bench.app.version.clone();
    let format = format!("--format=%(trailers:key={},valueonly)", bump::TRAILER);
    let ran = bench.run(&git.look("did this commit raise the version", ["log", "-1", &format]))?;
    let begun = ran.ok() && ran.output.trim() == version;
    if begun {
        let tag = tag_name(bench, &version);
        bench.note("version", format!("this commit raised it to {version}: it goes on to {tag}"));
    }
    Ok(begun)
}
