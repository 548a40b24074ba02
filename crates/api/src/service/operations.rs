//! How long what this node is asked for takes: for each operation the number of times in the last hour, and by what time
//! half of them, 19 of 20 and all were answered. Bounded: the operations are named at the start, and each has twelve
//! histograms of five minutes, of a few hundred numbers. The same calls are counted for Prometheus, since the start.

use crate::clock::Clock;
use crate::metrics::Histogram as Times;
use natter_shared::admin;
use natter_shared::timestamp::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const SLOTS: i64 = 12;
const SLOT_MS: i64 = 5 * 60 * 1_000;
/// Each power of two of microseconds has so many buckets, as a power of two: a bucket is an eighth of its number wide.
const FINE: u32 = 3;
/// 2^36 microseconds are 19 hours; whatever takes longer counts as that.
const HIGHEST: u64 = (1 << 36) - 1;

/// Answers by the first digit of their status.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// A method, or the word `frame`, and a route.
pub type Name = (&'static str, &'static str);

pub struct Operations {
    by_name: HashMap<Name, Operation>,
    started: Timestamp,
    clock: Arc<dyn Clock>,
}

struct Operation {
    hour: Mutex<Hour>,
    /// Since the start, by the first digit of the status.
    answered: [AtomicU64; CLASSES.len()],
    times: Times,
}

impl Default for Operation {
    fn default() -> Self {
        Self { hour: Mutex::default(), answered: Default::default(), times: Times::of_times() }
    }
}

impl Operations {
    pub fn new(names: impl IntoIterator<Item = Name>, clock: Arc<dyn Clock>) -> Self {
        let by_name = names.into_iter().map(|name| (name, Operation::default())).collect();
        Self { by_name, started: clock.now(), clock }
    }

    /// Counts one. `false` if there is no operation of that name.
    pub fn record(&self, method: &str, route: &str, status: u16, took: Duration) -> bool {
        let Some(Operation { hour, answered, times }) = self.by_name.get(&(method, route)) else { return false };
        let class = usize::from(status / 100).clamp(1, CLASSES.len()) - 1;
        answered[class].fetch_add(1, Ordering::Relaxed);
        times.took(took);
        let us = u64::try_from(took.as_micros()).unwrap_or(HIGHEST).min(HIGHEST);
        let slot = self.clock.now().millis().div_euclid(SLOT_MS);
        // A number that is half counted does no harm.
        hour.lock().unwrap_or_else(PoisonError::into_inner).record(slot, us);
        true
    }

    /// What happened in the last hour, the slowest first.
    pub fn slowest_first(&self) -> admin::Operations {
        let now = self.clock.now().millis().div_euclid(SLOT_MS);
        let first = now - (SLOTS - 1);
        let of = |(name, Operation { hour, .. }): (&Name, &Operation)| {
            hour.lock().unwrap_or_else(PoisonError::into_inner).summary(first..=now).map(|sum| sum.named(*name))
        };
        let mut items: Vec<admin::Operation> = self.by_name.iter().filter_map(of).collect();
        items.sort_unstable_by(|a, b| {
            (b.p95_us, b.max_us)
                .cmp(&(a.p95_us, a.max_us))
                .then_with(|| (&a.route, &a.method).cmp(&(&b.route, &b.method)))
        });
        let since = Timestamp::from_millis(first * SLOT_MS).max(self.started);
        admin::Operations { since, items }
    }
}

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}

/// What was never asked for is left out.
impl Collector for Operations {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let help = "Requests and frames, by route and by the first digit of their status";
        let mut requests = encoder.encode_descriptor("natter_requests", help, None, MetricType::Counter)?;
        for ((method, route), operation) in &self.by_name {
            for (status, answered) in CLASSES.iter().zip(&operation.answered) {
                let answered = answered.load(Ordering::Relaxed);
                if answered > 0 {
                    let labels = [("method", *method), ("route", *route), ("status", *status)];
                    ConstCounter::new(answered).encode(requests.encode_family(&labels)?)?;
                }
            }
        }
        let help = "From a request's head, or a frame, to its answer's head";
        let mut times = encoder.encode_descriptor("natter_request_seconds", help, None, MetricType::Histogram)?;
        for ((method, route), operation) in &self.by_name {
            if operation.times.count() > 0 {
                operation.times.encode(times.encode_family(&[("method", *method), ("route", *route)])?)?;
            }
        }
        Ok(())
    }
}

/// The last hour of one operation, slot by slot.
#[derive(Default)]
struct Hour([Slot; 12]);

#[derive(Default)]
struct Slot {
    /// Which five minutes since 1970.
    number: i64,
    histogram: Histogram,
}

impl Hour {
    fn record(&mut self, number: i64, us: u64) {
        let at = usize::try_from(number.rem_euclid(SLOTS)).unwrap_or(0);
        let slot = &mut self.0[at];
        if slot.number != number {
            *slot = Slot { number, histogram: Histogram::default() };
        }
        slot.histogram.record(us);
    }

    /// All slots of these numbers together; `None` if nothing happened.
    fn summary(&self, numbers: std::ops::RangeInclusive<i64>) -> Option<Histogram> {
        let mut sum = Histogram::default();
        for slot in self.0.iter().filter(|slot| numbers.contains(&slot.number)) {
            sum.add(&slot.histogram);
        }
        (sum.count > 0).then_some(sum)
    }
}

/// How often something took how long: exact below eight microseconds, else right within a sixteenth.
#[derive(Debug, Default)]
struct Histogram {
    count: u64,
    max: u64,
    /// As long as its highest bucket needs.
    buckets: Vec<u32>,
}

impl Histogram {
    fn record(&mut self, us: u64) {
        let at = bucket(us);
        if self.buckets.len() <= at {
            self.buckets.resize(at + 1, 0);
        }
        self.buckets[at] = self.buckets[at].saturating_add(1);
        self.count += 1;
        self.max = self.max.max(us);
    }

    fn add(&mut self, other: &Self) {
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (own, others) in self.buckets.iter_mut().zip(&other.buckets) {
            *own = own.saturating_add(*others);
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// The time that so many of a hundred took at most.
    fn percentile(&self, of_a_hundred: u64) -> u64 {
        let wanted = (self.count * of_a_hundred).div_ceil(100).max(1);
        let mut seen = 0;
        for (at, count) in self.buckets.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= wanted {
                return middle(at).min(self.max);
            }
        }
        self.max
    }

    fn named(&self, (method, route): Name) -> admin::Operation {
        admin::Operation {
            method: method.to_owned(),
            route: route.to_owned(),
            count: self.count,
            p50_us: self.percentile(50),
            p95_us: self.percentile(95),
            max_us: self.max,
        }
    }
}

/// The bucket of a number of microseconds: below eight each has its own, above that each power of two has eight.
fn bucket(us: u64) -> usize {
    let power = us.max(1).ilog2().max(FINE);
    let within = us >> (power - FINE);
    let first = u64::from(power - FINE) << FINE;
    usize::try_from(first + within).unwrap_or(usize::MAX)
}

/// The number in the middle of a bucket.
fn middle(bucket: usize) -> u64 {
    let bucket = u64::try_from(bucket).unwrap_or(0);
    // The bucket's first two powers of two have the same width, one.
    let shift = (bucket >> FINE).saturating_sub(1);
    let lowest = (bucket - (shift << FINE)) << shift;
    lowest + (1 << shift) / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn a_time_is_right_within_a_sixteenth() {
        let mut before = 0;
        for us in (0..70_000).chain([1_000_000, 59_999_999, HIGHEST]) {
            let at = bucket(us);
            assert!(at >= before, "{us}: buckets are in the order of their numbers");
            before = at;
            assert!(middle(at).abs_diff(us) <= us / 16 + u64::from(us >= 8), "{us} {}", middle(at));
        }
        assert!(bucket(HIGHEST) < 280);
    }

    #[test]
    fn the_slowest_come_first_and_an_hour_is_remembered() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_795_000_000_000)));
        let names = [("GET", "/a"), ("POST", "/a"), ("GET", "/never")];
        let operations = Operations::new(names, Arc::<ManualClock>::clone(&clock));
        for ms in 1..=100 {
            assert!(operations.record("GET", "/a", 200, Duration::from_millis(ms)));
            assert!(operations.record("POST", "/a", 503, Duration::from_millis(2 * ms)));
        }
        assert!(!operations.record("GET", "/a/b", 200, Duration::ZERO), "nobody adds operations by asking for them");
        let told = operations.slowest_first();
        let shown: Vec<_> = told.items.iter().map(|it| (it.method.as_str(), it.count, it.max_us)).collect();
        assert_eq!(shown, [("POST", 100, 200_000), ("GET", 100, 100_000)]);
        let (p50, p95) = (told.items[1].p50_us, told.items[1].p95_us);
        assert!(p50.abs_diff(50_000) <= 50_000 / 16 && p95.abs_diff(95_000) <= 95_000 / 16, "{p50} {p95}");
        assert_eq!(told.since, clock.now(), "not from before the start");

        let mut registry = crate::metrics::Registry::default();
        let operations = Arc::new(operations);
        registry.collect(Arc::clone(&operations));
        let text = registry.text();
        for line in [
            "natter_requests_total{method=\"GET\",route=\"/a\",status=\"2xx\"} 100",
            "natter_requests_total{method=\"POST\",route=\"/a\",status=\"5xx\"} 100",
            "natter_request_seconds_bucket{method=\"GET\",route=\"/a\",le=\"0.05\"} 50",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} is not in {text}");
        }
        assert!(!text.contains("/never"), "{text}");

        clock.advance_millis(SLOT_MS * 6);
        operations.record("GET", "/a", 200, Duration::from_micros(3));
        assert_eq!(operations.slowest_first().items[1].count, 101);
        clock.advance_millis(SLOT_MS * 6);
        let told = operations.slowest_first();
        assert_eq!((told.items.len(), told.items[0].count, told.items[0].p95_us), (1, 1, 3));
        assert!(told.since > Timestamp::from_millis(1_795_000_000_000));
        clock.advance_millis(SLOT_MS * 12);
        assert!(operations.slowest_first().items.is_empty());
    }
}
