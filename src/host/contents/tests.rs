use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::GzDecoder;
use proptest::prelude::*;

use super::*;

/// What `tests/fixtures/filesystems/make.sh` made, and what it is.
const SAMPLES: [(&str, &str, &str); 17] = [
    ("ext2", "ext2", "two-label"),
    ("ext3", "ext3", "three-label"),
    ("ext4", "ext4", "hassos-data"),
    ("fat12", "FAT", "TWELVE"),
    ("fat16", "FAT", "hassos-boot"),
    ("fat16-unnamed", "FAT", ""),
    ("fat32", "FAT", "MY CARD"),
    ("exfat", "exFAT", "Käse card"),
    ("ntfs", "NTFS", "Neue Platte"),
    ("btrfs", "btrfs", "butter"),
    ("xfs", "XFS", "quick"),
    ("squashfs", "squashfs", ""),
    ("erofs", "EROFS", ""),
    ("swap", "swap", "swap-label"),
    ("luks1", "LUKS", ""),
    ("luks2", "LUKS", "vault"),
    ("iso9660", "ISO 9660", "DISC_LABEL"),
];

fn sample(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/filesystems").join(format!("{name}.gz"));
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

fn reader(bytes: &[u8]) -> impl Fn(u64, &mut [u8]) -> io::Result<()> {
    |offset, buffer| {
        let from = offset as usize;
        let found = bytes.get(from..from + buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(found);
        Ok(())
    }
}

fn look(disk: &[u8], table: Option<&Table>) -> Contents {
    let (reader, size) = (reader(disk), disk.len() as u64);
    contents(&reader, size, &Ends::read(&reader, size).unwrap(), table)
}

fn table(kind: &str, slices: &[(u32, u64, u64)]) -> Table {
    let slice = |&(number, start, length)| Slice { number, name: format!("p{number}"), start, length };
    Table { kind: kind.into(), slices: slices.iter().map(slice).collect() }
}

#[test]
fn file_systems_are_known_by_what_their_own_tools_write() {
    for (name, kind, label) in SAMPLES {
        let bytes = sample(name);
        let found = probe_filesystem(&reader(&bytes), 0, bytes.len() as u64);
        assert_eq!(found, Some(Filesystem { kind, label: label.into() }), "{name}");
    }
}

#[test]
fn a_sample_is_found_wherever_it_lies_and_not_once_it_is_wiped() {
    let mut disk = vec![0; 4 << 20];
    disk[1 << 20..][..72 << 10].copy_from_slice(&sample("ext4"));
    let at = |start, length| probe_filesystem(&reader(&disk), start, length).map(|found| found.kind);
    assert_eq!(at(1 << 20, 3 << 20), Some("ext4"));
    assert_eq!(at(0, 4 << 20), None);
    for (start, length) in [(1 << 20, 1024), (1 << 20, 0), (5 << 20, 1 << 20), (u64::MAX - 100, u64::MAX)] {
        assert_eq!(at(start, length), None, "{start} {length}");
    }
    disk[(1 << 20) + 1080] = 0;
    assert_eq!(probe_filesystem(&reader(&disk), 1 << 20, 3 << 20), None);
}

#[test]
fn a_disk_is_blank_a_file_system_or_a_table() {
    let blank = vec![0; 3 << 20];
    assert_eq!(look(&blank, None), Contents { blank: true, ..Contents::default() });
    let mut dusty = blank.clone();
    dusty[(3 << 20) - 1] = 1;
    assert_eq!(look(&dusty, None), Contents::default());

    let mut disk = blank.clone();
    disk[..1 << 20].copy_from_slice(&sample("fat32"));
    let whole = FoundPartition {
        number: 0,
        name: String::new(),
        label: "MY CARD".into(),
        filesystem: "FAT".into(),
        size: Bytes(3 << 20),
        used: Some(Bytes(512)),
    };
    let filled = Contents { table: None, partitions: vec![whole], blank: false };
    assert_eq!(look(&disk, None), filled);
    // What a table's parser may make of a FAT's boot sector does not count.
    assert_eq!(look(&disk, Some(&table("mbr", &[(1, 512, 512)]))), filled);
    assert_eq!(look(&disk, Some(&table("gpt", &[(1, 1 << 20, 1 << 20)]))).table, Some("gpt".into()));
    let empty = look(&dusty, Some(&table("gpt", &[])));
    assert_eq!((empty.table, empty.partitions), (Some("gpt".into()), vec![]));
    // A disc's image has a file system from its start on, and often a table without an entry.
    assert_eq!(look(&disk, Some(&table("gpt", &[]))), filled);
}

/// The samples are cut off; the counts are those of the whole.
#[test]
fn file_systems_say_how_much_of_them_is_in_use() {
    let cases = [
        ("fat12", None),
        ("fat16", Some(0)),
        ("fat16-unnamed", Some(0)),
        ("fat32", Some(512)),
        ("exfat", None),
        ("ext2", Some(14 << 10)),
        ("ext3", Some(19 << 10)),
        ("ext4", Some(14 << 10)),
        ("ntfs", None),
        ("swap", None),
    ];
    for (name, want) in cases {
        let bytes = sample(name);
        let found = look(&bytes, None).partitions.into_iter().next().and_then(|p| p.used);
        assert_eq!(found, want.map(Bytes), "{name}");
    }
    let changed = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = sample(name);
        change(&mut bytes);
        look(&bytes, None).partitions.into_iter().next().and_then(|p| p.used).map(|used| used.0)
    };
    // Five clusters of the table, a fifth of the clusters, a count that says more than there is, a count without its mark.
    assert_eq!(changed("fat16", &|bytes| bytes[512 + 4..][..10].fill(0xff)), Some(5 * 512));
    assert_eq!(changed("exfat", &|bytes| bytes[112] = 20), Some(1536 * 4096 / 100 * 20));
    assert_eq!(changed("exfat", &|bytes| bytes[112] = 0xff), None);
    assert_eq!(changed("fat32", &|bytes| bytes[512 + 488..][..4].fill(0xff)), None);
    assert_eq!(changed("fat32", &|bytes| bytes[512] = 0), None);
    assert_eq!(changed("ext4", &|bytes| bytes[1024 + 12..][..4].fill(0xff)), None);
}

#[test]
fn partitions_say_what_is_in_them() {
    let mut disk = vec![0; 4 << 20];
    disk[1 << 20..][..72 << 10].copy_from_slice(&sample("ext4"));
    disk[2 << 20..][..256 << 10].copy_from_slice(&sample("fat16"));
    let slices = [(1, 2 << 20, 1 << 20), (8, 1 << 20, 1 << 20), (2, 3 << 20, 1 << 20), (3, 9 << 20, u64::MAX)];
    let found = look(&disk, Some(&table("hybrid", &slices)));
    let lines: Vec<_> =
        found.partitions.iter().map(|p| (p.number, &*p.name, &*p.filesystem, &*p.label, p.size.0)).collect();
    assert_eq!(lines[0], (1, "p1", "FAT", "hassos-boot", 1 << 20));
    assert_eq!(lines[1], (8, "p8", "ext4", "hassos-data", 1 << 20));
    assert_eq!(lines[2], (2, "p2", "", "", 1 << 20));
    assert_eq!(lines[3], (3, "p3", "", "", u64::MAX));
    assert_eq!((found.table.as_deref(), found.blank), (Some("hybrid"), false));
}

#[test]
fn a_table_of_thousands_is_not_searched_to_the_end() {
    let reads = Cell::new(0);
    let reader = |_: u64, _: &mut [u8]| {
        reads.set(reads.get() + 1);
        Ok(())
    };
    let ends = Ends::read(&reader, 1 << 30).unwrap();
    let slices: Vec<_> = (0..10_000).map(|n| (n, u64::from(n) * 4096, 4096)).collect();
    assert_eq!(contents(&reader, 1 << 30, &ends, Some(&table("gpt", &slices))).partitions.len(), 10_000);
    assert!(reads.get() < 100, "{}", reads.get());
}

#[test]
fn only_the_ends_must_be_readable() {
    let dead = |_: u64, _: &mut [u8]| Err(io::ErrorKind::Other.into());
    assert!(Ends::read(&dead, 1 << 30).is_err());
    assert_eq!(probe_filesystem(&dead, 0, 1 << 30), None);
    for size in [0, 511, 512, 1 << 19, (1 << 20) + 512] {
        let disk = vec![7; size];
        let ends = Ends::read(&reader(&disk), size as u64).unwrap();
        assert_eq!((ends.first.len(), ends.last.len()), (size.min(1 << 20) / 512 * 512, ends.first.len()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Superblocks come from whoever had the card before: any damage to a real one is read without harm.
    #[test]
    fn damaged_superblocks_do_no_harm(
        which in 0..SAMPLES.len(),
        cut in 0u64..300_000,
        damage in prop::collection::vec((0usize..1200, any::<u8>()), 0..40),
        deep in prop::collection::vec((0usize..72 << 10, any::<u8>()), 0..40),
    ) {
        let mut bytes = sample(SAMPLES[which].0);
        let length = bytes.len();
        for (at, byte) in damage.into_iter().chain(deep) {
            bytes[at % length] = byte;
        }
        let found = probe_filesystem(&reader(&bytes), 0, bytes.len() as u64 - cut.min(bytes.len() as u64));
        prop_assert!(found.is_none_or(|found| found.label.chars().count() < 300));
        look(&bytes, None);
    }

    /// The numbers that lead on into the file system, at their extremes.
    #[test]
    fn hostile_numbers_lead_nowhere(
        which in prop::sample::select(vec!["fat12", "fat16", "fat32", "exfat", "ntfs"]),
        fields in prop::collection::vec((0usize..128, prop::sample::select(vec![0u8, 1, 2, 0x7f, 0x80, 0xf6, 0xff])), 1..24),
    ) {
        let mut bytes = sample(which);
        // Magic and end mark stay, so that the rest is looked at.
        for (at, byte) in fields.into_iter().filter(|(at, _)| !(3..11).contains(at)) {
            bytes[at] = byte;
        }
        look(&bytes, None);
    }

    #[test]
    fn any_master_file_table_is_read_without_harm(noise in prop::collection::vec(any::<u8>(), 1024)) {
        let mut bytes = sample("ntfs");
        let table = u64::from_le_bytes(bytes[48..56].try_into().unwrap()) as usize * 4096;
        let record = table + 3 * 1024;
        bytes[record + 20..][..1000].copy_from_slice(&noise[..1000]);
        let _ = probe_filesystem(&reader(&bytes), 0, bytes.len() as u64);
    }
}
