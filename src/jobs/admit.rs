//! Admission: everything that speaks against a job, collected before anything happens (PF-1 … PF-7).

use crate::domain::backup::{BackupKind, ListedBackup};
use crate::domain::carry::Luggage;
use crate::domain::causes::chain;
use crate::domain::disk::{Refusal, Rules, may_overwrite};
use crate::domain::image::{Board, OsVersion};
use crate::domain::job::{BackupChoice, CardRequest, ImageChoice, Warning};
use crate::domain::problem::Problem;
use crate::domain::size::Bytes;
use crate::domain::system::{SystemFacts, SystemView};
use crate::image::ImageError;
use crate::image::catalog::choose_version;
use crate::image::fetch::Source;
use crate::texts::Phrase;

use super::get_image::ImagePlan;
use super::survey::need;
use super::world::World;
use super::{DiskList, StartError};

/// What admission found out on the way.
#[derive(Debug)]
pub struct Admitted {
    pub image: ImagePlan,
    pub board: Option<Board>,
    pub version: Option<OsVersion>,
    /// Expected sizes, for the time left.
    pub download: Bytes,
    pub backup: Bytes,
    /// Name and network settings for the card.
    pub luggage: Luggage,
    pub warnings: Vec<Warning>,
}

/// Every reason at once, or the way to go.
pub async fn admit(
    world: &World,
    system: &SystemView,
    disks: &DiskList,
    rules: &Rules,
    request: &CardRequest,
) -> Result<Admitted, StartError> {
    let listed = disks.find(&request.disk).ok_or(StartError::NoDisk)?;
    if listed.disk.fingerprint.as_ref().is_some_and(|now| *now != request.seen)
        || request.plug.is_some_and(|plug| plug != listed.disk.plug)
    {
        return Err(StartError::Changed);
    }
    let mut problems = system.problems.clone();
    let mut warnings = system.warnings.clone();
    let backup = backup_problems(system, request, &mut problems, &mut warnings);
    let image = image_plan(world, system, request, &mut problems, &mut warnings).await;
    let download = match &image {
        Some((ImagePlan::Download(source), ..)) => source.size.unwrap_or(Bytes::ZERO),
        _ => Bytes::ZERO,
    };
    room_problems(world, system, request, download, backup, &mut problems);
    let all: Vec<_> = disks.disks.iter().map(|listed| listed.disk.clone()).collect();
    // A file must only hold the image, which is found out once the image is there (AP-4).
    let need = (!rules.as_file).then(|| need(None, Some(backup)));
    let rules = Rules { need, ..rules.clone() };
    let refused: Vec<Refusal> = may_overwrite(&listed.disk, &all, &rules);
    match image {
        Some((image, board, version)) if problems.is_empty() && refused.is_empty() => {
            warnings.extend(room_for_restore(listed.disk.size, backup));
            let luggage = luggage(system, request);
            warnings.extend(luggage.warnings());
            Ok(Admitted { image, board, version, download, backup, luggage, warnings })
        }
        _ => Err(StartError::Refused { disk: refused, problems }),
    }
}

/// What goes along, as the system is set now.
fn luggage(system: &SystemView, request: &CardRequest) -> Luggage {
    let (carry, facts) = (&request.carry, &system.facts);
    match &carry.given {
        Some(given) => Luggage::of_given(given),
        None if carry.system => {
            Luggage::of_system(facts.hostname.as_deref(), facts.network.as_ref(), &carry.wifi_password)
        }
        None => Luggage::default(),
    }
}

/// The expected size of the backup; what is wrong with the chosen one goes into `problems`.
fn backup_problems(
    system: &SystemView,
    request: &CardRequest,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Warning>,
) -> Bytes {
    let mut unusable = |why: &str| problems.push(Problem::BackupUnusable { why: Phrase::of(why) });
    let (slug, have_key) = match &request.backup {
        BackupChoice::New => {
            warnings.extend(backup_warnings(&system.facts, None));
            return system.facts.expected_backup().unwrap_or(Bytes::ZERO);
        }
        BackupChoice::File(_) | BackupChoice::None => return Bytes::ZERO,
        BackupChoice::Existing { slug, have_key } => (slug, *have_key),
    };
    let Some(backup) = system.facts.backups.iter().flatten().find(|backup| backup.facts.slug == *slug) else {
        unusable("why-not-listed");
        return Bytes::ZERO;
    };
    if backup.facts.kind == BackupKind::Partial {
        unusable("why-partial");
    }
    if backup.facts.protected && !have_key {
        unusable("why-no-key");
    }
    warnings.extend(backup_warnings(&system.facts, Some(backup)));
    backup.size
}

/// What to know of the backup before the job: of `existing`, or of a new one.
pub fn backup_warnings(facts: &SystemFacts, existing: Option<&ListedBackup>) -> Option<Warning> {
    match existing {
        None => (!facts.local_apps.is_empty()).then(|| Warning::new("local_apps", &[])),
        Some(backup) => backup.facts.without_database.then(|| Warning::new("without_database", &[])),
    }
}

type Way = (ImagePlan, Option<Board>, Option<OsVersion>);

/// The way to the image, or what speaks against each.
async fn image_plan(
    world: &World,
    system: &SystemView,
    request: &CardRequest,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Warning>,
) -> Option<Way> {
    let latest = match &request.image {
        ImageChoice::File(path) => return Some((ImagePlan::File(path.clone()), request.board, None)),
        ImageChoice::Url { url, without_digest } => return url_plan(url, *without_digest, request.board, problems),
        ImageChoice::Running => false,
        ImageChoice::Latest => true,
    };
    let board = request.board.or_else(|| system.facts.board.as_deref()?.parse().ok())?;
    let facts = &system.facts;
    let Some(choice) = choose_version(latest, facts.os_version.as_ref(), facts.os_latest.as_ref()) else {
        problems.push(Problem::SupervisorSilent { said: Phrase::of("why-no-version") });
        return None;
    };
    if choice.fell_back {
        warnings.push(Warning::new("other_version", &[("version", &choice.version.to_string())]));
    }
    let (version, way) = (choice.version, Some(board));
    if let Some(kept) = world.cache.find(board, &version) {
        return Some((ImagePlan::Kept(kept), way, Some(version)));
    }
    if facts.internet == Some(false) {
        // Said already, or the kept image is of another version.
        if !problems.contains(&Problem::NoInternet) {
            problems.push(Problem::NoInternet);
        }
        return None;
    }
    match world.catalog.as_ref()?.release(&world.client, board, &version).await {
        Ok(release) if release.digest.is_none() => problems.push(Problem::NoDigest),
        Ok(release) => return Some((ImagePlan::Download(Source::from(&release)), way, Some(version))),
        Err(error) => problems.extend(release_problem(&error)),
    }
    None
}

/// Without its list a release has no digest, whatever the reason (IM-2, P18).
fn release_problem(error: &ImageError) -> Option<Problem> {
    log::warn!("{}", chain(error));
    match error.problem()? {
        Problem::Unexpected { .. } => Some(Problem::NoDigest),
        problem => Some(problem),
    }
}

fn url_plan(url: &str, without_digest: bool, board: Option<Board>, problems: &mut Vec<Problem>) -> Option<Way> {
    let Ok(url) = url.parse() else {
        problems.push(Problem::ImageUnusable { why: Phrase::with("why-not-a-url", &[("url", url)]) });
        return None;
    };
    if !without_digest {
        problems.push(Problem::NoDigest);
        return None;
    }
    Some((ImagePlan::Download(Source::of_url(url, None)), board, None))
}

fn room_problems(
    world: &World,
    system: &SystemView,
    request: &CardRequest,
    download: Bytes,
    backup: Bytes,
    problems: &mut Vec<Problem>,
) {
    if download > Bytes::ZERO {
        match world.host.free_space(world.cache.dir()) {
            Ok(free) if free < download => problems.push(Problem::NoRoomForDownload { free, need: download }),
            Ok(_) => {}
            Err(error) => log::warn!("{}", chain(&error)),
        }
    }
    let free = system.facts.disk_free;
    if let Some(free) = free.filter(|free| request.backup == BackupChoice::New && *free < backup + download) {
        problems.push(Problem::NoRoomForBackup { free, need: backup + download });
    }
}

/// A restore unpacks the backup beside itself (PF-4, HA §5.5).
pub fn room_for_restore(card: Bytes, backup: Bytes) -> Option<Warning> {
    let wanted = Bytes(backup.0.saturating_mul(4)) + Bytes(8_000_000_000);
    let sizes = [("backup", backup.to_string()), ("room", wanted.as_sold())];
    let sizes = sizes.each_ref().map(|(name, size)| (*name, size.as_str()));
    (backup > Bytes::ZERO && card < wanted).then(|| Warning::new("room_for_restore", &sizes))
}
