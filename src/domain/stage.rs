//! The stages of each recipe: order, words, and what stopping means there (face §6, JB-1).

use serde::{Deserialize, Serialize};

use crate::texts::Language;

/// A stage of "make card". The order of the variants is the order of the steps on the page; `Backup` runs beside
/// `Download`, `Write` and `Verify`, and `Download` beside `Write` where the image allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    Preflight,
    Backup,
    Download,
    Write,
    Verify,
    Grow,
    Inject,
    Commit,
}

impl Stage {
    pub const ALL: [Stage; 8] = [
        Stage::Preflight,
        Stage::Backup,
        Stage::Download,
        Stage::Write,
        Stage::Verify,
        Stage::Grow,
        Stage::Inject,
        Stage::Commit,
    ];

    pub const fn id(self) -> &'static str {
        match self {
            Stage::Preflight => "preflight",
            Stage::Backup => "backup",
            Stage::Download => "download",
            Stage::Write => "write",
            Stage::Verify => "verify",
            Stage::Grow => "grow",
            Stage::Inject => "inject",
            Stage::Commit => "commit",
        }
    }

    /// What the step does, as the page says it. `version` is the Home Assistant OS version, if it is known.
    pub fn sentence_in(self, language: Language, version: Option<&str>) -> String {
        match (self, version) {
            (Stage::Download, Some(version)) => language.with("stage-download-version", "version", version),
            _ => language.say(&format!("stage-{}", self.id())),
        }
    }

    /// The same while it runs: "writing the system to the card".
    pub fn doing_in(self, language: Language) -> String {
        language.say(&format!("doing-{}", self.id()))
    }

    /// [`Stage::sentence_in`] English.
    pub fn sentence(self, version: Option<&str>) -> String {
        self.sentence_in(Language::English, version)
    }

    /// [`Stage::doing_in`] English.
    pub fn doing(self) -> String {
        self.doing_in(Language::English)
    }

    /// Its bytes are counted while they move, so that silence means something.
    pub const fn moves_bytes(self) -> bool {
        matches!(self, Stage::Backup | Stage::Download | Stage::Write | Stage::Verify | Stage::Inject)
    }

    /// Commit takes seconds and is finished, never stopped (JB-3).
    pub const fn can_be_stopped(self) -> bool {
        !matches!(self, Stage::Commit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_what_serde_writes() {
        for stage in Stage::ALL {
            let json = serde_json::to_string(&stage).unwrap();
            assert_eq!(json, format!("\"{}\"", stage.id()));
        }
        assert!(Stage::ALL.is_sorted());
    }
    #[test]
    fn each_step_says_what_it_does_and_only_the_last_cannot_be_stopped() {
        for stage in Stage::ALL {
            let (sentence, doing) = (stage.sentence(None), stage.doing());
            assert!(sentence.starts_with(char::is_uppercase) && !sentence.ends_with('.'), "{sentence}");
            assert!(doing.split(' ').next().is_some_and(|word| word.ends_with("ing")), "{doing}");
            assert_eq!(stage.can_be_stopped(), stage != Stage::Commit);
        }
        assert_eq!(Stage::Download.sentence(Some("18.2")), "Download Home Assistant OS 18.2");
    }
}
