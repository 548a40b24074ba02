//! Reading logs, and the way to all that is done with them.

use super::authors::author_of;
use super::document::{EntryDoc, Id, int, seq, time};
use super::{Mongo, Shared, calls, messages, search, writer};
use crate::store::{Appended, Call, EntrySlice, Heard, Log, MessageSlice, NewEntry, Search, Stored};
use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::bson::{Document, doc};
use natter_shared::entry::{Author, Entry, Message};
use natter_shared::id::{ClientId, RoomId, Seq, UserId};
use natter_shared::page::Window;
use std::collections::HashMap;

impl EntryDoc {
    pub(super) fn room_id(&self) -> RoomId {
        RoomId::of(self.room)
    }

    pub(super) fn author_id(&self) -> UserId {
        UserId::of(self.author)
    }

    /// The entry, whole.
    pub(super) fn entry(&self, authors: &HashMap<UserId, Author>) -> Stored<Entry> {
        Ok(Entry {
            room: self.room_id(),
            seq: seq(self.seq)?,
            at: time(self.at),
            author: author_of(authors, self.author_id())?,
            client_id: self.client_id.map(ClientId::of),
            what: self.what()?,
        })
    }
}

impl Shared {
    /// Stored entries as entries.
    pub(super) async fn entries_of(&self, docs: &[EntryDoc]) -> Stored<Vec<Entry>> {
        let authors = self.authors(docs.iter().map(EntryDoc::author_id)).await?;
        docs.iter().map(|doc| doc.entry(&authors)).collect()
    }

    /// The newest seq of each of these rooms that has an entry: one look at an index a room, in one call.
    pub(super) async fn heads(&self, rooms: &[RoomId]) -> Stored<HashMap<RoomId, Seq>> {
        let ids: Vec<_> = rooms.iter().map(|room| room.stored()).collect();
        let newest = [
            doc! { "$match": { "room": { "$in": ids } } },
            // The index backwards: in any other order all entries of these rooms would be read, and sorted.
            doc! { "$sort": { "room": -1, "seq": -1 } },
            doc! { "$group": { "_id": "$room", "head": { "$first": "$seq" } } },
        ];
        let mut found = self.entries.aggregate(newest).await?;
        let mut heads = HashMap::with_capacity(rooms.len());
        while let Some(head) = found.try_next().await? {
            if let (Some(mongodb::bson::Bson::Binary(room)), Ok(head)) = (head.get("_id"), head.get_i64("head"))
                && let Ok(room) = room.to_uuid()
            {
                heads.insert(RoomId::of(room), seq(head)?);
            }
        }
        Ok(heads)
    }

    /// The head of a room; `None` if there is no such room. A room without entries is at zero.
    pub(super) async fn head(&self, room: RoomId) -> Stored<Option<Seq>> {
        let newest = self.entries.find_one(doc! { "room": room.stored() }).sort(doc! { "seq": -1 }).await?;
        match newest {
            Some(newest) => seq(newest.seq).map(Some),
            None => Ok(self.has_room(room).await?.then_some(Seq::ZERO)),
        }
    }

    pub(super) async fn has_room(&self, room: RoomId) -> Stored<bool> {
        let rooms = self.rooms.clone_with_type::<Document>();
        Ok(rooms.find_one(doc! { "_id": room.stored() }).projection(doc! { "_id": 1 }).await?.is_some())
    }

    pub(super) async fn docs_after(&self, room: RoomId, after: Seq, limit: i64) -> Stored<Vec<EntryDoc>> {
        let which = doc! { "room": room.stored(), "seq": { "$gt": int(after) } };
        let found = self.entries.find(which).sort(doc! { "seq": 1 }).limit(limit).await?;
        Ok(found.try_collect().await?)
    }

    /// Entries after a cursor. The head is read first: what is then missing up to it cannot be, so that the slice is of one
    /// moment, and a head beyond the slice's end was there before the slice.
    async fn entries_after(&self, room: RoomId, after: Seq, limit: u32) -> Stored<Option<EntrySlice>> {
        let Some(head) = self.head(room).await? else { return Ok(None) };
        let docs = self.docs_after(room, after, i64::from(limit)).await?;
        let entries = self.entries_of(&docs).await?;
        let head = entries.last().map_or(head, |last| last.seq.max(head));
        Ok(Some(EntrySlice { entries, head }))
    }

    async fn entries_after_many(&self, cursors: &[(RoomId, Seq)], limit: u32) -> Stored<Vec<(RoomId, EntrySlice)>> {
        let rooms: Vec<RoomId> = cursors.iter().map(|(room, _)| *room).collect();
        let heads = self.all_heads(&rooms).await?;
        let mut wanted = Vec::new();
        for (room, after) in cursors {
            let behind = heads.get(room).and_then(|head| head.get().checked_sub(after.get()));
            if behind.is_some_and(|behind| (1..=u64::from(limit)).contains(&behind)) {
                let head = heads.get(room).copied().unwrap_or_default();
                wanted.push(doc! { "room": room.stored(), "seq": { "$gt": int(*after), "$lte": int(head) } });
            }
        }
        let mut slices: HashMap<RoomId, Vec<Entry>> = HashMap::new();
        if !wanted.is_empty() {
            let found = self.entries.find(doc! { "$or": wanted }).sort(doc! { "room": 1, "seq": 1 }).await?;
            let docs: Vec<EntryDoc> = found.try_collect().await?;
            for entry in self.entries_of(&docs).await? {
                slices.entry(entry.room).or_default().push(entry);
            }
        }
        let answer = rooms.iter().filter_map(|room| {
            let head = *heads.get(room)?;
            Some((*room, EntrySlice { entries: slices.remove(room).unwrap_or_default(), head }))
        });
        Ok(answer.collect())
    }

    /// The heads of those rooms that exist, the ones without entries among them.
    pub(super) async fn all_heads(&self, rooms: &[RoomId]) -> Stored<HashMap<RoomId, Seq>> {
        let mut heads = self.heads(rooms).await?;
        let silent: Vec<_> = rooms.iter().filter(|room| !heads.contains_key(room)).map(|room| room.stored()).collect();
        if !silent.is_empty() {
            let rooms = self.rooms.clone_with_type::<Document>();
            let mut found = rooms.find(doc! { "_id": { "$in": silent } }).projection(doc! { "_id": 1 }).await?;
            while let Some(room) = found.try_next().await? {
                if let Some(mongodb::bson::Bson::Binary(id)) = room.get("_id")
                    && let Ok(id) = id.to_uuid()
                {
                    heads.insert(RoomId::of(id), Seq::ZERO);
                }
            }
        }
        Ok(heads)
    }
}

#[async_trait]
impl Log for Mongo {
    async fn append(&self, batch: Vec<NewEntry>) -> Stored<Vec<Appended>> {
        self.run(|shared| async move { writer::append(&shared, batch).await }).await
    }

    async fn heard(&self, calls: &[Call]) -> Stored<Vec<Heard>> {
        let calls = calls.to_vec();
        self.run(|shared| async move { calls::heard(&shared, &calls).await }).await
    }

    async fn entries_after(&self, room: RoomId, after: Seq, limit: u32) -> Stored<Option<EntrySlice>> {
        self.run(|shared| async move { shared.entries_after(room, after, limit).await }).await
    }

    async fn entries_after_many(&self, cursors: &[(RoomId, Seq)], limit: u32) -> Stored<Vec<(RoomId, EntrySlice)>> {
        let cursors = cursors.to_vec();
        self.run(|shared| async move { shared.entries_after_many(&cursors, limit).await }).await
    }

    async fn heads(&self, rooms: &[RoomId]) -> Stored<Vec<(RoomId, Seq)>> {
        let rooms = rooms.to_vec();
        self.run(|shared| async move { Ok(shared.all_heads(&rooms).await?.into_iter().collect()) }).await
    }

    async fn messages(&self, room: RoomId, reader: UserId, window: Window, limit: u32) -> Stored<Option<MessageSlice>> {
        self.run(|shared| async move { messages::page(&shared, room, reader, window, limit).await }).await
    }

    async fn message(&self, room: RoomId, seq: Seq) -> Stored<Option<Message>> {
        self.run(|shared| async move { messages::message(&shared, room, seq).await }).await
    }

    async fn sent(&self, room: RoomId, author: UserId, client_id: ClientId) -> Stored<Option<Message>> {
        let which = doc! { "room": room.stored(), "author": author.stored(), "client_id": client_id.stored() };
        self.run(move |shared| async move {
            let Some(found) = shared.entries.find_one(which).await? else { return Ok(None) };
            messages::message(&shared, room, seq(found.seq)?).await
        })
        .await
    }

    async fn pins(&self, room: RoomId, reader: UserId) -> Stored<Vec<Message>> {
        self.run(|shared| async move { messages::pins(&shared, room, reader).await }).await
    }

    async fn search(&self, ask: Search) -> Stored<Vec<Message>> {
        self.run(|shared| async move { search::search(&shared, &ask).await }).await
    }
}
