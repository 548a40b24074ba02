//! Who and what belongs where: people who come, go and are online, rooms that one gets into and loses.

use super::timeline::Timeline;
use super::{ChatState, Effect, Load, ToastKind};
use natter_shared::entry::{Entry, EntryKind};
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::room::{Room, RoomKind, RoomOverview};

impl ChatState {
    /// Names, members, and who has stopped typing.
    pub(super) fn people_from(&mut self, entry: &Entry, me: UserId) {
        self.changes.people |= self.people.learn_author(&entry.author);
        self.changes.typing |= self.typing.stop(entry.room, entry.author.id);
        let Some(members) = self.members.get_mut(&entry.room) else { return };
        let user = entry.author.id;
        match &entry.what {
            EntryKind::Joined => {
                let online = user == me || self.presence.is_online(user);
                if let Some(person) = self.people.get(user) {
                    members.joined(person.clone(), online, entry.seq);
                }
            }
            EntryKind::Left => members.left(user),
            EntryKind::Removed { user, .. } => members.left(*user),
            EntryKind::Role { user, role } => members.role(*user, *role),
            EntryKind::Message(_) => {
                // Nobody writes without having the log up to there, but what they have read is theirs to say.
                return;
            }
            _ => return,
        }
        self.changes.members.insert(entry.room);
    }

    pub(super) fn tell(&mut self, entry: &Entry, me: UserId, now: i64) {
        let room = entry.room;
        if !self.rooms.get(room).is_some_and(|it| it.room.kind == RoomKind::Room) {
            return;
        }
        self.people.learn_author(&entry.author);
        let toast = match &entry.what {
            EntryKind::Joined if entry.author.id != me => {
                self.people.get(entry.author.id).map(|user| ToastKind::Joined { user: user.clone(), room })
            }
            EntryKind::Left if entry.author.id != me => {
                self.people.get(entry.author.id).map(|user| ToastKind::Left { user: user.clone(), room })
            }
            EntryKind::Removed { user, .. } if *user != me => {
                self.people.get(*user).map(|user| ToastKind::Left { user: user.clone(), room })
            }
            _ => None,
        };
        if let Some(toast) = toast {
            self.toasts.push(toast, now);
            self.changes.toasts = true;
        }
    }

    pub(super) fn presence(&mut self, user: UserId, online: bool, me: UserId, now: i64) {
        if !self.presence.set(user, online) {
            return;
        }
        self.changes.presence = true;
        for (room, members) in self.members.iter_mut() {
            if members.online(user, online) {
                self.changes.members.insert(*room);
            }
        }
        if let Some(person) = self.people.get(user).filter(|_| user != me) {
            let user = person.clone();
            let toast = if online { ToastKind::CameOnline { user } } else { ToastKind::WentOffline { user } };
            self.toasts.push(toast, now);
            self.changes.toasts = true;
        }
    }

    pub(super) fn room_changed(&mut self, room: Room) -> Vec<Effect> {
        if let Some(peer) = &room.peer {
            self.changes.people |= self.people.learn(peer);
        }
        self.changes.rooms = true;
        if self.rooms.room(room) { vec![Effect::LoadRooms] } else { Vec::new() }
    }

    pub(super) fn room_gone(&mut self, room: RoomId, now: i64) -> Vec<Effect> {
        let leaving = self.leaving.remove(&room);
        let Some(it) = self.forget_room(room) else { return Vec::new() };
        if !leaving {
            self.toasts.push(ToastKind::RoomGone { name: it.room.name.as_str().to_owned() }, now);
            self.changes.toasts = true;
        }
        Vec::new()
    }

    /// Drops all that is known of a room, but for what is unsent and the draft. Where it is shown, it is not found.
    pub fn forget_room(&mut self, room: RoomId) -> Option<RoomOverview> {
        if let (Some(me), Some(timeline)) = (self.my_id(), self.timelines.get_mut(&room)) {
            *timeline = Timeline::new(me, self.offset_min, None);
            timeline.load = Load::NotFound;
        }
        self.members.remove(&room);
        self.pins.remove(&room);
        self.behind.remove(&room);
        self.catching_up.remove(&room);
        if self.at_end == Some(room) {
            self.at_end = None;
        }
        if self.attended == Some(room) {
            self.attended = None;
        }
        self.changes.rooms = true;
        self.changes.timelines.insert(room);
        self.changes.members.insert(room);
        self.rooms.remove(room)
    }

    pub(super) fn learn_from(&mut self, it: &RoomOverview) {
        if let Some(peer) = &it.room.peer {
            self.changes.people |= self.people.learn(peer);
        }
        if let Some(message) = &it.last_message {
            self.changes.people |= self.people.learn_author(&message.author);
        }
    }

    /// The list of rooms was read.
    pub fn rooms_loaded(&mut self, rooms: Vec<RoomOverview>) -> Vec<Effect> {
        for it in &rooms {
            self.learn_from(it);
            if let Some(timeline) = self.timelines.get_mut(&it.room.id) {
                timeline.hear(it.head);
            }
        }
        let new: Vec<RoomId> = rooms
            .iter()
            .map(|it| it.room.id)
            .filter(|room| self.rooms.loaded() && !self.rooms.contains(*room))
            .collect();
        // Where the list was made before the server heard how far one has read here, it is behind.
        let read: Vec<(RoomId, Seq)> = self.rooms.iter().map(|it| (it.room.id, it.read)).collect();
        for room in self.rooms.merge(rooms) {
            self.uncounted.remove(&room);
        }
        for (room, seq) in read {
            self.read_up_to(room, seq);
        }
        self.changes.rooms = true;
        let mut effects = self.read_gaps();
        effects.extend(self.list_came());
        effects.extend(new.into_iter().filter_map(|room| self.call_of_new(room)));
        // Not asked for again at once: the next heads do, when the server has heard.
        effects.extend(self.count_unread().into_iter().filter(|effect| *effect != Effect::LoadRooms));
        effects
    }
}
