//! The contract of a [`Bus`] as tests; every bus passes all of them.

use super::{Bus, Rate};
use natter_shared::id::{ConnectionId, UserId};
use std::future::Future;

fn user(n: u8) -> UserId {
    UserId::from_bytes([n; 16])
}

fn connection(n: u8) -> ConnectionId {
    ConnectionId::from_bytes([n; 16])
}

/// Runs them all; `pass` lets so many milliseconds go by on the bus' clock.
pub async fn all<F: Future<Output = ()>>(bus: &dyn Bus, pass: impl Fn(i64) -> F) {
    leases(bus).await;
    buckets(bus, &pass).await;
}

async fn leases(bus: &dyn Bus) {
    let (ann, bob) = (user(1), user(2));
    assert!(bus.came(ann, connection(1)).await, "the first connection makes a person online");
    assert!(!bus.came(ann, connection(2)).await, "the second one changes nothing");
    assert!(!bus.came(ann, connection(2)).await, "a lease that is taken twice is one lease");
    assert_eq!(bus.online(&[ann, bob]).await, [ann]);
    assert_eq!(bus.counted().await, 1, "people are counted, not connections");
    assert!(!bus.went(ann, connection(1)).await, "one of two connections went");
    assert!(!bus.went(ann, connection(1)).await, "it cannot go twice");
    assert!(!bus.went(bob, connection(9)).await, "who never came does not go");
    assert!(bus.went(ann, connection(2)).await, "the last one makes a person offline");
    assert!(!bus.went(ann, connection(2)).await, "and only once");
    assert_eq!(bus.online(&[ann, bob]).await, []);
    assert_eq!(bus.counted().await, 0);
}

async fn buckets<F: Future<Output = ()>>(bus: &dyn Bus, pass: &impl Fn(i64) -> F) {
    let rate = Rate { burst: 3, per_ms: 3_000 };
    for _ in 0..3 {
        assert_eq!(bus.take("a", rate).await, Ok(()), "a burst passes");
    }
    let refused = bus.take("a", rate).await.expect_err("the bucket is empty");
    assert!((1..=1_000).contains(&refused.retry_after_ms), "{refused:?}");
    assert_eq!(bus.take("b", rate).await, Ok(()), "another bucket is another bucket");

    pass(i64::try_from(refused.retry_after_ms).unwrap_or(0)).await;
    assert_eq!(bus.take("a", rate).await, Ok(()), "after the time that was named, one more passes");
    assert!(bus.take("a", rate).await.is_err(), "and no second one");

    pass(4_000).await;
    for _ in 0..3 {
        assert_eq!(bus.take("a", rate).await, Ok(()), "a bucket fills up to its burst");
    }
    assert!(bus.take("a", rate).await.is_err(), "and no further");
}
