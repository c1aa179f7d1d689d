//! "This system": what runs here, and what a new card needs.

use crate::domain::image::Board;
use crate::domain::size::Bytes;
use crate::domain::system::SystemView;
use crate::texts::Language;

/// Names and values, as a list shows them.
pub type Rows = Vec<(String, String)>;

pub struct SystemBox {
    pub known: bool,
    pub rows: Rows,
    pub technical: Rows,
}

impl SystemBox {
    pub fn new(t: Language, view: &SystemView) -> SystemBox {
        let facts = &view.facts;
        let list = |rows: Vec<(&str, Option<String>)>| {
            rows.into_iter().filter_map(|(key, value)| Some((t.say(key), value?))).collect()
        };
        let rows = list(vec![
            ("home-board", facts.board.as_deref().map(board_name)),
            ("home-os", system_line(t, view)),
            ("home-free", free_line(t, view)),
            ("home-runs-from", view.runs_from.clone()),
            ("home-need", view.need.map(|need| t.with("home-or-more", "size", card_for(need).sold_in(t)))),
        ]);
        let technical = list(vec![
            ("home-machine", facts.machine.clone()),
            ("home-board", facts.board.clone()),
            ("home-supervisor", facts.supervisor_version.clone()),
            ("home-core", facts.core_version.clone()),
            ("home-state", facts.state.clone()),
        ]);
        SystemBox { known: view.known, rows, technical }
    }
}

fn board_name(slug: &str) -> String {
    slug.parse::<Board>().map_or_else(|_| slug.into(), |board| board.name().into())
}

fn system_line(t: Language, view: &SystemView) -> Option<String> {
    let version = view.facts.os_version.as_ref()?.to_string();
    Some(match &view.facts.os_latest {
        Some(latest) => t.tell("home-os-newest", &[("version", &version), ("latest", &latest.to_string())]),
        None => t.with("home-os-version", "version", version),
    })
}

fn free_line(t: Language, view: &SystemView) -> Option<String> {
    let free = view.facts.disk_free.map(|free| free.said_in(t));
    let backup = view.facts.expected_backup().map(|size| t.with("home-backup-about", "size", size.said_in(t)));
    let parts: Vec<String> = [free, backup].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// The smallest card that is sold and holds `need`; makers deliver a little less than they print.
pub fn card_for(need: Bytes) -> Bytes {
    let sizes = [8, 16, 32, 64, 128, 256, 512, 1000, 2000].map(|gb: u64| gb * 1_000_000_000);
    sizes.into_iter().find(|size| size / 100 * 93 >= need.0).map_or(need, Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_named_by_the_size_that_is_sold() {
        let cases = [(1, "8 GB"), (7_440_000_000, "8 GB"), (7_440_000_001, "16 GB"), (59_000_000_000, "64 GB")];
        for (need, want) in cases {
            assert_eq!(card_for(Bytes(need)).as_sold(), want, "{need}");
        }
    }
}
