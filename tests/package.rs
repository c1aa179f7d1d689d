//! The package that Home Assistant installs: nothing in it that the Supervisor refuses, ignores or takes points for, and
//! its parts fit together. Every rule is shown to fail by a change that breaks it.

#![expect(clippy::disallowed_types, reason = "AppArmor's own parser judges the profile")]

#[path = "package/config.rs"]
mod config;
#[path = "package/image.rs"]
mod image;
#[path = "package/profile.rs"]
mod profile;
#[path = "package/reasons.rs"]
mod reasons;
#[path = "package/tree.rs"]
mod tree;

use std::path::Path;
use std::process::Command;

use tree::{Entry, Tree};

type Rule = fn(&Tree) -> Vec<String>;

const RULES: [(&str, Rule); 20] = [
    ("keys", config::keys),
    ("values", config::values),
    ("rating", config::rating),
    ("ingress", config::ingress),
    ("one app", config::one_app),
    ("options", config::options),
    ("backups", config::backups),
    ("one profile", profile::one_profile),
    ("least rights", profile::least_rights),
    ("sockets", profile::sockets),
    ("paths", profile::paths),
    ("folders", profile::folders),
    ("explained", reasons::explained),
    ("every tool", image::every_tool),
    ("dockerfile", image::dockerfile),
    ("service", image::service),
    ("versions", image::versions),
    ("pictures", image::pictures),
    ("documentation", image::documentation),
    ("publishing", image::publishing),
];

/// A change that breaks something.
enum Harm {
    /// In a file, one text instead of another.
    Instead(&'static str, &'static str, &'static str),
    Gone(&'static str),
    Copied(&'static str, &'static str),
    NotExecutable(&'static str),
}
use Harm::{Copied, Gone, Instead, NotExecutable};

const CONFIG: &str = "config.yaml";
const PROFILE: &str = "apparmor.txt";
const DOCKER: &str = "Dockerfile";
const RUN: &str = "rootfs/etc/s6-overlay/s6-rc.d/sd-swap/run";
const FINISH: &str = "rootfs/etc/s6-overlay/s6-rc.d/sd-swap/finish";

const HARMS: [(&str, Harm); 85] = [
    ("keys", Instead(CONFIG, "slug: sd_swap\n", "")),
    ("keys", Instead(CONFIG, "stage:", "advanced: true\nstage:")),
    ("keys", Instead(CONFIG, "stage:", "build: {}\nstage:")),
    ("keys", Instead(CONFIG, "timeout: 300", "timeout: 5 min")),
    ("keys", Instead(CONFIG, "ingress: true", "ingress: yes")),
    ("keys", Instead(CONFIG, "name: SD", "name: [SD")),
    ("values", Instead(CONFIG, "timeout: 300", "timeout: 1800")),
    ("values", Instead(CONFIG, "slug: sd_swap", "slug: SD swap")),
    ("values", Instead(CONFIG, "boot: manual", "boot: never")),
    ("values", Instead(CONFIG, "  - amd64", "  - armv7")),
    ("values", Instead(CONFIG, "type: backup", "type: addons")),
    ("values", Instead(CONFIG, "  - /dev/sda\n", "  - /dev/sda:/dev/sda:rwm\n")),
    ("values", Instead(CONFIG, "  - /dev/sda\n", "  - /dev/sd*\n")),
    ("values", Instead(CONFIG, "stage:", "image: ghcr.io/sd-swap/{arch}:1\nstage:")),
    ("values", Instead("repository.yaml", "name:", "title:")),
    ("values", Instead("repository.yaml", "sd-swap/sd-swap", "someone/else")),
    ("rating", Instead(CONFIG, "hassio_role: backup", "hassio_role: manager")),
    ("rating", Instead(CONFIG, "apparmor: true", "apparmor: false")),
    ("rating", Gone(PROFILE)),
    ("rating", Instead(CONFIG, "apparmor:", "full_access: true\napparmor:")),
    ("rating", Instead(CONFIG, "apparmor:", "privileged: [SYS_ADMIN]\napparmor:")),
    ("rating", Instead(CONFIG, "apparmor:", "host_network: true\napparmor:")),
    ("rating", Instead(CONFIG, "apparmor:", "udev: true\napparmor:")),
    ("ingress", Instead(CONFIG, "ingress_port:", "ingress_entry: /\ningress_port:")),
    ("ingress", Instead(CONFIG, "ingress_port: 8099", "ingress_port: 8100")),
    ("ingress", Instead("src/config.rs", "0.0.0.0:8099", "127.0.0.1:8099")),
    ("ingress", Instead(CONFIG, "init: false", "init: true")),
    ("ingress", Instead(CONFIG, "ingress_port:", "ports: {8099/tcp: 8099}\ningress_port:")),
    ("one app", Copied(CONFIG, "tests/fixtures/config.json")),
    ("one app", Copied(CONFIG, "docs/config.yml")),
    ("one app", Copied(CONFIG, "build.yaml")),
    ("options", Instead(CONFIG, "  log: info", "  level: info")),
    ("options", Instead(CONFIG, "  log: info", "  log: loud")),
    ("options", Instead("translations/de.yaml", "name:", "title:")),
    ("options", Gone("translations/de.yaml")),
    ("options", Instead("src/config.rs", "SD_SWAP_LOG", "SD_SWAP_LEVEL")),
    ("backups", Instead(CONFIG, "backup: hot", "backup: cold")),
    ("backups", Instead(CONFIG, "*.img.xz", "*.iso")),
    ("backups", Instead("src/image/cache.rs", "\".img.xz\"", "\".img.zst\"")),
    ("backups", Instead(CONFIG, "read_only: true", "read_only: false")),
    ("backups", Instead(CONFIG, "  - type: backup", "  - type: ssl\n  - type: backup")),
    ("one profile", Instead(PROFILE, "  profile app", "profile app")),
    ("one profile", Instead(PROFILE, "profile sd_swap", "profile other")),
    ("one profile", Instead(PROFILE, "peer=*sd_swap//app", "peer=*sd_swap//tool")),
    ("least rights", Instead(PROFILE, "    network inet stream", "    capability sys_admin,\n    network inet stream")),
    ("least rights", Instead(PROFILE, "    network inet stream", "    mount,\n    network inet stream")),
    ("least rights", Instead(PROFILE, "  signal,\n", "  signal,\n  file,\n")),
    ("least rights", Instead(PROFILE, "debugfs mrix", "debugfs mrUx")),
    ("least rights", Instead(PROFILE, "  signal,\n", "  signal,\n  network,\n")),
    ("sockets", Instead("src/host/linux/uevents.rs", "SockType::Raw", "SockType::Datagram")),
    ("sockets", Instead(PROFILE, "    network unix seqpacket,\n", "")),
    ("paths", Instead(PROFILE, "/backup/{,**} r", "/backup/{,**} rw")),
    ("paths", Instead(PROFILE, "/dev/sd[a-h] rwk", "/dev/sd* rwk")),
    ("paths", Instead(PROFILE, "/dev/sd[a-h] rwk", "/dev/sd[b-h] rwk")),
    ("paths", Instead(PROFILE, "/data/{,**} rwk", "/data/* rwk")),
    ("paths", Instead(PROFILE, "  /tmp/{,**} rwk", "  /{,**} rwk")),
    ("paths", Instead(PROFILE, "  /init rix,\n", "")),
    ("paths", Instead(PROFILE, "    /proc/@{pid}/{mounts,mountinfo} r", "    /proc/@{pid}/mounts r")),
    ("paths", Instead(CONFIG, "  - /dev/sdh\n", "  - /dev/sdh\n  - /dev/sdi\n")),
    ("folders", Instead("src/config.rs", "\"SD_SWAP_DATA\", \"/data\"", "\"SD_SWAP_DATA\", \"/var/lib\"")),
    ("folders", Instead("src/config.rs", "\"SD_SWAP_BACKUP\", \"/backup\"", "\"SD_SWAP_BACKUP\", \"/share\"")),
    ("explained", Instead(PROFILE, "  /root/ r,\n", "  /root/ r,\n  /home/ r,\n")),
    ("explained", Instead(PROFILE, "    /proc/apm r,\n", "")),
    (
        "explained",
        Instead("docs/apparmor.md", " | reading backups | the one that goes onto the card |", " | reading backups | |"),
    ),
    ("every tool", Instead(DOCKER, " e2fsprogs-extra", "")),
    ("every tool", Instead(PROFILE, "    /{usr/,}{s,}bin/resize2fs mrix,\n", "")),
    ("every tool", Instead("src/host/mod.rs", "=> \"resize2fs\"", "=> \"sfdisk\"")),
    ("every tool", Instead(PROFILE, "    /{usr/,}{s,}bin/resize2fs mrix,\n", "    /bin/{sh,resize2fs} mrix,\n")),
    ("dockerfile", Instead(DOCKER, "base:3.23 AS build", "base:latest AS build")),
    ("dockerfile", Instead(DOCKER, "COPY rootfs/ /", "COPY root/ /")),
    ("dockerfile", Instead(DOCKER, "io.hass.type=\"app\"", "io.hass.type=\"base\"")),
    ("dockerfile", Instead(DOCKER, "ARG BUILD_VERSION", "CMD [\"/usr/bin/sd-swap\"]\nARG BUILD_VERSION")),
    ("dockerfile", Instead(".dockerignore", "docs/", "dist/")),
    ("service", NotExecutable(RUN)),
    ("service", Instead(FINISH, "#!/command/execlineb", "#!/bin/sh")),
    ("service", Instead(RUN, "\n/usr/bin/sd-swap", "\n/usr/local/bin/sd-swap")),
    ("service", Gone("rootfs/etc/s6-overlay/s6-rc.d/user/contents.d/sd-swap")),
    ("service", Instead(PROFILE, "sd-swap cx -> app", "sd-swap ix")),
    ("versions", Instead("CHANGELOG.md", "## 0", "## 9")),
    ("pictures", Copied("logo.png", "icon.png")),
    ("documentation", Instead("DOCS.md", "| Writing failed |", "| Writing |")),
    ("publishing", Instead(".github/workflows/build.yaml", "arch: aarch64", "arch: arm64")),
    ("publishing", NotExecutable("scripts/dist")),
    ("publishing", Instead("scripts/dist", "--no-default-features", "--no-default-features --features ops")),
    ("dockerfile", Instead(DOCKER, "--no-default-features", "--no-default-features --features ops")),
];

fn repository() -> Tree {
    Tree::read(Path::new(env!("CARGO_MANIFEST_DIR")))
}

fn harmed(tree: &Tree, harm: &Harm) -> Tree {
    let mut tree = tree.clone();
    let known = |path: &str| tree.0.get(path).cloned().unwrap_or_else(|| panic!("{path} is not there"));
    match harm {
        Instead(path, from, to) => {
            let text = tree.text(path);
            assert!(text.contains(from), "{path} does not say {from:?}");
            let entry = Entry { bytes: text.replace(from, to).into(), ..known(path) };
            tree.0.insert((*path).to_owned(), entry);
        }
        Gone(path) => {
            known(path);
            tree.0.remove(*path);
        }
        Copied(from, to) => {
            tree.0.insert((*to).to_owned(), known(from));
        }
        NotExecutable(path) => {
            tree.0.insert((*path).to_owned(), Entry { executable: false, ..known(path) });
        }
    }
    tree
}

#[test]
fn the_supervisor_takes_all_of_it() {
    let tree = repository();
    let wrong = |(name, rule): (&'static str, Rule)| rule(&tree).into_iter().map(move |what| format!("{name}: {what}"));
    let wrong: Vec<String> = RULES.into_iter().flat_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_can_fail() {
    let tree = repository();
    for (name, rule) in RULES {
        let harms: Vec<&Harm> = HARMS.iter().filter(|(of, _)| *of == name).map(|(_, harm)| harm).collect();
        assert!(!harms.is_empty(), "nothing shows that the rule {name} can fail");
        for harm in harms {
            let what = match harm {
                Instead(path, _, to) => format!("{path}: {to:?}"),
                Gone(path) | Copied(_, path) | NotExecutable(path) => (*path).to_owned(),
            };
            assert!(!rule(&harmed(&tree, harm)).is_empty(), "{name} takes {what}");
        }
    }
    let unknown = HARMS.iter().find(|(of, _)| !RULES.iter().any(|(name, _)| name == of));
    assert!(unknown.is_none(), "there is no rule {}", unknown.map_or("", |(name, _)| name));
}

/// Reads and compiles the profile, loads nothing.
#[test]
fn apparmor_s_own_parser_takes_the_profile() {
    let parser =
        ["/sbin/apparmor_parser", "/usr/sbin/apparmor_parser"].into_iter().find(|path| Path::new(path).exists());
    let parser = parser.expect("apparmor_parser, which scripts/needs installs");
    let profile = Path::new(env!("CARGO_MANIFEST_DIR")).join(PROFILE);
    let broken = tempfile::NamedTempFile::new().unwrap();
    let text = std::fs::read_to_string(&profile).unwrap();
    std::fs::write(&broken, text.replace("network netlink raw", "network netlnik raw")).unwrap();
    for (file, fine) in [(profile.as_path(), true), (broken.path(), false)] {
        let answer = Command::new(parser).args(["--skip-kernel-load", "--skip-cache"]).arg(file).output().unwrap();
        assert_eq!(answer.status.success(), fine, "{}", String::from_utf8_lossy(&answer.stderr));
    }
}
