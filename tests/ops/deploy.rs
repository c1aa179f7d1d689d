//! All lanes in a row: exactly the tokens of the flow, in order, and `unchanged` the second time.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::bench::{Bench, FULL};
use super::core::TOKEN;
use super::supervisor::BREAKS;

const BY_SSH: [&str; 8] = [
    "STRUCTURE_OK",
    "WS_READY",
    "SSH_HA_OK",
    "CLEAN_RUNTIME_OK",
    "DEPLOY_OK",
    "VERIFY_OK",
    "RUNTIME_TOPOLOGY_OK",
    "DEPLOY_SSH_OK",
];

fn by_ws() -> Vec<&'static str> {
    BY_SSH.into_iter().filter(|token| !token.contains("SSH")).collect()
}

#[test]
fn by_ssh() {
    let bench = Bench::ssh();
    let ran = bench.run(&["deploy"]);
    ran.was(0, &BY_SSH);
    let lanes: Vec<&str> = ["check", "sync", "rebuild", "verify", "deploy"].into();
    for lane in &lanes {
        assert_eq!(ran.receipt(lane)["result"], "ok", "{lane}");
    }
    assert_eq!(ran.receipts.len(), lanes.len());
    assert_eq!(ran.receipt("deploy")["tokens"].as_array().unwrap().len(), BY_SSH.len());
    for lane in &lanes {
        let line = format!("{lane}: OK");
        assert_eq!(ran.out.lines().filter(|said| said.starts_with(&line)).count(), 1, "{}", ran.out);
    }
    let again = bench.run(&["deploy"]);
    again.was(0, &BY_SSH);
    assert_eq!(again.receipt("deploy")["result"], "unchanged");
    assert_eq!(bench.supervisor.state().builds, 1);
    let json = bench.run(&["deploy", "--json"]);
    let receipt: serde_json::Value = serde_json::from_str(json.out.trim()).unwrap();
    assert_eq!((json.code, &receipt["result"]), (0, &"unchanged".into()));
}

fn git(folder: &Path, words: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Test", "-c", "user.email=test@localhost"]).args(words).current_dir(folder);
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A repository with the app in it, and a bare one that it is published to.
fn in_git(bench: &Bench) {
    let bare = bench.dir().join("published.git");
    git(bench.dir(), &["init", "-q", "--bare", bare.to_str().unwrap()]);
    bench.ops_toml(&format!(
        "\n[publish]\nremote = \"{}\"\nbranch = \"release\"\nimage = \"ghcr.io/x/demo\"\n",
        bare.display()
    ));
    bench.write(".gitignore", "/ops.env\n/reports/\n");
    git(&bench.app, &["init", "-q"]);
    git(&bench.app, &["config", "user.name", "Test"]);
    git(&bench.app, &["config", "user.email", "test@localhost"]);
    git(&bench.app, &["add", "-A"]);
    git(&bench.app, &["commit", "-q", "-m", "Begin"]);
}

#[test]
fn a_release_is_published_after_it_was_seen_running() {
    let bench = Bench::ssh();
    in_git(&bench);
    let ran = bench.run(&["release", "patch", "--yes"]);
    let mut all = BY_SSH.to_vec();
    all.push("SUBTREE_PUBLISH_OK");
    ran.was(0, &all);
    assert_eq!(ran.receipt("release")["tokens"].as_array().unwrap().len(), all.len());
    assert_eq!(bench.supervisor.state().installed[FULL].version, "1.2.1");
    let bare = bench.dir().join("published.git");
    assert!(git(&bare, &["show", "release:config.yaml"]).contains("1.2.1"));
    // What came to its end is not done again.
    let again = bench.run(&["release", "patch", "--yes"]);
    again.was(0, &all);
    assert_eq!(again.receipt("release")["result"], "unchanged");
    assert_eq!((bench.supervisor.state().builds, git(&bare, &["rev-list", "--count", "release"]).trim()), (1, "1"));
}

#[test]
fn by_the_websocket_and_a_share() {
    let bench = Bench::share("ws");
    bench.supervisor.has_running("demo_app", "demo_app", "1.1.0");
    let ran = bench.run(&["deploy"]);
    ran.was(0, &by_ws());
    assert_eq!(ran.receipt("deploy")["target"]["via"], "ws");
    let again = bench.run(&["deploy"]);
    again.was(0, &by_ws());
    assert_eq!(again.receipt("deploy")["result"], "unchanged");
}

#[test]
fn what_fails_ends_it_there() {
    let bench = Bench::share("ws");
    bench.write("Dockerfile", &format!("FROM ghcr.io/home-assistant/base:3.23\nCOPY program.txt /\n{BREAKS}\n"));
    let ran = bench.run(&["deploy"]);
    ran.failed(4, &["install failed"]);
    assert_eq!(ran.tokens, ["STRUCTURE_OK", "WS_READY", "CLEAN_RUNTIME_OK"]);
    let lanes: Vec<&String> = ran.receipts.iter().map(|(lane, _)| lane).collect();
    assert!(!lanes.contains(&&"verify".to_string()), "{lanes:?}");
    assert_eq!(ran.receipt("deploy")["problem"]["code"], 4);
}

#[test]
fn a_dry_run_of_all_of_it() {
    for bench in [Bench::ssh(), Bench::share("ws")] {
        let ran = bench.run(&["deploy", "--dry-run"]);
        ran.was(0, &[]);
        assert!(bench.supervisor.done().is_empty() && !bench.there().exists() && !bench.app.join("reports").exists());
    }
}

/// It says what it is, and claims nothing.
#[test]
fn a_restart_brings_no_new_code() {
    let bench = Bench::share("restart");
    bench.supervisor.has_running("demo_app", "demo_app", "1.1.0");
    bench.run(&["deploy"]).failed(2, &["OPS_VIA=restart cannot deploy"]);
    let ran = bench.run(&["rebuild"]);
    ran.was(0, &[]);
    assert!(ran.err.contains("old image, no new code"), "{}", ran.err);
    assert_eq!(bench.supervisor.state().installed[FULL].starts, 2);
    // Core from before apps were called apps.
    bench.supervisor.state().quirks.old_core = true;
    bench.run(&["rebuild"]).was(0, &[]);
    assert_eq!(bench.supervisor.state().installed[FULL].starts, 3);
    bench.supervisor.state().quirks.core_answers = Some(500);
    bench.run(&["rebuild"]).failed(4, &["did not restart it", "500"]);
    bench.run(&["verify"]).failed(2, &["cannot be verified"]);
    bench.run(&["diagnose"]).failed(2, &["cannot be looked at"]);
}

#[test]
fn tokens_that_core_does_not_take() {
    let mut bench = Bench::share("ws");
    bench.supervisor.state().quirks.no_admin = true;
    bench.run(&["rebuild"]).failed(4, &["not allowed", "administrator"]);
    bench.supervisor.state().quirks.no_admin = false;
    let token = bench.dir().join("token");
    fs::write(&token, format!("{TOKEN}x")).unwrap();
    bench.run(&["rebuild"]).failed(4, &["does not take the token"]);
    bench.set("OPS_URL", "http://127.0.0.1:9");
    bench.run(&["rebuild"]).failed(3, &["http://127.0.0.1:9/ does not answer"]);
}

#[test]
fn a_core_that_never_answers() {
    let mut bench = Bench::share("ws");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    bench.set("OPS_URL", &url);
    bench.run(&["rebuild"]).failed(3, &["does not answer"]);
    drop(listener);
}

#[test]
fn ctrl_c_while_core_is_asked() {
    let bench = Bench::share("ws");
    bench.supervisor.state().quirks.silent = true;
    let begun = std::time::Instant::now();
    let ran = bench.interrupted(&["diagnose"], || begun.elapsed().as_millis() > 700);
    ran.failed(130, &["stopped"]);
    assert!(begun.elapsed().as_secs() < 10);
}
