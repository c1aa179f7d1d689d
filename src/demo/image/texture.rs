//! Bytes that pack about as those of an operating system do: mostly well, some not at all. The same seed gives the same.

use crate::domain::chance::SplitMix64;

#[derive(Debug, Clone)]
pub(super) struct Random(SplitMix64);

impl Random {
    pub(super) fn new(seed: u64, stream: &str) -> Random {
        let mixed =
            stream.bytes().fold(seed ^ 0x5d5_u64, |sum, byte| sum.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte));
        Random(SplitMix64(mixed))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0.draw()
    }

    pub(super) fn bytes16(&mut self) -> [u8; 16] {
        let mut out = [0; 16];
        for half in out.chunks_mut(8) {
            half.copy_from_slice(&self.next().to_le_bytes());
        }
        out
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for word in bytes.chunks_mut(8) {
            let next = self.next().to_le_bytes();
            word.copy_from_slice(&next[..word.len()]);
        }
    }
}

/// How much comes at once.
pub(super) const CHUNK: usize = 64 << 10;

const WORDS: [&str; 16] = [
    "home",
    "assistant",
    "supervisor",
    "core",
    "observer",
    "dns",
    "audio",
    "cli",
    "multicast",
    "import ",
    "return ",
    "self.",
    "async def ",
    "light.kitchen",
    "sensor.garden",
    "automation",
];

/// An endless stream of chunks.
pub(super) struct Texture {
    random: Random,
    text: Vec<u8>,
}

impl Texture {
    pub(super) fn new(seed: u64, stream: &str) -> Texture {
        let mut random = Random::new(seed, stream);
        let mut text = Vec::with_capacity(2 * CHUNK);
        while text.len() < CHUNK / 4 {
            text.extend_from_slice(WORDS[(random.next() % 16) as usize].as_bytes());
            text.push(b' ');
        }
        while text.len() < 2 * CHUNK {
            text.extend_from_within(..(CHUNK / 4));
        }
        Texture { random, text }
    }

    /// The next chunk, or the beginning of it. Never a whole block of zeros.
    pub(super) fn fill(&mut self, bytes: &mut [u8]) {
        match self.random.next() % 16 {
            0 => self.random.fill(bytes),
            1..=8 => {
                let from = (self.random.next() % CHUNK as u64) as usize;
                bytes.copy_from_slice(&self.text[from..from + bytes.len()]);
                self.mark(bytes);
            }
            _ => {
                bytes.fill(self.random.next() as u8 | 1);
                self.mark(bytes);
            }
        }
    }

    /// A number of its own in every block, so that no two blocks are alike and a shifted one shows.
    fn mark(&mut self, bytes: &mut [u8]) {
        for block in bytes.chunks_exact_mut(4096) {
            block[..8].copy_from_slice(&self.random.next().to_le_bytes());
        }
    }
}
