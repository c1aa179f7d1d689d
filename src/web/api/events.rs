//! `GET api/events`: what changes, as server-sent events: `device_added`, `device_removed`, `device_changed`, `job`.
//!
//! A new listener first gets a `device_added` for each disk that is there, and a `job` for the one that runs: who listens
//! needs to ask for nothing else. `device_added` and `device_changed` carry a disk as `api/devices` tells it (with
//! `reasons` where something speaks against it), `device_removed` its `name` and `path`, `job` the body of
//! `api/jobs/{id}`. A medium that was changed is another disk: it is removed and added. Who reads slowly misses steps
//! between, never the last.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use actix_web_lab::sse::{Data, Event};
use serde::Serialize;
use serde_json::json;
use tokio::sync::{mpsc, watch};

use super::failure::too_many;
use super::view::job_json;
use crate::domain::disk::DiskId;
use crate::domain::job::{JobId, JobView};
use crate::jobs::disk_json::DiskJson;
use crate::jobs::{AllJobs, DiskList, Jobs, ListedDisk};
use crate::web::Site;
use crate::web::events::{STUCK, sse};

/// A job that moves is told at most this often.
const BREATH: Duration = Duration::from_secs(1);

pub async fn get(req: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let Some(stay) = site.door.stream(&req) else { return too_many().answer() };
    let (events, receiver) = mpsc::channel(16);
    let telling = tell(events, site.jobs.clone(), site.closing.clone());
    actix_web::rt::spawn(async move {
        telling.await;
        drop(stay);
    });
    sse(&req, receiver)
}

/// Until the listener leaves or the server ends.
async fn tell(events: mpsc::Sender<Event>, jobs: Jobs, mut closing: watch::Receiver<bool>) {
    tokio::select! {
        _ = tell_changes(&events, &jobs) => {}
        () = events.closed() => {}
        _ = closing.wait_for(|closing| *closing) => {}
    }
}

/// `None`: nobody listens any more, or takes what is told, or the program ends.
async fn tell_changes(events: &mpsc::Sender<Event>, jobs: &Jobs) -> Option<()> {
    let (mut disks, mut all) = (jobs.watch_disks(), jobs.watch_jobs());
    let mut told = Told::before(&all.borrow());
    loop {
        let news = told.news(&disks.borrow_and_update(), &all.borrow_and_update());
        for event in news {
            tokio::time::timeout(STUCK, events.send(event)).await.ok()?.ok()?;
        }
        tokio::time::sleep(BREATH).await;
        let changed = async {
            tokio::select! { c = disks.changed() => c, c = all.changed() => c }
        };
        changed.await.ok()?;
    }
}

/// What one listener knows.
struct Told {
    disks: BTreeMap<DiskId, ListedDisk>,
    /// By generation.
    jobs: BTreeMap<JobId, u64>,
}

impl Told {
    /// Jobs that were over before somebody listened are no news.
    fn before(all: &AllJobs) -> Told {
        let over = all.iter().filter(|job| job.state.is_over());
        Told { disks: BTreeMap::new(), jobs: over.map(|job| (job.id, job.generation)).collect() }
    }

    fn news(&mut self, disks: &DiskList, all: &AllJobs) -> Vec<Event> {
        let mut news = Vec::new();
        if disks.known {
            self.gone(disks, &mut news);
            disks.disks.iter().for_each(|listed| self.there(listed, &mut news));
        }
        // Oldest first: an end is told before the next beginning.
        all.iter().rev().for_each(|job| self.job(job, &mut news));
        self.jobs.retain(|id, _| all.iter().any(|job| job.id == *id));
        news
    }

    fn gone(&mut self, disks: &DiskList, news: &mut Vec<Event>) {
        self.disks.retain(|id, known| {
            let same = disks.find(id).is_some_and(|now| now.disk.plug == known.disk.plug);
            if !same {
                news.extend(event("device_removed", &json!({ "name": id, "path": known.disk.path.to_string_lossy() })));
            }
            same
        });
    }

    fn there(&mut self, listed: &ListedDisk, news: &mut Vec<Event>) {
        let name = match self.disks.get(&listed.disk.id) {
            None => "device_added",
            Some(known) if known != listed => "device_changed",
            Some(_) => return,
        };
        news.extend(event(name, &DiskJson::from(listed)));
        self.disks.insert(listed.disk.id.clone(), listed.clone());
    }

    fn job(&mut self, job: &Arc<JobView>, news: &mut Vec<Event>) {
        if self.jobs.insert(job.id, job.generation) != Some(job.generation) {
            news.extend(event("job", &job_json(job)));
        }
    }
}

fn event(name: &'static str, body: &impl Serialize) -> Option<Event> {
    Data::new_json(body).ok().map(|data| data.event(name).into())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::domain::disk::{Disk, Refusal};
    use crate::domain::job::JobState;
    use crate::web::api::openapi::fits;
    use crate::web::api::trial::{Stream, serving};
    use crate::web::trial::*;

    /// The next event: its name and its data.
    async fn next(stream: &mut Stream) -> (String, Value) {
        let text = stream.until("\n\n", |text| text.contains("data: ")).await;
        let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_string();
        let (name, body) = (line("event: "), serde_json::from_str(&line("data: ")).unwrap());
        let schemas: &[&str] = match name.as_str() {
            "device_added" | "device_changed" => &["Device", "RefusedDevice"],
            "device_removed" => &["DeviceRemoved"],
            "job" => &["Job"],
            other => panic!("{other} is not described"),
        };
        assert!(schemas.iter().any(|schema| fits(schema, &body)), "{name}: {body}");
        (name, body)
    }

    #[actix_web::test]
    async fn who_listens_hears_what_is_there_and_what_changes() {
        let trial = Trial::new();
        trial.show(vec![job(7), ended(6, JobState::Done)]);
        serving(&trial, async |base, _| {
            let mut stream = Stream::open(&format!("{base}/api/events")).await;
            let (name, body) = next(&mut stream).await;
            assert_eq!(
                (name.as_str(), &body["name"], &body["path"]),
                ("device_added", &"sdb".into(), &"/dev/sdb".into())
            );
            assert_eq!((&body["size"], &body["model"]), (&63_864_569_856_u64.into(), &disk("sdb").model.into()));
            let listed_too = trial.ask(trial.get("/api/devices")).await.json();
            assert_eq!(body, listed_too["devices"][0]);
            let (name, body) = next(&mut stream).await;
            assert_eq!((name.as_str(), &body), ("job", &job_json(&trial.jobs.current().unwrap())));

            trial.plug(vec![listed(disk("sdb"), &[Refusal::JobUsesIt]), listed(disk("sdc"), &[])]);
            let (name, body) = next(&mut stream).await;
            assert_eq!((name.as_str(), &body["reasons"][0]["code"]), ("device_changed", &"job_uses_it".into()));
            let (name, body) = next(&mut stream).await;
            assert_eq!((name.as_str(), &body["name"]), ("device_added", &"sdc".into()));

            // Another card in the same reader.
            trial.plug(vec![listed(Disk { plug: 4, ..disk("sdb") }, &[])]);
            let gone = [next(&mut stream).await, next(&mut stream).await, next(&mut stream).await];
            let removed = |name: &str| json!({ "name": name, "path": format!("/dev/{name}") });
            assert_eq!(gone[0], ("device_removed".into(), removed("sdb")));
            assert_eq!(gone[1], ("device_removed".into(), removed("sdc")));
            assert_eq!((gone[2].0.as_str(), &gone[2].1["plug"]), ("device_added", &4.into()));

            trial.show(vec![JobView { generation: 2, ..ended(7, JobState::Failed) }, ended(6, JobState::Done)]);
            let (name, body) = next(&mut stream).await;
            assert_eq!((name.as_str(), &body["job_id"], &body["state"]), ("job", &"7".into(), &"failed".into()));
        })
        .await;
    }

    #[actix_web::test]
    async fn the_stream_ends_with_the_server() {
        let trial = Trial::new();
        serving(&trial, async |base, stop| {
            let mut stream = Stream::open(&format!("{base}/api/events")).await;
            next(&mut stream).await;
            stop.send(()).unwrap();
            stream.ends().await;
        })
        .await;
    }

    #[test]
    fn nothing_is_told_before_the_first_look_at_the_disks() {
        let mut told = Told::before(&AllJobs::default());
        assert!(told.news(&DiskList::default(), &AllJobs::default()).is_empty());
        let one = DiskList { known: true, disks: vec![listed(disk("sdb"), &[])], failed: None };
        assert_eq!(told.news(&one, &AllJobs::default()).len(), 1);
        assert!(told.news(&one, &AllJobs::default()).is_empty());
    }
}
