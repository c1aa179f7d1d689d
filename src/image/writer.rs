//! The thread that stores and hashes a download, so that a slow disk never holds up the thread of the HTTP client.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use bytes::Bytes as Chunk;
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot};

use super::ImageError;
use super::growing::Growing;
use super::part::{Part, PartNote, write_note};
use crate::domain::image::Digest;
use crate::domain::progress::{Meter, StopFlag};
use crate::domain::size::Bytes;

/// Chunks under way to the thread: some hundred kB, then the network has to wait for the disk.
const UNDER_WAY: usize = 16;
const BUFFER: usize = 256 << 10;

enum Order {
    /// Throw away what is there; what follows is described by this note.
    Begin(PartNote),
    Store(Chunk),
}

/// The handle; `finish` has to be called, so that the thread is known to have ended.
pub(super) struct Writer {
    orders: mpsc::Sender<Order>,
    outcome: oneshot::Receiver<Result<Digest, ImageError>>,
}

/// Starts the thread with the first `keep` bytes of the part, which it hashes first. Then `ready` tells. What it has
/// stored may be read from `growing`.
pub(super) fn start(
    (part, growing): (Part, Growing),
    keep: u64,
    meter: Meter,
    stop: StopFlag,
) -> Result<(Writer, oneshot::Receiver<()>), ImageError> {
    let (orders, queue) = mpsc::channel(UNDER_WAY);
    let (tell_ready, ready) = oneshot::channel();
    let (tell_outcome, outcome) = oneshot::channel();
    let path = part.bytes.clone();
    let work = move || {
        let outcome = Store::open(part, growing, keep, &meter, &stop).and_then(|store| {
            // Nobody waits any more where the download was dropped; the queue then says so too.
            let _ = tell_ready.send(());
            store.run(queue, &stop)
        });
        let _ = tell_outcome.send(outcome);
    };
    std::thread::Builder::new()
        .name("image-store".into())
        .spawn(work)
        .map_err(|error| ImageError::storing(&path, Bytes::ZERO, error))?;
    Ok((Writer { orders, outcome }, ready))
}

impl Writer {
    pub async fn begin(&mut self, note: PartNote) -> Result<(), ImageError> {
        self.order(Order::Begin(note)).await
    }

    pub async fn store(&mut self, chunk: Chunk) -> Result<(), ImageError> {
        self.order(Order::Store(chunk)).await
    }

    async fn order(&mut self, order: Order) -> Result<(), ImageError> {
        match self.orders.send(order).await {
            Ok(()) => Ok(()),
            Err(_) => Err(outcome(&mut self.outcome).await.err().unwrap_or(ImageError::Stopped)),
        }
    }

    /// Waits until everything is on the disk and the thread has ended; the digest is that of all bytes.
    pub async fn finish(self) -> Result<Digest, ImageError> {
        let Writer { orders, outcome: mut receiver } = self;
        drop(orders);
        outcome(&mut receiver).await
    }
}

async fn outcome(receiver: &mut oneshot::Receiver<Result<Digest, ImageError>>) -> Result<Digest, ImageError> {
    // The thread always tells, once; a receiver that is asked again would panic.
    match receiver.is_terminated() {
        true => Err(ImageError::Stopped),
        false => receiver.await.unwrap_or(Err(ImageError::Stopped)),
    }
}

struct Store {
    part: Part,
    growing: Growing,
    file: File,
    hash: Sha256,
    done: u64,
    total: u64,
}

impl Store {
    fn open(part: Part, growing: Growing, keep: u64, meter: &Meter, stop: &StopFlag) -> Result<Store, ImageError> {
        let failed = |error| ImageError::storing(&part.bytes, Bytes(0), error);
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).clone();
        let mut file = options.open(&part.bytes).map_err(failed)?;
        cut(&mut file, keep).map_err(failed)?;
        let hash = hash_of(&mut (&mut file).take(keep), &part.bytes, meter, stop)?;
        growing.begins(file.try_clone().map_err(failed)?, keep);
        Ok(Store { part, growing, file, hash, done: keep, total: keep })
    }

    fn run(mut self, mut queue: mpsc::Receiver<Order>, stop: &StopFlag) -> Result<Digest, ImageError> {
        while let Some(order) = queue.blocking_recv() {
            match order {
                Order::Begin(note) => self.begin(&note)?,
                Order::Store(chunk) => self.store(&chunk)?,
            }
        }
        if stop.is_set() {
            return Err(ImageError::Stopped);
        }
        self.file.sync_all().map_err(|error| self.failed(error))?;
        Ok(Digest(self.hash.finalize().into()))
    }

    fn begin(&mut self, note: &PartNote) -> Result<(), ImageError> {
        (self.done, self.total) = (0, note.total);
        self.growing.stored(0);
        cut(&mut self.file, 0).map_err(|error| self.failed(error))?;
        self.hash = Sha256::new();
        write_note(&self.part.note, note)
    }

    fn store(&mut self, chunk: &[u8]) -> Result<(), ImageError> {
        self.file.write_all(chunk).map_err(|error| self.failed(error))?;
        self.hash.update(chunk);
        self.done += chunk.len() as u64;
        self.growing.stored(self.done);
        Ok(())
    }

    fn failed(&self, error: io::Error) -> ImageError {
        ImageError::storing(&self.part.bytes, Bytes(self.total.saturating_sub(self.done)), error)
    }
}

/// Leaves the first `keep` bytes, and the position behind them once they were read.
fn cut(file: &mut File, keep: u64) -> io::Result<()> {
    if file.metadata()?.len() != keep {
        file.set_len(keep)?;
    }
    file.seek(SeekFrom::Start(0)).map(|_| ())
}

/// Hashes a reader to its end and sets the meter to the bytes read.
pub(super) fn hash_of(from: &mut impl Read, path: &Path, meter: &Meter, stop: &StopFlag) -> Result<Sha256, ImageError> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    let mut done = 0;
    loop {
        if stop.is_set() {
            return Err(ImageError::Stopped);
        }
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(hash),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(ImageError::Reading { path: path.to_path_buf(), source }),
        };
        hash.update(buffer.get(..read).unwrap_or_default());
        done += read as u64;
        meter.set_done(done);
    }
}
