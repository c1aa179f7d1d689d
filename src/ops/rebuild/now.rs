//! What the Supervisor says about the app.

use serde_json::Value;

use crate::ops::bench::Bench;
use crate::ops::outcome::Problem;
use crate::ops::remote::{Remote, Request, Said};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Now {
    /// The store or the installed apps know it.
    pub known: bool,
    pub installed: Option<String>,
    /// What the store read from the folder.
    pub latest: Option<String>,
    /// `started`, `startup`, `stopped`, `error`, `unknown`; empty where it is not installed.
    pub state: String,
    /// The Supervisor builds it.
    pub builds: bool,
    pub ingress: Option<String>,
    /// Why nothing is known.
    pub refusal: String,
}

impl Now {
    pub fn of(info: &Value) -> Now {
        let text = |key: &str| info.get(key).and_then(Value::as_str).map(str::to_string);
        let state = text("state").unwrap_or_default();
        // The store names the version that is installed, too; null where none is.
        let installed = text("version").filter(|_| info.get("installed").is_none_or(|told| told == &Value::Bool(true)));
        Now {
            known: true,
            installed,
            latest: text("version_latest"),
            state,
            builds: info.get("build").and_then(Value::as_bool).unwrap_or(true),
            ingress: text("ingress_entry").filter(|entry| !entry.is_empty()),
            refusal: String::new(),
        }
    }

    pub fn ask(bench: &mut Bench<'_>, remote: &Remote) -> Result<Now, Problem> {
        let slug = bench.app.full_slug();
        match remote.ask(bench, "look at the app", Request::Info(&slug))? {
            Said::Ok(info) => Ok(Now::of(&info)),
            Said::No(refusal) => Ok(Now { refusal, ..Now::default() }),
        }
    }

    pub fn runs(&self) -> bool {
        self.state == "started"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn installed_or_not() {
        let store = json!({"version": null, "version_latest": "2", "installed": false, "build": true});
        let now = Now::of(&store);
        assert_eq!((now.installed, now.latest.as_deref(), now.state.as_str()), (None, Some("2"), ""));
        let info = json!({"version": "1", "version_latest": "2", "state": "started", "build": false});
        let now = Now::of(&info);
        assert_eq!((now.installed.as_deref(), now.builds, now.runs()), (Some("1"), false, true));
    }
}
