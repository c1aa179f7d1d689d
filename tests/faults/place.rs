//! How the backup comes onto the card: into blocks that another tool reserved, wherever they lie.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sd_swap::domain::job::{BackupChoice, CardNow, CardRequest, JobState};
use sd_swap::domain::problem::Problem;
use sd_swap::domain::stage::Stage;

use crate::backup::{archive, backup, gz_stored, json, tar};
use crate::bench::*;
use crate::watched::{Act, Watched};

const BLOCK: u64 = 4096;

/// A backup of about so many bytes.
fn backup_of(size: usize) -> Vec<u8> {
    let with = |inside| backup(&json(SLUG, r#","folders":["media"]"#), &[(b"media.tar.gz", &media(inside))]);
    let bytes = with(size + 512 - with(512).len());
    assert!(bytes.len().abs_diff(size) < 8192, "{} {size}", bytes.len());
    bytes
}

fn media(length: usize) -> Vec<u8> {
    gz_stored(&tar(&[(b"film", &noise(4, length))]))
}

/// What `debugfs` says of the backup on a finished card.
fn ask_card(bench: &Bench, command: &str) -> String {
    let at = format!("{}?offset={}", bench.card.display(), DATA_START * SECTOR);
    run("debugfs", &["-R", &format!("{command} /supervisor/backup/{SLUG}.tar"), &at], "")
}

/// A job that has to work; the backup's extents afterwards, by the tool that shows them otherwise than ours does.
fn extents_of(bench: &Bench, bytes: &[u8]) -> usize {
    let view = bench.make_backup(bench.file("my.tar", bytes)).unwrap();
    assert_eq!(view.state, JobState::Done, "{view:#?}");
    bench.assert_tidy(&view);
    assert!(backup_on(&bench.card, SLUG) == bytes, "other bytes");
    let amount = view.stage(Stage::Inject).unwrap().amount;
    assert_eq!((amount.done, amount.total), (bytes.len() as u64, Some(bytes.len() as u64)));
    let listed = ask_card(bench, "dump_extents -l");
    assert!(!listed.contains("Uninit"), "{listed}");
    listed.lines().filter(|line| line.contains('/')).count()
}

#[test]
fn a_tar_of_any_length_comes_back_the_same_and_its_last_block_ends_with_zeros() {
    let text = json(SLUG, "");
    // The smallest: two members of a sector each, and the end.
    let small = backup(&text, &[]);
    assert_eq!(small.len(), 3072);
    let whole = tar(&[(b"homeassistant.tar.gz", &archive()), (b"./backup.json", &[&text[..], &[b' '; 1000]].concat())]);
    assert_eq!(whole.len() as u64, BLOCK);
    let odd = tar(&[(b"homeassistant.tar.gz", &archive()), (b"./backup.json", &[&text[..], &[b' '; 2000]].concat())]);
    assert_eq!(odd.len() as u64, BLOCK + 1024);
    for bytes in [small, whole, odd, backup_of(3 << 20)] {
        let mut bench = Bench::new();
        // Whatever lay there before must not follow the file's end.
        File::options().write(true).open(&bench.card).unwrap().write_all_at(&noise(11, CARD as usize), 0).unwrap();
        bench.remember();
        assert_eq!(extents_of(&bench, &bytes), 1, "{}", bytes.len());
        let last = ask_card(&bench, "blocks");
        let last = last.lines().next().unwrap().split_whitespace().last().unwrap().parse::<u64>().unwrap();
        let mut block = vec![1; BLOCK as usize];
        let at = DATA_START * SECTOR + last * BLOCK;
        File::open(&bench.card).unwrap().read_exact_at(&mut block, at).unwrap();
        let of_file = (bytes.len() as u64 - 1) % BLOCK + 1;
        assert!(block[of_file as usize..].iter().all(|byte| *byte == 0), "{}", bytes.len());
        assert!(block[..of_file as usize] == bytes[bytes.len() - of_file as usize..]);
    }
}

/// An image whose file system has this many holes of one block each before its free end.
fn with_holes(holes: usize) -> Vec<u8> {
    spoiled_image(|data: &Path| {
        let block = data.with_extension("block");
        File::create(&block).unwrap().write_all(&noise(3, BLOCK as usize)).unwrap();
        let mut script = String::from("mkdir /holes\ncd /holes\n");
        // The first ones fill what holes there are.
        let files = 40 + holes * 2;
        (0..files).for_each(|n| script += &format!("write {} f{n}\n", block.display()));
        (40..files).step_by(2).for_each(|n| script += &format!("rm f{n}\n"));
        run("debugfs", &["-w", "-f", "-", &data.display().to_string()], &script);
    })
}

#[test]
fn a_tar_in_many_pieces_comes_back_the_same() {
    let bytes = backup_of(12 << 20);
    // In the inode, in one block of the tree, in several.
    for (holes, want) in [(2, 2..=4), (30, 20..=40), (500, 450..=550)] {
        let bench = Bench::new();
        let image = bench.file("my.img", &with_holes(holes));
        fs::rename(image, bench.path("haos.img.xz")).unwrap();
        let found = extents_of(&bench, &bytes);
        assert!(want.contains(&found), "{found} extents for {holes} holes");
    }
}

/// A job with a backup of 12 MiB: what happens right before the `nth` write of it.
fn at_write(
    bench: &Bench,
    bytes: &[u8],
    nth: usize,
    then: impl Fn(&Path) + Send + Sync + 'static,
) -> (Problem, CardNow) {
    let path = bench.file("my.tar", bytes);
    let (is_begun, count, changed) = (AtomicBool::new(false), AtomicUsize::new(0), path.clone());
    let watched = Watched::new(&bench.host, move |act, n| {
        // Tools are shut out the fourth time before the backup is written.
        if *act == Act::ShutOut && n == 3 {
            is_begun.store(true, Ordering::SeqCst);
        }
        let is_write = matches!(act, Act::Write(_)) && is_begun.load(Ordering::SeqCst);
        if is_write && count.fetch_add(1, Ordering::SeqCst) == nth {
            then(&changed);
        }
    });
    let request = CardRequest { backup: BackupChoice::File(path), ..bench.request() };
    let (problem, view) = bench.failed(bench.make_with(Arc::new(watched), request));
    (problem, view.card_now)
}

#[test]
fn a_file_that_changes_while_it_is_written_is_noticed() {
    let bytes = backup_of(12 << 20);
    let open = |path: &Path| File::options().write(true).open(path).unwrap();
    let end = bytes.len() as u64 - 5000;
    // Neither was read so far ahead.
    let cut = move |path: &Path| open(path).set_len(end).unwrap();
    let spoil = move |path: &Path| open(path).write_all_at(&[0xa5; 64], end).unwrap();
    for spoils in [false, true] {
        let bench = Bench::new();
        let (problem, now) = match spoils {
            false => at_write(&bench, &bytes, 1, cut),
            true => at_write(&bench, &bytes, 1, spoil),
        };
        let Problem::BackupUnusable { why } = &problem else { panic!("{problem:?}") };
        assert_eq!(why.text(), "reading the backup file: it changed while it was used");
        assert_eq!(now, CardNow::Blank);
        bench.assert_usable();
    }
}
