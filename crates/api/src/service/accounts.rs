//! People: registering, the own profile and password, and finding others. An e-mail address is shown to its owner alone.

use super::events::Note;
use super::password::{PasswordError, Passwords, Verified};
use super::sessions::{SessionError, Sessions};
use super::strength::{Strength, judge};
use super::work::{Busy, Pool};
use super::{Caller, Origin, Parts, rate};
use crate::bus::TooOften;
use crate::clock::random;
use crate::store::{CreatedUser, Kept, KeptGuest, NewUser, StoreError, UserRecord};
use natter_shared::account::{
    CheckAnswer, CheckForm, Me, PasswordChange, ProfilePatch, RegisterForm, Registration, User,
};
use natter_shared::error::{FieldErrors, Fields};
use natter_shared::event::EventKind;
use natter_shared::id::UserId;
use natter_shared::limits;
use natter_shared::page::{ListQuery, Page, parse_limit};
use natter_shared::text::{Email, Password, Username, parse_query};
use std::sync::Arc;

/// People on a page, if no number is asked for.
const PEOPLE_DEFAULT: u32 = 20;
/// Free usernames that are offered in place of a taken one.
const SUGGESTIONS: usize = 3;

#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Fields hold something that is not accepted.
    #[error("not accepted: {0:?}")]
    Invalid(Fields),
    #[error("the username is taken")]
    UsernameTaken,
    /// Nobody has that username.
    #[error("no such person")]
    NotFound,
    /// The caller is not there any more.
    #[error("the account is gone")]
    Gone,
    /// The current password, asked for again, is wrong.
    #[error("wrong current password")]
    WrongPassword,
    /// The sentence says what they can do.
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("too often")]
    TooOften(TooOften),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("ending other logins: {0}")]
    Sessions(#[from] SessionError),
}

impl From<TooOften> for AccountError {
    fn from(too_often: TooOften) -> Self {
        Self::TooOften(too_often)
    }
}

/// All that is done with accounts. Cloning it is cheap and gives the same one.
#[derive(Clone)]
pub struct Accounts {
    parts: Parts,
    sessions: Sessions,
    passwords: Arc<Passwords>,
    pool: Arc<Pool>,
}

impl Accounts {
    pub fn new(parts: &Parts, sessions: &Sessions) -> Self {
        let (passwords, pool) = (sessions.passwords.clone(), sessions.pool.clone());
        Self { parts: parts.clone(), sessions: sessions.clone(), passwords, pool }
    }

    /// Makes an account. Only accounts that are made count towards the hourly rate; refused forms count as checks.
    pub async fn register(&self, form: RegisterForm, origin: &Origin) -> Result<User, AccountError> {
        self.parts.take_for_ip("check", origin.ip, rate::CHECK).await?;
        let new = self.acceptable(form).await?;
        self.parts.take_for_ip("register", origin.ip, rate::REGISTER).await?;
        let password_hash = Some(self.passwords.hash(&new.password).await?);
        let user = NewUser {
            id: UserId::from_random_bytes(random(&*self.parts.entropy)),
            username: new.username,
            display_name: new.display_name,
            email: Some(new.email),
            gender: new.gender,
            password_hash,
            guest: false,
            integration: None,
            created_at: self.parts.clock.now(),
        };
        match self.parts.store.create_user(user).await? {
            CreatedUser::Created(user) => {
                self.parts.events.note(Note::of(EventKind::Registered).by(user.id).from(origin));
                Ok(user)
            }
            CreatedUser::UsernameTaken => Err(AccountError::UsernameTaken),
        }
    }

    /// A registration whose username is free and whose password is strong.
    async fn acceptable(&self, form: RegisterForm) -> Result<Registration, AccountError> {
        let new = form.parse(self.parts.settings.password_min).map_err(AccountError::Invalid)?;
        if !self.parts.store.taken_usernames(std::slice::from_ref(&new.username)).await?.is_empty() {
            return Err(AccountError::UsernameTaken);
        }
        let about = [new.username.as_str(), new.email.as_str(), new.display_name.as_str()].map(str::to_owned);
        self.must_be_strong("password", &new.password, about.to_vec()).await?;
        Ok(new)
    }

    /// Makes an account of a guest, who stays who they are: in their room, with what they wrote.
    pub async fn keep(&self, caller: &Caller, form: RegisterForm, origin: &Origin) -> Result<Me, AccountError> {
        self.parts.take_for_ip("check", origin.ip, rate::CHECK).await?;
        let new = self.acceptable(form).await?;
        self.parts.take_for_ip("register", origin.ip, rate::REGISTER).await?;
        let account = KeptGuest {
            id: caller.user,
            username: new.username,
            display_name: new.display_name,
            email: new.email,
            gender: new.gender,
            password_hash: self.passwords.hash(&new.password).await?,
        };
        match self.parts.store.keep_guest(account).await? {
            Kept::Kept(record) => {
                self.parts.events.note(Note::of(EventKind::GuestKept).by(caller.user).from(origin));
                Ok(as_me(*record))
            }
            Kept::UsernameTaken => Err(AccountError::UsernameTaken),
            Kept::NoGuest => Err(AccountError::Forbidden("You have an account already")),
        }
    }

    /// Says of a form that is being filled in what is wrong so far. Usernames are public here, so whether one is taken is
    /// no secret; the rate keeps it from being a list.
    pub async fn check(&self, form: CheckForm, origin: &Origin) -> Result<CheckAnswer, AccountError> {
        self.parts.take_for_ip("check", origin.ip, rate::CHECK).await?;
        let mut errors = FieldErrors::default();
        let mut answer = CheckAnswer::default();
        let about: Vec<String> = [&form.username, &form.email].into_iter().flatten().cloned().collect();
        if let Some(name) = errors.check_optional("username", form.username, |name| Username::parse(&name))
            && !self.parts.store.taken_usernames(std::slice::from_ref(&name)).await?.is_empty()
        {
            errors.add("username", "This username is taken");
            answer.suggestions = self.free_names_near(&name).await?;
        }
        errors.check_optional("email", form.email, |email| Email::parse(&email));
        let min = self.parts.settings.password_min;
        if let Some(typed) = form.password {
            let accepted = errors.check("password", Password::parse(typed.expose(), min)).is_some();
            // A text that is too long for a password is not judged either.
            if let Some(password) =
                Password::to_compare(typed.expose()).filter(|password| !password.expose().is_empty())
            {
                let strength = self.strength(password, about).await?;
                if let Some(refusal) = strength.refusal().filter(|_| accepted) {
                    errors.add("password", refusal);
                }
                answer.password_score = Some(strength.score);
                answer.password_advice = strength.advice;
            }
        }
        answer.fields = errors.finish::<()>(None).err().unwrap_or_default();
        Ok(answer)
    }

    /// Up to three names that are free and begin like a taken one.
    async fn free_names_near(&self, name: &Username) -> Result<Vec<Username>, AccountError> {
        let stem = &name.as_str()[..name.as_str().len().min(limits::USERNAME_MAX - 4)];
        let numbers: [u8; 6] = random(&*self.parts.entropy);
        let candidates = ["2", "3", "7"].into_iter().map(|end| format!("{stem}{end}"));
        let candidates = candidates.chain(numbers.map(|n| format!("{stem}.{}", 10 + n % 90)));
        let mut candidates: Vec<Username> = candidates.filter_map(|name| Username::parse(&name).ok()).collect();
        let taken = self.parts.store.taken_usernames(&candidates).await?;
        candidates.retain(|name| !taken.contains(name));
        candidates.dedup();
        candidates.truncate(SUGGESTIONS);
        Ok(candidates)
    }

    async fn strength(&self, password: Password, about: Vec<String>) -> Result<Strength, AccountError> {
        let judged = self.pool.run(move || judge(&password, &about)).await;
        Ok(judged.map_err(|busy: Busy| PasswordError::from(busy))?)
    }

    async fn must_be_strong(&self, field: &str, password: &Password, about: Vec<String>) -> Result<(), AccountError> {
        match self.strength(password.clone(), about).await?.refusal() {
            None => Ok(()),
            Some(refusal) => Err(AccountError::Invalid([(field.to_owned(), refusal)].into())),
        }
    }

    async fn record(&self, caller: &Caller) -> Result<UserRecord, AccountError> {
        self.parts.store.user(caller.user).await?.ok_or(AccountError::Gone)
    }

    pub async fn me(&self, caller: &Caller) -> Result<Me, AccountError> {
        Ok(as_me(self.record(caller).await?))
    }

    /// Changes what the patch gives. Messages carry their author's profile as it is when they are read.
    pub async fn update(&self, caller: &Caller, patch: ProfilePatch) -> Result<Me, AccountError> {
        self.parts.take_for_user("profile", caller.user, rate::PROFILE).await?;
        let change = patch.parse().map_err(AccountError::Invalid)?;
        let record = self.parts.store.update_profile(caller.user, &change).await?;
        Ok(as_me(record.ok_or(AccountError::Gone)?))
    }

    /// Changes the password and ends all other logins. Needs the current one, for a browser that was left open is not its
    /// owner.
    pub async fn change_password(&self, caller: &Caller, change: PasswordChange) -> Result<(), AccountError> {
        self.parts.take_for_user("password", caller.user, rate::PASSWORD).await?;
        let record = self.record(caller).await?;
        let min = self.parts.settings.password_min;
        let mut errors = FieldErrors::default();
        let new = errors.check("new", Password::parse(change.new.expose(), min));
        let new = errors.finish(new).map_err(AccountError::Invalid)?;
        let current = Password::to_compare(change.current.expose()).ok_or(AccountError::WrongPassword)?;
        if self.passwords.verify(&current, record.password_hash.as_deref()).await? == Verified::Wrong {
            self.parts.events.note(Note::of(EventKind::PasswordChangeFailed).by(caller.user));
            return Err(AccountError::WrongPassword);
        }
        let user = &record.user;
        let email = record.email.as_ref().map_or("", Email::as_str);
        let about = [user.username.as_str(), email, user.display_name.as_str(), current.expose()].map(str::to_owned);
        self.must_be_strong("new", &new, about.to_vec()).await?;
        let hash = self.passwords.hash(&new).await?;

        // Other logins end first: if anything fails from here on, the person still has this login and one good password,
        // and can simply try again. They end once more for those who signed in with the old password in between.
        self.sessions.end_all_but(caller.user, Some(caller.session)).await?;
        {
            let _guard = self.passwords.replacing.lock().await;
            if self.record(caller).await?.password_hash != record.password_hash {
                return Err(AccountError::WrongPassword);
            }
            self.parts.store.set_password(caller.user, &hash).await?;
        }
        self.parts.events.note(Note::of(EventKind::PasswordChanged).by(caller.user));
        self.sessions.end_all_but(caller.user, Some(caller.session)).await?;
        self.sessions.forgive(&user.username);
        Ok(())
    }

    /// People whose username begins with the text, by username. The cursor is the last one's username.
    pub async fn search(&self, caller: &Caller, query: ListQuery) -> Result<Page<User>, AccountError> {
        if caller.guest {
            return Err(AccountError::Forbidden("Guests cannot look for people. Keep your account first"));
        }
        self.parts.take_for_user("people", caller.user, rate::PEOPLE).await?;
        let mut errors = FieldErrors::default();
        let prefix = errors.check("q", parse_query(query.q.as_deref().unwrap_or_default()));
        let limit = errors.check("limit", parse_limit(query.limit, limits::PAGE_MAX, PEOPLE_DEFAULT));
        let after = errors.check_optional("cursor", query.cursor, |cursor| Username::parse(&cursor));
        let (prefix, limit) = errors.finish(prefix.zip(limit)).map_err(AccountError::Invalid)?;
        let prefix = prefix.strip_prefix('@').unwrap_or(&prefix).to_lowercase();
        // Nobody's username holds anything else, so nobody is found by it.
        if !prefix.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b)) {
            return Ok(Page { items: Vec::new(), cursor: None });
        }
        let after = after.as_ref().map(Username::as_str);
        let mut items = self.parts.store.search_users(&prefix, after, limit + 1).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let cursor = items.last().filter(|_| more).map(|user| user.username.to_string());
        Ok(Page { items, cursor })
    }

    /// The person of that username.
    pub async fn profile(&self, _caller: &Caller, username: &str) -> Result<User, AccountError> {
        let username = Username::parse(username).map_err(|_| AccountError::NotFound)?;
        let record = self.parts.store.user_by_name(&username).await?;
        Ok(record.ok_or(AccountError::NotFound)?.user)
    }
}

pub(super) fn as_me(record: UserRecord) -> Me {
    Me { user: record.user, email: record.email, created_at: record.created_at, admin: record.admin }
}

#[cfg(test)]
mod tests;
