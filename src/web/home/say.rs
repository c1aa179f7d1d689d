//! Announcements of plugs and pulls. What changed is found out once, for every open page, however it is kept fresh.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::disk::{Disk, DiskId};
use crate::jobs::DiskList;
use crate::texts::Language;
use crate::web::events::Part;
use crate::web::words;

/// A reader with four slots comes as four disks, one after the other: what happens within this time is one piece of news.
const TOGETHER: Duration = Duration::from_secs(2);

/// What came and went last.
#[derive(Default)]
pub struct Plugs(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    now: Option<Arc<DiskList>>,
    news: Vec<News>,
    at: Option<Instant>,
}

#[derive(Clone)]
pub struct News {
    disk: Disk,
    came: bool,
}

impl Plugs {
    /// Notes what is plugged in now; says what changed last.
    pub fn note(&self, list: &Arc<DiskList>) -> Vec<News> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = memory.now.replace(list.clone()).filter(|before| before.known && list.known) {
            let news = changes(&before, list);
            if !news.is_empty() {
                let now = Instant::now();
                if memory.at.is_some_and(|at| now.duration_since(at) > TOGETHER) {
                    memory.news.clear();
                }
                memory.at = Some(now);
                memory.news.retain(|old| news.iter().all(|new| new.disk.id != old.disk.id));
                memory.news.extend(news);
            }
        }
        memory.news.clone()
    }
}

/// A replugged disk has come; a reader that only lost its card is the card that went.
fn changes(before: &DiskList, after: &DiskList) -> Vec<News> {
    let news = |disk: &Disk, came| News { disk: disk.clone(), came };
    let same = |one: &Disk, other: &Disk| one.plug == other.plug && one.medium == other.medium;
    let left = before.disks.iter().map(|d| &d.disk).filter(|disk| match after.find(&disk.id) {
        Some(now) => {
            disk.medium && (!now.disk.medium || (disk.plug != now.disk.plug && named_otherwise(disk, &now.disk)))
        }
        None => true,
    });
    let came = after.disks.iter().map(|d| &d.disk).filter(|disk| match before.find(&disk.id) {
        Some(then) => disk.medium && !same(disk, &then.disk),
        None => true,
    });
    left.map(|disk| news(disk, false)).chain(came.map(|disk| news(disk, true))).collect()
}

fn named_otherwise(one: &Disk, other: &Disk) -> bool {
    one.name() != other.name()
}

/// Tells one state of the plugs from another, in no language.
fn about(list: &DiskList) -> String {
    let plugs: Vec<(&DiskId, u64, bool)> =
        list.disks.iter().map(|d| (&d.disk.id, d.disk.plug, d.disk.medium)).collect();
    format!("{}{plugs:?}", list.known)
}

/// "SanDisk Ultra, 64 GB, plugged in. 1 disk can be used." `offered`: whether any disk may be used just now.
pub fn say(t: Language, news: &[News], list: &DiskList, offered: bool) -> Part {
    let mut sentences: Vec<String> = Vec::new();
    for News { disk, came } in news {
        let key = match (came, disk.medium) {
            (true, true) => "home-plugged-in",
            (true, false) => "home-no-card",
            (false, _) => "home-pulled-out",
        };
        let sentence = t.with(key, "name", words::disk_name(t, disk));
        // The slots of an empty reader have one name.
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    let usable = list.disks.iter().filter(|d| d.refusals.is_empty()).count();
    sentences.extend(offered.then(|| t.with("home-can-be-used", "n", usable)));
    Part::said("say", &about(list), &sentences.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::disk::Refusal;
    use crate::web::trial::{disk, listed};

    fn list(disks: Vec<crate::jobs::ListedDisk>) -> Arc<DiskList> {
        Arc::new(DiskList { known: true, disks, failed: None })
    }

    fn reader(id: &str) -> crate::jobs::ListedDisk {
        let empty = Disk { medium: false, model: "Reader".into(), ..disk(id) };
        listed(empty, &[Refusal::NoMedium])
    }

    fn text(plugs: &Plugs, list: &Arc<DiskList>) -> String {
        let said = format!("{:?}", say(Language::English, &plugs.note(list), list, true));
        said.split_once("html: \"").and_then(|(_, rest)| rest.split_once('"')).unwrap().0.to_string()
    }

    #[test]
    fn a_plug_and_a_pull_are_told_to_whoever_asks() {
        let plugs = Plugs::default();
        let (none, one) = (list(vec![]), list(vec![listed(disk("sdb"), &[])]));
        let unknown = Arc::new(DiskList::default());
        let cases = [
            (&unknown, "No disk can be used now."),
            (&none, "No disk can be used now."),
            (&one, "SanDisk Ultra, 64 GB, plugged in. 1 disk can be used."),
            (&one, "SanDisk Ultra, 64 GB, plugged in. 1 disk can be used."),
            (&none, "SanDisk Ultra, 64 GB, pulled out. No disk can be used now."),
        ];
        for (list, want) in cases {
            assert_eq!(text(&plugs, list), want);
        }
        let german = say(Language::German, &plugs.note(&one), &one, false);
        assert!(format!("{german:?}").contains("SanDisk Ultra, 64 GB, eingesteckt."));
    }

    #[test]
    fn readers_and_their_cards_are_told_apart() {
        let card = |plug| list(vec![listed(Disk { plug, ..disk("sdb") }, &[])]);
        let other = list(vec![listed(Disk { plug: 9, model: "Extreme".into(), ..disk("sdb") }, &[])]);
        let cases = [
            (list(vec![reader("sdb")]), card(4), "SanDisk Ultra, 64 GB, plugged in. 1"),
            (card(4), list(vec![reader("sdb")]), "SanDisk Ultra, 64 GB, pulled out. No"),
            (list(vec![]), list(vec![reader("sdb"), reader("sdc")]), "SanDisk Reader: no card in it. No"),
            (card(4), card(5), "SanDisk Ultra, 64 GB, plugged in. 1"),
            (card(4), other, "SanDisk Ultra, 64 GB, pulled out. SanDisk Extreme, 64 GB, plugged in. 1"),
        ];
        for (before, after, want) in cases {
            let plugs = Plugs::default();
            plugs.note(&before);
            let got = text(&plugs, &after);
            assert!(got.starts_with(want), "{got}");
        }
    }
}
