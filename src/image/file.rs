//! An image file, packed or not: what it is, how large it will be on the card, and its bytes (WR-2, IM-5).

use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::ImageError;
use super::adapters::{Exact, Hashed, Metered, Tap};
use super::blocks::{BlockPlan, Blocks};
use super::xz::{self, XzError};
use crate::domain::progress::Meter;
use crate::domain::size::{Bytes, MIB};

/// `xz -9` needs 65 MiB to unpack, the images of Home Assistant OS (`xz -3`) 5.
pub(super) const MEMORY_MOST: Bytes = Bytes::mib(160);
const READ_AHEAD: usize = 256 << 10;

/// A file that is an image as far as can be told without unpacking it. Its table is for the caller to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFile {
    pub path: PathBuf,
    pub packed: bool,
    /// Bytes of the file.
    pub file_size: Bytes,
    /// Bytes on the card. Of a packed file: what it claims, however much that is; more never comes out.
    pub size: Bytes,
}

/// What passed through an opened image, seen at the file: for progress, and for the hash of the packed bytes.
#[derive(Clone)]
pub struct Packed {
    tap: Tap,
    file_size: Bytes,
}

impl Packed {
    /// Of the file as it was published. `None` until it was read to its end.
    pub fn digest(&self) -> Option<crate::domain::image::Digest> {
        let (digest, bytes) = self.tap.digest();
        (bytes == self.file_size).then_some(digest)
    }
}

impl ImageFile {
    /// By what is in the file, never by its name.
    pub fn inspect(path: impl Into<PathBuf>) -> Result<ImageFile, ImageError> {
        let path = path.into();
        let reading = |source| ImageError::Reading { path: path.clone(), source };
        let not_one = |found| ImageError::NotAnImage { path: path.clone(), found };
        // Opening something else than a file could wait for ever.
        not_a_file(&std::fs::metadata(&path).map_err(reading)?).map_or(Ok(()), |found| Err(not_one(found)))?;
        let mut file = File::open(&path).map_err(reading)?;
        let file_size = file.metadata().map_err(reading)?.len();
        let mut head = Vec::new();
        (&mut file).take(512).read_to_end(&mut head).map_err(reading)?;
        let packed = head.starts_with(&xz::MAGIC);
        let size = match packed {
            true => packed_size(&mut file, file_size, &path)?,
            false => check_raw(&head, file_size).map_or(Ok(file_size), |found| Err(not_one(found)))?,
        };
        if size == 0 {
            return Err(not_one("empty"));
        }
        Ok(ImageFile { path, packed, file_size: Bytes(file_size), size: Bytes(size) })
    }

    /// The bytes of the card: exactly `size` of them, or an error. Ask [`ImageError::from_read`] which one.
    pub fn open(&self) -> Result<Box<dyn Read + Send>, ImageError> {
        self.open_watched(None).map(|(reader, _)| reader)
    }

    /// The same; the meter counts bytes of the file, and its hash is taken on the way.
    pub fn open_watched(&self, meter: Option<Meter>) -> Result<(Box<dyn Read + Send>, Packed), ImageError> {
        self.unpack(Metered::new(self.open_file()?, meter.unwrap_or_default()))
    }

    fn open_file(&self) -> Result<File, ImageError> {
        File::open(&self.path).map_err(|source| ImageError::Reading { path: self.path.clone(), source })
    }

    /// `file` yields the bytes of the file.
    pub(super) fn unpack(
        &self,
        file: impl Read + Send + 'static,
    ) -> Result<(Box<dyn Read + Send>, Packed), ImageError> {
        let (hashed, tap) = Hashed::new(file);
        let reader: Box<dyn Read + Send> = match self.packed {
            true => Box::new(Exact::new(Unxz::new(hashed, self.path.clone())?, self.size, self.path.clone())),
            false => Box::new(Exact::new(BufReader::with_capacity(READ_AHEAD, hashed), self.size, self.path.clone())),
        };
        Ok((reader, Packed { tap, file_size: self.file_size }))
    }

    /// How its blocks lie; `None` where it can only be read as one stream.
    pub fn block_plan(&self) -> Option<BlockPlan> {
        let mut file = self.packed.then(|| File::open(&self.path).ok()).flatten()?;
        BlockPlan::read(&mut file, self.file_size.0)
    }

    /// The bytes of the card in blocks that several workers take, `size` in all, or an error from one of them.
    pub fn open_blocks(&self, plan: BlockPlan) -> Result<(Blocks, Packed), ImageError> {
        self.share(plan, self.open_file()?)
    }

    /// `file` yields the bytes of the file.
    pub(super) fn share(
        &self,
        plan: BlockPlan,
        file: impl Read + Send + 'static,
    ) -> Result<(Blocks, Packed), ImageError> {
        if plan.size() != self.size {
            return Err(ImageError::Broken { path: self.path.clone(), what: "it changed while it was used" });
        }
        let (hashed, tap) = Hashed::new(file);
        let blocks = Blocks::new(plan, Box::new(hashed), self.file_size, self.path.clone());
        Ok((blocks, Packed { tap, file_size: self.file_size }))
    }
}

fn packed_size(file: &mut File, length: u64, path: &Path) -> Result<u64, ImageError> {
    let path = path.to_path_buf();
    xz::unpacked_size(file, length).map_err(|error| match error {
        XzError::Truncated => ImageError::Truncated { path },
        XzError::Broken(what) => ImageError::Broken { path, what },
        XzError::Io(source) => ImageError::Reading { path, source },
    })
}

fn not_a_file(meta: &Metadata) -> Option<&'static str> {
    match (meta.is_file(), meta.is_dir()) {
        (true, _) => None,
        (_, true) => Some("a folder"),
        _ => Some("not a file"),
    }
}

/// Why a file that is not xz is no bare image either.
fn check_raw(head: &[u8], length: u64) -> Option<&'static str> {
    let others: [(&[u8], &str); 9] = [
        (&[0x1f, 0x8b], "packed with gzip, not with xz"),
        (b"PK\x03\x04", "a zip archive"),
        (b"BZh", "packed with bzip2, not with xz"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "packed with zstd, not with xz"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"QFI\xfb", "a disk of a virtual machine (qcow2)"),
        (b"KDMV", "a disk of a virtual machine (vmdk)"),
        (b"<!DOCTYPE", "a web page"),
        (b"<html", "a web page"),
    ];
    let has_boot_mark = head.get(510..512) == Some(&[0x55, 0xaa]);
    match others.into_iter().find(|(magic, _)| head.starts_with(magic)) {
        Some((_, found)) => Some(found),
        None if length == 0 => Some("empty"),
        None if has_boot_mark || length >= MIB => None,
        None => Some("neither an xz file nor a disk image"),
    }
}

/// Unpacks; tells damage from failing to read.
struct Unxz<R: Read> {
    decoder: xz2::bufread::XzDecoder<BufReader<R>>,
    path: PathBuf,
}

impl<R: Read> Unxz<R> {
    fn new(packed: R, path: PathBuf) -> Result<Unxz<R>, ImageError> {
        let stream = xz2::stream::Stream::new_stream_decoder(MEMORY_MOST.0, xz2::stream::CONCATENATED)
            .map_err(|error| ImageError::Reading { path: path.clone(), source: error.into() })?;
        let packed = BufReader::with_capacity(READ_AHEAD, packed);
        Ok(Unxz { decoder: xz2::bufread::XzDecoder::new_stream(packed, stream), path })
    }
}

/// What an error of the decoder says about the file.
pub(super) fn explain(path: &Path, error: io::Error) -> io::Error {
    use xz2::stream::Error as E;
    let path = path.to_path_buf();
    let broken = |what| ImageError::Broken { path: path.clone(), what }.into_io();
    match error.get_ref().and_then(|inner| inner.downcast_ref::<E>()) {
        Some(E::MemLimit | E::Mem) => ImageError::TooMuchMemory { path, limit: MEMORY_MOST }.into_io(),
        Some(E::Options | E::UnsupportedCheck | E::NoCheck) => broken("it is packed in a way that is not known"),
        Some(_) => broken("its packed data are damaged"),
        None if error.kind() == io::ErrorKind::UnexpectedEof => ImageError::Truncated { path }.into_io(),
        None if error.kind() == io::ErrorKind::InvalidData => broken("its packed data are damaged"),
        None => error,
    }
}

impl<R: Read> Read for Unxz<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(buffer).map_err(|error| explain(&self.path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_xz_is_named() {
        let mut boot = vec![0; 512];
        boot[510..].copy_from_slice(&[0x55, 0xaa]);
        let cases: [(&[u8], u64, bool); 9] = [
            (&boot, 512, true),
            (&[0; 512], 512, false),
            (&[0; 512], MIB, true),
            (&[0; 512], MIB - 1, false),
            (&[], 0, false),
            (b"PK\x03\x04", 5 * MIB, false),
            (&[0x1f, 0x8b, 8], 5 * MIB, false),
            (b"<!DOCTYPE html>", 5 * MIB, false),
            (b"text", 4, false),
        ];
        for (head, length, image) in cases {
            assert_eq!(check_raw(head, length).is_none(), image, "{:?} {length}", head.get(..8));
        }
    }
}
