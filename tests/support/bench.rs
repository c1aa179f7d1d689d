//! A bench for whole jobs on scratch cards: small images built with other tools, a card with something on it, one job
//! after another, and what has to hold after each.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use sd_swap::domain::carry::{Carry, Given};
use sd_swap::domain::disk::{DiskId, Fingerprint};
use sd_swap::domain::job::{BackupChoice, CardNow, CardRequest, ImageChoice, JobState, JobView};
use sd_swap::domain::pace::Pace;
use sd_swap::domain::problem::Problem;
use sd_swap::domain::stage::Stage;
use sd_swap::host::Host;
use sd_swap::host::scratch::fault::{Faults, Op};
use sd_swap::host::scratch::{ScratchHost, ScratchSpec};
use sd_swap::jobs::StartError;
use sd_swap::jobs::solo::{PcRules, Recipe, solo};
use sd_swap::jobs::start::Plan;
use sd_swap::supervisor::parse_network;
use tempfile::TempDir;

pub const MIB: u64 = 1 << 20;
pub const SECTOR: u64 = 512;
/// Large enough for the image to grow, small enough to be compared whole.
pub const CARD: u64 = 48 * MIB;
/// Where the data partition of the images begins and how long it is, in sectors.
pub const DATA_START: u64 = 12 * 2048;
pub const DATA_SECTORS: u64 = 12 * 2048;
/// Where the overlay partition of those with a GPT begins, in sectors.
pub const OVERLAY_START: u64 = 11 * 2048;
/// Bytes of the images.
pub const IMAGE: u64 = 25 * MIB;
/// The slug of [`BACKUP`].
pub const SLUG: &str = "01bcc3db";
/// A backup that the Supervisor made.
pub const BACKUP: &[u8] = include_bytes!("../fixtures/backups/full-unprotected.tar");

const GPT: &str = "label: gpt
label-id: 11111111-2222-4333-8444-555555555555
first-lba: 2048
start=2048, size=4096, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=hassos-boot
start=6144, size=2048, name=hassos-kernel0
start=8192, size=8192, name=hassos-system0
start=16384, size=2048, name=hassos-kernel1
start=18432, size=2048, name=hassos-system1
start=20480, size=2048, name=hassos-bootstate
start=22528, size=2048, name=hassos-overlay
start=24576, size=24576, uuid=A52A4597-FA3A-4851-AEFD-2FBE9F849079, name=hassos-data
";

const MBR: &str = "label: dos
label-id: 0x48617373
start=2048, size=4096, type=c, bootable
start=6144, size=14336, type=f
start=20480, size=4096, type=83
start=24576, size=24576, type=83
start=8192, size=6144, type=83
start=18432, size=2048, type=83
";

/// Bytes that look like nothing and are the same each time.
pub fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut x = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        x.to_le_bytes()
    };
    (0..length.div_ceil(4)).flat_map(|_| next()).take(length).collect()
}

/// A folder that is as fast as memory, where there is one.
pub fn folder() -> TempDir {
    let fast = Path::new("/dev/shm");
    let made = if fast.is_dir() { TempDir::with_prefix_in("sd-swap-", fast) } else { TempDir::new() };
    made.expect("a folder for the test")
}

/// Runs another tool and gives what it printed; its failure is the test's.
pub fn run(tool: &str, arguments: &[&str], input: &str) -> String {
    let (code, said) = ask(tool, arguments, input);
    assert_eq!(code, 0, "{tool} {arguments:?}: {said}");
    said
}

/// Runs another tool: its status and what it printed.
pub fn ask(tool: &str, arguments: &[&str], input: &str) -> (i32, String) {
    let mut command = Command::new(tool);
    command.args(arguments).env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin").env("LC_ALL", "C");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{tool}: {error}"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

/// An ext4 as Home Assistant OS ships it, in a file of its own.
pub fn data_file_system(dir: &Path) -> PathBuf {
    let (tree, file) = (dir.join("tree"), dir.join("data.ext4"));
    fs::create_dir_all(tree.join("supervisor/apparmor")).unwrap();
    fs::create_dir_all(tree.join("docker")).unwrap();
    fs::write(tree.join("supervisor/apparmor/hassio-supervisor"), "profile").unwrap();
    fs::write(tree.join("docker/layer"), noise(7, 1_500_000)).unwrap();
    let (file_name, tree) = (file.display().to_string(), tree.display().to_string());
    let made = ["-q", "-t", "ext4", "-b", "4096", "-I", "256", "-L", "hassos-data", "-m", "0", "-d", &tree];
    run("mke2fs", &[&made[..], &[&file_name, "12M"]].concat(), "");
    file
}

/// The empty ext4 that Home Assistant OS keeps its settings in.
fn overlay_file_system(dir: &Path) -> Vec<u8> {
    let file = dir.join("overlay.ext4");
    let made = ["-q", "-t", "ext4", "-b", "1024", "-I", "256", "-L", "hassos-overlay", "-O", "^has_journal"];
    run("mke2fs", &[&made[..], &[&file.display().to_string(), "1M"]].concat(), "");
    fs::read(file).unwrap()
}

/// Where a table puts the overlay partition, in sectors.
fn overlay_start(is_mbr: bool) -> u64 {
    if is_mbr { 10 * 2048 } else { OVERLAY_START }
}

/// An unpacked image with this table; `change` may spoil its file system before it goes in.
pub fn build(table: &str, change: impl FnOnce(&Path)) -> Vec<u8> {
    let dir = folder();
    let data = data_file_system(dir.path());
    change(&data);
    let image = dir.path().join("haos.img");
    let mut file = File::create(&image).unwrap();
    file.set_len(IMAGE).unwrap();
    for (at, length) in [(1, 2), (3, 1), (4, 4)] {
        file.seek(SeekFrom::Start(at * MIB)).unwrap();
        file.write_all(&noise(at as u32, (length * MIB) as usize)).unwrap();
    }
    file.seek(SeekFrom::Start(DATA_START * SECTOR)).unwrap();
    file.write_all(&fs::read(data).unwrap()).unwrap();
    file.seek(SeekFrom::Start(overlay_start(table.starts_with("label: dos")) * SECTOR)).unwrap();
    file.write_all(&overlay_file_system(dir.path())).unwrap();
    drop(file);
    run("sfdisk", &["-q", &image.display().to_string()], table);
    fs::read(image).unwrap()
}

/// The image with a GPT, unpacked.
pub fn gpt_image() -> &'static [u8] {
    static IMAGE: OnceLock<Vec<u8>> = OnceLock::new();
    IMAGE.get_or_init(|| build(GPT, |_| ()))
}

/// The image with an MBR and logical partitions, unpacked.
pub fn mbr_image() -> &'static [u8] {
    static IMAGE: OnceLock<Vec<u8>> = OnceLock::new();
    // Its link sectors lie where noise was: sfdisk writes them.
    IMAGE.get_or_init(|| build(MBR, |_| ()))
}

/// The image with a GPT and a spoiled data file system.
pub fn spoiled_image(change: impl FnOnce(&Path)) -> Vec<u8> {
    build(GPT, change)
}

/// The table of the image, to be changed.
pub fn gpt_table() -> &'static str {
    GPT
}

/// Packed by the tool that packs the releases.
pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let dir = folder();
    let file = dir.path().join("x");
    fs::write(&file, bytes).unwrap();
    run("xz", &["-0", "-T1", &file.display().to_string()], "");
    fs::read(file.with_extension("xz")).unwrap()
}

pub fn packed_image() -> &'static [u8] {
    static IMAGE: OnceLock<Vec<u8>> = OnceLock::new();
    IMAGE.get_or_init(|| xz(gpt_image()))
}

/// What lay on a card's first and last MiB: something with a boot mark.
fn old() -> &'static [u8] {
    static OLD: OnceLock<Vec<u8>> = OnceLock::new();
    OLD.get_or_init(|| {
        let mut old = noise(99, MIB as usize);
        old[510..512].copy_from_slice(&[0x55, 0xaa]);
        old
    })
}

/// What is on a card file, told without our own code but for sector 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Untouched,
    Blank,
    Finished,
}

/// A name, a fixed address and a Wi-Fi with its password, as the command line is told them.
pub fn carry() -> Carry {
    let network = br#"{"interfaces": [
        {"interface": "end0", "type": "ethernet", "ipv4": {"method": "static", "address": ["192.168.1.10/24"]}},
        {"interface": "wlan0", "type": "wireless",
         "wifi": {"auth": "wpa-psk", "ssid": "Our Home", "psk": "correct horse"}}]}"#;
    let network = Some(parse_network(network).unwrap());
    Carry::of(Given { hostname: "villa".parse().ok(), network })
}

/// One scratch card, what it held before, and a folder to work in.
pub struct Bench {
    pub host: ScratchHost,
    pub disk: DiskId,
    pub card: PathBuf,
    pub dir: TempDir,
    before: Before,
}

/// What a card held.
enum Before {
    /// Traces at both ends and nothing between: the file has blocks for these alone.
    Ends,
    All(Vec<u8>),
}

impl Bench {
    pub fn new() -> Bench {
        Bench::of(CARD, |_| ())
    }

    /// A card of `size` bytes with an older system's traces at both ends.
    pub fn of(size: u64, change: impl FnOnce(&mut ScratchSpec)) -> Bench {
        let dir = folder();
        let card = dir.path().join("card.img");
        let mut file = File::create(&card).unwrap();
        file.set_len(size).unwrap();
        file.write_all(old()).unwrap();
        file.seek(SeekFrom::Start(size - MIB)).unwrap();
        file.write_all(old()).unwrap();
        fs::write(dir.path().join("haos.img.xz"), packed_image()).unwrap();
        fs::write(dir.path().join("backup.tar"), BACKUP).unwrap();
        fs::create_dir(dir.path().join("work")).unwrap();
        let mut spec = ScratchSpec::new(&card);
        change(&mut spec);
        let host = ScratchHost::new();
        let disk = host.add("card", spec);
        Bench { host, disk, card, dir, before: Before::Ends }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Puts a file into the bench's folder.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn faults(&self) -> Faults {
        self.host.faults(&self.disk)
    }

    /// What is on the card from now on is what it held before.
    pub fn remember(&mut self) {
        self.before = Before::All(fs::read(&self.card).unwrap());
    }

    /// What a user sees of the card now; a card that cannot be read has nothing to be seen.
    pub fn seen(&self) -> Fingerprint {
        let disks = self.host.disks().unwrap();
        let seen = disks.into_iter().find(|disk| disk.id == self.disk).and_then(|disk| disk.fingerprint);
        seen.unwrap_or(Fingerprint("unread".into()))
    }

    /// The usual job: packed image and backup, as the user sees the card now.
    pub fn request(&self) -> CardRequest {
        CardRequest {
            disk: self.disk.clone(),
            seen: self.seen(),
            plug: None,
            backup: BackupChoice::File(self.path("backup.tar")),
            image: ImageChoice::File(self.path("haos.img.xz")),
            board: None,
            carry: carry(),
            once: None,
        }
    }

    pub fn make(&self) -> Result<JobView, StartError> {
        self.make_with(Arc::new(self.host.clone()), self.request())
    }

    pub fn make_image(&self, image: PathBuf) -> Result<JobView, StartError> {
        let request = CardRequest { image: ImageChoice::File(image), ..self.request() };
        self.make_with(Arc::new(self.host.clone()), request)
    }

    pub fn make_backup(&self, backup: PathBuf) -> Result<JobView, StartError> {
        let request = CardRequest { backup: BackupChoice::File(backup), ..self.request() };
        self.make_with(Arc::new(self.host.clone()), request)
    }

    /// One job to its end, as the command line runs it.
    pub fn make_with(&self, host: Arc<dyn Host>, request: CardRequest) -> Result<JobView, StartError> {
        let rules = PcRules { allow_internal: false, as_file: true };
        let plan = Plan { data: self.path("work"), ..Plan::pc(host, Pace::brisk()) };
        let job = solo(&plan, rules, Recipe::MakeCard, request, drop, std::future::pending());
        actix_web::rt::System::new().block_on(job)
    }

    /// What the card file holds; panics if it is none of the three.
    pub fn found(&self) -> Found {
        let mut first = vec![0; SECTOR as usize];
        File::open(&self.card).unwrap().read_exact(&mut first).unwrap();
        if first.iter().all(|byte| *byte == 0) {
            return Found::Blank;
        }
        if self.is_untouched() {
            return Found::Untouched;
        }
        assert_finished(&self.card);
        Found::Finished
    }

    fn is_untouched(&self) -> bool {
        match &self.before {
            Before::All(before) => fs::read(&self.card).unwrap() == *before,
            Before::Ends => {
                let blocks = fs::metadata(&self.card).unwrap().blocks();
                blocks * SECTOR == 2 * MIB && self.ends().iter().all(|end| end == old())
            }
        }
    }

    /// The first and the last MiB.
    fn ends(&self) -> [Vec<u8>; 2] {
        let mut file = File::open(&self.card).unwrap();
        [SeekFrom::Start(0), SeekFrom::End(-(MIB as i64))].map(|at| {
            let mut end = vec![0; MIB as usize];
            file.seek(at).unwrap();
            file.read_exact(&mut end).unwrap();
            end
        })
    }

    /// Both ends are zero: no table, no backup of one.
    pub fn is_blank_at_both_ends(&self) -> bool {
        self.ends().concat() == vec![0; 2 * MIB as usize]
    }

    /// What the job says of the card is what is on it, and everything else that has to hold after every job.
    pub fn assert_tidy(&self, view: &JobView) {
        let found = self.found();
        match view.card_now {
            CardNow::Untouched => assert_eq!(found, Found::Untouched, "{view:#?}"),
            CardNow::Finished => assert_eq!(found, Found::Finished, "{view:#?}"),
            CardNow::Blank => assert!(found == Found::Blank && self.is_blank_at_both_ends(), "{found:?} {view:#?}"),
            // Nobody could read it, but it is still one of the three.
            CardNow::Unknown => {}
        }
        assert_eq!(view.state == JobState::Done, view.card_now == CardNow::Finished, "{view:#?}");
        assert_eq!(view.state == JobState::Failed, view.problem.is_some(), "{view:#?}");
        view.problem.iter().for_each(assert_clear);
        self.assert_no_litter();
    }

    /// Claimed by nobody, and the next job makes a card of it.
    pub fn assert_usable(&self) {
        drop(self.host.claim(&self.disk).expect("the claim was released"));
        let view = self.make().expect("the next job starts");
        assert_eq!((view.state, view.card_now), (JobState::Done, CardNow::Finished), "{view:#?}");
        assert_eq!(self.found(), Found::Finished);
        assert_eq!(backup_on(&self.card, SLUG), fs::read(self.path("backup.tar")).unwrap());
        self.assert_no_litter();
    }

    /// The same, but that a card nobody wrote to is only claimed: nothing about it is new to the next job.
    pub fn assert_usable_after(&self, view: &JobView) {
        match view.card_now {
            CardNow::Untouched => drop(self.host.claim(&self.disk).expect("the claim was released")),
            _ => self.assert_usable(),
        }
    }

    fn assert_no_litter(&self) {
        let left: Vec<_> = fs::read_dir(self.path("work")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
        let known = BTreeSet::from(["card.img", "haos.img.xz", "backup.tar", "work"].map(String::from));
        let there = fs::read_dir(self.dir.path()).unwrap().map(|e| e.unwrap().file_name());
        let others: Vec<_> = there.filter(|name| !name.to_str().is_some_and(|name| known.contains(name))).collect();
        // What a test itself put there begins with "my".
        assert!(others.iter().all(|name| name.as_encoded_bytes().starts_with(b"my")), "{others:?}");
    }

    /// The problem of a job on a card too large to be looked at as a whole.
    pub fn failed_unread(&self, result: Result<JobView, StartError>) -> (Problem, JobView) {
        let view = result.expect("the job starts");
        self.assert_no_litter();
        let problem = view.problem.clone().unwrap_or_else(|| panic!("it did not fail: {view:#?}"));
        assert_clear(&problem);
        (problem, view)
    }

    /// A job that failed: its problem, after everything else was looked at.
    pub fn failed(&self, result: Result<JobView, StartError>) -> (Problem, JobView) {
        let view = result.expect("the job starts");
        self.assert_tidy(&view);
        (view.problem.clone().unwrap_or_else(|| panic!("it did not fail: {view:#?}")), view)
    }
}

/// Title, what happened and what to do are all said, each as a sentence.
pub fn assert_clear(problem: &Problem) {
    let words = problem.words();
    for text in [&words.title, &words.happened, &words.todo] {
        assert!(text.len() > 3 && !text.contains(".."), "{problem:?}: {words:?}");
    }
    assert!(!words.title.ends_with('.') && words.todo.ends_with('.'), "{words:?}");
}

/// A table that sfdisk finds nothing wrong with, and a clean file system that fills the data partition.
pub fn assert_finished(card: &Path) {
    let name = card.display().to_string();
    let said = run("sfdisk", &["--verify", &name], "");
    assert!(said.contains("No errors detected"), "{said}");
    let json: serde_json::Value = serde_json::from_str(&run("sfdisk", &["--json", &name], "")).unwrap();
    let table = &json["partitiontable"];
    let data = table["partitions"].as_array().unwrap().iter().find(|p| p["start"] == DATA_START).unwrap();
    let (start, end) = (DATA_START, DATA_START + data["size"].as_u64().unwrap());
    let tail = if table["label"] == "gpt" { 33 } else { 0 };
    assert_eq!(end, fs::metadata(card).unwrap().len() / SECTOR - tail);
    run("e2fsck", &["-fn", &format!("{name}?offset={}", start * SECTOR)], "");
    assert_settings(card, table["label"] == "dos");
}

/// What [`carry`] asks for is there, for root alone where it is secret.
fn assert_settings(card: &Path, is_mbr: bool) {
    let at = format!("{}?offset={}", card.display(), overlay_start(is_mbr) * SECTOR);
    run("e2fsck", &["-fn", &at], "");
    let ask = |command: String| run("debugfs", &["-R", &command, &at], "");
    assert!(ask("cat /etc/hostname".into()).contains("villa\n"));
    let folder = "/etc/NetworkManager/system-connections";
    for (name, line) in [("end0", "address1=192.168.1.10/24\n"), ("wlan0", "psk=correct horse\n")] {
        assert!(ask(format!("cat {folder}/{name}.nmconnection")).contains(line), "{name}");
    }
    let listed = ask(format!("ls -p {folder}"));
    assert_eq!(listed.matches("/100600/0/0/").count(), 2, "{listed}");
}

/// The tar on a card, taken off by another tool.
pub fn backup_on(card: &Path, slug: &str) -> Vec<u8> {
    file_on(card, &format!("/supervisor/backup/{slug}.tar"))
}

/// A file of a card's data partition, taken off by another tool.
pub fn file_on(card: &Path, path: &str) -> Vec<u8> {
    let dir = folder();
    let (out, fs_name) = (dir.path().join("out"), format!("{}?offset={}", card.display(), DATA_START * SECTOR));
    run("debugfs", &["-R", &format!("dump {path} {}", out.display()), &fs_name], "");
    fs::read(out).unwrap()
}

/// Where in a log of a clean run each stage begins: a stage takes or drops the exclusive descriptor at its start.
pub fn begin_of(log: &[Op], stage: Stage) -> usize {
    let shut_outs: Vec<usize> = (0..log.len()).filter(|n| log[*n] == Op::ShutOut).collect();
    match stage {
        Stage::Preflight => 0,
        // Compared once more: both ends are read.
        Stage::Write => 3,
        Stage::Verify => shut_outs[0],
        Stage::Grow => shut_outs[1],
        // Behind the look at the grown superblock.
        Stage::Inject => shut_outs[2] + 2,
        // Between them the backup was written.
        Stage::Commit => shut_outs[5],
        Stage::Backup | Stage::Download => panic!("{stage:?} does not touch the card"),
    }
}

/// Every operation of a job without faults on a card like this one.
pub fn clean_log() -> &'static [Op] {
    static LOG: OnceLock<Vec<Op>> = OnceLock::new();
    LOG.get_or_init(|| {
        let bench = Bench::new();
        assert_eq!(bench.make().unwrap().state, JobState::Done);
        bench.faults().log()
    })
}
