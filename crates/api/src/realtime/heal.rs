//! Finds what was committed and never delivered: a lost notice, a commit whose outcome was unknown, another node's entries.
//! Whoever hears a room gets every seq of it in order, at the latest after one round of this.

use super::hub::Hub;
use crate::bus::Notice;
use crate::store::{Store, StoreError};
use natter_shared::id::{RoomId, Seq};
use natter_shared::limits;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};

/// Rooms whose heads are asked for in one read.
const ROOMS_A_READ: usize = 500;
/// What was just committed is still on its way to the workers; it is not missing.
const ON_ITS_WAY: Duration = Duration::from_millis(250);
/// Entries of one read.
const ENTRIES_A_READ: u32 = limits::ENTRIES_MAX;

/// The one task of a node; runs until it is dropped.
pub async fn run(hub: Arc<Hub>, store: Arc<dyn Store>) {
    let mut rounds = tokio::time::interval(Duration::from_millis(limits::HEADS_MS));
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let missing = tokio::select! {
            _ = rounds.tick() => compare(&hub, &*store).await,
            () = hub.gaps().wake.notified() => woken(&hub, &*store).await,
        };
        let healed = match missing {
            Ok(missing) => heal(&hub, &*store, missing).await,
            Err(error) => Err(error),
        };
        if let Err(error) = healed {
            tracing::warn!(%error, "the heads of rooms could not be compared with the store; the next round tries again");
        }
    }
}

/// What somebody has seen to be missing, and if they asked for it whatever else is.
async fn woken(hub: &Hub, store: &dyn Store) -> Result<Vec<(RoomId, Seq)>, StoreError> {
    let mut missing = hub.gaps().take();
    if hub.gaps().take_everywhere() {
        missing.extend(compare(hub, store).await?);
    }
    Ok(missing)
}

/// The rooms of which the store has more than was delivered, and what was delivered.
async fn compare(hub: &Hub, store: &dyn Store) -> Result<Vec<(RoomId, Seq)>, StoreError> {
    let delivered = hub.heads();
    let rooms: Vec<RoomId> = delivered.keys().copied().collect();
    let mut behind = Vec::new();
    for rooms in rooms.chunks(ROOMS_A_READ) {
        for (room, head) in store.heads(rooms).await? {
            if delivered.get(&room).is_some_and(|delivered| *delivered < head) {
                behind.push((room, head));
            }
        }
    }
    if behind.is_empty() {
        return Ok(Vec::new());
    }
    tokio::time::sleep(ON_ITS_WAY).await;
    let delivered = hub.heads();
    let missing = behind.into_iter().filter_map(|(room, head)| {
        let delivered = *delivered.get(&room)?;
        (delivered < head).then_some((room, delivered))
    });
    Ok(missing.collect())
}

async fn heal(hub: &Hub, store: &dyn Store, missing: Vec<(RoomId, Seq)>) -> Result<(), StoreError> {
    if missing.is_empty() {
        return Ok(());
    }
    let begun = Instant::now();
    let numbers = hub.numbers();
    for (room, mut after) in missing {
        numbers.gap_fills.inc();
        tracing::info!(%room, %after, "entries were missing and are delivered from the store");
        while let Some(slice) = store.entries_after(room, after, ENTRIES_A_READ).await? {
            let Some(last) = slice.entries.last().map(|entry| entry.seq) else { break };
            numbers.gap_entries.inc_by(slice.entries.len() as u64);
            hub.publish(Notice::Entries { room, entries: Arc::new(slice.entries) });
            if last >= slice.head {
                break;
            }
            after = last;
        }
    }
    numbers.gap_fill_time.took(begun.elapsed());
    Ok(())
}

#[cfg(test)]
mod tests;
