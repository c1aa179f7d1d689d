//! Image bytes onto the card, in order, as workers unpack them.

use std::io;

use crate::domain::layout::{self, Layout};
use crate::domain::size::{MIB, SECTOR};
use crate::host::Claim;
use crate::host::buffer::Aligned;

use super::before::Before;
use super::belt::{Belt, next_chunk};
use super::blank::{flush, write as write_at};
use super::chunk::{CHUNK, Chunk, Fate, place};
use super::error::CardError;
use super::{ImageBytes, Work, fill};

/// The first MiB of an image.
pub(super) struct Opened {
    head: Vec<u8>,
}

impl Opened {
    pub fn open(image: &dyn ImageBytes) -> Result<Opened, CardError> {
        let mut rest = image.open().map_err(CardError::Image)?;
        let mut head = vec![0; CHUNK];
        let read = fill(rest.as_mut(), &mut head).map_err(CardError::Image)?;
        // To a whole sector, as it goes onto the card.
        head.truncate(read.next_multiple_of(SECTOR as usize));
        Ok(Opened { head })
    }

    pub fn head(self) -> Vec<u8> {
        self.head
    }

    /// Refuses an image without a partition table before anything is erased.
    pub fn check_table(&self, image_size: u64) -> Result<(), CardError> {
        self.primaries(image_size).map(drop)
    }

    /// The same for one whose table names no data partition of Home Assistant OS.
    pub fn check_data(&self, image_size: u64) -> Result<(), CardError> {
        let layout = self.primaries(image_size)?;
        layout::data_partition(&layout).map_err(|error| CardError::Data(format!("was not found: {error}")))?;
        Ok(())
    }

    /// The links of logical partitions lie deep in the image: an empty one stands for them here, they are read from the
    /// card later.
    fn primaries(&self, image_size: u64) -> Result<Layout, CardError> {
        let empty = &mut |_| {
            let mut link = [0; SECTOR as usize];
            if let Some(mark) = link.last_chunk_mut() {
                *mark = [0x55, 0xaa];
            }
            Ok(link)
        };
        layout::read(&self.head, image_size / SECTOR, empty).map_err(CardError::Table)
    }
}

/// Puts all but the first MiB (`head`) onto the card. Returns what every MiB was.
pub(super) fn write(
    claim: &dyn Claim,
    image: &dyn ImageBytes,
    head: &[u8],
    work: &Work,
) -> Result<Vec<Chunk>, CardError> {
    let pieces = image.share().map_err(CardError::Image)?;
    let mut before = Before::sample(claim, image.size(), work)?;
    let (zeros, mut chunks) = (Aligned::new(CHUNK), Vec::<Chunk>::new());
    let mut written = 0;
    Belt::run(pieces.as_ref(), image.size(), work, |number, mut chunk, bytes| {
        let length = chunk.length as usize;
        let bytes = bytes.map(|bytes| bytes.get(..length).unwrap_or(bytes));
        if number == 0 {
            // Judged by its table before anything was erased.
            refuse_other(&chunk, head)?;
        } else {
            chunk.fate = what_to_do(&mut before, number, &chunk, bytes);
        }
        if number > 0 && chunk.fate == Fate::Written {
            write_at(claim, place(number).0, bytes.or(zeros.get(..length)).unwrap_or(&zeros))?;
            written = chunks.len();
        }
        chunks.push(chunk);
        work.meter.add(chunk.length.into());
        Ok(())
    })?;
    flush(claim)?;
    // What was read before the last write is read again: that write may have gone to the wrong place.
    for chunk in chunks.iter_mut().take(written).filter(|chunk| chunk.fate == Fate::Held) {
        chunk.fate = Fate::Written;
    }
    Ok(chunks)
}

fn what_to_do(before: &mut Before<'_>, number: u64, chunk: &Chunk, bytes: Option<&[u8]>) -> Fate {
    if chunk.zero && before.seems_blank(number) {
        return Fate::Left;
    }
    match before.holds(number, chunk, bytes) {
        true => Fate::Held,
        false => Fate::Written,
    }
}

fn refuse_other(first: &Chunk, head: &[u8]) -> Result<(), CardError> {
    match first.is(head) {
        true => Ok(()),
        false => Err(CardError::Image(changed())),
    }
}

fn changed() -> io::Error {
    io::Error::other("it changed while it was used")
}

/// Writes some chunks anew, their bytes taken from the image from its beginning on.
pub(super) fn rewrite(
    claim: &dyn Claim,
    image: &dyn ImageBytes,
    numbers: &[u64],
    work: &Work,
) -> Result<(), CardError> {
    let mut bytes = image.open().map_err(CardError::Image)?;
    let mut buffer = Aligned::new(CHUNK);
    let Some(last) = numbers.iter().max() else { return Ok(()) };
    for number in 0..=*last {
        work.go_on()?;
        let left = image.size().saturating_sub(number * MIB);
        let chunk = next_chunk(bytes.as_mut(), &mut buffer, left).map_err(CardError::Image)?;
        if numbers.contains(&number) {
            write_at(claim, number * MIB, buffer.get(..chunk.length as usize).unwrap_or(&buffer))?;
        }
    }
    flush(claim)
}
