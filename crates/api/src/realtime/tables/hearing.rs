//! Who hears which room: from when on a connection that signs in hears its rooms, and how a person's coming and going
//! changes it.

use super::{Key, Slot, Tables};
use crate::realtime::outgoing::Outgoing;
use crate::realtime::shard::Missed;
use natter_shared::frame::ServerFrame;
use natter_shared::id::{RoomId, Seq, UserId};
use std::collections::{HashMap, HashSet};

/// What became of a membership while a connection was entering.
#[derive(Clone, Copy)]
pub(super) enum Change {
    /// Became a member; the last seq before.
    Joined(Seq),
    Left,
}

impl Tables {
    /// Subscribes a connection that has entered to its rooms, each with the seq up to which it was told. What was delivered
    /// here beyond that is returned.
    pub fn subscribe(&mut self, key: Key, told: &[(RoomId, Seq)]) -> Vec<Missed> {
        let Some(connection) = self.connections.get_mut(key as usize).and_then(Option::as_mut) else {
            return Vec::new();
        };
        let Some(changes) = connection.changes.take() else { return Vec::new() };
        let mut rooms: Vec<(RoomId, Seq)> = Vec::with_capacity(told.len());
        let mut gone = Vec::new();
        for &(room, seq) in told {
            match changes.get(&room) {
                // Told of more than that departure: came back since.
                Some((left, Change::Left)) if *left > seq => gone.push(room),
                Some(_) | None => rooms.push((room, seq)),
            }
        }
        let known: HashSet<RoomId> = told.iter().map(|(room, _)| *room).collect();
        rooms.extend(changes.iter().filter_map(|(room, change)| match change {
            (_, Change::Joined(before)) if !known.contains(room) => Some((*room, *before)),
            (_, Change::Joined(_) | Change::Left) => None,
        }));
        for room in gone {
            connection.link.outbox.push(&Outgoing::new(&ServerFrame::RoomGone { room }));
        }
        let mut missed = Vec::new();
        for (room, seq) in rooms {
            // A room that nobody heard so far stands where the newest of both says: what is still in the queue of this
            // worker and lies below is old by now.
            let start = self.recent.get(&room).copied().unwrap_or(seq).max(seq);
            let is_new = !self.rooms.contains_key(&room);
            let slot = self.rooms.entry(room).or_insert(Slot { head: start, changed: self.ticks, members: Vec::new() });
            if seq < slot.head {
                missed.push(Missed { room, after: seq, last: slot.head });
            } else if is_new || seq > slot.head {
                connection.ahead.insert(room, seq);
            }
            slot.members.push(key);
            connection.rooms.push(room);
        }
        self.entered();
        missed
    }

    /// All connections of a person, who became a member with the entry `at`, hear a room from the entry after `before` on.
    pub(super) fn join(&mut self, user: UserId, room: RoomId, before: Seq, at: Seq, head: Seq) {
        for key in self.users.get(&user).cloned().unwrap_or_default() {
            let Some(connection) = self.connections.get_mut(key as usize).and_then(Option::as_mut) else { continue };
            if let Some(changes) = &mut connection.changes {
                note(changes, room, at, Change::Joined(before));
                continue;
            }
            if !connection.rooms.contains(&room) {
                connection.rooms.push(room);
                let new = Slot { head, changed: self.ticks, members: Vec::new() };
                self.rooms.entry(room).or_insert(new).members.push(key);
            }
        }
    }

    /// No connection of a person hears a room any more, and each is told so.
    pub(super) fn part(&mut self, user: UserId, room: RoomId, seq: Seq) {
        let gone = Outgoing::new(&ServerFrame::RoomGone { room });
        for key in self.users.get(&user).cloned().unwrap_or_default() {
            let Some(connection) = self.connections.get_mut(key as usize).and_then(Option::as_mut) else { continue };
            if let Some(changes) = &mut connection.changes {
                note(changes, room, seq, Change::Left);
                continue;
            }
            // Told of more than this departure and a member nevertheless: came back since.
            if connection.ahead.get(&room).is_some_and(|told| *told >= seq) {
                continue;
            }
            if let Some(at) = connection.rooms.iter().position(|known| *known == room) {
                connection.rooms.swap_remove(at);
                connection.ahead.remove(&room);
                connection.link.outbox.push(&gone);
                self.unhear(room, key);
            }
        }
    }

    pub(super) fn unhear(&mut self, room: RoomId, key: Key) {
        if let Some(slot) = self.rooms.get_mut(&room) {
            if let Some(at) = slot.members.iter().position(|member| *member == key) {
                slot.members.swap_remove(at);
            }
            if slot.members.is_empty() {
                self.rooms.remove(&room);
            }
        }
    }

    /// People who became members of a room whose log says nothing about it: they hear it from its beginning.
    pub fn subscribe_users(&mut self, room: RoomId, users: &[UserId]) {
        for user in users {
            self.join(*user, room, Seq::ZERO, Seq::ZERO, Seq::ZERO);
        }
    }
}

/// Keeps the newest change: what is delivered again may be older.
fn note(changes: &mut HashMap<RoomId, (Seq, Change)>, room: RoomId, at: Seq, change: Change) {
    if changes.get(&room).is_none_or(|(known, _)| *known <= at) {
        changes.insert(room, (at, change));
    }
}
