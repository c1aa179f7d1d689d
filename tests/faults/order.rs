//! The order of writes (WR-1), read off the card's own log, and the power cut at each of the writes that decide.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use sd_swap::domain::job::{CardNow, JobState};
use sd_swap::domain::stage::Stage;
use sd_swap::host::scratch::fault::{Fault, Op};

use crate::bench::*;

/// The places that a counterfeit card is tried at have this length.
const PROBE: u64 = 4096;

fn write(offset: u64, length: u64) -> Op {
    Op::Write { offset, length }
}

fn writes(log: &[Op]) -> Vec<(u64, u64)> {
    let of = |op: &Op| if let Op::Write { offset, length } = op { Some((*offset, *length)) } else { None };
    log.iter().filter_map(of).collect()
}

/// The operations but for reads, which change nothing.
fn deeds(log: &[Op]) -> Vec<Op> {
    log.iter().filter(|op| !matches!(op, Op::Read { .. })).cloned().collect()
}

fn mbr_log() -> &'static [Op] {
    static LOG: OnceLock<Vec<Op>> = OnceLock::new();
    LOG.get_or_init(|| {
        let bench = Bench::new();
        let image = bench.file("my.img", mbr_image());
        assert_eq!(bench.make_image(image).unwrap().state, JobState::Done);
        bench.faults().log()
    })
}

#[test]
fn blanking_writes_sector_0_alone_and_flushes_before_anything_else() {
    for log in [clean_log(), mbr_log()] {
        let want =
            [Op::Claim, write(0, SECTOR), Op::Flush, write(SECTOR, MIB - SECTOR), write(CARD - MIB, MIB), Op::Flush];
        assert_eq!(deeds(log)[..want.len()], want);
    }
}

#[test]
fn a_counterfeit_is_looked_for_before_the_image_is_written() {
    for log in [clean_log(), mbr_log()] {
        let writes = writes(log);
        let first_image = writes.iter().position(|(at, length)| *at == MIB && *length == MIB).unwrap();
        let mut probes = writes[3..first_image].to_vec();
        // The end is blank again afterwards, the other places are as they were.
        assert_eq!(probes.pop(), Some((CARD - MIB, MIB)));
        let put_back = probes.split_off(probes.len() / 2);
        assert_eq!(put_back, probes);
        assert!(probes.iter().all(|(_, length)| *length == PROBE), "{probes:?}");
        assert_eq!(probes.last(), Some(&(CARD - PROBE, PROBE)));
        let doubling: Vec<u64> = probes[..probes.len() - 1].iter().map(|(at, _)| *at).collect();
        assert_eq!(doubling, [1, 2, 4, 8, 16, 32].map(|n| n * MIB));
        // Flushed, or it would be the cache that is tried.
        let last = log.iter().position(|op| *op == write(CARD - PROBE, PROBE)).unwrap();
        assert_eq!(log[last + 1], Op::Flush);
    }
}

/// What was put onto this card before is what `make` finds; its log up to the look back, and that itself.
fn log_on(before: &[u8]) -> (Vec<Op>, Vec<Op>) {
    let mut bench = Bench::new();
    let card = File::options().write(true).open(&bench.card).unwrap();
    card.write_all_at(before, 0).unwrap();
    bench.remember();
    let view = bench.make().unwrap();
    assert_eq!(view.state, JobState::Done, "{view:#?}");
    assert_eq!(bench.found(), Found::Finished);
    let log = bench.faults().log();
    let (verify, grow) = (begin_of(&log, Stage::Verify), begin_of(&log, Stage::Grow));
    (log[..verify].to_vec(), log[verify..grow].to_vec())
}

/// Chunks of the image that were written.
fn image_writes(log: &[Op]) -> Vec<u64> {
    let of_image = |(at, length): &(u64, u64)| *length == MIB && (MIB..IMAGE).contains(at);
    writes(log).into_iter().filter(of_image).map(|(at, _)| at / MIB).collect()
}

/// Chunks of the image that were read whole.
fn image_reads(log: &[Op]) -> Vec<u64> {
    let of = |op: &Op| match op {
        Op::Read { offset, length } if *length >= MIB && (MIB..IMAGE).contains(offset) => {
            (offset / MIB..(offset + length) / MIB).collect()
        }
        _ => Vec::new(),
    };
    log.iter().flat_map(of).collect()
}

fn full_chunks() -> Vec<u64> {
    let image = gpt_image();
    let chunk = |number: &u64| &image[(number * MIB) as usize..((number + 1) * MIB) as usize];
    (1..IMAGE / MIB).filter(|number| chunk(number).iter().any(|byte| *byte != 0)).collect()
}

#[test]
fn a_card_that_holds_the_image_is_read_once_and_not_written() {
    let (write, verify) = log_on(gpt_image());
    assert_eq!(image_writes(&write), Vec::<u64>::new());
    let mut read = [image_reads(&write), image_reads(&verify)].concat();
    read.sort_unstable();
    assert_eq!(read, (1..IMAGE / MIB).collect::<Vec<_>>());
}

#[test]
fn one_chunk_that_differs_is_written_and_all_before_it_read_again() {
    let full = full_chunks();
    let other = full[full.len() / 2];
    let mut before = gpt_image().to_vec();
    before[(other * MIB + 70_000) as usize] ^= 1;
    let (write, verify) = log_on(&before);
    assert!(image_writes(&write).contains(&other));
    let last = image_writes(&write).into_iter().max().unwrap();
    let read = image_reads(&verify);
    assert!((1..=last).all(|number| read.contains(&number)), "{last} {read:?}");
}

#[test]
fn a_blank_card_gets_no_zeros_and_one_full_of_something_else_gets_all() {
    let (write, verify) = log_on(&vec![0; CARD as usize]);
    assert_eq!(image_writes(&write), full_chunks());
    assert_eq!(image_reads(&verify), (1..IMAGE / MIB).collect::<Vec<_>>());
    assert_eq!(image_writes(&verify), Vec::<u64>::new());
    let (write, verify) = log_on(&noise(11, CARD as usize));
    assert_eq!(image_writes(&write), (1..IMAGE / MIB).collect::<Vec<_>>());
    assert_eq!(image_reads(&write), Vec::<u64>::new(), "a few pages tell it");
    assert_eq!(image_reads(&verify), (1..IMAGE / MIB).collect::<Vec<_>>());
}

#[test]
fn zeros_that_were_only_hoped_for_are_put_right() {
    let full = full_chunks();
    let zero = (1..IMAGE / MIB).rev().find(|number| !full.contains(number)).unwrap();
    let mut before = vec![0; CARD as usize];
    before[(zero * MIB + 1234) as usize] = 7;
    let (write, verify) = log_on(&before);
    assert!(!image_writes(&write).contains(&zero));
    assert_eq!(image_writes(&verify), [zero]);
    assert_eq!(image_reads(&verify).last(), Some(&zero), "and read again");
}

#[test]
fn between_blanking_and_commit_neither_end_is_written() {
    for log in [clean_log(), mbr_log()] {
        let first_image = log.iter().position(|op| *op == write(MIB, MIB)).unwrap();
        let between = writes(&log[first_image..begin_of(log, Stage::Commit)]);
        assert!(between.len() > 8, "{between:?}");
        for (at, length) in between {
            assert!(at >= MIB && at + length <= CARD - 33 * SECTOR, "{at} {length}");
        }
    }
}

#[test]
fn everything_is_flushed_before_it_is_compared_and_before_tools_come() {
    let log = clean_log();
    let written = &log[..begin_of(log, Stage::Verify)];
    let last_image = written.iter().rposition(|op| matches!(op, Op::Write { .. })).unwrap();
    assert_eq!(log[last_image + 1..last_image + 3], [Op::Flush, Op::ShutOut]);
    let tools: Vec<_> = deeds(log).into_iter().filter(|op| !matches!(op, Op::Write { .. } | Op::Flush)).collect();
    let tool = Op::Tool;
    let grow = [Op::ShutOut, Op::AdmitTools, tool("e2fsck"), tool("resize2fs"), Op::ShutOut];
    // The overlay; the backup's blocks are reserved, listed, and marked as written; it is written; both are checked.
    let place = [Op::AdmitTools, tool("debugfs"), tool("debugfs"), tool("debugfs"), Op::ShutOut];
    let inject = [&place[..], &[Op::AdmitTools, tool("e2fsck"), tool("e2fsck"), Op::ShutOut]].concat();
    let want = [&[Op::Claim, Op::ShutOut][..], &grow, &inject, &[Op::ShutOut]].concat();
    assert_eq!(tools, want);
}

#[test]
fn commit_writes_the_tail_then_the_head_then_sector_0_alone() {
    let read = |offset, length| Op::Read { offset, length };
    let put = |offset, length| [write(offset, length), Op::Flush, read(offset, length)];
    let (head, first) = (put(SECTOR, MIB - SECTOR), put(0, SECTOR));
    let log = clean_log();
    let tail = put(CARD - 33 * SECTOR, 33 * SECTOR);
    assert_eq!(log[begin_of(log, Stage::Commit) + 1..], [tail, head.clone(), first.clone()].concat());
    let log = mbr_log();
    assert_eq!(log[begin_of(log, Stage::Commit) + 1..], [head, first].concat());
}

/// Cuts the power before operation `n` of a job; what was written since the last flush is kept or lost by `seed`.
fn cut(n: usize, seed: u64, is_mbr: bool) -> Found {
    let bench = Bench::new();
    bench.faults().at(n as u64, Fault::PowerCut { seed });
    let view = match is_mbr {
        true => bench.make_image(bench.file("my.img", mbr_image())),
        false => bench.make(),
    };
    let view = view.unwrap();
    assert_eq!(view.state, JobState::Failed, "at {n}: {view:#?}");
    assert!(bench.faults().is_off());
    // An operation later nobody could look at the card any more; before the first write nothing happened to it.
    let want =
        if n <= first_write(clean_log()) { [CardNow::Untouched, CardNow::Unknown] } else { [CardNow::Unknown; 2] };
    assert!(want.contains(&view.card_now), "at {n}: {view:#?}");
    let found = bench.found();
    // The power is back.
    bench.host.plug(&bench.disk, None);
    if seed == SEEDS[0] {
        bench.assert_usable();
    }
    found
}

fn first_write(log: &[Op]) -> usize {
    log.iter().position(|op| matches!(op, Op::Write { .. })).unwrap()
}

const SEEDS: [u64; 4] = [0xdead_beef_0bad_cafe, 1, 5, 0x9e37_79b9_7f4a_7c15];

#[test]
fn a_power_cut_while_blanking_leaves_the_card_untouched_or_blank() {
    let log = clean_log();
    let first_write = first_write(log);
    let first_flush = log.iter().position(|op| *op == Op::Flush).unwrap();
    let first_image = log.iter().position(|op| *op == write(MIB, MIB)).unwrap();
    let mut seen = Vec::new();
    for (n, op) in log.iter().enumerate().take(first_image + 1) {
        for seed in SEEDS {
            let found = cut(n, seed, false);
            let fits = match n {
                n if n <= first_write => found == Found::Untouched,
                // The flush itself did not happen.
                n if n <= first_flush => matches!(found, Found::Untouched | Found::Blank),
                _ => found == Found::Blank,
            };
            assert!(fits, "cut at {n} ({op:?}), seed {seed:#x}: {found:?}");
            if n == first_flush {
                seen.push(found);
            }
        }
    }
    // The model does lose writes and keep them.
    assert!(seen.contains(&Found::Untouched) && seen.contains(&Found::Blank), "{seen:?}");
}

#[test]
fn a_power_cut_while_writing_leaves_the_card_blank() {
    let log = clean_log();
    let first_image = log.iter().position(|op| *op == write(MIB, MIB)).unwrap();
    for n in (first_image + 1..begin_of(log, Stage::Commit)).step_by(4) {
        assert_eq!(cut(n, SEEDS[3], false), Found::Blank, "cut at {n} ({:?})", log[n]);
    }
}

#[test]
fn a_power_cut_in_commit_leaves_the_card_blank_or_finished() {
    for (log, is_mbr) in [(clean_log(), false), (mbr_log(), true)] {
        let (begin, end) = (begin_of(log, Stage::Commit), log.len());
        let mut at_the_end = Vec::new();
        for (n, op) in log.iter().enumerate().skip(begin) {
            for seed in SEEDS {
                let found = cut(n, seed, is_mbr);
                let fits = match end - n {
                    // Before the last reading: everything was flushed.
                    1 => found == Found::Finished,
                    // Before the last flush: only sector 0 may be lost.
                    2 => matches!(found, Found::Blank | Found::Finished),
                    _ => found == Found::Blank,
                };
                assert!(fits, "cut at {n} ({op:?}), seed {seed:#x}: {found:?}");
                if end - n == 2 {
                    at_the_end.push(found);
                }
            }
        }
        assert!(at_the_end.contains(&Found::Blank) && at_the_end.contains(&Found::Finished), "{at_the_end:?}");
    }
}
