//! Work that takes a core for long (hashing passwords, guessing at them, decoding images) leaves the async workers alone: no more at once
//! than there are cores, a short queue before it, and a quick refusal behind that.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Who waits longer for a core is told to come back.
const PATIENCE: Duration = Duration::from_millis(900);
/// How many may wait for each core. More could not be served within [`PATIENCE`] at bcrypt's usual cost.
const WAITING_PER_CORE: usize = 16;

/// All cores are taken and the queue is full, or did not move on in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too much of this at once")]
pub struct Busy;

/// A bounded number of cores, and a bounded queue before them.
pub struct Pool {
    cores: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
    patience: Duration,
}

/// One place in the queue, given back however the waiting ends.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new()
    }
}

impl Pool {
    /// As many at once as this machine has cores.
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::bounded(cores, cores * WAITING_PER_CORE, PATIENCE)
    }

    /// So many at once, so many waiting, and none longer than that.
    pub fn bounded(cores: usize, waiting_max: usize, patience: Duration) -> Self {
        Self { cores: Arc::new(Semaphore::new(cores)), waiting: AtomicUsize::new(0), waiting_max, patience }
    }

    /// Runs `work` on a thread of its own. Refuses, a second later at the most, if there is no core for it. Work that has begun goes
    /// on, and holds its core, if the caller goes away.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let core = self.core().await?;
        let span = tracing::Span::current();
        let done = tokio::task::spawn_blocking(move || {
            let result = span.in_scope(work);
            drop(core);
            result
        });
        // The work neither panics nor is it cancelled, unless the process ends.
        done.await.map_err(|_| Busy)
    }

    async fn core(&self) -> Result<OwnedSemaphorePermit, Busy> {
        if let Ok(core) = self.cores.clone().try_acquire_owned() {
            return Ok(core);
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _place = Place(&self.waiting);
        if before >= self.waiting_max {
            return Err(Busy);
        }
        let core = tokio::time::timeout(self.patience, self.cores.clone().acquire_owned()).await;
        core.map_err(|_| Busy)?.map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn a_full_queue_and_a_long_wait_are_refused() {
        let pool = Arc::new(Pool::bounded(1, 1, PATIENCE));
        let (release, held) = mpsc::channel::<()>();
        let (started, running) = tokio::sync::oneshot::channel();
        let first = tokio::spawn({
            let pool = pool.clone();
            async move {
                pool.run(move || {
                    let _ = started.send(());
                    held.recv().is_err()
                })
                .await
            }
        });
        running.await.unwrap();
        // One waits and is refused when its patience ends; meanwhile a second one is refused at once.
        let (second, third) = tokio::join!(pool.run(|| 2), async {
            tokio::task::yield_now().await;
            pool.run(|| 3).await
        });
        assert_eq!((second, third), (Err(Busy), Err(Busy)));
        assert_eq!(pool.waiting.load(Ordering::Relaxed), 0);
        drop(release);
        assert_eq!(first.await.unwrap(), Ok(true));
        assert_eq!(pool.run(|| 4).await, Ok(4));
    }

    #[tokio::test]
    async fn work_that_began_keeps_its_core_when_the_caller_goes_away() {
        let pool = Arc::new(Pool::bounded(1, 0, PATIENCE));
        let (release, held) = mpsc::channel::<()>();
        let (started, running) = tokio::sync::oneshot::channel();
        let caller = tokio::spawn({
            let pool = pool.clone();
            async move {
                pool.run(move || {
                    let _ = started.send(());
                    let _ = held.recv();
                })
                .await
            }
        });
        running.await.unwrap();
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        assert_eq!(pool.run(|| ()).await, Err(Busy));
        drop(release);
        let core = pool.cores.clone().acquire_owned().await.unwrap();
        drop(core);
        assert_eq!(pool.run(|| 1).await, Ok(1));
    }
}
