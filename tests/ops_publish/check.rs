//! The project's own tests within `check`, and what can go wrong before any lane begins.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::house::House;

/// A project with these tests in `ops.toml`, and a published image left out.
fn with_tests(check: &str) -> House {
    let house = House::new();
    house.file("ops.toml", &format!("[check]\n{check}\n"));
    house
}

#[test]
fn rules_and_tests_give_their_tokens() {
    let house = with_tests(
        "run = [\"sh -c 'echo 3 passed; printf \\\"LF:4\\\\nLH:3\\\\n\\\" > cover; echo x > junit'\"]\n\
         coverage = 'cover'\njunit = 'junit'\ncoverage_min = 70",
    );
    let ran = house.ops(&["check"]);
    assert_eq!(ran.tokens, ["STRUCTURE_OK", "WS_READY"], "{}{}", ran.out, ran.err);
    let receipt = &house.receipts()["check"];
    assert!(receipt["app"]["tree"].as_str().unwrap().starts_with("sha256:"));
    let files: Vec<&str> = receipt["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    assert_eq!((files.len(), files[1], files[2]), (3, "cover", "junit"));
    assert_eq!(fs::read_to_string(files[0]).unwrap(), "3 passed\n");
    let tokens = fs::read_to_string(house.project.join("reports/ops/latest/tokens.txt")).unwrap();
    assert_eq!(tokens, "TOKEN: STRUCTURE_OK\nTOKEN: WS_READY\n");
    assert_eq!(house.ops(&["check", "--no-tests"]).tokens, ["STRUCTURE_OK"]);
}

#[test]
fn no_ready_where_tests_fail_or_cover_too_little() {
    let cases = [
        ("run = ['sh -c \"echo 1 failed; exit 3\"']", "1 failed"),
        ("run = ['no-such-program']", "not installed"),
        ("run = ['sh -c \"echo LF:10 > c; echo LH:1 >> c\"']\ncoverage = 'c'\ncoverage_min = 50", "10.0 % is covered"),
        ("run = ['true']\ncoverage = 'c'", "did not leave c"),
        ("run = ['true']\ncoverage_min = 50.5", "coverage_min without coverage"),
        ("run = ['sleep 1000']\nlimit = 1", "did not end within 1s"),
    ];
    for (check, words) in cases {
        let house = with_tests(check);
        let ran = house.ops(&["check"]);
        assert!(ran.code != 0 && ran.err.contains(words), "{check}: {} {}{}", ran.code, ran.out, ran.err);
        assert_eq!(ran.tokens, ["STRUCTURE_OK"]);
        assert_eq!(house.receipts()["check"]["result"], "failed");
    }
}

#[test]
fn a_broken_rule_stops_before_the_tests() {
    let house = with_tests("run = ['touch ran']");
    house.file("app/run.sh", "#!/bin/sh\r\n");
    let ran = house.ops(&["check"]);
    assert!(
        ran.code == 1 && ran.tokens.is_empty() && ran.err.contains("line ends of Windows"),
        "{}{}",
        ran.out,
        ran.err
    );
    assert!(!house.project.join("ran").exists());
}

#[test]
fn ctrl_c_while_tests_run() {
    let house = with_tests("run = ['sh -c \"touch begun; sleep 1000\"']");
    let child = house.start(&["check"]);
    house.until("the tests", || house.project.join("begun").exists());
    house.interrupt(&child);
    let ran = house.ended(child);
    ran.was(130, &["STRUCTURE_OK"]);
    let receipt = &house.receipts()["check"];
    assert_eq!((receipt["result"].as_str(), receipt["problem"]["code"].as_i64()), (Some("failed"), Some(130)));
}

/// One JSON object, and nothing else, on standard output.
#[test]
fn json_is_the_receipt() {
    let house = House::new();
    let ran = house.ops(&["check", "--json"]);
    let receipt: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    super::schema::holds(&receipt);
    assert_eq!((receipt["lane"].as_str(), receipt["tokens"][0].as_str()), (Some("check"), Some("STRUCTURE_OK")));
}

#[test]
fn settings_are_held_before_any_lane() {
    let token = "llat-0123456789abcdef";
    let cases: [(&str, &str); 6] = [
        ("OPS_TOKEN_FILE=app/token", "inside the tree"),
        ("OPS_TOKEN_FILE=../open", "others can read it"),
        ("OPS_TOKEN_FILE=../none", "No such file"),
        ("OPS_TOKEN_FILE=../empty", "empty"),
        ("OPS_URL=", "OPS_URL"),
        ("if true; then", "line 1"),
    ];
    let house = House::new();
    for (name, text, mode) in [("open", token, 0o644), ("empty", "", 0o600)] {
        fs::write(house.outside(name), text).unwrap();
        fs::set_permissions(house.outside(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    house.file("app/token", token);
    for (line, words) in cases {
        house.file("ops.env", line);
        let ran = house.ops(&["check"]);
        assert!(ran.code == 2 && ran.err.contains(words), "{line}: {} {}{}", ran.code, ran.out, ran.err);
        assert!(!format!("{}{}", ran.out, ran.err).contains(token));
    }
}

/// It is given to no program and printed by none.
#[test]
fn the_token_is_nowhere() {
    let token = "llat-0123456789abcdef";
    let mut house = with_tests("run = [\"sh -c 'env; cat ../secret; echo; cat ../secret >&2'\"]");
    fs::write(house.outside("secret"), token).unwrap();
    house.environment.insert("OPS_TOKEN".into(), token.into());
    let ran = house.ops(&["check", "--json"]);
    assert!(ran.code == 0 && ran.err.contains("(secret)"), "{}{}", ran.out, ran.err);
    let mut seen = format!("{}{}", ran.out, ran.err).into_bytes();
    for entry in fs::read_dir(house.project.join("reports/ops/latest")).unwrap() {
        seen.extend(fs::read(entry.unwrap().path()).unwrap());
    }
    assert!(!String::from_utf8_lossy(&seen).contains(token));
}
