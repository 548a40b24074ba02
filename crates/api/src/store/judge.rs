//! Whether an entry has a place in its log at this point: the contract's refusals, once for every store. A store answers
//! what is asked here from inside its write, so that no race can get around it.

use super::{NewEntry, Refused, Standing, Stored};
use natter_shared::entry::{EntryKind, MessageContent};
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::limits;
use natter_shared::room::Role;
use natter_shared::text::{Emoji, RoomName};

/// What is to be done with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Append,
    /// What it would do is done; the entry that did it has this seq.
    Holds(Seq),
    Refuse(Refused),
}

use Verdict::{Append, Holds, Refuse};

/// What is asked about a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RoomFacts {
    pub members: usize,
    pub archived: bool,
    pub direct: bool,
}

/// How somebody stands to a room, and by which entry they came in (none in a direct conversation).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub standing: Standing,
    pub joined: Option<Seq>,
}

impl Place {
    pub const STRANGER: Self = Self { standing: Standing::Stranger, joined: None };
}

/// A message that another entry names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    pub author: UserId,
    /// The only other person who sees it.
    pub to: Option<UserId>,
    pub deleted: Option<Seq>,
    pub pinned: Option<Seq>,
}

/// What a store knows of the logs at the point where an entry is to stand.
pub(super) trait Facts {
    /// `None` if there is no such room.
    fn room(&mut self, room: RoomId) -> Stored<Option<RoomFacts>>;
    fn place(&mut self, room: RoomId, user: UserId) -> Stored<Place>;
    /// Whether there is such a person, whose account was not deleted.
    fn exists(&mut self, user: UserId) -> Stored<bool>;
    /// In how many rooms a person is.
    fn rooms_of(&mut self, user: UserId) -> Stored<usize>;
    /// The message of that seq; `None` if there is none or it is another kind of entry.
    fn target(&mut self, room: RoomId, seq: Seq) -> Stored<Option<Target>>;
    /// The entry by which the person's reaction is on the message, if it is.
    fn reaction(&mut self, room: RoomId, target: Seq, emoji: &Emoji, user: UserId) -> Stored<Option<Seq>>;
    /// How many different emoji are on the message, and whether this one is.
    fn emoji(&mut self, room: RoomId, target: Seq, emoji: &Emoji) -> Stored<(usize, bool)>;
    /// The last entry by which the person took that reaction back.
    fn unreacted(&mut self, room: RoomId, target: Seq, emoji: &Emoji, user: UserId) -> Stored<Option<Seq>>;
    /// The last entry that unpinned the message.
    fn unpinned(&mut self, room: RoomId, target: Seq) -> Stored<Option<Seq>>;
    /// How many messages of the room are pinned.
    fn pins(&mut self, room: RoomId) -> Stored<usize>;
    /// The highest role among the members but `user`; `None` if there are no others.
    fn highest_other(&mut self, room: RoomId, user: UserId) -> Stored<Option<Role>>;
    /// Whether another room has this name.
    fn name_taken(&mut self, name: &RoomName, room: RoomId) -> Stored<bool>;
}

/// Judges an entry for a room that exists.
pub(super) fn judge(facts: &mut impl Facts, new: &NewEntry) -> Stored<Verdict> {
    if matches!(new.what, EntryKind::Joined) {
        return joined(facts, new.room, new.author);
    }
    let Standing::Member(role) = facts.place(new.room, new.author)?.standing else {
        return Ok(Refuse(Refused::NotMember));
    };
    let opens =
        matches!(new.what, EntryKind::Archived { archived: false } | EntryKind::Left | EntryKind::Removed { .. });
    if facts.room(new.room)?.is_some_and(|room| room.archived) && !opens {
        return Ok(Refuse(Refused::Archived));
    }
    match &new.what {
        EntryKind::Message(content) => message(facts, new, content),
        EntryKind::Edited { target, .. } => Ok(match live_target(facts, new, *target)? {
            Some(message) if message.author == new.author => Append,
            Some(_) => Refuse(Refused::NotAuthor),
            None => Refuse(Refused::NoTarget),
        }),
        EntryKind::Deleted { target } => Ok(match seen_target(facts, new, *target)? {
            Some(Target { deleted: Some(by), .. }) => Holds(by),
            Some(_) => Append,
            None => Refuse(Refused::NoTarget),
        }),
        EntryKind::Reacted { target, emoji } => reacted(facts, new, *target, emoji),
        EntryKind::Unreacted { target, emoji } => unreacted(facts, new, *target, emoji),
        EntryKind::Pinned { target } => Ok(match live_target(facts, new, *target)? {
            Some(Target { pinned: Some(by), .. }) => Holds(by),
            Some(_) if facts.pins(new.room)? >= limits::PINS_PER_ROOM => Refuse(Refused::TooManyPins),
            Some(_) => Append,
            None => Refuse(Refused::NoTarget),
        }),
        EntryKind::Unpinned { target } => match live_target(facts, new, *target)? {
            None => Ok(Refuse(Refused::NoTarget)),
            Some(Target { pinned: Some(_), .. }) => Ok(Append),
            Some(_) => Ok(facts.unpinned(new.room, *target)?.map_or(Append, Holds)),
        },
        EntryKind::Left => going(facts, new.room, new.author, role),
        EntryKind::Removed { user, .. } => match facts.place(new.room, *user)?.standing {
            Standing::Member(role) => going(facts, new.room, *user, role),
            _ => Ok(Refuse(Refused::NotMember)),
        },
        EntryKind::Unbanned { user } => Ok(match facts.place(new.room, *user)?.standing {
            Standing::Banned => Append,
            _ => Refuse(Refused::NotMember),
        }),
        EntryKind::Role { user, role } => match facts.place(new.room, *user)?.standing {
            Standing::Member(was) if *role < was => going(facts, new.room, *user, was),
            Standing::Member(_) => Ok(Append),
            _ => Ok(Refuse(Refused::NotMember)),
        },
        EntryKind::Renamed { name } => {
            Ok(if facts.name_taken(name, new.room)? { Refuse(Refused::NameTaken) } else { Append })
        }
        _ => Ok(Append),
    }
}

fn joined(facts: &mut impl Facts, room: RoomId, user: UserId) -> Stored<Verdict> {
    let place = facts.place(room, user)?;
    match (place.standing, place.joined) {
        (Standing::Banned, _) => return Ok(Refuse(Refused::Banned)),
        (Standing::Member(_), Some(joined)) => return Ok(Holds(joined)),
        (Standing::Member(_), None) | (Standing::Stranger | Standing::Former, _) => {}
    }
    if !facts.exists(user)? {
        return Ok(Refuse(Refused::NotMember));
    }
    let Some(found) = facts.room(room)? else { return Ok(Refuse(Refused::NoRoom)) };
    if found.archived {
        return Ok(Refuse(Refused::Archived));
    }
    // A direct conversation has its two people from the start.
    if found.direct || found.members >= limits::MEMBERS_PER_ROOM {
        return Ok(Refuse(Refused::Full));
    }
    Ok(if facts.rooms_of(user)? >= limits::ROOMS_PER_USER { Refuse(Refused::Full) } else { Append })
}

fn message(facts: &mut impl Facts, new: &NewEntry, content: &MessageContent) -> Stored<Verdict> {
    if let Some(reply_to) = content.reply_to
        && seen_target(facts, new, reply_to)?.is_none()
    {
        return Ok(Refuse(Refused::NoReference));
    }
    if let Some(to) = content.to
        && !matches!(facts.place(new.room, to)?.standing, Standing::Member(_))
    {
        return Ok(Refuse(Refused::NoReference));
    }
    Ok(Append)
}

fn reacted(facts: &mut impl Facts, new: &NewEntry, target: Seq, emoji: &Emoji) -> Stored<Verdict> {
    if live_target(facts, new, target)?.is_none() {
        return Ok(Refuse(Refused::NoTarget));
    }
    if let Some(there) = facts.reaction(new.room, target, emoji, new.author)? {
        return Ok(Holds(there));
    }
    let (different, known) = facts.emoji(new.room, target, emoji)?;
    let full = !known && different >= limits::REACTIONS_PER_MESSAGE;
    Ok(if full { Refuse(Refused::TooManyReactions) } else { Append })
}

fn unreacted(facts: &mut impl Facts, new: &NewEntry, target: Seq, emoji: &Emoji) -> Stored<Verdict> {
    if live_target(facts, new, target)?.is_none() {
        return Ok(Refuse(Refused::NoTarget));
    }
    if facts.reaction(new.room, target, emoji, new.author)?.is_some() {
        return Ok(Append);
    }
    let earlier = facts.unreacted(new.room, target, emoji, new.author)?;
    Ok(earlier.map_or(Refuse(Refused::NoReaction), Holds))
}

/// Whether somebody may go, or become less than an owner: others must not be left without one.
fn going(facts: &mut impl Facts, room: RoomId, user: UserId, role: Role) -> Stored<Verdict> {
    if role != Role::Owner {
        return Ok(Append);
    }
    let leaderless = facts.highest_other(room, user)?.is_some_and(|role| role < Role::Owner);
    Ok(if leaderless { Refuse(Refused::LastOwner) } else { Append })
}

/// The message of that seq, if the entry's author may see it.
fn seen_target(facts: &mut impl Facts, new: &NewEntry, seq: Seq) -> Stored<Option<Target>> {
    let seen = |it: &Target| it.author == new.author || it.to.is_none_or(|to| to == new.author);
    Ok(facts.target(new.room, seq)?.filter(seen))
}

fn live_target(facts: &mut impl Facts, new: &NewEntry, seq: Seq) -> Stored<Option<Target>> {
    Ok(seen_target(facts, new, seq)?.filter(|message| message.deleted.is_none()))
}
