//! `serve`: the app. Settings → host → jobs → pages, and the way back at SIGTERM (JB-6).

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::config::Settings;
use crate::domain::causes::chain;
use crate::domain::size::Bytes;
use crate::host::Host;
use crate::host::both::Both;
use crate::host::linux::descriptors;
use crate::host::linux::machine::LinuxHost;
use crate::host::scratch::{ScratchHost, ScratchSpec};
use crate::jobs::start::{Plan, start};
use crate::web::{self, Mark, WebOptions};

use super::{Exit, asked_to_end, log_to_stderr};

#[derive(Debug, Args)]
#[command(after_help = "\
Settings come from the environment (SD_SWAP_LISTEN, SD_SWAP_DATA, …; see the README).
Example of a scratch card:
  sd-swap serve --scratch-card card.img,maker=SanDisk,model=Ultra,write=20,read=40")]
pub struct ServeArgs {
    /// Add a regular file as if it were a USB card; keys: maker, model, serial, bus, write, read (MB/s).
    #[arg(long, value_name = "FILE[,KEY=VALUE…]", value_parser = scratch_card)]
    scratch_card: Vec<ScratchSpec>,
}

pub fn run(args: ServeArgs) -> Exit {
    let settings = match Settings::load() {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("{error}.");
            return Exit::Refused;
        }
    };
    log_to_stderr(&settings.log);
    let (host, marks) = host(&args.scratch_card);
    let plan = Plan::of(&settings, host);
    let (listen, allow_from) = (Some(settings.listen), settings.allow_from);
    let options = WebOptions { listen, allow_from, marks, ..WebOptions::default() };
    actix_web::rt::System::new().block_on(serve(plan, options, |address| {
        log::info!("the page is served on {address}");
    }))
}

/// Until SIGTERM or Ctrl-C: then the page ends, and the running job leaves its card blank or finished.
pub async fn serve(plan: Plan, options: WebOptions, ready: impl FnOnce(std::net::SocketAddr)) -> Exit {
    let started = start(plan).map_err(|error| chain(&error));
    let (jobs, mut thread) = match started {
        Ok(started) => started,
        Err(why) => return cannot_start(&why),
    };
    let conducting = jobs.clone();
    let options = WebOptions { descriptors: descriptors(), ..options };
    let bound = match web::bind(jobs, options) {
        Ok(bound) => bound,
        Err(error) => return cannot_start(&chain(&error)),
    };
    ready(bound.address());
    let mut broke = false;
    let until = async {
        tokio::select! {
            // At once: the job need not wait until the pages have ended.
            () = asked_to_end() => thread.ask_to_end(),
            // Pages that can start nothing help nobody: whoever watches over us puts us up again.
            () = conducting.ended() => broke = true,
        }
    };
    let served = bound.run(until).await;
    // Blocks while the job stops; there is nothing else left to do on this thread.
    thread.end();
    match served {
        Ok(()) if broke => cannot_start("the thread that conducts jobs ended unexpectedly"),
        Ok(()) => Exit::Done,
        Err(error) => cannot_start(&chain(&error)),
    }
}

fn cannot_start(why: &str) -> Exit {
    eprintln!("sd-swap cannot go on: {why}.");
    Exit::Failed
}

fn host(cards: &[ScratchSpec]) -> (Arc<dyn Host>, Vec<Mark>) {
    let machine = LinuxHost::new();
    if cards.is_empty() {
        return (Arc::new(machine), Vec::new());
    }
    let scratch = ScratchHost::new();
    let mut marks = Vec::new();
    for (number, card) in (1..).zip(cards) {
        log::warn!("{} is a scratch card: a file that plays a USB card", card.file.display());
        marks.push(Mark { text: format!("Scratch card: {}", card.file.display()), link: None });
        scratch.add(&format!("scratch{number}"), card.clone());
    }
    (Arc::new(Both::new(Arc::new(machine), scratch)), marks)
}

/// `FILE[,key=value…]`
fn scratch_card(text: &str) -> Result<ScratchSpec, String> {
    let mut parts = text.split(',');
    let file = PathBuf::from(parts.next().unwrap_or_default());
    if !file.is_file() {
        return Err(format!("{} is no regular file; make one, for example: truncate -s 8G card.img", file.display()));
    }
    let mut spec = ScratchSpec::new(file);
    for part in parts {
        let (key, value) = part.split_once('=').ok_or_else(|| format!("{part:?} is no key=value"))?;
        let speed = || mega_bytes(value).map(|bytes| Some(bytes.0));
        match key {
            "maker" => spec.vendor = value.into(),
            "model" => spec.model = value.into(),
            "serial" => spec.serial = value.into(),
            "bus" => spec.bus_path = value.into(),
            "write" => spec.write_speed = speed()?,
            "read" => spec.read_speed = speed()?,
            _ => return Err(format!("{key:?} is unknown; known are maker, model, serial, bus, write, read")),
        }
    }
    Ok(spec)
}

/// A speed in MB/s.
pub fn mega_bytes(text: &str) -> Result<Bytes, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text:?} is no speed in MB/s; write for example 20"))?;
    match number.is_finite() && number > 0.0 && number < 1e6 {
        true => Ok(Bytes((number * 1e6) as u64)),
        false => Err(format!("{text:?} is no speed in MB/s; write for example 20")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_cards_are_read_with_their_keys() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = format!("{},maker=SanDisk,write=20,read=1.5", file.path().display());
        let spec = scratch_card(&text).unwrap();
        assert_eq!(
            (spec.vendor.as_str(), spec.write_speed, spec.read_speed),
            ("SanDisk", Some(20_000_000), Some(1_500_000))
        );
        for bad in [",colour=red", ",write=fast", ",write=-1", ",write"] {
            assert!(scratch_card(&format!("{}{bad}", file.path().display())).is_err(), "{bad}");
        }
        assert!(scratch_card("/dev/null").is_err());
    }
}
