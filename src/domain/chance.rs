//! Numbers that look like chance and follow from a seed.

/// SplitMix64 (public domain, Sebastiano Vigna): small, good enough for waits and for filling; no secret comes from it.
#[derive(Debug, Clone)]
pub struct SplitMix64(pub u64);

impl SplitMix64 {
    /// The next number: a step, and its bits stirred.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that are commonly given for this seed.
    #[test]
    fn it_is_the_known_sequence() {
        let mut chance = SplitMix64(1_234_567);
        let first = [6457827717110365317, 3203168211198807973, 9817491932198370423];
        assert_eq!([(); 3].map(|()| chance.draw()), first);
    }
}
