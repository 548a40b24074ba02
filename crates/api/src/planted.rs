//! Bugs and failures on purpose, for the fault harness to be tried on (`cargo xtask faults --self-test`). Compiled only with
//! the feature `planted-bugs`, which is off by default and in everything that is shipped; asked for by two variables.
//!
//! `NATTER_TEST_PLANT` is one of `ack-before-commit`, `doubled-client-id` and `seq-from-redis` (seqs are what the Redis of
//! `NATTER_REDIS` counts).
//! `NATTER_TEST_FAIL` is `kill-before-publish:N` (the process ends between the N-th commit of messages and its publishing)
//! or `panic-in-dispatch:N` (the N-th message of a socket panics).

mod counter;

use crate::store::{Appended, Call, EntrySlice, Heard, Log, MessageSlice, NewEntry, Search, Stored};
use async_trait::async_trait;
use counter::Counter;
use natter_shared::entry::{Author, Entry, EntryKind, Message};
use natter_shared::id::{ClientId, RoomId, Seq, UserId};
use natter_shared::limits;
use natter_shared::page::Window;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long after its acknowledgement an entry is stored.
const BEHIND: Duration = Duration::from_millis(20);

enum Plant {
    None,
    AckBeforeCommit,
    DoubledClientId,
    SeqFromRedis(Counter),
}

/// The number behind `name:` in `NATTER_TEST_FAIL`.
fn fail_at(name: &str) -> Option<u64> {
    let asked = std::env::var("NATTER_TEST_FAIL").ok()?;
    asked.strip_prefix(name)?.strip_prefix(':')?.parse().ok()
}

/// Called for each message of a socket, before anything is done for it.
pub fn before_dispatch() {
    static MESSAGES: AtomicU64 = AtomicU64::new(0);
    let number = MESSAGES.fetch_add(1, Ordering::Relaxed) + 1;
    assert!(fail_at("panic-in-dispatch") != Some(number), "planted: message {number} was asked to panic");
}

/// The log as the writer shall see it.
pub fn around(inner: Arc<dyn Log>) -> Arc<dyn Log> {
    let plant = match std::env::var("NATTER_TEST_PLANT").as_deref() {
        Ok("ack-before-commit") => Plant::AckBeforeCommit,
        Ok("doubled-client-id") => Plant::DoubledClientId,
        Ok("seq-from-redis") => match Counter::of_the_setting() {
            Some(counter) => Plant::SeqFromRedis(counter),
            None => panic!("planted: seq-from-redis needs NATTER_REDIS"),
        },
        _ => Plant::None,
    };
    Arc::new(Planted {
        inner,
        plant,
        kill_at: fail_at("kill-before-publish"),
        commits: AtomicU64::new(0),
        turn: Arc::default(),
        known: Mutex::default(),
    })
}

struct Planted {
    inner: Arc<dyn Log>,
    plant: Plant,
    kill_at: Option<u64>,
    commits: AtomicU64,
    /// Held while a batch that was answered already is still on its way into the store.
    turn: Arc<tokio::sync::Mutex<()>>,
    known: Mutex<Known>,
}

/// What the plants believe to know instead of asking the store.
#[derive(Default)]
struct Known {
    heads: HashMap<RoomId, Seq>,
    authors: HashMap<(RoomId, UserId), Author>,
    sent: HashSet<(UserId, ClientId)>,
}

impl Planted {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn commit(&self, batch: Vec<NewEntry>) -> Stored<Vec<Appended>> {
        let messages = batch.iter().any(|new| matches!(new.what, EntryKind::Message(_)));
        let appended = self.inner.append(batch).await;
        if messages && self.kill_at == Some(self.commits.fetch_add(1, Ordering::Relaxed) + 1) {
            // Nothing is flushed, closed or said: as good as kill -9.
            std::process::abort();
        }
        appended
    }

    /// Answers first and stores later, as a write-behind cache does.
    async fn promise(&self, batch: Vec<NewEntry>) -> Stored<Vec<Appended>> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let mut promised = Vec::new();
        for new in &batch {
            let Some(entry) = self.guess(new).await? else {
                self.known().heads.clear();
                return self.commit(batch).await;
            };
            promised.push(Appended::New(entry));
        }
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move {
            tokio::time::sleep(BEHIND).await;
            if let Err(error) = inner.append(batch).await {
                tracing::warn!(%error, "planted: what was acknowledged is not stored");
            }
            drop(turn);
        });
        Ok(promised)
    }

    /// What the entry will probably be; `None` for what only the store can say.
    async fn guess(&self, new: &NewEntry) -> Stored<Option<Entry>> {
        let (EntryKind::Message(_), Some(client_id)) = (&new.what, new.client_id) else { return Ok(None) };
        let Some(author) = self.author(new.room, new.author).await? else { return Ok(None) };
        let head = self.known().heads.get(&new.room).copied();
        let head = match head {
            Some(head) => head,
            None => self.inner.heads(&[new.room]).await?.first().map_or(Seq::ZERO, |(_, head)| *head),
        };
        let mut known = self.known();
        if !known.sent.insert((new.author, client_id)) {
            return Ok(None);
        }
        known.heads.insert(new.room, head.next());
        let NewEntry { room, at, client_id, what, .. } = new.clone();
        Ok(Some(Entry { room, seq: head.next(), at, author, client_id, what }))
    }

    /// Whoever came into the room has an entry in its log.
    async fn author(&self, room: RoomId, user: UserId) -> Stored<Option<Author>> {
        if let Some(author) = self.known().authors.get(&(room, user)) {
            return Ok(Some(author.clone()));
        }
        let mut after = Seq::ZERO;
        while let Some(slice) = self.inner.entries_after(room, after, limits::ENTRIES_MAX).await? {
            let Some(last) = slice.entries.last().map(|entry| entry.seq) else { break };
            after = last;
            if let Some(entry) = slice.entries.into_iter().find(|entry| entry.author.id == user) {
                self.known().authors.insert((room, user), entry.author.clone());
                return Ok(Some(entry.author));
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Log for Planted {
    async fn append(&self, mut batch: Vec<NewEntry>) -> Stored<Vec<Appended>> {
        match &self.plant {
            Plant::None => self.commit(batch).await,
            Plant::AckBeforeCommit => self.promise(batch).await,
            Plant::DoubledClientId => {
                for new in &mut batch {
                    new.client_id = None;
                }
                self.commit(batch).await
            }
            Plant::SeqFromRedis(counter) => {
                let mut appended = self.commit(batch).await?;
                counter.number(&mut appended).await?;
                Ok(appended)
            }
        }
    }

    async fn heard(&self, calls: &[Call]) -> Stored<Vec<Heard>> {
        self.inner.heard(calls).await
    }

    async fn entries_after(&self, room: RoomId, after: Seq, limit: u32) -> Stored<Option<EntrySlice>> {
        self.inner.entries_after(room, after, limit).await
    }

    async fn entries_after_many(&self, cursors: &[(RoomId, Seq)], limit: u32) -> Stored<Vec<(RoomId, EntrySlice)>> {
        self.inner.entries_after_many(cursors, limit).await
    }

    async fn heads(&self, rooms: &[RoomId]) -> Stored<Vec<(RoomId, Seq)>> {
        self.inner.heads(rooms).await
    }

    async fn messages(&self, room: RoomId, reader: UserId, window: Window, limit: u32) -> Stored<Option<MessageSlice>> {
        self.inner.messages(room, reader, window, limit).await
    }

    async fn message(&self, room: RoomId, seq: Seq) -> Stored<Option<Message>> {
        self.inner.message(room, seq).await
    }

    async fn sent(&self, room: RoomId, author: UserId, client_id: ClientId) -> Stored<Option<Message>> {
        self.inner.sent(room, author, client_id).await
    }

    async fn pins(&self, room: RoomId, reader: UserId) -> Stored<Vec<Message>> {
        self.inner.pins(room, reader).await
    }

    async fn search(&self, search: Search) -> Stored<Vec<Message>> {
        self.inner.search(search).await
    }
}
