//! `finish`: the last part of a move, from any computer beside the new system (FN-2).
//!
//! Exit codes: 0 the home is back · 1 it failed · 2 refused, or called wrongly · 3 it is set up already · 4 the backup is
//! not on it · 5 the backup's key is missing or wrong · 6 given up · 130 stopped by the user.

use std::io::{IsTerminal, Write, stderr, stdin};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::domain::backup::BackupSlug;
use crate::domain::finish::{End, Limits, Situation};
use crate::domain::secret::Secret;
use crate::finish::{Ended, Finishing, Memory, Place, Timing, finish};
use crate::texts::Language;

use super::finish_face::Terminal;
use super::{Exit, asked_to_end, log_level, log_to_stderr};

#[derive(Debug, Args)]
#[command(after_help = "\
Start it when the old system is off, or before; stop it with Ctrl-C. Started again while a restore runs, it only watches.

Exit codes: 0 the home is back, 1 it failed, 2 refused or called wrongly, 3 the system is set up already,
4 the backup is not on it, 5 its key is missing or wrong, 6 given up, 130 stopped by you.

Examples:
  sd-swap finish --host homeassistant.local
  sd-swap finish --host 192.168.1.10 --slug 0a1b2c3d --key-file key.txt --json")]
pub struct FinishArgs {
    /// The new system: its name or address.
    #[arg(long)]
    host: Place,
    /// Slug of the backup to restore; else the only one that lies there.
    #[arg(long)]
    slug: Option<BackupSlug>,
    /// Look at this port only (may be given several times); else at 80 and 8123.
    #[arg(long)]
    port: Vec<u16>,
    /// File with the key of an encrypted backup; else it is asked for.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Do not ask whether the only backup is the right one.
    #[arg(long)]
    yes: bool,
    /// Print one JSON object a line; nothing is asked.
    #[arg(long)]
    json: bool,
    /// Give up after waiting for so long, and again after a restore has run for so long: 90s, 30m, 6h.
    #[arg(long, value_name = "TIME", default_value = "6h", value_parser = parse_time)]
    timeout: Duration,
}

/// `90s`, `30m`, `6h`; a bare number is seconds.
fn parse_time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time; write for example 90s, 30m or 6h");
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    let whole = number.checked_mul(seconds).filter(|whole| (1..=7 * 24 * 3600).contains(whole));
    whole.map(Duration::from_secs).ok_or_else(wrong)
}

pub fn run(args: FinishArgs) -> Exit {
    log_to_stderr(&log_level());
    let key = match args.key_file.as_deref().map(read_key).transpose() {
        Ok(key) => key,
        Err(why) => {
            eprintln!("{why}");
            return Exit::Refused;
        }
    };
    let mut place = args.host;
    if !args.port.is_empty() {
        place.ports = args.port;
    }
    let can_ask = !args.json && stdin().is_terminal() && stderr().is_terminal();
    let mut face = Terminal::new(&place.host, args.json, can_ask);
    let what = Finishing {
        memory: memory_file(&place.host).map_or_else(Memory::none, |file| Memory::at(file, &place.host)),
        place,
        backup: args.slug,
        agreed: args.yes,
        key,
        limits: Limits { give_up: args.timeout },
        timing: Timing::real(),
    };
    let ended = actix_web::rt::System::new().block_on(finish(what, &mut face, asked_to_end()));
    let exit = exit_of(&ended);
    face.ended(&ended, exit.code());
    exit
}

/// The first line, without its end.
fn read_key(file: &Path) -> Result<Secret, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("reading {}: {error}", file.display()))?;
    match text.lines().next().map(str::trim).filter(|line| !line.is_empty()) {
        Some(line) => Ok(Secret::new(line)),
        None => Err(format!("{} holds no key in its first line.", file.display())),
    }
}

/// Where users keep the state of programs. One for each host: a host's name has no slashes.
fn memory_file(host: &str) -> Option<PathBuf> {
    let set = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    Some(set.or_else(home)?.join("sd-swap").join(format!("finish-{host}.json")))
}

pub(super) fn exit_of(ended: &Ended) -> Exit {
    match ended {
        Ended::Over { end, .. } => match end {
            End::Done => Exit::Done,
            End::Failed => Exit::Failed,
            End::Several => Exit::Refused,
            End::SetUp => Exit::Found(3),
            End::NotListed => Exit::Found(4),
            End::TimedOut => Exit::Found(6),
        },
        Ended::Declined => Exit::Refused,
        Ended::KeyNeeded => Exit::Found(5),
        Ended::Left { .. } => Exit::Stopped,
    }
}

/// What to know when leaving before the end, in English; empty where nothing runs.
pub(super) fn leaving_words(ended: &Ended, host: &str) -> Vec<String> {
    let Ended::Left { open, restoring: true, backup } = ended else { return Vec::new() };
    let slug = backup.as_ref().map(|slug| format!(" --slug {slug}")).unwrap_or_default();
    let command = format!("sd-swap finish --host {host}{slug}");
    let english = Language::English;
    let goes_on = if *open { english.say("finish-leave-open") } else { english.say("finish-leave-running") };
    vec![goes_on, english.with("finish-leave-watch", "command", command)]
}

/// Asks on the terminal; the last situation was shown.
pub(super) fn ask_line(question: &str) -> Option<String> {
    eprint!("{question} ");
    let mut answer = String::new();
    (stderr().flush().is_ok() && stdin().read_line(&mut answer).is_ok()).then(|| answer.trim().to_string())
}

/// The name of an end, for scripts.
pub(super) fn end_word(ended: &Ended) -> &'static str {
    match ended {
        Ended::Over { end: End::Done, .. } => "done",
        Ended::Over { end: End::Failed, .. } => "failed",
        Ended::Over { end: End::Several, .. } => "several",
        Ended::Over { end: End::SetUp, .. } => "set-up",
        Ended::Over { end: End::NotListed, .. } => "not-listed",
        Ended::Over { end: End::TimedOut, .. } => "timed-out",
        Ended::Declined => "declined",
        Ended::KeyNeeded => "key-needed",
        Ended::Left { .. } => "stopped",
    }
}

/// The link to the home, where there is one.
pub(super) fn link_of(ended: &Ended, host: &str) -> Option<String> {
    match ended {
        Ended::Over { end: End::Done, situation } => Some(Situation::link(situation, host)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(parse_time("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_time("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_time("30m"), Ok(Duration::from_secs(1800)));
        assert_eq!(parse_time("6h"), Ok(Duration::from_secs(21600)));
        for bad in ["", "0", "h", "-1s", "1d", "1.5h", "99999999999999999999h", "9999h", "6 h"] {
            assert!(parse_time(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_key_is_the_first_line_of_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        std::fs::write(&file, "  ABCD-1234\r\nmore").unwrap();
        assert_eq!(read_key(&file).unwrap().reveal(), "ABCD-1234");
        std::fs::write(&file, "\n").unwrap();
        assert!(read_key(&file).is_err());
        assert!(read_key(&dir.path().join("none")).is_err());
    }

    #[test]
    fn whoever_leaves_an_open_request_is_told_what_it_means() {
        let backup = Some("5e1f2a90".parse().unwrap());
        let ended = Ended::Left { open: true, restoring: true, backup };
        let words = leaving_words(&ended, "home.local").join(" ");
        assert!(words.contains("forgets") && words.contains("goes on"), "{words}");
        assert!(words.contains("sd-swap finish --host home.local --slug 5e1f2a90"), "{words}");
        assert_eq!(exit_of(&ended), Exit::Stopped);
        let idle = Ended::Left { open: false, restoring: false, backup: None };
        assert!(leaving_words(&idle, "home.local").is_empty());
    }
}
