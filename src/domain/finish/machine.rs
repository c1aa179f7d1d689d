//! The rules (docs/finish.md). Time is a duration since the start, given by the caller.
//!
//! A restore is requested only when the onboarding is fresh, Core is idle, the backup is in the list just read, no
//! request is open, and the last one, if there was one, was refused in a way that allows another.

use std::time::Duration;

use super::observe::Home;
use super::{
    Answer, Backups, Info, Kind, Last, Listed, Look, Manager, Posted, Refusal, Repeat, RestoreStage, Situation,
};
use crate::domain::backup::BackupSlug;

/// From one answer to the next question.
pub const ASK: Duration = Duration::from_secs(5);
/// What would be an end is looked at once more after this.
const ONCE_MORE: Duration = Duration::from_secs(2);
/// A list without the backup is asked again for so long: an error of the Supervisor looks the same.
const UNLISTED: Duration = Duration::from_secs(120);
/// A home that closes each connection for so long speaks https.
const CLOSED: Duration = Duration::from_secs(60);
/// A Core that came back fresh without a word of the restore is left alone for so long.
const UNSURE: Duration = Duration::from_secs(120);
/// Somebody else's job is waited for so long before the user is asked.
const BUSY: Duration = Duration::from_secs(30 * 60);
/// Silence is usual for so long: the first start takes 5 to 20 minutes.
const SILENCE: Duration = Duration::from_secs(25 * 60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long to wait for the new system, and then anew for a restore. A restore that hangs looks like one that runs.
    pub give_up: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { give_up: Duration::from_secs(6 * 3600) }
    }
}

/// A restore request: where to send it, and of what. Its body is [`Listed::request`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub port: u16,
    pub backup: Listed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Look again after this.
    Ask(Duration),
    /// Send the request, leave it open as long as it takes, and look again meanwhile.
    Post(Order),
    /// Ask the user for the backup's key ([`Finish::key_given`]).
    NeedKey,
    /// Ask the user whether this backup is meant ([`Finish::agree`]).
    Confirm(Listed),
    /// Ask the user whether to try again ([`Finish::again`]); without one this is the end.
    Offer,
    End(End),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Done,
    /// The system is set up; nothing may be done to it.
    SetUp,
    /// The backup is not listed, or cannot be restored here.
    NotListed,
    /// Several backups, and none was named.
    Several,
    Failed,
    TimedOut,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub situation: Situation,
    pub next: Next,
}

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
    /// Core was silent since the last request.
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
        self.ran = true;
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
                ask(Situation::Restarting)
            }
            Posted::Answered(answer) if answer.status == 200 => {
                self.run = Run::Watched;
                self.completed = true;
                after(Situation::Restarting, ONCE_MORE)
            }
            Posted::Answered(answer) => self.refused(now, answer),
        }
    }

    fn refused(&mut self, now: Duration, answer: &Answer) -> Step {
        let refusal = Refusal::of(answer);
        self.run = Run::None;
        self.ran = false;
        match refusal.kind.repeat() {
            Repeat::Watch => {
                (self.run, self.refused) = (Run::Busy, None);
                ask(Situation::Busy)
            }
            Repeat::WithKey => {
                (self.key, self.key_refused) = (false, true);
                self.remember(now, refusal);
                Step { situation: Situation::KeyWrong, next: Next::NeedKey }
            }
            Repeat::Never => {
                let step = final_refusal(&refusal);
                self.remember(now, refusal);
                step
            }
            Repeat::After { .. } | Repeat::Restarted => {
                let situation = Situation::of_refusal(&refusal);
                self.remember(now, refusal);
                ask(situation)
            }
        }
    }

    fn remember(&mut self, now: Duration, refusal: Refusal) {
        let same = self.refused.take().filter(|before| before.refusal.kind == refusal.kind);
        let first = same.map_or(now, |before| before.first);
        self.refused = Some(Refused { refusal, first, last: now, restarted: false });
    }

    fn fresh(&mut self, now: Duration, port: u16, info: Option<&Info>) -> Step {
        self.fresh_seen = true;
        match info {
            Some(Info::List(list)) => self.list(now, port, list),
            _ => {
                self.unlisted = None;
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
            (Last::Failed, Run::Open | Run::Watched | Run::Busy) if self.ran => self.offer(Situation::FailedAfter),
            (_, Run::None) => self.ready(now, port, list),
            (_, Run::Open | Run::Watched | Run::Busy) => self.unsure(now, port),
        }
    }

    /// Fresh and idle, and no word of the restore that should run: its last event is gone, or it is not ours.
    fn unsure(&mut self, now: Duration, port: u16) -> Step {
        if self.completed {
            return end(Situation::DoneNotSetUp { port }, End::Done);
        }
        let since = *self.unsure.get_or_insert(now);
        let (situation, patience) = match self.run {
            Run::Busy => (Situation::Busy, BUSY),
            _ => (Situation::Restarting, UNSURE),
        };
        if now.saturating_sub(since) < patience { ask(situation) } else { self.offer(Situation::Interrupted) }
    }

    /// Core waits for a request, and nothing of ours is under way.
    fn ready(&mut self, now: Duration, port: u16, list: &Backups) -> Step {
        if let Some(step) = self.held_back(now, list.last) {
            return step;
        }
        let backup = match self.choose(now, &list.listed) {
            Ok(backup) => backup,
            Err(step) => return step,
        };
        if !self.agreed {
            return Step {
                situation: Situation::Found { name: backup.name.clone() },
                next: Next::Confirm(backup.clone()),
            };
        }
        if backup.protected && !self.key {
            let wrong = self.key_refused;
            let situation =
                if wrong { Situation::KeyWrong } else { Situation::KeyNeeded { name: backup.name.clone() } };
            return Step { situation, next: Next::NeedKey };
        }
        self.run = Run::Open;
        self.began = now;
        (self.ran, self.restarted, self.completed, self.unsure) = (false, false, false, None);
        let order = Order { port, backup: backup.clone() };
        Step { situation: Situation::Restoring { stage: None }, next: Next::Post(order) }
    }

    /// What the last refusal asks for before another request. `None`: nothing more.
    fn held_back(&mut self, now: Duration, last: Last) -> Option<Step> {
        let refused = self.refused.as_ref()?;
        let situation = Situation::of_refusal(&refused.refusal);
        match refused.refusal.kind.repeat() {
            Repeat::After { within: Some(limit), .. } if now.saturating_sub(refused.first) > limit => {
                let said = refused.refusal.said.clone();
                Some(self.offer(Situation::StillRefused { said }))
            }
            Repeat::After { interval, .. } => {
                let waited = now.saturating_sub(refused.last);
                (waited < interval).then(|| after(situation, (interval - waited).min(ASK)))
            }
            // A Core that was started anew knows nothing of the request.
            Repeat::Restarted if refused.restarted && last == Last::None => {
                self.refused = None;
                None
            }
            Repeat::Restarted | Repeat::Watch => Some(ask(situation)),
            Repeat::WithKey => Some(Step { situation: Situation::KeyWrong, next: Next::NeedKey }),
            Repeat::Never => Some(final_refusal(&refused.refusal)),
        }
    }

    /// The backup to restore, from the list just read.
    fn choose<'a>(&mut self, now: Duration, listed: &'a [Listed]) -> Result<&'a Listed, Step> {
        let usable: Vec<&Listed> = listed.iter().filter(|backup| backup.core).collect();
        let found = match &self.wanted {
            Some(slug) => listed.iter().find(|backup| backup.slug == *slug),
            None => only(&usable),
        };
        match found {
            Some(backup) if backup.core => {
                self.unlisted = None;
                Ok(backup)
            }
            Some(backup) => Err(end(Situation::WithoutCore { name: backup.name.clone() }, End::NotListed)),
            None if self.wanted.is_none() && usable.len() > 1 => {
                Err(end(Situation::Several { list: names(&usable) }, End::Several))
            }
            None => Err(self.unlisted(now, listed)),
        }
    }

    fn unlisted(&mut self, now: Duration, listed: &[Listed]) -> Step {
        let since = *self.unlisted.get_or_insert(now);
        if now.saturating_sub(since) < UNLISTED {
            return ask(Situation::Looking);
        }
        match (&self.wanted, listed) {
            (None, [backup, ..]) => end(Situation::WithoutCore { name: backup.name.clone() }, End::NotListed),
            _ => {
                let list = names(&listed.iter().collect::<Vec<_>>());
                end(Situation::NotListed { list }, End::NotListed)
            }
        }
    }

    /// 404: a home that is set up. The old one, unless a fresh one was seen before.
    fn gone(&mut self, port: u16) -> Step {
        self.gone += 1;
        match (self.fresh_seen, self.gone) {
            (false, _) => ask(Situation::OldHome),
            // Should a starting Core answer so for a moment, the next look tells.
            (true, 1) => after(self.passing(), ONCE_MORE),
            (true, _) => end(Situation::Done { port }, End::Done),
        }
    }

    fn closed(&mut self, now: Duration, port: u16) -> Step {
        let since = *self.closed.get_or_insert(now);
        let lasting = now.saturating_sub(since) >= CLOSED;
        match (self.fresh_seen, self.is_restoring(), lasting) {
            (false, _, true) => ask(Situation::OldHome),
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

    fn offer(&self, situation: Situation) -> Step {
        Step { situation, next: Next::Offer }
    }

    /// No wait is without an end.
    fn bounded(&self, now: Duration, step: Step) -> Step {
        let waited = now.saturating_sub(self.began);
        if !matches!(step.next, Next::Ask(_)) || waited < self.limits.give_up {
            return step;
        }
        let minutes = waited.as_secs() / 60;
        match step.situation {
            Situation::OldHome => end(Situation::OldHome, End::SetUp),
            _ if self.is_restoring() => end(Situation::Hanging { minutes }, End::TimedOut),
            _ => end(Situation::GaveUp { minutes }, End::TimedOut),
        }
    }
}

/// The only one; of several the only one that was made for a move.
fn only<'a>(usable: &[&'a Listed]) -> Option<&'a Listed> {
    let mut ours = usable.iter().filter(|backup| backup.is_ours());
    match (usable, ours.next(), ours.next()) {
        ([one], _, _) => Some(one),
        (_, Some(one), None) => Some(one),
        _ => None,
    }
}

fn names(listed: &[&Listed]) -> String {
    let names: Vec<String> = listed.iter().map(|backup| format!("{} ({})", backup.name, backup.slug)).collect();
    if names.is_empty() { "–".into() } else { names.join(", ") }
}

/// A refusal that is the end of it, or may be tried again if the user wants to.
fn final_refusal(refusal: &Refusal) -> Step {
    let said = refusal.said.clone();
    match refusal.kind {
        Kind::NoSpace => end(Situation::NoSpace { said }, End::Failed),
        Kind::WithoutCore => end(Situation::WithoutCore { name: String::new() }, End::NotListed),
        Kind::Failed => Step { situation: Situation::FailedBefore { said }, next: Next::Offer },
        _ => Step { situation: Situation::Refused { said }, next: Next::Offer },
    }
}

fn ask(situation: Situation) -> Step {
    after(situation, ASK)
}

fn after(situation: Situation, wait: Duration) -> Step {
    Step { situation, next: Next::Ask(wait) }
}

fn end(situation: Situation, end: End) -> Step {
    Step { situation, next: Next::End(end) }
}
