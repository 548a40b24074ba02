//! Who is online through which node (docs/adr/0007). A node counts its connections in its own memory; Redis holds one lease
//! a node, and for each person the nodes through which they are online. One task a node changes anything there, in the
//! order in which people come and go.

mod registrar;
mod scripts;
mod sweeper;

use super::link::Link;
use super::names::Names;
use super::wire::Wire;
use crate::bus::local::LocalBus;
use crate::bus::{Bus, News};
use natter_shared::id::{ConnectionId, UserId};
use redis::{RedisResult, from_redis_value};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

pub use registrar::Registrar;
pub use sweeper::Sweeper;

/// Arrivals and departures that may wait for the task.
const ASKS_MAX: usize = 4_096;
/// How long an arrival or a departure waits for its answer before this node judges alone.
const ASK_TIME: Duration = Duration::from_millis(1_500);
/// People asked about, registered or cleared away in one write.
const PEOPLE_A_WRITE: usize = 256;
/// People asked about in one command.
const PEOPLE_A_COMMAND: usize = 1_000;

/// How long things hold; shorter in tests.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// A node that does not renew its lease is dead after this.
    pub lease: Duration,
    /// How often it is renewed, and looked for leases that have ended.
    pub renew: Duration,
    /// How often everybody is registered again. What is registered is forgotten after three times that.
    pub register: Duration,
    /// How long a node that stops keeps its lease, so that its people can come back elsewhere.
    pub farewell: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            renew: Duration::from_secs(10),
            register: Duration::from_mins(5),
            farewell: Duration::from_secs(5),
        }
    }
}

/// Somebody came to this node or went from it.
struct Ask {
    user: UserId,
    came: bool,
    /// Whether that changed something for everybody else.
    answer: oneshot::Sender<bool>,
}

pub struct Leases {
    /// This node's own view, which is all there is without Redis.
    alone: Arc<LocalBus>,
    link: Arc<Link>,
    names: Names,
    times: Times,
    asks: mpsc::Sender<Ask>,
    /// The name under which this node holds its lease.
    lease: Mutex<String>,
    /// People whose arrival has not been judged yet, and how often they asked.
    arriving: Mutex<HashMap<UserId, usize>>,
    /// People of whom this node said that they are offline when it could not know.
    said_gone: Mutex<HashSet<UserId>>,
    /// The node stops.
    winding_down: AtomicBool,
    /// Something was not registered: all must be.
    stale: AtomicBool,
    closed: AtomicBool,
}

/// The two tasks; each runs until it is dropped.
pub struct Tasks {
    pub registrar: Registrar,
    pub sweeper: Sweeper,
}

impl Leases {
    pub fn new(
        alone: Arc<LocalBus>,
        link: Arc<Link>,
        names: Names,
        times: Times,
        node: String,
        news: mpsc::Sender<News>,
    ) -> (Arc<Self>, Tasks) {
        let (asks, asked) = mpsc::channel(ASKS_MAX);
        let leases = Arc::new(Self {
            alone,
            link,
            names,
            times,
            asks,
            lease: Mutex::new(String::new()),
            arriving: Mutex::default(),
            said_gone: Mutex::default(),
            winding_down: AtomicBool::new(false),
            stale: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        });
        let (dead, died) = mpsc::channel(64);
        let registrar = Registrar::new(Arc::clone(&leases), node, asked, news.clone(), dead);
        let sweeper = Sweeper::new(Arc::clone(&leases), died, news);
        (leases, Tasks { registrar, sweeper })
    }

    pub async fn came(&self, user: UserId, connection: ConnectionId) -> bool {
        let is_first = {
            let mut arriving = lock(&self.arriving);
            let is_first = self.alone.enter(user, connection);
            if is_first {
                *arriving.entry(user).or_default() += 1;
            }
            is_first
        };
        if !is_first {
            return false;
        }
        let changed = self.ask(user, true).await;
        {
            let mut arriving = lock(&self.arriving);
            if let Some(asks) = arriving.get_mut(&user) {
                *asks -= 1;
                if *asks == 0 {
                    arriving.remove(&user);
                }
            }
        }
        lock(&self.said_gone).remove(&user);
        changed.unwrap_or(true)
    }

    pub async fn went(&self, user: UserId, connection: ConnectionId) -> bool {
        let was_last = self.alone.went(user, connection).await;
        if !was_last || self.winding_down.load(Ordering::Acquire) {
            return false;
        }
        self.ask(user, false).await.unwrap_or_else(|| {
            lock(&self.said_gone).insert(user);
            true
        })
    }

    /// Everybody who is here, but for those whose arrival is still to be judged: were they registered with the others, it
    /// would look as if they had been here before.
    fn settled(&self) -> Vec<UserId> {
        let arriving = lock(&self.arriving);
        let mut people = self.alone.people();
        people.retain(|user| !arriving.contains_key(user));
        people
    }

    /// `None`: nobody knows.
    async fn ask(&self, user: UserId, came: bool) -> Option<bool> {
        let (answer, answered) = oneshot::channel();
        if self.asks.try_send(Ask { user, came, answer }).is_err() {
            self.stale.store(true, Ordering::Release);
            return None;
        }
        timeout(ASK_TIME, answered).await.ok()?.ok()
    }

    pub async fn online(&self, users: &[UserId]) -> Vec<UserId> {
        let (here, elsewhere): (Vec<_>, Vec<_>) = users.iter().partition(|user| self.alone.is_here(**user));
        let mut online: Vec<UserId> = here.into_iter().copied().collect();
        let elsewhere: Vec<UserId> = elsewhere.into_iter().copied().collect();
        if elsewhere.is_empty() {
            return online;
        }
        // Whoever signs in is told once who is online: that is worth waiting for the end of a test.
        if let Some(wire) = self.link.wire_soon().await {
            match self.online_elsewhere(&wire, &elsewhere).await {
                Ok(found) => online.extend(found),
                Err(_) => self.link.doubt(),
            }
        }
        online
    }

    /// Whoever is online through several nodes is counted by the first of them by name. Where nobody knows, this node
    /// counts all of its people.
    pub async fn counted(&self) -> u64 {
        let people = self.alone.people();
        let elsewhere = match self.link.wire_soon().await {
            None => 0,
            Some(wire) => {
                let own = lock(&self.lease).clone();
                self.online_at(&wire, &people, |node| node < own.as_str()).await.map_or(0, |found| found.len())
            }
        };
        u64::try_from(people.len().saturating_sub(elsewhere)).unwrap_or(u64::MAX)
    }

    async fn online_elsewhere(&self, wire: &Wire, users: &[UserId]) -> RedisResult<Vec<UserId>> {
        let own = lock(&self.lease).clone();
        self.online_at(wire, users, |node| node != own).await
    }

    /// Those of these people who are online through one of the living nodes that `which` takes.
    async fn online_at(&self, wire: &Wire, users: &[UserId], which: impl Fn(&str) -> bool) -> RedisResult<Vec<UserId>> {
        let nodes: Vec<String> = self.live(wire).await?.into_iter().filter(|node| which(node)).collect();
        let mut found = HashSet::new();
        for node in nodes {
            let key = self.names.people_of(&node);
            let chunks: Vec<&[UserId]> = users.chunks(PEOPLE_A_COMMAND).collect();
            let asks: Vec<_> = chunks.iter().map(|users| scripts::are_members(&key, users)).collect();
            for (users, answer) in chunks.iter().zip(wire.each(&asks).await?) {
                let members: Vec<bool> = from_redis_value(answer)?;
                found.extend(users.iter().zip(members).filter(|(_, is)| *is).map(|(user, _)| *user));
            }
        }
        Ok(found.into_iter().collect())
    }

    /// The nodes whose leases have not ended.
    pub(super) async fn live(&self, wire: &Wire) -> RedisResult<HashSet<String>> {
        scripts::live(&self.names.nodes()).query_async(&mut wire.clone()).await
    }

    /// The node stops: who goes now may come back elsewhere.
    pub fn wind_down(&self) {
        self.winding_down.store(true, Ordering::Release);
    }

    /// Lets the lease end soon.
    pub async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let own = lock(&self.lease).clone();
        if let Some(mut wire) = self.link.wire() {
            let shorten = scripts::shorten(&self.names.nodes(), &own, self.times.farewell);
            if let Err(why) = shorten.exec_async(&mut wire).await {
                tracing::debug!(%why, "the lease of this node ends by itself");
            }
        }
    }

    /// As if something had not got through.
    #[cfg(test)]
    pub fn must_register(&self) {
        self.stale.store(true, Ordering::Release);
    }

    #[cfg(test)]
    pub fn lease_name(&self) -> String {
        lock(&self.lease).clone()
    }

    /// How long the sets are kept without being registered again.
    fn kept(&self) -> Duration {
        self.times.register * 3
    }
}

/// A panic elsewhere leaves these values whole: each change is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
