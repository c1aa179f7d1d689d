//! A backup in the background: a job with its tree, a tar that grows, and every way in which it goes wrong.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::config::StandinConfig;
use super::fault::BackupFault;
use super::pack::{Pack, PackPlan};
use super::state::{Job, Shared, job_error, now, random_hex};

const LOOK: Duration = Duration::from_millis(2);
const CORE_SAID: &str = "Preparing backup of Home Assistant Core failed. Failed to inform HA Core: ";
const APP_SAID: &str = "returned error code: 1. Please report this to the app developer. Enable debug logging to capture \
                        complete command output using ha supervisor options --logging debug";
const IMAGE_SAID: &str = "An unknown error occurred during backup/restore. Check Supervisor logs for details";

/// Puts a job into the list and starts its thread; answers the job's uuid.
pub fn begin(shared: &Arc<Shared>, name: &str, without_database: bool) -> io::Result<String> {
    let slug = random_hex(4);
    let mut job = Job::new("backup_manager_full_backup", Some(&slug));
    job.stage = Some("addon_repositories".into());
    let uuid = job.uuid.clone();
    let faults = shared.backup_faults();
    if faults.contains(&BackupFault::NotBegun) {
        leave_empty_job(shared, &uuid);
        return Ok(uuid);
    }
    let (config, life) = {
        let mut state = shared.state();
        state.jobs.insert(0, job);
        state.frozen = true;
        (state.config.clone(), state.life)
    };
    let path = config.backup_dir.join(format!("{slug}.tar"));
    let plan = PackPlan { without_database, ..PackPlan::of(&config, &slug, name) };
    let making = Making { shared: shared.clone(), config, faults, plan, path, uuid: uuid.clone(), life };
    std::thread::Builder::new().name("stand-in backup".into()).spawn(move || making.run())?;
    Ok(uuid)
}

/// Done, without errors, without a reference: what a refusal for lack of space leaves.
pub fn leave_empty_job(shared: &Shared, uuid: &str) {
    let mut job = Job::new("backup_manager_full_backup", None);
    job.uuid = uuid.into();
    job.done = Some(true);
    shared.state().jobs.insert(0, job);
}

struct Making {
    shared: Arc<Shared>,
    config: StandinConfig,
    faults: Vec<BackupFault>,
    plan: PackPlan,
    path: PathBuf,
    uuid: String,
    life: u64,
}

/// The message with which the whole backup fails.
struct Failed(String);

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed(format!("Can't write backup: {error}"))
    }
}

impl Making {
    fn run(mut self) {
        let result = self.make();
        if !self.alive() {
            return;
        }
        if let Err(Failed(message)) = &result {
            // Best effort, as the Supervisor does it.
            let _ = std::fs::remove_file(&self.path);
            let error = job_error("HomeAssistantBackupError", message, Some("home_assistant"));
            self.job(|job| job.errors.push(error));
        }
        if self.has(|f| matches!(f, BackupFault::FileLost)) {
            let _ = std::fs::remove_file(&self.path);
        }
        self.job(|job| {
            job.progress = 100.0;
            job.done = Some(true);
        });
        self.shared.state().frozen = false;
    }

    fn make(&mut self) -> Result<(), Failed> {
        let (shared, life) = (self.shared.clone(), self.life);
        let alive = move || shared.state().life == life;
        let mut pack = Pack::create(&self.path, &self.plan.slug, self.config.backup_speed, alive)?;
        self.pause();
        self.save_core(&mut pack)?;
        self.save_apps(&mut pack)?;
        self.save_folders(&mut pack)?;
        self.stage("supervisor_config");
        self.child(Job::new("backup_store_supervisor_config", Some(&self.plan.slug)), |child| child.end(None));
        self.stage("finishing_file");
        pack.finish(&self.plan)?;
        if let Some(down) = self.death(|f| matches!(f, BackupFault::RestartedAtEnd { .. })) {
            self.shared.kill(down);
            return Ok(());
        }
        if !self.has(|f| matches!(f, BackupFault::NotListed)) {
            self.shared.reload();
        }
        self.stage("await_addon_restarts");
        self.pause();
        Ok(())
    }

    fn save_core(&self, pack: &mut Pack) -> Result<(), Failed> {
        self.stage("home_assistant");
        let mut child = Job::new("backup_store_homeassistant", Some(&self.plan.slug));
        let mut module = Job::new("home_assistant_module_backup", None);
        module.child_jobs.push(Job::new("home_assistant_module_begin_backup", None));
        child.child_jobs.push(module);
        self.job(|job| job.child_jobs.push(child));
        self.pause();
        if let Some(why) = self.core_fails() {
            let message = format!("{CORE_SAID}{why}");
            let error = job_error("HomeAssistantBackupError", &message, None);
            self.last_child(|child| child.end(Some(error)));
            self.pause();
            return Err(Failed(message));
        }
        self.last_child(|child| child.child_jobs.clear());
        pack.archive("homeassistant", "data/home-assistant_v2.db", self.plan.share())?;
        self.last_child(|child| child.end(None));
        Ok(())
    }

    /// What Core says against it; waits while it hangs.
    fn core_fails(&self) -> Option<&'static str> {
        if self.has(|f| matches!(f, BackupFault::CoreRefuses)) {
            return Some("Unsuccessful websocket message - pre_backup_actions_failed");
        }
        if !self.has(|f| matches!(f, BackupFault::CoreHangs)) {
            return None;
        }
        while self.alive() && self.shared.backup_faults().contains(&BackupFault::CoreHangs) {
            std::thread::sleep(LOOK);
        }
        Some("Connection was closed.")
    }

    fn save_apps(&mut self, pack: &mut Pack) -> Result<(), Failed> {
        self.stage("addons");
        let (store, save) = match self.config.old_names {
            true => ("backup_store_addons", "backup_addon_save"),
            false => ("backup_store_apps", "backup_app_save"),
        };
        self.job(|job| job.child_jobs.push(Job::new(store, Some(&self.plan.slug))));
        let mut kept = Vec::new();
        for (n, app) in self.plan.apps.clone().into_iter().enumerate() {
            self.last_child(|store| store.child_jobs.push(Job::new(save, Some(&app.slug))));
            self.pause();
            if let Some(error) = self.app_fails(&app.slug) {
                self.last_grandchild(|child| child.end(Some(error.clone())));
                self.last_child(|store| store.errors.push(error));
                continue;
            }
            pack.archive(&app.slug, "data/options", self.plan.share())?;
            if let Some(down) = self.death(|f| matches!(f, BackupFault::Killed { .. })).filter(|_| n == 0) {
                self.shared.kill(down);
                return Ok(());
            }
            self.last_grandchild(|child| child.end(None));
            kept.push(app);
        }
        self.plan.apps = kept;
        self.last_child(|store| {
            store.done = Some(true);
            store.progress = 100.0;
        });
        Ok(())
    }

    fn app_fails(&self, slug: &str) -> Option<Value> {
        self.faults.iter().find_map(|fault| match fault {
            BackupFault::AppFails(which) if which == slug => {
                let message = format!("Pre-/Post backup command for app {slug} {APP_SAID}");
                Some(job_error("AppPrePostBackupCommandReturnedError", &message, None))
            }
            BackupFault::ImageExportFails(which) if which == slug => {
                Some(job_error("BackupRestoreUnknownError", IMAGE_SAID, None))
            }
            _ => None,
        })
    }

    fn save_folders(&self, pack: &mut Pack) -> Result<(), Failed> {
        self.stage("folders");
        self.job(|job| job.child_jobs.push(Job::new("backup_store_folders", Some(&self.plan.slug))));
        for folder in &self.plan.folders {
            self.last_child(|store| store.child_jobs.push(Job::new("backup_folder_save", Some(folder))));
            self.pause();
            pack.archive(&folder.replace('/', "_"), "files/one", self.plan.share())?;
            self.last_grandchild(|child| child.end(None));
        }
        self.last_child(|store| store.end(None));
        Ok(())
    }

    fn alive(&self) -> bool {
        self.shared.state().life == self.life
    }

    fn has(&self, which: impl Fn(&BackupFault) -> bool) -> bool {
        self.faults.iter().any(which)
    }

    fn death(&self, which: impl Fn(&BackupFault) -> bool) -> Option<Duration> {
        self.faults.iter().filter(|f| which(f)).find_map(|fault| match fault {
            BackupFault::Killed { down } | BackupFault::RestartedAtEnd { down } => Some(*down),
            _ => None,
        })
    }

    fn job(&self, change: impl FnOnce(&mut Job)) {
        self.shared.job(&self.uuid, change);
    }

    fn stage(&self, stage: &str) {
        self.job(|job| job.stage = Some(stage.into()));
    }

    fn child(&self, mut child: Job, change: impl FnOnce(&mut Job)) {
        child.created = now();
        change(&mut child);
        self.job(|job| job.child_jobs.push(child));
    }

    fn last_child(&self, change: impl FnOnce(&mut Job)) {
        self.job(|job| job.child_jobs.last_mut().map(change).unwrap_or_default());
    }

    fn last_grandchild(&self, change: impl FnOnce(&mut Job)) {
        self.last_child(|child| child.child_jobs.last_mut().map(change).unwrap_or_default());
    }

    /// Long enough to be seen; ends early with the life that it belongs to.
    fn pause(&self) {
        let until = Instant::now() + self.config.step;
        while Instant::now() < until && self.alive() {
            std::thread::sleep(LOOK);
        }
    }
}
