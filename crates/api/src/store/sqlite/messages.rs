//! Messages as they stand now, in pages. Pages tile: no event between two neighbouring pages is missed.

use super::column::int;
use super::entry::{AS_IT_STANDS, ENTRY, entry, fill_reactions, message as read_message};
use super::log;
use crate::store::{MessageSlice, Stored};
use natter_shared::entry::{Entry, Message};
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::limits;
use natter_shared::page::Window;
use rusqlite::{Connection, OptionalExtension, Result, params};

/// The message of that seq, whoever may see it.
pub(super) fn message(conn: &Connection, room: RoomId, seq: Seq) -> Stored<Option<Message>> {
    let sql = format!(
        "SELECT {AS_IT_STANDS} FROM entries e JOIN users u ON u.id = e.author
         WHERE e.room = ?1 AND e.seq = ?2 AND e.kind = 0"
    );
    let found = conn.prepare_cached(&sql)?.query_row(params![room.as_bytes(), int(seq)], read_message).optional()?;
    let Some(mut message) = found else { return Ok(None) };
    fill_reactions(conn, room, std::slice::from_mut(&mut message))?;
    Ok(Some(message))
}

/// The newest message that somebody may see.
pub(super) fn newest(conn: &Connection, room: RoomId, reader: UserId) -> Stored<Option<Message>> {
    let mut found = older(conn, room, reader, Seq::MAX, 1)?;
    fill_reactions(conn, room, &mut found)?;
    Ok(found.pop())
}

/// What is pinned and `reader` may see, what was pinned last first.
pub(super) fn pins(conn: &Connection, room: RoomId, reader: UserId) -> Stored<Vec<Message>> {
    let sql = format!(
        "SELECT {AS_IT_STANDS} FROM entries e INDEXED BY pins_in_room CROSS JOIN users u ON u.id = e.author
         WHERE e.room = ?1 AND e.pinned IS NOT NULL AND (e.other IS NULL OR e.other = ?2 OR e.author = ?2)
         ORDER BY e.pinned DESC LIMIT ?3"
    );
    let mut found = conn.prepare_cached(&sql)?;
    let most = i64::try_from(limits::PINS_PER_ROOM).unwrap_or(i64::MAX);
    let of = params![room.as_bytes(), reader.as_bytes(), most];
    let pins = found.query_map(of, |row| read_message(row).map(|message| for_reader(message, reader)))?;
    let mut pins = pins.collect::<Result<Vec<_>>>()?;
    for pin in &mut pins {
        // One by one: between two of them may lie a whole history.
        fill_reactions(conn, room, std::slice::from_mut(pin))?;
    }
    Ok(pins)
}

/// A page, with the events of its stretch of the log.
pub(super) fn page(
    conn: &Connection,
    room: RoomId,
    reader: UserId,
    window: Window,
    limit: u32,
) -> Stored<Option<MessageSlice>> {
    let Some(head) = log::head(conn, room)? else { return Ok(None) };
    let (older_limit, newer_limit) = match window {
        Window::Latest | Window::Before(_) => (limit, 0),
        Window::After(_) => (0, limit),
        Window::Around(_) => (limit.div_ceil(2), limit / 2),
    };
    // One more than is asked for shows whether there are more.
    let (mut messages, more_older) = match window {
        Window::After(_) => (Vec::new(), true),
        Window::Latest => cut(older(conn, room, reader, Seq::MAX, older_limit + 1)?, older_limit),
        Window::Before(seq) => cut(older(conn, room, reader, seq.back(1), older_limit + 1)?, older_limit),
        Window::Around(seq) => cut(older(conn, room, reader, seq, older_limit + 1)?, older_limit),
    };
    messages.reverse();
    let (newer, more_newer) = match window {
        Window::Latest | Window::Before(_) => (Vec::new(), false),
        Window::After(seq) | Window::Around(seq) => cut(newer(conn, room, reader, seq, newer_limit + 1)?, newer_limit),
    };
    messages.extend(newer);
    fill_reactions(conn, room, &mut messages)?;
    let first = match (window, messages.first()) {
        (Window::After(seq), _) => seq.next(),
        (_, Some(first)) if more_older => first.seq,
        _ => Seq::ZERO.next(),
    };
    let last = match (window, messages.last()) {
        (Window::Before(seq), _) => seq.back(1).min(head),
        (_, Some(last)) if more_newer => last.seq,
        _ => head,
    };
    let events = events(conn, room, reader, first, last)?;
    let has_more = if matches!(window, Window::After(_)) { more_newer } else { more_older };
    Ok(Some(MessageSlice { messages, events, head, has_more }))
}

fn cut(mut found: Vec<Message>, limit: u32) -> (Vec<Message>, bool) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    (found, more)
}

/// Messages up to and including `last`, newest first.
fn older(conn: &Connection, room: RoomId, reader: UserId, last: Seq, limit: u32) -> Stored<Vec<Message>> {
    seen(conn, room, reader, "e.seq <= ?2", "DESC", last, limit)
}

/// Messages after `cursor`, oldest first.
fn newer(conn: &Connection, room: RoomId, reader: UserId, cursor: Seq, limit: u32) -> Stored<Vec<Message>> {
    seen(conn, room, reader, "e.seq > ?2", "ASC", cursor, limit)
}

fn seen(
    conn: &Connection,
    room: RoomId,
    reader: UserId,
    which: &str,
    order: &str,
    seq: Seq,
    limit: u32,
) -> Stored<Vec<Message>> {
    let sql = format!(
        "SELECT {AS_IT_STANDS} FROM entries e INDEXED BY messages_in_room CROSS JOIN users u ON u.id = e.author
         WHERE e.room = ?1 AND {which} AND e.kind = 0 AND (e.other IS NULL OR e.other = ?3 OR e.author = ?3)
         ORDER BY e.seq {order} LIMIT ?4"
    );
    let mut found = conn.prepare_cached(&sql)?;
    let of = params![room.as_bytes(), int(seq), reader.as_bytes(), limit];
    let messages = found.query_map(of, |row| read_message(row).map(|message| for_reader(message, reader)))?;
    Ok(messages.collect::<Result<_>>()?)
}

/// A client id is its author's business alone.
pub(super) fn for_reader(message: Message, reader: UserId) -> Message {
    if message.author.id == reader { message } else { Message { client_id: None, ..message } }
}

/// Events from `first` to `last`, oldest first; if there are very many, the newest of them.
fn events(conn: &Connection, room: RoomId, reader: UserId, first: Seq, last: Seq) -> Stored<Vec<Entry>> {
    let sql = format!(
        "SELECT {ENTRY} FROM entries e INDEXED BY events_in_room CROSS JOIN users u ON u.id = e.author
         WHERE e.room = ?1 AND e.seq BETWEEN ?2 AND ?3 AND e.kind BETWEEN 5 AND 13 ORDER BY e.seq DESC LIMIT ?4"
    );
    let mut found = conn.prepare_cached(&sql)?;
    let of = params![room.as_bytes(), int(first), int(last), limits::ENTRIES_MAX];
    let entries = found.query_map(of, |row| entry(row).map(|entry| entry.seen_by(reader)))?;
    let mut events = entries.collect::<Result<Vec<_>>>()?;
    events.reverse();
    Ok(events)
}
