//! Master boot records and chains of logical partitions.

use std::collections::BTreeSet;

use super::bytes::{array, le32};
use super::{CUT_TAIL, Layout, Partition, Sectors, TableError, TableId, TableKind, TypeId, no_overlap, usable_end};

/// Where the four entries begin in sector 0 and in a link sector.
pub(super) const ENTRIES: usize = 446;
/// Bytes of an entry.
pub(super) const ENTRY: usize = 16;
/// More logical partitions than this are taken for a loop with many links.
const LOGICAL_MAX: u32 = 64;
const PROTECTIVE: u8 = 0xee;

/// An entry as it stands; positions relative to what holds it.
#[derive(Debug, Clone, Copy)]
struct Entry {
    flag: u8,
    kind: u8,
    start: u64,
    sectors: u64,
}

impl Entry {
    fn is_used(self) -> bool {
        self.kind != 0 && self.sectors != 0
    }

    fn partition(self, number: u32, start: u64) -> Partition {
        Partition {
            number,
            start,
            sectors: self.sectors,
            type_id: TypeId::Mbr(self.kind),
            name: String::new(),
            uuid: None,
            attributes: 0,
            active: self.flag == 0x80,
        }
    }
}

/// Sector 0, taken apart.
pub(super) struct Primaries {
    entries: [Entry; 4],
    signature: u32,
}

impl Primaries {
    /// A GPT counts only under an MBR with a protective entry; another entry beside it makes a hybrid.
    pub(super) fn kind(&self) -> TableKind {
        let protective = self.entries.iter().filter(|e| e.kind == PROTECTIVE).count();
        let others = self.entries.iter().filter(|e| e.kind != PROTECTIVE && e.kind != 0).count();
        match (protective, others) {
            (0, _) => TableKind::Mbr,
            (_, 0) => TableKind::Gpt,
            _ => TableKind::HybridGpt,
        }
    }
}

/// The entries of a sector that ends as tables do; `None`: it does not.
fn entries(sector: &[u8]) -> Option<[Entry; 4]> {
    let signed = sector.get(510..512) == Some(&[0x55, 0xaa]);
    signed.then(|| {
        [0, 1, 2, 3].map(|n| {
            let at = ENTRIES + n * ENTRY;
            let [flag, _, _, _, kind] = array(sector, at);
            Entry { flag, kind, start: le32(sector, at + 8).into(), sectors: le32(sector, at + 12).into() }
        })
    })
}

pub(super) fn primaries(head: &[u8]) -> Result<Primaries, TableError> {
    let entries = entries(head).ok_or(TableError::None)?;
    // A FAT boot sector has the same two last bytes, and code where the entries would be.
    let is_table = entries.iter().all(|e| e.flag & 0x7f == 0) && entries.iter().any(|e| e.kind != 0);
    if !is_table {
        return Err(TableError::None);
    }
    Ok(Primaries { entries, signature: le32(head, 440) })
}

pub(super) fn read(table: &Primaries, end: u64, sectors: &mut Sectors<'_>) -> Result<Layout, TableError> {
    let used = (1..).zip(table.entries).filter(|(_, e)| e.is_used());
    let mut partitions: Vec<Partition> = used.map(|(number, e)| e.partition(number, e.start)).collect();
    for partition in &partitions {
        inside_disk(partition, end)?;
    }
    no_overlap(partitions.iter().map(|p| (p.number, p.start, p.end())).collect())?;
    let mut extended = partitions.iter().filter(|p| p.type_id.is_extended());
    let (container, second) = (extended.next().cloned(), extended.next());
    if second.is_some() {
        return Err(TableError::TwoExtended);
    }
    if let Some(container) = container {
        partitions.extend(logicals(&container, sectors)?);
    }
    Ok(Layout {
        kind: TableKind::Mbr,
        id: TableId::Signature(table.signature),
        partitions,
        first_usable: 1,
        last_usable: usable_end(TableKind::Mbr, end).saturating_sub(1),
        end,
        gpt: None,
    })
}

fn inside_disk(partition: &Partition, end: u64) -> Result<(), TableError> {
    let (number, partition_end) = (partition.number, partition.end());
    if partition.start == 0 {
        return Err(TableError::OutsideUsable { number, start: 0, last: partition_end.saturating_sub(1) });
    }
    // Only the data partition, and only if it begins within: the rest of it is zero.
    let slack = if number == 4 && partition.start < end { CUT_TAIL } else { 0 };
    if partition_end > end.saturating_add(slack) {
        return Err(TableError::PastEnd { number, partition_end, end });
    }
    Ok(())
}

/// Follows the chain of link sectors. Each holds its partition (relative to itself) and the next link (relative to the
/// container).
fn logicals(container: &Partition, sectors: &mut Sectors<'_>) -> Result<Vec<Partition>, TableError> {
    let mut found = Vec::new();
    let mut places = Vec::new();
    let mut seen = BTreeSet::new();
    let mut at = container.start;
    loop {
        let number = 5 + found.len() as u32;
        if !seen.insert(at) || number >= 5 + LOGICAL_MAX || seen.len() > LOGICAL_MAX as usize {
            return Err(TableError::Loop { at });
        }
        let sector = sectors(at).map_err(|source| TableError::Reading { at, source })?;
        let [own, next, ..] = entries(&sector).ok_or(TableError::Chain { at })?;
        places.push((number, at, at + 1));
        if own.is_used() {
            let logical = own.partition(number, at + own.start);
            if logical.end() > container.end() {
                return Err(TableError::OutsideExtended { number });
            }
            places.push((number, logical.start, logical.end()));
            found.push(logical);
        }
        if !next.is_used() {
            break;
        }
        at = container.start + next.start;
        if at >= container.end() || !TypeId::Mbr(next.kind).is_extended() {
            return Err(TableError::Chain { at });
        }
    }
    no_overlap(places)?;
    Ok(found)
}
