//! Messages: pages of history, the raw log, sending, changing, reacting, searching.

use super::client::{Api, Method};
use super::error::ApiError;
use natter_shared::account::Empty;
use natter_shared::entry::{EditForm, Entry, Message, MessageForm};
use natter_shared::id::{ClientId, RoomId, Seq};
use natter_shared::page::{EntryPage, MessagePage, Page};
use natter_shared::path;
use natter_shared::text::Emoji;

/// The newest messages of a room, or those before a seq.
pub async fn page(api: &Api, room: RoomId, before: Option<Seq>, limit: u32) -> Result<MessagePage, ApiError> {
    let query = [("before", before.map(|seq| seq.to_string())), ("limit", Some(limit.to_string()))];
    api.get(&path::with_query(&path::messages(room), &query)).await
}

/// Messages `after` a seq, or on both sides of one, `around` it.
pub async fn page_at(
    api: &Api,
    room: RoomId,
    (side, seq): (&'static str, Seq),
    limit: u32,
) -> Result<MessagePage, ApiError> {
    let query = [(side, Some(seq.to_string())), ("limit", Some(limit.to_string()))];
    api.get(&path::with_query(&path::messages(room), &query)).await
}

/// The raw log after a seq.
pub async fn entries(api: &Api, room: RoomId, after: Seq) -> Result<EntryPage, ApiError> {
    api.get(&path::with_query(&path::entries(room), &[("after", Some(after.to_string()))])).await
}

pub async fn send(api: &Api, room: RoomId, form: &MessageForm) -> Result<Entry, ApiError> {
    api.send(Method::Post, &path::messages(room), Some(form)).await
}

pub async fn edit(api: &Api, room: RoomId, seq: Seq, client_id: ClientId, body: String) -> Result<Entry, ApiError> {
    api.send(Method::Patch, &path::message(room, seq), Some(&EditForm { client_id, body })).await
}

pub async fn delete(api: &Api, room: RoomId, seq: Seq) -> Result<Entry, ApiError> {
    api.send(Method::Delete, &path::message(room, seq), None::<&Empty>).await
}

/// Adds or takes back one's own reaction.
pub async fn react(api: &Api, room: RoomId, seq: Seq, emoji: &Emoji, on: bool) -> Result<Entry, ApiError> {
    let path = path::reaction(room, seq, emoji);
    if on {
        api.send(Method::Put, &path, Some(&Empty {})).await
    } else {
        api.send(Method::Delete, &path, None::<&Empty>).await
    }
}

/// Pins a message for all in the room, or takes the pin away.
pub async fn pin(api: &Api, room: RoomId, seq: Seq, on: bool) -> Result<Entry, ApiError> {
    let path = path::pin(room, seq);
    if on {
        api.send(Method::Put, &path, Some(&Empty {})).await
    } else {
        api.send(Method::Delete, &path, None::<&Empty>).await
    }
}

/// All that is pinned in a room, what was pinned last first.
pub async fn pins(api: &Api, room: RoomId) -> Result<Page<Message>, ApiError> {
    api.get(&path::pins(room)).await
}

/// Messages in one's own rooms that hold the words.
pub async fn search(
    api: &Api,
    q: &str,
    room: Option<RoomId>,
    cursor: Option<String>,
) -> Result<Page<Message>, ApiError> {
    let query = [("q", Some(q.to_owned())), ("room", room.map(|room| room.to_string())), ("cursor", cursor)];
    api.get(&path::with_query(path::SEARCH, &query)).await
}
