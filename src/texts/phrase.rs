//! A sentence that is kept and said later, in the language of whoever reads it then.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Language, Value};

/// A text of ours with its values, or words of somebody else (an error of the system, Home Assistant's answer) that no
/// language of ours can change. In a ledger and in JSON it carries its English words, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Phrase {
    /// English.
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    values: BTreeMap<String, String>,
}

/// As a ledger has it; ledgers before this type have the bare text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Text(String),
    Phrase {
        text: String,
        #[serde(default)]
        key: Option<String>,
        #[serde(default)]
        values: BTreeMap<String, String>,
    },
}

impl From<Stored> for Phrase {
    fn from(stored: Stored) -> Phrase {
        match stored {
            Stored::Text(text) => Phrase::foreign(text),
            Stored::Phrase { text, key, values } => Phrase { text, key, values },
        }
    }
}

impl Phrase {
    /// A text of ours.
    pub fn of(key: &str) -> Phrase {
        Phrase::with(key, &[])
    }

    /// A text of ours with values in it. Values are words already: names, sizes, what somebody said.
    pub fn with(key: &str, values: &[(&str, &str)]) -> Phrase {
        let values = values.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let phrase = Phrase { text: String::new(), key: Some(key.into()), values };
        Phrase { text: phrase.said_in(Language::English), ..phrase }
    }

    /// Words that are not ours.
    pub fn foreign(text: impl Into<String>) -> Phrase {
        Phrase { text: text.into(), key: None, values: BTreeMap::new() }
    }

    /// What it says, in this language.
    pub fn said_in(&self, language: Language) -> String {
        let Some(key) = &self.key else { return self.text.clone() };
        let args = self.values.iter().map(|(name, value)| (name.clone(), value.value())).collect();
        // A ledger of a later version may have keys that this one does not know.
        language.lookup(key, Some(&args)).unwrap_or_else(|| self.text.clone())
    }

    /// What it says in English.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_phrase_is_said_in_any_language_and_old_ones_as_they_were() {
        let phrase = Phrase::with("problem-no-digest-title", &[]);
        assert_eq!(phrase.said_in(Language::English), phrase.text());
        assert_ne!(phrase.said_in(Language::German), phrase.text());
        let json = serde_json::to_string(&phrase).unwrap();
        assert_eq!(serde_json::from_str::<Phrase>(&json).unwrap(), phrase);

        let old: Phrase = serde_json::from_str("\"the disk is full\"").unwrap();
        assert_eq!(old, Phrase::foreign("the disk is full"));
        assert_eq!(old.said_in(Language::German), "the disk is full");

        let later: Phrase = serde_json::from_str(r#"{"text": "New words", "key": "not-known-here"}"#).unwrap();
        assert_eq!(later.said_in(Language::German), "New words");
    }
}
