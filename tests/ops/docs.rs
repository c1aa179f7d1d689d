//! `docs/deploy.md`, done as it says.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::bench::Bench;

const GUIDE: &str = "docs/deploy.md";

fn guide() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(GUIDE)).unwrap()
}

/// The block after the line that begins with the file's name.
fn file(guide: &str, name: &str) -> String {
    let start = format!("\n`{name}`");
    let rest = &guide[guide.find(&start).unwrap_or_else(|| panic!("{name} is not in {GUIDE}"))..];
    let block = rest.split("```").nth(1).unwrap();
    block.split_once('\n').unwrap().1.to_string()
}

#[test]
fn the_first_time_by_the_guide() {
    let mut bench = Bench::ssh();
    let guide = guide();
    fs::remove_dir_all(&bench.app).unwrap();
    for name in ["config.yaml", "Dockerfile", "run.sh", "CHANGELOG.md", "ops.toml"] {
        bench.write(name, &file(&guide, name));
    }
    fs::set_permissions(bench.app.join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    // The stand-in's log holds this; everything else is as the guide says, but the host's name and its folder.
    bench.write(
        "ops.toml",
        &file(&guide, "ops.toml").replace("hello is up", "is up").replace("steady = 5", "steady = 0"),
    );
    assert_eq!(file(&guide, "ops.env"), "OPS_HOST=root@homeassistant.local\n");
    let folder = bench.addons.join("hello");
    bench.set("OPS_PATH", folder.to_str().unwrap());
    bench.run(&["deploy", "--dry-run"]).was(0, &[]);
    let ran = bench.run(&["deploy"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    let told: Vec<&str> =
        guide.lines().filter_map(|line| line.strip_prefix("TOKEN: ")?.split_whitespace().next()).collect();
    assert_eq!(ran.tokens, told);
    assert!(bench.addons.join(".ops/hello").is_dir());
}

/// Every setting is told, every case of `diagnose`, every token.
#[test]
fn the_guide_is_whole() {
    let guide = guide().replace('\n', " ");
    let source =
        |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ops").join(path)).unwrap();
    let settings = source("config/target.rs");
    let keys = settings
        .split("const KNOWN")
        .nth(1)
        .unwrap()
        .split(';')
        .nth(1)
        .unwrap()
        .split('"')
        .filter(|word| word.starts_with("OPS_"));
    let project = source("config/project.rs");
    let fields = project
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(": "))
        .filter(|(name, _)| !name.contains(' '))
        .map(|(name, _)| name);
    let findings = source("diagnose/findings.rs");
    let cases =
        findings.split("finding(\n").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    let all: Vec<&str> = keys.chain(fields).chain(cases).collect();
    assert!(all.len() > 30, "{all:?}");
    let missing: Vec<&&str> = all.iter().filter(|word| !guide.contains(**word)).collect();
    assert!(missing.is_empty(), "{GUIDE} does not tell {missing:?}");
}
