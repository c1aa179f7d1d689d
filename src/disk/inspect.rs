//! What is on a card and whether it is whole (AP-4). Only reads, and needs no claim.
//!
//! In this order: the table at both ends, the data partition's file system, the backup in it; then, if one is given,
//! everything against the image.

mod backup;
mod board;
mod compare;
mod data;
mod locate;
mod scratch;
mod table;
mod tree;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::domain::backup::BackupSlug;
use crate::domain::image::{Board, Digest};
use crate::domain::layout::{Layout, Partition, TableError};
use crate::domain::progress::StopFlag;
use crate::domain::size::{Bytes, SECTOR};
use crate::host::linux::descriptor::Look;
use crate::host::{HostError, ToolAnswer};

use super::ImageBytes;
use super::reader::ReadAt;

/// A disk or file that can be looked at.
pub trait View: ReadAt {
    fn size(&self) -> io::Result<Bytes>;

    /// `e2fsck -fn` on the file system that begins `offset` bytes into it.
    fn check_ext4(&self, offset: u64) -> Result<ToolAnswer, HostError>;
}

impl ReadAt for Look {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        Look::read_at(self, offset, buffer)
    }
}

impl View for Look {
    fn size(&self) -> io::Result<Bytes> {
        Look::size(self)
    }

    fn check_ext4(&self, offset: u64) -> Result<ToolAnswer, HostError> {
        Look::check_ext4(self, offset, &StopFlag::new())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Home Assistant OS that makes use of the whole card, and nothing wrong with it.
    Finished,
    /// Nothing starts from it or mounts it: sector 0 is zero.
    Blank,
    /// It is or was Home Assistant OS, and something is wrong with it.
    Damaged,
    /// Anything else; also an image as published.
    Other,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// A sentence without its full stop.
    pub what: String,
    /// Byte of the card; `None`: it has no single place there.
    pub offset: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundBackup {
    /// As its `backup.json` says, else as its name does.
    pub slug: Option<BackupSlug>,
    /// `None`: it could not be read to its end.
    pub sha256: Option<Digest>,
    /// Whether it is the one it was compared with; `None`: with none.
    pub same: Option<bool>,
}

/// What was found; serializes as `check --json` prints it (AP-4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub state: State,
    /// One sentence.
    pub summary: String,
    /// `None` where more than one board has such a card.
    pub board: Option<Board>,
    /// What system is on it, in words.
    pub image: Option<String>,
    /// Whether everything of the image is there; `None`: not compared.
    pub image_same: Option<bool>,
    pub backup: Option<FoundBackup>,
    pub damage: Vec<Damage>,
    /// What is worth knowing and no damage.
    pub notes: Vec<String>,
}

/// What a backup's tar on the card turned out to be.
pub struct Unreadable {
    pub why: String,
    /// Byte of the tar.
    pub at: Option<u64>,
}

/// Reads a backup from front to end and says whose it is.
pub type ReadBackup<'a> = dyn Fn(&mut dyn Read) -> Result<BackupSlug, Unreadable> + 'a;

pub struct GivenBackup {
    pub path: PathBuf,
    pub slug: Option<BackupSlug>,
}

pub struct GivenImage<'a> {
    pub bytes: &'a dyn ImageBytes,
    /// Its file name, for the report.
    pub name: String,
    /// The board that the name says.
    pub board: Option<Board>,
    /// A folder for a file of the size of its data partition; the file has no name there and is gone at the end.
    pub scratch: &'a Path,
}

/// What a card is looked at for.
pub struct Wants<'a> {
    pub read_backup: &'a ReadBackup<'a>,
    pub backup: Option<GivenBackup>,
    pub image: Option<GivenImage<'a>>,
    /// Hears what is being done.
    pub tell: &'a dyn Fn(&str),
}

/// Why no answer can be given: what is wrong is not the card.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    #[error("finding its size")]
    Size(#[source] io::Error),
    #[error("reading the image")]
    Image(#[source] io::Error),
    #[error("reading the image's partition table")]
    ImageTable(#[source] TableError),
    #[error("reading the image's data partition: {0}")]
    ImageData(String),
    #[error("keeping the image's data partition in {folder}", folder = folder.display())]
    Scratch { folder: PathBuf, source: io::Error },
    #[error("reading the backup to compare with")]
    Backup(#[source] io::Error),
}

#[derive(Default)]
struct Findings {
    damage: Vec<Damage>,
    notes: Vec<String>,
}

impl Findings {
    fn damage(&mut self, what: impl Into<String>, offset: impl Into<Option<u64>>) {
        self.damage.push(Damage { what: what.into(), offset: offset.into() });
    }

    fn note(&mut self, what: impl Into<String>) {
        self.notes.push(what.into());
    }
}

/// A card with a table of Home Assistant OS.
struct Card<'a> {
    view: &'a Arc<dyn View>,
    /// Whole sectors of the disk.
    sectors: u64,
    /// Its first MiB.
    head: Vec<u8>,
    layout: Layout,
    data: Partition,
}

impl Card<'_> {
    fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.view.read_at(offset, &mut bytes)?;
        Ok(bytes)
    }

    /// Its data partition ends where the card does.
    fn is_grown(&self) -> bool {
        self.data.end() == crate::domain::layout::usable_end(self.layout.kind, self.sectors)
    }

    fn data_offset(&self) -> u64 {
        self.data.start.saturating_mul(SECTOR)
    }
}

/// Reads everything that tells what is on a disk. Takes as long as reading the backup does; with an image, as reading
/// all that the image fills.
pub fn inspect(view: &Arc<dyn View>, wants: &Wants<'_>) -> Result<Report, InspectError> {
    let size = view.size().map_err(InspectError::Size)?;
    match table::read(view, size) {
        table::Found::Nothing(summary) => Ok(plain(State::Blank, summary)),
        table::Found::Other(summary) => Ok(plain(State::Other, summary)),
        table::Found::Damaged(damage) => {
            Ok(Report { damage: vec![damage], ..plain(State::Damaged, "Home Assistant OS, damaged".into()) })
        }
        table::Found::Card(card) => ours(&card, wants),
    }
}

fn plain(state: State, summary: String) -> Report {
    let (damage, notes) = (Vec::new(), Vec::new());
    Report { state, summary, board: None, image: None, image_same: None, backup: None, damage, notes }
}

fn ours(card: &Card<'_>, wants: &Wants<'_>) -> Result<Report, InspectError> {
    let mut findings = Findings::default();
    table::check(card, &mut findings);
    (wants.tell)("Checking the data partition");
    let file_system = data::check(card, &mut findings);
    let mut backup = None;
    if let Some(file_system) = &file_system {
        (wants.tell)("Reading the backup");
        backup = backup::check(card, file_system, wants, &mut findings)?;
    }
    let boards = board::candidates(&card.layout, &card.head);
    let mut image_same = None;
    if let Some(image) = &wants.image {
        (wants.tell)("Comparing with the image");
        image_same = Some(compare::check(card, file_system.as_ref(), image, &mut findings)?);
    }
    if let Some(misplaced) = end_of_data(card, backup.is_some()) {
        findings.damage.push(misplaced);
    }
    let given = wants.image.as_ref().filter(|_| image_same == Some(true));
    let board = match (boards.as_slice(), given.and_then(|image| image.board)) {
        ([only], _) => Some(*only),
        (several, named) => named.filter(|named| several.is_empty() || several.contains(named)),
    };
    let image = given.map_or_else(|| board::words(&boards, card.layout.kind), |image| image.name.clone());
    let (state, summary) = conclude(card, &findings, &image, backup.as_ref());
    let (damage, notes) = (findings.damage, findings.notes);
    Ok(Report { state, summary, board, image: Some(image), image_same, backup, damage, notes })
}

/// What is wrong with where the data partition ends. An image may end before its own data partition does; what holds a
/// backup is no image.
fn end_of_data(card: &Card<'_>, has_backup: bool) -> Option<Damage> {
    if card.is_grown() || !has_backup {
        return None;
    }
    let (end, disk) = (card.data.end(), card.sectors);
    let what = match end > disk {
        true => "the data partition goes on past the end of the card",
        false => "the data partition does not reach the end of the card",
    };
    Some(Damage { what: what.into(), offset: Some(end.min(disk).saturating_mul(SECTOR)) })
}

fn conclude(card: &Card<'_>, findings: &Findings, image: &str, backup: Option<&FoundBackup>) -> (State, String) {
    if !findings.damage.is_empty() {
        return (State::Damaged, format!("{image}, damaged"));
    }
    if !card.is_grown() {
        return (State::Other, format!("{image}, an image as published, not yet grown to the card"));
    }
    let with = match backup.map(|backup| &backup.slug) {
        Some(Some(slug)) => format!(" with backup {slug}"),
        Some(None) => " with a backup".into(),
        None => " without a backup".into(),
    };
    (State::Finished, format!("a finished card: {image}{with}"))
}
