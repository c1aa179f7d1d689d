//! What is known of the running system: from the Supervisor, asked anew about once a minute.

use serde::{Deserialize, Serialize};

use super::backup::ListedBackup;
use super::image::OsVersion;
use super::job::Warning;
use super::network::Network;
use super::problem::Problem;
use super::size::Bytes;

/// A drive as `/hardware/info` lists it; used to find the system's own disks (DV-3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drive {
    pub id: String,
    pub vendor: String,
    pub model: String,
    pub serial: String,
    pub size: Bytes,
    /// Device paths of its file systems: `/dev/mmcblk0p8`.
    pub devices: Vec<String>,
    /// A file system of it is marked `system: true` or has a mount point.
    pub used_by_system: bool,
}

/// One reading of the system. Fields are `None` where the Supervisor did not answer or has no value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SystemFacts {
    pub machine: Option<String>,
    /// `/os/info.board`, exact image slug; `None` on a system that is not Home Assistant OS (PF-5).
    pub board: Option<String>,
    pub os_version: Option<OsVersion>,
    pub os_latest: Option<OsVersion>,
    /// An OS update is installed and waits for a reboot.
    pub os_pending: Option<OsVersion>,
    pub supervisor_version: Option<String>,
    pub core_version: Option<String>,
    pub hostname: Option<String>,
    /// `running`, `startup`, `setup`, `freeze`, …
    pub state: Option<String>,
    pub supported: Option<bool>,
    /// Reasons of `/resolution/info`.
    pub unhealthy: Vec<String>,
    pub unsupported: Vec<String>,
    /// IPv4 addresses without the prefix length, the primary interface first.
    pub addresses: Vec<String>,
    pub internet: Option<bool>,
    /// What the interfaces are set to; `None`: `/network/info` did not answer.
    #[serde(skip)]
    pub network: Option<Network>,
    /// Data partition: GiB with one decimal in the API, so known to about 50 MB (HA §1.3).
    pub disk_free: Option<Bytes>,
    pub disk_used: Option<Bytes>,
    pub disk_total: Option<Bytes>,
    /// Drive id of the data disk (`/os/info.data_disk`).
    pub data_disk: Option<String>,
    /// `None`: `/hardware/info` did not answer.
    pub drives: Option<Vec<Drive>>,
    /// Newest first; `None`: the list did not answer.
    pub backups: Option<Vec<ListedBackup>>,
    /// Our own slug among the apps, as in the addresses of Home Assistant: `0123abcd_sd_swap`.
    pub app: Option<String>,
    /// Installed apps with slug `local_*`: their folder is missing from full backups (BK-7).
    pub local_apps: Vec<String>,
}

impl SystemFacts {
    /// Expected size of a full backup: that of the last full one, else what the system uses (PF-3). Never a promise.
    pub fn expected_backup(&self) -> Option<Bytes> {
        let last_full = self
            .backups
            .iter()
            .flatten()
            .find(|b| b.facts.kind == super::backup::BackupKind::Full && !b.facts.without_database);
        last_full.map(|b| b.size).or(self.disk_used)
    }
}

/// The system with what speaks against making a card at all (PF-5, PF-6), whatever disk is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SystemView {
    /// False until the first reading came back, and on a PC without a Supervisor.
    pub known: bool,
    pub facts: SystemFacts,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Warning>,
    /// Smallest card that image and expected backup fit on (PF-4).
    pub need: Option<Bytes>,
    /// The image kept in the cache, if any: file name and packed size (IM-4).
    pub kept_image: Option<(String, Bytes)>,
    /// "SanDisk Extreme, 32 GB": the disk it runs from.
    pub runs_from: Option<String>,
}
