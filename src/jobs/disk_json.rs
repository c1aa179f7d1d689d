//! A disk as JSON: the fields of the first plan and more, the same in the API and on the command line (AP-1).

use serde::Serialize;
use serde_json::{Value, json};

use super::{DiskList, ListedDisk};
use crate::domain::disk::{Contents, DiskId, Fingerprint, Refusal};

#[derive(Debug, Serialize)]
pub struct DiskJson<'a> {
    name: &'a DiskId,
    path: String,
    size: u64,
    size_human: String,
    vendor: &'a str,
    model: &'a str,
    tran: &'static str,
    serial: &'a str,
    id: &'a DiskId,
    title: String,
    fingerprint: Option<&'a Fingerprint>,
    plug: u64,
    plugged_at: Option<u64>,
    slot: Option<u32>,
    removable: bool,
    read_only: bool,
    medium: bool,
    scratch: bool,
    contents: &'a Contents,
    /// Only where something speaks against overwriting it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<ReasonJson>,
}

/// One reason: its stable code, and the sentence that the page shows.
#[derive(Debug, Serialize)]
pub struct ReasonJson {
    pub code: &'static str,
    pub text: String,
}

impl From<&Refusal> for ReasonJson {
    fn from(refusal: &Refusal) -> ReasonJson {
        ReasonJson { code: refusal.code(), text: refusal.to_string() }
    }
}

impl<'a> From<&'a ListedDisk> for DiskJson<'a> {
    fn from(listed: &'a ListedDisk) -> DiskJson<'a> {
        let disk = &listed.disk;
        DiskJson {
            name: &disk.id,
            path: disk.path.to_string_lossy().into_owned(),
            size: disk.size.0,
            size_human: disk.size.as_sold(),
            vendor: &disk.vendor,
            model: &disk.model,
            tran: if disk.scratch { "usb" } else { disk.transport.word() },
            serial: &disk.serial,
            id: &disk.id,
            title: disk.name(),
            fingerprint: disk.fingerprint.as_ref(),
            plug: disk.plug,
            plugged_at: disk.plugged_at,
            slot: disk.slot,
            removable: disk.removable,
            read_only: disk.read_only,
            medium: disk.medium,
            scratch: disk.scratch,
            contents: &disk.contents,
            reasons: listed.refusals.iter().map(ReasonJson::from).collect(),
        }
    }
}

/// `devices` may be overwritten; `refused` may not, each with its reasons. `known` is false until the first look.
pub fn disks_json(list: &DiskList) -> Value {
    let of = |usable: bool| -> Vec<DiskJson> {
        list.disks.iter().filter(|listed| listed.refusals.is_empty() == usable).map(DiskJson::from).collect()
    };
    json!({ "devices": of(true), "refused": of(false), "known": list.known, "failed": list.failed })
}
