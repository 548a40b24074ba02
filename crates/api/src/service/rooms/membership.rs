//! Who is in a room: coming in, going out, roles, removal.

use super::{RoomError, Rooms, field};
use crate::service::access::{self, Denied};
use crate::service::events::Note;
use crate::service::{Caller, Origin, rate};
use crate::store::{MemberRecord, RoomRecord, Standing};
use natter_shared::account::User;
use natter_shared::entry::EntryKind;
use natter_shared::event::EventKind;
use natter_shared::id::{RoomId, UserId};
use natter_shared::integration::Scope;
use natter_shared::room::{CodeForm, Member, Role, Room, RoomKind};
use natter_shared::text::JoinCode;
use std::collections::HashSet;

impl Rooms {
    /// Comes into a public room. Whoever is in it already is answered the same.
    pub async fn join(&self, caller: &Caller, room: RoomId) -> Result<Room, RoomError> {
        self.allow("room_changes", caller, rate::ROOM_CHANGES).await?;
        match self.parts.store.room_for(room, caller.user).await? {
            Some((record, Standing::Member(role))) => self.view(&record, caller.user, Some(role)).await,
            Some((record, Standing::Stranger | Standing::Former)) if access::may_find(caller, &record) => {
                self.come_in(caller, record).await
            }
            found => Err(access::refuse(&self.parts.events, caller, room, found.as_ref(), "join a room").into()),
        }
    }

    /// Comes into the room of a code. A wrong code and a ban look alike.
    pub async fn join_by_code(&self, caller: &Caller, form: &CodeForm, origin: &Origin) -> Result<Room, RoomError> {
        let code = form.parse().map_err(RoomError::Invalid)?;
        self.allow("join_code", caller, rate::JOIN_CODE).await?;
        self.parts.take_for_ip("join_code_ip", origin.ip, rate::JOIN_CODE).await.map_err(RoomError::TooOften)?;
        self.come_by_code(caller, &code, origin).await
    }

    /// Whether a code opens a room that can be written in.
    pub(in crate::service) async fn takes_guests(&self, code: &JoinCode) -> Result<bool, RoomError> {
        Ok(self.parts.store.room_by_code(code).await?.is_some_and(|record| !record.archived))
    }

    /// Comes into the room of a code; whoever calls has counted the attempt.
    pub(in crate::service) async fn come_by_code(
        &self,
        caller: &Caller,
        code: &JoinCode,
        origin: &Origin,
    ) -> Result<Room, RoomError> {
        let Some(record) = self.parts.store.room_by_code(code).await? else {
            let denied = Note::of(EventKind::Denied).by(caller.user).from(origin);
            self.parts.events.note(denied.saying("a join code"));
            return Err(RoomError::Unknown);
        };
        match self.parts.store.standing(record.id, caller.user).await? {
            Standing::Member(role) => self.view(&record, caller.user, Some(role)).await,
            Standing::Stranger | Standing::Former => self.come_in(caller, record).await,
            Standing::Banned => {
                access::log(&self.parts.events, caller, record.id, "join by code");
                Err(RoomError::Unknown)
            }
        }
    }

    /// Comes in; whoever calls knows that the caller may.
    pub(in crate::service) async fn come_in(&self, caller: &Caller, before: RoomRecord) -> Result<Room, RoomError> {
        let place = self.place_for(caller.user, None).await?;
        let is_new = self.write(caller, before.id, EntryKind::Joined).await?;
        drop(place);
        let (record, role) = match self.parts.store.room_for(before.id, caller.user).await? {
            Some((record, Standing::Member(role))) => (record, role),
            // Removed in the same moment: what was true when they came in.
            _ => (before, Role::Member),
        };
        if is_new {
            return Ok(self.tell(&record, caller.user, role));
        }
        self.view(&record, caller.user, Some(role)).await
    }

    /// Goes out. The last owner stays while others are in the room.
    pub async fn leave(&self, caller: &Caller, room: RoomId) -> Result<(), RoomError> {
        self.allow("room_changes", caller, rate::ROOM_CHANGES).await?;
        let (record, _) = access::member(&self.parts, caller, room, "leave a room").await?;
        if record.kind == RoomKind::Direct {
            return Err(RoomError::Forbidden("A direct conversation cannot be left"));
        }
        self.write(caller, room, EntryKind::Left).await?;
        Ok(())
    }

    /// The members, owners first.
    pub async fn members(&self, caller: &Caller, room: RoomId) -> Result<Vec<Member>, RoomError> {
        access::scope(caller, Scope::MembersRead)?;
        access::member(&self.parts, caller, room, "list members").await?;
        let members = self.parts.store.members(room).await?;
        let ids: Vec<UserId> = members.iter().map(|member| member.user.id).collect();
        let online: HashSet<UserId> = self.parts.bus.online(&ids).await.into_iter().collect();
        let seen = |member: MemberRecord| {
            let is_online = online.contains(&member.user.id);
            shown(member, is_online)
        };
        Ok(members.into_iter().map(seen).collect())
    }

    /// Gives a member a role. Owners only; the last owner stays one.
    pub async fn set_role(&self, caller: &Caller, room: RoomId, user: UserId, role: Role) -> Result<Member, RoomError> {
        self.allow("room_changes", caller, rate::ROOM_CHANGES).await?;
        access::at_least(Role::Owner, &self.parts, caller, room, "give a role").await?;
        let member = self.parts.store.member(room, user).await?.ok_or(RoomError::Unknown)?;
        refuse_bot(&member.user)?;
        if member.role != role {
            self.write(caller, room, EntryKind::Role { user, role }).await?;
            if let Some(record) = self.parts.store.room(room).await? {
                self.tell(&record, user, role);
            }
        }
        let is_online = !self.parts.bus.online(&[user]).await.is_empty();
        Ok(shown(MemberRecord { role, ..member }, is_online))
    }

    /// Removes a member, for good with `ban`. Administrators remove members, owners everybody but themselves.
    pub async fn remove(&self, caller: &Caller, room: RoomId, user: UserId, ban: bool) -> Result<(), RoomError> {
        self.allow("room_changes", caller, rate::ROOM_CHANGES).await?;
        let (_, own) = access::at_least(Role::Admin, &self.parts, caller, room, "remove a member").await?;
        if user == caller.user {
            return Err(field("user", "You cannot remove yourself. Leave the room"));
        }
        let member = self.parts.store.member(room, user).await?.ok_or(RoomError::Unknown)?;
        refuse_bot(&member.user)?;
        if member.role > Role::Member && own < Role::Owner {
            access::log(&self.parts.events, caller, room, "remove an administrator");
            return Err(Denied::Forbidden("Only the owners of this room can remove an administrator").into());
        }
        self.write(caller, room, EntryKind::Removed { user, banned: ban }).await?;
        Ok(())
    }

    /// Takes an integration out that was revoked; whoever calls has asked who the caller is.
    pub(in crate::service) async fn take_out(
        &self,
        caller: &Caller,
        room: RoomId,
        bot: UserId,
    ) -> Result<(), RoomError> {
        self.write(caller, room, EntryKind::Removed { user: bot, banned: false }).await?;
        Ok(())
    }

    /// Who was banned, by username. Administrators only.
    pub async fn bans(&self, caller: &Caller, room: RoomId) -> Result<Vec<User>, RoomError> {
        access::at_least(Role::Admin, &self.parts, caller, room, "list bans").await?;
        Ok(self.parts.store.banned(room).await?)
    }

    /// Lets somebody who was banned come back; they are not in the room by it.
    pub async fn unban(&self, caller: &Caller, room: RoomId, user: UserId) -> Result<(), RoomError> {
        self.allow("room_changes", caller, rate::ROOM_CHANGES).await?;
        access::at_least(Role::Admin, &self.parts, caller, room, "take back a ban").await?;
        self.write(caller, room, EntryKind::Unbanned { user }).await?;
        Ok(())
    }
}

/// An integration is what it was made, until it is revoked.
fn refuse_bot(user: &User) -> Result<(), RoomError> {
    if user.bot { Err(RoomError::Forbidden("Revoke it among the room's integrations instead")) } else { Ok(()) }
}

fn shown(member: MemberRecord, online: bool) -> Member {
    let MemberRecord { user, role, delivered, read } = member;
    Member { user, role, online, delivered, read }
}
