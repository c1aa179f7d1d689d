//! `check`: what is on a card, and whether it is whole.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use crate::disk::ImageBytes;
use crate::disk::inspect::{GivenBackup, GivenImage, InspectError, Report, State, Unreadable, View, Wants, inspect};
use crate::domain::backup::BackupSlug;
use crate::domain::causes::chain;
use crate::domain::image::Board;
use crate::domain::progress::{Meter, StopFlag};
use crate::host::linux::descriptor::{Look, OpenFailed};
use crate::image::file::ImageFile;
use crate::supervisor::{ArchiveError, Depth, check_tar, read_facts};

use super::{Exit, log_to_stderr};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sd-swap check /dev/sdb
  sd-swap check card.img --image haos_rpi4-64-18.2.img.xz --backup 0a1b2c3d.tar --json

Exit codes: 0 finished, 3 blank, 4 damaged, 5 something else; 1 it cannot be read, 2 called wrongly.")]
pub struct CheckArgs {
    /// Disk or file to look at. Nothing is written.
    #[arg(value_name = "DISK|FILE")]
    card: PathBuf,
    /// Compare with the image that it was made from.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// Compare the backup on it with this one.
    #[arg(long, value_name = "TAR")]
    backup: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A check that gave no answer: the sentence, and the exit code.
type Failed = (String, Exit);

pub fn run(args: CheckArgs) -> Exit {
    log_to_stderr("error");
    match look(&args) {
        Ok(report) => {
            if args.json {
                println!("{}", json!(report));
            } else {
                print(&args.card, &report);
            }
            exit(report.state)
        }
        Err((why, exit)) => {
            if args.json {
                println!("{}", json!({ "outcome": "refused", "reasons": [why] }));
            } else {
                eprintln!("{why}");
            }
            exit
        }
    }
}

fn exit(state: State) -> Exit {
    match state {
        State::Finished => Exit::Done,
        State::Blank => Exit::Found(3),
        State::Damaged => Exit::Found(4),
        State::Other => Exit::Found(5),
    }
}

fn look(args: &CheckArgs) -> Result<Report, Failed> {
    let files = [args.image.as_ref(), args.backup.as_ref()];
    if let Some(missing) = files.into_iter().flatten().find(|file| !file.is_file()) {
        return Err((format!("There is no file {}.", missing.display()), Exit::Refused));
    }
    let (view, is_used) = open(&args.card)?;
    let image = args.image.as_deref().map(ImageFile::inspect).transpose();
    let image = image.map_err(|error| (sentence(&error), Exit::Refused))?.map(Source);
    let scratch = scratch_folder();
    let wants = Wants {
        read_backup: &read_backup,
        backup: args.backup.as_ref().map(|path| GivenBackup { path: path.clone(), slug: slug_of(path) }),
        image: image.as_ref().map(|image| given_image(image, &scratch)),
        tell: &|what| {
            if !args.json {
                eprintln!("{what} …");
            }
        },
    };
    let mut report = inspect(&view, &wants).map_err(|error| (sentence(&error), failed_by(&error)))?;
    if is_used {
        report.notes.push("it is mounted or used by somebody else: what was read may have been changing".into());
    }
    Ok(report)
}

fn failed_by(error: &InspectError) -> Exit {
    match error {
        InspectError::ImageTable(_) | InspectError::ImageData(_) | InspectError::Image(_) => Exit::Refused,
        InspectError::Size(_) | InspectError::Scratch { .. } | InspectError::Backup(_) => Exit::Failed,
    }
}

fn open(path: &Path) -> Result<(Arc<dyn View>, bool), Failed> {
    let name = path.display();
    let wrong = |why: String| (why, Exit::Refused);
    let kind = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => wrong(format!("There is no {name}.")),
        io::ErrorKind::PermissionDenied => denied(path),
        _ => wrong(format!("{name} cannot be looked at: {error}.")),
    })?;
    if !kind.is_file() && !kind.file_type().is_block_device() {
        return Err(wrong(format!("{name} is neither a file nor a disk.")));
    }
    match Look::share(path) {
        Ok((look, is_used)) => Ok((Arc::new(look), is_used)),
        Err(OpenFailed::Denied) => Err(denied(path)),
        Err(OpenFailed::Other(error)) if error.kind() == io::ErrorKind::NotFound => {
            Err(wrong(format!("There is no {name}.")))
        }
        Err(OpenFailed::Other(error)) => Err((format!("{name} cannot be opened: {error}."), Exit::Failed)),
        Err(OpenFailed::Busy | OpenFailed::ReadOnly) => {
            Err((format!("{name} is used by somebody else and cannot be read now."), Exit::Failed))
        }
    }
}

fn denied(path: &Path) -> Failed {
    (format!("You may not read {}. Reading a disk usually needs root: try sudo.", path.display()), Exit::Refused)
}

/// An error with its causes, as a sentence.
fn sentence(error: &(dyn std::error::Error + 'static)) -> String {
    let text = chain(error);
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// For large files: `/tmp` often lies in memory.
fn scratch_folder() -> PathBuf {
    let large = Path::new("/var/tmp");
    match std::env::var_os("TMPDIR") {
        None if large.is_dir() => large.into(),
        _ => std::env::temp_dir(),
    }
}

/// An image file as the disk floor wants it.
struct Source(ImageFile);

impl ImageBytes for Source {
    fn size(&self) -> u64 {
        self.0.size.0
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        self.0.open().map_err(io::Error::other)
    }
}

fn given_image<'a>(image: &'a Source, scratch: &'a Path) -> GivenImage<'a> {
    let name = image.0.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    GivenImage { bytes: image, board: board_of(&name), name, scratch }
}

/// `haos_rpi4-64-18.2.img.xz` is for `rpi4-64`.
fn board_of(name: &str) -> Option<Board> {
    let rest = name.strip_prefix("haos_")?;
    Board::ALL.into_iter().find(|board| {
        let version = rest.strip_prefix(board.slug()).and_then(|rest| rest.strip_prefix('-'));
        version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// Which backup a tar is; one that cannot be read is compared byte by byte all the same.
fn slug_of(tar: &Path) -> Option<BackupSlug> {
    read_facts(tar).ok().map(|facts| facts.slug)
}

fn read_backup(tar: &mut dyn Read) -> Result<BackupSlug, Unreadable> {
    let checked = check_tar(tar, Depth::Inner, &Meter::default(), &StopFlag::new());
    checked.map(|checked| checked.facts.slug).map_err(|error| {
        let at = match &error {
            ArchiveError::Reading { at, .. }
            | ArchiveError::CutOff { at }
            | ArchiveError::Damaged { at, .. }
            | ArchiveError::AfterEnd { at } => Some(*at),
            _ => None,
        };
        Unreadable { why: chain(&error), at }
    })
}

fn print(card: &Path, report: &Report) {
    println!("{}: {}.", card.display(), report.summary);
    if let Some(backup) = &report.backup {
        let slug = backup.slug.as_ref().map_or("unknown", |slug| slug.as_str());
        let same = match backup.same {
            Some(true) => ", the same as the one given",
            Some(false) => ", not the one given",
            None => "",
        };
        println!("  Backup {slug}{same}");
        if let Some(digest) = &backup.sha256 {
            println!("  SHA-256 {digest}");
        }
    }
    if report.image_same == Some(true) {
        println!("  Everything of the image is there.");
    }
    for damage in &report.damage {
        match damage.offset {
            Some(offset) => println!("  Damage at byte {offset}: {}.", damage.what),
            None => println!("  Damage: {}.", damage.what),
        }
    }
    report.notes.iter().for_each(|note| println!("  Note: {note}."));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_image_says_its_board() {
        let cases = [
            ("haos_rpi4-64-18.2.img.xz", Some(Board::Rpi4_64)),
            ("haos_odroid-m1s-18.2.rc1.img.xz", Some(Board::OdroidM1s)),
            ("haos_odroid-m1-18.2.img.xz", Some(Board::OdroidM1)),
            ("haos_ova-18.2.img.xz", None),
            ("haos_rpi4-64.img.xz", None),
            ("rpi4-64-18.2.img.xz", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(board_of(name), expected, "{name}");
        }
    }

    #[test]
    fn errors_are_told_with_their_causes() {
        let error = InspectError::Image(io::Error::other("its end is missing"));
        assert_eq!(sentence(&error), "Reading the image: its end is missing.");
    }
}
