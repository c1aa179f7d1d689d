//! What was plugged, pulled and swapped while we watched (DV-5's plug counter). Pure: it compares one scan with the next.

use std::collections::BTreeMap;

use crate::domain::disk::DiskId;
use crate::domain::size::Bytes;

use super::sysfs::Found;

/// Remembers the last scan. The numbers are given across all disks, so that a letter that moved to another disk never
/// brings an old number back.
#[derive(Debug, Default)]
pub struct PlugBook {
    last: Option<BTreeMap<DiskId, Entry>>,
    plugs: u64,
}

#[derive(Debug)]
struct Entry {
    mark: Mark,
    plug: u64,
    plugged_at: Option<u64>,
}

/// What stays the same for as long as nobody touches disk and medium.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    device_path: String,
    medium: bool,
    size: Bytes,
    medium_id: String,
    diskseq: Option<u64>,
}

impl Mark {
    fn of(found: &Found) -> Mark {
        Mark {
            device_path: found.device_path.clone(),
            medium: found.disk.medium,
            size: found.disk.size,
            medium_id: found.medium_id.clone(),
            diskseq: found.diskseq,
        }
    }
}

/// What happened to a disk between two scans.
#[derive(Debug, PartialEq, Eq)]
enum Event {
    Nothing,
    /// Its medium went, or the kernel says "changed" without our having seen it away. Some readers say that of all their
    /// cards when one is put in: the person has not shown us this one.
    Touched,
    /// Plugged in, or a medium put in, before our eyes.
    Came,
}

impl Event {
    fn between(before: Option<&Mark>, now: &Mark) -> Event {
        let Some(before) = before else { return Event::Came };
        let other_card = before.size != now.size || before.medium_id != now.medium_id;
        if before == now {
            Event::Nothing
        } else if before.device_path != now.device_path || (now.medium && (!before.medium || other_card)) {
            Event::Came
        } else {
            Event::Touched
        }
    }
}

impl PlugBook {
    /// Enters a scan made at `now` (seconds since 1970) and writes `plug` and `plugged_at` into its disks. True: something
    /// came, went or changed since the scan before; the first scan is a change from nothing.
    pub fn update(&mut self, seen: &mut [Found], now: u64) -> bool {
        let Some(mut before) = self.last.take() else {
            self.plugs = 1;
            self.last = Some(seen.iter().map(there_before_us).collect());
            return true;
        };
        let mut after = BTreeMap::new();
        let mut changed = false;
        for found in seen {
            let (entry, is_new) = self.enter(before.remove(&found.disk.id), Mark::of(found), now);
            (found.disk.plug, found.disk.plugged_at) = (entry.plug, entry.plugged_at);
            changed |= is_new;
            after.insert(found.disk.id.clone(), entry);
        }
        self.last = Some(after);
        changed || !before.is_empty()
    }

    fn enter(&mut self, before: Option<Entry>, mark: Mark, now: u64) -> (Entry, bool) {
        let event = Event::between(before.as_ref().map(|entry| &entry.mark), &mark);
        let plugged_at = before.as_ref().and_then(|entry| entry.plugged_at);
        match (event, before) {
            (Event::Nothing, Some(entry)) => (entry, false),
            (Event::Touched, _) => (Entry { mark, plug: self.next(), plugged_at }, true),
            (Event::Came | Event::Nothing, _) => (Entry { mark, plug: self.next(), plugged_at: Some(now) }, true),
        }
    }

    fn next(&mut self) -> u64 {
        self.plugs += 1;
        self.plugs
    }
}

fn there_before_us(found: &Found) -> (DiskId, Entry) {
    (found.disk.id.clone(), Entry { mark: Mark::of(found), plug: 1, plugged_at: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::disk::Disk;

    fn found(id: &str, change: impl Fn(&mut Found)) -> Found {
        let disk = Disk::sample(id);
        let mut found = Found { disk, medium_id: String::new(), diskseq: Some(9), device_path: "host6".into() };
        change(&mut found);
        found
    }

    fn empty(found: &mut Found) {
        (found.disk.medium, found.disk.size) = (false, Bytes::ZERO);
    }

    fn update(book: &mut PlugBook, now: u64, mut seen: Vec<Found>) -> (bool, Vec<(u64, Option<u64>)>) {
        let changed = book.update(&mut seen, now);
        (changed, seen.iter().map(|f| (f.disk.plug, f.disk.plugged_at)).collect())
    }

    /// Before, after, and what becomes of number and time at second 50.
    type Case = (fn(&mut Found), fn(&mut Found), bool, (u64, Option<u64>));

    #[test]
    fn a_change_gives_a_new_number_and_a_plug_before_our_eyes_a_time() {
        let cases: &[Case] = &[
            (|_| {}, |_| {}, false, (1, None)),
            (|_| {}, |f| f.disk.vendor = "other".into(), false, (1, None)),
            (|_| {}, |f| f.device_path = "host7".into(), true, (2, Some(50))),
            (|_| {}, |f| f.disk.size = Bytes(32), true, (2, Some(50))),
            (|_| {}, |f| f.medium_id = "03".into(), true, (2, Some(50))),
            (|_| {}, |f| f.diskseq = Some(10), true, (2, None)),
            (|_| {}, empty, true, (2, None)),
            (empty, |_| {}, true, (2, Some(50))),
            (empty, empty, false, (1, None)),
            (|f| f.diskseq = None, |f| f.diskseq = None, false, (1, None)),
        ];
        for (n, (before, after, changed, want)) in cases.iter().enumerate() {
            let mut book = PlugBook::default();
            assert_eq!(update(&mut book, 10, vec![found("sda", before)]), (true, vec![(1, None)]), "case {n}");
            assert_eq!(update(&mut book, 50, vec![found("sda", after)]), (*changed, vec![*want]), "case {n}");
            assert_eq!(update(&mut book, 60, vec![found("sda", after)]), (false, vec![*want]), "case {n}");
        }
    }

    #[test]
    fn a_number_never_comes_back() {
        let mut book = PlugBook::default();
        let (a, b) = (|| found("sda", |_| {}), || found("sdb", |_| {}));
        assert_eq!(update(&mut book, 1, vec![]), (true, vec![]));
        assert_eq!(update(&mut book, 2, vec![a()]), (true, vec![(2, Some(2))]));
        assert_eq!(update(&mut book, 3, vec![a(), b()]), (true, vec![(2, Some(2)), (3, Some(3))]));
        assert_eq!(update(&mut book, 4, vec![b()]), (true, vec![(3, Some(3))]));
        assert_eq!(update(&mut book, 5, vec![]), (true, vec![]));
        assert_eq!(update(&mut book, 6, vec![]), (false, vec![]));
        assert_eq!(update(&mut book, 7, vec![b()]), (true, vec![(4, Some(7))]));
    }

    #[test]
    fn a_card_that_was_out_keeps_its_time_until_the_next_one_is_put_in() {
        let mut book = PlugBook::default();
        update(&mut book, 1, vec![found("sda", empty)]);
        assert_eq!(update(&mut book, 2, vec![found("sda", |_| {})]).1, [(2, Some(2))]);
        assert_eq!(update(&mut book, 3, vec![found("sda", empty)]).1, [(3, Some(2))]);
        assert_eq!(update(&mut book, 4, vec![found("sda", |_| {})]).1, [(4, Some(4))]);
    }
}
