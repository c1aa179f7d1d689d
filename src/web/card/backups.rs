//! The backups to choose from, and what is chosen.

use super::check::Field;
use super::form::Filled;
use crate::domain::backup::{BackupKind, BackupSlug, ListedBackup};
use crate::domain::job::BackupChoice;
use crate::domain::size::Bytes;
use crate::domain::system::SystemView;
use crate::texts::Language;
use crate::web::words;

pub struct BackupRow {
    pub slug: String,
    pub name: String,
    pub about: String,
    pub chosen: bool,
    pub usable: bool,
}

pub fn all(system: &SystemView) -> impl Iterator<Item = &ListedBackup> {
    system.facts.backups.iter().flatten()
}

pub fn rows(t: Language, system: &SystemView, chosen: &str) -> Vec<BackupRow> {
    all(system)
        .map(|backup| {
            let facts = &backup.facts;
            let usable = is_usable(backup);
            BackupRow {
                slug: facts.slug.to_string(),
                name: if facts.name.trim().is_empty() { facts.slug.to_string() } else { facts.name.clone() },
                about: about(t, backup),
                chosen: usable && facts.slug.as_str() == chosen,
                usable,
            }
        })
        .collect()
}

/// "2026-11-20 03:12 UTC, 2.3 GB · encrypted: its key is asked for at the restore"
fn about(t: Language, backup: &ListedBackup) -> String {
    let facts = &backup.facts;
    let mut parts = vec![format!("{}, {}", words::backup_date(&facts.date), backup.size.said_in(t))];
    parts.extend(facts.protected.then(|| t.say("card-backup-encrypted")));
    parts.extend(facts.without_database.then(|| t.say("card-backup-no-database")));
    parts.extend((!is_usable(backup)).then(|| t.say("card-backup-partial")));
    parts.join(" · ")
}

/// A part of a system is no system (BK-4).
fn is_usable(backup: &ListedBackup) -> bool {
    backup.facts.kind != BackupKind::Partial
}

/// The backup that goes onto the card if it is one that exists and can be used.
pub fn existing<'a>(chosen: &str, system: &'a SystemView) -> Option<&'a ListedBackup> {
    let slug: BackupSlug = chosen.parse().ok()?;
    all(system).find(|backup| backup.facts.slug == slug && is_usable(backup))
}

/// How large it is, or will be as far as anybody knows.
pub fn expected_size(filled: &Filled, system: &SystemView) -> Option<Bytes> {
    match existing(&filled.backup, system) {
        Some(backup) => Some(backup.size),
        None => system.facts.expected_backup(),
    }
}

/// What goes onto the card; the field and the text of the mistake.
pub fn chosen(filled: &Filled, system: &SystemView) -> Result<BackupChoice, (Field, &'static str)> {
    if filled.backup == "new" {
        return Ok(BackupChoice::New);
    }
    let Some(backup) = existing(&filled.backup, system) else {
        return Err((Field::Backup, "card-error-backup"));
    };
    if backup.facts.protected && !filled.have_key {
        return Err((Field::HaveKey, "card-error-key"));
    }
    Ok(BackupChoice::Existing { slug: backup.facts.slug.clone(), have_key: filled.have_key })
}
