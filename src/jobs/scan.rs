//! The thread that watches the disks: a scan at each change, and every few seconds as a net below that (DV-4). In between
//! it sleeps.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::domain::causes::chain;
use crate::domain::disk::Disk;
use crate::host::Host;

/// What the last scan saw, or why there was none.
pub type Scan = Result<Vec<Disk>, String>;

const NET: Duration = Duration::from_secs(3);

/// The scans, and the way to ask for one. The thread ends with it.
pub struct Scans {
    /// Changes when a scan saw something else than the one before it.
    pub seen: watch::Receiver<Option<Arc<Scan>>>,
    asks: Arc<Asks>,
    host: Arc<dyn Host>,
}

#[derive(Default)]
struct Asks {
    look: AtomicBool,
    end: AtomicBool,
}

impl Scans {
    /// Soon: what we ourselves held is free now, which no kernel announces.
    pub fn look_again(&self) {
        self.ask(&self.asks.look);
    }

    fn ask(&self, for_it: &AtomicBool) {
        for_it.store(true, Ordering::SeqCst);
        self.host.nudge();
    }
}

impl Drop for Scans {
    fn drop(&mut self) {
        self.ask(&self.asks.end);
    }
}

/// Ends when what it returns is dropped.
pub fn watch_disks(host: Arc<dyn Host>) -> io::Result<Scans> {
    let (sender, seen) = watch::channel(None);
    let asks = Arc::new(Asks::default());
    let (asked, watched) = (asks.clone(), host.clone());
    thread::Builder::new().name("disks".into()).spawn(move || {
        while !asked.end.load(Ordering::SeqCst) {
            show(&sender, host.disks().map_err(|error| chain(&error)));
            wait(host.as_ref(), &asked);
        }
    })?;
    Ok(Scans { seen, asks, host: watched })
}

/// Whoever listens is not woken for what it knows.
fn show(sender: &watch::Sender<Option<Arc<Scan>>>, scan: Scan) {
    sender.send_if_modified(|last| {
        let news = last.as_deref() != Some(&scan);
        if news {
            *last = Some(Arc::new(scan));
        }
        news
    });
}

/// Until a change, a wish, the end, or the net below all of them. What is asked for comes with a nudge.
fn wait(host: &dyn Host, asked: &Asks) {
    let begun = Instant::now();
    while !asked.look.swap(false, Ordering::SeqCst) && !asked.end.load(Ordering::SeqCst) {
        let left = NET.saturating_sub(begun.elapsed());
        if left.is_zero() || host.wait_change(left) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::{Condvar, Mutex};

    use super::*;
    use crate::domain::disk::DiskId;
    use crate::domain::size::Bytes;
    use crate::host::{Claim, HostError};

    const LONGEST: Duration = Duration::from_secs(60);

    /// One whose disks are never announced, and whose waits end at a nudge only, whatever they were told.
    #[derive(Default)]
    struct Still {
        did: Mutex<Did>,
        changed: Condvar,
    }

    #[derive(Default, Clone, Copy, Debug, PartialEq, Eq)]
    struct Did {
        scans: usize,
        waits: usize,
        /// Those that were to be shorter than the net: somebody looks around.
        short: usize,
        nudged: bool,
    }

    impl Still {
        fn until(&self, what: &str, met: impl Fn(&Did) -> bool) -> Did {
            let did = self.did.lock().unwrap();
            let (did, _) = self.changed.wait_timeout_while(did, LONGEST, |did| !met(did)).unwrap();
            assert!(met(&did), "{what} did not come: {did:?}");
            *did
        }

        fn note(&self, act: impl FnOnce(&mut Did)) {
            act(&mut self.did.lock().unwrap());
            self.changed.notify_all();
        }
    }

    impl Host for Still {
        fn disks(&self) -> Result<Vec<Disk>, HostError> {
            self.note(|did| did.scans += 1);
            Ok(Vec::new())
        }

        fn wait_change(&self, timeout: Duration) -> bool {
            self.note(|did| {
                did.waits += 1;
                did.short += usize::from(timeout < NET / 2);
            });
            self.until("a nudge", |did| did.nudged);
            self.note(|did| did.nudged = false);
            false
        }

        fn nudge(&self) {
            self.note(|did| did.nudged = true);
        }

        fn claim(&self, disk: &DiskId) -> Result<Arc<dyn Claim>, HostError> {
            Err(HostError::NoDisk(disk.clone()))
        }

        fn disks_under(&self, _: &Path) -> Result<Vec<DiskId>, HostError> {
            Ok(Vec::new())
        }

        fn disks_in_use(&self) -> Result<Vec<DiskId>, HostError> {
            Ok(Vec::new())
        }

        fn free_space(&self, _: &Path) -> Result<Bytes, HostError> {
            Ok(Bytes::ZERO)
        }
    }

    #[test]
    fn it_turns_when_it_is_asked_to_and_not_in_between() {
        let host = Arc::new(Still::default());
        let mut scans = watch_disks(host.clone()).unwrap();
        for turn in 1..=4 {
            let did = host.until("the next wait", |did| did.waits == turn && !did.nudged);
            assert_eq!(did, Did { scans: turn, waits: turn, short: 0, nudged: false });
            // The first scan is news, those that saw the same are not.
            assert_eq!(scans.seen.has_changed().unwrap(), turn == 1);
            scans.seen.mark_unchanged();
            scans.look_again();
        }
    }

    #[test]
    fn its_end_wakes_the_one_who_waits() {
        let host = Arc::new(Still::default());
        let scans = watch_disks(host.clone()).unwrap();
        let mut seen = scans.seen.clone();
        host.until("its wait", |did| did.waits == 1);
        drop(scans);
        // The thread held the only sender.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let ended = async { while seen.changed().await.is_ok() {} };
        runtime.block_on(async { tokio::time::timeout(LONGEST, ended).await }).expect("it waits on");
        assert_eq!(host.until("its end", |did| !did.nudged).scans, 1);
    }
}
