//! A card against the image that it was made from: every byte before the data partition, but for the fields that growing
//! changes; behind it every file (`tree`).

use std::io::Read;

use ext4_view::Ext4;

use crate::disk::fill;
use crate::domain::layout::{self, GrowPlan, HEAD_MIN, Layout, TableError, data_partition, overlay_partition};
use crate::domain::size::{MIB, SECTOR};
use crate::host::buffer::Aligned;

use super::scratch::Scratch;
use super::{Card, Findings, GivenImage, InspectError, data, tree};

const OVERLAY: &str = "overlay";

/// True: everything of the image is there.
pub(super) fn check(
    card: &Card<'_>,
    content: Option<&Ext4>,
    image: &GivenImage<'_>,
    findings: &mut Findings,
) -> Result<bool, InspectError> {
    let before = findings.damage.len();
    let mut bytes = image.bytes.open().map_err(InspectError::Image)?;
    let mut head = vec![0; MIB as usize];
    let length = fill(bytes.as_mut(), &mut head).map_err(InspectError::Image)?;
    head.truncate(length);
    let size = image.bytes.size();
    let Some(wanted) = wanted_table(card, &head, size)? else {
        findings.damage("it was made from another image than the one given", 0);
        return Ok(false);
    };
    compare_table(card, &wanted, findings);
    if wanted.data_start == card.data.start {
        compare_front(card, bytes.as_mut(), findings)?;
        let data = size.saturating_sub(card.data_offset());
        let scratch = Scratch::fill(image.scratch, bytes.as_mut(), data, wanted.data_size.max(data))?;
        if let Some(content) = content {
            tree::check(card, content, scratch, findings)?;
        }
    }
    Ok(findings.damage.len() == before)
}

/// How the first MiB and the table at the end have to look.
struct Wanted {
    head: Vec<u8>,
    /// First sector and bytes.
    tail: Option<(u64, Vec<u8>)>,
    /// Sectors.
    data_start: u64,
    /// Bytes, in the image.
    data_size: u64,
}

/// `None`: this card cannot come from this image.
fn wanted_table(card: &Card<'_>, head: &[u8], size: u64) -> Result<Option<Wanted>, InspectError> {
    // Links of logical partitions lie deep in the image: the card has to have the same.
    let links = &mut |lba: u64| {
        let mut sector = [0; SECTOR as usize];
        card.view.read_at(lba.saturating_mul(SECTOR), &mut sector)?;
        Ok(sector)
    };
    let layout = match layout::read(head, size / SECTOR, links) {
        Ok(layout) => layout,
        Err(TableError::Chain { .. } | TableError::Loop { .. } | TableError::Reading { .. }) => return Ok(None),
        Err(error) => return Err(InspectError::ImageTable(error)),
    };
    Ok(wanted(card, &layout, head))
}

fn wanted(card: &Card<'_>, layout: &Layout, head: &[u8]) -> Option<Wanted> {
    let data = data_partition(layout).ok()?;
    let (data_start, data_size) = (data.start, data.size().0);
    if !card.is_grown() {
        return Some(Wanted { head: head.to_vec(), tail: None, data_start, data_size });
    }
    let plan = GrowPlan::new(layout, head, card.sectors).ok()?;
    Some(Wanted { head: plan.head, tail: plan.tail, data_start, data_size })
}

fn compare_table(card: &Card<'_>, wanted: &Wanted, findings: &mut Findings) {
    if let Some(at) = first_difference(&card.head, &wanted.head) {
        let what = if at < HEAD_MIN as u64 { "the partition table" } else { "the space before the first partition" };
        findings.damage(format!("{what} is not the one that the image leads to"), at);
    }
    let Some((lba, tail)) = &wanted.tail else { return };
    let offset = lba.saturating_mul(SECTOR);
    match card.read(offset, tail.len()) {
        Ok(found) => {
            if let Some(at) = first_difference(&found, tail) {
                findings.damage("the backup table is not the one that the image leads to", offset + at);
            }
        }
        Err(error) => findings.damage(format!("the backup table cannot be read ({error})"), offset),
    }
}

fn first_difference(found: &[u8], wanted: &[u8]) -> Option<u64> {
    found.iter().zip(wanted).position(|(found, wanted)| found != wanted).map(|at| at as u64)
}

/// From the end of the first MiB to the data partition. One finding for each partition: its first difference.
fn compare_front(card: &Card<'_>, image: &mut dyn Read, findings: &mut Findings) -> Result<(), InspectError> {
    let (mut ours, mut theirs) = (Aligned::new(MIB as usize), Aligned::new(MIB as usize));
    let mut seen: Vec<String> = Vec::new();
    let end = card.data_offset();
    let mut offset = MIB;
    while offset < end {
        let length = (end - offset).min(MIB) as usize;
        let (ours, theirs) = (ours.split_at_mut(length).0, theirs.split_at_mut(length).0);
        image.read_exact(theirs).map_err(InspectError::Image)?;
        if let Err(error) = card.view.read_at(offset, ours) {
            findings.damage(format!("the card cannot be read ({error})"), offset);
        } else if ours != theirs {
            name_differences(card, offset, ours, theirs, &mut seen, findings);
        }
        offset += length as u64;
    }
    if seen.iter().any(|name| name == OVERLAY) {
        overlay(card, findings);
    }
    Ok(())
}

fn name_differences(
    card: &Card<'_>,
    offset: u64,
    ours: &[u8],
    theirs: &[u8],
    seen: &mut Vec<String>,
    findings: &mut Findings,
) {
    let sectors = ours.chunks(SECTOR as usize).zip(theirs.chunks(SECTOR as usize));
    for (number, (ours, theirs)) in (0u64..).zip(sectors) {
        let Some(within) = first_difference(ours, theirs) else { continue };
        let at = offset + number * SECTOR + within;
        let name = name_at(&card.layout, at / SECTOR);
        if seen.contains(&name) {
            continue;
        }
        if name != OVERLAY {
            findings.damage(format!("{name} differs from the image"), at);
        }
        seen.push(name);
    }
}

fn name_at(layout: &Layout, sector: u64) -> String {
    let holds = |p: &&layout::Partition| !p.type_id.is_extended() && (p.start..p.end()).contains(&sector);
    match layout.partitions.iter().find(holds) {
        None => "the space between the partitions".into(),
        Some(found) if overlay_partition(layout).is_ok_and(|overlay| overlay.number == found.number) => OVERLAY.into(),
        Some(found) if found.name.is_empty() => format!("partition {}", found.number),
        Some(found) => format!("partition {} ({})", found.number, found.name),
    }
}

/// Host name and network profiles go there, and a system that has run writes to it: other bytes, but a sound file system.
fn overlay(card: &Card<'_>, findings: &mut Findings) {
    findings.note("the overlay partition differs from the image's: settings of the system were put there");
    let Ok(partition) = overlay_partition(&card.layout).cloned() else { return };
    if let Some(superblock) = data::superblock(card, &partition, OVERLAY, findings) {
        if !superblock.is_clean {
            findings.damage("the overlay partition was not closed cleanly", partition.offset().0);
        }
        data::sound(card, &partition, OVERLAY, findings);
    }
}
