//! What the swap page has to know before its server is off: every word of what may come (`static/finish.js` chooses), and
//! the backup that is waited for.

use serde_json::json;

use crate::domain::finish::{RestoreStage, Situation};
use crate::domain::job::JobView;
use crate::texts::{Language, Value};

/// The situations that the page tells apart, by the names that `finish.js` and `swap.js` give them.
const SITUATIONS: [&str; 32] = [
    "old-home",
    "booting",
    "not-found",
    "landing",
    "starting",
    "stranger",
    "looking",
    "key-needed",
    "key-wrong",
    "must-update",
    "no-internet",
    "supervisor-starting",
    "old-card-in",
    "unhealthy",
    "trouble",
    "restoring",
    "restarting",
    "busy",
    "interrupted",
    "failed-before",
    "failed-after",
    "still-refused",
    "refused",
    "no-space",
    "without-core",
    "not-listed",
    "set-up-anew",
    "hanging",
    "done",
    "done-not-set-up",
    "unread",
    "elsewhere",
];
pub struct Finish {
    /// JSON for the script: {id, key, core, database, apps, folders}; the last three only where they are known.
    pub backup: String,
    pub says: Vec<Say>,
    /// Stage of the restore, and what it does.
    pub doing: Vec<(&'static str, String)>,
}

/// One situation. In its words stand {minutes}, {said}, {doing}, {list}, {link}, {host}, which the script puts in.
pub struct Say {
    pub name: &'static str,
    pub tone: &'static str,
    pub icon: &'static str,
    pub title: String,
    pub happened: String,
    /// In place of `happened` for no minute and for one; empty where it makes no difference.
    pub none: String,
    pub one: String,
    pub todo: String,
}

impl Finish {
    pub fn of(t: Language, job: &JobView) -> Option<Finish> {
        let slug = job.made.backup.as_ref()?;
        let mut backup =
            json!({ "id": slug.as_str(), "key": job.made.backup_protected, "core": job.made.backup_core.is_some() });
        if let Some(parts) = &job.made.backup_parts {
            backup["database"] = json!(parts.database);
            backup["apps"] = json!(parts.apps);
            backup["folders"] = json!(parts.folders);
        }
        let name = job.made.backup_name.as_deref().unwrap_or(slug.as_str());
        let says = SITUATIONS.iter().map(|situation| Say::new(t, situation, name, slug.as_str())).collect();
        let doing = |stage: Option<RestoreStage>| {
            (stage.map_or("", RestoreStage::id), Situation::Restoring { stage }.doing_in(t))
        };
        let doing = std::iter::once(None).chain(RestoreStage::ALL.map(Some)).map(doing).collect();
        Some(Finish { backup: backup.to_string(), says, doing })
    }
}

impl Say {
    fn new(t: Language, name: &'static str, backup: &str, slug: &str) -> Say {
        let words = |part: &str, minutes: &dyn Value| {
            let values: [(&'static str, &dyn Value); 8] = [
                ("minutes", minutes),
                ("name", &backup),
                ("slug", &slug),
                ("said", &"{said}"),
                ("doing", &"{doing}"),
                ("list", &"{list}"),
                ("link", &"{link}"),
                ("host", &"{host}"),
            ];
            t.tell(&format!("finish-{name}-{part}"), &values)
        };
        let many: &dyn Value = &"{minutes}";
        let happened = words("happened", many);
        let only = |minutes: u64| {
            let text = words("happened", &minutes);
            if happened == text || happened.replace("{minutes}", &minutes.to_string()) == text {
                String::new()
            } else {
                text
            }
        };
        let (tone, icon) = match name {
            "done" | "done-not-set-up" => ("ok", "check"),
            "old-home" | "booting" | "landing" | "starting" | "looking" | "restoring" | "restarting" => ("", "info"),
            _ => ("warn", "warning"),
        };
        Say {
            name,
            tone,
            icon,
            title: words("title", many),
            none: only(0),
            one: only(1),
            todo: words("todo", many),
            happened,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPTS: [&str; 2] = [include_str!("../../../static/finish.js"), include_str!("../../../static/swap.js")];

    #[test]
    fn whatever_the_scripts_say_has_words_and_no_words_are_left_over() {
        let quoted: Vec<&str> = SCRIPTS.iter().flat_map(|script| script.split('\'').skip(1).step_by(2)).collect();
        for name in SITUATIONS {
            assert!(
                SCRIPTS.iter().any(|script| script.contains(&format!("'{name}'"))
                    || script.contains(&format!(" {name}: ["))
                    || script.contains(&format!("{name}|"))
                    || script.contains(&format!("|{name}"))),
                "{name} is never said"
            );
        }
        for script in SCRIPTS {
            for said in script.split("say: '").skip(1).filter_map(|rest| rest.split('\'').next()) {
                assert!(SITUATIONS.contains(&said), "no words for {said}");
            }
        }
        assert!(quoted.len() > 50, "the scripts are read");
    }

    #[test]
    fn every_situation_is_said_in_every_language_with_all_that_the_script_puts_in() {
        for t in Language::ALL {
            for name in SITUATIONS {
                let say = Say::new(t, name, "Umzug", "0a1b2c3d");
                for text in [&say.title, &say.happened, &say.todo] {
                    assert!(!text.is_empty() && !text.contains("finish-") && !text.contains('$'), "{name}: {text}");
                    let mut rest = text.as_str();
                    while let Some((_, after)) = rest.split_once('{') {
                        let (value, after) = after.split_once('}').unwrap();
                        assert!(
                            ["minutes", "said", "doing", "list", "link", "host"].contains(&value),
                            "{name}: {value}"
                        );
                        rest = after;
                    }
                }
            }
        }
        let booting = Say::new(Language::English, "booting", "", "");
        assert_eq!(
            (booting.none.as_str(), booting.one.as_str()),
            ("Nothing answers.", "Nothing has answered for a minute.")
        );
        assert_eq!(booting.happened, "Nothing has answered for {minutes} minutes.");
    }
}
