//! `ops.env`: `KEY=value` or `export KEY=value` a line. It is parsed, never given to a shell: `$(rm x)` stays a text.

use std::collections::BTreeMap;

/// Values by their names.
pub type Pairs = BTreeMap<String, String>;

/// The pairs of a file; an error names its line. Values may stand in single or double quotes; a `#` after a space begins
/// a comment where nothing is quoted. The later of two lines with the same name counts.
pub fn parse(text: &str) -> Result<Pairs, String> {
    let mut pairs = Pairs::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let pair = pair(line).map_err(|why| format!("line {}: {why}", number + 1))?;
        pairs.extend([pair]);
    }
    Ok(pairs)
}

fn pair(line: &str) -> Result<(String, String), String> {
    let line = line.strip_prefix("export ").map_or(line, str::trim_start);
    let (name, value) = line.split_once('=').ok_or("it is no KEY=value")?;
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(word) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("the name before the = is none; no space may stand around the =".into());
    }
    Ok((name.into(), value_of(value.trim())?))
}

fn value_of(value: &str) -> Result<String, String> {
    let Some(quote) = value.chars().next().filter(|c| ['"', '\''].contains(c)) else {
        let end = value.find(" #").or_else(|| value.find("\t#")).unwrap_or(value.len());
        return Ok(value.get(..end).unwrap_or_default().trim_end().into());
    };
    let inside = value.get(1..).unwrap_or_default();
    let (text, rest) = inside.split_once(quote).ok_or("a quote is not closed")?;
    match rest.trim_start() {
        "" => Ok(text.into()),
        comment if comment.starts_with('#') => Ok(text.into()),
        _ => Err("something stands after the closing quote".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Result<String, String> {
        parse(&format!("A={line}")).map(|pairs| pairs["A"].clone())
    }

    #[test]
    fn shell_code_stays_text() {
        for text in ["$(rm x)", "`rm x`", "$HOME", "a;rm x", "a && b", "${A:-b}", "~", "a\\n"] {
            assert_eq!(one(text).as_deref(), Ok(text));
            assert_eq!(one(&format!("\"{text}\"")).as_deref(), Ok(text));
        }
    }

    #[test]
    fn forms_of_a_line() {
        let text = "\u{feff}# comment\r\n\n  export OPS_HOST = x\n";
        assert!(parse(text).unwrap_err().starts_with("line 3: "));
        let text = "export OPS_HOST='my host' # home\nOPS_URL=http://a#b # c\nOPS_PATH=\nOPS_URL=\"last\"\n";
        let pairs = parse(text).unwrap();
        assert_eq!((pairs["OPS_HOST"].as_str(), pairs["OPS_PATH"].as_str()), ("my host", ""));
        assert_eq!(pairs["OPS_URL"], "last");
        assert_eq!(one("http://a#b # c").as_deref(), Ok("http://a#b"));
    }

    #[test]
    fn what_is_no_pair_is_named_with_its_line() {
        for bad in ["rm -rf x", "=x", "1A=x", "A B=x", "A='x", "A=\"x\" y", "if [ x ]; then", "A-B=1"] {
            assert!(parse(&format!("A=1\n{bad}")).unwrap_err().starts_with("line 2: "), "{bad}");
        }
    }
}
