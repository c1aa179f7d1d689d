//! The grown table against the tool that Home Assistant OS itself grows with: byte by byte, for every board.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};

use sd_swap::demo::image::{ImageSpec, Shape, make_table};
use sd_swap::domain::image::Board;
use sd_swap::domain::layout::{self, GrowPlan, Layout, TableKind, data_partition};

const MIB: u64 = 1 << 20;
/// Real cards of 16, 32 and 64 GB, a round number, and sizes that nothing divides.
const CARDS: [u64; 6] = [8 << 30, 15_931_539_456, 31_914_983_424, 63_864_569_856, 512 * 20_000_001, 512 * 16_777_217];

fn spec(shape: Shape) -> ImageSpec {
    ImageSpec { version: "18.2".parse().unwrap(), shape, seed: 7 }
}

/// Bytes of the data file system: 18 leaves no whole number of MiB.
fn data_bytes(shape: Shape) -> u64 {
    if shape == Shape::Release17 { 1280 * MIB } else { 222 * MIB - 77 * 4096 }
}

fn at(file: &File, offset: u64, length: u64) -> Vec<u8> {
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, offset).unwrap();
    bytes
}

fn read(path: &Path) -> (Layout, Vec<u8>) {
    let file = File::open(path).unwrap();
    let size = file.metadata().unwrap().len();
    let head = at(&file, 0, MIB);
    let mut sector = |lba: u64| -> io::Result<[u8; 512]> {
        let mut bytes = [0; 512];
        file.read_exact_at(&mut bytes, lba * 512).map(|()| bytes)
    };
    (layout::read(&head, size / 512, &mut sector).unwrap(), head)
}

fn sfdisk(args: &[&str], input: &str, path: &Path) {
    let mut child = Command::new("sfdisk")
        .args(args)
        .arg(path)
        .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "sfdisk {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// As `haos-expand` does it.
fn grow_with_sfdisk(path: &Path, number: u32) {
    sfdisk(&["--relocate", "gpt-bak-std"], "", path);
    sfdisk(&["--no-reread", "--no-tell-kernel", "-N", &number.to_string()], ", +\n", path);
}

fn grow_with_plan(path: &Path, plan: &GrowPlan) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(&plan.head, 0).unwrap();
    if let Some((lba, tail)) = &plan.tail {
        file.write_all_at(tail, lba * 512).unwrap();
    }
}

/// Every place of a disk that a table can stand in: first byte and number of bytes.
fn places(layout: &Layout, size: u64) -> Vec<(u64, u64)> {
    let is_mbr = layout.kind == TableKind::Mbr;
    let logical = layout.partitions.iter().filter(|p| is_mbr && p.number >= 5);
    let links = logical.map(|p| ((p.start - 2048) * 512, 512));
    [(0, MIB), (size - MIB, MIB)].into_iter().chain(links).collect()
}

/// Writes the image's table onto a card of so many bytes; everything else is holes there and here.
fn put_on_card(image: &Path, card: &Path, layout: &Layout, size: u64) {
    let (image, card) = (File::open(image).unwrap(), File::create(card).unwrap());
    card.set_len(size).unwrap();
    for (offset, length) in places(layout, image.metadata().unwrap().len()) {
        card.write_all_at(&at(&image, offset, length), offset).unwrap();
    }
}

/// The first difference between the two cards is told by its place.
fn same(board: Board, ours: &Path, theirs: &Path, layout: &Layout) {
    let (ours, theirs) = (File::open(ours).unwrap(), File::open(theirs).unwrap());
    let size = ours.metadata().unwrap().len();
    for (offset, length) in places(layout, size) {
        let (a, b) = (at(&ours, offset, length), at(&theirs, offset, length));
        let first = if a == b { None } else { (0..a.len()).find(|n| a[*n] != b[*n]) };
        assert_eq!(first, None, "{board} on {size} bytes: differs from byte {offset} on");
    }
}

#[test]
fn a_grown_table_is_what_sfdisk_writes() {
    let dir = tempfile::tempdir().unwrap();
    let [image, ours, theirs] = ["image", "ours", "theirs"].map(|name| dir.path().join(name));
    for board in Board::ALL {
        for shape in [Shape::Release18, Shape::Release17] {
            let size = make_table(board, &spec(shape), data_bytes(shape), &image).unwrap();
            let (layout, head) = read(&image);
            let number = data_partition(&layout).unwrap().number;
            let gpt_as_large = (layout.kind != TableKind::Mbr).then_some(size.0);
            // Past what 32 bits of sectors say.
            let huge = (shape == Shape::Release18).then_some(3 << 40);
            for card in CARDS.into_iter().chain(gpt_as_large).chain(huge) {
                for path in [&ours, &theirs] {
                    put_on_card(&image, path, &layout, card);
                }
                let plan = GrowPlan::new(&layout, &head, card / 512).unwrap();
                grow_with_plan(&ours, &plan);
                grow_with_sfdisk(&theirs, number);
                same(board, &ours, &theirs, &layout);
                assert_eq!(read(&ours).0.partition(number), Some(&plan.data_after));
            }
        }
    }
}
