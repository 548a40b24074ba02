//! How much a connection may get wrong before it counts as abuse.

use crate::bus::TooOften;
use natter_shared::error::ErrorCode;
use std::time::Duration;
use tokio::time::Instant;

/// A refusal weighs one; a frame that makes no sense weighs more, for no client of ours sends any. With 120 messages a
/// minute allowed, a connection that sends three times as many is closed.
const BUDGET: u32 = 240;
const NONSENSE: u32 = 12;
/// Pings that a peer may send in one window. Frames have their rates in the services, where they count for a person.
const CONTROL: u32 = 120;
const WINDOW: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub struct Patience {
    since: Instant,
    refused: u32,
    control: u32,
    /// Frames are refused up to here without asking: whoever floods shall not have everything asked for again.
    refused_until: Option<Instant>,
}

impl Patience {
    pub const fn new(now: Instant) -> Self {
        Self { since: now, refused: 0, control: 0, refused_until: None }
    }

    fn roll(&mut self, now: Instant) {
        if now.duration_since(self.since) >= WINDOW {
            *self = Self { refused_until: self.refused_until, ..Self::new(now) };
        }
    }

    /// Counts a refusal; `false` if it was one too many.
    pub fn bears(&mut self, code: ErrorCode, now: Instant) -> bool {
        self.roll(now);
        self.refused += match code {
            ErrorCode::BadRequest => NONSENSE,
            ErrorCode::RateLimited | ErrorCode::Invalid | ErrorCode::NotFound | ErrorCode::Forbidden => 1,
            // Not the peer's fault.
            _ => 0,
        };
        self.refused <= BUDGET
    }

    /// Whether a frame is worth asking for: not while the last refusal of one holds.
    pub fn may_ask(&self, now: Instant) -> Result<(), TooOften> {
        match self.refused_until.map(|until| until.saturating_duration_since(now)) {
            None | Some(Duration::ZERO) => Ok(()),
            Some(left) => Err(TooOften { retry_after_ms: u64::try_from(left.as_millis()).unwrap_or(0).max(1) }),
        }
    }

    /// Remembers that a frame was refused.
    pub fn was_refused(&mut self, why: TooOften, now: Instant) {
        // Never for longer than a window, whatever is said.
        self.refused_until = Some(now + Duration::from_millis(why.retry_after_ms).min(WINDOW));
    }

    /// Counts a ping; `false` if it was one too many.
    pub fn spend_control(&mut self, now: Instant) -> bool {
        self.roll(now);
        self.control += 1;
        self.control <= CONTROL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn patience_ends_and_comes_back() {
        let start = Instant::now();
        let mut patience = Patience::new(start);
        let refusals = (0..1_000).take_while(|_| patience.bears(ErrorCode::RateLimited, start)).count();
        assert_eq!(refusals, 240);
        assert!(patience.bears(ErrorCode::RateLimited, start + WINDOW));
        let nonsense = (0..1_000).take_while(|_| patience.bears(ErrorCode::BadRequest, start + WINDOW)).count();
        assert_eq!(nonsense, 19);
        let start = start + WINDOW * 2;
        assert_eq!((0..1_000).take_while(|_| patience.spend_control(start)).count(), 120);
        assert!((0..1_000).all(|_| Patience::new(start).bears(ErrorCode::Retry, start)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_of_a_frame_holds_for_as_long_as_it_says() {
        let start = Instant::now();
        let mut patience = Patience::new(start);
        assert_eq!(patience.may_ask(start), Ok(()));
        patience.was_refused(TooOften { retry_after_ms: 500 }, start);
        let early = start + Duration::from_millis(499);
        assert_eq!(patience.may_ask(early), Err(TooOften { retry_after_ms: 1 }));
        assert_eq!(patience.may_ask(start + Duration::from_millis(500)), Ok(()));
        patience.was_refused(TooOften { retry_after_ms: u64::MAX }, start);
        assert!(patience.may_ask(start + WINDOW - Duration::from_millis(1)).is_err());
        assert_eq!(patience.may_ask(start + WINDOW), Ok(()));
    }
}
