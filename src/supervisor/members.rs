//! The members of a tar, one header at a time, with bounded memory.
//!
//! The `tar` crate decodes single headers; the walk is ours, because a backup must be told apart from one that was cut
//! off: a tar without its end-of-archive block is not whole, however well its members read.

use std::io::{self, Read};

use tar::{EntryType, Header, PaxExtensions};

pub const BLOCK: u64 = 512;
/// A long name or a pax record larger than this is no name.
const EXTENSION_MOST: u64 = 1 << 20;
/// So many extension headers before one member are an attempt to keep us busy.
const EXTENSIONS_MOST: u32 = 16;

/// One member: its header was read, its data comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// As it stands in the archive, `./` in front removed. Any bytes; never used as a path.
    pub name: Vec<u8>,
    pub size: u64,
}

impl Member {
    /// Zeroes between the data and the next header.
    pub fn padding(&self) -> u64 {
        (BLOCK - self.size % BLOCK) % BLOCK
    }

    /// Data with its padding; saturates on sizes that no file has.
    pub fn padded(&self) -> u64 {
        self.size.saturating_add(self.padding())
    }
}

#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// The bytes end where a header, a name or an end-of-archive block should be.
    #[error("the archive is cut off")]
    CutOff,
    #[error("{0}")]
    Bad(&'static str),
    #[error("reading")]
    Io(#[from] io::Error),
}

/// Reads the next header, with the long names before it. `None`: the first block of the end-of-archive mark.
pub fn next_member(reader: &mut impl Read) -> Result<Option<Member>, WalkError> {
    let mut long = Long::default();
    for _ in 0..EXTENSIONS_MOST {
        let Some(header) = next_header(reader)? else {
            return if long.is_empty() { Ok(None) } else { Err(WalkError::CutOff) };
        };
        if long.take_extension(&header, reader)? {
            continue;
        }
        return long.member(&header).map(Some);
    }
    Err(WalkError::Bad("a member has too many extension headers"))
}

fn next_header(reader: &mut impl Read) -> Result<Option<Header>, WalkError> {
    let mut header = Header::new_old();
    fill(reader, header.as_mut_bytes())?;
    if header.as_bytes().iter().all(|b| *b == 0) {
        return Ok(None);
    }
    let told = header.cksum().map_err(|_| WalkError::Bad("a header has no checksum"))?;
    match told == checksum(header.as_bytes()) {
        true => Ok(Some(header)),
        false => Err(WalkError::Bad("a header has a wrong checksum")),
    }
}

/// Sum of all bytes of the header, its checksum field counted as spaces.
fn checksum(header: &[u8; 512]) -> u32 {
    let sum = |bytes: &[u8]| bytes.iter().map(|b| u32::from(*b)).sum::<u32>();
    let (before, rest) = header.split_at(148);
    let (_, after) = rest.split_at(8);
    sum(before) + 8 * 32 + sum(after)
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Result<(), WalkError> {
    reader.read_exact(buffer).map_err(|e| match e.kind() {
        io::ErrorKind::UnexpectedEof => WalkError::CutOff,
        _ => WalkError::Io(e),
    })
}

/// What extension headers said of the next member.
#[derive(Default)]
struct Long {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    seen: bool,
}

impl Long {
    fn is_empty(&self) -> bool {
        !self.seen
    }

    /// True: it was an extension, and its data was read.
    fn take_extension(&mut self, header: &Header, reader: &mut impl Read) -> Result<bool, WalkError> {
        let kind = header.entry_type();
        let is_long = kind.is_gnu_longname() || kind.is_gnu_longlink();
        let is_pax = kind.is_pax_local_extensions() || kind.is_pax_global_extensions();
        if !is_long && !is_pax {
            return Ok(false);
        }
        let data = extension_data(header, reader)?;
        if kind.is_gnu_longname() {
            self.name = Some(data.split(|b| *b == 0).next().unwrap_or_default().to_vec());
        } else if kind.is_pax_local_extensions() {
            self.take_pax(&data)?;
        }
        self.seen |= !kind.is_pax_global_extensions();
        Ok(true)
    }

    fn take_pax(&mut self, data: &[u8]) -> Result<(), WalkError> {
        for record in PaxExtensions::new(data) {
            let record = record.map_err(|_| WalkError::Bad("a pax header cannot be read"))?;
            match record.key_bytes() {
                b"path" => self.name = Some(record.value_bytes().to_vec()),
                b"size" => {
                    let size = record.value().ok().and_then(|v| v.parse().ok());
                    self.size = Some(size.ok_or(WalkError::Bad("a pax header has a wrong size"))?);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn member(self, header: &Header) -> Result<Member, WalkError> {
        let told = header.entry_size().map_err(|_| WalkError::Bad("a header has no size"))?;
        let name = self.name.unwrap_or_else(|| header.path_bytes().into_owned());
        let name = name.strip_prefix(b"./").map(<[u8]>::to_vec).unwrap_or(name);
        let size = if has_data(header.entry_type()) { self.size.unwrap_or(told) } else { 0 };
        Ok(Member { name, size })
    }
}

fn extension_data(header: &Header, reader: &mut impl Read) -> Result<Vec<u8>, WalkError> {
    let size = header.entry_size().map_err(|_| WalkError::Bad("an extension header has no size"))?;
    if size > EXTENSION_MOST {
        return Err(WalkError::Bad("an extension header is too large"));
    }
    let member = Member { name: Vec::new(), size };
    let mut data = vec![0; member.padded() as usize];
    fill(reader, &mut data)?;
    data.truncate(size as usize);
    Ok(data)
}

/// Links, devices and folders have no data, whatever their size field says (as Python's `tarfile` reads them).
fn has_data(kind: EntryType) -> bool {
    !(kind.is_hard_link()
        || kind.is_symlink()
        || kind.is_character_special()
        || kind.is_block_special()
        || kind.is_dir()
        || kind.is_fifo())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(mut bytes: &[u8]) -> Result<Vec<Vec<u8>>, WalkError> {
        let mut names = Vec::new();
        while let Some(member) = next_member(&mut bytes)? {
            bytes = bytes.get(member.padded() as usize..).ok_or(WalkError::CutOff)?;
            names.push(member.name);
        }
        Ok(names)
    }

    fn tar_of(names: &[&str]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for name in names {
            let mut header = Header::new_gnu();
            header.set_size(3);
            builder.append_data(&mut header, name, &b"abc"[..]).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn short_and_long_names_are_read() {
        let long = "x".repeat(255);
        let bytes = tar_of(&["./a", "b", &long]);
        assert_eq!(names(&bytes).unwrap(), [b"a".to_vec(), b"b".to_vec(), long.into_bytes()]);
    }

    #[test]
    fn an_archive_without_its_end_is_cut_off() {
        let bytes = tar_of(&["a"]);
        for end in 0..1025 {
            assert!(matches!(names(&bytes[..end]), Err(WalkError::CutOff)), "{end}");
        }
    }

    #[test]
    fn a_changed_header_is_found() {
        let good = tar_of(&["a"]);
        for place in [0, 100, 124, 148, 156, 300] {
            let mut bytes = good.clone();
            bytes[place] ^= 1;
            assert!(matches!(names(&bytes), Err(WalkError::Bad(_))), "{place}");
        }
    }

    #[test]
    fn a_name_of_gigabytes_is_refused_before_it_is_read() {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::GNULongName);
        header.set_size(1 << 40);
        header.set_cksum();
        assert!(matches!(names(header.as_bytes()), Err(WalkError::Bad(_))));
    }

    #[test]
    fn pax_names_and_sizes_count() {
        let mut builder = tar::Builder::new(Vec::new());
        builder.append_pax_extensions([("path", &b"from-pax"[..]), ("size", b"3")]).unwrap();
        let mut header = Header::new_ustar();
        header.set_size(3);
        builder.append_data(&mut header, "plain", &b"abc"[..]).unwrap();
        assert_eq!(names(&builder.into_inner().unwrap()).unwrap(), [b"from-pax".to_vec()]);
    }
}
