//! What the nodes of one system tell each other, and what they count together: notices for sockets, presence leases, rates.
//!
//! Nothing here is of value: losing all of it loses no message, no login decision and no seq. Being alone is a backend too
//! (`local`).

pub mod local;

#[cfg(test)]
mod conformance;

use async_trait::async_trait;
use natter_shared::entry::Entry;
use natter_shared::frame::ServerFrame;
use natter_shared::id::{ConnectionId, RoomId, SessionId, UserId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a service tells the sockets after a write has succeeded. It reaches every node, this one first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Notice {
    /// Consecutive new entries of one room, for its members; each sees what [`Entry::seen_by`] leaves. Who `joined` hears
    /// the room from this notice on; who `left` or was `removed` hears this one and then no more (`room_gone`).
    Entries { room: RoomId, entries: Arc<Vec<Entry>> },
    /// A frame for all who are in a room, but not for `except` (a person's own typing).
    Room { room: RoomId, except: Option<UserId>, frame: ServerFrame },
    /// A frame for all who are in at least one of these rooms, once for each connection, but not for `except`.
    Rooms { rooms: Vec<RoomId>, except: Option<UserId>, frame: ServerFrame },
    /// A frame for all connections of these people.
    Users { users: Vec<UserId>, frame: ServerFrame },
    /// People who became members of a room without an entry saying so (a new direct conversation): they hear it from now on.
    Subscribe { room: RoomId, users: Vec<UserId> },
    /// A frame for every signed-in connection.
    Everyone { frame: ServerFrame },
    /// These logins have ended: their connections close with 4401, now.
    SessionsEnded { sessions: Vec<SessionId> },
}

/// How often something may be done: a bucket of `burst` that fills up again within `per_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub burst: u32,
    pub per_ms: u64,
}

/// Too often: worth trying again after so many milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften {
    pub retry_after_ms: u64,
}

#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// Hands a notice to the sockets of every node. Never waits for a socket and never fails: a lost notice is healed by the
    /// head check.
    fn publish(&self, notice: Notice);

    /// Takes a lease for a connection; `true` if the person was offline before.
    async fn came(&self, user: UserId, connection: ConnectionId) -> bool;
    /// Gives it back; `true` if the person is offline now.
    async fn went(&self, user: UserId, connection: ConnectionId) -> bool;
    /// Which of these people are online.
    async fn online(&self, users: &[UserId]) -> Vec<UserId>;

    /// Takes one out of the bucket of that name.
    async fn take(&self, bucket: &str, rate: Rate) -> Result<(), TooOften>;
}
