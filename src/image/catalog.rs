//! Which release fits a board, and the digest that its image must have (IM-1, IM-2).

use std::time::Instant;

use awc::http::header;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::ImageError;
use super::get::{Answer, Getter, host_of};
use crate::domain::backoff::{Backoff, Failure};
use crate::domain::image::{Board, Digest, OsVersion, asset_name};
use crate::domain::pace::Pace;
use crate::domain::progress::StopFlag;
use crate::domain::size::Bytes;

/// The real list of one release has about 100 kB.
const ANSWER_MOST: Bytes = Bytes::mib(4);
const PROJECT: [&str; 2] = ["home-assistant", "operating-system"];

/// Where the releases of Home Assistant OS are.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// `https://github.com`
    pub site: Url,
    /// `https://api.github.com`
    pub api: Url,
    pub pace: Pace,
}

/// The image of one board in one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    pub board: Board,
    pub version: OsVersion,
    pub asset_name: String,
    pub url: Url,
    pub size: Option<Bytes>,
    /// `None`: the release says none (assets from before June 2025 have `null`).
    pub digest: Option<Digest>,
}

/// The version that the card gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub version: OsVersion,
    /// The running version has no release, so the latest stable one is taken; to be told to the user.
    pub fell_back: bool,
}

/// IM-1: the running version, or the latest stable one if that is wished or the running one is a development build.
/// `None` where the version that would be taken is not known.
pub fn choose_version(latest_wished: bool, running: Option<&OsVersion>, latest: Option<&OsVersion>) -> Option<Choice> {
    if latest_wished {
        return latest.map(|version| Choice { version: version.clone(), fell_back: false });
    }
    let running = running?;
    if running.is_released() {
        return Some(Choice { version: running.clone(), fell_back: false });
    }
    latest.map(|version| Choice { version: version.clone(), fell_back: true })
}

/// `GET /repos/{owner}/{repo}/releases/tags/{tag}` of GitHub's REST API, as much as is needed of it.
#[derive(Deserialize)]
struct Listed {
    assets: Vec<Asset>,
}

#[derive(Deserialize)]
struct Asset {
    name: String,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    digest: Option<Value>,
}

impl Catalog {
    /// Asks for one release. Tried again within the pace where that may help; dropping the future stops it at once.
    pub async fn release(
        &self,
        client: &awc::Client,
        board: Board,
        version: &OsVersion,
    ) -> Result<Release, ImageError> {
        let stop = StopFlag::new();
        let getter = Getter { client, pace: &self.pace, stop: &stop };
        let (mut line, begun) = (Backoff::new(&self.pace), Instant::now());
        let body = loop {
            let error = match self.ask(&getter, version).await {
                Ok(body) => break body,
                Err(error) => error,
            };
            let setback = line.failed(begun.elapsed(), Failure::Passing);
            if !worth_asking_again(&error) || setback.tries >= self.pace.tries {
                return Err(error);
            }
            if setback.say.is_some() {
                log::info!("{error}; trying again");
            }
            getter.rest(setback.wait).await?;
        };
        self.read(&body, board, version)
    }

    async fn ask(&self, getter: &Getter<'_>, version: &OsVersion) -> Result<bytes::Bytes, ImageError> {
        let [owner, project] = PROJECT;
        let url = under(&self.api, &["repos", owner, project, "releases", "tags", version.as_str()])?;
        let headers = [(header::ACCEPT, "application/vnd.github+json".to_string())];
        let mut answer = getter.get(&url, &headers).await?;
        match answer.status {
            200 => answer.whole(getter, ANSWER_MOST).await,
            404 => Err(ImageError::NoRelease { version: version.clone() }),
            _ => Err(refused(&answer)),
        }
    }

    fn read(&self, body: &[u8], board: Board, version: &OsVersion) -> Result<Release, ImageError> {
        let listed: Listed = serde_json::from_slice(body)
            .map_err(|error| ImageError::Garbage { host: host_of(&self.api), what: error.to_string() })?;
        let name = asset_name(board, version);
        let Some(asset) = listed.assets.into_iter().find(|asset| asset.name == name) else {
            return Err(ImageError::NoAsset { board, asset: name });
        };
        let [owner, project] = PROJECT;
        let url = under(&self.site, &[owner, project, "releases", "download", version.as_str(), &name])?;
        let digest = digest_of(&asset)?;
        Ok(Release { board, version: version.clone(), asset_name: name, url, size: asset.size.map(Bytes), digest })
    }
}

/// A 403 without any word of a limit is GitHub's own too: an address that asked too often.
fn refused(answer: &Answer) -> ImageError {
    match answer.refusal() {
        ImageError::Answered { host, status: 403 } => ImageError::RateLimited { host, reset: None },
        other => other,
    }
}

/// The limit lasts up to an hour: no use in asking again soon.
fn worth_asking_again(error: &ImageError) -> bool {
    error.is_passing() && !matches!(error, ImageError::RateLimited { .. })
}

fn digest_of(asset: &Asset) -> Result<Option<Digest>, ImageError> {
    let bad = |found: String| ImageError::BadDigest { asset: asset.name.clone(), found };
    match &asset.digest {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => text.parse().map(Some).map_err(|_| bad(text.chars().take(100).collect())),
        Some(other) => Err(bad(other.to_string().chars().take(100).collect())),
    }
}

/// `base` with more path segments, each escaped.
fn under(base: &Url, segments: &[&str]) -> Result<Url, ImageError> {
    let mut url = base.clone();
    match url.path_segments_mut() {
        Ok(mut path) => path.pop_if_empty().extend(segments),
        Err(()) => return Err(ImageError::Garbage { host: host_of(base), what: format!("{base} is no base") }),
    };
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> OsVersion {
        text.parse().unwrap()
    }

    #[test]
    fn the_version_is_the_running_one_unless_it_cannot_be() {
        let (old, new, dev) = (version("17.1"), version("18.2"), version("18.3.dev20260101"));
        let took = |version: &OsVersion, fell_back| Some(Choice { version: version.clone(), fell_back });
        assert_eq!(choose_version(false, Some(&old), Some(&new)), took(&old, false));
        assert_eq!(choose_version(false, Some(&old), None), took(&old, false));
        assert_eq!(choose_version(true, Some(&old), Some(&new)), took(&new, false));
        assert_eq!(choose_version(false, Some(&dev), Some(&new)), took(&new, true));
        assert_eq!(choose_version(true, Some(&old), None), None);
        assert_eq!(choose_version(false, Some(&dev), None), None);
        assert_eq!(choose_version(false, None, Some(&new)), None);
    }

    fn catalog() -> Catalog {
        let url = |text: &str| Url::parse(text).unwrap();
        Catalog { site: url("https://github.com"), api: url("https://api.github.com/"), pace: Pace::brisk() }
    }

    #[test]
    fn an_answer_is_read_by_the_assets_name() {
        let digits = "0f".repeat(32);
        let cases: [(String, Result<Option<Digest>, ()>); 7] = [
            (format!(r#""digest":"sha256:{digits}""#), Ok(digits.parse().ok())),
            (r#""digest":null"#.into(), Ok(None)),
            (r#""x":1"#.into(), Ok(None)),
            (r#""digest":"sha512:00""#.into(), Err(())),
            (r#""digest":"sha256:00""#.into(), Err(())),
            (r#""digest":5"#.into(), Err(())),
            (r#""digest":"""#.into(), Err(())),
        ];
        for (field, want) in cases {
            let asset = r#"{"name":"haos_ova-18.2.qcow2.xz","size":1},{"name":"haos_green-18.2.img.xz","size":7,"#;
            let body = format!(r#"{{"tag_name":"18.2","assets":[{asset}{field}}}]}}"#);
            let got = catalog().read(body.as_bytes(), Board::Green, &version("18.2"));
            match got {
                Ok(release) => {
                    assert_eq!(Ok(release.digest), want, "{field}");
                    assert_eq!(release.size, Some(Bytes(7)));
                    let path = "/home-assistant/operating-system/releases/download/18.2/haos_green-18.2.img.xz";
                    assert_eq!(release.url.as_str(), format!("https://github.com{path}"));
                }
                Err(error) => {
                    assert!(matches!(error, ImageError::BadDigest { .. }), "{error}");
                    assert!(want.is_err(), "{field}");
                }
            }
        }
    }

    #[test]
    fn an_answer_without_our_asset_or_without_sense() {
        let read = |body: &str| catalog().read(body.as_bytes(), Board::Green, &version("18.2"));
        assert!(matches!(read(r#"{"assets":[]}"#), Err(ImageError::NoAsset { .. })));
        for garbage in ["", "<html>", "{}", "[]", r#"{"assets":7}"#, r#"{"assets":[{"size":1}]}"#] {
            assert!(matches!(read(garbage), Err(ImageError::Garbage { .. })), "{garbage}");
        }
    }
}
