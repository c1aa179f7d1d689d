//! The Supervisor's names for what a backup does → words for people.

use std::collections::HashMap;

use super::model::RawJob;
use crate::domain::job::Warning;
use crate::texts::Phrase;

/// Slugs of installed apps with their names.
pub type AppNames = HashMap<String, String>;

/// The stage of a backup job. Both the old and the new names are known; an unknown one is shown as it is.
pub fn stage_words(stage: Option<&str>) -> Phrase {
    Phrase::of(match stage {
        None => "note-backup-starting",
        Some("addon_repositories" | "app_repositories") => "note-backup-stores",
        Some("home_assistant") => "note-backup-core",
        Some("addons" | "apps") => "note-backup-apps",
        Some("folders") => "note-backup-folders",
        Some("supervisor_config") => "note-backup-settings",
        Some("finishing_file") => "note-backup-finishing",
        Some("copy_additional_locations") => "note-backup-copies",
        Some("await_addon_restarts" | "await_app_restarts") => "note-backup-restarts",
        Some(other) => return Phrase::foreign(other.replace('_', " ")),
    })
}

/// What a job of the tree saves.
enum Part<'a> {
    App(&'a str),
    Folder(&'a str),
    Core,
    Settings,
}

fn part(job: &RawJob) -> Option<Part<'_>> {
    let reference = job.reference.as_deref();
    match (job.name.as_str(), reference) {
        ("backup_app_save" | "backup_addon_save", Some(slug)) => Some(Part::App(slug)),
        ("backup_folder_save", Some(folder)) => Some(Part::Folder(folder)),
        ("backup_store_homeassistant", _) => Some(Part::Core),
        ("backup_store_supervisor_config", _) => Some(Part::Settings),
        _ => None,
    }
}

/// "Mosquitto broker" for `core_mosquitto`, the slug where the name is not known.
fn app_name<'a>(slug: &'a str, names: &'a AppNames) -> &'a str {
    names.get(slug).map(String::as_str).filter(|n| !n.is_empty()).unwrap_or(slug)
}

/// What is being saved just now: the last part in the tree that is not done.
pub fn running_child(job: &RawJob, names: &AppNames) -> Option<String> {
    let inner = job.child_jobs.iter().rev().find_map(|child| running_child(child, names));
    inner.or_else(|| {
        let words = match part(job).filter(|_| job.done != Some(true))? {
            Part::App(slug) => app_name(slug, names).into(),
            Part::Folder(folder) => folder.into(),
            Part::Core => "Home Assistant".into(),
            Part::Settings => "Supervisor".into(),
        };
        Some(words)
    })
}

/// Errors below the top as warnings; an error that a parent repeats from its child is told once.
pub fn child_warnings(job: &RawJob, names: &AppNames) -> Vec<Warning> {
    job.child_jobs.iter().flat_map(|child| tree_warnings(child, names)).map(|(_, warning)| warning).collect()
}

fn tree_warnings(job: &RawJob, names: &AppNames) -> Vec<(String, Warning)> {
    let mut all: Vec<(String, Warning)> = job.child_jobs.iter().flat_map(|c| tree_warnings(c, names)).collect();
    for error in &job.errors {
        let said = error.said();
        if !all.iter().any(|(known, _)| *known == said) {
            let warning = warning(job, &said, names);
            all.push((said, warning));
        }
    }
    all
}

fn warning(job: &RawJob, said: &str, names: &AppNames) -> Warning {
    let (code, part) = match part(job) {
        Some(Part::App(slug)) => ("app_not_in_backup", app_name(slug, names)),
        Some(Part::Folder(folder)) => ("folder_not_in_backup", folder),
        Some(Part::Core) => ("core_not_in_backup", ""),
        Some(Part::Settings) => ("settings_not_in_backup", ""),
        None => ("backup_part_failed", ""),
    };
    Warning::new(code, &[("part", part), ("said", said)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(value: serde_json::Value) -> RawJob {
        serde_json::from_value(value).unwrap()
    }

    fn names() -> AppNames {
        [("core_mosquitto".to_string(), "Mosquitto broker".to_string())].into()
    }

    #[test]
    fn both_old_and_new_names_of_children_are_known() {
        for save in ["backup_app_save", "backup_addon_save"] {
            let tree = job(json!({"uuid": "u", "child_jobs": [
                {"uuid": "1", "name": "backup_store_homeassistant", "done": true},
                {"uuid": "2", "name": "backup_store_apps", "done": false, "child_jobs": [
                    {"uuid": "3", "name": save, "reference": "local_x", "done": true},
                    {"uuid": "4", "name": save, "reference": "core_mosquitto", "done": false}]}]}));
            assert_eq!(running_child(&tree, &names()).as_deref(), Some("Mosquitto broker"));
        }
        let folder = job(json!({"uuid": "u", "child_jobs": [
            {"uuid": "1", "name": "backup_folder_save", "reference": "share", "done": false}]}));
        assert_eq!(running_child(&folder, &names()).as_deref(), Some("share"));
    }

    #[test]
    fn an_error_is_told_once_at_its_deepest_place() {
        let error = json!([{"type": "E", "message": "returned 1"}]);
        let tree = job(json!({"uuid": "u", "child_jobs": [
            {"uuid": "2", "name": "backup_store_apps", "errors": error, "child_jobs": [
                {"uuid": "4", "name": "backup_app_save", "reference": "core_mosquitto", "errors": error},
                {"uuid": "5", "name": "backup_app_save", "reference": "other_app", "errors": [{"type": "Odd"}]}]},
            {"uuid": "6", "name": "backup_folder_save", "reference": "ssl", "errors": [{}]}]}));
        let texts: Vec<String> = child_warnings(&tree, &names()).into_iter().map(|w| w.text.to_string()).collect();
        assert_eq!(
            texts,
            [
                "Mosquitto broker is not in the backup: returned 1",
                "other_app is not in the backup: Odd",
                "The folder ssl is not in the backup: an error without a message",
            ]
        );
    }

    #[test]
    fn stages_have_words() {
        assert_eq!(stage_words(None).text(), "Starting");
        assert_eq!(stage_words(Some("addons")), stage_words(Some("apps")));
        assert_eq!(stage_words(Some("brand_new_stage")).text(), "brand new stage");
    }
}
