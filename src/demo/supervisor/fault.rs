//! What can go wrong, each as it was recorded or as networks do it.

use std::time::Duration;

/// One thing that goes wrong until it is cleared.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    Backup(BackupFault),
    /// How requests are answered; `path`: only those whose path begins so; `times`: only the first so many.
    Answer {
        how: AnswerFault,
        path: Option<String>,
        times: Option<u32>,
    },
}

impl Fault {
    /// Every request, until it is cleared.
    pub fn every(how: AnswerFault) -> Fault {
        Fault::Answer { how, path: None, times: None }
    }

    pub fn at(path: &str, how: AnswerFault) -> Fault {
        Fault::Answer { how, path: Some(path.into()), times: None }
    }

    pub fn times(n: u32, path: &str, how: AnswerFault) -> Fault {
        Fault::Answer { how, path: Some(path.into()), times: Some(n) }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum BackupFault {
    /// Core answers the prepare command with an error: done, progress 100, errors, no backup.
    CoreRefuses,
    /// Core never answers; nothing changes until the fault is cleared, then it fails.
    CoreHangs,
    /// The command of this app before its backup fails: only a child error; the app is left out.
    AppFails(String),
    /// The image of this locally built app cannot be exported: likewise.
    ImageExportFails(String),
    /// Refused at once; leaves a job that is done without errors and without a reference.
    NoSpace,
    /// Accepted, but its job is such a one.
    NotBegun,
    /// The Supervisor dies in the middle; it is back after so long.
    Killed { down: Duration },
    /// It is restarted just after the file was finished, and lists it then.
    RestartedAtEnd { down: Duration },
    /// Done and listed, but the file is gone.
    FileLost,
    /// Done without an error, but not listed.
    NotListed,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AnswerFault {
    /// Takes the request and never answers.
    Silence,
    /// Status 200 and something that is no JSON.
    Garbage,
    /// JSON of 10 MB.
    Huge,
    /// Such a status with a text.
    Status(u16),
    /// Every connection is cut.
    Drop,
    /// As for a wrong token or role.
    Forbidden,
    /// 400: the system is not ready.
    NotReady,
}
