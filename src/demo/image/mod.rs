//! Images of Home Assistant OS made on the spot: partition order, numbers, names, UUIDs, types, starts and table bytes
//! are those of the board; the operating system in them is filling.
//!
//! ```no_run
//! use sd_swap::demo::image::{ImageSpec, Shape, make};
//! use sd_swap::domain::image::Board;
//!
//! let spec = ImageSpec { version: "18.2".parse().unwrap(), shape: Shape::Tiny, seed: 1 };
//! let made = make(Board::Rpi4_64, &spec, "haos_rpi4-64-18.2.img.xz".as_ref()).unwrap();
//! println!("{} packed from {}", made.packed, made.size);
//! ```
//!
//! Needs e2fsprogs; with dosfstools and mtools the boot partition is a real FAT.

mod content;
mod geometry;
mod table;
mod texture;

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use xz2::stream::{Check, MtStreamBuilder};
use xz2::write::XzEncoder;

use super::tools::ToolError;
use crate::domain::image::{Board, Digest, OsVersion};
use crate::domain::layout::{Guid, TableKind};
use crate::domain::size::Bytes;
use content::{Workshop, partition_for};
use geometry::{Geometry, Part};
use texture::{CHUNK, Random, Texture};

/// How large an image is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// As from 18 on: every partition where the release has it, data as small as its content, next to nothing free in it.
    Release18,
    /// As up to 17: data of 1280 MiB; a GPT image of 2 GiB (PCs: 6 GiB) with room behind it.
    Release17,
    /// The same structure, a few MiB large: 14–21 MiB in all, data without a journal.
    Tiny,
}

/// What to make. The same spec gives the same bytes with the same versions of the tools.
#[derive(Debug, Clone)]
pub struct ImageSpec {
    pub version: OsVersion,
    pub shape: Shape,
    pub seed: u64,
}

/// An image that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeImage {
    /// Unpacked.
    pub size: Bytes,
    /// As the file is.
    pub packed: Bytes,
    /// Of the file as it is.
    pub digest: Digest,
}

#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    #[error("making the image's file systems")]
    Tool(#[from] ToolError),
    #[error("filling the data file system: {0}")]
    Filling(String),
    #[error("writing {what}")]
    Writing { what: PathBuf, source: io::Error },
}

impl MakeError {
    fn writing<P: Into<PathBuf>>(what: P) -> impl FnOnce(io::Error) -> MakeError {
        move |source| MakeError::Writing { what: what.into(), source }
    }
}

/// Makes an image and packs it as releases are: `xz -3` in blocks of 12 MiB.
pub fn make(board: Board, spec: &ImageSpec, packed: &Path) -> Result<MadeImage, MakeError> {
    let dir = workshop(packed)?;
    let raw = dir.path().join("image");
    let size = make_raw(board, spec, &raw)?;
    pack(&raw, packed).map_err(MakeError::writing(packed))?;
    let (digest, packed) = digest(packed).map_err(MakeError::writing(packed))?;
    Ok(MadeImage { size, packed, digest })
}

/// Makes an image as it lies on a disk; returns its size. The file is sparse.
pub fn make_raw(board: Board, spec: &ImageSpec, raw: &Path) -> Result<Bytes, MakeError> {
    let dir = workshop(raw)?;
    let shop = Workshop { dir: dir.path(), spec, board: board.slug() };
    let mut geometry = Geometry::of(board, spec.shape);
    let data = shop.data()?;
    let data_bytes = fs::metadata(&data).map_err(MakeError::writing(&data))?.len();
    let size = fit(board, spec.shape, &mut geometry, data_bytes);
    let parts = file_systems(&shop, &geometry, data)?;
    assemble(&geometry, spec, size, &parts, raw).map_err(MakeError::writing(raw))?;
    Ok(Bytes(size))
}

/// Makes the table of an image alone, for a data file system of so many bytes: everything else is zero. Returns its size.
pub fn make_table(board: Board, spec: &ImageSpec, data_bytes: u64, raw: &Path) -> Result<Bytes, MakeError> {
    let mut geometry = Geometry::of(board, spec.shape);
    let size = fit(board, spec.shape, &mut geometry, data_bytes);
    let write = || {
        let mut image = File::create(raw)?;
        image.set_len(size)?;
        put_table(&mut image, &geometry, spec, size)
    };
    write().map_err(MakeError::writing(raw))?;
    Ok(Bytes(size))
}

/// Gives the data partition its length; returns the bytes of the whole image.
fn fit(board: Board, shape: Shape, geometry: &mut Geometry, data_bytes: u64) -> u64 {
    if let Some(slot) = geometry.slots.last_mut() {
        slot.sectors = partition_for(data_bytes);
    }
    size_of(board, shape, geometry, data_bytes)
}

/// A directory beside `path`, gone when dropped: the parts may be large, and a rename must stay on one file system.
fn workshop(path: &Path) -> Result<tempfile::TempDir, MakeError> {
    let beside = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::Builder::new().prefix("image-").tempdir_in(beside).map_err(MakeError::writing(beside))
}

/// Bytes of the whole image.
fn size_of(board: Board, shape: Shape, geometry: &Geometry, data_bytes: u64) -> u64 {
    let data = geometry.slots.last().map_or(0, |slot| slot.start) * 512;
    let data_end = geometry.slots.last().map_or(0, geometry::Slot::end);
    match (geometry.kind, shape) {
        // Nothing pads the file behind the file system.
        (TableKind::Mbr, _) => data + data_bytes,
        (_, Shape::Release17) if matches!(board, Board::GenericX86_64 | Board::GenericAarch64) => 6 << 30,
        (_, Shape::Release17) => 2 << 30,
        _ => ((data_end + 33) * 512).next_multiple_of(4096),
    }
}

fn file_systems(shop: &Workshop<'_>, geometry: &Geometry, data: PathBuf) -> Result<Vec<(Part, PathBuf)>, MakeError> {
    let sectors = |part| geometry.slot(part).map_or(0, |slot| slot.sectors);
    Ok(vec![
        (Part::Boot, shop.boot(sectors(Part::Boot))?),
        (Part::Overlay, shop.overlay(sectors(Part::Overlay))?),
        (Part::Data, data),
    ])
}

fn assemble(geometry: &Geometry, spec: &ImageSpec, size: u64, parts: &[(Part, PathBuf)], raw: &Path) -> io::Result<()> {
    let mut image = File::create(raw)?;
    image.set_len(size)?;
    for (part, path) in parts {
        let start = geometry.slot(*part).map_or(0, |slot| slot.start);
        insert(&mut image, path, start * 512)?;
    }
    for (name, offset, length) in filling(geometry, spec.shape) {
        fill(&mut image, &mut Texture::new(spec.seed, name), offset, length)?;
    }
    put_table(&mut image, geometry, spec, size)
}

fn put_table(image: &mut File, geometry: &Geometry, spec: &ImageSpec, size: u64) -> io::Result<()> {
    let mut random = Random::new(spec.seed, "table");
    let (disk, uboot) = (Guid(random.bytes16()), Guid(random.bytes16()));
    for (offset, bytes) in table::write(geometry, size / 512, disk, uboot) {
        image.seek(SeekFrom::Start(offset))?;
        image.write_all(&bytes)?;
    }
    Ok(())
}

/// What has no file system that the product looks into: loaders and the first slots. Name, first byte, bytes.
fn filling(geometry: &Geometry, shape: Shape) -> Vec<(&'static str, u64, u64)> {
    let mut all: Vec<_> = geometry.loaders.iter().map(|(offset, length)| ("loader", *offset, *length)).collect();
    if geometry.has_code {
        all.push(("code", 0, 440));
    }
    // Not to the end of their slots, as in a release.
    let (uboot, kernel, system) = match shape {
        Shape::Tiny => (700 << 10, 900 << 10, 1 << 20),
        _ => (3 << 20, 11 << 20, 90 << 20),
    };
    for (part, name, length) in
        [(Part::Uboot, "uboot", uboot), (Part::Kernel0, "kernel", kernel), (Part::System0, "system", system)]
    {
        all.extend(geometry.slot(part).map(|slot| (name, slot.start * 512, length)));
    }
    all
}

fn fill(image: &mut File, texture: &mut Texture, offset: u64, length: u64) -> io::Result<()> {
    image.seek(SeekFrom::Start(offset))?;
    let mut chunk = vec![0; CHUNK];
    let mut left = length as usize;
    while left > 0 {
        let bytes = &mut chunk[..left.min(CHUNK)];
        texture.fill(bytes);
        image.write_all(bytes)?;
        left -= bytes.len();
    }
    Ok(())
}

/// Copies a file into the image, leaving holes for its zeros.
fn insert(image: &mut File, part: &Path, offset: u64) -> io::Result<()> {
    let mut part = File::open(part)?;
    let mut chunk = vec![0; CHUNK];
    let zeros = vec![0; CHUNK];
    let mut at = offset;
    loop {
        let read = part.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        if chunk[..read] != zeros[..read] {
            image.seek(SeekFrom::Start(at))?;
            image.write_all(&chunk[..read])?;
        }
        at += read as u64;
    }
}

/// Packs a file as releases are packed.
pub fn pack(raw: &Path, packed: &Path) -> io::Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
    let mut builder = MtStreamBuilder::new();
    let stream = builder.threads(threads).preset(3).block_size(12 << 20).check(Check::Crc64).encoder();
    let stream = stream.map_err(io::Error::other)?;
    let mut encoder = XzEncoder::new_stream(BufWriter::new(File::create(packed)?), stream);
    io::copy(&mut io::BufReader::with_capacity(1 << 20, File::open(raw)?), &mut encoder)?;
    encoder.finish()?.flush()
}

fn digest(path: &Path) -> io::Result<(Digest, Bytes)> {
    let mut hash = Sha256::new();
    let mut file = File::open(path)?;
    let mut chunk = vec![0; CHUNK];
    let mut length = 0;
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok((Digest(hash.finalize().into()), Bytes(length)));
        }
        hash.update(&chunk[..read]);
        length += read as u64;
    }
}
