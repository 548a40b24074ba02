//! Who may come near a room, asked afresh at every call, and which refusal each of the others gets: for a stranger a private
//! room is exactly as unknown as one that does not exist.

use super::events::{Events, Note};
use super::{Caller, Parts};
use crate::store::{RoomRecord, Standing, StoreError};
use natter_shared::entry::Message;
use natter_shared::event::EventKind;
use natter_shared::id::{RoomId, UserId};
use natter_shared::integration::Scope;
use natter_shared::room::{Role, RoomKind, Visibility};

/// Why a room, or something in it, is not for this person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    /// There is no such thing as far as they may know.
    Unknown,
    /// They may know of it and may not do this; the sentence says what they can do.
    Forbidden(&'static str),
}

#[derive(Debug)]
pub(super) enum AccessError {
    Denied(Denied),
    Store(StoreError),
}

impl From<StoreError> for AccessError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

pub(super) const NO_BOTS: &str = "A bot cannot do this";

/// Refuses what is not for those who came by a room's code, nor for bots.
pub(super) fn has_account(caller: &Caller) -> Result<(), Denied> {
    match (caller.guest, caller.bot) {
        (_, Some(_)) => Err(Denied::Forbidden(NO_BOTS)),
        (true, None) => Err(Denied::Forbidden("Guests cannot do this. Keep your account first")),
        (false, None) => Ok(()),
    }
}

/// Refuses an integration what it was not made for; people may what their role lets them.
pub(super) fn scope(caller: &Caller, scope: Scope) -> Result<(), Denied> {
    match caller.bot {
        Some(scopes) if !scopes.has(scope) => Err(Denied::Forbidden("This bot was not given the scope for it")),
        Some(_) | None => Ok(()),
    }
}

/// The room and the caller's role in it, or the refusal. `what` names the attempt in the log of events.
pub(super) async fn member(
    parts: &Parts,
    caller: &Caller,
    room: RoomId,
    what: &'static str,
) -> Result<(RoomRecord, Role), AccessError> {
    match parts.store.room_for(room, caller.user).await? {
        Some((record, Standing::Member(role))) => Ok((record, role)),
        found => Err(AccessError::Denied(refuse(&parts.events, caller, room, found.as_ref(), what))),
    }
}

/// The same, for what takes a role.
pub(super) async fn at_least(
    least: Role,
    parts: &Parts,
    caller: &Caller,
    room: RoomId,
    what: &'static str,
) -> Result<(RoomRecord, Role), AccessError> {
    let (record, role) = member(parts, caller, room, what).await?;
    let why = match (record.kind, least) {
        (RoomKind::Direct, _) => Some("A direct conversation has nothing to administer"),
        (RoomKind::Room, Role::Owner) if role < least => Some("Only the owners of this room can do this"),
        (RoomKind::Room, _) if role < least => Some("Only the administrators of this room can do this"),
        (RoomKind::Room, _) => None,
    };
    match why {
        None => Ok((record, role)),
        Some(why) => {
            log(&parts.events, caller, room, what);
            Err(AccessError::Denied(Denied::Forbidden(why)))
        }
    }
}

/// The refusal for somebody who is not in a room, noted as an event.
pub(super) fn refuse(
    events: &Events,
    caller: &Caller,
    room: RoomId,
    found: Option<&(RoomRecord, Standing)>,
    what: &'static str,
) -> Denied {
    log(events, caller, room, what);
    match found {
        Some((record, standing)) if may_find(caller, record) => match standing {
            Standing::Banned => Denied::Forbidden("You were removed from this room"),
            Standing::Stranger | Standing::Former | Standing::Member(_) => Denied::Forbidden("Join this room first"),
        },
        Some(_) | None => Denied::Unknown,
    }
}

/// Whether somebody who is not in a room may know of it. Guests know the rooms whose code they have, bots their own.
pub(super) fn may_find(caller: &Caller, record: &RoomRecord) -> bool {
    is_open(record) && !caller.guest && caller.bot.is_none()
}

/// Whether a room is for everybody with an account.
pub(super) fn is_open(record: &RoomRecord) -> bool {
    record.kind == RoomKind::Room && record.visibility == Visibility::Public
}

/// Notes a refused attempt.
pub(super) fn log(events: &Events, caller: &Caller, room: RoomId, what: &'static str) {
    events.note(Note::of(EventKind::Denied).by(caller.user).in_room(room).saying(what));
}

/// Whether a message is not a whisper between others.
pub(super) fn may_see(message: &Message, reader: UserId) -> bool {
    message.author.id == reader || message.content.to.is_none_or(|to| to == reader)
}

/// A message as one of its readers sees it: only the author sees what their client called it.
pub(super) fn shown(message: Message, reader: UserId) -> Message {
    if message.author.id == reader { message } else { Message { client_id: None, ..message } }
}
