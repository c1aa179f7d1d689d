//! The known troubles, one function each.

use crate::ops::rebuild::{Now, ended_well, tail};
use crate::ops::remote::files::Look;
use crate::ops::sync::guard::Kind;

#[derive(Debug, Clone, Default)]
pub struct Facts {
    pub slug: String,
    /// Of the tree.
    pub version: String,
    /// The app's folder on the host.
    pub place: String,
    pub look: Look,
    pub now: Now,
    pub app_log: String,
    pub supervisor_log: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub case: &'static str,
    pub fact: String,
    pub cause: String,
    pub todo: String,
}

fn finding(case: &'static str, fact: impl Into<String>, cause: impl Into<String>, todo: impl Into<String>) -> Finding {
    Finding { case, fact: fact.into(), cause: cause.into(), todo: todo.into() }
}

/// All that fit, the likeliest root first.
pub fn find(facts: &Facts) -> Vec<Finding> {
    let troubles = [
        permission,
        not_in_store,
        several_folders,
        pulls,
        build_failed,
        not_installed,
        old_version,
        no_program,
        not_up,
    ];
    troubles.iter().filter_map(|trouble| trouble(facts)).collect()
}

fn permission(facts: &Facts) -> Option<Finding> {
    let Look { writable, user, owner, seen, .. } = &facts.look;
    let there = seen.kind == Kind::Folder || seen.parent;
    (there && !writable).then(|| {
        finding(
            "permission",
            format!("{} may not be written by {user}", facts.place),
            format!("it belongs to {owner}, or is mounted for reading only"),
            "Log in as a user who may write (the SSH app's option `username: root`), or give that user the folder; mount a \
             share for writing.",
        )
    })
}

fn not_in_store(facts: &Facts) -> Option<Finding> {
    if facts.now.latest.is_some() || facts.now.installed.is_some() {
        return None;
    }
    let (cause, todo) = match (&facts.look.seen.kind, &facts.look.seen.slug) {
        (Kind::Missing, _) => ("its folder is not there".to_string(), "Run `ops sync`.".to_string()),
        (_, None) => ("its folder holds no readable config.yaml".into(), "Run `ops check`, then `ops sync`.".into()),
        (_, Some(theirs)) if *theirs != facts.slug => {
            (format!("its folder holds the slug {theirs}"), "Look at OPS_PATH and at the app's slug.".into())
        }
        _ => {
            let said = about(
                &facts.supervisor_log,
                &["Can't read", "Invalid", "invalid", "Missing", "Failed to"],
                &facts.slug,
            );
            let why =
                said.unwrap_or_else(|| "the store has not read its folders since, or refuses the configuration".into());
            (why, "Run `ops check`; then `ops rebuild`, which lets the store read its folders.".into())
        }
    };
    Some(finding(
        "not in the store",
        format!("the store has no local_{}: {}", facts.slug, facts.now.refusal),
        cause,
        todo,
    ))
}

fn several_folders(facts: &Facts) -> Option<Finding> {
    (facts.look.twins.len() > 1).then(|| {
        finding(
            "several folders",
            format!("{} have the slug {}", facts.look.twins.join(", "), facts.slug),
            "the Supervisor takes any one of them",
            "Remove all but one.",
        )
    })
}

fn pulls(facts: &Facts) -> Option<Finding> {
    let pulls = facts.look.image || (facts.now.latest.is_some() && !facts.now.builds);
    pulls.then(|| {
        finding(
            "tries to pull",
            "the Supervisor wants to pull an image instead of building",
            "`image:` stands in its config.yaml; a `build:` there means nothing",
            "Take `image:` out of the tree (`ops check --mode local` finds it), then `ops sync` and `ops rebuild`.",
        )
    })
}

fn build_failed(facts: &Facts) -> Option<Finding> {
    let full = format!("local_{}", facts.slug);
    let failed = ended_well(&facts.supervisor_log, &full) == Some(false)
        || facts.supervisor_log.lines().any(|line| line.contains("Docker build failed") && line.contains(&facts.slug))
            && ended_well(&facts.supervisor_log, &full) != Some(true);
    failed.then(|| {
        let output = tail(&facts.supervisor_log);
        let line = output.lines().rev().find(|line| line.contains("ERROR")).unwrap_or("the end of the log says more");
        finding(
            "build fails",
            line,
            "a step of its Dockerfile failed on the host; it needs the internet, and packages that its base has",
            "Mend the Dockerfile (`docker build` here shows it faster), then `ops deploy`.",
        )
    })
}

fn not_installed(facts: &Facts) -> Option<Finding> {
    let latest = facts.now.latest.as_ref().filter(|_| facts.now.installed.is_none())?;
    Some(finding(
        "not installed",
        format!("the store has version {latest}, and offers Install instead of Start"),
        "it was never installed, or its slug changed, which makes it another app",
        "Run `ops rebuild`, which installs what is not.",
    ))
}

fn old_version(facts: &Facts) -> Option<Finding> {
    let Facts { version, look, now, .. } = facts;
    let installed = now.installed.as_ref()?;
    if installed == version {
        return None;
    }
    let there = look.version.clone().unwrap_or_else(|| "none".into());
    let latest = now.latest.clone().unwrap_or_else(|| "none".into());
    let (cause, todo) = if there != *version {
        (format!("the folder on the host has version {there}"), "Run `ops sync`.")
    } else if latest != *version {
        (format!("the store still shows {latest}: it has not read its folders"), "Run `ops rebuild`.")
    } else {
        (
            "a rebuild never changes the version: that is an update".to_string(),
            "Run `ops rebuild`, which chooses by itself.",
        )
    };
    Some(finding("version not updating", format!("version {installed} is installed, not {version}"), cause, todo))
}

/// Lines of the log that say that the start script or its program is not there, or cannot be run.
const NO_PROGRAM: [&str; 6] = [
    "No such file or directory",
    "not found",
    "unable to exec",
    "Exec format error",
    "bad interpreter",
    "Permission denied",
];

fn no_program(facts: &Facts) -> Option<Finding> {
    let line = facts.app_log.lines().rev().find(|line| {
        let script = ["run", "exec", "/init", "s6", ".sh", "env:"].iter().any(|word| line.contains(word));
        script && NO_PROGRAM.iter().any(|words| line.contains(words))
    })?;
    Some(finding(
        "start script missing",
        line.trim(),
        "the script or its interpreter is not in the image, is not executable, has CR line ends, or is of another processor",
        "Run `ops check`; look at what COPY takes (`.dockerignore`, `.opsignore`), then `ops deploy`.",
    ))
}

fn not_up(facts: &Facts) -> Option<Finding> {
    let bad = ["error", "stopped", "unknown"].contains(&facts.now.state.as_str());
    bad.then(|| {
        let last = facts.app_log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("its log is empty");
        let cause = if facts.now.state == "stopped" {
            "it was never started, or stopped"
        } else {
            "its program ended; a restart starts the same image again and fixes nothing in it"
        };
        finding(
            "restart fails",
            format!("its state is {}; the last line of its log: {}", facts.now.state, last.trim()),
            cause,
            "Read its log; then `ops deploy` brings a new build, `ops rebuild` starts it.",
        )
    })
}

/// The last line of the log with one of the words and the app's slug.
fn about(log: &str, words: &[&str], slug: &str) -> Option<String> {
    let line = log.lines().rev().find(|line| line.contains(slug) && words.iter().any(|word| line.contains(word)))?;
    Some(format!("its log says: {}", line.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::sync::guard::Seen;

    fn fine() -> Facts {
        let seen = Seen { kind: Kind::Folder, parent: true, entries: 3, slug: Some("x".into()), begun: false };
        let look = Look {
            seen,
            writable: true,
            version: Some("2".into()),
            twins: vec!["/addons/x".into()],
            ..Look::default()
        };
        let now = Now {
            known: true,
            installed: Some("2".into()),
            latest: Some("2".into()),
            state: "started".into(),
            builds: true,
            ..Now::default()
        };
        Facts { slug: "x".into(), version: "2".into(), place: "/addons/x".into(), look, now, ..Facts::default() }
    }

    fn cases(change: impl FnOnce(&mut Facts)) -> Vec<&'static str> {
        let mut facts = fine();
        change(&mut facts);
        find(&facts).iter().map(|one| one.case).collect()
    }

    #[test]
    fn each_trouble_by_itself() {
        assert!(find(&fine()).is_empty());
        assert_eq!(cases(|f| f.look.writable = false), ["permission"]);
        assert_eq!(cases(|f| f.now = Now::default()), ["not in the store"]);
        assert_eq!(cases(|f| f.look.twins.push("/addons/y".into())), ["several folders"]);
        assert_eq!(cases(|f| f.look.image = true), ["tries to pull"]);
        assert_eq!(cases(|f| f.now.builds = false), ["tries to pull"]);
        assert_eq!(cases(|f| f.supervisor_log = "Docker build failed for local/x:2\nERROR: a".into()), ["build fails"]);
        assert_eq!(cases(|f| f.now.installed = None), ["not installed"]);
        assert_eq!(cases(|f| f.now.installed = Some("1".into())), ["version not updating"]);
        let log = "s6-rc: run: unable to exec /run.sh: No such file or directory";
        assert_eq!(cases(|f| f.app_log = log.into()), ["start script missing"]);
        assert_eq!(cases(|f| f.now.state = "error".into()), ["restart fails"]);
    }

    #[test]
    fn a_build_that_was_mended_is_no_trouble() {
        let log = "Docker build failed for local/x:2\nERROR: a\nApp 'local_x' successfully rebuilt\n";
        assert!(cases(|f| f.supervisor_log = log.into()).is_empty());
    }

    #[test]
    fn why_a_version_stays_old() {
        let cause = |change: fn(&mut Facts)| {
            let mut facts = fine();
            facts.now.installed = Some("1".into());
            change(&mut facts);
            old_version(&facts).unwrap().cause
        };
        assert!(cause(|f| f.look.version = Some("1".into())).contains("folder"));
        assert!(cause(|f| f.now.latest = Some("1".into())).contains("store"));
        assert!(cause(|_| ()).contains("rebuild"));
    }
}
