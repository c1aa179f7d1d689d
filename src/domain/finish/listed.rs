//! A backup as a fresh Core lists it, and the request that restores it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::backup::BackupSlug;
use crate::domain::secret::Secret;
use crate::domain::size::Bytes;

/// The agent of backups that lie on the system's own disk. Any other name is answered with a bare 500.
pub const LOCAL: &str = "hassio.local";

/// The folders that Core takes; any other refuses the whole request.
const FOLDERS: [&str; 4] = ["share", "addons/local", "ssl", "media"];

/// A backup on the new card's own disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub slug: BackupSlug,
    pub name: String,
    /// ISO 8601.
    pub date: String,
    pub size: Bytes,
    /// Encrypted: the restore needs its key.
    pub protected: bool,
    /// It holds the history; the request must say exactly this.
    pub database: bool,
    /// It holds Core's configuration; without it nothing can be restored here.
    pub core: bool,
    /// Slugs of the apps in it.
    pub apps: Vec<String>,
    pub folders: Vec<String>,
}

#[derive(Deserialize)]
struct Entry {
    backup_id: BackupSlug,
    #[serde(default)]
    name: String,
    #[serde(default)]
    date: String,
    agents: BTreeMap<String, Value>,
    database_included: bool,
    homeassistant_included: bool,
    addons: Vec<App>,
    folders: Vec<String>,
}

#[derive(Deserialize)]
struct App {
    slug: String,
}

#[derive(Deserialize)]
struct Agent {
    protected: bool,
    #[serde(default)]
    size: u64,
}

impl Listed {
    /// An entry of the list. `None`: it lies elsewhere, or it has another form than is known; a part of a backup is never
    /// restored for the whole.
    pub fn read(entry: &Value) -> Option<Listed> {
        let entry = Entry::deserialize(entry).ok()?;
        let agent = Agent::deserialize(entry.agents.get(LOCAL)?).ok()?;
        Some(Listed {
            slug: entry.backup_id,
            name: entry.name,
            date: entry.date,
            size: Bytes(agent.size),
            protected: agent.protected,
            database: entry.database_included,
            core: entry.homeassistant_included,
            apps: entry.addons.into_iter().map(|app| app.slug).collect(),
            folders: entry.folders.into_iter().filter(|folder| FOLDERS.contains(&folder.as_str())).collect(),
        })
    }

    /// Made by us, for a move.
    pub fn is_ours(&self) -> bool {
        self.name.starts_with("sd-swap-clone-")
    }

    /// The body of the restore request: everything that is in the backup. Without the lists the Supervisor would restore
    /// the configuration alone.
    pub fn request(&self, key: Option<&Secret>) -> Value {
        let mut body = json!({
            "backup_id": self.slug.as_str(),
            "agent_id": LOCAL,
            "restore_database": self.database,
            "restore_addons": self.apps,
            "restore_folders": self.folders,
        });
        if let (true, Some(key)) = (self.protected, key) {
            body["password"] = json!(key.reveal());
        }
        body
    }
}

/// Which of the listed backups is to be restored.
pub(super) enum Choice<'a> {
    /// The one that was named, or the only one.
    This(&'a Listed),
    /// None was named, and there are several: their names.
    Several(String),
    None,
}

pub(super) fn choose<'a>(wanted: Option<&BackupSlug>, listed: &'a [Listed]) -> Choice<'a> {
    if let Some(wanted) = wanted {
        return listed.iter().find(|backup| backup.slug == *wanted).map_or(Choice::None, Choice::This);
    }
    let usable: Vec<&Listed> = listed.iter().filter(|backup| backup.core).collect();
    let ours: Vec<&Listed> = usable.iter().copied().filter(|backup| backup.is_ours()).collect();
    match (usable.as_slice(), ours.as_slice()) {
        ([], _) => Choice::None,
        ([only], _) | (_, [only]) => Choice::This(only),
        _ => Choice::Several(names(usable)),
    }
}

/// Names and slugs, for people.
pub(super) fn names<'a>(listed: impl IntoIterator<Item = &'a Listed>) -> String {
    let names: Vec<String> = listed.into_iter().map(|backup| format!("{} ({})", backup.name, backup.slug)).collect();
    if names.is_empty() { "–".into() } else { names.join(", ") }
}
