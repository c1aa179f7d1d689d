//! The machine and scratch cards side by side: `serve --scratch-card`.

use std::path::Path;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

use crate::domain::disk::{Disk, DiskId};
use crate::domain::size::Bytes;

use super::scratch::ScratchHost;
use super::{Claim, Host, HostError};

/// Two hosts as one. Names do not clash: scratch cards are called `scratch1`, `scratch2`, …
pub struct Both {
    machine: Arc<dyn Host>,
    scratch: ScratchHost,
}

/// One waits for the machine only; what happens to a scratch card ends that wait.
struct Nudge(Arc<dyn Host>);

impl Wake for Nudge {
    fn wake(self: Arc<Self>) {
        self.0.nudge();
    }
}

impl Both {
    pub fn new(machine: Arc<dyn Host>, scratch: ScratchHost) -> Both {
        scratch.tell(Waker::from(Arc::new(Nudge(machine.clone()))));
        Both { machine, scratch }
    }
}

impl Host for Both {
    fn disks(&self) -> Result<Vec<Disk>, HostError> {
        let mut disks = self.machine.disks()?;
        disks.extend(self.scratch.disks()?);
        Ok(disks)
    }

    fn wait_change(&self, timeout: Duration) -> bool {
        let played = |host: &ScratchHost| host.wait_change(Duration::ZERO);
        played(&self.scratch) || self.machine.wait_change(timeout) || played(&self.scratch)
    }

    fn nudge(&self) {
        self.machine.nudge();
    }

    fn claim(&self, disk: &DiskId) -> Result<Arc<dyn Claim>, HostError> {
        match self.scratch.has(disk) {
            true => self.scratch.claim(disk),
            false => self.machine.claim(disk),
        }
    }

    fn disks_under(&self, path: &Path) -> Result<Vec<DiskId>, HostError> {
        self.machine.disks_under(path)
    }

    fn disks_in_use(&self) -> Result<Vec<DiskId>, HostError> {
        self.machine.disks_in_use()
    }

    fn free_space(&self, dir: &Path) -> Result<Bytes, HostError> {
        self.machine.free_space(dir)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::host::scratch::ScratchSpec;

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn one_wait_hears_both_and_a_nudge() {
        let (machine, scratch) = (ScratchHost::new(), ScratchHost::new());
        let both = Both::new(Arc::new(machine.clone()), scratch.clone());
        let begin = Instant::now();
        let add = |host: &ScratchHost, name: &str| drop(host.add(name, ScratchSpec::new("/nowhere")));
        let on_scratch = || add(&scratch, "scratch1");
        let on_machine = || add(&machine, "sdb");
        let nudge = || both.nudge();
        let cases: [(&(dyn Fn() + Sync), bool); 3] = [(&on_scratch, true), (&on_machine, true), (&nudge, false)];
        for (n, (act, news)) in cases.into_iter().enumerate() {
            std::thread::scope(|scope| {
                let waiting = scope.spawn(|| both.wait_change(LONG));
                act();
                assert_eq!(waiting.join().unwrap(), news, "{n}");
            });
            // What was heard before the wait began may have left a nudge behind.
            assert!(!both.wait_change(Duration::ZERO));
        }
        assert!(begin.elapsed() < LONG / 10);
    }
}
