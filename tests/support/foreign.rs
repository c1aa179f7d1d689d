//! Images and backups that the program had no hand in: made with sfdisk, sgdisk, e2fsprogs, dosfstools, xz and tar alone.
//! Needs to be root for nothing.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Boards whose layouts differ in kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// Hybrid GPT.
    Rpi4,
    /// GPT.
    Generic,
    /// MBR with logical partitions.
    OdroidN2,
}

const NAMES: [&str; 8] = ["boot", "kernel0", "system0", "kernel1", "system1", "bootstate", "overlay", "data"];
const UUIDS: [&str; 8] = [
    "b3dd0952-733c-4c88-8cba-cab9b8b4377f",
    "26700fc6-b0bc-4ccf-9837-ea1a4cba3e65",
    "8d3d53e3-6d49-4c38-8349-aff6859e82fd",
    "fc02a4f0-5350-406f-93a2-56cbed636b5f",
    "a3ec664e-32ce-4665-95ea-7ae90ce9aa20",
    "33236519-7f32-4dff-8002-3390b62c309d",
    "f1326040-5236-40eb-b683-aaa100a9afcf",
    "a52a4597-fa3a-4851-aefd-2fbe9f849079",
];

impl Foreign {
    pub fn board(self) -> &'static str {
        match self {
            Foreign::Rpi4 => "rpi4-64",
            Foreign::Generic => "generic-x86-64",
            Foreign::OdroidN2 => "odroid-n2",
        }
    }

    /// Makes the image, unpacked, as `haos_BOARD-18.2.img` in `dir`.
    pub fn image(self, dir: &Path) -> PathBuf {
        let raw = dir.join(format!("haos_{}-18.2.img", self.board()));
        let parts = Parts::make(dir);
        let data = fs::metadata(&parts.data).unwrap().len();
        let starts = self.starts();
        self.table(&raw, &starts, data);
        // Slot A only, as in a fresh image.
        for (number, part) in [(0, &parts.boot), (1, &parts.kernel), (2, &parts.system), (6, &parts.overlay)] {
            copy(part, &raw, starts[number] * 512);
        }
        copy(&parts.data, &raw, starts[7] * 512);
        raw
    }

    /// First sectors of the eight partitions, as released.
    fn starts(self) -> [u64; 8] {
        match self {
            Foreign::OdroidN2 => [16384, 67584, 118_784, 645_120, 696_320, 1_222_656, 1_239_040, 1_435_648],
            _ => [2048, 67584, 116_736, 641_024, 690_176, 1_214_464, 1_230_848, 1_427_456],
        }
    }

    fn table(self, raw: &Path, starts: &[u64; 8], data: u64) {
        let whole_mib = data.div_ceil(1 << 20) << 20;
        let end = starts[7] * 512 + whole_mib;
        let file = File::create(raw).unwrap();
        file.set_len((end + 33 * 512).next_multiple_of(4096)).unwrap();
        match self {
            Foreign::OdroidN2 => {
                run("sfdisk", &["-q", text(raw)], &mbr_script(starts, whole_mib / 512));
                // Such an image ends with the file system.
                file.set_len(starts[7] * 512 + data).unwrap();
            }
            _ => run("sfdisk", &["-q", text(raw)], &gpt_script(starts, end / 512)),
        }
        if self == Foreign::Rpi4 {
            run("sgdisk", &["--hybrid=1:EE", text(raw)], "");
            // sgdisk translates the type of the boot partition; the Pi's firmware wants FAT.
            file.write_all_at(&[0x0c], 446 + 4).unwrap();
        }
    }
}

fn gpt_script(starts: &[u64; 8], end: u64) -> String {
    let mut script = String::from("label: gpt\nfirst-lba: 34\n");
    for (n, start) in starts.iter().enumerate() {
        let size = starts.get(n + 1).copied().unwrap_or(end) - start;
        let kind = if n == 0 { "U" } else { "L" };
        let (name, uuid) = (NAMES[n], UUIDS[n]);
        script += &format!("start={start}, size={size}, type={kind}, name=hassos-{name}, uuid={uuid}\n");
    }
    script
}

fn mbr_script(starts: &[u64; 8], data: u64) -> String {
    let [boot, kernel0, system0, kernel1, system1, state, overlay, last] = starts;
    let lines = [
        (*boot, 49152, "c, bootable"),
        (65536, overlay - 65536, "f"),
        (*overlay, 196_608, "83"),
        (*last, data, "83"),
        (*kernel0, 49152, "83"),
        (*system0, 524_288, "83"),
        (*kernel1, 49152, "83"),
        (*system1, 524_288, "83"),
        (*state, 16384, "83"),
    ];
    let lines = lines.map(|(start, size, kind)| format!("start={start}, size={size}, type={kind}\n"));
    format!("label: dos\nlabel-id: 0x48617373\n{}", lines.concat())
}

/// What goes into the partitions.
struct Parts {
    boot: PathBuf,
    kernel: PathBuf,
    system: PathBuf,
    overlay: PathBuf,
    data: PathBuf,
}

impl Parts {
    fn make(dir: &Path) -> Parts {
        let part = |name: &str| dir.join(format!("part-{name}"));
        let parts = Parts {
            boot: part("boot"),
            kernel: part("kernel"),
            system: part("system"),
            overlay: part("overlay"),
            data: part("data"),
        };
        shell(dir, "head -c 9000000 /dev/urandom > part-kernel; seq 1 3000000 > part-system");
        shell(
            dir,
            "rm -f part-boot part-overlay part-data; truncate -s 24M part-boot; mkfs.vfat -n hassos-boot part-boot",
        );
        shell(dir, "echo 'console=tty1 rootwait' > cmdline.txt; mcopy -o -i part-boot cmdline.txt ::/");
        shell(dir, "mke2fs -q -t ext4 -I 256 -L hassos-overlay part-overlay 96M");
        data_tree(dir);
        shell(
            dir,
            "mke2fs -q -t ext4 -b 4096 -I 256 -i 16384 -E lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0 \
             -L hassos-data -d tree part-data 1280M",
        );
        fs::write(
            dir.join("whiteout"),
            "cd /docker/layers/1\nmknod removed c 0 0\nea_set work trusted.overlay.opaque y\n",
        )
        .unwrap();
        shell(dir, "debugfs -w -f whiteout part-data");
        shell(dir, "e2fsck -fy part-data || test $? -eq 1; resize2fs -M part-data");
        parts
    }
}

fn data_tree(dir: &Path) {
    shell(
        dir,
        "rm -rf tree; mkdir -p tree/docker/layers/1/work tree/docker/blobs tree/supervisor/apparmor; cd tree; \
         touch .docker-use-containerd-snapshotter; echo '{\"channel\": \"stable\"}' > supervisor/updater.json; \
         chmod 600 supervisor/updater.json; echo 'profile hassio-supervisor {}' > supervisor/apparmor/hassio-supervisor; \
         chmod 710 docker; for n in 1 2 3; do head -c ${n}000003 /dev/urandom > docker/blobs/$n; done; \
         seq 1 1500000 > docker/blobs/text; echo '#!/bin/sh' > docker/layers/1/run; chmod 755 docker/layers/1/run; \
         ln docker/layers/1/run docker/layers/1/same; ln -s run docker/layers/1/link; \
         touch 'docker/layers/1/a name with spaces'; truncate -s 3M docker/layers/1/holes; \
         printf end >> docker/layers/1/holes",
    );
}

/// Packs an image as releases are packed: `NAME.xz` beside it.
pub fn packed(raw: &Path) -> PathBuf {
    run("xz", &["-3", "-T0", "--block-size=12MiB", "-k", "-f", text(raw)], "");
    PathBuf::from(format!("{}.xz", text(raw)))
}

/// A full backup as the Supervisor packs it, of about `mib` MiB; in `dir`.
pub fn backup(dir: &Path, mib: u64) -> PathBuf {
    let about = "{\"slug\":\"0a1b2c3d\",\"version\":2,\"name\":\"Made by hand\",\"date\":\"2026-11-20T08:15:00.000000+00:00\",\
                 \"type\":\"full\",\"supervisor_version\":\"2026.08.0\",\"extra\":{},\"folders\":[\"share\",\"ssl\",\"media\"],\
                 \"addons\":[],\"compressed\":true,\"protected\":false,\"homeassistant\":{\"version\":\"2026.8.3\",\
                 \"exclude_database\":false,\"size\":0.0},\"repositories\":[]}";
    fs::create_dir_all(dir.join("packing")).unwrap();
    fs::write(dir.join("packing/backup.json"), about).unwrap();
    let inner = "mkdir -p data && head -c $SIZE /dev/urandom > data/home-assistant_v2.db && \
                 tar -czf homeassistant.tar.gz ./data && rm -r data && for f in share ssl media; do \
                 mkdir $f && tar -czf $f.tar.gz ./$f && rmdir $f; done";
    shell(&dir.join("packing"), &inner.replace("$SIZE", &(mib << 20).to_string()));
    let members = "homeassistant.tar.gz share.tar.gz ssl.tar.gz media.tar.gz ./backup.json";
    shell(&dir.join("packing"), &format!("tar --owner=0 --group=0 -cf ../backup.tar {members}"));
    dir.join("backup.tar")
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn shell(dir: &Path, script: &str) {
    let script = format!("cd '{}' && {{ {script}; }}", dir.display());
    run("sh", &["-e", "-c", &script], "");
}

fn run(tool: &str, args: &[&str], input: &str) {
    let mut command = Command::new(tool);
    command.args(args).env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin").env("LC_ALL", "C");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("tool is installed");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tool} {args:?}: {said}");
}

/// Puts a part at its place, leaving holes for its zeros.
fn copy(part: &Path, raw: &Path, offset: u64) {
    let bytes = fs::read(part).unwrap();
    let raw = OpenOptions::new().write(true).open(raw).unwrap();
    for (n, chunk) in bytes.chunks(1 << 16).enumerate() {
        if chunk.iter().any(|b| *b != 0) {
            raw.write_all_at(chunk, offset + (n << 16) as u64).unwrap();
        }
    }
}
