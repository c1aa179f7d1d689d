//! Bad backups, and names that nobody should meet.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use sd_swap::domain::job::{BackupChoice, CardNow, CardRequest, JobState, JobView};
use sd_swap::domain::problem::Problem;
use sd_swap::domain::size::Bytes;

use crate::bench::*;
use crate::watched::{Act, Watched};

const PROTECTED: &[u8] = include_bytes!("../fixtures/backups/full-protected.tar");
const PARTIAL: &[u8] = include_bytes!("../fixtures/backups/partial-type.tar");

/// A tar of these members, their names byte by byte as given.
pub fn tar(members: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, data) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        if name.len() > 100 {
            let mut long = tar::Header::new_gnu();
            long.set_entry_type(tar::EntryType::GNULongName);
            long.set_size(name.len() as u64 + 1);
            put_name(&mut long, b"././@LongLink");
            tar.append(&long, &[*name, b"\0"].concat()[..]).unwrap();
        }
        put_name(&mut header, &name[..name.len().min(100)]);
        tar.append(&header, *data).unwrap();
    }
    tar.into_inner().unwrap()
}

/// As it is: the crate's own way refuses `..`.
fn put_name(header: &mut tar::Header, name: &[u8]) {
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_cksum();
}

fn gz(data: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(data).unwrap();
    gz.finish().unwrap()
}

/// An inner archive with one file.
pub fn archive() -> Vec<u8> {
    gz(&tar(&[(b"data/x", b"content")]))
}

pub fn json(slug: &str, more: &str) -> Vec<u8> {
    format!(r#"{{"slug":{slug:?},"version":2,"name":"n","date":"d","type":"full","compressed":true{more}}}"#).into()
}

/// A backup of Home Assistant alone, with what a test adds.
pub fn backup(json: &[u8], more: &[(&[u8], &[u8])]) -> Vec<u8> {
    let core = archive();
    tar(&[&[(&b"homeassistant.tar.gz"[..], &core[..])], more, &[(&b"./backup.json"[..], json)]].concat())
}

fn with_backup(bytes: &[u8]) -> (Problem, JobView) {
    let bench = Bench::new();
    let path = bench.file("my.tar", bytes);
    let ended = bench.failed(bench.make_backup(path));
    bench.assert_usable_after(&ended.1);
    ended
}

fn assert_refused(bytes: &[u8], says: &str) {
    let (problem, view) = with_backup(bytes);
    let Problem::BackupUnusable { why } = &problem else { panic!("{says}: {problem:?}") };
    assert!(why.text().contains(says), "{says}: {why}");
    // A backup that exists is known to restore before the card is touched (BK-7).
    assert_eq!(view.card_now, CardNow::Untouched, "{says}");
}

#[test]
fn what_is_no_backup_leaves_the_card_untouched() {
    assert_refused(b"", "cut off");
    assert_refused(&noise(3, 20_000), "damaged at byte");
    assert_refused(b"<!DOCTYPE html>", "cut off");
    assert_refused(&gz(BACKUP), "damaged at byte");
    assert_refused(packed_image(), "damaged at byte");
    assert_refused(&[0; 10240], "no backup.json");
    assert_refused(&tar(&[(b"homeassistant.tar.gz", &archive())]), "no backup.json");
    assert_refused(PARTIAL, "partial");
}

#[test]
fn truncated_anywhere_leaves_the_card_untouched() {
    let end = BACKUP.len() - BACKUP.iter().rev().take_while(|byte| **byte == 0).count();
    for length in [1, 511, 512, 700, 4096, BACKUP.len() / 2, end - 600, end] {
        assert_refused(&BACKUP[..length], "cut off");
    }
}

#[test]
fn damaged_inside_leaves_the_card_untouched() {
    let mut bytes = BACKUP.to_vec();
    bytes[512 + 2000] ^= 1;
    assert_refused(&bytes, "Home Assistant is damaged");
    assert_refused(&backup(&json(SLUG, r#","folders":["share"]"#), &[]), "the folder share is missing");
    assert_refused(&[BACKUP, b"more"].concat(), "after its end");
}

#[test]
fn a_backup_json_that_says_nothing_leaves_the_card_untouched() {
    for text in [&b""[..], b"not json", b"[]", b"{", b"\xff\xfe", br#"{"slug":7,"type":"full"}"#] {
        assert_refused(&backup(text, &[]), "not JSON of the expected form");
    }
    assert_refused(&backup(&json(SLUG, "").repeat(2), &[]), "not JSON");
    let huge = [&json(SLUG, "")[..], &vec![b' '; 5 << 20]].concat();
    assert_refused(&backup(&huge, &[]), "too large");
    for kind in ["partial ", "", "FULL"] {
        let text = format!(r#"{{"slug":"{SLUG}","type":"{kind}"}}"#);
        assert_refused(&backup(text.as_bytes(), &[]), "neither full nor partial");
    }
}

#[test]
fn a_backup_json_nested_without_end_exhausts_nothing() {
    let deep = json(SLUG, &format!(r#","extra":{}{}"#, "[".repeat(100_000), "]".repeat(100_000)));
    let bench = Bench::new();
    let view = bench.make_backup(bench.file("my.tar", &backup(&deep, &[]))).unwrap();
    assert_eq!(view.state, JobState::Done, "{view:#?}");
}

/// A slug becomes the name of a file: nothing but eight hex digits does.
#[test]
fn a_hostile_slug_leaves_the_card_untouched() {
    let long = "a".repeat(255);
    let slugs = [
        "../../../etc/passwd",
        "..",
        "",
        "01bcc3d",
        "01bcc3db0",
        "01BCC3DB",
        "01bcc3d ",
        "01bc c3d",
        "01bcc3d\n",
        "\"1bcc3db",
        "'1bcc3db",
        "1bcc3db\0",
        "{file}xx",
        "0१bcc3",
        &long,
    ];
    for slug in slugs {
        let text = serde_json::json!({ "slug": slug, "type": "full" }).to_string();
        assert_refused(&backup(text.as_bytes(), &[]), "slug");
    }
}

const HOSTILE: [&[u8]; 9] = [
    b"../../../../etc/cron.d/x.tar.gz",
    b"/etc/shadow.tar.gz",
    b"a b.tar.gz",
    b"quote\"'`$(reboot).tar.gz",
    b"line\nrm /supervisor\nwrite.tar.gz",
    b"\xff\xfe\x80.tar.gz",
    b"{file}.tar.gz",
    b"-R.tar.gz",
    &[b'n'; 255],
];

/// Nothing but our own words and numbers reaches `debugfs` in a job with this backup at this place.
fn assert_our_commands(bench: &Bench, backup: PathBuf, what: &[u8]) {
    let watched = Watched::new(&bench.host, |_, _| ());
    let request = CardRequest { backup: BackupChoice::File(backup.clone()), ..bench.request() };
    let view = bench.make_with(Arc::new(watched.clone()), request).unwrap();
    assert_eq!(view.state, JobState::Done, "{view:#?}");
    bench.assert_tidy(&view);
    let bytes = fs::read(&backup).unwrap();
    assert!(backup_on(&bench.card, SLUG) == bytes);
    let calls = watched.calls();
    let tools = ["e2fsck", "resize2fs", "debugfs", "debugfs", "debugfs", "e2fsck", "e2fsck"];
    assert_eq!(calls.iter().map(|call| call.tool).collect::<Vec<_>>(), tools);
    // The first is for the settings.
    assert_eq!(calls[3].commands, reserving(bytes.len()), "{}", what.escape_ascii());
    let (open, list) = (format!("extent_open /supervisor/backup/{SLUG}.tar"), "print_all --leaf-only");
    let marking = &calls[4].commands;
    assert!(marking.len() >= 4 && marking.first() == Some(&open) && marking.last().unwrap() == list, "{marking:?}");
    for command in &marking[1..marking.len() - 1] {
        let numbers = command.strip_prefix("goto_block ").or(command.strip_prefix("replace_node "));
        let is_ours = numbers.is_some_and(|n| n.split(' ').all(|n| n.parse::<u64>().is_ok()));
        assert!(is_ours, "{command:?} {}", what.escape_ascii());
    }
}

fn reserving(size: usize) -> Vec<String> {
    let tar = format!("{SLUG}.tar");
    vec![
        "mkdir /supervisor/backup".into(),
        "cd /supervisor/backup".into(),
        format!("write {{0}} {tar}"),
        format!("set_inode_field {tar} mode 0100600"),
        format!("set_inode_field {tar} uid 0"),
        format!("set_inode_field {tar} gid 0"),
        format!("set_inode_field {tar} size {size}"),
        format!("fallocate {tar} 0 {}", size.div_ceil(4096) - 1),
        format!("extent_open {tar}"),
        "print_all --leaf-only".into(),
    ]
}

#[test]
fn no_name_inside_the_tar_reaches_debugfs() {
    let inner = archive();
    let members: Vec<(&[u8], &[u8])> = HOSTILE.iter().map(|name| (*name, &inner[..])).collect();
    // As apps too: their slugs are names of archives.
    let app = |name: &&'static [u8]| std::str::from_utf8(name.strip_suffix(b".tar.gz").unwrap_or(name)).ok();
    let apps: Vec<_> = HOSTILE.iter().filter(|n| n.len() < 255).filter_map(app).collect();
    assert_eq!(apps.len(), 7);
    let apps: Vec<_> = apps.iter().map(|slug| serde_json::json!({ "slug": slug })).collect();
    let text = serde_json::json!({
        "slug": SLUG, "type": "full", "name": "\"; rm / {file}\nwrite", "date": "../..", "addons": apps,
    });
    let bench = Bench::new();
    let path = bench.file("my.tar", &backup(text.to_string().as_bytes(), &members));
    assert_our_commands(&bench, path, b"names inside");
    bench.assert_usable();
}

#[test]
fn no_part_of_the_tars_own_path_reaches_debugfs() {
    let names: [&[u8]; 6] = [
        b"my backup \"of\" 'home'.tar",
        b"my\nrm -rf\nwrite x y.tar",
        b"my{file}.tar",
        b"my\xff\xfe.tar",
        b"my$(reboot);`x`|.tar",
        &[&b"my"[..], &[b'l'; 253]].concat(),
    ];
    for name in names {
        let bench = Bench::new();
        let path = bench.dir.path().join(OsStr::from_bytes(name));
        fs::write(&path, BACKUP).unwrap();
        assert_our_commands(&bench, path, name);
        bench.assert_usable();
    }
}

#[test]
fn a_protected_backup_is_taken_with_a_warning_that_its_key_is_needed() {
    let bench = Bench::new();
    let view = bench.make_backup(bench.file("my.tar", PROTECTED)).unwrap();
    assert_eq!(view.state, JobState::Done, "{view:#?}");
    bench.assert_tidy(&view);
    let warning = view.warnings.iter().find(|warning| warning.code == "backup_needs_key").expect("a warning");
    assert!(warning.text.text().contains("key"), "{warning:?}");
    let slug = view.made.backup.unwrap();
    assert_eq!(backup_on(&bench.card, slug.as_str()), PROTECTED);
    bench.assert_usable();
    let open = bench.make().unwrap();
    assert!(open.warnings.iter().all(|warning| warning.code != "backup_needs_key"), "{:?}", open.warnings);
}

#[test]
fn a_backup_without_its_database_is_taken_with_a_warning() {
    let bench = Bench::new();
    let bytes = backup(&json(SLUG, r#","homeassistant":{"version":"2026.8.1","exclude_database":true}"#), &[]);
    let view = bench.make_backup(bench.file("my.tar", &bytes)).unwrap();
    assert_eq!(view.state, JobState::Done, "{view:#?}");
    assert!(view.warnings.iter().any(|warning| warning.code == "backup_without_database"), "{:?}", view.warnings);
}

#[test]
fn a_backup_larger_than_the_card_leaves_it_blank() {
    let media = gz_stored(&tar(&[(b"film", &noise(4, 40_000_000))]));
    let bytes = backup(&json(SLUG, r#","folders":["media"]"#), &[(b"media.tar.gz", &media)]);
    let (problem, view) = with_backup(&bytes);
    let Problem::BackupDoesNotFit { need, free } = problem else { panic!("{problem:?}") };
    assert!(need >= Bytes(bytes.len() as u64) && free < need && free > Bytes(20_000_000), "{need} {free}");
    assert_eq!(view.card_now, CardNow::Blank);
}

pub fn gz_stored(data: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::none());
    gz.write_all(data).unwrap();
    gz.finish().unwrap()
}

#[test]
fn a_backup_that_fills_the_card_to_the_last_mib_works() {
    let media = gz_stored(&tar(&[(b"film", &noise(4, 29_000_000))]));
    let bytes = backup(&json(SLUG, r#","folders":["media"]"#), &[(b"media.tar.gz", &media)]);
    let bench = Bench::new();
    let view = bench.make_backup(bench.file("my.tar", &bytes)).unwrap();
    assert_eq!(view.state, JobState::Done, "{view:#?}");
    bench.assert_tidy(&view);
    assert!(backup_on(&bench.card, SLUG) == bytes);
}

#[test]
fn a_backup_that_changes_after_it_was_checked_is_noticed() {
    type Change = fn(&PathBuf);
    let changes: [Change; 3] = [
        |path| fs::write(path, PROTECTED).unwrap(),
        |path| File::options().write(true).open(path).unwrap().set_len(5000).unwrap(),
        |path| fs::remove_file(path).unwrap(),
    ];
    for change in changes {
        let bench = Bench::new();
        let path = bench.file("my.tar", BACKUP);
        let watched = {
            let path = path.clone();
            Watched::new(&bench.host, move |act, n| {
                // The settings' comes first.
                if (act, n) == (&Act::Tool("debugfs"), 3) {
                    change(&path)
                }
            })
        };
        let request = CardRequest { backup: BackupChoice::File(path), ..bench.request() };
        let (problem, view) = bench.failed(bench.make_with(Arc::new(watched), request));
        let Problem::BackupUnusable { why } = &problem else { panic!("{problem:?}") };
        assert!(why.text().starts_with("reading the backup file: "), "{why}");
        assert_eq!(view.card_now, CardNow::Blank);
        bench.assert_usable();
    }
}

#[test]
fn what_is_not_a_file_is_refused() {
    let bench = Bench::new();
    let folder = bench.path("my-folder");
    fs::create_dir(&folder).unwrap();
    for path in [folder, bench.path("my-nothing.tar")] {
        let (problem, view) = bench.failed(bench.make_backup(path));
        assert!(matches!(problem, Problem::BackupUnusable { .. }), "{problem:?}");
        assert_eq!(view.card_now, CardNow::Untouched);
    }
    bench.assert_usable();
}
