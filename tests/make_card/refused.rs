//! What is refused before anything is written: the card stays byte for byte what it was, and no file appears.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use crate::shop::*;

struct Bench {
    dir: TempDir,
    image: PathBuf,
    card: PathBuf,
}

impl Bench {
    fn new() -> Bench {
        let dir = folder();
        let (image, card) = (pi(dir.path()), dir.path().join("card.img"));
        fs::write(&card, holiday()).unwrap();
        Bench { dir, image, card }
    }

    fn to_card(&self, more: &[&str]) -> Ran {
        make_card(&self.image, &[&["--to", text(&self.card)], more].concat())
    }

    fn assert_untouched(&self) {
        assert!(fs::read(&self.card).unwrap() == holiday(), "the card changed");
        let mut there: Vec<_> = fs::read_dir(self.dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        there.sort();
        assert_eq!(there, ["card.img", "haos_rpi4-64-18.2.img.xz"]);
    }
}

/// What was on the card.
fn holiday() -> Vec<u8> {
    b"holiday ".repeat(6 << 20)
}

#[test]
fn without_a_terminal_nothing_is_erased_unless_yes_is_said() {
    let bench = Bench::new();
    bench.to_card(&[]).refused("Add --yes");
    bench.to_card(&["--size", "64M"]).refused("Add --yes");
    sd_swap(&["flash", text(&bench.image), text(&bench.card)]).refused("Add --yes");
    let new = bench.dir.path().join("new.img");
    make_card(&bench.image, &["--to", text(&new), "--size", "64M"]).refused("Add --yes");
    bench.assert_untouched();
}

#[test]
fn another_fingerprint_is_another_card() {
    let bench = Bench::new();
    let other = ["--yes", "--fingerprint", "v1-00000000000000000000000000000000"];
    bench.to_card(&other).refused("is not what you confirmed");
    let asked = bench.to_card(&[&other[..], &["--json", "--size", "64M"]].concat());
    assert_eq!((asked.code, &asked.json()["outcome"]), (2, &json!("refused")));
    bench.assert_untouched();
    // And the right one, as the report gives it, is taken: what is on the card counts too.
    let made = bench.to_card(&["--yes", "--json"]).json();
    let seen = made["fingerprint"].as_str().unwrap();
    bench.to_card(&["--yes", "--fingerprint", seen]).refused("is not what you confirmed");
    fs::write(&bench.card, holiday()).unwrap();
    assert_eq!(bench.to_card(&["--yes", "--fingerprint", seen]).code, 0);
}

#[test]
fn the_card_is_never_the_image_or_the_backup() {
    let bench = Bench::new();
    let (before, image) = (fs::read(&bench.image).unwrap(), text(&bench.image));
    let link = bench.dir.path().join("link");
    std::os::unix::fs::symlink(&bench.image, &link).unwrap();
    for to in [image, text(&link)] {
        make_card(&bench.image, &["--to", to, "--yes"]).refused("the card must be another file");
        make_card(&bench.image, &["--to", to, "--size", "1G", "--yes"]).refused("the card must be another file");
    }
    sd_swap(&["flash", image, image, "--yes"]).refused("the card must be another file");
    fs::remove_file(link).unwrap();
    bench.to_card(&["--backup", text(&bench.card), "--yes"]).refused("the card must be another file");
    assert!(fs::read(&bench.image).unwrap() == before);
    bench.assert_untouched();
}

#[test]
fn size_makes_and_enlarges_files_and_does_nothing_else() {
    let bench = Bench::new();
    let new = bench.dir.path().join("new.img");
    let to_new = |more: &[&str]| make_card(&bench.image, &[&["--to", text(&new), "--yes"], more].concat());
    to_new(&[]).refused("Give --size");
    for wrong in ["", "0", "8X", "-1", "8 G B", "99999999999999999999G"] {
        to_new(&[&format!("--size={wrong}")]).refused("--size");
    }
    to_new(&["--size", "64M", "--backup", "/nonexistent.tar"]).refused("There is no file /nonexistent.tar.");
    make_card("/nonexistent.img".as_ref(), &["--to", text(&new), "--size", "64M", "--yes"]).refused("There is no file");
    bench.to_card(&["--yes", "--size", "16M"]).refused("more than --size says");
    make_card(&bench.image, &["--to", "/dev/null", "--yes"]).refused("/dev/null is neither a file nor a disk.");
    make_card(&bench.image, &["--to", "/dev/null", "--size", "64M", "--yes"]).refused("--size is for files");
    make_card(&bench.image, &["--to", "/proc/no/such", "--size", "64M", "--yes"]).refused("making /proc/no/such");
    let asked = to_new(&["--json"]);
    assert_eq!((asked.code, &asked.json()["outcome"]), (2, &json!("refused")));
    bench.assert_untouched();
    // Enlarged, and filled to its new end.
    assert_eq!(bench.to_card(&["--yes", "--size", "80M"]).code, 0);
    assert_eq!(fs::metadata(&bench.card).unwrap().len(), 80 << 20);
    assert_eq!(crate::readback::assert_card(&bench.card, &unpack(&bench.image), None, "rpi4-64"), Ok(()));
}

#[test]
fn a_file_has_to_hold_the_image() {
    let bench = Bench::new();
    let new = bench.dir.path().join("new.img");
    let made = make_card(&bench.image, &["--to", text(&new), "--size", "8M", "--yes", "--json"]);
    assert_eq!((made.code, &made.json()["problem"]["code"]), (1, &json!("card_too_small")), "{}", made.out);
    assert_eq!(made.json()["card"], "untouched");
}

#[test]
fn an_image_from_the_web_needs_its_digest_or_the_word_that_there_is_none() {
    let bench = Bench::new();
    let to = ["--to", text(&bench.card), "--yes"];
    let asked = sd_swap(&[&["make-card", "--image", "http://127.0.0.1:9/haos.img.xz"][..], &to].concat());
    asked.refused("Nothing was written");
    bench.assert_untouched();
}
