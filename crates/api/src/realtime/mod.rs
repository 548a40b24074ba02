//! Sockets and event streams: who is connected, what they hear, and how what they say becomes a service call.

mod dispatch;
pub mod doors;
mod ending;
mod frame_guard;
pub mod heal;
pub mod hub;
mod link;
mod opening;
mod outbox;
mod outgoing;
mod patience;
mod pulse;
pub mod recheck;
pub mod shard;
pub mod sse;
mod tables;
pub mod upgrade;
pub mod ws;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A panic elsewhere leaves the maps and queues of this module whole: each change is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
