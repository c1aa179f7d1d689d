//! From workers that unpack pieces of an image side by side to one writer that takes them in order: a few buffers go round
//! between them.
//!
//! A card is written from its beginning to its end, so what a worker unpacked ahead waits for its turn. The piece whose
//! turn it is may take the last buffers, the others may not: so nobody waits for a buffer that never comes.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::domain::size::{MIB, SECTOR};
use crate::host::buffer::Aligned;

use super::chunk::{CHUNK, Chunk};
use super::error::CardError;
use super::pieces::{PieceReader, Pieces};
use super::{Work, fill};

/// For the piece whose turn it is: one being unpacked into, one being written, two waiting.
const RESERVED: usize = 4;
/// Of a longer piece only so much is unpacked ahead (the blocks of Home Assistant OS have 12 MiB).
const AHEAD_MOST: u64 = 16;
/// How often a writer that has nothing to write looks whether it should stop.
const LOOK: Duration = Duration::from_millis(50);

/// A chunk of the image; its bytes but where they are zeros.
pub(super) type Unpacked = (Chunk, Option<Aligned>);

pub(super) struct Belt {
    state: Mutex<State>,
    ready: Condvar,
    freed: Condvar,
    image_size: u64,
    most: usize,
}

struct State {
    free: Vec<Aligned>,
    /// How many buffers there are, free or not.
    made: usize,
    waiting: BTreeMap<u64, Unpacked>,
    /// The number of the chunk whose turn it is.
    next: u64,
    working: usize,
    failed: Option<io::Error>,
    closed: bool,
}

impl Belt {
    /// Unpacks `pieces`, and calls `each` with every chunk in order: its number, what it is, and its bytes. Returns once
    /// every worker has ended.
    pub fn run(
        pieces: &dyn Pieces,
        image_size: u64,
        work: &Work,
        mut each: impl FnMut(u64, Chunk, Option<&Aligned>) -> Result<(), CardError>,
    ) -> Result<(), CardError> {
        let belt = Belt::new(pieces, image_size);
        thread::scope(|scope| {
            let _closing = Closing(&belt, pieces);
            for nth in 0..pieces.workers().max(1) {
                let worker = thread::Builder::new().name("decoder".into());
                belt.state().working += 1;
                let spawned = worker.spawn_scoped(scope, || belt.work(pieces));
                match spawned.inspect_err(|_| belt.state().working -= 1) {
                    Err(error) if nth == 0 => return Err(CardError::Image(error)),
                    // With fewer it only takes longer.
                    Err(_) => break,
                    Ok(_) => {}
                }
            }
            while let Some((number, (chunk, bytes))) = belt.take(work)? {
                work.go_on()?;
                each(number, chunk, bytes.as_ref())?;
                if let Some(buffer) = bytes {
                    belt.give_back(buffer);
                }
            }
            Ok(())
        })?;
        // What lies behind the last piece may have failed since.
        belt.state().failed.take().map_or(Ok(()), |error| Err(CardError::Image(error)))
    }

    fn new(pieces: &dyn Pieces, image_size: u64) -> Belt {
        let ahead = (pieces.workers() as u64 - 1) * pieces.longest().div_ceil(MIB).min(AHEAD_MOST);
        let state = State {
            free: Vec::new(),
            made: 0,
            waiting: BTreeMap::new(),
            next: 0,
            working: 0,
            failed: None,
            closed: false,
        };
        let most = ahead as usize + RESERVED;
        Belt { state: Mutex::new(state), ready: Condvar::new(), freed: Condvar::new(), image_size, most }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker: until there are no more pieces, or nobody takes them any more.
    fn work(&self, pieces: &dyn Pieces) {
        let _ending = Ending(self);
        let mut reader = pieces.reader();
        loop {
            match self.unpack_next(reader.as_mut()) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    self.state().failed.get_or_insert(error);
                    return;
                }
            }
        }
    }

    /// The writer ended before the last chunk. Behind that the pieces are still read to their end.
    fn is_given_up(&self) -> bool {
        let state = self.state();
        state.closed && state.next < self.image_size.div_ceil(MIB)
    }

    /// False: there is nothing more to do.
    fn unpack_next(&self, reader: &mut dyn PieceReader) -> io::Result<bool> {
        if self.is_given_up() {
            return Ok(false);
        }
        let Some((at, length)) = reader.next_piece()? else { return Ok(false) };
        if !at.is_multiple_of(MIB) || at.checked_add(length).is_none_or(|end| end > self.image_size) {
            return Err(io::Error::other("a piece of the image lies outside of it"));
        }
        let first = at / MIB;
        for number in first..(at + length).div_ceil(MIB) {
            let Some(mut buffer) = self.take_buffer(first) else { return Ok(false) };
            let chunk = next_chunk(reader, &mut buffer, at + length - number * MIB)?;
            self.put(number, chunk, buffer);
        }
        Ok(true)
    }

    /// `None`: nobody takes chunks any more. `first` is the number of the piece's first chunk.
    fn take_buffer(&self, first: u64) -> Option<Aligned> {
        let mut state = self.state();
        loop {
            let there = state.free.len() + self.most.saturating_sub(state.made);
            let kept = if first <= state.next { 0 } else { RESERVED };
            if state.closed {
                return None;
            }
            if there > kept {
                if let Some(buffer) = state.free.pop() {
                    return Some(buffer);
                }
                state.made += 1;
                drop(state);
                return Some(Aligned::new(CHUNK));
            }
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give_back(&self, buffer: Aligned) {
        self.state().free.push(buffer);
        self.freed.notify_all();
    }

    fn put(&self, number: u64, chunk: Chunk, buffer: Aligned) {
        let mut state = self.state();
        match chunk.zero {
            true => {
                state.free.push(buffer);
                state.waiting.insert(number, (chunk, None));
                self.freed.notify_all();
            }
            false => {
                state.waiting.insert(number, (chunk, Some(buffer)));
            }
        }
        if number == state.next {
            self.ready.notify_one();
        }
    }

    /// The chunk whose turn it is; `None` behind the last one.
    fn take(&self, work: &Work) -> Result<Option<(u64, Unpacked)>, CardError> {
        let mut state = self.state();
        loop {
            if let Some(error) = state.failed.take() {
                return Err(CardError::Image(error));
            }
            let number = state.next;
            if number >= self.image_size.div_ceil(MIB) {
                return Ok(None);
            }
            if let Some(unpacked) = state.waiting.remove(&number) {
                state.next += 1;
                // It may be another piece's turn now.
                self.freed.notify_all();
                return Ok(Some((number, unpacked)));
            }
            if state.working == 0 {
                return Err(CardError::Image(io::ErrorKind::UnexpectedEof.into()));
            }
            work.go_on()?;
            (state, _) = self.ready.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// However the writer ends, the workers end too.
struct Closing<'a>(&'a Belt, &'a dyn Pieces);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.state().closed = true;
        if self.0.is_given_up() {
            self.1.give_up();
        }
        self.0.freed.notify_all();
    }
}

/// However a worker ends, the writer does not wait for it.
struct Ending<'a>(&'a Belt);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.state().working -= 1;
        self.0.ready.notify_one();
    }
}

/// The next MiB; where `left` is less, that, filled with zeros to a whole sector.
pub(super) fn next_chunk(image: &mut (impl io::Read + ?Sized), buffer: &mut [u8], left: u64) -> io::Result<Chunk> {
    let want = left.min(CHUNK as u64) as usize;
    let sectors = want.next_multiple_of(SECTOR as usize);
    let (part, rest) = buffer.split_at_mut(want);
    if fill(image, part)? < want {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    rest.fill(0);
    Ok(Chunk::of(buffer.get(..sectors).unwrap_or(buffer)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Pieces of the given length; the bytes of MiB number n are n + 1, every fourth is zero.
    struct Made {
        next: AtomicU64,
        piece: u64,
        size: u64,
        workers: usize,
        /// The piece at this place cannot be read.
        broken: Option<u64>,
        /// From this place on nothing has come yet.
        comes_to: Option<u64>,
        given_up: (Mutex<bool>, Condvar),
    }

    struct Reader<'a>(&'a Made, u64, u64);

    impl Pieces for Made {
        fn workers(&self) -> usize {
            self.workers
        }
        fn longest(&self) -> u64 {
            self.piece
        }
        fn reader(&self) -> Box<dyn PieceReader + '_> {
            Box::new(Reader(self, 0, 0))
        }
        fn give_up(&self) {
            *self.given_up.0.lock().unwrap() = true;
            self.given_up.1.notify_all();
        }
    }

    fn byte(at: u64) -> u8 {
        let number = at / MIB;
        if number % 4 == 3 { 0 } else { number as u8 + 1 }
    }

    impl PieceReader for Reader<'_> {
        fn next_piece(&mut self) -> io::Result<Option<(u64, u64)>> {
            let at = self.0.next.fetch_add(self.0.piece, Ordering::SeqCst);
            (self.1, self.2) = (at, self.0.size.saturating_sub(at).min(self.0.piece));
            Ok((self.2 > 0).then_some((at, self.2)))
        }
    }

    impl Read for Reader<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.broken.is_some_and(|at| (self.1..self.1 + self.2).contains(&at)) {
                return Err(io::Error::other("broken"));
            }
            if self.0.comes_to.is_some_and(|end| self.1 >= end) {
                let (given_up, changed) = &self.0.given_up;
                let bound = Duration::from_secs(60);
                drop(changed.wait_timeout_while(given_up.lock().unwrap(), bound, |up| !*up).unwrap());
                return Err(io::Error::other("given up"));
            }
            let length = buffer.len().min(self.2 as usize).min((MIB - self.1 % MIB) as usize);
            buffer[..length].fill(byte(self.1));
            (self.1, self.2) = (self.1 + length as u64, self.2 - length as u64);
            Ok(length)
        }
    }

    fn made(piece: u64, size: u64, workers: usize) -> Made {
        let (next, given_up) = (AtomicU64::new(0), Default::default());
        Made { next, piece: piece * MIB, size, workers, broken: None, comes_to: None, given_up }
    }

    #[test]
    fn chunks_come_in_order_whoever_unpacked_them() {
        for (piece, workers) in [(1, 1), (3, 1), (1, 4), (3, 4), (40, 3), (100, 2)] {
            let size = 50 * MIB + 700;
            let (pieces, mut seen) = (made(piece, size, workers), 0);
            Belt::run(&pieces, size, &Work::default(), |number, chunk, bytes| {
                assert_eq!(number, seen);
                assert_eq!(chunk.length, if number == 50 { 1024 } else { MIB as u32 });
                assert_eq!(bytes.is_none(), byte(number * MIB) == 0);
                assert!(bytes.is_none_or(|bytes| bytes[0] == byte(number * MIB)));
                seen += 1;
                Ok(())
            })
            .unwrap();
            assert_eq!(seen, 51, "{piece} {workers}");
        }
    }

    #[test]
    fn whoever_fails_ends_all() {
        let size = 60 * MIB;
        for (broken, workers) in [(0, 1), (20, 3), (59, 4)] {
            let pieces = Made { broken: Some(broken * MIB), ..made(4, size, workers) };
            let ended = Belt::run(&pieces, size, &Work::default(), |_, _, _| Ok(()));
            assert!(matches!(ended, Err(CardError::Image(_))), "{broken}");
            let ended = Belt::run(&made(4, size, workers), size, &Work::default(), |number, _, _| match number {
                30 => Err(CardError::Gone),
                _ => Ok(()),
            });
            assert!(matches!(ended, Err(CardError::Gone)));
        }
        // Fewer bytes than promised.
        let ended = Belt::run(&made(4, size, 2), size + MIB, &Work::default(), |_, _, _| Ok(()));
        assert!(matches!(ended, Err(CardError::Image(_))));
        // More.
        let ended = Belt::run(&made(4, size, 2), size - MIB, &Work::default(), |_, _, _| Ok(()));
        assert!(matches!(ended, Err(CardError::Image(_))));
    }

    #[test]
    fn who_waits_for_bytes_does_not_hold_up_the_end() {
        let size = 60 * MIB;
        for workers in [1, 3] {
            let pieces = Made { comes_to: Some(20 * MIB), ..made(4, size, workers) };
            let ended = Belt::run(&pieces, size, &Work::default(), |number, _, _| match number {
                10 => Err(CardError::Gone),
                _ => Ok(()),
            });
            assert!(matches!(ended, Err(CardError::Gone)));
            assert!(*pieces.given_up.0.lock().unwrap());
            // At its good end nobody is sent away.
            let whole = made(4, size, workers);
            Belt::run(&whole, size, &Work::default(), |_, _, _| Ok(())).unwrap();
            assert!(!*whole.given_up.0.lock().unwrap());
        }
    }

    #[test]
    fn a_stop_is_noticed() {
        let (size, work) = (60 * MIB, Work::default());
        let ended = Belt::run(&made(4, size, 2), size, &work, |number, _, _| {
            if number == 5 {
                work.stop.set();
            }
            assert!(number <= 5);
            Ok(())
        });
        assert!(matches!(ended, Err(CardError::Stopped)));
    }
}
