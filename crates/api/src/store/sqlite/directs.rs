//! Direct conversations: one room for each pair of people.

use super::column::Code;
use super::rooms::{self, MEMBER};
use crate::store::{RoomRecord, StoreError, Stored};
use natter_shared::id::{RoomId, UserId};
use natter_shared::room::{Role, RoomKind, Visibility};
use natter_shared::timestamp::Timestamp;
use rusqlite::{Connection, params};

pub(super) fn find(conn: &Connection, a: UserId, b: UserId) -> Stored<Option<RoomRecord>> {
    rooms::find(conn, "r.peer_a = ?1 AND r.peer_b = ?2", params![a.min(b).as_bytes(), a.max(b).as_bytes()])
}

/// The conversation of two people; `true` if it was made for this call.
pub(super) fn find_or_make(
    conn: &Connection,
    a: UserId,
    b: UserId,
    id: RoomId,
    now: Timestamp,
) -> Stored<(RoomRecord, bool)> {
    if let Some(there) = find(conn, a, b)? {
        return Ok((there, false));
    }
    let sql = "INSERT INTO rooms (id, head, member_count, kind, visibility, archived, created_at, name, topic, peer_a, peer_b)
               VALUES (?1, 0, ?2, ?3, ?4, 0, ?5, '', '', ?6, ?7)";
    conn.prepare_cached(sql)?.execute(params![
        id.as_bytes(),
        if a == b { 1 } else { 2 },
        RoomKind::Direct.code(),
        Visibility::Private.code(),
        now.millis(),
        a.min(b).as_bytes(),
        a.max(b).as_bytes(),
    ])?;
    let sql = "INSERT INTO members (room, user, state, role, delivered, read) VALUES (?1, ?2, ?3, ?4, 0, 0)
               ON CONFLICT (room, user) DO NOTHING";
    let mut member = conn.prepare_cached(sql)?;
    for user in [a, b] {
        member.execute(params![id.as_bytes(), user.as_bytes(), MEMBER, Role::Member.code()])?;
    }
    let made = find(conn, a, b)?.ok_or_else(|| StoreError::Broken("a new conversation is missing".into()))?;
    Ok((made, true))
}
