//! The backup's bytes, from their file to the card and back, hashed beside: the card never waits for the file or the hash.

use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use ext4_view::Ext4;
use sha2::{Digest as _, Sha256};

use crate::domain::image::Digest;
use crate::domain::size::MIB;
use crate::host::Claim;
use crate::host::buffer::Aligned;

use super::blank::{flush, write as write_at};
use super::error::CardError;
use super::extents::Piece;
use super::inject::{BackupFile, unreadable};
use super::{Work, fill};

/// Of 1 MiB each, under way between the two threads.
const BUFFERS: usize = 4;

/// Puts the backup into its blocks, refusing one that is not the file that was checked.
pub(super) fn write(claim: &dyn Claim, backup: &BackupFile, pieces: &[Piece], work: &Work) -> Result<(), CardError> {
    let digest = thread::scope(|scope| {
        let (full_sender, full) = sync_channel(BUFFERS);
        let (empty_sender, empty) = buffers(|| Aligned::new(MIB as usize));
        let reader = thread::Builder::new().name("reader".into());
        let reader = reader.spawn_scoped(scope, move || read_file(backup, pieces, &empty, &full_sender));
        let reader = reader.map_err(CardError::Backup)?;
        // Both ends go with it: a reader that waited for a buffer, or to give one away, would wait for ever.
        put(claim, pieces, full, empty_sender, work)?;
        reader.join().unwrap_or_else(|_| Err(io::Error::other("its reader broke"))).map_err(CardError::Backup)
    })?;
    flush(claim)?;
    match digest == backup.digest {
        true => Ok(()),
        false => Err(CardError::Backup(changed())),
    }
}

fn changed() -> io::Error {
    io::Error::other("it changed while it was used")
}

/// Empty buffers, waiting to be filled.
fn buffers<B>(make: impl Fn() -> B) -> (SyncSender<B>, Receiver<B>) {
    let (sender, receiver) = sync_channel(BUFFERS);
    for _ in 0..BUFFERS {
        // The receiver is here: this cannot fail.
        let _ = sender.send(make());
    }
    (sender, receiver)
}

/// Reads the file a piece at a time. Ends early if nobody takes them any more.
fn read_file(
    backup: &BackupFile,
    pieces: &[Piece],
    empty: &Receiver<Aligned>,
    full: &SyncSender<Aligned>,
) -> io::Result<Digest> {
    let (mut file, mut hash) = (File::open(&backup.path)?, Sha256::new());
    for piece in pieces {
        let mut buffer = empty.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
        let (bytes, rest) = buffer.get_mut(..piece.length).unwrap_or_default().split_at_mut(piece.of_file);
        if fill(&mut file, bytes)? < piece.of_file {
            return Err(changed());
        }
        rest.fill(0);
        hash.update(bytes);
        full.send(buffer).map_err(|_| io::ErrorKind::BrokenPipe)?;
    }
    Ok(Digest(hash.finalize().into()))
}

/// Writes what comes. A reader that failed says why itself.
fn put(
    claim: &dyn Claim,
    pieces: &[Piece],
    full: Receiver<Aligned>,
    empty: SyncSender<Aligned>,
    work: &Work,
) -> Result<(), CardError> {
    for piece in pieces {
        let Ok(buffer) = full.recv() else { return Ok(()) };
        work.go_on()?;
        write_at(claim, piece.at, buffer.get(..piece.length).unwrap_or(&buffer))?;
        work.meter.add(piece.of_file as u64);
        // The reader is gone when it has read everything.
        let _ = empty.send(buffer);
    }
    work.go_on()
}

/// The digest of a file on the card. This thread reads, another one hashes.
pub(super) fn digest_of(fs: &Ext4, path: &str, work: &Work) -> Result<Digest, CardError> {
    let file = fs.open(path).map_err(unreadable)?;
    thread::scope(|scope| {
        let (full_sender, full) = sync_channel(BUFFERS);
        let (empty_sender, empty) = buffers(|| vec![0; MIB as usize]);
        let hasher = thread::Builder::new().name("hasher".into());
        let hasher = hasher.spawn_scoped(scope, move || hash_all(&full, &empty_sender)).map_err(|_| unhashed())?;
        // Its end of the channel goes with it: the hasher would wait for ever.
        read_card(file, &empty, full_sender, work)?;
        hasher.join().map_err(|_| unhashed())
    })
}

fn unhashed() -> CardError {
    CardError::LastCheck("the backup on the card could not be hashed".into())
}

/// A filled buffer, and how much of it is.
type Filled = (Vec<u8>, usize);

fn read_card(
    mut file: ext4_view::File,
    empty: &Receiver<Vec<u8>>,
    full: SyncSender<Filled>,
    work: &Work,
) -> Result<(), CardError> {
    loop {
        work.go_on()?;
        let mut buffer = empty.recv().map_err(|_| unhashed())?;
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            // A block at most.
            match file.read_bytes(rest).map_err(unreadable)? {
                0 => break,
                count => filled += count,
            }
        }
        if filled == 0 {
            return Ok(());
        }
        full.send((buffer, filled)).map_err(|_| unhashed())?;
        work.meter.add_uncounted(filled as u64);
    }
}

fn hash_all(full: &Receiver<Filled>, empty: &SyncSender<Vec<u8>>) -> Digest {
    let mut hash = Sha256::new();
    for (buffer, filled) in full {
        hash.update(buffer.get(..filled).unwrap_or_default());
        // The reader is gone when it has read everything.
        let _ = empty.send(buffer);
    }
    Digest(hash.finalize().into())
}
