//! The life of a login: a family of refresh tokens, each good for one successor, from the first one to the end of all.

use super::{Opened, SessionError, Sessions, is_live};
use crate::clock::random;
use crate::service::events::Note;
use crate::service::token::access::Access;
use crate::service::token::refresh::{Presented, hash_of};
use crate::service::{Caller, Origin, rate};
use crate::store::{NewSession, Rotate, Rotation, SessionRecord};
use natter_shared::account::{Session, User};
use natter_shared::event::EventKind;
use natter_shared::id::{SessionId, UserId};
use natter_shared::timestamp::Timestamp;

/// How long the predecessor of a refresh token is still answered, with the same successor, while that is unused.
const GRACE_MS: i64 = 10_000;
/// What a browser calls itself is kept up to here, in characters.
const USER_AGENT_MAX: usize = 160;

impl Sessions {
    /// Begins a login of a person who has proved to be that person, or who just registered.
    pub async fn open(&self, user: User, origin: &Origin) -> Result<Opened, SessionError> {
        Ok(self.begin_family(user, false, origin).await?.1)
    }

    pub(super) async fn begin_family(
        &self,
        user: User,
        admin: bool,
        origin: &Origin,
    ) -> Result<(SessionId, Opened), SessionError> {
        let now = self.now();
        let id = SessionId::from_random_bytes(random(&*self.parts.entropy));
        let life = i64::try_from(self.parts.settings.refresh_ttl_s.saturating_mul(1_000)).unwrap_or(i64::MAX);
        let expires_at = now.plus_millis(life);
        let refresh = self.refresh.derive(id, 0);
        let session = NewSession {
            id,
            user: user.id,
            created_at: now,
            expires_at,
            user_agent: shortened(&origin.user_agent),
            token: hash_of(&refresh),
        };
        self.parts.store.create_session(session).await?;
        Ok((id, self.opened(id, (user, admin), refresh, now, expires_at)?))
    }

    /// Both tokens of a login, as a client gets them. The access token never outlives the login.
    fn opened(
        &self,
        session: SessionId,
        (user, admin): (User, bool),
        refresh: String,
        now: Timestamp,
        end: Timestamp,
    ) -> Result<Opened, SessionError> {
        let life = i64::try_from(self.parts.settings.access_ttl_s.saturating_mul(1_000)).unwrap_or(i64::MAX);
        let expires_at = now.plus_millis(life).min(end);
        let access = Access { user: user.id, session, expires_at, guest: user.guest };
        let access_token = self.access.sign(access, now, random(&*self.parts.entropy))?;
        // What a token says is in whole seconds, cut: so is what is said of it.
        let expires_in = expires_at.millis() / 1_000 - now.millis() / 1_000;
        let max_age = (end.millis() - now.millis()) / 1_000;
        Ok(Opened {
            session: Session { access_token, expires_in: u64::try_from(expires_in).unwrap_or(0), user, admin },
            refresh,
            refresh_max_age_s: u64::try_from(max_age).unwrap_or(0),
        })
    }

    /// Gives a successor for a refresh token, once, and a new access token. A token that was used before ends its login.
    pub async fn refresh(&self, refresh_token: &str, origin: &Origin) -> Result<Opened, SessionError> {
        self.parts.take_for_ip("refresh", origin.ip, rate::REFRESH).await?;
        let shown = self.refresh.read(refresh_token).ok_or(SessionError::NotSignedIn)?;
        let generation = shown.generation.checked_add(1).ok_or(SessionError::NotSignedIn)?;
        let next = self.refresh.derive(shown.session, generation);
        let now = self.now();
        let rotation = self.parts.store.rotate(Rotate {
            id: shown.session,
            presented: shown.hash,
            generation: shown.generation,
            next: hash_of(&next),
            was_ours: shown.was_ours,
            now,
            grace_ms: GRACE_MS,
        });
        let rotation = rotation.await?;
        let generation = match rotation {
            Rotation::Rotated { generation } | Rotation::Again { generation } => generation,
            Rotation::Reused => {
                let session = shown.session;
                let reused = Note::of(EventKind::RefreshTokenReused).login(session).from(origin);
                let whose = self.parts.store.session(session).await.ok().flatten().map(|(record, _)| record.user);
                self.parts.events.note(reused.by(whose));
                self.ended(vec![session]);
                return Err(SessionError::NotSignedIn);
            }
            Rotation::Unknown => {
                self.parts.events.note(Note::of(EventKind::RefreshRefused).from(origin));
                return Err(SessionError::NotSignedIn);
            }
        };
        let found = self.parts.store.session(shown.session).await?.filter(|(record, _)| is_live(record, now));
        let (record, person) = found.ok_or(SessionError::NotSignedIn)?;
        if person.disabled {
            self.end_all_but(record.user, None).await?;
            return Err(SessionError::NotSignedIn);
        }
        // What was given out first is given out again, even if the keys changed in between.
        let token = match rotation {
            Rotation::Again { .. } => self.refresh.find(record.id, generation, record.current).unwrap_or(next),
            _ => next,
        };
        self.parts.events.note(Note::of(EventKind::Refresh).by(record.user).login(record.id).from(origin));
        self.opened(record.id, (person.user, person.admin), token, now, record.expires_at)
    }

    /// Ends the login of an access token, of a refresh token, or of both. Either is enough; neither is `NotSignedIn`.
    pub async fn logout(&self, caller: Option<&Caller>, refresh_token: Option<&str>) -> Result<(), SessionError> {
        let mut ending: Vec<(UserId, SessionId)> =
            caller.map(|caller| (caller.user, caller.session)).into_iter().collect();
        if let Some(shown) = refresh_token.and_then(|token| self.refresh.read(token))
            && let Some((record, _)) = self.parts.store.session(shown.session).await?
            && belongs(&shown, &record)
            && ending.iter().all(|(_, session)| *session != record.id)
        {
            ending.push((record.user, record.id));
        }
        let now = self.now();
        let mut any = caller.is_some();
        for (user, session) in ending {
            if self.parts.store.revoke_session(user, session, now).await? {
                any = true;
                self.parts.events.note(Note::of(EventKind::Logout).by(user).login(session));
            }
            // Also if it had ended before: then this says it once more to whoever missed it.
            self.ended(vec![session]);
        }
        if any { Ok(()) } else { Err(SessionError::NotSignedIn) }
    }
}

/// Whether a token is, or was, one of this login's.
fn belongs(shown: &Presented, record: &SessionRecord) -> bool {
    shown.was_ours || shown.hash == record.current || record.previous == Some(shown.hash)
}

/// What a browser calls itself, on one line.
fn shortened(user_agent: &str) -> String {
    user_agent.chars().filter(|c| !c.is_control()).take(USER_AGENT_MAX).collect()
}
