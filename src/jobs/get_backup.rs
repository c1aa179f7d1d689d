//! The stage *backup*: from a choice to a tar on this machine that is known to restore (BK-1 … BK-7).

use std::path::PathBuf;

use crate::disk::Work;
use crate::domain::backup::BackupSlug;
use crate::domain::causes::chain;
use crate::domain::job::BackupChoice;
use crate::domain::job::Warning;
use crate::domain::problem::Problem;
use crate::domain::size::Bytes;
use crate::domain::stage::Stage;
use crate::supervisor::{ArchiveError, BackupError, Depth, MadeBackup, check_file, find_tar};
use crate::texts::Phrase;

use super::clock;
use super::make_card::LocalBackup;
use super::run::Run;
use super::thread::on_thread;
use super::trouble::Trouble;
use super::world::World;

pub async fn get_backup(run: &Run, world: &World, choice: &BackupChoice, work: &Work) -> Result<LocalBackup, Trouble> {
    match choice {
        BackupChoice::New => {
            let made = make(run, world, work).await?;
            run.note(Stage::Backup, Phrase::of("note-checking-new-backup"));
            check(made.path, Some((made.listed.facts.slug, made.listed.size)), work).await
        }
        BackupChoice::Existing { slug, .. } => {
            let path = find(world, slug.clone()).await?;
            run.note(Stage::Backup, Phrase::of("note-checking-chosen-backup"));
            check(path, None, work).await
        }
        BackupChoice::File(path) => {
            run.note(Stage::Backup, Phrase::of("note-checking-backup-file"));
            check(path.clone(), None, work).await
        }
        // Its stage is skipped.
        BackupChoice::None => Err(Trouble::stopped()),
    }
}

/// Asks for a new backup and follows it. One that runs cannot be stopped: it is told, and left to end (JB-3).
async fn make(run: &Run, world: &World, work: &Work) -> Result<MadeBackup, Trouble> {
    let no_supervisor = || Trouble::plain(Problem::SupervisorSilent { said: Phrase::of("why-no-supervisor") });
    let supervisor = world.supervisor.as_ref().ok_or_else(no_supervisor)?;
    let expected = Some(run.expected_backup()).filter(|bytes| bytes.0 > 0);
    let report = |progress: crate::supervisor::BackupProgress| {
        work.meter.set_done(progress.bytes.0);
        run.note(Stage::Backup, progress.phrase());
    };
    let made = supervisor.full_backup(&clock::today(), &world.backup_dir, expected, &work.stop, report).await;
    let made = made.map_err(|error| trouble(run, error))?;
    for warning in &made.warnings {
        run.warn(warning.clone());
    }
    if !made.followed_to_end {
        run.warn(Warning::new("backup_unseen", &[]));
    }
    Ok(made)
}

fn trouble(run: &Run, error: BackupError) -> Trouble {
    if let BackupError::Stopped { slug } = &error {
        if slug.is_some() {
            run.warn(Warning::new("backup_continues", &[]));
        }
        return Trouble::stopped();
    }
    Trouble::new(error.problem(), &error)
}

async fn find(world: &World, slug: BackupSlug) -> Result<PathBuf, Trouble> {
    let dir = world.backup_dir.clone();
    let found = on_thread("find-backup", move || find_tar(&dir, &slug)).await?;
    found.ok_or_else(|| Trouble::plain(Problem::BackupUnusable { why: Phrase::of("why-no-file") }))
}

/// Reads it to its end, inside and out, and takes its hash (BK-6, BK-7).
async fn check(path: PathBuf, wanted: Option<(BackupSlug, Bytes)>, work: &Work) -> Result<LocalBackup, Trouble> {
    let work = work.clone();
    work.meter.set_done(0);
    let checked = on_thread("check-backup", move || {
        let wanted = wanted.as_ref().map(|(slug, size)| (slug, *size));
        let checked = check_file(&path, wanted, Depth::Inner, &work.meter, &work.stop)?;
        Ok(LocalBackup { path, checked })
    });
    checked.await?.map_err(|error| match error {
        ArchiveError::Stopped => Trouble::stopped(),
        error => {
            let why = Phrase::foreign(chain(&error));
            Trouble::new(Problem::BackupUnusable { why }, &error)
        }
    })
}
