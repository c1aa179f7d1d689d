//! Settings: options of the app, then environment, then defaults → [`Settings`], validated once at the start (AP-6).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use url::Url;

use crate::domain::secret::Secret;

/// Everything that can be set, valid. Nothing downstream sees a raw string.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Base of the Supervisor's API.
    pub supervisor: Url,
    /// Bearer token; never logged.
    pub token: Secret,
    pub listen: SocketAddr,
    /// Peers let in besides loopback.
    pub allow_from: Vec<IpNet>,
    /// Ledger, logs, image cache.
    pub data: PathBuf,
    /// Where the Supervisor's backups are mapped.
    pub backup: PathBuf,
    /// Site of the releases: `{site}/home-assistant/operating-system/releases/download/…`.
    pub releases: Url,
    /// API of the releases: `{api}/repos/home-assistant/operating-system/releases/tags/…`.
    pub releases_api: Url,
    /// Level or filter of the log.
    pub log: String,
}

/// A setting that does not hold what it should.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the setting {name} is {value:?}: {why}; write for example {example}")]
pub struct ConfigError {
    pub name: &'static str,
    pub value: String,
    pub why: String,
    pub example: &'static str,
}

/// A setting: its name in the environment, its default, an example of a good value.
struct Known {
    name: &'static str,
    default: &'static str,
    example: &'static str,
}

const fn known(name: &'static str, default: &'static str, example: &'static str) -> Known {
    Known { name, default, example }
}

const SUPERVISOR: Known = known("SUPERVISOR_API", "http://supervisor", "http://supervisor");
const TOKEN: &str = "SUPERVISOR_TOKEN";
const LISTEN: Known = known("SD_SWAP_LISTEN", "0.0.0.0:8099", "127.0.0.1:8099");
const ALLOW: Known = known("SD_SWAP_ALLOW_FROM", "172.30.32.2", "172.30.32.2,10.0.0.0/24");
const DATA: Known = known("SD_SWAP_DATA", "/data", "/data");
const BACKUP: Known = known("SD_SWAP_BACKUP", "/backup", "/backup");
const RELEASES: Known = known("SD_SWAP_RELEASES", "https://github.com", "https://github.com");
const RELEASES_API: Known = known("SD_SWAP_RELEASES_API", "https://api.github.com", "https://api.github.com");
const LOG: Known = known("SD_SWAP_LOG", "info", "info");

/// Raw settings by their names in the environment.
pub type Raw = BTreeMap<String, String>;

impl Settings {
    /// From the options file of the app (if there is one) and the environment; the environment wins.
    pub fn load() -> Result<Settings, ConfigError> {
        // Somebody else's variables may hold anything.
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let environment: Raw = std::env::vars_os().filter_map(text).collect();
        let data = environment.get(DATA.name).map_or(DATA.default, String::as_str);
        let mut raw = options(&Path::new(data).join("options.json"))?;
        raw.extend(environment);
        Settings::read(&raw)
    }

    /// From raw values; what is missing or empty gets its default.
    pub fn read(raw: &Raw) -> Result<Settings, ConfigError> {
        Ok(Settings {
            supervisor: parse(raw, &SUPERVISOR, url)?,
            token: Secret::new(raw.get(TOKEN).cloned().unwrap_or_default()),
            listen: parse(raw, &LISTEN, |text| text.parse().map_err(|_| "it is no address with a port".into()))?,
            allow_from: parse(raw, &ALLOW, nets)?,
            data: parse(raw, &DATA, absolute)?,
            backup: parse(raw, &BACKUP, absolute)?,
            releases: parse(raw, &RELEASES, url)?,
            releases_api: parse(raw, &RELEASES_API, url)?,
            log: parse(raw, &LOG, |text| Ok(text.into()))?,
        })
    }
}

fn parse<T>(raw: &Raw, known: &Known, read: impl Fn(&str) -> Result<T, String>) -> Result<T, ConfigError> {
    let value = raw.get(known.name).map(|value| value.trim()).filter(|value| !value.is_empty());
    let value = value.unwrap_or(known.default);
    read(value).map_err(|why| ConfigError { name: known.name, value: value.into(), why, example: known.example })
}

fn url(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("it is no URL ({error})"))?;
    match url.scheme() {
        "http" | "https" if url.host_str().is_some() => Ok(url),
        _ => Err("it is no http or https URL".into()),
    }
}

fn nets(text: &str) -> Result<Vec<IpNet>, String> {
    let net = |part: &str| {
        let part = part.trim();
        part.parse::<IpNet>()
            .or_else(|_| part.parse::<std::net::IpAddr>().map(IpNet::from))
            .map_err(|_| format!("{part:?} is no address or network"))
    };
    text.split(',').map(net).collect()
}

fn absolute(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_absolute() { Ok(path) } else { Err("it is no absolute path".into()) }
}

/// The options that a user set in Home Assistant, under the names of the environment: `log` is `SD_SWAP_LOG`.
fn options(path: &Path) -> Result<Raw, ConfigError> {
    let wrong = |why: String| ConfigError {
        name: "options.json",
        value: path.display().to_string(),
        why,
        example: r#"{"log": "info"}"#,
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Raw::new()),
        Err(error) => return Err(wrong(error.to_string())),
    };
    let options: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let text_of = |value: serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(options
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (format!("SD_SWAP_{}", name.to_uppercase()), text_of(value)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(pairs: &[(&str, &str)]) -> Raw {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    #[test]
    fn nothing_set_gives_what_the_app_needs() {
        let settings = Settings::read(&Raw::new()).unwrap();
        assert_eq!(settings.supervisor.as_str(), "http://supervisor/");
        assert_eq!(settings.listen.to_string(), "0.0.0.0:8099");
        assert_eq!(settings.allow_from, ["172.30.32.2/32".parse::<IpNet>().unwrap()]);
        assert_eq!((settings.data, settings.backup), ("/data".into(), "/backup".into()));
    }

    #[test]
    fn a_wrong_setting_is_named_with_an_example() {
        let cases = [
            ("SUPERVISOR_API", "supervisor"),
            ("SUPERVISOR_API", "ftp://supervisor"),
            ("SD_SWAP_LISTEN", "8099"),
            ("SD_SWAP_ALLOW_FROM", "172.30.32.2,nobody"),
            ("SD_SWAP_DATA", "data"),
            ("SD_SWAP_RELEASES", "//github.com"),
        ];
        for (name, value) in cases {
            let error = Settings::read(&raw(&[(name, value)])).unwrap_err();
            assert_eq!((error.name, error.value.as_str()), (name, value));
            assert!(error.to_string().contains(error.example), "{error}");
        }
    }

    #[test]
    fn the_token_is_never_shown() {
        let settings = Settings::read(&raw(&[("SUPERVISOR_TOKEN", "hunter2")])).unwrap();
        assert_eq!(settings.token.reveal(), "hunter2");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn options_of_the_app_stand_below_the_environment() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("options.json");
        assert_eq!(options(&path), Ok(Raw::new()));
        std::fs::write(&path, r#"{"log": "debug", "other": null}"#).unwrap();
        assert_eq!(options(&path), Ok(raw(&[("SD_SWAP_LOG", "debug")])));
        std::fs::write(&path, "{").unwrap();
        assert_eq!(options(&path).unwrap_err().name, "options.json");
    }
}
