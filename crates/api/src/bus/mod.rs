//! What the nodes of one system tell each other, and what they count together: notices for sockets, presence leases, rates.
//!
//! Nothing here is of value: losing all of it loses no message, no login decision and no seq. Being alone is a backend too
//! (`local`). There are no tickets: a socket signs in with its first frame, so nothing has to be handed from a request to it.

pub mod local;
pub mod redis;

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

/// What a bus hears from other nodes that is not for sockets; whoever put the system together hands it to the services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// These people were online through a node that is gone, and are online nowhere now. Told on exactly one node.
    Departed(Vec<UserId>),
    /// Others may have been told that these people are offline while this node was cut off; they are online through it.
    Returned(Vec<UserId>),
    /// Another node has ended these logins.
    SessionsEnded(Vec<SessionId>),
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

    /// Waits, for some milliseconds at most, until this node's sockets have had their turn to write what was published before.
    /// What arrives meanwhile is stored by one commit, and leaves as one write a socket.
    async fn caught_up(&self);

    /// Takes a lease for a connection; `true` if the person was offline before.
    async fn came(&self, user: UserId, connection: ConnectionId) -> bool;
    /// Gives it back; `true` if the person is offline now.
    async fn went(&self, user: UserId, connection: ConnectionId) -> bool;
    /// Which of these people are online.
    async fn online(&self, users: &[UserId]) -> Vec<UserId>;

    /// How many of the people who are online through this node no other node counts: added up over all nodes, each who is
    /// online counts once.
    async fn counted(&self) -> u64;

    /// Takes one out of the bucket of that name.
    async fn take(&self, bucket: &str, rate: Rate) -> Result<(), TooOften>;

    /// What this bus depends on and does without at the moment, if anything: this node works, and sees only itself.
    fn without(&self) -> Option<&'static str> {
        None
    }

    /// Notices that wait to be told to the other nodes.
    fn waiting(&self) -> usize {
        0
    }

    /// This node stops. From here on [`Bus::went`] answers `false`: nobody is left to announce a departure a few seconds
    /// later, so that is for the other nodes to do.
    fn wind_down(&self) {}

    /// The last call: sends what is still to be sent and gives this node's people to the others. Returns within a second
    /// or two.
    async fn close(&self) {}
}
