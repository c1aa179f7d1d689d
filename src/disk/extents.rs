//! Where a file's blocks lie in an ext4, as `debugfs` tells it, and what of the card that is.
//!
//! `debugfs` prints one line for each extent (e2fsprogs, `debugfs/extent_inode.c`), nodes of the tree between them:
//!
//! ```text
//! extent: lblk 0--24150, len 24151, pblk 8617, flags: LEAF UNINIT
//! ```

use std::fmt;

use crate::domain::ext4::Ext4;
use crate::domain::size::{Bytes, MIB};

/// Blocks of a file that lie together. In blocks of the file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// The first one's place in the file.
    pub logical: u64,
    /// The first one's place in the file system.
    pub physical: u64,
    pub blocks: u64,
    /// Not marked as reserved only, which reads as zeros whatever is there (`UNINIT`).
    pub is_written: bool,
}

/// What is written at once: never over a MiB of the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// Byte of the card.
    pub at: u64,
    /// Bytes, whole blocks.
    pub length: usize,
    /// So many of them are the file's; the rest of its last block is zero.
    pub of_file: usize,
}

/// Why an answer is not what a file of this length looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    Line(String),
    Gap { logical: u64 },
    Length { blocks: u64 },
    Outside { physical: u64 },
    Overlap { physical: u64 },
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Line(line) => write!(f, "debugfs said {line:?}"),
            Wrong::Gap { logical } => write!(f, "block {logical} of the backup has no place"),
            Wrong::Length { blocks } => write!(f, "the backup got {blocks} blocks"),
            Wrong::Outside { physical } => write!(f, "block {physical} of the backup's lies outside"),
            Wrong::Overlap { physical } => write!(f, "block {physical} was given twice"),
        }
    }
}

/// The extents in the part of an answer that begins behind the last line `command`.
pub(super) fn parse(answer: &str, command: &str) -> Result<Vec<Extent>, Wrong> {
    let is_echo = |line: &str| line.strip_prefix("debugfs: ") == Some(command);
    let lines: Vec<&str> = answer.lines().collect();
    let begin = lines.iter().rposition(|line| is_echo(line)).ok_or_else(|| Wrong::Line("nothing".into()))?;
    let told = lines.iter().skip(begin + 1).take_while(|line| !line.starts_with("debugfs: "));
    told.filter_map(|line| parse_line(line).transpose()).collect()
}

/// `None`: a node of the tree.
fn parse_line(line: &str) -> Result<Option<Extent>, Wrong> {
    let wrong = || Wrong::Line(line.chars().take(100).collect());
    let (places, flags) = line.split_once(", flags: ").ok_or_else(wrong)?;
    let is_written = match flags.trim_end() {
        "LEAF" => true,
        "LEAF UNINIT" => false,
        "(none)" => return Ok(None),
        _ => return Err(wrong()),
    };
    let (logical, rest) =
        places.strip_prefix("extent: lblk ").and_then(|rest| rest.split_once("--")).ok_or_else(wrong)?;
    let (last, rest) = rest.split_once(", len ").ok_or_else(wrong)?;
    let (blocks, physical) = rest.split_once(", pblk ").ok_or_else(wrong)?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let extent = Extent { logical: number(logical)?, physical: number(physical)?, blocks: number(blocks)?, is_written };
    // 32 bits each on the disk, 48 for the place.
    let fits = extent.logical <= u32::MAX.into() && (1..=32768).contains(&extent.blocks) && extent.physical < 1 << 48;
    match fits && number(last)? == extent.logical + extent.blocks - 1 {
        true => Ok(Some(extent)),
        false => Err(wrong()),
    }
}

/// Refuses all but the blocks of a file of `blocks` blocks, in order and without a gap, each inside of the file system and
/// given once. `room` is the partition's.
pub(super) fn check(extents: &[Extent], blocks: u64, fs: &Ext4, room: Bytes) -> Result<(), Wrong> {
    let mut next = 0;
    for extent in extents {
        if extent.logical != next {
            return Err(Wrong::Gap { logical: next });
        }
        next += extent.blocks;
    }
    if next != blocks || blocks == 0 {
        return Err(Wrong::Length { blocks: next });
    }
    let end = fs.blocks.min(fs.blocks_for(room));
    let mut places: Vec<(u64, u64)> = extents.iter().map(|e| (e.physical, e.physical + e.blocks)).collect();
    places.sort_unstable();
    // Up to the superblock's own block nothing is anybody's.
    let mut free_from = fs.first_block + 1;
    for (from, to) in places {
        if from <= fs.first_block || to > end {
            return Err(Wrong::Outside { physical: from });
        }
        if from < free_from {
            return Err(Wrong::Overlap { physical: from });
        }
        free_from = to;
    }
    Ok(())
}

/// What is to be written where, in the order of the file's `size` bytes. `offset` is the card's byte at which the file
/// system begins.
pub(super) fn pieces(extents: &[Extent], offset: u64, block_size: u64, size: u64) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut left = size;
    for (from, to) in runs(extents) {
        let (mut at, end) = (offset + from * block_size, offset + to * block_size);
        while at < end {
            let length = (at / MIB * MIB + MIB).min(end) - at;
            let of_file = length.min(left);
            pieces.push(Piece { at, length: length as usize, of_file: of_file as usize });
            (at, left) = (at + length, left - of_file);
        }
    }
    pieces
}

/// First block and end of what lies together: an extent holds 128 MiB at most.
fn runs(extents: &[Extent]) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for extent in extents {
        match runs.last_mut() {
            Some(last) if last.1 == extent.physical => last.1 += extent.blocks,
            _ => runs.push((extent.physical, extent.physical + extent.blocks)),
        }
    }
    runs
}

#[cfg(test)]
#[path = "extents_tests.rs"]
mod tests;
