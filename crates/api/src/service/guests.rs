//! Guests: people who come by a room's code with nothing but a name. They see the rooms whose code they have and nothing
//! else, until they keep their account.

use super::events::Note;
use super::rooms::{RoomError, Rooms};
use super::sessions::{Opened, SessionError, Sessions};
use super::{Origin, Parts, rate};
use crate::clock::random;
use crate::store::{CreatedUser, NewUser, StoreError};
use natter_shared::account::{GuestForm, User};
use natter_shared::event::EventKind;
use natter_shared::id::UserId;
use natter_shared::text::{DisplayName, Username};
use std::sync::Arc;

/// How often a random username may turn out to be taken before that is a defect.
const ATTEMPTS: usize = 5;
/// What usernames of guests are made of: no letter that is read for another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    /// The code, the name, or the room behind the code.
    #[error(transparent)]
    Room(#[from] RoomError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub struct Guests {
    parts: Parts,
    sessions: Sessions,
    rooms: Arc<Rooms>,
}

impl Guests {
    pub fn new(parts: &Parts, sessions: &Sessions, rooms: &Arc<Rooms>) -> Self {
        Self { parts: parts.clone(), sessions: sessions.clone(), rooms: Arc::clone(rooms) }
    }

    /// Lets somebody into the room of a code under a name. Nobody is made for a wrong code.
    pub async fn enter(&self, form: &GuestForm, origin: &Origin) -> Result<Opened, GuestError> {
        let (display_name, code) = form.parse().map_err(RoomError::Invalid)?;
        self.parts.take_for_ip("guests", origin.ip, rate::GUESTS).await.map_err(RoomError::TooOften)?;
        if !self.rooms.takes_guests(&code).await? {
            self.parts.events.note(Note::of(EventKind::Denied).from(origin).saying("a join code of a guest"));
            return Err(RoomError::Unknown.into());
        }
        let user = self.create(display_name).await?;
        self.parts.events.note(Note::of(EventKind::Guest).by(user.id).from(origin));
        let opened = self.sessions.open(user, origin).await?;
        let caller = self.sessions.authenticate(&opened.session.access_token).await?;
        match self.rooms.come_by_code(&caller, &code, origin).await {
            Ok(_) => Ok(opened),
            Err(error) => {
                // Without a room there is nothing for a guest to see.
                self.sessions.revoke(&caller, caller.session).await?;
                Err(error.into())
            }
        }
    }

    async fn create(&self, display_name: DisplayName) -> Result<User, GuestError> {
        for _ in 0..ATTEMPTS {
            let user = NewUser {
                id: UserId::from_random_bytes(random(&*self.parts.entropy)),
                username: username("guest", random(&*self.parts.entropy))?,
                display_name: display_name.clone(),
                email: None,
                gender: None,
                password_hash: None,
                guest: true,
                integration: None,
                created_at: self.parts.clock.now(),
            };
            match self.parts.store.create_user(user).await? {
                CreatedUser::Created(user) => return Ok(user),
                CreatedUser::UsernameTaken => {}
            }
        }
        Err(StoreError::Broken(format!("{ATTEMPTS} random usernames were all taken")).into())
    }
}

/// A username for who has not chosen one: what they are, and eight letters.
pub(super) fn username(what: &str, bytes: [u8; 8]) -> Result<Username, StoreError> {
    let name: String = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    Username::parse(&format!("{what}-{name}")).map_err(|why| StoreError::Broken(why.to_string()))
}
