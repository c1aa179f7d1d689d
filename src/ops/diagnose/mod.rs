//! Why it does not run: facts from the host, and for each known trouble the fact, its cause and what to do.

mod findings;

use findings::{Facts, Finding, find};

use super::bench::{Bench, Reach};
use super::config::Via;
use super::outcome::{Ended, Finish, Kind, Problem};
use super::rebuild::Now;
use super::remote::{Log, Remote, Request};

pub fn diagnose(bench: &mut Bench<'_>, remote: &mut Remote) -> Ended {
    bench.lane("diagnose", Reach::Host, |bench| work(bench, remote))
}

fn work(bench: &mut Bench<'_>, remote: &mut Remote) -> Ended {
    if bench.target.via == Via::Restart {
        let why = "by `restart` nothing can be read of an app's state";
        return Err(Problem::usage("it cannot be looked at", why, "Set OPS_VIA=ssh or OPS_VIA=ws."));
    }
    remote.greet(bench)?;
    let facts = gather(bench, remote)?;
    let all = find(&facts);
    for Finding { case, fact, cause, todo } in &all {
        bench.note(case, format!("{fact}\n  cause: {cause}\n  what to do: {todo}"));
    }
    match all.as_slice() {
        [] => {
            bench.note("diagnose", format!("nothing is wrong: version {} {}", facts.version, facts.now.state));
            Ok(Finish::Done)
        }
        [first, ..] => {
            let what =
                format!("{} found: {}", all.len(), all.iter().map(|one| one.case).collect::<Vec<_>>().join(", "));
            Err(Problem::new(Kind::SaidNo, what, first.fact.clone(), first.todo.clone()))
        }
    }
}

fn gather(bench: &mut Bench<'_>, remote: &mut Remote) -> Result<Facts, Problem> {
    let slug = bench.app.full_slug();
    let files = remote.files(bench)?;
    let look = files.look(bench)?;
    let now = Now::ask(bench, remote)?;
    let supervisor_log = remote.log(bench, "read the Supervisor's log", Log::Supervisor)?;
    let installed = now.installed.is_some();
    let app_log = if installed { remote.log(bench, "read the app's log", Log::App(&slug))? } else { String::new() };
    // Whether it answers at all; what it does is not asked.
    remote.ask(bench, "look at its jobs", Request::Jobs)?;
    Ok(Facts {
        slug: bench.app.slug.clone(),
        version: bench.app.version.clone(),
        place: files.shown(),
        look,
        now,
        app_log,
        supervisor_log,
    })
}
