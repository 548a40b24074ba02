//! The limit of rooms that a person is in. The store judges whoever joins; a room or a conversation that is made has nobody
//! to judge it but this.

use super::{RoomError, Rooms};
use natter_shared::id::UserId;
use natter_shared::limits;
use tokio::sync::MutexGuard;

/// So many rooms before the limit people come into rooms one at a time: more than the rates let anybody make at once.
const NEAR: usize = 64;

/// While it is held, nobody else who is near the limit comes into a room by this node.
pub(super) type Place<'a> = Option<MutexGuard<'a, ()>>;

impl Rooms {
    /// A place in one more room for the caller, and for whoever comes in by the same call.
    pub(super) async fn place_for(&self, caller: UserId, other: Option<UserId>) -> Result<Place<'_>, RoomError> {
        if self.most_rooms_of(caller, other).await?.0 + NEAR < limits::ROOMS_PER_USER {
            return Ok(None);
        }
        let place = self.last_places.lock().await;
        match self.most_rooms_of(caller, other).await? {
            (rooms, _) if rooms < limits::ROOMS_PER_USER => Ok(Some(place)),
            (_, true) => Err(RoomError::LimitReached("You are in as many rooms as one person can be")),
            (_, false) => Err(RoomError::LimitReached("They are in as many rooms as one person can be")),
        }
    }

    /// In how many rooms either of the two is, at most, and whether that is the caller.
    async fn most_rooms_of(&self, caller: UserId, other: Option<UserId>) -> Result<(usize, bool), RoomError> {
        let own = self.parts.store.rooms_of(caller).await?.len();
        let theirs = match other {
            Some(other) => self.parts.store.rooms_of(other).await?.len(),
            None => 0,
        };
        Ok((own.max(theirs), own >= theirs))
    }
}
