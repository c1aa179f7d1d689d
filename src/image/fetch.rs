//! The download (IM-3): goes on where it stopped, starts over where the asset changed, and keeps only what was verified.

use std::time::Instant;

use awc::http::header;

use super::ImageError;
use super::cache::{Cache, Kept};
use super::get::{Answer, Getter, host_of};
use super::growing::{Ending, Growing};
use super::part::{Part, PartNote};
pub use super::source::Source;
use super::writer::{self, Writer};
use crate::domain::backoff::{Backoff, Failure};
use crate::domain::image::Digest;
use crate::domain::pace::Pace;
use crate::domain::progress::{Meter, StopFlag};
use crate::domain::size::Bytes;

/// Downloads `source` into the cache and verifies it. Every wait is bounded by `pace`; `stop` is looked at in each wait
/// and once a chunk. What was downloaded stays for the next time unless it is wrong or the disk is full.
///
/// To be stopped by the flag and awaited, not dropped: a dropped one still stores what was under way.
///
/// Whoever reads `growing` gets the bytes as they come. It ends when the download does.
pub async fn fetch(
    client: &awc::Client,
    pace: &Pace,
    source: &Source,
    cache: &Cache,
    (meter, stop): (&Meter, &StopFlag),
    growing: &Growing,
) -> Result<Kept, ImageError> {
    let _ending = Ending(growing);
    let getter = Getter { client, pace, stop };
    let part = cache.part_for(source)?;
    loop {
        let mut download = Download::start(getter, source, &part, meter, growing).await?;
        let outcome = download.run().await;
        let inherited = download.inherited;
        let digest = match download.end(outcome).await {
            Err(error @ (ImageError::NoRoom { .. } | ImageError::OtherSize { .. })) => {
                part.remove();
                return Err(error);
            }
            other => other?,
        };
        if source.digest.is_none_or(|wanted| wanted == digest) {
            growing.ends(true);
            return admit(cache, source, &part, digest).await;
        }
        part.remove();
        if !inherited || growing.was_read() {
            return Err(ImageError::Damaged { name: source.name.clone() });
        }
        log::warn!("what an earlier run left of {} does not fit; starting over", source.name);
    }
}

/// Renaming and syncing wait for the disk, so not on the thread of the client.
async fn admit(cache: &Cache, source: &Source, part: &Part, digest: Digest) -> Result<Kept, ImageError> {
    let (cache, source, part) = (cache.clone(), source.clone(), part.clone());
    let path = part.bytes.clone();
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("image-admit".into())
        // Nobody waits any more where the download was dropped: the image is kept all the same.
        .spawn(move || drop(tell.send(cache.admit(&source, &part, digest))))
        .map_err(|error| ImageError::storing(&path, Bytes::ZERO, error))?;
    told.await.unwrap_or(Err(ImageError::Stopped))
}

struct Download<'a> {
    getter: Getter<'a>,
    source: &'a Source,
    meter: &'a Meter,
    writer: Writer,
    note: Option<PartNote>,
    /// Bytes handed to the writer.
    done: u64,
    /// Some of the bytes are from an earlier run of the program.
    inherited: bool,
    /// How often bytes had to be thrown away.
    starts: u32,
}

impl<'a> Download<'a> {
    async fn start(
        getter: Getter<'a>,
        source: &'a Source,
        part: &Part,
        meter: &'a Meter,
        growing: &Growing,
    ) -> Result<Download<'a>, ImageError> {
        let (note, done) = part.left_over(source).map_or((None, 0), |(note, length)| (Some(note), length));
        if let Some(total) = note.as_ref().map(|note| note.total).or(source.size.map(|size| size.0)) {
            meter.set_total(total);
        }
        meter.set_done(0);
        let (writer, ready) = writer::start((part.clone(), growing.clone()), done, meter.clone(), getter.stop.clone())?;
        if ready.await.is_err() {
            // It ended before it was ready and says why.
            return Err(writer.finish().await.err().unwrap_or(ImageError::Stopped));
        }
        Ok(Download { getter, source, meter, writer, note, done, inherited: done > 0, starts: 0 })
    }

    /// Ends the writer whatever happened, and tells the first cause.
    async fn end(self, outcome: Result<(), ImageError>) -> Result<Digest, ImageError> {
        let stored = self.writer.finish().await;
        outcome.and(stored)
    }

    async fn run(&mut self) -> Result<(), ImageError> {
        let mut failures = 0;
        let (mut line, clock) = (Backoff::new(self.getter.pace), Instant::now());
        while !self.is_complete() {
            let before = (self.done, self.starts);
            let begun = clock.elapsed();
            let error = match self.once().await {
                Ok(()) if self.is_complete() => return Ok(()),
                Ok(()) => self.broke_off(),
                Err(error) if error.is_passing() => error,
                Err(error) => return Err(error),
            };
            // Starting over is bounded by itself: see `forget`.
            failures = if self.done > before.0 || self.starts > before.1 { 0 } else { failures + 1 };
            if failures >= self.getter.pace.tries {
                return Err(error);
            }
            if self.done > before.0 {
                line.worked(begun);
            }
            let setback = line.failed(clock.elapsed(), Failure::Passing);
            if setback.say.is_some() {
                log::info!("{error} after {} of {}; going on", Bytes(self.done), self.source.name);
            }
            self.getter.rest(setback.wait).await?;
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.note.as_ref().is_some_and(|note| note.total == self.done)
    }

    fn broke_off(&self) -> ImageError {
        let source = std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "the connection ended too early");
        ImageError::Connection { host: host_of(&self.source.url), source }
    }

    /// One connection: as many bytes as it gives.
    async fn once(&mut self) -> Result<(), ImageError> {
        let mut headers = Vec::new();
        let validator = self.note.as_ref().and_then(PartNote::validator).filter(|_| self.done > 0);
        if let Some(validator) = validator {
            headers.push((header::RANGE, format!("bytes={}-", self.done)));
            headers.push((header::IF_RANGE, validator.to_string()));
        }
        let mut answer = self.getter.get(&self.source.url, &headers).await?;
        match answer.status {
            200 => self.begin(&answer).await?,
            206 if self.continues(&answer) => {}
            // Not what we have the beginning of, or a range that it does not have: the next try asks for everything.
            206 | 416 => return self.forget(),
            _ => return Err(answer.refusal()),
        }
        self.take(&mut answer).await
    }

    async fn begin(&mut self, answer: &Answer) -> Result<(), ImageError> {
        if self.done > 0 {
            self.forget()?;
        }
        let note = self.describe(answer)?;
        (self.done, self.inherited) = (0, false);
        self.meter.set_total(note.total);
        self.meter.set_done(0);
        self.note = Some(note.clone());
        self.writer.begin(note).await
    }

    fn describe(&self, answer: &Answer) -> Result<PartNote, ImageError> {
        let (name, host) = (self.source.name.clone(), answer.host.clone());
        let total = answer.number(header::CONTENT_LENGTH).or(self.source.size.map(|size| size.0));
        let total = total.ok_or(ImageError::NoLength { name: name.clone(), host })?;
        match self.source.size {
            Some(expected) if expected.0 != total => Err(ImageError::OtherSize { name, expected, found: Bytes(total) }),
            _ => Ok(PartNote {
                url: self.source.url.to_string(),
                digest: self.source.digest,
                total,
                etag: answer.header(header::ETAG).map(String::from),
                modified: answer.header(header::LAST_MODIFIED).map(String::from),
            }),
        }
    }

    /// Whether a 206 is the rest of what we have.
    fn continues(&self, answer: &Answer) -> bool {
        let Some(note) = &self.note else { return false };
        let range = answer.header(header::CONTENT_RANGE).and_then(parse_content_range);
        let same = match (answer.header(header::ETAG), &note.etag) {
            (Some(now), Some(then)) => now == then,
            _ => true,
        };
        same && range.is_some_and(|(first, total)| first == self.done && total.is_none_or(|t| t == note.total))
    }

    /// The bytes so far are of no use. The writer hears of it when the next ones come.
    fn forget(&mut self) -> Result<(), ImageError> {
        self.starts += 1;
        self.note = None;
        self.done = 0;
        if self.starts > self.getter.pace.tries {
            return Err(ImageError::KeepsChanging { name: self.source.name.clone() });
        }
        Ok(())
    }

    async fn take(&mut self, answer: &mut Answer) -> Result<(), ImageError> {
        let total = self.note.as_ref().map_or(0, |note| note.total);
        while let Some(chunk) = answer.next(&self.getter, self.getter.pace.download_silence).await? {
            let length = chunk.len() as u64;
            if length > total - self.done.min(total) {
                let found = Bytes(self.done + length);
                return Err(ImageError::OtherSize { name: self.source.name.clone(), expected: Bytes(total), found });
            }
            self.writer.store(chunk).await?;
            self.done += length;
            self.meter.set_done(self.done);
        }
        Ok(())
    }
}

/// `bytes 5-9/10` → (5, 10); the total may be `*`.
pub(super) fn parse_content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let total = if total == "*" { None } else { Some(total.parse::<u64>().ok()?) };
    (first <= last && total.is_none_or(|total| last < total)).then_some((first, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges() {
        let cases = [
            ("bytes 5-9/10", Some((5, Some(10)))),
            ("bytes 0-0/1", Some((0, Some(1)))),
            ("bytes 5-9/*", Some((5, None))),
            ("bytes 9-5/10", None),
            ("bytes 5-10/10", None),
            ("bytes */10", None),
            ("items 5-9/10", None),
            ("bytes 5-9", None),
            ("bytes a-b/c", None),
            ("", None),
        ];
        for (text, want) in cases {
            assert_eq!(parse_content_range(text), want, "{text}");
        }
    }
}
