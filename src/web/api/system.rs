//! What the Supervisor says: `GET api/system-info` and `GET api/backups`.

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use super::view::{problem_json, warnings_json};
use crate::domain::backup::{BackupKind, ListedBackup};
use crate::web::Site;

pub async fn info(site: web::Data<Site>) -> HttpResponse {
    let view = site.jobs.system();
    let facts = &view.facts;
    HttpResponse::Ok().json(json!({
        "machine": facts.machine,
        "board_slug": facts.board,
        "os_version": facts.os_version,
        "os_version_latest": facts.os_latest,
        "ip_address": facts.addresses.first(),
        "free_space_bytes": facts.disk_free,
        "free_space_human": facts.disk_free.map(|free| free.to_string()),
        "known": view.known,
        "addresses": facts.addresses,
        "hostname": facts.hostname,
        "os_version_pending": facts.os_pending,
        "supervisor_version": facts.supervisor_version,
        "core_version": facts.core_version,
        "supervisor_state": facts.state,
        "expected_backup_bytes": facts.expected_backup(),
        "needed_card_bytes": view.need,
        "runs_from": view.runs_from,
        "problems": view.problems.iter().map(problem_json).collect::<Vec<_>>(),
        "warnings": warnings_json(&view.warnings),
    }))
}

pub async fn backups(site: web::Data<Site>) -> HttpResponse {
    let view = site.jobs.system();
    let listed = view.facts.backups.as_deref();
    let backups: Vec<Value> = listed.unwrap_or_default().iter().map(backup_json).collect();
    HttpResponse::Ok().json(json!({ "backups": backups, "known": listed.is_some() }))
}

fn backup_json(backup: &ListedBackup) -> Value {
    let facts = &backup.facts;
    json!({
        "slug": facts.slug,
        "name": facts.name,
        "date": facts.date,
        "kind": facts.kind,
        "protected": facts.protected,
        "size": backup.size,
        "size_human": backup.size.to_string(),
        "homeassistant": facts.homeassistant,
        "without_database": facts.without_database,
        "apps": facts.apps,
        "folders": facts.folders,
        // A partial one does not hold the whole system: no card is made of it (BK-4).
        "usable": facts.kind == BackupKind::Full,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::domain::problem::Problem;
    use crate::web::trial::*;

    #[actix_web::test]
    async fn system_info_has_the_first_plans_fields() {
        let trial = Trial::new();
        let body = trial.ask(trial.get("/api/system-info")).await.json();
        assert_eq!(body["machine"], "raspberrypi4-64");
        assert_eq!(body["board_slug"], "rpi4-64");
        assert_eq!(body["os_version"], "18.2");
        assert_eq!(body["os_version_latest"], "18.2");
        assert_eq!(body["ip_address"], "192.168.1.42");
        assert_eq!(body["free_space_bytes"], 12_300_000_000_u64);
        assert_eq!(body["free_space_human"], "12.3 GB");
        trial.change_system(|s| {
            *s = Default::default();
            s.problems = vec![Problem::NotHaos];
        });
        let body = trial.ask(trial.get("/api/system-info")).await.json();
        assert_eq!((&body["machine"], &body["ip_address"]), (&Value::Null, &Value::Null));
        assert_eq!(body["problems"][0]["code"], "not_haos");
    }

    #[actix_web::test]
    async fn backups_say_whether_a_card_can_be_made_of_them() {
        let trial = Trial::new();
        let body = trial.ask(trial.get("/api/backups")).await.json();
        assert_eq!(body["known"], true);
        assert_eq!(body["backups"][0]["slug"], "0a1b2c3d");
        assert_eq!(body["backups"][0]["size_human"], "2.3 GB");
        let of = |name: &str| -> Vec<bool> {
            body["backups"].as_array().unwrap().iter().map(|b| b[name].as_bool().unwrap()).collect()
        };
        assert_eq!(of("usable"), [true, true, false]);
        assert_eq!(of("protected"), [false, true, false]);
        trial.change_system(|s| *s = Default::default());
        let body = trial.ask(trial.get("/api/backups")).await.json();
        assert_eq!((&body["known"], body["backups"].as_array().map(Vec::len)), (&false.into(), Some(0)));
    }
}
