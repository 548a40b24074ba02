//! Which secrets were found good a moment ago, so that not every call asks the store. At most ten seconds old, bounded, and
//! what is revoked on this node is gone from here at once: what `sessions/live.rs` is for logins.

use crate::service::Caller;
use crate::store::TokenHash;
use natter_shared::id::{RoomId, SessionId};
use natter_shared::integration::IntegrationKind;
use natter_shared::timestamp::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How long a secret is believed to be good without asking again.
pub const BELIEVED_MS: i64 = 10_000;
const ENTRIES_MAX: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Good {
    kind: IntegrationKind,
    caller: Caller,
    room: RoomId,
    at: Timestamp,
}

#[derive(Default)]
struct Inner {
    good: HashMap<TokenHash, Good>,
    /// How often something ended. What was read before an ending is not remembered after it.
    endings: u64,
}

#[derive(Default)]
pub struct Seen(Mutex<Inner>);

impl Seen {
    /// Whose secret it was a moment ago. `Err` carries what [`Seen::remember`] wants to have.
    pub fn believe(&self, secret: &TokenHash, kind: IntegrationKind, now: Timestamp) -> Result<(Caller, RoomId), u64> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let good = inner
            .good
            .get(secret)
            .filter(|good| good.kind == kind && (0..BELIEVED_MS).contains(&(now.millis() - good.at.millis())));
        good.map(|good| (good.caller, good.room)).ok_or(inner.endings)
    }

    /// Remembers a secret that a store just showed to be good, unless something ended since `endings` was given out.
    pub fn remember(
        &self,
        secret: TokenHash,
        kind: IntegrationKind,
        caller: Caller,
        room: RoomId,
        at: Timestamp,
        endings: u64,
    ) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.endings != endings {
            return;
        }
        if inner.good.len() >= ENTRIES_MAX {
            inner.good.clear();
        }
        inner.good.insert(secret, Good { kind, caller, room, at });
    }

    /// Forgets what has ended.
    pub fn forget(&self, sessions: &[SessionId]) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.endings += 1;
        inner.good.retain(|_, good| !sessions.contains(&good.caller.session));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use natter_shared::id::UserId;
    use natter_shared::integration::Scopes;

    const SECRET: TokenHash = [7; 32];
    const ROOM: RoomId = RoomId::from_bytes([1; 16]);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + millis)
    }

    fn caller() -> Caller {
        let session = SessionId::from_bytes([2; 16]);
        let user = UserId::from_bytes([2; 16]);
        Caller { user, session, expires_at: at(0), guest: false, bot: Some(Scopes::WRITING) }
    }

    #[test]
    fn a_secret_is_believed_for_ten_seconds_and_for_its_kind() {
        let seen = Seen::default();
        let endings = seen.believe(&SECRET, IntegrationKind::Bot, at(0)).unwrap_err();
        seen.remember(SECRET, IntegrationKind::Bot, caller(), ROOM, at(0), endings);
        assert!(seen.believe(&SECRET, IntegrationKind::Bot, at(BELIEVED_MS - 1)).is_ok());
        assert!(seen.believe(&SECRET, IntegrationKind::Bot, at(BELIEVED_MS)).is_err());
        assert!(seen.believe(&SECRET, IntegrationKind::Bot, at(-1)).is_err(), "a clock set back");
        assert!(seen.believe(&SECRET, IntegrationKind::Webhook, at(0)).is_err());
    }

    #[test]
    fn what_ended_is_gone_even_if_it_was_read_before() {
        let seen = Seen::default();
        let endings = seen.believe(&SECRET, IntegrationKind::Bot, at(0)).unwrap_err();
        seen.remember(SECRET, IntegrationKind::Bot, caller(), ROOM, at(0), endings);
        let read_before = seen.believe(&[8; 32], IntegrationKind::Bot, at(0)).unwrap_err();
        seen.forget(&[caller().session]);
        seen.remember([8; 32], IntegrationKind::Bot, caller(), ROOM, at(0), read_before);
        assert!(seen.believe(&SECRET, IntegrationKind::Bot, at(0)).is_err());
        assert!(seen.believe(&[8; 32], IntegrationKind::Bot, at(0)).is_err());
    }
}
