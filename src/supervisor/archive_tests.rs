use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::*;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/backups");

fn fixture(name: &str) -> PathBuf {
    Path::new(FIXTURES).join(name)
}

fn check(bytes: &[u8]) -> Result<CheckedBackup, ArchiveError> {
    check_tar(bytes, Depth::Inner, &Meter::new(), &StopFlag::new())
}

fn said(result: Result<CheckedBackup, ArchiveError>) -> String {
    result.expect_err("it should be refused").to_string()
}

/// An inner archive with one file of some length, packed or not.
fn inner(length: usize, packed: bool) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let data: Vec<u8> = (0..length).map(|n| (n * n / 7) as u8).collect();
    let mut header = tar::Header::new_gnu();
    header.set_size(data.len() as u64);
    builder.append_data(&mut header, "data/file", &data[..]).unwrap();
    let plain = builder.into_inner().unwrap();
    if !packed {
        return plain;
    }
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(&plain).unwrap();
    gz.finish().unwrap()
}

fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(packed).read_to_end(&mut plain).unwrap();
    plain
}

fn outer(members: &[(&[u8], Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, data) in members {
        let mut header = tar::Header::new_old();
        header.as_old_mut().name[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
        header.set_size(data.len() as u64);
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(data);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize((bytes.len() + 1024).next_multiple_of(10240), 0);
    bytes
}

fn facts_json(more: serde_json::Value) -> Vec<u8> {
    let mut facts = json!({"slug": "01bcc3db", "type": "full", "name": "n", "date": "d", "compressed": true,
        "protected": false, "homeassistant": {"version": "2026.8.3"}, "addons": [{"slug": "core_mosquitto"}],
        "folders": ["share", "addons/local"]});
    for (key, value) in more.as_object().unwrap() {
        facts[key] = value.clone();
    }
    facts.to_string().into_bytes()
}

/// Every part that [`facts_json`] promises, without those named.
fn backup_without(left_out: &[&str], more: serde_json::Value) -> Vec<u8> {
    let names = ["homeassistant", "core_mosquitto", "share", "addons_local"];
    let kept = names.iter().filter(|n| !left_out.contains(n)).map(|n| (format!("./{n}.tar.gz"), inner(5000, true)));
    let mut members: Vec<(String, Vec<u8>)> = kept.collect();
    if !left_out.contains(&"backup.json") {
        members.push(("./backup.json".into(), facts_json(more)));
    }
    let members: Vec<(&[u8], Vec<u8>)> = members.iter().map(|(n, d)| (n.as_bytes(), d.clone())).collect();
    outer(&members)
}

#[test]
fn recorded_backups_have_an_outcome_each() {
    let whole = check_file(&fixture("full-unprotected.tar"), None, Depth::Inner, &Meter::new(), &StopFlag::new());
    let whole = whole.unwrap();
    assert_eq!((whole.facts.slug.as_str(), whole.size), ("01bcc3db", Bytes(40960)));
    assert_eq!(whole.facts.apps.len(), 4);
    let bytes = std::fs::read(fixture("full-unprotected.tar")).unwrap();
    assert_eq!(whole.digest, Digest(Sha256::digest(&bytes).into()));

    let protected = check(&std::fs::read(fixture("full-protected.tar")).unwrap()).unwrap();
    assert!(protected.facts.protected);
    let partial = std::fs::read(fixture("partial-type.tar")).unwrap();
    assert!(matches!(check(&partial), Err(ArchiveError::Partial)));
    let cut = std::fs::read(fixture("cut-off.tar")).unwrap();
    assert!(matches!(check(&cut), Err(ArchiveError::CutOff { .. })), "{:?}", check(&cut));
}

#[test]
fn facts_are_found_without_reading_the_data() {
    let facts = read_facts(&fixture("full-protected.tar")).unwrap();
    assert_eq!((facts.slug.as_str(), facts.protected), ("76b48100", true));
    assert_eq!(read_facts(&fixture("partial-type.tar")).unwrap().kind, BackupKind::Partial);
    assert!(matches!(read_facts(&fixture("cut-off.tar")), Err(ArchiveError::CutOff { .. })));
    assert!(matches!(read_facts(&fixture("absent.tar")), Err(ArchiveError::Opening { .. })));
    assert!(matches!(read_facts(Path::new(FIXTURES)), Err(ArchiveError::Opening { .. })));
}

#[test]
fn slug_and_size_must_be_the_wanted_ones() {
    let path = fixture("full-unprotected.tar");
    let check = |slug: &str, size| {
        let slug: BackupSlug = slug.parse().unwrap();
        check_file(&path, Some((&slug, Bytes(size))), Depth::Outer, &Meter::new(), &StopFlag::new())
    };
    assert!(check("01bcc3db", 40960).is_ok());
    assert!(matches!(check("01bcc3db", 40961), Err(ArchiveError::OtherSize { found: 40960, wanted: 40961 })));
    assert!(matches!(check("0badc0de", 40960), Err(ArchiveError::OtherBackup { .. })));
}

#[test]
fn wherever_it_is_cut_off_it_is_no_backup() {
    let whole = std::fs::read(fixture("full-unprotected.tar")).unwrap();
    let data = whole.iter().rposition(|b| *b != 0).unwrap();
    let ends = (data + 1).next_multiple_of(512) + 1024;
    for end in (0..ends).step_by(97).chain(ends - 1100..ends) {
        let result = check(&whole[..end]);
        assert!(matches!(result, Err(ArchiveError::CutOff { .. })), "{end}: {result:?}");
    }
    assert!(check(&whole[..ends]).is_ok(), "two end blocks are enough");
}

#[test]
fn a_flipped_byte_anywhere_in_an_inner_archive_is_found_and_its_part_named() {
    let whole = backup_without(&[], json!({}));
    assert!(check(&whole).is_ok());
    let length = inner(5000, true).len();
    // Member 2 begins after the padded first one; its gzip header's time stamp carries no checksum and no meaning.
    let begin = 512 + length.next_multiple_of(512) + 512;
    let mut found = 0;
    for place in (0..2).chain(12..length).step_by(3) {
        let mut bytes = whole.clone();
        bytes[begin + place] ^= 0x10;
        match check(&bytes) {
            // Another way to write the same: only what comes out counts.
            Ok(_) => assert_eq!(unpacked(&bytes[begin..begin + length]), unpacked(&whole[begin..begin + length])),
            Err(e) => {
                found += 1;
                assert!(e.to_string().starts_with("the app core_mosquitto is damaged"), "{place}: {e}");
            }
        }
        let outer = check_tar(&bytes[..], Depth::Outer, &Meter::new(), &StopFlag::new());
        assert!(outer.is_ok(), "the outer tar does not show it");
    }
    assert!(found > length / 4, "{found} of {length}");
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let cases: [(&[&str], &str); 4] = [
        (&["homeassistant"], "Home Assistant is missing"),
        (&["core_mosquitto", "share"], "the app core_mosquitto is missing; the folder share is missing"),
        (&["addons_local"], "the folder addons/local is missing"),
        (&["backup.json"], "there is no backup.json in it"),
    ];
    for (left_out, want) in cases {
        assert_eq!(said(check(&backup_without(left_out, json!({})))), want);
    }
    // The names of an unpacked backup end otherwise.
    assert!(said(check(&backup_without(&[], json!({"compressed": false})))).contains("Home Assistant is missing"));
}

#[test]
fn an_unpacked_backup_is_read_as_one() {
    let members = |data: Vec<u8>| {
        let json = facts_json(json!({"compressed": false, "addons": [], "folders": []}));
        outer(&[(b"homeassistant.tar", data), (b"backup.json", json)])
    };
    assert!(check(&members(inner(5000, false))).is_ok());
    let cut = inner(5000, false)[..3000].to_vec();
    assert_eq!(said(check(&members(cut))), "Home Assistant is damaged: the archive is cut off");
}

#[test]
fn what_a_protected_backup_holds_is_not_judged_but_must_be_there() {
    let sealed = b"no gzip at all".to_vec();
    let json = facts_json(json!({"protected": true, "folders": []}));
    let members = [(&b"homeassistant.tar.gz"[..], sealed.clone()), (b"core_mosquitto.tar.gz", sealed.clone())];
    let with = |n: usize| {
        let mut members = members[..n].to_vec();
        members.push((b"./backup.json", json.clone()));
        outer(&members)
    };
    assert!(check(&with(2)).unwrap().facts.protected);
    assert_eq!(said(check(&with(1))), "the app core_mosquitto is missing");
}

#[test]
fn a_backup_json_that_is_none_is_refused() {
    let huge = vec![b' '; (FACTS_MOST + 1) as usize];
    let cases = [
        (b"not JSON".to_vec(), "reading its backup.json"),
        (b"{\"slug\":\"../../ab\",\"type\":\"full\"}".to_vec(), "reading its backup.json"),
        (huge, "its backup.json is too large (4 MB)"),
    ];
    for (json, want) in cases {
        assert_eq!(said(check(&outer(&[(b"./backup.json", json)]))), want);
    }
    assert_eq!(said(check(&outer(&[]))), "there is no backup.json in it");
    assert!(said(check(b"")).contains("cut off at byte 0"));
    assert!(said(check(&[7; 2048])).contains("damaged"));
}

#[test]
fn data_behind_the_end_is_no_end() {
    let mut bytes = backup_without(&[], json!({}));
    let at = bytes.len() - 100;
    bytes[at] = 1;
    assert_eq!(said(check(&bytes)), format!("the backup has data after its end at byte {at}"));
    // A header that was overwritten with zeroes looks like an end with data behind it.
    let mut bytes = backup_without(&[], json!({}));
    bytes[..512].fill(0);
    assert!(matches!(check(&bytes), Err(ArchiveError::AfterEnd { .. })));
}

#[test]
fn hostile_names_do_no_harm() {
    let long = [b'x'; 100];
    let names: [&[u8]; 7] =
        [b"../../etc/passwd.tar.gz", b"/abs.tar.gz", b"a b\"'\n.tar.gz", b"\xff\xfe.tar.gz", &long, b".", b"./"];
    let mut members: Vec<(&[u8], Vec<u8>)> = names.iter().map(|n| (*n, inner(10, true))).collect();
    members.push((b"homeassistant.tar.gz", inner(10, true)));
    members.push((b"backup.json", facts_json(json!({"addons": [], "folders": []}))));
    assert!(check(&outer(&members)).is_ok());
    // The same names with damage are told without control characters.
    members[3].1 = b"broken".to_vec();
    members[2].1 = b"broken".to_vec();
    let said = said(check(&outer(&members)));
    assert!(said.contains("the archive") && !said.contains('\n'), "{said}");
}

#[test]
fn apps_with_hostile_slugs_are_only_compared() {
    let slug = "../../../tmp/x";
    let json = facts_json(json!({"addons": [{"slug": slug}], "folders": []}));
    let members = [(&b"homeassistant.tar.gz"[..], inner(10, true)), (b"backup.json", json)];
    assert_eq!(said(check(&outer(&members))), format!("the app {slug} is missing"));
}

#[test]
fn it_counts_what_it_reads_and_stops_when_told() {
    let bytes = backup_without(&[], json!({}));
    let (meter, stop) = (Meter::new(), StopFlag::new());
    check_tar(&bytes[..], Depth::Inner, &meter, &stop).unwrap();
    assert_eq!(meter.amount().done, bytes.len() as u64);
    stop.set();
    assert!(matches!(check_tar(&bytes[..], Depth::Inner, &meter, &stop), Err(ArchiveError::Stopped)));
}

/// Gives some bytes, then an error of the disk; or sets the stop flag in the middle.
struct Broken<'a> {
    bytes: &'a [u8],
    stop: Option<&'a StopFlag>,
}

impl Read for Broken<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() {
            let Some(stop) = self.stop else { return Err(io::Error::other("the disk is broken")) };
            stop.set();
            buffer.fill(0x1f);
            return Ok(buffer.len());
        }
        let length = self.bytes.len().min(buffer.len()).min(700);
        buffer[..length].copy_from_slice(&self.bytes[..length]);
        self.bytes = &self.bytes[length..];
        Ok(length)
    }
}

#[test]
fn an_error_of_the_disk_and_a_stop_in_the_middle_are_told_apart() {
    let bytes = backup_without(&[], json!({}));
    let stop = StopFlag::new();
    for end in [0, 100, 512, 900, 3000, bytes.len()] {
        let broken = Broken { bytes: &bytes[..end], stop: None };
        let result = check_tar(broken, Depth::Inner, &Meter::new(), &stop);
        assert!(matches!(result, Err(ArchiveError::Reading { .. })), "{end}: {result:?}");
    }
    let stopping = Broken { bytes: &bytes[..1500], stop: Some(&stop) };
    let result = check_tar(stopping, Depth::Inner, &Meter::new(), &stop);
    assert!(matches!(result, Err(ArchiveError::Stopped)), "{result:?}");
}
