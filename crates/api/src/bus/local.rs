//! The bus of a node that is alone: notices go straight to its own sockets, leases and rates live in this process.

use super::{Bus, Notice, Rate, TooOften};
use crate::clock::Clock;
use crate::realtime::hub::Hub;
use async_trait::async_trait;
use natter_shared::id::{ConnectionId, UserId};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Buckets kept at most; beyond, the ones that are nearest to full again are forgotten.
const BUCKETS_MAX: usize = 100_000;

pub struct LocalBus {
    hub: Arc<Hub>,
    clock: Arc<dyn Clock>,
    leases: Mutex<HashMap<UserId, HashSet<ConnectionId>>>,
    buckets: Mutex<Buckets>,
}

impl LocalBus {
    pub fn new(hub: Arc<Hub>, clock: Arc<dyn Clock>) -> Self {
        Self { hub, clock, leases: Mutex::default(), buckets: Mutex::new(Buckets::new(BUCKETS_MAX)) }
    }

    /// Takes a lease; `true` if the person was not connected to this node before.
    pub(super) fn enter(&self, user: UserId, connection: ConnectionId) -> bool {
        let mut leases = lock(&self.leases);
        let connections = leases.entry(user).or_default();
        connections.insert(connection) && connections.len() == 1
    }

    /// Whether somebody is connected to this node.
    pub(super) fn is_here(&self, user: UserId) -> bool {
        lock(&self.leases).contains_key(&user)
    }

    /// Everybody who is connected to this node.
    pub(super) fn people(&self) -> Vec<UserId> {
        lock(&self.leases).keys().copied().collect()
    }
}

/// A panic elsewhere leaves these maps whole: each change is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Bus for LocalBus {
    fn publish(&self, notice: Notice) {
        self.hub.publish(notice);
    }

    async fn caught_up(&self) {
        self.hub.caught_up().await;
    }

    async fn came(&self, user: UserId, connection: ConnectionId) -> bool {
        self.enter(user, connection)
    }

    async fn went(&self, user: UserId, connection: ConnectionId) -> bool {
        let mut leases = lock(&self.leases);
        let Some(connections) = leases.get_mut(&user) else { return false };
        let was_there = connections.remove(&connection);
        if connections.is_empty() {
            leases.remove(&user);
            return was_there;
        }
        false
    }

    async fn online(&self, users: &[UserId]) -> Vec<UserId> {
        let leases = lock(&self.leases);
        users.iter().copied().filter(|user| leases.contains_key(user)).collect()
    }

    async fn counted(&self) -> u64 {
        u64::try_from(lock(&self.leases).len()).unwrap_or(u64::MAX)
    }

    async fn take(&self, bucket: &str, rate: Rate) -> Result<(), TooOften> {
        let now = self.clock.now().millis().saturating_mul(1_000);
        lock(&self.buckets).take(bucket, rate, now)
    }
}

/// Each bucket as the moment (in microseconds) at which it is full again: what was taken is what is still to flow in.
struct Buckets {
    full_at: HashMap<String, i64>,
    most: usize,
}

impl Buckets {
    fn new(most: usize) -> Self {
        Self { full_at: HashMap::new(), most }
    }

    fn take(&mut self, bucket: &str, rate: Rate, now: i64) -> Result<(), TooOften> {
        let whole = i64::try_from(rate.per_ms).unwrap_or(i64::MAX / 4_000).saturating_mul(1_000);
        let one = whole / i64::from(rate.burst.max(1));
        // Never later than a whole filling from now, also when the clock was set back.
        let full_at = self.full_at.get(bucket).copied().unwrap_or(now).clamp(now, now.saturating_add(whole));
        let then = full_at.saturating_add(one);
        let too_early = then.saturating_sub(whole).saturating_sub(now);
        if too_early > 0 {
            return Err(TooOften { retry_after_ms: u64::try_from(too_early).unwrap_or(0).div_ceil(1_000) });
        }
        if !self.full_at.contains_key(bucket) && self.full_at.len() >= self.most {
            self.sweep(now);
        }
        self.full_at.insert(bucket.to_owned(), then);
        Ok(())
    }

    /// Forgets full buckets, and if that is not enough the half that is full again soonest.
    fn sweep(&mut self, now: i64) {
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.len() >= self.most {
            let mut moments: Vec<i64> = self.full_at.values().copied().collect();
            let half = moments.len() / 2;
            let middle = *moments.select_nth_unstable(half).1;
            self.full_at.retain(|_, full_at| *full_at > middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use natter_shared::timestamp::Timestamp;

    #[tokio::test]
    async fn keeps_the_promises_of_a_bus() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000_000)));
        let hub = Arc::new(Hub::new(1));
        let bus = LocalBus::new(hub, Arc::<ManualClock>::clone(&clock));
        crate::bus::conformance::all(&bus, |millis| {
            clock.advance_millis(millis);
            std::future::ready(())
        })
        .await;
    }

    #[test]
    fn the_number_of_buckets_is_bounded_and_the_emptiest_stay() {
        let mut buckets = Buckets::new(100);
        let rate = Rate { burst: 2, per_ms: 60_000 };
        for _ in 0..2 {
            buckets.take("guessing", rate, 0).unwrap();
        }
        for i in 0..1_000 {
            let _ = buckets.take(&format!("passer-by {i}"), rate, i);
        }
        assert!(buckets.full_at.len() <= 100);
        assert!(buckets.take("guessing", rate, 1_000).is_err(), "an emptied bucket cannot be flushed out by others");
    }
}
