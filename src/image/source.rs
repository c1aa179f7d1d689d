//! What a download is told: from a release, or a URL of the command line.

use url::Url;

use super::catalog::Release;
use super::part::PART;
use crate::domain::image::{Board, Digest, OsVersion};
use crate::domain::size::Bytes;

/// What is to be downloaded, and what it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub url: Url,
    /// File name in the cache.
    pub name: String,
    pub board: Option<Board>,
    pub version: Option<OsVersion>,
    pub size: Option<Bytes>,
    /// `None`: whoever asks has decided to do without (`--without-digest`).
    pub digest: Option<Digest>,
}

impl From<&Release> for Source {
    fn from(release: &Release) -> Source {
        Source {
            url: release.url.clone(),
            name: release.asset_name.clone(),
            board: Some(release.board),
            version: Some(release.version.clone()),
            size: release.size,
            digest: release.digest,
        }
    }
}

impl Source {
    /// A URL of the command line. The file is named after its last segment.
    pub fn of_url(url: Url, digest: Option<Digest>) -> Source {
        let last = url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
        let fits = |c: &char| c.is_ascii_alphanumeric() || "._-".contains(*c);
        let safe: String = last.chars().filter(fits).take(100).collect();
        let safe = safe.trim_start_matches(['.', '-']).trim_start_matches(PART);
        let name = if safe.is_empty() { "download.img.xz".into() } else { safe.to_string() };
        Source { url, name, board: None, version: None, size: None, digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gives_a_safe_file_name() {
        let cases = [
            ("https://x.org/a/haos_green-18.2.img.xz?sig=1", "haos_green-18.2.img.xz"),
            ("https://x.org/", "download.img.xz"),
            ("https://x.org/%2e%2e%2fetc", "2e2e2fetc"),
            ("https://x.org/..hidden", "hidden"),
            ("https://x.org/a%20b'$.img", "a20b.img"),
        ];
        for (url, name) in cases {
            assert_eq!(Source::of_url(Url::parse(url).unwrap(), None).name, name);
        }
    }
}
