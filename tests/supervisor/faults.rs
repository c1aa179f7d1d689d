//! Everything that can go wrong, played by the stand-in.

use std::time::Duration;

use sd_swap::demo::supervisor::{AnswerFault, BackupFault, Fault, Role};
use sd_swap::domain::pace::Pace;
use sd_swap::domain::progress::{Meter, StopFlag};
use sd_swap::domain::secret::Secret;
use sd_swap::supervisor::{ArchiveError, BackupError, Depth, Supervisor, SupervisorError, check_file, read_facts};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::recorded::{failure, variant};
use crate::standin::{bench, bench_at, eventually};

/// Short waits, for cases in which nothing but the wait is left.
fn hasty() -> Pace {
    Pace { answer: Duration::from_millis(250), backup_silence: Duration::from_millis(250), ..Pace::brisk() }
}

#[actix_web::test]
async fn backups_that_go_wrong() {
    let app = || "core_mosquitto".to_string();
    let core = "Failed: Preparing backup of Home Assistant Core failed.";
    let cases: Vec<(BackupFault, &str, &[&str])> = vec![
        (BackupFault::CoreRefuses, core, &[]),
        (BackupFault::AppFails(app()), "made", &["Mosquitto broker is not in the backup: Pre-/Post backup command"]),
        (BackupFault::ImageExportFails(app()), "made", &["Mosquitto broker is not in the backup: An unknown error"]),
        (BackupFault::NoSpace, "Start Refused no_room_for_backup", &[]),
        (BackupFault::NotBegun, "NotBegun", &[]),
        (BackupFault::FileLost, "NoFile", &[]),
        (BackupFault::NotListed, "NotListed", &[]),
    ];
    for (fault, want, warnings) in cases {
        let bench = bench(|_| {});
        bench.standin.set_fault(Fault::Backup(fault.clone()));
        let result = bench.make(|_| {}).await;
        let word = result.as_ref().map_or_else(failure, |_| "made".into());
        assert!(word.starts_with(want), "{fault:?}: {word}");
        let told: Vec<String> =
            result.map(|m| m.warnings.into_iter().map(|w| w.text.to_string()).collect()).unwrap_or_default();
        assert_eq!(told.len(), warnings.len(), "{fault:?}: {told:?}");
        assert!(told.iter().zip(warnings).all(|(told, want)| told.starts_with(want)), "{fault:?}: {told:?}");
        assert_eq!(bench.asked("POST", "/backups/new/full"), 1, "{fault:?}");
    }
}

#[actix_web::test]
async fn a_core_that_never_answers_is_given_up_and_the_next_backup_waits_for_it() {
    let bench = bench_at(hasty(), |_| {});
    bench.standin.set_fault(Fault::Backup(BackupFault::CoreHangs));
    let error = bench.make(|_| {}).await.unwrap_err();
    let BackupError::Hung { doing, .. } = &error else { panic!("{error:?}") };
    assert_eq!(doing, "Home Assistant");
    assert_eq!(failure(&bench.make(|_| {}).await.unwrap_err()), "Start Refused backup_running");
    bench.standin.clear_faults();
    eventually("Core was restarted", async || bench.make(|_| {}).await.is_ok()).await;
}

#[actix_web::test]
async fn a_supervisor_killed_in_the_middle_leaves_no_backup() {
    let bench = bench(|_| {});
    bench.standin.set_fault(Fault::Backup(BackupFault::Killed { down: Duration::from_millis(150) }));
    let mut slug = None;
    let result = bench.make(|progress| slug = progress.slug).await;
    assert!(matches!(result, Err(BackupError::Gone)), "{result:?}");
    let left = bench.standin.backup_dir().join(slug.unwrap().file_name());
    let facts = read_facts(&left);
    assert!(matches!(facts, Err(ArchiveError::CutOff { .. })), "{facts:?}");
    let check = check_file(&left, None, Depth::Inner, &Meter::new(), &StopFlag::new());
    assert!(matches!(check, Err(ArchiveError::CutOff { .. })), "{check:?}");
    assert!(bench.client.backups().await.unwrap().is_empty());
}

#[actix_web::test]
async fn a_restart_just_after_the_file_was_finished_is_a_success() {
    let bench = bench(|_| {});
    bench.standin.set_fault(Fault::Backup(BackupFault::RestartedAtEnd { down: Duration::from_millis(150) }));
    let made = bench.make(|_| {}).await.unwrap();
    assert!(!made.followed_to_end);
    let wanted = Some((&made.listed.facts.slug, made.listed.size));
    check_file(&made.path, wanted, Depth::Inner, &Meter::new(), &StopFlag::new()).unwrap();
}

#[actix_web::test]
async fn a_supervisor_that_stays_away_is_given_up() {
    let bench = bench_at(hasty(), |_| {});
    bench.standin.set_fault(Fault::Backup(BackupFault::Killed { down: Duration::from_secs(60) }));
    let word = failure(&bench.make(|_| {}).await.unwrap_err());
    assert_eq!(word, "Follow Unreachable supervisor_silent");
}

#[actix_web::test]
async fn troubles_that_pass_do_not_break_a_backup() {
    let passing = [
        AnswerFault::Drop,
        AnswerFault::Status(500),
        AnswerFault::Status(503),
        AnswerFault::Status(429),
        AnswerFault::NotReady,
        AnswerFault::Garbage,
        AnswerFault::Forbidden,
    ];
    for how in passing {
        let bench = bench(|_| {});
        bench.standin.set_fault(Fault::times(2, "/jobs/info", how.clone()));
        let made = bench.make(|_| {}).await;
        assert!(made.is_ok(), "{how:?}: {made:?}");
        assert_eq!(bench.asked("POST", "/backups/new/full"), 1, "{how:?}");
    }
}

#[actix_web::test]
async fn troubles_that_stay_are_told_apart() {
    let tries = Pace::brisk().tries.min(3) as usize;
    // What goes wrong, what it is called, how often a GET is made.
    let cases = [
        (AnswerFault::Garbage, "NotJson", 1),
        (AnswerFault::Huge, "TooLarge", 1),
        (AnswerFault::Status(500), "Trouble", tries),
        (AnswerFault::Status(429), "Trouble", tries),
        (AnswerFault::Status(404), "NotFound", 1),
        (AnswerFault::Status(400), "Refused", 1),
        (AnswerFault::Drop, "Lost", tries),
        (AnswerFault::Forbidden, "Forbidden", 1),
        (AnswerFault::NotReady, "NotReady", 1),
    ];
    for (how, want, times) in cases {
        let bench = bench(|_| {});
        bench.standin.set_fault(Fault::every(how.clone()));
        let error = bench.client.backups().await.unwrap_err();
        assert_eq!(variant(&error), want, "{how:?}: {error}");
        assert_eq!(bench.asked("GET", "/backups/info"), times, "{how:?}");
        assert_eq!(variant(&bench.client.system().await.unwrap_err()), want, "{how:?}");
        let result = bench.make(|_| {}).await;
        let Err(BackupError::Start(error)) = &result else { panic!("{how:?}: {result:?}") };
        assert_eq!(variant(error), want, "{how:?}");
        assert_eq!(bench.asked("POST", "/backups/new/full"), 1, "{how:?}: a POST is never repeated");
    }
}

#[actix_web::test]
async fn silence_is_borne_so_long_and_no_longer() {
    let bench = bench_at(hasty(), |_| {});
    bench.standin.set_fault(Fault::every(AnswerFault::Silence));
    assert_eq!(variant(&bench.client.backups().await.unwrap_err()), "Silent");
    assert_eq!(bench.asked("GET", "/backups/info"), 2, "silence is asked again once");
    assert_eq!(failure(&bench.make(|_| {}).await.unwrap_err()), "Start Silent supervisor_silent");
    assert_eq!(bench.asked("POST", "/backups/new/full"), 1);
}

#[actix_web::test]
async fn silence_in_the_middle_ends_with_its_cause() {
    let bench = bench_at(hasty(), |_| {});
    bench.standin.set_fault(Fault::at("/jobs/info", AnswerFault::Silence));
    assert_eq!(failure(&bench.make(|_| {}).await.unwrap_err()), "Follow Silent supervisor_silent");
}

#[actix_web::test]
async fn a_stop_does_not_wait_for_a_silent_supervisor() {
    let patient = Pace { answer: Duration::from_secs(60), backup_silence: Duration::from_secs(60), ..Pace::brisk() };
    let bench = bench_at(patient, |_| {});
    bench.standin.set_fault(Fault::at("/jobs/info", AnswerFault::Silence));
    let stop = StopFlag::new();
    let asked = async {
        eventually("the jobs were asked for", async || bench.asked("GET", "/jobs/info") > 0).await;
        stop.set();
    };
    let (result, ()) = tokio::join!(bench.make_until(&stop, |_| {}), asked);
    assert!(matches!(result, Err(BackupError::Stopped { slug: None })), "{result:?}");
}

#[actix_web::test]
async fn what_did_not_answer_is_named_and_the_rest_is_known() {
    let bench = bench(|_| {});
    bench.standin.set_fault(Fault::at("/hardware/info", AnswerFault::Status(500)));
    bench.standin.set_fault(Fault::at("/os/info", AnswerFault::Garbage));
    let reading = bench.client.system().await.unwrap();
    assert_eq!((reading.facts.drives, reading.facts.data_disk, reading.facts.board), (None, None, None));
    assert_eq!(reading.facts.state.as_deref(), Some("running"));
    let told: Vec<String> = reading.failed.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().any(|t| t.contains("/hardware/info")) && told.iter().any(|t| t.contains("/os/info")));
}

#[actix_web::test]
async fn a_drive_that_cannot_be_understood_makes_all_unknown() {
    let odd = [
        serde_json::json!([{"id": "X", "filesystems": [{"device": "/dev/sda1", "mount_points": "/mnt/data"}]}]),
        serde_json::json!([{"id": "X", "filesystems": [{"device": "/dev/sda1", "system": "yes"}]}]),
        serde_json::json!([{"filesystems": []}]),
        serde_json::json!([{"id": "X"}]),
        serde_json::json!("none"),
    ];
    for drives in odd {
        let bench = bench(|config| config.drives = Some(drives.clone()));
        let reading = bench.client.system().await.unwrap();
        assert_eq!((reading.facts.drives, reading.failed.len()), (None, 1), "{drives}");
    }
}

#[actix_web::test]
async fn nobody_there_a_wrong_token_none_and_roles() {
    let bench = bench(|_| {});
    let (url, token) = (bench.standin.url(), bench.standin.token());
    let ask = async |token: Secret| {
        let client = Supervisor::new(&url, token, Pace::brisk());
        client.get::<Value>("/backups", 2).await.map_err(|e| variant(&e))
    };
    assert!(ask(token.clone()).await.is_ok());
    assert_eq!(ask(Secret::new("wrong")).await, Err("Forbidden".into()));
    assert_eq!(ask(Secret::new("")).await, Err("NoToken".into()));
    bench.standin.configure(|config| config.role = Role::Default);
    assert_eq!(ask(token.clone()).await, Err("Forbidden".into()));
    assert_eq!(failure(&bench.make(|_| {}).await.unwrap_err()), "Start Forbidden supervisor_silent");
    drop(bench);
    assert_eq!(ask(token).await, Err("Unreachable".into()));
}

#[actix_web::test]
async fn a_system_that_starts_makes_no_backup_yet() {
    let cases = [("startup", "Start Refused still_starting"), ("setup", "Start NotReady still_starting")];
    for (state, want) in cases {
        let bench = bench(|config| config.state = state.into());
        assert_eq!(failure(&bench.make(|_| {}).await.unwrap_err()), want, "{state}");
    }
}

/// Five minutes, a thousand times as fast: a server that takes connections and closes them, asked as the app asks it.
#[actix_web::test]
async fn a_supervisor_that_is_away_is_asked_seldom_and_once_when_it_is_back() {
    let ms = Duration::from_millis;
    let times = (ms(1), ms(30), ms(60));
    let pace = Pace { retry: times.0, retry_most: times.1, health: times.2, ..Pace::brisk() };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = url::Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let connections = std::rc::Rc::new(std::cell::Cell::new(0));
    let counted = connections.clone();
    let server = actix_web::rt::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.set(counted.get() + 1);
            drop(stream);
        }
    });
    let client = Supervisor::new(&url, Secret::new("t"), pace);
    let begun = std::time::Instant::now();
    while begun.elapsed() < ms(300) {
        if client.is_due() {
            assert!(client.system().await.is_err());
        }
        tokio::time::sleep(ms(1)).await;
    }
    server.abort();
    assert!((4..=25).contains(&connections.get()), "{} connections in five minutes", connections.get());

    // The same client, and somebody who answers now.
    let bench = bench(|_| {});
    let client = Supervisor::new(&bench.standin.url(), bench.standin.token(), pace);
    bench.standin.set_fault(Fault::times(5, "/info", AnswerFault::Drop));
    for _ in 0..3 {
        assert!(client.system().await.is_err());
    }
    eventually("the wait is over", async || client.is_due()).await;
    assert!(client.system().await.is_ok());
    assert_eq!(bench.asked("GET", "/info"), 6, "three tries at first, then one each; one was answered");
    assert_eq!(bench.asked("GET", "/os/info"), 1);
    assert!(client.is_due());
}

#[actix_web::test]
async fn who_is_not_let_in_does_not_ask_again_soon() {
    let bench = bench(|_| {});
    let pace = Pace { denied: Duration::from_secs(300), ..Pace::brisk() };
    let client = Supervisor::new(&bench.standin.url(), Secret::new("wrong"), pace);
    assert!(client.system().await.is_err());
    assert!(!client.is_due());
}

/// A server that sends these bytes, whatever it is asked, and then closes or (`drips`) goes on byte by byte.
async fn raw_server(answer: &'static [u8], drips: bool) -> url::Url {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    actix_web::rt::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            // Only what the client makes of it counts; it may be gone already.
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer).await;
            while drips && stream.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    });
    url::Url::parse(&format!("http://{address}")).unwrap()
}

#[actix_web::test]
async fn answers_that_are_no_whole_http_are_told_apart() {
    let cases: [(&[u8], bool, &str); 6] = [
        (b"", false, "Lost"),
        (b"220 mail.example.org ESMTP\r\n\r\n", false, "NotJson"),
        (b"HTTP/1.1 200 OK\r\ncontent-le", false, "Lost"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"re", false, "Lost"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n", true, "TooLarge"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n", true, "Silent"),
    ];
    for (answer, drips, want) in cases {
        let url = raw_server(answer, drips).await;
        let client = Supervisor::new(&url, Secret::new("t"), hasty());
        let error = client.get::<Value>("/info", 2).await.unwrap_err();
        assert_eq!(variant(&error), want, "{}: {error}", String::from_utf8_lossy(answer));
    }
}

#[actix_web::test]
async fn a_token_is_never_in_an_error() {
    let bench = bench(|_| {});
    let client = Supervisor::new(&bench.standin.url(), Secret::new("very-secret"), Pace::brisk());
    let error: SupervisorError = client.system().await.unwrap_err();
    assert!(!format!("{error:?} {error} {}", error.said()).contains("very-secret"));
}
