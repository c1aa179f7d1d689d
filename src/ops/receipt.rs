//! What a lane did, kept as JSON (`docs/ops-receipt.schema.json`) in a folder for each run, with its tokens beside it.
//!
//! A receipt is written when its lane begins and anew after each step, whole or not at all: also a program that is killed
//! leaves one that says what was done, and that it failed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use super::outcome::Problem;
use super::token::Token;
use super::whole::replace;

/// The form of the receipts.
const FORM: u32 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Ok,
    Failed,
    Unchanged,
}

/// One thing that was done, or seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub what: String,
    /// As one would type it; none where no program was run.
    pub command: Option<String>,
    /// Its exit status; none where it has none.
    pub exit: Option<i32>,
    pub ms: u64,
    pub note: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct AppSeen {
    pub slug: String,
    pub version: String,
    /// `sha256:…` over the files that are sent; none where the lane sends nothing.
    pub tree: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct TargetSeen {
    pub name: String,
    /// `ssh`, `ws`, `restart`; `none` where the lane asks no host.
    pub via: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Trouble {
    pub code: u8,
    pub what: String,
    pub why: String,
    pub todo: String,
}

impl Trouble {
    pub fn of(problem: &Problem) -> Trouble {
        let Problem { kind, what, why, todo } = problem.clone();
        Trouble { code: kind.code(), what, why, todo }
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Receipt {
    pub v: u32,
    pub lane: String,
    pub result: Outcome,
    pub tokens: Vec<String>,
    pub app: Option<AppSeen>,
    pub target: TargetSeen,
    pub steps: Vec<Step>,
    /// Files of the project that belong to it: reports of its tests, kept outputs.
    pub files: Vec<String>,
    pub problem: Option<Trouble>,
    pub started: String,
    pub ended: String,
}

impl Receipt {
    /// Failed, until it is known better.
    pub fn begin(lane: &str, app: Option<AppSeen>, target: TargetSeen) -> Receipt {
        let now = now();
        Receipt {
            v: FORM,
            lane: lane.into(),
            result: Outcome::Failed,
            tokens: Vec::new(),
            app,
            target,
            steps: Vec::new(),
            files: Vec::new(),
            problem: None,
            started: now.clone(),
            ended: now,
        }
    }

    pub fn token(&mut self, token: Token) {
        self.tokens.push(token.to_string());
    }
}

/// UTC, to the second.
pub fn now() -> String {
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    now.format(&Rfc3339).unwrap_or_default()
}

/// The folder of one run: `<receipts>/2026-09-01T12-00-00Z`, and the link `latest` to it.
#[derive(Debug)]
pub struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// Makes it. A second run in the same second gets a folder of its own.
    pub fn open(receipts: &Path) -> io::Result<Shelf> {
        fs::create_dir_all(receipts)?;
        let form = format_description!("[year]-[month]-[day]T[hour]-[minute]-[second]Z");
        let name = OffsetDateTime::now_utc().format(form).unwrap_or_default();
        let names = (1..1000).map(|n| if n == 1 { name.clone() } else { format!("{name}-{n}") });
        for name in names {
            match fs::create_dir(receipts.join(&name)) {
                Ok(()) => {
                    point(receipts, &name)?;
                    return Ok(Shelf { folder: receipts.join(name) });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn keep(&self, receipt: &Receipt) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(receipt)?;
        replace(&self.folder.join(format!("{}.json", receipt.lane)), &text)
    }

    /// One more line of `tokens.txt`.
    pub fn keep_token(&self, token: Token) -> io::Result<()> {
        let mut file = File::options().create(true).append(true).open(self.folder.join("tokens.txt"))?;
        file.write_all(format!("TOKEN: {token}\n").as_bytes())
    }

    /// The output of a program, under a name of its own; returns its path.
    pub fn keep_output(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.folder.join(name);
        replace(&path, text.as_bytes())?;
        Ok(path)
    }
}

/// `latest` → `name`. What stands there and is no link is somebody else's.
fn point(receipts: &Path, name: &str) -> io::Result<()> {
    let (link, new) = (receipts.join("latest"), receipts.join(format!(".latest-{name}")));
    match fs::symlink_metadata(&link) {
        Ok(about) if !about.is_symlink() => return Ok(()),
        _ => {}
    }
    symlink(name, &new)?;
    fs::rename(new, link)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> TargetSeen {
        TargetSeen { name: "default".into(), via: "ssh".into() }
    }

    #[test]
    fn each_run_has_a_folder_and_latest_is_the_last() {
        let dir = tempfile::tempdir().unwrap();
        let receipts = dir.path().join("reports/ops");
        let first = Shelf::open(&receipts).unwrap();
        let second = Shelf::open(&receipts).unwrap();
        assert_ne!(first.folder(), second.folder());
        second.keep(&Receipt::begin("check", None, target())).unwrap();
        let text = fs::read_to_string(receipts.join("latest/check.json")).unwrap();
        let seen: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((seen["v"].as_u64(), seen["result"].as_str()), (Some(1), Some("failed")));
    }

    #[test]
    fn tokens_are_greppable() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(dir.path()).unwrap();
        Token::ALL.into_iter().for_each(|token| shelf.keep_token(token).unwrap());
        let text = fs::read_to_string(dir.path().join("latest/tokens.txt")).unwrap();
        assert!(text.starts_with("TOKEN: STRUCTURE_OK\nTOKEN: WS_READY\n") && text.lines().count() == 9);
    }

    #[test]
    fn a_folder_named_latest_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("latest")).unwrap();
        Shelf::open(dir.path()).unwrap();
        assert!(fs::symlink_metadata(dir.path().join("latest")).unwrap().is_dir());
    }
}
