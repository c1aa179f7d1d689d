//! Regular files that play cards: plugged, pulled, made read-only, made to fail at the n-th operation, made to lie about
//! their size, to lose power with writes still in their cache.
//!
//! They go through the same descriptors and the same child tools as a real disk; only what a real disk would do by itself
//! is played here.

mod card;
pub mod fault;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::domain::disk::{Access, Contents, Disk, DiskId, Fingerprint, Transport};
use crate::domain::size::Bytes;

use super::contents::Ends;
use super::linux::descriptor::{Descriptor, Look, OpenFailed};
use super::{Claim, Host, HostError, identity, probe};

pub use card::ScratchClaim;
use fault::Faults;

/// How a scratch card presents itself.
#[derive(Debug, Clone)]
pub struct ScratchSpec {
    pub file: PathBuf,
    pub vendor: String,
    pub model: String,
    pub serial: String,
    pub bus_path: String,
    pub slot: Option<u32>,
    pub read_only: bool,
    /// Bytes in a second that it takes and gives; `None`: as fast as the file.
    pub write_speed: Option<u64>,
    pub read_speed: Option<u64>,
    /// A counterfeit: it claims the file's length but keeps only so many bytes.
    pub keeps: Option<Bytes>,
}

impl ScratchSpec {
    pub fn new(file: impl Into<PathBuf>) -> ScratchSpec {
        ScratchSpec {
            file: file.into(),
            vendor: "Scratch".into(),
            model: "card".into(),
            serial: "0001".into(),
            bus_path: "scratch/1".into(),
            slot: None,
            read_only: false,
            write_speed: None,
            read_speed: None,
            keeps: None,
        }
    }
}

/// A card and what happened to it; shared with its claims.
#[derive(Debug)]
struct Card {
    spec: ScratchSpec,
    plugged: bool,
    plug: u64,
    plugged_at: Option<u64>,
    faults: Faults,
    /// While it lives, a scan does not open the card: our own tools would find it busy.
    claim: Weak<ScratchClaim>,
}

enum Seen {
    Claimed,
    Free(Faults),
}

/// Plays a machine whose only disks are scratch cards.
#[derive(Debug, Clone, Default)]
pub struct ScratchHost(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    cards: BTreeMap<DiskId, Card>,
    changes: u64,
    waited_for: u64,
    nudged: bool,
    /// Who else is told of each change.
    also: Option<Waker>,
    free_space: Option<Bytes>,
}

impl ScratchHost {
    pub fn new() -> ScratchHost {
        ScratchHost::default()
    }

    /// A panic elsewhere must not make the disks vanish: the state is valid after each statement here.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let result = act(&mut state);
        state.changes += 1;
        self.0.changed.notify_all();
        state.also.iter().for_each(Waker::wake_by_ref);
        result
    }

    /// Wakes `waker` at each change from now on, in place of the one before it: who waits for others as well waits there.
    pub fn tell(&self, waker: Waker) {
        self.state().also = Some(waker);
    }

    /// Adds a card that is plugged in, as if it had been there before we began to watch.
    pub fn add(&self, name: &str, spec: ScratchSpec) -> DiskId {
        let id = DiskId(name.into());
        let card =
            Card { spec, plugged: true, plug: 1, plugged_at: None, faults: Faults::default(), claim: Weak::new() };
        self.change(|state| state.cards.insert(id.clone(), card));
        id
    }

    pub fn has(&self, id: &DiskId) -> bool {
        self.state().cards.contains_key(id)
    }

    /// Puts a card in that was pulled (or another file in its place) while we watch.
    pub fn plug(&self, id: &DiskId, other: Option<PathBuf>) {
        self.change(|state| {
            if let Some(card) = state.cards.get_mut(id) {
                card.plugged = true;
                card.plug += 1;
                card.plugged_at = Some(now());
                card.faults = Faults::default();
                if let Some(file) = other {
                    card.spec.file = file;
                }
            }
        });
    }

    /// Pulls a card: claims on it fail from now on as those on a pulled disk do.
    pub fn pull(&self, id: &DiskId) {
        self.change(|state| {
            if let Some(card) = state.cards.get_mut(id) {
                card.plugged = false;
                card.faults.pull();
            }
        });
    }

    pub fn set_read_only(&self, id: &DiskId, read_only: bool) {
        self.change(|state| {
            if let Some(card) = state.cards.get_mut(id) {
                card.spec.read_only = read_only;
            }
        });
    }

    /// The faults of a card: to script them and to read what was done to it.
    pub fn faults(&self, id: &DiskId) -> Faults {
        self.state().cards.get(id).map(|card| card.faults.clone()).unwrap_or_default()
    }

    /// What [`Host::free_space`] answers; `None`: the truth.
    pub fn set_free_space(&self, free: Option<Bytes>) {
        self.state().free_space = free;
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|d| d.as_secs()).unwrap_or(0)
}

impl Host for ScratchHost {
    fn disks(&self) -> Result<Vec<Disk>, HostError> {
        // The state is held over the whole scan: a claim in the middle of a look would find the card busy.
        let state = self.state();
        let there = state.cards.iter().filter(|(_, card)| card.plugged && !card.faults.is_pulled());
        let described = there.map(|(id, card)| {
            let seen = match card.claim.strong_count() {
                0 => Seen::Free(card.faults.clone()),
                _ => Seen::Claimed,
            };
            describe(id.clone(), card.spec.clone(), card.plug, card.plugged_at, &seen)
        });
        Ok(described.collect())
    }

    fn wait_change(&self, timeout: Duration) -> bool {
        let state = self.state();
        let (mut state, _) = self
            .0
            .changed
            .wait_timeout_while(state, timeout, |state| state.changes == state.waited_for && !state.nudged)
            .unwrap_or_else(PoisonError::into_inner);
        let changed = state.changes != state.waited_for;
        state.waited_for = state.changes;
        state.nudged = false;
        changed
    }

    fn nudge(&self) {
        self.state().nudged = true;
        self.0.changed.notify_all();
    }

    fn claim(&self, id: &DiskId) -> Result<Arc<dyn Claim>, HostError> {
        let mut state = self.state();
        let card = state.cards.get_mut(id).filter(|card| card.plugged && !card.faults.is_pulled());
        let card = card.ok_or_else(|| HostError::NoDisk(id.clone()))?;
        if card.spec.read_only {
            return Err(HostError::ReadOnly(id.clone()));
        }
        card.faults.before(fault::Op::Claim).map_err(|source| match card.faults.is_pulled() {
            true => HostError::NoDisk(id.clone()),
            false => HostError::Opening { disk: id.clone(), source },
        })?;
        let descriptor = Descriptor::claim(&card.spec.file).map_err(|failed| failed.on(id))?;
        let claim = Arc::new(ScratchClaim::new(descriptor, card.spec.clone(), card.faults.clone()));
        card.claim = Arc::downgrade(&claim);
        Ok(claim)
    }

    fn disks_under(&self, _path: &Path) -> Result<Vec<DiskId>, HostError> {
        Ok(Vec::new())
    }

    fn disks_in_use(&self) -> Result<Vec<DiskId>, HostError> {
        Ok(Vec::new())
    }

    fn free_space(&self, dir: &Path) -> Result<Bytes, HostError> {
        match self.state().free_space {
            Some(free) => Ok(free),
            None => super::linux::free_space(dir),
        }
    }
}

fn describe(id: DiskId, spec: ScratchSpec, plug: u64, plugged_at: Option<u64>, seen: &Seen) -> Disk {
    let probed = match seen {
        Seen::Claimed => Err(OpenFailed::Busy),
        Seen::Free(faults) => look(&spec, faults),
    };
    let size = probed.as_ref().map_or_else(|_| length(&spec), |(_, size, _)| *size);
    let (access, fingerprint, contents) = match probed {
        Ok((fingerprint, _, contents)) => (Access::Free, Some(fingerprint), contents),
        Err(OpenFailed::Busy) => (Access::Busy, None, Contents::default()),
        Err(OpenFailed::Denied) => (Access::Denied, None, Contents::default()),
        Err(OpenFailed::ReadOnly) => (Access::Unreadable("read-only".into()), None, Contents::default()),
        Err(OpenFailed::Other(error)) => (Access::Unreadable(error.to_string()), None, Contents::default()),
    };
    Disk {
        id,
        path: spec.file.clone(),
        size,
        vendor: spec.vendor,
        model: spec.model,
        serial: spec.serial,
        transport: Transport::Usb,
        bus_path: spec.bus_path,
        slot: spec.slot,
        removable: true,
        read_only: spec.read_only,
        medium: size > Bytes::ZERO,
        sector: 512,
        holders: Vec::new(),
        access,
        contents,
        fingerprint,
        plug,
        plugged_at,
        scratch: true,
    }
}

/// Of a card that cannot be looked at just now; a mounted loop device too has its size.
fn length(spec: &ScratchSpec) -> Bytes {
    Look::share(&spec.file).and_then(|(look, _)| Ok(look.size()?)).unwrap_or_default()
}

/// A scan is not one of the job's operations: it is not counted, but it fails on a card without power.
fn look(spec: &ScratchSpec, faults: &Faults) -> Result<(Fingerprint, Bytes, Contents), OpenFailed> {
    let look = Look::open(&spec.file)?;
    faults.alive()?;
    let size = look.size()?;
    let read = |offset: u64, buffer: &mut [u8]| look.read_at(offset, buffer);
    let (fingerprint, contents) = probe::probe(&read, size, |ends| fingerprint_of(spec, size, ends))?;
    Ok((fingerprint, size, contents))
}

/// DV-5 for a scratch card: its described identity and what its first and last MiB hold.
fn fingerprint_of(spec: &ScratchSpec, size: Bytes, ends: &Ends) -> Fingerprint {
    let (vendor, model, serial) = (&spec.vendor, &spec.model, &spec.serial);
    identity::fingerprint(&spec.bus_path, vendor, model, serial, size.0, "", &ends.first, &ends.last)
}
