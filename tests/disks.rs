//! Finding the disks of whole machines: what is listed, what lies under the system, and what may be overwritten.

#[path = "support/sysfs.rs"]
mod sysfs;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sd_swap::domain::disk::{Access, Contents, Disk, DiskId, Fingerprint, Refusal, Rules, SystemDisks, may_overwrite};
use sd_swap::host::HostError;
use sd_swap::host::linux::scan::{LinuxScan, Probe};
use sd_swap::host::linux::sysfs::Found;
use sd_swap::host::linux::under;
use sysfs::Machine;

fn free(_: &Found) -> Probe {
    let fingerprint = Some(Fingerprint("v1-00".into()));
    Probe { access: Access::Free, contents: Contents::default(), fingerprint }
}

fn scan(machine: &Machine) -> Vec<Disk> {
    LinuxScan::new(machine.root()).scan(1_700_000_000, &free).unwrap()
}

/// A disk in one line; the bus path without `devices/`.
fn line(disk: &Disk) -> String {
    let mut words = vec![disk.id.to_string(), disk.transport.word().into(), disk.size.to_string()];
    words.push(format!("{:?} {:?} {:?}", disk.vendor, disk.model, disk.serial));
    words.extend(disk.slot.map(|slot| format!("slot {slot}")));
    words.extend(disk.removable.then(|| "removable".into()));
    words.extend(disk.read_only.then(|| "read-only".into()));
    words.extend((!disk.medium).then(|| "empty".into()));
    words.extend((disk.sector != 512).then(|| format!("sector {}", disk.sector)));
    words.extend((!disk.holders.is_empty()).then(|| format!("held by {}", disk.holders.join("+"))));
    assert_eq!((disk.path.clone(), disk.plug, disk.scratch), (PathBuf::from(format!("/dev/{}", disk.id)), 1, false));
    words.push(disk.bus_path.strip_prefix("devices/").unwrap().into());
    words.join(" · ")
}

fn lines(disks: &[Disk]) -> Vec<String> {
    disks.iter().map(line).collect()
}

fn names(ids: Result<Vec<DiskId>, HostError>) -> String {
    ids.unwrap().into_iter().map(|id| id.0).collect::<Vec<_>>().join(" ")
}

fn under(machine: &Machine, path: &str) -> Result<Vec<DiskId>, HostError> {
    under::disks_under(machine.root(), Path::new(path), &|path| machine.stat(path))
}

fn in_use(machine: &Machine) -> Result<Vec<DiskId>, HostError> {
    under::disks_in_use(machine.root(), &|path| machine.stat(path))
}

/// Each disk with the codes of what speaks against it, in an app whose Supervisor named `runs_from`.
fn refusals(machine: &Machine, disks: &[Disk], runs_from: &str) -> Vec<String> {
    let holds_data = ["/data", "/backup"].iter().flat_map(|path| under(machine, path).unwrap()).collect();
    let runs_from = BTreeSet::from([DiskId(runs_from.into())]);
    let system = SystemDisks::Known { runs_from, holds_data };
    against(disks, system)
}

fn against(disks: &[Disk], system: SystemDisks) -> Vec<String> {
    let rules = Rules { system, need: None, claimed: BTreeSet::new(), allow_internal: false, as_file: false };
    let codes = |disk| may_overwrite(disk, disks, &rules).iter().map(Refusal::code).collect::<Vec<_>>().join(" ");
    disks.iter().map(|disk| format!("{}: {}", disk.id, codes(disk))).collect()
}

#[test]
fn a_pi_with_a_reader() {
    let machine = Machine::load("pi4");
    let disks = scan(&machine);
    assert_eq!(
        lines(&disks),
        [
            "mmcblk0 · mmc · 31.9 GB · \"\" \"SC32G\" \"0xe2a1b2c3\" · \
             platform/emmc2bus/fe340000.mmc/mmc_host/mmc0/mmc0:aaaa",
            "sda · usb · 63.9 GB · \"Generic\" \"STORAGE DEVICE\" \"201404081410\" · removable · \
             platform/scb/fd500000.pcie/pci0000:00/0000:00:00.0/0000:01:00.0/usb2/2-2/2-2:1.0/0:0:0",
        ]
    );
    assert_eq!(names(under(&machine, "/data")), "mmcblk0");
    assert_eq!(names(under(&machine, "/proc")), "");
    assert_eq!(refusals(&machine, &disks, "mmcblk0"), ["mmcblk0: runs_system holds_data built_in", "sda: "]);
    // The container's root is made of directories that only the host has: it is not passed over in silence.
    assert!(under(&machine, "/").is_err() && in_use(&machine).is_err());
}

#[test]
fn a_card_has_its_own_number_where_the_slot_tells_it() {
    let machine = Machine::load("pi4");
    let found = sd_swap::host::linux::sysfs::find(machine.root()).unwrap();
    let ids: Vec<_> = found.iter().map(|f| (f.medium_id.as_str(), f.diskseq)).collect();
    assert_eq!(ids, [("035344534333324780e2a1b2c3014a00", Some(9)), ("", Some(14))]);
}

#[test]
fn a_pc_with_nvme_sata_and_a_reader() {
    let mut machine = Machine::load("intel");
    let disks = scan(&machine);
    assert_eq!(
        lines(&disks),
        [
            "nvme0n1 · nvme · 512.1 GB · \"\" \"WDC PC SN730 SDBPNTY-512G-1006\" \"20286T440112\" · \
             pci0000:00/0000:00:1d.0/0000:02:00.0/nvme/nvme0",
            "sda · sata · 500.1 GB · \"\" \"Samsung SSD 860\" \"S3Y1NB06N12345K\" · \
             pci0000:00/0000:00:17.0/ata1/0:0:0",
            "sdb · usb · 31.9 GB · \"SanDisk\" \"MobileMate\" \"00000000000000009016\" · removable · read-only · \
             pci0000:00/0000:00:14.0/usb1/1-4/1-4:1.0/0:0:0",
        ]
    );
    assert_eq!(names(under(&machine, "/home")), "nvme0n1");
    assert_eq!(names(under(&machine, "/srv/x")), "nvme0n1 sda");
    // A subvolume's own number stands in no line of mountinfo.
    machine.devs.insert("/srv/x".into(), "0:77");
    assert_eq!(names(under(&machine, "/srv/x")), "nvme0n1 sda");
    assert_eq!(names(in_use(&machine)), "nvme0n1 sda");
    let system =
        SystemDisks::Known { runs_from: in_use(&machine).unwrap().into_iter().collect(), holds_data: BTreeSet::new() };
    assert_eq!(
        against(&disks, system),
        ["nvme0n1: runs_system built_in", "sda: runs_system built_in", "sdb: write_protected"]
    );
}

#[test]
fn a_reader_with_four_slots_and_one_card() {
    let machine = Machine::load("multi-slot");
    let disks = scan(&machine);
    let reader = "pci0000:00/0000:00:14.0/usb3/3-1/3-1.3/3-1.3:1.0";
    let slot = |name: &str, model: &str, slot: u32, size: &str, empty: &str| {
        let names = format!("\"Generic\" \"USB {model} Reader\" \"058F63666471\"");
        format!("{name} · usb · {size} · {names} · slot {slot} · removable{empty} · {reader}/0:0:{}", slot - 1)
    };
    assert_eq!(
        lines(&disks),
        [
            "mmcblk1 · mmc · 62.5 GB · \"\" \"DF4064\" \"0x29b8e2f1\" · \
             pci0000:00/0000:00:1e.4/mmc_host/mmc1/mmc1:0001"
                .to_owned(),
            slot("sda", "CF", 2, "0 bytes", " · empty"),
            slot("sdb", "MS", 4, "0 bytes", " · empty"),
            slot("sdc", "SD", 1, "0 bytes", " · empty"),
            slot("sdd", "SM", 3, "15.6 GB", ""),
        ]
    );
    assert_eq!(
        refusals(&machine, &disks, "mmcblk1"),
        ["mmcblk1: runs_system holds_data built_in", "sda: no_medium", "sdb: no_medium", "sdc: no_medium", "sdd: "]
    );
}

#[test]
fn a_data_disk_on_usb() {
    let machine = Machine::load("data-disk");
    let disks = scan(&machine);
    assert_eq!(
        lines(&disks),
        [
            "mmcblk0 · mmc · 15.6 GB · \"\" \"SD16G\" \"0xa1b2c3d4\" · \
             platform/axi/1001160000.mmc/mmc_host/mmc0/mmc0:59b4",
            "sda · usb · 1.0 TB · \"Samsung\" \"SSD 870 EVO 1TB\" \"S5H8NJ0T100123M\" · \
             platform/axi/xhci-hcd.0/usb2/2-1/2-1:1.0/0:0:0",
            "sdb · usb · 127.9 GB · \"Kingston\" \"FCR-HS4\" \"\" · removable · \
             platform/axi/xhci-hcd.1/usb3/3-2/3-2:1.0/0:0:0",
        ]
    );
    assert_eq!(refusals(&machine, &disks, "mmcblk0"), ["mmcblk0: runs_system built_in", "sda: holds_data", "sdb: "]);
}

#[test]
fn disks_under_luks_lvm_raid_and_loops() {
    let mut machine = Machine::load("stacked");
    let disks = scan(&machine);
    assert_eq!(
        lines(&disks),
        [
            "sda · sata · 500.1 GB · \"\" \"CT500MX500SSD1\" \"\" · held by dm-0 · pci0000:00/0000:00:17.0/ata1/0:0:0",
            "sdb · sata · 4.0 TB · \"\" \"\" \"\" · held by md127 · pci0000:00/0000:00:17.0/ata2/0:0:0",
            "sdc · sata · 4.0 TB · \"\" \"\" \"\" · held by md127 · pci0000:00/0000:00:17.0/ata3/0:0:0",
            "sdd · usb · 4.0 TB · \"WD\" \"My Book 25EE\" \"575833\" · sector 4096 · held by dm-3 · \
             pci0000:00/0000:00:14.0/usb2/2-3/2-3:1.0/0:0:0",
        ]
    );
    let cases =
        [("/", "sda"), ("/boot/x", "sda"), ("/srv", "sdb sdc"), ("/mnt/my iso", "sdb sdc"), ("/snap/core/1", "sda")];
    for (path, disks) in cases {
        assert_eq!(names(under(&machine, path)), disks, "{path}");
    }
    assert_eq!(names(in_use(&machine)), "sda sdb sdc");
    let system =
        SystemDisks::Known { runs_from: in_use(&machine).unwrap().into_iter().collect(), holds_data: BTreeSet::new() };
    assert_eq!(
        against(&disks, system),
        [
            "sda: runs_system built_in in_use",
            // Two alike, of which nobody can say which is which.
            "sdb: runs_system built_in in_use too_large twin",
            "sdc: runs_system built_in in_use too_large twin",
            "sdd: in_use too_large sector_size",
        ]
    );
    // Mapped onto nothing that sysfs shows, a loop without a file, a device that is gone: unknown, not "no disk".
    for dev in ["253:4", "7:2", "8:77", "0:99"] {
        machine.devs.insert("/x".into(), dev);
        assert!(matches!(under(&machine, "/x"), Err(HostError::Looking { .. })), "{dev}");
    }
    machine.devs.insert("/x".into(), "251:0");
    assert_eq!(names(under(&machine, "/x")), "sdd");
}

/// The kernel lets a disk be opened exclusively although a mounted loop device stands upon it.
#[test]
fn a_disk_under_a_loop_device_is_in_use() {
    let backing = "sys/devices/virtual/block/loop0/loop/backing_file";
    for (node, held) in [("/dev/sdd", true), ("/dev/sdd1", true), ("/dev/sdd10", false), ("/dev/sdda", false)] {
        let mut machine = Machine::load("stacked");
        std::fs::write(machine.root().join(backing), format!("{node}\n")).unwrap();
        let sdd = scan(&machine).into_iter().find(|disk| disk.id.0 == "sdd").unwrap();
        assert_eq!(sdd.holders.contains(&"loop0".to_owned()), held || node == "/dev/sdd10", "{node}: {sdd:?}");
        machine.devs.insert("/x".into(), "7:0");
        match held {
            true => assert_eq!(names(under(&machine, "/x")), "sdd", "{node}"),
            false => assert!(under(&machine, "/x").is_err(), "{node}"),
        }
    }
}

#[test]
fn a_node_is_known_by_its_number() {
    use sd_swap::host::linux::sysfs::{Node, node};
    let machine = Machine::load("stacked");
    let disk = |name: &str| DiskId(name.into());
    for (number, want) in [
        ("8:48", Node::Disk(disk("sdd"))),
        ("8:49", Node::Partition(disk("sdd"))),
        ("253:0", Node::Other),
        ("8:200", Node::Other),
    ] {
        assert_eq!(node(machine.root(), number.parse().unwrap()), want, "{number}");
    }
    assert!(matches!(node(machine.root(), "7:0".parse().unwrap()), Node::Loop(file) if file.is_absolute()));
}

/// A node in `/dev` may be older than the disk that has its name now.
#[test]
fn a_node_is_the_disk_only_by_its_number() {
    let machine = Machine::load("pi4");
    let is = |name: &str, number: Option<&str>| {
        let number = number.map(|number| number.parse().unwrap());
        sd_swap::host::linux::sysfs::is_device(machine.root(), &DiskId(name.into()), number)
    };
    assert!(is("sda", Some("8:0")));
    for (name, number) in [("sda", Some("8:16")), ("sda", Some("179:0")), ("sda", None), ("sdz", Some("8:0"))] {
        assert!(!is(name, number), "{name} {number:?}");
    }
}

#[test]
fn what_cannot_be_followed_down_to_a_disk_is_an_error() {
    let mountinfo = "proc/self/mountinfo";
    let cases = [
        (mountinfo, "33 28 7:2 / /snap/core/1 ro - squashfs /dev/loop2 ro\n"),
        (mountinfo, "33 28 0:60 / /tank rw - zfs tank/home rw\n"),
        (mountinfo, "33 28 0:60 / /b rw - btrfs /dev/sdd1 rw\n"),
        (mountinfo, "33 28 0:60 / /b rw - bcachefs /dev/sda1:/dev/gone rw\n"),
        (mountinfo, "33 28 0:60 / /b rw - whatfs none rw\n"),
        (mountinfo, "33 28 0:60 / /b rw\n"),
        (mountinfo, "33 28 0:60 / / rw - overlay overlay rw,relatime\n"),
        ("proc/swaps", "/dev/mapper/gone partition 1 0 -2\n"),
        ("proc/swaps", "/dev/../etc partition 1 0 -2\n"),
        ("proc/swaps", "elsewhere partition 1 0 -2\n"),
    ];
    for (file, line) in cases {
        let machine = Machine::load("stacked");
        assert!(in_use(&machine).is_ok());
        let path = machine.root().join(file);
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, before + line).unwrap();
        assert!(matches!(in_use(&machine), Err(HostError::Looking { .. })), "{line}");
    }
    let machine = Machine::load("stacked");
    std::fs::remove_file(machine.root().join(mountinfo)).unwrap();
    assert!(in_use(&machine).is_err() && under(&machine, "/").is_err());
}

#[test]
fn a_live_system_runs_from_the_stick_that_its_image_lies_on() {
    let machine = Machine::load("stacked");
    let write = |file: &str, text: &str| std::fs::write(machine.root().join(file), text).unwrap();
    let layers = "lowerdir=/run/live/rootfs,upperdir=/run/overlay/rw";
    write(
        "proc/self/mountinfo",
        &format!(
            "28 1 0:30 / / rw - overlay overlay rw,{layers}\n\
             29 28 7:0 / /run/live/rootfs ro - squashfs /dev/loop0 ro\n\
             30 28 8:49 / /run/live/medium ro - vfat /dev/sdd1 ro\n\
             31 28 0:31 / /run/overlay rw - tmpfs tmpfs rw\n"
        ),
    );
    write("proc/swaps", "Filename\tType\n/dev/dm-4 partition 1 0 -2\n");
    write("sys/devices/virtual/block/loop0/loop/backing_file", "/run/live/medium/live/filesystem.squashfs\n");
    assert_eq!(names(under(&machine, "/")), "sdd");
    assert_eq!(names(under(&machine, "/run/overlay")), "");
    // A swap space on something unknown, in memory, and in memory with a device behind it.
    assert!(in_use(&machine).is_err());
    let zram = machine.root().join("sys/devices/virtual/block/dm-4");
    let moved = machine.root().join("sys/devices/virtual/block/zram0");
    std::fs::rename(zram, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, machine.root().join("sys/block/zram0")).unwrap();
    write("proc/swaps", "Filename\tType\n/dev/zram0 partition 1 0 -2\n");
    for (backing, disks) in [("none\n", "sdd"), ("/dev/mapper/sda3_crypt\n", "sda sdd")] {
        std::fs::write(moved.join("backing_dev"), backing).unwrap();
        assert_eq!(names(in_use(&machine)), disks);
    }
    std::fs::remove_file(machine.root().join("proc/swaps")).unwrap();
    assert_eq!(names(in_use(&machine)), "sdd");
}

#[test]
fn devices_that_stand_on_each_other_come_to_an_end() {
    let machine = Machine::load("stacked");
    let block = machine.root().join("sys/devices/virtual/block");
    std::os::unix::fs::symlink(block.join("dm-1"), block.join("dm-0/slaves/dm-1")).unwrap();
    assert!(under(&machine, "/").is_err());
    std::fs::write(block.join("loop0/loop/backing_file"), "/mnt/my iso/x\n").unwrap();
    assert!(under(&machine, "/mnt/my iso").is_err());
}

#[test]
fn two_alike_until_one_is_plugged_again() {
    let machine = Machine::load("twins");
    let scanner = LinuxScan::new(machine.root());
    let disks = scanner.scan(100, &free).unwrap();
    assert_eq!(disks.iter().map(line).collect::<BTreeSet<_>>().len(), 3);
    assert_ne!(disks[0].bus_path, disks[1].bus_path);
    let refused = ["sda: twin", "sdb: twin", "vda: runs_system holds_data built_in"];
    assert_eq!(refusals(&machine, &disks, "vda"), refused);
    assert_eq!(scanner.scan(102, &free).unwrap(), disks);

    machine.pull("sdb");
    let alone = scanner.scan(104, &free).unwrap();
    assert_eq!(refusals(&machine, &alone, "vda"), ["sda: ", "vda: runs_system holds_data built_in"]);

    machine.load_again("twins");
    let again = scanner.scan(106, &free).unwrap();
    assert_eq!((again[1].plug, again[1].plugged_at), (2, Some(106)));
    assert_eq!(refusals(&machine, &again, "vda")[..2], ["sda: twin", "sdb: "]);
}

#[test]
fn a_disk_without_a_medium_is_not_opened_and_one_that_fails_is_unreadable() {
    let machine = Machine::load("multi-slot");
    let broken = |name: &str| {
        let probe = |found: &Found| {
            assert!(found.disk.medium, "opened {}", found.disk.id);
            assert_ne!(found.disk.id.0, name, "a probe that panics");
            free(found)
        };
        LinuxScan::new(machine.root()).scan(1, &probe).unwrap()
    };
    // The last one is looked at where all are listed, the others apart.
    assert!(matches!(broken("mmcblk1")[0].access, Access::Unreadable(_)));
    let disks = broken("sdd");
    assert_eq!(refusals(&machine, &disks, "mmcblk1")[4], "sdd: unreadable");
    assert!(disks[1..4].iter().all(|empty| empty.access == Access::Free && empty.fingerprint.is_none()));
}

#[test]
fn files_that_are_missing_or_hold_garbage_do_no_harm() {
    let machine = Machine::load("pi4");
    let disk = std::fs::canonicalize(machine.root().join("sys/block/sda")).unwrap();
    for (attribute, content) in [("size", "many"), ("ro", "\0"), ("removable", "yes"), ("queue/logical_block_size", "")]
    {
        std::fs::write(disk.join(attribute), content).unwrap();
    }
    std::fs::write(disk.join("device/vendor"), b"\xff\x1b[2J").unwrap();
    std::fs::remove_file(disk.join("device/model")).unwrap();
    let found = &scan(&machine)[1];
    assert_eq!((found.medium, found.read_only, found.removable, found.sector), (false, false, false, 512));
    assert_eq!((found.vendor.as_str(), found.model.as_str()), ("\u{fffd} [2J", "USB3.0 Card Reader"));

    std::fs::write(disk.join("size"), u64::MAX.to_string()).unwrap();
    assert!(!scan(&machine)[1].medium);

    // Gone while it was looked at, and between the listing and the look.
    std::fs::remove_file(disk.join("dev")).unwrap();
    assert_eq!(scan(&machine).len(), 1);
    std::fs::remove_dir_all(&disk).unwrap();
    assert_eq!(scan(&machine).len(), 1);
    std::fs::remove_dir_all(machine.root().join("sys/block")).unwrap();
    let gone = LinuxScan::new(machine.root()).scan(1, &free);
    assert!(matches!(gone, Err(HostError::Looking { .. })));
}
