//! The data partition of an image, unpacked into a file that has no name: it is gone however the program ends.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::disk::reader::ReadAt;
use crate::domain::size::MIB;
use crate::host::buffer::is_zero;

use super::InspectError;

pub(super) struct Scratch {
    file: File,
    pub length: u64,
}

impl Scratch {
    /// Takes so many `bytes` from the image; zeros follow up to `length`. Zeros take no room.
    pub fn fill(folder: &Path, image: &mut dyn Read, bytes: u64, length: u64) -> Result<Scratch, InspectError> {
        let keeping = |source| InspectError::Scratch { folder: folder.into(), source };
        let file = nameless(folder).map_err(keeping)?;
        file.set_len(length).map_err(keeping)?;
        let mut buffer = vec![0; MIB as usize];
        let mut at = 0;
        while at < bytes {
            let part = buffer.split_at_mut((bytes - at).min(MIB) as usize).0;
            image.read_exact(part).map_err(InspectError::Image)?;
            if !is_zero(part) {
                file.write_all_at(part, at).map_err(keeping)?;
            }
            at += part.len() as u64;
        }
        Ok(Scratch { file, length })
    }
}

impl ReadAt for Scratch {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }
}

fn nameless(folder: &Path) -> io::Result<File> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let path = folder.join(format!("sd-swap-{}", hex::encode(random)));
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leaves_nothing_and_ends_in_zeros() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::fill(folder.path(), &mut &[7; 1000][..], 1000, 4096).unwrap();
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        let mut back = [1; 4096];
        scratch.read_at(0, &mut back).unwrap();
        assert!(back[..1000].iter().all(|b| *b == 7) && back[1000..].iter().all(|b| *b == 0));
    }

    #[test]
    fn an_image_that_ends_early_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let short = Scratch::fill(folder.path(), &mut &[7; 10][..], 11, 4096);
        assert!(matches!(short, Err(InspectError::Image(_))));
    }
}
