//! An image as the disk floor wants it: a file that lies here, or one that is still being downloaded.

use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use crate::disk::pieces::one_piece;
use crate::disk::{ImageBytes, PieceReader, Pieces};
use crate::domain::image::Digest;
use crate::domain::size::Bytes;
use crate::host::power;
use crate::image::ImageError;
use crate::image::blocks::{BlockPlan, BlockReader, Blocks};
use crate::image::file::{ImageFile, Packed};
use crate::image::stream::ImageStream;

/// Where the bytes of an image come from.
#[derive(Debug, Clone)]
pub enum Origin {
    File(ImageFile),
    /// Reading waits for what is still to come.
    Stream(ImageStream),
}

impl Origin {
    pub fn size(&self) -> Bytes {
        match self {
            Origin::File(file) => file.size,
            Origin::Stream(stream) => stream.size(),
        }
    }

    /// Whether it is what it has to be; of one that is still being downloaded once that has ended.
    pub fn is_whole(&self) -> bool {
        match self {
            Origin::File(_) => true,
            Origin::Stream(stream) => stream.is_whole(),
        }
    }

    fn open(&self) -> Result<(Box<dyn Read + Send>, Packed), ImageError> {
        match self {
            Origin::File(file) => file.open_watched(None),
            Origin::Stream(stream) => stream.open_watched(),
        }
    }

    fn block_plan(&self) -> Option<BlockPlan> {
        match self {
            Origin::File(file) => file.block_plan(),
            Origin::Stream(stream) => stream.block_plan(),
        }
    }

    fn open_blocks(&self, plan: BlockPlan) -> Result<(Blocks, Packed), ImageError> {
        match self {
            Origin::File(file) => file.open_blocks(plan),
            Origin::Stream(stream) => stream.open_blocks(plan),
        }
    }
}

/// An image, and what was read of it.
pub struct Source {
    origin: Origin,
    seen: Mutex<Option<Packed>>,
}

impl Source {
    pub fn new(origin: Origin) -> Source {
        Source { origin, seen: Mutex::default() }
    }

    /// Whether what was read to its end just now is what it has to be (IM-2).
    pub fn was(&self, digest: Digest) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.as_ref().and_then(Packed::digest) == Some(digest)
    }

    fn note(&self, packed: Packed) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(packed);
    }
}

impl ImageBytes for Source {
    fn size(&self) -> u64 {
        self.origin.size().0
    }

    fn open(&self) -> io::Result<Box<dyn io::Read + Send>> {
        let (bytes, packed) = self.origin.open().map_err(io::Error::other)?;
        self.note(packed);
        Ok(bytes)
    }

    fn share(&self) -> io::Result<Box<dyn Pieces + '_>> {
        // Where nobody says how much memory there is, one stream takes least.
        let memory = power::spare_memory().unwrap_or_default();
        let plan = self.origin.block_plan().map(|plan| (plan.workers(power::cores(), memory), plan));
        match plan {
            Some((workers, plan)) if workers > 1 => {
                let (blocks, packed) = self.origin.open_blocks(plan).map_err(io::Error::other)?;
                self.note(packed);
                Ok(Box::new(Shared { blocks, workers }))
            }
            _ => Ok(one_piece(self.open()?, self.size())),
        }
    }
}

/// An image whose blocks are unpacked side by side.
struct Shared {
    blocks: Blocks,
    workers: usize,
}

impl Pieces for Shared {
    fn workers(&self) -> usize {
        self.workers
    }

    fn longest(&self) -> u64 {
        self.blocks.longest()
    }

    fn reader(&self) -> Box<dyn PieceReader + '_> {
        Box::new(SharedReader(BlockReader::new(&self.blocks)))
    }
}

struct SharedReader<'a>(BlockReader<'a>);

impl io::Read for SharedReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl PieceReader for SharedReader<'_> {
    fn next_piece(&mut self) -> io::Result<Option<(u64, u64)>> {
        self.0.next_block()
    }
}
