//! `flash`: the image as it is, byte for byte.

use std::fs;

use serde_json::json;

use crate::shop::*;

#[test]
fn flashing_writes_the_image_as_it_is_and_reads_it_back() {
    let dir = folder();
    let (image, card) = (pi(dir.path()), dir.path().join("card.img"));
    fs::write(&card, vec![0xa5; 64 << 20]).unwrap();
    let flashed = sd_swap(&["flash", text(&image), text(&card), "--yes", "--json"]);
    assert_eq!(flashed.code, 0, "{}{}", flashed.out, flashed.err);
    let raw = fs::read(unpack(&image)).unwrap();
    let written = fs::read(&card).unwrap();
    assert_eq!((written.len(), &written[..raw.len()] == raw.as_slice()), (64 << 20, true));
    let report = flashed.json();
    let states: Vec<_> =
        report["stages"].as_array().unwrap().iter().map(|s| (s["id"].clone(), s["state"].clone())).collect();
    let done = ["preflight", "download", "write", "verify", "commit"].map(|id| (json!(id), json!("done")));
    assert_eq!(states, done);
    assert_eq!((&report["backup"], &report["warnings"]), (&json!(null), &json!([])), "{report}");
    assert_eq!(report["sha256"]["image"], sha256(&image));
}

#[test]
fn flashing_without_reading_back_says_so() {
    let dir = folder();
    let (image, card) = (unpack(&pi(dir.path())), dir.path().join("card.img"));
    fs::write(&card, vec![0xa5; 64 << 20]).unwrap();
    let flashed = sd_swap(&["flash", text(&image), text(&card), "--yes", "--no-verify"]);
    assert_eq!(flashed.code, 0, "{}", flashed.err);
    for says in ["verify: nothing to do", "Note: The card was not read back, as asked."] {
        assert!(flashed.err.contains(says), "{}", flashed.err);
    }
    assert!(!flashed.err.contains("verify: begins"), "{}", flashed.err);
    let (raw, written) = (fs::read(&image).unwrap(), fs::read(&card).unwrap());
    let differs = (0..raw.len()).find(|n| raw[*n] != written[*n]);
    assert_eq!(differs, None);
    let report = sd_swap(&["flash", text(&image), text(&card), "--yes", "--no-verify", "--json"]).json();
    assert_eq!(report["warnings"][0]["code"], "not_verified", "{report}");
}

#[test]
fn anything_can_be_flashed_but_only_home_assistant_becomes_a_card() {
    let dir = folder();
    let (image, card) = (dir.path().join("other.img"), dir.path().join("card.img"));
    fs::write(&image, vec![0x5a; 3 << 20]).unwrap();
    run("sh", &["-c", &format!("echo 'label: dos\nstart=2048, type=83' | sfdisk -q '{}'", text(&image))]);
    let other = fs::read(&image).unwrap();
    let before = vec![0xa5; 16 << 20];
    fs::write(&card, &before).unwrap();
    let made = make_card(&image, &["--to", text(&card), "--yes", "--json"]);
    assert_eq!((made.code, &made.json()["problem"]["code"]), (1, &json!("image_unusable")), "{}", made.out);
    assert_eq!(fs::read(&card).unwrap(), before);
    assert_eq!(sd_swap(&["flash", text(&image), text(&card), "--yes"]).code, 0);
    assert!(fs::read(&card).unwrap().starts_with(&other));
}
