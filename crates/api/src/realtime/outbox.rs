//! The bounded queue of one connection: what waits to be written to it, and what happens when that is too much. Nothing
//! here waits; who pushes is never held up by who reads.

pub use super::ending::{End, Over, Parted};
use super::lock;
use super::outgoing::Outgoing;
use natter_shared::frame::CloseCode;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::Instant;

/// Frames and bytes that may wait for one reader.
pub const FRAMES_MAX: usize = 256;
pub const BYTES_MAX: usize = 1024 * 1024;
/// A reader that takes nothing for so long while something waits is too slow.
pub const BLOCKED: Duration = Duration::from_secs(10);
/// What is handed over at once.
const BYTES_A_WRITE: usize = 64 * 1024;

/// What the writer of a connection gets.
#[derive(Debug)]
pub enum Taken {
    Frames(Vec<Outgoing>),
    /// Nothing follows.
    End(End),
}

/// How much waits, in one outbox or in several.
#[derive(Debug, Clone, Copy, Default)]
pub struct Depth {
    pub frames: usize,
    pub bytes: usize,
    /// Frames in the fullest one.
    pub fullest: usize,
}

impl Depth {
    pub fn and(self, other: Self) -> Self {
        let Self { frames, bytes, fullest } = self;
        Self { frames: frames + other.frames, bytes: bytes + other.bytes, fullest: fullest.max(other.fullest) }
    }
}

#[derive(Debug, Default)]
pub struct Outbox(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// What a sign-in answers, served first and not counted: it is the reader's own pace that it is written at.
    opening: VecDeque<Outgoing>,
    queue: VecDeque<Outgoing>,
    bytes: usize,
    /// Before the welcome is ready nothing is handed over.
    held: bool,
    end: Option<End>,
    /// What follows once the queue is empty; nothing more is queued.
    end_after: Option<End>,
    /// The server asks the reading task to come to an end: finish what is under way, then close with this code.
    asked: Option<CloseCode>,
    /// Since when something waits that the writer has not come for.
    waiting_since: Option<Instant>,
    writer: Option<Waker>,
    reader: Option<Waker>,
    /// The writer has been told of the end, or does not exist any more.
    over: bool,
    /// How the peer took the end, once that is known.
    parted: Option<Parted>,
}

impl State {
    fn wake(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }

    /// What goes out next, at most about [`BYTES_A_WRITE`].
    fn take(&mut self) -> Vec<Outgoing> {
        if self.held {
            return Vec::new();
        }
        if self.opening.is_empty() && self.bytes <= BYTES_A_WRITE {
            // All of it. An idle connection keeps no room for what a burst needed.
            self.bytes = 0;
            return std::mem::take(&mut self.queue).into();
        }
        let mut frames = Vec::new();
        let mut bytes = 0;
        while bytes < BYTES_A_WRITE {
            let next = match self.opening.pop_front() {
                Some(frame) => frame,
                None => match self.queue.pop_front() {
                    Some(frame) => {
                        self.bytes = self.bytes.saturating_sub(frame.len());
                        frame
                    }
                    None => break,
                },
            };
            bytes += next.len();
            frames.push(next);
        }
        frames
    }

    fn end(&mut self, end: End) {
        if self.end.is_none() {
            self.end = Some(end);
            self.opening = VecDeque::new();
            self.queue = VecDeque::new();
            self.bytes = 0;
            self.held = false;
            self.wake();
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
    }
}

impl Outbox {
    /// An outbox that holds what is pushed until [`Outbox::release`].
    pub fn holding() -> Self {
        Self(Mutex::new(State { held: true, ..State::default() }))
    }

    /// Queues a frame. A reader that is half full does without minor frames; one that is full is closed as too slow.
    pub fn push(&self, frame: &Outgoing) {
        let mut state = lock(&self.0);
        if state.end.is_some() || state.end_after.is_some() {
            return;
        }
        let (frames, bytes) = (state.queue.len() + 1, state.bytes + frame.len());
        if frame.is_minor() && (frames > FRAMES_MAX / 2 || bytes > BYTES_MAX / 2) {
            return;
        }
        if frames > FRAMES_MAX || bytes > BYTES_MAX {
            state.end(End::Close(CloseCode::TooSlow));
            return;
        }
        state.bytes = bytes;
        state.queue.push_back(frame.clone());
        if !state.held {
            state.waiting_since.get_or_insert_with(Instant::now);
            state.wake();
        }
    }

    /// Ends the hold: `opening` goes out first, then what was held, then what comes.
    pub fn release(&self, opening: impl IntoIterator<Item = Outgoing>) {
        let mut state = lock(&self.0);
        if state.end.is_some() || !state.held {
            return;
        }
        state.opening = opening.into_iter().collect();
        state.held = false;
        state.waiting_since = Some(Instant::now());
        state.wake();
    }

    /// Ends the connection; the first reason counts. What waits is dropped, but for what was promised to be written first.
    pub fn end(&self, end: End) {
        let mut state = lock(&self.0);
        if state.end_after.is_none() {
            state.end(end);
        }
    }

    /// Writes what is queued, and then ends the connection.
    pub fn end_after_queue(&self, end: End) {
        let mut state = lock(&self.0);
        if state.queue.is_empty() && state.opening.is_empty() {
            state.end(end);
        } else if state.end_after.is_none() {
            state.end_after = Some(end);
            state.held = false;
            state.wake();
        }
    }

    /// Drops what is queued, says a last word and ends the connection.
    pub fn end_saying(&self, last: Outgoing, end: End) {
        let mut state = lock(&self.0);
        if state.end.is_none() && state.end_after.is_none() {
            state.opening = VecDeque::new();
            state.queue = VecDeque::from([last]);
            state.bytes = 0;
            state.end_after = Some(end);
            state.held = false;
            state.wake();
        }
    }

    /// Asks the connection to finish what is under way and to close with this code.
    pub fn ask(&self, code: CloseCode) {
        let mut state = lock(&self.0);
        state.asked.get_or_insert(code);
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }

    /// Ends the connection if its reader has been taking nothing for too long.
    pub fn end_if_blocked(&self, now: Instant) {
        let mut state = lock(&self.0);
        if state.waiting_since.is_some_and(|since| now.duration_since(since) > BLOCKED) {
            state.end(End::Close(CloseCode::TooSlow));
        }
    }

    pub fn depth(&self) -> Depth {
        let state = lock(&self.0);
        let frames = state.queue.len();
        Depth { frames, bytes: state.bytes, fullest: frames }
    }

    pub fn has_ended(&self) -> bool {
        lock(&self.0).end.is_some()
    }

    /// For the writer: the next frames, at most about 64 KiB, or the end (once).
    pub fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Option<Taken>> {
        let mut state = lock(&self.0);
        if state.over {
            return Poll::Ready(None);
        }
        if let Some(end) = state.end {
            state.over = true;
            return Poll::Ready(Some(Taken::End(end)));
        }
        let frames = state.take();
        if frames.is_empty() {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let rest = !(state.opening.is_empty() && state.queue.is_empty());
        state.waiting_since = rest.then(Instant::now);
        if let (false, Some(end)) = (rest, state.end_after) {
            state.end(end);
        }
        Poll::Ready(Some(Taken::Frames(frames)))
    }

    /// For the task that reads from the connection: done when the connection has ended, or shall end.
    pub fn poll_over(&self, cx: &mut Context<'_>) -> Poll<Over> {
        let mut state = lock(&self.0);
        match (state.end.or(state.end_after), state.asked) {
            (Some(end), _) => Poll::Ready(Over::Ended(end)),
            (None, Some(code)) => Poll::Ready(Over::Asked(code)),
            (None, None) => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// The task that read says how the peer took the end.
    pub fn part(&self, how: Parted) {
        let mut state = lock(&self.0);
        state.parted.get_or_insert(how);
        state.wake();
    }

    /// For the writer, after the end: done when the connection can be given up.
    pub fn poll_parted(&self, cx: &mut Context<'_>) -> Poll<Parted> {
        let mut state = lock(&self.0);
        if let Some(how) = state.parted {
            return Poll::Ready(how);
        }
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Nobody writes any more: the peer is gone.
    pub fn writer_gone(&self) {
        let mut state = lock(&self.0);
        state.over = true;
        state.end(End::Gone(None));
    }
}

#[cfg(test)]
mod tests;
