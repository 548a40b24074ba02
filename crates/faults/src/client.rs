//! A client as the page is one: an outbox that is kept until the server acknowledges, a connection that comes back with
//! full jitter, cursors, and a log that is read where a push was lost. What it takes over and what it is promised goes into
//! the ledger.

mod link;
mod log;
mod outbox;

pub use log::Room;
pub use outbox::Via;

use crate::dice::Dice;
use crate::ledger::{Intent, Ledger, ReaderId};
use crate::people::Person;
use natter_shared::entry::Entry;
use natter_shared::id::{ClientId, RoomId};
use outbox::Outbox;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// The page's own figures (`crates/web/src/live/reconnect.rs`).
const BACKOFF_BASE: Duration = Duration::from_millis(500);
const BACKOFF_CAP: Duration = Duration::from_secs(30);
/// Messages that wait in one outbox; more are not said.
const OUTBOX_MAX: usize = 500;

/// What a client is like.
pub struct Manner {
    pub person: Arc<Person>,
    /// Where it knocks, one after the other, when a connection fails.
    pub gates: Vec<SocketAddr>,
    pub rooms: Vec<RoomId>,
    pub via: Via,
    /// Keeps the entries themselves, for rows that rebuild what a person sees.
    pub keeps: bool,
    /// Shows a fresh token before the old one ends.
    pub renews: bool,
    /// Comes back at once, without any backoff.
    pub hostile: bool,
}

impl Manner {
    pub fn new(person: &Arc<Person>, gates: &[SocketAddr], rooms: &[RoomId], via: Via) -> Self {
        let (person, gates, rooms) = (Arc::clone(person), gates.to_vec(), rooms.to_vec());
        Self { person, gates, rooms, via, keeps: false, renews: true, hostile: false }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Online,
    Offline,
    Gone,
}

/// One end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    pub at: Instant,
    /// The close code; `None` where there was none.
    pub code: Option<u16>,
}

#[derive(Default)]
struct State {
    outbox: Outbox,
    rooms: BTreeMap<RoomId, Room>,
    connected: bool,
    /// Where the last connection was made.
    gate: Option<SocketAddr>,
    /// Connections that got as far as the welcome.
    welcomes: u32,
    /// Statuses and errors of connections that were refused.
    refusals: Vec<String>,
    ended: Vec<Ended>,
    gone_rooms: Vec<(RoomId, Instant)>,
    /// How long messages were on their way to this reader, and when they came.
    delays: Vec<(Instant, Duration)>,
    last_frame: Option<Instant>,
    kept: Vec<Entry>,
    /// Why it does not come back by itself.
    stopped: Option<String>,
}

/// What the handle and the tasks of a client share.
struct Shared {
    manner: Manner,
    reader: ReaderId,
    ledger: Ledger,
    state: Mutex<State>,
    /// Something is to be sent.
    work: Notify,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Dropping it ends its connection.
pub struct Client {
    shared: Arc<Shared>,
    wish: watch::Sender<Wish>,
    dice: Mutex<Dice>,
    task: JoinHandle<()>,
}

impl Client {
    pub fn start(manner: Manner, ledger: &Ledger, mut dice: Dice) -> Self {
        let reader = ledger.reader(&manner.person.name);
        let rooms = manner.rooms.iter().map(|room| (*room, Room::default())).collect();
        let state = Mutex::new(State { rooms, ..State::default() });
        let shared = Arc::new(Shared { manner, reader, ledger: ledger.clone(), state, work: Notify::new() });
        let (wish, wishes) = watch::channel(Wish::Online);
        let task = tokio::spawn(link::run(Arc::clone(&shared), wishes, dice.fork()));
        Self { shared, wish, dice: Mutex::new(dice), task }
    }

    pub fn person(&self) -> &Arc<Person> {
        &self.shared.manner.person
    }

    pub fn rooms(&self) -> &[RoomId] {
        &self.shared.manner.rooms
    }

    /// Puts a message into the outbox; `None` if that is full.
    pub fn says(&self, room: RoomId, text: &str) -> Option<ClientId> {
        let client_id = self.dice.lock().unwrap_or_else(PoisonError::into_inner).client_id();
        let body = format!("{client_id} {text}");
        self.says_as(room, client_id, &body).then_some(client_id)
    }

    /// The same with a client id of the caller's, with which `body` begins.
    pub fn says_as(&self, room: RoomId, client_id: ClientId, body: &str) -> bool {
        let mut state = self.shared.state();
        if state.outbox.len() >= OUTBOX_MAX {
            return false;
        }
        let author = self.person().id;
        self.shared.ledger.intent(Intent { room, author, client_id, body: body.to_owned() });
        state.outbox.put(client_id, room, body.to_owned());
        drop(state);
        self.shared.work.notify_one();
        true
    }

    /// Cuts the connection and stays away.
    pub fn goes_offline(&self) {
        self.wish.send_replace(Wish::Offline);
    }

    pub fn comes_back(&self) {
        self.shared.state().stopped = None;
        self.wish.send_replace(Wish::Online);
    }

    /// Ends for good: what it has not got it need not have.
    pub fn leaves(&self) {
        self.shared.ledger.leaves(self.shared.reader);
        self.wish.send_replace(Wish::Gone);
    }

    pub fn has_left(&self) -> bool {
        *self.wish.borrow() == Wish::Gone
    }

    pub fn is_connected(&self) -> bool {
        self.shared.state().connected
    }

    /// Where it is connected.
    pub fn gate(&self) -> Option<SocketAddr> {
        let state = self.shared.state();
        state.gate.filter(|_| state.connected)
    }

    pub fn welcomes(&self) -> u32 {
        self.shared.state().welcomes
    }

    pub fn waiting(&self) -> usize {
        self.shared.state().outbox.len()
    }

    /// The last seq that it has of a room, without a gap.
    pub fn cursor(&self, room: RoomId) -> u64 {
        self.shared.state().rooms.get(&room).map_or(0, Room::cursor)
    }

    pub fn ended(&self) -> Vec<Ended> {
        self.shared.state().ended.clone()
    }

    pub fn refusals(&self) -> Vec<String> {
        self.shared.state().refusals.clone()
    }

    /// Why it does not come back by itself, if it does not.
    pub fn stopped(&self) -> Option<String> {
        self.shared.state().stopped.clone()
    }

    pub fn last_frame(&self) -> Option<Instant> {
        self.shared.state().last_frame
    }

    /// When it was told that a room is gone.
    pub fn room_gone(&self, room: RoomId) -> Option<Instant> {
        self.shared.state().gone_rooms.iter().find(|(gone, _)| *gone == room).map(|(_, at)| *at)
    }

    /// How long messages were on their way that came since then.
    pub fn delays_since(&self, since: Instant) -> Vec<Duration> {
        self.shared.state().delays.iter().filter(|(at, _)| *at >= since).map(|(_, delay)| *delay).collect()
    }

    /// The entries it has, if it keeps them.
    pub fn kept(&self) -> Vec<Entry> {
        self.shared.state().kept.clone()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}
