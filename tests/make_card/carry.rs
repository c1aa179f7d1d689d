//! Host name and network settings on the card, read off it with other tools.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sd_swap::domain::image::Board;
use serde_json::json;

use crate::readback::{Setting, assert_card_with};
use crate::shop::*;

const FOLDER: &str = "/etc/NetworkManager/system-connections";
const PASSWORD: &str = " correct; horse=\\\" ";

/// As the Supervisor answers, with a password added.
fn network(dir: &Path) -> PathBuf {
    let answer = json!({ "result": "ok", "data": { "docker": {}, "interfaces": [
        { "interface": "end0", "type": "ethernet", "enabled": true, "connected": true, "primary": true,
          "ipv4": { "method": "static", "address": ["192.168.1.10/24"], "gateway": "192.168.1.1",
                    "nameservers": ["192.168.1.1", "1.1.1.1"], "route_metric": null, "ready": true },
          "ipv6": { "method": "auto", "addr_gen_mode": "stable-privacy", "ip6_privacy": "default", "address": [],
                    "nameservers": [], "gateway": null, "route_metric": null, "ready": true },
          "wifi": null, "vlan": null, "mdns": "announce", "llmnr": "announce" },
        { "interface": "wlan0", "type": "wireless", "enabled": true, "connected": false, "primary": false,
          "wifi": { "mode": "infrastructure", "auth": "wpa-psk", "ssid": "16;\"=\n", "psk": PASSWORD } },
        { "interface": "end0.7", "type": "vlan", "enabled": true, "vlan": { "id": 7, "parent": "0b5d8a6e" },
          "ipv4": { "method": "static", "address": ["10.7.0.2/24"] }, "ipv6": { "method": "disabled" } },
    ]}});
    let path = dir.join("network.json");
    fs::write(&path, answer.to_string()).unwrap();
    path
}

// What becomes of it. UUIDs are made of the interfaces' names.
const CABLE: &str = r#"[connection]
id=Supervisor end0
uuid=a67465fe-7a2f-8cba-866e-bb1aace5ea56
type=ethernet
interface-name=end0
llmnr=2
mdns=2

[ethernet]
cloned-mac-address=preserve

[ipv4]
address1=192.168.1.10/24
dns=192.168.1.1;1.1.1.1;
gateway=192.168.1.1
method=manual

[ipv6]
method=auto
addr-gen-mode=stable-privacy
"#;

const WIFI: &str = r#"[connection]
id=Supervisor wlan0
uuid=d87af099-6ba2-876c-85c0-e7e6c4e07e22
type=wifi
interface-name=wlan0

[wifi]
cloned-mac-address=preserve
mode=infrastructure
ssid=49;54;59;34;61;10;

[wifi-security]
auth-alg=open
key-mgmt=wpa-psk
psk=\scorrect; horse=\\"\s

[ipv4]
method=auto

[ipv6]
method=auto
addr-gen-mode=default
"#;

const VLAN: &str = r#"[connection]
id=Supervisor end0.7
uuid=5d0c006b-dfcd-8fe3-8fda-a312ea8fea39
type=vlan

[vlan]
id=7
parent=end0

[ipv4]
address1=10.7.0.2/24
method=manual

[ipv6]
method=link-local
"#;

fn assert_settings(card: &Path, image: &Path, backup: Option<&Path>, board: Board) {
    let path = |name: &str| format!("{FOLDER}/{name}.nmconnection");
    let (cable, wifi, vlan) = (path("end0"), path("wlan0"), path("end0.7"));
    let setting = |path, mode, content| Setting { path, mode, content };
    let settings = [
        setting("/etc/hostname", "100644", "villa\n"),
        setting(&cable, "100600", CABLE),
        setting(&wifi, "100600", WIFI),
        setting(&vlan, "100600", VLAN),
    ];
    assert_eq!(assert_card_with(card, image, backup, board.slug(), &settings), Ok(()), "{board}");
}

#[test]
fn name_and_network_go_onto_every_kind_of_card() {
    let dir = folder();
    let file = network(dir.path());
    // Hybrid, hybrid with another number, plain, without names.
    let boards = [Board::Rpi4_64, Board::OdroidM1, Board::GenericX86_64, Board::OdroidN2];
    for board in boards {
        let (image, card) = (tiny(dir.path(), board), dir.path().join("card.img"));
        let carry = ["--hostname", "villa", "--network", text(&file)];
        let to = ["--backup", BACKUP, "--to", text(&card), "--size", "512M", "--yes", "--json"];
        let made = make_card(&image, &[&carry[..], &to].concat());
        assert_eq!(made.code, 0, "{board}: {}{}", made.out, made.err);
        let report = made.json();
        assert_eq!(report["carried"], json!({ "hostname": "villa", "interfaces": ["end0", "wlan0", "end0.7"] }));
        assert_eq!(report["warnings"], json!([]));
        assert!(!format!("{}{}", made.out, made.err).contains("correct; horse"), "a password was printed");
        let raw = unpack(&image);
        assert_settings(&card, &raw, Some(Path::new(BACKUP)), board);
        let checked = sd_swap(&["check", text(&card), "--json", "--image", text(&image), "--backup", BACKUP]).json();
        assert_eq!((&checked["state"], &checked["image_same"]), (&json!("finished"), &json!(true)), "{checked}");
        // Once more onto the same card.
        let again = make_card(&image, &[&carry[..], &["--to", text(&card), "--yes"]].concat());
        assert_eq!(again.code, 0, "{}", again.err);
        assert!(
            again.err.contains("Carried over: the name villa; the settings of end0, wlan0, end0.7."),
            "{}",
            again.err
        );
        assert_settings(&card, &raw, None, board);
        [&card, &raw, &image].into_iter().for_each(|file| fs::remove_file(file).unwrap());
    }
}

#[test]
fn settings_are_taken_from_standard_input_too() {
    let dir = folder();
    let (image, card) = (pi(dir.path()), dir.path().join("card.img"));
    let mut command = program();
    command.args(["make-card", "--image", text(&image), "--to", text(&card), "--size", "64M", "--yes", "--json"]);
    command.args(["--hostname", "villa", "--network", "-"]).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(network(dir.path())).unwrap()).unwrap();
    let made = ran(child.wait_with_output().unwrap());
    assert_eq!(made.code, 0, "{}", made.err);
    assert_settings(&card, &unpack(&image), None, Board::Rpi4_64);
}

#[test]
fn what_cannot_be_understood_stays_behind_and_is_named() {
    let dir = folder();
    let (image, card, file) = (pi(dir.path()), dir.path().join("card.img"), dir.path().join("network.json"));
    let answer = json!({ "interfaces": [
        { "interface": "end0", "type": "ethernet", "ipv4": { "method": "static", "address": ["192.168.1.300/24"] } },
        { "interface": "wlan0", "type": "wireless", "wifi": { "auth": "wpa-psk", "ssid": "Our Home" } },
    ]});
    fs::write(&file, answer.to_string()).unwrap();
    let made = make_card(&image, &["--network", text(&file), "--to", text(&card), "--size", "64M", "--yes", "--json"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let report = made.json();
    let warnings: Vec<&str> =
        report["warnings"].as_array().unwrap().iter().filter_map(|w| w["code"].as_str()).collect();
    assert_eq!((warnings, &report["carried"]), (vec!["interface_left", "wifi_left"], &json!(null)));
    assert!(report["warnings"][0]["text"].as_str().unwrap().contains("end0 could not be understood (ipv4.address)"));
    assert!(!made.out.contains("Our Home"), "{}", made.out);
    assert_eq!(crate::readback::assert_card(&card, &unpack(&image), None, "rpi4-64"), Ok(()));
}

#[test]
fn names_and_files_that_are_none_are_refused_before_anything() {
    let dir = folder();
    let (image, card, file) = (pi(dir.path()), dir.path().join("card.img"), dir.path().join("network.json"));
    fs::write(&file, "{}").unwrap();
    let to = ["--to", text(&card), "--size", "64M", "--yes"];
    let cases: [(&[&str], &str); 5] = [
        (&["--hostname", "not a name"], "a host name has letters"),
        (&["--network", text(&file)], "no list of interfaces"),
        (&["--network", "/nonexistent.json"], "Opening /nonexistent.json"),
        (&["--network", text(&image)], "it is not JSON"),
        (&["--network", text(&file), "--no-network"], "cannot be used with"),
    ];
    for (more, says) in cases {
        make_card(&image, &[&to[..], more].concat()).refused(says);
        assert!(!card.exists(), "{more:?}");
    }
}
