//! The bytes of an object as they go out, with what can go wrong under way.

use std::io;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use bytes::Bytes as Chunk;
use futures_util::Stream;
use futures_util::stream::unfold;

use super::Content;

const CHUNK: u64 = 64 << 10;
/// Long enough for the server to hand what was sent so far to the kernel.
const SETTLE: Duration = Duration::from_millis(10);

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Whole,
    /// The connection is dropped at this offset into the body.
    Dropped(u64),
    /// Nothing more comes at this offset into the body.
    Silent(u64),
}

pub(super) struct Body {
    pub content: Content,
    pub from: u64,
    pub length: u64,
    pub ending: Ending,
    /// Bytes in a second.
    pub speed: Option<u64>,
}

impl Body {
    pub fn stream(self) -> impl Stream<Item = io::Result<Chunk>> {
        unfold((self, 0), |(body, sent)| async move {
            let item = body.next(sent).await?;
            let sent = sent + item.as_ref().map_or(0, |chunk| chunk.len() as u64);
            Some((item, (body, sent)))
        })
    }

    async fn next(&self, sent: u64) -> Option<io::Result<Chunk>> {
        let end = match self.ending {
            Ending::Whole => self.length,
            Ending::Dropped(at) | Ending::Silent(at) => self.length.min(at),
        };
        if sent >= end {
            return self.end(sent).await;
        }
        let most = self.speed.map_or(CHUNK, |speed| (speed / 20).clamp(1, CHUNK));
        if self.speed.is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(self.read(self.from + sent, most.min(end - sent)))
    }

    async fn end(&self, sent: u64) -> Option<io::Result<Chunk>> {
        match self.ending {
            Ending::Silent(_) if sent < self.length => std::future::pending().await,
            Ending::Dropped(_) if sent < self.length => {
                tokio::time::sleep(SETTLE).await;
                Some(Err(io::ErrorKind::ConnectionReset.into()))
            }
            _ => None,
        }
    }

    fn read(&self, at: u64, length: u64) -> io::Result<Chunk> {
        let too_large = |_| io::Error::from(io::ErrorKind::InvalidInput);
        let size = usize::try_from(length).map_err(too_large)?;
        match &self.content {
            Content::Bytes(bytes) => {
                let at = usize::try_from(at).map_err(too_large)?;
                let missing = || io::Error::from(io::ErrorKind::UnexpectedEof);
                bytes.get(at..at + size).map(|part| bytes.slice_ref(part)).ok_or_else(missing)
            }
            Content::File(path) => {
                let mut buffer = vec![0; size];
                std::fs::File::open(path)?.read_exact_at(&mut buffer, at)?;
                Ok(buffer.into())
            }
        }
    }
}
