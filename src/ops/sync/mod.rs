//! Lane 2: the files to the host. Afterwards a second look finds nothing to copy, or the lane has failed.

pub mod changes;
pub mod guard;
mod stage;

pub use stage::Parcel;

use super::bench::{Bench, Reach};
use super::outcome::{Ended, Finish, Kind, Problem};
use super::remote::Remote;
use super::remote::files::{Files, Look};
use super::token::Token;
use changes::Change;

pub fn sync(bench: &mut Bench<'_>, remote: &mut Remote) -> Ended {
    bench.lane("sync", Reach::Host, |bench| work(bench, remote))
}

fn work(bench: &mut Bench<'_>, remote: &mut Remote) -> Ended {
    let parcel = Parcel::pack(bench)?;
    bench.tree(&parcel.digest);
    bench.note("tree", format!("{}, {} files", parcel.digest, parcel.count));
    if remote.is_ssh() {
        remote.greet(bench)?;
    }
    let files = remote.files(bench)?;
    let before = files.look(bench)?;
    guard(bench, &files, &before)?;
    let changes = parcel.compare(bench, &files)?;
    if changes.is_empty() {
        return arrived(bench, &files, before, Finish::Unchanged);
    }
    may_change(bench, &files, &before, &changes)?;
    has_room(&files, &before, parcel.room(&changes))?;
    let ours = before.seen.slug.as_deref() == Some(&bench.app.slug);
    match ours {
        true if !before.kept => files.keep(bench)?,
        true => {}
        false => files.begin(bench)?,
    }
    parcel.send(bench, &files)?;
    if bench.asked.dry_run {
        return Ok(Finish::Done);
    }
    if !ours {
        files.ended(bench)?;
    }
    let rest = parcel.compare(bench, &files)?;
    if !rest.is_empty() {
        return Err(not_equal(&files, &rest));
    }
    let after = files.look(bench)?;
    arrived(bench, &files, after, Finish::Done)
}

fn guard(bench: &Bench<'_>, files: &Files, look: &Look) -> Result<(), Problem> {
    match guard::refuses(&files.path(), &look.seen, &bench.app.slug) {
        None => Ok(()),
        Some(why) => {
            let todo = format!("Nothing was changed. Look at OPS_PATH: it is the folder of {} alone.", bench.app.slug);
            Err(Problem::new(Kind::SaidNo, format!("{} is not written to", files.shown()), why, todo))
        }
    }
}

/// Shows what changes; asks where much would go.
fn may_change(bench: &mut Bench<'_>, files: &Files, look: &Look, changes: &[Change]) -> Result<(), Problem> {
    for change in changes {
        bench.say(&format!("  {}", change.line));
    }
    if !look.writable {
        let why = format!("it belongs to {}, and you are {} there", look.owner, look.user);
        let todo = "Log in as a user who may write (the SSH app's option `username: root`), or give that user the folder; \
                    a share has to be mounted for writing.";
        return Err(Problem::new(Kind::Refused, format!("{} may not be written", files.shown()), why, todo));
    }
    // Folders are named, too, and counted with the files: rather one question too many.
    let deleted = changes.iter().filter(|change| change.deletes && !change.path.ends_with('/')).count();
    if guard::is_much(deleted, look.files) {
        let question = format!("{deleted} of {} files in {} would be deleted.", look.files, files.shown());
        bench.confirm(&question)?;
    }
    Ok(())
}

/// Said before: rsync may find no words for it.
fn has_room(files: &Files, look: &Look, needed: u64) -> Result<(), Problem> {
    match look.free {
        Some(free) if free < needed => {
            let what = format!("{}: no room is left", files.shown());
            let why = format!("{} KiB are needed, {} KiB are free", needed.div_ceil(1024), free / 1024);
            Err(Problem::new(Kind::Refused, what, why, "Make room there. Nothing was changed."))
        }
        _ => Ok(()),
    }
}

fn not_equal(files: &Files, rest: &[Change]) -> Problem {
    let some: Vec<&str> = rest.iter().take(10).map(|change| change.line.as_str()).collect();
    let what = format!("{} is not what was sent: {} differences", files.shown(), rest.len());
    Problem::new(Kind::Refused, what, some.join("\n"), "Does somebody else write there? Run it again.")
}

fn arrived(bench: &mut Bench<'_>, files: &Files, look: Look, finish: Finish) -> Ended {
    if look.version.as_deref() != Some(&bench.app.version) {
        let theirs = look.version.unwrap_or_else(|| "none".into());
        let what = format!("{} has version {theirs}, not {}", files.shown(), bench.app.version);
        return Err(Problem::new(
            Kind::Refused,
            what,
            "it was copied, and is not there",
            "Does somebody else write there?",
        ));
    }
    bench.token(Token::CleanRuntimeOk)?;
    Ok(finish)
}
