//! The store of a system of several nodes: MongoDB, as a replica set. All BSON of the program is in this folder.
//!
//! The log of a room is what stands in `entries`, and nothing else has to be written to send a message: a message as it
//! stands now is put together when it is read. What an entry changes besides (members, the room, a deleted text) is changed
//! in one transaction with it. Every write is durable on a majority of the set before it is answered.

mod accounts;
mod append;
mod archive;
mod authors;
mod bulk;
mod calls;
mod directs;
mod document;
mod effects;
mod events;
mod facts;
mod fault;
mod indexes;
mod integrations;
mod log;
mod marks;
mod messages;
mod open;
mod overviews;
mod prepare;
mod rooms;
mod search;
mod sessions;
mod transaction;
mod uploads;
mod words;
mod writer;

#[cfg(test)]
mod tests;

pub use open::{MongoUrl, OpenError};
pub use prepare::{PrepareError, prepare};

use super::{Health, StoreError, Stored};
use async_trait::async_trait;
use authors::Authors;
use document::{EntryDoc, EventDoc, IndexedDoc, MemberDoc, RoomDoc, SessionDoc, UploadDoc, UserDoc, WordsDoc};
use mongodb::bson::doc;
use mongodb::{Client, Collection, Database};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use words::Indexer;
use writer::Writer;

/// The longest that any call takes; past it the outcome is unknown.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a call waits for its turn when too many are under way.
const TURN: Duration = Duration::from_secs(2);
/// Calls under way at once. More would only wait for one of the pool's connections.
const UNDER_WAY: usize = 512;
/// How long a health check waits.
const PING: Duration = Duration::from_secs(2);

/// A connected store.
pub struct Mongo {
    shared: Arc<Shared>,
    /// The driver's own threads: its connections must not live on the threads that serve sockets.
    runtime: Option<Runtime>,
    handle: Handle,
    turns: Arc<Semaphore>,
}

/// What all calls work with.
struct Shared {
    client: Client,
    db: Database,
    users: Collection<UserDoc>,
    sessions: Collection<SessionDoc>,
    rooms: Collection<RoomDoc>,
    members: Collection<MemberDoc>,
    entries: Collection<EntryDoc>,
    words: Collection<WordsDoc>,
    indexed: Collection<IndexedDoc>,
    events: Collection<EventDoc>,
    uploads: Collection<UploadDoc>,
    authors: Authors,
    writer: Writer,
    indexer: Indexer,
}

impl Mongo {
    /// Runs a call on the driver's threads, within its time. Whoever stops waiting does not stop the call.
    async fn run<T, F, Fut>(&self, call: F) -> Stored<T>
    where
        T: Send + 'static,
        F: FnOnce(Arc<Shared>) -> Fut,
        Fut: Future<Output = Stored<T>> + Send + 'static,
    {
        self.run_within(PATIENCE, call).await
    }

    async fn run_within<T, F, Fut>(&self, patience: Duration, call: F) -> Stored<T>
    where
        T: Send + 'static,
        F: FnOnce(Arc<Shared>) -> Fut,
        Fut: Future<Output = Stored<T>> + Send + 'static,
    {
        let turn = timeout(TURN, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(StoreError::Unknown("too many calls to MongoDB are under way".into()));
        };
        let call = call(Arc::clone(&self.shared));
        let task = self.handle.spawn(async move {
            let result = timeout(patience, call).await;
            drop(turn);
            result.unwrap_or_else(|_| Err(StoreError::Unknown("MongoDB took too long to answer".into())))
        });
        match task.await {
            Ok(result) => result,
            Err(error) if error.is_panic() => Err(StoreError::Broken("a call to MongoDB panicked".into())),
            Err(_) => Err(StoreError::Unknown("the store is closing".into())),
        }
    }
}

impl Drop for Mongo {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // What is still under way belongs to callers who have gone.
            runtime.shutdown_background();
        }
    }
}

#[async_trait]
impl Health for Mongo {
    async fn ping(&self) -> Stored<()> {
        self.run_within(PING, |shared| async move {
            // The primary answers this: a set without one can read, and cannot write.
            let hello = shared.db.run_command(doc! { "hello": 1 }).await?;
            match hello.get_bool("isWritablePrimary") {
                Ok(true) => Ok(()),
                _ => Err(StoreError::Unknown("no member of the replica set can write".into())),
            }
        })
        .await
    }
}
