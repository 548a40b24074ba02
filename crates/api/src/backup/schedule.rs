//! Backups at the times that were ordered, until a signal. Whether one is due is told from the newest that is there: a restart
//! makes none too many, and what was missed is made up for.

use super::make::ago;
use super::place::Place;
use super::{BackupError, Name, attempt, stop_signal};
use crate::clock::{Clock, Entropy};
use crate::config::Config;
use natter_shared::timestamp::Timestamp;
use std::time::Duration;

const DAY_MS: i64 = 86_400_000;
/// A backup that failed is tried again after this, each time after twice as long, up to the last.
const FIRST_PAUSE: Duration = Duration::from_mins(1);
const LAST_PAUSE: Duration = Duration::from_hours(1);
/// The clock is looked at so often: it may be set, and the machine may sleep.
const LOOK: Duration = Duration::from_secs(20);

/// When backups are made; at least one of the two is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Milliseconds after midnight, UTC.
    daily: Option<i64>,
    /// At the multiples of so many milliseconds since 1970.
    every: Option<i64>,
}

impl Schedule {
    /// Reads `03:30`, `6h`; `None` if neither says when.
    pub fn parse(daily: Option<&str>, every: Option<&str>) -> Option<Self> {
        let daily = match daily {
            None => None,
            Some(text) => {
                let (hour, minute) = text.split_once(':')?;
                let number = |text: &str, below: i64| {
                    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
                    text.parse::<i64>().ok().filter(|number| digits && *number < below)
                };
                Some(number(hour, 24)? * 3_600_000 + number(minute, 60)? * 60_000)
            }
        };
        let every = match every {
            None => None,
            Some(text) => Some(millis(text).filter(|every| (60_000..=7 * DAY_MS).contains(every))?),
        };
        (daily.is_some() || every.is_some()).then_some(Self { daily, every })
    }

    /// The last moment, up to now, at which there should have been one.
    fn last_due(self, now: Timestamp) -> Timestamp {
        let daily = self.daily.map(|at| (now.millis() - at).div_euclid(DAY_MS) * DAY_MS + at);
        let every = self.every.map(|every| now.millis().div_euclid(every) * every);
        Timestamp::from_millis(daily.max(every).unwrap_or(0))
    }

    fn next_due(self, now: Timestamp) -> Timestamp {
        let daily = self.daily.map(|at| ((now.millis() - at).div_euclid(DAY_MS) + 1) * DAY_MS + at);
        let every = self.every.map(|every| (now.millis().div_euclid(every) + 1) * every);
        Timestamp::from_millis([daily, every].into_iter().flatten().min().unwrap_or(i64::MAX))
    }
}

/// Reads `90m`, `26h` or `2d` as milliseconds.
pub fn millis(text: &str) -> Option<i64> {
    let unit = match text.chars().next_back()? {
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => DAY_MS,
        _ => return None,
    };
    let number: u32 = text[..text.len() - 1].parse().ok().filter(|number| *number > 0)?;
    i64::from(number).checked_mul(unit)
}

/// Makes backups until a signal. Ends by itself only where a setting must be changed.
pub async fn keep_making(
    config: &Config,
    schedule: Schedule,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<String, BackupError> {
    let place = super::place(config)?;
    let mut stop = std::pin::pin!(stop_signal()?);
    let mut pause = FIRST_PAUSE;
    let mut told_next = None;
    loop {
        let due = tokio::select! {
            () = &mut stop => return Ok("stopped\n".to_owned()),
            due = turn(&place, schedule, clock) => due,
        };
        let wait = match due {
            Ok(Turn::Wait(next)) => {
                if told_next.replace(next) != Some(next) {
                    tracing::info!(%next, "the next backup is due then");
                }
                let left = u64::try_from(next.millis() - clock.now().millis()).unwrap_or(0);
                LOOK.min(Duration::from_millis(left))
            }
            Ok(Turn::Due(newest)) => match attempt(config, &place, clock, entropy, true, &mut stop).await {
                Ok(made) => {
                    let seconds = made.took.as_secs();
                    tracing::info!(name = %made.name, bytes = made.bytes, seconds, missing = made.missing, "made a backup");
                    pause = FIRST_PAUSE;
                    Duration::ZERO
                }
                Err(BackupError::Stopped) => return Ok("stopped\n".to_owned()),
                Err(error) if error.is_a_setting() => return Err(error),
                Err(error) => {
                    let last_good = newest.map_or_else(|| "never".to_owned(), |newest| ago(newest, clock.now()));
                    let again_s = pause.as_secs();
                    tracing::error!(%error, last_good, again_s, "no backup was made; it is tried again");
                    longer(&mut pause)
                }
            },
            Err(error) => {
                tracing::error!(%error, again_s = pause.as_secs(), "the place of backups cannot be read; it is tried again");
                longer(&mut pause)
            }
        };
        tokio::select! {
            () = &mut stop => return Ok("stopped\n".to_owned()),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// The pause, which is twice as long the next time.
fn longer(pause: &mut Duration) -> Duration {
    let next = LAST_PAUSE.min(*pause * 2);
    std::mem::replace(pause, next)
}

enum Turn {
    /// One is due; when the last one was made.
    Due(Option<Timestamp>),
    Wait(Timestamp),
}

async fn turn(place: &Place, schedule: Schedule, clock: &dyn Clock) -> Result<Turn, BackupError> {
    let now = clock.now();
    let newest = place.newest(now).await?.map(Name::at);
    let made = newest.is_some_and(|newest| newest >= schedule.last_due(now));
    Ok(if made { Turn::Wait(schedule.next_due(now)) } else { Turn::Due(newest) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::try_from(text.to_owned()).unwrap()
    }

    fn due(daily: Option<&str>, every: Option<&str>, now: &str) -> (String, String) {
        let schedule = Schedule::parse(daily, every).unwrap();
        let spelled = |moment: Timestamp| moment.to_string()[5..16].to_owned();
        (spelled(schedule.last_due(at(now))), spelled(schedule.next_due(at(now))))
    }

    fn pair(last: &str, next: &str) -> (String, String) {
        (last.to_owned(), next.to_owned())
    }

    #[test]
    fn a_daily_backup_is_due_at_its_time() {
        let daily = Some("03:30");
        assert_eq!(due(daily, None, "2026-11-28T03:29:59Z"), pair("11-27T03:30", "11-28T03:30"));
        assert_eq!(due(daily, None, "2026-11-28T03:30:00Z"), pair("11-28T03:30", "11-29T03:30"));
        assert_eq!(due(daily, None, "2026-12-31T23:00:00Z"), pair("12-31T03:30", "01-01T03:30"));
    }

    #[test]
    fn what_is_due_every_few_hours_is_due_at_the_same_hours_each_day() {
        let every = Some("6h");
        assert_eq!(due(None, every, "2026-11-28T05:59:59Z"), pair("11-28T00:00", "11-28T06:00"));
        assert_eq!(due(None, every, "2026-11-28T06:00:00Z"), pair("11-28T06:00", "11-28T12:00"));
        let both = due(Some("07:15"), every, "2026-11-28T07:20:00Z");
        assert_eq!(both, pair("11-28T07:15", "11-28T12:00"));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in ["", "3:30", "03:3", "24:00", "03:60", "0330", "+3:30", "-1:30"] {
            assert_eq!(Schedule::parse(Some(bad), None), None, "{bad}");
        }
        for bad in ["", "6", "h", "0h", "30s", "8d", "-6h", "1.5h", "99999999999h"] {
            assert_eq!(Schedule::parse(None, Some(bad)), None, "{bad}");
        }
        assert_eq!(Schedule::parse(None, None), None);
        assert_eq!((millis("90m"), millis("26h"), millis("2d")), (Some(5_400_000), Some(93_600_000), Some(2 * DAY_MS)));
    }
}
