//! People and logins: register, log in, profiles, one's own logins.

use super::client::{Api, Method};
use super::error::ApiError;
use natter_shared::account::{
    AccountDeletion, CheckAnswer, CheckForm, Empty, GuestForm, LoginForm, Me, PasswordChange, ProfilePatch,
    RegisterForm, Session, SessionInfo, User,
};
use natter_shared::id::SessionId;
use natter_shared::page::Page;
use natter_shared::path;
use natter_shared::text::Username;

pub async fn register(api: &Api, form: &RegisterForm) -> Result<Session, ApiError> {
    api.send_anonymously(Method::Post, path::REGISTER, form).await
}

pub async fn login(api: &Api, form: &LoginForm) -> Result<Session, ApiError> {
    api.send_anonymously(Method::Post, path::LOGIN, form).await
}

/// Comes into the room of a code under a name.
pub async fn guest(api: &Api, form: &GuestForm) -> Result<Session, ApiError> {
    api.send_anonymously(Method::Post, path::GUEST, form).await
}

/// Makes an account of the guest that one is. The next token says so.
pub async fn keep(api: &Api, form: &RegisterForm) -> Result<Me, ApiError> {
    api.send(Method::Post, path::KEEP, Some(form)).await
}

/// What is wrong with a form so far, while it is filled in.
pub async fn check(api: &Api, form: &CheckForm) -> Result<CheckAnswer, ApiError> {
    api.send_anonymously(Method::Post, path::CHECK, form).await
}

pub async fn me(api: &Api) -> Result<Me, ApiError> {
    api.get(path::ME).await
}

pub async fn change_me(api: &Api, patch: &ProfilePatch) -> Result<Me, ApiError> {
    api.send(Method::Patch, path::ME, Some(patch)).await
}

/// Has the drawn picture again.
pub async fn drop_avatar(api: &Api) -> Result<Me, ApiError> {
    api.send(Method::Delete, path::AVATAR, None::<&Empty>).await
}

pub async fn change_password(api: &Api, change: &PasswordChange) -> Result<(), ApiError> {
    api.send(Method::Post, path::PASSWORD, Some(change)).await
}

/// Deletes one's own account, for good.
pub async fn delete_me(api: &Api, form: &AccountDeletion) -> Result<(), ApiError> {
    api.send(Method::Delete, path::ME, Some(form)).await
}

pub async fn sessions(api: &Api) -> Result<Vec<SessionInfo>, ApiError> {
    let page: Page<SessionInfo> = api.get(path::SESSIONS).await?;
    Ok(page.items)
}

pub async fn end_session(api: &Api, session: SessionId) -> Result<(), ApiError> {
    api.send(Method::Delete, &path::session(session), None::<&Empty>).await
}

/// Ends all logins but this one.
pub async fn end_other_sessions(api: &Api) -> Result<(), ApiError> {
    api.send(Method::Delete, path::SESSIONS, None::<&Empty>).await
}

/// People whose username starts with `q`.
pub async fn search(api: &Api, q: &str, limit: u32) -> Result<Vec<User>, ApiError> {
    let query = [("q", Some(q.to_owned())), ("limit", Some(limit.to_string()))];
    let page: Page<User> = api.get(&path::with_query(path::USERS, &query)).await?;
    Ok(page.items)
}

pub async fn profile(api: &Api, username: &Username) -> Result<User, ApiError> {
    api.get(&path::user(username)).await
}
