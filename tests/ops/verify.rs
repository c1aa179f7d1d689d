//! Lane 3b: what runs is ours, stays up and answers; and it is there once.

use std::fs;

use super::bench::{Bench, FULL, VERSION};

/// As after a deploy.
fn deployed(bench: &Bench) {
    for lane in ["sync", "rebuild"] {
        let ran = bench.run(&[lane]);
        assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    }
}

#[test]
fn what_runs_is_seen_by_ssh() {
    let mut bench = Bench::ssh();
    bench.knows_core();
    let config = fs::read_to_string(bench.app.join("ops.toml")).unwrap();
    let line = config.lines().find(|line| line.starts_with("url")).unwrap();
    bench.write("ops.toml", &config.replace(line, "url = \"ingress:/about\""));
    deployed(&bench);
    bench.supervisor.state().quirks.banner = true;
    bench.run(&["verify"]).was(0, &["SSH_HA_OK", "VERIFY_OK", "RUNTIME_TOPOLOGY_OK"]);
}

#[test]
fn each_thing_that_is_not_as_it_should_be() {
    let bench = Bench::share("ws");
    bench.run(&["verify"]).failed(5, &["it is not installed"]);
    bench.supervisor.has_running("demo_app", "demo_app", "1.1.0");
    bench.run(&["verify"]).failed(5, &["version 1.1.0 is installed, not 1.2.0", "the old image runs"]);
    deployed(&bench);
    bench.run(&["verify"]).was(0, &["VERIFY_OK", "RUNTIME_TOPOLOGY_OK"]);
    bench.supervisor.change(FULL, |app| app.state = "stopped".into());
    bench.run(&["verify"]).failed(5, &["its state is stopped"]);
    // A health check that has not answered yet.
    bench.supervisor.change(FULL, |app| app.state = "startup".into());
    bench.run(&["verify"]).was(0, &["VERIFY_OK", "RUNTIME_TOPOLOGY_OK"]);
    bench.supervisor.change(FULL, |app| app.log.push("thread main panicked at".into()));
    bench.run(&["verify"]).failed(5, &["says what it must not", "panicked at"]);
    bench.supervisor.change(FULL, |app| app.log.clear());
    bench.run(&["verify"]).failed(5, &["does not say \"is up\""]);
}

#[test]
fn a_program_that_comes_and_goes() {
    let bench = Bench::share("ws");
    deployed(&bench);
    bench.supervisor.change(FULL, |app| {
        app.image = Some("crashes\ncomes back\n".into());
        app.age = 0;
    });
    let ran = bench.run(&["verify"]);
    ran.failed(5, &["it did not stay up"]);
    assert!(ran.tokens.is_empty());
}

#[test]
fn the_page_behind_ingress() {
    let bench = Bench::share("ws");
    deployed(&bench);
    let config = fs::read_to_string(bench.app.join("ops.toml")).unwrap();
    let line = config.lines().find(|line| line.starts_with("url")).unwrap();
    bench.write("ops.toml", &config.replace(line, "url = \"ingress:/about\""));
    bench.run(&["sync"]);
    bench.run(&["verify"]).was(0, &["VERIFY_OK", "RUNTIME_TOPOLOGY_OK"]);
    let other = config.replace("\"version\":\"{version}\"", "\"version\":\"9\"").replace("steady = 1", "steady = 0");
    bench.write("ops.toml", &other.replace(line, "url = \"ingress:/about\"\nanswer = 1"));
    bench.run(&["verify"]).failed(5, &["does not show", VERSION]);
}

#[test]
fn it_is_there_once() {
    let bench = Bench::share("ws");
    deployed(&bench);
    fs::create_dir_all(bench.there().join("data/.git")).unwrap();
    let ran = bench.run(&["verify"]);
    ran.failed(5, &["a .git lies in"]);
    assert_eq!(ran.tokens, ["VERIFY_OK"]);
    fs::remove_dir_all(bench.there().join("data")).unwrap();
    let twin = bench.addons.join("deep/twin");
    fs::create_dir_all(&twin).unwrap();
    fs::copy(bench.there().join("config.yaml"), twin.join("config.yaml")).unwrap();
    bench.run(&["verify"]).failed(5, &["2 folders have the slug", "deep/twin"]);
}

#[test]
fn ctrl_c_while_it_is_watched() {
    let bench = Bench::share("ws");
    deployed(&bench);
    let config = fs::read_to_string(bench.app.join("ops.toml")).unwrap();
    bench.write("ops.toml", &config.replace("steady = 1", "steady = 50"));
    let before = bench.supervisor.state().looks;
    let supervisor = bench.supervisor.clone();
    let ran = bench.interrupted(&["verify"], || supervisor.state().looks > before + 2);
    ran.failed(130, &[]);
    assert!(ran.receipt("verify")["steps"].as_array().unwrap().iter().any(|step| step["what"] == "state"));
}
