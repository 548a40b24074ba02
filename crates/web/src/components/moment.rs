//! Moments as people read them, in the place's own time: the clock, the day.

use crate::locale::{t, tf};
use crate::state::Day;
use js_sys::Date;
use leptos::prelude::*;
use natter_shared::timestamp::Timestamp;

#[expect(clippy::cast_precision_loss, reason = "milliseconds stay below 2^53 until the year 287396")]
fn date(at: Timestamp) -> Date {
    Date::new(&(at.millis() as f64).into())
}

/// `18:51`.
pub fn clock(at: Timestamp) -> String {
    let date = date(at);
    format!("{:02}:{:02}", date.get_hours(), date.get_minutes())
}

fn day_of(date: &Date) -> Day {
    let small = |number: u32| u8::try_from(number).unwrap_or(1);
    Day {
        year: i32::try_from(date.get_full_year()).unwrap_or(1970),
        month: small(date.get_month() + 1),
        day: small(date.get_date()),
    }
}

/// `Today`, `Yesterday`, `Thursday, 19 November`, and with the year if it is another one.
pub fn day_name(day: Day) -> String {
    let today = day_of(&Date::new_0());
    match today.days_since(day) {
        0 => return t("time.today").to_owned(),
        1 => return t("time.yesterday").to_owned(),
        _ => {}
    }
    let pick = |list: &'static str, at: usize| list.split(',').nth(at).unwrap_or("").to_owned();
    // The first of January 1970 was a Thursday, the fourth day of a list that begins with Monday.
    let since = day.days_since(Day { year: 1970, month: 1, day: 1 });
    let weekday = pick(t("time.weekdays"), usize::try_from((since + 3).rem_euclid(7)).unwrap_or(0));
    let month = pick(t("time.months"), usize::from(day.month.saturating_sub(1)));
    let name = tf("time.day", &[("weekday", &weekday), ("day", &day.day.to_string()), ("month", &month)]);
    if day.year == today.year { name } else { format!("{name} {}", day.year) }
}

/// Day and clock, for lists and hints.
pub fn day_and_clock(at: Timestamp) -> String {
    format!("{}, {}", day_name(day_of(&date(at))), clock(at))
}

/// The clock as a `<time>` element, with the whole moment in it.
#[component]
pub fn Clock(at: Timestamp) -> impl IntoView {
    view! {
        <time datetime=at.to_string() title=day_and_clock(at)>
            {clock(at)}
        </time>
    }
}
