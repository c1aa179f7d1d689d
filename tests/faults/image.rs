//! Bad images. What can be known before the card is touched leaves it untouched; the rest leaves it blank.

use std::path::Path;

use sd_swap::domain::job::{CardNow, JobState};
use sd_swap::domain::problem::Problem;
use sd_swap::domain::size::Bytes;

use crate::bench::*;

/// The problem and the card after a job with this image; afterwards a job with a good one makes a card.
fn with_image(image: &[u8]) -> (Problem, CardNow) {
    let bench = Bench::new();
    let path = bench.file("my.img", image);
    let (problem, view) = bench.failed(bench.make_image(path));
    bench.assert_usable_after(&view);
    (problem, view.card_now)
}

fn assert_unusable(image: &[u8], says: &str, now: CardNow) {
    let (problem, found) = with_image(image);
    let Problem::ImageUnusable { why } = &problem else { panic!("{says}: {problem:?}") };
    assert!(why.text().contains(says), "{says}: {why}");
    assert_eq!(found, now, "{says}: {why}");
}

#[test]
fn what_is_no_image_leaves_the_card_untouched() {
    let cases: [(&[u8], &str); 4] = [
        (b"PK\x03\x04 and more", "zip"),
        (b"<!DOCTYPE html><html>404</html>", "web page"),
        (b"", "empty"),
        (b"sd-swap", "neither"),
    ];
    for (image, says) in cases {
        assert_unusable(image, says, CardNow::Untouched);
    }
}

#[test]
fn truncated_leaves_the_card_untouched() {
    let packed = packed_image();
    for length in [6, 7, 12, 32, 1000, packed.len() / 2, packed.len() - 1024, packed.len() - 4, packed.len() - 1] {
        assert_unusable(&packed[..length], "end is missing", CardNow::Untouched);
    }
    let bare = gpt_image();
    for length in [2 * MIB, 11 * MIB, DATA_START * SECTOR + 4096, IMAGE - MIB - SECTOR] {
        assert_unusable(&bare[..length as usize], "partition table", CardNow::Untouched);
    }
}

#[test]
fn one_flipped_byte_never_makes_a_card() {
    let packed = packed_image();
    let last = packed.len() - 1;
    // Magic, flags and checksum of the header.
    for at in [7, 9] {
        assert_unusable(&flipped(packed, at), "damaged", CardNow::Untouched);
    }
    // No xz any more: its bytes are taken for a bare image, and that has no table.
    assert_unusable(&flipped(packed, 3), "no partition table", CardNow::Untouched);
    // Magic, sizes and checksum of the footer; the index.
    assert_unusable(&flipped(packed, last), "end is missing", CardNow::Untouched);
    for at in [last - 3, last - 8, last - 13] {
        assert_unusable(&flipped(packed, at), "damaged", CardNow::Untouched);
    }
    for at in [packed.len() / 4, packed.len() / 2, packed.len() - 2000] {
        assert_unusable(&flipped(packed, at), "damaged", CardNow::Blank);
    }
    let mut found = Vec::new();
    for at in (16..packed.len() - 40).step_by(packed.len() / 7) {
        let (problem, now) = with_image(&flipped(packed, at));
        assert!(matches!(problem, Problem::ImageUnusable { .. }), "{at}: {problem:?}");
        found.push(now);
    }
    assert!(found.contains(&CardNow::Blank) && !found.contains(&CardNow::Finished), "{found:?}");
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 0x10;
    bytes
}

/// The packed image with another length in its index, all checksums right.
fn claiming(length: u64) -> Vec<u8> {
    let packed = packed_image();
    let footer = packed.len() - 12;
    let index_size = (u32::from_le_bytes(packed[footer + 4..footer + 8].try_into().unwrap()) as usize + 1) * 4;
    let start = footer - index_size;
    let mut rest = &packed[start + 2..footer];
    assert_eq!(packed[start..start + 2], [0, 1], "one block");
    let unpadded = take_number(&mut rest);
    assert_eq!(take_number(&mut rest), IMAGE);
    let mut index = vec![0, 1];
    [unpadded, length].into_iter().for_each(|number| put_number(&mut index, number));
    index.resize(index.len().next_multiple_of(4), 0);
    index.extend(crc32fast::hash(&index).to_le_bytes());
    let mut tail = (u32::try_from(index.len()).unwrap() / 4 - 1).to_le_bytes().to_vec();
    tail.extend(&packed[footer + 8..footer + 10]);
    [&packed[..start], &index, &crc32fast::hash(&tail).to_le_bytes(), &tail, b"YZ"].concat()
}

fn take_number(bytes: &mut &[u8]) -> u64 {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap();
    let number = bytes[..=end].iter().rev().fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f));
    *bytes = &bytes[end + 1..];
    number
}

fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

#[test]
fn a_bomb_that_claims_a_petabyte_is_too_large_before_anything_is_erased() {
    assert_eq!(claiming(IMAGE), packed_image());
    let (problem, now) = with_image(&claiming(1 << 50));
    assert_eq!(problem, Problem::CardTooSmall { has: Bytes(CARD), need: Bytes(1 << 50) });
    assert_eq!(now, CardNow::Untouched);
}

#[test]
fn an_image_that_unpacks_to_another_length_than_it_claims_makes_no_card() {
    // The decoder compares the index with what came out; either way the end is noticed.
    for length in [IMAGE - SECTOR, IMAGE + SECTOR, IMAGE + 4 * MIB] {
        let (problem, now) = with_image(&claiming(length));
        assert!(matches!(problem, Problem::ImageUnusable { .. }), "{length}: {problem:?}");
        assert_ne!(now, CardNow::Finished);
    }
}

#[test]
fn an_image_larger_than_the_card_leaves_it_untouched() {
    for image in [packed_image(), gpt_image()] {
        let bench = Bench::of(IMAGE - MIB, |_| ());
        let (problem, view) = bench.failed(bench.make_image(bench.file("my.img", image)));
        assert_eq!(problem, Problem::CardTooSmall { has: Bytes(IMAGE - MIB), need: Bytes(IMAGE) });
        assert_eq!(view.card_now, CardNow::Untouched);
    }
}

#[test]
fn a_bare_image_is_as_good_as_a_packed_one() {
    for image in [gpt_image(), mbr_image()] {
        let bench = Bench::new();
        let view = bench.make_image(bench.file("my.img", image)).unwrap();
        assert_eq!(view.state, JobState::Done, "{view:#?}");
        bench.assert_tidy(&view);
        assert_eq!(backup_on(&bench.card, SLUG), BACKUP);
        bench.assert_usable();
    }
}

#[test]
fn without_a_table_the_card_is_untouched() {
    let mut image = gpt_image().to_vec();
    image[..4096].fill(0);
    assert_unusable(&image, "no partition table", CardNow::Untouched);
    // The protective entry alone is no table.
    let mut image = gpt_image().to_vec();
    image[512..MIB as usize].fill(0);
    assert_unusable(&image, "header is damaged", CardNow::Untouched);
    // One wrong bit in an entry.
    assert_unusable(&flipped(gpt_image(), 1024 + 7 * 128 + 33), "checksum", CardNow::Untouched);
    // An image that is nothing but a boot sector.
    assert_unusable(&gpt_image()[..512], "were read", CardNow::Untouched);
}

/// The image with this GPT entry's first and last sector changed, all checksums right.
fn with_entry(number: usize, first: u64, last: u64) -> Vec<u8> {
    let mut image = gpt_image().to_vec();
    let at = 1024 + (number - 1) * 128;
    image[at + 32..at + 40].copy_from_slice(&first.to_le_bytes());
    image[at + 40..at + 48].copy_from_slice(&last.to_le_bytes());
    let entries = crc32fast::hash(&image[1024..1024 + 128 * 128]);
    image[512 + 88..512 + 92].copy_from_slice(&entries.to_le_bytes());
    image[512 + 16..512 + 20].fill(0);
    let header = crc32fast::hash(&image[512..512 + 92]);
    image[512 + 16..512 + 20].copy_from_slice(&header.to_le_bytes());
    image
}

#[test]
fn a_table_that_cannot_be_leaves_the_card_untouched() {
    let (data, end) = (DATA_START, DATA_START + DATA_SECTORS - 1);
    assert_eq!(with_entry(8, data, end), gpt_image());
    assert_unusable(&with_entry(8, data - 1, end), "overlap", CardNow::Untouched);
    assert_unusable(&with_entry(8, data, 1 << 40), "past the end", CardNow::Untouched);
    assert_unusable(&with_entry(8, end, data), "ends before it starts", CardNow::Untouched);
    assert_unusable(&with_entry(1, 3, 4095), "outside", CardNow::Untouched);
    for (field, value, says) in [(8, 20480_u32, "overlap"), (12, 1 << 30, "past the end"), (8, 0, "outside")] {
        let mut image = mbr_image().to_vec();
        let at = 446 + 3 * 16 + field;
        image[at..at + 4].copy_from_slice(&value.to_le_bytes());
        assert_unusable(&image, says, CardNow::Untouched);
    }
}

#[test]
fn a_broken_chain_of_logical_partitions_is_found_on_the_card() {
    let mut image = mbr_image().to_vec();
    // The first link sector: where the extended partition begins.
    let at = 6144 * 512;
    image[at + 510] = 0;
    assert_unusable(&image, "chain", CardNow::Blank);
}

#[test]
fn an_image_of_something_else_leaves_the_card_untouched() {
    let uuid = "uuid=A52A4597-FA3A-4851-AEFD-2FBE9F849079, name=hassos-data";
    let table = gpt_table().replace(uuid, "name=somebody-else");
    assert_unusable(&build(&table, |_| ()), "no partition hassos-data", CardNow::Untouched);
    // Renamed, but known by its UUID; and the other way round.
    for known in [uuid.replace("hassos-data", "x"), "name=hassos-data".to_string()] {
        let bench = Bench::new();
        let image = bench.file("my.img", &build(&gpt_table().replace(uuid, &known), |_| ()));
        let view = bench.make_image(image).unwrap();
        assert_eq!(view.state, JobState::Done, "{view:#?}");
    }
    // An MBR of another system, and one whose fourth partition is none.
    let mut image = mbr_image().to_vec();
    image[440..444].copy_from_slice(&[1, 2, 3, 4]);
    assert_unusable(&image, "signature", CardNow::Untouched);
    let mut image = mbr_image().to_vec();
    image[446 + 3 * 16..446 + 4 * 16].fill(0);
    assert_unusable(&image, "no partition hassos-data", CardNow::Untouched);
}

fn debugfs(commands: &'static str) -> impl Fn(&Path) {
    move |data| {
        run("debugfs", &["-w", "-f", "-", &data.display().to_string()], commands);
    }
}

#[test]
fn a_data_partition_that_is_not_as_shipped_is_refused_not_repaired() {
    let zeroed = |data: &Path| std::fs::write(data, vec![0; DATA_SECTORS as usize * 512]).unwrap();
    assert_unusable(&spoiled_image(zeroed), "no ext4", CardNow::Blank);
    let labelled = |data: &Path| drop(run("e2label", &[&data.display().to_string(), "hassos-overlay"], ""));
    assert_unusable(&spoiled_image(labelled), "label", CardNow::Blank);
    assert_unusable(&spoiled_image(debugfs("ssv state 0\n")), "cleanly", CardNow::Blank);
    assert_unusable(&spoiled_image(debugfs("ssv state 3\n")), "cleanly", CardNow::Blank);
    let damages = [
        "freeb 5 1\n",
        "freei /docker/layer\n",
        "sif /docker/layer links_count 7\n",
        "sif /docker/layer block[0] 99999999\n",
        "unlink /docker/layer\n",
        "clri <8>\n",
        "sif / mode 0100644\n",
    ];
    for damage in damages {
        assert_unusable(&spoiled_image(debugfs(damage)), "is damaged", CardNow::Blank);
    }
    // Larger than its partition: the end is cut off.
    let larger = |data: &Path| drop(run("resize2fs", &[&data.display().to_string(), "13M"], ""));
    let image = build_cut(larger);
    assert_unusable(&image, "smaller than its file system", CardNow::Blank);
}

fn build_cut(change: impl FnOnce(&Path)) -> Vec<u8> {
    spoiled_image(|data| {
        change(data);
        let bytes = std::fs::read(data).unwrap();
        std::fs::write(data, &bytes[..DATA_SECTORS as usize * 512]).unwrap();
    })
}
