//! What `ha --raw-json` printed: a banner perhaps, then what the Supervisor said.

use serde_json::Value;

/// What the Supervisor said, or why that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Ok(Value),
    /// The Supervisor's own words. `ha` ends with 0 nevertheless.
    No(String),
    /// 401: `ha` ran without the Supervisor's token.
    Unknown,
    /// Help, nothing, or something else: `ha` did not do what it was told.
    None,
}

/// Reads both outputs. The exit code tells nothing: `ha` succeeds with its help, and with a refusal.
pub fn read(out: &str, err: &str) -> Answer {
    let said = out.match_indices('{').find_map(|(at, _)| {
        let mut values = serde_json::Deserializer::from_str(out.get(at..)?).into_iter::<Value>();
        values.next()?.ok().filter(|value| value.get("result").is_some_and(Value::is_string))
    });
    let unknown = |text: &str| text.contains("401");
    match said {
        Some(said) if said["result"] == "ok" => Answer::Ok(said.get("data").cloned().unwrap_or_default()),
        Some(said) => {
            let message = said.get("message").and_then(Value::as_str).unwrap_or("no reason is given").to_string();
            if unknown(&message) { Answer::Unknown } else { Answer::No(message) }
        }
        None if unknown(err) || unknown(out) => Answer::Unknown,
        None => Answer::None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_after_a_banner() {
        let banner = " _  {not json} \n | {2026}\n\n";
        let out = format!("{banner}{{\"result\":\"ok\",\"data\":{{\"state\":\"started\"}}}}\n");
        assert_eq!(read(&out, ""), Answer::Ok(json!({"state": "started"})));
        assert_eq!(read("{\"result\":\"ok\"}", "deprecated"), Answer::Ok(Value::Null));
        let no = read("{\"result\":\"error\",\"message\":\"use Update instead of Rebuild\"}", "");
        assert_eq!(no, Answer::No("use Update instead of Rebuild".into()));
    }

    #[test]
    fn what_is_no_answer() {
        assert_eq!(read("Usage:\n  ha [command]\n", ""), Answer::None);
        assert_eq!(read("{\"a\": 1}", ""), Answer::None);
        assert_eq!(read("", ""), Answer::None);
        assert_eq!(read("", "Error: unexpected server response. Status code: 401"), Answer::Unknown);
    }
}
