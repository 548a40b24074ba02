//! Messages as they stand now: what the log holds of each, with what was done to it later applied by the same code that the
//! page uses. Pages tile: no event between two neighbouring pages is missed.

use super::Shared;
use super::document::{EntryDoc, Id, MESSAGE, int};
use crate::store::{MessageSlice, Stored};
use futures_util::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};
use natter_shared::entry::{Entry, Message};
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::limits;
use natter_shared::page::Window;
use std::collections::HashMap;

/// The message of that seq, whoever may see it.
pub(super) async fn message(shared: &Shared, room: RoomId, seq: Seq) -> Stored<Option<Message>> {
    let which = doc! { "room": room.stored(), "seq": int(seq), "kind": MESSAGE };
    let Some(found) = shared.entries.find_one(which).await? else { return Ok(None) };
    Ok(as_they_stand(shared, vec![found]).await?.pop())
}

/// Which entries are messages that `reader` may see.
pub(super) fn seen_by(reader: UserId) -> Document {
    doc! {
        "kind": MESSAGE,
        "$or": [{ "other": Bson::Null }, { "other": reader.stored() }, { "author": reader.stored() }],
    }
}

/// A client id is its author's business alone.
pub(super) fn for_reader(message: Message, reader: UserId) -> Message {
    if message.author.id == reader { message } else { Message { client_id: None, ..message } }
}

/// Entries of kind `message`, of any rooms, as messages in the same order: with their edits, deletions, reactions and pins.
pub(super) async fn as_they_stand(shared: &Shared, docs: Vec<EntryDoc>) -> Stored<Vec<Message>> {
    if docs.is_empty() {
        return Ok(Vec::new());
    }
    let mut targets: HashMap<RoomId, Vec<i64>> = HashMap::new();
    for doc in &docs {
        targets.entry(doc.room_id()).or_default().push(doc.seq);
    }
    let of_room = |(room, seqs): (&RoomId, &Vec<i64>)| doc! { "room": room.stored(), "target": { "$in": seqs } };
    let mut which: Vec<Document> = targets.iter().map(of_room).collect();
    let which = if which.len() == 1 {
        which.remove(0)
    } else {
        doc! { "$or": which }
    };
    let found = shared.entries.find(which).sort(doc! { "room": 1, "seq": 1 }).await?;
    let changes: Vec<EntryDoc> = found.try_collect().await?;

    let authors = shared.authors(docs.iter().chain(&changes).map(EntryDoc::author_id)).await?;
    let mut messages = Vec::with_capacity(docs.len());
    let mut places: HashMap<(RoomId, i64), usize> = HashMap::with_capacity(docs.len());
    for doc in &docs {
        if let Some(message) = Message::from_entry(&doc.entry(&authors)?) {
            places.insert((message.room, doc.seq), messages.len());
            messages.push(message);
        }
    }
    for change in &changes {
        let place = change.target.and_then(|target| places.get(&(change.room_id(), target)));
        if let Some(message) = place.and_then(|place| messages.get_mut(*place)) {
            message.apply(&change.entry(&authors)?);
        }
    }
    Ok(messages)
}

/// Which entries of a room are messages that are pinned.
pub(super) fn pinned(room: RoomId) -> Document {
    doc! { "room": room.stored(), "pinned": { "$exists": true } }
}

/// What is pinned and `reader` may see, what was pinned last first.
pub(super) async fn pins(shared: &Shared, room: RoomId, reader: UserId) -> Stored<Vec<Message>> {
    let mut which = pinned(room);
    which.extend(seen_by(reader));
    let most = i64::try_from(limits::PINS_PER_ROOM).unwrap_or(i64::MAX);
    let found = shared.entries.find(which).sort(doc! { "room": -1, "pinned": -1 }).limit(most).await?;
    let pins = as_they_stand(shared, found.try_collect().await?).await?;
    Ok(pins.into_iter().map(|message| for_reader(message, reader)).collect())
}

/// A page, with the events of its stretch of the log.
pub(super) async fn page(
    shared: &Shared,
    room: RoomId,
    reader: UserId,
    window: Window,
    limit: u32,
) -> Stored<Option<MessageSlice>> {
    let Some(head) = shared.head(room).await? else { return Ok(None) };
    let (older_limit, newer_limit) = match window {
        Window::Latest | Window::Before(_) => (limit, 0),
        Window::After(_) => (0, limit),
        Window::Around(_) => (limit.div_ceil(2), limit / 2),
    };
    // Nothing above the head that is answered: a client goes on from there.
    let seqs = |first: Seq, last: Seq| doc! { "$gte": int(first), "$lte": int(last.min(head)) };
    let one = Seq::ZERO.next();
    // One more than is asked for shows whether there are more.
    let (mut found, more_older) = match window {
        Window::After(_) => (Vec::new(), true),
        Window::Latest => cut(seen(shared, room, reader, seqs(one, head), -1, older_limit + 1).await?, older_limit),
        Window::Before(seq) => {
            cut(seen(shared, room, reader, seqs(one, seq.back(1)), -1, older_limit + 1).await?, older_limit)
        }
        Window::Around(seq) => cut(seen(shared, room, reader, seqs(one, seq), -1, older_limit + 1).await?, older_limit),
    };
    found.reverse();
    let (newer, more_newer) = match window {
        Window::Latest | Window::Before(_) => (Vec::new(), false),
        Window::After(seq) | Window::Around(seq) => {
            cut(seen(shared, room, reader, seqs(seq.next(), head), 1, newer_limit + 1).await?, newer_limit)
        }
    };
    found.extend(newer);
    let messages = as_they_stand(shared, found).await?;
    let messages: Vec<Message> = messages.into_iter().map(|message| for_reader(message, reader)).collect();
    let first = match (window, messages.first()) {
        (Window::After(seq), _) => seq.next(),
        (_, Some(first)) if more_older => first.seq,
        _ => one,
    };
    let last = match (window, messages.last()) {
        (Window::Before(seq), _) => seq.back(1).min(head),
        (_, Some(last)) if more_newer => last.seq,
        _ => head,
    };
    let events = events(shared, room, reader, first, last).await?;
    let has_more = if matches!(window, Window::After(_)) { more_newer } else { more_older };
    Ok(Some(MessageSlice { messages, events, head, has_more }))
}

fn cut(mut found: Vec<EntryDoc>, limit: u32) -> (Vec<EntryDoc>, bool) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    (found, more)
}

async fn seen(
    shared: &Shared,
    room: RoomId,
    reader: UserId,
    seqs: Document,
    order: i32,
    limit: u32,
) -> Stored<Vec<EntryDoc>> {
    let mut which = doc! { "room": room.stored(), "seq": seqs };
    which.extend(seen_by(reader));
    let found = shared.entries.find(which).sort(doc! { "seq": order }).limit(i64::from(limit)).await?;
    Ok(found.try_collect().await?)
}

/// Events from `first` to `last`, oldest first; if there are very many, the newest of them.
async fn events(shared: &Shared, room: RoomId, reader: UserId, first: Seq, last: Seq) -> Stored<Vec<Entry>> {
    let which = doc! { "room": room.stored(), "seq": { "$gte": int(first), "$lte": int(last) }, "event": true };
    let newest = shared.entries.find(which).sort(doc! { "seq": -1 }).limit(i64::from(limits::ENTRIES_MAX));
    let mut docs: Vec<EntryDoc> = newest.await?.try_collect().await?;
    docs.reverse();
    Ok(shared.entries_of(&docs).await?.iter().map(|entry| entry.seen_by(reader)).collect())
}
