//! Jobs for the trials of what is kept: one that knows everything, one that an earlier version wrote.

use super::trial::{camera, ended, warning};
use crate::domain::backup::BackupParts;
use crate::domain::carry::Carried;
use crate::domain::disk::{DiskId, Fingerprint};
use crate::domain::job::*;
use crate::domain::progress::Amount;
use crate::domain::size::Bytes;
use crate::domain::stage::Stage;

pub const SHA: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// A finished card of which everything is known, with warnings.
pub fn rich(id: u64) -> JobView {
    let mut job = ended(id, JobState::Done);
    job.started = super::now().saturating_sub(7200);
    job.ended = Some(job.started + 1620);
    job.card.fingerprint = Fingerprint("v1-0123456789abcdef0123456789abcdef".into());
    let measured = [
        (Stage::Backup, 2_300_000_000, 250_000),
        (Stage::Download, 350_000_000, 60_000),
        (Stage::Write, 6_200_000_000, 400_000),
        (Stage::Verify, 6_200_000_000, 300_000),
        (Stage::Inject, 2_300_000_000, 150_000),
    ];
    for view in &mut job.stages {
        view.amount = Amount::default();
        if let Some((_, bytes, millis)) = measured.iter().find(|(stage, ..)| *stage == view.stage) {
            (view.amount, view.millis) = (Amount { done: *bytes, total: Some(*bytes) }, *millis);
        }
    }
    job.warnings = vec![
        Warning::new("local_apps_missing", &[]),
        Warning::new("app_not_in_backup", &[("part", "Mosquitto <broker>"), ("said", "timeout")]),
        Warning::new("blocks_rewritten", &[("count", "2"), ("places", "1.2 GB, 5.0 GB")]),
    ];
    job.made = Made {
        app: Some("0.1.0".into()),
        marks: DiskMarks { vendor: "SanDisk".into(), model: "Ultra".into(), serial: "4C530001".into() },
        board: "rpi4-64".parse().ok(),
        version: "18.2".parse().ok(),
        image_name: Some("haos_rpi4-64-18.2.img.xz".into()),
        image_digest: SHA.parse().ok(),
        image_as_published: true,
        image_file_bytes: Some(Bytes(350_000_000)),
        image_bytes: Some(Bytes(6_200_000_000)),
        beside_download: true,
        backup: "0a1b2c3d".parse().ok(),
        backup_name: Some("sd-swap 2026-11-21 „Küche“".into()),
        backup_digest: SHA.parse().ok(),
        backup_bytes: Some(Bytes(2_300_000_000)),
        backup_date: Some("2026-11-21T12:05:44.123456+00:00".into()),
        backup_core: Some("2026.11.1".into()),
        backup_protected: true,
        carried: Some(Carried { hostname: Some("villa".into()), interfaces: vec!["end0".into(), "wlan0".into()] }),
        rewritten_blocks: vec![1201, 5003],
        backup_parts: Some(BackupParts {
            apps: vec!["core_mosquitto".into()],
            folders: vec!["share".into(), "ssl".into()],
            database: true,
        }),
    };
    job
}

/// A finished card as the first ledgers have it, without a backup.
pub fn old(id: u64) -> JobView {
    let mut job = ended(id, JobState::Done);
    (job.started, job.ended) = (1_763_733_909, None);
    job.made = Made { rewritten_blocks: Vec::new(), ..Made::default() };
    job.request.backup = BackupChoice::None;
    for view in job.stages.iter_mut().filter(|view| view.stage == Stage::Backup) {
        view.state = StageState::Skipped;
    }
    job
}

/// Words as long as they come.
pub fn long(id: u64) -> JobView {
    let mut job = rich(id);
    let name = "Verylongmanufacturernamewithoutanyspacesinit Professional Ultra Extreme Plus A2 V30 Endurance Edition";
    job.card.name = format!("{name}, 64 GB");
    job.card.id = DiskId("sdz".into());
    job.made.marks = DiskMarks { vendor: name.into(), model: name.into(), serial: "0".repeat(120) };
    job.made.backup_name = Some(format!("{name} — {}", "nochmals langer Name ".repeat(6)));
    job.warnings = vec![warning(&format!("{name}: {}", camera().partitions.len())), warning(&"w".repeat(200))];
    job
}

/// One of each outcome, newest first.
pub fn every_outcome() -> Vec<JobView> {
    let mut failed = ended(4, JobState::Failed);
    failed.problem = Some(crate::domain::problem::Problem::CardPulled { stage: Stage::Write });
    let mut jobs =
        vec![long(8), rich(7), ended(6, JobState::Interrupted), ended(5, JobState::Cancelled), failed, old(3)];
    jobs.insert(0, super::trial::job(9));
    jobs
}

/// A log of job 7, as it would be.
pub fn write_logs(data: &std::path::Path) {
    let lines = [
        "preflight: begins",
        "preflight: done",
        "backup: begins",
        "download: begins",
        "download: done",
        "write: begins",
        "warning: The folder of local apps (addons/local) is not in this backup: copy it by hand before you swap.",
        "failed: The card was pulled out (writing 1 MiB at 2.6 GB of SanDisk Ultra: No such device (os error 19))",
        "write: failed",
        "failed. The card is empty now and can be used again.",
    ];
    let log: String = lines.iter().map(|line| format!("2026-11-21 14:05:09Z {line}\n")).collect();
    std::fs::create_dir_all(data.join("logs")).unwrap();
    std::fs::write(crate::jobs::logs::path(data, JobId(7)), log).unwrap();
}
