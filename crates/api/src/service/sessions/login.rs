//! Signing in by username and password. Unknown names, disabled accounts and wrong passwords take the same way and get the
//! same answer.

use super::{Opened, SessionError, Sessions};
use crate::bus::TooOften;
use crate::service::events::Note;
use crate::service::password::Verified;
use crate::service::throttle::Attempt;
use crate::service::{Origin, rate};
use natter_shared::account::LoginForm;
use natter_shared::event::EventKind;
use natter_shared::id::UserId;
use natter_shared::text::{Password, Username};

impl Sessions {
    /// Signs in by username and password.
    pub async fn login(&self, form: LoginForm, origin: &Origin) -> Result<Opened, SessionError> {
        self.parts.take_for_ip("login", origin.ip, rate::LOGIN).await?;
        // A name that nobody can have, and a password that none can be, fail like any wrong ones.
        let name = Username::parse(&form.username).ok();
        let attempt = match &name {
            Some(name) if self.parts.settings.rate_limits => Some(self.begin(name, origin)?),
            _ => None,
        };
        let mut whose = None;
        match self.sign_in(name.as_ref(), &form.password, origin, &mut whose).await {
            Ok(opened) => {
                if let Some(attempt) = attempt {
                    self.throttle.right(attempt, self.now());
                }
                self.parts.events.note(Note::of(EventKind::Login).by(opened.session.user.id).from(origin));
                Ok(opened)
            }
            Err(SessionError::BadCredentials) => {
                let failed = Note::of(EventKind::LoginFailed).by(whose).from(origin);
                // Never the text of a name that is none: people type their password there.
                self.parts.events.note(match name {
                    Some(name) => failed.saying(name.to_string()),
                    None => failed,
                });
                Err(SessionError::BadCredentials)
            }
            Err(error) => {
                if let Some(attempt) = attempt {
                    self.throttle.void(&attempt);
                }
                Err(error)
            }
        }
    }

    fn begin(&self, name: &Username, origin: &Origin) -> Result<Attempt, TooOften> {
        let begun = self.throttle.begin(name.as_str(), rate::network(origin.ip), self.now());
        if begun.is_err() {
            self.parts.events.note(Note::of(EventKind::LoginThrottled).saying(name.to_string()).from(origin));
        }
        begun
    }

    /// Tells in `whose` whose login it would be, also where it fails.
    async fn sign_in(
        &self,
        name: Option<&Username>,
        password: &Password,
        origin: &Origin,
        whose: &mut Option<UserId>,
    ) -> Result<Opened, SessionError> {
        let record = match name {
            Some(name) => self.parts.store.user_by_name(name).await?,
            None => None,
        };
        *whose = record.as_ref().map(|record| record.user.id);
        let typed = Password::to_compare(password.expose());
        let kept = record.as_ref().and_then(|record| record.password_hash.as_deref());
        let verified = self.passwords.verify(typed.as_ref().unwrap_or(password), kept).await?;
        let (Some(record), Some(typed)) = (record, typed) else { return Err(SessionError::BadCredentials) };
        if verified == Verified::Wrong || record.disabled {
            return Err(SessionError::BadCredentials);
        }
        let mut kept = record.password_hash;
        if verified == Verified::Outdated {
            kept = self.renew_hash(record.user.id, &typed, kept).await?;
        }
        let user = record.user.id;
        let (session, opened) = self.begin_family(record.user, record.admin, origin).await?;
        // The password may have been changed while this one was compared; then this login must not outlive the change.
        let now_kept = self.enabled(user).await?.and_then(|record| record.password_hash);
        if now_kept != kept {
            self.parts.store.revoke_session(user, session, self.now()).await?;
            return Err(SessionError::BadCredentials);
        }
        Ok(opened)
    }

    /// Keeps a password under today's pepper and cost, unless it was changed meanwhile or there is no core to spare.
    /// Returns what is kept of this password now.
    async fn renew_hash(
        &self,
        user: UserId,
        password: &Password,
        kept: Option<String>,
    ) -> Result<Option<String>, SessionError> {
        let hash = match self.passwords.hash(password).await {
            Ok(hash) => hash,
            Err(error) => {
                tracing::info!(user = %user, %error, "an outdated password hash stays until the next login");
                return Ok(kept);
            }
        };
        let _guard = self.passwords.replacing.lock().await;
        let now_kept = self.enabled(user).await?.and_then(|record| record.password_hash);
        if now_kept != kept {
            return Ok(kept);
        }
        self.parts.store.set_password(user, &hash).await?;
        self.parts.events.note(Note::of(EventKind::PasswordRehashed).by(user));
        Ok(Some(hash))
    }
}
