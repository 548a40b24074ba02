//! The connections of one worker and what they hear. Everything happens on the worker's own thread: deliveries come
//! through one bounded queue, and a delivery is a loop over outboxes.

use super::hub::Gaps;
use super::link::Link;
use super::lock;
use super::outbox::Depth;
use super::outgoing::{Batch, Outgoing};
use super::tables::{Key, TICKS_A_ROUND, Tables};
use crate::clock::Clock;
use crate::metrics::Realtime;
use crate::service::Caller;
use natter_shared::frame::CloseCode;
use natter_shared::id::{RoomId, Seq, SessionId, UserId};
use natter_shared::limits;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, MissedTickBehavior};

/// Deliveries that may wait for one worker. A worker that is behind by more has its connections resume.
const QUEUE_MAX: usize = 8_192;
/// How often is looked at what is due.
const TICK: Duration = Duration::from_millis(limits::HEADS_MS / TICKS_A_ROUND);
/// Deliveries in a row before the sockets of the worker get their turn.
const IN_A_ROW: usize = 64;

/// A notice as the workers get it: already encoded, the same for all of them.
pub enum Delivery {
    Entries(Batch),
    Rooms {
        rooms: Vec<RoomId>,
        except: Option<UserId>,
        frame: Outgoing,
    },
    Users {
        users: Vec<UserId>,
        frame: Outgoing,
    },
    Subscribe {
        room: RoomId,
        users: Vec<UserId>,
    },
    Everyone {
        frame: Outgoing,
    },
    SessionsEnded {
        sessions: Vec<SessionId>,
    },
    /// The server stops.
    WindDown,
}

pub struct Shard {
    tables: Mutex<Tables>,
    gaps: Arc<Gaps>,
    numbers: Arc<Realtime>,
    queue: mpsc::Sender<Arc<Delivery>>,
    waiting: Mutex<Option<mpsc::Receiver<Arc<Delivery>>>>,
    /// Deliveries that were handed over and whose sockets have not all had their turn to write.
    behind: AtomicUsize,
    even: Notify,
    /// The queue was full: something was not delivered.
    lost: AtomicBool,
}

impl Shard {
    pub fn new(gaps: Arc<Gaps>, numbers: Arc<Realtime>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        Self {
            tables: Mutex::default(),
            gaps,
            numbers,
            queue,
            waiting: Mutex::new(Some(waiting)),
            behind: AtomicUsize::new(0),
            even: Notify::new(),
            lost: AtomicBool::new(false),
        }
    }

    /// Puts a delivery into the worker's queue.
    pub fn hand(&self, delivery: Arc<Delivery>) {
        self.behind.fetch_add(1, Ordering::AcqRel);
        if self.queue.try_send(delivery).is_err() {
            self.lost.store(true, Ordering::Release);
            self.written(1);
        }
    }

    /// Waits until the sockets of this worker have had their turn to write what was handed over before.
    pub async fn caught_up(&self) {
        loop {
            let even = self.even.notified();
            if self.behind.load(Ordering::Acquire) == 0 {
                return;
            }
            even.await;
        }
    }

    fn written(&self, deliveries: usize) {
        if self.behind.fetch_sub(deliveries, Ordering::AcqRel) == deliveries {
            self.even.notify_waiters();
        }
    }

    /// The worker's task: delivers, and twice a second does what is due, until the process ends. A second call returns at
    /// once.
    pub async fn run(self: Arc<Self>, clock: Arc<dyn Clock>) {
        let Some(mut waiting) = lock(&self.waiting).take() else { return };
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut delivered = 0;
            tokio::select! {
                first = waiting.recv() => {
                    let Some(first) = first else { return };
                    self.deliver(&first);
                    delivered = 1;
                    while delivered < IN_A_ROW && let Ok(next) = waiting.try_recv() {
                        self.deliver(&next);
                        delivered += 1;
                    }
                }
                now = ticks.tick() => lock(&self.tables).tick(now, clock.now()),
            }
            if self.lost.swap(false, Ordering::AcqRel) {
                tracing::warn!("a worker fell behind; its connections are told to resume");
                self.numbers.workers_behind.inc();
                lock(&self.tables).close_all(CloseCode::TooSlow);
            }
            tokio::task::yield_now().await;
            if delivered > 0 {
                self.written(delivered);
            }
        }
    }

    /// Delivers at once, on this thread.
    fn deliver(&self, delivery: &Delivery) {
        let mut tables = lock(&self.tables);
        match delivery {
            Delivery::Entries(batch) => {
                let begun = Instant::now();
                if let Some(after) = tables.entries(batch) {
                    self.gaps.ask(batch.room(), after);
                }
                self.numbers.fan_out.took(begun.elapsed());
            }
            Delivery::Rooms { rooms, except, frame } => tables.tell_rooms(rooms, *except, frame),
            Delivery::Users { users, frame } => tables.tell_users(users, frame),
            Delivery::Subscribe { room, users } => tables.subscribe_users(*room, users),
            Delivery::Everyone { frame } => tables.tell_everyone(frame),
            Delivery::SessionsEnded { sessions } => tables.end_sessions(sessions),
            Delivery::WindDown => tables.wind_down(),
        }
    }

    /// Enters a connection that has signed in: it hears what is for its person and its login. Its rooms follow with
    /// [`Seat::subscribe`]; what changes in between is remembered.
    pub fn enter(self: &Arc<Self>, caller: &Caller, link: &Arc<Link>) -> Seat {
        let key = lock(&self.tables).enter(caller, Arc::clone(link));
        Seat { shard: Arc::clone(self), key }
    }

    pub fn connections(&self) -> usize {
        lock(&self.tables).len()
    }

    /// Deliveries that were handed over and whose sockets have not all had their turn to write.
    pub fn behind(&self) -> usize {
        self.behind.load(Ordering::Relaxed)
    }

    /// Entries that were handed to connections, each once for each of them.
    pub fn delivered(&self) -> u64 {
        lock(&self.tables).delivered()
    }

    pub fn waiting(&self) -> Depth {
        lock(&self.tables).waiting()
    }

    pub fn sessions(&self) -> Vec<SessionId> {
        lock(&self.tables).sessions().collect()
    }

    pub fn heads(&self) -> Vec<(RoomId, Seq)> {
        lock(&self.tables).heads()
    }

    pub fn sockets_of(&self, user: UserId) -> Vec<Arc<Link>> {
        lock(&self.tables).sockets_of(user)
    }

    /// Delivers up to so many of the waiting deliveries, and looks whether all is well.
    #[cfg(test)]
    pub fn pump(&self, most: usize) {
        let mut waiting = lock(&self.waiting).take().unwrap();
        for _ in 0..most {
            let Ok(delivery) = waiting.try_recv() else { break };
            self.deliver(&delivery);
            lock(&self.tables).check_invariants();
            self.written(1);
        }
        *lock(&self.waiting) = Some(waiting);
    }

    #[cfg(test)]
    pub fn tick(&self, now: Instant, clock: natter_shared::timestamp::Timestamp) {
        lock(&self.tables).tick(now, clock);
    }
}

/// The place of a connection in its shard; dropping it gives it up.
pub struct Seat {
    shard: Arc<Shard>,
    key: Key,
}

/// Entries that were delivered before a connection could hear them: after the first seq, up to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    pub room: RoomId,
    pub after: Seq,
    pub last: Seq,
}

impl Seat {
    /// From here on the connection hears its rooms, each from the entry after the one that it was told of. Returns what
    /// was delivered meanwhile; it must be read from the store and put before what the outbox holds.
    pub fn subscribe(&self, told: &[(RoomId, Seq)]) -> Vec<Missed> {
        lock(&self.shard.tables).subscribe(self.key, told)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.shard.tables).leave(self.key);
    }
}
