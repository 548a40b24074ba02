//! Full-text search. What people type becomes words, and words hold letters and digits only: nothing of it is ever read as
//! an operator or a pattern.

use super::Shared;
use super::document::{Id, IndexedDoc, MEMBER, WordsDoc, date, seq};
use super::messages::{as_they_stand, for_reader, seen_by};
use super::words::{self, words as words_of};
use crate::store::{Search, Stored};
use futures_util::TryStreamExt;
use mongodb::bson::{Bson, Document, Regex, Uuid, doc};
use natter_shared::entry::Message;
use natter_shared::id::{RoomId, Seq};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio::time::timeout;

/// How long the server may look for one search.
const BUDGET: Duration = Duration::from_millis(500);
/// How long a search waits for rooms that are not indexed up to their heads yet.
const CATCH_UP: Duration = Duration::from_secs(1);
/// Words of a query that count.
const WORDS: usize = 16;

/// Newest first, in rooms that the reader is in.
pub(super) async fn search(shared: &Shared, ask: &Search) -> Stored<Vec<Message>> {
    let query: BTreeSet<String> = words_of(&ask.query).into_iter().take(WORDS).collect();
    let rooms = rooms(shared, ask).await?;
    if query.is_empty() || rooms.is_empty() {
        return Ok(Vec::new());
    }
    catch_up(shared, &rooms).await?;
    let limit = usize::try_from(ask.limit).unwrap_or(usize::MAX);
    let ids: Vec<Uuid> = rooms.iter().map(|room| room.stored()).collect();
    let mut which = doc! { "room": { "$in": ids }, "words": { "$all": beginnings(&query) } };
    which.extend(after(ask));
    let newest = doc! { "at": -1, "room": -1, "seq": -1 };
    let mut hits = shared.words.find(which).sort(newest).max_time(BUDGET).await?;
    let mut found: Vec<Message> = Vec::new();
    let mut hits_left = true;
    while hits_left && found.len() < limit {
        let mut some = Vec::with_capacity(limit);
        while some.len() < limit {
            let Some(hit) = hits.try_next().await? else {
                hits_left = false;
                break;
            };
            some.push(hit);
        }
        found.extend(as_found(shared, ask, &query, &some).await?);
    }
    found.truncate(limit);
    Ok(found)
}

/// The rooms that are searched.
async fn rooms(shared: &Shared, ask: &Search) -> Stored<Vec<RoomId>> {
    let mut which = doc! { "user": ask.reader.stored(), "state": MEMBER };
    if let Some(room) = ask.room {
        which.insert("room", room.stored());
    }
    let found = shared.members.find(which).await?;
    found.map_ok(|member| RoomId::of(member.room)).try_collect().await.map_err(Into::into)
}

/// Indexes what is not indexed yet. What takes too long goes on in the background, and is found later.
async fn catch_up(shared: &Shared, rooms: &[RoomId]) -> Stored<()> {
    let ids: Vec<Uuid> = rooms.iter().map(|room| room.stored()).collect();
    let found: Vec<IndexedDoc> = shared.indexed.find(doc! { "_id": { "$in": ids } }).await?.try_collect().await?;
    let mut indexed: HashMap<RoomId, Seq> = HashMap::with_capacity(found.len());
    for room in found {
        indexed.insert(RoomId::of(room.room), seq(room.upto)?);
    }
    let heads = shared.heads(rooms).await?;
    let behind: Vec<RoomId> = heads
        .iter()
        .filter(|(room, head)| indexed.get(room).is_none_or(|upto| upto < *head))
        .map(|(room, _)| *room)
        .collect();
    let caught_up = timeout(CATCH_UP, async {
        for room in &behind {
            words::index(shared, *room).await?;
        }
        Ok(())
    });
    caught_up.await.unwrap_or_else(|_| {
        shared.indexer.touched(behind);
        Ok(())
    })
}

/// Each word as a pattern for words that begin with it; it has no character that a pattern would read as more than itself.
fn beginnings(query: &BTreeSet<String>) -> Vec<Bson> {
    let begins = |word: &String| {
        Some(Bson::RegularExpression(Regex {
            pattern: format!("^{word}").try_into().ok()?,
            options: "".try_into().ok()?,
        }))
    };
    query.iter().filter_map(begins).collect()
}

/// What lies after the last hit of the page before.
fn after(ask: &Search) -> Document {
    let Some((at, room, seq)) = ask.after else { return Document::new() };
    let (at, room, seq) = (date(at), room.stored(), super::document::int(seq));
    doc! { "$or": [
        { "at": { "$lt": at } },
        { "at": at, "room": { "$lt": room } },
        { "at": at, "room": room, "seq": { "$lt": seq } },
    ] }
}

/// The messages of these hits in their order, as far as the reader may see them and they still hold the words.
async fn as_found(shared: &Shared, ask: &Search, query: &BTreeSet<String>, hits: &[WordsDoc]) -> Stored<Vec<Message>> {
    let mut by_room: HashMap<Uuid, Vec<i64>> = HashMap::new();
    for hit in hits {
        by_room.entry(hit.room).or_default().push(hit.seq);
    }
    let which: Vec<Document> =
        by_room.iter().map(|(room, seqs)| doc! { "room": room, "seq": { "$in": seqs } }).collect();
    if which.is_empty() {
        return Ok(Vec::new());
    }
    let which = doc! { "$and": [{ "$or": which }, seen_by(ask.reader)] };
    let docs = shared.entries.find(which).await?.try_collect().await?;
    let messages = as_they_stand(shared, docs).await?.into_iter();
    let still = |message: &Message| {
        let words = words_of(message.content.body.as_str());
        !message.deleted && query.iter().all(|begin| words.iter().any(|word| word.starts_with(begin.as_str())))
    };
    let mut found: Vec<Message> = messages.filter(still).map(|message| for_reader(message, ask.reader)).collect();
    found.sort_by_key(|message| std::cmp::Reverse((message.at, message.room, message.seq)));
    Ok(found)
}
