//! File systems, containers and swap that are known by a magic number at a fixed place.

use super::volume::Bits;
use super::{Filesystem, fat};
use crate::host::readable::until_nul_utf16;

/// Up to here the places of all magic numbers reach (btrfs: 64 KiB and one block).
pub const REACH: u64 = 72 << 10;

/// A kind, its magic number and where that lies, and the place and length of its label.
struct Magic {
    kind: &'static str,
    at: usize,
    magic: &'static [u8],
    label: Option<(usize, usize)>,
}

const fn magic(kind: &'static str, at: usize, magic: &'static [u8], label: Option<(usize, usize)>) -> Magic {
    Magic { kind, at, magic, label }
}

/// Sources: the superblock structures in Linux 6.12 (`fs/*`, `include/linux/swap.h`), cryptsetup's on-disk format, LVM2's
/// `label.c`, ECMA-119.
const KNOWN: [Magic; 19] = [
    magic("LUKS", 0, b"LUKS\xba\xbe\0\x01", None),
    magic("LUKS", 0, b"LUKS\xba\xbe\0\x02", Some((24, 48))),
    magic("XFS", 0, b"XFSB", Some((108, 12))),
    magic("squashfs", 0, b"hsqs", None),
    magic("LVM", 536, b"LVM2 001", None),
    magic("RAID", 0, b"\xfc\x4e\x2b\xa9", Some((32, 32))),
    magic("RAID", 4096, b"\xfc\x4e\x2b\xa9", Some((4128, 32))),
    magic("EROFS", 1024, b"\xe2\xe1\xf5\xe0", Some((1088, 16))),
    magic("HFS+", 1024, b"H+", None),
    magic("HFS+", 1024, b"HX", None),
    magic("btrfs", 0x10040, b"_BHRfS_M", Some((0x1012b, 256))),
    // A swap space's mark ends its first page, whose size is the machine's that made it.
    magic("swap", 4086, b"SWAPSPACE2", Some((1052, 16))),
    magic("swap", 8182, b"SWAPSPACE2", Some((1052, 16))),
    magic("swap", 16374, b"SWAPSPACE2", Some((1052, 16))),
    magic("swap", 65526, b"SWAPSPACE2", Some((1052, 16))),
    magic("swap", 4086, b"SWAP-SPACE", None),
    magic("ISO 9660", 32768, b"\x01CD001", Some((32808, 32))),
    magic("UDF", 32769, b"BEA01", None),
    magic("bcache", 4120, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca", None),
];

pub fn probe(head: &Bits) -> Option<Filesystem> {
    ext(head).or_else(|| f2fs(head)).or_else(|| {
        let known = KNOWN.iter().find(|known| head.is(known.at, known.magic))?;
        let label = known.label.map(|(at, length)| fat::plain(head, at, length)).unwrap_or_default();
        Some(Filesystem { kind: known.kind, label })
    })
}

fn f2fs(head: &Bits) -> Option<Filesystem> {
    let found = head.is(1024, b"\x10\x20\xf5\xf2");
    found.then(|| Filesystem { kind: "F2FS", label: until_nul_utf16(head.field(1024 + 124, 512)) })
}

/// Two bytes of magic are few: block size and number of blocks must be possible as well.
fn ext(head: &Bits) -> Option<Filesystem> {
    let (blocks, block_size) = (head.u32(1024 + 4)?, head.u32(1024 + 24)?);
    if !head.is(1024 + 56, &[0x53, 0xef]) || blocks == 0 || block_size > 6 {
        return None;
    }
    let (compatible, incompatible, read_only) = (head.u32(1024 + 92)?, head.u32(1024 + 96)?, head.u32(1024 + 100)?);
    Some(Filesystem { kind: ext_kind(compatible, incompatible, read_only), label: fat::plain(head, 1024 + 120, 16) })
}

/// The youngest kind whose features it has: the kernel tells them apart in the same way.
fn ext_kind(compatible: u32, incompatible: u32, read_only: u32) -> &'static str {
    // Of ext2 and ext3: file types, recovery, meta block groups; sparse superblocks, large files, B-trees.
    const OLD_INCOMPATIBLE: u32 = 0x2 | 0x4 | 0x10;
    const OLD_READ_ONLY: u32 = 0x1 | 0x2 | 0x4;
    const JOURNAL: u32 = 0x4;
    if incompatible & !OLD_INCOMPATIBLE != 0 || read_only & !OLD_READ_ONLY != 0 {
        "ext4"
    } else if compatible & JOURNAL != 0 {
        "ext3"
    } else {
        "ext2"
    }
}
