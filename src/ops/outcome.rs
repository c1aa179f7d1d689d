//! How a lane ends: what was reached, or a problem with its reason and its way out.

use std::fmt;

/// A lane that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    Done,
    /// What it is for was there already.
    Unchanged,
}

impl Finish {
    /// Of several lanes in a row: unchanged only if all of them were.
    pub fn and(self, other: Finish) -> Finish {
        if self == Finish::Unchanged { other } else { Finish::Done }
    }
}

/// Who said no; the exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A check said no.
    SaidNo = 1,
    /// Called or set up wrongly; also a program or a file of this machine that is not as it has to be.
    Usage = 2,
    /// The host, the share or the published repository cannot be reached.
    Unreachable = 3,
    /// It was reached, and refused or failed.
    Refused = 4,
    /// It runs, but not as it should.
    Wrong = 5,
    /// Ctrl-C.
    Stopped = 130,
}

impl Kind {
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// What went wrong · why · what to do. Each is a sentence or two, with no line end at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub kind: Kind,
    pub what: String,
    pub why: String,
    /// Empty where nothing but reading `why` helps.
    pub todo: String,
}

impl Problem {
    pub fn new(kind: Kind, what: impl Into<String>, why: impl Into<String>, todo: impl Into<String>) -> Problem {
        Problem { kind, what: what.into(), why: why.into(), todo: todo.into() }
    }

    pub fn usage(what: impl Into<String>, why: impl Into<String>, todo: impl Into<String>) -> Problem {
        Problem::new(Kind::Usage, what, why, todo)
    }

    pub fn stopped(what: impl Into<String>) -> Problem {
        Problem::new(Kind::Stopped, what, "it was stopped", "")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        for more in [&self.why, &self.todo].into_iter().filter(|more| !more.is_empty()) {
            write!(f, "\n  {}", more.replace('\n', "\n  "))?;
        }
        Ok(())
    }
}

pub type Ended = Result<Finish, Problem>;
