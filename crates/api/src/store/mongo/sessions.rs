//! Logins: the `sessions` collection. A rotation is one update of the login that stands where the caller saw it; of any
//! number at once, one finds it there.

use super::document::{Id, SessionDoc, UserDoc, date, time};
use super::fault::duplicate;
use super::{Mongo, Shared};
use crate::store::{NewSession, Rotate, Rotation, SessionRecord, Sessions, StoreError, Stored, TokenHash, UserRecord};
use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, Document, doc};
use natter_shared::id::{SessionId, UserId};
use natter_shared::timestamp::Timestamp;
use serde::Deserialize;

pub(super) fn hash(token: TokenHash) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: token.to_vec() }
}

pub(super) fn token(hash: &Binary) -> Stored<TokenHash> {
    let token = TokenHash::try_from(hash.bytes.as_slice());
    token.map_err(|_| StoreError::Broken("a stored hash of a token has not 32 bytes".into()))
}

impl SessionDoc {
    fn new(new: NewSession) -> Self {
        Self {
            id: new.id.stored(),
            user: new.user.stored(),
            created_at: date(new.created_at),
            last_used_at: date(new.created_at),
            expires_at: date(new.expires_at),
            user_agent: new.user_agent,
            generation: 0,
            current: hash(new.token),
            previous: None,
            rotated_at: None,
            revoked_at: None,
        }
    }

    pub(super) fn record(self) -> Stored<SessionRecord> {
        let generation = u32::try_from(self.generation);
        Ok(SessionRecord {
            id: SessionId::of(self.id),
            user: UserId::of(self.user),
            created_at: time(self.created_at),
            last_used_at: time(self.last_used_at),
            expires_at: time(self.expires_at),
            user_agent: self.user_agent,
            generation: generation.map_err(|_| StoreError::Broken("a stored generation is no generation".into()))?,
            current: token(&self.current)?,
            previous: self.previous.as_ref().map(token).transpose()?,
            revoked_at: self.revoked_at.map(time),
        })
    }
}

/// A login with its person, as they are read together.
#[derive(Deserialize)]
struct Owned {
    session: SessionDoc,
    person: UserDoc,
}

/// A login that is neither revoked nor expired.
fn live(which: Document, now: Timestamp) -> Document {
    let mut which = which;
    which.insert("revoked_at", Bson::Null);
    which.insert("expires_at", doc! { "$gt": date(now) });
    which
}

fn revoked(now: Timestamp) -> Document {
    doc! { "$set": { "revoked_at": date(now) } }
}

impl Shared {
    async fn create_session(&self, new: NewSession) -> Stored<()> {
        let (user, began) = (new.user.stored(), date(new.created_at));
        self.begin_session(SessionDoc::new(new)).await?;
        let noted = doc! { "$max": { "last_login_at": began } };
        self.users.update_one(doc! { "_id": user }, noted).await?;
        Ok(())
    }

    async fn begin_session(&self, session: SessionDoc) -> Stored<()> {
        let Err(error) = self.sessions.insert_one(&session).await else { return Ok(()) };
        if duplicate(&error).is_none() {
            return Err(error.into());
        }
        // A repeat whose first answer was lost changes nothing, but is answered only once the first one is durable.
        let there = self.sessions.find_one(doc! { "_id": session.id }).await?;
        there.map(drop).ok_or_else(|| StoreError::Unknown("the same login is being stored".into()))
    }

    async fn session(&self, id: SessionId) -> Stored<Option<(SessionRecord, UserRecord)>> {
        let pipeline = [
            doc! { "$match": { "_id": id.stored() } },
            doc! { "$lookup": { "from": self.users.name(), "localField": "user", "foreignField": "_id", "as": "person" } },
            doc! { "$unwind": "$person" },
            doc! { "$project": { "_id": 0, "session": "$$ROOT", "person": 1 } },
        ];
        let mut found = self.sessions.aggregate(pipeline).with_type::<Owned>().await?;
        let Some(Owned { session, person }) = found.try_next().await? else { return Ok(None) };
        Ok(Some((session.record()?, person.record()?)))
    }

    /// Revokes a live login; `false` if another call did, or there is none.
    async fn revoke(&self, which: Document, now: Timestamp) -> Stored<bool> {
        Ok(self.sessions.update_one(live(which, now), revoked(now)).await?.modified_count > 0)
    }

    async fn rotate(&self, ask: Rotate) -> Stored<Rotation> {
        let presented = hash(ask.presented);
        let next = ask.generation.saturating_add(1);
        let stands = doc! { "_id": ask.id.stored(), "generation": i64::from(ask.generation), "current": &presented };
        let moved = doc! { "$set": {
            "generation": i64::from(next),
            "previous": &presented,
            "current": hash(ask.next),
            "rotated_at": date(ask.now),
            "last_used_at": date(ask.now),
        } };
        if self.sessions.update_one(live(stands, ask.now), moved).await?.modified_count > 0 {
            return Ok(Rotation::Rotated { generation: next });
        }
        // It stands elsewhere. Whatever made it so is durable by now: the update above waited for it.
        let which = doc! { "_id": ask.id.stored() };
        let Some(session) = self.sessions.find_one(which.clone()).await? else { return Ok(Rotation::Unknown) };
        let rotated_at = session.rotated_at.map(time);
        let session = session.record()?;
        if session.revoked_at.is_some() || session.expires_at <= ask.now {
            return Ok(Rotation::Unknown);
        }
        if session.current == ask.presented {
            // The caller read the session before the rotation that made this token; `next` was made for another place.
            return Err(StoreError::Unknown("the session has moved on meanwhile".into()));
        }
        if session.previous == Some(ask.presented) {
            // Whoever uses the current token makes another one current, so this predecessor's successor is unused.
            let age = rotated_at.map(|rotated| ask.now.millis().saturating_sub(rotated.millis()));
            if age.is_some_and(|age| age <= ask.grace_ms) {
                return Ok(Rotation::Again { generation: session.generation });
            }
        } else if !ask.was_ours {
            return Ok(Rotation::Unknown);
        }
        Ok(if self.revoke(which, ask.now).await? { Rotation::Reused } else { Rotation::Unknown })
    }

    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Stored<Vec<SessionRecord>> {
        let found = self.sessions.find(live(doc! { "user": user.stored() }, now));
        let found: Vec<SessionDoc> = found.sort(doc! { "created_at": -1, "_id": 1 }).await?.try_collect().await?;
        found.into_iter().map(SessionDoc::record).collect()
    }

    /// One by one, so that of several calls at once each tells those that it ended.
    async fn revoke_sessions_of(
        &self,
        user: UserId,
        except: Option<SessionId>,
        now: Timestamp,
    ) -> Stored<Vec<SessionId>> {
        let mut ended = Vec::new();
        for session in self.sessions_of(user, now).await? {
            if Some(session.id) != except && self.revoke(doc! { "_id": session.id.stored() }, now).await? {
                ended.push(session.id);
            }
        }
        Ok(ended)
    }

    async fn ended_among(&self, mut ids: Vec<SessionId>, now: Timestamp) -> Stored<Vec<SessionId>> {
        let all: Vec<_> = ids.iter().map(|id| id.stored()).collect();
        let alive = live(doc! { "_id": { "$in": all } }, now);
        let found: Vec<SessionDoc> = self.sessions.find(alive).await?.try_collect().await?;
        let people: Vec<_> = found.iter().map(|session| session.user).collect();
        let which = doc! { "_id": { "$in": people }, "disabled": true };
        let disabled: Vec<UserDoc> = self.users.find(which).await?.try_collect().await?;
        let lives = |session: &&SessionDoc| disabled.iter().all(|user| user.id != session.user);
        let alive: Vec<SessionId> = found.iter().filter(lives).map(|session| SessionId::of(session.id)).collect();
        ids.retain(|id| !alive.contains(id));
        Ok(ids)
    }
}

#[async_trait]
impl Sessions for Mongo {
    async fn create_session(&self, session: NewSession) -> Stored<()> {
        self.run(|shared| async move { shared.create_session(session).await }).await
    }

    async fn session(&self, id: SessionId) -> Stored<Option<(SessionRecord, UserRecord)>> {
        self.run(move |shared| async move { shared.session(id).await }).await
    }

    async fn rotate(&self, rotate: Rotate) -> Stored<Rotation> {
        self.run(move |shared| async move { shared.rotate(rotate).await }).await
    }

    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Stored<Vec<SessionRecord>> {
        self.run(move |shared| async move { shared.sessions_of(user, now).await }).await
    }

    async fn revoke_session(&self, user: UserId, id: SessionId, now: Timestamp) -> Stored<bool> {
        let which = doc! { "_id": id.stored(), "user": user.stored() };
        self.run(move |shared| async move { shared.revoke(which, now).await }).await
    }

    async fn revoke_sessions_of(
        &self,
        user: UserId,
        except: Option<SessionId>,
        now: Timestamp,
    ) -> Stored<Vec<SessionId>> {
        self.run(move |shared| async move { shared.revoke_sessions_of(user, except, now).await }).await
    }

    async fn ended_among(&self, ids: &[SessionId], now: Timestamp) -> Stored<Vec<SessionId>> {
        let ids = ids.to_vec();
        self.run(move |shared| async move { shared.ended_among(ids, now).await }).await
    }

    async fn prune_sessions(&self, before: Timestamp) -> Stored<u64> {
        let before = doc! { "$lt": date(before) };
        let which = doc! { "$or": [{ "expires_at": before.clone() }, { "revoked_at": before }] };
        self.run(|shared| async move { Ok(shared.sessions.delete_many(which).await?.deleted_count) }).await
    }
}
