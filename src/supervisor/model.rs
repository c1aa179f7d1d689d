//! The shapes of the Supervisor's answers (HA §1.3, §1.7, §1.8). What is not read is left out; what may be missing is
//! an `Option`, so that an older or newer Supervisor costs one value, not the answer.

use serde::{Deserialize, Deserializer};

/// A value of another type than expected counts as missing.
fn lenient<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(serde_json::from_value(value).ok())
}

/// Entries of a list that do not fit are left out; so is a list that is none.
fn lenient_list<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    let list = if let serde_json::Value::Array(list) = value { list } else { Vec::new() };
    Ok(list.into_iter().filter_map(|v| serde_json::from_value(v).ok()).collect())
}

macro_rules! answer {
    ($(#[$doc:meta])* $name:ident { $($field:ident),* $(,)? } lists { $($list:ident: $of:ty),* $(,)? }
     numbers { $($number:ident),* } flags { $($flag:ident),* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Deserialize)]
        pub struct $name {
            $(#[serde(default, deserialize_with = "lenient")] pub $field: Option<String>,)*
            $(#[serde(default, deserialize_with = "lenient_list")] pub $list: Vec<$of>,)*
            $(#[serde(default, deserialize_with = "lenient")] pub $number: Option<f64>,)*
            $(#[serde(default, deserialize_with = "lenient")] pub $flag: Option<bool>,)*
        }
    };
}

answer!(
    /// `/info`
    Info { supervisor, homeassistant, hassos, hostname, machine, state } lists {} numbers {} flags { supported }
);
answer!(
    /// `/os/info`
    OsInfo { version, version_latest, version_pending, board, data_disk } lists {} numbers {} flags {}
);
answer!(
    /// `/host/info`; the numbers are GiB with one decimal.
    HostInfo { hostname } lists {} numbers { disk_free, disk_total, disk_used } flags {}
);
answer!(
    /// `/network/info`; `network` reads the settings, [`Interface`] the addresses of the moment.
    NetworkInfo {} lists { interfaces: serde_json::Value } numbers {} flags { host_internet, supervisor_internet }
);
answer!(
    /// `/resolution/info`
    ResolutionInfo {} lists { unhealthy: String, unsupported: String } numbers {} flags {}
);
answer!(
    /// `/supervisor/info`
    SupervisorInfo { version } lists { addons: InstalledApp } numbers {} flags { supported }
);
answer!(
    /// `/addons/self/info`
    SelfInfo { slug } lists {} numbers {} flags {}
);
answer!(
    InstalledApp { slug, name } lists {} numbers {} flags {}
);
answer!(
    Addresses {} lists { address: String } numbers {} flags {}
);

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Interface {
    #[serde(default, deserialize_with = "lenient")]
    pub primary: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub connected: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub ipv4: Option<Addresses>,
}

/// `/hardware/info`. A list of drives must be there, and each drive must be readable: one left out would not be
/// protected (DV-3).
#[derive(Debug, Clone, Deserialize)]
pub struct HardwareInfo {
    pub drives: Vec<RawDrive>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct RawDrive {
    pub id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub vendor: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub model: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub serial: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub size: Option<u64>,
    pub filesystems: Vec<FileSystem>,
}

/// What tells the system's own file systems is read strictly: a drive must never pass as unused by a misreading.
#[derive(Debug, Clone, Deserialize)]
pub struct FileSystem {
    #[serde(default, deserialize_with = "lenient")]
    pub device: Option<String>,
    pub system: Option<bool>,
    #[serde(default)]
    pub mount_points: Vec<String>,
}

/// `/backups`, `/backups/info`
#[derive(Debug, Clone, Deserialize)]
pub struct BackupList {
    #[serde(deserialize_with = "lenient_list")]
    pub backups: Vec<RawBackup>,
}

/// An entry of the list; `/backups/{slug}/info` has the same fields with `homeassistant`, `addons`, `folders` in place
/// of `content`.
#[derive(Debug, Clone, Deserialize)]
pub struct RawBackup {
    pub slug: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub date: Option<String>,
    /// MiB
    #[serde(default, deserialize_with = "lenient")]
    pub size: Option<f64>,
    #[serde(default, deserialize_with = "lenient")]
    pub size_bytes: Option<u64>,
    /// `None`: only in this machine's own folder.
    #[serde(default, deserialize_with = "lenient")]
    pub location: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub locations: Option<Vec<Option<String>>>,
    #[serde(default, deserialize_with = "lenient")]
    pub location_attributes: Option<std::collections::HashMap<String, Copy>>,
    #[serde(default, deserialize_with = "lenient")]
    pub protected: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub compressed: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub content: Option<Content>,
    #[serde(default, deserialize_with = "lenient")]
    pub homeassistant: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub homeassistant_exclude_database: Option<bool>,
    #[serde(default, deserialize_with = "lenient_list")]
    pub addons: Vec<InstalledApp>,
    #[serde(default, deserialize_with = "lenient_list")]
    pub folders: Vec<String>,
}

/// The backup at one location.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Copy {
    #[serde(default, deserialize_with = "lenient")]
    pub protected: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub size_bytes: Option<u64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Content {
    #[serde(default, deserialize_with = "lenient")]
    pub homeassistant: Option<bool>,
    #[serde(default, deserialize_with = "lenient_list")]
    pub addons: Vec<String>,
    #[serde(default, deserialize_with = "lenient_list")]
    pub folders: Vec<String>,
}

/// `/jobs/info`
#[derive(Debug, Clone, Deserialize)]
pub struct JobList {
    pub jobs: Vec<RawJob>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct RawJob {
    #[serde(default)]
    pub name: String,
    pub uuid: String,
    #[serde(default, deserialize_with = "lenient")]
    pub reference: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub stage: Option<String>,
    /// `null`: not started yet.
    #[serde(default, deserialize_with = "lenient")]
    pub done: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub progress: Option<f64>,
    #[serde(default)]
    pub errors: Vec<JobError>,
    #[serde(default)]
    pub child_jobs: Vec<RawJob>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct JobError {
    #[serde(default, deserialize_with = "lenient")]
    pub message: Option<String>,
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: Option<String>,
}

impl JobError {
    pub fn said(&self) -> String {
        self.message.clone().or_else(|| self.kind.clone()).unwrap_or_else(|| "an error without a message".into())
    }
}

/// Answer to the start of a backup.
#[derive(Debug, Clone, Deserialize)]
pub struct Started {
    pub job_id: String,
}
