//! Reading logs, and the way to all that is done with them.

use super::Sqlite;
use super::column::{self, int};
use super::entry::{ENTRY, entry};
use super::{append, messages, search};
use crate::store::{Appended, Call, EntrySlice, Heard, Log, MessageSlice, NewEntry, Search, Stored};
use async_trait::async_trait;
use natter_shared::entry::{Entry, Message};
use natter_shared::id::{ClientId, RoomId, Seq, UserId};
use natter_shared::page::Window;
use rusqlite::{Connection, OptionalExtension, Result, params};

pub(super) fn head(conn: &Connection, room: RoomId) -> Stored<Option<Seq>> {
    let sql = "SELECT head FROM rooms WHERE id = ?1";
    Ok(conn.prepare_cached(sql)?.query_row([room.as_bytes()], |row| column::seq(row, 0)).optional()?)
}

fn entries(conn: &Connection, room: RoomId, after: Seq, limit: u32) -> Stored<Vec<Entry>> {
    let sql = format!(
        "SELECT {ENTRY} FROM entries e CROSS JOIN users u ON u.id = e.author
         WHERE e.room = ?1 AND e.seq > ?2 ORDER BY e.seq LIMIT ?3"
    );
    let mut found = conn.prepare_cached(&sql)?;
    let entries = found.query_map(params![room.as_bytes(), int(after), limit], entry)?;
    Ok(entries.collect::<Result<_>>()?)
}

fn entries_after_many(conn: &Connection, cursors: &[(RoomId, Seq)], limit: u32) -> Stored<Vec<(RoomId, EntrySlice)>> {
    let mut slices = Vec::with_capacity(cursors.len());
    for &(room, after) in cursors {
        let Some(head) = head(conn, room)? else { continue };
        let behind = head.get().checked_sub(after.get());
        let entries = match behind {
            Some(behind) if (1..=u64::from(limit)).contains(&behind) => entries(conn, room, after, limit)?,
            _ => Vec::new(),
        };
        slices.push((room, EntrySlice { entries, head }));
    }
    Ok(slices)
}

fn heard(conn: &Connection, call: &Call) -> Stored<Heard> {
    let sql = "SELECT r.member_count, m.role FROM rooms r
               LEFT JOIN members m ON m.room = r.id AND m.user = ?2 AND m.state = 0 WHERE r.id = ?1";
    let found = conn.prepare_cached(sql)?.query_row([call.room.as_bytes(), call.author.as_bytes()], |row| {
        Ok(Heard { members: row.get(0)?, role: column::code_or_none(row, 1)?, people: Vec::new() })
    });
    let Some(mut heard) = found.optional()? else { return Ok(Heard::default()) };
    let sql = "SELECT u.id FROM users u JOIN members m ON m.room = ?1 AND m.user = u.id AND m.state = 0
               WHERE u.username = ?2";
    let mut named = conn.prepare_cached(sql)?;
    for name in &call.names {
        let of = params![call.room.as_bytes(), name];
        heard.people.extend(named.query_row(of, |row| column::id::<UserId>(row, 0)).optional()?);
    }
    Ok(heard)
}

#[async_trait]
impl Log for Sqlite {
    async fn append(&self, batch: Vec<NewEntry>) -> Stored<Vec<Appended>> {
        self.write(move |desk| append::append(desk, batch)).await
    }

    async fn heard(&self, calls: &[Call]) -> Stored<Vec<Heard>> {
        let calls = calls.to_vec();
        self.read(move |conn| calls.iter().map(|call| heard(conn, call)).collect()).await
    }

    async fn entries_after(&self, room: RoomId, after: Seq, limit: u32) -> Stored<Option<EntrySlice>> {
        self.read(move |conn| {
            let Some(head) = head(conn, room)? else { return Ok(None) };
            Ok(Some(EntrySlice { entries: entries(conn, room, after, limit)?, head }))
        })
        .await
    }

    async fn entries_after_many(&self, cursors: &[(RoomId, Seq)], limit: u32) -> Stored<Vec<(RoomId, EntrySlice)>> {
        let cursors = cursors.to_vec();
        self.read(move |conn| entries_after_many(conn, &cursors, limit)).await
    }

    async fn heads(&self, rooms: &[RoomId]) -> Stored<Vec<(RoomId, Seq)>> {
        let rooms = rooms.to_vec();
        self.read(move |conn| {
            let mut heads = Vec::with_capacity(rooms.len());
            for room in rooms {
                heads.extend(head(conn, room)?.map(|head| (room, head)));
            }
            Ok(heads)
        })
        .await
    }

    async fn messages(&self, room: RoomId, reader: UserId, window: Window, limit: u32) -> Stored<Option<MessageSlice>> {
        self.read(move |conn| messages::page(conn, room, reader, window, limit)).await
    }

    async fn message(&self, room: RoomId, seq: Seq) -> Stored<Option<Message>> {
        self.read(move |conn| messages::message(conn, room, seq)).await
    }

    async fn sent(&self, room: RoomId, author: UserId, client_id: ClientId) -> Stored<Option<Message>> {
        self.read(move |conn| {
            let sql = "SELECT seq FROM entries WHERE room = ?1 AND author = ?2 AND client_id = ?3";
            let of = params![room.as_bytes(), author.as_bytes(), client_id.as_bytes()];
            let seq = conn.prepare_cached(sql)?.query_row(of, |row| column::seq(row, 0)).optional()?;
            seq.map_or(Ok(None), |seq| messages::message(conn, room, seq))
        })
        .await
    }

    async fn pins(&self, room: RoomId, reader: UserId) -> Stored<Vec<Message>> {
        self.read(move |conn| messages::pins(conn, room, reader)).await
    }

    async fn search(&self, ask: Search) -> Stored<Vec<Message>> {
        self.read(move |conn| search::search(conn, &ask)).await
    }
}
