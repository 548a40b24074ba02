//! The bus of several nodes, over Redis: every notice is published to the other nodes, presence is counted over all of them,
//! and so are rates. Redis is a help and nothing more: a node starts and works without it, sees the others through the
//! store only, and comes back by itself.
//!
//! | what | where it is | when Redis is away |
//! |---|---|---|
//! | notices | channels, one for sixteen rooms' worth each and one for the rest (`names`) | wait in a bounded queue (`queue`); rooms are compared with the store every 3 s (`subscription`) |
//! | presence | a lease a node (`leases`, docs/adr/0007) | this node's own people |
//! | rates | a key a bucket, one script (`rates`) | this node's own count |
//!
//! The commands that its user must be allowed to use: `PING HELLO AUTH SELECT CLIENT|SETINFO EVAL EVALSHA SCRIPT|LOAD GET
//! SET DEL PEXPIRE TIME SADD SREM SMEMBERS SMISMEMBER SSCAN ZADD ZREM ZSCORE ZRANGEBYSCORE PUBLISH SUBSCRIBE`, for a
//! cluster also `CLUSTER|SLOTS SPUBLISH SSUBSCRIBE`; keys and channels all begin with the prefix.

mod address;
mod codec;
mod condition;
mod leases;
mod link;
mod names;
mod pause;
mod publish;
mod queue;
mod rates;
mod seldom;
mod subscription;
mod wire;

#[cfg(test)]
mod tests;

pub use address::{ACCEPTS, Address};
pub use leases::Times;

use super::local::LocalBus;
use super::{Bus, News, Notice, Rate, TooOften};
use crate::clock::{Clock, Entropy, random};
use crate::metrics;
use crate::realtime::hub::Hub;
use async_trait::async_trait;
use condition::{Condition, State};
use leases::Leases;
use link::Link;
use names::Names;
use natter_shared::id::{ConnectionId, UserId};
use publish::Publisher;
use rates::Rates;
use seldom::Seldom;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use subscription::Subscription;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// Pieces of news that may wait to be heard.
const NEWS_MAX: usize = 1_024;
/// How long a node that starts waits to know whether Redis is there.
const FIRST_LOOK: Duration = Duration::from_secs(3);
/// How long a node that stops goes on publishing what waits.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Where, and under which names.
#[derive(Debug, Clone)]
pub struct Options {
    pub address: Address,
    /// What all keys and channels begin with.
    pub prefix: String,
    pub times: Times,
    /// What its commands take.
    pub numbers: metrics::Redis,
}

impl Options {
    pub fn new(address: Address, prefix: &str) -> Self {
        Self { address, prefix: prefix.to_owned(), times: Times::default(), numbers: metrics::Redis::default() }
    }
}

pub struct RedisBus {
    hub: Arc<Hub>,
    /// This node as it signs what it publishes.
    node: String,
    alone: Arc<LocalBus>,
    link: Arc<Link>,
    condition: Arc<Condition>,
    publisher: Arc<Publisher>,
    leases: Arc<Leases>,
    rates: Rates,
    /// They end with the bus.
    tasks: Mutex<JoinSet<()>>,
}

impl RedisBus {
    /// Starts it on this runtime, and waits a moment to know whether Redis is there. The news must be taken.
    pub async fn start(
        options: Options,
        hub: Arc<Hub>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> (Self, mpsc::Receiver<News>) {
        let bus = Self::begin(options, hub, clock, entropy);
        let known = bus.0.condition.wait_for(|state| *state != State::Starting);
        // Longer than both connections may take; it only says what is known later.
        let _ = timeout(FIRST_LOOK, known).await;
        bus
    }

    fn begin(
        options: Options,
        hub: Arc<Hub>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> (Self, mpsc::Receiver<News>) {
        let Options { address, prefix, times, numbers } = options;
        let node = random::<16>(&*entropy).iter().fold(String::new(), |node, byte| node + &format!("{byte:02x}"));
        let names = Names::new(&prefix, address.database);
        let condition = Arc::new(Condition::new(address.clone()));
        let link = Arc::new(Link::new(address.clone(), numbers.clone()));
        let alone = Arc::new(LocalBus::new(Arc::clone(&hub), clock));
        let (news, told) = mpsc::channel(NEWS_MAX);
        let publisher = Arc::new(Publisher::new(names.clone()));
        let subscription = Subscription {
            node: node.clone(),
            address,
            numbers,
            channels: names.channels(),
            hub: Arc::clone(&hub),
            news: news.clone(),
            condition: Arc::clone(&condition),
            foreign: Seldom::default(),
        };
        let (leases, lease_tasks) =
            Leases::new(Arc::clone(&alone), Arc::clone(&link), names.clone(), times, node.clone(), news);

        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&link).keep(Arc::clone(&condition), Arc::clone(&entropy)));
        tasks.spawn(subscription.run(entropy));
        tasks.spawn(Arc::clone(&publisher).run(Arc::clone(&link)));
        tasks.spawn(lease_tasks.registrar.run());
        tasks.spawn(lease_tasks.sweeper.run());
        let rates = Rates::new(names);
        (Self { hub, node, alone, link, condition, publisher, leases, rates, tasks: Mutex::new(tasks) }, told)
    }
}

#[async_trait]
impl Bus for RedisBus {
    fn publish(&self, notice: Notice) {
        // Written down first only because the hub takes the notice apart; nothing waits in between.
        let parcel = self.publisher.parcel(&self.node, &notice);
        self.hub.publish(notice);
        if let Some(parcel) = parcel {
            self.publisher.push(parcel);
        }
    }

    async fn caught_up(&self) {
        self.hub.caught_up().await;
    }

    async fn came(&self, user: UserId, connection: ConnectionId) -> bool {
        self.leases.came(user, connection).await
    }

    async fn went(&self, user: UserId, connection: ConnectionId) -> bool {
        self.leases.went(user, connection).await
    }

    async fn online(&self, users: &[UserId]) -> Vec<UserId> {
        self.leases.online(users).await
    }

    async fn counted(&self) -> u64 {
        self.leases.counted().await
    }

    async fn take(&self, bucket: &str, rate: Rate) -> Result<(), TooOften> {
        self.rates.take(&self.link, &self.alone, bucket, rate).await
    }

    fn without(&self) -> Option<&'static str> {
        (!self.condition.is_up()).then_some("redis")
    }

    fn waiting(&self) -> usize {
        self.publisher.waiting()
    }

    fn wind_down(&self) {
        self.leases.wind_down();
    }

    async fn close(&self) {
        let begun = Instant::now();
        while !self.publisher.is_idle() && self.link.wire().is_some() && begun.elapsed() < LAST_WORDS {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.leases.close().await;
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}
