//! Moving house, out of this store and into it. A chunk is taken in one transaction, together with the note that it was.

use super::append;
use super::column::{self, Code, int};
use super::rooms::{self, BANNED, FORMER, MEMBER};
use super::writer::Desk;
use super::{Sqlite, accounts, events, integrations, sessions, uploads};
use crate::store::archive::{Archive, ArchivedLogin, ArchivedMember, Begun, Census, MemberState, Piece, RoomCut};
use crate::store::{RoomRecord, StoreError, Stored, UploadRecord, UserRecord};
use async_trait::async_trait;
use natter_shared::id::{FileId, RoomId, SessionId, UserId};
use natter_shared::room::RoomKind;
use natter_shared::text::{Email, JoinCode, RoomName};
use natter_shared::timestamp::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

impl Code for MemberState {
    const ALL: &'static [Self] = &[Self::Member, Self::Former, Self::Banned];
    fn code(self) -> i64 {
        match self {
            Self::Member => MEMBER,
            Self::Former => FORMER,
            Self::Banned => BANNED,
        }
    }
}

fn census(conn: &Connection) -> Stored<Census> {
    let number = |sql: &str| -> Stored<u64> {
        let number: i64 = conn.prepare_cached(sql)?.query_row([], column::plain)?;
        Ok(number.unsigned_abs())
    };
    Ok(Census {
        people: number("SELECT count(*) FROM users")?,
        logins: number("SELECT count(*) FROM sessions")?,
        rooms: number("SELECT count(*) FROM rooms")?,
        // Counting the entries themselves would read an index over all of them.
        entries: number("SELECT coalesce(sum(head), 0) FROM rooms")?,
    })
}

fn all_people(conn: &Connection, after: Option<UserId>, limit: u32) -> Stored<Vec<UserRecord>> {
    let sql = format!("SELECT {} FROM {} WHERE u.id > ?1 ORDER BY u.id LIMIT ?2", accounts::RECORD, accounts::RECORDS);
    let mut found = conn.prepare_cached(&sql)?;
    let people =
        found.query_map(params![after_id(after.as_ref().map(UserId::as_bytes)), limit], accounts::record_of)?;
    Ok(people.collect::<Result<_>>()?)
}

fn all_logins(conn: &Connection, after: Option<SessionId>, limit: u32) -> Stored<Vec<ArchivedLogin>> {
    let sql = format!("SELECT {}, rotated_at FROM sessions WHERE id > ?1 ORDER BY id LIMIT ?2", sessions::SESSION);
    let mut found = conn.prepare_cached(&sql)?;
    let of = params![after_id(after.as_ref().map(SessionId::as_bytes)), limit];
    let logins = found.query_map(of, |row| {
        Ok(ArchivedLogin {
            session: sessions::record(row)?,
            rotated_at: column::time_or_none(row, sessions::SESSION_COLUMNS)?,
        })
    })?;
    Ok(logins.collect::<Result<_>>()?)
}

fn all_rooms(conn: &Connection, after: Option<RoomId>, limit: u32) -> Stored<Vec<RoomId>> {
    let mut found = conn.prepare_cached("SELECT id FROM rooms WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    let rooms =
        found.query_map(params![after_id(after.as_ref().map(RoomId::as_bytes)), limit], |row| column::id(row, 0))?;
    Ok(rooms.collect::<Result<_>>()?)
}

/// What lies below every id that comes after: nothing at all at the beginning.
fn after_id(id: Option<&[u8; 16]>) -> &[u8] {
    id.map_or(&[], <[u8; 16]>::as_slice)
}

fn cut(conn: &Connection, room: RoomId) -> Stored<Option<RoomCut>> {
    let Some(record) = rooms::by_id(conn, room)? else { return Ok(None) };
    let sql = "SELECT user, state, role, joined, delivered, read, notify FROM members WHERE room = ?1 ORDER BY user";
    let mut found = conn.prepare_cached(sql)?;
    let members = found.query_map([room.as_bytes()], member)?;
    Ok(Some(RoomCut { room: record, members: members.collect::<Result<_>>()? }))
}

fn member(row: &Row<'_>) -> Result<ArchivedMember> {
    Ok(ArchivedMember {
        user: column::id(row, 0)?,
        state: column::code(row, 1)?,
        role: column::code(row, 2)?,
        joined: column::seq_or_none(row, 3)?,
        delivered: column::seq(row, 4)?,
        read: column::seq(row, 5)?,
        notify: column::code(row, 6)?,
    })
}

fn begin(conn: &Connection, archive: &str) -> Stored<Begun> {
    let sql = "SELECT archive, chunks, finished FROM imports";
    let there = conn
        .prepare_cached(sql)?
        .query_row([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?)));
    if let Some((of, chunks, finished)) = there.optional()? {
        return Ok(match (of == archive, finished) {
            (false, _) => Begun::HoldsOther,
            (true, true) => Begun::Finished,
            (true, false) => Begun::At(chunks.unsigned_abs()),
        });
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM rooms)";
    if conn.prepare_cached(sql)?.query_row([], column::plain)? {
        return Ok(Begun::HoldsOther);
    }
    conn.prepare_cached("INSERT INTO imports (archive, chunks, finished) VALUES (?1, 0, 0)")?.execute([archive])?;
    Ok(Begun::At(0))
}

fn take(desk: &mut Desk, chunk: u64, pieces: Vec<Piece>) -> Stored<()> {
    let (mut entries, mut happened) = (Vec::new(), Vec::new());
    for piece in pieces {
        // Whatever is not an entry may rest on all entries before it.
        if !matches!(piece, Piece::Entry(_)) {
            append::replay(desk, std::mem::take(&mut entries))?;
        }
        match piece {
            Piece::Person(person) => take_person(desk, &person)?,
            Piece::Room(room) => take_room(&desk.conn, &room)?,
            Piece::Entry(entry) => entries.push(entry.placed()),
            Piece::Cut(cut) => take_cut(&desk.conn, &cut)?,
            Piece::Everybody => {}
            Piece::Login(login) => take_login(&desk.conn, &login)?,
            Piece::Upload(upload) => uploads::add(&desk.conn, &upload)?,
            Piece::Event(event) => happened.push(event),
        }
    }
    append::replay(desk, entries)?;
    events::append(&desk.conn, &happened)?;
    let sql = "UPDATE imports SET chunks = max(chunks, ?1) WHERE finished = 0";
    let chunk = i64::try_from(chunk).unwrap_or(i64::MAX);
    match desk.conn.prepare_cached(sql)?.execute([chunk])? {
        1 => Ok(()),
        _ => Err(StoreError::Broken("a chunk comes without an import under way".into())),
    }
}

fn take_person(desk: &mut Desk, person: &UserRecord) -> Stored<()> {
    let sql = "INSERT INTO users (id, username, display_name, email, gender, avatar_url, guest, password_hash, created_at,
                                  disabled, admin, last_login_at, deletion, bot)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
               ON CONFLICT (id) DO UPDATE SET username = ?2, display_name = ?3, email = ?4, gender = ?5, avatar_url = ?6,
                   guest = ?7, password_hash = ?8, created_at = ?9, disabled = ?10, admin = ?11,
                   last_login_at = ?12, deletion = ?13, bot = ?14";
    let user = &person.user;
    desk.conn.prepare_cached(sql)?.execute(params![
        user.id.as_bytes(),
        user.username.as_str(),
        user.display_name.as_str(),
        person.email.as_ref().map(Email::as_str),
        user.gender.map(Code::code),
        user.avatar_url,
        user.guest,
        person.password_hash,
        person.created_at.millis(),
        person.disabled,
        person.admin,
        person.last_login_at.map(Timestamp::millis),
        accounts::deletion_code(person.deletion),
        user.bot,
    ])?;
    if let Some(integration) = &person.integration {
        integrations::put(&desk.conn, user.id, integration)?;
    }
    desk.authors.forget(user.id);
    Ok(())
}

fn take_room(conn: &Connection, room: &RoomRecord) -> Stored<()> {
    let sql =
        "INSERT INTO rooms (id, head, member_count, kind, visibility, archived, created_at, name, topic, owner, peer_a,
                                  peer_b)
               VALUES (?1, 0, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (id) DO NOTHING";
    let peers = room.peers.unzip();
    conn.prepare_cached(sql)?.execute(params![
        room.id.as_bytes(),
        room.kind.code(),
        room.visibility.code(),
        room.archived,
        room.created_at.millis(),
        room.name.as_str(),
        room.topic.as_str(),
        room.owner.as_ref().map(UserId::as_bytes),
        peers.0.as_ref().map(UserId::as_bytes),
        peers.1.as_ref().map(UserId::as_bytes),
    ])?;
    Ok(())
}

fn take_cut(conn: &Connection, RoomCut { room, members }: &RoomCut) -> Stored<()> {
    let head = super::log::head(conn, room.id)?;
    if head.is_none_or(|head| head < room.head) {
        return Err(StoreError::Broken(format!("room {} ends at {head:?} and not at {}", room.id, room.head)));
    }
    let key = (room.kind == RoomKind::Room).then(|| RoomName::key(&room.name));
    let code = room.code.as_ref().map(JoinCode::as_str);
    // Whoever had them was cut before this room got them, and is cut once more.
    let sql = "UPDATE rooms SET name_key = NULL WHERE name_key = ?2 AND id <> ?1";
    conn.prepare_cached(sql)?.execute(params![room.id.as_bytes(), key])?;
    let sql = "UPDATE rooms SET code = NULL WHERE code = ?2 AND id <> ?1";
    conn.prepare_cached(sql)?.execute(params![room.id.as_bytes(), code])?;
    let sql =
        "UPDATE rooms SET member_count = ?2, visibility = ?3, archived = ?4, name = ?5, name_key = ?6, topic = ?7,
               owner = ?8, code = ?9 WHERE id = ?1";
    conn.prepare_cached(sql)?.execute(params![
        room.id.as_bytes(),
        room.member_count,
        room.visibility.code(),
        room.archived,
        room.name.as_str(),
        key,
        room.topic.as_str(),
        room.owner.as_ref().map(UserId::as_bytes),
        code,
    ])?;
    let sql = "INSERT INTO members (room, user, state, role, joined, delivered, read, notify)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
               ON CONFLICT (room, user) DO UPDATE SET state = ?3, role = ?4, joined = ?5, delivered = ?6, read = ?7,
                   notify = ?8";
    let mut put = conn.prepare_cached(sql)?;
    for member in members {
        put.execute(params![
            room.id.as_bytes(),
            member.user.as_bytes(),
            member.state.code(),
            member.role.code(),
            member.joined.map(int),
            int(member.delivered),
            int(member.read),
            member.notify.code(),
        ])?;
    }
    Ok(())
}

fn take_login(conn: &Connection, ArchivedLogin { session, rotated_at }: &ArchivedLogin) -> Stored<()> {
    let sql = format!(
        "INSERT INTO sessions ({}, rotated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (id) DO NOTHING",
        sessions::SESSION
    );
    conn.prepare_cached(&sql)?.execute(params![
        session.id.as_bytes(),
        session.user.as_bytes(),
        session.created_at.millis(),
        session.last_used_at.millis(),
        session.expires_at.millis(),
        session.user_agent,
        session.generation,
        session.current,
        session.previous,
        session.revoked_at.map(Timestamp::millis),
        rotated_at.map(Timestamp::millis),
    ])?;
    Ok(())
}

fn finish(conn: &Connection) -> Stored<()> {
    let sql = "SELECT id FROM rooms WHERE kind = ?1 AND name_key IS NULL LIMIT 1";
    let nameless = conn.prepare_cached(sql)?.query_row([RoomKind::Room.code()], |row| column::id::<RoomId>(row, 0));
    if let Some(room) = nameless.optional()? {
        return Err(StoreError::Broken(format!("room {room} was left without its name")));
    }
    conn.prepare_cached("UPDATE imports SET finished = 1")?.execute([])?;
    Ok(())
}

#[async_trait]
impl Archive for Sqlite {
    async fn census(&self) -> Stored<Census> {
        self.read(census).await
    }

    async fn people(&self, ids: &[UserId]) -> Stored<Vec<UserRecord>> {
        let ids = ids.to_vec();
        self.read(move |conn| {
            let found: Stored<Vec<_>> = ids.into_iter().map(|id| accounts::by_id(conn, id)).collect();
            Ok(found?.into_iter().flatten().collect())
        })
        .await
    }

    async fn all_people(&self, after: Option<UserId>, limit: u32) -> Stored<Vec<UserRecord>> {
        self.read(move |conn| all_people(conn, after, limit)).await
    }

    async fn all_logins(&self, after: Option<SessionId>, limit: u32) -> Stored<Vec<ArchivedLogin>> {
        self.read(move |conn| all_logins(conn, after, limit)).await
    }

    async fn all_uploads(&self, after: Option<FileId>, limit: u32) -> Stored<Vec<UploadRecord>> {
        self.read(move |conn| {
            let sql = format!("SELECT {} FROM uploads WHERE id > ?1 ORDER BY id LIMIT ?2", uploads::UPLOAD);
            let mut found = conn.prepare_cached(&sql)?;
            let of = params![after_id(after.as_ref().map(FileId::as_bytes)), limit];
            Ok(found.query_map(of, uploads::record)?.collect::<Result<_>>()?)
        })
        .await
    }

    async fn all_rooms(&self, after: Option<RoomId>, limit: u32) -> Stored<Vec<RoomId>> {
        self.read(move |conn| all_rooms(conn, after, limit)).await
    }

    async fn cut(&self, room: RoomId) -> Stored<Option<RoomCut>> {
        self.read(move |conn| cut(conn, room)).await
    }

    async fn begin_import(&self, archive: &str) -> Stored<Begun> {
        let archive = archive.to_owned();
        self.write(move |desk| begin(&desk.conn, &archive)).await
    }

    async fn take(&self, chunk: u64, pieces: Vec<Piece>) -> Stored<()> {
        self.write(move |desk| take(desk, chunk, pieces)).await
    }

    async fn finish_import(&self) -> Stored<()> {
        self.write(|desk| finish(&desk.conn)).await
    }

    async fn is_half_imported(&self) -> Stored<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM imports WHERE finished = 0)";
        self.read(move |conn| Ok(conn.prepare_cached(sql)?.query_row([], column::plain)?)).await
    }
}
