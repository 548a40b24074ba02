//! Images: the `uploads` collection.

use super::document::{Id, UploadDoc, Word, date, time};
use super::fault::duplicate;
use super::{Mongo, Shared};
use crate::store::{Posted, Stored, UploadRecord, Uploads};
use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::bson::{Bson, Uuid, doc};
use natter_shared::file::ImageKind;
use natter_shared::id::{ClientId, FileId, RoomId, UserId};
use natter_shared::timestamp::Timestamp;
use serde::Deserialize;

impl UploadDoc {
    pub fn of(upload: &UploadRecord) -> Self {
        Self {
            id: upload.id.stored(),
            owner: upload.owner.stored(),
            kind: upload.kind.word().to_owned(),
            preview: upload.preview.map(|kind| kind.word().to_owned()),
            bytes: i64::try_from(upload.bytes).unwrap_or(i64::MAX),
            created_at: date(upload.created_at),
            avatar: upload.avatar,
            room: upload.posted.map(|posted| posted.room.stored()),
            client_id: upload.posted.map(|posted| posted.client_id.stored()),
            idle: (!upload.avatar && upload.posted.is_none()).then_some(true),
        }
    }

    pub fn record(self) -> Stored<UploadRecord> {
        let posted = self.room.zip(self.client_id);
        Ok(UploadRecord {
            id: FileId::of(self.id),
            owner: UserId::of(self.owner),
            kind: ImageKind::of(&self.kind)?,
            preview: self.preview.as_deref().map(ImageKind::of).transpose()?,
            bytes: self.bytes.unsigned_abs(),
            created_at: time(self.created_at),
            avatar: self.avatar,
            posted: posted.map(|(room, id)| Posted { room: RoomId::of(room), client_id: ClientId::of(id) }),
        })
    }
}

impl Shared {
    async fn add_upload(&self, upload: UploadRecord) -> Stored<()> {
        match self.uploads.insert_one(UploadDoc::of(&upload)).await {
            Err(error) if duplicate(&error).is_none() => Err(error.into()),
            _ => Ok(()),
        }
    }

    async fn post_uploads(&self, ids: Vec<FileId>, owner: UserId, posted: Posted) -> Stored<bool> {
        let count = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        let ids: Vec<Uuid> = ids.into_iter().map(Id::stored).collect();
        let (room, client_id) = (posted.room.stored(), posted.client_id.stored());
        let which = doc! {
            "_id": { "$in": ids },
            "owner": owner.stored(),
            "avatar": false,
            "$or": [{ "room": Bson::Null }, { "room": room, "client_id": client_id }],
        };
        // Asked first, so that a message which is not sent takes none of them. In between only their owner can send them.
        if self.uploads.count_documents(which.clone()).await? != count {
            return Ok(false);
        }
        let set = doc! { "$set": { "room": room, "client_id": client_id }, "$unset": { "idle": "" } };
        Ok(self.uploads.update_many(which, set).await?.matched_count == count)
    }

    async fn uploaded_bytes(&self, owner: UserId) -> Stored<u64> {
        #[derive(Deserialize)]
        struct Sum {
            bytes: i64,
        }
        let pipeline = [
            doc! { "$match": { "owner": owner.stored() } },
            doc! { "$group": { "_id": Bson::Null, "bytes": { "$sum": "$bytes" } } },
        ];
        let mut found = self.uploads.aggregate(pipeline).with_type::<Sum>().await?;
        Ok(found.try_next().await?.map_or(0, |sum| sum.bytes.unsigned_abs()))
    }

    async fn drop_uploads(&self, ids: Vec<Uuid>) -> Stored<Vec<UploadRecord>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let which = doc! { "_id": { "$in": ids } };
        let found: Vec<UploadDoc> = self.uploads.find(which.clone()).await?.try_collect().await?;
        self.uploads.delete_many(which).await?;
        found.into_iter().map(UploadDoc::record).collect()
    }

    async fn drop_idle_uploads(&self, before: Timestamp, limit: u32) -> Stored<Vec<UploadRecord>> {
        let which = doc! { "idle": true, "created_at": { "$lt": date(before) } };
        let found: Vec<UploadDoc> = self.uploads.find(which).limit(i64::from(limit)).await?.try_collect().await?;
        let mut dropped = Vec::new();
        for upload in found {
            // One by one: what is sent at this moment stays.
            let still = doc! { "_id": upload.id, "idle": true };
            if self.uploads.delete_one(still).await?.deleted_count == 1 {
                dropped.push(upload.record()?);
            }
        }
        Ok(dropped)
    }
}

#[async_trait]
impl Uploads for Mongo {
    async fn add_upload(&self, upload: UploadRecord) -> Stored<()> {
        self.run(|shared| async move { shared.add_upload(upload).await }).await
    }

    async fn upload(&self, id: FileId) -> Stored<Option<UploadRecord>> {
        self.run(move |shared| async move {
            shared.uploads.find_one(doc! { "_id": id.stored() }).await?.map(UploadDoc::record).transpose()
        })
        .await
    }

    async fn post_uploads(&self, ids: &[FileId], owner: UserId, posted: Posted) -> Stored<bool> {
        let ids = ids.to_vec();
        self.run(move |shared| async move { shared.post_uploads(ids, owner, posted).await }).await
    }

    async fn uploaded_bytes(&self, owner: UserId) -> Stored<u64> {
        self.run(move |shared| async move { shared.uploaded_bytes(owner).await }).await
    }

    async fn drop_uploads(&self, ids: &[FileId]) -> Stored<Vec<UploadRecord>> {
        let ids = ids.iter().map(|id| id.stored()).collect();
        self.run(|shared| async move { shared.drop_uploads(ids).await }).await
    }

    async fn drop_own_uploads(&self, owner: UserId) -> Stored<Vec<UploadRecord>> {
        let which = doc! { "owner": owner.stored(), "room": Bson::Null };
        self.run(|shared| async move {
            let found: Vec<UploadDoc> = shared.uploads.find(which).await?.try_collect().await?;
            shared.drop_uploads(found.into_iter().map(|upload| upload.id).collect()).await
        })
        .await
    }

    async fn drop_idle_uploads(&self, before: Timestamp, limit: u32) -> Stored<Vec<UploadRecord>> {
        self.run(move |shared| async move { shared.drop_idle_uploads(before, limit).await }).await
    }
}
