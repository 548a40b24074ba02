//! Rooms and who is in them: the `rooms` and `members` collections. Where a room's log stands is asked of the log, and
//! before the rest: what is then read is no older than the head that comes with it.

use super::document::{BANNED, EntryDoc, FORMER, Id, MEMBER, MemberDoc, RoomDoc, Word, date, int, seq, time};
use super::fault::duplicate;
use super::indexes::{CODE, NAME_KEY};
use super::transaction::{Pauses, Transaction, is_transient};
use super::{Mongo, Shared, directs, overviews};
use crate::store::{
    CreatedRoom, MemberRecord, NewEntry, NewRoomRecord, OverviewRecord, RoomRecord, Rooms, SetCode, Standing,
    StoreError, Stored,
};
use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::bson::{Document, Uuid, doc};
use mongodb::error::Result;
use natter_shared::account::User;
use natter_shared::entry::EntryKind;
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::room::{Notify, Role, RoomKind, Visibility};
use natter_shared::text::{JoinCode, RoomName, Topic};
use natter_shared::timestamp::Timestamp;
use serde::Deserialize;
use std::cmp::Reverse;
use std::collections::HashMap;

const FIRST: Seq = Seq::ZERO.next();

impl RoomDoc {
    fn new(new: &NewRoomRecord) -> Self {
        Self {
            id: new.id.stored(),
            kind: RoomKind::Room.word().to_owned(),
            name: new.name.as_str().to_owned(),
            name_key: Some(new.name.key()),
            topic: new.topic.as_str().to_owned(),
            visibility: new.visibility.word().to_owned(),
            archived: false,
            created_at: date(new.created_at),
            owner: Some(new.owner.stored()),
            member_count: 1,
            code: Some(new.code.as_str().to_owned()),
            peers: None,
            pair: None,
        }
    }

    pub(super) fn record(self, head: Seq) -> Stored<RoomRecord> {
        let count = u32::try_from(self.member_count);
        Ok(RoomRecord {
            id: RoomId::of(self.id),
            kind: RoomKind::of(&self.kind)?,
            name: RoomName::from_stored(self.name),
            topic: Topic::from_stored(self.topic),
            visibility: Visibility::of(&self.visibility)?,
            archived: self.archived,
            created_at: time(self.created_at),
            owner: self.owner.map(UserId::of),
            member_count: count.map_err(|_| StoreError::Broken("a stored number of members is none".into()))?,
            code: self.code.map(JoinCode::from_stored),
            head,
            peers: self.peers.map(|[a, b]| (UserId::of(a), UserId::of(b))),
        })
    }
}

impl MemberDoc {
    fn owner(new: &NewRoomRecord) -> Self {
        Self {
            room: new.id.stored(),
            user: new.owner.stored(),
            state: MEMBER.to_owned(),
            role: Role::Owner.word().to_owned(),
            joined: Some(int(FIRST)),
            delivered: int(FIRST),
            read: int(FIRST),
            notify: None,
        }
    }

    pub(super) fn notify(&self) -> Stored<Notify> {
        self.notify.as_deref().map_or(Ok(Notify::default()), Notify::of)
    }

    pub(super) fn standing(&self) -> Stored<Standing> {
        match self.state.as_str() {
            MEMBER => Ok(Standing::Member(Role::of(&self.role)?)),
            FORMER => Ok(Standing::Former),
            BANNED => Ok(Standing::Banned),
            other => Err(StoreError::Broken(format!("a member is in the unknown state {other:?}"))),
        }
    }

    fn record(&self, user: User) -> Stored<MemberRecord> {
        let role = Role::of(&self.role)?;
        Ok(MemberRecord { user, role, delivered: seq(self.delivered)?, read: seq(self.read)? })
    }
}

/// The one field that is asked of a document.
#[derive(Deserialize)]
struct Only {
    #[serde(alias = "_id", alias = "room")]
    id: Uuid,
}

fn at(room: RoomId, user: UserId) -> Document {
    doc! { "room": room.stored(), "user": user.stored() }
}

/// What came of trying to write a room.
pub(super) enum Tried {
    Made,
    /// It met another room: of the same id, or by the index of this name.
    Met(String),
    /// Nothing was written, and another try may go well.
    Nothing,
}

impl Shared {
    pub(super) async fn room(&self, id: RoomId) -> Stored<Option<RoomRecord>> {
        let head = self.heads(&[id]).await?.remove(&id).unwrap_or_default();
        let found = self.rooms.find_one(doc! { "_id": id.stored() }).await?;
        found.map(|room| room.record(head)).transpose()
    }

    /// The room that a unique field names.
    pub(super) async fn room_where(&self, which: Document) -> Stored<Option<RoomRecord>> {
        // Its id never changes; what else is read of it shall not be older than its head.
        let rooms = self.rooms.clone_with_type::<Only>();
        match rooms.find_one(which).projection(doc! { "_id": 1 }).await? {
            Some(found) => self.room(RoomId::of(found.id)).await,
            None => Ok(None),
        }
    }

    async fn standing(&self, room: RoomId, user: UserId) -> Stored<Standing> {
        let found = self.members.find_one(at(room, user)).await?;
        found.map_or(Ok(Standing::Stranger), |member| member.standing())
    }

    async fn create_room(&self, new: NewRoomRecord) -> Stored<CreatedRoom> {
        let first = first_entry(&new)?;
        let entry = self.entries_of(std::slice::from_ref(&first)).await?.remove(0);
        let room = RoomDoc::new(&new);
        let mut pauses = Pauses::new();
        loop {
            match self.try_room(&room, &[MemberDoc::owner(&new)], Some(&first)).await? {
                Tried::Made => return Ok(CreatedRoom::Created(room.record(FIRST)?, entry)),
                Tried::Met(index) => {
                    if let Some(there) = self.room(new.id).await? {
                        // A repeat whose first answer was lost.
                        let which = doc! { "room": new.id.stored(), "seq": int(FIRST) };
                        let first = self.entries.find_one(which).await?;
                        let missing = || StoreError::Broken(format!("room {} has no first entry", new.id));
                        let first = self.entries_of(&[first.ok_or_else(missing)?]).await?.remove(0);
                        return Ok(CreatedRoom::Created(there, first));
                    }
                    match index.as_str() {
                        NAME_KEY => return Ok(CreatedRoom::NameTaken),
                        CODE => return Ok(CreatedRoom::CodeTaken),
                        // The room of this id is there, but not durable yet.
                        _ => {}
                    }
                }
                Tried::Nothing => {}
            }
            pauses.pause().await;
        }
    }

    /// A room with its first members, and with an entry if there is one, in one transaction.
    pub(super) async fn try_room(
        &self,
        room: &RoomDoc,
        members: &[MemberDoc],
        first: Option<&EntryDoc>,
    ) -> Stored<Tried> {
        let mut transaction = Transaction::begin(self).await?;
        let done = match self.put_room(&mut transaction, room, members, first).await {
            Ok(()) => transaction.commit().await,
            Err(error) => {
                transaction.abort().await;
                Err(error)
            }
        };
        match done {
            Ok(()) => Ok(Tried::Made),
            Err(error) if is_transient(&error) => Ok(Tried::Nothing),
            Err(error) => match duplicate(&error) {
                Some(met) => Ok(Tried::Met(met.index)),
                None => Err(error.into()),
            },
        }
    }

    async fn put_room(
        &self,
        transaction: &mut Transaction,
        room: &RoomDoc,
        members: &[MemberDoc],
        first: Option<&EntryDoc>,
    ) -> Result<()> {
        let session = &mut transaction.session;
        self.rooms.insert_one(room).session(&mut *session).await?;
        self.members.insert_many(members).session(&mut *session).await?;
        if let Some(first) = first {
            self.entries.insert_one(first).session(session).await?;
        }
        Ok(())
    }

    async fn set_code(&self, id: RoomId, code: Option<JoinCode>) -> Stored<SetCode> {
        let change = if let Some(code) = code {
            doc! { "$set": { "code": code.as_str() } }
        } else {
            doc! { "$unset": { "code": "" } }
        };
        match self.rooms.update_one(doc! { "_id": id.stored() }, change).await {
            Ok(done) if done.matched_count == 0 => Ok(SetCode::NoRoom),
            Ok(_) => Ok(SetCode::Set),
            Err(error) => match duplicate(&error) {
                Some(_) => Ok(SetCode::CodeTaken),
                None => Err(error.into()),
            },
        }
    }

    /// The rooms among those that `which` names whose name contains `query`.
    async fn by_name(&self, mut which: Document, query: &str, after: &str, limit: u32) -> Stored<Vec<RoomRecord>> {
        which.insert("name_key", doc! { "$gt": after });
        if !query.is_empty() {
            // A literal: in an expression, a text could name a field or a variable.
            let place = doc! { "$indexOfBytes": ["$name_key", { "$literal": query.to_lowercase() }] };
            which.insert("$expr", doc! { "$gte": [place, 0] });
        }
        let found = self.rooms.find(which).sort(doc! { "name_key": 1 }).limit(i64::from(limit)).await?;
        let found: Vec<RoomDoc> = found.try_collect().await?;
        let ids: Vec<RoomId> = found.iter().map(|room| RoomId::of(room.id)).collect();
        let heads = self.heads(&ids).await?;
        let with_head = |room: RoomDoc| {
            let head = heads.get(&RoomId::of(room.id)).copied().unwrap_or_default();
            room.record(head)
        };
        found.into_iter().map(with_head).collect()
    }

    async fn members(&self, room: RoomId) -> Stored<Vec<MemberRecord>> {
        let found = self.members.find(doc! { "room": room.stored(), "state": MEMBER }).await?;
        let found: Vec<MemberDoc> = found.try_collect().await?;
        let people = self.people(found.iter().map(|member| UserId::of(member.user))).await?;
        let mut people: HashMap<UserId, User> = people.into_iter().map(|user| (user.id, user)).collect();
        let with_user = |member: &MemberDoc| people.remove(&UserId::of(member.user)).map(|user| member.record(user));
        let mut members: Vec<MemberRecord> = found.iter().filter_map(with_user).collect::<Stored<_>>()?;
        members.sort_by(|a, b| (Reverse(a.role), &a.user.username).cmp(&(Reverse(b.role), &b.user.username)));
        Ok(members)
    }

    async fn banned(&self, room: RoomId) -> Stored<Vec<User>> {
        let found = self.members.find(doc! { "room": room.stored(), "state": BANNED }).await?;
        let found: Vec<MemberDoc> = found.try_collect().await?;
        let mut people = self.people(found.iter().map(|member| UserId::of(member.user))).await?;
        people.sort_by(|a, b| a.username.cmp(&b.username));
        Ok(people)
    }

    async fn member(&self, room: RoomId, user: UserId) -> Stored<Option<MemberRecord>> {
        let found = self.members.find_one(at(room, user)).await?;
        let Some(member) = found.filter(|member| member.state == MEMBER) else { return Ok(None) };
        let user = self.people([user]).await?.pop();
        user.map(|user| member.record(user)).transpose()
    }

    async fn set_notify(&self, room: RoomId, user: UserId, notify: Notify) -> Stored<bool> {
        let which = doc! { "room": room.stored(), "user": user.stored(), "state": MEMBER };
        let set = doc! { "$set": { "notify": notify.word() } };
        Ok(self.members.update_one(which, set).await?.matched_count == 1)
    }

    async fn rooms_of(&self, user: UserId) -> Stored<Vec<RoomId>> {
        let members = self.members.clone_with_type::<Only>();
        let found = members.find(doc! { "user": user.stored(), "state": MEMBER });
        let found = found.projection(doc! { "_id": 0, "room": 1 }).await?;
        Ok(found.map_ok(|member| RoomId::of(member.id)).try_collect().await?)
    }
}

/// The entry that every room begins with.
fn first_entry(new: &NewRoomRecord) -> Stored<EntryDoc> {
    let (room, author, at) = (new.id, new.owner, new.created_at);
    EntryDoc::at(&NewEntry { room, author, at, client_id: None, what: EntryKind::Joined }, FIRST)
}

#[async_trait]
impl Rooms for Mongo {
    async fn create_room(&self, room: NewRoomRecord) -> Stored<CreatedRoom> {
        self.run(|shared| async move { shared.create_room(room).await }).await
    }

    async fn direct(&self, a: UserId, b: UserId, id: RoomId, now: Timestamp) -> Stored<(RoomRecord, bool)> {
        self.run(move |shared| async move { directs::find_or_make(&shared, (a.min(b), a.max(b)), id, now).await }).await
    }

    async fn room(&self, id: RoomId) -> Stored<Option<RoomRecord>> {
        self.run(move |shared| async move { shared.room(id).await }).await
    }

    async fn room_by_code(&self, code: &JoinCode) -> Stored<Option<RoomRecord>> {
        let which = doc! { "code": code.as_str() };
        self.run(|shared| async move { shared.room_where(which).await }).await
    }

    async fn set_code(&self, id: RoomId, code: Option<&JoinCode>) -> Stored<SetCode> {
        let code = code.cloned();
        self.run(move |shared| async move { shared.set_code(id, code).await }).await
    }

    async fn directory(&self, query: Option<&str>, after: Option<&str>, limit: u32) -> Stored<Vec<RoomRecord>> {
        let (query, after) = (query.unwrap_or_default().to_owned(), after.unwrap_or_default().to_owned());
        let public = Visibility::Public.word();
        let which = doc! { "kind": RoomKind::Room.word(), "visibility": public, "archived": false };
        self.run(move |shared| async move { shared.by_name(which, &query, &after, limit).await }).await
    }

    async fn every_room(&self, query: Option<&str>, after: Option<&str>, limit: u32) -> Stored<Vec<RoomRecord>> {
        let (query, after) = (query.unwrap_or_default().to_owned(), after.unwrap_or_default().to_owned());
        let which = doc! { "kind": RoomKind::Room.word() };
        self.run(move |shared| async move { shared.by_name(which, &query, &after, limit).await }).await
    }

    async fn standing(&self, room: RoomId, user: UserId) -> Stored<Standing> {
        self.run(move |shared| async move { shared.standing(room, user).await }).await
    }

    async fn room_for(&self, room: RoomId, user: UserId) -> Stored<Option<(RoomRecord, Standing)>> {
        self.run(move |shared| async move {
            let Some(found) = shared.room(room).await? else { return Ok(None) };
            Ok(Some((found, shared.standing(room, user).await?)))
        })
        .await
    }

    async fn members(&self, room: RoomId) -> Stored<Vec<MemberRecord>> {
        self.run(move |shared| async move { shared.members(room).await }).await
    }

    async fn banned(&self, room: RoomId) -> Stored<Vec<User>> {
        self.run(move |shared| async move { shared.banned(room).await }).await
    }

    async fn member(&self, room: RoomId, user: UserId) -> Stored<Option<MemberRecord>> {
        self.run(move |shared| async move { shared.member(room, user).await }).await
    }

    async fn rooms_of(&self, user: UserId) -> Stored<Vec<RoomId>> {
        self.run(move |shared| async move { shared.rooms_of(user).await }).await
    }

    async fn set_notify(&self, room: RoomId, user: UserId, notify: Notify) -> Stored<bool> {
        self.run(move |shared| async move { shared.set_notify(room, user, notify).await }).await
    }

    async fn overviews(&self, user: UserId) -> Stored<Vec<OverviewRecord>> {
        self.run(move |shared| async move { overviews::overviews(&shared, user).await }).await
    }

    async fn surroundings(&self, user: UserId) -> Stored<(Vec<OverviewRecord>, Vec<UserId>)> {
        self.run(move |shared| async move { overviews::surroundings(&shared, user).await }).await
    }
}
