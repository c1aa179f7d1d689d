//! The rules (docs/finish.md). Time is a duration since the start, given by the caller.
//!
//! A restore is requested only when the onboarding is fresh, Core is idle, the backup is in the list just read, no
//! request is open, and the last one, if there was one, was refused in a way that allows another.

mod request;

use std::time::Duration;

use super::observe::Home;
use super::step::{after, ask, end, offer};
use super::{
    Backups, End, Info, Kind, Last, Limits, Look, Manager, Next, Posted, Refusal, RestoreStage, Situation, Step,
};
use crate::domain::backup::BackupSlug;

/// What would be an end is looked at once more after this.
const ONCE_MORE: Duration = Duration::from_secs(2);
/// A home that closes each connection for so long speaks https.
const CLOSED: Duration = Duration::from_secs(60);
/// A Core that came back fresh without a word of the restore is left alone for so long.
const UNSURE: Duration = Duration::from_secs(120);
/// Somebody else's job is waited for so long before the user is asked.
const BUSY: Duration = Duration::from_secs(30 * 60);
/// Silence is usual for so long: the first start takes 5 to 20 minutes.
const SILENCE: Duration = Duration::from_secs(25 * 60);

/// Where a restore stands, as far as we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    None,
    /// Our request is open.
    Open,
    /// A restore runs: our request was cut, an earlier run of us sent it, or somebody else did.
    Watched,
    /// Refused because a job was running.
    Busy,
}

#[derive(Debug)]
struct Refused {
    refusal: Refusal,
    first: Duration,
    last: Duration,
    /// Nothing answered since.
    restarted: bool,
}

/// The state of one finish: what was seen before.
#[derive(Debug)]
pub struct Finish {
    limits: Limits,
    wanted: Option<BackupSlug>,
    agreed: bool,
    key: bool,
    key_refused: bool,
    fresh_seen: bool,
    run: Run,
    /// A restore was seen running (or its request was cut) since the last request.
    ran: bool,
    /// Core was silent, or starting, since the last request.
    restarted: bool,
    /// The request was answered with success.
    completed: bool,
    refused: Option<Refused>,
    /// Since when we wait for what we wait for now.
    began: Duration,
    /// How many looks in a row said 404.
    gone: u32,
    closed: Option<Duration>,
    quiet: Option<Duration>,
    unlisted: Option<Duration>,
    unsure: Option<Duration>,
}

impl Finish {
    /// `wanted`: the backup that the user named. `agreed`: the only backup that lies there need not be confirmed.
    pub fn new(wanted: Option<BackupSlug>, agreed: bool, key: bool, limits: Limits) -> Finish {
        Finish {
            limits,
            agreed: agreed || wanted.is_some(),
            wanted,
            key,
            key_refused: false,
            fresh_seen: false,
            run: Run::None,
            ran: false,
            restarted: false,
            completed: false,
            refused: None,
            began: Duration::ZERO,
            gone: 0,
            closed: None,
            quiet: None,
            unlisted: None,
            unsure: None,
        }
    }

    /// An earlier run of us saw a fresh onboarding and sent the request: as if it had been cut just now.
    pub fn resume(&mut self) {
        self.fresh_seen = true;
        self.run = Run::Watched;
        (self.ran, self.restarted) = (true, true);
    }

    /// The user means this backup.
    pub fn agree(&mut self, slug: BackupSlug) {
        self.wanted = Some(slug);
        self.agreed = true;
    }

    pub fn key_given(&mut self) {
        self.key = true;
        self.refused = self.refused.take().filter(|refused| refused.refusal.kind != Kind::Key);
    }

    /// The user wants to try again after [`Next::Offer`].
    pub fn again(&mut self, now: Duration) {
        self.run = Run::None;
        self.refused = None;
        self.began = now;
        (self.ran, self.restarted, self.completed, self.unsure) = (false, false, false, None);
    }

    /// Whether our request may still be open; if so, leaving makes Core forget that a restore runs.
    pub fn is_open(&self) -> bool {
        self.run == Run::Open
    }

    /// Whether a request was sent (or a restore seen) whose end is not known.
    pub fn is_restoring(&self) -> bool {
        matches!(self.run, Run::Open | Run::Watched)
    }

    /// A look is over.
    pub fn looked(&mut self, now: Duration, look: &Look) -> Step {
        let home = look.home();
        if !matches!(home, Home::Gone { .. }) {
            self.gone = 0;
        }
        if !matches!(home, Home::Closed { .. }) {
            self.closed = None;
        }
        if !matches!(home, Home::Silent) {
            self.quiet = None;
        }
        if !matches!(home, Home::Fresh { .. }) {
            (self.unlisted, self.unsure) = (None, None);
        }
        let step = match home {
            Home::Fresh { port, info } => self.fresh(now, port, info),
            Home::Begun => end(Situation::SetUpAnew, End::SetUp),
            Home::Gone { port } => self.gone(port),
            Home::Closed { port } => self.closed(now, port),
            away => self.away(now, &away),
        };
        self.bounded(now, step)
    }

    /// Our request has ended.
    pub fn posted(&mut self, now: Duration, posted: &Posted) -> Step {
        match posted {
            Posted::NeverSent => {
                self.run = Run::None;
                ask(Situation::Starting)
            }
            Posted::Cut => {
                self.run = Run::Watched;
                self.ran = true;
                after(Situation::Restarting, ONCE_MORE)
            }
            Posted::Answered(answer) if answer.status == 200 => {
                self.run = Run::Watched;
                self.completed = true;
                after(Situation::Restarting, ONCE_MORE)
            }
            Posted::Answered(answer) => self.refused(now, answer),
        }
    }

    fn fresh(&mut self, now: Duration, port: u16, info: Option<&Info>) -> Step {
        self.fresh_seen = true;
        match info {
            Some(Info::List(list)) => self.list(now, port, list),
            other => {
                self.unlisted = None;
                // Core is starting.
                self.restarted |= matches!(other, Some(Info::Missing));
                ask(self.passing())
            }
        }
    }

    /// Core is on its way, up or down.
    fn passing(&self) -> Situation {
        if self.is_restoring() { Situation::Restarting } else { Situation::Starting }
    }

    fn list(&mut self, now: Duration, port: u16, list: &Backups) -> Step {
        match list.state {
            Manager::Restoring => {
                let stage = if let Last::Running(stage) = list.last { stage } else { None };
                self.running(now, stage)
            }
            Manager::Idle => self.idle(now, port, list),
            Manager::Blocked | Manager::Other => {
                self.unlisted = None;
                ask(self.passing())
            }
        }
    }

    fn running(&mut self, now: Duration, stage: Option<RestoreStage>) -> Step {
        if self.run == Run::None {
            self.began = now;
        }
        if self.run != Run::Open {
            self.run = Run::Watched;
        }
        self.ran = true;
        self.unsure = None;
        ask(Situation::Restoring { stage })
    }

    fn idle(&mut self, now: Duration, port: u16, list: &Backups) -> Step {
        match (list.last, self.run) {
            // Its client went away; the Supervisor goes on.
            (Last::Running(stage), _) => self.running(now, stage),
            (Last::Completed, _) => end(Situation::DoneNotSetUp { port }, End::Done),
            // Its answer is under way.
            (_, Run::Open) if !self.restarted => ask(Situation::Restoring { stage: None }),
            (_, Run::None) => self.ready(now, port, list),
            // Only a Core that came back says for sure what became of its restore.
            (Last::Failed, _) if self.ran && self.restarted => offer(Situation::FailedAfter),
            (last, Run::Open | Run::Watched | Run::Busy) => self.unsure(now, port, last),
        }
    }

    /// Fresh and idle, and no word of the restore that should run: its last event is gone, or may be of another request.
    fn unsure(&mut self, now: Duration, port: u16, last: Last) -> Step {
        if self.completed {
            return end(Situation::DoneNotSetUp { port }, End::Done);
        }
        let since = *self.unsure.get_or_insert(now);
        let (situation, patience) = match self.run {
            Run::Busy => (Situation::Busy, BUSY),
            _ => (Situation::Restarting, UNSURE),
        };
        if now.saturating_sub(since) < patience {
            return ask(situation);
        }
        offer(if last == Last::Failed && self.ran { Situation::FailedAfter } else { Situation::Interrupted })
    }

    /// 404: a home that is set up. The old one, unless a fresh one was seen before.
    fn gone(&mut self, port: u16) -> Step {
        self.gone += 1;
        match (self.fresh_seen, self.gone) {
            (false, _) => ask(Situation::OldHome { port, https: false }),
            // Should a starting Core answer so for a moment, the next look tells.
            (true, 1) => after(self.passing(), ONCE_MORE),
            (true, _) => end(Situation::Done { port }, End::Done),
        }
    }

    fn closed(&mut self, now: Duration, port: u16) -> Step {
        let since = *self.closed.get_or_insert(now);
        let lasting = now.saturating_sub(since) >= CLOSED;
        match (self.fresh_seen, self.is_restoring(), lasting) {
            (false, _, true) => ask(Situation::OldHome { port, https: true }),
            (true, true, true) => end(Situation::DoneHttps { port }, End::Done),
            _ => ask(self.passing()),
        }
    }

    /// Core does not talk to us.
    fn away(&mut self, now: Duration, home: &Home<'_>) -> Step {
        let silent = matches!(home, Home::Silent);
        if silent {
            self.restarted = true;
            if let Some(refused) = &mut self.refused {
                refused.restarted = true;
            }
        }
        if self.is_restoring() {
            return ask(Situation::Restarting);
        }
        ask(match home {
            Home::Landing => Situation::Landing,
            Home::Stranger => Situation::Stranger,
            Home::Silent => {
                let since = now.saturating_sub(*self.quiet.get_or_insert(now));
                let minutes = since.as_secs() / 60;
                if since < SILENCE { Situation::Booting { minutes } } else { Situation::NotFound { minutes } }
            }
            _ => Situation::Starting,
        })
    }

    /// No wait is without an end.
    fn bounded(&self, now: Duration, step: Step) -> Step {
        let Next::Ask(wait) = step.next else { return step };
        let waited = now.saturating_sub(self.began);
        let left = self.limits.give_up.saturating_sub(waited);
        if !left.is_zero() {
            return after(step.situation, wait.min(left));
        }
        let minutes = waited.as_secs() / 60;
        match step.situation {
            old @ Situation::OldHome { .. } => end(old, End::SetUp),
            _ if self.is_restoring() => end(Situation::Hanging { minutes }, End::TimedOut),
            _ => end(Situation::GaveUp { minutes }, End::TimedOut),
        }
    }
}
