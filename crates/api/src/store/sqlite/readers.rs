//! The threads that read, each with its own connection. A read sees one moment of the store; waiting for a thread is
//! bounded, so that a flood of reads is told to come again instead of piling up.

use crate::store::{StoreError, Stored};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

/// How long a caller waits for a free thread and for its answer, together.
const PATIENCE: Duration = Duration::from_secs(2);

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// Threads that have nothing to do, the one that was busy last on top: its pages are the warmest. `None` once all shall end:
/// a thread whose sender is dropped ends after its work.
type Idle = Arc<Mutex<Option<Vec<mpsc::Sender<Job>>>>>;

pub(super) struct Readers {
    idle: Idle,
    free: Arc<Semaphore>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub fn start(connections: Vec<Connection>) -> std::io::Result<Self> {
        let free = Arc::new(Semaphore::new(connections.len()));
        let mut readers = Self { idle: Arc::new(Mutex::new(Some(Vec::new()))), free, threads: Vec::new() };
        for conn in connections {
            let (jobs, queue) = mpsc::channel::<Job>();
            let serve = move || {
                for job in queue {
                    job(&conn);
                }
            };
            readers.threads.push(std::thread::Builder::new().name("sqlite-reader".into()).spawn(serve)?);
            put_back(&readers.idle, jobs);
        }
        Ok(readers)
    }

    /// Reads in one snapshot.
    pub async fn run<T, F>(&self, work: F) -> Stored<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Stored<T> + Send + 'static,
    {
        let stopped = || StoreError::Unknown("the store is closing".into());
        let waited = timeout(PATIENCE, async {
            let permit = Arc::clone(&self.free).acquire_owned().await.map_err(|_| stopped())?;
            let reader = lock(&self.idle).as_mut().and_then(Vec::pop).ok_or_else(stopped)?;
            let (answer, result) = oneshot::channel();
            let (idle, again) = (Arc::clone(&self.idle), reader.clone());
            let span = tracing::Span::current();
            let job: Job = Box::new(move |conn| {
                // A caller that went away while it waited is not read for.
                let read = (!answer.is_closed()).then(|| span.in_scope(|| snapshot(conn, work)));
                drop(span);
                put_back(&idle, again);
                drop(permit);
                if let Some(read) = read {
                    let _ = answer.send(read);
                }
            });
            reader.send(job).map_err(|_| stopped())?;
            result.await.map_err(|_| stopped())?
        });
        waited.await.unwrap_or_else(|_| Err(StoreError::Unknown("a read took too long".into())))
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.free.close();
        *lock(&self.idle) = None;
        for thread in self.threads.drain(..) {
            // It catches the panics of its jobs; there is nothing to learn from its end.
            let _ = thread.join();
        }
    }
}

fn lock(idle: &Idle) -> MutexGuard<'_, Option<Vec<mpsc::Sender<Job>>>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

fn put_back(idle: &Idle, reader: mpsc::Sender<Job>) {
    if let Some(readers) = lock(idle).as_mut() {
        readers.push(reader);
    }
}

/// Runs a read in a transaction of its own, so that all its statements see the same moment.
fn snapshot<T>(conn: &Connection, work: impl FnOnce(&Connection) -> Stored<T>) -> Stored<T> {
    conn.prepare_cached("BEGIN")?.execute([])?;
    let read = catch_unwind(AssertUnwindSafe(|| work(conn)))
        .unwrap_or_else(|_| Err(StoreError::Broken("a read panicked".into())));
    if !conn.is_autocommit() {
        conn.prepare_cached("COMMIT")?.execute([])?;
    }
    read
}
