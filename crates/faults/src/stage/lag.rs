//! How late this machine is by itself: what a timer of five milliseconds takes longer. Where other programs take the cores,
//! everything is late by some of it, and a row that compares delays must not take that for the server's doing.

use super::percentile;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

const TICK: Duration = Duration::from_millis(5);
/// A message crosses so many tasks of two processes on its way, and each may have to wait for a core.
const TASKS: u32 = 4;

pub struct Lag {
    late: Arc<Mutex<Vec<Duration>>>,
    task: JoinHandle<()>,
}

impl Lag {
    pub fn watch() -> Self {
        let late: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let noted = Arc::clone(&late);
        let task = tokio::spawn(async move {
            loop {
                let since = Instant::now();
                sleep(TICK).await;
                let late = since.elapsed().saturating_sub(TICK);
                noted.lock().unwrap_or_else(PoisonError::into_inner).push(late);
            }
        });
        Self { late, task }
    }

    /// What the machine's own lateness may add to the 95th percentile of delays since this began.
    pub fn allowance(&self) -> Duration {
        percentile(self.late.lock().unwrap_or_else(PoisonError::into_inner).clone(), 95) * TASKS
    }
}

impl Drop for Lag {
    fn drop(&mut self) {
        self.task.abort();
    }
}
