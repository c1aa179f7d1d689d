//! The whole world of the demo: a stand-in Supervisor, a stand-in release server with an image made on the spot, and
//! scratch cards.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::domain::disk::DiskId;
use crate::domain::image::{Board, OsVersion};
use crate::domain::pace::Pace;
use crate::domain::size::Bytes;
use crate::host::scratch::{ScratchHost, ScratchSpec};
use crate::jobs::start::Plan;

use super::image::{ImageSpec, MakeError, Shape, make};
use super::releases::{Asset, Content, Releases, ReleasesConfig};
use super::supervisor::{Network, Standin, StandinConfig};

/// What the demo plays.
#[derive(Debug, Clone)]
pub struct StageSpec {
    pub board: Board,
    pub version: OsVersion,
    pub shape: Shape,
    pub card_size: Bytes,
    pub backup_size: Bytes,
    /// Bytes in a second that cards take and give.
    pub write_speed: Option<u64>,
    pub read_speed: Option<u64>,
    /// Bytes in a second at which a backup grows.
    pub backup_speed: Option<u64>,
    /// Cards of any size are fine; waits are short.
    pub test: bool,
}

impl StageSpec {
    /// The smallest world that has everything, as fast as it can, for tests.
    pub fn tiny(board: Board, version: OsVersion) -> StageSpec {
        StageSpec {
            board,
            version,
            shape: Shape::Tiny,
            card_size: Bytes(64 << 20),
            backup_size: Bytes(300_000),
            write_speed: None,
            read_speed: None,
            backup_speed: None,
            test: true,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StageError {
    #[error("making the image")]
    Image(#[from] MakeError),
    #[error("putting up the stand-ins")]
    StandIn(#[from] io::Error),
    #[error("starting the release server: {0}")]
    Releases(String),
}

/// A world that stands until it is dropped.
pub struct Stage {
    pub dir: PathBuf,
    pub host: ScratchHost,
    /// The card that is plugged in from the beginning.
    pub card: DiskId,
    pub supervisor: Standin,
    pub releases: Releases,
    pub image: PathBuf,
    spec: StageSpec,
}

impl Stage {
    /// Puts everything up in `dir`, which becomes: `card.img`, `image.img.xz`, `backup/`, `data/`.
    pub fn build(dir: &Path, spec: StageSpec) -> Result<Stage, StageError> {
        let image = dir.join("image.img.xz");
        let wanted = ImageSpec { version: spec.version.clone(), shape: spec.shape, seed: 1 };
        make(spec.board, &wanted, &image)?;
        Stage::with_image(dir, spec, image)
    }

    /// The same with an image that is there already.
    pub fn with_image(dir: &Path, spec: StageSpec, image: PathBuf) -> Result<Stage, StageError> {
        let (backup, data) = (dir.join("backup"), dir.join("data"));
        fs::create_dir_all(&backup)?;
        fs::create_dir_all(&data)?;
        let asset = Asset { board: spec.board, version: spec.version.clone(), content: Content::File(image.clone()) };
        let releases = Releases::start(ReleasesConfig { assets: vec![asset], faults: Vec::new() });
        let releases = releases.map_err(|error| StageError::Releases(error.to_string()))?;
        let supervisor = Standin::start(supervisor_config(&spec, backup))?;
        let host = ScratchHost::new();
        let card = host.add("sda", card_spec(dir, &spec, "card.img")?);
        Ok(Stage { dir: dir.into(), host, card, supervisor, releases, image, spec })
    }

    /// A second card, which is not plugged in yet.
    pub fn second_card(&self) -> io::Result<DiskId> {
        let spec = ScratchSpec {
            vendor: "Samsung".into(),
            model: "EVO Plus".into(),
            serial: "0002".into(),
            bus_path: "usb2/2-2/2-2:1.0".into(),
            ..card_spec(&self.dir, &self.spec, "card-2.img")?
        };
        let id = self.host.add("sdb", spec);
        self.host.pull(&id);
        Ok(id)
    }

    /// What the jobs thread is started with.
    pub fn plan(&self) -> Plan {
        let pace =
            if self.spec.test { Pace::brisk() } else { Pace { poll: Duration::from_millis(500), ..Pace::real() } };
        Plan {
            host: Arc::new(self.host.clone()),
            supervisor: Some((self.supervisor.url(), self.supervisor.token())),
            releases: Some((self.releases.site(), self.releases.api())),
            data: self.dir.join("data"),
            backup: self.dir.join("backup"),
            pace,
            any_size: self.spec.test,
        }
    }
}

fn card_spec(dir: &Path, spec: &StageSpec, name: &str) -> io::Result<ScratchSpec> {
    let file = dir.join(name);
    File::options().write(true).create(true).truncate(false).open(&file)?.set_len(spec.card_size.0)?;
    Ok(ScratchSpec {
        vendor: "SanDisk".into(),
        model: "Ultra".into(),
        bus_path: "usb2/2-1/2-1:1.0".into(),
        write_speed: spec.write_speed,
        read_speed: spec.read_speed,
        ..ScratchSpec::new(file)
    })
}

fn supervisor_config(spec: &StageSpec, backup: PathBuf) -> StandinConfig {
    let used = spec.backup_size.0 as f64 / (1u64 << 30) as f64;
    StandinConfig {
        board: Some(spec.board.slug().into()),
        os_version: spec.version.to_string(),
        os_latest: spec.version.to_string(),
        backup_size: spec.backup_size.0,
        backup_speed: spec.backup_speed,
        network: Network::Static,
        disk_used_gib: (used * 10.0).ceil() / 10.0,
        // The machine's own disk is none of the scratch cards.
        drives: Some(json!([{
            "vendor": "", "model": "SC32G", "serial": "0x1a2b3c4d", "id": "SC32G-0x1a2b3c4d", "size": 31_914_983_424u64,
            "connection_bus": "sdio", "removable": false, "ejectable": false,
            "filesystems": [{
                "device": "/dev/mmcblk0p8", "id": "p8", "size": 31_142_707_200u64, "name": "hassos-data",
                "system": true, "mount_points": ["/mnt/data"],
            }],
        }])),
        ..StandinConfig::new(backup)
    }
}
