//! Something that may happen at any rate and is worth a line of the log once a minute.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

const EVERY: Duration = Duration::from_mins(1);

#[derive(Default)]
pub struct Seldom(Mutex<State>);

#[derive(Default)]
struct State {
    last: Option<Instant>,
    missed: u64,
}

impl Seldom {
    /// Says it, with how often it was not said since the last time, or counts it.
    pub fn say(&self, line: impl FnOnce(u64)) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.last.is_some_and(|last| last.elapsed() < EVERY) {
            state.missed += 1;
            return;
        }
        state.last = Some(Instant::now());
        line(std::mem::take(&mut state.missed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_line_a_minute_says_how_many_were_not_said() {
        let seldom = Seldom::default();
        let mut lines = Vec::new();
        for _ in 0..5 {
            seldom.say(|missed| lines.push(missed));
        }
        tokio::time::advance(EVERY).await;
        seldom.say(|missed| lines.push(missed));
        assert_eq!(lines, [0, 4]);
    }
}
