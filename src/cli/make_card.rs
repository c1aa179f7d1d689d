//! `make-card` and `flash`: from any Linux PC, without a Supervisor.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use url::Url;

use crate::domain::carry::{Carry, Given};
use crate::domain::causes::chain;
use crate::domain::disk::Fingerprint;
use crate::domain::image::Board;
use crate::domain::job::{BackupChoice, CardRequest, ImageChoice};
use crate::domain::network::{Hostname, Network};
use crate::domain::pace::Pace;
use crate::domain::size::{Bytes, parse_size};
use crate::jobs::solo::{PcRules, Recipe, list, solo};
use crate::jobs::start::Plan;
use crate::jobs::{ListedDisk, StartError};
use crate::supervisor::parse_network;

use super::target::{self, Target};
use super::{Exit, ask, asked_to_end, log_level, log_to_stderr, show};

/// More than any answer of /network/info has.
const MOST_NETWORK: u64 = 1 << 20;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sd-swap make-card --image haos_rpi4-64-18.2.img.xz --backup 0a1b2c3d.tar --to card.img --size 8G --yes
  sd-swap make-card --image haos_rpi4-64-18.2.img.xz --to /dev/sdb
  sd-swap make-card --image haos_rpi4-64-18.2.img.xz --to /dev/sdb --hostname homeassistant --network network.json

network.json is the answer of the old system's Supervisor: `ha network info --raw-json > network.json` in its terminal.
The password of a Wi-Fi is not in it; it may be added as \"psk\" beside \"ssid\".")]
pub struct MakeCardArgs {
    /// Image to write: a file (.img.xz or .img) or a URL.
    #[arg(long, value_name = "FILE|URL")]
    image: String,
    /// Backup to put on the card.
    #[arg(long, value_name = "TAR")]
    backup: Option<PathBuf>,
    /// Board that the image is for; noted in the report.
    #[arg(long)]
    board: Option<Board>,
    /// Take an image from a URL although nothing says what its digest should be.
    #[arg(long)]
    without_digest: bool,
    /// Host name that the card gets.
    #[arg(long, value_name = "NAME")]
    hostname: Option<Hostname>,
    /// Network settings that the card gets: a file with the answer of /network/info, - for standard input.
    #[arg(long, value_name = "FILE")]
    network: Option<PathBuf>,
    /// The card gets no network settings; so it is without --network, too.
    #[arg(long, conflicts_with = "network")]
    no_network: bool,
    #[command(flatten)]
    to: ToOption,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct ToOption {
    /// Disk or file that becomes the card.
    #[arg(long, value_name = "DISK|FILE")]
    to: PathBuf,
    /// Make (or enlarge) the file to this size: 8G, 512M (powers of two).
    #[arg(long, value_parser = parse_size)]
    size: Option<Bytes>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sd-swap flash haos_rpi4-64-18.2.img.xz /dev/sdb")]
pub struct FlashArgs {
    /// Image to write: .img.xz or .img.
    image: PathBuf,
    /// Disk or file to write to.
    #[arg(value_name = "DISK|FILE")]
    to: PathBuf,
    /// Do not read it back.
    #[arg(long)]
    no_verify: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// Do not ask. On a disk, --fingerprint must say which one is meant.
    #[arg(long)]
    yes: bool,
    /// The disk's fingerprint, as `sd-swap devices` shows it.
    #[arg(long, value_name = "F")]
    fingerprint: Option<String>,
    /// Allow built-in card readers.
    #[arg(long)]
    allow_internal: bool,
    /// Print a report as JSON at the end.
    #[arg(long)]
    json: bool,
}

pub fn run(args: MakeCardArgs) -> Exit {
    let image = match args.image.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            ImageChoice::Url { url: args.image.clone(), without_digest: args.without_digest }
        }
        _ => ImageChoice::File(args.image.clone().into()),
    };
    let network = match args.network.as_deref().map(read_network).transpose() {
        Ok(network) => network,
        Err(why) => return wrong(&why, args.common.json),
    };
    let backup = args.backup.map_or(BackupChoice::None, BackupChoice::File);
    let carry = Carry::of(Given { hostname: args.hostname, network });
    let order = Order { image, backup, board: args.board, carry, size: args.to.size, recipe: Recipe::MakeCard };
    execute(order, &args.to.to, &args.common)
}

fn read_network(path: &Path) -> Result<Network, String> {
    let shown = path.display();
    let from: Box<dyn Read> = match path.as_os_str().as_encoded_bytes() {
        b"-" => Box::new(std::io::stdin()),
        _ => Box::new(File::open(path).map_err(|error| format!("Opening {shown}: {error}."))?),
    };
    let mut text = Vec::new();
    from.take(MOST_NETWORK).read_to_end(&mut text).map_err(|error| format!("Reading {shown}: {error}."))?;
    parse_network(&text).map_err(|error| format!("{shown} cannot be used: {}.", chain(&error)))
}

pub fn run_flash(args: FlashArgs) -> Exit {
    let recipe = Recipe::Flash { verify: !args.no_verify };
    let image = ImageChoice::File(args.image);
    let order = Order { image, backup: BackupChoice::None, board: None, carry: Carry::nothing(), size: None, recipe };
    execute(order, &args.to, &args.common)
}

struct Order {
    image: ImageChoice,
    backup: BackupChoice,
    board: Option<Board>,
    carry: Carry,
    size: Option<Bytes>,
    recipe: Recipe,
}

fn execute(order: Order, to: &Path, common: &Common) -> Exit {
    log_to_stderr(&log_level());
    let files = [
        if let ImageChoice::File(path) = &order.image { Some(path.as_path()) } else { None },
        if let BackupChoice::File(path) = &order.backup { Some(path.as_path()) } else { None },
    ];
    let files: Vec<&Path> = files.into_iter().flatten().collect();
    // Before a card file is made for it.
    if let Some(missing) = files.iter().find(|file| !file.is_file()) {
        return wrong(&format!("There is no file {}.", missing.display()), common.json);
    }
    let target = match target::find(to, order.size, &files) {
        Ok(target) => target,
        Err(why) => return wrong(&why, common.json),
    };
    if !target.as_file && common.yes && common.fingerprint.is_none() {
        let why =
            "On a disk --yes needs --fingerprint too, so that no other disk is erased. `sd-swap devices` shows it.";
        return wrong(why, common.json);
    }
    let exit = actix_web::rt::System::new().block_on(work(order, &target, common));
    if exit == Exit::Refused {
        target.put_back();
    }
    exit
}

fn wrong(why: &str, as_json: bool) -> Exit {
    match as_json {
        true => println!("{}", json!({ "outcome": "refused", "reasons": [why] })),
        false => eprintln!("{why}"),
    }
    Exit::Refused
}

async fn work(order: Order, target: &Target, common: &Common) -> Exit {
    let rules = PcRules { allow_internal: common.allow_internal, as_file: target.as_file };
    let plan = plan(target);
    let disks = match list(&plan, rules).await {
        Ok(disks) => disks,
        Err(error) => return show::refused(&error, common.json),
    };
    let Some(listed) = disks.find(&target.disk) else {
        return show::refused(&StartError::NoDisk, common.json);
    };
    if !listed.refusals.is_empty() {
        // Nobody was asked yet: should the reasons pass meanwhile, nothing may begin.
        let error = StartError::Refused { disk: listed.refusals.clone(), problems: Vec::new() };
        return show::refused(&error, common.json);
    }
    let Some(seen) = confirmed(listed, common) else { return Exit::Refused };
    let request = CardRequest {
        disk: target.disk.clone(),
        seen,
        plug: None,
        backup: order.backup,
        image: order.image,
        board: order.board,
        carry: order.carry,
        once: None,
    };
    let quiet = common.json;
    let mut follower = None;
    let watching = |jobs| follower = Some(actix_web::rt::spawn(show::follow(jobs, quiet)));
    let ended = solo(&plan, rules, order.recipe, request, watching, asked_to_end()).await;
    if let Some(follower) = follower {
        // It ends with the job; the last line is its own.
        let _ = follower.await;
    }
    match ended {
        Ok(view) => show::end(&view, common.json),
        Err(error) => show::refused(&error, common.json),
    }
}

/// The fingerprint that the user gave or, asked, agreed to.
fn confirmed(listed: &ListedDisk, common: &Common) -> Option<Fingerprint> {
    if let Some(given) = &common.fingerprint {
        return (common.yes || ask::may_erase(listed)).then(|| Fingerprint(given.clone()));
    }
    let now = listed.disk.fingerprint.clone()?;
    (common.yes || ask::may_erase(listed)).then_some(now)
}

/// A world without a Supervisor; what is downloaded is kept where the user keeps caches.
fn plan(target: &Target) -> Plan {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let data = cache.or_else(home).unwrap_or_else(std::env::temp_dir).join("sd-swap");
    Plan { data, ..Plan::pc(target.host.clone(), Pace::real()) }
}
