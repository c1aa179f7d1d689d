//! A full backup as the Supervisor writes it: an outer tar that grows in place, gzipped tars in it, `backup.json` last.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::config::{AppConfig, StandinConfig};

/// What a backup is made of.
#[derive(Debug, Clone)]
pub struct PackPlan {
    pub slug: String,
    pub name: String,
    pub date: String,
    pub core_version: String,
    pub supervisor_version: String,
    pub without_database: bool,
    /// Type `full`, else `partial`.
    pub full: bool,
    /// Its archives are sealed with a key that nobody has.
    pub protected: bool,
    pub apps: Vec<AppConfig>,
    pub folders: Vec<String>,
    /// About so many bytes in all.
    pub size: u64,
}

impl PackPlan {
    pub fn of(config: &StandinConfig, slug: &str, name: &str) -> PackPlan {
        PackPlan {
            slug: slug.into(),
            name: name.into(),
            date: super::state::now(),
            core_version: config.core_version.clone(),
            supervisor_version: config.supervisor_version.clone(),
            without_database: false,
            full: true,
            protected: false,
            apps: config.apps.clone(),
            folders: config.folders.clone(),
            size: config.backup_size,
        }
    }

    /// Each inner archive gets the same share.
    pub fn share(&self) -> u64 {
        self.size / (1 + self.apps.len() + self.folders.len()) as u64
    }

    pub fn json(&self) -> Value {
        let apps = self.apps.iter();
        let apps: Vec<Value> =
            apps.map(|a| json!({"slug": a.slug, "name": a.name, "version": a.version, "size": 0.0})).collect();
        let kind = if self.full { "full" } else { "partial" };
        json!({
            "slug": self.slug, "version": 2, "name": self.name, "date": self.date, "type": kind,
            "supervisor_version": self.supervisor_version, "extra": {}, "folders": self.folders, "addons": apps,
            "compressed": true, "protected": self.protected, "repositories": [],
            "homeassistant": {"version": self.core_version, "exclude_database": self.without_database, "size": 0.0},
        })
    }
}

/// Writes a whole backup at once, as fast as it goes. The same slug and size give the same data.
pub fn write_backup(path: &Path, plan: &PackPlan) -> io::Result<()> {
    let mut pack = Pack::create(path, &plan.slug, None, || true)?;
    let mut save = |name: &str, inside: &str| match plan.protected {
        true => pack.sealed(name, plan.share()),
        false => pack.archive(name, inside, plan.share()),
    };
    save("homeassistant", "data/home-assistant_v2.db")?;
    for app in &plan.apps {
        save(&app.slug, "data/options")?;
    }
    for folder in &plan.folders {
        save(&folder.replace('/', "_"), "files/one")?;
    }
    pack.finish(plan)
}

/// An outer tar that is being written.
pub struct Pack {
    file: File,
    random: Random,
    /// Bytes in a second.
    speed: Option<u64>,
    begun: Instant,
    written: u64,
    alive: Box<dyn Fn() -> bool + Send>,
}

impl Pack {
    /// `alive` is asked all the time; once it says no, writing fails and the file stays as it is.
    pub fn create(
        path: &Path,
        seed: &str,
        speed: Option<u64>,
        alive: impl Fn() -> bool + Send + 'static,
    ) -> io::Result<Pack> {
        let file = File::create(path)?;
        Ok(Pack { file, random: Random::new(seed), speed, begun: Instant::now(), written: 0, alive: Box::new(alive) })
    }

    /// An inner `{name}.tar.gz` with one file of so many bytes that nothing compresses.
    pub fn archive(&mut self, name: &str, inside: &str, size: u64) -> io::Result<()> {
        let begin = self.file.stream_position()?;
        self.write_all(&[0; 512])?;
        let random = self.random.next_stream();
        let mut builder = tar::Builder::new(GzEncoder::new(&mut *self, Compression::none()));
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o644);
        builder.append_data(&mut header, inside, random.take(size))?;
        builder.into_inner()?.finish()?;
        self.close_member(&format!("{name}.tar.gz"), begin)
    }

    /// A member of that name which only its key would open.
    pub fn sealed(&mut self, name: &str, size: u64) -> io::Result<()> {
        let begin = self.file.stream_position()?;
        self.write_all(&[0; 512])?;
        self.write_all(b"SecureTar")?;
        let mut random = self.random.next_stream().take(size);
        io::copy(&mut random, self)?;
        self.close_member(&format!("{name}.tar.gz"), begin)
    }

    /// `backup.json` and the end of the tar.
    pub fn finish(mut self, plan: &PackPlan) -> io::Result<()> {
        let begin = self.file.stream_position()?;
        self.write_all(&[0; 512])?;
        self.write_all(plan.json().to_string().as_bytes())?;
        self.close_member("./backup.json", begin)?;
        let end = self.file.stream_position()? + 1024;
        self.file.set_len(end.next_multiple_of(10240))?;
        self.file.sync_data()
    }

    /// The header is known only now that the data is written.
    fn close_member(&mut self, name: &str, begin: u64) -> io::Result<()> {
        let end = self.file.stream_position()?;
        let mut header = tar::Header::new_gnu();
        // set_path would take the "./" away, which the Supervisor writes before backup.json alone.
        header.as_old_mut().name.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
        header.set_size(end - begin - 512);
        header.set_mode(0o644);
        header.set_cksum();
        self.file.seek(SeekFrom::Start(begin))?;
        self.file.write_all(header.as_bytes())?;
        self.file.seek(SeekFrom::Start(end))?;
        let padding = (512 - end % 512) % 512;
        self.file.write_all(&[0; 512][..padding as usize])
    }

    fn is_ahead(&self) -> bool {
        self.speed.is_some_and(|speed| self.written as f64 / speed.max(1) as f64 > self.begun.elapsed().as_secs_f64())
    }
}

impl Write for Pack {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        while self.is_ahead() && (self.alive)() {
            std::thread::sleep(Duration::from_millis(5));
        }
        if !(self.alive)() {
            return Err(io::Error::other("the Supervisor is gone"));
        }
        let length = self.file.write(data)?;
        self.written += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The same bytes for the same seed, and none that gzip could compress: what repeats lies further back than it looks.
struct Random {
    state: u64,
    pool: Vec<u8>,
    at: usize,
}

/// Twice as far as gzip looks back.
const POOL: usize = 64 << 10;

impl Random {
    fn new(seed: &str) -> Random {
        let mix = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Random::of(seed.bytes().fold(0xcbf2_9ce4_8422_2325, mix))
    }

    fn of(state: u64) -> Random {
        let mut random = Random { state: state | 1, pool: Vec::with_capacity(POOL), at: 0 };
        while random.pool.len() < POOL {
            let bytes = random.next().to_le_bytes();
            random.pool.extend_from_slice(&bytes);
        }
        random
    }

    /// xorshift64*
    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn next_stream(&mut self) -> Random {
        Random::of(self.next())
    }

    /// Each round differs from the one before.
    fn stir(&mut self) {
        let bytes = self.next().to_le_bytes();
        let place = self.next() as usize % (POOL - bytes.len());
        self.pool[place..place + bytes.len()].copy_from_slice(&bytes);
        self.at = 0;
    }
}

impl Read for Random {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == POOL {
            self.stir();
        }
        let length = buffer.len().min(POOL - self.at);
        buffer[..length].copy_from_slice(&self.pool[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}
