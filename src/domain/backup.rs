//! A Home Assistant backup: its slug, what `backup.json` says of it, and the rules that follow (BK-3, BK-4, BK-7).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::size::Bytes;

/// The slug of a backup: exactly eight lower-case hex digits (HA §1.6), so that it can name a file anywhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BackupSlug(String);

impl BackupSlug {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `0a1b2c3d.tar`
    pub fn file_name(&self) -> String {
        format!("{}.tar", self.0)
    }
}

impl FromStr for BackupSlug {
    type Err = String;
    fn from_str(text: &str) -> Result<BackupSlug, String> {
        let fits = text.len() == 8 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        fits.then(|| BackupSlug(text.into()))
            .ok_or_else(|| format!("{text:?} is not the slug of a backup: eight digits 0-9, a-f are expected"))
    }
}

impl TryFrom<String> for BackupSlug {
    type Error = String;
    fn try_from(text: String) -> Result<BackupSlug, String> {
        text.parse()
    }
}

impl From<BackupSlug> for String {
    fn from(slug: BackupSlug) -> String {
        slug.0
    }
}

impl fmt::Display for BackupSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackupKind {
    Full,
    Partial,
}

/// What a backup holds, read from `backup.json` or from the Supervisor's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFacts {
    pub slug: BackupSlug,
    pub name: String,
    /// ISO 8601, as the Supervisor wrote it.
    pub date: String,
    pub kind: BackupKind,
    /// Encrypted: its key is asked for at restore.
    pub protected: bool,
    /// Inner archives are `.tar.gz` (else `.tar`).
    pub compressed: bool,
    pub homeassistant: Option<String>,
    /// The history database was left out.
    pub without_database: bool,
    /// Slugs of the apps in it.
    pub apps: Vec<String>,
    /// Folders in it: `share`, `addons/local`, `ssl`, `media`.
    pub folders: Vec<String>,
}

/// What a restore has to ask for so that all of a backup comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupParts {
    /// Slugs.
    pub apps: Vec<String>,
    pub folders: Vec<String>,
    /// The history is in it.
    pub database: bool,
}

impl BackupFacts {
    pub fn parts(&self) -> BackupParts {
        BackupParts { apps: self.apps.clone(), folders: self.folders.clone(), database: !self.without_database }
    }
}

/// A backup as it is offered to the user (BK-4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedBackup {
    pub facts: BackupFacts,
    pub size: Bytes,
}

/// A tar that was read to its end and found whole (BK-3, BK-7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedBackup {
    pub facts: BackupFacts,
    pub size: Bytes,
    pub digest: super::image::Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_eight_hex_digits_and_nothing_else() {
        assert!("01bcc3db".parse::<BackupSlug>().is_ok());
        for bad in ["", "01BCC3DB", "01bcc3d", "01bcc3dbb", "../../ab", "01bcc3d ", "01bcc3d\n"] {
            assert!(bad.parse::<BackupSlug>().is_err(), "{bad:?}");
        }
    }
}
