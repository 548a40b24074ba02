//! The families, each with its owner: what they are called, what they mean and by which labels they are told apart. Known
//! values of labels start at 0, so that the first of something shows as a rise.

use super::{By, Histogram, Label, Registry, TimesBy};
use natter_shared::error::ErrorCode;
use natter_shared::event::EventKind;
use natter_shared::frame::CloseCode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use std::time::Duration;

fn starting_at_zero(label: &'static str, values: impl IntoIterator<Item = &'static str>) -> By {
    let family = By::default();
    for value in values {
        drop(family.get_or_create(&[(label, value)]));
    }
    family
}

fn times_by(label: &'static str, values: &[&'static str]) -> TimesBy {
    let family: TimesBy = Family::new_with_constructor(Histogram::of_times);
    for value in values {
        drop(family.get_or_create(&[(label, value)]));
    }
    family
}

/// The hub's and its connections'.
#[derive(Debug)]
pub struct Realtime {
    open: By<Gauge>,
    opened: By,
    closed: Family<[Label; 2], Counter>,
    refused: By,
    slow: Counter,
    /// A worker was so far behind that its connections were told to resume.
    pub workers_behind: Counter,
    /// The loop over one worker's outboxes, for one batch of entries.
    pub fan_out: Histogram,
    /// Rooms of which a connected reader had missed something that is in the store.
    pub gap_fills: Counter,
    pub gap_entries: Counter,
    pub gap_fill_time: Histogram,
    pub resume_time: Histogram,
    pub resumed_entries: Counter,
    pub resyncs: Counter,
}

pub const WEBSOCKET: &str = "websocket";
pub const STREAM: &str = "stream";

impl Default for Realtime {
    fn default() -> Self {
        let open = By::<Gauge>::default();
        let closed = Family::<[Label; 2], Counter>::default();
        for kind in [WEBSOCKET, STREAM] {
            drop(open.get_or_create(&[("kind", kind)]));
            for code in ["1013", "none"] {
                drop(closed.get_or_create(&[("kind", kind), ("code", code)]));
            }
        }
        Self {
            open,
            opened: starting_at_zero("kind", [WEBSOCKET, STREAM]),
            closed,
            refused: starting_at_zero("code", [ErrorCode::NotSignedIn.word(), ErrorCode::BadRequest.word()]),
            slow: Counter::default(),
            workers_behind: Counter::default(),
            fan_out: Histogram::of_short_times(),
            gap_fills: Counter::default(),
            gap_entries: Counter::default(),
            gap_fill_time: Histogram::of_times(),
            resume_time: Histogram::of_times(),
            resumed_entries: Counter::default(),
            resyncs: Counter::default(),
        }
    }
}

impl Realtime {
    fn kind(is_socket: bool) -> &'static str {
        if is_socket { WEBSOCKET } else { STREAM }
    }

    /// A connection has signed in.
    pub fn opened(&self, is_socket: bool) {
        let kind = [("kind", Self::kind(is_socket))];
        self.open.get_or_create(&kind).inc();
        self.opened.get_or_create(&kind).inc();
    }

    /// A connection that had signed in has ended with this code; `None`: without a close frame.
    pub fn closed(&self, is_socket: bool, code: Option<u16>) {
        let kind = Self::kind(is_socket);
        self.open.get_or_create(&[("kind", kind)]).dec();
        self.closed.get_or_create(&[("kind", kind), ("code", close_code(code))]).inc();
        if code == Some(CloseCode::TooSlow.code()) {
            self.slow.inc();
        }
    }

    /// A connection was not let in.
    pub fn refused(&self, code: ErrorCode) {
        self.refused.get_or_create(&[("code", code.word())]).inc();
    }

    pub fn register(&self, to: &mut Registry) {
        to.add("natter_connections", "Connections that have signed in", &self.open);
        to.add("natter_connections_opened", "Connections that have signed in since the start", &self.opened);
        to.add("natter_connections_closed", "Connections that have ended, by close code or none", &self.closed);
        to.add("natter_connections_refused", "Sockets that were not let in, by error code", &self.refused);
        to.add("natter_slow_consumers", "Connections that were cut for reading too slowly", &self.slow);
        to.add(
            "natter_workers_behind",
            "Times that a worker lost deliveries, for its queue was full",
            &self.workers_behind,
        );
        to.add("natter_fan_out_seconds", "Handing one batch to the connections of one worker", &self.fan_out);
        to.add("natter_gap_fills", "Rooms whose readers were brought what they had missed", &self.gap_fills);
        to.add("natter_gap_fill_entries", "Entries that were delivered from the store", &self.gap_entries);
        to.add("natter_gap_fill_seconds", "One round of comparing heads and filling gaps", &self.gap_fill_time);
        to.add("natter_resume_seconds", "Reading what a connection that came back had missed", &self.resume_time);
        to.add(
            "natter_resume_entries",
            "Entries that connections were sent when they came back",
            &self.resumed_entries,
        );
        to.add("natter_resyncs", "Rooms that a connection was too far behind in", &self.resyncs);
    }
}

/// A close code as a label. A peer may say any number: what this server does not know is one value.
fn close_code(code: Option<u16>) -> &'static str {
    match code {
        None => "none",
        Some(1000) => "1000",
        Some(1001) => "1001",
        Some(1002) => "1002",
        Some(1005) => "1005",
        Some(1007) => "1007",
        Some(1008) => "1008",
        Some(1009) => "1009",
        Some(1012) => "1012",
        Some(1013) => "1013",
        Some(4401) => "4401",
        Some(4403) => "4403",
        Some(_) => "other",
    }
}

/// The log writer's.
#[derive(Debug, Clone)]
pub struct Appends {
    /// What callers were told.
    told: By,
    /// From the queue to the commit that an entry is part of.
    pub wait: Histogram,
    pub commit: Histogram,
    pub batch_entries: Histogram,
    pub batch_bytes: Histogram,
}

/// What a caller of the log writer is told.
pub const OUTCOMES: [&str; 8] = ["new", "again", "refused", "busy", "stopping", "unknown", "unwritable", "broken"];

impl Default for Appends {
    fn default() -> Self {
        Self {
            told: starting_at_zero("outcome", OUTCOMES),
            wait: Histogram::of_times(),
            commit: Histogram::of_times(),
            batch_entries: Histogram::of_entries(),
            batch_bytes: Histogram::of_bytes(),
        }
    }
}

impl Appends {
    /// `outcome` is one of [`OUTCOMES`].
    pub fn told(&self, outcome: &'static str) {
        self.told.get_or_create(&[("outcome", outcome)]).inc();
    }

    pub fn register(&self, to: &mut Registry) {
        to.add(
            "natter_appends",
            "Entries by what who sent them was told: new is acknowledged, again was there before, unknown may be stored",
            &self.told,
        );
        to.add("natter_append_wait_seconds", "From the log writer's queue to the commit", &self.wait);
        to.add("natter_commit_seconds", "One commit of the log writer", &self.commit);
        to.add("natter_batch_entries", "Entries of one commit", &self.batch_entries);
        to.add("natter_batch_bytes", "Bytes of the texts of one commit", &self.batch_bytes);
    }
}

/// What the log of events is told.
#[derive(Debug, Clone)]
pub struct Happened {
    events: By,
    errors: By,
    pub dropped: Counter,
}

impl Default for Happened {
    fn default() -> Self {
        Self {
            events: starting_at_zero("kind", EventKind::ALL.iter().map(|kind| kind.word())),
            errors: starting_at_zero("code", [ErrorCode::Internal.word(), ErrorCode::Retry.word()]),
            dropped: Counter::default(),
        }
    }
}

impl Happened {
    /// `what` says more where all that it can be is known: the code of an error.
    pub fn count(&self, kind: EventKind, what: &'static str, times: u64) {
        self.events.get_or_create(&[("kind", kind.word())]).inc_by(times);
        if kind == EventKind::Errors {
            self.errors.get_or_create(&[("code", what)]).inc_by(times);
        }
    }

    pub fn register(&self, to: &mut Registry) {
        to.add("natter_events", "What has happened, by the kinds of the log of events", &self.events);
        to.add("natter_errors", "Calls and frames that were refused or failed, by error code", &self.errors);
        to.add("natter_events_dropped", "Events that the log of events had no room for", &self.dropped);
    }
}

/// The store's, whichever it is.
#[derive(Debug, Clone)]
pub struct StoreCalls {
    took: TimesBy,
    failed: Family<[Label; 2], Counter>,
}

impl Default for StoreCalls {
    fn default() -> Self {
        let failed = Family::<[Label; 2], Counter>::default();
        for kind in ["unknown", "unwritable", "broken"] {
            drop(failed.get_or_create(&[("operation", "append"), ("kind", kind)]));
        }
        Self { took: times_by("operation", &["append"]), failed }
    }
}

impl StoreCalls {
    pub fn took(&self, operation: &'static str, time: Duration) {
        self.took.get_or_create(&[("operation", operation)]).took(time);
    }

    pub fn failed(&self, operation: &'static str, kind: &'static str) {
        self.failed.get_or_create(&[("operation", operation), ("kind", kind)]).inc();
    }

    pub fn register(&self, to: &mut Registry) {
        to.add("natter_store_seconds", "Calls of the store, by operation", &self.took);
        to.add("natter_store_failures", "Calls of the store that failed: unknown, unwritable or broken", &self.failed);
    }
}

/// The connection's to Redis; all 0 where there is none.
#[derive(Debug, Clone)]
pub struct Redis {
    took: TimesBy,
    failed: Counter,
}

impl Default for Redis {
    fn default() -> Self {
        Self { took: times_by("command", &["PING"]), failed: Counter::default() }
    }
}

impl Redis {
    pub fn took(&self, command: &'static str, time: Duration, went_well: bool) {
        self.took.get_or_create(&[("command", command)]).took(time);
        if !went_well {
            self.failed.inc();
        }
    }

    pub fn register(&self, to: &mut Registry) {
        to.add("natter_redis_seconds", "Answers of Redis, by command", &self.took);
        to.add("natter_redis_failures", "Commands that Redis did not answer, or refused", &self.failed);
    }
}

/// The passwords'.
#[derive(Debug, Clone)]
pub struct Bcrypt {
    /// For a core.
    pub wait: Histogram,
    pub work: Histogram,
    /// Nobody could wait any longer.
    pub refused: Counter,
}

impl Default for Bcrypt {
    fn default() -> Self {
        Self { wait: Histogram::of_times(), work: Histogram::of_times(), refused: Counter::default() }
    }
}

impl Bcrypt {
    pub fn register(&self, to: &mut Registry) {
        to.add("natter_bcrypt_wait_seconds", "Waiting for a core to hash or compare a password", &self.wait);
        to.add("natter_bcrypt_seconds", "Hashing or comparing a password", &self.work);
        to.add("natter_bcrypt_refused", "Passwords that were not looked at, for all cores were taken", &self.refused);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_reader_is_told_from_the_others_and_a_peers_own_codes_are_one() {
        let numbers = Realtime::default();
        for code in [Some(1013), Some(1000), Some(3_333), Some(4_999), None] {
            numbers.opened(true);
            numbers.closed(true, code);
        }
        numbers.opened(false);
        let mut registry = Registry::default();
        numbers.register(&mut registry);
        let text = registry.text();
        for line in [
            "natter_slow_consumers_total 1",
            "natter_connections{kind=\"websocket\"} 0",
            "natter_connections{kind=\"stream\"} 1",
            "natter_connections_closed_total{kind=\"websocket\",code=\"1013\"} 1",
            "natter_connections_closed_total{kind=\"websocket\",code=\"other\"} 2",
            "natter_connections_closed_total{kind=\"websocket\",code=\"none\"} 1",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} is not in {text}");
        }
    }
}
