//! Who is online, and who types. Nothing of it is stored: the bus holds a lease for each connection, and a change is told
//! to the people who share a room with whoever came or went.

use super::{Caller, Parts, access, rate};
use crate::bus::{Notice, TooOften};
use crate::store::{Standing, StoreError};
use natter_shared::frame::ServerFrame;
use natter_shared::id::{ConnectionId, RoomId, UserId};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(test)]
mod tests;

/// Whose last connection ends is announced as offline after this time, so that a reload is not a change.
const GRACE: Duration = Duration::from_secs(5);

/// Why a notice of typing was refused, or presence could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PresenceError {
    /// No such room, or not for this person.
    #[error("no such room")]
    Unknown,
    #[error("too often")]
    TooOften(TooOften),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Clones share one state.
#[derive(Clone)]
pub struct Presence(Arc<Inner>);

struct Inner {
    parts: Parts,
    /// People whose last connection of this node ended within the grace time, and which of their departures it was.
    leaving: Mutex<Leaving>,
}

#[derive(Default)]
struct Leaving {
    people: HashMap<UserId, u64>,
    departures: u64,
}

impl Presence {
    pub fn new(parts: &Parts) -> Self {
        Self(Arc::new(Inner { parts: parts.clone(), leaving: Mutex::default() }))
    }

    /// A connection is signed in. `true` if its person came online by that, which is then to be told with
    /// [`Presence::tell_online`].
    #[must_use]
    pub async fn connected(&self, caller: &Caller, connection: ConnectionId) -> bool {
        let user = caller.user;
        let was_offline = self.0.parts.bus.came(user, connection).await;
        // Whoever is back within the grace time was never announced as gone.
        let was_leaving = self.0.leaving().people.remove(&user).is_some();
        was_offline && !was_leaving
    }

    /// Tells the people in the rooms of somebody who came online of it. Who signs in has read their rooms for the welcome;
    /// they are not read again for this.
    pub fn tell_online(&self, user: UserId, rooms: Vec<RoomId>) {
        self.0.tell(user, true, rooms);
    }

    /// A connection has ended, for whatever reason but a logout.
    pub async fn disconnected(&self, user: UserId, connection: ConnectionId) {
        if !self.0.parts.bus.went(user, connection).await {
            return;
        }
        let departure = {
            let mut leaving = self.0.leaving();
            leaving.departures += 1;
            let departure = leaving.departures;
            leaving.people.insert(user, departure);
            departure
        };
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            tokio::time::sleep(GRACE).await;
            let is_gone = {
                let mut leaving = inner.leaving();
                let same = leaving.people.get(&user) == Some(&departure);
                same && leaving.people.remove(&user).is_some()
            };
            if is_gone {
                inner.announce_offline(user).await;
            }
        });
    }

    /// A connection has ended because its login did: no grace.
    pub async fn signed_out(&self, user: UserId, connection: ConnectionId) {
        let is_offline = self.0.parts.bus.went(user, connection).await;
        if is_offline {
            self.0.leaving().people.remove(&user);
            self.0.announce_offline(user).await;
        }
    }

    /// A frame, other than a message, from one of the caller's connections: what counts is the person, not the connection.
    pub async fn frame(&self, caller: &Caller) -> Result<(), TooOften> {
        self.0.parts.take_for_user("frames", caller.user, rate::FRAMES).await
    }

    /// These people were online through another node that is gone. Whoever is back is not announced.
    pub async fn departed(&self, people: &[UserId]) {
        let gone = self.0.offline_among(people).await;
        for user in &gone {
            self.0.announce(*user, false).await;
        }
        // As for one: the last word must be true.
        self.returned(&gone).await;
    }

    /// Of these people it may have been said that they are offline. Whoever is not is announced.
    pub async fn returned(&self, people: &[UserId]) {
        for user in self.0.parts.bus.online(people).await {
            self.0.announce(user, true).await;
        }
    }

    /// The caller types in a room: told to the other members, at most once a second.
    pub async fn typing(&self, caller: &Caller, room: RoomId) -> Result<(), PresenceError> {
        let user = caller.user;
        self.0.parts.take_for_user("typing", user, rate::TYPING).await.map_err(PresenceError::TooOften)?;
        let Standing::Member(_) = self.0.parts.store.standing(room, user).await? else {
            access::log(&self.0.parts.events, caller, room, "typing");
            return Err(PresenceError::Unknown);
        };
        let frame = ServerFrame::Typing { room, user };
        self.0.parts.bus.publish(Notice::Room { room, except: Some(user), frame });
        Ok(())
    }

    /// The people online among the caller and those who share a room with them. Who signs in has read them for the welcome.
    pub async fn online_among(&self, caller: &Caller, mut others: Vec<UserId>) -> Vec<UserId> {
        others.push(caller.user);
        self.0.parts.bus.online(&others).await
    }
}

impl Inner {
    fn leaving(&self) -> MutexGuard<'_, Leaving> {
        self.leaving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn announce_offline(&self, user: UserId) {
        if self.is_online(user).await {
            return;
        }
        self.announce(user, false).await;
        // Whoever came back while that was said may have been announced before it; the last word must be true.
        if self.is_online(user).await {
            self.announce(user, true).await;
        }
    }

    async fn offline_among(&self, people: &[UserId]) -> Vec<UserId> {
        let online: HashSet<UserId> = self.parts.bus.online(people).await.into_iter().collect();
        people.iter().copied().filter(|user| !online.contains(user)).collect()
    }

    async fn is_online(&self, user: UserId) -> bool {
        !self.parts.bus.online(&[user]).await.is_empty()
    }

    async fn announce(&self, user: UserId, online: bool) {
        match self.parts.store.rooms_of(user).await {
            Ok(rooms) => self.tell(user, online, rooms),
            Err(error) => tracing::warn!(%error, %user, online, "a change of presence was not announced"),
        }
    }

    fn tell(&self, user: UserId, online: bool, rooms: Vec<RoomId>) {
        if !rooms.is_empty() {
            let frame = ServerFrame::Presence { user, online };
            self.parts.bus.publish(Notice::Rooms { rooms, except: Some(user), frame });
        }
    }
}
