//! What the tests of the pages share: the real routes over a conductor that the test plays itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::test::{self, TestRequest};
use actix_web::{body::MessageBody, web};
use tokio::sync::{mpsc, watch};

use super::door::Door;
use super::{Mark, Site, app, trial_jobs};
use crate::domain::backup::{BackupFacts, BackupKind, BackupParts, ListedBackup};
use crate::domain::carry::Carry;
use crate::domain::disk::{Access, Contents, Disk, DiskId, Fingerprint, FoundPartition, Refusal, Transport};
use crate::domain::job::*;
use crate::domain::network::{Auth, Interface, Kind, Network, Ssid, Unread, Wifi};
use crate::domain::problem::Problem;
use crate::domain::progress::Amount;
use crate::domain::secret::Secret;
use crate::domain::size::Bytes;
use crate::domain::stage::Stage;
use crate::domain::system::{SystemFacts, SystemView};
use crate::jobs::{AllJobs, Command, DiskList, Jobs, ListedDisk, StartError, StopError};
use crate::texts::Phrase;

pub const TOKEN: &str = "the-token-of-this-start";

/// What the played conductor says to a start and to a stop.
#[derive(Clone)]
pub struct Script {
    pub start: Result<JobId, StartError>,
    pub stop: Result<(), StopError>,
    pub remove: Result<(), Problem>,
}

pub struct Trial {
    pub disks: watch::Sender<Arc<DiskList>>,
    pub system: watch::Sender<Arc<SystemView>>,
    pub all: watch::Sender<AllJobs>,
    /// Streams end once it is gone.
    _closing: watch::Sender<bool>,
    pub script: Arc<Mutex<Script>>,
    asked: Arc<Mutex<Vec<Heard>>>,
    pub jobs: Jobs,
    pub(super) site: web::Data<Site>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    Start(CardRequest),
    Stop(JobId),
    RemoveImage,
}

/// An answer, read to its end.
pub struct Answer {
    pub status: u16,
    pub kind: String,
    pub text: String,
    headers: actix_web::http::header::HeaderMap,
}

impl Answer {
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_string()
    }

    pub fn json(&self) -> serde_json::Value {
        assert!(self.kind.starts_with("application/json"), "{} is {}", self.text, self.kind);
        serde_json::from_str(&self.text).unwrap()
    }

    /// Value of the first field with that name.
    pub fn field(&self, name: &str) -> String {
        let after = self.text.split_once(&format!("name=\"{name}\" value=\"")).map(|(_, after)| after);
        after.and_then(|after| after.split_once('"')).map(|(value, _)| value.to_string()).unwrap_or_default()
    }

    pub fn has(&self, text: &str) {
        assert!(self.text.contains(text), "{text:?} is missing in\n{}", self.text);
    }

    pub fn has_not(&self, text: &str) {
        assert!(!self.text.contains(text), "{text:?} should not be in\n{}", self.text);
    }

    /// Links are relative, and nothing is written into attributes that the policy forbids.
    pub fn has_sound_links(&self) {
        for name in ["href", "action", "src", "hx-get", "sse-connect"] {
            for link in self.text.split(&format!(" {name}=\"")).skip(1) {
                let report = name == "href" && link.starts_with(&format!("{}\"", super::REPORT));
                let bad = link.starts_with('/') || link.starts_with("http") || link.starts_with("javascript");
                assert!(!bad || report, "{name}={}", link.chars().take(60).collect::<String>());
            }
        }
        for banned in [" style=\"", " onclick=\"", " onload=\"", "<style", "<script>", "javascript:"] {
            assert!(!self.text.contains(banned), "{banned}");
        }
        let location = self.header("location");
        assert!(!location.starts_with('/') && !location.contains("://"), "{location}");
    }
}

impl Trial {
    /// A usual system, one disk that can be used, no job.
    pub fn new() -> Trial {
        let (commands, mut inbox) = mpsc::channel(8);
        let list = DiskList { known: true, disks: vec![listed(disk("sdb"), &[])], failed: None };
        let (disks, watch_disks) = watch::channel(Arc::new(list));
        let (system, watch_system) = watch::channel(Arc::new(usual_system()));
        let (all, watch_all) = watch::channel(AllJobs::default());
        let (closing, watch_closing) = watch::channel(false);
        let script = Arc::new(Mutex::new(Script { start: Ok(JobId(7)), stop: Ok(()), remove: Ok(()) }));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answers, heard) = (script.clone(), asked.clone());
        let play = async move {
            while let Some(command) = inbox.recv().await {
                let script = answers.lock().unwrap().clone();
                match command {
                    Command::Start(request, answer) => {
                        heard.lock().unwrap().push(Heard::Start(*request));
                        answer.send(script.start).unwrap();
                    }
                    Command::Stop(id, answer) => {
                        heard.lock().unwrap().push(Heard::Stop(id));
                        answer.send(script.stop).unwrap();
                    }
                    Command::RemoveKeptImage(answer) => {
                        heard.lock().unwrap().push(Heard::RemoveImage);
                        answer.send(script.remove).unwrap();
                    }
                    Command::Refresh => {}
                }
            }
        };
        actix_web::rt::spawn(play);
        let jobs = Jobs::new(commands, watch_disks, watch_system, watch_all);
        let site = web::Data::new(Site {
            jobs: jobs.clone(),
            announcer: Default::default(),
            token: TOKEN.into(),
            door: Door::new(vec!["172.30.32.2/32".parse().unwrap()], 0),
            marks: vec![Mark { text: "Demo <b>".into(), link: Some(("demo".into(), "Plug and pull".into())) }],
            more: None,
            plugs: Default::default(),
            pages: Default::default(),
            closing: watch_closing,
        });
        Trial { disks, system, all, _closing: closing, script, asked, jobs, site }
    }

    /// Logs are read from below `data`.
    pub fn keep_logs(&mut self, data: &std::path::Path) {
        self.jobs = self.jobs.clone().with_logs_below(data.into());
        self.site = web::Data::new(Site {
            jobs: self.jobs.clone(),
            token: TOKEN.into(),
            door: Door::new(Vec::new(), 0),
            marks: Vec::new(),
            more: None,
            plugs: Default::default(),
            pages: Default::default(),
            announcer: Default::default(),
            closing: self.site.closing.clone(),
        });
    }

    pub fn asked(&self) -> Vec<Heard> {
        self.asked.lock().unwrap().clone()
    }

    pub fn plug(&self, disks: Vec<ListedDisk>) {
        self.disks.send_replace(Arc::new(DiskList { known: true, disks, failed: None }));
    }

    pub fn change_system(&self, change: impl FnOnce(&mut SystemView)) {
        let mut view = usual_system();
        change(&mut view);
        self.system.send_replace(Arc::new(view));
    }

    pub fn show(&self, jobs: Vec<JobView>) {
        self.all.send_replace(Arc::new(jobs.into_iter().map(Arc::new).collect()));
    }

    pub fn get(&self, path: &str) -> TestRequest {
        TestRequest::get().uri(path).peer_addr("127.0.0.1:5000".parse().unwrap())
    }

    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> TestRequest {
        let form = TestRequest::post().uri(path).peer_addr("127.0.0.1:5000".parse().unwrap());
        form.set_form(fields)
    }

    pub fn post_json(&self, path: &str, body: &str) -> TestRequest {
        let request = TestRequest::post().uri(path).peer_addr("127.0.0.1:5000".parse().unwrap());
        request.insert_header(("content-type", "application/json")).set_payload(body.to_string())
    }

    pub async fn ask(&self, request: TestRequest) -> Answer {
        let service = test::init_service(app(self.site.clone())).await;
        let response = test::call_service(&service, request.to_request()).await;
        let headers = response.headers().clone();
        let status = response.status().as_u16();
        let kind = headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default().to_string();
        let body = actix_web::body::to_bytes(response.into_body().boxed()).await.unwrap();
        Answer { status, kind, text: String::from_utf8(body.to_vec()).unwrap(), headers }
    }
}

/// Against this disk nothing speaks: a fresh card, plugged in just now.
pub fn disk(id: &str) -> Disk {
    let contents = Contents { table: None, partitions: Vec::new(), blank: true };
    let plugged_at = Some(super::now().saturating_sub(120));
    Disk { slot: Some(1), contents, plug: 3, plugged_at, ..Disk::sample(id) }
}

pub fn listed(disk: Disk, refusals: &[Refusal]) -> ListedDisk {
    ListedDisk { disk, refusals: refusals.to_vec() }
}

/// What people have on a card that was in a camera.
pub fn camera() -> Contents {
    let partition = FoundPartition {
        number: 1,
        name: String::new(),
        label: "EOS_DIGITAL".into(),
        filesystem: "exFAT".into(),
        size: Bytes(63_800_000_000),
        used: Some(Bytes(1_200_000_000)),
    };
    Contents { table: Some("mbr".into()), partitions: vec![partition], blank: false }
}

pub fn backup(slug: &str, kind: BackupKind, protected: bool) -> ListedBackup {
    let facts = BackupFacts {
        slug: slug.parse().unwrap(),
        name: "Automatic backup 2026.11.1".into(),
        date: "2026-11-20T03:12:44.123456+00:00".into(),
        kind,
        protected,
        compressed: true,
        homeassistant: Some("2026.11.1".into()),
        without_database: false,
        apps: Vec::new(),
        folders: Vec::new(),
    };
    ListedBackup { facts, size: Bytes(2_300_000_000) }
}

/// A fixed address, 192.168.1.10, by cable.
pub fn cable() -> Network {
    Network { interfaces: vec![Interface::fixed_sample("end0")], unread: Vec::new() }
}

/// The same with a Wi-Fi that has a password; `only`: and no cable is connected.
pub fn with_wifi(ssid: &[u8], only: bool) -> Network {
    let wifi = Wifi { ssid: Ssid::new(ssid).unwrap(), auth: Auth::WpaPsk, key: Secret::default() };
    let mut network = cable();
    network.interfaces.iter_mut().for_each(|of| of.connected = !only);
    network.interfaces.push(Interface { kind: Kind::Wireless(wifi), ..Interface::sample("wlan0") });
    network
}

pub fn usual_system() -> SystemView {
    SystemView {
        known: true,
        facts: SystemFacts {
            machine: Some("raspberrypi4-64".into()),
            board: Some("rpi4-64".into()),
            os_version: Some("18.2".parse().unwrap()),
            os_latest: Some("18.2".parse().unwrap()),
            supervisor_version: Some("2026.11.0".into()),
            core_version: Some("2026.11.1".into()),
            hostname: Some("homeassistant".into()),
            state: Some("running".into()),
            addresses: vec!["192.168.1.42".into()],
            internet: Some(true),
            network: Some(cable()),
            disk_free: Some(Bytes(12_300_000_000)),
            disk_used: Some(Bytes(9_000_000_000)),
            backups: Some(vec![
                backup("0a1b2c3d", BackupKind::Full, false),
                backup("11111111", BackupKind::Full, true),
                backup("22222222", BackupKind::Partial, false),
            ]),
            ..SystemFacts::default()
        },
        problems: Vec::new(),
        warnings: Vec::new(),
        need: Some(Bytes(12_000_000_000)),
        kept_image: None,
        runs_from: Some("SanDisk Extreme, 32 GB".into()),
    }
}

/// A job that writes, with the backup beside it.
pub fn job(id: u64) -> JobView {
    let stage = |stage, state, done, total| StageView {
        stage,
        state,
        amount: Amount { done, total },
        rate: None,
        millis: 4_200,
        note: None,
    };
    use StageState::{Done, Running, Waiting};
    let mut stages = vec![
        stage(Stage::Preflight, Done, 0, None),
        stage(Stage::Backup, Running, 3_100_000_000, None),
        stage(Stage::Download, Done, 350_000_000, Some(350_000_000)),
        stage(Stage::Write, Running, 2_600_000_000, Some(6_200_000_000)),
        stage(Stage::Verify, Waiting, 0, None),
        stage(Stage::Grow, Waiting, 0, None),
        stage(Stage::Inject, Waiting, 0, None),
        stage(Stage::Commit, Waiting, 0, None),
    ];
    stages[1].note = Some(Phrase::foreign("Backing up Mosquitto"));
    stages[3].rate = Some(21_400_000);
    let card = disk("sdb");
    JobView {
        id: JobId(id),
        generation: 1,
        state: JobState::Running,
        card: CardBrief {
            id: card.id.clone(),
            path: card.path.clone(),
            name: card.name(),
            size: card.size,
            fingerprint: Fingerprint("v1-of-sdb".into()),
        },
        request: CardRequest {
            disk: card.id,
            seen: Fingerprint("v1-of-sdb".into()),
            plug: Some(3),
            backup: BackupChoice::New,
            image: ImageChoice::Running,
            board: None,
            carry: Carry::usual(),
            once: Some(format!("once-{id}")),
        },
        stages,
        percent: 42,
        remaining: Some(360),
        warnings: Vec::new(),
        problem: None,
        detail: None,
        card_now: CardNow::Blank,
        started: super::now().saturating_sub(300),
        ended: None,
        quiet: 0,
        made: Made { version: Some("18.2".parse().unwrap()), ..Made::default() },
    }
}

/// The same job where `stage` runs, with everything before it done.
pub fn job_at(stage: Stage) -> JobView {
    let mut job = job(7);
    for view in &mut job.stages {
        view.state = match view.stage.cmp(&stage) {
            std::cmp::Ordering::Less => StageState::Done,
            std::cmp::Ordering::Equal => StageState::Running,
            std::cmp::Ordering::Greater => StageState::Waiting,
        };
    }
    job
}

/// The same job, ended in `state` while it was writing.
pub fn ended(id: u64, state: JobState) -> JobView {
    let mut job = job(id);
    job.state = state;
    job.ended = Some(super::now().saturating_sub(60));
    job.remaining = None;
    for view in &mut job.stages {
        view.state = match (state, view.stage) {
            (JobState::Done, _) => StageState::Done,
            (JobState::Failed, Stage::Write) => StageState::Failed,
            (JobState::Cancelled, Stage::Write) => StageState::Stopped,
            _ => view.state,
        };
    }
    if state == JobState::Done {
        (job.percent, job.card_now) = (100, CardNow::Finished);
        job.made.backup = Some("0a1b2c3d".parse().unwrap());
        job.made.backup_core = Some("2026.11.1".into());
        job.made.backup_parts =
            Some(BackupParts { apps: vec!["core_mosquitto".into()], folders: vec!["share".into()], database: true });
    }
    job
}

/// Where there is something to look at. A page that a state does not have answers 404 or leads to another.
const PAGES: [&str; 11] = [
    "",
    "jobs/7",
    "jobs/7/swap",
    "jobs/7/stop",
    "jobs/7/log",
    "jobs/7/certificate",
    "card?disk=sdb",
    "history",
    "cache",
    "about",
    "no-such-page",
];

/// Pages that look the same in most states, and the states that show all they can look like.
const ONLY: [(&str, &[&str]); 5] = [
    ("jobs/7/log", &["history", "long"]),
    ("jobs/7/certificate", &["history", "long", "old", "failed"]),
    ("history", &["usual", "history", "long"]),
    ("cache", &["usual", "unknown", "kept", "kept-running", "long"]),
    ("about", &["usual", "unknown", "history"]),
];

/// Languages of the pages, as in `Accept-Language`.
const LANGUAGES: [&str; 2] = ["en", "de"];

/// Every state was served once; from now on it changes only when told.
static BEEN_ROUND: AtomicBool = AtomicBool::new(false);

/// What the browser tests go through.
async fn all_there_is_to_look_at() -> actix_web::HttpResponse {
    if !BEEN_ROUND.load(Ordering::SeqCst) {
        return actix_web::HttpResponse::ServiceUnavailable().finish();
    }
    let states: Vec<&str> = STATES.iter().map(|(name, _)| *name).collect();
    let only: std::collections::BTreeMap<_, _> = ONLY.into_iter().collect();
    let list = serde_json::json!({ "states": states, "pages": PAGES, "only": only, "languages": LANGUAGES });
    actix_web::HttpResponse::Ok().json(list)
}

/// Serves every state of the pages on a real port, one after the other; stays there to be looked at in a browser if
/// `SD_SWAP_LOOK` names an address. `look/NAME` changes the state; `look` lists the states and the pages.
#[actix_web::test]
async fn every_state_is_served_on_a_real_port() {
    let (mut trial, data) = (Trial::new(), tempfile::tempdir().unwrap());
    trial.keep_logs(data.path());
    trial_jobs::write_logs(data.path());
    let trial = Arc::new(trial);
    let stay = std::env::var("SD_SWAP_LOOK").ok();
    let listen = stay.as_deref().unwrap_or("127.0.0.1:0").parse().unwrap();
    let (sets, of) = (trial.clone(), |name: &str| STATES.iter().find(|(state, _)| *state == name).copied());
    // The senders are shared by the workers' threads.
    let more: super::MoreRoutes = Arc::new(move |cfg| {
        let sets = sets.clone();
        cfg.route("/look", web::get().to(all_there_is_to_look_at)).route(
            "/look/{name}",
            web::get().to(move |name: web::Path<String>| {
                let found = of(&name);
                if let Some((_, set)) = found {
                    usual(&sets);
                    set(&sets);
                }
                async move { actix_web::HttpResponse::Ok().body(if found.is_some() { "set" } else { "no such state" }) }
            }),
        );
    });
    let marks = vec![Mark { text: "Demo: nothing here is real.".into(), link: None }];
    let options = super::WebOptions { listen: Some(listen), marks, more: Some(more), ..Default::default() };
    let server = super::bind(trial.jobs.clone(), options).unwrap();
    let address = server.address();
    let visit = async move {
        let client = awc::Client::default();
        for (name, _) in STATES {
            for path in std::iter::once(&*format!("look/{name}")).chain(PAGES) {
                let mut answer = client.get(format!("http://{address}/{path}")).send().await.unwrap();
                let status = answer.status().as_u16();
                assert!(matches!(status, 200 | 404 | 409), "{name} {path}: {status}");
                assert!(!answer.body().limit(1 << 20).await.unwrap().is_empty());
            }
        }
        BEEN_ROUND.store(true, Ordering::SeqCst);
        if stay.is_some() {
            std::future::pending::<()>().await;
        }
    };
    server.run(visit).await.unwrap();
}

pub type Set = fn(&Trial);

pub fn usual(trial: &Trial) {
    trial.change_system(|_| {});
    trial.show(vec![]);
    trial.plug(vec![listed(disk("sdb"), &[])]);
}

/// What the pages can look like; each begins with the usual.
pub const STATES: &[(&str, Set)] = &[
    ("usual", |_| {}),
    ("unknown", |t| {
        t.system.send_replace(Arc::new(SystemView::default()));
        t.disks.send_replace(Arc::new(DiskList::default()));
    }),
    ("failed-list", |t| {
        let list = DiskList { known: true, disks: vec![], failed: Some("reading /sys/block".into()) };
        t.disks.send_replace(Arc::new(list));
    }),
    ("no-reader", |t| {
        t.plug(vec![listed(internal(), &[Refusal::RunsSystem, Refusal::HoldsData, Refusal::BuiltIn])]);
    }),
    ("empty-reader", |t| {
        let mut reader = disk("sdb");
        (reader.medium, reader.model, reader.size) = (false, "Card Reader".into(), Bytes(0));
        t.plug(vec![listed(reader, &[Refusal::NoMedium])]);
    }),
    ("many", |t| {
        let mut full = disk("sdc");
        (full.vendor, full.model, full.size) = ("Kingston".into(), "DataTraveler 3.0".into(), Bytes(256_060_514_304));
        (full.contents, full.plugged_at) = (camera(), None);
        let mut denied = disk("sdd");
        (denied.access, denied.fingerprint) = (Access::Denied, None);
        let mut small = disk("sde");
        (small.size, small.slot) = (Bytes(2_000_000_000), Some(2));
        let too_small = Refusal::TooSmall { has: small.size, need: Bytes(12_000_000_000) };
        t.plug(vec![
            listed(disk("sdb"), &[]),
            listed(full, &[]),
            listed(denied, &[Refusal::MayNotOpen]),
            listed(small, &[too_small, Refusal::WriteProtected, Refusal::Twin]),
            listed(internal(), &[Refusal::RunsSystem, Refusal::HoldsData, Refusal::BuiltIn]),
        ]);
    }),
    ("problems", |t| {
        t.change_system(|s| {
            s.problems = vec![
                Problem::NoRoomForBackup { free: Bytes(1_000_000_000), need: Bytes(2_300_000_000) },
                Problem::NoInternet,
            ];
        });
    }),
    ("wifi", |t| {
        t.change_system(|s| {
            let mut network = with_wifi("Unser WLAN 2,4 GHz ☕".as_bytes(), true);
            network.unread.push(Unread { interface: "end1".into(), field: "ipv4.address" });
            s.facts.network = Some(network);
        });
    }),
    ("not-haos", |t| t.change_system(|s| s.problems = vec![Problem::NotHaos])),
    ("running", |t| {
        t.change_system(|s| s.warnings = vec![warning("This system has local apps; they are not in full backups.")]);
        t.show(vec![job(7), ended(6, JobState::Failed)]);
        t.plug(vec![listed(disk("sdb"), &[Refusal::JobUsesIt])]);
    }),
    ("download", |t| {
        let mut job = job(7);
        (job.percent, job.remaining, job.card_now) = (3, None, CardNow::Untouched);
        job.stages[3] = StageView { state: StageState::Waiting, rate: None, ..job.stages[3].clone() };
        job.stages[2].state = StageState::Running;
        t.show(vec![job]);
    }),
    ("alone", |t| {
        let mut job = job(7);
        job.remaining = None;
        for n in 3..=5 {
            job.stages[n].state = StageState::Done;
        }
        t.show(vec![job]);
    }),
    ("pausing", |t| t.show(vec![JobView { quiet: 40, ..job(7) }])),
    ("silent", |t| t.show(vec![JobView { quiet: 200, ..job(7) }])),
    ("commit", |t| {
        let mut job = job(7);
        for view in &mut job.stages {
            view.state = if view.stage == Stage::Commit { StageState::Running } else { StageState::Done };
        }
        job.percent = 99;
        t.show(vec![job]);
    }),
    ("stopping", |t| t.show(vec![JobView { state: JobState::Stopping, ..job(7) }])),
    ("cancelled", |t| t.show(vec![ended(7, JobState::Cancelled)])),
    ("failed", |t| {
        let mut job = ended(7, JobState::Failed);
        job.problem = Some(Problem::CardPulled { stage: Stage::Write });
        job.detail = Some("writing 1 MiB at 2.6 GB of SanDisk Ultra: No such device (os error 19)".into());
        job.card_now = CardNow::Unknown;
        t.show(vec![job]);
    }),
    ("interrupted", |t| t.show(vec![ended(7, JobState::Interrupted), ended(6, JobState::Done)])),
    ("done", |t| {
        let mut job = ended(7, JobState::Done);
        job.warnings = vec![gap("Not backed up: Mosquitto.")];
        t.show(vec![job, ended(6, JobState::Cancelled)]);
    }),
    // The disks of home and of the confirm page.
    ("full", |t| t.plug(vec![listed(Disk { contents: camera(), plugged_at: None, ..disk("sdb") }, &[])])),
    ("denied", |t| {
        let denied = Disk { access: Access::Denied, fingerprint: None, ..disk("sdb") };
        t.plug(vec![listed(denied, &[Refusal::MayNotOpen])]);
    }),
    ("refused", |t| t.plug(vec![listed(disk("sdb"), &all_refusals())])),
    ("twins", |t| {
        let twin = |id| listed(Disk { plugged_at: None, ..disk(id) }, &[Refusal::Twin]);
        t.plug(vec![twin("sdb"), twin("sdc")]);
    }),
    ("twin-replugged", |t| {
        t.plug(vec![listed(disk("sdb"), &[]), listed(Disk { plugged_at: None, ..disk("sdc") }, &[Refusal::Twin])]);
    }),
    ("twins-replugged", |t| {
        let earlier = disk("sdc").plugged_at.map(|at| at - 600);
        t.plug(vec![listed(disk("sdb"), &[]), listed(Disk { plugged_at: earlier, ..disk("sdc") }, &[])]);
    }),
    ("slots", |t| {
        let slot = |id: &str, slot: u32| Disk {
            vendor: "Generic".into(),
            model: "USB SD Reader".into(),
            bus_path: format!("usb3/3-1/0:0:{slot}"),
            slot: Some(slot),
            ..disk(id)
        };
        let empty = |id, n| listed(Disk { medium: false, size: Bytes(0), ..slot(id, n) }, &[Refusal::NoMedium]);
        let other = Disk { bus_path: "usb3/3-2/0:0:0".into(), slot: None, ..empty("sde", 1).disk };
        let other = listed(other, &[Refusal::NoMedium]);
        t.plug(vec![listed(slot("sdb", 3), &[]), empty("sdc", 1), empty("sdd", 2), empty("sdf", 4), other]);
    }),
    ("long-names", |t| {
        let long = "VeryLongNameOfACardReaderWithoutAnySpaceInItThatNoScreenIsWideEnoughFor".repeat(2);
        let mut contents = camera();
        contents.partitions = vec![FoundPartition { label: long.clone(), ..contents.partitions.remove(0) }; 5];
        let disk = |id| Disk { vendor: long.clone(), model: long.clone(), contents: contents.clone(), ..disk(id) };
        let user = Refusal::InUse { what: long.clone() };
        t.plug(vec![listed(disk("sdb"), &[]), listed(Disk { serial: long.clone(), ..disk("sdc") }, &[user])]);
        t.change_system(|s| {
            let mut named = backup("33333333", BackupKind::Full, true);
            named.facts.name = long.clone();
            s.facts.backups = Some(vec![named]);
            s.runs_from = Some(long.clone());
        });
    }),
    ("hostile", |t| {
        let mut contents = camera();
        contents.partitions[0].label = "</span><b>&amp;'\"".into();
        let model = "\" onload=\"x' שלום عالم".into();
        let evil = Disk { vendor: "<script>alert(1)</script>".into(), model, contents, ..disk("sdb") };
        let user = Refusal::InUse { what: "<i>dm-0</i> עברית".into() };
        t.plug(vec![listed(evil.clone(), &[]), listed(Disk { id: DiskId("../<x>".into()), ..evil }, &[user])]);
        t.change_system(|s| {
            let mut named = backup("33333333", BackupKind::Full, false);
            (named.facts.name, named.facts.date) = ("نسخة <b> احتياطية".into(), "<u>soon</u>".into());
            s.facts.backups = Some(vec![named]);
        });
    }),
    ("wide", |t| {
        let disks = (b'b'..=b'm').map(|letter| {
            let name = format!("sd{}", letter as char);
            listed(Disk { size: Bytes(u64::from(letter) * 4_000_000_000), ..disk(&name) }, &[])
        });
        t.plug(disks.collect());
        let kinds = [(BackupKind::Full, false), (BackupKind::Full, true), (BackupKind::Partial, false)];
        let backups = (0..24).map(|n: usize| {
            let (kind, protected) = kinds[n % 3];
            let mut backup = backup(&format!("{n:08x}"), kind, protected);
            backup.facts.without_database = n.is_multiple_of(4);
            backup
        });
        t.change_system(|s| s.facts.backups = Some(backups.collect()));
    }),
    // What the confirm page knows of the system.
    ("no-internet", |t| t.change_system(|s| s.problems = vec![Problem::NoInternet])),
    ("backup-running", |t| t.change_system(|s| s.problems = vec![Problem::BackupRunning])),
    ("still-starting", |t| t.change_system(|s| s.problems = vec![Problem::StillStarting])),
    ("warnings", |t| {
        t.change_system(|s| {
            s.warnings = vec![Warning::new("no_internet", &[]), Warning::new("external_data_disk", &[])];
            s.facts.local_apps = vec!["local_builder".into()];
            s.facts.os_latest = Some("18.3".parse().unwrap());
        });
        t.plug(vec![listed(Disk { size: Bytes(15_931_539_456), ..disk("sdb") }, &[])]);
    }),
    ("measured", |t| {
        t.change_system(|s| s.kept_image = Some(("haos_rpi4-64-18.2.img.xz".into(), Bytes(350_000_000))));
        let mut made = ended(6, JobState::Done);
        for view in &mut made.stages {
            view.millis = 200_000;
        }
        t.show(vec![ended(7, JobState::Cancelled), made]);
    }),
    ("done-and-out", |t| {
        t.show(vec![ended(7, JobState::Done)]);
        t.plug(vec![]);
    }),
    ("done-and-stuck", |t| {
        t.show(vec![ended(7, JobState::Done)]);
        t.change_system(|s| s.problems = vec![Problem::NotHaos]);
    }),
    ("swap-warned", |t| {
        let mut job = ended(7, JobState::Done);
        let lost = [("part", "Mosquitto broker"), ("said", "it did not stop in time")];
        job.warnings = vec![
            Warning::new("app_not_in_backup", &lost),
            Warning::new("local_apps_missing", &[]),
            Warning::new("backup_needs_key", &[]),
            Warning::new("room_for_restore", &[("backup", "9.2 GB"), ("room", "37 GB")]),
        ];
        t.change_system(|s| s.warnings = vec![Warning::new("external_data_disk", &[])]);
        t.show(vec![job]);
    }),
    ("swap-unknown", |t| {
        let mut job = ended(7, JobState::Done);
        (job.made.backup, job.made.version, job.ended) = (None, None, None);
        t.system.send_replace(Arc::new(SystemView::default()));
        t.disks.send_replace(Arc::new(DiskList::default()));
        t.show(vec![job]);
    }),
    ("swap-long", |t| {
        let mut job = ended(7, JobState::Done);
        job.made.backup_name = Some("Automatic backup before the great move of the year ".repeat(4));
        job.card.name = "Generic-".repeat(12) + "STORAGE DEVICE, 64 GB";
        t.change_system(|s| {
            s.runs_from = Some("Extraordinarily-Long-Maker-Name ".repeat(3) + ", 32 GB");
            s.facts.addresses = (1..=4).map(|n| format!("192.168.100.{n}")).collect();
            s.facts.app = Some("0123abcd_sd_swap".into());
        });
        t.plug(vec![listed(internal(), &[Refusal::RunsSystem, Refusal::BuiltIn])]);
        t.show(vec![job]);
    }),
    ("history", |t| t.show(trial_jobs::every_outcome())),
    ("long", |t| {
        t.show(vec![trial_jobs::long(7)]);
        t.change_system(|s| s.kept_image = Some((format!("{}.img.xz", "long".repeat(40)), Bytes(350_000_000))));
    }),
    ("old", |t| t.show(vec![trial_jobs::old(7)])),
    ("kept", |t| t.change_system(|s| s.kept_image = Some(("haos_rpi4-64-18.2.img.xz".into(), Bytes(350_000_000))))),
    ("kept-running", |t| {
        t.show(vec![job(7)]);
        t.change_system(|s| s.kept_image = Some(("haos_rpi4-64-18.2.img.xz".into(), Bytes(350_000_000))));
    }),
];

pub fn all_refusals() -> Vec<Refusal> {
    use Refusal as R;
    let (has, need) = (Bytes(2_000_000_000), Bytes(12_000_000_000));
    vec![
        R::RunsSystem,
        R::HoldsData,
        R::SystemUnknown { missing: "/os/info".into() },
        R::BuiltIn,
        R::InUse { what: "dm-0".into() },
        R::Mounted,
        R::JobUsesIt,
        R::TooSmall { has, need },
        R::TooLarge { has },
        R::WriteProtected,
        R::SectorSize { bytes: 4096 },
        R::Unreadable,
        R::Twin,
        R::MayNotOpen,
    ]
}

pub fn warning(text: &str) -> Warning {
    Warning { code: "w".into(), text: Phrase::foreign(text) }
}

/// Something that is not in the backup.
pub fn gap(text: &str) -> Warning {
    Warning { code: "app_not_in_backup".into(), ..warning(text) }
}

/// The card that the system runs from.
pub fn internal() -> Disk {
    Disk {
        model: "Extreme".into(),
        size: Bytes(31_914_983_424),
        transport: Transport::Mmc,
        slot: None,
        access: Access::Busy,
        contents: Contents { table: Some("gpt".into()), partitions: Vec::new(), blank: false },
        ..disk("mmcblk0")
    }
}
