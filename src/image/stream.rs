//! An image that is put onto the card while it is downloaded. Its table of contents lies at its end, so that is asked for
//! first, by a request of its own; where the server does not give it, the image is downloaded before it is used.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use awc::http::header;
use bytes::Bytes as Chunk;

use super::ImageError;
use super::blocks::{BlockPlan, Blocks};
use super::fetch::{Source, parse_content_range};
use super::file::{ImageFile, Packed};
use super::get::Getter;
use super::growing::Growing;
use super::xz;
use crate::domain::image::Digest;
use crate::domain::pace::Pace;
use crate::domain::progress::StopFlag;
use crate::domain::size::Bytes;

/// Of an image of Home Assistant OS the table has about a kB; 64 suffice for 10,000 blocks.
const TAIL: u64 = 64 << 10;
/// The header of a stream, which has to fit its end.
const HEAD: u64 = 12;

/// A connection that was kept from earlier may just have been closed, to the first host and to the one it leads to.
const TRIES: u32 = 3;

/// An image that is still being downloaded: how large it is, how its blocks lie, and what it has to be.
#[derive(Debug, Clone)]
pub struct ImageStream {
    /// As it will lie in the cache; `path` is for messages only.
    image: ImageFile,
    plan: Option<BlockPlan>,
    digest: Digest,
    growing: Growing,
}

impl ImageStream {
    /// Of a download that goes into `growing`. `None`: it cannot be used before it is whole, because its size or its digest
    /// is not known, the server gives no parts, or it is no xz file of one stream.
    pub async fn of(
        client: &awc::Client,
        pace: &Pace,
        source: &Source,
        growing: &Growing,
        stop: &StopFlag,
    ) -> Option<ImageStream> {
        let (size, digest) = (source.size?.0, source.digest?);
        let getter = Getter { client, pace, stop };
        // A small file is there before its end was asked for.
        let tail_from = size.checked_sub(TAIL)?;
        let mut tries = 0;
        let told = loop {
            match ends(&getter, source, size, tail_from).await {
                Err(ImageError::Connection { .. }) if tries < TRIES => tries += 1,
                told => break told,
            }
        };
        let mut ends = match told {
            Ok(ends) => ends?,
            Err(ImageError::Stopped) => return None,
            Err(error) => {
                log::info!("{error}; {} is downloaded before it is used", source.name);
                return None;
            }
        };
        let unpacked = xz::unpacked_size(&mut ends, size).ok().filter(|size| *size > 0)?;
        let path = Path::new(&source.name).to_path_buf();
        let image = ImageFile { path, packed: true, file_size: Bytes(size), size: Bytes(unpacked) };
        let plan = BlockPlan::read(&mut ends, size);
        Some(ImageStream { image, plan, digest, growing: growing.clone() })
    }

    /// Bytes on the card.
    pub fn size(&self) -> Bytes {
        self.image.size
    }

    /// What it will have been if it was the right one.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Waits for the end of the download: whether that has the right digest and nobody can have read anything else.
    pub fn is_as_published(&self) -> bool {
        self.is_as_told() && !self.growing.has_started_over()
    }

    /// Waits for the end of the download: whether its own end says what was told of it before.
    pub fn is_as_told(&self) -> bool {
        let Some(file) = self.growing.whole() else { return false };
        let (mut file, length) = (&*file, self.image.file_size.0);
        let unpacked = xz::unpacked_size(&mut file, length);
        unpacked.is_ok_and(|size| size == self.image.size.0) && BlockPlan::read(&mut file, length) == self.plan
    }

    /// Waits for the end of the download: whether it has the right digest. If not, it says why itself.
    pub fn is_whole(&self) -> bool {
        self.growing.is_whole()
    }

    /// Every reader errs from now on, also one that waits.
    pub fn give_up(&self) {
        self.growing.give_up();
    }

    /// As [`ImageFile::open_watched`]; reading waits for what is still to come.
    pub fn open_watched(&self) -> Result<(Box<dyn Read + Send>, Packed), ImageError> {
        self.image.unpack(self.growing.reader())
    }

    pub fn block_plan(&self) -> Option<BlockPlan> {
        self.plan.clone()
    }

    /// As [`ImageFile::open_blocks`]; reading waits for what is still to come.
    pub fn open_blocks(&self, plan: BlockPlan) -> Result<(Blocks, Packed), ImageError> {
        self.image.share(plan, self.growing.reader())
    }
}

/// `None`: the server answers with something else than the parts that were asked for.
async fn ends(getter: &Getter<'_>, source: &Source, size: u64, tail_from: u64) -> Result<Option<Ends>, ImageError> {
    let Some(tail) = part(getter, source, size, tail_from, TAIL).await? else { return Ok(None) };
    let head = part(getter, source, size, 0, HEAD).await?;
    Ok(head.map(|head| Ends { head, tail, tail_from, at: 0 }))
}

async fn part(
    getter: &Getter<'_>,
    source: &Source,
    size: u64,
    first: u64,
    length: u64,
) -> Result<Option<Chunk>, ImageError> {
    let range = format!("bytes={first}-{}", first + length - 1);
    let mut answer = getter.get(&source.url, &[(header::RANGE, range)]).await?;
    let given = answer.header(header::CONTENT_RANGE).and_then(parse_content_range);
    let asked = answer.status == 206 && given.is_some_and(|(at, total)| at == first && total == Some(size));
    if !asked {
        return Ok(None);
    }
    let bytes = answer.whole(getter, Bytes(length)).await?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 == length))
}

/// The first and the last bytes of a file, as if it were all there.
struct Ends {
    head: Chunk,
    tail: Chunk,
    tail_from: u64,
    at: u64,
}

impl Read for Ends {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (from, part) = if self.at >= self.tail_from { (self.tail_from, &self.tail) } else { (0, &self.head) };
        let skip = usize::try_from(self.at - from).unwrap_or(usize::MAX);
        let there = part.get(skip..).unwrap_or_default();
        let count = there.len().min(buffer.len());
        let (to, bytes) = (buffer.get_mut(..count).unwrap_or_default(), there.get(..count).unwrap_or_default());
        to.copy_from_slice(bytes);
        self.at += count as u64;
        // In the middle there is nothing: `read_exact` errs.
        Ok(count)
    }
}

impl Seek for Ends {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::Start(at) => self.at = at,
            SeekFrom::Current(_) | SeekFrom::End(_) => return Err(io::ErrorKind::Unsupported.into()),
        }
        Ok(self.at)
    }
}
