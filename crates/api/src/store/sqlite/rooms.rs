//! Rooms and who is in them: the `rooms` and `members` tables.

use super::accounts::{self, USER, USER_COLUMNS};
use super::append;
use super::column::{self, Code};
use super::writer::Desk;
use super::{Sqlite, directs, overviews};
use crate::store::{
    CreatedRoom, MemberRecord, NewEntry, NewRoomRecord, OverviewRecord, RoomRecord, Rooms, SetCode, Standing,
    StoreError, Stored,
};
use async_trait::async_trait;
use natter_shared::account::User;
use natter_shared::entry::EntryKind;
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::room::{Notify, Role, RoomKind};
use natter_shared::text::{JoinCode, RoomName, Topic};
use natter_shared::timestamp::Timestamp;
use rusqlite::{Connection, Error, OptionalExtension, Result, Row, ToSql, params};

/// Why a row of `members` is there.
pub(super) const MEMBER: i64 = 0;
pub(super) const FORMER: i64 = 1;
pub(super) const BANNED: i64 = 2;

/// The columns of a room, of `rooms AS r`.
pub(super) const ROOM: &str =
    "r.id, r.kind, r.name, r.topic, r.visibility, r.archived, r.created_at, r.owner, r.member_count,
     r.code, r.head, r.peer_a, r.peer_b";
/// How many columns [`ROOM`] has.
pub(super) const ROOM_COLUMNS: usize = 13;

/// A room out of the columns [`ROOM`].
pub(super) fn room(row: &Row<'_>) -> Result<RoomRecord> {
    let peers: (Option<UserId>, Option<UserId>) = (column::id_or_none(row, 11)?, column::id_or_none(row, 12)?);
    Ok(RoomRecord {
        id: column::id(row, 0)?,
        kind: column::code(row, 1)?,
        name: column::text(row, 2, RoomName::from_stored)?,
        topic: column::text(row, 3, Topic::from_stored)?,
        visibility: column::code(row, 4)?,
        archived: row.get(5)?,
        created_at: column::time(row, 6)?,
        owner: column::id_or_none(row, 7)?,
        member_count: row.get(8)?,
        code: column::text_or_none(row, 9, JoinCode::from_stored)?,
        head: column::seq(row, 10)?,
        peers: peers.0.zip(peers.1),
    })
}

/// A standing out of the columns state and role.
pub(super) fn standing(row: &Row<'_>, at: usize) -> Result<Standing> {
    match row.get(at)? {
        MEMBER => Ok(Standing::Member(column::code(row, at + 1)?)),
        FORMER => Ok(Standing::Former),
        BANNED => Ok(Standing::Banned),
        other => Err(Error::IntegralValueOutOfRange(at, other)),
    }
}

pub(super) fn find(conn: &Connection, which: &str, of: &[&dyn ToSql]) -> Stored<Option<RoomRecord>> {
    let sql = format!("SELECT {ROOM} FROM rooms r WHERE {which}");
    Ok(conn.prepare_cached(&sql)?.query_row(of, room).optional()?)
}

pub(super) fn by_id(conn: &Connection, id: RoomId) -> Stored<Option<RoomRecord>> {
    find(conn, "r.id = ?1", params![id.as_bytes()])
}

fn standing_in(conn: &Connection, room: RoomId, user: UserId) -> Stored<Standing> {
    let sql = "SELECT state, role FROM members WHERE room = ?1 AND user = ?2";
    let of = [room.as_bytes(), user.as_bytes()];
    let found = conn.prepare_cached(sql)?.query_row(of, |row| standing(row, 0)).optional()?;
    Ok(found.unwrap_or(Standing::Stranger))
}

fn members(conn: &Connection, room: RoomId, only: Option<UserId>) -> Stored<Vec<MemberRecord>> {
    let sql = format!(
        "SELECT {USER}, m.role, m.delivered, m.read FROM members m JOIN users u ON u.id = m.user
         WHERE m.room = ?1 AND m.state = 0 {} ORDER BY m.role DESC, u.username",
        if only.is_some() { "AND m.user = ?2" } else { "AND ?2 IS NULL" }
    );
    let mut found = conn.prepare_cached(&sql)?;
    let members = found.query_map(params![room.as_bytes(), only.as_ref().map(UserId::as_bytes)], |row| {
        Ok(MemberRecord {
            user: accounts::user(row, 0)?,
            role: column::code(row, USER_COLUMNS)?,
            delivered: column::seq(row, USER_COLUMNS + 1)?,
            read: column::seq(row, USER_COLUMNS + 2)?,
        })
    })?;
    Ok(members.collect::<Result<_>>()?)
}

fn banned(conn: &Connection, room: RoomId) -> Stored<Vec<User>> {
    let sql = format!(
        "SELECT {USER} FROM members m JOIN users u ON u.id = m.user WHERE m.room = ?1 AND m.state = ?2 ORDER BY u.username"
    );
    let mut found = conn.prepare_cached(&sql)?;
    let people = found.query_map(params![room.as_bytes(), BANNED], |row| accounts::user(row, 0))?;
    Ok(people.collect::<Result<_>>()?)
}

/// The rooms that somebody is in.
pub(super) fn rooms_of(conn: &Connection, user: UserId) -> Stored<Vec<RoomId>> {
    let mut found = conn.prepare_cached("SELECT room FROM members WHERE user = ?1 AND state = 0")?;
    let rooms = found.query_map([user.as_bytes()], |row| column::id(row, 0))?;
    Ok(rooms.collect::<Result<_>>()?)
}

fn set_notify(conn: &Connection, room: RoomId, user: UserId, notify: Notify) -> Stored<bool> {
    let sql = "UPDATE members SET notify = ?3 WHERE room = ?1 AND user = ?2 AND state = ?4";
    let set = conn.prepare_cached(sql)?.execute(params![room.as_bytes(), user.as_bytes(), notify.code(), MEMBER])?;
    Ok(set == 1)
}

fn create(desk: &mut Desk, new: &NewRoomRecord) -> Stored<CreatedRoom> {
    if let Some(there) = by_id(&desk.conn, new.id)? {
        // A repeat whose first answer was lost.
        let first = super::entry::entry_at(&desk.conn, new.id, Seq::ZERO.next())?;
        let first = first.ok_or_else(|| StoreError::Broken(format!("room {} has no first entry", new.id)))?;
        return Ok(CreatedRoom::Created(there, first));
    }
    let key = new.name.key();
    if desk.conn.prepare_cached("SELECT 1 FROM rooms WHERE name_key = ?1")?.exists([&key])? {
        return Ok(CreatedRoom::NameTaken);
    }
    if has_code(&desk.conn, new.id, &new.code)? {
        return Ok(CreatedRoom::CodeTaken);
    }
    let sql =
        "INSERT INTO rooms (id, head, member_count, kind, visibility, archived, created_at, name, name_key, topic,
                                  owner, code)
               VALUES (?1, 0, 0, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9)";
    desk.conn.prepare_cached(sql)?.execute(params![
        new.id.as_bytes(),
        RoomKind::Room.code(),
        new.visibility.code(),
        new.created_at.millis(),
        new.name.as_str(),
        key,
        new.topic.as_str(),
        new.owner.as_bytes(),
        new.code.as_str(),
    ])?;
    let joined =
        NewEntry { room: new.id, author: new.owner, at: new.created_at, client_id: None, what: EntryKind::Joined };
    let first = append::found(desk, joined)?;
    let sql = "UPDATE members SET role = ?3 WHERE room = ?1 AND user = ?2";
    desk.conn.prepare_cached(sql)?.execute(params![new.id.as_bytes(), new.owner.as_bytes(), Role::Owner.code()])?;
    let made = by_id(&desk.conn, new.id)?;
    made.map(|room| CreatedRoom::Created(room, first)).ok_or_else(|| StoreError::Broken("a new room is missing".into()))
}

/// Whether another room has this code.
fn has_code(conn: &Connection, id: RoomId, code: &JoinCode) -> Stored<bool> {
    let sql = "SELECT 1 FROM rooms WHERE code = ?1 AND id <> ?2";
    Ok(conn.prepare_cached(sql)?.exists(params![code.as_str(), id.as_bytes()])?)
}

fn set_code(conn: &Connection, id: RoomId, code: Option<&JoinCode>) -> Stored<SetCode> {
    if let Some(code) = code
        && has_code(conn, id, code)?
    {
        return Ok(SetCode::CodeTaken);
    }
    let sql = "UPDATE rooms SET code = ?2 WHERE id = ?1";
    let set = conn.prepare_cached(sql)?.execute(params![id.as_bytes(), code.map(JoinCode::as_str)])?;
    Ok(if set == 0 { SetCode::NoRoom } else { SetCode::Set })
}

/// What a room in the directory is, and what every room is that is no direct conversation.
const LISTED: &str = "r.kind = 0 AND r.visibility = 0 AND r.archived = 0";
const EVERY: &str = "r.kind = 0";

fn by_name(
    conn: &Connection,
    which: &str,
    query: Option<&str>,
    after: Option<&str>,
    limit: u32,
) -> Stored<Vec<RoomRecord>> {
    let sql = format!(
        "SELECT {ROOM} FROM rooms r WHERE {which}
         AND r.name_key > ?1 AND instr(r.name_key, ?2) > 0 ORDER BY r.name_key LIMIT ?3"
    );
    let part = query.unwrap_or("").to_lowercase();
    let mut found = conn.prepare_cached(&sql)?;
    let rooms = found.query_map(params![after.unwrap_or(""), part, limit], room)?;
    Ok(rooms.collect::<Result<_>>()?)
}

/// The others in the rooms that somebody is in.
fn acquaintances(conn: &Connection, user: UserId) -> Stored<Vec<UserId>> {
    let sql = "SELECT DISTINCT other.user FROM members own JOIN members other ON other.room = own.room
               WHERE own.user = ?1 AND own.state = 0 AND other.state = 0 AND other.user <> ?1";
    let mut found = conn.prepare_cached(sql)?;
    let people = found.query_map([user.as_bytes()], |row| column::id(row, 0))?;
    Ok(people.collect::<Result<_>>()?)
}

#[async_trait]
impl Rooms for Sqlite {
    async fn create_room(&self, room: NewRoomRecord) -> Stored<CreatedRoom> {
        self.write(move |desk| create(desk, &room)).await
    }

    async fn direct(&self, a: UserId, b: UserId, id: RoomId, now: Timestamp) -> Stored<(RoomRecord, bool)> {
        // Most calls find it; only the first one of a pair has to write.
        if let Some(there) = self.read(move |conn| directs::find(conn, a, b)).await? {
            return Ok((there, false));
        }
        self.write(move |desk| directs::find_or_make(&desk.conn, a, b, id, now)).await
    }

    async fn room(&self, id: RoomId) -> Stored<Option<RoomRecord>> {
        self.read(move |conn| by_id(conn, id)).await
    }

    async fn room_by_code(&self, code: &JoinCode) -> Stored<Option<RoomRecord>> {
        let code = code.as_str().to_owned();
        self.read(move |conn| find(conn, "r.code = ?1", params![code])).await
    }

    async fn set_code(&self, id: RoomId, code: Option<&JoinCode>) -> Stored<SetCode> {
        let code = code.cloned();
        self.write(move |desk| set_code(&desk.conn, id, code.as_ref())).await
    }

    async fn directory(&self, query: Option<&str>, after: Option<&str>, limit: u32) -> Stored<Vec<RoomRecord>> {
        let (query, after) = (query.map(str::to_owned), after.map(str::to_owned));
        self.read(move |conn| by_name(conn, LISTED, query.as_deref(), after.as_deref(), limit)).await
    }

    async fn every_room(&self, query: Option<&str>, after: Option<&str>, limit: u32) -> Stored<Vec<RoomRecord>> {
        let (query, after) = (query.map(str::to_owned), after.map(str::to_owned));
        self.read(move |conn| by_name(conn, EVERY, query.as_deref(), after.as_deref(), limit)).await
    }

    async fn standing(&self, room: RoomId, user: UserId) -> Stored<Standing> {
        self.read(move |conn| standing_in(conn, room, user)).await
    }

    async fn room_for(&self, room: RoomId, user: UserId) -> Stored<Option<(RoomRecord, Standing)>> {
        self.read(move |conn| {
            let Some(found) = by_id(conn, room)? else { return Ok(None) };
            Ok(Some((found, standing_in(conn, room, user)?)))
        })
        .await
    }

    async fn members(&self, room: RoomId) -> Stored<Vec<MemberRecord>> {
        self.read(move |conn| members(conn, room, None)).await
    }

    async fn banned(&self, room: RoomId) -> Stored<Vec<User>> {
        self.read(move |conn| banned(conn, room)).await
    }

    async fn member(&self, room: RoomId, user: UserId) -> Stored<Option<MemberRecord>> {
        self.read(move |conn| Ok(members(conn, room, Some(user))?.pop())).await
    }

    async fn rooms_of(&self, user: UserId) -> Stored<Vec<RoomId>> {
        self.read(move |conn| rooms_of(conn, user)).await
    }

    async fn set_notify(&self, room: RoomId, user: UserId, notify: Notify) -> Stored<bool> {
        self.write(move |desk| set_notify(&desk.conn, room, user, notify)).await
    }

    async fn overviews(&self, user: UserId) -> Stored<Vec<OverviewRecord>> {
        self.read(move |conn| overviews::overviews(conn, user)).await
    }

    async fn surroundings(&self, user: UserId) -> Stored<(Vec<OverviewRecord>, Vec<UserId>)> {
        self.read(move |conn| Ok((overviews::overviews(conn, user)?, acquaintances(conn, user)?))).await
    }
}
