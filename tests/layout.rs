//! The grown table against the tool that Home Assistant OS itself grows with: byte by byte, for every board.

#![expect(clippy::disallowed_types, reason = "what was made is judged by other tools")]

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};

use sd_swap::demo::image::{ImageSpec, Shape, make_table};
use sd_swap::domain::ext4::Ext4;
use sd_swap::domain::image::Board;
use sd_swap::domain::layout::{self, GrowPlan, Layout, TableKind, data_partition};
use sd_swap::domain::size::Bytes;

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

fn grows_as_sfdisk_does(board: Board, shape: Shape) {
    let dir = tempfile::tempdir().unwrap();
    let [image, ours, theirs] = ["image", "ours", "theirs"].map(|name| dir.path().join(name));
    let size = make_table(board, &spec(shape), data_bytes(shape), &image).unwrap();
    let (layout, head) = read(&image);
    let number = data_partition(&layout).unwrap().number;
    let as_large = (layout.kind != TableKind::Mbr).then_some(size.0);
    // Past what 32 bits of sectors say; of an MBR sfdisk 2.38 then uses only the first TiB, and we two.
    let huge = if layout.kind == TableKind::Mbr { 2_000_398_934_016 } else { 3 << 40 };
    for card in CARDS.into_iter().chain(as_large).chain([huge]) {
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

#[test]
fn a_grown_table_is_what_sfdisk_writes() {
    // sfdisk sleeps more than it works.
    std::thread::scope(|scope| {
        for board in Board::ALL {
            for shape in [Shape::Release18, Shape::Release17] {
                scope.spawn(move || grows_as_sfdisk_does(board, shape));
            }
        }
    });
}

/// Number, start and sectors of each partition but data, as sfdisk reads them.
fn dumped(path: &Path) -> Vec<(u32, u64, u64)> {
    let output = Command::new("sfdisk").arg("-d").arg(path).env("PATH", "/usr/sbin:/sbin").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let field =
        |line: &str, name: &str| -> Option<u64> { line.split_once(name)?.1.split(',').next()?.trim().parse().ok() };
    let prefix = format!("{}", path.display());
    let lines = text.lines().filter_map(|line| {
        let number = line.strip_prefix(&prefix)?.split(' ').next()?.parse().ok()?;
        Some((number, field(line, "start=")?, field(line, "size=")?))
    });
    lines.collect()
}

#[test]
fn made_images_lie_where_the_releases_do() {
    let gpt = |starts: [u64; 8], uboot: bool| {
        let data = starts[7] + 454_656;
        let ends = starts.into_iter().skip(1).chain([data]);
        let mut all: Vec<(u32, u64, u64)> = if uboot { vec![(1, 16384, 16384)] } else { vec![] };
        for (start, end) in starts.into_iter().zip(ends) {
            all.push((all.len() as u32 + 1, start, end - start));
        }
        all
    };
    let pc = gpt([2048, 67584, 116_736, 641_024, 690_176, 1_214_464, 1_230_848, 1_427_456], false);
    let pi5 = gpt([2048, 133_120, 182_272, 706_560, 755_712, 1_280_000, 1_296_384, 1_492_992], false);
    let rockchip = |uboot| gpt([32768, 65536, 114_688, 638_976, 688_128, 1_212_416, 1_228_800, 1_425_408], uboot);
    let mbr = vec![
        (1, 16384, 49152),
        (2, 65536, 1_173_504),
        (3, 1_239_040, 196_608),
        (4, 1_435_648, 454_656),
        (5, 67584, 49152),
        (6, 118_784, 524_288),
        (7, 645_120, 49152),
        (8, 696_320, 524_288),
        (9, 1_222_656, 16384),
    ];
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("image");
    for board in Board::ALL {
        let expected = match board {
            Board::GenericX86_64 | Board::GenericAarch64 | Board::Rpi3_64 | Board::Rpi4_64 | Board::Yellow => {
                pc.clone()
            }
            Board::Rpi5_64 => pi5.clone(),
            Board::Green => rockchip(false),
            Board::OdroidM1 | Board::OdroidM1s => rockchip(true),
            Board::OdroidN2 | Board::OdroidC2 | Board::OdroidC4 | Board::KhadasVim3 => mbr.clone(),
        };
        make_table(board, &spec(Shape::Release18), 222 * MIB, &image).unwrap();
        assert_eq!(dumped(&image), expected, "{board}");
    }
}

fn run(tool: &str, args: &[&str]) {
    let output = Command::new(tool).args(args).env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin").output().unwrap();
    assert!(output.status.success(), "{tool} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_file_system_grown_by_resize2fs_fills_its_partition() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let file_name = path.to_str().unwrap();
    // With 512 blocks of inode table in a group, and with 19.
    for first in ["327680", "1205"] {
        // Whole groups, and rests on either side of what resize2fs leaves out; group 49 has a copy of the superblock.
        let rests = [0, 1, 70, 72, 231, 233, 563, 564, 723, 725, 20_000];
        for (groups, rest) in [12, 48, 49, 50, 117].into_iter().flat_map(|groups| rests.map(|rest| (groups, rest))) {
            let room: u64 = groups * 32768 + rest;
            let _ = std::fs::remove_file(&path);
            run(
                "mke2fs",
                &["-q", "-t", "ext4", "-b", "4096", "-i", "16384", "-E", "resize=335544320", file_name, first],
            );
            run("resize2fs", &["-f", file_name, &room.to_string()]);
            let superblock = at(&File::open(&path).unwrap(), 1024, 1024);
            let ext4 = Ext4::parse(&superblock).unwrap();
            let partition = Bytes(room * 4096 + 3584);
            assert_eq!(ext4.blocks_for(partition), room);
            assert!(ext4.fills(partition), "{} blocks of {room} after {first}", ext4.blocks);
            assert!(!ext4.fills(Bytes((room + 32768) * 4096)) && !ext4.fills(Bytes((room - 1000) * 4096)));
        }
    }
}
