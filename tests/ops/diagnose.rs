//! Each known trouble is named with its fact, its cause and what to do.

use std::fs;

use super::bench::{Bench, FULL};
use super::supervisor::BREAKS;

/// Finds this, with these words.
#[track_caller]
fn finds(bench: &Bench, case: &str, words: &[&str]) {
    let ran = bench.run(&["diagnose"]);
    ran.failed(1, words);
    let text = format!("{}\n{}", ran.out, ran.err);
    assert!(text.contains(&format!("{case}: ")), "{case}: {text}");
    assert!(text.contains("cause: ") && text.contains("what to do: "), "{text}");
    let steps = ran.receipt("diagnose")["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["what"] == case), "{case} is no step");
}

#[test]
fn each_trouble_on_a_host() {
    let bench = Bench::share("ws");
    finds(&bench, "not in the store", &["its folder is not there", "ops sync"]);
    bench.run(&["sync"]);
    finds(&bench, "not in the store", &["has not read its folders"]);
    bench.supervisor.reload();
    finds(&bench, "not installed", &["offers Install instead of Start", "installs what is not"]);
    bench.run(&["rebuild"]);
    let fine = bench.run(&["diagnose"]);
    fine.was(0, &[]);
    assert!(fine.err.contains("nothing is wrong"), "{}", fine.err);

    bench.supervisor.change(FULL, |app| app.version = "1.1.0".into());
    finds(&bench, "version not updating", &["version 1.1.0 is installed", "that is an update"]);
    bench.supervisor.change(FULL, |app| app.version = "1.2.0".into());

    bench.supervisor.change(FULL, |app| {
        app.state = "error".into();
        app.log.push("s6-rc-oneshot: exec /run.sh: No such file or directory".into());
    });
    finds(&bench, "start script missing", &["/run.sh", "not in the image"]);
    finds(&bench, "restart fails", &["its state is error"]);
    bench.run(&["rebuild"]);
    bench.supervisor.change(FULL, |app| {
        app.state = "started".into();
        app.log.clear();
    });

    bench.write("Dockerfile", &format!("FROM x\n{BREAKS}\n"));
    bench.run(&["sync"]);
    // With a good tree beside, that one would be built and run again.
    fs::remove_dir_all(bench.addons.join(".ops")).unwrap();
    bench.run(&["rebuild"]).failed(4, &["No good tree was kept"]);
    finds(&bench, "build fails", &["did not complete successfully", "Mend the Dockerfile"]);
    bench.supervisor.state().log.clear();

    let config = fs::read_to_string(bench.there().join("config.yaml")).unwrap();
    fs::write(bench.there().join("config.yaml"), format!("{config}image: ghcr.io/x/y\n")).unwrap();
    bench.supervisor.reload();
    finds(&bench, "tries to pull", &["`image:` stands", "`build:` there means nothing"]);
}

#[test]
fn a_folder_that_may_not_be_written() {
    let bench = Bench::with_mounts(Some(
        "mkdir -p $ADDONS/demo_app; mount --bind $ADDONS $ADDONS; mount -o remount,bind,ro $ADDONS",
    ));
    finds(&bench, "permission", &["may not be written by", "username: root"]);
}
