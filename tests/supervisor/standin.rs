//! The client against a stand-in that does what it should, and the stand-in against the recordings.

use std::time::{Duration, Instant};

use sd_swap::demo::supervisor::{Network, PackPlan, Standin, StandinConfig, write_backup};
use sd_swap::domain::pace::Pace;
use sd_swap::domain::progress::{Meter, StopFlag};
use sd_swap::domain::size::Bytes;
use sd_swap::supervisor::{BackupError, BackupProgress, Depth, MadeBackup, Supervisor, check_file, find_tar};
use serde_json::{Value, json};

use crate::recorded::failure;
use crate::replay::read;

pub struct Bench {
    pub standin: Standin,
    pub client: Supervisor,
    _dir: tempfile::TempDir,
}

pub fn bench(change: impl FnOnce(&mut StandinConfig)) -> Bench {
    bench_at(Pace::brisk(), change)
}

pub fn bench_at(pace: Pace, change: impl FnOnce(&mut StandinConfig)) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let mut config = StandinConfig::new(dir.path().join("backup"));
    change(&mut config);
    let standin = Standin::start(config).unwrap();
    let client = Supervisor::new(&standin.url(), standin.token(), pace);
    Bench { standin, client, _dir: dir }
}

impl Bench {
    pub async fn make(&self, report: impl FnMut(BackupProgress)) -> Result<MadeBackup, BackupError> {
        self.make_until(&StopFlag::new(), report).await
    }

    pub async fn make_until(
        &self,
        stop: &StopFlag,
        report: impl FnMut(BackupProgress),
    ) -> Result<MadeBackup, BackupError> {
        let expected = Some(Bytes(200_000));
        self.client.full_backup("2026-11-21", &self.standin.backup_dir(), expected, stop, report).await
    }

    pub fn asked(&self, method: &str, path: &str) -> usize {
        self.standin.requests().iter().filter(|r| r.method == method && r.path == path).count()
    }
}

/// Polls until it holds, at most ten seconds.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !holds().await {
        assert!(Instant::now() < until, "{what}: not within ten seconds");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[actix_web::test]
async fn a_full_backup_is_asked_for_followed_and_whole() {
    let bench = bench(|config| config.step = Duration::from_secs(10));
    let mut seen: Vec<BackupProgress> = Vec::new();
    let made = bench.make(|progress| seen.push(progress)).await.unwrap();
    assert!(made.warnings.is_empty() && made.followed_to_end, "{made:?}");
    assert_eq!(made.path, find_tar(&bench.standin.backup_dir(), &made.listed.facts.slug).unwrap());
    let wanted = Some((&made.listed.facts.slug, made.listed.size));
    let checked = check_file(&made.path, wanted, Depth::Inner, &Meter::new(), &StopFlag::new()).unwrap();
    assert_eq!(checked.facts, made.listed.facts);
    assert!(checked.size.0.abs_diff(200_000) < 40_000, "{}", checked.size);

    let posts: Vec<_> = bench.standin.requests().into_iter().filter(|r| r.method == "POST").collect();
    let body = json!({"name": "sd-swap-clone-2026-11-21", "location": ".local",
        "homeassistant_exclude_database": false, "background": true});
    assert_eq!(posts.len(), 1);
    assert_eq!((posts[0].path.as_str(), &posts[0].body), ("/backups/new/full", &body));
    assert!(bench.standin.requests().iter().all(|r| !r.path.starts_with("/jobs/") || r.path == "/jobs/info"));

    assert!(seen.is_sorted_by_key(|p| p.bytes), "the file only grows");
    assert!(seen.iter().any(|p| p.child.as_deref() == Some("Mosquitto broker")), "{seen:#?}");
    assert!(seen.iter().any(|p| p.stage.text() == "Folders" && p.phrase().text() == "Backing up share"), "{seen:#?}");
    assert!(seen.iter().any(|p| p.phrase().text() == "Waiting for apps to start again"), "{seen:#?}");
    assert!(seen.iter().all(|p| p.expected == Some(Bytes(200_000))));
    assert_eq!(seen.last().unwrap().slug.as_ref(), Some(&made.listed.facts.slug));
}

#[actix_web::test]
async fn child_jobs_of_older_supervisors_are_understood() {
    let bench = bench(|config| {
        config.old_names = true;
        config.step = Duration::from_secs(10);
    });
    let mut children = Vec::new();
    bench.make(|progress| children.extend(progress.child)).await.unwrap();
    assert!(children.iter().any(|c| c == "Node-RED"), "{children:?}");
}

#[actix_web::test]
async fn the_system_is_read_whole() {
    let bench = bench(|config| {
        config.network = Network::Both;
        config.apps[0].slug = "local_builder".into();
    });
    bench.make(|_| {}).await.unwrap();
    let reading = bench.client.system().await.unwrap();
    assert!(reading.failed.is_empty(), "{:?}", reading.failed);
    let facts = reading.facts;
    assert_eq!(facts.board.as_deref(), Some("rpi4-64"));
    assert_eq!(facts.machine.as_deref(), Some("raspberrypi4-64"));
    assert_eq!(facts.addresses, ["192.168.1.40", "192.168.1.41"]);
    assert_eq!(facts.local_apps, ["local_builder"]);
    assert_eq!(facts.app.as_deref(), Some("local_sd_swap"));
    assert_eq!(facts.drives.as_ref().unwrap().iter().filter(|d| d.used_by_system).count(), 1);
    let backups = facts.backups.as_ref().unwrap();
    assert_eq!((backups.len(), facts.expected_backup()), (1, Some(backups[0].size)));
}

#[actix_web::test]
async fn local_apps_without_their_folder_are_warned_of() {
    let bench = bench(|config| config.apps[0].slug = "local_builder".into());
    let made = bench.make(|_| {}).await.unwrap();
    assert_eq!(made.warnings.iter().map(|w| w.code.as_str()).collect::<Vec<_>>(), ["local_apps_missing"]);
}

#[actix_web::test]
async fn backups_are_listed_newest_first_with_details_asked_once() {
    let bench = bench(|_| {});
    let dir = bench.standin.backup_dir();
    let dates = [("00000001", "2025-01-01T00:00:00+00:00"), ("00000002", "2026-01-01T00:00:00+00:00")];
    for (slug, date) in dates {
        let plan = PackPlan { date: date.into(), ..PackPlan::of(&StandinConfig::new("x"), slug, "by hand") };
        write_backup(&dir.join(format!("copied in {slug}.tar")), &plan).unwrap();
    }
    bench.standin.reload();
    for _ in 0..3 {
        let backups = bench.client.backups().await.unwrap();
        let slugs: Vec<&str> = backups.iter().map(|b| b.facts.slug.as_str()).collect();
        assert_eq!(slugs, ["00000002", "00000001"]);
        assert_eq!(backups[0].facts.homeassistant.as_deref(), Some("2026.8.3"));
        let path = find_tar(&dir, &backups[0].facts.slug).unwrap();
        assert_eq!(path.file_name().unwrap(), "copied in 00000002.tar");
    }
    assert_eq!(bench.asked("GET", "/backups/00000001/info"), 1);
}

#[actix_web::test]
async fn one_backup_at_a_time() {
    let bench = bench(|config| config.backup_speed = Some(400_000));
    let mut second = None;
    let other = Supervisor::new(&bench.standin.url(), bench.standin.token(), Pace::brisk());
    let dir = bench.standin.backup_dir();
    let stop = StopFlag::new();
    let refused = async {
        eventually("the first backup runs", async || bench.asked("GET", "/jobs/info") > 1).await;
        second = Some(other.full_backup("2026-11-21", &dir, None, &stop, |_| {}).await);
    };
    let (first, ()) = tokio::join!(bench.make(|_| {}), refused);
    first.unwrap();
    assert_eq!(failure(&second.unwrap().unwrap_err()), "Start Refused backup_running");
}

#[actix_web::test]
async fn a_stop_looks_away_and_leaves_the_backup_running() {
    let bench = bench(|config| config.backup_speed = Some(2_000_000));
    let stop = StopFlag::new();
    let result = bench
        .make_until(&stop, |progress| {
            if progress.bytes > Bytes(0) {
                stop.set()
            }
        })
        .await;
    let Err(BackupError::Stopped { slug: Some(slug) }) = result else { panic!("{result:?}") };
    eventually("the backup is finished", async || bench.client.backup_info(&slug).await.is_ok()).await;
}

#[actix_web::test]
async fn stopped_before_it_begins_nothing_is_asked_for() {
    let bench = bench(|_| {});
    let stop = StopFlag::new();
    stop.set();
    let result = bench.make_until(&stop, |_| {}).await;
    assert!(matches!(result, Err(BackupError::Stopped { slug: None })), "{result:?}");
    assert!(bench.standin.requests().iter().all(|r| r.method == "GET"));
}

#[actix_web::test]
async fn the_stand_in_answers_in_the_recorded_form() {
    let bench = bench(|_| {});
    bench.make(|_| {}).await.unwrap();
    let slug = bench.client.backups().await.unwrap()[0].facts.slug.clone();
    let cases = [
        ("info", "/info".to_string()),
        ("os-info", "/os/info".into()),
        ("host-info", "/host/info".into()),
        ("network-info-both", "/network/info".into()),
        ("hardware-info", "/hardware/info".into()),
        ("resolution-info", "/resolution/info".into()),
        ("supervisor-info", "/supervisor/info".into()),
        ("core-info", "/core/info".into()),
        ("jobs-info-finished", "/jobs/info".into()),
        ("backups-list", "/backups".into()),
        ("backup-info", format!("/backups/{slug}/info")),
    ];
    for (case, path) in cases {
        let ours = bench.client.get::<Value>(&path, 1).await.unwrap();
        same_form(case, &ours, &read(case)["response"]["body"]["data"]);
    }
}

/// No key that was not recorded, no other type; of a list, the first entry stands for all.
fn same_form(place: &str, ours: &Value, recorded: &Value) {
    match (ours, recorded) {
        (Value::Object(ours), Value::Object(recorded)) => {
            for (key, value) in ours {
                let known = recorded.get(key).unwrap_or_else(|| panic!("{place}: {key} was not recorded"));
                same_form(&format!("{place}.{key}"), value, known);
            }
        }
        (Value::Array(ours), Value::Array(recorded)) => {
            if let (Some(one), Some(other)) = (ours.first(), recorded.first()) {
                same_form(place, one, other);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        _ => assert_eq!(
            std::mem::discriminant(ours),
            std::mem::discriminant(recorded),
            "{place}: {ours} was recorded as {recorded}"
        ),
    }
}

#[test]
fn what_the_stand_in_packs_is_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let plan = PackPlan::of(&StandinConfig::new(dir.path()), "01bcc3db", "by hand");
    let cases = [
        ("full", plan.clone(), None),
        ("sealed", PackPlan { protected: true, ..plan.clone() }, None),
        ("without database", PackPlan { without_database: true, ..plan.clone() }, None),
        ("large", PackPlan { size: 20_000_000, ..plan.clone() }, None),
        ("partial", PackPlan { full: false, ..plan.clone() }, Some("it is a partial backup")),
    ];
    for (case, plan, refused) in cases {
        let path = dir.path().join(case);
        write_backup(&path, &plan).unwrap();
        match (check_file(&path, None, Depth::Inner, &Meter::new(), &StopFlag::new()), refused) {
            (Ok(checked), None) => {
                assert_eq!(
                    (checked.facts.protected, checked.facts.without_database),
                    (plan.protected, plan.without_database)
                );
                assert!(checked.size.0.abs_diff(plan.size) < plan.size / 50 + 40_000, "{case}: {}", checked.size);
            }
            (Err(error), Some(why)) => assert!(error.to_string().starts_with(why), "{case}: {error}"),
            (result, _) => panic!("{case}: {result:?}"),
        }
    }
}
