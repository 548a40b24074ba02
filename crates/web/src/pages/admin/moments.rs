//! Times of charts and filters: the clock of the place, days in UTC as the server counts them.

use crate::locale::t;
use crate::plot::Stamp;
use js_sys::Date;
use natter_shared::admin::Step;
use natter_shared::timestamp::Timestamp;

#[expect(clippy::cast_precision_loss, reason = "milliseconds stay below 2^53 until the year 287396")]
fn date(at: Timestamp) -> Date {
    Date::new(&(at.millis() as f64).into())
}

fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(0)
}

pub fn stamp(at: Timestamp) -> Stamp {
    let date = date(at);
    Stamp { hour: small(date.get_hours()), minute: small(date.get_minutes()) }
}

/// `14 Nov`
fn day(day: u32, month: u32) -> String {
    let names = t("time.months").split(',');
    let name: String = names.skip(month as usize).map(|name| name.chars().take(3).collect()).next().unwrap_or_default();
    format!("{day}\u{a0}{name}")
}

/// `09:05`
fn clock(stamp: Stamp) -> String {
    format!("{:02}:{:02}", stamp.hour, stamp.minute)
}

/// The time that stands below a stretch.
pub fn below(step: Step, at: Timestamp) -> String {
    let (date, stamp) = (date(at), stamp(at));
    match step {
        Step::Day => day(date.get_utc_date(), date.get_utc_month()),
        Step::Hour if stamp.hour == 0 => day(date.get_date(), date.get_month()),
        Step::Hour | Step::Minute => clock(stamp),
    }
}

/// A stretch as a reader is told of it.
pub fn stretch(step: Step, at: Timestamp) -> String {
    let (now, begin) = (date(at), stamp(at));
    match step {
        Step::Day => format!("{} (UTC)", day(now.get_utc_date(), now.get_utc_month())),
        Step::Hour => {
            let end = clock(stamp(at.plus_millis(Step::Hour.millis())));
            format!("{}, {}–{end}", day(now.get_date(), now.get_month()), clock(begin))
        }
        Step::Minute => clock(begin),
    }
}

/// The moment that is meant by what stands in a field for a date and a time; `None` if nothing does.
pub fn typed(text: &str) -> Option<Timestamp> {
    let millis = Date::new(&text.into()).get_time();
    #[expect(clippy::cast_possible_truncation, reason = "a date's milliseconds are whole and below 2^53")]
    (!text.is_empty() && millis.is_finite()).then(|| Timestamp::from_millis(millis as i64))
}
