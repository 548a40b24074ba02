//! Listening to the other nodes: one connection, made again by itself whenever it ends. What was published while there was
//! none is lost, so the rooms are compared with the store as soon as there is one again, and now and then until then.

use super::address::Address;
use super::codec::{self, Heard};
use super::condition::{Condition, Part};
use super::pause::Pause;
use super::seldom::Seldom;
use super::wire::Wire;
use crate::bus::{News, Notice};
use crate::clock::Entropy;
use crate::metrics;
use crate::realtime::hub::Hub;
use redis::aio::SendError;
use redis::{PushInfo, PushKind, RedisError, RedisResult, Value};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::MissedTickBehavior;

/// Messages, and their bytes, that may wait to be read. What is beyond is dropped, and found by comparing heads.
const MESSAGES_MAX: usize = 8_192;
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// A connection that was cut in the middle says nothing: it is asked this often.
const TEST_EVERY: Duration = Duration::from_secs(3);
/// How often rooms are compared with the store while nothing is heard.
const COMPARE_EVERY: Duration = Duration::from_secs(3);

pub struct Subscription {
    pub node: String,
    pub address: Address,
    pub numbers: metrics::Redis,
    pub channels: Vec<String>,
    pub hub: Arc<Hub>,
    pub news: mpsc::Sender<News>,
    pub condition: Arc<Condition>,
    pub foreign: Seldom,
}

/// Where the connection puts what comes. It must not wait.
struct Inbox {
    messages: mpsc::Sender<Vec<u8>>,
    bytes: AtomicUsize,
    /// Something was dropped.
    lost: AtomicBool,
    ended: Notify,
}

impl Inbox {
    fn put(&self, push: PushInfo) {
        match push.kind {
            PushKind::Message | PushKind::SMessage => {
                let Some(Value::BulkString(payload)) = push.data.into_iter().nth(1) else { return };
                let size = payload.len();
                let waiting = self.bytes.fetch_add(size, Ordering::AcqRel);
                if waiting + size > BYTES_MAX || self.messages.try_send(payload).is_err() {
                    self.bytes.fetch_sub(size, Ordering::AcqRel);
                    self.lost.store(true, Ordering::Release);
                }
            }
            PushKind::Disconnection => self.ended.notify_one(),
            _ => {}
        }
    }
}

impl Subscription {
    /// The task; runs until it is dropped.
    pub async fn run(self, entropy: Arc<dyn Entropy>) {
        let mut pause = Pause::new(entropy);
        let mut comparing = tokio::time::interval(COMPARE_EVERY);
        comparing.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let (messages, waiting) = mpsc::channel(MESSAGES_MAX);
            let inbox = Arc::new(Inbox {
                messages,
                bytes: AtomicUsize::new(0),
                lost: AtomicBool::new(false),
                ended: Notify::new(),
            });
            let opened = without_hearing(&self.hub, &mut comparing, self.open(&inbox)).await;
            let why = match opened {
                Ok(wire) => {
                    pause.reset();
                    self.condition.works(Part::Subscription);
                    self.hub.gaps().ask_everywhere();
                    self.listen(wire, &inbox, waiting).await
                }
                Err(why) => why,
            };
            self.condition.fails(Part::Subscription, &why);
            without_hearing(&self.hub, &mut comparing, pause.wait()).await;
        }
    }

    async fn open(&self, inbox: &Arc<Inbox>) -> RedisResult<Wire> {
        let ear = Arc::clone(inbox);
        let ear = move |push: PushInfo| {
            ear.put(push);
            Ok::<(), SendError>(())
        };
        let mut wire = Wire::open_listening(&self.address, &self.numbers, ear).await?;
        wire.subscribe(&self.channels).await?;
        Ok(wire)
    }

    /// Hears until the connection ends, and says why it did.
    async fn listen(&self, mut wire: Wire, inbox: &Inbox, mut waiting: mpsc::Receiver<Vec<u8>>) -> RedisError {
        let mut tests = tokio::time::interval(TEST_EVERY);
        tests.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                Some(payload) = waiting.recv() => {
                    inbox.bytes.fetch_sub(payload.len(), Ordering::AcqRel);
                    self.hear(&payload);
                }
                () = inbox.ended.notified() => return io::Error::from(io::ErrorKind::ConnectionReset).into(),
                _ = tests.tick() => {
                    if let Err(why) = wire.ping().await {
                        return why;
                    }
                }
            }
            if inbox.lost.swap(false, Ordering::AcqRel) {
                tracing::warn!("notices came faster than they were read; what was dropped is read from the store");
                self.hub.gaps().ask_everywhere();
            }
        }
    }

    fn hear(&self, payload: &[u8]) {
        match codec::decode(&self.node, payload) {
            Heard::Own => {}
            Heard::Notice(notice) => {
                if let Notice::SessionsEnded { sessions } = &*notice {
                    // Should nobody take the news: what is believed about a login ends by itself after some seconds.
                    let _ = self.news.try_send(News::SessionsEnded(sessions.clone()));
                }
                self.hub.publish(*notice);
            }
            Heard::Foreign(why) => self.foreign.say(|missed| {
                tracing::warn!(%why, missed, "a message of another version or of somebody else was passed over");
            }),
        }
    }
}

/// Waits for something, and meanwhile has the rooms compared with the store.
async fn without_hearing<T>(hub: &Hub, comparing: &mut tokio::time::Interval, what: impl Future<Output = T>) -> T {
    let mut what = std::pin::pin!(what);
    loop {
        tokio::select! {
            done = &mut what => return done,
            _ = comparing.tick() => hub.gaps().ask_everywhere(),
        }
    }
}
