//! A scratch host that tells what is asked of its cards, lets something happen in between, and can play a card whose
//! addresses wrap around.

use std::collections::HashMap;
use std::io;
use std::mem::{Discriminant, discriminant};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sd_swap::domain::disk::{Disk, DiskId, Fingerprint};
use sd_swap::domain::progress::StopFlag;
use sd_swap::domain::size::Bytes;
use sd_swap::host::scratch::ScratchHost;
use sd_swap::host::{Claim, Host, HostError, ToolAnswer, ToolCall};

/// What is about to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    Claim,
    Fingerprint,
    Read,
    Write(u64),
    ShutOut,
    Tool(&'static str),
}

/// A call of a tool, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub tool: &'static str,
    pub commands: Vec<String>,
}

/// Called before each act with the number of acts of its kind so far.
type Hook = Box<dyn Fn(&Act, usize) + Send + Sync>;

#[derive(Clone)]
pub struct Watched {
    inner: ScratchHost,
    shared: Arc<Shared>,
}

struct Shared {
    hook: Hook,
    wraps_at: Option<u64>,
    counts: Mutex<HashMap<Discriminant<Act>, usize>>,
    calls: Mutex<Vec<Call>>,
}

impl Watched {
    pub fn new(inner: &ScratchHost, hook: impl Fn(&Act, usize) + Send + Sync + 'static) -> Watched {
        Watched::of(inner, Box::new(hook), None)
    }

    /// Address `n` is really address `n % at`, as on a chip with fewer address lines than it claims.
    pub fn wrapping(inner: &ScratchHost, at: u64) -> Watched {
        Watched::of(inner, Box::new(|_, _| ()), Some(at))
    }

    fn of(inner: &ScratchHost, hook: Hook, wraps_at: Option<u64>) -> Watched {
        let shared = Shared { hook, wraps_at, counts: Mutex::default(), calls: Mutex::default() };
        Watched { inner: inner.clone(), shared: Arc::new(shared) }
    }

    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }
}

impl Shared {
    fn before(&self, act: Act) {
        let number = {
            let mut counts = self.counts.lock().unwrap();
            let count = counts.entry(discriminant(&act)).or_default();
            *count += 1;
            *count - 1
        };
        (self.hook)(&act, number);
    }

    fn place(&self, offset: u64) -> u64 {
        self.wraps_at.map_or(offset, |at| offset % at)
    }
}

impl Host for Watched {
    fn disks(&self) -> Result<Vec<Disk>, HostError> {
        self.inner.disks()
    }

    fn wait_change(&self, timeout: Duration) -> bool {
        self.inner.wait_change(timeout)
    }

    fn nudge(&self) {
        self.inner.nudge();
    }

    fn claim(&self, disk: &DiskId) -> Result<Arc<dyn Claim>, HostError> {
        self.shared.before(Act::Claim);
        let inner = self.inner.claim(disk)?;
        Ok(Arc::new(WatchedClaim { inner, shared: self.shared.clone() }))
    }

    fn disks_under(&self, path: &Path) -> Result<Vec<DiskId>, HostError> {
        self.inner.disks_under(path)
    }

    fn disks_in_use(&self) -> Result<Vec<DiskId>, HostError> {
        self.inner.disks_in_use()
    }

    fn free_space(&self, dir: &Path) -> Result<Bytes, HostError> {
        self.inner.free_space(dir)
    }
}

struct WatchedClaim {
    inner: Arc<dyn Claim>,
    shared: Arc<Shared>,
}

impl Claim for WatchedClaim {
    fn size(&self) -> io::Result<Bytes> {
        self.inner.size()
    }

    fn fingerprint(&self) -> Result<Fingerprint, HostError> {
        self.shared.before(Act::Fingerprint);
        self.inner.fingerprint()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.shared.before(Act::Read);
        self.inner.read_at(self.shared.place(offset), buffer)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.shared.before(Act::Write(offset));
        self.inner.write_at(self.shared.place(offset), data)
    }

    fn flush(&self) -> io::Result<()> {
        self.inner.flush()
    }

    fn admit_tools(&self) -> io::Result<()> {
        self.inner.admit_tools()
    }

    fn shut_out(&self) -> io::Result<()> {
        self.shared.before(Act::ShutOut);
        self.inner.shut_out()
    }

    fn tool(&self, call: &ToolCall<'_>, stop: &StopFlag) -> Result<ToolAnswer, HostError> {
        let tool = call.tool();
        let commands = match call {
            ToolCall::Edit { commands, .. } => commands.clone(),
            _ => Vec::new(),
        };
        self.shared.calls.lock().unwrap().push(Call { tool, commands });
        self.shared.before(Act::Tool(tool));
        self.inner.tool(call, stop)
    }

    fn is_gone(&self) -> bool {
        self.inner.is_gone()
    }
}
