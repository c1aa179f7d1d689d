//! A stand-in for the Supervisor: a real HTTP server on loopback that answers as the recorded one does
//! (`tests/fixtures/supervisor-transcripts`), makes real backup files, and fails on demand.
//!
//! ```text
//! gate     the port: forwards to the server, refuses, cuts connections
//! routes   token, role, path → answer
//! answers  the info calls
//! making   a backup in steps, with its job
//! pack     the tar that grows
//! state    what all of them share
//! fault    what can go wrong
//! ```

mod answers;
mod config;
mod fault;
pub(in crate::demo) mod gate;
mod making;
mod pack;
mod routes;
mod state;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use actix_web::{App, HttpServer, web};
use url::Url;

use crate::domain::secret::Secret;
use state::Shared;

pub use config::{AppConfig, Network, Role, StandinConfig};
pub use fault::{AnswerFault, BackupFault, Fault};
pub use pack::{PackPlan, write_backup};
pub use state::Request;

/// A running stand-in; it ends when this is dropped.
pub struct Standin {
    shared: Arc<Shared>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Standin {
    /// Starts on a free port of loopback, on threads of its own. Backups that lie in the directory are listed.
    pub fn start(config: StandinConfig) -> io::Result<Standin> {
        std::fs::create_dir_all(&config.backup_dir)?;
        let shared = Arc::new(Shared::new(config));
        let (started, ready) = mpsc::channel();
        let here = shared.clone();
        let run = move || System::new().block_on(serve(here, started));
        let thread = std::thread::Builder::new().name("stand-in".into()).spawn(run)?;
        let address = ready.recv().unwrap_or_else(|_| Err(io::Error::other("the stand-in ended at once")))?;
        Ok(Standin { shared, address, thread: Some(thread) })
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> Url {
        let text = format!("http://{}", self.address);
        Url::parse(&text).unwrap_or_else(|e| unreachable!("{text} is a URL: {e}"))
    }

    pub fn token(&self) -> Secret {
        Secret::new(self.shared.config().token)
    }

    /// Where its backups lie.
    pub fn backup_dir(&self) -> std::path::PathBuf {
        self.shared.config().backup_dir
    }

    /// From now on this goes wrong, beside what went wrong before.
    pub fn set_fault(&self, fault: Fault) {
        self.shared.state().faults.push(fault);
    }

    /// From now on nothing goes wrong. A backup that hangs ends as it does when Core is restarted.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// Changes what it answers: board, state, disks, apps, …
    pub fn configure(&self, change: impl FnOnce(&mut StandinConfig)) {
        change(&mut self.shared.state().config);
    }

    /// The last thousands of requests, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// Reads the backup directory anew, as after a restart or `POST /backups/reload`.
    pub fn reload(&self) {
        self.shared.reload();
    }

    /// Dies as if its machine had killed it: connections are cut, jobs forgotten, a running backup is left cut off; it
    /// is back after `down`.
    pub fn kill(&self, down: std::time::Duration) {
        self.shared.kill(down);
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(thread) = self.thread.take() {
            // A panic of the stand-in's thread was printed by itself.
            let _ = thread.join();
        }
    }
}

async fn serve(shared: Arc<Shared>, started: mpsc::Sender<io::Result<SocketAddr>>) {
    match open(&shared).await {
        Ok((address, server)) => {
            // Nobody waits any more only where `start` itself went away.
            let _ = started.send(Ok(address));
            // An error means that the sender is gone: the end as well.
            let _ = shared.orders().wait_for(|order| order.closing).await;
            server.stop(false).await;
        }
        Err(e) => drop(started.send(Err(e))),
    }
}

async fn open(shared: &Arc<Shared>) -> io::Result<(SocketAddr, ServerHandle)> {
    let here = shared.clone();
    let app = move || {
        let limit = web::PayloadConfig::new(16 << 20);
        App::new().app_data(web::Data::from(here.clone())).app_data(limit).default_service(web::to(routes::handle))
    };
    let server = HttpServer::new(app).workers(1).disable_signals().bind(("127.0.0.1", 0))?;
    let behind = server.addrs().first().copied().ok_or_else(|| io::Error::other("the server has no address"))?;
    let port = gate::Port::any()?;
    let (address, listener) = (port.address, port.listen()?);
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    actix_web::rt::spawn(gate::run(port, listener, behind, shared.orders()));
    Ok((address, handle))
}
