//! What is known of the running system, and what follows from it for every card (PF-5, PF-6, DV-3).

use std::collections::BTreeSet;
use std::path::Path;

use crate::domain::causes::chain;
use crate::domain::disk::{Disk, DiskId, SMALLEST, SystemDisks};
use crate::domain::image::{Board, BoardError};
use crate::domain::job::Warning;
use crate::domain::problem::Problem;
use crate::domain::size::Bytes;
use crate::domain::system::{Drive, SystemFacts, SystemView};
use crate::host::Host;
use crate::texts::Phrase;

/// Unpacked size of an image that was not downloaded yet: those of release 18 have about 1 GB.
pub const IMAGE_GUESS: Bytes = Bytes(1_000_000_000);
/// Room that a card needs beside image and backup (PF-4).
pub const SPARE: Bytes = Bytes(1_000_000_000);

/// The smallest card for an image and a backup of these sizes.
pub fn need(image: Option<Bytes>, backup: Option<Bytes>) -> Bytes {
    (image.unwrap_or(IMAGE_GUESS) + backup.unwrap_or(Bytes::ZERO) + SPARE).max(SMALLEST)
}

/// What speaks against making a card at all, and what the user should know.
pub fn judge(facts: SystemFacts, kept_image: Option<(String, Bytes)>) -> SystemView {
    let problems = problems(&facts, kept_image.is_some());
    let warnings = warnings(&facts, kept_image.is_some());
    let need = Some(need(None, facts.expected_backup()));
    SystemView { known: true, problems, warnings, need, kept_image, runs_from: runs_from(&facts), facts }
}

/// Nothing answered.
pub fn silent(said: Phrase, kept_image: Option<(String, Bytes)>) -> SystemView {
    SystemView { known: true, problems: vec![Problem::SupervisorSilent { said }], kept_image, ..SystemView::default() }
}

fn problems(facts: &SystemFacts, kept: bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    match facts.board.as_deref().map(str::parse::<Board>) {
        None => problems.push(Problem::NotHaos),
        Some(Err(BoardError::Virtual(board) | BoardError::Ended(board) | BoardError::Unknown(board))) => {
            problems.push(Problem::NoImageForBoard { board });
        }
        Some(Ok(_)) => {}
    }
    match facts.state.as_deref() {
        Some("running") | None => {}
        Some("freeze") => problems.push(Problem::BackupRunning),
        Some(_) => problems.push(Problem::StillStarting),
    }
    if facts.internet == Some(false) && !kept {
        problems.push(Problem::NoInternet);
    }
    problems
}

fn warnings(facts: &SystemFacts, kept: bool) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |code: &str, values: &[(&str, &str)]| warnings.push(Warning::new(code, values));
    if !facts.unhealthy.is_empty() {
        warn("unhealthy", &[("why", &facts.unhealthy.join(", "))]);
    }
    if facts.supported == Some(false) {
        warn("unsupported", &[("why", &facts.unsupported.join(", "))]);
    }
    if facts.internet == Some(false) && kept {
        warn("no_internet", &[]);
    }
    if let Some(version) = &facts.os_pending {
        warn("update_pending", &[("version", &version.to_string())]);
    }
    if has_external_data_disk(facts) {
        warn("external_data_disk", &[]);
    }
    warnings
}

/// The system's drives are more than one: it boots from one and keeps its data on another.
fn has_external_data_disk(facts: &SystemFacts) -> bool {
    let drives = facts.drives.as_deref().unwrap_or_default();
    let others = drives.iter().filter(|drive| drive.used_by_system && facts.data_disk.as_ref() != Some(&drive.id));
    facts.data_disk.is_some() && others.count() > 0
}

fn runs_from(facts: &SystemFacts) -> Option<String> {
    let drive = facts.drives.as_ref()?.iter().find(|drive| Some(&drive.id) == facts.data_disk.as_ref())?;
    let maker = format!("{} {}", drive.vendor.trim(), drive.model.trim());
    Some(format!("{}, {}", maker.trim(), drive.size.as_sold()))
}

/// DV-3 in the app: disks under `/data` and `/backup` (already looked up), the data disk, drives in use. A source that
/// is missing makes all of it unknown.
pub fn system_disks(facts: &SystemFacts, under: Result<Vec<DiskId>, String>, disks: &[Disk]) -> SystemDisks {
    let Some(data_disk) = &facts.data_disk else { return SystemDisks::Unknown("/os/info".into()) };
    let Some(drives) = &facts.drives else { return SystemDisks::Unknown("/hardware/info".into()) };
    let holds_data: BTreeSet<DiskId> = match under {
        Ok(ids) => ids.into_iter().collect(),
        Err(what) => return SystemDisks::Unknown(what),
    };
    match runs_from_disks(data_disk, drives, disks) {
        Some(runs_from) if !holds_data.is_empty() => SystemDisks::Known { runs_from, holds_data },
        Some(_) => SystemDisks::Unknown("the disk under /data".into()),
        None => SystemDisks::Unknown("/hardware/info".into()),
    }
}

/// The disks under these folders of ours. One that lies on no disk at all was not found, whatever else that may mean: it
/// is Home Assistant's own storage.
pub fn under_folders(host: &dyn Host, folders: &[&Path]) -> Result<Vec<DiskId>, String> {
    folders.iter().try_fold(Vec::new(), |mut all, path| {
        let ids = host.disks_under(path).map_err(|error| chain(&error))?;
        if ids.is_empty() {
            return Err(format!("the disk under {}", path.display()));
        }
        all.extend(ids);
        Ok(all)
    })
}

/// The disks of the data disk and of every drive in use. `None`: one of them is none of ours by any of its names, so that
/// it would not be protected.
fn runs_from_disks(data_disk: &str, drives: &[Drive], disks: &[Disk]) -> Option<BTreeSet<DiskId>> {
    let mut all = BTreeSet::new();
    // A disk that has no drive for udisks is named by its node.
    if data_disk.starts_with("/dev/") {
        all.extend(disks.iter().filter(|disk| is_on(data_disk, &disk.id)).map(|disk| disk.id.clone()));
    } else {
        all.extend(disks_of(drives.iter().find(|drive| drive.id == data_disk)?, disks));
    }
    if all.is_empty() {
        return None;
    }
    for drive in drives.iter().filter(|drive| drive.used_by_system && !is_optical(drive)) {
        let found = disks_of(drive, disks);
        if found.is_empty() {
            return None;
        }
        all.extend(found);
    }
    Some(all)
}

/// Never listed, never written.
fn is_optical(drive: &Drive) -> bool {
    !drive.devices.is_empty() && drive.devices.iter().all(|device| device.starts_with("/dev/sr"))
}

fn disks_of(drive: &Drive, disks: &[Disk]) -> Vec<DiskId> {
    let on = |disk: &&Disk| drive.devices.iter().any(|device| is_on(device, &disk.id));
    disks.iter().filter(on).map(|disk| disk.id.clone()).collect()
}

/// Whether `/dev/sda1`, `/dev/mmcblk0p8` or `/dev/sda` is the disk or a partition of it.
fn is_on(device: &str, disk: &DiskId) -> bool {
    let name = device.strip_prefix("/dev/").unwrap_or(device);
    let Some(rest) = name.strip_prefix(disk.0.as_str()) else { return false };
    let ends_in_digit = disk.0.ends_with(|c: char| c.is_ascii_digit());
    let number = if ends_in_digit { rest.strip_prefix('p').unwrap_or(rest) } else { rest };
    rest.is_empty()
        || (number.len() < rest.len() + usize::from(!ends_in_digit) && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_lead_to_their_disks_and_to_no_other() {
        let cases = [
            ("/dev/sda", "sda", true),
            ("/dev/sda1", "sda", true),
            ("/dev/sdaa1", "sda", false),
            ("/dev/sda1", "sdaa", false),
            ("/dev/mmcblk0p8", "mmcblk0", true),
            ("/dev/mmcblk0", "mmcblk0", true),
            ("/dev/mmcblk10p8", "mmcblk1", false),
            ("/dev/nvme0n1p3", "nvme0n1", true),
            ("/dev/nvme0n10p3", "nvme0n1", false),
            ("/dev/sdb", "sda", false),
        ];
        for (device, disk, want) in cases {
            assert_eq!(is_on(device, &DiskId(disk.into())), want, "{device} on {disk}");
        }
    }

    fn drive(id: &str, devices: &[&str], used_by_system: bool) -> Drive {
        let (vendor, model, serial) = (String::new(), String::new(), String::new());
        let devices = devices.iter().map(ToString::to_string).collect();
        Drive { id: id.into(), vendor, model, serial, size: Bytes(32_000_000_000), devices, used_by_system }
    }

    fn disk(id: &str) -> Disk {
        Disk::sample(id)
    }

    fn haos() -> SystemFacts {
        SystemFacts {
            board: Some("rpi4-64".into()),
            state: Some("running".into()),
            internet: Some(true),
            data_disk: Some("SC32G-0x1".into()),
            drives: Some(vec![drive("SC32G-0x1", &["/dev/mmcblk0p8"], true)]),
            ..SystemFacts::default()
        }
    }

    #[test]
    fn what_speaks_against_a_card_is_found() {
        type Case = (fn(&mut SystemFacts), &'static [&'static str]);
        let cases: &[Case] = &[
            (|_| {}, &[]),
            (|f| f.board = None, &["not_haos"]),
            (|f| f.board = Some("ova".into()), &["no_image_for_board"]),
            (|f| f.board = Some("rpi3".into()), &["no_image_for_board"]),
            (|f| f.state = Some("startup".into()), &["still_starting"]),
            (|f| f.state = Some("freeze".into()), &["backup_running"]),
            (|f| (f.internet, f.board) = (Some(false), None), &["not_haos", "no_internet"]),
            (|f| f.unhealthy = vec!["docker".into()], &[]),
        ];
        for (change, want) in cases {
            let mut facts = haos();
            change(&mut facts);
            let codes: Vec<_> = judge(facts, None).problems.iter().map(Problem::code).collect();
            assert_eq!(codes, *want);
        }
        let mut offline = haos();
        offline.internet = Some(false);
        assert_eq!(judge(offline, Some(("haos.img.xz".into(), Bytes(1)))).problems, []);
    }

    #[test]
    fn a_source_that_names_no_disk_is_missing_too() {
        let disks = [disk("mmcblk0"), disk("sda")];
        let under = || Ok(vec![DiskId("mmcblk0".into())]);
        let with = |data_disk: &str, drives: Vec<Drive>| {
            let facts = SystemFacts { data_disk: Some(data_disk.into()), drives: Some(drives), ..haos() };
            match system_disks(&facts, under(), &disks) {
                SystemDisks::Known { runs_from, .. } => runs_from.into_iter().map(|id| id.0).collect(),
                SystemDisks::Unknown(_) => vec!["unknown".to_string()],
            }
        };
        let boot = || drive("boot", &["/dev/mmcblk0p1"], true);
        let cases = [
            (with("SC32G-0x1", vec![]), &["unknown"][..]),
            (with("other", vec![boot()]), &["unknown"]),
            (with("boot", vec![boot()]), &["mmcblk0"]),
            (with("boot", vec![drive("boot", &[], true)]), &["unknown"]),
            (with("boot", vec![drive("boot", &["/dev/dm-0"], true)]), &["unknown"]),
            (with("data", vec![boot(), drive("data", &["/dev/sda1"], true)]), &["mmcblk0", "sda"]),
            (with("boot", vec![boot(), drive("gone", &["/dev/sdc1"], true)]), &["unknown"]),
            (with("boot", vec![boot(), drive("unused", &["/dev/sdc1"], false)]), &["mmcblk0"]),
            (with("boot", vec![boot(), drive("dvd", &["/dev/sr0"], true)]), &["mmcblk0"]),
            (with("/dev/mmcblk0p8", vec![]), &["mmcblk0"]),
            (with("/dev/vda8", vec![]), &["unknown"]),
        ];
        for (n, (got, want)) in cases.iter().enumerate() {
            assert_eq!(got, want, "case {n}");
        }
        assert!(
            matches!(system_disks(&haos(), Ok(vec![]), &disks), SystemDisks::Unknown(what) if what.contains("/data"))
        );
    }

    #[test]
    fn folders_on_no_disk_are_not_known() {
        let host = crate::host::scratch::ScratchHost::new();
        assert_eq!(under_folders(&host, &[Path::new("/data")]), Err("the disk under /data".into()));
    }

    #[test]
    fn a_missing_source_makes_every_disk_untouchable() {
        let disks = [disk("mmcblk0")];
        let known = system_disks(&haos(), Ok(vec![DiskId("sda".into())]), &disks);
        assert!(matches!(known, SystemDisks::Known { holds_data, .. } if holds_data.len() == 1));
        let mut no_data_disk = haos();
        no_data_disk.data_disk = None;
        let mut no_drives = haos();
        no_drives.drives = None;
        for (facts, under) in [(no_data_disk, Ok(vec![])), (no_drives, Ok(vec![])), (haos(), Err("/data".into()))] {
            assert!(matches!(system_disks(&facts, under, &disks), SystemDisks::Unknown(_)));
        }
    }
}
