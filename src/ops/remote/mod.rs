//! The host: the Supervisor, asked by SSH or through Home Assistant's API, and the folder of the app.

mod answer;
pub mod core;
pub mod files;
mod request;
mod script;
mod ssh;

pub use request::Request;
pub use ssh::Ssh;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::core::{Core, CoreError, Page};
use self::files::Files;
use super::bench::Bench;
use super::config::{Place, Via};
use super::outcome::{Kind, Problem};
use super::receipt::Step;
use super::token::Token;

/// What the Supervisor said to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Ok(Value),
    /// Its reason.
    No(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log<'a> {
    App(&'a str),
    /// Where the output of builds is.
    Supervisor,
}

/// How the Supervisor is asked.
enum Way {
    Ssh(Ssh),
    Core(Core),
}

/// One host, for the whole run of the program.
pub struct Remote {
    way: Way,
    /// For commands, files or both.
    ssh: Option<Ssh>,
    /// By whichever way, what Core itself shows: pages behind ingress.
    core: Option<Core>,
    greeted: bool,
    files: Option<Files>,
}

impl Remote {
    /// Looks whether the settings suffice; asks nobody.
    pub fn of(bench: &Bench<'_>) -> Result<Remote, Problem> {
        let target = &bench.target;
        let ours = [&bench.app.slug, &bench.app.full_slug()];
        if let Some(slug) = target.slug.as_ref().filter(|slug| !ours.contains(slug)) {
            let what = format!("OPS_SLUG is {slug}, and the app's slug is {}", bench.app.slug);
            return Err(Problem::usage(what, "this target is for another app", "Look at --app and --target."));
        }
        let core = target.url.clone().zip(target.token.clone()).map(|(url, token)| Core { url, token });
        let ssh = target.host.clone().map(|host| Ssh::new(host, target.ssh_config.clone()));
        let way = match target.via {
            Via::Ssh => Way::Ssh(ssh.clone().ok_or_else(needs_host)?),
            Via::Ws | Via::Restart => Way::Core(core.clone().ok_or_else(|| needs_core(bench))?),
        };
        Ok(Remote { way, ssh, core, greeted: false, files: None })
    }

    pub fn is_ssh(&self) -> bool {
        matches!(self.way, Way::Ssh(_))
    }

    /// When all is done, however it ended.
    pub fn close(&self, bench: &mut Bench<'_>) {
        if let Some(ssh) = &self.ssh {
            ssh.close(bench);
        }
    }

    /// The app's folder on the host; the host is asked where it is, if the settings do not say.
    pub fn files(&mut self, bench: &mut Bench<'_>) -> Result<Files, Problem> {
        if let Some(files) = &self.files {
            return Ok(files.clone());
        }
        let files = match bench.target.place.clone() {
            Place::Share(path) => Files::Share(path),
            Place::Host(path) => Files::Host(self.ssh.clone().ok_or_else(needs_host)?, path),
            Place::Ask => {
                let ssh = self.ssh.clone().ok_or_else(needs_host)?;
                let path = files::find(&ssh, bench)?;
                Files::Host(ssh, path)
            }
        };
        self.files = Some(files.clone());
        Ok(files)
    }

    /// The Supervisor answers: what every lane begins with.
    pub fn greet(&mut self, bench: &mut Bench<'_>) -> Result<(), Problem> {
        if self.greeted {
            return Ok(());
        }
        let info = self.must(bench, "ask the Supervisor", Request::Greeting)?;
        self.greeted = true;
        let version = info.get("version").and_then(Value::as_str).unwrap_or("unknown").to_string();
        bench.note("Supervisor", format!("version {version}"));
        if self.is_ssh() { bench.token(Token::SshHaOk) } else { Ok(()) }
    }

    /// Asks; the Supervisor's refusal is an answer.
    pub fn ask(&self, bench: &mut Bench<'_>, what: &str, request: Request<'_>) -> Result<Said, Problem> {
        match &self.way {
            Way::Ssh(ssh) => ssh.ask(bench, what, request),
            Way::Core(core) => ask_core(core, bench, what, request),
        }
    }

    /// Asks; the Supervisor's refusal is a problem.
    pub fn must(&self, bench: &mut Bench<'_>, what: &str, request: Request<'_>) -> Result<Value, Problem> {
        match self.ask(bench, what, request)? {
            Said::Ok(data) => Ok(data),
            Said::No(words) => Err(Problem::new(Kind::Refused, format!("{what}: the Supervisor refused"), words, "")),
        }
    }

    /// The last lines of a log; nothing where there is none.
    pub fn log(&self, bench: &mut Bench<'_>, what: &str, log: Log<'_>) -> Result<String, Problem> {
        const LINES: u32 = 500;
        match &self.way {
            Way::Ssh(ssh) => ssh.log(bench, what, log, LINES),
            Way::Core(core) => {
                let path = match log {
                    Log::App(slug) => format!("addons/{slug}/logs"),
                    Log::Supervisor => "supervisor/logs".into(),
                };
                let page = told(bench, core, what, &format!("GET api/hassio/{path}"), |stop| core.text(&path, stop))?;
                Ok(if page.status == 200 { page.body } else { String::new() })
            }
        }
    }

    /// A page behind ingress, for which Core is needed.
    pub fn ingress(&self, bench: &mut Bench<'_>, what: &str, path: &str) -> Result<Page, Problem> {
        let core = self.core.as_ref().ok_or_else(|| needs_core(bench))?;
        let session = match ask_core(core, bench, "open a session", Request::Session)? {
            Said::Ok(data) => data.get("session").and_then(Value::as_str).unwrap_or_default().to_string(),
            Said::No(words) => return Err(Problem::new(Kind::Refused, what, words, "")),
        };
        told(bench, core, what, &format!("GET {path}"), |stop| core.ingress(path, &session, stop))
    }

    /// Restarts what is installed, by a service call: no new code.
    pub fn restart(&self, bench: &mut Bench<'_>, slug: &str) -> Result<(), Problem> {
        let Way::Core(core) = &self.way else {
            return Err(Problem::usage("no restart by SSH", "there is `rebuild`", ""));
        };
        // Called so since apps are called apps; before, the other way.
        let calls = [("app_restart", json!({"app": slug})), ("addon_restart", json!({"addon": slug}))];
        let mut last = Page { status: 0, body: String::new() };
        for (service, data) in calls {
            let shown = format!("POST api/services/hassio/{service}");
            if bench.asked.dry_run {
                bench.say(&format!("would ask: {shown} {data}"));
                return Ok(());
            }
            last = told(bench, core, "restart", &shown, |stop| core.service(service, &data, stop))?;
            if last.status == 200 {
                return Ok(());
            }
            if ![400, 404].contains(&last.status) {
                break;
            }
        }
        let why = format!("{}: {}", last.status, last.body.chars().take(500).collect::<String>());
        let todo = "Is the app installed, and does its own log say why it does not start?";
        Err(Problem::new(Kind::Refused, "Home Assistant did not restart it", why, todo))
    }
}

fn needs_host() -> Problem {
    Problem::usage(
        "it is not said where the host is",
        "OPS_HOST is not set",
        "Write OPS_HOST=root@homeassistant.local (or a name of your ~/.ssh/config) into ops.env.",
    )
}

fn needs_core(bench: &Bench<'_>) -> Problem {
    let missing = if bench.target.url.is_none() { "OPS_URL" } else { "OPS_TOKEN_FILE" };
    let todo = "Write OPS_URL=http://homeassistant.local:8123 and OPS_TOKEN_FILE=~/.config/ops-token into ops.env; the \
                token is a long-lived one of an administrator (your profile › Security).";
    Problem::usage("Home Assistant cannot be asked", format!("{missing} is not set"), todo)
}

/// A request through Core. A dry run shows one that writes.
fn ask_core(core: &Core, bench: &mut Bench<'_>, what: &str, request: Request<'_>) -> Result<Said, Problem> {
    let (method, endpoint) = request.endpoint();
    let shown = format!("supervisor/api {method} {endpoint}");
    if bench.asked.dry_run && request.writes() && request != Request::Session {
        bench.say(&format!("would ask: {shown}"));
        bench.step(step(what, &shown, Duration::ZERO, Some("dry run: not asked".into())));
        return Ok(Said::Ok(Value::Null));
    }
    told(bench, core, what, &shown, |stop| core.ask(request, stop))
}

/// Does it, as a step of the receipt.
fn told<T>(
    bench: &mut Bench<'_>,
    core: &Core,
    what: &str,
    shown: &str,
    work: impl FnOnce(&crate::domain::progress::StopFlag) -> Result<T, CoreError>,
) -> Result<T, Problem> {
    bench.go_on()?;
    let begun = Instant::now();
    let stop = bench.stop.clone();
    let done = work(&stop);
    let note = done.as_ref().err().map(ToString::to_string);
    bench.step(step(what, shown, begun.elapsed(), note));
    done.map_err(|error| problem_of(what, core.url.as_str(), &error))
}

fn step(what: &str, shown: &str, time: Duration, note: Option<String>) -> Step {
    let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Step { what: what.into(), command: Some(shown.into()), exit: None, ms, note }
}

fn problem_of(what: &str, url: &str, error: &CoreError) -> Problem {
    let why = error.to_string();
    match error {
        CoreError::Stopped => Problem::stopped(what),
        CoreError::Unreachable(_) | CoreError::Silent(_) | CoreError::Strange(_) => {
            let todo = format!("Is {url} the address that a browser opens Home Assistant with?");
            Problem::new(Kind::Unreachable, format!("{what}: {url} does not answer"), why, todo)
        }
        CoreError::Unauthorized => {
            let todo =
                "Make a new long-lived token (your profile › Security) and put it into the file of OPS_TOKEN_FILE.";
            Problem::new(Kind::Refused, format!("{what}: {url} does not take the token"), why, todo)
        }
        CoreError::NoAdmin => {
            let todo = "Make the token as a user who is an administrator.";
            Problem::new(Kind::Refused, format!("{what}: not allowed"), why, todo)
        }
    }
}
