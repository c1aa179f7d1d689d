//! Which partition is which on a Home Assistant OS disk (os `genimage/partitions-os-{gpt,mbr}.cfg`).

use super::{Guid, Layout, Partition, TableId, TableKind, TypeId};

const DATA: (&str, Guid) = ("hassos-data", Guid::from_u128(0xa52a4597_fa3a_4851_aefd_2fbe9f849079));
const OVERLAY: (&str, Guid) = ("hassos-overlay", Guid::from_u128(0xf1326040_5236_40eb_b683_aaa100a9afcf));
/// "Hass": the disk signature of every Home Assistant OS disk with an MBR.
const SIGNATURE: u32 = 0x4861_7373;
const LINUX: TypeId = TypeId::Mbr(0x83);

/// Why a disk is not a Home Assistant OS one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    #[error("there is no partition {0}")]
    Missing(&'static str),
    #[error("partitions {0} and {1} both are {2}")]
    Twice(u32, u32, &'static str),
    #[error("the disk's signature is {0:#010x}, not that of Home Assistant OS")]
    Signature(u32),
    #[error("partition {data} (hassos-data) is not the last one: partition {behind} lies behind it")]
    NotLast { data: u32, behind: u32 },
}

/// The data partition: 8, on the ODROID-M1 and M1S 9, by name or UUID; in an MBR 4. It is the last on the disk.
/// Whether its file system is the right one is for [`Ext4`](crate::domain::ext4::Ext4) to say.
pub fn data_partition(layout: &Layout) -> Result<&Partition, DataError> {
    let data = find(layout, DATA, 4)?;
    match layout.partitions.iter().find(|p| p.start > data.start) {
        Some(behind) => Err(DataError::NotLast { data: data.number, behind: behind.number }),
        None => Ok(data),
    }
}

/// The overlay partition, which holds host name and network profiles: 7, on the ODROID-M1 and M1S 8; in an MBR 3.
pub fn overlay_partition(layout: &Layout) -> Result<&Partition, DataError> {
    find(layout, OVERLAY, 3)
}

fn find<'a>(layout: &'a Layout, (name, uuid): (&'static str, Guid), in_mbr: u32) -> Result<&'a Partition, DataError> {
    if let (TableKind::Mbr, TableId::Signature(signature)) = (layout.kind, layout.id) {
        if signature != SIGNATURE {
            return Err(DataError::Signature(signature));
        }
        return layout.partition(in_mbr).filter(|p| p.type_id == LINUX).ok_or(DataError::Missing(name));
    }
    let mut named = layout.partitions.iter().filter(|p| p.name == name || p.uuid == Some(uuid));
    match (named.next(), named.next()) {
        (Some(found), None) => Ok(found),
        (Some(first), Some(second)) => Err(DataError::Twice(first.number, second.number, name)),
        (None, _) => Err(DataError::Missing(name)),
    }
}
