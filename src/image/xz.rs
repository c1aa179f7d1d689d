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
    if length < STREAM_LEAST || !length.is_multiple_of(4) {
        return Err(Truncated);
    }
    let (mut end, mut size) = (length, 0u64);
    for _ in 0..STREAMS_MOST {
        end = skip_padding(file, end)?;
        let stream = read_stream(file, end)?;
        size = size.checked_add(stream.unpacked).filter(|s| *s <= VLI_MOST).ok_or(Broken("its sizes overflow"))?;
        if stream.start == 0 {
            return Ok(size);
        }
        end = stream.start;
    }
    Err(Broken("it has too many parts"))
}

struct Stream {
    start: u64,
    unpacked: u64,
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
    let (blocks, unpacked) = read_index(file, index_end - index_size, index_size)?;
    let start = (index_end - index_size).checked_sub(blocks).and_then(|at| at.checked_sub(FRAME));
    let start = start.ok_or(Broken("its index does not fit its length"))?;
    check_header(file, start, [f0, f1])?;
    Ok(Stream { start, unpacked })
}

fn check_header(file: &mut (impl Read + Seek), start: u64, flags: [u8; 2]) -> Result<(), XzError> {
    let [m0, m1, m2, m3, m4, m5, f0, f1, c0, c1, c2, c3] = read_at::<12>(file, start)?;
    let whole = [m0, m1, m2, m3, m4, m5] == MAGIC
        && crc32fast::hash(&[f0, f1]) == u32::from_le_bytes([c0, c1, c2, c3])
        && [f0, f1] == flags;
    if whole { Ok(()) } else { Err(Broken("its header does not fit its footer")) }
}

/// Bytes of all blocks in the file, and unpacked.
fn read_index(file: &mut (impl Read + Seek), at: u64, size: u64) -> Result<(u64, u64), XzError> {
    let mut index = vec![0; usize::try_from(size).map_err(|_| Broken("its index is larger than can be"))?];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut index)?;
    let (content, crc) = index.split_last_chunk::<4>().ok_or(Broken("its index is damaged"))?;
    if crc32fast::hash(content) != u32::from_le_bytes(*crc) {
        return Err(Broken("its index is damaged"));
    }
    sum_index(content).ok_or(Broken("its index makes no sense"))
}

/// Of an index without its checksum.
fn sum_index(content: &[u8]) -> Option<(u64, u64)> {
    let mut rest = content.strip_prefix(&[0])?;
    let records = take_vli(&mut rest)?;
    let (mut blocks, mut unpacked) = (0u64, 0u64);
    for _ in 0..records {
        // 5: the smallest header of a block and one byte of data, before its padding.
        let size = take_vli(&mut rest).filter(|size| *size >= 5)?;
        blocks = blocks.checked_add(size.checked_next_multiple_of(4)?)?;
        unpacked = unpacked.checked_add(take_vli(&mut rest)?)?;
    }
    let padded = rest.len() < 4 && rest.iter().all(|byte| *byte == 0);
    (padded && blocks <= VLI_MOST && unpacked <= VLI_MOST).then_some((blocks, unpacked))
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

    fn put_vli(to: &mut Vec<u8>, mut value: u64) {
        while value >= 0x80 {
            to.push(value as u8 | 0x80);
            value >>= 7;
        }
        to.push(value as u8);
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

    proptest::proptest! {
        #[test]
        fn no_bytes_can_harm(bytes: Vec<u8>) {
            let _ = size(&bytes);
            let _ = sum_index(&bytes);
        }
    }
}
