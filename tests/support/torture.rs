//! What the long tests share: a tiny image, a real backup, a card with something old on it, and a verdict on the card
//! that other tools give.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use sd_swap::demo::image::{ImageSpec, Shape, make};
use sd_swap::domain::image::Board;
use sha2::{Digest, Sha256};

/// Memory where there is some: these tests write gigabytes.
pub fn scratch_dir() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    match memory.is_dir() {
        true => tempfile::tempdir_in(memory).expect("a folder in memory"),
        false => tempfile::tempdir().expect("a temporary folder"),
    }
}

/// The long form, by `make torture`.
pub fn is_long() -> bool {
    std::env::var_os("SD_SWAP_TORTURE").is_some()
}

pub fn make_image(dir: &Path, board: Board) -> PathBuf {
    let path = dir.join("image.img.xz");
    let spec = ImageSpec { version: "18.2".parse().expect("a version"), shape: Shape::Tiny, seed: 7 };
    make(board, &spec, &path).expect("making the image");
    path
}

/// What lay on the card before: it must be seen whether that was touched.
const OLD: &[u8] = b"a table of long ago, and holiday pictures";

pub fn fresh_card(path: &Path, size: u64) {
    let _ = fs::remove_file(path);
    let mut file = File::create(path).expect("making the card");
    file.write_all(OLD).expect("writing the card");
    file.write_all_at(&[0x55, 0xaa], 510).expect("writing the card");
    file.set_len(size).expect("sizing the card");
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Untouched,
    Blank,
    Finished,
}

/// What is on the card, by other tools than ours; an error says what it is in between.
pub fn verdict(card: &Path, backup: Option<&Path>) -> Result<Verdict, String> {
    let mut first = [0; 512];
    let file = File::open(card).map_err(|error| error.to_string())?;
    file.read_exact_at(&mut first, 0).map_err(|error| error.to_string())?;
    if first.starts_with(OLD) {
        let mut rest = vec![0; (1 << 20) - 512];
        file.read_exact_at(&mut rest, 512).map_err(|error| error.to_string())?;
        return match rest.iter().all(|byte| *byte == 0) {
            true => Ok(Verdict::Untouched),
            false => Err("the old table is there, but what follows was changed".into()),
        };
    }
    if first.iter().all(|byte| *byte == 0) {
        return Ok(Verdict::Blank);
    }
    finished(card, backup).map(|()| Verdict::Finished)
}

fn finished(card: &Path, backup: Option<&Path>) -> Result<(), String> {
    let table = run("sfdisk", &["-d", &card.display().to_string()])?;
    let number =
        |line: &str, key: &str| -> Option<u64> { line.split(key).nth(1)?.split(',').next()?.trim().parse().ok() };
    // The data partition is the one that lies last, whatever its number.
    let places = table.lines().filter_map(|line| Some((number(line, "start=")?, number(line, "size=")?)));
    let (start, sectors) = places.max().ok_or("sfdisk lists no partition")?;
    let length = fs::metadata(card).map_err(|error| error.to_string())?.len();
    if length / 512 - (start + sectors) > 33 {
        return Err(format!("data ends {} sectors before the card", length / 512 - (start + sectors)));
    }
    let at = format!("{}?offset={}", card.display(), start * 512);
    run("e2fsck", &["-fn", &at])?;
    let Some(backup) = backup else { return Ok(()) };
    let listing = run("debugfs", &["-R", "ls -p /supervisor/backup", &at])?;
    let tar = listing.split('/').find(|part| part.ends_with(".tar")).ok_or("no backup on the card")?;
    let copy = card.with_extension("dumped");
    run("debugfs", &["-R", &format!("dump /supervisor/backup/{tar} {}", copy.display()), &at])?;
    let same = digest(&copy) == digest(backup);
    fs::remove_file(&copy).map_err(|error| error.to_string())?;
    if same { Ok(()) } else { Err("the backup on the card differs".into()) }
}

pub fn digest(path: &Path) -> Vec<u8> {
    Sha256::digest(fs::read(path).expect("reading a file")).to_vec()
}

pub fn run(tool: &str, arguments: &[&str]) -> Result<String, String> {
    let path = "/usr/sbin:/sbin:/usr/bin:/bin";
    let output = Command::new(tool).args(arguments).env("PATH", path).env("LC_ALL", "C").output();
    let output = output.map_err(|error| format!("{tool}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{tool} {arguments:?}: {}", String::from_utf8_lossy(&output.stdout))),
    }
}
