//! Everything that crosses a socket. An event stream carries the same server frames.

#![cfg_attr(
    feature = "openapi",
    expect(clippy::large_stack_arrays, reason = "the schema of a frame is made once, by a derive")
)]

use crate::account::User;
use crate::entry::{Entry, MessageForm};
use crate::error::ErrorCode;
use crate::id::{ClientId, ConnectionId, FileId, RoomId, Seq, UserId};
use crate::room::{Notify, Room, RoomOverview};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a reader stands in each room: the seq of the last entry it has.
pub type Cursors = BTreeMap<RoomId, Seq>;

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientFrame {
    /// Signs in; must be the first frame. With cursors, the entries after them follow the welcome.
    Hello {
        token: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursors: Option<Cursors>,
    },
    Send(SendFrame),
    Typing {
        room: RoomId,
    },
    Read {
        room: RoomId,
        seq: Seq,
    },
    Received {
        room: RoomId,
        seq: Seq,
    },
    /// A fresh access token, before the old one ends.
    Token {
        token: String,
    },
}

/// A message on its way to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SendFrame {
    pub client_id: ClientId,
    pub room: RoomId,
    pub body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<FileId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<UserId>,
}

impl SendFrame {
    /// The room, and the message as REST takes it.
    pub fn into_form(self) -> (RoomId, MessageForm) {
        let Self { client_id, room, body, reply_to, attachments, to } = self;
        (room, MessageForm { client_id, body, reply_to, attachments, to })
    }
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    Welcome {
        user: User,
        connection: ConnectionId,
        rooms: Vec<RoomOverview>,
        online: Vec<UserId>,
        /// Milliseconds between the server's pings.
        ping_ms: u64,
    },
    /// The message is stored durably.
    Ack {
        client_id: ClientId,
        room: RoomId,
        seq: Seq,
        at: Timestamp,
    },
    /// Consecutive entries of one room.
    Entries {
        room: RoomId,
        entries: Vec<Entry>,
    },
    /// The reader is too far behind: load the room afresh.
    Resync {
        room: RoomId,
        head: Seq,
    },
    /// The heads of rooms that changed since the last such frame.
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
    /// Joined or changed, or a new public room that the reader is not in (then without a role).
    Room {
        room: Room,
    },
    RoomGone {
        room: RoomId,
    },
    /// The reader has chosen, here or elsewhere, what of a room calls for their attention.
    Notify {
        room: RoomId,
        notify: Notify,
    },
    Error {
        code: ErrorCode,
        message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<ClientId>,
        /// Whether the same frame is worth sending again.
        retry: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
}

impl ServerFrame {
    /// The frame's type, as `event:` of an event stream names it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Welcome { .. } => "welcome",
            Self::Ack { .. } => "ack",
            Self::Entries { .. } => "entries",
            Self::Resync { .. } => "resync",
            Self::Heads { .. } => "heads",
            Self::Marks { .. } => "marks",
            Self::Typing { .. } => "typing",
            Self::Presence { .. } => "presence",
            Self::Room { .. } => "room",
            Self::RoomGone { .. } => "room_gone",
            Self::Notify { .. } => "notify",
            Self::Error { .. } => "error",
        }
    }
}

/// Why the server closes a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    /// The server stops: come back, with jitter.
    Restart,
    /// Too many frames, or frames that make no sense.
    Abuse,
    /// A frame above the limit.
    TooLarge,
    /// The reader is slower than its rooms: resume.
    TooSlow,
    /// The login has ended: sign in again.
    SignIn,
    /// This login may not connect.
    NotAllowed,
    /// A frame that is not well formed.
    Protocol,
    /// A frame that is not UTF-8 text.
    NotText,
}

impl CloseCode {
    /// The number in the close frame (RFC 6455, and 4xxx for applications).
    pub const fn code(self) -> u16 {
        match self {
            Self::Restart => 1012,
            Self::Abuse => 1008,
            Self::TooLarge => 1009,
            Self::TooSlow => 1013,
            Self::SignIn => 4401,
            Self::NotAllowed => 4403,
            Self::Protocol => 1002,
            Self::NotText => 1007,
        }
    }

    /// Whether a client may come back by itself after this code.
    pub const fn may_return(code: u16) -> bool {
        !matches!(code, 4401 | 4403)
    }
}
