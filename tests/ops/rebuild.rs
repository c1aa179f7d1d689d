//! Lane 3a: install, update or rebuild, chosen by facts; and back to the last good tree.

use std::fs;

use super::bench::{Bench, FULL, Ran, VERSION};
use super::supervisor::BREAKS;

fn sent(bench: &Bench) -> Ran {
    let ran = bench.run(&["sync", "--yes"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    bench.run(&["rebuild"])
}

const BUILT: [&str; 2] = ["SSH_HA_OK", "DEPLOY_OK"];

#[test]
fn what_is_not_installed_is_installed_and_started() {
    let bench = Bench::ssh();
    sent(&bench).was(0, &BUILT);
    assert_eq!(bench.supervisor.done(), [format!("POST /addons/{FULL}/install"), format!("POST /addons/{FULL}/start")]);
    let again = bench.run(&["rebuild"]);
    again.was(0, &BUILT);
    assert_eq!(again.receipt("rebuild")["result"], "unchanged");
    assert_eq!(bench.supervisor.state().builds, 1);
}

#[test]
fn another_version_is_an_update() {
    let bench = Bench::ssh();
    bench.supervisor.has_running("demo_app", "demo_app", "1.1.0");
    sent(&bench).was(0, &BUILT);
    assert_eq!(bench.supervisor.done(), [format!("POST /addons/{FULL}/update")]);
    assert_eq!(bench.supervisor.state().installed[FULL].version, VERSION);
}

#[test]
fn the_same_version_is_rebuilt_and_started_if_it_was_not() {
    let bench = Bench::ssh();
    bench.supervisor.has_running("demo_app", "demo_app", VERSION);
    bench.supervisor.change(FULL, |app| app.state = "stopped".into());
    sent(&bench).was(0, &BUILT);
    assert_eq!(bench.supervisor.done(), [format!("POST /addons/{FULL}/rebuild"), format!("POST /addons/{FULL}/start")]);
    // Changed files, same version: built once more.
    bench.write("program.txt", "runs otherwise\n");
    sent(&bench).was(0, &BUILT);
    assert_eq!(bench.supervisor.state().installed[FULL].image.as_deref(), Some("runs otherwise\n"));
    // Stopped by hand: only started.
    bench.supervisor.change(FULL, |app| app.state = "stopped".into());
    let builds = bench.supervisor.state().builds;
    let ran = bench.run(&["rebuild"]);
    ran.was(0, &BUILT);
    assert_eq!((&ran.receipt("rebuild")["result"], bench.supervisor.state().builds), (&"ok".into(), builds));
}

/// The Supervisor removes the old image before it builds the new one.
#[test]
fn a_rebuild_that_fails_brings_the_last_good_tree_back() {
    let bench = Bench::ssh();
    sent(&bench).was(0, &BUILT);
    let dockerfile = fs::read_to_string(bench.app.join("Dockerfile")).unwrap();
    bench.write("Dockerfile", &format!("{dockerfile}{BREAKS}\n"));
    let ran = sent(&bench);
    ran.failed(4, &["rebuild failed", "did not complete successfully", "1.2.0, was brought back and runs"]);
    assert_eq!(ran.tokens, ["SSH_HA_OK"]);
    let app = bench.supervisor.state().installed[FULL].clone();
    assert_eq!((app.state.as_str(), app.image.as_deref()), ("started", Some("runs 1.2.0\n")));
    assert_eq!(fs::read_to_string(bench.there().join("Dockerfile")).unwrap(), dockerfile);
    let kept = ran.receipt("rebuild")["files"].to_string();
    assert!(kept.contains("build.log"), "{kept}");
    // Mended, it goes on from there.
    bench.write("Dockerfile", &dockerfile);
    sent(&bench).was(0, &BUILT);
}

#[test]
fn an_update_that_fails_leaves_the_old_version_running() {
    let bench = Bench::ssh();
    bench.supervisor.has_running("demo_app", "demo_app", "1.1.0");
    bench.write("Dockerfile", &format!("FROM x\n{BREAKS}\n"));
    let ran = sent(&bench);
    ran.failed(4, &["update failed", "version 1.1.0, was brought back and runs"]);
    let app = bench.supervisor.state().installed[FULL].clone();
    assert_eq!((app.version.as_str(), app.state.as_str()), ("1.1.0", "started"));
    assert!(fs::read_to_string(bench.there().join("config.yaml")).unwrap().contains("1.1.0"));
}

#[test]
fn a_first_install_that_fails_has_nothing_to_go_back_to() {
    let bench = Bench::ssh();
    bench.write("Dockerfile", &format!("FROM x\n{BREAKS}\n"));
    let ran = sent(&bench);
    ran.failed(4, &["install failed", "It was not installed before"]);
    assert!(bench.supervisor.state().installed.is_empty());
}

/// `ha` waits ten minutes for a rebuild; a small board may need more.
#[test]
fn a_build_that_takes_longer_than_ha_waits() {
    let bench = Bench::ssh();
    bench.supervisor.has_running("demo_app", "demo_app", VERSION);
    bench.supervisor.state().quirks.impatient = true;
    let ran = sent(&bench);
    ran.was(0, &BUILT);
    assert!(ran.err.contains("looking whether it goes on"), "{}", ran.err);
    bench.write("Dockerfile", &format!("FROM x\n{BREAKS}\n"));
    let ran = sent(&bench);
    ran.failed(4, &["rebuild failed", "its log says that the build failed"]);
    assert_eq!(ran.tokens, ["SSH_HA_OK"]);
}

#[test]
fn what_lies_there_has_to_be_this_tree() {
    let bench = Bench::ssh();
    bench.run(&["rebuild"]).failed(1, &["does not hold this tree", "ops sync"]);
    bench.run(&["sync"]);
    bench.write("program.txt", "runs otherwise\n");
    bench.run(&["rebuild"]).failed(1, &["does not hold this tree"]);
    assert!(bench.supervisor.done().is_empty());
    let config = fs::read_to_string(bench.app.join("config.yaml")).unwrap();
    bench.write("config.yaml", &format!("{config}image: ghcr.io/x/y\n"));
    sent(&bench).failed(1, &["does not build, it pulls"]);
}

#[test]
fn a_store_that_does_not_see_the_new_version() {
    let bench = Bench::ssh();
    bench.supervisor.has_running("demo_app", "demo_app", "1.1.0");
    bench.supervisor.state().quirks.blind = true;
    let ran = sent(&bench);
    ran.failed(4, &["the store shows version 1.1.0, not 1.2.0", "ops diagnose"]);
    assert!(bench.supervisor.done().is_empty());
}

#[test]
fn an_app_that_never_starts() {
    let bench = Bench::ssh();
    bench.write("program.txt", "never starts\nsays exec /run.sh: No such file or directory\n");
    let ran = sent(&bench);
    ran.failed(5, &["it does not start: its state is error", "/run.sh"]);
    assert_eq!(ran.tokens, BUILT);
}

#[test]
fn a_dry_run_builds_nothing() {
    let bench = Bench::ssh();
    bench.supervisor.has_running("demo_app", "demo_app", "1.1.0");
    let ran = bench.run(&["rebuild", "--dry-run"]);
    ran.was(0, &[]);
    assert!(ran.err.contains("would update") && ran.err.contains("would run: ssh"), "{}", ran.err);
    assert!(bench.supervisor.done().is_empty());
    let bench = Bench::share("ws");
    let ran = bench.run(&["rebuild", "--dry-run"]);
    ran.was(0, &[]);
    assert!(ran.err.contains("would install") && ran.err.contains("would ask: "), "{}", ran.err);
}

#[test]
fn ctrl_c_while_it_builds() {
    let bench = Bench::ssh();
    assert_eq!(bench.run(&["sync"]).code, 0);
    bench.supervisor.state().quirks.build_takes = std::time::Duration::from_secs(20);
    let supervisor = bench.supervisor.clone();
    let ran = bench.interrupted(&["rebuild"], || !supervisor.done().is_empty());
    ran.failed(130, &["goes on building", "ops verify"]);
    assert_eq!(ran.tokens, ["SSH_HA_OK"]);
    let steps = ran.receipt("rebuild")["steps"].as_array().unwrap();
    assert_eq!(steps.last().unwrap()["what"], "install");
}

#[test]
fn through_the_websocket() {
    let bench = Bench::share("ws");
    bench.supervisor.has_running("demo_app", "demo_app", "1.1.0");
    sent(&bench).was(0, &["DEPLOY_OK"]);
    assert_eq!(bench.supervisor.done(), [format!("POST /store/addons/{FULL}/update")]);
    let again = bench.run(&["rebuild"]);
    assert_eq!(again.receipt("rebuild")["result"], "unchanged");
    bench.write("Dockerfile", &format!("FROM x\n{BREAKS}\n"));
    let ran = sent(&bench);
    ran.failed(4, &["rebuild failed", "did not complete successfully", "was brought back and runs"]);
    assert_eq!(bench.supervisor.state().installed[FULL].state, "started");
}
