//! Who hears the names that are called in rooms: two rounds of reads, however many calls there are.

use super::Shared;
use super::document::{Id, MEMBER, Word};
use crate::store::{Call, Heard, StoreError, Stored};
use futures_util::TryStreamExt;
use mongodb::bson::{Document, Uuid, doc};
use natter_shared::id::{RoomId, UserId};
use natter_shared::room::Role;
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "_id")]
    id: Uuid,
    username: String,
}

#[derive(Deserialize)]
struct Size {
    #[serde(rename = "_id")]
    id: Uuid,
    member_count: i64,
}

pub(super) async fn heard(shared: &Shared, calls: &[Call]) -> Stored<Vec<Heard>> {
    let names: BTreeSet<&str> = calls.iter().flat_map(|call| &call.names).map(String::as_str).collect();
    let rooms: BTreeSet<RoomId> = calls.iter().map(|call| call.room).collect();
    let (people, sizes) = tokio::try_join!(named(shared, names), sizes(shared, rooms))?;
    let called = |call: &Call| -> Vec<UserId> {
        call.names.iter().filter_map(|name| people.get(name.as_str()).copied()).collect()
    };
    let mut which: Vec<Document> = Vec::with_capacity(calls.len());
    for call in calls {
        let mut people: Vec<Uuid> = called(call).into_iter().map(Id::stored).collect();
        people.push(call.author.stored());
        which.push(doc! { "room": call.room.stored(), "user": { "$in": people }, "state": MEMBER });
    }
    if which.is_empty() {
        return Ok(Vec::new());
    }
    let mut members: HashMap<(RoomId, UserId), Role> = HashMap::new();
    let mut found = shared.members.find(doc! { "$or": which }).await?;
    while let Some(member) = found.try_next().await? {
        members.insert((RoomId::of(member.room), UserId::of(member.user)), Role::of(&member.role)?);
    }
    let heard = |call: &Call| Heard {
        members: sizes.get(&call.room).copied().unwrap_or(0),
        role: members.get(&(call.room, call.author)).copied(),
        people: called(call).into_iter().filter(|user| members.contains_key(&(call.room, *user))).collect(),
    };
    Ok(calls.iter().map(heard).collect())
}

async fn named(shared: &Shared, names: BTreeSet<&str>) -> Stored<HashMap<String, UserId>> {
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let names: Vec<&str> = names.into_iter().collect();
    let users = shared.users.clone_with_type::<Named>();
    let found = users.find(doc! { "username": { "$in": names } }).projection(doc! { "username": 1 }).await?;
    Ok(found.map_ok(|user| (user.username, UserId::of(user.id))).try_collect().await?)
}

async fn sizes(shared: &Shared, rooms: BTreeSet<RoomId>) -> Stored<HashMap<RoomId, u32>> {
    let ids: Vec<Uuid> = rooms.into_iter().map(Id::stored).collect();
    let rooms = shared.rooms.clone_with_type::<Size>();
    let found = rooms.find(doc! { "_id": { "$in": ids } }).projection(doc! { "member_count": 1 }).await?;
    let found: Vec<Size> = found.try_collect().await?;
    let size = |room: Size| {
        let size = u32::try_from(room.member_count);
        let size = size.map_err(|_| StoreError::Broken("a stored number of members is none".into()))?;
        Ok((RoomId::of(room.id), size))
    };
    found.into_iter().map(size).collect()
}
