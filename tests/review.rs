//! What must not hold up anything else.

use std::fs::File;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use sd_swap::domain::carry::Carry;
use sd_swap::domain::disk::{DiskId, Fingerprint};
use sd_swap::domain::job::{BackupChoice, CardRequest, ImageChoice, JobId};
use sd_swap::domain::pace::Pace;
use sd_swap::domain::secret::Secret;
use sd_swap::host::scratch::{ScratchHost, ScratchSpec};
use sd_swap::jobs::start::{Plan, start};
use sd_swap::jobs::{StartError, StopError};
use tokio::time::timeout;

/// Far below the minute that a silent Supervisor is waited for.
const SOON: Duration = Duration::from_secs(15);

#[actix_web::test]
async fn a_silent_supervisor_holds_up_neither_a_stop_nor_the_disks() {
    // Takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap()).parse().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let card = dir.path().join("card.img");
    File::create(&card).unwrap().set_len(8 << 20).unwrap();
    let host = ScratchHost::new();
    let (jobs, thread) = start(Plan {
        host: Arc::new(host.clone()),
        supervisor: Some((url, Secret::new("token"))),
        releases: None,
        data: dir.path().into(),
        backup: dir.path().into(),
        pace: Pace::real(),
        any_size: true,
    })
    .unwrap();
    let id = DiskId("sdb".into());
    let request = CardRequest {
        disk: id.clone(),
        seen: Fingerprint("v1-none".into()),
        plug: None,
        backup: BackupChoice::None,
        image: ImageChoice::Running,
        board: None,
        carry: Carry::nothing(),
        once: None,
    };
    let others = async {
        // It waits behind the start.
        assert_eq!(timeout(SOON, jobs.stop(JobId(1))).await, Ok(Err(StopError::NoJob)));
        host.add("sdb", ScratchSpec::new(&card));
        let mut disks = jobs.watch_disks();
        let seen = timeout(SOON, disks.wait_for(|list| list.find(&id).is_some())).await;
        assert!(seen.is_ok_and(|seen| seen.is_ok()), "the card is not on the list");
        thread.end();
        // Nobody conducts any more, and that can be seen.
        timeout(SOON, jobs.ended()).await.unwrap();
    };
    let (started, ()) = tokio::join!(jobs.start(request), others);
    assert_eq!(started, Err(StartError::Closing));
}
