//! The connection for commands: who wants to send something gets it at once or is told that there is none. One task keeps
//! it: it connects again, with growing pauses, and tests it when somebody doubts it, so that nobody else waits meanwhile.

use super::address::Address;
use super::condition::{Condition, Part};
use super::pause::Pause;
use super::wire::Wire;
use crate::clock::Entropy;
use crate::metrics;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// An idle connection is tested this often, for one that was cut in the middle says nothing.
const TEST_EVERY: Duration = Duration::from_secs(2);
/// How long somebody who can wait does so while the connection is being tested.
const DOUBT_TIME: Duration = Duration::from_millis(1_200);

pub struct Link {
    address: Address,
    numbers: metrics::Redis,
    /// `None` while there is none, or while it is doubted.
    wire: watch::Sender<Option<Wire>>,
    doubt: Notify,
    /// There is none; it is not just being tested.
    down: AtomicBool,
}

impl Link {
    pub fn new(address: Address, numbers: metrics::Redis) -> Self {
        Self { address, numbers, wire: watch::Sender::new(None), doubt: Notify::new(), down: AtomicBool::new(false) }
    }

    /// The connection, if there is one that is not doubted.
    pub fn wire(&self) -> Option<Wire> {
        self.wire.borrow().clone()
    }

    /// The same for who can wait for the end of a test.
    pub async fn wire_soon(&self) -> Option<Wire> {
        let mut wire = self.wire.subscribe();
        if let Some(wire) = wire.borrow_and_update().clone() {
            return Some(wire);
        }
        if self.down.load(Ordering::Acquire) {
            return None;
        }
        let found = timeout(DOUBT_TIME, wire.wait_for(Option::is_some)).await;
        found.ok()?.ok()?.clone()
    }

    /// Waits until there is one, however long that takes.
    pub async fn wire_whenever(&self) -> Option<Wire> {
        self.wire.subscribe().wait_for(Option::is_some).await.ok()?.clone()
    }

    /// Sees each change of the connection.
    pub fn watch(&self) -> watch::Receiver<Option<Wire>> {
        self.wire.subscribe()
    }

    /// An answer was late or a call failed: nobody gets the connection until it has been tested.
    pub fn doubt(&self) {
        if self.wire.send_if_modified(|wire| wire.take().is_some()) {
            self.doubt.notify_one();
        }
    }

    /// The task that keeps it; runs until it is dropped.
    pub async fn keep(self: Arc<Self>, condition: Arc<Condition>, entropy: Arc<dyn Entropy>) {
        let mut pause = Pause::new(entropy);
        loop {
            let why = match self.connect().await {
                Ok(wire) => {
                    pause.reset();
                    self.down.store(false, Ordering::Release);
                    self.wire.send_replace(Some(wire.clone()));
                    condition.works(Part::Commands);
                    self.watch_over(wire).await
                }
                Err(why) => why,
            };
            self.down.store(true, Ordering::Release);
            self.wire.send_replace(None);
            condition.fails(Part::Commands, &why);
            pause.wait().await;
        }
    }

    async fn connect(&self) -> redis::RedisResult<Wire> {
        let mut wire = Wire::open(&self.address, &self.numbers).await?;
        wire.ping().await?;
        Ok(wire)
    }

    /// Tests the connection now and then, and whenever it is doubted; returns why it is no good any more.
    async fn watch_over(&self, mut wire: Wire) -> redis::RedisError {
        loop {
            tokio::select! {
                () = self.doubt.notified() => {}
                () = tokio::time::sleep(TEST_EVERY) => {}
            }
            if let Err(why) = wire.ping().await {
                return why;
            }
            self.wire.send_if_modified(|held| {
                let doubted = held.is_none();
                held.get_or_insert_with(|| wire.clone());
                doubted
            });
        }
    }
}
