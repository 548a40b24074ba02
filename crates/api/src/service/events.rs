//! The one place that says what has happened: to the server's log at once, and to the log of events that administrators read,
//! in batches. It never holds up whoever tells it: what finds no room is dropped, and that is counted and logged.
//!
//! What happens all the time (messages, errors) is counted and kept once a minute; so are events of a kind of which there
//! were too many in a minute, for a stranger must not fill the store by failing to sign in.

use super::Origin;
use crate::clock::{Clock, Entropy, random};
use crate::metrics::{Happened, Registry};
use crate::store::{self, Stored};
use natter_shared::event::{Event, EventKind};
use natter_shared::id::{EventId, RoomId, SessionId, UserId};
use natter_shared::timestamp::Timestamp;
use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};

#[cfg(test)]
mod tests;

/// What the lines of events in the server's log are told apart by.
const TARGET: &str = "natter::event";
/// Events that may wait to be written; past it they are dropped.
const QUEUE_MAX: usize = 4_096;
/// Events of one write.
const BATCH_MAX: usize = 512;
/// From the first event after a pause to its write: what happens meanwhile is paid for by the same commit.
const GATHER: Duration = Duration::from_millis(300);
/// Between two tries of a write that failed, and how many there are.
const PAUSE: Duration = Duration::from_secs(2);
const TRIES: u32 = 60;
/// Single events of one kind that are kept in a minute; of the rest their number is.
const SINGLE_MAX: u32 = 300;
/// Characters of [`Note::saying`] that are kept.
const WHAT_MAX: usize = 100;
const MINUTE: Duration = Duration::from_mins(1);
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// Something that has happened, as a service tells it.
#[derive(Debug, Clone)]
#[must_use]
pub struct Note {
    kind: EventKind,
    user: Option<UserId>,
    other: Option<UserId>,
    room: Option<RoomId>,
    session: Option<SessionId>,
    ip: Option<IpAddr>,
    what: Option<Cow<'static, str>>,
    count: u64,
}

impl Note {
    pub const fn of(kind: EventKind) -> Self {
        Self { kind, user: None, other: None, room: None, session: None, ip: None, what: None, count: 1 }
    }

    /// Who did it, or whose login it was.
    pub fn by(self, user: impl Into<Option<UserId>>) -> Self {
        Self { user: user.into(), ..self }
    }

    /// To whom it was done.
    pub fn to(self, other: UserId) -> Self {
        Self { other: Some(other), ..self }
    }

    pub fn in_room(self, room: RoomId) -> Self {
        Self { room: Some(room), ..self }
    }

    pub fn login(self, session: SessionId) -> Self {
        Self { session: Some(session), ..self }
    }

    pub fn from(self, origin: &Origin) -> Self {
        self.at_ip(origin.ip)
    }

    pub fn at_ip(self, ip: IpAddr) -> Self {
        Self { ip: Some(ip), ..self }
    }

    /// More about it: never a text that somebody wrote, a password, a token or a code.
    pub fn saying(self, what: impl Into<Cow<'static, str>>) -> Self {
        Self { what: Some(what.into()), ..self }
    }

    pub fn times(self, count: usize) -> Self {
        Self { count: u64::try_from(count).unwrap_or(u64::MAX), ..self }
    }
}

/// The way to the log of events. Clones share one queue and one task.
#[derive(Clone)]
pub struct Events(Arc<Inner>);

struct Inner {
    /// `None` where nothing is kept.
    queue: Option<mpsc::Sender<Event>>,
    store: Arc<dyn store::Events>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    keep_ms: i64,
    counts: Mutex<Counts>,
    dropped: AtomicU64,
    numbers: Happened,
    stop: Notify,
    /// Closes when the task has ended.
    ended: watch::Receiver<()>,
}

/// What is told once a minute.
#[derive(Default)]
struct Counts {
    counted: HashMap<(EventKind, &'static str), u64>,
    /// People who are connected to this node, when that was counted last.
    online: Option<u64>,
}

impl Events {
    /// Starts the task on the current runtime, which must live as long as the server. With 0 days nothing is kept.
    pub fn start(store: Arc<dyn store::Events>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, days: u32) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let (alive, ended) = watch::channel(());
        let inner = Arc::new(Inner {
            queue: (days > 0).then_some(queue),
            store,
            clock,
            entropy,
            keep_ms: i64::from(days) * DAY_MS,
            counts: Mutex::default(),
            dropped: AtomicU64::new(0),
            numbers: Happened::default(),
            stop: Notify::new(),
            ended,
        });
        if days > 0 {
            let node = random(&*inner.entropy);
            let task = Task { inner: Arc::clone(&inner), waiting, node, batch: Vec::new(), single: HashMap::new() };
            tokio::spawn(async move {
                task.run().await;
                drop(alive);
            });
        }
        Self(inner)
    }

    /// Says that something has happened.
    pub fn note(&self, note: Note) {
        let what = note.what.as_deref().map(short);
        trace(&note, what.as_deref());
        self.0.numbers.count(note.kind, "", note.count);
        self.0.put(note);
    }

    /// Puts its numbers among those that are exposed.
    pub fn register(&self, to: &mut Registry) {
        self.0.numbers.register(to);
    }

    /// Counts something that happens all the time.
    pub fn count(&self, kind: EventKind, what: &'static str, times: u64) {
        self.0.numbers.count(kind, what, times);
        if self.0.queue.is_some() && times > 0 {
            *self.0.counts().counted.entry((kind, what)).or_default() += times;
        }
    }

    /// How many people are connected to this node at this moment.
    pub fn online(&self, people: u64) {
        self.0.counts().online = Some(people);
    }

    /// Forgets what is older than it is to be kept. Returns how many events that were.
    pub async fn prune(&self) -> Stored<u64> {
        let before = self.0.clock.now().plus_millis(-self.0.keep_ms);
        let mut all = 0;
        loop {
            let gone = self.0.store.prune_events(before).await?;
            if gone == 0 {
                return Ok(all);
            }
            all += gone;
        }
    }

    /// Takes no more events, writes those that wait with the counts of this minute, and returns when that was tried.
    pub async fn stop(&self) {
        if self.0.queue.is_some() {
            self.0.stop.notify_one();
            // An error says that the task is gone, which is what is waited for.
            while self.0.ended.clone().changed().await.is_ok() {}
        }
    }
}

/// The one line of an event in the server's log, from where it can be shipped elsewhere: see docs/performance-issue.md.
/// Fields that an event has not are left out.
fn trace(note: &Note, what: Option<&str>) {
    let Note { kind, user, other, room, session, ip, what: _, count } = note;
    let event = kind.word();
    let (user, other, room) = (user.map(show), other.map(show), room.map(show));
    let (session, ip) = (session.map(show), ip.map(show));
    let count = (*count != 1).then_some(*count);
    if *kind == EventKind::RefreshTokenReused {
        tracing::warn!(target: TARGET, event, user, other, room, session, ip, what, count);
    } else {
        tracing::info!(target: TARGET, event, user, other, room, session, ip, what, count);
    }
}

/// As much of it as is kept, without what could pass for the end of a line.
fn short(what: &str) -> String {
    what.chars().filter(|c| !c.is_control()).take(WHAT_MAX).collect()
}

/// Whether this is told once a minute, of all that there were.
const fn is_counted(kind: EventKind) -> bool {
    matches!(kind, EventKind::MessagesSent | EventKind::EntriesDelivered | EventKind::Errors | EventKind::EventsDropped)
}

fn show<T: std::fmt::Display>(value: T) -> tracing::field::DisplayValue<T> {
    tracing::field::display(value)
}

impl Inner {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        // No code panics while it holds the lock; were it so, the numbers would be whole nevertheless.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, note: Note) {
        let Some(queue) = &self.queue else { return };
        if let Err(mpsc::error::TrySendError::Full(_)) = queue.try_send(self.event(note)) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            self.numbers.dropped.inc();
        }
    }

    fn event(&self, note: Note) -> Event {
        let Note { kind, user, other, room, session, ip, what, count } = note;
        let what = what.as_deref().map(short);
        let id = EventId::from_random_bytes(random(&*self.entropy));
        let ip = ip.map(|ip| ip.to_canonical().to_string());
        Event { id, at: self.clock.now(), kind, user, other, room, session, ip, what, count }
    }
}

struct Task {
    inner: Arc<Inner>,
    waiting: mpsc::Receiver<Event>,
    /// Tells this node's numbers from those of others.
    node: [u8; 8],
    batch: Vec<Event>,
    /// Single events of each kind in this minute.
    single: HashMap<EventKind, u32>,
}

impl Task {
    async fn run(mut self) {
        let mut minutes = tokio::time::interval_at(Instant::now() + MINUTE, MINUTE);
        minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let inner = Arc::clone(&self.inner);
        let mut due = Instant::now();
        let mut tries = 0;
        let mut gathered = Vec::new();
        loop {
            let room = BATCH_MAX.saturating_sub(self.batch.len());
            let was_empty = self.batch.is_empty();
            tokio::select! {
                biased;
                () = inner.stop.notified() => break,
                () = tokio::time::sleep_until(due), if !was_empty => match self.write().await {
                    Ok(()) => tries = 0,
                    Err(_) if tries + 1 < TRIES => {
                        tries += 1;
                        due = Instant::now() + PAUSE;
                    }
                    Err(error) => {
                        tracing::warn!(%error, events = self.batch.len(), "events could not be written and are dropped");
                        self.give_up();
                        tries = 0;
                    }
                },
                _ = minutes.tick() => self.minute(),
                _ = self.waiting.recv_many(&mut gathered, room), if room > 0 => {
                    for event in gathered.drain(..) {
                        self.take(event);
                    }
                }
            }
            if was_empty && !self.batch.is_empty() {
                due = Instant::now() + GATHER;
            }
        }
        self.waiting.close();
        while let Some(event) = self.waiting.recv().await {
            self.take(event);
        }
        self.minute();
        if !self.batch.is_empty()
            && let Err(error) = self.write().await
        {
            tracing::warn!(%error, events = self.batch.len(), "the last events could not be written and are dropped");
        }
    }

    /// Takes an event into the next write, or counts it if there were too many of its kind in this minute.
    fn take(&mut self, event: Event) {
        let single = self.single.entry(event.kind).or_default();
        *single += 1;
        if *single > SINGLE_MAX {
            *self.inner.counts().counted.entry((event.kind, "")).or_default() += event.count;
        } else {
            self.batch.push(event);
        }
    }

    /// What was counted since the last time, as events of this minute.
    fn minute(&mut self) {
        self.single.clear();
        let inner = Arc::clone(&self.inner);
        let minute = inner.clock.now().millis() / MINUTE_MS;
        let at = Timestamp::from_millis(minute * MINUTE_MS);
        let counts = std::mem::take(&mut *inner.counts());
        let dropped = inner.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!(dropped, "too many events came at once: some are not in the log of events");
        }
        let counted =
            counts.counted.into_iter().chain((dropped > 0).then_some(((EventKind::EventsDropped, ""), dropped)));
        for ((kind, what), count) in counted {
            // What there was too much of has had a line each.
            if is_counted(kind) {
                tracing::info!(target: TARGET, event = kind.word(), what = (!what.is_empty()).then_some(what), count);
            }
            let what = (!what.is_empty()).then_some(what.to_owned());
            self.batch.push(Event { at, what, count, ..inner.event(Note::of(kind)) });
        }
        if let Some(count) = counts.online {
            // Two ticks in one minute must not make two crowds: the second has the id of the first, and is passed over.
            let mut id = [0; 16];
            id[..8].copy_from_slice(&self.node);
            id[8..].copy_from_slice(&minute.to_be_bytes());
            let id = EventId::from_bytes(id);
            tracing::info!(target: TARGET, event = EventKind::Online.word(), count);
            self.batch.push(Event { id, at, count, ..inner.event(Note::of(EventKind::Online)) });
        }
    }

    async fn write(&mut self) -> Stored<()> {
        self.inner.store.append_events(self.batch.clone()).await?;
        self.batch.clear();
        Ok(())
    }

    fn give_up(&mut self) {
        let lost = u64::try_from(self.batch.len()).unwrap_or(u64::MAX);
        self.inner.dropped.fetch_add(lost, Ordering::Relaxed);
        self.inner.numbers.dropped.inc_by(lost);
        self.batch.clear();
    }
}
