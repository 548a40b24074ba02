//! Who is online, and who is typing where.

use super::map::Map;
use natter_shared::id::{RoomId, UserId};
use natter_shared::limits::TYPING_HOLDS_MS;
use std::collections::BTreeSet;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presence(BTreeSet<UserId>);

impl Presence {
    pub fn replace(&mut self, online: impl IntoIterator<Item = UserId>) {
        self.0.clear();
        self.0.extend(online);
    }

    /// Says whether this was news.
    pub fn set(&mut self, user: UserId, online: bool) -> bool {
        if online { self.0.insert(user) } else { self.0.remove(&user) }
    }

    pub fn is_online(&self, user: UserId) -> bool {
        self.0.contains(&user)
    }

    pub fn online(&self) -> &BTreeSet<UserId> {
        &self.0
    }
}

/// Typing notices. Each holds for [`TYPING_HOLDS_MS`]; times are milliseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typing(Map<RoomId, Map<UserId, i64>>);

impl Typing {
    /// Notes that somebody typed; says whether they were not shown as typing before.
    pub fn note(&mut self, room: RoomId, user: UserId, now: i64) -> bool {
        let until = now.saturating_add(TYPING_HOLDS_MS.cast_signed());
        self.0.or_insert_with(room, Map::new).insert(user, until).is_none()
    }

    /// Somebody's message came, or they left: they are not typing any more.
    pub fn stop(&mut self, room: RoomId, user: UserId) -> bool {
        let Some(users) = self.0.get_mut(&room) else { return false };
        let stopped = users.remove(&user).is_some();
        if users.is_empty() {
            self.0.remove(&room);
        }
        stopped
    }

    /// Drops what has run out; says whether anything did.
    pub fn expire(&mut self, now: i64) -> bool {
        let count = |typing: &Self| typing.0.values().map(Map::len).sum::<usize>();
        let before = count(self);
        for users in self.0.values_mut() {
            users.retain(|_, until| *until > now);
        }
        self.0.retain(|_, users| !users.is_empty());
        before != count(self)
    }

    /// When the next notice runs out.
    pub fn next_expiry(&self) -> Option<i64> {
        self.0.values().flat_map(Map::values).min().copied()
    }

    pub fn in_room(&self, room: RoomId) -> Vec<UserId> {
        self.0.get(&room).map(|users| users.keys().copied().collect()).unwrap_or_default()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}
