//! Settings: options of the app and environment → [`Settings`], validated once at the start (AP-6).

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use url::Url;

/// Everything that can be set, valid. Nothing downstream sees a raw string.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Base of the Supervisor's API.
    pub supervisor: Url,
    /// Bearer token; never logged.
    pub token: Secret,
    pub listen: SocketAddr,
    /// Peers let in besides loopback.
    pub allow_from: Vec<IpNet>,
    /// Ledger, logs, image cache.
    pub data: PathBuf,
    /// Where the Supervisor's backups are mapped.
    pub backup: PathBuf,
    /// Site of the releases: `{site}/home-assistant/operating-system/releases/download/…`.
    pub releases: Url,
    /// API of the releases: `{api}/repos/home-assistant/operating-system/releases/tags/…`.
    pub releases_api: Url,
    /// Level or filter of the log.
    pub log: String,
}

pub use crate::domain::secret::Secret;
