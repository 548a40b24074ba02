//! Integrations: webhooks and bots that take part in one room. Who administers the room makes and revokes them; each is a
//! member of it by an entry of the log, and goes through the same functions as people do. A secret is kept as its SHA-256
//! only, and one that was revoked is answered like one that never was.

mod seen;

#[cfg(test)]
mod tests;

use super::access::{self, AccessError};
use super::events::Note;
use super::guests::username;
use super::messages::{MessageError, Messages, Sent};
use super::rooms::{RoomError, Rooms};
use super::{Caller, Origin, Parts, rate};
use crate::bus::{Notice, TooOften};
use crate::clock::random;
use crate::store::{CreatedUser, IntegrationRecord, NewUser, RoomRecord, StoreError, TokenHash, UserRecord};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use natter_shared::account::User;
use natter_shared::entry::MessageForm;
use natter_shared::error::Fields;
use natter_shared::event::EventKind;
use natter_shared::id::{ClientId, RoomId, SessionId, UserId};
use natter_shared::integration::{
    BOT_PREFIX, HookForm, Integration, IntegrationForm, IntegrationKind, MadeIntegration, Scopes, WEBHOOK_PREFIX,
};
use natter_shared::limits;
use natter_shared::room::Role;
use natter_shared::text::DisplayName;
use natter_shared::timestamp::Timestamp;
use seen::Seen;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;

/// How often a random username may turn out to be taken before that is a defect.
const ATTEMPTS: usize = 5;
/// Integrations that are listed, revoked ones too: more than may live in one room.
const LISTED: u32 = 50;
/// The bytes of a secret, behind its prefix and in base64.
const SECRET_BYTES: usize = 32;
const SECRET_LETTERS: usize = 43;
/// When one was used last is kept to the minute: each time would cost a write.
const TOUCH_MS: i64 = 60_000;

#[derive(Debug, Clone, thiserror::Error)]
pub enum IntegrationError {
    /// No webhook has this secret any more, or ever had.
    #[error("no such webhook")]
    NoSuchHook,
    /// No bot has this token any more, or ever had.
    #[error("no such bot")]
    NotSignedIn,
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("a field is not accepted")]
    Invalid(Fields),
    #[error("too often")]
    TooOften(TooOften),
    #[error(transparent)]
    Room(#[from] RoomError),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AccessError> for IntegrationError {
    fn from(error: AccessError) -> Self {
        Self::Room(error.into())
    }
}

pub struct Integrations {
    parts: Parts,
    rooms: Arc<Rooms>,
    messages: Arc<Messages>,
    seen: Seen,
    /// Held while one is made, so that a room gets no more than it may have by one node.
    making: tokio::sync::Mutex<()>,
}

impl Integrations {
    pub fn new(parts: &Parts, rooms: &Arc<Rooms>, messages: &Arc<Messages>) -> Self {
        Self {
            parts: parts.clone(),
            rooms: Arc::clone(rooms),
            messages: Arc::clone(messages),
            seen: Seen::default(),
            making: tokio::sync::Mutex::default(),
        }
    }

    /// The integrations of a room, without their secrets. Administrators only.
    pub async fn list(&self, caller: &Caller, room: RoomId) -> Result<Vec<Integration>, IntegrationError> {
        access::at_least(Role::Admin, &self.parts, caller, room, "list integrations").await?;
        let records = self.parts.store.integrations_of(room, LISTED).await?;
        let makers: Vec<UserId> = records.iter().filter_map(|it| Some(it.integration.as_ref()?.made_by)).collect();
        let makers = self.parts.store.users(&makers).await?;
        let makers: HashMap<UserId, DisplayName> = makers.into_iter().map(|it| (it.id, it.display_name)).collect();
        Ok(records.into_iter().filter_map(|record| shown(record, &makers)).collect())
    }

    /// Makes one, and shows its secret for the only time. Administrators only.
    pub async fn make(
        &self,
        caller: &Caller,
        room: RoomId,
        form: IntegrationForm,
    ) -> Result<MadeIntegration, IntegrationError> {
        let (name, kind, scopes) = form.parse().map_err(IntegrationError::Invalid)?;
        self.allow(caller).await?;
        let (record, _) = access::at_least(Role::Admin, &self.parts, caller, room, "make an integration").await?;
        self.make_in(caller, record, name, kind, scopes).await
    }

    async fn make_in(
        &self,
        caller: &Caller,
        room: RoomRecord,
        name: DisplayName,
        kind: IntegrationKind,
        scopes: Scopes,
    ) -> Result<MadeIntegration, IntegrationError> {
        let id = room.id;
        if room.archived {
            return Err(RoomError::Archived.into());
        }
        let making = self.making.lock().await;
        let there = self.parts.store.integrations_of(id, LISTED).await?;
        if there.iter().filter(|record| live(record).is_some()).count() >= limits::INTEGRATIONS_PER_ROOM {
            let full = "The room has as many integrations as it can have. Revoke one first";
            return Err(RoomError::LimitReached(full).into());
        }
        let secret = secret(kind, random(&*self.parts.entropy));
        let integration = IntegrationRecord {
            room: id,
            kind,
            scopes,
            secret: hash_of(&secret),
            made_by: caller.user,
            last_used_at: None,
            revoked_at: None,
        };
        let (user, created_at) = self.create(name, &integration).await?;
        drop(making);
        let bot = as_caller(user.id, scopes, self.parts.clock.now());
        if let Err(error) = self.rooms.come_in(&bot, room).await {
            // Nobody has its secret, and without the room it is nothing.
            self.parts.store.revoke_integration(user.id, self.parts.clock.now()).await?;
            return Err(error.into());
        }
        let note = Note::of(EventKind::IntegrationMade).by(caller.user).to(user.id).in_room(id);
        self.parts.events.note(note.saying(word(kind)));
        let record = UserRecord {
            user,
            email: None,
            password_hash: None,
            created_at,
            disabled: false,
            admin: false,
            last_login_at: None,
            deletion: None,
            integration: Some(integration),
        };
        let maker = self.parts.store.users(&[caller.user]).await?;
        let makers = maker.into_iter().map(|it| (it.id, it.display_name)).collect();
        let integration = shown(record, &makers);
        let integration = integration.ok_or_else(|| StoreError::Broken("a new integration is none".into()))?;
        Ok(MadeIntegration { integration, secret })
    }

    async fn create(
        &self,
        name: DisplayName,
        integration: &IntegrationRecord,
    ) -> Result<(User, Timestamp), IntegrationError> {
        let created_at = self.parts.clock.now();
        for _ in 0..ATTEMPTS {
            let user = NewUser {
                id: UserId::from_random_bytes(random(&*self.parts.entropy)),
                username: username("bot", random(&*self.parts.entropy))?,
                display_name: name.clone(),
                email: None,
                gender: None,
                password_hash: None,
                guest: false,
                integration: Some(integration.clone()),
                created_at,
            };
            match self.parts.store.create_user(user).await? {
                CreatedUser::Created(user) => return Ok((user, created_at)),
                CreatedUser::UsernameTaken => {}
            }
        }
        Err(StoreError::Broken(format!("{ATTEMPTS} random usernames were all taken")).into())
    }

    /// Revokes one and makes another like it. Administrators only.
    pub async fn renew(
        &self,
        caller: &Caller,
        room: RoomId,
        user: UserId,
    ) -> Result<MadeIntegration, IntegrationError> {
        self.allow(caller).await?;
        let (record, _) = access::at_least(Role::Admin, &self.parts, caller, room, "renew an integration").await?;
        let (there, of) = self.of_room(room, user).await?;
        if record.archived {
            return Err(RoomError::Archived.into());
        }
        self.end(caller, room, user).await?;
        self.make_in(caller, record, there.user.display_name, of.kind, of.scopes).await
    }

    /// Revokes one: from now on its secret is as good as any wrong one, and it is out of the room. Administrators only.
    pub async fn revoke(&self, caller: &Caller, room: RoomId, user: UserId) -> Result<(), IntegrationError> {
        self.allow(caller).await?;
        access::at_least(Role::Admin, &self.parts, caller, room, "revoke an integration").await?;
        self.of_room(room, user).await?;
        self.end(caller, room, user).await
    }

    /// A live integration of this room.
    async fn of_room(&self, room: RoomId, user: UserId) -> Result<(UserRecord, IntegrationRecord), IntegrationError> {
        let there = self.parts.store.user(user).await?.ok_or(RoomError::Unknown)?;
        let of = live(&there).filter(|it| it.room == room).cloned().ok_or(RoomError::Unknown)?;
        Ok((there, of))
    }

    async fn end(&self, caller: &Caller, room: RoomId, user: UserId) -> Result<(), IntegrationError> {
        if self.parts.store.revoke_integration(user, self.parts.clock.now()).await? {
            let note = Note::of(EventKind::IntegrationRevoked).by(caller.user).to(user).in_room(room);
            self.parts.events.note(note);
        }
        let sessions = vec![session(user)];
        self.forget(&sessions);
        self.parts.bus.publish(Notice::SessionsEnded { sessions });
        match self.rooms.take_out(caller, room, user).await {
            // It is out already, or never came in.
            Ok(()) | Err(RoomError::Unknown) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Forgets those that were revoked on another node; for who hears of it from the bus.
    pub fn forget(&self, sessions: &[SessionId]) {
        self.seen.forget(sessions);
    }

    /// Says something as the webhook of that secret. With an id or a key of the sender's, a repeat is answered with the
    /// first entry.
    pub async fn post(
        &self,
        secret: &str,
        form: HookForm,
        key: Option<String>,
        origin: &Origin,
    ) -> Result<Sent, IntegrationError> {
        let found = self.recognise(secret, IntegrationKind::Webhook, origin).await?;
        let (caller, room) = found.ok_or(IntegrationError::NoSuchHook)?;
        let taken = self.parts.take_for_user("hooks", caller.user, rate::HOOK).await;
        taken.map_err(IntegrationError::TooOften)?;
        let client_id = match (form.client_id, key) {
            (Some(id), _) => id,
            (None, Some(key)) => id_of(&key).map_err(IntegrationError::Invalid)?,
            (None, None) => ClientId::from_random_bytes(random(&*self.parts.entropy)),
        };
        let message = MessageForm { client_id, body: form.text, reply_to: None, attachments: Vec::new(), to: None };
        let sent = self.messages.send(&caller, room, message).await;
        sent.map_err(|error| match error {
            // What the field is called here.
            MessageError::Invalid(mut fields) => {
                if let Some(why) = fields.remove("body") {
                    fields.insert("text".to_owned(), why);
                }
                IntegrationError::Invalid(fields)
            }
            error => error.into(),
        })
    }

    /// The bot of a token.
    pub async fn recognise_bot(&self, token: &str, origin: &Origin) -> Result<Caller, IntegrationError> {
        let found = self.recognise(token, IntegrationKind::Bot, origin).await?;
        found.map(|(caller, _)| caller).ok_or(IntegrationError::NotSignedIn)
    }

    /// Refuses a bot what only people do.
    pub fn refuse_bot(&self, caller: &Caller) -> Result<(), IntegrationError> {
        if caller.bot.is_none() {
            return Ok(());
        }
        self.parts.events.note(Note::of(EventKind::Denied).by(caller.user).saying("what only people do"));
        Err(IntegrationError::Forbidden(access::NO_BOTS))
    }

    /// Whose secret this is, and in which room; nothing for one that is not good, whatever the reason.
    async fn recognise(
        &self,
        secret: &str,
        kind: IntegrationKind,
        origin: &Origin,
    ) -> Result<Option<(Caller, RoomId)>, IntegrationError> {
        let now = self.parts.clock.now();
        let hash = hash_of(secret);
        let endings = match self.seen.believe(&hash, kind, now) {
            Ok(believed) => return Ok(Some(believed)),
            Err(endings) => endings,
        };
        let found = if has_form_of(secret, kind) { self.parts.store.integration_by_secret(hash).await? } else { None };
        let good = found.as_ref().filter(|it| !it.disabled).and_then(|it| Some((it.user.id, live(it)?)));
        let Some((user, of)) = good.filter(|(_, of)| of.kind == kind) else {
            let taken = self.parts.take_for_ip("integration_secrets", origin.ip, rate::SECRETS).await;
            taken.map_err(IntegrationError::TooOften)?;
            let whose = found.as_ref().map(|it| it.user.id);
            let note = Note::of(EventKind::IntegrationRefused).by(whose).from(origin).saying(word(kind));
            self.parts.events.note(note);
            return Ok(None);
        };
        if of.last_used_at.is_none_or(|last| now.millis() - last.millis() >= TOUCH_MS)
            && let Err(error) = self.parts.store.touch_integration(user, now).await
        {
            // It may still read; whatever it writes meets the same fault and says so.
            tracing::warn!(%user, %error, "when an integration was used could not be noted");
        }
        let caller = as_caller(user, of.scopes, now);
        self.seen.remember(hash, kind, caller, of.room, now, endings);
        Ok(Some((caller, of.room)))
    }

    async fn allow(&self, caller: &Caller) -> Result<(), IntegrationError> {
        let taken = self.parts.take_for_user("integrations", caller.user, rate::INTEGRATIONS).await;
        taken.map_err(IntegrationError::TooOften)
    }
}

/// What makes a program of a person, as long as it is not revoked.
fn live(record: &UserRecord) -> Option<&IntegrationRecord> {
    record.integration.as_ref().filter(|it| it.revoked_at.is_none())
}

const fn word(kind: IntegrationKind) -> &'static str {
    match kind {
        IntegrationKind::Webhook => "webhook",
        IntegrationKind::Bot => "bot",
    }
}

const fn prefix(kind: IntegrationKind) -> &'static str {
    match kind {
        IntegrationKind::Webhook => WEBHOOK_PREFIX,
        IntegrationKind::Bot => BOT_PREFIX,
    }
}

fn secret(kind: IntegrationKind, bytes: [u8; SECRET_BYTES]) -> String {
    format!("{}{}", prefix(kind), URL_SAFE_NO_PAD.encode(bytes))
}

fn has_form_of(secret: &str, kind: IntegrationKind) -> bool {
    secret.strip_prefix(prefix(kind)).is_some_and(|rest| rest.len() == SECRET_LETTERS)
}

fn hash_of(secret: &str) -> TokenHash {
    Sha256::digest(secret).into()
}

/// The id that a sender's own key stands for. The store keeps the ids of each author apart.
fn id_of(key: &str) -> Result<ClientId, Fields> {
    if key.is_empty() || key.len() > limits::IDEMPOTENCY_KEY_MAX {
        let why = format!("From 1 to {} bytes", limits::IDEMPOTENCY_KEY_MAX);
        return Err(Fields::from([("Idempotency-Key".to_owned(), why)]));
    }
    let digest: [u8; 32] = Sha256::digest(format!("natter idempotency key 1 {key}")).into();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    Ok(ClientId::from_random_bytes(id))
}

/// By what an integration is named where logins are.
const fn session(user: UserId) -> SessionId {
    SessionId::from_bytes(*user.as_bytes())
}

fn as_caller(user: UserId, scopes: Scopes, now: Timestamp) -> Caller {
    let expires_at = now.plus_millis(seen::BELIEVED_MS);
    Caller { user, session: session(user), expires_at, guest: false, bot: Some(scopes) }
}

fn shown(record: UserRecord, makers: &HashMap<UserId, DisplayName>) -> Option<Integration> {
    let UserRecord { user, created_at, integration, .. } = record;
    let IntegrationRecord { kind, scopes, made_by, last_used_at, revoked_at, .. } = integration?;
    let maker = makers.get(&made_by).cloned();
    Some(Integration { user, kind, scopes, made_by, maker, created_at, last_used_at, revoked_at })
}
