//! Sentences that are put together of facts, in the language of the page. Their words are in `src/texts/`.

use std::time::Duration;

use crate::domain::disk::{Contents, Disk, FoundPartition, Transport};
use crate::domain::job::{JobState, StageState, StageView};
use crate::domain::progress::{Amount, remaining_in};
use crate::domain::size::Bytes;
use crate::domain::stage::Stage;
use crate::texts::Language;

/// "2 minutes ago"
pub fn ago(t: Language, seconds: u64) -> String {
    match seconds {
        0..60 => t.say("ago-now"),
        60..3600 => t.with("ago-minutes", "n", seconds / 60),
        3600..86_400 => t.with("ago-hours", "n", seconds / 3600),
        _ => t.with("ago-days", "n", seconds / 86_400),
    }
}

/// "4 s", "3 min", "1 h 12 min"
pub fn took(t: Language, millis: u64) -> String {
    let seconds = millis / 1000;
    let minutes = (seconds + 30) / 60;
    match seconds {
        0 => t.say("took-nothing"),
        1..=99 => t.with("took-seconds", "n", seconds),
        100..=5399 => t.with("took-minutes", "n", minutes),
        _ => t.tell("took-hours", &[("hours", &(minutes / 60)), ("minutes", &(minutes % 60))]),
    }
}

/// "SanDisk Ultra, 64 GB": how people know it. A reader without a card has no size.
pub fn disk_name(t: Language, disk: &Disk) -> String {
    let maker = [disk.vendor.trim(), disk.model.trim()].join(" ");
    let maker = match maker.trim() {
        "" if disk.medium => t.say("disk-unnamed"),
        "" => t.say("card-reader"),
        maker => maker.to_string(),
    };
    if disk.medium { format!("{maker}, {}", disk.size.sold_in(t)) } else { maker }
}

/// Where a disk hangs.
pub fn place(t: Language, disk: &Disk) -> String {
    let place = t.say(match disk.transport {
        _ if disk.scratch => "place-scratch",
        // Only readers have slots.
        Transport::Usb if disk.slot.is_some() => "place-reader",
        Transport::Usb => "place-usb",
        Transport::Mmc => "place-mmc",
        Transport::Nvme => "place-nvme",
        Transport::Sata => "place-sata",
        Transport::Virtual => "place-virtual",
        Transport::Other => "place-other",
    });
    match disk.slot {
        Some(slot) => t.tell("place-slot", &[("place", &place), ("slot", &slot)]),
        None => place,
    }
}

/// When it was plugged in, as far as we saw it.
pub fn plugged(t: Language, disk: &Disk, now: u64) -> String {
    match disk.plugged_at {
        Some(at) => ago(t, now.saturating_sub(at)),
        None => t.say("plugged-before"),
    }
}

/// What is on a disk now, in one line.
pub fn contents(t: Language, contents: &Contents) -> String {
    if contents.blank {
        return t.say("contents-empty");
    }
    if contents.partitions.iter().any(|found| is_system(&found.label) || is_system(&found.name)) {
        return t.say("contents-system");
    }
    const SHOWN: usize = 3;
    let mut parts: Vec<String> = contents.partitions.iter().take(SHOWN).map(|found| partition(t, found)).collect();
    match (parts.len(), contents.partitions.len()) {
        (0, _) if contents.table.is_some() => t.say("contents-no-partitions"),
        (0, _) => t.say("contents-unknown"),
        (_, all) => {
            let more = all.saturating_sub(SHOWN);
            parts.extend((more > 0).then(|| t.with("contents-more", "n", more)));
            parts.join(" · ")
        }
    }
}

/// The data partition's name in the table or label, or the system's: every Home Assistant OS has them.
fn is_system(name: &str) -> bool {
    name == "hassos-data" || name.starts_with("hassos-system")
}

/// `“BOOT”, FAT, about 1.2 GB of files`; where that is not known, `“BOOT”, FAT, 64 GB`.
fn partition(t: Language, found: &FoundPartition) -> String {
    let name = if found.label.is_empty() { &found.name } else { &found.label };
    let name = match name.as_str() {
        "" => t.with("contents-part", "n", found.number),
        name => t.with("contents-named", "name", name),
    };
    let kind = if found.filesystem.is_empty() { String::new() } else { format!(", {}", found.filesystem) };
    format!("{name}{kind}, {}", how_much(t, found))
}

fn how_much(t: Language, found: &FoundPartition) -> String {
    const HARDLY_ANY: Bytes = Bytes(1_000_000);
    match found.used {
        Some(used) if used < HARDLY_ANY => t.say("contents-no-files"),
        Some(used) => t.with("contents-files", "used", used.said_in(t)),
        None => found.size.sold_in(t),
    }
}

/// "2.6 of 6.2 GB", "3.1 GB so far", nothing where nothing moved.
pub fn amount(t: Language, amount: Amount) -> Option<String> {
    let done = Bytes(amount.done).said_in(t);
    match amount.total {
        Some(0) => None,
        Some(total) => {
            let total = Bytes(amount.done.max(total)).said_in(t);
            // The unit is said once where it is the same.
            let short = match (done.rsplit_once(' '), total.rsplit_once(' ')) {
                (Some((number, a)), Some((_, b))) if a == b => number,
                _ => &done,
            };
            Some(t.tell("amount-of", &[("done", &short), ("total", &total)]))
        }
        None if amount.done == 0 => None,
        None => Some(t.with("amount-so-far", "done", done)),
    }
}

/// "21 MB/s"
pub fn rate(t: Language, bytes_per_second: Option<u64>) -> Option<String> {
    let rate = bytes_per_second.filter(|rate| *rate > 0)?;
    Some(if rate >= 10_000_000 {
        format!("{} MB/s", rate / 1_000_000)
    } else {
        format!("{}/s", Bytes(rate).said_in(t))
    })
}

/// The same as a screen reader should say it: "21 megabytes per second".
pub fn rate_aloud(t: Language, shown: &str) -> String {
    let Some((number, unit)) = shown.trim_end_matches("/s").rsplit_once(' ') else { return shown.into() };
    let key = match unit {
        "kB" => "rate-aloud-kB",
        "MB" => "rate-aloud-MB",
        "GB" => "rate-aloud-GB",
        _ => "rate-aloud-bytes",
    };
    t.with(key, "n", number)
}

/// A step's state: "now", "done, 4 s".
pub fn step(t: Language, view: &StageView, aside: bool) -> String {
    match view.state {
        StageState::Waiting => t.say("step-waiting"),
        StageState::Running if aside => match amount(t, view.amount) {
            Some(amount) => t.with("step-aside-amount", "amount", amount),
            None => t.say("step-aside"),
        },
        StageState::Running => t.say("step-now"),
        StageState::Done => t.with("step-done", "took", took(t, view.millis)),
        StageState::Skipped => t.say("step-skipped"),
        StageState::Failed => t.say("step-failed"),
        StageState::Stopped => t.say("step-stopped"),
    }
}

/// A job's end in the list of earlier cards.
pub fn outcome(t: Language, state: JobState) -> String {
    t.say(match state {
        JobState::Running => "outcome-running",
        JobState::Stopping => "outcome-stopping",
        JobState::Cancelled => "outcome-cancelled",
        JobState::Failed => "outcome-failed",
        JobState::Interrupted => "outcome-interrupted",
        JobState::Done => "outcome-done",
    })
}

/// What stopping means for the card while `stage` runs (face §6).
pub fn if_stopped(t: Language, stage: Option<Stage>, untouched: bool) -> String {
    t.say(match stage {
        Some(Stage::Commit) => "if-stopped-commit",
        _ if untouched => "if-stopped-untouched",
        _ => "if-stopped-blank",
    })
}

/// The line of the time left; `alone` is the backup when nothing else runs beside it.
pub fn time_left(t: Language, remaining: Option<u64>, alone: Option<&StageView>) -> String {
    match (remaining, alone) {
        (None, Some(backup)) => match amount(t, backup.amount) {
            Some(amount) => t.with("left-backup-so-far", "amount", amount),
            None => t.say("left-backup"),
        },
        _ => remaining_in(t, remaining.map(Duration::from_secs)),
    }
}

/// The Supervisor's date, shortened to day and minute: "2026-11-20 03:12 UTC".
pub fn backup_date(iso: &str) -> String {
    let short: String = iso.chars().take(16).collect();
    let zone = if iso.ends_with("+00:00") || iso.ends_with('Z') { " UTC" } else { "" };
    format!("{}{zone}", short.replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EN: Language = Language::English;
    const DE: Language = Language::German;

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
            assert_eq!(ago(EN, seconds), want);
        }
        let cases = [
            (900, "under a second"),
            (4_200, "4 s"),
            (180_000, "3 min"),
            (4_320_000, "72 min"),
            (5_400_000, "1 h 30 min"),
        ];
        for (millis, want) in cases {
            assert_eq!(took(EN, millis), want);
        }
    }

    #[test]
    fn amounts_name_their_unit_once() {
        let of = |done, total| amount(EN, Amount { done, total });
        assert_eq!(of(2_600_000_000, Some(6_200_000_000)).unwrap(), "2.6 of 6.2 GB");
        assert_eq!(of(900_000_000, Some(6_200_000_000)).unwrap(), "900 MB of 6.2 GB");
        assert_eq!(of(3_100_000_000, None).unwrap(), "3.1 GB so far");
        assert_eq!(of(7, Some(5)).unwrap(), "7 of 7 bytes");
        assert_eq!((of(0, None), of(0, Some(0))), (None, None));
        assert_eq!(rate(EN, Some(21_400_000)).unwrap(), "21 MB/s");
        assert_eq!(rate(EN, Some(820_000)).unwrap(), "820.0 kB/s");
        assert_eq!((rate(EN, None), rate(EN, Some(0))), (None, None));
        assert_eq!(rate_aloud(EN, "21 MB/s"), "21 megabytes per second");
        assert_eq!(amount(DE, Amount { done: 2_600_000_000, total: Some(6_200_000_000) }).unwrap(), "2,6 von 6,2 GB");
        assert_eq!(rate_aloud(DE, &rate(DE, Some(820_000)).unwrap()), "820,0 Kilobyte pro Sekunde");
    }

    #[test]
    fn what_is_on_a_disk_fits_in_a_line() {
        let found = |number: u32, label: &str, filesystem: &str| FoundPartition {
            number,
            name: String::new(),
            label: label.into(),
            filesystem: filesystem.into(),
            size: Bytes(64_000_000_000),
            used: None,
        };
        let on = |partitions, table: Option<&str>, blank| {
            contents(EN, &Contents { table: table.map(String::from), partitions, blank })
        };
        assert_eq!(on(vec![], None, true), "Nothing; it is empty");
        assert_eq!(on(vec![], None, false), "Something that is not known");
        assert_eq!(on(vec![], Some("mbr"), false), "A table without partitions");
        assert_eq!(on(vec![found(1, "BOOT", "FAT")], None, false), "“BOOT”, FAT, 64 GB");
        let with = |used| vec![FoundPartition { used: Some(Bytes(used)), ..found(1, "BOOT", "FAT") }];
        assert_eq!(on(with(1_200_000_000), None, false), "“BOOT”, FAT, about 1.2 GB of files");
        assert_eq!(on(with(32_768), None, false), "“BOOT”, FAT, hardly any files");
        let system = ["hassos-boot", "hassos-kernel0", "hassos-system0", "hassos-data"];
        let system = system.iter().zip(1..).map(|(name, n)| found(n, name, "")).collect();
        assert_eq!(on(system, Some("gpt"), false), "A Home Assistant system");
        let many = (1..=5).map(|n| found(n, "", "")).collect();
        assert_eq!(on(many, None, false), "part 1, 64 GB · part 2, 64 GB · part 3, 64 GB · 2 more parts");
    }
}
