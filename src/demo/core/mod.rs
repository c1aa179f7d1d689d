//! A stand-in for Home Assistant Core on a new card: its two ports on loopback, which answer, refuse, hang and cut as a
//! script says, in a time that may run faster than the clock. It plays what was recorded of the real one
//! (`tests/fixtures/core`), and moves that are made up.
//!
//! ```text
//! script  who answers what, when; what a restore request sets going
//! moves   the usual course of a move, made up after the recorded one
//! play    the script's clock, and the requests that came
//! serve   the ports, and HTTP by hand: a server of a library would never break its own rules
//! ```

mod moves;
mod play;
mod script;
mod serve;

use std::io;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use actix_web::rt::System;
use tokio::sync::watch;

use crate::demo::supervisor::gate::Port;
use play::Play;

pub use moves::{backups, fresh_steps, info, usual, whole_move};
pub use play::Asked;
pub use script::{At, Gate, Post, Reply, Script};

/// A Core that plays its script until it is dropped.
pub struct CoreStandin {
    play: Arc<Play>,
    /// As 80 of the real one.
    pub main: u16,
    /// As 8123.
    pub old: u16,
    closing: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl CoreStandin {
    /// Starts on two free ports of 127.0.0.1; `speed`: seconds of the script in a second of the clock.
    pub fn start(script: Script, speed: f64) -> io::Result<CoreStandin> {
        let (closing, closed) = watch::channel(false);
        let (started, ready) = mpsc::channel();
        let run = move || System::new().block_on(run(script, speed, &started, closed));
        let thread = std::thread::Builder::new().name("stand-in-core".into()).spawn(run)?;
        let (play, main, old) = ready.recv().unwrap_or_else(|_| Err(io::Error::other("the stand-in ended at once")))?;
        Ok(CoreStandin { play, main, old, closing, thread: Some(thread) })
    }

    /// What was asked so far, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.play.asked()
    }

    /// The restore requests among it.
    pub fn restores(&self) -> Vec<Asked> {
        self.asked().into_iter().filter(Asked::is_restore).collect()
    }
}

impl Drop for CoreStandin {
    fn drop(&mut self) {
        // The thread is gone already.
        let _ = self.closing.send(true);
        if let Some(thread) = self.thread.take() {
            // A panic of the stand-in's thread was printed by itself.
            let _ = thread.join();
        }
    }
}

type Started = mpsc::Sender<io::Result<(Arc<Play>, u16, u16)>>;

async fn run(script: Script, speed: f64, started: &Started, mut closed: watch::Receiver<bool>) {
    let (main, old) = match (Port::any(), Port::any()) {
        (Ok(main), Ok(old)) => (main, old),
        // Nobody waits any more where the starter itself went away.
        (Err(error), _) | (_, Err(error)) => return drop(started.send(Err(error))),
    };
    let play = Arc::new(Play::new(script, speed, main.address.port()));
    let ready = (play.clone(), main.address.port(), old.address.port());
    if started.send(Ok(ready)).is_err() {
        return;
    }
    tokio::select! {
        () = serve::port(&play, Gate::Main, main) => {}
        () = serve::port(&play, Gate::Old, old) => {}
        // An error means that the sender is gone: the end as well.
        _ = closed.wait_for(|closed| *closed) => {}
    }
}
