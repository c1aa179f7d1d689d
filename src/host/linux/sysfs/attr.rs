//! Small files of sysfs, read with distrust: any of them may be missing, hold garbage or fail with EIO.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use crate::host::readable::readable;

/// No attribute that we read is longer; sysfs itself gives at most a page.
const LONGEST: u64 = 4096;

/// What the attribute holds; `None` where it cannot be read.
pub fn bytes(dir: &Path, name: &str) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    File::open(dir.join(name)).ok()?.take(LONGEST).read_to_end(&mut content).ok()?;
    Some(content)
}

/// The attribute as people may see it; empty where it cannot be read.
pub fn text(dir: &Path, name: &str) -> String {
    readable(&bytes(dir, name).unwrap_or_default())
}

pub fn number<T: FromStr>(dir: &Path, name: &str) -> Option<T> {
    text(dir, name).parse().ok()
}

pub fn is_set(dir: &Path, name: &str) -> bool {
    text(dir, name) == "1"
}

/// Names in a directory, sorted; empty where it cannot be read.
pub fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).into_iter().flatten().flatten().filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_reads_as_nothing_or_as_something_printable() {
        let dir = tempfile::tempdir().unwrap();
        let cases: [(&[u8], &str, Option<u64>); 6] = [
            (b"124735488\n", "124735488", Some(124_735_488)),
            (b"", "", None),
            (b"-1\n", "-1", None),
            (b"99999999999999999999\n", "99999999999999999999", None),
            (b"Generic \0\x1b[31m  CRW\xff \n", "Generic [31m CRW\u{fffd}", None),
            (b"\xff\xfe\0\0", "\u{fffd}\u{fffd}", None),
        ];
        for (content, want, value) in cases {
            fs::write(dir.path().join("a"), content).unwrap();
            assert_eq!(text(dir.path(), "a"), want);
            assert_eq!(number::<u64>(dir.path(), "a"), value, "{want}");
        }
        assert_eq!((text(dir.path(), "none"), number::<u64>(dir.path(), "none")), (String::new(), None));
        assert_eq!(names(&dir.path().join("none")), [""; 0]);
        fs::write(dir.path().join("a"), vec![b'x'; 100_000]).unwrap();
        assert_eq!(text(dir.path(), "a").len() as u64, LONGEST);
    }
}
