//! `Dockerfile`, `rootfs/`, pictures, versions, texts, workflow: what has to fit together.

use serde_json::Value;

use super::profile::Profile;
use super::tree::{Tree, complaints};

/// Where the image keeps the program.
const PROGRAM: &str = "/usr/bin/sd-swap";
const SERVICE: &str = "rootfs/etc/s6-overlay/s6-rc.d/sd-swap";

/// Which of the base image's packages a tool is in.
const PACKAGES: [(&str, &str); 3] =
    [("e2fsck", "e2fsprogs"), ("resize2fs", "e2fsprogs-extra"), ("debugfs", "e2fsprogs-extra")];

/// The programs that the code runs: the answers of `ToolCall::tool`.
fn tools(tree: &Tree) -> Vec<String> {
    let source = tree.text("src/host/mod.rs");
    let body =
        source.split("pub const fn tool").nth(1).and_then(|rest| rest.split("\n    }\n").next()).unwrap_or_default();
    let answers = body.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next());
    answers.map(str::to_owned).collect()
}

/// Every tool that the code runs is in the image, where the code looks, and may be run; nothing else may.
pub fn every_tool(tree: &Tree) -> Vec<String> {
    let (profile, docker) = (Profile::of(tree), tree.text("Dockerfile"));
    let installs = docker.lines().filter(|line| line.contains("apk add")).collect::<Vec<_>>();
    let mut wrong = Vec::new();
    let tools = tools(tree);
    if tools.len() < 3 {
        wrong.push(format!("the tools are no longer found in the source: {tools:?}"));
    }
    for tool in &tools {
        let package = PACKAGES.iter().find(|(name, _)| name == tool).map(|(_, package)| *package);
        let installed = |line: &&str| line.split(' ').any(|word| Some(word) == package);
        if !installs.iter().any(installed) {
            wrong.push(format!("{tool} is not in the image"));
        }
        let places = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
        if !places.iter().all(|place| profile.program_may('x', &format!("{place}/{tool}"))) {
            wrong.push(format!("{tool} may not be run"));
        }
    }
    let may_run = profile.inner.iter().filter(|rule| rule.starts_with('/')).filter_map(|rule| rule.split_once(' '));
    let programs = may_run.filter(|(_, rights)| rights.contains('x')).filter_map(|(path, _)| path.rsplit('/').next());
    wrong.extend(
        programs.filter(|name| !tools.iter().any(|tool| tool == name)).map(|name| format!("{name} is not used")),
    );
    wrong
}

/// The few things that go wrong in a Dockerfile without an error.
pub fn dockerfile(tree: &Tree) -> Vec<String> {
    let text = tree.text("Dockerfile");
    let lines: Vec<&str> = text.lines().collect();
    let starts = |word: &str| lines.iter().filter(|line| line.starts_with(word)).copied().collect::<Vec<_>>();
    let base = |line: &&str| {
        let image = line.split(' ').nth(1).unwrap_or_default();
        image
            .strip_prefix("ghcr.io/home-assistant/base:")
            .is_some_and(|tag| tag.starts_with(|c: char| c.is_ascii_digit()))
    };
    let sources =
        starts("COPY").into_iter().filter(|line| !line.contains("--from=")).filter_map(|line| line.split(' ').nth(1));
    let missing: Vec<&str> = sources.filter(|source| *source != "." && !tree.has(source)).collect();
    let labels = ["io.hass.type=\"app\"", "io.hass.version=\"${BUILD_VERSION}\"", "io.hass.arch=\"${BUILD_ARCH}\""];
    let unset: Vec<&str> = labels.into_iter().filter(|label| !text.contains(label)).collect();
    let own_start: Vec<&str> = ["CMD", "ENTRYPOINT", "USER", "EXPOSE", "ADD"].into_iter().flat_map(&starts).collect();
    let hidden: Vec<String> =
        tree.text(".dockerignore").lines().map(|line| line.trim_matches('/').to_owned()).collect();
    let wanted = ["rootfs", "src", "templates", "static", "dist", "Cargo.toml", "Cargo.lock"];
    let hidden: Vec<&str> = wanted.into_iter().filter(|name| hidden.iter().any(|line| line == name)).collect();
    complaints([
        (
            !starts("FROM").is_empty() && starts("FROM").iter().all(base),
            "a stage is not on a pinned base image".to_owned(),
        ),
        (missing.is_empty(), format!("copied, but not there: {missing:?}")),
        (unset.is_empty(), format!("labels: {unset:?}")),
        (own_start.is_empty(), format!("the base image's start is s6; {own_start:?}")),
        (hidden.is_empty(), format!(".dockerignore hides {hidden:?}")),
        (text.contains("dist/${arch}/sd-swap") && text.contains(&format!("/out{PROGRAM}")), "dist/ is not used".into()),
        (
            text.contains("--no-default-features") && !text.contains("--features"),
            "the demo or the developers' lanes would be in the app".into(),
        ),
        (!text.contains("apk upgrade") && !text.contains("sudo"), "upgrades belong into the base image".into()),
    ])
}

/// The service is one that s6 starts, and it starts the program that the image holds and the profile lets through.
pub fn service(tree: &Tree) -> Vec<String> {
    let mut wrong = complaints([
        (tree.text(&format!("{SERVICE}/type")).trim() == "longrun", "the service is no longrun".to_owned()),
        (tree.has("rootfs/etc/s6-overlay/s6-rc.d/user/contents.d/sd-swap"), "the service is not in the bundle".into()),
        (tree.has(&format!("{SERVICE}/dependencies.d/base")), "the service does not wait for the base".into()),
        (
            tree.text(&format!("{SERVICE}/run")).contains(&format!("\n{PROGRAM} serve\n")),
            "run starts another program".into(),
        ),
        (tree.text(&format!("{SERVICE}/run")).contains("\nwith-contenv\n"), "run does not pass the token".into()),
        (
            tree.text("apparmor.txt").contains(&format!("{PROGRAM} cx -> app,")),
            "the program stays in the outer profile".into(),
        ),
    ]);
    for script in ["run", "finish"] {
        let path = format!("{SERVICE}/{script}");
        let text = tree.text(&path);
        wrong.extend(complaints([
            (tree.0.get(&path).is_some_and(|entry| entry.executable), format!("{script} is not executable")),
            (text.starts_with("#!/command/execlineb -"), format!("{script} is not run by execlineb")),
            (!text.contains('\r') && text.ends_with('\n'), format!("{script} has line ends that are not Unix'")),
        ]));
    }
    wrong
}

/// One number in three places.
pub fn versions(tree: &Tree) -> Vec<String> {
    let cargo = tree.text("Cargo.toml");
    let cargo = cargo.lines().find_map(|line| line.strip_prefix("version = ")).unwrap_or_default().trim_matches('"');
    let config = tree.yaml("config.yaml")["version"].as_str().unwrap_or_default().to_owned();
    let news = tree.text("CHANGELOG.md");
    let news = news.lines().find_map(|line| line.strip_prefix("## ")).unwrap_or_default();
    complaints([
        (!cargo.is_empty() && config == cargo, format!("config.yaml says {config}, Cargo.toml {cargo}")),
        (news == cargo, format!("the newest entry of CHANGELOG.md is {news}, Cargo.toml says {cargo}")),
    ])
}

/// A PNG's width and height stand at fixed places.
pub fn pictures(tree: &Tree) -> Vec<String> {
    let size = |path: &str| {
        let number = |at: usize| Some(u32::from_be_bytes(tree.bytes(path).get(at..at + 4)?.try_into().ok()?));
        tree.bytes(path).starts_with(b"\x89PNG\r\n\x1a\n").then(|| (number(16), number(20)))
    };
    let wanted = [("icon.png", (Some(128), Some(128))), ("logo.png", (Some(250), Some(100)))];
    complaints(wanted.map(|(path, wanted)| (size(path) == Some(wanted), format!("{path}: {:?}", size(path)))))
}

/// Whoever looks for a title from the page finds it in the documentation.
pub fn documentation(tree: &Tree) -> Vec<String> {
    let (docs, problems) = (tree.text("DOCS.md"), tree.text("src/texts/en/problems.ftl"));
    let title = |line: &str| Some(line.split_once("-title = ")?.1.to_owned());
    let missing = problems.lines().filter_map(title).filter(|title| !docs.contains(&format!("| {title} |")));
    missing.map(|title| format!("DOCS.md does not explain “{title}”")).collect()
}

/// What is published is what is installed: architectures, and where from.
pub fn publishing(tree: &Tree) -> Vec<String> {
    let (flow, dist) = (tree.yaml(".github/workflows/build.yaml"), tree.text("scripts/dist"));
    let config = tree.yaml("config.yaml");
    let arches = config["arch"].as_array().cloned().unwrap_or_default();
    let built = flow["jobs"]["image"]["strategy"]["matrix"]["include"].as_array().cloned().unwrap_or_default();
    let published = |arch: &Value| built.iter().any(|one| one["arch"] == *arch);
    let known = |arch: &Value| arch.as_str().is_some_and(|arch| dist.contains(arch));
    let image = config["url"].as_str().unwrap_or_default().replace("https://github.com/", "ghcr.io/");
    complaints([
        (arches.iter().all(published), "not every architecture is published".to_owned()),
        (arches.iter().all(known), "make dist does not know every architecture".into()),
        (flow["env"]["IMAGE"] == image, format!("the image is not published as {image}")),
        (
            dist.contains("--no-default-features") && !dist.contains("--features"),
            "make dist builds the demo or the developers' lanes in".into(),
        ),
        (tree.text("Makefile").contains("\ndist:\n\t@scripts/dist\n"), "there is no make dist".into()),
        (tree.0.get("scripts/dist").is_some_and(|entry| entry.executable), "scripts/dist is not executable".into()),
    ])
}
