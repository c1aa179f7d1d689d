//! Options, their schema and their translations. An option without a schema cannot be set; one that its own default does not
//! fit keeps the app from starting.

use std::path::Path;

use serde_json::{Map, Value};

use super::{Finding, Seen};
use crate::ops::yaml;

/// Types with a range, and those without.
const RANGED: [&str; 4] = ["str", "password", "int", "float"];
const PLAIN: [&str; 5] = ["bool", "email", "url", "port", "device"];

pub fn options(seen: &Seen<'_>) -> Vec<Finding> {
    let Some(schema) = seen.config.get("schema").and_then(Value::as_object) else { return Vec::new() };
    let empty = Map::new();
    let options = seen.config.get("options").and_then(Value::as_object).unwrap_or(&empty);
    let mut found = Vec::new();
    for name in options.keys().filter(|name| !schema.contains_key(*name)) {
        found.push(Finding::wrong(format!("{name} has a default and no schema: it is dropped")));
    }
    for (name, kind) in schema {
        elements(name, kind, &mut found);
        match (options.get(name), kind.as_str()) {
            (None, Some(kind)) if !kind.ends_with('?') => {
                found.push(Finding::note(format!("{name} has no default: the app does not start before it is set")));
            }
            // A null says that the user has to fill it in.
            (Some(value), Some(kind)) if !value.is_null() && !fits(kind, value) => {
                found.push(Finding::wrong(format!("{name}: its default {value} is no {kind}")));
            }
            _ => {}
        }
    }
    found
}

/// Every leaf is a type that the Supervisor knows.
fn elements(name: &str, kind: &Value, found: &mut Vec<Finding>) {
    match kind {
        Value::String(text) if is_kind(text) => {}
        Value::Array(items) if items.len() == 1 && !items.iter().any(Value::is_array) => {
            items.iter().for_each(|item| elements(name, item, found));
        }
        Value::Object(pairs) => {
            pairs.iter().for_each(|(inner, kind)| elements(&format!("{name}.{inner}"), kind, found))
        }
        _ => found.push(Finding::wrong(format!("{name}: {kind} is no type of the schema"))),
    }
}

/// Name and what stands in brackets behind it.
fn parts(kind: &str) -> Option<(&str, Option<&str>)> {
    let kind = kind.strip_suffix('?').unwrap_or(kind);
    match kind.split_once('(') {
        Some((name, rest)) => Some((name, Some(rest.strip_suffix(')')?))),
        None => Some((kind, None)),
    }
}

fn is_kind(kind: &str) -> bool {
    let number = |text: &str| text.is_empty() || text.parse::<f64>().is_ok();
    match parts(kind) {
        Some((name, None)) => PLAIN.contains(&name) || RANGED.contains(&name),
        Some((name, Some(range))) if RANGED.contains(&name) => {
            range.split_once(',').is_some_and(|(least, most)| number(least) && number(most))
        }
        Some(("list", Some(items))) => !items.is_empty(),
        Some(("device", Some(filter))) => filter.starts_with("subsystem="),
        Some(("match", Some(_))) => true,
        _ => false,
    }
}

/// As far as it can be said without the Supervisor: regular expressions and devices are its own.
fn fits(kind: &str, value: &Value) -> bool {
    let text = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let within = |range: Option<&str>, number: f64| {
        let (least, most) = range.and_then(|range| range.split_once(',')).unwrap_or(("", ""));
        least.parse().is_ok_and(|least: f64| number < least) as u8
            + most.parse().is_ok_and(|most: f64| number > most) as u8
            == 0
    };
    match parts(kind) {
        Some(("bool", _)) => value.is_boolean() || value.as_str().is_some(),
        Some(("int", range)) => value.as_i64().is_some_and(|number| within(range, number as f64)),
        Some(("float", range)) => value.as_f64().is_some_and(|number| within(range, number)),
        Some(("port", _)) => value.as_u64().is_some_and(|port| (1..=65535).contains(&port)),
        Some(("list", Some(items))) => items.split('|').any(|item| item == text()),
        Some(("str" | "password" | "email" | "url", _)) => !value.is_object() && !value.is_array(),
        _ => true,
    }
}

/// Each language has a name for each option, and for nothing else.
pub fn translations(seen: &Seen<'_>) -> Vec<Finding> {
    let schema = seen.config.get("schema").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut found = Vec::new();
    for path in seen.tree.files().filter(|path| path.parent() == Some(Path::new("translations"))) {
        let shown = path.display();
        let words = match seen.tree.text(path).as_deref().map(yaml::read) {
            Some(Ok(words)) => words,
            _ => {
                found.push(Finding::wrong(format!("{shown} is no YAML")));
                continue;
            }
        };
        let named = words.get("configuration").and_then(Value::as_object).cloned().unwrap_or_default();
        for name in named.keys().filter(|name| !schema.contains_key(*name)) {
            found.push(Finding::wrong(format!("{shown} names {name}, which is no option")));
        }
        for name in schema.keys().filter(|name| named.get(*name).and_then(|words| words.get("name")).is_none()) {
            found.push(Finding::note(format!("{shown} has no name for {name}")));
        }
    }
    found
}
