//! Administration of the server over HTTP: extract, one call of the service, reply.

use super::error::ApiError;
use super::extract::{Body, Login, Path, Query};
use crate::state::AppState;
use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use natter_shared::account::Empty;
use natter_shared::admin::{
    Account, AccountPatch, AdminRoom, EventPage, EventsQuery, Figures, FiguresQuery, Operations,
};
use natter_shared::error::ErrorBody;
use natter_shared::id::UserId;
use natter_shared::page::{ListQuery, Page};
use natter_shared::path;

/// The log of events, newest first. Administrators of the server only.
#[utoipa::path(get, path = path::ADMIN_EVENTS, tag = "administration", params(EventsQuery), responses(
    (status = 200, description = "A part of it, with the people it names", body = EventPage),
    (status = 400, description = "invalid", body = ErrorBody),
    (status = 403, description = "forbidden", body = ErrorBody),
))]
pub async fn events(
    login: Login,
    state: Data<AppState>,
    query: Query<EventsQuery>,
) -> Result<Json<EventPage>, ApiError> {
    Ok(Json(state.admin.events(&login.0, query.0).await?))
}

/// How much of what happened, in stretches of time. Administrators of the server only.
#[utoipa::path(get, path = path::ADMIN_FIGURES, tag = "administration", params(FiguresQuery), responses(
    (status = 200, description = "Oldest first, without a gap", body = Figures),
    (status = 400, description = "invalid", body = ErrorBody),
    (status = 403, description = "forbidden", body = ErrorBody),
))]
pub async fn figures(
    login: Login,
    state: Data<AppState>,
    query: Query<FiguresQuery>,
) -> Result<Json<Figures>, ApiError> {
    Ok(Json(state.admin.figures(&login.0, query.0).await?))
}

/// How long what this node is asked for takes: each node counts for itself, the one that answers tells. Administrators of
/// the server only.
#[utoipa::path(get, path = path::ADMIN_OPERATIONS, tag = "administration", responses(
    (status = 200, description = "Of the last hour, the slowest first", body = Operations),
    (status = 403, description = "forbidden", body = ErrorBody),
))]
pub async fn operations(login: Login, state: Data<AppState>) -> Result<Json<Operations>, ApiError> {
    Ok(Json(state.admin.operations(&login.0).await?))
}

/// Everybody, by username. Administrators of the server only.
#[utoipa::path(get, path = path::ADMIN_USERS, tag = "administration", params(ListQuery), responses(
    (status = 200, description = "A part of them", body = Page<Account>),
    (status = 400, description = "invalid", body = ErrorBody),
    (status = 403, description = "forbidden", body = ErrorBody),
))]
pub async fn users(
    login: Login,
    state: Data<AppState>,
    query: Query<ListQuery>,
) -> Result<Json<Page<Account>>, ApiError> {
    Ok(Json(state.admin.users(&login.0, query.0).await?))
}

/// Keep somebody out, or let them in again. Administrators of the server only.
#[utoipa::path(patch, path = path::ADMIN_USER, tag = "administration", params(("user" = UserId, Path)),
    request_body = AccountPatch, responses(
    (status = 200, description = "The account after the change; with `disabled` all its logins have ended", body = Account),
    (status = 403, description = "forbidden; also for oneself and the last administrator", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn change(
    login: Login,
    state: Data<AppState>,
    user: Path<UserId>,
    patch: Body<AccountPatch>,
) -> Result<Json<Account>, ApiError> {
    Ok(Json(state.admin.change(&login.0, user.0, patch.0).await?))
}

/// End all logins of somebody. Administrators of the server only.
#[utoipa::path(post, path = path::ADMIN_SIGN_OUT, tag = "administration", params(("user" = UserId, Path)),
    request_body = Empty, responses(
    (status = 204, description = "They are signed out everywhere"),
    (status = 403, description = "forbidden", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn sign_out(
    login: Login,
    state: Data<AppState>,
    user: Path<UserId>,
    _body: Body<Empty>,
) -> Result<HttpResponse, ApiError> {
    state.admin.sign_out(&login.0, user.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// All rooms, by name; no direct conversations. Administrators of the server only.
#[utoipa::path(get, path = path::ADMIN_ROOMS, tag = "administration", params(ListQuery), responses(
    (status = 200, description = "A part of them", body = Page<AdminRoom>),
    (status = 400, description = "invalid", body = ErrorBody),
    (status = 403, description = "forbidden", body = ErrorBody),
))]
pub async fn rooms(
    login: Login,
    state: Data<AppState>,
    query: Query<ListQuery>,
) -> Result<Json<Page<AdminRoom>>, ApiError> {
    Ok(Json(state.admin.rooms(&login.0, query.0).await?))
}
