//! Reads the frames of the server. It is the same type as on the server; only the way to it is another: the frame's `type`
//! is looked up first, so that nothing has to be put aside until it is known.

use crate::json::{Json, Unlike};
use natter_shared::account::User;
use natter_shared::entry::Entry;
use natter_shared::error::ErrorCode;
use natter_shared::frame::{Cursors, ServerFrame};
use natter_shared::id::{ClientId, ConnectionId, RoomId, Seq, UserId};
use natter_shared::room::{Notify, Room, RoomOverview};
use natter_shared::timestamp::Timestamp;
use serde::Deserialize;

/// The frame in a text. `None` if this page does not know it.
pub fn read(text: &str) -> Option<ServerFrame> {
    Json::parse(text).and_then(of).ok()
}

fn of(json: Json) -> Result<ServerFrame, Unlike> {
    Frame::deserialize(json)
}

/// [`ServerFrame`] over again, for serde reads a tagged enum in its own way only. It is checked against the original: a
/// field too many or too few does not compile, neither does a frame that is missing here (in the tests).
#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(remote = "ServerFrame", rename_all = "snake_case")]
enum Frame {
    Welcome {
        user: User,
        connection: ConnectionId,
        rooms: Vec<RoomOverview>,
        online: Vec<UserId>,
        ping_ms: u64,
    },
    Ack {
        client_id: ClientId,
        room: RoomId,
        seq: Seq,
        at: Timestamp,
    },
    Entries {
        room: RoomId,
        entries: Vec<Entry>,
    },
    Resync {
        room: RoomId,
        head: Seq,
    },
    Heads {
        heads: Cursors,
    },
    Marks {
        room: RoomId,
        user: UserId,
        delivered: Seq,
        read: Seq,
    },
    Typing {
        room: RoomId,
        user: UserId,
    },
    Presence {
        user: UserId,
        online: bool,
    },
    Room {
        room: Room,
    },
    RoomGone {
        room: RoomId,
    },
    Notify {
        room: RoomId,
        notify: Notify,
    },
    Error {
        code: ErrorCode,
        message: String,
        #[serde(default)]
        client_id: Option<ClientId>,
        retry: bool,
        #[serde(default)]
        retry_after_ms: Option<u64>,
    },
}
