//! Sentences that are put together; fixed words stand in the templates. A second language replaces these two places.

use std::time::Duration;

use crate::domain::backup::BackupSlug;
use crate::domain::disk::{Contents, Disk, FoundPartition, Transport};
use crate::domain::job::{JobState, StageState, StageView};
use crate::domain::progress::Amount;
use crate::domain::size::Bytes;
use crate::domain::stage::Stage;
use crate::domain::system::SystemFacts;

/// "2 minutes ago"
pub fn ago(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (minutes, hours, days) {
        (0, ..) => "just now".into(),
        (1, ..) => "a minute ago".into(),
        (_, 0, _) => format!("{minutes} minutes ago"),
        (_, 1, _) => "an hour ago".into(),
        (_, _, 0) => format!("{hours} hours ago"),
        (_, _, 1) => "a day ago".into(),
        _ => format!("{days} days ago"),
    }
}

/// "4 s", "3 min", "1 h 12 min"
pub fn took(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0 => "under a second".into(),
        1..=99 => format!("{seconds} s"),
        100..=5399 => format!("{} min", (seconds + 30) / 60),
        _ => {
            let minutes = (seconds + 30) / 60;
            format!("{} h {} min", minutes / 60, minutes % 60)
        }
    }
}

/// Where a disk hangs.
pub fn place(disk: &Disk) -> String {
    let place = match disk.transport {
        _ if disk.scratch => "A file that plays a card",
        Transport::Usb => "USB",
        Transport::Mmc => "Built-in card slot",
        Transport::Nvme => "Built in, NVMe",
        Transport::Sata => "Built in, SATA",
        Transport::Virtual => "Virtual",
        Transport::Other => "Built in",
    };
    match disk.slot {
        Some(slot) => format!("{place}, slot {slot}"),
        None => place.into(),
    }
}

/// When it was plugged in, as far as we saw it.
pub fn plugged(disk: &Disk, now: u64) -> String {
    match disk.plugged_at {
        Some(at) => ago(now.saturating_sub(at)),
        None => "before this app started".into(),
    }
}

/// What is on a disk now, in one line.
pub fn contents(contents: &Contents) -> String {
    if contents.blank {
        return "Nothing; it is empty".into();
    }
    if contents.partitions.iter().any(|found| is_system(&found.label) || is_system(&found.name)) {
        return "A Home Assistant system".into();
    }
    const SHOWN: usize = 3;
    let mut parts: Vec<String> = contents.partitions.iter().take(SHOWN).map(partition).collect();
    match (parts.len(), contents.partitions.len()) {
        (0, _) if contents.table.is_some() => "A table without partitions".into(),
        (0, _) => "Something that is not known".into(),
        (_, all) => {
            match all.saturating_sub(SHOWN) {
                0 => {}
                1 => parts.push("1 more part".into()),
                more => parts.push(format!("{more} more parts")),
            }
            parts.join(" · ")
        }
    }
}

/// The data partition's name in the table or label, or the system's: every Home Assistant OS has them.
fn is_system(name: &str) -> bool {
    name == "hassos-data" || name.starts_with("hassos-system")
}

/// `“BOOT”, FAT, 64 GB`
fn partition(found: &FoundPartition) -> String {
    let name = if found.label.is_empty() { &found.name } else { &found.label };
    let name = if name.is_empty() { format!("part {}", found.number) } else { format!("“{name}”") };
    let kind = if found.filesystem.is_empty() { String::new() } else { format!(", {}", found.filesystem) };
    format!("{name}{kind}, {}", found.size.as_sold())
}

/// "2.6 of 6.2 GB", "3.1 GB so far", nothing where nothing moved.
pub fn amount(amount: Amount) -> Option<String> {
    let done = Bytes(amount.done).to_string();
    match amount.total {
        Some(0) => None,
        Some(total) => {
            let total = Bytes(amount.done.max(total)).to_string();
            let unit = |text: &str| text.rsplit_once(' ').map(|(n, unit)| (n.to_string(), unit.to_string()));
            match (unit(&done), unit(&total)) {
                (Some((n, a)), Some((_, b))) if a == b => Some(format!("{n} of {total}")),
                _ => Some(format!("{done} of {total}")),
            }
        }
        None if amount.done == 0 => None,
        None => Some(format!("{done} so far")),
    }
}

/// "21 MB/s"
pub fn rate(bytes_per_second: Option<u64>) -> Option<String> {
    let rate = bytes_per_second.filter(|rate| *rate > 0)?;
    Some(if rate >= 10_000_000 { format!("{} MB/s", rate / 1_000_000) } else { format!("{}/s", Bytes(rate)) })
}

/// The same as a screen reader should say it: "21 megabytes per second".
pub fn rate_aloud(shown: &str) -> String {
    shown.replace("/s", " per second").replace("kB", "kilobytes").replace("MB", "megabytes").replace("GB", "gigabytes")
}

/// A step's state: "now", "done, 4 s".
pub fn step(view: &StageView, aside: bool) -> String {
    match view.state {
        StageState::Waiting => "to come".into(),
        StageState::Running if aside => match amount(view.amount) {
            Some(amount) => format!("{amount}, at the same time"),
            None => "at the same time".into(),
        },
        StageState::Running => "now".into(),
        StageState::Done => format!("done, {}", took(view.millis)),
        StageState::Skipped => "not needed".into(),
        StageState::Failed => "failed here".into(),
        StageState::Stopped => "stopped here".into(),
    }
}

/// A job's end in the list of earlier cards.
pub fn outcome(state: JobState) -> &'static str {
    match state {
        JobState::Running => "being made",
        JobState::Stopping => "stopping",
        JobState::Cancelled => "stopped",
        JobState::Failed => "failed",
        JobState::Interrupted => "interrupted",
        JobState::Done => "ready",
    }
}

/// What stopping means for the card while `stage` runs (face §6).
pub fn if_stopped(stage: Option<Stage>, untouched: bool) -> &'static str {
    match stage {
        Some(Stage::Commit) => "This takes a few seconds and cannot be stopped.",
        _ if untouched => "The card is unchanged.",
        _ => "The card will be empty then and can be used again.",
    }
}

/// The line of the time left; `alone` is the backup when nothing else runs beside it.
pub fn time_left(remaining: Option<u64>, alone: Option<&StageView>) -> String {
    match (remaining, alone) {
        (None, Some(backup)) => match amount(backup.amount) {
            Some(amount) => format!("How long the backup takes is not known. {amount}."),
            None => "How long the backup takes is not known.".into(),
        },
        _ => crate::domain::progress::remaining_words(remaining.map(Duration::from_secs)),
    }
}

/// As Home Assistant lists it; by its slug where it has no name, or none that we know.
pub fn backup_name(facts: &SystemFacts, slug: &BackupSlug) -> String {
    let listed = facts.backups.iter().flatten().find(|backup| backup.facts.slug == *slug);
    let name = listed.map(|backup| backup.facts.name.trim()).filter(|name| !name.is_empty());
    name.map_or_else(|| slug.to_string(), str::to_string)
}

/// The Supervisor's date, shortened to day and minute: "2026-11-20 03:12".
pub fn backup_date(iso: &str) -> String {
    let short: String = iso.chars().take(16).collect();
    short.replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::backup::BackupKind;
    use crate::web::trial::backup;

    #[test]
    fn times_read_as_people_say_them() {
        let cases = [
            (0, "just now"),
            (59, "just now"),
            (60, "a minute ago"),
            (125, "2 minutes ago"),
            (3600, "an hour ago"),
            (7200, "2 hours ago"),
            (86_400, "a day ago"),
            (400_000, "4 days ago"),
        ];
        for (seconds, want) in cases {
            assert_eq!(ago(seconds), want);
        }
        let cases = [
            (900, "under a second"),
            (4_200, "4 s"),
            (180_000, "3 min"),
            (4_320_000, "72 min"),
            (5_400_000, "1 h 30 min"),
        ];
        for (millis, want) in cases {
            assert_eq!(took(millis), want);
        }
    }

    #[test]
    fn amounts_name_their_unit_once() {
        let of = |done, total| amount(Amount { done, total });
        assert_eq!(of(2_600_000_000, Some(6_200_000_000)).unwrap(), "2.6 of 6.2 GB");
        assert_eq!(of(900_000_000, Some(6_200_000_000)).unwrap(), "900 MB of 6.2 GB");
        assert_eq!(of(3_100_000_000, None).unwrap(), "3.1 GB so far");
        assert_eq!(of(7, Some(5)).unwrap(), "7 of 7 bytes");
        assert_eq!((of(0, None), of(0, Some(0))), (None, None));
        assert_eq!(rate(Some(21_400_000)).unwrap(), "21 MB/s");
        assert_eq!(rate(Some(820_000)).unwrap(), "820.0 kB/s");
        assert_eq!((rate(None), rate(Some(0))), (None, None));
        assert_eq!(rate_aloud("21 MB/s"), "21 megabytes per second");
    }

    #[test]
    fn a_backup_is_named_as_home_assistant_lists_it() {
        let named = |slug: &str, name: &str| {
            let mut listed = backup(slug, BackupKind::Full, false);
            listed.facts.name = name.into();
            listed
        };
        let backups = Some(vec![named("0a1b2c3d", "sd-swap-clone-2026-11-21"), named("11111111", " ")]);
        let facts = SystemFacts { backups, ..SystemFacts::default() };
        let cases = [("0a1b2c3d", "sd-swap-clone-2026-11-21"), ("11111111", "11111111"), ("22222222", "22222222")];
        for (slug, want) in cases {
            assert_eq!(backup_name(&facts, &slug.parse().unwrap()), want);
        }
    }

    #[test]
    fn what_is_on_a_disk_fits_in_a_line() {
        let found = |number: u32, label: &str, filesystem: &str| FoundPartition {
            number,
            name: String::new(),
            label: label.into(),
            filesystem: filesystem.into(),
            size: Bytes(64_000_000_000),
        };
        let on = |partitions, table: Option<&str>, blank| {
            contents(&Contents { table: table.map(String::from), partitions, blank })
        };
        assert_eq!(on(vec![], None, true), "Nothing; it is empty");
        assert_eq!(on(vec![], None, false), "Something that is not known");
        assert_eq!(on(vec![], Some("mbr"), false), "A table without partitions");
        assert_eq!(on(vec![found(1, "BOOT", "FAT")], None, false), "“BOOT”, FAT, 64 GB");
        let system = ["hassos-boot", "hassos-kernel0", "hassos-system0", "hassos-data"];
        let system = system.iter().zip(1..).map(|(name, n)| found(n, name, "")).collect();
        assert_eq!(on(system, Some("gpt"), false), "A Home Assistant system");
        let many = (1..=5).map(|n| found(n, "", "")).collect();
        assert_eq!(on(many, None, false), "part 1, 64 GB · part 2, 64 GB · part 3, 64 GB · 2 more parts");
    }
}
