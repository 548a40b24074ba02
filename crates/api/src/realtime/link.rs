//! What the hub holds of a connection: its queue and its times.

use super::outbox::{End, Outbox};
use super::pulse::Pulse;
use natter_shared::frame::CloseCode;
use tokio::time::Instant;

#[derive(Debug)]
pub struct Link {
    pub outbox: Outbox,
    pub pulse: Pulse,
    /// A task reads from the connection and finishes what is under way; an event stream has none.
    pub has_reader: bool,
}

impl Link {
    pub fn socket(now: Instant) -> Self {
        Self { outbox: Outbox::holding(), pulse: Pulse::socket(now), has_reader: true }
    }

    pub fn stream(now: Instant) -> Self {
        Self { outbox: Outbox::holding(), pulse: Pulse::stream(now), has_reader: false }
    }

    /// The server stops: what is under way is finished, and then the connection is closed.
    pub fn wind_down(&self, code: CloseCode) {
        if self.has_reader {
            self.outbox.ask(code);
        } else {
            self.outbox.end_after_queue(End::Close(code));
        }
    }
}
