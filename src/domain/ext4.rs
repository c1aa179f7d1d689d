//! A glance at an ext4 file system through its superblock: enough to know whose it is and whether it fills its partition.
//! Whether it is sound is e2fsck's to say. Offsets as in the kernel's `Documentation/filesystems/ext4/super.rst`.

use super::layout::bytes::{array, le16, le32};
use super::size::Bytes;

/// Where the superblock begins in a file system, whatever its block size.
pub const SUPERBLOCK_OFFSET: u64 = 1024;
/// Bytes of a superblock.
pub const SUPERBLOCK_LEN: usize = 1024;
/// Label of the data partition's file system: what the first boot mounts it by.
pub const DATA_LABEL: &str = "hassos-data";
/// Label of the overlay partition's.
pub const OVERLAY_LABEL: &str = "hassos-overlay";

const MAGIC: u16 = 0xef53;
const CLEAN: u16 = 1;
const ERRORS: u16 = 2;
const SPARSE_SUPER: u32 = 0x1;
const SUPPORTS_64BIT: u32 = 0x80;
const NEEDS_RECOVERY: u32 = 0x4;

/// Features by their three words: compatible, incompatible, read-only compatible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features {
    pub compatible: u32,
    pub incompatible: u32,
    pub read_only: u32,
}

/// What a superblock says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ext4 {
    /// Bytes of a block: 1024 to 65536.
    pub block_size: u64,
    pub blocks: u64,
    pub free_blocks: u64,
    pub blocks_per_group: u64,
    pub inodes_per_group: u64,
    /// Bytes of an inode.
    pub inode_size: u64,
    /// Bytes of a group descriptor.
    pub descriptor_size: u64,
    /// Blocks kept behind each copy of the descriptors, to grow into.
    pub reserved_descriptors: u64,
    /// The block that holds this superblock: 1 with blocks of 1 KiB, else 0.
    pub first_block: u64,
    /// What is not UTF-8 in it comes as U+FFFD.
    pub label: String,
    pub uuid: [u8; 16],
    /// Unmounted properly, without errors noted and without a journal to replay.
    pub is_clean: bool,
    pub features: Features,
}

impl Ext4 {
    /// Reads the 1024 bytes at [`SUPERBLOCK_OFFSET`]. `None`: no ext2, 3 or 4, or one that cannot be.
    pub fn parse(superblock: &[u8]) -> Option<Ext4> {
        if superblock.len() < SUPERBLOCK_LEN || le16(superblock, 56) != MAGIC {
            return None;
        }
        let block_size = 1024_u64.checked_shl(le32(superblock, 24)).filter(|size| (1024..=65536).contains(size))?;
        let features = Features {
            compatible: le32(superblock, 92),
            incompatible: le32(superblock, 96),
            read_only: le32(superblock, 100),
        };
        let is_wide = features.incompatible & SUPPORTS_64BIT != 0;
        let state = le16(superblock, 58);
        let ext4 = Ext4 {
            block_size,
            blocks: wide(superblock, 4, 336, is_wide),
            free_blocks: wide(superblock, 12, 344, is_wide),
            blocks_per_group: le32(superblock, 32).into(),
            inodes_per_group: le32(superblock, 40).into(),
            inode_size: le16(superblock, 88).into(),
            descriptor_size: if is_wide { le16(superblock, 254).into() } else { 32 },
            reserved_descriptors: le16(superblock, 206).into(),
            first_block: le32(superblock, 20).into(),
            label: text(array::<16>(superblock, 120)),
            uuid: array(superblock, 104),
            is_clean: state & CLEAN != 0 && state & ERRORS == 0 && features.incompatible & NEEDS_RECOVERY == 0,
            features,
        };
        ext4.is_possible().then_some(ext4)
    }

    fn is_possible(&self) -> bool {
        let bits = self.block_size * 8;
        self.blocks > self.first_block
            && self.free_blocks <= self.blocks
            && (1..=bits).contains(&self.blocks_per_group)
            && (1..=bits).contains(&self.inodes_per_group)
            && (128..=self.block_size).contains(&self.inode_size)
            && (32..=self.block_size).contains(&self.descriptor_size)
            && self.first_block == u64::from(self.block_size == 1024)
    }

    pub fn size(&self) -> Bytes {
        Bytes(self.blocks.saturating_mul(self.block_size))
    }

    pub fn free(&self) -> Bytes {
        Bytes(self.free_blocks.saturating_mul(self.block_size))
    }

    /// How many blocks a partition has room for: rounded down to whole ones. The size to give to resize2fs.
    pub fn blocks_for(&self, partition: Bytes) -> u64 {
        partition.0 / self.block_size
    }

    /// Whether the file system fills a partition, as far as resize2fs goes: a last group too small to hold more than its
    /// own bookkeeping and 50 blocks is left out (2–3 MiB at most).
    pub fn fills(&self, partition: Bytes) -> bool {
        let room = self.blocks_for(partition);
        let last_group = room.saturating_sub(self.first_block) % self.blocks_per_group;
        let left_out = last_group < self.bookkeeping(room) + 50;
        self.blocks == room || (left_out && self.blocks.checked_add(last_group) == Some(room))
    }

    /// Blocks that the last group of a file system of so many blocks spends on itself.
    fn bookkeeping(&self, blocks: u64) -> u64 {
        let in_groups = blocks.saturating_sub(self.first_block);
        let groups = in_groups.div_ceil(self.blocks_per_group);
        let inode_table = (self.inodes_per_group * self.inode_size).div_ceil(self.block_size);
        let own = 2 + inode_table;
        if !self.has_copy(groups.saturating_sub(1)) {
            return own;
        }
        let descriptors = groups.saturating_mul(self.descriptor_size).div_ceil(self.block_size);
        own + 1 + descriptors + self.reserved_descriptors
    }

    /// Whether a group holds a copy of the superblock: with sparse_super 0, 1 and the powers of 3, 5 and 7.
    fn has_copy(&self, group: u64) -> bool {
        let is_power = |base: u64| std::iter::successors(Some(1), |n: &u64| n.checked_mul(base)).any(|n| n == group);
        self.features.read_only & SPARSE_SUPER == 0 || group == 0 || [3, 5, 7].into_iter().any(is_power)
    }
}

fn wide(superblock: &[u8], low: usize, high: usize, is_wide: bool) -> u64 {
    let upper = if is_wide { u64::from(le32(superblock, high)) << 32 } else { 0 };
    upper | u64::from(le32(superblock, low))
}

fn text(field: [u8; 16]) -> String {
    let length = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    String::from_utf8_lossy(field.get(..length).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::layout::bytes::put;

    /// A data file system as resize2fs 1.47 left it on a card of 63,864,569,856 bytes: one inode for 16 KiB, 256-byte
    /// inodes, so 512 blocks of inode table a group; 1 block of descriptors and 159 reserved at 1280 MiB.
    fn superblock(blocks: u64) -> Vec<u8> {
        let mut bytes = vec![0; SUPERBLOCK_LEN];
        let groups = blocks.div_ceil(32768);
        let descriptors = (groups * 64).div_ceil(4096);
        for (at, value) in [
            (4, blocks as u32),
            (12, 1000),
            (24, 2),
            (32, 32768),
            (40, 8192),
            (92, 0x3c),
            (96, 0x2c2),
            (100, 0x46b),
            (336, (blocks >> 32) as u32),
        ] {
            put(&mut bytes, at, &u32::to_le_bytes(value));
        }
        for (at, value) in [(56, MAGIC), (58, 1), (88, 256), (254, 64), (206, (160 - descriptors.min(160)) as u16)] {
            put(&mut bytes, at, &value.to_le_bytes());
        }
        put(&mut bytes, 120, b"hassos-data");
        bytes
    }

    #[test]
    fn a_superblock_says_whose_it_is() {
        let ext4 = Ext4::parse(&superblock(327_680)).unwrap();
        assert_eq!((ext4.block_size, ext4.blocks, ext4.free_blocks), (4096, 327_680, 1000));
        assert_eq!((ext4.label.as_str(), ext4.is_clean), (DATA_LABEL, true));
        assert_eq!(ext4.size(), Bytes::mib(1280));
    }

    #[test]
    fn a_last_group_too_small_for_itself_may_be_left_out() {
        let sector_rest = |sectors: u64| Bytes(sectors * 512);
        let cases = [
            // blocks, partition, fills. The first is the card of 63,864,569,856 bytes: 251 blocks left out.
            (15_532_032, Bytes(15_532_283 * 4096), true),
            (15_532_032, Bytes(15_532_283 * 4096 + 3584), true),
            (15_532_032, Bytes(15_532_032 * 4096), true),
            (15_532_031, Bytes(15_532_283 * 4096), false),
            // One whole group and more missing.
            (15_532_032 - 32768, Bytes(15_532_283 * 4096), false),
            // 564 blocks would be a group: 2 + 512 + 50. One block fewer would not.
            (15_532_032, Bytes((15_532_032 + 564) * 4096), false),
            (15_532_032, Bytes((15_532_032 + 563) * 4096), true),
            // A file system larger than its partition fills nothing.
            (15_532_032, Bytes(15_532_031 * 4096), false),
            (327_680, sector_rest(327_680 * 8 + 7), true),
            (327_680, sector_rest(327_681 * 8), true),
        ];
        for (blocks, partition, expected) in cases {
            let ext4 = Ext4::parse(&superblock(blocks)).unwrap();
            assert_eq!(ext4.fills(partition), expected, "{blocks} blocks in {partition:?}");
        }
    }

    #[test]
    fn what_cannot_be_is_no_file_system() {
        let spoiled = |at: usize, value: &[u8]| {
            let mut bytes = superblock(327_680);
            put(&mut bytes, at, value);
            Ext4::parse(&bytes)
        };
        assert!(Ext4::parse(&[]).is_none());
        assert!(Ext4::parse(&superblock(1000)[..1023]).is_none());
        for (at, value, what) in [
            (56, [0; 4], "magic"),
            (24, [7, 0, 0, 0], "block size"),
            (24, [255; 4], "block size"),
            (32, [0; 4], "no blocks per group"),
            (40, [255; 4], "inodes per group"),
            (4, [0; 4], "no blocks"),
            (12, [255; 4], "free blocks"),
            (20, [1, 0, 0, 0], "first block"),
        ] {
            assert!(spoiled(at, &value).is_none(), "{what}");
        }
        for (at, value) in [(58, [0, 0]), (58, [3, 0]), (96, [0xc6, 2])] {
            assert!(spoiled(at, &value).is_some_and(|ext4| !ext4.is_clean), "{at} {value:?}");
        }
    }

    proptest! {
        #[test]
        fn hostile_superblocks_do_no_harm(changes in prop::collection::vec((0..400_usize, any::<u8>()), 1..40), size in any::<u64>()) {
            let mut bytes = superblock(327_680);
            for (at, value) in changes {
                bytes[at] = value;
            }
            put(&mut bytes, 56, &MAGIC.to_le_bytes());
            if let Some(ext4) = Ext4::parse(&bytes) {
                prop_assert!(ext4.block_size >= 1024 && ext4.free() <= ext4.size());
                prop_assert!(!ext4.fills(Bytes(size)) || ext4.blocks <= ext4.blocks_for(Bytes(size)));
            }
        }
    }
}
