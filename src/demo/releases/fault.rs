//! What a release server can do wrong.

/// Each stays switched on until it was used up (`times`) or is cleared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Bodies of objects end after so many bytes and the connection is dropped, though the length promised more.
    DropAfter {
        bytes: u64,
        times: u32,
    },
    /// Drops once after so many bytes; from then on the object has other bytes and another ETag.
    ChangeAfter {
        bytes: u64,
        to: Vec<u8>,
    },
    /// Answers 200 with everything, whatever was asked.
    IgnoreRange,
    /// Answers 206 with another range than was asked.
    OtherRange {
        times: u32,
    },
    /// Neither ETag nor Last-Modified.
    NoValidators,
    /// A weak ETag beside Last-Modified.
    WeakEtag,
    /// Chunked, without Content-Length.
    NoLength,
    /// The release's list gives a digest that no image has.
    WrongDigest,
    /// Without the field, as before June 2025.
    MissingDigest,
    NullDigest,
    /// Something else in its place.
    OddDigest(String),
    /// There is no such release.
    NoRelease,
    /// 403 with GitHub's headers of a used-up limit.
    RateLimited,
    /// The list is no JSON.
    Garbage,
    /// The list is JSON of so many bytes.
    Huge {
        bytes: usize,
    },
    /// Objects send so many bytes in a second.
    Slow {
        per_second: u64,
    },
    /// Accepts requests and never answers.
    Silent {
        times: u32,
    },
    /// Objects fall silent after so many bytes and keep the connection.
    SilentAfter {
        bytes: u64,
        times: u32,
    },
    /// Objects redirect to where one came from.
    RedirectLoop,
    /// The download redirects to this URL.
    RedirectTo(String),
    /// Every request is answered so.
    Status {
        status: u16,
        times: u32,
    },
}

impl Fault {
    /// Where it lasts for a number of times: the count that is left.
    pub(super) fn times(&mut self) -> Option<&mut u32> {
        match self {
            Fault::DropAfter { times, .. }
            | Fault::OtherRange { times }
            | Fault::Silent { times }
            | Fault::SilentAfter { times, .. }
            | Fault::Status { times, .. } => Some(times),
            _ => None,
        }
    }
}
