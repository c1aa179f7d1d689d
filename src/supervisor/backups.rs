//! The backups that the Supervisor lists, and where the tar of one lies in the folder that we may read.

use std::fs;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::archive::read_facts;
use super::client::Supervisor;
use super::error::SupervisorError;
use super::facts::parse_kind;
use super::model::{BackupList, Copy, RawBackup};
use crate::domain::backup::{BackupFacts, BackupSlug, ListedBackup};
use crate::domain::size::{Bytes, MIB};

/// Details are asked for at most so many backups; the others show what the list says.
const DETAILS_MOST: usize = 100;
/// The Supervisor's name for its own folder.
const LOCAL: &str = ".local";

impl Supervisor {
    /// Every backup that lies on this machine, newest first. The list itself does not say whether the database is in
    /// it, nor Core's version (then empty): each backup's details are asked once and remembered.
    pub async fn backups(&self) -> Result<Vec<ListedBackup>, SupervisorError> {
        let list: BackupList = self.get("/backups/info", self.pace.tries.min(3)).await?;
        let mut backups: Vec<ListedBackup> = list.backups.iter().filter(|b| is_local(b)).filter_map(listed).collect();
        backups.sort_by_cached_key(|b| std::cmp::Reverse(moment(&b.facts.date)));
        for backup in backups.iter_mut().take(DETAILS_MOST) {
            match self.details(backup).await {
                Ok(details) => *backup = details,
                // It would not answer for the others either; they show what the list says.
                Err(error) if error.is_passing() => break,
                Err(error) => log::debug!("{error}; the list has to do"),
            }
        }
        self.known.borrow_mut().retain(|slug, _| backups.iter().any(|b| b.facts.slug == *slug));
        Ok(backups)
    }

    /// One backup with all its details; `NotFound` where the Supervisor does not list it.
    pub async fn backup_info(&self, slug: &BackupSlug) -> Result<ListedBackup, SupervisorError> {
        self.ask_info(slug, self.pace.tries).await
    }

    async fn ask_info(&self, slug: &BackupSlug, tries: u32) -> Result<ListedBackup, SupervisorError> {
        let path = format!("/backups/{slug}/info");
        let raw: RawBackup = self.get(&path, tries).await?;
        let not_it = || SupervisorError::NotJson { at: format!("GET {path}"), said: "it is another backup".into() };
        listed(&raw).filter(|b| b.facts.slug == *slug).ok_or_else(not_it)
    }

    async fn details(&self, backup: &ListedBackup) -> Result<ListedBackup, SupervisorError> {
        let slug = &backup.facts.slug;
        let known = self.known.borrow().get(slug).cloned();
        if let Some(known) = known.filter(|k| k.size == backup.size && k.facts.date == backup.facts.date) {
            return Ok(known);
        }
        let details = self.ask_info(slug, 1).await?;
        self.known.borrow_mut().insert(slug.clone(), details.clone());
        Ok(details)
    }
}

/// Seconds since 1970; what is no date counts as oldest.
fn moment(date: &str) -> Option<i128> {
    OffsetDateTime::parse(date, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp_nanos)
}

/// A backup on a network share only cannot be put on a card: we cannot read it.
fn is_local(raw: &RawBackup) -> bool {
    let local = |place: &Option<String>| place.as_deref().is_none_or(|p| p.is_empty() || p == LOCAL);
    match &raw.locations {
        Some(locations) => locations.iter().any(local),
        None => local(&raw.location),
    }
}

/// `None`: an entry without a slug or a type that we know.
pub(super) fn listed(raw: &RawBackup) -> Option<ListedBackup> {
    let here: Option<&Copy> = raw.location_attributes.as_ref().and_then(|places| places.get(LOCAL));
    let size = here.and_then(|h| h.size_bytes).or(raw.size_bytes);
    Some(ListedBackup { facts: facts(raw, here)?, size: Bytes(size.unwrap_or_else(|| mib(raw.size))) })
}

fn mib(size: Option<f64>) -> u64 {
    let sane = size.filter(|s| s.is_finite() && (0.0..1e9).contains(s));
    sane.map_or(0, |s| (s * MIB as f64) as u64)
}

fn facts(raw: &RawBackup, here: Option<&Copy>) -> Option<BackupFacts> {
    let content = raw.content.clone().unwrap_or_default();
    let named = raw.addons.iter().filter_map(|a| a.slug.clone());
    Some(BackupFacts {
        slug: raw.slug.parse().ok()?,
        name: raw.name.clone().unwrap_or_default(),
        date: raw.date.clone().unwrap_or_default(),
        kind: parse_kind(&raw.kind)?,
        protected: here.and_then(|h| h.protected).or(raw.protected).unwrap_or(false),
        compressed: raw.compressed.unwrap_or(true),
        homeassistant: raw.homeassistant.clone().or_else(|| (content.homeassistant == Some(true)).then(String::new)),
        without_database: raw.homeassistant_exclude_database.unwrap_or(false),
        apps: named.chain(content.addons).collect(),
        folders: raw.folders.iter().cloned().chain(content.folders).collect(),
    })
}

/// The tar of a backup in the Supervisor's folder: `{slug}.tar`, else any `*.tar` whose `backup.json` has that slug (a
/// file's name means nothing to the Supervisor: HA §1.6). Blocking; reads headers only.
pub fn find_tar(dir: &Path, slug: &BackupSlug) -> Option<PathBuf> {
    let is_it = |path: &PathBuf| read_facts(path).is_ok_and(|facts| facts.slug == *slug);
    let plain = dir.join(slug.file_name());
    if is_it(&plain) {
        return Some(plain);
    }
    let entries = fs::read_dir(dir).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|end| end == "tar")).find(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn raw(value: serde_json::Value) -> RawBackup {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn only_what_lies_on_this_machine_counts() {
        let cases = [
            (json!({"slug": "01bcc3db", "type": "full"}), true),
            (json!({"slug": "01bcc3db", "type": "full", "location": null, "locations": [null]}), true),
            (json!({"slug": "01bcc3db", "type": "full", "location": ".local"}), true),
            (json!({"slug": "01bcc3db", "type": "full", "location": "nas", "locations": ["nas"]}), false),
            (json!({"slug": "01bcc3db", "type": "full", "location": "nas", "locations": ["nas", null]}), true),
        ];
        for (value, want) in cases {
            assert_eq!(is_local(&raw(value.clone())), want, "{value}");
        }
    }

    #[test]
    fn sizes_of_old_supervisors_are_in_mib() {
        let old = raw(json!({"slug": "01bcc3db", "type": "full", "size": 2.5}));
        assert_eq!(listed(&old).unwrap().size, Bytes(2_621_440));
        let odd = raw(json!({"slug": "01bcc3db", "type": "full", "size": "large", "protected": "maybe"}));
        assert_eq!(listed(&odd).unwrap().size, Bytes(0));
        assert!(listed(&raw(json!({"slug": "../x", "type": "full"}))).is_none());
    }

    #[test]
    fn newer_dates_count_across_time_zones() {
        let dates = ["2026-11-21T05:41:39.208241+00:00", "2026-11-21T06:00:00+02:00", "", "yesterday"];
        let moments = dates.map(moment);
        assert!(moments[0] > moments[1] && moments[1] > moments[2] && moments[2] == moments[3]);
    }
}
