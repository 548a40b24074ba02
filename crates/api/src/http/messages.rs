//! Messages over HTTP: extract, one call of the service, reply.

use super::error::ApiError;
use super::extract::{Body, Login, LoginOrBot, Path, Query};
use crate::service::messages::Sent;
use crate::state::AppState;
use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use natter_shared::entry::{EditForm, Entry, Message, MessageForm};
use natter_shared::error::ErrorBody;
use natter_shared::id::{RoomId, Seq};
use natter_shared::page::{EntriesQuery, EntryPage, MessagePage, MessagesQuery, Page, SearchQuery};
use natter_shared::path;

/// Say something. Send again with the same `client_id` until there is an answer other than `retry`.
#[utoipa::path(post, path = path::MESSAGES, tag = "messages", params(("room" = RoomId, Path)), request_body = MessageForm, responses(
    (status = 201, description = "The entry, stored durably", body = Entry),
    (status = 200, description = "A repeat: the first entry again", body = Entry),
    (status = 400, description = "invalid", body = ErrorBody),
    (status = 403, description = "forbidden: a public room that one is not in", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
    (status = 409, description = "room_archived", body = ErrorBody),
    (status = 429, description = "rate_limited", body = ErrorBody),
    (status = 503, description = "retry: the outcome is unknown", body = ErrorBody),
))]
pub async fn send(
    login: LoginOrBot,
    state: Data<AppState>,
    room: Path<RoomId>,
    form: Body<MessageForm>,
) -> Result<HttpResponse, ApiError> {
    let Sent { entry, again } = state.messages.send(&login.0, room.0, form.0).await?;
    let mut answer = if again { HttpResponse::Ok() } else { HttpResponse::Created() };
    Ok(answer.json(entry))
}

/// A page of messages as they stand now, oldest first, and the events between them. Members only.
#[utoipa::path(get, path = path::MESSAGES, tag = "messages", params(("room" = RoomId, Path), MessagesQuery), responses(
    (status = 200, description = "The page; the newest messages if no place is given", body = MessagePage),
    (status = 400, description = "invalid", body = ErrorBody),
    (status = 403, description = "forbidden: a public room that one is not in", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn page(
    login: LoginOrBot,
    state: Data<AppState>,
    room: Path<RoomId>,
    query: Query<MessagesQuery>,
) -> Result<Json<MessagePage>, ApiError> {
    Ok(Json(state.messages.page(&login.0, room.0, query.0).await?))
}

/// A stretch of the raw log, for catching up. Members only.
#[utoipa::path(get, path = path::ENTRIES, tag = "messages", params(("room" = RoomId, Path), EntriesQuery), responses(
    (status = 200, description = "Consecutive entries after the cursor", body = EntryPage),
    (status = 400, description = "invalid: also a cursor beyond the newest entry", body = ErrorBody),
    (status = 403, description = "forbidden: a public room that one is not in", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn entries(
    login: LoginOrBot,
    state: Data<AppState>,
    room: Path<RoomId>,
    query: Query<EntriesQuery>,
) -> Result<Json<EntryPage>, ApiError> {
    Ok(Json(state.messages.entries(&login.0, room.0, query.0).await?))
}

/// Change the text of one's own message.
#[utoipa::path(patch, path = path::MESSAGE, tag = "messages", params(("room" = RoomId, Path), ("seq" = Seq, Path)),
    request_body = EditForm, responses(
    (status = 200, description = "The entry", body = Entry),
    (status = 400, description = "invalid", body = ErrorBody),
    (status = 403, description = "forbidden: not its author, or a message to one person", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
    (status = 409, description = "room_archived", body = ErrorBody),
    (status = 503, description = "retry: the outcome is unknown", body = ErrorBody),
))]
pub async fn edit(
    login: LoginOrBot,
    state: Data<AppState>,
    path: Path<(RoomId, Seq)>,
    form: Body<EditForm>,
) -> Result<Json<Entry>, ApiError> {
    let (room, target) = path.0;
    Ok(Json(state.messages.edit(&login.0, room, target, form.0).await?.entry))
}

/// Delete one's own message; administrators of the room anybody's.
#[utoipa::path(delete, path = path::MESSAGE, tag = "messages", params(("room" = RoomId, Path), ("seq" = Seq, Path)), responses(
    (status = 200, description = "The entry; the first one if it was deleted before", body = Entry),
    (status = 403, description = "forbidden", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
    (status = 409, description = "room_archived", body = ErrorBody),
    (status = 503, description = "retry: the outcome is unknown", body = ErrorBody),
))]
pub async fn delete(
    login: LoginOrBot,
    state: Data<AppState>,
    path: Path<(RoomId, Seq)>,
) -> Result<Json<Entry>, ApiError> {
    let (room, target) = path.0;
    Ok(Json(state.messages.delete(&login.0, room, target).await?.entry))
}

/// React to a message.
#[utoipa::path(put, path = path::REACTION, tag = "messages",
    params(("room" = RoomId, Path), ("seq" = Seq, Path), ("emoji" = String, Path)), responses(
    (status = 200, description = "The entry; the first one if the reaction is there", body = Entry),
    (status = 400, description = "invalid: not an emoji", body = ErrorBody),
    (status = 403, description = "forbidden: a message to one person", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
    (status = 409, description = "room_archived or limit_reached", body = ErrorBody),
))]
pub async fn react(
    login: LoginOrBot,
    state: Data<AppState>,
    path: Path<(RoomId, Seq, String)>,
) -> Result<Json<Entry>, ApiError> {
    let (room, target, emoji) = path.0;
    Ok(Json(state.messages.react(&login.0, room, target, &emoji).await?.entry))
}

/// Take a reaction back.
#[utoipa::path(delete, path = path::REACTION, tag = "messages",
    params(("room" = RoomId, Path), ("seq" = Seq, Path), ("emoji" = String, Path)), responses(
    (status = 200, description = "The entry; the first one if it was taken back before", body = Entry),
    (status = 400, description = "invalid: not an emoji", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
    (status = 409, description = "room_archived", body = ErrorBody),
))]
pub async fn unreact(
    login: LoginOrBot,
    state: Data<AppState>,
    path: Path<(RoomId, Seq, String)>,
) -> Result<Json<Entry>, ApiError> {
    let (room, target, emoji) = path.0;
    Ok(Json(state.messages.unreact(&login.0, room, target, &emoji).await?.entry))
}

/// Pin a message, for all who are in the room. Administrators of the room; in a direct conversation both.
#[utoipa::path(put, path = path::PIN, tag = "messages", params(("room" = RoomId, Path), ("seq" = Seq, Path)), responses(
    (status = 200, description = "The entry; the first one if it was pinned before", body = Entry),
    (status = 403, description = "forbidden: not an administrator of the room, or a message to one person", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
    (status = 409, description = "room_archived or limit_reached", body = ErrorBody),
))]
pub async fn pin(login: Login, state: Data<AppState>, path: Path<(RoomId, Seq)>) -> Result<Json<Entry>, ApiError> {
    let (room, target) = path.0;
    Ok(Json(state.messages.pin(&login.0, room, target).await?.entry))
}

/// Take a pin away.
#[utoipa::path(delete, path = path::PIN, tag = "messages", params(("room" = RoomId, Path), ("seq" = Seq, Path)), responses(
    (status = 200, description = "The entry; the first one if it was taken away before", body = Entry),
    (status = 403, description = "forbidden", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
    (status = 409, description = "room_archived", body = ErrorBody),
))]
pub async fn unpin(login: Login, state: Data<AppState>, path: Path<(RoomId, Seq)>) -> Result<Json<Entry>, ApiError> {
    let (room, target) = path.0;
    Ok(Json(state.messages.unpin(&login.0, room, target).await?.entry))
}

/// The pinned messages of a room, what was pinned last first; all of them, for there are few. Members only.
#[utoipa::path(get, path = path::PINS, tag = "messages", params(("room" = RoomId, Path)), responses(
    (status = 200, description = "The messages as they stand now", body = Page<Message>),
    (status = 403, description = "forbidden: a public room that one is not in", body = ErrorBody),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn pins(login: Login, state: Data<AppState>, room: Path<RoomId>) -> Result<Json<Page<Message>>, ApiError> {
    Ok(Json(state.messages.pins(&login.0, room.0).await?))
}

/// Search the messages of one's own rooms, newest first.
#[utoipa::path(get, path = path::SEARCH, tag = "messages", params(SearchQuery), responses(
    (status = 200, description = "A part of what was found", body = Page<Message>),
    (status = 400, description = "invalid", body = ErrorBody),
    (status = 404, description = "not_found: the room asked for", body = ErrorBody),
    (status = 429, description = "rate_limited", body = ErrorBody),
))]
pub async fn search(
    login: Login,
    state: Data<AppState>,
    query: Query<SearchQuery>,
) -> Result<Json<Page<Message>>, ApiError> {
    Ok(Json(state.messages.search(&login.0, query.0).await?))
}
