//! What the card held before: looked at here and there, so that it is read before it is written only where that pays.
//!
//! A card that holds something else must not become slower by it. So zeros are left out only where the card has zeros
//! around, and bytes are compared only where a page of them fits, less and less often the more often it does not.

use crate::domain::size::MIB;
use crate::host::Claim;
use crate::host::buffer::{ALIGN, Aligned};

use super::chunk::{CHUNK, Chunk, place};
use super::error::CardError;
use super::{Work, is_zero};

/// How many places are looked at, and how far apart they are at least.
const SAMPLES: u64 = 64;
const APART: u64 = 4 * MIB;
/// Chunks that pass until the next trial, at most: after a page that differs, and after a chunk that differs although its
/// page did not. Of 2,000 chunks these are 130 pages, and 30 chunks.
const PAUSE_PAGE: u32 = 16;
const PAUSE_CHUNK: u32 = 64;
/// After so many chunks that were there a different one means nothing.
const STREAK: u32 = 8;

pub(super) struct Before<'a> {
    claim: &'a dyn Claim,
    apart: u64,
    /// Whether the card has zeros in the middle of each stretch of `apart` bytes.
    zeros: Vec<bool>,
    trial: Trial,
    page: Aligned,
    chunk: Aligned,
}

/// Whether it pays to look.
#[derive(Debug, Default)]
struct Trial {
    /// Chunks in a row that were there.
    hits: u32,
    pause: u32,
    skip: u32,
}

impl Trial {
    fn is_due(&mut self) -> bool {
        let due = self.skip == 0;
        self.skip = self.skip.saturating_sub(1);
        due
    }

    fn hit(&mut self) {
        self.hits = self.hits.saturating_add(1);
        self.pause /= 2;
    }

    fn miss(&mut self, least: u32, most: u32) {
        self.pause = if self.hits >= STREAK { 0 } else { (self.pause * 2).clamp(least, most) };
        (self.hits, self.skip) = (0, self.pause);
    }
}

impl<'a> Before<'a> {
    /// Looks at a page here and there. One that cannot be read says nothing: it is written like any other.
    pub fn sample(claim: &'a dyn Claim, image_size: u64, work: &Work) -> Result<Before<'a>, CardError> {
        let apart = (image_size / SAMPLES).next_multiple_of(MIB).max(APART);
        let mut page = Aligned::new(ALIGN);
        let mut zeros = Vec::new();
        for start in (0..image_size).step_by(apart as usize) {
            work.go_on()?;
            // Not at a whole MiB, where file systems keep their bookkeeping.
            let at = start + apart / 2 + 37 * ALIGN as u64;
            if at < image_size {
                zeros.push(claim.read_at(at, &mut page).is_ok() && is_zero(&page));
            }
        }
        Ok(Before { claim, apart, zeros, trial: Trial::default(), page, chunk: Aligned::new(CHUNK) })
    }

    /// Whether the card has zeros on both sides of a chunk.
    pub fn seems_blank(&self, number: u64) -> bool {
        // The last place before the chunk's middle, in halves of a stretch.
        let behind = (place(number).0 + MIB / 2 + self.apart / 2) / self.apart;
        let zeros = |nth: u64| self.zeros.get(nth as usize).copied();
        let before = behind.checked_sub(1).and_then(zeros);
        match (before, zeros(behind)) {
            (None, None) => false,
            (before, behind) => before.unwrap_or(true) && behind.unwrap_or(true),
        }
    }

    /// Whether the card holds this chunk already, if that is worth a look. `bytes`: `None` for zeros.
    pub fn holds(&mut self, number: u64, chunk: &Chunk, bytes: Option<&[u8]>) -> bool {
        if !self.trial.is_due() {
            return false;
        }
        if self.trial.hits == 0 && !self.page_fits(number, chunk, bytes) {
            self.trial.miss(1, PAUSE_PAGE);
            return false;
        }
        let length = chunk.length as usize;
        let there = self.chunk.get_mut(..length).unwrap_or_default();
        let read = self.claim.read_at(place(number).0, there);
        let same = read.is_ok() && bytes.map_or_else(|| is_zero(there), |bytes| bytes == &*there);
        match same {
            true => self.trial.hit(),
            false => self.trial.miss(4, PAUSE_CHUNK),
        }
        same
    }

    /// The first page that is not zero: zeros are everywhere.
    fn page_fits(&mut self, number: u64, chunk: &Chunk, bytes: Option<&[u8]>) -> bool {
        let whole = chunk.length as usize / ALIGN;
        let pages = bytes.map(|bytes| bytes.chunks_exact(ALIGN));
        let first = pages.map_or(Some(whole / 2), |mut pages| pages.position(|page| !is_zero(page)));
        // A chunk of less than a page, at the very end of an image.
        let Some(nth) = first.filter(|nth| *nth < whole) else { return false };
        let wanted = bytes.and_then(|bytes| bytes.get(nth * ALIGN..(nth + 1) * ALIGN));
        let read = self.claim.read_at(place(number).0 + (nth * ALIGN) as u64, &mut self.page);
        read.is_ok() && wanted.map_or_else(|| is_zero(&self.page), |wanted| wanted == &*self.page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_fits_is_hardly_looked_at() {
        let mut trial = Trial::default();
        let looks = (0..2000).filter(|_| trial.is_due()).inspect(|_| ()).count();
        assert_eq!(looks, 2000, "nothing was missed yet");
        for (least, most, want) in [(1, PAUSE_PAGE, 125), (4, PAUSE_CHUNK, 36)] {
            let mut trial = Trial::default();
            let mut looks = 0;
            for _ in 0..2000 {
                if trial.is_due() {
                    looks += 1;
                    trial.miss(least, most);
                }
            }
            assert!(looks <= want, "{looks}");
        }
    }

    #[test]
    fn one_that_differs_among_many_that_fit_costs_nothing_but_itself() {
        let mut trial = Trial::default();
        (0..STREAK).for_each(|_| trial.hit());
        trial.miss(4, PAUSE_CHUNK);
        assert!(trial.is_due());
    }
}
