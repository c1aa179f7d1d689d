//! Bytes of a partition, or of a whole disk, that nobody vouches for: every read is bounded and may find nothing.

use std::io;

/// Something that bytes can be read from at any place. Offsets and lengths asked for are multiples of 4096 wherever the
/// volume's end allows it, and always multiples of 512, so that direct reads will do.
pub trait ReadAt {
    /// Fills `buffer` with what lies `offset` bytes from the start of the disk.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

impl<F: Fn(u64, &mut [u8]) -> io::Result<()>> ReadAt for F {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self(offset, buffer)
    }
}

const BLOCK: u64 = 4096;
const SECTOR: u64 = 512;
/// No structure that is looked at is longer.
const LONGEST: u64 = 128 << 10;

/// A range of a disk; offsets below are counted from its start.
#[derive(Clone, Copy)]
pub struct Volume<'a> {
    reader: &'a dyn ReadAt,
    start: u64,
    length: u64,
}

impl<'a> Volume<'a> {
    /// What does not fit into whole sectors at the end is left out.
    pub fn new(reader: &'a dyn ReadAt, start: u64, length: u64) -> Volume<'a> {
        Volume { reader, start, length: (length / SECTOR * SECTOR).min(u64::MAX - start) }
    }

    /// Up to `length` bytes from the start; nothing where they cannot be read.
    pub fn head(&self, length: u64) -> Bits {
        Bits(self.bytes(0, length.min(self.length)).unwrap_or_default())
    }

    /// Exactly `length` bytes; nothing where they lie beyond the end or cannot be read.
    pub fn at(&self, offset: u64, length: u64) -> Bits {
        Bits(self.bytes(offset, length).unwrap_or_default())
    }

    fn bytes(&self, offset: u64, length: u64) -> Option<Vec<u8>> {
        let end = offset.checked_add(length).filter(|end| *end <= self.length && length <= LONGEST)?;
        let from = offset / BLOCK * BLOCK;
        let to = end.checked_next_multiple_of(BLOCK)?.min(self.length);
        let mut bytes = vec![0; usize::try_from(to - from).ok()?];
        self.reader.read_at(self.start.checked_add(from)?, &mut bytes).ok()?;
        let skip = usize::try_from(offset - from).ok()?;
        bytes.drain(..skip);
        bytes.truncate(usize::try_from(length).ok()?);
        Some(bytes)
    }
}

/// Bytes whose numbers are asked for by offset; least significant byte first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bits(pub Vec<u8>);

impl Bits {
    pub fn get(&self, offset: usize, length: usize) -> Option<&[u8]> {
        self.0.get(offset..offset.checked_add(length)?)
    }

    /// Shorter where the bytes end.
    pub fn field(&self, offset: usize, length: usize) -> &[u8] {
        let rest = self.0.get(offset..).unwrap_or_default();
        rest.get(..length).unwrap_or(rest)
    }

    pub fn is(&self, offset: usize, magic: &[u8]) -> bool {
        self.get(offset, magic.len()) == Some(magic)
    }

    pub fn u8(&self, offset: usize) -> Option<u8> {
        self.0.get(offset).copied()
    }

    pub fn u16(&self, offset: usize) -> Option<u16> {
        Some(u16::from_le_bytes(self.get(offset, 2)?.try_into().ok()?))
    }

    pub fn u32(&self, offset: usize) -> Option<u32> {
        Some(u32::from_le_bytes(self.get(offset, 4)?.try_into().ok()?))
    }

    pub fn u64(&self, offset: usize) -> Option<u64> {
        Some(u64::from_le_bytes(self.get(offset, 8)?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn reads_are_aligned_and_stay_inside() {
        let asked = RefCell::new(Vec::new());
        let reader = |offset: u64, buffer: &mut [u8]| {
            asked.borrow_mut().push((offset, buffer.len()));
            buffer.iter_mut().zip(offset..).for_each(|(byte, at)| *byte = (at / 512) as u8);
            Ok(())
        };
        let volume = Volume::new(&reader, 1 << 20, 10_000);
        assert_eq!(volume.at(5000, 1000).0.len(), 1000);
        assert_eq!(volume.at(9700, 28).0, [18; 28]);
        assert_eq!(volume.head(100_000).0.len(), 9728);
        for (offset, length) in [(9700, 29), (u64::MAX, 1), (0, LONGEST + 1), (10_000, 1)] {
            assert_eq!(volume.at(offset, length), Bits::default());
        }
        assert_eq!(*asked.borrow(), [((1 << 20) + 4096, 4096), ((1 << 20) + 8192, 1536), (1 << 20, 9728)]);
    }
}
