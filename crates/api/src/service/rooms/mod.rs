//! Rooms: making, finding and changing them. Who is in a room is `membership`, its join code `code`, conversations of two
//! are `direct`, and how many rooms one person may be in is `place`.

mod code;
mod direct;
mod membership;
mod place;
mod view;

#[cfg(test)]
mod tests;

pub(super) use view::room as shown;

use super::access::{self, AccessError, Denied};
use super::events::Note;
use super::log_writer::{LogWriter, WriteError};
use super::{Caller, Parts, rate};
use crate::bus::{Notice, Rate, TooOften};
use crate::clock::random;
use crate::store::{Appended, CreatedRoom, NewEntry, NewRoomRecord, Refused, Standing, StoreError};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use natter_shared::entry::EntryKind;
use natter_shared::error::Fields;
use natter_shared::event::EventKind;
use natter_shared::frame::ServerFrame;
use natter_shared::id::{RoomId, UserId};
use natter_shared::limits;
use natter_shared::page::{ListQuery, Page, parse_limit};
use natter_shared::room::{Notify, Role, Room, RoomForm, RoomOverview, RoomPatch, Visibility};
use natter_shared::text::{JoinCode, parse_query};
use std::sync::Arc;

/// How often a random code may turn out to be taken before that is a defect.
const CODE_ATTEMPTS: usize = 5;

/// Why something about a room was refused or failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RoomError {
    /// No such room, person or code, or not for this caller.
    #[error("no such room")]
    Unknown,
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("a room has this name already")]
    NameTaken,
    #[error("the room is archived")]
    Archived,
    #[error("the last owner cannot leave the others alone")]
    LastOwner,
    /// A limit of the contract, in words.
    #[error("{0}")]
    LimitReached(&'static str),
    #[error("a field is not accepted")]
    Invalid(Fields),
    #[error("too often")]
    TooOften(TooOften),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Denied> for RoomError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unknown => Self::Unknown,
            Denied::Forbidden(why) => Self::Forbidden(why),
        }
    }
}

impl From<AccessError> for RoomError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Denied(denied) => denied.into(),
            AccessError::Store(error) => error.into(),
        }
    }
}

pub struct Rooms {
    parts: Parts,
    log: LogWriter,
    /// Held while somebody who is near the limit comes into a room.
    last_places: tokio::sync::Mutex<()>,
}

impl Rooms {
    pub fn new(parts: &Parts, log: LogWriter) -> Self {
        Self { parts: parts.clone(), log, last_places: tokio::sync::Mutex::default() }
    }

    /// Makes a room; the maker is its owner. Everybody hears of a new public one.
    pub async fn create(&self, caller: &Caller, form: RoomForm) -> Result<Room, RoomError> {
        access::has_account(caller)?;
        let form = form.parse().map_err(RoomError::Invalid)?;
        self.allow("rooms", caller, rate::ROOMS).await?;
        let _place = self.place_for(caller.user, None).await?;
        for _ in 0..CODE_ATTEMPTS {
            let room = NewRoomRecord {
                id: RoomId::from_random_bytes(random(&*self.parts.entropy)),
                name: form.name.clone(),
                topic: form.topic.clone(),
                visibility: form.visibility,
                owner: caller.user,
                code: self.random_code(),
                created_at: self.parts.clock.now(),
            };
            match self.parts.store.create_room(room).await? {
                CreatedRoom::Created(record, entry) => {
                    self.parts.events.note(Note::of(EventKind::RoomCreated).by(caller.user).in_room(record.id));
                    self.parts.bus.publish(Notice::Entries { room: record.id, entries: Arc::new(vec![entry]) });
                    self.tell_everyone(&record);
                    return Ok(self.tell(&record, caller.user, Role::Owner));
                }
                CreatedRoom::NameTaken => return Err(RoomError::NameTaken),
                CreatedRoom::CodeTaken => {}
            }
        }
        Err(codes_run_out())
    }

    /// A room as the caller sees it. A public one is visible to everybody but those who were banned.
    pub async fn get(&self, caller: &Caller, room: RoomId) -> Result<Room, RoomError> {
        match self.parts.store.room_for(room, caller.user).await? {
            Some((record, Standing::Member(role))) => self.view(&record, caller.user, Some(role)).await,
            Some((record, Standing::Stranger | Standing::Former)) if access::may_find(caller, &record) => {
                self.view(&record, caller.user, None).await
            }
            found => Err(access::refuse(&self.parts.events, caller, room, found.as_ref(), "see a room").into()),
        }
    }

    /// Changes what is given and differs, each as an entry of its own. Administrators only.
    pub async fn change(&self, caller: &Caller, room: RoomId, patch: RoomPatch) -> Result<Room, RoomError> {
        let change = patch.parse().map_err(RoomError::Invalid)?;
        self.allow("room_changes", caller, rate::ROOM_CHANGES).await?;
        let (before, role) = access::at_least(Role::Admin, &self.parts, caller, room, "change a room").await?;
        let mut entries = Vec::new();
        // Unarchived first and archived last, for in between nothing can be written; the name early, for it alone can be
        // refused, and then nothing else has changed.
        if change.archived == Some(false) && before.archived {
            entries.push(EntryKind::Archived { archived: false });
        }
        entries.extend(change.name.filter(|name| *name != before.name).map(|name| EntryKind::Renamed { name }));
        entries.extend(change.topic.filter(|topic| *topic != before.topic).map(|topic| EntryKind::Topic { topic }));
        entries.extend(
            change
                .visibility
                .filter(|visibility| *visibility != before.visibility)
                .map(|visibility| EntryKind::Visibility { visibility }),
        );
        if change.archived == Some(true) && !before.archived {
            entries.push(EntryKind::Archived { archived: true });
        }
        let changes = !entries.is_empty();
        for what in entries {
            self.write(caller, room, what).await?;
        }
        let (after, role) = match self.parts.store.room_for(room, caller.user).await? {
            Some((record, Standing::Member(role))) => (record, role),
            _ => (before.clone(), role),
        };
        if changes {
            let was_listed = access::is_open(&before) && !before.archived;
            if access::is_open(&after) && !after.archived && !was_listed {
                self.tell_everyone(&after);
            }
            self.tell_members(&after).await?;
        }
        self.view(&after, caller.user, Some(role)).await
    }

    /// Public rooms that are not archived, by name.
    pub async fn directory(&self, caller: &Caller, query: ListQuery) -> Result<Page<Room>, RoomError> {
        access::has_account(caller)?;
        let limit =
            parse_limit(query.limit, limits::PAGE_MAX, limits::PAGE_DEFAULT).map_err(|why| field("limit", why))?;
        let text = query.q.as_deref().filter(|text| !text.trim().is_empty());
        let text = text.map(parse_query).transpose().map_err(|why| field("q", why.to_string()))?;
        let after = query.cursor.as_deref().map(read_cursor).transpose()?;
        let mut records = self.parts.store.directory(text.as_deref(), after.as_deref(), limit + 1).await?;
        let more = records.len() > limit as usize;
        records.truncate(limit as usize);
        let cursor = records.last().filter(|_| more).map(|last| URL_SAFE_NO_PAD.encode(last.name.key()));
        let own = self.parts.store.rooms_of(caller.user).await?;
        let mut items = Vec::with_capacity(records.len());
        for record in &records {
            let role = if own.contains(&record.id) { self.role(record.id, caller).await? } else { None };
            items.push(self.view(record, caller.user, role).await?);
        }
        Ok(Page { items, cursor })
    }

    /// The rooms and direct conversations that the caller is in.
    pub async fn mine(&self, caller: &Caller) -> Result<Vec<RoomOverview>, RoomError> {
        let overviews = self.parts.store.overviews(caller.user).await?;
        Ok(overviews.into_iter().map(|overview| view::overview(overview, caller.user)).collect())
    }

    /// The same, and the others in these rooms: what a sign-in shows.
    pub async fn surroundings(&self, caller: &Caller) -> Result<(Vec<RoomOverview>, Vec<UserId>), RoomError> {
        let (overviews, others) = self.parts.store.surroundings(caller.user).await?;
        Ok((overviews.into_iter().map(|overview| view::overview(overview, caller.user)).collect(), others))
    }

    /// Keeps what of a room calls for the caller's attention, and tells all their connections.
    pub async fn set_notify(&self, caller: &Caller, room: RoomId, notify: Notify) -> Result<(), RoomError> {
        self.allow("room_changes", caller, rate::ROOM_CHANGES).await?;
        if !self.parts.store.set_notify(room, caller.user, notify).await? {
            access::member(&self.parts, caller, room, "mute a room").await?;
            // Came in at this very moment; what they tried was before.
            return Err(RoomError::Unknown);
        }
        let frame = ServerFrame::Notify { room, notify };
        self.parts.bus.publish(Notice::Users { users: vec![caller.user], frame });
        Ok(())
    }

    async fn role(&self, room: RoomId, caller: &Caller) -> Result<Option<Role>, RoomError> {
        match self.parts.store.standing(room, caller.user).await? {
            Standing::Member(role) => Ok(Some(role)),
            Standing::Stranger | Standing::Former | Standing::Banned => Ok(None),
        }
    }

    /// Appends an entry of the caller's and returns once it is durable; whether it was new.
    async fn write(&self, caller: &Caller, room: RoomId, what: EntryKind) -> Result<bool, RoomError> {
        let entry = NewEntry { room, author: caller.user, at: self.parts.clock.now(), client_id: None, what };
        match self.log.append(entry).await? {
            Appended::New(entry) => {
                if let Some(happened) = happened(&entry.what) {
                    self.parts.events.note(happened.by(caller.user).in_room(room));
                }
                Ok(true)
            }
            Appended::Again(_) => Ok(false),
            Appended::Refused(why) => Err(self.refused(caller, room, why).await?),
        }
    }

    /// What a refusal of the store means to the caller.
    async fn refused(&self, caller: &Caller, room: RoomId, why: Refused) -> Result<RoomError, RoomError> {
        Ok(match why {
            Refused::NoRoom => RoomError::Unknown,
            Refused::NotMember => match access::member(&self.parts, caller, room, "write to a room").await {
                // The caller is in the room, so it is the other person who is not.
                Ok(_) => RoomError::Unknown,
                Err(error) => error.into(),
            },
            Refused::Banned => {
                let found = self.parts.store.room_for(room, caller.user).await?;
                access::refuse(&self.parts.events, caller, room, found.as_ref(), "join a room").into()
            }
            Refused::Archived => RoomError::Archived,
            Refused::NameTaken => RoomError::NameTaken,
            Refused::LastOwner => RoomError::LastOwner,
            Refused::Full => RoomError::LimitReached("The room is full, or you are in as many as one person can be"),
            Refused::NoTarget
            | Refused::NotAuthor
            | Refused::NoReaction
            | Refused::TooManyReactions
            | Refused::TooManyPins
            | Refused::NoReference => StoreError::Broken(format!("a change of a room was refused: {why:?}")).into(),
        })
    }

    fn random_code(&self) -> JoinCode {
        JoinCode::from_random(random(&*self.parts.entropy))
    }

    async fn allow(&self, what: &'static str, caller: &Caller, rate: Rate) -> Result<(), RoomError> {
        self.parts.take_for_user(what, caller.user, rate).await.map_err(RoomError::TooOften)
    }
}

/// What a change of a room is in the log of events, which says nothing of names and topics.
fn happened(what: &EntryKind) -> Option<Note> {
    Some(match what {
        EntryKind::Joined => Note::of(EventKind::RoomJoined),
        EntryKind::Left => Note::of(EventKind::RoomLeft),
        EntryKind::Removed { user, banned: false } => Note::of(EventKind::MemberRemoved).to(*user),
        EntryKind::Removed { user, banned: true } => Note::of(EventKind::MemberBanned).to(*user),
        EntryKind::Unbanned { user } => Note::of(EventKind::MemberUnbanned).to(*user),
        EntryKind::Renamed { .. } => Note::of(EventKind::RoomRenamed),
        EntryKind::Topic { .. } => Note::of(EventKind::RoomTopic),
        EntryKind::Visibility { visibility: Visibility::Public } => {
            Note::of(EventKind::RoomVisibility).saying("public")
        }
        EntryKind::Visibility { visibility: Visibility::Private } => {
            Note::of(EventKind::RoomVisibility).saying("private")
        }
        EntryKind::Archived { archived: true } => Note::of(EventKind::RoomArchived),
        EntryKind::Archived { archived: false } => Note::of(EventKind::RoomReopened),
        EntryKind::Role { user, role } => {
            let role = match role {
                Role::Member => "member",
                Role::Admin => "admin",
                Role::Owner => "owner",
            };
            Note::of(EventKind::RoomRole).to(*user).saying(role)
        }
        _ => return None,
    })
}

fn field(name: &str, why: impl Into<String>) -> RoomError {
    RoomError::Invalid(Fields::from([(name.to_owned(), why.into())]))
}

fn read_cursor(cursor: &str) -> Result<String, RoomError> {
    let wrong = || field("cursor", "not a cursor of this list");
    let key = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
    String::from_utf8(key).map_err(|_| wrong())
}

fn codes_run_out() -> RoomError {
    StoreError::Broken(format!("{CODE_ATTEMPTS} random join codes were all taken")).into()
}
