//! What can go wrong, as a user meets it: a kind with its facts, and from it title, what happened, what to do (face §12).
//!
//! Pages, the API and the command line all say it in these words; the technical cause travels beside it as text.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::size::Bytes;
use super::stage::Stage;

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
        said: String,
    },
    BackupRunning,
    CardPulled {
        stage: Stage,
    },
    CardSilent {
        minutes: u64,
    },
    WriteFailed {
        at: Bytes,
    },
    CardCounterfeit {
        after: Bytes,
    },
    CardUnreliable {
        places: u64,
        first: Bytes,
        looks_like: String,
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
        what: String,
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
        said: String,
    },
    CannotSave {
        why: String,
    },
    BackupUnusable {
        why: String,
    },
    GrowFailed {
        what: String,
    },
    /// The image is not what a Home Assistant OS image is: what was found.
    ImageUnusable {
        why: String,
    },
    /// The disk itself is refused (DV-2): every reason.
    DiskRefused {
        reasons: Vec<String>,
    },
    Unexpected {
        short: String,
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

fn words(title: &str, happened: impl Into<String>, todo: &str) -> Words {
    Words { title: title.into(), happened: happened.into(), todo: todo.into() }
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
        match self {
            Problem::DiskMayNotOpen => words(
                "This disk may not be opened yet",
                "Home Assistant gives the app a disk at the moment it is plugged in; this one was refused, most often \
                 because a Home Assistant system is already on it.",
                "Pull it out and put it back. Still refused: restart the app with the card in, erase the card on a \
                 computer, or use another card.",
            ),
            Problem::NoReader { need } => words(
                "No card reader found",
                "Nothing removable is plugged in.",
                &format!(
                    "Plug in a USB reader with a card of {} or more. This page notices by itself.",
                    need.as_sold()
                ),
            ),
            Problem::CardTooSmall { has, need } => {
                words("The card is too small", format!("It holds {has}; {need} are needed."), "Use a larger card.")
            }
            Problem::CardProtected => {
                words("The card is write-protected", "Its lock is on.", "Take it out, slide the lock up, put it back.")
            }
            Problem::NoImageForBoard { board } => words(
                "No system image for this board",
                format!("There is no current Home Assistant OS for {board}."),
                "A backup alone still helps: Settings › System › Backups.",
            ),
            Problem::AlreadyRunning => {
                words("A card is already being made", "One at a time.", "Watch it, or stop it first.")
            }
            Problem::DiskChanged => words(
                "The disk has changed",
                "What is plugged in is not what you confirmed.",
                "Look again and confirm again.",
            ),
            Problem::NoRoomForBackup { free, need } => words(
                "Not enough room for the backup",
                format!("{free} free, about {need} needed."),
                "Delete old backups, then try again.",
            ),
            Problem::BackupFailed { said } => words(
                "The backup failed",
                format!("Home Assistant said: {}", sentence(said)),
                "Make one in Settings to see the cause, then try again.",
            ),
            Problem::BackupRunning => {
                words("Another backup is running", "Only one at a time.", "Try again when it is done.")
            }
            Problem::CardPulled { stage } => words(
                "The card was pulled out",
                format!("It vanished while {}.", stage.doing()),
                "Put it back and start again.",
            ),
            Problem::CardSilent { minutes } => words(
                "The card does not answer",
                format!("No data for {minutes} minutes."),
                "Wait, or stop and try another reader, port or card.",
            ),
            Problem::WriteFailed { at } => words(
                "Writing failed",
                format!("The card refused data at {at}."),
                "Card or reader is faulty; try another.",
            ),
            Problem::CardCounterfeit { after } => words(
                "The card is smaller than it says",
                format!("Data came back wrong after {after}."),
                "Probably a fake; return it.",
            ),
            Problem::CardUnreliable { places, first, looks_like } => words(
                "The card is not reliable",
                format!("{places} places read back differently, the first at {first}: {looks_like}."),
                "Do not use it.",
            ),
            Problem::DownloadStopped { host } => words(
                "The download stopped",
                format!("{host} does not answer."),
                "Check the internet; it resumes where it stopped.",
            ),
            Problem::DownloadDamaged => {
                words("The download was damaged", "Its checksum does not fit; it was deleted.", "Try again.")
            }
            _ => self.more_words(),
        }
    }

    fn more_words(&self) -> Words {
        match self {
            Problem::NoDigest => {
                words("The image cannot be trusted", "Its checksum could not be fetched.", "Try again in an hour.")
            }
            Problem::BackupDoesNotFit { need, free } => words(
                "The backup does not fit",
                format!("{need} needed, {free} free on the card."),
                "Use a larger card.",
            ),
            Problem::LastCheckFailed { what } => words(
                "The card failed its last check",
                format!("{} It was made blank.", sentence(what)),
                "Start again; if it repeats, send the log.",
            ),
            Problem::Restarted { stage } => words(
                "The app was restarted",
                match stage {
                    Some(stage) => format!("Work stopped while {}.", stage.doing()),
                    None => "Work stopped before it began.".into(),
                },
                "Start again; download and backup are kept.",
            ),
            Problem::NoRoomForDownload { free, need } => words(
                "Not enough room for the download",
                format!("{free} free, {need} needed."),
                "Delete old backups or the kept image, then try again.",
            ),
            Problem::StillStarting => words(
                "Home Assistant is still starting",
                "It makes no backups yet.",
                "Wait a minute; this page notices by itself.",
            ),
            Problem::NoInternet => words(
                "No internet",
                "The system image cannot be downloaded.",
                "Check the network; a kept image works without.",
            ),
            Problem::NotHaos => words(
                "This is not Home Assistant OS",
                "Cards can be made only for Home Assistant OS.",
                "A backup still helps: Settings › System › Backups.",
            ),
            Problem::SupervisorSilent { said } => words(
                "Home Assistant does not answer this app",
                sentence(said),
                "Restart the app; if it repeats, send the log.",
            ),
            Problem::CannotSave { why } => {
                words("The app cannot save its state", sentence(why), "Free some room; work that runs goes on.")
            }
            Problem::BackupUnusable { why } => {
                words("This backup cannot be used", sentence(why), "Choose another one or make a new one.")
            }
            Problem::GrowFailed { what } => words(
                "The card's partition could not be made larger",
                sentence(what),
                "Start again; if it repeats, send the log.",
            ),
            Problem::ImageUnusable { why } => words(
                "This image cannot be used",
                sentence(why),
                "Use an unchanged Home Assistant OS image (.img.xz) for this board.",
            ),
            Problem::DiskRefused { reasons } => {
                words("This disk cannot be used", reasons.join(" "), "Choose another disk.")
            }
            Problem::Unexpected { short } => {
                words("Something went wrong", sentence(short), "Try again; the log helps to report it.")
            }
            // The others are in `words`, which is the only caller.
            _ => words("Something went wrong", self.code(), "Try again; the log helps to report it."),
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
        let (b, text) = (Bytes(7_200_000_000), String::from("it said so"));
        use Problem as P;
        vec![
            P::DiskMayNotOpen,
            P::NoReader { need: b },
            P::CardTooSmall { has: b, need: b },
            P::CardProtected,
            P::NoImageForBoard { board: text.clone() },
            P::AlreadyRunning,
            P::DiskChanged,
            P::NoRoomForBackup { free: b, need: b },
            P::BackupFailed { said: text.clone() },
            P::BackupRunning,
            P::CardPulled { stage: Stage::Write },
            P::CardSilent { minutes: 2 },
            P::WriteFailed { at: b },
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
            P::DiskRefused { reasons: vec!["It is built in.".into()] },
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
}
