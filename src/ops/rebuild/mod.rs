//! Lane 3a: the Supervisor reads the folder anew, builds what lies there, and starts it. After a build that failed, the
//! last good tree is brought back.

mod choice;
mod log;
mod now;
mod rollback;

use std::time::{Duration, Instant};

use choice::{Action, Facts, choose};
pub use log::{ended_well, tail};
pub use now::Now;

use super::bench::{Bench, Reach};
use super::outcome::{Ended, Finish, Kind, Problem};
use super::remote::files::{Built, Files, Look};
use super::remote::{Log, Remote, Request, Said};
use super::sync::Parcel;
use super::token::Token;
use crate::ops::config::Via;

/// Reading the folder anew is done when it is answered; this is for slow boards.
const STORE: Duration = Duration::from_secs(15);
/// An app that has a health check says `startup` for as long as that takes.
const STARTUP: Duration = Duration::from_secs(300);
/// All other states before `started`.
const START: Duration = Duration::from_secs(20);
/// `ha` gives up after ten minutes, the Supervisor does not.
const BUILD: Duration = Duration::from_secs(3600);

pub fn rebuild(bench: &mut Bench<'_>, remote: &mut Remote) -> Ended {
    bench.lane("rebuild", Reach::Host, |bench| match bench.target.via {
        Via::Restart => restart(bench, remote),
        Via::Ssh | Via::Ws => work(bench, remote),
    })
}

/// Says what it is: nothing new.
fn restart(bench: &mut Bench<'_>, remote: &Remote) -> Ended {
    let slug = bench.app.full_slug();
    remote.restart(bench, &slug)?;
    bench.note("restarted", "old image, no new code: a restart builds nothing. OPS_VIA=ssh or ws does");
    Ok(Finish::Done)
}

/// What a build works with.
struct Site {
    files: Files,
    look: Look,
    tree: String,
    slug: String,
}

fn work(bench: &mut Bench<'_>, remote: &mut Remote) -> Ended {
    remote.greet(bench)?;
    let site = site(bench, remote)?;
    if bench.asked.dry_run {
        return would(bench, remote, &site);
    }
    remote.must(bench, "let the store read its folders", Request::Reload)?;
    let before = in_store(bench, remote)?;
    let action = action(bench, &site, &before);
    bench.note("choice", format!("{} ({})", action.word(), seen(&before)));
    if action == Action::Nothing && stands(bench, remote, &site, &before)? {
        bench.token(Token::DeployOk)?;
        let finish = if before.runs() { Finish::Unchanged } else { Finish::Done };
        return Ok(finish);
    }
    let action = if action == Action::Nothing { Action::Rebuild } else { action };
    if let Err(why) = build(bench, remote, &site, action)? {
        return Err(rollback::failed(bench, remote, &site, action, &before, &why));
    }
    let after = Now::ask(bench, remote)?;
    is_ours(bench, &after)?;
    bench.token(Token::DeployOk)?;
    started(bench, remote, &site.slug)?;
    site.files.keep(bench)?;
    site.files.mark(bench, &Built { version: bench.app.version.clone(), tree: site.tree })?;
    Ok(Finish::Done)
}

/// The folder on the host, which has to hold our tree.
fn site(bench: &mut Bench<'_>, remote: &mut Remote) -> Result<Site, Problem> {
    let parcel = Parcel::pack(bench)?;
    bench.tree(&parcel.digest);
    let files = remote.files(bench)?;
    let look = files.look(bench)?;
    let slug = bench.app.full_slug();
    let site = Site { files, look, tree: parcel.digest.clone(), slug };
    if bench.asked.dry_run {
        return Ok(site);
    }
    if site.look.seen.slug.as_deref() != Some(&bench.app.slug) || !parcel.compare(bench, &site.files)?.is_empty() {
        let what = format!("{} does not hold this tree", site.files.shown());
        return Err(Problem::new(
            Kind::SaidNo,
            what,
            "the Supervisor would build something else",
            "Run `ops sync` first.",
        ));
    }
    if site.look.image {
        let why = "with `image:` in its configuration the Supervisor does not build, it pulls that image";
        return Err(Problem::new(
            Kind::SaidNo,
            "nothing would be built",
            why,
            "Take `image:` out; `ops publish` puts it in.",
        ));
    }
    Ok(site)
}

fn would(bench: &mut Bench<'_>, remote: &Remote, site: &Site) -> Ended {
    remote.must(bench, "let the store read its folders", Request::Reload)?;
    let mut now = Now::ask(bench, remote)?;
    now.latest = Some(bench.app.version.clone());
    let action = action(bench, site, &now);
    bench.note("choice", format!("would {} ({})", action.word(), seen(&now)));
    Ok(if action == Action::Nothing { Finish::Unchanged } else { Finish::Done })
}

fn action(bench: &Bench<'_>, site: &Site, now: &Now) -> Action {
    let ours = Built { version: bench.app.version.clone(), tree: site.tree.clone() };
    choose(Facts {
        installed: now.installed.as_deref(),
        store: now.latest.as_deref().unwrap_or_default(),
        built: site.look.built.as_ref() == Some(&ours),
    })
}

fn seen(now: &Now) -> String {
    let none = || "none".to_string();
    let installed = now.installed.clone().unwrap_or_else(none);
    let state = if now.state.is_empty() { String::new() } else { format!(", {}", now.state) };
    format!("in the store {}, installed {installed}{state}", now.latest.clone().unwrap_or_else(none))
}

/// Waits until the store shows our version.
fn in_store(bench: &mut Bench<'_>, remote: &Remote) -> Result<Now, Problem> {
    let version = bench.app.version.clone();
    let now = until(bench, STORE, |bench| {
        let now = Now::ask(bench, remote)?;
        Ok((now.latest.as_deref() == Some(&version), now))
    })?;
    if now.latest.as_deref() == Some(&version) {
        return Ok(now);
    }
    let (what, why) = match &now.latest {
        Some(latest) => {
            (format!("the store shows version {latest}, not {version}"), "it did not read the new configuration")
        }
        None => ("the store does not have the app".to_string(), now.refusal.as_str()),
    };
    Err(Problem::new(Kind::Refused, what, why, "`ops diagnose` looks for the reason."))
}

/// The image is there already; it runs, or can be started.
fn stands(bench: &mut Bench<'_>, remote: &Remote, site: &Site, now: &Now) -> Result<bool, Problem> {
    if now.runs() {
        return Ok(true);
    }
    match remote.ask(bench, "start", Request::Start(&site.slug))? {
        Said::Ok(_) => started(bench, remote, &site.slug).map(|()| true),
        Said::No(why) => {
            bench.note("start", format!("refused: {why}"));
            Ok(false)
        }
    }
}

/// Ok: the Supervisor says it was built. The inner error is its reason.
fn build(bench: &mut Bench<'_>, remote: &Remote, site: &Site, action: Action) -> Result<Result<(), String>, Problem> {
    let request = match action {
        Action::Install => Request::Install(&site.slug),
        Action::Update => Request::Update(&site.slug),
        Action::Rebuild | Action::Nothing => Request::Rebuild(&site.slug),
    };
    bench.say(&format!("{}: the Supervisor builds; this takes minutes on a small board", action.word()));
    match remote.ask(bench, action.word(), request) {
        Ok(Said::Ok(_)) => Ok(Ok(())),
        Ok(Said::No(why)) => Ok(Err(why)),
        Err(problem) if problem.kind == Kind::Stopped => Err(Problem {
            why: format!("{}. The Supervisor goes on building", problem.why),
            todo: "`ops verify` tells how it ended; `ops rebuild` does it again.".into(),
            ..problem
        }),
        // The asking was cut off, not the building.
        Err(problem) => later(bench, remote, site, problem),
    }
}

/// Waits for the Supervisor to have no work on the app, and looks into its log.
fn later(bench: &mut Bench<'_>, remote: &Remote, site: &Site, cut: Problem) -> Result<Result<(), String>, Problem> {
    bench.note("cut off", format!("{}; looking whether it goes on", cut.what));
    let idle = until(bench, BUILD, |bench| match remote.ask(bench, "look at its jobs", Request::Jobs)? {
        Said::Ok(jobs) => Ok((!is_busy(&jobs, &site.slug), true)),
        Said::No(_) => Ok((true, false)),
    });
    if !idle.is_ok_and(|known| known) {
        return Err(cut);
    }
    let text = remote.log(bench, "read the Supervisor's log", Log::Supervisor)?;
    match log::ended_well(&text, &site.slug) {
        Some(true) => Ok(Ok(())),
        Some(false) => Ok(Err("its log says that the build failed".into())),
        None => Err(cut),
    }
}

fn is_busy(jobs: &serde_json::Value, slug: &str) -> bool {
    let all = jobs.get("jobs").and_then(serde_json::Value::as_array);
    all.into_iter().flatten().any(|job| job["done"] != true && job["reference"] == slug)
}

fn is_ours(bench: &Bench<'_>, now: &Now) -> Result<(), Problem> {
    let ours = Some(bench.app.version.as_str());
    if now.installed.as_deref() == ours && now.latest.as_deref() == ours {
        return Ok(());
    }
    let why = format!("it was built, and still: {}", seen(now));
    Err(Problem::new(Kind::Wrong, format!("version {} is not what is installed", bench.app.version), why, ""))
}

/// Starts it unless it runs, and waits until it does.
fn started(bench: &mut Bench<'_>, remote: &Remote, slug: &str) -> Result<(), Problem> {
    let now = Now::ask(bench, remote)?;
    if now.runs() {
        return Ok(());
    }
    if now.state != "startup" {
        remote.must(bench, "start", Request::Start(slug))?;
    }
    wait_for_start(bench, remote)
}

/// Until it is `started`.
pub fn wait_for_start(bench: &mut Bench<'_>, remote: &Remote) -> Result<(), Problem> {
    let begun = Instant::now();
    let now = until(bench, STARTUP, |bench| {
        let now = Now::ask(bench, remote)?;
        let over = match now.state.as_str() {
            "started" | "error" => true,
            "startup" => false,
            _ => begun.elapsed() > START,
        };
        Ok((over, now))
    })?;
    if now.runs() {
        bench.note("started", format!("after {:.1} s", begun.elapsed().as_secs_f64()));
        return Ok(());
    }
    let slug = bench.app.full_slug();
    let log = remote.log(bench, "read the app's log", Log::App(&slug))?;
    let last: Vec<&str> = log.lines().rev().take(20).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    let what = format!("it does not start: its state is {}", now.state);
    Err(Problem::new(
        Kind::Wrong,
        what,
        format!("the end of its log:\n{}", last.join("\n")),
        "`ops diagnose` knows more.",
    ))
}

/// Looks again and again, with growing pauses, until `look` says it is over or `limit` is; returns what was seen last.
pub fn until<T>(
    bench: &mut Bench<'_>,
    limit: Duration,
    mut look: impl FnMut(&mut Bench<'_>) -> Result<(bool, T), Problem>,
) -> Result<T, Problem> {
    let (begun, mut pause) = (Instant::now(), Duration::from_millis(200));
    loop {
        let (over, seen) = look(bench)?;
        if over || begun.elapsed() > limit {
            return Ok(seen);
        }
        bench.wait(pause)?;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}
