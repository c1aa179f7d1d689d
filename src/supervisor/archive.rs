//! A backup's tar, read to its end: is it whole, and will it restore? (BK-3, BK-6, BK-7; format: HA §1.6.)
//!
//! Blocking, with bounded memory: one pass, nothing is unpacked, no name of a member ever becomes a path.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use super::facts::{FactsError, parse_facts};
use super::members::{BLOCK, Member, WalkError, next_member};
use crate::domain::backup::{BackupFacts, BackupKind, BackupSlug, CheckedBackup};
use crate::domain::image::Digest;
use crate::domain::progress::{Meter, StopFlag};
use crate::domain::size::Bytes;

/// A `backup.json` larger than this is none.
const FACTS_MOST: u64 = 4 << 20;
const BUFFER: usize = 256 << 10;
const FACTS_NAMES: [&[u8]; 2] = [b"backup.json", b"snapshot.json"];

/// How far a check goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The outer tar and its digest (BK-3).
    Outer,
    /// Every inner archive of an unencrypted backup too (BK-7).
    Inner,
}

/// A part of a backup that will not restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// "Home Assistant", "the app core_mosquitto", "the folder share".
    pub what: String,
    /// "is missing", "is damaged: …".
    pub how: String,
}

/// Why a tar is no backup that could be put on a card.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("opening {}", path.display())]
    Opening { path: PathBuf, source: io::Error },
    #[error("reading the backup at byte {at}")]
    Reading { at: u64, source: io::Error },
    #[error("the backup is cut off at byte {at}")]
    CutOff { at: u64 },
    #[error("the backup is damaged at byte {at}: {why}")]
    Damaged { at: u64, why: &'static str },
    #[error("the backup has data after its end at byte {at}")]
    AfterEnd { at: u64 },
    #[error("there is no backup.json in it")]
    NoFacts,
    #[error("its backup.json is too large ({0})")]
    FactsTooLarge(Bytes),
    #[error("reading its backup.json")]
    Facts(#[from] FactsError),
    #[error("it is a partial backup: only a full one makes a whole new card")]
    Partial,
    /// Every part that is missing or damaged.
    #[error("{}", name_all(.0))]
    Parts(Vec<Damage>),
    #[error("it is the backup {found}, not {wanted}")]
    OtherBackup { wanted: BackupSlug, found: BackupSlug },
    #[error("it has {found} bytes, not {wanted}")]
    OtherSize { wanted: u64, found: u64 },
    #[error("stopped")]
    Stopped,
    /// The thread that checked it ended without an answer.
    #[error("the check of the backup broke off")]
    BrokeOff,
}

fn name_all(parts: &[Damage]) -> String {
    let each: Vec<String> = parts.iter().map(|d| format!("{} {}", d.what, d.how)).collect();
    each.join("; ")
}

/// Reads a backup from front to end, in one pass. `meter` counts the bytes read; `stop` is looked at once a buffer.
pub fn check_tar(
    reader: impl Read,
    depth: Depth,
    meter: &Meter,
    stop: &StopFlag,
) -> Result<CheckedBackup, ArchiveError> {
    let mut tally = Tally::new(reader, meter, stop);
    let parts = walk(&mut tally, depth)?;
    read_end(&mut tally)?;
    let facts = parts.facts()?;
    let damage = parts.damage(&facts, depth);
    if !damage.is_empty() {
        return Err(ArchiveError::Parts(damage));
    }
    Ok(CheckedBackup { facts, size: Bytes(tally.position), digest: Digest(tally.hash.finalize().into()) })
}

/// [`check_tar`] on a file; the meter learns its size. `wanted`: slug and size that it must have, where they are known.
pub fn check_file(
    path: &Path,
    wanted: Option<(&BackupSlug, Bytes)>,
    depth: Depth,
    meter: &Meter,
    stop: &StopFlag,
) -> Result<CheckedBackup, ArchiveError> {
    let (file, length) = open(path)?;
    meter.set_total(length);
    if let Some((_, size)) = wanted.filter(|(_, size)| size.0 != length) {
        return Err(ArchiveError::OtherSize { wanted: size.0, found: length });
    }
    let checked = check_tar(file, depth, meter, stop)?;
    match wanted.filter(|(slug, _)| **slug != checked.facts.slug) {
        Some((slug, _)) => Err(ArchiveError::OtherBackup { wanted: slug.clone(), found: checked.facts.slug }),
        None => Ok(checked),
    }
}

/// What the `backup.json` of a file says, reached from header to header with seeks: quick however large the file is.
/// An answer means that the outer tar has its end too; it says nothing of the data between the headers.
pub fn read_facts(path: &Path) -> Result<BackupFacts, ArchiveError> {
    Ok(parse_facts(&read_backup_json(path)?)?)
}

/// The text of the `backup.json` of a file, found as [`read_facts`] finds it.
pub fn read_backup_json(path: &Path) -> Result<Vec<u8>, ArchiveError> {
    let (file, length) = open(path)?;
    let mut reader = BufReader::with_capacity(8 << 10, file);
    let (mut at, mut json) = (0, None);
    while let Some(member) = next_member(&mut reader).map_err(|e| explain(e, at))? {
        at = reader.stream_position().map_err(|source| ArchiveError::Reading { at, source })?;
        if FACTS_NAMES.contains(&member.name.as_slice()) {
            json = Some(take_json(&mut reader, &member, at)?);
        }
        at = at.saturating_add(member.padded());
        if at > length {
            return Err(ArchiveError::CutOff { at: length });
        }
        reader.seek(SeekFrom::Start(at)).map_err(|source| ArchiveError::Reading { at, source })?;
    }
    json.ok_or(ArchiveError::NoFacts)
}

fn open(path: &Path) -> Result<(File, u64), ArchiveError> {
    let opening = |source| ArchiveError::Opening { path: path.into(), source };
    // Looked at before it is opened: opening a pipe would wait for its other end.
    let meta = std::fs::metadata(path).map_err(opening)?;
    match meta.is_file() {
        true => Ok((File::open(path).map_err(opening)?, meta.len())),
        false => Err(opening(io::Error::other("it is not a regular file"))),
    }
}

fn explain(error: WalkError, at: u64) -> ArchiveError {
    match error {
        WalkError::CutOff => ArchiveError::CutOff { at },
        WalkError::Bad(why) => ArchiveError::Damaged { at, why },
        WalkError::Io(source) => ArchiveError::Reading { at, source },
    }
}

fn take_json(reader: &mut impl Read, member: &Member, at: u64) -> Result<Vec<u8>, ArchiveError> {
    if member.size > FACTS_MOST {
        return Err(ArchiveError::FactsTooLarge(Bytes(member.size)));
    }
    let mut json = vec![0; member.size as usize];
    reader.read_exact(&mut json).map_err(|source| match source.kind() {
        io::ErrorKind::UnexpectedEof => ArchiveError::CutOff { at },
        _ => ArchiveError::Reading { at, source },
    })?;
    Ok(json)
}

/// Counts, hashes and can be stopped: everything that is read of the outer tar goes through it.
struct Tally<'a, R> {
    inner: BufReader<R>,
    hash: Sha256,
    position: u64,
    meter: &'a Meter,
    stop: &'a StopFlag,
}

impl<'a, R: Read> Tally<'a, R> {
    fn new(reader: R, meter: &'a Meter, stop: &'a StopFlag) -> Tally<'a, R> {
        Tally { inner: BufReader::with_capacity(BUFFER, reader), hash: Sha256::new(), position: 0, meter, stop }
    }

    /// The error in our words; a stop counts before everything that it may have caused.
    fn explain(&self, error: WalkError) -> ArchiveError {
        match self.stop.is_set() {
            true => ArchiveError::Stopped,
            false => explain(error, self.position),
        }
    }

    /// Reads so many bytes away; fewer: the file is cut off.
    fn pass(&mut self, bytes: u64) -> Result<(), ArchiveError> {
        let passed = io::copy(&mut self.by_ref().take(bytes), &mut io::sink()).map_err(|e| self.explain(e.into()))?;
        match passed == bytes {
            true => Ok(()),
            false => Err(self.explain(WalkError::CutOff)),
        }
    }
}

impl<R: Read> Read for Tally<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_set() {
            return Err(io::Error::other("stopped"));
        }
        let length = self.inner.read(buffer)?;
        self.hash.update(buffer.get(..length).unwrap_or_default());
        self.position += length as u64;
        self.meter.add(length as u64);
        Ok(length)
    }
}

/// What one pass over the members found.
#[derive(Default)]
struct Parts {
    /// The last one counts, as for Python's `tarfile`.
    json: Option<Vec<u8>>,
    /// Names of inner archives, and what is wrong with each.
    archives: Vec<(Vec<u8>, Option<String>)>,
}

fn walk<R: Read>(tally: &mut Tally<'_, R>, depth: Depth) -> Result<Parts, ArchiveError> {
    let mut parts = Parts::default();
    loop {
        let next = next_member(tally);
        let Some(member) = next.map_err(|e| tally.explain(e))? else {
            return Ok(parts);
        };
        let begin = tally.position;
        if FACTS_NAMES.contains(&member.name.as_slice()) {
            let at = tally.position;
            parts.json = Some(take_json(tally, &member, at).map_err(|e| stopped_or(tally.stop, e))?);
        } else if let Some(packed) = packing(&member.name) {
            let wrong = match depth {
                Depth::Inner => inner_fault(tally.by_ref().take(member.size), packed),
                Depth::Outer => None,
            };
            parts.archives.push((member.name.clone(), wrong));
        }
        // What an inner fault left unread is read away here, where a stop or the end of the file is told as such.
        let read = tally.position - begin;
        tally.pass(member.padded().saturating_sub(read))?;
    }
}

fn stopped_or(stop: &StopFlag, error: ArchiveError) -> ArchiveError {
    if stop.is_set() { ArchiveError::Stopped } else { error }
}

/// Whether an inner archive is gzipped; `None`: it is none.
fn packing(name: &[u8]) -> Option<bool> {
    if name.ends_with(b".tar.gz") {
        return Some(true);
    }
    name.ends_with(b".tar").then_some(false)
}

/// Reads an inner archive to its end: checksum if it is packed, structure of the tar. `None`: nothing is wrong.
fn inner_fault(data: impl Read, packed: bool) -> Option<String> {
    let result = match packed {
        true => inner_walk(&mut BufReader::with_capacity(BUFFER, MultiGzDecoder::new(data))),
        false => inner_walk(&mut BufReader::with_capacity(BUFFER, data)),
    };
    match result {
        Ok(()) => None,
        Err(WalkError::Io(e)) => Some(format!("is damaged: {e}")),
        Err(e) => Some(format!("is damaged: {e}")),
    }
}

fn inner_walk(reader: &mut impl Read) -> Result<(), WalkError> {
    while let Some(member) = next_member(reader)? {
        let size = member.padded();
        if io::copy(&mut reader.by_ref().take(size), &mut io::sink())? != size {
            return Err(WalkError::CutOff);
        }
    }
    // The checksum of gzip stands behind everything.
    io::copy(reader, &mut io::sink())?;
    Ok(())
}

/// The second end-of-archive block and zeroes up to the end of the file; anything else is no end.
fn read_end<R: Read>(tally: &mut Tally<'_, R>) -> Result<(), ArchiveError> {
    let begin = tally.position;
    let mut buffer = vec![0; BUFFER];
    loop {
        let at = tally.position;
        let length = match tally.read(&mut buffer) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(|e| tally.explain(e.into()))?,
        };
        let bytes = buffer.get(..length).unwrap_or_default();
        if let Some(place) = bytes.iter().position(|b| *b != 0) {
            return Err(ArchiveError::AfterEnd { at: at + place as u64 });
        }
        if length == 0 {
            break;
        }
    }
    match tally.position - begin >= BLOCK {
        true => Ok(()),
        false => Err(ArchiveError::CutOff { at: tally.position }),
    }
}

impl Parts {
    fn facts(&self) -> Result<BackupFacts, ArchiveError> {
        let json = self.json.as_deref().ok_or(ArchiveError::NoFacts)?;
        let facts = parse_facts(json)?;
        match facts.kind {
            BackupKind::Full => Ok(facts),
            BackupKind::Partial => Err(ArchiveError::Partial),
        }
    }

    /// All that is missing, and, in an unencrypted backup that was read deeply, all that is damaged.
    fn damage(&self, facts: &BackupFacts, depth: Depth) -> Vec<Damage> {
        let wanted = wanted(facts);
        let missing = wanted
            .iter()
            .filter(|(name, _)| !self.has(name))
            .map(|(_, what)| Damage { what: what.clone(), how: "is missing".into() });
        let mut all: Vec<Damage> = missing.collect();
        if depth == Depth::Inner && !facts.protected {
            let faults = self.archives.iter().filter_map(|(name, fault)| Some((name, fault.as_ref()?)));
            all.extend(faults.map(|(name, fault)| Damage { what: word_for(name, &wanted), how: fault.clone() }));
        }
        all
    }

    fn has(&self, name: &str) -> bool {
        self.archives.iter().any(|(have, _)| have == name.as_bytes())
    }
}

/// Names of the archives that the `backup.json` promises, with what people call them.
fn wanted(facts: &BackupFacts) -> Vec<(String, String)> {
    let end = if facts.compressed { "tar.gz" } else { "tar" };
    let apps = facts.apps.iter().map(|slug| (format!("{slug}.{end}"), format!("the app {slug}")));
    let folders = facts.folders.iter().map(|f| (format!("{}.{end}", f.replace('/', "_")), format!("the folder {f}")));
    let core = (format!("homeassistant.{end}"), "Home Assistant".to_string());
    std::iter::once(core).chain(apps).chain(folders).collect()
}

fn word_for(name: &[u8], wanted: &[(String, String)]) -> String {
    let known = wanted.iter().find(|(have, _)| have.as_bytes() == name).map(|(_, what)| what.clone());
    known.unwrap_or_else(|| format!("the archive {:?}", String::from_utf8_lossy(name)))
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
