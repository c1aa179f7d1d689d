//! What goes wrong with a scratch card, and when: by the count of operations, so that a fault is met again exactly.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::host::linux::Errno;

/// One operation on a claimed card, in the order in which it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    Claim,
    Read {
        offset: u64,
        length: u64,
    },
    Write {
        offset: u64,
        length: u64,
    },
    Flush,
    Tool(&'static str),
    /// Taking the exclusive descriptor again.
    ShutOut,
    AdmitTools,
}

/// What happens at an operation instead of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It fails once with EIO; the next one works.
    Fails,
    /// The card is pulled out just before it.
    Pulled,
    /// The power goes just before it: writes since the last flush are each kept or lost as `seed` says.
    PowerCut { seed: u64 },
    /// It takes so much longer.
    Stalls(Duration),
    /// It waits until the test that holds the gate opens it: what happens meanwhile happens exactly here.
    Waits(Gate),
    /// A child tool dies half-way: its process is killed. On other operations as `Fails`.
    ToolDies,
    /// The process that works on the card is killed just before it (nothing is lost that was written).
    Killed,
}

/// Holds an operation up, so that a click, a pull or an end of the program meets it and no other.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<GateState>);

#[derive(Debug, Default)]
struct GateState {
    steps: Mutex<GateSteps>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateSteps {
    reached: bool,
    open: bool,
}

/// A gate that nobody opens opens by itself: a test that forgot it fails elsewhere, it does not hang.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

impl PartialEq for Gate {
    fn eq(&self, other: &Gate) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Gate {}

impl Gate {
    fn steps(&self) -> MutexGuard<'_, GateSteps> {
        self.0.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the operation has come to the gate.
    pub fn is_reached(&self) -> bool {
        self.steps().reached
    }

    pub fn open(&self) {
        self.steps().open = true;
        self.0.changed.notify_all();
    }

    fn wait(&self) {
        self.steps().reached = true;
        let waiting = self.0.changed.wait_timeout_while(self.steps(), LONGEST_WAIT, |steps| !steps.open);
        drop(waiting);
    }
}

/// What comes back wrong from the medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// The lowest bit of its first byte is flipped at each read, until written so many times.
    BitFlips { heals_after_writes: u32 },
    /// Reads as zeros.
    Zeros { heals_after_writes: u32 },
    /// Other bytes at each read.
    Unsteady,
    /// Reading fails with EIO.
    Unreadable,
}

#[derive(Debug, Default)]
struct Script {
    faults: BTreeMap<u64, Fault>,
    damage: Vec<(Range<u64>, Damage)>,
    count: u64,
    log: Vec<Op>,
    dead: Option<Death>,
    reads: u64,
    cut_seed: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    Pulled,
    /// The power is off or the process is killed: from then on nothing reaches the card.
    Off,
}

/// The script of a card's faults, shared between the test that writes it and the claims that follow it.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Script>>);

impl Faults {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// At operation number `n`, counted from 0 since the card was plugged in.
    pub fn at(&self, n: u64, fault: Fault) {
        self.script().faults.insert(n, fault);
    }

    pub fn damage(&self, range: Range<u64>, damage: Damage) {
        self.script().damage.push((range, damage));
    }

    /// A power cut is to come: what would be lost has to be remembered.
    pub(super) fn cuts_power(&self) -> bool {
        self.script().faults.values().any(|fault| matches!(fault, Fault::PowerCut { .. }))
    }

    /// Everything that was asked of the card so far.
    pub fn log(&self) -> Vec<Op> {
        self.script().log.clone()
    }

    pub fn count(&self) -> u64 {
        self.script().count
    }

    pub fn is_pulled(&self) -> bool {
        self.script().dead == Some(Death::Pulled)
    }

    /// The power went or the process was killed at a scripted operation.
    pub fn is_off(&self) -> bool {
        self.script().dead == Some(Death::Off)
    }

    pub(super) fn pull(&self) {
        self.script().dead.get_or_insert(Death::Pulled);
    }

    /// The seed by which writes in the card's cache are kept or lost, once after a power cut.
    pub(super) fn take_cut(&self) -> Option<u64> {
        self.script().cut_seed.take()
    }

    /// Errs as a pulled or powerless card does.
    pub fn alive(&self) -> io::Result<()> {
        match self.script().dead {
            None => Ok(()),
            Some(Death::Pulled) => Err(Errno::ENODEV.into()),
            Some(Death::Off) => Err(Errno::EIO.into()),
        }
    }

    /// Counts and logs an operation, and lets its fault happen.
    pub(super) fn before(&self, op: Op) -> io::Result<()> {
        self.alive()?;
        let fault = {
            let mut script = self.script();
            let number = script.count;
            script.count += 1;
            script.log.push(op.clone());
            script.faults.remove(&number)
        };
        match fault {
            None => Ok(()),
            Some(Fault::Fails) => Err(Errno::EIO.into()),
            Some(Fault::ToolDies) if matches!(op, Op::Tool(_)) => Err(Errno::EINTR.into()),
            Some(Fault::ToolDies) => Err(Errno::EIO.into()),
            Some(Fault::Pulled) => {
                self.pull();
                self.alive()
            }
            Some(Fault::PowerCut { seed }) => {
                let mut script = self.script();
                script.dead = Some(Death::Off);
                script.cut_seed = Some(seed);
                Err(Errno::EIO.into())
            }
            Some(Fault::Killed) => {
                self.script().dead = Some(Death::Off);
                Err(Errno::EIO.into())
            }
            Some(Fault::Waits(gate)) => {
                gate.wait();
                self.alive()
            }
            Some(Fault::Stalls(time)) => {
                std::thread::sleep(time);
                self.alive()
            }
        }
    }

    /// Spoils what was read at `offset` as the medium's damage says.
    pub(super) fn spoil(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut script = self.script();
        script.reads += 1;
        let (reads, end) = (script.reads, offset + buffer.len() as u64);
        for (range, damage) in &script.damage {
            let (from, to) = (range.start.max(offset), range.end.min(end));
            let Some(part) = (from < to).then(|| &mut buffer[(from - offset) as usize..(to - offset) as usize]) else {
                continue;
            };
            match damage {
                Damage::BitFlips { .. } => part[0] ^= 1,
                Damage::Zeros { .. } => part.fill(0),
                Damage::Unsteady => part.fill(reads as u8),
                Damage::Unreadable => return Err(Errno::EIO.into()),
            }
        }
        Ok(())
    }

    /// A write reached the damaged place: some damage heals by it, as a worn card maps a block elsewhere.
    pub(super) fn written(&self, offset: u64, length: u64) {
        let mut script = self.script();
        script.damage.retain_mut(|(range, damage)| {
            if range.start >= offset + length || range.end <= offset {
                return true;
            }
            match damage {
                Damage::BitFlips { heals_after_writes } | Damage::Zeros { heals_after_writes } => {
                    *heals_after_writes = heals_after_writes.saturating_sub(1);
                    *heals_after_writes > 0
                }
                Damage::Unsteady | Damage::Unreadable => true,
            }
        });
    }
}
