//! Faults of the card.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use sd_swap::domain::job::{CardNow, JobState, JobView};
use sd_swap::domain::problem::Problem;
use sd_swap::domain::size::Bytes;
use sd_swap::domain::stage::Stage;
use sd_swap::host::Host;
use sd_swap::host::scratch::fault::{Damage, Fault, Op};
use sd_swap::jobs::StartError;

use crate::bench::*;
use crate::watched::{Act, Watched};

/// The problem of a job with this fault at operation `n`; afterwards a job without it makes a card.
fn with_fault(n: usize, fault: Fault) -> (Problem, JobView) {
    let bench = Bench::new();
    bench.faults().at(n as u64, fault);
    let ended = bench.failed(bench.make());
    bench.host.plug(&bench.disk, None);
    bench.assert_usable();
    ended
}

#[test]
fn pulled_in_each_stage() {
    let log = clean_log();
    let first_write = log.iter().position(|op| matches!(op, Op::Write { .. })).unwrap();
    let stages = [Stage::Preflight, Stage::Write, Stage::Verify, Stage::Grow, Stage::Inject, Stage::Commit];
    for (nth, stage) in stages.into_iter().enumerate() {
        let begin = begin_of(log, stage);
        let end = stages.get(nth + 1).map_or(log.len(), |next| begin_of(log, *next));
        for n in [begin, (begin + end) / 2, end - 1] {
            let (problem, view) = with_fault(n, Fault::Pulled);
            // Gone before it could be opened: there is no such disk any more.
            let want = if n == 0 { Problem::DiskChanged } else { Problem::CardPulled { stage } };
            assert_eq!(problem, want, "at {n}: {:?}", log[n]);
            let now = if n < first_write { CardNow::Untouched } else { CardNow::Unknown };
            assert_eq!(view.card_now, now, "at {n}: {:?}", log[n]);
            assert_eq!(view.last_stage(), Some(stage));
        }
    }
}

#[test]
fn swapped_for_a_twin_between_confirm_and_start() {
    let mut bench = Bench::new();
    let request = bench.request();
    // The same maker, model, serial, reader and size; other bytes.
    let twin = bench.file("my-twin.img", &noise(5, CARD as usize));
    bench.host.plug(&bench.disk, Some(twin.clone()));
    let refused = bench.make_with(Arc::new(bench.host.clone()), request).unwrap_err();
    assert_eq!(refused, StartError::Changed);
    bench.card = twin;
    assert!(fs::read(&bench.card).unwrap() == noise(5, CARD as usize));
    bench.assert_usable();
}

#[test]
fn swapped_for_a_twin_between_the_scan_and_the_claim() {
    let bench = Bench::new();
    let (twin, host, disk) =
        (bench.file("my-twin.img", &noise(5, CARD as usize)), bench.host.clone(), bench.disk.clone());
    let swap = {
        let twin = twin.clone();
        move || host.plug(&disk, Some(twin.clone()))
    };
    let watched = Watched::new(&bench.host, move |act, _| {
        if *act == Act::Claim {
            swap()
        }
    });
    let (problem, view) = bench.failed(bench.make_with(Arc::new(watched), bench.request()));
    assert_eq!((problem, view.card_now), (Problem::DiskChanged, CardNow::Untouched));
    assert!(fs::read(twin).unwrap() == noise(5, CARD as usize));
}

#[test]
fn swapped_between_claim_and_first_write() {
    let mut bench = Bench::new();
    let card = File::options().write(true).open(&bench.card).unwrap();
    // The second look is the one right before the first write.
    let watched = Watched::new(&bench.host, move |act, n| {
        if (act, n) == (&Act::Fingerprint, 1) {
            card.write_all_at(&noise(6, 4096), 8192).unwrap();
        }
    });
    let view = bench.make_with(Arc::new(watched), bench.request()).unwrap();
    bench.remember();
    assert_eq!((view.problem.as_ref(), view.card_now), (Some(&Problem::DiskChanged), CardNow::Untouched));
    assert_eq!(bench.faults().log().iter().filter(|op| matches!(op, Op::Write { .. })).count(), 0);
    bench.assert_tidy(&view);
    bench.assert_usable();
}

#[test]
fn a_write_fails() {
    let log = clean_log();
    let writes: Vec<usize> = (0..log.len()).filter(|n| matches!(log[*n], Op::Write { .. })).collect();
    let commit = begin_of(log, Stage::Commit);
    let last = writes.len() - 1;
    // Blanking, the search for a counterfeit, the image from its first to its last MiB, all of commit.
    for nth in [0, 1, 2, 3, 9, 11, 12, 13, 18, last - 3, last - 2, last - 1, last] {
        let n = writes[nth];
        let Op::Write { offset, .. } = log[n] else { unreachable!() };
        let (problem, view) = with_fault(n, Fault::Fails);
        assert_eq!(problem, Problem::WriteFailed { at: Some(Bytes(offset)) }, "at {n}: {:?}", log[n]);
        assert_eq!(view.card_now, CardNow::Blank, "at {n}: {:?}", log[n]);
    }
    assert!(writes[last - 2] >= commit && writes[last - 3] < commit);
}

#[test]
fn the_card_goes_on_failing_from_some_moment_on() {
    let log = clean_log();
    let write = log.iter().position(|op| *op == Op::Write { offset: 5 * MIB, length: MIB }).unwrap();
    for n in [write, begin_of(log, Stage::Verify) + 3, begin_of(log, Stage::Commit) + 8] {
        let bench = Bench::new();
        (n..n + 500).for_each(|n| bench.faults().at(n as u64, Fault::Fails));
        let (_, view) = bench.failed(bench.make());
        assert_eq!(view.card_now, CardNow::Unknown, "at {n}: {:?}", log[n]);
        bench.host.plug(&bench.disk, None);
        bench.assert_usable();
    }
}

#[test]
fn a_worn_card_that_takes_no_more_writes_is_blank_all_the_same() {
    let log = clean_log();
    let bench = Bench::new();
    let first = log.iter().position(|op| *op == Op::Write { offset: 5 * MIB, length: MIB }).unwrap() as u64;
    // The failed write, then to take the card again, and twice the first write of blanking; reading works.
    bench.faults().at(first, Fault::Fails);
    bench.faults().at(first + 2, Fault::Fails);
    bench.faults().at(first + 3, Fault::Fails);
    let (problem, view) = bench.failed(bench.make());
    assert_eq!(problem, Problem::WriteFailed { at: Some(Bytes(5 * MIB)) });
    assert_eq!(view.card_now, CardNow::Blank);
    bench.assert_usable();
}

/// A job on a card with damage in these blocks of 1 MiB.
fn with_damage(blocks: &[u64], damage: &Damage) -> (Bench, JobView) {
    let bench = Bench::new();
    for block in blocks {
        bench.faults().damage(block * MIB + 700..block * MIB + 900, damage.clone());
    }
    let view = bench.make().unwrap();
    bench.assert_tidy(&view);
    (bench, view)
}

#[test]
fn up_to_three_blocks_that_read_right_when_written_again_are_a_warning() {
    // The first write is that of the image, the second mends.
    let damages = [Damage::BitFlips { heals_after_writes: 2 }, Damage::Zeros { heals_after_writes: 2 }];
    for damage in damages {
        for blocks in [&[5][..], &[5, 6], &[3, 5, 7]] {
            let (bench, view) = with_damage(blocks, &damage);
            assert_eq!(view.state, JobState::Done, "{view:#?}");
            assert_eq!(view.made.rewritten_blocks, blocks);
            let warning = view.warnings.iter().find(|warning| warning.code == "blocks_rewritten").unwrap();
            let first = Bytes(blocks[0] * MIB).to_string();
            assert!(
                warning.text.text().contains(&blocks.len().to_string()) && warning.text.text().contains(&first),
                "{warning:?}"
            );
            bench.assert_usable();
        }
    }
}

#[test]
fn more_blocks_or_lasting_damage_make_the_card_unreliable() {
    let heals = 2;
    let cases: [(Damage, &[u64], u64, &str); 6] = [
        (Damage::BitFlips { heals_after_writes: heals }, &[3, 5, 6, 7], 4, "worn"),
        (Damage::BitFlips { heals_after_writes: 99 }, &[5], 1, "worn"),
        (Damage::Zeros { heals_after_writes: 99 }, &[5, 6, 7], 3, "worn"),
        (Damage::Unsteady, &[5], 1, "each time"),
        (Damage::Unreadable, &[5], 1, "could not be read"),
        (Damage::Unreadable, &[3, 5, 6, 7], 4, "could not be read"),
    ];
    for (damage, blocks, want, looks) in cases {
        let (bench, view) = with_damage(blocks, &damage);
        let Some(Problem::CardUnreliable { places, first, looks_like }) = &view.problem else {
            panic!("{damage:?}: {view:#?}");
        };
        assert_eq!((*places, *first), (want, Bytes(blocks[0] * MIB)), "{damage:?}");
        assert!(looks_like.text().contains(looks), "{damage:?}: {looks_like}");
        assert_eq!(view.card_now, CardNow::Blank);
        bench.host.plug(&bench.disk, None);
        bench.assert_usable();
    }
}

#[test]
fn a_lost_block_is_told_from_worn_bits() {
    let bench = Bench::new();
    bench.faults().damage(5 * MIB..6 * MIB, Damage::Zeros { heals_after_writes: 99 });
    let (problem, _) = bench.failed(bench.make());
    assert!(matches!(problem, Problem::CardUnreliable { looks_like, .. } if looks_like.text().contains("is lost")));
}

#[test]
fn damage_where_the_image_is_zero_is_found_too() {
    // Block 9 is zero in the image: nothing is written there unless the card has no zeros.
    let (bench, view) = with_damage(&[9], &Damage::BitFlips { heals_after_writes: 1 });
    assert_eq!(view.state, JobState::Done, "{view:#?}");
    bench.assert_usable();
    let (_, view) = with_damage(&[9], &Damage::BitFlips { heals_after_writes: 99 });
    assert!(matches!(view.problem, Some(Problem::CardUnreliable { places: 1, .. })), "{view:#?}");
}

#[test]
fn a_backup_that_reads_back_differently_is_not_let_through() {
    let clean = Bench::new();
    assert_eq!(clean.make().unwrap().state, JobState::Done);
    let on_card = fs::read(&clean.card).unwrap();
    let middle = &BACKUP[4 * 1024..4 * 1024 + 64];
    let place = on_card.windows(64).position(|bytes| bytes == middle).unwrap() as u64;
    for damage in [Damage::BitFlips { heals_after_writes: 99 }, Damage::Unreadable] {
        let bench = Bench::new();
        let faults = bench.faults();
        // From the moment on when the tar is there: the search for a counterfeit is not what is tried here.
        let watched = Watched::new(&bench.host, move |act, n| {
            if (act, n) == (&Act::Tool("e2fsck"), 5) {
                faults.damage(place..place + 1, damage.clone());
            }
        });
        let (problem, view) = bench.failed(bench.make_with(Arc::new(watched), bench.request()));
        assert!(matches!(problem, Problem::LastCheckFailed { .. }), "{problem:?}");
        assert_eq!(view.card_now, CardNow::Blank);
        bench.host.plug(&bench.disk, None);
        bench.assert_usable();
    }
}

#[test]
fn settings_that_read_back_differently_are_not_let_through() {
    let clean = Bench::new();
    assert_eq!(clean.make().unwrap().state, JobState::Done);
    let (on_card, line) = (fs::read(&clean.card).unwrap(), b"address1=192.168.1.10/24");
    let place = on_card.windows(line.len()).position(|bytes| bytes == line).unwrap() as u64;
    for damage in [Damage::BitFlips { heals_after_writes: 99 }, Damage::Unreadable] {
        let bench = Bench::new();
        let faults = bench.faults();
        // Before the last look of e2fsck, which has no eyes for contents.
        let watched = Watched::new(&bench.host, move |act, n| {
            if (act, n) == (&Act::Tool("e2fsck"), 6) {
                faults.damage(place..place + 1, damage.clone());
            }
        });
        let (problem, view) = bench.failed(bench.make_with(Arc::new(watched), bench.request()));
        let Problem::LastCheckFailed { what } = &problem else { panic!("{problem:?}") };
        assert!(what.text().contains("the overlay partition"), "{what}");
        assert_eq!(view.card_now, CardNow::Blank);
        bench.host.plug(&bench.disk, None);
        bench.assert_usable();
    }
}

#[test]
fn an_image_without_a_place_for_settings_makes_no_card_that_lacks_them() {
    let bench = Bench::new();
    let mut image = gpt_image().to_vec();
    let overlay = (OVERLAY_START * SECTOR) as usize;
    image[overlay..overlay + MIB as usize].fill(0);
    let (problem, view) = bench.failed(bench.make_image(bench.file("my.img", &image)));
    let Problem::ImageUnusable { why } = &problem else { panic!("{problem:?}") };
    assert!(why.text().contains("the image's overlay partition holds no ext4 file system"), "{why}");
    assert_eq!((view.card_now, view.last_stage()), (CardNow::Blank, Some(Stage::Inject)));
    bench.assert_usable();
}

#[test]
fn a_table_that_reads_back_differently_is_taken_away_again() {
    for (place, now) in [(CARD - SECTOR, CardNow::Blank), (SECTOR, CardNow::Blank), (0, CardNow::Blank)] {
        let bench = Bench::new();
        let faults = bench.faults();
        // The sixth time that tools are shut out is the commit.
        let watched = Watched::new(&bench.host, move |act, n| {
            if (act, n) == (&Act::ShutOut, 5) {
                faults.damage(place..place + 1, Damage::BitFlips { heals_after_writes: 2 });
            }
        });
        let (problem, view) = bench.failed(bench.make_with(Arc::new(watched), bench.request()));
        assert!(matches!(problem, Problem::LastCheckFailed { .. }), "{problem:?}");
        assert_eq!(view.card_now, now, "{place}");
        bench.assert_usable();
    }
}

#[test]
fn claims_64_gb_and_keeps_8() {
    let bench = Bench::of(64_000_000_000, |spec| spec.keeps = Some(Bytes(8_000_000_000)));
    let (problem, view) = bench.failed_unread(bench.make());
    // 4 GiB is the last place that it kept.
    assert_eq!(problem, Problem::CardCounterfeit { after: Bytes((4 << 30) + 4096) });
    assert_eq!(view.card_now, CardNow::Blank);
    assert_eq!(bench.found(), Found::Blank);
    for op in bench.faults().log() {
        if let Op::Write { offset, length } = op {
            let blanks = offset < MIB && offset + length <= MIB || offset == 64_000_000_000 - MIB;
            assert!(blanks || length == 4096, "{op:?}");
        }
    }
    drop(bench.host.claim(&bench.disk).unwrap());
}

#[test]
fn a_card_whose_addresses_wrap_around_is_found() {
    // Half of what it claims is the case in which no two places meet; a quarter that in which they do.
    for part in [2, 4] {
        let (claims, real) = (64 * MIB, 64 * MIB / part);
        let bench = Bench::of(claims, |_| ());
        let watched = Watched::wrapping(&bench.host, real);
        // What a scan sees of such a card is the end that is there.
        let card = File::options().write(true).open(&bench.card).unwrap();
        card.write_all_at(&vec![0; MIB as usize], 0).unwrap();
        card.write_all_at(&vec![0; MIB as usize], claims - MIB).unwrap();
        let view = bench.make_with(Arc::new(watched), bench.request()).unwrap();
        let Some(Problem::CardCounterfeit { after }) = view.problem else { panic!("{view:#?}") };
        assert!(after.0 <= real + 4096, "{after:?}");
        assert_eq!(bench.found(), Found::Blank);
        bench.assert_usable();
    }
}

#[test]
fn read_only_before_it_is_confirmed() {
    let bench = Bench::of(CARD, |spec| spec.read_only = true);
    let refused = bench.make().unwrap_err();
    let StartError::Refused { disk, problems } = refused else { panic!("{refused:?}") };
    assert_eq!((disk.is_empty(), problems.len()), (false, 0));
    assert!(disk.iter().any(|reason| reason.to_string().contains("protected")), "{disk:?}");
    assert_eq!(bench.found(), Found::Untouched);
    bench.host.set_read_only(&bench.disk, false);
    bench.assert_usable();
}

#[test]
fn read_only_when_it_is_claimed() {
    let bench = Bench::new();
    let (host, disk) = (bench.host.clone(), bench.disk.clone());
    let watched = Watched::new(&bench.host, move |act, _| {
        if *act == Act::Claim {
            host.set_read_only(&disk, true);
        }
    });
    let (problem, view) = bench.failed(bench.make_with(Arc::new(watched), bench.request()));
    assert_eq!((problem, view.card_now), (Problem::CardProtected, CardNow::Untouched));
    bench.host.set_read_only(&bench.disk, false);
    bench.assert_usable();
}

#[test]
fn claimed_by_another_job() {
    let bench = Bench::new();
    let other = bench.host.claim(&bench.disk).unwrap();
    let refused = bench.make().unwrap_err();
    let StartError::Refused { disk, .. } = refused else { panic!("{refused:?}") };
    assert!(!disk.is_empty());
    assert_eq!(bench.found(), Found::Untouched);
    drop(other);
    bench.assert_usable();
}

#[test]
fn locked_by_another_program() {
    let bench = Bench::new();
    let request = bench.request();
    let file = OpenOptions::new().read(true).open(&bench.card).unwrap();
    let lock = Flock::lock(file, FlockArg::LockExclusive).unwrap();
    let (problem, view) = bench.failed(bench.make_with(Arc::new(bench.host.clone()), request));
    assert!(matches!(problem, Problem::DiskRefused { .. }), "{problem:?}");
    assert_eq!(view.card_now, CardNow::Untouched);
    drop(lock);
    bench.assert_usable();
}

/// A block device over a card file, where this machine lets us have one.
struct Loop(String);

impl Loop {
    fn over(bench: &Bench) -> Option<Loop> {
        let (code, said) = ask("losetup", &["--find", "--show", &bench.card.display().to_string()], "");
        (code == 0).then(|| Loop(said.trim().into()))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        ask("losetup", &["--detach", &self.0], "");
    }
}

/// Once nobody holds it any more: a process that another test is just starting may share a descriptor for a moment.
fn opened(options: &OpenOptions, path: impl AsRef<Path>) -> File {
    let tries = (0..500).find_map(|_| {
        let file = options.open(path.as_ref()).ok();
        if file.is_none() {
            std::thread::park_timeout(std::time::Duration::from_millis(10));
        }
        file
    });
    tries.expect("the device can be opened")
}

#[test]
fn a_block_device_held_by_another_program_is_refused_and_works_afterwards() {
    let bench = Bench::new();
    let Some(device) = Loop::over(&bench) else {
        eprintln!("no loop devices here: tried on files only");
        return;
    };
    bench.host.plug(&bench.disk, Some(device.0.clone().into()));
    let request = bench.request();
    let mut exclusive = OpenOptions::new();
    exclusive.read(true).write(true).custom_flags(nix::libc::O_EXCL);
    let holder = opened(&exclusive, &device.0);
    let refused = bench.make_with(Arc::new(bench.host.clone()), request.clone()).unwrap_err();
    assert!(matches!(&refused, StartError::Refused { disk, .. } if !disk.is_empty()), "{refused:?}");
    assert_eq!(bench.found(), Found::Untouched);
    drop(holder);
    let (held, name) = (std::sync::Mutex::new(None), device.0.clone());
    let watched = Watched::new(&bench.host, move |act, _| {
        if *act == Act::Claim {
            // The claim is tried again for a while.
            held.lock().unwrap().get_or_insert_with(|| opened(&exclusive, &name));
        }
    });
    let (problem, _) = bench.failed(bench.make_with(Arc::new(watched), request));
    assert!(matches!(problem, Problem::DiskRefused { .. }), "{problem:?}");
    assert_eq!(bench.found(), Found::Untouched);
    bench.assert_usable();
}

#[test]
fn a_card_that_holds_a_home_assistant_already_is_made_anew() {
    let bench = Bench::new();
    let image = bench.file("my.img", mbr_image());
    assert_eq!(bench.make_image(image).unwrap().state, JobState::Done);
    assert_eq!(bench.found(), Found::Finished);
    bench.assert_usable();
    bench.assert_usable();
}

fn set_length(bench: &Bench) -> impl Fn(u64) + Send + Sync + 'static {
    let card = File::options().write(true).open(&bench.card).unwrap();
    move |length| card.set_len(length).unwrap()
}

#[test]
fn grown_or_shrunk_between_confirm_and_start() {
    for length in [CARD + MIB, CARD - MIB, CARD - SECTOR] {
        let mut bench = Bench::new();
        let request = bench.request();
        set_length(&bench)(length);
        let refused = bench.make_with(Arc::new(bench.host.clone()), request).unwrap_err();
        assert_eq!(refused, StartError::Changed);
        bench.remember();
        bench.assert_usable();
    }
}

#[test]
fn grown_or_shrunk_while_the_job_runs() {
    for length in [CARD + MIB, CARD - MIB, 20 * MIB] {
        // Before the first write, and at the beginning of verify, grow and inject.
        let moments = [(Act::Fingerprint, 1), (Act::ShutOut, 0), (Act::ShutOut, 2)];
        for moment in moments {
            let mut bench = Bench::new();
            let (set, at) = (set_length(&bench), moment.clone());
            let watched = Watched::new(&bench.host, move |act, n| {
                if (act, n) == (&at.0, at.1) {
                    set(length)
                }
            });
            let view = bench.make_with(Arc::new(watched), bench.request()).unwrap();
            if view.card_now == CardNow::Untouched {
                bench.remember();
            }
            bench.assert_tidy(&view);
            assert_eq!(view.state, JobState::Failed, "{length} at {moment:?}");
            set_length(&bench)(CARD);
            bench.assert_usable();
        }
    }
}

#[test]
fn a_card_that_stalls_is_waited_for() {
    let log = clean_log();
    let bench = Bench::new();
    for stage in [Stage::Write, Stage::Verify, Stage::Grow, Stage::Inject, Stage::Commit] {
        bench.faults().at(begin_of(log, stage) as u64 + 3, Fault::Stalls(Duration::from_millis(150)));
    }
    let view = bench.make().unwrap();
    assert_eq!(view.state, JobState::Done, "{view:#?}");
    bench.assert_tidy(&view);
    bench.assert_usable();
}

#[test]
fn a_slow_card_works() {
    let slow = Some(100 * MIB);
    let bench = Bench::of(CARD, |spec| (spec.write_speed, spec.read_speed) = (slow, slow));
    let view = bench.make().unwrap();
    assert_eq!(view.state, JobState::Done);
    bench.assert_tidy(&view);
}

#[test]
fn a_tool_that_dies_leaves_the_card_blank() {
    let log = clean_log();
    let tools: Vec<usize> = (0..log.len()).filter(|n| matches!(log[*n], Op::Tool(_))).collect();
    let names: Vec<_> = tools.iter().map(|n| log[*n].clone()).collect();
    let want = ["e2fsck", "resize2fs", "debugfs", "debugfs", "debugfs", "e2fsck", "e2fsck"];
    assert_eq!(names, want.map(Op::Tool));
    for (nth, n) in tools.into_iter().enumerate() {
        let (problem, view) = with_fault(n, Fault::ToolDies);
        let grows = matches!(problem, Problem::GrowFailed { .. });
        assert!(grows == (nth < 2) && (grows || matches!(problem, Problem::LastCheckFailed { .. })), "{problem:?}");
        assert_eq!(view.card_now, CardNow::Blank);
    }
}

/// People change cards while the backup is made: the other card is nobody's to blank, whatever lies on it.
#[test]
fn another_card_in_the_reader_is_left_as_it_is() {
    // At the beginning of verify, grow and inject.
    for moment in [(Act::ShutOut, 0), (Act::ShutOut, 2)] {
        let bench = Bench::new();
        let path = bench.card.clone();
        let other = vec![0xa5; (CARD + MIB) as usize];
        let (content, at) = (other.clone(), moment.clone());
        let watched = Watched::new(&bench.host, move |act, n| {
            if (act, n) == (&at.0, at.1) {
                std::fs::write(&path, &content).unwrap();
            }
        });
        let view = bench.make_with(Arc::new(watched), bench.request()).unwrap();
        assert_eq!((view.state, view.card_now), (JobState::Failed, CardNow::Unknown), "{view:#?}");
        assert!(std::fs::read(&bench.card).unwrap() == other, "the other card was written to at {moment:?}");
    }
}

/// A file system of several flexible groups whose last one lies wholly in what `resize2fs` cuts off a regular file.
#[test]
fn a_file_of_any_size_is_grown_whole() {
    let small_blocks = |data: &Path| {
        let (name, tree) = (data.display().to_string(), data.with_file_name("tree").display().to_string());
        fs::remove_file(data).unwrap();
        let made = ["-q", "-t", "ext4", "-b", "1024", "-L", "hassos-data", "-m", "0", "-d", &tree, &name, "12M"];
        run("mke2fs", &made, "");
    };
    let image = spoiled_image(small_blocks);
    for behind_a_group in [4, 7, 11] {
        let mut bench = Bench::of((12 + 128 + behind_a_group) * MIB, |_| ());
        let view = bench.make_image(bench.file("my.img", &image)).unwrap();
        assert_eq!(view.state, JobState::Done, "{view:#?}");
        bench.remember();
        assert_finished(&bench.card);
        assert_eq!(backup_on(&bench.card, SLUG), BACKUP);
        let layer = file_on(&bench.card, "/docker/layer");
        assert!(layer == noise(7, 1_500_000));
    }
}

#[test]
fn a_file_too_small_to_be_grown_in_place_is_refused_not_cut() {
    let bench = Bench::of(IMAGE, |_| ());
    let (problem, view) = bench.failed(bench.make());
    assert!(matches!(&problem, Problem::GrowFailed { what } if what.text().contains("too small")), "{problem:?}");
    assert_eq!(view.card_now, CardNow::Blank);
}
