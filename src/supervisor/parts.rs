//! The inner archives of a backup: which are promised, which are there, which can be read to their end.

use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;

use super::archive::{ArchiveError, Damage, Depth};
use super::facts::parse_facts;
use super::members::{WalkError, next_member};
use crate::domain::backup::{BackupFacts, BackupKind};

const BUFFER: usize = 256 << 10;

/// What one pass over the members found.
#[derive(Default)]
pub struct Parts {
    /// The last one counts, as for Python's `tarfile`.
    pub json: Option<Vec<u8>>,
    /// Names of inner archives, and what is wrong with each.
    pub archives: Vec<(Vec<u8>, Option<String>)>,
}

impl Parts {
    pub fn facts(&self) -> Result<BackupFacts, ArchiveError> {
        let json = self.json.as_deref().ok_or(ArchiveError::NoFacts)?;
        let facts = parse_facts(json)?;
        match facts.kind {
            BackupKind::Full => Ok(facts),
            BackupKind::Partial => Err(ArchiveError::Partial),
        }
    }

    /// All that is missing, and, in an unencrypted backup that was read deeply, all that is damaged.
    pub fn damage(&self, facts: &BackupFacts, depth: Depth) -> Vec<Damage> {
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

/// Whether an inner archive is gzipped; `None`: it is none.
pub fn packing(name: &[u8]) -> Option<bool> {
    if name.ends_with(b".tar.gz") {
        return Some(true);
    }
    name.ends_with(b".tar").then_some(false)
}

/// Reads an inner archive to its end: checksum if it is packed, structure of the tar. `None`: nothing is wrong.
pub fn inner_fault(data: impl Read, packed: bool) -> Option<String> {
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
