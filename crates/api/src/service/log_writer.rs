//! Group commit: every entry of this node goes through one queue and one task, which commits all that is queued in one
//! durable write, answers those who wait, and only then tells the sockets, room by room, in the order of the commit.
//!
//! There is no timer: an entry that comes alone is committed alone, and while that commit runs and its sockets are written
//! to, the next batch gathers. A store that is too slow for what gathers gets less at a time, and nothing whose caller has
//! been told to come again: else every batch would take too long, and the repeats would make the next one longer.

use super::mentions::{self, Names};
use crate::bus::{Bus, Notice};
use crate::metrics::{Appends, Registry};
use crate::store::{Appended, Log, NewEntry, StoreError, Stored};
use natter_shared::entry::{Entry, EntryKind};
use natter_shared::id::RoomId;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

#[cfg(test)]
mod tests;

/// Entries that may wait for a commit; past it the answer is [`WriteError::Busy`] at once.
const QUEUE_MAX: usize = 4096;
/// The most entries, and roughly the most bytes, of one commit.
const BATCH_MAX: usize = 512;
const BATCH_MAX_BYTES: usize = 256 * 1024;
/// What an entry weighs beside its text.
const ENTRY_BYTES: usize = 160;
/// How long a caller waits for its commit. A commit that has begun goes on.
const WAIT: Duration = Duration::from_secs(6);
/// Of the requests that a commit answers, so many are named where it is told of.
const NAMED: usize = 16;

/// Why an entry was not acknowledged. Whatever the variant: repeating it with the same `client_id` is safe.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WriteError {
    /// Nothing was written: too much is waiting.
    #[error("too many entries are waiting to be stored")]
    Busy,
    /// Nothing was written: the server stops.
    #[error("the server stops")]
    Stopping,
    /// It may have been written or not.
    #[error("the outcome of the write is not known: {0}")]
    Unknown(String),
    /// Nothing was written, and nothing can be until somebody acts.
    #[error("the server cannot store anything right now: {0}")]
    Unwritable(String),
    /// A defect.
    #[error("the store is broken: {0}")]
    Broken(String),
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unknown(why) => Self::Unknown(why),
            StoreError::Unwritable(why) => Self::Unwritable(why),
            StoreError::Broken(why) => Self::Broken(why),
        }
    }
}

/// The way into the log. Clones share one queue and one task.
#[derive(Clone)]
pub struct LogWriter {
    queue: mpsc::Sender<Waiting>,
    stop: Arc<Notify>,
    numbers: Appends,
    /// Closes when the task has ended.
    ended: watch::Receiver<()>,
}

struct Waiting {
    entry: NewEntry,
    /// Whom its text calls, if anybody.
    names: Option<Names>,
    answer: oneshot::Sender<Result<Appended, WriteError>>,
    since: Instant,
    /// The request or frame that it is part of.
    span: Span,
}

impl LogWriter {
    /// Starts the task on the current runtime, which must live as long as the server.
    pub fn start(log: Arc<dyn Log>, bus: Arc<dyn Bus>) -> Self {
        #[cfg(feature = "planted-bugs")]
        let log = crate::planted::around(log);
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let stop = Arc::new(Notify::new());
        let (alive, ended) = watch::channel(());
        let numbers = Appends::default();
        let task = Task {
            waiting,
            stop: Arc::clone(&stop),
            log,
            bus,
            numbers: numbers.clone(),
            commits: 0,
            most: BATCH_MAX,
            writable: true,
        };
        tokio::spawn(async move {
            task.run().await;
            drop(alive);
        });
        Self { queue, stop, numbers, ended }
    }

    /// Puts its numbers among those that are exposed.
    pub fn register(&self, to: &mut Registry) {
        self.numbers.register(to);
        let queue = self.queue.clone();
        let depth = move || queue.max_capacity().saturating_sub(queue.capacity()) as u64;
        to.ask("natter_append_queue_depth", "Entries that wait for a commit", depth);
    }

    /// Queues an entry and waits, at most six seconds, until it is durable. Dropping the future takes nothing back: what
    /// was queued is committed and published all the same, unless its turn comes after those six seconds.
    pub async fn append(&self, entry: NewEntry) -> Result<Appended, WriteError> {
        let result = self.queue(entry).await;
        self.numbers.told(outcome(&result));
        result
    }

    async fn queue(&self, entry: NewEntry) -> Result<Appended, WriteError> {
        let (answer, answered) = oneshot::channel();
        let names = Names::of(&entry.what);
        let waiting = Waiting { entry, names, answer, since: Instant::now(), span: Span::current() };
        self.queue.try_send(waiting).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => WriteError::Busy,
            mpsc::error::TrySendError::Closed(_) => WriteError::Stopping,
        })?;
        match tokio::time::timeout(WAIT, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(WriteError::Unknown("the writer ended".to_owned())),
            Err(_) => Err(too_long()),
        }
    }

    /// Takes no more entries, commits those that are queued, and returns when that is done.
    pub async fn stop(&self) {
        self.stop.notify_one();
        // An error says that the task is gone, which is what is waited for.
        while self.ended.clone().changed().await.is_ok() {}
    }
}

/// What goes into one commit: entries, whom each calls, and who waits for each.
#[derive(Default)]
struct Batch {
    entries: Vec<NewEntry>,
    names: Vec<Option<Names>>,
    answers: Vec<oneshot::Sender<Result<Appended, WriteError>>>,
    /// Of the first [`NAMED`].
    spans: Vec<Span>,
}

struct Task {
    waiting: mpsc::Receiver<Waiting>,
    stop: Arc<Notify>,
    log: Arc<dyn Log>,
    bus: Arc<dyn Bus>,
    numbers: Appends,
    /// How many there were.
    commits: u64,
    /// Entries that the next commit may have: fewer after one that took too long, and again more with each full one that
    /// did not.
    most: usize,
    /// Whether the last commit found the store writable, so that a full disk is logged once and not for each batch.
    writable: bool,
}

impl Task {
    async fn run(mut self) {
        loop {
            let first = tokio::select! {
                first = self.waiting.recv() => first,
                () = self.stop.notified() => {
                    // What is in the queue still comes out; nothing more goes in.
                    self.waiting.close();
                    continue;
                }
            };
            let Some(first) = first else { return };
            // A batch that is committed while the last one is still being written would only be a smaller batch.
            self.bus.caught_up().await;
            let batch = self.gather(first);
            if !batch.entries.is_empty() {
                self.commit(batch).await;
            }
        }
    }

    /// All that is queued and still waited for, up to the size of a batch.
    fn gather(&mut self, first: Waiting) -> Batch {
        let (mut batch, mut bytes) = (Batch::default(), 0);
        let mut next = Some(first);
        while let Some(Waiting { entry, names, answer, since, span }) = next {
            let waited = since.elapsed();
            if waited < WAIT {
                self.numbers.wait.took(waited);
                bytes += weight(&entry);
                if batch.spans.len() < NAMED {
                    batch.spans.push(span);
                }
                batch.entries.push(entry);
                batch.names.push(names);
                batch.answers.push(answer);
            } else {
                let _ = answer.send(Err(too_long()));
            }
            let full = batch.entries.len() >= self.most || bytes >= BATCH_MAX_BYTES;
            next = if full { None } else { self.waiting.try_recv().ok() };
        }
        if !batch.entries.is_empty() {
            self.numbers.batch_entries.observe(batch.entries.len() as u64);
            self.numbers.batch_bytes.observe(bytes as u64);
        }
        batch
    }

    /// Finds out whom the entries mention, and appends them.
    async fn append(&self, mut entries: Vec<NewEntry>, names: &[Option<Names>]) -> Stored<Vec<Appended>> {
        mentions::find(&*self.log, &mut entries, names).await?;
        self.log.append(entries).await
    }

    async fn commit(&mut self, Batch { entries, names, answers, spans }: Batch) {
        let count = entries.len();
        self.commits += 1;
        // Told of with the first of those that it is for; the others are beside it.
        let first = spans.first().and_then(Span::id);
        let span = tracing::error_span!(parent: first, "commit", commit = self.commits, entries = count);
        for other in spans.iter().skip(1) {
            span.follows_from(other);
        }
        let begun = Instant::now();
        let appended = self.append(entries, &names).instrument(span.clone()).await;
        self.numbers.commit.took(begun.elapsed());
        let _inside = span.enter();
        let result = match appended {
            Ok(appended) if appended.len() == count => Ok(appended),
            Ok(appended) => {
                Err(WriteError::Broken(format!("{count} entries appended, {} outcomes came back", appended.len())))
            }
            Err(error) => Err(error.into()),
        };
        self.log_change(&result, count);
        match &result {
            Err(WriteError::Unknown(_)) => self.most = (count / 2).max(1),
            Ok(_) if count >= self.most => self.most = (self.most + self.most / 8 + 1).min(BATCH_MAX),
            _ => {}
        }
        match result {
            Ok(appended) => {
                let rooms = by_room(&appended);
                for (answer, outcome) in answers.into_iter().zip(appended) {
                    // Whoever went away has the entry in the log nevertheless.
                    let _ = answer.send(Ok(outcome));
                }
                for (room, entries) in rooms {
                    self.bus.publish(Notice::Entries { room, entries: Arc::new(entries) });
                }
            }
            // After an unknown outcome the entries may be there. They are not published, for their seqs are not known:
            // the head check finds them.
            Err(error) => {
                for span in &spans {
                    span.in_scope(|| tracing::info!(commit = self.commits, %error, "an entry was not acknowledged"));
                }
                for answer in answers {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }

    fn log_change(&mut self, result: &Result<Vec<Appended>, WriteError>, entries: usize) {
        match result {
            Ok(_) if !self.writable => {
                self.writable = true;
                tracing::info!("the store can be written again");
            }
            Err(WriteError::Unwritable(why)) if self.writable => {
                self.writable = false;
                tracing::error!(%why, "the store cannot be written: nothing is acknowledged until it can");
            }
            Ok(_) | Err(WriteError::Unwritable(_)) => {}
            Err(WriteError::Broken(why)) => tracing::error!(%why, entries, "a commit failed"),
            Err(error) => tracing::warn!(%error, entries, "the outcome of a commit is not known"),
        }
    }
}

/// What a caller was told, in one word of [`crate::metrics::OUTCOMES`].
const fn outcome(result: &Result<Appended, WriteError>) -> &'static str {
    match result {
        Ok(Appended::New(_)) => "new",
        Ok(Appended::Again(_)) => "again",
        Ok(Appended::Refused(_)) => "refused",
        Err(WriteError::Busy) => "busy",
        Err(WriteError::Stopping) => "stopping",
        Err(WriteError::Unknown(_)) => "unknown",
        Err(WriteError::Unwritable(_)) => "unwritable",
        Err(WriteError::Broken(_)) => "broken",
    }
}

fn too_long() -> WriteError {
    WriteError::Unknown("the commit took too long".to_owned())
}

fn weight(entry: &NewEntry) -> usize {
    ENTRY_BYTES
        + match &entry.what {
            EntryKind::Message(content) => content.body.as_str().len(),
            EntryKind::Edited { body, .. } => body.as_str().len(),
            _ => 0,
        }
}

/// The new entries of a batch, room by room, each in the order of its log.
fn by_room(appended: &[Appended]) -> Vec<(RoomId, Vec<Entry>)> {
    let mut rooms: Vec<(RoomId, Vec<Entry>)> = Vec::new();
    let mut places: HashMap<RoomId, usize> = HashMap::new();
    for outcome in appended {
        if let Appended::New(entry) = outcome {
            let place = *places.entry(entry.room).or_insert_with(|| {
                rooms.push((entry.room, Vec::new()));
                rooms.len() - 1
            });
            rooms[place].1.push(entry.clone());
        }
    }
    rooms
}
