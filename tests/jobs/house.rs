//! A running jobs thread with everything around it, and waits for states that are bounded.

use std::fs;
use std::future::Future;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::Duration;

use sd_swap::demo::image::{ImageSpec, Shape, make};
use sd_swap::demo::stage::{Stage as Around, StageSpec};
use sd_swap::domain::carry::Carry;
use sd_swap::domain::disk::{DiskId, Fingerprint};
use sd_swap::domain::image::Board;
use sd_swap::domain::job::{BackupChoice, CardNow, CardRequest, ImageChoice, JobId, JobState, JobView};
use sd_swap::domain::problem::Problem;
use sd_swap::domain::stage::Stage;
use sd_swap::host::Host;
use sd_swap::jobs::start::{JobsThread, Plan, start};
use sd_swap::jobs::{Jobs, ListedDisk, StartError};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::watched::{Act, Watched};

pub fn folder() -> TempDir {
    let fast = Path::new("/dev/shm");
    let made = if fast.is_dir() { TempDir::with_prefix_in("sd-swap-", fast) } else { TempDir::new() };
    made.expect("a folder for the test")
}

fn image(dir: &Path) -> PathBuf {
    static PACKED: OnceLock<Vec<u8>> = OnceLock::new();
    let packed = PACKED.get_or_init(|| {
        let dir = folder();
        let packed = dir.path().join("image.img.xz");
        let spec = ImageSpec { version: "18.2".parse().unwrap(), shape: Shape::Tiny, seed: 1 };
        make(Board::Rpi4_64, &spec, &packed).unwrap();
        fs::read(packed).unwrap()
    });
    let path = dir.join("image.img.xz");
    fs::write(&path, packed).unwrap();
    path
}

/// What goes on around the jobs; outlives their thread.
pub struct World {
    pub around: Around,
    pub dir: TempDir,
}

impl World {
    pub fn new() -> World {
        World::with(|_| ())
    }

    pub fn with(change: impl FnOnce(&mut StageSpec)) -> World {
        let dir = folder();
        let mut spec = StageSpec::tiny(Board::Rpi4_64, "18.2".parse().unwrap());
        change(&mut spec);
        let image = image(dir.path());
        let around = Around::with_image(dir.path(), spec, image).unwrap();
        around.supervisor.configure(|config| config.step = Duration::from_millis(20));
        World { around, dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Puts the jobs thread up.
    pub async fn open(&self) -> House<'_> {
        self.open_with(self.around.plan()).await
    }

    pub async fn open_with(&self, plan: Plan) -> House<'_> {
        let (jobs, thread) = start(plan).unwrap();
        let house = House { world: self, jobs, _thread: thread };
        within(house.jobs.watch_system().wait_for(|system| system.known)).await.unwrap();
        house
    }

    /// The same, with a card that waits before an act until the gate is opened.
    pub async fn open_gated(&self, at: impl Fn(&Act, usize) -> bool + Send + Sync + 'static) -> (House<'_>, Gate) {
        let gate = Gate::default();
        let held = gate.clone();
        let hook = move |act: &Act, n: usize| {
            if at(act, n) {
                held.wait();
            }
        };
        let host: Arc<dyn Host> = Arc::new(Watched::new(&self.around.host, hook));
        (self.open_with(Plan { host, ..self.around.plan() }).await, gate)
    }

    pub fn first_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; 1 << 20];
        fs::File::open(self.path("card.img")).unwrap().read_exact_at(&mut bytes, 0).unwrap();
        bytes
    }

    /// What the job says of the card is what is on it.
    pub fn assert_card(&self, view: &JobView) {
        let is_zero = self.first_bytes().iter().all(|byte| *byte == 0);
        // A new card file is all zeros, too.
        assert_eq!(is_zero, view.card_now != CardNow::Finished, "{view:#?}");
        assert_eq!(view.state == JobState::Done, view.card_now == CardNow::Finished, "{view:#?}");
        assert!(view.stages.iter().all(|stage| stage.rate.is_none()), "{view:#?}");
        assert!(view.ended.is_some() && view.remaining.is_none(), "{view:#?}");
    }
}

/// Holds a worker in the middle of what it does.
#[derive(Clone)]
pub struct Gate {
    reached: watch::Sender<bool>,
    open: Arc<(Mutex<bool>, Condvar)>,
}

impl Default for Gate {
    fn default() -> Gate {
        Gate { reached: watch::channel(false).0, open: Arc::default() }
    }
}

impl Gate {
    fn wait(&self) {
        self.reached.send_replace(true);
        let (open, changed) = &*self.open;
        let guard = open.lock().unwrap();
        drop(changed.wait_timeout_while(guard, Duration::from_secs(30), |open| !*open).unwrap());
    }

    pub async fn reached(&self) {
        within(self.reached.subscribe().wait_for(|reached| *reached)).await.unwrap();
    }

    pub fn open(&self) {
        *self.open.0.lock().unwrap() = true;
        self.open.1.notify_all();
    }
}

pub async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), what).await.expect("within 30 seconds")
}

pub struct House<'a> {
    pub world: &'a World,
    pub jobs: Jobs,
    _thread: JobsThread,
}

impl House<'_> {
    /// The card, once it was looked at.
    pub async fn card(&self) -> ListedDisk {
        self.disk(&self.world.around.card, |listed| listed.disk.fingerprint.is_some()).await
    }

    pub async fn disk(&self, id: &DiskId, wanted: impl Fn(&ListedDisk) -> bool) -> ListedDisk {
        let mut disks = self.jobs.watch_disks();
        let found = within(disks.wait_for(|list| list.find(id).is_some_and(&wanted))).await.unwrap();
        found.find(id).unwrap().clone()
    }

    pub async fn request(&self) -> CardRequest {
        let listed = self.card().await;
        CardRequest {
            disk: listed.disk.id.clone(),
            seen: listed.disk.fingerprint.clone().unwrap_or(Fingerprint(String::new())),
            plug: Some(listed.disk.plug),
            backup: BackupChoice::New,
            image: ImageChoice::Running,
            board: None,
            carry: Carry::usual(),
            once: None,
        }
    }

    /// Pulls the card, puts it back, and waits until it can be used again.
    pub async fn replug(&self) {
        let (host, card) = (&self.world.around.host, &self.world.around.card);
        host.pull(card);
        within(self.jobs.watch_disks().wait_for(|list| list.find(card).is_none())).await.unwrap();
        host.plug(card, None);
        self.disk(card, |listed| listed.disk.fingerprint.is_some() && listed.refusals.is_empty()).await;
    }

    pub async fn start(&self) -> JobId {
        self.jobs.start(self.request().await).await.unwrap()
    }

    pub async fn refused(&self, request: CardRequest) -> StartError {
        let before = self.jobs.all().len();
        let error = self.jobs.start(request).await.unwrap_err();
        assert_eq!(self.jobs.all().len(), before);
        error
    }

    pub async fn until(&self, id: JobId, wanted: impl Fn(&JobView) -> bool) -> Arc<JobView> {
        let mut jobs = self.jobs.watch_jobs();
        let found = within(jobs.wait_for(|all| all.iter().any(|job| job.id == id && wanted(job)))).await.unwrap();
        found.iter().find(|job| job.id == id).unwrap().clone()
    }

    pub async fn ended(&self, id: JobId) -> Arc<JobView> {
        let view = self.until(id, |view| view.state.is_over()).await;
        self.world.assert_card(&view);
        view
    }

    /// A job from start to its good end.
    pub async fn done(&self, request: CardRequest) -> Arc<JobView> {
        let id = self.jobs.start(request).await.unwrap();
        let view = self.ended(id).await;
        assert_eq!((view.state, view.percent, &view.problem), (JobState::Done, 100, &None), "{view:#?}");
        view
    }

    /// After a bad end: the card is free again, and the next job makes it.
    pub async fn assert_usable(&self) {
        self.world.around.supervisor.clear_faults();
        self.world.around.releases.clear_faults();
        self.replug().await;
        let free = async {
            // The Supervisor may have to end its own backup first.
            loop {
                match self.jobs.start(self.request().await).await {
                    Err(StartError::Refused { problems, .. }) if problems == [Problem::BackupRunning] => {}
                    started => break started.unwrap(),
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let id = within(free).await;
        let view = self.ended(id).await;
        assert_eq!(view.state, JobState::Done, "{view:#?}");
    }

    pub fn warned(&self, code: &str) -> bool {
        self.jobs.system().warnings.iter().any(|warning| warning.code == code)
    }
}

pub fn runs(view: &JobView, stage: Stage) -> bool {
    view.stage(stage).is_some_and(|view| view.state == sd_swap::domain::job::StageState::Running)
}
