//! What judging asks about a log, as SQL inside the writer's transaction. Reads only; the effects are next door.

use super::append::Batch;
use super::column::{self, Code, int};
use super::entry::{UNPINNED, UNREACTED};
use crate::store::judge::{Facts, Place, RoomFacts, Target};
use crate::store::{Standing, Stored};
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::room::Role;
use natter_shared::text::{Emoji, RoomName};
use rusqlite::{OptionalExtension, params};

impl Facts for Batch<'_> {
    fn room(&mut self, room: RoomId) -> Stored<Option<RoomFacts>> {
        let state = self.state(room)?;
        Ok(state.map(|state| RoomFacts {
            members: usize::try_from(state.members).unwrap_or(usize::MAX),
            archived: state.archived,
            direct: state.direct,
        }))
    }

    fn place(&mut self, room: RoomId, user: UserId) -> Stored<Place> {
        if let Some(place) = self.places.get(&(room, user)) {
            return Ok(*place);
        }
        let sql = "SELECT state, role, joined FROM members WHERE room = ?1 AND user = ?2";
        let found = self.conn().prepare_cached(sql)?.query_row([room.as_bytes(), user.as_bytes()], |row| {
            Ok(Place { standing: super::rooms::standing(row, 0)?, joined: column::seq_or_none(row, 2)? })
        });
        let place = found.optional()?.unwrap_or(Place { standing: Standing::Stranger, joined: None });
        self.places.insert((room, user), place);
        Ok(place)
    }

    fn exists(&mut self, user: UserId) -> Stored<bool> {
        Ok(self.author(user)?.is_some_and(|author| !author.deleted))
    }

    fn rooms_of(&mut self, user: UserId) -> Stored<usize> {
        let sql = "SELECT count(*) FROM members WHERE user = ?1 AND state = 0";
        Ok(self.conn().prepare_cached(sql)?.query_row([user.as_bytes()], |row| column::count(row, 0))?)
    }

    fn target(&mut self, room: RoomId, seq: Seq) -> Stored<Option<Target>> {
        let sql = "SELECT author, deleted, pinned, other FROM entries WHERE room = ?1 AND seq = ?2 AND kind = 0";
        let found = self.conn().prepare_cached(sql)?.query_row(params![room.as_bytes(), int(seq)], |row| {
            Ok(Target {
                author: column::id(row, 0)?,
                deleted: column::seq_or_none(row, 1)?,
                pinned: column::seq_or_none(row, 2)?,
                to: column::id_or_none(row, 3)?,
            })
        });
        Ok(found.optional()?)
    }

    fn reaction(&mut self, room: RoomId, target: Seq, emoji: &Emoji, user: UserId) -> Stored<Option<Seq>> {
        let sql = "SELECT seq FROM reactions WHERE room = ?1 AND target = ?2 AND emoji = ?3 AND user = ?4";
        let of = params![room.as_bytes(), int(target), emoji.as_str(), user.as_bytes()];
        Ok(self.conn().prepare_cached(sql)?.query_row(of, |row| column::seq(row, 0)).optional()?)
    }

    fn emoji(&mut self, room: RoomId, target: Seq, emoji: &Emoji) -> Stored<(usize, bool)> {
        let sql =
            "SELECT count(DISTINCT emoji), coalesce(max(emoji = ?3), 0) FROM reactions WHERE room = ?1 AND target = ?2";
        let of = params![room.as_bytes(), int(target), emoji.as_str()];
        let counted = |row: &rusqlite::Row<'_>| Ok((column::count(row, 0)?, row.get(1)?));
        Ok(self.conn().prepare_cached(sql)?.query_row(of, counted)?)
    }

    fn unreacted(&mut self, room: RoomId, target: Seq, emoji: &Emoji, user: UserId) -> Stored<Option<Seq>> {
        let sql = "SELECT seq FROM entries WHERE room = ?1 AND target = ?2 AND kind = ?3 AND author = ?4 AND text = ?5
                   AND target IS NOT NULL ORDER BY seq DESC LIMIT 1";
        let of = params![room.as_bytes(), int(target), UNREACTED, user.as_bytes(), emoji.as_str()];
        Ok(self.conn().prepare_cached(sql)?.query_row(of, |row| column::seq(row, 0)).optional()?)
    }

    fn unpinned(&mut self, room: RoomId, target: Seq) -> Stored<Option<Seq>> {
        let sql = "SELECT seq FROM entries WHERE room = ?1 AND target = ?2 AND kind = ?3 AND target IS NOT NULL
                   ORDER BY seq DESC LIMIT 1";
        let of = params![room.as_bytes(), int(target), UNPINNED];
        Ok(self.conn().prepare_cached(sql)?.query_row(of, |row| column::seq(row, 0)).optional()?)
    }

    fn pins(&mut self, room: RoomId) -> Stored<usize> {
        let sql = "SELECT count(*) FROM entries INDEXED BY pins_in_room WHERE room = ?1 AND pinned IS NOT NULL";
        Ok(self.conn().prepare_cached(sql)?.query_row([room.as_bytes()], |row| column::count(row, 0))?)
    }

    fn highest_other(&mut self, room: RoomId, user: UserId) -> Stored<Option<Role>> {
        let sql = "SELECT max(role) FROM members WHERE room = ?1 AND user <> ?2 AND state = 0";
        let of = [room.as_bytes(), user.as_bytes()];
        let highest: Option<i64> = self.conn().prepare_cached(sql)?.query_row(of, column::plain)?;
        Ok(highest.and_then(Role::of))
    }

    fn name_taken(&mut self, name: &RoomName, room: RoomId) -> Stored<bool> {
        let sql = "SELECT 1 FROM rooms WHERE name_key = ?1 AND id <> ?2";
        Ok(self.conn().prepare_cached(sql)?.exists(params![name.key(), room.as_bytes()])?)
    }
}
