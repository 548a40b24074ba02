//! Whether an entry has a place in its log at this point. Reads only; the effects are next door.

use super::append::{Batch, Target};
use super::column::{self, Code, int};
use super::entry::{UNPINNED, UNREACTED};
use crate::store::{NewEntry, Refused, Standing, Stored};
use natter_shared::entry::{EntryKind, MessageContent};
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::limits;
use natter_shared::room::Role;
use natter_shared::text::{Emoji, RoomName};
use rusqlite::{OptionalExtension, params};

#[expect(clippy::cast_possible_truncation, reason = "ten thousand")]
const MEMBERS_PER_ROOM: u32 = limits::MEMBERS_PER_ROOM as u32;

/// What is to be done with an entry.
pub(super) enum Verdict {
    Append,
    /// What it would do is done; the entry that did it has this seq.
    Holds(Seq),
    Refuse(Refused),
}

use Verdict::{Append, Holds, Refuse};

impl Batch<'_> {
    /// Judges an entry for a room that exists.
    pub(super) fn judge(&mut self, new: &NewEntry) -> Stored<Verdict> {
        if matches!(new.what, EntryKind::Joined) {
            return self.judge_joined(new.room, new.author);
        }
        let Standing::Member(role) = self.place(new.room, new.author)?.standing else {
            return Ok(Refuse(Refused::NotMember));
        };
        let opens =
            matches!(new.what, EntryKind::Archived { archived: false } | EntryKind::Left | EntryKind::Removed { .. });
        if self.room(new.room)?.is_some_and(|room| room.archived) && !opens {
            return Ok(Refuse(Refused::Archived));
        }
        match &new.what {
            EntryKind::Message(content) => self.judge_message(new, content),
            EntryKind::Edited { target, .. } => Ok(match self.live_target(new, *target)? {
                Some(message) if message.author == new.author => Append,
                Some(_) => Refuse(Refused::NotAuthor),
                None => Refuse(Refused::NoTarget),
            }),
            EntryKind::Deleted { target } => Ok(match self.seen_target(new, *target)? {
                Some(Target { deleted: Some(by), .. }) => Holds(by),
                Some(_) => Append,
                None => Refuse(Refused::NoTarget),
            }),
            EntryKind::Reacted { target, emoji } => self.judge_reacted(new, *target, emoji),
            EntryKind::Unreacted { target, emoji } => self.judge_unreacted(new, *target, emoji),
            EntryKind::Pinned { target } => Ok(match self.live_target(new, *target)? {
                Some(Target { pinned: Some(by), .. }) => Holds(by),
                Some(_) => Append,
                None => Refuse(Refused::NoTarget),
            }),
            EntryKind::Unpinned { target } => self.judge_unpinned(new, *target),
            EntryKind::Left => self.judge_going(new.room, new.author, role),
            EntryKind::Removed { user, .. } => match self.place(new.room, *user)?.standing {
                Standing::Member(role) => self.judge_going(new.room, *user, role),
                _ => Ok(Refuse(Refused::NotMember)),
            },
            EntryKind::Role { user, role } => match self.place(new.room, *user)?.standing {
                Standing::Member(was) if *role < was => self.judge_going(new.room, *user, was),
                Standing::Member(_) => Ok(Append),
                _ => Ok(Refuse(Refused::NotMember)),
            },
            EntryKind::Renamed { name } => self.judge_renamed(new.room, name),
            _ => Ok(Append),
        }
    }

    fn judge_joined(&mut self, room: RoomId, user: UserId) -> Stored<Verdict> {
        let place = self.place(room, user)?;
        match (place.standing, place.joined) {
            (Standing::Banned, _) => return Ok(Refuse(Refused::Banned)),
            (Standing::Member(_), Some(joined)) => return Ok(Holds(joined)),
            (Standing::Member(_), None) | (Standing::Stranger | Standing::Former, _) => {}
        }
        if self.author(user)?.is_none() {
            return Ok(Refuse(Refused::NotMember));
        }
        if self.room(room)?.is_some_and(|room| room.archived) {
            return Ok(Refuse(Refused::Archived));
        }
        // A direct conversation has its two people from the start.
        let full = self.room(room)?.is_none_or(|room| room.direct || room.members >= MEMBERS_PER_ROOM);
        if full {
            return Ok(Refuse(Refused::Full));
        }
        let sql = "SELECT count(*) FROM members WHERE user = ?1 AND state = 0";
        let rooms = self.conn().prepare_cached(sql)?.query_row([user.as_bytes()], |row| column::count(row, 0))?;
        Ok(if rooms >= limits::ROOMS_PER_USER { Refuse(Refused::Full) } else { Append })
    }

    fn judge_message(&mut self, new: &NewEntry, content: &MessageContent) -> Stored<Verdict> {
        if let Some(reply_to) = content.reply_to
            && self.seen_target(new, reply_to)?.is_none()
        {
            return Ok(Refuse(Refused::NoReference));
        }
        if let Some(to) = content.to
            && !matches!(self.place(new.room, to)?.standing, Standing::Member(_))
        {
            return Ok(Refuse(Refused::NoReference));
        }
        Ok(Append)
    }

    fn judge_reacted(&mut self, new: &NewEntry, target: Seq, emoji: &Emoji) -> Stored<Verdict> {
        if self.live_target(new, target)?.is_none() {
            return Ok(Refuse(Refused::NoTarget));
        }
        if let Some(there) = self.reaction(new.room, target, emoji, new.author)? {
            return Ok(Holds(there));
        }
        let sql =
            "SELECT count(DISTINCT emoji), coalesce(max(emoji = ?3), 0) FROM reactions WHERE room = ?1 AND target = ?2";
        let (different, known): (_, bool) = self
            .conn()
            .prepare_cached(sql)?
            .query_row(params![new.room.as_bytes(), int(target), emoji.as_str()], |row| {
                Ok((column::count(row, 0)?, row.get(1)?))
            })?;
        let full = !known && different >= limits::REACTIONS_PER_MESSAGE;
        Ok(if full { Refuse(Refused::TooManyReactions) } else { Append })
    }

    fn judge_unreacted(&mut self, new: &NewEntry, target: Seq, emoji: &Emoji) -> Stored<Verdict> {
        if self.live_target(new, target)?.is_none() {
            return Ok(Refuse(Refused::NoTarget));
        }
        if self.reaction(new.room, target, emoji, new.author)?.is_some() {
            return Ok(Append);
        }
        let sql = "SELECT seq FROM entries WHERE room = ?1 AND target = ?2 AND kind = ?3 AND author = ?4 AND text = ?5
                   AND target IS NOT NULL ORDER BY seq DESC LIMIT 1";
        let of = params![new.room.as_bytes(), int(target), UNREACTED, new.author.as_bytes(), emoji.as_str()];
        let earlier = self.conn().prepare_cached(sql)?.query_row(of, |row| column::seq(row, 0)).optional()?;
        Ok(earlier.map_or(Refuse(Refused::NoReaction), Holds))
    }

    fn judge_unpinned(&mut self, new: &NewEntry, target: Seq) -> Stored<Verdict> {
        match self.live_target(new, target)? {
            None => return Ok(Refuse(Refused::NoTarget)),
            Some(Target { pinned: Some(_), .. }) => return Ok(Append),
            Some(_) => {}
        }
        let sql = "SELECT seq FROM entries WHERE room = ?1 AND target = ?2 AND kind = ?3 AND target IS NOT NULL
                   ORDER BY seq DESC LIMIT 1";
        let of = params![new.room.as_bytes(), int(target), UNPINNED];
        let earlier = self.conn().prepare_cached(sql)?.query_row(of, |row| column::seq(row, 0)).optional()?;
        Ok(earlier.map_or(Append, Holds))
    }

    /// Whether somebody may go, or become less than an owner: others must not be left without one.
    fn judge_going(&mut self, room: RoomId, user: UserId, role: Role) -> Stored<Verdict> {
        if role != Role::Owner {
            return Ok(Append);
        }
        let sql = "SELECT max(role) FROM members WHERE room = ?1 AND user <> ?2 AND state = 0";
        let of = [room.as_bytes(), user.as_bytes()];
        let highest: Option<i64> = self.conn().prepare_cached(sql)?.query_row(of, column::plain)?;
        let leaderless = highest.is_some_and(|role| role < Role::Owner.code());
        Ok(if leaderless { Refuse(Refused::LastOwner) } else { Append })
    }

    fn judge_renamed(&self, room: RoomId, name: &RoomName) -> Stored<Verdict> {
        let sql = "SELECT 1 FROM rooms WHERE name_key = ?1 AND id <> ?2";
        let taken = self.conn().prepare_cached(sql)?.exists(params![name.key(), room.as_bytes()])?;
        Ok(if taken { Refuse(Refused::NameTaken) } else { Append })
    }

    /// The message of that seq, if the entry's author may see it.
    fn seen_target(&self, new: &NewEntry, seq: Seq) -> Stored<Option<Target>> {
        let seen = |it: &Target| it.author == new.author || it.to.is_none_or(|to| to == new.author);
        Ok(self.target(new.room, seq)?.filter(seen))
    }

    fn live_target(&self, new: &NewEntry, seq: Seq) -> Stored<Option<Target>> {
        Ok(self.seen_target(new, seq)?.filter(|message| message.deleted.is_none()))
    }

    fn reaction(&self, room: RoomId, target: Seq, emoji: &Emoji, user: UserId) -> Stored<Option<Seq>> {
        let sql = "SELECT seq FROM reactions WHERE room = ?1 AND target = ?2 AND emoji = ?3 AND user = ?4";
        let of = params![room.as_bytes(), int(target), emoji.as_str(), user.as_bytes()];
        Ok(self.conn().prepare_cached(sql)?.query_row(of, |row| column::seq(row, 0)).optional()?)
    }
}
