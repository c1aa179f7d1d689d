//! What the Supervisor answers when it does not do what was asked, each cause told apart (BK-5).

use std::time::Duration;

use crate::domain::problem::Problem;
use crate::domain::size::Bytes;
use crate::texts::Phrase;

/// `at` names the exchange: `GET /os/info`. Texts of the Supervisor are bounded to a few lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SupervisorError {
    /// There is none to send: the app was not started by a Supervisor, or lacks `hassio_api`.
    #[error("asking the Supervisor ({at}) without a token")]
    NoToken { at: String },
    #[error("asking the Supervisor ({at}): 401, it does not accept the token")]
    Unauthorized { at: String },
    /// The role does not allow it, the token is a wrong one, or the path is unknown to it: they look alike.
    #[error("asking the Supervisor ({at}): 403, {said}")]
    Forbidden { at: String, said: String },
    /// It starts or ends; later it answers.
    #[error("asking the Supervisor ({at}): it is not ready, {said}")]
    NotReady { at: String, said: String },
    /// It understood and refused. `job`: where it says why.
    #[error("asking the Supervisor ({at}): refused, {said}")]
    Refused { at: String, said: String, job: Option<String> },
    #[error("asking the Supervisor ({at}): 404, {said}")]
    NotFound { at: String, said: String },
    /// 429 and all from 500 on.
    #[error("asking the Supervisor ({at}): status {status}, {said}")]
    Trouble { at: String, status: u16, said: String },
    #[error("asking the Supervisor ({at}): no answer within {limit:?}")]
    Silent { at: String, limit: Duration },
    /// Nobody listens there, or its name is unknown.
    #[error("reaching the Supervisor ({at}): {said}")]
    Unreachable { at: String, said: String },
    /// The connection ended before the answer did.
    #[error("asking the Supervisor ({at}): the connection was lost, {said}")]
    Lost { at: String, said: String },
    #[error("reading the Supervisor's answer ({at}): {said}")]
    NotJson { at: String, said: String },
    #[error("reading the Supervisor's answer ({at}): more than {limit}")]
    TooLarge { at: String, limit: Bytes },
    #[error("stopped")]
    Stopped,
}

impl SupervisorError {
    /// It may answer rightly if it is asked again soon.
    pub fn is_passing(&self) -> bool {
        use SupervisorError as E;
        matches!(self, E::Trouble { .. } | E::Silent { .. } | E::Unreachable { .. } | E::Lost { .. })
    }

    /// As a user meets it.
    pub fn problem(&self) -> Problem {
        match self {
            SupervisorError::NotReady { .. } => Problem::StillStarting,
            SupervisorError::Refused { said, .. } => refused(said),
            other => Problem::SupervisorSilent { said: other.said() },
        }
    }

    /// One sentence for the user: what happened.
    pub fn said(&self) -> Phrase {
        use SupervisorError as E;
        match self {
            E::NoToken { .. } => Phrase::of("said-no-token"),
            E::Unauthorized { .. } => Phrase::of("said-unauthorized"),
            E::Forbidden { .. } => Phrase::of("said-forbidden"),
            E::NotReady { said, .. } => Phrase::with("said-not-ready", &[("said", said)]),
            E::Refused { said, .. } | E::NotFound { said, .. } => Phrase::with("said-refused", &[("said", said)]),
            E::Trouble { status, .. } => Phrase::with("said-trouble", &[("status", &status.to_string())]),
            E::Silent { limit, .. } => Phrase::with("said-silent", &[("seconds", &limit.as_secs().to_string())]),
            E::Unreachable { .. } => Phrase::of("said-unreachable"),
            E::Lost { .. } => Phrase::of("said-lost"),
            E::NotJson { .. } | E::TooLarge { .. } => Phrase::of("said-garbled"),
            E::Stopped => Phrase::of("said-stopped"),
        }
    }
}

/// The words with which a backup is refused at once (HA §1.4) → what the user can do.
fn refused(said: &str) -> Problem {
    if said.contains("not running - freeze") || said.contains("already running") || said.contains("another job") {
        return Problem::BackupRunning;
    }
    if said.contains("system is not running") {
        return Problem::StillStarting;
    }
    match said.contains("not enough free space").then(|| gigabytes_in(said)).flatten() {
        Some(free) => Problem::NoRoomForBackup { free, need: SPACE_LEAST },
        None => Problem::BackupFailed { said: Phrase::foreign(said) },
    }
}

/// Below this much free space the Supervisor makes no backup at all (HA §1.4).
const SPACE_LEAST: Bytes = Bytes::gib(2);

/// "… (1.4GB) left on the device": its GB are GiB.
fn gigabytes_in(said: &str) -> Option<Bytes> {
    let (_, rest) = said.split_once('(')?;
    let (number, _) = rest.split_once("GB)")?;
    let gib: f64 = number.trim().parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0)?;
    Some(Bytes((gib * (1u64 << 30) as f64) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_supervisor_says_when_it_refuses_a_backup() {
        let blocked = "'BackupManager.do_backup_full' blocked from execution, ";
        let free = Bytes((1.4 * (1u64 << 30) as f64) as u64);
        let cases = [
            ("system is not running - freeze", Problem::BackupRunning),
            ("system is not running - startup", Problem::StillStarting),
            ("another job is running for job group backup_manager", Problem::BackupRunning),
            ("not enough free space (1.4GB) left on the device", Problem::NoRoomForBackup { free, need: SPACE_LEAST }),
        ];
        for (text, want) in cases {
            let error = SupervisorError::Refused { at: String::new(), said: format!("{blocked}{text}"), job: None };
            assert_eq!(error.problem(), want, "{text}");
        }
        let other = SupervisorError::Refused { at: String::new(), said: "extra keys".into(), job: None };
        assert_eq!(other.problem(), Problem::BackupFailed { said: Phrase::foreign("extra keys") });
    }
}
