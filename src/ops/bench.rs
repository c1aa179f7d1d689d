//! Where lanes work: one run of the program, with what was asked, the receipts that are open, and the voice that people
//! hear. A token, a step or a file goes into the receipt of the innermost open lane; when that closes, its tokens go on
//! into the one around it.

use std::time::{Duration, Instant};

use crate::domain::causes::chain;
use crate::domain::progress::StopFlag;
use crate::domain::secret::Secret;
use crate::host::linux::program::ProgramError;

use super::app::App;
use super::config::{Project, Target};
use super::outcome::{Ended, Finish, Kind, Problem};
use super::program::{Call, Ran, hidden};
use super::receipt::{AppSeen, Outcome, Receipt, Shelf, Step, TargetSeen, Trouble, now};
use super::token::Token;

/// What people and scripts hear.
pub trait Voice {
    /// A line for standard output: tokens and results.
    fn out(&mut self, line: &str);
    /// A line for standard error: what is going on.
    fn err(&mut self, line: &str);
    /// Yes or no; none where nobody can be asked.
    fn ask(&mut self, question: &str) -> Option<bool>;
}

/// The options that all lanes have.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    pub dry_run: bool,
    pub json: bool,
    pub yes: bool,
}

/// Whether a lane asks a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Here,
    Host,
}

pub struct Bench<'a> {
    pub app: App,
    pub project: Project,
    pub target: Target,
    pub asked: Asked,
    pub stop: StopFlag,
    /// None in a dry run.
    shelf: Option<Shelf>,
    open: Vec<Receipt>,
    voice: &'a mut dyn Voice,
}

impl<'a> Bench<'a> {
    pub fn new(
        app: App,
        project: Project,
        target: Target,
        asked: Asked,
        shelf: Option<Shelf>,
        stop: StopFlag,
        voice: &'a mut dyn Voice,
    ) -> Bench<'a> {
        Bench { app, project, target, asked, stop, shelf, open: Vec::new(), voice }
    }

    /// Works within a receipt of its own, which is written whatever happens.
    pub fn lane(&mut self, name: &str, reach: Reach, work: impl FnOnce(&mut Bench<'a>) -> Ended) -> Ended {
        let via = if reach == Reach::Host { self.target.via.word() } else { "none" };
        let target = TargetSeen { name: self.target.name.clone(), via: via.into() };
        let app = AppSeen { slug: self.app.slug.clone(), version: self.app.version.clone(), tree: None };
        self.open.push(Receipt::begin(name, Some(app), target));
        let begun = Instant::now();
        let ended = self.keep().and_then(|()| work(self));
        self.close(name, ended, begun)
    }

    fn close(&mut self, name: &str, ended: Ended, begun: Instant) -> Ended {
        if let Some(receipt) = self.open.last_mut() {
            receipt.result = match &ended {
                Ok(Finish::Done) => Outcome::Ok,
                Ok(Finish::Unchanged) => Outcome::Unchanged,
                Err(_) => Outcome::Failed,
            };
            receipt.problem = ended.as_ref().err().map(Trouble::of);
        }
        let kept = self.keep();
        let closed = self.open.pop();
        // What cannot be written down did not succeed.
        let ended = ended.and_then(|finish| kept.map(|()| finish));
        if let (Some(outer), Some(inner)) = (self.open.last_mut(), &closed) {
            outer.tokens.extend(inner.tokens.iter().cloned());
            outer.files.extend(inner.files.iter().cloned());
        }
        self.tell(name, &ended, closed, begun.elapsed());
        ended
    }

    /// Exactly one of OK and FAIL, for each lane.
    fn tell(&mut self, name: &str, ended: &Ended, closed: Option<Receipt>, time: Duration) {
        let line = match ended {
            Ok(Finish::Done) if self.asked.dry_run => format!("{name}: OK, dry run: nothing was changed"),
            Ok(Finish::Done) => format!("{name}: OK"),
            Ok(Finish::Unchanged) => format!("{name}: OK, unchanged"),
            Err(problem) => format!("{name}: FAIL, {}", self.hide(&problem.what)),
        };
        self.result(&line);
        let outermost = self.open.is_empty();
        match (outermost, ended) {
            (true, Err(problem)) => {
                let text = self.hide(&problem.to_string());
                self.voice.err(&text);
            }
            (false, _) => {
                let note = line.split_once(": ").map(|(_, rest)| rest.to_owned());
                let ms = millis(time);
                self.step(Step { what: format!("lane {name}"), command: None, exit: None, ms, note });
            }
            _ => {}
        }
        if let Some(receipt) = closed.filter(|_| outermost && self.asked.json) {
            let text = serde_json::to_string(&receipt).unwrap_or_default();
            let text = self.hide(&text);
            self.voice.out(&text);
        }
    }

    /// With `--json` standard output has the receipt and nothing else.
    fn result(&mut self, line: &str) {
        if self.asked.json { self.voice.err(line) } else { self.voice.out(line) }
    }

    /// The fact that the token stands for was just seen. A dry run sees none.
    pub fn token(&mut self, token: Token) -> Result<(), Problem> {
        if self.asked.dry_run {
            self.say(&format!("dry run: no {token}"));
            return Ok(());
        }
        if let Some(receipt) = self.open.last_mut() {
            receipt.token(token);
        }
        if let Some(shelf) = &self.shelf {
            shelf.keep_token(token).map_err(|error| unwritten(&error))?;
        }
        self.keep()?;
        self.result(&format!("TOKEN: {token}"));
        Ok(())
    }

    /// A line about what is going on.
    pub fn say(&mut self, text: &str) {
        let text = self.hide(text);
        self.voice.err(&text);
    }

    /// Something that was seen or done without a program: a step of the receipt, and a line.
    pub fn note(&mut self, what: &str, note: impl Into<String>) {
        let note = self.hide(&note.into());
        self.voice.err(&format!("{what}: {note}"));
        self.step(Step { what: what.into(), command: None, exit: None, ms: 0, note: Some(note) });
    }

    /// The digest of the files that the lane sends.
    pub fn tree(&mut self, digest: &str) {
        if let Some(app) = self.open.last_mut().and_then(|receipt| receipt.app.as_mut()) {
            app.tree = Some(digest.into());
        }
    }

    /// The version changed: the open receipts say the new one.
    pub fn app_changed(&mut self, app: App) {
        for receipt in &mut self.open {
            if let Some(seen) = receipt.app.as_mut() {
                seen.version.clone_from(&app.version);
            }
        }
        self.app = app;
    }

    /// A file of the project that belongs to the receipt.
    pub fn file(&mut self, path: impl Into<String>) {
        if let Some(receipt) = self.open.last_mut() {
            receipt.files.push(path.into());
        }
    }

    /// Keeps what a program printed beside the receipt, under `name`; nothing in a dry run.
    pub fn keep_output(&mut self, name: &str, text: &str) -> Result<(), Problem> {
        let text = self.hide(text);
        let Some(shelf) = &self.shelf else { return Ok(()) };
        let path = shelf.keep_output(name, &text).map_err(|error| unwritten(&error))?;
        self.file(path.display().to_string());
        Ok(())
    }

    /// The receipt of a lane of this run, as it was written; none in a dry run.
    pub fn kept(&self, lane: &str) -> Option<String> {
        std::fs::read_to_string(self.shelf.as_ref()?.folder().join(format!("{lane}.json"))).ok()
    }

    /// A step, and the receipt anew. Where it cannot be written, the end of the lane says so.
    pub fn step(&mut self, step: Step) {
        let step = Step {
            command: step.command.map(|text| self.hide(&text)),
            note: step.note.map(|text| self.hide(&text)),
            ..step
        };
        if let Some(receipt) = self.open.last_mut() {
            receipt.steps.push(step);
        }
        let _ = self.keep();
    }

    /// Runs a program; a status other than 0 is an answer. A dry run shows one that writes, and answers 0 and nothing.
    pub fn run(&mut self, call: &Call) -> Result<Ran, Problem> {
        self.go_on()?;
        if self.asked.dry_run && call.writes {
            self.say(&format!("would run: {}", call.shown()));
            let note = Some("dry run: not run".into());
            self.step(Step { what: call.what.clone(), command: Some(call.shown()), exit: None, ms: 0, note });
            return Ok(Ran::default());
        }
        let begun = Instant::now();
        let (secrets, stop) = (self.secrets(), self.stop.clone());
        let voice = &mut *self.voice;
        let ran = call.run(&secrets, &stop, &mut |line| {
            if call.loud {
                voice.err(line);
            }
        });
        let (exit, note) = match &ran {
            Ok(ran) => (Some(ran.code), None),
            Err(error) => (None, Some(error.to_string())),
        };
        self.step(Step {
            what: call.what.clone(),
            command: Some(call.shown()),
            exit,
            ms: millis(begun.elapsed()),
            note,
        });
        ran.map_err(|error| problem_of(&call.what, &error))
    }

    /// Runs what tidies up, also where the rest was stopped: a few seconds at most, and no step of a receipt.
    pub fn after(&self, call: &Call) -> Result<Ran, ProgramError> {
        call.clone().limit(Duration::from_secs(5)).run(&self.secrets(), &StopFlag::new(), &mut |_| {})
    }

    /// The problem of being stopped, if somebody asked for that.
    pub fn go_on(&self) -> Result<(), Problem> {
        if self.stop.is_set() { Err(Problem::stopped("not finished")) } else { Ok(()) }
    }

    /// Waits, unless somebody wants it to end.
    pub fn wait(&self, time: Duration) -> Result<(), Problem> {
        let begun = Instant::now();
        while begun.elapsed() < time {
            self.go_on()?;
            std::thread::sleep(Duration::from_millis(50).min(time.saturating_sub(begun.elapsed())));
        }
        self.go_on()
    }

    /// Asks before something that cannot be taken back; `--yes` says it beforehand, a dry run does not ask.
    pub fn confirm(&mut self, question: &str) -> Result<(), Problem> {
        if self.asked.yes || self.asked.dry_run {
            return Ok(());
        }
        let todo = "Say --yes if it is meant.";
        match self.voice.ask(question) {
            Some(true) => Ok(()),
            Some(false) => Err(Problem::usage("not confirmed", question, todo)),
            None => Err(Problem::usage("nobody can be asked here", question, todo)),
        }
    }

    /// What must not be seen anywhere.
    pub fn secrets(&self) -> Vec<Secret> {
        self.target.token.clone().into_iter().collect()
    }

    fn hide(&self, text: &str) -> String {
        hidden(text, &self.secrets())
    }

    fn keep(&mut self) -> Result<(), Problem> {
        let secrets = self.secrets();
        let (Some(shelf), Some(receipt)) = (&self.shelf, self.open.last_mut()) else { return Ok(()) };
        receipt.ended = now();
        if let Some(trouble) = &mut receipt.problem {
            for text in [&mut trouble.what, &mut trouble.why, &mut trouble.todo] {
                *text = hidden(text, &secrets);
            }
        }
        shelf.keep(receipt).map_err(|error| unwritten(&error))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn unwritten(error: &std::io::Error) -> Problem {
    Problem::usage("the receipt cannot be written", error.to_string(), "Name another folder with --receipts.")
}

/// A program without a status. Where it talks to a host, the lane gives its own words for a time limit.
fn problem_of(what: &str, error: &ProgramError) -> Problem {
    let why = chain(error);
    match error {
        ProgramError::Stopped(_) => Problem::stopped(what),
        ProgramError::Missing(name) => Problem::usage(what, why, format!("Install {name}.")),
        ProgramError::TooLong { .. } => Problem::new(Kind::Unreachable, what, why, ""),
        ProgramError::Running { .. } => Problem::usage(what, why, ""),
    }
}
