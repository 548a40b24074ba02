//! Integrations of a room over HTTP, for its administrators: extract, one call of the service, reply.

use super::error::ApiError;
use super::extract::{Body, Login, Path};
use crate::state::AppState;
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, Responder};
use natter_shared::account::Empty;
use natter_shared::error::ErrorBody;
use natter_shared::id::{RoomId, UserId};
use natter_shared::integration::{Integration, IntegrationForm, MadeIntegration};
use natter_shared::page::Page;
use natter_shared::path;

/// The webhooks and bots of a room: those that live, then the ones that were revoked last. Its administrators only.
#[utoipa::path(get, path = path::INTEGRATIONS, tag = "integrations", params(("room" = RoomId, Path)), responses(
    (status = 200, description = "Without their secrets", body = Page<Integration>),
    (status = 403, description = "forbidden", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn list(
    login: Login,
    state: Data<AppState>,
    room: Path<RoomId>,
) -> Result<Json<Page<Integration>>, ApiError> {
    let items = state.integrations.list(&login.0, room.0).await?;
    Ok(Json(Page { items, cursor: None }))
}

/// Make a webhook or a bot. The answer is the only one that holds its secret. Administrators of the room only.
#[utoipa::path(post, path = path::INTEGRATIONS, tag = "integrations", params(("room" = RoomId, Path)),
    request_body = IntegrationForm, responses(
    (status = 201, description = "It, with its secret", body = MadeIntegration),
    (status = 400, description = "invalid", body = ErrorBody),
    (status = 403, description = "forbidden", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
    (status = 409, description = "limit_reached or room_archived", body = ErrorBody),
    (status = 429, description = "rate_limited", body = ErrorBody),
))]
pub async fn make(
    login: Login,
    state: Data<AppState>,
    room: Path<RoomId>,
    form: Body<IntegrationForm>,
) -> Result<impl Responder, ApiError> {
    let made = state.integrations.make(&login.0, room.0, form.0).await?;
    Ok(HttpResponse::Created().json(made))
}

/// Revoke one and make another like it, with a new secret. Administrators of the room only.
#[utoipa::path(post, path = path::INTEGRATION, tag = "integrations",
    params(("room" = RoomId, Path), ("user" = UserId, Path)), request_body = Empty, responses(
    (status = 201, description = "The new one, with its secret", body = MadeIntegration),
    (status = 403, description = "forbidden", body = ErrorBody),
    (status = 404, description = "not_found: the room, or none of this id that lives", body = ErrorBody),
    (status = 409, description = "room_archived", body = ErrorBody),
    (status = 429, description = "rate_limited", body = ErrorBody),
))]
pub async fn renew(
    login: Login,
    state: Data<AppState>,
    path: Path<(RoomId, UserId)>,
    _: Body<Empty>,
) -> Result<impl Responder, ApiError> {
    let (room, user) = path.0;
    let made = state.integrations.renew(&login.0, room, user).await?;
    Ok(HttpResponse::Created().json(made))
}

/// Revoke one: its secret is good no longer, and it is out of the room. Administrators of the room only.
#[utoipa::path(delete, path = path::INTEGRATION, tag = "integrations",
    params(("room" = RoomId, Path), ("user" = UserId, Path)), responses(
    (status = 204, description = "It is out"),
    (status = 403, description = "forbidden", body = ErrorBody),
    (status = 404, description = "not_found: the room, or none of this id that lives", body = ErrorBody),
))]
pub async fn revoke(
    login: Login,
    state: Data<AppState>,
    path: Path<(RoomId, UserId)>,
) -> Result<HttpResponse, ApiError> {
    let (room, user) = path.0;
    state.integrations.revoke(&login.0, room, user).await?;
    Ok(HttpResponse::NoContent().finish())
}
