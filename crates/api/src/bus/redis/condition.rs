//! Whether Redis is there. Each change is one line of the log, however many calls fail meanwhile.

use super::address::Address;
use redis::{ErrorKind, RedisError};
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

/// The connections of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Commands = 0,
    Subscription = 1,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not all has been tried yet.
    Starting,
    Up,
    Down,
}

pub struct Condition {
    address: Address,
    /// `None`: not tried yet.
    parts: Mutex<[Option<bool>; 2]>,
    state: watch::Sender<State>,
    /// The reasons that were logged since it went away: both connections fail, again and again, and each in its own words.
    said: Mutex<Vec<Reason>>,
}

impl Condition {
    pub fn new(address: Address) -> Self {
        let state = watch::Sender::new(State::Starting);
        Self { address, parts: Mutex::default(), state, said: Mutex::default() }
    }

    pub fn is_up(&self) -> bool {
        *self.state.borrow() == State::Up
    }

    /// Waits for the first state, or the next one that is asked for.
    pub async fn wait_for(&self, wanted: impl FnMut(&State) -> bool) {
        // The sender lives as long as this does.
        let _ = self.state.subscribe().wait_for(wanted).await;
    }

    /// What was logged about its being away.
    #[cfg(test)]
    pub fn reasons(&self) -> Vec<Reason> {
        self.said.lock().unwrap().clone()
    }

    pub fn works(&self, part: Part) {
        self.note(part, true, None);
    }

    pub fn fails(&self, part: Part, why: &RedisError) {
        self.note(part, false, Some(why));
    }

    fn note(&self, part: Part, works: bool, why: Option<&RedisError>) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts[part as usize] = Some(works);
        let state = match *parts {
            [Some(true), Some(true)] => State::Up,
            [Some(false), _] | [_, Some(false)] => State::Down,
            _ => State::Starting,
        };
        // Said under the lock, so that the lines come in the order of the changes.
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let redis = &self.address;
        if let Some(why) = why {
            let reason = Reason::of(why);
            if !said.contains(&reason) {
                let (why, effect) = (sentence(why), "this node works, but sees the others only through the store");
                tracing::warn!(%redis, why, effect, "redis (NATTER_REDIS) is not there");
                said.push(reason);
            }
        } else if state == State::Up && *self.state.borrow() != State::Up {
            said.clear();
            tracing::info!(%redis, "redis is there");
        }
        self.state.send_if_modified(|known| std::mem::replace(known, state) != state);
    }
}

/// Whether the server is there and said no: asking again, or on another connection, would not help.
pub fn is_refusal(why: &RedisError) -> bool {
    why.code().is_some() && !why.is_unrecoverable_error()
}

/// What went wrong, so that whoever reads it knows what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It may come back by itself.
    Away,
    /// A setting is wrong, here or there.
    Login,
    Other,
}

impl Reason {
    fn of(why: &RedisError) -> Self {
        let refused = matches!(why.code(), Some("WRONGPASS" | "NOAUTH" | "NOPERM"));
        if refused || why.kind() == ErrorKind::AuthenticationFailed {
            Self::Login
        } else if why.is_io_error() {
            Self::Away
        } else {
            Self::Other
        }
    }
}

/// The server's own words do not hold a password.
fn sentence(why: &RedisError) -> String {
    if Reason::of(why) == Reason::Login {
        return "the server does not accept the name or password in NATTER_REDIS".to_owned();
    }
    if why.is_timeout() {
        return "the server does not answer in time".to_owned();
    }
    if why.is_connection_refusal() {
        return "nothing listens at that address".to_owned();
    }
    if why.is_connection_dropped() {
        return "the connection was closed".to_owned();
    }
    why.to_string()
}
