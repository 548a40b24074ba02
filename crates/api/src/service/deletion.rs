//! Deleting an account. All that is known of the person is taken away first, in one step that cannot be half done; what
//! follows from it (logins end, rooms are left, direct conversations are closed) is done at once, and again each minute until
//! nothing is left of it, so that a crash in the middle leaves nothing behind. Messages stay, without a name.

use super::events::Note;
use super::log_writer::{LogWriter, WriteError};
use super::password::{PasswordError, Passwords, Verified};
use super::pictures::Pictures;
use super::sessions::{SessionError, Sessions};
use super::{Caller, Parts, rate, rooms};
use crate::bus::{Notice, TooOften};
use crate::store::{Appended, NewEntry, Refused, RoomRecord, Standing, StoreError};
use natter_shared::account::{AccountDeletion, User};
use natter_shared::entry::EntryKind;
use natter_shared::event::EventKind;
use natter_shared::frame::ServerFrame;
use natter_shared::id::{RoomId, UserId};
use natter_shared::room::{Role, RoomKind};
use natter_shared::text::{Password, RoomName};
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Deletions that one round goes on with.
const A_ROUND: u32 = 100;
/// Rooms that a refusal names.
const NAMED: usize = 10;

#[derive(Debug, thiserror::Error)]
pub enum DeletionError {
    /// The caller is not there any more.
    #[error("the account is gone")]
    Gone,
    #[error("wrong password")]
    WrongPassword,
    /// Others would be left without an owner in these rooms, the first ten by name.
    #[error("the last owner of rooms with other members")]
    LastOwner(Vec<RoomName>),
    #[error("too often")]
    TooOften(TooOften),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error("ending logins: {0}")]
    Sessions(#[from] SessionError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

pub struct Deletions {
    parts: Parts,
    sessions: Sessions,
    passwords: Arc<Passwords>,
    pictures: Pictures,
    log: LogWriter,
}

impl Deletions {
    pub fn new(parts: &Parts, sessions: &Sessions, pictures: &Pictures, log: LogWriter) -> Self {
        let passwords = Arc::clone(&sessions.passwords);
        Self { parts: parts.clone(), sessions: sessions.clone(), passwords, pictures: pictures.clone(), log }
    }

    /// Deletes the caller's account, for good. Whoever has a password must say it, for a browser that was left open is not
    /// its owner.
    pub async fn delete(&self, caller: &Caller, form: AccountDeletion) -> Result<(), DeletionError> {
        let user = caller.user;
        self.parts.take_for_user("password", user, rate::PASSWORD).await.map_err(DeletionError::TooOften)?;
        let record = self.parts.store.user(user).await?.filter(|record| record.deletion.is_none());
        let record = record.ok_or(DeletionError::Gone)?;
        if record.password_hash.is_some() {
            let typed = form.password.as_ref().and_then(|typed| Password::to_compare(typed.expose()));
            let right = match typed {
                Some(typed) => self.passwords.verify(&typed, record.password_hash.as_deref()).await? != Verified::Wrong,
                None => false,
            };
            if !right {
                self.parts.events.note(Note::of(EventKind::AccountDeletionFailed).by(user));
                return Err(DeletionError::WrongPassword);
            }
        }
        let left_alone = self.would_be_left_alone(user).await?;
        if !left_alone.is_empty() {
            return Err(DeletionError::LastOwner(left_alone));
        }
        self.parts.store.erase_person(user).await?.ok_or(DeletionError::Gone)?;
        self.parts.events.note(Note::of(EventKind::AccountDeleted).by(user));
        // From here on nobody can take it back, and the rounds do what fails now.
        if let Err(error) = self.follow_up(user).await {
            tracing::warn!(%error, %user, "a deletion is not complete; it goes on within a minute");
        }
        Ok(())
    }

    /// Goes on with deletions that are under way. Returns how many have come to their end.
    pub async fn resume(&self) -> Result<usize, DeletionError> {
        let mut done = 0;
        for user in self.parts.store.deletions_under_way(A_ROUND).await? {
            // What somebody was about to do when their account went can still have come through; a round that finds nothing
            // any more is the last one.
            if !self.follow_up(user).await? {
                self.parts.store.finish_deletion(user).await?;
                done += 1;
            }
        }
        Ok(done)
    }

    /// The rooms that others would be left in without an owner. What is archived is nobody's work any more.
    async fn would_be_left_alone(&self, user: UserId) -> Result<Vec<RoomName>, DeletionError> {
        let mut names = Vec::new();
        for overview in self.parts.store.overviews(user).await? {
            let room = overview.room;
            if overview.role != Role::Owner || room.kind == RoomKind::Direct || room.archived || room.member_count < 2 {
                continue;
            }
            let members = self.parts.store.members(room.id).await?;
            let mut others = members.iter().filter(|member| member.user.id != user && !member.user.bot).peekable();
            if others.peek().is_some() && !others.any(|member| member.role == Role::Owner) {
                names.push(room.name);
            }
        }
        names.sort_unstable_by_key(RoomName::key);
        names.truncate(NAMED);
        Ok(names)
    }

    /// Ends all logins and leaves everything; `true` if there was something to leave.
    async fn follow_up(&self, user: UserId) -> Result<bool, DeletionError> {
        self.sessions.end_all_but(user, None).await?;
        self.pictures.forget_own(user).await?;
        let mut any = false;
        for room in self.parts.store.rooms_of(user).await? {
            let Some((record, Standing::Member(_))) = self.parts.store.room_for(room, user).await? else { continue };
            any |= match record.kind {
                RoomKind::Direct => self.close(user, record).await?,
                RoomKind::Room => self.go_out(user, &record).await?,
            };
        }
        Ok(any)
    }

    /// Has a direct conversation be read and not written to any more.
    async fn close(&self, user: UserId, record: RoomRecord) -> Result<bool, DeletionError> {
        if record.archived {
            return Ok(false);
        }
        self.write(user, record.id, EntryKind::Archived { archived: true }).await?;
        if let Some((a, b)) = record.peers {
            let other = if a == user { b } else { a };
            let record = RoomRecord { archived: true, ..record };
            self.tell(&record, other, Role::Member, Some(User::erased(user)));
        }
        Ok(true)
    }

    /// Leaves a room. One in which nobody else is, but perhaps bots, is archived; one whose others have no owner gets one of them, which only
    /// happens where they came in after the deletion began, or where it was ordered at the machine.
    async fn go_out(&self, user: UserId, record: &RoomRecord) -> Result<bool, DeletionError> {
        let members = self.parts.store.members(record.id).await?;
        if !record.archived && !members.iter().any(|member| member.user.id != user && !member.user.bot) {
            self.write(user, record.id, EntryKind::Archived { archived: true }).await?;
        }
        let mut outcome = self.write(user, record.id, EntryKind::Left).await?;
        if outcome == Some(Refused::LastOwner) {
            self.hand_over(user, record.id).await?;
            outcome = self.write(user, record.id, EntryKind::Left).await?;
        }
        if outcome.is_none() {
            self.parts.events.note(Note::of(EventKind::RoomLeft).by(user).in_room(record.id));
        }
        Ok(true)
    }

    /// Makes the first of the others, by role and name, owner.
    async fn hand_over(&self, user: UserId, room: RoomId) -> Result<(), DeletionError> {
        let members = self.parts.store.members(room).await?;
        // Where only bots are left the room is archived, and one of them stands for an owner.
        let heirs = members.into_iter().filter(|member| member.user.id != user && !member.user.deleted);
        let heir = heirs.min_by_key(|heir| heir.user.bot);
        let (Some(heir), Some(record)) = (heir, self.parts.store.room(room).await?) else { return Ok(()) };
        let heir = heir.user.id;
        // Roles are given in rooms that are open.
        if record.archived {
            self.write(user, room, EntryKind::Archived { archived: false }).await?;
        }
        self.write(user, room, EntryKind::Role { user: heir, role: Role::Owner }).await?;
        if record.archived {
            self.write(user, room, EntryKind::Archived { archived: true }).await?;
        }
        self.parts.events.note(Note::of(EventKind::RoomRole).by(user).to(heir).in_room(room).saying("owner"));
        self.tell(&record, heir, Role::Owner, None);
        Ok(())
    }

    fn tell(&self, record: &RoomRecord, whom: UserId, role: Role, peer: Option<User>) {
        let frame = ServerFrame::Room { room: rooms::shown(record, Some(role), peer) };
        self.parts.bus.publish(Notice::Users { users: vec![whom], frame });
    }

    /// Appends an entry of the person's and says why it was refused, if it was. Whoever is out already has nothing to do
    /// there.
    async fn write(&self, user: UserId, room: RoomId, what: EntryKind) -> Result<Option<Refused>, DeletionError> {
        let entry = NewEntry { room, author: user, at: self.parts.clock.now(), client_id: None, what };
        match self.log.append(entry).await? {
            Appended::New(_) | Appended::Again(_) => Ok(None),
            Appended::Refused(why @ (Refused::LastOwner | Refused::NotMember | Refused::Archived)) => Ok(Some(why)),
            Appended::Refused(why) => {
                Err(StoreError::Broken(format!("what a deletion does to a room was refused: {why:?}")).into())
            }
        }
    }
}
