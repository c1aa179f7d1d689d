//! Every recorded transcript, and what a client has to make of it.

use std::collections::BTreeSet;
use std::path::Path;

use sd_swap::domain::backup::BackupKind;
use sd_swap::domain::pace::Pace;
use sd_swap::domain::progress::StopFlag;
use sd_swap::domain::secret::Secret;
use sd_swap::domain::size::Bytes;
use sd_swap::supervisor::{BackupError, Reading, Supervisor, SupervisorError};
use serde_json::Value;
use url::Url;

use crate::replay::{Replay, exchanges, folder};

/// What is done with a case, and what must come of it.
enum Expect {
    /// The system is read with this answer among healthy ones.
    System(fn(&Reading) -> bool),
    /// The recorded GET is made.
    Get(&'static str),
    /// A full backup is made: "made", or the error; then codes of warnings.
    Backup(&'static str, &'static [&'static str]),
    /// The list: number of backups that are offered, and of these the partial ones.
    List(usize, usize),
    /// We never ask this: another role, or not our work.
    NotAsked,
}

use Expect::{Backup, Get, List, NotAsked, System};

fn expectations() -> Vec<(&'static str, Expect)> {
    vec![
        ("info", System(|r| r.facts.state.as_deref() == Some("running") && r.facts.supported == Some(true))),
        ("info-state-startup", System(|r| r.facts.state.as_deref() == Some("startup"))),
        ("info-not-haos", System(|r| r.facts.supported == Some(false))),
        ("os-info", System(|r| r.facts.board.as_deref() == Some("rpi4-64") && version(r, 0) == "18.2")),
        ("os-info-update-available", System(|r| (version(r, 0), version(r, 1)) == ("17.3".into(), "18.2".into()))),
        ("os-info-update-pending", System(|r| version(r, 2) == "18.2" && version(r, 0) == "18.1")),
        ("host-info", System(|r| r.facts.disk_free == Some(Bytes((20.4 * (1u64 << 30) as f64) as u64)))),
        ("network-info-dhcp", System(|r| r.facts.addresses == ["192.168.1.40"] && r.facts.internet == Some(true))),
        ("network-info-static", System(|r| r.facts.addresses == ["192.168.1.40"])),
        ("network-info-wifi", System(|r| r.facts.addresses == ["192.168.1.41"])),
        ("network-info-both", System(|r| r.facts.addresses == ["192.168.1.40", "192.168.1.41"])),
        ("network-info-no-internet", System(|r| r.facts.internet == Some(false))),
        ("hardware-info", System(|r| used(r) == [("SC32G", true), ("STORAGE DEVICE", false)])),
        ("hardware-info-card-empty", System(|r| used(r)[1] == ("STORAGE DEVICE", false))),
        ("hardware-info-card-haos", System(|r| used(r)[0] == ("SC32G", true))),
        ("resolution-info", System(|r| r.facts.unhealthy.is_empty() && r.facts.unsupported.is_empty())),
        ("resolution-info-unhealthy", System(|r| r.facts.unhealthy == ["duplicate_os_installation"])),
        ("resolution-info-second-data-disk", System(|r| r.failed.is_empty())),
        ("supervisor-info", System(|r| r.facts.local_apps == ["local_sd_swap", "local_builder"])),
        ("addons-self-info-protected", Get("ok")),
        ("addons-self-info-unprotected", Get("ok")),
        ("core-info", Get("ok")),
        ("jobs-info-idle", Get("ok")),
        ("jobs-info-finished", Get("ok")),
        ("jobs-info-after-refusal", Get("ok")),
        ("backup-info", Get("ok")),
        ("supervisor-ping-no-token", Get("ok")),
        ("auth-no-token", Get("Unauthorized")),
        ("auth-bad-token", Get("Forbidden")),
        ("auth-no-api-os-info", Get("Forbidden")),
        ("auth-role-backup-job-by-id", Get("Forbidden")),
        ("auth-role-backup-unknown-path", Get("Forbidden")),
        ("bad-path-filtered", NotAsked),
        ("not-ready", Get("NotReady")),
        ("backup-info-unknown", Get("NotFound")),
        ("job-unknown-manager", Get("NotFound")),
        ("backups-info-empty", List(0, 0)),
        ("backups-list", List(1, 0)),
        ("backups-list-with-damaged-file", List(1, 0)),
        ("backup-partial", List(1, 1)),
        ("auth-role-default-new-backup", Backup("Start Forbidden supervisor_silent", &[])),
        ("backup-state-startup", Backup("Start Refused still_starting", &[])),
        ("backup-no-space", Backup("Start Refused no_room_for_backup", &[])),
        ("backup-second-while-running", Backup("Start Refused backup_running", &[])),
        ("backups-freeze-thaw", Backup("Start Refused backup_running", &[])),
        ("backup-bad-key", Backup("Start Refused backup_failed", &[])),
        ("backup-bad-json", Backup("Start Refused backup_failed", &[])),
        ("backup-bad-location", Backup("Start NotFound supervisor_silent", &[])),
        ("backup-cloud-location", Backup("Start Forbidden supervisor_silent", &[])),
        ("backup-core-refuses-sync", Backup("Start Refused backup_failed", &[])),
        ("backup-full-success", Backup("made", &[])),
        ("backup-full-growing-file", Backup("made", &[])),
        ("backup-full-protected", Backup("made", &["backup_needs_key"])),
        ("backup-full-no-database", Backup("made", &["backup_without_database"])),
        ("backup-app-fails", Backup("made", &["app_not_in_backup"])),
        ("backup-image-export-fails", Backup("made", &["app_not_in_backup"])),
        ("backup-core-refuses", Backup("Failed: Preparing backup of Home Assistant Core failed", &[])),
        ("backup-core-refuses-inner", Backup("Failed: Preparing backup of Home Assistant Core failed", &[])),
        ("backup-core-down", Backup("Failed: Preparing backup of Home Assistant Core failed", &[])),
        ("backup-core-hangs", Backup("Failed: Preparing backup of Home Assistant Core failed", &[])),
        ("backup-supervisor-killed", Backup("Gone", &[])),
        ("backup-full-sync", NotAsked),
        ("auth-role-backup-resolution-check", NotAsked),
        ("auth-role-backup-shutdown", NotAsked),
        ("host-shutdown-db-migration", NotAsked),
        ("host-shutdown-manager", NotAsked),
        ("backup-delete", NotAsked),
        ("backup-delete-file-missing", NotAsked),
        ("backup-delete-unknown", NotAsked),
        ("backup-download", NotAsked),
        ("backups-reload", NotAsked),
        ("restore-full", NotAsked),
        ("restore-no-password", NotAsked),
        ("restore-wrong-password", NotAsked),
    ]
}

fn version(reading: &Reading, which: usize) -> String {
    let facts = &reading.facts;
    let version = [&facts.os_version, &facts.os_latest, &facts.os_pending][which];
    version.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn used(reading: &Reading) -> Vec<(&str, bool)> {
    let drives = reading.facts.drives.iter().flatten();
    drives.map(|d| (d.model.as_str(), d.used_by_system)).collect()
}

fn client(replay: &Replay) -> Supervisor {
    let base = Url::parse(&format!("http://{}", replay.address)).unwrap();
    Supervisor::new(&base, Secret::new("token"), Pace::brisk())
}

#[test]
fn every_recorded_case_has_an_expectation() {
    let files = std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path());
    let cases = files.filter(|p| p.extension().is_some_and(|end| end == "json"));
    let cases: BTreeSet<String> = cases.map(|p| p.file_stem().unwrap().to_str().unwrap().to_string()).collect();
    let table: BTreeSet<String> = expectations().into_iter().map(|(case, _)| case.to_string()).collect();
    assert_eq!(cases, table);
}

#[actix_web::test]
async fn recorded_cases_come_out_as_they_must() {
    for (case, expect) in expectations() {
        match expect {
            System(holds) => system(case, holds).await,
            Get(want) => get(case, want).await,
            List(all, partial) => list(case, all, partial).await,
            Backup(want, codes) => backup(case, want, codes).await,
            NotAsked => {}
        }
    }
}

async fn system(case: &str, holds: fn(&Reading) -> bool) {
    let healthy = [
        "info",
        "os-info",
        "host-info",
        "network-info-dhcp",
        "hardware-info",
        "resolution-info",
        "supervisor-info",
        "backups-list",
        "backup-info",
    ];
    let special = exchanges(case);
    let is_replaced = |e: &Value| e["request"]["path"] == special[0]["request"]["path"];
    let others = healthy.iter().flat_map(|name| exchanges(name)).filter(|e| !is_replaced(e));
    let replay = Replay::of(special.iter().cloned().chain(others).collect());
    let reading = client(&replay).system().await.unwrap_or_else(|e| panic!("{case}: {e}"));
    assert!(holds(&reading), "{case}: {reading:#?}");
    assert!(reading.failed.is_empty(), "{case}: {:?}", reading.failed);
    assert_eq!(reading.facts.expected_backup(), Some(Bytes(40960)), "{case}");
    replay.end().await;
}

async fn get(case: &str, want: &str) {
    let recorded = exchanges(case);
    let path = recorded[0]["request"]["path"].as_str().unwrap().to_string();
    let replay = Replay::of(recorded);
    let got = client(&replay).get::<Value>(&path, 3).await;
    let word = got.as_ref().map_or_else(variant, |_| "ok".into());
    assert_eq!(word, want, "{case}: {got:?}");
    assert_eq!(replay.asked().len(), 1, "{case}: an answer that means something is not asked for again");
    replay.end().await;
}

async fn list(case: &str, all: usize, partial: usize) {
    let replay = Replay::of(exchanges(case));
    let backups = client(&replay).backups().await.unwrap();
    let parts = backups.iter().filter(|b| b.facts.kind == BackupKind::Partial).count();
    assert_eq!((backups.len(), parts), (all, partial), "{case}: {backups:?}");
    assert!(backups.iter().all(|b| b.size > Bytes::ZERO && b.facts.homeassistant.is_some()), "{case}");
    replay.end().await;
}

async fn backup(case: &str, want: &str, codes: &[&str]) {
    let recorded = exchanges(case);
    let dir = tempfile::tempdir().unwrap();
    for exchange in &recorded {
        lay_down(dir.path(), &exchange["response"]["body"]["data"]);
    }
    let replay = Replay::of(recorded);
    let result = client(&replay).full_backup("2026-11-21", dir.path(), None, &StopFlag::new(), |_| {}).await;
    let (word, warnings) = match &result {
        Ok(made) => ("made".to_string(), made.warnings.iter().map(|w| w.code.as_str()).collect()),
        Err(error) => (failure(error), vec![]),
    };
    assert!(word.starts_with(want), "{case}: {word} {result:?}");
    assert_eq!(warnings, codes, "{case}: {result:?}");
    let posts = replay.asked().iter().filter(|asked| asked.starts_with("POST")).count();
    assert_eq!(posts, 1, "{case}: {:?}", replay.asked());
    replay.end().await;
}

/// The file that the recorded details of a backup speak of: a tar with its `backup.json`, of the listed size.
fn lay_down(dir: &Path, details: &Value) {
    let (Some(slug), Some(size)) = (details["slug"].as_str(), details["size_bytes"].as_u64()) else { return };
    let json = serde_json::json!({"slug": slug, "type": details["type"]}).to_string();
    let mut builder = tar::Builder::new(std::fs::File::create(dir.join("any name.tar")).unwrap());
    let mut header = tar::Header::new_gnu();
    header.set_size(json.len() as u64);
    builder.append_data(&mut header, "./backup.json", json.as_bytes()).unwrap();
    builder.into_inner().unwrap().set_len(size).unwrap();
}

/// The name of the variant.
pub fn variant(error: &SupervisorError) -> String {
    format!("{error:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// An error of a backup in one line: variant, cause, code of the problem.
pub fn failure(error: &BackupError) -> String {
    match error {
        BackupError::Start(cause) => format!("Start {} {}", variant(cause), error.problem().code()),
        BackupError::Follow(cause) => format!("Follow {} {}", variant(cause), error.problem().code()),
        BackupError::Failed { said } => format!("Failed: {said}"),
        other => format!("{other:?}").chars().take_while(char::is_ascii_alphanumeric).collect(),
    }
}
