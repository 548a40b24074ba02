//! The one who writes logs on this node. Calls that come while it is busy wait, and the next one takes all of them along: one
//! commit for many, as in the log writer above, so that a store that many call at once is no slower for it.

use super::Shared;
use super::append::Job;
use super::facts::Rooms;
use crate::store::{Appended, NewEntry, StoreError, Stored};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

/// Rooms that the writer keeps in mind; past this, all are read anew.
const ROOMS_MAX: usize = 20_000;
/// The most entries that waiting calls are taken along with.
const TOGETHER: usize = 512;

/// What the writer of this node remembers between two commits, and who waits for it.
#[derive(Default)]
pub(super) struct Writer {
    rooms: tokio::sync::Mutex<Rooms>,
    waiting: Mutex<VecDeque<Waiting>>,
}

struct Waiting {
    entries: Vec<NewEntry>,
    answer: oneshot::Sender<Stored<Vec<Appended>>>,
}

impl Writer {
    fn ask(&self, entries: Vec<NewEntry>) -> oneshot::Receiver<Stored<Vec<Appended>>> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { entries, answer };
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(waiting);
        answered
    }

    /// Those who have waited longest.
    fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken: Vec<Waiting> = Vec::new();
        let mut entries = 0;
        while let Some(next) = waiting.pop_front() {
            if !taken.is_empty() && entries + next.entries.len() > TOGETHER {
                waiting.push_front(next);
                break;
            }
            entries += next.entries.len();
            taken.push(next);
        }
        taken
    }
}

/// Appends entries in their order.
pub(super) async fn append(shared: &Shared, entries: Vec<NewEntry>) -> Stored<Vec<Appended>> {
    let given_up = || StoreError::Unknown("the write was given up".into());
    let mut answered = shared.writer.ask(entries);
    loop {
        let mut kept = shared.writer.rooms.lock().await;
        match answered.try_recv() {
            Ok(answer) => return answer,
            Err(TryRecvError::Closed) => return Err(given_up()),
            Err(TryRecvError::Empty) => {}
        }
        let taken = shared.writer.take();
        if taken.is_empty() {
            // Whoever took this one along has committed, and is about to answer.
            drop(kept);
            return answered.await.map_err(|_| given_up())?;
        }
        let (entries, callers): (Vec<_>, Vec<_>) = taken.into_iter().map(|it| (it.entries, it.answer)).unzip();
        let lengths: Vec<usize> = entries.iter().map(Vec::len).collect();
        let mut job = Job::new(shared, entries.into_iter().flatten().collect());
        // Taken out and put back only if all went well: after an error, or if nobody waits any more, it may be wrong.
        let done = match job.run(std::mem::take(&mut *kept)).await {
            Ok(rooms) => {
                if rooms.len() <= ROOMS_MAX {
                    *kept = rooms;
                }
                drop(kept);
                job.answers().await
            }
            Err(error) => Err(error),
        };
        answer(callers, &lengths, done);
    }
}

/// Gives each caller what became of its entries; whoever went away finds out by repeating.
fn answer(callers: Vec<oneshot::Sender<Stored<Vec<Appended>>>>, lengths: &[usize], done: Stored<Vec<Appended>>) {
    match done {
        Ok(appended) => {
            let mut appended = appended.into_iter();
            for (caller, length) in callers.into_iter().zip(lengths) {
                let _ = caller.send(Ok(appended.by_ref().take(*length).collect()));
            }
        }
        Err(error) => {
            for caller in callers {
                let _ = caller.send(Err(error.clone()));
            }
        }
    }
}
