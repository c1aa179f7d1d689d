//! Answers of Core's onboarding addresses → typed observations. Whatever is not exactly what is known is no sign of
//! anything: it is asked again.

use serde_json::Value;

use super::Listed;

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Met {
    /// Refused, no such name, or no answer in time.
    Silent,
    /// Accepted, then closed without an answer: what a home that speaks https does with http.
    Closed,
    /// An answer that broke off, never ended or was too long.
    Broken,
    Answer(Answer),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    pub status: u16,
    /// Of a redirect.
    pub location: Option<String>,
    pub body: Vec<u8>,
}

/// `GET /api/onboarding`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Onboarding {
    Silent,
    /// A home that speaks https: it closes what speaks http, or sends it there.
    Closed,
    /// 503: Core is stopping.
    Stopping,
    /// 401 or 403: the landing page of Home Assistant OS, before Core is downloaded.
    Landing,
    /// No step is done: the new card, or one like it.
    Fresh,
    /// Some step is done: somebody sets up a new home.
    Begun,
    /// Core's own 404: a home that is set up.
    Gone,
    /// A redirect, as port 8123 of a fresh Core answers.
    Elsewhere(String),
    /// Something that is not Core, or is not whole.
    Other,
}

/// `GET /api/onboarding/backup/info`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Info {
    Silent,
    /// 404: the backup integration is not loaded yet.
    Missing,
    /// 401: set up since.
    Locked,
    Other,
    List(Backups),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backups {
    pub state: Manager,
    pub last: Last,
    /// Those on the system's own disk.
    pub listed: Vec<Listed>,
}

/// Core's backup manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    Idle,
    /// Not ready: the list is not final, a restore is refused.
    Blocked,
    Restoring,
    /// It makes a backup, or something of a later version.
    Other,
}

/// The last event of a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    None,
    Running(Option<RestoreStage>),
    Failed,
    Completed,
}

/// A stage of the Supervisor's restore, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreStage {
    Folders,
    HomeAssistant,
    Repositories,
    Apps,
    Settings,
    AppsStart,
    HomeAssistantStart,
}

/// One port of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    pub port: u16,
    pub onboarding: Onboarding,
    /// Asked only where the onboarding is fresh.
    pub info: Option<Info>,
}

/// What one look at the host showed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    pub doors: Vec<Door>,
}

/// How our restore request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// There was no connection: nobody got it.
    NeverSent,
    /// Cut without an answer. The usual end of a restore that runs; never a failure.
    Cut,
    Answered(Answer),
}

/// What aiohttp says itself; a web server in front of something else says it in a page of its own.
const NOT_FOUND: &[u8] = b"404: Not Found";

impl Onboarding {
    pub fn read(met: &Met) -> Onboarding {
        let answer = match met {
            Met::Silent => return Onboarding::Silent,
            Met::Closed => return Onboarding::Closed,
            Met::Broken => return Onboarding::Other,
            Met::Answer(answer) => answer,
        };
        match (answer.status, &answer.location) {
            (200, _) => steps(&answer.body),
            // A proxy in front of a home that is set up.
            (301 | 302 | 307 | 308, Some(location)) if location.starts_with("https:") => Onboarding::Closed,
            (301 | 302 | 307 | 308, Some(location)) => Onboarding::Elsewhere(location.clone()),
            (401 | 403, _) => Onboarding::Landing,
            (404, _) if answer.body.trim_ascii() == NOT_FOUND => Onboarding::Gone,
            (503, _) => Onboarding::Stopping,
            _ => Onboarding::Other,
        }
    }
}

/// `[{"step": "user", "done": false}, …]`. Fresh only if the step that makes the owner is there and nothing is done.
fn steps(body: &[u8]) -> Onboarding {
    #[derive(serde::Deserialize)]
    struct Step {
        step: String,
        done: bool,
    }
    let Ok(steps) = serde_json::from_slice::<Vec<Step>>(body) else { return Onboarding::Other };
    match (steps.iter().any(|step| step.done), steps.iter().any(|step| step.step == "user")) {
        (true, _) => Onboarding::Begun,
        (false, true) => Onboarding::Fresh,
        (false, false) => Onboarding::Other,
    }
}

impl Info {
    pub fn read(met: &Met) -> Info {
        match met {
            Met::Silent | Met::Closed => Info::Silent,
            Met::Broken => Info::Other,
            Met::Answer(answer) => match answer.status {
                200 => Backups::read(&answer.body).map_or(Info::Other, Info::List),
                401 => Info::Locked,
                404 => Info::Missing,
                _ => Info::Other,
            },
        }
    }
}

impl Backups {
    fn read(body: &[u8]) -> Option<Backups> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let state = match body.get("state")?.as_str()? {
            "idle" => Manager::Idle,
            "blocked" => Manager::Blocked,
            "restore_backup" => Manager::Restoring,
            _ => Manager::Other,
        };
        let listed = body.get("backups")?.as_array()?.iter().filter_map(Listed::read).collect();
        Some(Backups { state, last: Last::read(body.get("last_action_event")?)?, listed })
    }
}

impl Last {
    /// Events of anything but a restore say nothing here. `None`: of an unknown form.
    fn read(event: &Value) -> Option<Last> {
        if event.is_null() {
            return Some(Last::None);
        }
        if event.get("manager_state")?.as_str()? != "restore_backup" {
            return Some(Last::None);
        }
        Some(match event.get("state")?.as_str()? {
            "in_progress" => Last::Running(event.get("stage").and_then(Value::as_str).and_then(RestoreStage::read)),
            "failed" => Last::Failed,
            "completed" => Last::Completed,
            _ => return None,
        })
    }
}

impl RestoreStage {
    pub const ALL: [RestoreStage; 7] = [
        RestoreStage::Folders,
        RestoreStage::HomeAssistant,
        RestoreStage::Repositories,
        RestoreStage::Apps,
        RestoreStage::Settings,
        RestoreStage::AppsStart,
        RestoreStage::HomeAssistantStart,
    ];

    /// As Core says it.
    pub const fn id(self) -> &'static str {
        match self {
            RestoreStage::Folders => "folders",
            RestoreStage::HomeAssistant => "home_assistant",
            RestoreStage::Repositories => "addon_repositories",
            RestoreStage::Apps => "addons",
            RestoreStage::Settings => "supervisor_config",
            RestoreStage::AppsStart => "await_addon_restarts",
            RestoreStage::HomeAssistantStart => "await_home_assistant_restart",
        }
    }

    fn read(text: &str) -> Option<RestoreStage> {
        RestoreStage::ALL.into_iter().find(|stage| stage.id() == text)
    }
}

/// What the doors together say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Home<'a> {
    Fresh {
        port: u16,
        info: Option<&'a Info>,
    },
    Begun,
    Gone {
        port: u16,
    },
    Closed {
        port: u16,
    },
    Landing,
    /// Core is there, but not yet or no more to be talked to.
    Passing,
    Stranger,
    Silent,
}

impl Look {
    /// One Core answers on one port. Where one door is fresh and another one set up, there are two, and neither counts.
    pub(super) fn home(&self) -> Home<'_> {
        let find = |wanted: &dyn Fn(&Onboarding) -> bool| self.doors.iter().find(|door| wanted(&door.onboarding));
        let fresh = find(&|seen| *seen == Onboarding::Fresh);
        let set_up = find(&|seen| matches!(seen, Onboarding::Begun | Onboarding::Gone));
        match (fresh, set_up) {
            (Some(_), Some(_)) => return Home::Stranger,
            (Some(door), None) => return Home::Fresh { port: door.port, info: door.info.as_ref() },
            (None, Some(door)) if door.onboarding == Onboarding::Begun => return Home::Begun,
            (None, Some(door)) => return Home::Gone { port: door.port },
            (None, None) => {}
        }
        if find(&|seen| *seen == Onboarding::Landing).is_some() {
            return Home::Landing;
        }
        if let Some(door) = find(&|seen| *seen == Onboarding::Closed) {
            return Home::Closed { port: door.port };
        }
        match find(&|seen| *seen != Onboarding::Silent).map(|door| &door.onboarding) {
            None => Home::Silent,
            Some(Onboarding::Other) => Home::Stranger,
            Some(_) => Home::Passing,
        }
    }
}
