//! Tables built byte by byte, apart from the code that reads them: every board's, odd ones, hostile ones.

use std::collections::BTreeMap;
use std::io;

use proptest::prelude::*;

use super::bytes::{le32, le64, put};
use super::*;

const LINUX: &str = "0fc63daf-8483-4772-8e79-3d69d8477de4";
/// Bytes of the beginning that are given: more than is needed.
const HEAD: usize = 64 << 10;

/// The beginning of a disk, and sectors elsewhere on it.
#[derive(Debug, Clone)]
struct Disk {
    head: Vec<u8>,
    links: BTreeMap<u64, [u8; 512]>,
    end: u64,
}

impl Disk {
    fn read(&self) -> Result<Layout, TableError> {
        read(&self.head, self.end, &mut |at| self.links.get(&at).copied().ok_or_else(|| io::Error::other("not there")))
    }

    fn grown(&self, card: u64) -> Result<GrowPlan, GrowError> {
        GrowPlan::new(&self.read().unwrap(), &self.head, card)
    }

    /// The same beginning on a disk of another size.
    fn on(&self, head: Vec<u8>, end: u64) -> Disk {
        Disk { head, links: self.links.clone(), end }
    }
}

#[derive(Debug, Clone)]
struct Entry {
    number: u32,
    start: u64,
    sectors: u64,
    name: String,
    uuid: Guid,
    attributes: u64,
}

fn entry(number: u32, name: &str, start: u64, sectors: u64) -> Entry {
    let uuid = match name {
        "hassos-data" => "a52a4597-fa3a-4851-aefd-2fbe9f849079".parse().unwrap(),
        "hassos-overlay" => "f1326040-5236-40eb-b683-aaa100a9afcf".parse().unwrap(),
        _ => Guid::from_u128(u128::from(number) << 64 | u128::from(start)),
    };
    Entry { number, start, sectors, name: name.into(), uuid, attributes: 0 }
}

fn gpt_disk(kind: TableKind, first_usable: u64, end: u64, entries: &[Entry]) -> Disk {
    let mut head = vec![0xa5; HEAD];
    head[440..HEAD_MIN].fill(0);
    put(&mut head, 510, &[0x55, 0xaa]);
    let first = if kind == TableKind::HybridGpt { mbr_entry(0, 0x0c, 2048, 65536) } else { vec![] };
    put(&mut head, 446, &[first, mbr_entry(0, 0xee, 1, 33)].concat());
    for e in entries {
        let at = 1024 + (e.number as usize - 1) * 128;
        put(&mut head, at, &LINUX.parse::<Guid>().unwrap().0);
        put(&mut head, at + 16, &e.uuid.0);
        for (field, value) in [(32, e.start), (40, (e.start + e.sectors).wrapping_sub(1)), (48, e.attributes)] {
            put(&mut head, at + field, &value.to_le_bytes());
        }
        let name: Vec<u8> = e.name.encode_utf16().flat_map(u16::to_le_bytes).take(72).collect();
        put(&mut head, at + 56, &name);
    }
    put(&mut head, 512, b"EFI PART\0\0\x01\0\x5c\0\0\0");
    for (at, value) in [(24, 1), (32, end - 1), (40, first_usable), (48, end - 34), (72, 2)] {
        put(&mut head, 512 + at, &value.to_le_bytes());
    }
    put(&mut head, 512 + 56, &[0x77; 16]);
    for at in [80, 84] {
        put(&mut head, 512 + at, &128_u32.to_le_bytes());
    }
    sign(&mut head);
    Disk { head, links: BTreeMap::new(), end }
}

/// Makes both checksums right again.
fn sign(head: &mut [u8]) {
    let count = le32(head, 512 + 80).min(128) as usize;
    let entries = crc32fast::hash(&head[1024..1024 + count * 128]);
    put(head, 512 + 88, &entries.to_le_bytes());
    put(head, 512 + 16, &[0; 4]);
    let length = le32(head, 512 + 12).clamp(92, 512) as usize;
    let header = crc32fast::hash(&head[512..512 + length]);
    put(head, 512 + 16, &header.to_le_bytes());
}

fn mbr_entry(flag: u8, kind: u8, start: u64, sectors: u64) -> Vec<u8> {
    let mut entry = vec![flag, 1, 2, 3, kind, 4, 5, 6];
    entry.extend((start as u32).to_le_bytes());
    entry.extend((sectors as u32).to_le_bytes());
    entry
}

fn link(own: Vec<u8>, next: Vec<u8>) -> [u8; 512] {
    let mut sector = [0; 512];
    put(&mut sector, 446, &[own, next].concat());
    put(&mut sector, 510, &[0x55, 0xaa]);
    sector
}

/// Four primaries, and logical ones as (start of the link, start, sectors).
fn mbr_disk(end: u64, primaries: &[Vec<u8>], logicals: &[(u64, u64, u64)]) -> Disk {
    let mut head = vec![0x5a; HEAD];
    head[440..512].fill(0);
    put(&mut head, 440, &0x4861_7373_u32.to_le_bytes());
    put(&mut head, 446, &primaries.concat());
    put(&mut head, 510, &[0x55, 0xaa]);
    let base = logicals.first().map_or(0, |l| l.0);
    let mut links = BTreeMap::new();
    for (place, (at, start, sectors)) in logicals.iter().enumerate() {
        let next = logicals.get(place + 1).map_or(vec![], |n| mbr_entry(0, 0x0f, n.0 - base, n.1 + n.2 - n.0));
        links.insert(*at, link(mbr_entry(0, 0x83, start - at, *sectors), next));
    }
    Disk { head, links, end }
}

/// The MBR of the ODROID-N2, C2, C4 and the Khadas VIM3, its data partition of so many sectors.
fn hass_mbr(end: u64, data: u64) -> Disk {
    mbr_disk(
        end,
        &[
            mbr_entry(0x80, 0x0c, 16384, 49152),
            mbr_entry(0, 0x0f, 65536, 1_173_504),
            mbr_entry(0, 0x83, 1_239_040, 196_608),
            mbr_entry(0, 0x83, 1_435_648, data),
        ],
        &[
            (65536, 67584, 49152),
            (116_736, 118_784, 524_288),
            (643_072, 645_120, 49152),
            (694_272, 696_320, 524_288),
            (1_220_608, 1_222_656, 16384),
        ],
    )
}

/// A release's GPT by the starts of its partitions, its data partition of so many sectors.
fn hass_gpt(kind: TableKind, first_usable: u64, starts: [u64; 8], uboot: bool, data: u64) -> Disk {
    let names = ["boot", "kernel0", "system0", "kernel1", "system1", "bootstate", "overlay", "data"];
    let shift = u32::from(uboot);
    let data_end = starts[7] + data;
    let mut entries: Vec<Entry> = if uboot { vec![entry(1, "uboot", 16384, 16384)] } else { vec![] };
    for (place, name) in (0_usize..).zip(names) {
        let end = starts.get(place + 1).copied().unwrap_or(data_end);
        let number = place as u32 + 1 + shift;
        entries.push(entry(number, &format!("hassos-{name}"), starts[place], end - starts[place]));
    }
    gpt_disk(kind, first_usable, (data_end + 33).next_multiple_of(8), &entries)
}

const PC: [u64; 8] = [2048, 67584, 116_736, 641_024, 690_176, 1_214_464, 1_230_848, 1_427_456];
const PI5: [u64; 8] = [2048, 133_120, 182_272, 706_560, 755_712, 1_280_000, 1_296_384, 1_492_992];
const GREEN: [u64; 8] = [32768, 65536, 114_688, 638_976, 688_128, 1_212_416, 1_228_800, 1_425_408];
/// Data of 222 MiB, as in 18.2.
const DATA: u64 = 454_656;

/// Every board's release: kind, number and start of data.
fn releases() -> Vec<(&'static str, Disk, TableKind, u32, u64)> {
    use TableKind::*;
    let n2 = || hass_mbr(1_435_648 + DATA - 1000, DATA);
    vec![
        ("generic-x86-64", hass_gpt(Gpt, 34, PC, false, DATA), Gpt, 8, PC[7]),
        ("generic-aarch64", hass_gpt(Gpt, 2048, PC, false, DATA), Gpt, 8, PC[7]),
        ("rpi3-64", hass_gpt(HybridGpt, 34, PC, false, DATA), HybridGpt, 8, PC[7]),
        ("rpi4-64", hass_gpt(HybridGpt, 2048, PC, false, DATA), HybridGpt, 8, PC[7]),
        ("rpi5-64", hass_gpt(Gpt, 34, PI5, false, DATA), Gpt, 8, PI5[7]),
        ("yellow", hass_gpt(HybridGpt, 34, PC, false, DATA), HybridGpt, 8, PC[7]),
        ("green", hass_gpt(HybridGpt, 32768, GREEN, false, DATA), HybridGpt, 8, GREEN[7]),
        ("odroid-m1", hass_gpt(HybridGpt, 34, GREEN, true, DATA), HybridGpt, 9, GREEN[7]),
        ("odroid-m1s", hass_gpt(HybridGpt, 16384, GREEN, true, DATA), HybridGpt, 9, GREEN[7]),
        ("odroid-n2", n2(), Mbr, 4, 1_435_648),
        ("odroid-c2", n2(), Mbr, 4, 1_435_648),
        ("odroid-c4", n2(), Mbr, 4, 1_435_648),
        ("khadas-vim3", n2(), Mbr, 4, 1_435_648),
    ]
}

#[test]
fn every_boards_table_is_read_and_its_data_found() {
    for (board, disk, kind, number, start) in releases() {
        let layout = disk.read().unwrap();
        assert_eq!(layout.kind, kind, "{board}");
        let data = data_partition(&layout).unwrap();
        assert_eq!((data.number, data.start, data.sectors), (number, start, DATA), "{board}");
        let overlay = overlay_partition(&layout).unwrap();
        assert_eq!((overlay.number, overlay.end()), (number - 1, data.start), "{board}");
        assert_eq!(data.offset(), Bytes(start * 512));
    }
}

#[test]
fn published_sizes_follow_from_the_starts() {
    assert_eq!(hass_gpt(TableKind::HybridGpt, 34, PC, false, DATA).end * 512, 963_661_824);
    assert_eq!(hass_gpt(TableKind::Gpt, 34, PI5, false, DATA).end * 512, 997_216_256);
}

#[test]
fn partitions_have_the_names_that_the_kernel_uses() {
    let mbr = hass_mbr(2_000_000, DATA).read().unwrap();
    let numbers: Vec<u32> = mbr.partitions.iter().map(|p| p.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let names: Vec<String> = mbr.partitions.iter().map(|p| mbr.partuuid(p)).collect();
    assert_eq!((names[5].as_str(), names[7].as_str()), ("48617373-06", "48617373-08"));
    assert_eq!(mbr.partition(6).map(|p| (p.start, p.type_id.to_string())), Some((118_784, "83".into())));
    assert!(mbr.partitions[0].active && !mbr.partitions[3].active);
    assert_eq!(mbr.id.to_string(), "0x48617373");
    let gpt = releases()[0].1.read().unwrap();
    assert_eq!(gpt.partuuid(&gpt.partitions[7]), "a52a4597-fa3a-4851-aefd-2fbe9f849079");
    assert_eq!(
        (gpt.partitions[7].name.as_str(), gpt.partitions[7].type_id.to_string().as_str()),
        ("hassos-data", LINUX)
    );
    assert_eq!(gpt.id.to_string(), "77777777-7777-7777-7777-777777777777");
}

#[test]
fn data_grows_to_the_last_usable_sector() {
    let cards = [8 << 30, 15_931_539_456, 31_914_983_424, 63_864_569_856, 512 * 20_000_001, 512 * 4_000_003];
    for (board, disk, kind, ..) in releases() {
        for bytes in cards {
            let card = bytes / 512;
            let plan = disk.grown(card).unwrap();
            let end = if kind == TableKind::Mbr { card } else { card - 33 };
            assert_eq!(plan.data_after.end(), end, "{board} {card}");
            assert_eq!(Partition { sectors: plan.data_before.sectors, ..plan.data_after }, plan.data_before, "{board}");
        }
    }
}

#[test]
fn a_card_as_large_as_the_image_will_do_and_a_smaller_one_not() {
    for (board, disk, kind, ..) in releases() {
        let plan = disk.grown(disk.end).unwrap();
        let layout = disk.on(plan.head, disk.end).read().unwrap();
        let end = data_partition(&layout).unwrap().end();
        assert_eq!(end, usable_end(kind, disk.end), "{board}");
        let refusal = disk.grown(disk.end - 1).unwrap_err();
        let need = Bytes(disk.end * 512);
        assert_eq!(refusal, GrowError::CardTooSmall { need, has: need - Bytes(512) }, "{board}");
    }
}

#[test]
fn thirty_two_bits_bound_an_mbr_and_a_protective_entry() {
    let huge = 1 << 33;
    let mbr = hass_mbr(2_000_000, DATA).grown(huge).unwrap();
    assert_eq!(mbr.data_after.end(), (1 << 32) - 1);
    assert_eq!(u64::from(le32(&mbr.head, 446 + 3 * 16 + 12)), (1 << 32) - 1 - 1_435_648);
    let gpt = releases()[0].1.grown(huge).unwrap();
    assert_eq!(gpt.data_after.end(), huge - 33);
    assert_eq!(le32(&gpt.head, 446 + 12), u32::MAX);
    let (at, tail) = gpt.tail.unwrap();
    assert_eq!((at, le64(&tail, 32 * 512 + 24)), (huge - 33, huge - 1));
}

/// What came of changing one thing in a good table.
fn after(kind: TableKind, change: impl Fn(&mut Vec<u8>)) -> Result<Layout, TableError> {
    let mut disk = hass_gpt(kind, 34, PC, false, DATA);
    change(&mut disk.head);
    disk.read()
}

fn signed(change: impl Fn(&mut Vec<u8>)) -> Result<Layout, TableError> {
    after(TableKind::HybridGpt, |head| {
        change(head);
        sign(head);
    })
}

/// Puts a number into a field of entry `n`, and signs.
fn with_entry(n: usize, field: usize, value: u64) -> Result<Layout, TableError> {
    signed(|head| put(head, 1024 + (n - 1) * 128 + field, &value.to_le_bytes()))
}

#[test]
fn damaged_and_impossible_gpts_are_refused_by_name() {
    use TableError as E;
    let hybrid = TableKind::HybridGpt;
    assert!(matches!(after(hybrid, |h| h.truncate(HEAD_MIN - 1)), Err(E::HeadTooShort(_))));
    assert!(matches!(after(hybrid, |h| h[510] = 0), Err(E::None)));
    assert!(matches!(after(hybrid, |h| h[512] = 0), Err(E::Header("no signature"))));
    assert!(matches!(signed(|h| h[520] = 7), Err(E::Header("unknown revision"))));
    assert!(matches!(after(hybrid, |h| h[512 + 56] ^= 1), Err(E::Header("checksum"))));
    assert!(matches!(after(hybrid, |h| h[512 + 13] = 9), Err(E::Header("checksum"))));
    assert!(matches!(after(hybrid, |h| h[1024 + 128 * 127] ^= 1), Err(E::Entries)));
    assert!(matches!(signed(|h| put(h, 512 + 24, &[2])), Err(E::Header("it says it belongs elsewhere"))));
    for (at, value) in [(40, 33_u64), (48, 33), (48, 1 << 40), (48, u64::MAX)] {
        assert!(matches!(signed(|h| put(h, 512 + at, &value.to_le_bytes())), Err(E::Header("usable sectors"))));
    }
    for (at, value) in [(80, 0_u32), (80, 1025), (80, u32::MAX), (84, 64), (84, 0), (84, u32::MAX)] {
        assert!(matches!(signed(|h| put(h, 512 + at, &value.to_le_bytes())), Err(E::Shape { .. })), "{at} {value}");
    }
    for lba in [0, 1, 2048, 1 << 55, u64::MAX] {
        assert!(
            matches!(signed(|h| put(h, 512 + 72, &lba.to_le_bytes())), Err(E::Shape { .. } | E::Header(_))),
            "{lba}"
        );
    }
    assert!(matches!(with_entry(3, 40, PC[2] - 1), Err(E::Backwards { number: 3, .. })));
    assert!(matches!(with_entry(3, 40, PC[3]), Err(E::Overlap { first: 3, second: 4 })));
    assert!(matches!(with_entry(4, 32, PC[2]), Err(E::Overlap { first: 3, second: 4 })));
    assert!(matches!(with_entry(8, 40, PC[7] + DATA + 100), Err(E::PastEnd { number: 8, .. })));
    assert!(matches!(with_entry(8, 40, u64::MAX), Err(E::PastEnd { number: 8, .. })));
    assert!(matches!(with_entry(1, 32, 20), Err(E::OutsideUsable { number: 1, .. })));
    assert!(matches!(with_entry(8, 40, PC[7] + DATA + 20), Err(E::OutsideUsable { number: 8, .. })));
}

#[test]
fn a_longer_header_keeps_what_is_in_it() {
    let mut disk = hass_gpt(TableKind::Gpt, 34, PC, false, DATA);
    put(&mut disk.head, 512 + 12, &512_u32.to_le_bytes());
    put(&mut disk.head, 512 + 300, b"kept");
    sign(&mut disk.head);
    let plan = disk.grown(8_000_000).unwrap();
    assert_eq!(&plan.head[812..816], b"kept");
    assert_eq!(&plan.tail.as_ref().unwrap().1[32 * 512 + 300..][..4], b"kept");
    assert!(disk.on(plan.head, 8_000_000).read().is_ok());
}

fn mbr_case(primaries: &[Vec<u8>], links: &[(u64, [u8; 512])]) -> Result<Layout, TableError> {
    let mut disk = mbr_disk(100_000, primaries, &[]);
    disk.links.extend(links.iter().copied());
    disk.read()
}

#[test]
fn impossible_mbrs_are_refused_by_name() {
    use TableError as E;
    let e = mbr_entry;
    let extended = || e(0, 0x05, 10_000, 50_000);
    let none = || e(0, 0, 0, 0);
    assert!(matches!(mbr_case(&[none()], &[]), Err(E::None)));
    assert!(matches!(mbr_case(&[e(0x33, 0x0c, 1, 1)], &[]), Err(E::None)));
    assert!(matches!(mbr_case(&[e(0, 0x0c, 0, 10)], &[]), Err(E::OutsideUsable { number: 1, .. })));
    assert!(matches!(mbr_case(&[none(), e(0, 0x83, 99_999, 2)], &[]), Err(E::PastEnd { number: 2, .. })));
    assert!(matches!(mbr_case(&[e(0, 0x83, 1, 10), e(0, 0x83, 10, 1)], &[]), Err(E::Overlap { first: 1, second: 2 })));
    assert!(matches!(mbr_case(&[extended(), e(0, 0x0f, 70_000, 10)], &[]), Err(E::TwoExtended)));
    assert!(matches!(mbr_case(&[extended()], &[]), Err(E::Reading { at: 10_000, .. })));
    assert!(matches!(mbr_case(&[extended()], &[(10_000, [0; 512])]), Err(E::Chain { at: 10_000 })));
    let chains = [
        // Own partition, next link, and what is wrong with them.
        (e(0, 0x83, 100, 49_901), none(), "outside"),
        (e(0, 0x83, u32::MAX.into(), u32::MAX.into()), none(), "outside"),
        (e(0, 0x83, 0, 10), none(), "overlap"),
        (e(0, 0x83, 1, 10), e(0, 0x05, 0, 10), "loop"),
        (e(0, 0x83, 1, 10), e(0, 0x83, 20, 10), "chain"),
        (e(0, 0x83, 1, 10), e(0, 0x05, u32::MAX.into(), 10), "chain"),
        (e(0, 0x83, 1, 10), e(0, 0x05, 50_000, 10), "chain"),
        (e(0, 0x83, 1, 10), e(0, 0x05, 5, 10), "reading"),
    ];
    for (own, next, wrong) in chains {
        let said = mbr_case(&[extended()], &[(10_000, link(own.clone(), next.clone()))]).unwrap_err();
        let same = match said {
            E::OutsideExtended { number: 5 } => wrong == "outside",
            E::Overlap { .. } => wrong == "overlap",
            E::Loop { at: 10_000 } => wrong == "loop",
            E::Chain { .. } => wrong == "chain",
            E::Reading { at: 10_005, .. } => wrong == "reading",
            _ => false,
        };
        assert!(same, "{wrong}: {said} for {own:?} {next:?}");
    }
}

#[test]
fn chains_without_end_are_left() {
    let mut disk = mbr_disk(4_000_000_000, &[mbr_entry(0, 0x0f, 2048, 3_900_000_000)], &[]);
    let mut asked = 0_u64;
    let answer = read(&disk.head, disk.end, &mut |at| {
        asked += 1;
        Ok(link(mbr_entry(0, 0x83, 1, 1), mbr_entry(0, 0x0f, at - 2048 + 8, 8)))
    });
    assert!(matches!(answer, Err(TableError::Loop { .. })));
    assert!(asked <= 65, "{asked}");
    // Two links that point at each other.
    for (at, next) in [(2048, 8), (2056, 0)] {
        disk.links.insert(at, link(mbr_entry(0, 0, 0, 0), mbr_entry(0, 0x0f, next, 8)));
    }
    assert!(matches!(disk.read(), Err(TableError::Loop { at: 2048 })));
}

#[test]
fn an_mbr_image_may_end_a_mib_before_its_data_does() {
    let p4_end = 1_435_648 + DATA;
    assert!(hass_mbr(p4_end - 2048, DATA).read().is_ok());
    assert!(matches!(hass_mbr(p4_end - 2049, DATA).read(), Err(TableError::PastEnd { number: 4, .. })));
    // The beginning of it is not enough.
    assert!(matches!(hass_mbr(1_435_648, 2048).read(), Err(TableError::PastEnd { number: 4, .. })));
    // Nor may any other partition.
    let short = mbr_disk(9_000, &[mbr_entry(0, 0x83, 2048, 7_000)], &[]);
    assert!(matches!(short.read(), Err(TableError::PastEnd { number: 1, .. })));
}

#[test]
fn data_is_found_once_and_last_or_not_at_all() {
    let gpt = |entries: &[Entry]| {
        let disk = gpt_disk(TableKind::Gpt, 34, 100_000, entries);
        data_partition(&disk.read().unwrap()).map(|p| p.number)
    };
    let data = || entry(2, "hassos-data", 5000, 1000);
    let unnamed = || Entry { name: "renamed".into(), ..data() };
    let of_name = || Entry { uuid: Guid([9; 16]), ..data() };
    assert_eq!(gpt(&[entry(1, "hassos-boot", 2048, 100), unnamed()]), Ok(2));
    assert_eq!(gpt(&[of_name()]), Ok(2));
    assert_eq!(gpt(&[unnamed(), entry(5, "x", 2048, 100)]), Ok(2));
    assert_eq!(gpt(&[data(), entry(1, "x", 7000, 1)]), Err(DataError::NotLast { data: 2, behind: 1 }));
    assert_eq!(gpt(&[entry(1, "hassos-boot", 2048, 100)]), Err(DataError::Missing("hassos-data")));
    assert_eq!(gpt(&[data(), entry(7, "hassos-data", 7000, 1)]), Err(DataError::Twice(2, 7, "hassos-data")));

    let mut disk = hass_mbr(2_000_000, DATA);
    disk.head[446 + 3 * 16 + 4] = 0x0c;
    assert_eq!(data_partition(&disk.read().unwrap()), Err(DataError::Missing("hassos-data")));
    disk.head[440] = 0;
    assert_eq!(data_partition(&disk.read().unwrap()), Err(DataError::Signature(0x4861_7300)));
    assert!(matches!(disk.grown(3_000_000), Err(GrowError::Data(DataError::Signature(_)))));
}

#[test]
fn only_the_shape_that_images_have_is_grown() {
    let mut disk = hass_gpt(TableKind::Gpt, 34, PC, false, DATA);
    let layout = disk.read().unwrap();
    let short = GrowPlan::new(&layout, &disk.head[..HEAD_MIN - 1], 8_000_000);
    assert_eq!(short, Err(GrowError::HeadTooShort(HEAD_MIN - 1)));
    put(&mut disk.head, 512 + 80, &64_u32.to_le_bytes());
    sign(&mut disk.head);
    assert_eq!(disk.grown(8_000_000), Err(GrowError::Shape { count: 64, at: 2 }));
    // A header that leaves less than 33 sectors behind its data: the backup has no room on a card of that size.
    let mut tight = gpt_disk(TableKind::Gpt, 34, 10_000, &[entry(8, "hassos-data", 2048, 10_000 - 2048 - 20)]);
    put(&mut tight.head, 512 + 48, &9_999_u64.to_le_bytes());
    sign(&mut tight.head);
    assert!(matches!(tight.grown(10_000), Err(GrowError::CardTooSmall { .. })));
    assert!(tight.grown(10_013).is_ok());
}

#[test]
fn a_backup_is_held_against_its_primary() {
    let disk = hass_gpt(TableKind::HybridGpt, 34, PC, false, DATA);
    let card = 8_000_001;
    let plan = disk.grown(card).unwrap();
    let grown = disk.on(plan.head.clone(), card).read().unwrap();
    let (_, tail) = plan.tail.unwrap();
    assert!(check_backup(&grown, &tail, card).is_ok());
    assert!(check_backup(&grown, &[vec![7; 1000], tail.clone()].concat(), card).is_ok(), "more than is needed");
    assert!(matches!(check_backup(&grown, &tail, card + 1), Err(BackupError::Elsewhere { .. })));
    assert!(matches!(check_backup(&grown, &tail[1..], card), Err(BackupError::TooShort(_))));
    // The image's own backup lies elsewhere.
    assert!(matches!(check_backup(&disk.read().unwrap(), &tail, card), Err(BackupError::Elsewhere { .. })));
    let header = 32 * 512;
    let spoiled = |at: usize, sign_too: bool| {
        let mut bad = tail.clone();
        bad[at] ^= 1;
        if sign_too {
            put(&mut bad, header + 16, &[0; 4]);
            let crc = crc32fast::hash(&bad[header..header + 92]);
            put(&mut bad, header + 16, &crc.to_le_bytes());
        }
        check_backup(&grown, &bad, card).unwrap_err()
    };
    assert!(matches!(spoiled(0, false), BackupError::Damaged(TableError::Entries)));
    assert!(matches!(spoiled(header, false), BackupError::Damaged(TableError::Header("no signature"))));
    assert!(matches!(spoiled(header + 60, false), BackupError::Damaged(TableError::Header("checksum"))));
    let differing = [
        (24, "where they lie"),
        (32, "where they lie"),
        (40, "the usable sectors"),
        (48, "the usable sectors"),
        (56, "the disk's GUID"),
        (72, "where the entries lie"),
        (80, "the number of entries"),
        (88, "the partitions"),
    ];
    for (at, what) in differing {
        assert!(matches!(spoiled(header + at, true), BackupError::Differs(said) if said == what), "{what}");
    }
    let mbr = hass_mbr(2_000_000, DATA).read().unwrap();
    assert!(check_backup(&mbr, &[], 2_000_000).is_ok());
}

/// Tables of any shape that has data last: kind, first usable sector, partitions, sectors behind data.
fn tables() -> impl Strategy<Value = Disk> {
    let gaps = prop::collection::vec((0..5000_u64, 1..60_000_u64, any::<u64>(), "[a-z\u{e4}\u{1f600}]{0,12}"), 0..20);
    let kind = prop_oneof![Just(TableKind::Gpt), Just(TableKind::HybridGpt)];
    let gpt = (kind, 34..2048_u64, gaps, 1..1_000_000_u64, 0..10_000_u64, 0..100_usize).prop_map(
        |(kind, first_usable, parts, data, behind, turn)| {
            let mut at = first_usable;
            let mut entries = Vec::new();
            let count = parts.len();
            for (place, (gap, sectors, attributes, name)) in parts.into_iter().enumerate() {
                // Numbers in any order, and not without gaps.
                let number = ((place + turn) % (count + 1) * 5 + 1) as u32;
                entries.push(Entry { attributes, ..entry(number, &name, at + gap, sectors) });
                at += gap + sectors;
            }
            let number = ((count + turn) % (count + 1) * 5 + 1) as u32;
            entries.push(Entry { attributes: turn as u64, ..entry(number, "hassos-data", at, data) });
            gpt_disk(kind, first_usable, at + data + 33 + behind, &entries)
        },
    );
    let mbr = (1..1_000_000_u64, 0..2048_u64).prop_map(|(data, missing)| {
        let missing = missing.min(data - 1);
        hass_mbr(1_435_648 + data - missing, data)
    });
    prop_oneof![3 => gpt, 1 => mbr]
}

/// All of WR-4, for one table on one card.
fn holds(disk: &Disk, card: u64) -> Result<(), TestCaseError> {
    let before = disk.read().unwrap();
    let plan = disk.grown(card).unwrap();
    let after = disk.on(plan.head.clone(), card).read().unwrap();
    let (was, is) = (data_partition(&before).unwrap(), data_partition(&after).unwrap());
    prop_assert_eq!((&plan.data_before, &plan.data_after), (was, is));
    prop_assert_eq!(is.end(), usable_end(before.kind, card));
    prop_assert_eq!(&Partition { sectors: was.sectors, ..is.clone() }, was);
    prop_assert_eq!((before.kind, before.id, before.first_usable), (after.kind, after.id, after.first_usable));
    let others =
        |layout: &Layout| layout.partitions.iter().filter(|p| p.number != was.number).cloned().collect::<Vec<_>>();
    prop_assert_eq!(others(&before), others(&after));
    prop_assert_eq!(plan.head.len(), disk.head.len());
    let entry = 1024 + (was.number as usize - 1) * 128;
    let allowed: Vec<std::ops::Range<usize>> = match before.kind {
        TableKind::Mbr => vec![446 + 53..446 + 56, 446 + 60..446 + 64],
        kind => {
            let lba0 = if kind == TableKind::Gpt { 446..510 } else { 0..0 };
            vec![lba0, 528..532, 544..552, 560..568, 600..604, entry + 40..entry + 48]
        }
    };
    for at in (0..plan.head.len()).filter(|at| plan.head[*at] != disk.head[*at]) {
        prop_assert!(allowed.iter().any(|range| range.contains(&at)), "byte {} changed", at);
    }
    match plan.tail {
        Some((at, tail)) => {
            prop_assert_eq!((at, tail.len()), (card - 33, 33 * 512));
            prop_assert!(check_backup(&after, &tail, card).is_ok());
            prop_assert_eq!(&tail[..128 * 128], &plan.head[1024..1024 + 128 * 128]);
        }
        None => prop_assert_eq!(before.kind, TableKind::Mbr),
    }
    // A grown card grows again: to a larger one, and to itself without a change.
    let again = disk.on(plan.head.clone(), card);
    prop_assert_eq!(again.grown(card).unwrap().head, plan.head);
    Ok(())
}

proptest! {
    #[test]
    fn every_promise_holds_for_every_table_and_card(disk in tables(), more in prop_oneof![0..100_u64, 0..1_u64 << 31]) {
        holds(&disk, disk.end + more)?;
    }

    #[test]
    fn hostile_bytes_are_refused_or_make_sense(
        disk in tables(),
        changes in prop::collection::vec((prop_oneof![440..512_usize, 512..700_usize, 1024..4000_usize], any::<u8>()), 1..6),
        sign_again in any::<bool>(),
        end in prop_oneof![Just(0), any::<u64>(), 1_000_000..4_000_000_u64],
        links in prop::collection::vec(any::<(u8, u32, u32, u8, u32, u32)>(), 1..4),
    ) {
        let mut head = disk.head;
        for (at, value) in changes {
            head[at] = value;
        }
        if sign_again {
            sign(&mut head);
        }
        let answer = read(&head, end, &mut |at| {
            let (kind, start, sectors, next, to, length) = links[at as usize % links.len()];
            Ok(link(mbr_entry(0, kind, start.into(), sectors.into()), mbr_entry(0, next, to.into(), length.into())))
        });
        if let Ok(layout) = answer {
            prop_assert!(layout.partitions.iter().all(|p| p.sectors > 0 && p.end() <= end.saturating_add(CUT_TAIL)));
            for card in [0, end, end.saturating_add(1), u64::MAX] {
                if let Ok(plan) = GrowPlan::new(&layout, &head, card) {
                    prop_assert!(plan.data_after.end() <= card);
                }
            }
            prop_assert!(layout.gpt.is_none() || check_backup(&layout, &head, end).is_err());
        }
    }

    #[test]
    fn noise_is_no_table(mut bytes in prop::collection::vec(any::<u8>(), HEAD_MIN..HEAD_MIN + 2000), end in any::<u64>()) {
        put(&mut bytes, 510, &[0x55, 0xaa]);
        prop_assert!(read(&bytes, end, &mut |_| Err(io::Error::other("none"))).is_err());
    }
}
