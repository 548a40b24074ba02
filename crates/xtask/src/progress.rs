//! What a person sees while they wait: lines with the time that steps took. Owns the clock of this program.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

static TIME_OF_DAY: AtomicBool = AtomicBool::new(false);

/// From now on every line begins with the time of day, in UTC.
pub fn show_time_of_day() {
    TIME_OF_DAY.store(true, Ordering::Relaxed);
}

/// Prints a line on standard error, where cargo prints too, so that the order stays.
pub fn say(line: &str) {
    if TIME_OF_DAY.load(Ordering::Relaxed) {
        eprintln!("{} {line}", time_of_day());
    } else {
        eprintln!("{line}");
    }
}

/// Measures one step.
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a build tool measures real time, and this is its one clock")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// The time since the start, in words.
    pub fn words(&self) -> String {
        in_words(self.elapsed())
    }
}

/// `12.3 s` below a minute, `4 min 05 s` from there.
pub fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[expect(clippy::disallowed_methods, reason = "the time of day of a log line")]
fn time_of_day() -> String {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    let of_today = since_1970 % 86_400;
    format!("{:02}:{:02}:{:02}", of_today / 3600, of_today / 60 % 60, of_today % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_as_people_say_it() {
        assert_eq!(in_words(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(in_words(Duration::from_secs(245)), "4 min 05 s");
    }
}
