//! YAML as the Supervisor reads it, as JSON values.

use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

/// The first document. A number stays a number, `"0.1"` a text; what YAML cannot say in JSON is null.
pub fn read(text: &str) -> Result<Value, String> {
    let documents = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
    Ok(documents.first().map(json).unwrap_or_default())
}

fn json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Boolean(value) => Value::from(*value),
        Yaml::Integer(value) => Value::from(*value),
        Yaml::Real(text) => text.parse::<f64>().map_or_else(|_| Value::from(text.as_str()), Value::from),
        Yaml::String(text) => Value::from(text.as_str()),
        Yaml::Array(items) => items.iter().map(json).collect(),
        Yaml::Hash(pairs) => {
            Value::Object(pairs.iter().map(|(key, value)| (name(key), json(value))).collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}

/// Keys of maps are texts in all that we read; a number is written as one.
fn name(key: &Yaml) -> String {
    match key {
        Yaml::String(text) | Yaml::Real(text) => text.clone(),
        Yaml::Integer(number) => number.to_string(),
        Yaml::Boolean(value) => value.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn kinds_are_kept() {
        let text = "a: 1\nb: \"1\"\nc: [x, true]\nd:\n  e: 1.5\nf:\n";
        assert_eq!(read(text).unwrap(), json!({ "a": 1, "b": "1", "c": ["x", true], "d": { "e": 1.5 }, "f": null }));
        assert!(read("a: [1").is_err());
        assert_eq!(read("").unwrap(), Value::Null);
    }
}
