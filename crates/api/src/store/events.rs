//! The log of events: what operators are shown. Nothing depends on it; losing the end of it loses no message and no login.

use super::Stored;
use async_trait::async_trait;
use natter_shared::event::{Event, EventKind};
use natter_shared::id::{EventId, UserId};
use natter_shared::timestamp::Timestamp;

/// Which events are asked for, newest first by (at, id).
#[derive(Debug, Clone, Default)]
pub struct EventSearch {
    /// Of any kind if there is none.
    pub kinds: Vec<EventKind>,
    /// Who did it or to whom it was done.
    pub person: Option<UserId>,
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Before this.
    pub to: Option<Timestamp>,
    /// Those behind this one.
    pub after: Option<(Timestamp, EventId)>,
    pub limit: u32,
}

/// Which events are counted, by kind and by stretches of time of one length, which begin at multiples of it since 1970.
#[derive(Debug, Clone)]
pub struct TallySearch {
    pub kinds: Vec<EventKind>,
    pub from: Timestamp,
    /// Before this.
    pub to: Timestamp,
    pub step_ms: i64,
}

/// What the events of one kind in one stretch of time add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tally {
    /// The stretch's beginning.
    pub at: Timestamp,
    pub kind: EventKind,
    /// All counts together.
    pub sum: u64,
    /// The most at one moment, where events of the same moment (of several nodes) are added up.
    pub most: u64,
}

#[async_trait]
pub trait Events: Send + Sync + 'static {
    /// Keeps events, in one call; one that is there already stays as it is.
    async fn append_events(&self, events: Vec<Event>) -> Stored<()>;
    async fn events(&self, search: EventSearch) -> Stored<Vec<Event>>;
    /// Counts, by time and kind; stretches in which nothing happened are left out.
    async fn tally_events(&self, search: TallySearch) -> Stored<Vec<Tally>>;
    /// Forgets events from before `before`, up to a number that a store does in one go; returns how many. Whoever wants all
    /// gone asks until there are none.
    async fn prune_events(&self, before: Timestamp) -> Stored<u64>;
}
