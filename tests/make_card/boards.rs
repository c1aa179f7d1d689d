//! A card for every board, and cards from images and backups that other tools made.

use std::fs;
use std::path::Path;

use sd_swap::domain::image::Board;
use serde_json::{Value, json};

use crate::foreign::{self, Foreign};
use crate::readback::{Setting, assert_card, assert_card_with};
use crate::shop::*;

#[test]
fn every_board_gets_its_card() {
    let dir = folder();
    for board in Board::ALL {
        let (image, card) = (tiny(dir.path(), board), dir.path().join("card.img"));
        let made = make_card(&image, &["--backup", BACKUP, "--to", text(&card), "--size", "512M", "--yes", "--json"]);
        assert_eq!(made.code, 0, "{board}: {}{}", made.out, made.err);
        let report = made.json();
        assert_eq!((&report["outcome"], &report["card"]), (&json!("done"), &json!("finished")), "{report}");
        assert_eq!(report["backup"], SLUG);
        let raw = unpack(&image);
        assert_eq!(assert_card(&card, &raw, Some(Path::new(BACKUP)), board.slug()), Ok(()), "{board}");
        [&card, &raw, &image].into_iter().for_each(|file| fs::remove_file(file).unwrap());
    }
}

#[test]
fn a_card_needs_no_backup() {
    let dir = folder();
    let (image, card) = (pi(dir.path()), dir.path().join("card.img"));
    let made = make_card(&image, &["--to", text(&card), "--size", "64M", "--yes"]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(made.err.contains("backup: nothing to do") && made.err.contains("The card is finished."), "{}", made.err);
    assert_eq!(assert_card(&card, &unpack(&image), None, "rpi4-64"), Ok(()));
    // Once more onto what is a card now: nothing of the first one is left.
    let again = make_card(&image, &["--backup", BACKUP, "--to", text(&card), "--yes"]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(assert_card(&card, &unpack(&image), Some(Path::new(BACKUP)), "rpi4-64"), Ok(()));
}

/// The whole way with a stand-in Supervisor and a stand-in release server, and what `report.json` says of it.
fn the_demo_makes_a_card(board: Board) {
    let dir = folder();
    let arguments = ["--board", board.slug(), "--card-size", "8G", "--backup-size", "2M", "--keep", text(dir.path())];
    let made = sd_swap(&[&["demo", "--headless"][..], &arguments].concat());
    assert_eq!(made.code, 0, "{}", made.err);
    let report: Value = serde_json::from_slice(&fs::read(dir.path().join("report.json")).unwrap()).unwrap();
    assert_eq!((&report["outcome"], &report["board"]), (&json!("done"), &json!(board.slug())), "{report}");
    assert!(report["fingerprint"].as_str().unwrap().starts_with("v1-"), "{report}");
    assert_eq!(report["warnings"], json!([]));
    let file = |name: &str| Path::new(report["files"][name].as_str().unwrap()).to_owned();
    let (card, image, backup) = (file("card"), file("image"), file("backup"));
    for (name, path) in [("image", &image), ("backup", &backup)] {
        assert_eq!(report["sha256"][name], sha256(path), "{name}");
    }
    let raw = unpack(&image);
    let stages = report["stages"].as_array().unwrap();
    let ids: Vec<_> = stages.iter().map(|stage| stage["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["preflight", "backup", "download", "write", "verify", "grow", "inject", "commit"]);
    assert!(stages.iter().all(|stage| stage["seconds"].is_f64() && stage["state"] == "done"), "{report}");
    let length = |path: &Path| json!(fs::metadata(path).unwrap().len());
    let bytes = [1, 2, 3, 4, 6].map(|n| stages[n]["bytes"].clone());
    let whole = length(&raw);
    assert_eq!(bytes, [length(&backup), length(&image), whole.clone(), whole, length(&backup)]);
    assert_eq!(report["carried"], json!({ "hostname": "homeassistant", "interfaces": ["eth0"] }));
    let profile = "/etc/NetworkManager/system-connections/eth0.nmconnection";
    let lines = carried(&card, board, profile);
    assert!(lines.contains("\naddress1=192.168.1.40/24\n") && lines.contains("\nmethod=manual\n"), "{lines}");
    let settings = [
        Setting { path: "/etc/hostname", mode: "100644", content: "homeassistant\n" },
        Setting { path: profile, mode: "100600", content: &lines },
    ];
    assert_eq!(assert_card_with(&card, &raw, Some(&backup), board.slug(), &settings), Ok(()));
    let checked = sd_swap(&["check", text(&card), "--json", "--image", text(&image), "--backup", text(&backup)]);
    let answer = checked.json();
    assert_eq!((checked.code, &answer["state"]), (0, &json!("finished")), "{answer}");
    assert_eq!((&answer["image_same"], &answer["backup"]["same"]), (&json!(true), &json!(true)), "{answer}");
}

/// A file of the card's overlay partition.
fn carried(card: &Path, board: Board, path: &str) -> String {
    let start = if board == Board::OdroidN2 { 1_239_040 } else { 1_230_848 };
    run("debugfs", &["-R", &format!("cat {path}"), &format!("{}?offset={}", text(card), start * 512)])
}

#[test]
fn the_demo_makes_a_hybrid_card() {
    the_demo_makes_a_card(Board::Rpi4_64);
}

#[test]
fn the_demo_makes_an_mbr_card() {
    the_demo_makes_a_card(Board::OdroidN2);
}

fn of_others(foreign: Foreign) {
    let dir = folder();
    let raw = foreign.image(dir.path());
    let backup = foreign::backup(dir.path(), 3);
    let (packed, card) = (foreign::packed(&raw), dir.path().join("card.img"));
    let more = ["--backup", text(&backup), "--to", text(&card), "--size", "2G", "--yes", "--json"];
    let made = make_card(&packed, &[&more[..], &["--board", foreign.board()]].concat());
    assert_eq!(made.code, 0, "{}{}", made.out, made.err);
    let report = made.json();
    assert_eq!((&report["backup"], &report["board"]), (&json!("0a1b2c3d"), &json!(foreign.board())));
    assert_eq!(report["sha256"], json!({ "image": sha256(&packed), "backup": sha256(&backup) }));
    assert_eq!(assert_card(&card, &raw, Some(&backup), foreign.board()), Ok(()));
}

#[test]
fn an_image_of_others_with_a_hybrid_table() {
    of_others(Foreign::Rpi4);
}

#[test]
fn an_image_of_others_with_a_gpt() {
    of_others(Foreign::Generic);
}

#[test]
fn an_image_of_others_with_an_mbr() {
    of_others(Foreign::OdroidN2);
}
