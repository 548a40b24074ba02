//! How much a connection may get wrong before it counts as abuse.

use crate::bus::TooOften;
use natter_shared::error::ErrorCode;
use std::time::Duration;
use tokio::time::Instant;

/// A refusal weighs one; a frame that makes no sense weighs more, for no client of ours sends any. With 120 messages a
/// minute allowed, a connection that sends three times as many is closed.
const BUDGET: u32 = 240;
const NONSENSE: u32 = 12;
/// Pings, and frames other than messages, that a peer may send in one window. Messages have their rate in the service.
const CONTROL: u32 = 120;
const FRAMES: u32 = 120;
const WINDOW: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub struct Patience {
    since: Instant,
    refused: u32,
    control: u32,
    frames: u32,
}

impl Patience {
    pub const fn new(now: Instant) -> Self {
        Self { since: now, refused: 0, control: 0, frames: 0 }
    }

    fn roll(&mut self, now: Instant) {
        if now.duration_since(self.since) >= WINDOW {
            *self = Self::new(now);
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

    /// Counts a frame that is no message.
    pub fn spend_frame(&mut self, now: Instant) -> Result<(), TooOften> {
        self.roll(now);
        self.frames += 1;
        if self.frames <= FRAMES {
            return Ok(());
        }
        let left = WINDOW.saturating_sub(now.duration_since(self.since));
        Err(TooOften { retry_after_ms: u64::try_from(left.as_millis()).unwrap_or(0).max(1) })
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
        assert_eq!((0..1_000).take_while(|_| patience.spend_frame(start).is_ok()).count(), 120);
        let late = start + WINDOW - Duration::from_secs(1);
        assert_eq!(patience.spend_frame(late), Err(TooOften { retry_after_ms: 1_000 }));
        assert!((0..1_000).all(|_| Patience::new(start).bears(ErrorCode::Retry, start)));
    }
}
