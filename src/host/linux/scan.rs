//! The list of disks, put together: what sysfs says, what opening them says, and what was plugged since the last look.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ScopedJoinHandle};

use crate::domain::disk::{Access, Contents, Disk, Fingerprint};
use crate::host::HostError;

use super::plug::PlugBook;
use super::sysfs::{self, Found};

/// What came of opening a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub access: Access,
    pub contents: Contents,
    pub fingerprint: Option<Fingerprint>,
}

/// Looks at the disks below a root: `/`, or a tree that plays one.
#[derive(Debug)]
pub struct LinuxScan {
    root: PathBuf,
    book: Mutex<PlugBook>,
}

impl LinuxScan {
    pub fn new(root: impl Into<PathBuf>) -> LinuxScan {
        LinuxScan { root: root.into(), book: Mutex::default() }
    }

    /// Every whole disk; `now` in seconds since 1970. `probe` opens those that have a medium, the last of them here and
    /// each other on a thread of its own: one slow reader does not hold up the others, and one disk alone, as in most
    /// machines all day, wakes nobody. A disk whose probe panics counts as unreadable.
    ///
    /// A probe that opens for writing makes udev read the table anew when it closes: hold a `flock` meanwhile, and do not
    /// take the events that follow for a change (see [`super::uevents`]).
    pub fn scan(&self, now: u64, probe: &(dyn Fn(&Found) -> Probe + Sync)) -> Result<Vec<Disk>, HostError> {
        let found = self.look(now)?;
        let probes = thread::scope(|scope| {
            let last = found.iter().rposition(|found| found.disk.medium);
            let start = |(n, found)| match Some(n) == last {
                true => Running::Over(catch_unwind(AssertUnwindSafe(|| probe(found))).ok()),
                false => Running::Apart(scope.spawn(move || probe(found))),
            };
            let asked = found.iter().enumerate().map(|(n, found)| found.disk.medium.then(|| start((n, found))));
            let running: Vec<_> = asked.collect();
            running.into_iter().map(|probe| probe.map(Running::end)).collect()
        });
        Ok(joined(found, probes))
    }

    /// What sysfs lists, entered into the book before any probe: opening an empty slot may itself make the kernel notice a
    /// change. The book is held meanwhile, so that an older look never comes after a newer one.
    fn look(&self, now: u64) -> Result<Vec<Found>, HostError> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = sysfs::find(&self.root)?;
        book.update(&mut found, now);
        Ok(found)
    }
}

/// A probe; `None`: it panicked.
enum Running<'scope> {
    Over(Option<Probe>),
    Apart(ScopedJoinHandle<'scope, Probe>),
}

impl Running<'_> {
    fn end(self) -> Probe {
        let probe = match self {
            Running::Over(probe) => probe,
            Running::Apart(thread) => thread.join().ok(),
        };
        probe.unwrap_or_else(unreadable)
    }
}

fn unreadable() -> Probe {
    let access = Access::Unreadable("the look at it failed".into());
    Probe { access, contents: Contents::default(), fingerprint: None }
}

fn joined(found: Vec<Found>, probes: Vec<Option<Probe>>) -> Vec<Disk> {
    found
        .into_iter()
        .zip(probes)
        .map(|(Found { mut disk, .. }, probe)| {
            if let Some(probe) = probe {
                (disk.access, disk.contents, disk.fingerprint) = (probe.access, probe.contents, probe.fingerprint);
            }
            disk
        })
        .collect()
}
