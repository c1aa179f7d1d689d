//! Reads a finished card back with sfdisk, sgdisk, e2fsprogs and tar alone: nothing of the program looks at it here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

const MIB: u64 = 1 << 20;
/// Directories get their links and times changed when something is put into them.
const SUPERVISOR: &str = "/supervisor";
const BACKUP: &str = "/supervisor/backup";

/// Every difference between the card and what the image and the backup promise, one a line; `Ok`: there is none. `image` is
/// unpacked; `backup` the tar that was put onto the card, `None` if there was none; `board` a slug, `rpi4-64`.
pub fn assert_card(card: &Path, image: &Path, backup: Option<&Path>, board: &str) -> Result<(), String> {
    assert_card_with(card, image, backup, board, &[])
}

/// A file that was put into the overlay partition, root's.
pub struct Setting<'a> {
    pub path: &'a str,
    /// As debugfs tells it: `100644`.
    pub mode: &'a str,
    pub content: &'a str,
}

/// The same for a card whose overlay partition got these files, and the folders that they need.
pub fn assert_card_with(
    card: &Path,
    image: &Path,
    backup: Option<&Path>,
    board: &str,
    settings: &[Setting<'_>],
) -> Result<(), String> {
    let mut found = Differences::default();
    let (on_card, in_image) = (Table::dump(card)?, Table::dump(image)?);
    let number = data_number(board);
    let (Some(data), Some(was)) = (on_card.parts.get(&number), in_image.parts.get(&number)) else {
        return Err(format!("there is no partition {number} on the card or in the image"));
    };
    check_tables(&mut found, card, &on_card, &in_image, number);
    let overlay = overlay_number(board);
    let overlay = in_image.parts.get(&overlay).filter(|_| !settings.is_empty());
    let free = overlay.map_or(0..0, |part| part.start * 512..(part.start + part.sectors) * 512);
    check_bytes_before(&mut found, card, image, &in_image, number, free)?;
    if let Some(part) = overlay {
        check_overlay(&mut found, card, image, part, settings)?;
    }
    let there = FileSystem::at(card, data.start * 512)?;
    let here = FileSystem::at(image, was.start * 512)?;
    check_file_system(&mut found, &there, &here, data.sectors * 512)?;
    check_files(&mut found, &there, &here, backup)?;
    found.into_result()
}

#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn unless(&mut self, good: bool, what: impl Display) {
        if !good {
            self.0.push(what.to_string());
        }
    }

    fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: impl Display, there: T, here: T) {
        self.unless(there == here, format!("{what}: on the card {there:?}, should be {here:?}"));
    }

    fn into_result(self) -> Result<(), String> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0.join("\n")) }
    }
}

/// Exit status, standard output and standard error of a tool.
fn streams<S: AsRef<std::ffi::OsStr>>(name: &str, args: &[S]) -> Result<(i32, String, String), String> {
    let path = "/usr/sbin:/sbin:/usr/bin:/bin";
    let output = Command::new(name).args(args).env("PATH", path).env("LC_ALL", "C").output();
    let output = output.map_err(|e| format!("running {name}: {e}"))?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr)))
}

/// Exit status and both streams together.
fn tool<S: AsRef<std::ffi::OsStr>>(name: &str, args: &[S]) -> Result<(i32, String), String> {
    streams(name, args).map(|(code, said, complained)| (code, said + &complained))
}

fn data_number(board: &str) -> u32 {
    match board {
        "odroid-m1" | "odroid-m1s" => 9,
        "odroid-n2" | "odroid-c2" | "odroid-c4" | "khadas-vim3" => 4,
        _ => 8,
    }
}

fn overlay_number(board: &str) -> u32 {
    data_number(board) - 1
}

#[derive(Debug, Clone, PartialEq)]
struct Part {
    start: u64,
    sectors: u64,
    /// Type, UUID, name, attributes, boot flag, as sfdisk writes them.
    words: String,
}

/// What `sfdisk -d` says of a disk.
#[derive(Debug)]
struct Table {
    /// `label`, `label-id`, `first-lba`, `last-lba`.
    words: BTreeMap<String, String>,
    parts: BTreeMap<u32, Part>,
    sectors: u64,
}

impl Table {
    fn dump(path: &Path) -> Result<Table, String> {
        let sectors = fs::metadata(path).map_err(|e| e.to_string())?.len() / 512;
        let (code, text) = tool("sfdisk", &["-d".as_ref(), path.as_os_str()])?;
        if code != 0 {
            return Err(format!("sfdisk finds no table: {text}"));
        }
        let mut table = Table { words: BTreeMap::new(), parts: BTreeMap::new(), sectors };
        let prefix = path.display().to_string();
        for line in text.lines() {
            if let Some((number, part)) = line.strip_prefix(&prefix).and_then(Table::part) {
                table.parts.insert(number, part);
            } else if let Some((word, value)) = line.split_once(": ") {
                table.words.insert(word.into(), value.into());
            }
        }
        Ok(table)
    }

    fn part(line: &str) -> Option<(u32, Part)> {
        let (number, fields) = line.split_once(" : ")?;
        let mut fields = fields.splitn(3, ',');
        let mut value = |name| fields.next()?.trim().strip_prefix(name)?.trim().parse::<u64>().ok();
        let (start, sectors) = (value("start=")?, value("size=")?);
        Some((number.trim().parse().ok()?, Part { start, sectors, words: fields.next()?.trim().into() }))
    }

    fn is_gpt(&self) -> bool {
        self.words.get("label").is_some_and(|label| label == "gpt")
    }
}

fn check_tables(found: &mut Differences, card: &Path, there: &Table, here: &Table, number: u32) {
    for word in ["label", "label-id", "first-lba"] {
        found.same(word, there.words.get(word), here.words.get(word));
    }
    found.same("partition numbers", there.parts.keys().collect::<Vec<_>>(), here.parts.keys().collect());
    for ((n, there), here) in there.parts.iter().zip(here.parts.values()) {
        found.same(format!("start of partition {n}"), there.start, here.start);
        found.same(format!("type, UUID, name or flags of partition {n}"), &there.words, &here.words);
        if *n != number {
            found.same(format!("size of partition {n}"), there.sectors, here.sectors);
        }
    }
    let behind = if there.is_gpt() { 33 } else { 0 };
    if let Some(data) = there.parts.get(&number) {
        found.same("end of data", data.start + data.sectors, there.sectors - behind);
    }
    let last = there.words.get("last-lba").and_then(|lba| lba.parse().ok());
    found.same("last usable sector", last, there.is_gpt().then_some(there.sectors - 34));
    match tool("sfdisk", &["--verify".as_ref(), card.as_os_str()]) {
        Ok((0, said)) => found.unless(said.contains("No errors detected"), format!("sfdisk remarks: {said}")),
        other => found.unless(false, format!("sfdisk --verify: {other:?}")),
    }
    if there.is_gpt() {
        check_both_ends(found, card);
    }
}

/// sgdisk reads both copies and tells when either is not right.
fn check_both_ends(found: &mut Differences, card: &Path) {
    match tool("sgdisk", &["-v".as_ref(), card.as_os_str()]) {
        Ok((0, said)) => {
            let sound = said.contains("No problems found") && !said.to_lowercase().contains("invalid");
            found.unless(sound, format!("sgdisk remarks: {said}"));
        }
        other => found.unless(false, format!("sgdisk -v: {other:?}")),
    }
}

/// Bytes that growing may change, by the kind of table.
fn allowed(image: &Table, head: &[u8], number: u32) -> Vec<std::ops::Range<u64>> {
    if !image.is_gpt() {
        // Count and end of entry 4.
        return vec![499..502, 506..510];
    }
    let kinds = [450, 466, 482, 498].map(|at| head[at]);
    let is_hybrid = kinds.iter().any(|kind| !matches!(kind, 0 | 0xee));
    // The end and size of a plain protective entry; a hybrid's must not change.
    let protective = if is_hybrid { 0..0 } else { 451..462 };
    let entry = 1024 + u64::from(number - 1) * 128;
    // Checksum, place of the other copy, last usable sector, checksum of the entries; data's last sector.
    vec![protective, 528..532, 544..552, 560..568, 600..604, entry + 40..entry + 48]
}

fn check_bytes_before(
    found: &mut Differences,
    card: &Path,
    image: &Path,
    table: &Table,
    number: u32,
    free: std::ops::Range<u64>,
) -> Result<(), String> {
    let open = |path| File::open(path).map_err(|e| format!("opening: {e}"));
    let (card, image) = (open(card)?, open(image)?);
    let end = table.parts[&number].start * 512;
    let (mut there, mut here) = (vec![0; MIB as usize], vec![0; MIB as usize]);
    let mut at = 0;
    while at < end {
        let length = MIB.min(end - at) as usize;
        let (there, here) = (&mut there[..length], &mut here[..length]);
        card.read_exact_at(there, at).map_err(|e| format!("reading the card: {e}"))?;
        image.read_exact_at(here, at).map_err(|e| format!("reading the image: {e}"))?;
        if at == 0 {
            for range in allowed(table, here, number) {
                let range = range.start as usize..range.end as usize;
                here[range.clone()].copy_from_slice(&there[range]);
            }
        }
        // What a partition got is looked at as files.
        let within = free.start.clamp(at, at + length as u64)..free.end.clamp(at, at + length as u64);
        let within = (within.start - at) as usize..(within.end - at) as usize;
        here[within.clone()].copy_from_slice(&there[within]);
        if there != here {
            let first = (0..length).find(|n| there[*n] != here[*n]).unwrap_or(0) as u64;
            found.unless(false, format!("byte {} before data is not as in the image", at + first));
        }
        at += MIB;
    }
    Ok(())
}

/// An ext4 at an offset within a file, as e2fsprogs address it.
struct FileSystem {
    address: String,
    /// `dumpe2fs -h`, field by field.
    facts: BTreeMap<String, String>,
    dir: tempfile::TempDir,
}

impl FileSystem {
    fn at(path: &Path, offset: u64) -> Result<FileSystem, String> {
        let address = format!("{}?offset={offset}", path.display());
        let (code, text) = tool("dumpe2fs", &["-h", &address])?;
        if code != 0 {
            return Err(format!("dumpe2fs reads no file system: {text}"));
        }
        let facts = text.lines().filter_map(|line| line.split_once(':'));
        let facts = facts.map(|(name, value)| (name.trim().into(), value.trim().into())).collect();
        let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
        Ok(FileSystem { address, facts, dir })
    }

    fn number(&self, fact: &str) -> u64 {
        self.facts.get(fact).and_then(|value| value.split(' ').next()?.parse().ok()).unwrap_or(0)
    }

    /// Runs debugfs commands; returns what each of them printed.
    fn ask(&self, commands: &[String]) -> Result<Vec<String>, String> {
        let script = self.dir.path().join("commands");
        fs::write(&script, commands.join("\n") + "\n").map_err(|e| e.to_string())?;
        let args = ["-f".as_ref(), script.as_os_str(), self.address.as_ref()];
        let (code, text, complaints) = streams("debugfs", &args)?;
        let answers: Vec<&str> = text.split("debugfs: ").skip(1).collect();
        // Its exit status is 0 whatever happened, and its version is no complaint.
        if code != 0 || answers.len() < commands.len() || complaints.lines().count() > 1 {
            return Err(format!("debugfs: {text}{complaints}"));
        }
        // Each begins with the command itself.
        Ok(answers.iter().map(|a| a.split_once('\n').map_or("", |(_, said)| said).to_owned()).collect())
    }

    /// Every path with its inode, from the root down, level by level.
    fn walk(&self) -> Result<BTreeMap<String, Inode>, String> {
        let mut all = BTreeMap::new();
        let mut level = vec![(String::new(), 2)];
        while !level.is_empty() {
            let commands: Vec<String> = level.iter().map(|(_, inode)| format!("ls -p <{inode}>")).collect();
            let answers = self.ask(&commands)?;
            let mut next = Vec::new();
            for ((dir, _), answer) in level.iter().zip(answers) {
                for (name, inode) in answer.lines().filter_map(Inode::parse) {
                    let path = format!("{dir}/{name}");
                    if inode.mode.starts_with("04") {
                        next.push((path.clone(), inode.number));
                    }
                    all.insert(path, inode);
                }
            }
            level = next;
        }
        Ok(all)
    }

    /// What stat says of each inode, without where its blocks lie.
    fn stat(&self, inodes: &BTreeSet<u64>) -> Result<BTreeMap<u64, String>, String> {
        let commands: Vec<String> = inodes.iter().map(|inode| format!("stat <{inode}>")).collect();
        let answers = self.ask(&commands)?;
        let facts = answers.iter().map(|answer| answer.split("EXTENTS:").next().unwrap_or("").trim().to_owned());
        Ok(inodes.iter().copied().zip(facts).collect())
    }

    /// The contents of regular files, as files of the directory by inode.
    fn dump(&self, inodes: &BTreeSet<u64>) -> Result<(), String> {
        let to = |inode| self.content(inode).display().to_string();
        let commands: Vec<String> = inodes.iter().map(|inode| format!("dump <{inode}> \"{}\"", to(inode))).collect();
        self.ask(&commands).map(|_| ())
    }

    fn content(&self, inode: &u64) -> std::path::PathBuf {
        self.dir.path().join(inode.to_string())
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Inode {
    number: u64,
    mode: String,
    owner: String,
    /// Empty for directories.
    size: String,
}

impl Inode {
    /// A line of `ls -p`: `/34/100755/0/0/busybox/70000/`.
    fn parse(line: &str) -> Option<(String, Inode)> {
        let fields: Vec<&str> = line.split('/').collect();
        let ["", number, mode, uid, gid, name, size, ..] = fields[..] else { return None };
        let number: u64 = number.parse().ok()?;
        if number == 0 || name == "." || name == ".." {
            return None;
        }
        Some((name.into(), Inode { number, mode: mode.into(), owner: format!("{uid}:{gid}"), size: size.into() }))
    }

    fn is_file(&self) -> bool {
        self.mode.starts_with("10")
    }
}

fn check_file_system(
    found: &mut Differences,
    there: &FileSystem,
    here: &FileSystem,
    partition: u64,
) -> Result<(), String> {
    found.same("file system state", there.facts.get("Filesystem state").map(String::as_str), Some("clean"));
    let kept = [
        "Filesystem volume name",
        "Filesystem UUID",
        "Filesystem features",
        "Filesystem revision #",
        "Block size",
        "Inode size",
        "Inodes per group",
        "Blocks per group",
        "Default mount options",
        "Filesystem created",
        "Directory Hash Seed",
        "Journal inode",
    ];
    for fact in kept {
        found.same(fact, there.facts.get(fact), here.facts.get(fact));
    }
    let (blocks, room) = (there.number("Block count"), partition / there.number("Block size").max(1));
    let left = room.checked_sub(blocks);
    // A last group with less room than its own bookkeeping, with a copy of the superblock, and 50 blocks is left out.
    let groups = blocks.div_ceil(there.number("Blocks per group").max(1));
    let copy = 1 + (groups * 64).div_ceil(there.number("Block size").max(1)) + there.number("Reserved GDT blocks");
    let small = 2 + there.number("Inode blocks per group") + 50 + copy;
    let whole_groups = blocks % there.number("Blocks per group").max(1) == 0;
    let fills = left == Some(0) || (whole_groups && left.is_some_and(|left| left < small));
    found.unless(fills, format!("the file system has {blocks} blocks, its partition room for {room}"));
    let (code, said) = tool("e2fsck", &["-fn", &there.address])?;
    found.unless(code == 0, format!("e2fsck: {said}"));
    Ok(())
}

/// Everything of the image, the settings and their folders, and nothing else.
fn check_overlay(
    found: &mut Differences,
    card: &Path,
    image: &Path,
    part: &Part,
    settings: &[Setting<'_>],
) -> Result<(), String> {
    let there = FileSystem::at(card, part.start * 512)?;
    let here = FileSystem::at(image, part.start * 512)?;
    check_file_system(found, &there, &here, part.sectors * 512)?;
    let (on_card, in_image) = (there.walk()?, here.walk()?);
    let mut wanted: BTreeSet<String> = in_image.keys().cloned().collect();
    for setting in settings {
        let folders = setting.path.match_indices('/').filter(|(at, _)| *at > 0).map(|(at, _)| &setting.path[..at]);
        for folder in folders {
            wanted.insert(folder.into());
            let is = on_card.get(folder).map(|inode| (inode.mode.as_str(), inode.owner.as_str()));
            found.same(folder, is, Some(("040755", "0:0")));
        }
        wanted.insert(setting.path.into());
        let Some(inode) = on_card.get(setting.path) else { continue };
        found.same(setting.path, (inode.mode.as_str(), inode.owner.as_str()), (setting.mode, "0:0"));
        there.dump(&BTreeSet::from([inode.number]))?;
        let content = fs::read_to_string(there.content(&inode.number)).map_err(|e| e.to_string())?;
        found.same(format!("the contents of {}", setting.path), content.as_str(), setting.content);
    }
    found.same("files of the overlay", on_card.into_keys().collect::<BTreeSet<_>>(), wanted);
    Ok(())
}

fn check_files(
    found: &mut Differences,
    there: &FileSystem,
    here: &FileSystem,
    backup: Option<&Path>,
) -> Result<(), String> {
    let (on_card, in_image) = (there.walk()?, here.walk()?);
    let numbers = |files: &BTreeMap<String, Inode>| files.values().map(|inode| inode.number).collect::<BTreeSet<_>>();
    let (there_says, here_says) = (there.stat(&numbers(&on_card))?, here.stat(&numbers(&in_image))?);
    for (path, was) in &in_image {
        let Some(is) = on_card.get(path) else {
            found.unless(false, format!("{path} is gone"));
            continue;
        };
        found.same(path, is, was);
        let (is, was) = (there_says.get(&is.number), here_says.get(&was.number));
        let given_a_child = path == SUPERVISOR && backup.is_some();
        found.unless(given_a_child || is == was, format!("{path}: on the card {is:#?}, should be {was:#?}"));
    }
    check_contents(found, there, here, &on_card, &in_image)?;
    check_backup(found, there, &on_card, &in_image, backup)
}

fn check_contents(
    found: &mut Differences,
    there: &FileSystem,
    here: &FileSystem,
    on_card: &BTreeMap<String, Inode>,
    in_image: &BTreeMap<String, Inode>,
) -> Result<(), String> {
    let pairs = in_image.iter().filter_map(|(path, was)| Some((path, on_card.get(path)?, was)));
    let pairs: Vec<_> = pairs.filter(|(_, is, was)| is.is_file() && was.is_file()).collect();
    there.dump(&pairs.iter().map(|(_, is, _)| is.number).collect())?;
    here.dump(&pairs.iter().map(|(_, _, was)| was.number).collect())?;
    for (path, is, was) in pairs {
        let same = same_files(&there.content(&is.number), &here.content(&was.number))?;
        found.unless(same, format!("the contents of {path} are not as in the image"));
    }
    Ok(())
}

fn same_files(one: &Path, other: &Path) -> Result<bool, String> {
    Ok(tool("cmp", &["-s".as_ref(), one.as_os_str(), other.as_os_str()])?.0 == 0)
}

/// What came in addition: the backup, and its directory; nothing else.
fn check_backup(
    found: &mut Differences,
    there: &FileSystem,
    on_card: &BTreeMap<String, Inode>,
    in_image: &BTreeMap<String, Inode>,
    backup: Option<&Path>,
) -> Result<(), String> {
    let added: Vec<&String> = on_card.keys().filter(|path| !in_image.contains_key(*path)).collect();
    let Some(backup) = backup else {
        found.unless(added.is_empty(), format!("the card has more than the image: {added:?}"));
        return Ok(());
    };
    let path = format!("{BACKUP}/{}.tar", slug(backup)?);
    found.same("what was added", added, vec![&BACKUP.to_owned(), &path]);
    if let Some(dir) = on_card.get(BACKUP) {
        found.same(BACKUP, (dir.mode.as_str(), dir.owner.as_str()), ("040755", "0:0"));
    }
    if let Some(tar) = on_card.get(&path) {
        let private = matches!(tar.mode.as_str(), "100600" | "100644");
        found.unless(private && tar.owner == "0:0", format!("{path}: {tar:?}"));
        there.dump(&BTreeSet::from([tar.number]))?;
        let same = same_files(&there.content(&tar.number), backup)?;
        found.unless(same, format!("{path} is not the backup byte for byte"));
    }
    Ok(())
}

/// The backup's own name for itself, from its `backup.json`.
fn slug(backup: &Path) -> Result<String, String> {
    let (_, text) = tool("tar", &["-xOf".as_ref(), backup.as_os_str(), "./backup.json".as_ref()])?;
    // Apps have slugs, too.
    let facts: serde_json::Value =
        serde_json::from_str(&text).map_err(|_| format!("the backup has no slug: {text}"))?;
    let slug = facts["slug"].as_str().filter(|slug| slug.len() == 8);
    slug.map(str::to_owned).ok_or_else(|| format!("the backup has no slug: {text}"))
}
