//! The file systems of an image: boot (FAT), overlay and data (ext4).

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::geometry::MIB;
use super::texture::{CHUNK, Random, Texture};
use super::{ImageSpec, MakeError, Shape};
use crate::demo::tools::{self, ToolError};
use crate::domain::ext4::{Ext4, SUPERBLOCK_LEN, SUPERBLOCK_OFFSET};

/// What mkfs.ext4 1.46 sets by itself, as the build machine of Home Assistant OS has it.
const FEATURES: &str = "none,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,\
                        huge_file,dir_nlink,extra_isize,metadata_csum";
/// Blocks that a file system created at 1280 MiB can grow to: as many descriptors are kept for a small one.
const GROWS_TO: u64 = 1280 * 256 * 1024;
/// Blocks of the small data file system: no whole number of MiB, as `resize2fs -M` leaves one.
const TINY_BLOCKS: u64 = 1205;

/// A directory with the parts of one image in the making.
pub(super) struct Workshop<'a> {
    pub dir: &'a Path,
    pub spec: &'a ImageSpec,
    pub board: &'a str,
}

impl Workshop<'_> {
    fn tool(&self, tool: &'static str, args: &[&str]) -> Result<String, MakeError> {
        Ok(tools::run(tool, args, self.dir, &[0])?)
    }

    fn texture(&self, stream: &str) -> Texture {
        Texture::new(self.spec.seed, stream)
    }

    fn uuid(&self, stream: &str) -> String {
        let digits = hex::encode(Random::new(self.spec.seed, stream).bytes16());
        format!("{}-{}-4{}-8{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..])
    }

    /// Puts text into a file of the workshop and returns its name.
    fn text(&self, name: &str, text: &str) -> Result<(), MakeError> {
        fs::write(self.dir.join(name), text).map_err(MakeError::writing(name))
    }

    /// A file of texture; returns the SHA-256 of its bytes as hex.
    fn filled(&self, name: &str, length: u64) -> Result<String, MakeError> {
        let mut file = File::create(self.dir.join(name)).map_err(MakeError::writing(name))?;
        let mut hash = Sha256::new();
        let mut texture = self.texture(name);
        let mut chunk = vec![0; CHUNK];
        let mut left = length;
        while left > 0 {
            let bytes = &mut chunk[..left.min(CHUNK as u64) as usize];
            texture.fill(bytes);
            hash.update(&*bytes);
            file.write_all(bytes).map_err(MakeError::writing(name))?;
            left -= bytes.len() as u64;
        }
        Ok(hex::encode(hash.finalize()))
    }

    /// The boot partition's FAT, with some of what lies there. Where dosfstools or mtools are missing: filling, which
    /// the rest of the product cannot tell from a boot partition.
    pub(super) fn boot(&self, sectors: u64) -> Result<PathBuf, MakeError> {
        match self.fat(sectors) {
            Err(MakeError::Tool(ToolError::Missing(_))) => {
                self.filled("boot.img", sectors * 512)?;
            }
            other => other?,
        }
        Ok(self.dir.join("boot.img"))
    }

    fn fat(&self, sectors: u64) -> Result<(), MakeError> {
        let file = File::create(self.dir.join("boot.img")).map_err(MakeError::writing("boot.img"))?;
        file.set_len(sectors * 512).map_err(MakeError::writing("boot.img"))?;
        let id = format!("{:08x}", Random::new(self.spec.seed, "fat").next() as u32);
        self.tool("mkfs.vfat", &["--invariant", "-i", &id, "-n", "hassos-boot", "boot.img"])?;
        self.text("cmdline.txt", "dwc_otg.lpm_enable=0 console=tty1 zram.enabled=1 zram.num_devices=3 rootwait\n")?;
        self.text(
            "config.txt",
            &format!("# Home Assistant OS {} for {}\narm_64bit=1\n", self.spec.version, self.board),
        )?;
        let large = if self.spec.shape == Shape::Tiny { 300 << 10 } else { 6 << 20 };
        self.filled("u-boot.bin", large)?;
        self.tool("mcopy", &["-i", "boot.img", "cmdline.txt", "config.txt", "u-boot.bin", "::/"])?;
        Ok(())
    }

    /// An empty ext4 of 1 KiB blocks, as the build's own mke2fs makes it.
    pub(super) fn overlay(&self, sectors: u64) -> Result<PathBuf, MakeError> {
        let uuid = self.uuid("overlay");
        let features = match self.spec.shape {
            Shape::Tiny => "^has_journal,metadata_csum,metadata_csum_seed,64bit",
            _ => "metadata_csum,metadata_csum_seed,64bit,orphan_file",
        };
        let blocks = (sectors / 2).to_string();
        let hash_seed = format!("hash_seed={uuid}");
        self.tool(
            "mke2fs",
            &[
                "-q",
                "-F",
                "-t",
                "ext4",
                "-b",
                "1024",
                "-I",
                "256",
                "-O",
                features,
                "-L",
                "hassos-overlay",
                "-U",
                &uuid,
                "-E",
                &hash_seed,
                "overlay.img",
                &blocks,
            ],
        )?;
        Ok(self.dir.join("overlay.img"))
    }

    /// The data file system: made at 1280 MiB, filled, from 18 on shrunk to what is in it and cut to its blocks.
    pub(super) fn data(&self) -> Result<PathBuf, MakeError> {
        let blocks = if self.spec.shape == Shape::Tiny { TINY_BLOCKS } else { 1280 * 256 };
        self.make_data(blocks)?;
        self.fill_data()?;
        let path = self.dir.join("data.img");
        if self.spec.shape == Shape::Release18 {
            tools::run("e2fsck", &["-fyD", "data.img"], self.dir, &[0, 1])?;
            // Twice: the first time it reckons with blocks for moving what is then no longer there.
            self.tool("resize2fs", &["-M", "data.img"])?;
            self.tool("resize2fs", &["-M", "data.img"])?;
            cut(&path).map_err(MakeError::writing("data.img"))?;
        }
        Ok(path)
    }

    fn make_data(&self, blocks: u64) -> Result<(), MakeError> {
        let uuid = self.uuid("data");
        let journal = if self.spec.shape == Shape::Tiny { "" } else { ",has_journal" };
        let features = format!("{FEATURES}{journal}");
        let extended =
            format!("lazy_itable_init=0,lazy_journal_init=0,resize={GROWS_TO},hash_seed={uuid},root_owner=0:0");
        let blocks = blocks.to_string();
        self.tool(
            "mke2fs",
            &[
                "-q",
                "-F",
                "-t",
                "ext4",
                "-b",
                "4096",
                "-I",
                "256",
                "-i",
                "16384",
                "-O",
                &features,
                "-L",
                "hassos-data",
                "-U",
                &uuid,
                "-E",
                &extended,
                "data.img",
                &blocks,
            ],
        )?;
        Ok(())
    }

    /// What is inside, down to the odd things that containers bring: whiteouts, hard links, holes, attributes.
    fn fill_data(&self) -> Result<(), MakeError> {
        let mut script = String::new();
        self.system_files(&mut script)?;
        self.blobs(&mut script)?;
        self.snapshot(&mut script)?;
        self.text("commands", &script)?;
        let said = self.tool("debugfs", &["-w", "-f", "commands", "data.img"])?;
        // It ends with 0 whatever happened; a command that worked says nothing but where it put things.
        let complaint = said.lines().find(|line| !line.starts_with("debugfs") && !line.starts_with("Allocated inode"));
        match complaint {
            Some(line) => Err(MakeError::Filling(line.into())),
            None => Ok(()),
        }
    }

    fn system_files(&self, script: &mut String) -> Result<(), MakeError> {
        self.text("updater.json", "{\"channel\": \"stable\"}\n")?;
        self.text("profile", "profile hassio-supervisor flags=(attach_disconnected,mediate_deleted) {\n}\n")?;
        self.text("empty", "")?;
        script.push_str("cd /\nwrite empty .docker-use-containerd-snapshotter\nmkdir /docker\nmkdir /supervisor\n");
        script.push_str("mkdir /supervisor/apparmor\ncd /supervisor\nwrite updater.json updater.json\n");
        script.push_str("cd /supervisor/apparmor\nwrite profile hassio-supervisor\n");
        script.push_str("set_inode_field /docker mode 040710\nset_inode_field /supervisor/updater.json mode 0100600\n");
        Ok(())
    }

    /// The layers of the containers, by digest.
    fn blobs(&self, script: &mut String) -> Result<(), MakeError> {
        let sizes: &[u64] = match self.spec.shape {
            Shape::Tiny => &[1_600_000, 900_000, 700_123, 4097, 1],
            _ => &[61_000_000, 48_000_000, 40_000_000, 22_000_000, 4_000_000, 700_123, 4097, 1],
        };
        let mut dir = String::from("/docker");
        for name in ["containerd", "daemon", "io.containerd.content.v1.content", "blobs", "sha256"] {
            dir.push('/');
            dir.push_str(name);
            script.push_str(&format!("mkdir {dir}\n"));
        }
        script.push_str(&format!("cd {dir}\n"));
        for (number, size) in sizes.iter().enumerate() {
            let name = format!("blob-{number}");
            let digest = self.filled(&name, *size)?;
            script.push_str(&format!("write {name} {digest}\nset_inode_field {digest} mode 0100444\n"));
        }
        Ok(())
    }

    fn snapshot(&self, script: &mut String) -> Result<(), MakeError> {
        self.sparse("meta.db").map_err(MakeError::writing("meta.db"))?;
        self.filled("busybox", 70_000)?;
        // VFS_CAP_REVISION_2 with cap_net_raw, effective, as on `ping`.
        let capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        fs::write(self.dir.join("capability"), capability).map_err(MakeError::writing("capability"))?;
        script.push_str("cd /docker/containerd/daemon\nwrite meta.db meta.db\n");
        let mut dir = String::from("/docker/containerd/daemon");
        for name in ["io.containerd.snapshotter.v1.overlayfs", "snapshots", "1", "fs", "bin"] {
            dir.push('/');
            dir.push_str(name);
            script.push_str(&format!("mkdir {dir}\n"));
        }
        script.push_str(&format!("cd {dir}\n"));
        script.push_str(
            "write busybox busybox\nset_inode_field busybox mode 0100755\nln busybox sh\nset_inode_field busybox links_count 2\n\
             ea_set -f capability busybox security.capability\nsymlink ash busybox\nmknod removed c 0 0\n\
             mkdir opaque\nea_set opaque trusted.overlay.opaque y\nset_inode_field opaque uid 999\nset_inode_field opaque gid 998\n",
        );
        Ok(())
    }

    /// A database with holes: some pages at the beginning and the end, nothing between.
    fn sparse(&self, name: &str) -> io::Result<()> {
        let mut file = File::create(self.dir.join(name))?;
        let mut page = vec![0; 8192];
        self.texture(name).fill(&mut page);
        file.write_all(&page)?;
        file.set_len(2 << 20)?;
        io::Seek::seek(&mut file, io::SeekFrom::End(-4096))?;
        file.write_all(&page[..4096])
    }
}

/// Cuts the file to its file system's blocks.
fn cut(path: &Path) -> io::Result<()> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let mut superblock = vec![0; SUPERBLOCK_OFFSET as usize + SUPERBLOCK_LEN];
    file.read_exact(&mut superblock)?;
    let ext4 = superblock.get(SUPERBLOCK_OFFSET as usize..).and_then(Ext4::parse);
    file.set_len(ext4.map_or(0, |ext4| ext4.size().0))
}

/// Sectors of a partition for so many bytes: whole MiB.
pub(super) fn partition_for(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20) * MIB
}
