//! Every file of the image's data partition, still on the card with the same bytes.

use std::sync::Arc;

use ext4_view::{Ext4, Ext4Error, Metadata, Path, PathBuf};

use crate::disk::reader::FileSystem;

use super::locate::locate;
use super::scratch::Scratch;
use super::{Card, Findings, InspectError};

/// So many files are named one by one; a card that was overwritten has thousands.
const MOST_NAMED: usize = 20;
const BUFFER: usize = 64 << 10;

/// How a file on the card differs from the image's.
enum Difference {
    How(String),
    /// From this byte of it on.
    Bytes(u64),
}

pub(super) fn check(
    card: &Card<'_>,
    content: &Ext4,
    image: Scratch,
    findings: &mut Findings,
) -> Result<(), InspectError> {
    let unreadable = |error: Ext4Error| InspectError::ImageData(error.to_string());
    let length = image.length;
    let (image, _) = FileSystem::look(Arc::new(image), 0, length).map_err(unreadable)?;
    let mut found = 0;
    let mut folders = vec![PathBuf::new("/")];
    while let Some(folder) = folders.pop() {
        for entry in image.read_dir(folder.as_path()).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if matches!(entry.file_name().as_ref(), b"." | b"..") {
                continue;
            }
            let path = entry.path();
            let wanted = image.symlink_metadata(path.as_path()).map_err(unreadable)?;
            let difference = compare(&image, content, path.as_path(), &wanted).map_err(unreadable)?;
            if wanted.is_dir() && !matches!(difference, Some(Difference::How(_))) {
                folders.push(path.clone());
            }
            if let Some(difference) = difference {
                found += 1;
                report(card, path.as_path(), difference, found, findings);
            }
        }
    }
    if found > MOST_NAMED {
        findings.damage(format!("{} more files differ from the image's", found - MOST_NAMED), card.data_offset());
    }
    Ok(())
}

fn report(card: &Card<'_>, path: Path<'_>, difference: Difference, count: usize, findings: &mut Findings) {
    if count > MOST_NAMED {
        return;
    }
    match difference {
        Difference::How(how) => findings.damage(format!("{} {how}", path.display()), card.data_offset()),
        Difference::Bytes(at) => {
            let what = format!("{} differs from the image's, from its byte {at} on", path.display());
            findings.damage(what, locate(card.view, &card.data, path, at));
        }
    }
}

/// Errors are the image's; what cannot be read on the card is a difference.
fn compare(image: &Ext4, card: &Ext4, path: Path<'_>, wanted: &Metadata) -> Result<Option<Difference>, Ext4Error> {
    let how = |how: &str| Ok(Some(Difference::How(how.into())));
    let found = match card.symlink_metadata(path) {
        Ok(found) => found,
        Err(Ext4Error::NotFound) => return how("is missing"),
        Err(error) => return how(&format!("cannot be read: {error}")),
    };
    if found.file_type() != wanted.file_type() {
        return how("is of another kind than in the image");
    }
    if (found.mode(), found.uid(), found.gid()) != (wanted.mode(), wanted.uid(), wanted.gid()) {
        return how("has other rights than in the image");
    }
    if wanted.is_symlink() {
        let same = card.read_link(path).is_ok_and(|target| image.read_link(path).is_ok_and(|wanted| wanted == target));
        return if same { Ok(None) } else { how("leads elsewhere than in the image") };
    }
    if !wanted.file_type().is_regular_file() {
        return Ok(None);
    }
    if found.len() != wanted.len() {
        return how("has another length than in the image");
    }
    compare_bytes(image, card, path)
}

fn compare_bytes(image: &Ext4, card: &Ext4, path: Path<'_>) -> Result<Option<Difference>, Ext4Error> {
    let unreadable = |error: Ext4Error| Ok(Some(Difference::How(format!("cannot be read: {error}"))));
    let mut wanted = image.open(path)?;
    let mut found = match card.open(path) {
        Ok(found) => found,
        Err(error) => return unreadable(error),
    };
    let (mut theirs, mut ours) = (vec![0; BUFFER], vec![0; BUFFER]);
    loop {
        let at = wanted.position();
        let count = read_full(&mut wanted, &mut theirs)?;
        let theirs = theirs.get(..count).unwrap_or_default();
        let ours = match read_full(&mut found, &mut ours) {
            Ok(count) => ours.get(..count).unwrap_or_default(),
            Err(error) => return unreadable(error),
        };
        if ours != theirs {
            let same = ours.iter().zip(theirs).take_while(|(ours, theirs)| ours == theirs).count();
            return Ok(Some(Difference::Bytes(at + same as u64)));
        }
        if count == 0 {
            return Ok(None);
        }
    }
}

/// Until `buffer` is full or the file ends: the two file systems may have blocks of different sizes.
fn read_full(file: &mut ext4_view::File, buffer: &mut [u8]) -> Result<usize, Ext4Error> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read_bytes(rest)? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}
