//! The log of events: the `events` collection.

use super::document::{EventDoc, Id, date, time};
use super::fault::is_of_duplicates_only;
use super::{Mongo, Shared};
use crate::store::{EventSearch, Events, Stored, Tally, TallySearch};
use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::bson::{DateTime, Document, doc};
use natter_shared::event::{Event, EventKind};
use natter_shared::id::{EventId, RoomId, SessionId, UserId};
use natter_shared::timestamp::Timestamp;
use serde::Deserialize;

impl EventDoc {
    fn of(event: Event) -> Self {
        Self {
            id: event.id.stored(),
            at: date(event.at),
            kind: event.kind.word().to_owned(),
            user: event.user.map(Id::stored),
            other: event.other.map(Id::stored),
            room: event.room.map(Id::stored),
            session: event.session.map(Id::stored),
            ip: event.ip,
            what: event.what,
            count: i64::try_from(event.count).unwrap_or(i64::MAX),
        }
    }

    fn event(self) -> Event {
        Event {
            id: EventId::of(self.id),
            at: time(self.at),
            kind: EventKind::of(&self.kind),
            user: self.user.map(UserId::of),
            other: self.other.map(UserId::of),
            room: self.room.map(RoomId::of),
            session: self.session.map(SessionId::of),
            ip: self.ip,
            what: self.what,
            count: self.count.unsigned_abs(),
        }
    }
}

/// A [`Tally`] as the pipeline gives it.
#[derive(Deserialize)]
struct TallyDoc {
    at: DateTime,
    kind: String,
    sum: i64,
    most: i64,
}

fn of_kinds(kinds: &[EventKind]) -> Document {
    let words: Vec<_> = kinds.iter().map(|kind| kind.word()).collect();
    doc! { "$in": words }
}

impl Shared {
    pub(super) async fn append_events(&self, events: Vec<Event>) -> Stored<()> {
        let documents: Vec<_> = events.into_iter().map(EventDoc::of).collect();
        if documents.is_empty() {
            return Ok(());
        }
        match self.events.insert_many(&documents).ordered(false).await {
            Err(error) if !is_of_duplicates_only(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }

    async fn search_events(&self, search: EventSearch) -> Stored<Vec<Event>> {
        let mut all = Vec::new();
        if !search.kinds.is_empty() {
            all.push(doc! { "kind": of_kinds(&search.kinds) });
        }
        if let Some(person) = search.person {
            let person = person.stored();
            all.push(doc! { "$or": [{ "user": person }, { "other": person }] });
        }
        if let Some(from) = search.from {
            all.push(doc! { "at": { "$gte": date(from) } });
        }
        if let Some(to) = search.to {
            all.push(doc! { "at": { "$lt": date(to) } });
        }
        if let Some((at, id)) = search.after {
            let (at, id) = (date(at), id.stored());
            all.push(doc! { "at": { "$lte": at } });
            all.push(doc! { "$or": [{ "at": { "$lt": at } }, { "_id": { "$lt": id } }] });
        }
        let which = if all.is_empty() {
            doc! {}
        } else {
            doc! { "$and": all }
        };
        let found = self.events.find(which).sort(doc! { "at": -1, "_id": -1 }).limit(i64::from(search.limit)).await?;
        let found: Vec<EventDoc> = found.try_collect().await?;
        Ok(found.into_iter().map(EventDoc::event).collect())
    }

    async fn tally_events(&self, search: TallySearch) -> Stored<Vec<Tally>> {
        let time_of_day = doc! { "$mod": [{ "$toLong": "$_id.at" }, search.step_ms.max(1)] };
        let pipeline = [
            doc! { "$match": {
                "kind": of_kinds(&search.kinds),
                "at": { "$gte": date(search.from), "$lt": date(search.to) },
            } },
            doc! { "$group": { "_id": { "kind": "$kind", "at": "$at" }, "total": { "$sum": "$count" } } },
            doc! { "$group": {
                "_id": { "kind": "$_id.kind", "at": { "$subtract": ["$_id.at", time_of_day] } },
                "sum": { "$sum": "$total" },
                "most": { "$max": "$total" },
            } },
            doc! { "$project": { "_id": 0, "at": "$_id.at", "kind": "$_id.kind", "sum": 1, "most": 1 } },
            doc! { "$sort": { "at": 1 } },
        ];
        let found = self.events.aggregate(pipeline).with_type::<TallyDoc>().await?;
        let found: Vec<TallyDoc> = found.try_collect().await?;
        let tally = |found: TallyDoc| Tally {
            at: time(found.at),
            kind: EventKind::of(&found.kind),
            sum: found.sum.unsigned_abs(),
            most: found.most.unsigned_abs(),
        };
        Ok(found.into_iter().map(tally).collect())
    }
}

#[async_trait]
impl Events for Mongo {
    async fn append_events(&self, events: Vec<Event>) -> Stored<()> {
        self.run(|shared| async move { shared.append_events(events).await }).await
    }

    async fn events(&self, search: EventSearch) -> Stored<Vec<Event>> {
        self.run(|shared| async move { shared.search_events(search).await }).await
    }

    async fn tally_events(&self, search: TallySearch) -> Stored<Vec<Tally>> {
        self.run(|shared| async move { shared.tally_events(search).await }).await
    }

    async fn prune_events(&self, before: Timestamp) -> Stored<u64> {
        let which = doc! { "at": { "$lt": date(before) } };
        self.run(|shared| async move { Ok(shared.events.delete_many(which).await?.deleted_count) }).await
    }
}
