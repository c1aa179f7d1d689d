//! Small wrappers around a reader, each with one duty.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::ImageError;
use crate::domain::image::Digest;
use crate::domain::progress::Meter;
use crate::domain::size::Bytes;

/// Yields exactly `size` bytes or an error. The last bytes are given only once the reader below has said that it ends
/// there, so that its own last checks were made even for a caller who stops reading at `size`.
pub struct Exact<R> {
    inner: R,
    left: u64,
    path: PathBuf,
}

impl<R: Read> Exact<R> {
    pub fn new(inner: R, size: Bytes, path: impl Into<PathBuf>) -> Exact<R> {
        Exact { inner, left: size.0, path: path.into() }
    }

    fn expect_end(&mut self) -> io::Result<()> {
        match read_some(&mut self.inner, &mut [0])? {
            0 => Ok(()),
            _ => Err(ImageError::Broken { path: self.path.clone(), what: "it is longer than it says" }.into_io()),
        }
    }
}

impl<R: Read> Read for Exact<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            return self.expect_end().map(|()| 0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = read_some(&mut self.inner, buffer.get_mut(..most).unwrap_or_default())?;
        if read == 0 {
            return Err(ImageError::Truncated { path: self.path.clone() }.into_io());
        }
        self.left -= read as u64;
        if self.left == 0 {
            self.expect_end()?;
        }
        Ok(read)
    }
}

pub(super) fn read_some(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Takes the SHA-256 of what is read through it; a [`Tap`] tells it, wherever the reader itself has gone.
pub struct Hashed<R> {
    inner: R,
    tap: Tap,
}

/// The hash so far, shared with a [`Hashed`].
#[derive(Clone, Default)]
pub struct Tap(Arc<Mutex<Tapped>>);

#[derive(Clone, Default)]
struct Tapped {
    hash: Sha256,
    bytes: u64,
}

impl<R: Read> Hashed<R> {
    pub fn new(inner: R) -> (Hashed<R>, Tap) {
        let tap = Tap::default();
        (Hashed { inner, tap: tap.clone() }, tap)
    }
}

impl Tap {
    /// Of all bytes read so far, and how many these were.
    pub fn digest(&self) -> (Digest, Bytes) {
        let tapped = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (Digest(tapped.hash.finalize().into()), Bytes(tapped.bytes))
    }

    fn update(&self, bytes: &[u8]) {
        let mut tapped = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tapped.hash.update(bytes);
        tapped.bytes += bytes.len() as u64;
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.tap.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// Adds what is read through it to a meter.
pub struct Metered<R> {
    inner: R,
    meter: Meter,
}

impl<R: Read> Metered<R> {
    pub fn new(inner: R, meter: Meter) -> Metered<R> {
        Metered { inner, meter }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.meter.add(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte a call, and an interruption before each.
    struct Trickle<'a> {
        bytes: &'a [u8],
        interrupted: bool,
    }

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.interrupted = !self.interrupted;
            if self.interrupted {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let one = buffer.len().min(1);
            self.bytes.read(&mut buffer[..one])
        }
    }

    fn trickle(bytes: &[u8]) -> Trickle<'_> {
        Trickle { bytes, interrupted: false }
    }

    fn read_all(mut from: impl Read) -> Result<Vec<u8>, ImageError> {
        let mut all = Vec::new();
        from.read_to_end(&mut all).map(|_| all).map_err(|error| ImageError::from_read("x".as_ref(), error))
    }

    #[test]
    fn exact_gives_all_or_an_error() {
        let exact = |bytes, size| read_all(Exact::new(trickle(bytes), Bytes(size), "x"));
        assert_eq!(exact(b"12345", 5).unwrap(), b"12345");
        assert_eq!(exact(b"", 0).unwrap(), b"");
        assert!(matches!(exact(b"1234", 5), Err(ImageError::Truncated { .. })));
        assert!(matches!(exact(b"123456", 5), Err(ImageError::Broken { .. })));
        assert!(matches!(exact(b"1", 0), Err(ImageError::Broken { .. })));
        assert!(matches!(exact(b"1", u64::MAX), Err(ImageError::Truncated { .. })));
    }

    #[test]
    fn exact_gives_the_last_byte_only_if_it_is_the_last() {
        let mut five = [0; 5];
        Exact::new(trickle(b"12345"), Bytes(5), "x").read_exact(&mut five).unwrap();
        let longer = Exact::new(trickle(b"123456"), Bytes(5), "x").read_exact(&mut five);
        assert!(longer.is_err(), "the caller stops at the size it knows");
    }

    #[test]
    fn hashes_and_counts_what_goes_through() {
        let meter = Meter::new();
        let (hashed, tap) = Hashed::new(Metered::new(trickle(b"abc"), meter.clone()));
        let mut boxed: Box<dyn Read> = Box::new(hashed);
        assert_eq!(tap.digest().1, Bytes::ZERO);
        let mut all = Vec::new();
        boxed.read_to_end(&mut all).unwrap();
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(tap.digest(), (known.parse().unwrap(), Bytes(3)));
        assert_eq!(meter.amount().done, 3);
    }
}
