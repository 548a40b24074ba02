//! How often something took how long, or was how large: a few atomic counters. Counting one is two additions, without a lock
//! and without memory of its own.

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const US: u64 = 1_000;
const MS: u64 = 1_000 * US;
const S: u64 = 1_000 * MS;

/// From a read out of memory to what nobody waits for.
const TIMES: &[u64] = &[
    50 * US,
    100 * US,
    250 * US,
    500 * US,
    MS,
    2_500 * US,
    5 * MS,
    10 * MS,
    25 * MS,
    50 * MS,
    100 * MS,
    250 * MS,
    500 * MS,
    S,
    2_500 * MS,
    5 * S,
    10 * S,
];
/// For what keeps a core busy and should not.
const SHORT_TIMES: &[u64] = &[
    2 * US,
    5 * US,
    10 * US,
    25 * US,
    50 * US,
    100 * US,
    250 * US,
    500 * US,
    MS,
    2_500 * US,
    5 * MS,
    10 * MS,
    50 * MS,
];
const ENTRIES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const BYTES: &[u64] = &[256, 1_024, 4_096, 16_384, 65_536, 131_072, 262_144];

/// Clones share their counts.
#[derive(Debug, Clone)]
pub struct Histogram(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// What is observed up to and including a bound counts there; what is above the last in one bucket more.
    bounds: &'static [u64],
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
    /// One of what Prometheus counts in, in what is observed.
    unit: f64,
}

impl Histogram {
    fn new(bounds: &'static [u64], unit: f64) -> Self {
        let buckets = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Inner { bounds, buckets, sum: AtomicU64::new(0), unit }))
    }

    /// Of times, in seconds: observe with [`Histogram::took`].
    pub fn of_times() -> Self {
        Self::new(TIMES, 1e9)
    }

    /// Of times that should be below a millisecond.
    pub fn of_short_times() -> Self {
        Self::new(SHORT_TIMES, 1e9)
    }

    pub fn of_entries() -> Self {
        Self::new(ENTRIES, 1.0)
    }

    pub fn of_bytes() -> Self {
        Self::new(BYTES, 1.0)
    }

    pub fn observe(&self, value: u64) {
        let Inner { bounds, buckets, sum, .. } = &*self.0;
        let at = bounds.iter().position(|bound| value <= *bound).unwrap_or(bounds.len());
        buckets[at].fetch_add(1, Ordering::Relaxed);
        sum.fetch_add(value, Ordering::Relaxed);
    }

    pub fn took(&self, time: Duration) {
        self.observe(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// How many were observed.
    pub fn count(&self) -> u64 {
        self.0.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }
}

impl TypedMetric for Histogram {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Histogram {
    #[expect(clippy::cast_precision_loss, reason = "a sum is right to 16 digits")]
    fn encode(&self, mut encoder: MetricEncoder) -> fmt::Result {
        let Inner { bounds, buckets, sum, unit } = &*self.0;
        let ends = bounds.iter().map(|bound| *bound as f64 / unit).chain([f64::INFINITY]);
        let counts = buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = ends.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(sum.load(Ordering::Relaxed) as f64 / unit, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Registry;

    #[test]
    fn bounds_belong_to_what_they_end() {
        let times = Histogram::of_times();
        times.took(Duration::from_micros(50));
        times.took(Duration::from_micros(51));
        times.took(Duration::from_hours(1));
        let mut registry = Registry::default();
        registry.add("natter_test_seconds", "Times", &times);
        let text = registry.text();
        for line in [
            "# TYPE natter_test_seconds histogram",
            "natter_test_seconds_bucket{le=\"5e-05\"} 1",
            "natter_test_seconds_bucket{le=\"0.0001\"} 2",
            "natter_test_seconds_bucket{le=\"10\"} 2",
            "natter_test_seconds_bucket{le=\"+Inf\"} 3",
            "natter_test_seconds_sum 3600.000101",
            "natter_test_seconds_count 3",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} is not in {text}");
        }
    }

    #[test]
    fn bounds_rise() {
        for bounds in [TIMES, SHORT_TIMES, ENTRIES, BYTES] {
            assert!(bounds.is_sorted());
        }
    }
}
