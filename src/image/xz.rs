//! The table of contents of an `.xz` file (The .xz File Format, 1.2.0): sizes without unpacking anything.
//!
//! Everything is read from the end: footer, index, and from these the stream's header; then the stream before it.

use std::io::{self, Read, Seek, SeekFrom};

pub(super) const MAGIC: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];
const FOOTER_MAGIC: [u8; 2] = *b"YZ";
/// Header and footer have the same length.
const FRAME: u64 = 12;
/// Smallest stream: header, index without records, footer.
const STREAM_LEAST: u64 = FRAME + 8 + FRAME;
/// A real index has about a kB; this one is enough for 2 TB in blocks of 4 MiB.
const INDEX_MOST: u64 = 8 << 20;
/// Zeros between and after streams.
const PADDING_MOST: u64 = 1 << 20;
const STREAMS_MOST: u32 = 10_000;
/// Largest number that the format can hold.
const VLI_MOST: u64 = u64::MAX >> 1;

#[derive(Debug)]
pub(super) enum XzError {
    /// It begins as an xz file and does not end as one.
    Truncated,
    Broken(&'static str),
    Io(io::Error),
}

impl From<io::Error> for XzError {
    fn from(error: io::Error) -> XzError {
        XzError::Io(error)
    }
}

use XzError::{Broken, Truncated};

/// Unpacked bytes of all streams together, as the file claims.
pub(super) fn unpacked_size(file: &mut (impl Read + Seek), length: u64) -> Result<u64, XzError> {
    let mut size = 0u64;
    walk(file, length, |stream| {
        size = size.checked_add(stream.unpacked).filter(|s| *s <= VLI_MOST).ok_or(Broken("its sizes overflow"))?;
        Ok(())
    })?;
    Ok(size)
}

/// A block of an xz file, as the index has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// Where its header begins in the file.
    pub start: u64,
    /// Bytes without its padding, as the index counts them.
    pub unpadded: u64,
    pub unpacked: u64,
    /// Flags of its stream: which check it carries.
    pub flags: [u8; 2],
}

impl Block {
    /// Bytes in the file, with the padding.
    pub fn packed(&self) -> u64 {
        self.unpadded.next_multiple_of(4)
    }
}

/// Every block of all streams, in order; `None` where there are more than `most`. They lie one behind the other, inside
/// the file, between what belongs to their stream: each stream's sizes were added up when its start was looked for.
pub(super) fn blocks(file: &mut (impl Read + Seek), length: u64, most: usize) -> Result<Option<Vec<Block>>, XzError> {
    // From the last to the first.
    let mut found: Vec<Block> = Vec::new();
    let mut fits = true;
    walk(file, length, |stream| {
        fits &= stream.records <= most.saturating_sub(found.len()) as u64;
        if fits {
            found.extend(stream.blocks().into_iter().rev());
        }
        Ok(())
    })?;
    found.reverse();
    Ok(fits.then_some(found))
}

/// From the last stream to the first.
fn walk(
    file: &mut (impl Read + Seek),
    length: u64,
    mut each: impl FnMut(&Stream) -> Result<(), XzError>,
) -> Result<(), XzError> {
    if length < STREAM_LEAST || !length.is_multiple_of(4) {
        return Err(Truncated);
    }
    let mut end = length;
    for _ in 0..STREAMS_MOST {
        end = skip_padding(file, end)?;
        let stream = read_stream(file, end)?;
        each(&stream)?;
        if stream.start == 0 {
            return Ok(());
        }
        end = stream.start;
    }
    Err(Broken("it has too many parts"))
}

struct Stream {
    start: u64,
    unpacked: u64,
    records: u64,
    flags: [u8; 2],
    /// The index without its checksum; it was gone through once and makes sense.
    index: Vec<u8>,
}

impl Stream {
    fn blocks(&self) -> Vec<Block> {
        let mut start = self.start + FRAME;
        let records = Records::of(&self.index).into_iter().flatten().map_while(|record| record);
        let block = |(unpadded, unpacked): (u64, u64)| {
            let block = Block { start, unpadded, unpacked, flags: self.flags };
            start += block.packed();
            block
        };
        records.map(block).collect()
    }
}

fn skip_padding(file: &mut (impl Read + Seek), mut end: u64) -> Result<u64, XzError> {
    for _ in 0..PADDING_MOST / 4 {
        // A stream ends with its magic, so zeros there are padding.
        match end.checked_sub(4) {
            Some(at) if read_at::<4>(file, at)? == [0; 4] => end = at,
            Some(_) => return Ok(end),
            None => return Err(Truncated),
        }
    }
    Err(Broken("it ends in too many zeros"))
}

/// The stream that ends at `end`.
fn read_stream(file: &mut (impl Read + Seek), end: u64) -> Result<Stream, XzError> {
    if end < STREAM_LEAST {
        return Err(Truncated);
    }
    let [c0, c1, c2, c3, b0, b1, b2, b3, f0, f1, m0, m1] = read_at::<12>(file, end - FRAME)?;
    if [m0, m1] != FOOTER_MAGIC {
        return Err(Truncated);
    }
    if crc32fast::hash(&[b0, b1, b2, b3, f0, f1]) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Err(Broken("its footer is damaged"));
    }
    let index_size = (u64::from(u32::from_le_bytes([b0, b1, b2, b3])) + 1) * 4;
    let index_end = end - FRAME;
    if index_size > INDEX_MOST || index_size > index_end - FRAME {
        return Err(Broken("its index is larger than can be"));
    }
    let (index, sums) = read_index(file, index_end - index_size, index_size)?;
    let start = (index_end - index_size).checked_sub(sums.packed).and_then(|at| at.checked_sub(FRAME));
    let start = start.ok_or(Broken("its index does not fit its length"))?;
    check_header(file, start, [f0, f1])?;
    Ok(Stream { start, unpacked: sums.unpacked, records: sums.records, flags: [f0, f1], index })
}

fn check_header(file: &mut (impl Read + Seek), start: u64, flags: [u8; 2]) -> Result<(), XzError> {
    let [m0, m1, m2, m3, m4, m5, f0, f1, c0, c1, c2, c3] = read_at::<12>(file, start)?;
    let whole = [m0, m1, m2, m3, m4, m5] == MAGIC
        && crc32fast::hash(&[f0, f1]) == u32::from_le_bytes([c0, c1, c2, c3])
        && [f0, f1] == flags;
    if whole { Ok(()) } else { Err(Broken("its header does not fit its footer")) }
}

/// The index without its checksum, and what it comes to.
fn read_index(file: &mut (impl Read + Seek), at: u64, size: u64) -> Result<(Vec<u8>, Sums), XzError> {
    let mut index = vec![0; usize::try_from(size).map_err(|_| Broken("its index is larger than can be"))?];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut index)?;
    let (content, crc) = index.split_last_chunk::<4>().ok_or(Broken("its index is damaged"))?;
    if crc32fast::hash(content) != u32::from_le_bytes(*crc) {
        return Err(Broken("its index is damaged"));
    }
    let sums = sum_index(content).ok_or(Broken("its index makes no sense"))?;
    index.truncate(index.len() - 4);
    Ok((index, sums))
}

/// Of all blocks of a stream: bytes in the file with padding, bytes unpacked, and how many they are.
struct Sums {
    packed: u64,
    unpacked: u64,
    records: u64,
}

/// Of an index without its checksum.
fn sum_index(content: &[u8]) -> Option<Sums> {
    let mut records = Records::of(content)?;
    let mut sums = Sums { packed: 0, unpacked: 0, records: records.left };
    for record in &mut records {
        let (unpadded, unpacked) = record?;
        sums.packed = sums.packed.checked_add(unpadded.checked_next_multiple_of(4)?)?;
        sums.unpacked = sums.unpacked.checked_add(unpacked)?;
    }
    let padded = records.rest.len() < 4 && records.rest.iter().all(|byte| *byte == 0);
    (padded && sums.packed <= VLI_MOST && sums.unpacked <= VLI_MOST).then_some(sums)
}

/// Goes through the records of an index: bytes without padding, bytes unpacked; `None` for one that cannot be, and then
/// no more.
struct Records<'a> {
    left: u64,
    rest: &'a [u8],
}

impl<'a> Records<'a> {
    fn of(content: &'a [u8]) -> Option<Records<'a>> {
        let mut rest = content.strip_prefix(&[0])?;
        let left = take_vli(&mut rest)?;
        Some(Records { left, rest })
    }

    fn take(&mut self) -> Option<(u64, u64)> {
        // 5: the smallest header of a block and one byte of data, before its padding.
        let unpadded = take_vli(&mut self.rest).filter(|size| *size >= 5)?;
        Some((unpadded, take_vli(&mut self.rest)?))
    }
}

impl Iterator for Records<'_> {
    type Item = Option<(u64, u64)>;
    fn next(&mut self) -> Option<Option<(u64, u64)>> {
        self.left = self.left.checked_sub(1)?;
        let record = self.take();
        if record.is_none() {
            self.left = 0;
        }
        Some(record)
    }
}

/// The bytes of a whole stream around one block: what comes before it, and what after. The index behind it has this one
/// record, so that whoever unpacks it as a stream compares the block with the sizes that it was found by.
pub(super) fn frame(block: &Block) -> ([u8; FRAME as usize], Vec<u8>) {
    let mut index = vec![0, 1];
    put_vli(&mut index, block.unpadded);
    put_vli(&mut index, block.unpacked);
    index.resize(index.len().next_multiple_of(4), 0);
    index.extend(crc32fast::hash(&index).to_le_bytes());
    let [m0, m1, m2, m3, m4, m5] = MAGIC;
    let [f0, f1] = block.flags;
    let [c0, c1, c2, c3] = crc32fast::hash(&block.flags).to_le_bytes();
    let mut tail = (index.len() as u32 / 4 - 1).to_le_bytes().to_vec();
    tail.extend(block.flags);
    index.extend(crc32fast::hash(&tail).to_le_bytes());
    index.extend(tail);
    index.extend(FOOTER_MAGIC);
    ([m0, m1, m2, m3, m4, m5, f0, f1, c0, c1, c2, c3], index)
}

fn put_vli(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

/// Seven bits a byte, the lowest first, at most nine bytes, in the shortest form.
fn take_vli(from: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return (*byte != 0 || shift == 0).then_some(value);
        }
    }
    None
}

fn read_at<const N: usize>(file: &mut (impl Read + Seek), at: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn size(bytes: &[u8]) -> Result<u64, XzError> {
        unpacked_size(&mut Cursor::new(bytes), bytes.len() as u64)
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        xz2::read::XzEncoder::new(bytes, 1).read_to_end(&mut packed).unwrap();
        packed
    }

    /// A stream whose index makes the given claims; its blocks are zeros.
    fn claiming(records: &[(u64, u64)]) -> Vec<u8> {
        let mut index = vec![0];
        put_vli(&mut index, records.len() as u64);
        for (size, unpacked) in records {
            put_vli(&mut index, *size);
            put_vli(&mut index, *unpacked);
        }
        index.resize(index.len().next_multiple_of(4), 0);
        index.extend(crc32fast::hash(&index).to_le_bytes());
        let blocks: u64 = records.iter().fold(0, |sum, (size, _)| sum.wrapping_add(size.next_multiple_of(4)));
        let flags = [0, 4];
        let mut file = MAGIC.to_vec();
        file.extend(flags);
        file.extend(crc32fast::hash(&flags).to_le_bytes());
        file.resize(file.len() + blocks.min(4096) as usize, 0);
        file.extend(&index);
        let mut tail = (index.len() as u32 / 4 - 1).to_le_bytes().to_vec();
        tail.extend(flags);
        file.extend(crc32fast::hash(&tail).to_le_bytes());
        file.extend(tail);
        file.extend(FOOTER_MAGIC);
        file
    }

    #[test]
    fn numbers_of_the_format() {
        let cases: [(&[u8], Option<u64>); 8] = [
            (&[0], Some(0)),
            (&[0x7f], Some(127)),
            (&[0x80, 1], Some(128)),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], Some(VLI_MOST)),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], None),
            (&[0x80, 0], None),
            (&[0x80], None),
            (&[], None),
        ];
        for (mut bytes, want) in cases {
            assert_eq!(take_vli(&mut bytes), want);
        }
    }

    #[test]
    fn sizes_of_one_and_more_streams_with_padding() {
        let (one, two) = (packed(&[7; 3000]), packed(b""));
        assert_eq!(size(&one).unwrap(), 3000);
        assert_eq!(size(&two).unwrap(), 0);
        let mut both = one.clone();
        both.extend([0; 8]);
        both.extend(&two);
        both.extend(&one);
        both.extend([0; 4]);
        assert_eq!(size(&both).unwrap(), 6000);
        both.extend([0; 3]);
        assert!(matches!(size(&both), Err(Truncated)));
    }

    #[test]
    fn a_claim_of_a_petabyte_is_reported_and_an_overflow_is_not() {
        assert_eq!(size(&claiming(&[(64, 1 << 50)])).unwrap(), 1 << 50);
        assert_eq!(size(&claiming(&[(64, VLI_MOST)])).unwrap(), VLI_MOST);
        let broken: [&[(u64, u64)]; 4] =
            [&[(64, VLI_MOST), (64, 1)], &[(VLI_MOST, 1)], &[(VLI_MOST, 1), (VLI_MOST, 1), (8, 0)], &[(4, 1)]];
        for records in broken {
            assert!(matches!(size(&claiming(records)), Err(Broken(_))), "{records:?}");
        }
        let mut twice = claiming(&[(64, VLI_MOST)]);
        twice.extend(claiming(&[(64, VLI_MOST)]));
        assert!(matches!(size(&twice), Err(Broken("its sizes overflow"))));
    }

    #[test]
    fn an_index_that_cannot_be_is_not_read() {
        let mut file = claiming(&[(64, 1)]);
        let footer = file.len() - 12;
        let mut tail = (u32::MAX).to_le_bytes().to_vec();
        tail.extend([0, 4]);
        file.truncate(footer);
        file.extend(crc32fast::hash(&tail).to_le_bytes());
        file.extend(tail);
        file.extend(FOOTER_MAGIC);
        assert!(matches!(size(&file), Err(Broken("its index is larger than can be"))));
        let zeros = [packed(b"x"), vec![0; PADDING_MOST as usize + 8]].concat();
        assert!(matches!(size(&zeros), Err(Broken("it ends in too many zeros"))));
    }

    #[test]
    fn a_truncated_file_is_told_at_every_length() {
        let whole = packed(&(0..2000u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>());
        for length in 0..whole.len() {
            assert!(size(&whole[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn blocks_lie_where_the_index_says() {
        let (one, two) = (packed(&[7; 3000]), packed(&[8; 50]));
        let mut both = one.clone();
        both.extend([0; 4]);
        both.extend(&two);
        let find = |most| blocks(&mut Cursor::new(&both), both.len() as u64, most).unwrap();
        let found = find(2).unwrap();
        assert_eq!(found.iter().map(|block| block.unpacked).collect::<Vec<_>>(), [3000, 50]);
        assert_eq!(found.iter().map(|block| block.start).collect::<Vec<_>>(), [12, one.len() as u64 + 4 + 12]);
        for block in &found {
            let (before, after) = frame(block);
            let bytes = &both[block.start as usize..(block.start + block.packed()) as usize];
            let alone = [&before[..], bytes, &after].concat();
            assert_eq!(size(&alone).unwrap(), block.unpacked);
            let mut unpacked = Vec::new();
            xz2::read::XzDecoder::new(&alone[..]).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked.len() as u64, block.unpacked);
        }
        assert_eq!(find(1), None, "more than were asked for");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_can_harm(bytes: Vec<u8>) {
            let _ = size(&bytes);
            let _ = blocks(&mut Cursor::new(&bytes), bytes.len() as u64, 100);
            let _ = sum_index(&bytes);
        }
    }
}
