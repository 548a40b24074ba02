//! How far a move or a backup is, for whoever waits: on a terminal one line that is written over, elsewhere a line every few seconds.

use super::Step;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;
use tokio::time::Instant;

const ON_A_TERMINAL: Duration = Duration::from_millis(200);
const ELSEWHERE: Duration = Duration::from_secs(5);

pub struct Progress {
    /// Says nothing at all.
    silent: bool,
    terminal: bool,
    /// When it began, and with how many entries that were done before.
    began: Option<(Instant, u64)>,
    said: Option<Instant>,
    /// Whether a line stands there that is to be written over.
    open: bool,
}

impl Progress {
    pub fn new() -> Self {
        Self { silent: false, terminal: stderr().is_terminal(), began: None, said: None, open: false }
    }

    /// For who has nobody waiting.
    pub fn silent() -> Self {
        Self { silent: true, ..Self::new() }
    }

    /// So many bytes of something, of about so many.
    pub fn bytes(&mut self, what: &str, done: u64, of: u64) {
        let percent = (done * 100).checked_div(of).unwrap_or(100).min(100);
        self.say(|_| format!("{percent} % of {what}: {done} of {} bytes", of.max(done)), 0);
    }

    pub fn show(&mut self, step: Step) {
        self.say(|(before, passed)| line(step, step.done.entries.saturating_sub(before), passed), step.done.entries);
    }

    /// A line, if it is time for one: made of how many entries were done before this began, and how long ago that was.
    fn say(&mut self, line: impl FnOnce((u64, Duration)) -> String, entries: u64) {
        let now = Instant::now();
        let (began, before) = *self.began.get_or_insert((now, entries));
        let pause = if self.terminal { ON_A_TERMINAL } else { ELSEWHERE };
        if self.silent || self.said.unwrap_or(began) + pause > now {
            return;
        }
        self.said = Some(now);
        let line = line((before, now - began));
        let mut out = stderr().lock();
        // Progress that cannot be shown is no reason to stop.
        let _ = if self.terminal { write!(out, "\r{line}\x1b[K") } else { writeln!(out, "{line}") };
        self.open = self.terminal;
    }

    /// Leaves what was shown last.
    pub fn end(&mut self) {
        if std::mem::take(&mut self.open) {
            let _ = writeln!(stderr());
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

fn line(step: Step, here: u64, passed: Duration) -> String {
    let Step { done, of } = step;
    // Rooms and people count for little beside entries, but an archive may have nothing else.
    let weight = |all: crate::store::archive::Census| all.entries + all.rooms + all.people + all.logins;
    let percent = (weight(done) * 100).checked_div(weight(of)).unwrap_or(100).min(100);
    let rate = (u128::from(here) * 1_000).checked_div(passed.as_millis()).unwrap_or(0);
    format!(
        "{percent} %: {} of {} rooms, {} of {} entries, {} of {} people; {rate} entries/s",
        done.rooms,
        of.rooms.max(done.rooms),
        done.entries,
        of.entries.max(done.entries),
        done.people,
        of.people.max(done.people),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::archive::Census;

    #[test]
    fn a_line_says_how_far_and_how_fast() {
        let of = Census { people: 10, logins: 0, rooms: 40, entries: 950 };
        let done = Census { people: 0, logins: 0, rooms: 25, entries: 475 };
        let said = line(Step { done, of }, 400, Duration::from_secs(2));
        assert_eq!(said, "50 %: 25 of 40 rooms, 475 of 950 entries, 0 of 10 people; 200 entries/s");
        let empty = Step { done: Census::default(), of: Census::default() };
        assert!(line(empty, 0, Duration::ZERO).starts_with("100 %"));
        // A store in use has more in the end than it had at the beginning.
        let more = Census { entries: 2_000, ..of };
        assert!(line(Step { done: more, of }, 0, Duration::ZERO).starts_with("100 %: 40 of 40 rooms, 2000 of 2000"));
    }
}
