//! Taking the disk that was confirmed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::disk::{Card, Claimed, Work};
use crate::domain::causes::chain;
use crate::domain::disk::{DiskId, Fingerprint};
use crate::domain::job::{CardNow, CardRequest};
use crate::domain::stage::Stage;
use crate::host::{Claim, Host, HostError};

use super::thread::on_thread;
use super::trouble::{self, Trouble};
use super::world::World;

const BUSY_LOOK: Duration = Duration::from_millis(50);

/// Opens the disk and compares it with what the user confirmed (DV-5). Nothing is written.
pub async fn claim(world: &World, request: &CardRequest, work: Work) -> Result<Card<Claimed>, Trouble> {
    let (host, disk, seen) = (world.host.clone(), request.disk.clone(), request.seen.clone());
    let patience = world.pace.busy;
    on_thread("claim", move || match patiently(host.as_ref(), &disk, patience, &work) {
        Ok(claim) => compared(claim, &seen),
        Err(HostError::Busy(_)) if work.stop.is_set() => Err(Trouble::stopped()),
        Err(error) => Err(Trouble::new(trouble::host_problem(&error), &error)),
    })
    .await?
}

/// Somebody who mounted it stays, udev and the kernel go again.
fn patiently(host: &dyn Host, disk: &DiskId, patience: Duration, work: &Work) -> Result<Arc<dyn Claim>, HostError> {
    let begun = Instant::now();
    loop {
        match host.claim(disk) {
            Err(HostError::Busy(_)) if begun.elapsed() < patience && work.go_on().is_ok() => {
                std::thread::sleep(BUSY_LOOK);
            }
            claimed => return claimed,
        }
    }
}

fn compared(claim: Arc<dyn Claim>, seen: &Fingerprint) -> Result<Card<Claimed>, Trouble> {
    Card::claimed(claim, seen).map_err(|error| Trouble {
        detail: chain(&error),
        problem: trouble::card_problem(Stage::Preflight, error),
        now: Some(CardNow::Untouched),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::scratch::{ScratchHost, ScratchSpec};

    fn card() -> (tempfile::NamedTempFile, ScratchHost, DiskId) {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(4 << 20).unwrap();
        let host = ScratchHost::new();
        let disk = host.add("sda", ScratchSpec::new(file.path()));
        (file, host, disk)
    }

    #[test]
    fn one_who_goes_again_is_waited_for() {
        let (_file, host, disk) = card();
        let other = host.claim(&disk).unwrap();
        let (work, there) = (Work::default(), std::sync::Barrier::new(2));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                there.wait();
                patiently(&host, &disk, Duration::from_secs(60), &work).map(|_| ())
            });
            there.wait();
            drop(other);
            assert!(waiting.join().unwrap().is_ok());
        });
    }

    #[test]
    fn one_who_stays_is_told_of_and_a_stop_ends_the_wait() {
        let (_file, host, disk) = card();
        let _other = host.claim(&disk).unwrap();
        let busy = |patience, work: &Work| matches!(patiently(&host, &disk, patience, work), Err(HostError::Busy(_)));
        assert!(busy(Duration::ZERO, &Work::default()));
        let stopped = Work::default();
        stopped.stop.set();
        assert!(busy(Duration::from_secs(600), &stopped));
    }
}
