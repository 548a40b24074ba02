//! How a connection signs in: from its token to the point from which it hears everything, each entry once. The same for
//! sockets and event streams.
//!
//! The order makes it exact: enter the hub (changes of membership are remembered from here on), read the rooms, read what
//! the cursors miss, subscribe. What was delivered between the reading and the subscribing is read once more; what the
//! hub delivers after it waits in the outbox until the welcome is there.

use super::doors::{Full, Pass};
use super::hub::Hub;
use super::link::Link;
use super::outbox::End;
use super::outgoing::Outgoing;
use super::shard::{Missed, Seat, Shard};
use crate::clock::random;
use crate::http::error::ApiError;
use crate::metrics::Realtime;
use crate::service::Caller;
use crate::service::presence::Presence;
use crate::state::AppState;
use natter_shared::account::User;
use natter_shared::error::ErrorCode;
use natter_shared::frame::{CloseCode, Cursors, ServerFrame};
use natter_shared::id::{ConnectionId, RoomId, Seq, UserId};
use natter_shared::limits;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

#[cfg(test)]
mod tests;

/// When a person has no place left, a connection of theirs that does not answer a ping for so long gives its own up.
const ANSWER: Duration = Duration::from_secs(2);
/// How long a place may take to be free once its connection is ended.
const FREE: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(20);

/// A connection that is signed in. Dropping it ends it for the hub, for the counts and for presence.
pub struct Opened {
    pub caller: Caller,
    /// Where the reader stands in each of its rooms after what it was sent.
    pub told: Cursors,
    seat: Option<Seat>,
    pass: Option<Pass>,
    lease: Lease,
    counted: Counted,
}

/// One of the connections that are open, among the numbers.
struct Counted {
    numbers: Arc<Realtime>,
    is_socket: bool,
    /// The code of the close frame, if there is one.
    code: Option<u16>,
}

impl Counted {
    fn new(numbers: &Arc<Realtime>, is_socket: bool) -> Self {
        numbers.opened(is_socket);
        Self { numbers: Arc::clone(numbers), is_socket, code: None }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.numbers.closed(self.is_socket, self.code);
    }
}

/// Somebody's being there by one connection. It is given back also where a sign-in is broken off half-way.
struct Lease {
    presence: Presence,
    user: UserId,
    connection: ConnectionId,
    /// By a logout, which is announced at once.
    signed_out: bool,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Self { ref presence, user, connection, signed_out } = *self;
        let presence = presence.clone();
        // Without a runtime the process is ending, and everybody with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if signed_out {
                    presence.signed_out(user, connection).await;
                } else {
                    presence.disconnected(user, connection).await;
                }
            });
        }
    }
}

/// Signs a connection in. On success the welcome is on its way and the outbox is released. `person` is the caller's, if
/// they were read a moment ago.
///
/// What it reads of the store, besides what it takes to know the caller: the person if need be, their rooms together with
/// whom they know, and what the cursors miss, which those who miss the same at the same time read together.
pub async fn open(
    state: &AppState,
    shard: &Arc<Shard>,
    link: &Arc<Link>,
    mut pass: Pass,
    caller: Caller,
    person: Option<User>,
    cursors: &Cursors,
) -> Result<Opened, ApiError> {
    if cursors.len() > limits::CURSORS_MAX {
        return Err(ApiError::bad_request(format!("cursors: at most {} rooms", limits::CURSORS_MAX)));
    }
    take_place(&state.hub, &mut pass, caller.user).await?;
    link.pulse.shown(caller.expires_at, state.clock.now());
    let connection = ConnectionId::from_random_bytes(random(&*state.entropy));
    tracing::Span::current().record("connection", tracing::field::display(connection));
    let seat = shard.enter(&caller, link);
    // A logout between the check of the token and the entering was told to nobody.
    if !state.sessions.still_valid(&caller).await? {
        return Err(ApiError::not_signed_in());
    }
    let lease = Lease { presence: state.presence.clone(), user: caller.user, connection, signed_out: false };
    let came_online = state.presence.connected(&caller, connection).await;
    let arrival = Arrival { caller: &caller, person, connection, came_online };
    let told = welcome(state, link, &seat, arrival, cursors).await?;
    let counted = Counted::new(state.hub.numbers(), link.has_reader);
    Ok(Opened { caller, told, seat: Some(seat), pass: Some(pass), lease, counted })
}

/// Takes one of the places that a person has. A peer that vanished without a word would hold its place for up to a minute,
/// and whoever's network comes and goes would be kept out by their own shadows: when all are taken, whoever does not answer
/// is let go.
async fn take_place(hub: &Hub, pass: &mut Pass, user: UserId) -> Result<(), ApiError> {
    let Err(full) = pass.sign_in(user) else { return Ok(()) };
    debug_assert_eq!(full, Full::Person);
    let asked = Instant::now();
    let mut unheard = hub.sockets_of(user);
    for link in &unheard {
        link.outbox.push(&Outgoing::ping());
    }
    while !unheard.is_empty() && asked.elapsed() < ANSWER {
        tokio::time::sleep(LOOK).await;
        unheard.retain(|link| !link.pulse.was_heard_since(asked));
    }
    if !unheard.is_empty() {
        for link in &unheard {
            link.outbox.end(End::Gone(None));
        }
        let ended = Instant::now();
        while ended.elapsed() < FREE {
            if pass.sign_in(user).is_ok() {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }
    let message = format!("At most {} connections of one person", limits::CONNECTIONS_PER_USER);
    Err(ApiError::new(ErrorCode::LimitReached, message))
}

/// Who has come, and by what.
struct Arrival<'a> {
    caller: &'a Caller,
    person: Option<User>,
    connection: ConnectionId,
    came_online: bool,
}

async fn welcome(
    state: &AppState,
    link: &Link,
    seat: &Seat,
    Arrival { caller, person, connection, came_online }: Arrival<'_>,
    cursors: &Cursors,
) -> Result<Cursors, ApiError> {
    let (rooms, others) = state.rooms.surroundings(caller).await?;
    let heads: Vec<(RoomId, Seq)> = rooms.iter().map(|overview| (overview.room.id, overview.head)).collect();
    if came_online {
        state.presence.tell_online(caller.user, heads.iter().map(|(room, _)| *room).collect());
    }
    let user = match person {
        Some(person) => person,
        None => state.accounts.me(caller).await?.user,
    };
    let online = state.presence.online_among(caller, others).await;
    let resumed = resume(state, caller.user, &heads, cursors).await?;

    let mut told: Cursors = heads.iter().copied().collect();
    for frame in &resumed {
        note(&mut told, frame);
    }
    let told_list: Vec<(RoomId, Seq)> = told.iter().map(|(room, seq)| (*room, *seq)).collect();
    let missed = seat.subscribe(&told_list);

    let mut frames = vec![ServerFrame::Welcome { user, connection, rooms, online, ping_ms: limits::PING_MS }];
    frames.extend(resumed);
    frames.extend(between(state, caller.user, &missed, &mut told).await?);
    link.outbox.release(frames.iter().map(Outgoing::new));
    Ok(told)
}

/// What the cursors miss, among the numbers as well.
async fn resume(
    state: &AppState,
    reader: UserId,
    heads: &[(RoomId, Seq)],
    cursors: &Cursors,
) -> Result<Vec<ServerFrame>, ApiError> {
    if cursors.is_empty() {
        return Ok(Vec::new());
    }
    let begun = Instant::now();
    let frames = state.messages.resume(reader, heads, cursors).await?;
    let numbers = state.hub.numbers();
    numbers.resume_time.took(begun.elapsed());
    for frame in &frames {
        match frame {
            ServerFrame::Entries { entries, .. } => {
                numbers.resumed_entries.inc_by(entries.len() as u64);
            }
            ServerFrame::Resync { .. } => {
                numbers.resyncs.inc();
            }
            _ => {}
        }
    }
    Ok(frames)
}

fn note(told: &mut Cursors, frame: &ServerFrame) {
    match frame {
        ServerFrame::Entries { room, entries } => {
            if let Some(last) = entries.last() {
                told.insert(*room, last.seq);
            }
        }
        ServerFrame::Resync { room, head } => {
            told.insert(*room, *head);
        }
        ServerFrame::RoomGone { room } => {
            told.remove(room);
        }
        _ => {}
    }
}

/// What was delivered between the reading of the rooms and the subscribing, up to where the outbox goes on.
async fn between(
    state: &AppState,
    reader: UserId,
    missed: &[Missed],
    told: &mut Cursors,
) -> Result<Vec<ServerFrame>, ApiError> {
    if missed.is_empty() {
        return Ok(Vec::new());
    }
    let heads: Vec<(RoomId, Seq)> = missed.iter().map(|missed| (missed.room, missed.last)).collect();
    let cursors: Cursors = missed.iter().map(|missed| (missed.room, missed.after)).collect();
    let mut frames = state.messages.resume(reader, &heads, &cursors).await?;
    for frame in &mut frames {
        if let ServerFrame::Entries { room, entries } = frame {
            let last = missed.iter().find(|missed| missed.room == *room).map_or(Seq::ZERO, |missed| missed.last);
            entries.retain(|entry| entry.seq <= last);
            if entries.last().is_none_or(|entry| entry.seq < last) {
                return Err(ApiError::retry("entries that were delivered cannot be read"));
            }
        } else {
            // More than a resume can carry in the blink of an eye: the client starts again from where it stands.
            return Err(ApiError::retry("too much happened during a sign-in"));
        }
        note(told, frame);
    }
    Ok(frames)
}

/// How a connection that could not be opened is closed.
pub const fn close_code(error: &ApiError) -> CloseCode {
    match error.code {
        ErrorCode::NotSignedIn => CloseCode::SignIn,
        ErrorCode::LimitReached | ErrorCode::Forbidden => CloseCode::NotAllowed,
        ErrorCode::BadRequest | ErrorCode::Invalid => CloseCode::Abuse,
        // "Try again later" (RFC 6455's registry), which is what a slow reader is told as well.
        _ => CloseCode::TooSlow,
    }
}

impl Opened {
    pub const fn connection(&self) -> ConnectionId {
        self.lease.connection
    }

    /// The connection has ended, and so: its person may be offline now.
    pub fn close(mut self, end: End) {
        self.seat = None;
        self.pass = None;
        self.lease.signed_out = end == End::SignedOut;
        self.counted.code = match end {
            End::Close(code) => Some(code.code()),
            End::SignedOut => Some(CloseCode::SignIn.code()),
            End::Gone(code) => code,
        };
    }
}
