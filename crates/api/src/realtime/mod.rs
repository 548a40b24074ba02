//! Sockets and event streams: who is connected, what they hear, and how what they say becomes a service call.

pub mod hub;
pub mod outbox;
pub mod outgoing;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A panic elsewhere leaves the maps and queues of this module whole: each change is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
