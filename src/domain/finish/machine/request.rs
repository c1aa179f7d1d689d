//! The restore request: of what, when it may be sent, and what follows from its refusal.

use std::time::Duration;

use super::super::listed::{Choice, choose, names};
use super::super::step::{ASK, after, ask, end, offer};
use super::super::{Answer, Backups, End, Kind, Last, Listed, Next, Order, Refusal, Repeat, Situation, Step};
use super::{Finish, Refused, Run};

/// A list without the backup is asked again for so long: an error of the Supervisor looks the same.
const UNLISTED: Duration = Duration::from_secs(120);

impl Finish {
    /// Core waits for a request, and nothing of ours is under way.
    pub(super) fn ready(&mut self, now: Duration, port: u16, list: &Backups) -> Step {
        if let Some(step) = self.held_back(now, list.last) {
            return step;
        }
        let backup = match choose(self.wanted.as_ref(), &list.listed) {
            Choice::This(backup) if backup.core => backup,
            Choice::This(backup) => return without_core(&backup.name),
            Choice::Several(list) => return end(Situation::Several { list }, End::Several),
            Choice::None => return self.unlisted(now, &list.listed),
        };
        self.unlisted = None;
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
                Some(offer(Situation::StillRefused { said }))
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

    /// Not listed; an error of the Supervisor looks the same for a while.
    fn unlisted(&mut self, now: Duration, listed: &[Listed]) -> Step {
        let since = *self.unlisted.get_or_insert(now);
        if now.saturating_sub(since) < UNLISTED {
            return ask(Situation::Looking);
        }
        match (&self.wanted, listed) {
            (None, [backup, ..]) => without_core(&backup.name),
            _ => end(Situation::NotListed { list: names(listed) }, End::NotListed),
        }
    }

    pub(super) fn refused(&mut self, now: Duration, answer: &Answer) -> Step {
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
}

/// A refusal that is the end of it, or may be tried again if the user wants to.
fn final_refusal(refusal: &Refusal) -> Step {
    let said = refusal.said.clone();
    match refusal.kind {
        Kind::NoSpace => end(Situation::NoSpace { said }, End::Failed),
        Kind::WithoutCore => without_core(""),
        Kind::Failed => offer(Situation::FailedBefore { said }),
        _ => offer(Situation::Refused { said }),
    }
}

fn without_core(name: &str) -> Step {
    end(Situation::WithoutCore { name: name.into() }, End::NotListed)
}
