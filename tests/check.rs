//! `sd-swap check` on real files: cards that `make-card` made, whole and damaged in one place at a time, and what is no
//! card. Places are found by other tools.
#![expect(clippy::disallowed_types, reason = "the program and other tools are what is tried here")]

#[path = "check/maker.rs"]
mod maker;

use std::fs;
use std::path::Path;

use Harm::{Cut, Debugfs, Flip};
use maker::*;
use serde_json::{Value, json};

const CARD: u64 = 96 * MIB;

fn tar_digest() -> String {
    run("sha256sum", &[SLUG_TAR]).split(' ').next().unwrap().to_owned()
}

fn slug() -> String {
    let facts: Value = serde_json::from_str(&run("tar", &["-xOf", SLUG_TAR, "./backup.json"])).unwrap();
    facts["slug"].as_str().unwrap().to_owned()
}

#[test]
fn a_card_that_was_made_is_finished_whatever_its_table() {
    for kind in [Kind::Gpt, Kind::Hybrid, Kind::Mbr] {
        let maker = Maker::new(kind);
        let image = maker.image.to_str().unwrap();
        let (code, plain) = check(&maker.card, &[]);
        assert_eq!((code, &plain["state"], &plain["damage"]), (0, &json!("finished"), &json!([])), "{kind:?} {plain}");
        assert_eq!(plain["backup"], json!({ "slug": slug(), "sha256": tar_digest(), "same": null }));
        // Such a small layout belongs to no board; and nothing says that the image is really on it.
        assert_eq!(plain["board"], Value::Null);
        let (code, all) = check(&maker.card, &["--image", image, "--backup", SLUG_TAR]);
        assert_eq!((code, &all["notes"]), (0, &json!([])), "{kind:?} {all}");
        assert_eq!((&all["backup"]["same"], &all["image_same"]), (&json!(true), &json!(true)));
        assert_eq!((&all["board"], &all["image"]), (&json!("rpi4-64"), &json!("haos_rpi4-64-18.2.img.xz")));
    }
}

#[test]
fn a_look_changes_nothing_and_leaves_nothing() {
    let maker = Maker::new(Kind::Gpt);
    let (image, scratch) = (maker.image.to_str().unwrap(), tempfile::tempdir().unwrap());
    let before = run("sha256sum", &[maker.card.to_str().unwrap()]);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sd-swap"));
    command.args(["check", maker.card.to_str().unwrap(), "--image", image]).env("TMPDIR", scratch.path());
    assert!(command.output().unwrap().status.success());
    assert_eq!(run("sha256sum", &[maker.card.to_str().unwrap()]), before);
    assert_eq!(scratch.path().read_dir().unwrap().count(), 0);
}

/// What is done to a finished card.
#[derive(Clone, Copy)]
enum Harm<'a> {
    Flip(u64),
    /// Or lengthened.
    Cut(u64),
    /// In its data partition.
    Debugfs(&'a str),
}

impl Harm<'_> {
    fn apply(self, maker: &Maker, card: &Path) {
        match self {
            Harm::Flip(at) => flip(card, at),
            Harm::Cut(length) => cut(card, length),
            Harm::Debugfs(command) => drop(maker.debugfs(card, command)),
        }
    }
}

/// What is done, what `check` is given, what it says and at which byte.
struct Case<'a> {
    name: &'a str,
    harm: Harm<'a>,
    image: bool,
    backup: bool,
    says: &'a str,
    at: Option<u64>,
}

fn case<'a>(name: &'a str, harm: Harm<'a>, says: &'a str, at: Option<u64>) -> Case<'a> {
    Case { name, harm, image: false, backup: false, says, at }
}

fn try_case(maker: &Maker, case: &Case<'_>) {
    let card = maker.copy(case.name);
    case.harm.apply(maker, &card);
    let image = ["--image", maker.image.to_str().unwrap()];
    let given = [if case.image { &image[..] } else { &[] }, if case.backup { &["--backup", SLUG_TAR] } else { &[] }];
    let (code, answer) = check(&card, &given.concat());
    fs::remove_file(&card).unwrap();
    assert_eq!((code, &answer["state"]), (4, &json!("damaged")), "{}: {answer}", case.name);
    let damage = answer["damage"].as_array().unwrap();
    let named = damage.iter().any(|damage| {
        let says = damage["what"].as_str().unwrap().contains(case.says);
        says && case.at.is_none_or(|at| damage["offset"] == json!(at))
    });
    assert!(named, "{} should say {:?} at {:?}: {answer}", case.name, case.says, case.at);
}

#[test]
fn each_damage_to_the_table_is_named_with_its_place() {
    let maker = Maker::new(Kind::Gpt);
    let cases = [
        case("primary-header", Flip(512 + 56), "header is damaged (checksum)", Some(512)),
        case("primary-entries", Flip(1024 + 2 * 128 + 60), "entries are damaged", Some(1024)),
        case("boot-mark", Flip(510), "no partition table", Some(0)),
        case("protective-entry", Flip(446 + 4), "partition table is damaged", Some(0)),
        case("backup-header", Flip(CARD - 512 + 56), "at the end", Some(CARD - 512)),
        case("backup-entries", Flip(CARD - 33 * 512), "at the end", Some(CARD - 33 * 512)),
        case("cut-by-a-sector", Cut(CARD - 512), "cut off", Some(CARD - 512)),
        case("cut-by-a-mib", Cut(CARD - MIB), "", Some(512)),
        case("cut-to-a-half", Cut(CARD / 2), "", Some(512)),
        case("cut-to-nearly-nothing", Cut(20_480), "", Some(512)),
        case("longer", Cut(CARD + MIB), "does not reach the end", Some(CARD - 33 * 512)),
        Case { image: true, ..case("sector-0-code", Flip(7), "partition table is not the one", Some(7)) },
    ];
    cases.iter().for_each(|case| try_case(&maker, case));
}

#[test]
fn a_cut_card_with_an_mbr_is_damaged_too() {
    let maker = Maker::new(Kind::Mbr);
    let cases = [
        case("cut-by-a-sector", Cut(CARD - 512), "past the end of the card", Some(CARD - 512)),
        case("cut-by-a-mib", Cut(CARD - MIB), "file system goes on past its end", Some(CARD - MIB)),
        case("cut-by-more", Cut(CARD - 2 * MIB), "past the end of the disk", Some(CARD - 2 * MIB)),
        case("link", Flip(2 * MIB + 510), "chain of logical partitions", Some(2 * MIB)),
        case("signature", Flip(440), "not that of Home Assistant OS", None),
    ];
    cases.iter().for_each(|case| try_case(&maker, case));
}

#[test]
fn each_damage_to_the_content_is_named_with_its_place() {
    let maker = Maker::new(Kind::Gpt);
    let data = maker.data();
    let tar = format!("/supervisor/backup/{}.tar", slug());
    let in_tar = maker.place(&maker.card, &tar, 5000);
    let in_layer = maker.place(&maker.card, "/docker/layer", 200_000);
    let bitmap = maker.bitmap(&maker.card);
    let removed = format!("rm {tar}");
    let rights = format!("set_inode_field {tar} mode 0100666");
    let cases = [
        Case { image: true, ..case("system", Flip(3 * MIB + 700_001), "hassos-system0", Some(3 * MIB + 700_001)) },
        Case { image: true, ..case("spare", Flip(8 * MIB + 5), "hassos-system1", Some(8 * MIB + 5)) },
        Case { backup: true, ..case("tar", Flip(in_tar), "differs from the one given", Some(in_tar)) },
        case("tar-alone", Flip(in_tar), "is damaged", None),
        Case { image: true, ..case("layer", Flip(in_layer), "/docker/layer differs", Some(in_layer)) },
        Case { image: true, ..case("gone", Debugfs("rm /docker/deep/small"), "/docker/deep/small is missing", None) },
        case("superblock-magic", Flip(data + 1024 + 56), "no ext4", Some(data + 1024)),
        case("superblock-count", Flip(data + 1024 + 12), "file system is damaged", Some(data)),
        case("label", Flip(data + 1024 + 120), "has the label \"iassos-data\"", Some(data + 1024 + 120)),
        case("bitmap", Flip(bitmap + 100), "file system is damaged", Some(data)),
        Case { backup: true, ..case("tar-gone", Debugfs(&removed), "the backup is missing", None) },
        case("tar-gone-alone", Debugfs(&removed), "the backup is missing", None),
        case("rights", Debugfs(&rights), "rights 0600 or 0644", None),
    ];
    cases.iter().for_each(|case| try_case(&maker, case));
}

#[test]
fn what_only_the_image_tells_is_not_guessed_without_it() {
    let maker = Maker::new(Kind::Gpt);
    flip(&maker.card, 3 * MIB + 700_001);
    assert_eq!(check(&maker.card, &[]).0, 0);
    // Settings that were put into the overlay are no damage; a broken overlay is.
    let overlay = maker.kind.places().overlay * MIB;
    let card = maker.copy("overlay");
    flip(&card, 3 * MIB + 700_001);
    run("debugfs", &["-w", "-R", "mkdir etc", &format!("{}?offset={overlay}", card.display())]);
    let (code, answer) = check(&card, &["--image", maker.image.to_str().unwrap()]);
    assert_eq!((code, answer["notes"].as_array().unwrap().len()), (0, 1), "{answer}");
    put(&card, overlay + 1024, &[0; 1024]);
    let (code, answer) = check(&card, &["--image", maker.image.to_str().unwrap()]);
    assert_eq!((code, &answer["damage"][0]["offset"]), (4, &json!(overlay + 1024)), "{answer}");
}

#[test]
fn a_card_made_without_a_backup_is_finished_too_unless_one_is_asked_for() {
    let maker = Maker::new(Kind::Gpt);
    let card = maker.dir.path().join("bare.img");
    let made = maker.make(&card, &[]);
    let said = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(said.contains("commit: done"), "{said}");
    let (code, answer) = check(&card, &["--image", maker.image.to_str().unwrap()]);
    assert_eq!((code, &answer["backup"]), (0, &Value::Null), "{answer}");
    assert_eq!(check(&card, &["--backup", SLUG_TAR]).0, 4);
}

#[test]
fn blank_is_what_has_no_sector_0() {
    let maker = Maker::new(Kind::Gpt);
    let killed = maker.copy("killed");
    put(&killed, 0, &[0; 512]);
    let zeros = maker.dir.path().join("zeros.img");
    fs::write(&zeros, vec![0; 5 << 20]).unwrap();
    for card in [&killed, &zeros] {
        let (code, answer) = check(card, &["--image", maker.image.to_str().unwrap()]);
        assert_eq!((code, &answer["state"], &answer["damage"]), (3, &json!("blank"), &json!([])), "{answer}");
    }
}

#[test]
fn what_is_no_card_is_something_else() {
    let maker = Maker::new(Kind::Gpt);
    let path = |name: &str| maker.dir.path().join(name);
    let mut noise: Vec<u8> = (0..4u64 << 20).map(|n| ((n * n) >> 5) as u8 | 1).collect();
    fs::write(path("noise"), &noise).unwrap();
    noise[..3].copy_from_slice(&[0xeb, 0x3c, 0x90]);
    noise[510..512].copy_from_slice(&[0x55, 0xaa]);
    fs::write(path("fat"), &noise).unwrap();
    fs::write(path("disk"), vec![0; 8 << 20]).unwrap();
    sfdisk(&path("disk"), "label: gpt\nstart=2048, size=4096, type=linux, name=\"photos\"\n");
    fs::write(path("nothing"), b"").unwrap();
    run("mke2fs", &["-q", "-t", "ext4", path("ext4").to_str().unwrap(), "8M"]);
    fs::File::create(path("flashed")).unwrap().set_len(CARD).unwrap();
    let flashed = sd_swap(&["flash", maker.image.to_str().unwrap(), path("flashed").to_str().unwrap(), "--yes"]);
    assert!(flashed.status.success());
    let mbr = Maker::new(Kind::Mbr);
    fs::File::create(path("mbr")).unwrap().set_len(CARD).unwrap();
    put(&path("mbr"), 0, &fs::read(&mbr.raw).unwrap());
    let cases = [
        (path("noise"), "without a partition table"),
        (path("fat"), "FAT"),
        (path("disk"), "one partition (GPT)"),
        (path("nothing"), "no bytes"),
        (path("ext4"), "(ext4)"),
        (maker.raw.clone(), "not yet grown"),
        (path("flashed"), "not yet grown"),
        (path("mbr"), "not yet grown"),
    ];
    for (file, says) in cases {
        let (code, answer) = check(&file, &[]);
        assert_eq!((code, &answer["state"]), (5, &json!("other")), "{}: {answer}", file.display());
        assert!(answer["summary"].as_str().unwrap().contains(says), "{answer}");
    }
    let (code, answer) = check(&path("flashed"), &["--image", maker.image.to_str().unwrap()]);
    assert_eq!((code, &answer["image_same"]), (5, &json!(true)), "{answer}");
}

#[test]
fn another_image_and_another_backup_are_told() {
    let (maker, other) = (Maker::new(Kind::Gpt), Maker::new(Kind::Mbr));
    let (code, answer) = check(&maker.card, &["--image", other.image.to_str().unwrap()]);
    assert_eq!((code, &answer["image_same"], &answer["board"]), (4, &json!(false), &Value::Null), "{answer}");
    let protected = SLUG_TAR.replace("full-unprotected", "full-protected");
    let (code, answer) = check(&maker.card, &["--backup", &protected]);
    assert_eq!((code, &answer["backup"]["same"], &answer["backup"]["slug"]), (4, &json!(false), &json!(slug())));
}

#[test]
fn wrong_calls_are_told_in_plain_words() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"text").unwrap();
    let (file, folder) = (file.to_str().unwrap(), dir.path().to_str().unwrap());
    let cases: [(&[&str], &str); 5] = [
        (&["check", "/nonexistent"], "There is no /nonexistent."),
        (&["check", "/dev/null"], "/dev/null is neither a file nor a disk."),
        (&["check", folder], "is neither a file nor a disk."),
        (&["check", file, "--backup", "/nonexistent"], "There is no file /nonexistent."),
        (&["check", file, "--image", file], "it is neither an xz file nor a disk image."),
    ];
    for (arguments, says) in cases {
        let output = sd_swap(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.trim_end().ends_with(says), "{said}");
    }
}
