//! What a recipe works with.

use std::path::PathBuf;
use std::sync::Arc;

use crate::domain::pace::Pace;
use crate::host::Host;
use crate::image::cache::Cache;
use crate::image::catalog::Catalog;
use crate::supervisor::Supervisor;

/// Lives on the jobs thread: the HTTP client is not to be sent to another.
pub struct World {
    pub host: Arc<dyn Host>,
    /// `None` on a PC.
    pub supervisor: Option<Supervisor>,
    pub client: awc::Client,
    /// `None` on a PC: images come from files and URLs there.
    pub catalog: Option<Catalog>,
    pub cache: Cache,
    /// Ledger and logs.
    pub data: PathBuf,
    /// Where the Supervisor's backups are mapped.
    pub backup_dir: PathBuf,
    pub pace: Pace,
}
