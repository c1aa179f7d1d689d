//! What will happen to the card and how long it takes, as far as it is known beforehand.

use crate::domain::backup::ListedBackup;
use crate::domain::estimate::{Expected, Rates, minutes_around, seconds_left};
use crate::domain::image::OsVersion;
use crate::domain::job::{JobView, StageState, StageView};
use crate::domain::progress::Amount;
use crate::domain::size::Bytes;
use crate::domain::stage::Stage;
use crate::domain::system::SystemView;
use crate::jobs::{AllJobs, admit, rates, survey};
use crate::texts::Language;

use super::backups;
use super::form::Filled;
use super::network;

pub struct Outlook {
    /// "This makes a full backup, downloads …"
    pub does: String,
    /// "About 20 to 50 minutes."
    pub takes: String,
    /// "Your new card will keep the address …"
    pub keeps: Vec<String>,
    pub warnings: Vec<String>,
}

pub fn of(t: Language, system: &SystemView, jobs: &AllJobs, filled: &Filled, card: Bytes) -> Outlook {
    let plan = Plan::new(system, jobs, filled);
    Outlook {
        does: plan.does(t),
        takes: plan.takes(t),
        keeps: network::keeps(t, &system.facts, filled),
        warnings: warnings(t, system, filled, card),
    }
}

/// What the job will have to do.
struct Plan<'a> {
    version: Option<&'a OsVersion>,
    /// The image is there already.
    kept: bool,
    /// Packed size of the image.
    download: Option<Bytes>,
    existing: Option<&'a ListedBackup>,
    backup: Option<Bytes>,
    /// The last job here that made a card.
    last: Option<&'a JobView>,
}

impl<'a> Plan<'a> {
    fn new(system: &'a SystemView, jobs: &'a AllJobs, filled: &Filled) -> Plan<'a> {
        let facts = &system.facts;
        let version = if filled.version == "latest" { &facts.os_latest } else { &facts.os_version };
        let version = version.as_ref();
        let name = version.map(|version| format!("-{version}.img"));
        let kept = system.kept_image.as_ref().filter(|(kept, _)| name.is_some_and(|name| kept.contains(&name)));
        let same = jobs.iter().find(|job| version.is_some() && job.made.version.as_ref() == version);
        Plan {
            version,
            kept: kept.is_some(),
            download: kept.map(|(_, size)| *size).or_else(|| total(same?, Stage::Download)),
            existing: backups::existing(&filled.backup, system),
            backup: backups::expected_size(filled, system),
            last: jobs.iter().map(|job| job.as_ref()).find(|job| rates::measured(job).is_some()),
        }
    }

    fn does(&self, t: Language) -> String {
        let backup = t.say(if self.existing.is_some() { "card-does-backup-old" } else { "card-does-backup-new" });
        t.tell("card-does", &[("backup", &backup), ("image", &self.image(t))])
    }

    fn image(&self, t: Language) -> String {
        let Some(version) = self.version.map(ToString::to_string) else { return t.say("card-does-image-unnamed") };
        match self.download {
            _ if self.kept => t.with("card-does-image-kept", "version", version),
            Some(size) => t.tell("card-does-image-size", &[("version", &version), ("size", &size.said_in(t))]),
            None => t.with("card-does-image", "version", version),
        }
    }

    /// Only what was measured on this machine makes a better guess than the usual one.
    fn takes(&self, t: Language) -> String {
        let known = self.last.and_then(|last| Some((last, rates::measured(last)?, self.backup?)));
        let Some((last, rates, backup)) = known else { return t.say("card-takes-usual") };
        let image = total(last, Stage::Write).unwrap_or(survey::IMAGE_GUESS);
        let download = self.download.or_else(|| total(last, Stage::Download)).unwrap_or(image);
        let expected = Expected { download: download.0, image: image.0, backup: backup.0, streams: !self.kept };
        self.range(t, expected, rates)
    }

    fn range(&self, t: Language, expected: Expected, rates: Rates) -> String {
        let skipped = |stage| match stage {
            Stage::Download => self.kept,
            Stage::Backup => self.existing.is_some(),
            _ => false,
        };
        let waiting = Stage::ALL.map(|stage| {
            let state = if skipped(stage) { StageState::Skipped } else { StageState::Waiting };
            StageView { stage, state, amount: Amount::default(), rate: None, millis: 0, note: None }
        });
        let (from, to) = minutes_around(seconds_left(&waiting, expected, rates));
        let (key, from, to) =
            if from < 90 { ("card-takes-minutes", from, to) } else { ("card-takes-hours", from / 60, to.div_ceil(60)) };
        t.tell(key, &[("from", &from), ("to", &to)])
    }
}

/// Bytes that a stage of a job counted in all, where it counted any.
fn total(job: &JobView, stage: Stage) -> Option<Bytes> {
    job.stage(stage)?.amount.total.filter(|total| *total > 0).map(Bytes)
}

/// What to know before: of the system, of the chosen backup, and of the room on this card.
fn warnings(t: Language, system: &SystemView, filled: &Filled, card: Bytes) -> Vec<String> {
    let mut all = system.warnings.clone();
    all.extend(admit::backup_warnings(&system.facts, backups::existing(&filled.backup, system)));
    all.extend(backups::expected_size(filled, system).and_then(|backup| admit::room_for_restore(card, backup)));
    all.extend(network::left(&system.facts, filled));
    all.iter().map(|warning| warning.text.said_in(t)).collect()
}
