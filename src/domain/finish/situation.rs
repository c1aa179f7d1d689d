//! Every situation of a finish: its name for scripts, and its words (`texts/*/finish.ftl`).

use super::{Kind, Refusal, RestoreStage};
use crate::domain::backup::BackupSlug;
use crate::texts::{Language, Value};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Situation {
    /// A home that is set up answers, and no fresh one was seen: the card was not swapped yet.
    OldHome {
        port: u16,
        https: bool,
    },
    /// Nothing answers: off, or starting.
    Booting {
        minutes: u64,
    },
    /// Nothing has answered for longer than a first start takes.
    NotFound {
        minutes: u64,
    },
    /// Home Assistant OS is up and downloads Core.
    Landing,
    /// Core is starting.
    Starting,
    /// Something else answers.
    Stranger,
    /// The list has no such backup yet.
    Looking,
    /// The backup was found; the user is asked.
    Found {
        name: String,
    },
    KeyNeeded {
        name: String,
    },
    KeyWrong,
    MustUpdate,
    NoInternet,
    SupervisorStarting,
    OldCardIn,
    Unhealthy {
        said: String,
    },
    /// A refusal without a reason; it is tried again.
    Trouble,
    Restoring {
        stage: Option<RestoreStage>,
    },
    /// The restore runs while Core is stopped.
    Restarting,
    /// Another job is running on the new system.
    Busy,
    /// Core is back as if nothing had happened, without a word of the restore.
    Interrupted,
    /// It failed before anything was changed.
    FailedBefore {
        said: String,
    },
    FailedAfter,
    /// Tried again for as long as is of use.
    StillRefused {
        said: String,
    },
    Refused {
        said: String,
    },
    NoSpace {
        said: String,
    },
    WithoutCore {
        name: String,
    },
    NotListed {
        list: String,
    },
    Several {
        list: String,
    },
    SetUpAnew,
    Hanging {
        minutes: u64,
    },
    GaveUp {
        minutes: u64,
    },
    Done {
        port: u16,
    },
    /// It closes what speaks http.
    DoneHttps {
        port: u16,
    },
    /// The home in the backup was itself never set up.
    DoneNotSetUp {
        port: u16,
    },
}

/// What words are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About<'a> {
    /// The new system, as the user knows it.
    pub host: &'a str,
    /// The backup, once it is known.
    pub slug: Option<&'a BackupSlug>,
}

/// What a person reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub title: String,
    pub happened: String,
    pub todo: String,
}

impl Situation {
    pub(super) fn of_refusal(refusal: &Refusal) -> Situation {
        let said = refusal.said.clone();
        match refusal.kind {
            Kind::Key => Situation::KeyWrong,
            Kind::MustUpdate => Situation::MustUpdate,
            Kind::NoSpace => Situation::NoSpace { said },
            Kind::NoInternet => Situation::NoInternet,
            Kind::OldCardIn => Situation::OldCardIn,
            Kind::Unhealthy => Situation::Unhealthy { said },
            Kind::Starting => Situation::SupervisorStarting,
            Kind::Busy => Situation::Busy,
            Kind::NotFound => Situation::Looking,
            Kind::WithoutCore => Situation::WithoutCore { name: String::new() },
            Kind::Failed => Situation::FailedBefore { said },
            Kind::Trouble => Situation::Trouble,
            Kind::SetUp => Situation::Starting,
            Kind::Other => Situation::Refused { said },
        }
    }

    /// The name in JSON, in the texts' keys and in `docs/finish.md`.
    pub const fn id(&self) -> &'static str {
        match self {
            Situation::OldHome { .. } => "old-home",
            Situation::Booting { .. } => "booting",
            Situation::NotFound { .. } => "not-found",
            Situation::Landing => "landing",
            Situation::Starting => "starting",
            Situation::Stranger => "stranger",
            Situation::Looking => "looking",
            Situation::Found { .. } => "found",
            Situation::KeyNeeded { .. } => "key-needed",
            Situation::KeyWrong => "key-wrong",
            Situation::MustUpdate => "must-update",
            Situation::NoInternet => "no-internet",
            Situation::SupervisorStarting => "supervisor-starting",
            Situation::OldCardIn => "old-card-in",
            Situation::Unhealthy { .. } => "unhealthy",
            Situation::Trouble => "trouble",
            Situation::Restoring { .. } => "restoring",
            Situation::Restarting => "restarting",
            Situation::Busy => "busy",
            Situation::Interrupted => "interrupted",
            Situation::FailedBefore { .. } => "failed-before",
            Situation::FailedAfter => "failed-after",
            Situation::StillRefused { .. } => "still-refused",
            Situation::Refused { .. } => "refused",
            Situation::NoSpace { .. } => "no-space",
            Situation::WithoutCore { .. } => "without-core",
            Situation::NotListed { .. } => "not-listed",
            Situation::Several { .. } => "several",
            Situation::SetUpAnew => "set-up-anew",
            Situation::Hanging { .. } => "hanging",
            Situation::GaveUp { .. } => "gave-up",
            Situation::Done { .. } => "done",
            Situation::DoneHttps { .. } => "done-https",
            Situation::DoneNotSetUp { .. } => "done-not-set-up",
        }
    }

    /// Title, what happened, what to do.
    pub fn words_in(&self, language: Language, about: About<'_>) -> Words {
        let About { host, slug } = about;
        let slug = slug.map_or("SLUG", BackupSlug::as_str);
        let (said, name, list) = (self.said(), self.name(), self.list());
        let (minutes, doing, link) = (self.minutes(), self.doing_in(language), self.link(host));
        let values: [(&'static str, &dyn Value); 8] = [
            ("said", &said),
            ("name", &name),
            ("list", &list),
            ("minutes", &minutes),
            ("doing", &doing),
            ("link", &link),
            ("host", &host),
            ("slug", &slug),
        ];
        let part = |part: &str| language.tell(&format!("finish-{}-{part}", self.id()), &values);
        Words { title: part("title"), happened: part("happened"), todo: part("todo") }
    }

    /// [`Situation::words_in`] English.
    pub fn words(&self, about: About<'_>) -> Words {
        self.words_in(Language::English, about)
    }

    fn said(&self) -> &str {
        match self {
            Situation::Unhealthy { said }
            | Situation::FailedBefore { said }
            | Situation::StillRefused { said }
            | Situation::Refused { said }
            | Situation::NoSpace { said } => said,
            _ => "",
        }
    }

    fn name(&self) -> &str {
        match self {
            Situation::Found { name } | Situation::KeyNeeded { name } | Situation::WithoutCore { name } => name,
            _ => "",
        }
    }

    fn list(&self) -> &str {
        match self {
            Situation::NotListed { list } | Situation::Several { list } => list,
            _ => "",
        }
    }

    pub const fn minutes(&self) -> u64 {
        match self {
            Situation::Booting { minutes }
            | Situation::NotFound { minutes }
            | Situation::Hanging { minutes }
            | Situation::GaveUp { minutes } => *minutes,
            _ => 0,
        }
    }

    pub const fn stage(&self) -> Option<RestoreStage> {
        match self {
            Situation::Restoring { stage } => *stage,
            _ => None,
        }
    }

    /// What the restore does at its stage.
    pub fn doing_in(&self, language: Language) -> String {
        let stage = self.stage().map_or("begin", RestoreStage::id).replace('_', "-");
        language.say(&format!("finish-doing-{stage}"))
    }

    /// Where the home is to be opened.
    pub fn link(&self, host: &str) -> String {
        let (scheme, port) = match self {
            Situation::Done { port } | Situation::DoneNotSetUp { port } => ("http", *port),
            Situation::OldHome { port, https: false } => ("http", *port),
            Situation::OldHome { port, https: true } | Situation::DoneHttps { port } => ("https", *port),
            _ => ("http", 80),
        };
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.into() };
        match (scheme, port) {
            // What answers on 80 with https sends its callers to 443.
            ("http", 80) | ("https", 80 | 443) => format!("{scheme}://{host}/"),
            _ => format!("{scheme}://{host}:{port}/"),
        }
    }
}
