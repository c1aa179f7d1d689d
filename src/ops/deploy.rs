//! check → sync → rebuild → verify.

use super::bench::{Bench, Reach};
use super::config::Via;
use super::outcome::{Ended, Finish, Problem};
use super::rebuild::rebuild;
use super::remote::Remote;
use super::sync::sync;
use super::token::Token;
use super::verify::verify;

/// All of it, with a receipt of its own beside those of its lanes. `checked` is the first lane.
pub fn deploy(bench: &mut Bench<'_>, check: impl FnOnce(&mut Bench<'_>) -> Ended) -> Ended {
    bench.lane("deploy", Reach::Host, |bench| {
        if bench.target.via == Via::Restart {
            let why = "a restart runs the old image: nothing would be deployed";
            return Err(Problem::usage("OPS_VIA=restart cannot deploy", why, "Set OPS_VIA=ssh or OPS_VIA=ws."));
        }
        // What the settings lack is said before any work.
        let mut remote = Remote::of(bench)?;
        check(bench)?;
        let sent = sync(bench, &mut remote)?;
        let built = rebuild(bench, &mut remote)?;
        verify(bench, &mut remote)?;
        if remote.is_ssh() {
            bench.token(Token::DeploySshOk)?;
        }
        let unchanged = sent == Finish::Unchanged && built == Finish::Unchanged;
        Ok(if unchanged { Finish::Unchanged } else { Finish::Done })
    })
}
