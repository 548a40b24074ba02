//! Reading a room: pages of messages as they stand now, and stretches of the raw log. Only members read.

use super::{MessageError, Messages, field};
use crate::service::{Caller, access};
use natter_shared::entry::Entry;
use natter_shared::frame::Cursors;
use natter_shared::id::RoomId;
use natter_shared::integration::Scope;
use natter_shared::page::{EntriesQuery, EntryPage, MessagePage, MessagesQuery};

impl Messages {
    /// A page of messages with edits, deletions and reactions applied, and the events between them.
    pub async fn page(&self, caller: &Caller, room: RoomId, query: MessagesQuery) -> Result<MessagePage, MessageError> {
        access::scope(caller, Scope::MessagesRead)?;
        let (window, limit) = query.parse().map_err(MessageError::Invalid)?;
        access::member(&self.parts, caller, room, "read messages").await?;
        let slice = self.parts.store.messages(room, caller.user, window, limit).await?;
        let slice = slice.ok_or(MessageError::Unknown)?;
        let messages = slice.messages.into_iter().map(|message| access::shown(message, caller.user)).collect();
        let events = slice.events.iter().map(|entry| entry.seen_by(caller.user)).collect();
        Ok(MessagePage { messages, events, head: slice.head, has_more: slice.has_more })
    }

    /// A stretch of the raw log, for catching up. A cursor beyond the head is none of this room.
    pub async fn entries(&self, caller: &Caller, room: RoomId, query: EntriesQuery) -> Result<EntryPage, MessageError> {
        access::scope(caller, Scope::MessagesRead)?;
        let (after, limit) = query.parse().map_err(MessageError::Invalid)?;
        access::member(&self.parts, caller, room, "read the log").await?;
        let slice = self.parts.store.entries_after(room, after, limit).await?.ok_or(MessageError::Unknown)?;
        if after > slice.head {
            return Err(field("after", "This lies beyond the newest entry of the room"));
        }
        let entries: Vec<Entry> = slice.entries.iter().map(|entry| entry.seen_by(caller.user)).collect();
        let last = entries.last().map_or(after, |entry| entry.seq);
        Ok(EntryPage { entries, head: slice.head, complete: last == slice.head })
    }

    /// The newest seqs of these rooms, for the edge's own rounds: nobody's standing is asked.
    pub async fn heads(&self, rooms: &[RoomId]) -> Result<Cursors, MessageError> {
        Ok(self.parts.store.heads(rooms).await?.into_iter().collect())
    }
}
