//! Pinned messages of a room: its administrators say which, in a direct conversation its two people do; every member reads
//! them.

use super::{MessageError, Messages, Sent, refuse_whisper};
use crate::service::{Caller, access};
use natter_shared::entry::{EntryKind, Message};
use natter_shared::id::{RoomId, Seq};
use natter_shared::page::Page;
use natter_shared::room::{Role, RoomKind};

const NOT_ADMIN: &str = "Only the administrators of this room can pin messages";

impl Messages {
    /// Pins a message; if it is pinned already, the entry that did it is the answer.
    pub async fn pin(&self, caller: &Caller, room: RoomId, target: Seq) -> Result<Sent, MessageError> {
        self.may_pin(caller, room, target, "pin a message").await?;
        self.write(caller, room, None, EntryKind::Pinned { target }).await
    }

    /// Takes a pin away.
    pub async fn unpin(&self, caller: &Caller, room: RoomId, target: Seq) -> Result<Sent, MessageError> {
        self.may_pin(caller, room, target, "unpin a message").await?;
        self.write(caller, room, None, EntryKind::Unpinned { target }).await
    }

    async fn may_pin(
        &self,
        caller: &Caller,
        room: RoomId,
        target: Seq,
        what: &'static str,
    ) -> Result<(), MessageError> {
        self.allow_change(caller).await?;
        let (record, role, message) = self.target(caller, room, target, what).await?;
        if record.kind == RoomKind::Room && role < Role::Admin {
            access::log(&self.parts.events, caller, room, what);
            return Err(MessageError::Forbidden(NOT_ADMIN));
        }
        // What is pinned is for all, a message to one person is not.
        refuse_whisper(&message)
    }

    /// The pinned messages, what was pinned last first. Members only.
    pub async fn pins(&self, caller: &Caller, room: RoomId) -> Result<Page<Message>, MessageError> {
        access::member(&self.parts, caller, room, "read the pinned messages").await?;
        let pins = self.parts.store.pins(room, caller.user).await?;
        let items = pins.into_iter().map(|message| access::shown(message, caller.user)).collect();
        Ok(Page { items, cursor: None })
    }
}
