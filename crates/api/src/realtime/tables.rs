//! The plain maps of one worker: connections, and who of them hears which room, person and login. Synchronous, and free of
//! rules: membership is what notices say. Who hears which room is `hearing`, a room's entries on their way to its members
//! are `deliver`, and what is said beside them, with the beat of the clock, is `tell`.

mod deliver;
mod hearing;
#[cfg(test)]
mod invariants;
mod tell;

use super::link::Link;
use super::outbox::Depth;
use crate::service::Caller;
use hearing::Change;
use natter_shared::frame::CloseCode;
use natter_shared::id::{RoomId, Seq, SessionId, UserId};
use std::collections::HashMap;
use std::sync::Arc;

/// A connection's place in the table.
pub type Key = u32;

/// A connection hears the heads of its rooms once in so many ticks; which one, its key decides.
pub const TICKS_A_ROUND: u64 = 20;

#[derive(Default)]
pub struct Tables {
    connections: Vec<Option<Connection>>,
    free: Vec<Key>,
    rooms: HashMap<RoomId, Slot>,
    users: HashMap<UserId, Vec<Key>>,
    sessions: HashMap<SessionId, Vec<Key>>,
    /// Connections that have signed in and are not subscribed yet.
    entering: usize,
    /// The last seq delivered in each room that changed while somebody was entering.
    recent: HashMap<RoomId, Seq>,
    ticks: u64,
    delivered: u64,
    /// Whoever enters now is told to go.
    closed: Option<CloseCode>,
}

struct Connection {
    user: UserId,
    session: SessionId,
    link: Arc<Link>,
    rooms: Vec<RoomId>,
    /// What became of memberships while this connection was entering, and with which entry; `None` once it is subscribed.
    changes: Option<HashMap<RoomId, (Seq, Change)>>,
    /// Rooms of which this connection was told more than may have been delivered here: up to which seq.
    ahead: HashMap<RoomId, Seq>,
}

/// A room that somebody here hears.
struct Slot {
    /// The last seq that was delivered.
    head: Seq,
    /// The tick of the last delivery.
    changed: u64,
    members: Vec<Key>,
}

impl Tables {
    pub fn len(&self) -> usize {
        self.connections.len() - self.free.len()
    }

    /// Entries that were handed to connections, each once for each of them.
    pub const fn delivered(&self) -> u64 {
        self.delivered
    }

    /// What waits in the outboxes.
    pub fn waiting(&self) -> Depth {
        let depths = self.connections.iter().flatten().map(|connection| connection.link.outbox.depth());
        depths.fold(Depth::default(), Depth::and)
    }

    pub fn sessions(&self) -> impl Iterator<Item = SessionId> {
        self.sessions.keys().copied()
    }

    pub fn heads(&self) -> Vec<(RoomId, Seq)> {
        self.rooms.iter().map(|(room, slot)| (*room, slot.head)).collect()
    }

    pub fn enter(&mut self, caller: &Caller, link: Arc<Link>) -> Key {
        if let Some(code) = self.closed {
            link.wind_down(code);
        }
        let connection = Connection {
            user: caller.user,
            session: caller.session,
            link,
            rooms: Vec::new(),
            changes: Some(HashMap::new()),
            ahead: HashMap::new(),
        };
        let key = if let Some(key) = self.free.pop() {
            self.connections[key as usize] = Some(connection);
            key
        } else {
            self.connections.push(Some(connection));
            Key::try_from(self.connections.len() - 1).unwrap_or(Key::MAX)
        };
        self.users.entry(caller.user).or_default().push(key);
        self.sessions.entry(caller.session).or_default().push(key);
        self.entering += 1;
        key
    }

    pub fn leave(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key as usize).and_then(Option::take) else { return };
        self.free.push(key);
        remove(&mut self.users, &connection.user, key);
        remove(&mut self.sessions, &connection.session, key);
        for room in &connection.rooms {
            self.unhear(*room, key);
        }
        if connection.changes.is_some() {
            self.entered();
        }
    }

    fn entered(&mut self) {
        self.entering -= 1;
        if self.entering == 0 {
            self.recent = HashMap::new();
        }
    }

    /// The connections of a person that can speak.
    pub fn sockets_of(&self, user: UserId) -> Vec<Arc<Link>> {
        let keys = self.users.get(&user).map(Vec::as_slice).unwrap_or_default();
        let connections = keys.iter().filter_map(|key| self.connections.get(*key as usize)?.as_ref());
        connections.filter(|connection| connection.link.has_reader).map(|c| Arc::clone(&c.link)).collect()
    }
}

fn remove<K: std::hash::Hash + Eq>(map: &mut HashMap<K, Vec<Key>>, of: &K, key: Key) {
    if let Some(keys) = map.get_mut(of) {
        keys.retain(|known| *known != key);
        if keys.is_empty() {
            map.remove(of);
        }
    }
}
