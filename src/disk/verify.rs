//! Reading back past the page cache and comparing; what a difference most likely means (WR-3).

use std::collections::HashMap;
use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::host::Claim;
use crate::host::buffer::Aligned;

use super::blank::{flush, read, write as write_at};
use super::chunk::{CHUNK, Chunk, Fate, hash_of, place};
use super::error::CardError;
use super::write::rewrite;
use super::{ImageBytes, Work, is_zero};

/// Blocks that may read right only after they were written again; one more, and the card is not reliable.
const MOST_REWRITTEN: usize = 3;
/// Chunks that are read at once, and how many such reads are under way or waiting to be compared.
const RUN: u64 = 4;
const RUNS: usize = 3;
/// Of the chunks that were compared instead of written every so many is compared once more: a card that was changed for
/// another meanwhile is noticed.
const AGAIN: u64 = 64;

/// Compares every chunk but the first (which is not on the card yet), unless it was read and right since the last write.
/// Returns the numbers of those that had to be written again.
pub(super) fn verify(
    claim: &dyn Claim,
    chunks: &[Chunk],
    image: &dyn ImageBytes,
    work: &Work,
) -> Result<Vec<u64>, CardError> {
    claim.shut_out().map_err(CardError::Flush)?;
    let Found { mut bad, stale } = first_pass(claim, chunks, work)?;
    if !stale.is_empty() {
        put_zeros(claim, chunks, &stale, work)?;
        for number in stale {
            work.go_on()?;
            if !same(claim, chunks, number) {
                bad.push(number);
            }
        }
    }
    if bad.is_empty() {
        return Ok(bad);
    }
    bad.sort_unstable();
    mend(claim, chunks, image, bad, work)
}

/// Numbers of chunks.
#[derive(Default)]
struct Found {
    /// They differ, or cannot be read.
    bad: Vec<u64>,
    /// Zeros of the image that were left out, and the card has something else there.
    stale: Vec<u64>,
}

/// What was read of the card at once.
struct Back {
    numbers: Range<u64>,
    /// Of each chunk whether it could be read.
    readable: Vec<bool>,
    buffer: Aligned,
}

/// One thread reads, in order and without a break; this one compares.
fn first_pass(claim: &dyn Claim, chunks: &[Chunk], work: &Work) -> Result<Found, CardError> {
    let (full_sender, full) = sync_channel(RUNS);
    let (empty_sender, empty) = sync_channel(RUNS);
    for _ in 0..RUNS {
        // The receiver is here: this cannot fail.
        let _ = empty_sender.send(Aligned::new(RUN as usize * CHUNK));
    }
    let found = thread::scope(|scope| {
        let reader = thread::Builder::new().name("reader".into());
        reader
            .spawn_scoped(scope, move || read_runs(claim, chunks, &empty, &full_sender, work))
            .map_err(|source| CardError::Read { at: place(0), source })?;
        // Both ends go with it: a reader that waited for a buffer, or to give one away, would wait for ever.
        compare(chunks, full, empty_sender, work)
    })?;
    match found.bad.len() > MOST_REWRITTEN {
        true => Err(unreliable(claim, chunks, &found.bad)),
        false => Ok(found),
    }
}

fn is_read(number: u64, chunk: &Chunk) -> bool {
    number > 0 && (chunk.fate != Fate::Held || number.is_multiple_of(AGAIN))
}

/// What is read, as much of it at once as lies together.
fn runs(chunks: &[Chunk]) -> Vec<Range<u64>> {
    let mut runs: Vec<Range<u64>> = Vec::new();
    for (number, _) in (0u64..).zip(chunks).filter(|(number, chunk)| is_read(*number, chunk)) {
        match runs.last_mut() {
            Some(last) if last.end == number && number - last.start < RUN => last.end += 1,
            _ => runs.push(number..number + 1),
        }
    }
    runs
}

/// Until everything was read, or nobody takes it any more.
fn read_runs(
    claim: &dyn Claim,
    chunks: &[Chunk],
    empty: &Receiver<Aligned>,
    full: &SyncSender<Result<Back, CardError>>,
    work: &Work,
) {
    for numbers in runs(chunks) {
        let Ok(buffer) = empty.recv() else { return };
        if work.stop.is_set() {
            return;
        }
        let back = read_run(claim, chunks, numbers, buffer);
        let failed = back.is_err();
        if full.send(back).is_err() || failed {
            return;
        }
    }
}

/// Only a card that is still there can have a block that cannot be read.
fn read_run(claim: &dyn Claim, chunks: &[Chunk], numbers: Range<u64>, mut buffer: Aligned) -> Result<Back, CardError> {
    let still_there = |result: Result<(), CardError>| match result {
        Err(error) if claim.is_gone() => Err(error),
        result => Ok(result.is_ok()),
    };
    let places: Vec<Range<usize>> = numbers.clone().scan(0, |at, number| Some(place_in(chunks, number, at))).collect();
    let end = places.last().map_or(0, |last| last.end);
    let whole = still_there(read(claim, place(numbers.start).0, buffer.get_mut(..end).unwrap_or_default()))?;
    let mut readable = vec![whole; places.len()];
    if !whole && places.len() > 1 {
        // One of them cannot be read: which?
        for ((number, place_in), is_readable) in numbers.clone().zip(places).zip(&mut readable) {
            let part = buffer.get_mut(place_in).unwrap_or_default();
            *is_readable = still_there(read(claim, place(number).0, part))?;
        }
    }
    Ok(Back { numbers, readable, buffer })
}

/// Where a chunk lies in a buffer whose next free byte is `at`.
fn place_in(chunks: &[Chunk], number: u64, at: &mut usize) -> Range<usize> {
    let start = *at;
    *at += chunks.get(number as usize).map_or(0, |chunk| chunk.length as usize);
    start..*at
}

fn compare(
    chunks: &[Chunk],
    full: Receiver<Result<Back, CardError>>,
    empty: SyncSender<Aligned>,
    work: &Work,
) -> Result<Found, CardError> {
    let mut found = Found::default();
    let passed = (0u64..).zip(chunks).filter(|(number, chunk)| !is_read(*number, chunk));
    work.meter.add(passed.map(|(_, chunk)| u64::from(chunk.length)).sum());
    for back in full {
        work.go_on()?;
        let Back { numbers, readable, buffer } = back?;
        let mut at = 0;
        for (number, is_readable) in numbers.zip(readable) {
            let bytes = buffer.get(place_in(chunks, number, &mut at)).unwrap_or_default();
            let Some(chunk) = chunks.get(number as usize) else { continue };
            match is_readable && chunk.is(bytes) {
                true => {}
                false if is_readable && chunk.fate == Fate::Left => found.stale.push(number),
                false => found.bad.push(number),
            }
            work.meter.add(chunk.length.into());
        }
        if found.bad.len() > MOST_REWRITTEN {
            return Ok(found);
        }
        // The reader is gone when it has nothing more to read.
        let _ = empty.send(buffer);
    }
    work.go_on()?;
    Ok(found)
}

/// Writes the image's zeros wherever they were left out and the card holds something else: for a card that will not be
/// read back.
pub(super) fn clear(claim: &dyn Claim, chunks: &[Chunk], work: &Work) -> Result<(), CardError> {
    let mut buffer = Aligned::new(CHUNK);
    let mut stale = Vec::new();
    for (number, chunk) in (0u64..).zip(chunks).skip(1).filter(|(_, chunk)| chunk.fate == Fate::Left) {
        work.go_on()?;
        if !is_zero(read_chunk(claim, number, &mut buffer, chunk.length as usize)?) {
            stale.push(number);
        }
    }
    put_zeros(claim, chunks, &stale, work)
}

fn put_zeros(claim: &dyn Claim, chunks: &[Chunk], numbers: &[u64], work: &Work) -> Result<(), CardError> {
    let zeros = Aligned::new(CHUNK);
    for number in numbers {
        work.go_on()?;
        let length = chunks.get(*number as usize).map_or(0, |chunk| chunk.length as usize);
        write_at(claim, place(*number).0, zeros.get(..length).unwrap_or(&zeros))?;
    }
    flush(claim)
}

fn read_chunk<'a>(claim: &dyn Claim, number: u64, buffer: &'a mut [u8], length: usize) -> Result<&'a [u8], CardError> {
    let part = buffer.get_mut(..length).unwrap_or_default();
    read(claim, place(number).0, part)?;
    Ok(part)
}

/// Reads right now; what cannot be read does not.
fn same(claim: &dyn Claim, chunks: &[Chunk], number: u64) -> bool {
    let Some(chunk) = chunks.get(number as usize) else { return false };
    let mut buffer = Aligned::new(CHUNK);
    let bytes = read_chunk(claim, number, &mut buffer, chunk.length as usize);
    bytes.is_ok_and(|bytes| chunk.is(bytes))
}

/// One more write and one more look at each; the kind of damage is judged before, while it is there.
fn mend(
    claim: &dyn Claim,
    chunks: &[Chunk],
    image: &dyn ImageBytes,
    bad: Vec<u64>,
    work: &Work,
) -> Result<Vec<u64>, CardError> {
    let verdict = unreliable(claim, chunks, &bad);
    if bad.len() > MOST_REWRITTEN {
        return Err(verdict);
    }
    rewrite(claim, image, &bad, work)?;
    for number in &bad {
        if !same(claim, chunks, *number) {
            return Err(verdict);
        }
    }
    Ok(bad)
}

fn unreliable(claim: &dyn Claim, chunks: &[Chunk], bad: &[u64]) -> CardError {
    let first = bad.iter().min().copied().unwrap_or(0);
    let looks_like = judge(claim, chunks, first).unwrap_or("it could not be read again");
    CardError::Unreliable { places: bad.len() as u64, first: place(first), looks_like }
}

/// What the wrong bytes of a chunk look like.
fn judge(claim: &dyn Claim, chunks: &[Chunk], number: u64) -> Result<&'static str, CardError> {
    let length = chunks.get(number as usize).map_or(0, |chunk| chunk.length as usize);
    let (mut one, mut two) = (Aligned::new(CHUNK), Aligned::new(CHUNK));
    let once = hash_of(read_chunk(claim, number, &mut one, length)?);
    let bytes = read_chunk(claim, number, &mut two, length)?;
    let again = hash_of(bytes);
    if once != again {
        return Ok("it reads differently each time, which points to the reader or its cable");
    }
    if is_zero(bytes) {
        return Ok("what was written there is lost");
    }
    let known: HashMap<u128, u64> = (0u64..).zip(chunks).map(|(n, chunk)| (chunk.hash, n)).collect();
    if known.contains_key(&again) {
        return Ok("data of another place comes back, as from a card that holds less than it says");
    }
    Ok("some bits are wrong, as on a worn card")
}
