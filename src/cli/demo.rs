//! `demo`: the whole product with make-believe cards (AP-5).

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::demo::image::Shape;
use crate::demo::page;
use crate::demo::stage::{Stage, StageSpec};
use crate::demo::supervisor::StandinConfig;
use crate::domain::carry::Carry;
use crate::domain::causes::chain;
use crate::domain::disk::DiskId;
use crate::domain::image::Board;
use crate::domain::job::{BackupChoice, CardRequest, ImageChoice, JobView};
use crate::domain::size::{Bytes, parse_size};
use crate::host::Host;
use crate::host::linux::machine::LinuxHost;
use crate::jobs::start::start;
use crate::jobs::{Jobs, StartError};
use crate::web::{Mark, WebOptions};

use super::serve::{mega_bytes, serve};
use super::{Exit, asked_to_end, demo_finish, finish, log_level, log_to_stderr, show};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sd-swap demo
  sd-swap demo --headless --board rpi4-64 --card-size 8G --keep out
  sd-swap demo --headless --finish
  sd-swap demo --stand-ins --keep out > out.env
  env $(cat out.env) sd-swap serve --scratch-card out/card.img,write=20")]
pub struct DemoArgs {
    /// Make one card without a page and end.
    #[arg(long)]
    headless: bool,
    /// Then swap the cards and finish the move, with a make-believe new system; prints the time line.
    #[arg(long, requires = "headless")]
    finish: bool,
    /// Board whose image is made.
    #[arg(long, default_value = "rpi4-64")]
    board: Board,
    /// Size of the make-believe card: 8G, 64G (powers of two); else that of a card sold with 32 GB. It takes no room
    /// until it is written.
    #[arg(long, value_parser = parse_size)]
    card_size: Option<Bytes>,
    /// About the size of the make-believe backup.
    #[arg(long, default_value = "64M", value_parser = parse_size)]
    backup_size: Bytes,
    /// How fast the card writes and reads, in MB/s: 20,40.
    #[arg(long, value_name = "WRITE,READ", value_parser = speeds)]
    card_speed: Option<(u64, u64)>,
    /// Only play Home Assistant and the release server, for a `serve` of its own; prints the settings that lead there.
    #[arg(long, conflicts_with = "headless")]
    stand_ins: bool,
    /// With --stand-ins: the address by which a guest reaches this machine's loopback (QEMU's: 10.0.2.2).
    #[arg(long, requires = "stand_ins", value_name = "ADDRESS")]
    reached_as: Option<IpAddr>,
    /// With --stand-ins: the disk that Home Assistant runs from, if it is none of this machine's: /dev/vda.
    #[arg(long, requires = "stand_ins", value_name = "DISK")]
    runs_from: Option<String>,
    /// Make an image of the same structure, but only some 20 MB large.
    #[arg(long)]
    tiny: bool,
    /// Leave everything here: card.img, image.img.xz, backup.tar, report.json.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// What such cards really hold.
const SOLD_WITH_32_GB: Bytes = Bytes(31_914_983_424);

fn speeds(text: &str) -> Result<(u64, u64), String> {
    let (write, read) = text.split_once(',').ok_or_else(|| format!("{text:?}: write two speeds, for example 20,40"))?;
    Ok((mega_bytes(write)?.0, mega_bytes(read)?.0))
}

pub fn run(args: DemoArgs) -> Exit {
    log_to_stderr(&log_level());
    let temporary = match &args.keep {
        Some(_) => None,
        None => match tempfile::tempdir() {
            Ok(dir) => Some(dir),
            Err(error) => return failed(&format!("making a temporary folder: {error}")),
        },
    };
    let dir = args.keep.clone().or_else(|| temporary.as_ref().map(|dir| dir.path().into())).unwrap_or_default();
    if let Err(error) = fs::create_dir_all(&dir) {
        return failed(&format!("making {}: {error}", dir.display()));
    }
    let spec = match stage_spec(&args) {
        Ok(spec) => spec,
        Err(why) => return failed(&why),
    };
    eprintln!("Making a Home Assistant OS image for {} …", args.board);
    match Stage::build(&dir, spec) {
        Err(error) => failed(&chain(&error)),
        Ok(stage) if args.headless => headless(&stage, &dir, args.finish),
        Ok(stage) if args.stand_ins => stand_ins(&stage, &dir, &args),
        Ok(stage) => pages(&stage),
    }
}

fn failed(why: &str) -> Exit {
    eprintln!("The demo cannot go on: {why}.");
    Exit::Failed
}

fn stage_spec(args: &DemoArgs) -> Result<StageSpec, String> {
    // A page that rushes by shows nothing: without --card-speed it goes as a good card does.
    let (write, read) = match (args.card_speed, args.headless) {
        (Some((write, read)), _) => (Some(write), Some(read)),
        (None, true) => (None, None),
        (None, false) => (Some(60_000_000), Some(90_000_000)),
    };
    Ok(StageSpec {
        board: args.board,
        version: "18.2".parse()?,
        shape: if args.tiny { Shape::Tiny } else { Shape::Release18 },
        card_size: args.card_size.unwrap_or(SOLD_WITH_32_GB),
        backup_size: args.backup_size,
        write_speed: write,
        read_speed: read,
        backup_speed: if args.headless { None } else { Some(8_000_000) },
        test: false,
    })
}

fn pages(stage: &Stage) -> Exit {
    let mut cards = vec![(stage.card.clone(), "SanDisk Ultra".to_string())];
    match stage.second_card() {
        Ok(second) => cards.push((second, "Samsung EVO Plus".into())),
        Err(error) => return failed(&error.to_string()),
    }
    let listen = std::env::var("SD_SWAP_LISTEN").unwrap_or_else(|_| "127.0.0.1:8099".into());
    let Ok(listen) = listen.parse() else {
        return failed(&format!("SD_SWAP_LISTEN is {listen:?}; write for example 127.0.0.1:8099"));
    };
    let link = Some(("demo".to_string(), "Plug and pull cards".to_string()));
    let marks = vec![Mark { text: "Demo: the cards are files, Home Assistant is played.".into(), link }];
    let more = Some(page::routes(stage.host.clone(), cards));
    let options = WebOptions { listen: Some(listen), marks, more, ..WebOptions::default() };
    actix_web::rt::System::new().block_on(serve(stage.plan(), options, |address| {
        println!("http://{address}/");
    }))
}

/// Plays on until it is asked to end. The disk of this machine plays Home Assistant's own, unless another one is named.
fn stand_ins(stage: &Stage, dir: &Path, args: &DemoArgs) -> Exit {
    let disks = match &args.runs_from {
        Some(disk) => Ok(vec![DiskId(disk.trim_start_matches("/dev/").into())]),
        None => dir.canonicalize().map_err(|error| error.to_string()).and_then(|dir| under(&dir)),
    };
    match disks {
        Ok(disks) => stage.supervisor.configure(|config| runs_from(config, &disks)),
        Err(why) => return failed(&format!("looking for the disk of this machine: {why}")),
    }
    let mut supervisor = stage.supervisor.url();
    if let Some(address) = args.reached_as {
        let name = match address {
            IpAddr::V4(_) => address.to_string(),
            IpAddr::V6(_) => format!("[{address}]"),
        };
        stage.releases.reached_as(&name, &name);
        // An http URL takes any address.
        let _ = supervisor.set_ip_host(address);
    }
    tell(stage, &supervisor);
    actix_web::rt::System::new().block_on(asked_to_end());
    Exit::Done
}

/// The settings that lead a `serve` here.
fn tell(stage: &Stage, supervisor: &url::Url) {
    let plan = stage.plan();
    let text = |url: &url::Url| url.as_str().trim_end_matches('/').to_string();
    println!("SUPERVISOR_API={}", text(supervisor));
    println!("SUPERVISOR_TOKEN={}", stage.supervisor.token().reveal());
    println!("SD_SWAP_RELEASES={}", text(&stage.releases.site()));
    println!("SD_SWAP_RELEASES_API={}", text(&stage.releases.api()));
    println!("SD_SWAP_DATA={}", plan.data.display());
    println!("SD_SWAP_BACKUP={}", plan.backup.display());
}

fn under(dir: &Path) -> Result<Vec<DiskId>, String> {
    let machine = LinuxHost::new();
    let disks = machine.disks_under(dir).map_err(|error| chain(&error))?;
    if disks.is_empty() { Err(format!("{} lies on no disk", dir.display())) } else { Ok(disks) }
}

fn runs_from(config: &mut StandinConfig, disks: &[DiskId]) {
    let drive = |(n, disk): (usize, &DiskId)| {
        let device = format!("/dev/{}", disk.0);
        let mount_points = if n == 0 { json!(["/mnt/data"]) } else { json!([]) };
        json!({
            "vendor": "", "model": "Disk of this machine", "serial": "", "id": device, "size": 31_914_983_424u64,
            "connection_bus": "sdio", "removable": false, "ejectable": false,
            "filesystems": [{
                "device": device, "id": "p8", "size": 31_142_707_200u64, "name": "hassos-data",
                "system": true, "mount_points": mount_points,
            }],
        })
    };
    config.drives = Some(disks.iter().enumerate().map(drive).collect());
    config.data_disk = disks.first().map(|disk| format!("/dev/{}", disk.0)).unwrap_or_default();
}

fn headless(stage: &Stage, dir: &Path, then_finish: bool) -> Exit {
    let (jobs, thread) = match start(stage.plan()) {
        Ok(started) => started,
        Err(error) => return failed(&chain(&error)),
    };
    let view = actix_web::rt::System::new().block_on(one_job(stage, &jobs));
    thread.end();
    let view = match view {
        Ok(view) => view,
        Err(error) => return show::refused(&error, false),
    };
    if let Err(error) = leave(stage, dir, &view) {
        return failed(&format!("writing the report: {error}"));
    }
    match (show::end(&view, false), &view.made.backup) {
        (Exit::Done, Some(slug)) if then_finish => match demo_finish::finished(slug) {
            Ok(ended) => finish::exit_of(&ended),
            Err(error) => failed(&format!("playing the new system: {error}")),
        },
        (exit, _) => exit,
    }
}

async fn one_job(stage: &Stage, jobs: &Jobs) -> Result<JobView, StartError> {
    let mut disks = jobs.watch_disks();
    let seen = loop {
        let found = disks.borrow_and_update().find(&stage.card).and_then(|listed| listed.disk.fingerprint.clone());
        if let Some(seen) = found {
            break seen;
        }
        disks.changed().await.map_err(|_| StartError::Closing)?;
    };
    let request = CardRequest {
        disk: stage.card.clone(),
        seen,
        plug: None,
        backup: BackupChoice::New,
        image: ImageChoice::Running,
        board: None,
        carry: Carry::usual(),
        once: None,
    };
    let id = jobs.start(request).await?;
    show::follow(jobs.watch_jobs(), false).await;
    jobs.job(id).map(|view| (*view).clone()).ok_or(StartError::Closing)
}

/// `backup.tar` and `report.json` beside `card.img` and `image.img.xz`.
fn leave(stage: &Stage, dir: &Path, view: &JobView) -> std::io::Result<()> {
    let backup = dir.join("backup.tar");
    if let Some(slug) = &view.made.backup {
        fs::copy(dir.join("backup").join(slug.file_name()), &backup)?;
    }
    let mut report = show::report(view);
    report["files"] = json!({ "card": dir.join("card.img"), "image": stage.image, "backup": backup });
    let text = serde_json::to_vec_pretty(&report)?;
    fs::write(dir.join("report.json"), text)
}
