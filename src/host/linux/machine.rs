//! The machine itself as a [`Host`].

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::domain::disk::{Access, Contents, Disk, DiskId, Fingerprint};
use crate::domain::progress::StopFlag;
use crate::domain::size::Bytes;
use crate::host::contents::Ends;
use crate::host::probe::probe;
use crate::host::{Claim, Host, HostError, ToolAnswer, ToolCall, identity};

use super::descriptor::{Descriptor, Look, OpenFailed};
use super::scan::{LinuxScan, Probe};
use super::sysfs::{self, Found};
use super::uevents::Uevents;
use super::{tools, under};

/// The disks of this machine.
pub struct LinuxHost {
    root: PathBuf,
    scan: LinuxScan,
    uevents: Uevents,
    seats: Mutex<BTreeMap<DiskId, Seat>>,
}

/// The claim of a disk, if one lives: a scan does not open the disk then, which would look busy to our own tools. Locked
/// while the disk is looked at, as a claim in the middle of it would find it busy. One for each disk, so that a slow
/// reader holds up nobody who wants another one.
type Seat = Arc<Mutex<Weak<LinuxClaim>>>;

impl LinuxHost {
    pub fn new() -> LinuxHost {
        let root = PathBuf::from("/");
        LinuxHost { scan: LinuxScan::new(&root), root, uevents: Uevents::new(), seats: Mutex::default() }
    }

    fn seat(&self, id: &DiskId) -> Seat {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner).entry(id.clone()).or_default().clone()
    }

    fn look_unless_claimed(&self, found: &Found) -> Probe {
        let seat = self.seat(&found.disk.id);
        let claim = taken(&seat);
        match claim.strong_count() {
            0 => self.look(found),
            _ => Probe { access: Access::Busy, contents: Contents::default(), fingerprint: None },
        }
    }
}

impl Default for LinuxHost {
    fn default() -> LinuxHost {
        LinuxHost::new()
    }
}

impl Host for LinuxHost {
    fn disks(&self) -> Result<Vec<Disk>, HostError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or(0);
        self.scan.scan(now, &|found| self.look_unless_claimed(found))
    }

    fn wait_change(&self, timeout: Duration) -> bool {
        self.uevents.wait(timeout)
    }

    fn nudge(&self) {
        self.uevents.nudge();
    }

    fn claim(&self, id: &DiskId) -> Result<Arc<dyn Claim>, HostError> {
        let seat = self.seat(id);
        let mut claimed = taken(&seat);
        let found = sysfs::find(&self.root)?.into_iter().find(|found| found.disk.id == *id);
        let found = found.ok_or_else(|| HostError::NoDisk(id.clone()))?;
        let descriptor = Descriptor::claim(&found.disk.path).map_err(|failed| failed.on(id))?;
        let device = descriptor.device().map_err(|source| HostError::Opening { disk: id.clone(), source })?;
        if !sysfs::is_device(&self.root, id, device) {
            return Err(HostError::NoDisk(id.clone()));
        }
        let claim = Arc::new(LinuxClaim { descriptor, found });
        *claimed = Arc::downgrade(&claim);
        Ok(claim)
    }

    fn disks_under(&self, path: &Path) -> Result<Vec<DiskId>, HostError> {
        under::disks_under(&self.root, path, &under::stat_dev)
    }

    fn disks_in_use(&self) -> Result<Vec<DiskId>, HostError> {
        under::disks_in_use(&self.root, &under::stat_dev)
    }

    fn free_space(&self, dir: &Path) -> Result<Bytes, HostError> {
        super::free_space(dir)
    }
}

impl LinuxHost {
    /// Opens a disk as a job would, but only to read: what came of it, what is on it, who it is.
    fn look(&self, found: &Found) -> Probe {
        let none = |access| Probe { access, contents: Contents::default(), fingerprint: None };
        let look = match Look::open(&found.disk.path) {
            Ok(look) => look,
            Err(OpenFailed::Busy) => return none(Access::Busy),
            Err(OpenFailed::Denied) => return none(Access::Denied),
            Err(OpenFailed::ReadOnly) => return none(Access::Unreadable("it is read-only".into())),
            Err(OpenFailed::Other(error)) => return none(Access::Unreadable(error.to_string())),
        };
        let is_it = look.device().is_ok_and(|device| sysfs::is_device(&self.root, &found.disk.id, device));
        if !is_it {
            return none(Access::Unreadable("its node in /dev is another device".into()));
        }
        let read = |offset: u64, buffer: &mut [u8]| look.read_at(offset, buffer);
        match probe(&read, found.disk.size, |ends| fingerprint(found, found.disk.size, ends)) {
            Ok((fingerprint, contents)) => Probe { access: Access::Free, contents, fingerprint: Some(fingerprint) },
            Err(error) => none(Access::Unreadable(error.to_string())),
        }
    }
}

fn taken(seat: &Seat) -> MutexGuard<'_, Weak<LinuxClaim>> {
    seat.lock().unwrap_or_else(PoisonError::into_inner)
}

/// DV-5, with the size as given and the ends as read.
fn fingerprint(found: &Found, size: Bytes, ends: &Ends) -> Fingerprint {
    let disk = &found.disk;
    let (vendor, model, serial) = (&disk.vendor, &disk.model, &disk.serial);
    identity::fingerprint(&disk.bus_path, vendor, model, serial, size.0, &found.medium_id, &ends.first, &ends.last)
}

struct LinuxClaim {
    descriptor: Descriptor,
    found: Found,
}

impl Claim for LinuxClaim {
    fn size(&self) -> io::Result<Bytes> {
        self.descriptor.size()
    }

    fn fingerprint(&self) -> Result<Fingerprint, HostError> {
        let looking = |source| HostError::Looking { what: "what is on the disk".into(), source };
        let size = self.size().map_err(looking)?;
        let ends = Ends::read(&|offset: u64, buffer: &mut [u8]| self.read_at(offset, buffer), size.0);
        Ok(fingerprint(&self.found, size, &ends.map_err(looking)?))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.descriptor.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.descriptor.write_at(offset, data)
    }

    fn flush(&self) -> io::Result<()> {
        self.descriptor.flush()
    }

    fn admit_tools(&self) -> io::Result<()> {
        self.descriptor.admit_tools()
    }

    fn shut_out(&self) -> io::Result<()> {
        self.descriptor.shut_out()
    }

    fn tool(&self, call: &ToolCall<'_>, stop: &StopFlag) -> Result<ToolAnswer, HostError> {
        tools::run(&self.descriptor, call, stop)
    }

    /// A pulled disk has size 0, whatever errors its reads and writes give (WR-2a).
    fn is_gone(&self) -> bool {
        self.descriptor.size().map_or(true, |size| size == Bytes::ZERO) || self.descriptor.is_other_medium()
    }
}
