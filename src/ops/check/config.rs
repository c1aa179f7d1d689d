//! `config.yaml` as the Supervisor's schema of 2026 reads it: what it requires, refuses, drops and has renamed.

use serde_json::Value;

use super::{Finding, Seen, wrongs};
use crate::ops::Mode;

/// Keys with what they hold; `!` in front: required.
pub const KEYS: [(&str, &str); 69] = [
    ("name", "!text"),
    ("version", "!version"),
    ("slug", "!text"),
    ("description", "!text"),
    ("arch", "!list"),
    ("machine", "list"),
    ("url", "text"),
    ("startup", "text"),
    ("boot", "text"),
    ("init", "flag"),
    ("advanced", "flag"),
    ("stage", "text"),
    ("ports", "map"),
    ("ports_description", "map"),
    ("watchdog", "text"),
    ("webui", "text"),
    ("ingress", "flag"),
    ("ingress_port", "number"),
    ("ingress_entry", "text"),
    ("ingress_stream", "flag"),
    ("panel_icon", "text"),
    ("panel_title", "text"),
    ("panel_admin", "flag"),
    ("homeassistant", "version"),
    ("host_network", "flag"),
    ("host_pid", "flag"),
    ("host_ipc", "flag"),
    ("host_uts", "flag"),
    ("host_dbus", "flag"),
    ("devices", "list"),
    ("udev", "flag"),
    ("tmpfs", "flag"),
    ("map", "list"),
    ("environment", "map"),
    ("privileged", "list"),
    ("apparmor", "flag"),
    ("full_access", "flag"),
    ("audio", "flag"),
    ("video", "flag"),
    ("gpio", "flag"),
    ("usb", "flag"),
    ("uart", "flag"),
    ("devicetree", "flag"),
    ("kernel_modules", "flag"),
    ("realtime", "flag"),
    ("hassio_api", "flag"),
    ("hassio_role", "text"),
    ("homeassistant_api", "flag"),
    ("stdin", "flag"),
    ("legacy", "flag"),
    ("docker_api", "flag"),
    ("auth_api", "flag"),
    ("services", "list"),
    ("discovery", "list"),
    ("backup", "text"),
    ("backup_exclude", "list"),
    ("backup_pre", "text"),
    ("backup_post", "text"),
    ("restore_pre", "text"),
    ("restore_post", "text"),
    ("options", "map"),
    ("schema", "schema"),
    ("image", "text"),
    ("ulimits", "map"),
    ("timeout", "number"),
    ("journald", "flag"),
    ("breaking_versions", "list"),
    ("codenotary", "any"),
    ("build", "any"),
];

/// Read no more, and why.
const OVER: [(&str, &str); 7] = [
    (
        "build",
        "it means nothing: the Supervisor drops it. Only whether image: is there decides between building and pulling",
    ),
    ("codenotary", "it is ignored"),
    ("advanced", "it is ignored"),
    ("auto_uart", "it is called uart now"),
    ("snapshot", "it is called backup now"),
    ("snapshot_exclude", "it is called backup_exclude now"),
    ("snapshot_pre", "it is called backup_pre now"),
];

/// Keys whose value is one of a few.
pub const CHOICES: [(&str, &[&str]); 5] = [
    ("startup", &["initialize", "system", "services", "application", "once"]),
    ("boot", &["auto", "manual", "manual_only"]),
    ("stage", &["stable", "experimental", "deprecated"]),
    ("hassio_role", &["default", "homeassistant", "backup", "manager", "admin"]),
    ("backup", &["hot", "cold"]),
];

/// Those that Home Assistant OS is made for, and those that it was.
const ARCHES: [&str; 2] = ["aarch64", "amd64"];
const OLD_ARCHES: [&str; 3] = ["armhf", "armv7", "i386"];

const MAPS: [&str; 14] = [
    "data",
    "config",
    "ssl",
    "addons",
    "local_apps",
    "backup",
    "share",
    "media",
    "homeassistant_config",
    "all_addon_configs",
    "all_app_configs",
    "addon_config",
    "app_config",
    "apps",
];

fn is(kind: &str, value: &Value) -> bool {
    match kind.trim_start_matches('!') {
        "text" => value.as_str().is_some_and(|text| !text.is_empty()),
        "version" => value.is_number() || value.as_str().is_some_and(|text| !text.is_empty()),
        "flag" => value.is_boolean(),
        "number" => value.is_u64(),
        "list" => value.is_array(),
        "schema" => value.is_object() || *value == false,
        "map" => value.is_object(),
        _ => true,
    }
}

/// Every key is known and holds what it should. The Supervisor drops unknown ones without a word.
pub fn keys(seen: &Seen<'_>) -> Vec<Finding> {
    let Some(given) = seen.config.as_object() else { return vec![Finding::wrong("it is no map")] };
    let mut found = Vec::new();
    for key in given.keys() {
        match OVER.iter().find(|(name, _)| name == key) {
            Some((_, why)) => found.push(Finding::note(format!("{key}: {why}"))),
            None if KEYS.iter().any(|(name, _)| name == key) => {}
            None => found.push(Finding::note(format!("{key}: the Supervisor does not know it and drops it"))),
        }
    }
    for (key, kind) in KEYS {
        match given.get(key) {
            None if kind.starts_with('!') => found.push(Finding::wrong(format!("{key} is missing"))),
            Some(value) if !is(kind, value) => {
                let kind = kind.trim_start_matches('!');
                found.push(Finding::wrong(format!("{key} is no {kind}: {value}")));
            }
            _ => {}
        }
    }
    found
}

/// Values that are refused, or mean something else than it seems.
pub fn values(seen: &Seen<'_>) -> Vec<Finding> {
    let config = seen.config;
    let text = |key: &str| config.get(key).and_then(Value::as_str).unwrap_or_default();
    let in_slug = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let mut found = wrongs([
        (
            text("slug").chars().all(in_slug),
            format!("slug: {:?} has more in it than letters, digits, -, _ and .", text("slug")),
        ),
        (
            config.get("version").is_none_or(Value::is_string),
            "version: it is a number; 1.10 is read as 1.1. Put it into quotes".into(),
        ),
        (
            config.get("timeout").and_then(Value::as_u64).is_none_or(|time| (10..=300).contains(&time)),
            "timeout: it is not between 10 and 300 seconds".into(),
        ),
        (
            config.get("ingress_port").and_then(Value::as_u64).is_none_or(|port| port <= 65535),
            "ingress_port: there is no such port".into(),
        ),
        (text("url").is_empty() || text("url").contains("://"), format!("url: {:?} is none", text("url"))),
        (image_fine(text("image")), format!("image: {:?} is no name of an image without its tag", text("image"))),
    ]);
    for (key, choices) in CHOICES {
        let given = text(key);
        if !given.is_empty() && !choices.contains(&given) {
            found.push(Finding::wrong(format!("{key}: {given:?} is none of {}", choices.join(", "))));
        }
    }
    found.extend(arches(config));
    found.extend(maps(config));
    found.extend(devices(config));
    found
}

fn list<'a>(config: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    config.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn arches(config: &Value) -> Vec<Finding> {
    let empty = config.get("arch").and_then(Value::as_array).is_some_and(Vec::is_empty);
    let empty = empty.then(|| Finding::wrong("arch: none is named"));
    let each = list(config, "arch").filter_map(|arch| match arch.as_str().unwrap_or_default() {
        arch if ARCHES.contains(&arch) => None,
        arch if OLD_ARCHES.contains(&arch) => Some(Finding::note(format!("arch: {arch} is no longer supported"))),
        _ => Some(Finding::wrong(format!("arch: {arch} is none of {}", ARCHES.join(", ")))),
    });
    empty.into_iter().chain(each).collect()
}

/// `share`, `share:rw` or `{type: share, read_only: false}`.
fn maps(config: &Value) -> Vec<Finding> {
    let wrong = |entry: &&Value| {
        let (name, right) = match entry {
            Value::String(text) => text.split_once(':').unwrap_or((text.as_str(), "ro")),
            _ => (entry.get("type").and_then(Value::as_str).unwrap_or_default(), "ro"),
        };
        !MAPS.contains(&name) || !["rw", "ro"].contains(&right)
    };
    list(config, "map")
        .filter(wrong)
        .map(|entry| Finding::wrong(format!("map: {entry} is left out by the Supervisor")))
        .collect()
}

fn devices(config: &Value) -> Vec<Finding> {
    let path = |device: &Value| device.as_str().unwrap_or_default().to_owned();
    list(config, "devices")
        .map(path)
        .filter_map(|device| match device {
            device if !device.starts_with("/dev/") => {
                Some(Finding::wrong(format!("devices: {device:?} is no path in /dev")))
            }
            device if device.contains('*') => Some(Finding::wrong(format!("devices: {device}: patterns are not read"))),
            device if device.contains(':') => {
                Some(Finding::note(format!("devices: {device}: only the path is used now")))
            }
            _ => None,
        })
        .collect()
}

/// `ghcr.io/me/app`, `ghcr.io/me/{arch}-app`: the Supervisor adds the version itself.
fn image_fine(image: &str) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "./-_{}:".contains(c);
    let last = image.rsplit('/').next().unwrap_or_default();
    image.chars().all(fine) && !last.contains(':')
}

/// Whether the Supervisor builds or pulls is decided by `image:` alone.
pub fn mode(seen: &Seen<'_>) -> Vec<Finding> {
    let image = seen.config.get("image").is_some_and(|image| !image.is_null());
    match seen.mode {
        Mode::Local => wrongs([(
            !image,
            "image: is there, so the Supervisor pulls that image and builds nothing. Remove it; `ops publish` adds it \
             from [publish] image in ops.toml",
        )]),
        Mode::Publish => wrongs([
            (image, "image: is missing, so every user's Supervisor builds. Set [publish] image in ops.toml".to_owned()),
            (
                seen.tag.is_none_or(|tag| tag == seen.version),
                format!("the tag on this commit says {}, the version {}", seen.tag.unwrap_or_default(), seen.version),
            ),
        ]),
    }
}
