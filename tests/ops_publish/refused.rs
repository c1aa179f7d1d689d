//! What is not published: each with its exit code, its reason, and nothing pushed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::house::{BRANCH, House, Ran};

/// Runs `publish`, which has to end with `code` and these words, and to leave the remote as it was.
fn refused(house: &House, code: i32, words: &str) -> Ran {
    let before = (house.published(BRANCH), house.published("refs/tags/v1.2.3"));
    let ran = house.ops(&["publish", "--yes"]);
    assert!(ran.code == code && ran.err.contains(words), "{code} {words:?}: {} {}{}", ran.code, ran.out, ran.err);
    assert!(ran.tokens.is_empty() && ran.out.contains("publish: FAIL"), "{}", ran.out);
    assert_eq!(before, (house.published(BRANCH), house.published("refs/tags/v1.2.3")));
    let receipt = &house.receipts()["publish"];
    assert_eq!((receipt["result"].as_str(), receipt["problem"]["code"].as_i64()), (Some("failed"), Some(code.into())));
    ran
}

#[test]
fn a_tree_that_is_not_clean() {
    let house = House::new();
    house.file("app/new file", "x");
    refused(&house, 1, "?? app/new file");
    house.git(&["add", "app/new file"]);
    refused(&house, 1, "A  app/new file");
    house.commit("Clean");
    house.file("README.md", "Changed");
    refused(&house, 1, "README.md");
}

#[test]
fn a_branch_that_moved_on() {
    let house = House::new();
    assert_eq!(house.ops(&["publish", "--yes"]).code, 0);
    let theirs = house.foreign_commit();
    assert_eq!(house.ops(&["bump", "patch", "--commit"]).code, 0);
    let ran = refused(&house, 4, "moved on");
    // The way out that is told is one.
    assert!(ran.err.contains(&format!("git update-ref refs/ops/small/release {theirs}")), "{}", ran.err);
    house.git(&["update-ref", "refs/ops/small/release", &theirs]);
    assert_eq!(house.ops(&["publish", "--yes"]).code, 0);
    assert_eq!(house.git_at(&house.remote, &["rev-parse", "release^"]), theirs);
}

#[test]
fn a_branch_that_moves_between_look_and_push() {
    let house = House::new();
    assert_eq!(house.ops(&["publish", "--yes"]).code, 0);
    let first = house.published(BRANCH).unwrap();
    house.foreign_commit();
    let theirs = house.published(BRANCH).unwrap();
    house.git_at(&house.remote, &["update-ref", BRANCH, &first]);
    assert_eq!(house.ops(&["bump", "patch", "--commit"]).code, 0);
    let real = which("git");
    let move_on = format!("{real} -C '{}' update-ref {BRANCH} {theirs}", house.remote.display());
    house.program("git", &format!("#!/bin/sh\n[ \"$1\" = push ] && {move_on}\nexec {real} \"$@\"\n"));
    let ran = house.ops(&["publish", "--yes"]);
    assert!(ran.code == 4 && ran.err.contains("while we looked"), "{}{}", ran.out, ran.err);
    assert_eq!((house.published(BRANCH), house.published("refs/tags/v1.2.4")), (Some(theirs), None), "both or neither");
}

fn which(name: &str) -> String {
    let path = std::env::var("PATH").unwrap();
    let found = path.split(':').map(|dir| format!("{dir}/{name}")).find(|path| fs::metadata(path).is_ok());
    found.unwrap()
}

#[test]
fn a_version_that_is_equal_or_lower_or_tagged() {
    let house = House::new();
    assert_eq!(house.ops(&["publish", "--yes"]).code, 0);
    house.file("app/run.sh", "#!/bin/sh\nexec false\n");
    house.commit("Other content, same version");
    refused(&house, 4, "was published before");
    // The tag is gone, the branch is not.
    house.git_at(&house.remote, &["tag", "-d", "v1.2.3"]);
    refused(&house, 4, "exists here and not at");
    house.git(&["tag", "-d", "v1.2.3"]);
    refused(&house, 4, "1.2.3 is published, with other content");
    let lower = house.text("app/config.yaml").replace("1.2.3", "1.2.2");
    house.file("app/config.yaml", &lower);
    house.file("app/CHANGELOG.md", "## 1.2.2\n");
    house.commit("Lower");
    refused(&house, 4, "higher than 1.2.2");
}

#[test]
fn a_remote_that_is_not_there_or_says_no() {
    let house = House::new();
    let hook = house.remote.join("hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\necho 'not today' >&2\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    refused(&house, 4, "pre-receive hook declined");
    fs::rename(&house.remote, house.outside("elsewhere.git")).unwrap();
    let ran = house.ops(&["publish", "--yes"]);
    assert!(ran.code == 3 && ran.err.contains("origin does not answer"), "{}{}", ran.out, ran.err);
}

#[test]
fn settings_that_lead_nowhere() {
    let house = House::new();
    let good = house.text("ops.toml");
    let cases = [
        (good.replace("'release'", "'main'"), "branch of the sources"),
        (good.replace("'release'", "'re lease'"), "no name of git's"),
        (good.replace("'origin'", "'--upload-pack=touch x'"), "is no remote"),
        ("[publish]\nbranch = 'release'\n".into(), "nothing says where to publish"),
        ("[publihs]\n".into(), "publihs"),
    ];
    for (text, words) in cases {
        house.file("ops.toml", &text);
        house.commit("Settings");
        let ran = house.ops(&["publish", "--yes"]);
        assert!(ran.code == 2 && ran.err.contains(words), "{words}: {}{}", ran.out, ran.err);
    }
    assert_eq!(house.published(BRANCH), None);
}

#[test]
fn what_breaks_a_rule() {
    let house = House::new();
    symlink("/etc/passwd", house.project.join("app/link")).unwrap();
    house.commit("A link");
    refused(&house, 1, "is a link to /etc/passwd");
    fs::remove_file(house.project.join("app/link")).unwrap();
    house.file("app/two\nlines", "x");
    house.commit("A name");
    refused(&house, 1, "control character");
    fs::remove_file(house.project.join("app/two\nlines")).unwrap();
    house.file("ops.toml", &house.text("ops.toml").replace("image =", "tag ="));
    house.commit("No image");
    refused(&house, 1, "image: is missing");
}

#[test]
fn without_a_word_of_the_user() {
    let house = House::new();
    let ran = house.ops(&["publish"]);
    assert!(ran.code == 2 && ran.err.contains("Push version 1.2.3 to release of origin?"), "{}{}", ran.out, ran.err);
    assert_eq!(house.published(BRANCH), None);
}

#[test]
fn ctrl_c_while_it_pushes() {
    let house = House::new();
    let (hook, begun) = (house.remote.join("hooks/pre-receive"), house.outside("begun"));
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, format!("#!/bin/sh\ntouch '{}'\nexec sleep 1000\n", begun.display())).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let child = house.start(&["publish", "--yes"]);
    house.until("the push", || begun.exists());
    house.interrupt(&child);
    let ran = house.ended(child);
    assert_eq!((ran.code, ran.tokens.len(), house.published(BRANCH)), (130, 0, None), "{}{}", ran.out, ran.err);
    let receipt = &house.receipts()["publish"];
    let last = receipt["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (receipt["result"].as_str(), last["what"].as_str(), last["exit"].is_null()),
        (Some("failed"), Some("push"), true)
    );
}
