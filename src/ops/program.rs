//! A program as a lane calls it: told whether it writes, and with its outputs kept, without any secret in them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::progress::StopFlag;
use crate::domain::secret::Secret;
use crate::host::linux::program::{Channel, Program, ProgramError, run};

use super::config::SECRET_NAMES;

/// What is kept of each output: the last so many bytes.
const KEPT: usize = 8 << 20;
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// A program that a lane runs.
#[derive(Debug, Clone)]
pub struct Call {
    /// What it is for, in a few words: a step of the receipt.
    pub what: String,
    /// Whether it changes anything anywhere. A dry run shows it and does not run it.
    pub writes: bool,
    /// Its output lines are shown as they come.
    pub loud: bool,
    program: Program,
}

impl Call {
    /// One that only looks.
    pub fn look<A: Into<OsString>>(
        what: impl Into<String>,
        name: impl Into<OsString>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Call {
        let arguments = arguments.into_iter().map(Into::into).collect();
        let unset = SECRET_NAMES.iter().map(OsString::from).collect();
        let program = Program { name: name.into(), arguments, unset, limit: LIMIT, ..Program::default() };
        Call { what: what.into(), writes: false, loud: false, program }
    }

    /// One that changes something.
    pub fn write<A: Into<OsString>>(
        what: impl Into<String>,
        name: impl Into<OsString>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Call {
        Call { writes: true, ..Call::look(what, name, arguments) }
    }

    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Call {
        self.program.input = Some(bytes.into());
        self
    }

    pub fn set(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Call {
        self.program.set.push((name.into(), value.into()));
        self
    }

    pub fn within(mut self, folder: impl Into<PathBuf>) -> Call {
        self.program.folder = Some(folder.into());
        self
    }

    pub fn limit(mut self, limit: Duration) -> Call {
        self.program.limit = limit;
        self
    }

    pub fn loud(mut self) -> Call {
        self.loud = true;
        self
    }

    /// As one would type it.
    pub fn shown(&self) -> String {
        let words = std::iter::once(&self.program.name).chain(&self.program.arguments);
        words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
    }

    /// Runs it. `line` gets each whole line as it comes, cleaned.
    pub fn run(&self, secrets: &[Secret], stop: &StopFlag, line: &mut dyn FnMut(&str)) -> Result<Ran, ProgramError> {
        let (mut output, mut errors) = (Heard::default(), Heard::default());
        let code = run(&self.program, stop, &mut |channel, bytes| {
            let heard = if channel == Channel::Output { &mut output } else { &mut errors };
            heard.take(bytes, &mut |text| line(&hidden(text, secrets)));
        })?;
        output.flush(&mut |text| line(&hidden(text, secrets)));
        errors.flush(&mut |text| line(&hidden(text, secrets)));
        Ok(Ran { code, output: hidden(&output.text(), secrets), errors: hidden(&errors.text(), secrets) })
    }
}

/// How it ended and what it printed, at most 8 MiB of each (the end of it).
#[derive(Debug, Clone, Default)]
pub struct Ran {
    pub code: i32,
    pub output: String,
    pub errors: String,
}

impl Ran {
    pub fn ok(&self) -> bool {
        self.code == 0
    }

    /// The last lines of what it said, errors before output: for a problem's `why`.
    pub fn said(&self, lines: usize) -> String {
        let text = if self.errors.trim().is_empty() { &self.output } else { &self.errors };
        let all: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let last = all.get(all.len().saturating_sub(lines)..).unwrap_or_default();
        if last.is_empty() { "it said nothing".into() } else { last.join("\n") }
    }
}

/// `text` without the secrets.
pub fn hidden(text: &str, secrets: &[Secret]) -> String {
    let long = secrets.iter().filter(|secret| !secret.is_empty());
    long.fold(text.to_owned(), |text, secret| text.replace(secret.reveal(), "(secret)"))
}

/// Bytes that came, and the line that is not whole yet.
#[derive(Default)]
struct Heard {
    bytes: Vec<u8>,
    line: Vec<u8>,
}

impl Heard {
    fn take(&mut self, bytes: &[u8], line: &mut dyn FnMut(&str)) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") || self.line.len() > KEPT {
                self.flush(line);
            }
        }
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > 2 * KEPT {
            self.bytes.drain(..self.bytes.len() - KEPT);
        }
    }

    fn flush(&mut self, line: &mut dyn FnMut(&str)) {
        if !self.line.is_empty() {
            line(String::from_utf8_lossy(&self.line).trim_end_matches(['\n', '\r']));
            self.line.clear();
        }
    }

    fn text(&self) -> String {
        let from = self.bytes.len().saturating_sub(KEPT);
        String::from_utf8_lossy(self.bytes.get(from..).unwrap_or_default()).into_owned()
    }
}

/// A word as a POSIX shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// A command of `ops.toml` as words: spaces divide, quotes keep together, nothing else means anything.
pub fn words(line: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    match quote {
        Some(quote) => Err(format!("{line:?}: {quote} is not closed")),
        None if words.is_empty() => Err("it is empty".into()),
        None => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_taken_out_wherever_it_is_printed() {
        let script = "printf hu; sleep 0.2; echo sh; echo hush >&2";
        let call = Call::look("speak", "sh", ["-c", script]);
        let mut lines = Vec::new();
        let secrets = [Secret::new("hush"), Secret::default()];
        let ran = call.run(&secrets, &StopFlag::new(), &mut |line| lines.push(line.to_owned())).unwrap();
        assert_eq!((ran.output.as_str(), ran.errors.as_str()), ("(secret)\n", "(secret)\n"));
        assert_eq!(lines, ["(secret)", "(secret)"]);
    }

    #[test]
    fn only_the_end_of_much_is_kept() {
        let call = Call::look("speak", "sh", ["-c", "head -c 30000000 /dev/zero; echo; echo end"]);
        let ran = call.run(&[], &StopFlag::new(), &mut |_| {}).unwrap();
        assert!(ran.output.len() <= KEPT && ran.output.ends_with("end\n"));
    }

    #[test]
    fn commands_are_shown_as_one_would_type_them() {
        let call = Call::look("x", "ssh", ["a host", "it's", "", "-p", "22", "a\nb"]);
        assert_eq!(call.shown(), "ssh 'a host' 'it'\\''s' '' -p 22 'a\nb'");
    }

    #[test]
    fn words_of_a_command() {
        assert_eq!(words("cargo  test --x='a b' \"\" $(rm)").unwrap(), ["cargo", "test", "--x=a b", "", "$(rm)"]);
        assert!(words("a 'b").is_err() && words("  ").is_err());
    }
}
