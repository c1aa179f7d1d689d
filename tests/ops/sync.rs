//! Lane 2: what arrives, and what is never touched.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use super::bench::{Bench, SLUG, VERSION};

const SENT: [&str; 2] = ["SSH_HA_OK", "CLEAN_RUNTIME_OK"];

#[test]
fn the_tree_arrives_and_a_second_time_is_unchanged() {
    let bench = Bench::ssh();
    for name in ["a b", "with\nnewline", "quo'te\"", "$(touch x)"] {
        bench.write(&format!("odd/{name}"), name);
    }
    bench.write("rootfs/run", "#!/bin/sh\nexec true\n");
    fs::set_permissions(bench.app.join("rootfs/run"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("/command/with-contenv", bench.app.join("rootfs/link")).unwrap();
    bench.write(".git/HEAD", "ref: x");
    bench.write("src/main.rs", "source");
    bench.write(".opsignore", "/src\n");
    let ran = bench.run(&["sync"]);
    ran.was(0, &SENT);
    let there = bench.there();
    assert_eq!(fs::read_to_string(there.join("odd/with\nnewline")).unwrap(), "with\nnewline");
    assert_eq!(fs::read_to_string(there.join("odd/$(touch x)")).unwrap(), "$(touch x)");
    assert_eq!(fs::metadata(there.join("rootfs/run")).unwrap().permissions().mode() & 0o111, 0o111);
    assert!(fs::symlink_metadata(there.join("rootfs/link")).unwrap().is_symlink());
    for home in [".git", "src", "ops.env", "reports"] {
        assert!(!there.join(home).exists(), "{home} was sent");
    }
    let receipt = ran.receipt("sync");
    assert_eq!((&receipt["result"], &receipt["target"]["via"]), (&"ok".into(), &"ssh".into()));
    assert!(receipt["app"]["tree"].as_str().unwrap().starts_with("sha256:"));
    let again = bench.run(&["sync"]);
    again.was(0, &SENT);
    assert_eq!(again.receipt("sync")["result"], "unchanged");
    assert_eq!(again.receipt("sync")["app"]["tree"], receipt["app"]["tree"]);
}

/// Of the same length, within the same second, and a mode alone.
#[test]
fn small_changes_arrive_too() {
    let bench = Bench::ssh();
    bench.run(&["sync"]).was(0, &SENT);
    bench.write("README.md", "# Dema\n");
    fs::set_permissions(bench.app.join("program.txt"), fs::Permissions::from_mode(0o755)).unwrap();
    let ran = bench.run(&["sync"]);
    ran.was(0, &SENT);
    assert_eq!(ran.receipt("sync")["result"], "ok");
    assert_eq!(fs::read_to_string(bench.there().join("README.md")).unwrap(), "# Dema\n");
    assert_eq!(fs::metadata(bench.there().join("program.txt")).unwrap().permissions().mode() & 0o111, 0o111);
}

#[test]
fn a_dry_run_writes_nothing_anywhere() {
    let bench = Bench::ssh();
    let ran = bench.run(&["sync", "--dry-run"]);
    ran.was(0, &[]);
    assert!(ran.err.contains("Dockerfile") && ran.err.contains("would run: rsync"), "{}", ran.err);
    assert!(!bench.there().exists() && !bench.app.join("reports").exists());
}

#[test]
fn only_the_apps_own_folder_is_written() {
    let mut bench = Bench::ssh();
    bench.supervisor.has_running("other", "other_app", "1.0.0");
    let addons = bench.addons.to_str().unwrap().to_string();
    let before = fs::read_dir(&bench.addons).unwrap().count();
    for (path, words) in [
        (format!("{addons}/other"), "other_app"),
        (addons.clone(), "where apps lie"),
        (format!("{addons}/none/below"), "does not exist"),
        ("/etc".into(), "where apps lie"),
        ("/usr/share".into(), "where apps lie"),
        ("/usr/bin".into(), "no config.yaml"),
    ] {
        bench.set("OPS_PATH", &path);
        let ran = bench.run(&["sync", "--yes"]);
        ran.failed(1, &[words, "Nothing was changed"]);
        assert_eq!(ran.tokens, ["SSH_HA_OK"]);
    }
    symlink("other", bench.addons.join("alias")).unwrap();
    bench.set("OPS_PATH", &format!("{addons}/alias"));
    bench.run(&["sync", "--yes"]).failed(1, &["symbolic link"]);
    assert_eq!(fs::read_dir(&bench.addons).unwrap().count(), before + 1);
    assert!(bench.addons.join("other/config.yaml").exists());
}

#[test]
fn much_is_deleted_only_if_that_is_said() {
    let bench = Bench::ssh();
    bench.run(&["sync"]).was(0, &SENT);
    for n in 0..20 {
        fs::write(bench.there().join(format!("theirs{n}")), "").unwrap();
    }
    let ran = bench.run(&["sync"]);
    ran.failed(2, &["20 of", "would be deleted", "--yes"]);
    assert!(bench.there().join("theirs0").exists());
    bench.run(&["sync", "--yes"]).was(0, &SENT);
    assert!(!bench.there().join("theirs0").exists());
    // The tree from before lies aside.
    assert!(bench.addons.join(".ops").join(SLUG).join("theirs0").exists());
}

#[test]
fn a_folder_that_cannot_be_written() {
    let bench = Bench::with_mounts(Some("mount --bind $ADDONS $ADDONS; mount -o remount,bind,ro $ADDONS"));
    let ran = bench.run(&["sync"]);
    ran.failed(4, &["may not be written", "belongs to", "username: root"]);
    assert_eq!(ran.tokens, ["SSH_HA_OK"]);
}

#[test]
fn a_folder_that_is_full() {
    let bench = Bench::with_mounts(Some("mount -t tmpfs -o size=256k none $ADDONS"));
    bench.write("dist/program", &"x".repeat(1 << 20));
    let ran = bench.run(&["sync"]);
    ran.failed(4, &["no room is left"]);
    assert_eq!(ran.tokens, ["SSH_HA_OK"]);
}

#[test]
fn a_connection_that_is_lost_in_mid_copy() {
    let bench = Bench::ssh();
    bench.write("dist/program", &"x".repeat(1 << 20));
    // The look goes well; of the copy it takes the first bytes, and its session dies.
    let rsync = bench.dir().join("host/bin/rsync");
    let script = "#!/bin/bash\nmark=\"${0%/*}/looked\"\n\
                  [ -e \"$mark\" ] || { touch \"$mark\"; exec /usr/bin/rsync \"$@\"; }\n\
                  dd bs=4096 count=40 status=none | /usr/bin/rsync \"$@\"\nkill -9 $PPID\n";
    fs::write(&rsync, script).unwrap();
    fs::set_permissions(&rsync, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = bench.run(&["sync"]);
    ran.failed(3, &["the connection was lost", "Run it again"]);
    assert_eq!(ran.tokens, ["SSH_HA_OK"]);
    assert!(!bench.there().join("config.yaml").exists());
    fs::remove_file(rsync).unwrap();
    bench.run(&["sync"]).was(0, &SENT);
    assert!(!bench.there().join("dist/.~tmp~").exists());
}

#[test]
fn a_host_that_is_not_the_one() {
    let bench = Bench::ssh();
    let sshd = bench.sshd.as_ref().unwrap();
    sshd.is_someone_else();
    let ran = bench.run(&["sync"]);
    ran.failed(3, &["Host key verification failed", "ssh-keygen -R"]);
    assert!(ran.tokens.is_empty());
    // Nobody listens there.
    sshd.is_at(9);
    bench.run(&["sync"]).failed(3, &["Connection refused", "is the SSH app started"]);
}

#[test]
fn a_host_that_never_answers() {
    let bench = Bench::ssh();
    bench.sshd.as_ref().unwrap().is_silent();
    bench.run(&["sync"]).failed(3, &["timed out"]);
}

/// `ha` that has no token, that prints its help and succeeds, and one that talks before its JSON.
#[test]
fn answers_that_are_none() {
    let bench = Bench::ssh();
    bench.supervisor.state().quirks.help = true;
    let ran = bench.run(&["sync"]);
    ran.failed(4, &["no answer of the Supervisor", "too old"]);
    assert!(ran.tokens.is_empty() && !bench.there().exists());
    bench.supervisor.state().quirks.help = false;
    bench.supervisor.state().quirks.banner = true;
    bench.run(&["sync"]).was(0, &SENT);
    let profile = bench.dir().join("ssh/home/.bash_profile");
    let text = fs::read_to_string(&profile).unwrap().replace("SUPERVISOR_TOKEN", "OTHER");
    fs::write(&profile, text).unwrap();
    bench.run(&["sync"]).failed(4, &["401", "bash_profile"]);
}

#[test]
fn a_mounted_share() {
    let bench = Bench::share("ws");
    bench.run(&["sync"]).was(0, &["CLEAN_RUNTIME_OK"]);
    assert!(bench.there().join("Dockerfile").exists());
    let again = bench.run(&["sync"]);
    again.was(0, &["CLEAN_RUNTIME_OK"]);
    assert_eq!(again.receipt("sync")["result"], "unchanged");
    fs::write(bench.there().join("config.yaml"), "slug: other\nversion: \"1\"\n").unwrap();
    bench.run(&["sync"]).failed(1, &["another app"]);
}

#[test]
fn a_share_that_is_not_mounted() {
    let mut bench = Bench::share("ws");
    let left = bench.dir().join("Volumes/addons");
    fs::create_dir_all(&left).unwrap();
    bench.set("OPS_PATH", left.join(SLUG).to_str().unwrap());
    bench.run(&["sync"]).failed(3, &["the share is not mounted"]);
    assert_eq!(fs::read_dir(&left).unwrap().count(), 0);
    // Mounted, but what it is for is not there.
    let below = bench.share_root().join("none").join(SLUG);
    bench.set("OPS_PATH", below.to_str().unwrap());
    bench.run(&["sync"]).failed(1, &["does not exist"]);
}

#[test]
fn a_share_that_cannot_be_written_or_is_full() {
    let mut bench = Bench::share("ws");
    bench.write("dist/program", &"x".repeat(1 << 20));
    let addons = bench.addons.to_str().unwrap().to_string();
    bench.mounts = Some(format!("mount --bind '{addons}' '{addons}'; mount -o remount,bind,ro '{addons}'"));
    bench.run(&["sync"]).failed(4, &["may not be written"]);
    bench.mounts = Some(format!("mount -t tmpfs -o size=256k none '{addons}'"));
    bench.run(&["sync"]).failed(4, &["room"]);
    assert!(!bench.there().exists());
}

#[test]
fn a_link_out_of_the_tree_is_not_sent() {
    let bench = Bench::ssh();
    symlink("/etc/passwd", bench.app.join("passwd")).unwrap();
    let ran = bench.run(&["sync"]);
    ran.failed(2, &["out of the app's folder"]);
    assert!(!bench.there().exists());
}

#[test]
fn a_receipt_on_the_host_if_it_is_wanted() {
    let bench = Bench::ssh();
    let config = bench.addons.parent().unwrap().join("config");
    fs::create_dir_all(&config).unwrap();
    bench.run(&["sync"]).was(0, &SENT);
    assert!(!config.join("ops").exists());
    bench.run(&["sync", "--remote-receipt"]).was(0, &SENT);
    let left: Vec<_> = fs::read_dir(config.join("ops").join(SLUG)).unwrap().flatten().collect();
    let text = fs::read_to_string(left[0].path()).unwrap();
    let receipt: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((left.len(), &receipt["lane"], &receipt["app"]["version"]), (1, &"sync".into(), &VERSION.into()));
}

#[test]
fn ctrl_c_in_mid_copy() {
    let bench = Bench::ssh();
    let rsync = bench.dir().join("host/bin/rsync");
    let mark = bench.dir().join("host/bin/copying");
    fs::write(&rsync, "#!/bin/bash\ntouch \"${0%/*}/copying\"\nsleep 60\n").unwrap();
    fs::set_permissions(&rsync, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = bench.interrupted(&["sync"], || mark.exists());
    ran.failed(130, &["stopped"]);
    let steps = ran.receipt("sync")["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["what"] == "look at the app's folder" && step["exit"] == 0));
    // No rsync of ours is left.
    let pattern = format!("rsync .*{}", bench.there().display());
    let stage = Command::new("pgrep").args(["-f", &pattern]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&stage.stdout).trim(), "");
}
