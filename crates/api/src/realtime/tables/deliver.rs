//! The entries of a room on their way to its members: each hears each seq once, in order, and from its own coming in to its
//! own going out.

use super::Tables;
use crate::realtime::outgoing::Batch;
use natter_shared::entry::EntryKind;
use natter_shared::id::{Seq, UserId};
use std::collections::HashMap;

impl Tables {
    /// Delivers entries in the order of their room. Returns the last seq delivered if they do not follow it: what lies
    /// between is missing, and nothing was done.
    pub fn entries(&mut self, batch: &Batch) -> Option<Seq> {
        let (room, first, last) = (batch.room(), batch.first(), batch.last());
        let mut from = first;
        if let Some(slot) = self.rooms.get_mut(&room) {
            if first > slot.head.next() {
                return Some(slot.head);
            }
            from = slot.head.next().max(first);
            slot.head = last.max(slot.head);
            slot.changed = self.ticks;
        }
        if self.entering > 0 {
            let recent = self.recent.entry(room).or_default();
            *recent = last.max(*recent);
        }
        // Somebody may have been told of these entries before they came here; others of the same person were not.
        let moves = moves(batch);
        for (user, change) in &moves {
            if let Move::In(seq) = change {
                self.join(*user, room, first.back(1), *seq, last);
            }
        }
        if from <= last {
            self.send(batch, from, &moves);
        }
        for (user, change) in &moves {
            if let Move::Out(seq) = change {
                self.part(*user, room, *seq);
            }
        }
        None
    }

    /// The loop that everything else is there for: one push a member.
    fn send(&mut self, batch: &Batch, from: Seq, moves: &HashMap<UserId, Move>) {
        let room = batch.room();
        let Some(slot) = self.rooms.get(&room) else { return };
        let whole = from == batch.first();
        let mut reached = 0;
        for &key in &slot.members {
            let Some(connection) = self.connections.get_mut(key as usize).and_then(Option::as_mut) else { continue };
            let mut from = from;
            let mut to = batch.last();
            if !connection.ahead.is_empty()
                && let Some(&told) = connection.ahead.get(&room)
            {
                if told >= to {
                    continue;
                }
                connection.ahead.remove(&room);
                from = from.max(told.next());
            }
            if !moves.is_empty()
                && let Some(Move::Out(seq)) = moves.get(&connection.user)
            {
                to = *seq;
            }
            reached += 1;
            if whole && from == batch.first() && to == batch.last() {
                for frame in batch.frames_for(connection.user) {
                    connection.link.outbox.push(frame);
                }
            } else {
                for frame in batch.part_for(connection.user, from, to) {
                    connection.link.outbox.push(&frame);
                }
            }
        }
        self.delivered += reached * (batch.last().get() + 1).saturating_sub(from.get());
    }
}

/// What a batch does to somebody's membership in the end, and with which entry.
#[derive(Clone, Copy)]
enum Move {
    In(Seq),
    /// The last entry that they hear.
    Out(Seq),
}

fn moves(batch: &Batch) -> HashMap<UserId, Move> {
    let mut moves = HashMap::new();
    for entry in batch.entries() {
        match &entry.what {
            EntryKind::Joined => moves.insert(entry.author.id, Move::In(entry.seq)),
            EntryKind::Left => moves.insert(entry.author.id, Move::Out(entry.seq)),
            EntryKind::Removed { user, .. } => moves.insert(*user, Move::Out(entry.seq)),
            _ => None,
        };
    }
    moves
}
