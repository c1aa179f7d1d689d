//! An answered restore request: why it was refused, and whether it may be sent again. The words are Core's and the
//! Supervisor's own, in English whatever the language of the home.

use std::time::Duration;

use serde_json::Value;

use super::Answer;

/// As much of a text from outside is kept.
const SAID_MOST: usize = 300;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub kind: Kind,
    /// What was said, on one line; the status where nothing was.
    pub said: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The backup's key is missing or wrong.
    Key,
    /// The backup was made by a newer Supervisor; a fresh system updates its own.
    MustUpdate,
    NoSpace,
    NoInternet,
    /// Unhealthy because a second installation is attached.
    OldCardIn,
    Unhealthy,
    /// The Supervisor has not finished its own start.
    Starting,
    /// A backup or a restore is running, perhaps our own.
    Busy,
    /// The backup is not (or no more) in the list.
    NotFound,
    WithoutCore,
    /// The restore began and failed before Core was stopped; nothing was changed.
    Failed,
    /// 5xx without a reason.
    Trouble,
    /// 401 or 404: set up in the meantime. The next look shows it.
    SetUp,
    /// Anything else: a mistake of ours, or words that are not known.
    Other,
}

/// When a restore may be requested again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// So long after the answer, if the state still allows it; `within`: not after so long since the first such answer.
    After { interval: Duration, within: Option<Duration> },
    /// With another key.
    WithKey,
    /// After the machine was turned off and on.
    Restarted,
    /// Something runs: look on.
    Watch,
    /// Only if the user says so.
    Never,
}

/// Words → kind; the first that fits.
const WORDS: [(&str, Kind); 13] = [
    ("must update supervisor", Kind::MustUpdate),
    ("not enough free space", Kind::NoSpace),
    ("no host internet connection", Kind::NoInternet),
    ("no supervisor internet connection", Kind::NoInternet),
    ("duplicate_os_installation", Kind::OldCardIn),
    ("system is not healthy", Kind::Unhealthy),
    ("system is not running", Kind::Starting),
    ("another job is running", Kind::Busy),
    ("backup manager busy", Kind::Busy),
    ("not found in agent", Kind::NotFound),
    ("no home assistant core data", Kind::WithoutCore),
    ("restore failed:", Kind::Failed),
    ("system is not ready", Kind::Starting),
];

impl Refusal {
    pub fn of(answer: &Answer) -> Refusal {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let (code, message) = (text("code"), text("message"));
        let said = if message.is_empty() { code } else { message };
        let said = if said.is_empty() { format!("status {}", answer.status) } else { short(said) };
        Refusal { kind: kind(answer.status, code, message), said }
    }
}

fn kind(status: u16, code: &str, message: &str) -> Kind {
    match (status, code) {
        (401 | 404, _) => Kind::SetUp,
        (500.., _) => Kind::Trouble,
        (400, "incorrect_password") => Kind::Key,
        (400, "restore_failed") => {
            let message = message.to_lowercase();
            WORDS.iter().find(|(words, _)| message.contains(words)).map_or(Kind::Other, |(_, kind)| *kind)
        }
        _ => Kind::Other,
    }
}

fn short(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SAID_MOST).collect();
    line.trim().to_string()
}

impl Kind {
    pub const ALL: [Kind; 14] = [
        Kind::Key,
        Kind::MustUpdate,
        Kind::NoSpace,
        Kind::NoInternet,
        Kind::OldCardIn,
        Kind::Unhealthy,
        Kind::Starting,
        Kind::Busy,
        Kind::NotFound,
        Kind::WithoutCore,
        Kind::Failed,
        Kind::Trouble,
        Kind::SetUp,
        Kind::Other,
    ];

    pub const fn repeat(self) -> Repeat {
        const fn after(interval: u64, within: Option<u64>) -> Repeat {
            let within = match within {
                Some(minutes) => Some(Duration::from_secs(minutes * 60)),
                None => None,
            };
            Repeat::After { interval: Duration::from_secs(interval), within }
        }
        match self {
            Kind::Key => Repeat::WithKey,
            Kind::MustUpdate => after(60, Some(30)),
            Kind::NoInternet => after(30, None),
            Kind::Starting => after(10, Some(30)),
            // The list is read again before each try.
            Kind::NotFound => after(10, Some(2)),
            // The Supervisor went away; the state is looked at before each try, and its own lock holds a second one off.
            Kind::Trouble => after(30, Some(5)),
            Kind::OldCardIn | Kind::Unhealthy | Kind::SetUp => Repeat::Restarted,
            Kind::Busy => Repeat::Watch,
            Kind::NoSpace | Kind::WithoutCore | Kind::Failed | Kind::Other => Repeat::Never,
        }
    }
}
