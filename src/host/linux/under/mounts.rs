//! What is mounted and swapped on, read from `/proc/self/mountinfo` and `/proc/swaps`.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use nix::sys::stat::{major, minor};

/// A device number. Major 0 is nobody's: file systems that lie on no device, on several, or on other file systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DevNumber {
    pub major: u64,
    pub minor: u64,
}

impl DevNumber {
    /// From `st_rdev` or `st_dev`.
    pub fn of_node(dev: u64) -> DevNumber {
        DevNumber { major: major(dev), minor: minor(dev) }
    }
}

impl fmt::Display for DevNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

impl FromStr for DevNumber {
    type Err = ();

    fn from_str(text: &str) -> Result<DevNumber, ()> {
        let (major, minor) = text.split_once(':').ok_or(())?;
        Ok(DevNumber { major: major.parse().map_err(|_| ())?, minor: minor.parse().map_err(|_| ())? })
    }
}

/// One line of mountinfo (proc(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    pub dev: DevNumber,
    pub point: PathBuf,
    pub filesystem: String,
    /// A device, a directory or any word, as the file system likes.
    pub source: String,
    pub options: String,
}

impl Mount {
    fn parse(line: &str) -> Option<Mount> {
        // Fields in front of the separator are at least six; those behind it are three.
        let (front, back) = line.split_once(" - ")?;
        let mut front = front.split(' ').skip(2);
        let (dev, _, point) = (front.next()?.parse().ok()?, front.next()?, front.next()?);
        let mut back = back.split(' ');
        let (filesystem, source) = (back.next()?.to_owned(), text(back.next()?));
        Some(Mount { dev, point: unescaped(point), filesystem, source, options: text(back.next().unwrap_or("")) })
    }

    /// The directories that an overlay is made of.
    pub fn layers(&self) -> Vec<PathBuf> {
        let values = self.options.split(',').filter_map(|option| option.split_once('='));
        let layers = values.filter(|(key, _)| ["lowerdir", "lowerdir+", "datadir+", "upperdir"].contains(key));
        layers.flat_map(|(_, dirs)| dirs.split(':')).filter(|dir| !dir.is_empty()).map(PathBuf::from).collect()
    }
}

/// Every mount; the line that cannot be read, if there is one.
pub fn mounts(mountinfo: &str) -> Result<Vec<Mount>, String> {
    let lines = mountinfo.lines().filter(|line| !line.is_empty());
    lines.map(|line| Mount::parse(line).ok_or_else(|| line.to_owned())).collect()
}

/// The mount that `path` (absolute, without links) lies on: the deepest one, of several on one point the last.
pub fn mount_of<'a>(mounts: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    mounts.iter().filter(|mount| path.starts_with(&mount.point)).max_by_key(|mount| mount.point.components().count())
}

/// A swap space: a device, or a file on a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swap {
    Device(PathBuf),
    File(PathBuf),
}

/// Every swap space; the line that cannot be read, if there is one.
pub fn swaps(table: &str) -> Result<Vec<Swap>, String> {
    let lines = table.lines().skip(1).filter(|line| !line.trim().is_empty());
    lines.map(|line| swap(line).ok_or_else(|| line.to_owned())).collect()
}

fn swap(line: &str) -> Option<Swap> {
    let mut fields = line.split_whitespace();
    let (path, kind) = (unescaped(fields.next()?), fields.next()?);
    match kind {
        "partition" => Some(Swap::Device(path)),
        "file" => Some(Swap::File(path)),
        _ => None,
    }
}

/// The kernel writes space, tab, newline and backslash in a name as a backslash and three octal digits.
fn unescaped(text: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        match (byte, octal(tail)) {
            (b'\\', Some(value)) => {
                bytes.push(value);
                rest = tail.get(3..).unwrap_or_default();
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

fn octal(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits.get(..3)?).ok()?;
    u8::from_str_radix(digits, 8).ok()
}

fn text(escaped: &str) -> String {
    unescaped(escaped).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = r"
1077 983 0:178 / / rw,relatime master:450 - overlay overlay rw,lowerdir=/l/A:/l/B,upperdir=/mnt/data/u,workdir=/mnt/data/w
1103 1077 179:8 /supervisor/addons/data/x_sd_swap /data rw,relatime - ext4 /dev/mmcblk0p8 rw,commit=30
1104 1077 179:8 /supervisor/backup /backup rw,relatime - ext4 /dev/mmcblk0p8 rw,commit=30
1105 1077 8:17 / /media/my\040card\134 rw shared:1 master:2 - vfat /dev/sdb1 rw
1106 1077 8:33 / /media/my\040card\134 rw - vfat /dev/sdc1 rw
";

    #[test]
    fn mountinfo_reads_with_its_escapes() {
        let mounts = mounts(APP).unwrap();
        let lines: Vec<_> =
            mounts.iter().map(|m| (m.dev.to_string(), m.point.to_str().unwrap(), &*m.filesystem)).collect();
        assert_eq!(lines[1], ("179:8".into(), "/data", "ext4"));
        assert_eq!(lines[3], ("8:17".into(), r"/media/my card\", "vfat"));
        assert_eq!(mounts[1].source, "/dev/mmcblk0p8");
        assert_eq!(mounts[0].layers(), [Path::new("/l/A"), Path::new("/l/B"), Path::new("/mnt/data/u")]);
        let on = |path: &str| mount_of(&mounts, Path::new(path)).map(|m| m.dev.to_string());
        assert_eq!(on("/data/image.xz").unwrap(), "179:8");
        assert_eq!(on("/database").unwrap(), "0:178");
        assert_eq!(on(r"/media/my card\/a").unwrap(), "8:33");
        assert_eq!(on("relative"), None);
    }

    #[test]
    fn a_line_that_is_not_understood_is_not_passed_over() {
        for bad in [
            "x",
            "1 2 3 4 5 6",
            "1 2 8 / / rw - ext4 /dev/sda rw",
            "1 2 8:x / / rw - ext4 a rw",
            "1 2 8:1 / / rw - ext4",
        ] {
            assert_eq!(mounts(bad), Err(bad.to_owned()));
        }
        assert_eq!(swaps("Filename\n/dev/sda2 floppy 1 2 3"), Err("/dev/sda2 floppy 1 2 3".into()));
    }

    #[test]
    fn swaps_are_devices_and_files() {
        let table = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n\
                     /dev/zram0                              partition\t1024\t\t0\t\t100\n\
                     /swap\\040file                           file\t\t1024\t\t0\t\t-2\n";
        assert_eq!(swaps(table), Ok(vec![Swap::Device("/dev/zram0".into()), Swap::File("/swap file".into())]));
        assert_eq!(swaps("Filename\tType\n"), Ok(vec![]));
        assert_eq!(swaps(""), Ok(vec![]));
    }

    #[test]
    fn broken_escapes_stay_as_they_are() {
        for (text, want) in
            [(r"a\", r"a\"), (r"a\04", r"a\04"), (r"\999", r"\999"), (r"\777x", r"\777x"), (r"\0401", " 1")]
        {
            assert_eq!(unescaped(text), PathBuf::from(want));
        }
    }
}
