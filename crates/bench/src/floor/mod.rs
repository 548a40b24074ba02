//! The floors: what the machine allows to a server that does only the one thing that cannot be left out.

pub mod append;
pub mod broadcast;
pub mod inserts;

use std::thread;

use anyhow::{Context, Result};
use tokio::sync::oneshot;

/// Runs `work` on a thread of its own on `core`, as a server's work would run.
async fn on_core<T: Send + 'static>(core: usize, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (done, result) = oneshot::channel();
    thread::spawn(move || {
        let worked = crate::machine::keep_to(core).and_then(|()| work());
        // The other end is gone only if the whole benchmark is.
        let _ = done.send(worked);
    });
    result.await.context("a floor panicked")?
}
