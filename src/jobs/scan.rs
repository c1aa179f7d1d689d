//! The thread that watches the disks: a scan at each change, and every few seconds as a net below that (DV-4).

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::disk::Disk;
use crate::host::Host;

use super::trouble;

/// What the last scan saw, or why there was none.
pub type Scan = Result<Vec<Disk>, String>;

const NET: Duration = Duration::from_secs(3);

/// Ends when nobody listens any more.
pub fn watch_disks(host: Arc<dyn Host>) -> std::io::Result<watch::Receiver<Option<Arc<Scan>>>> {
    let (sender, receiver) = watch::channel(None);
    thread::Builder::new().name("disks".into()).spawn(move || {
        while !sender.is_closed() {
            let scan = host.disks().map_err(|error| trouble::chain(&error));
            sender.send_replace(Some(Arc::new(scan)));
            host.wait_change(NET);
        }
    })?;
    Ok(receiver)
}
