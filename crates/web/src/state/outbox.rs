//! Messages that the server has not yet confirmed, kept over a reload. Each keeps its client id for life, so that sending
//! it again does no harm.
//!
//! In a room the next message goes only after the last one is confirmed. Sending them all at once would keep the order of
//! one connection, but a message that is put off (`retry`, a rate limit) would let those behind it overtake.

use super::order::{Order, sorted};
use crate::state::map::{Map, Set};
use natter_shared::frame::SendFrame;
use natter_shared::id::{ClientId, RoomId, Seq};
use natter_shared::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// A message without an answer for so long is sent again, in milliseconds.
pub const ACK_WAIT_MS: i64 = 15_000;
/// What is put off without a time waits so long, doubled with each try up to the most, in milliseconds.
const PUT_OFF_MS: i64 = 1_000;
const PUT_OFF_MAX_MS: i64 = 30_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Sending {
    #[default]
    Queued,
    /// Sent at that moment, in milliseconds since 1970; no answer yet.
    InFlight { since: i64 },
    /// Confirmed, but its entry has not come yet: still shown, not kept over a reload.
    Stored { seq: Seq, at: Timestamp },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsent {
    pub message: SendFrame,
    /// When the person sent it.
    pub at: Timestamp,
    /// Why the server will not have it; it waits for the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    #[serde(skip)]
    pub sending: Sending,
    #[serde(skip)]
    tries: u32,
}

impl Unsent {
    pub fn new(message: SendFrame, at: Timestamp) -> Self {
        Self { message, at, failed: None, sending: Sending::Queued, tries: 0 }
    }

    fn waits(&self) -> bool {
        self.failed.is_none() && !matches!(self.sending, Sending::Stored { .. })
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outbox {
    /// In the order in which they were sent.
    items: Vec<Unsent>,
    /// Rooms where nothing may go before that moment, in milliseconds since 1970.
    not_before: Map<RoomId, i64>,
    /// What storage has not been told yet.
    dirty: Set<ClientId>,
}

impl Outbox {
    pub fn items(&self) -> &[Unsent] {
        &self.items
    }

    pub fn get(&self, client_id: ClientId) -> Option<&Unsent> {
        self.items.iter().find(|item| item.message.client_id == client_id)
    }

    pub fn in_room(&self, room: RoomId) -> impl Iterator<Item = &Unsent> {
        self.items.iter().filter(move |item| item.message.room == room)
    }

    /// How many the server has not confirmed.
    pub fn unconfirmed(&self, room: RoomId) -> usize {
        self.in_room(room).filter(|item| !matches!(item.sending, Sending::Stored { .. })).count()
    }

    pub fn push(&mut self, item: Unsent) {
        if self.get(item.message.client_id).is_none() {
            self.dirty.insert(item.message.client_id);
            self.items.push(item);
        }
    }

    /// Takes in what storage holds, in the order in which it was sent. Says which rooms got something.
    pub fn adopt(&mut self, kept: Vec<Unsent>) -> Set<RoomId> {
        let mut rooms = Set::new();
        for item in kept {
            if self.get(item.message.client_id).is_none() {
                rooms.insert(item.message.room);
                self.items.push(item);
            }
        }
        if !rooms.is_empty() {
            let items = std::mem::take(&mut self.items);
            self.items = sorted(items, |item| Order::new(item.at.millis(), String::new()));
        }
        rooms
    }

    /// What may go now: the first waiting message of each room, if it is neither on its way nor put off. Notes them as
    /// sent.
    pub fn due(&mut self, now: i64) -> Vec<SendFrame> {
        let mut rooms = Set::new();
        let mut due = Vec::new();
        for item in self.items.iter_mut().filter(|item| item.waits()) {
            if !rooms.insert(item.message.room) {
                continue;
            }
            let put_off = self.not_before.get(&item.message.room).is_some_and(|until| *until > now);
            let on_its_way = match item.sending {
                Sending::InFlight { since } => now < since.saturating_add(ACK_WAIT_MS),
                Sending::Queued | Sending::Stored { .. } => false,
            };
            if !put_off && !on_its_way {
                item.sending = Sending::InFlight { since: now };
                item.tries = item.tries.saturating_add(1);
                due.push(item.message.clone());
            }
        }
        due
    }

    /// When [`Outbox::due`] will next have something, in milliseconds since 1970; `None` if nothing waits.
    pub fn next_due(&self) -> Option<i64> {
        let mut rooms = Set::new();
        let first = self.items.iter().filter(|item| item.waits()).filter(|item| rooms.insert(item.message.room));
        first
            .map(|item| match item.sending {
                Sending::InFlight { since } => since.saturating_add(ACK_WAIT_MS),
                Sending::Queued | Sending::Stored { .. } => {
                    self.not_before.get(&item.message.room).copied().unwrap_or_default()
                }
            })
            .min()
    }

    /// The connection is gone: whatever was on its way goes again, in order.
    pub fn connection_lost(&mut self) {
        for item in &mut self.items {
            if matches!(item.sending, Sending::InFlight { .. }) {
                item.sending = Sending::Queued;
            }
        }
        self.not_before.clear();
    }

    /// The server has it. `shown` says that its entry is on the screen already. Returns its room.
    pub fn stored(&mut self, client_id: ClientId, seq: Seq, at: Timestamp, shown: bool) -> Option<RoomId> {
        let index = self.index(client_id)?;
        self.dirty.insert(client_id);
        let room = self.items[index].message.room;
        if shown {
            self.items.remove(index);
        } else {
            self.items[index].failed = None;
            self.items[index].sending = Sending::Stored { seq, at };
        }
        Some(room)
    }

    /// The server will never have it, for that reason. Returns its room.
    pub fn refused(&mut self, client_id: ClientId, why: String) -> Option<RoomId> {
        let index = self.index(client_id)?;
        self.dirty.insert(client_id);
        let item = &mut self.items[index];
        item.failed = Some(why);
        item.sending = Sending::Queued;
        Some(item.message.room)
    }

    /// The server may have it later: try again after so many milliseconds, or after a growing while. Returns its room.
    pub fn put_off(&mut self, client_id: ClientId, after_ms: Option<u64>, now: i64) -> Option<RoomId> {
        let index = self.index(client_id)?;
        let item = &mut self.items[index];
        item.sending = Sending::Queued;
        let doubled = PUT_OFF_MS.saturating_mul(1 << item.tries.saturating_sub(1).min(10));
        let wait = after_ms.map_or(doubled.min(PUT_OFF_MAX_MS), |ms| i64::try_from(ms).unwrap_or(PUT_OFF_MAX_MS));
        self.not_before.insert(item.message.room, now.saturating_add(wait));
        Some(item.message.room)
    }

    /// Entries of a room are known up to `head`: what is stored there and whatever has one of `ids` is done with. Says
    /// whether anything was.
    pub fn seen(&mut self, room: RoomId, head: Seq, ids: &Set<ClientId>) -> bool {
        let before = self.items.len();
        let dirty = &mut self.dirty;
        self.items.retain(|item| {
            let known = match item.sending {
                Sending::Stored { seq, .. } => seq <= head,
                Sending::Queued | Sending::InFlight { .. } => false,
            };
            let done = item.message.room == room && (known || ids.contains(&item.message.client_id));
            if done {
                dirty.insert(item.message.client_id);
            }
            !done
        });
        before != self.items.len()
    }

    /// The person wants it sent after all; it goes after what was sent meanwhile. Returns its room.
    pub fn resend(&mut self, client_id: ClientId, now: Timestamp) -> Option<RoomId> {
        let index = self.index(client_id)?;
        self.items[index].failed.take()?;
        let mut item = self.items.remove(index);
        item.at = now;
        item.tries = 0;
        let room = item.message.room;
        self.items.push(item);
        self.dirty.insert(client_id);
        Some(room)
    }

    /// The person does not want it any more. What is on its way may be stored already and stays.
    pub fn discard(&mut self, client_id: ClientId) -> Option<Unsent> {
        let index = self.index(client_id)?;
        if self.items[index].sending != Sending::Queued {
            return None;
        }
        self.dirty.insert(client_id);
        Some(self.items.remove(index))
    }

    /// Another tab is done with it (its copy in storage is gone). What is on its way from here stays until its answer.
    pub fn dropped_elsewhere(&mut self, client_id: ClientId) -> Option<RoomId> {
        let index = self.index(client_id)?;
        (self.items[index].sending == Sending::Queued).then(|| self.items.remove(index).message.room)
    }

    /// What storage must be told: an item to keep, or nothing where one is to be forgotten.
    pub fn take_writes(&mut self) -> Vec<(ClientId, Option<Unsent>)> {
        let dirty = std::mem::take(&mut self.dirty);
        let kept = |id| self.get(id).filter(|item| !matches!(item.sending, Sending::Stored { .. })).cloned();
        dirty.into_iter().map(|id| (id, kept(id))).collect()
    }

    fn index(&self, client_id: ClientId) -> Option<usize> {
        self.items.iter().position(|item| item.message.client_id == client_id)
    }
}
