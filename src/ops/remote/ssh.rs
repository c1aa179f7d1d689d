//! The host by SSH: `ha` in a login shell, and scripts for its folders.

use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

use super::answer::{self, Answer};
use super::request::Request;
use super::{Log, Said};
use crate::ops::bench::Bench;
use crate::ops::outcome::{Kind, Problem};
use crate::ops::program::{Call, Ran, quoted};

/// ssh's own: the connection failed.
const LOST: i32 = 255;

#[derive(Debug, Clone)]
pub struct Ssh {
    pub host: String,
    pub config: Option<PathBuf>,
    /// Where the socket of the connection lies that all calls share: small boards need a second for each login.
    shared: Option<Arc<TempDir>>,
}

impl Ssh {
    pub fn new(host: String, config: Option<PathBuf>) -> Ssh {
        // Without it each call logs in by itself.
        let shared = tempfile::Builder::new().prefix("sd-swap-ssh-").tempdir().ok().map(Arc::new);
        Ssh { host, config, shared }
    }

    /// Nothing is asked on a terminal; who does not answer for 10 seconds, or 45 later on, is not there.
    pub fn options(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        if let Some(file) = &self.config {
            all.extend(["-F".into(), file.display().to_string()]);
        }
        for option in ["BatchMode=yes", "ConnectTimeout=10", "ServerAliveInterval=15", "ServerAliveCountMax=3"] {
            all.extend(["-o".into(), option.into()]);
        }
        if let Some(folder) = &self.shared {
            // Should nobody end it, it ends by itself.
            let path = format!("ControlPath={}/%C", folder.path().display());
            for option in ["ControlMaster=auto", "ControlPersist=30", &path] {
                all.extend(["-o".into(), option.into()]);
            }
        }
        all
    }

    /// Ends the shared connection.
    pub fn close(&self, bench: &mut Bench<'_>) {
        let there = |folder: &TempDir| std::fs::read_dir(folder.path()).is_ok_and(|mut all| all.next().is_some());
        if self.shared.as_deref().is_some_and(there) {
            let own = ["-O".to_string(), "exit".into(), "--".into(), self.host.clone()];
            // It ends by itself a little later, too.
            let _ = bench.after(&Call::look("end the connection", "ssh", self.options().into_iter().chain(own)));
        }
    }

    /// The program that rsync is to reach the host with.
    pub fn as_transport(&self) -> String {
        let words = std::iter::once("ssh".to_string()).chain(self.options());
        words.map(|word| quoted(&word)).collect::<Vec<_>>().join(" ")
    }

    fn call(&self, what: &str, writes: bool, command: &str) -> Call {
        let own = ["-T".to_string(), "--".into(), self.host.clone(), command.into()];
        let arguments = self.options().into_iter().chain(own);
        if writes { Call::write(what, "ssh", arguments) } else { Call::look(what, "ssh", arguments) }
    }

    /// Runs a POSIX shell's script on the host; a status other than 0 is an answer.
    pub fn script(&self, bench: &mut Bench<'_>, what: &str, writes: bool, script: &str) -> Result<Ran, Problem> {
        let ran = bench.run(&self.call(what, writes, "sh -s").input(script))?;
        self.lost(what, &ran).map_or(Ok(ran), Err)
    }

    /// `ha`, in the login shell that knows the Supervisor's token.
    pub fn ask(&self, bench: &mut Bench<'_>, what: &str, request: Request<'_>) -> Result<Said, Problem> {
        let Some(words) = request.words() else {
            return Err(Problem::usage(what, "`ha` has no word for it", "Set OPS_URL and OPS_TOKEN_FILE."));
        };
        let words = std::iter::once("ha").chain(words).chain(request.slug()).chain(["--raw-json", "--no-progress"]);
        let command = in_login_shell(&words.collect::<Vec<_>>());
        let call = self.call(what, request.writes(), &command).limit(request.limit());
        let ran = bench.run(&call)?;
        if bench.asked.dry_run && request.writes() {
            return Ok(Said::Ok(serde_json::Value::Null));
        }
        match answer::read(&ran.output, &ran.errors) {
            Answer::Ok(data) => Ok(Said::Ok(data)),
            Answer::No(words) => Ok(Said::No(words)),
            Answer::Unknown => Err(unknown(what)),
            Answer::None => Err(self.lost(what, &ran).unwrap_or_else(|| no_answer(what, &ran))),
        }
    }

    /// The last lines of a log; nothing where there is none.
    pub fn log(&self, bench: &mut Bench<'_>, what: &str, log: Log<'_>, lines: u32) -> Result<String, Problem> {
        let lines = lines.to_string();
        let mut words = match log {
            Log::App(slug) => vec!["ha", "apps", "logs", slug],
            Log::Supervisor => vec!["ha", "supervisor", "logs"],
        };
        words.extend(["--lines", lines.as_str()]);
        let ran = bench.run(&self.call(what, false, &in_login_shell(&words)))?;
        match self.lost(what, &ran) {
            Some(problem) => Err(problem),
            None => Ok(if ran.ok() { ran.output } else { String::new() }),
        }
    }

    /// Why there was no connection, if there was none.
    pub fn lost(&self, what: &str, ran: &Ran) -> Option<Problem> {
        (ran.code == LOST).then(|| self.why_lost(what, ran))
    }

    pub fn why_lost(&self, what: &str, ran: &Ran) -> Problem {
        let said = ran.said(6);
        let todo = if said.contains("Host key verification failed") || said.contains("IDENTIFICATION HAS CHANGED") {
            "Its key is not the one that is known. If it was set up anew, remove the old key (`ssh-keygen -R NAME`) and \
             connect once by hand to look at the new one; else somebody else answers there."
                .to_string()
        } else if said.contains("Permission denied") {
            format!(
                "It does not take your key. Try `ssh {}` by hand; the SSH app's options list the keys it takes.",
                self.host
            )
        } else {
            format!("Try `ssh {}` by hand: is the SSH app started, and is OPS_HOST its name and port?", self.host)
        };
        Problem::new(Kind::Unreachable, format!("{what}: no connection to {}", self.host), said, todo)
    }
}

/// Without a login shell there is no token in most SSH apps, and the Supervisor answers 401.
fn in_login_shell(words: &[&str]) -> String {
    let inner = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    format!("bash -lc {}", quoted(&inner))
}

fn unknown(what: &str) -> Problem {
    Problem::new(
        Kind::Refused,
        format!("{what}: the Supervisor does not know us (401)"),
        "`ha` ran without the Supervisor's token",
        "Log in with the user that the SSH app gives the token to, and look whether its ~/.bash_profile or \
         /etc/profile.d was changed: `ssh HOST \"bash -lc 'ha supervisor info'\"` has to answer.",
    )
}

fn no_answer(what: &str, ran: &Ran) -> Problem {
    let said = ran.said(6);
    let (why, todo) = if ran.code == 127 || said.contains("not found") {
        (said, "The host has no `ha`: is OPS_HOST the SSH app of Home Assistant, and not the machine under it?")
    } else {
        (
            format!("`ha` ended with {} and printed no answer:\n{said}", ran.code),
            "Update the SSH app: its `ha` may be too old to know the command.",
        )
    };
    Problem::new(Kind::Refused, format!("{what}: no answer of the Supervisor"), why, todo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ha_runs_in_a_login_shell() {
        assert_eq!(in_login_shell(&["ha", "apps", "info", "local_x"]), "bash -lc 'ha apps info local_x'");
        assert_eq!(in_login_shell(&["ha", "it's"]), r"bash -lc 'ha '\''it'\''\'\'''\''s'\'''");
    }

    #[test]
    fn rsync_gets_the_same_options() {
        let ssh = Ssh::new("house".into(), Some("/tmp/my config".into()));
        assert!(ssh.as_transport().starts_with("ssh -F '/tmp/my config' -o BatchMode=yes -o ConnectTimeout=10"));
    }
}
