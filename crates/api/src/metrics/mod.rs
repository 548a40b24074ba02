//! What this process counts and times for Prometheus: every family with its name, in one place. Whoever does something owns
//! its numbers (the hub, the log writer, the store, …) and holds them as plain atomics; `app.rs` has each owner put them
//! into the [`Registry`], which is read out when somebody scrapes. It serves nothing itself (`http/metrics.rs` does) and
//! takes no label whose values a stranger can invent: no ids, no paths, no names.

mod families;
mod histogram;
mod process;

pub use families::{Appends, Bcrypt, Happened, OUTCOMES, Realtime, Redis, StoreCalls};
pub use histogram::Histogram;
pub use process::Process;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Metric, Registry as Inner};
use std::fmt;

/// The content type of [`Registry::text`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A label and its value.
pub type Label = (&'static str, &'static str);
/// A number for each value of one label.
pub type By<M = Counter> = Family<[Label; 1], M>;
/// A histogram for each value of one label.
pub type TimesBy = Family<[Label; 1], Histogram, fn() -> Histogram>;

/// Everything that is exposed. A counter is named without its `_total`, which is put behind it.
#[derive(Debug, Default)]
pub struct Registry(Inner);

impl Registry {
    pub fn add(&mut self, name: &str, help: &str, metric: &(impl Metric + Clone)) {
        self.0.register(name, help, metric.clone());
    }

    /// A number that may fall, looked up when somebody scrapes.
    pub fn ask(&mut self, name: &'static str, help: &'static str, now: impl Fn() -> u64 + Send + Sync + 'static) {
        self.collect(Asked { name, help, only_grows: false, now });
    }

    /// The same for one that only grows.
    pub fn ask_total(&mut self, name: &'static str, help: &'static str, now: impl Fn() -> u64 + Send + Sync + 'static) {
        self.collect(Asked { name, help, only_grows: true, now });
    }

    /// Takes in what writes families by itself.
    pub fn collect(&mut self, collector: impl Collector) {
        self.0.register_collector(Box::new(collector));
    }

    /// All numbers as they are now, in Prometheus' text format.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(64 * 1024);
        // Writing into a string does not fail.
        let _ = prometheus_client::encoding::prometheus_text::encode(&mut text, &self.0);
        text
    }
}

struct Asked<F> {
    name: &'static str,
    help: &'static str,
    only_grows: bool,
    now: F,
}

impl<F> fmt::Debug for Asked<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl<F: Fn() -> u64 + Send + Sync + 'static> Collector for Asked<F> {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let now = (self.now)();
        if self.only_grows {
            let counter = ConstCounter::new(now);
            counter.encode(encoder.encode_descriptor(self.name, self.help, None, counter.metric_type())?)
        } else {
            let gauge = ConstGauge::new(now);
            gauge.encode(encoder.encode_descriptor(self.name, self.help, None, gauge.metric_type())?)
        }
    }
}
