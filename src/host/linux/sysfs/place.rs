//! Where a disk hangs, read off the path of its device below `/sys`. Paths and rules only, nothing is opened.

use std::path::{Component, Path, PathBuf};

use crate::domain::disk::Transport;

/// The path of a disk below `/sys`, with links resolved: `devices/…/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0/block/sda`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(Vec<String>);

impl Place {
    pub fn new(below_sys: &Path) -> Place {
        let part = |c: Component<'_>| match c {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        };
        Place(below_sys.components().filter_map(part).collect())
    }

    fn has(&self, rule: impl Fn(&str) -> bool) -> bool {
        self.0.iter().any(|part| rule(part))
    }

    /// A card slot that hangs on USB counts as USB, whatever its driver calls the disk.
    pub fn transport(&self) -> Transport {
        if self.has(|p| is_numbered(p, "usb")) {
            Transport::Usb
        } else if self.has(|p| p == "mmc_host") {
            Transport::Mmc
        } else if self.has(|p| p == "nvme" || p == "nvme-subsystem") {
            Transport::Nvme
        } else if self.has(|p| is_numbered(p, "ata")) {
            Transport::Sata
        } else if self.is_virtual() {
            Transport::Virtual
        } else {
            Transport::Other
        }
    }

    fn is_virtual(&self) -> bool {
        let below = self.0.get(1).map(String::as_str);
        below == Some("virtual") || self.has(|p| is_numbered(p, "virtio") || p.starts_with("vbd-"))
    }

    /// The device that carries the disk, without the disk's own name. SCSI hosts are numbered in the order in which they
    /// appear, anew at each plug: their number is left out, so that a disk keeps its bus path in the same socket.
    pub fn bus_path(&self) -> String {
        let device = self.device();
        let kept = device.iter().filter(|p| !is_numbered(p, "host") && !is_target(p));
        kept.map(|p| without_host(p)).collect::<Vec<_>>().join("/")
    }

    /// As the kernel has it at the moment: another plug gives another one, even in the same socket.
    pub fn device_path(&self) -> String {
        self.device().join("/")
    }

    fn device(&self) -> &[String] {
        match self.0.as_slice() {
            [device @ .., block, _] if block == "block" => device,
            [device @ .., _] => device,
            [] => &[],
        }
    }

    /// The USB interface that the disk is reached through, below `/sys`.
    pub fn usb_interface(&self) -> Option<PathBuf> {
        let at = self.0.iter().rposition(|p| is_usb_interface(p))?;
        Some(self.0.iter().take(at + 1).collect())
    }

    /// The USB device of that interface: it knows maker, product and serial number.
    pub fn usb_device(&self) -> Option<PathBuf> {
        Some(self.usb_interface()?.parent()?.to_path_buf())
    }

    /// The logical unit of a SCSI device: a reader with several slots gives each slot one.
    pub fn lun(&self) -> Option<u32> {
        scsi_address(self.device().last()?)?[3].parse().ok()
    }
}

/// `usb2` for "usb"; not `usb`, not `usb-storage`.
fn is_numbered(part: &str, word: &str) -> bool {
    part.strip_prefix(word).is_some_and(is_digits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_target(part: &str) -> bool {
    part.strip_prefix("target").is_some_and(|rest| rest.split(':').all(is_digits))
}

/// `6:0:0:2`: host, channel, target, unit.
fn scsi_address(part: &str) -> Option<[&str; 4]> {
    let fields: Vec<&str> = part.split(':').collect();
    <[&str; 4]>::try_from(fields).ok().filter(|fields| fields.iter().all(|f| is_digits(f)))
}

fn without_host(part: &str) -> String {
    match scsi_address(part) {
        Some([_, channel, target, unit]) => format!("{channel}:{target}:{unit}"),
        None => part.to_owned(),
    }
}

/// `1-1.2:1.0`: bus, ports, configuration, interface.
fn is_usb_interface(part: &str) -> bool {
    let Some((device, interface)) = part.split_once(':') else { return false };
    let Some((bus, ports)) = device.split_once('-') else { return false };
    is_digits(bus)
        && ports.split('.').all(is_digits)
        && interface.split('.').count() == 2
        && interface.split('.').all(is_digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str) -> Place {
        Place::new(Path::new(path))
    }

    #[test]
    fn the_path_tells_transport_and_socket() {
        let usb = "devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0";
        let cases = [
            (format!("{usb}/host6/target6:0:0/6:0:0:2/block/sdd"), Transport::Usb, format!("{usb}/0:0:2")),
            (
                format!("{usb}/rtsx_usb_sdmmc.1.auto/mmc_host/mmc0/mmc0:0001/block/mmcblk0"),
                Transport::Usb,
                format!("{usb}/rtsx_usb_sdmmc.1.auto/mmc_host/mmc0/mmc0:0001"),
            ),
            (
                "devices/platform/emmc2bus/fe340000.mmc/mmc_host/mmc0/mmc0:aaaa/block/mmcblk0".into(),
                Transport::Mmc,
                "devices/platform/emmc2bus/fe340000.mmc/mmc_host/mmc0/mmc0:aaaa".into(),
            ),
            (
                "devices/pci0000:00/0000:00:1d.0/0000:02:00.0/nvme/nvme0/nvme0n1".into(),
                Transport::Nvme,
                "devices/pci0000:00/0000:00:1d.0/0000:02:00.0/nvme/nvme0".into(),
            ),
            (
                "devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1".into(),
                Transport::Nvme,
                "devices/virtual/nvme-subsystem/nvme-subsys0".into(),
            ),
            (
                "devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda".into(),
                Transport::Sata,
                "devices/pci0000:00/0000:00:17.0/ata1/0:0:0".into(),
            ),
            (
                "devices/pci0000:00/0000:00:02.0/virtio1/block/vda".into(),
                Transport::Virtual,
                "devices/pci0000:00/0000:00:02.0/virtio1".into(),
            ),
            ("devices/virtual/block/nbd0".into(), Transport::Virtual, "devices/virtual".into()),
            (
                "devices/platform/fe980000.usb/host0/target0:0:0/0:0:0:0/block/sda".into(),
                Transport::Other,
                "devices/platform/fe980000.usb/0:0:0".into(),
            ),
            (String::new(), Transport::Other, String::new()),
        ];
        for (path, transport, bus_path) in cases {
            assert_eq!(place(&path).transport(), transport, "{path}");
            assert_eq!(place(&path).bus_path(), bus_path, "{path}");
        }
    }

    #[test]
    fn a_new_plug_keeps_the_bus_path_and_changes_the_device_path() {
        let before = place("devices/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0/block/sdb");
        let after = place("devices/usb1/1-2/1-2:1.0/host7/target7:0:0/7:0:0:0/block/sdc");
        assert_eq!(before.bus_path(), after.bus_path());
        assert_ne!(before.device_path(), after.device_path());
    }

    #[test]
    fn usb_parts_and_units() {
        let deep = place("devices/pci0/usb3/3-1/3-1.4/3-1.4:1.0/host2/target2:0:0/2:0:0:3/block/sde");
        assert_eq!(deep.usb_interface(), Some("devices/pci0/usb3/3-1/3-1.4/3-1.4:1.0".into()));
        assert_eq!(deep.usb_device(), Some("devices/pci0/usb3/3-1/3-1.4".into()));
        assert_eq!(deep.lun(), Some(3));
        for odd in ["devices/pci0/1-2:x/sda", "a:b:c:d/block/sda", "sda", "", "devices/1:2:3:99999999999/block/sda"] {
            assert_eq!((place(odd).usb_device(), place(odd).lun()), (None, None), "{odd}");
        }
    }
}
