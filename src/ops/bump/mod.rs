//! The version, raised wherever it stands: all of it or none of it, every other byte as it was.

mod edit;

use std::fs;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::app::App;
use super::bench::{Bench, Reach};
use super::git::{self, Git};
use super::outcome::{Ended, Finish, Kind, Problem};
use super::program::Call;
use super::version::{Raise, Version};
use super::whole::replace;

/// A file and what it is to hold.
struct Edit {
    path: PathBuf,
    old: String,
    new: String,
}

/// The trailer of a bump's commit.
pub const TRAILER: &str = "Version-Raised-To";

pub fn run(bench: &mut Bench<'_>, to: &str, commit: bool) -> Ended {
    bench.lane("bump", Reach::Here, |bench| {
        let next = next(bench, to)?;
        if next.to_string() == bench.app.version {
            bench.note("version", format!("{next} already"));
            return Ok(Finish::Unchanged);
        }
        refuse_a_tag(bench, &next)?;
        let edits = edits(bench, &next)?;
        let verb = if bench.asked.dry_run { "would say" } else { "says" };
        for edit in &edits {
            let shown = edit.path.strip_prefix(&bench.app.project).unwrap_or(&edit.path).display().to_string();
            bench.note(&shown, format!("{verb} {next} instead of {}", bench.app.version));
            changed(&edit.old, &edit.new).iter().for_each(|line| bench.say(line));
        }
        if bench.asked.dry_run {
            return Ok(Finish::Done);
        }
        write_all(&edits)?;
        bench.app_changed(App::read(&bench.app.folder)?);
        if commit {
            record(bench, &next, &edits)?;
        }
        Ok(Finish::Done)
    })
}

/// What `to` comes to; refused where it is lower than what is there.
fn next(bench: &Bench<'_>, to: &str) -> Result<Version, Problem> {
    let usage = |why: String| Problem::usage(format!("{to:?} is no next version"), why, "");
    let raise: Raise = to.parse().map_err(usage)?;
    let now: Version = bench.app.version.parse().map_err(usage)?;
    let next = now.raised(&raise, OffsetDateTime::now_utc()).map_err(usage)?;
    if next < now {
        let why = format!("{next} is lower than {now}, and Home Assistant offers no update to a lower one");
        return Err(Problem::new(Kind::SaidNo, "the version would go back", why, ""));
    }
    Ok(next)
}

fn refuse_a_tag(bench: &mut Bench<'_>, next: &Version) -> Result<(), Problem> {
    let Some(git) = Git::of(&bench.app.project) else { return Ok(()) };
    let tag = git::tag_name(bench, &next.to_string());
    match git.object(bench, &format!("refs/tags/{tag}"))? {
        None => Ok(()),
        Some(_) => {
            let todo = "Choose a higher one: what was published under a tag stays what it is.";
            Err(Problem::new(Kind::SaidNo, format!("{next} cannot be next"), format!("the tag {tag} exists"), todo))
        }
    }
}

/// Configuration, Dockerfile, changelog, and the files of `[bump] files`.
fn edits(bench: &Bench<'_>, next: &Version) -> Result<Vec<Edit>, Problem> {
    let (app, new) = (&bench.app, next.to_string());
    let old = app.version.as_str();
    let today = OffsetDateTime::now_utc().date().to_string();
    let mut edits = Vec::new();
    let mut add = |path: PathBuf, edit: &dyn Fn(&str) -> Option<String>, needed: bool| -> Result<(), Problem> {
        let wrong = |why: String| Problem::usage(format!("{} cannot be changed", path.display()), why, "");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(_) if !needed => return Ok(()),
            Err(error) => return Err(wrong(error.to_string())),
        };
        match edit(&text) {
            Some(changed) if changed != text => edits.push(Edit { path, old: text, new: changed }),
            None if needed => return Err(wrong(format!("it does not say {old} where a version stands"))),
            _ => {}
        }
        Ok(())
    };
    add(app.folder.join(app.file), &|text| edit::first_version(text, old, &new), true)?;
    add(app.folder.join("Dockerfile"), &|text| edit::dockerfile(text, old, &new), false)?;
    add(app.folder.join("CHANGELOG.md"), &|text| edit::changelog(text, old, &new, &today), false)?;
    for file in &bench.project.bump.files {
        let path = app.project.join(file);
        let package = fs::read_to_string(path.with_file_name("Cargo.toml")).ok().and_then(|text| edit::package(&text));
        let lock = Path::new(file).file_name().is_some_and(|name| name == "Cargo.lock");
        match package.filter(|_| lock) {
            Some(package) => add(path, &|text| edit::lock(text, &package, old, &new), true)?,
            None => add(path, &|text| edit::first_version(text, old, &new), true)?,
        }
    }
    Ok(edits)
}

/// The lines that differ, as a diff shows them.
fn changed(old: &str, new: &str) -> Vec<String> {
    let (before, after): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let gone = before.iter().filter(|line| !after.contains(line)).map(|line| format!("  - {line}"));
    let come = after.iter().filter(|line| !before.contains(line)).map(|line| format!("  + {line}"));
    gone.chain(come).collect()
}

/// Each file whole or not at all; where one cannot be written, those before it get back what they held.
fn write_all(edits: &[Edit]) -> Result<(), Problem> {
    for (n, edit) in edits.iter().enumerate() {
        if let Err(error) = replace(&edit.path, edit.new.as_bytes()) {
            for done in edits.iter().take(n) {
                let _ = replace(&done.path, done.old.as_bytes());
            }
            let what = format!("{} cannot be written", edit.path.display());
            return Err(Problem::usage(what, error.to_string(), "Nothing was changed."));
        }
    }
    Ok(())
}

/// A commit of these files and no others.
fn record(bench: &mut Bench<'_>, next: &Version, edits: &[Edit]) -> Result<(), Problem> {
    let Some(git) = Git::of(&bench.app.project) else {
        return Err(Problem::usage(
            "nothing was committed",
            "the project is in no git repository",
            "Leave out --commit.",
        ));
    };
    let message = format!("Version {next}\n\n{TRAILER}: {next}\n");
    let paths = edits.iter().map(|edit| edit.path.clone().into_os_string());
    let words =
        ["commit", "--quiet", "--no-verify", "--file=-", "--only", "--"].map(Into::into).into_iter().chain(paths);
    let call: Call = git.write("commit the version", words).input(message);
    let ran = bench.run(&call)?;
    if ran.ok() {
        Ok(())
    } else {
        Err(Problem::usage("the version is not committed", ran.said(5), "Commit it yourself."))
    }
}
