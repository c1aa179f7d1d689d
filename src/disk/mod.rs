//! Floor 2: blocking work on one claimed card. Knows the machine only through [`crate::host`].
//!
//! ```text
//!  Card<Claimed> ── write ──► Card<Written> ── verify ──► Card<Verified> ── grow ──► Card<Grown> ── load ──► Card<Loaded>
//!                                                             └─ finish as it is ─┐                            │ commit
//!                                                                                 └──────► Card<Finished> ◄────┘
//! ```
//!
//! From the first written sector on the card is blank, and stays so until the last write of `commit`: sector 0, alone.

mod before;
mod belt;
pub mod blank;
pub mod card;
mod chunk;
pub mod commit;
mod copy;
pub mod error;
mod extents;
pub mod grow;
pub mod inject;
pub mod inspect;
pub mod overlay;
pub mod pieces;
pub mod reader;
pub mod verify;
pub mod write;

use std::io::{self, Read};

use crate::domain::progress::{Meter, StopFlag};
pub(crate) use crate::host::buffer::is_zero;

pub use card::{Card, Claimed, Failed, Finished, Grown, Loaded, Verified, Written};
pub use error::CardError;
pub use pieces::{ImageBytes, PieceReader, Pieces};

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

/// Reads until `buffer` is full or `from` ends.
fn fill(from: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(n) => read += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}
