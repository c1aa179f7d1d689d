//! Disk work runs on named threads of its own, not in a pool that the runtime waits for at its end.

use tokio::sync::oneshot;

use crate::domain::problem::Problem;
use crate::texts::Phrase;

use super::trouble::Trouble;

/// Runs `work` on a thread of its own. A thread that cannot be had, or that panics, is a problem, not a panic.
pub async fn on_thread<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Trouble> {
    let (sender, receiver) = oneshot::channel();
    let spawned = std::thread::Builder::new().name(name.into()).spawn(move || {
        // Nobody waits any more when the program ends in the middle.
        let _ = sender.send(work());
    });
    let broke = |short: String| Trouble::plain(Problem::Unexpected { short: Phrase::foreign(short) });
    spawned.map_err(|error| broke(format!("The thread for {name} could not be started: {error}")))?;
    receiver.await.map_err(|_| broke(format!("The thread for {name} ended unexpectedly")))
}
