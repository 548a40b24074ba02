//! What an entry does besides standing in the log: members, rooms, messages as they stand, and the index of their words.

use super::append::Batch;
use super::column::{self, Code, int};
use super::entry::EDITED;
use super::rooms::{BANNED, FORMER, MEMBER};
use crate::store::{NewEntry, Stored};
use natter_shared::entry::EntryKind;
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::room::Role;
use natter_shared::text::Emoji;
use rusqlite::params;

/// The word that stands for a room in the index of words.
pub(super) fn room_word(room: RoomId) -> String {
    format!("r{:032x}", u128::from_be_bytes(*room.as_bytes()))
}

impl Batch<'_> {
    /// Does what the entry says; it stands in the log with this seq and id.
    pub(super) fn take_effect(&mut self, new: &NewEntry, seq: Seq, id: i64) -> Stored<()> {
        let room = new.room;
        match &new.what {
            EntryKind::Message(content) => {
                self.mention(room, seq, new.author, &content.mentions)?;
                self.index(id, room, content.body.as_str())
            }
            EntryKind::Edited { target, body, mentions } => self.edit(new, *target, seq, body.as_str(), mentions),
            EntryKind::Deleted { target } => self.delete(room, *target, seq),
            EntryKind::Reacted { target, emoji } => self.react(room, *target, emoji, new.author, seq),
            EntryKind::Unreacted { target, emoji } => {
                let sql = "DELETE FROM reactions WHERE room = ?1 AND target = ?2 AND emoji = ?3 AND user = ?4";
                self.run(sql, params![room.as_bytes(), int(*target), emoji.as_str(), new.author.as_bytes()])
            }
            EntryKind::Joined => self.join(room, new.author, seq),
            EntryKind::Left => self.go(room, new.author, FORMER),
            EntryKind::Removed { user, banned } => self.go(room, *user, if *banned { BANNED } else { FORMER }),
            EntryKind::Unbanned { user } => self.set_state(room, *user, FORMER),
            EntryKind::Renamed { name } => {
                let sql = "UPDATE rooms SET name = ?2, name_key = ?3 WHERE id = ?1";
                self.run(sql, params![room.as_bytes(), name.as_str(), name.key()])
            }
            EntryKind::Topic { topic } => {
                self.run("UPDATE rooms SET topic = ?2 WHERE id = ?1", params![room.as_bytes(), topic.as_str()])
            }
            EntryKind::Visibility { visibility } => {
                let sql = "UPDATE rooms SET visibility = ?2 WHERE id = ?1";
                self.run(sql, params![room.as_bytes(), visibility.code()])
            }
            EntryKind::Archived { archived } => {
                self.change_room(room, |state| state.archived = *archived);
                self.run("UPDATE rooms SET archived = ?2 WHERE id = ?1", params![room.as_bytes(), archived])
            }
            EntryKind::Role { user, role } => self.set_role(room, *user, *role),
            EntryKind::Pinned { target } => self.pin(room, *target, Some(seq)),
            EntryKind::Unpinned { target } => self.pin(room, *target, None),
            EntryKind::Withheld | EntryKind::Unknown => Ok(()),
        }
    }

    fn run(&self, sql: &str, of: &[&dyn rusqlite::ToSql]) -> Stored<()> {
        self.conn().prepare_cached(sql)?.execute(of)?;
        Ok(())
    }

    fn index(&self, id: i64, room: RoomId, body: &str) -> Stored<()> {
        self.run("INSERT INTO words (rowid, body, place) VALUES (?1, ?2, ?3)", params![id, body, room_word(room)])
    }

    /// Notes that a message mentions these people now.
    fn mention(&self, room: RoomId, seq: Seq, author: UserId, whom: &[UserId]) -> Stored<()> {
        for user in whom {
            let sql = "INSERT OR IGNORE INTO mentions (user, room, seq, author) VALUES (?1, ?2, ?3, ?4)";
            self.run(sql, params![user.as_bytes(), room.as_bytes(), int(seq), author.as_bytes()])?;
        }
        Ok(())
    }

    /// Takes a message's words out of the index, which has to be told what they were, and whom it mentions with them.
    fn unindex(&self, room: RoomId, target: Seq) -> Stored<i64> {
        let sql = "SELECT e.id, coalesce(x.text, e.text), CASE WHEN x.seq IS NULL THEN e.mentions ELSE x.mentions END
                   FROM entries e LEFT JOIN entries x ON x.room = e.room AND x.seq = e.edit
                   WHERE e.room = ?1 AND e.seq = ?2";
        let (id, body, mentioned): (i64, String, Vec<UserId>) =
            self.conn().prepare_cached(sql)?.query_row(params![room.as_bytes(), int(target)], |row| {
                Ok((row.get(0)?, row.get(1)?, column::id_list(row, 2)?))
            })?;
        for user in mentioned {
            let sql = "DELETE FROM mentions WHERE user = ?1 AND room = ?2 AND seq = ?3";
            self.run(sql, params![user.as_bytes(), room.as_bytes(), int(target)])?;
        }
        let sql = "INSERT INTO words (words, rowid, body, place) VALUES ('delete', ?1, ?2, ?3)";
        self.run(sql, params![id, body, room_word(room)])?;
        Ok(id)
    }

    fn edit(&self, new: &NewEntry, target: Seq, seq: Seq, body: &str, mentions: &[UserId]) -> Stored<()> {
        let id = self.unindex(new.room, target)?;
        self.mention(new.room, target, new.author, mentions)?;
        self.index(id, new.room, body)?;
        let sql = "UPDATE entries SET edit = ?2, edited_at = ?3 WHERE id = ?1";
        self.run(sql, params![id, int(seq), new.at.millis()])
    }

    fn delete(&self, room: RoomId, target: Seq, seq: Seq) -> Stored<()> {
        let id = self.unindex(room, target)?;
        let sql =
            "UPDATE entries SET text = '', files = NULL, mentions = NULL, deleted = ?2, pinned = NULL WHERE id = ?1";
        self.run(sql, params![id, int(seq)])?;
        let sql = "UPDATE entries SET text = '', mentions = NULL
                   WHERE room = ?1 AND target = ?2 AND kind = ?3 AND target IS NOT NULL";
        self.run(sql, params![room.as_bytes(), int(target), EDITED])?;
        self.run("DELETE FROM reactions WHERE room = ?1 AND target = ?2", params![room.as_bytes(), int(target)])
    }

    fn pin(&self, room: RoomId, target: Seq, by: Option<Seq>) -> Stored<()> {
        let sql = "UPDATE entries SET pinned = ?3 WHERE room = ?1 AND seq = ?2";
        self.run(sql, params![room.as_bytes(), int(target), by.map(int)])
    }

    fn react(&self, room: RoomId, target: Seq, emoji: &Emoji, user: UserId, seq: Seq) -> Stored<()> {
        // An emoji keeps its place among the others as long as anybody's is left.
        let sql = "INSERT INTO reactions (room, target, emoji, user, seq, place) VALUES (?1, ?2, ?3, ?4, ?5, coalesce(
                       (SELECT min(place) FROM reactions WHERE room = ?1 AND target = ?2 AND emoji = ?3), ?5))";
        self.run(sql, params![room.as_bytes(), int(target), emoji.as_str(), user.as_bytes(), int(seq)])
    }

    /// Makes a member, or a former member one again, who has seen all up to here.
    fn join(&mut self, room: RoomId, user: UserId, seq: Seq) -> Stored<()> {
        let sql = "INSERT INTO members (room, user, state, role, joined, delivered, read) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?5)
                   ON CONFLICT (room, user) DO UPDATE SET state = ?3, role = ?4, joined = ?5, delivered = ?5, read = ?5";
        self.run(sql, params![room.as_bytes(), user.as_bytes(), MEMBER, Role::Member.code(), int(seq)])?;
        self.moved(room, user);
        self.change_room(room, |state| state.members += 1);
        Ok(())
    }

    fn set_state(&mut self, room: RoomId, user: UserId, state: i64) -> Stored<()> {
        let sql = "UPDATE members SET state = ?3 WHERE room = ?1 AND user = ?2";
        self.run(sql, params![room.as_bytes(), user.as_bytes(), state])?;
        self.moved(room, user);
        Ok(())
    }

    fn go(&mut self, room: RoomId, user: UserId, state: i64) -> Stored<()> {
        self.set_state(room, user, state)?;
        self.change_room(room, |state| state.members = state.members.saturating_sub(1));
        Ok(())
    }

    fn set_role(&mut self, room: RoomId, user: UserId, role: Role) -> Stored<()> {
        let sql = "UPDATE members SET role = ?3 WHERE room = ?1 AND user = ?2";
        self.run(sql, params![room.as_bytes(), user.as_bytes(), role.code()])?;
        self.moved(room, user);
        Ok(())
    }
}
