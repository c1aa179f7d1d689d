//! Unpacking on all cores: the index of an xz file says where each block lies and where its bytes belong, so several can
//! be unpacked at once.
//!
//! The file itself is read once, from its beginning to its end, by whoever takes the next block: its hash is taken on the
//! way, and it may be a file that is still growing as long as its index is known.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use xz2::stream::{Action, Status, Stream};

use super::ImageError;
use super::adapters::read_some;
use super::file::{MEMORY_MOST, explain};
use super::xz::{self, Block};
use crate::domain::size::{Bytes, MIB};

/// An image of 64 GB in blocks of 12 MiB has 5,000; a file with more is no image, and its list would take memory.
const BLOCKS_MOST: usize = 65_536;
/// Larger ones are not taken into memory: `xz -9` makes blocks of 192 MiB.
const BLOCK_MOST: u64 = 32 * MIB;
/// What unpacking takes besides the block itself (`xz -3`: 4 MiB of what was unpacked last, and tables).
const DECODER: u64 = 6 * MIB;
/// More than that do not fill any card faster.
const WORKERS_MOST: u64 = 8;

/// Blocks that may be unpacked side by side.
#[derive(Debug, Clone)]
pub struct BlockPlan {
    blocks: Vec<Block>,
    longest_packed: u64,
    longest: u64,
}

impl BlockPlan {
    /// `None`: one stream it is. Every block but the last ends at a whole MiB, is of a size that memory takes, and packed
    /// not much larger than unpacked (no encoder makes such).
    pub(super) fn of(blocks: Vec<Block>) -> Option<BlockPlan> {
        let sane = |block: &Block| {
            (1..=BLOCK_MOST).contains(&block.unpacked)
                && block.packed() <= block.unpacked + block.unpacked / 16 + (64 << 10)
        };
        let (_, before) = blocks.split_last()?;
        let whole = before.iter().all(|block| block.unpacked.is_multiple_of(MIB));
        if before.is_empty() || !whole || !blocks.iter().all(sane) {
            return None;
        }
        let longest_packed = blocks.iter().map(Block::packed).max()?;
        let longest = blocks.iter().map(|block| block.unpacked).max()?;
        Some(BlockPlan { blocks, longest_packed, longest })
    }

    pub(super) fn read(file: &mut (impl Read + io::Seek), length: u64) -> Option<BlockPlan> {
        // A file that is broken says so when it is read as one stream.
        xz::blocks(file, length, BLOCKS_MOST).ok().flatten().and_then(BlockPlan::of)
    }

    /// How many of them to unpack at once with so many cores, and so much memory to spare.
    pub fn workers(&self, cores: usize, memory: Bytes) -> usize {
        // A third: the page cache, and whatever else runs here, need some too.
        let affordable = memory.0 / 3 / self.memory_each();
        affordable.min(WORKERS_MOST).min(self.blocks.len() as u64).min(cores as u64).max(1) as usize
    }

    /// Of one worker: a block packed, the same unpacked while it waits for its turn, and the decoder.
    fn memory_each(&self) -> u64 {
        self.longest_packed + self.longest + DECODER
    }

    /// Unpacked bytes of all of them: at most 65,536 times 32 MiB.
    pub(super) fn size(&self) -> Bytes {
        Bytes(self.blocks.iter().map(|block| block.unpacked).sum())
    }
}

/// An opened image whose blocks are taken one after the other, by whoever is free.
pub struct Blocks {
    plan: BlockPlan,
    path: PathBuf,
    feed: Mutex<Feed>,
}

struct Feed {
    source: Box<dyn Read + Send>,
    /// Bytes of the file that were read.
    position: u64,
    length: u64,
    next: usize,
    /// Where the next block belongs in the image.
    at: u64,
    ended: bool,
}

impl Blocks {
    /// `source` yields the file from its first byte on, `length` of them.
    pub fn new(plan: BlockPlan, source: Box<dyn Read + Send>, length: Bytes, path: PathBuf) -> Blocks {
        let feed = Feed { source, position: 0, length: length.0, next: 0, at: 0, ended: false };
        Blocks { plan, path, feed: Mutex::new(feed) }
    }

    pub fn longest(&self) -> u64 {
        self.plan.longest
    }

    /// Reads the next block into `packed`, with what makes a whole stream of it. Behind the last one the file is read to
    /// its end.
    fn take(&self, packed: &mut Vec<u8>) -> io::Result<Option<(u64, Block)>> {
        let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(block) = self.plan.blocks.get(feed.next).copied() else {
            return feed.end(&self.path).map(|()| None);
        };
        let (before, after) = xz::frame(&block);
        feed.skip_to(block.start, &self.path)?;
        packed.clear();
        packed.extend(before);
        feed.read(block.packed(), packed, &self.path)?;
        packed.extend(after);
        let at = feed.at;
        feed.next += 1;
        feed.at += block.unpacked;
        Ok(Some((at, block)))
    }
}

impl Feed {
    /// Header, index and footer of a stream, zeros between streams: small, and read for the hash only.
    fn skip_to(&mut self, start: u64, path: &std::path::Path) -> io::Result<()> {
        let between = start.saturating_sub(self.position);
        let read = io::copy(&mut (&mut self.source).take(between), &mut io::sink())?;
        self.position += read;
        if read == between { Ok(()) } else { Err(truncated(path)) }
    }

    fn read(&mut self, count: u64, packed: &mut Vec<u8>, path: &std::path::Path) -> io::Result<()> {
        packed.reserve(usize::try_from(count).unwrap_or_default() + 64);
        let read = (&mut self.source).take(count).read_to_end(packed)? as u64;
        self.position += read;
        if read == count { Ok(()) } else { Err(truncated(path)) }
    }

    fn end(&mut self, path: &std::path::Path) -> io::Result<()> {
        if self.ended {
            return Ok(());
        }
        self.skip_to(self.length, path)?;
        self.ended = true;
        match read_some(&mut self.source, &mut [0])? {
            0 => Ok(()),
            _ => Err(ImageError::Broken { path: path.into(), what: "it is longer than it says" }.into_io()),
        }
    }
}

fn truncated(path: &std::path::Path) -> io::Error {
    ImageError::Truncated { path: path.into() }.into_io()
}

/// Unpacks one block after the other. Each is read to its end through [`Read`] before the next is taken.
pub struct BlockReader<'a> {
    blocks: &'a Blocks,
    packed: Vec<u8>,
    consumed: usize,
    stream: Option<Stream>,
    left: u64,
}

impl<'a> BlockReader<'a> {
    pub fn new(blocks: &'a Blocks) -> BlockReader<'a> {
        BlockReader { blocks, packed: Vec::new(), consumed: 0, stream: None, left: 0 }
    }

    /// The next block that nobody else has: where its bytes belong in the image, and how many they are. `None`: there are
    /// no more, and the file was read to its end.
    pub fn next_block(&mut self) -> io::Result<Option<(u64, u64)>> {
        let Some((at, block)) = self.blocks.take(&mut self.packed)? else { return Ok(None) };
        // A block holds at most `BLOCK_MOST`, so that no more of this memory is ever used, whatever it asks for.
        let stream = Stream::new_stream_decoder(MEMORY_MOST.0, 0).map_err(io::Error::from);
        self.stream = Some(stream.map_err(|error| explain(&self.blocks.path, error))?);
        (self.consumed, self.left) = (0, block.unpacked);
        Ok(Some((at, block.unpacked)))
    }

    fn step(&mut self, output: &mut [u8]) -> io::Result<(usize, Status)> {
        let Some(stream) = &mut self.stream else { return Ok((0, Status::StreamEnd)) };
        let (before_in, before_out) = (stream.total_in(), stream.total_out());
        let input = self.packed.get(self.consumed..).unwrap_or_default();
        let status = stream.process(input, output, Action::Run);
        self.consumed += (stream.total_in() - before_in) as usize;
        let made = (stream.total_out() - before_out) as usize;
        match status.map_err(io::Error::from) {
            // Everything is there, so there is nothing to wait for.
            Ok(Status::MemNeeded) => Err(self.damaged()),
            Ok(status) => Ok((made, status)),
            Err(error) => Err(explain(&self.blocks.path, error)),
        }
    }

    /// The check of the block and the record of the index are compared behind its last byte.
    fn expect_end(&mut self) -> io::Result<()> {
        loop {
            match self.step(&mut [0])? {
                (0, Status::StreamEnd) if self.consumed == self.packed.len() => break,
                (0, Status::Ok) => {}
                _ => return Err(self.damaged()),
            }
        }
        self.stream = None;
        Ok(())
    }

    fn damaged(&self) -> io::Error {
        ImageError::Broken { path: self.blocks.path.clone(), what: "its packed data are damaged" }.into_io()
    }
}

impl Read for BlockReader<'_> {
    /// The last bytes of a block are given only once its check was right.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let mut made = 0;
        while made < most {
            let (more, status) = self.step(buffer.get_mut(made..most).unwrap_or_default())?;
            made += more;
            if matches!(status, Status::StreamEnd) && made < most {
                return Err(self.damaged());
            }
        }
        self.left -= made as u64;
        if made > 0 && self.left == 0 {
            self.expect_end()?;
        }
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    const BLOCK: usize = 2 << 20;

    fn content(length: usize) -> Vec<u8> {
        (0..length as u32 / 4).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> (n % 29)).to_le_bytes()).collect()
    }

    fn pack(bytes: &[u8], block: usize) -> Vec<u8> {
        use xz2::stream::{Check, MtStreamBuilder};
        let stream = MtStreamBuilder::new().threads(1).preset(0).check(Check::Crc64).block_size(block as u64).encoder();
        let mut packed = Vec::new();
        xz2::read::XzEncoder::new_stream(bytes, stream.unwrap()).read_to_end(&mut packed).unwrap();
        packed
    }

    fn plan(packed: &[u8]) -> Option<BlockPlan> {
        BlockPlan::read(&mut Cursor::new(packed), packed.len() as u64)
    }

    fn open(packed: Vec<u8>) -> Blocks {
        let (plan, length) = (plan(&packed).unwrap(), Bytes(packed.len() as u64));
        Blocks::new(plan, Box::new(Cursor::new(packed)), length, "x".into())
    }

    /// By three workers at once; the pieces in the order of their places.
    fn unpack(packed: Vec<u8>) -> Result<Vec<u8>, ImageError> {
        let blocks = open(packed);
        let work = || {
            let (mut reader, mut pieces) = (BlockReader::new(&blocks), Vec::new());
            while let Some((at, length)) = reader.next_block()? {
                let mut piece = vec![0; length as usize];
                reader.read_exact(&mut piece)?;
                assert_eq!(reader.read(&mut [0])?, 0);
                pieces.push((at, piece));
            }
            Ok::<_, io::Error>(pieces)
        };
        let done: io::Result<Vec<_>> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..3).map(|_| scope.spawn(work)).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        let mut pieces = done.map_err(|error| ImageError::from_read("x".as_ref(), error))?.concat();
        pieces.sort();
        Ok(pieces.into_iter().flat_map(|(_, piece)| piece).collect())
    }

    #[test]
    fn blocks_are_unpacked_side_by_side() {
        let bytes = content(7 * BLOCK + 1000);
        assert!(unpack(pack(&bytes, BLOCK)).unwrap() == bytes);
        let mut two = pack(&bytes[..4 * BLOCK], BLOCK);
        two.extend([0; 8]);
        two.extend(pack(&bytes[4 * BLOCK..], BLOCK));
        two.extend([0; 4]);
        assert!(unpack(two).unwrap() == bytes, "two streams with padding");
    }

    #[test]
    fn what_cannot_be_shared_is_one_stream() {
        let bytes = content(3 * BLOCK);
        assert!(plan(&pack(&bytes, 4 * BLOCK)).is_none(), "one block");
        assert!(plan(&pack(&bytes, BLOCK + 4096)).is_none(), "blocks that end inside a MiB");
        assert!(plan(&pack(&bytes, BLOCK)[4..]).is_none(), "broken");
        let block = |unpadded, unpacked| Block { start: 12, unpadded, unpacked, flags: [0, 4] };
        let good = block(1000, MIB);
        assert!(BlockPlan::of(vec![good, good]).is_some());
        let odd = [block(1000, 0), block(1000, 64 * MIB), block(3 * MIB, MIB), block(u64::MAX / 4, MIB)];
        for odd in odd {
            assert!(BlockPlan::of(vec![good, odd]).is_none(), "{odd:?}");
        }
    }

    #[test]
    fn damage_anywhere_is_told() {
        let bytes = content(3 * BLOCK);
        let whole = pack(&bytes, BLOCK);
        let blocks = plan(&whole).unwrap().blocks;
        for block in &blocks {
            let (start, end) = (block.start as usize, (block.start + block.unpadded) as usize);
            // Header, data, and the check, which is the last of it.
            for place in [start, start + 2, (start + end) / 2, end - 1] {
                let mut damaged = whole.clone();
                damaged[place] ^= 4;
                assert!(unpack(damaged).unwrap_err().is_damage(), "{place}");
            }
        }
    }

    #[test]
    fn a_record_that_lies_is_told() {
        let bytes = content(3 * BLOCK);
        let packed = pack(&bytes, BLOCK);
        for wrong in [MIB, BLOCK as u64 + MIB] {
            let mut lying = plan(&packed).unwrap();
            lying.blocks[1].unpacked = wrong;
            let blocks = Blocks::new(lying, Box::new(Cursor::new(packed.clone())), Bytes(0), "x".into());
            let mut reader = BlockReader::new(&blocks);
            let told = (0..2).try_for_each(|_| {
                let (_, length) = reader.next_block()?.unwrap();
                io::copy(&mut (&mut reader).take(length), &mut io::sink()).map(drop)
            });
            assert!(told.is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_that_ends_early_or_goes_on_is_told() {
        let packed = pack(&content(3 * BLOCK), BLOCK);
        let length = Bytes(packed.len() as u64);
        let of = |bytes: Vec<u8>| {
            let blocks = Blocks::new(plan(&packed).unwrap(), Box::new(Cursor::new(bytes)), length, "x".into());
            let mut reader = BlockReader::new(&blocks);
            while let Some((_, length)) = reader.next_block()? {
                io::copy(&mut (&mut reader).take(length), &mut io::sink())?;
            }
            Ok::<_, io::Error>(())
        };
        assert!(of(packed.clone()).is_ok());
        assert!(of(packed[..packed.len() / 2].to_vec()).is_err());
        assert!(of(packed[..packed.len() - 1].to_vec()).is_err());
        assert!(of([&packed[..], b"x"].concat()).is_err());
    }

    #[test]
    fn workers_by_cores_and_memory() {
        let block = Block { start: 12, unpadded: 4 << 20, unpacked: 12 << 20, flags: [0, 4] };
        let plan = BlockPlan::of(vec![block; 100]).unwrap();
        let cases = [(1, 4000, 1), (2, 4000, 2), (4, 4000, 4), (64, 64_000, 8), (4, 300, 4), (4, 150, 2), (4, 20, 1)];
        for (cores, memory, want) in cases {
            assert_eq!(plan.workers(cores, Bytes::mib(memory)), want, "{cores} cores, {memory} MiB");
        }
    }
}
