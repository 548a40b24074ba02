//! Appending to logs: one [`Batch`] is one call of [`append`](crate::store::Log::append), inside the writer's transaction.
//! What an entry costs depends neither on the length of the log nor on the number of rooms.

use super::column::{self, int};
use super::entry::{Columns, entry_at};
use super::writer::Desk;
use crate::store::judge::{Place, Verdict, judge};
use crate::store::{Appended, NewEntry, Refused, StoreError, Stored};
use natter_shared::entry::{Author, Entry, EntryKind};
use natter_shared::id::{ClientId, RoomId, Seq, UserId};
use natter_shared::room::RoomKind;
use natter_shared::timestamp::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;

/// An entry's id is its time, shifted by this, plus a number: so many bits hold the entries of one millisecond.
const WITHIN_MILLISECOND: u32 = 18;

/// The first id of a millisecond.
pub(super) const fn first_id(at: Timestamp) -> i64 {
    // The year 3084 is the last that fits; everything later counts as its end.
    let most = i64::MAX >> WITHIN_MILLISECOND;
    let millis = if at.millis() < most { at.millis() } else { most - 1 };
    millis << WITHIN_MILLISECOND
}

/// What a batch remembers of a room.
#[derive(Clone, Copy)]
pub(super) struct RoomState {
    pub head: Seq,
    pub members: u32,
    pub archived: bool,
    pub direct: bool,
    changed: bool,
}

pub(super) struct Batch<'a> {
    desk: &'a mut Desk,
    rooms: HashMap<RoomId, RoomState>,
    pub(super) places: HashMap<(RoomId, UserId), Place>,
}

/// Appends entries in their order.
pub(super) fn append(desk: &mut Desk, entries: Vec<NewEntry>) -> Stored<Vec<Appended>> {
    let mut batch = Batch { desk, rooms: HashMap::new(), places: HashMap::new() };
    let appended = entries.into_iter().map(|entry| batch.append(entry)).collect::<Stored<_>>()?;
    batch.finish()?;
    Ok(appended)
}

/// Appends an entry that is not judged: the first one of a new room.
pub(super) fn found(desk: &mut Desk, first: NewEntry) -> Stored<Entry> {
    let mut batch = Batch { desk, rooms: HashMap::new(), places: HashMap::new() };
    let seq = batch.put(&first)?.ok_or_else(|| StoreError::Broken("a new room has an entry already".into()))?;
    let entry = batch.as_entry(first, seq)?;
    batch.finish()?;
    Ok(entry)
}

/// Puts entries that have their seqs already into their logs, as far as they are not there. What they do to rooms and
/// members is passed over: an archive brings these as they are.
pub(super) fn replay(desk: &mut Desk, entries: Vec<(Seq, NewEntry)>) -> Stored<()> {
    let mut batch = Batch { desk, rooms: HashMap::new(), places: HashMap::new() };
    for (seq, entry) in entries {
        batch.replay(seq, &entry)?;
    }
    batch.finish()
}

impl Batch<'_> {
    fn replay(&mut self, seq: Seq, entry: &NewEntry) -> Stored<()> {
        let room = entry.room;
        let broken = |what: &str| StoreError::Broken(format!("entry {seq} of room {room} {what}"));
        let head = self.state(room)?.ok_or_else(|| broken("comes before its room"))?.head;
        if seq <= head {
            return Ok(());
        }
        if seq != head.next() {
            return Err(broken("does not follow on the one before"));
        }
        self.author(entry.author)?.ok_or_else(|| broken("comes before its author"))?;
        let id = self.insert(entry, seq)?.ok_or_else(|| broken("has the client id of another one"))?;
        self.change_room(room, |state| state.head = seq);
        let moves = entry.what.is_event() && !matches!(entry.what, EntryKind::Pinned { .. });
        if moves { Ok(()) } else { self.take_effect(entry, seq, id) }
    }

    fn append(&mut self, new: NewEntry) -> Stored<Appended> {
        if self.state(new.room)?.is_none() {
            return Ok(Appended::Refused(Refused::NoRoom));
        }
        let verdict = judge(self, &new)?;
        if let Verdict::Append = verdict
            && let Some(seq) = self.put(&new)?
        {
            return self.as_entry(new, seq).map(Appended::New);
        }
        // A repeat gets the first entry, whatever else it holds and whatever is forbidden by now.
        if let Some(first) = new.client_id.map(|id| self.repeated(&new, id)).transpose()?.flatten() {
            return self.again(new.room, first);
        }
        match verdict {
            Verdict::Holds(seq) => self.again(new.room, seq),
            Verdict::Refuse(why) => Ok(Appended::Refused(why)),
            Verdict::Append => Err(StoreError::Broken(format!("the next seq of room {} is taken", new.room))),
        }
    }

    /// Gives an entry the next seq and does what it says; `None` if the author's client has sent it before.
    fn put(&mut self, new: &NewEntry) -> Stored<Option<Seq>> {
        let seq = self.state(new.room)?.map_or(Seq::ZERO, |room| room.head).next();
        let Some(id) = self.insert(new, seq)? else { return Ok(None) };
        self.change_room(new.room, |room| room.head = seq);
        self.take_effect(new, seq, id)?;
        Ok(Some(seq))
    }

    fn as_entry(&mut self, new: NewEntry, seq: Seq) -> Stored<Entry> {
        let author = self.author(new.author)?.cloned().ok_or_else(|| no_author(new.author))?;
        let NewEntry { room, at, client_id, what, .. } = new;
        Ok(Entry { room, seq, at, author, client_id, what })
    }

    fn again(&self, room: RoomId, seq: Seq) -> Stored<Appended> {
        let first = entry_at(self.conn(), room, seq)?;
        first.map(Appended::Again).ok_or_else(|| StoreError::Broken(format!("entry {seq} of room {room} is missing")))
    }

    fn repeated(&self, new: &NewEntry, client_id: ClientId) -> Stored<Option<Seq>> {
        let sql = "SELECT seq FROM entries WHERE room = ?1 AND author = ?2 AND client_id = ?3";
        let of = [new.room.as_bytes(), new.author.as_bytes(), client_id.as_bytes()];
        Ok(self.conn().prepare_cached(sql)?.query_row(of, |row| column::seq(row, 0)).optional()?)
    }

    /// Inserts the row and returns its id; `None` if the author's client has sent it before.
    fn insert(&mut self, new: &NewEntry, seq: Seq) -> Stored<Option<i64>> {
        let Some(columns) = Columns::of(&new.what) else {
            return Err(StoreError::Broken("an entry of a kind that is never stored".into()));
        };
        let id = self.next_id(new.at)?;
        let sql = "INSERT INTO entries (id, room, seq, kind, at, author, client_id, target, reply_to, other, flag, files, text,
                                        mentions)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
                   ON CONFLICT (room, author, client_id) WHERE client_id IS NOT NULL DO NOTHING";
        let inserted = self.conn().prepare_cached(sql)?.execute(params![
            id,
            new.room.as_bytes(),
            int(seq),
            columns.kind,
            new.at.millis(),
            new.author.as_bytes(),
            new.client_id.as_ref().map(ClientId::as_bytes),
            columns.target.map(int),
            columns.reply_to.map(int),
            columns.other.as_ref().map(UserId::as_bytes),
            columns.flag,
            columns.files,
            columns.text,
            columns.mentions,
        ])?;
        if inserted == 0 {
            return Ok(None);
        }
        self.desk.last_entry = id;
        Ok(Some(id))
    }

    /// A free id for an entry of this time: the one after the last of its millisecond.
    fn next_id(&self, at: Timestamp) -> Stored<i64> {
        let mut first = first_id(at);
        loop {
            let end = first.saturating_add(1 << WITHIN_MILLISECOND);
            let last = if (first..end).contains(&self.desk.last_entry) {
                Some(self.desk.last_entry)
            } else {
                let sql = "SELECT max(id) FROM entries WHERE id >= ?1 AND id < ?2";
                self.conn().prepare_cached(sql)?.query_row([first, end], column::plain)?
            };
            match last {
                None => return Ok(first),
                Some(last) if last + 1 < end => return Ok(last + 1),
                // A full millisecond spills into the next one.
                Some(_) => first = end,
            }
        }
    }

    /// Writes back what changed about rooms.
    fn finish(self) -> Stored<()> {
        let mut update = self.conn().prepare_cached("UPDATE rooms SET head = ?2, member_count = ?3 WHERE id = ?1")?;
        for (id, room) in self.rooms.iter().filter(|(_, room)| room.changed) {
            update.execute(params![id.as_bytes(), int(room.head), i64::from(room.members)])?;
        }
        Ok(())
    }

    pub(super) const fn conn(&self) -> &Connection {
        &self.desk.conn
    }

    pub(super) fn author(&mut self, id: UserId) -> Stored<Option<&Author>> {
        Ok(self.desk.authors.find(&self.desk.conn, id)?)
    }

    pub(super) fn state(&mut self, id: RoomId) -> Stored<Option<RoomState>> {
        if let Some(room) = self.rooms.get(&id) {
            return Ok(Some(*room));
        }
        let sql = "SELECT head, member_count, archived, kind FROM rooms WHERE id = ?1";
        let found = self.desk.conn.prepare_cached(sql)?.query_row([id.as_bytes()], |row| {
            Ok(RoomState {
                head: column::seq(row, 0)?,
                members: row.get(1)?,
                archived: row.get(2)?,
                direct: column::code::<RoomKind>(row, 3)? == RoomKind::Direct,
                changed: false,
            })
        });
        let found = found.optional()?;
        if let Some(room) = found {
            self.rooms.insert(id, room);
        }
        Ok(found)
    }

    /// Changes what the batch remembers of a room that it has read.
    pub(super) fn change_room(&mut self, id: RoomId, change: impl FnOnce(&mut RoomState)) {
        if let Some(room) = self.rooms.get_mut(&id) {
            change(room);
            room.changed = true;
        }
    }

    /// Forgets how somebody stands to a room, for it has changed.
    pub(super) fn moved(&mut self, room: RoomId, user: UserId) {
        self.places.remove(&(room, user));
    }
}

fn no_author(id: UserId) -> StoreError {
    StoreError::Broken(format!("the person {id} is a member but does not exist"))
}
