//! Several nodes on a real Redis, and what happens when it, or one of them, goes.

mod away;
mod cluster;
mod nodes;
mod presence;
mod proxy;
mod server;

use super::*;
use crate::clock::{SystemClock, SystemEntropy};
use natter_shared::frame::ServerFrame;
use natter_shared::id::RoomId;
use proxy::Proxy;
use server::{Server, shared};

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(20);
const ROOM: RoomId = RoomId::from_bytes([7; 16]);

/// So that a death is noticed within a second.
const QUICK: Times = Times {
    lease: Duration::from_millis(1_500),
    renew: Duration::from_millis(200),
    register: Duration::from_secs(5),
    farewell: Duration::from_millis(300),
};

fn user(n: u8) -> UserId {
    UserId::from_bytes([n; 16])
}

fn connection(n: u8) -> ConnectionId {
    ConnectionId::from_bytes([n; 16])
}

/// A prefix that no other test has.
fn prefix() -> String {
    let bytes: [u8; 8] = random(&SystemEntropy);
    format!("natter-test-{:016x}:", u64::from_be_bytes(bytes))
}

fn options(url: &str, prefix: &str) -> Options {
    let address = Address::parse(url).expect("a test names a good address");
    Options { address, prefix: prefix.to_owned(), times: QUICK, numbers: metrics::Redis::default() }
}

/// One node of a system, with an ear at its hub.
struct Node {
    bus: Arc<RedisBus>,
    hub: Arc<Hub>,
    news: mpsc::Receiver<News>,
    heard: mpsc::UnboundedReceiver<Notice>,
    numbers: metrics::Redis,
}

impl Node {
    /// A node for which Redis is there.
    async fn start(url: &str, prefix: &str) -> Self {
        let node = Self::start_alone(url, prefix).await;
        assert_eq!(node.bus.without(), None, "redis is there");
        node.is_registered().await;
        node
    }

    /// A node that may have to do without.
    async fn start_alone(url: &str, prefix: &str) -> Self {
        let hub = Arc::new(Hub::new(1));
        let heard = hub.overhear();
        let options = options(url, prefix);
        let numbers = options.numbers.clone();
        let (bus, news) =
            RedisBus::start(options, Arc::clone(&hub), Arc::new(SystemClock), Arc::new(SystemEntropy)).await;
        Self { bus: Arc::new(bus), hub, news, heard, numbers }
    }

    /// The value of one of its numbers, as Prometheus would read it.
    fn number(&self, name: &str) -> f64 {
        let mut registry = metrics::Registry::default();
        self.numbers.register(&mut registry);
        let text = registry.text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |number| number.parse().unwrap())
    }

    async fn is_registered(&self) {
        eventually("the node has a lease", async || {
            let Some(wire) = self.bus.link.wire() else { return false };
            let own = self.bus.leases.lease_name();
            self.bus.leases.live(&wire).await.is_ok_and(|live| live.contains(&own))
        })
        .await;
    }

    /// Tells a room something that can be told apart.
    fn says(&self, n: u8) {
        let frame = ServerFrame::Typing { room: ROOM, user: user(n) };
        self.bus.publish(Notice::Room { room: ROOM, except: None, frame });
    }

    /// Says it so that it is worth hearing later as well.
    fn says_for_good(&self, n: u8) {
        let frame = ServerFrame::RoomGone { room: RoomId::from_bytes([n; 16]) };
        self.bus.publish(Notice::Room { room: ROOM, except: None, frame });
    }

    /// What arrives next at the sockets of this node.
    async fn hears(&mut self) -> u8 {
        match timeout(PATIENCE, self.heard.recv()).await.expect("something is heard").unwrap() {
            Notice::Room { frame: ServerFrame::Typing { user, .. }, .. } => user.as_bytes()[0],
            Notice::Room { frame: ServerFrame::RoomGone { room }, .. } => room.as_bytes()[0],
            other => panic!("{other:?}"),
        }
    }

    async fn is_told(&mut self) -> News {
        timeout(PATIENCE, self.news.recv()).await.expect("there is news").unwrap()
    }

    fn is_told_nothing(&mut self) {
        assert_eq!(self.news.try_recv().ok(), None);
    }

    async fn is_up(&self) {
        eventually("redis is there again", async || self.bus.without().is_none()).await;
    }

    async fn is_down(&self) {
        eventually("redis is away", async || self.bus.without().is_some()).await;
    }

    async fn sees_online(&self, people: &[UserId]) {
        let mut wanted = people.to_vec();
        wanted.sort();
        eventually("these people are online", async || {
            let mut online = self.bus.online(&(0..=20).map(user).collect::<Vec<_>>()).await;
            online.sort();
            online == wanted
        })
        .await;
    }

    /// Ends as by `kill -9`: nothing is given back.
    fn dies(self) {
        self.bus.tasks.lock().unwrap().abort_all();
    }
}

/// Waits, with a bound, until something holds.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < end, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
