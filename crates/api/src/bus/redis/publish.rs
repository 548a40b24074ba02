//! Publishing to the other nodes: a notice waits in a bounded queue, and one task sends what waits, many in one write.

use super::codec;
use super::condition::is_refusal;
use super::link::Link;
use super::names::Names;
use super::queue::{Parcel, Queue};
use super::seldom::Seldom;
use super::wire::Wire;
use crate::bus::Notice;
use futures_util::future::try_join_all;
use natter_shared::frame::ServerFrame;
use natter_shared::limits;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// What one write carries.
const NOTICES_A_WRITE: usize = 256;
const BYTES_A_WRITE: usize = 1024 * 1024;

pub struct Publisher {
    queue: Queue,
    names: Names,
    /// Nothing is in the hands of the task.
    idle: AtomicBool,
    refusals: Seldom,
}

impl Publisher {
    pub fn new(names: Names) -> Self {
        Self { queue: Queue::new(), names, idle: AtomicBool::new(true), refusals: Seldom::default() }
    }

    /// A notice as it will be sent; `None` if it cannot be written down, which is a defect and is logged.
    pub fn parcel(&self, node: &str, notice: &Notice) -> Option<Parcel> {
        let payload = codec::encode(node, notice)
            .inspect_err(|why| tracing::error!(%why, "a notice cannot be written down and is not published"))
            .ok()?;
        let typing = matches!(notice, Notice::Room { frame: ServerFrame::Typing { .. }, .. });
        let until = typing.then(|| Instant::now() + Duration::from_millis(limits::TYPING_HOLDS_MS));
        Some(Parcel { channel: self.names.channel(notice).to_owned(), payload, until })
    }

    pub fn push(&self, parcel: Parcel) {
        self.queue.push(parcel);
    }

    /// Notices that wait to be sent.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Whether all was sent.
    pub fn is_idle(&self) -> bool {
        self.idle.load(Ordering::Acquire) && self.queue.is_empty()
    }

    /// The task; runs until it is dropped.
    pub async fn run(self: Arc<Self>, link: Arc<Link>) {
        loop {
            let Some(wire) = link.wire_whenever().await else { return };
            self.idle.store(false, Ordering::Release);
            let parcels = self.queue.take(NOTICES_A_WRITE, BYTES_A_WRITE, Instant::now());
            if parcels.is_empty() {
                self.idle.store(true, Ordering::Release);
                self.queue.more.notified().await;
                continue;
            }
            match send(&wire, &parcels).await {
                Ok(()) => {}
                // The server lives and does not want them; it would not want them the next time either.
                Err(why) if is_refusal(&why) => {
                    self.refusals.say(|missed| {
                        tracing::warn!(%why, missed, "redis refuses to publish; other nodes find it by themselves");
                    });
                }
                Err(_) => {
                    self.queue.put_back(parcels);
                    link.doubt();
                }
            }
        }
    }
}

async fn send(wire: &Wire, parcels: &[Parcel]) -> redis::RedisResult<()> {
    if !wire.is_cluster() {
        return wire.publish_all(parcels.iter().map(|parcel| (parcel.channel.as_str(), &*parcel.payload))).await;
    }
    // A cluster has a server for each channel: one write for each of them, side by side.
    let mut channels: Vec<(&str, Vec<&[u8]>)> = Vec::new();
    for parcel in parcels {
        match channels.iter_mut().find(|(channel, _)| *channel == parcel.channel) {
            Some((_, payloads)) => payloads.push(&parcel.payload),
            None => channels.push((&parcel.channel, vec![&parcel.payload])),
        }
    }
    try_join_all(channels.iter().map(|(channel, payloads)| wire.publish(channel, payloads))).await?;
    Ok(())
}
