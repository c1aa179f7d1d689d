//! Which boards have such a card (`PARTITION_TABLE_TYPE`, `BOOT_SIZE` and `BOOT_SPL` of each board of the operating
//! system). What they have in common cannot be told apart from the table.

use crate::domain::image::Board;
use crate::domain::layout::{Layout, TableKind};

/// In an MBR image, the number of the partition that GPT ones call `hassos-kernel0`.
const KERNEL_IN_MBR: u32 = 5;

pub(super) fn candidates(layout: &Layout, head: &[u8]) -> Vec<Board> {
    use Board::*;
    let named = |name: &str| layout.partitions.iter().find(|p| p.name == name).map(|p| p.start);
    let (boot, kernel) = match layout.kind {
        TableKind::Mbr => (layout.partition(1).map(|p| p.start), layout.partition(KERNEL_IN_MBR).map(|p| p.start)),
        _ => (named("hassos-boot"), named("hassos-kernel0")),
    };
    // The loader of two MBR boards begins in sector 0 itself, before the table.
    let has_code = head.get(..440).is_some_and(|code| code.iter().any(|byte| *byte != 0));
    match (layout.kind, boot, kernel) {
        (TableKind::Gpt, Some(2048), Some(67584)) => vec![GenericX86_64, GenericAarch64],
        (TableKind::Gpt, Some(2048), Some(133_120)) => vec![Rpi5_64],
        (TableKind::HybridGpt, Some(2048), Some(67584)) => vec![Rpi3_64, Rpi4_64, Yellow],
        (TableKind::HybridGpt, Some(32768), Some(65536)) if named("uboot").is_some() => vec![OdroidM1, OdroidM1s],
        (TableKind::HybridGpt, Some(32768), Some(65536)) => vec![Green],
        (TableKind::Mbr, Some(16384), Some(67584)) if has_code => vec![OdroidC2, KhadasVim3],
        (TableKind::Mbr, Some(16384), Some(67584)) => vec![OdroidN2, OdroidC4],
        _ => Vec::new(),
    }
}

/// "Home Assistant OS for rpi3-64, rpi4-64 or yellow (hybrid GPT)"
pub(super) fn words(boards: &[Board], kind: TableKind) -> String {
    let slugs: Vec<&str> = boards.iter().map(|board| board.slug()).collect();
    match slugs.split_last() {
        None => format!("Home Assistant OS ({kind})"),
        Some((only, [])) => format!("Home Assistant OS for {only} ({kind})"),
        Some((last, others)) => format!("Home Assistant OS for {} or {last} ({kind})", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::layout::{Guid, Partition, TableId, TypeId};

    fn layout(kind: TableKind, partitions: &[(u32, &str, u64)]) -> Layout {
        let partition = |(number, name, start): &(u32, &str, u64)| Partition {
            number: *number,
            start: *start,
            sectors: 8,
            type_id: TypeId::Mbr(0x83),
            name: (*name).into(),
            uuid: None,
            attributes: 0,
            active: false,
        };
        let partitions = partitions.iter().map(partition).collect();
        let id = TableId::Guid(Guid([0; 16]));
        Layout { kind, id, partitions, first_usable: 34, last_usable: 1 << 20, end: 1 << 21, gpt: None }
    }

    #[test]
    fn a_board_is_named_only_where_no_other_has_such_a_card() {
        use Board::*;
        use TableKind::*;
        let os = |boot, kernel| vec![(1, "hassos-boot", boot), (2, "hassos-kernel0", kernel)];
        let mut with_loader = os(32768, 65536);
        with_loader.push((3, "uboot", 16384));
        let mbr = vec![(1, "", 16384), (5, "", 67584)];
        let code = [vec![0xfa], vec![0; 511]].concat();
        let cases: [(_, Vec<_>, &[u8], &[Board]); 9] = [
            (Gpt, os(2048, 67584), &[], &[GenericX86_64, GenericAarch64]),
            (Gpt, os(2048, 133_120), &[], &[Rpi5_64]),
            (HybridGpt, os(2048, 67584), &[], &[Rpi3_64, Rpi4_64, Yellow]),
            (HybridGpt, os(32768, 65536), &[], &[Green]),
            (HybridGpt, with_loader, &[], &[OdroidM1, OdroidM1s]),
            (Mbr, mbr.clone(), &code, &[OdroidC2, KhadasVim3]),
            (Mbr, mbr, &[0; 512], &[OdroidN2, OdroidC4]),
            (Gpt, os(2048, 9999), &[], &[]),
            (Gpt, vec![], &[], &[]),
        ];
        for (kind, partitions, head, expected) in cases {
            assert_eq!(candidates(&layout(kind, &partitions), head), expected, "{kind} {partitions:?}");
        }
    }

    #[test]
    fn words_name_every_board_that_it_may_be() {
        assert_eq!(words(&[], TableKind::Mbr), "Home Assistant OS (MBR)");
        assert_eq!(words(&[Board::Green], TableKind::HybridGpt), "Home Assistant OS for green (hybrid GPT)");
        let three = [Board::Rpi3_64, Board::Rpi4_64, Board::Yellow];
        assert_eq!(words(&three, TableKind::Gpt), "Home Assistant OS for rpi3-64, rpi4-64 or yellow (GPT)");
    }
}
