//! A download that is read while it grows: by the thread that unpacks it onto the card, from the file in the cache.
//!
//! What is read is not yet known to be what was published; whoever reads it takes the hash of it and compares that at its
//! end. A download that starts over cuts the file and fills it again: a reader waits until it is back where it was, and
//! its hash says whether the bytes before were the same.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::ImageError;

/// Shared by the download, which tells what there is, and any number of readers.
#[derive(Debug, Clone, Default)]
pub struct Growing(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    file: Option<Arc<File>>,
    /// Bytes from the beginning on that may be read.
    stored: u64,
    end: Option<End>,
    /// Somebody has got bytes of it.
    was_read: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// All bytes are there, and their digest is the right one.
    Whole,
    /// It was stopped, or it failed and says why itself.
    Broken,
}

impl Growing {
    /// The file, and how much of it is there.
    pub(super) fn begins(&self, file: File, stored: u64) {
        self.change(|state| (state.file, state.stored) = (Some(Arc::new(file)), stored));
    }

    /// Called after the bytes were written; 0 before the file is cut.
    pub(super) fn stored(&self, bytes: u64) {
        self.change(|state| state.stored = bytes);
    }

    /// Ends it. The first call counts.
    pub(super) fn ends(&self, whole: bool) {
        self.change(|state| state.end = state.end.or(Some(if whole { End::Whole } else { End::Broken })));
    }

    /// Somebody has bytes of it, so that another beginning would not fit what comes after them.
    pub(super) fn was_read(&self) -> bool {
        self.state().was_read
    }

    /// From the first byte on. Waits for what is still to come; the end comes only once the digest was found right.
    pub fn reader(&self) -> GrowingReader {
        GrowingReader { growing: self.clone(), position: 0 }
    }

    /// Waits for its end: whether all of it is there, and right.
    pub(super) fn is_whole(&self) -> bool {
        let mut state = self.state();
        loop {
            match state.end {
                Some(end) => return end == End::Whole,
                None => state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.0.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there are bytes behind `position`: the file, and how many. `None`: it ends there. The wait is bounded by
    /// the download's own, which ends it in every case.
    fn wait(&self, position: u64) -> Result<Option<(Arc<File>, u64)>, ImageError> {
        let mut state = self.state();
        loop {
            match (&state.file, state.end) {
                (_, Some(End::Broken)) => return Err(ImageError::Stopped),
                (Some(file), _) if state.stored > position => {
                    let there = (file.clone(), state.stored - position);
                    state.was_read = true;
                    return Ok(Some(there));
                }
                (_, Some(End::Whole)) => return Ok(None),
                (_, None) => state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

/// Reads a [`Growing`].
pub struct GrowingReader {
    growing: Growing,
    position: u64,
}

impl Read for GrowingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            let Some((file, there)) = self.growing.wait(self.position).map_err(ImageError::into_io)? else { break };
            let most = usize::try_from(there).unwrap_or(usize::MAX).min(buffer.len());
            let read = file.read_at(buffer.get_mut(..most).unwrap_or_default(), self.position)?;
            // None: it was cut in between.
            if read > 0 {
                self.position += read as u64;
                return Ok(read);
            }
        }
        Ok(0)
    }
}

/// Ends a download that nobody else ended.
pub(super) struct Ending<'a>(pub &'a Growing);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.ends(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::mpsc;

    struct Download {
        file: File,
        growing: Growing,
        stored: u64,
    }

    impl Download {
        fn new() -> Download {
            let (file, growing) = (tempfile::tempfile().unwrap(), Growing::default());
            Download { file, growing, stored: 0 }
        }

        fn begin(&self) {
            self.growing.begins(self.file.try_clone().unwrap(), self.stored);
        }

        fn get(&mut self, bytes: &[u8]) {
            self.file.write_all(bytes).unwrap();
            self.stored += bytes.len() as u64;
            self.growing.stored(self.stored);
        }

        fn start_over(&mut self) {
            use std::io::Seek;
            self.growing.stored(0);
            self.file.set_len(0).unwrap();
            self.file.rewind().unwrap();
            self.stored = 0;
        }
    }

    /// Reads on a thread, byte for byte; what it got, and how it ended.
    fn read_beside(growing: &Growing) -> (mpsc::Receiver<u8>, std::thread::JoinHandle<io::Result<()>>) {
        let (tell, told) = mpsc::channel();
        let mut reader = growing.reader();
        let work = move || {
            let mut byte = [0];
            while reader.read(&mut byte)? > 0 {
                tell.send(byte[0]).unwrap();
            }
            Ok(())
        };
        (told, std::thread::spawn(work))
    }

    fn take(told: &mpsc::Receiver<u8>, count: usize) -> Vec<u8> {
        (0..count).map(|_| told.recv().unwrap()).collect()
    }

    #[test]
    fn what_is_there_is_read_and_what_comes_is_waited_for() {
        let mut download = Download::new();
        let (told, reader) = read_beside(&download.growing);
        assert!(!download.growing.was_read());
        download.begin();
        download.get(b"abc");
        assert_eq!(take(&told, 3), b"abc");
        assert!(download.growing.was_read());
        download.get(b"de");
        assert_eq!(take(&told, 2), b"de");
        assert!(!reader.is_finished(), "whether that was all is not known yet");
        download.growing.ends(true);
        reader.join().unwrap().unwrap();
        let mut again = String::new();
        download.growing.reader().read_to_string(&mut again).unwrap();
        assert_eq!(again, "abcde");
    }

    #[test]
    fn a_download_that_starts_over_is_waited_for() {
        let mut download = Download::new();
        download.begin();
        download.get(b"abcd");
        let (told, reader) = read_beside(&download.growing);
        assert_eq!(take(&told, 4), b"abcd");
        download.start_over();
        download.get(b"ABC");
        download.get(b"DE");
        assert_eq!(take(&told, 1), b"E");
        download.growing.ends(true);
        reader.join().unwrap().unwrap();
    }

    #[test]
    fn one_that_breaks_off_ends_every_reader() {
        let mut download = Download::new();
        download.begin();
        download.get(b"a");
        let (told, reader) = read_beside(&download.growing);
        assert_eq!(take(&told, 1), b"a");
        drop(Ending(&download.growing));
        let error = reader.join().unwrap().unwrap_err();
        assert!(matches!(ImageError::from_read("x".as_ref(), error), ImageError::Stopped));
        download.growing.ends(true);
        assert!(download.growing.reader().read(&mut [0]).is_err(), "the first end counts");
    }
}
