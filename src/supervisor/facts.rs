//! `backup.json` → [`BackupFacts`], and the warnings that follow from them (HA §1.6, BK-4, BK-7).

use serde::Deserialize;

use crate::domain::backup::{BackupFacts, BackupKind, BackupSlug};
use crate::domain::job::Warning;

/// Why the `backup.json` of a tar says nothing that we could use.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    #[error("it is not JSON of the expected form")]
    NotJson(#[from] serde_json::Error),
    #[error("it names no slug of eight hex digits")]
    NoSlug,
    #[error("its type is neither full nor partial")]
    NoKind,
}

/// Fields that are not read are left out; missing ones take what the Supervisor takes for them.
#[derive(Deserialize)]
struct Raw {
    slug: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    date: Option<String>,
    compressed: Option<bool>,
    protected: Option<bool>,
    crypto: Option<String>,
    homeassistant: Option<Core>,
    #[serde(default)]
    folders: Vec<String>,
    #[serde(default)]
    addons: Vec<App>,
}

#[derive(Deserialize)]
struct App {
    slug: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Core {
    Details {
        version: Option<String>,
        #[serde(default)]
        exclude_database: bool,
    },
    /// Version 1 of the format.
    Version(String),
}

/// Reads the text of a `backup.json`.
pub fn parse_facts(json: &[u8]) -> Result<BackupFacts, FactsError> {
    let raw: Raw = serde_json::from_slice(json)?;
    let (homeassistant, without_database) = match raw.homeassistant {
        Some(Core::Details { version, exclude_database }) => (Some(version.unwrap_or_default()), exclude_database),
        Some(Core::Version(version)) => (Some(version), false),
        None => (None, false),
    };
    Ok(BackupFacts {
        slug: raw.slug.parse::<BackupSlug>().map_err(|_| FactsError::NoSlug)?,
        name: raw.name.unwrap_or_default(),
        date: raw.date.unwrap_or_default(),
        kind: parse_kind(&raw.kind).ok_or(FactsError::NoKind)?,
        protected: raw.protected.unwrap_or(raw.crypto.is_some()),
        compressed: raw.compressed.unwrap_or(true),
        homeassistant,
        without_database,
        apps: raw.addons.into_iter().map(|a| a.slug).collect(),
        folders: raw.folders,
    })
}

pub(super) fn parse_kind(text: &str) -> Option<BackupKind> {
    match text {
        "full" => Some(BackupKind::Full),
        "partial" => Some(BackupKind::Partial),
        _ => None,
    }
}

/// What a user should know of a backup before the swap. `local_apps`: slugs of the system's own local apps.
pub fn warnings(facts: &BackupFacts, local_apps: &[String]) -> Vec<Warning> {
    let no_local_folder = !local_apps.is_empty() && !facts.folders.iter().any(|f| f == "addons/local");
    let rules = [
        (facts.without_database, "backup_without_database"),
        (no_local_folder, "local_apps_missing"),
        (facts.protected, "backup_needs_key"),
    ];
    rules.into_iter().filter(|(applies, _)| *applies).map(|(_, code)| Warning::new(code, &[])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"{"slug":"01bcc3db","type":"full","name":"n","date":"d","folders":["share"],
        "addons":[{"slug":"core_mosquitto"}],"homeassistant":{"version":"2026.8.3","exclude_database":false}}"#;

    #[test]
    fn facts_are_read_as_the_supervisor_reads_them() {
        let facts = parse_facts(FULL.as_bytes()).unwrap();
        assert_eq!(facts.slug.as_str(), "01bcc3db");
        assert!(facts.compressed && !facts.protected && !facts.without_database);
        assert_eq!(facts.homeassistant.as_deref(), Some("2026.8.3"));
        assert_eq!((facts.apps, facts.folders), (vec!["core_mosquitto".to_string()], vec!["share".to_string()]));
    }

    #[test]
    fn odd_forms_have_an_outcome_each() {
        let cases = [
            (r#"{"slug":"01bcc3db","type":"partial"}"#, Ok((BackupKind::Partial, false))),
            (r#"{"slug":"01bcc3db","type":"full","crypto":"aes128"}"#, Ok((BackupKind::Full, true))),
            (r#"{"slug":"01bcc3db","type":"full","homeassistant":"2021.1","more":[1]}"#, Ok((BackupKind::Full, false))),
            (r#"{"slug":"01bcc3db","type":"full","protected":null}"#, Ok((BackupKind::Full, false))),
            (r#"{"slug":"../../ab","type":"full"}"#, Err("it names no slug of eight hex digits")),
            (r#"{"slug":"01bcc3db","type":"whole"}"#, Err("its type is neither full nor partial")),
            (r#"{"slug":"01bcc3db"}"#, Err("it is not JSON of the expected form")),
            ("", Err("it is not JSON of the expected form")),
            ("[]", Err("it is not JSON of the expected form")),
        ];
        for (json, want) in cases {
            let got = parse_facts(json.as_bytes()).map(|f| (f.kind, f.protected)).map_err(|e| e.to_string());
            assert_eq!(got, want.map_err(String::from), "{json}");
        }
    }

    #[test]
    fn warnings_follow_from_facts() {
        let plain = parse_facts(FULL.as_bytes()).unwrap();
        let local = ["local_builder".to_string()];
        let codes = |facts: &BackupFacts, apps: &[String]| -> Vec<String> {
            warnings(facts, apps).into_iter().map(|w| w.code).collect()
        };
        assert!(codes(&plain, &[]).is_empty());
        assert_eq!(codes(&plain, &local), ["local_apps_missing"]);
        let with_folder = BackupFacts { folders: vec!["addons/local".into()], ..plain.clone() };
        assert!(codes(&with_folder, &local).is_empty());
        let odd = BackupFacts { without_database: true, protected: true, ..plain };
        assert_eq!(codes(&odd, &[]), ["backup_without_database", "backup_needs_key"]);
    }
}
