//! The rooms and direct conversations that one is in, with unread counts and order, and the directory of public rooms.

use super::order::{Order, sorted};
use super::people::gone;
use crate::state::map::Map;
use natter_shared::entry::{Entry, EntryKind, Message};
use natter_shared::id::{RoomId, UserId};
use natter_shared::limits::UNREAD_MAX;
use natter_shared::room::{Notify, Room, RoomKind, RoomOverview, Visibility};
use natter_shared::text::RoomName;

/// What an entry meant for a room's line in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It was the next one.
    Applied,
    /// It was known already.
    Old,
    /// Entries before it are missing.
    Gap,
    /// One is not in that room, as far as known.
    NotIn,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rooms {
    mine: Map<RoomId, RoomOverview>,
    directory: Map<RoomId, Room>,
    loaded: bool,
}

impl Rooms {
    /// Whether the server has said which rooms there are.
    pub fn loaded(&self) -> bool {
        self.loaded
    }

    pub fn get(&self, room: RoomId) -> Option<&RoomOverview> {
        self.mine.get(&room)
    }

    pub(super) fn get_mut(&mut self, room: RoomId) -> Option<&mut RoomOverview> {
        self.mine.get_mut(&room)
    }

    pub fn contains(&self, room: RoomId) -> bool {
        self.mine.contains_key(&room)
    }

    pub fn ids(&self) -> impl Iterator<Item = RoomId> {
        self.mine.keys().copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = &RoomOverview> {
        self.mine.values()
    }

    /// The rooms, by name; archived ones at the end.
    pub fn rooms(&self) -> Vec<&RoomOverview> {
        let rooms = self.mine.values().filter(|it| it.room.kind == RoomKind::Room);
        sorted(rooms, |it| Order::new(it.room.archived.into(), it.room.name.key()).id(*it.room.id.as_bytes()))
    }

    /// The direct conversations, the most recently used first.
    pub fn directs(&self) -> Vec<&RoomOverview> {
        let rooms = self.mine.values().filter(|it| it.room.kind == RoomKind::Direct);
        sorted(rooms, |it| Order::new(-last_active(it), String::new()).id(*it.room.id.as_bytes()))
    }

    /// Public rooms that one is not in, by name.
    pub fn directory(&self) -> Vec<&Room> {
        let rooms = self.directory.values().filter(|room| !self.mine.contains_key(&room.id));
        sorted(rooms, |room| Order::new(0, room.name.key()).id(*room.id.as_bytes()))
    }

    /// All rooms and conversations in the order in which the rail shows them.
    pub fn in_order(&self) -> Vec<&RoomOverview> {
        let mut all = self.rooms();
        all.extend(self.directs());
        all
    }

    /// The room after `here` in the rail, or the one before; round the end. `waiting` passes over those where nothing is new
    /// and those that are muted.
    pub fn beside(&self, here: Option<RoomId>, forward: bool, waiting: bool) -> Option<RoomId> {
        let rooms = self.in_order();
        let at = rooms.iter().position(|it| Some(it.room.id) == here);
        let count = rooms.len();
        let new = |it: &RoomOverview| super::calls(it) > 0 || (it.unread > 0 && it.notify == Notify::Everything);
        // From nowhere, the first one forward is the first and the first one back is the last.
        let first = at.unwrap_or(if forward { count.saturating_sub(1) } else { 0 });
        let place = |step| (if forward { first + step } else { first + count - step }) % count;
        let mut round = (1..=count).map(|step| rooms[place(step)]);
        round.find(|it| Some(it.room.id) != here && (!waiting || new(it))).map(|it| it.room.id)
    }

    /// Takes the server's whole list; what is not in it is gone.
    pub fn replace(&mut self, rooms: Vec<RoomOverview>) {
        let rooms = sorted(rooms, |it| Order::new(0, String::new()).id(*it.room.id.as_bytes()));
        let rooms = rooms.into_iter().map(|it| (it.room.id, RoomOverview { room: named(it.room), ..it }));
        self.mine = rooms.collect();
        self.loaded = true;
    }

    /// Takes a list that was read while entries went on coming: whichever knows more of a room's log wins.
    /// Returns the rooms whose line was taken.
    pub fn merge(&mut self, rooms: Vec<RoomOverview>) -> Vec<RoomId> {
        self.loaded = true;
        let mut taken = Vec::new();
        for it in rooms {
            let behind = self.mine.get(&it.room.id).is_some_and(|known| known.head > it.head);
            if !behind {
                taken.push(it.room.id);
                self.put(it);
            }
        }
        taken
    }

    pub fn put(&mut self, overview: RoomOverview) {
        self.directory.remove(&overview.room.id);
        self.mine.insert(overview.room.id, RoomOverview { room: named(overview.room), ..overview });
    }

    pub fn remove(&mut self, room: RoomId) -> Option<RoomOverview> {
        self.mine.remove(&room)
    }

    /// Adds a page of the directory; `fresh` forgets what was listed before.
    pub fn list(&mut self, rooms: Vec<Room>, fresh: bool) {
        if fresh {
            self.directory.clear();
        }
        self.directory.extend(rooms.into_iter().map(|room| (room.id, room)));
    }

    /// A room changed, or a new one is public. Says whether one should be in it and its line is missing.
    pub fn room(&mut self, room: Room) -> bool {
        let room = named(room);
        if let Some(known) = self.mine.get_mut(&room.id) {
            // A frame that went to many says nothing about each one's role.
            let (role, peer) = (known.room.role, known.room.peer.take());
            known.room = room;
            known.room.role = known.room.role.or(role);
            known.room.peer = known.room.peer.take().or(peer);
            return false;
        }
        if room.role.is_some() {
            return true;
        }
        if room.visibility == Visibility::Public && !room.archived {
            self.directory.insert(room.id, room);
        } else {
            self.directory.remove(&room.id);
        }
        false
    }

    /// Moves a room's line on by one entry.
    pub fn apply(&mut self, entry: &Entry, me: UserId) -> Step {
        let Some(it) = self.mine.get_mut(&entry.room) else { return Step::NotIn };
        if entry.seq <= it.head {
            return Step::Old;
        }
        if entry.seq > it.head.next() {
            return Step::Gap;
        }
        it.head = entry.seq;
        if let Some(message) = &mut it.last_message {
            message.apply(entry);
        }
        match &entry.what {
            EntryKind::Message(content) => {
                if entry.author.id != me && entry.seq > it.read {
                    it.unread = (it.unread + 1).min(UNREAD_MAX);
                    it.mentions = (it.mentions + u32::from(content.mentions(me))).min(UNREAD_MAX);
                }
                it.last_message = Message::from_entry(entry);
            }
            EntryKind::Joined => it.room.member_count = it.room.member_count.saturating_add(1),
            EntryKind::Left | EntryKind::Removed { .. } => {
                it.room.member_count = it.room.member_count.saturating_sub(1);
            }
            EntryKind::Renamed { name } => it.room.name = name.clone(),
            EntryKind::Topic { topic } => it.room.topic = topic.clone(),
            EntryKind::Visibility { visibility } => it.room.visibility = *visibility,
            EntryKind::Archived { archived } => it.room.archived = *archived,
            EntryKind::Role { user, role } if *user == me => it.room.role = Some(*role),
            EntryKind::Role { .. }
            | EntryKind::Unbanned { .. }
            | EntryKind::Edited { .. }
            | EntryKind::Deleted { .. }
            | EntryKind::Reacted { .. }
            | EntryKind::Unreacted { .. }
            | EntryKind::Pinned { .. }
            | EntryKind::Unpinned { .. }
            | EntryKind::Withheld
            | EntryKind::Unknown => {}
        }
        Step::Applied
    }
}

/// A conversation with somebody whose account was deleted is called as this page calls them.
fn named(mut room: Room) -> Room {
    if let Some(peer) = &mut room.peer
        && peer.deleted
    {
        *peer = gone(peer.id);
        room.name = RoomName::from_stored(peer.display_name.to_string());
    }
    room
}

/// A room's last message, or its making: in milliseconds since 1970.
fn last_active(it: &RoomOverview) -> i64 {
    it.last_message.as_ref().map_or(it.room.created_at, |message| message.at).millis()
}
