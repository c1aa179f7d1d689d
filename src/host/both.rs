//! The machine and scratch cards side by side: `serve --scratch-card`.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::disk::{Disk, DiskId};
use crate::domain::size::Bytes;

use super::scratch::ScratchHost;
use super::{Claim, Host, HostError};

/// How long one of the two is listened to before the other is looked at.
const TURN: Duration = Duration::from_millis(200);

/// Two hosts as one. Names do not clash: scratch cards are called `scratch1`, `scratch2`, …
pub struct Both {
    pub machine: Box<dyn Host>,
    pub scratch: ScratchHost,
}

impl Host for Both {
    fn disks(&self) -> Result<Vec<Disk>, HostError> {
        let mut disks = self.machine.disks()?;
        disks.extend(self.scratch.disks()?);
        Ok(disks)
    }

    fn wait_change(&self, timeout: Duration) -> bool {
        let end = Instant::now() + timeout;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if self.scratch.wait_change(Duration::ZERO) || self.machine.wait_change(left.min(TURN)) {
                return true;
            }
            if left.is_zero() {
                return false;
            }
        }
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
