//! `config.yaml`, `repository.yaml` and `translations/`: what the Supervisor refuses, ignores, warns of or takes points for
//! (its schema of August 2026).

use std::collections::BTreeSet;

use sd_swap::ops::check::config::{CHOICES, KEYS};
use serde_json::Value;

use super::tree::{Tree, complaints};

/// Keys that the Supervisor reads, and this app has no use for.
const UNUSED: [&str; 14] = [
    "advanced",
    "realtime",
    "stdin",
    "legacy",
    "services",
    "discovery",
    "backup_pre",
    "backup_post",
    "restore_pre",
    "restore_post",
    "ulimits",
    "journald",
    "codenotary",
    "build",
];

const MAPS: [&str; 9] =
    ["data", "ssl", "local_apps", "backup", "share", "media", "homeassistant_config", "all_app_configs", "app_config"];

fn is(kind: &str, value: &Value) -> bool {
    match kind.trim_start_matches('!') {
        "text" | "version" => value.as_str().is_some_and(|text| !text.is_empty()),
        "flag" => value.is_boolean(),
        "number" => value.is_u64(),
        "list" => value.as_array().is_some_and(|items| !items.is_empty()),
        _ => value.is_object(),
    }
}

/// Every key is known and holds what it should. The Supervisor drops unknown ones without a word.
pub fn keys(tree: &Tree) -> Vec<String> {
    let config = tree.yaml("config.yaml");
    let Some(given) = config.as_object() else { return vec!["config.yaml is no map".into()] };
    let known = || KEYS.into_iter().filter(|(name, _)| !UNUSED.contains(name));
    let unknown = given.keys().filter(|key| !known().any(|(name, _)| name == *key));
    let mut wrong: Vec<String> = unknown.map(|key| format!("the Supervisor ignores {key}")).collect();
    for (key, kind) in known() {
        match given.get(key) {
            None if kind.starts_with('!') => wrong.push(format!("{key} is missing")),
            Some(value) if !is(kind, value) => wrong.push(format!("{key} is no {kind}: {value}")),
            _ => {}
        }
    }
    wrong
}

/// Values that are refused or deprecated.
pub fn values(tree: &Tree) -> Vec<String> {
    let config = tree.yaml("config.yaml");
    let text = |key: &str| config[key].as_str().unwrap_or_default().to_owned();
    let list = |key: &str| config[key].as_array().cloned().unwrap_or_default();
    let mut wrong = Vec::new();
    let mut hold = |fine: bool, what: String| wrong.extend((!fine).then_some(what));
    for (key, choices) in CHOICES {
        hold(config[key].is_null() || choices.contains(&text(key).as_str()), format!("{key}: {}", config[key]));
    }
    let in_slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    hold(text("slug").chars().all(in_slug), format!("slug: {}", text("slug")));
    hold((10..=300).contains(&config["timeout"].as_u64().unwrap_or(10)), format!("timeout: {}", config["timeout"]));
    hold(text("url").starts_with("https://"), format!("url: {}", text("url")));
    hold(list("arch") == ["aarch64", "amd64"], "only aarch64 and amd64 are supported".into());
    for item in list("map") {
        let kind = item["type"].as_str().unwrap_or_default();
        hold(MAPS.contains(&kind), format!("map: {item}"));
    }
    for device in list("devices") {
        let path = device.as_str().unwrap_or_default();
        hold(path.starts_with("/dev/") && !path.contains([':', '*']), format!("devices: {device}"));
    }
    let in_image = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "./-_".contains(c);
    hold(text("image").chars().all(in_image), format!("image: {}", text("image")));
    let repository = tree.yaml("repository.yaml");
    hold(repository["name"].is_string(), "repository.yaml has no name".into());
    hold(repository["url"] == config["url"], "repository.yaml has another URL".into());
    wrong
}

/// The rating as the Supervisor counts it, with protection mode on.
pub fn rating(tree: &Tree) -> Vec<String> {
    let config = tree.yaml("config.yaml");
    let on = |key: &str| config[key] == true;
    let own_profile = tree.has("apparmor.txt") && config["apparmor"] != false;
    let role = match config["hassio_role"].as_str() {
        Some("manager") => 1,
        Some("admin") => 2,
        _ => 0,
    };
    let mut points: i32 = 5 - role + if own_profile { 1 } else { -1 };
    points += if on("ingress") { 2 } else { i32::from(on("auth_api")) };
    points -= i32::from(!config["privileged"].is_null() || on("kernel_modules"));
    points -= i32::from(on("host_network")) + 2 * i32::from(on("host_pid")) + i32::from(on("host_uts"));
    let points = if on("docker_api") || on("full_access") { 1 } else { points };
    let mut wrong = Vec::from_iter((points != 8).then(|| format!("the rating is {points}, not 8")));
    // Cost nothing in the rating, and are not needed either.
    let more = ["udev", "usb", "uart", "gpio", "host_dbus", "host_ipc", "homeassistant_api", "ingress_stream", "tmpfs"];
    wrong.extend(more.iter().filter(|key| on(key)).map(|key| format!("{key} is a right that nothing uses")));
    wrong
}

/// The page is behind ingress only, where the program serves it.
pub fn ingress(tree: &Tree) -> Vec<String> {
    let config = tree.yaml("config.yaml");
    let port = config["ingress_port"].as_u64().unwrap_or(8099);
    let served = tree.text("src/config.rs").contains(&format!("\"SD_SWAP_LISTEN\", \"0.0.0.0:{port}\""));
    let rules = [
        (config["ingress"] == true, "ingress is off".to_owned()),
        (config["ingress_entry"].is_null(), "ingress_entry makes // in URLs".to_owned()),
        (config["ports"].is_null() && config["webui"].is_null(), "a port is opened".to_owned()),
        (served, format!("the program does not serve port {port}")),
        (config["init"] == false, "Docker's init would take the place of s6".to_owned()),
    ];
    complaints(rules)
}

/// Whatever is called `config.yaml`, `.yml` or `.json` is an app for the Supervisor; `build.yaml` is deprecated.
pub fn one_app(tree: &Tree) -> Vec<String> {
    let seen = |path: &&String| !path.split('/').any(|part| part.starts_with('.') || part == "rootfs");
    let named = |path: &&String, stem: &str| {
        let file = path.rsplit('/').next().unwrap_or_default();
        [".yaml", ".yml", ".json"].iter().any(|end| file.strip_suffix(end) == Some(stem))
    };
    let stray = tree.0.keys().filter(seen).filter(|path| *path != "config.yaml" && named(path, "config"));
    let build = tree.0.keys().filter(seen).filter(|path| named(path, "build"));
    stray.chain(build).map(|path| format!("{path} is read by the Supervisor")).collect()
}

fn names(value: &Value) -> BTreeSet<String> {
    value.as_object().map(|pairs| pairs.keys().cloned().collect()).unwrap_or_default()
}

/// Options, their schema, their translations in every language, and what the program reads are the same.
pub fn options(tree: &Tree) -> Vec<String> {
    let config = tree.yaml("config.yaml");
    let (options, settings) = (names(&config["options"]), tree.text("src/config.rs"));
    let mut wrong = Vec::new();
    if options != names(&config["schema"]) {
        wrong.push("options and schema differ".into());
    }
    for name in &options {
        if !settings.contains(&format!("\"SD_SWAP_{}\"", name.to_uppercase())) {
            wrong.push(format!("the program does not read the option {name}"));
        }
        let (value, schema) = (config["options"][name].as_str(), config["schema"][name].as_str().unwrap_or_default());
        let choices = schema.strip_prefix("list(").and_then(|rest| rest.split(')').next()).unwrap_or_default();
        if !value.is_some_and(|value| choices.split('|').any(|choice| choice == value)) {
            wrong.push(format!("the option {name} is not one of {choices}"));
        }
    }
    let languages: BTreeSet<&str> = tree.below("src/texts/").filter_map(|path| path.split('/').nth(2)).collect();
    for language in languages.into_iter().filter(|name| !name.ends_with(".rs")) {
        let words = &tree.yaml(&format!("translations/{language}.yaml"))["configuration"];
        let complete = |name: &String| words[name]["name"].is_string() && words[name]["description"].is_string();
        if names(words) != options || !options.iter().all(complete) {
            wrong.push(format!("translations/{language}.yaml does not fit the options"));
        }
    }
    wrong
}

/// Our own backup must not stop us, and must not take the kept image along.
pub fn backups(tree: &Tree) -> Vec<String> {
    let config = tree.yaml("config.yaml");
    let ending = tree.text("src/image/cache.rs");
    let ending = ending.split("const IMAGE: &str = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("?");
    let left_out = config["backup_exclude"].as_array().cloned().unwrap_or_default();
    let mapped = config["map"].as_array().cloned().unwrap_or_default();
    let rules = [
        (config["backup"] != "cold", "a cold backup stops the app"),
        (left_out.iter().any(|pattern| *pattern == format!("*{ending}")), "the kept image gets into backups"),
        (mapped == [serde_json::json!({"type": "backup", "read_only": true})], "not only the backups are mapped"),
    ];
    complaints(rules)
}
