//! Logins: who may sign in, how a login is kept alive, and how it ends. An ended login is dead at once: for calls, for
//! refreshing, and for open sockets, which are told through the bus.

mod family;
mod live;
mod login;

use super::events::Note;
use super::password::{PasswordError, Passwords};
use super::throttle::Throttle;
use super::token::access::{Access, AccessTokens, BadToken};
use super::token::refresh::RefreshTokens;
use super::work::Pool;
use super::{Caller, Parts};
use crate::bus::{Notice, TooOften};
use crate::metrics::Registry;
use crate::store::{SessionRecord, StoreError, UserRecord};
use live::Live;
use natter_shared::account::{Session, SessionInfo, User};
use natter_shared::event::EventKind;
use natter_shared::id::{SessionId, UserId};
use natter_shared::text::Username;
use natter_shared::timestamp::Timestamp;
use std::sync::Arc;

/// Ended logins are kept for a day, so that a replayed token is still recognised.
const KEPT_MS: i64 = 24 * 60 * 60 * 1_000;

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No token, a bad one, or one of a login that has ended.
    #[error("not signed in")]
    NotSignedIn,
    /// Unknown name, disabled account or wrong password: nobody is told which.
    #[error("wrong username or password")]
    BadCredentials,
    /// No live login of the caller has that id.
    #[error("no such login")]
    NotFound,
    #[error("too often")]
    TooOften(TooOften),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error("no token could be made: {0}")]
    Token(#[from] jsonwebtoken::errors::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<TooOften> for SessionError {
    fn from(too_often: TooOften) -> Self {
        Self::TooOften(too_often)
    }
}

/// What a look at a login shows.
enum Life {
    Ended,
    /// It was alive a moment ago; nothing was read.
    Believed,
    /// It is alive, and this is whose it is.
    Seen(Box<UserRecord>),
}

/// A login that was opened or refreshed.
#[derive(Debug, Clone)]
pub struct Opened {
    pub session: Session,
    /// The refresh token, for the cookie and nothing else.
    pub refresh: String,
    /// Seconds until the login ends.
    pub refresh_max_age_s: u64,
}

/// All that is done with logins. Cloning it is cheap and gives the same one.
#[derive(Clone)]
pub struct Sessions {
    parts: Parts,
    access: Arc<AccessTokens>,
    refresh: Arc<RefreshTokens>,
    live: Arc<Live>,
    throttle: Arc<Throttle>,
    pub(super) passwords: Arc<Passwords>,
    pub(super) pool: Arc<Pool>,
}

impl Sessions {
    pub fn new(parts: &Parts) -> Self {
        let pool = Arc::new(Pool::new());
        let settings = &parts.settings;
        Self {
            parts: parts.clone(),
            access: Arc::new(AccessTokens::new(&settings.keys, &settings.public_url)),
            refresh: Arc::new(RefreshTokens::new(&settings.keys)),
            live: Arc::default(),
            throttle: Arc::default(),
            passwords: Arc::new(Passwords::new(parts, pool.clone())),
            pool,
        }
    }

    /// Puts the numbers of passwords among those that are exposed.
    pub fn register(&self, to: &mut Registry) {
        self.passwords.register(to);
    }

    fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// Who shows this access token, if its login lives.
    pub async fn authenticate(&self, token: &str) -> Result<Caller, SessionError> {
        Ok(self.recognise(token).await?.0)
    }

    /// The same, with the person if the store had to be asked for them: who needs both asks once.
    pub async fn recognise(&self, token: &str) -> Result<(Caller, Option<User>), SessionError> {
        let access = match self.access.read(token, self.now()) {
            Ok(access) => access,
            Err(why) => {
                // Expired tokens are every day's business; the others are worth a look.
                if why != BadToken::Expired {
                    self.parts.events.note(Note::of(EventKind::TokenRefused).saying(why.to_string()));
                }
                return Err(SessionError::NotSignedIn);
            }
        };
        let Access { user, session, expires_at, guest } = access;
        match self.look(session, user).await? {
            Life::Ended => Err(SessionError::NotSignedIn),
            Life::Believed => Ok((Caller { user, session, expires_at, guest, bot: None }, None)),
            Life::Seen(record) => Ok((Caller { user, session, expires_at, guest, bot: None }, Some(record.user))),
        }
    }

    /// Whether a caller that was authenticated before still is: its access token has not ended and its login lives. A store
    /// that does not answer is an error, and no reason to close a socket.
    pub async fn still_valid(&self, caller: &Caller) -> Result<bool, SessionError> {
        Ok(self.now() < caller.expires_at && !matches!(self.look(caller.session, caller.user).await?, Life::Ended))
    }

    async fn look(&self, session: SessionId, user: UserId) -> Result<Life, SessionError> {
        let now = self.now();
        let Err(endings) = self.live.believe(session, user, now) else { return Ok(Life::Believed) };
        let Some((record, person)) = self.parts.store.session(session).await? else { return Ok(Life::Ended) };
        if record.user != user || !is_live(&record, now) || person.disabled {
            return Ok(Life::Ended);
        }
        self.live.remember(session, user, now, record.expires_at, endings);
        Ok(Life::Seen(Box::new(person)))
    }

    async fn enabled(&self, user: UserId) -> Result<Option<UserRecord>, SessionError> {
        Ok(self.parts.store.user(user).await?.filter(|record| !record.disabled))
    }

    /// The caller's live logins, newest first.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<SessionInfo>, SessionError> {
        let records = self.parts.store.sessions_of(caller.user, self.now()).await?;
        let info = |record: SessionRecord| SessionInfo {
            id: record.id,
            created_at: record.created_at,
            last_used_at: record.last_used_at,
            expires_at: record.expires_at,
            user_agent: record.user_agent,
            current: record.id == caller.session,
        };
        Ok(records.into_iter().map(info).collect())
    }

    /// Ends one of the caller's logins, maybe this one.
    pub async fn revoke(&self, caller: &Caller, session: SessionId) -> Result<(), SessionError> {
        if !self.parts.store.revoke_session(caller.user, session, self.now()).await? {
            return Err(SessionError::NotFound);
        }
        self.parts.events.note(Note::of(EventKind::Revoke).by(caller.user).login(session));
        self.ended(vec![session]);
        Ok(())
    }

    /// Ends all of the caller's logins but this one.
    pub async fn revoke_others(&self, caller: &Caller) -> Result<(), SessionError> {
        self.end_all_but(caller.user, Some(caller.session)).await
    }

    /// Ends all logins of a person but one.
    pub(super) async fn end_all_but(&self, user: UserId, except: Option<SessionId>) -> Result<(), SessionError> {
        let ended = self.parts.store.revoke_sessions_of(user, except, self.now()).await?;
        if !ended.is_empty() {
            self.parts.events.note(Note::of(EventKind::RevokeAll).by(user).times(ended.len()));
            self.ended(ended);
        }
        Ok(())
    }

    /// The owner proved to be there: wrong passwords of others do not hold up the next login.
    pub(super) fn forgive(&self, username: &Username) {
        self.throttle.forgive(username.as_str());
    }

    /// Forgets logins that ended on another node; for who hears of it from the bus.
    pub fn forget(&self, sessions: &[SessionId]) {
        self.live.forget(sessions);
    }

    /// Closes the connections of those of these logins (at most 500) that the store says are dead: what ended on another
    /// node may not have been heard here. Returns how many.
    pub async fn recheck(&self, sessions: &[SessionId]) -> Result<usize, SessionError> {
        let ended = self.parts.store.ended_among(sessions, self.now()).await?;
        let count = ended.len();
        if count > 0 {
            self.ended(ended);
        }
        Ok(count)
    }

    /// Removes logins from the store that ended a day ago or longer. Returns how many.
    pub async fn prune(&self) -> Result<u64, SessionError> {
        Ok(self.parts.store.prune_sessions(self.now().plus_millis(-KEPT_MS)).await?)
    }

    fn ended(&self, sessions: Vec<SessionId>) {
        self.live.forget(&sessions);
        self.parts.bus.publish(Notice::SessionsEnded { sessions });
    }
}

fn is_live(record: &SessionRecord, now: Timestamp) -> bool {
    record.revoked_at.is_none() && now < record.expires_at
}

#[cfg(test)]
mod tests;
