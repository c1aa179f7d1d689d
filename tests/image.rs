//! Images: found, downloaded, kept and opened, with everything that can go wrong on the way, against a release server
//! that speaks real HTTP.

#![expect(clippy::disallowed_types, reason = "what was made is judged by other tools")]
#![cfg(feature = "demo")]

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use awc::Client;
use sd_swap::demo::releases::{Asset, Content, Fault, Releases, ReleasesConfig};
use sd_swap::domain::image::{Board, Digest, OsVersion};
use sd_swap::domain::pace::Pace;
use sd_swap::domain::problem::Problem;
use sd_swap::domain::progress::{Meter, StopFlag};
use sd_swap::domain::size::Bytes;
use sd_swap::image::cache::{Cache, Kept};
use sd_swap::image::catalog::{Catalog, Release};
use sd_swap::image::fetch::{Source, fetch};
use sd_swap::image::file::ImageFile;
use sd_swap::image::growing::Growing;
use sd_swap::image::stream::ImageStream;
use sd_swap::image::{ImageError, http_client};
use sha2::Digest as _;
use tempfile::TempDir;
use url::Url;

const SIZE: usize = 300_000;
const PATIENT: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(500);
const OBJECT: &str = "/objects/18.2/haos_green-18.2.img.xz";
const NAME: &str = "haos_green-18.2.img.xz";

/// Bytes that look like nothing and are the same each time.
fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut x = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        x as u8
    };
    (0..length).map(|_| next()).collect()
}

fn digest(bytes: &[u8]) -> Digest {
    Digest(sha2::Sha256::digest(bytes).into())
}

fn version(text: &str) -> OsVersion {
    text.parse().unwrap()
}

fn asset(version: &str, bytes: &[u8]) -> Asset {
    let content = Content::Bytes(bytes.to_vec().into());
    Asset { board: Board::Green, version: version.parse().unwrap(), content }
}

/// A release server, an empty cache and a client.
struct World {
    server: Releases,
    client: Client,
    pace: Pace,
    dir: TempDir,
    cache: Cache,
    meter: Meter,
    stop: StopFlag,
    bytes: Vec<u8>,
}

impl World {
    fn new(faults: &[Fault]) -> World {
        let bytes = noise(1, SIZE);
        let config = ReleasesConfig { assets: vec![asset("18.2", &bytes)], faults: faults.to_vec() };
        let dir = tempfile::tempdir().unwrap();
        // Generous where no silence is meant, so that a busy machine is not taken for a broken server.
        let pace = Pace { answer: PATIENT, download_silence: PATIENT, ..Pace::brisk() };
        World {
            server: Releases::start(config).unwrap(),
            client: http_client(&pace),
            pace,
            cache: Cache::open(dir.path().join("images")).unwrap(),
            dir,
            meter: Meter::new(),
            stop: StopFlag::new(),
            bytes,
        }
    }

    fn catalog(&self) -> Catalog {
        Catalog { site: self.server.site(), api: self.server.api(), pace: self.pace }
    }

    async fn release(&self) -> Result<Release, ImageError> {
        self.catalog().release(&self.client, Board::Green, &version("18.2")).await
    }

    /// What the release says, without asking.
    fn source(&self) -> Source {
        let path = format!("/home-assistant/operating-system/releases/download/18.2/{NAME}");
        Source {
            url: self.server.site().join(&path).unwrap(),
            name: NAME.into(),
            board: Some(Board::Green),
            version: Some(version("18.2")),
            size: Some(Bytes(SIZE as u64)),
            digest: Some(digest(&self.bytes)),
        }
    }

    async fn fetch(&self) -> Result<Kept, ImageError> {
        self.fetch_from(&self.source()).await
    }

    async fn fetch_from(&self, source: &Source) -> Result<Kept, ImageError> {
        fetch(&self.client, &self.pace, source, &self.cache, (&self.meter, &self.stop), &Growing::default()).await
    }

    /// Ranges asked of the object, in order.
    fn ranges(&self) -> Vec<Option<String>> {
        self.server.requests().into_iter().filter(|asked| asked.path == OBJECT).map(|asked| asked.range).collect()
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.cache.dir()).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn assert_kept(&self, kept: &Kept) {
        assert_eq!(fs::read(&kept.path).unwrap(), self.bytes);
        assert_eq!(kept.about.digest, digest(&self.bytes));
        assert_eq!(self.meter.amount().percent(), Some(100));
        assert_eq!(self.files(), [NAME.to_string(), format!("{NAME}.json")]);
        assert_eq!(self.cache.find(Board::Green, &version("18.2")).as_ref(), Some(kept));
    }
}

fn range(from: u64) -> Option<String> {
    Some(format!("bytes={from}-"))
}

// ---- The catalog ----------------------------------------------------------------------------------------------------

#[actix_web::test]
async fn a_release_has_an_address_a_size_and_a_digest() {
    let world = World::new(&[]);
    let release = world.release().await.unwrap();
    assert_eq!(Source::from(&release), world.source());
    let missing = world.catalog().release(&world.client, Board::Yellow, &version("18.2")).await;
    assert!(matches!(missing, Err(ImageError::NoAsset { board: Board::Yellow, .. })));
    let none = world.catalog().release(&world.client, Board::Green, &version("18.9")).await;
    assert!(matches!(none, Err(ImageError::NoRelease { .. })));
}

#[actix_web::test]
async fn faults_of_the_catalog_are_told_apart() {
    type Fits = fn(&Result<Release, ImageError>) -> bool;
    let cases: [(Fault, usize, Fits); 10] = [
        (Fault::NoRelease, 1, |r| matches!(r, Err(ImageError::NoRelease { .. }))),
        (Fault::RateLimited, 1, |r| matches!(r, Err(ImageError::RateLimited { reset: Some(1_790_000_000), .. }))),
        (Fault::Garbage, 1, |r| matches!(r, Err(ImageError::Garbage { .. }))),
        (Fault::Huge { bytes: 10 << 20 }, 1, |r| matches!(r, Err(ImageError::TooLong { .. }))),
        (Fault::NullDigest, 1, |r| matches!(r, Ok(Release { digest: None, .. }))),
        (Fault::MissingDigest, 1, |r| matches!(r, Ok(Release { digest: None, .. }))),
        (Fault::OddDigest("md5:1".into()), 1, |r| matches!(r, Err(ImageError::BadDigest { .. }))),
        (Fault::Status { status: 502, times: 2 }, 3, |r| r.is_ok()),
        (Fault::Status { status: 500, times: 99 }, 4, |r| matches!(r, Err(ImageError::Answered { status: 500, .. }))),
        (Fault::Status { status: 451, times: 99 }, 1, |r| matches!(r, Err(ImageError::Answered { status: 451, .. }))),
    ];
    let world = World::new(&[]);
    for (fault, requests, fits) in cases {
        world.server.set_fault(fault.clone());
        world.server.forget_requests();
        let release = world.release().await;
        assert!(fits(&release), "{fault:?}: {release:?}");
        assert_eq!(world.server.requests().len(), requests, "{fault:?}");
    }
}

#[actix_web::test]
async fn a_catalog_that_is_silent_or_gone_is_told() {
    let mut world = World::new(&[Fault::Silent { times: 1 }]);
    world.pace.answer = SHORT;
    assert!(world.release().await.is_ok(), "the second try is answered");
    world.server.set_fault(Fault::Silent { times: 99 });
    world.pace.tries = 2;
    assert!(matches!(world.release().await, Err(ImageError::Silent { .. })));
    let mut catalog = world.catalog();
    catalog.api = Url::parse("http://127.0.0.1:9").unwrap();
    let gone = catalog.release(&world.client, Board::Green, &version("18.2")).await;
    let Err(error @ ImageError::Connection { .. }) = gone else { panic!("{gone:?}") };
    assert_eq!(error.problem(), Some(Problem::DownloadStopped { host: "127.0.0.1".into() }));
}

#[actix_web::test]
async fn https_is_spoken_and_its_failure_is_told() {
    let world = World::new(&[]);
    let mut catalog = world.catalog();
    catalog.api = Url::parse(&format!("https://127.0.0.1:{}", world.server.api().port().unwrap())).unwrap();
    let refused = catalog.release(&world.client, Board::Green, &version("18.2")).await;
    assert!(matches!(refused, Err(ImageError::Connection { .. })), "{refused:?}");
    let mut source = world.source();
    source.url = catalog.api;
    assert!(matches!(world.fetch_from(&source).await, Err(ImageError::Connection { .. })));
    assert_eq!(world.server.requests(), []);
}

// ---- The download ---------------------------------------------------------------------------------------------------

#[actix_web::test]
async fn a_download_is_verified_and_kept() {
    let world = World::new(&[]);
    let kept = world.fetch().await.unwrap();
    world.assert_kept(&kept);
    assert_eq!(world.ranges(), [None]);
    assert!(kept.about.verified);
    world.cache.confirm(&kept, &Meter::new(), &StopFlag::new()).unwrap();
}

#[actix_web::test]
async fn a_dropped_connection_goes_on_where_it_stopped() {
    let world = World::new(&[Fault::DropAfter { bytes: 100_000, times: 2 }]);
    let kept = world.fetch().await.unwrap();
    world.assert_kept(&kept);
    assert_eq!(world.ranges(), [None, range(100_000), range(200_000)]);
    let conditions = world.server.requests().into_iter().filter_map(|asked| asked.if_range);
    assert!(conditions.count() >= 4, "both the download and the object are asked under the condition");
}

#[actix_web::test]
async fn many_drops_are_survived_as_long_as_bytes_come() {
    let world = World::new(&[Fault::DropAfter { bytes: 20_000, times: 99 }]);
    let kept = world.fetch().await.unwrap();
    world.assert_kept(&kept);
    assert_eq!(world.ranges().len(), SIZE / 20_000);
}

#[actix_web::test]
async fn a_download_without_progress_ends_and_keeps_what_it_has() {
    let world = World::new(&[Fault::DropAfter { bytes: 70_000, times: 1 }, Fault::DropAfter { bytes: 0, times: 99 }]);
    let error = world.fetch().await.unwrap_err();
    assert!(matches!(error, ImageError::Connection { .. }), "{error:?}");
    assert_eq!(world.ranges().len(), 1 + world.pace.tries as usize);
    world.server.clear_faults();
    world.server.forget_requests();
    let kept = world.fetch().await.unwrap();
    world.assert_kept(&kept);
    assert_eq!(world.ranges(), [range(70_000)]);
}

#[actix_web::test]
async fn a_restart_of_the_program_goes_on_too() {
    let world = World::new(&[Fault::SilentAfter { bytes: 70_000, times: 1 }]);
    let stopper = world.stop.clone();
    let meter = world.meter.clone();
    let stopping = async move {
        while meter.amount().done < 70_000 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stopper.set();
    };
    let (stopped, ()) = futures_util::future::join(world.fetch(), stopping).await;
    assert!(matches!(stopped, Err(ImageError::Stopped)));
    let cache = Cache::open(world.cache.dir()).unwrap();
    world.server.forget_requests();
    let fetched = fetch(
        &world.client,
        &world.pace,
        &world.source(),
        &cache,
        (&world.meter, &StopFlag::new()),
        &Growing::default(),
    )
    .await;
    world.assert_kept(&fetched.unwrap());
    assert_eq!(world.ranges(), [range(70_000)]);
}

#[actix_web::test]
async fn a_whole_part_needs_no_request() {
    let world = World::new(&[]);
    let kept = world.fetch().await.unwrap();
    // As a crash between the last byte and the new name would leave it.
    let note = format!(
        r#"{{"url":"{}","digest":"{}","total":{SIZE},"etag":"\"1\"","modified":null}}"#,
        world.source().url,
        digest(&world.bytes)
    );
    fs::rename(&kept.path, world.cache.dir().join(format!("unfinished-{NAME}"))).unwrap();
    fs::write(world.cache.dir().join(format!("unfinished-{NAME}.json")), note).unwrap();
    world.server.forget_requests();
    let kept = world.fetch().await.unwrap();
    world.assert_kept(&kept);
    assert_eq!(world.server.requests(), []);
}

#[actix_web::test]
async fn a_silent_connection_is_given_up_and_taken_up_again() {
    let mut world = World::new(&[Fault::SilentAfter { bytes: 50_000, times: 1 }]);
    world.pace.download_silence = SHORT;
    let kept = world.fetch().await.unwrap();
    world.assert_kept(&kept);
    assert_eq!(world.ranges(), [None, range(50_000)]);
    let mut world = World::new(&[Fault::SilentAfter { bytes: 0, times: 99 }]);
    (world.pace.download_silence, world.pace.tries) = (SHORT, 2);
    assert!(matches!(world.fetch().await, Err(ImageError::Silent { .. })));
}

#[actix_web::test]
async fn a_slow_server_is_waited_for() {
    let world = World::new(&[Fault::Slow { per_second: 1_500_000 }]);
    let kept = world.fetch().await.unwrap();
    world.assert_kept(&kept);
    assert_eq!(world.ranges(), [None]);
}

#[actix_web::test]
async fn a_range_that_is_ignored_starts_over() {
    let world = World::new(&[Fault::DropAfter { bytes: 90_000, times: 1 }, Fault::IgnoreRange]);
    let kept = world.fetch().await.unwrap();
    world.assert_kept(&kept);
    assert_eq!(world.ranges(), [None, range(90_000)]);
    let world = World::new(&[Fault::DropAfter { bytes: 90_000, times: 99 }, Fault::IgnoreRange]);
    assert!(matches!(world.fetch().await, Err(ImageError::KeepsChanging { .. })));
}

#[actix_web::test]
async fn another_range_than_asked_starts_over() {
    let world = World::new(&[Fault::DropAfter { bytes: 90_000, times: 1 }, Fault::OtherRange { times: 1 }]);
    let kept = world.fetch().await.unwrap();
    world.assert_kept(&kept);
    assert_eq!(world.ranges(), [None, range(90_000), None]);
}

#[actix_web::test]
async fn without_a_validator_there_is_no_going_on() {
    let world = World::new(&[Fault::DropAfter { bytes: 90_000, times: 1 }, Fault::NoValidators]);
    let kept = world.fetch().await.unwrap();
    world.assert_kept(&kept);
    assert_eq!(world.ranges(), [None, None]);
}

#[actix_web::test]
async fn a_weak_etag_gives_way_to_the_date() {
    let world = World::new(&[Fault::DropAfter { bytes: 90_000, times: 1 }, Fault::WeakEtag]);
    let kept = world.fetch().await.unwrap();
    world.assert_kept(&kept);
    assert_eq!(world.ranges(), [None, range(90_000)]);
    let conditions: Vec<String> = world.server.requests().into_iter().filter_map(|asked| asked.if_range).collect();
    assert!(conditions.iter().all(|condition| condition.ends_with("GMT")), "{conditions:?}");
}

#[actix_web::test]
async fn a_changed_asset_starts_over() {
    let mut world = World::new(&[]);
    world.bytes = noise(2, SIZE);
    world.server.set_fault(Fault::ChangeAfter { bytes: 120_000, to: world.bytes.clone() });
    let kept = world.fetch().await.unwrap();
    world.assert_kept(&kept);
    assert_eq!(world.ranges(), [None, range(120_000)]);
    let statuses: Vec<u16> =
        world.server.requests().iter().filter(|asked| asked.path == OBJECT).map(|asked| asked.status).collect();
    assert_eq!(statuses, [200, 200], "the condition failed, so everything came");
}

#[actix_web::test]
async fn an_asset_of_another_size_is_not_downloaded() {
    let world = World::new(&[]);
    world.server.publish(asset("18.2", &noise(3, SIZE + 1))).unwrap();
    let error = world.fetch().await.unwrap_err();
    assert!(matches!(error, ImageError::OtherSize { found: Bytes(300_001), .. }), "{error:?}");
    assert_eq!(error.problem(), Some(Problem::DownloadDamaged));
    assert_eq!(world.files(), [""; 0]);
}

#[actix_web::test]
async fn a_wrong_digest_deletes_the_file() {
    let world = World::new(&[Fault::WrongDigest]);
    let release = world.release().await.unwrap();
    let error = world.fetch_from(&Source::from(&release)).await.unwrap_err();
    assert!(matches!(error, ImageError::Damaged { .. }), "{error:?}");
    assert_eq!(error.problem(), Some(Problem::DownloadDamaged));
    assert_eq!(world.files(), [""; 0]);
    assert_eq!(world.ranges(), [None], "asking again would only bring the same");
}

#[actix_web::test]
async fn what_an_older_run_left_damaged_is_fetched_anew() {
    let world = World::new(&[Fault::DropAfter { bytes: 80_000, times: 1 }, Fault::DropAfter { bytes: 0, times: 99 }]);
    world.fetch().await.unwrap_err();
    let part = world.cache.dir().join(format!("unfinished-{NAME}"));
    let mut bytes = fs::read(&part).unwrap();
    assert_eq!(bytes.len(), 80_000);
    bytes[777] ^= 1;
    fs::write(&part, bytes).unwrap();
    world.server.clear_faults();
    world.server.forget_requests();
    let kept = world.fetch().await.unwrap();
    world.assert_kept(&kept);
    assert_eq!(world.ranges(), [range(80_000), None]);
}

#[actix_web::test]
async fn leftovers_that_do_not_fit_are_not_used() {
    let note = |url: &str, digest: &str, total: u64| {
        format!(r#"{{"url":"{url}","digest":"{digest}","total":{total},"etag":"\"1\"","modified":null}}"#)
    };
    let world = World::new(&[]);
    let (url, own, size) = (world.source().url.to_string(), digest(&world.bytes).to_string(), SIZE as u64);
    let notes = [
        note("http://elsewhere/", &own, size),
        note(&url, &"00".repeat(32), size),
        note(&url, &own, size + 1),
        "not json".to_string(),
        String::new(),
        "[".repeat(100_000),
    ];
    for text in notes {
        fs::write(world.cache.dir().join(format!("unfinished-{NAME}")), b"from an older run").unwrap();
        fs::write(world.cache.dir().join(format!("unfinished-{NAME}.json")), &text).unwrap();
        world.server.forget_requests();
        let kept = world.fetch().await.unwrap();
        world.assert_kept(&kept);
        assert_eq!(world.ranges(), [None], "{text:.80}");
        world.cache.remove().unwrap();
    }
}

#[actix_web::test]
async fn faults_of_the_download_are_told_apart() {
    type Fits = fn(&ImageError) -> bool;
    let cases: [(Fault, Fits); 6] = [
        (Fault::RedirectLoop, |e| matches!(e, ImageError::Redirect { .. })),
        (Fault::RedirectTo("ftp://localhost/x".into()), |e| matches!(e, ImageError::Redirect { .. })),
        (Fault::RedirectTo("http://127.0.0.1:9/".into()), |e| matches!(e, ImageError::Connection { .. })),
        (Fault::Status { status: 404, times: 1 }, |e| matches!(e, ImageError::Answered { status: 404, .. })),
        (Fault::Status { status: 503, times: 99 }, |e| matches!(e, ImageError::Answered { status: 503, .. })),
        (Fault::Status { status: 429, times: 99 }, |e| matches!(e, ImageError::RateLimited { .. })),
    ];
    let world = World::new(&[]);
    for (fault, fits) in cases {
        world.server.set_fault(fault.clone());
        let error = world.fetch().await.unwrap_err();
        assert!(fits(&error), "{fault:?}: {error:?}");
        assert!(error.problem().is_some());
    }
    world.server.set_fault(Fault::Status { status: 500, times: 3 });
    world.assert_kept(&world.fetch().await.unwrap());
}

#[actix_web::test]
async fn a_length_has_to_be_known() {
    let world = World::new(&[Fault::NoLength]);
    let nameless = Source::of_url(world.source().url, None);
    assert!(matches!(world.fetch_from(&nameless).await, Err(ImageError::NoLength { .. })));
    world.assert_kept(&world.fetch().await.unwrap());
}

#[actix_web::test]
async fn a_url_without_digest_is_kept_but_not_as_verified() {
    let world = World::new(&[]);
    let kept = world.fetch_from(&Source::of_url(world.source().url, None)).await.unwrap();
    assert_eq!(kept.about.digest, digest(&world.bytes));
    assert!(!kept.about.verified);
    assert_eq!(world.cache.find(Board::Green, &version("18.2")), None);
}

#[actix_web::test]
async fn stopping_is_heard_in_every_wait() {
    let faults = [
        Fault::Silent { times: 9 },
        Fault::SilentAfter { bytes: 1000, times: 9 },
        Fault::Slow { per_second: 1000 },
        Fault::Status { status: 503, times: 9 },
    ];
    for fault in faults {
        let mut world = World::new(std::slice::from_ref(&fault));
        // Nothing of this comes to pass within the test but the stop.
        world.pace = Pace { retry: Duration::from_secs(600), retry_most: Duration::from_secs(600), ..Pace::real() };
        world.pace.answer = Duration::from_secs(600);
        let stop = world.stop.clone();
        let asked = async {
            while world.server.requests().is_empty() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            stop.set();
        };
        let begun = Instant::now();
        let (outcome, ()) = futures_util::future::join(world.fetch(), asked).await;
        assert!(matches!(outcome, Err(ImageError::Stopped)), "{fault:?}: {outcome:?}");
        assert!(begun.elapsed() < Duration::from_secs(60), "{fault:?}");
    }
}

#[actix_web::test]
async fn a_full_disk_is_told_and_its_room_given_back() {
    let world = World::new(&[]);
    let part = world.cache.dir().join(format!("unfinished-{NAME}"));
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    let error = world.fetch().await.unwrap_err();
    assert!(matches!(error, ImageError::NoRoom { missing: Bytes(300_000), .. }), "{error:?}");
    assert!(matches!(error.problem(), Some(Problem::NoRoomForDownload { .. })));
    assert_eq!(world.files(), [""; 0]);
    world.assert_kept(&world.fetch().await.unwrap());
}

#[actix_web::test]
async fn a_cache_that_cannot_be_written_to_is_told() {
    let world = World::new(&[]);
    fs::remove_dir(world.cache.dir()).unwrap();
    fs::write(world.cache.dir(), b"a file where the folder should be").unwrap();
    assert!(matches!(world.fetch().await, Err(ImageError::Storing { .. })));
    assert_eq!(world.server.requests(), []);
}

#[actix_web::test]
async fn another_version_replaces_the_kept_one_once_it_is_verified() {
    let world = World::new(&[Fault::WrongDigest]);
    let old = world.fetch().await.unwrap();
    let new_bytes = noise(9, 1000);
    world.server.publish(asset("18.3", &new_bytes)).unwrap();
    let get = async || {
        let release = world.catalog().release(&world.client, Board::Green, &version("18.3")).await.unwrap();
        world.fetch_from(&Source::from(&release)).await
    };
    assert!(matches!(get().await, Err(ImageError::Damaged { .. })));
    assert_eq!(world.cache.kept(), Some(old));
    world.server.clear_faults();
    let new = get().await.unwrap();
    assert_eq!(world.cache.kept(), Some(new));
    assert_eq!(world.files(), ["haos_green-18.3.img.xz", "haos_green-18.3.img.xz.json"]);
    assert!(world.dir.path().exists());
}

// ---- Image files ----------------------------------------------------------------------------------------------------

/// Packs with the tool itself, so that the program's reading is not compared with its own writing.
fn xz(bytes: &[u8], options: &[&str]) -> Vec<u8> {
    let mut child = Command::new("xz")
        .args(["--stdout", "--compress", "--format=xz"])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("xz-utils are needed for the tests");
    let mut input = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let feeding = std::thread::spawn(move || input.write_all(&bytes));
    let output = child.wait_with_output().unwrap();
    feeding.join().unwrap().unwrap();
    assert!(output.status.success());
    output.stdout
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn put(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("image");
        fs::write(&path, bytes).unwrap();
        path
    }
}

fn unpack(path: &Path) -> Result<Vec<u8>, ImageError> {
    let image = ImageFile::inspect(path)?;
    let mut all = Vec::new();
    image.open()?.read_to_end(&mut all).map_err(|error| ImageError::from_read(path, error))?;
    Ok(all)
}

#[test]
fn packed_images_of_every_kind_come_out_as_they_were() {
    let folder = Folder::new();
    let bytes: Vec<u8> = [noise(1, 5000), vec![0; 200_000], noise(2, 5000)].concat();
    let kinds: [&[&str]; 6] = [
        &["-3"],
        &["-3", "-T2", "--block-size=20000"],
        &["-9"],
        &["--check=crc32"],
        &["--check=sha256", "--block-size=7777"],
        &["--check=none", "--x86", "--lzma2=dict=64KiB"],
    ];
    for kind in kinds {
        let packed = xz(&bytes, kind);
        let path = folder.put(&packed);
        let image = ImageFile::inspect(&path).unwrap();
        assert!(image.packed);
        assert_eq!((image.file_size.0, image.size.0), (packed.len() as u64, bytes.len() as u64), "{kind:?}");
        assert!(unpack(&path).unwrap() == bytes, "{kind:?}");
        let (meter, mut all) = (Meter::new(), Vec::new());
        let (mut reader, watched) = image.open_watched(Some(meter.clone())).unwrap();
        assert_eq!(watched.digest(), None);
        reader.read_to_end(&mut all).unwrap();
        assert_eq!(watched.digest(), Some(digest(&packed)), "{kind:?}");
        assert_eq!(meter.amount().done, packed.len() as u64);
    }
}

#[test]
fn streams_one_after_another_with_padding_are_one_image() {
    let folder = Folder::new();
    let (one, two) = (noise(1, 3000), noise(2, 4000));
    let packed = [xz(&one, &[]), vec![0; 8], xz(&two, &["--block-size=1000"]), vec![0; 4]].concat();
    assert!(unpack(&folder.put(&packed)).unwrap() == [one, two].concat());
}

#[test]
fn a_reader_that_stops_at_the_size_still_sees_the_last_check() {
    let folder = Folder::new();
    let bytes = noise(1, 3000);
    let mut packed = xz(&bytes, &["--check=crc64"]);
    // The check of the only block lies directly before the index; the index says how long that is.
    let backward = u32::from_le_bytes(packed[packed.len() - 8..packed.len() - 4].try_into().unwrap());
    let index = packed.len() - 12 - (backward as usize + 1) * 4;
    packed[index - 1] ^= 0x10;
    let path = folder.put(&packed);
    let image = ImageFile::inspect(&path).unwrap();
    let mut exactly = vec![0; image.size.0 as usize];
    let error = image.open().unwrap().read_exact(&mut exactly).unwrap_err();
    assert!(matches!(ImageError::from_read(&path, error), ImageError::Broken { .. }));
}

#[test]
fn truncated_at_any_byte_is_an_error() {
    let folder = Folder::new();
    let packed = xz(&noise(1, 900), &["--block-size=400"]);
    for length in 0..packed.len() {
        let error = unpack(&folder.put(&packed[..length])).unwrap_err();
        assert!(error.is_damage(), "{length}: {error:?}");
        if length >= 6 {
            assert!(matches!(error, ImageError::Truncated { .. }), "{length}: {error:?}");
        }
    }
}

#[test]
fn one_flipped_bit_anywhere_is_an_error_or_changes_nothing() {
    let folder = Folder::new();
    let bytes = [noise(1, 300), vec![7; 600]].concat();
    let packed = [xz(&bytes, &["--block-size=500"]), vec![0; 4]].concat();
    let mut refused = 0;
    for at in 0..packed.len() {
        for bit in [0x01, 0x80, 0xff] {
            let mut flipped = packed.clone();
            flipped[at] ^= bit;
            match unpack(&folder.put(&flipped)) {
                // A few bits of the packing itself mean nothing.
                Ok(all) => assert!(all == bytes, "byte {at}"),
                Err(error) => {
                    assert!(error.is_damage(), "byte {at}: {error:?}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused >= packed.len() * 3 - 10, "{refused} of {}", packed.len() * 3);
}

#[test]
fn a_bomb_is_seen_before_anything_is_unpacked() {
    let folder = Folder::new();
    let packed = xz(&vec![0; 1_000_000], &[]);
    let path = folder.put(&claiming(&packed, 1 << 50));
    let image = ImageFile::inspect(&path).unwrap();
    assert_eq!(image.size, Bytes(1 << 50), "for the caller to compare with the card");
    let error = unpack(&path).unwrap_err();
    assert!(error.is_damage(), "{error:?}");
    // One that claims less than it holds never yields more than it claims.
    let path = folder.put(&claiming(&packed, 5));
    let mut reader = ImageFile::inspect(&path).unwrap().open().unwrap();
    let mut some = Vec::new();
    assert!(reader.read_to_end(&mut some).is_err());
    assert!(some.len() <= 5);
}

/// The same stream with an index that claims `unpacked` bytes for its only block, with valid checksums.
fn claiming(packed: &[u8], unpacked: u64) -> Vec<u8> {
    let footer = &packed[packed.len() - 12..];
    let backward = u32::from_le_bytes(footer[4..8].try_into().unwrap());
    let start = packed.len() - 12 - (backward as usize + 1) * 4;
    let old = &packed[start..packed.len() - 12];
    assert_eq!(old[..2], [0, 1], "an index with one record");
    let size_end = 2 + old[2..].iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
    let mut index = old[..size_end].to_vec();
    let mut value = unpacked;
    while value >= 0x80 {
        index.push(value as u8 | 0x80);
        value >>= 7;
    }
    index.push(value as u8);
    index.resize(index.len().next_multiple_of(4), 0);
    index.extend(crc32fast::hash(&index).to_le_bytes());
    let mut tail = (index.len() as u32 / 4 - 1).to_le_bytes().to_vec();
    tail.extend(&footer[8..10]);
    [&packed[..start], &index, &crc32fast::hash(&tail).to_le_bytes(), &tail, b"YZ"].concat()
}

#[test]
fn too_large_a_dictionary_is_refused() {
    let folder = Folder::new();
    let path = folder.put(&xz(&noise(1, 100), &["--lzma2=preset=0,dict=512MiB"]));
    assert!(matches!(unpack(&path), Err(ImageError::TooMuchMemory { .. })));
}

#[test]
fn a_bare_image_is_read_as_it_is() {
    let folder = Folder::new();
    let mut bytes = noise(1, 4096);
    bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    let path = folder.put(&bytes);
    let image = ImageFile::inspect(&path).unwrap();
    assert_eq!((image.packed, image.size), (false, Bytes(4096)));
    assert!(unpack(&path).unwrap() == bytes);
    // Shrinking and growing between looking and reading.
    for (length, truncated) in [(4000, true), (5000, false)] {
        fs::write(&path, noise(1, length)).unwrap();
        let mut reader = image.open().unwrap();
        let error = ImageError::from_read(&path, reader.read_to_end(&mut Vec::new()).unwrap_err());
        assert_eq!(matches!(error, ImageError::Truncated { .. }), truncated, "{error:?}");
    }
}

#[test]
fn what_is_no_image_is_said_to_be_none() {
    let folder = Folder::new();
    let mut zip = Cursor::new(vec![0; 2 << 20]);
    zip.write_all(b"PK\x03\x04").unwrap();
    for bytes in [b"".to_vec(), b"hello".to_vec(), noise(1, 5000), zip.into_inner(), xz(b"", &[])] {
        let error = unpack(&folder.put(&bytes)).unwrap_err();
        assert!(matches!(error, ImageError::NotAnImage { .. }), "{error:?}");
        assert!(matches!(error.problem(), Some(Problem::ImageUnusable { .. })));
    }
    assert!(matches!(ImageFile::inspect(folder.0.path()), Err(ImageError::NotAnImage { found: "a folder", .. })));
    assert!(matches!(ImageFile::inspect("/dev/null"), Err(ImageError::NotAnImage { found: "not a file", .. })));
    let missing = ImageFile::inspect(folder.0.path().join("nothing"));
    assert!(matches!(missing, Err(ImageError::Reading { .. })));
}

/// What can be told of an image by its ends.
async fn stream(world: &World, source: &Source) -> Option<ImageStream> {
    ImageStream::of(&world.client, &world.pace, source, &Growing::default(), &world.stop).await
}

/// What a release with these bytes says.
fn source_of(world: &World, bytes: &[u8]) -> Source {
    Source { size: Some(Bytes(bytes.len() as u64)), digest: Some(digest(bytes)), ..world.source() }
}

#[actix_web::test]
async fn an_image_is_read_while_it_is_downloaded() {
    let mut world = World::new(&[]);
    let bytes = noise(3, 6 << 20);
    for kind in [&["-0", "-T2", "--block-size=1MiB"][..], &["-0"]] {
        world.bytes = xz(&bytes, kind);
        world.server.publish(asset("18.2", &world.bytes)).unwrap();
        world.server.set_fault(Fault::DropAfter { bytes: 3 << 20, times: 1 });
        let source = source_of(&world, &world.bytes);
        let growing = Growing::default();
        let image = ImageStream::of(&world.client, &world.pace, &source, &growing, &world.stop).await.unwrap();
        assert_eq!((image.size().0, image.digest()), (bytes.len() as u64, digest(&world.bytes)));
        assert_eq!(image.block_plan().is_some(), kind.len() > 1);
        let reader = std::thread::spawn(move || {
            let (mut reader, watched) = image.open_watched().unwrap();
            let mut all = Vec::new();
            reader.read_to_end(&mut all).unwrap();
            (all, watched.digest(), image.is_whole())
        });
        let fetched =
            fetch(&world.client, &world.pace, &source, &world.cache, (&world.meter, &world.stop), &growing).await;
        world.assert_kept(&fetched.unwrap());
        let (all, seen, is_whole) = reader.join().unwrap();
        assert!(all == bytes && is_whole);
        assert_eq!(seen, Some(digest(&world.bytes)));
        world.cache.remove().unwrap();
    }
}

#[actix_web::test]
async fn what_does_not_say_at_its_end_what_it_is_is_not_read_before_it_is_whole() {
    let world = World::new(&[]);
    let one = xz(&noise(4, 200_000), &["-0"]);
    let two = [&one[..], &one].concat();
    let mut damaged = one.clone();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    let small = xz(&noise(4, 20_000), &["-0"]);
    let good = source_of(&world, &one);
    world.server.publish(asset("18.2", &one)).unwrap();
    assert!(stream(&world, &good).await.is_some());
    assert!(stream(&world, &Source { size: None, ..good.clone() }).await.is_none(), "no size");
    assert!(stream(&world, &Source { digest: None, ..good.clone() }).await.is_none(), "no digest");
    assert!(stream(&world, &Source { size: Some(Bytes(one.len() as u64 + 4)), ..good.clone() }).await.is_none());
    let faults = [
        Fault::IgnoreRange,
        Fault::OtherRange { times: 1 },
        Fault::Status { status: 503, times: 1 },
        Fault::RedirectLoop,
    ];
    for fault in faults {
        world.server.set_fault(fault.clone());
        assert!(stream(&world, &good).await.is_none(), "{fault:?}");
    }
    world.server.clear_faults();
    for (bytes, what) in
        [(&two, "two streams"), (&damaged, "no footer"), (&small, "small"), (&noise(5, 100_000), "noise")]
    {
        world.server.publish(asset("18.2", bytes)).unwrap();
        assert!(stream(&world, &source_of(&world, bytes)).await.is_none(), "{what}");
    }
}
