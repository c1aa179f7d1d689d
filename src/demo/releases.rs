//! A stand-in for the release server: GitHub's REST answer for one release, the download URL that redirects to another
//! host, and the objects there with `Range`, `If-Range` and `ETag`. Its faults can be switched while it runs.
//!
//! It runs on a thread of its own, on two loopback ports (the second is the host of the objects), until it is dropped.

mod answers;
mod body;
mod fault;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};
use sha2::{Digest as _, Sha256};
use url::Url;

pub use fault::Fault;

use crate::domain::image::{Board, Digest, OsVersion, asset_name};
use crate::domain::progress::{Meter, StopFlag};
use crate::image::cache::rehash;

/// What the server has, and how it behaves at first.
#[derive(Debug, Default)]
pub struct ReleasesConfig {
    pub assets: Vec<Asset>,
    pub faults: Vec<Fault>,
}

/// The image of one board in one release.
#[derive(Debug, Clone)]
pub struct Asset {
    pub board: Board,
    pub version: OsVersion,
    pub content: Content,
}

#[derive(Debug, Clone)]
pub enum Content {
    Bytes(bytes::Bytes),
    File(PathBuf),
}

/// A request that was answered, oldest first in [`Releases::requests`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub path: String,
    pub range: Option<String>,
    pub if_range: Option<String>,
    /// 0: it was never answered.
    pub status: u16,
}

/// The running stand-in; stops when dropped.
pub struct Releases {
    shared: Arc<Shared>,
    /// Of the site and of the objects.
    ports: [u16; 2],
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

/// What the handlers see.
struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    assets: Vec<Stored>,
    faults: Vec<Fault>,
    requests: Vec<Asked>,
    /// `http://localhost:PORT` of the objects.
    objects: String,
    site: String,
}

#[derive(Clone)]
struct Stored {
    version: String,
    name: String,
    content: Content,
    size: u64,
    digest: Digest,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stored {
    fn new(asset: Asset) -> io::Result<Stored> {
        let (size, digest) = match &asset.content {
            Content::Bytes(bytes) => (bytes.len() as u64, Digest(Sha256::digest(bytes).into())),
            Content::File(path) => {
                let digest = rehash(path, &Meter::new(), &StopFlag::new()).map_err(io::Error::other)?;
                (std::fs::metadata(path)?.len(), digest)
            }
        };
        let name = asset_name(asset.board, &asset.version);
        Ok(Stored { version: asset.version.to_string(), name, content: asset.content, size, digest })
    }

    fn etag(&self) -> String {
        format!("\"0x{}\"", self.digest.to_string().get(..15).unwrap_or_default())
    }
}

impl Releases {
    /// Blocks until both ports are open; hashes assets that are files.
    pub fn start(config: ReleasesConfig) -> io::Result<Releases> {
        let assets = config.assets.into_iter().map(Stored::new).collect::<io::Result<_>>()?;
        let state = State { assets, faults: config.faults, ..State::default() };
        let shared = Arc::new(Shared { state: Mutex::new(state) });
        let (tell, told) = std::sync::mpsc::channel();
        let served = shared.clone();
        let thread = std::thread::Builder::new().name("stand-in-releases".into()).spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                match listen(served) {
                    Err(error) => drop(tell.send(Err(error))),
                    Ok((server, ports)) => {
                        let _ = tell.send(Ok((server.handle(), ports)));
                        let _ = server.await;
                    }
                }
            });
        })?;
        let (handle, [site, objects]) = told.recv().map_err(io::Error::other)??;
        let releases = Releases { shared, ports: [site, objects], handle, thread: Some(thread) };
        // Another host by name and by port.
        releases.reached_as("127.0.0.1", "localhost");
        Ok(releases)
    }

    /// From now on its answers name these hosts; the ports stay, and so does loopback, where it listens.
    pub fn reached_as(&self, site: &str, objects: &str) {
        let mut state = self.shared.lock();
        state.site = format!("http://{site}:{}", self.ports[0]);
        state.objects = format!("http://{objects}:{}", self.ports[1]);
    }

    /// For `SD_SWAP_RELEASES`.
    pub fn site(&self) -> Url {
        let text = self.shared.lock().site.clone();
        Url::parse(&text).unwrap_or_else(|e| unreachable!("{text} is a URL: {e}"))
    }

    /// For `SD_SWAP_RELEASES_API`.
    pub fn api(&self) -> Url {
        self.site()
    }

    /// In place of all faults so far.
    pub fn set_fault(&self, fault: Fault) {
        self.set_faults(vec![fault]);
    }

    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.shared.lock().faults = faults;
    }

    pub fn clear_faults(&self) {
        self.set_faults(Vec::new());
    }

    /// Adds an asset, or puts it in the place of the one with the same name.
    pub fn publish(&self, asset: Asset) -> io::Result<()> {
        let stored = Stored::new(asset)?;
        let mut state = self.shared.lock();
        state.assets.retain(|old| old.name != stored.name);
        state.assets.push(stored);
        Ok(())
    }

    pub fn requests(&self) -> Vec<Asked> {
        self.shared.lock().requests.clone()
    }

    pub fn forget_requests(&self) {
        self.shared.lock().requests.clear();
    }
}

impl Drop for Releases {
    fn drop(&mut self) {
        // The order is sent by the call itself; what it gives back only tells when it was carried out.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn listen(shared: Arc<Shared>) -> io::Result<(actix_web::dev::Server, [u16; 2])> {
    let data = web::Data::from(shared);
    let server = HttpServer::new(move || App::new().app_data(data.clone()).configure(answers::routes))
        .workers(1)
        .disable_signals()
        .shutdown_timeout(0)
        .bind(("127.0.0.1", 0))?
        .bind(("127.0.0.1", 0))?;
    let ports: Vec<u16> = server.addrs().iter().map(|address| address.port()).collect();
    let ports = ports.try_into().map_err(|_| io::Error::other("two ports were asked for"))?;
    Ok((server.run(), ports))
}
