//! What administrators of the server see and do. Whether somebody is one is asked of the store at every call, so that it ends
//! with the call in which it is taken away. They see who is there and what happened, never what was written.

use super::events::Note;
use super::sessions::{SessionError, Sessions};
use super::{Caller, Parts, rate, rooms};
use crate::bus::TooOften;
use crate::store::{EventSearch, StoreError, TallySearch, UserRecord};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use natter_shared::admin::{
    Account, AccountPatch, AdminRoom, EventPage, EventsQuery, Figure, Figures, FiguresQuery, NamedRoom, Operations,
    cursor_after,
};
use natter_shared::error::{FieldErrors, Fields};
use natter_shared::event::EventKind;
use natter_shared::id::{RoomId, UserId};
use natter_shared::limits;
use natter_shared::page::{ListQuery, Page, parse_limit};
use natter_shared::room::RoomKind;
use natter_shared::text::{Username, parse_query};
use natter_shared::timestamp::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What figures are made of.
const COUNTED: &[EventKind] = &[
    EventKind::Online,
    EventKind::MessagesSent,
    EventKind::EntriesDelivered,
    EventKind::Login,
    EventKind::LoginFailed,
    EventKind::Registered,
    EventKind::Guest,
    EventKind::Errors,
];

#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The sentence says what they can do.
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("no such person")]
    NotFound,
    #[error("not accepted: {0:?}")]
    Invalid(Fields),
    #[error("too often")]
    TooOften(TooOften),
    #[error("ending logins: {0}")]
    Sessions(#[from] SessionError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub struct Admin {
    parts: Parts,
    sessions: Sessions,
    operations: Arc<super::operations::Operations>,
}

impl Admin {
    pub fn new(parts: &Parts, sessions: &Sessions, operations: &Arc<super::operations::Operations>) -> Self {
        Self { parts: parts.clone(), sessions: sessions.clone(), operations: Arc::clone(operations) }
    }

    async fn must_be_one(&self, caller: &Caller, what: &'static str) -> Result<(), AdminError> {
        self.parts.take_for_user("admin", caller.user, rate::ADMIN).await.map_err(AdminError::TooOften)?;
        if self.parts.store.user(caller.user).await?.is_some_and(|record| record.admin && !record.disabled) {
            return Ok(());
        }
        self.parts.events.note(Note::of(EventKind::Denied).by(caller.user).saying(what));
        Err(AdminError::Forbidden("Only administrators of this server can do this"))
    }

    /// The log of events, newest first. A person whom nobody knows has none.
    pub async fn events(&self, caller: &Caller, query: EventsQuery) -> Result<EventPage, AdminError> {
        self.must_be_one(caller, "read the log of events").await?;
        let asked = query.parse().map_err(AdminError::Invalid)?;
        let person = match &asked.person {
            None => None,
            Some(name) => match self.parts.store.user_by_name(name).await? {
                None => {
                    return Ok(EventPage { items: Vec::new(), cursor: None, people: Vec::new(), rooms: Vec::new() });
                }
                Some(record) => Some(record.user.id),
            },
        };
        let limit = asked.limit as usize;
        let search = EventSearch {
            kinds: asked.kinds,
            person,
            from: asked.from,
            to: asked.to,
            after: asked.after,
            limit: asked.limit + 1,
        };
        let mut items = self.parts.store.events(search).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let cursor = items.last().filter(|_| more).map(cursor_after);
        let named: BTreeSet<UserId> = items.iter().flat_map(|event| [event.user, event.other]).flatten().collect();
        let people = self.parts.store.users(&named.into_iter().collect::<Vec<_>>()).await?;
        let rooms = self.named(items.iter().filter_map(|event| event.room).collect()).await?;
        Ok(EventPage { items, cursor, people, rooms })
    }

    /// The names of these rooms; a direct conversation has none.
    async fn named(&self, ids: BTreeSet<RoomId>) -> Result<Vec<NamedRoom>, AdminError> {
        let mut rooms = Vec::with_capacity(ids.len());
        for id in ids {
            let found = self.parts.store.room(id).await?.filter(|record| record.kind == RoomKind::Room);
            rooms.extend(found.map(|record| NamedRoom { id, name: record.name }));
        }
        Ok(rooms)
    }

    /// How long what this node is asked for takes.
    pub async fn operations(&self, caller: &Caller) -> Result<Operations, AdminError> {
        self.must_be_one(caller, "read the operations").await?;
        Ok(self.operations.slowest_first())
    }

    /// How much of what happened when.
    pub async fn figures(&self, caller: &Caller, query: FiguresQuery) -> Result<Figures, AdminError> {
        self.must_be_one(caller, "read the figures").await?;
        let (from, to) = query.parse(self.parts.clock.now()).map_err(AdminError::Invalid)?;
        let step_ms = query.step.millis();
        let search = TallySearch { kinds: COUNTED.to_vec(), from, to, step_ms };
        let mut figures: BTreeMap<Timestamp, Figure> = BTreeMap::new();
        let mut at = from;
        while at < to {
            figures.insert(at, none(at));
            at = at.plus_millis(step_ms);
        }
        for tally in self.parts.store.tally_events(search).await? {
            let Some(figure) = figures.get_mut(&tally.at) else { continue };
            match tally.kind {
                EventKind::Online => figure.online += tally.most,
                EventKind::MessagesSent => figure.messages_sent += tally.sum,
                EventKind::EntriesDelivered => figure.entries_delivered += tally.sum,
                EventKind::Login => figure.logins += tally.sum,
                EventKind::LoginFailed => figure.logins_failed += tally.sum,
                EventKind::Registered | EventKind::Guest => figure.registrations += tally.sum,
                EventKind::Errors => figure.errors += tally.sum,
                _ => {}
            }
        }
        Ok(Figures { step: query.step, items: figures.into_values().collect() })
    }

    /// Everybody whose username begins with the text, by username; guests and disabled people too.
    pub async fn users(&self, caller: &Caller, query: ListQuery) -> Result<Page<Account>, AdminError> {
        self.must_be_one(caller, "list accounts").await?;
        let mut errors = FieldErrors::default();
        let prefix = errors
            .check("q", query.q.as_deref().filter(|q| !q.trim().is_empty()).map_or(Ok(String::new()), parse_query));
        let limit = errors.check("limit", parse_limit(query.limit, limits::PAGE_MAX, limits::PAGE_DEFAULT));
        let after = errors.check_optional("cursor", query.cursor, |cursor| Username::parse(&cursor));
        let (prefix, limit) = errors.finish(prefix.zip(limit)).map_err(AdminError::Invalid)?;
        let prefix = prefix.strip_prefix('@').unwrap_or(&prefix).to_lowercase();
        let after = after.as_ref().map(Username::as_str);
        let mut records = self.parts.store.search_accounts(&prefix, after, limit + 1).await?;
        let more = records.len() > limit as usize;
        records.truncate(limit as usize);
        let cursor = records.last().filter(|_| more).map(|record| record.user.username.to_string());
        Ok(Page { items: records.into_iter().map(account).collect(), cursor })
    }

    /// Keeps somebody out, or lets them in again. Whoever is kept out is signed out everywhere by this.
    pub async fn change(&self, caller: &Caller, user: UserId, patch: AccountPatch) -> Result<Account, AdminError> {
        self.must_be_one(caller, "disable an account").await?;
        if user == caller.user && patch.disabled {
            return Err(AdminError::Forbidden("You cannot disable your own account"));
        }
        let before = self.there(user).await?;
        let after = self.parts.store.set_disabled(user, patch.disabled).await?.ok_or(AdminError::NotFound)?;
        // Two administrators may disable each other at the same moment. Whoever of them writes last finds that nobody is
        // left, and takes it back.
        if patch.disabled && before.admin && !self.anybody_left().await? {
            self.parts.store.set_disabled(user, false).await?;
            return Err(AdminError::Forbidden("The last administrator cannot be disabled"));
        }
        if patch.disabled {
            self.sessions.end_all_but(user, None).await?;
        }
        if before.disabled != after.disabled {
            let kind = if after.disabled { EventKind::UserDisabled } else { EventKind::UserEnabled };
            self.parts.events.note(Note::of(kind).by(caller.user).to(user));
        }
        Ok(account(after))
    }

    /// The person, unless their account was deleted.
    async fn there(&self, user: UserId) -> Result<UserRecord, AdminError> {
        let record = self.parts.store.user(user).await?.filter(|record| record.deletion.is_none());
        record.ok_or(AdminError::NotFound)
    }

    async fn anybody_left(&self) -> Result<bool, AdminError> {
        Ok(self.parts.store.administrators().await?.iter().any(|record| !record.disabled))
    }

    /// Ends all logins of somebody, who may sign in again.
    pub async fn sign_out(&self, caller: &Caller, user: UserId) -> Result<(), AdminError> {
        self.must_be_one(caller, "sign somebody out").await?;
        self.there(user).await?;
        self.sessions.end_all_but(user, None).await?;
        self.parts.events.note(Note::of(EventKind::UserSignedOut).by(caller.user).to(user));
        Ok(())
    }

    /// All rooms by name, also private and archived ones. Direct conversations are nobody's but their two people's.
    pub async fn rooms(&self, caller: &Caller, query: ListQuery) -> Result<Page<AdminRoom>, AdminError> {
        self.must_be_one(caller, "list rooms").await?;
        let mut errors = FieldErrors::default();
        let limit = errors.check("limit", parse_limit(query.limit, limits::PAGE_MAX, limits::PAGE_DEFAULT));
        let text = query.q.filter(|text| !text.trim().is_empty());
        let text = errors.check_optional("q", text, |text| parse_query(&text));
        let after = errors.check_optional("cursor", query.cursor, |cursor| read_cursor(&cursor));
        let limit = errors.finish(limit).map_err(AdminError::Invalid)?;
        let mut records = self.parts.store.every_room(text.as_deref(), after.as_deref(), limit + 1).await?;
        let more = records.len() > limit as usize;
        records.truncate(limit as usize);
        let cursor = records.last().filter(|_| more).map(|last| URL_SAFE_NO_PAD.encode(last.name.key()));
        let seen = records.iter().map(|record| AdminRoom { room: rooms::shown(record, None, None), head: record.head });
        Ok(Page { items: seen.collect(), cursor })
    }
}

fn read_cursor(cursor: &str) -> Result<String, &'static str> {
    let key = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|key| String::from_utf8(key).ok());
    key.ok_or("not a cursor of this list")
}

fn account(record: UserRecord) -> Account {
    let UserRecord { user, created_at, last_login_at, disabled, admin, .. } = record;
    Account { user, created_at, last_login_at, disabled, admin }
}

const fn none(at: Timestamp) -> Figure {
    Figure {
        at,
        online: 0,
        messages_sent: 0,
        entries_delivered: 0,
        logins: 0,
        logins_failed: 0,
        registrations: 0,
        errors: 0,
    }
}
