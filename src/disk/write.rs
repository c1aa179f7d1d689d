//! Image bytes onto the card: one thread decodes and hashes, the other writes; a few buffers go round between them.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use sha2::{Digest, Sha256};

use crate::domain::layout::{self, Layout};
use crate::domain::size::{Bytes, MIB, SECTOR};
use crate::host::Claim;
use crate::host::buffer::Aligned;

use super::blank::{flush, write as write_at};
use super::error::CardError;
use super::{ImageBytes, Work, is_zero};

/// Buffers in the round: one decoded into, one written, two waiting.
const BUFFERS: usize = 4;
pub(super) const CHUNK: usize = MIB as usize;

/// What 1 MiB of the image is: enough to know it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    pub hash: [u8; 32],
    /// Bytes of it, a multiple of a sector; less than 1 MiB only at the image's end.
    pub length: u32,
    /// All zero: not written; reading back shows whether the card has zeros there (WR-2).
    pub zero: bool,
}

impl Chunk {
    pub(super) fn of(bytes: &[u8]) -> Chunk {
        let zero = is_zero(bytes);
        Chunk { hash: Sha256::digest(bytes).into(), length: bytes.len() as u32, zero }
    }
}

/// An image that was opened and whose first MiB was read.
pub(super) struct Opened {
    head: Vec<u8>,
    rest: Box<dyn Read + Send>,
}

impl Opened {
    pub fn open(image: &dyn ImageBytes) -> Result<Opened, CardError> {
        let mut rest = image.open().map_err(CardError::Image)?;
        let mut head = vec![0; CHUNK];
        let read = fill(rest.as_mut(), &mut head).map_err(CardError::Image)?;
        head.truncate(read);
        Ok(Opened { head, rest })
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

/// Writes all but the first MiB. Returns that, and what every MiB was.
pub(super) fn write(
    claim: &dyn Claim,
    image: Opened,
    image_size: u64,
    work: &Work,
) -> Result<(Vec<u8>, Vec<Chunk>), CardError> {
    let Opened { head, mut rest } = image;
    work.meter.add(head.len() as u64);
    let (full_sender, full) = sync_channel::<io::Result<(Aligned, Chunk)>>(BUFFERS);
    let (empty_sender, empty) = sync_channel::<Aligned>(BUFFERS);
    for _ in 0..BUFFERS {
        // The receiver is here: this cannot fail.
        let _ = empty_sender.send(Aligned::new(CHUNK));
    }
    let mut chunks = vec![Chunk::of(&head)];
    thread::scope(|scope| {
        let decoder = thread::Builder::new().name("decoder".into());
        let left = image_size.saturating_sub(head.len() as u64);
        decoder
            .spawn_scoped(scope, move || decode(rest.as_mut(), left, &empty, &full_sender))
            .map_err(CardError::Image)?;
        // Both ends go with it: a decoder that waited for a buffer, or to give one away, would wait for ever.
        write_chunks(claim, full, empty_sender, &mut chunks, work)
    })?;
    flush(claim)?;
    Ok((head, chunks))
}

/// Until the image ends, or nobody takes its chunks any more.
fn decode(
    image: &mut dyn Read,
    mut left: u64,
    empty: &Receiver<Aligned>,
    full: &SyncSender<io::Result<(Aligned, Chunk)>>,
) {
    while left > 0 {
        let Ok(mut buffer) = empty.recv() else { return };
        let decoded = next_chunk(image, &mut buffer, left).map(|chunk| (buffer, chunk));
        let failed = decoded.is_err();
        left = left.saturating_sub(CHUNK as u64);
        if full.send(decoded).is_err() || failed {
            return;
        }
    }
}

/// The next MiB; at the image's end what is left of it, filled with zeros to a whole sector.
fn next_chunk(image: &mut dyn Read, buffer: &mut [u8], left: u64) -> io::Result<Chunk> {
    let want = left.min(CHUNK as u64) as usize;
    let sectors = want.next_multiple_of(SECTOR as usize);
    let (part, rest) = buffer.split_at_mut(want);
    image.read_exact(part)?;
    rest.fill(0);
    Ok(Chunk::of(buffer.get(..sectors).unwrap_or(buffer)))
}

fn write_chunks(
    claim: &dyn Claim,
    full: Receiver<io::Result<(Aligned, Chunk)>>,
    empty: SyncSender<Aligned>,
    chunks: &mut Vec<Chunk>,
    work: &Work,
) -> Result<(), CardError> {
    for decoded in full {
        work.go_on()?;
        let (buffer, chunk) = decoded.map_err(CardError::Image)?;
        let offset = chunks.len() as u64 * MIB;
        if !chunk.zero {
            write_at(claim, offset, buffer.get(..chunk.length as usize).unwrap_or(&buffer))?;
        }
        chunks.push(chunk);
        work.meter.add(chunk.length.into());
        // The decoder is gone when it has nothing more to decode.
        let _ = empty.send(buffer);
    }
    Ok(())
}

/// Reads until `buffer` is full or the image ends.
pub(super) fn fill(image: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match image.read(rest) {
            Ok(0) => break,
            Ok(n) => read += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
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

/// Where chunk `number` begins on the card.
pub(super) fn place(number: u64) -> Bytes {
    Bytes(number * MIB)
}
