//! An image in pieces that several workers read at once.

use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

/// Where the bytes of an image come from; opened to look at its table, to write, and again to mend single blocks.
pub trait ImageBytes: Sync {
    /// Unpacked bytes of the whole image.
    fn size(&self) -> u64;
    /// Yields exactly `size()` bytes, or an error that says what is wrong with the image.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;
    /// The same bytes in pieces; by default in one.
    fn share(&self) -> io::Result<Box<dyn Pieces + '_>> {
        Ok(one_piece(self.open()?, self.size(), || ()))
    }
}

/// The pieces of an image. They are handed out in order, without gaps; all but the last end at a whole MiB.
pub trait Pieces: Sync {
    /// How many readers are worth having.
    fn workers(&self) -> usize;
    /// Bytes of the longest piece.
    fn longest(&self) -> u64;
    fn reader(&self) -> Box<dyn PieceReader + '_>;
    /// Nobody takes any more of it: a reader that waits for bytes errs.
    fn give_up(&self);
}

/// Reads one piece after the other, each to its end.
pub trait PieceReader: Read {
    /// Where the next piece begins in the image, and how many bytes it has; `None` behind the last one. Errs where
    /// something is wrong with what lies between.
    fn next_piece(&mut self) -> io::Result<Option<(u64, u64)>>;
}

/// An image that can only be read from its beginning to its end. `give_up` ends a wait for its bytes.
pub fn one_piece<'a>(image: Box<dyn Read + Send>, size: u64, give_up: impl Fn() + Sync + 'a) -> Box<dyn Pieces + 'a> {
    Box::new(OnePiece { image: Mutex::new(Some(image)), size, give_up })
}

struct OnePiece<G> {
    image: Mutex<Option<Box<dyn Read + Send>>>,
    size: u64,
    give_up: G,
}

impl<G: Fn() + Sync> Pieces for OnePiece<G> {
    fn workers(&self) -> usize {
        1
    }

    fn longest(&self) -> u64 {
        self.size
    }

    fn reader(&self) -> Box<dyn PieceReader + '_> {
        Box::new(OneReader { image: &self.image, size: self.size, taken: None })
    }

    fn give_up(&self) {
        (self.give_up)();
    }
}

struct OneReader<'a> {
    image: &'a Mutex<Option<Box<dyn Read + Send>>>,
    size: u64,
    taken: Option<Box<dyn Read + Send>>,
}

impl PieceReader for OneReader<'_> {
    fn next_piece(&mut self) -> io::Result<Option<(u64, u64)>> {
        self.taken = self.image.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(self.taken.as_ref().map(|_| (0, self.size)))
    }
}

impl Read for OneReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.taken.as_mut().map_or(Ok(0), |image| image.read(buffer))
    }
}
