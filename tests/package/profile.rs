//! `apparmor.txt`: one profile for the Supervisor, an inner one for the program, and what each may do with a path.

use super::tree::{Tree, complaints};

/// The rules of the outer profile (the base image's start) and of the inner one (the program).
pub struct Profile {
    pub outer: Vec<String>,
    pub inner: Vec<String>,
}

impl Profile {
    pub fn of(tree: &Tree) -> Profile {
        let text = tree.text("apparmor.txt");
        let (mut outer, mut inner) = (Vec::new(), Vec::new());
        let mut inside = false;
        for line in text.lines() {
            let rule = line.split('#').next().unwrap_or_default().trim();
            match rule {
                "" => {}
                _ if rule.starts_with("profile app ") => inside = true,
                "}" => inside = false,
                _ if inside => inner.push(rule.trim_end_matches(',').to_owned()),
                _ => outer.push(rule.trim_end_matches(',').to_owned()),
            }
        }
        Profile { outer, inner }
    }

    pub fn program_may(&self, access: char, path: &str) -> bool {
        may(&self.inner, access, path)
    }

    pub fn start_may(&self, access: char, path: &str) -> bool {
        may(&self.outer, access, path)
    }
}

fn may(rules: &[String], access: char, path: &str) -> bool {
    let files = rules.iter().filter(|rule| rule.starts_with('/')).filter_map(|rule| rule.split_once(' '));
    files
        .filter(|(_, rights)| rights.split(" -> ").next().unwrap_or_default().contains(access))
        .any(|(pattern, _)| braces(&pattern.replace("@{pid}", "*")).iter().any(|one| matches(one, path)))
}

/// `a{b,c}d` is `abd` and `acd`; braces may be nested.
fn braces(pattern: &str) -> Vec<String> {
    let Some(open) = pattern.find('{') else { return vec![pattern.to_owned()] };
    let (mut depth, mut from, mut choices, mut end) = (0, open + 1, Vec::new(), pattern.len());
    for (at, c) in pattern.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            '{' => depth += 1,
            ',' if depth == 1 => {
                choices.push(&pattern[from..at]);
                from = at + 1;
            }
            '}' if depth == 1 => {
                choices.push(&pattern[from..at]);
                end = at + 1;
                break;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    choices.iter().flat_map(|choice| braces(&format!("{}{choice}{}", &pattern[..open], &pattern[end..]))).collect()
}

/// `*` stops at a slash, `**` does not, `[a-h]` is one of them.
fn matches(pattern: &str, path: &str) -> bool {
    if let Some(rest) = pattern.strip_prefix("**") {
        return path.char_indices().map(|(at, _)| at).chain([path.len()]).any(|at| matches(rest, &path[at..]));
    }
    if let Some(rest) = pattern.strip_prefix('*') {
        let stop = path.find('/').unwrap_or(path.len());
        return (0..=stop).filter(|at| path.is_char_boundary(*at)).any(|at| matches(rest, &path[at..]));
    }
    let (mut wanted, mut given) = (pattern.chars(), path.chars());
    match (wanted.next(), given.next()) {
        (None, None) => true,
        (Some('['), Some(c)) => {
            let Some((class, rest)) = wanted.as_str().split_once(']') else { return false };
            let range = class.split_once('-').and_then(|(from, to)| Some(from.chars().next()?..=to.chars().next()?));
            let within = range.map_or(class.contains(c), |range| range.contains(&c));
            within && matches(rest, given.as_str())
        }
        (Some(w), Some(c)) => w == c && matches(wanted.as_str(), given.as_str()),
        _ => false,
    }
}

/// The Supervisor wants exactly one such line and puts the app's full name into it.
pub fn one_profile(tree: &Tree) -> Vec<String> {
    let text = tree.text("apparmor.txt");
    let slug = tree.yaml("config.yaml")["slug"].as_str().unwrap_or_default().to_owned();
    let heads: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("profile ")).collect();
    let named = heads.iter().filter_map(|head| head.split(' ').next()).collect::<Vec<_>>();
    let mut wrong = Vec::new();
    if named != [slug.as_str()] {
        wrong.push(format!("the profile lines name {named:?}, not {slug}"));
    }
    let peers = text.split_whitespace().filter_map(|word| word.strip_prefix("peer=")).map(|p| p.trim_end_matches(','));
    let (outer, inner) = (format!("*{slug}"), format!("*{slug}//app"));
    wrong.extend(peers.filter(|peer| *peer != outer && *peer != inner).map(|peer| format!("nobody is called {peer}")));
    wrong
}

/// Rules that no part of it may have.
pub fn least_rights(tree: &Tree) -> Vec<String> {
    let profile = Profile::of(tree);
    let never = ["capability", "mount", "umount", "remount", "pivot_root", "change_profile", "dbus", "file", "userns"];
    let first = |rule: &String| rule.split([' ', ',']).next().unwrap_or_default().to_owned();
    let all = profile.outer.iter().chain(&profile.inner);
    let mut wrong: Vec<String> = all
        .clone()
        .filter(|rule| never.contains(&first(rule).as_str()))
        .map(|rule| format!("too much: {rule}"))
        .collect();
    let unconfined = |rule: &&String| {
        let rights = rule.split(' ').nth(1).unwrap_or_default();
        rule.starts_with('/') && (rights.contains(['u', 'U', 'p', 'P']))
    };
    wrong.extend(all.filter(unconfined).map(|rule| format!("leaves the profile: {rule}")));
    let beyond = |rule: &String| rule.starts_with("network") && rule != "network unix stream";
    if profile.outer.iter().any(beyond) {
        wrong.push("the base image's start may use the network".into());
    }
    wrong
}

/// AppArmor tells kinds of sockets apart that the kernel takes for the same.
pub fn sockets(tree: &Tree) -> Vec<String> {
    let inner = Profile::of(tree).inner;
    let may = |rule: &str| inner.iter().any(|line| line == rule);
    let listens_raw = tree.text("src/host/linux/uevents.rs").contains("AddressFamily::Netlink, SockType::Raw");
    complaints([
        (may("network netlink raw") && listens_raw, "the kernel's announcements of disks are not heard"),
        (may("network unix seqpacket"), "no tool can be started: Rust's library makes such a pair of sockets first"),
        (may("network unix stream"), "the program's threads cannot wake each other"),
        (may("network inet stream") && may("network inet6 stream"), "there is no TCP"),
        (may("network inet dgram") && may("network inet6 dgram"), "names cannot be looked up"),
    ])
}

/// What the program opens (seen with strace, and read in the source) and what it must never: access and path.
const NEEDED: [(char, &str); 25] = [
    ('w', "/data/ledger.json.new"),
    ('r', "/data/options.json"),
    ('w', "/data/images/unfinished-haos_rpi4-64-18.2.img.xz"),
    ('r', "/data/"),
    ('r', "/backup/"),
    ('r', "/backup/0a1b2c3d.tar"),
    ('r', "/sys/block/"),
    ('r', "/sys/dev/block/"),
    ('r', "/sys/devices/platform/scb/fd500000.pcie/usb2/2-1/host0/block/sda/queue/logical_block_size"),
    ('r', "/sys/devices/virtual/block/zram0/slaves/"),
    ('r', "/proc/712/mountinfo"),
    ('r', "/proc/712/mounts"),
    ('r', "/proc/swaps"),
    ('r', "/proc/meminfo"),
    ('r', "/sys/fs/cgroup/memory.max"),
    ('r', "/sys/fs/cgroup/cpu.max"),
    ('r', "/etc/resolv.conf"),
    ('r', "/etc/hosts"),
    ('m', "/lib/ld-musl-aarch64.so.1"),
    ('m', "/usr/lib/libext2fs.so.2.4"),
    ('m', "/lib/x86_64-linux-gnu/libc.so.6"),
    ('m', "/usr/bin/sd-swap"),
    ('w', "/dev/null"),
    ('k', "/dev/sda"),
    ('r', "/memfd:sd-swap (deleted)"),
];
const REFUSED: [(char, &str); 20] = [
    ('r', "/etc/shadow"),
    ('w', "/etc/hosts"),
    ('w', "/backup/0a1b2c3d.tar"),
    ('w', "/dev/sda1"),
    ('r', "/dev/sda1"),
    ('r', "/dev/sdi"),
    ('r', "/dev/mmcblk0"),
    ('w', "/dev/mmcblk0p8"),
    ('w', "/dev/nvme0n1"),
    ('r', "/dev/mem"),
    ('x', "/bin/sh"),
    ('x', "/bin/busybox"),
    ('x', "/usr/bin/bash"),
    ('x', "/usr/bin/sd-swap"),
    ('x', "/data/program"),
    ('m', "/data/library.so"),
    ('w', "/sys/block/sda/device/delete"),
    ('w', "/proc/sysrq-trigger"),
    ('r', "/config/secrets.yaml"),
    ('r', "/run/s6/container_environment/SUPERVISOR_TOKEN"),
];
/// The start of the base image sees none of what the program works on.
const NOT_AT_START: [(char, &str); 6] = [
    ('r', "/dev/sda"),
    ('w', "/dev/sdb"),
    ('r', "/data/options.json"),
    ('r', "/backup/0a1b2c3d.tar"),
    ('w', "/usr/bin/sd-swap"),
    ('w', "/etc/passwd"),
];
const AT_START: [(char, &str); 7] = [
    ('x', "/init"),
    ('x', "/bin/sh"),
    ('x', "/command/with-contenv"),
    ('x', "/package/admin/s6-overlay/libexec/preinit"),
    ('x', "/run/service/sd-swap/run"),
    ('w', "/run/s6-linux-init-container-results/exitcode"),
    ('x', "/usr/bin/sd-swap"),
];

/// What is needed is allowed, what must never be is not.
pub fn paths(tree: &Tree) -> Vec<String> {
    let profile = Profile::of(tree);
    let mut wrong = Vec::new();
    let mut hold = |fine: bool, what: &str, (access, path): (char, &str)| {
        wrong.extend((!fine).then(|| format!("{what}: {access} {path}")));
    };
    NEEDED.into_iter().for_each(|case| hold(profile.program_may(case.0, case.1), "the program may not", case));
    REFUSED.into_iter().for_each(|case| hold(!profile.program_may(case.0, case.1), "the program may", case));
    AT_START.into_iter().for_each(|case| hold(profile.start_may(case.0, case.1), "the start may not", case));
    NOT_AT_START.into_iter().for_each(|case| hold(!profile.start_may(case.0, case.1), "the start may", case));
    let config = tree.yaml("config.yaml");
    for device in config["devices"].as_array().into_iter().flatten().filter_map(|device| device.as_str()) {
        let fine = ['r', 'w', 'k'].into_iter().all(|access| profile.program_may(access, device));
        hold(fine, "given by the Supervisor, refused by the profile", ('w', device));
    }
    wrong
}

/// Each folder that the settings name by default can be used as the program uses it.
pub fn folders(tree: &Tree) -> Vec<String> {
    let (profile, settings) = (Profile::of(tree), tree.text("src/config.rs"));
    let default = |name: &str| {
        let rest = settings.split(&format!("\"{name}\", \"")).nth(1).unwrap_or_default();
        rest.split('"').next().unwrap_or_default().to_owned()
    };
    let (data, backup) = (default("SD_SWAP_DATA"), default("SD_SWAP_BACKUP"));
    let rules = [
        (profile.program_may('w', &format!("{data}/ledger.json")), format!("{data} cannot be written")),
        (profile.program_may('r', &format!("{backup}/x.tar")), format!("{backup} cannot be read")),
    ];
    complaints(rules)
}
