//! One look at a disk: who it is and what is on it.

use std::io;

use crate::domain::disk::{Contents, Fingerprint};
use crate::domain::layout::{self, TableKind};
use crate::domain::size::{Bytes, SECTOR};

use super::contents::{Ends, ReadAt, Slice, Table, contents};

/// `who` makes the fingerprint of what the ends hold (DV-5). Errs only where the ends cannot be read: what else cannot be
/// read or understood is shown as unknown.
pub fn probe(
    reader: &dyn ReadAt,
    size: Bytes,
    who: impl FnOnce(&Ends) -> Fingerprint,
) -> io::Result<(Fingerprint, Contents)> {
    let ends = Ends::read(reader, size.0)?;
    let table = table(reader, size, &ends);
    let contents = contents(reader, size.0, &ends, table.as_ref());
    Ok((who(&ends), contents))
}

fn table(reader: &dyn ReadAt, size: Bytes, ends: &Ends) -> Option<Table> {
    let sector = &mut |lba: u64| {
        let mut bytes = [0; SECTOR as usize];
        reader.read_at(lba.saturating_mul(SECTOR), &mut bytes)?;
        Ok(bytes)
    };
    let layout = layout::read(&ends.first, size.sectors(), sector).ok()?;
    let kind = match layout.kind {
        TableKind::Gpt => "gpt",
        TableKind::HybridGpt => "hybrid",
        TableKind::Mbr => "mbr",
    };
    let slice = |partition: &layout::Partition| Slice {
        number: partition.number,
        name: partition.name.clone(),
        start: partition.offset().0,
        length: partition.size().0,
    };
    Some(Table { kind: kind.into(), slices: layout.partitions.iter().map(slice).collect() })
}
