//! Rooms over HTTP: extract, one call of the service, reply.

use super::error::ApiError;
use super::extract::{Body, From, Login, LoginOrBot, Path, Query};
use crate::state::AppState;
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, Responder};
use natter_shared::account::User;
use natter_shared::error::ErrorBody;
use natter_shared::id::{RoomId, UserId};
use natter_shared::page::{ListQuery, Page};
use natter_shared::path;
use natter_shared::room::{
    CodeForm, Member, NotifyForm, ReadForm, RemoveQuery, RoleForm, Room, RoomForm, RoomOverview, RoomPatch,
};
use natter_shared::text::JoinCode;

/// Make a room.
#[utoipa::path(post, path = path::ROOMS, tag = "rooms", request_body = RoomForm, responses(
    (status = 201, description = "The room; the caller owns it", body = Room),
    (status = 400, description = "invalid", body = ErrorBody),
    (status = 409, description = "room_name_taken or limit_reached", body = ErrorBody),
))]
pub async fn create(login: Login, state: Data<AppState>, form: Body<RoomForm>) -> Result<impl Responder, ApiError> {
    let room = state.rooms.create(&login.0, form.0).await?;
    Ok(HttpResponse::Created().json(room))
}

/// The directory of public rooms, by name.
#[utoipa::path(get, path = path::ROOMS, tag = "rooms", params(ListQuery), responses(
    (status = 200, description = "A part of the directory", body = Page<Room>),
    (status = 400, description = "invalid", body = ErrorBody),
))]
pub async fn directory(
    login: Login,
    state: Data<AppState>,
    query: Query<ListQuery>,
) -> Result<Json<Page<Room>>, ApiError> {
    Ok(Json(state.rooms.directory(&login.0, query.0).await?))
}

/// The rooms and direct conversations that one is in, with where one stands in each.
#[utoipa::path(get, path = path::MY_ROOMS, tag = "rooms", responses(
    (status = 200, description = "All of them", body = Page<RoomOverview>),
))]
pub async fn mine(login: Login, state: Data<AppState>) -> Result<Json<Page<RoomOverview>>, ApiError> {
    Ok(whole(state.rooms.mine(&login.0).await?))
}

/// A room. Public ones are visible to everybody.
#[utoipa::path(get, path = path::ROOM, tag = "rooms", params(("room" = RoomId, Path)), responses(
    (status = 200, description = "The room as the caller sees it", body = Room),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn get(login: Login, state: Data<AppState>, room: Path<RoomId>) -> Result<Json<Room>, ApiError> {
    Ok(Json(state.rooms.get(&login.0, room.0).await?))
}

/// Change a room's name, topic, visibility, or archive it. Administrators of the room only.
#[utoipa::path(patch, path = path::ROOM, tag = "rooms", params(("room" = RoomId, Path)), request_body = RoomPatch, responses(
    (status = 200, description = "The room after the change", body = Room),
    (status = 400, description = "invalid", body = ErrorBody),
    (status = 403, description = "forbidden", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
    (status = 409, description = "room_name_taken or room_archived", body = ErrorBody),
))]
pub async fn change(
    login: Login,
    state: Data<AppState>,
    room: Path<RoomId>,
    patch: Body<RoomPatch>,
) -> Result<Json<Room>, ApiError> {
    Ok(Json(state.rooms.change(&login.0, room.0, patch.0).await?))
}

/// Come into a public room.
#[utoipa::path(post, path = path::JOIN, tag = "rooms", params(("room" = RoomId, Path)), responses(
    (status = 200, description = "The room; also for who is in it already", body = Room),
    (status = 403, description = "forbidden: banned", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
    (status = 409, description = "room_archived or limit_reached", body = ErrorBody),
))]
pub async fn join(login: Login, state: Data<AppState>, room: Path<RoomId>) -> Result<Json<Room>, ApiError> {
    Ok(Json(state.rooms.join(&login.0, room.0).await?))
}

/// Come into the room of a code.
#[utoipa::path(post, path = path::JOIN_BY_CODE, tag = "rooms", request_body = CodeForm, responses(
    (status = 200, description = "The room; also for who is in it already", body = Room),
    (status = 400, description = "invalid", body = ErrorBody),
    (status = 404, description = "not_found: no room has this code", body = ErrorBody),
    (status = 409, description = "room_archived or limit_reached", body = ErrorBody),
    (status = 429, description = "rate_limited", body = ErrorBody),
))]
pub async fn join_by_code(
    login: Login,
    state: Data<AppState>,
    origin: From,
    form: Body<CodeForm>,
) -> Result<Json<Room>, ApiError> {
    Ok(Json(state.rooms.join_by_code(&login.0, &form.0, &origin.0).await?))
}

/// Go out of a room.
#[utoipa::path(post, path = path::LEAVE, tag = "rooms", params(("room" = RoomId, Path)), responses(
    (status = 204, description = "One is out"),
    (status = 403, description = "forbidden: not in it, or a direct conversation", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
    (status = 409, description = "last_owner", body = ErrorBody),
))]
pub async fn leave(login: Login, state: Data<AppState>, room: Path<RoomId>) -> Result<HttpResponse, ApiError> {
    state.rooms.leave(&login.0, room.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The room's join code. Administrators of the room only.
#[utoipa::path(get, path = path::CODE, tag = "rooms", params(("room" = RoomId, Path)), responses(
    (status = 200, description = "The code", body = CodeForm),
    (status = 403, description = "forbidden", body = ErrorBody),
    (status = 404, description = "not_found, or the code is switched off", body = ErrorBody),
))]
pub async fn code(login: Login, state: Data<AppState>, room: Path<RoomId>) -> Result<Json<CodeForm>, ApiError> {
    Ok(shown(&state.rooms.code(&login.0, room.0).await?))
}

/// A new join code; the old one is void. Administrators of the room only.
#[utoipa::path(post, path = path::CODE, tag = "rooms", params(("room" = RoomId, Path)), responses(
    (status = 200, description = "The new code", body = CodeForm),
    (status = 403, description = "forbidden", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn renew_code(login: Login, state: Data<AppState>, room: Path<RoomId>) -> Result<Json<CodeForm>, ApiError> {
    Ok(shown(&state.rooms.renew_code(&login.0, room.0).await?))
}

/// Switch the join code off. Administrators of the room only.
#[utoipa::path(delete, path = path::CODE, tag = "rooms", params(("room" = RoomId, Path)), responses(
    (status = 204, description = "There is no code"),
    (status = 403, description = "forbidden", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn drop_code(login: Login, state: Data<AppState>, room: Path<RoomId>) -> Result<HttpResponse, ApiError> {
    state.rooms.drop_code(&login.0, room.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The members of a room, owners first. Members only.
#[utoipa::path(get, path = path::MEMBERS, tag = "rooms", params(("room" = RoomId, Path)), responses(
    (status = 200, description = "All of them", body = Page<Member>),
    (status = 403, description = "forbidden: a public room that one is not in", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn members(
    login: LoginOrBot,
    state: Data<AppState>,
    room: Path<RoomId>,
) -> Result<Json<Page<Member>>, ApiError> {
    Ok(whole(state.rooms.members(&login.0, room.0).await?))
}

/// Give a member a role. Owners of the room only.
#[utoipa::path(put, path = path::MEMBER, tag = "rooms", params(("room" = RoomId, Path), ("user" = UserId, Path)),
    request_body = RoleForm, responses(
    (status = 200, description = "The member", body = Member),
    (status = 403, description = "forbidden", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
    (status = 409, description = "last_owner", body = ErrorBody),
))]
pub async fn set_role(
    login: Login,
    state: Data<AppState>,
    path: Path<(RoomId, UserId)>,
    form: Body<RoleForm>,
) -> Result<Json<Member>, ApiError> {
    let (room, user) = path.0;
    Ok(Json(state.rooms.set_role(&login.0, room, user, form.0.role).await?))
}

/// Remove a member, with `ban=true` for good. Administrators of the room only.
#[utoipa::path(delete, path = path::MEMBER, tag = "rooms",
    params(("room" = RoomId, Path), ("user" = UserId, Path), RemoveQuery), responses(
    (status = 204, description = "They are out"),
    (status = 400, description = "invalid: oneself", body = ErrorBody),
    (status = 403, description = "forbidden", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn remove(
    login: Login,
    state: Data<AppState>,
    path: Path<(RoomId, UserId)>,
    query: Query<RemoveQuery>,
) -> Result<HttpResponse, ApiError> {
    let (room, user) = path.0;
    state.rooms.remove(&login.0, room, user, query.0.ban).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who was banned from the room. Its administrators only.
#[utoipa::path(get, path = path::BANS, tag = "rooms", params(("room" = RoomId, Path)), responses(
    (status = 200, description = "All of them, by username", body = Page<User>),
    (status = 403, description = "forbidden", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn bans(login: Login, state: Data<AppState>, room: Path<RoomId>) -> Result<Json<Page<User>>, ApiError> {
    Ok(whole(state.rooms.bans(&login.0, room.0).await?))
}

/// Take a ban back: they may come in again. Administrators of the room only.
#[utoipa::path(delete, path = path::BAN, tag = "rooms",
    params(("room" = RoomId, Path), ("user" = UserId, Path)), responses(
    (status = 204, description = "They may come in again"),
    (status = 403, description = "forbidden", body = ErrorBody),
    (status = 404, description = "not_found: the room, or nobody banned of this id", body = ErrorBody),
))]
pub async fn unban(
    login: Login,
    state: Data<AppState>,
    path: Path<(RoomId, UserId)>,
) -> Result<HttpResponse, ApiError> {
    let (room, user) = path.0;
    state.rooms.unban(&login.0, room, user).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The direct conversation with somebody, made on first use.
#[utoipa::path(put, path = path::DM, tag = "rooms", params(("username" = String, Path)), responses(
    (status = 200, description = "The conversation", body = Room),
    (status = 400, description = "invalid: oneself", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn direct(login: Login, state: Data<AppState>, username: Path<String>) -> Result<Json<Room>, ApiError> {
    Ok(Json(state.rooms.direct(&login.0, &username.0).await?))
}

/// Say how far one has read. A watermark never goes back and never beyond the newest entry.
#[utoipa::path(put, path = path::READ, tag = "rooms", params(("room" = RoomId, Path)), request_body = ReadForm, responses(
    (status = 204, description = "Kept"),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn read(
    login: Login,
    state: Data<AppState>,
    room: Path<RoomId>,
    form: Body<ReadForm>,
) -> Result<HttpResponse, ApiError> {
    state.marks.read_durably(&login.0, room.0, form.0.seq).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Say what of a room calls for one's attention: everything, mentions, or nothing. It holds wherever one signs in.
#[utoipa::path(put, path = path::NOTIFY, tag = "rooms", params(("room" = RoomId, Path)), request_body = NotifyForm, responses(
    (status = 204, description = "Kept"),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn notify(
    login: Login,
    state: Data<AppState>,
    room: Path<RoomId>,
    form: Body<NotifyForm>,
) -> Result<HttpResponse, ApiError> {
    state.rooms.set_notify(&login.0, room.0, form.0.notify).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A list that comes in one part.
fn whole<T>(items: Vec<T>) -> Json<Page<T>> {
    Json(Page { items, cursor: None })
}

fn shown(code: &JoinCode) -> Json<CodeForm> {
    Json(CodeForm { code: code.as_str().to_owned() })
}
