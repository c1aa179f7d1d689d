//! Programs to ask: one that knows of earlier cards and is alone, and one with a job that takes a while.

use std::fs;
use std::path::{Path, PathBuf};

use sd_swap::demo::stage::{Stage, StageSpec};
use sd_swap::domain::image::Board;
use sd_swap::domain::size::Bytes;

use crate::program::{Program, between, lonely};
use crate::support::{fresh_card, make_image, scratch_dir};

pub const CARD: u64 = 7_200_002_048;

/// Jobs 1 to 4: done, failed twice, interrupted.
pub const LEDGER: &str = include_str!("../fixtures/ledgers/1-first.ledger");

impl Program {
    /// Sockets that it holds open.
    pub fn sockets(&self) -> usize {
        let fds = fs::read_dir(self.proc("fd")).expect("its descriptors").flatten();
        fds.filter(|fd| fs::read_link(fd.path()).is_ok_and(|to| to.to_string_lossy().starts_with("socket:"))).count()
    }
}

/// Nobody around it: no Supervisor, no releases, no disks.
pub struct Alone {
    pub program: Program,
    pub dir: tempfile::TempDir,
}

impl Alone {
    pub fn new() -> Alone {
        let dir = scratch_dir();
        fill(dir.path());
        Alone { program: Program::start(&mut lonely(dir.path())), dir }
    }

    pub fn port(&self) -> u16 {
        self.program.port
    }
}

/// A ledger, and of its first job a log of a length that is still shown whole.
pub fn fill(data: &Path) {
    fs::write(data.join("ledger.json"), LEDGER).unwrap();
    fs::create_dir_all(data.join("logs")).unwrap();
    let line = "2026-11-21 14:05:09Z write: something that is long enough to be seen\n";
    fs::write(data.join("logs/sd-swap-job-1.txt"), line.repeat(250 * 1024 / line.len())).unwrap();
}

/// A card between stand-ins.
pub struct Busy {
    pub stage: Stage,
    pub card: PathBuf,
    pub data: PathBuf,
    _dir: tempfile::TempDir,
}

impl Busy {
    pub fn new() -> Busy {
        let dir = scratch_dir();
        let image = make_image(dir.path(), Board::Rpi4_64);
        let tiny = StageSpec::tiny(Board::Rpi4_64, "18.2".parse().unwrap());
        let spec = StageSpec { card_size: Bytes(CARD), backup_size: Bytes(500_000), ..tiny };
        let stage = Stage::with_image(dir.path(), spec, image).expect("putting up the stand-ins");
        let (card, data) = (dir.path().join("crowded.img"), dir.path().join("data"));
        fresh_card(&card, CARD);
        Busy { stage, card, data, _dir: dir }
    }

    /// `speeds`: of the card, as `,write=5`.
    pub fn program(&self, speeds: &str) -> Program {
        Program::start(&mut between(&self.stage, &format!("{}{speeds}", self.card.display()), &self.data))
    }
}
