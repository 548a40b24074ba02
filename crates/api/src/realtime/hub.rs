//! Who hears what on this node: publishing encodes a notice once and hands it to every worker as one message. No function
//! here waits, for a socket or for anything else.

use super::link::Link;
use super::lock;
use super::outbox::Depth;
use super::outgoing::{Batch, Outgoing};
use super::shard::{Delivery, Shard};
use crate::bus::Notice;
use crate::metrics::{Realtime, Registry};
use natter_shared::id::{RoomId, Seq, SessionId, UserId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The longest wait for sockets to be written to.
const PACE: Duration = Duration::from_millis(20);

/// The connections of this node, in one shard a worker: a shard's connections live on its worker's thread, and so does
/// the task that writes to their outboxes.
pub struct Hub {
    shards: Vec<Arc<Shard>>,
    next: AtomicUsize,
    /// Rooms in which a worker has seen a jump in the seqs, and the last seq before it.
    gaps: Arc<Gaps>,
    /// What its connections, and whoever brings them what they missed, count.
    numbers: Arc<Realtime>,
    /// How much of what was delivered [`Hub::take_delivered`] has told.
    told: AtomicU64,
    #[cfg(test)]
    ear: Mutex<Option<tokio::sync::mpsc::UnboundedSender<Notice>>>,
}

/// What is missing and must be read from the store.
#[derive(Default)]
pub struct Gaps {
    rooms: Mutex<HashMap<RoomId, Seq>>,
    /// Anything may be missing.
    anywhere: AtomicBool,
    pub wake: tokio::sync::Notify,
}

impl Gaps {
    /// Asks for everything of a room after `seq`.
    pub fn ask(&self, room: RoomId, seq: Seq) {
        let mut rooms = lock(&self.rooms);
        let lowest = rooms.entry(room).or_insert(seq);
        *lowest = seq.min(*lowest);
        self.wake.notify_one();
    }

    /// Asks for a comparison of all rooms with the store, now: notices of other nodes may have been lost.
    pub fn ask_everywhere(&self) {
        self.anywhere.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    pub fn take(&self) -> Vec<(RoomId, Seq)> {
        lock(&self.rooms).drain().collect()
    }

    /// Whether all rooms are to be compared; asked once for each [`Gaps::ask_everywhere`].
    pub fn take_everywhere(&self) -> bool {
        self.anywhere.swap(false, Ordering::AcqRel)
    }
}

impl Hub {
    /// A hub for so many workers; each takes its shard with [`Hub::next_shard`].
    pub fn new(workers: usize) -> Self {
        let gaps = Arc::<Gaps>::default();
        let numbers = Arc::<Realtime>::default();
        let shard = |_| Arc::new(Shard::new(Arc::clone(&gaps), Arc::clone(&numbers)));
        let shards = (0..workers.max(1)).map(shard).collect();
        Self {
            shards,
            next: AtomicUsize::new(0),
            gaps,
            numbers,
            told: AtomicU64::new(0),
            #[cfg(test)]
            ear: Mutex::default(),
        }
    }

    /// The shard of the next worker that starts.
    pub fn next_shard(&self) -> Arc<Shard> {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        Arc::clone(&self.shards[next % self.shards.len()])
    }

    pub fn gaps(&self) -> &Gaps {
        &self.gaps
    }

    pub const fn numbers(&self) -> &Arc<Realtime> {
        &self.numbers
    }

    /// Puts its numbers among those that are exposed.
    pub fn register(self: &Arc<Self>, to: &mut Registry) {
        let asked = |read: fn(&Self) -> u64| {
            let hub = Arc::clone(self);
            move || read(&hub)
        };
        self.numbers.register(to);
        to.ask_total(
            "natter_entries_delivered",
            "Entries that were handed to connections, each once for each of them",
            asked(Self::delivered),
        );
        to.ask(
            "natter_worker_queue_depth",
            "Deliveries that wait for the worker that is furthest behind",
            asked(|hub| hub.shards.iter().map(|shard| shard.behind() as u64).max().unwrap_or(0)),
        );
        to.ask(
            "natter_outbox_frames",
            "Frames that wait for their readers, all connections together",
            asked(|hub| hub.waiting().frames as u64),
        );
        to.ask("natter_outbox_bytes", "Their bytes", asked(|hub| hub.waiting().bytes as u64));
        to.ask(
            "natter_outbox_fullest_frames",
            "Frames that wait for the slowest reader",
            asked(|hub| hub.waiting().fullest as u64),
        );
    }

    /// All that is handed to the sockets from now on.
    #[cfg(test)]
    pub fn overhear(&self) -> tokio::sync::mpsc::UnboundedReceiver<Notice> {
        let (ear, heard) = tokio::sync::mpsc::unbounded_channel();
        *lock(&self.ear) = Some(ear);
        heard
    }

    /// Hands a notice to this node's sockets.
    pub fn publish(&self, notice: Notice) {
        #[cfg(test)]
        if let Some(ear) = &*lock(&self.ear) {
            let _ = ear.send(notice.clone());
        }
        let delivery = match notice {
            Notice::Entries { entries, .. } if entries.is_empty() => return,
            Notice::Entries { room, entries } => Delivery::Entries(Batch::new(room, Arc::unwrap_or_clone(entries))),
            Notice::Room { room, except, frame } => {
                Delivery::Rooms { rooms: vec![room], except, frame: Outgoing::new(&frame) }
            }
            Notice::Rooms { rooms, except, frame } => Delivery::Rooms { rooms, except, frame: Outgoing::new(&frame) },
            Notice::Users { users, frame } => Delivery::Users { users, frame: Outgoing::new(&frame) },
            Notice::Subscribe { room, users } => Delivery::Subscribe { room, users },
            Notice::Everyone { frame } => Delivery::Everyone { frame: Outgoing::new(&frame) },
            Notice::SessionsEnded { sessions } => Delivery::SessionsEnded { sessions },
        };
        let delivery = Arc::new(delivery);
        for shard in &self.shards {
            shard.hand(Arc::clone(&delivery));
        }
    }

    /// Waits until the sockets of every worker have had their turn to write what was published before, but not for long: a
    /// worker that is that busy is waited for again before the next batch.
    pub async fn caught_up(&self) {
        let workers = async {
            for shard in &self.shards {
                shard.caught_up().await;
            }
        };
        let _ = tokio::time::timeout(PACE, workers).await;
    }

    /// The server stops: every connection finishes what is under way and is closed, also those that are still to come.
    pub fn wind_down(&self) {
        let delivery = Arc::new(Delivery::WindDown);
        for shard in &self.shards {
            shard.hand(Arc::clone(&delivery));
        }
    }

    /// Signed-in connections on this node.
    pub fn connections(&self) -> usize {
        self.shards.iter().map(|shard| shard.connections()).sum()
    }

    /// Entries that were handed to connections since this was asked last, each once for each of them.
    pub fn take_delivered(&self) -> u64 {
        let delivered = self.delivered();
        delivered.saturating_sub(self.told.swap(delivered, Ordering::Relaxed))
    }

    /// The same since the start.
    fn delivered(&self) -> u64 {
        self.shards.iter().map(|shard| shard.delivered()).sum()
    }

    /// What waits in the outboxes.
    fn waiting(&self) -> Depth {
        let of_shards = self.shards.iter().map(|shard| shard.waiting());
        of_shards.fold(Depth::default(), Depth::and)
    }

    /// A person's connections on this node that can speak (event streams cannot).
    pub fn sockets_of(&self, user: UserId) -> Vec<Arc<Link>> {
        self.shards.iter().flat_map(|shard| shard.sockets_of(user)).collect()
    }

    /// The logins of the connections on this node.
    pub fn sessions(&self) -> Vec<SessionId> {
        let mut sessions: Vec<SessionId> = self.shards.iter().flat_map(|shard| shard.sessions()).collect();
        sessions.sort_unstable();
        sessions.dedup();
        sessions
    }

    /// The rooms that somebody here hears, with the last seq that was delivered (the lowest among the workers).
    pub fn heads(&self) -> HashMap<RoomId, Seq> {
        let mut heads = HashMap::new();
        for shard in &self.shards {
            for (room, head) in shard.heads() {
                let lowest = heads.entry(room).or_insert(head);
                *lowest = head.min(*lowest);
            }
        }
        heads
    }
}

#[cfg(test)]
mod tests;
