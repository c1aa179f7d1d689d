//! What gets to the published branch, and what a second run does.

use std::os::unix::fs::symlink;

use super::house::{BRANCH, House};

const TAG: &str = "refs/tags/v1.2.3";

fn listed(house: &House, name: &str) -> Vec<String> {
    let text = house.git_at(&house.remote, &["ls-tree", "-r", "-z", name]);
    text.split('\0').filter(|line| !line.is_empty()).map(|line| line.split_once('\t').unwrap().1.to_owned()).collect()
}

#[test]
fn the_app_s_folder_with_its_image_and_its_tag_and_then_nothing_more() {
    let house = House::new();
    house.file("app/a b/it's \"one\".txt", "x");
    symlink("a b", house.project.join("app/link")).unwrap();
    house.commit("Names");
    let ran = house.ops(&["publish", "--yes"]);
    ran.was(0, &["SUBTREE_PUBLISH_OK"]);
    let files = ["CHANGELOG.md", "Dockerfile", "a b/it's \"one\".txt", "config.yaml", "link", "run.sh"];
    assert_eq!(listed(&house, BRANCH), files);
    let config = house.git_at(&house.remote, &["show", "release:config.yaml"]);
    assert_eq!(config, house.text("app/config.yaml") + "image: ghcr.io/me/small");
    assert_eq!(house.published(TAG), house.published(BRANCH));
    let message = house.git_at(&house.remote, &["log", "-1", "--format=%B", "release"]);
    assert_eq!(message, format!("Release 1.2.3\n\nPublished-From: {}", house.git(&["rev-parse", "HEAD"])));
    assert_eq!(house.receipts()["publish"]["result"], "ok");
    assert!(ran.err.contains("not checked"), "{}", ran.err);

    let before = house.published(BRANCH);
    let ran = house.ops(&["publish", "--yes"]);
    assert_eq!((ran.code, ran.tokens.len()), (0, 1), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("publish: OK, unchanged"), "{}", ran.out);
    assert_eq!((house.receipts()["publish"]["result"].as_str(), house.published(BRANCH)), (Some("unchanged"), before));
    assert_eq!(house.git(&["status", "--porcelain"]), "");
}

/// Several commits at once, one of which has nothing of the app: what counts is what is published.
#[test]
fn the_next_version_stands_on_the_one_before() {
    let house = House::new();
    assert_eq!(house.ops(&["publish", "--yes"]).code, 0);
    let first = house.published(BRANCH).unwrap();
    house.file("app/run.sh", "#!/bin/sh\nexec false\n");
    house.commit("Change");
    house.file("README.md", "Other\n");
    house.commit("Not of the app");
    assert_eq!(house.ops(&["bump", "minor", "--commit"]).code, 0);
    let ran = house.ops(&["publish", "--yes"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(house.git_at(&house.remote, &["rev-parse", "release^"]), first);
    assert_eq!(house.published("refs/tags/v1.3.0"), house.published(BRANCH));
    assert_eq!(house.published(TAG).unwrap(), first);
}

#[test]
fn another_clone_of_the_same_history_goes_on() {
    let house = House::new();
    assert_eq!(house.ops(&["publish", "--yes"]).code, 0);
    // What this clone noted is not there in another one.
    house.git(&["update-ref", "-d", "refs/ops/small/release"]);
    house.git(&["tag", "-d", "v1.2.3"]);
    assert_eq!(house.ops(&["bump", "patch", "--commit"]).code, 0);
    let ran = house.ops(&["publish", "--yes"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn only_some_files_and_the_tag_on_the_sources() {
    let house = House::new();
    let more = "files = ['config.yaml', '*.md', 'a b']\ntag_source = true\n";
    house.file("ops.toml", &(house.text("ops.toml") + more));
    house.file("app/a b/c", "x");
    house.commit("Fewer");
    let ran = house.ops(&["publish", "--yes"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(listed(&house, BRANCH), ["CHANGELOG.md", "a b/c", "config.yaml"]);
    assert_eq!(house.published(TAG).unwrap(), house.git(&["rev-parse", "HEAD"]));
    assert!(house.ops(&["publish", "--yes"]).out.contains("unchanged"));
}

/// As a CI does that the tag has started.
#[test]
fn a_tag_that_stands_on_the_sources_already() {
    let house = House::new();
    house.file("ops.toml", &(house.text("ops.toml") + "tag_source = true\n"));
    house.commit("The tag comes first");
    house.git(&["tag", "v1.2.3"]);
    house.git(&["push", "--quiet", "origin", "v1.2.3"]);
    let ran = house.ops(&["publish", "--yes"]);
    assert_eq!((ran.code, ran.tokens.len()), (0, 1), "{}{}", ran.out, ran.err);
    assert!(house.published(BRANCH).is_some());
    // A tag on another commit is another version.
    house.file("app/run.sh", "#!/bin/sh\nexec false\n");
    house.commit("Other content");
    assert_eq!(house.ops(&["publish", "--yes"]).code, 4);
}

#[test]
fn a_dry_run_changes_no_byte() {
    let house = House::new();
    let before = house.everything();
    for words in [["publish", "--dry-run"], ["check", "--dry-run"]] {
        let ran = house.ops(&words);
        assert_eq!((ran.code, ran.tokens.len()), (0, 0), "{}{}", ran.out, ran.err);
    }
    let ran = house.ops(&["bump", "patch", "--commit", "--dry-run"]);
    assert!(ran.code == 0 && ran.err.contains("+ version: \"1.2.4\"  # and this one"), "{}{}", ran.out, ran.err);
    assert!(house.ops(&["publish", "--dry-run"]).err.contains("would push 1.2.3 to release of origin"));
    assert_eq!(before, house.everything());
}

#[test]
fn images_are_looked_for_where_docker_can() {
    let house = House::new();
    let list = |machines: &str| format!("#!/bin/sh\necho '{{\"manifests\": [{machines}]}}'\n");
    let machine = |name: &str| format!("{{\"platform\": {{\"architecture\": \"{name}\"}}}}");
    house.program("docker", "#!/bin/sh\necho \"$5: not found\" >&2\nexit 1\n");
    let ran = house.ops(&["publish", "--yes"]);
    assert!(ran.code == 4 && ran.err.contains("ghcr.io/me/small:1.2.3 is not there"), "{}{}", ran.out, ran.err);
    house.program("docker", &list(&machine("arm64")));
    let ran = house.ops(&["publish", "--yes"]);
    assert!(ran.code == 4 && ran.err.contains("is not there for amd64"), "{}{}", ran.out, ran.err);
    assert_eq!(house.published(BRANCH), None);
    house.program("docker", &list(&format!("{},{}", machine("arm64"), machine("amd64"))));
    let ran = house.ops(&["publish", "--yes"]);
    assert!(ran.code == 0 && ran.err.contains("is there for amd64"), "{}{}", ran.out, ran.err);
}
