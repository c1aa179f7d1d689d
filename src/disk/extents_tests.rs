use super::*;
use crate::domain::ext4::SUPERBLOCK_LEN;
use crate::domain::layout::bytes::put;

const LIST: &str = "print_all --leaf-only";

fn extent(logical: u64, physical: u64, blocks: u64, is_written: bool) -> Extent {
    Extent { logical, physical, blocks, is_written }
}

/// What debugfs 1.47.0 said, in its own words.
const ANSWER: &str = "debugfs 1.47.0 (5-Feb-2023)
debugfs: cd /supervisor/backup
debugfs: write /proc/self/fd/7 a.tar
Allocated inode: 14
debugfs: fallocate a.tar 0 488281
debugfs: goto_block 0
extent: lblk 0--24150, len 24151, pblk 8617, flags: LEAF UNINIT 
debugfs: print_all --leaf-only
extent: lblk 0--488281, len 488282, pblk 164225, flags: (none)
extent: lblk 0--24150, len 24151, pblk 8617, flags: LEAF UNINIT 
extent: lblk 24151--56917, len 32767, pblk 33153, flags: LEAF 
";

#[test]
fn extents_are_read_behind_the_command_that_lists_them() {
    let want = [extent(0, 8617, 24151, false), extent(24151, 33153, 32767, true)];
    assert_eq!(parse(ANSWER, LIST).unwrap(), want);
    let more = format!("{ANSWER}debugfs: extent_close\nwhatever\n");
    assert_eq!(parse(&more, LIST).unwrap(), want);
    // One block: written as the others are.
    let one = "debugfs: print_all --leaf-only\nextent: lblk 0--0, len 1, pblk 515209, flags: LEAF UNINIT \n";
    assert_eq!(parse(one, LIST).unwrap(), [extent(0, 515_209, 1, false)]);
    assert_eq!(parse("debugfs: print_all --leaf-only\n", LIST).unwrap(), []);
}

#[test]
fn an_answer_that_was_cut_off_or_is_none_is_refused() {
    assert!(matches!(parse("", LIST), Err(Wrong::Line(_))));
    assert!(matches!(parse("debugfs: print_all\n", LIST), Err(Wrong::Line(_))));
    let begin = ANSWER.find("pblk 33153").unwrap();
    for end in begin..ANSWER.len() - 2 {
        let read = parse(&ANSWER[..end], LIST);
        assert!(read.is_err(), "{end}: {read:?}");
    }
    for line in [
        "print_all: Extent handle not open",
        "extent: lblk 0--9, len 10, pblk 5",
        "extent: lblk 0--9, len 10, pblk 5, flags: LEAF 2ND_VISIT ",
        "extent: lblk 0--9, len 10, pblk 5, flags: UNINIT ",
        "extent: lblk 0--9, len 11, pblk 5, flags: LEAF ",
        "extent: lblk 0--9, len 0, pblk 5, flags: LEAF ",
        "extent: lblk 1--0, len 0, pblk 5, flags: LEAF ",
        "extent: lblk 0--32768, len 32769, pblk 5, flags: LEAF ",
        "extent: lblk -1--9, len 11, pblk 5, flags: LEAF ",
        "extent: lblk 0--9, len 10, pblk 281474976710656, flags: LEAF ",
        "extent: lblk 18446744073709551615--9, len 11, pblk 5, flags: LEAF ",
        "extent: lblk 0--9, len 10, pblk 99999999999999999999, flags: LEAF ",
        "extent: lblk 0--9, len 10, pblk , flags: LEAF ",
        "lblk 0--9, len 10, pblk 5, flags: LEAF ",
    ] {
        let read = parse(&format!("debugfs: print_all --leaf-only\n{line}\n"), LIST);
        assert_eq!(read, Err(Wrong::Line(line.into())), "{line}");
    }
}

/// A file system of 1000 blocks of 4 KiB.
fn file_system() -> Ext4 {
    let mut bytes = vec![0; SUPERBLOCK_LEN];
    for (at, value) in [(4, 1000_u32), (24, 2), (32, 32768), (40, 8192)] {
        put(&mut bytes, at, &value.to_le_bytes());
    }
    for (at, value) in [(56, 0xef53_u16), (58, 1), (88, 256)] {
        put(&mut bytes, at, &value.to_le_bytes());
    }
    Ext4::parse(&bytes).unwrap()
}

fn room(blocks: u64) -> Bytes {
    Bytes(blocks * 4096)
}

#[test]
fn only_a_whole_file_inside_of_the_file_system_is_let_through() {
    let one = |physical, blocks| vec![extent(0, physical, blocks, true)];
    let two = |a: u64, b: u64| vec![extent(0, a, 10, false), extent(10, b, 10, false)];
    let gap = |at: u64| vec![extent(0, 100, 10, true), extent(at, 200, 10, true)];
    let cases = [
        (one(1, 20), Ok(())),
        (one(980, 20), Ok(())),
        (two(100, 110), Ok(())),
        (two(110, 100), Ok(())),
        (two(900, 5), Ok(())),
        (one(0, 20), Err(Wrong::Outside { physical: 0 })),
        (one(981, 20), Err(Wrong::Outside { physical: 981 })),
        (one(u64::MAX >> 16, 20), Err(Wrong::Outside { physical: u64::MAX >> 16 })),
        (two(100, 995), Err(Wrong::Outside { physical: 995 })),
        (two(100, 109), Err(Wrong::Overlap { physical: 109 })),
        (two(109, 100), Err(Wrong::Overlap { physical: 109 })),
        (two(100, 100), Err(Wrong::Overlap { physical: 100 })),
        (gap(11), Err(Wrong::Gap { logical: 10 })),
        (gap(9), Err(Wrong::Gap { logical: 10 })),
        (gap(0), Err(Wrong::Gap { logical: 10 })),
        (vec![extent(1, 100, 20, true)], Err(Wrong::Gap { logical: 0 })),
        (one(100, 19), Err(Wrong::Length { blocks: 19 })),
        (one(100, 21), Err(Wrong::Length { blocks: 21 })),
        (vec![], Err(Wrong::Length { blocks: 0 })),
    ];
    for (extents, want) in cases {
        assert_eq!(check(&extents, 20, &file_system(), room(1000)), want, "{extents:?}");
    }
    // A partition that ends before its file system does.
    assert_eq!(check(&one(900, 20), 20, &file_system(), room(920)), Ok(()));
    let outside = Err(Wrong::Outside { physical: 901 });
    assert_eq!(check(&one(901, 20), 20, &file_system(), room(920)), outside);
    assert!(check(&[], 0, &file_system(), room(1000)).is_err());
}

fn piece(at: u64, length: u64, of_file: u64) -> Piece {
    Piece { at, length: length as usize, of_file: of_file as usize }
}

#[test]
fn pieces_are_whole_blocks_and_go_over_no_mib_of_the_card() {
    let offset = 3 * MIB;
    // The last block is filled with zeros.
    for (size, of_file) in [(1, 1), (4095, 4095), (4096, 4096)] {
        assert_eq!(pieces(&[extent(0, 7, 1, true)], offset, 4096, size), [piece(offset + 7 * 4096, 4096, of_file)]);
    }
    // What lies together is one run, however many extents it has.
    let together = [extent(0, 250, 3, true), extent(3, 253, 300, true), extent(303, 10, 1, true)];
    let want = [
        piece(offset + 250 * 4096, 6 * 4096, 6 * 4096),
        piece(offset + MIB, MIB, MIB),
        piece(offset + 2 * MIB, 41 * 4096, 41 * 4096),
        piece(offset + 10 * 4096, 4096, 5),
    ];
    assert_eq!(pieces(&together, offset, 4096, 303 * 4096 + 5), want);
    // A file system that begins between blocks of 4 KiB, with blocks of 1 KiB.
    let want = [piece(MIB - 512, 512, 512), piece(MIB, 512, 188)];
    assert_eq!(pieces(&[extent(0, 2, 1, true)], MIB - 512 - 2048, 1024, 700), want);
}
