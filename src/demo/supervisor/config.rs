//! What a stand-in plays: by default a Raspberry Pi 4 with Home Assistant OS 18.2, as in the recordings.

use std::path::PathBuf;
use std::time::Duration;

/// The rights that the Supervisor gives the calling app (HA §1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Without `hassio_api`.
    None,
    Default,
    Backup,
    Manager,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppConfig {
    pub slug: String,
    pub name: String,
    pub version: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    Dhcp,
    Static,
    Wifi,
    /// Static Ethernet (primary) and Wi-Fi.
    Both,
}

#[derive(Debug, Clone)]
pub struct StandinConfig {
    pub token: String,
    pub role: Role,
    /// Where its backups are kept; made if it is missing.
    pub backup_dir: PathBuf,
    pub machine: String,
    /// `None`: not Home Assistant OS.
    pub board: Option<String>,
    pub os_version: String,
    pub os_latest: String,
    pub os_pending: Option<String>,
    pub supervisor_version: String,
    pub core_version: String,
    pub hostname: String,
    /// `running`, `startup`, `setup` (then it is not ready for anything), …
    pub state: String,
    pub supported: bool,
    pub unhealthy: Vec<String>,
    pub unsupported: Vec<String>,
    pub internet: bool,
    pub network: Network,
    pub disk_free_gib: f64,
    pub disk_used_gib: f64,
    pub disk_total_gib: f64,
    pub data_disk: String,
    /// `/hardware/info` drives, verbatim; `None`: an SD card in the slot and a camera card in a USB reader.
    pub drives: Option<serde_json::Value>,
    pub apps: Vec<AppConfig>,
    /// What a full backup holds of the folders; today's leaves `addons/local` out.
    pub folders: Vec<String>,
    /// About so many bytes a new backup has.
    pub backup_size: u64,
    /// Bytes in a second at which a backup grows; `None`: as fast as it can.
    pub backup_speed: Option<u64>,
    /// A pause at each step of a backup, so that somebody who polls can see it.
    pub step: Duration,
    /// Names of child jobs as before 2026: `backup_addon_save` for `backup_app_save`.
    pub old_names: bool,
}

impl StandinConfig {
    pub fn new(backup_dir: impl Into<PathBuf>) -> StandinConfig {
        let app = |slug: &str, name: &str, version: &str| AppConfig {
            slug: slug.into(),
            name: name.into(),
            version: version.into(),
        };
        StandinConfig {
            token: "stand-in-token".into(),
            role: Role::Backup,
            backup_dir: backup_dir.into(),
            machine: "raspberrypi4-64".into(),
            board: Some("rpi4-64".into()),
            os_version: "18.2".into(),
            os_latest: "18.2".into(),
            os_pending: None,
            supervisor_version: "2026.08.0".into(),
            core_version: "2026.8.3".into(),
            hostname: "homeassistant".into(),
            state: "running".into(),
            supported: true,
            unhealthy: Vec::new(),
            unsupported: Vec::new(),
            internet: true,
            network: Network::Dhcp,
            disk_free_gib: 20.4,
            disk_used_gib: 7.6,
            disk_total_gib: 28.0,
            data_disk: "SC32G-0x1a2b3c4d".into(),
            drives: None,
            apps: vec![
                app("core_mosquitto", "Mosquitto broker", "6.5.2"),
                app("a0d7b954_nodered", "Node-RED", "20.0.1"),
            ],
            folders: ["share", "ssl", "media"].map(String::from).to_vec(),
            backup_size: 200_000,
            backup_speed: None,
            step: Duration::from_millis(8),
            old_names: false,
        }
    }
}
