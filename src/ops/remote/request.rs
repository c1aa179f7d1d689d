//! What is asked of the Supervisor, as words of `ha` and as a path of its API.

use std::time::Duration;

use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// Whether it answers at all.
    Greeting,
    /// Reads the local apps anew.
    Reload,
    /// Every app of every repository.
    Store,
    /// One app; of one that is not installed what the store knows.
    Info(&'a str),
    Install(&'a str),
    Update(&'a str),
    Rebuild(&'a str),
    Start(&'a str),
    /// What it is working on.
    Jobs,
    /// A session to open an app's page with.
    Session,
}

/// `ha` itself gives up a rebuild after ten minutes, an install or an update after an hour.
const BUILD: Duration = Duration::from_secs(3700);
/// Reloading fetches every repository.
const LONG: Duration = Duration::from_secs(300);
const SHORT: Duration = Duration::from_secs(60);

impl Request<'_> {
    pub const fn writes(self) -> bool {
        !matches!(self, Request::Greeting | Request::Store | Request::Info(_) | Request::Jobs)
    }

    /// Builds an image, which takes as long as it takes.
    pub const fn builds(self) -> bool {
        matches!(self, Request::Install(_) | Request::Update(_) | Request::Rebuild(_))
    }

    pub const fn limit(self) -> Duration {
        match self {
            _ if self.builds() => BUILD,
            Request::Reload | Request::Start(_) => LONG,
            _ => SHORT,
        }
    }

    /// After `ha`. None where it has no word for that.
    pub fn words(self) -> Option<Vec<&'static str>> {
        Some(match self {
            Request::Greeting => vec!["supervisor", "info"],
            Request::Reload => vec!["store", "reload"],
            Request::Store => vec!["store", "apps"],
            Request::Info(_) => vec!["apps", "info"],
            Request::Install(_) => vec!["apps", "install"],
            Request::Update(_) => vec!["apps", "update"],
            Request::Rebuild(_) => vec!["apps", "rebuild"],
            Request::Start(_) => vec!["apps", "start"],
            Request::Jobs => vec!["jobs", "info"],
            Request::Session => return None,
        })
    }

    /// The app it is about.
    pub const fn slug(&self) -> Option<&str> {
        match self {
            Request::Info(slug)
            | Request::Install(slug)
            | Request::Update(slug)
            | Request::Rebuild(slug)
            | Request::Start(slug) => Some(slug),
            _ => None,
        }
    }

    /// Method and path.
    pub fn endpoint(self) -> (&'static str, String) {
        match self {
            Request::Greeting => ("get", "/supervisor/info".into()),
            Request::Reload => ("post", "/store/reload".into()),
            Request::Store => ("get", "/store/addons".into()),
            Request::Info(slug) => ("get", format!("/addons/{slug}/info")),
            Request::Install(slug) => ("post", format!("/store/addons/{slug}/install")),
            Request::Update(slug) => ("post", format!("/store/addons/{slug}/update")),
            Request::Rebuild(slug) => ("post", format!("/addons/{slug}/rebuild")),
            Request::Start(slug) => ("post", format!("/addons/{slug}/start")),
            Request::Jobs => ("get", "/jobs/info".into()),
            Request::Session => ("post", "/ingress/session".into()),
        }
    }

    /// A command of the WebSocket API. Without a time limit of Core's own: ten seconds build nothing.
    pub fn message(self, id: u32) -> Value {
        let (method, endpoint) = self.endpoint();
        json!({"id": id, "type": "supervisor/api", "endpoint": endpoint, "method": method, "timeout": null})
    }
}
