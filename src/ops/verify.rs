//! Lane 3b: it runs, in the right version, stays up and answers as it should; and it is there once.

use std::time::{Duration, Instant};

use serde_json::Value;
use url::Url;

use super::bench::{Bench, Reach};
use super::config::{Verify, Via};
use super::outcome::{Ended, Finish, Kind, Problem};
use super::rebuild::{Now, until, wait_for_start};
use super::remote::core::{Page, open};
use super::remote::{Log, Remote, Request};
use super::token::Token;

/// Seconds in which it must not restart, if the project says nothing.
const STEADY: u64 = 30;
/// Seconds that a program may take to answer after its start, if the project says nothing.
const ANSWER: u64 = 60;

pub fn verify(bench: &mut Bench<'_>, remote: &mut Remote) -> Ended {
    bench.lane("verify", Reach::Host, |bench| work(bench, remote))
}

fn work(bench: &mut Bench<'_>, remote: &mut Remote) -> Ended {
    if bench.target.via == Via::Restart {
        let why = "by `restart` nothing can be read of an app's state";
        return Err(Problem::usage("it cannot be verified", why, "Set OPS_VIA=ssh or OPS_VIA=ws."));
    }
    remote.greet(bench)?;
    if bench.asked.dry_run {
        bench.note("verify", "dry run: looks at state, version, page and log");
        return Ok(Finish::Done);
    }
    let rules = bench.project.verify.clone();
    let now = runs(bench, remote)?;
    answers(bench, remote, &rules, &now)?;
    steady(bench, remote, &rules)?;
    logs(bench, remote, &rules)?;
    bench.token(Token::VerifyOk)?;
    topology(bench, remote)?;
    bench.token(Token::RuntimeTopologyOk)?;
    Ok(Finish::Done)
}

fn wrong(what: impl Into<String>, why: impl Into<String>, todo: &str) -> Problem {
    Problem::new(Kind::Wrong, what, why, todo)
}

fn runs(bench: &mut Bench<'_>, remote: &Remote) -> Result<Now, Problem> {
    let now = Now::ask(bench, remote)?;
    match now.installed.as_deref() {
        None => {
            let why = if now.known { "the store has it".into() } else { now.refusal.clone() };
            return Err(wrong("it is not installed", why, "Run `ops rebuild`."));
        }
        Some(theirs) if theirs != bench.app.version => {
            let what = format!("version {theirs} is installed, not {}", bench.app.version);
            return Err(wrong(what, "the old image runs", "Run `ops sync` and `ops rebuild`."));
        }
        Some(_) => {}
    }
    match now.state.as_str() {
        "started" => {}
        "startup" => wait_for_start(bench, remote)?,
        other => {
            return Err(wrong(
                "it does not run",
                format!("its state is {other}"),
                "Run `ops rebuild`, or `ops diagnose`.",
            ));
        }
    }
    bench.note("state", format!("version {} runs", bench.app.version));
    Ok(now)
}

/// The page of `[verify] url`, with its mark.
fn answers(bench: &mut Bench<'_>, remote: &Remote, rules: &Verify, now: &Now) -> Result<(), Problem> {
    let Some(url) = &rules.url else { return Ok(()) };
    let version = bench.app.version.clone();
    let mark = rules.contains.clone().unwrap_or_default().replace("{version}", &version);
    let url = url.replace("{version}", &version);
    let (mut last, begun) = (String::new(), Instant::now());
    until(bench, Duration::from_secs(rules.answer.unwrap_or(ANSWER)), |bench| {
        let page = fetch(bench, remote, &url, now);
        // Without the settings it will never be.
        let page = match page {
            Err(problem) if [Kind::Stopped, Kind::Usage].contains(&problem.kind) => return Err(problem),
            page => page,
        };
        let fine = page.as_ref().is_ok_and(|page| page.status == 200 && page.body.contains(&mark));
        last = match page {
            Ok(page) => format!("{}: {}", page.status, page.body.chars().take(300).collect::<String>()),
            Err(problem) => problem.why,
        };
        Ok((fine, fine))
    })?
    .then(|| bench.note("page", format!("{url} answers after {:.1} s", begun.elapsed().as_secs_f64())))
    .ok_or_else(|| {
        let what =
            if mark.is_empty() { format!("{url} does not answer") } else { format!("{url} does not show {mark:?}") };
        wrong(what, last, "Is it [verify] url and contains in ops.toml that are wrong, or the app?")
    })
}

/// `ingress:/path` is a page as the sidebar shows it; else an address.
fn fetch(bench: &mut Bench<'_>, remote: &Remote, url: &str, now: &Now) -> Result<Page, Problem> {
    if let Some(path) = url.strip_prefix("ingress:") {
        let why = "its configuration has no ingress";
        let entry = now.ingress.as_ref().ok_or_else(|| Problem::usage("it has no page in the sidebar", why, ""))?;
        let path = format!("{}/{}", entry.trim_end_matches('/'), path.trim_start_matches('/'));
        return remote.ingress(bench, "open its page", &path);
    }
    let parsed: Url = url.parse().map_err(|error| {
        let todo = "Write an address, or ingress:/path.";
        Problem::usage(format!("[verify] url is {url:?}"), format!("it is no URL ({error})"), todo)
    })?;
    bench.go_on()?;
    let stop = bench.stop.clone();
    open(&parsed, &stop).map_err(|error| match error {
        super::remote::core::CoreError::Stopped => Problem::stopped("open its page"),
        error => wrong("open its page", error.to_string(), ""),
    })
}

/// Looked at each second: any other state means that it ended meanwhile.
fn steady(bench: &mut Bench<'_>, remote: &Remote, rules: &Verify) -> Result<(), Problem> {
    let time = Duration::from_secs(rules.steady.unwrap_or(STEADY));
    let begun = Instant::now();
    loop {
        let now = Now::ask(bench, remote)?;
        if !now.runs() {
            let slug = bench.app.full_slug();
            let log = remote.log(bench, "read the app's log", Log::App(&slug))?;
            let what = format!("it did not stay up: {} after {:.0} s", now.state, begun.elapsed().as_secs_f64());
            return Err(wrong(what, format!("the end of its log:\n{}", end_of(&log)), "`ops diagnose` knows more."));
        }
        if begun.elapsed() >= time {
            bench.note("steady", format!("for {} s", time.as_secs()));
            return Ok(());
        }
        bench.wait(Duration::from_secs(1).min(time))?;
    }
}

fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
}

fn logs(bench: &mut Bench<'_>, remote: &Remote, rules: &Verify) -> Result<(), Problem> {
    if rules.log_contains.is_empty() && rules.log_lacks.is_empty() {
        return Ok(());
    }
    let slug = bench.app.full_slug();
    let log = remote.log(bench, "read the app's log", Log::App(&slug))?;
    if let Some(missing) = rules.log_contains.iter().find(|text| !log.contains(text.as_str())) {
        let why = format!("[verify] log_contains wants it; the end of the log:\n{}", end_of(&log));
        return Err(wrong(format!("its log does not say {missing:?}"), why, ""));
    }
    let bad = log.lines().find(|line| rules.log_lacks.iter().any(|text| line.contains(text.as_str())));
    match bad {
        Some(line) => Err(wrong("its log says what it must not", line, "[verify] log_lacks names it.")),
        None => Ok(()),
    }
}

/// One folder, no repository in it, one entry in the store, of the local apps.
fn topology(bench: &mut Bench<'_>, remote: &mut Remote) -> Result<(), Problem> {
    let files = remote.files(bench)?;
    let look = files.look(bench)?;
    if look.twins.len() != 1 {
        let why = look.twins.join("\n");
        let todo = "Remove all but one: which of them is built is chance.";
        return Err(wrong(format!("{} folders have the slug {}", look.twins.len(), bench.app.slug), why, todo));
    }
    if look.git {
        let todo = "Remove it, or run `ops sync`: it gets into backups and builds.";
        return Err(wrong("a .git lies in the app's folder", files.shown(), todo));
    }
    let store = remote.must(bench, "list the store", Request::Store)?;
    let slug = bench.app.full_slug();
    let all = store.get("addons").or_else(|| store.get("apps")).and_then(Value::as_array);
    let ours: Vec<&Value> = all.into_iter().flatten().filter(|app| app["slug"] == slug.as_str()).collect();
    match ours.as_slice() {
        [one] if one["repository"] == "local" => Ok(()),
        several => {
            let from: Vec<String> = several.iter().map(|one| one["repository"].to_string()).collect();
            let what = format!("the store lists {slug} {} times", several.len());
            Err(wrong(what, format!("from: {}", from.join(", ")), "It has to be there once, from \"local\"."))
        }
    }
}
