//! Disks as we see them, and every reason against overwriting one (DV-1, DV-2, DV-3, DV-5).

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::size::Bytes;
use crate::texts::Language;

/// The kernel's name of a whole disk (`sda`), or the name of a scratch card. It names a disk only for as long as it is
/// plugged in; the [`Fingerprint`] tells whether it is still the same one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DiskId(pub String);

impl fmt::Display for DiskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `v1-` and 32 hex digits of SHA-256 over bus path, vendor, model, serial, size, medium id and a hash of the first and
/// last MiB (DV-5). The same string in the form, the API, the command line and the report.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    Usb,
    Mmc,
    Nvme,
    Sata,
    Virtual,
    Other,
}

impl Transport {
    pub const fn word(&self) -> &'static str {
        match self {
            Transport::Usb => "usb",
            Transport::Mmc => "mmc",
            Transport::Nvme => "nvme",
            Transport::Sata => "sata",
            Transport::Virtual => "virtual",
            Transport::Other => "other",
        }
    }
}

/// What came of opening the disk as a job would (`O_EXCL`, read and write).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "is", content = "why")]
pub enum Access {
    Free,
    /// EBUSY: mounted or held anywhere on the machine, in any namespace.
    Busy,
    /// EPERM or EACCES: the device cgroup keeps us out (face P1).
    Denied,
    /// Opened, but its first or last MiB could not be read.
    Unreadable(String),
}

/// What is on a disk, read by our own parser through the disk.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contents {
    /// `gpt`, `hybrid`, `mbr`; `None` where there is no table.
    pub table: Option<String>,
    pub partitions: Vec<FoundPartition>,
    /// Nothing at all: first and last MiB are zero.
    pub blank: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPartition {
    pub number: u32,
    /// The name in the table (GPT), else empty.
    pub name: String,
    /// The label of the file system in it, else empty.
    pub label: String,
    /// `ext4`, `FAT`, `exFAT`, `NTFS`, …; empty where unknown.
    pub filesystem: String,
    pub size: Bytes,
    /// How much of it files take, as the file system itself says: about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Bytes>,
}

/// A whole disk, as the last scan saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    pub id: DiskId,
    pub path: PathBuf,
    pub size: Bytes,
    pub vendor: String,
    pub model: String,
    pub serial: String,
    pub transport: Transport,
    /// Where it hangs: the sysfs path of its device, without the disk's own name.
    pub bus_path: String,
    /// The slot of a multi-slot reader, counted from 1; `None` for a reader with one slot.
    pub slot: Option<u32>,
    pub removable: bool,
    pub read_only: bool,
    pub medium: bool,
    /// Bytes in a logical sector.
    pub sector: u32,
    /// Kernel names below `/sys/block/*/holders` of the disk and its partitions.
    pub holders: Vec<String>,
    pub access: Access,
    pub contents: Contents,
    /// `None` where the disk could not be read: not overwritable.
    pub fingerprint: Option<Fingerprint>,
    /// Counts every plug and medium change that this program saw; 1 for what was there at the start.
    pub plug: u64,
    /// Seconds since 1970 when it was plugged in while we watched; `None` where it was there before us.
    pub plugged_at: Option<u64>,
    /// A regular file that plays a card.
    pub scratch: bool,
}

impl Disk {
    /// "SanDisk Ultra, 64 GB": how people know it.
    pub fn name(&self) -> String {
        let maker = [self.vendor.trim(), self.model.trim()].join(" ");
        let maker = if maker.trim().is_empty() { "Unnamed disk" } else { maker.trim() };
        format!("{maker}, {}", self.size.as_sold())
    }

    /// Two disks that a person cannot tell apart by what is shown of them.
    pub fn looks_like(&self, other: &Disk) -> bool {
        self.id != other.id
            && self.medium
            && other.medium
            && (&self.vendor, &self.model, self.size) == (&other.vendor, &other.model, other.size)
    }
}

/// Which disks the running system lives on (DV-3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SystemDisks {
    /// All sources answered: disks under the system, and those that hold its data.
    Known { runs_from: BTreeSet<DiskId>, holds_data: BTreeSet<DiskId> },
    /// A source is missing (its name): no disk of the machine may be overwritten.
    Unknown(String),
}

/// What the rules are asked against. `need` is image and backup together, where known.
#[derive(Debug, Clone)]
pub struct Rules {
    pub system: SystemDisks,
    pub need: Option<Bytes>,
    /// Disks that a running job has claimed.
    pub claimed: BTreeSet<DiskId>,
    /// Command line only: built-in readers are allowed.
    pub allow_internal: bool,
    /// Command line with a file or loop device as the card: no USB rule, no lower limit (AP-4).
    pub as_file: bool,
}

/// Smallest disk that a Home Assistant goes onto: cards sold as "8 GB" hold a little less (DV-2).
pub const SMALLEST: Bytes = Bytes(7_200_000_000);
/// Largest: a table of 32-bit sectors ends here (DV-2).
pub const LARGEST: Bytes = Bytes(2 << 40);

/// One reason against overwriting a disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    RunsSystem,
    HoldsData,
    /// The Supervisor did not say which disks the system uses.
    SystemUnknown {
        missing: String,
    },
    BuiltIn,
    InUse {
        what: String,
    },
    Mounted,
    JobUsesIt,
    TooSmall {
        has: Bytes,
        need: Bytes,
    },
    TooLarge {
        has: Bytes,
    },
    WriteProtected,
    NoMedium,
    SectorSize {
        bytes: u32,
    },
    Unreadable,
    Twin,
    MayNotOpen,
}

impl Refusal {
    pub const fn code(&self) -> &'static str {
        match self {
            Refusal::RunsSystem => "runs_system",
            Refusal::HoldsData => "holds_data",
            Refusal::SystemUnknown { .. } => "system_unknown",
            Refusal::BuiltIn => "built_in",
            Refusal::InUse { .. } => "in_use",
            Refusal::Mounted => "mounted",
            Refusal::JobUsesIt => "job_uses_it",
            Refusal::TooSmall { .. } => "too_small",
            Refusal::TooLarge { .. } => "too_large",
            Refusal::WriteProtected => "write_protected",
            Refusal::NoMedium => "no_medium",
            Refusal::SectorSize { .. } => "sector_size",
            Refusal::Unreadable => "unreadable",
            Refusal::Twin => "twin",
            Refusal::MayNotOpen => "may_not_open",
        }
    }
}

impl Refusal {
    /// The sentence of face §6.
    pub fn said_in(&self, language: Language) -> String {
        let key = format!("refusal-{}", self.code().replace('_', "-"));
        match self {
            Refusal::SystemUnknown { missing } => language.with(&key, "missing", missing),
            Refusal::InUse { what } => language.with(&key, "what", what),
            Refusal::TooSmall { has, need } => {
                language.tell(&key, &[("has", &has.said_in(language)), ("need", &need.said_in(language))])
            }
            Refusal::TooLarge { has } => language.with(&key, "has", has.said_in(language)),
            Refusal::SectorSize { bytes } => language.with(&key, "bytes", *bytes),
            _ => language.say(&key),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said_in(Language::English))
    }
}

/// Every reason against overwriting `disk`, not only the first; empty means that it may be.
///
/// `others` are all disks of the same scan: twins are found among them. A twin is free again once it was replugged while
/// we watched, because then the person knows which one it is (face §7).
pub fn may_overwrite(disk: &Disk, others: &[Disk], rules: &Rules) -> Vec<Refusal> {
    let mut reasons = Vec::new();
    if !disk.medium {
        return vec![Refusal::NoMedium];
    }
    system_reasons(disk, rules, &mut reasons);
    if disk.transport != Transport::Usb && !disk.scratch && !rules.allow_internal && !rules.as_file {
        reasons.push(Refusal::BuiltIn);
    }
    use_reasons(disk, rules, &mut reasons);
    size_reasons(disk, rules, &mut reasons);
    if disk.sector != 512 {
        reasons.push(Refusal::SectorSize { bytes: disk.sector });
    }
    if disk.read_only {
        reasons.push(Refusal::WriteProtected);
    }
    // A busy disk was not looked at: that somebody uses it is the reason, said above.
    let unread = disk.access == Access::Free && disk.fingerprint.is_none();
    if unread || matches!(disk.access, Access::Unreadable(_)) {
        reasons.push(Refusal::Unreadable);
    }
    if disk.access == Access::Denied {
        reasons.push(Refusal::MayNotOpen);
    }
    if disk.plugged_at.is_none() && others.iter().any(|other| disk.looks_like(other)) {
        reasons.push(Refusal::Twin);
    }
    reasons
}

fn system_reasons(disk: &Disk, rules: &Rules, reasons: &mut Vec<Refusal>) {
    // A scratch card is no disk of the machine: a missing source does not concern it (AP-6).
    match &rules.system {
        SystemDisks::Unknown(missing) if !disk.scratch => {
            reasons.push(Refusal::SystemUnknown { missing: missing.clone() });
        }
        SystemDisks::Unknown(_) => {}
        SystemDisks::Known { runs_from, holds_data } => {
            if runs_from.contains(&disk.id) {
                reasons.push(Refusal::RunsSystem);
            }
            if holds_data.contains(&disk.id) {
                reasons.push(Refusal::HoldsData);
            }
        }
    }
}

fn use_reasons(disk: &Disk, rules: &Rules, reasons: &mut Vec<Refusal>) {
    let claimed = rules.claimed.contains(&disk.id);
    if claimed {
        reasons.push(Refusal::JobUsesIt);
    }
    for what in &disk.holders {
        reasons.push(Refusal::InUse { what: what.clone() });
    }
    // Our own claim makes the probe say busy: that is the job, not somebody else.
    if disk.access == Access::Busy && !claimed {
        reasons.push(Refusal::Mounted);
    }
}

fn size_reasons(disk: &Disk, rules: &Rules, reasons: &mut Vec<Refusal>) {
    let floor = if rules.as_file { Bytes::ZERO } else { SMALLEST };
    let need = rules.need.unwrap_or(Bytes::ZERO).max(floor);
    if disk.size < need {
        reasons.push(Refusal::TooSmall { has: disk.size, need });
    }
    if disk.size > LARGEST {
        reasons.push(Refusal::TooLarge { has: disk.size });
    }
}

#[cfg(test)]
impl Disk {
    /// A card in a USB reader, against which nothing speaks; for tests, which change what they are about.
    pub fn sample(id: &str) -> Disk {
        Disk {
            id: DiskId(id.into()),
            path: format!("/dev/{id}").into(),
            size: Bytes(63_864_569_856),
            vendor: "SanDisk".into(),
            model: "Ultra".into(),
            serial: "0821".into(),
            transport: Transport::Usb,
            bus_path: "usb2/2-1".into(),
            slot: None,
            removable: true,
            read_only: false,
            medium: true,
            sector: 512,
            holders: Vec::new(),
            access: Access::Free,
            contents: Contents::default(),
            fingerprint: Some(Fingerprint(format!("v1-of-{id}"))),
            plug: 1,
            plugged_at: None,
            scratch: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Disk {
        Disk::sample("sdb")
    }

    fn rules() -> Rules {
        Rules {
            system: SystemDisks::Known { runs_from: BTreeSet::new(), holds_data: BTreeSet::new() },
            need: None,
            claimed: BTreeSet::new(),
            allow_internal: false,
            as_file: false,
        }
    }

    fn codes(disk: &Disk, rules: &Rules) -> Vec<&'static str> {
        may_overwrite(disk, std::slice::from_ref(disk), rules).iter().map(Refusal::code).collect()
    }

    /// What a change makes of a good disk, and the codes expected of it.
    type Case = (fn(&mut Disk, &mut Rules), &'static [&'static str]);

    #[test]
    fn each_reason_speaks_for_itself() {
        let cases: &[Case] = &[
            (|_, _| {}, &[]),
            (|d, _| d.medium = false, &["no_medium"]),
            (|d, _| d.transport = Transport::Mmc, &["built_in"]),
            (|d, r| (d.transport, r.allow_internal) = (Transport::Mmc, true), &[]),
            (|d, r| (d.transport, r.as_file) = (Transport::Virtual, true), &[]),
            (|d, _| d.size = Bytes(7_199_999_999), &["too_small"]),
            (|d, _| d.size = Bytes(7_200_000_000), &[]),
            (|d, r| (d.size, r.as_file) = (Bytes(4096), true), &[]),
            (|_, r| r.need = Some(Bytes(63_864_569_857)), &["too_small"]),
            (|d, _| d.size = Bytes(2 << 40), &[]),
            (|d, _| d.size = Bytes((2 << 40) + 512), &["too_large"]),
            (|d, _| d.sector = 4096, &["sector_size"]),
            (|d, _| d.read_only = true, &["write_protected"]),
            (|d, _| d.access = Access::Busy, &["mounted"]),
            (|d, _| (d.access, d.fingerprint) = (Access::Busy, None), &["mounted"]),
            (|d, _| d.access = Access::Denied, &["may_not_open"]),
            (|d, _| d.access = Access::Unreadable("EIO".into()), &["unreadable"]),
            (|d, _| d.fingerprint = None, &["unreadable"]),
            (|d, _| d.holders = vec!["dm-0".into(), "md1".into()], &["in_use", "in_use"]),
            (|d, r| r.claimed.extend([d.id.clone()]), &["job_uses_it"]),
            (
                |d, r| {
                    r.claimed.extend([d.id.clone()]);
                    d.access = Access::Busy;
                },
                &["job_uses_it"],
            ),
            (|_, r| r.system = SystemDisks::Unknown("/os/info".into()), &["system_unknown"]),
            (|d, r| (d.scratch, r.system) = (true, SystemDisks::Unknown("/os/info".into())), &[]),
        ];
        for (n, (change, want)) in cases.iter().enumerate() {
            let (mut disk, mut rules) = (good(), rules());
            change(&mut disk, &mut rules);
            assert_eq!(codes(&disk, &rules), *want, "case {n}");
        }
    }

    #[test]
    fn the_systems_disks_are_refused_whatever_else_holds() {
        let id = BTreeSet::from([DiskId("sdb".into())]);
        let mut rules = rules();
        rules.system = SystemDisks::Known { runs_from: id.clone(), holds_data: id };
        let mut disk = good();
        assert_eq!(codes(&disk, &rules), ["runs_system", "holds_data"]);
        disk.read_only = true;
        disk.size = Bytes(1);
        rules.allow_internal = true;
        assert_eq!(codes(&disk, &rules), ["runs_system", "holds_data", "too_small", "write_protected"]);
    }

    #[test]
    fn twins_are_refused_until_one_was_replugged() {
        let (mut one, mut two) = (good(), good());
        two.id = DiskId("sdc".into());
        let both = [one.clone(), two.clone()];
        assert_eq!(may_overwrite(&one, &both, &rules()), [Refusal::Twin]);
        assert_eq!(may_overwrite(&two, &both, &rules()), [Refusal::Twin]);
        one.plugged_at = Some(1_700_000_000);
        let both = [one.clone(), two.clone()];
        assert_eq!(may_overwrite(&one, &both, &rules()), []);
        assert_eq!(may_overwrite(&two, &both, &rules()), [Refusal::Twin]);
        two.size = Bytes(two.size.0 + 512);
        assert_eq!(may_overwrite(&two, &[one, two.clone()], &rules()), []);
    }

    #[test]
    fn names_are_maker_and_size() {
        let mut disk = good();
        assert_eq!(disk.name(), "SanDisk Ultra, 64 GB");
        (disk.vendor, disk.model) = (String::new(), " ".into());
        assert_eq!(disk.name(), "Unnamed disk, 64 GB");
    }
}
