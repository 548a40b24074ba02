//! Which logins were found alive a moment ago, so that not every call asks the store. At most ten seconds old, bounded, and
//! what ends on this node is gone from here at once.

use natter_shared::id::{SessionId, UserId};
use natter_shared::timestamp::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How long a login is believed to live without asking again. A login that another node ended lives on here for so long
/// at most, should the news of it be lost.
pub const BELIEVED_MS: i64 = 10_000;
const ENTRIES_MAX: usize = 20_000;

#[derive(Debug, Clone, Copy)]
struct Seen {
    user: UserId,
    at: Timestamp,
    /// When the login ends by itself.
    expires_at: Timestamp,
}

#[derive(Default)]
struct Inner {
    seen: HashMap<SessionId, Seen>,
    /// How often something ended. What was read before an ending is not remembered after it.
    endings: u64,
}

/// Logins found alive.
#[derive(Default)]
pub struct Live(Mutex<Inner>);

impl Live {
    /// Whether the login of this person was alive a moment ago. `Err` carries what [`Live::remember`] wants to have.
    pub fn believe(&self, session: SessionId, user: UserId, now: Timestamp) -> Result<(), u64> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = inner.seen.get(&session).is_some_and(|seen| {
            let age = now.millis() - seen.at.millis();
            seen.user == user && (0..BELIEVED_MS).contains(&age) && now < seen.expires_at
        });
        if fresh { Ok(()) } else { Err(inner.endings) }
    }

    /// Remembers a login that a store just showed to be alive, unless something ended since `endings` was given out.
    pub fn remember(&self, session: SessionId, user: UserId, now: Timestamp, expires_at: Timestamp, endings: u64) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.endings != endings {
            return;
        }
        if inner.seen.len() >= ENTRIES_MAX {
            inner.seen.retain(|_, seen| (0..BELIEVED_MS).contains(&(now.millis() - seen.at.millis())));
            if inner.seen.len() >= ENTRIES_MAX {
                inner.seen.clear();
            }
        }
        inner.seen.insert(session, Seen { user, at: now, expires_at });
    }

    /// Forgets logins that have ended.
    pub fn forget(&self, sessions: &[SessionId]) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.endings += 1;
        for session in sessions {
            inner.seen.remove(session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + millis)
    }

    fn session(n: u32) -> SessionId {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        SessionId::from_bytes(bytes)
    }

    const ANN: UserId = UserId::from_bytes([1; 16]);
    const BOB: UserId = UserId::from_bytes([2; 16]);

    #[test]
    fn a_login_is_believed_for_ten_seconds_and_never_past_its_end() {
        let live = Live::default();
        let endings = live.believe(session(1), ANN, at(0)).unwrap_err();
        live.remember(session(1), ANN, at(0), at(60_000), endings);
        live.remember(session(2), ANN, at(0), at(3_000), endings);
        assert!(live.believe(session(1), ANN, at(BELIEVED_MS - 1)).is_ok());
        assert!(live.believe(session(1), ANN, at(BELIEVED_MS)).is_err());
        assert!(live.believe(session(1), ANN, at(-1)).is_err(), "a clock set back");
        assert!(live.believe(session(1), BOB, at(0)).is_err());
        assert!(live.believe(session(2), ANN, at(3_000)).is_err());
    }

    #[test]
    fn what_ended_is_gone_even_if_it_was_read_before() {
        let live = Live::default();
        let endings = live.believe(session(1), ANN, at(0)).unwrap_err();
        live.remember(session(1), ANN, at(0), at(60_000), endings);
        let read_before = live.believe(session(2), ANN, at(0)).unwrap_err();
        live.forget(&[session(1), session(2)]);
        live.remember(session(2), ANN, at(0), at(60_000), read_before);
        assert!(live.believe(session(1), ANN, at(0)).is_err());
        assert!(live.believe(session(2), ANN, at(0)).is_err());
    }

    #[test]
    fn it_is_bounded() {
        let live = Live::default();
        for n in 0..u32::try_from(ENTRIES_MAX).unwrap() + 10 {
            live.remember(session(n), ANN, at(0), at(60_000), 0);
        }
        assert!(live.0.lock().unwrap().seen.len() <= ENTRIES_MAX);
    }
}
