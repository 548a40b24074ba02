//! Taking a chunk, in steps that can each be repeated.

use super::super::document::{EntryDoc, Id, UploadDoc, UserDoc, Word, int};
use super::super::effects;
use super::super::fault::{duplicate, is_of_duplicates_only};
use super::super::{Shared, words};
use super::IMPORT;
use super::spelling::{broken, login_doc, member_doc, person_doc, room_doc, to_document};
use crate::store::archive::{Piece, RoomCut};
use crate::store::{NewEntry, RoomRecord, Stored};
use futures_util::TryStreamExt;
use mongodb::Collection;
use mongodb::bson::{Document, Uuid, doc};
use natter_shared::entry::EntryKind;
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::room::RoomKind;
use serde::Serialize;
use std::collections::BTreeMap;

/// So many entries of a room in a chunk are indexed with it.
const LONG: u64 = 100;

impl Shared {
    pub(super) async fn take(&self, chunk: u64, pieces: Vec<Piece>) -> Stored<()> {
        let (mut people, mut rooms, mut logins) = (Vec::new(), Vec::new(), Vec::new());
        let (mut entries, mut cuts, mut uploads, mut events) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for piece in pieces {
            match piece {
                Piece::Person(person) => people.push(person_doc(person)),
                Piece::Room(room) => rooms.push(room_doc(&room)),
                Piece::Entry(entry) => entries.push(entry.placed()),
                Piece::Cut(cut) => cuts.push(cut),
                Piece::Everybody => {}
                Piece::Login(login) => logins.push(login_doc(login)),
                Piece::Upload(upload) => uploads.push(UploadDoc::of(&upload)),
                Piece::Event(event) => events.push(event),
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
        self.take_documents(&self.uploads, uploads.into_iter().map(|it| (it.id, it)), "$setOnInsert").await?;
        self.append_events(events).await?;
        let chunk = i64::try_from(chunk).unwrap_or(i64::MAX);
        let noted = doc! { "$max": { "chunks": chunk } };
        let done = self.imports().update_one(doc! { "_id": IMPORT, "finished": false }, noted).await?;
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

    async fn take_entries(&self, entries: &[(Seq, NewEntry)]) -> Stored<()> {
        let mut rooms: BTreeMap<RoomId, (Seq, Seq)> = BTreeMap::new();
        let mut docs = Vec::with_capacity(entries.len());
        // Of several edits, or pins, of a message the last one holds: statements are done in no order, those of a later
        // step after those of an earlier one.
        let mut edits: BTreeMap<(RoomId, Seq), Document> = BTreeMap::new();
        let mut pins: BTreeMap<(RoomId, Seq), Document> = BTreeMap::new();
        let mut blanks = Vec::new();
        for (seq, entry) in entries {
            let seq = *seq;
            let (_, last) = rooms.entry(entry.room).or_insert((seq, seq.back(1)));
            if seq != last.next() {
                return Err(broken(format!("entry {seq} of room {} does not follow on the one before", entry.room)));
            }
            *last = seq;
            docs.push(EntryDoc::at(entry, seq)?);
            match &entry.what {
                EntryKind::Edited { target, mentions, .. } => {
                    edits.insert((entry.room, *target), effects::mentions(entry.room, *target, mentions));
                }
                EntryKind::Pinned { target } => {
                    pins.insert((entry.room, *target), effects::pin(entry.room, *target, Some(seq)));
                }
                EntryKind::Unpinned { target } => {
                    pins.insert((entry.room, *target), effects::pin(entry.room, *target, None));
                }
                EntryKind::Deleted { target } => blanks.extend(effects::blanks(entry.room, *target, seq)),
                _ => {}
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
        for statements in [edits.into_values().collect(), pins.into_values().collect(), blanks] {
            self.update_all(self.entries.name(), statements).await?;
        }
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
}
