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
