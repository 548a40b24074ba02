//! Stretches of logs that many ask for at the same time, as after a cut that everybody felt, are read once and shared.
//! Nothing is kept: what is shared is a read that is under way.

use crate::store::{EntrySlice, Store, Stored};
use natter_shared::id::{RoomId, Seq};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Reads under way that others may share; what is asked for beyond is read by whoever asks.
const SHARED_MAX: usize = 4_096;

/// The room, and the seq after which the stretch begins.
type Start = (RoomId, Seq);
type UnderWay = watch::Receiver<Option<Arc<EntrySlice>>>;
type Promise = watch::Sender<Option<Arc<EntrySlice>>>;

/// Everything after a seq of a room, for somebody who knows that the room has come to `head`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub room: RoomId,
    pub after: Seq,
    pub head: Seq,
}

impl Wanted {
    const fn start(&self) -> Start {
        (self.room, self.after)
    }
}

pub(super) struct Stretches {
    store: Arc<dyn Store>,
    /// The most entries of one stretch, for all who ask.
    limit: u32,
    under_way: Mutex<HashMap<Start, UnderWay>>,
    #[cfg(test)]
    pub reads: std::sync::atomic::AtomicUsize,
}

/// What this reader has promised to others. Whatever of it is not kept (the read failed, or nobody waits for it any more)
/// they find out at once, for then the sender is gone.
struct Promises<'a> {
    stretches: &'a Stretches,
    made: HashMap<RoomId, (Seq, Promise)>,
}

impl Drop for Promises<'_> {
    fn drop(&mut self) {
        let mut under_way = self.stretches.under_way();
        for (room, (after, _)) in &self.made {
            under_way.remove(&(*room, *after));
        }
    }
}

impl Stretches {
    pub fn new(store: Arc<dyn Store>, limit: u32) -> Self {
        Self {
            store,
            limit,
            under_way: Mutex::default(),
            #[cfg(test)]
            reads: std::sync::atomic::AtomicUsize::default(),
        }
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<Start, UnderWay>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub fn is_idle(&self) -> bool {
        self.under_way().is_empty()
    }

    /// Each of these stretches (of different rooms), at least up to the head that the reader knows of; see
    /// [`Log::entries_after_many`](crate::store::Log::entries_after_many). Costs one read, or none if others are reading the
    /// same; seldom two.
    pub async fn read(&self, wanted: &[Wanted]) -> Stored<HashMap<RoomId, Arc<EntrySlice>>> {
        let mut promises = Promises { stretches: self, made: HashMap::new() };
        let mut own: Vec<Start> = Vec::new();
        let mut shared: Vec<(Wanted, UnderWay)> = Vec::new();
        {
            let mut under_way = self.under_way();
            for stretch in wanted {
                let start = stretch.start();
                if let Some(reading) = under_way.get(&start) {
                    shared.push((*stretch, reading.clone()));
                    continue;
                }
                own.push(start);
                if under_way.len() < SHARED_MAX {
                    let (promise, reading) = watch::channel(None);
                    under_way.insert(start, reading);
                    promises.made.insert(stretch.room, (stretch.after, promise));
                }
            }
        }
        let mut found = HashMap::with_capacity(wanted.len());
        if !own.is_empty() {
            for (room, slice) in self.read_alone(&own).await? {
                let slice = Arc::new(slice);
                if let Some((_, promise)) = promises.made.get(&room) {
                    promise.send_replace(Some(Arc::clone(&slice)));
                }
                found.insert(room, slice);
            }
        }
        drop(promises);

        let mut again: Vec<Start> = Vec::new();
        for (stretch, mut reading) in shared {
            let slice = reading.wait_for(Option::is_some).await.ok().and_then(|slice| slice.clone());
            match slice {
                // A read that began before this reader's own look at the room may lack what that look has shown. One that
                // reaches as far is as good as a read that begins now: logs only grow, and what empties a text is an entry.
                Some(slice) if slice.head >= stretch.head => {
                    found.insert(stretch.room, slice);
                }
                Some(_) | None => again.push(stretch.start()),
            }
        }
        if !again.is_empty() {
            found.extend(self.read_alone(&again).await?.into_iter().map(|(room, slice)| (room, Arc::new(slice))));
        }
        Ok(found)
    }

    async fn read_alone(&self, starts: &[Start]) -> Stored<Vec<(RoomId, EntrySlice)>> {
        #[cfg(test)]
        self.reads.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.store.entries_after_many(starts, self.limit).await
    }
}
