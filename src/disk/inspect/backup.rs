//! The backup on a card: there, alone, readable to its end, with the right name and rights.

use std::fs::File;
use std::io::{self, BufReader, Read};

use ext4_view::{Ext4, Ext4Error, Path, PathBuf};
use sha2::{Digest as _, Sha256};

use crate::domain::backup::BackupSlug;
use crate::domain::image::Digest;

use super::locate::locate;
use super::{Card, Findings, FoundBackup, GivenBackup, InspectError, Wants};

const FOLDER: &str = "/supervisor/backup";
/// Made at the first start of the Supervisor.
const STARTED: &str = "/supervisor/homeassistant";
const BUFFER: usize = 256 << 10;

/// Reads the backup; `None`: there is none.
pub(super) fn check(
    card: &Card<'_>,
    content: &Ext4,
    wants: &Wants<'_>,
    findings: &mut Findings,
) -> Result<Option<FoundBackup>, InspectError> {
    let names = match list(content, findings, card.data_offset()) {
        Ok(names) => names,
        Err(error) => {
            findings.damage(format!("{FOLDER} cannot be read: {error}"), card.data_offset());
            return Ok(None);
        }
    };
    let Some(name) = choose(names.as_deref().unwrap_or_default(), wants.backup.as_ref()) else {
        missing(card, content, names.is_some(), wants.backup.is_some(), findings);
        return Ok(None);
    };
    for other in names.iter().flatten().filter(|other| **other != name) {
        findings.note(format!("another backup is on it: {other}"));
    }
    examine(card, content, &name, wants, findings).map(Some)
}

/// Names of the tars; `None`: not even the folder is there.
fn list(content: &Ext4, findings: &mut Findings, data: u64) -> Result<Option<Vec<String>>, Ext4Error> {
    let folder = match content.symlink_metadata(FOLDER) {
        Err(Ext4Error::NotFound) => return Ok(None),
        other => other?,
    };
    if !folder.is_dir() || (folder.mode() & 0o7777, folder.uid(), folder.gid()) != (0o755, 0, 0) {
        findings.damage(format!("{FOLDER} is not a folder with the rights 0755 of root"), data);
    }
    let mut names = Vec::new();
    for entry in content.read_dir(FOLDER)? {
        let entry = entry?;
        let name = entry.file_name().display().to_string();
        if name.ends_with(".tar") {
            names.push(name);
        }
    }
    names.sort();
    Ok(Some(names))
}

/// The one that is asked for; else the first that is named as we name it; else the first.
fn choose(names: &[String], given: Option<&GivenBackup>) -> Option<String> {
    let wanted = given.and_then(|given| given.slug.as_ref()).map(BackupSlug::file_name);
    let asked_for = names.iter().find(|name| Some(*name) == wanted.as_ref());
    asked_for.or_else(|| names.iter().find(|name| slug_of(name).is_some())).or_else(|| names.first()).cloned()
}

fn slug_of(name: &str) -> Option<BackupSlug> {
    name.strip_suffix(".tar")?.parse().ok()
}

/// A system that has run may have no backups; a card that was just made has the folder only for one.
fn missing(card: &Card<'_>, content: &Ext4, has_folder: bool, is_wanted: bool, findings: &mut Findings) {
    if is_wanted {
        findings.damage(format!("the backup is missing: there is none in {FOLDER}"), card.data_offset());
    } else if has_folder && !content.exists(STARTED).unwrap_or(false) {
        findings.damage(format!("the backup is missing: {FOLDER} is empty"), card.data_offset());
    } else {
        findings.note("there is no backup on it");
    }
}

fn examine(
    card: &Card<'_>,
    content: &Ext4,
    name: &str,
    wants: &Wants<'_>,
    findings: &mut Findings,
) -> Result<FoundBackup, InspectError> {
    let path = PathBuf::new(FOLDER).join(name);
    rights(card, content, path.as_path(), findings);
    let place = |at: u64| locate(card.view, &card.data, path.as_path(), at);
    let file = match content.open(path.as_path()) {
        Ok(file) => file,
        Err(error) => {
            findings.damage(format!("the backup {name} cannot be read: {error}"), card.data_offset());
            let same = wants.backup.as_ref().map(|_| false);
            return Ok(FoundBackup { slug: slug_of(name), sha256: None, same });
        }
    };
    let mut tar = Tar::new(file, wants.backup.as_ref())?;
    let read = (wants.read_backup)(&mut tar);
    let sha256 = tar.finish();
    tar.given_failed.take().map_or(Ok(()), |error| Err(InspectError::Backup(error)))?;
    let same = wants.backup.as_ref().map(|_| tar.differs_at.is_none() && sha256.is_some());
    if let Some(at) = tar.differs_at {
        let what = format!("the backup {name} differs from the one given, from its byte {at} on");
        findings.damage(what, place(at));
    }
    let slug = match read {
        Ok(slug) => Some(slug),
        Err(found) if same == Some(true) => {
            findings.note(format!("the backup is as the one given, but: {}", found.why));
            slug_of(name)
        }
        Err(found) => {
            findings.damage(format!("the backup {name} is damaged: {}", found.why), place(found.at.unwrap_or(0)));
            slug_of(name)
        }
    };
    if slug_of(name).is_some_and(|named| slug.as_ref().is_some_and(|slug| *slug != named)) {
        findings.damage(format!("{name} holds another backup than its name says"), place(0));
    }
    Ok(FoundBackup { slug, sha256, same })
}

fn rights(card: &Card<'_>, content: &Ext4, path: Path<'_>, findings: &mut Findings) {
    let Ok(file) = content.symlink_metadata(path) else { return };
    let rights = file.mode() & 0o7777;
    if !file.file_type().is_regular_file() || !matches!(rights, 0o600 | 0o644) || (file.uid(), file.gid()) != (0, 0) {
        let what = format!("{} is not a file with the rights 0600 or 0644 of root", path.display());
        findings.damage(what, card.data_offset());
    }
}

/// A tar as it is read from the card: hashed, and compared with the one given.
struct Tar {
    file: ext4_view::File,
    hash: Sha256,
    given: Option<BufReader<File>>,
    given_failed: Option<io::Error>,
    position: u64,
    differs_at: Option<u64>,
}

impl Tar {
    fn new(file: ext4_view::File, given: Option<&GivenBackup>) -> Result<Tar, InspectError> {
        let given = given.map(|given| File::open(&given.path)).transpose().map_err(InspectError::Backup)?;
        let given = given.map(|given| BufReader::with_capacity(BUFFER, given));
        Ok(Tar { file, hash: Sha256::new(), given, given_failed: None, position: 0, differs_at: None })
    }

    /// Reads what is left. `None`: that cannot be read.
    fn finish(&mut self) -> Option<Digest> {
        io::copy(self, &mut io::sink()).ok()?;
        let mut more = [0];
        if self.differs_at.is_none()
            && self.given.as_mut().is_some_and(|given| given.read(&mut more).is_ok_and(|n| n > 0))
        {
            self.differs_at = Some(self.position);
        }
        Some(Digest(self.hash.finalize_reset().into()))
    }

    fn compare(&mut self, bytes: &[u8]) {
        let Some(given) = self.given.as_mut().filter(|_| self.differs_at.is_none()) else { return };
        let mut theirs = Vec::new();
        if let Err(error) = given.take(bytes.len() as u64).read_to_end(&mut theirs) {
            self.given_failed.get_or_insert(error);
            return;
        }
        let same = bytes.iter().zip(&theirs).take_while(|(ours, theirs)| ours == theirs).count();
        if same < bytes.len() {
            self.differs_at = Some(self.position + same as u64);
        }
    }
}

impl Read for Tar {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_bytes(buffer).map_err(io::Error::other)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        self.hash.update(bytes);
        self.compare(bytes);
        self.position += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backup_that_is_meant_is_chosen() {
        let given = |slug: &str| GivenBackup { path: "x".into(), slug: slug.parse().ok() };
        let cases: [(&[&str], Option<GivenBackup>, Option<&str>); 6] = [
            (&[], None, None),
            (&["Full_2026.tar"], None, Some("Full_2026.tar")),
            (&["AAA.tar", "0a1b2c3d.tar"], None, Some("0a1b2c3d.tar")),
            (&["0a1b2c3d.tar", "1a1b2c3d.tar"], Some(given("1a1b2c3d")), Some("1a1b2c3d.tar")),
            (&["0a1b2c3d.tar"], Some(given("1a1b2c3d")), Some("0a1b2c3d.tar")),
            (&["0a1b2c3d.tar"], Some(given("none")), Some("0a1b2c3d.tar")),
        ];
        for (names, given, expected) in cases {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            assert_eq!(choose(&names, given.as_ref()).as_deref(), expected, "{names:?}");
        }
    }
}
