//! People over HTTP: extract, one call of the service, reply.

use super::cookie;
use super::error::ApiError;
use super::extract::{Body, From, Login, Path, Query};
use crate::state::AppState;
use actix_web::HttpResponse;
use actix_web::http::header::SET_COOKIE;
use actix_web::web::{Data, Json};
use natter_shared::account::{AccountDeletion, CheckAnswer, CheckForm, Me, ProfilePatch, RegisterForm, User};
use natter_shared::error::ErrorBody;
use natter_shared::page::{ListQuery, Page};
use natter_shared::path;

/// What is wrong so far with a registration that is being filled in.
#[utoipa::path(post, path = path::CHECK, tag = "people", security(()), request_body = CheckForm, responses(
    (status = 200, description = "What is wrong with which field, and how good the password is", body = CheckAnswer),
    (status = 429, description = "rate_limited", body = ErrorBody),
    (status = 503, description = "retry", body = ErrorBody),
))]
pub async fn check(from: From, state: Data<AppState>, form: Body<CheckForm>) -> Result<Json<CheckAnswer>, ApiError> {
    Ok(Json(state.accounts.check(form.0, &from.0).await?))
}

/// One's own profile.
#[utoipa::path(get, path = path::ME, tag = "people", responses(
    (status = 200, description = "The profile, with the e-mail address", body = Me),
))]
pub async fn me(login: Login, state: Data<AppState>) -> Result<Json<Me>, ApiError> {
    Ok(Json(state.accounts.me(&login.0).await?))
}

/// Change one's own profile. What is left out stays.
#[utoipa::path(patch, path = path::ME, tag = "people", request_body = ProfilePatch, responses(
    (status = 200, description = "The profile after the change", body = Me),
    (status = 400, description = "invalid", body = ErrorBody),
    (status = 429, description = "rate_limited", body = ErrorBody),
))]
pub async fn update(login: Login, state: Data<AppState>, patch: Body<ProfilePatch>) -> Result<Json<Me>, ApiError> {
    Ok(Json(state.accounts.update(&login.0, patch.0).await?))
}

/// Delete one's own account, for good. Messages stay, without a name.
#[utoipa::path(delete, path = path::ME, tag = "people", request_body = AccountDeletion, responses(
    (status = 204, description = "It is gone: all logins have ended, all rooms are left, the username stays taken"),
    (status = 400, description = "invalid: the password is wrong", body = ErrorBody),
    (status = 409, description = "last_owner: others would be left in `fields.rooms` without an owner", body = ErrorBody),
    (status = 429, description = "rate_limited", body = ErrorBody),
    (status = 503, description = "retry", body = ErrorBody),
))]
pub async fn delete(
    login: Login,
    state: Data<AppState>,
    form: Body<AccountDeletion>,
) -> Result<HttpResponse, ApiError> {
    state.deletions.delete(&login.0, form.0).await?;
    let cookie = cookie::drop(state.origins.is_https());
    Ok(HttpResponse::NoContent().insert_header((SET_COOKIE, cookie)).finish())
}

/// Make an account of a guest, who stays in their room.
#[utoipa::path(post, path = path::KEEP, tag = "people", request_body = RegisterForm, responses(
    (status = 200, description = "The profile; refresh for a token that says so", body = Me),
    (status = 400, description = "invalid", body = ErrorBody),
    (status = 403, description = "forbidden: who asks has an account", body = ErrorBody),
    (status = 409, description = "username_taken", body = ErrorBody),
    (status = 429, description = "rate_limited", body = ErrorBody),
    (status = 503, description = "retry", body = ErrorBody),
))]
pub async fn keep(
    login: Login,
    from: From,
    state: Data<AppState>,
    form: Body<RegisterForm>,
) -> Result<Json<Me>, ApiError> {
    Ok(Json(state.accounts.keep(&login.0, form.0, &from.0).await?))
}

/// People whose username begins with `q`, by username.
#[utoipa::path(get, path = path::USERS, tag = "people", params(ListQuery), responses(
    (status = 200, description = "A part of them", body = Page<User>),
    (status = 400, description = "invalid", body = ErrorBody),
    (status = 429, description = "rate_limited", body = ErrorBody),
))]
pub async fn search(
    login: Login,
    state: Data<AppState>,
    query: Query<ListQuery>,
) -> Result<Json<Page<User>>, ApiError> {
    Ok(Json(state.accounts.search(&login.0, query.0).await?))
}

/// A person.
#[utoipa::path(get, path = path::USER, tag = "people", params(("username" = String, Path)), responses(
    (status = 200, description = "The profile as everybody may see it", body = User),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn profile(login: Login, state: Data<AppState>, username: Path<String>) -> Result<Json<User>, ApiError> {
    Ok(Json(state.accounts.profile(&login.0, &username.0).await?))
}
