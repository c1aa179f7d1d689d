//! Where everything lies on each board (os `board/*/*/meta`, `genimage/*.cfg`, `scripts/hdd-image.sh`).

use super::Shape;
use crate::domain::image::Board;
use crate::domain::layout::TableKind;

/// Sectors in a MiB.
pub(super) const MIB: u64 = 2048;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Uboot,
    Boot,
    Kernel0,
    System0,
    Kernel1,
    System1,
    Bootstate,
    Overlay,
    Data,
}

/// A partition; positions in sectors. The data partition's length is known only once its file system is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub part: Part,
    pub number: u32,
    pub start: u64,
    pub sectors: u64,
}

impl Slot {
    pub(super) fn end(&self) -> u64 {
        self.start + self.sectors
    }
}

#[derive(Debug, Clone)]
pub(super) struct Geometry {
    pub kind: TableKind,
    /// As the GPT says: the start of the first partition up to 17, the first free sector from 18 on.
    pub first_usable: u64,
    /// In the order of the disk; data is the last.
    pub slots: Vec<Slot>,
    /// Boot loaders outside partitions: first byte and number of bytes.
    pub loaders: Vec<(u64, u64)>,
    /// The loader begins in sector 0, before the table.
    pub has_code: bool,
}

/// Sizes in MiB: p1's start, boot, kernel, system, bootstate, overlay.
struct Sizes {
    first: u64,
    boot: u64,
    kernel: u64,
    system: u64,
    state: u64,
    overlay: u64,
}

impl Sizes {
    fn of(board: Board, shape: Shape) -> Sizes {
        let family = Family::of(board);
        if shape == Shape::Tiny {
            let first = if family == Family::Plain { 1 } else { 2 };
            return Sizes { first, boot: 2, kernel: 1, system: 1, state: 1, overlay: 1 };
        }
        let (first, boot) = match family {
            Family::Plain if board == Board::Rpi5_64 => (1, 64),
            Family::Plain => (1, 32),
            Family::Rockchip => (16, 16),
            Family::Amlogic => (8, 24),
        };
        Sizes { first, boot, kernel: 24, system: 256, state: 8, overlay: 96 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    /// No loader outside partitions.
    Plain,
    /// Loader at 32 KiB; U-Boot at half of what lies before boot.
    Rockchip,
    /// Loader from the second sector on, or from the first.
    Amlogic,
}

impl Family {
    fn of(board: Board) -> Family {
        match board {
            Board::Green | Board::OdroidM1 | Board::OdroidM1s => Family::Rockchip,
            Board::OdroidN2 | Board::OdroidC2 | Board::OdroidC4 | Board::KhadasVim3 => Family::Amlogic,
            _ => Family::Plain,
        }
    }
}

pub(super) fn kind(board: Board) -> TableKind {
    match board {
        Board::GenericX86_64 | Board::GenericAarch64 | Board::Rpi5_64 => TableKind::Gpt,
        _ if Family::of(board) == Family::Amlogic => TableKind::Mbr,
        _ => TableKind::HybridGpt,
    }
}

impl Geometry {
    pub(super) fn of(board: Board, shape: Shape) -> Geometry {
        let sizes = Sizes::of(board, shape);
        let kind = kind(board);
        let slots = if kind == TableKind::Mbr { mbr_slots(&sizes) } else { gpt_slots(board, &sizes) };
        let first_usable = match (shape, board) {
            (Shape::Release17, _) | (_, Board::Green) => slots.iter().map(|s| s.start).min().unwrap_or(34),
            _ => 34,
        };
        let has_code = matches!(board, Board::OdroidC2 | Board::KhadasVim3);
        Geometry { kind, first_usable, slots, loaders: loaders(board, &sizes), has_code }
    }

    pub(super) fn slot(&self, part: Part) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.part == part)
    }
}

/// Sectors from the first one on, in the order of the disk.
fn sizes_in_order(sizes: &Sizes) -> [(Part, u64); 8] {
    [
        (Part::Boot, sizes.boot),
        (Part::Kernel0, sizes.kernel),
        (Part::System0, sizes.system),
        (Part::Kernel1, sizes.kernel),
        (Part::System1, sizes.system),
        (Part::Bootstate, sizes.state),
        (Part::Overlay, sizes.overlay),
        (Part::Data, 0),
    ]
    .map(|(part, mib)| (part, mib * MIB))
}

fn gpt_slots(board: Board, sizes: &Sizes) -> Vec<Slot> {
    let mut slots = Vec::new();
    let mut start = sizes.first * MIB;
    if matches!(board, Board::OdroidM1 | Board::OdroidM1s) {
        slots.push(Slot { part: Part::Uboot, number: 1, start: start / 2, sectors: start / 2 });
    }
    for (part, sectors) in sizes_in_order(sizes) {
        slots.push(Slot { part, number: slots.len() as u32 + 1, start, sectors });
        start += sectors;
    }
    slots
}

/// Kernels, systems and bootstate are logical, each behind its link sector by one MiB.
fn mbr_slots(sizes: &Sizes) -> Vec<Slot> {
    let mut slots: Vec<Slot> = Vec::new();
    let mut start = sizes.first * MIB;
    let numbers = [1, 5, 6, 7, 8, 9, 3, 4];
    for ((part, sectors), number) in sizes_in_order(sizes).into_iter().zip(numbers) {
        start += if number >= 5 { MIB } else { 0 };
        slots.push(Slot { part, number, start, sectors });
        start += sectors;
    }
    slots
}

/// The second loader of the M1 and M1S is a partition.
fn loaders(board: Board, sizes: &Sizes) -> Vec<(u64, u64)> {
    let first = sizes.first << 20;
    match Family::of(board) {
        Family::Plain => vec![],
        Family::Rockchip if board == Board::Green => vec![(32 << 10, 220 << 10), (first / 2, 900 << 10)],
        Family::Rockchip => vec![(32 << 10, 220 << 10)],
        // Across the end of the first MiB, as the real ones.
        Family::Amlogic => vec![(512, 1300 << 10)],
    }
}
