//! Rooms: making, finding, joining, leaving, changing, and who is in them.

use super::client::{Api, Method};
use super::error::ApiError;
use natter_shared::account::{Empty, User};
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::limits::PAGE_MAX;
use natter_shared::page::Page;
use natter_shared::path;
use natter_shared::room::{
    CodeForm, Member, Notify, NotifyForm, ReadForm, Role, RoleForm, Room, RoomForm, RoomOverview, RoomPatch,
};
use natter_shared::text::Username;

pub async fn create(api: &Api, form: &RoomForm) -> Result<Room, ApiError> {
    api.send(Method::Post, path::ROOMS, Some(form)).await
}

/// A part of the directory of public rooms.
pub async fn directory(api: &Api, q: Option<String>, cursor: Option<String>) -> Result<Page<Room>, ApiError> {
    let query = [("q", q), ("limit", Some(PAGE_MAX.to_string())), ("cursor", cursor)];
    api.get(&path::with_query(path::ROOMS, &query)).await
}

/// All rooms and direct conversations that one is in.
pub async fn mine(api: &Api) -> Result<Vec<RoomOverview>, ApiError> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page: Page<RoomOverview> = api.get(&path::with_query(path::MY_ROOMS, &[("cursor", cursor)])).await?;
        all.extend(page.items);
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

pub async fn get(api: &Api, room: RoomId) -> Result<Room, ApiError> {
    api.get(&path::room(room)).await
}

pub async fn change(api: &Api, room: RoomId, patch: &RoomPatch) -> Result<Room, ApiError> {
    api.send(Method::Patch, &path::room(room), Some(patch)).await
}

pub async fn join(api: &Api, room: RoomId) -> Result<Room, ApiError> {
    api.send(Method::Post, &path::join(room), Some(&Empty {})).await
}

pub async fn join_by_code(api: &Api, code: &str) -> Result<Room, ApiError> {
    let form = CodeForm { code: code.to_owned() };
    api.send(Method::Post, path::JOIN_BY_CODE, Some(&form)).await
}

pub async fn leave(api: &Api, room: RoomId) -> Result<(), ApiError> {
    api.send(Method::Post, &path::leave(room), Some(&Empty {})).await
}

/// The room's join code.
pub async fn code(api: &Api, room: RoomId) -> Result<String, ApiError> {
    api.get::<CodeForm>(&path::code(room)).await.map(|answer| answer.code)
}

/// A new join code; the old one is void.
pub async fn renew_code(api: &Api, room: RoomId) -> Result<String, ApiError> {
    let answer: CodeForm = api.send(Method::Post, &path::code(room), Some(&Empty {})).await?;
    Ok(answer.code)
}

/// Switches the join code off.
pub async fn drop_code(api: &Api, room: RoomId) -> Result<(), ApiError> {
    api.send(Method::Delete, &path::code(room), None::<&Empty>).await
}

/// All members of a room.
pub async fn members(api: &Api, room: RoomId) -> Result<Vec<Member>, ApiError> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page: Page<Member> = api.get(&path::with_query(&path::members(room), &[("cursor", cursor)])).await?;
        all.extend(page.items);
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

pub async fn set_role(api: &Api, room: RoomId, user: UserId, role: Role) -> Result<(), ApiError> {
    let _: serde::de::IgnoredAny = api.send(Method::Put, &path::member(room, user), Some(&RoleForm { role })).await?;
    Ok(())
}

/// Takes somebody out of a room; `ban` keeps them out.
pub async fn remove(api: &Api, room: RoomId, user: UserId, ban: bool) -> Result<(), ApiError> {
    let path = path::with_query(&path::member(room, user), &[("ban", ban.then(|| "true".to_owned()))]);
    let _: serde::de::IgnoredAny = api.send(Method::Delete, &path, None::<&Empty>).await?;
    Ok(())
}

/// Who was banned from a room.
pub async fn bans(api: &Api, room: RoomId) -> Result<Vec<User>, ApiError> {
    let page: Page<User> = api.get(&path::bans(room)).await?;
    Ok(page.items)
}

/// Lets somebody who was banned come back.
pub async fn unban(api: &Api, room: RoomId, user: UserId) -> Result<(), ApiError> {
    api.send(Method::Delete, &path::ban(room, user), None::<&Empty>).await
}

/// The direct conversation with somebody, made on first use.
pub async fn direct(api: &Api, username: &Username) -> Result<Room, ApiError> {
    api.send(Method::Put, &path::dm(username), Some(&Empty {})).await
}

/// Tells how far one has read.
pub async fn read(api: &Api, room: RoomId, seq: Seq) -> Result<(), ApiError> {
    api.send(Method::Put, &path::read(room), Some(&ReadForm { seq })).await
}

/// Keeps what of a room calls for one's attention.
pub async fn set_notify(api: &Api, room: RoomId, notify: Notify) -> Result<(), ApiError> {
    api.send(Method::Put, &path::notify(room), Some(&NotifyForm { notify })).await
}
