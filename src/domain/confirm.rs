//! "Not the wrong disk" (face §7): when the size printed on the card is asked for, and whether an answer fits.

use super::disk::Disk;
use super::size::Bytes;

/// From here on a disk is rather somebody's archive than a new card.
pub const LARGE: Bytes = Bytes(256_000_000_000);
/// A card that was plugged in longer ago than this may have been forgotten in the reader, in seconds.
pub const LONG_AGO: u64 = 3600;

/// Whether the size must be typed: there is a choice, something may be on it, it is large, or nobody just plugged it in.
///
/// `usable` counts all disks that may be overwritten; `now` is in seconds since 1970.
pub fn asks_size(disk: &Disk, usable: usize, now: u64) -> bool {
    let forgotten = disk.plugged_at.is_none_or(|at| now.saturating_sub(at) > LONG_AGO);
    usable >= 2 || !disk.contents.blank || disk.size >= LARGE || forgotten
}

/// What a typed size says about a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Printed {
    Fits,
    Differs,
    NotANumber,
}

/// Compares what was typed ("64", "64 GB", "1 TB") with the size as sold, and with the real one ± 7 %: makers print
/// more than they deliver.
pub fn printed_size(typed: &str, size: Bytes) -> Printed {
    let Some(typed) = gigabytes(typed) else { return Printed::NotANumber };
    let real = size.0 as f64 / 1e9;
    let sold = gigabytes(&size.as_sold());
    let near = (typed - real).abs() <= 0.07 * typed.max(real);
    if near || sold.is_some_and(|sold| (sold - typed).abs() < 0.01) { Printed::Fits } else { Printed::Differs }
}

fn gigabytes(text: &str) -> Option<f64> {
    let text = text.trim().to_ascii_lowercase().replace(',', ".");
    let (digits, factor) = if let Some(digits) = text.strip_suffix("tb") {
        (digits, 1000.0)
    } else {
        (text.strip_suffix("gb").unwrap_or(&text), 1.0)
    };
    let digits = digits.trim();
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') && digits.len() <= 12;
    let number: f64 = digits.parse().ok().filter(|_| plain)?;
    (number > 0.0).then_some(number * factor)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::disk::Contents;

    fn disk() -> Disk {
        let contents = Contents { blank: true, ..Contents::default() };
        Disk { contents, plug: 2, plugged_at: Some(10_000), ..Disk::sample("sdb") }
    }

    #[test]
    fn the_size_is_asked_where_the_risk_is_higher() {
        type Case = (fn(&mut Disk), usize, u64, bool);
        let cases: [Case; 8] = [
            (|_| {}, 1, 10_060, false),
            (|_| {}, 2, 10_060, true),
            (|d| d.contents.blank = false, 1, 10_060, true),
            (|d| d.size = LARGE, 1, 10_060, true),
            (|d| d.size = Bytes(LARGE.0 - 512), 1, 10_060, false),
            (|d| d.plugged_at = None, 1, 10_060, true),
            (|_| {}, 1, 13_600, false),
            (|_| {}, 1, 13_601, true),
        ];
        for (n, (change, usable, now, want)) in cases.into_iter().enumerate() {
            let mut disk = disk();
            change(&mut disk);
            assert_eq!(asks_size(&disk, usable, now), want, "case {n}");
        }
    }

    #[test]
    fn a_printed_size_fits_as_people_type_it() {
        use Printed::{Differs, Fits, NotANumber};
        let cases = [
            ("64", 63_864_569_856, Fits),
            (" 64 GB ", 63_864_569_856, Fits),
            ("64gb", 62_500_000_000, Fits),
            ("60", 63_864_569_856, Fits),
            ("59", 63_864_569_856, Differs),
            ("32", 63_864_569_856, Differs),
            ("128", 63_864_569_856, Differs),
            ("8", 7_500_000_000, Fits),
            ("1 TB", 1_000_204_886_016, Fits),
            ("1000", 1_000_204_886_016, Fits),
            ("1,5 tb", 1_500_000_000_000, Fits),
            ("1", 1_000_204_886_016, Differs),
            ("", 63_864_569_856, NotANumber),
            ("0", 63_864_569_856, NotANumber),
            ("-64", 63_864_569_856, NotANumber),
            ("inf", 63_864_569_856, NotANumber),
            ("nan", 63_864_569_856, NotANumber),
            ("6e1", 63_864_569_856, NotANumber),
            ("sixty", 63_864_569_856, NotANumber),
            ("999999999999999999", 63_864_569_856, NotANumber),
        ];
        let seen: BTreeSet<&str> = cases.iter().map(|(typed, ..)| *typed).collect();
        assert_eq!(seen.len(), cases.len());
        for (typed, size, want) in cases {
            assert_eq!(printed_size(typed, Bytes(size)), want, "{typed:?}");
        }
    }
}
