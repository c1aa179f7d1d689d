//! One claimed disk as the kernel knows it: an exclusive descriptor for our own reads and writes, a plain one that keeps
//! the `flock` and is handed to child tools.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, PosixFadviseAdvice, posix_fadvise};
use nix::libc;

use crate::domain::disk::DiskId;
use crate::domain::progress::StopFlag;
use crate::domain::size::Bytes;
use crate::host::buffer::Aligned;
use crate::host::{HostError, ToolAnswer};

use super::tools;
use super::under::mounts::DevNumber;

mod ioctl {
    // BLKGETSIZE64 is declared with size_t but always answers 64 bits (linux/fs.h).
    nix::ioctl_read!(blkgetsize64, 0x12, 114, u64);
    // Linux 5.15 and later.
    nix::ioctl_read!(blkgetdiskseq, 0x12, 128, u64);
}

/// How an open failed, told apart where the user can do something about it.
#[derive(Debug)]
pub enum OpenFailed {
    Busy,
    Denied,
    ReadOnly,
    Other(io::Error),
}

impl OpenFailed {
    /// As an error about a disk.
    pub fn on(self, id: &DiskId) -> HostError {
        match self {
            OpenFailed::Busy => HostError::Busy(id.clone()),
            OpenFailed::Denied => HostError::Denied(id.clone()),
            OpenFailed::ReadOnly => HostError::ReadOnly(id.clone()),
            OpenFailed::Other(source) => HostError::Opening { disk: id.clone(), source },
        }
    }
}

impl From<io::Error> for OpenFailed {
    fn from(error: io::Error) -> OpenFailed {
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EBUSY | Errno::EWOULDBLOCK) => OpenFailed::Busy,
            Some(Errno::EPERM | Errno::EACCES) => OpenFailed::Denied,
            Some(Errno::EROFS) => OpenFailed::ReadOnly,
            _ => OpenFailed::Other(error),
        }
    }
}

#[derive(Debug)]
struct Exclusive {
    file: File,
    /// Whether it bypasses the page cache.
    direct: bool,
}

/// An open, claimed whole disk or regular file. Dropping it releases the claim.
#[derive(Debug)]
pub struct Descriptor {
    /// Opened with `O_EXCL`: on a block device it says EBUSY if anybody else holds the disk. `None` while tools run.
    exclusive: RwLock<Option<Exclusive>>,
    /// Opened through the exclusive one, so it is the same disk whatever the letters do. A `flock` belongs to its open
    /// file, so it is taken here and only here; the host does not scan the disk while it is held.
    plain: Flock<File>,
    is_file: bool,
    /// Length of a regular file when it was claimed: `resize2fs` by offset cuts files.
    length: u64,
    /// The kernel's number of this medium in this drive: another one lies there once it differs. `None`: not told.
    medium: Option<u64>,
}

/// A fifth of a second in all.
const BUSY_TRIES: u32 = 10;
const BUSY_WAIT: Duration = Duration::from_millis(20);

/// Waits a moment for one who is just letting go: a process that is being started shares our descriptors until it runs its
/// own program, and udev looks at a disk whenever a writer closed it.
fn patiently<T>(open: impl Fn() -> Result<T, OpenFailed>) -> Result<T, OpenFailed> {
    for _ in 0..BUSY_TRIES {
        match open() {
            Err(OpenFailed::Busy) => std::thread::sleep(BUSY_WAIT),
            opened => return opened,
        }
    }
    open()
}

impl Descriptor {
    pub fn claim(path: &Path) -> Result<Descriptor, OpenFailed> {
        patiently(|| Descriptor::claim_now(path))
    }

    fn claim_now(path: &Path) -> Result<Descriptor, OpenFailed> {
        let exclusive = open_exclusive(path)?;
        let plain = OpenOptions::new().read(true).write(true).open(inherited_name(exclusive.file.as_fd()))?;
        let plain = Flock::lock(plain, FlockArg::LockExclusiveNonblock)
            .map_err(|(_, errno)| OpenFailed::from(io::Error::from(errno)))?;
        let kind = plain.metadata()?.file_type();
        if !kind.is_file() && !kind.is_block_device() {
            return Err(OpenFailed::Other(io::Error::other("neither a block device nor a regular file")));
        }
        let exclusive = RwLock::new(Some(exclusive));
        let medium = medium_of(&plain);
        let mut descriptor = Descriptor { exclusive, plain, is_file: kind.is_file(), length: 0, medium };
        descriptor.length = descriptor.size()?.0;
        Ok(descriptor)
    }

    /// The number of the block device; `None` for a file.
    pub fn device(&self) -> io::Result<Option<DevNumber>> {
        device_of(&self.plain)
    }

    /// A reader keeps its device, and we our descriptor of it, while people change cards.
    pub fn is_other_medium(&self) -> bool {
        self.medium.is_some() && medium_of(&self.plain) != self.medium
    }

    fn refuse_other_medium(&self) -> io::Result<()> {
        match self.is_other_medium() {
            true => Err(Errno::ENOMEDIUM.into()),
            false => Ok(()),
        }
    }

    /// 0 for a disk that is gone.
    pub fn size(&self) -> io::Result<Bytes> {
        size_of(&self.plain, self.is_file)
    }

    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let exclusive = self.exclusive.read().unwrap_or_else(PoisonError::into_inner);
        let (file, direct) = exclusive.as_ref().map_or((&*self.plain, false), |e| (&e.file, e.direct));
        read_past_cache(file, direct, offset, buffer)
    }

    pub fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.refuse_other_medium()?;
        let exclusive = self.exclusive.read().unwrap_or_else(PoisonError::into_inner);
        let (file, direct) = exclusive.as_ref().map_or((&*self.plain, false), |e| (&e.file, e.direct));
        if !direct || Aligned::fits(data) {
            return file.write_all_at(data, offset);
        }
        let mut bounce = Aligned::new(data.len());
        bounce.copy_from_slice(data);
        file.write_all_at(&bounce, offset)
    }

    pub fn flush(&self) -> io::Result<()> {
        self.plain.sync_all()
    }

    pub fn admit_tools(&self) -> io::Result<()> {
        self.refuse_other_medium()?;
        self.flush()?;
        *self.exclusive.write().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    /// Takes the exclusive descriptor again through the plain one, which has been open all the time.
    pub fn shut_out(&self) -> io::Result<()> {
        self.flush()?;
        posix_fadvise(self.plain.as_fd(), 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
        let mut exclusive = self.exclusive.write().unwrap_or_else(PoisonError::into_inner);
        if exclusive.is_none() {
            *exclusive = Some(open_exclusive(&inherited_name(self.plain.as_fd()))?);
        }
        drop(exclusive);
        // Opening makes the kernel look whether the medium is still the same.
        self.refuse_other_medium()
    }

    /// Sets a regular file back to its length after a tool that cuts files (house, "order of writes").
    pub fn restore_length(&self) -> io::Result<()> {
        if self.is_file && self.plain.metadata()?.len() != self.length {
            self.plain.set_len(self.length)?;
        }
        Ok(())
    }

    /// The descriptor that child tools inherit.
    pub fn plain(&self) -> BorrowedFd<'_> {
        self.plain.as_fd()
    }
}

/// A disk opened to look at: exclusively, so that it says EBUSY where a claim would, but only for reading, so that closing
/// it makes nobody scan the disk anew.
#[derive(Debug)]
pub struct Look {
    file: Exclusive,
    is_file: bool,
}

impl Look {
    /// The number of the block device; `None` for a file.
    pub fn device(&self) -> io::Result<Option<DevNumber>> {
        device_of(&self.file.file)
    }

    pub fn open(path: &Path) -> Result<Look, OpenFailed> {
        let file = patiently(|| Ok(open_with(OpenOptions::new().read(true), path)?))?;
        let is_file = file.file.metadata()?.is_file();
        Ok(Look { file, is_file })
    }

    /// Without `O_EXCL`: also where it is mounted, and so that a child tool may open it too. True: somebody else holds
    /// it, and what is read may change meanwhile.
    pub fn share(path: &Path) -> Result<(Look, bool), OpenFailed> {
        let is_used = matches!(Look::open(path), Err(OpenFailed::Busy));
        let file = open_past_cache(OpenOptions::new().read(true), 0, path)?;
        let kind = file.file.metadata()?.file_type();
        if !kind.is_file() && !kind.is_block_device() {
            return Err(OpenFailed::Other(io::Error::other("neither a block device nor a regular file")));
        }
        Ok((Look { file, is_file: kind.is_file() }, is_used))
    }

    /// `e2fsck -fn` on the file system that begins `offset` bytes into it. Opened with [`Look::share`] only.
    pub fn check_ext4(&self, offset: u64, stop: &StopFlag) -> Result<ToolAnswer, HostError> {
        tools::look(self.file.file.as_fd(), offset, stop)
    }

    pub fn size(&self) -> io::Result<Bytes> {
        size_of(&self.file.file, self.is_file)
    }

    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        read_past_cache(&self.file.file, self.file.direct, offset, buffer)
    }
}

fn medium_of(file: &File) -> Option<u64> {
    let mut number = 0u64;
    // SAFETY: the descriptor is open for the whole call and the kernel writes exactly one u64.
    unsafe { ioctl::blkgetdiskseq(file.as_raw_fd(), &mut number) }.ok()?;
    Some(number)
}

fn device_of(file: &File) -> io::Result<Option<DevNumber>> {
    let data = file.metadata()?;
    let number = || DevNumber::of_node(data.rdev());
    Ok(data.file_type().is_block_device().then(number))
}

fn size_of(file: &File, is_file: bool) -> io::Result<Bytes> {
    if is_file {
        return Ok(Bytes(file.metadata()?.len()));
    }
    let mut size = 0u64;
    // SAFETY: the descriptor is open for the whole call and the kernel writes exactly one u64.
    unsafe { ioctl::blkgetsize64(file.as_raw_fd(), &mut size) }?;
    Ok(Bytes(size))
}

/// Never reads what the page cache remembers: a buffered read is preceded by dropping the range.
fn read_past_cache(file: &File, direct: bool, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
    if !direct {
        let (from, length) = (offset as libc::off_t, buffer.len() as libc::off_t);
        posix_fadvise(file.as_fd(), from, length, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
        return file.read_exact_at(buffer, offset);
    }
    if Aligned::fits(buffer) {
        return file.read_exact_at(buffer, offset);
    }
    let mut bounce = Aligned::new(buffer.len());
    file.read_exact_at(&mut bounce, offset)?;
    buffer.copy_from_slice(&bounce);
    Ok(())
}

/// The name by which a process, or a child that inherits it, opens a descriptor anew.
pub fn inherited_name(fd: BorrowedFd<'_>) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

fn open_exclusive(path: &Path) -> io::Result<Exclusive> {
    open_with(OpenOptions::new().read(true).write(true), path)
}

fn open_with(options: &mut OpenOptions, path: &Path) -> io::Result<Exclusive> {
    open_past_cache(options, libc::O_EXCL, path)
}

/// Opens past the page cache where the device or file system takes that (it says EINVAL where not).
fn open_past_cache(options: &mut OpenOptions, flags: i32, path: &Path) -> io::Result<Exclusive> {
    match options.custom_flags(flags | libc::O_DIRECT).open(path) {
        Ok(file) => Ok(Exclusive { file, direct: true }),
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            Ok(Exclusive { file: options.custom_flags(flags).open(path)?, direct: false })
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(length: u64) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(length).unwrap();
        file
    }

    #[test]
    fn a_second_claim_finds_it_busy_until_the_first_is_dropped() {
        let file = card(8192);
        let first = Descriptor::claim(file.path()).unwrap();
        assert!(matches!(Descriptor::claim(file.path()), Err(OpenFailed::Busy)));
        drop(first);
        assert!(Descriptor::claim(file.path()).is_ok());
    }

    #[test]
    fn unaligned_memory_is_written_and_read_all_the_same() {
        let file = card(1 << 20);
        let descriptor = Descriptor::claim(file.path()).unwrap();
        let memory: Vec<u8> = (0..4097u32).map(|n| n as u8).collect();
        for phase in 0..2 {
            descriptor.write_at(512 * (1 + phase), &memory[1..513]).unwrap();
            descriptor.flush().unwrap();
            let mut back = vec![0; 513];
            descriptor.read_at(512 * (1 + phase), &mut back[1..]).unwrap();
            assert_eq!(back[1..], memory[1..513]);
            descriptor.admit_tools().unwrap();
        }
        descriptor.shut_out().unwrap();
    }

    #[test]
    fn a_file_that_was_cut_gets_its_length_back() {
        let file = card(1 << 20);
        let descriptor = Descriptor::claim(file.path()).unwrap();
        file.as_file().set_len(4096).unwrap();
        descriptor.restore_length().unwrap();
        assert_eq!(descriptor.size().unwrap(), Bytes(1 << 20));
    }

    #[test]
    fn what_is_no_disk_is_not_claimed() {
        assert!(matches!(Descriptor::claim(Path::new("/dev/null")), Err(OpenFailed::Other(_))));
        assert!(Descriptor::claim(Path::new("/nonexistent")).is_err());
    }
}
