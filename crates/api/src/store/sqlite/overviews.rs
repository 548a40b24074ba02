//! The rooms that somebody is in, each with what its line in the list shows.

use super::accounts;
use super::column::{self, int};
use super::messages;
use super::rooms::{self, ROOM, ROOM_COLUMNS};
use crate::store::{OverviewRecord, Stored};
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::limits;
use rusqlite::{Connection, Result, params};

pub(super) fn overviews(conn: &Connection, user: UserId) -> Stored<Vec<OverviewRecord>> {
    let sql = format!(
        "SELECT {ROOM}, m.role, m.delivered, m.read, m.notify FROM members m JOIN rooms r ON r.id = m.room
         WHERE m.user = ?1 AND m.state = 0"
    );
    let mut found = conn.prepare_cached(&sql)?;
    let bare = found.query_map([user.as_bytes()], |row| {
        Ok(OverviewRecord {
            room: rooms::room(row)?,
            role: column::code(row, ROOM_COLUMNS)?,
            delivered: column::seq(row, ROOM_COLUMNS + 1)?,
            read: column::seq(row, ROOM_COLUMNS + 2)?,
            unread: 0,
            mentions: 0,
            notify: column::code(row, ROOM_COLUMNS + 3)?,
            last_message: None,
            peer: None,
        })
    })?;
    let mut overviews = bare.collect::<Result<Vec<_>>>()?;
    for overview in &mut overviews {
        let id = overview.room.id;
        if overview.read < overview.room.head {
            overview.unread = unread(conn, id, user, overview.read)?;
        }
        // What mentions somebody is unread; where nothing is, nothing has to be counted.
        if overview.unread > 0 {
            overview.mentions = mentions(conn, id, user, overview.read)?;
        }
        overview.last_message = messages::newest(conn, id, user)?;
        if let Some((a, b)) = overview.room.peers {
            overview.peer = accounts::user_of(conn, if a == user { b } else { a })?;
        }
    }
    Ok(overviews)
}

fn unread(conn: &Connection, room: RoomId, user: UserId, read: Seq) -> Stored<u32> {
    let sql = "SELECT count(*) FROM (
                   SELECT 1 FROM entries INDEXED BY messages_in_room
                   WHERE room = ?1 AND seq > ?2 AND kind = 0 AND author <> ?3 AND deleted IS NULL
                     AND (other IS NULL OR other = ?3) LIMIT ?4)";
    let of = params![room.as_bytes(), int(read), user.as_bytes(), limits::UNREAD_MAX];
    Ok(conn.prepare_cached(sql)?.query_row(of, column::plain)?)
}

/// Messages above `read` that mention somebody: a count in an index of mentions alone.
fn mentions(conn: &Connection, room: RoomId, user: UserId, read: Seq) -> Stored<u32> {
    let sql = "SELECT count(*) FROM (
                   SELECT 1 FROM mentions WHERE user IN (?1, ?2) AND room = ?3 AND seq > ?4 AND author <> ?1 LIMIT ?5)";
    let everybody = UserId::EVERYBODY;
    let of = params![user.as_bytes(), everybody.as_bytes(), room.as_bytes(), int(read), limits::UNREAD_MAX];
    Ok(conn.prepare_cached(sql)?.query_row(of, column::plain)?)
}
