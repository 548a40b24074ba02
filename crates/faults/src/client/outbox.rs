//! What was said and is not acknowledged. A message stays, with its client id, until the server promises it or refuses it
//! for good.

use natter_shared::id::{ClientId, RoomId};
use std::time::Duration;
use tokio::time::Instant;

/// Without an answer for so long a message is sent again.
const ANSWER: Duration = Duration::from_secs(8);

/// By which way messages go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    Socket,
    Rest,
}

#[derive(Debug, Clone)]
pub struct Unsent {
    pub client_id: ClientId,
    pub room: RoomId,
    pub body: String,
}

struct Item {
    unsent: Unsent,
    /// The connection on which it was sent.
    sent_on: Option<u32>,
    due: Instant,
    /// A REST call of it is under way.
    calling: bool,
}

#[derive(Default)]
pub struct Outbox(Vec<Item>);

impl Outbox {
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    pub fn put(&mut self, client_id: ClientId, room: RoomId, body: String) {
        let unsent = Unsent { client_id, room, body };
        self.0.push(Item { unsent, sent_on: None, due: Instant::now(), calling: false });
    }

    /// What this connection is to send now, in the order in which it was said.
    pub fn due_on(&mut self, connection: u32) -> Vec<Unsent> {
        let now = Instant::now();
        let due = self.0.iter_mut().filter(|item| item.sent_on != Some(connection) || item.due <= now);
        let due = due.map(|item| {
            item.sent_on = Some(connection);
            item.due = now + ANSWER;
            item.unsent.clone()
        });
        due.collect()
    }

    /// What is to be sent by REST now; each is marked as under way.
    pub fn due_for_call(&mut self, most: usize) -> Vec<Unsent> {
        let now = Instant::now();
        let due = self.0.iter_mut().filter(|item| !item.calling && item.due <= now);
        let due = due.take(most).map(|item| {
            item.calling = true;
            item.unsent.clone()
        });
        due.collect()
    }

    /// A REST call ended without a final answer.
    pub fn call_again(&mut self, client_id: ClientId, after: Duration) {
        if let Some(item) = self.0.iter_mut().find(|item| item.unsent.client_id == client_id) {
            item.calling = false;
            item.due = Instant::now() + after;
        }
    }

    /// The server said `retry`.
    pub fn again(&mut self, client_id: ClientId, after: Duration) {
        if let Some(item) = self.0.iter_mut().find(|item| item.unsent.client_id == client_id) {
            item.due = Instant::now() + after;
        }
    }

    pub fn done(&mut self, client_id: ClientId) {
        self.0.retain(|item| item.unsent.client_id != client_id);
    }
}
