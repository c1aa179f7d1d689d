//! Where the disk sits that has to come out, per board.

use crate::domain::disk::{Refusal, Transport};
use crate::domain::image::Board;
use crate::domain::job::JobView;
use crate::domain::system::SystemView;
use crate::jobs::DiskList;

/// The disk that the running system starts from, as far as it is known.
pub struct OldDisk {
    /// "SanDisk Extreme, 32 GB"
    pub name: Option<String>,
    /// Key of the text that says where it sits.
    pub place: &'static str,
}

impl OldDisk {
    /// `apart`: the system keeps its data on another disk than the one it starts from. What is known is known of the
    /// data disk then, and nothing of it may be said about the other.
    pub fn find(job: &JobView, system: &SystemView, disks: &DiskList, apart: bool) -> OldDisk {
        let runs = disks.disks.iter().find(|listed| listed.refusals.contains(&Refusal::RunsSystem));
        let transport = runs.map(|listed| &listed.disk.transport).filter(|_| !apart);
        let board = job.made.board.or_else(|| system.facts.board.as_deref()?.parse().ok());
        OldDisk { name: system.runs_from.clone().filter(|_| !apart), place: place(board, transport) }
    }
}

/// A board of whose own memory nobody knows whether it can be taken out gets careful words.
fn place(board: Option<Board>, transport: Option<&Transport>) -> &'static str {
    match (transport, board) {
        (Some(Transport::Usb), _) => "swap-slot-usb",
        (Some(Transport::Nvme), _) => "swap-slot-nvme",
        (Some(Transport::Sata), _) => "swap-slot-sata",
        // Soldered to the board or to its compute module.
        (_, Some(Board::Green)) => "swap-slot-fixed",
        (Some(Transport::Mmc), Some(Board::Yellow | Board::GenericX86_64 | Board::GenericAarch64)) => "swap-slot-fixed",
        (_, Some(Board::Rpi3_64)) => "swap-slot-rpi",
        (_, Some(Board::Rpi4_64)) => "swap-slot-rpi4",
        (_, Some(Board::Rpi5_64)) => "swap-slot-rpi5",
        (_, Some(Board::Yellow)) => "swap-slot-yellow",
        (_, Some(Board::OdroidC2 | Board::OdroidC4 | Board::OdroidN2 | Board::OdroidM1)) => "swap-slot-odroid",
        (_, Some(Board::OdroidM1s | Board::KhadasVim3)) => "swap-slot-card-or-fixed",
        (_, Some(Board::GenericX86_64 | Board::GenericAarch64)) => "swap-slot-computer",
        (_, None) => "swap-slot-unknown",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::texts::Language;

    #[test]
    fn every_board_has_words_and_the_kind_of_disk_comes_first() {
        use Transport as T;
        let kinds = [None, Some(T::Other), Some(T::Usb), Some(T::Mmc), Some(T::Nvme), Some(T::Sata)];
        let mut keys = BTreeSet::new();
        for board in Board::ALL.into_iter().map(Some).chain([None]) {
            for kind in &kinds {
                let key = place(board, kind.as_ref());
                keys.insert(key);
                for language in Language::ALL {
                    assert!(language.say(key).len() > 20, "{key}");
                }
                let told = [(Transport::Usb, "usb"), (Transport::Nvme, "nvme"), (Transport::Sata, "sata")];
                if let Some((_, end)) = told.into_iter().find(|(of, _)| Some(of) == kind.as_ref()) {
                    assert_eq!(key, format!("swap-slot-{end}"), "{board:?}");
                }
            }
        }
        assert_eq!(keys.len(), 12);
        assert_eq!(place(Some(Board::Rpi4_64), Some(&Transport::Mmc)), "swap-slot-rpi4");
        assert_eq!(place(Some(Board::Yellow), Some(&Transport::Mmc)), "swap-slot-fixed");
        assert_eq!(place(Some(Board::Yellow), None), "swap-slot-yellow");
        assert_eq!(place(None, None), "swap-slot-unknown");
    }
}
