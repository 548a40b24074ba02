//! Logins over HTTP: extract, one call of the service, reply. The refresh token travels as a cookie, never in a body.

use super::cookie;
use super::error::ApiError;
use super::extract::{Body, From, Login, Path, bearer};
use super::own_page::OwnPage;
use crate::service::sessions::{Opened, SessionError};
use crate::state::AppState;
use actix_web::http::header::SET_COOKIE;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use natter_shared::account::{Empty, GuestForm, LoginForm, PasswordChange, RegisterForm, Session, SessionInfo};
use natter_shared::error::ErrorBody;
use natter_shared::id::SessionId;
use natter_shared::page::Page;
use natter_shared::path;

/// Make an account and sign in.
#[utoipa::path(post, path = path::REGISTER, tag = "logins", security(()), request_body = RegisterForm, responses(
    (status = 201, description = "Signed in; the refresh token is a cookie", body = Session),
    (status = 400, description = "invalid: every field that is not accepted, with a reason", body = ErrorBody),
    (status = 403, description = "bad_origin", body = ErrorBody),
    (status = 409, description = "username_taken", body = ErrorBody),
    (status = 429, description = "rate_limited", body = ErrorBody),
    (status = 503, description = "retry", body = ErrorBody),
))]
pub async fn register(
    _: OwnPage,
    from: From,
    state: Data<AppState>,
    form: Body<RegisterForm>,
) -> Result<HttpResponse, ApiError> {
    let user = state.accounts.register(form.0, &from.0).await?;
    let opened = state.sessions.open(user, &from.0).await?;
    Ok(reply(HttpResponse::Created(), opened, &state))
}

/// Come into the room of a code under a name, without an account.
#[utoipa::path(post, path = path::GUEST, tag = "logins", security(()), request_body = GuestForm, responses(
    (status = 201, description = "Signed in as a guest who is in that room", body = Session),
    (status = 400, description = "invalid", body = ErrorBody),
    (status = 403, description = "bad_origin", body = ErrorBody),
    (status = 404, description = "not_found: no room that is open has this code", body = ErrorBody),
    (status = 429, description = "rate_limited", body = ErrorBody),
    (status = 503, description = "retry", body = ErrorBody),
))]
pub async fn guest(
    _: OwnPage,
    from: From,
    state: Data<AppState>,
    form: Body<GuestForm>,
) -> Result<HttpResponse, ApiError> {
    let opened = state.guests.enter(&form.0, &from.0).await?;
    Ok(reply(HttpResponse::Created(), opened, &state))
}

/// Sign in.
#[utoipa::path(post, path = path::LOGIN, tag = "logins", security(()), request_body = LoginForm, responses(
    (status = 200, description = "Signed in; the refresh token is a cookie", body = Session),
    (status = 401, description = "bad_credentials: the name or the password, nobody is told which", body = ErrorBody),
    (status = 403, description = "bad_origin", body = ErrorBody),
    (status = 429, description = "rate_limited", body = ErrorBody),
    (status = 503, description = "retry", body = ErrorBody),
))]
pub async fn login(
    _: OwnPage,
    from: From,
    state: Data<AppState>,
    form: Body<LoginForm>,
) -> Result<HttpResponse, ApiError> {
    let opened = state.sessions.login(form.0, &from.0).await?;
    Ok(reply(HttpResponse::Ok(), opened, &state))
}

/// Get a new access token for the refresh cookie, which is renewed as well.
#[utoipa::path(post, path = path::REFRESH, tag = "logins", security(()), request_body = Empty, responses(
    (status = 200, description = "Still signed in", body = Session),
    (status = 401, description = "not_signed_in: no cookie, or that of a login that has ended", body = ErrorBody),
    (status = 403, description = "bad_origin", body = ErrorBody),
    (status = 503, description = "retry", body = ErrorBody),
))]
pub async fn refresh(
    _: OwnPage,
    from: From,
    state: Data<AppState>,
    _body: Body<Empty>,
    req: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let token = cookie::refresh_token(&req, state.origins.is_https()).ok_or_else(ApiError::not_signed_in)?;
    let opened = state.sessions.refresh(token, &from.0).await?;
    Ok(reply(HttpResponse::Ok(), opened, &state))
}

/// End this login: its tokens and its sockets, at once. Either token is enough to say which login it is.
#[utoipa::path(post, path = path::LOGOUT, tag = "logins", security((), ("access_token" = [])), request_body = Empty, responses(
    (status = 204, description = "Signed out"),
    (status = 401, description = "not_signed_in: neither token is of a login that lives", body = ErrorBody),
    (status = 403, description = "bad_origin", body = ErrorBody),
    (status = 503, description = "retry", body = ErrorBody),
))]
pub async fn logout(
    _: OwnPage,
    state: Data<AppState>,
    _body: Body<Empty>,
    req: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let https = state.origins.is_https();
    let caller = match bearer(&req) {
        Some(token) => match state.sessions.authenticate(token).await {
            Ok(caller) => Some(caller),
            Err(SessionError::NotSignedIn) => None,
            Err(error) => return Err(error.into()),
        },
        None => None,
    };
    state.sessions.logout(caller.as_ref(), cookie::refresh_token(&req, https)).await?;
    Ok(HttpResponse::NoContent().insert_header((SET_COOKIE, cookie::drop(https))).finish())
}

/// One's own logins, newest first.
#[utoipa::path(get, path = path::SESSIONS, tag = "logins", responses(
    (status = 200, description = "All that live", body = Page<SessionInfo>),
))]
pub async fn sessions(login: Login, state: Data<AppState>) -> Result<Json<Page<SessionInfo>>, ApiError> {
    let items = state.sessions.list(&login.0).await?;
    Ok(Json(Page { items, cursor: None }))
}

/// End one of one's own logins.
#[utoipa::path(delete, path = path::SESSION, tag = "logins", params(("session" = SessionId, Path)), responses(
    (status = 204, description = "It has ended, and its sockets are closed"),
    (status = 404, description = "not_found: no live login of one's own has this id", body = ErrorBody),
))]
pub async fn revoke(login: Login, state: Data<AppState>, session: Path<SessionId>) -> Result<HttpResponse, ApiError> {
    state.sessions.revoke(&login.0, session.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// End all of one's own logins but this one.
#[utoipa::path(delete, path = path::SESSIONS, tag = "logins", responses(
    (status = 204, description = "They have ended, and their sockets are closed"),
))]
pub async fn revoke_others(login: Login, state: Data<AppState>) -> Result<HttpResponse, ApiError> {
    state.sessions.revoke_others(&login.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Change the password. All other logins end.
#[utoipa::path(post, path = path::PASSWORD, tag = "logins", request_body = PasswordChange, responses(
    (status = 204, description = "The new password counts from now on"),
    (status = 400, description = "invalid: the current password is wrong, or the new one is not accepted", body = ErrorBody),
    (status = 429, description = "rate_limited", body = ErrorBody),
    (status = 503, description = "retry", body = ErrorBody),
))]
pub async fn password(
    login: Login,
    state: Data<AppState>,
    change: Body<PasswordChange>,
) -> Result<HttpResponse, ApiError> {
    state.accounts.change_password(&login.0, change.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn reply(mut response: HttpResponseBuilder, opened: Opened, state: &AppState) -> HttpResponse {
    let cookie = cookie::keep(&opened.refresh, opened.refresh_max_age_s, state.origins.is_https());
    response.insert_header((SET_COOKIE, cookie)).json(opened.session)
}
