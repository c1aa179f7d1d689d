//! What can go wrong, as a user meets it: a kind with its facts, and from it title, what happened, what to do (face §12).
//!
//! Pages, the API and the command line all say it in these words; the technical cause travels beside it as text.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::disk::Refusal;
use super::size::Bytes;
use super::stage::Stage;
use crate::texts::{Language, Phrase, Value};

/// A problem of face §12; `code()` is its stable name in the API, `number()` its name in the papers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Problem {
    DiskMayNotOpen,
    NoReader {
        need: Bytes,
    },
    CardTooSmall {
        has: Bytes,
        need: Bytes,
    },
    CardProtected,
    NoImageForBoard {
        board: String,
    },
    AlreadyRunning,
    DiskChanged,
    NoRoomForBackup {
        free: Bytes,
        need: Bytes,
    },
    BackupFailed {
        said: Phrase,
    },
    BackupRunning,
    CardPulled {
        stage: Stage,
    },
    CardSilent {
        minutes: u64,
    },
    /// `None`: the card took the data, but did not confirm that it is stored.
    WriteFailed {
        at: Option<Bytes>,
    },
    CardCounterfeit {
        after: Bytes,
    },
    CardUnreliable {
        places: u64,
        first: Bytes,
        looks_like: Phrase,
    },
    DownloadStopped {
        host: String,
    },
    DownloadDamaged,
    NoDigest,
    BackupDoesNotFit {
        need: Bytes,
        free: Bytes,
    },
    LastCheckFailed {
        what: Phrase,
    },
    Restarted {
        stage: Option<Stage>,
    },
    NoRoomForDownload {
        free: Bytes,
        need: Bytes,
    },
    StillStarting,
    NoInternet,
    NotHaos,
    SupervisorSilent {
        said: Phrase,
    },
    CannotSave {
        why: Phrase,
    },
    BackupUnusable {
        why: Phrase,
    },
    GrowFailed {
        what: Phrase,
    },
    /// The image is not what a Home Assistant OS image is: what was found.
    ImageUnusable {
        why: Phrase,
    },
    /// The disk itself is refused (DV-2): every reason.
    DiskRefused {
        reasons: Vec<Refusal>,
    },
    Unexpected {
        short: Phrase,
    },
}

/// Title, what happened, what you can do: each one sentence or two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    pub title: String,
    pub happened: String,
    pub todo: String,
}

/// What another part said, as a sentence: a capital before, a full stop behind.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

impl Problem {
    pub const fn number(&self) -> &'static str {
        self.names().0
    }

    pub const fn code(&self) -> &'static str {
        self.names().1
    }

    const fn names(&self) -> (&'static str, &'static str) {
        match self {
            Problem::DiskMayNotOpen => ("P1", "disk_may_not_open"),
            Problem::NoReader { .. } => ("P2", "no_reader"),
            Problem::CardTooSmall { .. } => ("P3", "card_too_small"),
            Problem::CardProtected => ("P4", "card_protected"),
            Problem::NoImageForBoard { .. } => ("P5", "no_image_for_board"),
            Problem::AlreadyRunning => ("P6", "already_running"),
            Problem::DiskChanged => ("P7", "disk_changed"),
            Problem::NoRoomForBackup { .. } => ("P8", "no_room_for_backup"),
            Problem::BackupFailed { .. } => ("P9", "backup_failed"),
            Problem::BackupRunning => ("P10", "backup_running"),
            Problem::CardPulled { .. } => ("P11", "card_pulled"),
            Problem::CardSilent { .. } => ("P12", "card_silent"),
            Problem::WriteFailed { .. } => ("P13", "write_failed"),
            Problem::CardCounterfeit { .. } => ("P14", "card_counterfeit"),
            Problem::CardUnreliable { .. } => ("P15", "card_unreliable"),
            Problem::DownloadStopped { .. } => ("P16", "download_stopped"),
            Problem::DownloadDamaged => ("P17", "download_damaged"),
            Problem::NoDigest => ("P18", "no_digest"),
            Problem::BackupDoesNotFit { .. } => ("P19", "backup_does_not_fit"),
            Problem::LastCheckFailed { .. } => ("P21", "last_check_failed"),
            Problem::Restarted { .. } => ("P22", "restarted"),
            Problem::NoRoomForDownload { .. } => ("P29", "no_room_for_download"),
            Problem::StillStarting => ("P30", "still_starting"),
            Problem::NoInternet => ("P31", "no_internet"),
            Problem::NotHaos => ("P32", "not_haos"),
            Problem::SupervisorSilent { .. } => ("P33", "supervisor_silent"),
            Problem::CannotSave { .. } => ("P34", "cannot_save"),
            Problem::BackupUnusable { .. } => ("P35", "backup_unusable"),
            Problem::GrowFailed { .. } => ("P36", "grow_failed"),
            Problem::ImageUnusable { .. } => ("P37", "image_unusable"),
            Problem::DiskRefused { .. } => ("P38", "disk_refused"),
            Problem::Unexpected { .. } => ("P28", "unexpected"),
        }
    }

    /// The words a person reads.
    pub fn words(&self) -> Words {
        self.words_in(Language::English)
    }

    /// The words a person reads, in their language.
    pub fn words_in(&self, language: Language) -> Words {
        let key = self.code().replace('_', "-");
        let values = self.values(language);
        let values: Vec<(&'static str, &dyn Value)> = values.iter().map(|(name, v)| (*name, v as &dyn Value)).collect();
        let part = |part: &str| language.tell(&format!("problem-{key}-{part}"), &values);
        let happened = match self {
            Problem::Restarted { stage: None } => "before",
            Problem::WriteFailed { at: None } => "unconfirmed",
            _ => "happened",
        };
        Words { title: part("title"), happened: part(happened), todo: part("todo") }
    }

    /// What stands in the words: sizes, names, what another part said.
    fn values(&self, language: Language) -> Vec<(&'static str, String)> {
        let size = |size: &Bytes| size.said_in(language);
        let said = |phrase: &Phrase| sentence(&phrase.said_in(language));
        match self {
            Problem::NoReader { need } => vec![("need", need.sold_in(language))],
            Problem::CardTooSmall { has, need } => vec![("has", size(has)), ("need", size(need))],
            Problem::NoImageForBoard { board } => vec![("board", board.clone())],
            Problem::NoRoomForBackup { free, need }
            | Problem::BackupDoesNotFit { need, free }
            | Problem::NoRoomForDownload { free, need } => vec![("free", size(free)), ("need", size(need))],
            Problem::BackupFailed { said: words } | Problem::SupervisorSilent { said: words } => {
                vec![("said", said(words))]
            }
            Problem::CardPulled { stage } | Problem::Restarted { stage: Some(stage) } => {
                vec![("doing", stage.doing_in(language))]
            }
            Problem::CardSilent { minutes } => vec![("minutes", minutes.to_string())],
            Problem::WriteFailed { at: Some(at) } => vec![("at", size(at))],
            Problem::CardCounterfeit { after } => vec![("after", size(after))],
            Problem::CardUnreliable { places, first, looks_like } => {
                vec![("places", places.to_string()), ("first", size(first)), ("looks", looks_like.said_in(language))]
            }
            Problem::DownloadStopped { host } => vec![("host", host.clone())],
            Problem::LastCheckFailed { what } | Problem::GrowFailed { what } => vec![("what", said(what))],
            Problem::CannotSave { why } | Problem::BackupUnusable { why } | Problem::ImageUnusable { why } => {
                vec![("why", said(why))]
            }
            Problem::DiskRefused { reasons } => {
                let reasons: Vec<String> = reasons.iter().map(|reason| reason.said_in(language)).collect();
                vec![("reasons", reasons.join(" "))]
            }
            Problem::Unexpected { short } => vec![("short", said(short))],
            Problem::DiskMayNotOpen
            | Problem::CardProtected
            | Problem::AlreadyRunning
            | Problem::DiskChanged
            | Problem::BackupRunning
            | Problem::DownloadDamaged
            | Problem::NoDigest
            | Problem::Restarted { stage: None }
            | Problem::WriteFailed { at: None }
            | Problem::StillStarting
            | Problem::NoInternet
            | Problem::NotHaos => Vec::new(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.words();
        write!(f, "{}. {} {}", words.title, words.happened, words.todo)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> Vec<Problem> {
        let (b, text) = (Bytes(7_200_000_000), Phrase::foreign("it said so"));
        use Problem as P;
        vec![
            P::DiskMayNotOpen,
            P::NoReader { need: b },
            P::CardTooSmall { has: b, need: b },
            P::CardProtected,
            P::NoImageForBoard { board: "yellow".into() },
            P::AlreadyRunning,
            P::DiskChanged,
            P::NoRoomForBackup { free: b, need: b },
            P::BackupFailed { said: text.clone() },
            P::BackupRunning,
            P::CardPulled { stage: Stage::Write },
            P::CardSilent { minutes: 2 },
            P::WriteFailed { at: Some(b) },
            P::CardCounterfeit { after: b },
            P::CardUnreliable { places: 4, first: b, looks_like: text.clone() },
            P::DownloadStopped { host: "GitHub".into() },
            P::DownloadDamaged,
            P::NoDigest,
            P::BackupDoesNotFit { need: b, free: b },
            P::LastCheckFailed { what: text.clone() },
            P::Restarted { stage: None },
            P::Unexpected { short: text.clone() },
            P::NoRoomForDownload { free: b, need: b },
            P::StillStarting,
            P::NoInternet,
            P::NotHaos,
            P::SupervisorSilent { said: text.clone() },
            P::CannotSave { why: text.clone() },
            P::BackupUnusable { why: text.clone() },
            P::GrowFailed { what: text.clone() },
            P::ImageUnusable { why: text.clone() },
            P::DiskRefused { reasons: vec![Refusal::BuiltIn] },
        ]
    }

    #[test]
    fn every_problem_has_a_name_and_words_of_its_own() {
        let all = all();
        let set = |of: fn(&Problem) -> String| all.iter().map(of).collect::<BTreeSet<_>>().len();
        assert_eq!(set(|p| p.number().into()), all.len());
        assert_eq!(set(|p| p.code().into()), all.len());
        assert_eq!(set(|p| p.words().title), all.len());
        for problem in &all {
            let Words { title, happened, todo } = problem.words();
            for part in [&title, &happened, &todo] {
                assert!(
                    part.len() > 5 && !part.starts_with(char::is_lowercase) && !part.contains(".."),
                    "{problem:?}: {part:?}"
                );
            }
            let json = serde_json::to_string(problem).unwrap();
            assert_eq!(serde_json::from_str::<Problem>(&json).unwrap(), *problem);
        }
    }

    #[test]
    fn what_is_not_known_is_not_made_up() {
        let happened = |problem: Problem| problem.words().happened;
        assert_eq!(happened(Problem::WriteFailed { at: Some(Bytes(5_000_000)) }), "The card refused data at 5 MB.");
        assert_eq!(
            happened(Problem::WriteFailed { at: None }),
            "The card took the data, but did not confirm that it is stored."
        );
        assert_eq!(happened(Problem::Restarted { stage: None }), "Work stopped before it began.");
        // As a ledger has it from before.
        let old: Problem = serde_json::from_str(r#"{"kind": "write_failed", "at": 5000000}"#).unwrap();
        assert_eq!(old, Problem::WriteFailed { at: Some(Bytes(5_000_000)) });
    }
}
