//! The plain maps of one worker: connections, and who of them hears which room, person and login. Synchronous, and free of
//! rules: membership is what notices say.

use super::link::Link;
use super::outbox::End;
use super::outgoing::{Batch, Outgoing};
use super::pulse::Due;
use super::shard::Missed;
use crate::service::Caller;
use natter_shared::entry::EntryKind;
use natter_shared::error::ErrorCode;
use natter_shared::frame::{CloseCode, Cursors, ServerFrame};
use natter_shared::id::{RoomId, Seq, SessionId, UserId};
use natter_shared::timestamp::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::time::Instant;

/// A connection's place in the table.
pub type Key = u32;

/// A connection hears the heads of its rooms once in so many ticks; which one, its key decides.
pub const TICKS_A_ROUND: u64 = 20;

#[derive(Default)]
pub struct Tables {
    connections: Vec<Option<Connection>>,
    free: Vec<Key>,
    rooms: HashMap<RoomId, Slot>,
    users: HashMap<UserId, Vec<Key>>,
    sessions: HashMap<SessionId, Vec<Key>>,
    /// Connections that have signed in and are not subscribed yet.
    entering: usize,
    /// The last seq delivered in each room that changed while somebody was entering.
    recent: HashMap<RoomId, Seq>,
    ticks: u64,
    /// Whoever enters now is told to go.
    closed: Option<CloseCode>,
}

struct Connection {
    user: UserId,
    session: SessionId,
    link: Arc<Link>,
    rooms: Vec<RoomId>,
    /// What became of memberships while this connection was entering, and with which entry; `None` once it is subscribed.
    changes: Option<HashMap<RoomId, (Seq, Change)>>,
    /// Rooms of which this connection was told more than may have been delivered here: up to which seq.
    ahead: HashMap<RoomId, Seq>,
}

#[derive(Clone, Copy)]
enum Change {
    /// Became a member; the last seq before.
    Joined(Seq),
    Left,
}

/// A room that somebody here hears.
struct Slot {
    /// The last seq that was delivered.
    head: Seq,
    /// The tick of the last delivery.
    changed: u64,
    members: Vec<Key>,
}

impl Tables {
    pub fn len(&self) -> usize {
        self.connections.len() - self.free.len()
    }

    pub fn sessions(&self) -> impl Iterator<Item = SessionId> {
        self.sessions.keys().copied()
    }

    pub fn heads(&self) -> Vec<(RoomId, Seq)> {
        self.rooms.iter().map(|(room, slot)| (*room, slot.head)).collect()
    }

    pub fn enter(&mut self, caller: &Caller, link: Arc<Link>) -> Key {
        if let Some(code) = self.closed {
            link.wind_down(code);
        }
        let connection = Connection {
            user: caller.user,
            session: caller.session,
            link,
            rooms: Vec::new(),
            changes: Some(HashMap::new()),
            ahead: HashMap::new(),
        };
        let key = if let Some(key) = self.free.pop() {
            self.connections[key as usize] = Some(connection);
            key
        } else {
            self.connections.push(Some(connection));
            Key::try_from(self.connections.len() - 1).unwrap_or(Key::MAX)
        };
        self.users.entry(caller.user).or_default().push(key);
        self.sessions.entry(caller.session).or_default().push(key);
        self.entering += 1;
        key
    }

    pub fn leave(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key as usize).and_then(Option::take) else { return };
        self.free.push(key);
        remove(&mut self.users, &connection.user, key);
        remove(&mut self.sessions, &connection.session, key);
        for room in &connection.rooms {
            self.unhear(*room, key);
        }
        if connection.changes.is_some() {
            self.entered();
        }
    }

    fn entered(&mut self) {
        self.entering -= 1;
        if self.entering == 0 {
            self.recent = HashMap::new();
        }
    }

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
    }

    /// All connections of a person, who became a member with the entry `at`, hear a room from the entry after `before` on.
    fn join(&mut self, user: UserId, room: RoomId, before: Seq, at: Seq, head: Seq) {
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
    fn part(&mut self, user: UserId, room: RoomId, seq: Seq) {
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

    fn unhear(&mut self, room: RoomId, key: Key) {
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

    pub fn tell_rooms(&mut self, rooms: &[RoomId], except: Option<UserId>, frame: &Outgoing) {
        let slots = || rooms.iter().filter_map(|room| self.rooms.get(room));
        let push = |key: Key| {
            if let Some(connection) = self.connections.get(key as usize).and_then(Option::as_ref)
                && Some(connection.user) != except
            {
                connection.link.outbox.push(frame);
            }
        };
        if rooms.len() == 1 {
            slots().flat_map(|slot| &slot.members).for_each(|key| push(*key));
        } else {
            let keys: HashSet<Key> = slots().flat_map(|slot| slot.members.iter().copied()).collect();
            keys.into_iter().for_each(push);
        }
    }

    pub fn tell_users(&mut self, users: &[UserId], frame: &Outgoing) {
        for key in users.iter().filter_map(|user| self.users.get(user)).flatten() {
            if let Some(connection) = self.connections.get(*key as usize).and_then(Option::as_ref) {
                connection.link.outbox.push(frame);
            }
        }
    }

    pub fn tell_everyone(&mut self, frame: &Outgoing) {
        for connection in self.connections.iter().flatten() {
            connection.link.outbox.push(frame);
        }
    }

    pub fn end_sessions(&mut self, sessions: &[SessionId]) {
        for key in sessions.iter().filter_map(|session| self.sessions.get(session)).flatten() {
            if let Some(connection) = self.connections.get(*key as usize).and_then(Option::as_ref) {
                connection.link.outbox.end(End::SignedOut);
            }
        }
    }

    /// The server stops: all connections finish what is under way, also those that are still to come.
    pub fn wind_down(&mut self) {
        self.closed = Some(CloseCode::Restart);
        for connection in self.connections.iter().flatten() {
            connection.link.wind_down(CloseCode::Restart);
        }
    }

    /// Something could not be delivered: all connections resume.
    pub fn close_all(&mut self, code: CloseCode) {
        for connection in self.connections.iter().flatten() {
            connection.link.outbox.end(End::Close(code));
        }
    }

    /// One of a person's connections that may give up its place to a new one: the one that has been silent longest, if it
    /// has missed a ping.
    pub fn longest_silent(&self, user: UserId, now: Instant, longer_than: std::time::Duration) -> Option<Arc<Link>> {
        let keys = self.users.get(&user)?;
        let links = keys.iter().filter_map(|key| self.connections.get(*key as usize)?.as_ref()).map(|c| &c.link);
        let longest = links.max_by_key(|link| link.pulse.silent_for(now))?;
        (longest.pulse.silent_for(now) > longer_than).then(|| Arc::clone(longest))
    }

    /// Every half second: pings, ends what is silent, blocked or expired, and says the heads of rooms that changed.
    pub fn tick(&mut self, now: Instant, clock: Timestamp) {
        self.ticks += 1;
        let mut empty = None;
        for (key, connection) in self.connections.iter().enumerate() {
            let Some(connection) = connection else { continue };
            let outbox = &connection.link.outbox;
            outbox.end_if_blocked(now);
            match connection.link.pulse.due(now, clock) {
                Due::Nothing => {}
                Due::Beat => outbox.push(&Outgoing::ping()),
                Due::Warning => outbox.push(&warning()),
                Due::SignIn => outbox.end(End::Close(CloseCode::SignIn)),
                Due::Silent => outbox.end(End::Gone(None)),
            }
            if connection.changes.is_some() || !(self.ticks + key as u64).is_multiple_of(TICKS_A_ROUND) {
                continue;
            }
            let since = self.ticks.saturating_sub(TICKS_A_ROUND);
            let rooms = connection.rooms.iter().filter_map(|room| Some((*room, self.rooms.get(room)?)));
            let heads: Cursors =
                rooms.filter(|(_, slot)| slot.changed >= since).map(|(room, slot)| (room, slot.head)).collect();
            if heads.is_empty() {
                outbox.push(empty.get_or_insert_with(|| Outgoing::new(&ServerFrame::Heads { heads })));
            } else {
                outbox.push(&Outgoing::new(&ServerFrame::Heads { heads }));
            }
        }
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

/// Keeps the newest change: what is delivered again may be older.
fn note(changes: &mut HashMap<RoomId, (Seq, Change)>, room: RoomId, at: Seq, change: Change) {
    if changes.get(&room).is_none_or(|(known, _)| *known <= at) {
        changes.insert(room, (at, change));
    }
}

fn warning() -> Outgoing {
    Outgoing::new(&ServerFrame::Error {
        code: ErrorCode::NotSignedIn,
        message: "The access token ends soon: send a fresh one".to_owned(),
        client_id: None,
        retry: false,
        retry_after_ms: None,
    })
}

fn remove<K: std::hash::Hash + Eq>(map: &mut HashMap<K, Vec<Key>>, of: &K, key: Key) {
    if let Some(keys) = map.get_mut(of) {
        keys.retain(|known| *known != key);
        if keys.is_empty() {
            map.remove(of);
        }
    }
}

#[cfg(test)]
impl Tables {
    /// What must hold after every step.
    pub fn check_invariants(&self) {
        let alive = |key: Key| self.connections[key as usize].as_ref().expect("an indexed connection is there");
        for (room, slot) in &self.rooms {
            assert!(!slot.members.is_empty(), "a room that nobody hears is forgotten");
            let members: HashSet<_> = slot.members.iter().collect();
            assert_eq!(members.len(), slot.members.len(), "nobody hears a room twice");
            slot.members.iter().for_each(|key| assert!(alive(*key).rooms.contains(room)));
        }
        for (user, keys) in &self.users {
            for key in keys {
                assert_eq!(alive(*key).user, *user);
            }
        }
        for (session, keys) in &self.sessions {
            for key in keys {
                assert_eq!(alive(*key).session, *session);
            }
        }
        let mut entering = 0;
        for (key, connection) in self.connections.iter().enumerate() {
            let Some(connection) = connection else { continue };
            let key = Key::try_from(key).unwrap();
            entering += usize::from(connection.changes.is_some());
            assert!(self.users[&connection.user].contains(&key) && self.sessions[&connection.session].contains(&key));
            connection.rooms.iter().for_each(|room| assert!(self.rooms[room].members.contains(&key)));
        }
        assert_eq!(entering, self.entering);
        assert!(self.entering > 0 || self.recent.is_empty());
    }
}
