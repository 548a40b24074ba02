//! The times of one connection: when it is pinged, when its silence means that it is gone, when its access token ends.

use super::lock;
use natter_shared::limits;
use natter_shared::timestamp::Timestamp;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// A reader is told this long before its access token ends, or for the last third of a token that lives shorter.
const WARNING_MS: i64 = 30_000;

/// From one turn of a connection to the next.
const ROUND: Duration = Duration::from_millis(limits::HEADS_MS);

/// What is due at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    Nothing,
    /// A ping, or the comment of an event stream.
    Beat,
    /// The access token ends soon.
    Warning,
    /// It has ended.
    SignIn,
    /// Nothing was heard for too long.
    Silent,
}

#[derive(Debug)]
pub struct Pulse {
    /// From one beat to the next, at most.
    every: Duration,
    /// `None` for a reader that never speaks (an event stream).
    silence: Option<Duration>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    heard: Instant,
    beat: Instant,
    expires_at: Timestamp,
    warn_at: Option<Timestamp>,
}

impl Pulse {
    pub fn socket(now: Instant) -> Self {
        let silence = Duration::from_millis(limits::SILENT_MS);
        Self::new(Duration::from_millis(limits::PING_MS), Some(silence), now)
    }

    pub fn stream(now: Instant) -> Self {
        Self::new(Duration::from_millis(limits::SSE_COMMENT_MS), None, now)
    }

    fn new(every: Duration, silence: Option<Duration>, now: Instant) -> Self {
        // Until a token is shown nothing expires.
        let expires_at = Timestamp::from_millis(i64::MAX);
        Self { every, silence, state: Mutex::new(State { heard: now, beat: now, expires_at, warn_at: None }) }
    }

    /// A token was shown that ends at `expires_at`.
    pub fn shown(&self, expires_at: Timestamp, clock: Timestamp) {
        let left = expires_at.millis().saturating_sub(clock.millis()).max(0);
        let mut state = lock(&self.state);
        state.expires_at = expires_at;
        state.warn_at = Some(expires_at.plus_millis(-WARNING_MS.min(left / 3)));
    }

    /// Something came from the peer.
    pub fn heard(&self, now: Instant) {
        lock(&self.state).heard = now;
    }

    /// Whether something came since then.
    pub fn was_heard_since(&self, then: Instant) -> bool {
        lock(&self.state).heard >= then
    }

    /// What is due now; each beat and warning is due once. A beat comes in a connection's `turn` only, in which it is told
    /// its heads, so that both are one write: in the last turn before it would be late.
    pub fn due(&self, now: Instant, clock: Timestamp, turn: bool) -> Due {
        let mut state = lock(&self.state);
        if clock >= state.expires_at {
            return Due::SignIn;
        }
        if self.silence.is_some_and(|silence| now.saturating_duration_since(state.heard) > silence) {
            return Due::Silent;
        }
        if state.warn_at.is_some_and(|at| clock >= at) {
            state.warn_at = None;
            return Due::Warning;
        }
        if turn && now.saturating_duration_since(state.beat) + ROUND > self.every {
            state.beat = now;
            return Due::Beat;
        }
        Due::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_000_000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(START + millis)
    }

    #[tokio::test(start_paused = true)]
    async fn a_socket_is_pinged_and_its_silence_ends_it() {
        let start = Instant::now();
        let pulse = Pulse::socket(start);
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(pulse.due(after(14), at(0), true), Due::Nothing);
        assert_eq!(pulse.due(after(24), at(0), false), Due::Nothing);
        assert_eq!(pulse.due(after(24), at(0), true), Due::Beat);
        assert_eq!(pulse.due(after(34), at(0), true), Due::Nothing);
        assert_eq!(pulse.due(after(44), at(0), true), Due::Beat);
        pulse.heard(after(44));
        assert_eq!(pulse.due(after(103), at(0), true), Due::Beat);
        assert_eq!(pulse.due(after(105), at(0), false), Due::Silent);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_may_be_silent_for_ever() {
        let start = Instant::now();
        let pulse = Pulse::stream(start);
        assert_eq!(pulse.due(start + Duration::from_secs(14), at(0), true), Due::Beat);
        assert_eq!(pulse.due(start + Duration::from_mins(150), at(0), true), Due::Beat);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_token_is_announced_and_then_kept() {
        let now = Instant::now();
        let pulse = Pulse::socket(now);
        pulse.shown(at(900_000), at(0));
        assert_eq!(pulse.due(now, at(869_999), false), Due::Nothing);
        assert_eq!(pulse.due(now, at(870_000), false), Due::Warning);
        assert_eq!(pulse.due(now, at(899_999), false), Due::Nothing);
        assert_eq!(pulse.due(now, at(900_000), false), Due::SignIn);

        pulse.shown(at(905_000), at(900_000));
        assert_eq!(pulse.due(now, at(902_000), false), Due::Nothing);
        assert_eq!(pulse.due(now, at(904_000), false), Due::Warning);
        pulse.shown(at(990_000), at(904_500));
        assert_eq!(pulse.due(now, at(906_000), false), Due::Nothing);
    }
}
