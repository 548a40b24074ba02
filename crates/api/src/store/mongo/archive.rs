//! Moving house, out of this store and into it. A chunk is taken in steps that can each be repeated, and noted when all of
//! them are durable.

use super::document::{
    BANNED, EDITED, EntryDoc, FORMER, Id, MEMBER, MemberDoc, RoomDoc, SessionDoc, UserDoc, Word, date, int, seq, time,
};
use super::fault::duplicate;
use super::transaction::Transaction;
use super::{Mongo, Shared, words};
use crate::store::archive::{
    Archive, ArchivedEntry, ArchivedLogin, ArchivedMember, Begun, Census, MemberState, Piece, RoomCut,
};
use crate::store::{RoomRecord, SessionRecord, StoreError, Stored, TokenHash, UserRecord};
use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use mongodb::Collection;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Document, Uuid, doc, serialize_to_document};
use mongodb::error::ErrorKind;
use natter_shared::entry::EntryKind;
use natter_shared::id::{RoomId, Seq, SessionId, UserId};
use natter_shared::room::{Role, RoomKind, Visibility};
use natter_shared::text::{Email, JoinCode, RoomName, Topic};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::time::Duration;

/// A chunk is many writes, and the cut of the largest room twenty commands.
const TAKING: Duration = Duration::from_mins(1);
/// So many entries of a room in a chunk are indexed with it.
const LONG: u64 = 100;
/// The one document of `imports`.
const IMPORT: &str = "import";

fn broken(what: impl Into<String>) -> StoreError {
    StoreError::Broken(what.into())
}

fn small<T: TryFrom<i64>>(number: i64) -> Stored<T> {
    T::try_from(number).map_err(|_| broken(format!("{number} is stored where a smaller number should be")))
}

fn person(doc: UserDoc) -> Stored<UserRecord> {
    Ok(UserRecord {
        email: doc.email.clone().map(Email::from_stored),
        password_hash: doc.password_hash.clone(),
        created_at: time(doc.created_at),
        disabled: doc.disabled,
        user: doc.user()?,
    })
}

fn person_doc(person: UserRecord) -> UserDoc {
    let UserRecord { user, email, password_hash, created_at, disabled } = person;
    UserDoc {
        id: user.id.stored(),
        username: user.username.as_str().to_owned(),
        display_name: user.display_name.as_str().to_owned(),
        email: email.map(|email| email.as_str().to_owned()),
        gender: user.gender.map(|gender| gender.word().to_owned()),
        avatar_url: user.avatar_url,
        guest: user.guest,
        password_hash,
        created_at: date(created_at),
        disabled,
    }
}

fn token(hash: &Binary) -> Stored<TokenHash> {
    TokenHash::try_from(hash.bytes.as_slice()).map_err(|_| broken("a stored hash of a token has not 32 bytes"))
}

fn login(doc: &SessionDoc) -> Stored<ArchivedLogin> {
    let session = SessionRecord {
        id: SessionId::of(doc.id),
        user: UserId::of(doc.user),
        created_at: time(doc.created_at),
        last_used_at: time(doc.last_used_at),
        expires_at: time(doc.expires_at),
        user_agent: doc.user_agent.clone(),
        generation: small(doc.generation)?,
        current: token(&doc.current)?,
        previous: doc.previous.as_ref().map(token).transpose()?,
        revoked_at: doc.revoked_at.map(time),
    };
    Ok(ArchivedLogin { session, rotated_at: doc.rotated_at.map(time) })
}

fn login_doc(ArchivedLogin { session, rotated_at }: ArchivedLogin) -> SessionDoc {
    let hash = |token: TokenHash| Binary { subtype: BinarySubtype::Generic, bytes: token.to_vec() };
    SessionDoc {
        id: session.id.stored(),
        user: session.user.stored(),
        created_at: date(session.created_at),
        last_used_at: date(session.last_used_at),
        expires_at: date(session.expires_at),
        user_agent: session.user_agent,
        generation: i64::from(session.generation),
        current: hash(session.current),
        previous: session.previous.map(hash),
        rotated_at: rotated_at.map(date),
        revoked_at: session.revoked_at.map(date),
    }
}

fn room(doc: RoomDoc, head: Seq) -> Stored<RoomRecord> {
    Ok(RoomRecord {
        id: RoomId::of(doc.id),
        kind: RoomKind::of(&doc.kind)?,
        name: RoomName::from_stored(doc.name),
        topic: Topic::from_stored(doc.topic),
        visibility: Visibility::of(&doc.visibility)?,
        archived: doc.archived,
        created_at: time(doc.created_at),
        owner: doc.owner.map(UserId::of),
        member_count: small(doc.member_count)?,
        code: doc.code.map(JoinCode::from_stored),
        head,
        peers: doc.peers.map(|[a, b]| (UserId::of(a), UserId::of(b))),
    })
}

/// A room as it is before its cut: without what other rooms may still have.
fn room_doc(room: &RoomRecord) -> RoomDoc {
    RoomDoc {
        id: room.id.stored(),
        kind: room.kind.word().to_owned(),
        name: room.name.as_str().to_owned(),
        name_key: None,
        topic: room.topic.as_str().to_owned(),
        visibility: room.visibility.word().to_owned(),
        archived: room.archived,
        created_at: date(room.created_at),
        owner: room.owner.map(Id::stored),
        member_count: 0,
        code: None,
        peers: room.peers.map(|(a, b)| [a.stored(), b.stored()]),
        pair: room.peers.map(|(a, b)| format!("{a} {b}")),
    }
}

fn member(doc: &MemberDoc) -> Stored<ArchivedMember> {
    let state = match doc.state.as_str() {
        MEMBER => MemberState::Member,
        FORMER => MemberState::Former,
        BANNED => MemberState::Banned,
        other => return Err(broken(format!("a member is in the unknown state {other:?}"))),
    };
    Ok(ArchivedMember {
        user: UserId::of(doc.user),
        state,
        role: Role::of(&doc.role)?,
        joined: doc.joined.map(seq).transpose()?,
        delivered: seq(doc.delivered)?,
        read: seq(doc.read)?,
    })
}

fn member_doc(room: RoomId, member: &ArchivedMember) -> MemberDoc {
    let state = match member.state {
        MemberState::Member => MEMBER,
        MemberState::Former => FORMER,
        MemberState::Banned => BANNED,
    };
    MemberDoc {
        room: room.stored(),
        user: member.user.stored(),
        state: state.to_owned(),
        role: member.role.word().to_owned(),
        joined: member.joined.map(int),
        delivered: int(member.delivered),
        read: int(member.read),
    }
}

fn entry_doc(entry: &ArchivedEntry) -> Stored<EntryDoc> {
    let what = EntryDoc::of(&entry.what).ok_or_else(|| broken("an entry of a kind that is never stored"))?;
    Ok(EntryDoc {
        room: entry.room.stored(),
        seq: int(entry.seq),
        at: date(entry.at),
        author: entry.author.stored(),
        client_id: entry.client_id.map(Id::stored),
        ..what
    })
}

fn to_document(value: &impl Serialize) -> Stored<Document> {
    serialize_to_document(value).map_err(|error| broken(error.to_string()))
}

/// Documents by id, after one.
async fn after<T>(from: &Collection<T>, after: Option<Uuid>, limit: u32) -> Stored<Vec<T>>
where
    T: DeserializeOwned + Send + Sync + Unpin,
{
    let which = after.map_or_else(Document::new, |after| doc! { "_id": { "$gt": after } });
    Ok(from.find(which).sort(doc! { "_id": 1 }).limit(i64::from(limit)).await?.try_collect().await?)
}

impl Shared {
    async fn census(&self) -> Stored<Census> {
        Ok(Census {
            people: self.users.estimated_document_count().await?,
            logins: self.sessions.estimated_document_count().await?,
            rooms: self.rooms.estimated_document_count().await?,
            entries: self.entries.estimated_document_count().await?,
        })
    }

    async fn cut_of(&self, id: RoomId) -> Stored<Option<RoomCut>> {
        let mut transaction = Transaction::begin(self).await?;
        let session = &mut transaction.session;
        let Some(found) = self.rooms.find_one(doc! { "_id": id.stored() }).session(&mut *session).await? else {
            transaction.abort().await;
            return Ok(None);
        };
        let newest = self.entries.find_one(doc! { "room": id.stored() }).sort(doc! { "seq": -1 });
        let newest = newest.session(&mut *session).await?;
        let mut cursor = self.members.find(doc! { "room": id.stored() }).session(&mut *session).await?;
        let mut members = Vec::new();
        while let Some(found) = cursor.stream(session).next().await {
            members.push(member(&found?)?);
        }
        members.sort_by_key(|member| member.user);
        // It wrote nothing: there is nothing to commit.
        transaction.abort().await;
        let head = newest.map_or(Ok(Seq::ZERO), |newest| seq(newest.seq))?;
        Ok(Some(RoomCut { room: room(found, head)?, members }))
    }

    async fn begin_import(&self, archive: &str) -> Stored<Begun> {
        let imports = self.db.collection::<Document>("imports");
        loop {
            if let Some(there) = imports.find_one(doc! { "_id": IMPORT }).await? {
                let finished = there.get_bool("finished").unwrap_or(false);
                let chunks = there.get_i64("chunks").unwrap_or(0).unsigned_abs();
                return Ok(match (there.get_str("archive").is_ok_and(|of| of == archive), finished) {
                    (false, _) => Begun::HoldsOther,
                    (true, true) => Begun::Finished,
                    (true, false) => Begun::At(chunks),
                });
            }
            let used = self.users.find_one(doc! {}).await?.is_some() || self.rooms.find_one(doc! {}).await?.is_some();
            if used {
                return Ok(Begun::HoldsOther);
            }
            let import = doc! { "_id": IMPORT, "archive": archive, "chunks": 0_i64, "finished": false };
            match imports.insert_one(import).await {
                Ok(_) => return Ok(Begun::At(0)),
                // Somebody else began one meanwhile: see which.
                Err(error) if duplicate(&error).is_some() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn take(&self, chunk: u64, pieces: Vec<Piece>) -> Stored<()> {
        let (mut people, mut rooms, mut logins) = (Vec::new(), Vec::new(), Vec::new());
        let (mut entries, mut cuts) = (Vec::new(), Vec::new());
        for piece in pieces {
            match piece {
                Piece::Person(person) => people.push(person_doc(person)),
                Piece::Room(room) => rooms.push(room_doc(&room)),
                Piece::Entry(entry) => entries.push(entry),
                Piece::Cut(cut) => cuts.push(cut),
                Piece::Everybody => {}
                Piece::Login(login) => logins.push(login_doc(login)),
            }
        }
        // Each kind rests on the ones before it. One person may come twice in a chunk: the later one holds.
        let people: BTreeMap<[u8; 16], UserDoc> =
            people.into_iter().map(|person| (person.id.bytes(), person)).collect();
        let named: Vec<UserId> = people.keys().map(|id| UserId::from_bytes(*id)).collect();
        self.take_documents(&self.users, people.into_values().map(|person| (person.id, person)), "$set").await?;
        for id in named {
            self.authors.forget(id);
        }
        self.take_documents(&self.rooms, rooms.into_iter().map(|room| (room.id, room)), "$setOnInsert").await?;
        self.take_entries(&entries).await?;
        self.take_members(&cuts).await?;
        let heads = self.heads(&cuts.iter().map(|cut| cut.room.id).collect::<Vec<_>>()).await?;
        for RoomCut { room, .. } in &cuts {
            let head = heads.get(&room.id).copied().unwrap_or_default();
            if head < room.head {
                return Err(broken(format!("room {} ends at {head} and not at {}", room.id, room.head)));
            }
            self.take_cut(room).await?;
        }
        self.take_documents(&self.sessions, logins.into_iter().map(|login| (login.id, login)), "$setOnInsert").await?;
        let imports = self.db.collection::<Document>("imports");
        let chunk = i64::try_from(chunk).unwrap_or(i64::MAX);
        let noted = doc! { "$max": { "chunks": chunk } };
        let done = imports.update_one(doc! { "_id": IMPORT, "finished": false }, noted).await?;
        if done.matched_count == 1 { Ok(()) } else { Err(broken("a chunk comes without an import under way")) }
    }

    /// Puts documents by their ids, with `$set` or `$setOnInsert`.
    async fn take_documents<T: Serialize + Send + Sync>(
        &self,
        into: &Collection<T>,
        docs: impl Iterator<Item = (Uuid, T)> + Send,
        how: &str,
    ) -> Stored<()> {
        let (mut ids, mut updates) = (Vec::new(), Vec::new());
        for (id, doc) in docs {
            let mut set = to_document(&doc)?;
            set.remove("_id");
            updates.push(doc! { "q": { "_id": id }, "u": { how: set }, "upsert": true });
            ids.push(id);
        }
        if ids.is_empty() {
            return Ok(());
        }
        self.update_all(into.name(), updates).await?;
        // What meets another's unique key is passed over by that, and must not be missing here.
        let there = into.count_documents(doc! { "_id": { "$in": &ids } }).await?;
        if u64::try_from(ids.len()) == Ok(there) {
            Ok(())
        } else {
            Err(broken(format!("{} holds other documents", into.name())))
        }
    }

    async fn take_entries(&self, entries: &[ArchivedEntry]) -> Stored<()> {
        let mut rooms: BTreeMap<RoomId, (Seq, Seq)> = BTreeMap::new();
        let mut docs = Vec::with_capacity(entries.len());
        let mut blanks = Vec::new();
        for entry in entries {
            let (_, last) = rooms.entry(entry.room).or_insert((entry.seq, entry.seq.back(1)));
            if entry.seq != last.next() {
                return Err(broken(format!(
                    "entry {} of room {} does not follow on the one before",
                    entry.seq, entry.room
                )));
            }
            *last = entry.seq;
            docs.push(entry_doc(entry)?);
            if let EntryKind::Deleted { target } = &entry.what {
                let (room, target) = (entry.room.stored(), int(*target));
                blanks.push(doc! {
                    "q": { "room": room, "seq": target },
                    "u": { "$set": { "text": "", "deleted": int(entry.seq) }, "$unset": { "files": "" } },
                });
                let edits = doc! { "room": room, "target": target, "kind": EDITED };
                blanks.push(doc! { "q": edits, "u": { "$set": { "text": "" } }, "multi": true });
            }
        }
        if docs.is_empty() {
            return Ok(());
        }
        for (room, (first, _)) in &rooms {
            let before = doc! { "room": room.stored(), "seq": int(first.back(1)) };
            let is_first = *first == Seq::ZERO.next();
            if !is_first && self.entries.find_one(before).await?.is_none() {
                return Err(broken(format!("entry {first} of room {room} does not follow on the one before")));
            }
        }
        if let Err(error) = self.entries.insert_many(&docs).ordered(false).await {
            if !is_of_duplicates_only(&error) {
                return Err(error.into());
            }
            // A repeat of the chunk; nothing but these entries may be in their places.
            for (room, (first, last)) in &rooms {
                let mine: Vec<_> = docs.iter().filter(|doc| doc.room == room.stored()).collect();
                let which = doc! { "room": room.stored(), "seq": { "$gte": int(*first), "$lte": int(*last) } };
                let there: Vec<EntryDoc> =
                    self.entries.find(which).sort(doc! { "seq": 1 }).await?.try_collect().await?;
                let same = |(a, b): (&&EntryDoc, &EntryDoc)| {
                    (a.seq, &a.kind, a.author, a.at) == (b.seq, &b.kind, b.author, b.at)
                };
                if mine.len() != there.len() || !mine.iter().zip(&there).all(same) {
                    return Err(broken(format!("room {room} holds other entries than the archive")));
                }
            }
        }
        self.update_all(self.entries.name(), blanks).await?;
        // A short log is indexed when somebody searches it; a long one would take too long then.
        for (room, _) in rooms.iter().filter(|(_, (first, last))| last.get() - first.get() >= LONG) {
            words::index(self, *room).await?;
        }
        Ok(())
    }

    async fn take_members(&self, cuts: &[RoomCut]) -> Stored<()> {
        let mut updates = Vec::new();
        for RoomCut { room, members } in cuts {
            for member in members {
                let set = to_document(&member_doc(room.id, member))?;
                let which = doc! { "room": room.id.stored(), "user": member.user.stored() };
                updates.push(doc! { "q": which, "u": { "$set": set }, "upsert": true });
            }
        }
        self.update_all(self.members.name(), updates).await
    }

    async fn take_cut(&self, room: &RoomRecord) -> Stored<()> {
        let mut set = doc! {
            "name": room.name.as_str(),
            "topic": room.topic.as_str(),
            "visibility": room.visibility.word(),
            "archived": room.archived,
            "member_count": i64::from(room.member_count),
        };
        let key = (room.kind == RoomKind::Room).then(|| room.name.key());
        let code = room.code.as_ref().map(|code| code.as_str().to_owned());
        let mut unset = Document::new();
        let mut unique = Vec::new();
        for (field, value) in [("name_key", key), ("code", code)] {
            match value {
                Some(value) => {
                    set.insert(field, &value);
                    unique.push((field, value));
                }
                None => drop(unset.insert(field, "")),
            }
        }
        let id = room.id.stored();
        let mut change = doc! { "$set": set };
        if !unset.is_empty() {
            change.insert("$unset", unset);
        }
        let mut done = self.rooms.update_one(doc! { "_id": id }, change.clone()).await;
        if done.as_ref().is_err_and(|error| duplicate(error).is_some()) {
            // Whoever has it was cut before this room got it, and is cut once more.
            for (field, value) in unique {
                let others = doc! { field: value, "_id": { "$ne": id } };
                self.rooms.update_many(others, doc! { "$unset": { field: "" } }).await?;
            }
            done = self.rooms.update_one(doc! { "_id": id }, change).await;
        }
        if done?.matched_count == 1 {
            Ok(())
        } else {
            Err(broken(format!("room {} is cut before it is there", room.id)))
        }
    }

    async fn finish_import(&self) -> Stored<()> {
        let nameless = doc! { "kind": RoomKind::Room.word(), "name_key": { "$exists": false } };
        if let Some(room) = self.rooms.find_one(nameless).await? {
            return Err(broken(format!("room {} was left without its name", RoomId::of(room.id))));
        }
        let imports = self.db.collection::<Document>("imports");
        imports.update_one(doc! { "_id": IMPORT }, doc! { "$set": { "finished": true } }).await?;
        Ok(())
    }
}

/// Whether all that an `insert_many` met is documents that were there before.
fn is_of_duplicates_only(error: &mongodb::error::Error) -> bool {
    let ErrorKind::InsertMany(many) = error.kind.as_ref() else { return false };
    let duplicates = |write: &mongodb::error::IndexedWriteError| write.code == super::fault::DUPLICATE_KEY;
    many.write_concern_error.is_none() && many.write_errors.as_ref().is_some_and(|all| all.iter().all(duplicates))
}

#[cfg(test)]
impl Mongo {
    /// Takes the whole database away, at the end of a test.
    pub(crate) async fn drop_database(&self) {
        let dropped = self.run(|shared| async move { Ok(shared.db.drop().await?) }).await;
        dropped.unwrap();
    }
}

#[async_trait]
impl Archive for Mongo {
    async fn census(&self) -> Stored<Census> {
        self.run(|shared| async move { shared.census().await }).await
    }

    async fn people(&self, ids: &[UserId]) -> Stored<Vec<UserRecord>> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.stored()).collect();
        self.run(|shared| async move {
            let found: Vec<UserDoc> = shared.users.find(doc! { "_id": { "$in": ids } }).await?.try_collect().await?;
            found.into_iter().map(person).collect()
        })
        .await
    }

    async fn all_people(&self, last: Option<UserId>, limit: u32) -> Stored<Vec<UserRecord>> {
        self.run(move |shared| async move {
            let found = after(&shared.users, last.map(Id::stored), limit).await?;
            found.into_iter().map(person).collect()
        })
        .await
    }

    async fn all_logins(&self, last: Option<SessionId>, limit: u32) -> Stored<Vec<ArchivedLogin>> {
        self.run(move |shared| async move {
            let found = after(&shared.sessions, last.map(Id::stored), limit).await?;
            found.iter().map(login).collect()
        })
        .await
    }

    async fn all_rooms(&self, last: Option<RoomId>, limit: u32) -> Stored<Vec<RoomId>> {
        self.run(move |shared| async move {
            let found = after(&shared.rooms, last.map(Id::stored), limit).await?;
            Ok(found.into_iter().map(|room| RoomId::of(room.id)).collect())
        })
        .await
    }

    async fn cut(&self, room: RoomId) -> Stored<Option<RoomCut>> {
        self.run(move |shared| async move { shared.cut_of(room).await }).await
    }

    async fn begin_import(&self, archive: &str) -> Stored<Begun> {
        let archive = archive.to_owned();
        self.run(|shared| async move { shared.begin_import(&archive).await }).await
    }

    async fn take(&self, chunk: u64, pieces: Vec<Piece>) -> Stored<()> {
        self.run_within(TAKING, move |shared| async move { shared.take(chunk, pieces).await }).await
    }

    async fn finish_import(&self) -> Stored<()> {
        self.run(|shared| async move { shared.finish_import().await }).await
    }

    async fn is_half_imported(&self) -> Stored<bool> {
        self.run(|shared| async move {
            let imports = shared.db.collection::<Document>("imports");
            Ok(imports.find_one(doc! { "_id": IMPORT, "finished": false }).await?.is_some())
        })
        .await
    }
}
