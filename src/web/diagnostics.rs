//! What a report should have with it: plain English text without names of people, networks and backups, without serials,
//! addresses and secrets. ASCII, so that it can be pasted anywhere.

use std::fmt::Write as _;

use crate::domain::backup::BackupKind;
use crate::domain::job::{JobState, JobView};
use crate::domain::system::{SystemFacts, SystemView};
use crate::jobs::{AllJobs, DiskList, ListedDisk};

/// Jobs that are told of.
const JOBS: usize = 10;

pub fn text(system: &SystemView, disks: &DiskList, jobs: &AllJobs) -> String {
    let mut out = format!("sd-swap {}\n", env!("CARGO_PKG_VERSION"));
    about_system(&mut out, system);
    out.push_str("disks:\n");
    if let Some(failed) = &disks.failed {
        line(&mut out, "  could not be listed", failed);
    }
    disks.disks.iter().for_each(|listed| about_disk(&mut out, listed));
    out.push_str("jobs:\n");
    jobs.iter().take(JOBS).for_each(|job| about_job(&mut out, job));
    out.chars().map(|c| if c == '\n' || (' '..='~').contains(&c) { c } else { '?' }).collect()
}

fn line(out: &mut String, name: &str, value: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{name}: {value}");
}

fn about_system(out: &mut String, system: &SystemView) {
    let facts = &system.facts;
    let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "?".into());
    let version = |value: &Option<_>| value.as_ref().map_or("?".into(), ToString::to_string);
    line(out, "asked Home Assistant", if system.known { "yes" } else { "no" });
    line(out, "board", &format!("{} (machine {})", known(&facts.board), known(&facts.machine)));
    let (now, latest, pending) = (version(&facts.os_version), version(&facts.os_latest), &facts.os_pending);
    let pending = pending.as_ref().map(|pending| format!(", {pending} waits for a restart")).unwrap_or_default();
    line(out, "os", &format!("{now} (newest {latest}){pending}"));
    line(out, "supervisor", &known(&facts.supervisor_version));
    line(out, "core", &format!("{} ({})", known(&facts.core_version), known(&facts.state)));
    line(out, "supported", &format!("{} {}", yes(facts.supported), facts.unsupported.join(" ")));
    line(out, "unhealthy", &facts.unhealthy.join(" "));
    line(out, "internet", yes(facts.internet));
    let size = |size: Option<_>| size.map_or("?".into(), |size: crate::domain::size::Bytes| size.to_string());
    line(out, "data disk", &format!("{} free of {}", size(facts.disk_free), size(facts.disk_total)));
    line(out, "backups", &backups(facts));
    let kept = system.kept_image.as_ref().map(|(name, size)| format!("{name}, {size}"));
    line(out, "kept image", &kept.unwrap_or_else(|| "none".into()));
    let problems: Vec<_> = system.problems.iter().map(|p| format!("{} {}", p.number(), p.code())).collect();
    line(out, "problems", &problems.join(", "));
    let warnings: Vec<_> = system.warnings.iter().map(|warning| &*warning.code).collect();
    line(out, "warnings", &warnings.join(", "));
}

fn yes(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "yes",
        Some(false) => "no",
        None => "?",
    }
}

fn backups(facts: &SystemFacts) -> String {
    let Some(all) = &facts.backups else { return "?".into() };
    let full = all.iter().filter(|backup| backup.facts.kind == BackupKind::Full).count();
    let protected = all.iter().filter(|backup| backup.facts.protected).count();
    let newest = all.first().map(|backup| format!(", newest {}", backup.size)).unwrap_or_default();
    format!("{} ({full} full, {protected} protected{newest})", all.len())
}

fn about_disk(out: &mut String, listed: &ListedDisk) {
    let disk = &listed.disk;
    let kind = if disk.scratch { "scratch" } else { disk.transport.word() };
    let reasons: Vec<_> = listed.refusals.iter().map(|refusal| refusal.code()).collect();
    let reasons = if reasons.is_empty() { "can be used".into() } else { reasons.join(" ") };
    let (vendor, model) = (disk.vendor.trim(), disk.model.trim());
    line(out, &format!("  {kind} {vendor} {model} {} sector {}", disk.size, disk.sector), &reasons);
}

fn about_job(out: &mut String, job: &JobView) {
    let seconds = job.ended.map_or("?".into(), |ended| ended.saturating_sub(job.started).to_string());
    let stopped = job.last_stage().filter(|_| job.state != JobState::Done);
    let at = stopped.map(|stage| format!(" at {}", stage.id())).unwrap_or_default();
    let mut told = format!("{}{at}, {} %, {seconds} s", job.state.word(), job.percent);
    if let Some(problem) = &job.problem {
        let _ = write!(told, ", {} {}", problem.number(), problem.code());
    }
    let warnings: Vec<_> = job.warnings.iter().map(|warning| &*warning.code).collect();
    if !warnings.is_empty() {
        let _ = write!(told, ", warnings: {}", warnings.join(" "));
    }
    line(out, &format!("  {}", job.id), &told);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::disk::Refusal;
    use crate::domain::job::JobState;
    use crate::domain::problem::Problem;
    use crate::domain::stage::Stage;
    use crate::web::trial::*;
    use crate::web::trial_jobs::rich;

    #[test]
    fn a_report_has_the_facts_and_no_names() {
        let mut system = usual_system();
        system.problems = vec![Problem::NoInternet];
        system.facts.hostname = Some("villa-müller".into());
        system.facts.unhealthy = vec!["docker".into()];
        system.facts.local_apps = vec!["local_secretproject".into()];
        let mut disk = disk("sdb");
        (disk.serial, disk.contents) = ("SERIAL123".into(), camera());
        let disks = DiskList { known: true, disks: vec![listed(disk, &[Refusal::Twin])], failed: None };
        let mut failed = ended(8, JobState::Failed);
        failed.problem = Some(Problem::CardPulled { stage: Stage::Write });
        let jobs: AllJobs = Arc::new(vec![Arc::new(failed), Arc::new(rich(7))]);
        let text = text(&system, &disks, &jobs);
        for fact in [
            "board: rpi4-64 (machine raspberrypi4-64)\n",
            "os: 18.2 (newest 18.2)\n",
            "core: 2026.11.1 (running)\n",
            "unhealthy: docker\n",
            "backups: 3 (2 full, 1 protected, newest 2.3 GB)\n",
            "problems: P31 no_internet\n",
            "  usb SanDisk Ultra 63.9 GB sector 512: twin\n",
            "  8: failed at write, 42 %, 240 s, P11 card_pulled\n",
            "  7: done, 100 %, 1620 s, warnings: local_apps_missing app_not_in_backup blocks_rewritten\n",
        ] {
            assert!(text.contains(fact), "{fact:?} is missing in\n{text}");
        }
        for secret in
            ["villa", "Automatic", "0a1b2c3d", "SERIAL123", "EOS", "192.168", "local_secret", "Mosquitto", "v1-"]
        {
            assert!(!text.contains(secret), "{secret} is in\n{text}");
        }
        assert!(text.is_ascii());
    }

    #[test]
    fn of_nothing_known_it_says_that() {
        let text = text(&SystemView::default(), &DiskList::default(), &AllJobs::default());
        assert!(text.contains("asked Home Assistant: no\nboard: ? (machine ?)\n"), "{text}");
    }
}
