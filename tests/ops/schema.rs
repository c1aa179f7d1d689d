//! Holds a receipt to the schema in `docs/`: as much of JSON Schema as that file uses, and nothing else.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ops-receipt.schema.json");
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
});

#[track_caller]
pub fn holds(receipt: &Value) {
    let mut wrong = Vec::new();
    check(&SCHEMA, receipt, "$", &mut wrong);
    assert!(wrong.is_empty(), "{}\n{receipt:#}", wrong.join("\n"));
}

/// Words that say nothing about a value.
const SAYINGS: [&str; 6] = ["$schema", "$id", "title", "description", "$defs", "examples"];

fn check(schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let Some(rules) = schema.as_object() else { panic!("{at}: no schema") };
    for (rule, says) in rules {
        let fine = match rule.as_str() {
            rule if SAYINGS.contains(&rule) => true,
            "$ref" => {
                check(referred(says), value, at, wrong);
                true
            }
            "type" => has_type(says, value),
            "const" => says == value,
            "enum" => says.as_array().unwrap().contains(value),
            "pattern" => value.as_str().is_none_or(|text| matches(says.as_str().unwrap(), text)),
            "minimum" => value.as_f64().is_none_or(|number| number >= says.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= says.as_f64().unwrap()),
            "minLength" => value.as_str().is_none_or(|text| text.len() as u64 >= says.as_u64().unwrap()),
            "required" => value.as_object().is_none_or(|object| {
                says.as_array().unwrap().iter().all(|key| object.contains_key(key.as_str().unwrap()))
            }),
            "additionalProperties" if says == &Value::Bool(false) => {
                let known = rules.get("properties").and_then(Value::as_object);
                value.as_object().is_none_or(|object| object.keys().all(|key| known.unwrap().contains_key(key)))
            }
            "properties" => {
                for (key, inner) in says.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        check(inner, value, &format!("{at}.{key}"), wrong);
                    }
                }
                true
            }
            "items" => {
                for (n, value) in value.as_array().into_iter().flatten().enumerate() {
                    check(says, value, &format!("{at}[{n}]"), wrong);
                }
                true
            }
            "uniqueItems" => {
                value.as_array().is_none_or(|all| all.iter().enumerate().all(|(n, one)| !all[..n].contains(one)))
            }
            "anyOf" | "oneOf" => says.as_array().unwrap().iter().any(|one| {
                let mut inner = Vec::new();
                check(one, value, at, &mut inner);
                inner.is_empty()
            }),
            other => panic!("{other} is not understood here"),
        };
        if !fine {
            wrong.push(format!("{at}: {rule} {says}"));
        }
    }
}

fn referred(says: &Value) -> &'static Value {
    let name = says.as_str().unwrap().strip_prefix("#/$defs/").expect("a reference within the file");
    &SCHEMA["$defs"][name]
}

fn has_type(says: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("type {other} is not understood here"),
    };
    match says {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().any(|name| is(name.as_str().unwrap())),
        _ => false,
    }
}

/// The few patterns of the schema: literal start, then hexadecimal digits; or a time.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        "^sha256:[0-9a-f]{64}$" => text
            .strip_prefix("sha256:")
            .is_some_and(|hex| hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit())),
        "^[A-Z][A-Z_]*$" | "^[A-Z_]+$" => text.chars().all(|c| c.is_ascii_uppercase() || c == '_') && !text.is_empty(),
        _ if pattern.contains("T[0-9]") || pattern.contains("T\\d") => {
            time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).is_ok()
        }
        other => panic!("the pattern {other} is not understood here"),
    }
}
