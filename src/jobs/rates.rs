//! What an earlier job of this system measured: the best guess for the next one (face §8).

use crate::domain::estimate::Rates;
use crate::domain::job::{JobState, JobView};
use crate::domain::stage::Stage;

/// The rates of a job that was finished; `None` for any other.
pub fn measured(job: &JobView) -> Option<Rates> {
    if job.state != JobState::Done {
        return None;
    }
    let usual = Rates::default();
    let of = |stage, usual| {
        let view = job.stage(stage).filter(|view| view.millis >= 1000 && view.amount.done > 0);
        view.map_or(usual, |view| (view.amount.done.saturating_mul(1000) / view.millis).max(1))
    };
    // Beside a download that took as long the card may have waited for it, and is at least so fast.
    let millis = |stage| job.stage(stage).map_or(0, |view| view.millis);
    let waited = millis(Stage::Download).saturating_mul(10) >= millis(Stage::Write).saturating_mul(9);
    let write = of(Stage::Write, usual.card_write);
    Some(Rates {
        card_write: if waited { write.max(usual.card_write) } else { write },
        card_read: of(Stage::Verify, usual.card_read),
        network: of(Stage::Download, usual.network),
        backup: of(Stage::Backup, usual.backup),
    })
}
