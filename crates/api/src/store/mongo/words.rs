//! The index of words. It follows the log: a message costs nothing for it when it is sent, and whoever searches first brings
//! the rooms that are searched up to their heads. Losing it all would lose nothing.
//!
//! Any node may index any part of a log, at once with others: words of a later entry are never overwritten by those of an
//! earlier one, and a room counts as indexed up to a seq only after everything up to there is.

use super::Shared;
use super::document::{EDITED, EntryDoc, Id, MESSAGE, WordsDoc, seq};
use super::fault::is_of_duplicates_only;
use crate::store::Stored;
use mongodb::bson::{Document, doc};
use natter_shared::id::{RoomId, Seq};
use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// How long the indexer lets entries gather. Sending goes before indexing.
const GATHER: Duration = Duration::from_secs(1);
/// Entries of one step.
const STEP: i64 = 500;
/// The indexer rests for so many times as long as a step took. What searching costs the store, for each message more than
/// sending it does, is then spread over the time after a rush instead of slowing it.
const RESTS: u32 = 3;
/// How many characters of a word count.
const WORD_MAX: usize = 64;
/// Rooms that are remembered as touched; the others are indexed when somebody searches them.
const TOUCHED_MAX: usize = 10_000;

/// The rooms that have something new for the index.
#[derive(Default)]
pub(super) struct Indexer {
    touched: Mutex<HashSet<RoomId>>,
    more: Notify,
}

impl Indexer {
    /// These rooms have new entries.
    pub fn touched(&self, rooms: impl IntoIterator<Item = RoomId>) {
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        touched.extend(rooms);
        if touched.len() > TOUCHED_MAX {
            touched.clear();
        }
        drop(touched);
        self.more.notify_one();
    }

    fn take(&self) -> HashSet<RoomId> {
        std::mem::take(&mut *self.touched.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Starts the task that indexes what is new; it ends with the runtime.
pub(super) fn start(shared: &Arc<Shared>) {
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let mut behind = false;
        loop {
            if !behind {
                shared.indexer.more.notified().await;
                sleep(GATHER).await;
            }
            behind = false;
            // A step of each room in turn, so that none waits for the backlog of another.
            for room in shared.indexer.take() {
                let begun = Instant::now();
                match index_some(&shared, room).await {
                    Ok(true) => {
                        behind = true;
                        shared.indexer.touched([room]);
                    }
                    Ok(false) => {}
                    Err(error) => {
                        tracing::warn!(%room, %error, "a room could not be indexed; it is when somebody searches it");
                    }
                }
                sleep(begun.elapsed() * RESTS).await;
            }
        }
    });
}

/// Brings a room up to its head.
pub(super) async fn index(shared: &Shared, room: RoomId) -> Stored<()> {
    while index_some(shared, room).await? {}
    Ok(())
}

/// Indexes the next entries of a room; `true` if there may be more.
async fn index_some(shared: &Shared, room: RoomId) -> Stored<bool> {
    let found = shared.indexed.find_one(doc! { "_id": room.stored() }).await?;
    let upto = found.map_or(Ok(Seq::ZERO), |indexed| seq(indexed.upto))?;
    let docs = shared.docs_after(room, upto, STEP).await?;
    let Some(last) = docs.last() else { return Ok(false) };
    put(shared, docs.iter().filter(|entry| entry.kind == MESSAGE).map(of_message).collect()).await?;
    shared.update_all("words", docs.iter().filter_map(update).collect()).await?;
    let done = doc! { "$max": { "upto": last.seq } };
    shared.indexed.update_one(doc! { "_id": room.stored() }, done).upsert(true).await?;
    Ok(i64::try_from(docs.len()) == Ok(STEP))
}

/// Puts the words of messages that were not indexed before. Those that were are as they should be, or newer: nothing is
/// indexed from before its message. Inserting costs the server less than half of what an update with `upsert` does.
async fn put(shared: &Shared, words: Vec<WordsDoc>) -> Stored<()> {
    if words.is_empty() {
        return Ok(());
    }
    match shared.words.insert_many(&words).ordered(false).await {
        Err(error) if !is_of_duplicates_only(&error) => Err(error.into()),
        _ => Ok(()),
    }
}

fn of_message(entry: &EntryDoc) -> WordsDoc {
    WordsDoc { room: entry.room, seq: entry.seq, at: entry.at, from: entry.seq, words: words_in(entry) }
}

/// What an entry changes about the words of another one.
fn update(entry: &EntryDoc) -> Option<Document> {
    let words = match entry.kind.as_str() {
        EDITED => words_in(entry),
        "deleted" => Vec::new(),
        _ => return None,
    };
    let which = doc! { "room": entry.room, "seq": entry.target?, "from": { "$lt": entry.seq } };
    Some(doc! { "q": which, "u": { "$set": { "from": entry.seq, "words": words } } })
}

fn words_in(entry: &EntryDoc) -> Vec<String> {
    words(entry.text.as_deref().unwrap_or_default()).into_iter().collect()
}

/// The words of a text as they are compared: lower case, without accents.
pub(super) fn words(text: &str) -> BTreeSet<String> {
    let plain: String = text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect();
    let words = plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word.chars().take(WORD_MAX).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_without_case_and_accents() {
        let found: Vec<_> = words("Crème BRÛLÉE, 2 x (a+)+$ e\u{301}te").into_iter().collect();
        assert_eq!(found, ["2", "a", "brulee", "creme", "ete", "x"]);
        assert!(words("\"*^:(){}").is_empty());
        assert_eq!(words(&"a".repeat(200)).first().unwrap().len(), WORD_MAX);
    }
}
