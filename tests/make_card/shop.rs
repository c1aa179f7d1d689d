//! Images, folders and runs of the program that the tests share.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use sd_swap::demo::image::{ImageSpec, Shape, make};
use sd_swap::domain::image::Board;
use serde_json::Value;
use tempfile::TempDir;

/// A backup that the Supervisor made; its slug is [`SLUG`].
pub const BACKUP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/backups/full-unprotected.tar");
pub const SLUG: &str = "01bcc3db";

/// A folder that is as fast as memory, where there is one.
pub fn folder() -> TempDir {
    let fast = Path::new("/dev/shm");
    let made = if fast.is_dir() { TempDir::with_prefix_in("sd-swap-", fast) } else { TempDir::new() };
    made.expect("a folder for the test")
}

/// Runs another tool; its failure is the test's.
pub fn run(tool: &str, arguments: &[&str]) -> String {
    let path = "/usr/sbin:/sbin:/usr/bin:/bin";
    let output = Command::new(tool).args(arguments).env("PATH", path).env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "{tool} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn unpack(packed: &Path) -> PathBuf {
    let raw = packed.with_extension("");
    run("sh", &["-c", &format!("xz -dc '{}' | cp --sparse=always /dev/stdin '{}'", packed.display(), raw.display())]);
    raw
}

/// A small image of this board, packed, in `dir`.
pub fn tiny(dir: &Path, board: Board) -> PathBuf {
    let packed = dir.join(format!("haos_{}-18.2.img.xz", board.slug()));
    let spec = ImageSpec { version: "18.2".parse().unwrap(), shape: Shape::Tiny, seed: 7 };
    make(board, &spec, &packed).unwrap();
    packed
}

/// The small image of a Raspberry Pi 4, packed; made once for all tests.
pub fn pi(dir: &Path) -> PathBuf {
    static PACKED: OnceLock<Vec<u8>> = OnceLock::new();
    let packed = PACKED.get_or_init(|| {
        let dir = folder();
        fs::read(tiny(dir.path(), Board::Rpi4_64)).unwrap()
    });
    let path = dir.join("haos_rpi4-64-18.2.img.xz");
    fs::write(&path, packed).unwrap();
    path
}

/// A run of the program.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {:?} {}", self.out, self.err))
    }

    pub fn refused(&self, says: &str) {
        assert_eq!(self.code, 2, "{}{}", self.out, self.err);
        assert!(self.err.contains(says) || self.out.contains(says), "{says:?} in {}{}", self.out, self.err);
    }
}

pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sd-swap"));
    // A user's PATH has no sbin; the program finds its tools all the same.
    command.env("PATH", "/usr/bin:/bin").env_remove("XDG_CACHE_HOME");
    command
}

pub fn ran(output: Output) -> Ran {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
}

/// Runs it without a terminal.
pub fn sd_swap(arguments: &[&str]) -> Ran {
    ran(program().args(arguments).output().unwrap())
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// `make-card` with the usual image and `more`, of which `--to` is one.
pub fn make_card(image: &Path, more: &[&str]) -> Ran {
    sd_swap(&[&["make-card", "--image", text(image)], more].concat())
}

/// What `check --json` says of a card.
pub fn state(card: &Path) -> String {
    let answer = sd_swap(&["check", text(card), "--json"]).json();
    answer["state"].as_str().unwrap_or_default().to_owned()
}

pub fn sha256(path: &Path) -> String {
    run("sha256sum", &[text(path)]).split(' ').next().unwrap().to_owned()
}
