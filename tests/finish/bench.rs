//! A finish against the stand-in, with a face that notes what it was told.

use std::time::Duration;

use sd_swap::demo::core::{CoreStandin, Script};
use sd_swap::domain::backup::BackupSlug;
use sd_swap::domain::finish::{Limits, Listed, Next, Step};
use sd_swap::domain::secret::Secret;
use sd_swap::finish::{Ended, Face, Finishing, Memory, Place, Timing, finish};

/// Seconds of the script that no test lasts.
pub const FOR_EVER: u64 = 10_000_000;

/// Plays many at once: each of them waits nearly all the time.
pub fn beside_each_other<T: Sync, R: Send>(all: &[T], play: impl Fn(&T) -> R + Sync) -> Vec<R> {
    const AT_ONCE: usize = 12;
    let next = std::sync::atomic::AtomicUsize::new(0);
    let one_after_the_other = || {
        let mut results = Vec::new();
        while let Some(one) = all.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            results.push(play(one));
        }
        results
    };
    std::thread::scope(|scope| {
        let players: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(one_after_the_other)).collect();
        players.into_iter().flat_map(|player| player.join().unwrap()).collect()
    })
}

/// How a test goes on.
pub struct Bench {
    pub slug: Option<&'static str>,
    pub key: Option<&'static str>,
    /// Keys that the user enters when asked, one after the other.
    pub keys: Vec<&'static str>,
    /// How often the user wants to try again.
    pub again: usize,
    /// Seconds of the script in a second of the clock.
    pub speed: f64,
    /// Seconds of the script until it is given up.
    pub give_up: u64,
    pub memory: Memory,
    /// By the clock, until an answer counts as missing.
    pub answer: Duration,
    /// Only the port that stands for 8123 is looked at.
    pub old_only: bool,
}

impl Bench {
    pub fn new() -> Bench {
        Bench {
            slug: Some("5e1f2a90"),
            key: None,
            keys: Vec::new(),
            again: 0,
            speed: 60.0,
            give_up: FOR_EVER,
            memory: Memory::none(),
            answer: Duration::from_secs(5),
            old_only: false,
        }
    }

    /// Plays it to its end, on a thread of its own.
    pub fn run(self, script: Script) -> Played {
        let core = CoreStandin::start(script, self.speed).unwrap();
        let play = || actix_web::rt::System::new().block_on(self.play(&core));
        let (ended, face) = std::thread::scope(|scope| scope.spawn(play).join()).unwrap();
        Played { ended, situations: face.situations, core }
    }

    async fn play(self, core: &CoreStandin) -> (Ended, Noting) {
        let mut face = Noting { keys: self.keys, again: self.again, situations: Vec::new(), agree: true };
        face.keys.reverse();
        let ports = if self.old_only { vec![core.old] } else { vec![core.main, core.old] };
        let what = Finishing {
            place: Place { host: "127.0.0.1".into(), ports },
            backup: self.slug.map(|slug| slug.parse().unwrap()),
            agreed: true,
            key: self.key.map(Secret::new),
            limits: Limits { give_up: Duration::from_secs(self.give_up) },
            timing: Timing { speed: self.speed, connect: Duration::from_secs(2), answer: self.answer },
            memory: self.memory,
        };
        // Longer than any test takes by itself.
        let ended = tokio::time::timeout(Duration::from_secs(60), finish(what, &mut face, std::future::pending()));
        (ended.await.expect("it ends by itself"), face)
    }
}

pub struct Played {
    pub ended: Ended,
    /// Ids in order, without repetitions.
    pub situations: Vec<&'static str>,
    pub core: CoreStandin,
}

impl Played {
    /// "done", "offer", …: the situation at the end, and how the program ended.
    pub fn end(&self) -> String {
        match &self.ended {
            Ended::Over { end, situation } => format!("{end:?} · {}", situation.id()),
            Ended::KeyNeeded => "KeyNeeded".into(),
            Ended::Declined => "Declined".into(),
            Ended::Left { .. } => "Left".into(),
        }
    }

    pub fn posts(&self) -> usize {
        self.core.restores().len()
    }
}

struct Noting {
    keys: Vec<&'static str>,
    again: usize,
    agree: bool,
    situations: Vec<&'static str>,
}

impl Face for Noting {
    fn told(&mut self, _: Duration, step: &Step, _: Option<&BackupSlug>) {
        // What is said with the request is what the next look says, too.
        if self.situations.last() != Some(&step.situation.id()) && !matches!(step.next, Next::End(_)) {
            self.situations.push(step.situation.id());
        }
    }

    async fn agree(&mut self, _: &Listed) -> bool {
        self.agree
    }

    async fn key(&mut self) -> Option<Secret> {
        self.keys.pop().map(Secret::new)
    }

    async fn again(&mut self) -> bool {
        let wants = self.again > 0;
        self.again = self.again.saturating_sub(1);
        wants
    }
}
