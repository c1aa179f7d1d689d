//! A job's own log, as it may be shown: what [`super::board::Board`] writes, read back for a page or a download (JB-7).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::domain::job::JobId;

/// More than a job ever writes; of a longer log the end is shown.
const MOST: u64 = 256 * 1024;
const BEFORE: &str = "sd-swap-job-";
const BEHIND: &str = ".txt";
const CUT: &str = "(the beginning is left out)\n";
const HIDDEN: &str = "[hidden]";
/// The value behind one of these words is nobody's business. Compared in lower case.
const SECRETS: [&str; 8] = ["bearer", "token", "password", "passphrase", "psk", "ssid", "secret", "key"];

/// `logs/sd-swap-job-7.txt`: where the log of a job lies below the app's data, and its name when it is downloaded.
pub fn path(data: &Path, id: JobId) -> PathBuf {
    data.join("logs").join(name(id))
}

pub fn name(id: JobId) -> String {
    format!("{BEFORE}{id}{BEHIND}")
}

/// The highest number of a job that has a log; 0 where there is none.
pub(super) fn highest(data: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(data.join("logs")) else { return 0 };
    let number = |name: &str| name.strip_prefix(BEFORE)?.strip_suffix(BEHIND)?.parse().ok();
    entries.flatten().filter_map(|entry| number(entry.file_name().to_str()?)).max().unwrap_or(0)
}

/// The log of a job as plain ASCII without secrets; `None` where there is none. Blocks.
pub(super) fn read(data: &Path, id: JobId) -> io::Result<Option<String>> {
    match File::open(path(data, id)) {
        Ok(file) => end_of(file).map(|(cut, bytes)| Some(shown(cut, &bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// At most [`MOST`] bytes, and whether more stands before them.
fn end_of(mut file: File) -> io::Result<(bool, Vec<u8>)> {
    let from = file.metadata()?.len().saturating_sub(MOST);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    Ok((from > 0, bytes))
}

fn shown(cut: bool, bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    // A line that was cut in two may begin in the middle of a word that has to be hidden.
    let whole = if cut { text.split_once('\n').map_or("", |(_, rest)| rest) } else { &text };
    let mut log = if cut { CUT.to_string() } else { String::new() };
    for line in whole.lines() {
        log.push_str(&ascii(&without_secrets(line)));
        log.push('\n');
    }
    log
}

/// Nothing of ours writes secrets into a log; but it also carries the words of others: of a server, of a tool.
fn without_secrets(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, value)) = next_secret(rest) {
        clean.push_str(before);
        clean.push_str(HIDDEN);
        rest = value;
    }
    clean.push_str(rest);
    clean
}

/// What stands before the next value to hide, and what comes after it.
fn next_secret(text: &str) -> Option<(&str, &str)> {
    let query = text.find("://").and_then(|at| after(text, at, '?'));
    let labelled = SECRETS.iter().filter_map(|word| value_of(text, word)).min();
    let (begin, end) = [query, labelled, network(text)].into_iter().flatten().min()?;
    Some((text.get(..begin)?, text.get(end..)?))
}

/// The query of a URL: releases are fetched by links that let in whoever holds them.
fn after(text: &str, at: usize, mark: char) -> Option<(usize, usize)> {
    let url = text.get(at..)?;
    let url = url.get(..url.find(|c: char| c.is_whitespace() || "\"'<>)".contains(c)).unwrap_or(url.len()))?;
    let begin = at + url.find(mark)? + 1;
    let end = at + url.len();
    (begin < end && text.get(begin..end) != Some(HIDDEN)).then_some((begin, end))
}

/// A file of NetworkManager is mostly named as the Wi-Fi is.
fn network(text: &str) -> Option<(usize, usize)> {
    const FOLDER: &str = "system-connections/";
    let begin = text.find(FOLDER)? + FOLDER.len();
    let end = begin + text.get(begin..)?.find(".nmconnection")?;
    (begin < end && text.get(begin..end) != Some(HIDDEN)).then_some((begin, end))
}

/// `word=value`, `word: value`, `"word": "value"`, and `Bearer value`; the value up to its closing quote, or its end.
fn value_of(text: &str, word: &str) -> Option<(usize, usize)> {
    let lower = text.to_ascii_lowercase();
    lower.match_indices(word).find_map(|(at, _)| {
        let begin = at + word.len();
        let tail = text.get(begin..)?;
        let gap = tail.len() - tail.trim_start_matches(['"', '\'']).len();
        let sign = tail.get(gap..)?.trim_start();
        let sign = match sign.strip_prefix(['=', ':']) {
            Some(value) => value.trim_start(),
            None if word == "bearer" => sign,
            None => return None,
        };
        let quoted = sign.chars().next().filter(|c| matches!(c, '"' | '\''));
        let value = quoted.map_or(sign, |_| sign.get(1..).unwrap_or_default());
        let length = match quoted {
            Some(quote) => value.find(quote),
            None => value.find(|c: char| c.is_whitespace() || ",;)}&".contains(c)),
        };
        let from = text.len() - value.len();
        let to = from + length.unwrap_or(value.len());
        (from < to && text.get(from..to) != Some(HIDDEN)).then_some((from, to))
    })
}

/// A log is read in any editor, pasted into any form.
fn ascii(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            ' '..='~' => plain.push(c),
            '\t' | '\u{a0}' | '\u{202f}' => plain.push(' '),
            '…' => plain.push_str("..."),
            '→' => plain.push_str("->"),
            '‘' | '’' => plain.push('\''),
            '“' | '”' | '„' => plain.push('"'),
            '–' | '—' | '·' => plain.push('-'),
            _ => plain.push('?'),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn written(text: &[u8]) -> Option<String> {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("logs")).unwrap();
        fs::write(path(dir.path(), JobId(7)), text).unwrap();
        read(dir.path(), JobId(7)).unwrap()
    }

    #[test]
    fn a_log_is_read_as_it_was_written() {
        let text = "2026-11-21 14:05:09Z preflight: begins\n2026-11-21 14:05:10Z preflight: done\n";
        assert_eq!(written(text.as_bytes()).as_deref(), Some(text));
        assert_eq!(written(b"").as_deref(), Some(""));
    }

    #[test]
    fn no_file_is_no_log_and_no_error() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path(), JobId(7)).unwrap(), None);
        fs::create_dir_all(path(dir.path(), JobId(8))).unwrap();
        assert!(read(dir.path(), JobId(8)).is_err(), "a folder is no log");
    }

    #[test]
    fn of_a_huge_log_the_end_is_shown_from_a_whole_line_on() {
        let line = "2026-11-21 14:05:09Z warning: again\n";
        let log = written(line.repeat(20_000).as_bytes()).unwrap();
        assert!(log.len() as u64 <= MOST + CUT.len() as u64 && log.len() as u64 > MOST - 100, "{}", log.len());
        let rest = log.strip_prefix(CUT).unwrap();
        assert!(rest.lines().all(|shown| shown == line.trim_end()));
    }

    #[test]
    fn it_is_plain_ascii() {
        let log = written("a “card” – 3 →\u{7}\u{1b}[1m Küche… \u{ff}\n".as_bytes()).unwrap();
        assert_eq!(log, "a \"card\" - 3 ->??[1m K?che... ?\n");
        let broken = written(b"\xff\xfe\r\nnext\n").unwrap();
        assert!(broken.is_ascii() && broken.ends_with("\nnext\n"), "{broken}");
    }

    #[test]
    fn secrets_in_the_words_of_others_are_hidden() {
        let cases = [
            ("sent Authorization: Bearer abc.def-1 to it", "sent Authorization: Bearer [hidden] to it"),
            ("SUPERVISOR_TOKEN=abc, next", "SUPERVISOR_TOKEN=[hidden], next"),
            (r#"{"password": "a b, c", "x": 1}"#, r#"{"password": "[hidden]", "x": 1}"#),
            ("ssid='Our Home' psk=12345678", "ssid='[hidden]' psk=[hidden]"),
            ("Password : x", "Password : [hidden]"),
            (
                "getting https://h.example/a.xz?sig=1&k=2: timed out",
                "getting https://h.example/a.xz?[hidden] timed out",
            ),
            ("token=a https://x.example/?b token=c", "token=[hidden] https://x.example/?[hidden] token=[hidden]"),
            (
                "writing etc/NetworkManager/system-connections/Our Home.nmconnection: full",
                "writing etc/NetworkManager/system-connections/[hidden].nmconnection: full",
            ),
            // Words alone give nothing away.
            ("The backup is protected: have its key at hand.", "The backup is protected: have its key at hand."),
            ("backup: begins", "backup: begins"),
            ("token=", "token="),
        ];
        for (line, want) in cases {
            assert_eq!(without_secrets(line), want);
        }
    }
}
