//! Floor 2: blocking work on one claimed card. Knows the machine only through [`crate::host`].
//!
//! ```text
//!  Card<Claimed> ── write ──► Card<Written> ── verify ──► Card<Verified> ── grow ──► Card<Grown> ── load ──► Card<Loaded>
//!                                                             └─ finish as it is ─┐                            │ commit
//!                                                                                 └──────► Card<Finished> ◄────┘
//! ```
//!
//! From the first written sector on the card is blank, and stays so until the last write of `commit`: sector 0, alone.

pub mod blank;
pub mod card;
pub mod commit;
pub mod error;
pub mod grow;
pub mod inject;
pub mod inspect;
pub mod overlay;
pub mod reader;
pub mod verify;
pub mod write;

use std::io::{self, Read};

use crate::domain::progress::{Meter, StopFlag};
pub(crate) use crate::host::buffer::is_zero;

pub use card::{Card, Claimed, Failed, Finished, Grown, Loaded, Verified, Written};
pub use error::CardError;

/// Where the bytes of an image come from; opened once to write, and again to mend single blocks.
pub trait ImageBytes: Sync {
    /// Unpacked bytes of the whole image.
    fn size(&self) -> u64;
    /// Yields exactly `size()` bytes, or an error that says what is wrong with the image.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;
}

/// What a stage reports to and listens to.
#[derive(Debug, Clone, Default)]
pub struct Work {
    pub meter: Meter,
    pub stop: StopFlag,
}

impl Work {
    /// Errs once the job was asked to stop; looked at once a buffer.
    pub fn go_on(&self) -> Result<(), CardError> {
        match self.stop.is_set() {
            true => Err(CardError::Stopped),
            false => Ok(()),
        }
    }
}
