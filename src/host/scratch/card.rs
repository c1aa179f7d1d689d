//! A claim on a scratch card: the real descriptor, with the card's faults, speed, lies and cache before it.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::domain::disk::Fingerprint;
use crate::domain::ext4::{Ext4, SUPERBLOCK_LEN, SUPERBLOCK_OFFSET};
use crate::domain::progress::StopFlag;
use crate::domain::size::Bytes;
use crate::host::contents::Ends;
use crate::host::linux::{Errno, descriptor::Descriptor, tools};
use crate::host::{Claim, HostError, ToolAnswer, ToolCall};

use super::fault::{Faults, Op};
use super::{ScratchSpec, fingerprint_of};

/// What a card's cache writes back at once.
const PAGE: usize = 4096;

/// See [`super::ScratchHost`].
#[derive(Debug)]
pub struct ScratchClaim {
    descriptor: Descriptor,
    spec: ScratchSpec,
    faults: Faults,
    /// What was at the place of each write since the last flush: the card's volatile cache, seen from behind.
    cache: Mutex<Vec<(u64, Vec<u8>)>>,
}

impl ScratchClaim {
    pub(super) fn new(descriptor: Descriptor, spec: ScratchSpec, faults: Faults) -> ScratchClaim {
        ScratchClaim { descriptor, spec, faults, cache: Mutex::default() }
    }

    fn before(&self, op: Op) -> io::Result<()> {
        let answer = self.faults.before(op);
        if let Some(seed) = self.faults.take_cut() {
            self.lose_power(seed)?;
        }
        answer
    }

    /// Each page written since the last flush is kept or lost by itself: caches write back in any order, and a long write
    /// in parts.
    fn lose_power(&self, seed: u64) -> io::Result<()> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = seed | 1;
        for (offset, before) in cache.drain(..).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if state >> 63 == 1 {
                self.descriptor.write_at(offset, &before)?;
            }
        }
        Ok(())
    }

    fn remember(&self, offset: u64, length: usize) -> io::Result<()> {
        if !self.faults.cuts_power() {
            return Ok(());
        }
        let mut before = vec![0; length];
        self.descriptor.read_at(offset, &mut before)?;
        let pages = (offset..).step_by(PAGE).zip(before.chunks(PAGE).map(<[u8]>::to_vec));
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).extend(pages);
        Ok(())
    }

    /// `resize2fs` cuts a regular file to the file system's size, as if that began at byte 0. What it cut off is nothing
    /// but bookkeeping of new groups, which `e2fsck` makes anew; a card on which it would be more is refused.
    fn resize(&self, offset: u64, blocks: u64, stop: &StopFlag) -> Result<ToolAnswer, HostError> {
        self.refuse_cut(offset, blocks).map_err(|source| HostError::Tool { tool: "resize2fs", source })?;
        let resized = tools::run(&self.descriptor, &ToolCall::Resize { offset, blocks }, stop)?;
        if resized.code != 0 {
            return Ok(resized);
        }
        let mended = tools::run(&self.descriptor, &ToolCall::Repair { offset }, stop)?;
        Ok(if mended.code <= 1 { resized } else { mended })
    }

    fn refuse_cut(&self, offset: u64, blocks: u64) -> io::Result<()> {
        let mut superblock = [0; SUPERBLOCK_LEN];
        self.descriptor.read_at(offset + SUPERBLOCK_OFFSET, &mut superblock)?;
        let old = Ext4::parse(&superblock).ok_or_else(|| io::Error::other("there is no ext4 file system"))?;
        match offset.saturating_add(old.size().0) <= blocks.saturating_mul(old.block_size) {
            true => Ok(()),
            false => Err(io::Error::other("the file is too small: it would be cut in the middle of its data")),
        }
    }

    /// The part of a transfer that a counterfeit card really keeps.
    fn kept(&self, offset: u64, length: usize) -> usize {
        let Some(keeps) = self.spec.keeps else { return length };
        keeps.0.saturating_sub(offset).min(length as u64) as usize
    }
}

/// Sleeps for what `bytes` take at `speed`, less what they took already.
fn pace(speed: Option<u64>, bytes: usize, begun: Instant) {
    if let Some(speed) = speed.filter(|s| *s > 0) {
        let due = Duration::from_secs_f64(bytes as f64 / speed as f64);
        thread::sleep(due.saturating_sub(begun.elapsed()));
    }
}

impl Claim for ScratchClaim {
    fn size(&self) -> io::Result<Bytes> {
        match self.faults.is_pulled() {
            true => Ok(Bytes::ZERO),
            false => self.descriptor.size(),
        }
    }

    fn fingerprint(&self) -> Result<Fingerprint, HostError> {
        let looking = |source| HostError::Looking { what: "what is on the card".into(), source };
        let size = self.size().map_err(looking)?;
        let ends = Ends::read(&|offset: u64, buffer: &mut [u8]| self.read_at(offset, buffer), size.0);
        Ok(fingerprint_of(&self.spec, size, &ends.map_err(looking)?))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let begun = Instant::now();
        self.before(Op::Read { offset, length: buffer.len() as u64 })?;
        self.descriptor.read_at(offset, buffer)?;
        self.faults.spoil(offset, buffer)?;
        pace(self.spec.read_speed, buffer.len(), begun);
        Ok(())
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let begun = Instant::now();
        self.before(Op::Write { offset, length: data.len() as u64 })?;
        if self.size()?.0 < offset.saturating_add(data.len() as u64) {
            return Err(Errno::ENOSPC.into());
        }
        self.remember(offset, data.len())?;
        let kept = self.kept(offset, data.len());
        self.descriptor.write_at(offset, data.get(..kept).unwrap_or(data))?;
        self.faults.written(offset, data.len() as u64);
        pace(self.spec.write_speed, data.len(), begun);
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        self.before(Op::Flush)?;
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.descriptor.flush()
    }

    fn admit_tools(&self) -> io::Result<()> {
        self.before(Op::AdmitTools)?;
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.descriptor.admit_tools()
    }

    fn shut_out(&self) -> io::Result<()> {
        self.before(Op::ShutOut)?;
        self.descriptor.shut_out()
    }

    fn tool(&self, call: &ToolCall<'_>, stop: &StopFlag) -> Result<ToolAnswer, HostError> {
        let tool = call.tool();
        self.before(Op::Tool(tool)).map_err(|source| HostError::Tool { tool, source })?;
        match call {
            ToolCall::Resize { offset, blocks } if self.spec.file.is_file() => self.resize(*offset, *blocks, stop),
            _ => tools::run(&self.descriptor, call, stop),
        }
    }

    fn is_gone(&self) -> bool {
        self.faults.is_pulled()
    }
}
