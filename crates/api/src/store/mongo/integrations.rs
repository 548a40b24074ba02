//! Integrations: a part of the document of the person as whom each speaks.

use super::document::{Id, IntegrationDoc, UserDoc, Word, date, time};
use super::sessions::{hash, token};
use super::{Mongo, Shared};
use crate::store::{IntegrationRecord, Integrations, Stored, TokenHash, UserRecord};
use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};
use natter_shared::id::{RoomId, UserId};
use natter_shared::integration::{IntegrationKind, Scope};
use natter_shared::timestamp::Timestamp;

impl IntegrationDoc {
    pub(super) fn new(of: &IntegrationRecord) -> Self {
        Self {
            room: of.room.stored(),
            kind: of.kind.word().to_owned(),
            scopes: Vec::from(of.scopes).into_iter().map(|scope| scope.word().to_owned()).collect(),
            secret: hash(of.secret),
            made_by: of.made_by.stored(),
            last_used_at: of.last_used_at.map(date),
            revoked_at: of.revoked_at.map(date),
        }
    }

    pub(super) fn record(&self) -> Stored<IntegrationRecord> {
        let scopes: Stored<Vec<Scope>> = self.scopes.iter().map(|scope| Scope::of(scope)).collect();
        Ok(IntegrationRecord {
            room: RoomId::of(self.room),
            kind: IntegrationKind::of(&self.kind)?,
            scopes: scopes?.into(),
            secret: token(&self.secret)?,
            made_by: UserId::of(self.made_by),
            last_used_at: self.last_used_at.map(time),
            revoked_at: self.revoked_at.map(time),
        })
    }
}

impl Shared {
    async fn integrations_of(&self, room: RoomId, limit: u32) -> Stored<Vec<UserRecord>> {
        // `false` sorts before `true`: those that live come first.
        let pipeline = [
            doc! { "$match": { "integration.room": room.stored() } },
            doc! { "$set": { "revoked": { "$ne": ["$integration.revoked_at", null] } } },
            doc! { "$sort": { "revoked": 1, "created_at": -1, "_id": 1 } },
            doc! { "$limit": i64::from(limit) },
        ];
        let found = self.users.aggregate(pipeline).with_type::<UserDoc>().await?;
        let found: Vec<UserDoc> = found.try_collect().await?;
        found.into_iter().map(UserDoc::record).collect()
    }

    async fn change_integration(&self, id: UserId, which: Document, change: Document) -> Stored<bool> {
        let mut which = which;
        which.insert("_id", id.stored());
        Ok(self.users.update_one(which, change).await?.matched_count > 0)
    }
}

#[async_trait]
impl Integrations for Mongo {
    async fn integration_by_secret(&self, secret: TokenHash) -> Stored<Option<UserRecord>> {
        self.run(move |shared| async move {
            let found = shared.users.find_one(doc! { "integration.secret": hash(secret) }).await?;
            found.map(UserDoc::record).transpose()
        })
        .await
    }

    async fn integrations_of(&self, room: RoomId, limit: u32) -> Stored<Vec<UserRecord>> {
        self.run(move |shared| async move { shared.integrations_of(room, limit).await }).await
    }

    async fn touch_integration(&self, id: UserId, at: Timestamp) -> Stored<()> {
        let is_one = doc! { "integration": { "$exists": true } };
        let later = doc! { "$max": { "integration.last_used_at": date(at) } };
        self.run(move |shared| async move { shared.change_integration(id, is_one, later).await.map(drop) }).await
    }

    async fn revoke_integration(&self, id: UserId, at: Timestamp) -> Stored<bool> {
        let lives = doc! { "integration": { "$exists": true }, "integration.revoked_at": Bson::Null };
        let revoked = doc! { "$set": { "integration.revoked_at": date(at) } };
        self.run(move |shared| async move { shared.change_integration(id, lives, revoked).await }).await
    }
}
