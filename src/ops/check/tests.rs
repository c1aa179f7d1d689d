//! A small app that keeps every rule; and for each rule what breaks it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::{Finding, RULES, Seen, layout, look};
use crate::ops::Mode;
use crate::ops::config::Invariant;
use crate::ops::tree::Tree;
use crate::ops::yaml;

const CONFIG: &str = "\
name: Small
version: \"1.2.3\"
slug: small
description: It is small
arch: [aarch64, amd64]
url: https://example.org/small
startup: application
boot: auto
timeout: 20
ingress: true
ingress_port: 8099
map: [share:rw, {type: ssl, read_only: true}]
devices: [/dev/ttyUSB0]
options: {level: info, limit: 5, name: null, hosts: []}
schema:
  level: list(info|debug)?
  limit: int(1,10)
  name: str
  hosts: [{host: str, port: port?}]
";
const DOCKER: &str = "\
ARG BUILD_FROM=ghcr.io/home-assistant/base:3.23
FROM $BUILD_FROM AS build
# COPY nothing /
RUN apk add --no-cache \\
    python3 py3-pip
COPY --chown=root:root run.sh translations /opt/
COPY [\"icon.png\", \"/opt/\"]
COPY --from=build /x /y
COPY *.md ${SOMETHING} /opt/
COPY rootfs /
";
const SERVICE: &str = "rootfs/etc/s6-overlay/s6-rc.d/small/run";

struct App(tempfile::TempDir);

impl App {
    fn new() -> App {
        let app = App(tempfile::tempdir().unwrap());
        app.file("config.yaml", CONFIG);
        app.file("Dockerfile", DOCKER);
        app.file("run.sh", "#!/usr/bin/env bash\nexec true\n");
        app.script(SERVICE, "#!/command/with-contenv bashio\n# shellcheck shell=bash\nexec true\n");
        app.script("rootfs/etc/cont-init.d/10-x", "#!/usr/bin/with-contenv bash\n");
        app.file("rootfs/etc/s6-overlay/s6-rc.d/user/contents.d/small", "");
        app.file("CHANGELOG.md", "# News\n\n## [1.2.3] - 2026-09-01\n\n- All\n");
        app.file("README.md", "# Small\n");
        app.file("apparmor.txt", "#include <tunables/global>\nprofile small {\n  profile inner {\n  }\n}\n");
        app.file(
            "translations/en.yaml",
            "configuration:\n  level: {name: Level}\n  limit: {name: L}\n  name: {name: N}\n  hosts: {name: H}\n",
        );
        app.bytes("icon.png", &png(128, 128));
        app.bytes("logo.png", &png(250, 100));
        app
    }

    fn bytes(&self, path: &str, bytes: &[u8]) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn file(&self, path: &str, text: &str) {
        self.bytes(path, text.as_bytes());
    }

    fn script(&self, path: &str, text: &str) {
        self.file(path, text);
        self.mode(path, 0o755);
    }

    fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.0.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn gone(&self, path: &str) {
        fs::remove_file(self.0.path().join(path)).unwrap();
    }

    /// In `path`, `to` instead of `from`.
    fn instead(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.0.path().join(path)).unwrap();
        assert!(text.contains(from), "{path} has no {from:?}");
        self.file(path, &text.replacen(from, to, 1));
    }

    fn found(&self, mode: Mode, tag: Option<&str>, invariants: &[Invariant]) -> Vec<(&'static str, Finding)> {
        let tree = Tree::sent(self.0.path()).unwrap();
        let config = yaml::read(&tree.text("config.yaml").unwrap()).unwrap();
        let nested = layout::repositories(self.0.path(), self.0.path());
        let seen = Seen {
            tree: &tree,
            config: &config,
            file: "config.yaml",
            mode,
            version: "1.2.3",
            tag,
            invariants,
            nested: &nested,
        };
        look(&seen)
    }

    fn wrong(&self) -> Vec<(&'static str, String)> {
        let found = self.found(Mode::Local, None, &[]);
        found
            .into_iter()
            .filter_map(|(rule, finding)| match finding {
                Finding::Wrong(what) => Some((rule, what)),
                Finding::Note(_) => None,
            })
            .collect()
    }

    fn notes(&self) -> Vec<&'static str> {
        let found = self.found(Mode::Local, None, &[]);
        found.into_iter().filter(|(_, finding)| matches!(finding, Finding::Note(_))).map(|(rule, _)| rule).collect()
    }
}

fn png(width: u32, height: u32) -> Vec<u8> {
    [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &width.to_be_bytes(), &height.to_be_bytes()].concat()
}

#[test]
fn the_small_app_keeps_every_rule() {
    let app = App::new();
    assert_eq!(app.found(Mode::Local, None, &[]), []);
}

type Harm = fn(&App);

/// The rule, what breaks it, and a word of what is said.
const HARMS: [(&str, Harm, &str); 54] = [
    ("configuration", |app| app.instead("config.yaml", "slug: small\n", ""), "slug is missing"),
    ("configuration", |app| app.instead("config.yaml", "name: Small", "name: [Small]"), "name is no text"),
    ("configuration", |app| app.instead("config.yaml", "timeout: 20", "timeout: soon"), "timeout is no number"),
    ("configuration", |app| app.instead("config.yaml", "ingress: true", "ingress: 1"), "ingress is no flag"),
    ("configuration", |app| app.instead("config.yaml", "arch: [aarch64, amd64]", "arch: amd64"), "arch is no list"),
    ("values", |app| app.instead("config.yaml", "version: \"1.2.3\"", "version: 1.2"), "quotes"),
    ("values", |app| app.instead("config.yaml", "slug: small", "slug: sm all"), "slug"),
    ("values", |app| app.instead("config.yaml", "timeout: 20", "timeout: 900"), "timeout"),
    ("values", |app| app.instead("config.yaml", "boot: auto", "boot: never"), "boot"),
    ("values", |app| app.instead("config.yaml", "startup: application", "startup: after"), "startup"),
    ("values", |app| app.instead("config.yaml", "aarch64", "riscv"), "riscv"),
    ("values", |app| app.instead("config.yaml", "[aarch64, amd64]", "[]"), "none is named"),
    ("values", |app| app.instead("config.yaml", "share:rw", "home:rw"), "map"),
    ("values", |app| app.instead("config.yaml", "share:rw", "share:rwx"), "map"),
    ("values", |app| app.instead("config.yaml", "type: ssl", "kind: ssl"), "map"),
    ("values", |app| app.instead("config.yaml", "/dev/ttyUSB0", "ttyUSB0"), "devices"),
    ("values", |app| app.instead("config.yaml", "/dev/ttyUSB0", "/dev/tty*"), "patterns"),
    ("values", |app| app.instead("config.yaml", "8099", "80999"), "port"),
    ("values", |app| app.instead("config.yaml", "https://example.org/small", "example.org"), "url"),
    ("values", |app| app.instead("config.yaml", "boot:", "image: ghcr.io/me/small:1.2.3\nboot:"), "image"),
    ("mode", |app| app.instead("config.yaml", "boot:", "image: ghcr.io/me/small\nboot:"), "builds nothing"),
    ("options", |app| app.instead("config.yaml", "{level: info,", "{other: 1, level: info,"), "other"),
    ("options", |app| app.instead("config.yaml", "level: info", "level: loud"), "level"),
    ("options", |app| app.instead("config.yaml", "limit: 5", "limit: 50"), "limit"),
    ("options", |app| app.instead("config.yaml", "limit: 5", "limit: many"), "limit"),
    ("options", |app| app.instead("config.yaml", "name: str", "name: string"), "no type"),
    ("options", |app| app.instead("config.yaml", "host: str,", "host: text,"), "hosts.host"),
    ("options", |app| app.instead("config.yaml", "int(1,10)", "int(1-10)"), "no type"),
    ("translations", |app| app.instead("translations/en.yaml", "level:", "loudness:"), "loudness"),
    ("translations", |app| app.file("translations/en.yaml", "configuration: ["), "no YAML"),
    ("Dockerfile", |app| app.gone("Dockerfile"), "has to build"),
    ("Dockerfile", |app| app.file("Dockerfile", "# FROM x\n"), "no FROM"),
    ("copied files", |app| app.gone("run.sh"), "run.sh"),
    ("copied files", |app| app.instead("Dockerfile", "icon.png", "picture.png"), "picture.png"),
    ("copied files", |app| app.instead("Dockerfile", "*.md", "*.rst"), "*.rst"),
    ("copied files", |app| app.file(".dockerignore", "/rootfs/\n"), "hides"),
    ("copied files", |app| app.file(".opsignore", "/translations\n"), "translations"),
    ("packages", |app| app.instead("Dockerfile", "py3-pip", "py3-pip py3-venv"), "py3-venv"),
    (
        "packages",
        |app| app.instead("Dockerfile", "RUN apk", "RUN apt-get update && apt-get install -y build-base\nRUN apk"),
        "build-base",
    ),
    ("build file", |app| app.file("build.yaml", "- a\n"), "no map"),
    ("scripts", |app| app.mode(SERVICE, 0o644), "not executable"),
    ("scripts", |app| app.script(SERVICE, "exec true\n"), "#!"),
    ("scripts", |app| app.script(SERVICE, "#!/usr/bin/zsh\n"), "zsh"),
    ("scripts", |app| app.script(SERVICE, "#!/home/me/bash\n"), "/home/me/bash"),
    ("line ends", |app| app.file("run.sh", "#!/bin/bash\r\nexec true\r\n"), "run.sh"),
    ("line ends", |app| app.file("config.yaml", &CONFIG.replace('\n', "\r\n")), "config.yaml"),
    ("one app", |app| app.file(&["examples/config", "yml"].join("."), "a: 1\n"), "another app"),
    ("no repository inside", |app| app.file("vendor/x/.git/HEAD", ""), "vendor/x"),
    ("files", |app| symlink("/etc/passwd", app.0.path().join("link")).unwrap(), "/etc/passwd"),
    ("files", |app| symlink("../outside", app.0.path().join("link")).unwrap(), "outside"),
    ("files", |app| app.file("a\nb", ""), "control character"),
    ("pictures", |app| app.bytes("icon.png", &png(128, 64)), "square"),
    ("changelog", |app| app.instead("CHANGELOG.md", "1.2.3", "1.2.34"), "names 1.2.3"),
    ("AppArmor", |app| app.instead("apparmor.txt", "  profile inner", "profile inner"), "2 profiles"),
];

#[test]
fn every_rule_can_fail() {
    for (rule, harm, word) in HARMS {
        let app = App::new();
        harm(&app);
        let wrong = app.wrong();
        let named = wrong.iter().any(|(of, what)| *of == rule && what.contains(word));
        assert!(named, "{rule} ({word}): {wrong:?}");
    }
    for (rule, _) in RULES {
        assert!(HARMS.iter().any(|(of, ..)| *of == rule), "nothing shows that {rule} can fail");
    }
}

#[test]
fn what_is_only_said() {
    let cases: [(&str, Harm); 8] = [
        ("configuration", |app| app.instead("config.yaml", "boot:", "build: {dockerfile: Dockerfile}\nboot:")),
        ("configuration", |app| app.instead("config.yaml", "boot:", "unheard_of: 1\nboot:")),
        ("values", |app| app.instead("config.yaml", "aarch64", "armv7")),
        ("values", |app| app.instead("config.yaml", "/dev/ttyUSB0", "/dev/ttyUSB0:/dev/ttyUSB0:rwm")),
        ("build file", |app| app.file("build.yaml", "build_from: {amd64: x}\n")),
        ("changelog", |app| app.gone("CHANGELOG.md")),
        ("pictures", |app| app.bytes("icon.png", &png(256, 256))),
        ("translations", |app| app.instead("translations/en.yaml", "  level: {name: Level}\n", "")),
    ];
    for (rule, harm) in cases {
        let app = App::new();
        harm(&app);
        assert_eq!((app.wrong(), app.notes()), (vec![], vec![rule]), "{rule}");
    }
}

#[test]
fn what_is_published_has_an_image_and_its_tag() {
    let wrong = |app: &App, tag| {
        let found = app.found(Mode::Publish, tag, &[]);
        found.into_iter().map(|(rule, finding)| format!("{rule}: {finding:?}")).collect::<Vec<_>>().join("\n")
    };
    let app = App::new();
    assert!(wrong(&app, None).contains("image: is missing"));
    app.instead("config.yaml", "boot:", "image: ghcr.io/me/{arch}-small\nboot:");
    assert_eq!(wrong(&app, Some("1.2.3")), "");
    assert!(wrong(&app, Some("1.2.4")).contains("the tag on this commit says 1.2.4"));
    // Who publishes an image need not publish what it is built of.
    app.gone("Dockerfile");
    assert_eq!(wrong(&app, None), "");
}

#[test]
fn the_project_s_own_invariants() {
    let app = App::new();
    let invariant =
        |path: &str, contains: Option<&str>| Invariant { path: path.into(), contains: contains.map(Into::into) };
    let found = |invariant| app.found(Mode::Local, None, &[invariant]).len();
    assert_eq!(found(invariant("run.sh", Some("exec true"))), 0);
    assert_eq!(found(invariant("translations", None)), 0);
    assert_eq!(found(invariant("run.sh", Some("exec false"))), 1);
    assert_eq!(found(invariant("none.sh", None)), 1);
    assert_eq!(found(invariant("translations", Some("x"))), 1);
}

#[test]
fn names_with_spaces_and_quotes_are_files_like_others() {
    let app = App::new();
    app.file("a b/it's \"one\".txt", "x");
    symlink("a b", app.0.path().join("link")).unwrap();
    symlink("/command/x", app.0.path().join("rootfs/x")).unwrap();
    assert_eq!(app.wrong(), []);
    let repositories = layout::repositories(Path::new("/nowhere"), Path::new("/nowhere"));
    assert_eq!(repositories, Vec::<PathBuf>::new());
}
