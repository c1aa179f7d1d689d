//! The usual course of a move, made up after the recorded one. Times are shorter than the real ones.

use serde_json::{Value, json};

use super::script::{Gate, Post, Reply, Script};

const ONBOARDING: &str = "/api/onboarding";
const INFO: &str = "/api/onboarding/backup/info";

/// The four steps of a fresh Core.
pub fn fresh_steps() -> Value {
    let step = |name: &str| json!({ "step": name, "done": false });
    json!([step("user"), step("core_config"), step("analytics"), step("integration")])
}

/// One backup on the card's own disk.
pub fn backups(slug: &str) -> Value {
    json!([{
        "addons": [
            { "name": "Mosquitto broker", "slug": "core_mosquitto", "version": "6.5.2" },
            { "name": "Node-RED", "slug": "a0d7b954_nodered", "version": "21.0.1" },
        ],
        "backup_id": slug,
        "date": "2026-11-20T18:04:11.211000+00:00",
        "database_included": true,
        "extra_metadata": {},
        "folders": ["share", "ssl", "media", "addons/local"],
        "homeassistant_included": true,
        "homeassistant_version": "2026.11.0",
        "name": "Move to the new card",
        "agents": { "hassio.local": { "protected": false, "size": 1_048_576 } },
        "failed_addons": [],
        "failed_agent_ids": [],
        "failed_folders": [],
        "with_automatic_settings": null,
    }])
}

/// The answer with the list; `last`: state and stage of the last restore event.
pub fn info(backups: &Value, state: &str, last: Option<(&str, Option<&str>)>) -> Value {
    let event = last.map(|(state, stage)| {
        let reason = (state == "failed").then_some("unknown_error");
        json!({ "manager_state": "restore_backup", "reason": reason, "stage": stage, "state": state })
    });
    json!({ "backups": backups, "state": state, "last_action_event": event })
}

/// From a Core that is ready to the home that is back on `returns`.
pub fn usual(backups: &Value, returns: Gate) -> Script {
    let mut script = Script { hold: Some(0.3), ..Script::default() };
    let says = |state: &str, last: Option<(&str, Option<&str>)>| Reply::json(200, &info(backups, state, last));
    let main = Gate::Main;
    script.get(0.0, main, ONBOARDING, Reply::json(200, &fresh_steps()));
    script.get(0.0, Gate::Old, ONBOARDING, Reply::redirect(ONBOARDING));
    script.get(0.0, main, INFO, says("idle", None));
    script.get(0.4, main, INFO, says("restore_backup", Some(("in_progress", None))));
    script.get(0.7, main, INFO, says("restore_backup", Some(("in_progress", Some("folders")))));
    script.get(8.0, main, INFO, says("restore_backup", Some(("in_progress", Some("home_assistant")))));
    for (gate, path) in [(main, ONBOARDING), (main, INFO), (Gate::Old, ONBOARDING)] {
        script.get(12.0, gate, path, Reply::Refused);
    }
    for path in [ONBOARDING, INFO] {
        script.get(60.0, returns, path, Reply::missing());
    }
    script.posts = vec![Post::runs(Reply::Close, 0.4, 32.0)];
    script
}

/// The old system, turned off; the landing page; Core starting; and then the usual move. `protected` backups are not
/// played.
pub fn whole_move(slug: &str) -> Script {
    const READY: f64 = 150.0;
    let backups = backups(slug);
    let mut script = usual(&backups, Gate::Main).later(READY);
    let mut before = Script::default();
    let main = Gate::Main;
    before.get(0.0, main, ONBOARDING, Reply::missing());
    before.get(20.0, main, ONBOARDING, Reply::Refused);
    before.get(80.0, main, ONBOARDING, Reply::text(403, "403: Forbidden"));
    before.get(120.0, main, ONBOARDING, Reply::Refused);
    before.get(130.0, main, ONBOARDING, Reply::json(200, &fresh_steps()));
    before.get(130.0, main, INFO, Reply::missing());
    before.get(140.0, main, INFO, Reply::json(200, &info(&json!([]), "blocked", None)));
    for (key, mut track) in before.tracks {
        let after = script.tracks.remove(&key).unwrap_or_default();
        track.extend(after);
        script.tracks.insert(key, track);
    }
    script
}
