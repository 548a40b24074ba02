//! The one source of chance of a run: the same seed throws the same numbers, so a failure can be had again. It is not for
//! secrets.

use natter_shared::id::ClientId;
use std::time::Duration;

/// `SplitMix64` (Steele, Lea and Flood, 2014): eight bytes of state, and every seed is a good one.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to `end`, without `end`; 0 for an empty range.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        usize::try_from(self.number().checked_rem(end).unwrap_or(0)).unwrap_or(0)
    }

    pub fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let micros = usize::try_from(most.saturating_sub(least).as_micros()).unwrap_or(usize::MAX);
        least + Duration::from_micros(u64::try_from(self.below(micros)).unwrap_or(0))
    }

    /// Dice of one's own, so that what one task throws does not depend on when another one does.
    #[must_use]
    pub const fn fork(&mut self) -> Self {
        Self::new(self.number())
    }

    pub fn client_id(&mut self) -> ClientId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.number().to_be_bytes());
        bytes[8..].copy_from_slice(&self.number().to_be_bytes());
        ClientId::from_random_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_throws_the_same_again_and_another_one_something_else() {
        let throws = |seed| {
            let mut dice = Dice::new(seed);
            (0..100).map(|_| dice.below(6)).collect::<Vec<_>>()
        };
        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
        assert!((0..6).all(|side| throws(7).contains(&side)));
        assert_eq!(Dice::new(1).below(0), 0);
    }

    #[test]
    fn a_duration_lies_where_it_was_asked_for() {
        let (least, most) = (Duration::from_millis(5), Duration::from_millis(9));
        let mut dice = Dice::new(3);
        assert!((0..1_000).all(|_| (least..most).contains(&dice.between(least, most))));
    }
}
