//! The reader of finished cards is itself tried: on cards that other tools finished, and on the same cards spoiled.

#![expect(clippy::disallowed_types, reason = "what was made is judged by other tools")]

#[path = "support/foreign.rs"]
mod foreign;
#[path = "support/readback.rs"]
mod readback;

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use foreign::Foreign;
use readback::{Setting, assert_card, assert_card_with};

/// No whole number of MiB, nor of file system blocks.
const CARD: u64 = (860 << 20) + 5 * 512;

fn shell(script: &str) {
    let path = "/usr/sbin:/sbin:/usr/bin:/bin";
    let output = Command::new("sh").args(["-e", "-c", script]).env("PATH", path).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Finishes a card as Home Assistant OS would: sfdisk, resize2fs, and debugfs for the backup.
fn finish(board: Foreign, image: &Path, backup: &Path, card: &Path) {
    let number = if board == Foreign::OdroidN2 { 4 } else { 8 };
    let (image, backup, card) = (image.display(), backup.display(), card.display());
    shell(&format!(
        "cp --sparse=always {image} {card}; truncate -s {CARD} {card}
         sfdisk -q --relocate gpt-bak-std {card}; echo ', +' | sfdisk -q -N {number} {card}
         field() {{ sfdisk -d {card} | grep '^{card}{number} ' | sed \"s/.*$1= *//; s/,.*//\"; }}
         start=$(field start) size=$(field size)
         dd if={card} of={card}.fs bs=512 skip=$start count=$size conv=sparse status=none
         truncate -s $((size * 512)) {card}.fs; e2fsck -fy {card}.fs || test $? -eq 1
         resize2fs {card}.fs $((size / 8))
         printf 'mkdir /supervisor/backup\\ncd /supervisor/backup\\nwrite {backup} 0a1b2c3d.tar\\nset_inode_field 0a1b2c3d.tar mode 0100600\\n' > {card}.cmd
         debugfs -w -f {card}.cmd {card}.fs; e2fsck -fn {card}.fs
         dd if={card}.fs of={card} bs=512 seek=$start conv=notrunc status=none; rm {card}.fs"
    ));
}

struct Bench {
    dir: tempfile::TempDir,
    board: Foreign,
    image: PathBuf,
    backup: PathBuf,
    card: PathBuf,
}

impl Bench {
    fn new(board: Foreign) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let image = board.image(dir.path());
        if board == Foreign::Generic {
            let packed = foreign::packed(&image);
            shell(&format!("xz -dc {} | cmp - {}", packed.display(), image.display()));
        }
        let backup = foreign::backup(dir.path(), 3);
        let card = dir.path().join("card");
        finish(board, &image, &backup, &card);
        Bench { dir, board, image, backup, card }
    }

    fn read(&self) -> Result<(), String> {
        assert_card(&self.card, &self.image, Some(&self.backup), self.board.board())
    }

    fn data_start(&self) -> u64 {
        512 * if self.board == Foreign::OdroidN2 { 1_435_648 } else { 1_427_456 }
    }

    fn flip(&self, offset: u64) {
        let card = OpenOptions::new().read(true).write(true).open(&self.card).unwrap();
        let mut byte = [0];
        card.read_exact_at(&mut byte, offset).unwrap();
        card.write_all_at(&[byte[0] ^ 0x10], offset).unwrap();
    }

    /// Spoils a byte at each of these places, and puts them right again: each is told of.
    fn spoiled(&self, places: &[(u64, &str)]) {
        places.iter().for_each(|(offset, _)| self.flip(*offset));
        let answer = self.read().unwrap_err();
        for (offset, said) in places {
            assert!(answer.contains(said), "byte {offset}: {answer}");
        }
        places.iter().for_each(|(offset, _)| self.flip(*offset));
    }

    /// Does something to the file system on the card.
    fn edit(&self, commands: &str) {
        let script = self.dir.path().join("script");
        std::fs::write(&script, commands).unwrap();
        shell(&format!("debugfs -w -f {} '{}?offset={}'", script.display(), self.card.display(), self.data_start()));
    }
}

fn a_finished_card_reads_back(board: Foreign) -> Bench {
    let bench = Bench::new(board);
    assert_eq!(bench.read(), Ok(()));
    let without = assert_card(&bench.card, &bench.image, None, board.board()).unwrap_err();
    assert!(without.contains("more than the image"), "{without}");
    // A loader, a kernel, an empty slot.
    bench.spoiled(&[
        (1_000_000, "byte 1000000 before data"),
        (67584 * 512 + 7, "byte 34603015 before data"),
        (1_100_000 * 512, "byte 563200000 before data"),
    ]);
    bench
}

#[test]
fn a_hybrid_card() {
    let bench = a_finished_card_reads_back(Foreign::Rpi4);
    // The first entry of sector 0; the backup's header; its entries; a name in the primary's.
    bench.spoiled(&[(446 + 13, "byte 459 before data"), (CARD - 512 + 30, "sgdisk")]);
    bench.spoiled(&[(CARD - 33 * 512 + 60, "sgdisk")]);
    bench.spoiled(&[(1024 + 60, "Main partition table CRC mismatch")]);
    bench.edit("cd /docker/layers/1\nset_inode_field run mode 0100700\n");
    let answer = bench.read().unwrap_err();
    assert!(answer.contains("/docker/layers/1/run"), "{answer}");
    bench.edit("cd /docker/layers/1\nset_inode_field run mode 0100755\nea_rm work trusted.overlay.opaque\n");
    let answer = bench.read().unwrap_err();
    assert!(answer.contains("/docker/layers/1/work"), "{answer}");
    bench.edit("cd /docker/layers/1\nea_set work trusted.overlay.opaque y\nrm link\n");
    let answer = bench.read().unwrap_err();
    assert!(answer.contains("/docker/layers/1/link is gone"), "{answer}");
}

#[test]
fn a_gpt_card() {
    let bench = a_finished_card_reads_back(Foreign::Generic);
    bench.edit("cd /supervisor/backup\nset_inode_field 0a1b2c3d.tar uid 1000\n");
    let answer = bench.read().unwrap_err();
    assert!(answer.contains("0a1b2c3d.tar"), "{answer}");
    bench.edit("cd /supervisor/backup\nset_inode_field 0a1b2c3d.tar uid 0\nset_inode_field . mode 040700\n");
    let answer = bench.read().unwrap_err();
    assert!(answer.contains("040700"), "{answer}");
    bench.edit("cd /supervisor/backup\nset_inode_field . mode 040755\nset_super_value state 0\n");
    let answer = bench.read().unwrap_err();
    assert!(answer.contains("not clean"), "{answer}");
    bench.edit("set_super_value state 1\nset_super_value volume_name hassos-dato\n");
    let answer = bench.read().unwrap_err();
    assert!(answer.contains("hassos-dato"), "{answer}");
}

#[test]
fn settings_in_the_overlay_partition() {
    let bench = Bench::new(Foreign::Generic);
    let read = || {
        let name = Setting { path: "/etc/hostname", mode: "100644", content: "villa\n" };
        assert_card_with(&bench.card, &bench.image, Some(&bench.backup), bench.board.board(), &[name])
    };
    let missing = read().unwrap_err();
    assert!(missing.contains("files of the overlay") && missing.contains("/etc: on the card None"), "{missing}");
    std::fs::write(bench.dir.path().join("name"), "villa\n").unwrap();
    let overlay = |commands: &str| {
        let script = bench.dir.path().join("script");
        std::fs::write(&script, commands.replace("NAME", &bench.dir.path().join("name").display().to_string()))
            .unwrap();
        shell(&format!("debugfs -w -f {} '{}?offset={}'", script.display(), bench.card.display(), 1_230_848 * 512));
    };
    overlay("mkdir /etc\ncd /etc\nwrite NAME hostname\nset_inode_field hostname mode 0100644\n");
    overlay("cd /etc\nset_inode_field hostname uid 0\nset_inode_field hostname gid 0\n");
    assert_eq!(read(), Ok(()));
    assert!(bench.read().unwrap_err().contains("before data is not as in the image"));
    overlay("cd /etc\nset_inode_field hostname mode 0100600\n");
    assert!(read().unwrap_err().contains("100600"));
}

#[test]
fn an_mbr_card() {
    let bench = a_finished_card_reads_back(Foreign::OdroidN2);
    let contents = find(&bench.card, b"profile hassio-supervisor", bench.data_start());
    // The disk's signature; data's count; what is in a file.
    bench.spoiled(&[
        (440, "label-id"),
        (446 + 48 + 13, "end of data"),
        (contents, "the contents of /supervisor/apparmor/hassio-supervisor"),
    ]);
    // The link to the system: its type.
    bench.spoiled(&[(116_736 * 512 + 450, "flags of partition 6")]);
}

/// Where something lies on the card.
fn find(card: &Path, needle: &[u8], from: u64) -> u64 {
    let file = File::open(card).unwrap();
    let mut chunk = vec![0; 4096];
    let blocks = (from..CARD).step_by(4096);
    let mut found = blocks.filter(|at| {
        let is_whole = file.read_exact_at(&mut chunk, *at).is_ok();
        is_whole && chunk.starts_with(needle)
    });
    found.next().expect("it is on the card")
}
