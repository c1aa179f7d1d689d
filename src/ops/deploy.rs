//! check → sync → rebuild → verify.

use super::bench::{Bench, Reach};
use super::config::Via;
use super::outcome::{Ended, Finish, Problem};
use super::rebuild::rebuild;
use super::remote::Remote;
use super::sync::sync;
use super::token::Token;
use super::verify::verify;

/// All of it, with a receipt of its own beside those of its lanes. `check` is the first lane.
pub fn deploy(bench: &mut Bench<'_>, remote_receipt: bool, check: impl FnOnce(&mut Bench<'_>) -> Ended) -> Ended {
    let mut host = None;
    let ended = bench.lane("deploy", Reach::Host, |bench| work(bench, &mut host, check));
    match &mut host {
        Some(remote) => {
            let ended = leave_receipt(bench, remote, "deploy", remote_receipt, ended);
            remote.close(bench);
            ended
        }
        None => ended,
    }
}

fn work(bench: &mut Bench<'_>, host: &mut Option<Remote>, check: impl FnOnce(&mut Bench<'_>) -> Ended) -> Ended {
    if bench.target.via == Via::Restart {
        let why = "a restart runs the old image: nothing would be deployed";
        return Err(Problem::usage("OPS_VIA=restart cannot deploy", why, "Set OPS_VIA=ssh or OPS_VIA=ws."));
    }
    // What the settings lack is said before any work.
    let remote = host.insert(Remote::of(bench)?);
    check(bench)?;
    let sent = sync(bench, remote)?;
    let built = rebuild(bench, remote)?;
    verify(bench, remote)?;
    if remote.is_ssh() {
        bench.token(Token::DeploySshOk)?;
    }
    let unchanged = sent == Finish::Unchanged && built == Finish::Unchanged;
    Ok(if unchanged { Finish::Unchanged } else { Finish::Done })
}

/// Copies the receipt of `lane` to the host, if that is wanted; however the lane ended, as long as the host can be reached.
pub fn leave_receipt(bench: &mut Bench<'_>, remote: &mut Remote, lane: &str, wanted: bool, ended: Ended) -> Ended {
    let Some(text) = bench.kept(lane).filter(|_| wanted) else { return ended };
    let left = remote.files(bench).and_then(|files| files.leave(bench, lane, &text));
    match (ended, left) {
        (Ok(_), Err(problem)) => {
            bench.say(&problem.to_string());
            Err(problem)
        }
        (ended, _) => ended,
    }
}
