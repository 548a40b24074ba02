//! Conversations of two: made on first use, the same for both, never left.

use super::{RoomError, Rooms, field, view};
use crate::bus::Notice;
use crate::clock::random;
use crate::service::{Caller, access, rate};
use crate::store::{RoomRecord, Standing};
use natter_shared::frame::ServerFrame;
use natter_shared::id::{RoomId, UserId};
use natter_shared::room::{Role, Room};
use natter_shared::text::Username;

impl Rooms {
    /// The conversation with the person of that name. A name that nobody can have is just unknown.
    pub async fn direct(&self, caller: &Caller, username: &str) -> Result<Room, RoomError> {
        access::has_account(caller)?;
        self.allow("rooms", caller, rate::ROOMS).await?;
        let username = Username::parse(username).map_err(|_| RoomError::Unknown)?;
        let peer =
            self.parts.store.user_by_name(&username).await?.filter(|peer| !peer.disabled).ok_or(RoomError::Unknown)?;
        if peer.user.id == caller.user {
            return Err(field("username", "A conversation needs somebody else"));
        }
        if peer.user.guest {
            return Err(RoomError::Forbidden("Guests have no conversations of their own. Whisper to them in the room"));
        }
        if peer.user.bot {
            return Err(RoomError::Forbidden("A bot has no conversations of its own"));
        }
        let (record, made) = match self.place_for(caller.user, Some(peer.user.id)).await {
            Ok(_place) => {
                let id = RoomId::from_random_bytes(random(&*self.parts.entropy));
                self.parts.store.direct(caller.user, peer.user.id, id, self.parts.clock.now()).await?
            }
            // What is there already needs no place.
            Err(full @ RoomError::LimitReached(_)) => {
                (self.conversation(caller, peer.user.id).await?.ok_or(full)?, false)
            }
            Err(error) => return Err(error),
        };
        let role = match self.parts.store.standing(record.id, caller.user).await? {
            Standing::Member(role) => role,
            Standing::Stranger | Standing::Former | Standing::Banned => Role::Member,
        };
        let room = view::room(&record, Some(role), Some(peer.user.clone()));
        if made {
            let users = vec![caller.user, peer.user.id];
            self.parts.bus.publish(Notice::Subscribe { room: record.id, users });
            let frame = ServerFrame::Room { room: room.clone() };
            self.parts.bus.publish(Notice::Users { users: vec![caller.user], frame });
            let theirs = self.view(&record, peer.user.id, Some(role)).await?;
            let frame = ServerFrame::Room { room: theirs };
            self.parts.bus.publish(Notice::Users { users: vec![peer.user.id], frame });
        }
        Ok(room)
    }

    /// The conversation of the caller with somebody, if there is one.
    async fn conversation(&self, caller: &Caller, peer: UserId) -> Result<Option<RoomRecord>, RoomError> {
        let mut rooms = self.parts.store.overviews(caller.user).await?.into_iter().map(|overview| overview.room);
        let is_theirs = |room: &RoomRecord| room.peers.is_some_and(|(a, b)| a == peer || b == peer);
        Ok(rooms.find(is_theirs))
    }
}
