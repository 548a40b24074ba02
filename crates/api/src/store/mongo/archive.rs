//! Moving house, out of this store and into it. A chunk is taken in steps that can each be repeated, and noted when all of
//! them are durable.

mod spelling;
mod take;

use super::document::{Id, UploadDoc, UserDoc, Word, seq};
use super::fault::duplicate;
use super::transaction::Transaction;
use super::{Mongo, Shared};
use crate::store::archive::{Archive, ArchivedLogin, Begun, Census, Piece, RoomCut};
use crate::store::{Stored, UploadRecord, UserRecord};
use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use mongodb::Collection;
use mongodb::bson::{Document, Uuid, doc};
use natter_shared::id::{FileId, RoomId, Seq, SessionId, UserId};
use natter_shared::room::RoomKind;
use serde::de::DeserializeOwned;
use spelling::{broken, login, member};
use std::time::Duration;

/// A chunk is many writes, and the cut of the largest room twenty commands.
const TAKING: Duration = Duration::from_mins(1);
/// The one document of `imports`.
const IMPORT: &str = "import";

/// Documents by id, after one.
async fn after<T>(from: &Collection<T>, after: Option<Uuid>, limit: u32) -> Stored<Vec<T>>
where
    T: DeserializeOwned + Send + Sync + Unpin,
{
    let which = after.map_or_else(Document::new, |after| doc! { "_id": { "$gt": after } });
    Ok(from.find(which).sort(doc! { "_id": 1 }).limit(i64::from(limit)).await?.try_collect().await?)
}

impl Shared {
    /// How far an import is; one document, [`IMPORT`].
    fn imports(&self) -> Collection<Document> {
        self.db.collection("imports")
    }

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
        Ok(Some(RoomCut { room: found.record(head)?, members }))
    }

    async fn begin_import(&self, archive: &str) -> Stored<Begun> {
        let imports = self.imports();
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

    async fn finish_import(&self) -> Stored<()> {
        let nameless = doc! { "kind": RoomKind::Room.word(), "name_key": { "$exists": false } };
        if let Some(room) = self.rooms.find_one(nameless).await? {
            return Err(broken(format!("room {} was left without its name", RoomId::of(room.id))));
        }
        let imports = self.imports();
        imports.update_one(doc! { "_id": IMPORT }, doc! { "$set": { "finished": true } }).await?;
        Ok(())
    }
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
            found.into_iter().map(UserDoc::record).collect()
        })
        .await
    }

    async fn all_people(&self, last: Option<UserId>, limit: u32) -> Stored<Vec<UserRecord>> {
        self.run(move |shared| async move {
            let found = after(&shared.users, last.map(Id::stored), limit).await?;
            found.into_iter().map(UserDoc::record).collect()
        })
        .await
    }

    async fn all_logins(&self, last: Option<SessionId>, limit: u32) -> Stored<Vec<ArchivedLogin>> {
        self.run(move |shared| async move {
            let found = after(&shared.sessions, last.map(Id::stored), limit).await?;
            found.into_iter().map(login).collect()
        })
        .await
    }

    async fn all_uploads(&self, last: Option<FileId>, limit: u32) -> Stored<Vec<UploadRecord>> {
        self.run(move |shared| async move {
            let found = after(&shared.uploads, last.map(Id::stored), limit).await?;
            found.into_iter().map(UploadDoc::record).collect()
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
            Ok(shared.imports().find_one(doc! { "_id": IMPORT, "finished": false }).await?.is_some())
        })
        .await
    }
}
