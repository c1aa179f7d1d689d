//! A claimed card and how far it has come. Each step takes the card and gives back the next state, or the card's end.

use std::sync::Arc;

use crate::domain::carry::SettingsFile;
use crate::domain::disk::Fingerprint;
use crate::domain::job::CardNow;
use crate::domain::layout::{GrowPlan, Layout};
use crate::domain::size::{Bytes, MIB, SECTOR};
use crate::host::Claim;

use super::chunk::Chunk;
use super::error::CardError;
use super::{ImageBytes, Work, blank, commit, grow, inject, verify, write};

/// A card in state `S`. Dropping it releases the claim.
pub struct Card<S> {
    pub(super) claim: Arc<dyn Claim>,
    pub(super) size: Bytes,
    /// Something was written: from then on it is blank until commit.
    pub(super) touched: bool,
    pub(super) state: S,
}

/// Claimed and compared with what the user confirmed (`seen`); nothing written.
pub struct Claimed {
    seen: Fingerprint,
}

/// The image is on the card, but for its first MiB, which is here.
pub struct Written {
    pub(super) head: Vec<u8>,
    pub(super) chunks: Vec<Chunk>,
    pub(super) image_size: u64,
}

/// Every byte of the image was read back, but for its first MiB.
pub struct Verified {
    pub(super) head: Vec<u8>,
    pub(super) image_size: u64,
    pub(super) rewritten: Vec<u64>,
}

/// The file system fills the card; the table that says so is in memory.
pub struct Grown {
    pub(super) plan: GrowPlan,
}

/// Everything is in its place and compared; only the table is missing.
pub struct Loaded {
    pub(super) head: Vec<u8>,
    /// Backup table: first sector and bytes.
    pub(super) tail: Option<(u64, Vec<u8>)>,
}

/// Done. Kept, so that the host does not scan the card until it is pulled (WR-10).
pub struct Finished;

/// A step failed: why, and what is on the card now. The claim is released.
#[derive(Debug)]
pub struct Failed {
    pub error: CardError,
    pub now: CardNow,
}

impl<S> Card<S> {
    pub(super) fn with<T>(self, state: T) -> Card<T> {
        Card { claim: self.claim, size: self.size, touched: self.touched, state }
    }

    pub fn size(&self) -> Bytes {
        self.size
    }

    /// A disk does not grow or shrink; what did is another medium in the same reader, or somebody at work on the file.
    fn check_size(&self) -> Result<(), CardError> {
        let now = self.claim.size().map_err(|source| CardError::Read { at: Bytes::ZERO, source })?;
        match Bytes(now.sectors() * SECTOR) == self.size {
            true => Ok(()),
            false => Err(CardError::Changed),
        }
    }

    /// The disk under the claim is no longer there.
    pub fn is_gone(&self) -> bool {
        self.claim.is_gone()
    }

    /// Gives the card up: makes sure that it is blank if anything was written, and says what is on it. What is not the
    /// card any more is not blanked: it may be another one, which nobody confirmed.
    pub fn abandon(self, error: CardError) -> Failed {
        let is_stopped = matches!(error, CardError::Stopped);
        let error = match self.check_size() {
            _ if self.claim.is_gone() && !is_stopped => CardError::Gone,
            Err(other) if !is_stopped => other,
            _ => error,
        };
        let is_other = self.claim.is_gone() || self.check_size().is_err() || matches!(error, CardError::Changed);
        let now = match self.touched {
            false => CardNow::Untouched,
            true if is_other => CardNow::Unknown,
            true => blank::make_sure(self.claim.as_ref(), self.size),
        };
        Failed { error, now }
    }
}

impl Card<Claimed> {
    /// Takes a claim if it is the disk that was confirmed (`seen`).
    pub fn claimed(claim: Arc<dyn Claim>, seen: &Fingerprint) -> Result<Card<Claimed>, CardError> {
        match claim.fingerprint() {
            Ok(now) if now == *seen => {}
            _ if claim.is_gone() => return Err(CardError::Gone),
            Ok(_) => return Err(CardError::Changed),
            Err(error) => return Err(CardError::Claim(error)),
        }
        let size = claim.size().map_err(|source| CardError::Read { at: Bytes::ZERO, source })?;
        Ok(Card { claim, size: Bytes(size.sectors() * SECTOR), touched: false, state: Claimed { seen: seen.clone() } })
    }

    /// Compares once more with what the user confirmed: minutes may lie between claim and first write.
    pub fn still(self) -> Result<Card<Claimed>, Failed> {
        match self.is_still() {
            Ok(()) => Ok(self),
            Err(error) => Err(self.abandon(error)),
        }
    }

    fn is_still(&self) -> Result<(), CardError> {
        match self.claim.fingerprint() {
            Ok(now) if now == self.state.seen => Ok(()),
            Ok(_) => Err(CardError::Changed),
            Err(error) => Err(CardError::Claim(error)),
        }
    }

    /// Refuses an image that is not one of Home Assistant OS as far as its table tells, before anything is erased.
    pub fn refuse_foreign(self, image: &dyn ImageBytes) -> Result<Card<Claimed>, Failed> {
        match write::Opened::open(image).and_then(|opened| opened.check_data(image.size())) {
            Ok(()) => Ok(self),
            Err(error) => Err(self.abandon(error)),
        }
    }

    /// Blanks the card, finds out whether it holds what it claims, writes the image from 1 MiB on.
    pub fn write(mut self, image: &dyn ImageBytes, work: &Work) -> Result<Card<Written>, Failed> {
        match self.try_write(image, work) {
            Ok(written) => Ok(self.with(written)),
            Err(error) => Err(self.abandon(error)),
        }
    }

    /// The same for a card that nobody will read back: where the image has zeros, verifying would have seen to them.
    pub fn write_whole(self, image: &dyn ImageBytes, work: &Work) -> Result<Card<Written>, Failed> {
        let card = self.write(image, work)?;
        match verify::clear(card.claim.as_ref(), &card.state.chunks, work) {
            Ok(()) => Ok(card),
            Err(error) => Err(card.abandon(error)),
        }
    }

    fn try_write(&mut self, image: &dyn ImageBytes, work: &Work) -> Result<Written, CardError> {
        let image_size = image.size();
        work.meter.set_total(image_size);
        if image_size.div_ceil(SECTOR) * SECTOR > self.size.0 || self.size.0 < 4 * MIB {
            return Err(CardError::TooSmall { image: Bytes(image_size), card: self.size });
        }
        // Nothing is erased for an image that turns out to be none.
        let bytes = write::Opened::open(image)?;
        bytes.check_table(image_size)?;
        work.go_on()?;
        // The first bytes of an image may have been waited for.
        self.is_still()?;
        self.touched = true;
        blank::blank(self.claim.as_ref(), self.size)?;
        blank::find_counterfeit(self.claim.as_ref(), self.size, work)?;
        let head = bytes.head();
        let chunks = write::write(self.claim.as_ref(), image, &head, work)?;
        Ok(Written { head, chunks, image_size })
    }
}

impl Card<Written> {
    /// Reads everything back and compares; mends up to three blocks.
    pub fn verify(mut self, image: &dyn ImageBytes, work: &Work) -> Result<Card<Verified>, Failed> {
        work.meter.set_total(self.state.image_size);
        let compare = || verify::verify(self.claim.as_ref(), &self.state.chunks, image, work);
        match self.check_size().and_then(|()| compare()) {
            Ok(rewritten) => {
                let head = std::mem::take(&mut self.state.head);
                let image_size = self.state.image_size;
                Ok(self.with(Verified { head, image_size, rewritten }))
            }
            Err(error) => Err(self.abandon(error)),
        }
    }
}

impl Card<Verified> {
    /// Numbers of 1 MiB blocks that read right only after they were written again.
    pub fn rewritten(&self) -> &[u64] {
        &self.state.rewritten
    }

    /// Grows the file system of the data partition to the end of the card. The table that says so stays in memory.
    pub fn grow(self, work: &Work) -> Result<Card<Grown>, Failed> {
        let Verified { head, image_size, .. } = &self.state;
        let grow = || grow::grow(self.claim.as_ref(), head, *image_size, self.size, work);
        match self.check_size().and_then(|()| grow()) {
            Ok(plan) => Ok(self.with(Grown { plan })),
            Err(error) => Err(self.abandon(error)),
        }
    }

    /// The image as it is, without growing: what `flash` does.
    pub fn as_it_is(self) -> Card<Loaded> {
        let Verified { head, .. } = self.state;
        let loaded = Loaded { head, tail: None };
        Card { claim: self.claim, size: self.size, touched: self.touched, state: loaded }
    }
}

impl Card<Written> {
    /// Without reading back: `flash --no-verify` only.
    pub fn trusted(self) -> Card<Verified> {
        let Written { head, image_size, .. } = self.state;
        let verified = Verified { head, image_size, rewritten: Vec::new() };
        Card { claim: self.claim, size: self.size, touched: self.touched, state: verified }
    }
}

impl Card<Grown> {
    /// Puts the backup (if there is one) and the settings in, checks the file systems, reads all of it back and compares.
    pub fn load(
        mut self,
        backup: Option<&inject::BackupFile>,
        settings: &[SettingsFile],
        work: &Work,
    ) -> Result<Card<Loaded>, Failed> {
        let plan = &self.state.plan;
        let load = || inject::load(&self.claim, plan, backup, settings, work);
        match self.check_size().and_then(|()| load()) {
            Ok(()) => {
                let (head, tail) = (std::mem::take(&mut self.state.plan.head), self.state.plan.tail.take());
                Ok(self.with(Loaded { head, tail }))
            }
            Err(error) => Err(self.abandon(error)),
        }
    }
}

impl Card<Loaded> {
    /// Puts the table onto the card, sector 0 last and alone. Takes seconds and is not stopped.
    pub fn commit(self) -> Result<Card<Finished>, Failed> {
        let tail = self.state.tail.as_ref().map(|(lba, bytes)| (*lba, bytes.as_slice()));
        let commit = || commit::commit(self.claim.as_ref(), &self.state.head, tail);
        match self.check_size().and_then(|()| commit()) {
            Ok(()) => Ok(self.with(Finished)),
            Err(error) => Err(self.abandon(error)),
        }
    }
}

/// The layout of an image whose first MiB is `head` and whose other sectors are on the card already.
pub(super) fn layout_on(claim: &dyn Claim, head: &[u8], image_size: u64) -> Result<Layout, CardError> {
    let sector = &mut |lba: u64| {
        let mut bytes = [0; SECTOR as usize];
        claim.read_at(lba * SECTOR, &mut bytes)?;
        Ok(bytes)
    };
    crate::domain::layout::read(head, image_size / SECTOR, sector).map_err(CardError::Table)
}
