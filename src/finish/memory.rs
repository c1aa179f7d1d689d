//! That a restore was requested is kept in a file: should this program go away meanwhile, the next one knows that a 404
//! is the restored home, and requests nothing again.

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::domain::backup::BackupSlug;

/// After so long it is another move.
const KEPT_SECONDS: u64 = 12 * 3600;

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    host: String,
    backup: BackupSlug,
    /// Seconds since 1970.
    sent: u64,
}

/// What is kept about one host.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    file: Option<PathBuf>,
    host: String,
}

impl Memory {
    /// Nothing is kept.
    pub fn none() -> Memory {
        Memory::default()
    }

    /// Kept in `file`, for `host`.
    pub fn at(file: PathBuf, host: &str) -> Memory {
        Memory { file: Some(file), host: host.into() }
    }

    /// The backup whose restore was requested a while ago and has not ended since, as far as is known.
    pub fn sent(&self) -> Option<BackupSlug> {
        let text = fs::read(self.file.as_ref()?).ok()?;
        let note: Note = serde_json::from_slice(&text).ok()?;
        let age = now().checked_sub(note.sent)?;
        (note.host == self.host && age < KEPT_SECONDS).then_some(note.backup)
    }

    /// Before the request leaves.
    pub fn keep(&self, backup: &BackupSlug) {
        let note = Note { host: self.host.clone(), backup: backup.clone(), sent: now() };
        let Some(file) = &self.file else { return };
        let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
        let kept = folder.and_then(|()| fs::write(file, serde_json::to_vec(&note).unwrap_or_default()));
        if let Err(error) = kept {
            log::warn!("keeping {}: {error}", file.display());
        }
    }

    /// The request has ended, or never left.
    pub fn clear(&self) {
        if let Some(file) = &self.file {
            // Nothing was kept.
            let _ = fs::remove_file(file);
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_of_this_host_and_of_this_day() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("deep").join("finish.json");
        let (memory, slug) = (Memory::at(file.clone(), "one"), "5e1f2a90".parse::<BackupSlug>().unwrap());
        assert_eq!(memory.sent(), None);
        memory.keep(&slug);
        assert_eq!(memory.sent(), Some(slug.clone()));
        assert_eq!(Memory::at(file.clone(), "two").sent(), None);
        let old = Note { host: "one".into(), backup: slug, sent: now() - KEPT_SECONDS };
        fs::write(&file, serde_json::to_vec(&old).unwrap()).unwrap();
        assert_eq!(memory.sent(), None);
        for damaged in ["", "{", "[]", r#"{"host":"one","backup":"../../x","sent":1}"#] {
            fs::write(&file, damaged).unwrap();
            assert_eq!(memory.sent(), None, "{damaged}");
        }
        memory.clear();
        memory.clear();
        assert!(!file.exists());
        Memory::none().clear();
    }
}
