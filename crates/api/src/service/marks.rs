//! Watermarks: how far each member's client has received a room's log, and how far its person has read it. Marks are merged
//! in memory and committed together, for a room of many would otherwise cost a write a member and message.
//!
//! A mark is repeated or overtaken by the next one, so one that is lost with the process costs nothing but a tick that comes
//! later. Moved marks are pushed in rooms of at most [`PUSHED_MEMBERS_MAX`] members only: one message in a room of *n* makes
//! *n* marks, each for *n* readers. In larger rooms `GET /rooms/{id}/members` says where everybody stands.

use super::events::Events;
use super::log_writer::WriteError;
use super::{Caller, Parts, access};
use crate::bus::{Bus, Notice};
use crate::store::{Marked, NewMark, Standing, Store, StoreError};
use natter_shared::frame::ServerFrame;
use natter_shared::id::{RoomId, Seq, UserId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

#[cfg(test)]
mod tests;

/// Above so many members, moved marks are stored and not pushed.
pub const PUSHED_MEMBERS_MAX: u32 = 100;
/// From one commit to the next. The first mark after a pause is committed at once.
const GATHER: Duration = Duration::from_millis(200);
/// Marks that may wait for a commit; past it, marks that nobody waits for are passed over.
const PENDING_MAX: usize = 65_536;
/// Marks of one commit, so that the log's writer gets its turn between two.
const BATCH_MAX: usize = 1_024;
/// How long a caller waits for its commit.
const WAIT: Duration = Duration::from_secs(6);
/// How long the size of a room is believed, and of how many rooms.
const SIZE_HOLDS: Duration = Duration::from_secs(10);
const SIZES_MAX: usize = 10_000;

/// Why a mark was not set.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MarkError {
    /// No such room, or not for this person.
    #[error("no such room")]
    Unknown,
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The way to the watermarks. Clones share one task.
#[derive(Clone)]
pub struct Marks {
    store: Arc<dyn Store>,
    events: Events,
    shared: Arc<Shared>,
    /// Closes when the task has ended.
    ended: watch::Receiver<()>,
}

#[derive(Default)]
struct Shared {
    pending: Mutex<Pending>,
    wake: Notify,
    stop: Notify,
}

#[derive(Default)]
struct Pending {
    marks: HashMap<(RoomId, UserId), Raised>,
    waiting: Vec<oneshot::Sender<Result<(), WriteError>>>,
    stopped: bool,
}

#[derive(Clone, Copy, Default)]
struct Raised {
    delivered: Seq,
    read: Seq,
}

impl Raised {
    fn merge(&mut self, other: Self) {
        self.read = self.read.max(other.read);
        // What is read is delivered.
        self.delivered = self.delivered.max(other.delivered).max(self.read);
    }
}

impl Shared {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        // No code panics while it holds the lock; were it so, the maps would be whole nevertheless.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, room: RoomId, user: UserId, raised: Raised, answer: Option<oneshot::Sender<Result<(), WriteError>>>) {
        {
            let mut pending = self.pending();
            let full = pending.marks.len() >= PENDING_MAX && !pending.marks.contains_key(&(room, user));
            if pending.stopped || full {
                if let Some(answer) = answer {
                    let refusal = if pending.stopped { WriteError::Stopping } else { WriteError::Busy };
                    let _ = answer.send(Err(refusal));
                }
                return;
            }
            pending.marks.entry((room, user)).or_default().merge(raised);
            pending.waiting.extend(answer);
        }
        self.wake.notify_one();
    }
}

impl Marks {
    /// Starts the task on the current runtime, which must live as long as the server.
    pub fn start(parts: &Parts) -> Self {
        let shared = Arc::new(Shared::default());
        let (alive, ended) = watch::channel(());
        let task = Task {
            store: Arc::clone(&parts.store),
            bus: Arc::clone(&parts.bus),
            shared: Arc::clone(&shared),
            sizes: HashMap::new(),
        };
        tokio::spawn(async move {
            task.run().await;
            drop(alive);
        });
        Self { store: Arc::clone(&parts.store), events: parts.events.clone(), shared, ended }
    }

    /// The caller's client has all entries up to `seq`. Queued; of no effect for who is not a member.
    pub fn received(&self, caller: &Caller, room: RoomId, seq: Seq) {
        self.shared.put(room, caller.user, Raised { delivered: seq, read: Seq::ZERO }, None);
    }

    /// The caller has read all up to `seq`. Queued; of no effect for who is not a member.
    pub fn read(&self, caller: &Caller, room: RoomId, seq: Seq) {
        self.shared.put(room, caller.user, Raised { delivered: seq, read: seq }, None);
    }

    /// Like [`Marks::read`], but says so if the caller is not a member, and returns when the mark is durable.
    pub async fn read_durably(&self, caller: &Caller, room: RoomId, seq: Seq) -> Result<(), MarkError> {
        let Standing::Member(_) = self.store.standing(room, caller.user).await? else {
            access::log(&self.events, caller, room, "set a read mark");
            return Err(MarkError::Unknown);
        };
        let (answer, answered) = oneshot::channel();
        self.shared.put(room, caller.user, Raised { delivered: seq, read: seq }, Some(answer));
        match tokio::time::timeout(WAIT, answered).await {
            Ok(Ok(result)) => Ok(result?),
            Ok(Err(_)) => Err(WriteError::Unknown("the writer of marks ended".to_owned()).into()),
            Err(_) => Err(WriteError::Unknown("the commit took too long".to_owned()).into()),
        }
    }

    /// Takes no more marks, commits those that wait, and returns when that is done.
    pub async fn stop(&self) {
        self.shared.stop.notify_one();
        // An error says that the task is gone, which is what is waited for.
        while self.ended.clone().changed().await.is_ok() {}
    }
}

struct Task {
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    shared: Arc<Shared>,
    /// Members of the rooms whose marks moved lately, and when that was read.
    sizes: HashMap<RoomId, (u32, Instant)>,
}

impl Task {
    async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        loop {
            tokio::select! {
                () = shared.wake.notified() => {}
                () = shared.stop.notified() => break,
            }
            self.flush().await;
            tokio::select! {
                () = tokio::time::sleep(GATHER) => {}
                () = shared.stop.notified() => break,
            }
        }
        shared.pending().stopped = true;
        self.flush().await;
    }

    async fn flush(&mut self) {
        let (marks, waiting) = {
            let mut pending = self.shared.pending();
            (std::mem::take(&mut pending.marks), std::mem::take(&mut pending.waiting))
        };
        let marks: Vec<NewMark> = marks
            .into_iter()
            .map(|((room, user), Raised { delivered, read })| NewMark { room, user, delivered, read })
            .collect();
        let mut result = Ok(());
        for batch in marks.chunks(BATCH_MAX) {
            match self.store.raise_marks(batch.to_vec()).await {
                Ok(moved) => self.tell(moved).await,
                Err(error) => {
                    tracing::warn!(%error, marks = batch.len(), "marks were not committed; they go with the next ones");
                    self.put_back(batch);
                    result = Err(WriteError::from(error));
                }
            }
        }
        for answer in waiting {
            let _ = answer.send(result.clone());
        }
    }

    /// Keeps what could not be committed for the next time, without asking for one.
    fn put_back(&self, marks: &[NewMark]) {
        let mut pending = self.shared.pending();
        for mark in marks {
            let raised = Raised { delivered: mark.delivered, read: mark.read };
            pending.marks.entry((mark.room, mark.user)).or_default().merge(raised);
        }
    }

    async fn tell(&mut self, moved: Vec<Marked>) {
        for Marked { room, user, delivered, read } in moved {
            if self.size(room).await <= PUSHED_MEMBERS_MAX {
                let frame = ServerFrame::Marks { room, user, delivered, read };
                self.bus.publish(Notice::Room { room, except: None, frame });
            }
        }
    }

    /// How many members a room has, or had some seconds ago. An unknown size counts as too large.
    async fn size(&mut self, room: RoomId) -> u32 {
        let now = Instant::now();
        if let Some((size, at)) = self.sizes.get(&room)
            && now.duration_since(*at) < SIZE_HOLDS
        {
            return *size;
        }
        let size = match self.store.room(room).await {
            Ok(Some(record)) => record.member_count,
            Ok(None) | Err(_) => return u32::MAX,
        };
        if self.sizes.len() >= SIZES_MAX {
            self.sizes.clear();
        }
        self.sizes.insert(room, (size, now));
        size
    }
}
