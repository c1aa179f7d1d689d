//! One host: where it is and how it is asked. From `ops.env`, or `ops.NAME.env` for `--target NAME`; the environment wins.

use std::path::{Path, PathBuf};

use url::Url;

use super::env::{Pairs, parse};
use super::token_file::read_token;
use crate::domain::secret::Secret;
use crate::ops::outcome::Problem;

/// How the Supervisor is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The `ha` command on the host, by SSH.
    Ssh,
    /// Home Assistant's WebSocket API.
    Ws,
    /// Only a restart of the app, by Home Assistant's HTTP API: the old image, no new code.
    Restart,
}

impl Via {
    pub const fn word(self) -> &'static str {
        match self {
            Via::Ssh => "ssh",
            Via::Ws => "ws",
            Via::Restart => "restart",
        }
    }
}

/// Where the app's files go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On this machine: a mounted share.
    Share(PathBuf),
    /// On the host, by SSH and rsync.
    Host(String),
    /// On the host, where it keeps local apps: it is asked.
    Ask,
}

#[derive(Debug, Clone)]
pub struct Target {
    /// `default`, or what `--target` says.
    pub name: String,
    pub via: Via,
    /// An alias of the SSH configuration, `host` or `user@host`.
    pub host: Option<String>,
    /// Instead of the user's own `~/.ssh/config`.
    pub ssh_config: Option<PathBuf>,
    pub place: Place,
    /// What the app's slug has to be.
    pub slug: Option<String>,
    /// Home Assistant's own address.
    pub url: Option<Url>,
    pub token: Option<Secret>,
    /// What the user should know about the file.
    pub hints: Vec<String>,
}

const KNOWN: [&str; 8] =
    ["OPS_HOST", "OPS_PATH", "OPS_SLUG", "OPS_URL", "OPS_VIA", "OPS_TOKEN", "OPS_TOKEN_FILE", "OPS_SSH_CONFIG"];
/// Names of before, and ours.
const OLD: [(&str, &str); 5] = [
    ("HA_SSH_HOST_ALIAS", "OPS_HOST"),
    ("REMOTE_HOST_ALIAS", "OPS_HOST"),
    ("HA_REMOTE_RUNTIME", "OPS_PATH"),
    ("HA_REMOTE_SLUG", "OPS_SLUG"),
    ("HA_URL", "OPS_URL"),
];
/// They named a token that lay among the app's files, from where it went into backups and into Docker's build.
const DROPPED: [&str; 2] = ["HA_SECRETS_PATH", "HA_LLAT_KEY"];

/// The variables of this process that a child program never gets.
pub const SECRET_NAMES: [&str; 1] = ["OPS_TOKEN"];

impl Target {
    /// Reads the target's file in `project` and `environment`; `app` must not hold the file with the token.
    pub fn load(project: &Path, app: &Path, name: Option<&str>, environment: &Pairs) -> Result<Target, Problem> {
        let file = project.join(file_name(name)?);
        let shown = file.display().to_string();
        let wrong = |why: String| Problem::usage(format!("{shown} cannot be read"), why, "Its lines are KEY=value.");
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            // Without a name there need not be one: the environment may say all.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && name.is_none() => String::new(),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let mut pairs = parse(&text).map_err(wrong)?;
        if pairs.contains_key("OPS_TOKEN") {
            return Err(Problem::usage(
                format!("{shown} holds OPS_TOKEN"),
                "a token in it ends up in a repository or a backup one day",
                "Put it into a file of its own that only you can read, outside the project, and name that file: \
                 OPS_TOKEN_FILE=/home/you/.config/ops-token. Make a new token if this file was ever shared.",
            ));
        }
        let hints = take_old_names(&mut pairs, &shown);
        let own = |(name, _): &(&String, &String)| KNOWN.contains(&name.as_str());
        pairs.extend(environment.iter().filter(own).map(|(name, value)| (name.clone(), value.clone())));
        let raw = Raw { pairs, file: shown, project, app };
        raw.target(name.unwrap_or("default"), hints)
    }
}

fn file_name(name: Option<&str>) -> Result<String, Problem> {
    let Some(name) = name else { return Ok("ops.env".into()) };
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(fine) {
        let todo = "Its name is letters, digits, - and _: --target kitchen reads ops.kitchen.env.";
        return Err(Problem::usage(format!("{name:?} is no target"), "it names a file beside ops.toml", todo));
    }
    Ok(format!("ops.{name}.env"))
}

/// The ADR's names under ours, where ours are not there; and what to say of them.
fn take_old_names(pairs: &mut Pairs, file: &str) -> Vec<String> {
    let mut hints = Vec::new();
    for (old, new) in OLD {
        if let Some(value) = pairs.remove(old) {
            hints.push(format!("{file}: {old} is now called {new}"));
            pairs.entry(new.into()).or_insert(value);
        }
    }
    for old in DROPPED {
        if pairs.remove(old).is_some() {
            hints.push(format!(
                "{file}: {old} is not used: a token beside the app gets into backups and builds. Name a file outside the \
                 project with OPS_TOKEN_FILE"
            ));
        }
    }
    hints
}

struct Raw<'a> {
    pairs: Pairs,
    file: String,
    project: &'a Path,
    app: &'a Path,
}

impl Raw<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.pairs.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn wrong(&self, name: &str, why: &str, example: &str) -> Problem {
        let value = self.get(name).unwrap_or_default();
        let todo = format!("Write for example {name}={example} into {}.", self.file);
        Problem::usage(format!("the setting {name} is {value:?}"), why, todo)
    }

    fn target(&self, name: &str, hints: Vec<String>) -> Result<Target, Problem> {
        let known = |name: &&String| name.starts_with("OPS_") && !KNOWN.contains(&name.as_str());
        if let Some(unknown) = self.pairs.keys().find(known) {
            let todo = format!("The settings are {}.", KNOWN.join(", "));
            return Err(Problem::usage(format!("{} sets {unknown}", self.file), "there is no such setting", todo));
        }
        let (via, host) = (self.via()?, self.host()?);
        Ok(Target {
            name: name.into(),
            via,
            place: self.place(host.is_some())?,
            host,
            ssh_config: self.get("OPS_SSH_CONFIG").map(|path| self.project.join(path)),
            slug: self.get("OPS_SLUG").map(Into::into),
            url: self.url()?,
            token: self.token()?,
            hints,
        })
    }

    fn via(&self) -> Result<Via, Problem> {
        match self.get("OPS_VIA") {
            None | Some("ssh") => Ok(Via::Ssh),
            Some("ws") => Ok(Via::Ws),
            Some("restart") => Ok(Via::Restart),
            Some(_) => Err(self.wrong("OPS_VIA", "it is none of ssh, ws and restart", "ssh")),
        }
    }

    /// One host, as ssh takes it. A word that begins with - would be an option of ssh.
    fn host(&self) -> Result<Option<String>, Problem> {
        let Some(host) = self.get("OPS_HOST") else { return Ok(None) };
        let fine = |c: char| c.is_ascii_alphanumeric() || "@._-:[]%".contains(c);
        if host.starts_with('-') || !host.chars().all(fine) {
            return Err(self.wrong("OPS_HOST", "it is not one host or alias of ssh", "root@homeassistant.local"));
        }
        Ok(Some(host.into()))
    }

    /// A path is on the host if there is one to reach by SSH, else on this machine. `share:` and `host:` say so themselves.
    fn place(&self, by_ssh: bool) -> Result<Place, Problem> {
        let Some(path) = self.get("OPS_PATH") else { return Ok(Place::Ask) };
        let (shared, path) = match (path.strip_prefix("share:"), path.strip_prefix("host:")) {
            (Some(path), _) => (true, path),
            (_, Some(path)) => (false, path),
            _ => (!by_ssh, path),
        };
        let parts = || path.split('/').filter(|part| !part.is_empty());
        if !path.starts_with('/') || parts().any(|part| part == "..") || path.chars().any(char::is_control) {
            return Err(self.wrong("OPS_PATH", "it is no absolute path", "/addons/my_app"));
        }
        let clean = format!("/{}", parts().filter(|part| *part != ".").collect::<Vec<_>>().join("/"));
        Ok(if shared { Place::Share(clean.into()) } else { Place::Host(clean) })
    }

    fn url(&self) -> Result<Option<Url>, Problem> {
        let Some(text) = self.get("OPS_URL") else {
            // Empty is not the same as missing: somebody meant to fill it in.
            let empty = self.pairs.contains_key("OPS_URL");
            return if empty { Err(self.wrong("OPS_URL", "it is empty", URL)) } else { Ok(None) };
        };
        let url: Url = text.parse().map_err(|error| self.wrong("OPS_URL", &format!("it is no URL ({error})"), URL))?;
        if !["http", "https"].contains(&url.scheme()) || url.host_str().is_none() {
            return Err(self.wrong("OPS_URL", "it is no http or https URL", URL));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(Problem::usage("the setting OPS_URL holds more than an address", "a secret may be in it", URL));
        }
        Ok(Some(url))
    }

    fn token(&self) -> Result<Option<Secret>, Problem> {
        if let Some(token) = self.get("OPS_TOKEN") {
            return Ok(Some(Secret::new(token)));
        }
        let Some(path) = self.get("OPS_TOKEN_FILE") else { return Ok(None) };
        let path = match path.strip_prefix("~/") {
            Some(rest) => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(rest),
            None => self.project.join(path),
        };
        read_token(&path, self.app, self.project).map(Some)
    }
}

const URL: &str = "http://homeassistant.local:8123";

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Target, Problem> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ops.env"), text).unwrap();
        Target::load(dir.path(), dir.path(), None, &Pairs::new())
    }

    #[test]
    fn the_old_names_are_read_with_a_hint() {
        let target = load(
            "export HA_SSH_HOST_ALIAS=babylon\nHA_REMOTE_RUNTIME=/addons/x\nHA_REMOTE_SLUG=x\nHA_URL=http://ha:8123\n\
             HA_SECRETS_PATH=/addons/x/secrets.yaml\nHA_LLAT_KEY=long\n",
        )
        .unwrap();
        assert_eq!((target.host.as_deref(), target.slug.as_deref()), (Some("babylon"), Some("x")));
        assert_eq!((target.place, target.via), (Place::Host("/addons/x".into()), Via::Ssh));
        assert_eq!(target.hints.len(), 6);
        assert!(target.token.is_none());
    }

    #[test]
    fn a_wrong_setting_is_named_with_an_example() {
        let cases = [
            ("OPS_URL", ""),
            ("OPS_URL", "homeassistant:8123"),
            ("OPS_URL", "192.168.1.2"),
            ("OPS_VIA", "http"),
            ("OPS_HOST", "-oProxyCommand=x"),
            ("OPS_HOST", "a b"),
            ("OPS_HOST", "$(rm x)"),
            ("OPS_PATH", "addons/x"),
            ("OPS_PATH", "/addons/../x"),
        ];
        for (name, value) in cases {
            let problem = load(&format!("{name}={value}")).unwrap_err();
            assert!(problem.what.contains(name) && problem.kind.code() == 2, "{problem}");
            assert!(problem.todo.contains(&format!("{name}=")), "{problem}");
        }
        assert!(load("OPS_HOTS=a").unwrap_err().what.contains("OPS_HOTS"));
        let problem = load("OPS_URL=http://me:hush@ha").unwrap_err();
        assert!(!problem.to_string().contains("hush"), "{problem}");
    }

    #[test]
    fn a_path_is_on_the_host_or_here() {
        let place = |text: &str| load(text).unwrap().place;
        assert_eq!(place("OPS_HOST=ha\nOPS_PATH=/addons//x/"), Place::Host("/addons/x".into()));
        assert_eq!(place("OPS_PATH=/Volumes/addons/x"), Place::Share("/Volumes/addons/x".into()));
        assert_eq!(place("OPS_HOST=ha\nOPS_PATH=share:/mnt/my x"), Place::Share("/mnt/my x".into()));
        assert_eq!(place("OPS_HOST=ha"), Place::Ask);
    }

    #[test]
    fn shell_code_is_text_and_runs_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let witness = dir.path().join("witness");
        let line = format!("OPS_SLUG=$(touch {})", witness.display());
        assert_eq!(load(&line).unwrap().slug, Some(line.replace("OPS_SLUG=", "")));
        assert!(!witness.exists());
    }

    #[test]
    fn the_environment_wins_and_a_token_in_the_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ops.kitchen.env"), "OPS_HOST=a\nOPS_SLUG=s\n").unwrap();
        let environment = Pairs::from([("OPS_HOST".into(), "b".into()), ("OPS_TOKEN".into(), "hush".into())]);
        let target = Target::load(dir.path(), dir.path(), Some("kitchen"), &environment).unwrap();
        assert_eq!((target.host.as_deref(), target.name.as_str()), (Some("b"), "kitchen"));
        assert_eq!(target.token.as_ref().unwrap().reveal(), "hush");
        assert!(!format!("{target:?}").contains("hush"));
        for name in ["bath", "../x", ""] {
            assert!(Target::load(dir.path(), dir.path(), Some(name), &environment).is_err(), "{name}");
        }
        assert!(!load("OPS_TOKEN=hush").unwrap_err().to_string().contains("hush"));
    }
}
