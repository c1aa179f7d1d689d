//! After a build that failed: why, and the last good tree back in its place.

use super::choice::Action;
use super::{Now, Site, log, wait_for_start};
use crate::ops::bench::Bench;
use crate::ops::outcome::{Kind, Problem};
use crate::ops::remote::{Log, Remote, Request, Said};

/// What there is to say, after all was done that can be done.
pub fn failed(bench: &mut Bench<'_>, remote: &Remote, site: &Site, action: Action, before: &Now, why: &str) -> Problem {
    let log = remote.log(bench, "read the Supervisor's log", Log::Supervisor).unwrap_or_default();
    let tail = log::tail(&log);
    // The problem holds it as well.
    let _ = bench.keep_output("build.log", &tail);
    let todo = match back(bench, remote, site, action, before) {
        Ok(said) => said,
        Err(problem) => format!("Bringing the last good tree back failed, too: {}: {}", problem.what, problem.why),
    };
    Problem::new(Kind::Refused, format!("{} failed", action.word()), format!("{why}\n{tail}"), todo)
}

fn back(bench: &mut Bench<'_>, remote: &Remote, site: &Site, action: Action, before: &Now) -> Result<String, Problem> {
    if before.installed.is_none() {
        return Ok("It was not installed before, and is not now; its files lie there.".into());
    }
    if !site.look.kept {
        return Ok("No good tree was kept: nothing could be brought back.".into());
    }
    site.files.restore(bench)?;
    remote.must(bench, "let the store read its folders", Request::Reload)?;
    let now = Now::ask(bench, remote)?;
    // An update builds before it removes anything; a rebuild has removed the image.
    let stale = now.installed != now.latest;
    if action == Action::Rebuild || stale {
        let request = if stale { Request::Update(&site.slug) } else { Request::Rebuild(&site.slug) };
        if let Said::No(why) = remote.ask(bench, "build the last good tree", request)? {
            return Err(Problem::new(Kind::Refused, "building the last good tree", why, ""));
        }
    }
    if before.runs() || before.state == "startup" {
        run_again(bench, remote, site)?;
    }
    let version = now.latest.unwrap_or_default();
    bench.note("rollback", format!("the last good tree, version {version}, is back"));
    Ok(format!(
        "The last good tree, version {version}, was brought back{}.",
        if before.runs() { " and runs" } else { "" }
    ))
}

fn run_again(bench: &mut Bench<'_>, remote: &Remote, site: &Site) -> Result<(), Problem> {
    let now = Now::ask(bench, remote)?;
    if !now.runs() && now.state != "startup" {
        remote.must(bench, "start", Request::Start(&site.slug))?;
    }
    wait_for_start(bench, remote)
}
