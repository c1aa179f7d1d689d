//! Raising the version: all places or none.

use super::house::House;

#[test]
fn every_place_and_nothing_else() {
    let house = House::new();
    let more = "[bump]\nfiles = ['Cargo.toml', 'Cargo.lock']\n";
    house.file("ops.toml", &(house.text("ops.toml") + more));
    house.file(
        "Cargo.toml",
        "[package]\nname = \"small\"\nversion = \"1.2.3\"\n\n[dependencies]\nx = { version = \"1.2.3\" }\n",
    );
    house.file(
        "Cargo.lock",
        "[[package]]\nname = \"a\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"small\"\nversion = \"1.2.3\"\n",
    );
    house.commit("More places");
    house.file("unrelated", "not committed, and not to be");
    let before = house.text("app/config.yaml");
    let ran = house.ops(&["bump", "minor", "--commit"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(house.text("app/config.yaml"), before.replace("\"1.2.3\"", "\"1.3.0\""));
    assert!(house.text("app/Dockerfile").contains("base:3.23\nLABEL io.hass.version=\"1.3.0\""));
    assert!(house.text("app/CHANGELOG.md").starts_with("# News\n\n## 1.3.0\n\n## 1.2.3\n"));
    assert!(house.text("Cargo.toml").contains("version = \"1.3.0\"\n\n[dependencies]\nx = { version = \"1.2.3\" }"));
    assert!(house.text("Cargo.lock").contains("name = \"a\"\nversion = \"1.2.3\""));
    assert!(house.text("Cargo.lock").ends_with("name = \"small\"\nversion = \"1.3.0\"\n"));
    assert_eq!(house.git(&["status", "--porcelain"]), "?? unrelated");
    assert_eq!(house.git(&["log", "-1", "--format=%s"]), "Version 1.3.0");
    let receipt = &house.receipts()["bump"];
    assert_eq!((receipt["result"].as_str(), receipt["app"]["version"].as_str()), (Some("ok"), Some("1.3.0")));
    // Once more to the same: nothing to do.
    let ran = house.ops(&["bump", "1.3.0"]);
    assert!(ran.code == 0 && ran.out.contains("bump: OK, unchanged"), "{}{}", ran.out, ran.err);
}

#[test]
fn what_is_no_next_version() {
    let house = House::new();
    house.git(&["tag", "v1.2.4"]);
    let cases = [
        ("1.2.2", 1, "lower than 1.2.3"),
        ("1.2.3-rc.1", 1, "lower than 1.2.3"),
        ("patch", 1, "the tag v1.2.4 exists"),
        ("1.2.4", 1, "the tag v1.2.4 exists"),
        ("higher", 2, "is no version"),
        ("$(touch x)", 2, "is no version"),
        ("1.2.x", 2, "is no version"),
    ];
    for (to, code, words) in cases {
        let ran = house.ops(&["bump", to]);
        assert!(ran.code == code && ran.err.contains(words), "{to}: {} {}{}", ran.code, ran.out, ran.err);
    }
    assert_eq!(house.git(&["status", "--porcelain"]), "");
}

#[test]
fn where_one_place_is_missing_none_is_changed() {
    let house = House::new();
    house.file("Cargo.toml", "[package]\nname = \"small\"\nversion = \"9.9.9\"\n");
    for file in ["Cargo.toml", "none.toml"] {
        house.file("ops.toml", &format!("[bump]\nfiles = ['{file}']\n"));
        let ran = house.ops(&["bump", "patch"]);
        assert!(ran.code == 2 && ran.err.contains(file), "{}{}", ran.out, ran.err);
        assert!(house.text("app/config.yaml").contains("1.2.3"));
    }
}
