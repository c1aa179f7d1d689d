//! Disks as home and the confirm page show them: by maker, size and place; names of devices only among technical details.

use std::cmp::Ordering;

use crate::domain::disk::{Disk, DiskId, Refusal};
use crate::domain::job::JobState;
use crate::domain::problem::{Problem, Words};
use crate::jobs::{AllJobs, DiskList, ListedDisk};
use crate::texts::Language;
use crate::web::{now, words};

/// A disk in one of the lists.
pub struct DiskRow {
    pub id: DiskId,
    /// Stays the same as long as the disk is plugged in, so that focus survives a swap.
    pub anchor: String,
    pub name: String,
    pub place: String,
    pub plugged: String,
    pub contents: String,
    /// Which one of two that look the same it is.
    pub twin: Option<String>,
    pub reasons: Vec<String>,
    /// What can be done about a disk that we may not open.
    pub help: Option<Words>,
    pub offered: bool,
    pub path: String,
    pub bus_path: String,
    pub serial: String,
    pub fingerprint: Option<String>,
}

impl DiskRow {
    pub fn new(t: Language, listed: &ListedDisk, all: &DiskList, jobs: &AllJobs, offered: bool) -> DiskRow {
        let disk = &listed.disk;
        let help = listed.refusals.contains(&Refusal::MayNotOpen).then(|| Problem::DiskMayNotOpen.words_in(t));
        DiskRow {
            id: disk.id.clone(),
            anchor: format!("disk-{}", hex::encode(&disk.id.0)),
            name: words::disk_name(t, disk),
            place: words::place(t, disk),
            plugged: words::plugged(t, disk, now()),
            contents: words::contents(t, &disk.contents),
            twin: twin(t, listed, all),
            reasons: reasons(t, &disk.id, &listed.refusals, jobs),
            help,
            offered: offered && listed.refusals.is_empty(),
            path: disk.path.display().to_string(),
            bus_path: disk.bus_path.clone(),
            serial: disk.serial.clone(),
            fingerprint: disk.fingerprint.as_ref().map(|f| f.0.clone()),
        }
    }
}

/// Every reason against a disk. A finished card that is still plugged in is held, so that this system does not meet it:
/// that is no job at work.
pub fn reasons(t: Language, disk: &DiskId, refusals: &[Refusal], jobs: &AllJobs) -> Vec<String> {
    let newest = jobs.iter().find(|job| job.card.id == *disk);
    let finished = newest.is_some_and(|job| job.state == JobState::Done) && jobs.iter().all(|job| job.state.is_over());
    let said = |refusal: &Refusal| match refusal {
        Refusal::JobUsesIt if finished => t.say("refusal-finished"),
        refusal => refusal.said_in(t),
    };
    refusals.iter().map(said).collect()
}

/// A twin may be used once it was plugged in while we watched: then the person knows which one it is, and so must we.
fn twin(t: Language, listed: &ListedDisk, all: &DiskList) -> Option<String> {
    let disk = &listed.disk;
    let twins: Vec<&Disk> = all.disks.iter().map(|d| &d.disk).filter(|other| disk.looks_like(other)).collect();
    if twins.is_empty() || !listed.refusals.is_empty() {
        return None;
    }
    let newest = twins.iter().map(|other| other.plugged_at).max().flatten();
    match disk.plugged_at.cmp(&newest) {
        Ordering::Greater => Some(t.say("home-twin-last")),
        Ordering::Less => Some(t.say("home-twin-earlier")),
        // In the same second: nobody can tell.
        Ordering::Equal => None,
    }
}

/// Readers in which no card is, each once: those of a reader that has a card in another slot need no word.
pub fn empty_readers(t: Language, list: &DiskList) -> Vec<String> {
    let full: Vec<&str> = list.disks.iter().filter(|d| d.disk.medium).map(|d| reader(&d.disk)).collect();
    let mut seen = Vec::new();
    let mut names = Vec::new();
    for disk in list.disks.iter().filter(|d| is_empty_reader(d)).map(|d| &d.disk) {
        let reader = reader(disk);
        if !full.contains(&reader) && !seen.contains(&reader) {
            seen.push(reader);
            names.push(words::disk_name(t, disk));
        }
    }
    names
}

pub fn is_empty_reader(listed: &ListedDisk) -> bool {
    listed.refusals == [Refusal::NoMedium]
}

/// Where the reader hangs: its slots differ in the last part of their path.
fn reader(disk: &Disk) -> &str {
    let whole = disk.bus_path.as_str();
    disk.slot.and_then(|_| whole.rsplit_once('/')).map_or(whole, |(reader, _)| reader)
}
