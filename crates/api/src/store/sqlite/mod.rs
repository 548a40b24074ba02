//! The embedded store: one SQLite file, one thread that writes, a few that read. All SQL of the program is in this folder.
//!
//! A commit is durable when it is answered (`journal_mode = WAL`, `synchronous = FULL`). One process uses a file at a time,
//! held by a lock beside it; others may read it meanwhile.

mod accounts;
mod append;
mod archive;
mod authors;
mod column;
mod directs;
mod effects;
mod entry;
mod events;
mod facts;
mod fault;
mod integrations;
mod log;
mod marks;
mod messages;
mod open;
mod overviews;
mod readers;
mod rooms;
mod schema;
mod search;
mod sessions;
mod uploads;
mod writer;

#[cfg(test)]
mod tests;

pub use open::{OpenError, Options};

use super::{Health, StoreError, Stored};
use async_trait::async_trait;
use readers::Readers;
use rusqlite::Connection;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use writer::{Desk, Writer};

/// How long a health check waits for the writer.
const PING: Duration = Duration::from_secs(1);
/// How often closing looks whether the last call under way has ended.
const UNDER_WAY: Duration = Duration::from_millis(2);

/// An open file. Closing or dropping it finishes what is queued, closes the file and gives the lock back.
pub struct Sqlite {
    /// `None` once it is closed; whoever still holds the store is then told that it is closing.
    open: Mutex<Option<Arc<Open>>>,
    /// How often it was read, for tests of what something costs.
    #[cfg(test)]
    pub(crate) reads: std::sync::atomic::AtomicUsize,
}

struct Open {
    // In the order in which they must end: who closes last cleans up, and only then may another process come.
    readers: Readers,
    /// `None` where the file is only read.
    writer: Option<Writer>,
    _lock: Option<File>,
}

impl Open {
    fn writer(&self) -> Stored<&Writer> {
        self.writer.as_ref().ok_or_else(|| StoreError::Unwritable("the file was opened to be read only".into()))
    }
}

impl Sqlite {
    /// Finishes what is queued and closes the file, whoever else holds the store. Later calls find it closing. Returns
    /// when the lock has been given back.
    pub async fn close(&self) {
        let Some(mut open) = lock(&self.open).take() else { return };
        loop {
            match Arc::try_unwrap(open) {
                Ok(last) => {
                    // Ending the threads waits for them; a task that panicked has nothing more to tell.
                    let _ = tokio::task::spawn_blocking(move || drop(last)).await;
                    return;
                }
                // Calls that are under way end within their own patience.
                Err(shared) => open = shared,
            }
            tokio::time::sleep(UNDER_WAY).await;
        }
    }

    fn in_use(&self) -> Stored<Arc<Open>> {
        lock(&self.open).clone().ok_or_else(|| StoreError::Unknown("the store is closing".into()))
    }

    async fn read<T, F>(&self, work: F) -> Stored<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Stored<T> + Send + 'static,
    {
        #[cfg(test)]
        self.reads.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.in_use()?.readers.run(work).await
    }

    async fn write<T, F>(&self, work: F) -> Stored<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Desk) -> Stored<T> + Send + 'static,
    {
        self.in_use()?.writer()?.run(None, work).await
    }
}

fn lock(open: &Mutex<Option<Arc<Open>>>) -> MutexGuard<'_, Option<Arc<Open>>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Health for Sqlite {
    /// After a write that failed, a real one is tried; otherwise it is enough that a transaction can be had.
    async fn ping(&self) -> Stored<()> {
        let read = self.read(|conn| Ok(conn.query_row("SELECT 1 FROM probe", [], column::plain::<i64>)?));
        read.await?;
        let open = self.in_use()?;
        let write = open.writer()?.run(Some(PING), |desk| {
            if desk.unwritable {
                desk.conn.prepare_cached("UPDATE probe SET n = n + 1")?.execute([])?;
            }
            Ok(())
        });
        write.await
    }
}
