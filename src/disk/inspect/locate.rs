//! From a byte of a file to the byte of the card that holds it.

use std::sync::{Arc, PoisonError};

use ext4_view::Path;

use crate::domain::layout::Partition;

use super::{View, data};

/// Blocks are multiples of this long and lie at multiples of it.
const GRAIN: u64 = 1024;

/// Where on the card byte `at` of a file lies. `None`: in a hole, or it cannot be told.
///
/// The reader fetches some blocks at once, so what was read last is known only as a stretch; the block is the part of it
/// that holds the same bytes.
pub(super) fn locate(view: &Arc<dyn View>, partition: &Partition, path: Path<'_>, at: u64) -> Option<u64> {
    let (content, last) = data::open(view, partition).ok()?;
    let mut file = content.open(path).ok()?;
    let from = at / GRAIN * GRAIN;
    file.seek_to(from).ok()?;
    let mut wanted = vec![0; GRAIN as usize];
    let length = file.read_bytes(&mut wanted).ok()?;
    wanted.truncate(length);
    let (start, length) = *last.lock().unwrap_or_else(PoisonError::into_inner);
    let first = start / 512 * 512;
    let mut stretch = vec![0; (start - first) as usize + length.next_multiple_of(512)];
    view.read_at(first, &mut stretch).ok()?;
    let found =
        stretch.get((start - first) as usize..)?.chunks(GRAIN as usize).position(|part| part.starts_with(&wanted))?;
    Some(start + found as u64 * GRAIN + (at - from))
}
