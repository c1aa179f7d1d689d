//! Floor 2: the Supervisor's API, role `backup` (facts HA §1), and the backups it makes.
//!
//! ```text
//! client    one exchange: token, limits, errors told apart, GETs retried, POSTs never
//! model     the shapes of its answers
//! system    what is known of the running system
//! network   its network settings
//! backups   the list; where the tar of a backup lies
//! making    a new full backup, from start to a listed file
//! line      is it there at all, and when to try again
//! follow    its job, until it is done or gone
//! archive   is a tar whole, and will it restore (blocking)
//! ```

mod archive;
mod backups;
mod client;
mod error;
mod facts;
mod follow;
mod line;
mod making;
mod members;
mod model;
mod network;
mod parts;
mod system;
mod words;

pub use archive::{ArchiveError, Damage, Depth, check_file, check_tar, read_backup_json, read_facts};
pub use backups::find_tar;
pub use client::Supervisor;
pub use error::SupervisorError;
pub use facts::{FactsError, parse_facts, warnings};
pub use follow::BackupProgress;
pub use making::{BackupError, MadeBackup};
pub use network::{NetworkFileError, parse_network};
pub use system::Reading;
