//! What waits to be published. Bounded in number and in bytes: when it is full the oldest goes, and the other nodes find
//! what it said by comparing heads.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::time::Instant;

/// Notices, and their bytes, that may wait.
const NOTICES_MAX: usize = 4_096;
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// One notice, ready to be sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Parcel {
    pub channel: String,
    pub payload: Vec<u8>,
    /// After this nobody wants to know.
    pub until: Option<Instant>,
}

pub struct Queue {
    waiting: Mutex<Waiting>,
    pub more: Notify,
    notices_max: usize,
    bytes_max: usize,
}

#[derive(Default)]
struct Waiting {
    parcels: VecDeque<Parcel>,
    bytes: usize,
    /// Since the queue was last empty.
    dropped: u64,
}

impl Queue {
    pub fn new() -> Self {
        Self::bounded(NOTICES_MAX, BYTES_MAX)
    }

    fn bounded(notices_max: usize, bytes_max: usize) -> Self {
        Self { waiting: Mutex::default(), more: Notify::new(), notices_max, bytes_max }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts one at the end.
    pub fn push(&self, parcel: Parcel) {
        let mut waiting = self.waiting();
        waiting.bytes += parcel.payload.len();
        waiting.parcels.push_back(parcel);
        self.trim(&mut waiting);
        drop(waiting);
        self.more.notify_one();
    }

    /// Puts what could not be sent in front again.
    pub fn put_back(&self, parcels: Vec<Parcel>) {
        let mut waiting = self.waiting();
        for parcel in parcels.into_iter().rev() {
            waiting.bytes += parcel.payload.len();
            waiting.parcels.push_front(parcel);
        }
        self.trim(&mut waiting);
    }

    fn trim(&self, waiting: &mut Waiting) {
        let before = waiting.dropped;
        while waiting.parcels.len() > self.notices_max || waiting.bytes > self.bytes_max {
            let Some(oldest) = waiting.parcels.pop_front() else { break };
            waiting.bytes -= oldest.payload.len();
            waiting.dropped += 1;
        }
        if before == 0 && waiting.dropped > 0 {
            tracing::warn!("too much waits to be published; the oldest notices are dropped, and other nodes find them");
        }
    }

    /// Takes the oldest ones that are still worth sending.
    pub fn take(&self, notices: usize, bytes: usize, now: Instant) -> Vec<Parcel> {
        let mut waiting = self.waiting();
        let (mut taken, mut size) = (Vec::new(), 0);
        while taken.len() < notices && size < bytes {
            let Some(parcel) = waiting.parcels.pop_front() else { break };
            waiting.bytes -= parcel.payload.len();
            if parcel.until.is_none_or(|until| now < until) {
                size += parcel.payload.len();
                taken.push(parcel);
            }
        }
        if taken.is_empty() && waiting.dropped > 0 {
            tracing::warn!(dropped = waiting.dropped, "all that waited is published, but for what was dropped");
            waiting.dropped = 0;
        }
        taken
    }

    pub fn len(&self) -> usize {
        self.waiting().parcels.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting().parcels.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn parcel(text: &str) -> Parcel {
        Parcel { channel: "c".to_owned(), payload: text.as_bytes().to_vec(), until: None }
    }

    fn texts(parcels: &[Parcel]) -> Vec<&str> {
        parcels.iter().map(|parcel| std::str::from_utf8(&parcel.payload).unwrap()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_goes_when_it_is_full_by_number_or_by_bytes() {
        let now = Instant::now();
        let queue = Queue::bounded(3, 10);
        for text in ["a", "b", "c", "d"] {
            queue.push(parcel(text));
        }
        assert_eq!(texts(&queue.take(9, 99, now)), ["b", "c", "d"]);
        queue.push(parcel("12345"));
        queue.push(parcel("678901"));
        assert_eq!(texts(&queue.take(9, 99, now)), ["678901"]);
        queue.push(parcel("longer than everything"));
        assert!(queue.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_put_back_comes_first_and_what_is_stale_not_at_all() {
        let now = Instant::now();
        let queue = Queue::bounded(4, 100);
        for text in ["a", "b", "c"] {
            queue.push(parcel(text));
        }
        let taken = queue.take(2, 99, now);
        queue.put_back(taken);
        assert_eq!(texts(&queue.take(9, 2, now)), ["a", "b"], "bytes end a take as well");
        queue.push(Parcel { until: Some(now + Duration::from_secs(5)), ..parcel("typing") });
        assert_eq!(texts(&queue.take(9, 99, now + Duration::from_secs(5))), ["c"]);
        let most = (0..10).map(|n| parcel(&n.to_string())).collect();
        queue.put_back(most);
        assert_eq!(texts(&queue.take(9, 99, now)), ["6", "7", "8", "9"]);
    }
}
