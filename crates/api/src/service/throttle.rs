//! Wrong passwords, counted for each account: after five the next try has to wait, and each further wrong one doubles the
//! wait. Nobody is shut out for good, nobody's login ends, and where the owner signed in before, strangers' tries elsewhere
//! do not count. Kept in this process alone: losing it forgives, and nothing outside can reset it.

use crate::bus::TooOften;
use natter_shared::timestamp::Timestamp;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Wrong passwords that cost nothing.
const FREE: u32 = 5;
/// Fewer than [`FREE`] are forgotten after this time without another one, and no wait is longer.
const WINDOW_MS: i64 = 15 * 60 * 1_000;
const FIRST_WAIT_MS: i64 = 1_000;
/// So many in a row, and the account takes no password for [`STOP_MS`].
const STOP: u32 = 100;
const STOP_MS: i64 = 24 * 60 * 60 * 1_000;
/// Accounts counted, and places remembered, at once.
const ENTRIES_MAX: usize = 10_000;

/// Who tries: an account's name, and the address if the account has signed in from there before.
type Key = (String, Option<IpAddr>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    /// In a row, the running attempt included.
    count: u32,
    last: Timestamp,
}

impl Failures {
    /// Whether so much time has passed that they no longer count.
    fn forgotten(self, now: Timestamp) -> bool {
        let passed = now.millis() - self.last.millis();
        passed >= STOP_MS || (self.count < FREE && passed >= WINDOW_MS)
    }

    /// Milliseconds after the last one before the next try.
    fn wait(self) -> i64 {
        match self.count {
            0..FREE => 0,
            FREE..STOP => WINDOW_MS.min(FIRST_WAIT_MS << (self.count - FREE).min(20)),
            STOP.. => STOP_MS,
        }
    }
}

/// A try that was admitted. It counts as wrong until it is said to be right or to be no try at all, so that many at once
/// cannot slip through together.
#[derive(Debug)]
#[must_use]
pub struct Attempt {
    key: Key,
    ip: IpAddr,
}

#[derive(Default)]
struct Counts {
    failures: HashMap<Key, Failures>,
    /// Where accounts have signed in, and when last.
    places: HashMap<(String, IpAddr), Timestamp>,
}

/// The counts of all accounts.
#[derive(Default)]
pub struct Throttle(Mutex<Counts>);

impl Throttle {
    /// Admits a try, or says how long to wait. `account` is the name as it was given, known or not; `ip` is one address as
    /// `rate::network` sees it.
    pub fn begin(&self, account: &str, ip: IpAddr, now: Timestamp) -> Result<Attempt, TooOften> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let familiar = counts.places.contains_key(&(account.to_owned(), ip));
        let key = (account.to_owned(), familiar.then_some(ip));
        let before = counts.failures.get(&key).copied().filter(|failures| !failures.forgotten(now));
        if let Some(failures) = before {
            // A clock that was set back makes nobody wait longer than the rule says.
            let passed = (now.millis() - failures.last.millis()).max(0);
            let left = failures.wait() - passed;
            if left > 0 {
                return Err(TooOften { retry_after_ms: u64::try_from(left).unwrap_or(0) });
            }
        }
        if before.is_none() && counts.failures.len() >= ENTRIES_MAX {
            make_room(&mut counts.failures, now);
        }
        let count = before.map_or(0, |failures| failures.count) + 1;
        counts.failures.insert(key.clone(), Failures { count, last: now });
        Ok(Attempt { key, ip })
    }

    /// The password was right: nothing counts any more, and this place is familiar from now on.
    pub fn right(&self, attempt: Attempt, now: Timestamp) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.failures.remove(&attempt.key);
        if counts.places.len() >= ENTRIES_MAX
            && let Some(oldest) = counts.places.iter().min_by_key(|(_, last)| **last).map(|(place, _)| place.clone())
        {
            counts.places.remove(&oldest);
        }
        counts.places.insert((attempt.key.0, attempt.ip), now);
    }

    /// The password was never compared: the try does not count.
    pub fn void(&self, attempt: &Attempt) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(failures) = counts.failures.get_mut(&attempt.key) {
            failures.count = failures.count.saturating_sub(1);
        }
    }

    /// The owner proved to be there (a changed password): strangers' tries count from nothing again.
    pub fn forgive(&self, account: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.failures.retain(|(name, _), _| name != account);
    }
}

/// Drops what is forgotten, or else the account with the fewest tries and of those the oldest, so that a flood of invented
/// names does not wash away the count of one that is under attack.
fn make_room(failures: &mut HashMap<Key, Failures>, now: Timestamp) {
    failures.retain(|_, failures| !failures.forgotten(now));
    if failures.len() >= ENTRIES_MAX
        && let Some(least) = failures.iter().min_by_key(|(_, f)| (f.count, f.last)).map(|(key, _)| key.clone())
    {
        failures.remove(&least);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, ManualClock};

    const HERE: &str = "203.0.113.7";
    const THERE: &str = "198.51.100.9";

    struct Story {
        throttle: Throttle,
        clock: ManualClock,
    }

    impl Story {
        fn new() -> Self {
            let clock = ManualClock::new(Timestamp::from_millis(1_800_000_000_000));
            Self { throttle: Throttle::default(), clock }
        }

        fn tries(&self, account: &str, ip: &str) -> Result<Attempt, u64> {
            let attempt = self.throttle.begin(account, ip.parse().unwrap(), self.clock.now());
            attempt.map_err(|TooOften { retry_after_ms }| retry_after_ms)
        }

        fn fails(&self, account: &str, times: u32) {
            for _ in 0..times {
                let _counted = self.tries(account, THERE).unwrap();
            }
        }

        /// Fails, waiting as long as it is told to.
        fn fails_patiently(&self, account: &str, times: u32) {
            for _ in 0..times {
                if let Err(wait) = self.tries(account, THERE) {
                    self.clock.advance_millis(i64::try_from(wait).unwrap());
                    let _counted = self.tries(account, THERE).unwrap();
                }
            }
        }

        fn wait_of(&self, account: &str) -> u64 {
            self.tries(account, THERE).unwrap_err()
        }
    }

    #[test]
    fn five_are_free_then_the_wait_doubles_up_to_a_quarter_of_an_hour() {
        let story = Story::new();
        story.fails("ann", 5);
        let mut waits = Vec::new();
        for _ in 0..12 {
            let wait = story.wait_of("ann");
            waits.push(wait / 1_000);
            story.clock.advance_millis(i64::try_from(wait).unwrap() - 1);
            assert_eq!(story.wait_of("ann"), 1);
            story.clock.advance_millis(1);
            let _counted = story.tries("ann", THERE).unwrap();
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert!(story.tries("bob", THERE).is_ok(), "others are not concerned");
    }

    #[test]
    fn four_are_forgotten_after_a_quarter_of_an_hour() {
        let story = Story::new();
        story.fails("ann", 4);
        story.clock.advance_millis(WINDOW_MS);
        story.fails("ann", 5);
        assert_eq!(story.wait_of("ann"), 1_000);
    }

    #[test]
    fn the_right_password_clears_the_count_and_makes_the_place_familiar() {
        let story = Story::new();
        story.throttle.right(story.tries("ann", HERE).unwrap(), story.clock.now());
        story.fails_patiently("ann", 30);
        assert_eq!(story.wait_of("ann"), 900_000);
        // The owner, at home, is let in all the same; mistakes there count for themselves.
        for _ in 0..5 {
            let _counted = story.tries("ann", HERE).unwrap();
        }
        assert_eq!(story.tries("ann", HERE).unwrap_err(), 1_000);
        story.clock.advance_millis(1_000);
        story.throttle.right(story.tries("ann", HERE).unwrap(), story.clock.now());
        assert!(story.tries("ann", HERE).is_ok());
        // That did not help the stranger.
        assert_eq!(story.wait_of("ann"), 899_000);
    }

    #[test]
    fn a_hundred_in_a_row_stop_the_account_for_a_day_and_not_for_good() {
        let story = Story::new();
        story.fails_patiently("ann", 100);
        assert_eq!(story.wait_of("ann"), 86_400_000);
        story.clock.advance_millis(STOP_MS);
        assert!(story.tries("ann", THERE).is_ok());
        story.fails_patiently("bob", 100);
        story.throttle.forgive("bob");
        assert!(story.tries("bob", THERE).is_ok());
    }

    #[test]
    fn many_at_once_do_not_slip_through_and_what_was_no_try_does_not_count() {
        let story = Story::new();
        let attempts: Vec<_> = (0..20).map(|_| story.tries("ann", THERE)).collect();
        assert_eq!(attempts.iter().filter(|attempt| attempt.is_ok()).count(), 5);
        story.throttle.void(attempts[0].as_ref().unwrap());
        assert!(story.tries("ann", THERE).is_ok());
    }

    #[test]
    fn a_flood_of_invented_names_is_bounded_and_washes_nobody_away() {
        let story = Story::new();
        story.fails("ann", 5);
        for n in 0..ENTRIES_MAX + 50 {
            story.fails(&format!("invented{n}"), 1);
        }
        let kept = story.throttle.0.lock().unwrap().failures.len();
        assert!(kept <= ENTRIES_MAX, "{kept}");
        assert_eq!(story.wait_of("ann"), 1_000);
    }
}
