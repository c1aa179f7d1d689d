//! Small images with the layouts of Home Assistant OS, and finished cards made from them, by other tools than ours.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub const MIB: u64 = 1 << 20;
pub const SLUG_TAR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/backups/full-unprotected.tar");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Gpt,
    Hybrid,
    Mbr,
}

/// Starts in MiB; every partition but data ends where the next begins (or its link sector lies).
pub struct Places {
    pub system: u64,
    pub overlay: u64,
    pub data: u64,
}

const DATA_MIB: u64 = 24;

impl Kind {
    pub const fn places(self) -> Places {
        match self {
            Kind::Gpt | Kind::Hybrid => Places { system: 3, overlay: 13, data: 17 },
            Kind::Mbr => Places { system: 5, overlay: 12, data: 16 },
        }
    }

    fn script(self) -> String {
        let mib = |start: u64, size: u64| format!("start={}, size={}", start * 2048, size * 2048);
        if self == Kind::Mbr {
            let logical: Vec<String> =
                [(3, 1), (5, 3), (9, 1), (11, 1)].iter().map(|(s, n)| format!("{}, type=83\n", mib(*s, *n))).collect();
            return format!(
                "label: dos\nlabel-id: 0x48617373\n{}, type=c, bootable\n{}, type=f\n{}, type=83\n{}, type=83\n{}",
                mib(1, 1),
                mib(2, 10),
                mib(12, 4),
                mib(16, DATA_MIB),
                logical.concat()
            );
        }
        let parts: [(u64, u64, &str, &str); 8] = [
            (1, 1, "boot", "B3DD0952-733C-4C88-8CBA-CAB9B8B4377F"),
            (2, 1, "kernel0", "26700FC6-B0BC-4CCF-9837-EA1A4CBA3E65"),
            (3, 4, "system0", "8D3D53E3-6D49-4C38-8349-AFF6859E82FD"),
            (7, 1, "kernel1", "FC02A4F0-5350-406F-93A2-56CBED636B5F"),
            (8, 4, "system1", "A3EC664E-32CE-4665-95EA-7AE90CE9AA20"),
            (12, 1, "bootstate", "33236519-7F32-4DFF-8002-3390B62C309D"),
            (13, 4, "overlay", "F1326040-5236-40EB-B683-AAA100A9AFCF"),
            (17, DATA_MIB, "data", "A52A4597-FA3A-4851-AEFD-2FBE9F849079"),
        ];
        let lines = parts.iter().map(|(start, size, name, uuid)| {
            format!("{}, type=linux, name=\"hassos-{name}\", uuid={uuid}\n", mib(*start, *size))
        });
        format!("label: gpt\n{}", lines.collect::<String>())
    }
}

pub struct Maker {
    pub dir: tempfile::TempDir,
    pub kind: Kind,
    /// Unpacked.
    pub raw: PathBuf,
    pub image: PathBuf,
    /// 96 MiB, with the backup of [`SLUG_TAR`].
    pub card: PathBuf,
}

impl Maker {
    pub fn new(kind: Kind) -> Maker {
        let dir = tempfile::tempdir().unwrap();
        let raw = dir.path().join("image.img");
        make_image(dir.path(), &raw, kind);
        let image = dir.path().join("haos_rpi4-64-18.2.img.xz");
        let mut packed = Vec::new();
        xz2::read::XzEncoder::new(File::open(&raw).unwrap(), 1).read_to_end(&mut packed).unwrap();
        fs::write(&image, packed).unwrap();
        let card = dir.path().join("card.img");
        let maker = Maker { dir, kind, raw, image, card };
        maker.make(&maker.card, &["--backup", SLUG_TAR]);
        maker
    }

    pub fn make(&self, card: &Path, more: &[&str]) -> Output {
        let image = self.image.to_str().unwrap();
        let to = card.to_str().unwrap();
        let made = sd_swap(&[&["make-card", "--image", image, "--to", to, "--size", "96M", "--yes"], more].concat());
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        made
    }

    /// Another card like the finished one.
    pub fn copy(&self, name: &str) -> PathBuf {
        let to = self.dir.path().join(format!("{name}.img"));
        run("cp", &["--sparse=always", self.card.to_str().unwrap(), to.to_str().unwrap()]);
        to
    }

    pub fn data(&self) -> u64 {
        self.kind.places().data * MIB
    }

    /// What `debugfs` says to a command on the data partition.
    pub fn debugfs(&self, card: &Path, command: &str) -> String {
        let at = format!("{}?offset={}", card.display(), self.data());
        run("debugfs", &["-w", "-R", command, &at])
    }

    /// Where on a card byte `at` of a file of the data partition lies.
    pub fn place(&self, card: &Path, file: &str, at: u64) -> u64 {
        let said = self.debugfs(card, &format!("bmap {file} {}", at / 4096));
        let block: u64 = said.trim().parse().unwrap_or_else(|_| panic!("bmap says {said:?}"));
        self.data() + block * 4096 + at % 4096
    }

    /// Where the first group's block bitmap lies.
    pub fn bitmap(&self, card: &Path) -> u64 {
        let said = self.debugfs(card, "stats");
        let line = said.lines().find(|line| line.contains("block bitmap at")).unwrap();
        let block = line.split("block bitmap at ").nth(1).unwrap().split([',', ' ']).next().unwrap();
        self.data() + block.parse::<u64>().unwrap() * 4096
    }
}

fn make_image(dir: &Path, raw: &Path, kind: Kind) {
    let places = kind.places();
    let file = File::create(raw).unwrap();
    // 1 MiB behind data: room for the backup table of a GPT. An MBR image ends with its data partition.
    let end = places.data + DATA_MIB + u64::from(kind != Kind::Mbr);
    file.set_len(end * MIB).unwrap();
    feed("sfdisk", &["-q", raw.to_str().unwrap()], &kind.script());
    let noise: Vec<u8> = (0..MIB).map(|n| ((n * n) >> 7) as u8).collect();
    let file = OpenOptions::new().write(true).open(raw).unwrap();
    file.write_all_at(&noise, places.system * MIB).unwrap();
    put_ext4(dir, &file, places.overlay, "hassos-overlay", &["-b", "1024"], "4M", &dir.join("empty"));
    let tree = dir.join("tree");
    fs::create_dir_all(tree.join("docker/deep")).unwrap();
    fs::create_dir_all(tree.join("supervisor")).unwrap();
    fs::write(tree.join("docker/layer"), &noise[..300_000]).unwrap();
    fs::write(tree.join("docker/deep/small"), "small").unwrap();
    fs::write(tree.join("supervisor/updater.json"), "{}").unwrap();
    std::os::unix::fs::symlink("../layer", tree.join("docker/deep/link")).unwrap();
    put_ext4(dir, &file, places.data, "hassos-data", &["-b", "4096"], "24M", &tree);
    if kind == Kind::Hybrid {
        let mut sector = [0; 66];
        let boot = [0u8, 0xfe, 0xff, 0xff, 0x0c, 0xfe, 0xff, 0xff, 0, 8, 0, 0, 0, 8, 0, 0];
        sector[..16].copy_from_slice(&boot);
        sector[16..32].copy_from_slice(&[0, 0xfe, 0xff, 0xff, 0xee, 0xfe, 0xff, 0xff, 1, 0, 0, 0, 33, 0, 0, 0]);
        sector[64..].copy_from_slice(&[0x55, 0xaa]);
        file.write_all_at(&sector, 446).unwrap();
    }
}

fn put_ext4(dir: &Path, image: &File, at: u64, label: &str, options: &[&str], size: &str, tree: &Path) {
    fs::create_dir_all(tree).unwrap();
    let part = dir.join(format!("{label}.ext4"));
    let fixed = ["-q", "-t", "ext4", "-E", "root_owner=0:0", "-L", label, "-d", tree.to_str().unwrap()];
    run("mke2fs", &[&fixed[..], options, &[part.to_str().unwrap(), size]].concat());
    image.write_all_at(&fs::read(part).unwrap(), at * MIB).unwrap();
}

pub fn run(program: &str, arguments: &[&str]) -> String {
    let path = "/usr/sbin:/sbin:/usr/bin:/bin";
    let output = Command::new(program).args(arguments).env("PATH", path).env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn feed(program: &str, arguments: &[&str], input: &str) {
    let path = "/usr/sbin:/sbin:/usr/bin:/bin";
    let mut child = Command::new(program).args(arguments).env("PATH", path).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{program}");
}

pub fn sfdisk(file: &Path, script: &str) {
    feed("sfdisk", &["-q", file.to_str().unwrap()], script);
}

pub fn sd_swap(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sd-swap")).args(arguments).output().unwrap()
}

/// Exit code and answer of `check --json`.
pub fn check(card: &Path, more: &[&str]) -> (i32, Value) {
    let output = sd_swap(&[&["check", card.to_str().unwrap(), "--json"], more].concat());
    let answer = serde_json::from_slice(&output.stdout);
    (output.status.code().unwrap(), answer.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))))
}

/// Changes the lowest bit of one byte.
pub fn flip(file: &Path, at: u64) {
    let file = OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}

pub fn put(file: &Path, at: u64, bytes: &[u8]) {
    OpenOptions::new().write(true).open(file).unwrap().write_all_at(bytes, at).unwrap();
}

pub fn cut(file: &Path, length: u64) {
    OpenOptions::new().write(true).open(file).unwrap().set_len(length).unwrap();
}
