//! The one thread that writes. It takes all jobs that wait, runs them in one transaction, makes that durable once, and only
//! then answers them all: a group commit for every kind of write.

use super::authors::Authors;
use super::fault;
use crate::store::{StoreError, Stored};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;
use std::time::Duration;
use std::vec::Drain;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tracing::Span;

/// Jobs that may wait.
const QUEUE: usize = 4_096;
/// Jobs in one transaction.
const TOGETHER: usize = 512;
/// How long a caller waits for room in the queue, and for the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What jobs work with, inside the writer's transaction.
pub(super) struct Desk {
    pub conn: Connection,
    pub authors: Authors,
    /// The id of the entry that was inserted last; the next one is likely to follow it.
    pub last_entry: i64,
    /// The last write failed for a reason that stays.
    pub unwritable: bool,
}

impl Desk {
    pub const fn new(conn: Connection) -> Self {
        Self { conn, authors: Authors::new(), last_entry: 0, unwritable: false }
    }

    /// Forgets what may have been read from a transaction that was rolled back.
    fn rolled_back(&mut self) {
        self.authors.clear();
        self.last_entry = 0;
    }

    fn sql(&self, sql: &str) -> rusqlite::Result<()> {
        self.conn.prepare_cached(sql)?.execute([]).map(drop)
    }
}

/// A write of somebody who waits for its result.
trait Job: Send {
    /// Nobody waits any more; what was never begun may be left undone.
    fn abandoned(&self) -> bool;
    /// Does it, and keeps the result until the commit. `Err` if all that it did is to be undone.
    fn run(&mut self, desk: &mut Desk) -> Result<(), StoreError>;
    /// What it is part of.
    fn span(&self) -> &Span;
    /// Gives the result, or the error that the whole transaction met.
    fn answer(self: Box<Self>, fate: Result<(), StoreError>);
}

struct Asked<T, F> {
    work: Option<F>,
    result: Option<Stored<T>>,
    answer: oneshot::Sender<Stored<T>>,
    span: Span,
}

impl<T: Send, F: FnOnce(&mut Desk) -> Stored<T> + Send> Job for Asked<T, F> {
    fn abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn run(&mut self, desk: &mut Desk) -> Result<(), StoreError> {
        let Some(work) = self.work.take() else { return Ok(()) };
        // A defect in one write must not end all others; what it did is rolled back.
        let result = catch_unwind(AssertUnwindSafe(|| self.span.in_scope(|| work(desk))))
            .unwrap_or_else(|_| Err(StoreError::Broken("a write panicked".into())));
        let outcome = result.as_ref().map(drop).map_err(Clone::clone);
        self.result = Some(result);
        outcome
    }

    fn span(&self) -> &Span {
        &self.span
    }

    fn answer(self: Box<Self>, fate: Result<(), StoreError>) {
        let never_run = || Err(StoreError::Unknown("the write was not begun".into()));
        let result = match (self.result, fate) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(common)) => Err(common),
            (result, Ok(())) => result.unwrap_or_else(never_run),
        };
        // Who has stopped waiting learns it by repeating.
        let _ = self.answer.send(result);
    }
}

/// The way to the writing thread; dropping it finishes what is queued and ends the thread.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(conn: Connection) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let serve = move || serve(Desk::new(conn), queue);
        let thread = std::thread::Builder::new().name("sqlite-writer".into()).spawn(serve)?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Does a piece of work in the next transaction and waits until it is durable.
    pub async fn run<T, F>(&self, patience: Option<Duration>, work: F) -> Stored<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Desk) -> Stored<T> + Send + 'static,
    {
        let stopped = || StoreError::Unknown("the store is closing".into());
        let (answer, result) = oneshot::channel();
        let job = Box::new(Asked { work: Some(work), result: None, answer, span: Span::current() });
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        let waited = timeout(patience.unwrap_or(PATIENCE), async {
            jobs.send(job).await.map_err(|_| stopped())?;
            result.await.map_err(|_| stopped())?
        });
        waited.await.unwrap_or_else(|_| Err(StoreError::Unknown("a write took too long".into())))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // It catches the panics of its jobs; there is nothing to learn from its end.
            let _ = thread.join();
        }
    }
}

fn serve(mut desk: Desk, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    let mut jobs = Vec::with_capacity(TOGETHER);
    while queue.blocking_recv_many(&mut jobs, TOGETHER) > 0 {
        jobs.retain(|job| !job.abandoned());
        commit_all(&mut desk, &mut jobs);
    }
}

/// Runs all jobs and answers each of them.
fn commit_all(desk: &mut Desk, jobs: &mut Vec<Box<dyn Job>>) {
    let alone = jobs.len() == 1;
    let mut waiting = jobs.drain(..);
    let mut done: Vec<Box<dyn Job>> = Vec::with_capacity(waiting.len());
    while waiting.len() > 0 {
        let changes = desk.conn.total_changes();
        let fate = transaction(desk, &mut waiting, &mut done, alone);
        match &fate {
            Err(error) => {
                desk.rolled_back();
                desk.unwritable |= matches!(error, StoreError::Unwritable(_));
            }
            Ok(()) if desk.conn.total_changes() > changes => desk.unwritable = false,
            Ok(()) => {}
        }
        if let Err(error) = &fate {
            let of_first = done.first().map_or_else(Span::none, |job| job.span().clone());
            of_first.in_scope(|| tracing::warn!(%error, writes = done.len(), "a transaction was rolled back"));
        }
        for job in done.drain(..) {
            job.answer(fate.clone());
        }
    }
}

/// One transaction over as many jobs as it lives for. A job that fails is undone alone; an error here undoes all jobs that
/// were moved to `done`, of which there is at least one.
fn transaction(
    desk: &mut Desk,
    waiting: &mut Drain<'_, Box<dyn Job>>,
    done: &mut Vec<Box<dyn Job>>,
    alone: bool,
) -> Result<(), StoreError> {
    if let Err(error) = desk.sql("BEGIN IMMEDIATE") {
        done.extend(waiting);
        return Err(error.into());
    }
    for mut job in waiting {
        let marked = if alone { Ok(()) } else { desk.sql("SAVEPOINT job") };
        let outcome = marked.map_err(StoreError::from).and_then(|()| job.run(desk));
        done.push(job);
        if let Err(error) = outcome {
            if alone || desk.conn.is_autocommit() {
                // This was all there is to the transaction, or SQLite has given it up by itself.
                return Err(undo(desk, error));
            }
            desk.rolled_back();
            desk.unwritable |= matches!(error, StoreError::Unwritable(_));
            desk.sql("ROLLBACK TO job").map_err(|error| undo(desk, error.into()))?;
        }
        if !alone {
            desk.sql("RELEASE job").map_err(|error| undo(desk, error.into()))?;
        }
    }
    desk.sql("COMMIT").map_err(|error| undo(desk, fault::of_commit(error)))
}

/// Ends a transaction that failed, if SQLite has not.
fn undo(desk: &Desk, error: StoreError) -> StoreError {
    if !desk.conn.is_autocommit()
        && let Err(again) = desk.sql("ROLLBACK")
    {
        tracing::error!(error = %again, "a transaction cannot be rolled back");
    }
    error
}
