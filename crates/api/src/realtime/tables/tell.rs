//! What is said to connections beside a room's entries: frames for rooms, people and everyone, the ends of logins and of the
//! server, and what the clock brings.

use super::{Key, TICKS_A_ROUND, Tables};
use crate::realtime::outbox::End;
use crate::realtime::outgoing::Outgoing;
use crate::realtime::pulse::Due;
use natter_shared::error::ErrorCode;
use natter_shared::frame::{CloseCode, Cursors, ServerFrame};
use natter_shared::id::{RoomId, SessionId, UserId};
use natter_shared::timestamp::Timestamp;
use std::collections::HashSet;
use tokio::time::Instant;

impl Tables {
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

    /// Every half second: pings, ends what is silent, blocked or expired, and says the heads of rooms that changed.
    pub fn tick(&mut self, now: Instant, clock: Timestamp) {
        self.ticks += 1;
        let mut empty = None;
        for (key, connection) in self.connections.iter().enumerate() {
            let Some(connection) = connection else { continue };
            let outbox = &connection.link.outbox;
            outbox.end_if_blocked(now);
            let turn = (self.ticks + key as u64).is_multiple_of(TICKS_A_ROUND);
            match connection.link.pulse.due(now, clock, turn) {
                Due::Nothing => {}
                Due::Beat => outbox.push(&Outgoing::ping()),
                Due::Warning => outbox.push(&warning()),
                Due::SignIn => outbox.end(End::Close(CloseCode::SignIn)),
                Due::Silent => outbox.end(End::Gone(None)),
            }
            if connection.changes.is_some() || !turn {
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

fn warning() -> Outgoing {
    Outgoing::new(&ServerFrame::Error {
        code: ErrorCode::NotSignedIn,
        message: "The access token ends soon: send a fresh one".to_owned(),
        client_id: None,
        retry: false,
        retry_after_ms: None,
    })
}
