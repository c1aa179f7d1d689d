//! The thread that watches the disks: a scan at each change, and every few seconds as a net below that (DV-4).

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::domain::causes::chain;
use crate::domain::disk::Disk;
use crate::host::Host;

/// What the last scan saw, or why there was none.
pub type Scan = Result<Vec<Disk>, String>;

const NET: Duration = Duration::from_secs(3);
/// Between two looks at whether somebody wants a scan now.
const TURN: Duration = Duration::from_millis(100);

/// The scans, and the way to ask for one.
#[derive(Debug, Clone)]
pub struct Scans {
    pub seen: watch::Receiver<Option<Arc<Scan>>>,
    wanted: Arc<AtomicBool>,
}

impl Scans {
    /// Soon: what we ourselves held is free now, which no kernel announces.
    pub fn look_again(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }
}

/// Ends when nobody listens any more.
pub fn watch_disks(host: Arc<dyn Host>) -> io::Result<Scans> {
    let (sender, seen) = watch::channel(None);
    let wanted = Arc::new(AtomicBool::new(false));
    let asked = wanted.clone();
    thread::Builder::new().name("disks".into()).spawn(move || {
        while !sender.is_closed() {
            let scan = host.disks().map_err(|error| chain(&error));
            sender.send_replace(Some(Arc::new(scan)));
            wait(host.as_ref(), &asked, || sender.is_closed());
        }
    })?;
    Ok(Scans { seen, wanted })
}

/// Until a change, a wish, the end, or the net below all of them.
fn wait(host: &dyn Host, wanted: &AtomicBool, closed: impl Fn() -> bool) {
    let begun = Instant::now();
    while begun.elapsed() < NET && !wanted.swap(false, Ordering::Relaxed) && !closed() {
        if host.wait_change(TURN) {
            return;
        }
    }
}
